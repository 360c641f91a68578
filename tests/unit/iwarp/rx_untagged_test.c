/* SPDX-License-Identifier: MIT */
/*
 * Every way in which an FPDU can be wrong, and the Terminate it causes, compared octet by octet;
 * each fed whole, and one octet at a time. Tagged messages are in rx_tagged_test.c.
 */
#include "unit/iwarp/rx_bench.h"

/* Which STag a row names. */
enum stag_of {
    NO_STAG,
    RW,      /* remote read and write */
    LOCAL,   /* no remote right */
    FOREIGN, /* of another domain */
    BAD_KEY, /* RW with another key */
    UNKNOWN,
    FAST,     /* fast-registered, remote right, of this stream's domain */
    FAST_OWN, /* fast-registered, no remote right */
    ZERO,
};

enum kind {
    SEND_LIKE, /* payload of `len` octets 1, 2, 3... */
    READ_REQ,
    ATOMIC,
};

struct row {
    const char *what;
    enum kind kind;
    uint8_t ddp, rdmap;
    uint32_t qn, msn, mo, len;
    enum stag_of stag; /* invalidate, Read source, Atomic target */
    uint32_t size;     /* of the Read; operation of the Atomic */
    uint64_t to;       /* source, target */
    uint8_t layer_type, code;
    enum raw_back back;
    enum sn_status recv_status; /* SN_OK: no receive completes */
    uint32_t reads_before;      /* valid Reads that nobody has answered yet */
    bool rfc7306;
};

/* clang-format off */
#define SEGMENT(kind_, ddp_, rdmap_, qn_, msn_, mo_, len_) \
    .kind = (kind_), .ddp = (ddp_), .rdmap = (rdmap_), .qn = (qn_), .msn = (msn_), .mo = (mo_), \
    .len = (len_)
#define NAMES(stag_, size_, to_) .stag = (stag_), .size = (size_), .to = (to_)
#define GIVES(layer_type_, code_, back_) \
    .layer_type = (layer_type_), .code = (code_), .back = (back_)
/* clang-format on */

