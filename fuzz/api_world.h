/* SPDX-License-Identifier: MIT */
/*
 * Two adapters in a simulated world and a consumer of both, for the fuzz target `api`: what it has
 * created, called and posted, and the checks of everything that comes back. What must hold whatever
 * the consumer does, as long as it keeps the rules that NDKPI gives it:
 *
 * - a call that pends calls back once, any other never; both say only what is documented;
 * - a posted request completes once, in order, nothing succeeds behind a failure, silent ones
 *   complete only if they fail; unless their queue overran or was given up;
 * - nothing is called after a close completion, which comes after those of the successors;
 * - memory that nobody may write keeps its octets.
 */
#ifndef FUZZ_API_WORLD_H
#define FUZZ_API_WORLD_H

#include <ndkpi.h>
#include <ntstatus.h>
#include <wdm.h>
#include <ws2ipdef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "ndk/adapter.h"
#include "ndk/addr.h"
#include "plat/sim/sim.h"

enum {
    HOSTS = 2,
    OBJECTS_MAX = 64,
    OPS_MAX = 512,
    CALLS_MAX = 128,
    ON_MAX = 4, /* antecedents of one object */
    WORLD_PAGES = 8,
    WORLD_PAGES_CONST = 2, /* the last ones: nobody gets a right to write them */
    CONST_OCTET = 0x5A,
    STEPS_MAX = 200000,
};

/* All memory of the consumer, shared by both hosts. */
static _Alignas(PAGE_SIZE) uint8_t arena[WORLD_PAGES * PAGE_SIZE];
enum { ARENA_FREE = (WORLD_PAGES - WORLD_PAGES_CONST) * PAGE_SIZE };

enum kind {
    KIND_CQ,
    KIND_PD,
    KIND_MR,
    KIND_MW,
    KIND_SRQ,
    KIND_QP,
    KIND_ENDPOINT,
    KIND_CONNECTOR,
    KIND_LISTENER,
    KINDS
};

enum state { STATE_OPEN, STATE_CLOSING, STATE_CLOSED };

struct object {
    struct world *world;
    enum kind kind;
    enum state state;
    uint8_t host;
    union {
        NDK_OBJECT_HEADER *header;
        NDK_CQ *cq;
        NDK_PD *pd;
        NDK_MR *mr;
        NDK_MW *mw;
        NDK_SRQ *srq;
        NDK_QP *qp;
        NDK_SHARED_ENDPOINT *endpoint;
        NDK_CONNECTOR *connector;
        NDK_LISTENER *listener;
    };
    struct object *on[ON_MAX];
    uint32_t successors;    /* that stand on it and are not closed */
    uint32_t calls_pending; /* asynchronous calls of it */
    /* CQ */
    uint32_t depth, arms;
    bool is_lossy; /* it may have overrun, or is given up: completions may be missing */
    /* CQ, SRQ: requests that may still complete there */
    uint32_t outstanding;
    /* QP: its antecedents again, and whether a queue has seen a failure */
    struct object *receive_cq, *initiator_cq, *its_srq;
    bool has_failed[2]; /* [1]: receives */
    /* connector, listener */
    uint32_t events;
    uint16_t port;
    /* MR */
    bool is_fast;
};

struct op {
    struct object *qp, *srq;
    NDK_OPERATION_TYPE type;
    uint32_t len;
    bool is_silent, is_done;
};

struct pending {
    struct object *object;
    const NTSTATUS *documented;
    bool is_pending;
};

struct world {
    const uint8_t *data;
    size_t size;
    struct sim_world *sim;
    struct plat *plat[HOSTS];
    NDK_ADAPTER *adapter[HOSTS];
    struct object objects[OBJECTS_MAX];
    uint32_t objects_count;
    struct op ops[OPS_MAX];
    uint32_t ops_count;
    struct pending calls[CALLS_MAX];
    uint32_t calls_count;
    uint32_t uncounted;           /* closes that pend of connectors for which there was no room */
    struct object *acceptor;      /* the queue pair that takes the next connect event at once */
    struct object *last_accepted; /* the connector that it took */
    /* A mapping of each adapter, when there is one. */
    struct {
        NDK_LOGICAL_ADDRESS_MAPPING head;
        NDK_LOGICAL_ADDRESS more[WORLD_PAGES];
    } lam[HOSTS];
    bool has_lam[HOSTS];
    bool is_in_callback, is_ending;
};

/* ---- input ---- */

/* 0 when there is no more. */
static inline uint8_t take(struct world *w)
{
    if (w->size == 0)
        return 0;
    w->size--;
    return *w->data++;
}

