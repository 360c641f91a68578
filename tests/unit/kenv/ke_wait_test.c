/* SPDX-License-Identifier: MIT */
/* Waits for objects of several kinds; ke_event_test.c has what concerns events alone. */
#include "support/unit.h"

#include "kenv/wait.h"
#include "support/death.h"

#include <pthread.h>

static LARGE_INTEGER none;

static void any_takes_the_first_in_order(void **state)
{
    KWAIT_BLOCK blocks[5];
    KSEMAPHORE semaphore;
    KMUTEX mutex;
    KEVENT event, manual;
    KTIMER timer;
    PVOID objects[] = {&event, &semaphore, &mutex, &timer, &manual};

    (void)state;
    KeInitializeEvent(&event, SynchronizationEvent, FALSE);
    KeInitializeEvent(&manual, NotificationEvent, TRUE);
    KeInitializeSemaphore(&semaphore, 1, 3);
    KeInitializeMutex(&mutex, 0);
    KeInitializeTimer(&timer);
    for (int expected = 1; expected <= 2; expected++)
        assert_int_equal(KeWaitForMultipleObjects(ARRAYSIZE(objects), objects, WaitAny, Executive,
                             KernelMode, FALSE, &none, blocks),
            STATUS_WAIT_0 + expected);
    /* The mutex is the thread's own now: it may have it again. */
    assert_int_equal(KeWaitForMultipleObjects(ARRAYSIZE(objects), objects, WaitAny, Executive,
                         KernelMode, FALSE, &none, blocks),
        STATUS_WAIT_0 + 2);
    KeReleaseMutex(&mutex, FALSE);
    KeReleaseMutex(&mutex, FALSE);
}

static void all_takes_all_or_none(void **state)
{
    KSEMAPHORE semaphore;
    KMUTEX mutex;
    KEVENT event;
    PVOID objects[] = {&event, &semaphore, &mutex};

    (void)state;
    KeInitializeEvent(&event, SynchronizationEvent, FALSE);
    KeInitializeSemaphore(&semaphore, 1, 1);
    KeInitializeMutex(&mutex, 0);
    assert_int_equal(
        KeWaitForMultipleObjects(3, objects, WaitAll, Executive, KernelMode, FALSE, &none, NULL),
        STATUS_TIMEOUT);
    assert_int_equal(KeReadStateSemaphore(&semaphore), 1);
    assert_int_equal(KeReadStateMutex(&mutex), 1);
    KeSetEvent(&event, 0, FALSE);
    assert_int_equal(
        KeWaitForMultipleObjects(3, objects, WaitAll, Executive, KernelMode, FALSE, &none, NULL),
        STATUS_SUCCESS);
    assert_int_equal(KeReadStateSemaphore(&semaphore), 0);
    assert_int_equal(KeReadStateMutex(&mutex), 0);
    assert_int_equal(KeReadStateEvent(&event), 0);
    KeReleaseMutex(&mutex, FALSE);
}

struct ring {
    KSEMAPHORE go[2];
    KEVENT stop;
};

static void *answer(void *argument)
{
    struct ring *ring = argument;
    PVOID objects[] = {&ring->stop, &ring->go[0]};

    while (KeWaitForMultipleObjects(
               2, objects, WaitAny, Executive, KernelMode, FALSE, NULL, NULL) == STATUS_WAIT_1)
        KeReleaseSemaphore(&ring->go[1], 0, 1, FALSE);
    return NULL;
}

/* Two threads hand a turn to and fro; none is lost, none comes twice. */
static void no_turn_is_lost(void **state)
{
    struct ring ring;
    pthread_t thread;

    (void)state;
    KeInitializeSemaphore(&ring.go[0], 0, 1);
    KeInitializeSemaphore(&ring.go[1], 0, 1);
    KeInitializeEvent(&ring.stop, NotificationEvent, FALSE);
    assert_int_equal(pthread_create(&thread, NULL, answer, &ring), 0);
    for (int i = 0; i < 1000; i++) {
        KeReleaseSemaphore(&ring.go[0], 0, 1, FALSE);
        assert_int_equal(KeWaitForSingleObject(&ring.go[1], Executive, KernelMode, FALSE, NULL), 0);
    }
    KeSetEvent(&ring.stop, 0, FALSE);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void pulse(void **state)
{
    KEVENT event;

    (void)state;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    assert_int_equal(KePulseEvent(&event, 0, FALSE), 0);
    assert_int_equal(KeReadStateEvent(&event), 0);
    KeSetEvent(&event, 0, FALSE);
    assert_int_equal(KePulseEvent(&event, 0, FALSE), 1);
    assert_int_equal(KeReadStateEvent(&event), 0);
}

static void wait_for_garbage(void *object)
{
    (void)KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &none);
}

static void wait_high(void *object)
{
    KeRaiseIrqlToDpcLevel();
    (void)KeWaitForSingleObject(object, Executive, KernelMode, FALSE, NULL);
}

static void misuse(void **state)
{
    KSEMAPHORE semaphore;
    char text[8192];

    (void)state;
    memset(&semaphore, 0, sizeof(semaphore));
    assert_int_equal(death_of(wait_for_garbage, &semaphore, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "not an initialised event, mutex, semaphore, timer or thread"));
    KeInitializeSemaphore(&semaphore, 0, 1);
    assert_int_equal(death_of(wait_high, &semaphore, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "IRQL_NOT_LESS_OR_EQUAL"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(any_takes_the_first_in_order),
        cmocka_unit_test(all_takes_all_or_none),
        cmocka_unit_test(no_turn_is_lost),
        cmocka_unit_test(pulse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
