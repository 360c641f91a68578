/* SPDX-License-Identifier: MIT */
/*
 * WSK sockets: host sockets that do not block, and a list of requests that one thread tries again
 * whenever the host says that something may have changed.
 */
#ifndef SN_KENV_WSK_SOCKET_H
#define SN_KENV_WSK_SOCKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/uio.h>
#include <wsk.h>

#include "base/list.h"

enum kenv_wsk_kind {
    KENV_WSK_CONNECT, /* direction out; the others of out follow */
    KENV_WSK_SEND,
    KENV_WSK_DISCONNECT,
    KENV_WSK_ACCEPT, /* direction in */
    KENV_WSK_RECEIVE,
    KENV_WSK_CLOSE, /* neither */
};

struct kenv_tracked;

struct kenv_wsk_socket {
    WSK_SOCKET base; /* first: what the consumer sees */
    int fd;
    ULONG category;
    bool is_taken[2]; /* in one pass: an earlier request of that direction waits */
    struct kenv_tracked *tracked;
};

struct kenv_wsk_request {
    struct sn_list link; /* first */
    struct kenv_wsk_socket *socket;
    PIRP irp;
    enum kenv_wsk_kind kind;
    ULONG flags;
    bool is_begun;               /* of a connect: the host knows */
    bool is_created;             /* the socket came with the request and goes with its failure */
    struct sockaddr_in6 address; /* of a connect, and where a datagram goes */
    socklen_t address_length;
    PSOCKADDR local, remote; /* of an accept; remote also of a datagram's receive; may be NULL */
    PULONG control_flags;    /* of a datagram's receive, may be NULL */
    NTSTATUS status;
    ULONG_PTR information;
    size_t done, length; /* octets */
    size_t iov_count;
    struct iovec iov[];
};

/* A socket around fd, which it takes over; NULL: no memory, fd is closed. */
struct kenv_wsk_socket *kenv_wsk_socket_create(int fd, ULONG category);
void kenv_wsk_socket_free(struct kenv_wsk_socket *s);
/* Our socket address as the host's; 0: not one. And back; *to has room for any. */
socklen_t kenv_wsk_to_host(const SOCKADDR *from, struct sockaddr_in6 *to);
void kenv_wsk_from_host(const struct sockaddr_in6 *from, PSOCKADDR to);
NTSTATUS kenv_wsk_status(int error);

/* Takes an IRP over: its own stack location, pending. */
void kenv_wsk_irp_begin(PIRP irp);
/* Ends an IRP that is in no list. */
void kenv_wsk_irp_end(PIRP irp, NTSTATUS status, ULONG_PTR information);
/* Queues a request whose IRP has begun. STATUS_PENDING. */
NTSTATUS kenv_wsk_queue(struct kenv_wsk_request *request);

/* Entries of WSK_PROVIDER_DISPATCH. */
NTSTATUS kenv_wsk_socket(PWSK_CLIENT Client, ADDRESS_FAMILY AddressFamily, USHORT SocketType,
    ULONG Protocol, ULONG Flags, PVOID SocketContext, const VOID *Dispatch,
    struct _EPROCESS *OwningProcess, struct _ETHREAD *OwningThread, PVOID SecurityDescriptor,
    PIRP Irp);
NTSTATUS kenv_wsk_socket_connect(PWSK_CLIENT Client, USHORT SocketType, ULONG Protocol,
    PSOCKADDR LocalAddress, PSOCKADDR RemoteAddress, ULONG Flags, PVOID SocketContext,
    const VOID *Dispatch, struct _EPROCESS *OwningProcess, struct _ETHREAD *OwningThread,
    PVOID SecurityDescriptor, PIRP Irp);

#endif
