/* SPDX-License-Identifier: MIT */
#include <softndk.h>
#include <stdlib.h>
#include <wdm.h>

#include "chaos/chaos.h"
#include "support/unit.h"

static bool allocates(void)
{
    void *p = ExAllocatePoolWithTag(NonPagedPoolNx, 10, 'tset');

    if (p != NULL)
        ExFreePoolWithTag(p, 'tset');
    return p != NULL;
}

/* Before any adapter is opened, and once: the second call goes on counting. */
static void allocations_fail_from_here_on(void **state)
{
    (void)state;
    assert_int_equal(setenv("SOFTNDK_FAULTS", "alloc:nth=2", 1), 0);
    assert_true(allocates());
    assert_true(allocates());
    assert_int_equal(SoftNdkBeginFaults(), STATUS_SUCCESS);
    assert_true(allocates());
    assert_int_equal(SoftNdkBeginFaults(), STATUS_SUCCESS);
    assert_false(allocates());
    assert_true(allocates());
    chaos_pool_end();
}

static void nothing_or_nonsense_is_told_apart(void **state)
{
    (void)state;
    assert_int_equal(unsetenv("SOFTNDK_FAULTS"), 0);
    assert_int_equal(SoftNdkBeginFaults(), STATUS_SUCCESS);
    assert_int_equal(setenv("SOFTNDK_FAULTS", "alloc:nth", 1), 0);
    assert_int_equal(SoftNdkBeginFaults(), STATUS_INVALID_PARAMETER);
    assert_true(allocates());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_fail_from_here_on),
        cmocka_unit_test(nothing_or_nonsense_is_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
