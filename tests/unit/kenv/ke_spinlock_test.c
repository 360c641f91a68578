/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "support/death.h"

#include <pthread.h>
#include <wdm.h>

static void raises_and_restores_the_irql(void **state)
{
    KLOCK_QUEUE_HANDLE handle;
    KSPIN_LOCK lock;
    KIRQL old = 99;

    (void)state;
    KeInitializeSpinLock(&lock);
    assert_true(KeTestSpinLock(&lock));
    KeAcquireSpinLock(&lock, &old);
    assert_int_equal(old, PASSIVE_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    assert_false(KeTestSpinLock(&lock));
    KeReleaseSpinLock(&lock, old);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_true(KeTestSpinLock(&lock));

    assert_int_equal(KeAcquireSpinLockRaiseToDpc(&lock), PASSIVE_LEVEL);
    KeReleaseSpinLockFromDpcLevel(&lock);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    KeAcquireSpinLockAtDpcLevel(&lock);
    KeReleaseSpinLock(&lock, PASSIVE_LEVEL);

    KeAcquireInStackQueuedSpinLock(&lock, &handle);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    assert_false(KeTestSpinLock(&lock));
    KeReleaseInStackQueuedSpinLock(&handle);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);

    KeRaiseIrql(DISPATCH_LEVEL, &old);
    KeAcquireInStackQueuedSpinLockAtDpcLevel(&lock, &handle);
    KeReleaseInStackQueuedSpinLockFromDpcLevel(&handle);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    assert_true(KeTryToAcquireSpinLockAtDpcLevel(&lock));
    assert_false(KeTryToAcquireSpinLockAtDpcLevel(&lock)); /* never waits, even for itself */
    KeReleaseSpinLock(&lock, old);
}

static void locks_nest(void **state)
{
    KSPIN_LOCK a, b;
    KIRQL old_a, old_b;

    (void)state;
    KeInitializeSpinLock(&a);
    KeInitializeSpinLock(&b);
    KeAcquireSpinLock(&a, &old_a);
    KeAcquireSpinLock(&b, &old_b);
    assert_int_equal(old_b, DISPATCH_LEVEL);
    KeReleaseSpinLock(&b, old_b);
    KeReleaseSpinLock(&a, old_a);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

struct shared {
    KSPIN_LOCK lock;
    unsigned long count; /* guarded by lock */
};

#define ROUNDS  20000
#define THREADS 4

static void *count_up(void *arg)
{
    struct shared *shared = arg;

    for (int i = 0; i < ROUNDS; i++) {
        KIRQL old;

        KeAcquireSpinLock(&shared->lock, &old);
        shared->count++;
        KeReleaseSpinLock(&shared->lock, old);
    }
    return NULL;
}

static void excludes_other_threads(void **state)
{
    struct shared shared = {0, 0};
    pthread_t threads[THREADS];

    (void)state;
    KeInitializeSpinLock(&shared.lock);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &shared), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(shared.count, (unsigned long)ROUNDS * THREADS);
    assert_true(KeTestSpinLock(&shared.lock));
}

/* Many threads wait for a holder that takes its time, and all get through. */
static void waiters_that_sleep_are_woken(void **state)
{
    struct shared shared = {0, 0};
    pthread_t threads[THREADS];
    LARGE_INTEGER while_they_queue = {.QuadPart = -200000}; /* 20 ms */
    KIRQL old;

    (void)state;
    KeInitializeSpinLock(&shared.lock);
    KeAcquireSpinLock(&shared.lock, &old);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &shared), 0);
    KeStallExecutionProcessor((ULONG)(-while_they_queue.QuadPart / 10));
    assert_int_equal(shared.count, 0);
    KeReleaseSpinLock(&shared.lock, old);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(shared.count, (unsigned long)ROUNDS * THREADS);
}

static void acquire_twice(void *arg)
{
    KSPIN_LOCK lock = 0;
    KIRQL old;

    (void)arg;
    KeAcquireSpinLock(&lock, &old);
    KeAcquireSpinLock(&lock, &old);
}

static void release_unheld(void *arg)
{
    KSPIN_LOCK lock = 0;

    (void)arg;
    KeRaiseIrqlToDpcLevel();
    KeReleaseSpinLock(&lock, PASSIVE_LEVEL);
}

static void *take(void *lock)
{
    KeAcquireSpinLockRaiseToDpc(lock);
    return NULL;
}

static void release_of_another(void *arg)
{
    KSPIN_LOCK lock = 0;
    pthread_t thread;

    (void)arg;
    pthread_create(&thread, NULL, take, &lock);
    pthread_join(thread, NULL);
    KeRaiseIrqlToDpcLevel();
    KeReleaseSpinLockFromDpcLevel(&lock);
}

static void acquire_above_dispatch(void *arg)
{
    KSPIN_LOCK lock = 0;
    KIRQL old;

    (void)arg;
    KeRaiseIrql(HIGH_LEVEL, &old);
    KeAcquireSpinLock(&lock, &old);
}

static void at_dpc_level_from_passive(void *arg)
{
    KSPIN_LOCK lock = 0;

    (void)arg;
    KeAcquireSpinLockAtDpcLevel(&lock);
}

static void misuse_is_a_bugcheck(void **state)
{
    static const struct {
        void (*fn)(void *arg);
        const char *wants;
    } cases[] = {
        {acquire_twice, "SPIN_LOCK_ALREADY_OWNED"},
        {release_unheld, "which nobody holds"},
        {release_of_another, "which another thread holds"},
        {acquire_above_dispatch, "KeAcquireSpinLockRaiseToDpc was called at IRQL 15"},
        {at_dpc_level_from_passive, "must be called at DISPATCH_LEVEL"},
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
        cmocka_unit_test(raises_and_restores_the_irql),
        cmocka_unit_test(locks_nest),
        cmocka_unit_test(excludes_other_threads),
        cmocka_unit_test(waiters_that_sleep_are_woken),
        cmocka_unit_test(misuse_is_a_bugcheck),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
