/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "support/death.h"

#include <pthread.h>
#include <wdm.h>

#define THREADS 4
#define ROUNDS  500

static struct {
    FAST_MUTEX fast;
    KGUARDED_MUTEX guarded;
    int fast_count, guarded_count;
} the;

static void *count(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        ExAcquireFastMutex(&the.fast);
        the.fast_count++;
        ExReleaseFastMutex(&the.fast);
        KeAcquireGuardedMutex(&the.guarded);
        the.guarded_count++;
        KeReleaseGuardedMutex(&the.guarded);
        if (ExTryToAcquireFastMutex(&the.fast)) {
            the.fast_count++;
            ExReleaseFastMutex(&the.fast);
        } else {
            KeEnterCriticalRegion();
            ExAcquireFastMutexUnsafe(&the.fast);
            the.fast_count++;
            ExReleaseFastMutexUnsafe(&the.fast);
            KeLeaveCriticalRegion();
        }
    }
    return NULL;
}

static void exclude(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    ExInitializeFastMutex(&the.fast);
    KeInitializeGuardedMutex(&the.guarded);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(the.fast_count, 2 * THREADS * ROUNDS);
    assert_int_equal(the.guarded_count, THREADS * ROUNDS);
}

static void levels(void **state)
{
    (void)state;
    ExInitializeFastMutex(&the.fast);
    KeInitializeGuardedMutex(&the.guarded);
    ExAcquireFastMutex(&the.fast);
    assert_int_equal(KeGetCurrentIrql(), APC_LEVEL);
    assert_false(ExTryToAcquireFastMutex(&the.fast));
    ExReleaseFastMutex(&the.fast);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_true(KeTryToAcquireGuardedMutex(&the.guarded));
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_true(KeAreAllApcsDisabled());
    assert_false(KeTryToAcquireGuardedMutex(&the.guarded));
    KeReleaseGuardedMutex(&the.guarded);
    assert_false(KeAreAllApcsDisabled());
    KeEnterGuardedRegion();
    KeAcquireGuardedMutexUnsafe(&the.guarded);
    KeReleaseGuardedMutexUnsafe(&the.guarded);
    KeLeaveGuardedRegion();
}

static void twice(void *unused)
{
    (void)unused;
    ExInitializeFastMutex(&the.fast);
    ExAcquireFastMutex(&the.fast);
    ExAcquireFastMutex(&the.fast);
}

static void guarded_twice(void *unused)
{
    (void)unused;
    KeInitializeGuardedMutex(&the.guarded);
    KeAcquireGuardedMutex(&the.guarded);
    KeAcquireGuardedMutex(&the.guarded);
}

static void release_nothing(void *unused)
{
    KIRQL old;

    (void)unused;
    ExInitializeFastMutex(&the.fast);
    KeRaiseIrql(APC_LEVEL, &old);
    ExReleaseFastMutex(&the.fast);
}

static void release_lowered(void *unused)
{
    (void)unused;
    ExInitializeFastMutex(&the.fast);
    ExAcquireFastMutex(&the.fast);
    KeLowerIrql(PASSIVE_LEVEL);
    ExReleaseFastMutex(&the.fast);
}

static void acquire_high(void *unused)
{
    (void)unused;
    KeRaiseIrqlToDpcLevel();
    ExAcquireFastMutex(&the.fast);
}

static void misuse(void **state)
{
    static const struct {
        void (*fn)(void *);
        const char *says;
    } cases[] = {
        {twice, "wait for itself for ever"},
        {guarded_twice, "guarded mutex"},
        {release_nothing, "THREAD_NOT_MUTEX_OWNER"},
        {release_lowered, "the holder is at APC_LEVEL"},
        {acquire_high, "ExAcquireFastMutex was called at IRQL 2"},
    };
    char text[8192];

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        assert_int_equal(death_of(cases[i].fn, NULL, text, sizeof(text)), SIGABRT);
        assert_non_null(strstr(text, cases[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(levels),
        cmocka_unit_test(exclude),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
