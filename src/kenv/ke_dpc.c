/* SPDX-License-Identifier: MIT */
/*
 * DPCs: one queue, one thread, started with the first DPC or timer. So DPCs run one after the
 * other, in order, at DISPATCH_LEVEL, as on a machine with one processor.
 */
#include "kenv/ke_dpc.h"

#include "kenv/bugcheck.h"
#include "kenv/futex.h"
#include "kenv/irql.h"
#include "kenv/ke_timer.h"
#include "kenv/track.h"

#include <pthread.h>
#include <stdatomic.h>

#define TYPE_DPC      0x13
#define NS_PER_SECOND 1000000000u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Guarded by lock. A queued DPC has its lists' Flink as link and DpcData not NULL. */
static PKDPC first, *append = &first;
static bool is_running; /* guarded by lock */
static _Thread_local bool is_dpc_thread;

/* Changes with each DPC or timer that the thread should look at; what it sleeps on. */
static _Atomic uint32_t changes;

static PKDPC next_of(const KDPC *dpc)
{
    return (PKDPC)(void *)dpc->DpcListEntry.Flink;
}

static void set_next(PKDPC dpc, PKDPC next)
{
    dpc->DpcListEntry.Flink = (PLIST_ENTRY)(void *)next;
}

/* Takes the DPC behind *link off, with the lock held. */
static PKDPC take(PKDPC previous)
{
    PKDPC dpc = previous != NULL ? next_of(previous) : first;

    if (previous != NULL)
        set_next(previous, next_of(dpc));
    else
        first = next_of(dpc);
    if (append == (PKDPC *)(void *)&dpc->DpcListEntry.Flink)
        append = previous != NULL ? (PKDPC *)(void *)&previous->DpcListEntry.Flink : &first;
    dpc->DpcData = NULL;
    return dpc;
}

static struct kenv_tracked *tracked_of(const KDPC *dpc)
{
    return (struct kenv_tracked *)(void *)dpc->DpcListEntry.Blink;
}

static void run(PKDPC dpc, struct kenv_tracked *tracked, KDPC copy)
{
    KIRQL old = kenv_irql_set(DISPATCH_LEVEL);

    kenv_untrack(tracked);
    /* The driver may free or queue the DPC from its routine: only the copy is looked at. */
    copy.DeferredRoutine(dpc, copy.DeferredContext, copy.SystemArgument1, copy.SystemArgument2);
    kenv_irql_callback_done(DISPATCH_LEVEL, old, "DPC routine");
}

static void *dpc_main(void *unused)
{
    (void)unused;
    is_dpc_thread = true;
    for (;;) {
        uint32_t seen = atomic_load(&changes);
        uint64_t due;
        struct timespec at;

        kenv_timer_expire();
        pthread_mutex_lock(&lock);
        if (first != NULL) {
            struct kenv_tracked *tracked = tracked_of(first);
            KDPC copy = *first;
            PKDPC dpc = take(NULL);

            is_running = true;
            pthread_mutex_unlock(&lock);
            run(dpc, tracked, copy);
            pthread_mutex_lock(&lock);
            is_running = false;
            pthread_mutex_unlock(&lock);
            continue;
        }
        pthread_mutex_unlock(&lock);
        due = kenv_timer_next_ns();
        at.tv_sec = (time_t)(due / NS_PER_SECOND);
        at.tv_nsec = (long)(due % NS_PER_SECOND);
        kenv_futex_wait(&changes, seen, due != UINT64_MAX ? &at : NULL, false);
    }
    return NULL;
}

static void start(void)
{
    pthread_attr_t attributes;
    pthread_t thread;

    if (pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) != 0 ||
        pthread_create(&thread, &attributes, dpc_main, NULL) != 0)
        kenv_bugcheck(MANUALLY_INITIATED_CRASH, 0, 0, 0, 0,
            "the host cannot start the thread that runs DPCs and timers");
    (void)pthread_attr_destroy(&attributes);
}

void kenv_dpc_wake(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, start);
    atomic_fetch_add(&changes, 1);
    kenv_futex_wake(&changes, 1);
}

bool kenv_dpc_is_idle(void)
{
    bool is_idle;

    pthread_mutex_lock(&lock);
    is_idle = first == NULL && !is_running;
    pthread_mutex_unlock(&lock);
    return is_idle;
}

bool kenv_dpc_is_here(void)
{
    return is_dpc_thread;
}

