/* SPDX-License-Identifier: MIT */
/*++

Module Name:

    driver.c

Abstract:

    Loading and unloading.

--*/
#include "rsock.h"
#include "driver.tmh"

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD RSockUnload;

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, RSockUnload)
#endif

PDEVICE_OBJECT g_DeviceObject;
volatile LONG g_Failures;
static PVOID g_SelfTestThread;

VOID
RSockFail(
    _In_z_ PCSTR What,
    _In_ NTSTATUS Status
    )
{
    InterlockedIncrement(&g_Failures);
    RSockPrint("%s failed, status 0x%08lx\n", What, Status);
    TraceStatus(RSOCK_GENERAL, "%s failed %!STATUS!", What, Status);
}

_Use_decl_annotations_
VOID
RSockUnload(
    PDRIVER_OBJECT DriverObject
    )
{
    PAGED_CODE();

    KeWaitForSingleObject(g_SelfTestThread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(g_SelfTestThread);
    RSockDeregister();
    IoDeleteDevice(g_DeviceObject);
    WPP_CLEANUP(DriverObject);
    RSockPrint("unloaded\n");
}

_Use_decl_annotations_
NTSTATUS
DriverEntry(
    PDRIVER_OBJECT DriverObject,
    PUNICODE_STRING RegistryPath
    )
{
    UNICODE_STRING DeviceName = RTL_CONSTANT_STRING(L"\\Device\\RSock");
    HANDLE ThreadHandle;
    NTSTATUS Status;

    WPP_INIT_TRACING(DriverObject, RegistryPath);
    RSockPrint("loading from %wZ\n", RegistryPath);
    DriverObject->DriverUnload = RSockUnload;

    Status = IoCreateDevice(
        DriverObject, 0, &DeviceName, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN, FALSE,
        &g_DeviceObject);
    if (!NT_SUCCESS(Status)) {
        RSockFail("IoCreateDevice", Status);
        return Status;
    }

    Status = RSockRegister();
    if (!NT_SUCCESS(Status)) {
        goto DeleteDevice;
    }

    Status = PsCreateSystemThread(
        &ThreadHandle, THREAD_ALL_ACCESS, NULL, NULL, NULL, RSockSelfTest, NULL);
    if (!NT_SUCCESS(Status)) {
        RSockFail("PsCreateSystemThread", Status);
        goto Deregister;
    }
    Status = ObReferenceObjectByHandle(
        ThreadHandle, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, &g_SelfTestThread, NULL);
    NT_ASSERT(NT_SUCCESS(Status));
    ZwClose(ThreadHandle);
    return STATUS_SUCCESS;

Deregister:
    RSockDeregister();
DeleteDevice:
    IoDeleteDevice(g_DeviceObject);
    WPP_CLEANUP(DriverObject);
    return Status;
}
