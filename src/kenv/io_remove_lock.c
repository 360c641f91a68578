/* SPDX-License-Identifier: MIT */
/* Remove locks: a count of holders, one of which is the object's own existence. */
#include "kenv/bugcheck.h"
#include "kenv/irql.h"

VOID IoInitializeRemoveLock(
    PIO_REMOVE_LOCK Lock, ULONG AllocateTag, ULONG MaxLockedMinutes, ULONG HighWatermark)
{
    UNREFERENCED_PARAMETER(AllocateTag);
    UNREFERENCED_PARAMETER(MaxLockedMinutes);
    UNREFERENCED_PARAMETER(HighWatermark);
    Lock->IoCount = 1;
    Lock->Removed = FALSE;
    KeInitializeEvent(&Lock->RemoveEvent, SynchronizationEvent, FALSE);
}

NTSTATUS IoAcquireRemoveLock(PIO_REMOVE_LOCK RemoveLock, PVOID Tag)
{
    UNREFERENCED_PARAMETER(Tag);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    InterlockedIncrement(&RemoveLock->IoCount);
    if (!__atomic_load_n(&RemoveLock->Removed, __ATOMIC_SEQ_CST))
        return STATUS_SUCCESS;
    IoReleaseRemoveLock(RemoveLock, Tag);
    return STATUS_DELETE_PENDING;
}

VOID IoReleaseRemoveLock(PIO_REMOVE_LOCK RemoveLock, PVOID Tag)
{
    LONG left;

    UNREFERENCED_PARAMETER(Tag);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    left = InterlockedDecrement(&RemoveLock->IoCount);
    if (left < 0)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)RemoveLock, 0, 0, 0,
            "remove lock %p was released more often than acquired", (void *)RemoveLock);
    if (left == 0)
        KeSetEvent(&RemoveLock->RemoveEvent, IO_NO_INCREMENT, FALSE);
}

VOID IoReleaseRemoveLockAndWait(PIO_REMOVE_LOCK RemoveLock, PVOID Tag)
{
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    __atomic_store_n(&RemoveLock->Removed, TRUE, __ATOMIC_SEQ_CST);
    /* The caller's hold, and that of the existence. */
    IoReleaseRemoveLock(RemoveLock, Tag);
    IoReleaseRemoveLock(RemoveLock, Tag);
    (void)KeWaitForSingleObject(&RemoveLock->RemoveEvent, Executive, KernelMode, FALSE, NULL);
}
