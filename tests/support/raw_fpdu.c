/* SPDX-License-Identifier: MIT */
/* Octets of the raw peer: start-up frames, FPDUs and CRC32c, without a socket. */
#include "support/raw_peer.h"

#include <string.h>

/* ---- numbers ---- */

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

static void put64(uint8_t *p, uint64_t v)
{
    put32(p, (uint32_t)(v >> 32));
    put32(p + 4, (uint32_t)v);
}

uint32_t raw_crc32c(const void *octets, size_t n)
{
    static uint32_t table[256];
    const uint8_t *p = octets;
    uint32_t crc = 0xffffffff;

    if (table[1] == 0) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t v = i;

            for (int bit = 0; bit < 8; bit++)
                v = (v >> 1) ^ ((v & 1) != 0 ? 0x82f63b78 : 0);
            table[i] = v;
        }
    }
    for (size_t i = 0; i < n; i++)
        crc = (crc >> 8) ^ table[(crc ^ p[i]) & 0xff];
    return ~crc;
}

/* ---- start-up frames ---- */

struct raw_frame raw_request(uint8_t flags, uint8_t revision)
{
    return (struct raw_frame){
        .flags = flags,
        .revision = revision,
        .ird = 16,
        .ord = 16,
        .pd_length = -1,
        .key_octet = -1,
    };
}

struct raw_frame raw_reply(uint8_t flags, uint8_t revision)
{
    struct raw_frame f = raw_request(flags, revision);

    f.is_reply = true;
    return f;
}

size_t raw_frame_octets(const struct raw_frame *f, uint8_t *out)
{
    size_t n = 20;

    memcpy(out, f->is_reply ? "MPA ID Rep Frame" : "MPA ID Req Frame", 16);
    if (f->key_octet >= 0)
        out[f->key_octet % 16] ^= 0x20;
    out[16] = f->flags;
    out[17] = f->revision;
    if ((f->flags & RAW_S) != 0) {
        put16(out + 20, f->ird);
        put16(out + 22, f->ord);
        n += 4;
    }
    if (f->private_len > 0)
        memcpy(out + n, f->private_data, f->private_len);
    n += f->private_len;
    put16(out + 18, f->pd_length >= 0 ? (uint32_t)f->pd_length : (uint32_t)(n - 20));
    return n;
}

/* ---- FPDUs ---- */

static struct raw_fpdu blank(uint8_t ddp, uint8_t rdmap, const void *payload, size_t len)
{
    return (struct raw_fpdu){
        .ddp = ddp,
        .rdmap = rdmap,
        .payload = payload,
        .len = len,
        .ulpdu_length = -1,
    };
}

struct raw_fpdu raw_send(uint32_t msn, const void *payload, size_t len)
{
    struct raw_fpdu f = blank(0x41, RAW_OP_SEND, payload, len);

    f.msn = msn;
    return f;
}

struct raw_fpdu raw_send_inv(uint32_t msn, uint32_t stag, const void *payload, size_t len)
{
    struct raw_fpdu f = blank(0x41, RAW_OP_SEND_INV, payload, len);

    f.msn = msn;
    f.inv_stag = stag;
    return f;
}

struct raw_fpdu raw_write(uint32_t stag, uint64_t to, const void *payload, size_t len)
{
    struct raw_fpdu f = blank(0xc1, RAW_OP_WRITE, payload, len);

    f.stag = stag;
    f.to = to;
    return f;
}

struct raw_fpdu raw_read_response(uint32_t stag, uint64_t to, const void *payload, size_t len)
{
    struct raw_fpdu f = raw_write(stag, to, payload, len);

    f.rdmap = RAW_OP_READ_RESPONSE;
    return f;
}

struct raw_fpdu raw_read_request(uint32_t msn, uint32_t sink_stag, uint64_t sink_to, uint32_t size,
    uint32_t src_stag, uint64_t src_to)
{
    struct raw_fpdu f = blank(0x41, RAW_OP_READ_REQUEST, NULL, 0);

    f.qn = 1;
    f.msn = msn;
    put32(f.head, sink_stag);
    put64(f.head + 4, sink_to);
    put32(f.head + 12, size);
    put32(f.head + 16, src_stag);
    put64(f.head + 20, src_to);
    f.head_len = 28;
    return f;
}

