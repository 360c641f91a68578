/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/crc32c.h"
#include "support/golden.h"
#include "support/octets.h"
#include "support/unit.h"
#include "wire/fpdu.h"
#include "wire/rdmap.h"

/* What the headers of the golden FPDUs say. */
static const struct {
    const char *name;
    struct ddp_segment s;
} segments[] = {
    {"E06", {.is_last = true, .opcode = 0x3, .qn = 0, .msn = 1, .payload_len = 5}},
    {"E07", {.is_last = true, .opcode = 0x6, .stag = 0x00012345, .msn = 2, .payload_len = 2}},
    {"E08", {.is_tagged = true,
                .is_last = true,
                .opcode = 0x0,
                .stag = 0x0a0b0c01,
                .to = 0x1000,
                .payload_len = 8}},
    {"E09", {.is_tagged = true, .is_last = true, .opcode = 0x0}},
    {"E10", {.is_last = true, .opcode = 0x1, .qn = 1, .msn = 1, .payload_len = 28}},
    {"E11", {.is_tagged = true,
                .is_last = true,
                .opcode = 0x2,
                .stag = 0x00020002,
                .to = 0x2000,
                .payload_len = 16}},
    {"E12a", {.is_last = true, .opcode = 0x1, .qn = 1, .msn = 1, .payload_len = 28}},
    {"E12b", {.is_tagged = true, .is_last = true, .opcode = 0x2}},
    {"E13", {.is_last = true, .opcode = 0x7, .qn = 2, .msn = 1, .payload_len = 20}},
    {"E14", {.is_last = true, .opcode = 0x7, .qn = 2, .msn = 1, .payload_len = 52}},
    {"E15", {.is_last = true, .opcode = 0x7, .qn = 2, .msn = 1, .payload_len = 4}},
    {"E16", {.is_last = true, .opcode = 0x7, .qn = 2, .msn = 1, .payload_len = 4}},
    {"E17", {.is_last = true, .opcode = 0x7, .qn = 2, .msn = 1, .payload_len = 4}},
    {"E18", {.is_last = true, .opcode = 0x7, .qn = 2, .msn = 1, .payload_len = 24}},
    {"E19a", {.is_last = false, .opcode = 0x3, .msn = 3, .payload_len = 8}},
    {"E19b", {.is_last = true, .opcode = 0x3, .msn = 3, .mo = 8, .payload_len = 3}},
    {"E20", {.is_last = true, .opcode = 0x8, .msn = 4, .payload_len = 8}},
    {"E21", {.is_last = true, .opcode = 0xA, .qn = 1, .msn = 2, .payload_len = 52}},
    {"E22", {.is_last = true, .opcode = 0xA, .qn = 1, .msn = 3, .payload_len = 52}},
    {"E23", {.is_last = true, .opcode = 0xB, .qn = 3, .msn = 1, .payload_len = 12}},
    {"E24", {.is_last = true, .opcode = 0x3, .msn = 1, .payload_len = 5}},
};
enum { SEGMENT_COUNT = sizeof(segments) / sizeof(segments[0]) };

static void assert_same_segment(const struct ddp_segment *a, const struct ddp_segment *b)
{
    assert_int_equal(a->is_tagged, b->is_tagged);
    assert_int_equal(a->is_last, b->is_last);
    assert_int_equal(a->opcode, b->opcode);
    assert_int_equal(a->stag, b->stag);
    assert_true(a->to == b->to);
    assert_int_equal(a->qn, b->qn);
    assert_int_equal(a->msn, b->msn);
    assert_int_equal(a->mo, b->mo);
    assert_int_equal(a->payload_len, b->payload_len);
}

static const struct golden *golden_fpdu(const char *name, const uint8_t **ulpdu, uint32_t *len)
{
    const struct golden *g = golden_find(name);

    assert_non_null(g);
    *ulpdu = g->p + MPA_LEN_FIELD;
    *len = sn_get_be16(g->p);
    return g;
}

