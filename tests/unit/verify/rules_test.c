/* SPDX-License-Identifier: MIT */
/* The table of rules is complete, and docs/verifier.md shows what it says. */
#include "verify/rules.h"

#include "support/unit.h"

static void every_row_is_whole(void **state)
{
    (void)state;
    for (int i = 0; i < VERIFY_RULE_COUNT; i++) {
        const struct verify_rule_row *row = &verify_rules[i];

        assert_non_null(row->id);
        assert_memory_equal(row->id, "N-", 2);
        assert_non_null(row->sentence);
        assert_int_equal(row->sentence[strlen(row->sentence) - 1], '.');
        assert_non_null(row->how);
        assert_non_null(row->advice);
        assert_int_equal(row->advice[strlen(row->advice) - 1], '.');
        assert_non_null(row->page);
        if (row->bugcheck != 0)
            assert_string_not_equal(verify_bugcheck_name(row->bugcheck), "?");
        assert_int_equal(verify_rule_of(row->id), i);
    }
}

/* Letters and numbers are those of the list that the rows come from. */
static void the_ids_have_no_gaps(void **state)
{
    static const struct {
        char letter;
        int count;
    } groups[] = {{'L', 15}, {'T', 6}, {'P', 16}, {'W', 22}, {'M', 18}, {'C', 12}};
    int at = 0;

    (void)state;
    for (size_t g = 0; g < SN_ARRAY_COUNT(groups); g++) {
        for (int n = 1; n <= groups[g].count; n++) {
            char id[16];

            snprintf(id, sizeof id, "N-%c%d", groups[g].letter, n);
            assert_string_equal(verify_rules[at++].id, id);
        }
    }
    assert_int_equal(at, VERIFY_RULE_COUNT);
}

static void ids_are_found(void **state)
{
    (void)state;
    assert_int_equal(verify_rule_of("N-L1"), VERIFY_L1);
    assert_int_equal(verify_rule_of("w22"), VERIFY_W22);
    assert_int_equal(verify_rule_of("n-c12"), VERIFY_C12);
    assert_int_equal(verify_rule_of("L0"), VERIFY_RULE_COUNT);
    assert_int_equal(verify_rule_of(""), VERIFY_RULE_COUNT);
    assert_string_equal(verify_bugcheck_name(1), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(the_ids_have_no_gaps),
        cmocka_unit_test(ids_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
