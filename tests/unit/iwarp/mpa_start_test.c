/* SPDX-License-Identifier: MIT */
/*
 * MPA start-up as tables: revisions, flags, CRC, markers, private data, golden frames, siw. Frames
 * go through wire/mpa.c on their way, so that what is tested is what two machines would exchange.
 */
#include "iwarp/mpa_start.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mpa_start_fixture.h"

/* ---- goldens ---- */

/* [MPA-001] [MPA-002] [MPA-005] [MPA-011] [MPA-012] [ECE-002] [ECE-003] [ECE-004] [ECE-005] */
static void test_golden_frames(void **state)
{
    struct iw_mpa_options rev1 = defaults;
    struct iw_mpa_result result;
    struct iw_mpa_offer offer;
    struct mpa_frame request, reply;
    enum wire_err err = WIRE_OK;

    (void)state;
    rev1.revision = 1;
    assert_true(iw_mpa_request(&rev1, 16, 8, NULL, 0, &request));
    assert_golden(&request, "E01");
    reply = golden_frame(MPA_REPLY, "E02");
    assert_int_equal(iw_mpa_judge_reply(&rev1, &request, &reply, &result, &err), IW_MPA_OK);
    assert_int_equal(result.revision, 1);
    assert_true(result.crc);
    assert_false(result.is_enhanced);
    assert_false(result.is_p2p);
    assert_int_equal(result.ird, 16);
    assert_int_equal(result.ord, 8);
    reply = golden_frame(MPA_REPLY, "E05");
    assert_int_equal(iw_mpa_judge_reply(&rev1, &request, &reply, &result, &err), IW_MPA_REJECTED);
    assert_memory_equal(reply.private_data, "no", 2);

    request = golden_frame(MPA_REQUEST, "E01");
    offer = offer_of(&defaults, &request);
    assert_true(iw_mpa_accept(&defaults, &offer, 4, 4, "pong", 4, &reply, &result));
    assert_golden(&reply, "E02");
    assert_true(iw_mpa_reject(&defaults, &offer, "no", 2, &reply));
    assert_golden(&reply, "E05");

    assert_true(iw_mpa_request(&defaults, 16, 8, "hi", 2, &request));
    assert_golden(&request, "E03");
    reply = golden_frame(MPA_REPLY, "E04");
    assert_int_equal(iw_mpa_judge_reply(&defaults, &request, &reply, &result, &err), IW_MPA_OK);
    assert_true(result.is_enhanced);
    assert_int_equal(result.rtr, IW_RTR_WRITE);
    assert_int_equal(result.ird, 16);
    assert_int_equal(result.ord, 8);

    request = golden_frame(MPA_REQUEST, "E03");
    offer = offer_of(&defaults, &request);
    assert_int_equal(offer.ird, 8);
    assert_int_equal(offer.ord, 16);
    assert_true(iw_mpa_accept(&defaults, &offer, 128, 128, NULL, 0, &reply, &result));
    assert_golden(&reply, "E04");
    assert_int_equal(result.rtr, IW_RTR_WRITE);
}

/*
 * What the Linux kernel's soft-iWARP driver puts on the wire, flags octet to the end, and how we
 * answer with CRC never, asked, required ("" is: rejected).
 */
static const struct {
    const char *what;
    uint8_t request[8]; /* flags, revision, length, private data */
    uint8_t n;
    uint8_t reply[2][8];
    enum iw_mpa_verdict verdict_required;
} siw_requests[] = {
    {"rping -c", {0x10, 2, 0, 4, 0x00, 0x01, 0x00, 0x01}, 8,
        {{0x10, 2, 0, 4, 0x00, 0x01, 0x00, 0x01}, {0x50, 2, 0, 4, 0x00, 0x01, 0x00, 0x01}},
        IW_MPA_REJECT_IT},
    {"CRC required", {0x50, 2, 0, 4, 0x00, 0x01, 0x00, 0x01}, 8,
        {{0x50, 2, 0, 4, 0x00, 0x01, 0x00, 0x01}, {0x50, 2, 0, 4, 0x00, 0x01, 0x00, 0x01}},
        IW_MPA_OK},
    {"peer-to-peer", {0x10, 2, 0, 4, 0x80, 0x01, 0xc0, 0x01}, 8,
        {{0x10, 2, 0, 4, 0x80, 0x01, 0x80, 0x01}, {0x50, 2, 0, 4, 0x80, 0x01, 0x80, 0x01}},
        IW_MPA_REJECT_IT},
    {"RTR by Read alone", {0x50, 2, 0, 4, 0x80, 0x01, 0x40, 0x01}, 8,
        {{0x50, 2, 0, 4, 0x80, 0x01, 0x40, 0x01}, {0x50, 2, 0, 4, 0x80, 0x01, 0x40, 0x01}},
        IW_MPA_OK},
    {"revision 1", {0x00, 1, 0, 0}, 4, {{0x00, 1, 0, 0}, {0x40, 1, 0, 0}}, IW_MPA_REJECT_IT},
};

