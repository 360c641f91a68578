/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/ke_timer.h"
#include "support/death.h"

#include <wdm.h>

static LARGE_INTEGER after_ms(LONGLONG ms)
{
    LARGE_INTEGER due;

    due.QuadPart = -ms * 10000;
    return due;
}

static void expires(void **state)
{
    LARGE_INTEGER absolute;
    KTIMER timer;

    (void)state;
    KeInitializeTimer(&timer);
    assert_false(KeReadStateTimer(&timer));
    assert_false(KeSetTimer(&timer, after_ms(1), NULL));
    assert_int_equal(
        KeWaitForSingleObject(&timer, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    assert_true(KeReadStateTimer(&timer)); /* a notification timer stays signalled */
    assert_false(KeCancelTimer(&timer));

    KeQuerySystemTime(&absolute);
    assert_false(KeSetTimer(&timer, absolute, NULL));
    assert_int_equal(
        KeWaitForSingleObject(&timer, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
}

static void set_again_and_cancelled(void **state)
{
    LARGE_INTEGER none = {.QuadPart = 0};
    KTIMER timer, soon;

    (void)state;
    KeInitializeTimerEx(&timer, SynchronizationTimer);
    KeInitializeTimer(&soon);
    assert_false(KeSetTimer(&timer, after_ms(3600000), NULL));
    assert_int_equal(kenv_timer_count_once(), 1);
    assert_ptr_equal(kenv_timer_find(&timer, sizeof(timer)), &timer);
    assert_null(kenv_timer_find(&soon, sizeof(soon)));
    /* One that is due earlier passes it. */
    assert_false(KeSetTimer(&soon, after_ms(1), NULL));
    assert_int_equal(
        KeWaitForSingleObject(&soon, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    assert_int_equal(
        KeWaitForSingleObject(&timer, Executive, KernelMode, FALSE, &none), STATUS_TIMEOUT);
    assert_true(KeSetTimer(&timer, after_ms(7200000), NULL));
    assert_true(KeCancelTimer(&timer));
    assert_false(KeCancelTimer(&timer));
    assert_int_equal(kenv_timer_count_once(), 0);
    assert_true(kenv_timer_next_ns() == UINT64_MAX);
    /* A synchronization timer is used up by the wait that it satisfies. */
    assert_false(KeSetTimer(&timer, after_ms(0), NULL));
    assert_int_equal(
        KeWaitForSingleObject(&timer, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    assert_false(KeReadStateTimer(&timer));
}

struct beat {
    LONG count;
    KEVENT enough;
};

static VOID on_beat(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct beat *beat = context;

    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(argument1);
    UNREFERENCED_PARAMETER(argument2);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    if (InterlockedIncrement(&beat->count) == 3)
        KeSetEvent(&beat->enough, 0, FALSE);
}

static void periodic(void **state)
{
    struct beat beat = {0};
    LONG seen;
    KTIMER timer;
    KDPC dpc;

    (void)state;
    KeInitializeEvent(&beat.enough, NotificationEvent, FALSE);
    KeInitializeTimer(&timer);
    KeInitializeDpc(&dpc, on_beat, &beat);
    assert_false(KeSetCoalescableTimer(&timer, after_ms(1), 1, 5, &dpc));
    assert_int_equal(
        KeWaitForSingleObject(&beat.enough, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    assert_true(KeCancelTimer(&timer));
    KeFlushQueuedDpcs();
    /* After cancel and flush it is over. */
    seen = beat.count;
    assert_true(seen >= 3);
    assert_true(kenv_timer_next_ns() == UINT64_MAX);
    KeFlushQueuedDpcs();
    assert_int_equal(beat.count, seen);
}

static void set_garbage(void *unused)
{
    KTIMER timer;

    (void)unused;
    memset(&timer, 0, sizeof(timer));
    KeSetTimer(&timer, after_ms(1), NULL);
}

static void misuse(void **state)
{
    char text[8192];

    (void)state;
    assert_int_equal(death_of(set_garbage, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "not an initialised timer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(expires),
        cmocka_unit_test(set_again_and_cancelled),
        cmocka_unit_test(periodic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
