/* SPDX-License-Identifier: MIT */
/*
 * Sends and Immediate Data (QN 0), Read and Atomic Requests (QN 1), Terminates (QN 2), Atomic
 * Responses (QN 3). Of a Send everything is judged at its header, before a receive is written; all
 * others are small, touch no memory of the consumer's and are judged when delivered.
 */
#include "base/assert.h"
#include "iwarp/rx.h"

/* ---- QN 0 ---- */

/* The zero-length Send that says "ready": nobody's message. [ECE-020] */
static bool is_rtr(const struct iw_stream *s)
{
    const struct ddp_segment *seg = &s->rx.seg;
    const struct iw_mpa_result *mpa = &s->config.mpa;

    return !s->is_first_seen && !s->config.is_initiator && mpa->is_p2p &&
           (mpa->rtr & IW_RTR_SEND) != 0 && seg->opcode == RDMAP_SEND && seg->payload_len == 0 &&
           seg->is_last && seg->mo == 0;
}

/* Checks in the order of RFC 5041: MSN, buffer, MO, length. [RFC5041 7.2] */
static bool begin_send(struct iw_stream *s)
{
    struct iw_rx *rx = &s->rx;
    const struct ddp_segment *seg = &rx->seg;

    if (SN_UNLIKELY(seg->msn != rx->send_msn)) {
        rx->err = WIRE_DDP_MSN_RANGE;
        return true;
    }
    if (SN_UNLIKELY(!s->is_first_seen) && is_rtr(s)) {
        rx->is_rtr = true;
        return true;
    }
    if (rx->recv == NULL) {
        rx->recv = s->config.ops->recv_take(s->config.ctx);
        if (rx->recv == NULL)
            return false;
    }
    if (SN_UNLIKELY(rx->is_in_message && seg->opcode != rx->opcode)) {
        rx->err = WIRE_RDMAP_OPCODE;
    } else if (SN_UNLIKELY(seg->mo != rx->recv_len)) {
        rx->err = WIRE_DDP_MO;
    } else if (SN_UNLIKELY(seg->payload_len > rx->recv->len - rx->recv_len)) {
        rx->err = WIRE_DDP_TOO_LONG;
        rx->own_status = SN_MSG_TOO_LONG;
    } else if (seg->payload_len > 0) {
        rx->to = IW_TO_RECV;
    }
    return true;
}

bool iw_rx_begin_untagged(struct iw_stream *s)
{
    if (s->rx.seg.qn == DDP_QN_SEND)
        return begin_send(s);
    s->rx.to = IW_TO_CTRL;
    return true;
}

/* Why the peer may not invalidate what it names. */
static enum wire_err invalidate_error(enum mem_result result)
{
    return result == MEM_STAG_INVALID ? WIRE_RDMAP_INVALIDATE_UNKNOWN : mem_result_to_rdmap(result);
}

static void deliver_send(struct iw_stream *s)
{
    struct iw_rx *rx = &s->rx;
    const struct rdmap_op_info *op = rdmap_op_info(rx->seg.opcode);
    enum mem_result result;

    if (rx->is_rtr) {
        rx->send_msn++;
        return;
    }
    rx->recv_len += rx->seg.payload_len;
    rx->is_in_message = true;
    rx->opcode = rx->seg.opcode;
    if (!rx->seg.is_last)
        return;
    rx->send_msn++;
    if (op->invalidates) {
        /* The payload is there; the completion is not yet visible. [RDM-013] */
        result = mem_invalidate_remote(s->config.mem, rx->seg.stag, s->config.who);
        if (result != MEM_OK) {
            iw_complete_recv(s, SN_BAD_REQUEST, 0, false); /* [RDM-014] */
            iw_stream_fail(s, invalidate_error(result), &rx->seg, rx->ulpdu_len, NULL);
            return;
        }
    }
    iw_complete_recv(s, SN_OK, rx->recv_len, op->invalidates);
}

/* ---- QN 1 ---- */

static void fail_here(struct iw_stream *s, enum wire_err e, const struct rdmap_read_req *read)
{
    iw_stream_fail(s, e, &s->rx.seg, s->rx.ulpdu_len, read);
}

/* What all requests on QN 1 have in common. */
static enum wire_err judge_request(const struct iw_stream *s, bool is_empty)
{
    const struct ddp_segment *seg = &s->rx.seg;

    if (seg->msn != s->rx.read_msn)
        return WIRE_DDP_MSN_RANGE;
    if (!iw_irrq_has_room(s, is_empty))
        return WIRE_DDP_MSN_RANGE; /* more than IRD [RDM-031] */
    return seg->mo == 0 ? WIRE_OK : WIRE_DDP_MO;
}

