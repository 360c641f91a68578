/* SPDX-License-Identifier: MIT */
/* Initialises an event again while a thread waits for it. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static KEVENT g_Work, g_Ready;

static VOID Worker(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeSetEvent(&g_Ready, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&g_Work, Executive, KernelMode, FALSE, NULL);
}

static VOID ResetWork(VOID)
{
    KeInitializeEvent(&g_Work, NotificationEvent, FALSE);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    LARGE_INTEGER Moment;
    HANDLE Thread;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeEvent(&g_Work, NotificationEvent, FALSE);
    KeInitializeEvent(&g_Ready, NotificationEvent, FALSE);
    Status = PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Worker, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    ZwClose(Thread);
    KeWaitForSingleObject(&g_Ready, Executive, KernelMode, FALSE, NULL);
    Moment.QuadPart = -10000 * 300;
    KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    ResetWork();
    KeSetEvent(&g_Work, IO_NO_INCREMENT, FALSE);
    return STATUS_UNSUCCESSFUL;
}
