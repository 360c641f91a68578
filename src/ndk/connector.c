/* SPDX-License-Identifier: MIT */
/* NDK_CONNECTOR_DISPATCH. States and their rules are in rnic/connector.h. [NDKPI connecting] */
#include "base/assert.h"
#include "kenv/irql.h"
#include "ndk/addr.h"
#include "ndk/done.h"
#include "ndk/obj.h"
#include "ndk/private_data.h"
#include "ndk/status_map.h"

/* [NDKPI NDK_FN_CLOSE_OBJECT] */
static NTSTATUS NdkCloseConnector(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    return ndk_obj_close(pNdkObject, CloseCompletion, RequestContext, __func__);
}

/* Both ways to connect, once it is known where from: `endpoint`, or else `src`. */
static NTSTATUS connect_to(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp,
    const struct plat_addr *src, struct rnic_endpoint *endpoint, const struct plat_addr *dst,
    ULONG ird, ULONG ord, const void *data, ULONG count, struct rnic_done done)
{
    if (!ndk_is_one_adapter(pNdkConnector, pNdkQp))
        return STATUS_INVALID_PARAMETER;
    return ndk_status_of(NDK_CALL_CONNECT,
        rnic_connector_connect(ndk_connector_to_rnic(pNdkConnector), ndk_qp_to_rnic(pNdkQp), src,
            endpoint, dst, ird, ord, data, count, done));
}

/* [NDKPI NDK_FN_CONNECT] */
static NTSTATUS NdkConnect(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, PSOCKADDR pSrcAddress,
    ULONG SrcAddressLength, PSOCKADDR pDestAddress, ULONG DestAddressLength, ULONG InboundReadLimit,
    ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct plat_addr src, dst;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (pNdkQp == NULL || RequestCompletion == NULL ||
        (pPrivateData == NULL && PrivateDataLength != 0))
        return STATUS_INVALID_PARAMETER;
    status = ndk_addr_read(pSrcAddress, SrcAddressLength, &src);
    if (NT_SUCCESS(status))
        status = ndk_addr_read(pDestAddress, DestAddressLength, &dst);
    if (!NT_SUCCESS(status))
        return status;
    return connect_to(pNdkConnector, pNdkQp, &src, NULL, &dst, InboundReadLimit, OutboundReadLimit,
        pPrivateData, PrivateDataLength, ndk_request_done(RequestCompletion, RequestContext));
}

/* [NDKPI NDK_FN_CONNECT_WITH_SHARED_ENDPOINT] */
static NTSTATUS NdkConnectWithSharedEndpoint(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp,
    NDK_SHARED_ENDPOINT *pNdkSharedEndpoint, PSOCKADDR pDestAddress, ULONG DestAddressLength,
    ULONG InboundReadLimit, ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct plat_addr dst;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (pNdkQp == NULL || pNdkSharedEndpoint == NULL || RequestCompletion == NULL ||
        (pPrivateData == NULL && PrivateDataLength != 0))
        return STATUS_INVALID_PARAMETER;
    if (!ndk_is_one_adapter(pNdkConnector, pNdkSharedEndpoint))
        return STATUS_INVALID_PARAMETER;
    status = ndk_addr_read(pDestAddress, DestAddressLength, &dst);
    if (!NT_SUCCESS(status))
        return status;
    return connect_to(pNdkConnector, pNdkQp, NULL, ndk_endpoint_to_rnic(pNdkSharedEndpoint), &dst,
        InboundReadLimit, OutboundReadLimit, pPrivateData, PrivateDataLength,
        ndk_request_done(RequestCompletion, RequestContext));
}

/* [NDKPI NDK_FN_COMPLETE_CONNECT] */
static NTSTATUS NdkCompleteConnect(NDK_CONNECTOR *pNdkConnector,
    NDK_FN_DISCONNECT_EVENT_CALLBACK DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (RequestCompletion == NULL)
        return STATUS_INVALID_PARAMETER;
    return ndk_status(rnic_connector_complete(ndk_connector_to_rnic(pNdkConnector),
        ndk_disconnect_event(DisconnectEvent, DisconnectEventContext),
        ndk_request_done(RequestCompletion, RequestContext)));
}

/* [NDKPI NDK_FN_COMPLETE_CONNECT_EX] */
static NTSTATUS NdkCompleteConnectEx(NDK_CONNECTOR *pNdkConnector,
    NDK_FN_DISCONNECT_EVENT_CALLBACK_EX DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (RequestCompletion == NULL)
        return STATUS_INVALID_PARAMETER;
    return ndk_status(rnic_connector_complete(ndk_connector_to_rnic(pNdkConnector),
        ndk_disconnect_event_ex(DisconnectEvent, DisconnectEventContext),
        ndk_request_done(RequestCompletion, RequestContext)));
}

