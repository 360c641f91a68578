/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "support/death.h"

#include <wdm.h>

static void print(void *arg)
{
    (void)arg;
    DbgPrint("one %lu %I64x\n", (ULONG)1, (ULONG64)0x123456789abc);
}

static void print_levels(void *arg)
{
    if (arg != NULL)
        setenv("SOFTNDK_TRACE", arg, 1);
    else
        unsetenv("SOFTNDK_TRACE");
    DbgPrintEx(DPFLTR_IHVNETWORK_ID, DPFLTR_ERROR_LEVEL, "error ");
    DbgPrintEx(DPFLTR_IHVNETWORK_ID, DPFLTR_WARNING_LEVEL, "warning ");
    DbgPrintEx(DPFLTR_IHVNETWORK_ID, DPFLTR_TRACE_LEVEL, "trace ");
    DbgPrintEx(DPFLTR_IHVNETWORK_ID, DPFLTR_INFO_LEVEL, "info ");
    DbgPrintEx(DPFLTR_IHVNETWORK_ID, DPFLTR_MASK | 1 << 7, "mask ");
}

static void print_much(void *arg)
{
    (void)arg;
    DbgPrint("%0500d%0500d", 1, 2);
}

static void macros(void *arg)
{
    (void)arg;
    KdPrint(("kd %d ", 1));
    KdPrintEx((DPFLTR_DEFAULT_ID, DPFLTR_ERROR_LEVEL, "kdex %d", 2));
}

static void goes_to_standard_error(void **state)
{
    char text[2048];

    (void)state;
    assert_int_equal(death_of(print, NULL, text, sizeof(text)), 0);
    assert_string_equal(text, "one 1 123456789abc\n");
    assert_int_equal(death_of(print_levels, NULL, text, sizeof(text)), 0);
    assert_string_equal(text, "error warning ");
    assert_int_equal(death_of(print_levels, (void *)(uintptr_t) "1", text, sizeof(text)), 0);
    assert_string_equal(text, "error warning trace info mask ");
    assert_int_equal(death_of(print_much, NULL, text, sizeof(text)), 0);
    assert_int_equal(strlen(text), 511);
    assert_int_equal(death_of(macros, NULL, text, sizeof(text)), 0);
    assert_string_equal(text, "kd 1 kdex 2");
}

static void assertion(void *arg)
{
    int seven = *(int *)arg;

    NT_ASSERT(seven == 8);
}

static void assertion_with_message(void *arg)
{
    ASSERTMSG("seven is the wrong number", *(int *)arg == 8);
}

static void assertions(void **state)
{
    char text[4096];
    int seven = 7;

    (void)state;
    ASSERT(seven == 7);
    assert_true(NT_VERIFY(seven == 7));
    assert_int_equal(death_of(assertion, &seven, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "assertion failed: seven == 8, "));
    assert_non_null(strstr(text, "dbg_test.c:"));
    assert_int_equal(death_of(assertion_with_message, &seven, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "seven is the wrong number"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_to_standard_error),
        cmocka_unit_test(assertions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
