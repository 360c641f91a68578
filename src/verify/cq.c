/* SPDX-License-Identifier: MIT */
/*
 * NDK_CQ_DISPATCH as the consumer sees it with the verifier on. Results are always taken from the
 * provider with their type, so that what peers invalidate is known however the consumer collects.
 */
#include "verify/kinds.h"

enum { BATCH = 16, POISON = 0x5EADBEEF };

static struct verify_cq *cq_of(NDK_CQ *p)
{
    return verify_own(p);
}

static const NDK_CQ_DISPATCH *below(const struct verify_cq *cq)
{
    return cq->o.lower;
}

static NTSTATUS NdkCloseCq(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    const struct verify_cq *cq = verify_own(pNdkObject);

    return verify_close(
        pNdkObject, CloseCompletion, RequestContext, below(cq)->NdkCloseCq, __func__);
}

VOID verify_cq_notified(PVOID Context, NTSTATUS Status)
{
    struct verify_cq *cq = Context;
    struct verify_callback cb;

    verify_callback_enter(&cb, &cq->o, "NDK_FN_CQ_NOTIFICATION_CALLBACK");
    cq->notify(cq->notify_ctx, Status);
    verify_callback_leave(&cb);
}

static void resized(struct verify_call *c, NTSTATUS status)
{
    if (NT_SUCCESS(status))
        sn_a32_store_relaxed(&((struct verify_cq *)c->o)->depth, (uint32_t)c->number[0]);
}

