/* SPDX-License-Identifier: MIT */
/* NDK_CONNECTOR_DISPATCH as the consumer sees it with the verifier on: the steps of a connection in
 * their order. */
#include "verify/kinds.h"

static const NDK_CONNECTOR_DISPATCH *below(const struct verify_connector *c)
{
    return c->o.lower;
}

static enum verify_connector_state at(const struct verify_connector *c)
{
    return (enum verify_connector_state)sn_a32_load_acquire(&c->at);
}

static const char *name_of(enum verify_connector_state state)
{
    static const char *const names[] = {
        [VERIFY_CONN_NEW] = "is new",
        [VERIFY_CONN_EVENT] = "comes from a connect event and waits for a decision",
        [VERIFY_CONN_CONNECTING] = "is connecting",
        [VERIFY_CONN_ANSWERED] = "waits for NdkCompleteConnect",
        [VERIFY_CONN_COMPLETING] = "is completing its connect",
        [VERIFY_CONN_ACCEPTING] = "is accepting",
        [VERIFY_CONN_CONNECTED] = "is connected",
        [VERIFY_CONN_DISCONNECTING] = "was disconnected",
        [VERIFY_CONN_REJECTED] = "was rejected",
        [VERIFY_CONN_FAILED] = "failed",
    };

    return names[state];
}

static void move(struct verify_connector *c, enum verify_connector_state next)
{
    sn_a32_store_release(&c->at, next);
}

static struct verify_qp *qp_of(struct verify_connector *c)
{
    struct verify_adapter *a = c->o.adapter;
    struct verify_qp *q;

    sn_lock_take(&a->lock);
    q = c->qp;
    sn_lock_drop(&a->lock);
    return q;
}

static void link(struct verify_connector *c, enum verify_link next)
{
    struct verify_qp *q = qp_of(c);

    if (q != NULL)
        sn_a32_store_release(&q->link, next);
}

static void report_state(enum verify_rule rule, struct verify_connector *c, const char *call)
{
    verify_report(rule, &c->o, NULL, call, "the connector %s", name_of(at(c)));
}

/* ---- close ---- */

static NTSTATUS NdkCloseConnector(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    const struct verify_connector *c = verify_own(pNdkObject);

    return verify_close(
        pNdkObject, CloseCompletion, RequestContext, below(c)->NdkCloseConnector, __func__);
}

void verify_connector_closing(struct verify_connector *c)
{
    struct verify_qp *q = qp_of(c);

    if (at(c) == VERIFY_CONN_CONNECTED && q != NULL && sn_a32_load_acquire(&q->is_sick) == 0)
        report_state(VERIFY_C12, c, "NdkCloseConnector");
    /* A connect that failed gave the QP back; another connector may have it by now. */
    if (at(c) != VERIFY_CONN_NEW)
        link(c, VERIFY_LINK_ENDED);
}

/* ---- disconnect events ---- */

static void is_sick(struct verify_connector *c)
{
    struct verify_qp *q = qp_of(c);

    if (q != NULL)
        sn_a32_store_release(&q->is_sick, 1);
}

static VOID disconnected(PVOID Context)
{
    struct verify_connector *c = Context;
    struct verify_callback cb;

    is_sick(c);
    verify_callback_enter(&cb, &c->o, "NDK_FN_DISCONNECT_EVENT_CALLBACK");
    if (c->disconnected != NULL)
        c->disconnected(c->disconnected_ctx);
    verify_callback_leave(&cb);
}

static VOID disconnected_ex(PVOID Context, ULONG Reason)
{
    struct verify_connector *c = Context;
    struct verify_callback cb;

    is_sick(c);
    verify_callback_enter(&cb, &c->o, "NDK_FN_DISCONNECT_EVENT_CALLBACK_EX");
    if (c->disconnected_ex != NULL)
        c->disconnected_ex(c->disconnected_ctx, Reason);
    verify_callback_leave(&cb);
}

/* ---- the QP of a connection ---- */

