/* SPDX-License-Identifier: MIT */
/*
 * Octets in. Two ways through the same checks:
 *
 * whole: an FPDU that lies complete in what arrived is checked where it is and its payload copied
 * once; thousands of small ones in a row take this way.
 *
 * in pieces: header, payload and trailer as they come, with a running CRC; the payload is read
 * straight into place (iw_rx_want) or copied. The verdict waits for the CRC, so both ways say the
 * same: a wrong CRC is that and nothing else.
 */
#include "iwarp/rx.h"

#include "base/assert.h"
#include "base/crc32c.h"

/* Between two FPDUs. */
static void next_fpdu(struct iw_rx *rx)
{
    rx->phase = IW_RX_HEAD;
    rx->head_have = 0;
    rx->trailer_have = 0;
    rx->left = 0;
    rx->crc = SN_CRC32C_INIT;
    rx->is_marker_bad = false;
}

/*
 * May the payload be read straight to where it belongs? A Write's target may be seen, and by right
 * be written, by others at any time: with CRC its octets are summed in scratch and copied, or the
 * sum would be of what somebody else made of them. Receives and sinks are ours until they complete.
 */
static bool goes_in_place(const struct iw_stream *s)
{
    return s->rx.to > IW_TO_WRITE || (s->rx.to == IW_TO_WRITE && !s->config.mpa.crc);
}

/* Large payloads that can go straight into place are about. */
static void note_size(struct iw_stream *s)
{
    struct iw_rx *rx = &s->rx;

    if (rx->ulpdu_len >= IW_RX_BIG_ULPDU && goes_in_place(s))
        rx->big = IW_RX_BIG_MEMORY;
    else if (rx->big > 0)
        rx->big--;
}

/* Parses the header at p (n octets of the ULPDU are there) and finds where the payload goes. False:
 * held. */
static bool begin(struct iw_stream *s, const uint8_t *p, size_t n)
{
    struct iw_rx *rx = &s->rx;

    rx->to = IW_TO_NOWHERE;
    rx->own_status = SN_OK;
    rx->is_rtr = false;
    rx->err = ddp_segment_parse(p, n, rx->ulpdu_len, s->config.rfc7306, &rx->seg);
    if (SN_UNLIKELY(rx->err != WIRE_OK))
        return true;
    if (rx->seg.is_tagged) {
        iw_rx_begin_tagged(s);
        return true;
    }
    return iw_rx_begin_untagged(s);
}

/* A responder may send from now on. */
static void note_first(struct iw_stream *s)
{
    if (SN_LIKELY(s->is_first_seen))
        return;
    s->is_first_seen = true;
    if (!s->config.is_initiator)
        s->config.ops->first_fpdu(s->config.ctx);
}

/*
 * [DEVIATION] The rule asks for a validated FPDU; this one's CRC may not be known yet. But a
 * consumer that posts its receives when the accept completes would wait for ever, and what the
 * rule protects, a peer whose receiver is not armed, is not in danger: the peer sends.
 */
static void hold(struct iw_stream *s)
{
    s->rx.is_held = true;
    note_first(s);
}

/* The CRC is right, the FPDU is not. */
static void raise_error(struct iw_stream *s)
{
    struct iw_rx *rx = &s->rx;
    bool is_response = rx->seg.is_tagged && rx->seg.opcode == RDMAP_READ_RSP;

    if (rx->own_status != SN_OK && is_response) {
        struct iw_outbound_read *r = iw_orq_oldest(s);

        if (r != NULL && !r->is_rtr) {
            struct iw_wr *wr = iw_sq_slot(s, r->wr_pos);

            wr->is_done = true;
            wr->status = (uint8_t)rx->own_status;
        }
        iw_stream_fail(s, rx->err, &rx->seg, rx->ulpdu_len, NULL);
        iw_complete_ready(s);
        return;
    }
    if (rx->own_status != SN_OK && rx->recv != NULL)
        iw_complete_recv(s, rx->own_status, 0, false);
    iw_stream_fail(s, rx->err, &rx->seg, rx->ulpdu_len, NULL);
}

