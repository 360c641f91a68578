/* SPDX-License-Identifier: MIT */
/*
 * Two adapters on two simulated hosts, each with what a connection needs, and a log of every
 * callback in the order in which they came: one letter each, see enum note.
 */
#ifndef SN_TESTS_UNIT_RNIC_CONN_PAIR_H
#define SN_TESTS_UNIT_RNIC_CONN_PAIR_H

#include "base/alloc.h"
#include "plat/sim/sim.h"
#include "rnic/connector_impl.h"
#include "support/unit.h"

enum note {
    NOTE_CONNECT = 'C',
    NOTE_COMPLETE = 'K',
    NOTE_ACCEPT = 'A',
    NOTE_DISCONNECT = 'D',
    NOTE_EVENT = 'E', /* the disconnect event */
    NOTE_ARRIVAL = 'R',
    NOTE_LISTEN = 'L',
    NOTE_CLOSED = 'X', /* close completion of the connector */
    NOTE_LISTENER_CLOSED = 'Y',
};

enum { PORT = 4420, LOG_MAX = 64 };

struct side {
    struct plat *plat;
    struct plat_addr addr;
    struct rnic_adapter *adapter;
    struct rnic_pd *pd;
    struct rnic_cq *cq;
    struct rnic_qp *qp;
    struct rnic_connector *conn;
    struct rnic_listener *listener;
    char log[LOG_MAX];
    size_t logged;
    enum sn_status status[256]; /* of the last one, by note */
    uint32_t reason;
    bool wants_event;
};

struct pair {
    struct sim_world *world;
    struct side a, b; /* a connects, b listens */
    /* A host that does nothing but let time pass: the world jumps from one event to the next. */
    struct plat *clock;
    struct plat_lane *clock_lane;
    struct plat_timer clock_timer;
    size_t live_before;
};

/* A completion routine's context: whose, and which letter. */
struct note_ctx {
    struct side *side;
    enum note note;
};
/* Lives as long as the test program's process: contexts need no owner. */
static struct note_ctx note_ctxs[64];
static size_t note_ctxs_used;

static inline struct note_ctx *note_ctx(struct side *s, enum note n)
{
    for (size_t i = 0; i < note_ctxs_used; i++) {
        if (note_ctxs[i].side == s && note_ctxs[i].note == n)
            return &note_ctxs[i];
    }
    assert_true(note_ctxs_used < SN_ARRAY_COUNT(note_ctxs));
    note_ctxs[note_ctxs_used] = (struct note_ctx){s, n};
    return &note_ctxs[note_ctxs_used++];
}

static inline void note_down(struct side *s, enum note n, enum sn_status status)
{
    assert_true(s->logged + 1 < LOG_MAX);
    assert_null(plat_lane_current()); /* callbacks run outside lanes */
    s->log[s->logged++] = (char)n;
    s->log[s->logged] = 0;
    s->status[n] = status;
}

static inline void note_done(const struct rnic_done *d, enum sn_status status)
{
    const struct note_ctx *n = d->ctx;

    note_down(n->side, n->note, status);
}

static inline struct rnic_done done_of(struct side *s, enum note n)
{
    return (struct rnic_done){.call = note_done, .ctx = note_ctx(s, n)};
}

static inline void note_fn(void)
{
}

static inline void note_disconnected(const struct rnic_disconnect_event *e, uint32_t reason)
{
    struct side *s = e->ctx;

    s->reason = reason;
    note_down(s, NOTE_EVENT, SN_OK);
}

static inline struct rnic_disconnect_event event_of(struct side *s)
{
    return (struct rnic_disconnect_event){.call = note_disconnected, .fn = note_fn, .ctx = s};
}

static inline void close_obj(struct rnic_obj *o)
{
    enum sn_status s = rnic_obj_close(o, (struct rnic_done){0});

    assert_true(s == SN_OK || s == SN_PENDING);
}

static inline void note_arrived(const struct rnic_connect_event *e, struct rnic_connector *c)
{
    struct side *s = e->ctx;

    /* The peer asks once more; the test goes on with its latest attempt. */
    if (s->conn != NULL)
        close_obj(rnic_connector_obj(s->conn));
    s->conn = c;
    note_down(s, NOTE_ARRIVAL, SN_OK);
}

