/* SPDX-License-Identifier: MIT */
/* Endpoints and listeners of the test consumer. */
#include "support/consumer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/consumer_wait.h"
#include "support/unit.h"

enum { DEPTH = 16, SGES = 4, READS = 16, CONNECTORS = 64 };

/* ---- events of an endpoint ---- */

struct cq_events {
    unsigned armed, notified;
    bool is_bad; /* a status that is no success, or more notifications than arms */
};

struct endpoint_events {
    struct cq_events receive, initiator;
    unsigned disconnects;
    bool too_high;
};

static VOID on_notified(PVOID context, NTSTATUS status)
{
    struct cq_events *events = context;

    consumer_lock();
    events->notified++;
    if (status != STATUS_SUCCESS || events->notified > events->armed ||
        KeGetCurrentIrql() > DISPATCH_LEVEL)
        events->is_bad = true;
    consumer_wake();
    consumer_unlock();
}

static VOID on_disconnected(PVOID context)
{
    struct endpoint_events *events = context;

    consumer_lock();
    events->disconnects++;
    events->too_high = events->too_high || KeGetCurrentIrql() > DISPATCH_LEVEL;
    consumer_wake();
    consumer_unlock();
}

/* ---- opening and closing ---- */

static ULONG or_else(ULONG value, ULONG instead)
{
    return value != 0 ? value : instead;
}

struct endpoint *endpoint_open(struct consumer *c, const struct endpoint_options *given)
{
    struct endpoint_options o = {0};
    struct endpoint *e = calloc(1, sizeof(*e));
    struct ndk_call *call = call_begin(c);
    NDK_QP *now = NULL;
    NTSTATUS returned;
    ULONG sge;

    if (e == NULL || (e->events = calloc(1, sizeof(*e->events))) == NULL)
        abort();
    if (given != NULL)
        o = *given;
    e->c = c;
    o.pd = o.pd != NULL ? o.pd : c->pd;
    o.receive_depth = or_else(o.receive_depth, DEPTH);
    o.initiator_depth = or_else(o.initiator_depth, DEPTH);
    sge = c->info.MaxInitiatorRequestSge < c->info.MaxReceiveRequestSge
              ? c->info.MaxInitiatorRequestSge
              : c->info.MaxReceiveRequestSge;
    sge = or_else(o.sge, sge < SGES ? sge : SGES);
    assert_ntstatus(
        consumer_create_cq(c, o.receive_depth, on_notified, &e->events->receive, &e->receive_cq),
        STATUS_SUCCESS);
    assert_ntstatus(consumer_create_cq(
                        c, o.initiator_depth, on_notified, &e->events->initiator, &e->initiator_cq),
        STATUS_SUCCESS);
    if (o.srq != NULL)
        returned = o.pd->Dispatch->NdkCreateQpWithSrq(o.pd, e->receive_cq, e->initiator_cq, o.srq,
            e, o.initiator_depth, sge, o.inline_size, call_created, call, &now);
    else
        returned = o.pd->Dispatch->NdkCreateQp(o.pd, e->receive_cq, e->initiator_cq, e,
            o.receive_depth, o.initiator_depth, sge, sge, o.inline_size, call_created, call, &now);
    assert_ntstatus(call_end_create(call, returned, now, (void **)&e->qp), STATUS_SUCCESS);
    consumer_adopt(c);
    return e;
}

void endpoint_close_connector(struct endpoint *e)
{
    if (e->connector != NULL)
        consumer_close_object(e->c, &e->connector->Header);
    e->connector = NULL;
}

void endpoint_close(struct endpoint *e)
{
    endpoint_close_connector(e);
    consumer_close_object(e->c, &e->qp->Header);
    consumer_close_object(e->c, &e->receive_cq->Header);
    consumer_close_object(e->c, &e->initiator_cq->Header);
    /* The queues are closed: no callback can come any more. */
    if (e->events->receive.is_bad || e->events->initiator.is_bad)
        fail_msg("a completion queue notified too often, too high or with a bad status");
    if (e->events->disconnects > 1 || e->events->too_high)
        fail_msg("%u disconnect events, or above DISPATCH_LEVEL", e->events->disconnects);
    free(e->events);
    free(e);
}

/* ---- connecting ---- */

static struct endpoint_terms terms_of(const struct endpoint_terms *t)
{
    const struct endpoint_terms usual = {.inbound = READS, .outbound = READS};

    return t != NULL ? *t : usual;
}

