/* SPDX-License-Identifier: MIT */
#include "sim/order.h"

#include <string.h>

#include "sim/actor.h"
#include "sim/link.h"
#include "sim/world.h"

void order_posted(struct order *o, struct op *op)
{
    if (o->head == NULL)
        o->head = op;
    else
        o->tail->next = op;
    o->tail = op;
    o->count++;
}

static struct op *pop(struct order *o)
{
    struct op *op = o->head;

    o->head = op->next;
    if (o->head == NULL)
        o->tail = NULL;
    o->count--;
    return op;
}

/* ---- what a success says ---- */

/* Everything that was posted before `than` on this queue pair has reached the peer's memory. */
static void writes_delivered(struct actor *a, const struct op *than)
{
    while (a->write_head != NULL && a->write_head->id < than->id) {
        struct op *op = a->write_head;

        a->write_head = op->next_write;
        op_release_remote(op, true);
    }
    if (a->write_head == NULL)
        a->write_tail = NULL;
}

static void grant_became(struct op *op, bool is_ok)
{
    struct grant *g = op->grant;

    switch (op->kind) {
    case OP_FAST:
        grant_changed(g, GRANT_VALID, is_ok);
        break;
    case OP_BIND:
        grant_changed(g, GRANT_VALID, is_ok);
        g->over->users--;
        if (is_ok && g->life->state == LIFE_OPEN)
            life_stand_on(g->life, g->over->life);
        break;
    case OP_INVALIDATE:
    case OP_READ: /* with its sink's region */
        grant_changed(g, GRANT_NONE, is_ok);
        break;
    case OP_SEND: /* the peer's: see check_invalidated */
    case OP_WRITE:
    case OP_RECEIVE:
        break;
    }
}

static void succeeded(struct op *op)
{
    op->is_done = true;
    op_release_local(op, true);
    if (op->kind == OP_READ) {
        writes_delivered(op->actor, op);
        op_release_remote(op, true);
    }
    if (op->grant != NULL)
        grant_became(op, true);
    op->world->stats.octets += op->len;
}

static void failed(struct op *op)
{
    op->is_done = true;
    op_release_local(op, false);
    if (op->kind == OP_READ)
        op_release_remote(op, false);
    if (op->grant != NULL)
        grant_became(op, false);
}

/* ---- statuses ---- */

static void check_status(
    struct actor *a, struct order *o, const struct op *op, enum sn_status status)
{
    struct world *w = op->world;

    if (status == SN_OK) {
        if (o != NULL && o->has_failed)
            world_fail(w, "order: %s %u is OK behind one that is not", op_name(op), op->id);
        return;
    }
    if (o != NULL)
        o->has_failed = true;
    a->is_over = true;
    if (!link_may_fail(a->link, status))
        world_fail(w, "completion: %s %u on link %u side %u ends %s (taint 0x%x)", op_name(op),
            op->id, a->link->number, a->side, sn_status_name(status), a->link->taint);
    if (status != SN_CANCELLED && ++a->reals > 1)
        world_fail(w, "completion: a second reason, %s, on link %u side %u", sn_status_name(status),
            a->link->number, a->side);
}

/* ---- initiator requests ---- */

static void initiator_completed(struct actor *a, struct op *op, const struct rnic_cqe *e)
{
    static const uint8_t op_of[] = {
        [OP_SEND] = RNIC_CQE_SEND,
        [OP_WRITE] = RNIC_CQE_WRITE,
        [OP_READ] = RNIC_CQE_READ,
        [OP_FAST] = RNIC_CQE_FAST_REGISTER,
        [OP_BIND] = RNIC_CQE_BIND,
        [OP_INVALIDATE] = RNIC_CQE_INVALIDATE,
    };

    while (a->sq.head != NULL && a->sq.head != op) {
        struct op *before = pop(&a->sq);

        if (!(before->flags & IW_WR_SILENT) || a->sq.has_failed) {
            world_fail(op->world, "order: %s %u completes before %s %u", op_name(op), op->id,
                op_name(before), before->id);
            return;
        }
        succeeded(before);
    }
    if (a->sq.head != op) {
        world_fail(op->world, "order: %s %u completes although it is not in its queue", op_name(op),
            op->id);
        return;
    }
    pop(&a->sq);
    if (e->op != op_of[op->kind])
        world_fail(
            op->world, "completion: %s %u completes as operation %u", op_name(op), op->id, e->op);
    check_status(a, &a->sq, op, (enum sn_status)e->status);
    if (e->status == SN_OK && (op->flags & IW_WR_SILENT))
        world_fail(op->world, "completion: silent %s %u succeeded aloud", op_name(op), op->id);
    if (e->status == SN_OK)
        succeeded(op);
    else
        failed(op);
}

