/* SPDX-License-Identifier: MIT */
/*
 * IRQL as a number per thread. This is the part of the kernel environment that src/ndk uses: to
 * check the level of each call that a consumer makes, and to raise it around consumer callbacks.
 */
#ifndef SN_KENV_IRQL_H
#define SN_KENV_IRQL_H

#include <wdm.h>

/* The calling thread's level. Read through KeGetCurrentIrql or here, changed through functions. */
extern _Thread_local KIRQL kenv_irql_now __attribute__((visibility("hidden")));

/*
 * Bugchecks (IRQL_NOT_LESS_OR_EQUAL) with a sentence that names the calling function if the thread
 * is above `level`. Costs one load and one compare when it is not.
 */
#define NDK_REQUIRE_IRQL_MAX(level)                                                                \
    do {                                                                                           \
        if (__builtin_expect(kenv_irql_now > (level), 0))                                          \
            kenv_irql_violation((level), __func__);                                                \
    } while (0)

SOFTNDK_NORETURN void kenv_irql_violation(KIRQL level_max, const char *function);

/*
 * Sets the level and returns the previous one, without KeRaiseIrql's checks. For a provider thread
 * around a callback: old = kenv_irql_set(DISPATCH_LEVEL), callback, kenv_irql_callback_done(...).
 */
KIRQL kenv_irql_set(KIRQL level);

/*
 * Goes back to `old` after a consumer callback that was called at `level`; a callback that returns
 * at another level (a spin lock kept, an IRQL not lowered) is a bugcheck that names `callback`.
 */
void kenv_irql_callback_done(KIRQL level, KIRQL old, const char *callback);

#endif
