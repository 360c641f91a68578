/* SPDX-License-Identifier: MIT */
/*
 * DDP [RFC5041 4] and RDMAP [RFC5040 4], [RFC7306] headers: parse and build. A segment is what an
 * FPDU carries: DDP control, RDMAP control, tagged or untagged header, then an RDMAP header or
 * payload.
 */
#ifndef SN_WIRE_RDMAP_H
#define SN_WIRE_RDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "wire/wire_err.h"

enum {
    DDP_TAGGED_LEN = 14,
    DDP_UNTAGGED_LEN = 18,
    RDMAP_READ_REQ_LEN = 28,
    RDMAP_IMM_LEN = 8,
    RDMAP_ATOMIC_REQ_LEN = 52,
    RDMAP_ATOMIC_RSP_LEN = 12,
    RDMAP_TERM_LEN_MIN = 4, /* control alone */
    /* control, DDP segment length, untagged header, Read Request header */
    RDMAP_TERM_LEN_MAX = 4 + 2 + DDP_UNTAGGED_LEN + RDMAP_READ_REQ_LEN,
};

enum rdmap_opcode {
    RDMAP_WRITE = 0x0,
    RDMAP_READ_REQ = 0x1,
    RDMAP_READ_RSP = 0x2,
    RDMAP_SEND = 0x3,
    RDMAP_SEND_INV = 0x4,
    RDMAP_SEND_SE = 0x5,
    RDMAP_SEND_SE_INV = 0x6,
    RDMAP_TERMINATE = 0x7,
    RDMAP_IMM = 0x8,
    RDMAP_IMM_SE = 0x9,
    RDMAP_ATOMIC_REQ = 0xA,
    RDMAP_ATOMIC_RSP = 0xB,
    RDMAP_OPCODE_COUNT = 0x10, /* every value of the field */
};

enum ddp_qn { DDP_QN_SEND = 0, DDP_QN_READ = 1, DDP_QN_TERM = 2, DDP_QN_ATOMIC_RSP = 3 };

/* One row per opcode. [RFC5040 4], [RFC7306] */
struct rdmap_op_info {
    const char *name; /* "Send with Invalidate"; NULL: the opcode is unassigned */
    bool is_tagged;
    uint8_t qn;   /* of an untagged one */
    bool is_send; /* consumes a receive */
    bool solicited;
    bool invalidates; /* carries an STag to invalidate */
    bool needs_rfc7306;
    bool is_one_segment; /* a message of this kind is one segment always: L set */
    uint8_t header_len;  /* RDMAP header behind the DDP header: then the segment has exactly this,
                            except Terminate (variable: 0 here) */
};
extern const struct rdmap_op_info rdmap_op_table[RDMAP_OPCODE_COUNT];

/* The row of the low four bits of `opcode`. Never NULL. */
static inline const struct rdmap_op_info *rdmap_op_info(unsigned opcode)
{
    return &rdmap_op_table[opcode % RDMAP_OPCODE_COUNT];
}

/* A segment's DDP and RDMAP control and header, host order. */
struct ddp_segment {
    bool is_tagged;       /* T */
    bool is_last;         /* L */
    uint8_t opcode;       /* enum rdmap_opcode or an unassigned value, 0..15 */
    uint32_t stag;        /* tagged: STag; untagged: Invalidate STag field */
    uint64_t to;          /* tagged */
    uint32_t qn, msn, mo; /* untagged */
    uint32_t header_len;  /* DDP_TAGGED_LEN or DDP_UNTAGGED_LEN */
    uint32_t payload_len; /* ULPDU length - header_len */
    bool is_received;     /* parsed: the control octets as they came follow, for a Terminate to */
    uint8_t ctrl[2];      /* return. ddp_segment_build does not look at either. */
};

/* 14 or 18 by the T bit of the first octet of a ULPDU. */
static inline uint32_t ddp_header_len(uint8_t first_octet)
{
    return (first_octet & 0x80u) != 0 ? DDP_TAGGED_LEN : DDP_UNTAGGED_LEN;
}

/*
 * Reads a header of header_len octets (by its T bit) without judging it; payload_len is 0.
 */
void ddp_header_read(const uint8_t *p, struct ddp_segment *out);

