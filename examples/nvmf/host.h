/* SPDX-License-Identifier: MIT */
/*
 * The NDK objects of one machine and of one connection, with the asynchronous calls made
 * synchronous: a driver that may not block does the same in its completion routines.
 *
 * Order: adapter and protection domain first; then memory and connections, closed before them.
 * All of it is called at PASSIVE_LEVEL by one thread.
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ndkpi.h>
#include <softndk.h>
#include <wdm.h>
#include <ws2ipdef.h>

/* ---- The machine ---- */

struct host {
    NDK_ADAPTER *adapter;
    NDK_ADAPTER_INFO info;
    NDK_PD *pd;
    UINT32 page_token; /* names adapter pages in an SGE, without any registration */
};

NTSTATUS host_open(struct host *h);
void host_close(struct host *h);

/* ---- Memory ---- */

/*
 * Registered once, for what is sent and received again and again: capsules and answers. The peer
 * gets no right to it.
 */
struct messages {
    uint8_t *p;
    MDL *mdl;
    NDK_MR *mr;
    UINT32 token;
};

NTSTATUS messages_open(struct host *h, struct messages *m, ULONG length);
void messages_close(struct messages *m);
NDK_SGE messages_sge(const struct messages *m, ULONG at, ULONG length);

/*
 * Memory of an I/O: not registered, but known by its adapter pages. A fast-register request makes
 * it a region for the time of one command, and nothing else ever gives the peer a right to it.
 */
struct data {
    uint8_t *p;
    ULONG length;
    MDL *mdl;
    NDK_LOGICAL_ADDRESS_MAPPING *pages;
    NDK_MR *mr;
    UINT32 local, remote; /* tokens of mr */
};

NTSTATUS data_open(struct host *h, struct data *d, ULONG length);
void data_close(struct host *h, struct data *d);
/* Posts the fast registration of `length` octets from `at`; flags: NDK_OP_FLAG_ALLOW_... and what
 * else such a request takes. */
NTSTATUS data_register(
    struct data *d, NDK_QP *qp, PVOID context, ULONG at, ULONG length, ULONG flags);
/* The same octets as SGEs of pages, for a Send. How many; 0: they are more than `count`. */
ULONG data_sgl(
    const struct host *h, const struct data *d, ULONG at, ULONG length, NDK_SGE *sgl, ULONG count);

/* ---- One connection ---- */

enum { LINK_PRIVATE_MAX = 512, LINK_SGE_MAX = 8 };

struct link {
    struct host *host;
    NDK_CQ *cq; /* of sends and receives */
    NDK_QP *qp;
    NDK_CONNECTOR *connector;
    KEVENT bell; /* there may be completions, or the connection is over */
    volatile LONG is_over;
    bool is_connected;
    uint8_t reply[LINK_PRIVATE_MAX]; /* private data of the peer, zeros behind it */
    ULONG reply_length;
};

/* Completion queue, queue pair and connector, not connected: receives may be posted. */
NTSTATUS link_open(struct host *h, struct link *l, ULONG receives, ULONG initiator_requests);
/* `reads`: how many RDMA Reads the peer may have in flight. */
NTSTATUS link_connect(
    struct link *l, const SOCKADDR_INET *to, ULONG reads, const void *private_data, ULONG length);
NTSTATUS link_disconnect(struct link *l);
void link_close(struct link *l);
/* Takes completions. None there: waits for the bell, at most a tenth of a second; 0: look at the
 * clock and at is_over, and come again. */
ULONG link_take(struct link *l, NDK_RESULT_EX *results, ULONG count);

#endif
