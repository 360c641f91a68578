/* SPDX-License-Identifier: MIT */
/* Gives a completion a context on the stack, and does not wait for it. */
#include "ndkopen.h"

DRIVER_INITIALIZE DriverEntry;
static NDK_PD *volatile g_Pd;

typedef struct _LATE {
    ULONG Calls;
    NDK_OBJECT_HEADER *Object;
} LATE;

static KEVENT g_Created;

static VOID LateCompletion(PVOID Context, NTSTATUS Status, NDK_OBJECT_HEADER *Object)
{
    LATE *Late = (LATE *)Context;

    g_Pd = NT_SUCCESS(Status) ? (NDK_PD *)Object : NULL;
    Late->Calls++;
    Late->Object = Object;
    KeSetEvent(&g_Created, IO_NO_INCREMENT, FALSE);
}

static DECLSPEC_NOINLINE NTSTATUS CreateInBackground(VOID)
{
    LATE Late = { 0 };
    NDK_PD *Pd = NULL;
    NTSTATUS Status;

    Status = g_Adapter->Dispatch->NdkCreatePd(g_Adapter, LateCompletion, &Late, &Pd);
    if (Status != STATUS_PENDING) {
        LateCompletion(&Late, Status, (NDK_OBJECT_HEADER *)Pd);
    }
    return Status;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    KeWaitForSingleObject(&g_Created, Executive, KernelMode, FALSE, NULL);
    if (g_Pd != NULL) {
        CloseObject(&g_Pd->Header, g_Pd->Dispatch->NdkClosePd);
    }
    CloseAdapter();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeEvent(&g_Created, NotificationEvent, FALSE);
    Status = OpenAdapter();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    (VOID)CreateInBackground();
    DriverObject->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
