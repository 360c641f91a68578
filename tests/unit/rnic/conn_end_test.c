/* SPDX-License-Identifier: MIT */
/* Disconnect, loss and close, at every step of a connection: each request is answered once, each
 * event comes at most once, the close completion last, and nothing is left. */
#include <stdlib.h>

#include "conn_pair.h"

/* ---- disconnect ---- */

/* Each order of the two calls ends well, with the event only for who did not begin. */
static void both_disconnect(void **state)
{
    (void)state;
    for (int crossed = 0; crossed < 2; crossed++) {
        struct pair p;

        pair_open(&p, 1);
        establish(&p);
        disconnect_now(&p.a);
        if (!crossed)
            await(&p, &p.b, NOTE_EVENT);
        disconnect_now(&p.b);
        await(&p, &p.a, NOTE_DISCONNECT);
        await(&p, &p.b, NOTE_DISCONNECT);
        assert_int_equal(p.a.status[NOTE_DISCONNECT], SN_OK);
        assert_int_equal(p.b.status[NOTE_DISCONNECT], SN_OK);
        assert_int_equal(count_of(&p.a, NOTE_EVENT), 0);
        assert_int_equal(count_of(&p.b, NOTE_EVENT), crossed ? 0 : 1);
        assert_int_equal(
            rnic_connector_disconnect(p.a.conn, done_of(&p.a, NOTE_DISCONNECT)), SN_BAD_STATE);
        assert_int_equal(sn_a64_load_relaxed(&p.a.adapter->counters.active), 0);
        assert_int_equal(sn_a64_load_relaxed(&p.b.adapter->counters.active), 0);
        pair_close(&p);
    }
}

/* The other side heard, and does nothing. */
static void disconnect_times_out(void **state)
{
    struct pair p;

    (void)state;
    pair_open(&p, 2);
    establish(&p);
    disconnect_now(&p.a);
    await(&p, &p.a, NOTE_DISCONNECT);
    assert_int_equal(p.a.status[NOTE_DISCONNECT], SN_TIMED_OUT);
    assert_true(plat_now_ns(p.a.plat) >= 5000000000u);
    settle_world(&p);
    assert_string_equal(p.a.log, "CKD");
    assert_string_equal(p.b.log, "LRAE"); /* the reset that followed is no second event */
    /* It did hear the other side's goodbye, so its own is a success, late as it is. */
    disconnect_now(&p.b);
    await(&p, &p.b, NOTE_DISCONNECT);
    assert_int_equal(p.b.status[NOTE_DISCONNECT], SN_OK);
    pair_close(&p);
}

/* A connection that is cut: both are told, and answers that cross it fail. */
static void lost(void **state)
{
    (void)state;
    for (int disconnecting = 0; disconnecting < 2; disconnecting++) {
        struct pair p;

        pair_open(&p, 3);
        establish(&p);
        if (disconnecting) {
            disconnect_now(&p.a);
            await(&p, &p.b, NOTE_EVENT);
        }
        sim_reset_all(p.world);
        settle_world(&p);
        assert_string_equal(p.a.log, disconnecting ? "CKD" : "CKE");
        assert_string_equal(p.b.log, "LRAE");
        if (disconnecting) {
            assert_int_equal(p.a.status[NOTE_DISCONNECT], SN_TIMED_OUT);
        } else {
            assert_int_equal(sn_a64_load_relaxed(&p.a.adapter->counters.connection_errors), 1);
            assert_int_equal(rnic_connector_state(p.a.conn), RNIC_CONN_LOST);
            assert_int_equal(
                rnic_connector_disconnect(p.a.conn, done_of(&p.a, NOTE_DISCONNECT)), SN_TIMED_OUT);
            assert_int_equal(
                rnic_connector_disconnect(p.a.conn, done_of(&p.a, NOTE_DISCONNECT)), SN_BAD_STATE);
        }
        pair_close(&p);
    }
}

/* Nobody asked for the event: nothing is called. */
static void no_event_wanted(void **state)
{
    struct pair p;

    (void)state;
    pair_open(&p, 4);
    p.a.wants_event = p.b.wants_event = false;
    establish(&p);
    sim_reset_all(p.world);
    settle_world(&p);
    assert_string_equal(p.a.log, "CK");
    assert_string_equal(p.b.log, "LRA");
    pair_close(&p);
}

