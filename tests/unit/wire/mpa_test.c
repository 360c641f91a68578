/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "support/golden.h"
#include "support/octets.h"
#include "support/unit.h"
#include "wire/mpa.h"

static const struct {
    const char *name;
    struct mpa_frame f; /* private data is what the frame has behind its block */
} frames[] = {
    {"E01", {.role = MPA_REQUEST, .revision = 1, .crc = true}},
    {"E02", {.role = MPA_REPLY, .revision = 1, .crc = true, .private_len = 4}},
    {"E03", {.role = MPA_REQUEST,
                .revision = 2,
                .crc = true,
                .is_enhanced = true,
                .p2p = true,
                .rtr_write = true,
                .rtr_read = true,
                .ird = 16,
                .ord = 8,
                .private_len = 2}},
    {"E04", {.role = MPA_REPLY,
                .revision = 2,
                .crc = true,
                .is_enhanced = true,
                .p2p = true,
                .rtr_write = true,
                .ird = 8,
                .ord = 16}},
    {"E05", {.role = MPA_REPLY, .revision = 1, .crc = true, .rejected = true, .private_len = 2}},
};
enum { FRAME_COUNT = sizeof(frames) / sizeof(frames[0]) };

static enum mpa_parse parse(enum mpa_role role, const uint8_t *buf, size_t n, struct mpa_frame *f)
{
    size_t used = 0, need = 0;
    enum mpa_parse result = mpa_frame_parse(role, buf, n, f, &used, &need);

    if (result == MPA_PARSE_OK)
        assert_in_range(used, MPA_FRAME_HEADER_LEN, n);
    if (result == MPA_PARSE_MORE)
        assert_in_range(need, n + 1, MPA_FRAME_LEN_MAX);
    return result;
}

static void assert_same_frame(const struct mpa_frame *a, const struct mpa_frame *b)
{
    assert_int_equal(a->role, b->role);
    assert_int_equal(a->revision, b->revision);
    assert_int_equal(a->markers, b->markers);
    assert_int_equal(a->crc, b->crc);
    assert_int_equal(a->rejected, b->rejected);
    assert_int_equal(a->is_enhanced, b->is_enhanced);
    assert_int_equal(a->p2p, b->p2p);
    assert_int_equal(a->rtr_send, b->rtr_send);
    assert_int_equal(a->rtr_write, b->rtr_write);
    assert_int_equal(a->rtr_read, b->rtr_read);
    assert_int_equal(a->ird, b->ird);
    assert_int_equal(a->ord, b->ord);
    assert_int_equal(a->private_len, b->private_len);
    if (a->private_len > 0)
        assert_memory_equal(a->private_data, b->private_data, a->private_len);
}

static const struct golden *golden_frame(size_t i)
{
    const struct golden *g = golden_find(frames[i].name);

    assert_non_null(g);
    return g;
}

static struct mpa_frame expected_frame(size_t i, const struct golden *g)
{
    struct mpa_frame f = frames[i].f;

    f.private_data = g->p + g->n - f.private_len;
    return f;
}

/* A header for the test to spoil: correct key, then these. */
static void make_header(uint8_t *buf, enum mpa_role role, uint8_t flags, uint8_t rev, uint16_t len)
{
    memcpy(buf, role == MPA_REQUEST ? "MPA ID Req Frame" : "MPA ID Rep Frame", 16);
    buf[16] = flags;
    buf[17] = rev;
    sn_put_be16(buf + 18, len);
}

/* [MPA-001] [MPA-002] [MPA-005] [ECE-001] [ECE-002] [ECE-003] */
static void golden_frames_parse_and_build(void **state)
{
    (void)state;
    for (size_t i = 0; i < FRAME_COUNT; i++) {
        const struct golden *g = golden_frame(i);
        const struct mpa_frame want = expected_frame(i, g);
        uint8_t out[MPA_FRAME_LEN_MAX];
        struct mpa_frame got;
        size_t used = 0, need = 0;

        assert_int_equal(mpa_frame_parse(want.role, g->p, g->n, &got, &used, &need), MPA_PARSE_OK);
        assert_int_equal(used, g->n);
        assert_same_frame(&got, &want);
        assert_int_equal(mpa_frame_build(&want, out, sizeof(out)), g->n);
        assert_memory_equal(out, g->p, g->n);
        assert_int_equal(mpa_frame_build(&got, out, g->n), g->n);
        assert_memory_equal(out, g->p, g->n);
    }
}

