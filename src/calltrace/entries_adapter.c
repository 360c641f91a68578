/* SPDX-License-Identifier: MIT */
/* NDK_ADAPTER_DISPATCH, a line for each call. */
#include "calltrace/create.h"

static const NDK_ADAPTER_DISPATCH *below(const struct ct_obj *c)
{
    return c->inner;
}

/* [NDKPI NDK_FN_QUERY_ADAPTER_INFO] */
static NTSTATUS NdkQueryAdapterInfo(
    NDK_ADAPTER *pNdkAdapter, NDK_ADAPTER_INFO *pInfo, ULONG *pBufferSize)
{
    struct ct_obj *c = ct_of(pNdkAdapter);
    struct ct_line l;

    ct_begin(&l, c, "NdkQueryAdapterInfo");
    if (pBufferSize != NULL)
        ct_add(&l, ", size %u", *pBufferSize);
    return ct_end_status(&l, below(c)->NdkQueryAdapterInfo(pNdkAdapter, pInfo, pBufferSize));
}

/* [NDKPI NDK_FN_CREATE_CQ] */
static NTSTATUS NdkCreateCq(NDK_ADAPTER *pNdkAdapter, ULONG CqDepth,
    NDK_FN_CQ_NOTIFICATION_CALLBACK CqNotification, PVOID CqNotificationContext,
    GROUP_AFFINITY *Affinity, NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
    NDK_CQ **ppNdkCq)
{
    struct ct_obj *c = ct_of(pNdkAdapter);
    struct ct_create k;
    NTSTATUS status;

    ct_create_begin(&k, c, "NdkCreateCq", CreateCompletion, RequestContext);
    ct_create_event(&k, "CQ notification", (ct_any_fn *)CqNotification, CqNotificationContext);
    ct_add(&k.line, ", depth %u", CqDepth);
    status = below(c)->NdkCreateCq(pNdkAdapter, CqDepth,
        CT_FN(k.event, ct_on_notified, CqNotification), CT_CONTEXT(k.event, CqNotificationContext),
        Affinity, CT_FN(k.done, ct_on_created, CreateCompletion),
        CT_CONTEXT(k.done, RequestContext), ppNdkCq);
    return ct_create_end(&k, status, ppNdkCq);
}

/* [NDKPI NDK_FN_CREATE_PD] */
static NTSTATUS NdkCreatePd(NDK_ADAPTER *pNdkAdapter, NDK_FN_CREATE_COMPLETION CreateCompletion,
    PVOID RequestContext, NDK_PD **ppNdkPd)
{
    struct ct_obj *c = ct_of(pNdkAdapter);
    struct ct_create k;
    NTSTATUS status;

    ct_create_begin(&k, c, "NdkCreatePd", CreateCompletion, RequestContext);
    status = below(c)->NdkCreatePd(pNdkAdapter, CT_FN(k.done, ct_on_created, CreateCompletion),
        CT_CONTEXT(k.done, RequestContext), ppNdkPd);
    return ct_create_end(&k, status, ppNdkPd);
}

/* [NDKPI NDK_FN_CREATE_SHARED_ENDPOINT] */
static NTSTATUS NdkCreateSharedEndpoint(NDK_ADAPTER *pNdkAdapter, PSOCKADDR pAddress,
    ULONG AddressLength, NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
    NDK_SHARED_ENDPOINT **ppNdkSharedEndpoint)
{
    struct ct_obj *c = ct_of(pNdkAdapter);
    struct ct_create k;
    NTSTATUS status;

    ct_create_begin(&k, c, "NdkCreateSharedEndpoint", CreateCompletion, RequestContext);
    ct_add_address(&k.line, "at", pAddress, AddressLength);
    status = below(c)->NdkCreateSharedEndpoint(pNdkAdapter, pAddress, AddressLength,
        CT_FN(k.done, ct_on_created, CreateCompletion), CT_CONTEXT(k.done, RequestContext),
        ppNdkSharedEndpoint);
    return ct_create_end(&k, status, ppNdkSharedEndpoint);
}

