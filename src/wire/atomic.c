/* SPDX-License-Identifier: MIT */
/* Atomic Request and Response headers, and what the operations compute. [RFC7306] */
#include "base/bytes.h"
#include "wire/rdmap.h"

/* | reserved, op in the low 4 bits (4) | id (4) | STag (4) | TO (8) | data | mask | compare | mask
 * |
 */
enum {
    AT_OP = 0,
    AT_ID = 4,
    AT_STAG = 8,
    AT_TO = 12,
    AT_DATA = 20,
    AT_MASK = 28,
    AT_COMPARE = 36,
    AT_COMPARE_MASK = 44,
    OP_MASK = 0xF,
    /* | original request id (4) | original value (8) | */
    AT_RSP_ID = 0,
    AT_RSP_VALUE = 4,
};
_Static_assert(AT_COMPARE_MASK + 8 == RDMAP_ATOMIC_REQ_LEN, "Atomic Request header");
_Static_assert(AT_RSP_VALUE + 8 == RDMAP_ATOMIC_RSP_LEN, "Atomic Response header");

void rdmap_atomic_req_parse(const uint8_t p[RDMAP_ATOMIC_REQ_LEN], struct rdmap_atomic_req *out)
{
    out->op = (uint8_t)(sn_get_be32(p + AT_OP) & OP_MASK);
    out->id = sn_get_be32(p + AT_ID);
    out->stag = sn_get_be32(p + AT_STAG);
    out->to = sn_get_be64(p + AT_TO);
    out->data = sn_get_be64(p + AT_DATA);
    out->mask = sn_get_be64(p + AT_MASK);
    out->compare = sn_get_be64(p + AT_COMPARE);
    out->compare_mask = sn_get_be64(p + AT_COMPARE_MASK);
}

void rdmap_atomic_req_build(const struct rdmap_atomic_req *r, uint8_t out[RDMAP_ATOMIC_REQ_LEN])
{
    sn_put_be32(out + AT_OP, r->op & OP_MASK);
    sn_put_be32(out + AT_ID, r->id);
    sn_put_be32(out + AT_STAG, r->stag);
    sn_put_be64(out + AT_TO, r->to);
    sn_put_be64(out + AT_DATA, r->data);
    sn_put_be64(out + AT_MASK, r->mask);
    sn_put_be64(out + AT_COMPARE, r->compare);
    sn_put_be64(out + AT_COMPARE_MASK, r->compare_mask);
}

void rdmap_atomic_rsp_parse(const uint8_t p[RDMAP_ATOMIC_RSP_LEN], struct rdmap_atomic_rsp *out)
{
    out->id = sn_get_be32(p + AT_RSP_ID);
    out->old_value = sn_get_be64(p + AT_RSP_VALUE);
}

void rdmap_atomic_rsp_build(const struct rdmap_atomic_rsp *r, uint8_t out[RDMAP_ATOMIC_RSP_LEN])
{
    sn_put_be32(out + AT_RSP_ID, r->id);
    sn_put_be64(out + AT_RSP_VALUE, r->old_value);
}

/*
 * Adds field by field: a 1 in `tops` is the top bit of a field, and no carry leaves it. With the
 * top bits taken out, a carry into one stays there; the top bits themselves add without carry.
 */
static uint64_t add_fields(uint64_t a, uint64_t b, uint64_t tops)
{
    return ((a & ~tops) + (b & ~tops)) ^ ((a ^ b) & tops);
}

bool rdmap_atomic_apply(const struct rdmap_atomic_req *r, uint64_t old, uint64_t *new_value)
{
    switch (r->op) {
    case RDMAP_FETCH_ADD:
        *new_value = add_fields(old, r->data, r->mask);
        return true;
    case RDMAP_CMP_SWAP:
        if (((r->compare ^ old) & r->compare_mask) == 0)
            *new_value = (old & ~r->mask) | (r->data & r->mask);
        else
            *new_value = old;
        return true;
    default:
        return false;
    }
}
