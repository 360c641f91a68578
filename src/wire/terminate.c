/* SPDX-License-Identifier: MIT */
/* The Terminate message behind its DDP header. [RFC5040 4.8] */
#include <string.h>

#include "base/bytes.h"
#include "wire/rdmap.h"

/* | layer, type | code | M D R ... | reserved | segment length (2) | DDP header | Read Request | */
enum {
    AT_LAYER_TYPE = 0,
    AT_CODE = 1,
    AT_FLAGS = 2,
    AT_RESERVED = 3,
    AT_SEGMENT_LEN = 4,
    AT_DDP = 6,

    FLAG_M = 0x80,
    FLAG_D = 0x40,
    FLAG_R = 0x20,

    /* where siw has the flags on a little-endian host */
    SIW_M = 0x01,
    SIW_D = 0x02,
    SIW_R = 0x04,
};
_Static_assert(
    (int)AT_SEGMENT_LEN == (int)RDMAP_TERM_LEN_MIN, "the control is what is always there");
_Static_assert(AT_DDP + DDP_UNTAGGED_LEN + RDMAP_READ_REQ_LEN == RDMAP_TERM_LEN_MAX, "all of it");

void rdmap_term_init(struct rdmap_term *t, enum wire_err e, const struct ddp_segment *segment,
    uint32_t ulpdu_len, const struct rdmap_read_req *read)
{
    const struct wire_err_info *info = wire_err_info(e);

    *t = (struct rdmap_term){.layer = info->layer, .type = info->type, .code = info->code};
    if (info->headers == WIRE_HDR_NONE || segment == NULL)
        return;
    t->has_ddp = true;
    t->ddp = *segment;
    t->ddp_segment_len = (uint16_t)ulpdu_len;
    if (info->headers == WIRE_HDR_READ && segment->opcode == RDMAP_READ_REQ &&
        !segment->is_tagged && read != NULL) {
        t->has_read = true;
        t->read = *read;
    }
}

size_t rdmap_term_build(const struct rdmap_term *t, uint8_t *out)
{
    size_t at = AT_DDP;

    out[AT_LAYER_TYPE] = (uint8_t)(((t->layer & 0xF) << 4) | (t->type & 0xF));
    out[AT_CODE] = t->code;
    out[AT_FLAGS] = 0;
    out[AT_RESERVED] = 0;
    if (!t->has_ddp)
        return RDMAP_TERM_LEN_MIN;
    out[AT_FLAGS] = FLAG_M | FLAG_D;
    sn_put_be16(out + AT_SEGMENT_LEN, t->ddp_segment_len);
    at += ddp_segment_build(&t->ddp, out + at);
    if (t->ddp.is_received) /* returned as it came: its versions may be what is wrong */
        memcpy(out + AT_DDP, t->ddp.ctrl, sizeof(t->ddp.ctrl));
    if (t->has_read) {
        out[AT_FLAGS] |= FLAG_R;
        rdmap_read_req_build(&t->read, out + at);
        at += RDMAP_READ_REQ_LEN;
    }
    return at;
}

static bool is_listed(unsigned layer, unsigned type, uint8_t code)
{
    enum wire_err unused;

    return wire_err_from_code((uint8_t)layer, (uint8_t)type, code, &unused);
}

/*
 * siw fills the control through bit-fields that a little-endian compiler lays out from the other
 * end. Its form shows by flags where reserved zeros belong; without flags (errors of MPA), by a
 * code that only means something the other way round.
 */
static bool is_siw_form(const uint8_t *p)
{
    unsigned high = p[AT_LAYER_TYPE] >> 4, low = p[AT_LAYER_TYPE] & 0xF;

    if ((p[AT_FLAGS] & ~(SIW_M | SIW_D | SIW_R)) != 0 || p[AT_RESERVED] != 0)
        return false;
    if (!is_listed(low, high, p[AT_CODE]))
        return false;
    return p[AT_FLAGS] != 0 || !is_listed(high, low, p[AT_CODE]);
}

static void parse_headers(const uint8_t *p, size_t n, unsigned flags, struct rdmap_term *t)
{
    size_t at = AT_DDP;

    if ((flags & (FLAG_M | FLAG_D)) == 0 || n < AT_DDP)
        return;
    t->ddp_segment_len = sn_get_be16(p + AT_SEGMENT_LEN);
    if ((flags & FLAG_D) == 0 || n == at || n - at < ddp_header_len(p[at]))
        return;
    t->has_ddp = true;
    ddp_header_read(p + at, &t->ddp);
    at += t->ddp.header_len;
    if ((flags & FLAG_R) != 0 && !t->ddp.is_tagged && n - at >= RDMAP_READ_REQ_LEN) {
        t->has_read = true;
        rdmap_read_req_parse(p + at, &t->read);
    }
}

bool rdmap_term_parse(const uint8_t *p, size_t n, struct rdmap_term *out)
{
    struct rdmap_term t = {0};
    unsigned high, low, flags;

    if (n < RDMAP_TERM_LEN_MIN)
        return false;
    high = p[AT_LAYER_TYPE] >> 4;
    low = p[AT_LAYER_TYPE] & 0xF;
    flags = p[AT_FLAGS];
    if (is_siw_form(p)) {
        unsigned swapped = high;

        high = low;
        low = swapped;
        flags = ((flags & SIW_M) != 0 ? FLAG_M : 0u) | ((flags & SIW_D) != 0 ? FLAG_D : 0u) |
                ((flags & SIW_R) != 0 ? FLAG_R : 0u);
    }
    t.layer = (uint8_t)high;
    t.type = (uint8_t)low;
    t.code = p[AT_CODE];
    parse_headers(p, n, flags, &t);
    *out = t;
    return true;
}
