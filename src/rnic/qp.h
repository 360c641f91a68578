/* SPDX-License-Identifier: MIT */
/*
 * Queue pairs: posting (any thread, serialised per queue by contract) and the machine that a lane
 * drives (rnic/qp_lane.h).
 *
 *   IDLE -> CONNECTING -> CONNECTED -> ENDED
 *     \________ flush or close ________/
 *
 * ENDED is final: a disconnected QP is not reused [NDKPI disconnecting]. A failed connect takes
 * CONNECTING back to IDLE, unless the QP had to say why in a Terminate.
 */
#ifndef SN_RNIC_QP_H
#define SN_RNIC_QP_H

#include "iwarp/wr.h"
#include "rnic/cq.h"
#include "rnic/pd.h"
#include "rnic/srq.h"

struct rnic_qp;

struct rnic_qp_attr {
    struct rnic_cq *recv_cq, *send_cq;
    struct rnic_srq *srq; /* NULL: own receive queue */
    void *context;
    uint32_t recv_depth, send_depth;
    uint32_t recv_sge_max, send_sge_max;
    uint32_t inline_max;
};
/* SN_LIMIT (any attribute above the adapter's), SN_INVALID (objects of another adapter),
 * SN_NO_MEMORY. An SRQ may be of another PD: its receives are checked against that one. */
SN_MUST_CHECK enum sn_status rnic_qp_create(
    struct rnic_pd *pd, const struct rnic_qp_attr *attr, struct rnic_qp **out);
struct rnic_obj *rnic_qp_obj(struct rnic_qp *qp);

/* Flags of a post besides those of enum iw_wr_flag. */
enum { RNIC_POST_DEFER = 0x80 };

/*
 * Posting. `flags`: enum iw_wr_flag, RNIC_POST_DEFER. The SGL is copied. SN_OK: queued, a
 * completion follows (unless silent and successful). Anything else: not queued, no completion, and
 * requests deferred before are started [NDKPI deferred-processing]. All: SN_NOT_CONNECTED,
 * SN_QUEUE_FULL, SN_LIMIT (SGEs, transfer or inline length), SN_INVALID.
 */
SN_MUST_CHECK enum sn_status rnic_qp_send(struct rnic_qp *qp, void *context,
    const struct iw_sge *sgl, uint32_t count, uint32_t flags, uint32_t invalidate_stag);
/* Also SN_INVALID: no outbound Reads were agreed (ORD 0). A sink without MEM_READ_SINK, where the
 * adapter asks for that, completes SN_NO_ACCESS. */
SN_MUST_CHECK enum sn_status rnic_qp_read(struct rnic_qp *qp, void *context,
    const struct iw_sge *sgl, uint32_t count, uint64_t remote_to, uint32_t remote_stag,
    uint32_t flags);
SN_MUST_CHECK enum sn_status rnic_qp_write(struct rnic_qp *qp, void *context,
    const struct iw_sge *sgl, uint32_t count, uint64_t remote_to, uint32_t remote_stag,
    uint32_t flags);
/* Statuses of mem_fast_check as well. */
SN_MUST_CHECK enum sn_status rnic_qp_fast_register(struct rnic_qp *qp, void *context,
    struct rnic_mr *mr, const struct mem_fast_reg *args, uint32_t flags);
/* Statuses of mem_bind_check as well. The window's new STag is known when this returns. */
SN_MUST_CHECK enum sn_status rnic_qp_bind(struct rnic_qp *qp, void *context, struct rnic_mr *mr,
    struct rnic_mw *mw, uint64_t base, uint64_t len, uint32_t rights, uint32_t flags);
/* obj is an MR (fast) or MW. SN_INVALID for anything else. */
SN_MUST_CHECK enum sn_status rnic_qp_invalidate(
    struct rnic_qp *qp, void *context, struct rnic_obj *obj, uint32_t flags);
/* In any state; after the end it completes SN_CANCELLED. SN_BAD_STATE: the QP has an SRQ. */
SN_MUST_CHECK enum sn_status rnic_qp_receive(
    struct rnic_qp *qp, void *context, const struct iw_sge *sgl, uint32_t count);
/* Any thread, also while another posts. Starts cancelling everything; final. [NDKPI NDK_FN_FLUSH]
 */
void rnic_qp_flush(struct rnic_qp *qp);

/* Starts everything that was posted deferred. For a boundary that refuses a post by itself. */
void rnic_qp_kick(struct rnic_qp *qp);

#endif
