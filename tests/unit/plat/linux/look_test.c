/* SPDX-License-Identifier: MIT */
#include "unit/plat/linux/rig.h"

static void nap_ms(unsigned ms)
{
    for (unsigned i = 0; i < ms * 5; i++)
        rig_nap();
}

static bool server_got_5(void *ctx)
{
    return ((struct rig *)ctx)->server.got >= 5;
}

static void test_a_poller_serves_and_the_home_thread_keeps_out(void **state)
{
    struct rig *r = *state;
    size_t got = 0;
    uint64_t home_served = 0;

    rig_listen(r, 4);
    rig_connect(r);
    for (int round = 0; round < 500; round++) {
        unsigned served = 0;

        plat_lane_poller_visit(r->lane);
        rig_write(&r->client, "hello", 5);
        for (int i = 0; i < 100000 && got < (size_t)(round + 1) * 5; i++) {
            rig_enter(r->lane);
            plat_lane_poller_visit(r->lane);
            served += plat_lane_poll(r->lane);
            got = r->server.got;
            plat_lane_leave(r->lane);
        }
        home_served += served == 0;
    }
    assert_int_equal(got, 500 * 5);
    /* A poller that is not scheduled for a millisecond counts as gone, hence not none. */
    assert_true(home_served < 250);
    /* It stops: the home thread takes over by itself. */
    rig_enter(r->lane);
    r->server.got = 0;
    plat_lane_leave(r->lane);
    rig_write(&r->client, "hello", 5);
    rig_until(r->lane, server_got_5, r);
    nap_ms(20);
    assert_int_equal(sn_a32_load_relaxed(&r->lane->has_poller), 0);
}

static void test_poller_end_gives_the_sockets_back(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 4);
    rig_connect(r);
    for (int i = 0; i < 50; i++) {
        rig_enter(r->lane);
        r->server.got = 0;
        plat_lane_poller_visit(r->lane);
        plat_lane_poll(r->lane);
        plat_lane_leave(r->lane);
        plat_lane_poller_end(r->lane);
        rig_write(&r->client, "hello", 5);
        rig_until(r->lane, server_got_5, r);
    }
}

/* The client sends, the test polls until the server has it; `rounds` times. */
static void poll_rounds(struct rig *r, struct rig_end *from, struct rig_end *to, int rounds)
{
    for (int round = 0; round < rounds; round++) {
        size_t got = 0;

        rig_enter(r->lane);
        to->got = 0;
        plat_lane_leave(r->lane);
        rig_write(from, "hello", 5);
        for (int i = 0; i < 1000000 && got < 5; i++) {
            plat_lane_poller_visit(r->lane);
            rig_enter(r->lane);
            plat_lane_poll(r->lane);
            got = to->got;
            plat_lane_leave(r->lane);
        }
        assert_int_equal(got, 5);
    }
}

static void test_a_lone_busy_connection_is_read_without_asking_the_epoll_set(void **state)
{
    struct rig *r = *state;
    const struct sn_a64 *asked = &lin_lane_of(r->lane)->poll_wait_count;
    uint64_t before;

    rig_listen(r, 4);
    rig_connect(r);
    before = sn_a64_load_relaxed(asked);
    poll_rounds(r, &r->client, &r->server, 1000);
    assert_true(sn_a64_load_relaxed(asked) - before < 900); /* without the shortcut: 1000 or more */
}

/* Polls until the server's pipe is out of the epoll set; leaves the test inside the lane. */
static void park_server(struct rig *r)
{
    struct lin_lane *l = lin_lane_of(r->lane);

    for (int i = 0; i < 1000; i++) {
        poll_rounds(r, &r->client, &r->server, 100);
        plat_lane_poller_visit(r->lane);
        rig_enter(r->lane);
        if (l->parked == &lin_pipe_of(r->server.pipe)->source)
            return;
        plat_lane_leave(r->lane);
    }
    fail_msg("never parked");
}

static void test_a_parked_connection_comes_back_when_the_poller_stops(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 4);
    rig_connect(r);
    for (int i = 0; i < 20; i++) {
        park_server(r);
        r->server.got = 0;
        plat_lane_leave(r->lane);
        if (i % 2 == 0)
            plat_lane_poller_end(r->lane);
        rig_write(&r->client, "hello", 5);
        rig_until(r->lane, server_got_5, r);
        assert_null(lin_lane_of(r->lane)->parked);
    }
}

static void test_a_parked_connection_can_be_closed_moved_or_watched_otherwise(void **state)
{
    struct rig *r = *state;
    struct lin_lane *l = lin_lane_of(r->lane);
    struct plat_lane *other;

    assert_int_equal(plat_lane_create(r->plat, &rig_lane_ops, r, &other), SN_OK);
    rig_listen(r, 4);
    rig_connect(r);
    park_server(r);
    plat_pipe_watch(r->server.pipe, true, false); /* as it is */
    assert_non_null(l->parked);
    plat_pipe_watch(r->server.pipe, true, true);
    assert_null(l->parked);
    plat_lane_leave(r->lane);
    park_server(r);
    plat_pipe_watch(r->server.pipe, false, false);
    assert_null(l->parked);
    plat_pipe_watch(r->server.pipe, true, false);
    plat_lane_leave(r->lane);
    park_server(r);
    plat_pipe_move(r->server.pipe, other);
    assert_null(l->parked);
    plat_lane_leave(r->lane);
    rig_enter(other);
    plat_pipe_move(r->server.pipe, r->lane);
    plat_lane_leave(other);
    plat_lane_destroy(other);
    rig_enter(r->lane);
    plat_pipe_watch(r->server.pipe, true, false);
    plat_lane_leave(r->lane);
    park_server(r);
    plat_pipe_close(r->server.pipe, true);
    r->server.pipe = NULL;
    assert_null(l->parked);
    assert_false(lin_lane_has_parked(l));
    plat_lane_leave(r->lane);
}

static void test_a_second_busy_connection_ends_the_shortcut(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 4);
    rig_connect(r);
    park_server(r);
    plat_lane_leave(r->lane);
    poll_rounds(r, &r->server, &r->client, 1);
    rig_enter(r->lane);
    assert_null(lin_lane_of(r->lane)->parked);
    plat_lane_leave(r->lane);
    poll_rounds(r, &r->client, &r->server, 1);
}

static bool server_saw_error(void *ctx)
{
    return ((struct rig *)ctx)->server.saw_error;
}

static void test_a_reset_of_a_parked_connection_is_seen(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 4);
    rig_connect(r);
    park_server(r);
    plat_pipe_close(r->client.pipe, true);
    r->client.pipe = NULL;
    plat_lane_leave(r->lane);
    rig_until(r->lane, server_saw_error, r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_a_poller_serves_and_the_home_thread_keeps_out),
        RIG_TEST(test_poller_end_gives_the_sockets_back),
        RIG_TEST(test_a_lone_busy_connection_is_read_without_asking_the_epoll_set),
        RIG_TEST(test_a_parked_connection_comes_back_when_the_poller_stops),
        RIG_TEST(test_a_parked_connection_can_be_closed_moved_or_watched_otherwise),
        RIG_TEST(test_a_second_busy_connection_ends_the_shortcut),
        RIG_TEST(test_a_reset_of_a_parked_connection_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
