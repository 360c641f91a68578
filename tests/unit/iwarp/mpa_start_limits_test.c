/* SPDX-License-Identifier: MIT */
/* MPA start-up as tables: RTR, IRD and ORD, and the product of the settings of two adapters. */
#include "iwarp/mpa_start.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mpa_start_fixture.h"

/* ---- RTR ---- */

/*
 * What is sent for each set offered (row) and accepted (column), as masks of S 1, W 2, R 4; '-' is
 * a Terminate. First with room for a Read, then with a Reply whose IRD is 0.
 */
static const char *const rtr_chosen[2][8] = {
    {"--------", "-S-S-S-S", "--WW--WW", "-SWW-SWW", "----RRRR", "-S-SRRRR", "--WWRRWW",
        "-SWWRRWW"},
    {"--------", "-S-S-S-S", "--WW--WW", "-SWW-SWW", "----RRRR", "-S-SRSRS", "--WWRRWW",
        "-SWWRSWW"},
};

/* [ECE-014] [ECE-017] [ECE-019] */
static void test_rtr_initiator(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * 2 * 64; i++) {
        unsigned offered = i & 7, accepted = i >> 3 & 7, no_ird = i >> 6 & 1;
        bool reply_p2p = (i >> 7 & 1) != 0;
        char want = rtr_chosen[no_ird][offered][accepted];
        struct iw_mpa_options o = defaults;
        struct mpa_frame request, reply;
        struct iw_mpa_result result;
        struct octets wire;
        enum iw_mpa_verdict verdict;
        enum wire_err err = WIRE_OK;

        o.rtr = (uint8_t)offered;
        request = request_of(&o, 4, 4);
        reply = good_reply(&request);
        reply.p2p = reply_p2p; /* B, C, D without A count for nothing */
        set_mask(&reply, accepted);
        reply.ird = no_ird ? 0 : 4;
        wire = build(&reply);
        reply = parse_octets(MPA_REPLY, &wire);
        verdict = iw_mpa_judge_reply(&o, &request, &reply, &result, &err);
        if (offered == 0) { /* A=0: whatever the Reply says, we send no RTR [ECE-015] */
            assert_int_equal(verdict, IW_MPA_OK);
            assert_false(result.is_p2p);
            assert_int_equal(result.rtr, IW_RTR_NONE);
            continue;
        }
        assert_true(result.is_p2p);
        assert_true(result.crc);
        if (want == '-' || !reply_p2p) {
            assert_int_equal(verdict, IW_MPA_TERMINATE);
            assert_int_equal(err, WIRE_MPA_NO_RTR);
            assert_int_equal(result.rtr, IW_RTR_NONE);
        } else {
            assert_int_equal(verdict, IW_MPA_OK);
            assert_int_equal(result.rtr, want == 'S' ? S : want == 'W' ? W : R);
        }
    }
}

/* The mask answered for each set the peer offers (row) and our mask (column). */
static const char *const rtr_answered[8] = {
    "61234567", "61214161", "21224522", "21224122", "41234444", "41214444", "21224422", "21224422"};

/* [ECE-014] [ECE-015] [ECE-016] */
static void test_rtr_responder(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 128; i++) {
        unsigned offered = i & 7, ours = i >> 3 & 7;
        struct iw_mpa_options o = defaults;
        struct mpa_frame request = good_request(), reply, rejection;
        struct iw_mpa_result result;
        struct iw_mpa_offer offer;
        struct octets wire;
        unsigned want = 0;

        o.rtr = (uint8_t)ours;
        request.p2p = (i >> 6 & 1) != 0;
        set_mask(&request, offered);
        if (request.p2p)
            want = (unsigned)(rtr_answered[offered][ours] - '0');
        wire = build(&request);
        request = parse_octets(MPA_REQUEST, &wire);
        offer = offer_of(&o, &request);
        assert_true(iw_mpa_accept(&o, &offer, 4, 4, NULL, 0, &reply, &result));
        assert_int_equal(reply.p2p, request.p2p);
        assert_int_equal(get_mask(&reply), want);
        assert_int_equal(result.is_p2p, request.p2p);
        assert_int_equal(result.rtr, want);
        assert_true(iw_mpa_reject(&o, &offer, NULL, 0, &rejection));
        assert_int_equal(rejection.p2p, request.p2p);
        assert_int_equal(get_mask(&rejection), want);
    }
}

