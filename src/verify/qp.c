/* SPDX-License-Identifier: MIT */
/*
 * NDK_QP_DISPATCH as the consumer sees it with the verifier on: requests that move data. Those that
 * change memory are in qp_memory.c.
 */
#include "ndk/flags.h"
#include "verify/kinds.h"
#include "verify/post.h"

static const NDK_QP_DISPATCH *below(const struct verify_qp *q)
{
    return q->o.lower;
}

static NTSTATUS NdkCloseQp(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    const struct verify_qp *q = verify_own(pNdkObject);

    return verify_close(
        pNdkObject, CloseCompletion, RequestContext, below(q)->NdkCloseQp, __func__);
}

static bool is_healthy(const struct verify_qp *q)
{
    return sn_a32_load_acquire(&q->link) == VERIFY_LINK_CONNECTED &&
           sn_a32_load_acquire(&q->is_sick) == 0;
}

static void chain_ends(struct verify_qp *q, const char *call)
{
    if (sn_a32_load_acquire(&q->is_deferring) != 0 && is_healthy(q))
        verify_report(VERIFY_W9, &q->o, NULL, call, "the last request was posted with DEFER");
}

void verify_qp_closing(struct verify_qp *q)
{
    uint64_t left = verify_outstanding(&q->initiator) + verify_outstanding(&q->receive);

    chain_ends(q, "NdkCloseQp");
    q->has_left = left != 0 || q->srq != NULL;
    if (left != 0)
        verify_report(VERIFY_C9, &q->o, NULL, "NdkCloseQp", "%llu requests have not been collected",
            (unsigned long long)left);
}

static void dropped(void *ctx, struct verify_wr *wr)
{
    verify_wr_uncertain(ctx, wr);
}

/* Completions that are still in the CQ may be collected all the same: the records stay. */
void verify_qp_closed(struct verify_qp *q)
{
    verify_queue_drop(&q->initiator, dropped, q);
    verify_queue_drop(&q->receive, dropped, q);
    verify_qp_unbind(q);
}

static VOID NdkFlush(NDK_QP *pNdkQp)
{
    struct verify_qp *q = verify_own(pNdkQp);

    if (!verify_usable(&q->o, __func__))
        return;
    chain_ends(q, __func__);
    sn_a32_store_release(&q->is_flushed, 1);
    sn_a32_store_release(&q->is_sick, 1);
    below(q)->NdkFlush(pNdkQp);
}

/* ---- requests that move data ---- */

/* A post whose SGEs are read from. */
static bool begin_gather(
    struct verify_post *p, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
    if (!verify_post_begin(p))
        return false;
    verify_post_sgl(p, pSgl, nSge, p->q->sge_max, 0);
    return verify_post_record(p, RequestContext, pSgl, nSge);
}

static NTSTATUS NdkSend(
    NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge, ULONG Flags)
{
    struct verify_post p = {
        .q = verify_own(pNdkQp), .op = VERIFY_SEND, .call = __func__, .flags = Flags};

    if (!begin_gather(&p, RequestContext, pSgl, nSge))
        return verify_post_refused(&p);
    return verify_post_end(&p, below(p.q)->NdkSend(pNdkQp, p.wr, pSgl, nSge, Flags));
}

static NTSTATUS NdkSendAndInvalidate(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl,
    ULONG nSge, ULONG Flags, UINT32 RemoteToken)
{
    struct verify_post p = {
        .q = verify_own(pNdkQp), .op = VERIFY_SEND_INVALIDATE, .call = __func__, .flags = Flags};

    if (!begin_gather(&p, RequestContext, pSgl, nSge))
        return verify_post_refused(&p);
    return verify_post_end(
        &p, below(p.q)->NdkSendAndInvalidate(pNdkQp, p.wr, pSgl, nSge, Flags, RemoteToken));
}

static NTSTATUS NdkWrite(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
    UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags)
{
    struct verify_post p = {
        .q = verify_own(pNdkQp), .op = VERIFY_WRITE, .call = __func__, .flags = Flags};

    if (!begin_gather(&p, RequestContext, pSgl, nSge))
        return verify_post_refused(&p);
    return verify_post_end(
        &p, below(p.q)->NdkWrite(pNdkQp, p.wr, pSgl, nSge, RemoteAddress, RemoteToken, Flags));
}

/* What the memory of a read must allow, on this adapter. */
static uint32_t sink_of(const struct verify_qp *q)
{
    ULONG flags = q->o.adapter->info.AdapterFlags;

    return (flags & NDK_ADAPTER_FLAG_RDMA_READ_SINK_NOT_REQUIRED) != 0
               ? VERIFY_LOCAL_WRITE
               : VERIFY_LOCAL_WRITE | VERIFY_READ_SINK;
}

static NTSTATUS NdkRead(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
    UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags)
{
    struct verify_post p = {
        .q = verify_own(pNdkQp), .op = VERIFY_READ, .call = __func__, .flags = Flags};

    if (!verify_post_begin(&p))
        return verify_post_refused(&p);
    if (SN_UNLIKELY(sn_a32_load_relaxed(&p.q->outbound) == 0 &&
                    sn_a32_load_relaxed(&p.q->link) == VERIFY_LINK_CONNECTED))
        verify_report(VERIFY_W19, &p.q->o, NULL, __func__, "the outbound read limit is 0");
    verify_post_sgl(&p, pSgl, nSge, p.q->o.adapter->info.MaxReadRequestSge, sink_of(p.q));
    if (!verify_post_record(&p, RequestContext, pSgl, nSge))
        return verify_post_refused(&p);
    p.wr->invalidates = (Flags & NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE) != 0 &&
                        (p.q->o.adapter->info.AdapterFlags &
                            NDK_ADAPTER_FLAG_RDMA_READ_LOCAL_INVALIDATE_SUPPORTED) != 0;
    return verify_post_end(
        &p, below(p.q)->NdkRead(pNdkQp, p.wr, pSgl, nSge, RemoteAddress, RemoteToken, Flags));
}

/* ---- receives ---- */

static NTSTATUS NdkReceive(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
    struct verify_qp *q = verify_own(pNdkQp);
    struct verify_receive r = {.o = &q->o,
        .pd = q->pd,
        .queue = &q->receive,
        .call = __func__,
        .depth = q->receive.depth,
        .sge_max = q->receive_sge_max};
    NTSTATUS status;

    if (!verify_usable(&q->o, __func__))
        return STATUS_INVALID_DEVICE_STATE;
    if (SN_UNLIKELY(q->srq != NULL)) {
        verify_report(VERIFY_W7, &q->o, &q->srq->o, __func__,
            "the QP takes its receives from a shared queue");
        return STATUS_INVALID_PARAMETER;
    }
    verify_overrun(&q->o, q->receive_cq, __func__);
    if (!verify_receive_begin(&r, RequestContext, pSgl, nSge))
        return STATUS_INSUFFICIENT_RESOURCES;
    status = below(q)->NdkReceive(pNdkQp, r.wr, pSgl, nSge);
    verify_receive_end(&r, status);
    return status;
}

const NDK_QP_DISPATCH verify_qp_table = {
    .NdkCloseQp = NdkCloseQp,
    .NdkQueryExtension = verify_query_extension,
    .NdkFlush = NdkFlush,
    .NdkSend = NdkSend,
    .NdkReceive = NdkReceive,
    .NdkBind = verify_bind,
    .NdkFastRegister = verify_fast_register,
    .NdkInvalidate = verify_invalidate,
    .NdkRead = NdkRead,
    .NdkWrite = NdkWrite,
    .NdkSendAndInvalidate = NdkSendAndInvalidate,
};
