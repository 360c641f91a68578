/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/crc32c.h"
#include "support/golden.h"
#include "support/octets.h"
#include "support/unit.h"
#include "wire/fpdu.h"

enum { STREAM_MAX = 80000 };

static uint32_t crc_of(const uint8_t *p, size_t n)
{
    return sn_crc32c_finish(sn_crc32c_add(SN_CRC32C_INIT, p, n));
}

/* [MPA-037] [MPA-041] */
static void every_length_is_padded_to_four(void **state)
{
    (void)state;
    for (uint32_t len = 0; len <= MPA_ULPDU_LEN_MAX; len++) {
        uint32_t pad = mpa_pad_len(len);

        assert_true(pad <= MPA_PAD_MAX);
        assert_int_equal((MPA_LEN_FIELD + len + pad) % 4, 0);
        assert_int_equal(mpa_fpdu_len(len), MPA_LEN_FIELD + len + pad + MPA_CRC_LEN);
    }
    assert_int_equal(mpa_fpdu_len(14), 20); /* the smallest tagged and untagged ones */
    assert_int_equal(mpa_fpdu_len(18), 24);
    assert_int_equal(mpa_fpdu_len(46), 52);
}

/* [MPA-033] [MPA-034] [MPA-035] */
static void golden_fpdus_have_their_length_pad_and_crc(void **state)
{
    (void)state;
    for (size_t i = GOLDEN_FRAME_COUNT; i < GOLDEN_COUNT; i++) {
        const struct golden *g = &golden_table[i];
        uint32_t len = sn_get_be16(g->p);
        size_t crc_at = g->n - MPA_CRC_LEN;
        bool has_crc = strcmp(g->name, "E24") != 0;

        assert_int_equal(mpa_fpdu_len(len), g->n);
        for (size_t at = MPA_LEN_FIELD + len; at < crc_at; at++)
            assert_int_equal(g->p[at], 0);
        assert_int_equal(sn_get_le32(g->p + crc_at), has_crc ? crc_of(g->p, crc_at) : 0);
    }
}

/* [MPA-042] [MPA-043] [MPA-044] [MPA-045] */
static void mulpdu_is_as_tabled(void **state)
{
    static const struct {
        uint32_t emss, plain, marked;
    } rows[] = {
        {536, 530, 522},
        {1220, 1214, 1202},
        {1440, 1434, 1422},
        {1447, 1438, 1426}, /* the FPDU is a multiple of 4 */
        {1448, 1442, 1430},
        {1449, 1442, 1430},
        {1450, 1442, 1430},
        {1451, 1442, 1430},
        {1460, 1454, 1442},
        {8948, 8942, 8870},
        {8960, 8954, 8882},
        {65483, 64768, 64768},
        {0, 128, 128},
        {1, 128, 128},
        {88, 128, 128},
        {134, 128, 128},
        {UINT32_MAX, 64768, 64768},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(mpa_mulpdu(rows[i].emss, false), rows[i].plain);
        assert_int_equal(mpa_mulpdu(rows[i].emss, true), rows[i].marked);
    }
}

/* Wherever no bound cuts in: a whole FPDU fits the segment, four octets more would not. [MPA-043]
 * [MPA-044] */
static void an_fpdu_of_mulpdu_fills_a_segment(void **state)
{
    (void)state;
    for (uint32_t emss = 0; emss < 70000; emss++) {
        for (int markers = 0; markers < 2; markers++) {
            uint32_t m = mpa_mulpdu(emss, markers != 0);
            uint32_t len = mpa_fpdu_len(m) + (markers != 0 ? 4 * ((emss + 511) / 512) : 0);

            assert_in_range(m, MPA_MULPDU_MIN, MPA_MULPDU_MAX);
            if (m > MPA_MULPDU_MIN && m < MPA_MULPDU_MAX) {
                assert_true(len <= emss && len + 4 > emss);
                assert_int_equal(mpa_pad_len(m), 0);
            }
        }
    }
}

/* [MPA-052] [MPA-060] */
static void a_marker_is_due_every_512_octets(void **state)
{
    static const uint64_t bases[] = {
        0, 512, (uint64_t)1 << 32, ((uint64_t)1 << 32) - 512, ((uint64_t)1 << 63)};

    (void)state;
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        assert_int_equal(mpa_marker_distance(bases[i]), 0);
        for (uint32_t past = 1; past < 512; past++)
            assert_int_equal(mpa_marker_distance(bases[i] + past), 512 - past);
    }
}

/* [MPA-056] */
static void the_pointer_of_a_marker_is_a_multiple_of_four(void **state)
{
    (void)state;
    for (uint32_t ptr = 0; ptr <= 0xFFFF; ptr++) {
        const uint8_t dirty[MPA_MARKER_LEN] = {0xAB, 0xCD, (uint8_t)(ptr >> 8), (uint8_t)ptr};
        uint8_t out[MPA_MARKER_LEN];

        assert_int_equal(mpa_marker_parse(dirty), ptr & 0xFFFC);
        mpa_marker_build(out, ptr);
        assert_int_equal(out[0], 0);
        assert_int_equal(out[1], 0);
        assert_int_equal(sn_get_be16(out + 2), ptr & 0xFFFC);
        assert_int_equal(mpa_marker_parse(out), ptr & 0xFFFC);
    }
}

