/* SPDX-License-Identifier: MIT */
#include <ws2ipdef.h>

#include "each_failure.h"

static SOCKADDR_IN loopback(USHORT port_net)
{
    SOCKADDR_IN at = {.sin_family = AF_INET, .sin_port = port_net};

    memcpy(&at.sin_addr, "\x7f\0\0\x01", 4);
    return at;
}

static NDK_CONNECTOR *create_connector(struct bench *b)
{
    struct told t = {0};
    NDK_CONNECTOR *now = NULL;
    NTSTATUS status =
        b->w.adapter->Dispatch->NdkCreateConnector(b->w.adapter, on_created, &t, &now);

    return created(&t, status, now);
}

/* ---- calls on a connector that has done nothing: refused below, if not by the layer ---- */

/* A port that nobody listens at. */
static SOCKADDR_IN nobody(struct bench *b, NDK_SHARED_ENDPOINT **reserved)
{
    SOCKADDR_IN at = loopback(0);
    ULONG length = sizeof at;
    struct told t = {0};
    NDK_SHARED_ENDPOINT *now = NULL;
    NTSTATUS status = b->w.adapter->Dispatch->NdkCreateSharedEndpoint(
        b->w.adapter, (PSOCKADDR)&at, sizeof at, on_created, &t, &now);

    *reserved = created(&t, status, now);
    assert_int_equal((*reserved)->Dispatch->NdkGetLocalAddress(*reserved, (PSOCKADDR)&at, &length),
        STATUS_SUCCESS);
    return at;
}

static NTSTATUS call_connect(struct bench *b)
{
    NDK_CONNECTOR *k = create_connector(b);
    NDK_SHARED_ENDPOINT *reserved;
    SOCKADDR_IN from = loopback(0), to = nobody(b, &reserved);
    struct told t = {0};
    NTSTATUS status = finished(&t, k->Dispatch->NdkConnect(k, b->qp, (PSOCKADDR)&from, sizeof from,
                                       (PSOCKADDR)&to, sizeof to, 1, 1, NULL, 0, on_completed, &t));

    close_object(k);
    close_object(reserved);
    return status;
}

static NTSTATUS call_connect_shared(struct bench *b)
{
    NDK_CONNECTOR *k = create_connector(b);
    NDK_SHARED_ENDPOINT *reserved, *endpoint;
    SOCKADDR_IN to = nobody(b, &reserved);
    struct told t = {0};
    NTSTATUS status;

    (void)nobody(b, &endpoint);
    status = finished(&t, k->Dispatch->NdkConnectWithSharedEndpoint(k, b->qp, endpoint,
                              (PSOCKADDR)&to, sizeof to, 1, 1, NULL, 0, on_completed, &t));
    close_object(k);
    close_object(endpoint);
    close_object(reserved);
    return status;
}

static VOID on_event(PVOID context)
{
    tell(context, STATUS_SUCCESS, NULL);
}

static VOID on_event_ex(PVOID context, ULONG reason)
{
    UNREFERENCED_PARAMETER(reason);
    tell(context, STATUS_SUCCESS, NULL);
}

static NTSTATUS call_complete(struct bench *b)
{
    NDK_CONNECTOR *k = create_connector(b);
    struct told t = {0}, event = {0};
    NTSTATUS status =
        finished(&t, k->Dispatch->NdkCompleteConnect(k, on_event, &event, on_completed, &t));

    close_object(k);
    return status;
}

static NTSTATUS call_complete_ex(struct bench *b)
{
    NDK_CONNECTOR *k = create_connector(b);
    struct told t = {0}, event = {0};
    NTSTATUS status =
        finished(&t, k->Dispatch->NdkCompleteConnectEx(k, on_event_ex, &event, on_completed, &t));

    close_object(k);
    return status;
}