/* A Read RTR is a Read: not offered without ORD, and answered even where IRD was 0. [ECE-022] */
static void test_rtr_read_needs_room(void **state)
{
    struct iw_mpa_options o = defaults;
    struct mpa_frame request, reply;
    struct iw_mpa_result result;
    struct iw_mpa_offer offer;

    (void)state;
    request = request_of(&o, 4, 0);
    assert_true(request.p2p);
    assert_int_equal(get_mask(&request), W);
    o.rtr = IW_RTR_READ;
    request = request_of(&o, 4, 0);
    assert_false(request.p2p);
    assert_int_equal(get_mask(&request), 0);

    request = good_request();
    request.ord = 0;
    set_mask(&request, R);
    offer = offer_of(&defaults, &request);
    assert_int_equal(offer.ird, 0);
    assert_true(iw_mpa_accept(&defaults, &offer, 0, 0, NULL, 0, &reply, &result));
    assert_int_equal(reply.ird, 1);
    assert_int_equal(result.ird, 1);
    set_mask(&request, W);
    offer = offer_of(&defaults, &request);
    assert_true(iw_mpa_accept(&defaults, &offer, 0, 0, NULL, 0, &reply, &result));
    assert_int_equal(reply.ird, 0);
    assert_int_equal(result.ird, 0);
}

/* ---- IRD and ORD ---- */

/* [ECE-002] [ECE-003] */
static void test_limits_request(void **state)
{
    /* clang-format off */
    static const struct {
        uint16_t ird_max, ord_max;
        uint32_t ird, ord;
        uint16_t want_ird, want_ord;
    } rows[] = {
        {0x3ffe, 0x3ffe, 0x1234, 0x0567, 0x1234, 0x0567},
        {128, 64, 0, 0, 0, 0},
        {128, 64, 128, 64, 128, 64},
        {128, 64, 129, 65, 128, 64},
        {128, 64, UINT32_MAX, UINT32_MAX, 128, 64},
        {128, 64, 0x3fff, 0x3fff, 128, 64},
        {0x3ffe, 0x3ffe, 0x3fff, 0x3fff, 0x3ffe, 0x3ffe},
        {0xffff, 0xffff, 0x10001, 0xffff, 0x3ffe, 0x3ffe}, /* never the 0x3FFF that siw misreads */
        {0, 0, 5, 5, 0, 0},
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct iw_mpa_options o = defaults;
        struct mpa_frame request;

        o.ird_max = rows[i].ird_max;
        o.ord_max = rows[i].ord_max;
        request = request_of(&o, rows[i].ird, rows[i].ord);
        assert_int_equal(request.ird, rows[i].want_ird);
        assert_int_equal(request.ord, rows[i].want_ord);
    }
}

/* [ECE-010] [ECE-011] [ECE-013] */
static void test_limits_initiator(void **state)
{
    /* clang-format off */
    static const struct {
        uint32_t ird, ord;             /* requested, of at most 16 and 16 */
        uint16_t reply_ird, reply_ord; /* of the Reply */
        enum iw_mpa_verdict verdict;
        uint32_t want_ird, want_ord;
    } rows[] = {
        {4, 8, 8, 4, IW_MPA_OK, 4, 8},
        {4, 8, 2, 4, IW_MPA_OK, 4, 2}, /* ORD lowered */
        {4, 8, 0, 4, IW_MPA_OK, 4, 0}, /* no Reads at all */
        {4, 8, 9, 4, IW_MPA_OK, 4, 8}, /* more than asked for: not used */
        {4, 8, 0x3ffe, 0, IW_MPA_OK, 4, 8}, /* IRD never lowered */
        {4, 8, 8, 5, IW_MPA_OK, 5, 8}, /* IRD raised */
        {4, 8, 8, 16, IW_MPA_OK, 16, 8}, /* to the adapter's maximum */
        {4, 8, 8, 17, IW_MPA_TERMINATE, 4, 8}, /* beyond it */
        {4, 8, 8, 0x3ffe, IW_MPA_TERMINATE, 4, 8},
        {4, 8, OPEN, 4, IW_MPA_OK, 4, 8},
        {4, 8, 8, OPEN, IW_MPA_OK, 4, 8},
        {4, 8, OPEN, OPEN, IW_MPA_OK, 4, 8},
        {0, 0, 0, 0, IW_MPA_OK, 0, 0},
        {0, 0, OPEN, OPEN, IW_MPA_OK, 0, 0},
        {0, 0, 5, 5, IW_MPA_OK, 5, 0},
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct iw_mpa_options o = defaults;
        struct mpa_frame request, reply;
        struct iw_mpa_result result;
        enum wire_err err = WIRE_OK;

        o.ird_max = 16;
        o.ord_max = 16;
        request = request_of(&o, rows[i].ird, rows[i].ord);
        reply = good_reply(&request);
        reply.ird = rows[i].reply_ird;
        reply.ord = rows[i].reply_ord;
        assert_int_equal(iw_mpa_judge_reply(&o, &request, &reply, &result, &err), rows[i].verdict);
        assert_int_equal(err, rows[i].verdict == IW_MPA_OK ? WIRE_OK : WIRE_MPA_NO_IRD);
        assert_int_equal(result.ird, rows[i].want_ird);
        assert_int_equal(result.ord, rows[i].want_ord);
        assert_true(result.crc); /* valid for the Terminate, too */
    }
}

