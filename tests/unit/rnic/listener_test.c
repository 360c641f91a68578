/* SPDX-License-Identifier: MIT */
/* Listeners: addresses, pause, how many may wait, and closing at any time. */
#include "rnic/listener.h"

#include "conn_raw.h"

static void addresses(void **state)
{
    const struct rnic_connect_event e = {.call = note_arrived, .fn = note_fn};
    const struct plat_addr foreign = {.family = 4, .port = PORT, .ip = {10, 9, 9, 9}};
    struct plat_addr addr, local;
    struct rnic_listener *second;
    struct pair p;
    struct side *b = &p.b;

    (void)state;
    pair_open(&p, 1);
    assert_int_equal(rnic_listener_create(b->adapter, e, &b->listener), SN_OK);
    assert_int_equal(rnic_listener_local(b->listener, &local), SN_BAD_STATE);
    assert_int_equal(
        rnic_listener_listen(b->listener, &foreign, done_of(b, NOTE_LISTEN)), SN_ADDRESS_INVALID);
    addr = at_port(b, 0);
    assert_int_equal(rnic_listener_listen(b->listener, &addr, done_of(b, NOTE_LISTEN)), SN_PENDING);
    assert_int_equal(
        rnic_listener_listen(b->listener, &addr, done_of(b, NOTE_LISTEN)), SN_BAD_STATE);
    await(&p, b, NOTE_LISTEN);
    assert_int_equal(b->status[NOTE_LISTEN], SN_OK);
    assert_int_equal(rnic_listener_local(b->listener, &local), SN_OK);
    assert_true(local.port >= PLAT_PORT_FIRST);
    assert_int_equal(
        rnic_listener_listen(b->listener, &addr, done_of(b, NOTE_LISTEN)), SN_BAD_STATE);
    assert_int_equal(rnic_listener_create(b->adapter, e, &second), SN_OK);
    assert_int_equal(
        rnic_listener_listen(second, &local, done_of(b, NOTE_LISTEN)), SN_ADDRESS_IN_USE);
    /* It may listen elsewhere afterwards. */
    addr = at_port(b, PORT);
    assert_int_equal(rnic_listener_listen(second, &addr, done_of(b, NOTE_LISTEN)), SN_PENDING);
    await_nth(&p, b, NOTE_LISTEN, 2);
    assert_int_equal(b->status[NOTE_LISTEN], SN_OK);
    close_obj(rnic_listener_obj(second));
    pair_close(&p);
}

/* The operating system has the port for somebody else: the completion says so, and the listener may
 * try again. */
static void port_in_use_elsewhere(void **state)
{
    const struct rnic_connect_event e = {.call = note_arrived, .fn = note_fn};
    struct rnic_adapter *other;
    struct rnic_listener *l;
    const struct rnic_options o = test_options();
    struct plat_addr addr;
    struct pair p;
    struct side *b = &p.b;

    (void)state;
    pair_open(&p, 2);
    listen_on(&p, b, PORT);
    assert_int_equal(rnic_adapter_create(b->plat, &o, &other), SN_OK);
    assert_int_equal(rnic_listener_create(other, e, &l), SN_OK);
    addr = at_port(b, PORT);
    assert_int_equal(rnic_listener_listen(l, &addr, done_of(b, NOTE_LISTEN)), SN_PENDING);
    await_nth(&p, b, NOTE_LISTEN, 2);
    assert_int_equal(b->status[NOTE_LISTEN], SN_ADDRESS_IN_USE);
    addr = at_port(b, PORT + 1);
    assert_int_equal(rnic_listener_listen(l, &addr, done_of(b, NOTE_LISTEN)), SN_PENDING);
    await_nth(&p, b, NOTE_LISTEN, 3);
    assert_int_equal(b->status[NOTE_LISTEN], SN_OK);
    close_obj(rnic_listener_obj(l));
    assert_int_equal(rnic_adapter_close(other), SN_OK);
    pair_close(&p);
}

/* Paused: as if nobody listened. [NDKPI NDK_FN_CONTROL_CONNECT_EVENTS] */
static void pause_and_resume(void **state)
{
    struct pair p;

    (void)state;
    pair_open(&p, 3);
    listen_on(&p, &p.b, PORT);
    rnic_listener_pause(p.b.listener, true);
    connect_to(&p.a, &p.b, PORT);
    await(&p, &p.a, NOTE_CONNECT);
    assert_int_equal(p.a.status[NOTE_CONNECT], SN_REFUSED);
    assert_string_equal(p.b.log, "L");
    rnic_listener_pause(p.b.listener, false);
    connect_to(&p.a, &p.b, PORT);
    await(&p, &p.b, NOTE_ARRIVAL);
    /* What was delivered before is the consumer's. */
    rnic_listener_pause(p.b.listener, true);
    accept_now(&p.b);
    await_nth(&p, &p.a, NOTE_CONNECT, 2);
    assert_int_equal(p.a.status[NOTE_CONNECT], SN_OK);
    pair_close(&p);
}

