/* SPDX-License-Identifier: MIT */
/*
 * NDK_CQ_DISPATCH. The consumer serialises NdkGetCqResults(Ex) and NdkArmCq of one CQ; these are
 * the data path and take no lock. [NDKPI completion-handling]
 */
#include "ndk/cq.h"

#include "base/assert.h"
#include "kenv/irql.h"
#include "ndk/done.h"
#include "ndk/obj.h"
#include "ndk/status_map.h"

/* Completions taken from the ring at a time: half a KiB of stack. */
enum { BATCH = 16 };

static const NDK_OPERATION_TYPE types[] = {
    [RNIC_CQE_SEND] = NdkOperationTypeSend,
    [RNIC_CQE_WRITE] = NdkOperationTypeWrite,
    [RNIC_CQE_READ] = NdkOperationTypeRead,
    [RNIC_CQE_FAST_REGISTER] = NdkOperationTypeFastRegister,
    [RNIC_CQE_BIND] = NdkOperationTypeBind,
    [RNIC_CQE_INVALIDATE] = NdkOperationTypeInvalidate,
    [RNIC_CQE_RECEIVE] = NdkOperationTypeReceive,
};

/* The numbers of NDK_CQ_NOTIFY_... do not follow their width. */
static const enum rnic_arm arms[] = {
    [NDK_CQ_NOTIFY_ERRORS] = RNIC_ARM_ERRORS,
    [NDK_CQ_NOTIFY_ANY] = RNIC_ARM_ANY,
    [NDK_CQ_NOTIFY_SOLICITED] = RNIC_ARM_SOLICITED,
};

void ndk_result_from(const struct rnic_cqe *e, NDK_RESULT *out)
{
    SN_ASSERT(e->status < SN_STATUS_COUNT);
    out->Status = ndk_completion_status[e->status];
    out->BytesTransferred = e->len;
    out->QPContext = e->qp_context;
    out->RequestContext = e->context;
}

void ndk_result_ex_from(const struct rnic_cqe *e, NDK_RESULT_EX *out)
{
    SN_ASSERT(e->status < SN_STATUS_COUNT);
    SN_ASSERT(e->op < SN_ARRAY_COUNT(types));
    out->Status = ndk_completion_status[e->status];
    out->BytesTransferred = e->len;
    out->QPContext = e->qp_context;
    out->RequestContext = e->context;
    out->Type = e->has_invalidated ? NdkOperationTypeReceiveAndInvalidate : types[e->op];
    out->ProviderErrorCode = e->wire_error;
    out->TypeSpecificCompletionOutput = e->stag;
}

/* [NDKPI NDK_FN_CLOSE_OBJECT] */
static NTSTATUS NdkCloseCq(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    return ndk_obj_close(pNdkObject, CloseCompletion, RequestContext, __func__);
}

/* [NDKPI NDK_FN_RESIZE_CQ] */
static NTSTATUS NdkResizeCq(NDK_CQ *pNdkCq, ULONG CqDepth,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(RequestContext);
    if (ndk_is_strict(pNdkCq))
        return STATUS_NOT_SUPPORTED;
    if (RequestCompletion == NULL)
        return STATUS_INVALID_PARAMETER;
    return ndk_status_of(NDK_CALL_RESIZE, rnic_cq_resize(ndk_cq_to_rnic(pNdkCq), CqDepth));
}

/* [NDKPI NDK_FN_ARM_CQ] There is no status to refuse an unknown type with: it arms nothing. */
static VOID NdkArmCq(NDK_CQ *pNdkCq, ULONG Type)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (Type < SN_ARRAY_COUNT(arms))
        rnic_cq_arm(ndk_cq_to_rnic(pNdkCq), arms[Type]);
}

/* [NDKPI NDK_FN_GET_CQ_RESULTS] */
static ULONG NdkGetCqResults(NDK_CQ *pNdkCq, NDK_RESULT Results[], ULONG nResults)
{
    struct rnic_cq *cq = ndk_cq_to_rnic(pNdkCq);
    struct rnic_cqe batch[BATCH];
    ULONG count = 0;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    while (count < nResults) {
        uint32_t want = nResults - count < BATCH ? nResults - count : BATCH;
        uint32_t got = rnic_cq_poll(cq, batch, want);

        for (uint32_t i = 0; i < got; i++)
            ndk_result_from(&batch[i], &Results[count++]);
        if (got < want)
            break;
    }
    return count;
}

/* [NDKPI NDK_FN_GET_CQ_RESULTS_EX] */
static ULONG NdkGetCqResultsEx(NDK_CQ *pNdkCq, NDK_RESULT_EX Results[], ULONG nResults)
{
    struct rnic_cq *cq = ndk_cq_to_rnic(pNdkCq);
    struct rnic_cqe batch[BATCH];
    ULONG count = 0;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    while (count < nResults) {
        uint32_t want = nResults - count < BATCH ? nResults - count : BATCH;
        uint32_t got = rnic_cq_poll(cq, batch, want);

        for (uint32_t i = 0; i < got; i++)
            ndk_result_ex_from(&batch[i], &Results[count++]);
        if (got < want)
            break;
    }
    return count;
}

/* [NDKPI NDK_FN_CONTROL_CQ_INTERRUPT_MODERATION] */
static NTSTATUS NdkControlCqInterruptModeration(
    NDK_CQ *pNdkCq, ULONG ModerationInterval, ULONG ModerationCount)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (ndk_is_strict(pNdkCq))
        return STATUS_NOT_SUPPORTED;
    return ndk_status_of(NDK_CALL_MODERATE,
        rnic_cq_moderate(ndk_cq_to_rnic(pNdkCq), ModerationInterval, ModerationCount));
}

static const NDK_CQ_DISPATCH dispatch = {
    .NdkCloseCq = NdkCloseCq,
    .NdkQueryExtension = ndk_query_extension,
    .NdkResizeCq = NdkResizeCq,
    .NdkArmCq = NdkArmCq,
    .NdkGetCqResults = NdkGetCqResults,
    .NdkControlCqInterruptModeration = NdkControlCqInterruptModeration,
    .NdkGetCqResultsEx = NdkGetCqResultsEx,
};

NDK_CQ *ndk_cq_publish(struct rnic_cq *cq)
{
    ndk_obj_publish(rnic_cq_obj(cq), NdkObjectTypeCq, &dispatch);
    SN_ASSERT((void *)rnic_cq_obj(cq) == (void *)cq);
    return (NDK_CQ *)(void *)cq;
}
