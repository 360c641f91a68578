/* SPDX-License-Identifier: MIT */
/* A small driver's whole life, and what it leaves behind. */
#include "support/unit.h"

#include "support/death.h"

#include <softndk_driver.h>
#include <stdbool.h>
#include <wdm.h>

#define TAG 'vrdT'

#define IOCTL_ADD  CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_PEND CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)

static struct {
    PDEVICE_OBJECT device;
    PIO_WORKITEM work;
    KDPC dpc;
    KTIMER timer;
    LONG work_runs, dpc_runs, thread_runs, unloads;
    PIRP pending;
    BOOLEAN shall_fail, shall_leak;
    LIST_ENTRY queued;
} the;

static VOID Work(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    assert_ptr_equal(DeviceObject, the.device);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    InterlockedIncrement(Context);
}

static VOID Dpc(PKDPC Dpc_, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    assert_ptr_equal(Dpc_, &the.dpc);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    InterlockedIncrement(Context);
}

static VOID Thread(PVOID Context)
{
    InterlockedIncrement(Context);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID Cancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    Irp->IoStatus.Status = STATUS_CANCELLED;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

static NTSTATUS Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS status = STATUS_SUCCESS;
    ULONG *numbers = Irp->AssociatedIrp.SystemBuffer;

    assert_ptr_equal(DeviceObject, the.device);
    Irp->IoStatus.Information = 0;
    if (location->MajorFunction == IRP_MJ_DEVICE_CONTROL) {
        switch (location->Parameters.DeviceIoControl.IoControlCode) {
        case IOCTL_ADD:
            if (location->Parameters.DeviceIoControl.InputBufferLength < 2 * sizeof(ULONG) ||
                location->Parameters.DeviceIoControl.OutputBufferLength < sizeof(ULONG)) {
                status = STATUS_BUFFER_TOO_SMALL;
                break;
            }
            numbers[0] = numbers[0] + numbers[1];
            Irp->IoStatus.Information = sizeof(ULONG);
            break;
        case IOCTL_PEND:
            IoMarkIrpPending(Irp);
            IoSetCancelRoutine(Irp, Cancel);
            return STATUS_PENDING;
        default:
            status = STATUS_INVALID_DEVICE_REQUEST;
        }
    }
    Irp->IoStatus.Status = status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return status;
}

static UNICODE_STRING device_name, link_name;

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    the.unloads++;
    KeCancelTimer(&the.timer);
    KeFlushQueuedDpcs();
    IoFreeWorkItem(the.work);
    IoDeleteSymbolicLink(&link_name);
    IoDeleteDevice(DriverObject->DeviceObject);
}

static NTSTATUS Entry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    OBJECT_ATTRIBUTES attributes;
    LARGE_INTEGER due;
    HANDLE thread;
    NTSTATUS status;

    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_int_equal(RegistryPath->Length / 2,
        strlen("\\Registry\\Machine\\System\\CurrentControlSet\\Services\\tester"));
    if (the.shall_fail)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlInitUnicodeString(&device_name, SOFTNDK_WIDE_("\\Device\\Tester"));
    RtlInitUnicodeString(&link_name, SOFTNDK_WIDE_("\\DosDevices\\Tester"));
    status =
        IoCreateDevice(DriverObject, 16, &device_name, FILE_DEVICE_UNKNOWN, 0, FALSE, &the.device);
    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(IoCreateSymbolicLink(&link_name, &device_name), STATUS_SUCCESS);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Dispatch;
    DriverObject->DriverUnload = Unload;
    the.work = IoAllocateWorkItem(the.device);
    IoQueueWorkItem(the.work, Work, DelayedWorkQueue, &the.work_runs);
    KeInitializeDpc(&the.dpc, Dpc, &the.dpc_runs);
    KeInitializeTimer(&the.timer);
    due.QuadPart = -10000;
    KeSetTimer(&the.timer, due, &the.dpc);
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    status = PsCreateSystemThread(
        &thread, THREAD_ALL_ACCESS, &attributes, NULL, NULL, Thread, &the.thread_runs);
    assert_int_equal(status, STATUS_SUCCESS);
    if (!the.shall_leak)
        ZwClose(thread);
    return STATUS_SUCCESS;
}

static PSOFTNDK_DRV load(void)
{
    SOFTNDK_DRV_PARAMETERS parameters = {sizeof(parameters), "tester", Entry, NULL, 0};
    PSOFTNDK_DRV driver = NULL;

    assert_int_equal(SoftNdkDrvCreate(&parameters, &driver), STATUS_SUCCESS);
    return driver;
}

