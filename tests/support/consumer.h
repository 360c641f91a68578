/* SPDX-License-Identifier: MIT */
/*
 * A consumer of NDKPI for tests, on public headers only. It makes each asynchronous call
 * synchronous, whether it completes inline or later, or splits it into start and wait; and it
 * counts every callback: exactly one after STATUS_PENDING, none otherwise, at DISPATCH_LEVEL or
 * below, up to the close of the adapter. What is wrong fails the running cmocka test; so everything
 * here is called from the thread that runs the test. Waits are bounded by CONSUMER_WAIT_MS.
 *
 *     struct consumer *c = consumer_open(NULL);
 *     struct endpoint *e = endpoint_open(c, NULL);
 *     endpoint_connect_start(e, "127.0.0.1", port, NULL);
 *     ... the peer answers ...
 *     assert_ntstatus(endpoint_connect_wait(e), STATUS_SUCCESS);
 *     assert_ntstatus(endpoint_complete(e), STATUS_SUCCESS);
 *     ...
 *     endpoint_close(e);
 *     consumer_close(c);
 */
#ifndef TESTS_SUPPORT_CONSUMER_H
#define TESTS_SUPPORT_CONSUMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ndkpi.h>
#include <ntstatus.h>
#include <softndk.h>
#include <ws2ipdef.h>

enum { CONSUMER_WAIT_MS = 15000 };

/* The two are equal; if not the test fails with both names. */
#define assert_ntstatus(is, want) assert_ntstatus_at(is, want, #is, __FILE__, __LINE__)
void assert_ntstatus_at(NTSTATUS is, NTSTATUS want, const char *what, const char *file, int line);
/* The call failed, whichever way: NT_SUCCESS is false. */
#define assert_ntfailure(is) assert_ntfailure_at(is, #is, __FILE__, __LINE__)
void assert_ntfailure_at(NTSTATUS is, const char *what, const char *file, int line);

/* "127.0.0.1", "0.0.0.0", "::1" or "::", and a port in host order. */
SOCKADDR_INET address_of(const char *host, uint16_t port, ULONG *length);
/* In host order. */
uint16_t address_port(const SOCKADDR_INET *a);

/* ---- calls ---- */

struct consumer;

/*
 * One asynchronous call. Usage, with the three callbacks below and the call as their context:
 *
 *     struct ndk_call *call = call_begin(c);
 *     status = call_end(call, mr->Dispatch->NdkDeregisterMr(mr, call_completed, call));
 *
 * or call_started(call, returned) and later call_wait(call). Freed by consumer_close, which looks
 * once more that no callback came too often.
 */
struct ndk_call;
struct ndk_call *call_begin(struct consumer *c);
VOID call_completed(PVOID context, NTSTATUS status);
VOID call_created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object);
VOID call_closed(PVOID context);
void call_started(struct ndk_call *call, NTSTATUS returned);
/* Has it ended, inline or by its callback? */
bool call_is_done(struct ndk_call *call);
/* The final status. */
NTSTATUS call_wait(struct ndk_call *call);
NTSTATUS call_end(struct ndk_call *call, NTSTATUS returned);
/* For create calls: `inline_object` is what the call put into its out parameter, which was NULL
 * before; gives the object wherever it came, NULL on failure. */
NTSTATUS call_end_create(
    struct ndk_call *call, NTSTATUS returned, void *inline_object, void **object);

/* ---- adapter ---- */

struct consumer {
    NDK_ADAPTER *adapter;
    NDK_PD *pd;
    NDK_ADAPTER_INFO info;
    /* private */
    struct ndk_call *calls;
    int objects; /* created and not closed */
};

/* An adapter for any local address, and a protection domain. options NULL: the transport is TCP,
 * all else is left open. Give SOFTNDK_OPTIONS with Transport set where that matters. */
struct consumer *consumer_open(const SOFTNDK_OPTIONS *options);
/* Options that leave everything open but the transport, which is TCP. */
SOFTNDK_OPTIONS consumer_options(void);
/* Everything else was closed before. */
void consumer_close(struct consumer *c);

NTSTATUS consumer_create_cq(struct consumer *c, ULONG depth, NDK_FN_CQ_NOTIFICATION_CALLBACK notify,
    PVOID context, NDK_CQ **cq);
NTSTATUS consumer_create_pd(struct consumer *c, NDK_PD **pd);
NTSTATUS consumer_create_connector(struct consumer *c, NDK_CONNECTOR **connector);
NTSTATUS consumer_create_listener(struct consumer *c, NDK_FN_CONNECT_EVENT_CALLBACK event,
    PVOID context, NDK_LISTENER **listener);
NTSTATUS consumer_create_mr(struct consumer *c, NDK_PD *pd, BOOLEAN fast, NDK_MR **mr);
NTSTATUS consumer_create_mw(struct consumer *c, NDK_PD *pd, NDK_MW **mw);
/* Any object but an adapter, by its header; NULL: nothing. Also for connectors of connect events:
 * see consumer_adopt. */
void consumer_close_object(struct consumer *c, NDK_OBJECT_HEADER *object);
/* Counts an object that a callback handed over. */
void consumer_adopt(struct consumer *c);

/* ---- memory ---- */

/* Registered memory of the test. */
struct memory {
    struct consumer *c;
    uint8_t *p;
    size_t n;
    MDL *mdl;
    NDK_MR *mr;
    UINT32 local, remote; /* tokens */
};

enum { MEMORY_ALL = NDK_MR_FLAG_ALLOW_REMOTE_READ | NDK_MR_FLAG_ALLOW_REMOTE_WRITE };

/* n octets, zero, registered with these NDK_MR_FLAG_...; pd NULL: the consumer's. The octets end
 * where the allocation ends, so that the sanitizer sees one that is too many. */
