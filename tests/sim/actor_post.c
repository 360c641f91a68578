/* SPDX-License-Identifier: MIT */
/* Sends, Writes and Reads of an actor, and where their octets are. */
#include <stdlib.h>
#include <string.h>

#include "sim/actor_impl.h"

/* ---- scatter/gather lists ---- */

uint32_t actor_random_len(const struct actor *a, uint32_t max)
{
    uint32_t kind = rng_below(rng_of(a), 10);
    uint32_t cap = kind < 5 ? 100 : kind < 8 ? 1600 : UINT32_MAX;

    if (max > plan_of(a)->len_max)
        max = plan_of(a)->len_max;
    if (max > cap)
        max = cap;
    return kind == 0 || max == 0 ? 0 : rng_between(rng_of(a), 1, max);
}

static struct iw_sge sge_of(const struct place *p)
{
    return (struct iw_sge){.addr = p->to, .len = p->piece.len, .stag = p->stag};
}

/* Do two places share a granule? The shadow would not know yet. */
static bool is_clash(const struct op *op, const struct piece *p)
{
    for (uint32_t i = 0; i < op->sges; i++) {
        const struct piece *q = &op->local[i].piece;

        if (q->in == p->in && p->at / SHADOW_GRANULE <= (q->at + q->len) / SHADOW_GRANULE &&
            q->at / SHADOW_GRANULE <= (p->at + p->len) / SHADOW_GRANULE)
            return true;
    }
    return false;
}

/* Up to `want` octets in up to `max` pieces of the own domain. */
void actor_find_local(struct actor *a, struct op *op, uint32_t want)
{
    enum use use = op->kind == OP_READ      ? USE_SINK
                   : op->kind == OP_RECEIVE ? USE_RECEIVE
                                            : USE_SOURCE;
    uint32_t max = a->sge_max;
    uint32_t pieces = rng_between(rng_of(a), 1, max);

    while (op->sges < pieces && (op->len < want || rng_chance(rng_of(a), 50))) {
        struct place *p = &op->local[op->sges];
        uint32_t left = want - op->len;

        if (op->sges + 1 < pieces)
            left = rng_between(rng_of(a), 0, left);
        if (!domain_find(a->domain, a, left, use, p) || is_clash(op, &p->piece))
            return;
        op->sges++;
        op->len += p->piece.len;
    }
}

void actor_gather(struct op *op)
{
    uint32_t at = 0;

    op->data = malloc(op->len + 1u);
    for (uint32_t i = 0; i < op->sges; i++) {
        const struct piece *p = &op->local[i].piece;

        memcpy(op->data + at, shadow_octets(p), p->len);
        at += p->len;
    }
}

/* A Read under way on this queue pair with something in its sink. */
static struct op *read_under_way(const struct actor *a)
{
    struct op *found = NULL;

    for (struct op *op = a->sq.head; op != NULL; op = op->next) {
        if (op->kind == OP_READ && op->data != NULL && op->grant == NULL && op->sges > 0 &&
            op->local[0].piece.len > 0)
            found = op;
    }
    return found;
}

/* What a Send or Write carries: its own memory, or what a Read will have brought when the fence
 * opens. */
void actor_find_source(struct actor *a, struct op *op, uint32_t want)
{
    struct op *read = read_under_way(a);

    if (read != NULL && want > 0 && rng_chance(rng_of(a), 200)) {
        struct place p = read->local[0];
        uint32_t off = rng_below(rng_of(a), p.piece.len);

        p.piece.at += off;
        p.to += off;
        p.piece.len -= off;
        if (p.piece.len > want)
            p.piece.len = want;
        op->flags |= IW_WR_READ_FENCE;
        op->local[0] = p;
        op->sges = 1;
        op->len = p.piece.len;
        op->data = malloc(op->len + 1u);
        memcpy(op->data, read->data + off, op->len);
        return;
    }
    actor_find_local(a, op, want);
    actor_gather(op);
}

/* ---- posting ---- */

uint32_t actor_random_flags(struct actor *a)
{
    const struct plan *p = plan_of(a);
    uint32_t flags = 0;

    if (rng_chance(rng_of(a), p->silent_permille))
        flags |= IW_WR_SILENT;
    if (rng_chance(rng_of(a), p->defer_permille))
        flags |= RNIC_POST_DEFER;
    if (rng_chance(rng_of(a), p->fence_permille))
        flags |= IW_WR_READ_FENCE;
    return flags;
}

