/* SPDX-License-Identifier: MIT */
/*
 * Rows of mistakes: each is made by a consumer before the provider of fake.h and must be reported
 * as that rule and no other; its twin does the same thing rightly and must not be reported at all.
 * Each program has the rows of one or more letters of the table of rules, and all of them.
 */
#ifndef TESTS_UNIT_VERIFY_CASES_H
#define TESTS_UNIT_VERIFY_CASES_H

#include "unit/verify/world.h"

struct row {
    enum verify_rule rule;
    unsigned wants;
    void (*mistake)(struct world *w);
    void (*twin)(struct world *w);
};

static inline void reset_fake(const struct verify_rule_row *row)
{
    memset(&fake, 0, sizeof fake);
    fake.mode = "warn";
    fake.risky = row->seen == VERIFY_RISKY ? "1" : "0";
    fake.buffers = row->seen == VERIFY_MODE ? "1" : "0";
    fake.linger = "0";
}

static inline void make(const struct row *row, void (*what)(struct world *w), bool is_reported)
{
    const struct verify_rule_row *rule = &verify_rules[row->rule];
    uint32_t all = verify_count(VERIFY_RULE_COUNT), mine = verify_count(row->rule);
    char totals[1024];
    struct world w;

    reset_fake(rule);
    world_open(&w, row->wants);
    what(&w);
    world_close(&w, row->wants);
    all = verify_count(VERIFY_RULE_COUNT) - all;
    mine = verify_count(row->rule) - mine;
    verify_totals(totals, sizeof totals);
    if (is_reported && (mine == 0 || mine != all))
        fail_msg("%s: the mistake gave %u reports of it and %u of others; all so far: %s", rule->id,
            mine, all - mine, totals);
    if (!is_reported && all != 0)
        fail_msg("%s: the clean twin gave %u reports; all so far: %s", rule->id, all, totals);
}

static inline void run_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        make(&rows[i], rows[i].mistake, true);
        make(&rows[i], rows[i].twin, false);
    }
    verify_drop_kept();
}

/* Every rule of these letters that is seen has a row. */
static inline void check_rows(const struct row *rows, size_t count, const char *letters)
{
    for (int r = 0; r < VERIFY_RULE_COUNT; r++) {
        bool is_there = false;

        if (strchr(letters, verify_rules[r].id[2]) == NULL || verify_rules[r].seen == VERIFY_UNSEEN)
            continue;
        for (size_t i = 0; i < count; i++)
            is_there |= rows[i].rule == (enum verify_rule)r;
        if (!is_there)
            fail_msg("%s has no case", verify_rules[r].id);
    }
}

static inline void nothing(struct world *w)
{
    (void)w;
}

#endif
