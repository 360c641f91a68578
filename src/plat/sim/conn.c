/* SPDX-License-Identifier: MIT */
/*
 * Connections as the network sees them: a handshake, two flows of octets whose chunks arrive in
 * order after a while, FIN and RST. With no delay octets, FIN and RST arrive where they are sent.
 *
 * A reset travels on its own: chunks that are due later than it are lost. Octets that arrived
 * before it can still be read, as on Linux.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "plat/sim/sim_impl.h"

static bool flow_init(struct sim_flow *f, const struct sim_faults *faults)
{
    f->capacity = faults->pipe_capacity != 0 ? faults->pipe_capacity : SIM_CAPACITY;
    f->ring = sn_zalloc(f->capacity);
    return f->ring != NULL;
}

struct sim_conn *sim_conn_create(
    struct sim_world *w, struct sim_pipe *pipe, const struct plat_addr *dst)
{
    struct sim_conn *c = sn_zalloc(sizeof(*c));

    if (c == NULL)
        return NULL;
    if (!flow_init(&c->flow[0], &w->faults) || !flow_init(&c->flow[1], &w->faults)) {
        sn_free(c->flow[0].ring);
        sn_free(c);
        return NULL;
    }
    c->world = w;
    c->state = SIM_CONN_SYN;
    c->handshake_due_ns = sim_arrival_ns(w);
    c->end[0].pipe = pipe;
    c->end[0].local = pipe->base.local;
    c->end[1].local = *dst;
    sn_list_init(&c->accept_link);
    sn_list_push_back(&w->conns, &c->link);
    return c;
}

static void conn_free(struct sim_conn *c)
{
    sn_list_remove(&c->link);
    sn_free(c->flow[0].ring);
    sn_free(c->flow[1].ring);
    sn_free(c);
}

/* Nobody holds an end and nobody will: what still travels has no reader. */
static void maybe_free(struct sim_conn *c)
{
    if (c->end[0].pipe == NULL && c->end[1].pipe == NULL && c->backlog_of == NULL)
        conn_free(c);
}

/* ---- reset and end ---- */

static void drop_in_flight(struct sim_flow *f)
{
    f->written = f->arrived;
    f->count = 0;
}

/* The connection is over for that side: it reads what arrived, then the error. */
static void reset_end(struct sim_conn *c, unsigned side)
{
    c->end[side].has_rst = false;
    c->end[side].error = SN_RESET;
    drop_in_flight(&c->flow[0]);
    drop_in_flight(&c->flow[1]);
}

static void answer_connect(struct sim_conn *c, enum sn_status status)
{
    struct sim_pipe *p = c->end[0].pipe;

    c->state = SIM_CONN_OPEN;
    c->answer = status;
    if (status != SN_OK)
        c->end[0].error = status;
    if (p != NULL)
        p->is_answered = true;
}

static void rst_arrives(void *object, unsigned side)
{
    struct sim_conn *c = object;

    /* One that waits to be accepted stays: it is accepted and then found dead, as on Linux. */
    reset_end(c, side);
    if (side == 0 && c->state == SIM_CONN_ANSWER)
        answer_connect(c, SN_RESET);
}

void sim_conn_send_rst(struct sim_conn *c, unsigned to)
{
    struct sim_end *e = &c->end[to];

    if (e->error != SN_OK || e->has_rst)
        return;
    e->has_rst = true;
    e->rst_due_ns = sim_arrival_ns(c->world);
    if (e->rst_due_ns <= c->world->now_ns)
        rst_arrives(c, to);
}

void sim_conn_cut(struct sim_conn *c)
{
    if (c->state == SIM_CONN_SYN)
        return; /* nobody would tell the client: the SYN is sent again */
    for (unsigned side = 0; side < 2; side++) {
        if (c->end[side].error == SN_OK)
            reset_end(c, side);
    }
    if (c->state == SIM_CONN_ANSWER)
        answer_connect(c, SN_RESET);
}

static void fin_arrives(void *object, unsigned from)
{
    struct sim_conn *c = object;

    c->flow[from].has_fin = true;
}

void sim_conn_send_fin(struct sim_conn *c, unsigned from)
{
    struct sim_flow *f = &c->flow[from];
    uint64_t due = sim_arrival_ns(c->world);

    if (f->is_finished)
        return;
    f->is_finished = true;
    if (due > f->last_due_ns)
        f->last_due_ns = due;
    if (f->count == 0 && f->last_due_ns <= c->world->now_ns)
        f->has_fin = true;
}

void sim_conn_end_closed(struct sim_conn *c, unsigned side, bool is_abort)
{
    struct sim_flow *in = &c->flow[1 - side];
    bool is_unread = in->arrived > in->read;

    c->end[side].pipe = NULL;
    /* Nobody has answered yet: the SYN is for nothing. */
    if (c->state == SIM_CONN_SYN) {
        conn_free(c);
        return;
    }
    if (c->end[side].error == SN_OK) {
        if (is_abort || is_unread || c->state == SIM_CONN_ANSWER)
            sim_conn_send_rst(c, 1 - side);
        else
            sim_conn_send_fin(c, side);
    }
    maybe_free(c);
}

