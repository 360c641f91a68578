/* SPDX-License-Identifier: MIT */
/* Sockets before anybody reads from them: addresses, errno, options, choice of a port. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/assert.h"
#include "plat/linux/linux_impl.h"

socklen_t lin_addr_to_sys(const struct plat_addr *a, struct sockaddr_storage *out)
{
    struct sockaddr_in *in4 = (struct sockaddr_in *)(void *)out;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)out;

    memset(out, 0, sizeof(*out));
    switch (a->family) {
    case 4:
        in4->sin_family = AF_INET;
        in4->sin_port = htons(a->port);
        memcpy(&in4->sin_addr, a->ip, 4);
        return sizeof(*in4);
    case 6:
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(a->port);
        memcpy(&in6->sin6_addr, a->ip, 16);
        in6->sin6_scope_id = a->scope;
        return sizeof(*in6);
    default:
        return 0;
    }
}

void lin_addr_from_sys(const struct sockaddr_storage *ss, struct plat_addr *out)
{
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)(const void *)ss;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)ss;

    memset(out, 0, sizeof(*out));
    if (ss->ss_family == AF_INET) {
        out->family = 4;
        out->port = ntohs(in4->sin_port);
        memcpy(out->ip, &in4->sin_addr, 4);
    } else if (ss->ss_family == AF_INET6) {
        out->family = 6;
        out->port = ntohs(in6->sin6_port);
        memcpy(out->ip, &in6->sin6_addr, 16);
        out->scope = in6->sin6_scope_id;
    }
}

enum sn_status lin_status_from_errno(int err)
{
    static const struct {
        int err;
        enum sn_status status;
    } table[] = {
        {0, SN_OK},
        {EPIPE, SN_RESET},
        {ECONNRESET, SN_RESET},
        {ECONNABORTED, SN_RESET},
        {ENOTCONN, SN_RESET},
        {ECONNREFUSED, SN_REFUSED},
        {ETIMEDOUT, SN_TIMED_OUT},
        {ENETDOWN, SN_NET_UNREACHABLE},
        {ENETUNREACH, SN_NET_UNREACHABLE},
        {EHOSTDOWN, SN_HOST_UNREACHABLE},
        {EHOSTUNREACH, SN_HOST_UNREACHABLE},
        {EACCES, SN_HOST_UNREACHABLE}, /* a firewall said so */
        {EPERM, SN_HOST_UNREACHABLE},
        {ENONET, SN_HOST_UNREACHABLE},
        {EADDRINUSE, SN_ADDRESS_IN_USE},
        {EADDRNOTAVAIL, SN_ADDRESS_INVALID},
        {EAFNOSUPPORT, SN_ADDRESS_INVALID}, /* no IPv6 here */
        {EPROTONOSUPPORT, SN_ADDRESS_INVALID},
        {ENODEV, SN_ADDRESS_INVALID},
        {ENOMEM, SN_NO_MEMORY},
        {ENOBUFS, SN_NO_MEMORY},
        {EMFILE, SN_NO_MEMORY},
        {ENFILE, SN_NO_MEMORY},
        {ENOSPC, SN_NO_MEMORY},
        {EFAULT, SN_NO_ACCESS}, /* memory of the consumer that is not mapped */
        {EINVAL, SN_INVALID},
    };

    for (size_t i = 0; i < SN_ARRAY_COUNT(table); i++) {
        if (table[i].err == err)
            return table[i].status;
    }
    return SN_INTERNAL;
}

/* A peer that is silent for a minute is asked; without an answer for another it is lost. */
enum { KEEPALIVE_IDLE_S = 60, KEEPALIVE_INTERVAL_S = 10, KEEPALIVE_PROBES = 6 };

static void set_option(int fd, int level, int name, int value)
{
    /* Options only make things better: a kernel that lacks one works without it. */
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

int lin_sock_create(uint8_t family)
{
    int fd = socket(
        family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

    if (fd < 0)
        return -1;
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* [MPA-061] */
    /* Who only waits would not notice that the peer's host is gone. What a listener accepts
     * inherits all of it. [NET-008] */
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
    if (family == 6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    return fd;
}

void lin_sock_set_buffers(const struct lin_plat *p, int fd, const struct plat_pipe_options *options)
{
    static const int names[2] = {SO_SNDBUF, SO_RCVBUF};

    if (options == NULL || options->socket_buffer == 0)
        return;
    for (int i = 0; i < 2; i++) {
        uint32_t max = p->socket_buffer_max[i], want = options->socket_buffer;

        /* A fixed size ends the kernel's own tuning. Where that grows further than what we are
         * allowed to fix, it is the better choice. */
        if (want > max && p->has_better_tuning[i])
            continue;
        set_option(fd, SOL_SOCKET, names[i], (int)(want < max ? want : max));
    }
}

static enum sn_status try_bind(int fd, const struct plat_addr *addr)
{
    struct sockaddr_storage ss;
    socklen_t len = lin_addr_to_sys(addr, &ss);

    if (bind(fd, (const struct sockaddr *)&ss, len) == 0)
        return SN_OK;
    if (errno == EACCES || errno == EPERM || errno == EINVAL)
        return SN_ADDRESS_INVALID; /* a port, or a scope, that is not ours to use */
    return lin_status_from_errno(errno);
}

/* A free port of PLAT_PORT_*: random ones first, then all from a random one on. */
static enum sn_status bind_any_port(
    struct lin_plat *p, int fd, struct plat_addr *addr, uint16_t avoid)
{
    enum { COUNT = PLAT_PORT_LAST - PLAT_PORT_FIRST + 1 };
    uint16_t r[LIN_PORT_TRIES];

    plat_random(&p->base, r, sizeof(r));
    for (uint32_t i = 0; i < LIN_PORT_TRIES + COUNT; i++) {
        uint32_t offset = i < LIN_PORT_TRIES ? r[i] : r[0] + (i - LIN_PORT_TRIES);
        enum sn_status status;

        addr->port = (uint16_t)(PLAT_PORT_FIRST + offset % COUNT);
        if (addr->port == avoid)
            continue;
        status = try_bind(fd, addr);
        if (status != SN_ADDRESS_IN_USE)
            return status;
    }
    return SN_NO_PORTS;
}

enum sn_status lin_sock_bind(struct lin_plat *p, int fd, const struct plat_addr *addr,
    enum lin_bind how, uint16_t avoid, struct plat_addr *bound)
{
    struct plat_addr to = *addr;
    enum sn_status status;

    if (addr->port != 0 && how == LIN_BIND_SHARED)
        set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    status = addr->port != 0 ? try_bind(fd, &to) : bind_any_port(p, fd, &to, avoid);
    if (status == SN_NO_PORTS && how == LIN_BIND_SHARED) {
        /* Each is taken, if only by connections that linger after their end, to whomever. What has
         * to be new is the pair of addresses: the connect tells whether it is. */
        set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        status = bind_any_port(p, fd, &to, avoid);
    }
    if (status != SN_OK)
        return status;
    /* Asked for after the bind it takes nothing from others, but lets them share with us. */
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    *bound = to;
    return SN_OK;
}