/* clang-format off */
static const struct row rows[] = {
    /* [MPA-048]: short ULPDUs are in malformed_lengths */
    {.what = "DV 0 [DDP-003]",
        SEGMENT(SEND_LIKE, 0x40, 0x43, 0, 1, 0, 5), GIVES(0x12, 6, BACK_DDP)},
    {.what = "DV 3 [DDP-003]",
        SEGMENT(SEND_LIKE, 0x43, 0x43, 0, 1, 0, 5), GIVES(0x12, 6, BACK_DDP)},
    {.what = "RV 0 [RDM-002]",
        SEGMENT(SEND_LIKE, 0x41, 0x03, 0, 1, 0, 5), GIVES(0x02, 5, BACK_DDP)},
    {.what = "RV 3 [RDM-002]",
        SEGMENT(SEND_LIKE, 0x41, 0xC3, 0, 1, 0, 5), GIVES(0x02, 5, BACK_DDP)},
    {.what = "opcode C [RDM-005]",
        SEGMENT(SEND_LIKE, 0x41, 0x4C, 0, 1, 0, 5), GIVES(0x02, 6, BACK_DDP)},
    {.what = "opcode F [RDM-005]",
        SEGMENT(SEND_LIKE, 0x41, 0x4F, 0, 1, 0, 5), GIVES(0x02, 6, BACK_DDP)},
    {.what = "Immediate Data, off [RDM-005]",
        SEGMENT(SEND_LIKE, 0x41, 0x48, 0, 1, 0, 8), GIVES(0x02, 6, BACK_DDP)},
    {.what = "Atomic, off [RDM-005]",
        SEGMENT(ATOMIC, 0x41, 0x4A, 1, 1, 0, 0), NAMES(RW, 0, RW_BASE), GIVES(0x02, 6, BACK_DDP)},
    {.what = "untagged Write [RDM-006]",
        SEGMENT(SEND_LIKE, 0x41, 0x40, 0, 1, 0, 5), GIVES(0x02, 6, BACK_DDP)},
    {.what = "untagged Read Response [RDM-006]",
        SEGMENT(SEND_LIKE, 0x41, 0x42, 0, 1, 0, 5), GIVES(0x02, 6, BACK_DDP)},
    {.what = "Send on QN 1 [DDP-021]",
        SEGMENT(SEND_LIKE, 0x41, 0x43, 1, 1, 0, 5), GIVES(0x12, 1, BACK_DDP)},
    {.what = "Send on QN 4 [DDP-020]",
        SEGMENT(SEND_LIKE, 0x41, 0x43, 4, 1, 0, 5), GIVES(0x12, 1, BACK_DDP)},
    {.what = "Send on QN -1 [DDP-020]",
        SEGMENT(SEND_LIKE, 0x41, 0x43, 0xFFFFFFFF, 1, 0, 5), GIVES(0x12, 1, BACK_DDP)},
    {.what = "Read Request on QN 0 [DDP-021]",
        SEGMENT(READ_REQ, 0x41, 0x41, 0, 1, 0, 0), NAMES(RW, 8, RW_BASE), GIVES(0x12, 1, BACK_DDP)},
    {.what = "Send MSN 2 first [DDP-022]",
        SEGMENT(SEND_LIKE, 0x41, 0x43, 0, 2, 0, 5), GIVES(0x12, 3, BACK_DDP)},
    {.what = "Send MSN 0 [DDP-022]",
        SEGMENT(SEND_LIKE, 0x41, 0x43, 0, 0, 0, 5), GIVES(0x12, 3, BACK_DDP)},
    {.what = "Send MO beyond the buffer [DDP-024]",
        SEGMENT(SEND_LIKE, 0x41, 0x43, 0, 1, RECV_LEN + 1, 5), GIVES(0x12, 4, BACK_DDP)},
    {.what = "Send begins with a hole [DDP-025]",
        SEGMENT(SEND_LIKE, 0x41, 0x43, 0, 1, 1, 5), GIVES(0x12, 4, BACK_DDP)},
    {.what = "empty Send with an MO",
        SEGMENT(SEND_LIKE, 0x41, 0x43, 0, 1, 1, 0), GIVES(0x12, 4, BACK_DDP)},
    {.what = "Send longer than the receive [DDP-026] [RDM-010]",
        SEGMENT(SEND_LIKE, 0x41, 0x43, 0, 1, 0, RECV_LEN + 1), GIVES(0x12, 5, BACK_DDP),
        .recv_status = SN_MSG_TOO_LONG},
    {.what = "invalidate an unknown STag [RDM-014]",
        SEGMENT(SEND_LIKE, 0x41, 0x44, 0, 1, 0, 5), NAMES(UNKNOWN, 0, 0), GIVES(0x02, 9, BACK_DDP),
        .recv_status = SN_BAD_REQUEST},
    {.what = "invalidate with another key [VRB-021]",
        SEGMENT(SEND_LIKE, 0x41, 0x46, 0, 1, 0, 5), NAMES(BAD_KEY, 0, 0), GIVES(0x02, 9, BACK_DDP),
        .recv_status = SN_BAD_REQUEST},
    {.what = "invalidate STag 0 [VRB-023]",
        SEGMENT(SEND_LIKE, 0x41, 0x44, 0, 1, 0, 5), NAMES(ZERO, 0, 0), GIVES(0x02, 9, BACK_DDP),
        .recv_status = SN_BAD_REQUEST},
    {.what = "invalidate of another domain [RDM-014] [SEC-001]",
        SEGMENT(SEND_LIKE, 0x41, 0x44, 0, 1, 0, 5), NAMES(FOREIGN, 0, 0), GIVES(0x01, 3, BACK_DDP),
        .recv_status = SN_BAD_REQUEST},
    {.what = "invalidate a registered region [RDM-014]",
        SEGMENT(SEND_LIKE, 0x41, 0x44, 0, 1, 0, 5), NAMES(RW, 0, 0), GIVES(0x01, 9, BACK_DDP),
        .recv_status = SN_BAD_REQUEST},
    {.what = "invalidate without remote right [VRB-032]",
        SEGMENT(SEND_LIKE, 0x41, 0x44, 0, 1, 0, 5), NAMES(FAST_OWN, 0, 0), GIVES(0x01, 2, BACK_DDP),
        .recv_status = SN_BAD_REQUEST},
    {.what = "Read Request without L",
        SEGMENT(READ_REQ, 0x01, 0x41, 1, 1, 0, 0), NAMES(RW, 8, RW_BASE), GIVES(0x02, 7, BACK_DDP)},
    {.what = "Read Request MSN 2 first [DDP-022]",
        SEGMENT(READ_REQ, 0x41, 0x41, 1, 2, 0, 0), NAMES(RW, 8, RW_BASE), GIVES(0x12, 3, BACK_DDP)},
    {.what = "Read Request with an MO",
        SEGMENT(READ_REQ, 0x41, 0x41, 1, 1, 4, 0), NAMES(RW, 8, RW_BASE), GIVES(0x12, 4, BACK_DDP)},
    {.what = "more Reads than IRD [RDM-031] [SEC-009]",
        SEGMENT(READ_REQ, 0x41, 0x41, 1, IRD + 1, 0, 0), NAMES(RW, 8, RW_BASE),
        GIVES(0x12, 3, BACK_DDP), .reads_before = IRD},
    {.what = "Read of an unknown STag [RDM-023]",
        SEGMENT(READ_REQ, 0x41, 0x41, 1, 1, 0, 0), NAMES(UNKNOWN, 8, RW_BASE),
        GIVES(0x01, 0, BACK_READ)},
    {.what = "Read with another key [VRB-021]",
        SEGMENT(READ_REQ, 0x41, 0x41, 1, 1, 0, 0), NAMES(BAD_KEY, 8, RW_BASE),
        GIVES(0x01, 0, BACK_READ)},
    {.what = "Read of STag 0 [VRB-023]",
        SEGMENT(READ_REQ, 0x41, 0x41, 1, 1, 0, 0), NAMES(ZERO, 8, RW_BASE),
        GIVES(0x01, 0, BACK_READ)},
    {.what = "Read one before [RDM-024] [RDM-028]",
        SEGMENT(READ_REQ, 0x41, 0x41, 1, 1, 0, 0), NAMES(RW, 8, RW_BASE - 1),
        GIVES(0x01, 1, BACK_READ)},
    {.what = "Read one too many [RDM-024] [RDM-028]",
        SEGMENT(READ_REQ, 0x41, 0x41, 1, 1, 0, 0), NAMES(RW, RW_LEN + 1, RW_BASE),
        GIVES(0x01, 1, BACK_READ)},
    {.what = "Read without the right [RDM-025]",
        SEGMENT(READ_REQ, 0x41, 0x41, 1, 1, 0, 0), NAMES(LOCAL, 8, RW_BASE),
        GIVES(0x01, 2, BACK_READ)},
    {.what = "Read of another domain [RDM-026]",
        SEGMENT(READ_REQ, 0x41, 0x41, 1, 1, 0, 0), NAMES(FOREIGN, 8, RW_BASE),
        GIVES(0x01, 3, BACK_READ)},
    {.what = "Read wraps [RDM-027]",
        SEGMENT(READ_REQ, 0x41, 0x41, 1, 1, 0, 0), NAMES(RW, 2, UINT64_MAX),
        GIVES(0x01, 4, BACK_READ)},
    {.what = "Read Request of 27 octets",
        SEGMENT(SEND_LIKE, 0x41, 0x41, 1, 1, 0, 27), GIVES(0x02, 0xFF, BACK_DDP)},
    {.what = "Read Request of 29 octets",
        SEGMENT(SEND_LIKE, 0x41, 0x41, 1, 1, 0, 29), GIVES(0x12, 5, BACK_DDP)},
    {.what = "Terminate without L [RDM-040]",
        SEGMENT(SEND_LIKE, 0x01, 0x47, 2, 1, 0, 4), GIVES(0x02, 7, BACK_DDP)},
    {.what = "Terminate on QN 0 [RDM-040]",
        SEGMENT(SEND_LIKE, 0x41, 0x47, 0, 1, 0, 4), GIVES(0x12, 1, BACK_DDP)},
    {.what = "Terminate MSN 2 [RDM-047]",
        SEGMENT(SEND_LIKE, 0x41, 0x47, 2, 2, 0, 4), GIVES(0x12, 3, BACK_DDP)},
    {.what = "Terminate with an MO [RDM-040]",
        SEGMENT(SEND_LIKE, 0x41, 0x47, 2, 1, 4, 4), GIVES(0x12, 4, BACK_DDP)},
    {.what = "Terminate of 3 octets [RDM-049]",
        SEGMENT(SEND_LIKE, 0x41, 0x47, 2, 1, 0, 3), GIVES(0x02, 0xFF, BACK_DDP)},
    /* RFC 7306 */
    {.what = "Immediate Data of 7 octets [EXT-002]",
        SEGMENT(SEND_LIKE, 0x41, 0x48, 0, 1, 0, 7), GIVES(0x02, 0xFF, BACK_DDP), .rfc7306 = true},
    {.what = "Immediate Data of 9 octets [EXT-002]",
        SEGMENT(SEND_LIKE, 0x41, 0x49, 0, 1, 0, 9), GIVES(0x12, 5, BACK_DDP), .rfc7306 = true},
    {.what = "Atomic not aligned [EXT-010]",
        SEGMENT(ATOMIC, 0x41, 0x4A, 1, 1, 0, 0), NAMES(RW, 0, RW_BASE + 4),
        GIVES(0x02, 7, BACK_DDP), .rfc7306 = true},
    {.what = "Atomic operation 1 [EXT-011]",
        SEGMENT(ATOMIC, 0x41, 0x4A, 1, 1, 0, 0), NAMES(RW, 1, RW_BASE), GIVES(0x02, 6, BACK_DDP),
        .rfc7306 = true},
    {.what = "Atomic operation 3 [EXT-011]",
        SEGMENT(ATOMIC, 0x41, 0x4A, 1, 1, 0, 0), NAMES(RW, 3, RW_BASE), GIVES(0x02, 6, BACK_DDP),
        .rfc7306 = true},
    {.what = "Atomic without the right",
        SEGMENT(ATOMIC, 0x41, 0x4A, 1, 1, 0, 0), NAMES(LOCAL, 0, RW_BASE), GIVES(0x01, 2, BACK_DDP),
        .rfc7306 = true},
    {.what = "Atomic of another domain",
        SEGMENT(ATOMIC, 0x41, 0x4A, 1, 1, 0, 0), NAMES(FOREIGN, 0, RW_BASE),
        GIVES(0x01, 3, BACK_DDP), .rfc7306 = true},
    {.what = "Atomic behind the end",
        SEGMENT(ATOMIC, 0x41, 0x4A, 1, 1, 0, 0), NAMES(RW, 0, RW_BASE + RW_LEN),
        GIVES(0x01, 1, BACK_DDP), .rfc7306 = true},
    {.what = "more Atomics than IRD [EXT-014]",
        SEGMENT(ATOMIC, 0x41, 0x4A, 1, IRD + 1, 0, 0), NAMES(RW, 0, RW_BASE),
        GIVES(0x12, 3, BACK_DDP), .reads_before = IRD, .rfc7306 = true},
    {.what = "Atomic Response that nobody asked for",
        SEGMENT(SEND_LIKE, 0x41, 0x4B, 3, 1, 0, 12), GIVES(0x12, 2, BACK_DDP), .rfc7306 = true},
};
/* clang-format on */