static inline uint16_t take16(struct world *w)
{
    uint16_t high = take(w);

    return (uint16_t)(high << 8 | take(w));
}

/* In the target: one command of the consumer. */
static void act(struct world *w);

/* A callback may do what the consumer does elsewhere. */
static inline void act_in_callback(struct world *w)
{
    if (w->is_ending || w->is_in_callback || w->size == 0 || take(w) % 4 != 0)
        return;
    w->is_in_callback = true;
    act(w);
    w->is_in_callback = false;
}

/* ---- documented statuses; SUCCESS and PENDING are not listed, a 0 ends ---- */

#define CAN_LACK_MEMORY STATUS_INSUFFICIENT_RESOURCES
static const NTSTATUS says_nothing[] = {0};
static const NTSTATUS says_create[] = {CAN_LACK_MEMORY, 0};
static const NTSTATUS says_create_queue[] = {STATUS_INVALID_PARAMETER, CAN_LACK_MEMORY, 0};
static const NTSTATUS says_endpoint[] = {CAN_LACK_MEMORY, STATUS_SHARING_VIOLATION,
    STATUS_TOO_MANY_ADDRESSES, STATUS_INVALID_ADDRESS, STATUS_INVALID_PARAMETER, 0};
static const NTSTATUS says_resize[] = {
    STATUS_INVALID_PARAMETER, STATUS_BUFFER_OVERFLOW, STATUS_NOT_SUPPORTED, CAN_LACK_MEMORY, 0};
static const NTSTATUS says_moderate[] = {
    STATUS_INVALID_PARAMETER_MIX, STATUS_NOT_SUPPORTED, CAN_LACK_MEMORY, 0};
static const NTSTATUS says_register[] = {
    STATUS_INVALID_PARAMETER, STATUS_INVALID_DEVICE_STATE, CAN_LACK_MEMORY, 0};
static const NTSTATUS says_deregister[] = {
    STATUS_DEVICE_BUSY, STATUS_INVALID_DEVICE_STATE, STATUS_INVALID_PARAMETER, 0};
static const NTSTATUS says_fast_init[] = {STATUS_IMPLEMENTATION_LIMIT, STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER, CAN_LACK_MEMORY, 0};
static const NTSTATUS says_lam[] = {
    STATUS_INVALID_PARAMETER, CAN_LACK_MEMORY, STATUS_BUFFER_TOO_SMALL, 0};
static const NTSTATUS says_receive[] = {STATUS_INVALID_PARAMETER, CAN_LACK_MEMORY, 0};
static const NTSTATUS says_post[] = {
    STATUS_CONNECTION_INVALID, STATUS_INVALID_PARAMETER, CAN_LACK_MEMORY, 0};
static const NTSTATUS says_post_right[] = {STATUS_CONNECTION_INVALID, STATUS_ACCESS_VIOLATION,
    STATUS_INVALID_PARAMETER, CAN_LACK_MEMORY, 0};
static const NTSTATUS says_connect[] = {CAN_LACK_MEMORY, STATUS_NETWORK_UNREACHABLE,
    STATUS_HOST_UNREACHABLE, STATUS_CONNECTION_REFUSED, STATUS_IO_TIMEOUT, STATUS_SHARING_VIOLATION,
    STATUS_INVALID_ADDRESS, STATUS_TOO_MANY_ADDRESSES, STATUS_ADDRESS_ALREADY_EXISTS,
    STATUS_CONNECTION_ACTIVE, STATUS_INVALID_BUFFER_SIZE, STATUS_INVALID_PARAMETER,
    STATUS_INVALID_DEVICE_STATE, STATUS_CONNECTION_ABORTED, STATUS_CANCELLED, 0};
static const NTSTATUS says_complete[] = {STATUS_CONNECTION_INVALID, STATUS_CONNECTION_ABORTED,
    STATUS_IO_TIMEOUT, STATUS_CANCELLED, CAN_LACK_MEMORY, 0};
static const NTSTATUS says_accept[] = {STATUS_CONNECTION_ABORTED, STATUS_CONNECTION_REFUSED,
    STATUS_IO_TIMEOUT, STATUS_CONNECTION_ACTIVE, STATUS_INVALID_BUFFER_SIZE,
    STATUS_INVALID_PARAMETER, STATUS_INVALID_DEVICE_STATE, STATUS_CANCELLED, CAN_LACK_MEMORY, 0};