/* [MPA-019] [SEC-018] From copies that end where the octets end. */
static void every_prefix_asks_for_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < FRAME_COUNT; i++) {
        const struct golden *g = golden_frame(i);

        for (size_t n = 0; n < g->n; n++) {
            uint8_t *prefix = octets_copy(g->p, n);
            struct mpa_frame f = {.ird = 77};
            size_t used = 99, need = 0;

            assert_int_equal(
                mpa_frame_parse(frames[i].f.role, prefix, n, &f, &used, &need), MPA_PARSE_MORE);
            assert_int_equal(need, n < MPA_FRAME_HEADER_LEN ? MPA_FRAME_HEADER_LEN : g->n);
            assert_int_equal(used, 99); /* outputs of a success are untouched */
            assert_int_equal(f.ird, 77);
            free(prefix);
        }
    }
}

/* [MPA-003] [MPA-004] */
static void a_wrong_key_is_known_at_its_first_wrong_octet(void **state)
{
    (void)state;
    for (size_t i = 0; i < FRAME_COUNT; i++) {
        const struct golden *g = golden_frame(i);
        enum mpa_role role = frames[i].f.role;
        struct mpa_frame f;

        for (size_t at = 0; at < 16; at++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                uint8_t *spoilt = octets_copy(g->p, g->n);

                spoilt[at] ^= (uint8_t)(1u << bit);
                assert_int_equal(parse(role, spoilt, at, &f), MPA_PARSE_MORE);
                assert_int_equal(parse(role, spoilt, at + 1, &f), MPA_PARSE_BAD_KEY);
                assert_int_equal(parse(role, spoilt, g->n, &f), MPA_PARSE_BAD_KEY);
                free(spoilt);
            }
        }
        role = role == MPA_REQUEST ? MPA_REPLY : MPA_REQUEST;
        assert_int_equal(parse(role, g->p, 9, &f), MPA_PARSE_MORE);
        assert_int_equal(parse(role, g->p, 10, &f), MPA_PARSE_BAD_KEY);
        assert_int_equal(parse(role, g->p, g->n, &f), MPA_PARSE_BAD_KEY);
    }
}

/* [MPA-007] [MPA-008] [MPA-009] [MPA-010] [ECE-001] */
static void every_flags_octet_with_every_revision(void **state)
{
    static const enum mpa_role roles[] = {MPA_REQUEST, MPA_REPLY};

    (void)state;
    for (unsigned flags = 0; flags <= 0xFF; flags++) {
        for (unsigned rev = 0; rev <= 0xFF; rev++) {
            for (int r = 0; r < 2; r++) {
                const unsigned sent = rev >= 2 ? 0xF0 : 0xE0; /* flags with a meaning */
                const unsigned kept = sent & ~(roles[r] == MPA_REQUEST ? 0x20u : 0u);
                uint8_t buf[MPA_FRAME_HEADER_LEN + MPA_ENHANCED_LEN] = {0}, out[sizeof(buf)];
                struct mpa_frame f;

                make_header(buf, roles[r], (uint8_t)flags, (uint8_t)rev, MPA_ENHANCED_LEN);
                assert_int_equal(parse(roles[r], buf, sizeof(buf), &f), MPA_PARSE_OK);
                assert_int_equal(f.revision, rev);
                assert_int_equal(f.markers, (flags & 0x80) != 0);
                assert_int_equal(f.crc, (flags & 0x40) != 0);
                assert_int_equal(f.rejected, (flags & 0x20) != 0 && roles[r] == MPA_REPLY);
                assert_int_equal(f.is_enhanced, (flags & 0x10) != 0 && rev >= 2);
                assert_int_equal(f.private_len, f.is_enhanced ? 0 : MPA_ENHANCED_LEN);
                assert_int_equal(mpa_frame_build(&f, out, sizeof(out)), sizeof(out));
                buf[16] = (uint8_t)(flags & kept);
                assert_memory_equal(out, buf, sizeof(out));
            }
        }
    }
}

static void a_request_never_says_rejected(void **state)
{
    const struct mpa_frame f = {.role = MPA_REQUEST, .revision = 1, .rejected = true};
    uint8_t out[MPA_FRAME_HEADER_LEN];

    (void)state;
    assert_int_equal(mpa_frame_build(&f, out, sizeof(out)), sizeof(out));
    assert_int_equal(out[16], 0);
}