/* The connector takes the QP: it serves one connection in its life. False: another has it. */
static bool take_qp(struct verify_connector *c, NDK_QP *pNdkQp, const char *call)
{
    struct verify_qp *q = pNdkQp != NULL ? verify_shadow(pNdkQp) : NULL;
    struct verify_adapter *a = c->o.adapter;
    struct verify_qp *before;

    if (q == NULL) /* of an adapter without the verifier: the provider refuses it */
        return false;
    if (!sn_a32_cas(&q->link, VERIFY_LINK_NONE, VERIFY_LINK_CONNECTING)) {
        verify_report(VERIFY_C4, &c->o, &q->o, call, "the QP was given to a connector before");
        return false;
    }
    verify_obj_get(&q->o);
    sn_lock_take(&a->lock);
    before = c->qp;
    c->qp = q;
    sn_lock_drop(&a->lock);
    if (before != NULL)
        verify_obj_put(&before->o);
    return true;
}

/* The connection is not to be: the QP may be used for another. */
static void free_qp(struct verify_connector *c)
{
    link(c, VERIFY_LINK_NONE);
}

static void connector_fini(struct verify_obj *o)
{
    struct verify_connector *c = (struct verify_connector *)o;

    if (c->qp != NULL)
        verify_obj_put(&c->qp->o);
}

static void is_connected(struct verify_connector *c)
{
    struct verify_qp *q = qp_of(c);

    if (q != NULL)
        sn_a32_store_release(&q->outbound, c->outbound);
    link(c, VERIFY_LINK_CONNECTED);
    move(c, VERIFY_CONN_CONNECTED);
}

/* ---- connect ---- */

static void check_private(struct verify_connector *c, ULONG length, ULONG max, const char *call)
{
    if (length > max)
        verify_report(
            VERIFY_P13, &c->o, NULL, call, "%u octets of private data, of at most %u", length, max);
}

/* number: 1 if the state is this call's to change. */
static void connected(struct verify_call *call, NTSTATUS status)
{
    struct verify_connector *c = (struct verify_connector *)call->o;

    if (call->number[0] == 0)
        return;
    if (NT_SUCCESS(status)) {
        move(c, VERIFY_CONN_ANSWERED);
        return;
    }
    move(c, VERIFY_CONN_NEW);
    free_qp(c);
}

/* What both ways to connect share; NULL: no memory. */
static struct verify_call *begin_connect(struct verify_connector *c, NDK_QP *pNdkQp,
    NDK_FN_REQUEST_COMPLETION fn, PVOID ctx, ULONG outbound, const char *name)
{
    struct verify_call *call = verify_call_new(&c->o, name, fn, ctx, false);

    verify_one_adapter(&c->o, pNdkQp, name);
    if (call == NULL)
        return NULL;
    c->o.fini = connector_fini;
    call->done = connected;
    if (!sn_a32_cas(&c->at, VERIFY_CONN_NEW, VERIFY_CONN_CONNECTING)) {
        report_state(VERIFY_C3, c, name);
    } else if (!take_qp(c, pNdkQp, name)) {
        move(c, VERIFY_CONN_NEW);
    } else {
        call->number[0] = 1;
        c->outbound = outbound;
    }
    return call;
}

