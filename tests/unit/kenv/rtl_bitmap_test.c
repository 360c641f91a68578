/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include <stdbool.h>
#include <wdm.h>

#define SIZE 77

static ULONG words[3];
static RTL_BITMAP map;

static void set_up_empty(void)
{
    memset(words, 0xff, sizeof(words)); /* what is beyond the size must not matter */
    RtlInitializeBitMap(&map, words, SIZE);
    RtlClearBits(&map, 0, SIZE);
}

static void single_bits(void **state)
{
    (void)state;
    set_up_empty();
    assert_int_equal(RtlNumberOfSetBits(&map), 0);
    for (ULONG i = 0; i < SIZE; i += 7) {
        assert_false(RtlTestBit(&map, i));
        RtlSetBit(&map, i);
        assert_true(RtlTestBit(&map, i));
        assert_true(RtlCheckBit(&map, i));
    }
    assert_int_equal(RtlNumberOfSetBits(&map), 11);
    assert_int_equal(RtlNumberOfClearBits(&map), SIZE - 11);
    RtlClearBit(&map, 70);
    assert_int_equal(RtlNumberOfSetBits(&map), 10);
    assert_false(RtlTestBit(&map, SIZE));
    RtlSetAllBits(&map);
    assert_int_equal(RtlNumberOfClearBits(&map), 0);
    RtlClearAllBits(&map);
    assert_int_equal(RtlNumberOfSetBits(&map), 0);
}

static void runs(void **state)
{
    static const struct {
        ULONG n, hint, wanted;
    } clear[] = {
        {1, 0, 0},
        {5, 0, 0},
        {10, 0, 0},
        {11, 0, 30},
        {1, 10, 30},
        {47, 0, 30},
        {48, 0, 0xffffffff},
        {5, 70, 70},
        {8, 70, 0},
        {10, 75, 0},
        {3, 500, 0},
        {1, 76, 76},
    };
    ULONG start = 0;

    (void)state;
    set_up_empty();
    RtlSetBits(&map, 10, 20);
    for (size_t i = 0; i < ARRAYSIZE(clear); i++)
        assert_int_equal(RtlFindClearBits(&map, clear[i].n, clear[i].hint), clear[i].wanted);
    assert_int_equal(RtlFindSetBits(&map, 20, 0), 10);
    assert_int_equal(RtlFindSetBits(&map, 21, 0), 0xffffffff);
    assert_true(RtlAreBitsSet(&map, 10, 20));
    assert_false(RtlAreBitsSet(&map, 9, 20));
    assert_true(RtlAreBitsClear(&map, 30, 47));
    assert_false(RtlAreBitsClear(&map, 30, 48));
    assert_false(RtlAreBitsClear(&map, 3, 0));
    assert_int_equal(RtlFindFirstRunClear(&map, &start), 10);
    assert_int_equal(start, 0);
    assert_int_equal(RtlFindNextForwardRunClear(&map, 12, &start), 47);
    assert_int_equal(start, 30);
    assert_int_equal(RtlFindLongestRunClear(&map, &start), 47);
    assert_int_equal(start, 30);
    assert_int_equal(RtlFindClearBitsAndSet(&map, 47, 0), 30);
    assert_int_equal(RtlFindClearBitsAndSet(&map, 10, 33), 0);
    assert_int_equal(RtlNumberOfClearBits(&map), 0);
    assert_int_equal(RtlFindLongestRunClear(&map, &start), 0);
    assert_int_equal(RtlFindSetBitsAndClear(&map, 77, 0), 0);
    assert_int_equal(RtlNumberOfSetBits(&map), 0);
}

static void extreme_bits(void **state)
{
    (void)state;
    assert_int_equal(RtlFindMostSignificantBit(0), -1);
    assert_int_equal(RtlFindLeastSignificantBit(0), -1);
    assert_int_equal(RtlFindMostSignificantBit(0x8000000000000001), 63);
    assert_int_equal(RtlFindLeastSignificantBit(0x8000000000000000), 63);
    assert_int_equal(RtlFindLeastSignificantBit(12), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_bits),
        cmocka_unit_test(runs),
        cmocka_unit_test(extreme_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
