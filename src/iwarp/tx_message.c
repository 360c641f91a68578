/* SPDX-License-Identifier: MIT */
/*
 * What each kind of message looks like, one FPDU at a time. Every segment but the last is as full
 * as MULPDU allows; MO and TO rise; L is on the last. [RFC5041 4], [RFC5040 4]
 *
 * An error is raised only where the batch is empty: FPDUs already laid out go first, then the
 * same thing is tried and refused again. So what a Terminate says about octets sent is exact.
 */
#include "iwarp/tx.h"

#include "base/assert.h"

/* FPDU complete: where the stream stands behind it. */
static void end_fpdu(struct iw_batch *b, const struct iw_tx_cursor *c)
{
    struct iw_batch_fpdu *fpdu = &b->fpdu[b->fpdus];

    fpdu->end = b->octets;
    fpdu->after = *c;
    b->fpdus++;
}

/* One FPDU with octets that are in hand. */
static enum iw_laid lay_octets(const struct iw_stream *s, struct iw_batch *b,
    struct iw_tx_cursor *c, const struct ddp_segment *seg, const uint8_t *octets, uint32_t len)
{
    const struct iw_payload payload = {.octets = octets};
    enum mem_result unused;

    return iw_fpdu_lay(s, b, c, seg, &payload, 0, len, &unused);
}

enum iw_step iw_lay_terminate(struct iw_stream *s, struct iw_batch *b, struct iw_tx_cursor *c)
{
    const struct ddp_segment seg = {
        .is_last = true, .opcode = RDMAP_TERMINATE, .qn = DDP_QN_TERM, .msn = c->term_msn, .mo = 0};
    uint8_t octets[RDMAP_TERM_LEN_MAX];
    uint32_t len = (uint32_t)rdmap_term_build(&s->term, octets);

    if (lay_octets(s, b, c, &seg, octets, len) != IW_LAID)
        return IW_STEP_STOP;
    c->term_msn++;
    c->term_sent = true;
    end_fpdu(b, c);
    return IW_STEP_STOP; /* the last thing ever sent [RDM-039] */
}

/* A Read Request. The sink is a name of ours: the response is placed by our own list. */
static enum iw_laid lay_read_request(struct iw_stream *s, struct iw_batch *b,
    struct iw_tx_cursor *c, uint32_t len, uint32_t src_stag, uint64_t src_to)
{
    const struct ddp_segment seg = {
        .is_last = true, .opcode = RDMAP_READ_REQ, .qn = DDP_QN_READ, .msn = c->read_msn, .mo = 0};
    const struct rdmap_read_req req = {.sink_stag = s->config.sink_stag,
        .sink_to = (uint64_t)c->read_msn << 32,
        .size = len,
        .src_stag = src_stag,
        .src_to = src_to};
    uint8_t octets[RDMAP_READ_REQ_LEN];

    rdmap_read_req_build(&req, octets);
    return lay_octets(s, b, c, &seg, octets, sizeof(octets));
}

enum iw_step iw_lay_rtr(struct iw_stream *s, struct iw_batch *b, struct iw_tx_cursor *c)
{
    const struct ddp_segment send = {
        .is_last = true, .opcode = RDMAP_SEND, .qn = DDP_QN_SEND, .msn = c->send_msn};
    const struct ddp_segment write = {.is_tagged = true, .is_last = true, .opcode = RDMAP_WRITE};
    enum iw_laid laid;

    switch (s->config.mpa.rtr) {
    case IW_RTR_SEND:
        laid = lay_octets(s, b, c, &send, NULL, 0);
        break;
    case IW_RTR_READ:
        /* Source STag and TO are not looked at; 1 and 0 are what other stacks send. */
        laid = lay_read_request(s, b, c, 0, 1, 0);
        break;
    case IW_RTR_WRITE:
    case IW_RTR_NONE:
    default:
        laid = lay_octets(s, b, c, &write, NULL, 0);
        break;
    }
    if (laid != IW_LAID)
        return IW_STEP_STOP;
    if (s->config.mpa.rtr == IW_RTR_SEND)
        c->send_msn++;
    else if (s->config.mpa.rtr == IW_RTR_READ)
        (void)iw_orq_push(s, c, 0, 0, true);
    c->rtr_sent = true;
    end_fpdu(b, c);
    return IW_STEP_ON;
}

/* ---- responses ---- */