struct memory *memory_open(struct consumer *c, NDK_PD *pd, size_t n, ULONG flags);
void memory_close(struct memory *m);
NDK_SGE memory_sge(const struct memory *m, size_t at, size_t n);
/* The address that a peer uses. */
uint64_t memory_to(const struct memory *m, size_t at);

/* ---- endpoints: a queue pair with its completion queues and its connector ---- */

struct endpoint_options {
    NDK_PD *pd;                           /* NULL: the consumer's */
    NDK_SRQ *srq;                         /* NULL: none */
    ULONG receive_depth, initiator_depth; /* 0: 16 */
    ULONG sge;                            /* 0: 4, or what the adapter has */
    ULONG inline_size;
};

/* What connect and accept carry. NULL for all of it: 16 reads each way, no private data. */
struct endpoint_terms {
    ULONG inbound, outbound;
    const void *private_data;
    ULONG private_len;
};

struct endpoint {
    struct consumer *c;
    NDK_CQ *receive_cq, *initiator_cq;
    NDK_QP *qp;
    NDK_CONNECTOR *connector; /* made by the first connect, or given to accept */
    /* private */
    struct ndk_call *connecting, *completing, *accepting, *disconnecting;
    struct endpoint_events *events;
};

struct endpoint *endpoint_open(struct consumer *c, const struct endpoint_options *o);
/* Closes connector, queue pair and completion queues. */
void endpoint_close(struct endpoint *e);
/* Closes the connector alone, as a consumer does that gives a connection up. */
void endpoint_close_connector(struct endpoint *e);

/* Active side. A failed connect may be tried again. */
void endpoint_connect_start(
    struct endpoint *e, const char *host, uint16_t port, const struct endpoint_terms *t);
NTSTATUS endpoint_connect_wait(struct endpoint *e);
bool endpoint_connect_is_done(struct endpoint *e);
void endpoint_complete_start(struct endpoint *e);
NTSTATUS endpoint_complete_wait(struct endpoint *e);
NTSTATUS endpoint_complete(struct endpoint *e);

/* Passive side. */
void endpoint_accept_start(
    struct endpoint *e, NDK_CONNECTOR *connector, const struct endpoint_terms *t);
NTSTATUS endpoint_accept_wait(struct endpoint *e);
bool endpoint_accept_is_done(struct endpoint *e);

void endpoint_disconnect_start(struct endpoint *e);
NTSTATUS endpoint_disconnect_wait(struct endpoint *e);
NTSTATUS endpoint_disconnect(struct endpoint *e);
/* Waits for the disconnect event, which comes once at most. */
void endpoint_wait_disconnected(struct endpoint *e);
unsigned endpoint_disconnects(struct endpoint *e);

/* Private data and limits as NdkGetConnectionData gives them. */
struct connection_data {
    ULONG inbound, outbound, private_len;
    uint8_t private_data[512];
};
struct connection_data connection_data_of(NDK_CONNECTOR *connector);

/* ---- work ---- */

/* Each posts one request with `id` as its context and succeeds, or fails the test. */
void endpoint_receive(
    struct endpoint *e, uintptr_t id, const struct memory *m, size_t at, size_t n);
void endpoint_send(
    struct endpoint *e, uintptr_t id, const struct memory *m, size_t at, size_t n, ULONG flags);
void endpoint_send_inv(struct endpoint *e, uintptr_t id, const struct memory *m, size_t at,
    size_t n, ULONG flags, UINT32 token);
void endpoint_write(struct endpoint *e, uintptr_t id, const struct memory *m, size_t at, size_t n,
    uint64_t to, UINT32 token, ULONG flags);
void endpoint_read(struct endpoint *e, uintptr_t id, const struct memory *m, size_t at, size_t n,
    uint64_t from, UINT32 token, ULONG flags);

/* The next completion, by arming and notification. */
NDK_RESULT_EX endpoint_wait_received(struct endpoint *e);
NDK_RESULT_EX endpoint_wait_initiated(struct endpoint *e);
/* It is that one and succeeded (for receives: with n octets). */
#define endpoint_expect_received(e, id, n) endpoint_expect_received_at(e, id, n, __FILE__, __LINE__)
#define endpoint_expect_initiated(e, id)   endpoint_expect_initiated_at(e, id, __FILE__, __LINE__)
NDK_RESULT_EX endpoint_expect_received_at(
    struct endpoint *e, uintptr_t id, size_t n, const char *file, int line);
NDK_RESULT_EX endpoint_expect_initiated_at(
    struct endpoint *e, uintptr_t id, const char *file, int line);
/* The same without arming: the queue is polled. */
NDK_RESULT_EX endpoint_poll_received(struct endpoint *e);
NDK_RESULT_EX endpoint_poll_initiated(struct endpoint *e);
/* Arms the receive queue by hand, NDK_CQ_NOTIFY_...; then poll, and look for the notification. */
void endpoint_arm_received(struct endpoint *e, ULONG type);
bool endpoint_received_is_notified(struct endpoint *e);
void endpoint_wait_received_notified(struct endpoint *e);
/* There is none now. */
void endpoint_expect_no_received(struct endpoint *e);
void endpoint_expect_no_initiated(struct endpoint *e);

/* ---- listeners ---- */

struct acceptor {
    struct consumer *c;
    NDK_LISTENER *listener;
    uint16_t port;
    /* private */
    struct acceptor_events *events;
};

/* Listens at host, port 0. */
struct acceptor *acceptor_open(struct consumer *c, const char *host);
/* The connector of the next connect event; the caller closes it, or gives it to an endpoint. */
NDK_CONNECTOR *acceptor_wait(struct acceptor *a);
unsigned acceptor_pending(struct acceptor *a);
void acceptor_close(struct acceptor *a);

#endif