/* NdkFlush ends the connection from this side; the consumer is told of the end. */
static void flush_ends_it(void **state)
{
    struct pair p;

    (void)state;
    pair_open(&p, 5);
    establish(&p);
    rnic_qp_flush(p.a.qp);
    await(&p, &p.a, NOTE_EVENT);
    await(&p, &p.b, NOTE_EVENT);
    settle_world(&p);
    assert_string_equal(p.a.log, "CKE");
    assert_string_equal(p.b.log, "LRAE");
    pair_close(&p);
}

/* ---- close, at every step ---- */

/* Where a connection can be when its consumer closes the connector. */
enum step {
    STEP_FRESH,
    STEP_CONNECTING, /* a: connect called, nothing happened yet */
    STEP_REQUESTED,  /* b has to answer */
    STEP_REJECTED,   /* b rejected */
    STEP_ACCEPT_CALLED,
    STEP_ACCEPTED, /* a has to answer */
    STEP_A_REJECTED,
    STEP_COMPLETE_CALLED,
    STEP_CONNECTED,
    STEP_DISCONNECT_CALLED, /* by a */
    STEP_EVENT_GIVEN,       /* to b */
    STEP_DISCONNECTED,      /* both */
    STEP_LOST,
    STEP_COUNT
};

static void go_to(struct pair *p, enum step step)
{
    struct side *a = &p->a, *b = &p->b;

    listen_on(p, b, PORT);
    assert_int_equal(rnic_connector_create(a->adapter, &a->conn), SN_OK);
    if (step >= STEP_CONNECTING)
        connect_to(a, b, PORT);
    if (step >= STEP_REQUESTED)
        await(p, b, NOTE_ARRIVAL);
    if (step == STEP_REJECTED) {
        assert_int_equal(rnic_connector_reject(b->conn, "no", 2), SN_OK);
        return;
    }
    if (step >= STEP_ACCEPT_CALLED)
        accept_now(b);
    if (step >= STEP_ACCEPTED)
        await(p, a, NOTE_CONNECT);
    if (step == STEP_A_REJECTED) {
        assert_int_equal(rnic_connector_reject(a->conn, "no", 2), SN_OK);
        return;
    }
    if (step >= STEP_COMPLETE_CALLED)
        complete_now(a);
    if (step >= STEP_CONNECTED) {
        await(p, a, NOTE_COMPLETE);
        await(p, b, NOTE_ACCEPT);
    }
    if (step == STEP_LOST) {
        sim_reset_all(p->world);
        return;
    }
    if (step >= STEP_DISCONNECT_CALLED)
        disconnect_now(a);
    if (step >= STEP_EVENT_GIVEN)
        await(p, b, NOTE_EVENT);
    if (step >= STEP_DISCONNECTED) {
        disconnect_now(b);
        await(p, a, NOTE_DISCONNECT);
        await(p, b, NOTE_DISCONNECT);
    }
}

/* The requests that were taken are answered, once; X is last, if it is there at all. */
static void check_log(
    const struct side *s, const char *taken, enum sn_status closed, bool was_closed)
{
    for (const char *n = taken; *n != 0; n++) {
        if (count_of(s, (enum note) * n) != 1)
            fail_msg("%c is not once in \"%s\"", *n, s->log);
    }
    assert_true(count_of(s, NOTE_EVENT) <= 1);
    if (!was_closed)
        return;
    assert_int_equal(count_of(s, NOTE_CLOSED), closed == SN_PENDING);
    if (closed == SN_PENDING)
        assert_int_equal(s->log[s->logged - 1], NOTE_CLOSED);
}

/* What a and b had asked for, by step. */
static const char *const taken_by_a[STEP_COUNT] = {
    "",
    "C",
    "C",
    "C",
    "C",
    "C",
    "C",
    "CK",
    "CK",
    "CKD",
    "CKD",
    "CKD",
    "CK",
};
static const char *const taken_by_b[STEP_COUNT] = {
    "",
    "",
    "R",
    "R",
    "RA",
    "RA",
    "RA",
    "RA",
    "RA",
    "RA",
    "RA",
    "RAD",
    "RA",
};

