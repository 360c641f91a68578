/* SPDX-License-Identifier: MIT */
/* Work items of devices: an executive work item that knows the object it works for. */
#include "base/alloc.h"
#include "kenv/bugcheck.h"
#include "kenv/io.h"
#include "kenv/irql.h"
#include "kenv/worker.h"

struct _IO_WORKITEM {
    WORK_QUEUE_ITEM item;
    PVOID object;
    PIO_WORKITEM_ROUTINE routine;
    PIO_WORKITEM_ROUTINE_EX routine_ex;
    PVOID context;
    bool has_reference;           /* on the object, for the routine that is queued */
    struct kenv_tracked *tracked; /* that it exists */
};

/* The item may be freed or queued again by its routine: all is read before. */
static VOID run(PVOID parameter)
{
    PIO_WORKITEM work = parameter;
    PVOID object = work->object;
    bool has_object = work->has_reference;

    if (work->routine_ex != NULL)
        work->routine_ex(object, work->context, work);
    else
        work->routine(object, work->context);
    if (has_object)
        ObfDereferenceObject(object);
}

VOID IoInitializeWorkItem(PVOID IoObject, PIO_WORKITEM IoWorkItem)
{
    memset(IoWorkItem, 0, sizeof(*IoWorkItem));
    ExInitializeWorkItem(&IoWorkItem->item, run, IoWorkItem);
    IoWorkItem->object = IoObject;
}

ULONG IoSizeofWorkItem(VOID)
{
    return (ULONG)sizeof(IO_WORKITEM);
}

PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
    PIO_WORKITEM work;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    work = kenv_fault(SoftNdkDrvWorkItem, 0, 0) ? NULL : sn_zalloc(sizeof(*work));
    if (work == NULL)
        return NULL;
    IoInitializeWorkItem(DeviceObject, work);
    work->tracked = kenv_track(SoftNdkDrvWorkItem, work, 0, 0, "work item");
    return work;
}

static void require_not_queued(const IO_WORKITEM *work, const char *function)
{
    if (kenv_worker_is_queued(&work->item))
        kenv_bugcheck(WORKER_INVALID, 1, (ULONG_PTR)work, 0, 0, "%s: work item %p is still queued",
            function, (const void *)work);
}

VOID IoUninitializeWorkItem(PIO_WORKITEM IoWorkItem)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    require_not_queued(IoWorkItem, __func__);
}

VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    require_not_queued(IoWorkItem, __func__);
    kenv_untrack(IoWorkItem->tracked);
    sn_free(IoWorkItem);
}

static void enqueue(PIO_WORKITEM work, PIO_WORKITEM_ROUTINE routine,
    PIO_WORKITEM_ROUTINE_EX routine_ex, PVOID context, const char *function)
{
    struct kenv_tracked *tracked;

    require_not_queued(work, function);
    if (routine == NULL && routine_ex == NULL)
        kenv_bugcheck(INVALID_WORK_QUEUE_ITEM, (ULONG_PTR)work, 0, 0, 0,
            "%s: work item %p has no routine", function, (void *)work);
    /* The device stays until the routine has returned. */
    work->has_reference = kenv_io_knows(work->object);
    if (work->has_reference)
        ObfReferenceObject(work->object);
    work->routine = routine;
    work->routine_ex = routine_ex;
    work->context = context;
    tracked = kenv_track(SoftNdkDrvWorkItem, work, 0, 0, "work item (queued)");
    if (!kenv_worker_queue(&work->item, tracked))
        kenv_bugcheck(INVALID_WORK_QUEUE_ITEM, (ULONG_PTR)work, 0, 0, 0,
            "%s: work item %p is queued already", function, (void *)work);
}

VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine,
    WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    UNREFERENCED_PARAMETER(QueueType);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    enqueue(IoWorkItem, WorkerRoutine, NULL, Context, __func__);
}

VOID IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
    WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    UNREFERENCED_PARAMETER(QueueType);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    enqueue(IoWorkItem, NULL, WorkerRoutine, Context, __func__);
}
