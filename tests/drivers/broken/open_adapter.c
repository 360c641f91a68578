/* SPDX-License-Identifier: MIT */
/* Unloads with an adapter open, pool allocated and a thread running. */
#include "ndkopen.h"

DRIVER_INITIALIZE DriverEntry;
static PVOID g_Memory;
static KEVENT g_Stop;

static VOID ThreadMain(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&g_Stop, Executive, KernelMode, FALSE, NULL);
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    DbgPrint("nothing is given back\n");
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HANDLE Thread;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeEvent(&g_Stop, NotificationEvent, FALSE);
    Status = OpenAdapter();
    if (NT_SUCCESS(Status)) {
        Status = PsCreateSystemThread(
            &Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, ThreadMain, NULL);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    ZwClose(Thread);
    g_Memory = ExAllocatePoolWithTag(NonPagedPoolNx, 100, 'kaeL');
    DriverObject->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
