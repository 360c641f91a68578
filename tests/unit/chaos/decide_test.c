/* SPDX-License-Identifier: MIT */
#include "chaos/decide.h"

#include "support/unit.h"

enum { CALLS = 2000 };

static bool is_same(const struct chaos_verdict *a, const struct chaos_verdict *b)
{
    return a->way == b->way && a->delay_us == b->delay_us && a->yields_before == b->yields_before &&
           a->yields_after == b->yields_after;
}

static void the_same_seed_decides_the_same(void **state)
{
    unsigned differing = 0;

    (void)state;
    for (uint32_t n = 0; n < CALLS; n++) {
        struct chaos_verdict a =
            chaos_decide(CHAOS_SCHEDULE_HOSTILE, chaos_child_id(7, 3, 1), CHAOS_CONNECT, n);
        struct chaos_verdict again =
            chaos_decide(CHAOS_SCHEDULE_HOSTILE, chaos_child_id(7, 3, 1), CHAOS_CONNECT, n);
        struct chaos_verdict other =
            chaos_decide(CHAOS_SCHEDULE_HOSTILE, chaos_child_id(8, 3, 1), CHAOS_CONNECT, n);

        assert_true(is_same(&a, &again));
        differing += !is_same(&a, &other);
    }
    assert_in_range(differing, CALLS / 2, CALLS);
}

/* Seeds, objects, kinds, entries and counts each make a difference. */
static void nothing_shares_its_dice(void **state)
{
    uint64_t ids[] = {chaos_child_id(1, 1, 0), chaos_child_id(1, 1, 1), chaos_child_id(1, 2, 0),
        chaos_child_id(2, 1, 0), chaos_child_id(chaos_child_id(1, 1, 0), 1, 0)};

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(ids); i++) {
        for (size_t j = 0; j < i; j++)
            assert_true(ids[i] != ids[j]);
    }
    assert_true(chaos_dice_for(1, CHAOS_SEND, 0).state != chaos_dice_for(1, CHAOS_SEND, 1).state);
    assert_true(chaos_dice_for(1, CHAOS_SEND, 0).state != chaos_dice_for(1, CHAOS_READ, 0).state);
}

static void hostile_uses_every_way(void **state)
{
    unsigned ways[CHAOS_LATER + 1] = {0}, delayed = 0, yields = 0;

    (void)state;
    for (uint32_t n = 0; n < CALLS; n++) {
        struct chaos_verdict v = chaos_decide(CHAOS_SCHEDULE_HOSTILE, 5, CHAOS_ACCEPT, n);

        ways[v.way]++;
        delayed += v.delay_us != 0;
        yields += v.yields_before + v.yields_after;
        assert_true(v.delay_us == 0 || v.way == CHAOS_LATER);
        assert_in_range(v.delay_us, 0, 5000);
        assert_in_range(v.yields_before, 0, 3);
    }
    assert_int_equal(ways[CHAOS_INLINE], 0);
    assert_in_range(ways[CHAOS_AS_IS], CALLS / 10, CALLS);
    assert_in_range(ways[CHAOS_EARLY], CALLS / 10, CALLS);
    assert_in_range(ways[CHAOS_LATER], CALLS / 10, CALLS);
    assert_in_range(delayed, CALLS / 10, CALLS);
    assert_in_range(yields, CALLS / 10, CALLS);
}

static void the_others_do_one_thing(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 10; n++) {
        assert_int_equal(chaos_decide(CHAOS_SCHEDULE_LENIENT, 1, CHAOS_CLOSE, n).way, CHAOS_AS_IS);
        assert_int_equal(chaos_decide(CHAOS_SCHEDULE_PEND, 1, CHAOS_CLOSE, n).way, CHAOS_LATER);
        assert_int_equal(chaos_decide(CHAOS_SCHEDULE_INLINE, 1, CHAOS_CLOSE, n).way, CHAOS_INLINE);
    }
}

/* Never more than was asked for, never nothing when something was. */
static void batches_are_split(void **state)
{
    unsigned split = 0;

    (void)state;
    for (uint32_t n = 0; n < CALLS; n++) {
        uint32_t got = chaos_decide_batch(CHAOS_SCHEDULE_HOSTILE, 3, n, 8);

        assert_in_range(got, 1, 8);
        split += got < 8;
        assert_int_equal(chaos_decide_batch(CHAOS_SCHEDULE_PEND, 3, n, 8), 8);
        assert_int_equal(chaos_decide_batch(CHAOS_SCHEDULE_HOSTILE, 3, n, 1), 1);
        assert_int_equal(chaos_decide_batch(CHAOS_SCHEDULE_HOSTILE, 3, n, 0), 0);
    }
    assert_in_range(split, CALLS / 4, CALLS);
}

static void dice_stay_in_range(void **state)
{
    struct chaos_dice dice = chaos_dice_for(1, CHAOS_SEND, 1);
    unsigned seen[6] = {0};

    (void)state;
    for (int i = 0; i < CALLS; i++) {
        uint32_t roll = chaos_roll(&dice, 6);

        assert_in_range(roll, 0, 5);
        seen[roll]++;
    }
    for (int i = 0; i < 6; i++)
        assert_in_range(seen[i], CALLS / 12, CALLS);
    assert_int_equal(chaos_roll(&dice, 0), 0);
    assert_int_equal(chaos_roll(&dice, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_decides_the_same),
        cmocka_unit_test(nothing_shares_its_dice),
        cmocka_unit_test(hostile_uses_every_way),
        cmocka_unit_test(the_others_do_one_thing),
        cmocka_unit_test(batches_are_split),
        cmocka_unit_test(dice_stay_in_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
