/* SPDX-License-Identifier: MIT */
/*
 * The list of WSK requests and the thread that serves it. Requests of one socket and direction are
 * served in order. A request leaves the list under the lock, once, by whoever ends it: the thread,
 * or the cancel routine of its IRP.
 */
#include "base/alloc.h"
#include "kenv/bugcheck.h"
#include "kenv/irql.h"
#include "kenv/wsk_socket.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WINDOWS_MSG_TRUNC = 0x100 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sn_list requests = {&requests, &requests}; /* guarded by lock */
static int wake_fd = -1;                                 /* written once, before the thread runs */

NTSTATUS kenv_wsk_status(int error)
{
    static const struct {
        int error;
        NTSTATUS status;
    } table[] = {
        {0, STATUS_SUCCESS},
        {ECONNREFUSED, STATUS_CONNECTION_REFUSED},
        {ETIMEDOUT, STATUS_IO_TIMEOUT},
        {ECONNRESET, STATUS_CONNECTION_RESET},
        {EPIPE, STATUS_CONNECTION_RESET},
        {ECONNABORTED, STATUS_CONNECTION_ABORTED},
        {EADDRINUSE, STATUS_ADDRESS_ALREADY_EXISTS},
        {EADDRNOTAVAIL, STATUS_INVALID_ADDRESS_COMPONENT},
        {ENETUNREACH, STATUS_NETWORK_UNREACHABLE},
        {EHOSTUNREACH, STATUS_HOST_UNREACHABLE},
        {EISCONN, STATUS_CONNECTION_ACTIVE},
        {ENOTCONN, STATUS_CONNECTION_INVALID},
        {EINVAL, STATUS_INVALID_PARAMETER},
        {EACCES, STATUS_ACCESS_DENIED},
        {EMSGSIZE, STATUS_INVALID_BUFFER_SIZE},
        {ENOMEM, STATUS_INSUFFICIENT_RESOURCES},
        {ENOBUFS, STATUS_INSUFFICIENT_RESOURCES},
        {EMFILE, STATUS_INSUFFICIENT_RESOURCES},
        {ENFILE, STATUS_INSUFFICIENT_RESOURCES},
    };

    for (size_t i = 0; i < ARRAYSIZE(table); i++)
        if (table[i].error == error)
            return table[i].status;
    return STATUS_UNSUCCESSFUL;
}

/* ---- IRPs ---------------------------------------------------------------------------------- */

void kenv_wsk_irp_begin(PIRP irp)
{
    if (irp->CurrentLocation <= 1)
        kenv_bugcheck(NO_MORE_IRP_STACK_LOCATIONS, (ULONG_PTR)irp, 0, 0, 0,
            "WSK was given IRP %p, which has no stack location left; allocate it with one, and "
            "call IoReuseIrp before the next use",
            (void *)irp);
    IoSetNextIrpStackLocation(irp);
    IoMarkIrpPending(irp);
}

void kenv_wsk_irp_end(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    KIRQL old = kenv_irql_now;

    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    if (old < DISPATCH_LEVEL)
        (void)kenv_irql_set(DISPATCH_LEVEL);
    IoCompleteRequest(irp, IO_NETWORK_INCREMENT);
    kenv_irql_callback_done(old < DISPATCH_LEVEL ? DISPATCH_LEVEL : old, old, "completion routine");
}

/* Of a request that is in no list any more. Frees it. */
static void end(struct kenv_wsk_request *r)
{
    KIRQL irql;

    /* Whoever cancels holds this lock as long as it touches the IRP. */
    IoAcquireCancelSpinLock(&irql);
    (void)IoSetCancelRoutine(r->irp, NULL);
    IoReleaseCancelSpinLock(irql);
    if (r->kind == KENV_WSK_CLOSE || (r->is_created && !NT_SUCCESS(r->status)))
        kenv_wsk_socket_free(r->socket);
    kenv_wsk_irp_end(r->irp, r->status, r->information);
    sn_free(r);
}

static VOID on_cancel(PDEVICE_OBJECT device, PIRP irp)
{
    struct kenv_wsk_request *found = NULL;

    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    pthread_mutex_lock(&lock);
    for (struct sn_list *i = requests.next; i != &requests && found == NULL; i = i->next)
        if (((struct kenv_wsk_request *)(void *)i)->irp == irp)
            found = (struct kenv_wsk_request *)(void *)i;
    if (found != NULL)
        sn_list_remove(&found->link);
    pthread_mutex_unlock(&lock);
    if (found == NULL)
        return; /* it has just ended otherwise */
    found->status = STATUS_CANCELLED;
    found->information = 0;
    end(found);
}

/* ---- Trying -------------------------------------------------------------------------------- */

/* Each returns 0 when the request has ended well, EAGAIN when not yet, another errno when badly. */

