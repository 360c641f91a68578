/* SPDX-License-Identifier: MIT */
/* DDP segment headers [RFC5041 4] with the RDMAP control octet in them [RFC5040 4.1]. */
#include <string.h>

#include "base/assert.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "wire/rdmap.h"

/*
 * tagged:    | DDP | RDMAP | STag (4)            | TO (8)                     |
 * untagged:  | DDP | RDMAP | Invalidate STag (4) | QN (4) | MSN (4) | MO (4)  |
 */
enum {
    DDP_T = 0x80,
    DDP_L = 0x40,
    DDP_DV_MASK = 0x03,
    DDP_DV = 0x01,
    RDMAP_RV_MASK = 0xC0,
    RDMAP_RV = 0x40,
    RDMAP_OPCODE_MASK = 0x0F,

    AT_RDMAP = 1,
    AT_STAG = 2,
    AT_TO = 6,
    AT_QN = 6,
    AT_MSN = 10,
    AT_MO = 14,
};

void ddp_header_read(const uint8_t *p, struct ddp_segment *out)
{
    out->is_tagged = (p[0] & DDP_T) != 0;
    out->is_last = (p[0] & DDP_L) != 0;
    out->opcode = p[AT_RDMAP] & RDMAP_OPCODE_MASK;
    out->stag = sn_get_be32(p + AT_STAG);
    if (out->is_tagged) {
        out->to = sn_get_be64(p + AT_TO);
        out->qn = out->msn = out->mo = 0;
    } else {
        out->to = 0;
        out->qn = sn_get_be32(p + AT_QN);
        out->msn = sn_get_be32(p + AT_MSN);
        out->mo = sn_get_be32(p + AT_MO);
    }
    out->header_len = ddp_header_len(p[0]);
    out->payload_len = 0;
    out->is_received = true;
    out->ctrl[0] = p[0];
    out->ctrl[1] = p[AT_RDMAP];
}

/* What there is of a header that the ULPDU is too short for, zero where it ends. */
static enum wire_err parse_short(const uint8_t *p, size_t n, struct ddp_segment *out)
{
    uint8_t header[DDP_UNTAGGED_LEN] = {0};

    if (n > 0)
        memcpy(header, p, n < sizeof(header) ? n : sizeof(header));
    ddp_header_read(header, out);
    return WIRE_DDP_CATASTROPHIC;
}

static enum wire_err check_one_segment(const struct rdmap_op_info *op, const struct ddp_segment *s)
{
    if (!s->is_last)
        return WIRE_RDMAP_STREAM_CATASTROPHIC;
    if (op->header_len == 0)
        return WIRE_OK;
    if (s->payload_len > op->header_len)
        return WIRE_DDP_TOO_LONG;
    if (s->payload_len < op->header_len)
        return WIRE_RDMAP_UNSPECIFIED;
    return WIRE_OK;
}

enum wire_err ddp_segment_parse(
    const uint8_t *p, size_t n, uint32_t ulpdu_len, bool rfc7306, struct ddp_segment *out)
{
    const struct rdmap_op_info *op;

    n = n < ulpdu_len ? n : ulpdu_len;
    if (SN_UNLIKELY(ulpdu_len == 0 || (n > 0 && ulpdu_len < ddp_header_len(p[0]))))
        return parse_short(p, n, out);
    SN_ASSERT(n > 0 && n >= ddp_header_len(p[0])); /* the caller waits for the header */

    ddp_header_read(p, out);
    out->payload_len = ulpdu_len - out->header_len;
    if (SN_UNLIKELY((p[0] & DDP_DV_MASK) != DDP_DV))
        return out->is_tagged ? WIRE_DDP_TAGGED_VERSION : WIRE_DDP_UNTAGGED_VERSION;
    if (SN_UNLIKELY((p[AT_RDMAP] & RDMAP_RV_MASK) != RDMAP_RV))
        return WIRE_RDMAP_VERSION;
    op = rdmap_op_info(out->opcode);
    if (SN_UNLIKELY(op->name == NULL || (op->needs_rfc7306 && !rfc7306)))
        return WIRE_RDMAP_OPCODE;
    if (SN_UNLIKELY(op->is_tagged != out->is_tagged))
        return WIRE_RDMAP_OPCODE;
    if (SN_UNLIKELY(!out->is_tagged && out->qn != op->qn))
        return WIRE_DDP_QN;
    return op->is_one_segment ? check_one_segment(op, out) : WIRE_OK;
}

size_t ddp_segment_build(const struct ddp_segment *s, uint8_t *out)
{
    out[0] = (uint8_t)((s->is_tagged ? DDP_T : 0) | (s->is_last ? DDP_L : 0) | DDP_DV);
    out[AT_RDMAP] = (uint8_t)(RDMAP_RV | (s->opcode & RDMAP_OPCODE_MASK));
    sn_put_be32(out + AT_STAG, s->stag);
    if (s->is_tagged) {
        sn_put_be64(out + AT_TO, s->to);
        return DDP_TAGGED_LEN;
    }
    sn_put_be32(out + AT_QN, s->qn);
    sn_put_be32(out + AT_MSN, s->msn);
    sn_put_be32(out + AT_MO, s->mo);
    return DDP_UNTAGGED_LEN;
}