static struct octets frame_octets(enum mpa_role role, const uint8_t *tail, size_t n)
{
    const struct golden *g = golden_find(role == MPA_REQUEST ? "E01" : "E02");
    struct octets o;

    memcpy(o.p, g->p, 16);
    memcpy(o.p + 16, tail, n);
    o.n = 16 + n;
    return o;
}

static void test_siw_connects_to_us(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(siw_requests) / sizeof(siw_requests[0]); i++) {
        struct octets in = frame_octets(MPA_REQUEST, siw_requests[i].request, siw_requests[i].n);
        struct mpa_frame request = parse_octets(MPA_REQUEST, &in), reply;
        struct iw_mpa_options o = defaults;
        struct iw_mpa_result result;
        struct iw_mpa_offer offer;
        enum wire_err err = WIRE_OK;

        for (unsigned crc = 0; crc < 2; crc++) {
            struct octets want =
                frame_octets(MPA_REPLY, siw_requests[i].reply[crc], siw_requests[i].n);
            struct octets got;

            o.crc = crc == 0 ? IW_CRC_NEVER_ASK : IW_CRC_ASK;
            offer = offer_of(&o, &request);
            assert_true(iw_mpa_accept(&o, &offer, 16, 16, NULL, 0, &reply, &result));
            got = build(&reply);
            assert_int_equal(got.n, want.n);
            assert_memory_equal(got.p, want.p, want.n);
            /* siw uses CRCs if and only if the Reply says so. */
            assert_int_equal(result.crc, reply.crc);
        }
        o.crc = IW_CRC_REQUIRE;
        assert_int_equal(
            iw_mpa_judge_request(&o, &request, &offer, &err), siw_requests[i].verdict_required);
    }
}

/* siw's Replies to our default Request with IRD 16, ORD 8, and one to a Request with markers. */
static const struct {
    const char *what;
    uint8_t reply[12];
    enum iw_mpa_verdict verdict;
    uint32_t ird, ord;
} siw_replies[] = {
    {"accepted", {0x50, 2, 0, 4, 0x80, 0x08, 0x80, 0x10}, IW_MPA_OK, 16, 8},
    {"accepted with less, eight octets of the ULP",
        {0x50, 2, 0, 12, 0x80, 0x08, 0x80, 0x08, 0, 0, 0, 1}, IW_MPA_OK, 16, 8},
    {"rejected by the ULP", {0x70, 2, 0, 4, 0x80, 0x08, 0x80, 0x10}, IW_MPA_REJECTED, 0, 0},
    {"rejected for markers", {0x70, 2, 0, 4, 0, 0, 0, 0}, IW_MPA_REJECTED, 0, 0},
    {"rejected, no private data", {0x60, 2, 0, 0}, IW_MPA_REJECTED, 0, 0},
};

static void test_we_connect_to_siw(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(siw_replies) / sizeof(siw_replies[0]); i++) {
        struct mpa_frame request = good_request(), reply;
        struct octets in;
        struct iw_mpa_result result;
        enum wire_err err = WIRE_OK;
        uint8_t tail[20] = {0};

        memcpy(tail, siw_replies[i].reply, sizeof(siw_replies[i].reply));
        in = frame_octets(MPA_REPLY, tail, (size_t)4 + siw_replies[i].reply[3]);
        reply = parse_octets(MPA_REPLY, &in);
        assert_int_equal(
            iw_mpa_judge_reply(&defaults, &request, &reply, &result, &err), siw_replies[i].verdict);
        if (siw_replies[i].verdict != IW_MPA_OK)
            continue;
        assert_int_equal(result.ird, siw_replies[i].ird);
        assert_int_equal(result.ord, siw_replies[i].ord);
        assert_int_equal(result.rtr, IW_RTR_WRITE);
        assert_true(result.crc);
    }
}

/* ---- revision and mirror ---- */

