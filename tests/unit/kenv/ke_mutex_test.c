/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "support/death.h"

#include <pthread.h>
#include <wdm.h>

#define THREADS 4
#define ROUNDS  500

static NTSTATUS try_wait(PVOID object)
{
    LARGE_INTEGER none = {.QuadPart = 0};

    return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &none);
}

static void *try_elsewhere(void *object)
{
    return try_wait(object) == STATUS_SUCCESS ? object : NULL;
}

static BOOLEAN another_thread_gets(PVOID object)
{
    pthread_t thread;
    void *got = NULL;

    assert_int_equal(pthread_create(&thread, NULL, try_elsewhere, object), 0);
    assert_int_equal(pthread_join(thread, &got), 0);
    return got != NULL;
}

static void owned_and_recursive(void **state)
{
    KMUTEX mutex;

    (void)state;
    KeInitializeMutex(&mutex, 0);
    assert_int_equal(KeReadStateMutex(&mutex), 1);
    assert_int_equal(try_wait(&mutex), STATUS_SUCCESS);
    assert_int_equal(try_wait(&mutex), STATUS_SUCCESS);
    assert_int_equal(KeReadStateMutex(&mutex), -1);
    assert_false(another_thread_gets(&mutex));
    assert_int_equal(KeReleaseMutex(&mutex, FALSE), -1);
    assert_false(another_thread_gets(&mutex));
    assert_int_equal(KeReleaseMutex(&mutex, FALSE), 0);
    assert_int_equal(KeReadStateMutex(&mutex), 1);
}

struct shared {
    KMUTEX mutex;
    int count;
};

static void *count_under_mutex(void *argument)
{
    struct shared *s = argument;

    for (int i = 0; i < ROUNDS; i++) {
        (void)KeWaitForSingleObject(&s->mutex, Executive, KernelMode, FALSE, NULL);
        s->count++;
        KeReleaseMutex(&s->mutex, FALSE);
    }
    return NULL;
}

static void excludes(void **state)
{
    struct shared s = {.count = 0};
    pthread_t threads[THREADS];

    (void)state;
    KeInitializeMutex(&s.mutex, 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_under_mutex, &s), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(s.count, THREADS * ROUNDS);
    assert_int_equal(KeReadStateMutex(&s.mutex), 1);
}

static void counts(void **state)
{
    KSEMAPHORE semaphore;

    (void)state;
    KeInitializeSemaphore(&semaphore, 2, 5);
    assert_int_equal(try_wait(&semaphore), STATUS_SUCCESS);
    assert_int_equal(try_wait(&semaphore), STATUS_SUCCESS);
    assert_int_equal(try_wait(&semaphore), STATUS_TIMEOUT);
    assert_int_equal(KeReleaseSemaphore(&semaphore, 0, 5, FALSE), 0);
    assert_int_equal(KeReadStateSemaphore(&semaphore), 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(try_wait(&semaphore), STATUS_SUCCESS);
    assert_int_equal(KeReadStateSemaphore(&semaphore), 0);
}

static void *take_one(void *semaphore)
{
    (void)KeWaitForSingleObject(semaphore, Executive, KernelMode, FALSE, NULL);
    return NULL;
}

/* A release of n lets exactly n waiters go. */
static void a_release_wakes_as_many(void **state)
{
    KSEMAPHORE semaphore;
    pthread_t threads[THREADS];

    (void)state;
    KeInitializeSemaphore(&semaphore, 0, 100);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_one, &semaphore), 0);
    KeReleaseSemaphore(&semaphore, 0, 1, FALSE);
    KeReleaseSemaphore(&semaphore, 0, THREADS, FALSE);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(KeReadStateSemaphore(&semaphore), 1);
}

static NTSTATUS raised_by_release(PVOID mutex, PVOID semaphore)
{
    __try {
        if (mutex != NULL)
            KeReleaseMutex(mutex, FALSE);
        else
            KeReleaseSemaphore(semaphore, 0, 1, FALSE);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static void misuse_raises(void **state)
{
    KSEMAPHORE semaphore;
    KMUTEX mutex;

    (void)state;
    KeInitializeMutex(&mutex, 0);
    KeInitializeSemaphore(&semaphore, 1, 1);
    assert_int_equal(raised_by_release(&mutex, NULL), STATUS_MUTANT_NOT_OWNED);
    assert_int_equal(raised_by_release(NULL, &semaphore), STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    assert_int_equal(KeReadStateSemaphore(&semaphore), 1);
}

static void bad_limit(void *unused)
{
    KSEMAPHORE semaphore;

    (void)unused;
    KeInitializeSemaphore(&semaphore, 2, 1);
}

static void garbage(void *unused)
{
    KMUTEX mutex;

    (void)unused;
    memset(&mutex, 0xcc, sizeof(mutex));
    KeReleaseMutex(&mutex, FALSE);
}

static void misuse(void **state)
{
    char text[8192];

    (void)state;
    assert_int_equal(death_of(bad_limit, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "count of 2 with a limit of 1"));
    assert_int_equal(death_of(garbage, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "not an initialised mutex"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(owned_and_recursive),
        cmocka_unit_test(excludes),
        cmocka_unit_test(counts),
        cmocka_unit_test(a_release_wakes_as_many),
        cmocka_unit_test(misuse_raises),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
