/* SPDX-License-Identifier: MIT */
/* NDK_CONNECTOR_DISPATCH and NDK_LISTENER_DISPATCH over the layer. */
#include "chaos/invoke.h"

static const NDK_CONNECTOR_DISPATCH *below(const struct chaos_obj *c)
{
    return c->inner;
}

static const NDK_LISTENER_DISPATCH *below_listener(const struct chaos_obj *c)
{
    return c->inner;
}

static struct chaos_op *begin(struct chaos_obj *c, enum chaos_entry entry,
    NDK_FN_REQUEST_COMPLETION fn, PVOID ctx, NTSTATUS *status)
{
    return chaos_begin(c, entry, CHAOS_OP_REQUEST, (chaos_any_fn *)fn, ctx, status);
}

/* A call that takes a disconnect event: what goes down in the place of the consumer's. */
struct with_event {
    struct chaos_op *op;
    struct chaos_routine *event;
    NTSTATUS status; /* when it has ended already */
};

/* False: it has ended, with w->status. */
static bool begin_with_event(struct with_event *w, struct chaos_obj *c, enum chaos_entry entry,
    chaos_any_fn *event, PVOID event_ctx, NDK_FN_REQUEST_COMPLETION fn, PVOID ctx)
{
    w->status = STATUS_INSUFFICIENT_RESOURCES;
    w->event = chaos_event_begin(c, event, event_ctx);
    if (w->event == NULL)
        return false;
    w->op = begin(c, entry, fn, ctx, &w->status);
    if (w->op != NULL)
        return true;
    (void)chaos_event_end(w->event, STATUS_UNSUCCESSFUL);
    return false;
}

static NTSTATUS end_with_event(struct with_event *w, NTSTATUS returned)
{
    return chaos_end(w->op, chaos_event_end(w->event, returned), NULL);
}

/* [NDKPI NDK_FN_CONNECT] */
static NTSTATUS NdkConnect(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, PSOCKADDR pSrcAddress,
    ULONG SrcAddressLength, PSOCKADDR pDestAddress, ULONG DestAddressLength, ULONG InboundReadLimit,
    ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct chaos_obj *c = chaos_of(pNdkConnector);
    NTSTATUS status;
    struct chaos_op *op = begin(c, CHAOS_CONNECT, RequestCompletion, RequestContext, &status);

    if (op == NULL)
        return status;
    return chaos_end(op,
        below(c)->NdkConnect(pNdkConnector, pNdkQp, pSrcAddress, SrcAddressLength, pDestAddress,
            DestAddressLength, InboundReadLimit, OutboundReadLimit, pPrivateData, PrivateDataLength,
            CHAOS_COMPLETED(RequestCompletion), op),
        NULL);
}

/* [NDKPI NDK_FN_CONNECT_WITH_SHARED_ENDPOINT] */
static NTSTATUS NdkConnectWithSharedEndpoint(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp,
    NDK_SHARED_ENDPOINT *pNdkSharedEndpoint, PSOCKADDR pDestAddress, ULONG DestAddressLength,
    ULONG InboundReadLimit, ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct chaos_obj *c = chaos_of(pNdkConnector);
    NTSTATUS status;
    struct chaos_op *op =
        begin(c, CHAOS_CONNECT_WITH_SHARED_ENDPOINT, RequestCompletion, RequestContext, &status);

    if (op == NULL)
        return status;
    return chaos_end(op,
        below(c)->NdkConnectWithSharedEndpoint(pNdkConnector, pNdkQp, pNdkSharedEndpoint,
            pDestAddress, DestAddressLength, InboundReadLimit, OutboundReadLimit, pPrivateData,
            PrivateDataLength, CHAOS_COMPLETED(RequestCompletion), op),
        NULL);
}

/* [NDKPI NDK_FN_COMPLETE_CONNECT] */
static NTSTATUS NdkCompleteConnect(NDK_CONNECTOR *pNdkConnector,
    NDK_FN_DISCONNECT_EVENT_CALLBACK DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct chaos_obj *c = chaos_of(pNdkConnector);
    struct with_event w;

    if (!begin_with_event(&w, c, CHAOS_COMPLETE_CONNECT, (chaos_any_fn *)DisconnectEvent,
            DisconnectEventContext, RequestCompletion, RequestContext))
        return w.status;
    return end_with_event(&w, below(c)->NdkCompleteConnect(pNdkConnector,
                                  DisconnectEvent != NULL ? chaos_on_disconnect : NULL, w.event,
                                  CHAOS_COMPLETED(RequestCompletion), w.op));
}

/* [NDKPI NDK_FN_COMPLETE_CONNECT_EX] */
static NTSTATUS NdkCompleteConnectEx(NDK_CONNECTOR *pNdkConnector,
    NDK_FN_DISCONNECT_EVENT_CALLBACK_EX DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct chaos_obj *c = chaos_of(pNdkConnector);
    struct with_event w;

    if (!begin_with_event(&w, c, CHAOS_COMPLETE_CONNECT_EX, (chaos_any_fn *)DisconnectEvent,
            DisconnectEventContext, RequestCompletion, RequestContext))
        return w.status;
    return end_with_event(&w, below(c)->NdkCompleteConnectEx(pNdkConnector,
                                  DisconnectEvent != NULL ? chaos_on_disconnect_ex : NULL, w.event,
                                  CHAOS_COMPLETED(RequestCompletion), w.op));
}