/* [DDP-001] [DDP-006] [RDM-001] [RDM-004] [RDM-040] */
static void golden_headers_parse_and_build(void **state)
{
    assert_int_equal(SEGMENT_COUNT, GOLDEN_COUNT - GOLDEN_FRAME_COUNT);
    (void)state;
    for (size_t i = 0; i < SEGMENT_COUNT; i++) {
        const struct ddp_segment *want = &segments[i].s;
        uint8_t out[DDP_UNTAGGED_LEN];
        struct ddp_segment got;
        const uint8_t *ulpdu;
        uint32_t len;

        golden_fpdu(segments[i].name, &ulpdu, &len);
        assert_int_equal(ddp_segment_parse(ulpdu, len, len, true, &got), WIRE_OK);
        assert_same_segment(&got, want);
        assert_int_equal(got.header_len, want->is_tagged ? 14 : 18);
        assert_true(got.is_received);
        assert_memory_equal(got.ctrl, ulpdu, 2);

        assert_int_equal(ddp_segment_build(want, out), got.header_len);
        assert_memory_equal(out, ulpdu, got.header_len);
        assert_int_equal(ddp_segment_build(&got, out), got.header_len);
        assert_memory_equal(out, ulpdu, got.header_len);

        /* with the header alone at hand */
        assert_int_equal(ddp_segment_parse(ulpdu, got.header_len, len, true, &got), WIRE_OK);
        assert_same_segment(&got, want);
    }
}

/* [MPA-048] */
static void every_truncation_is_a_catastrophe_of_ddp(void **state)
{
    (void)state;
    for (size_t i = 0; i < SEGMENT_COUNT; i++) {
        const uint8_t *ulpdu;
        uint32_t len;

        golden_fpdu(segments[i].name, &ulpdu, &len);
        for (uint32_t n = 0; n < (segments[i].s.is_tagged ? 14 : 18); n++) {
            uint8_t *part = octets_copy(ulpdu, n), out[DDP_UNTAGGED_LEN];
            struct ddp_segment s;

            memset(&s, 0xEE, sizeof(s));
            assert_int_equal(ddp_segment_parse(part, n, n, true, &s), WIRE_DDP_CATASTROPHIC);
            assert_int_equal(s.payload_len, 0);
            if (n >= 2) { /* what there was is there, then zeros */
                size_t built = ddp_segment_build(&s, out);

                assert_int_equal(built, s.header_len);
                assert_memory_equal(out, ulpdu, n);
                while (built-- > n)
                    assert_int_equal(out[built], 0);
            }
            free(part);
        }
    }
}

static void the_first_bit_says_how_long_the_header_is(void **state)
{
    (void)state;
    for (unsigned octet = 0; octet <= 0xFF; octet++)
        assert_int_equal(ddp_header_len((uint8_t)octet), octet >= 0x80 ? 14 : 18);
}

/* The rules once more, from the tables of the protocol and not from the code. */
enum { ANY_LENGTH = 999 };
static const struct {
    bool is_known, is_7306, is_tagged, is_single;
    uint32_t qn, len;
} rules[16] = {
    [0x0] = {true, false, true, false, 0, ANY_LENGTH},
    [0x1] = {true, false, false, true, 1, 28},
    [0x2] = {true, false, true, false, 0, ANY_LENGTH},
    [0x3] = {true, false, false, false, 0, ANY_LENGTH},
    [0x4] = {true, false, false, false, 0, ANY_LENGTH},
    [0x5] = {true, false, false, false, 0, ANY_LENGTH},
    [0x6] = {true, false, false, false, 0, ANY_LENGTH},
    [0x7] = {true, false, false, true, 2, ANY_LENGTH},
    [0x8] = {true, true, false, true, 0, 8},
    [0x9] = {true, true, false, true, 0, 8},
    [0xA] = {true, true, false, true, 1, 52},
    [0xB] = {true, true, false, true, 3, 12},
};

static enum wire_err by_rule(unsigned ddp, unsigned rdmap, uint32_t qn, uint32_t len, bool rfc7306)
{
    unsigned op = rdmap & 0xF;
    bool is_tagged = ddp >= 0x80;

    if (ddp % 4 != 1)
        return is_tagged ? WIRE_DDP_TAGGED_VERSION : WIRE_DDP_UNTAGGED_VERSION;
    if (rdmap / 64 != 1)
        return WIRE_RDMAP_VERSION;
    if (!rules[op].is_known || (rules[op].is_7306 && !rfc7306) || is_tagged != rules[op].is_tagged)
        return WIRE_RDMAP_OPCODE;
    if (!is_tagged && qn != rules[op].qn)
        return WIRE_DDP_QN;
    if (rules[op].is_single && (ddp & 0x40) == 0)
        return WIRE_RDMAP_STREAM_CATASTROPHIC;
    if (rules[op].len != ANY_LENGTH && len > rules[op].len)
        return WIRE_DDP_TOO_LONG;
    if (rules[op].len != ANY_LENGTH && len < rules[op].len)
        return WIRE_RDMAP_UNSPECIFIED;
    return WIRE_OK;
}

