/* SPDX-License-Identifier: MIT */
/* The calls of WSK sockets: each makes a request for wsk_request.c, or is done at once. */
#include "kenv/wsk_socket.h"

#include "base/alloc.h"
#include "kenv/irql.h"
#include "kenv/track.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG     128
#define BUFFERS_MAX 1024
/* Socket types and protocols have the same numbers on both sides. */
#define TYPE_STREAM   1
#define TYPE_DATAGRAM 2
#define WINDOWS_TCP   6
#define WINDOWS_UDP   17
/* Levels and options by their Windows numbers. */
#define WSK_SOL_SOCKET   0xffff
#define WSK_SO_REUSEADDR 0x0004
#define WSK_SO_KEEPALIVE 0x0008
#define WSK_SO_SNDBUF    0x1001
#define WSK_SO_RCVBUF    0x1002
#define WSK_TCP_NODELAY  0x0001

static const WSK_PROVIDER_BASIC_DISPATCH basic_dispatch;
static const WSK_PROVIDER_LISTEN_DISPATCH listen_dispatch;
static const WSK_PROVIDER_CONNECTION_DISPATCH connection_dispatch;
static const WSK_PROVIDER_DATAGRAM_DISPATCH datagram_dispatch;

/* ---- Sockets and addresses ----------------------------------------------------------------- */

struct kenv_wsk_socket *kenv_wsk_socket_create(int fd, ULONG category)
{
    struct kenv_wsk_socket *s = sn_zalloc(sizeof(*s));

    if (s == NULL) {
        (void)close(fd);
        return NULL;
    }
    s->fd = fd;
    s->category = category;
    switch (category) {
    case WSK_FLAG_LISTEN_SOCKET:
        s->base.Dispatch = &listen_dispatch;
        break;
    case WSK_FLAG_CONNECTION_SOCKET:
        s->base.Dispatch = &connection_dispatch;
        break;
    case WSK_FLAG_DATAGRAM_SOCKET:
        s->base.Dispatch = &datagram_dispatch;
        break;
    default:
        s->base.Dispatch = &basic_dispatch;
        break;
    }
    s->tracked = kenv_track(SoftNdkDrvSocket, s, 0, 0, "WSK socket");
    return s;
}

void kenv_wsk_socket_free(struct kenv_wsk_socket *s)
{
    kenv_untrack(s->tracked);
    (void)close(s->fd);
    sn_free(s);
}

socklen_t kenv_wsk_to_host(const SOCKADDR *from, struct sockaddr_in6 *to)
{
    memset(to, 0, sizeof(*to));
    if (from == NULL)
        return 0;
    if (from->sa_family == AF_INET) {
        memcpy(to, from, sizeof(struct sockaddr_in));
        return sizeof(struct sockaddr_in);
    }
    if (from->sa_family != SOFTNDK_AF_INET6 && from->sa_family != AF_INET6)
        return 0;
    memcpy(to, from, sizeof(*to));
    to->sin6_family = AF_INET6;
    return sizeof(*to);
}

void kenv_wsk_from_host(const struct sockaddr_in6 *from, PSOCKADDR to)
{
    if (from->sin6_family == AF_INET) {
        memcpy(to, from, sizeof(SOCKADDR_IN));
        return;
    }
    memcpy(to, from, sizeof(SOCKADDR_IN6));
    to->sa_family = SOFTNDK_AF_INET6;
}

static struct kenv_wsk_socket *of(PWSK_SOCKET socket)
{
    return (struct kenv_wsk_socket *)(void *)socket;
}

/* Ends a call that is done at once: the status, after the IRP has it too. */
static NTSTATUS done(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    kenv_wsk_irp_begin(irp);
    kenv_wsk_irp_end(irp, status, information);
    return NT_SUCCESS(status) ? STATUS_PENDING : status;
}

static NTSTATUS queue(struct kenv_wsk_request *r)
{
    kenv_wsk_irp_begin(r->irp);
    return kenv_wsk_queue(r);
}

static struct kenv_wsk_request *request(
    PWSK_SOCKET socket, PIRP irp, enum kenv_wsk_kind kind, ULONG flags, size_t iov_count)
{
    struct kenv_wsk_request *r = sn_zalloc(sizeof(*r) + iov_count * sizeof(struct iovec));

    if (r == NULL)
        return NULL;
    r->socket = of(socket);
    r->irp = irp;
    r->kind = kind;
    r->flags = flags;
    return r;
}

