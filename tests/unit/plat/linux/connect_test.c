/* SPDX-License-Identifier: MIT */
#include "unit/plat/linux/rig.h"

static bool client_has_answer(void *ctx)
{
    return ((struct rig *)ctx)->client.connected_count > 0;
}

static enum sn_status try_connect(
    struct rig *r, const struct plat_addr *src, const struct plat_addr *dst)
{
    enum sn_status status;

    rig_enter(r->lane);
    status = plat_connect(r->lane, src, dst, NULL, &rig_pipe_ops, &r->client, &r->client.pipe);
    assert_int_equal(r->client.connected_count, 0); /* never from inside */
    plat_lane_leave(r->lane);
    return status;
}

static void test_refused(void **state)
{
    struct rig *r = *state;
    struct plat_addr src = rig_loopback(4), dst;
    struct plat_reservation *res;

    /* Bound by us and not listening: nobody answers there. */
    assert_int_equal(plat_reserve(r->plat, &src, &dst, &res), SN_OK);
    assert_int_equal(try_connect(r, &src, &dst), SN_OK);
    rig_until(r->lane, client_has_answer, r);
    assert_int_equal(r->client.status, SN_REFUSED);
    assert_int_equal(plat_pipe_error(r->client.pipe), SN_REFUSED);
    for (int i = 0; i < 20; i++)
        rig_nap();
    rig_enter(r->lane);
    assert_int_equal(r->client.connected_count, 1);
    plat_lane_leave(r->lane);
    plat_unreserve(res);
}

static void test_bad_arguments(void **state)
{
    struct rig *r = *state;
    struct plat_addr src4 = rig_loopback(4), src6 = rig_loopback(6), dst = rig_loopback(4);
    struct plat_addr foreign = {.family = 4, .ip = {192, 0, 2, 1}}, none = {0};

    assert_int_equal(try_connect(r, &src4, &dst), SN_INVALID); /* port 0 */
    dst.port = 80;
    assert_int_equal(try_connect(r, &src6, &dst), SN_INVALID);
    assert_int_equal(try_connect(r, &none, &dst), SN_INVALID);
    assert_int_equal(try_connect(r, &foreign, &dst), SN_ADDRESS_INVALID);
}

static void test_wildcard_source_becomes_an_address(void **state)
{
    struct rig *r = *state;
    struct plat_addr any = {.family = 4}, local;

    rig_listen(r, 4);
    assert_int_equal(try_connect(r, &any, &r->addr), SN_OK);
    rig_until(r->lane, client_has_answer, r);
    plat_pipe_local(r->client.pipe, &local);
    assert_int_equal(local.ip[0], 127);
    assert_in_range(local.port, PLAT_PORT_FIRST, PLAT_PORT_LAST);
}

static void test_fixed_port_in_use(void **state)
{
    struct rig *r = *state;
    struct plat_addr dst = rig_loopback(4);

    dst.port = 9;
    rig_listen(r, 4);
    assert_int_equal(try_connect(r, &r->addr, &dst), SN_ADDRESS_IN_USE);
}

static void test_from_a_reserved_port_and_the_same_pair_twice(void **state)
{
    struct rig *r = *state;
    struct plat_addr src = rig_loopback(4), bound, local;
    struct plat_reservation *res, *second;
    struct plat_pipe *first;

    rig_listen(r, 4);
    assert_int_equal(plat_reserve(r->plat, &src, &bound, &res), SN_OK);
    assert_in_range(bound.port, PLAT_PORT_FIRST, PLAT_PORT_LAST);
    assert_int_equal(plat_reserve(r->plat, &bound, &local, &second), SN_ADDRESS_IN_USE);
    assert_int_equal(try_connect(r, &bound, &r->addr), SN_OK);
    rig_until(r->lane, client_has_answer, r);
    assert_int_equal(r->client.status, SN_OK);
    plat_pipe_local(r->client.pipe, &local);
    assert_int_equal(local.port, bound.port);
    first = r->client.pipe;
    r->client = (struct rig_end){0};
    assert_int_equal(try_connect(r, &bound, &r->addr), SN_OK);
    rig_until(r->lane, client_has_answer, r);
    assert_int_equal(r->client.status, SN_ADDRESS_PAIR_EXISTS);
    rig_enter(r->lane);
    plat_pipe_close(first, true);
    plat_lane_leave(r->lane);
    plat_unreserve(res);
}

static void test_close_before_the_answer(void **state)
{
    struct rig *r = *state;
    struct plat_addr src = rig_loopback(4);

    rig_listen(r, 4);
    r->refuses = true;
    rig_enter(r->lane);
    for (int i = 0; i < 50; i++) {
        struct rig_end e = {0};

        assert_int_equal(
            plat_connect(r->lane, &src, &r->addr, NULL, &rig_pipe_ops, &e, &e.pipe), SN_OK);
        plat_pipe_close(e.pipe, i % 2 == 0);
        assert_int_equal(e.connected_count, 0);
    }
    plat_lane_leave(r->lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_refused),
        RIG_TEST(test_bad_arguments),
        RIG_TEST(test_wildcard_source_becomes_an_address),
        RIG_TEST(test_fixed_port_in_use),
        RIG_TEST(test_from_a_reserved_port_and_the_same_pair_twice),
        RIG_TEST(test_close_before_the_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
