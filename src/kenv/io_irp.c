/* SPDX-License-Identifier: MIT */
/*
 * IRPs: how they go down to a driver and come back. A request that kenv made itself knows what to
 * do at its end; one of IoAllocateIrp belongs to its driver, whose completion routine keeps it.
 */
#include "base/alloc.h"
#include "kenv/bugcheck.h"
#include "kenv/io.h"
#include "kenv/irql.h"

#define TYPE_IRP 6
/* In IRP.AllocationFlags: a struct block stands in front of the IRP. */
#define FLAG_OURS 0x80

struct block {
    _Alignas(16) kenv_irp_end *end; /* NULL: of IoAllocateIrp */
    void *context;
    struct kenv_tracked *tracked;
};

static KSPIN_LOCK cancel_lock;

static struct block *block_of(PIRP irp)
{
    return (struct block *)(void *)irp - 1;
}

VOID IoInitializeIrp(PIRP Irp, USHORT PacketSize, CCHAR StackSize)
{
    memset(Irp, 0, PacketSize);
    Irp->Type = TYPE_IRP;
    Irp->Size = PacketSize;
    Irp->StackCount = StackSize;
    Irp->CurrentLocation = (CHAR)(StackSize + 1);
    InitializeListHead(&Irp->ThreadListEntry);
    Irp->Tail.Overlay.CurrentStackLocation =
        (PIO_STACK_LOCATION)(void *)(Irp + 1) + (size_t)StackSize;
}

PIRP kenv_irp_create(CCHAR stack_size, kenv_irp_end *end, void *context, const char *name)
{
    /* At least one, as drivers expect of a location to put a completion routine into. */
    CCHAR count = stack_size < 1 ? 1 : stack_size;
    USHORT size = IoSizeOfIrp(count);
    struct block *block;
    PIRP irp;

    if (kenv_fault(SoftNdkDrvIrp, 0, 0))
        return NULL;
    block = sn_zalloc(sizeof(*block) + size);
    if (block == NULL)
        return NULL;
    irp = (PIRP)(void *)(block + 1);
    IoInitializeIrp(irp, size, count);
    irp->AllocationFlags = FLAG_OURS;
    block->end = end;
    block->context = context;
    block->tracked = kenv_track(SoftNdkDrvIrp, irp, 0, 0, name);
    return irp;
}

PIRP IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota)
{
    UNREFERENCED_PARAMETER(ChargeQuota);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    return kenv_irp_create(StackSize, NULL, NULL, "IRP");
}

static void require_ours(PIRP irp, const char *function)
{
    if (irp == NULL || irp->Type != TYPE_IRP || (irp->AllocationFlags & FLAG_OURS) == 0)
        kenv_bugcheck(MULTIPLE_IRP_COMPLETE_REQUESTS, (ULONG_PTR)irp, 0, 0, 0,
            "%s was given %p, which is not an IRP of IoAllocateIrp, or one that was freed already",
            function, (void *)irp);
}

VOID IoReuseIrp(PIRP Irp, NTSTATUS Iostatus)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    require_ours(Irp, __func__);
    if (Irp->CancelRoutine != NULL)
        kenv_bugcheck(CANCEL_STATE_IN_COMPLETED_IRP, (ULONG_PTR)Irp, 0, 0, 0,
            "IoReuseIrp: IRP %p still has a cancel routine", (void *)Irp);
    IoInitializeIrp(Irp, Irp->Size, Irp->StackCount);
    Irp->AllocationFlags = FLAG_OURS;
    Irp->IoStatus.Status = Iostatus;
}

VOID IoFreeIrp(PIRP Irp)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    require_ours(Irp, __func__);
    kenv_untrack(block_of(Irp)->tracked);
    Irp->Type = 0;
    sn_free(block_of(Irp));
}

NTSTATUS IofCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    KIRQL irql = kenv_irql_now;
    PIO_STACK_LOCATION location;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (Irp->Type != TYPE_IRP || Irp->CurrentLocation <= 1)
        kenv_bugcheck(NO_MORE_IRP_STACK_LOCATIONS, (ULONG_PTR)Irp, 0, 0, 0,
            "IoCallDriver was given %p, which has no stack location left or is not an IRP",
            (void *)Irp);
    IoSetNextIrpStackLocation(Irp);
    location = IoGetCurrentIrpStackLocation(Irp);
    location->DeviceObject = DeviceObject;
    if (location->MajorFunction > IRP_MJ_MAXIMUM_FUNCTION)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)Irp, location->MajorFunction,
            0, 0, "IoCallDriver: IRP %p has major function %u", (void *)Irp,
            location->MajorFunction);
    status = DeviceObject->DriverObject->MajorFunction[location->MajorFunction](DeviceObject, Irp);
    if (kenv_irql_now != irql)
        kenv_bugcheck(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)DeviceObject, kenv_irql_now, irql, 0,
            "a dispatch routine was called at IRQL %u and returned at %u; it keeps a spin lock or "
            "did not lower the IRQL",
            irql, kenv_irql_now);
    return status;
}

