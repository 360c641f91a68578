/* SPDX-License-Identifier: MIT */
#include "ndk/mdl.h"

#include "support/unit.h"

enum { PAGE = 4096 };

/* MDLs are written by hand: the function may look at the addresses only, not at the memory. */
static MDL mdl_of(uintptr_t va, ULONG count, MDL *next)
{
    return (MDL){
        .Next = next,
        .StartVa = (PVOID)(va & ~(uintptr_t)(PAGE - 1)),
        .ByteOffset = (ULONG)(va & (PAGE - 1)),
        .ByteCount = count,
    };
}

static void one_mdl_gives_what_it_has(void **state)
{
    MDL m = mdl_of(0x10123, 100, NULL);
    uint8_t *start = NULL;

    (void)state;
    assert_int_equal(ndk_mdl_range(&m, 1, &start), SN_OK);
    assert_ptr_equal(start, (uint8_t *)0x10123);
    assert_int_equal(ndk_mdl_range(&m, 100, &start), SN_OK);
    assert_int_equal(ndk_mdl_range(&m, 101, &start), SN_INVALID);
    assert_int_equal(ndk_mdl_range(&m, 0, &start), SN_INVALID);
    assert_int_equal(ndk_mdl_range(NULL, 1, &start), SN_INVALID);
}

static void a_chain_must_be_contiguous_as_far_as_it_is_used(void **state)
{
    MDL third = mdl_of(0x20000, 50, NULL); /* behind a gap */
    MDL empty = mdl_of(0x77777, 0, &third);
    MDL second = mdl_of(0x10fff + 1, PAGE, &empty);
    MDL first = mdl_of(0x10f00, 0x100, &second);
    uint8_t *start;

    (void)state;
    assert_int_equal(ndk_mdl_range(&first, 0x100, &start), SN_OK);
    assert_int_equal(ndk_mdl_range(&first, 0x101, &start), SN_OK);
    assert_int_equal(ndk_mdl_range(&first, 0x100 + PAGE, &start), SN_OK);
    assert_ptr_equal(start, (uint8_t *)0x10f00);
    start = NULL;
    assert_int_equal(ndk_mdl_range(&first, 0x100 + PAGE + 1, &start), SN_INVALID);
    assert_null(start);
    third = mdl_of(0x12000, 50, NULL); /* the gap is closed */
    assert_int_equal(ndk_mdl_range(&first, 0x100 + PAGE + 50, &start), SN_OK);
    assert_int_equal(ndk_mdl_range(&first, 0x100 + PAGE + 51, &start), SN_INVALID);
}

static void a_chain_that_overlaps_or_goes_back_is_not_contiguous(void **state)
{
    MDL second, first = mdl_of(0x10000, 0x100, &second);
    uint8_t *start;

    (void)state;
    second = mdl_of(0x100ff, 0x100, NULL);
    assert_int_equal(ndk_mdl_range(&first, 0x101, &start), SN_INVALID);
    second = mdl_of(0x10101, 0x100, NULL);
    assert_int_equal(ndk_mdl_range(&first, 0x101, &start), SN_INVALID);
    second = mdl_of(0x10100, 0x100, NULL);
    assert_int_equal(ndk_mdl_range(&first, 0x200, &start), SN_OK);
}

static void empty_mdls_in_front_do_not_count(void **state)
{
    MDL second = mdl_of(0x30010, 8, NULL);
    MDL first = mdl_of(0x10000, 0, &second);
    uint8_t *start;

    (void)state;
    assert_int_equal(ndk_mdl_range(&first, 8, &start), SN_OK);
    assert_ptr_equal(start, (uint8_t *)0x30010);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_mdl_gives_what_it_has),
        cmocka_unit_test(a_chain_must_be_contiguous_as_far_as_it_is_used),
        cmocka_unit_test(a_chain_that_overlaps_or_goes_back_is_not_contiguous),
        cmocka_unit_test(empty_mdls_in_front_do_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
