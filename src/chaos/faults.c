/* SPDX-License-Identifier: MIT */
#include "chaos/faults.h"

#include <softndk.h>
#include <stdio.h>
#include <string.h>

/* Where the parser is. `end` is that of the piece that is read; positions are told from `begin`. */
struct reader {
    const char *begin;
    const char *at, *end;
    char *why;
};

/* A piece as it is printed in a sentence. */
static int shown(size_t n)
{
    return n > 48 ? 48 : (int)n;
}

static bool refuse(const struct reader *r, const char *at, size_t n, const char *what)
{
    snprintf(r->why, CHAOS_TEXT, "\"%.*s\" at character %zu %s", shown(n), at,
        (size_t)(at - r->begin) + 1, what);
    return false;
}

static bool is_word(const char *at, size_t n, const char *word)
{
    return strlen(word) == n && strncmp(at, word, n) == 0;
}

/* Fractions of 1: "0.01", "1", ".5". No more than nine digits count. */
static bool parse_fraction(const char *at, size_t n, uint32_t *out)
{
    uint64_t value = 0, scale = 1;
    bool has_digit = false, has_point = false;

    for (size_t i = 0; i < n; i++) {
        if (at[i] == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (at[i] < '0' || at[i] > '9')
            return false;
        has_digit = true;
        if (scale == 1000000000)
            continue;
        value = value * 10 + (uint64_t)(at[i] - '0');
        if (has_point)
            scale *= 10;
        if (value > scale)
            return false;
    }
    *out = (uint32_t)(value * UINT32_MAX / scale);
    return has_digit;
}

/* A failure that is documented for the entry, with or without STATUS_ in front. */
static bool parse_status(enum chaos_entry entry, const char *at, size_t n, NTSTATUS *out)
{
    const struct chaos_entry_info *info = chaos_entry_info(entry);
    const size_t prefix = strlen("STATUS_");

    for (unsigned i = 0; i < chaos_entry_failures(entry); i++) {
        const char *name = SoftNdkStatusName(info->failures[i]);

        if (is_word(at, n, name) || is_word(at, n, name + prefix)) {
            *out = info->failures[i];
            return true;
        }
    }
    return false;
}

/* "NdkListen cannot fail so; it takes STATUS_A, STATUS_B" */
static bool refuse_status(const struct reader *r, const char *at, size_t n, enum chaos_entry entry)
{
    const struct chaos_entry_info *info = chaos_entry_info(entry);
    int used = snprintf(r->why, CHAOS_TEXT, "\"%.*s\" at character %zu is not documented for %s; ",
        shown(n), at, (size_t)(at - r->begin) + 1, info->name);

    for (unsigned i = 0; i < chaos_entry_failures(entry) && used < CHAOS_TEXT; i++)
        used += snprintf(r->why + used, (size_t)(CHAOS_TEXT - used), "%s%s",
            i == 0 ? "it takes " : ", ", SoftNdkStatusName(info->failures[i]) + strlen("STATUS_"));
    return false;
}

static bool parse_key(struct reader *r, struct chaos_rule *rule, const char *at, size_t n)
{
    const char *equals = memchr(at, '=', n);
    size_t name = equals != NULL ? (size_t)(equals - at) : n;
    const char *value = equals != NULL ? equals + 1 : at + n;
    size_t rest = n - (size_t)(value - at);
    struct {
        const char *name;
        uint64_t *to;
    } numbers[] = {{"nth", &rule->nth}, {"after", &rule->after}, {"every", &rule->every}};

    for (size_t i = 0; i < SN_ARRAY_COUNT(numbers); i++) {
        if (!is_word(at, name, numbers[i].name))
            continue;
        if (chaos_number(value, rest, numbers[i].to) && *numbers[i].to != 0)
            return true;
        return refuse(r, value, rest, "is not a number from 1");
    }
    if (is_word(at, name, "p")) {
        rule->is_random = true;
        return parse_fraction(value, rest, &rule->chance) ||
               refuse(r, value, rest, "is not a fraction from 0 to 1");
    }
    if (rule->target != CHAOS_TARGET_CALL)
        return refuse(r, at, n, "is no key here; it takes nth=, after=, every= or p=");
    if (is_word(at, name, "status"))
        return parse_status(rule->entry, value, rest, &rule->status) ||
               refuse_status(r, value, rest, rule->entry);
    if (!is_word(at, n, "async"))
        return refuse(r, at, n, "is no key; it takes nth=, after=, every=, p=, status= or async");
    rule->is_async = true;
    return chaos_entry_info(rule->entry)->may_pend ||
           refuse(r, at, n, "is for calls that may return STATUS_PENDING");
}

static bool parse_target(struct reader *r, struct chaos_rule *rule, const char *at, size_t n)
{
    static const struct {
        const char *name;
        enum chaos_target target;
    } others[] = {
        {"alloc", CHAOS_TARGET_ALLOC},
        {"disconnect", CHAOS_TARGET_DISCONNECT},
        {"cq-overrun", CHAOS_TARGET_CQ_OVERRUN},
    };

    rule->entry = CHAOS_ENTRY_COUNT;
    for (size_t i = 0; i < SN_ARRAY_COUNT(others); i++) {
        if (is_word(at, n, others[i].name)) {
            rule->target = others[i].target;
            return true;
        }
    }
    rule->target = CHAOS_TARGET_CALL;
    rule->entry = chaos_entry_find(at, n);
    if (rule->entry == CHAOS_ENTRY_COUNT)
        return refuse(r, at, n,
            "is nothing that can fail; it takes the name of an entry (NdkConnect), alloc, "
            "disconnect or cq-overrun");
    return chaos_entry_failures(rule->entry) != 0 || refuse(r, at, n, "has no documented failure");
}

static bool parse_item(struct reader *r, struct chaos_rules *out, const char *at, size_t n)
{
    struct chaos_rule rule = {0};
    size_t piece = 0;

    if (n > 5 && strncmp(at, "seed=", 5) == 0)
        return chaos_number(at + 5, n - 5, &out->seed) ||
               refuse(r, at + 5, n - 5, "is no seed; it takes a number");
    if (out->count == CHAOS_RULES_MAX)
        return refuse(r, at, n, "is one too many; there can be 32");
    for (size_t begin = 0; begin <= n; begin += piece + 1) {
        const char *colon = memchr(at + begin, ':', n - begin);

        piece = colon != NULL ? (size_t)(colon - (at + begin)) : n - begin;
        if (begin == 0 ? !parse_target(r, &rule, at, piece)
                       : !parse_key(r, &rule, at + begin, piece))
            return false;
    }
    out->rule[out->count++] = rule;
    return true;
}

bool chaos_rules_parse(const char *text, struct chaos_rules *out, char why[CHAOS_TEXT])
{
    struct reader r = {.begin = text, .why = why};
    size_t n = 0;

    memset(out, 0, sizeof *out);
    out->seed = 1;
    if (text == NULL || *text == '\0')
        return true;
    for (const char *at = text;; at += n + 1) {
        n = strcspn(at, ",");
        if (!parse_item(&r, out, at, n))
            return false;
        if (at[n] == '\0')
            return true;
    }
}

bool chaos_rules_have(const struct chaos_rules *rules, enum chaos_target target)
{
    for (unsigned i = 0; i < rules->count; i++) {
        if (rules->rule[i].target == target)
            return true;
    }
    return false;
}

bool chaos_rules_have_call(const struct chaos_rules *rules, enum chaos_entry entry)
{
    for (unsigned i = 0; i < rules->count; i++) {
        if (rules->rule[i].target == CHAOS_TARGET_CALL && rules->rule[i].entry == entry)
            return true;
    }
    return false;
}

/* ---- at work ---- */

void chaos_faults_init(struct chaos_faults *f, const struct chaos_rules *rules)
{
    f->rules = *rules;
    for (unsigned i = 0; i < CHAOS_RULES_MAX; i++)
        sn_a64_store_relaxed(&f->counts[i], 0);
}

/* The dice of rule i for the nth event of an object. */
static struct chaos_dice dice_of(
    const struct chaos_faults *f, unsigned i, uint64_t object_id, uint64_t nth)
{
    uint64_t id = chaos_child_id(f->rules.seed ^ object_id, i, (uint32_t)(nth >> 32));

    return chaos_dice_for(id, f->rules.rule[i].entry, (uint32_t)nth);
}

/* Does rule i fire for its `count`-th event? */
static bool fires(const struct chaos_rule *rule, uint64_t count, struct chaos_dice *dice)
{
    uint32_t roll = chaos_roll(dice, UINT32_MAX);
    bool has_number = rule->nth != 0 || rule->after != 0 || rule->every != 0;

    if (rule->is_random && roll >= rule->chance)
        return false;
    if (!has_number)
        return true;
    return count == rule->nth || (rule->after != 0 && count > rule->after) ||
           (rule->every != 0 && count % rule->every == 0);
}

NTSTATUS chaos_faults_call(struct chaos_faults *f, enum chaos_entry entry, uint64_t object_id,
    uint32_t nth, bool *is_async)
{
    NTSTATUS status = STATUS_SUCCESS;

    for (unsigned i = 0; i < f->rules.count; i++) {
        const struct chaos_rule *rule = &f->rules.rule[i];
        struct chaos_dice dice;
        uint64_t count;

        if (rule->target != CHAOS_TARGET_CALL || rule->entry != entry)
            continue;
        count = sn_a64_fetch_add(&f->counts[i], 1) + 1; /* every rule counts every call */
        dice = dice_of(f, i, object_id, nth);
        if (status != STATUS_SUCCESS || !fires(rule, count, &dice))
            continue;
        status = rule->status;
        if (status == STATUS_SUCCESS)
            status =
                chaos_entry_info(entry)->failures[chaos_roll(&dice, chaos_entry_failures(entry))];
        *is_async = rule->is_async && chaos_status_may_pend(status);
    }
    return status;
}

bool chaos_faults_event(
    struct chaos_faults *f, enum chaos_target target, uint64_t object_id, uint64_t nth)
{
    bool any = false;

    for (unsigned i = 0; i < f->rules.count; i++) {
        const struct chaos_rule *rule = &f->rules.rule[i];
        struct chaos_dice dice;
        uint64_t count = nth;

        if (rule->target != target)
            continue;
        if (count == 0)
            count = sn_a64_fetch_add(&f->counts[i], 1) + 1;
        dice = dice_of(f, i, object_id, count);
        any = fires(rule, count, &dice) || any;
    }
    return any;
}
