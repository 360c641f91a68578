/* SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "support/unit.h"

static void each_status_has_a_name_and_a_text_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SN_STATUS_COUNT; i++) {
        const char *name = sn_status_name((enum sn_status)i);
        const char *text = sn_status_text((enum sn_status)i);

        assert_non_null(name);
        assert_non_null(text);
        assert_true(strlen(name) > 1);
        assert_true(strlen(text) > 3);
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(name, sn_status_name((enum sn_status)j));
            assert_string_not_equal(text, sn_status_text((enum sn_status)j));
        }
    }
}

static void names_are_those_of_the_enum(void **state)
{
    (void)state;
    assert_int_equal(SN_OK, 0);
    assert_string_equal(sn_status_name(SN_OK), "OK");
    assert_string_equal(sn_status_text(SN_OK), "success");
    assert_string_equal(sn_status_name(SN_QUEUE_FULL), "QUEUE_FULL");
    assert_string_equal(sn_status_text(SN_QUEUE_FULL), "no free entry in the queue");
    assert_string_equal(sn_status_name(SN_INTERNAL), "INTERNAL");
}

static void a_value_outside_the_list_is_harmless(void **state)
{
    (void)state;
    assert_string_equal(sn_status_name(SN_STATUS_COUNT), "?");
    assert_string_equal(sn_status_name((enum sn_status)0x7FFFFFFF), "?");
    assert_string_equal(sn_status_text(SN_STATUS_COUNT), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_status_has_a_name_and_a_text_of_its_own),
        cmocka_unit_test(names_are_those_of_the_enum),
        cmocka_unit_test(a_value_outside_the_list_is_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