static uint32_t stag_of(const struct bench *b, enum stag_of which)
{
    switch (which) {
    case RW:
        return mem_region_stag(b->rw);
    case LOCAL:
        return mem_region_stag(b->local);
    case FOREIGN:
        return mem_region_stag(b->foreign);
    case BAD_KEY:
        return mem_region_stag(b->rw) ^ 1;
    case UNKNOWN:
        return mem_region_stag(b->rw) ^ 0x10000;
    case FAST:
        return mem_region_stag(b->fast);
    case FAST_OWN:
        return mem_region_stag(b->fast_own);
    case NO_STAG:
    case ZERO:
    default:
        return 0;
    }
}

static void build(const struct bench *b, const struct row *r, bool crc, struct raw_fpdu *f)
{
    uint32_t stag = stag_of(b, r->stag);

    switch (r->kind) {
    case READ_REQ:
        raw_untagged(f, r->ddp, r->rdmap, 0, r->qn, r->msn, r->mo);
        raw_put32(f, 0x51515151);
        raw_put64(f, 0x6000);
        raw_put32(f, r->size);
        raw_put32(f, stag);
        raw_put64(f, r->to);
        break;
    case ATOMIC:
        raw_untagged(f, r->ddp, r->rdmap, 0, r->qn, r->msn, r->mo);
        raw_put32(f, r->size);
        raw_put32(f, 99);
        raw_put32(f, stag);
        raw_put64(f, r->to);
        raw_put64(f, 5);
        raw_put64(f, 0);
        raw_put64(f, 0);
        raw_put64(f, UINT64_MAX);
        break;
    case SEND_LIKE:
    default:
        raw_untagged(f, r->ddp, r->rdmap, stag, r->qn, r->msn, r->mo);
        raw_payload(f, r->len);
        break;
    }
    raw_end(f, crc);
}

