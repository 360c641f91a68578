/* SPDX-License-Identifier: MIT */
/*
 * Operations: calls that are made to pend or to finish inline, and callbacks that are put off.
 *
 *   consumer's call          the provider below            the layer's lane
 *   chaos_begin
 *     the call itself ---->  finishes inline, or
 *                            chaos_completed  -------+
 *   chaos_end  --------------------------------------+--->  incoming -> queue of the object
 *     waits, if the way asks for it                          timer, if there is a delay
 *                                                            the consumer's routine (home thread)
 *                                                            finished -> next of the queue
 *
 * The object is held from chaos_begin until the routine has returned; the adapter is held while the
 * caller is in here, because the routine may end in the close of everything but that.
 */
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "chaos/impl.h"
#include "kenv/irql.h"
#include "rnic/adapter.h"

/* How long a caller waits for its own callback: for others to get the processor a few times, not
 * longer, since it may be at DISPATCH_LEVEL and hold what the routine wants. */
enum { EARLY_YIELDS = 200, EARLY_NS = 1000000 };
/* How long a call waits to become inline, in steps. A peer that is this thread itself never comes.
 */
enum { INLINE_STEPS = 200, INLINE_STEP_NS = 100000 };

void chaos_yield(struct chaos_state *s, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++)
        s->adapter->plat->ops->yield(s->adapter->plat);
}

/* ---- life ---- */

struct chaos_op *chaos_op_new(struct chaos_obj *c, enum chaos_op_kind kind)
{
    struct chaos_op *op = sn_zalloc(sizeof *op);

    if (op == NULL)
        return NULL;
    op->s = c->s;
    op->c = c;
    op->kind = kind;
    sn_a32_store_relaxed(&op->refs, 2);
    sn_a32_store_relaxed(&op->phase, CHAOS_PHASE_SAID);
    sn_list_init(&op->link);
    return op;
}

void chaos_op_put(struct chaos_op *op)
{
    if (!op->is_embedded && sn_a32_fetch_sub(&op->refs, 1) == 1)
        sn_free(op);
}

static void hold(struct chaos_op *op)
{
    op->holds = op->c->o;
    rnic_obj_get(op->holds, RNIC_REF_REQUEST);
}

/* ---- the lane ---- */

static void run_call(struct plat_call *call);
static void fire(struct plat_timer *timer);

static void push(struct chaos_op *op, struct sn_aptr *stack)
{
    void *top;

    do {
        top = sn_aptr_load_acquire(stack);
        op->next = top;
    } while (!sn_aptr_cas(stack, top, op));
}

static struct chaos_op *take_oldest_first(struct sn_aptr *stack)
{
    struct chaos_op *op = sn_aptr_exchange(stack, NULL), *oldest = NULL;

    while (op != NULL) {
        struct chaos_op *next = op->next;

        op->next = oldest;
        oldest = op;
        op = next;
    }
    return oldest;
}

void chaos_op_queue(struct chaos_op *op)
{
    struct plat_lane *lane = op->s->lane;

    if (op->holds == NULL)
        hold(op);
    push(op, &op->s->incoming);
    plat_lane_leave_work(lane, false);
}

/* Its turn has come. */
static void start(struct chaos_op *op)
{
    op->call.run = run_call;
    if (op->verdict.delay_us == 0) {
        plat_lane_call(op->s->lane, &op->call);
        return;
    }
    plat_timer_init(&op->timer, fire);
    plat_timer_set(op->s->lane, &op->timer, (uint64_t)op->verdict.delay_us * 1000);
}

static void fire(struct plat_timer *timer)
{
    struct chaos_op *op = SN_CONTAINER_OF(timer, struct chaos_op, timer);

    plat_lane_call(op->s->lane, &op->call);
}

/* Home thread, outside the lane. */
static void run_call(struct plat_call *call)
{
    struct chaos_op *op = SN_CONTAINER_OF(call, struct chaos_op, call);
    struct chaos_state *s = op->s;

    chaos_deliver(op);
    sn_a32_store_release(&op->phase, CHAOS_PHASE_DELIVERED);
    push(op, &s->finished);
    /* The lane lives: the object that the operation holds is let go inside it. */
    plat_lane_leave_work(s->lane, true);
}