/* [NDKPI NDK_FN_ACCEPT] */
static NTSTATUS NdkAccept(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, ULONG InboundReadLimit,
    ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_DISCONNECT_EVENT_CALLBACK DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct chaos_obj *c = chaos_of(pNdkConnector);
    struct with_event w;

    if (!begin_with_event(&w, c, CHAOS_ACCEPT, (chaos_any_fn *)DisconnectEvent,
            DisconnectEventContext, RequestCompletion, RequestContext))
        return w.status;
    return end_with_event(&w,
        below(c)->NdkAccept(pNdkConnector, pNdkQp, InboundReadLimit, OutboundReadLimit,
            pPrivateData, PrivateDataLength, DisconnectEvent != NULL ? chaos_on_disconnect : NULL,
            w.event, CHAOS_COMPLETED(RequestCompletion), w.op));
}

/* [NDKPI NDK_FN_ACCEPT_EX] */
static NTSTATUS NdkAcceptEx(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, ULONG InboundReadLimit,
    ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_DISCONNECT_EVENT_CALLBACK_EX DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct chaos_obj *c = chaos_of(pNdkConnector);
    struct with_event w;

    if (!begin_with_event(&w, c, CHAOS_ACCEPT_EX, (chaos_any_fn *)DisconnectEvent,
            DisconnectEventContext, RequestCompletion, RequestContext))
        return w.status;
    return end_with_event(&w, below(c)->NdkAcceptEx(pNdkConnector, pNdkQp, InboundReadLimit,
                                  OutboundReadLimit, pPrivateData, PrivateDataLength,
                                  DisconnectEvent != NULL ? chaos_on_disconnect_ex : NULL, w.event,
                                  CHAOS_COMPLETED(RequestCompletion), w.op));
}

/* [NDKPI NDK_FN_REJECT] */
static NTSTATUS NdkReject(NDK_CONNECTOR *pNdkConnector, PVOID pPrivateData, ULONG PrivateDataLength)
{
    struct chaos_obj *c = chaos_of(pNdkConnector);
    NTSTATUS fault = chaos_fault(c, CHAOS_REJECT);

    if (fault != STATUS_SUCCESS)
        return fault;
    return below(c)->NdkReject(pNdkConnector, pPrivateData, PrivateDataLength);
}

/* [NDKPI NDK_FN_GET_CONNECTION_DATA] */
static NTSTATUS NdkGetConnectionData(NDK_CONNECTOR *pNdkConnector, ULONG *pInboundReadLimit,
    ULONG *pOutboundReadLimit, PVOID pPrivateData, ULONG *pPrivateDataLength)
{
    struct chaos_obj *c = chaos_of(pNdkConnector);
    NTSTATUS fault = chaos_fault(c, CHAOS_GET_CONNECTION_DATA);

    if (fault != STATUS_SUCCESS)
        return fault;
    return below(c)->NdkGetConnectionData(
        pNdkConnector, pInboundReadLimit, pOutboundReadLimit, pPrivateData, pPrivateDataLength);
}

/* [NDKPI NDK_FN_GET_PEER_ADDRESS] */
static NTSTATUS NdkGetPeerAddress(
    NDK_CONNECTOR *pNdkConnector, PSOCKADDR pAddress, ULONG *pAddressLength)
{
    struct chaos_obj *c = chaos_of(pNdkConnector);
    NTSTATUS fault = chaos_fault(c, CHAOS_GET_PEER_ADDRESS);

    if (fault != STATUS_SUCCESS)
        return fault;
    return below(c)->NdkGetPeerAddress(pNdkConnector, pAddress, pAddressLength);
}

/* [NDKPI NDK_FN_DISCONNECT] */
static NTSTATUS NdkDisconnect(
    NDK_CONNECTOR *pNdkConnector, NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct chaos_obj *c = chaos_of(pNdkConnector);
    NTSTATUS status;
    struct chaos_op *op = begin(c, CHAOS_DISCONNECT, RequestCompletion, RequestContext, &status);

    if (op == NULL)
        return status;
    return chaos_end(
        op, below(c)->NdkDisconnect(pNdkConnector, CHAOS_COMPLETED(RequestCompletion), op), NULL);
}

void chaos_connector_table(const struct chaos_state *s, void *table)
{
    NDK_CONNECTOR_DISPATCH *t = table;

    UNREFERENCED_PARAMETER(s);
    t->NdkConnect = NdkConnect;
    t->NdkConnectWithSharedEndpoint = NdkConnectWithSharedEndpoint;
    t->NdkCompleteConnect = NdkCompleteConnect;
    t->NdkCompleteConnectEx = NdkCompleteConnectEx;
    t->NdkAccept = NdkAccept;
    t->NdkAcceptEx = NdkAcceptEx;
    t->NdkReject = NdkReject;
    t->NdkGetConnectionData = NdkGetConnectionData;
    t->NdkGetPeerAddress = NdkGetPeerAddress;
    t->NdkDisconnect = NdkDisconnect;
}

/* ---- listeners ---- */

/* [NDKPI NDK_FN_LISTEN] */
static NTSTATUS NdkListen(NDK_LISTENER *pNdkListener, PSOCKADDR pAddress, ULONG AddressLength,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct chaos_obj *c = chaos_of(pNdkListener);
    NTSTATUS status;
    struct chaos_op *op = begin(c, CHAOS_LISTEN, RequestCompletion, RequestContext, &status);

    if (op == NULL)
        return status;
    return chaos_end(op,
        below_listener(c)->NdkListen(
            pNdkListener, pAddress, AddressLength, CHAOS_COMPLETED(RequestCompletion), op),
        NULL);
}

void chaos_listener_table(const struct chaos_state *s, void *table)
{
    NDK_LISTENER_DISPATCH *t = table;

    UNREFERENCED_PARAMETER(s);
    t->NdkListen = NdkListen;
}