static void run_row(const struct row *r, size_t read_max, bool no_crc)
{
    static struct raw_fpdu f, t, write;
    struct bench b;

    bench_init(&b, r->rfc7306, no_crc);
    b.p->read_max = read_max;
    for (uint32_t i = 0; i < r->reads_before; i++) {
        raw_read_request(&f, i + 1, 1, 1, 4, mem_region_stag(b.rw), RW_BASE);
        raw_end(&f, !no_crc);
        raw_deliver(b.e, &f);
    }
    build(&b, r, !no_crc, &f);
    raw_deliver(b.e, &f);
    /* What follows is well-formed, and too late. [DDP-032] [RDM-045] */
    raw_tagged(&write, 0xC1, 0x40, mem_region_stag(b.rw), RW_BASE);
    raw_payload(&write, 16);
    raw_end(&write, !no_crc);
    raw_deliver(b.e, &write);
    raw_untagged(&write, 0x41, 0x4F, 0, 0, 1, 0);
    raw_end(&write, !no_crc);
    raw_deliver(b.e, &write);

    while (sp_receive(b.p, b.e) > 0)
        continue;
    if (iw_stream_state(&b.e->stream) != IW_TERMINATING)
        fail_msg("%s: no error", r->what);
    raw_terminate(&t, r->layer_type, r->code, r->back, &f, !no_crc);
    raw_expect_terminate(b.p, b.e, &t);
    assert_int_equal(b.e->state_changes, 2);
    for (size_t i = 0; i < RW_LEN; i++)
        assert_int_equal(b.rw->host[i], 0);
    for (size_t i = RECV_LEN; i < 2 * (size_t)RECV_LEN; i++)
        assert_int_equal(b.inbox->host[i], 0);

    iw_flush(&b.e->stream, SN_CANCELLED);
    assert_true(b.e->recv_dones <= 1);
    if (r->recv_status != SN_OK) {
        assert_int_equal(b.e->recv_dones, 1);
        assert_int_equal(b.e->recv_done[0].status, r->recv_status);
    } else if (b.e->recv_dones == 1) { /* it was taken: given back */
        assert_int_equal(b.e->recv_done[0].status, SN_CANCELLED);
    }
    bench_fini(&b);
}

