/* SPDX-License-Identifier: MIT */
/* NDK_PD_DISPATCH and NDK_MR_DISPATCH over the layer. */
#include "chaos/invoke.h"

static const NDK_PD_DISPATCH *below(const struct chaos_obj *c)
{
    return c->inner;
}

static const NDK_MR_DISPATCH *below_mr(const struct chaos_obj *c)
{
    return c->inner;
}

/* [NDKPI NDK_FN_CREATE_MR] */
static NTSTATUS NdkCreateMr(NDK_PD *pNdkPd, BOOLEAN FastRegister,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_MR **ppNdkMr)
{
    struct chaos_obj *c = chaos_of(pNdkPd);
    struct chaos_creation k;

    if (!chaos_create_begin(&k, c, CHAOS_CREATE_MR, CreateCompletion, RequestContext, NULL, NULL))
        return k.status;
    return chaos_create_end(&k,
        below(c)->NdkCreateMr(pNdkPd, FastRegister, CHAOS_CREATED(CreateCompletion), k.op,
            CHAOS_OUT(NDK_MR, k, ppNdkMr)),
        ppNdkMr);
}

/* [NDKPI NDK_FN_CREATE_MW] */
static NTSTATUS NdkCreateMw(NDK_PD *pNdkPd, NDK_FN_CREATE_COMPLETION CreateCompletion,
    PVOID RequestContext, NDK_MW **ppNdkMw)
{
    struct chaos_obj *c = chaos_of(pNdkPd);
    struct chaos_creation k;

    if (!chaos_create_begin(&k, c, CHAOS_CREATE_MW, CreateCompletion, RequestContext, NULL, NULL))
        return k.status;
    return chaos_create_end(&k,
        below(c)->NdkCreateMw(
            pNdkPd, CHAOS_CREATED(CreateCompletion), k.op, CHAOS_OUT(NDK_MW, k, ppNdkMw)),
        ppNdkMw);
}

/* [NDKPI NDK_FN_CREATE_SRQ] */
static NTSTATUS NdkCreateSrq(NDK_PD *pNdkPd, ULONG SrqDepth, ULONG MaxReceiveRequestSge,
    ULONG NotifyThreshold, NDK_FN_SRQ_NOTIFICATION_CALLBACK SrqNotification,
    PVOID SrqNotificationContext, GROUP_AFFINITY *Affinity,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_SRQ **ppNdkSrq)
{
    struct chaos_obj *c = chaos_of(pNdkPd);
    struct chaos_creation k;

    if (!chaos_create_begin(&k, c, CHAOS_CREATE_SRQ, CreateCompletion, RequestContext,
            (chaos_any_fn *)SrqNotification, SrqNotificationContext))
        return k.status;
    return chaos_create_end(&k,
        below(c)->NdkCreateSrq(pNdkPd, SrqDepth, MaxReceiveRequestSge, NotifyThreshold,
            SrqNotification != NULL ? chaos_on_srq : NULL, k.routine, Affinity,
            CHAOS_CREATED(CreateCompletion), k.op, CHAOS_OUT(NDK_SRQ, k, ppNdkSrq)),
        ppNdkSrq);
}

/* [NDKPI NDK_FN_CREATE_QP] */
static NTSTATUS NdkCreateQp(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq, NDK_CQ *pInitiatorCq,
    PVOID QPContext, ULONG ReceiveQueueDepth, ULONG InitiatorQueueDepth, ULONG MaxReceiveRequestSge,
    ULONG MaxInitiatorRequestSge, ULONG InlineDataSize, NDK_FN_CREATE_COMPLETION CreateCompletion,
    PVOID RequestContext, NDK_QP **ppNdkQp)
{
    struct chaos_obj *c = chaos_of(pNdkPd);
    struct chaos_creation k;

    if (!chaos_create_begin(&k, c, CHAOS_CREATE_QP, CreateCompletion, RequestContext, NULL, NULL))
        return k.status;
    return chaos_create_end(&k,
        below(c)->NdkCreateQp(pNdkPd, pReceiveCq, pInitiatorCq, QPContext, ReceiveQueueDepth,
            InitiatorQueueDepth, MaxReceiveRequestSge, MaxInitiatorRequestSge, InlineDataSize,
            CHAOS_CREATED(CreateCompletion), k.op, CHAOS_OUT(NDK_QP, k, ppNdkQp)),
        ppNdkQp);
}

