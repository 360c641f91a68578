/* SPDX-License-Identifier: MIT */
/* A DriverEntry that does not like what it finds. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    DbgPrint("%wZ: no such hardware\n", RegistryPath);
    return STATUS_NOT_SUPPORTED;
}