/* ---- receives ---- */

static struct op *next_message(struct actor *from)
{
    struct op *m = from->sent_head;

    if (m != NULL) {
        from->sent_head = m->next_sent;
        if (from->sent_head == NULL)
            from->sent_tail = NULL;
    }
    return m;
}

static void check_invalidated(struct op *message, const struct rnic_cqe *e)
{
    struct grant *g = message->grant;

    if ((g != NULL) != (e->has_invalidated != 0) || (g != NULL && e->stag != g->stag)) {
        world_fail(message->world, "completion: receive of Send %u says invalidated %d STag %08x",
            message->id, e->has_invalidated, e->stag);
        return;
    }
    if (g != NULL)
        grant_changed(g, GRANT_NONE, true);
}

static void received(struct actor *a, struct op *op, const struct rnic_cqe *e)
{
    struct actor *peer = actor_peer(a);
    struct op *message = next_message(peer);

    if (message == NULL) {
        world_fail(op->world, "completion: a receive on link %u side %u that nobody sent",
            a->link->number, a->side);
        return;
    }
    if (e->len != message->len)
        world_fail(op->world, "completion: Receive %u has %u octets, Send %u had %u", op->id,
            e->len, message->id, message->len);
    op_expect(op, message);
    op->is_done = true;
    op_release_local(op, true);
    writes_delivered(peer, message);
    check_invalidated(message, e);
    a->receives_done++;
}

static void receive_completed(struct actor *a, struct op *op, const struct rnic_cqe *e)
{
    if (op->domain == NULL) {
        if (a->rq.head != op) {
            world_fail(op->world, "order: Receive %u completes out of order", op->id);
            return;
        }
        pop(&a->rq);
    } else {
        op->domain->srq_posted--;
        op->actor = a;
    }
    check_status(a, &a->rq, op, (enum sn_status)e->status);
    if (e->status == SN_OK)
        received(a, op, e);
    else
        failed(op);
}

/* ---- completions ---- */

void order_completed(struct cq *q, const struct rnic_cqe *e)
{
    struct world *w = q->host->world;
    struct actor *a = e->qp_context;
    uintptr_t id = (uintptr_t)e->context;
    struct op *op;

    if (id >= w->ops_count) {
        world_fail(w, "completion: of a request that nobody posted (%zx)", (size_t)id);
        return;
    }
    op = w->ops[id];
    world_log(w, "link %u side %u: %s %u completes %s, %u octets", a->link->number, a->side,
        op_name(op), op->id, sn_status_name((enum sn_status)e->status), e->len);
    w->stats.completions++;
    if (op->is_done) {
        world_fail(w, "completion: %s %u completes twice", op_name(op), op->id);
        return;
    }
    if (op->domain == NULL && op->actor != a) {
        world_fail(w, "completion: %s %u on another queue pair", op_name(op), op->id);
        return;
    }
    if ((e->op == RNIC_CQE_RECEIVE) != (op->kind == OP_RECEIVE) ||
        q != (op->kind == OP_RECEIVE ? a->recv_cq : a->send_cq)) {
        world_fail(w, "completion: %s %u in the wrong queue or as operation %u", op_name(op),
            op->id, e->op);
        return;
    }
    if (op->kind == OP_RECEIVE)
        receive_completed(a, op, e);
    else
        initiator_completed(a, op, e);
}

void order_ended(struct actor *a, bool is_blind)
{
    while (a->sq.head != NULL) {
        struct op *op = pop(&a->sq);

        if (!is_blind && (!(op->flags & IW_WR_SILENT) || a->sq.has_failed))
            world_fail(op->world, "completion: %s %u is lost", op_name(op), op->id);
        if (is_blind)
            failed(op);
        else
            succeeded(op);
    }
    while (a->rq.head != NULL) {
        struct op *op = pop(&a->rq);

        if (!is_blind)
            world_fail(op->world, "completion: Receive %u is lost", op->id);
        failed(op);
    }
}
