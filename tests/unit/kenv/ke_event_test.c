/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "support/death.h"

#include <pthread.h>
#include <wdm.h>

/* Long enough for another thread to be asleep in a wait; nothing fails if it is not. */
static void let_others_sleep(void)
{
    LARGE_INTEGER t = {.QuadPart = -100000}; /* 10 ms */

    KeDelayExecutionThread(KernelMode, FALSE, &t);
}

static NTSTATUS wait_one(PKEVENT event, LONGLONG timeout)
{
    LARGE_INTEGER t = {.QuadPart = timeout};

    return KeWaitForSingleObject(event, Executive, KernelMode, FALSE, &t);
}

static NTSTATUS wait_long(PKEVENT event)
{
    return KeWaitForSingleObject(event, Executive, KernelMode, FALSE, NULL);
}

static void a_notification_event_stays_set(void **state)
{
    KEVENT e;

    (void)state;
    KeInitializeEvent(&e, NotificationEvent, FALSE);
    assert_int_equal(KeReadStateEvent(&e), 0);
    assert_int_equal(wait_one(&e, 0), STATUS_TIMEOUT);
    assert_int_equal(KeSetEvent(&e, IO_NO_INCREMENT, FALSE), 0);
    assert_int_equal(KeSetEvent(&e, IO_NO_INCREMENT, FALSE), 1);
    assert_int_equal(wait_long(&e), STATUS_SUCCESS);
    assert_int_equal(wait_long(&e), STATUS_SUCCESS);
    assert_int_equal(KeReadStateEvent(&e), 1);
    assert_int_equal(KeResetEvent(&e), 1);
    assert_int_equal(KeResetEvent(&e), 0);
    KeSetEvent(&e, IO_NO_INCREMENT, FALSE);
    KeClearEvent(&e);
    assert_int_equal(KeReadStateEvent(&e), 0);
}

static void a_synchronization_event_frees_one_wait(void **state)
{
    KEVENT e;

    (void)state;
    KeInitializeEvent(&e, SynchronizationEvent, TRUE);
    assert_int_equal(wait_long(&e), STATUS_SUCCESS);
    assert_int_equal(KeReadStateEvent(&e), 0);
    assert_int_equal(wait_one(&e, 0), STATUS_TIMEOUT);
}

/* Relative and absolute timeouts run out; those that lie in the past do at once. */
static void timeouts(void **state)
{
    LARGE_INTEGER now;
    KEVENT e;
    ULONGLONG start = KeQueryInterruptTime();

    (void)state;
    KeInitializeEvent(&e, NotificationEvent, FALSE);
    assert_int_equal(wait_one(&e, -50000), STATUS_TIMEOUT);
    assert_true(KeQueryInterruptTime() - start >= 50000);
    KeQuerySystemTime(&now);
    assert_int_equal(wait_one(&e, now.QuadPart + 50000), STATUS_TIMEOUT);
    assert_int_equal(wait_one(&e, 1), STATUS_TIMEOUT);
    assert_int_equal(wait_one(&e, now.QuadPart - 10000000), STATUS_TIMEOUT);
}

static void polling_is_possible_at_dispatch(void **state)
{
    KEVENT e;
    KIRQL old;

    (void)state;
    KeInitializeEvent(&e, NotificationEvent, FALSE);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    assert_int_equal(wait_one(&e, 0), STATUS_TIMEOUT);
    KeSetEvent(&e, IO_NO_INCREMENT, FALSE);
    assert_int_equal(wait_one(&e, 0), STATUS_SUCCESS);
    KeLowerIrql(old);
}

struct waiter {
    pthread_t thread;
    PVOID *events;
    ULONG count;
    WAIT_TYPE type;
    LONGLONG timeout; /* 0: none */
    NTSTATUS status;
    volatile LONG *done_count;
};

