/* SPDX-License-Identifier: MIT */
/* The table of rules is complete, and docs/verifier.md shows what it says. */
#include "verify/rules.h"

#include <stdlib.h>

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

/* The row of a rule as docs/verifier.md has it. */
static void row_text(const struct verify_rule_row *row, char *out, size_t room)
{
    static const char *const seen[] = {[VERIFY_SEEN] = "reported",
        [VERIFY_RISKY] = "risky",
        [VERIFY_MODE] = "by setting",
        [VERIFY_UNSEEN] = "not seen"};
    char bugcheck[64] = "";

    if (row->bugcheck != 0)
        snprintf(bugcheck, sizeof bugcheck, "0x%X `%s`", row->bugcheck,
            verify_bugcheck_name(row->bugcheck));
    snprintf(out, room, "| %s | %s | %s | %s | %s | %s | %s |", row->id, seen[row->seen],
        row->sentence, row->how, row->advice, row->page, bugcheck);
}

static void the_page_shows_the_table(void **state)
{
    char path[512], row[2048];
    char *page, *end;
    FILE *f;

    (void)state;
    snprintf(path, sizeof path, "%s", __FILE__);
    end = strstr(path, "tests/unit/verify/rules_test.c");
    assert_non_null(end);
    snprintf(end, sizeof path - (size_t)(end - path), "docs/verifier.md");
    f = fopen(path, "r");
    assert_non_null(f);
    page = calloc(1, 1 << 20);
    assert_non_null(page);
    assert_true(fread(page, 1, (1 << 20) - 1, f) > 0);
    fclose(f);
    for (int i = 0; i < VERIFY_RULE_COUNT; i++) {
        row_text(&verify_rules[i], row, sizeof row);
        if (strstr(page, row) == NULL)
            print_error("%s\n", row);
    }
    for (int i = 0; i < VERIFY_RULE_COUNT; i++) {
        row_text(&verify_rules[i], row, sizeof row);
        if (strstr(page, row) == NULL)
            fail_msg("docs/verifier.md lacks or differs from the row of %s, see above",
                verify_rules[i].id);
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(the_ids_have_no_gaps),
        cmocka_unit_test(ids_are_found),
        cmocka_unit_test(the_page_shows_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
