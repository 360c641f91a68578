/* SPDX-License-Identifier: MIT */
/* Follows a pointer that is NULL, at DISPATCH_LEVEL. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

static DECLSPEC_NOINLINE ULONG ReadDepth(const volatile ULONG *Queue)
{
    return Queue[2];
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    KIRQL OldIrql;
    ULONG Depth;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    Depth = ReadDepth(NULL);
    KeLowerIrql(OldIrql);
    return (NTSTATUS)Depth;
}
