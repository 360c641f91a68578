/* SPDX-License-Identifier: MIT */
/* NDK_PD_DISPATCH, NDK_MR_DISPATCH and NDK_MW_DISPATCH, a line for each call. */
#include "calltrace/create.h"

static const NDK_PD_DISPATCH *below_pd(const struct ct_obj *c)
{
    return c->inner;
}

/* [NDKPI NDK_FN_CREATE_MR] */
static NTSTATUS NdkCreateMr(NDK_PD *pNdkPd, BOOLEAN FastRegister,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_MR **ppNdkMr)
{
    struct ct_obj *c = ct_of(pNdkPd);
    struct ct_create k;
    NTSTATUS status;

    ct_create_begin(&k, c, "NdkCreateMr", CreateCompletion, RequestContext);
    ct_add(&k.line, ", %s", FastRegister ? "fast" : "normal");
    status = below_pd(c)->NdkCreateMr(pNdkPd, FastRegister,
        CT_FN(k.done, ct_on_created, CreateCompletion), CT_CONTEXT(k.done, RequestContext),
        ppNdkMr);
    return ct_create_end(&k, status, ppNdkMr);
}

/* [NDKPI NDK_FN_CREATE_MW] */
static NTSTATUS NdkCreateMw(NDK_PD *pNdkPd, NDK_FN_CREATE_COMPLETION CreateCompletion,
    PVOID RequestContext, NDK_MW **ppNdkMw)
{
    struct ct_obj *c = ct_of(pNdkPd);
    struct ct_create k;
    NTSTATUS status;

    ct_create_begin(&k, c, "NdkCreateMw", CreateCompletion, RequestContext);
    status = below_pd(c)->NdkCreateMw(pNdkPd, CT_FN(k.done, ct_on_created, CreateCompletion),
        CT_CONTEXT(k.done, RequestContext), ppNdkMw);
    return ct_create_end(&k, status, ppNdkMw);
}

/* [NDKPI NDK_FN_CREATE_SRQ] */
static NTSTATUS NdkCreateSrq(NDK_PD *pNdkPd, ULONG SrqDepth, ULONG MaxReceiveRequestSge,
    ULONG NotifyThreshold, NDK_FN_SRQ_NOTIFICATION_CALLBACK SrqNotification,
    PVOID SrqNotificationContext, GROUP_AFFINITY *Affinity,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_SRQ **ppNdkSrq)
{
    struct ct_obj *c = ct_of(pNdkPd);
    struct ct_create k;
    NTSTATUS status;

    ct_create_begin(&k, c, "NdkCreateSrq", CreateCompletion, RequestContext);
    ct_create_event(&k, "SRQ notification", (ct_any_fn *)SrqNotification, SrqNotificationContext);
    ct_add(&k.line, ", depth %u, sge %u, threshold %u", SrqDepth, MaxReceiveRequestSge,
        NotifyThreshold);
    status = below_pd(c)->NdkCreateSrq(pNdkPd, SrqDepth, MaxReceiveRequestSge, NotifyThreshold,
        CT_FN(k.event, ct_on_notified, SrqNotification),
        CT_CONTEXT(k.event, SrqNotificationContext), Affinity,
        CT_FN(k.done, ct_on_created, CreateCompletion), CT_CONTEXT(k.done, RequestContext),
        ppNdkSrq);
    return ct_create_end(&k, status, ppNdkSrq);
}

/* [NDKPI NDK_FN_CREATE_QP] */
static NTSTATUS NdkCreateQp(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq, NDK_CQ *pInitiatorCq,
    PVOID QPContext, ULONG ReceiveQueueDepth, ULONG InitiatorQueueDepth, ULONG MaxReceiveRequestSge,
    ULONG MaxInitiatorRequestSge, ULONG InlineDataSize, NDK_FN_CREATE_COMPLETION CreateCompletion,
    PVOID RequestContext, NDK_QP **ppNdkQp)
{
    struct ct_obj *c = ct_of(pNdkPd);
    struct ct_create k;
    NTSTATUS status;

    ct_create_begin(&k, c, "NdkCreateQp", CreateCompletion, RequestContext);
    ct_add_object(&k.line, "receive", pReceiveCq);
    ct_add_object(&k.line, "initiator", pInitiatorCq);
    ct_add(&k.line, ", context %p, depths %u and %u, sge %u and %u, inline %u", QPContext,
        ReceiveQueueDepth, InitiatorQueueDepth, MaxReceiveRequestSge, MaxInitiatorRequestSge,
        InlineDataSize);
    status = below_pd(c)->NdkCreateQp(pNdkPd, pReceiveCq, pInitiatorCq, QPContext,
        ReceiveQueueDepth, InitiatorQueueDepth, MaxReceiveRequestSge, MaxInitiatorRequestSge,
        InlineDataSize, CT_FN(k.done, ct_on_created, CreateCompletion),
        CT_CONTEXT(k.done, RequestContext), ppNdkQp);
    return ct_create_end(&k, status, ppNdkQp);
}

