/* SPDX-License-Identifier: MIT */
#include <softndk.h>

#include "support/unit.h"

static void a_version_is_three_numbers(void **state)
{
    unsigned major, minor, patch;
    char rest;

    (void)state;
    assert_int_equal(
        sscanf(SoftNdkVersionString(), "%u.%u.%u%c", &major, &minor, &patch, &rest), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_version_is_three_numbers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
