/* SPDX-License-Identifier: MIT */
/*
 * A peer that speaks the framing well and means no good, and a consumer that posts what it likes.
 * The input is a program: options, then steps. A step that is an FPDU takes its fields from the
 * input, small distances from what would be right, and gets the right length, pad, CRC and markers,
 * so that the layers above MPA are reached.
 */
#include "stream_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct input {
    const uint8_t *p;
    size_t n;
};

enum { FPDU_MAX = 2048, STEPS_MAX = 200 };

/* State of the peer. */
struct peer {
    struct world *w;
    uint32_t msn[4]; /* next by QN */
    uint32_t mo;     /* of the Send in progress */
    uint64_t marker_pos;
    uint32_t reads_answered;
    uint32_t answered; /* octets of the Read being answered */
};

static uint8_t take8(struct input *in)
{
    if (in->n == 0)
        return 0;
    in->n--;
    return *in->p++;
}

static uint32_t take16(struct input *in)
{
    uint32_t high = take8(in);

    return high << 8 | take8(in);
}

/* 0 most often, else a small distance either way, else anything. */
static uint32_t distance(struct input *in)
{
    uint8_t x = take8(in);

    if (x < 192)
        return 0;
    if (x < 255)
        return (uint32_t)x - 224;
    return take16(in) * 0x10001u;
}

static uint32_t take_stag(struct input *in, const struct world *w)
{
    uint8_t x = take8(in);

    if (x % 16 < W_REGIONS)
        return mem_region_stag(w->region[x % 16]) ^ (x >= 240 ? 1u : 0u);
    return x % 16 == 15 ? 0 : w->stream.config.sink_stag;
}

static uint64_t take_to(struct input *in, uint32_t stag, const struct world *w)
{
    uint64_t base = stag == mem_region_stag(w->region[W_HIGH]) ? W_HIGH_BASE : W_BASE;

    base += (uint64_t)(int64_t)(int16_t)take16(in) % 700;
    return base + (uint64_t)(int64_t)(int32_t)distance(in);
}

static uint8_t *put32(uint8_t *p, uint32_t x)
{
    sn_put_be32(p, x);
    return p + 4;
}

static uint8_t *put64(uint8_t *p, uint64_t x)
{
    sn_put_be64(p, x);
    return p + 8;
}

/* Completes the FPDU whose ULPDU ends at `end` and lets the stream have it. */
static void deliver(struct peer *peer, uint8_t *fpdu, const uint8_t *end, bool crc_is_wrong)
{
    static uint8_t marked[2 * FPDU_MAX];
    uint32_t ulpdu_len = (uint32_t)(end - fpdu) - MPA_LEN_FIELD;
    size_t n = mpa_fpdu_len(ulpdu_len);
    bool crc = (peer->w->options & W_NO_CRC) == 0;

    sn_put_be16(fpdu, (uint16_t)ulpdu_len);
    memset(fpdu + MPA_LEN_FIELD + ulpdu_len, 0, mpa_pad_len(ulpdu_len) + MPA_CRC_LEN);
    if ((peer->w->options & W_MARKERS_RX) != 0) {
        n = mpa_fpdu_insert_markers(fpdu, n, peer->marker_pos, crc, marked);
        peer->marker_pos += n;
        fpdu = marked;
    } else if (crc) {
        sn_put_le32(fpdu + n - 4, sn_crc32c_finish(sn_crc32c_add(SN_CRC32C_INIT, fpdu, n - 4)));
    }
    if (crc_is_wrong)
        fpdu[n - 1] ^= 1;
    world_receive(peer->w, fpdu, n);
}

/* A Read Response: right for the oldest Read as often as not. */
static uint8_t *build_response(struct input *in, struct peer *peer, uint8_t *p, uint32_t *len)
{
    const struct iw_outbound_read *r = iw_orq_oldest(&peer->w->stream);
    uint32_t left = r != NULL ? r->len - r->received : 0;

    p[0] = 0xC1;
    *len = take8(in) % 4 == 0 ? left / 2 : left;
    if (*len < left)
        p[0] = 0x81;
    *len += distance(in);
    p = put32(p + 2, peer->w->stream.config.sink_stag + distance(in));
    return put64(p, (r != NULL ? r->sink_to + r->received : 0) + distance(in));
}

