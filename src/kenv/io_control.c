/* SPDX-License-Identifier: MIT */
/* Control requests that kenv makes: for drivers that call others, and for SoftNdkDrvIoctl. */
#include "base/alloc.h"
#include "kenv/bugcheck.h"
#include "kenv/io.h"
#include "kenv/irql.h"
#include "kenv/ob.h"

#define TYPE_FILE 5

/* A request's buffers, which go with it. */
struct request {
    PVOID output;
    ULONG output_length;
    ULONG method;
    PIO_STATUS_BLOCK status;
    PKEVENT event;
};

static void free_buffers(PIRP irp)
{
    while (irp->MdlAddress != NULL) {
        PMDL mdl = irp->MdlAddress;

        irp->MdlAddress = mdl->Next;
        if ((mdl->MdlFlags & MDL_PAGES_LOCKED) != 0)
            MmUnlockPages(mdl);
        IoFreeMdl(mdl);
    }
    sn_free(irp->AssociatedIrp.SystemBuffer);
    irp->AssociatedIrp.SystemBuffer = NULL;
}

static void end_request(PIRP irp, void *context)
{
    struct request *r = context;
    ULONG_PTR n = irp->IoStatus.Information;
    PKEVENT event = r->event;

    if (r->method == METHOD_BUFFERED && r->output_length != 0 && !NT_ERROR(irp->IoStatus.Status)) {
        if (n > r->output_length)
            kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)irp, n, r->output_length,
                0,
                "a control request was completed with %zu octets of output; there is room for %u",
                (size_t)n, r->output_length);
        memcpy(r->output, irp->AssociatedIrp.SystemBuffer, n);
    }
    *r->status = irp->IoStatus;
    free_buffers(irp);
    sn_free(r);
    IoFreeIrp(irp);
    if (event != NULL)
        KeSetEvent(event, IO_NO_INCREMENT, FALSE);
}

/* The buffers of a request as its method wants them. False: no memory. */
static bool add_buffers(PIRP irp, ULONG method, const void *input, ULONG input_length, void *output,
    ULONG output_length)
{
    PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(irp);
    size_t size = input_length;

    if (method == METHOD_NEITHER) {
        location->Parameters.DeviceIoControl.Type3InputBuffer = (PVOID)(uintptr_t)input;
        irp->UserBuffer = output;
        return true;
    }
    if (method == METHOD_BUFFERED && output_length > size)
        size = output_length;
    if (size != 0) {
        irp->AssociatedIrp.SystemBuffer = sn_zalloc(size);
        if (irp->AssociatedIrp.SystemBuffer == NULL)
            return false;
        if (input_length != 0)
            memcpy(irp->AssociatedIrp.SystemBuffer, input, input_length);
    }
    if (method == METHOD_BUFFERED) {
        irp->UserBuffer = output;
    } else if (output_length != 0) {
        irp->MdlAddress = IoAllocateMdl(output, output_length, FALSE, FALSE, NULL);
        if (irp->MdlAddress == NULL)
            return false;
        MmProbeAndLockPages(
            irp->MdlAddress, KernelMode, method == METHOD_IN_DIRECT ? IoReadAccess : IoWriteAccess);
    }
    return true;
}

PIRP IoBuildDeviceIoControlRequest(ULONG IoControlCode, PDEVICE_OBJECT DeviceObject,
    PVOID InputBuffer, ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength,
    BOOLEAN InternalDeviceIoControl, PKEVENT Event, PIO_STATUS_BLOCK IoStatusBlock)
{
    struct request *r;
    PIO_STACK_LOCATION location;
    PIRP irp;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    r = sn_zalloc(sizeof(*r));
    if (r == NULL)
        return NULL;
    r->output = OutputBuffer;
    r->output_length = OutputBufferLength;
    r->method = METHOD_FROM_CTL_CODE(IoControlCode);
    r->status = IoStatusBlock;
    r->event = Event;
    irp = kenv_irp_create(DeviceObject->StackSize, end_request, r, "IRP of a control request");
    if (irp == NULL || !add_buffers(irp, r->method, InputBuffer, InputBufferLength, OutputBuffer,
                           OutputBufferLength)) {
        if (irp != NULL) {
            free_buffers(irp);
            IoFreeIrp(irp);
        }
        sn_free(r);
        return NULL;
    }
    irp->UserIosb = IoStatusBlock;
    irp->UserEvent = Event;
    irp->Tail.Overlay.Thread = (PETHREAD)(void *)KeGetCurrentThread();
    location = IoGetNextIrpStackLocation(irp);
    location->MajorFunction =
        InternalDeviceIoControl ? IRP_MJ_INTERNAL_DEVICE_CONTROL : IRP_MJ_DEVICE_CONTROL;
    location->Parameters.DeviceIoControl.IoControlCode = IoControlCode;
    location->Parameters.DeviceIoControl.InputBufferLength = InputBufferLength;
    location->Parameters.DeviceIoControl.OutputBufferLength = OutputBufferLength;
    return irp;
}

/* ---- SoftNdkDrvIoctl ----------------------------------------------------------------------- */