/* Is this answer to a post all right? True: it was posted. */
bool actor_is_posted(struct actor *a, struct op *op, enum sn_status s)
{
    struct world *w = world_of(a);

    world_log(w, "link %u side %u: post %s %u, %u octets, flags 0x%x -> %s", a->link->number,
        a->side, op_name(op), op->id, op->len, op->flags, sn_status_name(s));
    if (s == SN_OK) {
        a->has_deferred = (op->flags & RNIC_POST_DEFER) != 0;
        order_posted(&a->sq, op);
        op_hold(op);
        return true;
    }
    op->is_done = true;
    a->has_deferred = false;
    if (s == SN_QUEUE_FULL && a->sq.count >= a->send_depth)
        return false;
    if (s == SN_NOT_CONNECTED && a->link->taint != 0) {
        a->is_over = true;
        return false;
    }
    world_fail(w, "posting %s on link %u side %u answers %s, %u of %u are under way", op_name(op),
        a->link->number, a->side, sn_status_name(s), a->sq.count, a->send_depth);
    return false;
}

/* The octets of an inline request are read during the call and are the consumer's again at once. */
void actor_fill_sgl(const struct op *op, struct iw_sge *sgl)
{
    for (uint32_t i = 0; i < op->sges; i++) {
        sgl[i] = sge_of(&op->local[i]);
        if (op->flags & IW_WR_INLINE) {
            sgl[i].addr =
                (uint64_t)(uintptr_t)(op->local[i].piece.in->memory + op->local[i].piece.at);
            sgl[i].stag = 0xdeadbeef;
        }
    }
}

static void after_inline(struct op *op)
{
    struct piece piece[OP_SGES_MAX];
    uint32_t n = op->sges;

    if (!(op->flags & IW_WR_INLINE))
        return;
    for (uint32_t i = 0; i < n; i++)
        piece[i] = op->local[i].piece;
    op->sges = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (shadow_is_free(&piece[i], true))
            shadow_scribble(&piece[i]);
    }
}

static void maybe_inline(struct actor *a, struct op *op)
{
    if (op->len <= a->inline_max && !(op->flags & IW_WR_READ_FENCE) &&
        rng_chance(rng_of(a), plan_of(a)->inline_permille))
        op->flags |= IW_WR_INLINE;
}

bool actor_send(struct actor *a, struct op *op, uint32_t invalidate_stag)
{
    struct iw_sge sgl[OP_SGES_MAX];
    enum sn_status s;

    actor_fill_sgl(op, sgl);
    s = rnic_qp_send(a->qp, (void *)(uintptr_t)op->id, sgl, op->sges, op->flags, invalidate_stag);
    if (s == SN_OK)
        after_inline(op);
    if (!actor_is_posted(a, op, s))
        return false;
    actor_note_sent(a, op);
    return true;
}

void actor_post_send(struct actor *a)
{
    struct op *op = op_new(world_of(a), a, OP_SEND);

    op->flags = actor_random_flags(a);
    if (rng_chance(rng_of(a), 300))
        op->flags |= IW_WR_SOLICITED;
    actor_find_source(a, op, actor_random_len(a, actor_send_len_max(a)));
    maybe_inline(a, op);
    actor_send(a, op, 0);
}

/* Does nobody but this consumer use it, and does one of his Reads? */
static bool is_used_by_me_alone(const struct actor *a, const struct grant *g, bool *has_read)
{
    uint32_t mine = 0;

    *has_read = false;
    for (const struct op *op = a->write_head; op != NULL; op = op->next_write)
        mine += op->remote.via == g && op->is_remote_held;
    for (const struct op *op = a->sq.head; op != NULL; op = op->next) {
        if (op->kind == OP_READ && op->is_remote_held && op->remote.via == g) {
            mine++;
            *has_read = true;
        }
    }
    return mine == g->users;
}

void actor_post_send_and_invalidate(struct actor *a)
{
    struct actor *peer = actor_peer(a);
    struct grant *g = &peer->domain->grant[rng_between(rng_of(a), SLICES_MAX, GRANTS - 1)];
    bool has_read;
    struct op *op;

    if (g->state != GRANT_VALID || !(g->rights & (MEM_REMOTE_READ | MEM_REMOTE_WRITE)) ||
        (g->kind == GRANT_WINDOW && g->only != peer) || !is_used_by_me_alone(a, g, &has_read))
        return;
    op = op_new(world_of(a), a, OP_SEND);
    op->flags = actor_random_flags(a) | IW_WR_INVALIDATE;
    actor_find_source(a, op, actor_random_len(a, actor_send_len_max(a)));
    if (has_read)
        op->flags |= IW_WR_READ_FENCE; /* or it would overtake the Read's answer [RFC5040 5.5] */
    maybe_inline(a, op);
    op->grant = g;
    if (actor_send(a, op, g->stag))
        actor_begin_ending(g);
}

