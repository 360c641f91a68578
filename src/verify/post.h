/* SPDX-License-Identifier: MIT */
/* What all requests of a queue have in common, from the call to its return. */
#ifndef SN_VERIFY_POST_H
#define SN_VERIFY_POST_H

#include "verify/kinds.h"

/* One initiator request on its way through; on the caller's stack. */
struct verify_post {
    struct verify_qp *q;
    enum verify_op op;
    const char *call;
    ULONG flags;
    struct verify_wr *wr; /* what the provider gets as the request's context */
    NTSTATUS refusal;
};

/* Object, IRQL, one at a time, flags, connection. False: see verify_post_refused. */
SN_MUST_CHECK bool verify_post_begin(struct verify_post *p);
/* The SGL: limits, tokens and ranges. `needs` is VERIFY_... that its memory must allow. */
void verify_post_sgl(
    struct verify_post *p, const NDK_SGE *sgl, ULONG count, ULONG count_max, uint32_t needs);
/* Room in the queue and in the CQ; p->wr. False: see verify_post_refused. */
SN_MUST_CHECK bool verify_post_record(
    struct verify_post *p, PVOID context, const NDK_SGE *sgl, ULONG count);
/* The end of a request that did not reach the provider: what the consumer gets. */
NTSTATUS verify_post_refused(struct verify_post *p);
/* The end of one that did, with the provider's answer. */
NTSTATUS verify_post_end(struct verify_post *p, NTSTATUS status);

/* A receive, on a QP or a shared queue. */
struct verify_receive {
    struct verify_obj *o;
    struct verify_pd *pd;
    struct verify_queue *queue;
    const char *call;
    ULONG depth, sge_max;
    struct verify_wr *wr;
};
/* One at a time, SGL, room. False: no room at all; do not call the provider. */
SN_MUST_CHECK bool verify_receive_begin(
    struct verify_receive *r, PVOID context, const NDK_SGE *sgl, ULONG count);
void verify_receive_end(struct verify_receive *r, NTSTATUS status);

/* N-W3: one more request of `o` may complete on `cq`. */
void verify_overrun_slow(struct verify_obj *o, struct verify_cq *cq, const char *call);
static inline void verify_overrun(struct verify_obj *o, struct verify_cq *cq, const char *call)
{
    /* A CQ as deep as all its queues cannot overrun as long as these keep their depths. */
    if (SN_UNLIKELY(sn_a32_load_relaxed(&cq->bound) > sn_a32_load_relaxed(&cq->depth)))
        verify_overrun_slow(o, cq, call);
}

/* Entries of the QP's table that change memory. */
NTSTATUS verify_bind(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr, NDK_MW *pMw,
    PVOID VirtualAddress, SIZE_T Length, ULONG Flags);
NTSTATUS verify_fast_register(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr,
    ULONG AdapterPageCount, const NDK_LOGICAL_ADDRESS *AdapterPageArray, ULONG FBO, SIZE_T Length,
    PVOID BaseVirtualAddress, ULONG Flags);
NTSTATUS verify_invalidate(
    NDK_QP *pNdkQp, PVOID RequestContext, NDK_OBJECT_HEADER *pNdkMrOrMw, ULONG Flags);

#endif
