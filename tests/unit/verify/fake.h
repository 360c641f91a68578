/* SPDX-License-Identifier: MIT */
/*
 * A provider that does nothing but keep books: every call succeeds inline, or pends until the test
 * says so; requests complete as soon as they are posted. The verifier stands before it, so that
 * mistakes can be made which a real provider would not bear.
 */
#ifndef TESTS_UNIT_VERIFY_FAKE_H
#define TESTS_UNIT_VERIFY_FAKE_H

#include <ndkpi.h>
#include <ntstatus.h>
#include <stdlib.h>
#include <ws2ipdef.h>

#include "base/alloc.h"
#include "support/unit.h"
#include "verify/kinds.h"
#include "verify/layer.h"

#include <softndk.h>

enum { FAKE_RESULTS_MAX = 256 };

struct fake_object {
    struct ndk_object pub;
    uint32_t token; /* MR, MW, PD */
    NDK_CQ *receive_cq, *initiator_cq;
    PVOID context; /* of a QP; of notifications and events */
    NDK_FN_CQ_NOTIFICATION_CALLBACK notify;
    NDK_FN_CONNECT_EVENT_CALLBACK event;
    NDK_FN_DISCONNECT_EVENT_CALLBACK disconnected;
    NDK_RESULT_EX results[FAKE_RESULTS_MAX];
    ULONG results_count;
};

/* What the provider is to do, and what it did. */
static struct {
    bool pends;           /* control calls */
    bool holds;           /* requests do not complete */
    NTSTATUS status;      /* of the next control call or request; STATUS_SUCCESS: as usual */
    NTSTATUS result;      /* of completions */
    uint32_t invalidates; /* token that the next receive says was invalidated */
    void (*inside)(void); /* runs inside the next data path call */
    uint32_t tokens, posts;
    NDK_FN_REQUEST_COMPLETION fn;
    NDK_FN_CREATE_COMPLETION create_fn;
    NDK_FN_CLOSE_COMPLETION close_fn;
    PVOID ctx;
    struct fake_object *made;
    void *state;
    ULONG flags; /* of the adapter */
    const char *mode, *risky, *buffers, *linger, *log;
} fake __attribute__((unused));

static inline struct fake_object *fake_of(void *object)
{
    return object;
}

static inline NTSTATUS fake_status(void)
{
    NTSTATUS status = fake.status;

    fake.status = STATUS_SUCCESS;
    return status;
}

static inline NTSTATUS fake_request(NDK_FN_REQUEST_COMPLETION fn, PVOID ctx)
{
    if (!fake.pends)
        return fake_status();
    fake.fn = fn;
    fake.ctx = ctx;
    return STATUS_PENDING;
}

static inline NTSTATUS fake_create(
    NDK_OBJECT_TYPE type, const VOID *table, NDK_FN_CREATE_COMPLETION fn, PVOID ctx, void *out)
{
    struct fake_object *o;
    NTSTATUS status = fake_status();

    if (!NT_SUCCESS(status))
        return status;
    o = sn_zalloc_aligned(sizeof *o);
    assert_non_null(o);
    o->pub.Header.Version = (NDK_VERSION){2, 1};
    o->pub.Header.ObjectType = type;
    o->pub.Dispatch = table;
    o->token = ++fake.tokens << 8;
    fake.made = o;
    verify_layer.wrap(fake.state, &o->pub);
    if (fake.pends) {
        fake.create_fn = fn;
        fake.ctx = ctx;
        return STATUS_PENDING;
    }
    *(struct fake_object **)out = o;
    return STATUS_SUCCESS;
}

static inline NTSTATUS fake_close(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    if (fake.pends) {
        fake.close_fn = CloseCompletion;
        fake.ctx = RequestContext;
        fake.made = fake_of(pNdkObject);
        return STATUS_PENDING;
    }
    assert_true(verify_layer.keep(fake.state, (struct ndk_object *)(void *)pNdkObject));
    return STATUS_SUCCESS;
}

static inline NTSTATUS fake_query_extension(NDK_OBJECT_HEADER *pNdkObject,
    GUID *ExtensionInterfaceID, NDK_VERSION ExtensionInterfaceVersion,
    NDK_EXTENSION_INTERFACE *pExtensionInterface)
{
    (void)pNdkObject, (void)ExtensionInterfaceID, (void)ExtensionInterfaceVersion;
    (void)pExtensionInterface;
    return STATUS_NOT_SUPPORTED;
}