static inline unsigned count_of(const struct side *s, enum note n)
{
    unsigned count = 0;

    for (size_t i = 0; i < s->logged; i++)
        count += s->log[i] == (char)n;
    return count;
}

static inline void forget(struct side *s)
{
    s->logged = 0;
    s->log[0] = 0;
}

/* ---- time ---- */

static inline bool never(void *ctx)
{
    (void)ctx;
    return false;
}

/* Until nothing can happen any more but timers... and those too: the world comes to rest. */
static inline void settle_world(struct pair *p)
{
    sim_run_until(p->world, never, NULL, 100000);
}

struct wait_for {
    struct side *side;
    enum note note;
    unsigned count;
};
static inline bool is_noted(void *ctx)
{
    const struct wait_for *w = ctx;

    return count_of(w->side, w->note) >= w->count;
}
/* Until the side noted it (for the n-th time); fails the test if that never comes. */
static inline void await_nth(struct pair *p, struct side *s, enum note n, unsigned count)
{
    struct wait_for w = {s, n, count};

    if (!sim_run_until(p->world, is_noted, &w, 1000000))
        fail_msg("%c never came; the log is \"%s\"", (char)n, s->log);
}
static inline void await(struct pair *p, struct side *s, enum note n)
{
    await_nth(p, s, n, 1);
}

static inline void clock_ticks(struct plat_timer *t)
{
    (void)t;
}
static inline void clock_work(void *ctx)
{
    (void)ctx;
}
static const struct plat_lane_ops clock_ops = {.work = clock_work};

static inline bool is_time(void *ctx)
{
    return !((struct pair *)ctx)->clock_timer.is_set;
}
/* Everything that is due within that time happens, nothing else. */
static inline void pass_ms(struct pair *p, uint64_t ms)
{
    assert_true(plat_lane_enter(p->clock_lane));
    plat_timer_set(p->clock_lane, &p->clock_timer, ms * 1000000);
    plat_lane_leave(p->clock_lane);
    assert_true(sim_run_until(p->world, is_time, p, 1000000));
}

/* ---- life ---- */

static inline void quiet_notify(const struct rnic_cq_notify *n, enum sn_status s)
{
    (void)n;
    (void)s;
}

static inline void make_qp(struct side *s)
{
    const struct rnic_qp_attr attr = {
        .recv_cq = s->cq,
        .send_cq = s->cq,
        .recv_depth = 8,
        .send_depth = 8,
        .recv_sge_max = 2,
        .send_sge_max = 2,
        .inline_max = 64,
    };

    assert_int_equal(rnic_qp_create(s->pd, &attr, &s->qp), SN_OK);
}

static inline void side_open(
    struct pair *p, struct side *s, uint8_t host, const struct rnic_options *o)
{
    const struct rnic_cq_notify notify = {.call = quiet_notify};

    *s = (struct side){.addr = {.family = 4, .ip = {10, 0, 0, host}}};
    s->plat = sim_host_create(p->world, &s->addr, 1);
    assert_non_null(s->plat);
    assert_int_equal(rnic_adapter_create(s->plat, o, &s->adapter), SN_OK);
    assert_int_equal(rnic_pd_create(s->adapter, &s->pd), SN_OK);
    assert_int_equal(rnic_cq_create(s->adapter, 64, notify, &s->cq), SN_OK);
    make_qp(s);
}

static inline void side_close(struct side *s)
{
    if (s->conn != NULL)
        close_obj(rnic_connector_obj(s->conn));
    if (s->listener != NULL)
        close_obj(rnic_listener_obj(s->listener));
    if (s->qp != NULL)
        close_obj(rnic_qp_obj(s->qp));
    close_obj(rnic_cq_obj(s->cq));
    close_obj(&s->pd->obj);
    assert_int_equal(rnic_adapter_close(s->adapter), SN_OK);
}

static inline struct rnic_options test_options(void)
{
    struct rnic_options o;

    rnic_options_init(&o);
    o.lanes = 2;
    return o;
}

