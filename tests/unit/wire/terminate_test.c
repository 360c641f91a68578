/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "support/golden.h"
#include "support/octets.h"
#include "support/unit.h"
#include "wire/fpdu.h"
#include "wire/rdmap.h"

/* The RDMAP part of a golden Terminate. */
static const uint8_t *term_octets(const char *name, size_t *n)
{
    const struct golden *g = golden_find(name);

    assert_non_null(g);
    *n = sn_get_be16(g->p) - (size_t)DDP_UNTAGGED_LEN;
    return g->p + MPA_LEN_FIELD + DDP_UNTAGGED_LEN;
}

/* A golden segment as the receiver has it when it finds an error in it. */
struct offender {
    struct ddp_segment s;
    struct rdmap_read_req read;
    uint32_t ulpdu_len;
};

static struct offender offender_of(const char *name)
{
    const struct golden *g = golden_find(name);
    struct offender o = {.ulpdu_len = sn_get_be16(g->p)};

    assert_int_equal(
        ddp_segment_parse(g->p + MPA_LEN_FIELD, o.ulpdu_len, o.ulpdu_len, true, &o.s), WIRE_OK);
    if (o.s.opcode == RDMAP_READ_REQ)
        rdmap_read_req_parse(g->p + MPA_LEN_FIELD + DDP_UNTAGGED_LEN, &o.read);
    return o;
}

/* E13 to E18: what goes wrong, with what, and the Terminate that it makes. */
static const struct {
    const char *name, *offender;
    enum wire_err e;
    uint8_t layer, type, code;
    bool has_ddp, has_read;
} golden_terms[] = {
    {"E13", "E08", WIRE_DDP_STAG_INVALID, 1, 1, 0x00, true, false},
    {"E14", "E10", WIRE_RDMAP_BASE_BOUNDS, 0, 1, 0x01, true, true},
    {"E15", "E06", WIRE_MPA_CRC, 2, 0, 0x02, false, false},
    {"E16", "E06", WIRE_LOCAL_CATASTROPHIC, 0, 0, 0x00, false, false},
    {"E17", "E06", WIRE_MPA_NO_RTR, 2, 0, 0x07, false, false},
    {"E18", "E06", WIRE_DDP_NO_BUFFER, 1, 2, 0x02, true, false},
};
enum { TERM_COUNT = sizeof(golden_terms) / sizeof(golden_terms[0]) };

/* [RDM-040] [RDM-041] [RDM-042] */
static void golden_terminates_are_built(void **state)
{
    (void)state;
    for (size_t i = 0; i < TERM_COUNT; i++) {
        struct offender o = offender_of(golden_terms[i].offender);
        uint8_t out[RDMAP_TERM_LEN_MAX];
        struct rdmap_term t;
        size_t n;
        const uint8_t *want = term_octets(golden_terms[i].name, &n);

        rdmap_term_init(&t, golden_terms[i].e, &o.s, o.ulpdu_len, &o.read);
        assert_int_equal(rdmap_term_build(&t, out), n);
        assert_memory_equal(out, want, n);
    }
}

static void golden_terminates_are_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < TERM_COUNT; i++) {
        struct offender o = offender_of(golden_terms[i].offender);
        uint8_t out[RDMAP_TERM_LEN_MAX];
        struct rdmap_term t;
        size_t n;
        const uint8_t *p = term_octets(golden_terms[i].name, &n);

        assert_true(rdmap_term_parse(p, n, &t));
        assert_int_equal(t.layer, golden_terms[i].layer);
        assert_int_equal(t.type, golden_terms[i].type);
        assert_int_equal(t.code, golden_terms[i].code);
        assert_int_equal(t.has_ddp, golden_terms[i].has_ddp);
        assert_int_equal(t.has_read, golden_terms[i].has_read);
        if (t.has_ddp) {
            assert_int_equal(t.ddp_segment_len, o.ulpdu_len);
            assert_int_equal(t.ddp.is_tagged, o.s.is_tagged);
            assert_int_equal(t.ddp.opcode, o.s.opcode);
            assert_int_equal(t.ddp.stag, o.s.stag);
            assert_true(t.ddp.to == o.s.to);
            assert_int_equal(t.ddp.msn, o.s.msn);
        }
        if (t.has_read) {
            assert_int_equal(t.read.sink_stag, 0x00020002);
            assert_int_equal(t.read.size, 16);
            assert_int_equal(t.read.src_stag, 0x0a0b0c01);
            assert_true(t.read.src_to == 0x1000);
        }
        assert_int_equal(rdmap_term_build(&t, out), n);
        assert_memory_equal(out, p, n);
    }
}

