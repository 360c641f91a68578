/* SPDX-License-Identifier: MIT */
/*
 * Waits.
 *
 * A dispatcher object is only its state; who waits for it is listed in a table of buckets, chosen
 * by the object's address. Whoever signals holds the bucket's lock from looking at the object to
 * its last touch of it, and a wait that returns has taken that lock once more, so an object may
 * live on the stack of the thread that waited for it.
 *
 * A wait for one of several objects is decided by whoever changes its `decided` word first: a
 * signaller (to the index of its object) or the waiter (to TIMED_OUT). A signaller that decides a
 * wait has thereby used the object up on the waiter's behalf. A wait for all objects cannot be
 * decided by one signaller, so that one only makes the waiter look again. [DEVIATION] an event that
 * is set and cleared at once may therefore be missed by a wait for all.
 */
#include "kenv/wait.h"

#include "kenv/bugcheck.h"
#include "kenv/futex.h"
#include "kenv/irql.h"
#include "kenv/ke_time.h"
#include "kenv/report.h"
#include "kenv/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define BUCKET_COUNT 64

/* Values of `decided` beside an index. */
#define UNDECIDED  0xffffffffu
#define LOOK_AGAIN 0xfffffffeu
#define TIMED_OUT  0xfffffffdu

struct wait {
    _Atomic uint32_t decided;
    WAIT_TYPE type;
    PKTHREAD thread;
};

/* One object of a wait; lives on the waiter's stack, listed in a bucket while the wait lasts. */
struct wait_entry {
    struct wait *wait;
    PDISPATCHER_HEADER object;
    uint32_t index;
    struct wait_entry *next;
    struct wait_entry **link; /* what points at this entry */
};

struct kenv_bucket {
    pthread_mutex_t lock;
    struct wait_entry *first;   /* guarded by lock */
    struct wait_entry **append; /* guarded by lock; NULL: the list was never used */
};

static struct kenv_bucket buckets[BUCKET_COUNT] = {
    [0 ... BUCKET_COUNT - 1] = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL},
};

/* DISPATCHER_HEADER.Size by type, in units of four octets: marks an object as initialised. */
static const UCHAR sizes[] = {
    [KENV_EVENT_NOTIFICATION] = sizeof(KEVENT) / 4,
    [KENV_EVENT_SYNCHRONIZATION] = sizeof(KEVENT) / 4,
    [KENV_MUTANT] = sizeof(KMUTANT) / 4,
    [KENV_SEMAPHORE] = sizeof(KSEMAPHORE) / 4,
    [KENV_THREAD] = 0xc0,
    [KENV_TIMER_NOTIFICATION] = sizeof(KTIMER) / 4,
    [KENV_TIMER_SYNCHRONIZATION] = sizeof(KTIMER) / 4,
};

static const char *const names[] = {
    [KENV_EVENT_NOTIFICATION] = "event",
    [KENV_EVENT_SYNCHRONIZATION] = "event",
    [KENV_MUTANT] = "mutex",
    [KENV_SEMAPHORE] = "semaphore",
    [KENV_THREAD] = "thread",
    [KENV_TIMER_NOTIFICATION] = "timer",
    [KENV_TIMER_SYNCHRONIZATION] = "timer",
};

static uint32_t bucket_index(const DISPATCHER_HEADER *object)
{
    uint64_t x = (uint64_t)(uintptr_t)object >> 3;

    return (uint32_t)((x * 0x9E3779B97F4A7C15u) >> 58);
}

LONG kenv_wait_state(const DISPATCHER_HEADER *header)
{
    return __atomic_load_n(&header->SignalState, __ATOMIC_ACQUIRE);
}

static void set_state(PDISPATCHER_HEADER object, LONG state)
{
    __atomic_store_n(&object->SignalState, state, __ATOMIC_RELEASE);
}

/* Does a thread wait for what is at this address? */
static bool is_waited_for(const DISPATCHER_HEADER *header)
{
    struct kenv_bucket *bucket = kenv_wait_lock(header);
    bool is_found = false;

    for (const struct wait_entry *e = bucket->first; e != NULL && !is_found; e = e->next) {
        uint32_t decided = atomic_load(&e->wait->decided);

        is_found = e->object == header && (decided == UNDECIDED || decided == LOOK_AGAIN);
    }
    kenv_wait_unlock(bucket);
    return is_found;
}

/* On Windows the list of the threads that wait is in the object: they would wait for ever. */
static void report_reuse(const DISPATCHER_HEADER *header, enum kenv_wait_type type)
{
    char text[128];
    const struct kenv_report report = {
        .rule = "initialised-while-waited-for",
        .text = text,
        .advice = "Initialise it once, before anybody can wait for it; KeClearEvent makes an event "
                  "not set.",
        .page = "KeInitializeEvent",
        .object = header,
    };

    snprintf(text, sizeof(text), "the %s %p is initialised again while a thread waits for it",
        names[type], (const void *)header);
    kenv_report(&report);
}

void kenv_wait_init(PDISPATCHER_HEADER header, enum kenv_wait_type type, LONG state)
{
    if (kenv_is_checked && is_waited_for(header))
        report_reuse(header, type);
    header->Type = (UCHAR)type;
    header->Signalling = 0;
    header->Size = sizes[type];
    header->Reserved1 = 0;
    header->WaitListHead.Flink = header->WaitListHead.Blink = NULL;
    set_state(header, state);
}

