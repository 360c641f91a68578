/* SPDX-License-Identifier: MIT */
/*
 * Timers: a list in order of due time, served by the DPC thread (ke_dpc.c). A timer that expires
 * queues its DPC before the list's lock is given up, so KeCancelTimer either prevents the DPC or
 * finds it queued. The lock comes before those of dispatcher objects and of the DPC queue.
 */
#include "kenv/ke_timer.h"

#include "kenv/bugcheck.h"
#include "kenv/irql.h"
#include "kenv/ke_dpc.h"
#include "kenv/ke_time.h"
#include "kenv/track.h"
#include "kenv/wait.h"

#include <pthread.h>
#include <stdatomic.h>

#define NS_PER_SECOND 1000000000u
#define NS_PER_MS     1000000u
#define NEVER         UINT64_MAX

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_ENTRY timers = {&timers, &timers}; /* guarded by lock; first due first */
static _Atomic uint64_t next_ns = NEVER;       /* written with the lock held */

static PKTIMER timer_of(PLIST_ENTRY entry)
{
    return CONTAINING_RECORD(entry, KTIMER, TimerListEntry);
}

/* Header members that a timer has no other use for. */
static bool is_set(const KTIMER *timer)
{
    return timer->Header.Reserved1 != 0;
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * NS_PER_SECOND + (uint64_t)t.tv_nsec;
}

/* On CLOCK_MONOTONIC. A change of the system time afterwards does not move an absolute timer. */
static uint64_t due_ns(LARGE_INTEGER due)
{
    struct kenv_deadline d = kenv_deadline_from(&due);
    uint64_t at, now;

    if (d.is_endless)
        return NEVER - 1;
    at = (uint64_t)d.at.tv_sec * NS_PER_SECOND + (uint64_t)d.at.tv_nsec;
    if (!d.is_realtime)
        return at;
    now = now_ns(CLOCK_REALTIME);
    return now_ns(CLOCK_MONOTONIC) + (at > now ? at - now : 0);
}

static void update_next(void)
{
    atomic_store(&next_ns, IsListEmpty(&timers) ? NEVER : timer_of(timers.Flink)->DueTime.QuadPart);
}

/* With the lock held. */
static void insert(PKTIMER timer, uint64_t due)
{
    PLIST_ENTRY before = timers.Blink;

    timer->DueTime.QuadPart = due;
    timer->Header.Reserved1 = 1;
    while (before != &timers && timer_of(before)->DueTime.QuadPart > due)
        before = before->Blink;
    InsertHeadList(before, &timer->TimerListEntry);
    update_next();
}

/* With the lock held. */
static struct kenv_tracked *take(PKTIMER timer)
{
    struct kenv_tracked *tracked = (struct kenv_tracked *)(void *)timer->Header.WaitListHead.Flink;

    RemoveEntryList(&timer->TimerListEntry);
    timer->Header.Reserved1 = 0;
    timer->Header.WaitListHead.Flink = NULL;
    update_next();
    return tracked;
}

uint64_t kenv_timer_next_ns(void)
{
    return atomic_load(&next_ns);
}

size_t kenv_timer_count_once(void)
{
    size_t n = 0;

    pthread_mutex_lock(&lock);
    for (PLIST_ENTRY i = timers.Flink; i != &timers; i = i->Flink)
        n += timer_of(i)->Period == 0;
    pthread_mutex_unlock(&lock);
    return n;
}

const void *kenv_timer_find(const void *start, size_t size)
{
    const void *found = NULL;

    pthread_mutex_lock(&lock);
    for (PLIST_ENTRY i = timers.Flink; i != &timers && found == NULL; i = i->Flink)
        if ((uintptr_t)timer_of(i) - (uintptr_t)start < size)
            found = timer_of(i);
    pthread_mutex_unlock(&lock);
    return found;
}

void kenv_timer_expire(void)
{
    uint64_t now;

    if (kenv_timer_next_ns() == NEVER)
        return;
    now = now_ns(CLOCK_MONOTONIC);
    pthread_mutex_lock(&lock);
    while (atomic_load(&next_ns) <= now) {
        PKTIMER timer = timer_of(timers.Flink);
        struct kenv_tracked *tracked = take(timer);
        PKDPC dpc = timer->Dpc;
        struct kenv_bucket *bucket;

        if (timer->Period != 0) {
            uint64_t due = timer->DueTime.QuadPart + (uint64_t)timer->Period * NS_PER_MS;

            /* Beats that were missed are not made up for. */
            insert(timer, due > now ? due : now + (uint64_t)timer->Period * NS_PER_MS);
            timer->Header.WaitListHead.Flink = (PLIST_ENTRY)(void *)tracked;
            tracked = NULL;
        }
        if (dpc != NULL)
            KeInsertQueueDpc(dpc, NULL, NULL);
        bucket = kenv_wait_lock(&timer->Header);
        kenv_wait_set(bucket, &timer->Header, 1);
        kenv_wait_unlock(bucket);
        kenv_untrack(tracked);
    }
    pthread_mutex_unlock(&lock);
}

static void require_timer(const KTIMER *timer, const char *function)
{
    kenv_wait_require(
        &timer->Header, KENV_TIMER_NOTIFICATION, KENV_TIMER_SYNCHRONIZATION, function);
}

VOID KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type)
{
    memset(Timer, 0, sizeof(*Timer));
    kenv_wait_init(&Timer->Header,
        Type == NotificationTimer ? KENV_TIMER_NOTIFICATION : KENV_TIMER_SYNCHRONIZATION, 0);
}

VOID KeInitializeTimer(PKTIMER Timer)
{
    KeInitializeTimerEx(Timer, NotificationTimer);
}

BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc)
{
    struct kenv_tracked *tracked, *old = NULL;
    struct kenv_bucket *bucket;
    uint64_t due = due_ns(DueTime);
    bool was_set;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    require_timer(Timer, __func__);
    tracked = kenv_track(
        SoftNdkDrvTimer, Timer, 0, 0, Period != 0 ? "timer (set, periodic)" : "timer (set)");
    pthread_mutex_lock(&lock);
    was_set = is_set(Timer);
    if (was_set)
        old = take(Timer);
    bucket = kenv_wait_lock(&Timer->Header);
    kenv_wait_set(bucket, &Timer->Header, 0);
    kenv_wait_unlock(bucket);
    Timer->Dpc = Dpc;
    Timer->Period = Period > 0 ? (ULONG)Period : 0;
    Timer->Header.WaitListHead.Flink = (PLIST_ENTRY)(void *)tracked;
    insert(Timer, due);
    pthread_mutex_unlock(&lock);
    kenv_untrack(old);
    kenv_dpc_wake();
    return was_set;
}

BOOLEAN KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc)
{
    return KeSetTimerEx(Timer, DueTime, 0, Dpc);
}

BOOLEAN KeSetCoalescableTimer(
    PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period, ULONG TolerableDelay, PKDPC Dpc)
{
    UNREFERENCED_PARAMETER(TolerableDelay);
    return KeSetTimerEx(Timer, DueTime, (LONG)Period, Dpc);
}

BOOLEAN KeCancelTimer(PKTIMER Timer)
{
    struct kenv_tracked *tracked = NULL;
    bool was_set;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    require_timer(Timer, __func__);
    pthread_mutex_lock(&lock);
    was_set = is_set(Timer);
    if (was_set)
        tracked = take(Timer);
    pthread_mutex_unlock(&lock);
    kenv_untrack(tracked);
    return was_set;
}

BOOLEAN KeReadStateTimer(PKTIMER Timer)
{
    return kenv_wait_state(&Timer->Header) > 0;
}
