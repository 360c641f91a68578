/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/ke_dpc.h"
#include "support/death.h"

struct log {
    KSPIN_LOCK lock;
    ULONG_PTR order[16];
    int count;
    KEVENT blocked, go_on;
};

static VOID note(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct log *log = context;

    UNREFERENCED_PARAMETER(dpc);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    assert_true(kenv_dpc_is_here());
    KeAcquireSpinLockAtDpcLevel(&log->lock);
    log->order[log->count++] = (ULONG_PTR)argument1 + (ULONG_PTR)argument2;
    KeReleaseSpinLockFromDpcLevel(&log->lock);
}

/* Keeps the queue standing until the test lets it go; a real DPC may not wait. */
static VOID hold(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct log *log = context;

    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(argument1);
    UNREFERENCED_PARAMETER(argument2);
    KeSetEvent(&log->blocked, 0, FALSE);
    while (KeReadStateEvent(&log->go_on) == 0)
        YieldProcessor();
}

static void in_order_and_once(void **state)
{
    static struct log log;
    KDPC holder, dpcs[6];

    (void)state;
    KeInitializeEvent(&log.blocked, NotificationEvent, FALSE);
    KeInitializeEvent(&log.go_on, NotificationEvent, FALSE);
    KeInitializeDpc(&holder, hold, &log);
    assert_true(KeInsertQueueDpc(&holder, NULL, NULL));
    assert_int_equal(
        KeWaitForSingleObject(&log.blocked, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    assert_false(kenv_dpc_is_idle());
    for (ULONG_PTR i = 0; i < ARRAYSIZE(dpcs); i++) {
        KeInitializeDpc(&dpcs[i], note, &log);
        if (i == 5)
            KeSetImportanceDpc(&dpcs[i], HighImportance);
        assert_true(KeInsertQueueDpc(&dpcs[i], (PVOID)(i * 10), (PVOID)i));
        assert_false(KeInsertQueueDpc(&dpcs[i], (PVOID)7, (PVOID)7));
    }
    assert_ptr_equal(kenv_dpc_find(&dpcs[3], sizeof(dpcs[3])), &dpcs[3]);
    assert_null(kenv_dpc_find(&log, sizeof(log)));
    assert_true(KeRemoveQueueDpc(&dpcs[2]));
    assert_false(KeRemoveQueueDpc(&dpcs[2]));
    assert_true(KeRemoveQueueDpc(&dpcs[4])); /* the last one */
    assert_true(KeInsertQueueDpc(&dpcs[4], (PVOID)40, (PVOID)4));
    KeSetEvent(&log.go_on, 0, FALSE);
    KeFlushQueuedDpcs();
    assert_int_equal(log.count, 5);
    assert_int_equal(log.order[0], 55);
    assert_int_equal(log.order[1], 0);
    assert_int_equal(log.order[2], 11);
    assert_int_equal(log.order[3], 33);
    assert_int_equal(log.order[4], 44);
    /* It may be queued again, from the same thread or another. */
    assert_true(KeInsertQueueDpc(&dpcs[2], (PVOID)1, (PVOID)1));
    KeFlushQueuedDpcs();
    assert_int_equal(log.order[5], 2);
}

static void numbers(void **state)
{
    PROCESSOR_NUMBER good = {0, 0, 0}, bad = {3, 0, 0};
    KDPC dpc;

    (void)state;
    KeInitializeThreadedDpc(&dpc, note, NULL);
    KeSetTargetProcessorDpc(&dpc, 1);
    assert_int_equal(KeSetTargetProcessorDpcEx(&dpc, &good), STATUS_SUCCESS);
    assert_int_equal(KeSetTargetProcessorDpcEx(&dpc, &bad), STATUS_INVALID_PARAMETER);
}

static void queue_garbage(void *unused)
{
    KDPC dpc;

    (void)unused;
    memset(&dpc, 0, sizeof(dpc));
    KeInsertQueueDpc(&dpc, NULL, NULL);
}

static void flush_high(void *unused)
{
    (void)unused;
    KeRaiseIrqlToDpcLevel();
    KeFlushQueuedDpcs();
}

static void misuse(void **state)
{
    char text[8192];

    (void)state;
    assert_int_equal(death_of(queue_garbage, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "not an initialised DPC"));
    assert_int_equal(death_of(flush_high, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "KeFlushQueuedDpcs was called at IRQL 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(numbers),
        cmocka_unit_test(in_order_and_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
