/* SPDX-License-Identifier: MIT */
#include "unit/plat/sim/rig.h"

static const struct plat_addr nobody = {.family = 4, .ip = {10, 9, 9, 9}, .port = 80};

static void test_connect_answers(void **state)
{
    static const struct {
        struct plat_addr dst;
        enum sn_status answer;
    } cases[] = {
        {{.family = 4, .ip = {10, 0, 0, 2}, .port = 80}, SN_OK},
        {{.family = 4, .ip = {10, 0, 0, 2}, .port = 81}, SN_REFUSED},
        {{.family = 4, .ip = {10, 9, 9, 9}, .port = 80}, SN_HOST_UNREACHABLE},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        struct rig r;

        rig_open(&r, i, NULL);
        rig_listen(&r, 80);
        assert_int_equal(rig_try_connect(&r, &rig_addr[0], &cases[i].dst), SN_OK);
        assert_true(sim_run_until(r.world, rig_has_answer, &r, RIG_STEPS_MAX));
        assert_int_equal(r.end[0].status, cases[i].answer);
        assert_int_equal(plat_pipe_error(r.end[0].pipe), cases[i].answer);
        while (sim_step(r.world))
            ;
        assert_int_equal(r.end[0].connected_count, 1);
        rig_close(&r);
    }
}

static void test_bad_arguments(void **state)
{
    struct rig *r = *state;
    struct plat_addr src = {.family = 6, .ip = {[15] = 1}};
    struct plat_addr foreign = {.family = 4, .ip = {10, 0, 0, 2}};

    assert_int_equal(rig_try_connect(r, &src, &nobody), SN_INVALID);
    assert_int_equal(rig_try_connect(r, &foreign, &nobody), SN_ADDRESS_INVALID);
    src = (struct plat_addr){0};
    assert_int_equal(rig_try_connect(r, &src, &nobody), SN_INVALID);
    foreign.port = 0;
    assert_int_equal(rig_try_connect(r, &rig_addr[0], &foreign), SN_INVALID);
}

static void test_addresses_of_both_ends(void **state)
{
    struct rig *r = *state;
    struct plat_addr any = {.family = 4}, local, peer;

    rig_listen(r, 0);
    assert_in_range(r->addr.port, PLAT_PORT_FIRST, PLAT_PORT_LAST);
    assert_int_equal(rig_try_connect(r, &any, &r->addr), SN_OK);
    assert_true(sim_run_until(r->world, rig_is_connected, r, RIG_STEPS_MAX));
    plat_pipe_local(r->end[0].pipe, &local);
    plat_pipe_peer(r->end[1].pipe, &peer);
    assert_true(plat_addr_equal(&local, &peer));
    assert_in_range(local.port, PLAT_PORT_FIRST, PLAT_PORT_LAST);
    assert_int_equal(local.ip[3], 1);
    plat_pipe_peer(r->end[0].pipe, &peer);
    assert_true(plat_addr_equal(&peer, &r->addr));
}

static void test_a_listener_on_the_wildcard_answers_every_address(void **state)
{
    struct rig *r = *state;
    struct plat_addr any = {.family = 4, .port = 80}, dst = rig_addr[1];

    dst.port = 80;
    rig_enter(r->lane[1]);
    assert_int_equal(
        plat_listen(r->lane[1], &any, NULL, &rig_listener_ops, r, &r->listener), SN_OK);
    plat_lane_leave(r->lane[1]);
    r->addr = dst;
    rig_connect(r);
}

/* A second use of an address and port: what the first was, what the second is, how it ends. */
static enum sn_status use(struct rig *r, char kind, const struct plat_addr *at,
    struct plat_listener **l, struct plat_reservation **res, struct plat_pipe **p)
{
    struct plat_addr dst = rig_addr[1], out;
    enum sn_status status = SN_INTERNAL;

    dst.port = 7;
    rig_enter(r->lane[0]);
    switch (kind) {
    case 'l':
        status = plat_listen(r->lane[0], at, NULL, &rig_listener_ops, r, l);
        break;
    case 'r':
        status = plat_reserve(r->host[0], at, &out, res);
        break;
    case 'c':
        status = plat_connect(r->lane[0], at, &dst, NULL, &rig_pipe_ops, &r->end[0], p);
        break;
    default:
        break;
    }
    plat_lane_leave(r->lane[0]);
    return status;
}