static void *run_waiter(void *arg)
{
    struct waiter *w = arg;
    KWAIT_BLOCK blocks[MAXIMUM_WAIT_OBJECTS];
    LARGE_INTEGER t = {.QuadPart = w->timeout};

    w->status = KeWaitForMultipleObjects(w->count, w->events, w->type, Executive, KernelMode, FALSE,
        w->timeout != 0 ? &t : NULL, blocks);
    if (w->done_count != NULL)
        InterlockedIncrement(w->done_count);
    return NULL;
}

static void start(struct waiter *w)
{
    assert_int_equal(pthread_create(&w->thread, NULL, run_waiter, w), 0);
}

static NTSTATUS result_of(struct waiter *w)
{
    pthread_join(w->thread, NULL);
    return w->status;
}

static void a_notification_event_wakes_all_waiters(void **state)
{
    struct waiter w[4];
    KEVENT e;
    PVOID events[1] = {&e};

    (void)state;
    KeInitializeEvent(&e, NotificationEvent, FALSE);
    for (int i = 0; i < 4; i++) {
        w[i] = (struct waiter){.events = events, .count = 1, .type = WaitAny};
        start(&w[i]);
    }
    let_others_sleep();
    KeSetEvent(&e, IO_NO_INCREMENT, FALSE);
    for (int i = 0; i < 4; i++)
        assert_int_equal(result_of(&w[i]), STATUS_WAIT_0);
}