/*
 * Parses the DDP header of a ULPDU of ulpdu_len octets whose first `n` octets are at p (n may be
 * less than ulpdu_len, but holds the header when ulpdu_len does). Checks, in this order: length,
 * DV, RV, opcode known (rfc7306 says whether its opcodes are), T fits the opcode, QN fits the
 * opcode; then for what is always one segment, L set and payload length (L clear:
 * RDMAP_STREAM_CATASTROPHIC, longer: DDP_TOO_LONG, shorter: RDMAP_UNSPECIFIED). *out is filled as
 * far as it could be read, zero beyond, also on error (for the Terminate). Reserved bits are
 * ignored. MSN, MO, STag and TO are the caller's to judge. [RFC5041 4], [RFC5040 4]
 */
SN_MUST_CHECK enum wire_err ddp_segment_parse(
    const uint8_t *p, size_t n, uint32_t ulpdu_len, bool rfc7306, struct ddp_segment *out);
/* Writes DDP_TAGGED_LEN or DDP_UNTAGGED_LEN octets, by is_tagged; returns that. DV = RV = 1,
 * reserved bits 0. */
size_t ddp_segment_build(const struct ddp_segment *s, uint8_t *out);

/* Read Request header. Order on the wire: sink, size, source. [RFC5040 4.4] */
struct rdmap_read_req {
    uint32_t sink_stag;
    uint64_t sink_to;
    uint32_t size;
    uint32_t src_stag;
    uint64_t src_to;
};
void rdmap_read_req_parse(const uint8_t p[RDMAP_READ_REQ_LEN], struct rdmap_read_req *out);
void rdmap_read_req_build(const struct rdmap_read_req *r, uint8_t out[RDMAP_READ_REQ_LEN]);

/* Atomics [RFC7306]. */
enum rdmap_atomic_op { RDMAP_FETCH_ADD = 0, RDMAP_CMP_SWAP = 2 };
struct rdmap_atomic_req {
    uint8_t op; /* 4 bits as received */
    uint32_t id;
    uint32_t stag;
    uint64_t to;
    uint64_t data, mask; /* add or swap */
    uint64_t compare, compare_mask;
};
void rdmap_atomic_req_parse(const uint8_t p[RDMAP_ATOMIC_REQ_LEN], struct rdmap_atomic_req *out);
void rdmap_atomic_req_build(const struct rdmap_atomic_req *r, uint8_t out[RDMAP_ATOMIC_REQ_LEN]);
struct rdmap_atomic_rsp {
    uint32_t id;
    uint64_t old_value;
};
void rdmap_atomic_rsp_parse(const uint8_t p[RDMAP_ATOMIC_RSP_LEN], struct rdmap_atomic_rsp *out);
void rdmap_atomic_rsp_build(const struct rdmap_atomic_rsp *r, uint8_t out[RDMAP_ATOMIC_RSP_LEN]);
/* The new value of a target that held `old`; false if r->op is not an atomic operation. */
bool rdmap_atomic_apply(const struct rdmap_atomic_req *r, uint64_t old, uint64_t *new_value);

/* Terminate [RFC5040 4.8]. */
struct rdmap_term {
    uint8_t layer, type, code;
    bool has_ddp;             /* M and D: segment length and DDP header are there */
    bool has_read;            /* R: the Read Request header too; only together with has_ddp */
    uint16_t ddp_segment_len; /* ULPDU length of the offending segment; for information only: some
                                 peers count the payload alone */
    struct ddp_segment ddp;
    struct rdmap_read_req read;
};
/*
 * Fills a Terminate for `e` about the offending segment (NULL: none is known) and, for a Read
 * Request, its header (NULL: none). Which of them go in follows wire_err_info(e)->headers.
 */
void rdmap_term_init(struct rdmap_term *t, enum wire_err e, const struct ddp_segment *segment,
    uint32_t ulpdu_len, const struct rdmap_read_req *read);
/* Writes the Terminate's RDMAP part; at most RDMAP_TERM_LEN_MAX octets; returns the length. */
size_t rdmap_term_build(const struct rdmap_term *t, uint8_t *out);
/*
 * Parses what a peer sent, liberally: by flags and by the length that is there; headers that do
 * not fit are left out, reserved bits are ignored. [RDM-042] [RDM-049] The control octets of siw on
 * little-endian hosts (halves of the first octet swapped, flags in the low bits of the third) are
 * recognised and put right, except that without any flag a code that means something as it stands
 * keeps that meaning. type 3 of layer 2 is left as it came; wire_err_from_code understands it.
 * False, and *out untouched, if not even the control is there.
 */
SN_MUST_CHECK bool rdmap_term_parse(const uint8_t *p, size_t n, struct rdmap_term *out);

#endif