/* Leaves out what begins at a multiple of 512. */
static size_t strip(const uint8_t *p, size_t n, uint64_t pos, uint8_t *out)
{
    size_t done = 0;

    for (size_t at = 0; at < n; at += 4) {
        if ((pos + at) % 512 == 0)
            continue;
        memcpy(out + done, p + at, 4);
        done += 4;
    }
    return done;
}

/* [MPA-049] [MPA-051] [MPA-053] [MPA-054] [MPA-055] E25 to E30 */
static void golden_streams_get_their_markers(void **state)
{
    uint8_t want[GOLDEN_MARKED_MAX], plain[GOLDEN_MARKED_MAX], got[2 * GOLDEN_MARKED_MAX];

    (void)state;
    for (size_t i = 0; i < GOLDEN_MARKED_COUNT; i++) {
        const struct golden_marked *g = &golden_marked_table[i];
        size_t n = golden_marked_octets(g, want);
        size_t plain_len = strip(want, n, g->start, plain), done = 0;

        for (size_t at = 0; at < plain_len;) {
            size_t len = mpa_fpdu_len(sn_get_be16(plain + at));

            assert_true(len <= plain_len - at);
            memset(plain + at + len - MPA_CRC_LEN, 0xEE, MPA_CRC_LEN); /* made anew */
            done += mpa_fpdu_insert_markers(plain + at, len, g->start + done, true, got + done);
            assert_true(done <= n);
            at += len;
        }
        assert_int_equal(done, n);
        if (memcmp(got, want, n) != 0)
            fail_msg("%s: %s", g->name, g->what);
    }
}

/* The same by the words of the rule, four octets at a time. */
static size_t insert_by_rule(const uint8_t *fpdu, size_t len, uint64_t pos, uint8_t *out)
{
    size_t done = 0;
    uint64_t start;

    if (pos % 512 == 0) {
        memset(out, 0, 4);
        done = 4;
    }
    start = pos + done;
    for (size_t at = 0; at <= len - 4; at += 4) {
        if ((pos + done) % 512 == 0) {
            sn_put_be32(out + done, (uint32_t)(pos + done - start));
            done += 4;
        }
        memcpy(out + done, fpdu + at, 4);
        done += 4;
    }
    sn_put_le32(out + done - 4, crc_of(out, done - 4));
    return done;
}

/* [MPA-041] [MPA-049] [MPA-053] */
static void markers_are_right_at_every_position(void **state)
{
    static const uint32_t ulpdus[] = {14, 18, 46, 128, 482, 486, 490, 494, 498, 502, 503, 504, 505,
        506, 510, 514, 994, 1010, 1014, 1018, 1500, 5000, 64768};
    static uint8_t fpdu[STREAM_MAX], want[STREAM_MAX], got[STREAM_MAX], back[STREAM_MAX];
    uint64_t x = 2;

    (void)state;
    random_fill(&x, fpdu, sizeof(fpdu));
    for (size_t i = 0; i < sizeof(ulpdus) / sizeof(ulpdus[0]); i++) {
        size_t len = mpa_fpdu_len(ulpdus[i]);

        sn_put_be16(fpdu, (uint16_t)ulpdus[i]);
        for (uint64_t at = 0; at < 512; at += 4) {
            uint64_t pos = 0xFFFFFE00u + at; /* the position passes 2^32 */
            size_t n = insert_by_rule(fpdu, len, pos, want);

            assert_int_equal(mpa_fpdu_insert_markers(fpdu, len, pos, true, got), n);
            assert_true(n <= mpa_marked_len_max(len));
            assert_memory_equal(got, want, n);
            assert_int_equal(strip(got, n, pos, back), len);
            assert_memory_equal(back, fpdu, len - MPA_CRC_LEN);
            mpa_fpdu_insert_markers(fpdu, len, pos, false, got);
            memset(want + n - MPA_CRC_LEN, 0, MPA_CRC_LEN);
            assert_memory_equal(got, want, n);
        }
    }
}

/* The largest that is ever sent: the distance of a marker in front of its CRC still fits. [MPA-042]
 */
static void a_pointer_never_overflows(void **state)
{
    size_t len = mpa_fpdu_len(MPA_MULPDU_MAX);
    size_t markers = (len + 507) / 508;

    (void)state;
    assert_true(len + MPA_MARKER_LEN * markers <= 0xFFFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_is_padded_to_four),
        cmocka_unit_test(golden_fpdus_have_their_length_pad_and_crc),
        cmocka_unit_test(mulpdu_is_as_tabled),
        cmocka_unit_test(an_fpdu_of_mulpdu_fills_a_segment),
        cmocka_unit_test(a_marker_is_due_every_512_octets),
        cmocka_unit_test(the_pointer_of_a_marker_is_a_multiple_of_four),
        cmocka_unit_test(golden_streams_get_their_markers),
        cmocka_unit_test(markers_are_right_at_every_position),
        cmocka_unit_test(a_pointer_never_overflows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
