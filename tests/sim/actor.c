/* SPDX-License-Identifier: MIT */
#include "sim/actor.h"

#include "sim/actor_impl.h"

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
uint32_t actor_send_len_max(const struct actor *a)
{
    const struct actor *peer = actor_peer(a);
    const struct op *receive;

    if (peer->uses_srq)
        return SRQ_RECEIVE_OCTETS;
    receive = find_number(peer->rq.head, a->sends, next_in_queue);
    return receive != NULL ? capacity(receive) : plan_of(a)->len_max;
}

void actor_note_sent(struct actor *a, struct op *op)
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

void actor_note_write(struct actor *a, struct op *op)
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

/* ---- what a consumer does ---- */

void actor_post(struct actor *a)
{
    static void (*const posts[])(struct actor * a) = {actor_post_send, actor_post_send,
        actor_post_send, actor_post_write, actor_post_write, actor_post_write, actor_post_read,
        actor_post_read, actor_post_send_and_invalidate, actor_post_fast_register, actor_post_bind,
        actor_post_invalidate};

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

    actor_find_source(a, op, actor_random_len(a, actor_send_len_max(a)));
    a->has_finished = actor_send(a, op, 0);
}

/* How long the receive must be for the Send it will meet. */
static uint32_t receive_len(const struct actor *a)
{
    struct actor *peer = actor_peer(a);
    const struct op *message = find_number(peer->sent_head, a->receives_posted, next_sent);

    if (a->uses_srq)
        return SRQ_RECEIVE_OCTETS;
    if (message != NULL)
        return message->len + (rng_chance(rng_of(a), 500) ? actor_random_len(a, 200) : 0);
    return actor_random_len(a, UINT32_MAX);
}

void actor_note_receive(struct actor *a, struct op *op)
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
    actor_find_local(a, op, want);
    if (op->len < want) { /* too little free memory just now */
        op->is_done = true;
        return;
    }
    op->len = 0;
    if (a->uses_srq)
        op->domain = a->domain;
    actor_fill_sgl(op, sgl);
    s = a->uses_srq ? rnic_srq_receive(a->domain->srq, (void *)(uintptr_t)op->id, sgl, op->sges)
                    : rnic_qp_receive(a->qp, (void *)(uintptr_t)op->id, sgl, op->sges);
    world_log(world_of(a), "link %u side %u: post Receive %u, %u octets -> %s", a->link->number,
        a->side, op->id, want, sn_status_name(s));
    if (s == SN_OK) {
        actor_note_receive(a, op);
        return;
    }
    op->is_done = true;
    if (s != SN_QUEUE_FULL ||
        (a->uses_srq ? a->domain->srq_posted < a->domain->srq_depth : a->rq.count < a->recv_depth))
        world_fail(world_of(a), "posting a receive answers %s, %u under way", sn_status_name(s),
            a->uses_srq ? a->domain->srq_posted : a->rq.count);
}
