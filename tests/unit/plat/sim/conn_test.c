/* SPDX-License-Identifier: MIT */
#include "unit/plat/sim/rig.h"

static bool both_are_done(void *ctx)
{
    struct rig *r = ctx;

    return r->end[0].got == r->end[1].to_send && r->end[1].got == r->end[0].to_send &&
           r->end[0].saw_end && r->end[1].saw_end;
}

/* Every fault alone, then all of them. */
static const struct sim_faults faults[] = {
    {0},
    {.split_permille = 500},
    {.short_write_permille = 500},
    {.again_permille = 300},
    {.one_octet_permille = 300},
    {.delay_ns_max = 100000},
    {.lane_busy_permille = 300},
    {.pipe_capacity = 1},
    {.pipe_capacity = 100},
    {.split_permille = 300,
        .short_write_permille = 300,
        .again_permille = 200,
        .one_octet_permille = 100,
        .delay_ns_max = 50000,
        .lane_busy_permille = 200,
        .pipe_capacity = 3000},
};

static void test_the_stream_arrives_whole_under_every_fault(void **state)
{
    (void)state;
    for (size_t f = 0; f < SN_ARRAY_COUNT(faults); f++) {
        for (uint64_t seed = 0; seed < 5; seed++) {
            struct rig r;

            rig_open(&r, seed, &faults[f]);
            rig_listen(&r, 0);
            r.end[0].to_send = faults[f].pipe_capacity == 1 ? 300 : 20000;
            r.end[1].to_send = 5000;
            r.end[0].shuts_down = r.end[1].shuts_down = true;
            rig_connect(&r);
            assert_true(sim_run_until(r.world, both_are_done, &r, RIG_STEPS_MAX));
            assert_true(r.end[0].is_stream_right);
            assert_true(r.end[1].is_stream_right);
            rig_close(&r);
        }
    }
}

static bool server_got_all(void *ctx)
{
    struct rig *r = ctx;

    return r->end[1].got == r->end[0].to_send && r->end[1].saw_end;
}

static void test_graceful_close_delivers_what_was_written(void **state)
{
    const struct sim_faults slow = {.delay_ns_max = 1000000};
    struct rig r;

    (void)state;
    rig_open(&r, 3, &slow);
    rig_listen(&r, 0);
    r.end[0].to_send = 10000;
    rig_connect(&r);
    assert_int_equal(r.end[0].sent, 10000);
    rig_close_end(&r, 0, false);
    assert_true(sim_run_until(r.world, server_got_all, &r, RIG_STEPS_MAX));
    rig_close(&r);
}

static bool server_saw_error(void *ctx)
{
    return ((struct rig *)ctx)->end[1].saw_error;
}
static bool client_saw_error(void *ctx)
{
    return ((struct rig *)ctx)->end[0].saw_error;
}

static void test_abort_resets_and_loses_only_a_tail(void **state)
{
    const struct sim_faults slow = {.delay_ns_max = 1000000};
    uint8_t octets[100];
    const struct sn_span v = {octets, sizeof(octets)};
    unsigned lost = 0;
    size_t n;

    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct rig r;

        rig_open(&r, seed, &slow);
        rig_listen(&r, 0);
        r.end[0].to_send = 10000;
        rig_connect(&r);
        rig_close_end(&r, 0, true);
        assert_true(sim_run_until(r.world, server_saw_error, &r, RIG_STEPS_MAX));
        assert_int_equal(plat_pipe_error(r.end[1].pipe), SN_RESET);
        assert_true(r.end[1].is_stream_right);
        lost += r.end[1].got < 10000;
        /* Nothing comes after the error. */
        while (sim_step(r.world))
            ;
        rig_enter(r.lane[1]);
        assert_int_equal(plat_pipe_readv(r.end[1].pipe, &v, 1, &n), PLAT_IO_ERROR);
        plat_lane_leave(r.lane[1]);
        rig_close(&r);
    }
    assert_in_range(lost, 1, 20);
}

static void test_octets_for_a_closed_end_are_answered_with_a_reset(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 0);
    rig_connect(r);
    rig_close_end(r, 1, false);
    rig_enter(r->lane[0]);
    r->end[0].to_send = 10;
    rig_send(&r->end[0]);
    plat_lane_leave(r->lane[0]);
    assert_true(sim_run_until(r->world, client_saw_error, r, RIG_STEPS_MAX));
    assert_false(r->end[0].saw_end); /* the reset was faster than the look at the end */
}

static void test_closing_with_unread_octets_resets(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 0);
    rig_connect(r);
    rig_enter(r->lane[0]);
    plat_pipe_watch(r->end[0].pipe, true, false);
    r->end[0].to_send = 10;
    rig_send(&r->end[0]);
    plat_lane_leave(r->lane[0]);
    rig_close_end(r, 1, false); /* without a look */
    assert_true(sim_run_until(r->world, client_saw_error, r, RIG_STEPS_MAX));
}

static void test_reset_all_cuts_every_connection(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 0);
    rig_connect(r);
    sim_reset_all(r->world);
    assert_true(sim_run_until(r->world, server_saw_error, r, RIG_STEPS_MAX));
    assert_true(sim_run_until(r->world, client_saw_error, r, RIG_STEPS_MAX));
}

static void test_random_resets_come(void **state)
{
    const struct sim_faults cut = {.reset_permyriad = 200, .delay_ns_max = 1000};
    struct rig r;

    (void)state;
    rig_open(&r, 9, &cut);
    rig_listen(&r, 0);
    r.end[0].to_send = r.end[1].to_send = SIZE_MAX / 2;
    assert_int_equal(rig_try_connect(&r, &rig_addr[0], &r.addr), SN_OK);
    assert_true(sim_run_until(r.world, rig_has_answer, &r, RIG_STEPS_MAX));
    if (r.end[0].status == SN_OK)
        assert_true(sim_run_until(r.world, client_saw_error, &r, RIG_STEPS_MAX));
    rig_close(&r);
}

static void test_half_close_leaves_the_other_direction(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 0);
    r->end[0].shuts_down = true;
    rig_connect(r);
    while (!r->end[1].saw_end)
        assert_true(sim_step(r->world));
    rig_enter(r->lane[1]);
    r->end[1].to_send = 1000;
    rig_send(&r->end[1]);
    plat_lane_leave(r->lane[1]);
    while (r->end[0].got < 1000)
        assert_true(sim_step(r->world));
    assert_false(r->end[0].saw_end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_stream_arrives_whole_under_every_fault),
        cmocka_unit_test(test_graceful_close_delivers_what_was_written),
        cmocka_unit_test(test_abort_resets_and_loses_only_a_tail),
        RIG_TEST(test_octets_for_a_closed_end_are_answered_with_a_reset),
        RIG_TEST(test_closing_with_unread_octets_resets),
        RIG_TEST(test_reset_all_cuts_every_connection),
        cmocka_unit_test(test_random_resets_come),
        RIG_TEST(test_half_close_leaves_the_other_direction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
