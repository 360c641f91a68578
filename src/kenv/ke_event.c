/* SPDX-License-Identifier: MIT */
/*
 * Events and waits.
 *
 * An event is only its state; who waits for it is listed in a table of buckets, chosen by the
 * event's address. A setter holds the bucket's lock from looking at the event to its last touch of
 * it, and a wait that returns has taken that lock once more, so an event may live on the stack of
 * the thread that waited for it.
 *
 * A wait for one of several events is decided by whoever changes its `decided` word first: a setter
 * (to the index of its event) or the waiter (to TIMED_OUT). A setter that decides a wait on a
 * synchronization event has thereby used up the event. A wait for all events cannot be decided by
 * one setter, so that setter only makes the waiter look again. [DEVIATION] an event that is set and
 * cleared at once may therefore be missed by a wait for all.
 */
#include "kenv/bugcheck.h"
#include "kenv/futex.h"
#include "kenv/irql.h"
#include "kenv/ke_time.h"

#include <pthread.h>
#include <stdatomic.h>
#include <wdm.h>

#define BUCKET_COUNT 64

/* Values of `decided` beside an index. */
#define UNDECIDED  0xffffffffu
#define LOOK_AGAIN 0xfffffffeu
#define TIMED_OUT  0xfffffffdu

struct wait {
    _Atomic uint32_t decided;
    WAIT_TYPE type;
};

/* One event of a wait; lives on the waiter's stack, listed in a bucket while the wait lasts. */
struct wait_entry {
    struct wait *wait;
    PKEVENT event;
    uint32_t index;
    struct wait_entry *next;
    struct wait_entry **link; /* what points at this entry */
};

struct bucket {
    pthread_mutex_t lock;
    struct wait_entry *first;   /* guarded by lock */
    struct wait_entry **append; /* guarded by lock; NULL: the list was never used */
};

static struct bucket buckets[BUCKET_COUNT] = {
    [0 ... BUCKET_COUNT - 1] = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL},
};

static uint32_t bucket_index(const KEVENT *event)
{
    uint64_t x = (uint64_t)(uintptr_t)event >> 3;

    return (uint32_t)((x * 0x9E3779B97F4A7C15u) >> 58);
}

static LONG state_of(const KEVENT *event)
{
    return __atomic_load_n(&event->Header.SignalState, __ATOMIC_ACQUIRE);
}

static void set_state(PKEVENT event, LONG state)
{
    __atomic_store_n(&event->Header.SignalState, state, __ATOMIC_RELEASE);
}

static void require_event(const KEVENT *event, const char *function)
{
    if (event->Header.Type > SynchronizationEvent || event->Header.Size != sizeof(KEVENT) / 4)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)event, event->Header.Type, 0,
            0, "%s was given %p, which is not an initialised event", function, (const void *)event);
}

VOID KeInitializeEvent(PKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
    Event->Header.Type = (UCHAR)Type;
    Event->Header.Signalling = 0;
    Event->Header.Size = sizeof(KEVENT) / 4;
    Event->Header.Reserved1 = 0;
    InitializeListHead(&Event->Header.WaitListHead);
    set_state(Event, State != FALSE);
}

/* Decides waits for an event that is being set. True if one of them used it up. */
static bool decide_waits(struct bucket *bucket, PKEVENT event)
{
    for (struct wait_entry *e = bucket->first; e != NULL; e = e->next) {
        uint32_t expected = UNDECIDED;
        bool is_any;

        if (e->event != event)
            continue;
        is_any = e->wait->type == WaitAny;
        if (!atomic_compare_exchange_strong(
                &e->wait->decided, &expected, is_any ? e->index : LOOK_AGAIN))
            continue;
        kenv_futex_wake(&e->wait->decided, 1);
        if (is_any && event->Header.Type == SynchronizationEvent)
            return true;
    }
    return false;
}