void kenv_wait_require(const DISPATCHER_HEADER *header, enum kenv_wait_type first,
    enum kenv_wait_type last, const char *function)
{
    if (header == NULL || header->Type < (UCHAR)first || header->Type > (UCHAR)last ||
        header->Size == 0 || header->Size != sizes[header->Type])
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)header,
            header != NULL ? header->Type : 0, 0, 0,
            "%s was given %p, which is not an initialised %s", function, (const void *)header,
            first == KENV_EVENT_NOTIFICATION && last == KENV_TIMER_SYNCHRONIZATION
                ? "event, mutex, semaphore, timer or thread"
                : names[first]);
}

struct kenv_bucket *kenv_wait_lock(const DISPATCHER_HEADER *header)
{
    struct kenv_bucket *bucket = &buckets[bucket_index(header)];

    pthread_mutex_lock(&bucket->lock);
    return bucket;
}

void kenv_wait_unlock(struct kenv_bucket *bucket)
{
    pthread_mutex_unlock(&bucket->lock);
}

/* With the bucket locked: would a wait of this thread for the object end now? */
static bool is_satisfied(const DISPATCHER_HEADER *object, PKTHREAD thread)
{
    return kenv_wait_state(object) > 0 ||
           (object->Type == KENV_MUTANT &&
               ((const KMUTANT *)(const void *)object)->OwnerThread == thread);
}

/* With the bucket locked: what the end of a wait of this thread changes. */
static void consume(PDISPATCHER_HEADER object, PKTHREAD thread)
{
    LONG state = kenv_wait_state(object);

    switch ((enum kenv_wait_type)object->Type) {
    case KENV_EVENT_SYNCHRONIZATION:
    case KENV_TIMER_SYNCHRONIZATION:
        set_state(object, 0);
        break;
    case KENV_SEMAPHORE:
        set_state(object, state - 1);
        break;
    case KENV_MUTANT:
        set_state(object, state - 1);
        ((PKMUTANT)(void *)object)->OwnerThread = thread;
        kenv_thread_add_mutexes(thread, 1);
        break;
    case KENV_EVENT_NOTIFICATION:
    case KENV_TIMER_NOTIFICATION:
    case KENV_THREAD:
        break;
    }
}

void kenv_wait_set(struct kenv_bucket *bucket, PDISPATCHER_HEADER header, LONG state)
{
    /* Before any waiter can look again, so that a wait for all sees it. */
    set_state(header, state);
    for (struct wait_entry *e = bucket->first; e != NULL; e = e->next) {
        uint32_t expected = UNDECIDED;
        bool is_any = e->wait->type == WaitAny;

        if (e->object != header)
            continue;
        if (kenv_wait_state(header) <= 0)
            return;
        if (!atomic_compare_exchange_strong(
                &e->wait->decided, &expected, is_any ? e->index : LOOK_AGAIN))
            continue;
        if (is_any)
            consume(header, e->wait->thread);
        kenv_futex_wake(&e->wait->decided, 1);
    }
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

/* With the buckets locked: the index that satisfies the wait, 0 for all of them, or UNDECIDED. */
static uint32_t evaluate(ULONG count, PVOID objects[], const struct wait *wait)
{
    if (wait->type == WaitAny) {
        for (ULONG i = 0; i < count; i++) {
            if (is_satisfied(objects[i], wait->thread)) {
                consume(objects[i], wait->thread);
                return i;
            }
        }
        return UNDECIDED;
    }
    for (ULONG i = 0; i < count; i++)
        if (!is_satisfied(objects[i], wait->thread))
            return UNDECIDED;
    for (ULONG i = 0; i < count; i++)
        consume(objects[i], wait->thread);
    return 0;
}

/* At the tail: whoever waits longest gets what only one can have. */
static void enlist(struct wait_entry *entry)
{
    struct kenv_bucket *bucket = &buckets[bucket_index(entry->object)];

    if (bucket->append == NULL)
        bucket->append = &bucket->first;
    entry->next = NULL;
    entry->link = bucket->append;
    *bucket->append = entry;
    bucket->append = &entry->next;
}

static void delist(struct wait_entry *entry)
{
    struct kenv_bucket *bucket = &buckets[bucket_index(entry->object)];

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
            result = evaluate(count, objects, wait);
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
    struct wait wait = {.decided = UNDECIDED, .type = type, .thread = KeGetCurrentThread()};
    struct wait_entry entries[MAXIMUM_WAIT_OBJECTS];
    struct kenv_deadline deadline;
    uint64_t set = 0;
    uint32_t result;

    for (ULONG i = 0; i < count; i++)
        set |= 1ull << bucket_index(objects[i]);
    lock_buckets(set);
    result = evaluate(count, objects, &wait);
    if (result != UNDECIDED || (timeout != NULL && timeout->QuadPart == 0)) {
        unlock_buckets(set);
        return result != UNDECIDED ? (NTSTATUS)result : STATUS_TIMEOUT;
    }
    for (ULONG i = 0; i < count; i++) {
        entries[i].wait = &wait;
        entries[i].object = objects[i];
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
void kenv_wait_require_irql(const LARGE_INTEGER *timeout, const char *function)
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
    kenv_wait_require_irql(Timeout, __func__);
    kenv_wait_require(Object, KENV_EVENT_NOTIFICATION, KENV_TIMER_SYNCHRONIZATION, __func__);
    return wait_for(1, &Object, WaitAny, Timeout);
}

NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType,
    KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Timeout,
    PKWAIT_BLOCK WaitBlockArray)
{
    UNREFERENCED_PARAMETER(WaitReason);
    UNREFERENCED_PARAMETER(WaitMode);
    UNREFERENCED_PARAMETER(Alertable);
    kenv_wait_require_irql(Timeout, __func__);
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
        kenv_wait_require(Object[i], KENV_EVENT_NOTIFICATION, KENV_TIMER_SYNCHRONIZATION, __func__);
    return wait_for(Count, Object, WaitType, Timeout);
}
