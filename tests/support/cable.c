/* SPDX-License-Identifier: MIT */
#include "support/cable.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/octets.h"

enum { PACKETS = 4096, PACKET_MAX = 2048, MILLION = 1000000 };

struct packet {
    bool is_used;
    uint64_t due_us;
    uint64_t number; /* order of arrival */
    unsigned to;
    size_t n;
    uint8_t octets[PACKET_MAX];
};

struct host {
    int ns, tun, control; /* control: a socket in that namespace, for its device */
};

struct cable {
    struct host host[CABLE_HOSTS];
    int home_ns, stop;
    pthread_t thread;
    pthread_mutex_t lock; /* rules */
    struct cable_rules rules;
    atomic_bool is_pulled;
    atomic_ullong packets, harmed;
    /* thread only */
    uint64_t random, arrived, passed[CABLE_HOSTS];
    struct packet *packet;
};

const char *cable_address(unsigned host)
{
    return host == 0 ? "10.77.0.1" : "10.77.0.2";
}

/* ---- namespaces and devices ---- */

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool is_done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return is_done;
}

/* A namespace of our own: as root at once, else as root of a user namespace. */
static bool leave_home(void)
{
    unsigned uid = geteuid(), gid = getegid();
    char map[40];

    if (unshare(CLONE_NEWNET) == 0)
        return true;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return false;
    (void)write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof(map), "0 %u 1", uid);
    if (!write_file("/proc/self/uid_map", map))
        return false;
    snprintf(map, sizeof(map), "0 %u 1", gid);
    return write_file("/proc/self/gid_map", map);
}

static bool set_address(int control, struct ifreq *r, unsigned long what, const char *text)
{
    struct sockaddr_in a = {.sin_family = AF_INET};

    inet_pton(AF_INET, text, &a.sin_addr);
    memcpy(&r->ifr_addr, &a, sizeof(a));
    return ioctl(control, what, r) == 0;
}

/* In the calling thread's namespace. */
static bool plug_in(struct host *h, unsigned number)
{
    struct ifreq r;

    memset(&r, 0, sizeof(r));
    h->ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    h->control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    h->tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (h->ns < 0 || h->control < 0 || h->tun < 0)
        return false;
    memcpy(r.ifr_name, "cable", sizeof("cable"));
    r.ifr_flags = IFF_TUN | IFF_NO_PI;
    if (ioctl(h->tun, TUNSETIFF, &r) != 0)
        return false;
    if (!set_address(h->control, &r, SIOCSIFADDR, cable_address(number)) ||
        !set_address(h->control, &r, SIOCSIFNETMASK, "255.255.255.0"))
        return false;
    r.ifr_flags = IFF_UP | IFF_RUNNING;
    return ioctl(h->control, SIOCSIFFLAGS, &r) == 0;
}

void cable_set_mtu(struct cable *c, int mtu)
{
    for (unsigned i = 0; i < CABLE_HOSTS; i++) {
        struct ifreq r;

        memset(&r, 0, sizeof(r));
        memcpy(r.ifr_name, "cable", sizeof("cable"));
        r.ifr_mtu = mtu;
        if (ioctl(c->host[i].control, SIOCSIFMTU, &r) != 0)
            abort();
    }
}

void cable_set_unreachable(struct cable *c, unsigned host, const char *network)
{
    struct sockaddr_in to = {.sin_family = AF_INET}, mask = {.sin_family = AF_INET};
    struct rtentry r = {.rt_flags = RTF_UP | RTF_REJECT};

    inet_pton(AF_INET, network, &to.sin_addr);
    inet_pton(AF_INET, "255.255.255.0", &mask.sin_addr);
    memcpy(&r.rt_dst, &to, sizeof(to));
    memcpy(&r.rt_genmask, &mask, sizeof(mask));
    if (ioctl(c->host[host].control, SIOCADDRT, &r) != 0)
        abort();
}

void cable_enter(struct cable *c, unsigned host)
{
    if (setns(c->host[host].ns, CLONE_NEWNET) != 0)
        abort();
}

/* ---- the cable ---- */

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * MILLION + (uint64_t)t.tv_nsec / 1000;
}

static bool happens(struct cable *c, unsigned of_a_million)
{
    return random_next(&c->random) % MILLION < of_a_million;
}

static struct packet *free_slot(struct cable *c)
{
    for (unsigned i = 0; i < PACKETS; i++) {
        if (!c->packet[i].is_used)
            return &c->packet[i];
    }
    return NULL; /* the queue is full: lost, as in any switch */
}

static void keep(
    struct cable *c, const struct cable_rules *rules, const uint8_t *p, size_t n, unsigned to)
{
    struct packet *k = free_slot(c);