/* [RDM-041] The table of headers, for every error and every kind of segment. */
static void headers_follow_the_error(void **state)
{
    static const char *const offenders[] = {NULL, "E06", "E08", "E10", "E21"};
    static const size_t sizes[] = {0, 18, 14, 18, 18};

    (void)state;
    for (unsigned e = 0; e < WIRE_ERR_COUNT; e++) {
        const struct wire_err_info *info = wire_err_info((enum wire_err)e);

        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct offender o =
                i > 0 ? offender_of(offenders[i]) : (struct offender){.ulpdu_len = 0};
            bool is_read = i > 0 && o.s.opcode == RDMAP_READ_REQ;
            uint8_t out[RDMAP_TERM_LEN_MAX], flags = 0;
            struct rdmap_term t;
            size_t want = 4;

            if (info->headers != WIRE_HDR_NONE && i > 0) {
                want += 2 + sizes[i];
                flags = 0xC0;
                if (info->headers == WIRE_HDR_READ && is_read) {
                    want += RDMAP_READ_REQ_LEN;
                    flags = 0xE0;
                }
            }
            rdmap_term_init(
                &t, (enum wire_err)e, i > 0 ? &o.s : NULL, o.ulpdu_len, is_read ? &o.read : NULL);
            assert_int_equal(rdmap_term_build(&t, out), want);
            assert_int_equal(out[0], (info->layer << 4) | info->type);
            assert_int_equal(out[1], info->code);
            assert_int_equal(out[2], flags);
            assert_int_equal(out[3], 0);
            /* a Read Request whose header nobody has is left out */
            rdmap_term_init(&t, (enum wire_err)e, i > 0 ? &o.s : NULL, o.ulpdu_len, NULL);
            assert_false(t.has_read);
        }
    }
}

/* What is left of a Read that failed in the middle is told by an advanced header. */
static void the_read_header_is_the_callers(void **state)
{
    struct offender o = offender_of("E10");
    uint8_t out[RDMAP_TERM_LEN_MAX];
    struct rdmap_term t, got;

    (void)state;
    o.read.sink_to += 10;
    o.read.src_to += 10;
    o.read.size -= 10;
    rdmap_term_init(&t, WIRE_RDMAP_STAG_INVALID, &o.s, o.ulpdu_len, &o.read);
    assert_true(rdmap_term_parse(out, rdmap_term_build(&t, out), &got));
    assert_true(got.has_read);
    assert_true(got.read.sink_to == 0x200A && got.read.src_to == 0x100A);
    assert_int_equal(got.read.size, 6);
}

/* The versions and reserved bits of the offending header come back as they were. [RDM-041] */
static void a_header_of_a_wrong_version_is_returned_as_it_came(void **state)
{
    const struct golden *g = golden_find("E06");
    uint8_t ulpdu[64], out[RDMAP_TERM_LEN_MAX];

    (void)state;
    for (unsigned ddp = 0; ddp <= 0xFF; ddp++) {
        struct ddp_segment s;
        struct rdmap_term t;
        enum wire_err e;
        size_t n;

        memcpy(ulpdu, g->p + MPA_LEN_FIELD, 23);
        ulpdu[0] = (uint8_t)ddp;
        ulpdu[1] = (uint8_t)(ddp * 7 + 1);
        e = ddp_segment_parse(ulpdu, 23, 23, false, &s);
        if (e == WIRE_OK)
            continue;
        rdmap_term_init(&t, e, &s, 23, NULL);
        n = rdmap_term_build(&t, out);
        assert_int_equal(n, 6 + s.header_len);
        assert_int_equal(sn_get_be16(out + 4), 23);
        assert_memory_equal(out + 6, ulpdu, s.header_len);
    }
}

