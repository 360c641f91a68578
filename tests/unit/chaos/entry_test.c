/* SPDX-License-Identifier: MIT */
#include "chaos/entry.h"

#include <softndk.h>

#include "support/unit.h"

static void every_entry_has_a_name_that_finds_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CHAOS_ENTRY_COUNT; i++) {
        const char *name = chaos_entry_info((enum chaos_entry)i)->name;

        assert_non_null(name);
        assert_int_equal(chaos_entry_find(name, strlen(name)), i);
    }
    assert_int_equal(chaos_entry_find("NdkConnec", 9), CHAOS_ENTRY_COUNT);
    assert_int_equal(chaos_entry_find("", 0), CHAOS_ENTRY_COUNT);
}

/* Failures are failures, each with a name, none twice. */
static void failures_are_documented_failures(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CHAOS_ENTRY_COUNT; i++) {
        const struct chaos_entry_info *info = chaos_entry_info((enum chaos_entry)i);
        unsigned n = chaos_entry_failures((enum chaos_entry)i);

        assert_true(n < CHAOS_STATUSES_MAX);
        for (unsigned j = 0; j < n; j++) {
            assert_false(NT_SUCCESS(info->failures[j]));
            assert_int_equal(strncmp(SoftNdkStatusName(info->failures[j]), "STATUS_", 7), 0);
            for (unsigned k = 0; k < j; k++)
                assert_int_not_equal(info->failures[j], info->failures[k]);
        }
    }
}

/* A close cannot fail [NDKPI NDK_FN_CLOSE_OBJECT]; work requests never pend. */
static void what_may_pend_is_known(void **state)
{
    static const struct {
        enum chaos_entry entry;
        bool may_pend;
        unsigned failures;
    } cases[] = {
        {CHAOS_CLOSE, true, 0},
        {CHAOS_CREATE_PD, true, 1},
        {CHAOS_CONNECT, true, 9},
        {CHAOS_CONNECT_WITH_SHARED_ENDPOINT, true, 6},
        {CHAOS_SEND, false, 3},
        {CHAOS_BIND, false, 4},
        {CHAOS_REJECT, false, 1},
        {CHAOS_GET_CQ_RESULTS, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        assert_int_equal(chaos_entry_info(cases[i].entry)->may_pend, cases[i].may_pend);
        assert_int_equal(chaos_entry_failures(cases[i].entry), cases[i].failures);
    }
    assert_true(chaos_status_may_pend(STATUS_SUCCESS));
    assert_true(chaos_status_may_pend(STATUS_INSUFFICIENT_RESOURCES));
    assert_true(chaos_status_may_pend(STATUS_CONNECTION_REFUSED));
    assert_false(chaos_status_may_pend(STATUS_INVALID_ADDRESS));
    assert_false(chaos_status_may_pend(STATUS_INVALID_PARAMETER));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_has_a_name_that_finds_it),
        cmocka_unit_test(failures_are_documented_failures),
        cmocka_unit_test(what_may_pend_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
