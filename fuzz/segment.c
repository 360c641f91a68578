/* SPDX-License-Identifier: MIT */
/*
 * DDP segments with their RDMAP headers. Input: a ULPDU. Holds: a header that is accepted builds to
 * the same octets (reserved bits aside); a refused one gives a Terminate that says why and returns
 * the header; the payload plays no part in it.
 * [SEC-015]
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "wire/fpdu.h"
#include "wire/rdmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { DDP_RESERVED = 0x3C, RDMAP_RESERVED = 0x30 };

static void check_accepted(const uint8_t *data, const struct ddp_segment *s)
{
    const struct rdmap_op_info *op = rdmap_op_info(s->opcode);
    uint8_t want[DDP_UNTAGGED_LEN], built[DDP_UNTAGGED_LEN];

    SN_ASSERT(op->name != NULL);
    SN_ASSERT(op->is_tagged == s->is_tagged);
    SN_ASSERT(op->header_len == 0 || op->header_len == s->payload_len);
    memcpy(want, data, s->header_len);
    want[0] &= (uint8_t)~DDP_RESERVED;
    want[1] &= (uint8_t)~RDMAP_RESERVED;
    SN_ASSERT(ddp_segment_build(s, built) == s->header_len);
    SN_ASSERT(memcmp(built, want, s->header_len) == 0);
}

/* The error as our Terminate tells it, and as the peer would read it. */
static void check_refused(enum wire_err e, const struct ddp_segment *s, uint32_t ulpdu_len)
{
    const struct wire_err_info *info = wire_err_info(e);
    uint8_t built[RDMAP_TERM_LEN_MAX];
    struct rdmap_term sent, got;
    enum wire_err read = WIRE_OK;
    size_t len;

    rdmap_term_init(&sent, e, s, ulpdu_len, NULL);
    len = rdmap_term_build(&sent, built);
    SN_ASSERT(len == (size_t)RDMAP_TERM_LEN_MIN + 2 + s->header_len);
    SN_ASSERT(rdmap_term_parse(built, len, &got));
    SN_ASSERT(got.layer == info->layer && got.type == info->type && got.code == info->code);
    SN_ASSERT(wire_err_from_code(got.layer, got.type, got.code, &read));
    SN_ASSERT(read == e);
    SN_ASSERT(got.has_ddp);
    SN_ASSERT(got.ddp_segment_len == ulpdu_len);
    SN_ASSERT(memcmp(got.ddp.ctrl, s->ctrl, sizeof(s->ctrl)) == 0);
}

static void check_rdmap_header(const uint8_t *p, const struct ddp_segment *s)
{
    uint8_t want[RDMAP_ATOMIC_REQ_LEN], built[RDMAP_ATOMIC_REQ_LEN];
    struct rdmap_read_req read;
    struct rdmap_atomic_req req;
    struct rdmap_atomic_rsp rsp;
    uint64_t value = 0;

    memcpy(want, p, s->payload_len < sizeof(want) ? s->payload_len : sizeof(want));
    switch (s->opcode) {
    case RDMAP_READ_REQ:
        rdmap_read_req_parse(p, &read);
        rdmap_read_req_build(&read, built);
        break;
    case RDMAP_ATOMIC_REQ:
        want[0] = want[1] = want[2] = 0; /* reserved */
        want[3] &= 0x0F;
        rdmap_atomic_req_parse(p, &req);
        rdmap_atomic_req_build(&req, built);
        SN_ASSERT(rdmap_atomic_apply(&req, 0, &value) ==
                  (req.op == RDMAP_FETCH_ADD || req.op == RDMAP_CMP_SWAP));
        break;
    case RDMAP_ATOMIC_RSP:
        rdmap_atomic_rsp_parse(p, &rsp);
        rdmap_atomic_rsp_build(&rsp, built);
        break;
    default:
        return;
    }
    SN_ASSERT(memcmp(built, want, s->payload_len) == 0);
}

static enum wire_err check(const uint8_t *data, uint32_t n, bool rfc7306)
{
    struct ddp_segment s, from_header;
    enum wire_err e = ddp_segment_parse(data, n, n, rfc7306, &s);
    uint8_t *header;

    if (e != WIRE_OK)
        check_refused(e, &s, n);
    if (n == 0 || n < ddp_header_len(data[0])) {
        SN_ASSERT(e == WIRE_DDP_CATASTROPHIC);
        return e;
    }
    SN_ASSERT(s.header_len == ddp_header_len(data[0]));
    SN_ASSERT(s.header_len + s.payload_len == n);
    header = malloc(s.header_len); /* the octets behind it are not looked at */
    SN_ASSERT(header != NULL);
    memcpy(header, data, s.header_len);
    SN_ASSERT(ddp_segment_parse(header, s.header_len, n, rfc7306, &from_header) == e);
    SN_ASSERT(from_header.msn == s.msn && from_header.mo == s.mo && from_header.to == s.to);
    free(header);
    if (e == WIRE_OK) {
        check_accepted(data, &s);
        check_rdmap_header(data + s.header_len, &s);
    }
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    enum wire_err without, with;

    if (n > MPA_ULPDU_LEN_MAX)
        return 0;
    without = check(data, (uint32_t)n, false);
    with = check(data, (uint32_t)n, true);
    SN_ASSERT(without == with || without == WIRE_RDMAP_OPCODE);
    return 0;
}
