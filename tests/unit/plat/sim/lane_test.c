/* SPDX-License-Identifier: MIT */
#include "unit/plat/sim/rig.h"

struct home_call {
    struct plat_call call;
    struct plat_lane *lane;
    bool was_home, ran;
};

static void note_home(struct plat_call *call)
{
    struct home_call *c = SN_CONTAINER_OF(call, struct home_call, call);

    assert_null(plat_lane_current());
    c->was_home = plat_lane_is_home(c->lane);
    c->ran = true;
}

static bool has_run(void *ctx)
{
    return ((struct home_call *)ctx)->ran;
}

static void test_calls_run_at_home(void **state)
{
    struct rig *r = *state;
    struct home_call c = {.call = {.run = note_home}, .lane = r->lane[0]};

    assert_false(plat_lane_is_home(r->lane[0]));
    plat_lane_call(r->lane[0], &c.call);
    assert_false(c.ran);
    assert_true(sim_run_until(r->world, has_run, &c, 10));
    assert_true(c.was_home);
    assert_false(plat_lane_is_home(r->lane[0]));
}

static void test_destroy_runs_the_calls_and_the_work_that_are_left(void **state)
{
    struct rig *r = *state;
    struct home_call c = {.call = {.run = note_home}};
    struct plat_lane *lane;

    assert_int_equal(plat_lane_create(r->host[0], &rig_lane_ops, r, &lane), SN_OK);
    c.lane = lane;
    plat_lane_call(lane, &c.call);
    plat_lane_leave_work(lane, false);
    plat_lane_destroy(lane);
    assert_true(c.ran);
    assert_true(c.was_home);
    assert_in_range(r->works, 1, 2);
}

static void test_left_work_is_done_at_a_later_step(void **state)
{
    struct rig *r = *state;

    plat_lane_leave_work(r->lane[0], false);
    assert_int_equal(r->works, 0);
    while (sim_step(r->world))
        ;
    assert_int_equal(r->works, 1);
    plat_lane_leave_work(r->lane[0], true);
    assert_int_equal(r->works, 2);
}

static void test_a_taken_lane_gets_free_and_does_what_was_left(void **state)
{
    const struct sim_faults busy = {.lane_busy_permille = 500};
    struct rig *r = *state;
    unsigned refused = 0, done = 0;

    sim_set_faults(r->world, &busy);
    for (int i = 0; i < 200; i++) {
        unsigned before = r->works;

        if (plat_lane_enter(r->lane[0])) {
            plat_lane_leave(r->lane[0]);
        } else {
            assert_int_equal(sn_a64_load_relaxed(&r->lane[0]->seq) % 2, 1);
            refused++;
        }
        plat_lane_leave_work(r->lane[0], true);
        for (int k = 0; k < 1000 && r->works == before; k++)
            sim_step(r->world);
        done += r->works > before;
        sim_step(r->world);
    }
    assert_int_equal(done, 200);
    assert_in_range(refused, 20, 180);
}

static void test_quiesce_lets_others_out(void **state)
{
    const struct sim_faults busy = {.lane_busy_permille = 1000};
    struct rig *r = *state;

    plat_lane_leave_work(r->lane[0], false);
    sim_set_faults(r->world, &busy);
    sim_step(r->world); /* now somebody is inside each lane */
    assert_false(plat_lane_enter(r->lane[1]));
    plat_lane_leave_work(r->lane[1], true);
    plat_lanes_quiesce(r->lane, 2, NULL);
    assert_int_equal(sn_a32_load_relaxed(&r->lane[1]->state), PLAT_LANE_WORK);
    sim_set_faults(r->world, NULL);
    while (sim_step(r->world))
        ;
    assert_int_equal(r->works, 2);
    /* From inside a lane. */
    rig_enter(r->lane[0]);
    plat_lanes_quiesce(r->lane, 2, r->lane[0]);
    plat_lane_leave(r->lane[0]);
}