static enum iw_laid lay_atomic_response(const struct iw_stream *s, struct iw_batch *b,
    struct iw_tx_cursor *c, const struct iw_inbound_read *r)
{
    const struct ddp_segment seg = {.is_last = true,
        .opcode = RDMAP_ATOMIC_RSP,
        .qn = DDP_QN_ATOMIC_RSP,
        .msn = c->atomic_msn,
        .mo = 0};
    const struct rdmap_atomic_rsp rsp = {.id = r->atomic_id, .old_value = r->atomic_old};
    uint8_t octets[RDMAP_ATOMIC_RSP_LEN];

    rdmap_atomic_rsp_build(&rsp, octets);
    return lay_octets(s, b, c, &seg, octets, sizeof(octets));
}

static enum iw_laid lay_read_response(const struct iw_stream *s, struct iw_batch *b,
    struct iw_tx_cursor *c, const struct rdmap_read_req *req, uint32_t len, enum mem_result *why)
{
    const struct ddp_segment seg = {.is_tagged = true,
        .is_last = len == req->size - c->irrq_off,
        .opcode = RDMAP_READ_RSP,
        .stag = req->sink_stag,
        .to = req->sink_to + c->irrq_off};
    const struct iw_sge source = {.addr = req->src_to, .len = req->size, .stag = req->src_stag};
    const struct iw_payload payload = {
        .list = {.sge = &source, .sge_count = 1, .rights = MEM_REMOTE_READ, .who = s->config.who},
        .is_snapshot = true};

    return iw_fpdu_lay(s, b, c, &seg, &payload, c->irrq_off, len, why);
}

/* The source was revoked meanwhile. The header goes back advanced by what was sent. [RDM-028] */
static void refuse_response(struct iw_stream *s, const struct iw_tx_cursor *c,
    const struct rdmap_read_req *req, enum mem_result why)
{
    const struct ddp_segment seg = {.is_last = true,
        .opcode = RDMAP_READ_REQ,
        .qn = DDP_QN_READ,
        .msn = iw_irrq_msn(s, c->irrq_pos),
        .header_len = DDP_UNTAGGED_LEN,
        .payload_len = RDMAP_READ_REQ_LEN};
    struct rdmap_read_req rest = *req;

    rest.sink_to += c->irrq_off;
    rest.src_to += c->irrq_off;
    rest.size -= c->irrq_off;
    iw_stream_fail(s, mem_result_to_rdmap(why), &seg, DDP_UNTAGGED_LEN + RDMAP_READ_REQ_LEN, &rest);
}

enum iw_step iw_lay_response(struct iw_stream *s, struct iw_batch *b, struct iw_tx_cursor *c)
{
    const struct iw_inbound_read *r = iw_irrq_slot(s, c->irrq_pos);
    uint32_t len = r->req.size - c->irrq_off;
    enum mem_result why = MEM_OK;
    enum iw_laid laid;

    if (len > s->tagged_max)
        len = s->tagged_max;
    laid = r->is_atomic ? lay_atomic_response(s, b, c, r)
                        : lay_read_response(s, b, c, &r->req, len, &why);
    if (laid == IW_LAID_REFUSED && b->fpdus == 0) {
        refuse_response(s, c, &r->req, why);
        return IW_STEP_ON;
    }
    if (laid != IW_LAID)
        return IW_STEP_STOP;
    if (r->is_atomic)
        c->atomic_msn++;
    c->irrq_off += len;
    if (r->is_atomic || c->irrq_off == r->req.size) {
        c->irrq_pos++;
        c->irrq_off = 0;
        c->prefer_wr = true;
    }
    end_fpdu(b, c);
    return IW_STEP_ON;
}

/* ---- own requests ---- */

static enum iw_step refuse_request(
    struct iw_stream *s, const struct iw_batch *b, struct iw_wr *wr, enum sn_status status)
{
    if (b->fpdus > 0)
        return IW_STEP_STOP;
    wr->is_done = true;
    wr->status = (uint8_t)status;
    iw_stream_fail(s, WIRE_LOCAL_CATASTROPHIC, NULL, 0, NULL);
    return IW_STEP_ON;
}

