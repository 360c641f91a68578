/* SPDX-License-Identifier: MIT */
#include "ndk/map.h"

#include <ntstatus.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ws2ipdef.h>

#include "base/atomic.h"

static struct sn_aptr in_use; /* release by ndk_map_use, acquire by each reader */

enum { WORD_MAX = 64 };

static bool read_address(const char *word, struct plat_addr *out)
{
    IN_ADDR v4;
    IN6_ADDR v6;
    PCSTR end;

    memset(out, 0, sizeof *out);
    if (NT_SUCCESS(RtlIpv4StringToAddressA(word, TRUE, &end, &v4)) && *end == '\0') {
        out->family = 4;
        memcpy(out->ip, &v4, 4);
        return true;
    }
    if (NT_SUCCESS(RtlIpv6StringToAddressA(word, &end, &v6)) && *end == '\0') {
        out->family = 6;
        memcpy(out->ip, &v6, 16);
        return true;
    }
    return false;
}

static bool read_index(const char *word, uint32_t *out)
{
    char *end;
    unsigned long value;

    if (*word < '0' || *word > '9')
        return false;
    value = strtoul(word, &end, 10);
    *out = (uint32_t)value;
    return *end == '\0' && value <= UINT32_MAX;
}

/* "OLD=NEW", n characters. */
static bool read_pair(const char *text, size_t n, struct ndk_map_pair *out)
{
    const char *equals = memchr(text, '=', n);
    char old_word[WORD_MAX], new_word[WORD_MAX];
    size_t old_length = equals == NULL ? n : (size_t)(equals - text);

    memset(out, 0, sizeof *out);
    if (equals == NULL || old_length >= WORD_MAX || n - old_length - 1 >= WORD_MAX)
        return false;
    snprintf(old_word, sizeof old_word, "%.*s", (int)old_length, text);
    snprintf(new_word, sizeof new_word, "%.*s", (int)(n - old_length - 1), equals + 1);
    if (read_index(old_word, &out->old_index))
        return read_index(new_word, &out->new_index);
    return read_address(old_word, &out->old_addr) && read_address(new_word, &out->new_addr) &&
           out->old_addr.family == out->new_addr.family;
}

bool ndk_map_parse(const char *text, struct ndk_map *out, char why[NDK_MAP_TEXT])
{
    out->count = 0;
    while (text != NULL && *text != '\0') {
        size_t n = strcspn(text, ",");

        if (out->count == NDK_MAP_MAX) {
            snprintf(why, NDK_MAP_TEXT, "more than %d pairs", NDK_MAP_MAX);
            return false;
        }
        if (!read_pair(text, n, &out->pair[out->count])) {
            snprintf(why, NDK_MAP_TEXT,
                "'%.*s' is not OLD=NEW with two addresses of one family or two interface indexes",
                (int)(n > 64 ? 64 : n), text);
            return false;
        }
        out->count++;
        text += n;
        text += *text == ',';
    }
    return true;
}

NTSTATUS ndk_map_begin(char *(*environment)(const char *name), char why[NDK_MAP_TEXT])
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct ndk_map map; /* written once, under the lock, before it is published */
    static bool is_read;
    NTSTATUS status = STATUS_SUCCESS;

    pthread_mutex_lock(&lock);
    if (!is_read) {
        is_read = ndk_map_parse(environment("SOFTNDK_MAP"), &map, why);
        if (!is_read)
            status = STATUS_INVALID_PARAMETER;
        else if (map.count > 0)
            ndk_map_use(&map);
    }
    pthread_mutex_unlock(&lock);
    return status;
}

void ndk_map_use(const struct ndk_map *map)
{
    sn_aptr_store_release(&in_use, (void *)(uintptr_t)map);
}

static bool is_same_ip(const struct plat_addr *a, const struct plat_addr *b)
{
    return a->family != 0 && a->family == b->family &&
           memcmp(a->ip, b->ip, a->family == 4 ? 4 : 16) == 0;
}

static void replace_ip(struct plat_addr *a, const struct plat_addr *by)
{
    memcpy(a->ip, by->ip, sizeof a->ip);
    a->scope = by->scope;
}

void ndk_map_in(struct plat_addr *a)
{
    const struct ndk_map *map = sn_aptr_load_acquire(&in_use);

    for (size_t i = 0; map != NULL && i < map->count; i++) {
        if (is_same_ip(&map->pair[i].old_addr, a)) {
            replace_ip(a, &map->pair[i].new_addr);
            return;
        }
    }
}

void ndk_map_out(struct plat_addr *a)
{
    const struct ndk_map *map = sn_aptr_load_acquire(&in_use);

    for (size_t i = 0; map != NULL && i < map->count; i++) {
        if (is_same_ip(&map->pair[i].new_addr, a)) {
            replace_ip(a, &map->pair[i].old_addr);
            return;
        }
    }
}

uint32_t ndk_map_index(uint32_t index)
{
    const struct ndk_map *map = sn_aptr_load_acquire(&in_use);

    for (size_t i = 0; map != NULL && i < map->count; i++)
        if (map->pair[i].old_addr.family == 0 && map->pair[i].old_index == index)
            return map->pair[i].new_index;
    return index;
}
