/* SPDX-License-Identifier: MIT */
/*
 * NDK_QP_DISPATCH. Work requests are the data path: no allocation, no lock, the SGL is handed on as
 * it is. Their rules [NDKPI work-request-posting]: a request that is refused here starts what was
 * deferred before it [NDKPI deferred-processing], as rnic/ does when it refuses one.
 */
#include "base/assert.h"
#include "kenv/irql.h"
#include "ndk/flags.h"
#include "ndk/info.h"
#include "ndk/obj.h"
#include "ndk/sge.h"
#include "ndk/status_map.h"

_Static_assert(
    sizeof(NDK_LOGICAL_ADDRESS) == sizeof(uint64_t), "a page list is passed on as it is");

static NTSTATUS refuse(struct rnic_qp *qp, NTSTATUS status)
{
    rnic_qp_kick(qp);
    return status;
}

static inline NTSTATUS posted(enum sn_status s)
{
    return SN_LIKELY(s == SN_OK) ? STATUS_SUCCESS : ndk_status_of(NDK_CALL_POST, s);
}

static inline bool is_sound(enum ndk_wr wr, ULONG flags, const NDK_SGE *sgl, ULONG count)
{
    return ndk_flags_are_known(wr, flags) && (sgl != NULL || count == 0);
}

/* [NDKPI NDK_FN_CLOSE_OBJECT] */
static NTSTATUS NdkCloseQp(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    return ndk_obj_close(pNdkObject, CloseCompletion, RequestContext, __func__);
}

/* [NDKPI NDK_FN_FLUSH] */
static VOID NdkFlush(NDK_QP *pNdkQp)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    rnic_qp_flush(ndk_qp_to_rnic(pNdkQp));
}

/* [NDKPI NDK_FN_SEND] */
static NTSTATUS NdkSend(
    NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge, ULONG Flags)
{
    struct rnic_qp *qp = ndk_qp_to_rnic(pNdkQp);

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (SN_UNLIKELY(!is_sound(NDK_WR_SEND, Flags, pSgl, nSge)))
        return refuse(qp, STATUS_INVALID_PARAMETER);
    return posted(
        rnic_qp_send(qp, RequestContext, ndk_sgl(pSgl), nSge, ndk_flags_to_post(Flags), 0));
}

/* [NDKPI NDK_FN_SEND_AND_INVALIDATE] */
static NTSTATUS NdkSendAndInvalidate(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl,
    ULONG nSge, ULONG Flags, UINT32 RemoteToken)
{
    struct rnic_qp *qp = ndk_qp_to_rnic(pNdkQp);

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (SN_UNLIKELY(!is_sound(NDK_WR_SEND_AND_INVALIDATE, Flags, pSgl, nSge)))
        return refuse(qp, STATUS_INVALID_PARAMETER);
    return posted(rnic_qp_send(qp, RequestContext, ndk_sgl(pSgl), nSge,
        ndk_flags_to_post(Flags) | IW_WR_INVALIDATE, RemoteToken));
}

/* [NDKPI NDK_FN_RECEIVE] Nothing is ever deferred on the receive queue. */
static NTSTATUS NdkReceive(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (SN_UNLIKELY(pSgl == NULL && nSge != 0))
        return STATUS_INVALID_PARAMETER;
    return posted(rnic_qp_receive(ndk_qp_to_rnic(pNdkQp), RequestContext, ndk_sgl(pSgl), nSge));
}

/* [NDKPI NDK_FN_READ] */
static NTSTATUS NdkRead(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
    UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags)
{
    struct rnic_qp *qp = ndk_qp_to_rnic(pNdkQp);

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (SN_UNLIKELY(!is_sound(NDK_WR_READ, Flags, pSgl, nSge)))
        return refuse(qp, STATUS_INVALID_PARAMETER);
    if (SN_UNLIKELY(nSge > ndk_read_sge_max(&ndk_obj_of(pNdkQp)->adapter->options)))
        return refuse(qp, STATUS_INVALID_PARAMETER);
    return posted(rnic_qp_read(qp, RequestContext, ndk_sgl(pSgl), nSge, RemoteAddress, RemoteToken,
        ndk_flags_to_post(Flags)));
}

/* [NDKPI NDK_FN_WRITE] */
static NTSTATUS NdkWrite(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
    UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags)
{
    struct rnic_qp *qp = ndk_qp_to_rnic(pNdkQp);

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (SN_UNLIKELY(!is_sound(NDK_WR_WRITE, Flags, pSgl, nSge)))
        return refuse(qp, STATUS_INVALID_PARAMETER);
    return posted(rnic_qp_write(qp, RequestContext, ndk_sgl(pSgl), nSge, RemoteAddress, RemoteToken,
        ndk_flags_to_post(Flags)));
}

