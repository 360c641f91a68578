/* SPDX-License-Identifier: MIT */
/*
 * Resources. What a resource knows is in memory of its own: a lock, a condition, and who holds it
 * how often; that of readers in a list, because readers may come again.
 */
#include "base/alloc.h"
#include "kenv/bugcheck.h"
#include "kenv/irql.h"
#include "kenv/report.h"

#include <pthread.h>

struct reader {
    struct reader *next;
    ERESOURCE_THREAD thread;
    ULONG count;
};

struct _SOFTNDK_RESOURCE {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    ERESOURCE_THREAD writer; /* 0: none. All below and this guarded by lock */
    ULONG writer_count;
    struct reader *readers;
    ULONG writers_waiting, readers_waiting;
    struct kenv_tracked *tracked;
};

enum how { SHARED, STARVE_WRITERS, WAIT_FOR_WRITERS };

/* The resource's state, locked. */
static struct _SOFTNDK_RESOURCE *enter(PERESOURCE resource, const char *function)
{
    struct _SOFTNDK_RESOURCE *r = resource->Reserved;

    if (r == NULL)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)resource, 0, 0, 0,
            "%s was given resource %p, which was never initialised or was deleted", function,
            (void *)resource);
    pthread_mutex_lock(&r->lock);
    return r;
}

static void leave(struct _SOFTNDK_RESOURCE *r)
{
    pthread_mutex_unlock(&r->lock);
}

static struct reader **find(struct _SOFTNDK_RESOURCE *r, ERESOURCE_THREAD thread)
{
    struct reader **at = &r->readers;

    while (*at != NULL && (*at)->thread != thread)
        at = &(*at)->next;
    return at;
}

static void add_reader(struct _SOFTNDK_RESOURCE *r, ERESOURCE_THREAD thread, ULONG count)
{
    struct reader **at = find(r, thread);

    if (*at == NULL) {
        *at = sn_zalloc(sizeof(**at));
        if (*at == NULL)
            kenv_bugcheck(MEMORY_MANAGEMENT, (ULONG_PTR)r, 0, 0, 0,
                "no memory is left to note a reader of a resource");
        (*at)->thread = thread;
    }
    (*at)->count += count;
}

NTSTATUS ExInitializeResourceLite(PERESOURCE Resource)
{
    struct _SOFTNDK_RESOURCE *r = sn_zalloc(sizeof(*r));

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (r == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    memset(Resource, 0, sizeof(*Resource));
    if (pthread_mutex_init(&r->lock, NULL) != 0 || pthread_cond_init(&r->changed, NULL) != 0) {
        sn_free(r);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    r->tracked = kenv_track(SoftNdkDrvResource, Resource, 0, 0, "resource");
    Resource->Reserved = r;
    return STATUS_SUCCESS;
}

static void require_free(struct _SOFTNDK_RESOURCE *r, PERESOURCE resource, const char *function)
{
    if (r->writer != 0 || r->readers != NULL)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)resource, 0, 0, 0,
            "%s: resource %p is held", function, (void *)resource);
}

NTSTATUS ExReinitializeResourceLite(PERESOURCE Resource)
{
    struct _SOFTNDK_RESOURCE *r = enter(Resource, __func__);

    require_free(r, Resource, __func__);
    leave(r);
    return STATUS_SUCCESS;
}

NTSTATUS ExDeleteResourceLite(PERESOURCE Resource)
{
    struct _SOFTNDK_RESOURCE *r;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    r = enter(Resource, __func__);
    require_free(r, Resource, __func__);
    leave(r);
    Resource->Reserved = NULL;
    kenv_untrack(r->tracked);
    (void)pthread_cond_destroy(&r->changed);
    (void)pthread_mutex_destroy(&r->lock);
    sn_free(r);
    return STATUS_SUCCESS;
}

static void require_no_apcs(PERESOURCE resource)
{
    static const struct kenv_report broken = {
        .rule = "resource-without-critical-region",
        .text = "a resource is acquired with normal kernel APCs enabled: the thread could be "
                "suspended while it holds it",
        .advice = "call KeEnterCriticalRegion before and KeLeaveCriticalRegion after",
    };
    struct kenv_report report = broken;

    if (KeAreApcsDisabled())
        return;
    report.object = resource;
    kenv_report(&report);
}

/* Waits while another thread is inside. False: it must not wait. */
static bool wait(struct _SOFTNDK_RESOURCE *r, ULONG *waiting, BOOLEAN may_wait)
{
    if (!may_wait)
        return false;
    ++*waiting;
    pthread_cond_wait(&r->changed, &r->lock);
    --*waiting;
    return true;
}

BOOLEAN ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait)
{
    ERESOURCE_THREAD me = ExGetCurrentResourceThread();
    struct _SOFTNDK_RESOURCE *r;
    bool is_mine = false;

    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    require_no_apcs(Resource);
    r = enter(Resource, __func__);
    if (*find(r, me) != NULL && Wait)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)Resource, 0, 0, 0,
            "the thread waits for resource %p exclusively and holds it shared; it would wait for "
            "itself for ever",
            (void *)Resource);
    for (;;) {
        is_mine = r->writer == me || (r->writer == 0 && r->readers == NULL);
        if (is_mine || !wait(r, &r->writers_waiting, Wait))
            break;
    }
    if (is_mine) {
        r->writer = me;
        r->writer_count++;
    }
    leave(r);
    return is_mine;
}

