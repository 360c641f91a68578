/* SPDX-License-Identifier: MIT */
/* A bugcheck with a sentence that says which rule was broken. */
#ifndef SN_KENV_BUGCHECK_H
#define SN_KENV_BUGCHECK_H

#include <wdm.h>

/*
 * Prints code, arguments, the sentence, IRQL and stack to stderr in one piece and aborts. The
 * format is printf's own. Any thread, any IRQL, any lock held.
 */
SOFTNDK_NORETURN void kenv_bugcheck(ULONG code, ULONG_PTR p1, ULONG_PTR p2, ULONG_PTR p3,
    ULONG_PTR p4, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* "BAD_POOL_CALLER"; NULL for a code of the consumer. */
const char *kenv_bugcheck_name(ULONG code);

#endif
