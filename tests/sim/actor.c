/* SPDX-License-Identifier: MIT */
#include "sim/actor.h"

#include <stdlib.h>
#include <string.h>

#include "sim/link.h"
#include "sim/world.h"

enum { SRQ_RECEIVE_OCTETS = 2000 };

static struct world *world_of(const struct actor *a)
{
    return a->host->world;
}

static struct rng *rng_of(const struct actor *a)
{
    return &a->host->world->rng;
}

static const struct plan *plan_of(const struct actor *a)
{
    return &a->host->world->plan;
}

struct actor *actor_peer(const struct actor *a)
{
    return &a->link->actor[1 - a->side];
}

/* ---- creation ---- */

static void qp_gone(void *ctx)
{
    struct actor *a = ctx;

    a->is_qp_gone = true;
}

static struct cq *choose_cq(struct actor *a)
{
    return a->own_cq != NULL ? a->own_cq : a->host->cq[rng_below(rng_of(a), HOST_CQS)];
}

void actor_init(struct actor *a, struct link *l, uint32_t side, struct host *h)
{
    struct rng *r = &h->world->rng;
    struct rnic_qp_attr attr;
    enum sn_status s;

    a->link = l;
    a->side = side;
    a->host = h;
    a->domain = h->domain[rng_below(r, h->domains)];
    if (rng_chance(r, plan_of(a)->own_cq_permille))
        a->own_cq = cq_open(h, plan_of(a)->cq_depth);
    if (a->own_cq != NULL)
        a->own_cq->owner = a;
    a->send_cq = choose_cq(a);
    a->recv_cq = choose_cq(a);
    a->uses_srq = a->domain->srq != NULL && rng_chance(r, 500);
    a->send_depth = rng_between(r, 1, plan_of(a)->queue_depth_max);
    a->recv_depth = rng_between(r, 1, plan_of(a)->queue_depth_max);
    a->sge_max = rng_between(r, 1, OP_SGES_MAX);
    a->inline_max = rng_chance(r, 300) ? 0 : rng_between(r, 1, 700);
    attr = (struct rnic_qp_attr){
        .recv_cq = a->recv_cq->cq,
        .send_cq = a->send_cq->cq,
        .srq = a->uses_srq ? a->domain->srq : NULL,
        .context = a,
        .recv_depth = a->recv_depth,
        .send_depth = a->send_depth,
        .recv_sge_max = a->sge_max,
        .send_sge_max = a->sge_max,
        .inline_max = a->inline_max,
    };
    s = rnic_qp_create(a->domain->pd, &attr, &a->qp);
    if (s != SN_OK) {
        world_fail(h->world, "creating a QP answers %s", sn_status_name(s));
        return;
    }
    a->qp_life = life_born(h->world, rnic_qp_obj(a->qp));
    a->qp_life->gone = qp_gone;
    a->qp_life->ctx = a;
    life_stand_on(a->qp_life, a->domain->life);
    life_stand_on(a->qp_life, a->send_cq->life);
    life_stand_on(a->qp_life, a->recv_cq->life);
    if (a->uses_srq)
        life_stand_on(a->qp_life, a->domain->srq_life);
}

/* ---- the books ---- */

/* The n-th request with this number in a queue; NULL: none. */
static struct op *find_number(struct op *head, uint64_t number, struct op *(*next)(struct op *op))
{
    for (; head != NULL; head = next(head)) {
        if (head->number == number)
            return head;
    }
    return NULL;
}

static struct op *next_in_queue(struct op *op)
{
    return op->next;
}

static struct op *next_sent(struct op *op)
{
    return op->next_sent;
}

static uint32_t capacity(const struct op *receive)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < receive->sges; i++)
        n += receive->local[i].piece.len;
    return n;
}

/* How long the next Send may be, as far as can be known. */
static uint32_t send_len_max(const struct actor *a)
{
    const struct actor *peer = actor_peer(a);
    const struct op *receive;

    if (peer->uses_srq)
        return SRQ_RECEIVE_OCTETS;
    receive = find_number(peer->rq.head, a->sends, next_in_queue);
    return receive != NULL ? capacity(receive) : plan_of(a)->len_max;
}

