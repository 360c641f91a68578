/* SPDX-License-Identifier: MIT */
/*
 * What the provider calls by itself: notifications, connect and disconnect events. All of them pass
 * through the queue of their object when the schedule puts things off, so that an event cannot
 * overtake the completion that it follows.
 */
#include "base/alloc.h"
#include "chaos/impl.h"
#include "kenv/irql.h"

struct chaos_routine *chaos_routine_new(void (*fn)(void), void *ctx)
{
    struct chaos_routine *r = sn_zalloc(sizeof *r);

    if (r == NULL)
        return NULL;
    r->fn = fn;
    r->ctx = ctx;
    sn_list_init(&r->op.link);
    r->op.is_embedded = true;
    return r;
}

void chaos_routine_give(struct chaos_obj *c, struct chaos_routine *r)
{
    void *top;

    r->c = c;
    do {
        top = sn_aptr_load_acquire(&c->routines);
        r->next = top;
    } while (!sn_aptr_cas(&c->routines, top, r));
}

/* One that an earlier, failed call left, so that calls which fail for ever do not allocate for
 * ever. */
static struct chaos_routine *reuse(struct chaos_obj *c)
{
    struct chaos_routine *r = sn_aptr_load_acquire(&c->routines);

    while (r != NULL && !sn_a32_cas(&r->is_unused, 1, 0))
        r = r->next;
    return r;
}

struct chaos_routine *chaos_event_begin(struct chaos_obj *c, void (*fn)(void), void *ctx)
{
    struct chaos_routine *r = reuse(c);

    if (r != NULL) {
        r->fn = fn;
        r->ctx = ctx;
        return r;
    }
    r = chaos_routine_new(fn, ctx);
    if (r != NULL)
        chaos_routine_give(c, r);
    return r;
}

NTSTATUS chaos_event_end(struct chaos_routine *r, NTSTATUS status)
{
    if (!NT_SUCCESS(status))
        sn_a32_store_release(&r->is_unused, 1);
    return status;
}

/* ---- the consumer's routines, at DISPATCH_LEVEL ---- */

static const char *const names[] = {
    [CHAOS_OP_REQUEST] = "NDK_FN_REQUEST_COMPLETION",
    [CHAOS_OP_CREATE] = "NDK_FN_CREATE_COMPLETION",
    [CHAOS_OP_CQ] = "NDK_FN_CQ_NOTIFICATION_CALLBACK",
    [CHAOS_OP_SRQ] = "NDK_FN_SRQ_NOTIFICATION_CALLBACK",
    [CHAOS_OP_CONNECT] = "NDK_FN_CONNECT_EVENT_CALLBACK",
    [CHAOS_OP_DISCONNECT] = "NDK_FN_DISCONNECT_EVENT_CALLBACK",
    [CHAOS_OP_DISCONNECT_EX] = "NDK_FN_DISCONNECT_EVENT_CALLBACK_EX",
    [CHAOS_OP_RELEASE] = "NDK_FN_CLOSE_COMPLETION",
};

static void call(struct chaos_op *op)
{
    switch (op->kind) {
    case CHAOS_OP_REQUEST:
        ((NDK_FN_REQUEST_COMPLETION)op->fn)(op->ctx, op->status);
        return;
    case CHAOS_OP_CREATE:
        ((NDK_FN_CREATE_COMPLETION)op->fn)(
            op->ctx, op->status, NT_SUCCESS(op->status) ? op->object : NULL);
        return;
    case CHAOS_OP_CQ:
        ((NDK_FN_CQ_NOTIFICATION_CALLBACK)op->fn)(op->ctx, op->status);
        return;
    case CHAOS_OP_SRQ:
        ((NDK_FN_SRQ_NOTIFICATION_CALLBACK)op->fn)(op->ctx, op->status);
        return;
    case CHAOS_OP_CONNECT:
        ((NDK_FN_CONNECT_EVENT_CALLBACK)op->fn)(op->ctx, (NDK_CONNECTOR *)(void *)op->object);
        return;
    case CHAOS_OP_DISCONNECT:
        ((NDK_FN_DISCONNECT_EVENT_CALLBACK)op->fn)(op->ctx);
        return;
    case CHAOS_OP_DISCONNECT_EX:
        ((NDK_FN_DISCONNECT_EVENT_CALLBACK_EX)op->fn)(op->ctx, op->reason);
        return;
    case CHAOS_OP_RELEASE:
        return;
    }
}