static NTSTATUS NdkConnect(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, PSOCKADDR pSrcAddress,
    ULONG SrcAddressLength, PSOCKADDR pDestAddress, ULONG DestAddressLength, ULONG InboundReadLimit,
    ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct verify_connector *c = verify_own(pNdkConnector);
    struct verify_call *call;

    if (!verify_usable(&c->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    verify_address(&c->o, pSrcAddress, SrcAddressLength, __func__);
    verify_address(&c->o, pDestAddress, DestAddressLength, __func__);
    check_private(c, PrivateDataLength, c->o.adapter->info.MaxCallerData, __func__);
    call = begin_connect(c, pNdkQp, RequestCompletion, RequestContext, OutboundReadLimit, __func__);
    if (call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    return verify_call_end(call,
        below(c)->NdkConnect(pNdkConnector, pNdkQp, pSrcAddress, SrcAddressLength, pDestAddress,
            DestAddressLength, InboundReadLimit, OutboundReadLimit, pPrivateData, PrivateDataLength,
            verify_call_fn(call), call),
        NULL);
}

static NTSTATUS NdkConnectWithSharedEndpoint(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp,
    NDK_SHARED_ENDPOINT *pNdkSharedEndpoint, PSOCKADDR pDestAddress, ULONG DestAddressLength,
    ULONG InboundReadLimit, ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct verify_connector *c = verify_own(pNdkConnector);
    struct verify_call *call;

    if (!verify_usable(&c->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    verify_address(&c->o, pDestAddress, DestAddressLength, __func__);
    verify_one_adapter(&c->o, pNdkSharedEndpoint, __func__);
    check_private(c, PrivateDataLength, c->o.adapter->info.MaxCallerData, __func__);
    call = begin_connect(c, pNdkQp, RequestCompletion, RequestContext, OutboundReadLimit, __func__);
    if (call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    return verify_call_end(call,
        below(c)->NdkConnectWithSharedEndpoint(pNdkConnector, pNdkQp, pNdkSharedEndpoint,
            pDestAddress, DestAddressLength, InboundReadLimit, OutboundReadLimit, pPrivateData,
            PrivateDataLength, verify_call_fn(call), call),
        NULL);
}

/* Of NdkCompleteConnect and NdkAccept. */
static void established(struct verify_call *call, NTSTATUS status)
{
    struct verify_connector *c = (struct verify_connector *)call->o;

    if (call->number[0] == 0)
        return;
    if (NT_SUCCESS(status)) {
        is_connected(c);
        return;
    }
    move(c, call->number[1] != 0 && status == STATUS_INVALID_PARAMETER ? VERIFY_CONN_EVENT
                                                                       : VERIFY_CONN_FAILED);
    free_qp(c);
}

/* What both ways to complete share. */
static struct verify_call *begin_complete(struct verify_connector *c, NDK_FN_REQUEST_COMPLETION fn,
    PVOID ctx, PVOID event_ctx, const char *name)
{
    struct verify_call *call = verify_call_new(&c->o, name, fn, ctx, false);

    if (call == NULL)
        return NULL;
    call->done = established;
    if (sn_a32_cas(&c->at, VERIFY_CONN_ANSWERED, VERIFY_CONN_COMPLETING)) {
        call->number[0] = 1;
        c->disconnected_ctx = event_ctx;
    } else {
        report_state(VERIFY_C1, c, name);
    }
    return call;
}

static NTSTATUS NdkCompleteConnect(NDK_CONNECTOR *pNdkConnector,
    NDK_FN_DISCONNECT_EVENT_CALLBACK DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct verify_connector *c = verify_own(pNdkConnector);
    struct verify_call *call;

    if (!verify_usable(&c->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    call = begin_complete(c, RequestCompletion, RequestContext, DisconnectEventContext, __func__);
    if (call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (call->number[0] != 0)
        c->disconnected = DisconnectEvent;
    return verify_call_end(call,
        below(c)->NdkCompleteConnect(pNdkConnector, disconnected, c, verify_call_fn(call), call),
        NULL);
}

static NTSTATUS NdkCompleteConnectEx(NDK_CONNECTOR *pNdkConnector,
    NDK_FN_DISCONNECT_EVENT_CALLBACK_EX DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct verify_connector *c = verify_own(pNdkConnector);
    struct verify_call *call;

    if (!verify_usable(&c->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    call = begin_complete(c, RequestCompletion, RequestContext, DisconnectEventContext, __func__);
    if (call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (call->number[0] != 0)
        c->disconnected_ex = DisconnectEvent;
    return verify_call_end(call,
        below(c)->NdkCompleteConnectEx(
            pNdkConnector, disconnected_ex, c, verify_call_fn(call), call),
        NULL);
}

/* ---- accept and reject ---- */

/* What both ways to accept share. */
static struct verify_call *begin_accept(struct verify_connector *c, NDK_QP *pNdkQp,
    NDK_FN_REQUEST_COMPLETION fn, PVOID ctx, PVOID event_ctx, ULONG outbound, const char *name)
{
    struct verify_call *call = verify_call_new(&c->o, name, fn, ctx, false);

    verify_one_adapter(&c->o, pNdkQp, name);
    if (call == NULL)
        return NULL;
    c->o.fini = connector_fini;
    call->done = established;
    if (!sn_a32_cas(&c->at, VERIFY_CONN_EVENT, VERIFY_CONN_ACCEPTING)) {
        report_state(VERIFY_C2, c, name);
    } else if (!take_qp(c, pNdkQp, name)) {
        move(c, VERIFY_CONN_EVENT);
    } else {
        call->number[0] = call->number[1] = 1;
        c->outbound = outbound;
        c->disconnected_ctx = event_ctx;
    }
    return call;
}

static NTSTATUS NdkAccept(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, ULONG InboundReadLimit,
    ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_DISCONNECT_EVENT_CALLBACK DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct verify_connector *c = verify_own(pNdkConnector);
    struct verify_call *call;

    if (!verify_usable(&c->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    check_private(c, PrivateDataLength, c->o.adapter->info.MaxCalleeData, __func__);
    call = begin_accept(c, pNdkQp, RequestCompletion, RequestContext, DisconnectEventContext,
        OutboundReadLimit, __func__);
    if (call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (call->number[0] != 0)
        c->disconnected = DisconnectEvent;
    return verify_call_end(call,
        below(c)->NdkAccept(pNdkConnector, pNdkQp, InboundReadLimit, OutboundReadLimit,
            pPrivateData, PrivateDataLength, disconnected, c, verify_call_fn(call), call),
        NULL);
}

static NTSTATUS NdkAcceptEx(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, ULONG InboundReadLimit,
    ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_DISCONNECT_EVENT_CALLBACK_EX DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct verify_connector *c = verify_own(pNdkConnector);
    struct verify_call *call;

    if (!verify_usable(&c->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    check_private(c, PrivateDataLength, c->o.adapter->info.MaxCalleeData, __func__);
    call = begin_accept(c, pNdkQp, RequestCompletion, RequestContext, DisconnectEventContext,
        OutboundReadLimit, __func__);
    if (call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (call->number[0] != 0)
        c->disconnected_ex = DisconnectEvent;
    return verify_call_end(call,
        below(c)->NdkAcceptEx(pNdkConnector, pNdkQp, InboundReadLimit, OutboundReadLimit,
            pPrivateData, PrivateDataLength, disconnected_ex, c, verify_call_fn(call), call),
        NULL);
}

static NTSTATUS NdkReject(NDK_CONNECTOR *pNdkConnector, PVOID pPrivateData, ULONG PrivateDataLength)
{
    struct verify_connector *c = verify_own(pNdkConnector);
    enum verify_connector_state state;
    NTSTATUS status;

    if (!verify_usable(&c->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    check_private(c, PrivateDataLength, c->o.adapter->info.MaxCalleeData, __func__);
    state = at(c);
    if (state != VERIFY_CONN_EVENT && state != VERIFY_CONN_ANSWERED)
        report_state(VERIFY_C2, c, __func__);
    verify_enter(&c->o);
    status = below(c)->NdkReject(pNdkConnector, pPrivateData, PrivateDataLength);
    verify_leave(&c->o);
    if (status == STATUS_SUCCESS && (state == VERIFY_CONN_EVENT || state == VERIFY_CONN_ANSWERED)) {
        move(c, VERIFY_CONN_REJECTED);
        link(c, VERIFY_LINK_ENDED);
    }
    return status;
}

/* ---- questions ---- */

static NTSTATUS NdkGetConnectionData(NDK_CONNECTOR *pNdkConnector, ULONG *pInboundReadLimit,
    ULONG *pOutboundReadLimit, PVOID pPrivateData, ULONG *pPrivateDataLength)
{
    struct verify_connector *c = verify_own(pNdkConnector);
    NTSTATUS status;

    if (!verify_usable(&c->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    verify_in_out(&c->o, pPrivateData, pPrivateDataLength, __func__);
    if (at(c) != VERIFY_CONN_EVENT && at(c) != VERIFY_CONN_ANSWERED)
        report_state(VERIFY_C5, c, __func__);
    verify_enter(&c->o);
    status = below(c)->NdkGetConnectionData(
        pNdkConnector, pInboundReadLimit, pOutboundReadLimit, pPrivateData, pPrivateDataLength);
    verify_leave(&c->o);
    return status;
}

static NTSTATUS NdkGetLocalAddress(
    NDK_CONNECTOR *pNdkConnector, PSOCKADDR pAddress, ULONG *pAddressLength)
{
    struct verify_connector *c = verify_own(pNdkConnector);
    NTSTATUS status;

    if (!verify_usable(&c->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    verify_in_out(&c->o, pAddress, pAddressLength, __func__);
    verify_enter(&c->o);
    status = below(c)->NdkGetLocalAddress(pNdkConnector, pAddress, pAddressLength);
    verify_leave(&c->o);
    return status;
}

static NTSTATUS NdkGetPeerAddress(
    NDK_CONNECTOR *pNdkConnector, PSOCKADDR pAddress, ULONG *pAddressLength)
{
    struct verify_connector *c = verify_own(pNdkConnector);
    NTSTATUS status;

    if (!verify_usable(&c->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    verify_in_out(&c->o, pAddress, pAddressLength, __func__);
    verify_enter(&c->o);
    status = below(c)->NdkGetPeerAddress(pNdkConnector, pAddress, pAddressLength);
    verify_leave(&c->o);
    return status;
}

/* ---- disconnect ---- */

static NTSTATUS NdkDisconnect(
    NDK_CONNECTOR *pNdkConnector, NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct verify_connector *c = verify_own(pNdkConnector);
    struct verify_call *call;
    struct verify_qp *q;

    if (!verify_usable(&c->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    q = qp_of(c);
    if (!sn_a32_cas(&c->at, VERIFY_CONN_CONNECTED, VERIFY_CONN_DISCONNECTING))
        report_state(VERIFY_C7, c, __func__);
    else if (q != NULL && verify_outstanding(&q->initiator) != 0)
        verify_report(VERIFY_C6, &c->o, &q->o, __func__, "%llu initiator requests are outstanding",
            (unsigned long long)verify_outstanding(&q->initiator));
    call = verify_call_new(&c->o, __func__, RequestCompletion, RequestContext, false);
    if (call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (at(c) == VERIFY_CONN_DISCONNECTING)
        link(c, VERIFY_LINK_ENDED);
    return verify_call_end(
        call, below(c)->NdkDisconnect(pNdkConnector, verify_call_fn(call), call), NULL);
}

const NDK_CONNECTOR_DISPATCH verify_connector_table = {
    .NdkCloseConnector = NdkCloseConnector,
    .NdkQueryExtension = verify_query_extension,
    .NdkConnect = NdkConnect,
    .NdkConnectWithSharedEndpoint = NdkConnectWithSharedEndpoint,
    .NdkCompleteConnect = NdkCompleteConnect,
    .NdkAccept = NdkAccept,
    .NdkReject = NdkReject,
    .NdkGetConnectionData = NdkGetConnectionData,
    .NdkGetLocalAddress = NdkGetLocalAddress,
    .NdkGetPeerAddress = NdkGetPeerAddress,
    .NdkDisconnect = NdkDisconnect,
    .NdkCompleteConnectEx = NdkCompleteConnectEx,
    .NdkAcceptEx = NdkAcceptEx,
};