static const NTSTATUS says_reject[] = {
    STATUS_CONNECTION_ABORTED, STATUS_INVALID_BUFFER_SIZE, STATUS_INVALID_DEVICE_STATE, 0};
static const NTSTATUS says_data[] = {STATUS_BUFFER_TOO_SMALL, STATUS_CONNECTION_INVALID, 0};
static const NTSTATUS says_disconnect[] = {
    STATUS_IO_TIMEOUT, STATUS_CONNECTION_INVALID, STATUS_CANCELLED, 0};
static const NTSTATUS says_listen[] = {CAN_LACK_MEMORY, STATUS_SHARING_VIOLATION,
    STATUS_INVALID_ADDRESS, STATUS_TOO_MANY_ADDRESSES, STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER, STATUS_CANCELLED, 0};
static const NTSTATUS says_completion[] = {STATUS_CANCELLED, STATUS_ACCESS_VIOLATION,
    STATUS_BUFFER_OVERFLOW, STATUS_DATA_OVERRUN, STATUS_INVALID_DEVICE_REQUEST, STATUS_IO_TIMEOUT,
    STATUS_REMOTE_RESOURCES, 0};

static inline void check_documented(NTSTATUS s, const NTSTATUS *list)
{
    bool is_known = s == STATUS_SUCCESS;

    for (; !is_known && *list != 0; list++)
        is_known = *list == s;
    if (!is_known)
        fprintf(stderr, "api: status 0x%08x is not documented there\n", (unsigned)s);
    SN_ASSERT(is_known);
}

/* ---- objects ---- */

/* NULL: there is no room for one more. */
static inline struct object *object_room(struct world *w, enum kind kind, unsigned host)
{
    struct object *o;

    if (w->objects_count == OBJECTS_MAX)
        return NULL;
    o = &w->objects[w->objects_count];
    *o = (struct object){.world = w, .kind = kind, .host = (uint8_t)host};
    return o;
}

/* What a create call said: the object of object_room, or NULL when there is none. */
static inline struct object *object_created(
    struct object *o, NTSTATUS s, const NTSTATUS *documented)
{
    check_documented(s, documented);
    SN_ASSERT((o->header != NULL) == NT_SUCCESS(s));
    if (o->header == NULL)
        return NULL;
    o->world->objects_count++;
    return o;
}

static inline void object_stands_on(struct object *o, struct object *antecedent)
{
    for (int i = 0; i < ON_MAX; i++) {
        if (o->on[i] == NULL) {
            o->on[i] = antecedent;
            antecedent->successors++;
            return;
        }
    }
    SN_UNREACHABLE();
}

static inline void object_is_closed(struct object *o)
{
    SN_ASSERT(o->state == STATE_CLOSING);
    SN_ASSERT(o->successors == 0);
    SN_ASSERT(o->calls_pending == 0);
    o->state = STATE_CLOSED;
    for (int i = 0; i < ON_MAX && o->on[i] != NULL; i++)
        o->on[i]->successors--;
}

static VOID on_closed(PVOID context)
{
    struct object *o = context;

    object_is_closed(o);
    act_in_callback(o->world);
}

static VOID on_created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    (void)context;
    (void)status;
    (void)object;
    SN_UNREACHABLE(); /* every creation finishes inline */
}

/* Close is the first entry of every table but the adapter's. */
static inline NTSTATUS call_close(
    NDK_OBJECT_HEADER *header, NDK_FN_CLOSE_COMPLETION fn, PVOID context)
{
    const struct {
        NDK_OBJECT_HEADER header;
        const struct {
            NDK_FN_CLOSE_OBJECT close;
        } * dispatch;
    } *any = (const void *)header;

    return any->dispatch->close(header, fn, context);
}

static inline void object_close(struct object *o)
{
    NTSTATUS s;

    if (o->state != STATE_OPEN)
        return;
    o->state = STATE_CLOSING;
    o->is_lossy = true; /* nobody polls it any more */
    if (o->world->acceptor == o)
        o->world->acceptor = NULL;
    s = call_close(o->header, on_closed, o);
    SN_ASSERT(s == STATUS_SUCCESS || s == STATUS_PENDING);
    if (s == STATUS_SUCCESS)
        object_is_closed(o);
}