/* [MPA-013] [MPA-014] [MPA-015] [MPA-028] */
static void every_length_of_private_data(void **state)
{
    uint8_t buf[MPA_FRAME_LEN_MAX] = {0};
    struct mpa_frame f;

    (void)state;
    for (unsigned len = 0; len <= 0xFFFF; len++) {
        enum mpa_parse want = len <= MPA_PRIVATE_DATA_MAX ? MPA_PARSE_MORE : MPA_PARSE_BAD_LEN;

        make_header(buf, MPA_REQUEST, 0, 1, (uint16_t)len);
        if (len == 0)
            want = MPA_PARSE_OK;
        assert_int_equal(parse(MPA_REQUEST, buf, MPA_FRAME_HEADER_LEN, &f), want);
        if (len <= MPA_PRIVATE_DATA_MAX) {
            assert_int_equal(parse(MPA_REQUEST, buf, MPA_FRAME_HEADER_LEN + len, &f), MPA_PARSE_OK);
            assert_int_equal(f.private_len, len);
            assert_ptr_equal(f.private_data, buf + MPA_FRAME_HEADER_LEN);
        }
    }
}

/* [ECE-024] */
static void an_enhanced_frame_has_room_for_its_block(void **state)
{
    (void)state;
    for (uint16_t len = 0; len <= 8; len++) {
        for (uint8_t rev = 1; rev <= 3; rev++) {
            uint8_t buf[MPA_FRAME_HEADER_LEN + 8] = {0};
            struct mpa_frame f;
            enum mpa_parse want = rev >= 2 && len < 4 ? MPA_PARSE_BAD_LEN : MPA_PARSE_OK;

            make_header(buf, MPA_REPLY, 0x10, rev, len);
            assert_int_equal(parse(MPA_REPLY, buf, sizeof(buf), &f), want);
            if (want == MPA_PARSE_OK) {
                assert_int_equal(f.is_enhanced, rev >= 2);
                assert_int_equal(f.private_len, rev >= 2 ? len - 4 : len);
            }
        }
    }
}

/* [ECE-002] [ECE-015] */
static void every_value_of_the_enhanced_block(void **state)
{
    static const uint16_t others[] = {0, 0x3FFF, 0x4000, 0x8001, 0xC123, 0xFFFF};
    uint8_t buf[MPA_FRAME_HEADER_LEN + MPA_ENHANCED_LEN], out[sizeof(buf)];
    struct mpa_frame f;

    (void)state;
    for (unsigned x = 0; x <= 0xFFFF; x++) {
        for (size_t i = 0; i < 2 * sizeof(others) / sizeof(others[0]); i++) {
            uint16_t ird = i % 2 == 0 ? (uint16_t)x : others[i / 2];
            uint16_t ord = i % 2 == 0 ? others[i / 2] : (uint16_t)x;

            make_header(buf, MPA_REQUEST, 0x10, 2, MPA_ENHANCED_LEN);
            sn_put_be16(buf + 20, ird);
            sn_put_be16(buf + 22, ord);
            assert_int_equal(parse(MPA_REQUEST, buf, sizeof(buf), &f), MPA_PARSE_OK);
            assert_int_equal(f.p2p, (ird & 0x8000) != 0);
            assert_int_equal(f.rtr_send, f.p2p && (ird & 0x4000) != 0);
            assert_int_equal(f.rtr_write, f.p2p && (ord & 0x8000) != 0);
            assert_int_equal(f.rtr_read, f.p2p && (ord & 0x4000) != 0);
            assert_int_equal(f.ird, ird & 0x3FFF);
            assert_int_equal(f.ord, ord & 0x3FFF);
            if (!f.p2p) { /* then the three others are sent as zero */
                sn_put_be16(buf + 20, ird & 0x3FFF);
                sn_put_be16(buf + 22, ord & 0x3FFF);
            }
            assert_int_equal(mpa_frame_build(&f, out, sizeof(out)), sizeof(out));
            assert_memory_equal(out, buf, sizeof(out));
        }
    }
}

/* [ECE-015] */
static void rtr_bits_are_not_sent_without_peer_to_peer(void **state)
{
    const struct mpa_frame f = {.role = MPA_REQUEST,
        .revision = 2,
        .is_enhanced = true,
        .rtr_send = true,
        .rtr_write = true,
        .rtr_read = true,
        .ird = 1,
        .ord = 2};
    uint8_t out[24];

    (void)state;
    assert_int_equal(mpa_frame_build(&f, out, sizeof(out)), 24);
    assert_int_equal(sn_get_be16(out + 20), 1);
    assert_int_equal(sn_get_be16(out + 22), 2);
}

/* The caller judges what is behind the frame; used says where that begins. */
static void octets_behind_the_frame_are_left_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < FRAME_COUNT; i++) {
        const struct golden *g = golden_frame(i);
        uint8_t buf[64];
        struct mpa_frame f;
        size_t used = 0, need = 0;

        memset(buf, 0xEE, sizeof(buf));
        memcpy(buf, g->p, g->n);
        assert_int_equal(
            mpa_frame_parse(frames[i].f.role, buf, sizeof(buf), &f, &used, &need), MPA_PARSE_OK);
        assert_int_equal(used, g->n);
    }
}

