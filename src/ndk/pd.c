/* SPDX-License-Identifier: MIT */
/* NDK_PD_DISPATCH. Everything finishes inline. */
#include "kenv/irql.h"
#include "ndk/done.h"
#include "ndk/info.h"
#include "ndk/obj.h"
#include "ndk/status_map.h"

/* [NDKPI NDK_FN_CLOSE_OBJECT] */
static NTSTATUS NdkClosePd(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    return ndk_obj_close(pNdkObject, CloseCompletion, RequestContext, __func__);
}

/* [NDKPI NDK_FN_CREATE_MR] */
static NTSTATUS NdkCreateMr(NDK_PD *pNdkPd, BOOLEAN FastRegister,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_MR **ppNdkMr)
{
    struct rnic_mr *mr;
    enum sn_status s;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(RequestContext);
    if (CreateCompletion == NULL || ppNdkMr == NULL)
        return STATUS_INVALID_PARAMETER;
    s = rnic_mr_create(ndk_pd_to_rnic(pNdkPd), FastRegister != FALSE, &mr);
    if (s == SN_OK)
        *ppNdkMr = ndk_mr_publish(mr);
    return ndk_status_of(NDK_CALL_CREATE_TOKEN, s);
}

/* [NDKPI NDK_FN_CREATE_MW] */
static NTSTATUS NdkCreateMw(NDK_PD *pNdkPd, NDK_FN_CREATE_COMPLETION CreateCompletion,
    PVOID RequestContext, NDK_MW **ppNdkMw)
{
    struct rnic_mw *mw;
    enum sn_status s;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(RequestContext);
    if (CreateCompletion == NULL || ppNdkMw == NULL)
        return STATUS_INVALID_PARAMETER;
    s = rnic_mw_create(ndk_pd_to_rnic(pNdkPd), &mw);
    if (s == SN_OK)
        *ppNdkMw = ndk_mw_publish(mw);
    return ndk_status_of(NDK_CALL_CREATE_TOKEN, s);
}

/* [NDKPI NDK_FN_CREATE_SRQ] */
static NTSTATUS NdkCreateSrq(NDK_PD *pNdkPd, ULONG SrqDepth, ULONG MaxReceiveRequestSge,
    ULONG NotifyThreshold, NDK_FN_SRQ_NOTIFICATION_CALLBACK SrqNotification,
    PVOID SrqNotificationContext, GROUP_AFFINITY *Affinity,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_SRQ **ppNdkSrq)
{
    struct rnic_pd *pd = ndk_pd_to_rnic(pNdkPd);
    struct rnic_srq *srq;
    enum sn_status s;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(Affinity);
    UNREFERENCED_PARAMETER(RequestContext);
    if (CreateCompletion == NULL || ppNdkSrq == NULL)
        return STATUS_INVALID_PARAMETER;
    /* A maximum of 0 says that there are none at all, so depth 0 is refused as well. */
    if (ndk_srq_depth_max(&pd->obj.adapter->options) == 0)
        return STATUS_INVALID_PARAMETER;
    s = rnic_srq_create(pd, SrqDepth, MaxReceiveRequestSge, NotifyThreshold,
        ndk_srq_notify(SrqNotification, SrqNotificationContext), &srq);
    if (s == SN_OK)
        *ppNdkSrq = ndk_srq_publish(srq);
    return ndk_status(s);
}

/* What both ways to create a QP share. */
static NTSTATUS create_qp(NDK_PD *pNdkPd, const struct rnic_qp_attr *attr,
    NDK_FN_CREATE_COMPLETION CreateCompletion, NDK_QP **ppNdkQp)
{
    struct rnic_pd *pd = ndk_pd_to_rnic(pNdkPd);
    struct rnic_qp *qp;
    enum sn_status s;

    if (attr->recv_cq == NULL || attr->send_cq == NULL || CreateCompletion == NULL ||
        ppNdkQp == NULL)
        return STATUS_INVALID_PARAMETER;
    if (attr->inline_max > ndk_inline_max(&pd->obj.adapter->options))
        return STATUS_INVALID_PARAMETER;
    s = rnic_qp_create(pd, attr, &qp);
    if (s == SN_OK)
        *ppNdkQp = ndk_qp_publish(qp);
    return ndk_status(s);
}

/* [NDKPI NDK_FN_CREATE_QP] */
static NTSTATUS NdkCreateQp(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq, NDK_CQ *pInitiatorCq,
    PVOID QPContext, ULONG ReceiveQueueDepth, ULONG InitiatorQueueDepth, ULONG MaxReceiveRequestSge,
    ULONG MaxInitiatorRequestSge, ULONG InlineDataSize, NDK_FN_CREATE_COMPLETION CreateCompletion,
    PVOID RequestContext, NDK_QP **ppNdkQp)
{
    struct rnic_qp_attr attr = {
        .recv_cq = ndk_cq_to_rnic(pReceiveCq),
        .send_cq = ndk_cq_to_rnic(pInitiatorCq),
        .context = QPContext,
        .recv_depth = ReceiveQueueDepth,
        .send_depth = InitiatorQueueDepth,
        .recv_sge_max = MaxReceiveRequestSge,
        .send_sge_max = MaxInitiatorRequestSge,
        .inline_max = InlineDataSize,
    };

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(RequestContext);
    return create_qp(pNdkPd, &attr, CreateCompletion, ppNdkQp);
}

/* [NDKPI NDK_FN_CREATE_QP_WITH_SRQ] */
static NTSTATUS NdkCreateQpWithSrq(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq, NDK_CQ *pInitiatorCq,
    NDK_SRQ *pSrq, PVOID QPContext, ULONG InitiatorQueueDepth, ULONG MaxInitiatorRequestSge,
    ULONG InlineDataSize, NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
    NDK_QP **ppNdkQp)
{
    struct rnic_qp_attr attr = {
        .recv_cq = ndk_cq_to_rnic(pReceiveCq),
        .send_cq = ndk_cq_to_rnic(pInitiatorCq),
        .srq = ndk_srq_to_rnic(pSrq),
        .context = QPContext,
        .send_depth = InitiatorQueueDepth,
        .send_sge_max = MaxInitiatorRequestSge,
        .inline_max = InlineDataSize,
    };

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(RequestContext);
    if (pSrq == NULL)
        return STATUS_INVALID_PARAMETER;
    return create_qp(pNdkPd, &attr, CreateCompletion, ppNdkQp);
}

/* [NDKPI NDK_FN_GET_PRIVILEGED_MEMORY_REGION_TOKEN] */
static VOID NdkGetPrivilegedMemoryRegionToken(NDK_PD *pNdkPd, UINT32 *pToken)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (pToken != NULL)
        *pToken = rnic_pd_privileged_stag(ndk_pd_to_rnic(pNdkPd));
}

static const NDK_PD_DISPATCH dispatch = {
    .NdkClosePd = NdkClosePd,
    .NdkQueryExtension = ndk_query_extension,
    .NdkCreateMr = NdkCreateMr,
    .NdkCreateMw = NdkCreateMw,
    .NdkCreateSrq = NdkCreateSrq,
    .NdkCreateQp = NdkCreateQp,
    .NdkCreateQpWithSrq = NdkCreateQpWithSrq,
    .NdkGetPrivilegedMemoryRegionToken = NdkGetPrivilegedMemoryRegionToken,
};

NDK_PD *ndk_pd_publish(struct rnic_pd *pd)
{
    ndk_obj_publish(&pd->obj, NdkObjectTypePd, &dispatch);
    return (NDK_PD *)(void *)pd;
}