/* Each set frees exactly one of the waiters, whether they sleep already or not. */
static void a_synchronization_event_wakes_one_waiter_a_time(void **state)
{
    volatile LONG done = 0;
    struct waiter w[4];
    KEVENT e;
    PVOID events[1] = {&e};

    (void)state;
    KeInitializeEvent(&e, SynchronizationEvent, FALSE);
    for (int i = 0; i < 4; i++) {
        w[i] = (struct waiter){.events = events, .count = 1, .type = WaitAny, .done_count = &done};
        start(&w[i]);
    }
    let_others_sleep();
    for (LONG n = 1; n <= 4; n++) {
        KeSetEvent(&e, IO_NO_INCREMENT, FALSE);
        while (ReadAcquire(&done) < n)
            let_others_sleep();
        assert_int_equal(KeReadStateEvent(&e), 0);
        assert_int_equal(done, n);
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(result_of(&w[i]), STATUS_WAIT_0);
}

/* A set that is cleared at once still frees who waited. */
static void a_pulse_is_not_missed(void **state)
{
    struct waiter w;
    KEVENT e;
    PVOID events[1] = {&e};

    (void)state;
    KeInitializeEvent(&e, NotificationEvent, FALSE);
    for (int i = 0; i < 20; i++) {
        w = (struct waiter){.events = events, .count = 1, .type = WaitAny};
        start(&w);
        let_others_sleep();
        KeSetEvent(&e, IO_NO_INCREMENT, FALSE);
        KeResetEvent(&e);
        /* Should the waiter not have slept by then, a second set frees it. */
        let_others_sleep();
        KeSetEvent(&e, IO_NO_INCREMENT, FALSE);
        assert_int_equal(result_of(&w), STATUS_WAIT_0);
        KeResetEvent(&e);
    }
}

static void wait_any_says_which(void **state)
{
    struct waiter w;
    KEVENT e[3];
    PVOID events[3] = {&e[0], &e[1], &e[2]};
    LARGE_INTEGER zero = {.QuadPart = 0};

    (void)state;
    for (int i = 0; i < 3; i++)
        KeInitializeEvent(&e[i], SynchronizationEvent, FALSE);
    for (int i = 0; i < 3; i++) {
        w = (struct waiter){.events = events, .count = 3, .type = WaitAny};
        start(&w);
        let_others_sleep();
        KeSetEvent(&e[i], IO_NO_INCREMENT, FALSE);
        assert_int_equal(result_of(&w), STATUS_WAIT_0 + i);
    }
    assert_int_equal(
        KeWaitForMultipleObjects(3, events, WaitAny, Executive, KernelMode, FALSE, &zero, NULL),
        STATUS_TIMEOUT);
    /* Of several the first, and only that one is used up. */
    KeSetEvent(&e[2], IO_NO_INCREMENT, FALSE);
    KeSetEvent(&e[1], IO_NO_INCREMENT, FALSE);
    assert_int_equal(
        KeWaitForMultipleObjects(3, events, WaitAny, Executive, KernelMode, FALSE, NULL, NULL),
        STATUS_WAIT_1);
    assert_int_equal(KeReadStateEvent(&e[1]), 0);
    assert_int_equal(KeReadStateEvent(&e[2]), 1);
}

static void wait_all_takes_all_or_none(void **state)
{
    struct waiter w;
    KEVENT e[5];
    PVOID events[5];

    (void)state;
    for (int i = 0; i < 5; i++) {
        KeInitializeEvent(&e[i], i == 2 ? NotificationEvent : SynchronizationEvent, FALSE);
        events[i] = &e[i];
    }
    w = (struct waiter){.events = events, .count = 5, .type = WaitAll, .timeout = -50000};
    for (int i = 0; i < 4; i++)
        KeSetEvent(&e[i], IO_NO_INCREMENT, FALSE);
    start(&w);
    assert_int_equal(result_of(&w), STATUS_TIMEOUT);
    for (int i = 0; i < 4; i++)
        assert_int_equal(KeReadStateEvent(&e[i]), 1);

    for (int i = 0; i < 5; i++)
        KeResetEvent(&e[i]);
    w = (struct waiter){.events = events, .count = 5, .type = WaitAll};
    start(&w);
    for (int i = 0; i < 5; i++) {
        let_others_sleep();
        KeSetEvent(&e[4 - i], IO_NO_INCREMENT, FALSE);
    }
    assert_int_equal(result_of(&w), STATUS_SUCCESS);
    for (int i = 0; i < 5; i++)
        assert_int_equal(KeReadStateEvent(&e[i]), i == 2);
}

static void the_largest_wait(void **state)
{
    struct waiter w;
    static KEVENT e[MAXIMUM_WAIT_OBJECTS];
    PVOID events[MAXIMUM_WAIT_OBJECTS];

    (void)state;
    for (int i = 0; i < MAXIMUM_WAIT_OBJECTS; i++) {
        KeInitializeEvent(&e[i], SynchronizationEvent, FALSE);
        events[i] = &e[i];
    }
    w = (struct waiter){.events = events, .count = MAXIMUM_WAIT_OBJECTS, .type = WaitAny};
    start(&w);
    let_others_sleep();
    KeSetEvent(&e[63], IO_NO_INCREMENT, FALSE);
    assert_int_equal(result_of(&w), STATUS_WAIT_63);
}

struct ping {
    KEVENT *there, *back;
};

static void *answer(void *arg)
{
    struct ping *ping = arg;

    KeWaitForSingleObject(ping->there, Executive, KernelMode, FALSE, NULL);
    KeSetEvent(ping->back, IO_NO_INCREMENT, FALSE);
    return NULL;
}

/* The events lie on a stack frame that is gone as soon as the wait returns. */
static void round_trip(void)
{
    KEVENT there, back;
    struct ping ping = {&there, &back};
    pthread_t thread;

    KeInitializeEvent(&there, SynchronizationEvent, FALSE);
    KeInitializeEvent(&back, SynchronizationEvent, FALSE);
    assert_int_equal(pthread_create(&thread, NULL, answer, &ping), 0);
    KeSetEvent(&there, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&back, Executive, KernelMode, FALSE, NULL);
    memset(&there, 0xdd, sizeof(there));
    memset(&back, 0xdd, sizeof(back));
    pthread_join(thread, NULL);
}

static void an_event_may_live_on_the_stack(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++)
        round_trip();
}

struct crowd {
    KEVENT go;
    volatile LONG passed;
};

