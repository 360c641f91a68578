/* SPDX-License-Identifier: MIT */
/* NDK_ADAPTER_DISPATCH over the layer. */
#include "chaos/impl.h"
#include "chaos/invoke.h"

static const NDK_ADAPTER_DISPATCH *below(const struct chaos_obj *c)
{
    return c->inner;
}

/* [NDKPI NDK_FN_CREATE_CQ] */
static NTSTATUS NdkCreateCq(NDK_ADAPTER *pNdkAdapter, ULONG CqDepth,
    NDK_FN_CQ_NOTIFICATION_CALLBACK CqNotification, PVOID CqNotificationContext,
    GROUP_AFFINITY *Affinity, NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
    NDK_CQ **ppNdkCq)
{
    struct chaos_obj *c = chaos_of(pNdkAdapter);
    struct chaos_creation k;

    if (!chaos_create_begin(&k, c, CHAOS_CREATE_CQ, CreateCompletion, RequestContext,
            (chaos_any_fn *)CqNotification, CqNotificationContext))
        return k.status;
    return chaos_create_end(&k,
        below(c)->NdkCreateCq(pNdkAdapter, CqDepth, CqNotification != NULL ? chaos_on_cq : NULL,
            k.routine, Affinity, CHAOS_CREATED(CreateCompletion), k.op,
            CHAOS_OUT(NDK_CQ, k, ppNdkCq)),
        ppNdkCq);
}

/* [NDKPI NDK_FN_CREATE_PD] */
static NTSTATUS NdkCreatePd(NDK_ADAPTER *pNdkAdapter, NDK_FN_CREATE_COMPLETION CreateCompletion,
    PVOID RequestContext, NDK_PD **ppNdkPd)
{
    struct chaos_obj *c = chaos_of(pNdkAdapter);
    struct chaos_creation k;

    if (!chaos_create_begin(&k, c, CHAOS_CREATE_PD, CreateCompletion, RequestContext, NULL, NULL))
        return k.status;
    return chaos_create_end(&k,
        below(c)->NdkCreatePd(
            pNdkAdapter, CHAOS_CREATED(CreateCompletion), k.op, CHAOS_OUT(NDK_PD, k, ppNdkPd)),
        ppNdkPd);
}

/* [NDKPI NDK_FN_CREATE_SHARED_ENDPOINT] */
static NTSTATUS NdkCreateSharedEndpoint(NDK_ADAPTER *pNdkAdapter, PSOCKADDR pAddress,
    ULONG AddressLength, NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
    NDK_SHARED_ENDPOINT **ppNdkSharedEndpoint)
{
    struct chaos_obj *c = chaos_of(pNdkAdapter);
    struct chaos_creation k;

    if (!chaos_create_begin(
            &k, c, CHAOS_CREATE_SHARED_ENDPOINT, CreateCompletion, RequestContext, NULL, NULL))
        return k.status;
    return chaos_create_end(&k,
        below(c)->NdkCreateSharedEndpoint(pNdkAdapter, pAddress, AddressLength,
            CHAOS_CREATED(CreateCompletion), k.op,
            CHAOS_OUT(NDK_SHARED_ENDPOINT, k, ppNdkSharedEndpoint)),
        ppNdkSharedEndpoint);
}

/* [NDKPI NDK_FN_CREATE_CONNECTOR] */
static NTSTATUS NdkCreateConnector(NDK_ADAPTER *pNdkAdapter,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_CONNECTOR **ppNdkConnector)
{
    struct chaos_obj *c = chaos_of(pNdkAdapter);
    struct chaos_creation k;

    if (!chaos_create_begin(
            &k, c, CHAOS_CREATE_CONNECTOR, CreateCompletion, RequestContext, NULL, NULL))
        return k.status;
    return chaos_create_end(&k,
        below(c)->NdkCreateConnector(pNdkAdapter, CHAOS_CREATED(CreateCompletion), k.op,
            CHAOS_OUT(NDK_CONNECTOR, k, ppNdkConnector)),
        ppNdkConnector);
}

/* [NDKPI NDK_FN_CREATE_LISTENER] */
static NTSTATUS NdkCreateListener(NDK_ADAPTER *pNdkAdapter,
    NDK_FN_CONNECT_EVENT_CALLBACK ConnectEvent, PVOID ConnectEventContext,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_LISTENER **ppNdkListener)
{
    struct chaos_obj *c = chaos_of(pNdkAdapter);
    struct chaos_creation k;

    if (!chaos_create_begin(&k, c, CHAOS_CREATE_LISTENER, CreateCompletion, RequestContext,
            (chaos_any_fn *)ConnectEvent, ConnectEventContext))
        return k.status;
    return chaos_create_end(&k,
        below(c)->NdkCreateListener(pNdkAdapter, ConnectEvent != NULL ? chaos_on_connect : NULL,
            k.routine, CHAOS_CREATED(CreateCompletion), k.op,
            CHAOS_OUT(NDK_LISTENER, k, ppNdkListener)),
        ppNdkListener);
}

/* [NDKPI NDK_FN_BUILD_LAM] Consumers are known that give a completion routine, but no context, and
 * would not survive that it is called: they get the list inline, as those without a routine. */
static NTSTATUS NdkBuildLAM(NDK_ADAPTER *pNdkAdapter, MDL *Mdl, SIZE_T Length,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext,
    NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM, ULONG *pLAMSize, ULONG *pFBO)
{
    struct chaos_obj *c = chaos_of(pNdkAdapter);
    NDK_FN_REQUEST_COMPLETION fn = RequestContext != NULL ? RequestCompletion : NULL;
    NTSTATUS status;
    struct chaos_op *op = chaos_begin(
        c, CHAOS_BUILD_LAM, CHAOS_OP_REQUEST, (chaos_any_fn *)fn, RequestContext, &status);

    if (op == NULL)
        return status;
    return chaos_end(op,
        below(c)->NdkBuildLAM(pNdkAdapter, Mdl, Length, CHAOS_COMPLETED(RequestCompletion), op,
            pNdkLAM, pLAMSize, pFBO),
        NULL);
}

void chaos_adapter_table(const struct chaos_state *s, void *table)
{
    NDK_ADAPTER_DISPATCH *t = table;

    UNREFERENCED_PARAMETER(s);
    t->NdkCreateCq = NdkCreateCq;
    t->NdkCreatePd = NdkCreatePd;
    t->NdkCreateSharedEndpoint = NdkCreateSharedEndpoint;
    t->NdkCreateConnector = NdkCreateConnector;
    t->NdkCreateListener = NdkCreateListener;
    t->NdkBuildLAM = NdkBuildLAM;
}