/* [MPA-006] [ECE-001] [ECE-004] [ECE-005] [ECE-006] */
static void test_reply_mirror(void **state)
{
    static const struct {
        uint8_t request_revision, revision;
        bool is_enhanced, rejected;
        enum iw_mpa_verdict verdict;
    } rows[] = {
        {2, 2, true, false, IW_MPA_OK},
        {2, 2, false, false, IW_MPA_CLOSE},
        {2, 1, false, false, IW_MPA_CLOSE},
        {2, 0, false, false, IW_MPA_CLOSE},
        {2, 3, true, false, IW_MPA_CLOSE},
        {2, 255, true, false, IW_MPA_CLOSE},
        {2, 2, true, true, IW_MPA_REJECTED},
        {2, 2, false, true, IW_MPA_REJECTED},
        {2, 1, false, true, IW_MPA_REJECTED},
        {2, 0, false, true, IW_MPA_CLOSE},
        {2, 3, true, true, IW_MPA_CLOSE},
        {1, 1, false, false, IW_MPA_OK},
        {1, 2, false, false, IW_MPA_CLOSE},
        {1, 2, true, false, IW_MPA_CLOSE},
        {1, 0, false, false, IW_MPA_CLOSE},
        {1, 1, false, true, IW_MPA_REJECTED},
        {1, 2, true, true, IW_MPA_REJECTED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct iw_mpa_options o = defaults;
        struct iw_mpa_result result, before;
        struct mpa_frame request, reply;
        enum wire_err err = WIRE_OK;

        o.revision = rows[i].request_revision;
        request = request_of(&o, 16, 8);
        assert_int_equal(request.is_enhanced, rows[i].request_revision == 2);
        reply = good_reply(&request);
        reply.revision = rows[i].revision;
        reply.is_enhanced = rows[i].is_enhanced;
        reply.rejected = rows[i].rejected;
        memset(&result, 0xa5, sizeof(result));
        before = result;
        assert_int_equal(iw_mpa_judge_reply(&o, &request, &reply, &result, &err), rows[i].verdict);
        if (rows[i].verdict != IW_MPA_OK)
            assert_memory_equal(&result, &before, sizeof(result));
        assert_int_equal(err, rows[i].verdict == IW_MPA_CLOSE ? WIRE_MPA_FRAME : WIRE_OK);
    }
}

/* [MPA-006] [ECE-005] [ECE-006] */
static void test_request_revision(void **state)
{
    static const struct {
        uint8_t revision;
        bool is_enhanced;
        enum iw_mpa_verdict verdict;
    } rows[] = {
        {0, false, IW_MPA_CLOSE},
        {1, false, IW_MPA_OK},
        {2, false, IW_MPA_OK},
        {2, true, IW_MPA_OK},
        {3, false, IW_MPA_CLOSE},
        {3, true, IW_MPA_CLOSE},
        {0x7f, true, IW_MPA_CLOSE},
        {0xff, true, IW_MPA_CLOSE},
    };

    (void)state;
    for (uint8_t own = 1; own <= 2; own++) { /* what we speak is the highest we answer */
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct iw_mpa_options o = defaults;
            struct mpa_frame request = good_request(), reply;
            struct iw_mpa_result result;
            struct iw_mpa_offer offer;
            enum iw_mpa_verdict want = rows[i].revision > own ? IW_MPA_CLOSE : rows[i].verdict;
            enum wire_err err = WIRE_OK;

            o.revision = own;
            request.revision = rows[i].revision;
            request.is_enhanced = rows[i].is_enhanced;
            request.p2p = request.p2p && rows[i].is_enhanced;
            assert_int_equal(iw_mpa_judge_request(&o, &request, &offer, &err), want);
            if (want != IW_MPA_OK) {
                assert_int_equal(err, WIRE_MPA_FRAME);
                continue;
            }
            assert_true(iw_mpa_accept(&o, &offer, 4, 4, NULL, 0, &reply, &result));
            assert_int_equal(reply.revision, request.revision);
            assert_int_equal(reply.is_enhanced, request.is_enhanced);
            assert_int_equal(result.is_enhanced, request.is_enhanced);
            assert_true(iw_mpa_reject(&o, &offer, NULL, 0, &reply));
            assert_int_equal(reply.revision, request.revision);
            assert_int_equal(reply.is_enhanced, request.is_enhanced);
            assert_true(reply.rejected);
        }
    }
}