/* All of the FPDU is here, its CRC is right. */
static void finish(struct iw_stream *s, const uint8_t *ctrl)
{
    struct iw_rx *rx = &s->rx;

    s->fpdus_in++;
    if (SN_UNLIKELY(rx->err != WIRE_OK)) {
        raise_error(s);
        return;
    }
    if (SN_UNLIKELY(!s->is_first_seen) && rx->seg.opcode != RDMAP_TERMINATE)
        note_first(s);
    if (rx->seg.is_tagged)
        iw_rx_deliver_tagged(s);
    else
        iw_rx_deliver_untagged(s, ctrl);
}

/* ---- whole ---- */

/* False: held, nothing of it is consumed. */
static bool take_whole(struct iw_stream *s, const uint8_t *p, uint32_t ulpdu_len, uint32_t fpdu_len)
{
    struct iw_rx *rx = &s->rx;
    const uint8_t *ulpdu = p + MPA_LEN_FIELD, *payload;
    uint32_t covered = fpdu_len - MPA_CRC_LEN;

    if (s->config.mpa.crc && SN_UNLIKELY(sn_crc32c_finish(sn_crc32c_add(SN_CRC32C_INIT, p,
                                             covered)) != sn_get_le32(p + covered))) {
        iw_stream_fail(s, WIRE_MPA_CRC, NULL, 0, NULL);
        return true;
    }
    rx->ulpdu_len = ulpdu_len;
    if (!begin(s, ulpdu, ulpdu_len)) {
        hold(s);
        return false;
    }
    note_size(s);
    payload = ulpdu + (ulpdu_len - rx->seg.payload_len);
    if (rx->to >= IW_TO_WRITE)
        iw_rx_place(s, 0, payload, rx->seg.payload_len);
    finish(s, payload);
    return true;
}

/* ---- in pieces ---- */

static uint32_t head_need(const struct iw_rx *rx)
{
    uint32_t header_len;

    if (rx->head_have < MPA_LEN_FIELD)
        return MPA_LEN_FIELD;
    if (rx->ulpdu_len == 0)
        return MPA_LEN_FIELD;
    if (rx->head_have == MPA_LEN_FIELD)
        return MPA_LEN_FIELD + 1;
    header_len = ddp_header_len(rx->head[MPA_LEN_FIELD]);
    return MPA_LEN_FIELD + (rx->ulpdu_len < header_len ? rx->ulpdu_len : header_len);
}

/* The header is complete. Or, after a hold, still is. */
static void enter_payload(struct iw_stream *s)
{
    struct iw_rx *rx = &s->rx;

    if (!begin(s, rx->head + MPA_LEN_FIELD, rx->head_have - MPA_LEN_FIELD)) {
        hold(s);
        return;
    }
    note_size(s);
    if (rx->to >= IW_TO_WRITE)
        iw_rx_check(s);
    if (rx->err != WIRE_OK)
        rx->to = IW_TO_NOWHERE;
    rx->left = rx->ulpdu_len - (rx->head_have - MPA_LEN_FIELD);
    rx->trailer_len = mpa_pad_len(rx->ulpdu_len) + MPA_CRC_LEN;
    rx->phase = rx->left > 0 ? IW_RX_PAYLOAD : IW_RX_TRAILER;
}

static size_t feed_head(struct iw_stream *s, const uint8_t *p, size_t n)
{
    struct iw_rx *rx = &s->rx;
    size_t used = 0;

    if (rx->head_have == 0)
        rx->fpdu_start = rx->pos;
    while (used < n && rx->head_have < head_need(rx)) {
        rx->head[rx->head_have++] = p[used++];
        if (rx->head_have == MPA_LEN_FIELD)
            rx->ulpdu_len = sn_get_be16(rx->head);
    }
    rx->crc = sn_crc32c_add(rx->crc, p, used);
    rx->pos += used;
    if (rx->head_have >= MPA_LEN_FIELD && rx->head_have == head_need(rx))
        enter_payload(s);
    return used;
}

/* k octets of payload are dealt with. */
static void pass_payload(struct iw_rx *rx, uint32_t k)
{
    rx->left -= k;
    if (rx->left == 0)
        rx->phase = IW_RX_TRAILER;
}

