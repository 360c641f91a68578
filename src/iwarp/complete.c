/* SPDX-License-Identifier: MIT */
/*
 * Completions of the send queue: in post order, each exactly once, and at most one that says what
 * went wrong. [VRB-015] [VRB-016] [RDM-038]
 */
#include "iwarp/tx.h"

/* Sends and Writes are done when TCP has them, all others say so themselves. */
static bool is_done(const struct iw_stream *s, const struct iw_wr *wr, uint32_t pos)
{
    if (wr->is_done)
        return true;
    return (wr->op == IW_OP_SEND || wr->op == IW_OP_WRITE) && iw_is_before(pos, s->tx.wr_pos);
}

/* The request at the head ends. Its slot is free before anybody can learn of it, so that a poster
 * who saw the completion finds room. */
static void end_head(struct iw_stream *s, struct iw_wr *wr, enum sn_status status)
{
    struct iw_ring *sq = s->config.sq;
    bool is_reported = status != SN_OK || (wr->flags & IW_WR_SILENT) == 0; /* [VRB-046] */
    struct iw_wr done;

    if (is_reported)
        done = *wr;
    if (status != SN_OK && status != SN_CANCELLED)
        s->is_error_reported = true;
    sn_a32_store_release(&sq->head, sn_a32_load_relaxed(&sq->head) + 1);
    if (is_reported)
        s->config.ops->wr_done(s->config.ctx, &done, status);
}

void iw_complete_ready(struct iw_stream *s)
{
    uint32_t pos = iw_sq_head(s);

    /* Behind an error nothing succeeds: the rest is for iw_flush. */
    for (; pos != s->started_pos && !s->is_error_reported; pos++) {
        struct iw_wr *wr = iw_sq_slot(s, pos);

        if (!is_done(s, wr, pos))
            break;
        end_head(s, wr, wr->is_done ? (enum sn_status)wr->status : SN_OK);
    }
}

void iw_complete_recv(
    struct iw_stream *s, enum sn_status status, uint32_t len, bool has_invalidated)
{
    struct iw_recv *recv = s->rx.recv;
    const struct rdmap_op_info *op = rdmap_op_info(s->rx.seg.opcode);

    s->rx.recv = NULL;
    s->rx.is_in_message = false;
    s->rx.recv_len = 0;
    if (status != SN_OK && status != SN_CANCELLED)
        s->is_error_reported = true;
    s->config.ops->recv_done(s->config.ctx, recv, status, len, status == SN_OK && op->solicited,
        has_invalidated, has_invalidated ? s->rx.seg.stag : 0);
}

/* ---- blame ---- */

/* The Read Request that went with this MSN. */
static bool find_read(const struct iw_stream *s, uint32_t msn, uint32_t *wr_pos)
{
    for (uint32_t i = s->orq_head; i != s->tx.orq_tail; i++) {
        const struct iw_outbound_read *r = iw_orq_slot(s, i);

        if (r->msn == msn && !r->is_rtr) {
            *wr_pos = r->wr_pos;
            return true;
        }
    }
    return false;
}

/* The Send that went, or is going, with this MSN. */
static bool find_send(const struct iw_stream *s, uint32_t msn, uint32_t *wr_pos)
{
    uint32_t next = s->tx.send_msn;

    if (s->tx.wr_off > 0 && iw_sq_slot(s, s->tx.wr_pos)->op == IW_OP_SEND && msn == next) {
        *wr_pos = s->tx.wr_pos;
        return true;
    }
    for (uint32_t pos = s->tx.wr_pos; iw_is_before(iw_sq_head(s), pos); pos--) {
        if (iw_sq_slot(s, pos - 1)->op == IW_OP_SEND && --next == msn) {
            *wr_pos = pos - 1;
            return true;
        }
    }
    return false;
}