static void note_sent(struct actor *a, struct op *op)
{
    struct actor *peer = actor_peer(a);
    struct op *receive;

    op->number = a->sends++;
    if (a->sent_head == NULL)
        a->sent_head = op;
    else
        a->sent_tail->next_sent = op;
    a->sent_tail = op;
    receive = peer->uses_srq ? NULL : find_number(peer->rq.head, op->number, next_in_queue);
    if (receive != NULL)
        op_expect(receive, op);
}

static void note_write(struct actor *a, struct op *op)
{
    if (a->write_head == NULL)
        a->write_head = op;
    else
        a->write_tail->next_write = op;
    a->write_tail = op;
}

/* Sends to queue pairs of a shared receive queue that were not received yet. */
static uint64_t srq_waiting(const struct domain *d)
{
    const struct world *w = d->host->world;
    uint64_t waiting = 0;

    for (uint32_t i = 0; i < w->links_count; i++) {
        for (int side = 0; side < 2; side++) {
            const struct actor *a = &w->links[i]->actor[side];

            if (a->domain == d && a->uses_srq && !w->links[i]->is_over && !a->is_over)
                waiting += actor_peer(a)->sends - a->receives_done;
        }
    }
    return waiting;
}

uint64_t actor_due(const struct actor *a)
{
    const struct actor *peer = actor_peer(a);

    if (a->uses_srq) {
        uint64_t waiting = srq_waiting(a->domain);

        return waiting > a->domain->srq_posted ? waiting - a->domain->srq_posted : 0;
    }
    return peer->sends > a->receives_posted ? peer->sends - a->receives_posted : 0;
}

bool actor_is_busy(const struct actor *a)
{
    return a->sq.head != NULL || a->sent_head != NULL || a->write_head != NULL;
}

/* ---- scatter/gather lists ---- */

static uint32_t random_len(const struct actor *a, uint32_t max)
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
static void find_local(struct actor *a, struct op *op, uint32_t want)
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

static void gather(struct op *op)
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
static void find_source(struct actor *a, struct op *op, uint32_t want)
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
    find_local(a, op, want);
    gather(op);
}

/* ---- posting ---- */

static uint32_t random_flags(struct actor *a)
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
static bool is_posted(struct actor *a, struct op *op, enum sn_status s)
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
static void fill_sgl(const struct op *op, struct iw_sge *sgl)
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

static bool send(struct actor *a, struct op *op, uint32_t invalidate_stag)
{
    struct iw_sge sgl[OP_SGES_MAX];
    enum sn_status s;

    fill_sgl(op, sgl);
    s = rnic_qp_send(a->qp, (void *)(uintptr_t)op->id, sgl, op->sges, op->flags, invalidate_stag);
    if (s == SN_OK)
        after_inline(op);
    if (!is_posted(a, op, s))
        return false;
    note_sent(a, op);
    return true;
}

