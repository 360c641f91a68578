/* SPDX-License-Identifier: MIT */
/*
 * The raw peer against golden octets and against itself: a judge that is wrong would let everything
 * pass, so each of its expectations is shown to fail when it should.
 */
#include "support/raw_peer.h"

#include <stdlib.h>

#include "support/death.h"
#include "support/golden.h"
#include "support/octets.h"
#include "support/unit.h"

struct pair {
    struct raw_peer *a, *b; /* a connected, b accepted */
};

static struct pair open_pair(const char *host)
{
    struct raw_listener *l = raw_listen(host, NULL);
    struct pair pair;

    pair.a = raw_connect(host, raw_listener_port(l), NULL);
    pair.b = raw_accept(l);
    raw_listener_close(l);
    return pair;
}

static void close_pair(struct pair *pair)
{
    raw_close(pair->a);
    raw_close(pair->b);
}

/* ---- octets ---- */

static void test_crc_vectors(void **state)
{
    uint8_t up[32];

    (void)state;
    for (size_t i = 0; i < sizeof(up); i++)
        up[i] = (uint8_t)i;
    assert_int_equal(raw_crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(raw_crc32c(up, sizeof(up)), 0x46dd794e);
    assert_int_equal(raw_crc32c("", 0), 0);
}

static void assert_golden(const char *name, const struct raw_fpdu *f, bool crc)
{
    const struct golden *g = golden_find(name);
    uint8_t *out = malloc(RAW_FPDU_MAX);
    uint64_t pos = 0;

    assert_non_null(out);
    assert_non_null(g);
    assert_int_equal(raw_fpdu_octets(f, crc, false, &pos, out), g->n);
    assert_memory_equal(out, g->p, g->n);
    assert_int_equal(pos, g->n);
    free(out);
}

static void test_golden_fpdus(void **state)
{
    static const uint8_t eight[] = {0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18};
    uint8_t sixteen[16];
    struct raw_fpdu f;

    (void)state;
    for (size_t i = 0; i < sizeof(sixteen); i++)
        sixteen[i] = (uint8_t)(0xa0 + i);
    f = raw_send(1, "hello", 5);
    assert_golden("E06", &f, true);
    assert_golden("E24", &f, false);
    f = raw_send_inv(2, 0x12345, "ok", 2);
    f.rdmap = RAW_OP_SEND_SE_INV;
    assert_golden("E07", &f, true);
    f = raw_write(0x0a0b0c01, 0x1000, eight, sizeof(eight));
    assert_golden("E08", &f, true);
    f = raw_rtr_write();
    assert_golden("E09", &f, true);
    f = raw_read_request(1, 0x20002, 0x2000, 16, 0x0a0b0c01, 0x1000);
    assert_golden("E10", &f, true);
    f = raw_read_response(0x20002, 0x2000, sixteen, sizeof(sixteen));
    assert_golden("E11", &f, true);
    f = raw_rtr_read();
    assert_golden("E12a", &f, true);
    f = raw_terminate(2, 0, 2);
    assert_golden("E15", &f, true);
    f = raw_terminate(0, 0, 0);
    assert_golden("E16", &f, true);
    f = raw_send(3, "segment-", 8);
    f.ddp = 0x01;
    assert_golden("E19a", &f, true);
    f = raw_send(3, "two", 3);
    f.mo = 8;
    assert_golden("E19b", &f, true);
}

static void assert_marked(size_t which, const struct raw_fpdu *f, size_t count)
{
    const struct golden_marked *g = &golden_marked_table[which];
    uint8_t want[GOLDEN_MARKED_MAX], *out = malloc(2 * RAW_FPDU_MAX);
    uint64_t pos = g->start;
    size_t n = 0;

    assert_non_null(out);
    for (size_t i = 0; i < count; i++)
        n += raw_fpdu_octets(&f[i], true, true, &pos, out + n);
    assert_int_equal(n, golden_marked_octets(g, want));
    assert_memory_equal(out, want, n);
    free(out);
}

static void test_golden_markers(void **state)
{
    static uint8_t zeros[1200], fives[485];
    struct raw_fpdu f[2];

    (void)state;
    memset(fives, 0x5a, sizeof(fives));
    f[0] = raw_send(1, zeros, 488);
    assert_marked(0, f, 1);
    f[0] = raw_send(1, fives, 485);
    assert_marked(1, f, 1);
    f[0] = raw_send(1, zeros, 484);
    f[1] = raw_send(2, NULL, 0);
    assert_marked(2, f, 2);
    f[0] = raw_send(1, zeros, 24);
    assert_marked(3, f, 1);
    f[0] = raw_send(2, zeros, 24);
    assert_marked(4, f, 1);
    f[0] = raw_write(0x0a0b0c01, 0x1000, zeros, 1200);
    assert_marked(5, f, 1);
}

static void test_golden_frames(void **state)
{
    static const struct {
        const char *name;
        bool is_reply;
        uint8_t flags, revision;
        uint16_t ird, ord;
        const char *private_data;
    } rows[] = {
        {"E01", false, RAW_C, 1, 0, 0, ""},
        {"E02", true, RAW_C, 1, 0, 0, "pong"},
        {"E03", false, RAW_C | RAW_S, 2, RAW_BIT_A | 16, RAW_BIT_C | RAW_BIT_D | 8, "hi"},
        {"E04", true, RAW_C | RAW_S, 2, RAW_BIT_A | 8, RAW_BIT_C | 16, ""},
        {"E05", true, RAW_C | RAW_R, 1, 0, 0, "no"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct golden *g = golden_find(rows[i].name);
        struct raw_frame f = raw_request(rows[i].flags, rows[i].revision);
        struct pair pair = open_pair("127.0.0.1");
        struct raw_frame_in in;
        uint8_t out[64];

        f.is_reply = rows[i].is_reply;
        f.ird = rows[i].ird;
        f.ord = rows[i].ord;
        f.private_data = rows[i].private_data;
        f.private_len = (uint16_t)strlen(rows[i].private_data);
        assert_int_equal(raw_frame_octets(&f, out), g->n);
        assert_memory_equal(out, g->p, g->n);

        raw_put_frame(pair.a, &f);
        in = f.is_reply ? raw_expect_reply(pair.b) : raw_expect_request(pair.b);
        assert_int_equal(in.flags, rows[i].flags);
        assert_int_equal(in.revision, rows[i].revision);
        assert_int_equal(in.ird, rows[i].ird);
        assert_int_equal(in.ord, rows[i].ord);
        assert_int_equal(in.private_len, f.private_len);
        assert_memory_equal(in.private_data, rows[i].private_data, f.private_len);
        assert_memory_equal(in.octets, g->p, g->n);
        close_pair(&pair);
    }
}

static void test_spoiled_frames(void **state)
{
    struct raw_frame f = raw_request(0, 1);
    uint8_t out[64];

    (void)state;
    f.key_octet = 9;
    assert_int_equal(raw_frame_octets(&f, out), 20);
    assert_memory_equal(out, "MPA ID ReQ Frame", 16);
    f.key_octet = -1;
    f.pd_length = 513;
    assert_int_equal(raw_frame_octets(&f, out), 20);
    assert_int_equal(out[18] << 8 | out[19], 513);
}

/* ---- a stream against itself ---- */

/* Start-up with these M and C of either side; both then agree. */
static struct pair start_pair(const char *host, uint8_t request_flags, uint8_t reply_flags)
{
    struct pair pair = open_pair(host);
    struct raw_frame request = raw_request(request_flags, 1), reply = raw_reply(reply_flags, 1);

    raw_put_frame(pair.a, &request);
    assert_int_equal(raw_expect_request(pair.b).flags, request_flags);
    raw_put_frame(pair.b, &reply);
    assert_int_equal(raw_expect_reply(pair.a).flags, reply_flags);
    return pair;
}

static void both_ways(struct pair *pair, uint64_t *seed)
{
    static uint8_t data[3000];
    static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 484, 485, 488, 500, 1200, 3000};

    random_fill(seed, data, sizeof(data));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (int back = 0; back < 2; back++) {
            struct raw_peer *from = back ? pair->b : pair->a, *to = back ? pair->a : pair->b;
            struct raw_fpdu f = raw_send((uint32_t)i + 1, data, sizes[i]);
            struct raw_in in;

            raw_put_message(from, &f, 700);
            in = raw_expect_message(to, RAW_OP_SEND, data, sizes[i]);
            assert_int_equal(in.msn, i + 1);
            assert_true(in.is_last);
            f = raw_write(7, 0x100000000 + i, data, sizes[i]);
            raw_put_message(from, &f, 1400);
            in = raw_expect_message(to, RAW_OP_WRITE, data, sizes[i]);
            assert_int_equal(in.stag, 7);
            assert_int_equal(in.to, 0x100000000 + i);
        }
    }
}

