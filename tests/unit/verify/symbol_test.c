/* SPDX-License-Identifier: MIT */
/* Names of addresses: of static functions, of functions of other modules, and of nothing. */
#include "verify/symbol.h"

#include <stdlib.h>

#include "support/unit.h"

__attribute__((noinline)) static int a_static_function(int x)
{
    return x * 3;
}

static void static_functions_have_names(void **state)
{
    const char *at = (const char *)(uintptr_t)a_static_function;
    char text[256];
    size_t n;

    (void)state;
    n = verify_symbol_print(at + 1, text, sizeof text);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(text, "a_static_function+0x1 (unit_verify_symbol_test+0x", 49);
    assert_int_equal(a_static_function(2), 6);
}

static void other_modules_have_names(void **state)
{
    char text[256];

    (void)state;
    verify_symbol_print((const void *)(uintptr_t)getenv, text, sizeof text);
    assert_true(strstr(text, "getenv") != NULL || strstr(text, ".so") != NULL);
}

static void what_has_no_name_is_a_number(void **state)
{
    char text[256];

    (void)state;
    verify_symbol_print((const void *)(uintptr_t)16, text, sizeof text);
    assert_string_equal(text, "0x10");
    assert_int_equal(verify_symbol_print((const void *)(uintptr_t)16, text, 3), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(static_functions_have_names),
        cmocka_unit_test(other_modules_have_names),
        cmocka_unit_test(what_has_no_name_is_a_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
