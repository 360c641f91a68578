/* SPDX-License-Identifier: MIT */
/* Pipes, listeners, reservations and waiting: checks of ours, then the platform does it. */
#include "base/assert.h"
#include "plat/plat.h"

/* Read and written inside the lane only: SN_DASSERT finds the caller who is not. */
static void check_inside(const struct plat_lane *lane)
{
    SN_DASSERT(plat_lane_current() == lane);
    (void)lane;
}

static bool is_ip(const struct plat_addr *a)
{
    return a->family == 4 || a->family == 6;
}

enum sn_status plat_connect(struct plat_lane *lane, const struct plat_addr *src,
    const struct plat_addr *dst, const struct plat_pipe_options *options,
    const struct plat_pipe_ops *ops, void *ctx, struct plat_pipe **out)
{
    check_inside(lane);
    if (!is_ip(src) || src->family != dst->family || dst->port == 0)
        return SN_INVALID;
    return lane->plat->ops->connect(lane, src, dst, options, ops, ctx, out);
}

enum sn_status plat_listen(struct plat_lane *lane, const struct plat_addr *addr,
    const struct plat_pipe_options *options, const struct plat_listener_ops *ops, void *ctx,
    struct plat_listener **out)
{
    check_inside(lane);
    if (!is_ip(addr))
        return SN_INVALID;
    return lane->plat->ops->listen(lane, addr, options, ops, ctx, out);
}

void plat_listener_local(const struct plat_listener *l, struct plat_addr *out)
{
    l->plat->ops->listener_local(l, out);
}

void plat_listener_close(struct plat_listener *l)
{
    check_inside(l->lane);
    l->plat->ops->listener_close(l);
}

enum sn_status plat_reserve(struct plat *plat, const struct plat_addr *addr, struct plat_addr *out,
    struct plat_reservation **reservation)
{
    if (!is_ip(addr))
        return SN_INVALID;
    return plat->ops->reserve(plat, addr, out, reservation);
}

void plat_unreserve(struct plat_reservation *r)
{
    r->plat->ops->unreserve(r);
}

enum plat_io plat_pipe_readv(struct plat_pipe *p, const struct sn_span *v, size_t n, size_t *got)
{
    check_inside(p->lane);
    return p->plat->ops->readv(p, v, n, got);
}

enum plat_io plat_pipe_writev(struct plat_pipe *p, const struct sn_cspan *v, size_t n, size_t *sent)
{
    check_inside(p->lane);
    return p->plat->ops->writev(p, v, n, sent);
}

void plat_pipe_watch(struct plat_pipe *p, bool reading, bool writing)
{
    check_inside(p->lane);
    p->plat->ops->watch(p, reading, writing);
}

void plat_pipe_shutdown(struct plat_pipe *p)
{
    check_inside(p->lane);
    p->plat->ops->shutdown(p);
}

void plat_pipe_close(struct plat_pipe *p, bool is_abort)
{
    check_inside(p->lane);
    p->plat->ops->close(p, is_abort);
}

void plat_pipe_set_ops(struct plat_pipe *p, const struct plat_pipe_ops *ops, void *ctx)
{
    check_inside(p->lane);
    p->ops = ops;
    p->ctx = ctx;
}

void plat_pipe_move(struct plat_pipe *p, struct plat_lane *to)
{
    check_inside(p->lane);
    SN_ASSERT(p->plat == to->plat);
    if (p->lane != to)
        p->plat->ops->move(p, to);
}

enum sn_status plat_pipe_error(const struct plat_pipe *p)
{
    return p->error;
}

uint32_t plat_pipe_emss(struct plat_pipe *p)
{
    return p->plat->ops->emss(p);
}

uint32_t plat_pipe_unacked(struct plat_pipe *p)
{
    return p->plat->ops->unacked(p);
}

void plat_pipe_local(const struct plat_pipe *p, struct plat_addr *out)
{
    *out = p->local;
}

void plat_pipe_peer(const struct plat_pipe *p, struct plat_addr *out)
{
    *out = p->peer;
}

void plat_wait(struct plat *p, bool (*is_done)(void *ctx), void *ctx)
{
    SN_ASSERT(plat_lane_current() == NULL);
    p->ops->wait(p, is_done, ctx);
}

void plat_notify(struct plat *p)
{
    p->ops->notify(p);
}
