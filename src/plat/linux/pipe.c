/* SPDX-License-Identifier: MIT */
/*
 * Pipes: one TCP socket each. A pipe is in the epoll set only while something is watched, because
 * the set reports errors even of sockets that nobody asked about.
 */
#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "plat/linux/linux_impl.h"
#include "plat/linux/sys.h"

/* Spans go to the kernel as they are. */
_Static_assert(sizeof(struct sn_span) == sizeof(struct iovec), "a span is an iovec");
_Static_assert(offsetof(struct sn_span, p) == offsetof(struct iovec, iov_base), "same order");
_Static_assert(offsetof(struct sn_span, n) == offsetof(struct iovec, iov_len), "same order");
_Static_assert(sizeof(struct sn_cspan) == sizeof(struct iovec), "a span is an iovec");
_Static_assert(offsetof(struct sn_cspan, p) == offsetof(struct iovec, iov_base), "same order");
_Static_assert(offsetof(struct sn_cspan, n) == offsetof(struct iovec, iov_len), "same order");

static void pipe_ready(struct lin_source *source, uint32_t events)
{
    struct lin_pipe *p = SN_CONTAINER_OF(source, struct lin_pipe, source);
    struct lin_lane *l = lin_lane_of(p->base.lane);
    uint64_t token = lin_slots_token(&l->slots, source);

    if (p->is_connecting) {
        lin_pipe_finish_connect(p);
        return;
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && p->is_reading)
        p->base.ops->readable(p->base.ctx);
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) == 0)
        return;
    if (lin_slots_find(&l->slots, token) == source && p->is_writing)
        p->base.ops->writable(p->base.ctx);
}

struct lin_pipe *lin_pipe_create(struct plat_lane *lane, int fd)
{
    struct lin_pipe *p = sn_zalloc(sizeof(*p));

    if (p == NULL)
        return NULL;
    p->base.plat = lane->plat;
    p->base.lane = lane;
    p->source.fd = fd;
    p->source.slot = LIN_SLOT_NONE;
    p->source.ready = pipe_ready;
    p->source.may_park = true;
    sn_list_init(&p->broken_link);
    return p;
}

static enum plat_io io_failed(struct lin_pipe *p)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return PLAT_IO_AGAIN;
    p->base.error = lin_status_from_errno(errno);
    return PLAT_IO_ERROR;
}

static size_t total(const struct sn_cspan *v, size_t n)
{
    size_t sum = 0;

    for (size_t i = 0; i < n && sum == 0; i++)
        sum += v[i].n;
    return sum;
}

enum plat_io lin_pipe_readv(struct plat_pipe *base, const struct sn_span *v, size_t n, size_t *got)
{
    struct lin_pipe *p = lin_pipe_of(base);
    struct lin_lane *l = lin_lane_of(base->lane);
    struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)v};
    ssize_t r;

    *got = 0;
    if (p->is_broken)
        return PLAT_IO_ERROR;
    /* Nothing asked for: the kernel's 0 would look like the end. */
    if (total((const struct sn_cspan *)(const void *)v, n) == 0)
        return PLAT_IO_AGAIN;
    msg.msg_iovlen = n < IOV_MAX ? n : IOV_MAX;
    lin_count(&l->read_count);
    do {
        r = n == 1 ? lin_sys_recv(p->source.fd, v->p, v->n) : lin_sys_recvmsg(p->source.fd, &msg);
    } while (r < 0 && errno == EINTR);
    if (r < 0) {
        enum plat_io io = io_failed(p);

        l->moved += io == PLAT_IO_ERROR;
        return io;
    }
    l->moved++;
    *got = (size_t)r;
    return r == 0 ? PLAT_IO_END : PLAT_IO_OK;
}

enum plat_io lin_pipe_writev(
    struct plat_pipe *base, const struct sn_cspan *v, size_t n, size_t *sent)
{
    struct lin_pipe *p = lin_pipe_of(base);
    struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)v};
    ssize_t r;

    *sent = 0;
    if (p->is_broken)
        return PLAT_IO_ERROR;
    if (total(v, n) == 0)
        return PLAT_IO_OK;
    msg.msg_iovlen = n < IOV_MAX ? n : IOV_MAX;
    lin_count(&lin_lane_of(base->lane)->write_count);
    do {
        r = n == 1 ? lin_sys_send(p->source.fd, v->p, v->n) : lin_sys_sendmsg(p->source.fd, &msg);
    } while (r < 0 && errno == EINTR);
    if (r < 0)
        return io_failed(p);
    *sent = (size_t)r;
    return PLAT_IO_OK;
}

void lin_pipe_break(struct lin_pipe *p)
{
    struct lin_lane *l = lin_lane_of(p->base.lane);

    p->is_broken = true;
    p->base.error = SN_NO_MEMORY;
    sn_list_remove(&p->broken_link);
    sn_list_push_back(&l->broken, &p->broken_link);
    sn_a32_fetch_or(&l->base.state, PLAT_LANE_SOCKETS);
}

void lin_pipe_report_broken(struct lin_pipe *p)
{
    if (p->is_reading)
        p->base.ops->readable(p->base.ctx);
    else if (p->is_writing)
        p->base.ops->writable(p->base.ctx);
}

void lin_pipe_watch(struct plat_pipe *base, bool reading, bool writing)
{
    struct lin_pipe *p = lin_pipe_of(base);
    uint32_t events = (reading ? (uint32_t)EPOLLIN : 0) | (writing ? (uint32_t)EPOLLOUT : 0);

    SN_ASSERT(!p->is_connecting);
    p->is_reading = reading;
    p->is_writing = writing;
    if (p->is_broken ? events != 0 : !lin_lane_watch(lin_lane_of(base->lane), &p->source, events))
        lin_pipe_break(p);
}

void lin_pipe_shutdown(struct plat_pipe *base)
{
    shutdown(lin_pipe_of(base)->source.fd, SHUT_WR);
}

/* The source leaves the lane: events that were fetched already do not find it any more. */
static void detach(struct lin_pipe *p)
{
    struct lin_lane *l = lin_lane_of(p->base.lane);

    lin_lane_watch(l, &p->source, 0);
    lin_slots_remove(&l->slots, &p->source);
    sn_list_remove(&p->broken_link);
    p->is_reading = p->is_writing = false;
}

void lin_pipe_close(struct plat_pipe *base, bool is_abort)
{
    struct lin_pipe *p = lin_pipe_of(base);
    const struct linger now = {.l_onoff = 1, .l_linger = 0};

    detach(p);
    if (is_abort)
        (void)setsockopt(p->source.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(p->source.fd);
    sn_free(p);
}

void lin_pipe_move(struct plat_pipe *base, struct plat_lane *to)
{
    detach(lin_pipe_of(base));
    base->lane = to;
}

uint32_t lin_pipe_emss(struct plat_pipe *base)
{
    int mss = 0;
    socklen_t len = sizeof(mss);

    if (getsockopt(lin_pipe_of(base)->source.fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len) != 0)
        return 0;
    return mss > 0 ? (uint32_t)mss : 0;
}

uint32_t lin_pipe_unacked(struct plat_pipe *base)
{
    int octets = 0;

    if (ioctl(lin_pipe_of(base)->source.fd, SIOCOUTQ, &octets) != 0)
        return 0;
    return octets > 0 ? (uint32_t)octets : 0;
}
