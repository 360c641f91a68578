/* SPDX-License-Identifier: MIT */
/* Shared receive queues: one pool of receives for many QPs, on any lanes. */
#ifndef SN_RNIC_SRQ_H
#define SN_RNIC_SRQ_H

#include "iwarp/wr.h"
#include "rnic/pd.h"

struct rnic_srq;

/* As rnic_cq_notify: the fill fell below the threshold (SN_OK), or the SRQ is unusable
 * (SN_INTERNAL). */
struct rnic_srq_notify {
    void (*call)(const struct rnic_srq_notify *n, enum sn_status status);
    void (*fn)(void); /* NULL: nobody wants to know */
    void *ctx;
};

/* threshold > 0 arms one notification. SN_LIMIT, SN_NO_MEMORY. */
SN_MUST_CHECK enum sn_status rnic_srq_create(struct rnic_pd *pd, uint32_t depth, uint32_t sge_max,
    uint32_t threshold, struct rnic_srq_notify notify, struct rnic_srq **out);
/* depth 0: unchanged; threshold 0: unchanged, else armed anew, firing at once if already below.
 * SN_LIMIT; SN_MSG_TOO_LONG: more are queued than the new depth; SN_NO_MEMORY. */
SN_MUST_CHECK enum sn_status rnic_srq_modify(
    struct rnic_srq *srq, uint32_t depth, uint32_t threshold);
/* Consumer, serialised. SN_QUEUE_FULL, SN_LIMIT (SGEs, length), SN_BAD_STATE (closing). */
SN_MUST_CHECK enum sn_status rnic_srq_receive(
    struct rnic_srq *srq, void *context, const struct iw_sge *sgl, uint32_t count);
struct rnic_obj *rnic_srq_obj(struct rnic_srq *srq);

/* ---- lanes ---- */
/* Moves the oldest receive into *into (room for srq's sge_max). False: none. */
bool rnic_srq_take(struct rnic_srq *srq, struct iw_recv *into);
uint32_t rnic_srq_sge_max(const struct rnic_srq *srq);
struct rnic_qp;
/* Inside the QP's lane: it is held for want of a receive; the next rnic_srq_receive resumes it. */
void rnic_srq_wait(struct rnic_srq *srq, struct rnic_qp *qp);
/* Inside the QP's lane: it takes no more receives; if it was called for one, another is. */
void rnic_srq_unwait(struct rnic_srq *srq, struct rnic_qp *qp);

#endif
