/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/io.h"
#include "support/death.h"

static PIRP last_irp;

static NTSTATUS finish(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    last_irp = irp;
    irp->IoStatus.Status =
        (NTSTATUS)(LONG_PTR)IoGetCurrentIrpStackLocation(irp)->Parameters.Others.Argument1;
    irp->IoStatus.Information = 9;
    IoCompleteRequest(irp, IO_NETWORK_INCREMENT);
    return STATUS_SUCCESS;
}

static NTSTATUS keep(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    last_irp = irp;
    IoMarkIrpPending(irp);
    return STATUS_PENDING;
}

static PDRIVER_OBJECT driver;
static PDEVICE_OBJECT device;

static int set_up(void **state)
{
    (void)state;
    driver = kenv_driver_create("irps", NULL);
    driver->MajorFunction[IRP_MJ_WRITE] = finish;
    driver->MajorFunction[IRP_MJ_READ] = keep;
    return IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
}

static int tear_down(void **state)
{
    (void)state;
    IoDeleteDevice(device);
    kenv_driver_destroy(driver);
    return 0;
}

struct calls {
    int count, pending;
    NTSTATUS answer;
    PDEVICE_OBJECT device;
};

static NTSTATUS on_complete(PDEVICE_OBJECT at, PIRP irp, PVOID context)
{
    struct calls *calls = context;

    calls->count++;
    calls->device = at;
    calls->pending += irp->PendingReturned;
    return calls->answer;
}

