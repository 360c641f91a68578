/* SPDX-License-Identifier: MIT */
/*
 * Inside the layer. It makes the provider's own rules do the work: a call that is made to pend
 * holds a reference (RNIC_REF_REQUEST) on its object until its callback has returned, as a call
 * does that pends in rnic/. So closes wait as they must, antecedents after successors, whatever is
 * delayed here.
 *
 * Callbacks that are put off run on the home thread of a lane of the layer's own, one per adapter.
 * Those of one object keep their order (struct chaos_obj.queue); those of different objects do not.
 */
#ifndef SN_CHAOS_IMPL_H
#define SN_CHAOS_IMPL_H

#include "base/lock.h"
#include "chaos/faults.h"
#include "ndk/layer.h"
#include "plat/plat.h"
#include "rnic/lane.h"
#include "rnic/obj.h"

enum { CHAOS_KINDS = NdkObjectTypeMax };

/* Room for a copy of any dispatch table, and what was found in the objects. */
struct chaos_table {
    const void *inner; /* NULL: none of this kind was seen yet; guarded by chaos_state.lock */
    void *outer[16];
};

/* One adapter. */
struct chaos_state {
    enum chaos_schedule schedule;
    uint64_t seed;
    struct chaos_faults faults;
    struct rnic_adapter *adapter;
    struct chaos_obj *adapter_obj; /* lives as long as this */
    struct plat_lane *lane;        /* NULL: could not be made, so nothing is wrapped */
    struct sn_aptr incoming; /* stack of operations: pushed by anyone, taken inside the lane */
    struct sn_aptr finished; /* the same, of those whose callback has returned */
    struct sn_aptr orphans;  /* routines of objects that the layer could not wrap */
    struct sn_lock lock;     /* leaf: tables are made one after the other */
    struct chaos_table table[CHAOS_KINDS];
};

/* An object, found in its NdkReserved. Freed when its close is through. */
struct chaos_obj {
    struct chaos_state *s;
    struct rnic_obj *o;
    const void *inner; /* the table below */
    uint64_t id;       /* written by who creates it, before the consumer sees it */
    struct sn_a32 counts[CHAOS_ENTRY_COUNT];
    struct sn_a32 children[CHAOS_KINDS];
    struct sn_list queue; /* inside the lane: operations in order; the first one is under way */

    NDK_FN_CLOSE_COMPLETION close_fn;
    void *close_ctx;
    struct chaos_op *close_op; /* somebody waits for the close; NULL: nobody */

    struct sn_aptr routines; /* stack of struct chaos_routine: all that were given for it */
    /* Queue pairs. */
    struct sn_a32 posted;
    struct rnic_task loss;
    /* Completion queues: written by the poller alone. */
    uint32_t polls;
};

/* A callback that is put off, or the release of a close. */
enum chaos_op_kind {
    CHAOS_OP_REQUEST,
    CHAOS_OP_CREATE,
    CHAOS_OP_CQ,
    CHAOS_OP_SRQ,
    CHAOS_OP_CONNECT,
    CHAOS_OP_DISCONNECT,
    CHAOS_OP_DISCONNECT_EX,
    CHAOS_OP_RELEASE, /* no callback: only lets go of the object */
};

enum chaos_phase {
    CHAOS_PHASE_OPEN,      /* the caller may still return the result inline */
    CHAOS_PHASE_TAKEN,     /* it is there, the caller returns it */
    CHAOS_PHASE_SAID,      /* the caller returns STATUS_PENDING, so the callback comes */
    CHAOS_PHASE_DELIVERED, /* the callback has returned */
};

struct chaos_op {
    struct plat_call call;
    struct plat_timer timer;
    struct chaos_op *next; /* in incoming or finished */
    struct sn_list link;   /* in chaos_obj.queue */
    struct chaos_state *s;
    struct chaos_obj *c; /* lives while `holds` is held */
    struct rnic_obj *holds;
    enum chaos_op_kind kind;
    struct chaos_verdict verdict;
    struct sn_a32 refs;  /* the caller, and the way of the callback */
    struct sn_a32 phase; /* enum chaos_phase */
    bool is_embedded;    /* in a chaos_routine: not freed here */
    void (*fn)(void);
    void *ctx;
    NTSTATUS status;
    NTSTATUS instead; /* what the consumer is told for a success; STATUS_SUCCESS: the truth */
    NDK_OBJECT_HEADER *object;
    ULONG reason;
};

/* A routine that the provider calls by itself: notifications and events. The context that the
 * provider below gets. */
struct chaos_routine {
    struct chaos_routine *next; /* in chaos_obj.routines or chaos_state.orphans */
    struct sn_a32 is_unused;    /* its call failed: it may be given anew */
    struct chaos_obj *c;        /* set before anything is called; NULL: the layer stays out */
    void (*fn)(void);
    void *ctx;
    struct sn_a32 due;    /* notifications that came and are not delivered */
    struct sn_a32 status; /* of a queue that died; else STATUS_SUCCESS */
    struct chaos_op op;
};