/* [ECE-009] [ECE-012] [ECE-013] */
static void test_limits_responder(void **state)
{
    /* clang-format off */
    static const struct {
        uint16_t peer_ird, peer_ord; /* of the Request; the adapter has 16 and 32 */
        uint32_t offer_ird, offer_ord;
        uint32_t ird, ord; /* the consumer's */
        uint16_t reply_ird, reply_ord;
        uint32_t want_ird, want_ord;
    } rows[] = {
        {8, 4, 4, 8, 16, 32, 4, 8, 4, 8}, /* the peer has least */
        {8, 4, 4, 8, 2, 3, 2, 3, 2, 3}, /* the consumer has least */
        {0x3ffe, 0x3ffe, 16, 32, 99, 99, 16, 32, 16, 32}, /* the adapter has least */
        {0, 0, 0, 0, 16, 32, 0, 0, 0, 0},
        {1, 1, 1, 1, 16, 32, 1, 1, 1, 1},
        {8, 4, 4, 8, 0, 0, 0, 0, 0, 0},
        {8, 4, 4, 8, UINT32_MAX, UINT32_MAX, 4, 8, 4, 8},
        {OPEN, 4, 4, 32, 16, 9, 4, OPEN, 4, 9},
        {8, OPEN, 16, 8, 9, 32, OPEN, 8, 9, 8},
        {OPEN, OPEN, 16, 32, 99, 99, OPEN, OPEN, 16, 32},
        {OPEN, OPEN, 16, 32, 0, 0, OPEN, OPEN, 0, 0},
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct iw_mpa_options o = defaults;
        struct mpa_frame request = good_request(), reply;
        struct iw_mpa_result result;
        struct iw_mpa_offer offer;

        o.ird_max = 16;
        o.ord_max = 32;
        request.ird = rows[i].peer_ird;
        request.ord = rows[i].peer_ord;
        offer = offer_of(&o, &request);
        assert_int_equal(offer.ird, rows[i].offer_ird);
        assert_int_equal(offer.ord, rows[i].offer_ord);
        assert_true(iw_mpa_accept(&o, &offer, rows[i].ird, rows[i].ord, NULL, 0, &reply, &result));
        assert_int_equal(reply.ird, rows[i].reply_ird);
        assert_int_equal(reply.ord, rows[i].reply_ord);
        assert_int_equal(result.ird, rows[i].want_ird);
        assert_int_equal(result.ord, rows[i].want_ord);
        /* A rejection tells what could have been. */
        assert_true(iw_mpa_reject(&o, &offer, NULL, 0, &reply));
        assert_int_equal(reply.ird, request.ord == OPEN ? OPEN : offer.ird);
        assert_int_equal(reply.ord, request.ird == OPEN ? OPEN : offer.ord);
    }
}