static inline void fake_inside(void)
{
    void (*inside)(void) = fake.inside;

    fake.inside = NULL;
    if (inside != NULL)
        inside();
}

/* ---- CQ ---- */

static inline VOID FakeArmCq(NDK_CQ *pNdkCq, ULONG Type)
{
    (void)pNdkCq, (void)Type;
    fake_inside();
}

static inline ULONG FakeGetCqResultsEx(NDK_CQ *pNdkCq, NDK_RESULT_EX Results[], ULONG nResults)
{
    struct fake_object *cq = fake_of(pNdkCq);
    ULONG n = nResults < cq->results_count ? nResults : cq->results_count;

    fake_inside();
    memcpy(Results, cq->results, n * sizeof Results[0]);
    memmove(cq->results, cq->results + n, (cq->results_count - n) * sizeof Results[0]);
    cq->results_count -= n;
    return n;
}

static inline NTSTATUS FakeModerate(NDK_CQ *pNdkCq, ULONG Interval, ULONG Count)
{
    (void)pNdkCq, (void)Interval, (void)Count;
    fake_inside();
    return STATUS_SUCCESS;
}

static inline NTSTATUS FakeResizeCq(
    NDK_CQ *pNdkCq, ULONG CqDepth, NDK_FN_REQUEST_COMPLETION fn, PVOID ctx)
{
    (void)pNdkCq, (void)CqDepth;
    return fake_request(fn, ctx);
}

static const NDK_CQ_DISPATCH fake_cq_table = {
    .NdkCloseCq = fake_close,
    .NdkQueryExtension = fake_query_extension,
    .NdkResizeCq = FakeResizeCq,
    .NdkArmCq = FakeArmCq,
    .NdkControlCqInterruptModeration = FakeModerate,
    .NdkGetCqResultsEx = FakeGetCqResultsEx,
};

/* ---- QP and SRQ ---- */

static inline void fake_complete(
    NDK_CQ *cq, struct fake_object *qp, PVOID context, NDK_OPERATION_TYPE type)
{
    struct fake_object *c = fake_of(cq);
    NDK_RESULT_EX *r = &c->results[c->results_count++];

    assert_true(c->results_count <= FAKE_RESULTS_MAX);
    *r = (NDK_RESULT_EX){.Status = fake.result,
        .BytesTransferred = 5,
        .QPContext = qp->context,
        .RequestContext = context,
        .Type = type};
    if (type == NdkOperationTypeReceive && fake.invalidates != 0) {
        r->Type = NdkOperationTypeReceiveAndInvalidate;
        r->TypeSpecificCompletionOutput = fake.invalidates;
        fake.invalidates = 0;
    }
}

static inline NTSTATUS fake_post(
    NDK_QP *pNdkQp, PVOID context, NDK_OPERATION_TYPE type, ULONG flags)
{
    struct fake_object *qp = fake_of(pNdkQp);
    NTSTATUS status = fake_status();

    fake_inside();
    if (status != STATUS_SUCCESS)
        return status;
    fake.posts++;
    if (fake.holds || ((flags & NDK_OP_FLAG_SILENT_SUCCESS) != 0 && NT_SUCCESS(fake.result)))
        return STATUS_SUCCESS;
    fake_complete(
        type == NdkOperationTypeReceive ? qp->receive_cq : qp->initiator_cq, qp, context, type);
    return STATUS_SUCCESS;
}

static inline VOID FakeFlush(NDK_QP *pNdkQp)
{
    (void)pNdkQp;
}

static inline NTSTATUS FakeSend(
    NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge, ULONG Flags)
{
    (void)pSgl, (void)nSge;
    return fake_post(pNdkQp, RequestContext, NdkOperationTypeSend, Flags);
}

static inline NTSTATUS FakeSendInv(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl,
    ULONG nSge, ULONG Flags, UINT32 Token)
{
    (void)pSgl, (void)nSge, (void)Token;
    return fake_post(pNdkQp, RequestContext, NdkOperationTypeSend, Flags);
}

static inline NTSTATUS FakeReceive(
    NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
    (void)pSgl, (void)nSge;
    return fake_post(pNdkQp, RequestContext, NdkOperationTypeReceive, 0);
}

static inline NTSTATUS FakeRead(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl,
    ULONG nSge, UINT64 Address, UINT32 Token, ULONG Flags)
{
    (void)pSgl, (void)nSge, (void)Address, (void)Token;
    return fake_post(pNdkQp, RequestContext, NdkOperationTypeRead, Flags);
}

