/* SPDX-License-Identifier: MIT */
/*
 * KeGetCurrentIrql, KeRaiseIrql, KeLowerIrql and what src/ndk needs of them. The level is a number
 * of the thread: nothing is masked, no other thread is stopped, no priority changes.
 */
#include "kenv/irql.h"

#include "kenv/bugcheck.h"

_Thread_local KIRQL kenv_irql_now __attribute__((visibility("hidden")));

KIRQL KeGetCurrentIrql(VOID)
{
    return kenv_irql_now;
}

VOID KeRaiseIrql(KIRQL NewIrql, PKIRQL OldIrql)
{
    if (NewIrql < kenv_irql_now)
        kenv_bugcheck(IRQL_NOT_GREATER_OR_EQUAL, NewIrql, kenv_irql_now, 0, 0,
            "KeRaiseIrql was asked for IRQL %u, but the thread is at %u; use KeLowerIrql to go "
            "down",
            NewIrql, kenv_irql_now);
    *OldIrql = kenv_irql_now;
    kenv_irql_now = NewIrql;
}

KIRQL KeRaiseIrqlToDpcLevel(VOID)
{
    KIRQL old;

    KeRaiseIrql(DISPATCH_LEVEL, &old);
    return old;
}

VOID KeLowerIrql(KIRQL NewIrql)
{
    if (NewIrql > kenv_irql_now)
        kenv_bugcheck(IRQL_NOT_LESS_OR_EQUAL, NewIrql, kenv_irql_now, 0, 0,
            "KeLowerIrql was asked for IRQL %u, but the thread is at %u; use KeRaiseIrql to go up",
            NewIrql, kenv_irql_now);
    kenv_irql_now = NewIrql;
}

VOID SoftNdkPagedCode(const char *Function)
{
    if (kenv_irql_now > APC_LEVEL)
        kenv_irql_violation(APC_LEVEL, Function);
}

void kenv_irql_violation(KIRQL level_max, const char *function)
{
    kenv_bugcheck(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)function, kenv_irql_now, level_max, 0,
        "%s was called at IRQL %u; it may be called at IRQL %u at most", function, kenv_irql_now,
        level_max);
}

KIRQL kenv_irql_set(KIRQL level)
{
    KIRQL old = kenv_irql_now;

    kenv_irql_now = level;
    return old;
}

void kenv_irql_callback_done(KIRQL level, KIRQL old, const char *callback)
{
    if (kenv_irql_now != level)
        kenv_bugcheck(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)callback, kenv_irql_now, level, 0,
            "the consumer's %s was called at IRQL %u and returned at %u; it keeps a spin lock or "
            "did not lower the IRQL",
            callback, level, kenv_irql_now);
    kenv_irql_now = old;
}