/* An open object of the kind, which the octet picks; NULL: there is none. */
static inline struct object *pick(struct world *w, enum kind kind)
{
    uint32_t count = 0, wanted = take(w);

    for (uint32_t i = 0; i < w->objects_count; i++)
        count += w->objects[i].kind == kind && w->objects[i].state == STATE_OPEN;
    if (count == 0)
        return NULL;
    /* From the youngest: 0 is what was made last. */
    wanted = count - 1 - wanted % count;
    for (uint32_t i = 0; i < w->objects_count; i++) {
        struct object *o = &w->objects[i];

        if (o->kind == kind && o->state == STATE_OPEN && wanted-- == 0)
            return o;
    }
    return NULL;
}

/* ---- asynchronous calls ---- */

static VOID on_answer(PVOID context, NTSTATUS status)
{
    struct pending *p = context;
    struct object *o = p->object;

    SN_ASSERT(p->is_pending);
    SN_ASSERT(o->state != STATE_CLOSED);
    SN_ASSERT(status != STATUS_PENDING);
    check_documented(status, p->documented);
    p->is_pending = false;
    o->calls_pending--;
    act_in_callback(o->world);
}

/* The context of an asynchronous call's on_answer; NULL: there were too many. */
static inline struct pending *call_begin(struct object *o, const NTSTATUS *documented)
{
    struct world *w = o->world;

    if (w->calls_count == CALLS_MAX)
        return NULL;
    w->calls[w->calls_count] = (struct pending){.object = o, .documented = documented};
    return &w->calls[w->calls_count++];
}

static inline void call_end(struct pending *p, NTSTATUS s)
{
    if (s == STATUS_PENDING) {
        p->is_pending = true;
        p->object->calls_pending++;
        return;
    }
    check_documented(s, p->documented);
}

/* ---- events ---- */

static VOID on_cq(PVOID context, NTSTATUS status)
{
    struct object *o = context;

    SN_ASSERT(o->state != STATE_CLOSED);
    SN_ASSERT(status == STATUS_SUCCESS || o->is_lossy);
    SN_ASSERT(o->arms > 0);
    o->arms--;
    act_in_callback(o->world);
}

static VOID on_srq(PVOID context, NTSTATUS status)
{
    struct object *o = context;

    SN_ASSERT(o->state != STATE_CLOSED);
    SN_ASSERT(status == STATUS_SUCCESS);
    SN_ASSERT(o->arms > 0);
    o->arms--;
    act_in_callback(o->world);
}

static VOID on_disconnect(PVOID context)
{
    struct object *o = context;

    SN_ASSERT(o->state != STATE_CLOSED);
    SN_ASSERT(o->events++ == 0);
    act_in_callback(o->world);
}

static VOID on_disconnect_ex(PVOID context, ULONG reason)
{
    (void)reason;
    on_disconnect(context);
}

static VOID on_uncounted_closed(PVOID context)
{
    struct world *w = context;

    w->uncounted--;
}

/* [NDKPI NDK_FN_CONNECT_EVENT_CALLBACK] The connector is ours to close. */
static VOID on_connect(PVOID context, NDK_CONNECTOR *connector)
{
    struct object *listener = context;
    struct world *w = listener->world;
    struct object *o = object_room(w, KIND_CONNECTOR, listener->host);

    SN_ASSERT(listener->state != STATE_CLOSED);
    if (o == NULL) {
        w->uncounted++;
        if (call_close(&connector->Header, on_uncounted_closed, w) == STATUS_SUCCESS)
            w->uncounted--;
        return;
    }
    o->connector = connector;
    w->objects_count++;
    if (w->acceptor != NULL && w->acceptor->host == o->host) {
        struct pending *p = call_begin(o, says_accept);

        if (p != NULL)
            call_end(p, connector->Dispatch->NdkAccept(connector, w->acceptor->qp, 4, 4, NULL, 0,
                            on_disconnect, o, on_answer, p));
        w->acceptor = NULL;
        w->last_accepted = o;
    }
    act_in_callback(w);
}

/* ---- requests ---- */

static inline bool is_receive(NDK_OPERATION_TYPE type)
{
    return (type & NdkOperationTypeReceive) != 0;
}

/* Could a completion queue overrun? Then it is not known what becomes of completions. */
static inline void weigh(struct world *w)
{
    for (uint32_t i = 0; i < w->objects_count; i++) {
        struct object *cq = &w->objects[i];
        uint32_t sum = cq->outstanding;

        if (cq->kind != KIND_CQ || cq->is_lossy)
            continue;
        for (uint32_t k = 0; k < w->objects_count; k++) {
            const struct object *qp = &w->objects[k];

            if (qp->kind == KIND_QP && qp->receive_cq == cq && qp->its_srq != NULL)
                sum += qp->its_srq->outstanding;
        }
        cq->is_lossy = sum > cq->depth;
    }
}

