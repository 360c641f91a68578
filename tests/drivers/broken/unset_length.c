/* SPDX-License-Identifier: MIT */
/* Does not say how large the buffer is. */
#include "ndkopen.h"

DRIVER_INITIALIZE DriverEntry;

static DECLSPEC_NOINLINE ULONG Garbage(VOID)
{
    volatile ULONG Words[64];

    for (ULONG i = 0; i < 64; i++) {
        Words[i] = 7;
    }
    return Words[3];
}

static DECLSPEC_NOINLINE NTSTATUS QueryInfo(VOID)
{
    NDK_ADAPTER_INFO Info;
    ULONG Length;

    return g_Adapter->Dispatch->NdkQueryAdapterInfo(g_Adapter, &Info, &Length);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    Status = OpenAdapter();
    if (NT_SUCCESS(Status)) {
        (VOID)Garbage();
        Status = QueryInfo();
        DbgPrint("the adapter says 0x%08lx\n", Status);
        CloseAdapter();
    }
    return STATUS_UNSUCCESSFUL;
}