static inline NTSTATUS FakeWrite(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl,
    ULONG nSge, UINT64 Address, UINT32 Token, ULONG Flags)
{
    (void)pSgl, (void)nSge, (void)Address, (void)Token;
    return fake_post(pNdkQp, RequestContext, NdkOperationTypeWrite, Flags);
}

static inline NTSTATUS FakeBind(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr, NDK_MW *pMw,
    PVOID Va, SIZE_T Length, ULONG Flags)
{
    (void)pMr, (void)Va, (void)Length;
    fake_of(pMw)->token = ++fake.tokens << 8;
    return fake_post(pNdkQp, RequestContext, NdkOperationTypeBind, Flags);
}

static inline NTSTATUS FakeFastRegister(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr,
    ULONG Count, const NDK_LOGICAL_ADDRESS *Pages, ULONG Fbo, SIZE_T Length, PVOID Base,
    ULONG Flags)
{
    (void)pMr, (void)Count, (void)Pages, (void)Fbo, (void)Length, (void)Base;
    return fake_post(pNdkQp, RequestContext, NdkOperationTypeFastRegister, Flags);
}

static inline NTSTATUS FakeInvalidate(
    NDK_QP *pNdkQp, PVOID RequestContext, NDK_OBJECT_HEADER *pNdkMrOrMw, ULONG Flags)
{
    (void)pNdkMrOrMw;
    return fake_post(pNdkQp, RequestContext, NdkOperationTypeInvalidate, Flags);
}

static const NDK_QP_DISPATCH fake_qp_table = {
    .NdkCloseQp = fake_close,
    .NdkQueryExtension = fake_query_extension,
    .NdkFlush = FakeFlush,
    .NdkSend = FakeSend,
    .NdkReceive = FakeReceive,
    .NdkBind = FakeBind,
    .NdkFastRegister = FakeFastRegister,
    .NdkInvalidate = FakeInvalidate,
    .NdkRead = FakeRead,
    .NdkWrite = FakeWrite,
    .NdkSendAndInvalidate = FakeSendInv,
};

static inline NTSTATUS FakeModifySrq(
    NDK_SRQ *pNdkSrq, ULONG Depth, ULONG Threshold, NDK_FN_REQUEST_COMPLETION fn, PVOID ctx)
{
    (void)pNdkSrq, (void)Depth, (void)Threshold;
    return fake_request(fn, ctx);
}

/* Receives of a shared queue complete when the test gives them to a QP. */
static inline NTSTATUS FakeSrqReceive(
    NDK_SRQ *pNdkSrq, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
    struct fake_object *s = fake_of(pNdkSrq);

    (void)pSgl, (void)nSge;
    fake_inside();
    s->results[s->results_count++].RequestContext = RequestContext;
    return STATUS_SUCCESS;
}

static const NDK_SRQ_DISPATCH fake_srq_table = {
    .NdkCloseSrq = fake_close,
    .NdkQueryExtension = fake_query_extension,
    .NdkModifySrq = FakeModifySrq,
    .NdkSrqReceive = FakeSrqReceive,
};

/* ---- MR and MW ---- */

static inline NTSTATUS FakeRegisterMr(
    NDK_MR *pNdkMr, MDL *Mdl, SIZE_T Length, ULONG Flags, NDK_FN_REQUEST_COMPLETION fn, PVOID ctx)
{
    (void)pNdkMr, (void)Mdl, (void)Length, (void)Flags;
    return fake_request(fn, ctx);
}

static inline NTSTATUS FakeDeregisterMr(NDK_MR *pNdkMr, NDK_FN_REQUEST_COMPLETION fn, PVOID ctx)
{
    (void)pNdkMr;
    return fake_request(fn, ctx);
}

static inline NTSTATUS FakeInitMr(
    NDK_MR *pNdkMr, ULONG Count, BOOLEAN Remote, NDK_FN_REQUEST_COMPLETION fn, PVOID ctx)
{
    (void)pNdkMr, (void)Count, (void)Remote;
    return fake_request(fn, ctx);
}

static inline UINT32 FakeMrToken(NDK_MR *pNdkMr)
{
    return fake_of(pNdkMr)->token;
}

static inline UINT32 FakeMwToken(NDK_MW *pNdkMw)
{
    return fake_of(pNdkMw)->token;
}