/* Revision 1 negotiates nothing: each side keeps the consumer's limits, cut to the adapter's. */
static void test_limits_not_enhanced(void **state)
{
    struct iw_mpa_options o = defaults;
    struct mpa_frame request, reply;
    struct iw_mpa_result result;
    struct iw_mpa_offer offer;

    (void)state;
    o.revision = 1;
    request = request_of(&o, 1000, 5);
    offer = offer_of(&defaults, &request);
    assert_int_equal(offer.ird, 128);
    assert_int_equal(offer.ord, 128);
    assert_true(iw_mpa_accept(&defaults, &offer, 7, 1000, NULL, 0, &reply, &result));
    assert_int_equal(result.ird, 7);
    assert_int_equal(result.ord, 128);
    assert_int_equal(result.rtr, IW_RTR_NONE);
}

/* ---- the whole product, ourselves with ourselves ---- */

struct side {
    struct iw_mpa_options o;
    uint32_t ird, ord;
};

static struct side side_of(unsigned rtr, unsigned crc_and_markers, uint32_t ird, uint32_t ord)
{
    struct side s = {.o = defaults, .ird = ird, .ord = ord};

    s.o.rtr = (uint8_t)rtr;
    s.o.crc = (crc_and_markers & 1) != 0 ? IW_CRC_ASK : IW_CRC_NEVER_ASK;
    s.o.markers = (crc_and_markers & 2) != 0;
    s.o.ird_max = 16;
    s.o.ord_max = 16;
    return s;
}

static void check_pair(const struct side *i, const struct side *r)
{
    struct iw_mpa_result ri, rr;
    struct mpa_frame request, reply;
    struct iw_mpa_offer offer;
    struct octets wire;
    enum iw_mpa_verdict verdict;
    enum wire_err err = WIRE_OK;

    request = request_of(&i->o, i->ird, i->ord);
    wire = build(&request);
    reply = parse_octets(MPA_REQUEST, &wire);
    offer = offer_of(&r->o, &reply);
    assert_true(iw_mpa_accept(&r->o, &offer, r->ird, r->ord, NULL, 0, &reply, &rr));
    wire = build(&reply);
    reply = parse_octets(MPA_REPLY, &wire);
    verdict = iw_mpa_judge_reply(&i->o, &request, &reply, &ri, &err);

    assert_int_equal(ri.crc, rr.crc);
    assert_int_equal(ri.markers_rx, rr.markers_tx);
    assert_int_equal(ri.markers_tx, rr.markers_rx);
    assert_int_equal(ri.is_p2p, rr.is_p2p);
    assert_true(ri.ord <= rr.ird);
    assert_true(rr.ord <= ri.ird);
    assert_true(ri.ird <= 16 && ri.ord <= 16 && rr.ird <= 16 && rr.ord <= 16);
    if (verdict == IW_MPA_OK) {
        assert_int_equal(ri.rtr & ~rr.rtr, 0);
        assert_int_equal(ri.rtr != IW_RTR_NONE, ri.is_p2p);
        assert_true(ri.rtr != IW_RTR_READ || (ri.ord >= 1 && rr.ird >= 1));
    } else {
        assert_int_equal(verdict, IW_MPA_TERMINATE);
        assert_int_equal(err, WIRE_MPA_NO_RTR);
        assert_int_equal(get_mask(&request) & get_mask(&reply), 0);
    }
}

static void test_both_sides_agree(void **state)
{
    static const uint32_t limits[] = {0, 1, 3, 16, 1000};

    (void)state;
    for (unsigned n = 0; n < 64 * 16 * 25; n++) {
        unsigned rtr = n % 64, flags = n / 64 % 16, pair = n / (64 * 16);
        uint32_t a = limits[pair % 5], b = limits[pair / 5];
        struct side i = side_of(rtr % 8, flags % 4, a, b);
        struct side r = side_of(rtr / 8, flags / 4, b, a);
        struct side crossed = side_of(rtr / 8, flags / 4, a, b);

        check_pair(&i, &r);
        check_pair(&i, &crossed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rtr_initiator),
        cmocka_unit_test(test_rtr_responder),
        cmocka_unit_test(test_rtr_read_needs_room),
        cmocka_unit_test(test_limits_request),
        cmocka_unit_test(test_limits_initiator),
        cmocka_unit_test(test_limits_responder),
        cmocka_unit_test(test_limits_not_enhanced),
        cmocka_unit_test(test_both_sides_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
