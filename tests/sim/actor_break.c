/* SPDX-License-Identifier: MIT */
/* A consumer that asks for what it may not have: the connection ends, and nothing else happens. */
#include "sim/actor_impl.h"

/* A Write or Read beyond the end of the peer's region, or with an STag that names nothing, there or
 * here.
 */
static void access_wrongly(struct actor *a, struct op *op)
{
    struct grant *g = &actor_peer(a)->domain->grant[0];
    uint64_t to = g->base + g->len - rng_below(rng_of(a), 50);
    uint32_t stag = rng_chance(rng_of(a), 500) ? g->stag : g->stag ^ 1;
    struct iw_sge sgl[OP_SGES_MAX];
    enum sn_status s;

    actor_find_local(a, op, rng_between(rng_of(a), 51, 3000));
    actor_fill_sgl(op, sgl);
    if (op->len <= 50) {
        op->is_done = true;
        return;
    }
    if (rng_chance(rng_of(a), 300))
        sgl[0].stag ^= 1;
    if (op->kind == OP_WRITE)
        s = rnic_qp_write(a->qp, (void *)(uintptr_t)op->id, sgl, op->sges, to, stag, 0);
    else
        s = rnic_qp_read(a->qp, (void *)(uintptr_t)op->id, sgl, op->sges, to, stag, 0);
    if (s == SN_INVALID && a->ord == 0)
        op->is_done = true;
    else
        actor_is_posted(a, op, s);
}

/* Longer than what is posted for it; to a shared queue, than what ever is. */
static void send_too_much(struct actor *a, struct op *op)
{
    struct iw_sge sgl[OP_SGES_MAX];

    actor_find_local(a, op, actor_send_len_max(a) + rng_between(rng_of(a), 1, 500));
    actor_gather(op);
    actor_fill_sgl(op, sgl);
    if (actor_is_posted(a, op, rnic_qp_send(a->qp, (void *)(uintptr_t)op->id, sgl, op->sges, 0, 0)))
        actor_note_sent(a, op);
}

/* Invalidates what is not valid, here or there. */
static void invalidate_wrongly(struct actor *a, struct op *op)
{
    struct grant *g = &a->domain->grant[SLICES_MAX + rng_below(rng_of(a), FASTS)];
    struct actor *peer = actor_peer(a);

    if (op->kind == OP_SEND) {
        op->flags = IW_WR_INVALIDATE;
        if (actor_is_posted(a, op,
                rnic_qp_send(a->qp, (void *)(uintptr_t)op->id, NULL, 0, op->flags,
                    peer->domain->grant[0].stag)))
            actor_note_sent(a, op);
        return;
    }
    if (g->state != GRANT_NONE || g->life->state != LIFE_OPEN) {
        op->is_done = true;
        return;
    }
    op->grant = g;
    /* It may wait for long: nobody may make valid meanwhile what it would then end by right. */
    if (actor_is_posted(
            a, op, rnic_qp_invalidate(a->qp, (void *)(uintptr_t)op->id, &g->mr->obj, 0)))
        actor_begin_ending(g);
}

/* A receive that names no memory. */
static void receive_wrongly(struct actor *a)
{
    const struct iw_sge sge = {.addr = 0, .len = 3000, .stag = a->domain->grant[0].stag ^ 1};
    struct op *op = op_new(world_of(a), a, OP_RECEIVE);

    op->is_done = true;
    if (a->uses_srq || rnic_qp_receive(a->qp, (void *)(uintptr_t)op->id, &sge, 1) != SN_OK)
        return;
    op->is_done = false;
    actor_note_receive(a, op);
}

void actor_misbehave(struct actor *a)
{
    struct world *w = world_of(a);

    if (a->is_over || !a->is_usable || a->qp_life->state != LIFE_OPEN)
        return;
    link_taint(a->link, TAINT_ACCESS);
    switch (rng_below(rng_of(a), 6)) {
    case 0:
        access_wrongly(a, op_new(w, a, OP_WRITE));
        break;
    case 1:
        access_wrongly(a, op_new(w, a, OP_READ));
        break;
    case 2:
        send_too_much(a, op_new(w, a, OP_SEND));
        break;
    case 3:
        invalidate_wrongly(a, op_new(w, a, OP_SEND));
        break;
    case 4:
        invalidate_wrongly(a, op_new(w, a, OP_INVALIDATE));
        break;
    default:
        receive_wrongly(a);
        break;
    }
}