void sim_conn_leave_backlog(struct sim_conn *c)
{
    sn_list_remove(&c->accept_link);
    c->backlog_of->backlog_count--;
    c->backlog_of = NULL;
}

void sim_conn_refuse(struct sim_conn *c)
{
    sim_conn_leave_backlog(c);
    sim_conn_send_rst(c, 0);
    maybe_free(c);
}

/* ---- octets ---- */

void sim_conn_send(struct sim_conn *c, unsigned from, const uint8_t *p, size_t n)
{
    struct sim_flow *f = &c->flow[from];
    size_t at = (size_t)(f->written % f->capacity);
    size_t head = n < f->capacity - at ? n : f->capacity - at;

    SN_ASSERT(n <= f->capacity - (f->written - f->read));
    memcpy(f->ring + at, p, head);
    memcpy(f->ring, p + head, n - head);
    f->written += n;
    if (c->world->tap != NULL)
        c->world->tap(c->world->tap_ctx, &c->end[from].local, &c->end[1 - from].local, p, n);
}

void sim_conn_read(struct sim_conn *c, unsigned side, uint8_t *p, size_t n)
{
    struct sim_flow *f = &c->flow[1 - side];
    size_t at = (size_t)(f->read % f->capacity);
    size_t head = n < f->capacity - at ? n : f->capacity - at;

    SN_ASSERT(n <= f->arrived - f->read);
    memcpy(p, f->ring + at, head);
    memcpy(p + head, f->ring, n - head);
    f->read += n;
}

static void segment_arrives(void *object, unsigned from)
{
    struct sim_conn *c = object;
    struct sim_flow *f = &c->flow[from];
    struct sim_segment *s = &f->segments[f->first];

    f->arrived = s->end;
    f->first = (f->first + 1) % SIM_SEGMENTS_MAX;
    f->count--;
    /* Octets for an end that is closed: TCP answers with a reset. */
    if (c->end[1 - from].pipe == NULL && c->backlog_of == NULL)
        sim_conn_send_rst(c, from);
}

void sim_conn_ship(struct sim_conn *c, unsigned from)
{
    struct sim_flow *f = &c->flow[from];
    uint64_t due = sim_arrival_ns(c->world);
    struct sim_segment *last;

    if (due > f->last_due_ns)
        f->last_due_ns = due;
    if (f->count < SIM_SEGMENTS_MAX)
        f->count++;
    last = &f->segments[(f->first + f->count - 1) % SIM_SEGMENTS_MAX];
    last->end = f->written;
    last->due_ns = f->last_due_ns;
    if (f->count == 1 && last->due_ns <= c->world->now_ns)
        segment_arrives(c, from);
}

/* ---- the handshake ---- */

static void syn_arrives(void *object, unsigned side)
{
    struct sim_conn *c = object;
    struct sim_world *w = c->world;
    bool is_host_there;
    struct sim_listener *l = sim_find_listener(w, &c->end[1].local, &is_host_there);

    (void)side;
    if (l != NULL && l->backlog_count >= SIM_BACKLOG_MAX && ++c->syn_tries < SIM_SYN_TRIES_MAX) {
        c->handshake_due_ns = w->now_ns + SIM_SYN_RETRY_NS;
        return;
    }
    c->state = SIM_CONN_ANSWER;
    c->handshake_due_ns = sim_arrival_ns(w);
    if (l == NULL) {
        c->answer = is_host_there ? SN_REFUSED : SN_HOST_UNREACHABLE;
        if (!is_host_there)
            c->handshake_due_ns += SIM_UNREACHABLE_NS;
    } else if (l->backlog_count >= SIM_BACKLOG_MAX) {
        c->answer = SN_TIMED_OUT;
    } else {
        c->answer = SN_OK;
        c->backlog_of = l;
        l->backlog_count++;
        sn_list_push_back(&l->backlog, &c->accept_link);
        c->flow[1].last_due_ns = c->handshake_due_ns; /* nothing overtakes the answer */
    }
}

static void answer_arrives(void *object, unsigned side)
{
    struct sim_conn *c = object;

    (void)side;
    answer_connect(c, c->answer);
}

void sim_offer_conn(struct sim_pick *pick, struct sim_conn *c)
{
    if (c->state == SIM_CONN_SYN)
        sim_offer_at(pick, c->handshake_due_ns, syn_arrives, c, 0);
    else if (c->state == SIM_CONN_ANSWER)
        sim_offer_at(pick, c->handshake_due_ns, answer_arrives, c, 0);
    for (unsigned side = 0; side < 2; side++) {
        const struct sim_flow *f = &c->flow[side];

        if (c->end[side].has_rst)
            sim_offer_at(pick, c->end[side].rst_due_ns, rst_arrives, c, side);
        if (f->count > 0)
            sim_offer_at(pick, f->segments[f->first].due_ns, segment_arrives, c, side);
        else if (f->is_finished && !f->has_fin)
            sim_offer_at(pick, f->last_due_ns, fin_arrives, c, side);
    }
}
