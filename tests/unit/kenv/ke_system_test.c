/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include <wdm.h>

#define W(text) SOFTNDK_WIDE_(text)

static void version(void **state)
{
    RTL_OSVERSIONINFOW info;

    (void)state;
    memset(&info, 0xff, sizeof(info));
    info.dwOSVersionInfoSize = sizeof(info);
    assert_int_equal(RtlGetVersion(&info), STATUS_SUCCESS);
    assert_int_equal(info.dwMajorVersion, 10);
    assert_int_equal(info.dwMinorVersion, 0);
    assert_int_equal(info.szCSDVersion[0], 0);
}

static void uuids_differ(void **state)
{
    GUID one, two;

    (void)state;
    assert_int_equal(ExUuidCreate(&one), STATUS_SUCCESS);
    assert_int_equal(ExUuidCreate(&two), STATUS_SUCCESS);
    assert_false(IsEqualGUID(&one, &two));
    assert_int_equal(one.Data3 >> 12, 4);
    assert_int_equal(one.Data4[0] >> 6, 2);
}

static void routines_by_name(void **state)
{
    UNICODE_STRING known, unknown;

    (void)state;
    RtlInitUnicodeString(&known, W("malloc")); /* in every process, however it was linked */
    RtlInitUnicodeString(&unknown, W("KeNoSuchRoutine"));
    assert_non_null(MmGetSystemRoutineAddress(&known));
    assert_null(MmGetSystemRoutineAddress(&unknown));
}

static void processors(void **state)
{
    GROUP_AFFINITY affinity;
    USHORT count = 0;

    (void)state;
    KeQueryNodeActiveAffinity(KeGetCurrentNodeNumber(), &affinity, &count);
    assert_int_equal(count, KeQueryActiveProcessorCount(NULL));
    assert_true(affinity.Mask == KeQueryActiveProcessors());
    assert_true((affinity.Mask & 1) != 0);
    KeQueryNodeActiveAffinity(1, &affinity, &count);
    assert_int_equal(count, 0);
    assert_true(affinity.Mask == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version),
        cmocka_unit_test(uuids_differ),
        cmocka_unit_test(routines_by_name),
        cmocka_unit_test(processors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
