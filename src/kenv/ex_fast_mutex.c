/* SPDX-License-Identifier: MIT */
/* Fast and guarded mutexes: a count that is 1 when free, an event for those that wait. */
#include "kenv/bugcheck.h"
#include "kenv/irql.h"

#include <stdbool.h>

/* What the two kinds share. */
struct parts {
    volatile LONG *count;
    PVOID *owner;
    ULONG *contention;
    PKEVENT event;
    const char *kind;
};

static struct parts of_fast(PFAST_MUTEX m)
{
    struct parts p = {&m->Count, &m->Owner, &m->Contention, &m->Event, "fast mutex"};

    return p;
}

static struct parts of_guarded(PKGUARDED_MUTEX m)
{
    struct parts p = {
        &m->Count, (PVOID *)(void *)&m->Owner, &m->Contention, &m->Gate, "guarded mutex"};

    return p;
}

static void init(struct parts p)
{
    *p.count = 1;
    *p.owner = NULL;
    *p.contention = 0;
    KeInitializeEvent(p.event, SynchronizationEvent, FALSE);
}

static PVOID owner_of(struct parts p)
{
    return __atomic_load_n(p.owner, __ATOMIC_RELAXED);
}

static void acquire(struct parts p)
{
    if (owner_of(p) == KeGetCurrentThread())
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)p.count, 0, 0, 0,
            "the thread acquires %s %p, which it already holds; it would wait for itself for ever",
            p.kind, (const volatile void *)p.count);
    if (InterlockedDecrement(p.count) != 0) {
        __atomic_fetch_add(p.contention, 1, __ATOMIC_RELAXED);
        (void)KeWaitForSingleObject(p.event, Executive, KernelMode, FALSE, NULL);
    }
    __atomic_store_n(p.owner, KeGetCurrentThread(), __ATOMIC_RELAXED);
}

static bool try_acquire(struct parts p)
{
    if (InterlockedCompareExchange(p.count, 0, 1) != 1)
        return false;
    __atomic_store_n(p.owner, KeGetCurrentThread(), __ATOMIC_RELAXED);
    return true;
}

static void release(struct parts p)
{
    if (owner_of(p) != KeGetCurrentThread())
        kenv_bugcheck(THREAD_NOT_MUTEX_OWNER, (ULONG_PTR)KeGetCurrentThread(), (ULONG_PTR)p.count,
            0, 0, "the thread releases %s %p, which it does not hold", p.kind,
            (const volatile void *)p.count);
    __atomic_store_n(p.owner, NULL, __ATOMIC_RELAXED);
    if (InterlockedIncrement(p.count) <= 0)
        KeSetEvent(p.event, IO_NO_INCREMENT, FALSE);
}

/* ---- Fast mutexes -------------------------------------------------------------------------- */

VOID ExInitializeFastMutex(PFAST_MUTEX FastMutex)
{
    init(of_fast(FastMutex));
    FastMutex->OldIrql = PASSIVE_LEVEL;
}

VOID ExAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    KIRQL old;

    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    KeRaiseIrql(APC_LEVEL, &old);
    acquire(of_fast(FastMutex));
    FastMutex->OldIrql = old;
}

BOOLEAN ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    KIRQL old;

    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    if (!try_acquire(of_fast(FastMutex)))
        return FALSE;
    KeRaiseIrql(APC_LEVEL, &old);
    FastMutex->OldIrql = old;
    return TRUE;
}

VOID ExReleaseFastMutex(PFAST_MUTEX FastMutex)
{
    KIRQL old = (KIRQL)FastMutex->OldIrql;

    if (kenv_irql_now != APC_LEVEL)
        kenv_bugcheck(IRQL_NOT_GREATER_OR_EQUAL, (ULONG_PTR)FastMutex, kenv_irql_now, APC_LEVEL, 0,
            "ExReleaseFastMutex was called at IRQL %u; the holder is at APC_LEVEL", kenv_irql_now);
    release(of_fast(FastMutex));
    KeLowerIrql(old);
}

VOID ExAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    acquire(of_fast(FastMutex));
}

VOID ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    release(of_fast(FastMutex));
}

/* ---- Guarded mutexes ----------------------------------------------------------------------- */

VOID KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    init(of_guarded(Mutex));
}

VOID KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    KeEnterGuardedRegion();
    acquire(of_guarded(Mutex));
}

BOOLEAN KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    KeEnterGuardedRegion();
    if (try_acquire(of_guarded(Mutex)))
        return TRUE;
    KeLeaveGuardedRegion();
    return FALSE;
}

VOID KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    release(of_guarded(Mutex));
    KeLeaveGuardedRegion();
}

VOID KeAcquireGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    acquire(of_guarded(Mutex));
}

VOID KeReleaseGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    release(of_guarded(Mutex));
}
