/* SPDX-License-Identifier: MIT */
/*
 * Work items: one queue, and as many threads as it takes to have each queued item run at once,
 * within a limit. An item that blocks therefore never keeps another from running, until the limit
 * is reached. Threads that have nothing to do stay for the next item.
 */
#include "kenv/worker.h"

#include "kenv/bugcheck.h"
#include "kenv/irql.h"
#include "kenv/thread.h"

#include <pthread.h>

#define THREADS_MAX 256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
/* All guarded by lock. A queued item has a Flink, the list's head for the last one. */
static LIST_ENTRY queue = {&queue, &queue};
static PLIST_ENTRY last = &queue;
static size_t queued, threads, idle, running;

static PWORK_QUEUE_ITEM item_of(PLIST_ENTRY entry)
{
    return CONTAINING_RECORD(entry, WORK_QUEUE_ITEM, List);
}

/* With the lock held and the queue not empty. Blink holds what tracks the item. */
static PWORK_QUEUE_ITEM take(struct kenv_tracked **tracked)
{
    PLIST_ENTRY entry = queue.Flink;

    queue.Flink = entry->Flink;
    if (last == entry)
        last = &queue;
    queued--;
    *tracked = (struct kenv_tracked *)(void *)entry->Blink;
    entry->Flink = NULL;
    return item_of(entry);
}

static void *worker_main(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        struct kenv_tracked *tracked;
        PWORKER_THREAD_ROUTINE routine;
        PVOID parameter;
        PWORK_QUEUE_ITEM item;

        while (queued == 0) {
            idle++;
            pthread_cond_wait(&wake, &lock);
            idle--;
        }
        item = take(&tracked);
        routine = item->WorkerRoutine;
        parameter = item->Parameter;
        running++;
        pthread_mutex_unlock(&lock);
        kenv_untrack(tracked);
        routine(parameter);
        kenv_thread_require_clean(WORKER_THREAD_RETURNED_AT_BAD_IRQL, "work item routine",
            *(void *const *)(void *)&routine);
        pthread_mutex_lock(&lock);
        running--;
    }
    return NULL;
}

/* With the lock held: one more thread if the idle ones do not suffice. */
static void start_if_needed(void)
{
    pthread_attr_t attributes;
    pthread_t thread;

    if (idle >= queued || threads >= THREADS_MAX || pthread_attr_init(&attributes) != 0)
        return;
    if (pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
        pthread_create(&thread, &attributes, worker_main, NULL) == 0)
        threads++;
    (void)pthread_attr_destroy(&attributes);
    if (threads == 0)
        kenv_bugcheck(MANUALLY_INITIATED_CRASH, 0, 0, 0, 0,
            "the host cannot start a thread that runs work items");
}

bool kenv_worker_queue(PWORK_QUEUE_ITEM item, struct kenv_tracked *tracked)
{
    bool is_new;

    pthread_mutex_lock(&lock);
    is_new = item->List.Flink == NULL;
    if (is_new) {
        item->List.Flink = &queue;
        item->List.Blink = (PLIST_ENTRY)(void *)tracked;
        last->Flink = &item->List;
        last = &item->List;
        queued++;
        start_if_needed();
        pthread_cond_signal(&wake);
    }
    pthread_mutex_unlock(&lock);
    return is_new;
}

bool kenv_worker_is_queued(const WORK_QUEUE_ITEM *item)
{
    bool is_queued;

    pthread_mutex_lock(&lock);
    is_queued = item->List.Flink != NULL;
    pthread_mutex_unlock(&lock);
    return is_queued;
}

size_t kenv_worker_count(void)
{
    size_t n;

    pthread_mutex_lock(&lock);
    n = queued + running;
    pthread_mutex_unlock(&lock);
    return n;
}

const void *kenv_worker_find(const void *start, size_t size)
{
    const void *found = NULL;

    pthread_mutex_lock(&lock);
    for (PLIST_ENTRY i = queue.Flink; i != &queue && found == NULL; i = i->Flink)
        if ((uintptr_t)i - (uintptr_t)start < size)
            found = item_of(i);
    pthread_mutex_unlock(&lock);
    return found;
}

VOID ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType)
{
    UNREFERENCED_PARAMETER(QueueType);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (WorkItem->WorkerRoutine == NULL ||
        !kenv_worker_queue(
            WorkItem, kenv_track(SoftNdkDrvWorkItem, WorkItem, 0, 0, "work item (queued)")))
        kenv_bugcheck(INVALID_WORK_QUEUE_ITEM, (ULONG_PTR)WorkItem, 0, 0, 0,
            "work item %p is queued already, or was never initialised", (void *)WorkItem);
}
