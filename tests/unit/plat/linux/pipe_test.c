/* SPDX-License-Identifier: MIT */
#include "unit/plat/linux/rig.h"

static bool server_got_5(void *ctx)
{
    return ((struct rig *)ctx)->server.got >= 5;
}
static bool server_saw_end(void *ctx)
{
    return ((struct rig *)ctx)->server.saw_end;
}
static bool server_saw_error(void *ctx)
{
    return ((struct rig *)ctx)->server.saw_error;
}
static bool client_saw_error(void *ctx)
{
    return ((struct rig *)ctx)->client.saw_error;
}
static bool client_was_writable(void *ctx)
{
    return ((struct rig *)ctx)->client.writable_count > 0;
}

static void echo(struct rig *r, uint8_t family)
{
    rig_listen(r, family);
    rig_connect(r);
    assert_int_equal(rig_write(&r->client, "hello", 5), 5);
    rig_until(r->lane, server_got_5, r);
    assert_memory_equal(r->server.last, "hello", 5);
}

static void test_octets_arrive_ip4(void **state)
{
    echo(*state, 4);
}

static void test_octets_arrive_ip6(void **state)
{
    struct rig *r = *state;
    struct plat_addr any = rig_loopback(6);

    if (!plat_addr_is_local(r->plat, 0, &any)) {
        print_message("[  SKIPPED ] no IPv6 on this host\n");
        skip();
    }
    echo(r, 6);
}

static void test_both_ends_know_the_addresses(void **state)
{
    struct rig *r = *state;
    struct plat_addr local, peer, other;

    rig_listen(r, 4);
    rig_connect(r);
    plat_pipe_local(r->client.pipe, &local);
    plat_pipe_peer(r->client.pipe, &peer);
    assert_true(plat_addr_equal(&peer, &r->addr));
    assert_in_range(local.port, PLAT_PORT_FIRST, PLAT_PORT_LAST);
    plat_pipe_peer(r->server.pipe, &other);
    assert_true(plat_addr_equal(&local, &other));
    plat_pipe_local(r->server.pipe, &other);
    assert_true(plat_addr_equal(&peer, &other));
}

static void test_spans_are_scattered_and_gathered_in_order(void **state)
{
    struct rig *r = *state;
    const struct sn_cspan out[] = {
        {(const uint8_t *)"ab", 2}, {NULL, 0}, {(const uint8_t *)"cde", 3}};
    uint8_t a[1], b[10];
    const struct sn_span in[] = {{a, 1}, {NULL, 0}, {b, sizeof(b)}};
    enum plat_io io = PLAT_IO_AGAIN;
    size_t n;

    rig_listen(r, 4);
    rig_connect(r);
    rig_enter(r->lane);
    plat_pipe_watch(r->server.pipe, false, false);
    assert_int_equal(plat_pipe_writev(r->client.pipe, out, 3, &n), PLAT_IO_OK);
    assert_int_equal(n, 5);
    for (int i = 0; i < RIG_PATIENCE_MS && io == PLAT_IO_AGAIN; i++) {
        io = plat_pipe_readv(r->server.pipe, in, 3, &n);
        rig_nap();
    }
    assert_int_equal(io, PLAT_IO_OK);
    assert_int_equal(n, 5);
    assert_int_equal(a[0], 'a');
    assert_memory_equal(b, "bcde", 4);
    assert_int_equal(plat_pipe_readv(r->server.pipe, in, 3, &n), PLAT_IO_AGAIN);
    assert_int_equal(n, 0);
    /* Asking for nothing is not the end of the stream. */
    assert_int_equal(plat_pipe_readv(r->server.pipe, in, 0, &n), PLAT_IO_AGAIN);
    assert_int_equal(plat_pipe_readv(r->server.pipe, in + 1, 1, &n), PLAT_IO_AGAIN);
    assert_int_equal(plat_pipe_writev(r->client.pipe, out, 0, &n), PLAT_IO_OK);
    plat_lane_leave(r->lane);
}

static void test_more_spans_than_the_kernel_takes(void **state)
{
    static struct sn_cspan v[3000];
    struct rig *r = *state;
    size_t sent;

    for (size_t i = 0; i < SN_ARRAY_COUNT(v); i++)
        v[i] = (struct sn_cspan){(const uint8_t *)"x", 1};
    rig_listen(r, 4);
    rig_connect(r);
    rig_enter(r->lane);
    assert_int_equal(plat_pipe_writev(r->client.pipe, v, SN_ARRAY_COUNT(v), &sent), PLAT_IO_OK);
    assert_in_range(sent, 1, SN_ARRAY_COUNT(v));
    plat_lane_leave(r->lane);
}

