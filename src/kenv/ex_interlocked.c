/* SPDX-License-Identifier: MIT */
/*
 * Interlocked lists. An SLIST's head is a pointer (Region) and a word that holds the depth and a
 * bit that is set while somebody changes the two; whoever finds it set waits, a few instructions
 * unless the other thread was preempted.
 */
#include "kenv/irql.h"

#include <sched.h>

#define BUSY  (1ull << 63)
#define SPINS 64

static ULONGLONG enter(PSLIST_HEADER head)
{
    for (int i = 0;; i++) {
        ULONGLONG seen = __atomic_load_n(&head->Alignment, __ATOMIC_RELAXED);

        if ((seen & BUSY) == 0 && __atomic_compare_exchange_n(&head->Alignment, &seen, seen | BUSY,
                                      0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return seen;
        if (i < SPINS)
            YieldProcessor();
        else
            sched_yield();
    }
}

static void leave(PSLIST_HEADER head, ULONGLONG depth)
{
    __atomic_store_n(&head->Alignment, depth, __ATOMIC_RELEASE);
}

static PSLIST_ENTRY first_of(const SLIST_HEADER *head)
{
    return (PSLIST_ENTRY)(uintptr_t)head->Region;
}

VOID InitializeSListHead(PSLIST_HEADER ListHead)
{
    ListHead->Alignment = 0;
    ListHead->Region = 0;
}

PSLIST_ENTRY InterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry)
{
    ULONGLONG depth = enter(ListHead);
    PSLIST_ENTRY first = first_of(ListHead);

    ListEntry->Next = first;
    ListHead->Region = (uintptr_t)ListEntry;
    leave(ListHead, depth + 1);
    return first;
}

PSLIST_ENTRY InterlockedPopEntrySList(PSLIST_HEADER ListHead)
{
    ULONGLONG depth = enter(ListHead);
    PSLIST_ENTRY first = first_of(ListHead);

    if (first != NULL) {
        ListHead->Region = (uintptr_t)first->Next;
        depth--;
    }
    leave(ListHead, depth);
    return first;
}

PSLIST_ENTRY InterlockedFlushSList(PSLIST_HEADER ListHead)
{
    PSLIST_ENTRY first;

    (void)enter(ListHead);
    first = first_of(ListHead);
    ListHead->Region = 0;
    leave(ListHead, 0);
    return first;
}

USHORT QueryDepthSList(PSLIST_HEADER ListHead)
{
    return (USHORT)__atomic_load_n(&ListHead->Alignment, __ATOMIC_RELAXED);
}

/* ---- With a spin lock, at any IRQL --------------------------------------------------------- */

static KIRQL take(PKSPIN_LOCK lock)
{
    KIRQL old = kenv_irql_set(DISPATCH_LEVEL);

    KeAcquireSpinLockAtDpcLevel(lock);
    return old;
}

static void give(PKSPIN_LOCK lock, KIRQL old)
{
    KeReleaseSpinLockFromDpcLevel(lock);
    (void)kenv_irql_set(old);
}

PLIST_ENTRY ExInterlockedInsertHeadList(
    PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock)
{
    KIRQL old = take(Lock);
    PLIST_ENTRY first = IsListEmpty(ListHead) ? NULL : ListHead->Flink;

    InsertHeadList(ListHead, ListEntry);
    give(Lock, old);
    return first;
}

PLIST_ENTRY ExInterlockedInsertTailList(
    PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock)
{
    KIRQL old = take(Lock);
    PLIST_ENTRY last = IsListEmpty(ListHead) ? NULL : ListHead->Blink;

    InsertTailList(ListHead, ListEntry);
    give(Lock, old);
    return last;
}

PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
    KIRQL old = take(Lock);
    PLIST_ENTRY first = IsListEmpty(ListHead) ? NULL : RemoveHeadList(ListHead);

    give(Lock, old);
    return first;
}

PSINGLE_LIST_ENTRY ExInterlockedPushEntryList(
    PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY ListEntry, PKSPIN_LOCK Lock)
{
    KIRQL old = take(Lock);
    PSINGLE_LIST_ENTRY first = ListHead->Next;

    PushEntryList(ListHead, ListEntry);
    give(Lock, old);
    return first;
}

PSINGLE_LIST_ENTRY ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
    KIRQL old = take(Lock);
    PSINGLE_LIST_ENTRY first = PopEntryList(ListHead);

    give(Lock, old);
    return first;
}

ULONG ExInterlockedAddUlong(PULONG Addend, ULONG Increment, PKSPIN_LOCK Lock)
{
    KIRQL old = take(Lock);
    ULONG before = *Addend;

    *Addend = before + Increment;
    give(Lock, old);
    return before;
}

LARGE_INTEGER ExInterlockedAddLargeInteger(
    PLARGE_INTEGER Addend, LARGE_INTEGER Increment, PKSPIN_LOCK Lock)
{
    KIRQL old = take(Lock);
    LARGE_INTEGER before = *Addend;

    Addend->QuadPart = (LONGLONG)((ULONGLONG)before.QuadPart + (ULONGLONG)Increment.QuadPart);
    give(Lock, old);
    return before;
}