struct raw_fpdu raw_terminate(uint8_t layer, uint8_t type, uint8_t code)
{
    struct raw_fpdu f = blank(0x41, RAW_OP_TERMINATE, NULL, 0);

    f.qn = 2;
    f.msn = 1;
    f.head[0] = (uint8_t)(layer << 4 | type);
    f.head[1] = code;
    f.head_len = 4;
    return f;
}

struct raw_fpdu raw_rtr_write(void)
{
    return raw_write(0, 0, NULL, 0);
}

struct raw_fpdu raw_rtr_read(void)
{
    return raw_read_request(1, 0, 0, 0, 1, 0);
}

struct raw_fpdu raw_rtr_send(void)
{
    return raw_send(1, NULL, 0);
}

/* Where the octets of an FPDU go, and where in the stream they are. */
struct writer {
    uint8_t *out;
    size_t n;
    uint64_t pos;
    bool has_markers;
    uint64_t start; /* position of ULPDU_Length, once is_started */
    bool is_started;
    uint16_t marker_xor;
};

/* Every 512 octets of the stream a marker stands, markers counted; ours start 4-aligned. */
static void marker_here(struct writer *w)
{
    uint64_t back;

    if (!w->has_markers || w->pos % 512 != 0)
        return;
    back = w->is_started ? w->pos - w->start : 0;
    put32(w->out + w->n, (uint32_t)(back ^ w->marker_xor) & 0xffff);
    w->n += 4;
    w->pos += 4;
}

static void emit(struct writer *w, const void *octets, size_t n)
{
    const uint8_t *p = octets;

    for (size_t i = 0; i < n; i++) {
        marker_here(w);
        w->out[w->n++] = p[i];
        w->pos++;
    }
}

static size_t header_octets(const struct raw_fpdu *f, uint8_t *h)
{
    h[0] = f->ddp;
    h[1] = f->rdmap;
    if ((f->ddp & RAW_TAGGED) != 0) {
        put32(h + 2, f->stag);
        put64(h + 6, f->to);
        return 14;
    }
    put32(h + 2, f->inv_stag);
    put32(h + 6, f->qn);
    put32(h + 10, f->msn);
    put32(h + 14, f->mo);
    return 18;
}

static size_t lesser(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t raw_fpdu_octets(
    const struct raw_fpdu *f, bool crc, bool markers, uint64_t *pos, uint8_t *out)
{
    struct writer w = {
        .out = out, .pos = *pos, .has_markers = markers, .marker_xor = f->marker_xor};
    uint8_t h[18], field[4], pad[4];
    size_t header = header_octets(f, h);
    size_t whole = header + f->head_len + f->len;
    size_t left = whole - lesser(f->cut, whole);
    size_t pads = (4 - (2 + left) % 4) % 4;
    uint32_t value;

    put16(field, f->ulpdu_length >= 0 ? (uint32_t)f->ulpdu_length : (uint32_t)left);
    marker_here(&w); /* one right before ULPDU_Length belongs to this FPDU */
    w.start = w.pos;
    w.is_started = true;
    emit(&w, field, 2);
    emit(&w, h, lesser(header, left));
    left -= lesser(header, left);
    emit(&w, f->head, lesser(f->head_len, left));
    left -= lesser(f->head_len, left);
    emit(&w, f->payload, lesser(f->len, left));
    memset(pad, f->pad, sizeof(pad));
    emit(&w, pad, pads);
    marker_here(&w); /* so is one between pad and CRC */
    value = crc ? raw_crc32c(out, w.n) : 0;
    value = (f->crc_fixed ? f->crc_value : value) ^ f->crc_xor;
    for (int i = 0; i < 4; i++)
        field[i] = (uint8_t)(value >> (8 * i));
    emit(&w, field, 4);
    *pos = w.pos;
    return w.n;
}