/* [NDKPI NDK_FN_CREATE_CONNECTOR] */
static NTSTATUS NdkCreateConnector(NDK_ADAPTER *pNdkAdapter,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_CONNECTOR **ppNdkConnector)
{
    struct ct_obj *c = ct_of(pNdkAdapter);
    struct ct_create k;
    NTSTATUS status;

    ct_create_begin(&k, c, "NdkCreateConnector", CreateCompletion, RequestContext);
    status =
        below(c)->NdkCreateConnector(pNdkAdapter, CT_FN(k.done, ct_on_created, CreateCompletion),
            CT_CONTEXT(k.done, RequestContext), ppNdkConnector);
    return ct_create_end(&k, status, ppNdkConnector);
}

/* [NDKPI NDK_FN_CREATE_LISTENER] */
static NTSTATUS NdkCreateListener(NDK_ADAPTER *pNdkAdapter,
    NDK_FN_CONNECT_EVENT_CALLBACK ConnectEvent, PVOID ConnectEventContext,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_LISTENER **ppNdkListener)
{
    struct ct_obj *c = ct_of(pNdkAdapter);
    struct ct_create k;
    NTSTATUS status;

    ct_create_begin(&k, c, "NdkCreateListener", CreateCompletion, RequestContext);
    ct_create_event(&k, "connect event", (ct_any_fn *)ConnectEvent, ConnectEventContext);
    status = below(c)->NdkCreateListener(pNdkAdapter, CT_FN(k.event, ct_on_connect, ConnectEvent),
        CT_CONTEXT(k.event, ConnectEventContext), CT_FN(k.done, ct_on_created, CreateCompletion),
        CT_CONTEXT(k.done, RequestContext), ppNdkListener);
    return ct_create_end(&k, status, ppNdkListener);
}

/* [NDKPI NDK_FN_BUILD_LAM] */
static NTSTATUS NdkBuildLAM(NDK_ADAPTER *pNdkAdapter, MDL *Mdl, SIZE_T Length,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext,
    NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM, ULONG *pLAMSize, ULONG *pFBO)
{
    struct ct_obj *c = ct_of(pNdkAdapter);
    struct ct_line l;
    struct ct_routine *r = NULL;
    NTSTATUS status;

    ct_begin(&l, c, "NdkBuildLAM");
    ct_add(&l, ", %zu octets", Length);
    if (RequestContext !=
        NULL) /* without one the layers below take it for a promise to be inline */
        r = ct_done_begin(c, "NdkBuildLAM", (ct_any_fn *)RequestCompletion, RequestContext);
    status = below(c)->NdkBuildLAM(pNdkAdapter, Mdl, Length,
        CT_FN(r, ct_on_completed, RequestCompletion), CT_CONTEXT(r, RequestContext), pNdkLAM,
        pLAMSize, pFBO);
    return ct_end_status(&l, ct_done_end(r, status));
}

/* [NDKPI NDK_FN_RELEASE_LAM] */
static VOID NdkReleaseLAM(NDK_ADAPTER *pNdkAdapter, NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM)
{
    struct ct_obj *c = ct_of(pNdkAdapter);
    struct ct_line l;

    ct_begin(&l, c, "NdkReleaseLAM");
    ct_add(&l, ")");
    below(c)->NdkReleaseLAM(pNdkAdapter, pNdkLAM);
    ct_end(&l);
}

void ct_adapter_table(void *table)
{
    NDK_ADAPTER_DISPATCH *t = table;

    t->NdkQueryAdapterInfo = NdkQueryAdapterInfo;
    t->NdkCreateCq = NdkCreateCq;
    t->NdkCreatePd = NdkCreatePd;
    t->NdkCreateSharedEndpoint = NdkCreateSharedEndpoint;
    t->NdkCreateConnector = NdkCreateConnector;
    t->NdkCreateListener = NdkCreateListener;
    t->NdkBuildLAM = NdkBuildLAM;
    t->NdkReleaseLAM = NdkReleaseLAM;
}