static int try_connect(struct kenv_wsk_request *r)
{
    struct pollfd p = {.fd = r->socket->fd, .events = POLLOUT};
    int error = 0;
    socklen_t n = sizeof(error);

    if (!r->is_begun) {
        r->is_begun = true;
        if (connect(r->socket->fd, (const struct sockaddr *)&r->address, r->address_length) == 0)
            return 0;
        return errno == EINPROGRESS ? EAGAIN : errno;
    }
    if (poll(&p, 1, 0) <= 0)
        return EAGAIN;
    return getsockopt(r->socket->fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 ? error : errno;
}

/* Advances over n octets. */
static void advance(struct kenv_wsk_request *r, size_t n)
{
    r->done += n;
    for (size_t i = 0; i < r->iov_count && n > 0; i++) {
        size_t part = n < r->iov[i].iov_len ? n : r->iov[i].iov_len;

        r->iov[i].iov_base = (char *)r->iov[i].iov_base + part;
        r->iov[i].iov_len -= part;
        n -= part;
    }
}

static bool is_datagram(const struct kenv_wsk_request *r)
{
    return r->socket->category == WSK_FLAG_DATAGRAM_SOCKET;
}

static int try_send_to(struct kenv_wsk_request *r)
{
    struct msghdr message = {.msg_name = &r->address,
        .msg_namelen = r->address_length,
        .msg_iov = r->iov,
        .msg_iovlen = r->iov_count};
    ssize_t n = sendmsg(r->socket->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n < 0)
        return errno;
    r->information = (ULONG_PTR)n;
    return 0;
}

static int try_receive_from(struct kenv_wsk_request *r)
{
    struct sockaddr_in6 from = {0};
    struct msghdr message = {.msg_name = &from,
        .msg_namelen = sizeof(from),
        .msg_iov = r->iov,
        .msg_iovlen = r->iov_count};
    ssize_t n = recvmsg(r->socket->fd, &message, MSG_DONTWAIT);

    if (n < 0)
        return errno;
    if (r->remote != NULL)
        kenv_wsk_from_host(&from, r->remote);
    if (r->control_flags != NULL)
        *r->control_flags = (message.msg_flags & MSG_TRUNC) != 0 ? WINDOWS_MSG_TRUNC : 0;
    r->information = (ULONG_PTR)n;
    return 0;
}

static int try_send(struct kenv_wsk_request *r)
{
    struct msghdr message = {.msg_iov = r->iov, .msg_iovlen = r->iov_count};

    while (r->done < r->length) {
        ssize_t n = sendmsg(r->socket->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0)
            return errno;
        advance(r, (size_t)n);
    }
    r->information = r->done;
    return 0;
}

static int try_receive(struct kenv_wsk_request *r)
{
    struct msghdr message = {.msg_iov = r->iov, .msg_iovlen = r->iov_count};

    do {
        ssize_t n = recvmsg(r->socket->fd, &message, MSG_DONTWAIT);

        if (n < 0)
            return errno;
        advance(r, (size_t)n);
        if (n == 0)
            break;
    } while ((r->flags & WSK_FLAG_WAITALL) != 0 && r->done < r->length);
    r->information = r->done;
    return 0;
}

static int try_accept(struct kenv_wsk_request *r)
{
    struct sockaddr_in6 remote, local;
    socklen_t n = sizeof(remote), m = sizeof(local);
    struct kenv_wsk_socket *s;
    int fd = accept4(r->socket->fd, (struct sockaddr *)&remote, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return errno;
    if (r->local != NULL && getsockname(fd, (struct sockaddr *)&local, &m) == 0)
        kenv_wsk_from_host(&local, r->local);
    if (r->remote != NULL)
        kenv_wsk_from_host(&remote, r->remote);
    s = kenv_wsk_socket_create(fd, WSK_FLAG_CONNECTION_SOCKET);
    if (s == NULL)
        return ENOMEM;
    r->information = (ULONG_PTR)s;
    return 0;
}

static int try_disconnect(const struct kenv_wsk_request *r)
{
    const struct linger reset = {1, 0};

    if ((r->flags & WSK_FLAG_ABORTIVE) != 0) {
        (void)setsockopt(r->socket->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        return 0; /* the close will reset */
    }
    return shutdown(r->socket->fd, SHUT_WR) == 0 ? 0 : errno;
}

static int try_once(struct kenv_wsk_request *r)
{
    switch (r->kind) {
    case KENV_WSK_CONNECT:
        return try_connect(r);
    case KENV_WSK_SEND:
        return is_datagram(r) ? try_send_to(r) : try_send(r);
    case KENV_WSK_DISCONNECT:
        return try_disconnect(r);
    case KENV_WSK_ACCEPT:
        return try_accept(r);
    case KENV_WSK_RECEIVE:
        return is_datagram(r) ? try_receive_from(r) : try_receive(r);
    case KENV_WSK_CLOSE:
        break;
    }
    return 0;
}

/* True if the request has ended: its status is set. */
static bool try_request(struct kenv_wsk_request *r)
{
    int error;

    do
        error = try_once(r);
    while (error == EINTR);
    if (error == EAGAIN)
        return false;
    r->status = kenv_wsk_status(error);
    if (r->kind == KENV_WSK_CONNECT && r->is_created && error == 0)
        r->information = (ULONG_PTR)r->socket;
    return true;
}

/* ---- Serving ------------------------------------------------------------------------------- */

static bool is_in(const struct kenv_wsk_request *r)
{
    return r->kind == KENV_WSK_ACCEPT || r->kind == KENV_WSK_RECEIVE;
}

/* With the lock held: everything else of the socket ends before its close. */
static void cancel_others(const struct kenv_wsk_request *close_request, struct sn_list *ended)
{
    for (struct sn_list *i = requests.next, *next; i != &requests; i = next) {
        struct kenv_wsk_request *r = (struct kenv_wsk_request *)(void *)i;

        next = i->next;
        if (r->socket != close_request->socket || r == close_request)
            continue;
        sn_list_remove(&r->link);
        r->status = STATUS_CANCELLED;
        r->is_created = false; /* the close frees the socket */
        sn_list_push_back(ended, &r->link);
    }
}

/* With the lock held: tries what is first of its socket and direction. */
static void pass(struct sn_list *ended)
{
    struct kenv_wsk_request *closing = NULL;

    for (struct sn_list *i = requests.next; i != &requests; i = i->next) {
        struct kenv_wsk_request *r = (struct kenv_wsk_request *)(void *)i;

        r->socket->is_taken[0] = r->socket->is_taken[1] = false;
        if (r->kind == KENV_WSK_CLOSE)
            closing = r;
    }
    if (closing != NULL) {
        cancel_others(closing, ended);
        sn_list_remove(&closing->link);
        closing->status = STATUS_SUCCESS;
        sn_list_push_back(ended, &closing->link);
        return; /* one at a time: the list has changed */
    }
    for (struct sn_list *i = requests.next, *next; i != &requests; i = next) {
        struct kenv_wsk_request *r = (struct kenv_wsk_request *)(void *)i;

        next = i->next;
        if (r->socket->is_taken[is_in(r)])
            continue;
        if (try_request(r)) {
            sn_list_remove(&r->link);
            sn_list_push_back(ended, &r->link);
        } else {
            r->socket->is_taken[is_in(r)] = true;
        }
    }
}

/* With the lock held: what to wait for; the count, at least one. */
static nfds_t fill(struct pollfd *fds, nfds_t room)
{
    nfds_t n = 1;

    fds[0].fd = wake_fd;
    fds[0].events = POLLIN;
    for (struct sn_list *i = requests.next; i != &requests && n < room; i = i->next, n++) {
        const struct kenv_wsk_request *r = CONTAINING_RECORD(i, struct kenv_wsk_request, link);

        fds[n].fd = r->socket->fd;
        fds[n].events = is_in(r) ? POLLIN : POLLOUT;
    }
    return n;
}

static void *serve(void *unused)
{
    enum { ROOM = 1024 };
    static struct pollfd fds[ROOM];

    (void)unused;
    for (;;) {
        struct sn_list ended, *first;
        uint64_t count;
        nfds_t n;

        sn_list_init(&ended);
        pthread_mutex_lock(&lock);
        pass(&ended);
        n = sn_list_is_empty(&ended) ? fill(fds, ROOM) : 0;
        pthread_mutex_unlock(&lock);
        if (n == 0) {
            while ((first = sn_list_pop_front(&ended)) != NULL)
                end((struct kenv_wsk_request *)(void *)first);
            continue;
        }
        /* With more requests than room the rest is looked at now and then. */
        if (poll(fds, n, n == ROOM ? 10 : -1) > 0 && (fds[0].revents & POLLIN) != 0)
            (void)!read(wake_fd, &count, sizeof(count));
    }
    return NULL;
}

static void start(void)
{
    pthread_attr_t attributes;
    pthread_t thread;

    wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake_fd < 0 || pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) != 0 ||
        pthread_create(&thread, &attributes, serve, NULL) != 0)
        kenv_bugcheck(MANUALLY_INITIATED_CRASH, 0, 0, 0, 0,
            "the host cannot start the thread that serves WSK sockets");
    (void)pthread_attr_destroy(&attributes);
}

NTSTATUS kenv_wsk_queue(struct kenv_wsk_request *request)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const uint64_t one = 1;
    PIRP irp = request->irp;
    bool is_cancelled;

    pthread_once(&once, start);
    pthread_mutex_lock(&lock);
    sn_list_push_back(&requests, &request->link);
    (void)IoSetCancelRoutine(irp, on_cancel);
    /* Cancelled before: nobody calls the routine any more. */
    is_cancelled = irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL;
    if (is_cancelled)
        sn_list_remove(&request->link);
    pthread_mutex_unlock(&lock);
    if (is_cancelled) {
        request->status = STATUS_CANCELLED;
        end(request);
    } else {
        (void)!write(wake_fd, &one, sizeof(one));
    }
    return STATUS_PENDING;
}