static void enqueue(struct chaos_op *op)
{
    bool is_first = sn_list_is_empty(&op->c->queue);

    sn_list_push_back(&op->c->queue, &op->link);
    if (is_first)
        start(op);
}

static void finish(struct chaos_op *op)
{
    struct chaos_obj *c = op->c;
    struct rnic_obj *held = op->holds;

    sn_list_remove(&op->link);
    sn_list_init(&op->link);
    op->holds = NULL;
    if (!sn_list_is_empty(&c->queue))
        start(SN_CONTAINER_OF(c->queue.next, struct chaos_op, link));
    if (op->is_embedded && chaos_routine_again(op)) {
        op->holds = held;
        enqueue(op);
        return;
    }
    chaos_op_put(op);
    rnic_obj_put(held, RNIC_REF_REQUEST); /* c may be gone from here on */
}

void chaos_lane_work(void *state)
{
    struct chaos_state *s = state;
    struct chaos_op *op, *next;

    for (op = take_oldest_first(&s->incoming); op != NULL; op = next) {
        next = op->next;
        enqueue(op);
    }
    for (op = take_oldest_first(&s->finished); op != NULL; op = next) {
        next = op->next;
        finish(op);
    }
}

/* ---- waiting ---- */

static bool is_past(struct chaos_op *op, enum chaos_phase phase)
{
    return sn_a32_load_acquire(&op->phase) == (uint32_t)phase;
}

/* Inside a lane nobody waits; nor does the thread that the callback needs. */
static bool may_yield(struct chaos_op *op)
{
    return plat_lane_current() == NULL && !plat_lane_is_home(op->s->lane);
}

static bool await_delivery(struct chaos_op *op)
{
    struct plat *plat = op->s->adapter->plat;
    uint64_t until = plat_now_ns(plat) + EARLY_NS;

    for (unsigned i = 0; i < EARLY_YIELDS && !is_past(op, CHAOS_PHASE_DELIVERED); i++) {
        if (plat_now_ns(plat) > until)
            break;
        plat->ops->yield(plat);
    }
    return is_past(op, CHAOS_PHASE_DELIVERED);
}

/* At PASSIVE_LEVEL on a thread of the consumer's own: it may sleep. */
static bool await_result(struct chaos_op *op)
{
    const struct timespec step = {.tv_nsec = INLINE_STEP_NS};

    if (kenv_irql_now != PASSIVE_LEVEL || plat_is_in_call())
        return is_past(op, CHAOS_PHASE_TAKEN);
    for (unsigned i = 0; i < INLINE_STEPS && !is_past(op, CHAOS_PHASE_TAKEN); i++)
        nanosleep(&step, NULL);
    return is_past(op, CHAOS_PHASE_TAKEN);
}

bool chaos_op_await(struct chaos_op *op, enum chaos_phase phase)
{
    if (!may_yield(op))
        return is_past(op, phase);
    return phase == CHAOS_PHASE_TAKEN ? await_result(op) : await_delivery(op);
}

/* ---- calls ---- */

/* The caller leaves. */
static void leave(struct chaos_op *op)
{
    struct chaos_state *s = op->s;
    struct rnic_obj *adapter = &s->adapter->obj;

    chaos_yield(s, op->verdict.yields_after);
    chaos_op_put(op);
    rnic_obj_put(adapter, RNIC_REF_REQUEST);
}

/* The result is the call's: no callback. */
static NTSTATUS end_inline(struct chaos_op *op, NTSTATUS status)
{
    struct rnic_obj *held = op->holds;

    op->holds = NULL;
    chaos_op_put(op);
    rnic_obj_put(held, RNIC_REF_REQUEST);
    leave(op);
    return status;
}

static NTSTATUS end_pending(struct chaos_op *op)
{
    if (op->verdict.way == CHAOS_EARLY)
        (void)chaos_op_await(op, CHAOS_PHASE_DELIVERED);
    leave(op);
    return STATUS_PENDING;
}

