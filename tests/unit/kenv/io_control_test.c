/* SPDX-License-Identifier: MIT */
/* Control requests by each buffering method; drv_test.c has the way through SoftNdkDrvIoctl. */
#include "support/unit.h"

#include "kenv/io.h"
#include "kenv/ob.h"
#include "support/death.h"

#define CODE(function, method)                                                                     \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800 + (function), method, FILE_ANY_ACCESS)

static PDRIVER_OBJECT driver;
static PDEVICE_OBJECT device;
static int opens, cleanups, closes;
static ULONG_PTR claimed;

/* Each octet of the output is an octet of the input plus one, wherever the method has them. */
static NTSTATUS control(PDEVICE_OBJECT at, PIRP irp)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
    ULONG code = location->Parameters.DeviceIoControl.IoControlCode;
    ULONG in_length = location->Parameters.DeviceIoControl.InputBufferLength;
    ULONG out_length = location->Parameters.DeviceIoControl.OutputBufferLength;
    const UCHAR *in = irp->AssociatedIrp.SystemBuffer;
    UCHAR *out = irp->AssociatedIrp.SystemBuffer;

    UNREFERENCED_PARAMETER(at);
    if (METHOD_FROM_CTL_CODE(code) == METHOD_NEITHER) {
        in = location->Parameters.DeviceIoControl.Type3InputBuffer;
        out = irp->UserBuffer;
    } else if (METHOD_FROM_CTL_CODE(code) != METHOD_BUFFERED) {
        out = MmGetSystemAddressForMdlSafe(irp->MdlAddress, NormalPagePriority);
        assert_int_equal(MmGetMdlByteCount(irp->MdlAddress), out_length);
    }
    for (ULONG i = 0; i < out_length && i < in_length; i++)
        out[i] = (UCHAR)(in[i] + 1);
    irp->IoStatus.Status = STATUS_SUCCESS;
    irp->IoStatus.Information = claimed != 0 ? claimed : out_length;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static NTSTATUS count(PDEVICE_OBJECT at, PIRP irp)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);

    UNREFERENCED_PARAMETER(at);
    assert_non_null(location->FileObject);
    opens += location->MajorFunction == IRP_MJ_CREATE;
    cleanups += location->MajorFunction == IRP_MJ_CLEANUP;
    closes += location->MajorFunction == IRP_MJ_CLOSE;
    if (location->MajorFunction == IRP_MJ_CREATE)
        location->FileObject->FsContext = &opens;
    assert_ptr_equal(location->FileObject->FsContext, &opens);
    irp->IoStatus.Status = STATUS_SUCCESS;
    irp->IoStatus.Information = 0;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static int set_up(void **state)
{
    (void)state;
    driver = kenv_driver_create("control", NULL);
    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = control;
    driver->MajorFunction[IRP_MJ_INTERNAL_DEVICE_CONTROL] = control;
    driver->MajorFunction[IRP_MJ_CREATE] = count;
    driver->MajorFunction[IRP_MJ_CLEANUP] = count;
    driver->MajorFunction[IRP_MJ_CLOSE] = count;
    return IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
}

static int tear_down(void **state)
{
    (void)state;
    IoDeleteDevice(device);
    kenv_driver_destroy(driver);
    return 0;
}

static void each_method(void **state)
{
    (void)state;
    for (ULONG method = METHOD_BUFFERED; method <= METHOD_NEITHER; method++) {
        UCHAR in[4] = {1, 2, 3, 4}, out[6] = {0};
        IO_STATUS_BLOCK status = {.Information = 0};
        ULONG_PTR n = 0;
        KEVENT done;
        PIRP irp;

        assert_int_equal(
            kenv_ioctl(device, CODE(method, method), in, sizeof(in), out, sizeof(out), 60000, &n),
            STATUS_SUCCESS);
        assert_int_equal(n, sizeof(out));
        for (UCHAR i = 0; i < 4; i++)
            assert_int_equal(out[i], i + 2);

        memset(out, 0, sizeof(out));
        KeInitializeEvent(&done, NotificationEvent, FALSE);
        irp = IoBuildDeviceIoControlRequest(CODE(method, method), device, in, sizeof(in), out,
            sizeof(out), method % 2 != 0, &done, &status);
        assert_non_null(irp);
        (void)IoCallDriver(device, irp);
        assert_int_equal(KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL), 0);
        assert_int_equal(status.Status, STATUS_SUCCESS);
        assert_int_equal(status.Information, sizeof(out));
        assert_int_equal(out[3], 5);
    }
    assert_int_equal(opens, 4);
    assert_int_equal(cleanups, 4);
    assert_int_equal(closes, 4);
}

static void without_buffers(void **state)
{
    ULONG_PTR n = 5;

    (void)state;
    assert_int_equal(
        kenv_ioctl(device, CODE(9, METHOD_BUFFERED), NULL, 0, NULL, 0, 0, &n), STATUS_SUCCESS);
    assert_int_equal(n, 0);
}

static void claim_too_much(void *unused)
{
    UCHAR out[4];
    ULONG_PTR n;

    (void)unused;
    claimed = 5;
    (void)kenv_ioctl(device, CODE(1, METHOD_BUFFERED), NULL, 0, out, sizeof(out), 0, &n);
}

static NTSTATUS forget(PDEVICE_OBJECT at, PIRP irp)
{
    UNREFERENCED_PARAMETER(at);
    UNREFERENCED_PARAMETER(irp);
    return STATUS_SUCCESS;
}

static void forget_to_complete(void *unused)
{
    ULONG_PTR n;

    (void)unused;
    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = forget;
    (void)kenv_ioctl(device, CODE(1, METHOD_BUFFERED), NULL, 0, NULL, 0, 0, &n);
}

static void misuse(void **state)
{
    char text[8192];

    (void)state;
    assert_int_equal(death_of(claim_too_much, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "5 octets of output; there is room for 4"));
    assert_int_equal(death_of(forget_to_complete, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "without completing IRP"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(each_method),
        cmocka_unit_test(without_buffers),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