static void close_at(
    enum step step, bool a_closes, bool b_closes, uint64_t seed, uint64_t steps_between)
{
    enum sn_status a_closed = SN_OK, b_closed = SN_OK;
    struct pair p;
    bool had_b;

    pair_open(&p, seed);
    go_to(&p, step);
    for (uint64_t i = 0; i < steps_between; i++)
        sim_step(p.world);
    if (a_closes)
        a_closed = close_conn(&p.a);
    had_b = p.b.conn != NULL;
    if (b_closes && had_b)
        b_closed = close_conn(&p.b);
    settle_world(&p);
    check_log(&p.a, taken_by_a[step], a_closed, a_closes);
    check_log(&p.b, taken_by_b[step], b_closed, b_closes && had_b);
    pair_close(&p);
}

static void close_at_every_step(void **state)
{
    (void)state;
    for (int step = 0; step < STEP_COUNT; step++) {
        for (int who = 1; who < 4; who++) {
            for (uint64_t between = 0; between < 6; between++)
                close_at((enum step)step, who & 1, who & 2, 100 + (uint64_t)step, between);
        }
    }
}

/* Between any two actions of the world from connect to accept. */
static void close_anywhere(void **state)
{
    (void)state;
    for (uint64_t between = 0; between < 40; between++) {
        close_at(STEP_CONNECTING, true, false, 17, between);
        close_at(STEP_ACCEPT_CALLED, false, true, 18, between);
        close_at(STEP_COMPLETE_CALLED, true, true, 19, between);
    }
}

/* What the other side is told by a close. [NDKPI NDK_FN_CLOSE_OBJECT] */
static void what_the_other_side_sees(void **state)
{
    static const struct {
        enum step step;
        bool a_closes;
        enum note note; /* of the other side */
        enum sn_status status;
    } table[] = {
        {STEP_REQUESTED, false, NOTE_CONNECT, SN_REFUSED}, /* an implicit reject */
        {STEP_ACCEPT_CALLED, true, NOTE_ACCEPT, SN_ABORTED},
        {STEP_ACCEPTED, true, NOTE_ACCEPT, SN_ABORTED},
        {STEP_CONNECTED, true, NOTE_EVENT, SN_OK},
        {STEP_CONNECTED, false, NOTE_EVENT, SN_OK},
        {STEP_DISCONNECT_CALLED, false, NOTE_DISCONNECT, SN_OK},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(table); i++) {
        struct pair p;
        struct side *closer, *other;

        pair_open(&p, 40 + i);
        go_to(&p, table[i].step);
        closer = table[i].a_closes ? &p.a : &p.b;
        other = table[i].a_closes ? &p.b : &p.a;
        close_conn(closer);
        await(&p, other, table[i].note);
        if (other->status[table[i].note] != table[i].status)
            fail_msg("row %zu: %s", i, sn_status_name(other->status[table[i].note]));
        settle_world(&p);
        assert_int_equal(count_of(closer, NOTE_EVENT), 0);
        pair_close(&p);
    }
}

/* A pending request is cancelled by the close, and says so before the close completes. */
static void cancelled_before_closed(void **state)
{
    static const struct {
        enum step step;
        bool a_closes;
        const char *log;
        enum note note;
    } table[] = {
        {STEP_CONNECTING, true, "CX", NOTE_CONNECT},
        {STEP_ACCEPTED, false, "LRAX", NOTE_ACCEPT},
        {STEP_DISCONNECT_CALLED, true, "CKDX", NOTE_DISCONNECT},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(table); i++) {
        struct pair p;
        struct side *s;

        pair_open(&p, 60 + i);
        go_to(&p, table[i].step);
        s = table[i].a_closes ? &p.a : &p.b;
        assert_int_equal(close_conn(s), SN_PENDING);
        await(&p, s, NOTE_CLOSED);
        assert_string_equal(s->log, table[i].log);
        assert_int_equal(s->status[table[i].note], SN_CANCELLED);
        pair_close(&p);
    }
}

/* Closing from inside a callback of its own. */
static void close_in_callback(const struct rnic_disconnect_event *e, uint32_t reason)
{
    struct side *s = e->ctx;

    note_disconnected(e, reason);
    assert_int_equal(close_conn(s), SN_PENDING);
}