static NTSTATUS NdkResizeCq(NDK_CQ *pNdkCq, ULONG CqDepth,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct verify_cq *cq = cq_of(pNdkCq);
    const NDK_ADAPTER_INFO *info = &cq->o.adapter->info;
    struct verify_call *call;

    if (!verify_usable(&cq->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    if ((info->AdapterFlags & NDK_ADAPTER_FLAG_CQ_RESIZE_SUPPORTED) == 0)
        verify_report(VERIFY_P2, &cq->o, NULL, __func__, "the adapter cannot resize");
    if (CqDepth == 0 || CqDepth > info->MaxCqDepth)
        verify_report(VERIFY_P1, &cq->o, NULL, __func__, "the depth is %u; MaxCqDepth is %u",
            CqDepth, info->MaxCqDepth);
    call = verify_call_new(&cq->o, __func__, RequestCompletion, RequestContext, false);
    if (call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    call->done = resized;
    call->number[0] = CqDepth;
    return verify_call_end(
        call, below(cq)->NdkResizeCq(pNdkCq, CqDepth, verify_call_fn(call), call), NULL);
}

/* ---- arming and collecting: one at a time ---- */

static void enter_polling(struct verify_cq *cq, const char *call)
{
    uint32_t other = verify_domain_enter(&cq->polling);

    if (SN_UNLIKELY(other != 0))
        verify_report(VERIFY_T1, &cq->o, NULL, call,
            "thread %u is polling or arming the CQ at the same time", other);
}

static VOID NdkArmCq(NDK_CQ *pNdkCq, ULONG Type)
{
    struct verify_cq *cq = cq_of(pNdkCq);

    if (!verify_usable(&cq->o, __func__))
        return;
    enter_polling(cq, __func__);
    if (SN_UNLIKELY(Type > NDK_CQ_NOTIFY_SOLICITED))
        verify_report(VERIFY_P7, &cq->o, NULL, __func__, "the type is %u", Type);
    /* The notification may come, and poll, before the call below has returned. */
    verify_domain_leave(&cq->polling);
    below(cq)->NdkArmCq(pNdkCq, Type);
}

/* A request that was passed over: it was silent, and succeeded. */
static void skipped(void *ctx, struct verify_wr *wr)
{
    struct verify_qp *q = ctx;

    if (wr->invalidates && sn_a32_load_relaxed(&wr->count) > 0)
        verify_invalidated(q->o.adapter, (uint32_t)sn_a64_load_relaxed(&wr->pieces[0].what), false);
}

/* Of a request that failed or was flushed: whether it took effect before, nobody can say. */
static void failed(struct verify_qp *q, struct verify_wr *wr)
{
    sn_a32_store_release(&q->is_sick, 1);
    verify_wr_uncertain(q, wr);
}

static void check_sum(struct verify_qp *q, const struct verify_wr *wr, const char *call)
{
    if (wr->sum != verify_wr_sum(wr))
        verify_report(VERIFY_W15, &q->o, NULL, call,
            "the memory of the request with context %p was changed", wr->context);
}

/* Gives one result back to the consumer: its contexts, and nothing to read where there is nothing.
 */
static void translate(NDK_RESULT_EX *r, bool is_plain, const char *call)
{
    struct verify_qp *q = r->QPContext;
    struct verify_wr *wr = r->RequestContext;
    bool is_receive = wr->op == VERIFY_RECEIVE;
    struct verify_queue *queue = !is_receive      ? &q->initiator
                                 : q->srq != NULL ? &q->srq->queue
                                                  : &q->receive;

    if (SN_UNLIKELY(wr->has_sum))
        check_sum(q, wr, call);
    if (SN_UNLIKELY(!NT_SUCCESS(r->Status)))
        failed(q, wr);
    else if (SN_UNLIKELY(wr->invalidates))
        skipped(q, wr);
    r->QPContext = q->context;
    r->RequestContext = wr->context;
    if (r->Type == NdkOperationTypeReceiveAndInvalidate)
        verify_invalidated(q->o.adapter, (uint32_t)r->TypeSpecificCompletionOutput, is_plain);
    else
        r->TypeSpecificCompletionOutput = POISON;
    if (!is_receive)
        r->BytesTransferred = POISON;
    verify_queue_collect(queue, wr, skipped, q);
}

static ULONG NdkGetCqResultsEx(NDK_CQ *pNdkCq, NDK_RESULT_EX Results[], ULONG nResults)
{
    struct verify_cq *cq = cq_of(pNdkCq);
    ULONG count;

    if (!verify_usable(&cq->o, __func__))
        return 0;
    enter_polling(cq, __func__);
    count = below(cq)->NdkGetCqResultsEx(pNdkCq, Results, nResults);
    for (ULONG i = 0; i < count; i++)
        translate(&Results[i], false, __func__);
    verify_domain_leave(&cq->polling);
    return count;
}

static ULONG NdkGetCqResults(NDK_CQ *pNdkCq, NDK_RESULT Results[], ULONG nResults)
{
    struct verify_cq *cq = cq_of(pNdkCq);
    NDK_RESULT_EX batch[BATCH];
    ULONG count = 0, want, got;

    if (!verify_usable(&cq->o, __func__))
        return 0;
    enter_polling(cq, __func__);
    do {
        want = nResults - count < BATCH ? nResults - count : BATCH;
        got = want != 0 ? below(cq)->NdkGetCqResultsEx(pNdkCq, batch, want) : 0;
        for (ULONG i = 0; i < got; i++, count++) {
            translate(&batch[i], true, __func__);
            Results[count].Status = batch[i].Status;
            Results[count].BytesTransferred = batch[i].BytesTransferred;
            Results[count].QPContext = batch[i].QPContext;
            Results[count].RequestContext = batch[i].RequestContext;
        }
    } while (got == BATCH);
    verify_domain_leave(&cq->polling);
    return count;
}

static NTSTATUS NdkControlCqInterruptModeration(
    NDK_CQ *pNdkCq, ULONG ModerationInterval, ULONG ModerationCount)
{
    struct verify_cq *cq = cq_of(pNdkCq);
    uint32_t other;
    NTSTATUS status;

    if (!verify_usable(&cq->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    other = verify_domain_enter(&cq->moderation);
    if (other != 0)
        verify_report(
            VERIFY_T4, &cq->o, NULL, __func__, "thread %u does it at the same time", other);
    if ((cq->o.adapter->info.AdapterFlags & NDK_ADAPTER_FLAG_CQ_INTERRUPT_MODERATION_SUPPORTED) ==
        0)
        verify_report(VERIFY_P5, &cq->o, NULL, __func__, "the adapter has no moderation");
    if (ModerationInterval == MAXULONG && ModerationCount > sn_a32_load_relaxed(&cq->depth))
        verify_report(VERIFY_P6, &cq->o, NULL, __func__,
            "the interval is MAXULONG, and the count %u is beyond the depth", ModerationCount);
    status =
        below(cq)->NdkControlCqInterruptModeration(pNdkCq, ModerationInterval, ModerationCount);
    verify_domain_leave(&cq->moderation);
    return status;
}

const NDK_CQ_DISPATCH verify_cq_table = {
    .NdkCloseCq = NdkCloseCq,
    .NdkQueryExtension = verify_query_extension,
    .NdkResizeCq = NdkResizeCq,
    .NdkArmCq = NdkArmCq,
    .NdkGetCqResults = NdkGetCqResults,
    .NdkControlCqInterruptModeration = NdkControlCqInterruptModeration,
    .NdkGetCqResultsEx = NdkGetCqResultsEx,
};
