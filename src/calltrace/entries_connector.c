/* SPDX-License-Identifier: MIT */
/* NDK_CONNECTOR_DISPATCH, NDK_LISTENER_DISPATCH and NDK_SHARED_ENDPOINT_DISPATCH, a line for each
 * call. */
#include "calltrace/create.h"

static const NDK_CONNECTOR_DISPATCH *below_connector(const struct ct_obj *c)
{
    return c->inner;
}

/* [NDKPI NDK_FN_CONNECT] */
static NTSTATUS NdkConnect(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, PSOCKADDR pSrcAddress,
    ULONG SrcAddressLength, PSOCKADDR pDestAddress, ULONG DestAddressLength, ULONG InboundReadLimit,
    ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct ct_obj *c = ct_of(pNdkConnector);
    struct ct_line l;
    struct ct_routine *r =
        ct_done_begin(c, "NdkConnect", (ct_any_fn *)RequestCompletion, RequestContext);
    NTSTATUS status;

    ct_begin(&l, c, "NdkConnect");
    ct_add_object(&l, "with", pNdkQp);
    ct_add_address(&l, "from", pSrcAddress, SrcAddressLength);
    ct_add_address(&l, "to", pDestAddress, DestAddressLength);
    ct_add(&l, ", reads %u in %u out, private data %u", InboundReadLimit, OutboundReadLimit,
        PrivateDataLength);
    status = below_connector(c)->NdkConnect(pNdkConnector, pNdkQp, pSrcAddress, SrcAddressLength,
        pDestAddress, DestAddressLength, InboundReadLimit, OutboundReadLimit, pPrivateData,
        PrivateDataLength, CT_FN(r, ct_on_completed, RequestCompletion),
        CT_CONTEXT(r, RequestContext));
    return ct_end_status(&l, ct_done_end(r, status));
}

/* [NDKPI NDK_FN_CONNECT_WITH_SHARED_ENDPOINT] */
static NTSTATUS NdkConnectWithSharedEndpoint(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp,
    NDK_SHARED_ENDPOINT *pNdkSharedEndpoint, PSOCKADDR pDestAddress, ULONG DestAddressLength,
    ULONG InboundReadLimit, ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct ct_obj *c = ct_of(pNdkConnector);
    struct ct_line l;
    struct ct_routine *r = ct_done_begin(
        c, "NdkConnectWithSharedEndpoint", (ct_any_fn *)RequestCompletion, RequestContext);
    NTSTATUS status;

    ct_begin(&l, c, "NdkConnectWithSharedEndpoint");
    ct_add_object(&l, "with", pNdkQp);
    ct_add_object(&l, "from", pNdkSharedEndpoint);
    ct_add_address(&l, "to", pDestAddress, DestAddressLength);
    ct_add(&l, ", reads %u in %u out, private data %u", InboundReadLimit, OutboundReadLimit,
        PrivateDataLength);
    status = below_connector(c)->NdkConnectWithSharedEndpoint(pNdkConnector, pNdkQp,
        pNdkSharedEndpoint, pDestAddress, DestAddressLength, InboundReadLimit, OutboundReadLimit,
        pPrivateData, PrivateDataLength, CT_FN(r, ct_on_completed, RequestCompletion),
        CT_CONTEXT(r, RequestContext));
    return ct_end_status(&l, ct_done_end(r, status));
}

/* [NDKPI NDK_FN_COMPLETE_CONNECT] */
static NTSTATUS NdkCompleteConnect(NDK_CONNECTOR *pNdkConnector,
    NDK_FN_DISCONNECT_EVENT_CALLBACK DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct ct_obj *c = ct_of(pNdkConnector);
    struct ct_line l;
    struct ct_routine *event = ct_event_begin(
        c->s, "disconnect event", (ct_any_fn *)DisconnectEvent, DisconnectEventContext);
    struct ct_routine *r =
        ct_done_begin(c, "NdkCompleteConnect", (ct_any_fn *)RequestCompletion, RequestContext);
    NTSTATUS status;

    ct_begin(&l, c, "NdkCompleteConnect");
    ct_event_give(event, c);
    status = below_connector(c)->NdkCompleteConnect(pNdkConnector,
        CT_FN(event, ct_on_disconnect, DisconnectEvent), CT_CONTEXT(event, DisconnectEventContext),
        CT_FN(r, ct_on_completed, RequestCompletion), CT_CONTEXT(r, RequestContext));
    return ct_end_status(&l, ct_done_end(r, status));
}

