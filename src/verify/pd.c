/* SPDX-License-Identifier: MIT */
/* NDK_PD_DISPATCH as the consumer sees it with the verifier on. */
#include "verify/kinds.h"

static struct verify_pd *pd_of(NDK_PD *p)
{
    return verify_own(p);
}

static const NDK_PD_DISPATCH *below(const struct verify_pd *pd)
{
    return pd->o.lower;
}

static NTSTATUS NdkClosePd(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    const struct verify_pd *pd = verify_own(pNdkObject);

    return verify_close(
        pNdkObject, CloseCompletion, RequestContext, below(pd)->NdkClosePd, __func__);
}

/* ---- regions and windows ---- */

static void mr_fini(struct verify_obj *o)
{
    struct verify_mr *m = (struct verify_mr *)o;

    if (m->fast_qp != NULL)
        verify_obj_put(&m->fast_qp->o);
}

static NTSTATUS NdkCreateMr(NDK_PD *pNdkPd, BOOLEAN FastRegister,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_MR **ppNdkMr)
{
    struct verify_pd *pd = pd_of(pNdkPd);
    struct verify_mr *m;
    struct verify_call *call;
    NTSTATUS status;

    if (!verify_usable(&pd->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    m = verify_obj_new(pd->o.adapter, NdkObjectTypeMr, sizeof *m, &verify_mr_table);
    call = verify_call_create(
        &pd->o, __func__, m != NULL ? &m->o : NULL, CreateCompletion, RequestContext);
    if (call == NULL || m == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    verify_obj_stand_on(&m->o, &pd->o);
    m->pd = pd;
    m->is_fast = FastRegister != FALSE;
    m->o.fini = mr_fini;
    verify_token_init(&m->token, &m->o, &pd->o);
    status =
        below(pd)->NdkCreateMr(pNdkPd, FastRegister, verify_call_create_fn(call), call, ppNdkMr);
    return verify_call_end(call, status, status == STATUS_SUCCESS ? *ppNdkMr : NULL);
}

static void mw_fini(struct verify_obj *o)
{
    struct verify_mw *w = (struct verify_mw *)o;

    if (w->mr != NULL)
        verify_obj_put(&w->mr->o);
}

static NTSTATUS NdkCreateMw(NDK_PD *pNdkPd, NDK_FN_CREATE_COMPLETION CreateCompletion,
    PVOID RequestContext, NDK_MW **ppNdkMw)
{
    struct verify_pd *pd = pd_of(pNdkPd);
    struct verify_mw *w;
    struct verify_call *call;
    NTSTATUS status;

    if (!verify_usable(&pd->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    w = verify_obj_new(pd->o.adapter, NdkObjectTypeMw, sizeof *w, &verify_mw_table);
    call = verify_call_create(
        &pd->o, __func__, w != NULL ? &w->o : NULL, CreateCompletion, RequestContext);
    if (call == NULL || w == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    verify_obj_stand_on(&w->o, &pd->o);
    w->pd = pd;
    w->o.fini = mw_fini;
    verify_token_init(&w->token, &w->o, &pd->o);
    status = below(pd)->NdkCreateMw(pNdkPd, verify_call_create_fn(call), call, ppNdkMw);
    return verify_call_end(call, status, status == STATUS_SUCCESS ? *ppNdkMw : NULL);
}

/* ---- shared receive queues ---- */

static void srq_fini(struct verify_obj *o)
{
    verify_queue_fini(&((struct verify_srq *)o)->queue);
}

/* The shadow of a queue that may grow to `max` by NdkModifySrq. */
static struct verify_srq *srq_new(struct verify_pd *pd, ULONG depth, ULONG sge, ULONG max)
{
    struct verify_srq *s =
        verify_obj_new(pd->o.adapter, NdkObjectTypeSrq, sizeof *s, &verify_srq_table);

    if (s == NULL)
        return NULL;
    s->o.fini = srq_fini;
    s->pd = pd;
    s->sge_max = sge;
    sn_a32_store_relaxed(&s->depth, depth);
    if (!verify_queue_init(&s->queue, max, sge, true)) {
        verify_obj_put(&s->o);
        return NULL;
    }
    return s;
}

static ULONG at_most(ULONG value, ULONG max)
{
    return value < max ? value : max;
}

static NTSTATUS NdkCreateSrq(NDK_PD *pNdkPd, ULONG SrqDepth, ULONG MaxReceiveRequestSge,
    ULONG NotifyThreshold, NDK_FN_SRQ_NOTIFICATION_CALLBACK SrqNotification,
    PVOID SrqNotificationContext, GROUP_AFFINITY *Affinity,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_SRQ **ppNdkSrq)
{
    struct verify_pd *pd = pd_of(pNdkPd);
    const NDK_ADAPTER_INFO *info = &pd->o.adapter->info;
    struct verify_srq *s;
    struct verify_call *call;
    NTSTATUS status;

    if (!verify_usable(&pd->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    if (info->MaxSrqDepth == 0 || SrqDepth > info->MaxSrqDepth ||
        MaxReceiveRequestSge > info->MaxReceiveRequestSge)
        verify_report(VERIFY_P4, &pd->o, NULL, __func__,
            "depth %u and %u SGEs; the adapter has %u and %u", SrqDepth, MaxReceiveRequestSge,
            info->MaxSrqDepth, info->MaxReceiveRequestSge);
    s = srq_new(
        pd, SrqDepth, at_most(MaxReceiveRequestSge, info->MaxReceiveRequestSge), info->MaxSrqDepth);
    call = verify_call_create(
        &pd->o, __func__, s != NULL ? &s->o : NULL, CreateCompletion, RequestContext);
    if (call == NULL || s == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    verify_obj_stand_on(&s->o, &pd->o);
    s->notify = SrqNotification;
    s->notify_ctx = SrqNotificationContext;
    status = below(pd)->NdkCreateSrq(pNdkPd, SrqDepth, MaxReceiveRequestSge, NotifyThreshold,
        SrqNotification != NULL ? verify_srq_notified : NULL, s, Affinity,
        verify_call_create_fn(call), call, ppNdkSrq);
    return verify_call_end(call, status, status == STATUS_SUCCESS ? *ppNdkSrq : NULL);
}

/* ---- queue pairs ---- */

/* What both ways to create a QP have in common. */
struct qp_attr {
    NDK_CQ *receive_cq, *initiator_cq;
    NDK_SRQ *srq;
    PVOID context;
    ULONG receive_depth, initiator_depth, receive_sge, initiator_sge, inline_max;
    const char *call;
};

void verify_qp_unbind(struct verify_qp *q)
{
    if (sn_a32_exchange(&q->is_bound, 0) == 0)
        return;
    if (q->receive_cq != NULL)
        sn_a32_fetch_sub(&q->receive_cq->bound, q->receive.depth);
    if (q->initiator_cq != NULL)
        sn_a32_fetch_sub(&q->initiator_cq->bound, q->initiator.depth);
}

static void qp_fini(struct verify_obj *o)
{
    struct verify_qp *q = (struct verify_qp *)o;

    verify_qp_unbind(q);
    verify_queue_fini(&q->initiator);
    verify_queue_fini(&q->receive);
}

static void check_qp(struct verify_pd *pd, const struct qp_attr *attr)
{
    const NDK_ADAPTER_INFO *info = &pd->o.adapter->info;
    const struct verify_srq *s = attr->srq != NULL ? verify_shadow(attr->srq) : NULL;

    if (attr->receive_depth > info->MaxReceiveQueueDepth ||
        attr->initiator_depth > info->MaxInitiatorQueueDepth ||
        attr->receive_sge > info->MaxReceiveRequestSge ||
        attr->initiator_sge > info->MaxInitiatorRequestSge ||
        attr->inline_max > info->MaxInlineDataSize)
        verify_report(VERIFY_P3, &pd->o, NULL, attr->call,
            "depths %u and %u, %u and %u SGEs, %u octets inline; the adapter has %u, %u, %u, %u, "
            "%u",
            attr->receive_depth, attr->initiator_depth, attr->receive_sge, attr->initiator_sge,
            attr->inline_max, info->MaxReceiveQueueDepth, info->MaxInitiatorQueueDepth,
            info->MaxReceiveRequestSge, info->MaxInitiatorRequestSge, info->MaxInlineDataSize);
    verify_one_adapter(&pd->o, attr->receive_cq, attr->call);
    verify_one_adapter(&pd->o, attr->initiator_cq, attr->call);
    verify_one_adapter(&pd->o, attr->srq, attr->call);
    if (s != NULL && s->o.adapter == pd->o.adapter && s->pd != pd)
        verify_report(
            VERIFY_L13, &pd->o, verify_shadow(attr->srq), attr->call, "the SRQ is of another PD");
}

static struct verify_qp *qp_new(struct verify_pd *pd, const struct qp_attr *attr)
{
    const NDK_ADAPTER_INFO *info = &pd->o.adapter->info;
    struct verify_qp *q =
        verify_obj_new(pd->o.adapter, NdkObjectTypeQp, sizeof *q, &verify_qp_table);

    if (q == NULL)
        return NULL;
    q->o.fini = qp_fini;
    q->pd = pd;
    q->context = attr->context;
    q->inline_max = attr->inline_max;
    q->sge_max = attr->initiator_sge;
    q->receive_sge_max = attr->receive_sge;
    if (!verify_queue_init(&q->initiator,
            at_most(attr->initiator_depth, info->MaxInitiatorQueueDepth),
            at_most(attr->initiator_sge, info->MaxInitiatorRequestSge), false) ||
        !verify_queue_init(&q->receive, at_most(attr->receive_depth, info->MaxReceiveQueueDepth),
            at_most(attr->receive_sge, info->MaxReceiveRequestSge), false)) {
        verify_obj_put(&q->o);
        return NULL;
    }
    return q;
}

/* A CQ without a shadow is of an adapter without the verifier: the provider refuses it. */
static void stand_qp(struct verify_qp *q, struct verify_pd *pd, const struct qp_attr *attr)
{
    verify_obj_stand_on(&q->o, &pd->o);
    sn_a32_store_relaxed(&q->is_bound, 1);
    q->receive_cq = attr->receive_cq != NULL ? verify_shadow(attr->receive_cq) : NULL;
    q->initiator_cq = attr->initiator_cq != NULL ? verify_shadow(attr->initiator_cq) : NULL;
    q->srq = attr->srq != NULL ? verify_shadow(attr->srq) : NULL;
    if (q->receive_cq != NULL) {
        verify_obj_stand_on(&q->o, &q->receive_cq->o);
        sn_a32_fetch_add(&q->receive_cq->bound, q->receive.depth);
    }
    if (q->initiator_cq != NULL) {
        verify_obj_stand_on(&q->o, &q->initiator_cq->o);
        sn_a32_fetch_add(&q->initiator_cq->bound, q->initiator.depth);
    }
    if (q->srq != NULL)
        verify_obj_stand_on(&q->o, &q->srq->o);
}

/* The call that creates a QP; NULL: no memory. *out is its shadow. */
static struct verify_call *begin_qp(struct verify_pd *pd, const struct qp_attr *attr,
    NDK_FN_CREATE_COMPLETION fn, PVOID ctx, struct verify_qp **out)
{
    struct verify_qp *q;
    struct verify_call *call;

    check_qp(pd, attr);
    q = qp_new(pd, attr);
    call = verify_call_create(&pd->o, attr->call, q != NULL ? &q->o : NULL, fn, ctx);
    if (call == NULL || q == NULL)
        return NULL;
    stand_qp(q, pd, attr);
    *out = q;
    return call;
}

static NTSTATUS NdkCreateQp(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq, NDK_CQ *pInitiatorCq,
    PVOID QPContext, ULONG ReceiveQueueDepth, ULONG InitiatorQueueDepth, ULONG MaxReceiveRequestSge,
    ULONG MaxInitiatorRequestSge, ULONG InlineDataSize, NDK_FN_CREATE_COMPLETION CreateCompletion,
    PVOID RequestContext, NDK_QP **ppNdkQp)
{
    const struct qp_attr attr = {pReceiveCq, pInitiatorCq, NULL, QPContext, ReceiveQueueDepth,
        InitiatorQueueDepth, MaxReceiveRequestSge, MaxInitiatorRequestSge, InlineDataSize,
        __func__};
    struct verify_pd *pd = pd_of(pNdkPd);
    struct verify_qp *q;
    struct verify_call *call;
    NTSTATUS status;

    if (!verify_usable(&pd->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    call = begin_qp(pd, &attr, CreateCompletion, RequestContext, &q);
    if (call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = below(pd)->NdkCreateQp(pNdkPd, pReceiveCq, pInitiatorCq, q, ReceiveQueueDepth,
        InitiatorQueueDepth, MaxReceiveRequestSge, MaxInitiatorRequestSge, InlineDataSize,
        verify_call_create_fn(call), call, ppNdkQp);
    return verify_call_end(call, status, status == STATUS_SUCCESS ? *ppNdkQp : NULL);
}

static NTSTATUS NdkCreateQpWithSrq(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq, NDK_CQ *pInitiatorCq,
    NDK_SRQ *pSrq, PVOID QPContext, ULONG InitiatorQueueDepth, ULONG MaxInitiatorRequestSge,
    ULONG InlineDataSize, NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
    NDK_QP **ppNdkQp)
{
    const struct qp_attr attr = {pReceiveCq, pInitiatorCq, pSrq, QPContext, 0, InitiatorQueueDepth,
        0, MaxInitiatorRequestSge, InlineDataSize, __func__};
    struct verify_pd *pd = pd_of(pNdkPd);
    struct verify_qp *q;
    struct verify_call *call;
    NTSTATUS status;

    if (!verify_usable(&pd->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    call = begin_qp(pd, &attr, CreateCompletion, RequestContext, &q);
    if (call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = below(pd)->NdkCreateQpWithSrq(pNdkPd, pReceiveCq, pInitiatorCq, pSrq, q,
        InitiatorQueueDepth, MaxInitiatorRequestSge, InlineDataSize, verify_call_create_fn(call),
        call, ppNdkQp);
    return verify_call_end(call, status, status == STATUS_SUCCESS ? *ppNdkQp : NULL);
}

static VOID NdkGetPrivilegedMemoryRegionToken(NDK_PD *pNdkPd, UINT32 *pToken)
{
    struct verify_pd *pd = pd_of(pNdkPd);

    if (!verify_usable(&pd->o, __func__))
        return;
    verify_enter(&pd->o);
    below(pd)->NdkGetPrivilegedMemoryRegionToken(pNdkPd, pToken);
    verify_leave(&pd->o);
}

const NDK_PD_DISPATCH verify_pd_table = {
    .NdkClosePd = NdkClosePd,
    .NdkQueryExtension = verify_query_extension,
    .NdkCreateMr = NdkCreateMr,
    .NdkCreateMw = NdkCreateMw,
    .NdkCreateSrq = NdkCreateSrq,
    .NdkCreateQp = NdkCreateQp,
    .NdkCreateQpWithSrq = NdkCreateQpWithSrq,
    .NdkGetPrivilegedMemoryRegionToken = NdkGetPrivilegedMemoryRegionToken,
};