const void *kenv_dpc_find(const void *start_address, size_t size)
{
    const KDPC *found;

    pthread_mutex_lock(&lock);
    for (found = first; found != NULL; found = next_of(found))
        if ((uintptr_t)found - (uintptr_t)start_address < size)
            break;
    pthread_mutex_unlock(&lock);
    return found;
}

static void require_dpc(const KDPC *dpc, const char *function)
{
    if (dpc->Type != TYPE_DPC || dpc->DeferredRoutine == NULL)
        kenv_bugcheck(TIMER_OR_DPC_INVALID, 0, (ULONG_PTR)dpc, 0, 0,
            "%s was given %p, which is not an initialised DPC", function, (const void *)dpc);
}

VOID KeInitializeDpc(PKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    memset(Dpc, 0, sizeof(*Dpc));
    Dpc->Type = TYPE_DPC;
    Dpc->Importance = MediumImportance;
    Dpc->DeferredRoutine = DeferredRoutine;
    Dpc->DeferredContext = DeferredContext;
}

VOID KeInitializeThreadedDpc(PKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    KeInitializeDpc(Dpc, DeferredRoutine, DeferredContext);
}

BOOLEAN KeInsertQueueDpc(PKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2)
{
    struct kenv_tracked *tracked;
    bool is_new;

    require_dpc(Dpc, __func__);
    tracked = kenv_track(SoftNdkDrvDpc, Dpc, 0, 0, "DPC (queued)");
    pthread_mutex_lock(&lock);
    is_new = Dpc->DpcData == NULL;
    if (is_new) {
        Dpc->DpcData = Dpc;
        Dpc->SystemArgument1 = SystemArgument1;
        Dpc->SystemArgument2 = SystemArgument2;
        Dpc->DpcListEntry.Blink = (PLIST_ENTRY)(void *)tracked;
        if (Dpc->Importance == HighImportance && first != NULL) {
            set_next(Dpc, first);
            first = Dpc;
        } else {
            set_next(Dpc, NULL);
            *append = Dpc;
            append = (PKDPC *)(void *)&Dpc->DpcListEntry.Flink;
        }
    }
    pthread_mutex_unlock(&lock);
    if (is_new)
        kenv_dpc_wake();
    else
        kenv_untrack(tracked);
    return is_new;
}

BOOLEAN KeRemoveQueueDpc(PKDPC Dpc)
{
    struct kenv_tracked *tracked = NULL;
    PKDPC previous = NULL;
    bool was_queued;

    require_dpc(Dpc, __func__);
    pthread_mutex_lock(&lock);
    was_queued = Dpc->DpcData != NULL;
    if (was_queued) {
        for (PKDPC i = first; i != Dpc; i = next_of(i))
            previous = i;
        tracked = tracked_of(Dpc);
        take(previous);
    }
    pthread_mutex_unlock(&lock);
    kenv_untrack(tracked);
    return was_queued;
}

static VOID set_flushed(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(argument1);
    UNREFERENCED_PARAMETER(argument2);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

/* The queue is in order, so a DPC of our own at its end has all others before it. */
VOID KeFlushQueuedDpcs(VOID)
{
    KEVENT flushed;
    KDPC last;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    KeInitializeEvent(&flushed, NotificationEvent, FALSE);
    KeInitializeDpc(&last, set_flushed, &flushed);
    KeInsertQueueDpc(&last, NULL, NULL);
    (void)KeWaitForSingleObject(&flushed, Executive, KernelMode, FALSE, NULL);
}

VOID KeSetImportanceDpc(PKDPC Dpc, KDPC_IMPORTANCE Importance)
{
    require_dpc(Dpc, __func__);
    Dpc->Importance = (UCHAR)Importance;
}

VOID KeSetTargetProcessorDpc(PKDPC Dpc, CCHAR Number)
{
    require_dpc(Dpc, __func__);
    Dpc->Number = (USHORT)Number;
}

NTSTATUS KeSetTargetProcessorDpcEx(PKDPC Dpc, PPROCESSOR_NUMBER ProcNumber)
{
    ULONG index = KeGetProcessorIndexFromNumber(ProcNumber);

    require_dpc(Dpc, __func__);
    if (index == INVALID_PROCESSOR_INDEX)
        return STATUS_INVALID_PARAMETER;
    Dpc->Number = (USHORT)index;
    return STATUS_SUCCESS;
}