/* [NDKPI NDK_FN_CREATE_QP_WITH_SRQ] */
static NTSTATUS NdkCreateQpWithSrq(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq, NDK_CQ *pInitiatorCq,
    NDK_SRQ *pSrq, PVOID QPContext, ULONG InitiatorQueueDepth, ULONG MaxInitiatorRequestSge,
    ULONG InlineDataSize, NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
    NDK_QP **ppNdkQp)
{
    struct ct_obj *c = ct_of(pNdkPd);
    struct ct_create k;
    NTSTATUS status;

    ct_create_begin(&k, c, "NdkCreateQpWithSrq", CreateCompletion, RequestContext);
    ct_add_object(&k.line, "receive", pReceiveCq);
    ct_add_object(&k.line, "initiator", pInitiatorCq);
    ct_add_object(&k.line, "pool", pSrq);
    ct_add(&k.line, ", context %p, depth %u, sge %u, inline %u", QPContext, InitiatorQueueDepth,
        MaxInitiatorRequestSge, InlineDataSize);
    status = below_pd(c)->NdkCreateQpWithSrq(pNdkPd, pReceiveCq, pInitiatorCq, pSrq, QPContext,
        InitiatorQueueDepth, MaxInitiatorRequestSge, InlineDataSize,
        CT_FN(k.done, ct_on_created, CreateCompletion), CT_CONTEXT(k.done, RequestContext),
        ppNdkQp);
    return ct_create_end(&k, status, ppNdkQp);
}

/* [NDKPI NDK_FN_GET_PRIVILEGED_MEMORY_REGION_TOKEN] */
static VOID NdkGetPrivilegedMemoryRegionToken(NDK_PD *pNdkPd, UINT32 *pToken)
{
    struct ct_obj *c = ct_of(pNdkPd);
    struct ct_line l;

    ct_begin(&l, c, "NdkGetPrivilegedMemoryRegionToken");
    ct_add(&l, ")");
    below_pd(c)->NdkGetPrivilegedMemoryRegionToken(pNdkPd, pToken);
    ct_end(&l);
}

static const NDK_MR_DISPATCH *below_mr(const struct ct_obj *c)
{
    return c->inner;
}

/* [NDKPI NDK_FN_REGISTER_MR] */
static NTSTATUS NdkRegisterMr(NDK_MR *pNdkMr, MDL *Mdl, SIZE_T Length, ULONG Flags,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct ct_obj *c = ct_of(pNdkMr);
    struct ct_line l;
    struct ct_routine *r =
        ct_done_begin(c, "NdkRegisterMr", (ct_any_fn *)RequestCompletion, RequestContext);
    NTSTATUS status;

    ct_begin(&l, c, "NdkRegisterMr");
    ct_add(&l, ", mdl %p, %zu octets, flags %x", (void *)Mdl, Length, Flags);
    status = below_mr(c)->NdkRegisterMr(pNdkMr, Mdl, Length, Flags,
        CT_FN(r, ct_on_completed, RequestCompletion), CT_CONTEXT(r, RequestContext));
    return ct_end_status(&l, ct_done_end(r, status));
}

/* [NDKPI NDK_FN_DEREGISTER_MR] */
static NTSTATUS NdkDeregisterMr(
    NDK_MR *pNdkMr, NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct ct_obj *c = ct_of(pNdkMr);
    struct ct_line l;
    struct ct_routine *r =
        ct_done_begin(c, "NdkDeregisterMr", (ct_any_fn *)RequestCompletion, RequestContext);
    NTSTATUS status;

    ct_begin(&l, c, "NdkDeregisterMr");
    status = below_mr(c)->NdkDeregisterMr(
        pNdkMr, CT_FN(r, ct_on_completed, RequestCompletion), CT_CONTEXT(r, RequestContext));
    return ct_end_status(&l, ct_done_end(r, status));
}