static void step_fpdu(struct input *in, struct peer *peer)
{
    static uint8_t fpdu[2 * FPDU_MAX];
    uint8_t opcode = take8(in) % 16, twist = take8(in);
    const struct rdmap_op_info *op = rdmap_op_info(opcode);
    uint32_t len = take16(in) % 700, stag = take_stag(in, peer->w);
    uint8_t *p = fpdu + MPA_LEN_FIELD, *at = p;
    bool is_tagged = op->is_tagged != (twist == 0xFF), is_last = (twist & 1) == 0;

    if (opcode == RDMAP_READ_RSP && is_tagged) {
        at = build_response(in, peer, p, &len);
    } else if (is_tagged) {
        p[0] = is_last ? 0xC1 : 0x81;
        at = put64(put32(p + 2, stag), take_to(in, stag, peer->w));
    } else {
        uint32_t qn = op->qn + distance(in);
        uint32_t *msn = &peer->msn[op->qn % 4];

        if (op->is_one_segment)
            is_last = true;
        p[0] = is_last ? 0x41 : 0x01;
        at = put32(put32(put32(p + 2, stag), qn), *msn + distance(in));
        at = put32(at, (qn == DDP_QN_SEND ? peer->mo : 0) + distance(in));
        if (is_last)
            (*msn)++;
        if (op->is_one_segment)
            len = op->header_len != 0 ? op->header_len + distance(in) : len % 60;
        if (qn == DDP_QN_SEND)
            peer->mo = is_last ? 0 : peer->mo + len % 700;
    }
    p[1] = (uint8_t)(0x40 | opcode);
    if (twist >= 0xF0) /* versions, reserved bits */
        p[twist & 1] ^= take8(in);
    len %= 700;
    for (uint32_t i = 0; i < len; i++)
        at[i] = (uint8_t)(i * 3);
    if (opcode == RDMAP_READ_REQ && len >= RDMAP_READ_REQ_LEN) {
        put64(put32(put32(put64(put32(at, 7), 8), take16(in) % 700), stag), 0);
        put64(at + 20, take_to(in, stag, peer->w));
    } else if (opcode == RDMAP_ATOMIC_REQ && len >= RDMAP_ATOMIC_REQ_LEN) {
        put64(put32(put32(put32(at, take8(in) % 4), 9), stag), take_to(in, stag, peer->w));
    } else if (opcode == RDMAP_TERMINATE) {
        for (uint32_t i = 0; i < len; i++)
            at[i] = take8(in);
    }
    deliver(peer, fpdu, at + len, twist == 0xFE);
}

static void step_request(struct input *in, struct world *w)
{
    uint8_t how = take8(in);
    struct iw_wr wr = {.op = (uint8_t)(how % 3),
        .flags = (uint8_t)(take8(in) &
                           (IW_WR_SILENT | IW_WR_READ_FENCE | IW_WR_SOLICITED | IW_WR_INVALIDATE)),
        .remote_stag = 5,
        .remote_to = 6};

    world_post(w, &wr, world_sge(w, take8(in), take16(in) % W_LEN, take16(in) % W_LEN));
}

static void step_recv(struct input *in, struct world *w)
{
    unsigned second = take8(in);
    struct iw_sge a = world_sge(w, W_LOCAL, take16(in) % 300, take8(in));
    struct iw_sge b = world_sge(w, second, 0, second < 128 ? 0 : second - 128);

    world_post_recv(w, a, b);
}

static void step_revoke(struct input *in, struct world *w)
{
    static const enum world_region which[] = {W_RW, W_READ_ONLY, W_LOCAL, W_HIGH};

    /* Refused while the window is bound: fine. */
    if (mem_deregister(&w->mem, w->region[which[take8(in) % 4]]) != SN_OK)
        return;
}

static void step(struct input *in, struct peer *peer)
{
    struct world *w = peer->w;

    switch (take8(in) % 24) {
    case 0:
        step_request(in, w);
        break;
    case 1:
    case 2:
        step_recv(in, w);
        break;
    case 3:
        world_register_fast(w);
        break;
    case 4:
        world_bind(w);
        break;
    case 5:
        world_invalidate(w, take8(in) % 2 ? W_FAST : W_WINDOW);
        break;
    case 6:
        if (take8(in) == 7)
            step_revoke(in, w);
        break;
    case 7:
        if (take8(in) == 7)
            iw_close(&w->stream);
        break;
    case 8:
        if (take8(in) == 7)
            iw_fail(&w->stream, WIRE_RDMAP_STREAM_CATASTROPHIC);
        break;
    case 9:
        if (take8(in) == 7)
            iw_rx_end(&w->stream, true);
        break;
    case 10:
        if (take8(in) == 7)
            iw_flush(&w->stream, SN_REMOTE_ERROR);
        break;
    case 11:
        iw_set_emss(&w->stream, take16(in));
        break;
    case 12:
    case 13:
    case 14:
        world_transmit(w, 1 + take8(in) % 4u);
        break;
    default:
        step_fpdu(in, peer);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct input in = {.p = data, .n = n};
    struct peer peer = {.msn = {1, 1, 1, 1}};

    if (n < 2)
        return 0;
    peer.w = world_begin(take8(&in));
    for (int i = 0; i < STEPS_MAX && in.n > 0; i++)
        step(&in, &peer);
    world_end(peer.w);
    return 0;
}