static size_t feed_payload(struct iw_stream *s, const uint8_t *p, size_t n)
{
    struct iw_rx *rx = &s->rx;
    uint32_t k = n < rx->left ? (uint32_t)n : rx->left;
    uint32_t off = rx->seg.payload_len - rx->left;

    if (rx->to == IW_TO_CTRL) {
        for (uint32_t i = 0; i < k && off + i < sizeof(rx->ctrl); i++)
            rx->ctrl[off + i] = p[i];
    } else if (rx->to != IW_TO_NOWHERE) {
        iw_rx_place(s, off, p, k);
        if (rx->err != WIRE_OK)
            rx->to = IW_TO_NOWHERE;
    }
    if (s->config.mpa.crc)
        rx->crc = sn_crc32c_add(rx->crc, p, k);
    rx->pos += k;
    pass_payload(rx, k);
    return k;
}

static void end_trailer(struct iw_stream *s)
{
    struct iw_rx *rx = &s->rx;
    uint32_t pad = rx->trailer_len - MPA_CRC_LEN;
    bool is_good =
        !s->config.mpa.crc || sn_crc32c_finish(rx->crc) == sn_get_le32(rx->trailer + pad);

    if (!is_good)
        iw_stream_fail(s, WIRE_MPA_CRC, NULL, 0, NULL);
    else if (rx->is_marker_bad)
        iw_stream_fail(s, WIRE_MPA_MARKER, NULL, 0, NULL);
    else
        finish(s, rx->ctrl);
    next_fpdu(rx);
}

static size_t feed_trailer(struct iw_stream *s, const uint8_t *p, size_t n)
{
    struct iw_rx *rx = &s->rx;
    uint32_t pad = rx->trailer_len - MPA_CRC_LEN;
    size_t used = 0;

    while (used < n && rx->trailer_have < rx->trailer_len) {
        if (rx->trailer_have < pad)
            rx->crc = sn_crc32c_add(rx->crc, p + used, 1);
        rx->trailer[rx->trailer_have++] = p[used++];
    }
    rx->pos += used;
    if (rx->trailer_have == rx->trailer_len)
        end_trailer(s);
    return used;
}

static size_t feed_piece(struct iw_stream *s, const uint8_t *p, size_t n)
{
    switch (s->rx.phase) {
    case IW_RX_HEAD:
        return feed_head(s, p, n);
    case IW_RX_PAYLOAD:
        return feed_payload(s, p, n);
    case IW_RX_TRAILER:
        return feed_trailer(s, p, n);
    default:
        SN_UNREACHABLE();
    }
}

static bool is_taking(const struct iw_stream *s)
{
    return !s->rx.is_held && iw_stream_is_working(s);
}

static size_t feed_unmarked(struct iw_stream *s, const uint8_t *p, size_t n)
{
    struct iw_rx *rx = &s->rx;
    size_t used = 0;

    while (used < n && is_taking(s)) {
        size_t left = n - used;

        if (rx->phase == IW_RX_HEAD && rx->head_have == 0 && left >= MPA_LEN_FIELD) {
            uint32_t ulpdu_len = sn_get_be16(p + used);
            uint32_t fpdu_len = mpa_fpdu_len(ulpdu_len);

            if (left >= fpdu_len) {
                if (!take_whole(s, p + used, ulpdu_len, fpdu_len))
                    break;
                used += fpdu_len;
                continue;
            }
        }
        used += feed_piece(s, p + used, left);
    }
    return used;
}

/* ---- markers ---- */

static size_t feed_marker(struct iw_rx *rx, const uint8_t *p, size_t n)
{
    bool is_between = rx->phase == IW_RX_HEAD && rx->head_have == 0;
    uint64_t distance = is_between ? 0 : rx->pos - rx->fpdu_start;
    size_t used = 0;

    while (used < n && rx->marker_have < MPA_MARKER_LEN)
        rx->marker[rx->marker_have++] = p[used++];
    if (rx->marker_have < MPA_MARKER_LEN)
        return used;
    rx->marker_have = 0;
    rx->pos += MPA_MARKER_LEN;
    /* Of the FPDU around it; between two, of the later. [RFC5044 4.3] */
    rx->crc = sn_crc32c_add(rx->crc, rx->marker, MPA_MARKER_LEN);
    if (mpa_marker_parse(rx->marker) != (distance & 0xFFFC))
        rx->is_marker_bad = true;
    return used;
}

