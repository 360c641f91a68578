/* SPDX-License-Identifier: MIT */
/* NDK_QP_DISPATCH, a line for each call. */
#include "calltrace/create.h"

static const NDK_QP_DISPATCH *below_qp(const struct ct_obj *c)
{
    return c->inner;
}

/* [NDKPI NDK_FN_FLUSH] */
static VOID NdkFlush(NDK_QP *pNdkQp)
{
    struct ct_obj *c = ct_of(pNdkQp);
    struct ct_line l;

    ct_begin(&l, c, "NdkFlush");
    ct_add(&l, ")");
    below_qp(c)->NdkFlush(pNdkQp);
    ct_end(&l);
}

/* [NDKPI NDK_FN_SEND] */
static NTSTATUS NdkSend(
    NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge, ULONG Flags)
{
    struct ct_obj *c = ct_of(pNdkQp);
    struct ct_line l;

    ct_begin(&l, c, "NdkSend");
    ct_add(&l, ", context %p", RequestContext);
    ct_add_sgl(&l, pSgl, nSge);
    ct_add(&l, ", flags %x", Flags);
    return ct_end_status(&l, below_qp(c)->NdkSend(pNdkQp, RequestContext, pSgl, nSge, Flags));
}

/* [NDKPI NDK_FN_SEND_AND_INVALIDATE] */
static NTSTATUS NdkSendAndInvalidate(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl,
    ULONG nSge, ULONG Flags, UINT32 RemoteToken)
{
    struct ct_obj *c = ct_of(pNdkQp);
    struct ct_line l;

    ct_begin(&l, c, "NdkSendAndInvalidate");
    ct_add(&l, ", context %p", RequestContext);
    ct_add_sgl(&l, pSgl, nSge);
    ct_add(&l, ", flags %x", Flags);
    ct_add(&l, ", token %08x", RemoteToken);
    return ct_end_status(&l,
        below_qp(c)->NdkSendAndInvalidate(pNdkQp, RequestContext, pSgl, nSge, Flags, RemoteToken));
}

/* [NDKPI NDK_FN_RECEIVE] */
static NTSTATUS NdkReceive(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
    struct ct_obj *c = ct_of(pNdkQp);
    struct ct_line l;

    ct_begin(&l, c, "NdkReceive");
    ct_add(&l, ", context %p", RequestContext);
    ct_add_sgl(&l, pSgl, nSge);
    return ct_end_status(&l, below_qp(c)->NdkReceive(pNdkQp, RequestContext, pSgl, nSge));
}

/* [NDKPI NDK_FN_READ] */
static NTSTATUS NdkRead(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
    UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags)
{
    struct ct_obj *c = ct_of(pNdkQp);
    struct ct_line l;

    ct_begin(&l, c, "NdkRead");
    ct_add(&l, ", context %p", RequestContext);
    ct_add_sgl(&l, pSgl, nSge);
    ct_add(&l, ", from %llx token %08x", (unsigned long long)RemoteAddress, RemoteToken);
    ct_add(&l, ", flags %x", Flags);
    return ct_end_status(&l, below_qp(c)->NdkRead(pNdkQp, RequestContext, pSgl, nSge, RemoteAddress,
                                 RemoteToken, Flags));
}

/* [NDKPI NDK_FN_WRITE] */
static NTSTATUS NdkWrite(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge,
    UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags)
{
    struct ct_obj *c = ct_of(pNdkQp);
    struct ct_line l;

    ct_begin(&l, c, "NdkWrite");
    ct_add(&l, ", context %p", RequestContext);
    ct_add_sgl(&l, pSgl, nSge);
    ct_add(&l, ", to %llx token %08x", (unsigned long long)RemoteAddress, RemoteToken);
    ct_add(&l, ", flags %x", Flags);
    return ct_end_status(&l, below_qp(c)->NdkWrite(pNdkQp, RequestContext, pSgl, nSge,
                                 RemoteAddress, RemoteToken, Flags));
}

/* [NDKPI NDK_FN_BIND] */
static NTSTATUS NdkBind(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr, NDK_MW *pMw,
    PVOID VirtualAddress, SIZE_T Length, ULONG Flags)
{
    struct ct_obj *c = ct_of(pNdkQp);
    struct ct_line l;

    ct_begin(&l, c, "NdkBind");
    ct_add(&l, ", context %p", RequestContext);
    ct_add_object(&l, "region", pMr);
    ct_add_object(&l, "window", pMw);
    ct_add(&l, ", %p +%zu", VirtualAddress, Length);
    ct_add(&l, ", flags %x", Flags);
    return ct_end_status(
        &l, below_qp(c)->NdkBind(pNdkQp, RequestContext, pMr, pMw, VirtualAddress, Length, Flags));
}

/* [NDKPI NDK_FN_FAST_REGISTER] */
static NTSTATUS NdkFastRegister(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr,
    ULONG AdapterPageCount, const NDK_LOGICAL_ADDRESS *AdapterPageArray, ULONG FBO, SIZE_T Length,
    PVOID BaseVirtualAddress, ULONG Flags)
{
    struct ct_obj *c = ct_of(pNdkQp);
    struct ct_line l;

    ct_begin(&l, c, "NdkFastRegister");
    ct_add(&l, ", context %p", RequestContext);
    ct_add_object(&l, "region", pMr);
    ct_add(&l, ", pages %u, offset %u, %p +%zu", AdapterPageCount, FBO, BaseVirtualAddress, Length);
    ct_add(&l, ", flags %x", Flags);
    return ct_end_status(
        &l, below_qp(c)->NdkFastRegister(pNdkQp, RequestContext, pMr, AdapterPageCount,
                AdapterPageArray, FBO, Length, BaseVirtualAddress, Flags));
}

/* [NDKPI NDK_FN_INVALIDATE] */
static NTSTATUS NdkInvalidate(
    NDK_QP *pNdkQp, PVOID RequestContext, NDK_OBJECT_HEADER *pNdkMrOrMw, ULONG Flags)
{
    struct ct_obj *c = ct_of(pNdkQp);
    struct ct_line l;

    ct_begin(&l, c, "NdkInvalidate");
    ct_add(&l, ", context %p", RequestContext);
    ct_add_object(&l, "what", pNdkMrOrMw);
    ct_add(&l, ", flags %x", Flags);
    return ct_end_status(&l, below_qp(c)->NdkInvalidate(pNdkQp, RequestContext, pNdkMrOrMw, Flags));
}

void ct_qp_table(void *table)
{
    NDK_QP_DISPATCH *t = table;

    t->NdkFlush = NdkFlush;
    t->NdkSend = NdkSend;
    t->NdkSendAndInvalidate = NdkSendAndInvalidate;
    t->NdkReceive = NdkReceive;
    t->NdkRead = NdkRead;
    t->NdkWrite = NdkWrite;
    t->NdkBind = NdkBind;
    t->NdkFastRegister = NdkFastRegister;
    t->NdkInvalidate = NdkInvalidate;
}