void endpoint_connect_start(
    struct endpoint *e, const char *host, uint16_t port, const struct endpoint_terms *given)
{
    struct endpoint_terms t = terms_of(given);
    ULONG from_len, to_len;
    SOCKADDR_INET from = address_of(host, 0, &from_len);
    SOCKADDR_INET to = address_of(host, port, &to_len);

    if (e->connector == NULL)
        assert_ntstatus(consumer_create_connector(e->c, &e->connector), STATUS_SUCCESS);
    e->connecting = call_begin(e->c);
    call_started(e->connecting,
        e->connector->Dispatch->NdkConnect(e->connector, e->qp, (SOCKADDR *)&from, from_len,
            (SOCKADDR *)&to, to_len, t.inbound, t.outbound, (PVOID)(uintptr_t)t.private_data,
            t.private_len, call_completed, e->connecting));
}

NTSTATUS endpoint_connect_wait(struct endpoint *e)
{
    return call_wait(e->connecting);
}

bool endpoint_connect_is_done(struct endpoint *e)
{
    return call_is_done(e->connecting);
}

void endpoint_complete_start(struct endpoint *e)
{
    e->completing = call_begin(e->c);
    call_started(e->completing, e->connector->Dispatch->NdkCompleteConnect(e->connector,
                                    on_disconnected, e->events, call_completed, e->completing));
}

NTSTATUS endpoint_complete_wait(struct endpoint *e)
{
    return call_wait(e->completing);
}

NTSTATUS endpoint_complete(struct endpoint *e)
{
    endpoint_complete_start(e);
    return endpoint_complete_wait(e);
}

void endpoint_accept_start(
    struct endpoint *e, NDK_CONNECTOR *connector, const struct endpoint_terms *given)
{
    struct endpoint_terms t = terms_of(given);

    e->connector = connector;
    e->accepting = call_begin(e->c);
    call_started(e->accepting, connector->Dispatch->NdkAccept(connector, e->qp, t.inbound,
                                   t.outbound, (PVOID)(uintptr_t)t.private_data, t.private_len,
                                   on_disconnected, e->events, call_completed, e->accepting));
}

NTSTATUS endpoint_accept_wait(struct endpoint *e)
{
    return call_wait(e->accepting);
}

bool endpoint_accept_is_done(struct endpoint *e)
{
    return call_is_done(e->accepting);
}

void endpoint_disconnect_start(struct endpoint *e)
{
    e->disconnecting = call_begin(e->c);
    call_started(e->disconnecting,
        e->connector->Dispatch->NdkDisconnect(e->connector, call_completed, e->disconnecting));
}

NTSTATUS endpoint_disconnect_wait(struct endpoint *e)
{
    return call_wait(e->disconnecting);
}

NTSTATUS endpoint_disconnect(struct endpoint *e)
{
    endpoint_disconnect_start(e);
    return endpoint_disconnect_wait(e);
}

static bool is_disconnected(void *arg)
{
    const struct endpoint *e = arg;

    return e->events->disconnects > 0;
}

void endpoint_wait_disconnected(struct endpoint *e)
{
    bool there;

    consumer_lock();
    there = consumer_wait(is_disconnected, e);
    consumer_unlock();
    if (!there)
        fail_msg("no disconnect event");
}

unsigned endpoint_disconnects(struct endpoint *e)
{
    unsigned n;

    consumer_lock();
    n = e->events->disconnects;
    consumer_unlock();
    return n;
}

struct connection_data connection_data_of(NDK_CONNECTOR *connector)
{
    struct connection_data d;

    memset(&d, 0, sizeof(d));
    d.private_len = sizeof(d.private_data);
    assert_ntstatus(connector->Dispatch->NdkGetConnectionData(
                        connector, &d.inbound, &d.outbound, d.private_data, &d.private_len),
        STATUS_SUCCESS);
    return d;
}

/* ---- work ---- */

void endpoint_receive(struct endpoint *e, uintptr_t id, const struct memory *m, size_t at, size_t n)
{
    NDK_SGE sge = memory_sge(m, at, n);

    assert_ntstatus(e->qp->Dispatch->NdkReceive(e->qp, (PVOID)id, &sge, 1), STATUS_SUCCESS);
}

void endpoint_send(
    struct endpoint *e, uintptr_t id, const struct memory *m, size_t at, size_t n, ULONG flags)
{
    NDK_SGE sge = memory_sge(m, at, n);

    assert_ntstatus(e->qp->Dispatch->NdkSend(e->qp, (PVOID)id, &sge, 1, flags), STATUS_SUCCESS);
}