/* [NDKPI NDK_FN_COMPLETE_CONNECT_EX] */
static NTSTATUS NdkCompleteConnectEx(NDK_CONNECTOR *pNdkConnector,
    NDK_FN_DISCONNECT_EVENT_CALLBACK_EX DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct ct_obj *c = ct_of(pNdkConnector);
    struct ct_line l;
    struct ct_routine *event = ct_event_begin(
        c->s, "disconnect event", (ct_any_fn *)DisconnectEvent, DisconnectEventContext);
    struct ct_routine *r =
        ct_done_begin(c, "NdkCompleteConnectEx", (ct_any_fn *)RequestCompletion, RequestContext);
    NTSTATUS status;

    ct_begin(&l, c, "NdkCompleteConnectEx");
    ct_event_give(event, c);
    status = below_connector(c)->NdkCompleteConnectEx(pNdkConnector,
        CT_FN(event, ct_on_disconnect_ex, DisconnectEvent),
        CT_CONTEXT(event, DisconnectEventContext), CT_FN(r, ct_on_completed, RequestCompletion),
        CT_CONTEXT(r, RequestContext));
    return ct_end_status(&l, ct_done_end(r, status));
}

/* [NDKPI NDK_FN_ACCEPT] */
static NTSTATUS NdkAccept(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, ULONG InboundReadLimit,
    ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_DISCONNECT_EVENT_CALLBACK DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct ct_obj *c = ct_of(pNdkConnector);
    struct ct_line l;
    struct ct_routine *event = ct_event_begin(
        c->s, "disconnect event", (ct_any_fn *)DisconnectEvent, DisconnectEventContext);
    struct ct_routine *r =
        ct_done_begin(c, "NdkAccept", (ct_any_fn *)RequestCompletion, RequestContext);
    NTSTATUS status;

    ct_begin(&l, c, "NdkAccept");
    ct_event_give(event, c);
    ct_add_object(&l, "with", pNdkQp);
    ct_add(&l, ", reads %u in %u out, private data %u", InboundReadLimit, OutboundReadLimit,
        PrivateDataLength);
    status = below_connector(c)->NdkAccept(pNdkConnector, pNdkQp, InboundReadLimit,
        OutboundReadLimit, pPrivateData, PrivateDataLength,
        CT_FN(event, ct_on_disconnect, DisconnectEvent), CT_CONTEXT(event, DisconnectEventContext),
        CT_FN(r, ct_on_completed, RequestCompletion), CT_CONTEXT(r, RequestContext));
    return ct_end_status(&l, ct_done_end(r, status));
}

/* [NDKPI NDK_FN_ACCEPT_EX] */
static NTSTATUS NdkAcceptEx(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, ULONG InboundReadLimit,
    ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_DISCONNECT_EVENT_CALLBACK_EX DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct ct_obj *c = ct_of(pNdkConnector);
    struct ct_line l;
    struct ct_routine *event = ct_event_begin(
        c->s, "disconnect event", (ct_any_fn *)DisconnectEvent, DisconnectEventContext);
    struct ct_routine *r =
        ct_done_begin(c, "NdkAcceptEx", (ct_any_fn *)RequestCompletion, RequestContext);
    NTSTATUS status;

    ct_begin(&l, c, "NdkAcceptEx");
    ct_event_give(event, c);
    ct_add_object(&l, "with", pNdkQp);
    ct_add(&l, ", reads %u in %u out, private data %u", InboundReadLimit, OutboundReadLimit,
        PrivateDataLength);
    status =
        below_connector(c)->NdkAcceptEx(pNdkConnector, pNdkQp, InboundReadLimit, OutboundReadLimit,
            pPrivateData, PrivateDataLength, CT_FN(event, ct_on_disconnect_ex, DisconnectEvent),
            CT_CONTEXT(event, DisconnectEventContext), CT_FN(r, ct_on_completed, RequestCompletion),
            CT_CONTEXT(r, RequestContext));
    return ct_end_status(&l, ct_done_end(r, status));
}