static void test_shutdown_is_the_end_for_the_peer_only(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 4);
    rig_connect(r);
    rig_write(&r->client, "hello", 5);
    rig_enter(r->lane);
    plat_pipe_shutdown(r->client.pipe);
    plat_lane_leave(r->lane);
    rig_until(r->lane, server_saw_end, r);
    assert_int_equal(r->server.got, 5);
    /* The other direction lives. */
    assert_int_equal(rig_write(&r->server, "still", 5), 5);
}

static void test_graceful_close_delivers_what_was_written(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 4);
    rig_connect(r);
    rig_write(&r->client, "hello", 5);
    rig_close_end(&r->client, false);
    rig_until(r->lane, server_saw_end, r);
    assert_int_equal(r->server.got, 5);
}

static void test_abort_resets_the_peer(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 4);
    rig_connect(r);
    rig_close_end(&r->client, true);
    rig_until(r->lane, server_saw_error, r);
    assert_int_equal(plat_pipe_error(r->server.pipe), SN_RESET);
}

static void test_writing_to_a_reset_pipe_fails_without_a_signal(void **state)
{
    struct rig *r = *state;
    const struct sn_cspan v = {(const uint8_t *)"x", 1};
    enum plat_io io = PLAT_IO_OK;
    size_t n;

    rig_listen(r, 4);
    rig_connect(r);
    rig_close_end(&r->client, true);
    for (int i = 0; i < RIG_PATIENCE_MS && io == PLAT_IO_OK; i++) {
        rig_enter(r->lane);
        io = plat_pipe_writev(r->server.pipe, &v, 1, &n);
        plat_lane_leave(r->lane);
        rig_nap();
    }
    assert_int_equal(io, PLAT_IO_ERROR);
    assert_int_equal(plat_pipe_error(r->server.pipe), SN_RESET);
}

static void test_unwatched_is_silent_even_when_reset(void **state)
{
    struct rig *r = *state;
    uint64_t before;

    rig_listen(r, 4);
    rig_connect(r);
    rig_enter(r->lane);
    plat_pipe_watch(r->server.pipe, false, false);
    plat_lane_leave(r->lane);
    rig_close_end(&r->client, true);
    for (int i = 0; i < 100; i++)
        rig_nap();
    before = sn_a64_load_relaxed(&r->lane->home_wakeups);
    for (int i = 0; i < 100; i++)
        rig_nap();
    /* A socket in error that stays in the epoll set would keep the home thread spinning. */
    assert_int_equal(sn_a64_load_relaxed(&r->lane->home_wakeups), before);
    rig_enter(r->lane);
    assert_int_equal(r->server.readable_count, 0);
    plat_pipe_watch(r->server.pipe, true, false);
    plat_lane_leave(r->lane);
    rig_until(r->lane, server_saw_error, r);
}

/* Fills the pipe; returns how much went in. */
static size_t fill(struct rig *r)
{
    static const uint8_t block[65536];
    const struct sn_cspan v = {block, sizeof(block)};
    size_t total = 0, n;

    rig_enter(r->lane);
    while (plat_pipe_writev(r->client.pipe, &v, 1, &n) == PLAT_IO_OK)
        total += n;
    plat_lane_leave(r->lane);
    return total;
}

static bool server_has_all(void *ctx)
{
    struct rig *r = ctx;

    return r->server.got == (size_t)r->accepted_count;
}

static void test_full_pipe_becomes_writable_when_the_peer_reads(void **state)
{
    struct rig *r = *state;
    size_t total;

    rig_listen(r, 4);
    rig_connect(r);
    rig_enter(r->lane);
    plat_pipe_watch(r->server.pipe, false, false);
    plat_lane_leave(r->lane);
    total = fill(r);
    assert_true(total > 0);
    rig_enter(r->lane);
    assert_true(plat_pipe_unacked(r->client.pipe) > 0);
    plat_pipe_watch(r->client.pipe, true, true);
    plat_pipe_watch(r->client.pipe, true, true);
    plat_pipe_watch(r->server.pipe, true, false);
    plat_lane_leave(r->lane);
    rig_until(r->lane, client_was_writable, r);
    r->accepted_count = (unsigned)total;
    rig_until(r->lane, server_has_all, r);
}

static void test_emss_is_the_segment_that_fits(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 4);
    rig_connect(r);
    assert_in_range(plat_pipe_emss(r->client.pipe), 500, 65535);
    assert_int_equal(plat_pipe_unacked(r->client.pipe), 0);
}

/* ---- closing from inside a callback ---- */

static void close_both(void *ctx)
{
    struct rig *r = ctx;

    plat_pipe_close(r->server.pipe, false);
    plat_pipe_close(r->client.pipe, false);
    plat_listener_close(r->listener);
    r->server.pipe = r->client.pipe = NULL;
    r->listener = NULL;
    r->accepted_count = 1000;
}
static void must_not_be_called(void *ctx)
{
    (void)ctx;
    fail();
}
static const struct plat_pipe_ops close_both_ops = {NULL, close_both, must_not_be_called};