/* [MPA-008] [MPA-009]: reserved bits, R in a Request, and 0x10 in revision 1 change nothing. */
static void test_reserved_bits(void **state)
{
    static const struct {
        uint8_t revision, flags;
    } rows[] = {{1, 0x1f}, {1, 0x3f}, {1, 0x10}, {2, 0x0f}, {2, 0x2f}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t tail[4] = {rows[i].flags, rows[i].revision, 0, 0};
        struct octets in = frame_octets(MPA_REQUEST, tail, sizeof(tail)), out;
        struct mpa_frame request = parse_octets(MPA_REQUEST, &in), reply;
        struct iw_mpa_offer offer = offer_of(&defaults, &request);
        struct iw_mpa_result result;

        assert_true(iw_mpa_accept(&defaults, &offer, 4, 4, NULL, 0, &reply, &result));
        out = build(&reply);
        assert_int_equal(out.p[16], 0x40); /* [MPA-007] */
        assert_int_equal(out.p[17], rows[i].revision);
        assert_false(result.is_enhanced);
    }
}

/* [MPA-007] [MPA-010]: what we send has no bit but M, C, S, whatever the options. */
static void test_request_flags(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 1u << 6; bits++) {
        struct iw_mpa_options o = defaults;
        struct mpa_frame request;
        struct octets out;
        unsigned want;

        o.revision = (bits & 1) != 0 ? 1 : 2;
        o.crc = (bits & 2) != 0 ? IW_CRC_NEVER_ASK : IW_CRC_REQUIRE;
        o.markers = (bits & 4) != 0;
        o.rtr = (uint8_t)(bits >> 3);
        request = request_of(&o, 1, 1);
        out = build(&request);
        want = (o.markers ? 0x80u : 0) | (o.crc != IW_CRC_NEVER_ASK ? 0x40u : 0) |
               (o.revision == 2 ? 0x10u : 0);
        assert_int_equal(out.p[16], want);
        assert_int_equal(request.p2p, o.revision == 2 && o.rtr != 0);
        if (o.revision == 2)
            assert_int_equal(get_mask(&request), o.rtr);
    }
}

/* ---- CRC and markers ---- */

