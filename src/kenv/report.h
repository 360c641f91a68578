/* SPDX-License-Identifier: MIT */
/*
 * A rule was broken: one way out for the kernel environment and for verifiers. The sink of ndkrun
 * sees each report; what it does not take is printed to stderr with symbols.
 */
#ifndef SN_KENV_REPORT_H
#define SN_KENV_REPORT_H

#include "kenv/track.h"

struct kenv_report {
    const char *rule;   /* short name: "pool-double-free" */
    const char *text;   /* a sentence */
    const char *advice; /* may be NULL */
    const char *page;   /* of the documentation; may be NULL */
    ULONG code;         /* of the bugcheck that Windows would show; 0: none */
    ULONG_PTR parameters[4];
    bool is_fatal; /* ends the process */
    const void *object;
    const struct kenv_stack *created; /* may be NULL */
    const struct kenv_stack *freed;   /* may be NULL */
};

/* Adds stack and IRQL of the caller and tells. Returns unless is_fatal. Any thread, any IRQL, no
 * lock of kenv held. */
void kenv_report(const struct kenv_report *report);

#endif
