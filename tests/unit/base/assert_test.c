/* SPDX-License-Identifier: MIT */
#include "base/assert.h"
#include "support/death.h"
#include "support/unit.h"

static int calls;

static int count_call(int result)
{
    calls++;
    return result;
}

static void break_assert(void *arg)
{
    int seven = *(const int *)arg;

    SN_ASSERT(seven == 8);
}

static void break_dassert(void *arg)
{
    int seven = *(const int *)arg;

    SN_DASSERT(seven == 8);
}

static void reach(void *arg)
{
    (void)arg;
    SN_UNREACHABLE();
}

static void a_broken_condition_is_named_with_its_place(void **state)
{
    char text[256];
    int seven = 7;

    (void)state;
    assert_int_equal(death_of(break_assert, &seven, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "\"seven == 8\""));
    assert_non_null(strstr(text, "assert_test.c:"));
    assert_int_equal(death_of(reach, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "unreachable"));
}

static void a_condition_that_holds_is_evaluated_once(void **state)
{
    (void)state;
    calls = 0;
    SN_ASSERT(count_call(1) == 1);
    assert_int_equal(calls, 1);
}

static void costly_conditions_are_evaluated_in_debug_builds_only(void **state)
{
    char text[256];
    int seven = 7;

    (void)state;
    calls = 0;
    SN_DASSERT(count_call(1) == 1);
#if defined(SOFTNDK_DEBUG)
    assert_int_equal(calls, 1);
    assert_int_equal(death_of(break_dassert, &seven, text, sizeof(text)), SIGABRT);
#else
    assert_int_equal(calls, 0);
    assert_int_equal(death_of(break_dassert, &seven, text, sizeof(text)), 0);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_condition_is_named_with_its_place),
        cmocka_unit_test(a_condition_that_holds_is_evaluated_once),
        cmocka_unit_test(costly_conditions_are_evaluated_in_debug_builds_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