static size_t feed_marked(struct iw_stream *s, const uint8_t *p, size_t n)
{
    struct iw_rx *rx = &s->rx;
    size_t used = 0;

    while (used < n && is_taking(s)) {
        uint32_t distance = mpa_marker_distance(rx->pos);
        size_t left = n - used;

        /* Position 0 mod 512 lasts until the four octets are there. */
        if (distance == 0) {
            used += feed_marker(rx, p + used, left);
            if (rx->marker_have > 0)
                continue;
            distance = MPA_MARKER_SPACING - MPA_MARKER_LEN;
            left = n - used;
        }
        left = left < distance ? left : distance;
        if (left > 0)
            used += feed_piece(s, p + used, left);
    }
    return used;
}

/* ---- what rnic calls ---- */

size_t iw_rx_feed(struct iw_stream *s, const uint8_t *p, size_t n)
{
    size_t used;

    s->is_heard = s->is_heard || n > 0;
    used = s->config.mpa.markers_rx ? feed_marked(s, p, n) : feed_unmarked(s, p, n);
    if (s->rx.is_held && iw_stream_is_working(s))
        return used;
    return n; /* taken, or dropped after an error */
}

/* Octets to read into scratch, of which `left` are payload of this FPDU. */
static size_t want_scratch(const struct iw_rx *rx, uint32_t left, size_t scratch_max)
{
    size_t want;

    if (rx->big == 0)
        return scratch_max;
    /* Large payloads are about: read no more of the next one than its header. */
    if (rx->phase == IW_RX_HEAD)
        want = IW_HEAD_MAX - rx->head_have;
    else
        want = left + rx->trailer_len - rx->trailer_have + IW_HEAD_MAX;
    return want < scratch_max ? want : scratch_max;
}

size_t iw_rx_want(
    struct iw_stream *s, struct sn_span *v, size_t max, size_t scratch_max, size_t *scratch_want)
{
    struct iw_rx *rx = &s->rx;
    uint32_t covered = 0;

    rx->spans = 0;
    *scratch_want = 0;
    if (s->state == IW_DEAD || rx->is_ended || rx->is_held)
        return 0;
    *scratch_want = scratch_max;
    if (!iw_stream_is_working(s) || s->config.mpa.markers_rx)
        return 0;
    if (rx->phase == IW_RX_PAYLOAD && goes_in_place(s) && max > 0) {
        rx->spans = iw_rx_locate(s, rx->seg.payload_len - rx->left, rx->span,
            max < IW_RX_SPANS ? max : IW_RX_SPANS, &covered);
        if (rx->spans == 0)
            rx->to = IW_TO_NOWHERE; /* revoked meanwhile; said when the FPDU is complete */
    }
    if (covered > 0 && covered < rx->left)
        *scratch_want = 0; /* more spans come first */
    else
        *scratch_want = want_scratch(rx, rx->left - covered, scratch_max);
    for (size_t i = 0; i < rx->spans; i++)
        v[i] = rx->span[i];
    return rx->spans;
}

void iw_rx_placed(struct iw_stream *s, size_t n)
{
    struct iw_rx *rx = &s->rx;
    uint32_t placed = (uint32_t)n;

    SN_ASSERT(n <= rx->left);
    for (size_t i = 0; i < rx->spans && n > 0; i++) {
        size_t piece = rx->span[i].n < n ? rx->span[i].n : n;

        if (s->config.mpa.crc)
            rx->crc = sn_crc32c_add(rx->crc, rx->span[i].p, piece);
        n -= piece;
    }
    SN_ASSERT(n == 0);
    rx->spans = 0;
    rx->pos += placed;
    pass_payload(rx, placed);
}

bool iw_rx_is_held(const struct iw_stream *s)
{
    return s->rx.is_held;
}

bool iw_rx_resume(struct iw_stream *s)
{
    struct iw_rx *rx = &s->rx;

    if (!rx->is_held)
        return true;
    rx->recv = s->config.ops->recv_take(s->config.ctx);
    if (rx->recv == NULL)
        return false;
    rx->is_held = false;
    /* Pieces: the header is here, go on behind it. Whole: its octets will be fed again. */
    if (rx->head_have > 0)
        enter_payload(s);
    return true;
}

void iw_rx_give_up(struct iw_stream *s)
{
    if (s->rx.is_held)
        iw_stream_fail(s, WIRE_DDP_NO_BUFFER, &s->rx.seg, s->rx.ulpdu_len, NULL);
}
