/* SPDX-License-Identifier: MIT */
/* The checks before the platform is asked, and that it is asked with what was given. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "unit/plat/fake.h"

struct asked {
    unsigned count;
    struct plat_lane *lane;
    bool flag;
};
static struct asked asked;

static enum sn_status ask_connect(struct plat_lane *lane, const struct plat_addr *src,
    const struct plat_addr *dst, const struct plat_pipe_options *options,
    const struct plat_pipe_ops *ops, void *ctx, struct plat_pipe **out)
{
    (void)src;
    (void)dst;
    (void)options;
    (void)ops;
    (void)ctx;
    (void)out;
    asked.count++;
    asked.lane = lane;
    return SN_NO_PORTS;
}
static enum sn_status ask_listen(struct plat_lane *lane, const struct plat_addr *addr,
    const struct plat_pipe_options *options, const struct plat_listener_ops *ops, void *ctx,
    struct plat_listener **out)
{
    (void)addr;
    (void)options;
    (void)ops;
    (void)ctx;
    (void)out;
    asked.count++;
    asked.lane = lane;
    return SN_ADDRESS_IN_USE;
}
static enum sn_status ask_reserve(struct plat *p, const struct plat_addr *addr,
    struct plat_addr *out, struct plat_reservation **reservation)
{
    (void)p;
    (void)addr;
    (void)out;
    (void)reservation;
    asked.count++;
    return SN_ADDRESS_INVALID;
}
static void ask_move(struct plat_pipe *p, struct plat_lane *to)
{
    asked.count++;
    p->lane = to;
}
static void ask_close(struct plat_pipe *p, bool is_abort)
{
    (void)p;
    asked.count++;
    asked.flag = is_abort;
}

static const struct plat_ops ops = {
    .connect = ask_connect,
    .listen = ask_listen,
    .reserve = ask_reserve,
    .move = ask_move,
    .close = ask_close,
    .lane_is_home = fake_is_home,
    .lane_wake = fake_wake,
};

static void no_work(void *ctx)
{
    (void)ctx;
}
static const struct plat_lane_ops lane_ops = {no_work};

struct rig {
    struct fake plat;
    struct plat_lane lane, other;
};

static int setup(void **state)
{
    static struct rig rig;

    memset(&asked, 0, sizeof(asked));
    fake_init(&rig.plat);
    rig.plat.base.ops = &ops;
    plat_lane_init(&rig.lane, &rig.plat.base, &lane_ops, &rig);
    plat_lane_init(&rig.other, &rig.plat.base, &lane_ops, &rig);
    assert_true(plat_lane_enter(&rig.lane));
    *state = &rig;
    return 0;
}
static int teardown(void **state)
{
    struct rig *rig = *state;

    if (plat_lane_current() != NULL)
        plat_lane_leave(&rig->lane);
    return 0;
}

static const struct plat_addr none = {0}, any4 = {.family = 4}, any6 = {.family = 6},
                              four = {.family = 4, .port = 1, .ip = {1, 2, 3, 4}},
                              odd = {.family = 5, .port = 1};

static void test_connect_checks_the_addresses(void **state)
{
    static const struct {
        const struct plat_addr *src, *dst;
        enum sn_status status;
    } cases[] = {
        {&any4, &four, SN_NO_PORTS}, /* the platform's answer */
        {&any6, &four, SN_INVALID}, {&none, &four, SN_INVALID}, {&none, &none, SN_INVALID},
        {&odd, &odd, SN_INVALID}, {&four, &any4, SN_INVALID}, /* to port 0 */
    };
    struct rig *rig = *state;
    struct plat_pipe *p;

    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++)
        assert_int_equal(plat_connect(&rig->lane, cases[i].src, cases[i].dst, NULL, NULL, NULL, &p),
            cases[i].status);
    assert_int_equal(asked.count, 1);
    assert_ptr_equal(asked.lane, &rig->lane);
}

static void test_listen_and_reserve_check_the_address(void **state)
{
    struct rig *rig = *state;
    struct plat_listener *l;
    struct plat_reservation *r;
    struct plat_addr out;

    assert_int_equal(plat_listen(&rig->lane, &none, NULL, NULL, NULL, &l), SN_INVALID);
    assert_int_equal(plat_listen(&rig->lane, &odd, NULL, NULL, NULL, &l), SN_INVALID);
    assert_int_equal(plat_reserve(&rig->plat.base, &none, &out, &r), SN_INVALID);
    assert_int_equal(asked.count, 0);
    assert_int_equal(plat_listen(&rig->lane, &any6, NULL, NULL, NULL, &l), SN_ADDRESS_IN_USE);
    assert_int_equal(plat_reserve(&rig->plat.base, &any4, &out, &r), SN_ADDRESS_INVALID);
    assert_int_equal(asked.count, 2);
}

static void test_pipe_fields(void **state)
{
    struct rig *rig = *state;
    struct plat_pipe p = {.plat = &rig->plat.base,
        .lane = &rig->lane,
        .error = SN_RESET,
        .local = four,
        .peer = any6};
    const struct plat_pipe_ops none_ops = {0};
    struct plat_addr a;
    int ctx;

    plat_pipe_local(&p, &a);
    assert_true(plat_addr_equal(&a, &four));
    plat_pipe_peer(&p, &a);
    assert_true(plat_addr_equal(&a, &any6));
    assert_int_equal(plat_pipe_error(&p), SN_RESET);
    plat_pipe_set_ops(&p, &none_ops, &ctx);
    assert_ptr_equal(p.ops, &none_ops);
    assert_ptr_equal(p.ctx, &ctx);
    plat_pipe_move(&p, &rig->lane); /* is there already */
    assert_int_equal(asked.count, 0);
    plat_pipe_move(&p, &rig->other);
    assert_int_equal(asked.count, 1);
    plat_lane_leave(&rig->lane);
    assert_true(plat_lane_enter(&rig->other));
    plat_pipe_close(&p, true);
    assert_true(asked.flag);
    plat_lane_leave(&rig->other);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_connect_checks_the_addresses),
        TEST(test_listen_and_reserve_check_the_address),
        TEST(test_pipe_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