static void whole_life(void **state)
{
    PSOFTNDK_DRV driver = load();

    (void)state;
    memset(&the, 0, sizeof(the));
    assert_int_equal(SoftNdkDrvStart(driver), STATUS_SUCCESS);
    assert_true(SoftNdkDrvWaitIdle(60000));
    assert_int_equal(the.work_runs, 1);
    assert_int_equal(the.dpc_runs, 1);
    assert_int_equal(the.thread_runs, 1);
    assert_int_equal(SoftNdkDrvStop(driver), STATUS_SUCCESS);
    assert_int_equal(the.unloads, 1);
    assert_int_equal(SoftNdkDrvStop(driver), STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(SoftNdkDrvLeaks(driver, NULL, NULL), 0);
    SoftNdkDrvDestroy(driver);
}

static void failed_entry(void **state)
{
    PSOFTNDK_DRV driver = load();

    (void)state;
    memset(&the, 0, sizeof(the));
    the.shall_fail = TRUE;
    assert_int_equal(SoftNdkDrvStart(driver), STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(SoftNdkDrvStop(driver), STATUS_INVALID_DEVICE_REQUEST);
    SoftNdkDrvDestroy(driver);
}

static void control_requests(void **state)
{
    PSOFTNDK_DRV driver = load();
    ULONG in[2] = {40, 2}, out = 0;
    ULONG_PTR n = 0;

    (void)state;
    memset(&the, 0, sizeof(the));
    assert_int_equal(SoftNdkDrvStart(driver), STATUS_SUCCESS);
    assert_int_equal(
        SoftNdkDrvIoctl(driver, NULL, IOCTL_ADD, in, sizeof(in), &out, sizeof(out), 60000, &n),
        STATUS_SUCCESS);
    assert_int_equal(n, sizeof(out));
    assert_int_equal(out, 42);
    assert_int_equal(SoftNdkDrvIoctl(driver, "\\\\.\\tester", IOCTL_ADD, in, 4, &out, 4, 0, &n),
        STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(SoftNdkDrvIoctl(driver, "\\Device\\Tester", 0x1234, NULL, 0, NULL, 0, 0, &n),
        STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(SoftNdkDrvIoctl(driver, "\\Device\\Other", IOCTL_ADD, NULL, 0, NULL, 0, 0, &n),
        STATUS_OBJECT_NAME_NOT_FOUND);
    /* One that the driver keeps is cancelled. */
    assert_int_equal(
        SoftNdkDrvIoctl(driver, NULL, IOCTL_PEND, NULL, 0, NULL, 0, 1, &n), STATUS_CANCELLED);
    assert_true(SoftNdkDrvWaitIdle(60000));
    assert_int_equal(SoftNdkDrvStop(driver), STATUS_SUCCESS);
    assert_int_equal(SoftNdkDrvLeaks(driver, NULL, NULL), 0);
    SoftNdkDrvDestroy(driver);
}

struct seen {
    int count[SoftNdkDrvOther + 1];
    bool has_stack;
};

static VOID see(PVOID Context, const SOFTNDK_DRV_LEAK *Leak)
{
    struct seen *seen = Context;

    seen->count[Leak->Kind]++;
    seen->has_stack = Leak->FrameCount > 1;
    assert_true(strlen(Leak->Name) > 0);
}

static void leaks_are_listed(void **state)
{
    PSOFTNDK_DRV driver = load(), other = NULL;
    SOFTNDK_DRV_PARAMETERS elsewhere = {sizeof(elsewhere), "other", Entry, (void *)8, 8};
    struct seen seen;

    (void)state;
    memset(&seen, 0, sizeof(seen));
    memset(&the, 0, sizeof(the));
    the.shall_leak = TRUE;
    assert_int_equal(SoftNdkDrvStart(driver), STATUS_SUCCESS);
    assert_true(SoftNdkDrvWaitIdle(60000));
    assert_int_equal(SoftNdkDrvLeaks(driver, see, &seen), 5);
    assert_int_equal(seen.count[SoftNdkDrvDevice], 1);
    assert_int_equal(seen.count[SoftNdkDrvLink], 1);
    assert_int_equal(seen.count[SoftNdkDrvWorkItem], 1);
    assert_int_equal(seen.count[SoftNdkDrvThread], 1);
    assert_int_equal(seen.count[SoftNdkDrvHandle], 1);
    assert_true(seen.has_stack);
    /* None of them was created by a driver that is loaded elsewhere. */
    assert_int_equal(SoftNdkDrvCreate(&elsewhere, &other), STATUS_SUCCESS);
    assert_int_equal(SoftNdkDrvLeaks(other, NULL, NULL), 0);
    SoftNdkDrvDestroy(other);
    assert_int_equal(SoftNdkDrvStop(driver), STATUS_SUCCESS);
    assert_int_equal(SoftNdkDrvLeaks(driver, NULL, NULL), 2);
    SoftNdkDrvDestroy(driver);
}

static NTSTATUS stays_high(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeRaiseIrqlToDpcLevel();
    return STATUS_SUCCESS;
}

static void start_high(void *unused)
{
    SOFTNDK_DRV_PARAMETERS parameters = {sizeof(parameters), "high", stays_high, NULL, 0};
    PSOFTNDK_DRV driver = NULL;

    (void)unused;
    (void)SoftNdkDrvCreate(&parameters, &driver);
    SoftNdkDrvStart(driver);
}

static void misuse(void **state)
{
    SOFTNDK_DRV_PARAMETERS parameters = {sizeof(parameters), "", Entry, NULL, 0};
    PSOFTNDK_DRV driver = NULL;
    char text[8192];

    (void)state;
    assert_int_equal(SoftNdkDrvCreate(&parameters, &driver), STATUS_INVALID_PARAMETER);
    parameters.Name = "x";
    parameters.Size--;
    assert_int_equal(SoftNdkDrvCreate(&parameters, &driver), STATUS_INVALID_PARAMETER);
    assert_int_equal(death_of(start_high, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "DriverEntry"));
    assert_non_null(strstr(text, "IRQL 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(whole_life),
        cmocka_unit_test(failed_entry),
        cmocka_unit_test(control_requests),
        cmocka_unit_test(leaks_are_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
