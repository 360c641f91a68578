/* SPDX-License-Identifier: MIT */
/*
 * Rundown protection and push locks, each in one word. Rundown: twice the number of holders, plus
 * one once rundown has begun; whoever waits sleeps on the lower half. After the last release the
 * word may be gone: the release touches it once, and wakes by address.
 */
#include "kenv/bugcheck.h"
#include "kenv/futex.h"
#include "kenv/irql.h"

#include <limits.h>

#define ACTIVE 1u
#define HOLDER 2u

VOID ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    __atomic_store_n(&RunRef->Count, 0, __ATOMIC_RELEASE);
}

VOID ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    ULONG_PTR seen = __atomic_exchange_n(&RunRef->Count, 0, __ATOMIC_SEQ_CST);

    if (seen != ACTIVE)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)RunRef, seen, 0, 0,
            "ExReInitializeRundownProtection: %p has not been run down", (void *)RunRef);
}

BOOLEAN ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    ULONG_PTR seen = __atomic_load_n(&RunRef->Count, __ATOMIC_RELAXED);

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    do {
        if ((seen & ACTIVE) != 0)
            return FALSE;
    } while (!__atomic_compare_exchange_n(&RunRef->Count, &seen, seen + (ULONG_PTR)Count * HOLDER,
        0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    return TRUE;
}

BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    return ExAcquireRundownProtectionEx(RunRef, 1);
}

VOID ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    ULONG_PTR taken = (ULONG_PTR)Count * HOLDER, before;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    before = __atomic_fetch_sub(&RunRef->Count, taken, __ATOMIC_ACQ_REL);
    if (before < taken)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)RunRef, before / HOLDER, Count,
            0, "rundown protection %p is released more often than it was acquired", (void *)RunRef);
    if (before - taken == ACTIVE)
        kenv_futex_wake(RunRef, INT_MAX);
}

VOID ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    ExReleaseRundownProtectionEx(RunRef, 1);
}

VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
    ULONG_PTR seen;

    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    seen = __atomic_or_fetch(&RunRef->Count, ACTIVE, __ATOMIC_SEQ_CST);
    while (seen != ACTIVE) {
        kenv_futex_wait(RunRef, (uint32_t)seen, NULL, false);
        seen = __atomic_load_n(&RunRef->Count, __ATOMIC_ACQUIRE);
    }
}

VOID ExRundownCompleted(PEX_RUNDOWN_REF RunRef)
{
    __atomic_store_n(&RunRef->Count, ACTIVE, __ATOMIC_RELEASE);
}

/* ---- Push locks ---------------------------------------------------------------------------- */

/* The lower half of the word: holders. The upper half counts those that may sleep. */
#define WRITER  0x80000000u
#define SLEEPER ((ULONG_PTR)1 << 32)

static ULONG_PTR holders(ULONG_PTR word)
{
    return word & 0xffffffff;
}

static bool try_push(PEX_PUSH_LOCK lock, ULONG_PTR add)
{
    ULONG_PTR seen = __atomic_load_n(lock, __ATOMIC_RELAXED);

    do {
        if (add == WRITER ? holders(seen) != 0 : (seen & WRITER) != 0)
            return false;
    } while (!__atomic_compare_exchange_n(
        lock, &seen, seen + add, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    return true;
}

static void push(PEX_PUSH_LOCK lock, ULONG_PTR add)
{
    if (try_push(lock, add))
        return;
    __atomic_fetch_add(lock, SLEEPER, __ATOMIC_SEQ_CST);
    while (!try_push(lock, add)) {
        ULONG_PTR seen = __atomic_load_n(lock, __ATOMIC_RELAXED);

        if (holders(seen) != 0)
            kenv_futex_wait(lock, (uint32_t)seen, NULL, false);
    }
    __atomic_fetch_sub(lock, SLEEPER, __ATOMIC_SEQ_CST);
}

static void pop(PEX_PUSH_LOCK lock, ULONG_PTR taken)
{
    ULONG_PTR before = __atomic_fetch_sub(lock, taken, __ATOMIC_RELEASE);
    bool is_held = taken == WRITER ? holders(before) == WRITER
                                   : holders(before) != 0 && (before & WRITER) == 0;

    if (!is_held)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)lock, before, 0, 0,
            "push lock %p is released, but is not held that way", (void *)lock);
    if (holders(before) == taken && before >= SLEEPER)
        kenv_futex_wake(lock, INT_MAX);
}

VOID ExInitializePushLock(PEX_PUSH_LOCK PushLock)
{
    __atomic_store_n(PushLock, 0, __ATOMIC_RELEASE);
}

VOID ExAcquirePushLockExclusive(PEX_PUSH_LOCK PushLock)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    push(PushLock, WRITER);
}

VOID ExAcquirePushLockShared(PEX_PUSH_LOCK PushLock)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    push(PushLock, 1);
}

VOID ExReleasePushLockExclusive(PEX_PUSH_LOCK PushLock)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    pop(PushLock, WRITER);
}

VOID ExReleasePushLockShared(PEX_PUSH_LOCK PushLock)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    pop(PushLock, 1);
}