static void each_error_has_its_terminate(void **state)
{
    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(rows); i++) {
        run_row(&rows[i], 0, false);
        run_row(&rows[i], 1, false);
        run_row(&rows[i], 0, true);
        run_row(&rows[i], 3, true);
    }
}

/* A ULPDU shorter than its header, down to nothing. [MPA-048] */
static void malformed_lengths(void **state)
{
    static struct raw_fpdu f, t;

    (void)state;
    for (size_t len = 0; len < 18; len++) {
        for (size_t read_max = 0; read_max < 2; read_max++) {
            struct bench b;

            bench_init(&b, false, false);
            b.p->read_max = read_max;
            raw_untagged(&f, 0x41, 0x43, 0, 0, 1, 0);
            f.n = 2 + len;
            raw_end(&f, true);
            raw_deliver(b.e, &f);
            while (sp_receive(b.p, b.e) > 0)
                continue;
            for (size_t i = 2 + len; i < 20; i++)
                f.p[i] = 0; /* what is not there comes back as zero */
            raw_terminate(&t, 0x10, 0, BACK_DDP, &f, true);
            raw_expect_terminate(b.p, b.e, &t);
            bench_fini(&b);
        }
    }
}

/* [MPA-035] [MPA-036] [MPA-038] [MPA-039] [MPA-063]: whatever is flipped, it is a CRC error, and no
 * more is delivered. */
