/* SPDX-License-Identifier: MIT */
/* NDK_CQ_DISPATCH and NDK_SRQ_DISPATCH over the layer. */
#include "chaos/invoke.h"

static const NDK_CQ_DISPATCH *below(const struct chaos_obj *c)
{
    return c->inner;
}

static const NDK_SRQ_DISPATCH *below_srq(const struct chaos_obj *c)
{
    return c->inner;
}

/* [NDKPI NDK_FN_RESIZE_CQ] */
static NTSTATUS NdkResizeCq(NDK_CQ *pNdkCq, ULONG CqDepth,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct chaos_obj *c = chaos_of(pNdkCq);
    NTSTATUS status;
    struct chaos_op *op = chaos_begin(c, CHAOS_RESIZE_CQ, CHAOS_OP_REQUEST,
        (chaos_any_fn *)RequestCompletion, RequestContext, &status);

    if (op == NULL)
        return status;
    return chaos_end(
        op, below(c)->NdkResizeCq(pNdkCq, CqDepth, CHAOS_COMPLETED(RequestCompletion), op), NULL);
}

/* [NDKPI NDK_FN_ARM_CQ] */
static VOID NdkArmCq(NDK_CQ *pNdkCq, ULONG Type)
{
    struct chaos_obj *c = chaos_of(pNdkCq);
    struct chaos_verdict v =
        chaos_decide(c->s->schedule, c->id, CHAOS_ARM_CQ, chaos_count(c, CHAOS_ARM_CQ));

    chaos_yield(c->s, v.yields_before);
    below(c)->NdkArmCq(pNdkCq, Type);
    chaos_yield(c->s, v.yields_after);
}

/* How many results this poll asks for: a batch may come in pieces, none is held back. */
static ULONG cut(struct chaos_obj *c, ULONG wanted)
{
    return chaos_decide_batch(c->s->schedule, c->id, chaos_count(c, CHAOS_GET_CQ_RESULTS), wanted);
}

/* [NDKPI NDK_FN_GET_CQ_RESULTS] */
static ULONG NdkGetCqResults(NDK_CQ *pNdkCq, NDK_RESULT Results[], ULONG nResults)
{
    struct chaos_obj *c = chaos_of(pNdkCq);
    ULONG got = below(c)->NdkGetCqResults(pNdkCq, Results, cut(c, nResults));

    if (got != 0)
        chaos_after_poll(c);
    return got;
}

/* [NDKPI NDK_FN_GET_CQ_RESULTS_EX] */
static ULONG NdkGetCqResultsEx(NDK_CQ *pNdkCq, NDK_RESULT_EX Results[], ULONG nResults)
{
    struct chaos_obj *c = chaos_of(pNdkCq);
    ULONG got = below(c)->NdkGetCqResultsEx(pNdkCq, Results, cut(c, nResults));

    if (got != 0)
        chaos_after_poll(c);
    return got;
}

/* [NDKPI NDK_FN_CONTROL_CQ_INTERRUPT_MODERATION] */
static NTSTATUS NdkControlCqInterruptModeration(
    NDK_CQ *pNdkCq, ULONG ModerationInterval, ULONG ModerationCount)
{
    struct chaos_obj *c = chaos_of(pNdkCq);
    NTSTATUS fault = chaos_fault(c, CHAOS_MODERATE_CQ);

    if (fault != STATUS_SUCCESS)
        return fault;
    return below(c)->NdkControlCqInterruptModeration(pNdkCq, ModerationInterval, ModerationCount);
}

void chaos_cq_table(const struct chaos_state *s, void *table)
{
    NDK_CQ_DISPATCH *t = table;

    t->NdkResizeCq = NdkResizeCq;
    t->NdkControlCqInterruptModeration = NdkControlCqInterruptModeration;
    if (s->schedule != CHAOS_SCHEDULE_HOSTILE &&
        !chaos_rules_have(&s->faults.rules, CHAOS_TARGET_CQ_OVERRUN))
        return;
    t->NdkArmCq = NdkArmCq;
    t->NdkGetCqResults = NdkGetCqResults;
    t->NdkGetCqResultsEx = NdkGetCqResultsEx;
}

/* ---- shared receive queues ---- */

/* [NDKPI NDK_FN_MODIFY_SRQ] */
static NTSTATUS NdkModifySrq(NDK_SRQ *pNdkSrq, ULONG SrqDepth, ULONG NotifyThreshold,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct chaos_obj *c = chaos_of(pNdkSrq);
    NTSTATUS status;
    struct chaos_op *op = chaos_begin(c, CHAOS_MODIFY_SRQ, CHAOS_OP_REQUEST,
        (chaos_any_fn *)RequestCompletion, RequestContext, &status);

    if (op == NULL)
        return status;
    return chaos_end(op,
        below_srq(c)->NdkModifySrq(
            pNdkSrq, SrqDepth, NotifyThreshold, CHAOS_COMPLETED(RequestCompletion), op),
        NULL);
}

/* [NDKPI NDK_FN_SRQ_RECEIVE] */
static NTSTATUS NdkSrqReceive(
    NDK_SRQ *pNdkSrq, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge)
{
    struct chaos_obj *c = chaos_of(pNdkSrq);
    NTSTATUS fault = chaos_before_post(c, CHAOS_SRQ_RECEIVE);

    if (fault != STATUS_SUCCESS)
        return fault;
    return below_srq(c)->NdkSrqReceive(pNdkSrq, RequestContext, pSgl, nSge);
}

void chaos_srq_table(const struct chaos_state *s, void *table)
{
    NDK_SRQ_DISPATCH *t = table;

    t->NdkModifySrq = NdkModifySrq;
    if (s->schedule == CHAOS_SCHEDULE_HOSTILE ||
        chaos_rules_have_call(&s->faults.rules, CHAOS_SRQ_RECEIVE))
        t->NdkSrqReceive = NdkSrqReceive;
}
