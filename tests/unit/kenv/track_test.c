/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/track.h"

static void nothing_without_checks(void **state)
{
    int thing = 0;

    (void)state;
    assert_null(kenv_track(SoftNdkDrvPool, &thing, 1, 2, "thing"));
    kenv_untrack(NULL);
    assert_int_equal(kenv_tracked_each(NULL, 0, NULL, NULL), 0);
}

static void keep(void *context, const struct kenv_tracked *tracked)
{
    const struct kenv_tracked **at = context;

    while (*at != NULL)
        at++;
    *at = tracked;
}

static void kept_in_order(void **state)
{
    const struct kenv_tracked *seen[4] = {NULL};
    struct kenv_tracked *device, *pool, *more;
    int thing = 0;

    (void)state;
    kenv_checks_enable();
    device = kenv_track(SoftNdkDrvDevice, &thing, 0, 0, "\\Device\\x");
    pool = kenv_track(SoftNdkDrvPool, &thing, 5, 100, "pool");
    more = kenv_track(SoftNdkDrvPool, &thing, 6, 200, "pool");
    assert_int_equal(kenv_tracked_each(NULL, 0, keep, seen), 3);
    assert_ptr_equal(seen[0], pool);
    assert_ptr_equal(seen[1], more);
    assert_ptr_equal(seen[2], device);
    assert_true(pool->sequence < more->sequence);
    assert_string_equal(device->name, "\\Device\\x");
    assert_int_equal(pool->bytes, 100);
    assert_true(pool->stack.count > 1);
    /* Only what was created from a stack through that address. */
    assert_int_equal(kenv_tracked_each(pool->stack.frames[1], 1, NULL, NULL) >= 1, 1);
    assert_int_equal(kenv_tracked_each((void *)8, 8, NULL, NULL), 0);
    kenv_untrack(pool);
    kenv_untrack(more);
    kenv_untrack(device);
    assert_int_equal(kenv_tracked_each(NULL, 0, NULL, NULL), 0);
}

static BOOLEAN fail_large_pool(PVOID context, SOFTNDK_DRV_KIND kind, ULONG tag, SIZE_T bytes)
{
    ++*(int *)context;
    return kind == SoftNdkDrvPool && tag == 7 && bytes > 10;
}

static void faults(void **state)
{
    int asked = 0;

    (void)state;
    assert_false(kenv_fault(SoftNdkDrvPool, 7, 100));
    SoftNdkDrvSetFault(fail_large_pool, &asked);
    assert_true(kenv_fault(SoftNdkDrvPool, 7, 100));
    assert_false(kenv_fault(SoftNdkDrvPool, 7, 10));
    assert_false(kenv_fault(SoftNdkDrvThread, 7, 100));
    SoftNdkDrvSetFault(NULL, NULL);
    assert_false(kenv_fault(SoftNdkDrvPool, 7, 100));
    assert_int_equal(asked, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_without_checks),
        cmocka_unit_test(kept_in_order),
        cmocka_unit_test(faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