static bool is_write_of(const struct iw_wr *wr, uint32_t stag, uint64_t to)
{
    return wr->op == IW_OP_WRITE && wr->remote_stag == stag && to >= wr->remote_to &&
           to - wr->remote_to < wr->len;
}

static bool find_write(const struct iw_stream *s, uint32_t stag, uint64_t to, uint32_t *wr_pos)
{
    uint32_t end = s->tx.wr_pos + (s->tx.wr_off > 0 ? 1 : 0);

    for (uint32_t pos = iw_sq_head(s); iw_is_before(pos, end); pos++) {
        if (is_write_of(iw_sq_slot(s, pos), stag, to)) {
            *wr_pos = pos;
            return true;
        }
    }
    return false;
}

bool iw_stream_blame(const struct iw_stream *s, uint32_t *wr_pos)
{
    const struct ddp_segment *ddp = &s->term.ddp;

    if (!s->has_term || !s->is_term_received || !s->term.has_ddp)
        return false;
    if (ddp->is_tagged) {
        /* A Read Response of ours is no request of ours. */
        return ddp->opcode == RDMAP_WRITE && find_write(s, ddp->stag, ddp->to, wr_pos);
    }
    if (ddp->qn == DDP_QN_READ) {
        /* siw puts the size where the MSN was. The sink's offset tells the MSN as well: see
         * iw_orq_push. */
        uint32_t msn = (uint32_t)(s->term.read.sink_to >> 32);

        return (s->term.has_read && find_read(s, msn, wr_pos)) || find_read(s, ddp->msn, wr_pos);
    }
    return ddp->qn == DDP_QN_SEND && find_send(s, ddp->msn, wr_pos);
}

/* ---- flush ---- */

/* Refused by the peer's protection, or ended for another reason of the peer's. */
static enum sn_status blame_status(const struct rdmap_term *term)
{
    const struct wire_err_info *protection = wire_err_info(WIRE_RDMAP_STAG_INVALID);

    return term->layer == protection->layer && term->type == protection->type ? SN_REMOTE_ACCESS
                                                                              : SN_REMOTE_ERROR;
}

static bool has_own_error(const struct iw_stream *s, uint32_t pos)
{
    const struct iw_wr *wr = iw_sq_slot(s, pos);

    return iw_is_before(pos, s->started_pos) && wr->is_done && wr->status != SN_OK;
}

/* Which request says what went wrong; SN_CANCELLED: none does. */
static enum sn_status choose_culprit(
    const struct iw_stream *s, uint32_t end, enum sn_status first, uint32_t *culprit)
{
    *culprit = iw_sq_head(s);
    if (s->is_error_reported)
        return SN_CANCELLED;
    for (uint32_t pos = iw_sq_head(s); pos != end; pos++) {
        if (has_own_error(s, pos)) {
            *culprit = pos;
            return (enum sn_status)iw_sq_slot(s, pos)->status;
        }
    }
    if (iw_stream_blame(s, culprit))
        return blame_status(&s->term);
    return first;
}

void iw_flush(struct iw_stream *s, enum sn_status first)
{
    uint32_t end = sn_a32_load_acquire(&s->config.sq->tail), culprit;
    enum sn_status status;

    if (iw_stream_is_working(s)) /* what it would still send is about to go */
        iw_kill(s);
    if (s->rx.recv != NULL)
        iw_complete_recv(s, SN_CANCELLED, 0, false);
    status = choose_culprit(s, end, first, &culprit);
    s->orq_head = s->tx.orq_tail; /* after the blame was looked up in it */
    for (uint32_t pos = iw_sq_head(s); pos != end; pos++) {
        struct iw_wr *wr = iw_sq_slot(s, pos);

        if (!iw_is_before(pos, s->started_pos))
            iw_local_release(wr);
        end_head(s, wr, pos == culprit ? status : SN_CANCELLED);
    }
    if (!iw_is_before(end, s->started_pos))
        s->started_pos = end;
    s->is_error_reported = true;
}
