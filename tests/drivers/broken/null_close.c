/* SPDX-License-Identifier: MIT */
/* Closes an object without a completion routine. */
#include "ndkopen.h"

DRIVER_INITIALIZE DriverEntry;
static NDK_PD *g_Pd;

static VOID ForgetDomain(VOID)
{
    (VOID)g_Pd->Dispatch->NdkClosePd(&g_Pd->Header, NULL, NULL);
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    ForgetDomain();
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
    DriverObject->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
