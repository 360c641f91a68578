/* SPDX-License-Identifier: MIT */
/* Waits with a spin lock held. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static KSPIN_LOCK g_Lock;
static KEVENT g_Event;

static VOID DrainQueue(VOID)
{
    KeWaitForSingleObject(&g_Event, Executive, KernelMode, FALSE, NULL);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeSpinLock(&g_Lock);
    KeInitializeEvent(&g_Event, NotificationEvent, FALSE);
    KeAcquireSpinLock(&g_Lock, &OldIrql);
    DrainQueue();
    KeReleaseSpinLock(&g_Lock, OldIrql);
    return STATUS_SUCCESS;
}