/* [RDM-049] Every truncation, by the exact size of its memory. */
static void a_truncated_terminate_loses_only_what_is_missing(void **state)
{
    (void)state;
    for (size_t i = 0; i < TERM_COUNT; i++) {
        size_t whole;
        const uint8_t *p = term_octets(golden_terms[i].name, &whole);

        for (size_t n = 0; n < whole; n++) {
            uint8_t *part = octets_copy(p, n);
            struct rdmap_term t = {.code = 77};
            size_t ddp_end =
                6 + (golden_terms[i].type == 1 && golden_terms[i].layer == 1 ? 14 : 18);

            if (n < 4) {
                assert_false(rdmap_term_parse(part, n, &t));
                assert_int_equal(t.code, 77);
            } else {
                assert_true(rdmap_term_parse(part, n, &t));
                assert_int_equal(t.layer, golden_terms[i].layer);
                assert_int_equal(t.type, golden_terms[i].type);
                assert_int_equal(t.code, golden_terms[i].code);
                assert_int_equal(t.has_ddp, n >= ddp_end);
                assert_false(t.has_read);
                assert_int_equal(t.ddp_segment_len != 0, n >= 6);
            }
            free(part);
        }
    }
}

/* [RDM-042] [RDM-049] Every control, with every length behind it: parsed, and never over-read. */
static void every_control_with_every_length(void **state)
{
    uint8_t p[64];
    uint64_t x = 7;

    (void)state;
    random_fill(&x, p, sizeof(p));
    for (unsigned flags = 0; flags <= 0xFF; flags++) {
        for (size_t n = 4; n <= sizeof(p); n++) {
            for (unsigned tagged = 0; tagged < 2; tagged++) {
                uint8_t *part = octets_copy(p, n);
                struct rdmap_term t;
                size_t ddp_end = tagged != 0 ? 20 : 24;

                part[0] = 0x11;
                part[1] = 0x01;
                part[2] = (uint8_t)flags;
                part[3] = 0x5A; /* reserved, so this is not how siw writes it */
                if (n > 6)
                    part[6] = tagged != 0 ? 0xC1 : 0x41;
                assert_true(rdmap_term_parse(part, n, &t));
                assert_int_equal(t.layer, 1);
                assert_int_equal(t.type, 1);
                assert_int_equal(t.has_ddp, (flags & 0x40) != 0 && n >= ddp_end);
                assert_int_equal(
                    t.has_read, (flags & 0x60) == 0x60 && tagged == 0 && n >= ddp_end + 28);
                free(part);
            }
        }
    }
}

/* [RDM-049] As siw does for a Send with Invalidate that failed. */
static void a_read_flag_without_its_header_is_not_believed(void **state)
{
    size_t n;
    const uint8_t *e18 = term_octets("E18", &n);
    uint8_t p[RDMAP_TERM_LEN_MAX];
    struct rdmap_term t;

    (void)state;
    memcpy(p, e18, n);
    p[2] |= 0x20;
    assert_true(rdmap_term_parse(p, n, &t));
    assert_true(t.has_ddp);
    assert_false(t.has_read);
}

/* [RDM-050] */
static void mpa_errors_of_nics_are_understood(void **state)
{
    static const uint8_t p[] = {0x23, 0x02, 0x00, 0x00};
    struct rdmap_term t;
    enum wire_err e;

    (void)state;
    assert_true(rdmap_term_parse(p, sizeof(p), &t));
    assert_int_equal(t.layer, 2);
    assert_int_equal(t.type, 3);
    assert_true(wire_err_from_code(t.layer, t.type, t.code, &e));
    assert_int_equal(e, WIRE_MPA_CRC);
}

