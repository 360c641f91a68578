/* SPDX-License-Identifier: MIT */
#include "ndkinfo/info.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The name that the library gives to the threads of an adapter, see TASK_COMM in proc(5). */
static const char lane_name[] = "softndk-lane\n";

enum { TCP_STATE_ESTABLISHED = 1, TCP_STATE_LISTEN = 10 };

/* Sockets of one process, by inode. */
struct inodes {
    unsigned long *entries;
    size_t count, room;
};

static bool grow(void **entries, size_t count, size_t *room, size_t size)
{
    void *bigger;

    if (count < *room)
        return true;
    bigger = realloc(*entries, (*room == 0 ? 64 : *room * 2) * size);
    if (bigger == NULL)
        return false;
    *entries = bigger;
    *room = *room == 0 ? 64 : *room * 2;
    return true;
}

/* ---- Which processes ---- */

static bool is_lane(const char *pid, const char *task)
{
    char path[64], name[32] = "";
    bool is_one = false;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%.16s/task/%.16s/comm", pid, task);
    f = fopen(path, "r");
    if (f == NULL)
        return false;
    if (fgets(name, sizeof name, f) != NULL)
        is_one = strcmp(name, lane_name) == 0;
    fclose(f);
    return is_one;
}

static bool has_adapter(const char *pid)
{
    char path[64];
    bool has = false;
    struct dirent *entry;
    DIR *tasks;

    snprintf(path, sizeof path, "/proc/%.16s/task", pid);
    tasks = opendir(path);
    if (tasks == NULL)
        return false;
    while (!has && (entry = readdir(tasks)) != NULL)
        has = isdigit((unsigned char)entry->d_name[0]) && is_lane(pid, entry->d_name);
    closedir(tasks);
    return has;
}

/* ---- Their sockets ---- */

/* False: not allowed, or memory is short. */
static bool list_sockets(const char *pid, struct inodes *inodes)
{
    char path[80], target[64];
    struct dirent *entry;
    DIR *fds;
    bool is_good = true;

    snprintf(path, sizeof path, "/proc/%.16s/fd", pid);
    fds = opendir(path);
    if (fds == NULL)
        return false;
    while (is_good && (entry = readdir(fds)) != NULL) {
        unsigned long inode;
        ssize_t n;

        snprintf(path, sizeof path, "/proc/%.16s/fd/%.16s", pid, entry->d_name);
        n = readlink(path, target, sizeof target - 1);
        if (n <= 0)
            continue;
        target[n] = '\0';
        if (sscanf(target, "socket:[%lu]", &inode) != 1)
            continue;
        is_good = grow((void **)(void *)&inodes->entries, inodes->count, &inodes->room,
            sizeof inodes->entries[0]);
        if (is_good)
            inodes->entries[inodes->count++] = inode;
    }
    closedir(fds);
    return is_good;
}

static bool has_inode(const struct inodes *inodes, unsigned long inode)
{
    for (size_t i = 0; i < inodes->count; i++) {
        if (inodes->entries[i] == inode)
            return true;
    }
    return false;
}

/* "0100007F:2328": 32-bit words in the host's order as they lie in memory, and a port. */
static bool read_address(const char *text, SOCKADDR_INET *out)
{
    const char *colon = strchr(text, ':');
    size_t digits = colon == NULL ? 0 : (size_t)(colon - text);
    uint8_t *octets;
    unsigned port;

    memset(out, 0, sizeof *out);
    if (digits == 8) {
        out->Ipv4.sin_family = AF_INET;
        octets = (uint8_t *)&out->Ipv4.sin_addr;
    } else if (digits == 32) {
        out->Ipv6.sin6_family = SOFTNDK_AF_INET6;
        octets = (uint8_t *)&out->Ipv6.sin6_addr;
    } else {
        return false;
    }
    for (size_t i = 0; i < digits; i += 8) {
        uint32_t word;

        if (sscanf(text + i, "%8" SCNx32, &word) != 1)
            return false;
        memcpy(octets + i / 2, &word, 4);
    }
    if (sscanf(colon, ":%x", &port) != 1)
        return false;
    addr_set_port(out, (uint16_t)port);
    return true;
}