static void close_inside_the_event(void **state)
{
    struct pair p;

    (void)state;
    pair_open(&p, 70);
    go_to(&p, STEP_ACCEPTED);
    assert_int_equal(
        rnic_connector_complete(p.a.conn,
            (struct rnic_disconnect_event){.call = close_in_callback, .fn = note_fn, .ctx = &p.a},
            done_of(&p.a, NOTE_COMPLETE)),
        SN_PENDING);
    await(&p, &p.a, NOTE_COMPLETE);
    await(&p, &p.b, NOTE_ACCEPT);
    disconnect_now(&p.b);
    await(&p, &p.a, NOTE_CLOSED);
    await(&p, &p.b, NOTE_DISCONNECT);
    assert_string_equal(p.a.log, "CKEX");
    assert_int_equal(p.b.status[NOTE_DISCONNECT], SN_OK); /* our FIN answers theirs */
    pair_close(&p);
}

/* The QP is closed first: its close waits for the connector. [NDKPI object-lifetime] */
static void qp_closed_first(void **state)
{
    struct pair p;
    struct rnic_obj *qp;

    (void)state;
    pair_open(&p, 71);
    establish(&p);
    qp = rnic_qp_obj(p.a.qp);
    p.a.qp = NULL;
    assert_int_equal(rnic_obj_close(qp, done_of(&p.a, NOTE_LISTENER_CLOSED)), SN_PENDING);
    settle_world(&p);
    assert_string_equal(p.a.log, "CKE");
    close_conn(&p.a);
    await(&p, &p.a, NOTE_LISTENER_CLOSED);
    pair_close(&p);
}

/* ---- no memory ---- */

static unsigned fail_in; /* 0: never; 1: the next allocation fails, and all after it */

static void *failing_alloc(void *ctx, size_t size)
{
    (void)ctx;
    if (fail_in == 1)
        return NULL;
    if (fail_in > 1)
        fail_in--;
    return malloc(size);
}

static void failing_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

/* From the n-th allocation on there is none, for a while: whoever asked is answered, nothing leaks.
 */
static void memory_runs_out(void **state)
{
    const struct sn_allocator failing = {.alloc = failing_alloc, .free = failing_free};
    bool went_well = false;

    (void)state;
    sn_alloc_set(&failing);
    for (unsigned n = 1; !went_well; n++) {
        struct pair p;
        struct side *a = &p.a, *b = &p.b;

        assert_true(n < 100);
        pair_open(&p, 80);
        listen_on(&p, b, PORT);
        assert_int_equal(rnic_connector_create(a->adapter, &a->conn), SN_OK);
        fail_in = n;
        connect_to(a, b, PORT);
        for (int i = 0; i < 100000 && sim_step(p.world); i++) {
            if (b->conn != NULL && rnic_connector_state(b->conn) == RNIC_CONN_REQUESTED &&
                count_of(b, NOTE_ACCEPT) == 0)
                accept_now(b);
            if (count_of(a, NOTE_CONNECT) == 1 && a->status[NOTE_CONNECT] == SN_OK &&
                rnic_connector_state(a->conn) == RNIC_CONN_ACCEPTED)
                complete_now(a);
        }
        went_well = fail_in > 1;
        fail_in = 0;
        assert_int_equal(count_of(a, NOTE_CONNECT), 1);
        assert_true(count_of(b, NOTE_ACCEPT) == count_of(b, NOTE_ARRIVAL));
        if (went_well) {
            assert_int_equal(a->status[NOTE_COMPLETE], SN_OK);
            assert_int_equal(b->status[NOTE_ACCEPT], SN_OK);
        }
        pair_close(&p);
    }
    sn_alloc_set(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_disconnect),
        cmocka_unit_test(disconnect_times_out),
        cmocka_unit_test(lost),
        cmocka_unit_test(no_event_wanted),
        cmocka_unit_test(flush_ends_it),
        cmocka_unit_test(close_at_every_step),
        cmocka_unit_test(close_anywhere),
        cmocka_unit_test(what_the_other_side_sees),
        cmocka_unit_test(cancelled_before_closed),
        cmocka_unit_test(close_inside_the_event),
        cmocka_unit_test(qp_closed_first),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
