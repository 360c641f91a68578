/* SPDX-License-Identifier: MIT */
/* Calls routines that do not exist. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
NTSTATUS IoOpenTheGates(ULONG Which);
VOID KeMakeCoffee(VOID);
PVOID ExTimeMachine(LARGE_INTEGER When);

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    LARGE_INTEGER Now = { 0 };

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeMakeCoffee();
    return ExTimeMachine(Now) == NULL ? IoOpenTheGates(3) : STATUS_SUCCESS;
}