/* Both accepts: they differ in the event only. */
static NTSTATUS accept_on(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, ULONG ird, ULONG ord,
    const void *data, ULONG count, struct rnic_disconnect_event event,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    if (pNdkQp == NULL || RequestCompletion == NULL || (data == NULL && count != 0))
        return STATUS_INVALID_PARAMETER;
    if (!ndk_is_one_adapter(pNdkConnector, pNdkQp))
        return STATUS_INVALID_PARAMETER;
    return ndk_status(
        rnic_connector_accept(ndk_connector_to_rnic(pNdkConnector), ndk_qp_to_rnic(pNdkQp), ird,
            ord, data, count, event, ndk_request_done(RequestCompletion, RequestContext)));
}

/* [NDKPI NDK_FN_ACCEPT] */
static NTSTATUS NdkAccept(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, ULONG InboundReadLimit,
    ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_DISCONNECT_EVENT_CALLBACK DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    return accept_on(pNdkConnector, pNdkQp, InboundReadLimit, OutboundReadLimit, pPrivateData,
        PrivateDataLength, ndk_disconnect_event(DisconnectEvent, DisconnectEventContext),
        RequestCompletion, RequestContext);
}

/* [NDKPI NDK_FN_ACCEPT_EX] */
static NTSTATUS NdkAcceptEx(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp, ULONG InboundReadLimit,
    ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_DISCONNECT_EVENT_CALLBACK_EX DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    return accept_on(pNdkConnector, pNdkQp, InboundReadLimit, OutboundReadLimit, pPrivateData,
        PrivateDataLength, ndk_disconnect_event_ex(DisconnectEvent, DisconnectEventContext),
        RequestCompletion, RequestContext);
}

/* [NDKPI NDK_FN_REJECT] */
static NTSTATUS NdkReject(NDK_CONNECTOR *pNdkConnector, PVOID pPrivateData, ULONG PrivateDataLength)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (pPrivateData == NULL && PrivateDataLength != 0)
        return STATUS_INVALID_PARAMETER;
    return ndk_status(rnic_connector_reject(
        ndk_connector_to_rnic(pNdkConnector), pPrivateData, PrivateDataLength));
}

/* [NDKPI NDK_FN_GET_CONNECTION_DATA] The limits are told even if the private data does not fit. */
static NTSTATUS NdkGetConnectionData(NDK_CONNECTOR *pNdkConnector, ULONG *pInboundReadLimit,
    ULONG *pOutboundReadLimit, PVOID pPrivateData, ULONG *pPrivateDataLength)
{
    uint32_t ird, ord, count;
    const uint8_t *data;
    enum sn_status s;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (pPrivateDataLength == NULL)
        return STATUS_INVALID_PARAMETER;
    s = rnic_connector_data(ndk_connector_to_rnic(pNdkConnector), &ird, &ord, &data, &count);
    if (s != SN_OK)
        return ndk_status_of(NDK_CALL_CONNECTION, s);
    status = ndk_private_data_copy(data, count, pPrivateData, pPrivateDataLength);
    if (status == STATUS_INVALID_PARAMETER)
        return status;
    if (pInboundReadLimit != NULL)
        *pInboundReadLimit = ird;
    if (pOutboundReadLimit != NULL)
        *pOutboundReadLimit = ord;
    return status;
}

/* [NDKPI NDK_FN_GET_LOCAL_ADDRESS] */
static NTSTATUS NdkGetLocalAddress(
    NDK_CONNECTOR *pNdkConnector, PSOCKADDR pAddress, ULONG *pAddressLength)
{
    struct plat_addr local, peer;
    enum sn_status s;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    s = rnic_connector_addresses(ndk_connector_to_rnic(pNdkConnector), &local, &peer);
    if (s != SN_OK)
        return ndk_status_of(NDK_CALL_CONNECTION, s);
    return ndk_addr_write(&local, pAddress, pAddressLength);
}

/* [NDKPI NDK_FN_GET_PEER_ADDRESS] */
static NTSTATUS NdkGetPeerAddress(
    NDK_CONNECTOR *pNdkConnector, PSOCKADDR pAddress, ULONG *pAddressLength)
{
    struct plat_addr local, peer;
    enum sn_status s;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    s = rnic_connector_addresses(ndk_connector_to_rnic(pNdkConnector), &local, &peer);
    if (s != SN_OK)
        return ndk_status_of(NDK_CALL_CONNECTION, s);
    return ndk_addr_write(&peer, pAddress, pAddressLength);
}

/* [NDKPI NDK_FN_DISCONNECT] */
static NTSTATUS NdkDisconnect(
    NDK_CONNECTOR *pNdkConnector, NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (RequestCompletion == NULL)
        return STATUS_INVALID_PARAMETER;
    return ndk_status_of(
        NDK_CALL_DISCONNECT, rnic_connector_disconnect(ndk_connector_to_rnic(pNdkConnector),
                                 ndk_request_done(RequestCompletion, RequestContext)));
}

static const NDK_CONNECTOR_DISPATCH dispatch = {
    .NdkCloseConnector = NdkCloseConnector,
    .NdkQueryExtension = ndk_query_extension,
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

NDK_CONNECTOR *ndk_connector_publish(struct rnic_connector *c)
{
    ndk_obj_publish(rnic_connector_obj(c), NdkObjectTypeConnector, &dispatch);
    SN_ASSERT((void *)rnic_connector_obj(c) == (void *)c);
    return (NDK_CONNECTOR *)(void *)c;
}
