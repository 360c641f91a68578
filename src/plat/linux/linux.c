/* SPDX-License-Identifier: MIT */
/* The platform object: clock, randomness, local addresses, waiting, counters; and the table of all.
 */
#include "plat/linux/linux.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "plat/linux/linux_impl.h"

static uint64_t lin_now_ns(struct plat *p)
{
    struct timespec ts;

    (void)p;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void lin_random(struct plat *p, void *out, size_t n)
{
    uint8_t *to = out;

    (void)p;
    while (n > 0) {
        ssize_t got = getrandom(to, n, 0);

        if (got < 0) {
            SN_ASSERT(errno == EINTR);
            continue;
        }
        to += got;
        n -= (size_t)got;
    }
}

/* Does the interface's address `ifa` make `a` local? On loopback all of the prefix is. */
static bool is_address_of(const struct ifaddrs *ifa, const struct plat_addr *a)
{
    struct sockaddr_storage ss;
    struct plat_addr own;

    if (ifa->ifa_addr == NULL)
        return false;
    memset(&ss, 0, sizeof(ss));
    if (ifa->ifa_addr->sa_family == AF_INET && a->family == 4) {
        const struct sockaddr_in *mask;
        uint8_t bits[4] = {255, 255, 255, 255};

        memcpy(&ss, ifa->ifa_addr, sizeof(struct sockaddr_in));
        lin_addr_from_sys(&ss, &own);
        mask = (const struct sockaddr_in *)(const void *)ifa->ifa_netmask;
        if ((ifa->ifa_flags & IFF_LOOPBACK) != 0 && mask != NULL)
            memcpy(bits, &mask->sin_addr, sizeof(bits));
        for (int i = 0; i < 4; i++) {
            if ((own.ip[i] & bits[i]) != (a->ip[i] & bits[i]))
                return false;
        }
        return true;
    }
    if (ifa->ifa_addr->sa_family == AF_INET6 && a->family == 6) {
        memcpy(&ss, ifa->ifa_addr, sizeof(struct sockaddr_in6));
        lin_addr_from_sys(&ss, &own);
        own.port = a->port;
        return plat_addr_equal(&own, a);
    }
    return false;
}

static bool lin_addr_is_local(struct plat *p, uint32_t if_index, const struct plat_addr *a)
{
    struct ifaddrs *all;
    bool is_local = false;

    (void)p;
    if (plat_addr_is_wildcard(a))
        return false;
    /* Without memory or descriptors nobody can tell: the caller's bind will, or its socket fails
     * and says why. */
    if (getifaddrs(&all) != 0)
        return true;
    for (const struct ifaddrs *ifa = all; ifa != NULL && !is_local; ifa = ifa->ifa_next) {
        if (if_index == 0 || if_nametoindex(ifa->ifa_name) == if_index)
            is_local = is_address_of(ifa, a);
    }
    freeifaddrs(all);
    return is_local;
}

static void lin_yield(struct plat *p)
{
    (void)p;
    sched_yield();
}

static void lin_wait(struct plat *p, bool (*is_done)(void *ctx), void *ctx)
{
    struct lin_plat *lp = lin_plat_of(p);

    SN_ASSERT(!lin_is_on_home_thread());
    for (;;) {
        uint64_t seen;

        pthread_mutex_lock(&lp->lock);
        seen = lp->notify_count;
        pthread_mutex_unlock(&lp->lock);
        /* Outside the lock: it may take locks of its own. A notify from now on changes the count.
         */
        if (is_done(ctx))
            return;
        pthread_mutex_lock(&lp->lock);
        while (lp->notify_count == seen)
            pthread_cond_wait(&lp->notified, &lp->lock);
        pthread_mutex_unlock(&lp->lock);
    }
}

static void lin_notify(struct plat *p)
{
    struct lin_plat *lp = lin_plat_of(p);

    pthread_mutex_lock(&lp->lock);
    lp->notify_count++;
    pthread_cond_broadcast(&lp->notified);
    pthread_mutex_unlock(&lp->lock);
}

static const struct plat_ops lin_ops = {
    .now_ns = lin_now_ns,
    .random = lin_random,
    .addr_is_local = lin_addr_is_local,
    .lane_create = lin_lane_create,
    .lane_destroy = lin_lane_destroy,
    .lane_wake = lin_lane_wake,
    .lane_is_home = lin_lane_is_home,
    .lane_poll = lin_lane_poll,
    .yield = lin_yield,
    .wait = lin_wait,
    .notify = lin_notify,
    .connect = lin_connect,
    .listen = lin_listen,
    .listener_local = lin_listener_local,
    .listener_close = lin_listener_close,
    .reserve = lin_reserve,
    .unreserve = lin_unreserve,
    .readv = lin_pipe_readv,
    .writev = lin_pipe_writev,
    .watch = lin_pipe_watch,
    .shutdown = lin_pipe_shutdown,
    .close = lin_pipe_close,
    .move = lin_pipe_move,
    .emss = lin_pipe_emss,
    .unacked = lin_pipe_unacked,
};

/* The last number in a file of /proc/sys, as far as it fits a socket option (which the kernel
 * doubles); 0 when it cannot be read. */
static uint32_t read_setting(const char *path)
{
    FILE *f = fopen(path, "re");
    unsigned long value = 0;

    if (f == NULL)
        return 0;
    while (fscanf(f, "%lu", &value) == 1)
        ;
    fclose(f);
    return value < INT32_MAX / 2 ? (uint32_t)value : INT32_MAX / 2;
}

static void learn_buffer_limits(struct lin_plat *lp)
{
    static const char *const limit[2] = {
        "/proc/sys/net/core/wmem_max", "/proc/sys/net/core/rmem_max"};
    static const char *const tuned[2] = {
        "/proc/sys/net/ipv4/tcp_wmem", "/proc/sys/net/ipv4/tcp_rmem"};

    for (int i = 0; i < 2; i++) {
        lp->socket_buffer_max[i] = read_setting(limit[i]);
        lp->has_better_tuning[i] = read_setting(tuned[i]) > lp->socket_buffer_max[i];
    }
}

struct plat *plat_linux_create(const struct plat_linux_options *options)
{
    struct lin_plat *lp = sn_zalloc(sizeof(*lp));

    if (lp == NULL)
        return NULL;
    lp->base.ops = &lin_ops;
    lp->spin_us = options != NULL ? options->spin_us : 0;
    pthread_mutex_init(&lp->lock, NULL);
    pthread_cond_init(&lp->notified, NULL);
    sn_list_init(&lp->lanes);
    learn_buffer_limits(lp);
    return &lp->base;
}

void plat_linux_destroy(struct plat *p)
{
    struct lin_plat *lp = lin_plat_of(p);

    SN_ASSERT(sn_list_is_empty(&lp->lanes));
    pthread_cond_destroy(&lp->notified);
    pthread_mutex_destroy(&lp->lock);
    sn_free(lp);
}

void plat_linux_counters(const struct plat *p, struct plat_linux_counters *out)
{
    struct lin_plat *lp = SN_CONTAINER_OF((uintptr_t)p, struct lin_plat, base);

    pthread_mutex_lock(&lp->lock);
    *out = lp->retired;
    for (struct sn_list *link = lp->lanes.next; link != &lp->lanes; link = link->next)
        lin_lane_add_counters(SN_CONTAINER_OF(link, struct lin_lane, link), out);
    pthread_mutex_unlock(&lp->lock);
}