static void require_completable(PIRP irp)
{
    if (irp->Type != TYPE_IRP || irp->CurrentLocation > irp->StackCount + 1)
        kenv_bugcheck(MULTIPLE_IRP_COMPLETE_REQUESTS, (ULONG_PTR)irp, 0, 0, 0,
            "IRP %p is completed a second time", (void *)irp);
    if (irp->CancelRoutine != NULL)
        kenv_bugcheck(CANCEL_STATE_IN_COMPLETED_IRP, (ULONG_PTR)irp, 0, 0, 0,
            "IRP %p is completed with a cancel routine in it; take it out with "
            "IoSetCancelRoutine(Irp, NULL) before",
            (void *)irp);
    if (irp->IoStatus.Status == STATUS_PENDING)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)irp, 0, 0, 0,
            "IRP %p is completed with STATUS_PENDING", (void *)irp);
}

static bool wants_routine(const IRP *irp, const IO_STACK_LOCATION *location)
{
    UCHAR control = location->Control;

    if (location->CompletionRoutine == NULL)
        return false;
    return (NT_SUCCESS(irp->IoStatus.Status) && (control & SL_INVOKE_ON_SUCCESS) != 0) ||
           (!NT_SUCCESS(irp->IoStatus.Status) && (control & SL_INVOKE_ON_ERROR) != 0) ||
           (irp->Cancel && (control & SL_INVOKE_ON_CANCEL) != 0);
}

VOID IofCompleteRequest(PIRP Irp, CCHAR PriorityBoost)
{
    UNREFERENCED_PARAMETER(PriorityBoost);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    require_completable(Irp);
    while (Irp->CurrentLocation <= Irp->StackCount) {
        PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
        bool is_wanted = wants_routine(Irp, location);

        IoSkipCurrentIrpStackLocation(Irp);
        Irp->PendingReturned = (location->Control & SL_PENDING_RETURNED) != 0;
        if (is_wanted) {
            PIO_COMPLETION_ROUTINE routine = location->CompletionRoutine;
            PDEVICE_OBJECT device = Irp->CurrentLocation <= Irp->StackCount
                                        ? IoGetCurrentIrpStackLocation(Irp)->DeviceObject
                                        : NULL;

            location->CompletionRoutine = NULL;
            if (routine(device, Irp, location->Context) == STATUS_MORE_PROCESSING_REQUIRED)
                return;
        } else if (Irp->PendingReturned && Irp->CurrentLocation <= Irp->StackCount) {
            IoMarkIrpPending(Irp);
        }
    }
    if ((Irp->AllocationFlags & FLAG_OURS) == 0 || block_of(Irp)->end == NULL)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)Irp, 0, 0, 0,
            "IRP %p, which a driver allocated, was completed to its end: the completion routine "
            "must return STATUS_MORE_PROCESSING_REQUIRED, because the IRP belongs to the driver",
            (void *)Irp);
    Irp->CurrentLocation = (CHAR)(Irp->StackCount + 2);
    block_of(Irp)->end(Irp, block_of(Irp)->context);
}

/* ---- Cancelling ---------------------------------------------------------------------------- */

VOID IoAcquireCancelSpinLock(PKIRQL Irql)
{
    KeAcquireSpinLock(&cancel_lock, Irql);
}

VOID IoReleaseCancelSpinLock(KIRQL Irql)
{
    KeReleaseSpinLock(&cancel_lock, Irql);
}

BOOLEAN IoCancelIrp(PIRP Irp)
{
    PDRIVER_CANCEL routine;
    KIRQL irql;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    IoAcquireCancelSpinLock(&irql);
    Irp->Cancel = TRUE;
    routine = IoSetCancelRoutine(Irp, NULL);
    if (routine == NULL) {
        IoReleaseCancelSpinLock(irql);
        return FALSE;
    }
    Irp->CancelIrql = irql;
    routine(Irp->CurrentLocation <= Irp->StackCount
                ? IoGetCurrentIrpStackLocation(Irp)->DeviceObject
                : NULL,
        Irp);
    if (kenv_irql_now != irql)
        kenv_bugcheck(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Irp, kenv_irql_now, irql, 0,
            "a cancel routine returned at IRQL %u instead of %u; it must call "
            "IoReleaseCancelSpinLock(Irp->CancelIrql)",
            kenv_irql_now, irql);
    return TRUE;
}