static bool server_got_10(void *ctx)
{
    return ((struct rig *)ctx)->end[1].got >= 10;
}

static void send_10(struct rig *r)
{
    rig_enter(r->lane[0]);
    r->end[0].to_send += 10;
    rig_send(&r->end[0]);
    plat_lane_leave(r->lane[0]);
}

static void test_poll_serves_each_once(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 0);
    rig_connect(r);
    plat_lane_poller_visit(r->lane[1]);
    send_10(r);
    rig_enter(r->lane[1]);
    assert_int_equal(plat_lane_poll(r->lane[1]), 1);
    assert_int_equal(r->end[1].got, 10);
    assert_int_equal(plat_lane_poll(r->lane[1]), 0);
    plat_lane_leave(r->lane[1]);
}

static void test_a_poller_keeps_the_home_thread_out_until_it_stops(void **state)
{
    struct rig *r = *state;
    uint64_t begin;

    rig_listen(r, 0);
    rig_connect(r);
    while (sim_step(r->world))
        ;
    begin = plat_now_ns(r->host[1]);
    plat_lane_poller_visit(r->lane[1]);
    send_10(r);
    assert_true(sim_run_until(r->world, server_got_10, r, 100));
    assert_true(plat_now_ns(r->host[1]) - begin >= SIM_POLLER_GONE_NS);
    assert_int_equal(sn_a32_load_relaxed(&r->lane[1]->has_poller), 0);

    /* Ended by hand it takes no time. */
    plat_lane_poller_visit(r->lane[1]);
    plat_lane_poller_end(r->lane[1]);
    begin = plat_now_ns(r->host[1]);
    r->end[1].got = 0;
    send_10(r);
    assert_true(sim_run_until(r->world, server_got_10, r, 100));
    assert_true(plat_now_ns(r->host[1]) - begin < SIM_POLLER_GONE_NS);
}

struct noted_timer {
    struct plat_timer timer;
    struct plat_lane *lane;
    unsigned fired;
    bool was_home;
};

static void note_timer(struct plat_timer *timer)
{
    struct noted_timer *t = SN_CONTAINER_OF(timer, struct noted_timer, timer);

    t->fired++;
    t->was_home = plat_lane_is_home(t->lane);
}

static bool timer_has_fired(void *ctx)
{
    return ((struct noted_timer *)ctx)->fired > 0;
}

static void test_timers_of_a_polled_lane_are_the_pollers(void **state)
{
    struct rig *r = *state;
    struct noted_timer t = {.lane = r->lane[0]};
    uint64_t begin;

    plat_timer_init(&t.timer, note_timer);
    rig_enter(r->lane[0]);
    plat_timer_set(r->lane[0], &t.timer, 0);
    plat_lane_poller_visit(r->lane[0]);
    assert_int_equal(plat_lane_poll(r->lane[0]), 0); /* counts pipes */
    assert_int_equal(t.fired, 1);
    assert_false(t.was_home);
    t.fired = 0;
    plat_timer_set(r->lane[0], &t.timer, 0);
    plat_lane_leave(r->lane[0]);
    begin = plat_now_ns(r->host[0]);
    assert_true(sim_run_until(r->world, timer_has_fired, &t, 100));
    assert_true(t.was_home);
    assert_true(plat_now_ns(r->host[0]) - begin >= SIM_POLLER_GONE_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_calls_run_at_home),
        RIG_TEST(test_destroy_runs_the_calls_and_the_work_that_are_left),
        RIG_TEST(test_left_work_is_done_at_a_later_step),
        RIG_TEST(test_a_taken_lane_gets_free_and_does_what_was_left),
        RIG_TEST(test_quiesce_lets_others_out),
        RIG_TEST(test_poll_serves_each_once),
        RIG_TEST(test_timers_of_a_polled_lane_are_the_pollers),
        RIG_TEST(test_a_poller_keeps_the_home_thread_out_until_it_stops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