/* Paused, or closed, when the Request is there but the consumer has not heard of it. */
static void refused_before_it_was_seen(void **state)
{
    (void)state;
    for (int closes = 0; closes < 2; closes++) {
        for (uint64_t between = 0; between < 30; between++) {
            struct pair p;

            pair_open(&p, 4);
            listen_on(&p, &p.b, PORT);
            connect_to(&p.a, &p.b, PORT);
            for (uint64_t i = 0; i < between && p.b.conn == NULL; i++)
                sim_step(p.world);
            if (closes) {
                struct rnic_obj *l = rnic_listener_obj(p.b.listener);

                p.b.listener = NULL;
                close_obj(l);
            } else {
                rnic_listener_pause(p.b.listener, true);
            }
            if (p.b.conn != NULL)
                close_conn(&p.b);
            await(&p, &p.a, NOTE_CONNECT);
            assert_int_equal(p.a.status[NOTE_CONNECT], SN_REFUSED);
            pair_close(&p);
        }
    }
}

/* Peers that connect and say nothing are bounded, time out, and keep nobody out: the one that waits
 * longest makes room. [MPA-017] */
static void silent_peers_are_bounded(void **state)
{
    enum { MAX = RNIC_PENDING_CONNECTIONS_MAX };
    static struct plat_pipe *pipes[MAX + 1];
    const struct sim_faults small = {.pipe_capacity = 1024};
    struct sn_a32 *pending;
    struct pair p;
    struct raw r;

    (void)state;
    pair_open_with(&p, 5, &small, NULL, NULL);
    raw_open(&r, &p);
    listen_on(&p, &p.b, PORT);
    pending = &p.b.listener->pending_count;
    for (unsigned i = 0; i <= MAX; i++) {
        raw_connect(&r, &p.b, PORT);
        while (i < MAX ? sn_a32_load_acquire(pending) <= i
                       : p.b.adapter->counters.connect_failures.v == 0)
            assert_true(sim_step(p.world));
        assert_false(r.is_over);
        pipes[i] = r.pipe;
        raw_enter(&r);
        plat_pipe_watch(r.pipe, false, false);
        plat_lane_leave(r.lane);
        r.pipe = NULL;
    }
    assert_int_equal(sn_a32_load_acquire(pending), MAX);
    r.pipe = pipes[0]; /* had to go; the others have not */
    raw_enter(&r);
    plat_pipe_watch(r.pipe, true, false);
    plat_lane_leave(r.lane);
    while (!r.is_over)
        assert_true(sim_step(p.world));
    r.pipe = NULL;

    connect_to(&p.a, &p.b, PORT);
    await(&p, &p.b, NOTE_ARRIVAL);
    accept_now(&p.b);
    await(&p, &p.a, NOTE_CONNECT);
    assert_int_equal(p.a.status[NOTE_CONNECT], SN_OK);
    assert_int_equal(sn_a32_load_acquire(pending), MAX - 1);

    pass_ms(&p, 16000);
    assert_int_equal(sn_a32_load_acquire(pending), 0);
    raw_enter(&r);
    for (unsigned i = 0; i <= MAX; i++)
        plat_pipe_close(pipes[i], true);
    plat_lane_leave(r.lane);
    raw_close(&r);
    pair_close(&p);
}

/* Closing while silent peers wait. */
static void closed_with_peers_waiting(void **state)
{
    struct pair p;
    struct raw r;
    enum sn_status s;

    (void)state;
    pair_open(&p, 6);
    raw_open(&r, &p);
    listen_on(&p, &p.b, PORT);
    raw_connect(&r, &p.b, PORT);
    pass_ms(&p, 1);
    s = rnic_obj_close(rnic_listener_obj(p.b.listener), done_of(&p.b, NOTE_LISTENER_CLOSED));
    p.b.listener = NULL;
    raw_await_over(&r);
    pass_ms(&p, 1);
    assert_int_equal(count_of(&p.b, NOTE_LISTENER_CLOSED), s == SN_PENDING);
    raw_close(&r);
    pair_close(&p);
}

/* Closed at once after the call. */
static void closed_while_it_starts(void **state)
{
    const struct rnic_connect_event e = {.call = note_arrived, .fn = note_fn};
    struct pair p;
    struct raw r;
    struct plat_addr addr;
    struct rnic_listener *l;

    (void)state;
    pair_open(&p, 7);
    raw_open(&r, &p);
    addr = at_port(&p.b, PORT);
    assert_int_equal(rnic_listener_create(p.b.adapter, e, &l), SN_OK);
    raw_enter(&r); /* this thread can enter no other lane: both tasks wait */
    assert_int_equal(rnic_listener_listen(l, &addr, done_of(&p.b, NOTE_LISTEN)), SN_PENDING);
    assert_int_equal(
        rnic_obj_close(rnic_listener_obj(l), done_of(&p.b, NOTE_LISTENER_CLOSED)), SN_PENDING);
    plat_lane_leave(r.lane);
    await(&p, &p.b, NOTE_LISTENER_CLOSED);
    assert_string_equal(p.b.log, "LY");
    assert_int_equal(p.b.status[NOTE_LISTEN], SN_CANCELLED);
    raw_close(&r);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(port_in_use_elsewhere),
        cmocka_unit_test(pause_and_resume),
        cmocka_unit_test(refused_before_it_was_seen),
        cmocka_unit_test(silent_peers_are_bounded),
        cmocka_unit_test(closed_with_peers_waiting),
        cmocka_unit_test(closed_while_it_starts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