void endpoint_send_inv(struct endpoint *e, uintptr_t id, const struct memory *m, size_t at,
    size_t n, ULONG flags, UINT32 token)
{
    NDK_SGE sge = memory_sge(m, at, n);

    assert_ntstatus(e->qp->Dispatch->NdkSendAndInvalidate(e->qp, (PVOID)id, &sge, 1, flags, token),
        STATUS_SUCCESS);
}

void endpoint_write(struct endpoint *e, uintptr_t id, const struct memory *m, size_t at, size_t n,
    uint64_t to, UINT32 token, ULONG flags)
{
    NDK_SGE sge = memory_sge(m, at, n);

    assert_ntstatus(
        e->qp->Dispatch->NdkWrite(e->qp, (PVOID)id, &sge, 1, to, token, flags), STATUS_SUCCESS);
}

void endpoint_read(struct endpoint *e, uintptr_t id, const struct memory *m, size_t at, size_t n,
    uint64_t from, UINT32 token, ULONG flags)
{
    NDK_SGE sge = memory_sge(m, at, n);

    assert_ntstatus(
        e->qp->Dispatch->NdkRead(e->qp, (PVOID)id, &sge, 1, from, token, flags), STATUS_SUCCESS);
}

static bool is_notified(void *arg)
{
    const struct cq_events *events = arg;

    return events->notified >= events->armed;
}

/* False: nothing came in time. Arms only if nothing is armed: an arm stays until it fires. */
static bool next_result(NDK_CQ *cq, struct cq_events *events, NDK_RESULT_EX *r)
{
    for (;;) {
        bool there, must_arm;

        if (cq->Dispatch->NdkGetCqResultsEx(cq, r, 1) == 1)
            return true;
        consumer_lock();
        must_arm = events->notified >= events->armed;
        events->armed += must_arm;
        consumer_unlock();
        if (must_arm)
            cq->Dispatch->NdkArmCq(cq, NDK_CQ_NOTIFY_ANY);
        if (cq->Dispatch->NdkGetCqResultsEx(cq, r, 1) == 1)
            return true;
        consumer_lock();
        there = consumer_wait(is_notified, events);
        consumer_unlock();
        if (!there)
            return false;
    }
}

NDK_RESULT_EX endpoint_wait_received(struct endpoint *e)
{
    NDK_RESULT_EX r;

    if (!next_result(e->receive_cq, &e->events->receive, &r))
        fail_msg("no receive completes");
    assert_ptr_equal(r.QPContext, e);
    assert_true(((unsigned)r.Type & 1) == 1); /* both kinds of receive */
    return r;
}

NDK_RESULT_EX endpoint_wait_initiated(struct endpoint *e)
{
    NDK_RESULT_EX r;

    if (!next_result(e->initiator_cq, &e->events->initiator, &r))
        fail_msg("no initiator request completes");
    assert_ptr_equal(r.QPContext, e);
    assert_true(((unsigned)r.Type & 1) == 0);
    return r;
}

static NDK_RESULT_EX poll_result(NDK_CQ *cq)
{
    const struct timespec a_while = {.tv_nsec = 100 * 1000};
    NDK_RESULT_EX r;

    for (int left = CONSUMER_WAIT_MS * 10; cq->Dispatch->NdkGetCqResultsEx(cq, &r, 1) == 0;) {
        if (left-- == 0)
            fail_msg("no completion in a queue that is polled");
        nanosleep(&a_while, NULL);
    }
    return r;
}

NDK_RESULT_EX endpoint_poll_received(struct endpoint *e)
{
    return poll_result(e->receive_cq);
}

NDK_RESULT_EX endpoint_poll_initiated(struct endpoint *e)
{
    return poll_result(e->initiator_cq);
}

void endpoint_arm_received(struct endpoint *e, ULONG type)
{
    consumer_lock();
    e->events->receive.armed++;
    consumer_unlock();
    e->receive_cq->Dispatch->NdkArmCq(e->receive_cq, type);
}

bool endpoint_received_is_notified(struct endpoint *e)
{
    bool is;

    consumer_lock();
    is = is_notified(&e->events->receive);
    consumer_unlock();
    return is;
}

void endpoint_wait_received_notified(struct endpoint *e)
{
    bool there;

    consumer_lock();
    there = consumer_wait(is_notified, &e->events->receive);
    consumer_unlock();
    if (!there)
        fail_msg("the receive queue does not notify");
}

static void expect_id(
    const NDK_RESULT_EX *r, uintptr_t id, const char *what, const char *file, int line)
{
    assert_ntstatus_at(r->Status, STATUS_SUCCESS, what, file, line);
    if ((uintptr_t)r->RequestContext == id)
        return;
    print_error("%s %zu completed instead of %zu\n", what, (size_t)r->RequestContext, (size_t)id);
    _fail(file, line);
}