void actor_post_write(struct actor *a)
{
    struct op *op;
    struct place to;
    struct iw_sge sgl[OP_SGES_MAX];
    enum sn_status s;

    if (!domain_find_remote(actor_peer(a)->domain, actor_peer(a), MEM_REMOTE_WRITE,
            actor_random_len(a, UINT32_MAX), &to))
        return;
    op = op_new(world_of(a), a, OP_WRITE);
    op->flags = actor_random_flags(a);
    actor_find_source(a, op, to.piece.len);
    maybe_inline(a, op);
    /* On a connection to the own domain source and target must not meet. */
    if (is_clash(op, &to.piece)) {
        op->is_done = true;
        return;
    }
    to.piece.len = op->len;
    op->remote = to;
    op->has_remote = true;
    actor_fill_sgl(op, sgl);
    s = rnic_qp_write(a->qp, (void *)(uintptr_t)op->id, sgl, op->sges, to.to, to.stag, op->flags);
    if (s == SN_OK)
        after_inline(op);
    if (actor_is_posted(a, op, s))
        actor_note_write(a, op);
}

/* A Write of this queue pair that is not known to be delivered: a Read sees what it wrote. */
static bool find_own_write(struct actor *a, struct op *read, uint32_t want)
{
    struct op *w = a->write_head;

    for (; w != NULL; w = w->next_write) {
        if (w->is_remote_held && w->len > 0 && (w->remote.via->rights & MEM_REMOTE_READ) &&
            w->remote.via->state == GRANT_VALID && rng_chance(rng_of(a), 500))
            break;
    }
    if (w == NULL)
        return false;
    read->remote = w->remote;
    if (read->remote.piece.len > want)
        read->remote.piece.len = want;
    read->data = malloc(read->remote.piece.len + 1u);
    memcpy(read->data, w->data, read->remote.piece.len);
    return true;
}

/* A sink whose region is invalidated when the Read is done. */
static bool find_sink_to_invalidate(struct actor *a, struct op *op, uint32_t want)
{
    struct grant *g = &a->domain->grant[SLICES_MAX + rng_below(rng_of(a), FASTS)];
    struct piece piece;

    if (g->state != GRANT_VALID || g->users > 0 || !(g->rights & MEM_LOCAL_WRITE) ||
        !grant_find(g, want, true, &piece))
        return false;
    op->local[0] = grant_place(g, piece);
    op->sges = 1;
    op->len = piece.len;
    op->grant = g;
    op->flags |= IW_WR_INVALIDATE;
    return true;
}

void actor_post_read(struct actor *a)
{
    struct op *op = op_new(world_of(a), a, OP_READ);
    struct iw_sge sgl[OP_SGES_MAX];
    enum sn_status s;

    op->flags = actor_random_flags(a);
    op->has_remote = true;
    if (!(rng_chance(rng_of(a), 200) &&
            find_sink_to_invalidate(a, op, actor_random_len(a, UINT32_MAX))))
        actor_find_local(a, op, actor_random_len(a, UINT32_MAX));
    if (!(rng_chance(rng_of(a), 300) && find_own_write(a, op, op->len)) &&
        !domain_find_remote(
            actor_peer(a)->domain, actor_peer(a), MEM_REMOTE_READ, op->len, &op->remote)) {
        op->is_done = true;
        return;
    }
    if (is_clash(op, &op->remote.piece)) {
        op->is_done = true;
        return;
    }
    /* The sink shrinks to what there is to read. */
    op->len = op->remote.piece.len;
    for (uint32_t i = 0, left = op->len; i < op->sges; i++) {
        if (op->local[i].piece.len > left)
            op->local[i].piece.len = left;
        left -= op->local[i].piece.len;
    }
    if (op->data == NULL) {
        op->data = malloc(op->len + 1u);
        memcpy(op->data, shadow_octets(&op->remote.piece), op->len);
    }
    actor_fill_sgl(op, sgl);
    s = rnic_qp_read(
        a->qp, (void *)(uintptr_t)op->id, sgl, op->sges, op->remote.to, op->remote.stag, op->flags);
    if (s == SN_INVALID && a->ord == 0) {
        op->is_done = true;
        return;
    }
    if (actor_is_posted(a, op, s) && op->grant != NULL)
        actor_begin_ending(op->grant);
}
