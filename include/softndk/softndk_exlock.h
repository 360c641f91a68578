/* SPDX-License-Identifier: MIT */
/*
 * Part of wdm.h, not for direct inclusion by drivers: fast and guarded mutexes, resources, rundown
 * protection, push locks.
 */
#ifndef SOFTNDK_KENV_EXLOCK_H
#define SOFTNDK_KENV_EXLOCK_H

#include <softndk_ke.h>

SOFTNDK_BEGIN_DECLS

/* ---- Fast and guarded mutexes -------------------------------------------------------------- */
/* Not recursive: taking one twice, or releasing one that the thread does not hold, is a bugcheck
 * (on Windows a hang, and silence). They need no destruction. */

typedef struct _FAST_MUTEX {
    volatile LONG Count;
    PVOID Owner;
    ULONG Contention;
    KEVENT Event;
    ULONG OldIrql;
} FAST_MUTEX, *PFAST_MUTEX;

typedef struct _KGUARDED_MUTEX {
    volatile LONG Count;
    PKTHREAD Owner;
    ULONG Contention;
    KEVENT Gate;
} KGUARDED_MUTEX, *PKGUARDED_MUTEX;

/* DISPATCH. */
SOFTNDK_API VOID ExInitializeFastMutex(PFAST_MUTEX FastMutex);
/* APC_LEVEL; the holder is at APC_LEVEL until the release. */
SOFTNDK_API VOID ExAcquireFastMutex(PFAST_MUTEX FastMutex);
SOFTNDK_API BOOLEAN ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex);
SOFTNDK_API VOID ExReleaseFastMutex(PFAST_MUTEX FastMutex);
/* The IRQL stays; the caller is at APC_LEVEL or in a critical region. */
SOFTNDK_API VOID ExAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex);
SOFTNDK_API VOID ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex);
/* The same with a guarded region instead of the IRQL. APC_LEVEL. */
SOFTNDK_API VOID KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex);
SOFTNDK_API VOID KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex);
SOFTNDK_API BOOLEAN KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX Mutex);
SOFTNDK_API VOID KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex);
SOFTNDK_API VOID KeAcquireGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex);
SOFTNDK_API VOID KeReleaseGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex);

/* ---- Resources ----------------------------------------------------------------------------- */

struct _SOFTNDK_RESOURCE;
typedef ULONG_PTR ERESOURCE_THREAD, *PERESOURCE_THREAD;

typedef struct _ERESOURCE {
    LIST_ENTRY SystemResourcesList;
    struct _SOFTNDK_RESOURCE *Reserved;
    ULONG_PTR ReservedMore[10];
} ERESOURCE, *PERESOURCE;

/*
 * A lock for one writer or many readers, recursive for either; a reader may not become the writer.
 * Callers are in a critical region or at APC_LEVEL, otherwise it is reported. FALSE (only without
 * Wait): somebody else has it. APC_LEVEL. STATUS_SUCCESS; STATUS_INSUFFICIENT_RESOURCES.
 */
SOFTNDK_API NTSTATUS ExInitializeResourceLite(PERESOURCE Resource);
SOFTNDK_API NTSTATUS ExReinitializeResourceLite(PERESOURCE Resource);
/* Held by anybody: a bugcheck. DISPATCH. STATUS_SUCCESS. */
SOFTNDK_API NTSTATUS ExDeleteResourceLite(PERESOURCE Resource);
SOFTNDK_API BOOLEAN ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait);
/* Waits behind writers that wait, unless the thread is a reader already. */
SOFTNDK_API BOOLEAN ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait);
/* Does not wait behind writers that wait. */
SOFTNDK_API BOOLEAN ExAcquireSharedStarveExclusive(PERESOURCE Resource, BOOLEAN Wait);
/* Waits behind writers that wait, a reader too. */
SOFTNDK_API BOOLEAN ExAcquireSharedWaitForExclusive(PERESOURCE Resource, BOOLEAN Wait);
SOFTNDK_API VOID ExConvertExclusiveToSharedLite(PERESOURCE Resource);
/* Not held by the thread: bugcheck RESOURCE_NOT_OWNED. DISPATCH. */
SOFTNDK_API VOID ExReleaseResourceLite(PERESOURCE Resource);
SOFTNDK_API VOID ExReleaseResourceForThreadLite(
    PERESOURCE Resource, ERESOURCE_THREAD ResourceThreadId);
SOFTNDK_API BOOLEAN ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource);
/* How often the thread holds it, either way. */
SOFTNDK_API ULONG ExIsResourceAcquiredSharedLite(PERESOURCE Resource);
#define ExIsResourceAcquiredLite ExIsResourceAcquiredSharedLite
SOFTNDK_API ULONG ExGetExclusiveWaiterCount(PERESOURCE Resource);
SOFTNDK_API ULONG ExGetSharedWaiterCount(PERESOURCE Resource);
SOFTNDK_API PVOID ExEnterCriticalRegionAndAcquireResourceExclusive(PERESOURCE Resource);
SOFTNDK_API PVOID ExEnterCriticalRegionAndAcquireResourceShared(PERESOURCE Resource);
SOFTNDK_API VOID ExReleaseResourceAndLeaveCriticalRegion(PERESOURCE Resource);
#define ExGetCurrentResourceThread() ((ERESOURCE_THREAD)KeGetCurrentThread())

/* ---- Rundown protection -------------------------------------------------------------------- */

typedef struct _EX_RUNDOWN_REF {
    union {
        ULONG_PTR Count;
        PVOID Ptr;
    };
} EX_RUNDOWN_REF, *PEX_RUNDOWN_REF;

/* Any IRQL. */
SOFTNDK_API VOID ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef);
/* After ExWaitForRundownProtectionRelease or ExRundownCompleted: protection may be had again. */
SOFTNDK_API VOID ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef);
/* FALSE: rundown has begun. DISPATCH. */
SOFTNDK_API BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef);
SOFTNDK_API BOOLEAN ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count);
/* Gives back; more than was acquired is a bugcheck. DISPATCH. The last one may be followed by the
 * end of *RunRef at once. */
SOFTNDK_API VOID ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef);
SOFTNDK_API VOID ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count);
/* Refuses new protection and waits until all is given back. APC_LEVEL. */
SOFTNDK_API VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef);
SOFTNDK_API VOID ExRundownCompleted(PEX_RUNDOWN_REF RunRef);

/* ---- Push locks ---------------------------------------------------------------------------- */

typedef ULONG_PTR EX_PUSH_LOCK, *PEX_PUSH_LOCK;

/* A lock for one writer or many readers, not recursive, in one word. Callers are in a critical
 * region. APC_LEVEL. */
SOFTNDK_API VOID ExInitializePushLock(PEX_PUSH_LOCK PushLock);
SOFTNDK_API VOID ExAcquirePushLockExclusive(PEX_PUSH_LOCK PushLock);
SOFTNDK_API VOID ExAcquirePushLockShared(PEX_PUSH_LOCK PushLock);
SOFTNDK_API VOID ExReleasePushLockExclusive(PEX_PUSH_LOCK PushLock);
SOFTNDK_API VOID ExReleasePushLockShared(PEX_PUSH_LOCK PushLock);

SOFTNDK_END_DECLS

#endif /* SOFTNDK_KENV_EXLOCK_H */
