/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/worker.h"
#include "support/death.h"

#define ITEMS 20

struct job {
    WORK_QUEUE_ITEM item;
    LONG *started;
    KEVENT go_on, done;
    int again;
};

static VOID wait_for_the_others(PVOID parameter)
{
    struct job *job = parameter;

    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    InterlockedIncrement(job->started);
    (void)KeWaitForSingleObject(&job->go_on, Executive, KernelMode, FALSE, NULL);
    KeSetEvent(&job->done, 0, FALSE);
}

/* Items that block do not keep others from running. */
static void all_run_at_once(void **state)
{
    static struct job jobs[ITEMS];
    LONG started = 0;

    (void)state;
    for (int i = 0; i < ITEMS; i++) {
        jobs[i].started = &started;
        KeInitializeEvent(&jobs[i].go_on, NotificationEvent, FALSE);
        KeInitializeEvent(&jobs[i].done, NotificationEvent, FALSE);
        ExInitializeWorkItem(&jobs[i].item, wait_for_the_others, &jobs[i]);
        ExQueueWorkItem(&jobs[i].item, i % 2 ? DelayedWorkQueue : CriticalWorkQueue);
    }
    while (ReadAcquire(&started) < ITEMS)
        YieldProcessor();
    assert_int_equal(kenv_worker_count(), ITEMS);
    assert_false(kenv_worker_is_queued(&jobs[3].item));
    for (int i = 0; i < ITEMS; i++)
        KeSetEvent(&jobs[i].go_on, 0, FALSE);
    for (int i = 0; i < ITEMS; i++)
        (void)KeWaitForSingleObject(&jobs[i].done, Executive, KernelMode, FALSE, NULL);
    while (kenv_worker_count() != 0)
        YieldProcessor();
}

static VOID queue_again(PVOID parameter)
{
    struct job *job = parameter;

    if (job->again-- > 0)
        ExQueueWorkItem(&job->item, DelayedWorkQueue);
    else
        KeSetEvent(&job->done, 0, FALSE);
}

static void an_item_may_queue_itself(void **state)
{
    static struct job job;

    (void)state;
    job.again = 10;
    KeInitializeEvent(&job.done, NotificationEvent, FALSE);
    ExInitializeWorkItem(&job.item, queue_again, &job);
    ExQueueWorkItem(&job.item, DelayedWorkQueue);
    (void)KeWaitForSingleObject(&job.done, Executive, KernelMode, FALSE, NULL);
    assert_int_equal(job.again, -1);
}

static VOID stay_high(PVOID parameter)
{
    UNREFERENCED_PARAMETER(parameter);
    KeRaiseIrqlToDpcLevel();
}

static VOID keep_a_mutex(PVOID parameter)
{
    (void)KeWaitForSingleObject(parameter, Executive, KernelMode, FALSE, NULL);
}

static VOID stay_in_a_region(PVOID parameter)
{
    UNREFERENCED_PARAMETER(parameter);
    KeEnterCriticalRegion();
}

static void run_it(PWORKER_THREAD_ROUTINE routine)
{
    static WORK_QUEUE_ITEM item;
    static KMUTEX mutex;

    KeInitializeMutex(&mutex, 0);
    ExInitializeWorkItem(&item, routine, &mutex);
    ExQueueWorkItem(&item, DelayedWorkQueue);
    for (;;)
        pause();
}

static void run_high(void *unused)
{
    (void)unused;
    run_it(stay_high);
}

static void run_mutex(void *unused)
{
    (void)unused;
    run_it(keep_a_mutex);
}

static void run_region(void *unused)
{
    (void)unused;
    run_it(stay_in_a_region);
}

static void run_nothing(void *unused)
{
    (void)unused;
    run_it(NULL);
}

static void misuse(void **state)
{
    static const struct {
        void (*fn)(void *);
        const char *says;
    } cases[] = {
        {run_high, "WORKER_THREAD_RETURNED_AT_BAD_IRQL"},
        {run_mutex, "THREAD_TERMINATE_HELD_MUTEX"},
        {run_region, "inside a critical or guarded region"},
        {run_nothing, "INVALID_WORK_QUEUE_ITEM"},
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
        cmocka_unit_test(misuse), /* first: it forks, and threads do not come along */
        cmocka_unit_test(all_run_at_once),
        cmocka_unit_test(an_item_may_queue_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