/* [NDKPI NDK_FN_REJECT] */
static NTSTATUS NdkReject(NDK_CONNECTOR *pNdkConnector, PVOID pPrivateData, ULONG PrivateDataLength)
{
    struct ct_obj *c = ct_of(pNdkConnector);
    struct ct_line l;

    ct_begin(&l, c, "NdkReject");
    ct_add(&l, ", private data %u", PrivateDataLength);
    return ct_end_status(
        &l, below_connector(c)->NdkReject(pNdkConnector, pPrivateData, PrivateDataLength));
}

/* [NDKPI NDK_FN_GET_CONNECTION_DATA] */
static NTSTATUS NdkGetConnectionData(NDK_CONNECTOR *pNdkConnector, ULONG *pInboundReadLimit,
    ULONG *pOutboundReadLimit, PVOID pPrivateData, ULONG *pPrivateDataLength)
{
    struct ct_obj *c = ct_of(pNdkConnector);
    struct ct_line l;

    ct_begin(&l, c, "NdkGetConnectionData");
    return ct_end_status(
        &l, below_connector(c)->NdkGetConnectionData(pNdkConnector, pInboundReadLimit,
                pOutboundReadLimit, pPrivateData, pPrivateDataLength));
}

/* [NDKPI NDK_FN_GET_LOCAL_ADDRESS] */
static NTSTATUS NdkGetLocalAddress(
    NDK_CONNECTOR *pNdkConnector, PSOCKADDR pAddress, ULONG *pAddressLength)
{
    struct ct_obj *c = ct_of(pNdkConnector);
    struct ct_line l;

    ct_begin(&l, c, "NdkGetLocalAddress");
    return ct_end_status(
        &l, below_connector(c)->NdkGetLocalAddress(pNdkConnector, pAddress, pAddressLength));
}

/* [NDKPI NDK_FN_GET_PEER_ADDRESS] */
static NTSTATUS NdkGetPeerAddress(
    NDK_CONNECTOR *pNdkConnector, PSOCKADDR pAddress, ULONG *pAddressLength)
{
    struct ct_obj *c = ct_of(pNdkConnector);
    struct ct_line l;

    ct_begin(&l, c, "NdkGetPeerAddress");
    return ct_end_status(
        &l, below_connector(c)->NdkGetPeerAddress(pNdkConnector, pAddress, pAddressLength));
}

/* [NDKPI NDK_FN_DISCONNECT] */
static NTSTATUS NdkDisconnect(
    NDK_CONNECTOR *pNdkConnector, NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct ct_obj *c = ct_of(pNdkConnector);
    struct ct_line l;
    struct ct_routine *r =
        ct_done_begin(c, "NdkDisconnect", (ct_any_fn *)RequestCompletion, RequestContext);
    NTSTATUS status;

    ct_begin(&l, c, "NdkDisconnect");
    status = below_connector(c)->NdkDisconnect(
        pNdkConnector, CT_FN(r, ct_on_completed, RequestCompletion), CT_CONTEXT(r, RequestContext));
    return ct_end_status(&l, ct_done_end(r, status));
}

static const NDK_LISTENER_DISPATCH *below_listener(const struct ct_obj *c)
{
    return c->inner;
}