static void what_cannot_be_encoded_is_refused(void **state)
{
    static const uint8_t data[MPA_PRIVATE_DATA_MAX + 1];
    static const struct mpa_frame bad[] = {
        {.private_data = data, .private_len = MPA_PRIVATE_DATA_MAX + 1},
        {.private_data = data, .private_len = 509, .revision = 2, .is_enhanced = true},
        {.revision = 1, .is_enhanced = true},
        {.revision = 0, .is_enhanced = true},
        {.revision = 2, .is_enhanced = true, .ird = 0x4000},
        {.revision = 2, .is_enhanced = true, .ord = 0x4000},
        {.revision = 2, .is_enhanced = true, .ord = 0xFFFF},
    };
    static const struct mpa_frame good[] = {
        {.private_data = data, .private_len = MPA_PRIVATE_DATA_MAX},
        {.private_data = data, .private_len = 508, .revision = 2, .is_enhanced = true},
        {.revision = 2, .is_enhanced = true, .ird = 0x3FFF, .ord = 0x3FFF},
        {.revision = 1, .ird = 0x4000, .ord = 0x4000}, /* not sent, so not looked at */
    };
    uint8_t out[MPA_FRAME_LEN_MAX + 8];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(mpa_frame_build(&bad[i], out, sizeof(out)), 0);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(mpa_frame_build(&good[i], out, sizeof(out)) >= MPA_FRAME_HEADER_LEN);
}

static void a_buffer_that_is_too_small_is_not_touched(void **state)
{
    (void)state;
    for (size_t i = 0; i < FRAME_COUNT; i++) {
        const struct golden *g = golden_frame(i);
        const struct mpa_frame f = expected_frame(i, g);

        for (size_t cap = 0; cap < g->n; cap++) {
            uint8_t *out = octets_copy(g->p, cap);

            memset(out, 0xEE, cap);
            assert_int_equal(mpa_frame_build(&f, out, cap), 0);
            for (size_t at = 0; at < cap; at++)
                assert_int_equal(out[at], 0xEE);
            free(out);
        }
    }
}

static void what_is_built_parses_to_the_same(void **state)
{
    uint8_t data[MPA_PRIVATE_DATA_MAX], out[MPA_FRAME_LEN_MAX];
    uint64_t x = 1;

    (void)state;
    random_fill(&x, data, sizeof(data));
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = random_next(&x);
        struct mpa_frame f = {.role = (bits & 1) != 0 ? MPA_REPLY : MPA_REQUEST,
            .revision = (uint8_t)(bits >> 8),
            .markers = (bits & 2) != 0,
            .crc = (bits & 4) != 0,
            .private_data = data};
        struct mpa_frame got;
        size_t n;

        f.rejected = f.role == MPA_REPLY && (bits & 8) != 0;
        f.is_enhanced = f.revision >= 2 && (bits & 16) != 0;
        f.private_len = (uint16_t)(random_next(&x) % (f.is_enhanced ? 509 : 513));
        if (f.is_enhanced) {
            f.p2p = (bits & 32) != 0;
            f.rtr_send = f.p2p && (bits & 64) != 0;
            f.rtr_write = f.p2p && (bits & 128) != 0;
            f.rtr_read = f.p2p && (bits & 65536) != 0;
            f.ird = (uint16_t)((bits >> 32) & 0x3FFF);
            f.ord = (uint16_t)((bits >> 48) & 0x3FFF);
        }
        n = mpa_frame_build(&f, out, sizeof(out));
        assert_true(n >= MPA_FRAME_HEADER_LEN);
        assert_int_equal(parse(f.role, out, n, &got), MPA_PARSE_OK);
        assert_same_frame(&got, &f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_frames_parse_and_build),
        cmocka_unit_test(every_prefix_asks_for_more),
        cmocka_unit_test(a_wrong_key_is_known_at_its_first_wrong_octet),
        cmocka_unit_test(every_flags_octet_with_every_revision),
        cmocka_unit_test(a_request_never_says_rejected),
        cmocka_unit_test(every_length_of_private_data),
        cmocka_unit_test(an_enhanced_frame_has_room_for_its_block),
        cmocka_unit_test(every_value_of_the_enhanced_block),
        cmocka_unit_test(rtr_bits_are_not_sent_without_peer_to_peer),
        cmocka_unit_test(octets_behind_the_frame_are_left_alone),
        cmocka_unit_test(what_cannot_be_encoded_is_refused),
        cmocka_unit_test(a_buffer_that_is_too_small_is_not_touched),
        cmocka_unit_test(what_is_built_parses_to_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
