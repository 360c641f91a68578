/* SPDX-License-Identifier: MIT */
#include <sys/resource.h>

#include "unit/plat/linux/rig.h"

static bool accepted_100(void *ctx)
{
    return ((struct rig *)ctx)->accepted_count >= 100;
}

static void test_many_connections_at_once(void **state)
{
    struct rig *r = *state;
    struct plat_addr src = rig_loopback(4);
    static struct rig_end ends[100];

    memset(ends, 0, sizeof(ends));
    rig_listen(r, 4);
    r->refuses = true;
    rig_enter(r->lane);
    for (int i = 0; i < 100; i++)
        assert_int_equal(
            plat_connect(r->lane, &src, &r->addr, NULL, &rig_pipe_ops, &ends[i], &ends[i].pipe),
            SN_OK);
    plat_lane_leave(r->lane);
    rig_until(r->lane, accepted_100, r);
    for (int i = 0; i < 100; i++)
        rig_close_end(&ends[i], true);
    assert_int_equal(r->accepted_count, 100);
}

static void test_the_port_is_taken(void **state)
{
    struct rig *r = *state;
    struct plat_listener *second = NULL;

    rig_listen(r, 4);
    assert_in_range(r->addr.port, PLAT_PORT_FIRST, PLAT_PORT_LAST);
    rig_enter(r->lane);
    assert_int_equal(
        plat_listen(r->lane, &r->addr, NULL, &rig_listener_ops, r, &second), SN_ADDRESS_IN_USE);
    plat_listener_close(r->listener);
    /* Free again at once. */
    assert_int_equal(
        plat_listen(r->lane, &r->addr, NULL, &rig_listener_ops, r, &r->listener), SN_OK);
    plat_lane_leave(r->lane);
}

static void test_bad_addresses(void **state)
{
    struct rig *r = *state;
    struct plat_addr none = {0}, foreign = {.family = 4, .ip = {192, 0, 2, 1}};
    struct plat_listener *l;

    rig_enter(r->lane);
    assert_int_equal(plat_listen(r->lane, &none, NULL, &rig_listener_ops, r, &l), SN_INVALID);
    assert_int_equal(
        plat_listen(r->lane, &foreign, NULL, &rig_listener_ops, r, &l), SN_ADDRESS_INVALID);
    plat_lane_leave(r->lane);
}

static void test_ip4_and_ip6_wildcards_share_a_port(void **state)
{
    struct rig *r = *state;
    struct plat_addr any4 = {.family = 4}, any6 = {.family = 6};
    struct plat_addr loopback6 = rig_loopback(6);
    struct plat_listener *second;

    if (!plat_addr_is_local(r->plat, 0, &loopback6)) {
        print_message("[  SKIPPED ] no IPv6 on this host\n");
        skip();
    }
    rig_enter(r->lane);
    assert_int_equal(plat_listen(r->lane, &any4, NULL, &rig_listener_ops, r, &r->listener), SN_OK);
    plat_listener_local(r->listener, &any4);
    any6.port = any4.port;
    assert_int_equal(plat_listen(r->lane, &any6, NULL, &rig_listener_ops, r, &second), SN_OK);
    plat_listener_close(second);
    plat_lane_leave(r->lane);
}

/* ---- closing from inside the callback ---- */

static void accepted_closes_listener(void *ctx, struct plat_pipe *pipe)
{
    struct rig *r = ctx;

    r->accepted_count++;
    plat_pipe_close(pipe, false);
    plat_listener_close(r->listener);
    r->listener = NULL;
}
static const struct plat_listener_ops closing_ops = {accepted_closes_listener};

static bool accepted_1(void *ctx)
{
    return ((struct rig *)ctx)->accepted_count >= 1;
}

static void test_accepted_may_close_the_listener(void **state)
{
    struct rig *r = *state;
    struct plat_addr addr = rig_loopback(4);
    struct rig_end ends[5] = {{0}};

    rig_enter(r->lane);
    assert_int_equal(plat_listen(r->lane, &addr, NULL, &closing_ops, r, &r->listener), SN_OK);
    plat_listener_local(r->listener, &r->addr);
    for (int i = 0; i < 5; i++)
        assert_int_equal(
            plat_connect(r->lane, &addr, &r->addr, NULL, &rig_pipe_ops, &ends[i], &ends[i].pipe),
            SN_OK);
    plat_lane_leave(r->lane);
    rig_until(r->lane, accepted_1, r);
    for (int i = 0; i < 5; i++)
        rig_close_end(&ends[i], true);
    assert_int_equal(r->accepted_count, 1); /* the others were reset */
}

/* ---- out of descriptors ---- */

static void test_without_descriptors_it_waits_and_does_not_spin(void **state)
{
    struct rig *r = *state;
    struct rlimit before, low;
    uint64_t wakeups;
    int highest;

    rig_listen(r, 4);
    rig_start_connect(r);
    rig_until(r->lane, rig_is_connected, r);
    rig_close_end(&r->client, true);
    rig_close_end(&r->server, true);
    r->client = r->server = (struct rig_end){0};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    rig_enter(r->lane);
    /* The connecting socket takes the last descriptor. */
    highest = dup(0);
    close(highest);
    low = before;
    low.rlim_cur = (rlim_t)highest + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    plat_lane_leave(r->lane);
    rig_start_connect(r);
    for (int i = 0; i < 100; i++)
        rig_nap();
    wakeups = sn_a64_load_relaxed(&r->lane->home_wakeups);
    for (int i = 0; i < 1500; i++) /* 300 ms and more: three pauses or so */
        rig_nap();
    wakeups = sn_a64_load_relaxed(&r->lane->home_wakeups) - wakeups;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(wakeups < 200); /* a spin makes many thousands */
    assert_null(r->server.pipe);
    rig_until(r->lane, rig_is_connected, r); /* and then it is accepted */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_many_connections_at_once),
        RIG_TEST(test_the_port_is_taken),
        RIG_TEST(test_bad_addresses),
        RIG_TEST(test_ip4_and_ip6_wildcards_share_a_port),
        RIG_TEST(test_accepted_may_close_the_listener),
        RIG_TEST(test_without_descriptors_it_waits_and_does_not_spin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
