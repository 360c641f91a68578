/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/ke_time.h"

static void clocks_go_forward(void **state)
{
    LARGE_INTEGER frequency, a = KeQueryPerformanceCounter(&frequency), b, system;
    ULONGLONG i = KeQueryInterruptTime();

    (void)state;
    KeStallExecutionProcessor(1000);
    b = KeQueryPerformanceCounter(NULL);
    assert_true(frequency.QuadPart >= 1000000);
    assert_true((b.QuadPart - a.QuadPart) * 1000 >= frequency.QuadPart);
    assert_true(KeQueryInterruptTime() - i >= 10000);
    KeQuerySystemTime(&system);
    KeQuerySystemTimePrecise(&a);
    assert_true(a.QuadPart >= system.QuadPart);
    /* Between 1 January 2020 and 1 January 2200. */
    assert_true(system.QuadPart > 132223104000000000 && system.QuadPart < 189024192000000000);
    KeQueryTickCount(&a);
    assert_true((ULONGLONG)a.QuadPart * KeQueryTimeIncrement() <= KeQueryInterruptTime());
}

static struct kenv_deadline deadline(LONGLONG timeout)
{
    LARGE_INTEGER t = {.QuadPart = timeout};

    return kenv_deadline_from(&t);
}

static void deadlines(void **state)
{
    /* 1970 is this many units after 1601. */
    const LONGLONG epoch = 116444736000000000;
    struct kenv_deadline d;
    struct timespec before, after;

    (void)state;
    assert_true(kenv_deadline_from(NULL).is_endless);

    d = deadline(epoch + 12345678);
    assert_true(d.is_realtime);
    assert_false(d.is_endless);
    assert_int_equal(d.at.tv_sec, 1);
    assert_int_equal(d.at.tv_nsec, 234567800);

    d = deadline(1); /* in the year 1601: long ago */
    assert_true(d.is_realtime);
    assert_int_equal(d.at.tv_sec, 0);
    d = deadline(epoch - 1);
    assert_int_equal(d.at.tv_sec, 0);

    clock_gettime(CLOCK_MONOTONIC, &before);
    d = deadline(-19999999);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_false(d.is_realtime);
    assert_true(d.at.tv_nsec >= 0 && d.at.tv_nsec < 1000000000);
    assert_true(d.at.tv_sec - before.tv_sec >= 1 && d.at.tv_sec - after.tv_sec <= 3);

    /* Longer than any clock goes, at both ends of the type. */
    assert_true(deadline(INT64_MIN).is_endless || deadline(INT64_MIN).at.tv_sec > 900000000);
    assert_true(deadline(INT64_MAX).is_realtime || deadline(INT64_MAX).is_endless);
    assert_false(deadline(INT64_MAX).at.tv_sec < 0);
}

static void a_delay_takes_its_time(void **state)
{
    LARGE_INTEGER t = {.QuadPart = -30000};
    ULONGLONG start = KeQueryInterruptTime();

    (void)state;
    assert_int_equal(KeDelayExecutionThread(KernelMode, FALSE, &t), STATUS_SUCCESS);
    assert_true(KeQueryInterruptTime() - start >= 30000);
    t.QuadPart = 1; /* absolute and past */
    assert_int_equal(KeDelayExecutionThread(KernelMode, FALSE, &t), STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_go_forward),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(a_delay_takes_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
