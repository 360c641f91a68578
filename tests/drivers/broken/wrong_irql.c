/* SPDX-License-Identifier: MIT */
/* Closes the adapter with a spin lock held. */
#include "ndkopen.h"

DRIVER_INITIALIZE DriverEntry;
static KSPIN_LOCK g_Lock;

static VOID Shut(VOID)
{
    KIRQL OldIrql;

    KeAcquireSpinLock(&g_Lock, &OldIrql);
    CloseAdapter();
    KeReleaseSpinLock(&g_Lock, OldIrql);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeSpinLock(&g_Lock);
    Status = OpenAdapter();
    if (NT_SUCCESS(Status)) {
        Shut();
    }
    return Status;
}