/* [NDKPI NDK_FN_LISTEN] */
static NTSTATUS NdkListen(NDK_LISTENER *pNdkListener, PSOCKADDR pAddress, ULONG AddressLength,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct ct_obj *c = ct_of(pNdkListener);
    struct ct_line l;
    struct ct_routine *r =
        ct_done_begin(c, "NdkListen", (ct_any_fn *)RequestCompletion, RequestContext);
    NTSTATUS status;

    ct_begin(&l, c, "NdkListen");
    ct_add_address(&l, "at", pAddress, AddressLength);
    status = below_listener(c)->NdkListen(pNdkListener, pAddress, AddressLength,
        CT_FN(r, ct_on_completed, RequestCompletion), CT_CONTEXT(r, RequestContext));
    return ct_end_status(&l, ct_done_end(r, status));
}

/* [NDKPI NDK_FN_GET_LISTENER_LOCAL_ADDRESS] */
static NTSTATUS listener_address(
    NDK_LISTENER *pNdkListener, PSOCKADDR pAddress, ULONG *pAddressLength)
{
    struct ct_obj *c = ct_of(pNdkListener);
    struct ct_line l;

    ct_begin(&l, c, "NdkGetLocalAddress");
    return ct_end_status(
        &l, below_listener(c)->NdkGetLocalAddress(pNdkListener, pAddress, pAddressLength));
}

/* [NDKPI NDK_FN_CONTROL_CONNECT_EVENTS] */
static VOID NdkControlConnectEvents(NDK_LISTENER *pNdkListener, BOOLEAN Pause)
{
    struct ct_obj *c = ct_of(pNdkListener);
    struct ct_line l;

    ct_begin(&l, c, "NdkControlConnectEvents");
    ct_add(&l, ", %s", Pause ? "pause" : "resume");
    ct_add(&l, ")");
    below_listener(c)->NdkControlConnectEvents(pNdkListener, Pause);
    ct_end(&l);
}

static const NDK_SHARED_ENDPOINT_DISPATCH *below_endpoint(const struct ct_obj *c)
{
    return c->inner;
}

/* [NDKPI NDK_FN_GET_SHARED_ENDPOINT_LOCAL_ADDRESS] */
static NTSTATUS endpoint_address(
    NDK_SHARED_ENDPOINT *pNdkSharedEndpoint, PSOCKADDR pAddress, ULONG *pAddressLength)
{
    struct ct_obj *c = ct_of(pNdkSharedEndpoint);
    struct ct_line l;

    ct_begin(&l, c, "NdkGetLocalAddress");
    return ct_end_status(
        &l, below_endpoint(c)->NdkGetLocalAddress(pNdkSharedEndpoint, pAddress, pAddressLength));
}

void ct_connector_table(void *table)
{
    NDK_CONNECTOR_DISPATCH *t = table;

    t->NdkConnect = NdkConnect;
    t->NdkConnectWithSharedEndpoint = NdkConnectWithSharedEndpoint;
    t->NdkCompleteConnect = NdkCompleteConnect;
    t->NdkCompleteConnectEx = NdkCompleteConnectEx;
    t->NdkAccept = NdkAccept;
    t->NdkAcceptEx = NdkAcceptEx;
    t->NdkReject = NdkReject;
    t->NdkGetConnectionData = NdkGetConnectionData;
    t->NdkGetLocalAddress = NdkGetLocalAddress;
    t->NdkGetPeerAddress = NdkGetPeerAddress;
    t->NdkDisconnect = NdkDisconnect;
}

void ct_listener_table(void *table)
{
    NDK_LISTENER_DISPATCH *t = table;

    t->NdkListen = NdkListen;
    t->NdkGetLocalAddress = listener_address;
    t->NdkControlConnectEvents = NdkControlConnectEvents;
}

void ct_endpoint_table(void *table)
{
    NDK_SHARED_ENDPOINT_DISPATCH *t = table;

    t->NdkGetLocalAddress = endpoint_address;
}