static void test_streams(void **state)
{
    uint64_t seed = 5;

    (void)state;
    for (unsigned i = 0; i < 32; i++) {
        uint8_t request = (uint8_t)((i & 1 ? RAW_M : 0) | (i & 2 ? RAW_C : 0));
        uint8_t reply = (uint8_t)((i & 4 ? RAW_M : 0) | (i & 8 ? RAW_C : 0));
        struct pair pair = start_pair(i & 16 ? "::1" : "127.0.0.1", request, reply);

        both_ways(&pair, &seed);
        close_pair(&pair);
    }
}

static void test_pieces_and_cork(void **state)
{
    struct pair pair = start_pair("127.0.0.1", RAW_M | RAW_C, RAW_M);
    struct raw_fpdu f = raw_send(1, "abcdefg", 7);

    (void)state;
    raw_split(pair.a, 3);
    raw_put(pair.a, &f);
    raw_split(pair.a, 0);
    raw_cork(pair.a);
    f.msn = 2;
    raw_put(pair.a, &f);
    f.msn = 3;
    raw_put(pair.a, &f);
    assert_int_equal(raw_expect_message(pair.b, RAW_OP_SEND, "abcdefg", 7).msn, 1);
    raw_expect_silence(pair.b);
    raw_flush(pair.a);
    assert_int_equal(raw_expect_message(pair.b, RAW_OP_SEND, "abcdefg", 7).msn, 2);
    assert_int_equal(raw_expect_message(pair.b, RAW_OP_SEND, "abcdefg", 7).msn, 3);
    raw_octets(pair.b, "xyz", 3);
    raw_expect_octets(pair.a, "xyz", 3);
    raw_octets_split(pair.b, "xyz", 3, 1);
    raw_half_close(pair.b);
    raw_drain(pair.a);
    close_pair(&pair);
}

