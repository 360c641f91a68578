/* SPDX-License-Identifier: MIT */
/*
 * SOFTNDK_FAULTS: which calls fail, when, and how. docs/schedules-and-faults.md has the grammar for
 * users:
 *
 *     spec   = item { "," item }
 *     item   = "seed=" number | target { ":" key }
 *     target = name of an entry | "alloc" | "disconnect" | "cq-overrun"
 *     key    = "nth=" number | "after=" number | "every=" number | "p=" fraction
 *            | "status=" name | "async"
 */
#ifndef SN_CHAOS_FAULTS_H
#define SN_CHAOS_FAULTS_H

#include "base/atomic.h"
#include "chaos/decide.h"

enum chaos_target {
    CHAOS_TARGET_CALL,       /* a call fails; counted: calls of the entry */
    CHAOS_TARGET_ALLOC,      /* the pool is exhausted; counted: allocations */
    CHAOS_TARGET_DISCONNECT, /* the connection is lost; counted: requests posted on its queue pair
                              */
    CHAOS_TARGET_CQ_OVERRUN, /* the queue dies; counted: polls of the queue that found something */
};

/* One item. A number that was not given is 0; without any number it fires always. */
struct chaos_rule {
    enum chaos_target target;
    enum chaos_entry entry; /* of CHAOS_TARGET_CALL */
    uint64_t nth;           /* this one alone */
    uint64_t after;         /* all that come later than this one */
    uint64_t every;         /* each multiple */
    bool is_random;
    uint32_t chance; /* of UINT32_MAX, if random */
    NTSTATUS status; /* STATUS_SUCCESS: any documented failure, by seed */
    bool is_async;   /* through the completion, whatever the schedule */
};

enum { CHAOS_RULES_MAX = 32 };

struct chaos_rules {
    struct chaos_rule rule[CHAOS_RULES_MAX];
    unsigned count;
    uint64_t seed;
};

/* text NULL or "": no rules, seed 1. False: `why` is a sentence that names the position of what is
 * wrong, counted from 1, and *out is not to be used. */
SN_MUST_CHECK bool chaos_rules_parse(
    const char *text, struct chaos_rules *out, char why[CHAOS_TEXT]);
bool chaos_rules_have(const struct chaos_rules *rules, enum chaos_target target);
bool chaos_rules_have_call(const struct chaos_rules *rules, enum chaos_entry entry);

/* Rules at work: they count. Any thread. */
struct chaos_faults {
    struct chaos_rules rules;
    struct sn_a64 counts[CHAOS_RULES_MAX];
};
void chaos_faults_init(struct chaos_faults *f, const struct chaos_rules *rules);

/*
 * A call of `entry`, the nth on the object: STATUS_SUCCESS if it shall take place, else the status
 * with which it fails. *is_async: the failure shall come through the completion.
 */
NTSTATUS chaos_faults_call(struct chaos_faults *f, enum chaos_entry entry, uint64_t object_id,
    uint32_t nth, bool *is_async);
/* The same for a target that is no call. `nth`: of this object (disconnect, overrun), counted from
 * 1; 0: of all there are (alloc). */
bool chaos_faults_event(
    struct chaos_faults *f, enum chaos_target target, uint64_t object_id, uint64_t nth);

#endif
