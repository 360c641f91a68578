/* SPDX-License-Identifier: MIT */
/*
 * Spin locks. The lock's word holds the owner (a number per thread) in the upper half and a futex
 * in the lower: 0 free, 1 held, 2 held and somebody may sleep. [DEVIATION] a waiter spins briefly
 * and then sleeps: in user space the owner may not be running at all.
 */
#include "kenv/bugcheck.h"
#include "kenv/futex.h"
#include "kenv/irql.h"

#include <stdatomic.h>
#include <wdm.h>

#define HELD           1u
#define HELD_CONTENDED 2u
#define SPINS          64

_Static_assert(sizeof(KSPIN_LOCK) == 8, "owner and futex share the word");

/* Given out once per thread and, unlike a thread id, the same after a fork. */
static uint64_t self(void)
{
    static _Atomic uint32_t last;
    static _Thread_local uint32_t mine;

    if (mine == 0)
        mine = atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
    return (uint64_t)mine << 32;
}

static bool take(PKSPIN_LOCK lock, uint64_t value)
{
    ULONG_PTR expected = 0;

    return __atomic_compare_exchange_n(
        lock, &expected, value, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* The futex is the lower half: the first four octets, on a little-endian machine. */
static void sleep_on(PKSPIN_LOCK lock)
{
    kenv_futex_wait(lock, HELD_CONTENDED, NULL, false);
}

static void acquire_slowly(PKSPIN_LOCK lock, uint64_t me)
{
    ULONG_PTR seen = __atomic_load_n(lock, __ATOMIC_RELAXED);

    if ((seen & ~(ULONG_PTR)0xffffffff) == me)
        kenv_bugcheck(SPIN_LOCK_ALREADY_OWNED, (ULONG_PTR)lock, 0, 0, 0,
            "the thread acquires spin lock %p, which it already holds", (void *)lock);
    for (int i = 0; i < SPINS; i++) {
        if (__atomic_load_n(lock, __ATOMIC_RELAXED) == 0 && take(lock, me | HELD))
            return;
        YieldProcessor();
    }
    /* From here on whoever holds the lock, we included, must wake somebody at the release. */
    while (!take(lock, me | HELD_CONTENDED)) {
        seen = __atomic_load_n(lock, __ATOMIC_RELAXED);
        if (seen == 0)
            continue;
        if ((seen & 0xffffffff) == HELD &&
            !__atomic_compare_exchange_n(lock, &seen, seen - HELD + HELD_CONTENDED, false,
                __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            continue;
        sleep_on(lock);
    }
}

static void acquire(PKSPIN_LOCK lock)
{
    uint64_t me = self();

    if (!take(lock, me | HELD))
        acquire_slowly(lock, me);
}

static void release(PKSPIN_LOCK lock)
{
    ULONG_PTR seen = __atomic_load_n(lock, __ATOMIC_RELAXED);

    if ((seen & ~(ULONG_PTR)0xffffffff) != self())
        kenv_bugcheck(SPIN_LOCK_NOT_OWNED, (ULONG_PTR)lock, 0, 0, 0,
            "the thread releases spin lock %p, which %s", (void *)lock,
            seen == 0 ? "nobody holds" : "another thread holds");
    if ((__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) & 0xffffffff) == HELD_CONTENDED)
        kenv_futex_wake(lock, 1);
}

static void require_dispatch(const char *function)
{
    if (kenv_irql_now != DISPATCH_LEVEL)
        kenv_bugcheck(IRQL_NOT_GREATER_OR_EQUAL, (ULONG_PTR)function, kenv_irql_now, DISPATCH_LEVEL,
            0, "%s was called at IRQL %u; it must be called at DISPATCH_LEVEL", function,
            kenv_irql_now);
}

VOID KeInitializeSpinLock(PKSPIN_LOCK SpinLock)
{
    __atomic_store_n(SpinLock, 0, __ATOMIC_RELAXED);
}

VOID KeAcquireSpinLock(PKSPIN_LOCK SpinLock, PKIRQL OldIrql)
{
    *OldIrql = KeAcquireSpinLockRaiseToDpc(SpinLock);
}

KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
{
    KIRQL old;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    old = kenv_irql_set(DISPATCH_LEVEL);
    acquire(SpinLock);
    return old;
}

VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
    require_dispatch(__func__);
    release(SpinLock);
    KeLowerIrql(NewIrql);
}

VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    require_dispatch(__func__);
    acquire(SpinLock);
}

VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
{
    require_dispatch(__func__);
    release(SpinLock);
}

BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    require_dispatch(__func__);
    return take(SpinLock, self() | HELD);
}

BOOLEAN KeTestSpinLock(PKSPIN_LOCK SpinLock)
{
    return __atomic_load_n(SpinLock, __ATOMIC_RELAXED) == 0;
}

VOID KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    LockHandle->LockQueue.Next = NULL;
    LockHandle->LockQueue.Lock = SpinLock;
    LockHandle->OldIrql = KeAcquireSpinLockRaiseToDpc(SpinLock);
}

VOID KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle)
{
    KeReleaseSpinLock(LockHandle->LockQueue.Lock, LockHandle->OldIrql);
}

VOID KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    LockHandle->LockQueue.Next = NULL;
    LockHandle->LockQueue.Lock = SpinLock;
    LockHandle->OldIrql = DISPATCH_LEVEL;
    KeAcquireSpinLockAtDpcLevel(SpinLock);
}

VOID KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle)
{
    KeReleaseSpinLockFromDpcLevel(LockHandle->LockQueue.Lock);
}