static void test_reads_and_terminates(void **state)
{
    struct pair pair = start_pair("127.0.0.1", RAW_C, 0);
    struct raw_fpdu f = raw_read_request(4, 5, 6, 7, 8, 9);
    struct raw_read_in read;
    struct raw_term_in term;

    (void)state;
    raw_put(pair.a, &f);
    read = raw_expect_read_request(pair.b);
    assert_int_equal(read.msn, 4);
    assert_int_equal(read.sink_stag, 5);
    assert_int_equal(read.sink_to, 6);
    assert_int_equal(read.size, 7);
    assert_int_equal(read.src_stag, 8);
    assert_int_equal(read.src_to, 9);
    raw_octets(pair.b, golden_E13, sizeof(golden_E13));
    term = raw_expect_terminate(pair.a, 1, 1, 0);
    assert_true(term.m && term.d && !term.r);
    assert_int_equal(term.segment_length, 22);
    assert_int_equal(term.ddp_header_len, 14);
    assert_memory_equal(term.ddp_header, golden_E08 + 2, 14);
    raw_octets(pair.b, golden_E14, sizeof(golden_E14));
    term = raw_expect_any_terminate(pair.a);
    assert_true(term.m && term.d && term.r && term.has_read_header);
    assert_int_equal(term.ddp_header_len, 18);
    assert_memory_equal(term.ddp_header, golden_E10 + 2, 18);
    assert_memory_equal(term.read_header, golden_E10 + 20, 28);
    raw_octets(pair.b, golden_E17, sizeof(golden_E17));
    term = raw_expect_terminate(pair.a, 2, 0, 7);
    assert_int_equal(term.ddp_header_len, 0);
    close_pair(&pair);
}

