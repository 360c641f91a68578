/* SPDX-License-Identifier: MIT */
/* NDK_ADAPTER_DISPATCH. Everything finishes inline, so no create completion is ever called. */
#include "ndk/adapter.h"

#include "kenv/bugcheck.h"
#include "kenv/irql.h"
#include "ndk/addr.h"
#include "ndk/done.h"
#include "ndk/info.h"
#include "ndk/lam.h"
#include "ndk/obj.h"
#include "ndk/status_map.h"

/* [NDKPI NDK_FN_QUERY_ADAPTER_INFO] The one entry that must not come from a callback. */
static NTSTATUS NdkQueryAdapterInfo(
    NDK_ADAPTER *pNdkAdapter, NDK_ADAPTER_INFO *pInfo, ULONG *pBufferSize)
{
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    return ndk_info_write(ndk_adapter_to_rnic(pNdkAdapter), pInfo, pBufferSize);
}

/* [NDKPI NDK_FN_CREATE_CQ] The affinity is a hint that is not taken. */
static NTSTATUS NdkCreateCq(NDK_ADAPTER *pNdkAdapter, ULONG CqDepth,
    NDK_FN_CQ_NOTIFICATION_CALLBACK CqNotification, PVOID CqNotificationContext,
    GROUP_AFFINITY *Affinity, NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
    NDK_CQ **ppNdkCq)
{
    struct rnic_cq *cq;
    enum sn_status s;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(Affinity);
    UNREFERENCED_PARAMETER(RequestContext);
    if (CqNotification == NULL || CreateCompletion == NULL || ppNdkCq == NULL)
        return STATUS_INVALID_PARAMETER;
    s = rnic_cq_create(ndk_adapter_to_rnic(pNdkAdapter), CqDepth,
        ndk_cq_notify(CqNotification, CqNotificationContext), &cq);
    if (s == SN_OK)
        *ppNdkCq = ndk_cq_publish(cq);
    return ndk_status(s);
}

/* [NDKPI NDK_FN_CREATE_PD] */
static NTSTATUS NdkCreatePd(NDK_ADAPTER *pNdkAdapter, NDK_FN_CREATE_COMPLETION CreateCompletion,
    PVOID RequestContext, NDK_PD **ppNdkPd)
{
    struct rnic_pd *pd;
    enum sn_status s;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(RequestContext);
    if (CreateCompletion == NULL || ppNdkPd == NULL)
        return STATUS_INVALID_PARAMETER;
    s = rnic_pd_create(ndk_adapter_to_rnic(pNdkAdapter), &pd);
    if (s == SN_OK)
        *ppNdkPd = ndk_pd_publish(pd);
    return ndk_status_of(NDK_CALL_CREATE_TOKEN, s);
}

/* [NDKPI NDK_FN_CREATE_SHARED_ENDPOINT] */
static NTSTATUS NdkCreateSharedEndpoint(NDK_ADAPTER *pNdkAdapter, PSOCKADDR pAddress,
    ULONG AddressLength, NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
    NDK_SHARED_ENDPOINT **ppNdkSharedEndpoint)
{
    struct rnic_endpoint *endpoint;
    struct plat_addr addr;
    NTSTATUS status;
    enum sn_status s;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(RequestContext);
    if (CreateCompletion == NULL || ppNdkSharedEndpoint == NULL)
        return STATUS_INVALID_PARAMETER;
    status = ndk_addr_read(pAddress, AddressLength, &addr);
    if (!NT_SUCCESS(status))
        return status;
    s = rnic_endpoint_create(ndk_adapter_to_rnic(pNdkAdapter), &addr, &endpoint);
    if (s == SN_OK)
        *ppNdkSharedEndpoint = ndk_endpoint_publish(endpoint);
    return ndk_status(s);
}

/* [NDKPI NDK_FN_CREATE_CONNECTOR] */
static NTSTATUS NdkCreateConnector(NDK_ADAPTER *pNdkAdapter,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_CONNECTOR **ppNdkConnector)
{
    struct rnic_connector *connector;
    enum sn_status s;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(RequestContext);
    if (CreateCompletion == NULL || ppNdkConnector == NULL)
        return STATUS_INVALID_PARAMETER;
    s = rnic_connector_create(ndk_adapter_to_rnic(pNdkAdapter), &connector);
    if (s == SN_OK)
        *ppNdkConnector = ndk_connector_publish(connector);
    return ndk_status(s);
}