static inline void pair_open_with(struct pair *p, uint64_t seed, const struct sim_faults *faults,
    const struct rnic_options *a, const struct rnic_options *b)
{
    const struct rnic_options defaults = test_options();

    *p = (struct pair){.live_before = sn_alloc_live_count()};
    p->world = sim_world_create(seed, faults);
    assert_non_null(p->world);
    p->clock = sim_host_create(p->world, NULL, 0);
    assert_non_null(p->clock);
    assert_int_equal(plat_lane_create(p->clock, &clock_ops, p, &p->clock_lane), SN_OK);
    plat_timer_init(&p->clock_timer, clock_ticks);
    side_open(p, &p->a, 1, a != NULL ? a : &defaults);
    side_open(p, &p->b, 2, b != NULL ? b : &defaults);
    p->a.wants_event = p->b.wants_event = true;
}

static inline void pair_open(struct pair *p, uint64_t seed)
{
    pair_open_with(p, seed, NULL, NULL, NULL);
}

/* Closes whatever is left; nothing may stay behind. */
static inline void pair_close(struct pair *p)
{
    side_close(&p->a);
    side_close(&p->b);
    plat_lane_destroy(p->clock_lane);
    sim_host_destroy(p->clock);
    sim_host_destroy(p->a.plat);
    sim_host_destroy(p->b.plat);
    sim_world_destroy(p->world);
    assert_int_equal(sn_alloc_live_count(), p->live_before);
}

/* ---- steps of a connection ---- */

static inline struct plat_addr at_port(const struct side *s, uint16_t port)
{
    struct plat_addr addr = s->addr;

    addr.port = port;
    return addr;
}

static inline void listen_on(struct pair *p, struct side *s, uint16_t port)
{
    const struct rnic_connect_event e = {.call = note_arrived, .fn = note_fn, .ctx = s};
    struct plat_addr addr = at_port(s, port);

    assert_int_equal(rnic_listener_create(s->adapter, e, &s->listener), SN_OK);
    assert_int_equal(rnic_listener_listen(s->listener, &addr, done_of(s, NOTE_LISTEN)), SN_PENDING);
    await(p, s, NOTE_LISTEN);
    assert_int_equal(s->status[NOTE_LISTEN], SN_OK);
}

static inline void connect_to(struct side *a, const struct side *b, uint16_t port)
{
    const struct plat_addr dst = at_port(b, port);

    if (a->conn == NULL)
        assert_int_equal(rnic_connector_create(a->adapter, &a->conn), SN_OK);
    assert_int_equal(rnic_connector_connect(a->conn, a->qp, &a->addr, NULL, &dst, 16, 8, "hello", 5,
                         done_of(a, NOTE_CONNECT)),
        SN_PENDING);
}

static inline void accept_now(struct side *b)
{
    assert_int_equal(rnic_connector_accept(b->conn, b->qp, 4, 4, "welcome", 7,
                         b->wants_event ? event_of(b) : (struct rnic_disconnect_event){0},
                         done_of(b, NOTE_ACCEPT)),
        SN_PENDING);
}

static inline void complete_now(struct side *a)
{
    assert_int_equal(rnic_connector_complete(a->conn,
                         a->wants_event ? event_of(a) : (struct rnic_disconnect_event){0},
                         done_of(a, NOTE_COMPLETE)),
        SN_PENDING);
}

static inline void disconnect_now(struct side *s)
{
    assert_int_equal(rnic_connector_disconnect(s->conn, done_of(s, NOTE_DISCONNECT)), SN_PENDING);
}

/* Through all three steps. */
static inline void establish(struct pair *p)
{
    listen_on(p, &p->b, PORT);
    connect_to(&p->a, &p->b, PORT);
    await(p, &p->b, NOTE_ARRIVAL);
    accept_now(&p->b);
    await(p, &p->a, NOTE_CONNECT);
    assert_int_equal(p->a.status[NOTE_CONNECT], SN_OK);
    complete_now(&p->a);
    await(p, &p->a, NOTE_COMPLETE);
    assert_int_equal(p->a.status[NOTE_COMPLETE], SN_OK);
    await(p, &p->b, NOTE_ACCEPT);
    assert_int_equal(p->b.status[NOTE_ACCEPT], SN_OK);
    assert_int_equal(rnic_connector_state(p->a.conn), RNIC_CONN_CONNECTED);
    assert_int_equal(rnic_connector_state(p->b.conn), RNIC_CONN_CONNECTED);
}

static inline enum sn_status close_conn(struct side *s)
{
    struct rnic_connector *c = s->conn;

    s->conn = NULL;
    return rnic_obj_close(rnic_connector_obj(c), done_of(s, NOTE_CLOSED));
}

#endif