/* [MPA-030] [MPA-031] */
static void test_crc_initiator(void **state)
{
    static const struct {
        enum iw_crc option;
        bool in_request, in_reply, crc;
        enum iw_mpa_verdict verdict;
    } rows[] = {
        {IW_CRC_NEVER_ASK, false, false, false, IW_MPA_OK},
        {IW_CRC_NEVER_ASK, false, true, true, IW_MPA_OK},
        {IW_CRC_ASK, true, false, true, IW_MPA_OK},
        {IW_CRC_ASK, true, true, true, IW_MPA_OK},
        {IW_CRC_REQUIRE, true, false, true, IW_MPA_CLOSE},
        {IW_CRC_REQUIRE, true, true, true, IW_MPA_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct iw_mpa_options o = defaults;
        struct mpa_frame request, reply;
        struct iw_mpa_result result;
        enum wire_err err = WIRE_OK;

        o.crc = rows[i].option;
        request = request_of(&o, 4, 4);
        assert_int_equal(request.crc, rows[i].in_request);
        reply = good_reply(&request);
        reply.crc = rows[i].in_reply;
        assert_int_equal(iw_mpa_judge_reply(&o, &request, &reply, &result, &err), rows[i].verdict);
        if (rows[i].verdict == IW_MPA_OK)
            assert_int_equal(result.crc, rows[i].crc);
        else
            assert_int_equal(err, WIRE_MPA_FRAME);
    }
}

/* [MPA-030] [MPA-031] */
static void test_crc_responder(void **state)
{
    static const struct {
        enum iw_crc option;
        bool in_request, in_reply, crc;
        enum iw_mpa_verdict verdict;
    } rows[] = {
        {IW_CRC_NEVER_ASK, false, false, false, IW_MPA_OK},
        {IW_CRC_NEVER_ASK, true, true, true, IW_MPA_OK},
        {IW_CRC_ASK, false, true, true, IW_MPA_OK},
        {IW_CRC_ASK, true, true, true, IW_MPA_OK},
        {IW_CRC_REQUIRE, false, true, true, IW_MPA_REJECT_IT},
        {IW_CRC_REQUIRE, true, true, true, IW_MPA_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct iw_mpa_options o = defaults;
        struct mpa_frame request = good_request(), reply;
        struct iw_mpa_result result;
        struct iw_mpa_offer offer;
        enum wire_err err = WIRE_OK;

        o.crc = rows[i].option;
        request.crc = rows[i].in_request;
        assert_int_equal(iw_mpa_judge_request(&o, &request, &offer, &err), rows[i].verdict);
        if (rows[i].verdict == IW_MPA_REJECT_IT) {
            /* The offer is good for the Reply that says no. */
            assert_int_equal(err, WIRE_MPA_FRAME);
            assert_true(iw_mpa_reject(&o, &offer, NULL, 0, &reply));
            assert_true(reply.rejected);
            assert_true(reply.crc);
            continue;
        }
        assert_true(iw_mpa_accept(&o, &offer, 4, 4, NULL, 0, &reply, &result));
        assert_int_equal(reply.crc, rows[i].in_reply);
        assert_int_equal(result.crc, rows[i].crc);
    }
}

/* [MPA-049] [MPA-050] [MPA-059]: each side says what it wants to receive. */
static void test_markers(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 4; bits++) {
        bool ours = (bits & 1) != 0, theirs = (bits & 2) != 0;
        struct iw_mpa_options o = defaults;
        struct mpa_frame request, reply;
        struct iw_mpa_result result;
        struct iw_mpa_offer offer;
        enum wire_err err = WIRE_OK;

        o.markers = ours;
        request = request_of(&o, 4, 4);
        assert_int_equal(request.markers, ours);
        reply = good_reply(&request);
        reply.markers = theirs;
        assert_int_equal(iw_mpa_judge_reply(&o, &request, &reply, &result, &err), IW_MPA_OK);
        assert_int_equal(result.markers_rx, ours);
        assert_int_equal(result.markers_tx, theirs);

        request = good_request();
        request.markers = theirs;
        offer = offer_of(&o, &request);
        assert_true(iw_mpa_accept(&o, &offer, 4, 4, NULL, 0, &reply, &result));
        assert_int_equal(reply.markers, ours);
        assert_int_equal(result.markers_rx, ours);
        assert_int_equal(result.markers_tx, theirs);
    }
}

/* ---- private data ---- */

/* [MPA-013] [MPA-014] [ECE-003] */
static void test_private_data(void **state)
{
    static const size_t sizes[] = {0, 1, 3, 4, 255, 507, 508, 509, 511, 512, 513, 65536};
    static uint8_t data[65536];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 + 1);
    for (uint8_t revision = 1; revision <= 2; revision++) {
        size_t max = revision == 1 ? 512 : 508;

        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct iw_mpa_options o = defaults;
            struct mpa_frame request, plain, f;
            struct iw_mpa_result result;
            struct iw_mpa_offer offer;
            struct octets wire;
            bool fits = sizes[i] <= max;
            size_t n = sizes[i];

            o.revision = revision;
            assert_int_equal(iw_mpa_private_max(&o), max);
            plain = request_of(&o, 4, 4);
            offer = offer_of(&o, &plain);
            memset(&request, 0xa5, sizeof(request));
            f = request;
            assert_int_equal(iw_mpa_request(&o, 4, 4, data, n, &f), fits);
            if (!fits) {
                assert_memory_equal(&f, &request, sizeof(f)); /* untouched */
                assert_false(iw_mpa_accept(&o, &offer, 4, 4, data, n, &f, &result));
                assert_memory_equal(&f, &request, sizeof(f));
                assert_false(iw_mpa_reject(&o, &offer, data, n, &f));
                assert_memory_equal(&f, &request, sizeof(f));
                continue;
            }
            wire = build(&f);
            assert_int_equal(wire.n, 20 + n + (revision == 2 ? 4 : 0));
            assert_int_equal(wire.p[18] << 8 | wire.p[19], wire.n - 20);
            f = parse_octets(MPA_REQUEST, &wire);
            assert_int_equal(f.private_len, n);
            assert_memory_equal(f.private_data, data, n);
            offer = offer_of(&o, &f);
            assert_null(offer.request.private_data);
            assert_int_equal(offer.request.private_len, 0);
            assert_true(iw_mpa_accept(&o, &offer, 4, 4, data, n, &f, &result));
            wire = build(&f);
            f = parse_octets(MPA_REPLY, &wire);
            assert_int_equal(f.private_len, n);
            assert_memory_equal(f.private_data, data, n);
            assert_true(iw_mpa_reject(&o, &offer, data, n, &f));
            wire = build(&f);
            f = parse_octets(MPA_REPLY, &wire);
            assert_true(f.rejected);
            assert_int_equal(f.private_len, n);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_frames),
        cmocka_unit_test(test_siw_connects_to_us),
        cmocka_unit_test(test_we_connect_to_siw),
        cmocka_unit_test(test_reply_mirror),
        cmocka_unit_test(test_request_revision),
        cmocka_unit_test(test_reserved_bits),
        cmocka_unit_test(test_request_flags),
        cmocka_unit_test(test_crc_initiator),
        cmocka_unit_test(test_crc_responder),
        cmocka_unit_test(test_markers),
        cmocka_unit_test(test_private_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