/* One line of /proc/net/tcp. */
static bool read_line(const char *line, struct connection *c, unsigned long *inode)
{
    char local[48], foreign[48];
    unsigned state;

    if (sscanf(line, " %*[^:]: %47s %47s %x %*s %*s %*s %*s %*s %lu", local, foreign, &state,
            inode) != 4 ||
        (state != TCP_STATE_ESTABLISHED && state != TCP_STATE_LISTEN))
        return false;
    memset(c, 0, sizeof *c);
    c->is_listener = state == TCP_STATE_LISTEN;
    return read_address(local, &c->local) && read_address(foreign, &c->foreign);
}

static bool match_table(
    struct connections *all, const char *pid, const char *table, const struct inodes *inodes)
{
    char path[64], line[512];
    bool is_good = true;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%.16s/net/%s", pid, table);
    f = fopen(path, "r");
    if (f == NULL)
        return true; /* a host without that family */
    while (is_good && fgets(line, sizeof line, f) != NULL) {
        struct connection c;
        unsigned long inode;

        if (!read_line(line, &c, &inode) || !has_inode(inodes, inode))
            continue;
        c.pid = strtol(pid, NULL, 10);
        c.interface = interface_of(&c.local);
        is_good =
            grow((void **)(void *)&all->entries, all->count, &all->room, sizeof all->entries[0]);
        if (is_good)
            all->entries[all->count++] = c;
    }
    fclose(f);
    return is_good;
}

static bool add_process(struct connections *all, const char *pid)
{
    struct inodes inodes = {.entries = NULL};
    bool is_good = true;

    if (!list_sockets(pid, &inodes))
        all->hidden++;
    else
        is_good = match_table(all, pid, "tcp", &inodes) && match_table(all, pid, "tcp6", &inodes);
    free(inodes.entries);
    return is_good;
}

bool connections_find(struct connections *c)
{
    struct dirent *entry;
    DIR *proc = opendir("/proc");
    bool is_good = proc != NULL;

    memset(c, 0, sizeof *c);
    if (proc == NULL)
        return false;
    while (is_good && (entry = readdir(proc)) != NULL) {
        if (isdigit((unsigned char)entry->d_name[0]) && has_adapter(entry->d_name))
            is_good = add_process(c, entry->d_name);
    }
    closedir(proc);
    return is_good;
}

void connections_free(struct connections *c)
{
    free(c->entries);
    memset(c, 0, sizeof *c);
}

/* ---- Output ---- */

static const char *type_name(const struct connection *c)
{
    return c->is_listener ? "Listener" : "Connection";
}

void connections_print(const struct connections *c)
{
    char local[ADDR_TEXT_MAX], foreign[ADDR_TEXT_MAX];

    printf("Active NetworkDirect Connections, Listeners, SharedEndpoints\n\n");
    printf("  %-6s  %7s  %-10s  %-24s  %-24s  %s\n", "Mode", "IfIndex", "Type", "Local Address",
        "Foreign Address", "PID");
    for (size_t i = 0; i < c->count; i++) {
        const struct connection *e = &c->entries[i];

        printf("  %-6s  %7u  %-10s  %-24s  %-24s  %ld\n", "User", (unsigned)e->interface,
            type_name(e), addr_text(&e->local, local),
            e->is_listener ? "NA" : addr_text(&e->foreign, foreign), e->pid);
    }
    if (c->hidden > 0)
        printf("\n%u processes of other users have adapters too; only root may look into them.\n",
            c->hidden);
}

json_t *connections_json(const struct connections *c)
{
    char local[ADDR_TEXT_MAX], foreign[ADDR_TEXT_MAX];
    json_t *array = json_array();

    for (size_t i = 0; i < c->count; i++) {
        const struct connection *e = &c->entries[i];
        json_t *object =
            json_pack("{s:s,s:i,s:s,s:s,s:I}", "mode", "User", "ifindex", (int)e->interface, "type",
                type_name(e), "local", addr_text(&e->local, local), "pid", (json_int_t)e->pid);

        if (!e->is_listener)
            json_object_set_new(object, "foreign", json_string(addr_text(&e->foreign, foreign)));
        json_array_append_new(array, object);
    }
    return array;
}
