/* SPDX-License-Identifier: MIT */
/*
 * rnic/ calls these on home threads, outside lanes, with no lock held. The routine may close the
 * object that it is told about, so nothing of the object is touched after it; that rnic/ holds a
 * reference for the duration of the call keeps the structure behind the pointer alive till then.
 */
#include "ndk/done.h"

#include "kenv/irql.h"
#include "ndk/obj.h"
#include "ndk/status_map.h"

/* A consumer's routine as rnic/ carries it. */
typedef void ndk_any_fn(void);

static KIRQL enter_consumer(void)
{
    return kenv_irql_set(DISPATCH_LEVEL);
}

static void leave_consumer(KIRQL old, const char *callback)
{
    kenv_irql_callback_done(DISPATCH_LEVEL, old, callback);
}

static void call_close(const struct rnic_done *d, enum sn_status status)
{
    NDK_FN_CLOSE_COMPLETION fn = (NDK_FN_CLOSE_COMPLETION)d->fn;
    KIRQL old;

    (void)status; /* a close cannot fail */
    if (fn == NULL)
        return;
    old = enter_consumer();
    fn(d->ctx);
    leave_consumer(old, "NDK_FN_CLOSE_COMPLETION");
}

static void call_request(const struct rnic_done *d, enum sn_status status)
{
    NDK_FN_REQUEST_COMPLETION fn = (NDK_FN_REQUEST_COMPLETION)d->fn;
    KIRQL old;

    if (fn == NULL)
        return;
    old = enter_consumer();
    fn(d->ctx, ndk_status(status));
    leave_consumer(old, "NDK_FN_REQUEST_COMPLETION");
}

static void call_cq(const struct rnic_cq_notify *n, enum sn_status status)
{
    NDK_FN_CQ_NOTIFICATION_CALLBACK fn = (NDK_FN_CQ_NOTIFICATION_CALLBACK)n->fn;
    KIRQL old = enter_consumer();

    fn(n->ctx, ndk_status(status));
    leave_consumer(old, "NDK_FN_CQ_NOTIFICATION_CALLBACK");
}

static void call_srq(const struct rnic_srq_notify *n, enum sn_status status)
{
    NDK_FN_SRQ_NOTIFICATION_CALLBACK fn = (NDK_FN_SRQ_NOTIFICATION_CALLBACK)n->fn;
    KIRQL old;

    if (fn == NULL)
        return;
    old = enter_consumer();
    fn(n->ctx, ndk_status(status));
    leave_consumer(old, "NDK_FN_SRQ_NOTIFICATION_CALLBACK");
}

/* The connector becomes an NDK object here, where the consumer sees it for the first time. */
static void call_connect(const struct rnic_connect_event *e, struct rnic_connector *c)
{
    NDK_FN_CONNECT_EVENT_CALLBACK fn = (NDK_FN_CONNECT_EVENT_CALLBACK)e->fn;
    NDK_CONNECTOR *connector = ndk_connector_publish(c);
    KIRQL old = enter_consumer();

    fn(e->ctx, connector);
    leave_consumer(old, "NDK_FN_CONNECT_EVENT_CALLBACK");
}

static void call_disconnect(const struct rnic_disconnect_event *e, uint32_t reason)
{
    NDK_FN_DISCONNECT_EVENT_CALLBACK fn = (NDK_FN_DISCONNECT_EVENT_CALLBACK)e->fn;
    KIRQL old;

    (void)reason;
    if (fn == NULL)
        return;
    old = enter_consumer();
    fn(e->ctx);
    leave_consumer(old, "NDK_FN_DISCONNECT_EVENT_CALLBACK");
}

static void call_disconnect_ex(const struct rnic_disconnect_event *e, uint32_t reason)
{
    NDK_FN_DISCONNECT_EVENT_CALLBACK_EX fn = (NDK_FN_DISCONNECT_EVENT_CALLBACK_EX)e->fn;
    KIRQL old;

    if (fn == NULL)
        return;
    old = enter_consumer();
    fn(e->ctx, reason);
    leave_consumer(old, "NDK_FN_DISCONNECT_EVENT_CALLBACK_EX");
}

struct rnic_done ndk_close_done(NDK_FN_CLOSE_COMPLETION fn, PVOID context)
{
    return (struct rnic_done){.call = call_close, .fn = (ndk_any_fn *)fn, .ctx = context};
}

struct rnic_done ndk_request_done(NDK_FN_REQUEST_COMPLETION fn, PVOID context)
{
    return (struct rnic_done){.call = call_request, .fn = (ndk_any_fn *)fn, .ctx = context};
}

struct rnic_cq_notify ndk_cq_notify(NDK_FN_CQ_NOTIFICATION_CALLBACK fn, PVOID context)
{
    return (struct rnic_cq_notify){.call = call_cq, .fn = (ndk_any_fn *)fn, .ctx = context};
}

struct rnic_srq_notify ndk_srq_notify(NDK_FN_SRQ_NOTIFICATION_CALLBACK fn, PVOID context)
{
    return (struct rnic_srq_notify){.call = call_srq, .fn = (ndk_any_fn *)fn, .ctx = context};
}

struct rnic_connect_event ndk_connect_event(NDK_FN_CONNECT_EVENT_CALLBACK fn, PVOID context)
{
    return (struct rnic_connect_event){
        .call = call_connect, .fn = (ndk_any_fn *)fn, .ctx = context};
}

struct rnic_disconnect_event ndk_disconnect_event(
    NDK_FN_DISCONNECT_EVENT_CALLBACK fn, PVOID context)
{
    return (struct rnic_disconnect_event){
        .call = call_disconnect, .fn = (ndk_any_fn *)fn, .ctx = context};
}

struct rnic_disconnect_event ndk_disconnect_event_ex(
    NDK_FN_DISCONNECT_EVENT_CALLBACK_EX fn, PVOID context)
{
    return (struct rnic_disconnect_event){
        .call = call_disconnect_ex, .fn = (ndk_any_fn *)fn, .ctx = context};
}
