/* SPDX-License-Identifier: MIT */
/* Connecting, and binding without listening. */
#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "plat/linux/linux_impl.h"

static enum sn_status connect_failed(int err)
{
    /* The local address passed the bind: what is not available is the pair. */
    return err == EADDRNOTAVAIL ? SN_ADDRESS_PAIR_EXISTS : lin_status_from_errno(err);
}

static enum sn_status socket_error(int fd)
{
    int err = 0;
    socklen_t len = sizeof(err);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
        err = errno;
    return connect_failed(err);
}

void lin_pipe_finish_connect(struct lin_pipe *p)
{
    struct lin_lane *l = lin_lane_of(p->base.lane);
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    enum sn_status status = p->connect_status;

    if (status == SN_OK)
        status = socket_error(p->source.fd);
    p->is_connecting = false;
    if (status == SN_OK) {
        /* A wildcard became an address. */
        if (getsockname(p->source.fd, (struct sockaddr *)&ss, &len) == 0)
            lin_addr_from_sys(&ss, &p->base.local);
        lin_pipe_watch(&p->base, true, false);
    } else {
        p->base.error = status;
        lin_lane_watch(l, &p->source, 0);
    }
    p->base.ops->connected(p->base.ctx, status);
}

/* The kernel may know the result at once, as over loopback. It is told from the lane, not here: the
 * epoll set reports such a socket as ready. */
static enum sn_status start(struct lin_pipe *p, const struct plat_addr *dst)
{
    struct sockaddr_storage ss;
    socklen_t len = lin_addr_to_sys(dst, &ss);

    p->is_connecting = true;
    if (connect(p->source.fd, (const struct sockaddr *)&ss, len) != 0 && errno != EINPROGRESS &&
        errno != EINTR)
        p->connect_status = connect_failed(errno);
    return lin_lane_watch(lin_lane_of(p->base.lane), &p->source, EPOLLOUT) ? SN_OK : SN_NO_MEMORY;
}

enum sn_status lin_connect(struct plat_lane *lane, const struct plat_addr *src,
    const struct plat_addr *dst, const struct plat_pipe_options *options,
    const struct plat_pipe_ops *ops, void *ctx, struct plat_pipe **out)
{
    struct lin_plat *lp = lin_plat_of(lane->plat);
    struct plat_addr local;
    struct lin_pipe *p;
    enum sn_status status;
    int fd = lin_sock_create(src->family);

    if (fd < 0)
        return lin_status_from_errno(errno);
    lin_sock_set_buffers(lp, fd, options);
    /* Never from the port that we connect to: on one address that would connect us to ourselves. */
    status = lin_sock_bind(lp, fd, src, LIN_BIND_SHARED, dst->port, &local);
    if (status != SN_OK)
        goto close_fd;
    status = SN_NO_MEMORY;
    p = lin_pipe_create(lane, fd);
    if (p == NULL)
        goto close_fd;
    p->base.ops = ops;
    p->base.ctx = ctx;
    p->base.local = local;
    p->base.peer = *dst;
    status = start(p, dst);
    if (status != SN_OK) {
        lin_pipe_close(&p->base, true);
        return status;
    }
    *out = &p->base;
    return SN_OK;

close_fd:
    close(fd);
    return status;
}

/* ---- reservations ---- */

struct lin_reservation {
    struct plat_reservation base;
    int fd;
};

enum sn_status lin_reserve(struct plat *p, const struct plat_addr *addr, struct plat_addr *out,
    struct plat_reservation **reservation)
{
    struct lin_reservation *r = sn_zalloc(sizeof(*r));
    enum sn_status status;

    if (r == NULL)
        return SN_NO_MEMORY;
    r->base.plat = p;
    r->fd = lin_sock_create(addr->family);
    if (r->fd < 0) {
        status = lin_status_from_errno(errno);
        goto free_it;
    }
    status = lin_sock_bind(lin_plat_of(p), r->fd, addr, LIN_BIND_EXCLUSIVE, 0, out);
    if (status != SN_OK)
        goto close_fd;
    *reservation = &r->base;
    return SN_OK;

close_fd:
    close(r->fd);
free_it:
    sn_free(r);
    return status;
}

void lin_unreserve(struct plat_reservation *base)
{
    struct lin_reservation *r = SN_CONTAINER_OF(base, struct lin_reservation, base);

    close(r->fd);
    sn_free(r);
}