/* May the response be written where the request says? Asked before the peer is. */
static bool sink_is_writable(const struct iw_stream *s, struct iw_wr *wr)
{
    const struct iw_sge *sge = iw_wr_sge(wr);
    const uint32_t rights = MEM_LOCAL_WRITE | s->config.sink_rights;
    const struct mem_region *unused;

    for (uint32_t i = 0; i < wr->sge_count; i++) {
        if (sge[i].len > 0 && mem_check(s->config.mem, s->config.who, sge[i].stag, sge[i].addr,
                                  sge[i].len, rights, &unused) != MEM_OK)
            return false;
    }
    return true;
}

static enum iw_step lay_read(
    struct iw_stream *s, struct iw_batch *b, struct iw_tx_cursor *c, struct iw_wr *wr)
{
    if (s->config.mpa.ord == 0) /* it could never go [VRB-044] */
        return refuse_request(s, b, wr, SN_BAD_REQUEST);
    if (!sink_is_writable(s, wr))
        return refuse_request(s, b, wr, SN_NO_ACCESS);
    if (lay_read_request(s, b, c, wr->len, wr->remote_stag, wr->remote_to) != IW_LAID)
        return IW_STEP_STOP;
    (void)iw_orq_push(s, c, c->wr_pos, wr->len, false);
    c->wr_pos++;
    c->prefer_wr = false;
    end_fpdu(b, c);
    return IW_STEP_ON;
}

static uint8_t send_opcode(uint8_t flags)
{
    static const uint8_t opcodes[2][2] = {
        {RDMAP_SEND, RDMAP_SEND_INV},
        {RDMAP_SEND_SE, RDMAP_SEND_SE_INV},
    };

    return opcodes[(flags & IW_WR_SOLICITED) != 0][(flags & IW_WR_INVALIDATE) != 0];
}

static void fill_segment(
    const struct iw_tx_cursor *c, const struct iw_wr *wr, struct ddp_segment *seg)
{
    if (wr->op == IW_OP_WRITE) {
        seg->is_tagged = true;
        seg->opcode = RDMAP_WRITE;
        seg->stag = wr->remote_stag;
        seg->to = wr->remote_to + c->wr_off;
    } else {
        seg->opcode = send_opcode(wr->flags);
        seg->stag = (wr->flags & IW_WR_INVALIDATE) != 0 ? wr->remote_stag : 0;
        seg->qn = DDP_QN_SEND;
        seg->msn = c->send_msn;
        seg->mo = c->wr_off;
    }
}

static void pass_segment(struct iw_tx_cursor *c, const struct iw_wr *wr, uint32_t len, bool is_last)
{
    c->wr_off += len;
    if (!is_last)
        return;
    c->wr_off = 0;
    c->wr_pos++;
    c->prefer_wr = false;
    if (wr->op == IW_OP_SEND)
        c->send_msn++;
}

enum iw_step iw_lay_request(
    struct iw_stream *s, struct iw_batch *b, struct iw_tx_cursor *c, struct iw_wr *wr)
{
    struct ddp_segment seg = {0};
    struct iw_payload payload = {
        .octets = (wr->flags & IW_WR_INLINE) != 0 ? iw_wr_inline(wr) : NULL,
        .list = {.sge = iw_wr_sge(wr),
            .sge_count = wr->sge_count,
            .rights = MEM_LOCAL_READ,
            .who = s->config.who}};
    const struct iw_tx_cursor before = *c;
    uint32_t len = wr->len - c->wr_off, off, max;
    enum mem_result why = MEM_OK;
    enum iw_laid laid;

    if (wr->op == IW_OP_READ)
        return lay_read(s, b, c, wr);
    if (SN_UNLIKELY(wr->op != IW_OP_SEND && wr->op != IW_OP_WRITE))
        return refuse_request(s, b, wr, SN_BAD_REQUEST);
    max = wr->op == IW_OP_WRITE ? s->tagged_max : s->untagged_max;
    seg.is_last = len <= max;
    if (!seg.is_last)
        len = max;
    fill_segment(c, wr, &seg);
    off = c->wr_off;
    /* Before the octets are summed: end_fpdu reads the cursor as a whole, and what was just written
     * in parts is only there for that when all that came before is done, the sum too. */
    pass_segment(c, wr, len, seg.is_last);
    laid = iw_fpdu_lay(s, b, c, &seg, &payload, off, len, &why);
    if (SN_UNLIKELY(laid != IW_LAID)) {
        *c = before;
        return laid == IW_LAID_REFUSED ? refuse_request(s, b, wr, SN_NO_ACCESS) : IW_STEP_STOP;
    }
    end_fpdu(b, c);
    return IW_STEP_ON;
}
