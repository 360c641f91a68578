/* SPDX-License-Identifier: MIT */
/*
 * FPDUs of a raw peer, octet by octet, and the Terminate that a stream must answer with: laid out
 * here from the published formats, not by the code under test.
 */
#ifndef SN_TESTS_UNIT_IWARP_RAW_FPDU_H
#define SN_TESTS_UNIT_IWARP_RAW_FPDU_H

#include "unit/iwarp/stream_pair.h"

enum { RAW_MAX = 2 + 65535 + 3 + 4 };

struct raw_fpdu {
    uint8_t p[RAW_MAX];
    size_t n; /* of the whole FPDU */
    size_t ulpdu_len;
};

static inline void raw_put(struct raw_fpdu *f, const void *p, size_t n)
{
    assert_true(f->n + n <= RAW_MAX);
    if (n > 0)
        memcpy(f->p + f->n, p, n);
    f->n += n;
}

static inline void raw_put32(struct raw_fpdu *f, uint32_t x)
{
    uint8_t be[4];

    sn_put_be32(be, x);
    raw_put(f, be, 4);
}

static inline void raw_put64(struct raw_fpdu *f, uint64_t x)
{
    raw_put32(f, (uint32_t)(x >> 32));
    raw_put32(f, (uint32_t)x);
}

static inline void raw_begin(struct raw_fpdu *f, uint8_t ddp, uint8_t rdmap, uint32_t stag)
{
    const uint8_t ctrl[4] = {0, 0, ddp, rdmap};

    f->n = 0;
    raw_put(f, ctrl, sizeof(ctrl));
    raw_put32(f, stag);
}

static inline void raw_tagged(
    struct raw_fpdu *f, uint8_t ddp, uint8_t rdmap, uint32_t stag, uint64_t to)
{
    raw_begin(f, ddp, rdmap, stag);
    raw_put64(f, to);
}

static inline void raw_untagged(struct raw_fpdu *f, uint8_t ddp, uint8_t rdmap, uint32_t stag,
    uint32_t qn, uint32_t msn, uint32_t mo)
{
    raw_begin(f, ddp, rdmap, stag);
    raw_put32(f, qn);
    raw_put32(f, msn);
    raw_put32(f, mo);
}

/* n octets of payload: 1, 2, 3... */
static inline void raw_payload(struct raw_fpdu *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t octet = (uint8_t)(i + 1);

        raw_put(f, &octet, 1);
    }
}

/* Length, pad and CRC. */
static inline void raw_end(struct raw_fpdu *f, bool crc)
{
    const uint8_t zeros[4] = {0};

    f->ulpdu_len = f->n - 2;
    sn_put_be16(f->p, (uint16_t)f->ulpdu_len);
    raw_put(f, zeros, (4 - f->n % 4) % 4);
    raw_put(f, zeros, 4);
    if (crc)
        sn_put_le32(
            f->p + f->n - 4, sn_crc32c_finish(sn_crc32c_add(SN_CRC32C_INIT, f->p, f->n - 4)));
}

static inline void raw_read_request(struct raw_fpdu *f, uint32_t msn, uint32_t sink_stag,
    uint64_t sink_to, uint32_t size, uint32_t src_stag, uint64_t src_to)
{
    raw_untagged(f, 0x41, 0x41, 0, 1, msn, 0);
    raw_put32(f, sink_stag);
    raw_put64(f, sink_to);
    raw_put32(f, size);
    raw_put32(f, src_stag);
    raw_put64(f, src_to);
}

static inline void raw_deliver(struct sp_end *to, const struct raw_fpdu *f)
{
    sp_wire_put(to->in, f->p, f->n);
}

/* What of the offending FPDU comes back. */
enum raw_back {
    BACK_NOTHING,
    BACK_DDP,  /* segment length and DDP header */
    BACK_READ, /* and the Read Request header */
};

static inline void raw_terminate(struct raw_fpdu *t, uint8_t layer_type, uint8_t code,
    enum raw_back back, const struct raw_fpdu *offending, bool crc)
{
    static const uint8_t flags[] = {[BACK_NOTHING] = 0x00, [BACK_DDP] = 0xC0, [BACK_READ] = 0xE0};
    const uint8_t control[4] = {layer_type, code, flags[back], 0};
    uint8_t len[2];

    raw_untagged(t, 0x41, 0x47, 0, 2, 1, 0);
    raw_put(t, control, sizeof(control));
    if (back != BACK_NOTHING) {
        sn_put_be16(len, (uint16_t)offending->ulpdu_len);
        raw_put(t, len, 2);
        raw_put(t, offending->p + 2, (offending->p[2] & 0x80) != 0 ? 14 : 18);
    }
    if (back == BACK_READ)
        raw_put(t, offending->p + 20, 28);
    raw_end(t, crc);
}

/* `e` sends exactly this Terminate and nothing else, now or later, and then a FIN.
 * [RDM-039] [RDM-040] [RDM-041] */
static inline void raw_expect_terminate(
    struct stream_pair *p, struct sp_end *e, const struct raw_fpdu *t)
{
    bool is_received = true;

    assert_int_equal(iw_stream_state(&e->stream), IW_TERMINATING);
    assert_false(iw_tx_wants_fin(&e->stream));
    while (sp_transmit(p, e) > 0)
        continue;
    assert_int_equal(e->out->n, t->n);
    assert_memory_equal(e->out->p, t->p, t->n);
    sp_wire_drop(e->out, t->n);
    assert_int_equal(iw_stream_state(&e->stream), IW_TERMINATED);
    assert_non_null(iw_stream_terminate(&e->stream, &is_received));
    assert_false(is_received);
    assert_false(iw_tx_has_work(&e->stream));
    assert_true(iw_tx_wants_fin(&e->stream));
    assert_int_equal(sp_transmit(p, e), 0);
}

#endif
