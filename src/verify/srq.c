/* SPDX-License-Identifier: MIT */
/* NDK_SRQ_DISPATCH as the consumer sees it with the verifier on. */
#include "verify/post.h"

static const NDK_SRQ_DISPATCH *below(const struct verify_srq *s)
{
    return s->o.lower;
}

static NTSTATUS NdkCloseSrq(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    const struct verify_srq *s = verify_own(pNdkObject);

    return verify_close(
        pNdkObject, CloseCompletion, RequestContext, below(s)->NdkCloseSrq, __func__);
}

VOID verify_srq_notified(PVOID Context, NTSTATUS Status)
{
    struct verify_srq *s = Context;
    struct verify_callback cb;

    verify_callback_enter(&cb, &s->o, "NDK_FN_SRQ_NOTIFICATION_CALLBACK");
    s->notify(s->notify_ctx, Status);
    verify_callback_leave(&cb);
}

static void modified(struct verify_call *c, NTSTATUS status)
{
    if (NT_SUCCESS(status) && c->number[0] != 0)
        sn_a32_store_relaxed(&((struct verify_srq *)c->o)->depth, (uint32_t)c->number[0]);
}

static NTSTATUS NdkModifySrq(NDK_SRQ *pNdkSrq, ULONG SrqDepth, ULONG NotifyThreshold,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct verify_srq *s = verify_own(pNdkSrq);
    struct verify_call *call;

    if (!verify_usable(&s->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    if (SrqDepth > s->o.adapter->info.MaxSrqDepth)
        verify_report(VERIFY_P4, &s->o, NULL, __func__, "the depth is %u; MaxSrqDepth is %u",
            SrqDepth, s->o.adapter->info.MaxSrqDepth);
    call = verify_call_new(&s->o, __func__, RequestCompletion, RequestContext, false);
    if (call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    call->done = modified;
    call->number[0] = SrqDepth;
    return verify_call_end(call,
        below(s)->NdkModifySrq(pNdkSrq, SrqDepth, NotifyThreshold, verify_call_fn(call), call),
        NULL);
}

static NTSTATUS NdkSrqReceive(
    NDK_SRQ *pNdkSrq, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
    struct verify_srq *s = verify_own(pNdkSrq);
    struct verify_receive r = {.o = &s->o,
        .pd = s->pd,
        .queue = &s->queue,
        .call = __func__,
        .depth = sn_a32_load_relaxed(&s->depth),
        .sge_max = s->sge_max};
    NTSTATUS status;

    if (!verify_usable(&s->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    if (!verify_receive_begin(&r, RequestContext, pSgl, nSge))
        return STATUS_INSUFFICIENT_RESOURCES;
    status = below(s)->NdkSrqReceive(pNdkSrq, r.wr, pSgl, nSge);
    verify_receive_end(&r, status);
    return status;
}

const NDK_SRQ_DISPATCH verify_srq_table = {
    .NdkCloseSrq = NdkCloseSrq,
    .NdkQueryExtension = verify_query_extension,
    .NdkModifySrq = NdkModifySrq,
    .NdkSrqReceive = NdkSrqReceive,
};
