/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/io.h"
#include "kenv/worker.h"
#include "support/death.h"

#include <stdlib.h>

struct run {
    KEVENT done;
    PVOID object;
    PIO_WORKITEM item;
    int again;
};

static VOID plain(PDEVICE_OBJECT device, PVOID context)
{
    struct run *run = context;

    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    run->object = device;
    KeSetEvent(&run->done, 0, FALSE);
}

static VOID extended(PVOID object, PVOID context, PIO_WORKITEM item)
{
    struct run *run = context;

    run->object = object;
    run->item = item;
    if (run->again-- > 0) {
        IoQueueWorkItemEx(item, extended, DelayedWorkQueue, run);
        return;
    }
    IoFreeWorkItem(item); /* allowed in its own routine */
    KeSetEvent(&run->done, 0, FALSE);
}

static void runs_with_its_device(void **state)
{
    PDRIVER_OBJECT driver = kenv_driver_create("work", NULL);
    PDEVICE_OBJECT device = NULL;
    PIO_WORKITEM item;
    struct run run = {.again = 0};

    (void)state;
    assert_int_equal(
        IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device), STATUS_SUCCESS);
    KeInitializeEvent(&run.done, SynchronizationEvent, FALSE);
    item = IoAllocateWorkItem(device);
    assert_non_null(item);
    IoQueueWorkItem(item, plain, DelayedWorkQueue, &run);
    (void)KeWaitForSingleObject(&run.done, Executive, KernelMode, FALSE, NULL);
    assert_ptr_equal(run.object, device);
    while (kenv_worker_count() != 0)
        YieldProcessor();
    run.again = 3;
    IoQueueWorkItemEx(item, extended, CriticalWorkQueue, &run);
    (void)KeWaitForSingleObject(&run.done, Executive, KernelMode, FALSE, NULL);
    assert_ptr_equal(run.object, device);
    assert_ptr_equal(run.item, item);
    while (kenv_worker_count() != 0)
        YieldProcessor();
    /* No reference of the queue's is left: the device's memory goes with this. */
    IoDeleteDevice(device);
    kenv_driver_destroy(driver);
}

static void in_memory_of_the_driver(void **state)
{
    PIO_WORKITEM item = malloc(IoSizeofWorkItem());
    struct run run;
    int object;

    (void)state;
    assert_non_null(item);
    KeInitializeEvent(&run.done, NotificationEvent, FALSE);
    IoInitializeWorkItem(&object, item);
    IoQueueWorkItem(item, plain, DelayedWorkQueue, &run);
    (void)KeWaitForSingleObject(&run.done, Executive, KernelMode, FALSE, NULL);
    assert_ptr_equal(run.object, &object);
    IoUninitializeWorkItem(item);
    while (kenv_worker_count() != 0)
        YieldProcessor();
    free(item);
}

static void free_while_queued(void *unused)
{
    PIO_WORKITEM item = IoAllocateWorkItem(NULL);

    (void)unused;
    /* As if queued: the list entry has a link. */
    ((PWORK_QUEUE_ITEM)(void *)item)->List.Flink = &((PWORK_QUEUE_ITEM)(void *)item)->List;
    IoFreeWorkItem(item);
}

static void queue_at_high_irql(void *unused)
{
    PIO_WORKITEM item = IoAllocateWorkItem(NULL);
    KIRQL old;

    (void)unused;
    KeRaiseIrql(HIGH_LEVEL, &old);
    IoQueueWorkItem(item, plain, DelayedWorkQueue, NULL);
}

static void misuse(void **state)
{
    char text[8192];

    (void)state;
    assert_int_equal(death_of(free_while_queued, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "still queued"));
    assert_int_equal(death_of(queue_at_high_irql, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "IoQueueWorkItem was called at IRQL 15"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(runs_with_its_device),
        cmocka_unit_test(in_memory_of_the_driver),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