/* [NDKPI NDK_FN_BIND] */
static NTSTATUS NdkBind(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr, NDK_MW *pMw,
    PVOID VirtualAddress, SIZE_T Length, ULONG Flags)
{
    struct rnic_qp *qp = ndk_qp_to_rnic(pNdkQp);
    uint32_t rights;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (pMr == NULL || pMw == NULL || Length > NDK_REGION_MAX ||
        !ndk_flags_are_known(NDK_WR_BIND, Flags) ||
        !ndk_flags_to_rights(NDK_WR_BIND, Flags, &rights))
        return refuse(qp, STATUS_INVALID_PARAMETER);
    if (!ndk_is_one_adapter(pNdkQp, pMr) || !ndk_is_one_adapter(pNdkQp, pMw))
        return refuse(qp, STATUS_INVALID_PARAMETER);
    return posted(rnic_qp_bind(qp, RequestContext, ndk_mr_to_rnic(pMr), ndk_mw_to_rnic(pMw),
        (uintptr_t)VirtualAddress, Length, rights, ndk_flags_to_post(Flags)));
}

/* [NDKPI NDK_FN_FAST_REGISTER] The base is a label: it need not be an address. */
static NTSTATUS NdkFastRegister(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr,
    ULONG AdapterPageCount, const NDK_LOGICAL_ADDRESS *AdapterPageArray, ULONG FBO, SIZE_T Length,
    PVOID BaseVirtualAddress, ULONG Flags)
{
    struct rnic_qp *qp = ndk_qp_to_rnic(pNdkQp);
    struct mem_fast_reg args = {
        .pages = (const uint64_t *)(const void *)AdapterPageArray,
        .pages_count = AdapterPageCount,
        .fbo = FBO,
        .len = Length,
        .base = (uintptr_t)BaseVirtualAddress,
    };

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (pMr == NULL || AdapterPageArray == NULL ||
        !ndk_flags_are_known(NDK_WR_FAST_REGISTER, Flags) ||
        !ndk_flags_to_rights(NDK_WR_FAST_REGISTER, Flags, &args.rights))
        return refuse(qp, STATUS_INVALID_PARAMETER);
    if (!ndk_is_one_adapter(pNdkQp, pMr))
        return refuse(qp, STATUS_INVALID_PARAMETER);
    args.rights |= MEM_LOCAL_READ;
    return posted(rnic_qp_fast_register(
        qp, RequestContext, ndk_mr_to_rnic(pMr), &args, ndk_flags_to_post(Flags)));
}

/* [NDKPI NDK_FN_INVALIDATE] */
static NTSTATUS NdkInvalidate(
    NDK_QP *pNdkQp, PVOID RequestContext, NDK_OBJECT_HEADER *pNdkMrOrMw, ULONG Flags)
{
    struct rnic_qp *qp = ndk_qp_to_rnic(pNdkQp);

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (pNdkMrOrMw == NULL || !ndk_flags_are_known(NDK_WR_INVALIDATE, Flags))
        return refuse(qp, STATUS_INVALID_PARAMETER);
    if (pNdkMrOrMw->ObjectType != NdkObjectTypeMr && pNdkMrOrMw->ObjectType != NdkObjectTypeMw)
        return refuse(qp, STATUS_INVALID_PARAMETER);
    if (!ndk_is_one_adapter(pNdkQp, pNdkMrOrMw))
        return refuse(qp, STATUS_INVALID_PARAMETER);
    return posted(
        rnic_qp_invalidate(qp, RequestContext, ndk_obj_of(pNdkMrOrMw), ndk_flags_to_post(Flags)));
}

static const NDK_QP_DISPATCH dispatch = {
    .NdkCloseQp = NdkCloseQp,
    .NdkQueryExtension = ndk_query_extension,
    .NdkFlush = NdkFlush,
    .NdkSend = NdkSend,
    .NdkReceive = NdkReceive,
    .NdkBind = NdkBind,
    .NdkFastRegister = NdkFastRegister,
    .NdkInvalidate = NdkInvalidate,
    .NdkRead = NdkRead,
    .NdkWrite = NdkWrite,
    .NdkSendAndInvalidate = NdkSendAndInvalidate,
};

NDK_QP *ndk_qp_publish(struct rnic_qp *qp)
{
    ndk_obj_publish(rnic_qp_obj(qp), NdkObjectTypeQp, &dispatch);
    SN_ASSERT((void *)rnic_qp_obj(qp) == (void *)qp);
    return (NDK_QP *)(void *)qp;
}
