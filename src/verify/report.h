/* SPDX-License-Identifier: MIT */
/*
 * Reports: one text for each rule and place in the consumer where it was broken, with a count of
 * how often. Any thread, any IRQL, no lock of an adapter held.
 */
#ifndef SN_VERIFY_REPORT_H
#define SN_VERIFY_REPORT_H

#include "base/attr.h"
#include "verify/rules.h"
#include "verify/shadow.h"

/*
 * `rule` was broken by the call `call` of the running thread. `o` is the object of the call,
 * `other` a second one that matters, or NULL. The format says what was found, as part of a
 * sentence. What is legal but risky is reported only where the adapter's settings ask for it. In
 * mode break the process ends here, unless it is only risky.
 */
void verify_report(enum verify_rule rule, struct verify_obj *o, struct verify_obj *other,
    const char *call, const char *format, ...) SN_PRINTF(5, 6);

/* Opens and shuts the log; the first adapter's SOFTNDK_VERIFY_LOG counts until the last is closed.
 * False: the file cannot be written. */
SN_MUST_CHECK bool verify_log_begin(const char *path);
void verify_log_end(void);

/* Violations since the process began, repetitions included: of one rule, or of all with
 * VERIFY_RULE_COUNT. */
uint32_t verify_count(enum verify_rule rule);
/* "2 violations of N-L1, 1 of N-W8"; empty: none. Returns the length. */
size_t verify_totals(char *out, size_t room);

/* An object and where it was created, in lines. Returns the length, which is below `room`. */
size_t verify_object_text(struct verify_obj *o, char *out, size_t room);

#endif