static void deliver_read_request(struct iw_stream *s, const uint8_t *ctrl)
{
    struct iw_inbound_read *r = iw_irrq_slot(s, s->irrq_tail);
    const struct mem_region *unused;
    struct rdmap_read_req req;
    enum mem_result result;
    enum wire_err err;

    rdmap_read_req_parse(ctrl, &req);
    err = judge_request(s, req.size == 0);
    if (err != WIRE_OK) {
        fail_here(s, err, &req);
        return;
    }
    if (req.size > 0) { /* else the source is not looked at [RDM-022] */
        result = mem_check(s->config.mem, s->config.who, req.src_stag, req.src_to, req.size,
            MEM_REMOTE_READ, &unused);
        if (result != MEM_OK) {
            fail_here(s, mem_result_to_rdmap(result), &req);
            return;
        }
    }
    *r = (struct iw_inbound_read){.req = req};
    s->irrq_tail++;
    s->rx.read_msn++;
}

/* The 64-bit word that an Atomic addresses, NULL with *err. */
static struct sn_a64 *find_word(
    struct iw_stream *s, const struct rdmap_atomic_req *req, enum wire_err *err)
{
    const struct mem_region *region;
    struct sn_span span = {0};
    enum mem_result result;
    uint64_t covered;

    result = mem_check(s->config.mem, s->config.who, req->stag, req->to, sizeof(struct sn_a64),
        MEM_REMOTE_READ | MEM_REMOTE_WRITE, &region);
    if (result != MEM_OK) {
        *err = mem_result_to_rdmap(result);
        return NULL;
    }
    (void)mem_spans(region, req->to, sizeof(struct sn_a64), &span, 1, &covered);
    if ((uintptr_t)span.p % sizeof(struct sn_a64) != 0 || span.n != sizeof(struct sn_a64)) {
        *err = WIRE_RDMAP_STREAM_CATASTROPHIC; /* not aligned [EXT-010] */
        return NULL;
    }
    return (struct sn_a64 *)(void *)span.p;
}

/* In one step for every other stream and thread. [EXT-013] */
static bool execute_atomic(const struct rdmap_atomic_req *req, struct sn_a64 *word, uint64_t *old)
{
    uint64_t new_value;

    do {
        *old = sn_a64_load_acquire(word);
        if (!rdmap_atomic_apply(req, *old, &new_value))
            return false;
    } while (!sn_a64_cas(word, *old, new_value));
    return true;
}

static void deliver_atomic_request(struct iw_stream *s, const uint8_t *ctrl)
{
    struct iw_inbound_read *r = iw_irrq_slot(s, s->irrq_tail);
    enum wire_err err = judge_request(s, false);
    struct sn_a64 *word = NULL;
    struct rdmap_atomic_req req;
    uint64_t old = 0;

    rdmap_atomic_req_parse(ctrl, &req);
    if (err == WIRE_OK)
        word = find_word(s, &req, &err);
    if (word != NULL && !execute_atomic(&req, word, &old))
        err = WIRE_RDMAP_OPCODE; /* [EXT-011] */
    if (err != WIRE_OK) {
        fail_here(s, err, NULL);
        return;
    }
    *r = (struct iw_inbound_read){.is_atomic = true, .atomic_id = req.id, .atomic_old = old};
    s->irrq_tail++;
    s->rx.read_msn++;
}

/* ---- QN 2, 3 ---- */

static void deliver_terminate(struct iw_stream *s, const uint8_t *ctrl)
{
    const struct ddp_segment *seg = &s->rx.seg;
    uint32_t len = seg->payload_len < RDMAP_TERM_LEN_MAX ? seg->payload_len : RDMAP_TERM_LEN_MAX;
    struct rdmap_term term;

    if (seg->msn != 1) /* one per stream and direction [RDM-040] */
        fail_here(s, WIRE_DDP_MSN_RANGE, NULL);
    else if (seg->mo != 0)
        fail_here(s, WIRE_DDP_MO, NULL);
    else if (!rdmap_term_parse(ctrl, len, &term))
        fail_here(s, WIRE_RDMAP_UNSPECIFIED, NULL);
    else
        iw_stream_terminated(s, &term);
}

void iw_rx_deliver_untagged(struct iw_stream *s, const uint8_t *ctrl)
{
    switch (s->rx.seg.opcode) {
    case RDMAP_READ_REQ:
        deliver_read_request(s, ctrl);
        break;
    case RDMAP_ATOMIC_REQ:
        deliver_atomic_request(s, ctrl);
        break;
    case RDMAP_TERMINATE:
        deliver_terminate(s, ctrl);
        break;
    case RDMAP_ATOMIC_RSP:
        /* We send no Atomics, so no buffer waits for an answer. */
        fail_here(s, s->rx.seg.msn == 1 ? WIRE_DDP_NO_BUFFER : WIRE_DDP_MSN_RANGE, NULL);
        break;
    default:
        deliver_send(s);
        break;
    }
}