static void crc_errors(void **state)
{
    static struct raw_fpdu f, t, good;

    (void)state;
    raw_terminate(&t, 0x20, 2, BACK_NOTHING, NULL, true);
    for (size_t at = 0; at < 32 * 8; at++) {
        struct bench b;

        bench_init(&b, false, false);
        b.p->read_max = at % 2;
        raw_untagged(&f, 0x41, 0x43, 0, 0, 1, 0);
        raw_payload(&f, 5);
        raw_end(&f, true);
        good = f;
        f.p[at / 8] ^= (uint8_t)(1u << at % 8);
        raw_deliver(b.e, &f);
        /* A wrong length may ask for 64 KiB before it is known to be wrong. */
        for (int i = 0; i < (at < 16 ? 3000 : 1); i++)
            raw_deliver(b.e, &good);
        while (sp_receive(b.p, b.e) > 0)
            continue;
        raw_expect_terminate(b.p, b.e, &t);
        assert_int_equal(b.e->recv_dones, 0);
        bench_fini(&b);
    }
}

/* Reserved bits, an STag where none belongs and a pad that is not zero are ignored.
 * [DDP-004] [RDM-003] [RDM-007] [MPA-036] */
static void reserved_bits_are_ignored(void **state)
{
    static struct raw_fpdu f;

    (void)state;
    for (size_t in_pieces = 0; in_pieces < 2; in_pieces++) {
        struct bench b;

        bench_init(&b, false, false);
        b.p->read_max = in_pieces;
        raw_untagged(&f, 0x7D, 0x73, 0xDEADBEEF, 0, 1, 0);
        raw_payload(&f, 5);
        raw_end(&f, true);
        memset(f.p + 25, 0xAA, 3);
        sn_put_le32(f.p + 28, sn_crc32c_finish(sn_crc32c_add(SN_CRC32C_INIT, f.p, 28)));
        raw_deliver(b.e, &f);
        while (sp_receive(b.p, b.e) > 0)
            continue;
        assert_int_equal(b.e->recv_dones, 1);
        assert_int_equal(b.e->recv_done[0].status, SN_OK);
        assert_int_equal(b.e->recv_done[0].len, 5);
        assert_false(b.e->recv_done[0].has_invalidated);
        bench_fini(&b);
    }
}

/* [MPA-032] [MPA-033] */
static void crc_off_is_not_checked(void **state)
{
    static struct raw_fpdu f;

    (void)state;
    for (size_t in_pieces = 0; in_pieces < 2; in_pieces++) {
        struct bench b;

        bench_init(&b, false, true);
        b.p->read_max = in_pieces;
        raw_untagged(&f, 0x41, 0x43, 0, 0, 1, 0);
        raw_payload(&f, 5);
        raw_end(&f, false);
        memset(f.p + f.n - 4, 0x5C, 4);
        raw_deliver(b.e, &f);
        while (sp_receive(b.p, b.e) > 0)
            continue;
        assert_int_equal(b.e->recv_dones, 1);
        assert_int_equal(b.e->recv_done[0].status, SN_OK);
        bench_fini(&b);
    }
}

