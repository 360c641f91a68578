/* SPDX-License-Identifier: MIT */
/*
 * Listeners. A listener that cannot take a connection for want of descriptors or memory looks away
 * for a while: the epoll set would report the waiting connection for ever.
 */
#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "plat/linux/linux_impl.h"

struct lin_listener {
    struct plat_listener base;
    struct lin_source source;
    const struct plat_listener_ops *ops;
    void *ctx;
    struct plat_addr addr;
    struct plat_timer pause;
};

static struct lin_lane *lane_of(struct lin_listener *l)
{
    return lin_lane_of(l->base.lane);
}

static void pause_accepting(struct lin_listener *l)
{
    lin_lane_watch(lane_of(l), &l->source, 0);
    plat_timer_set(l->base.lane, &l->pause, LIN_ACCEPT_PAUSE_NS);
}

static void pause_is_over(struct plat_timer *timer)
{
    struct lin_listener *l = SN_CONTAINER_OF(timer, struct lin_listener, pause);

    if (!lin_lane_watch(lane_of(l), &l->source, EPOLLIN))
        plat_timer_set(l->base.lane, &l->pause, LIN_ACCEPT_PAUSE_NS);
}

/* What befell one connection only: the next may be fine. */
static bool is_about_one(int err)
{
    switch (err) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EPERM:
        return true;
    default:
        return false;
    }
}

/* The next connection as a pipe; NULL: none, `is_more` says whether to ask again. */
static struct lin_pipe *take_one(struct lin_listener *l, bool *is_more)
{
    struct sockaddr_storage peer, local;
    socklen_t peer_len = sizeof(peer), local_len = sizeof(local);
    struct lin_pipe *p;
    int fd =
        accept4(l->source.fd, (struct sockaddr *)&peer, &peer_len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    *is_more = fd >= 0 || is_about_one(errno);
    if (fd < 0) {
        if (!*is_more && errno != EAGAIN && errno != EWOULDBLOCK)
            pause_accepting(l);
        return NULL;
    }
    p = lin_pipe_create(l->base.lane, fd);
    if (p == NULL || getsockname(fd, (struct sockaddr *)&local, &local_len) != 0) {
        sn_free(p);
        close(fd);
        return NULL;
    }
    lin_addr_from_sys(&local, &p->base.local);
    lin_addr_from_sys(&peer, &p->base.peer);
    return p;
}

static void listener_ready(struct lin_source *source, uint32_t events)
{
    struct lin_listener *l = SN_CONTAINER_OF(source, struct lin_listener, source);
    struct lin_lane *lane = lane_of(l);
    uint64_t token = lin_slots_token(&lane->slots, source);
    bool is_more = true;

    (void)events;
    for (int i = 0; i < LIN_ACCEPT_MAX && is_more; i++) {
        struct lin_pipe *p = take_one(l, &is_more);

        if (p == NULL)
            continue;
        lane->moved++;
        l->ops->accepted(l->ctx, &p->base);
        if (lin_slots_find(&lane->slots, token) != source)
            return; /* the callee closed the listener */
    }
}

static enum sn_status open_socket(
    struct lin_listener *l, const struct plat_addr *addr, const struct plat_pipe_options *options)
{
    struct lin_plat *lp = lin_plat_of(l->base.plat);
    enum sn_status status;

    l->source.fd = lin_sock_create(addr->family);
    if (l->source.fd < 0)
        return lin_status_from_errno(errno);
    /* Before listening: accepted sockets inherit these. */
    lin_sock_set_buffers(lp, l->source.fd, options);
    status = lin_sock_bind(lp, l->source.fd, addr, LIN_BIND_SHARED, 0, &l->addr);
    if (status == SN_OK && listen(l->source.fd, SOMAXCONN) != 0)
        status = lin_status_from_errno(errno);
    if (status == SN_OK && !lin_lane_watch(lane_of(l), &l->source, EPOLLIN))
        status = SN_NO_MEMORY;
    if (status != SN_OK) {
        lin_slots_remove(&lane_of(l)->slots, &l->source);
        close(l->source.fd);
    }
    return status;
}

enum sn_status lin_listen(struct plat_lane *lane, const struct plat_addr *addr,
    const struct plat_pipe_options *options, const struct plat_listener_ops *ops, void *ctx,
    struct plat_listener **out)
{
    struct lin_listener *l = sn_zalloc(sizeof(*l));
    enum sn_status status;

    if (l == NULL)
        return SN_NO_MEMORY;
    l->base.plat = lane->plat;
    l->base.lane = lane;
    l->source.slot = LIN_SLOT_NONE;
    l->source.ready = listener_ready;
    l->ops = ops;
    l->ctx = ctx;
    plat_timer_init(&l->pause, pause_is_over);
    status = open_socket(l, addr, options);
    if (status != SN_OK) {
        sn_free(l);
        return status;
    }
    *out = &l->base;
    return SN_OK;
}

void lin_listener_local(const struct plat_listener *base, struct plat_addr *out)
{
    const struct lin_listener *l = SN_CONTAINER_OF((uintptr_t)base, struct lin_listener, base);

    *out = l->addr;
}

void lin_listener_close(struct plat_listener *base)
{
    struct lin_listener *l = SN_CONTAINER_OF(base, struct lin_listener, base);

    plat_timer_cancel(base->lane, &l->pause);
    lin_lane_watch(lane_of(l), &l->source, 0);
    lin_slots_remove(&lane_of(l)->slots, &l->source);
    close(l->source.fd);
    sn_free(l);
}
