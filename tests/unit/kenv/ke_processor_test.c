/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include <wdm.h>

static void counts_and_numbers(void **state)
{
    PROCESSOR_NUMBER number = {9, 9, 9};
    ULONG maximum = KeQueryMaximumProcessorCountEx(ALL_PROCESSOR_GROUPS);

    (void)state;
    assert_true(KeQueryActiveProcessorCountEx(0) >= 1);
    assert_true(KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS) <= maximum);
    assert_int_equal(KeQueryActiveProcessorCountEx(1), 0); /* there is one group */
    assert_int_equal(KeQueryMaximumProcessorCountEx(7), 0);
    assert_true(KeGetCurrentProcessorNumberEx(NULL) < maximum);
    assert_true(KeGetCurrentProcessorNumberEx(&number) < maximum);
    assert_int_equal(number.Group, 0);
    assert_int_equal(number.Reserved, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_and_numbers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
