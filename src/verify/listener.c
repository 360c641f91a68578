/* SPDX-License-Identifier: MIT */
/* NDK_LISTENER_DISPATCH and NDK_SHARED_ENDPOINT_DISPATCH as the consumer sees them with the
 * verifier on. */
#include "verify/kinds.h"

static const NDK_LISTENER_DISPATCH *below(const struct verify_listener *l)
{
    return l->o.lower;
}

static NTSTATUS NdkCloseListener(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    const struct verify_listener *l = verify_own(pNdkObject);

    return verify_close(
        pNdkObject, CloseCompletion, RequestContext, below(l)->NdkCloseListener, __func__);
}

static VOID nothing(PVOID Context)
{
    (void)Context;
}

/* Here a connector reaches the consumer for the first time. */
VOID verify_connect_event(PVOID Context, NDK_CONNECTOR *pNdkConnector)
{
    struct verify_listener *l = Context;
    struct verify_connector *c =
        verify_obj_new(l->o.adapter, NdkObjectTypeConnector, sizeof *c, &verify_connector_table);
    struct verify_callback cb;

    if (c == NULL) { /* refused, as by a provider without memory */
        (void)pNdkConnector->Dispatch->NdkCloseConnector(&pNdkConnector->Header, nothing, NULL);
        return;
    }
    c->o.is_from_event = true;
    sn_a32_store_relaxed(&c->at, VERIFY_CONN_EVENT);
    verify_obj_stand_on(&c->o, &l->o);
    verify_obj_attach(&c->o, (struct ndk_object *)(void *)pNdkConnector);
    verify_callback_enter(&cb, &l->o, "NDK_FN_CONNECT_EVENT_CALLBACK");
    l->event(l->event_ctx, pNdkConnector);
    verify_callback_leave(&cb);
}

static void listening(struct verify_call *c, NTSTATUS status)
{
    struct verify_listener *l = (struct verify_listener *)c->o;

    sn_a32_store_release(NT_SUCCESS(status) ? &l->is_listening : &l->is_asked, NT_SUCCESS(status));
}

static NTSTATUS NdkListen(NDK_LISTENER *pNdkListener, PSOCKADDR pAddress, ULONG AddressLength,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct verify_listener *l = verify_own(pNdkListener);
    struct verify_call *call;

    if (!verify_usable(&l->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    verify_address(&l->o, pAddress, AddressLength, __func__);
    call = verify_call_new(&l->o, __func__, RequestCompletion, RequestContext, false);
    if (call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (sn_a32_exchange(&l->is_asked, 1) != 0)
        verify_report(VERIFY_C8, &l->o, NULL, __func__, "NdkListen was called before");
    else
        call->done = listening;
    return verify_call_end(call,
        below(l)->NdkListen(pNdkListener, pAddress, AddressLength, verify_call_fn(call), call),
        NULL);
}

static void check_listening(struct verify_listener *l, const char *call)
{
    if (sn_a32_load_acquire(&l->is_listening) == 0)
        verify_report(VERIFY_C8, &l->o, NULL, call, "NdkListen has not succeeded");
}

static NTSTATUS NdkGetLocalAddress(
    NDK_LISTENER *pNdkListener, PSOCKADDR pAddress, ULONG *pAddressLength)
{
    struct verify_listener *l = verify_own(pNdkListener);
    NTSTATUS status;

    if (!verify_usable(&l->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    check_listening(l, __func__);
    verify_in_out(&l->o, pAddress, pAddressLength, __func__);
    verify_enter(&l->o);
    status = below(l)->NdkGetLocalAddress(pNdkListener, pAddress, pAddressLength);
    verify_leave(&l->o);
    return status;
}

static VOID NdkControlConnectEvents(NDK_LISTENER *pNdkListener, BOOLEAN Pause)
{
    struct verify_listener *l = verify_own(pNdkListener);

    if (!verify_usable(&l->o, __func__))
        return;
    verify_enter(&l->o);
    below(l)->NdkControlConnectEvents(pNdkListener, Pause);
    verify_leave(&l->o);
}

const NDK_LISTENER_DISPATCH verify_listener_table = {
    .NdkCloseListener = NdkCloseListener,
    .NdkQueryExtension = verify_query_extension,
    .NdkListen = NdkListen,
    .NdkGetLocalAddress = NdkGetLocalAddress,
    .NdkControlConnectEvents = NdkControlConnectEvents,
};

/* ---- shared endpoints ---- */

static NTSTATUS NdkCloseSharedEndpoint(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    const struct verify_endpoint *e = verify_own(pNdkObject);
    const NDK_SHARED_ENDPOINT_DISPATCH *lower = e->o.lower;

    return verify_close(
        pNdkObject, CloseCompletion, RequestContext, lower->NdkCloseSharedEndpoint, __func__);
}

static NTSTATUS endpoint_address(
    NDK_SHARED_ENDPOINT *pNdkSharedEndpoint, PSOCKADDR pAddress, ULONG *pAddressLength)
{
    struct verify_endpoint *e = verify_own(pNdkSharedEndpoint);
    const NDK_SHARED_ENDPOINT_DISPATCH *lower = e->o.lower;
    NTSTATUS status;

    if (!verify_usable(&e->o, "NdkGetLocalAddress"))
        return STATUS_INVALID_DEVICE_STATE;
    verify_in_out(&e->o, pAddress, pAddressLength, "NdkGetLocalAddress");
    verify_enter(&e->o);
    status = lower->NdkGetLocalAddress(pNdkSharedEndpoint, pAddress, pAddressLength);
    verify_leave(&e->o);
    return status;
}

const NDK_SHARED_ENDPOINT_DISPATCH verify_endpoint_table = {
    .NdkCloseSharedEndpoint = NdkCloseSharedEndpoint,
    .NdkQueryExtension = verify_query_extension,
    .NdkGetLocalAddress = endpoint_address,
};