/* [NDKPI NDK_FN_CREATE_QP_WITH_SRQ] */
static NTSTATUS NdkCreateQpWithSrq(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq, NDK_CQ *pInitiatorCq,
    NDK_SRQ *pSrq, PVOID QPContext, ULONG InitiatorQueueDepth, ULONG MaxInitiatorRequestSge,
    ULONG InlineDataSize, NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
    NDK_QP **ppNdkQp)
{
    struct chaos_obj *c = chaos_of(pNdkPd);
    struct chaos_creation k;

    if (!chaos_create_begin(
            &k, c, CHAOS_CREATE_QP_WITH_SRQ, CreateCompletion, RequestContext, NULL, NULL))
        return k.status;
    return chaos_create_end(&k,
        below(c)->NdkCreateQpWithSrq(pNdkPd, pReceiveCq, pInitiatorCq, pSrq, QPContext,
            InitiatorQueueDepth, MaxInitiatorRequestSge, InlineDataSize,
            CHAOS_CREATED(CreateCompletion), k.op, CHAOS_OUT(NDK_QP, k, ppNdkQp)),
        ppNdkQp);
}

void chaos_pd_table(const struct chaos_state *s, void *table)
{
    NDK_PD_DISPATCH *t = table;

    UNREFERENCED_PARAMETER(s);
    t->NdkCreateMr = NdkCreateMr;
    t->NdkCreateMw = NdkCreateMw;
    t->NdkCreateSrq = NdkCreateSrq;
    t->NdkCreateQp = NdkCreateQp;
    t->NdkCreateQpWithSrq = NdkCreateQpWithSrq;
}

/* ---- memory regions ---- */

/* [NDKPI NDK_FN_REGISTER_MR] */
static NTSTATUS NdkRegisterMr(NDK_MR *pNdkMr, MDL *Mdl, SIZE_T Length, ULONG Flags,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct chaos_obj *c = chaos_of(pNdkMr);
    NTSTATUS status;
    struct chaos_op *op = chaos_begin(c, CHAOS_REGISTER_MR, CHAOS_OP_REQUEST,
        (chaos_any_fn *)RequestCompletion, RequestContext, &status);

    if (op == NULL)
        return status;
    return chaos_end(op,
        below_mr(c)->NdkRegisterMr(
            pNdkMr, Mdl, Length, Flags, CHAOS_COMPLETED(RequestCompletion), op),
        NULL);
}

/* [NDKPI NDK_FN_DEREGISTER_MR] */
static NTSTATUS NdkDeregisterMr(
    NDK_MR *pNdkMr, NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct chaos_obj *c = chaos_of(pNdkMr);
    NTSTATUS status;
    struct chaos_op *op = chaos_begin(c, CHAOS_DEREGISTER_MR, CHAOS_OP_REQUEST,
        (chaos_any_fn *)RequestCompletion, RequestContext, &status);

    if (op == NULL)
        return status;
    return chaos_end(
        op, below_mr(c)->NdkDeregisterMr(pNdkMr, CHAOS_COMPLETED(RequestCompletion), op), NULL);
}

/* [NDKPI NDK_FN_INITIALIZE_FAST_REGISTER_MR] */
static NTSTATUS NdkInitializeFastRegisterMr(NDK_MR *pNdkMr, ULONG AdapterPageCount,
    BOOLEAN RemoteAccess, NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct chaos_obj *c = chaos_of(pNdkMr);
    NTSTATUS status;
    struct chaos_op *op = chaos_begin(c, CHAOS_INIT_FAST_REGISTER_MR, CHAOS_OP_REQUEST,
        (chaos_any_fn *)RequestCompletion, RequestContext, &status);

    if (op == NULL)
        return status;
    return chaos_end(op,
        below_mr(c)->NdkInitializeFastRegisterMr(
            pNdkMr, AdapterPageCount, RemoteAccess, CHAOS_COMPLETED(RequestCompletion), op),
        NULL);
}

void chaos_mr_table(const struct chaos_state *s, void *table)
{
    NDK_MR_DISPATCH *t = table;

    UNREFERENCED_PARAMETER(s);
    t->NdkRegisterMr = NdkRegisterMr;
    t->NdkDeregisterMr = NdkDeregisterMr;
    t->NdkInitializeFastRegisterMr = NdkInitializeFastRegisterMr;
}
