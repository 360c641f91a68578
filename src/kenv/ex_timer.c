/* SPDX-License-Identifier: MIT */
/*
 * Timers of the executive: a KTIMER (first, so that it may be waited for) with a DPC. The DPC queue
 * is served in order by one thread, so a timer that is deleted queues its DPC a last time, which
 * then comes behind any callback that may still run, and frees.
 */
#include "base/alloc.h"
#include "kenv/bugcheck.h"
#include "kenv/irql.h"
#include "kenv/track.h"

#define TICKS_PER_MS 10000

struct _EX_TIMER {
    KTIMER timer; /* first */
    KDPC dpc;
    PEXT_CALLBACK callback;
    PVOID context;
    EXT_DELETE_PARAMETERS at_delete;
    KEVENT *gone; /* of the deleter that waits */
    struct kenv_tracked *tracked;
};

static void destroy(PEX_TIMER timer)
{
    EXT_DELETE_PARAMETERS at_delete = timer->at_delete;
    KEVENT *gone = timer->gone;

    kenv_untrack(timer->tracked);
    sn_free(timer);
    if (at_delete.DeleteCallback != NULL)
        at_delete.DeleteCallback(at_delete.DeleteContext);
    if (gone != NULL)
        KeSetEvent(gone, IO_NO_INCREMENT, FALSE);
}

static VOID run(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    PEX_TIMER timer = context;

    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(argument2);
    if (argument1 == timer)
        destroy(timer);
    else if (timer->callback != NULL)
        timer->callback(timer, timer->context);
}

PEX_TIMER ExAllocateTimer(PEXT_CALLBACK Callback, PVOID CallbackContext, ULONG Attributes)
{
    PEX_TIMER timer;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    timer = kenv_fault(SoftNdkDrvTimer, 0, 0) ? NULL : sn_zalloc(sizeof(*timer));
    if (timer == NULL)
        return NULL;
    KeInitializeTimerEx(&timer->timer,
        (Attributes & EX_TIMER_NOTIFICATION) != 0 ? NotificationTimer : SynchronizationTimer);
    KeInitializeDpc(&timer->dpc, run, timer);
    timer->callback = Callback;
    timer->context = CallbackContext;
    timer->tracked = kenv_track(SoftNdkDrvTimer, timer, 0, 0, "EX timer");
    return timer;
}

BOOLEAN ExSetTimer(
    PEX_TIMER Timer, LONGLONG DueTime, LONGLONG Period, PEXT_SET_PARAMETERS Parameters)
{
    LARGE_INTEGER due = {.QuadPart = DueTime};

    UNREFERENCED_PARAMETER(Parameters);
    return KeSetTimerEx(
        &Timer->timer, due, (LONG)((Period + TICKS_PER_MS - 1) / TICKS_PER_MS), &Timer->dpc);
}

BOOLEAN ExCancelTimer(PEX_TIMER Timer, PVOID Parameters)
{
    UNREFERENCED_PARAMETER(Parameters);
    return KeCancelTimer(&Timer->timer);
}

BOOLEAN ExDeleteTimer(
    PEX_TIMER Timer, BOOLEAN Cancel, BOOLEAN Wait, PEXT_DELETE_PARAMETERS Parameters)
{
    bool was_set;
    KEVENT gone;

    NDK_REQUIRE_IRQL_MAX(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    was_set = KeCancelTimer(&Timer->timer);
    if ((was_set && !Cancel) || (Wait && !Cancel))
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)Timer, Cancel, Wait, 0,
            "ExDeleteTimer: timer %p is set, or is waited for, and Cancel is FALSE", (void *)Timer);
    KeInitializeEvent(&gone, NotificationEvent, FALSE);
    if (Parameters != NULL)
        Timer->at_delete = *Parameters;
    Timer->gone = Wait ? &gone : NULL;
    KeRemoveQueueDpc(&Timer->dpc);
    KeInsertQueueDpc(&Timer->dpc, Timer, NULL);
    if (Wait)
        (void)KeWaitForSingleObject(&gone, Executive, KernelMode, FALSE, NULL);
    return was_set;
}
