/* SPDX-License-Identifier: MIT */
/*
 * NDK_QP_DISPATCH over the layer. Requests never pend: they are yielded around, refused, or they
 * are the last that their connection carries. One that is refused here starts what was deferred
 * before it, as one that the provider refuses does. [NDKPI deferred-processing]
 */
#include "chaos/impl.h"
#include "rnic/qp.h"
#include "rnic/qp_lane.h"

static const NDK_QP_DISPATCH *below(const struct chaos_obj *c)
{
    return c->inner;
}

/* STATUS_SUCCESS: go on. */
static NTSTATUS before(struct chaos_obj *c, enum chaos_entry entry)
{
    NTSTATUS fault = chaos_before_post(c, entry);

    if (fault != STATUS_SUCCESS && entry != CHAOS_RECEIVE)
        rnic_qp_kick((struct rnic_qp *)(void *)c->o);
    return fault;
}

/* [NDKPI NDK_FN_SEND] */
static NTSTATUS NdkSend(
    NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge, ULONG Flags)
{
    struct chaos_obj *c = chaos_of(pNdkQp);
    NTSTATUS fault = before(c, CHAOS_SEND);

    if (fault != STATUS_SUCCESS)
        return fault;
    return chaos_after_post(c, below(c)->NdkSend(pNdkQp, RequestContext, pSgl, nSge, Flags));
}

/* [NDKPI NDK_FN_SEND_AND_INVALIDATE] */
static NTSTATUS NdkSendAndInvalidate(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl,
    ULONG nSge, ULONG Flags, UINT32 RemoteToken)
{
    struct chaos_obj *c = chaos_of(pNdkQp);
    NTSTATUS fault = before(c, CHAOS_SEND_AND_INVALIDATE);

    if (fault != STATUS_SUCCESS)
        return fault;
    return chaos_after_post(
        c, below(c)->NdkSendAndInvalidate(pNdkQp, RequestContext, pSgl, nSge, Flags, RemoteToken));
}

/* [NDKPI NDK_FN_RECEIVE] */
static NTSTATUS NdkReceive(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
    struct chaos_obj *c = chaos_of(pNdkQp);
    NTSTATUS fault = before(c, CHAOS_RECEIVE);

    if (fault != STATUS_SUCCESS)
        return fault;
    return chaos_after_post(c, below(c)->NdkReceive(pNdkQp, RequestContext, pSgl, nSge));
}

/* [NDKPI NDK_FN_READ] */
static NTSTATUS NdkRead(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
    UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags)
{
    struct chaos_obj *c = chaos_of(pNdkQp);
    NTSTATUS fault = before(c, CHAOS_READ);

    if (fault != STATUS_SUCCESS)
        return fault;
    return chaos_after_post(c,
        below(c)->NdkRead(pNdkQp, RequestContext, pSgl, nSge, RemoteAddress, RemoteToken, Flags));
}

/* [NDKPI NDK_FN_WRITE] */
static NTSTATUS NdkWrite(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
    UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags)
{
    struct chaos_obj *c = chaos_of(pNdkQp);
    NTSTATUS fault = before(c, CHAOS_WRITE);

    if (fault != STATUS_SUCCESS)
        return fault;
    return chaos_after_post(c,
        below(c)->NdkWrite(pNdkQp, RequestContext, pSgl, nSge, RemoteAddress, RemoteToken, Flags));
}

/* [NDKPI NDK_FN_BIND] */
static NTSTATUS NdkBind(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr, NDK_MW *pMw,
    PVOID VirtualAddress, SIZE_T Length, ULONG Flags)
{
    struct chaos_obj *c = chaos_of(pNdkQp);
    NTSTATUS fault = before(c, CHAOS_BIND);

    if (fault != STATUS_SUCCESS)
        return fault;
    return chaos_after_post(
        c, below(c)->NdkBind(pNdkQp, RequestContext, pMr, pMw, VirtualAddress, Length, Flags));
}

/* [NDKPI NDK_FN_FAST_REGISTER] */
static NTSTATUS NdkFastRegister(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr,
    ULONG AdapterPageCount, const NDK_LOGICAL_ADDRESS *AdapterPageArray, ULONG FBO, SIZE_T Length,
    PVOID BaseVirtualAddress, ULONG Flags)
{
    struct chaos_obj *c = chaos_of(pNdkQp);
    NTSTATUS fault = before(c, CHAOS_FAST_REGISTER);

    if (fault != STATUS_SUCCESS)
        return fault;
    return chaos_after_post(
        c, below(c)->NdkFastRegister(pNdkQp, RequestContext, pMr, AdapterPageCount,
               AdapterPageArray, FBO, Length, BaseVirtualAddress, Flags));
}

/* [NDKPI NDK_FN_INVALIDATE] */
static NTSTATUS NdkInvalidate(
    NDK_QP *pNdkQp, PVOID RequestContext, NDK_OBJECT_HEADER *pNdkMrOrMw, ULONG Flags)
{
    struct chaos_obj *c = chaos_of(pNdkQp);
    NTSTATUS fault = before(c, CHAOS_INVALIDATE);

    if (fault != STATUS_SUCCESS)
        return fault;
    return chaos_after_post(c, below(c)->NdkInvalidate(pNdkQp, RequestContext, pNdkMrOrMw, Flags));
}

/* Requests are the data path: none is intercepted that nothing is wanted of. */
static bool wants(const struct chaos_state *s, enum chaos_entry entry)
{
    return s->schedule == CHAOS_SCHEDULE_HOSTILE ||
           chaos_rules_have(&s->faults.rules, CHAOS_TARGET_DISCONNECT) ||
           chaos_rules_have_call(&s->faults.rules, entry);
}

void chaos_qp_table(const struct chaos_state *s, void *table)
{
    NDK_QP_DISPATCH *t = table;

    if (wants(s, CHAOS_SEND))
        t->NdkSend = NdkSend;
    if (wants(s, CHAOS_SEND_AND_INVALIDATE))
        t->NdkSendAndInvalidate = NdkSendAndInvalidate;
    if (wants(s, CHAOS_RECEIVE))
        t->NdkReceive = NdkReceive;
    if (wants(s, CHAOS_READ))
        t->NdkRead = NdkRead;
    if (wants(s, CHAOS_WRITE))
        t->NdkWrite = NdkWrite;
    if (wants(s, CHAOS_BIND))
        t->NdkBind = NdkBind;
    if (wants(s, CHAOS_FAST_REGISTER))
        t->NdkFastRegister = NdkFastRegister;
    if (wants(s, CHAOS_INVALIDATE))
        t->NdkInvalidate = NdkInvalidate;
}