/* What one request and its waiter share. The waiter owns the IRP until it is sent, and again when
 * the event is set. */
struct sent {
    IO_STATUS_BLOCK status;
    KEVENT done;
};

static void end_sent(PIRP irp, void *context)
{
    struct sent *sent = context;

    sent->status = irp->IoStatus;
    KeSetEvent(&sent->done, IO_NO_INCREMENT, FALSE);
}

/* Sends the IRP and waits. After timeout_ms (0: never) cancels it, and waits on. */
static NTSTATUS send(PDEVICE_OBJECT device, PIRP irp, struct sent *sent, ULONG timeout_ms)
{
    LARGE_INTEGER timeout;
    NTSTATUS returned = IofCallDriver(device, irp);

    timeout.QuadPart = -(LONGLONG)timeout_ms * 10000;
    if (returned != STATUS_PENDING && KeReadStateEvent(&sent->done) == 0)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)irp, (ULONG)returned, 0, 0,
            "a dispatch routine returned 0x%08X without completing IRP %p; return STATUS_PENDING "
            "for an IRP that is kept (after IoMarkIrpPending)",
            (ULONG)returned, (void *)irp);
    if (KeWaitForSingleObject(&sent->done, Executive, KernelMode, FALSE,
            timeout_ms != 0 ? &timeout : NULL) == STATUS_TIMEOUT) {
        IoCancelIrp(irp);
        (void)KeWaitForSingleObject(&sent->done, Executive, KernelMode, FALSE, NULL);
    }
    return sent->status.Status;
}

static NTSTATUS send_simple(PDEVICE_OBJECT device, PFILE_OBJECT file, UCHAR major)
{
    struct sent sent;
    NTSTATUS status;
    PIRP irp;

    KeInitializeEvent(&sent.done, NotificationEvent, FALSE);
    irp = kenv_irp_create(device->StackSize, end_sent, &sent, "IRP of an open or close");
    if (irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    irp->RequestorMode = UserMode;
    IoGetNextIrpStackLocation(irp)->MajorFunction = major;
    IoGetNextIrpStackLocation(irp)->FileObject = file;
    irp->Tail.Overlay.OriginalFileObject = file;
    status = send(device, irp, &sent, 0);
    IoFreeIrp(irp);
    return status;
}

static NTSTATUS send_control(PDEVICE_OBJECT device, PFILE_OBJECT file, ULONG code,
    const void *input, ULONG input_length, void *output, ULONG output_length, ULONG timeout_ms,
    ULONG_PTR *returned)
{
    ULONG method = METHOD_FROM_CTL_CODE(code);
    PIO_STACK_LOCATION location;
    struct sent sent;
    NTSTATUS status;
    PIRP irp;

    KeInitializeEvent(&sent.done, NotificationEvent, FALSE);
    irp = kenv_irp_create(device->StackSize, end_sent, &sent, "IRP of a control request");
    if (irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    irp->RequestorMode = UserMode;
    location = IoGetNextIrpStackLocation(irp);
    location->MajorFunction = IRP_MJ_DEVICE_CONTROL;
    location->FileObject = file;
    location->Parameters.DeviceIoControl.IoControlCode = code;
    location->Parameters.DeviceIoControl.InputBufferLength = input_length;
    location->Parameters.DeviceIoControl.OutputBufferLength = output_length;
    irp->Tail.Overlay.OriginalFileObject = file;
    irp->Tail.Overlay.Thread = (PETHREAD)(void *)KeGetCurrentThread();
    status = STATUS_INSUFFICIENT_RESOURCES;
    if (add_buffers(irp, method, input, input_length, output, output_length)) {
        status = send(device, irp, &sent, timeout_ms);
        *returned = sent.status.Information;
        if (method == METHOD_BUFFERED && output_length != 0 && !NT_ERROR(status)) {
            if (*returned > output_length)
                kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)irp, *returned,
                    output_length, 0,
                    "control code 0x%08X was completed with %zu octets of output; there is room "
                    "for %u",
                    code, (size_t)*returned, output_length);
            memcpy(output, irp->AssociatedIrp.SystemBuffer, *returned);
        }
    }
    free_buffers(irp);
    IoFreeIrp(irp);
    return status;
}

NTSTATUS kenv_ioctl(PDEVICE_OBJECT device, ULONG code, const void *input, ULONG input_length,
    void *output, ULONG output_length, ULONG timeout_ms, ULONG_PTR *returned)
{
    PFILE_OBJECT file = kenv_ob_create(&kenv_file_type, sizeof(*file));
    NTSTATUS status;

    *returned = 0;
    if (file == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    file->Type = TYPE_FILE;
    file->Size = sizeof(*file);
    file->DeviceObject = device;
    status = send_simple(device, file, IRP_MJ_CREATE);
    if (NT_SUCCESS(status)) {
        status = send_control(
            device, file, code, input, input_length, output, output_length, timeout_ms, returned);
        /* Drivers need not answer these two. */
        (void)send_simple(device, file, IRP_MJ_CLEANUP);
        (void)send_simple(device, file, IRP_MJ_CLOSE);
    }
    ObfDereferenceObject(file);
    return status;
}
