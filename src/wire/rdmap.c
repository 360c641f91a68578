/* SPDX-License-Identifier: MIT */
#include "wire/rdmap.h"

#include "base/attr.h"
#include "base/bytes.h"

/* clang-format off */
const struct rdmap_op_info rdmap_op_table[] = {
    [RDMAP_WRITE]       = {.name = "RDMA Write", .is_tagged = true},
    [RDMAP_READ_REQ]    = {.name = "RDMA Read Request", .qn = DDP_QN_READ, .is_one_segment = true,
                           .header_len = RDMAP_READ_REQ_LEN},
    [RDMAP_READ_RSP]    = {.name = "RDMA Read Response", .is_tagged = true},
    [RDMAP_SEND]        = {.name = "Send", .qn = DDP_QN_SEND, .is_send = true},
    [RDMAP_SEND_INV]    = {.name = "Send with Invalidate", .qn = DDP_QN_SEND, .is_send = true,
                           .invalidates = true},
    [RDMAP_SEND_SE]     = {.name = "Send with Solicited Event", .qn = DDP_QN_SEND, .is_send = true,
                           .solicited = true},
    [RDMAP_SEND_SE_INV] = {.name = "Send with Solicited Event and Invalidate", .qn = DDP_QN_SEND,
                           .is_send = true, .solicited = true, .invalidates = true},
    [RDMAP_TERMINATE]   = {.name = "Terminate", .qn = DDP_QN_TERM, .is_one_segment = true},
    [RDMAP_IMM]         = {.name = "Immediate Data", .qn = DDP_QN_SEND, .is_send = true,
                           .needs_rfc7306 = true, .is_one_segment = true,
                           .header_len = RDMAP_IMM_LEN},
    [RDMAP_IMM_SE]      = {.name = "Immediate Data with Solicited Event", .qn = DDP_QN_SEND,
                           .is_send = true, .solicited = true, .needs_rfc7306 = true,
                           .is_one_segment = true, .header_len = RDMAP_IMM_LEN},
    [RDMAP_ATOMIC_REQ]  = {.name = "Atomic Request", .qn = DDP_QN_READ, .needs_rfc7306 = true,
                           .is_one_segment = true, .header_len = RDMAP_ATOMIC_REQ_LEN},
    [RDMAP_ATOMIC_RSP]  = {.name = "Atomic Response", .qn = DDP_QN_ATOMIC_RSP,
                           .needs_rfc7306 = true, .is_one_segment = true,
                           .header_len = RDMAP_ATOMIC_RSP_LEN},
    [0xF]               = {.name = NULL}, /* for experiments of others; 0xC..0xE are unassigned */
};
/* clang-format on */
_Static_assert(SN_ARRAY_COUNT(rdmap_op_table) == RDMAP_OPCODE_COUNT, "a row for each opcode value");

/* | sink STag (4) | sink TO (8) | size (4) | source STag (4) | source TO (8) | */
enum { AT_SINK_STAG = 0, AT_SINK_TO = 4, AT_SIZE = 12, AT_SRC_STAG = 16, AT_SRC_TO = 20 };
_Static_assert(AT_SRC_TO + 8 == RDMAP_READ_REQ_LEN, "Read Request header");

void rdmap_read_req_parse(const uint8_t p[RDMAP_READ_REQ_LEN], struct rdmap_read_req *out)
{
    out->sink_stag = sn_get_be32(p + AT_SINK_STAG);
    out->sink_to = sn_get_be64(p + AT_SINK_TO);
    out->size = sn_get_be32(p + AT_SIZE);
    out->src_stag = sn_get_be32(p + AT_SRC_STAG);
    out->src_to = sn_get_be64(p + AT_SRC_TO);
}

void rdmap_read_req_build(const struct rdmap_read_req *r, uint8_t out[RDMAP_READ_REQ_LEN])
{
    sn_put_be32(out + AT_SINK_STAG, r->sink_stag);
    sn_put_be64(out + AT_SINK_TO, r->sink_to);
    sn_put_be32(out + AT_SIZE, r->size);
    sn_put_be32(out + AT_SRC_STAG, r->src_stag);
    sn_put_be64(out + AT_SRC_TO, r->src_to);
}
