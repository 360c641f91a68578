/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "support/death.h"

#include <pthread.h>
#include <stdlib.h>
#include <wdm.h>

#define THREADS 4
#define ROUNDS  500

static void counts(void **state)
{
    EX_RUNDOWN_REF ref;

    (void)state;
    ExInitializeRundownProtection(&ref);
    assert_true(ExAcquireRundownProtection(&ref));
    assert_true(ExAcquireRundownProtectionEx(&ref, 4));
    ExReleaseRundownProtectionEx(&ref, 3);
    ExReleaseRundownProtection(&ref);
    ExReleaseRundownProtection(&ref);
    ExWaitForRundownProtectionRelease(&ref);
    assert_false(ExAcquireRundownProtection(&ref));
    ExWaitForRundownProtectionRelease(&ref); /* a second time is fine */
    ExReInitializeRundownProtection(&ref);
    assert_true(ExAcquireRundownProtection(&ref));
    ExReleaseRundownProtection(&ref);
    ExRundownCompleted(&ref);
    assert_false(ExAcquireRundownProtectionEx(&ref, 2));
}

/* The last release and the end of the waiter's memory follow each other at once. */
static void *use_until_over(void *ref)
{
    while (ExAcquireRundownProtection(ref))
        ExReleaseRundownProtection(ref);
    return NULL;
}

static void *release_once(void *ref)
{
    ExReleaseRundownProtection(ref);
    return NULL;
}

static void waits_for_all(void **state)
{
    EX_RUNDOWN_REF ref;
    pthread_t threads[THREADS], last;

    (void)state;
    for (int round = 0; round < 20; round++) {
        ExInitializeRundownProtection(&ref);
        assert_true(ExAcquireRundownProtection(&ref));
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, use_until_over, &ref), 0);
        assert_int_equal(pthread_create(&last, NULL, release_once, &ref), 0);
        ExWaitForRundownProtectionRelease(&ref);
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(pthread_join(last, NULL), 0);
    }
}

static struct {
    EX_PUSH_LOCK lock;
    int count, copy;
} pushed;

static void *push(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        ExAcquirePushLockExclusive(&pushed.lock);
        pushed.count++;
        pushed.copy++;
        ExReleasePushLockExclusive(&pushed.lock);
        ExAcquirePushLockShared(&pushed.lock);
        if (pushed.count != pushed.copy)
            abort();
        ExReleasePushLockShared(&pushed.lock);
    }
    return NULL;
}

static void push_locks_exclude(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    ExInitializePushLock(&pushed.lock);
    ExAcquirePushLockShared(&pushed.lock);
    ExAcquirePushLockShared(&pushed.lock);
    ExReleasePushLockShared(&pushed.lock);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, push, NULL), 0);
    ExReleasePushLockShared(&pushed.lock);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(pushed.count, THREADS * ROUNDS);
    assert_int_equal(pushed.lock, 0);
}

static void release_too_often(void *unused)
{
    EX_RUNDOWN_REF ref;

    (void)unused;
    ExInitializeRundownProtection(&ref);
    (void)ExAcquireRundownProtection(&ref);
    ExReleaseRundownProtectionEx(&ref, 2);
}

static void again_too_early(void *unused)
{
    EX_RUNDOWN_REF ref;

    (void)unused;
    ExInitializeRundownProtection(&ref);
    ExReInitializeRundownProtection(&ref);
}

static void pop_the_wrong_way(void *unused)
{
    EX_PUSH_LOCK lock;

    (void)unused;
    ExInitializePushLock(&lock);
    ExAcquirePushLockShared(&lock);
    ExReleasePushLockExclusive(&lock);
}

static void wait_high(void *unused)
{
    EX_RUNDOWN_REF ref;

    (void)unused;
    ExInitializeRundownProtection(&ref);
    KeRaiseIrqlToDpcLevel();
    ExWaitForRundownProtectionRelease(&ref);
}

static void misuse(void **state)
{
    static const struct {
        void (*fn)(void *);
        const char *says;
    } cases[] = {
        {release_too_often, "released more often than it was acquired"},
        {again_too_early, "has not been run down"},
        {pop_the_wrong_way, "not held that way"},
        {wait_high, "ExWaitForRundownProtectionRelease was called at IRQL 2"},
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
        cmocka_unit_test(counts),
        cmocka_unit_test(waits_for_all),
        cmocka_unit_test(push_locks_exclude),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