/* A message in segments: what later ones may not do. [DDP-022] [DDP-025] [DDP-026] [DDP-038] */
static void later_segments(void **state)
{
    static const struct {
        const char *what;
        uint8_t rdmap;
        uint32_t msn, mo, len;
        uint8_t layer_type, code;
        enum sn_status recv_status;
    } later[] = {
        {"a hole", 0x43, 1, 61, 5, 0x12, 4, SN_OK},
        {"an overlap", 0x43, 1, 59, 5, 0x12, 4, SN_OK},
        {"again from the start", 0x43, 1, 0, 5, 0x12, 4, SN_OK},
        {"the next message too early", 0x43, 2, 0, 5, 0x12, 3, SN_OK},
        {"another opcode", 0x45, 1, 60, 5, 0x02, 6, SN_OK},
        {"one octet too many", 0x43, 1, 60, RECV_LEN - 59, 0x12, 5, SN_MSG_TOO_LONG},
        {"just fits", 0x43, 1, 60, RECV_LEN - 60, 0, 0, SN_OK},
        {"an empty end", 0x43, 1, 60, 0, 0, 0, SN_OK},
    };
    static struct raw_fpdu f, t;

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(later) * 2; i++) {
        const size_t k = i / 2;
        struct bench b;

        bench_init(&b, false, false);
        b.p->read_max = i % 2;
        raw_untagged(&f, 0x01, 0x43, 0, 0, 1, 0);
        raw_payload(&f, 60);
        raw_end(&f, true);
        raw_deliver(b.e, &f);
        raw_tagged(&f, 0xC1, 0x40, mem_region_stag(b.rw), RW_BASE); /* between them, a Write */
        raw_payload(&f, 4);
        raw_end(&f, true);
        raw_deliver(b.e, &f);
        raw_untagged(&f, 0x41, later[k].rdmap, 0, 0, later[k].msn, later[k].mo);
        raw_payload(&f, later[k].len);
        raw_end(&f, true);
        raw_deliver(b.e, &f);
        while (sp_receive(b.p, b.e) > 0)
            continue;
        assert_int_equal(b.rw->host[3], 4);
        assert_int_equal(b.inbox->host[RECV_LEN], 0);
        if (later[k].layer_type != 0) {
            raw_terminate(&t, later[k].layer_type, later[k].code, BACK_DDP, &f, true);
            raw_expect_terminate(b.p, b.e, &t);
        } else {
            assert_int_equal(b.e->recv_done[0].len, 60 + later[k].len);
        }
        iw_flush(&b.e->stream, SN_CANCELLED);
        assert_int_equal(b.e->recv_dones, 1);
        if (later[k].layer_type == 0)
            assert_int_equal(b.e->recv_done[0].status, SN_OK);
        else if (later[k].recv_status != SN_OK)
            assert_int_equal(b.e->recv_done[0].status, later[k].recv_status);
        else
            assert_int_equal(b.e->recv_done[0].status, SN_CANCELLED);
        bench_fini(&b);
    }
}

/* The receive's own memory is refused: our fault, so no headers go back. Its second element is of
 * another domain, or lacks local write. [VRB-043] */
static void receive_without_access(void **state)
{
    static struct raw_fpdu f, t;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct mem_region *second;
        struct iw_sge sge[2];
        struct bench b;

        bench_init(&b, false, false);
        b.p->read_max = i % 2;
        second = i < 2 ? b.foreign : sp_region(b.p, b.e, 0, 10, MEM_LOCAL_READ | MEM_REMOTE_READ);
        raw_untagged(&f, 0x41, 0x43, 0, 0, 1, 0);
        raw_payload(&f, 5);
        raw_end(&f, true);
        raw_deliver(b.e, &f);
        (void)sp_receive(b.p, b.e);
        while (sp_receive(b.p, b.e) > 0)
            continue;
        assert_int_equal(b.e->recv_dones, 1);
        sge[0] = sp_sge(b.inbox, 0, 10);
        sge[1] = sp_sge(second, 0, 10);
        sp_recv_list(b.e, 2, sge, 2);
        raw_untagged(&f, 0x41, 0x43, 0, 0, 2, 0);
        raw_payload(&f, 20);
        raw_end(&f, true);
        raw_deliver(b.e, &f);
        while (sp_receive(b.p, b.e) > 0)
            continue;
        raw_terminate(&t, 0x00, 0, BACK_NOTHING, NULL, true);
        raw_expect_terminate(b.p, b.e, &t);
        assert_int_equal(b.e->recv_dones, 2);
        assert_int_equal(b.e->recv_done[1].status, SN_NO_ACCESS);
        assert_int_equal(second->host[0], 0);
        bench_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_error_has_its_terminate),
        cmocka_unit_test(malformed_lengths),
        cmocka_unit_test(crc_errors),
        cmocka_unit_test(reserved_bits_are_ignored),
        cmocka_unit_test(crc_off_is_not_checked),
        cmocka_unit_test(later_segments),
        cmocka_unit_test(receive_without_access),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