static void test_sharing_of_a_named_port(void **state)
{
    static const struct {
        char first, second;
        enum sn_status status;
    } cases[] = {
        {'l', 'l', SN_ADDRESS_IN_USE},
        {'l', 'r', SN_ADDRESS_IN_USE},
        {'l', 'c', SN_ADDRESS_IN_USE},
        {'r', 'r', SN_ADDRESS_IN_USE},
        {'r', 'c', SN_OK},
        {'r', 'l', SN_OK},
        {'c', 'c', SN_OK},
        {'c', 'r', SN_ADDRESS_IN_USE},
        {'c', 'l', SN_OK},
    };
    struct rig *r = *state;
    struct plat_addr at = rig_addr[0];

    at.port = 5000;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        struct plat_listener *l[2] = {NULL, NULL};
        struct plat_reservation *res[2] = {NULL, NULL};
        struct plat_pipe *p[2] = {NULL, NULL};

        assert_int_equal(use(r, cases[i].first, &at, &l[0], &res[0], &p[0]), SN_OK);
        assert_int_equal(use(r, cases[i].second, &at, &l[1], &res[1], &p[1]), cases[i].status);
        rig_enter(r->lane[0]);
        for (int k = 0; k < 2; k++) {
            if (l[k] != NULL)
                plat_listener_close(l[k]);
            if (res[k] != NULL)
                plat_unreserve(res[k]);
            if (p[k] != NULL)
                plat_pipe_close(p[k], true);
        }
        plat_lane_leave(r->lane[0]);
    }
}

static void test_the_same_pair_twice(void **state)
{
    struct rig *r = *state;
    struct plat_addr src = rig_addr[0];
    struct plat_pipe *first;

    src.port = 5000;
    rig_listen(r, 80);
    assert_int_equal(rig_try_connect(r, &src, &r->addr), SN_OK);
    first = r->end[0].pipe;
    rig_enter(r->lane[0]);
    assert_int_equal(
        plat_connect(r->lane[0], &src, &r->addr, NULL, &rig_pipe_ops, &r->end[0], &r->end[0].pipe),
        SN_OK);
    plat_pipe_close(first, true);
    plat_lane_leave(r->lane[0]);
    assert_true(sim_run_until(r->world, rig_has_answer, r, RIG_STEPS_MAX));
    assert_int_equal(r->end[0].status, SN_ADDRESS_PAIR_EXISTS);
}

static void test_all_ports_busy(void **state)
{
    enum { COUNT = PLAT_PORT_LAST - PLAT_PORT_FIRST + 1 };
    struct rig *r = *state;
    struct sim_host *h = sim_host_of(r->host[0]);
    static struct sim_bind busy[COUNT];

    for (int i = 0; i < COUNT; i++) {
        busy[i].kind = SIM_BIND_CONNECT_ANY;
        busy[i].addr = rig_addr[0];
        busy[i].addr.port = (uint16_t)(PLAT_PORT_FIRST + i);
        sn_list_push_back(&h->binds, &busy[i].link);
    }
    assert_int_equal(rig_try_connect(r, &rig_addr[0], &nobody), SN_NO_PORTS);
    sim_unbind(&busy[1234]);
    assert_int_equal(rig_try_connect(r, &rig_addr[0], &nobody), SN_OK);
    assert_int_equal(r->end[0].pipe->local.port, PLAT_PORT_FIRST + 1234);
    for (int i = 0; i < COUNT; i++)
        sim_unbind(&busy[i]);
}

static bool client_saw_error(void *ctx)
{
    return ((struct rig *)ctx)->end[0].saw_error;
}

static void test_closing_a_listener_resets_who_waits(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 80);
    assert_int_equal(rig_try_connect(r, &rig_addr[0], &r->addr), SN_OK);
    while (SN_CONTAINER_OF(r->listener, struct sim_listener, base)->backlog_count == 0)
        assert_true(sim_step(r->world));
    rig_close_listener(r);
    while (r->end[0].connected_count == 0)
        assert_true(sim_step(r->world));
    if (r->end[0].status == SN_OK)
        assert_true(sim_run_until(r->world, client_saw_error, r, RIG_STEPS_MAX));
    assert_int_equal(r->accepted_count, 0);
}

static void test_a_client_that_gave_up_is_accepted_and_dead(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 80);
    assert_int_equal(rig_try_connect(r, &rig_addr[0], &r->addr), SN_OK);
    while (SN_CONTAINER_OF(r->listener, struct sim_listener, base)->backlog_count == 0)
        assert_true(sim_step(r->world));
    rig_close_end(r, 0, true);
    while (!r->end[1].saw_error)
        assert_true(sim_step(r->world));
    assert_int_equal(r->accepted_count, 1);
}

static void test_locals(void **state)
{
    struct rig *r = *state;
    struct plat_addr any = {.family = 4};

    assert_true(plat_addr_is_local(r->host[0], 0, &rig_addr[0]));
    assert_false(plat_addr_is_local(r->host[0], 0, &rig_addr[1]));
    assert_false(plat_addr_is_local(r->host[0], 0, &any));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connect_answers),
        RIG_TEST(test_bad_arguments),
        RIG_TEST(test_addresses_of_both_ends),
        RIG_TEST(test_a_listener_on_the_wildcard_answers_every_address),
        RIG_TEST(test_sharing_of_a_named_port),
        RIG_TEST(test_the_same_pair_twice),
        RIG_TEST(test_all_ports_busy),
        RIG_TEST(test_closing_a_listener_resets_who_waits),
        RIG_TEST(test_a_client_that_gave_up_is_accepted_and_dead),
        RIG_TEST(test_locals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