/* [DDP-002] [DDP-003] [DDP-004] [DDP-020] [DDP-021] [RDM-002] [RDM-003] [RDM-005] [RDM-006]
 * [RDM-018] [EXT-001] [EXT-002] */
static void every_pair_of_control_octets(void **state)
{
    static const uint32_t qns[] = {0, 1, 2, 3, 4, 0x80000000u, 0xFFFFFFFFu};
    static const uint32_t lens[] = {0, 7, 8, 9, 12, 28, 52, 65517};
    uint8_t p[DDP_UNTAGGED_LEN] = {0};

    (void)state;
    for (unsigned ddp = 0; ddp <= 0xFF; ddp++) {
        for (unsigned rdmap = 0; rdmap <= 0xFF; rdmap++) {
            p[0] = (uint8_t)ddp;
            p[1] = (uint8_t)rdmap;
            for (size_t i = 0; i < 2 * sizeof(qns) / sizeof(qns[0]); i++) {
                for (size_t j = 0; j < sizeof(lens) / sizeof(lens[0]); j++) {
                    uint32_t qn = qns[i / 2], header_len = ddp >= 0x80 ? 14 : 18;
                    bool rfc7306 = i % 2 == 0;
                    struct ddp_segment s;
                    enum wire_err got;

                    sn_put_be32(p + 6, qn);
                    got = ddp_segment_parse(p, header_len, header_len + lens[j], rfc7306, &s);
                    assert_int_equal(got, by_rule(ddp, rdmap, qn, lens[j], rfc7306));
                    /* filled in any case, for a Terminate */
                    assert_int_equal(s.opcode, rdmap & 0xF);
                    assert_int_equal(s.is_last, (ddp & 0x40) != 0);
                    assert_int_equal(s.payload_len, lens[j]);
                    assert_int_equal(s.header_len, header_len);
                    assert_memory_equal(s.ctrl, p, 2);
                }
            }
        }
    }
}

/* [RDM-018] [EXT-002] Every length around the one that is right. */
static void a_header_of_rdmap_has_exactly_its_length(void **state)
{
    (void)state;
    for (unsigned op = 0; op < 16; op++) {
        for (uint32_t len = 0; len <= 80; len++) {
            struct ddp_segment in = {.is_last = true, .opcode = (uint8_t)op, .qn = rules[op].qn};
            struct ddp_segment s;
            uint8_t p[DDP_UNTAGGED_LEN];
            enum wire_err want = by_rule(0x41, 0x40 | op, rules[op].qn, len, true);

            assert_int_equal(ddp_segment_build(&in, p), sizeof(p));
            assert_int_equal(ddp_segment_parse(p, sizeof(p), 18 + len, true, &s), want);
            if (op == RDMAP_READ_REQ) {
                assert_int_equal(want, len < 28   ? WIRE_RDMAP_UNSPECIFIED
                                       : len > 28 ? WIRE_DDP_TOO_LONG
                                                  : WIRE_OK);
            }
        }
    }
}

/* [DDP-004] [RDM-003] */
static void reserved_bits_are_ignored_and_sent_as_zero(void **state)
{
    (void)state;
    for (size_t i = 0; i < SEGMENT_COUNT; i++) {
        struct ddp_segment s;
        const uint8_t *ulpdu;
        uint8_t p[DDP_UNTAGGED_LEN], out[DDP_UNTAGGED_LEN];
        uint32_t len;

        golden_fpdu(segments[i].name, &ulpdu, &len);
        memcpy(p, ulpdu, segments[i].s.is_tagged ? 14 : 18);
        p[0] |= 0x3C;
        p[1] |= 0x30;
        assert_int_equal(ddp_segment_parse(p, sizeof(p), len, true, &s), WIRE_OK);
        assert_same_segment(&s, &segments[i].s);
        assert_memory_equal(s.ctrl, p, 2);
        assert_int_equal(ddp_segment_build(&s, out), s.header_len);
        assert_memory_equal(out, ulpdu, s.header_len);
    }
}

