/* SPDX-License-Identifier: MIT */
#include "unit/plat/sim/rig.h"

/* Connected, nothing watched on the server: the test reads by hand. */
static struct rig *connected(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 0);
    rig_connect(r);
    rig_enter(r->lane[1]);
    plat_pipe_watch(r->end[1].pipe, false, false);
    plat_lane_leave(r->lane[1]);
    return r;
}

static size_t write_n(struct rig *r, size_t n)
{
    static const uint8_t block[100000];
    const struct sn_cspan v[2] = {{block, n / 2}, {block, n - n / 2}};
    size_t sent;

    rig_enter(r->lane[0]);
    if (plat_pipe_writev(r->end[0].pipe, v, 2, &sent) != PLAT_IO_OK)
        assert_int_equal(sent, 0);
    plat_lane_leave(r->lane[0]);
    return sent;
}

static enum plat_io read_n(struct rig *r, size_t n, size_t *got)
{
    static uint8_t block[100000];
    const struct sn_span v = {block, n};
    enum plat_io io;

    rig_enter(r->lane[1]);
    io = plat_pipe_readv(r->end[1].pipe, &v, 1, got);
    plat_lane_leave(r->lane[1]);
    return io;
}

static void test_a_perfect_network_delivers_at_once(void **state)
{
    struct rig *r = connected(state);
    size_t got;

    assert_int_equal(write_n(r, 5000), 5000);
    assert_int_equal(read_n(r, 3000, &got), PLAT_IO_OK);
    assert_int_equal(got, 3000);
    assert_int_equal(read_n(r, 0, &got), PLAT_IO_AGAIN);
    assert_int_equal(read_n(r, 3000, &got), PLAT_IO_OK);
    assert_int_equal(got, 2000);
    assert_int_equal(read_n(r, 1, &got), PLAT_IO_AGAIN);
    assert_int_equal(plat_pipe_unacked(r->end[0].pipe), 0);
}

static void test_no_more_than_the_capacity_is_in_flight(void **state)
{
    const struct sim_faults small = {.pipe_capacity = 1000};
    struct rig *r = *state;
    size_t got;

    sim_set_faults(r->world, &small);
    r = connected(state);
    assert_int_equal(write_n(r, 5000), 1000);
    assert_int_equal(write_n(r, 5000), 0);
    assert_int_equal(read_n(r, 300, &got), PLAT_IO_OK);
    assert_int_equal(write_n(r, 5000), 300);
}

static void test_unacked_is_what_has_not_arrived(void **state)
{
    const struct sim_faults slow = {.delay_ns_max = 1000000};
    struct rig *r = connected(state);

    sim_set_faults(r->world, &slow);
    assert_int_equal(write_n(r, 100), 100);
    assert_int_equal(plat_pipe_unacked(r->end[0].pipe), 100);
    while (sim_step(r->world))
        ;
    assert_int_equal(plat_pipe_unacked(r->end[0].pipe), 0);
}

static void test_many_small_writes_in_flight_keep_their_order(void **state)
{
    const struct sim_faults slow = {.delay_ns_max = 1000000};
    struct rig *r = *state;

    sim_set_faults(r->world, &slow);
    rig_listen(r, 0);
    rig_connect(r);
    rig_enter(r->lane[0]);
    for (int i = 0; i < 3 * SIM_SEGMENTS_MAX; i++) {
        r->end[0].to_send++;
        rig_send(&r->end[0]);
    }
    plat_lane_leave(r->lane[0]);
    while (sim_step(r->world))
        ;
    assert_int_equal(r->end[1].got, 3 * SIM_SEGMENTS_MAX);
    assert_true(r->end[1].is_stream_right);
}

static void test_emss(void **state)
{
    struct rig *r = connected(state);
    const struct sim_faults jumbo = {.emss = 8948};

    assert_int_equal(plat_pipe_emss(r->end[0].pipe), SIM_EMSS);
    sim_set_faults(r->world, &jumbo);
    assert_int_equal(plat_pipe_emss(r->end[0].pipe), 8948);
}

static void test_writing_after_the_end_fails(void **state)
{
    struct rig *r = connected(state);
    size_t got;

    assert_int_equal(write_n(r, 10), 10);
    rig_enter(r->lane[0]);
    plat_pipe_shutdown(r->end[0].pipe);
    plat_lane_leave(r->lane[0]);
    assert_int_equal(write_n(r, 10), 0);
    assert_int_equal(plat_pipe_error(r->end[0].pipe), SN_RESET);
    assert_int_equal(read_n(r, 100, &got), PLAT_IO_OK);
    assert_int_equal(got, 10);
    assert_int_equal(read_n(r, 100, &got), PLAT_IO_END);
}

static void test_a_reset_pipe_reads_what_arrived_then_the_error(void **state)
{
    struct rig *r = connected(state);
    size_t got;

    assert_int_equal(write_n(r, 10), 10);
    sim_reset_all(r->world);
    assert_int_equal(write_n(r, 10), 0);
    assert_int_equal(read_n(r, 100, &got), PLAT_IO_OK);
    assert_int_equal(got, 10);
    assert_int_equal(read_n(r, 100, &got), PLAT_IO_ERROR);
    assert_int_equal(plat_pipe_error(r->end[1].pipe), SN_RESET);
}

static void test_unwatched_is_silent(void **state)
{
    struct rig *r = connected(state);

    write_n(r, 10);
    while (sim_step(r->world))
        ;
    assert_int_equal(r->end[1].readable_count, 0);
}

static bool server_got_10(void *ctx)
{
    return ((struct rig *)ctx)->end[1].got == 10;
}

static void test_a_moved_pipe_is_served_by_the_new_lane(void **state)
{
    struct rig *r = connected(state);
    struct plat_lane *other;

    assert_int_equal(plat_lane_create(r->host[1], &rig_lane_ops, r, &other), SN_OK);
    rig_enter(r->lane[1]);
    plat_pipe_watch(r->end[1].pipe, true, false);
    plat_pipe_move(r->end[1].pipe, other);
    plat_lane_leave(r->lane[1]);
    write_n(r, 10);
    while (sim_step(r->world))
        ;
    assert_int_equal(r->end[1].readable_count, 0); /* unwatched since */
    rig_enter(other);
    plat_pipe_watch(r->end[1].pipe, true, false);
    plat_lane_leave(other);
    assert_true(sim_run_until(r->world, server_got_10, r, 100));
    rig_enter(other);
    plat_pipe_close(r->end[1].pipe, false);
    r->end[1].pipe = NULL;
    plat_lane_leave(other);
    plat_lane_destroy(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_a_perfect_network_delivers_at_once),
        RIG_TEST(test_no_more_than_the_capacity_is_in_flight),
        RIG_TEST(test_unacked_is_what_has_not_arrived),
        RIG_TEST(test_many_small_writes_in_flight_keep_their_order),
        RIG_TEST(test_emss),
        RIG_TEST(test_writing_after_the_end_fails),
        RIG_TEST(test_a_reset_pipe_reads_what_arrived_then_the_error),
        RIG_TEST(test_unwatched_is_silent),
        RIG_TEST(test_a_moved_pipe_is_served_by_the_new_lane),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
