/* SPDX-License-Identifier: MIT */
/* NDK_SRQ_DISPATCH. The consumer serialises NdkSrqReceive of one SRQ. [NDKPI work-request-posting]
 */
#include "base/assert.h"
#include "kenv/irql.h"
#include "ndk/obj.h"
#include "ndk/sge.h"
#include "ndk/status_map.h"

/* [NDKPI NDK_FN_CLOSE_OBJECT] */
static NTSTATUS NdkCloseSrq(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    return ndk_obj_close(pNdkObject, CloseCompletion, RequestContext, __func__);
}

/* [NDKPI NDK_FN_MODIFY_SRQ] */
static NTSTATUS NdkModifySrq(NDK_SRQ *pNdkSrq, ULONG SrqDepth, ULONG NotifyThreshold,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(RequestContext);
    if (RequestCompletion == NULL)
        return STATUS_INVALID_PARAMETER;
    return ndk_status(rnic_srq_modify(ndk_srq_to_rnic(pNdkSrq), SrqDepth, NotifyThreshold));
}

/* [NDKPI NDK_FN_SRQ_RECEIVE] */
static NTSTATUS NdkSrqReceive(
    NDK_SRQ *pNdkSrq, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
    enum sn_status s;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (pSgl == NULL && nSge != 0)
        return STATUS_INVALID_PARAMETER;
    s = rnic_srq_receive(ndk_srq_to_rnic(pNdkSrq), RequestContext, ndk_sgl(pSgl), nSge);
    return SN_LIKELY(s == SN_OK) ? STATUS_SUCCESS : ndk_status_of(NDK_CALL_POST, s);
}

static const NDK_SRQ_DISPATCH dispatch = {
    .NdkCloseSrq = NdkCloseSrq,
    .NdkQueryExtension = ndk_query_extension,
    .NdkModifySrq = NdkModifySrq,
    .NdkSrqReceive = NdkSrqReceive,
};

NDK_SRQ *ndk_srq_publish(struct rnic_srq *srq)
{
    ndk_obj_publish(rnic_srq_obj(srq), NdkObjectTypeSrq, &dispatch);
    SN_ASSERT((void *)rnic_srq_obj(srq) == (void *)srq);
    return (NDK_SRQ *)(void *)srq;
}