/* ---- spoils and ends, as the receiver sees them ---- */

static void spoil_crc(struct raw_fpdu *f)
{
    f->crc_xor = 1;
}
static void spoil_fixed_crc(struct raw_fpdu *f)
{
    f->crc_fixed = true;
    f->crc_value = 0x12345678;
}
static void spoil_pad(struct raw_fpdu *f)
{
    f->pad = 0xaa;
}
static void spoil_marker(struct raw_fpdu *f)
{
    f->marker_xor = 4;
}
static void spoil_version(struct raw_fpdu *f)
{
    f->ddp = 0x40;
}
static void spoil_reserved(struct raw_fpdu *f)
{
    f->rdmap |= 0x20;
}
static void spoil_short(struct raw_fpdu *f)
{
    f->cut = 5 + 18 - 13;
}
static void spoil_op(struct raw_fpdu *f)
{
    f->rdmap = RAW_OP_SEND_SE;
}
static void spoil_payload(struct raw_fpdu *f)
{
    f->payload = "hellO";
}
static void spoil_length(struct raw_fpdu *f)
{
    f->len = 4;
}
static void spoil_mo(struct raw_fpdu *f)
{
    f->mo = 1;
}
static void spoil_nothing(struct raw_fpdu *f)
{
    f->pad = 0;
}

static const struct {
    void (*spoil)(struct raw_fpdu *f);
    enum raw_event event;
    bool crc_is_right, pad_is_zero;
    const char *complaint; /* of raw_expect_message; NULL: none */
} spoils[] = {
    {spoil_nothing, RAW_FPDU, true, true, NULL},
    {spoil_crc, RAW_FPDU, false, true, "CRC is wrong"},
    {spoil_fixed_crc, RAW_FPDU, false, true, "CRC is wrong"},
    {spoil_pad, RAW_FPDU, true, false, "pad is not zero"},
    {spoil_marker, RAW_BROKEN, false, false, "a broken end or marker"},
    {spoil_version, RAW_FPDU, true, true, "control octets 40 43"},
    {spoil_reserved, RAW_FPDU, true, true, "control octets 41 63"},
    {spoil_short, RAW_BROKEN, true, true, "a broken end"},
    {spoil_op, RAW_FPDU, true, true, "expected op 43, got 45"},
    {spoil_payload, RAW_FPDU, true, true, "differs in octets 0 to 5"},
    {spoil_length, RAW_FPDU, true, true, "has 4 octets, not 5"},
    {spoil_mo, RAW_FPDU, true, true, "does not continue"},
};

static void expect_hello(void *arg)
{
    raw_expect_message(arg, RAW_OP_SEND, "hello", 5);
}

/* What the failing test writes, "" if it does not fail. */
static void complaint_of(void (*fn)(void *arg), struct raw_peer *p, char *text, size_t n)
{
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    if (death_of(fn, p, text, n) == 0)
        text[0] = '\0';
    unsetenv("CMOCKA_TEST_ABORT");
}

static void test_spoils(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        struct pair pair = start_pair("127.0.0.1", RAW_C, RAW_M);
        struct raw_fpdu f = raw_send(1, "hello", 5);
        struct raw_in in;
        char text[1024];

        spoils[i].spoil(&f);
        raw_put(pair.a, &f);
        assert_int_equal(raw_get(pair.b, &in, RAW_WAIT_MS), spoils[i].event);
        if (spoils[i].event == RAW_FPDU) {
            assert_int_equal(in.crc_is_right, spoils[i].crc_is_right);
            assert_int_equal(in.pad_is_zero, spoils[i].pad_is_zero);
            assert_int_equal(in.markers, 1);
        }
        close_pair(&pair);

        pair = start_pair("127.0.0.1", RAW_C, RAW_M);
        raw_put(pair.a, &f);
        complaint_of(expect_hello, pair.b, text, sizeof(text));
        if (spoils[i].complaint == NULL)
            assert_string_equal(text, "");
        else if (strstr(text, spoils[i].complaint) == NULL)
            fail_msg("row %zu: \"%s\" instead of \"%s\"", i, text, spoils[i].complaint);
        close_pair(&pair);
    }
}