static NTSTATUS call_accept(struct bench *b)
{
    NDK_CONNECTOR *k = create_connector(b);
    struct told t = {0}, event = {0};
    NTSTATUS status = finished(
        &t, k->Dispatch->NdkAccept(k, b->qp, 1, 1, NULL, 0, on_event, &event, on_completed, &t));

    close_object(k);
    return status;
}

static NTSTATUS call_accept_ex(struct bench *b)
{
    NDK_CONNECTOR *k = create_connector(b);
    struct told t = {0}, event = {0};
    NTSTATUS status = finished(&t,
        k->Dispatch->NdkAcceptEx(k, b->qp, 1, 1, NULL, 0, on_event_ex, &event, on_completed, &t));

    close_object(k);
    return status;
}

static NTSTATUS call_reject(struct bench *b)
{
    NDK_CONNECTOR *k = create_connector(b);
    NTSTATUS status = k->Dispatch->NdkReject(k, NULL, 0);

    close_object(k);
    return status;
}

/* Nothing is written when it fails. */
static NTSTATUS call_data(struct bench *b)
{
    NDK_CONNECTOR *k = create_connector(b);
    ULONG in = 77, out = 78, length = 79;
    uint8_t data[80];
    NTSTATUS status = k->Dispatch->NdkGetConnectionData(k, &in, &out, data, &length);

    assert_true(in == 77 && out == 78 && length == 79);
    close_object(k);
    return status;
}

static NTSTATUS call_peer(struct bench *b)
{
    NDK_CONNECTOR *k = create_connector(b);
    SOCKADDR_IN at;
    ULONG length = sizeof at;
    NTSTATUS status = k->Dispatch->NdkGetPeerAddress(k, (PSOCKADDR)&at, &length);

    assert_int_equal(length, sizeof at);
    close_object(k);
    return status;
}

static void each_failure_of_each_entry(void **state)
{
    (void)state;
    each_failure(CHAOS_CONNECT, call_connect, 1, STATUS_CONNECTION_REFUSED);
    each_failure(
        CHAOS_CONNECT_WITH_SHARED_ENDPOINT, call_connect_shared, 1, STATUS_CONNECTION_REFUSED);
    each_failure(CHAOS_COMPLETE_CONNECT, call_complete, 1, STATUS_CONNECTION_INVALID);
    each_failure(CHAOS_COMPLETE_CONNECT_EX, call_complete_ex, 1, STATUS_CONNECTION_INVALID);
    each_failure(CHAOS_ACCEPT, call_accept, 1, STATUS_INVALID_DEVICE_STATE);
    each_failure(CHAOS_ACCEPT_EX, call_accept_ex, 1, STATUS_INVALID_DEVICE_STATE);
    each_failure(CHAOS_REJECT, call_reject, 1, STATUS_INVALID_DEVICE_STATE);
    each_failure(CHAOS_GET_CONNECTION_DATA, call_data, 1, STATUS_CONNECTION_INVALID);
    each_failure(CHAOS_GET_PEER_ADDRESS, call_peer, 1, STATUS_CONNECTION_INVALID);
}

/* ---- listeners ---- */

static VOID on_connect(PVOID context, NDK_CONNECTOR *connector)
{
    tell(context, STATUS_SUCCESS, &connector->Header);
}

static NTSTATUS call_listen(struct bench *b)
{
    SOCKADDR_IN at = loopback(0);
    struct told t = {0}, listening = {0};
    NDK_LISTENER *l = NULL;
    NTSTATUS status = b->w.adapter->Dispatch->NdkCreateListener(
        b->w.adapter, on_connect, NULL, on_created, &t, &l);

    l = created(&t, status, l);
    status = finished(
        &listening, l->Dispatch->NdkListen(l, (PSOCKADDR)&at, sizeof at, on_completed, &listening));
    close_object(l);
    return status;
}

static void each_failure_of_listening(void **state)
{
    (void)state;
    each_failure(CHAOS_LISTEN, call_listen, 1, STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failure_of_each_entry),
        cmocka_unit_test(each_failure_of_listening),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