/* A routine is called for what it was set for. */
static void when_routines_are_called(void **state)
{
    static const struct {
        NTSTATUS status;
        BOOLEAN cancel, on_success, on_error, on_cancel;
        int calls;
    } cases[] = {
        {STATUS_SUCCESS, FALSE, TRUE, FALSE, FALSE, 1},
        {STATUS_SUCCESS, FALSE, FALSE, TRUE, TRUE, 0},
        {STATUS_DATA_ERROR, FALSE, FALSE, TRUE, FALSE, 1},
        {STATUS_DATA_ERROR, FALSE, TRUE, FALSE, TRUE, 0},
        {STATUS_CANCELLED, TRUE, FALSE, FALSE, TRUE, 1},
        {STATUS_SUCCESS, TRUE, FALSE, FALSE, TRUE, 1},
        {STATUS_SUCCESS, TRUE, TRUE, TRUE, TRUE, 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        struct calls upper = {.answer = STATUS_MORE_PROCESSING_REQUIRED};
        struct calls lower = {.answer = STATUS_SUCCESS};
        PIRP irp = IoAllocateIrp(3, FALSE);

        assert_non_null(irp);
        assert_int_equal(irp->CurrentLocation, 4);
        irp->Cancel = cases[i].cancel;
        /* Two drivers: the first keeps the IRP at the end, the second looks at it. */
        IoSetCompletionRoutine(irp, on_complete, &upper, TRUE, TRUE, TRUE);
        IoSetNextIrpStackLocation(irp);
        IoGetCurrentIrpStackLocation(irp)->DeviceObject = device;
        IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_WRITE;
        IoGetNextIrpStackLocation(irp)->Parameters.Others.Argument1 =
            (PVOID)(LONG_PTR)cases[i].status;
        IoSetCompletionRoutine(
            irp, on_complete, &lower, cases[i].on_success, cases[i].on_error, cases[i].on_cancel);
        assert_int_equal(IoCallDriver(device, irp), STATUS_SUCCESS);
        assert_ptr_equal(last_irp, irp);
        assert_int_equal(lower.count, cases[i].calls);
        assert_int_equal(upper.count, 1);
        assert_null(upper.device);
        if (lower.count != 0)
            assert_ptr_equal(lower.device, device);
        assert_int_equal(irp->IoStatus.Status, cases[i].status);
        IoFreeIrp(irp);
    }
}

static void pending_is_handed_up(void **state)
{
    struct calls upper = {.answer = STATUS_MORE_PROCESSING_REQUIRED};
    PIRP irp = IoAllocateIrp(1, FALSE);

    (void)state;
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    IoSetCompletionRoutine(irp, on_complete, &upper, TRUE, TRUE, TRUE);
    assert_int_equal(IoCallDriver(device, irp), STATUS_PENDING);
    assert_int_equal(upper.count, 0);
    last_irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(last_irp, IO_NO_INCREMENT);
    assert_int_equal(upper.count, 1);
    assert_int_equal(upper.pending, 1);
    /* And as new. */
    IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
    assert_int_equal(irp->IoStatus.Status, STATUS_UNSUCCESSFUL);
    assert_int_equal(irp->CurrentLocation, 2);
    IoFreeIrp(irp);
}

static VOID on_cancel(PDEVICE_OBJECT at, PIRP irp)
{
    assert_ptr_equal(at, device);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    irp->IoStatus.Status = STATUS_CANCELLED;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
}

static void cancelled(void **state)
{
    struct calls upper = {.answer = STATUS_MORE_PROCESSING_REQUIRED};
    PIRP irp = IoAllocateIrp(1, FALSE);

    (void)state;
    assert_false(IoCancelIrp(irp));
    IoReuseIrp(irp, STATUS_SUCCESS);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    IoSetCompletionRoutine(irp, on_complete, &upper, TRUE, TRUE, TRUE);
    (void)IoCallDriver(device, irp);
    assert_null(IoSetCancelRoutine(irp, on_cancel));
    assert_true(IoCancelIrp(irp));
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_int_equal(upper.count, 1);
    assert_int_equal(irp->IoStatus.Status, STATUS_CANCELLED);
    IoFreeIrp(irp);
}

static PIRP sent(NTSTATUS status)
{
    PIRP irp = IoAllocateIrp(1, FALSE);

    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    (void)IoCallDriver(device, irp);
    irp->IoStatus.Status = status;
    return irp;
}

static void complete_pending(void *unused)
{
    (void)unused;
    IoCompleteRequest(sent(STATUS_PENDING), IO_NO_INCREMENT);
}

static void complete_with_cancel_routine(void *unused)
{
    PIRP irp = sent(STATUS_SUCCESS);

    (void)unused;
    IoSetCancelRoutine(irp, on_cancel);
    IoCompleteRequest(irp, IO_NO_INCREMENT);
}

static void complete_to_the_end(void *unused)
{
    (void)unused;
    IoCompleteRequest(sent(STATUS_SUCCESS), IO_NO_INCREMENT);
}

static void never_end(PIRP irp, void *context)
{
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(context);
}

static void complete_twice(void *unused)
{
    PIRP irp = kenv_irp_create(1, never_end, NULL, "IRP");

    (void)unused;
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_WRITE;
    (void)IoCallDriver(device, irp);
    IoCompleteRequest(irp, IO_NO_INCREMENT);
}

static void call_too_deep(void *unused)
{
    PIRP irp = sent(STATUS_SUCCESS);

    (void)unused;
    (void)IoCallDriver(device, irp);
}

static void misuse(void **state)
{
    static const struct {
        void (*fn)(void *);
        const char *says;
    } cases[] = {
        {complete_pending, "completed with STATUS_PENDING"},
        {complete_with_cancel_routine, "CANCEL_STATE_IN_COMPLETED_IRP"},
        {complete_to_the_end, "STATUS_MORE_PROCESSING_REQUIRED"},
        {complete_twice, "MULTIPLE_IRP_COMPLETE_REQUESTS"},
        {call_too_deep, "NO_MORE_IRP_STACK_LOCATIONS"},
    };
    char text[8192];

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        assert_int_equal(death_of(cases[i].fn, NULL, text, sizeof(text)), SIGABRT);
        assert_non_null(strstr(text, cases[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(when_routines_are_called),
        cmocka_unit_test(pending_is_handed_up),
        cmocka_unit_test(cancelled),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