/* ---- object.c ---- */

/* NULL: the layer leaves this object alone. */
static inline struct chaos_obj *chaos_of(const void *object)
{
    return ((const struct ndk_object *)object)->Header.NdkReserved.rf[NDK_SLOT_CHAOS];
}
void chaos_wrap(void *state, struct ndk_object *o);
void chaos_free_obj(struct chaos_obj *c);
/* Names a new child for the decisions. Both may be unwrapped: then nothing happens. */
void chaos_name_child(struct chaos_obj *parent, const void *child);
/* How often the entry was called on the object before. */
uint32_t chaos_count(struct chaos_obj *c, enum chaos_entry entry);
NTSTATUS chaos_close(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext);

/* ---- the tables, by kind of object: replace what the state asks for ---- */
void chaos_adapter_table(const struct chaos_state *s, void *table);
void chaos_pd_table(const struct chaos_state *s, void *table);
void chaos_mr_table(const struct chaos_state *s, void *table);
void chaos_srq_table(const struct chaos_state *s, void *table);
void chaos_cq_table(const struct chaos_state *s, void *table);
void chaos_qp_table(const struct chaos_state *s, void *table);
void chaos_connector_table(const struct chaos_state *s, void *table);
void chaos_listener_table(const struct chaos_state *s, void *table);

/* ---- op.c: calls that may pend ---- */

/*
 * Begins one. *status STATUS_SUCCESS: the call shall be made, with chaos_completed (or
 * chaos_created, and &op->object for the out parameter) and the result as its context, and then
 * chaos_end. Otherwise NULL, and *status is what the consumer gets; it may be STATUS_PENDING.
 */
struct chaos_op *chaos_begin(struct chaos_obj *c, enum chaos_entry entry, enum chaos_op_kind kind,
    void (*fn)(void), void *ctx, NTSTATUS *status);
VOID chaos_completed(PVOID op, NTSTATUS status);
VOID chaos_created(PVOID op, NTSTATUS status, NDK_OBJECT_HEADER *object);
/* What the consumer gets for what the call returned. `out` (may be NULL) is the out parameter of a
 * create: it gets the object if that is told inline. */
NTSTATUS chaos_end(struct chaos_op *op, NTSTATUS returned, void *out);

/* An operation that begins here, not with a call. NULL: no memory. */
struct chaos_op *chaos_op_new(struct chaos_obj *c, enum chaos_op_kind kind);
/* Any thread: takes a reference on the object, then the turn of the operation comes some time. */
void chaos_op_queue(struct chaos_op *op);
/* Drops one of its two references. */
void chaos_op_put(struct chaos_op *op);
/* Waits a little for the phase, if this thread may. True: it is there. */
bool chaos_op_await(struct chaos_op *op, enum chaos_phase phase);
void chaos_yield(struct chaos_state *s, uint32_t times);
/* The lane's work. */
void chaos_lane_work(void *state);

/* ---- routine.c: what the provider calls by itself ---- */
struct chaos_routine *chaos_routine_new(void (*fn)(void), void *ctx);
/* From here on it is the object's, and freed with it. */
void chaos_routine_give(struct chaos_obj *c, struct chaos_routine *r);
/* One for a disconnect event (fn may be NULL), which is the object's already. NULL: no memory. */
struct chaos_routine *chaos_event_begin(struct chaos_obj *c, void (*fn)(void), void *ctx);
/* The call that was to take it returned `status`: if it failed, nothing will be called. */
NTSTATUS chaos_event_end(struct chaos_routine *r, NTSTATUS status);
VOID chaos_on_cq(PVOID routine, NTSTATUS status);
VOID chaos_on_srq(PVOID routine, NTSTATUS status);
VOID chaos_on_connect(PVOID routine, NDK_CONNECTOR *connector);
VOID chaos_on_disconnect(PVOID routine);
VOID chaos_on_disconnect_ex(PVOID routine, ULONG reason);
/* Calls the consumer at DISPATCH_LEVEL for an operation whose turn it is. */
void chaos_deliver(struct chaos_op *op);
/* A notification was delivered: true if another one is due. */
bool chaos_routine_again(struct chaos_op *op);

/* ---- inject.c ---- */

/* A synchronous call: STATUS_SUCCESS, or the status with which it fails. */
NTSTATUS chaos_fault(struct chaos_obj *c, enum chaos_entry entry);
/* Around a request that is posted on a queue pair: STATUS_SUCCESS, or the status with which it is
 * refused; afterwards, it may have been one too many for the connection. */
NTSTATUS chaos_before_post(struct chaos_obj *c, enum chaos_entry entry);
NTSTATUS chaos_after_post(struct chaos_obj *c, NTSTATUS status);
void chaos_lose(struct rnic_task *task, uint32_t todo); /* of chaos_obj.loss: ends the connection */
/* A poll found something: it may have been one too many for the queue. */
void chaos_after_poll(struct chaos_obj *c);

#endif
