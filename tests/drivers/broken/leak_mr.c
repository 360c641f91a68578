/* SPDX-License-Identifier: MIT */
/* Forgets a memory region, then closes the adapter: on Windows the unload never returns. */
#include "ndkopen.h"

DRIVER_INITIALIZE DriverEntry;
static NDK_PD *g_Pd;
static NDK_MR *g_Mr;

static NDK_MR *CreateRegion(NDK_PD *Pd)
{
    COMPLETION Completion;
    NDK_MR *Mr = NULL;
    NTSTATUS Status;

    KeInitializeEvent(&Completion.Event, NotificationEvent, FALSE);
    Status = Pd->Dispatch->NdkCreateMr(Pd, FALSE, CreateCompletion, &Completion, &Mr);
    return (NDK_MR *)Await(&Completion, Status, Mr);
}

static VOID PdClosed(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    (VOID)g_Pd->Dispatch->NdkClosePd(&g_Pd->Header, PdClosed, NULL);
    CloseAdapter();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    Status = OpenAdapter();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    g_Pd = CreatePd();
    g_Mr = CreateRegion(g_Pd);
    DriverObject->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