/* ---- Opening ------------------------------------------------------------------------------- */

/* -1 with errno. */
static int open_host(ADDRESS_FAMILY family, USHORT type, ULONG protocol)
{
    int host = family == AF_INET ? AF_INET : AF_INET6;

    if (family != AF_INET && family != AF_INET6 && family != SOFTNDK_AF_INET6) {
        errno = EINVAL;
        return -1;
    }
    return socket(host, type | SOCK_NONBLOCK | SOCK_CLOEXEC, (int)protocol);
}

/* A basic socket has no data: it may be of either kind. */
static bool is_supported(ULONG category, USHORT type, ULONG protocol)
{
    bool is_tcp = type == TYPE_STREAM && protocol == WINDOWS_TCP;
    bool is_udp = type == TYPE_DATAGRAM && protocol == WINDOWS_UDP;

    switch (category) {
    case WSK_FLAG_BASIC_SOCKET:
        return is_tcp || is_udp;
    case WSK_FLAG_LISTEN_SOCKET:
    case WSK_FLAG_CONNECTION_SOCKET:
        return is_tcp;
    case WSK_FLAG_DATAGRAM_SOCKET:
        return is_udp;
    default:
        return false;
    }
}

NTSTATUS kenv_wsk_socket(PWSK_CLIENT Client, ADDRESS_FAMILY AddressFamily, USHORT SocketType,
    ULONG Protocol, ULONG Flags, PVOID SocketContext, const VOID *Dispatch,
    struct _EPROCESS *OwningProcess, struct _ETHREAD *OwningThread, PVOID SecurityDescriptor,
    PIRP Irp)
{
    struct kenv_wsk_socket *s;
    int fd;

    (void)SocketContext, (void)Dispatch, (void)OwningProcess, (void)OwningThread;
    (void)SecurityDescriptor;
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (Client == NULL || Irp == NULL)
        return STATUS_INVALID_PARAMETER;
    if (!is_supported(Flags, SocketType, Protocol))
        return done(Irp, STATUS_NOT_SUPPORTED, 0);
    fd = open_host(AddressFamily, SocketType, Protocol);
    if (fd < 0)
        return done(Irp, kenv_wsk_status(errno), 0);
    s = kenv_wsk_socket_create(fd, Flags);
    if (s == NULL)
        return done(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    return done(Irp, STATUS_SUCCESS, (ULONG_PTR)s);
}

NTSTATUS kenv_wsk_socket_connect(PWSK_CLIENT Client, USHORT SocketType, ULONG Protocol,
    PSOCKADDR LocalAddress, PSOCKADDR RemoteAddress, ULONG Flags, PVOID SocketContext,
    const VOID *Dispatch, struct _EPROCESS *OwningProcess, struct _ETHREAD *OwningThread,
    PVOID SecurityDescriptor, PIRP Irp)
{
    struct sockaddr_in6 local, remote;
    socklen_t local_length = kenv_wsk_to_host(LocalAddress, &local);
    socklen_t remote_length = kenv_wsk_to_host(RemoteAddress, &remote);
    struct kenv_wsk_request *r;
    struct kenv_wsk_socket *s;
    int fd;

    (void)Flags, (void)SocketContext, (void)Dispatch, (void)OwningProcess, (void)OwningThread;
    (void)SecurityDescriptor;
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (Client == NULL || Irp == NULL)
        return STATUS_INVALID_PARAMETER;
    if (!is_supported(WSK_FLAG_CONNECTION_SOCKET, SocketType, Protocol))
        return done(Irp, STATUS_NOT_SUPPORTED, 0);
    if (local_length == 0 || remote_length != local_length)
        return done(Irp, STATUS_INVALID_PARAMETER, 0);
    fd = open_host(RemoteAddress->sa_family, SocketType, Protocol);
    if (fd < 0 || bind(fd, (struct sockaddr *)&local, local_length) != 0) {
        NTSTATUS status = kenv_wsk_status(errno);

        if (fd >= 0)
            (void)close(fd);
        return done(Irp, status, 0);
    }
    s = kenv_wsk_socket_create(fd, WSK_FLAG_CONNECTION_SOCKET);
    r = s != NULL ? request(&s->base, Irp, KENV_WSK_CONNECT, 0, 0) : NULL;
    if (r == NULL) {
        if (s != NULL)
            kenv_wsk_socket_free(s);
        return done(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    r->is_created = true;
    r->address = remote;
    r->address_length = remote_length;
    return queue(r);
}

/* ---- Basic --------------------------------------------------------------------------------- */

static bool host_option(ULONG level, ULONG option, int *host_level, int *host_name)
{
    static const struct {
        ULONG level, option;
        int host_level, host_name;
    } table[] = {
        {WSK_SOL_SOCKET, WSK_SO_REUSEADDR, SOL_SOCKET, SO_REUSEADDR},
        {WSK_SOL_SOCKET, WSK_SO_KEEPALIVE, SOL_SOCKET, SO_KEEPALIVE},
        {WSK_SOL_SOCKET, WSK_SO_SNDBUF, SOL_SOCKET, SO_SNDBUF},
        {WSK_SOL_SOCKET, WSK_SO_RCVBUF, SOL_SOCKET, SO_RCVBUF},
        {WINDOWS_TCP, WSK_TCP_NODELAY, IPPROTO_TCP, TCP_NODELAY},
    };

    for (size_t i = 0; i < ARRAYSIZE(table); i++) {
        if (table[i].level == level && table[i].option == option) {
            *host_level = table[i].host_level;
            *host_name = table[i].host_name;
            return true;
        }
    }
    return false;
}

static NTSTATUS control(int fd, WSK_CONTROL_SOCKET_TYPE type, ULONG option, ULONG level,
    SIZE_T input_size, const void *input, SIZE_T output_size, void *output, SIZE_T *returned)
{
    int host_level, host_name, value = 0;
    socklen_t n = sizeof(value);

    if (type == WskIoctl || !host_option(level, option, &host_level, &host_name))
        return STATUS_NOT_SUPPORTED;
    if (type == WskSetOption) {
        if (input == NULL || input_size == 0 || input_size > sizeof(value))
            return STATUS_INVALID_PARAMETER;
        memcpy(&value, input, input_size);
        return setsockopt(fd, host_level, host_name, &value, n) == 0 ? STATUS_SUCCESS
                                                                     : kenv_wsk_status(errno);
    }
    if (output == NULL || output_size < sizeof(value))
        return STATUS_BUFFER_TOO_SMALL;
    if (getsockopt(fd, host_level, host_name, &value, &n) != 0)
        return kenv_wsk_status(errno);
    memcpy(output, &value, sizeof(value));
    if (returned != NULL)
        *returned = sizeof(value);
    return STATUS_SUCCESS;
}

static NTSTATUS wsk_control_socket(PWSK_SOCKET Socket, WSK_CONTROL_SOCKET_TYPE RequestType,
    ULONG ControlCode, ULONG Level, SIZE_T InputSize, PVOID InputBuffer, SIZE_T OutputSize,
    PVOID OutputBuffer, SIZE_T *OutputSizeReturned, PIRP Irp)
{
    SIZE_T returned = 0;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    status = control(of(Socket)->fd, RequestType, ControlCode, Level, InputSize, InputBuffer,
        OutputSize, OutputBuffer, &returned);
    if (OutputSizeReturned != NULL)
        *OutputSizeReturned = returned;
    return Irp != NULL ? done(Irp, status, returned) : status;
}

static NTSTATUS wsk_close_socket(PWSK_SOCKET Socket, PIRP Irp)
{
    struct kenv_wsk_request *r;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    r = request(Socket, Irp, KENV_WSK_CLOSE, 0, 0);
    return r != NULL ? queue(r) : done(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
}

static NTSTATUS wsk_bind(PWSK_SOCKET Socket, PSOCKADDR LocalAddress, ULONG Flags, PIRP Irp)
{
    struct kenv_wsk_socket *s = of(Socket);
    struct sockaddr_in6 address;
    socklen_t n = kenv_wsk_to_host(LocalAddress, &address);

    (void)Flags;
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (n == 0)
        return done(Irp, STATUS_INVALID_PARAMETER, 0);
    if (bind(s->fd, (struct sockaddr *)&address, n) != 0 ||
        (s->category == WSK_FLAG_LISTEN_SOCKET && listen(s->fd, BACKLOG) != 0))
        return done(Irp, kenv_wsk_status(errno), 0);
    return done(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS wsk_get_local_address(PWSK_SOCKET Socket, PSOCKADDR LocalAddress, PIRP Irp)
{
    struct sockaddr_in6 address = {0};
    socklen_t n = sizeof(address);

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (getsockname(of(Socket)->fd, (struct sockaddr *)&address, &n) != 0)
        return done(Irp, kenv_wsk_status(errno), 0);
    kenv_wsk_from_host(&address, LocalAddress);
    return done(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS wsk_get_remote_address(PWSK_SOCKET Socket, PSOCKADDR RemoteAddress, PIRP Irp)
{
    struct sockaddr_in6 address = {0};
    socklen_t n = sizeof(address);

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (getpeername(of(Socket)->fd, (struct sockaddr *)&address, &n) != 0)
        return done(Irp, kenv_wsk_status(errno), 0);
    kenv_wsk_from_host(&address, RemoteAddress);
    return done(Irp, STATUS_SUCCESS, 0);
}

/* ---- Listening ----------------------------------------------------------------------------- */

static NTSTATUS wsk_accept(PWSK_SOCKET ListenSocket, ULONG Flags, PVOID AcceptSocketContext,
    const VOID *AcceptSocketDispatch, PSOCKADDR LocalAddress, PSOCKADDR RemoteAddress, PIRP Irp)
{
    struct kenv_wsk_request *r;

    (void)Flags, (void)AcceptSocketContext, (void)AcceptSocketDispatch;
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    r = request(ListenSocket, Irp, KENV_WSK_ACCEPT, 0, 0);
    if (r == NULL)
        return done(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    r->local = LocalAddress;
    r->remote = RemoteAddress;
    return queue(r);
}

static NTSTATUS wsk_inspect_complete(
    PWSK_SOCKET ListenSocket, PWSK_INSPECT_ID InspectID, ULONG Action, PIRP Irp)
{
    (void)ListenSocket, (void)InspectID, (void)Action;
    return done(Irp, STATUS_NOT_SUPPORTED, 0); /* No inspection was ever asked for. */
}

/* ---- Connections --------------------------------------------------------------------------- */

static NTSTATUS wsk_connect(PWSK_SOCKET Socket, PSOCKADDR RemoteAddress, ULONG Flags, PIRP Irp)
{
    struct sockaddr_in6 address;
    socklen_t n = kenv_wsk_to_host(RemoteAddress, &address);
    struct kenv_wsk_request *r;

    (void)Flags;
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (n == 0)
        return done(Irp, STATUS_INVALID_PARAMETER, 0);
    r = request(Socket, Irp, KENV_WSK_CONNECT, 0, 0);
    if (r == NULL)
        return done(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    r->address = address;
    r->address_length = n;
    return queue(r);
}

/* Describes `buffer` in iov[0..*count) (NULL: only counts). False: it is longer than its MDLs. */
static bool describe(const WSK_BUF *buffer, struct iovec *iov, size_t *count)
{
    SIZE_T left = buffer->Length, offset = buffer->Offset;

    *count = 0;
    for (PMDL mdl = buffer->Mdl; mdl != NULL && left > 0; mdl = mdl->Next) {
        SIZE_T n = MmGetMdlByteCount(mdl);

        if (offset >= n) {
            offset -= n;
            continue;
        }
        n -= offset;
        if (n > left)
            n = left;
        if (iov != NULL) {
            iov[*count].iov_base =
                (char *)MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) + offset;
            iov[*count].iov_len = n;
        }
        ++*count;
        left -= n;
        offset = 0;
    }
    return left == 0 && *count <= BUFFERS_MAX;
}

/* NULL: *status says why. */
static struct kenv_wsk_request *transfer(PWSK_SOCKET socket, const WSK_BUF *buffer, ULONG flags,
    PIRP irp, enum kenv_wsk_kind kind, NTSTATUS *status)
{
    struct kenv_wsk_request *r;
    size_t count;

    *status = STATUS_INVALID_PARAMETER;
    if (buffer == NULL || !describe(buffer, NULL, &count))
        return NULL;
    *status = STATUS_INSUFFICIENT_RESOURCES;
    r = request(socket, irp, kind, flags, count);
    if (r == NULL)
        return NULL;
    r->length = buffer->Length;
    (void)describe(buffer, r->iov, &r->iov_count);
    return r;
}

static NTSTATUS wsk_send(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags, PIRP Irp)
{
    struct kenv_wsk_request *r;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    r = transfer(Socket, Buffer, Flags, Irp, KENV_WSK_SEND, &status);
    return r != NULL ? queue(r) : done(Irp, status, 0);
}

static NTSTATUS wsk_receive(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags, PIRP Irp)
{
    struct kenv_wsk_request *r;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    r = transfer(Socket, Buffer, Flags, Irp, KENV_WSK_RECEIVE, &status);
    return r != NULL ? queue(r) : done(Irp, status, 0);
}

static NTSTATUS wsk_disconnect(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags, PIRP Irp)
{
    struct kenv_wsk_request *r;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (Buffer != NULL)
        return done(Irp, STATUS_NOT_SUPPORTED, 0);
    r = request(Socket, Irp, KENV_WSK_DISCONNECT, Flags, 0);
    return r != NULL ? queue(r) : done(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
}

static NTSTATUS wsk_release(PWSK_SOCKET Socket, PWSK_DATA_INDICATION DataIndication)
{
    (void)Socket, (void)DataIndication;
    return STATUS_NOT_SUPPORTED; /* None was ever indicated. */
}

/* ---- Datagrams ----------------------------------------------------------------------------- */

static NTSTATUS wsk_send_to(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags,
    PSOCKADDR RemoteAddress, ULONG ControlInfoLength, PCMSGHDR ControlInfo, PIRP Irp)
{
    struct sockaddr_in6 address;
    socklen_t n = kenv_wsk_to_host(RemoteAddress, &address);
    struct kenv_wsk_request *r;
    NTSTATUS status;

    (void)ControlInfo;
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (n == 0 || Flags != 0)
        return done(Irp, STATUS_INVALID_PARAMETER, 0);
    if (ControlInfoLength != 0)
        return done(Irp, STATUS_NOT_SUPPORTED, 0);
    r = transfer(Socket, Buffer, 0, Irp, KENV_WSK_SEND, &status);
    if (r == NULL)
        return done(Irp, status, 0);
    r->address = address;
    r->address_length = n;
    return queue(r);
}

static NTSTATUS wsk_receive_from(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags,
    PSOCKADDR RemoteAddress, PULONG ControlLength, PCMSGHDR ControlInfo, PULONG ControlFlags,
    PIRP Irp)
{
    struct kenv_wsk_request *r;
    NTSTATUS status;

    (void)ControlInfo;
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (Flags != 0)
        return done(Irp, STATUS_INVALID_PARAMETER, 0);
    if (ControlLength != NULL)
        *ControlLength = 0;
    r = transfer(Socket, Buffer, 0, Irp, KENV_WSK_RECEIVE, &status);
    if (r == NULL)
        return done(Irp, status, 0);
    r->remote = RemoteAddress;
    r->control_flags = ControlFlags;
    return queue(r);
}

static NTSTATUS wsk_release_datagrams(PWSK_SOCKET Socket, PWSK_DATAGRAM_INDICATION Indication)
{
    (void)Socket, (void)Indication;
    return STATUS_NOT_SUPPORTED; /* None was ever indicated. */
}

/* ---- Tables -------------------------------------------------------------------------------- */

static const WSK_PROVIDER_BASIC_DISPATCH basic_dispatch = {wsk_control_socket, wsk_close_socket};

static const WSK_PROVIDER_LISTEN_DISPATCH listen_dispatch = {
    .Basic = {wsk_control_socket, wsk_close_socket},
    .WskBind = wsk_bind,
    .WskAccept = wsk_accept,
    .WskInspectComplete = wsk_inspect_complete,
    .WskGetLocalAddress = wsk_get_local_address,
};

static const WSK_PROVIDER_CONNECTION_DISPATCH connection_dispatch = {
    .Basic = {wsk_control_socket, wsk_close_socket},
    .WskBind = wsk_bind,
    .WskConnect = wsk_connect,
    .WskGetLocalAddress = wsk_get_local_address,
    .WskGetRemoteAddress = wsk_get_remote_address,
    .WskSend = wsk_send,
    .WskReceive = wsk_receive,
    .WskDisconnect = wsk_disconnect,
    .WskRelease = wsk_release,
};

static const WSK_PROVIDER_DATAGRAM_DISPATCH datagram_dispatch = {
    .Basic = {wsk_control_socket, wsk_close_socket},
    .WskBind = wsk_bind,
    .WskSendTo = wsk_send_to,
    .WskReceiveFrom = wsk_receive_from,
    .WskRelease = wsk_release_datagrams,
    .WskGetLocalAddress = wsk_get_local_address,
};
