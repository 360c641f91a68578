/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "support/death.h"

#include <wdm.h>

struct beat {
    LONG count;
    KEVENT enough, deleted;
    BOOLEAN shall_delete;
    EXT_DELETE_PARAMETERS parameters;
};

static VOID on_delete(PVOID context)
{
    struct beat *beat = context;

    KeSetEvent(&beat->deleted, 0, FALSE);
}

static VOID on_beat(PEX_TIMER timer, PVOID context)
{
    struct beat *beat = context;

    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    if (InterlockedIncrement(&beat->count) != 3)
        return;
    if (beat->shall_delete)
        ExDeleteTimer(timer, TRUE, FALSE, &beat->parameters); /* from its own callback */
    KeSetEvent(&beat->enough, 0, FALSE);
}

static void init(struct beat *beat)
{
    memset(beat, 0, sizeof(*beat));
    KeInitializeEvent(&beat->enough, NotificationEvent, FALSE);
    KeInitializeEvent(&beat->deleted, NotificationEvent, FALSE);
    ExInitializeDeleteTimerParameters(&beat->parameters);
    beat->parameters.DeleteCallback = on_delete;
    beat->parameters.DeleteContext = beat;
}

static void periodic_until_deleted(void **state)
{
    EXT_SET_PARAMETERS set;
    struct beat beat;
    PEX_TIMER timer;
    LONG seen;

    (void)state;
    init(&beat);
    ExInitializeSetTimerParameters(&set);
    timer = ExAllocateTimer(on_beat, &beat, EX_TIMER_HIGH_RESOLUTION);
    assert_non_null(timer);
    assert_false(ExSetTimer(timer, -10000, 1, &set)); /* 0.1 us becomes 1 ms */
    (void)KeWaitForSingleObject(&beat.enough, Executive, KernelMode, FALSE, NULL);
    assert_true(ExDeleteTimer(timer, TRUE, TRUE, &beat.parameters));
    assert_int_equal(KeReadStateEvent(&beat.deleted), 1);
    seen = beat.count;
    KeFlushQueuedDpcs();
    assert_int_equal(beat.count, seen);
}

static void deleted_by_its_callback(void **state)
{
    struct beat beat;
    PEX_TIMER timer;

    (void)state;
    init(&beat);
    beat.shall_delete = TRUE;
    timer = ExAllocateTimer(on_beat, &beat, 0);
    assert_false(ExSetTimer(timer, -10000, 10000, NULL));
    (void)KeWaitForSingleObject(&beat.deleted, Executive, KernelMode, FALSE, NULL);
    KeFlushQueuedDpcs();
    assert_int_equal(beat.count, 3);
}

static void waited_for_and_cancelled(void **state)
{
    LARGE_INTEGER none = {.QuadPart = 0};
    PEX_TIMER timer = ExAllocateTimer(NULL, NULL, EX_TIMER_NOTIFICATION);

    (void)state;
    assert_false(ExSetTimer(timer, -10000, 0, NULL));
    assert_int_equal(
        KeWaitForSingleObject(timer, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    assert_false(ExCancelTimer(timer, NULL));
    assert_false(ExSetTimer(timer, -36000000000, 0, NULL));
    assert_int_equal(
        KeWaitForSingleObject(timer, Executive, KernelMode, FALSE, &none), STATUS_TIMEOUT);
    assert_true(ExCancelTimer(timer, NULL));
    assert_false(ExDeleteTimer(timer, FALSE, FALSE, NULL));
    KeFlushQueuedDpcs();
}

static void delete_while_set(void *unused)
{
    PEX_TIMER timer = ExAllocateTimer(NULL, NULL, 0);

    (void)unused;
    ExSetTimer(timer, -36000000000, 0, NULL);
    ExDeleteTimer(timer, FALSE, FALSE, NULL);
}

static void misuse(void **state)
{
    char text[8192];

    (void)state;
    assert_int_equal(death_of(delete_while_set, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "Cancel is FALSE"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(periodic_until_deleted),
        cmocka_unit_test(deleted_by_its_callback),
        cmocka_unit_test(waited_for_and_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
