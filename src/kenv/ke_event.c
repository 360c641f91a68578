/* SPDX-License-Identifier: MIT */
/* Events; waiting for them is in ke_wait.c. */
#include "kenv/irql.h"
#include "kenv/wait.h"

static void require_event(const KEVENT *event, const char *function)
{
    kenv_wait_require(
        &event->Header, KENV_EVENT_NOTIFICATION, KENV_EVENT_SYNCHRONIZATION, function);
}

VOID KeInitializeEvent(PKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
    kenv_wait_init(&Event->Header,
        Type == NotificationEvent ? KENV_EVENT_NOTIFICATION : KENV_EVENT_SYNCHRONIZATION,
        State != FALSE);
}

LONG KeSetEvent(PKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    struct kenv_bucket *bucket;
    LONG before;

    UNREFERENCED_PARAMETER(Increment);
    NDK_REQUIRE_IRQL_MAX(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    require_event(Event, __func__);
    bucket = kenv_wait_lock(&Event->Header);
    before = kenv_wait_state(&Event->Header);
    if (before == 0)
        kenv_wait_set(bucket, &Event->Header, 1);
    kenv_wait_unlock(bucket);
    return before;
}

LONG KePulseEvent(PKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    struct kenv_bucket *bucket;
    LONG before;

    UNREFERENCED_PARAMETER(Increment);
    NDK_REQUIRE_IRQL_MAX(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    require_event(Event, __func__);
    bucket = kenv_wait_lock(&Event->Header);
    before = kenv_wait_state(&Event->Header);
    if (before == 0)
        kenv_wait_set(bucket, &Event->Header, 1);
    kenv_wait_set(bucket, &Event->Header, 0);
    kenv_wait_unlock(bucket);
    return before;
}

LONG KeResetEvent(PKEVENT Event)
{
    struct kenv_bucket *bucket;
    LONG before;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    require_event(Event, __func__);
    bucket = kenv_wait_lock(&Event->Header);
    before = kenv_wait_state(&Event->Header);
    kenv_wait_set(bucket, &Event->Header, 0);
    kenv_wait_unlock(bucket);
    return before;
}

VOID KeClearEvent(PKEVENT Event)
{
    KeResetEvent(Event);
}

LONG KeReadStateEvent(PKEVENT Event)
{
    return kenv_wait_state(&Event->Header);
}