LONG KeSetEvent(PKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    struct bucket *bucket = &buckets[bucket_index(Event)];
    LONG before;

    UNREFERENCED_PARAMETER(Increment);
    NDK_REQUIRE_IRQL_MAX(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    require_event(Event, __func__);
    pthread_mutex_lock(&bucket->lock);
    before = state_of(Event);
    if (before == 0) {
        /* Before any waiter can look again, so that a wait for all sees it. */
        set_state(Event, 1);
        if (decide_waits(bucket, Event))
            set_state(Event, 0);
    }
    pthread_mutex_unlock(&bucket->lock);
    return before;
}

LONG KeResetEvent(PKEVENT Event)
{
    struct bucket *bucket = &buckets[bucket_index(Event)];
    LONG before;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    require_event(Event, __func__);
    pthread_mutex_lock(&bucket->lock);
    before = state_of(Event);
    set_state(Event, 0);
    pthread_mutex_unlock(&bucket->lock);
    return before;
}

VOID KeClearEvent(PKEVENT Event)
{
    KeResetEvent(Event);
}

LONG KeReadStateEvent(PKEVENT Event)
{
    return state_of(Event);
}

/* ---- Waiting ------------------------------------------------------------------------------- */

static void lock_buckets(uint64_t set)
{
    for (; set != 0; set &= set - 1)
        pthread_mutex_lock(&buckets[__builtin_ctzll(set)].lock);
}

static void unlock_buckets(uint64_t set)
{
    for (; set != 0; set &= set - 1)
        pthread_mutex_unlock(&buckets[__builtin_ctzll(set)].lock);
}

static void consume(PKEVENT event)
{
    if (event->Header.Type == SynchronizationEvent)
        set_state(event, 0);
}

/* With the buckets locked: the index that satisfies the wait, 0 for all of them, or UNDECIDED. */
static uint32_t evaluate(ULONG count, PVOID objects[], WAIT_TYPE type)
{
    if (type == WaitAny) {
        for (ULONG i = 0; i < count; i++) {
            if (state_of(objects[i]) != 0) {
                consume(objects[i]);
                return i;
            }
        }
        return UNDECIDED;
    }
    for (ULONG i = 0; i < count; i++)
        if (state_of(objects[i]) == 0)
            return UNDECIDED;
    for (ULONG i = 0; i < count; i++)
        consume(objects[i]);
    return 0;
}

/* At the tail: whoever waits longest for a synchronization event gets it. */
static void enlist(struct wait_entry *entry)
{
    struct bucket *bucket = &buckets[bucket_index(entry->event)];

    if (bucket->append == NULL)
        bucket->append = &bucket->first;
    entry->next = NULL;
    entry->link = bucket->append;
    *bucket->append = entry;
    bucket->append = &entry->next;
}

static void delist(struct wait_entry *entry)
{
    struct bucket *bucket = &buckets[bucket_index(entry->event)];

    *entry->link = entry->next;
    if (entry->next != NULL)
        entry->next->link = entry->link;
    else
        bucket->append = entry->link;
}

/* Sleeps until the wait is decided, looking again as often as a setter asks for it. */
static uint32_t sleep_until_decided(struct wait *wait, ULONG count, PVOID objects[], uint64_t set,
    const struct kenv_deadline *deadline)
{
    for (;;) {
        uint32_t seen = atomic_load(&wait->decided);

        if (seen == LOOK_AGAIN) {
            uint32_t result;

            atomic_store(&wait->decided, UNDECIDED);
            lock_buckets(set);
            result = evaluate(count, objects, wait->type);
            unlock_buckets(set);
            if (result != UNDECIDED)
                return result;
        } else if (seen != UNDECIDED) {
            return seen;
        } else if (!kenv_futex_wait(&wait->decided, UNDECIDED,
                       deadline->is_endless ? NULL : &deadline->at, deadline->is_realtime) &&
                   atomic_compare_exchange_strong(&wait->decided, &seen, TIMED_OUT)) {
            return TIMED_OUT;
        }
    }
}

static NTSTATUS wait_for(ULONG count, PVOID objects[], WAIT_TYPE type, const LARGE_INTEGER *timeout)
{
    struct wait wait = {.decided = UNDECIDED, .type = type};
    struct wait_entry entries[MAXIMUM_WAIT_OBJECTS];
    struct kenv_deadline deadline;
    uint64_t set = 0;
    uint32_t result;

    for (ULONG i = 0; i < count; i++)
        set |= 1ull << bucket_index(objects[i]);
    lock_buckets(set);
    result = evaluate(count, objects, type);
    if (result != UNDECIDED || (timeout != NULL && timeout->QuadPart == 0)) {
        unlock_buckets(set);
        return result != UNDECIDED ? (NTSTATUS)result : STATUS_TIMEOUT;
    }
    for (ULONG i = 0; i < count; i++) {
        entries[i].wait = &wait;
        entries[i].event = objects[i];
        entries[i].index = i;
        enlist(&entries[i]);
    }
    unlock_buckets(set);

    deadline = kenv_deadline_from(timeout);
    result = sleep_until_decided(&wait, count, objects, set, &deadline);

    lock_buckets(set);
    for (ULONG i = 0; i < count; i++)
        delist(&entries[i]);
    unlock_buckets(set);
    return result == TIMED_OUT ? STATUS_TIMEOUT : (NTSTATUS)result;
}

/* A wait that may block is for APC_LEVEL at most. */
static void require_wait_irql(const LARGE_INTEGER *timeout, const char *function)
{
    KIRQL level_max = timeout != NULL && timeout->QuadPart == 0 ? DISPATCH_LEVEL : APC_LEVEL;

    if (kenv_irql_now > level_max)
        kenv_bugcheck(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)function, kenv_irql_now, level_max, 0,
            "%s was called at IRQL %u; a wait is possible up to APC_LEVEL, at DISPATCH_LEVEL only "
            "with a timeout of zero",
            function, kenv_irql_now);
}

NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode,
    BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    UNREFERENCED_PARAMETER(WaitReason);
    UNREFERENCED_PARAMETER(WaitMode);
    UNREFERENCED_PARAMETER(Alertable);
    require_wait_irql(Timeout, __func__);
    require_event(Object, __func__);
    return wait_for(1, &Object, WaitAny, Timeout);
}

NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType,
    KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Timeout,
    PKWAIT_BLOCK WaitBlockArray)
{
    UNREFERENCED_PARAMETER(WaitReason);
    UNREFERENCED_PARAMETER(WaitMode);
    UNREFERENCED_PARAMETER(Alertable);
    require_wait_irql(Timeout, __func__);
    if (Count == 0 || Count > MAXIMUM_WAIT_OBJECTS)
        kenv_bugcheck(MAXIMUM_WAIT_OBJECTS_EXCEEDED, Count, 0, 0, 0,
            "KeWaitForMultipleObjects was given %u objects; 1 to %u are possible", Count,
            (ULONG)MAXIMUM_WAIT_OBJECTS);
    if (Count > THREAD_WAIT_OBJECTS && WaitBlockArray == NULL)
        kenv_bugcheck(MAXIMUM_WAIT_OBJECTS_EXCEEDED, Count, 0, 0, 0,
            "KeWaitForMultipleObjects was given %u objects and no WaitBlockArray, which more than "
            "%u need",
            Count, (ULONG)THREAD_WAIT_OBJECTS);
    for (ULONG i = 0; i < Count; i++)
        require_event(Object[i], __func__);
    return wait_for(Count, Object, WaitType, Timeout);
}