static BOOLEAN acquire_shared(
    PERESOURCE resource, BOOLEAN may_wait, enum how how, const char *function)
{
    ERESOURCE_THREAD me = ExGetCurrentResourceThread();
    struct _SOFTNDK_RESOURCE *r;
    bool is_mine;

    require_no_apcs(resource);
    r = enter(resource, function);
    if (r->writer == me) {
        r->writer_count++;
        leave(r);
        return TRUE;
    }
    for (;;) {
        bool is_behind = r->writers_waiting != 0 &&
                         (how == WAIT_FOR_WRITERS || (how == SHARED && *find(r, me) == NULL));

        is_mine = r->writer == 0 && !is_behind;
        if (is_mine || !wait(r, &r->readers_waiting, may_wait))
            break;
    }
    if (is_mine)
        add_reader(r, me, 1);
    leave(r);
    return is_mine;
}

BOOLEAN ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    return acquire_shared(Resource, Wait, SHARED, __func__);
}

BOOLEAN ExAcquireSharedStarveExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    return acquire_shared(Resource, Wait, STARVE_WRITERS, __func__);
}

BOOLEAN ExAcquireSharedWaitForExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    return acquire_shared(Resource, Wait, WAIT_FOR_WRITERS, __func__);
}

SOFTNDK_NORETURN static void not_owned(PERESOURCE resource, const char *function)
{
    kenv_bugcheck(RESOURCE_NOT_OWNED, (ULONG_PTR)resource, ExGetCurrentResourceThread(), 0, 0,
        "%s: the thread does not hold resource %p", function, (void *)resource);
}

VOID ExConvertExclusiveToSharedLite(PERESOURCE Resource)
{
    ERESOURCE_THREAD me = ExGetCurrentResourceThread();
    struct _SOFTNDK_RESOURCE *r = enter(Resource, __func__);

    if (r->writer != me)
        not_owned(Resource, __func__);
    add_reader(r, me, r->writer_count);
    r->writer = 0;
    r->writer_count = 0;
    pthread_cond_broadcast(&r->changed);
    leave(r);
}

VOID ExReleaseResourceForThreadLite(PERESOURCE Resource, ERESOURCE_THREAD ResourceThreadId)
{
    struct _SOFTNDK_RESOURCE *r;
    struct reader **at, *gone;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    r = enter(Resource, __func__);
    if (r->writer == ResourceThreadId) {
        if (--r->writer_count == 0) {
            r->writer = 0;
            pthread_cond_broadcast(&r->changed);
        }
        leave(r);
        return;
    }
    at = find(r, ResourceThreadId);
    if (*at == NULL)
        not_owned(Resource, "ExReleaseResourceLite");
    gone = *at;
    if (--gone->count == 0) {
        *at = gone->next;
        sn_free(gone);
        pthread_cond_broadcast(&r->changed);
    }
    leave(r);
}

VOID ExReleaseResourceLite(PERESOURCE Resource)
{
    ExReleaseResourceForThreadLite(Resource, ExGetCurrentResourceThread());
}

BOOLEAN ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource)
{
    struct _SOFTNDK_RESOURCE *r = enter(Resource, __func__);
    bool is_mine = r->writer == ExGetCurrentResourceThread();

    leave(r);
    return is_mine;
}

ULONG ExIsResourceAcquiredSharedLite(PERESOURCE Resource)
{
    ERESOURCE_THREAD me = ExGetCurrentResourceThread();
    struct _SOFTNDK_RESOURCE *r = enter(Resource, __func__);
    const struct reader *reader = *find(r, me);
    ULONG count = r->writer == me ? r->writer_count : reader != NULL ? reader->count : 0;

    leave(r);
    return count;
}

ULONG ExGetExclusiveWaiterCount(PERESOURCE Resource)
{
    struct _SOFTNDK_RESOURCE *r = enter(Resource, __func__);
    ULONG n = r->writers_waiting;

    leave(r);
    return n;
}

ULONG ExGetSharedWaiterCount(PERESOURCE Resource)
{
    struct _SOFTNDK_RESOURCE *r = enter(Resource, __func__);
    ULONG n = r->readers_waiting;

    leave(r);
    return n;
}

PVOID ExEnterCriticalRegionAndAcquireResourceExclusive(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    (void)ExAcquireResourceExclusiveLite(Resource, TRUE);
    return KeGetCurrentThread();
}

PVOID ExEnterCriticalRegionAndAcquireResourceShared(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    (void)ExAcquireResourceSharedLite(Resource, TRUE);
    return KeGetCurrentThread();
}

VOID ExReleaseResourceAndLeaveCriticalRegion(PERESOURCE Resource)
{
    ExReleaseResourceLite(Resource);
    KeLeaveCriticalRegion();
}