static inline struct object *counted_at(const struct op *op)
{
    if (op->srq != NULL)
        return op->srq;
    return is_receive(op->type) ? op->qp->receive_cq : op->qp->initiator_cq;
}

/* The context of a request that is about to be posted; NULL: there were too many. */
static inline struct op *op_begin(
    struct world *w, struct object *on, NDK_OPERATION_TYPE type, uint32_t len, ULONG flags)
{
    struct op *op;

    if (w->ops_count == OPS_MAX)
        return NULL;
    op = &w->ops[w->ops_count++];
    *op = (struct op){.type = type, .len = len};
    if (on->kind == KIND_SRQ)
        op->srq = on;
    else
        op->qp = on;
    op->is_silent = !is_receive(type) && (flags & NDK_OP_FLAG_SILENT_SUCCESS) != 0;
    return op;
}

/* Nothing can have completed it yet: consumers poll, and this one does not do so in a post. */
static inline void op_posted(struct op *op, NTSTATUS s, const NTSTATUS *documented)
{
    struct world *w = op->srq != NULL ? op->srq->world : op->qp->world;

    check_documented(s, documented);
    if (s != STATUS_SUCCESS) {
        op->is_done = true; /* and so it must not complete */
        return;
    }
    counted_at(op)->outstanding++;
    weigh(w);
}

static inline void op_is_done(struct op *op)
{
    op->is_done = true;
    counted_at(op)->outstanding--;
}

/* What stands before `op` in its queue can only be silent, and succeeded. */
static inline void pass_over_silent(struct world *w, const struct op *op, const struct object *cq)
{
    for (struct op *before = w->ops; before != op; before++) {
        if (before->is_done || before->qp != op->qp ||
            is_receive(before->type) != is_receive(op->type))
            continue;
        SN_ASSERT(cq->is_lossy || (before->is_silent && !op->qp->has_failed[is_receive(op->type)]));
        op_is_done(before);
    }
}

static inline void check_result(struct object *cq, const NDK_RESULT_EX *r)
{
    struct world *w = cq->world;
    struct op *op = r->RequestContext;
    struct object *qp = r->QPContext;
    bool is_of_receive;

    SN_ASSERT(op >= w->ops && op < w->ops + w->ops_count);
    SN_ASSERT(qp >= w->objects && qp < w->objects + w->objects_count && qp->kind == KIND_QP);
    SN_ASSERT(!op->is_done);
    SN_ASSERT(op->srq != NULL ? op->srq == qp->its_srq : op->qp == qp);
    is_of_receive = is_receive(op->type);
    SN_ASSERT(((unsigned)r->Type & 0x7fffu) == (unsigned)op->type);
    SN_ASSERT(cq == (is_of_receive ? qp->receive_cq : qp->initiator_cq));
    check_documented(r->Status, says_completion);
    if (op->srq == NULL)
        pass_over_silent(w, op, cq);
    if (r->Status == STATUS_SUCCESS) {
        SN_ASSERT(!qp->has_failed[is_of_receive]);
        SN_ASSERT(!op->is_silent);
        SN_ASSERT(!is_of_receive || r->BytesTransferred <= op->len);
    }
    qp->has_failed[is_of_receive] |= r->Status != STATUS_SUCCESS;
    op_is_done(op);
}

/* Takes up to n. False: there was none. */
static inline bool cq_poll(struct object *cq, ULONG n, bool is_ex)
{
    NDK_RESULT_EX ex[8];
    NDK_RESULT plain[8];
    ULONG got;

    n = n < 8 ? n : 8;
    if (is_ex)
        got = cq->cq->Dispatch->NdkGetCqResultsEx(cq->cq, ex, n);
    else
        got = cq->cq->Dispatch->NdkGetCqResults(cq->cq, plain, n);
    SN_ASSERT(got <= n);
    for (ULONG i = 0; i < got; i++) {
        if (!is_ex)
            ex[i] = (NDK_RESULT_EX){.Status = plain[i].Status,
                .BytesTransferred = plain[i].BytesTransferred,
                .QPContext = plain[i].QPContext,
                .RequestContext = plain[i].RequestContext,
                .Type = ((struct op *)plain[i].RequestContext)->type};
        check_result(cq, &ex[i]);
    }
    return got > 0;
}

/* ---- time ---- */

static inline void let_pass(struct world *w, uint32_t steps)
{
    if (w->is_in_callback)
        return;
    while (steps-- > 0 && sim_step(w->sim))
        ;
}

#endif