/* Every field keeps all of its bits. */
static void what_is_built_parses_to_the_same(void **state)
{
    uint64_t x = 3;

    (void)state;
    for (int i = 0; i < 50000; i++) {
        uint8_t out[DDP_UNTAGGED_LEN], again[DDP_UNTAGGED_LEN];
        uint64_t bits = random_next(&x);
        unsigned op = (unsigned)(bits % 12);
        struct ddp_segment got, s = {.is_tagged = rules[op].is_tagged,
                                    .is_last = rules[op].is_single || (bits & 16) != 0,
                                    .opcode = (uint8_t)op,
                                    .stag = (uint32_t)(bits >> 32)};

        if (s.is_tagged) {
            s.to = random_next(&x);
        } else {
            s.qn = rules[op].qn;
            s.msn = (uint32_t)random_next(&x);
            s.mo = (uint32_t)random_next(&x);
        }
        s.payload_len =
            rules[op].len == ANY_LENGTH ? (uint32_t)(bits >> 16) % 65518 : rules[op].len;
        s.header_len = (uint32_t)ddp_segment_build(&s, out);
        assert_int_equal(
            ddp_segment_parse(out, s.header_len, s.header_len + s.payload_len, true, &got),
            WIRE_OK);
        assert_same_segment(&got, &s);
        assert_int_equal(ddp_segment_build(&got, again), s.header_len);
        assert_memory_equal(again, out, s.header_len);
    }
}

/* [MPA-035] With CRC, no changed bit gets past it: not even one in the length. */
static void each_bit_flip_is_caught_by_the_crc(void **state)
{
    static const char *const names[] = {"E06", "E08", "E10"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct golden *g = golden_find(names[i]);
        uint8_t p[64];

        for (size_t bit = 0; bit < 8 * g->n; bit++) {
            size_t len;

            memcpy(p, g->p, g->n);
            p[bit / 8] ^= (uint8_t)(1u << bit % 8);
            len = mpa_fpdu_len(sn_get_be16(p));
            if (len > g->n)
                continue; /* waits for octets that are not there */
            assert_int_not_equal(
                sn_crc32c_finish(sn_crc32c_add(SN_CRC32C_INIT, p, len - MPA_CRC_LEN)),
                sn_get_le32(p + len - MPA_CRC_LEN));
        }
    }
}

/* Without, it is a clean decode or a listed error, as the rules say. */
static void each_bit_flip_without_crc_is_decoded_or_named(void **state)
{
    static const char *const names[] = {"E06", "E08", "E10"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct golden *g = golden_find(names[i]);

        for (size_t bit = 0; bit < 8 * (g->n - MPA_CRC_LEN); bit++) {
            uint8_t *p = octets_copy(g->p, g->n), *ulpdu;
            struct ddp_segment s;
            enum wire_err got, want;
            uint32_t len, header_len;

            p[bit / 8] ^= (uint8_t)(1u << bit % 8);
            len = sn_get_be16(p);
            if (mpa_fpdu_len(len) <= g->n) {
                ulpdu = octets_copy(p + MPA_LEN_FIELD, len);
                header_len = p[MPA_LEN_FIELD] >= 0x80 ? 14 : 18;
                got = ddp_segment_parse(ulpdu, len, len, false, &s);
                want = len < header_len
                           ? WIRE_DDP_CATASTROPHIC
                           : by_rule(p[2], p[3], sn_get_be32(p + 8), len - header_len, false);
                assert_int_equal(got, want);
                free(ulpdu);
            }
            free(p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_headers_parse_and_build),
        cmocka_unit_test(every_truncation_is_a_catastrophe_of_ddp),
        cmocka_unit_test(the_first_bit_says_how_long_the_header_is),
        cmocka_unit_test(every_pair_of_control_octets),
        cmocka_unit_test(a_header_of_rdmap_has_exactly_its_length),
        cmocka_unit_test(reserved_bits_are_ignored_and_sent_as_zero),
        cmocka_unit_test(what_is_built_parses_to_the_same),
        cmocka_unit_test(each_bit_flip_is_caught_by_the_crc),
        cmocka_unit_test(each_bit_flip_without_crc_is_decoded_or_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