static bool all_closed(void *ctx)
{
    return ((struct rig *)ctx)->accepted_count == 1000;
}

static void test_a_readable_callback_may_close_everything(void **state)
{
    struct rig *r = *state;
    const struct sn_cspan v = {(const uint8_t *)"x", 1};
    size_t n;

    rig_listen(r, 4);
    rig_connect(r);
    rig_enter(r->lane);
    /* Both ends are readable and writable in the same look at the epoll set. */
    plat_pipe_set_ops(r->server.pipe, &close_both_ops, r);
    plat_pipe_set_ops(r->client.pipe, &close_both_ops, r);
    assert_int_equal(plat_pipe_writev(r->client.pipe, &v, 1, &n), PLAT_IO_OK);
    assert_int_equal(plat_pipe_writev(r->server.pipe, &v, 1, &n), PLAT_IO_OK);
    plat_pipe_watch(r->server.pipe, true, true);
    plat_pipe_watch(r->client.pipe, true, true);
    plat_lane_leave(r->lane);
    rig_until(r->lane, all_closed, r);
}

/* ---- moving ---- */

static void test_a_moved_pipe_is_served_by_the_new_lane(void **state)
{
    struct rig *r = *state;
    struct plat_lane *other;

    assert_int_equal(plat_lane_create(r->plat, &rig_lane_ops, r, &other), SN_OK);
    rig_listen(r, 4);
    rig_connect(r);
    rig_enter(r->lane);
    plat_pipe_move(r->server.pipe, other);
    plat_lane_leave(r->lane);
    rig_write(&r->client, "hello", 5);
    rig_enter(other);
    assert_int_equal(r->server.readable_count, 0); /* unwatched since */
    plat_pipe_watch(r->server.pipe, true, false);
    plat_lane_leave(other);
    rig_until(other, server_got_5, r); /* rig_readable asserts which lane it is in */
    rig_close_end(&r->server, true);
    plat_lane_destroy(other);
    rig_until(r->lane, client_saw_error, r);
}

static void *no_memory(void *ctx, size_t size)
{
    (void)ctx;
    (void)size;
    return NULL;
}
static void free_nothing(void *ctx, void *p)
{
    (void)ctx;
    (void)p;
}

static void test_a_pipe_that_cannot_be_watched_says_so(void **state)
{
    const struct sn_allocator none = {no_memory, free_nothing, NULL};
    struct rig *r = *state;
    struct plat_lane *other;
    size_t n;
    const struct sn_cspan v = {(const uint8_t *)"x", 1};

    assert_int_equal(plat_lane_create(r->plat, &rig_lane_ops, r, &other), SN_OK);
    rig_listen(r, 4);
    rig_connect(r);
    rig_enter(r->lane);
    plat_pipe_move(r->server.pipe, other);
    plat_lane_leave(r->lane);
    rig_enter(other);
    sn_alloc_set(&none); /* the new lane has no slot yet */
    plat_pipe_watch(r->server.pipe, true, false);
    sn_alloc_set(NULL);
    assert_false(r->server.saw_error);
    plat_lane_leave(other);
    rig_until(other, server_saw_error, r);
    assert_int_equal(plat_pipe_error(r->server.pipe), SN_NO_MEMORY);
    rig_enter(other);
    assert_int_equal(plat_pipe_writev(r->server.pipe, &v, 1, &n), PLAT_IO_ERROR);
    plat_lane_leave(other);
    rig_close_end(&r->server, true);
    plat_lane_destroy(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_octets_arrive_ip4),
        RIG_TEST(test_octets_arrive_ip6),
        RIG_TEST(test_both_ends_know_the_addresses),
        RIG_TEST(test_spans_are_scattered_and_gathered_in_order),
        RIG_TEST(test_more_spans_than_the_kernel_takes),
        RIG_TEST(test_shutdown_is_the_end_for_the_peer_only),
        RIG_TEST(test_graceful_close_delivers_what_was_written),
        RIG_TEST(test_abort_resets_the_peer),
        RIG_TEST(test_writing_to_a_reset_pipe_fails_without_a_signal),
        RIG_TEST(test_unwatched_is_silent_even_when_reset),
        RIG_TEST(test_full_pipe_becomes_writable_when_the_peer_reads),
        RIG_TEST(test_emss_is_the_segment_that_fits),
        RIG_TEST(test_a_readable_callback_may_close_everything),
        RIG_TEST(test_a_moved_pipe_is_served_by_the_new_lane),
        RIG_TEST(test_a_pipe_that_cannot_be_watched_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