static void post_send(struct actor *a)
{
    struct op *op = op_new(world_of(a), a, OP_SEND);

    op->flags = random_flags(a);
    if (rng_chance(rng_of(a), 300))
        op->flags |= IW_WR_SOLICITED;
    find_source(a, op, random_len(a, send_len_max(a)));
    maybe_inline(a, op);
    send(a, op, 0);
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

static void begin_ending(struct grant *g)
{
    grant_changing(g, GRANT_ENDING);
    if (g->kind == GRANT_WINDOW)
        life_stand_off(g->life, g->over->life);
}

static void post_send_and_invalidate(struct actor *a)
{
    struct actor *peer = actor_peer(a);
    struct grant *g = &peer->domain->grant[rng_between(rng_of(a), SLICES_MAX, GRANTS - 1)];
    bool has_read;
    struct op *op;

    if (g->state != GRANT_VALID || !(g->rights & (MEM_REMOTE_READ | MEM_REMOTE_WRITE)) ||
        (g->kind == GRANT_WINDOW && g->only != peer) || !is_used_by_me_alone(a, g, &has_read))
        return;
    op = op_new(world_of(a), a, OP_SEND);
    op->flags = random_flags(a) | IW_WR_INVALIDATE;
    find_source(a, op, random_len(a, send_len_max(a)));
    if (has_read)
        op->flags |= IW_WR_READ_FENCE; /* or it would overtake the Read's answer [RFC5040 5.5] */
    maybe_inline(a, op);
    op->grant = g;
    if (send(a, op, g->stag))
        begin_ending(g);
}

static void post_write(struct actor *a)
{
    struct op *op;
    struct place to;
    struct iw_sge sgl[OP_SGES_MAX];
    enum sn_status s;

    if (!domain_find_remote(
            actor_peer(a)->domain, actor_peer(a), MEM_REMOTE_WRITE, random_len(a, UINT32_MAX), &to))
        return;
    op = op_new(world_of(a), a, OP_WRITE);
    op->flags = random_flags(a);
    find_source(a, op, to.piece.len);
    maybe_inline(a, op);
    /* On a connection to the own domain source and target must not meet. */
    if (is_clash(op, &to.piece)) {
        op->is_done = true;
        return;
    }
    to.piece.len = op->len;
    op->remote = to;
    op->has_remote = true;
    fill_sgl(op, sgl);
    s = rnic_qp_write(a->qp, (void *)(uintptr_t)op->id, sgl, op->sges, to.to, to.stag, op->flags);
    if (s == SN_OK)
        after_inline(op);
    if (is_posted(a, op, s))
        note_write(a, op);
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

static void post_read(struct actor *a)
{
    struct op *op = op_new(world_of(a), a, OP_READ);
    struct iw_sge sgl[OP_SGES_MAX];
    enum sn_status s;

    op->flags = random_flags(a);
    op->has_remote = true;
    if (!(rng_chance(rng_of(a), 200) && find_sink_to_invalidate(a, op, random_len(a, UINT32_MAX))))
        find_local(a, op, random_len(a, UINT32_MAX));
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
    fill_sgl(op, sgl);
    s = rnic_qp_read(
        a->qp, (void *)(uintptr_t)op->id, sgl, op->sges, op->remote.to, op->remote.stag, op->flags);
    if (s == SN_INVALID && a->ord == 0) {
        op->is_done = true;
        return;
    }
    if (is_posted(a, op, s) && op->grant != NULL)
        begin_ending(op->grant);
}

/* ---- fast registration, windows ---- */

static bool is_ready(const struct grant *g)
{
    return g->state == GRANT_NONE && g->life != NULL && g->life->state == LIFE_OPEN;
}

static uint32_t random_rights(struct actor *a)
{
    uint32_t rights = MEM_LOCAL_READ | MEM_READ_SINK;

    if (rng_chance(rng_of(a), 700))
        rights |= MEM_REMOTE_WRITE | MEM_LOCAL_WRITE;
    if (rng_chance(rng_of(a), 700))
        rights |= MEM_REMOTE_READ;
    return rights;
}

/* Pages of the arena, in a row or in any order; each once. */
static void choose_pages(struct actor *a, struct grant *g)
{
    uint32_t total = ARENA_OCTETS / SHADOW_PAGE;
    uint32_t first = rng_below(rng_of(a), total - FAST_PAGES_MAX);
    uint32_t step = 1;

    g->pages_count = rng_between(rng_of(a), 1, FAST_PAGES_MAX);
    g->is_scattered = g->pages_count > 1 && rng_chance(rng_of(a), 500);
    if (g->is_scattered)
        step = 1 + 2 * rng_between(rng_of(a), 1, 20); /* odd: no page twice */
    for (uint32_t i = 0; i < g->pages_count; i++)
        g->pages[i] = (first + i * step) % total;
}

static bool fast_register(struct actor *a, struct grant *g)
{
    uint64_t pages[FAST_PAGES_MAX];
    struct mem_fast_reg args;
    struct op *op;
    enum sn_status s;
    uint32_t fbo;

    choose_pages(a, g);
    for (uint32_t i = 0; i < g->pages_count; i++)
        pages[i] = (uint64_t)(uintptr_t)(a->domain->shadow.memory + g->pages[i] * SHADOW_PAGE);
    fbo = rng_chance(rng_of(a), 500) ? 0 : rng_below(rng_of(a), SHADOW_PAGE);
    g->len = rng_between(rng_of(a),
        (g->pages_count - 1) * SHADOW_PAGE + 1 > fbo ? (g->pages_count - 1) * SHADOW_PAGE + 1 - fbo
                                                     : 1,
        g->pages_count * SHADOW_PAGE - fbo);
    g->at = g->pages[0] * SHADOW_PAGE + fbo;
    g->base = (rng_next(rng_of(a)) >> 8 << 12) + fbo;
    g->rights = random_rights(a);
    args = (struct mem_fast_reg){pages, g->pages_count, fbo, g->len, g->base, g->rights};
    op = op_new(world_of(a), a, OP_FAST);
    op->flags = random_flags(a);
    op->grant = g;
    s = rnic_qp_fast_register(a->qp, (void *)(uintptr_t)op->id, g->mr, &args, op->flags);
    if (!is_posted(a, op, s))
        return false;
    g->stag = rnic_mr_stag(g->mr);
    g->only = a;
    grant_changing(g, GRANT_PENDING);
    return true;
}

static bool invalidate(struct actor *a, struct grant *g)
{
    struct op *op = op_new(world_of(a), a, OP_INVALIDATE);

    op->flags = random_flags(a);
    op->grant = g;
    if (!is_posted(a, op,
            rnic_qp_invalidate(a->qp, (void *)(uintptr_t)op->id,
                g->kind == GRANT_FAST ? &g->mr->obj : &g->mw->obj, op->flags)))
        return false;
    begin_ending(g);
    return true;
}

/* Mostly once; or over and over without waiting: requests take effect in order. */
static void post_fast_register(struct actor *a)
{
    struct grant *g = &a->domain->grant[SLICES_MAX + rng_below(rng_of(a), FASTS)];
    uint32_t times = rng_chance(rng_of(a), 200) ? rng_between(rng_of(a), 2, 4) : 1;

    if (!is_ready(g) || !fast_register(a, g))
        return;
    while (--times > 0) {
        if (!invalidate(a, g) || !fast_register(a, g))
            return;
    }
}

static void post_bind(struct actor *a)
{
    struct grant *g = &a->domain->grant[SLICES_MAX + FASTS + rng_below(rng_of(a), WINDOWS)];
    struct grant *over = &a->domain->grant[rng_below(rng_of(a), a->domain->slices)];
    uint32_t rights = rng_between(rng_of(a), 1, 3);
    struct op *op;
    enum sn_status s;
    uint32_t off;

    if (!is_ready(g) || over->state != GRANT_VALID || over->life->state != LIFE_OPEN)
        return;
    off = rng_below(rng_of(a), over->len);
    g->over = over;
    g->only = a;
    g->at = over->at + off;
    g->len = rng_between(rng_of(a), 1, over->len - off);
    g->base = over->base + off;
    g->rights = (rights & 1 ? MEM_REMOTE_READ : 0u) | (rights & 2 ? MEM_REMOTE_WRITE : 0u);
    op = op_new(world_of(a), a, OP_BIND);
    op->flags = random_flags(a);
    op->grant = g;
    s = rnic_qp_bind(
        a->qp, (void *)(uintptr_t)op->id, over->mr, g->mw, g->base, g->len, g->rights, op->flags);
    if (!is_posted(a, op, s))
        return;
    over->users++;
    g->stag = rnic_mw_stag(g->mw);
    grant_changing(g, GRANT_PENDING);
}

static void post_invalidate(struct actor *a)
{
    struct grant *g = &a->domain->grant[rng_between(rng_of(a), SLICES_MAX, GRANTS - 1)];

    if (g->state == GRANT_VALID && g->users == 0 && (g->kind == GRANT_FAST || g->only == a))
        invalidate(a, g);
}

/* ---- what a consumer does ---- */

void actor_post(struct actor *a)
{
    static void (*const posts[])(struct actor * a) = {post_send, post_send, post_send, post_write,
        post_write, post_write, post_read, post_read, post_send_and_invalidate, post_fast_register,
        post_bind, post_invalidate};

    if (a->is_over || !a->is_usable || a->qp_life->state != LIFE_OPEN)
        return;
    if (shadow_is_crowded(&a->domain->shadow) || shadow_is_crowded(&actor_peer(a)->domain->shadow))
        return;
    /* Without room it is tried only now and then. */
    if (a->sq.count >= a->send_depth && !rng_chance(rng_of(a), 100))
        return;
    posts[rng_below(rng_of(a), (uint32_t)SN_ARRAY_COUNT(posts))](a);
}

void actor_finish(struct actor *a)
{
    struct op *op = op_new(world_of(a), a, OP_SEND);

    find_source(a, op, random_len(a, send_len_max(a)));
    a->has_finished = send(a, op, 0);
}

/* How long the receive must be for the Send it will meet. */
static uint32_t receive_len(const struct actor *a)
{
    struct actor *peer = actor_peer(a);
    const struct op *message = find_number(peer->sent_head, a->receives_posted, next_sent);

    if (a->uses_srq)
        return SRQ_RECEIVE_OCTETS;
    if (message != NULL)
        return message->len + (rng_chance(rng_of(a), 500) ? random_len(a, 200) : 0);
    return random_len(a, UINT32_MAX);
}

static void note_receive(struct actor *a, struct op *op)
{
    struct op *message;

    op_hold(op);
    if (a->uses_srq) {
        a->domain->srq_posted++;
        return;
    }
    op->number = a->receives_posted++;
    order_posted(&a->rq, op);
    message = find_number(actor_peer(a)->sent_head, op->number, next_sent);
    if (message != NULL)
        op_expect(op, message);
}

void actor_post_receive(struct actor *a)
{
    uint32_t want = receive_len(a);
    struct iw_sge sgl[OP_SGES_MAX];
    struct op *op;
    enum sn_status s;

    if (a->qp_life->state != LIFE_OPEN || (a->uses_srq && a->domain->srq_life->state != LIFE_OPEN))
        return;
    if (actor_due(a) == 0 && shadow_is_crowded(&a->domain->shadow))
        return;
    op = op_new(world_of(a), a, OP_RECEIVE);
    find_local(a, op, want);
    if (op->len < want) { /* too little free memory just now */
        op->is_done = true;
        return;
    }
    op->len = 0;
    if (a->uses_srq)
        op->domain = a->domain;
    fill_sgl(op, sgl);
    s = a->uses_srq ? rnic_srq_receive(a->domain->srq, (void *)(uintptr_t)op->id, sgl, op->sges)
                    : rnic_qp_receive(a->qp, (void *)(uintptr_t)op->id, sgl, op->sges);
    world_log(world_of(a), "link %u side %u: post Receive %u, %u octets -> %s", a->link->number,
        a->side, op->id, want, sn_status_name(s));
    if (s == SN_OK) {
        note_receive(a, op);
        return;
    }
    op->is_done = true;
    if (s != SN_QUEUE_FULL ||
        (a->uses_srq ? a->domain->srq_posted < a->domain->srq_depth : a->rq.count < a->recv_depth))
        world_fail(world_of(a), "posting a receive answers %s, %u under way", sn_status_name(s),
            a->uses_srq ? a->domain->srq_posted : a->rq.count);
}

/* ---- breaking rules ---- */

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

    find_local(a, op, rng_between(rng_of(a), 51, 3000));
    fill_sgl(op, sgl);
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
        is_posted(a, op, s);
}

/* Longer than what is posted for it; to a shared queue, than what ever is. */
static void send_too_much(struct actor *a, struct op *op)
{
    struct iw_sge sgl[OP_SGES_MAX];

    find_local(a, op, send_len_max(a) + rng_between(rng_of(a), 1, 500));
    gather(op);
    fill_sgl(op, sgl);
    if (is_posted(a, op, rnic_qp_send(a->qp, (void *)(uintptr_t)op->id, sgl, op->sges, 0, 0)))
        note_sent(a, op);
}

/* Invalidates what is not valid, here or there. */
static void invalidate_wrongly(struct actor *a, struct op *op)
{
    struct grant *g = &a->domain->grant[SLICES_MAX + rng_below(rng_of(a), FASTS)];
    struct actor *peer = actor_peer(a);

    if (op->kind == OP_SEND) {
        op->flags = IW_WR_INVALIDATE;
        if (is_posted(a, op,
                rnic_qp_send(a->qp, (void *)(uintptr_t)op->id, NULL, 0, op->flags,
                    peer->domain->grant[0].stag)))
            note_sent(a, op);
        return;
    }
    if (g->state != GRANT_NONE || g->life->state != LIFE_OPEN) {
        op->is_done = true;
        return;
    }
    is_posted(a, op, rnic_qp_invalidate(a->qp, (void *)(uintptr_t)op->id, &g->mr->obj, 0));
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
    note_receive(a, op);
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
