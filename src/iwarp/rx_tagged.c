/* SPDX-License-Identifier: MIT */
/* Writes of the peer and the responses to our Reads. */
#include "base/assert.h"
#include "iwarp/rx.h"

/*
 * The response belongs to the oldest Read and must be exactly it: same name, next octet, no more
 * and no less. A peer that answers otherwise has not read what we asked for. [RDM-033]
 */
static enum wire_err judge_response(const struct iw_stream *s, const struct iw_outbound_read *r)
{
    const struct ddp_segment *seg = &s->rx.seg;
    uint32_t left = r->len - r->received;

    if (seg->payload_len > 0) {
        if (seg->stag != s->config.sink_stag)
            return WIRE_DDP_STAG_INVALID;
        if (seg->to != r->sink_to + r->received)
            return WIRE_DDP_BASE_BOUNDS;
        if (seg->payload_len > left)
            return WIRE_DDP_BASE_BOUNDS;
    }
    if (seg->is_last && seg->payload_len != left)
        return WIRE_DDP_BASE_BOUNDS;
    return WIRE_OK;
}

static void begin_response(struct iw_stream *s)
{
    struct iw_rx *rx = &s->rx;
    const struct iw_outbound_read *r = iw_orq_oldest(s);

    if (r == NULL) {
        rx->err = WIRE_DDP_CATASTROPHIC; /* nobody asked [RDM-034] */
        return;
    }
    rx->err = judge_response(s, r);
    if (rx->err != WIRE_OK)
        rx->own_status = SN_PROTOCOL;
    else if (rx->seg.payload_len > 0)
        rx->to = IW_TO_READ;
}

void iw_rx_begin_tagged(struct iw_stream *s)
{
    if (s->rx.seg.opcode == RDMAP_READ_RSP)
        begin_response(s);
    else if (s->rx.seg.payload_len > 0) /* else STag and TO are not looked at [DDP-015] */
        s->rx.to = IW_TO_WRITE;
}

void iw_rx_deliver_tagged(struct iw_stream *s)
{
    struct iw_outbound_read *r;

    if (s->rx.seg.opcode != RDMAP_READ_RSP)
        return; /* a Write is placed, and that is all [RDM-015] */
    r = iw_orq_oldest(s);
    SN_ASSERT(r != NULL);
    r->received += s->rx.seg.payload_len;
    if (s->rx.seg.is_last)
        iw_orq_done(s);
}