/* [NDKPI NDK_FN_INITIALIZE_FAST_REGISTER_MR] */
static NTSTATUS NdkInitializeFastRegisterMr(NDK_MR *pNdkMr, ULONG AdapterPageCount,
    BOOLEAN RemoteAccess, NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct ct_obj *c = ct_of(pNdkMr);
    struct ct_line l;
    struct ct_routine *r = ct_done_begin(
        c, "NdkInitializeFastRegisterMr", (ct_any_fn *)RequestCompletion, RequestContext);
    NTSTATUS status;

    ct_begin(&l, c, "NdkInitializeFastRegisterMr");
    ct_add(&l, ", pages %u, remote %u", AdapterPageCount, RemoteAccess);
    status = below_mr(c)->NdkInitializeFastRegisterMr(pNdkMr, AdapterPageCount, RemoteAccess,
        CT_FN(r, ct_on_completed, RequestCompletion), CT_CONTEXT(r, RequestContext));
    return ct_end_status(&l, ct_done_end(r, status));
}

/* [NDKPI NDK_FN_GET_REMOTE_TOKEN_FROM_MR] */
static UINT32 NdkGetRemoteTokenFromMr(NDK_MR *pNdkMr)
{
    struct ct_obj *c = ct_of(pNdkMr);
    struct ct_line l;
    UINT32 token;

    ct_begin(&l, c, "NdkGetRemoteTokenFromMr");
    token = below_mr(c)->NdkGetRemoteTokenFromMr(pNdkMr);
    ct_add(&l, ") = %08x", token);
    ct_end(&l);
    return token;
}

/* [NDKPI NDK_FN_GET_LOCAL_TOKEN_FROM_MR] */
static UINT32 NdkGetLocalTokenFromMr(NDK_MR *pNdkMr)
{
    struct ct_obj *c = ct_of(pNdkMr);
    struct ct_line l;
    UINT32 token;

    ct_begin(&l, c, "NdkGetLocalTokenFromMr");
    token = below_mr(c)->NdkGetLocalTokenFromMr(pNdkMr);
    ct_add(&l, ") = %08x", token);
    ct_end(&l);
    return token;
}

static const NDK_MW_DISPATCH *below_mw(const struct ct_obj *c)
{
    return c->inner;
}

/* [NDKPI NDK_FN_GET_REMOTE_TOKEN_FROM_MW] */
static UINT32 NdkGetRemoteTokenFromMw(NDK_MW *pNdkMw)
{
    struct ct_obj *c = ct_of(pNdkMw);
    struct ct_line l;
    UINT32 token;

    ct_begin(&l, c, "NdkGetRemoteTokenFromMw");
    token = below_mw(c)->NdkGetRemoteTokenFromMw(pNdkMw);
    ct_add(&l, ") = %08x", token);
    ct_end(&l);
    return token;
}

void ct_pd_table(void *table)
{
    NDK_PD_DISPATCH *t = table;

    t->NdkCreateMr = NdkCreateMr;
    t->NdkCreateMw = NdkCreateMw;
    t->NdkCreateSrq = NdkCreateSrq;
    t->NdkCreateQp = NdkCreateQp;
    t->NdkCreateQpWithSrq = NdkCreateQpWithSrq;
    t->NdkGetPrivilegedMemoryRegionToken = NdkGetPrivilegedMemoryRegionToken;
}

void ct_mr_table(void *table)
{
    NDK_MR_DISPATCH *t = table;

    t->NdkRegisterMr = NdkRegisterMr;
    t->NdkDeregisterMr = NdkDeregisterMr;
    t->NdkInitializeFastRegisterMr = NdkInitializeFastRegisterMr;
    t->NdkGetRemoteTokenFromMr = NdkGetRemoteTokenFromMr;
    t->NdkGetLocalTokenFromMr = NdkGetLocalTokenFromMr;
}

void ct_mw_table(void *table)
{
    NDK_MW_DISPATCH *t = table;

    t->NdkGetRemoteTokenFromMw = NdkGetRemoteTokenFromMw;
}
