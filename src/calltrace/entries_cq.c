/* SPDX-License-Identifier: MIT */
/* NDK_CQ_DISPATCH and NDK_SRQ_DISPATCH, a line for each call, and one for each result. A poll that
 * finds nothing is not told: a consumer that polls would fill the disk with them. */
#include "calltrace/impl.h"

static const NDK_CQ_DISPATCH *below(const struct ct_obj *c)
{
    return c->inner;
}

static const NDK_SRQ_DISPATCH *below_srq(const struct ct_obj *c)
{
    return c->inner;
}

/* [NDKPI NDK_FN_RESIZE_CQ] */
static NTSTATUS NdkResizeCq(NDK_CQ *pNdkCq, ULONG CqDepth,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct ct_obj *c = ct_of(pNdkCq);
    struct ct_routine *r =
        ct_done_begin(c, "NdkResizeCq", (ct_any_fn *)RequestCompletion, RequestContext);
    struct ct_line l;
    NTSTATUS status;

    ct_begin(&l, c, "NdkResizeCq");
    ct_add(&l, ", depth %u", CqDepth);
    status = below(c)->NdkResizeCq(pNdkCq, CqDepth, CT_FN(r, ct_on_completed, RequestCompletion),
        CT_CONTEXT(r, RequestContext));
    return ct_end_status(&l, ct_done_end(r, status));
}

/* [NDKPI NDK_FN_ARM_CQ] */
static VOID NdkArmCq(NDK_CQ *pNdkCq, ULONG Type)
{
    static const char *const types[] = {[NDK_CQ_NOTIFY_ERRORS] = "errors",
        [NDK_CQ_NOTIFY_ANY] = "any",
        [NDK_CQ_NOTIFY_SOLICITED] = "solicited"};
    struct ct_obj *c = ct_of(pNdkCq);
    struct ct_line l;

    ct_begin(&l, c, "NdkArmCq");
    ct_add(&l, ", %s)", Type < SN_ARRAY_COUNT(types) ? types[Type] : "?");
    below(c)->NdkArmCq(pNdkCq, Type);
    ct_end(&l);
}

static const char *type_name(NDK_OPERATION_TYPE type)
{
    static const char *const names[] = {[NdkOperationTypeReceive] = "receive",
        [NdkOperationTypeReceiveAndInvalidate] = "receive and invalidate",
        [NdkOperationTypeSend] = "send",
        [NdkOperationTypeFastRegister] = "fast register",
        [NdkOperationTypeBind] = "bind",
        [NdkOperationTypeInvalidate] = "invalidate",
        [NdkOperationTypeRead] = "read",
        [NdkOperationTypeWrite] = "write"};

    return (unsigned)type < SN_ARRAY_COUNT(names) && names[type] != NULL ? names[type] : "?";
}

static void tell_results(struct ct_state *s, uint32_t number, ULONG wanted, ULONG got)
{
    ct_detail(s, "cq %u gives %u of at most %u results:", number, got, wanted);
}

/* [NDKPI NDK_FN_GET_CQ_RESULTS] */
static ULONG NdkGetCqResults(NDK_CQ *pNdkCq, NDK_RESULT Results[], ULONG nResults)
{
    struct ct_obj *c = ct_of(pNdkCq);
    ULONG got = below(c)->NdkGetCqResults(pNdkCq, Results, nResults);

    if (got != 0)
        tell_results(c->s, c->number, nResults, got);
    for (ULONG i = 0; i < got; i++) {
        char room[16];

        ct_detail(c->s, "  context %p of qp context %p: %s, %u octets", Results[i].RequestContext,
            Results[i].QPContext, ct_status_name(Results[i].Status, room),
            Results[i].BytesTransferred);
    }
    return got;
}

/* [NDKPI NDK_FN_GET_CQ_RESULTS_EX] */
static ULONG NdkGetCqResultsEx(NDK_CQ *pNdkCq, NDK_RESULT_EX Results[], ULONG nResults)
{
    struct ct_obj *c = ct_of(pNdkCq);
    ULONG got = below(c)->NdkGetCqResultsEx(pNdkCq, Results, nResults);

    if (got != 0)
        tell_results(c->s, c->number, nResults, got);
    for (ULONG i = 0; i < got; i++) {
        char room[16];

        ct_detail(c->s, "  %s, context %p of qp context %p: %s, %u octets",
            type_name(Results[i].Type), Results[i].RequestContext, Results[i].QPContext,
            ct_status_name(Results[i].Status, room), Results[i].BytesTransferred);
    }
    return got;
}

/* [NDKPI NDK_FN_CONTROL_CQ_INTERRUPT_MODERATION] */
static NTSTATUS NdkControlCqInterruptModeration(
    NDK_CQ *pNdkCq, ULONG ModerationInterval, ULONG ModerationCount)
{
    struct ct_obj *c = ct_of(pNdkCq);
    struct ct_line l;

    ct_begin(&l, c, "NdkControlCqInterruptModeration");
    ct_add(&l, ", interval %u us, count %u", ModerationInterval, ModerationCount);
    return ct_end_status(
        &l, below(c)->NdkControlCqInterruptModeration(pNdkCq, ModerationInterval, ModerationCount));
}

void ct_cq_table(void *table)
{
    NDK_CQ_DISPATCH *t = table;

    t->NdkResizeCq = NdkResizeCq;
    t->NdkArmCq = NdkArmCq;
    t->NdkGetCqResults = NdkGetCqResults;
    t->NdkGetCqResultsEx = NdkGetCqResultsEx;
    t->NdkControlCqInterruptModeration = NdkControlCqInterruptModeration;
}

/* ---- shared receive queues ---- */

/* [NDKPI NDK_FN_MODIFY_SRQ] */
static NTSTATUS NdkModifySrq(NDK_SRQ *pNdkSrq, ULONG SrqDepth, ULONG NotifyThreshold,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct ct_obj *c = ct_of(pNdkSrq);
    struct ct_routine *r =
        ct_done_begin(c, "NdkModifySrq", (ct_any_fn *)RequestCompletion, RequestContext);
    struct ct_line l;
    NTSTATUS status;

    ct_begin(&l, c, "NdkModifySrq");
    ct_add(&l, ", depth %u, threshold %u", SrqDepth, NotifyThreshold);
    status = below_srq(c)->NdkModifySrq(pNdkSrq, SrqDepth, NotifyThreshold,
        CT_FN(r, ct_on_completed, RequestCompletion), CT_CONTEXT(r, RequestContext));
    return ct_end_status(&l, ct_done_end(r, status));
}

/* [NDKPI NDK_FN_SRQ_RECEIVE] */
static NTSTATUS NdkSrqReceive(
    NDK_SRQ *pNdkSrq, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
    struct ct_obj *c = ct_of(pNdkSrq);
    struct ct_line l;

    ct_begin(&l, c, "NdkSrqReceive");
    ct_add(&l, ", context %p", RequestContext);
    ct_add_sgl(&l, pSgl, nSge);
    return ct_end_status(&l, below_srq(c)->NdkSrqReceive(pNdkSrq, RequestContext, pSgl, nSge));
}

void ct_srq_table(void *table)
{
    NDK_SRQ_DISPATCH *t = table;

    t->NdkModifySrq = NdkModifySrq;
    t->NdkSrqReceive = NdkSrqReceive;
}
