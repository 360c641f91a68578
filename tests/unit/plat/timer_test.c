/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "unit/plat/fake.h"

enum { TIMERS = 4 };

struct rig {
    struct fake plat;
    struct plat_lane lane;
    struct named_timer {
        struct plat_timer timer;
        char name;
        struct rig *rig;
        void (*then)(struct rig *rig, struct named_timer *self);
    } t[TIMERS];
    char fired[32];
};

static void no_work(void *ctx)
{
    (void)ctx;
}
static const struct plat_lane_ops lane_ops = {no_work};

static void fire(struct plat_timer *timer)
{
    struct named_timer *t = SN_CONTAINER_OF(timer, struct named_timer, timer);

    assert_false(timer->is_set);
    strncat(t->rig->fired, &t->name, 1);
    if (t->then != NULL)
        t->then(t->rig, t);
}

static int setup(void **state)
{
    static struct rig rig;

    memset(&rig, 0, sizeof(rig));
    fake_init(&rig.plat);
    rig.plat.now_ns = 1000;
    plat_lane_init(&rig.lane, &rig.plat.base, &lane_ops, &rig);
    for (int i = 0; i < TIMERS; i++) {
        plat_timer_init(&rig.t[i].timer, fire);
        rig.t[i].name = (char)('a' + i);
        rig.t[i].rig = &rig;
    }
    assert_true(plat_lane_enter(&rig.lane));
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    for (int i = 0; i < TIMERS; i++)
        plat_timer_cancel(&rig->lane, &rig->t[i].timer);
    plat_lane_leave(&rig->lane);
    return 0;
}

static void set(struct rig *rig, int i, uint64_t delay)
{
    plat_timer_set(&rig->lane, &rig->t[i].timer, delay);
}

static void run_at(struct rig *rig, uint64_t now, const char *expected)
{
    rig->fired[0] = '\0';
    rig->plat.now_ns = now;
    assert_int_equal(plat_lane_run_timers(&rig->lane), strlen(expected));
    assert_string_equal(rig->fired, expected);
}

static uint64_t next_deadline(struct rig *rig)
{
    return sn_a64_load_relaxed(&rig->lane.next_deadline_ns);
}

static void test_fires_by_deadline_then_in_the_order_set(void **state)
{
    struct rig *rig = *state;

    set(rig, 0, 300);
    set(rig, 1, 100);
    set(rig, 2, 300);
    set(rig, 3, 200);
    assert_int_equal(next_deadline(rig), 1100);
    run_at(rig, 1099, "");
    run_at(rig, 1100, "b");
    assert_int_equal(next_deadline(rig), 1200);
    run_at(rig, 5000, "dac");
    assert_int_equal(next_deadline(rig), UINT64_MAX);
    run_at(rig, 9000, "");
}

static void test_set_again_moves_it(void **state)
{
    struct rig *rig = *state;

    set(rig, 0, 100);
    set(rig, 1, 200);
    set(rig, 0, 300);
    run_at(rig, 1250, "b");
    run_at(rig, 1300, "a");
}

static void test_cancel(void **state)
{
    struct rig *rig = *state;

    plat_timer_cancel(&rig->lane, &rig->t[0].timer); /* never set */
    set(rig, 0, 100);
    set(rig, 1, 200);
    plat_timer_cancel(&rig->lane, &rig->t[0].timer);
    assert_false(rig->t[0].timer.is_set);
    plat_timer_cancel(&rig->lane, &rig->t[0].timer);
    assert_true(next_deadline(rig) <= 1200);
    run_at(rig, 1199, "");
    assert_int_equal(next_deadline(rig), 1200);
    run_at(rig, 1200, "b");
}

static void set_self_again(struct rig *rig, struct named_timer *self)
{
    plat_timer_set(&rig->lane, &self->timer, 0);
}

static void test_a_timer_set_again_by_itself_waits_for_the_next_round(void **state)
{
    struct rig *rig = *state;

    rig->t[0].then = set_self_again;
    set(rig, 0, 0);
    run_at(rig, 1000, "a");
    run_at(rig, 1000, "a");
    assert_true(rig->t[0].timer.is_set);
}

static void cancel_b(struct rig *rig, struct named_timer *self)
{
    (void)self;
    plat_timer_cancel(&rig->lane, &rig->t[1].timer);
}

static void push_b_ahead(struct rig *rig, struct named_timer *self)
{
    (void)self;
    plat_timer_set(&rig->lane, &rig->t[1].timer, 50);
}

static void test_a_due_timer_can_be_cancelled_or_moved_by_one_that_fires_before(void **state)
{
    struct rig *rig = *state;

    rig->t[0].then = cancel_b;
    set(rig, 0, 10);
    set(rig, 1, 10);
    set(rig, 2, 10);
    run_at(rig, 1010, "ac");
    rig->t[0].then = push_b_ahead;
    set(rig, 0, 10);
    set(rig, 1, 10);
    run_at(rig, 1020, "a");
    assert_int_equal(next_deadline(rig), 1070);
    run_at(rig, 1070, "b");
}

static void test_wakes_only_for_an_earlier_deadline_and_not_at_home(void **state)
{
    struct rig *rig = *state;

    set(rig, 0, 500);
    assert_int_equal(sn_a32_load_relaxed(&rig->plat.wakes), 1);
    set(rig, 1, 600);
    set(rig, 1, 500);
    assert_int_equal(sn_a32_load_relaxed(&rig->plat.wakes), 1);
    /* Pushed ahead again and again: the home thread is not told. */
    for (int i = 0; i < 10; i++) {
        plat_timer_cancel(&rig->lane, &rig->t[0].timer);
        set(rig, 0, 500);
    }
    assert_int_equal(sn_a32_load_relaxed(&rig->plat.wakes), 1);
    set(rig, 2, 400);
    assert_int_equal(sn_a32_load_relaxed(&rig->plat.wakes), 2);
    rig->plat.is_home = true;
    set(rig, 3, 100);
    assert_int_equal(sn_a32_load_relaxed(&rig->plat.wakes), 2);
    assert_int_equal(next_deadline(rig), 1100);
}

static void test_a_delay_beyond_the_end_of_time_is_the_end_of_time(void **state)
{
    struct rig *rig = *state;

    set(rig, 0, UINT64_MAX);
    set(rig, 1, UINT64_MAX - 1000);
    assert_true(next_deadline(rig) < UINT64_MAX);
    run_at(rig, UINT64_MAX / 2, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_fires_by_deadline_then_in_the_order_set),
        TEST(test_set_again_moves_it),
        TEST(test_cancel),
        TEST(test_a_timer_set_again_by_itself_waits_for_the_next_round),
        TEST(test_a_due_timer_can_be_cancelled_or_moved_by_one_that_fires_before),
        TEST(test_wakes_only_for_an_earlier_deadline_and_not_at_home),
        TEST(test_a_delay_beyond_the_end_of_time_is_the_end_of_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