NDK_RESULT_EX endpoint_expect_received_at(
    struct endpoint *e, uintptr_t id, size_t n, const char *file, int line)
{
    NDK_RESULT_EX r = endpoint_wait_received(e);

    expect_id(&r, id, "receive", file, line);
    if (r.BytesTransferred != n) {
        print_error("receive of %u octets instead of %zu\n", (unsigned)r.BytesTransferred, n);
        _fail(file, line);
    }
    return r;
}

NDK_RESULT_EX endpoint_expect_initiated_at(
    struct endpoint *e, uintptr_t id, const char *file, int line)
{
    NDK_RESULT_EX r = endpoint_wait_initiated(e);

    expect_id(&r, id, "request", file, line);
    return r;
}

static void expect_none(NDK_CQ *cq)
{
    NDK_RESULT_EX r;

    if (cq->Dispatch->NdkGetCqResultsEx(cq, &r, 1) != 0)
        fail_msg(
            "request %zu completed: %s", (size_t)r.RequestContext, SoftNdkStatusName(r.Status));
}

void endpoint_expect_no_received(struct endpoint *e)
{
    expect_none(e->receive_cq);
}

void endpoint_expect_no_initiated(struct endpoint *e)
{
    expect_none(e->initiator_cq);
}

/* ---- listeners ---- */

struct acceptor_events {
    NDK_CONNECTOR *connectors[CONNECTORS];
    unsigned come, taken;
    bool too_high;
};

static VOID on_connect(PVOID context, NDK_CONNECTOR *connector)
{
    struct acceptor_events *events = context;

    consumer_lock();
    if (events->come - events->taken == CONNECTORS)
        abort(); /* no test waits with so many */
    events->connectors[events->come++ % CONNECTORS] = connector;
    events->too_high = events->too_high || KeGetCurrentIrql() > DISPATCH_LEVEL;
    consumer_wake();
    consumer_unlock();
}

struct acceptor *acceptor_open(struct consumer *c, const char *host)
{
    struct acceptor *a = calloc(1, sizeof(*a));
    struct ndk_call *call = call_begin(c);
    ULONG length, size = sizeof(SOCKADDR_INET);
    SOCKADDR_INET at = address_of(host, 0, &length);

    if (a == NULL || (a->events = calloc(1, sizeof(*a->events))) == NULL)
        abort();
    a->c = c;
    assert_ntstatus(
        consumer_create_listener(c, on_connect, a->events, &a->listener), STATUS_SUCCESS);
    assert_ntstatus(call_end(call, a->listener->Dispatch->NdkListen(
                                       a->listener, (SOCKADDR *)&at, length, call_completed, call)),
        STATUS_SUCCESS);
    assert_ntstatus(a->listener->Dispatch->NdkGetLocalAddress(a->listener, (SOCKADDR *)&at, &size),
        STATUS_SUCCESS);
    a->port = address_port(&at);
    assert_int_not_equal(a->port, 0);
    return a;
}

static bool has_connector(void *arg)
{
    const struct acceptor_events *events = arg;

    return events->come != events->taken;
}

NDK_CONNECTOR *acceptor_wait(struct acceptor *a)
{
    NDK_CONNECTOR *connector = NULL;

    consumer_lock();
    if (consumer_wait(has_connector, a->events))
        connector = a->events->connectors[a->events->taken++ % CONNECTORS];
    consumer_unlock();
    if (connector == NULL)
        fail_msg("no connect event");
    consumer_adopt(a->c);
    return connector;
}

unsigned acceptor_pending(struct acceptor *a)
{
    unsigned n;

    consumer_lock();
    n = a->events->come - a->events->taken;
    consumer_unlock();
    return n;
}

void acceptor_close(struct acceptor *a)
{
    const struct timespec a_while = {.tv_nsec = 1000 * 1000};
    struct consumer *c = a->c;
    struct ndk_call *call = call_begin(c);

    /* The close waits for connectors that nobody took, those that just arrive included. */
    call_started(
        call, a->listener->Dispatch->NdkCloseListener(&a->listener->Header, call_closed, call));
    for (int left = CONSUMER_WAIT_MS; left > 0 && !call_is_done(call); left--) {
        if (acceptor_pending(a) > 0)
            consumer_close_object(c, &acceptor_wait(a)->Header);
        else
            nanosleep(&a_while, NULL);
    }
    assert_ntstatus(call_wait(call), STATUS_SUCCESS);
    c->objects--;
    if (a->events->too_high)
        fail_msg("a connect event came above DISPATCH_LEVEL");
    free(a->events);
    free(a);
}