void chaos_deliver(struct chaos_op *op)
{
    KIRQL old;

    if (op->kind == CHAOS_OP_RELEASE)
        return;
    if (op->is_embedded)
        op->status =
            (NTSTATUS)sn_a32_load_acquire(&SN_CONTAINER_OF(op, struct chaos_routine, op)->status);
    old = kenv_irql_set(DISPATCH_LEVEL);
    call(op);
    kenv_irql_callback_done(DISPATCH_LEVEL, old, names[op->kind]);
}

/* ---- notifications ---- */

bool chaos_routine_again(struct chaos_op *op)
{
    struct chaos_routine *r = SN_CONTAINER_OF(op, struct chaos_routine, op);

    if (sn_a32_fetch_sub(&r->due, 1) == 1)
        return false;
    return true;
}

/* One call below is one call above, never two at a time: what comes while one is due waits. */
static void notify(
    struct chaos_routine *r, enum chaos_entry entry, enum chaos_op_kind kind, NTSTATUS status)
{
    struct chaos_obj *c = r->c;

    if (status != STATUS_SUCCESS)
        sn_a32_store_release(&r->status, (uint32_t)status);
    if (sn_a32_fetch_add(&r->due, 1) != 0)
        return;
    r->op.s = c->s;
    r->op.c = c;
    r->op.kind = kind;
    r->op.fn = r->fn;
    r->op.ctx = r->ctx;
    r->op.verdict = chaos_decide(c->s->schedule, c->id, entry, chaos_count(c, entry));
    chaos_op_queue(&r->op);
}

VOID chaos_on_cq(PVOID routine, NTSTATUS status)
{
    struct chaos_routine *r = routine;

    if (r->c != NULL && r->c->s->schedule == CHAOS_SCHEDULE_HOSTILE)
        notify(r, CHAOS_CQ_NOTIFICATION, CHAOS_OP_CQ, status);
    else
        ((NDK_FN_CQ_NOTIFICATION_CALLBACK)r->fn)(r->ctx, status);
}

VOID chaos_on_srq(PVOID routine, NTSTATUS status)
{
    struct chaos_routine *r = routine;

    if (r->c != NULL && r->c->s->schedule == CHAOS_SCHEDULE_HOSTILE)
        notify(r, CHAOS_SRQ_NOTIFICATION, CHAOS_OP_SRQ, status);
    else
        ((NDK_FN_SRQ_NOTIFICATION_CALLBACK)r->fn)(r->ctx, status);
}

/* ---- events ---- */

/* Takes the place of an event in the queue of its object. Without memory it comes at once. */
static bool put_off(struct chaos_obj *c, enum chaos_entry entry, struct chaos_op *op)
{
    if (op == NULL)
        return false;
    op->verdict = chaos_decide(c->s->schedule, c->id, entry, chaos_count(c, entry));
    chaos_op_queue(op);
    chaos_op_put(op);
    return true;
}

VOID chaos_on_connect(PVOID routine, NDK_CONNECTOR *connector)
{
    struct chaos_routine *r = routine;
    struct chaos_op *op = r->c != NULL ? chaos_op_new(r->c, CHAOS_OP_CONNECT) : NULL;

    if (r->c != NULL)
        chaos_name_child(r->c, connector);
    if (op != NULL) {
        op->fn = r->fn;
        op->ctx = r->ctx;
        op->object = &connector->Header;
    }
    if (!put_off(r->c, CHAOS_CONNECT_EVENT, op))
        ((NDK_FN_CONNECT_EVENT_CALLBACK)r->fn)(r->ctx, connector);
}

/* False: it has to be called at once. */
static bool put_off_disconnect(struct chaos_routine *r, enum chaos_op_kind kind, ULONG reason)
{
    struct chaos_op *op = chaos_op_new(r->c, kind);

    if (op != NULL) {
        op->fn = r->fn;
        op->ctx = r->ctx;
        op->reason = reason;
    }
    return put_off(r->c, CHAOS_DISCONNECT_EVENT, op);
}

VOID chaos_on_disconnect(PVOID routine)
{
    struct chaos_routine *r = routine;

    if (!put_off_disconnect(r, CHAOS_OP_DISCONNECT, 0))
        ((NDK_FN_DISCONNECT_EVENT_CALLBACK)r->fn)(r->ctx);
}

VOID chaos_on_disconnect_ex(PVOID routine, ULONG reason)
{
    struct chaos_routine *r = routine;

    if (!put_off_disconnect(r, CHAOS_OP_DISCONNECT_EX, reason))
        ((NDK_FN_DISCONNECT_EVENT_CALLBACK_EX)r->fn)(r->ctx, reason);
}