    if (k == NULL)
        return;
    k->is_used = true;
    k->to = to;
    k->n = n;
    k->number = ++c->arrived;
    k->due_us = now_us() + rules->delay_us;
    if (rules->jitter_us > 0)
        k->due_us += random_next(&c->random) % rules->jitter_us;
    memcpy(k->octets, p, n);
    if (n > 40 && happens(c, rules->damaged)) {
        k->octets[20 + random_next(&c->random) % (n - 20)] ^= 0x10;
        atomic_fetch_add(&c->harmed, 1);
    }
}

static void take(struct cable *c, unsigned from)
{
    struct cable_rules rules;
    uint8_t p[PACKET_MAX];
    ssize_t n = read(c->host[from].tun, p, sizeof(p));

    if (n <= 0)
        return;
    pthread_mutex_lock(&c->lock);
    rules = c->rules;
    pthread_mutex_unlock(&c->lock);
    atomic_fetch_add(&c->packets, 1);
    if (atomic_load(&c->is_pulled))
        return;
    if (happens(c, rules.lost)) {
        atomic_fetch_add(&c->harmed, 1);
        return;
    }
    keep(c, &rules, p, (size_t)n, !from);
    if (happens(c, rules.twice)) {
        atomic_fetch_add(&c->harmed, 1);
        keep(c, &rules, p, (size_t)n, !from);
    }
}

/* Passes on what is due; returns when the next is, in microseconds from now, at most a second. */
static uint64_t pass_on(struct cable *c)
{
    uint64_t now = now_us(), next = now + MILLION;

    for (;;) {
        struct packet *first = NULL;

        for (unsigned i = 0; i < PACKETS; i++) {
            struct packet *k = &c->packet[i];

            if (!k->is_used)
                continue;
            if (first == NULL || k->due_us < first->due_us ||
                (k->due_us == first->due_us && k->number < first->number))
                first = k;
        }
        if (first == NULL)
            return next - now;
        if (first->due_us > now)
            return first->due_us - now;
        if (first->number < c->passed[first->to])
            atomic_fetch_add(&c->harmed, 1);
        else
            c->passed[first->to] = first->number;
        (void)!write(c->host[first->to].tun, first->octets, first->n);
        first->is_used = false;
    }
}

static void *run(void *arg)
{
    struct cable *c = arg;

    for (;;) {
        struct pollfd p[1 + CABLE_HOSTS] = {{.fd = c->stop, .events = POLLIN}};
        uint64_t wait = pass_on(c);
        struct timespec limit = {
            .tv_sec = (time_t)(wait / MILLION), .tv_nsec = (long)(wait % MILLION) * 1000};

        for (unsigned i = 0; i < CABLE_HOSTS; i++)
            p[1 + i] = (struct pollfd){.fd = c->host[i].tun, .events = POLLIN};
        (void)ppoll(p, 1 + CABLE_HOSTS, &limit, NULL);
        if (p[0].revents != 0)
            return NULL;
        for (unsigned i = 0; i < CABLE_HOSTS; i++) {
            if (p[1 + i].revents != 0)
                take(c, i);
        }
    }
}

void cable_set_rules(struct cable *c, const struct cable_rules *rules)
{
    pthread_mutex_lock(&c->lock);
    c->rules = *rules;
    pthread_mutex_unlock(&c->lock);
}

void cable_pull(struct cable *c, bool is_pulled)
{
    atomic_store(&c->is_pulled, is_pulled);
}

uint64_t cable_packets(const struct cable *c)
{
    return atomic_load(&((struct cable *)(uintptr_t)c)->packets);
}

uint64_t cable_harmed(const struct cable *c)
{
    return atomic_load(&((struct cable *)(uintptr_t)c)->harmed);
}

/* ---- life ---- */

static void close_one(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void let_go(struct cable *c)
{
    for (unsigned i = 0; i < CABLE_HOSTS; i++) {
        close_one(c->host[i].ns);
        close_one(c->host[i].tun);
        close_one(c->host[i].control);
    }
    close_one(c->home_ns);
    close_one(c->stop);
    free(c->packet);
    free(c);
}

struct cable *cable_open(const char **why)
{
    struct cable *c = calloc(1, sizeof(*c));

    if (c == NULL || (c->packet = calloc(PACKETS, sizeof(*c->packet))) == NULL)
        abort();
    for (unsigned i = 0; i < CABLE_HOSTS; i++)
        c->host[i] = (struct host){-1, -1, -1};
    c->random = 88;
    c->home_ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    c->stop = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&c->lock, NULL);
    *why = "no network namespace of our own";
    if (c->stop >= 0 && leave_home()) {
        *why = "no TUN device";
        if (plug_in(&c->host[0], 0) && unshare(CLONE_NEWNET) == 0 && plug_in(&c->host[1], 1) &&
            pthread_create(&c->thread, NULL, run, c) == 0)
            return c;
    }
    let_go(c);
    return NULL;
}

void cable_close(struct cable *c)
{
    const uint64_t one = 1;

    if (write(c->stop, &one, sizeof(one)) != sizeof(one))
        abort();
    pthread_join(c->thread, NULL);
    pthread_mutex_destroy(&c->lock);
    let_go(c);
}