static void end_with_fin(struct pair *pair)
{
    raw_half_close(pair->a);
}
static void end_with_rst(struct pair *pair)
{
    raw_reset(pair->a);
    pair->a = NULL;
}
static void end_with_nothing(struct pair *pair)
{
    raw_cork(pair->a);
}
static void end_with_octet(struct pair *pair)
{
    raw_octets(pair->a, "\x5b", 1);
}
static void end_inside(struct pair *pair)
{
    raw_octets(pair->a, golden_E06, 7);
    raw_half_close(pair->a);
}
static void end_with_terminate(struct pair *pair)
{
    raw_octets(pair->a, golden_E16, sizeof(golden_E16));
}

static void expect_fin(void *arg)
{
    raw_expect_fin(arg);
}
static void expect_end(void *arg)
{
    raw_expect_end(arg);
}
static void expect_silence(void *arg)
{
    raw_expect_silence(arg);
}
static void expect_terminate(void *arg)
{
    raw_expect_terminate(arg, 2, 0, 2);
}

/* Which expectation is met by which end: 1 yes, 0 no. */
static void test_ends(void **state)
{
    static void (*const expectations[])(void *) = {
        expect_fin, expect_end, expect_silence, expect_terminate};
    static const struct {
        void (*end)(struct pair *pair);
        const char *met;
        enum raw_event event;
    } rows[] = {
        {end_with_fin, "1100", RAW_FIN},
        {end_with_rst, "0100", RAW_RST},
        {end_with_nothing, "001-", RAW_SILENCE}, /* a dash: it would wait out its time */
        {end_with_octet, "000-", RAW_SILENCE},
        {end_inside, "0000", RAW_BROKEN},
        {end_with_terminate, "0000", RAW_FPDU},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pair pair;
        struct raw_in in;

        for (size_t j = 0; rows[i].met[j] != '\0'; j++) {
            char text[1024];

            if (rows[i].met[j] == '-' || (rows[i].end == end_with_nothing && j < 2))
                continue;
            pair = start_pair("127.0.0.1", 0, 0);
            rows[i].end(&pair);
            complaint_of(expectations[j], pair.b, text, sizeof(text));
            if ((text[0] == '\0') != (rows[i].met[j] == '1'))
                fail_msg("end %zu, expectation %zu: \"%s\"", i, j, text);
            close_pair(&pair);
        }
        pair = start_pair("127.0.0.1", 0, 0);
        rows[i].end(&pair);
        assert_int_equal(raw_get(pair.b, &in, RAW_SILENCE_MS), rows[i].event);
        close_pair(&pair);
    }
}

static void test_refused(void **state)
{
    struct raw_listener *l = raw_listen("127.0.0.1", NULL);
    uint16_t port = raw_listener_port(l);

    (void)state;
    raw_expect_no_connection(l);
    raw_listener_close(l);
    raw_expect_refused("127.0.0.1", port);
}

/* Once the other side is gone, a lax put says so and a strict one would fail the test. */
static void test_lax(void **state)
{
    struct pair pair = start_pair("127.0.0.1", 0, 0);
    struct raw_fpdu f = raw_rtr_write();

    (void)state;
    raw_reset(pair.b);
    raw_expect_end(pair.a);
    assert_false(raw_put_lax(pair.a, &f));
    raw_close(pair.a);
    raw_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc_vectors),
        cmocka_unit_test(test_golden_fpdus),
        cmocka_unit_test(test_golden_markers),
        cmocka_unit_test(test_golden_frames),
        cmocka_unit_test(test_spoiled_frames),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_pieces_and_cork),
        cmocka_unit_test(test_reads_and_terminates),
        cmocka_unit_test(test_spoils),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_lax),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
