/* SPDX-License-Identifier: MIT */
/*
 * NDK calls for a program of one thread: asynchronous calls made synchronous, whether they complete
 * inline or by their callback, and one bell that everything else rings (completion queues, connect
 * and disconnect events), so that the thread waits at one place.
 *
 * Everything here is called at PASSIVE_LEVEL. Objects are closed in reverse order of their opening;
 * closing what was never opened (a structure of zeros) does nothing.
 */
#ifndef TOOLS_COMMON_NDK_SYNC_H
#define TOOLS_COMMON_NDK_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ndkpi.h>
#include <softndk.h>
#include <wdm.h>

/* ---- One asynchronous call ----------------------------------------------------------------- */
/*
 *     struct ndk_call call;
 *     ndk_call_begin(&call);
 *     status = ndk_call_end(&call, mr->Dispatch->NdkDeregisterMr(mr, ndk_call_completed, &call));
 */
struct ndk_call {
    KEVENT event;
    NTSTATUS status;
    NDK_OBJECT_HEADER *object;
};

void ndk_call_begin(struct ndk_call *call);
VOID ndk_call_completed(PVOID call, NTSTATUS status);
VOID ndk_call_created(PVOID call, NTSTATUS status, NDK_OBJECT_HEADER *object);
VOID ndk_call_closed(PVOID call);
/* Waits if `returned` is STATUS_PENDING. The final status. */
NTSTATUS ndk_call_end(struct ndk_call *call, NTSTATUS returned);
/* The same for a create call; `object` holds what the call wrote there, and gets the object or
 * NULL. */
NTSTATUS ndk_call_end_create(struct ndk_call *call, NTSTATUS returned, void **object);
/* Closes any object but an adapter, and waits; NULL does nothing. */
void ndk_close(NDK_OBJECT_HEADER *object);

/* ---- Adapter, protection domain and bell --------------------------------------------------- */

struct ndk_host {
    NDK_ADAPTER *adapter;
    NDK_PD *pd;
    NDK_ADAPTER_INFO info;
    KEVENT bell;
};

/* Opens an adapter of version 2.1 (interface index 0: any local address) and a protection domain.
 * On failure everything is closed again. */
NTSTATUS ndk_host_open(struct ndk_host *h, NET_IFINDEX interface, const SOFTNDK_OPTIONS *options);
void ndk_host_close(struct ndk_host *h);
/* Any thread, DISPATCH. */
void ndk_host_ring(struct ndk_host *h);
/* Until the bell rings or, at the latest, a tenth of a second: callers look again at what they wait
 * for, and at tool_is_interrupted(). */
void ndk_host_wait(struct ndk_host *h);

/* ---- Memory -------------------------------------------------------------------------------- */

struct ndk_memory {
    uint8_t *p;
    size_t n;
    UINT32 local, remote; /* tokens */
    MDL *mdl;
    NDK_MR *mr;
};

/* n octets from the pool, zero, registered with these NDK_MR_FLAG_... */
NTSTATUS ndk_memory_open(struct ndk_host *h, struct ndk_memory *m, size_t n, ULONG flags);
void ndk_memory_close(struct ndk_memory *m);
NDK_SGE ndk_memory_sge(const struct ndk_memory *m, size_t at, size_t n);
/* How a peer names an octet. */
uint64_t ndk_memory_address(const struct ndk_memory *m, size_t at);

/* ---- Completion queues --------------------------------------------------------------------- */

/* A queue that rings the bell. */
NTSTATUS ndk_cq_open(struct ndk_host *h, ULONG depth, NDK_CQ **cq);
/* Takes what is there; arms the queue if that is nothing, so that the bell rings for the next. */
ULONG ndk_cq_take(NDK_CQ *cq, NDK_RESULT_EX *results, ULONG count);

/* ---- Connections --------------------------------------------------------------------------- */

enum { NDK_PRIVATE_MAX = 512 };

struct ndk_link_options {
    NDK_CQ *cq;    /* of both queues */
    void *context; /* comes back in every result */
    ULONG receive_depth, initiator_depth;
    ULONG initiator_sges; /* of a request at most; 0: 1 */
};

struct ndk_terms {
    ULONG inbound, outbound; /* read limits */
    const void *private_data;
    ULONG private_length;
};

struct ndk_link {
    struct ndk_host *host;
    NDK_QP *qp;
    NDK_CONNECTOR *connector;
    volatile LONG is_disconnected; /* the disconnect event came */
    bool is_connected;
    /* Of the peer, from the connect event or from ndk_link_connect on; zeros may follow. */
    uint8_t private_data[NDK_PRIVATE_MAX];
    ULONG private_length;
};

NTSTATUS ndk_link_open(
    struct ndk_host *h, struct ndk_link *l, const struct ndk_link_options *options);
/*
 * Active side: connects and completes the connection. STATUS_CANCELLED: the user interrupted it.
 */
NTSTATUS ndk_link_connect(struct ndk_link *l, const SOCKADDR_INET *from, const SOCKADDR_INET *to,
    const struct ndk_terms *terms);
/* Passive side: accepts `connector`, which is the link's from here on. */
NTSTATUS ndk_link_accept(
    struct ndk_link *l, NDK_CONNECTOR *connector, const struct ndk_terms *terms);
/* Gracefully; nothing if the link is not connected. */
NTSTATUS ndk_link_disconnect(struct ndk_link *l);
/* Connector and queue pair. */
void ndk_link_close(struct ndk_link *l);

/* Private data of a connector from a connect event; at most NDK_PRIVATE_MAX octets. */
ULONG ndk_private_data(NDK_CONNECTOR *connector, uint8_t out[NDK_PRIVATE_MAX]);

/* ---- Listeners ----------------------------------------------------------------------------- */

enum { NDK_SERVER_PENDING_MAX = 64 };

struct ndk_server {
    struct ndk_host *host;
    NDK_LISTENER *listener;
    KSPIN_LOCK lock;
    NDK_CONNECTOR *pending[NDK_SERVER_PENDING_MAX]; /* guarded by lock */
    ULONG first, count;                             /* guarded by lock */
};

/* Listens. Whoever calls while NDK_SERVER_PENDING_MAX callers wait is refused. */
NTSTATUS ndk_server_open(struct ndk_host *h, struct ndk_server *s, const SOCKADDR_INET *at);
/* The next connect event's connector, which the caller closes or gives to a link; NULL: none. */
NDK_CONNECTOR *ndk_server_take(struct ndk_server *s);
void ndk_server_close(struct ndk_server *s);

/* ---- Words --------------------------------------------------------------------------------- */

/* Each prints one sentence for a failure and returns the exit status that belongs to it. */
int ndk_fail_open(NTSTATUS status, NET_IFINDEX interface);
int ndk_fail_listen(NTSTATUS status, const SOCKADDR_INET *at);
int ndk_fail_connect(NTSTATUS status, const SOCKADDR_INET *from, const SOCKADDR_INET *to);

#endif