static NTSTATUS end_later(struct chaos_op *op, NTSTATUS status)
{
    op->status = status;
    sn_a32_store_relaxed(&op->phase, CHAOS_PHASE_SAID);
    chaos_op_queue(op);
    return end_pending(op);
}

/* May what has finished inline be told through the callback instead? */
static bool is_put_off(const struct chaos_op *op, NTSTATUS status)
{
    return (op->verdict.way == CHAOS_LATER || op->verdict.way == CHAOS_EARLY) && op->fn != NULL &&
           chaos_status_may_pend(status);
}

static struct chaos_op *begin(
    struct chaos_obj *c, enum chaos_entry entry, enum chaos_op_kind kind, uint32_t nth)
{
    struct chaos_op *op = chaos_op_new(c, kind);

    if (op == NULL)
        return NULL;
    op->verdict = chaos_decide(c->s->schedule, c->id, entry, nth);
    if (op->verdict.way == CHAOS_INLINE)
        sn_a32_store_relaxed(&op->phase, CHAOS_PHASE_OPEN);
    rnic_obj_get(&c->s->adapter->obj, RNIC_REF_REQUEST);
    hold(op);
    chaos_yield(c->s, op->verdict.yields_before);
    return op;
}

struct chaos_op *chaos_begin(struct chaos_obj *c, enum chaos_entry entry, enum chaos_op_kind kind,
    void (*fn)(void), void *ctx, NTSTATUS *status)
{
    bool is_async = false;
    uint32_t nth = chaos_count(c, entry);
    NTSTATUS fault = chaos_faults_call(&c->s->faults, entry, c->id, nth, &is_async);
    struct chaos_op *op = begin(c, entry, kind, nth);

    *status = STATUS_INSUFFICIENT_RESOURCES;
    if (op == NULL)
        return NULL;
    op->fn = fn;
    op->ctx = ctx;
    *status = STATUS_SUCCESS;
    if (fault == STATUS_SUCCESS)
        return op;
    if (entry == CHAOS_DISCONNECT) {
        op->instead = fault; /* whatever is said, the connection is gone afterwards */
        return op;
    }
    if ((is_async && fn != NULL) || is_put_off(op, fault))
        *status = end_later(op, fault);
    else
        *status = end_inline(op, fault);
    return NULL;
}

VOID chaos_completed(PVOID context, NTSTATUS status)
{
    struct chaos_op *op = context;
    struct rnic_obj *held = op->holds;

    op->status = NT_SUCCESS(status) && op->instead != STATUS_SUCCESS ? op->instead : status;
    if (!sn_a32_cas(&op->phase, CHAOS_PHASE_OPEN, CHAOS_PHASE_TAKEN)) {
        chaos_op_queue(op);
        return;
    }
    /* The caller takes it from here; the way of the callback ends. */
    chaos_op_put(op);
    rnic_obj_put(held, RNIC_REF_REQUEST);
}

VOID chaos_created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    struct chaos_op *op = context;

    op->object = object;
    chaos_completed(op, status);
}

/* The object of a create call that ends inline. */
static void give(const struct chaos_op *op, NTSTATUS status, void *out)
{
    void *object = op->object;

    if (out != NULL && NT_SUCCESS(status))
        memcpy(out, &object, sizeof object);
}

NTSTATUS chaos_end(struct chaos_op *op, NTSTATUS returned, void *out)
{
    NTSTATUS status;

    if (returned != STATUS_PENDING) {
        if (NT_SUCCESS(returned) && op->instead != STATUS_SUCCESS)
            returned = op->instead;
        if (is_put_off(op, returned))
            return end_later(op, returned);
        give(op, returned, out);
        return end_inline(op, returned);
    }
    if (op->verdict.way != CHAOS_INLINE)
        return end_pending(op);
    if (!chaos_op_await(op, CHAOS_PHASE_TAKEN) &&
        sn_a32_cas(&op->phase, CHAOS_PHASE_OPEN, CHAOS_PHASE_SAID))
        return end_pending(op);
    status = op->status;
    give(op, status, out);
    leave(op);
    return status;
}