static const NDK_MR_DISPATCH fake_mr_table = {
    .NdkCloseMr = fake_close,
    .NdkQueryExtension = fake_query_extension,
    .NdkRegisterMr = FakeRegisterMr,
    .NdkDeregisterMr = FakeDeregisterMr,
    .NdkInitializeFastRegisterMr = FakeInitMr,
    .NdkGetRemoteTokenFromMr = FakeMrToken,
    .NdkGetLocalTokenFromMr = FakeMrToken,
};
static const NDK_MW_DISPATCH fake_mw_table = {
    .NdkCloseMw = fake_close,
    .NdkQueryExtension = fake_query_extension,
    .NdkGetRemoteTokenFromMw = FakeMwToken,
};

/* ---- PD ---- */

static inline NTSTATUS FakeCreateMr(
    NDK_PD *pd, BOOLEAN fast, NDK_FN_CREATE_COMPLETION fn, PVOID ctx, NDK_MR **out)
{
    (void)pd, (void)fast;
    return fake_create(NdkObjectTypeMr, &fake_mr_table, fn, ctx, out);
}

static inline NTSTATUS FakeCreateMw(
    NDK_PD *pd, NDK_FN_CREATE_COMPLETION fn, PVOID ctx, NDK_MW **out)
{
    (void)pd;
    return fake_create(NdkObjectTypeMw, &fake_mw_table, fn, ctx, out);
}

static inline NTSTATUS FakeCreateSrq(NDK_PD *pd, ULONG Depth, ULONG Sge, ULONG Threshold,
    NDK_FN_SRQ_NOTIFICATION_CALLBACK notify, PVOID notify_ctx, GROUP_AFFINITY *affinity,
    NDK_FN_CREATE_COMPLETION fn, PVOID ctx, NDK_SRQ **out)
{
    NTSTATUS status = fake_create(NdkObjectTypeSrq, &fake_srq_table, fn, ctx, out);

    (void)pd, (void)Depth, (void)Sge, (void)Threshold, (void)affinity;
    fake.made->notify = notify;
    fake.made->context = notify_ctx;
    return status;
}

static inline NTSTATUS fake_create_qp(NDK_CQ *receive_cq, NDK_CQ *initiator_cq, PVOID context,
    NDK_FN_CREATE_COMPLETION fn, PVOID ctx, NDK_QP **out)
{
    NTSTATUS status = fake_create(NdkObjectTypeQp, &fake_qp_table, fn, ctx, out);

    if (NT_SUCCESS(status)) {
        fake.made->receive_cq = receive_cq;
        fake.made->initiator_cq = initiator_cq;
        fake.made->context = context;
    }
    return status;
}

static inline NTSTATUS FakeCreateQp(NDK_PD *pd, NDK_CQ *receive_cq, NDK_CQ *initiator_cq,
    PVOID context, ULONG a, ULONG b, ULONG c, ULONG d, ULONG e, NDK_FN_CREATE_COMPLETION fn,
    PVOID ctx, NDK_QP **out)
{
    (void)pd, (void)a, (void)b, (void)c, (void)d, (void)e;
    return fake_create_qp(receive_cq, initiator_cq, context, fn, ctx, out);
}

static inline NTSTATUS FakeCreateQpWithSrq(NDK_PD *pd, NDK_CQ *receive_cq, NDK_CQ *initiator_cq,
    NDK_SRQ *srq, PVOID context, ULONG a, ULONG b, ULONG c, NDK_FN_CREATE_COMPLETION fn, PVOID ctx,
    NDK_QP **out)
{
    (void)pd, (void)srq, (void)a, (void)b, (void)c;
    return fake_create_qp(receive_cq, initiator_cq, context, fn, ctx, out);
}

static inline VOID FakePrivileged(NDK_PD *pd, UINT32 *token)
{
    *token = fake_of(pd)->token;
}

static const NDK_PD_DISPATCH fake_pd_table = {
    .NdkClosePd = fake_close,
    .NdkQueryExtension = fake_query_extension,
    .NdkCreateMr = FakeCreateMr,
    .NdkCreateMw = FakeCreateMw,
    .NdkCreateSrq = FakeCreateSrq,
    .NdkCreateQp = FakeCreateQp,
    .NdkCreateQpWithSrq = FakeCreateQpWithSrq,
    .NdkGetPrivilegedMemoryRegionToken = FakePrivileged,
};

#endif