/* siw lays out layer, type and flags from the low bit up. */
static void make_siw_form(uint8_t *p)
{
    unsigned flags = p[2];

    p[0] = (uint8_t)((p[0] << 4) | (p[0] >> 4));
    p[2] = (uint8_t)(((flags & 0x80) >> 7) | ((flags & 0x40) >> 5) | ((flags & 0x20) >> 3));
}

static void terminates_of_siw_are_put_right(void **state)
{
    (void)state;
    for (unsigned e = WIRE_LOCAL_CATASTROPHIC; e < WIRE_ERR_COUNT; e++) {
        struct offender o = offender_of("E10");
        uint8_t p[RDMAP_TERM_LEN_MAX], again[RDMAP_TERM_LEN_MAX];
        struct rdmap_term t, want;
        size_t n;

        rdmap_term_init(&want, (enum wire_err)e, &o.s, o.ulpdu_len, &o.read);
        n = rdmap_term_build(&want, p);
        memcpy(again, p, n);
        make_siw_form(p);
        assert_true(rdmap_term_parse(p, n, &t));
        if (want.layer == 2 && want.code >= 5) {
            /* Without flags these read as errors of RDMAP, which they keep being. */
            assert_int_equal(t.layer, 0);
            assert_int_equal(t.type, 2);
            continue;
        }
        assert_int_equal(t.layer, want.layer);
        assert_int_equal(t.type, want.type);
        assert_int_equal(t.code, want.code);
        assert_int_equal(t.has_ddp, want.has_ddp);
        assert_int_equal(t.has_read, want.has_read);
        assert_int_equal(rdmap_term_build(&t, p), n);
        assert_memory_equal(p, again, n);
    }
}

/* Ours, and those of any peer that follows the RFC, are never taken for the other form. */
static void terminates_of_others_stay_as_they_are(void **state)
{
    static const char *const offenders[] = {NULL, "E06", "E08", "E10"};

    (void)state;
    for (unsigned e = WIRE_LOCAL_CATASTROPHIC; e < WIRE_ERR_COUNT; e++) {
        for (size_t i = 0; i < 4; i++) {
            struct offender o =
                i > 0 ? offender_of(offenders[i]) : (struct offender){.ulpdu_len = 0};
            const struct wire_err_info *info = wire_err_info((enum wire_err)e);
            uint8_t p[RDMAP_TERM_LEN_MAX], again[RDMAP_TERM_LEN_MAX];
            struct rdmap_term t;
            size_t n;

            rdmap_term_init(&t, (enum wire_err)e, i > 0 ? &o.s : NULL, o.ulpdu_len, &o.read);
            n = rdmap_term_build(&t, p);
            assert_true(rdmap_term_parse(p, n, &t));
            assert_int_equal(t.layer, info->layer);
            assert_int_equal(t.type, info->type);
            assert_int_equal(t.code, info->code);
            assert_int_equal(rdmap_term_build(&t, again), n);
            assert_memory_equal(again, p, n);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_terminates_are_built),
        cmocka_unit_test(golden_terminates_are_parsed),
        cmocka_unit_test(headers_follow_the_error),
        cmocka_unit_test(the_read_header_is_the_callers),
        cmocka_unit_test(a_header_of_a_wrong_version_is_returned_as_it_came),
        cmocka_unit_test(a_truncated_terminate_loses_only_what_is_missing),
        cmocka_unit_test(every_control_with_every_length),
        cmocka_unit_test(a_read_flag_without_its_header_is_not_believed),
        cmocka_unit_test(mpa_errors_of_nics_are_understood),
        cmocka_unit_test(terminates_of_siw_are_put_right),
        cmocka_unit_test(terminates_of_others_stay_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