/* [NDKPI NDK_FN_CREATE_LISTENER] */
static NTSTATUS NdkCreateListener(NDK_ADAPTER *pNdkAdapter,
    NDK_FN_CONNECT_EVENT_CALLBACK ConnectEvent, PVOID ConnectEventContext,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_LISTENER **ppNdkListener)
{
    struct rnic_listener *listener;
    enum sn_status s;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(RequestContext);
    if (ConnectEvent == NULL || CreateCompletion == NULL || ppNdkListener == NULL)
        return STATUS_INVALID_PARAMETER;
    s = rnic_listener_create(ndk_adapter_to_rnic(pNdkAdapter),
        ndk_connect_event(ConnectEvent, ConnectEventContext), &listener);
    if (s == SN_OK)
        *ppNdkListener = ndk_listener_publish(listener);
    return ndk_status(s);
}

/* [NDKPI NDK_FN_BUILD_LAM] Always inline: consumers pass a routine that would not bear a call. */
static NTSTATUS NdkBuildLAM(NDK_ADAPTER *pNdkAdapter, MDL *Mdl, SIZE_T Length,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext,
    NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM, ULONG *pLAMSize, ULONG *pFBO)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(RequestCompletion);
    UNREFERENCED_PARAMETER(RequestContext);
    return ndk_lam_build(ndk_adapter_to_rnic(pNdkAdapter), Mdl, Length, pNdkLAM, pLAMSize, pFBO);
}

/* [NDKPI NDK_FN_RELEASE_LAM] */
static VOID NdkReleaseLAM(NDK_ADAPTER *pNdkAdapter, NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    ndk_lam_release(ndk_adapter_to_rnic(pNdkAdapter), pNdkLAM);
}

static const NDK_ADAPTER_DISPATCH dispatch = {
    .NdkQueryExtension = ndk_query_extension,
    .NdkQueryAdapterInfo = NdkQueryAdapterInfo,
    .NdkCreateCq = NdkCreateCq,
    .NdkCreatePd = NdkCreatePd,
    .NdkCreateSharedEndpoint = NdkCreateSharedEndpoint,
    .NdkCreateConnector = NdkCreateConnector,
    .NdkCreateListener = NdkCreateListener,
    .NdkBuildLAM = NdkBuildLAM,
    .NdkReleaseLAM = NdkReleaseLAM,
};

static struct ndk_layers *layers_of(struct rnic_adapter *a)
{
    return ((struct ndk_adapter *)(void *)a)->layers;
}

static bool keep_for_layers(struct rnic_adapter *a, struct rnic_obj *o)
{
    return ndk_layers_keep(layers_of(a), (struct ndk_object *)(void *)o->boundary);
}

NTSTATUS ndk_adapter_open(struct plat *plat, const struct rnic_options *options, NDK_ADAPTER **out)
{
    return ndk_adapter_open_layered(plat, options, NULL, out);
}

NTSTATUS ndk_adapter_open_layered(struct plat *plat, const struct rnic_options *options,
    struct ndk_layers *layers, NDK_ADAPTER **out)
{
    struct rnic_adapter *a;
    enum sn_status s = rnic_adapter_create(plat, options, &a);

    if (s != SN_OK)
        return ndk_status(s);
    if (layers != NULL) {
        ((struct ndk_adapter *)(void *)a)->layers = layers;
        a->keep = keep_for_layers;
    }
    ndk_obj_publish(&a->obj, NdkObjectTypeAdapter, &dispatch);
    *out = (NDK_ADAPTER *)(void *)a;
    return STATUS_SUCCESS;
}

void ndk_adapter_close(NDK_ADAPTER *pNdkAdapter, const char *function)
{
    struct ndk_layers *layers = layers_of(ndk_adapter_to_rnic(pNdkAdapter));

    ndk_layers_closing(layers, pNdkAdapter, function);
    if (rnic_adapter_close(ndk_adapter_to_rnic(pNdkAdapter)) != SN_OK)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)pNdkAdapter, 0, 0, 0,
            "%s was called for the adapter %p from a callback, or twice; close it once, from an "
            "ordinary thread",
            function, (void *)pNdkAdapter);
    ndk_layers_closed(layers);
}