static void *pass(void *arg)
{
    struct crowd *crowd = arg;

    for (int i = 0; i < 500; i++) {
        KeWaitForSingleObject(&crowd->go, Executive, KernelMode, FALSE, NULL);
        InterlockedIncrement(&crowd->passed);
        KeSetEvent(&crowd->go, IO_NO_INCREMENT, FALSE);
    }
    return NULL;
}

/* A baton goes through a crowd and is neither lost nor doubled. */
static void no_wakeup_is_lost(void **state)
{
    struct crowd crowd = {.passed = 0};
    pthread_t threads[4];

    (void)state;
    KeInitializeEvent(&crowd.go, SynchronizationEvent, TRUE);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, pass, &crowd), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.passed, 4 * 500);
    assert_int_equal(KeReadStateEvent(&crowd.go), 1);
}

static void wait_at_dispatch(void *arg)
{
    KEVENT e;

    (void)arg;
    KeInitializeEvent(&e, NotificationEvent, FALSE);
    KeRaiseIrqlToDpcLevel();
    wait_long(&e);
}

static void wait_for_rubbish(void *arg)
{
    KEVENT e;

    (void)arg;
    memset(&e, 0xdd, sizeof(e));
    wait_long(&e);
}

static void set_rubbish(void *arg)
{
    KEVENT e;

    (void)arg;
    memset(&e, 0xdd, sizeof(e));
    KeSetEvent(&e, IO_NO_INCREMENT, FALSE);
}

static void set_and_wait_at_dispatch(void *arg)
{
    KEVENT e;

    (void)arg;
    KeInitializeEvent(&e, NotificationEvent, FALSE);
    KeRaiseIrqlToDpcLevel();
    KeSetEvent(&e, IO_NO_INCREMENT, TRUE);
}

static void too_many(void *arg)
{
    PVOID events[MAXIMUM_WAIT_OBJECTS + 1] = {NULL};
    KWAIT_BLOCK blocks[MAXIMUM_WAIT_OBJECTS + 1];

    (void)arg;
    KeWaitForMultipleObjects(
        MAXIMUM_WAIT_OBJECTS + 1, events, WaitAny, Executive, KernelMode, FALSE, NULL, blocks);
}

static void no_wait_blocks(void *arg)
{
    PVOID events[4] = {NULL};

    (void)arg;
    KeWaitForMultipleObjects(4, events, WaitAny, Executive, KernelMode, FALSE, NULL, NULL);
}

static void misuse_is_a_bugcheck(void **state)
{
    static const struct {
        void (*fn)(void *arg);
        const char *wants;
    } cases[] = {
        {wait_at_dispatch, "KeWaitForSingleObject was called at IRQL 2"},
        {wait_for_rubbish, "not an initialised event"},
        {set_rubbish, "not an initialised event"},
        {set_and_wait_at_dispatch, "KeSetEvent was called at IRQL 2"},
        {too_many, "was given 65 objects"},
        {no_wait_blocks, "no WaitBlockArray"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        char text[4096];

        assert_int_equal(death_of(cases[i].fn, NULL, text, sizeof(text)), SIGABRT);
        assert_non_null(strstr(text, cases[i].wants));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_notification_event_stays_set),
        cmocka_unit_test(a_synchronization_event_frees_one_wait),
        cmocka_unit_test(timeouts),
        cmocka_unit_test(polling_is_possible_at_dispatch),
        cmocka_unit_test(a_notification_event_wakes_all_waiters),
        cmocka_unit_test(a_synchronization_event_wakes_one_waiter_a_time),
        cmocka_unit_test(a_pulse_is_not_missed),
        cmocka_unit_test(wait_any_says_which),
        cmocka_unit_test(wait_all_takes_all_or_none),
        cmocka_unit_test(the_largest_wait),
        cmocka_unit_test(an_event_may_live_on_the_stack),
        cmocka_unit_test(no_wakeup_is_lost),
        cmocka_unit_test(misuse_is_a_bugcheck),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
