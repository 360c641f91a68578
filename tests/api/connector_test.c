/* SPDX-License-Identifier: MIT */
/* NDK_CONNECTOR_DISPATCH: every step of a connection, on both sides, and its end. */
#include "support/consumer.h"

#include <stdlib.h>

#include "support/consumer_wait.h"
#include "support/create.h"
#include "support/pair.h"
#include "support/unit.h"

/* ---- arguments ---- */

/* [NDKPI NDK_FN_CONNECT] */
static void arguments_of_connect_are_checked(void **state)
{
    struct consumer *c = consumer_open(NULL), *foreign = consumer_open(NULL);
    struct endpoint *e = endpoint_open(c, NULL), *theirs = endpoint_open(foreign, NULL);
    ULONG n, n6;
    SOCKADDR_INET a4 = address_of("127.0.0.1", 0, &n), a6 = address_of("::1", 9, &n6);
    SOCKADDR_INET to4 = address_of("127.0.0.1", 9, &n);
    SOCKADDR_INET elsewhere = address_of("192.0.2.1", 0, &n);
    SOCKADDR *v4 = (SOCKADDR *)&a4, *to = (SOCKADDR *)&to4, *v6 = (SOCKADDR *)&a6,
             *other = (SOCKADDR *)&elsewhere;
    uint8_t data[513] = {0};
    NDK_CONNECTOR *k;
    NDK_FN_CONNECT connect;

    (void)state;
    assert_ntstatus(consumer_create_connector(c, &k), STATUS_SUCCESS);
    connect = k->Dispatch->NdkConnect;
    assert_ntstatus(connect(k, NULL, v4, n, to, n, 0, 0, NULL, 0, never_completed, NULL),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(connect(k, theirs->qp, v4, n, to, n, 0, 0, NULL, 0, never_completed, NULL),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(connect(k, e->qp, NULL, n, to, n, 0, 0, NULL, 0, never_completed, NULL),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(connect(k, e->qp, v4, n, NULL, n, 0, 0, NULL, 0, never_completed, NULL),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(connect(k, e->qp, v4, n - 1, to, n, 0, 0, NULL, 0, never_completed, NULL),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        connect(k, e->qp, v4, n, to, n, 0, 0, NULL, 0, NULL, NULL), STATUS_INVALID_PARAMETER);
    assert_ntstatus(connect(k, e->qp, v4, n, to, n, 0, 0, NULL, 1, never_completed, NULL),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(connect(k, e->qp, v4, n, v6, n6, 0, 0, NULL, 0, never_completed, NULL),
        STATUS_INVALID_ADDRESS);
    assert_ntstatus(connect(k, e->qp, other, n, to, n, 0, 0, NULL, 0, never_completed, NULL),
        STATUS_INVALID_ADDRESS);
    assert_ntstatus(connect(k, e->qp, v4, n, to, n, 0, 0, data, c->info.MaxCallerData + 1,
                        never_completed, NULL),
        STATUS_INVALID_BUFFER_SIZE);
    consumer_close_object(c, &k->Header);
    endpoint_close(e);
    endpoint_close(theirs);
    consumer_close(c);
    consumer_close(foreign);
}

/* Every call on a connector that has done nothing yet. */
static void an_idle_connector_can_only_connect(void **state)
{
    struct consumer *c = consumer_open(NULL);
    struct endpoint *e = endpoint_open(c, NULL);
    ULONG in, out, length = 0;
    SOCKADDR_INET at;
    NDK_CONNECTOR *k;

    (void)state;
    assert_ntstatus(consumer_create_connector(c, &k), STATUS_SUCCESS);
    assert_ntstatus(k->Dispatch->NdkCompleteConnect(k, NULL, NULL, never_completed, NULL),
        STATUS_CONNECTION_INVALID);
    assert_ntstatus(
        k->Dispatch->NdkCompleteConnect(k, NULL, NULL, NULL, NULL), STATUS_INVALID_PARAMETER);
    assert_ntstatus(k->Dispatch->NdkCompleteConnectEx(k, NULL, NULL, never_completed, NULL),
        STATUS_CONNECTION_INVALID);
    assert_ntstatus(
        k->Dispatch->NdkCompleteConnectEx(k, NULL, NULL, NULL, NULL), STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        k->Dispatch->NdkAccept(k, e->qp, 1, 1, NULL, 0, NULL, NULL, never_completed, NULL),
        STATUS_INVALID_DEVICE_STATE);
    assert_ntstatus(
        k->Dispatch->NdkAcceptEx(k, e->qp, 1, 1, NULL, 0, NULL, NULL, never_completed, NULL),
        STATUS_INVALID_DEVICE_STATE);
    assert_ntstatus(
        k->Dispatch->NdkAccept(k, NULL, 1, 1, NULL, 0, NULL, NULL, never_completed, NULL),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(k->Dispatch->NdkReject(k, NULL, 0), STATUS_INVALID_DEVICE_STATE);
    assert_ntstatus(k->Dispatch->NdkReject(k, NULL, 1), STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        k->Dispatch->NdkGetConnectionData(k, &in, &out, NULL, &length), STATUS_CONNECTION_INVALID);
    assert_ntstatus(
        k->Dispatch->NdkGetConnectionData(k, &in, &out, NULL, NULL), STATUS_INVALID_PARAMETER);
    length = sizeof at;
    assert_ntstatus(
        k->Dispatch->NdkGetLocalAddress(k, (SOCKADDR *)&at, &length), STATUS_CONNECTION_INVALID);
    assert_ntstatus(
        k->Dispatch->NdkGetPeerAddress(k, (SOCKADDR *)&at, &length), STATUS_CONNECTION_INVALID);
    assert_ntstatus(
        k->Dispatch->NdkDisconnect(k, never_completed, NULL), STATUS_CONNECTION_INVALID);
    assert_ntstatus(k->Dispatch->NdkDisconnect(k, NULL, NULL), STATUS_INVALID_PARAMETER);
    consumer_close_object(c, &k->Header);
    endpoint_close(e);
    consumer_close(c);
}

/* ---- the three steps ---- */

static uint16_t port_at(NDK_FN_GET_LOCAL_ADDRESS get, NDK_CONNECTOR *k)
{
    SOCKADDR_INET at;
    ULONG length = sizeof at;

    assert_ntstatus(get(k, (SOCKADDR *)&at, &length), STATUS_SUCCESS);
    assert_int_equal(length, 16);
    assert_int_equal(at.si_family, AF_INET);
    return address_port(&at);
}

/* [NDKPI NDK_FN_COMPLETE_CONNECT] Request, accept, complete, with private data both ways. */
static void three_steps_connect_both_sides(void **state)
{
    static const char asked[] = "what the caller says", answered[] = "what the callee says";
    const struct endpoint_terms ask = {
        .inbound = 8, .outbound = 4, .private_data = asked, .private_len = sizeof asked};
    const struct endpoint_terms answer = {
        .inbound = 8, .outbound = 8, .private_data = answered, .private_len = sizeof answered};
    struct pair p = pair_begin(NULL);
    struct connection_data d;
    NDK_CONNECTOR *active, *passive;

    (void)state;
    endpoint_connect_start(p.active, "127.0.0.1", p.a->port, &ask);
    passive = acceptor_wait(p.a);
    assert_int_equal(passive->Header.ObjectType, NdkObjectTypeConnector);
    assert_int_equal(passive->Header.Version.Major, 2);
    d = connection_data_of(passive);
    assert_int_equal(d.inbound, 4);  /* what the peer wants to have in flight */
    assert_int_equal(d.outbound, 8); /* what it serves */
    assert_true(d.private_len >= sizeof asked);
    assert_memory_equal(d.private_data, asked, sizeof asked);
    assert_int_equal(port_at(passive->Dispatch->NdkGetLocalAddress, passive), p.a->port);
    assert_false(endpoint_connect_is_done(p.active));
    endpoint_accept_start(p.passive, passive, &answer);
    assert_ntstatus(endpoint_connect_wait(p.active), STATUS_SUCCESS);
    assert_false(endpoint_accept_is_done(p.passive)); /* not before the third step */
    active = p.active->connector;
    d = connection_data_of(active);
    assert_int_equal(d.inbound, 8);
    assert_int_equal(d.outbound, 4);
    assert_true(d.private_len >= sizeof answered);
    assert_memory_equal(d.private_data, answered, sizeof answered);
    assert_ntstatus(endpoint_complete(p.active), STATUS_SUCCESS);
    assert_ntstatus(endpoint_accept_wait(p.passive), STATUS_SUCCESS);
    assert_int_equal(port_at(active->Dispatch->NdkGetPeerAddress, active), p.a->port);
    assert_int_equal(port_at(active->Dispatch->NdkGetLocalAddress, active),
        port_at(passive->Dispatch->NdkGetPeerAddress, passive));
    assert_true(port_at(active->Dispatch->NdkGetLocalAddress, active) >= 49152);
    d = connection_data_of(active); /* a known consumer asks so late */
    assert_memory_equal(d.private_data, answered, sizeof answered);
    pair_close(&p);
}

/* [NDKPI NDK_FN_GET_CONNECTION_DATA] */
static void private_data_fits_or_is_cut(void **state)
{
    const struct endpoint_terms ask = {
        .inbound = 3, .outbound = 2, .private_data = "0123456789", .private_len = 10};
    struct pair p = pair_begin(NULL);
    uint8_t out[16] = {0};
    ULONG in = 99, ord = 99, length = 0;
    NDK_CONNECTOR *k;

    (void)state;
    endpoint_connect_start(p.active, "127.0.0.1", p.a->port, &ask);
    k = acceptor_wait(p.a);
    assert_ntstatus(
        k->Dispatch->NdkGetConnectionData(k, NULL, NULL, NULL, &length), STATUS_SUCCESS);
    assert_int_equal(length, 10);
    assert_ntstatus(
        k->Dispatch->NdkGetConnectionData(k, NULL, NULL, NULL, &length), STATUS_INVALID_PARAMETER);
    length = 4;
    assert_ntstatus(
        k->Dispatch->NdkGetConnectionData(k, &in, &ord, out, &length), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(length, 10);
    assert_memory_equal(out, "0123\0", 5);
    assert_int_equal(in, 2);
    assert_int_equal(ord, 3);
    assert_ntstatus(k->Dispatch->NdkGetConnectionData(k, NULL, NULL, out, &length), STATUS_SUCCESS);
    assert_memory_equal(out, "0123456789\0", 11);
    consumer_close_object(p.c, &k->Header);
    assert_ntstatus(endpoint_connect_wait(p.active), STATUS_CONNECTION_REFUSED);
    pair_close(&p);
}

static void as_much_private_data_as_promised_arrives(void **state)
{
    uint8_t data[512];
    struct pair p = pair_begin(NULL);
    const ULONG n = p.c->info.MaxCallerData;
    const struct endpoint_terms terms = {
        .inbound = 1, .outbound = 1, .private_data = data, .private_len = n};
    const struct pair_how how = {.connect = &terms, .accept = &terms};
    struct connection_data d;

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + 1);
    assert_int_equal(p.c->info.MaxCalleeData, n);
    pair_connect(&p, &how);
    d = connection_data_of(p.active->connector);
    assert_memory_equal(d.private_data, data, n);
    d = connection_data_of(p.passive->connector);
    assert_memory_equal(d.private_data, data, n);
    pair_close(&p);
}

/* The example of the documents: limits meet at the lower of both sides. */
static void read_limits_meet(void **state)
{
    static const struct {
        struct endpoint_terms connect, accept;
        ULONG inbound, outbound; /* of the active side; of the passive side crosswise */
    } rows[] = {
        {{.inbound = 16, .outbound = 128}, {.inbound = 4, .outbound = 32}, 16, 4},
        {{.inbound = 64, .outbound = 64}, {.inbound = 64, .outbound = 3}, 3, 64},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct pair_how how = {.connect = &rows[i].connect, .accept = &rows[i].accept};
        struct pair p = pair_begin(NULL);
        struct connection_data d;

        pair_connect(&p, &how);
        d = connection_data_of(p.active->connector);
        assert_int_equal(d.inbound, rows[i].inbound);
        assert_int_equal(d.outbound, rows[i].outbound);
        d = connection_data_of(p.passive->connector);
        assert_int_equal(d.inbound, rows[i].outbound);
        assert_int_equal(d.outbound, rows[i].inbound);
        pair_close(&p);
    }
}

struct event_ex {
    unsigned count;
    ULONG reason;
};

static VOID on_disconnect_ex(PVOID context, ULONG reason)
{
    struct event_ex *e = context;

    consumer_lock();
    e->count++;
    e->reason = reason;
    consumer_wake();
    consumer_unlock();
}

static bool has_event(void *arg)
{
    const struct event_ex *e = arg;

    return e->count > 0;
}

/* [NDKPI NDK_FN_ACCEPT_EX] [NDKPI NDK_FN_COMPLETE_CONNECT_EX] */
static void the_forms_of_2_1_connect_too(void **state)
{
    struct pair p = pair_begin(NULL);
    struct ndk_call *accept = call_begin(p.c), *complete = call_begin(p.c);
    struct event_ex active = {0}, passive = {0};
    NDK_CONNECTOR *k;
    bool there;

    (void)state;
    endpoint_connect_start(p.active, "127.0.0.1", p.a->port, NULL);
    p.passive->connector = k = acceptor_wait(p.a);
    call_started(accept, k->Dispatch->NdkAcceptEx(k, p.passive->qp, 1, 1, NULL, 0, on_disconnect_ex,
                             &passive, call_completed, accept));
    assert_ntstatus(endpoint_connect_wait(p.active), STATUS_SUCCESS);
    k = p.active->connector;
    assert_ntstatus(call_end(complete, k->Dispatch->NdkCompleteConnectEx(
                                           k, on_disconnect_ex, &active, call_completed, complete)),
        STATUS_SUCCESS);
    assert_ntstatus(call_wait(accept), STATUS_SUCCESS);
    endpoint_close_connector(p.active); /* abortive */
    consumer_lock();
    there = consumer_wait(has_event, &passive);
    consumer_unlock();
    assert_true(there);
    endpoint_close_connector(p.passive);
    assert_int_equal(passive.count, 1);
    assert_int_equal(active.count, 0); /* it caused the end itself */
    pair_close(&p);
}

/* ---- refusals ---- */

static void nobody_listens(void **state)
{
    struct pair p = pair_begin(NULL);
    uint16_t port = p.a->port;

    (void)state;
    acceptor_close(p.a);
    endpoint_connect_start(p.active, "127.0.0.1", port, NULL);
    assert_ntstatus(endpoint_connect_wait(p.active), STATUS_CONNECTION_REFUSED);
    p.a = acceptor_open(p.c, "127.0.0.1");
    pair_connect(&p, NULL); /* neither connector nor queue pair took harm */
    pair_close(&p);
}

/* [NDKPI NDK_FN_REJECT] */
/* From a loopback address no other host is reached. */
static void no_way_leads_there(void **state)
{
    struct pair p = pair_begin(NULL);
    struct endpoint *e = p.active;
    ULONG from_len, to_len;
    SOCKADDR_INET from = address_of("127.0.0.1", 0, &from_len);
    SOCKADDR_INET to = address_of("127.0.0.1", 9, &to_len);
    const uint8_t example[] = {192, 0, 2, 1};
    struct ndk_call *call = call_begin(p.c);

    (void)state;
    memcpy(&to.Ipv4.sin_addr, example, sizeof example);
    assert_ntstatus(consumer_create_connector(p.c, &e->connector), STATUS_SUCCESS);
    assert_ntstatus(
        call_end(call, e->connector->Dispatch->NdkConnect(e->connector, e->qp, (SOCKADDR *)&from,
                           from_len, (SOCKADDR *)&to, to_len, 1, 1, NULL, 0, call_completed, call)),
        STATUS_NETWORK_UNREACHABLE);
    pair_close(&p);
}

static void the_passive_side_rejects_with_a_reason(void **state)
{
    static const char reason[] = "no room";
    uint8_t long_reason[513] = {0};
    struct pair p = pair_begin(NULL);
    struct connection_data d;
    NDK_CONNECTOR *k;

    (void)state;
    endpoint_connect_start(p.active, "127.0.0.1", p.a->port, NULL);
    k = acceptor_wait(p.a);
    assert_ntstatus(k->Dispatch->NdkReject(k, long_reason, p.c->info.MaxCalleeData + 1),
        STATUS_INVALID_BUFFER_SIZE);
    assert_ntstatus(
        k->Dispatch->NdkReject(k, (PVOID)(uintptr_t)reason, sizeof reason), STATUS_SUCCESS);
    assert_ntstatus(endpoint_connect_wait(p.active), STATUS_CONNECTION_REFUSED);
    d = connection_data_of(p.active->connector);
    assert_memory_equal(d.private_data, reason, sizeof reason);
    assert_ntfailure(k->Dispatch->NdkReject(k, NULL, 0));
    assert_ntfailure(
        k->Dispatch->NdkAccept(k, p.passive->qp, 1, 1, NULL, 0, NULL, NULL, never_completed, NULL));
    consumer_close_object(p.c, &k->Header);
    pair_close(&p);
}

static void the_active_side_rejects_what_was_accepted(void **state)
{
    struct pair p = pair_begin(NULL);
    NDK_CONNECTOR *k;

    (void)state;
    endpoint_connect_start(p.active, "127.0.0.1", p.a->port, NULL);
    endpoint_accept_start(p.passive, acceptor_wait(p.a), NULL);
    assert_ntstatus(endpoint_connect_wait(p.active), STATUS_SUCCESS);
    k = p.active->connector;
    assert_ntstatus(k->Dispatch->NdkReject(k, NULL, 0), STATUS_SUCCESS);
    assert_ntstatus(endpoint_accept_wait(p.passive), STATUS_CONNECTION_REFUSED);
    assert_ntfailure(k->Dispatch->NdkCompleteConnect(k, NULL, NULL, never_completed, NULL));
    pair_close(&p);
}

/* ---- one queue pair, one connection ---- */

static void a_queue_pair_in_use_is_refused(void **state)
{
    struct pair p = pair_open(NULL);
    struct endpoint *third = endpoint_open(p.c, NULL);
    ULONG n;
    SOCKADDR_INET from = address_of("127.0.0.1", 0, &n);
    SOCKADDR_INET to = address_of("127.0.0.1", p.a->port, &n);
    NDK_CONNECTOR *k;

    (void)state;
    assert_ntstatus(consumer_create_connector(p.c, &k), STATUS_SUCCESS);
    assert_ntstatus(k->Dispatch->NdkConnect(k, p.active->qp, (SOCKADDR *)&from, n, (SOCKADDR *)&to,
                        n, 1, 1, NULL, 0, never_completed, NULL),
        STATUS_CONNECTION_ACTIVE);
    consumer_close_object(p.c, &k->Header);
    endpoint_connect_start(third, "127.0.0.1", p.a->port, NULL);
    k = acceptor_wait(p.a);
    assert_ntstatus(
        k->Dispatch->NdkAccept(k, p.passive->qp, 1, 1, NULL, 0, NULL, NULL, never_completed, NULL),
        STATUS_CONNECTION_ACTIVE);
    consumer_close_object(p.c, &k->Header);
    assert_ntstatus(endpoint_connect_wait(third), STATUS_CONNECTION_REFUSED);
    endpoint_close(third);
    pair_close(&p);
}

static void a_connected_connector_does_not_connect_again(void **state)
{
    struct pair p = pair_open(NULL);
    struct endpoint *third = endpoint_open(p.c, NULL);
    NDK_CONNECTOR *both[2] = {p.active->connector, p.passive->connector};
    ULONG n;
    SOCKADDR_INET from = address_of("127.0.0.1", 0, &n);
    SOCKADDR_INET to = address_of("127.0.0.1", p.a->port, &n);

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        NDK_CONNECTOR *k = both[i];

        assert_ntstatus(k->Dispatch->NdkConnect(k, third->qp, (SOCKADDR *)&from, n, (SOCKADDR *)&to,
                            n, 1, 1, NULL, 0, never_completed, NULL),
            STATUS_INVALID_DEVICE_STATE);
        assert_ntstatus(k->Dispatch->NdkCompleteConnect(k, NULL, NULL, never_completed, NULL),
            STATUS_CONNECTION_INVALID);
        assert_ntstatus(
            k->Dispatch->NdkAccept(k, third->qp, 1, 1, NULL, 0, NULL, NULL, never_completed, NULL),
            STATUS_INVALID_DEVICE_STATE);
        assert_ntstatus(k->Dispatch->NdkReject(k, NULL, 0), STATUS_INVALID_DEVICE_STATE);
    }
    endpoint_close(third);
    pair_close(&p);
}

/* ---- ends ---- */

/* [NDKPI NDK_FN_DISCONNECT] Either side may begin; the other hears of it and answers. */
static void a_graceful_end_has_two_halves(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        struct pair p = pair_open(NULL);
        struct endpoint *a = first == 0 ? p.active : p.passive;
        struct endpoint *b = first == 0 ? p.passive : p.active;

        endpoint_disconnect_start(a);
        endpoint_wait_disconnected(b);
        assert_ntstatus(endpoint_disconnect(b), STATUS_SUCCESS);
        assert_ntstatus(endpoint_disconnect_wait(a), STATUS_SUCCESS);
        assert_int_equal(endpoint_disconnects(a), 0); /* it began */
        assert_ntfailure(
            a->connector->Dispatch->NdkDisconnect(a->connector, never_completed, NULL));
        pair_close(&p);
    }
}

static void receives_outlive_the_event_and_end_cancelled(void **state)
{
    struct pair p = pair_open(NULL);
    struct memory *m = memory_open(p.c, NULL, 64, MEMORY_ALL);
    NDK_RESULT_EX r;

    (void)state;
    endpoint_receive(p.passive, 5, m, 0, 64);
    endpoint_disconnect_start(p.active);
    endpoint_wait_disconnected(p.passive);
    endpoint_expect_no_received(p.passive); /* the event alone flushes nothing */
    assert_ntstatus(endpoint_disconnect(p.passive), STATUS_SUCCESS);
    assert_ntstatus(endpoint_disconnect_wait(p.active), STATUS_SUCCESS);
    r = endpoint_wait_received(p.passive);
    assert_ntstatus(r.Status, STATUS_CANCELLED);
    assert_int_equal((uintptr_t)r.RequestContext, 5);
    memory_close(m);
    pair_close(&p);
}

static void an_unanswered_disconnect_times_out(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct pair_how how = {.options = &o};
    struct pair p;

    (void)state;
    o.DisconnectTimeoutMs = 50;
    p = pair_open(&how);
    assert_ntstatus(endpoint_disconnect(p.active), STATUS_IO_TIMEOUT);
    endpoint_wait_disconnected(p.passive);
    pair_close(&p);
}

static void closing_a_connected_connector_is_told_the_peer(void **state)
{
    struct pair p = pair_open(NULL);

    (void)state;
    endpoint_close_connector(p.passive);
    endpoint_wait_disconnected(p.active);
    assert_int_equal(endpoint_disconnects(p.passive), 0);
    /* Refused, or accepted and then failed: never a success. */
    if (NT_SUCCESS(p.active->qp->Dispatch->NdkSend(p.active->qp, NULL, NULL, 0, 0)))
        assert_ntfailure(endpoint_wait_initiated(p.active).Status);
    pair_close(&p);
}

/* ---- closes in the middle ---- */

static void a_close_while_connecting_cancels(void **state)
{
    struct pair p = pair_begin(NULL);
    NDK_CONNECTOR *k;

    (void)state;
    endpoint_connect_start(p.active, "127.0.0.1", p.a->port, NULL);
    k = acceptor_wait(p.a);
    endpoint_close_connector(p.active); /* waits for the close */
    assert_true(endpoint_connect_is_done(p.active));
    assert_ntstatus(endpoint_connect_wait(p.active), STATUS_CANCELLED);
    consumer_close_object(p.c, &k->Header);
    pair_close(&p);
}

static void a_close_instead_of_completing_aborts_the_accept(void **state)
{
    struct pair p = pair_begin(NULL);

    (void)state;
    endpoint_connect_start(p.active, "127.0.0.1", p.a->port, NULL);
    endpoint_accept_start(p.passive, acceptor_wait(p.a), NULL);
    assert_ntstatus(endpoint_connect_wait(p.active), STATUS_SUCCESS);
    endpoint_close_connector(p.active);
    assert_ntstatus(endpoint_accept_wait(p.passive), STATUS_CONNECTION_ABORTED);
    pair_close(&p);
}

static void a_close_while_accepting_fails_the_accept(void **state)
{
    struct pair p = pair_begin(NULL);

    (void)state;
    endpoint_connect_start(p.active, "127.0.0.1", p.a->port, NULL);
    endpoint_accept_start(p.passive, acceptor_wait(p.a), NULL);
    assert_ntstatus(endpoint_connect_wait(p.active), STATUS_SUCCESS);
    endpoint_close_connector(p.passive);
    assert_true(endpoint_accept_is_done(p.passive));
    assert_ntstatus(endpoint_accept_wait(p.passive), STATUS_CANCELLED);
    endpoint_complete_start(p.active);
    endpoint_complete_wait(p.active); /* aborted, or connected and then told of the end */
    pair_close(&p);
}

static void a_close_while_disconnecting_ends_both(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct pair_how how = {.options = &o};
    struct pair p;

    (void)state;
    o.DisconnectTimeoutMs = 600000;
    p = pair_open(&how);
    endpoint_disconnect_start(p.active);
    endpoint_wait_disconnected(p.passive);
    endpoint_close_connector(p.active);
    assert_ntstatus(endpoint_disconnect_wait(p.active), STATUS_CANCELLED);
    pair_close(&p);
}

/* ---- from inside callbacks ---- */

struct answer {
    struct endpoint *e;
    NDK_CONNECTOR *connector;
    struct ndk_call *accept, *close;
    struct connection_data data;
    NTSTATUS peer_address;
    unsigned count;
};

static VOID accept_at_once(PVOID context, NDK_CONNECTOR *k)
{
    struct answer *a = context;
    uint8_t address[128];
    ULONG length = sizeof address;

    a->peer_address = k->Dispatch->NdkGetPeerAddress(k, (SOCKADDR *)(void *)address, &length);
    a->connector = k;
    call_started(a->accept,
        k->Dispatch->NdkAccept(k, a->e->qp, 1, 1, NULL, 0, NULL, NULL, call_completed, a->accept));
    consumer_lock();
    a->count++;
    consumer_unlock();
}

static VOID close_at_once(PVOID context, NDK_CONNECTOR *k)
{
    struct answer *a = context;

    call_started(a->close, k->Dispatch->NdkCloseConnector(&k->Header, call_closed, a->close));
}

static NDK_LISTENER *listen_with(
    struct consumer *c, NDK_FN_CONNECT_EVENT_CALLBACK event, void *context, uint16_t *port)
{
    struct ndk_call *call = call_begin(c);
    ULONG length;
    SOCKADDR_INET at = address_of("127.0.0.1", 0, &length);
    NDK_LISTENER *l;

    assert_ntstatus(consumer_create_listener(c, event, context, &l), STATUS_SUCCESS);
    assert_ntstatus(
        call_end(call, l->Dispatch->NdkListen(l, (SOCKADDR *)&at, length, call_completed, call)),
        STATUS_SUCCESS);
    assert_ntstatus(l->Dispatch->NdkGetLocalAddress(l, (SOCKADDR *)&at, &length), STATUS_SUCCESS);
    *port = address_port(&at);
    return l;
}

/* [NDKPI NDK_FN_CONNECT_EVENT_CALLBACK] */
static void a_request_may_be_accepted_in_its_event(void **state)
{
    struct consumer *c = consumer_open(NULL);
    struct endpoint *active = endpoint_open(c, NULL), *passive = endpoint_open(c, NULL);
    struct answer a = {.e = passive, .accept = call_begin(c)};
    uint16_t port;
    NDK_LISTENER *l = listen_with(c, accept_at_once, &a, &port);

    (void)state;
    endpoint_connect_start(active, "127.0.0.1", port, NULL);
    assert_ntstatus(endpoint_connect_wait(active), STATUS_SUCCESS);
    assert_ntstatus(endpoint_complete(active), STATUS_SUCCESS);
    assert_ntstatus(call_wait(a.accept), STATUS_SUCCESS);
    assert_ntstatus(a.peer_address, STATUS_SUCCESS);
    consumer_lock();
    assert_int_equal(a.count, 1);
    consumer_unlock();
    consumer_adopt(c);
    passive->connector = a.connector;
    endpoint_close(active);
    endpoint_close(passive);
    consumer_close_object(c, &l->Header);
    consumer_close(c);
}

static void a_request_may_be_closed_in_its_event(void **state)
{
    struct consumer *c = consumer_open(NULL);
    struct endpoint *active = endpoint_open(c, NULL);
    struct answer a = {.close = call_begin(c)};
    uint16_t port;
    NDK_LISTENER *l = listen_with(c, close_at_once, &a, &port);

    (void)state;
    endpoint_connect_start(active, "127.0.0.1", port, NULL);
    assert_ntstatus(endpoint_connect_wait(active), STATUS_CONNECTION_REFUSED);
    assert_ntstatus(call_wait(a.close), STATUS_SUCCESS);
    endpoint_close(active);
    consumer_close_object(c, &l->Header);
    consumer_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_of_connect_are_checked),
        cmocka_unit_test(an_idle_connector_can_only_connect),
        cmocka_unit_test(three_steps_connect_both_sides),
        cmocka_unit_test(private_data_fits_or_is_cut),
        cmocka_unit_test(as_much_private_data_as_promised_arrives),
        cmocka_unit_test(read_limits_meet),
        cmocka_unit_test(the_forms_of_2_1_connect_too),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(no_way_leads_there),
        cmocka_unit_test(the_passive_side_rejects_with_a_reason),
        cmocka_unit_test(the_active_side_rejects_what_was_accepted),
        cmocka_unit_test(a_queue_pair_in_use_is_refused),
        cmocka_unit_test(a_connected_connector_does_not_connect_again),
        cmocka_unit_test(a_graceful_end_has_two_halves),
        cmocka_unit_test(receives_outlive_the_event_and_end_cancelled),
        cmocka_unit_test(an_unanswered_disconnect_times_out),
        cmocka_unit_test(closing_a_connected_connector_is_told_the_peer),
        cmocka_unit_test(a_close_while_connecting_cancels),
        cmocka_unit_test(a_close_instead_of_completing_aborts_the_accept),
        cmocka_unit_test(a_close_while_accepting_fails_the_accept),
        cmocka_unit_test(a_close_while_disconnecting_ends_both),
        cmocka_unit_test(a_request_may_be_accepted_in_its_event),
        cmocka_unit_test(a_request_may_be_closed_in_its_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
