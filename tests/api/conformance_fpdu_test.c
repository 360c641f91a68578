/* SPDX-License-Identifier: MIT */
/* FPDUs, CRCs and markers against a raw peer, the library in either role [RFC5044]. */
#include "support/link.h"

#include <stdlib.h>

#include "support/octets.h"
#include "support/unit.h"

static struct link_how how = {.peer_flags = RAW_C};

/* ---- CRC ---- */

/* [MPA-030] [MPA-031] [MPA-032] [MPA-033] [MPA-034]: on if either side asks; off: anything goes,
 * but the field is there. */
static void test_crc_matrix(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 4; bits++) {
        SOFTNDK_OPTIONS o = consumer_options();
        struct link_how row = how;
        struct raw_fpdu f = raw_send(1, "hello", 5);
        bool ours = (bits & 1) != 0, theirs = (bits & 2) != 0;
        struct link k;

        o.Crc = ours ? SOFTNDK_CRC_ASK : SOFTNDK_CRC_NEVER;
        row.options = &o;
        row.peer_flags = theirs ? RAW_C : 0;
        k = link_open(&row);
        if (row.role == LINK_ACTIVE || !theirs) /* a Reply repeats what was asked for */
            assert_int_equal(k.frame.flags & RAW_C, ours ? RAW_C : 0);
        else
            assert_int_equal(k.frame.flags & RAW_C, RAW_C);
        link_check_send(&k, 1);
        endpoint_receive(k.e, 1, k.r, 0, 64);
        f.crc_fixed = true;
        f.crc_value = 0x5a5aa5a5;
        raw_put(k.p, &f);
        if (ours || theirs) {
            link_expect_terminate(&k, 2, 0, 0x02);
            assert_ntfailure(endpoint_wait_received(k.e).Status);
        } else {
            endpoint_expect_received(k.e, 1, 5);
        }
        link_close(&k);
    }
}

/* The default asks, in both roles. */
static void test_crc_default(void **state)
{
    struct link_how row = how;
    struct link k;

    (void)state;
    row.peer_flags = 0;
    k = link_open(&row);
    assert_int_equal(k.frame.flags & RAW_C, RAW_C);
    link_check_send(&k, 1);
    link_close(&k);
}

/* [MPA-035]: one bit in each region. */
static void test_crc_covers(void **state)
{
    static const struct {
        size_t at;
        uint8_t bit;
    } rows[] = {
        {1, 0x01},  /* ULPDU_Length 23 to 22: an FPDU that is shorter */
        {2, 0x04},  /* reserved bit of the DDP control octet */
        {4, 0x01},  /* Invalidate STag, which is ignored */
        {20, 0x01}, /* payload */
        {24, 0x80},
        {25, 0x01}, /* pad */
        {27, 0x01},
        {28, 0x01}, /* CRC */
        {31, 0x80},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct link k = link_open(&how);
        struct raw_fpdu f = raw_send(1, "hello", 5);
        uint8_t octets[64];
        uint64_t pos = 0;
        size_t n = raw_fpdu_octets(&f, true, false, &pos, octets);

        assert_int_equal(n, 32);
        endpoint_receive(k.e, 1, k.r, 0, 64);
        octets[rows[i].at] ^= rows[i].bit;
        raw_octets(k.p, octets, n);
        link_expect_terminate(&k, 2, 0, 0x02);
        assert_ntfailure(endpoint_wait_received(k.e).Status);
        link_close(&k);
    }
}

/* [MPA-038] [MPA-039] [MPA-063]: nothing is delivered or answered from the bad one on; MPA's own
 * Terminate has no headers. */
static void test_nothing_after_bad_crc(void **state)
{
    struct link k = link_open(&how);
    struct raw_fpdu bad = raw_send(1, "bad", 3), good = raw_send(1, "good", 4);
    struct raw_fpdu read = raw_read_request(1, 1, 1, 4, k.m->remote, memory_to(k.m, 0));
    struct raw_fpdu write = raw_write(k.m->remote, memory_to(k.m, 0), "good", 4);
    struct raw_term_in t;

    (void)state;
    endpoint_receive(k.e, 1, k.r, 0, 64);
    endpoint_receive(k.e, 2, k.r, 64, 64);
    bad.crc_xor = 0x80000000;
    raw_cork(k.p);
    raw_put(k.p, &bad);
    raw_put(k.p, &good);
    raw_put(k.p, &write);
    raw_put(k.p, &read);
    raw_flush(k.p);
    t = link_expect_terminate(&k, 2, 0, 0x02);
    assert_false(t.m || t.d || t.r);
    for (int i = 0; i < 2; i++)
        assert_ntstatus(endpoint_wait_received(k.e).Status, STATUS_CANCELLED);
    assert_int_equal(k.m->p[0], 0);
    link_close(&k);
}

/* A Read Request with a bad CRC is not answered, a Read Response with one does not complete. */
static void test_bad_crc_of_reads(void **state)
{
    struct link k = link_open(&how);
    struct raw_fpdu f = raw_read_request(1, 1, 1, 4, k.m->remote, memory_to(k.m, 0));
    struct raw_read_in read;

    (void)state;
    f.crc_xor = 1;
    raw_put(k.p, &f);
    link_expect_terminate(&k, 2, 0, 0x02);
    link_close(&k);

    k = link_open(&how);
    endpoint_read(k.e, 1, k.r, 0, 4, 0, 1, 0);
    read = raw_expect_read_request(k.p);
    f = raw_read_response(read.sink_stag, read.sink_to, "1234", 4);
    f.crc_xor = 1;
    raw_put(k.p, &f);
    link_expect_terminate(&k, 2, 0, 0x02);
    assert_ntfailure(endpoint_wait_initiated(k.e).Status);
    link_close(&k);
}

/* [MPA-036] [MPA-037] */
static void test_pad(void **state)
{
    struct link k = link_open(&how);

    (void)state;
    for (uint32_t n = 0; n < 8; n++) {
        struct raw_fpdu f = raw_send(k.peer_msn, "1234567", n);

        f.pad = 0xaa;
        endpoint_receive(k.e, n, k.r, 0, 64);
        raw_put(k.p, &f);
        endpoint_expect_received(k.e, n, n);
        k.peer_msn++;
        endpoint_send(k.e, n, k.m, 0, n, 0); /* its pad is looked at by the peer */
        assert_int_equal(
            raw_expect_message(k.p, RAW_OP_SEND, k.m->p, n).octets, (2 + 18 + n + 3) / 4 * 4 + 4);
        endpoint_expect_initiated(k.e, n);
    }
    link_close(&k);
}

/* ---- lengths ---- */

/* [MPA-048]: too short for its header; no octet behind it is looked at. */
static void test_too_short(void **state)
{
    (void)state;
    for (unsigned row = 0; row < 14 + 18; row++) {
        bool tagged = row < 14;
        size_t left = tagged ? row : row - 14;
        struct link k = link_open(&how);
        struct raw_fpdu f = tagged ? raw_rtr_write() : raw_send(1, NULL, 0);

        endpoint_receive(k.e, 1, k.r, 0, 64);
        f.cut = (tagged ? 14 : 18) - left;
        raw_put(k.p, &f);
        link_expect_terminate(&k, 1, 0, 0x00);
        link_close(&k);
    }
}

/* [MPA-047]: FPDUs far above the MSS. */
static void test_large_fpdus(void **state)
{
    static const size_t ulpdus[] = {1500, 16384, 60014, 64768, 64769, 65535};
    static uint8_t data[65535];
    struct link k = link_open(&how);
    uint64_t seed = 31;

    (void)state;
    random_fill(&seed, data, sizeof(data));
    for (size_t i = 0; i < sizeof(ulpdus) / sizeof(ulpdus[0]); i++) {
        size_t n = ulpdus[i] - 14;
        struct raw_fpdu f = raw_write(k.m->remote, memory_to(k.m, 3), data, n);

        memset(k.m->p, 0, LINK_MEMORY);
        raw_put(k.p, &f);
        link_check_receive(&k);
        assert_memory_equal(k.m->p + 3, data, n);
        assert_int_equal(k.m->p[3 + n], 0);
    }
    link_close(&k);
}

/* The largest ULPDU for an effective segment size, with and without markers. */
static size_t mulpdu(size_t emss, bool markers)
{
    size_t most = emss - (6 + (markers ? 4 * ((emss + 511) / 512) : 0) + emss % 4);

    return most < 128 ? 128 : most > 64768 ? 64768 : most;
}

/* [MPA-042] [MPA-043] [MPA-044] [MPA-045]: full segments have the MULPDU of the connection's
 * segment size, which is the peer's, less the room of TCP's timestamps where they are on. */
static void test_mulpdu(void **state)
{
    static const int sizes[] = {88, 536, 1220, 1440, 1460, 8960, 0};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct raw_tcp tcp = {.mss = sizes[i / 2]};
        struct link_how row = how;
        struct link k;
        size_t first = 0, at = 0;
        struct raw_in in;
        bool markers = i % 2 == 1;

        row.tcp = &tcp;
        row.peer_flags = (uint8_t)(RAW_C | (markers ? RAW_M : 0));
        k = link_open(&row);
        for (int round = 0; round < 4; round++)
            endpoint_write(k.e, 1, k.m, 0, LINK_MEMORY, 0, 1, 0);
        while (at < 4 * LINK_MEMORY) {
            in = raw_expect_op(k.p, RAW_OP_WRITE);
            assert_true(in.ulpdu_length <= 64768);
            if (first == 0)
                first = in.ulpdu_length;
            if (!in.is_last)
                assert_int_equal(in.ulpdu_length, first);
            at += in.len;
        }
        if (tcp.mss > 0) {
            size_t mss = (size_t)tcp.mss;

            print_message("MSS %zu, markers %d: ULPDU %zu\n", mss, markers, first);
            assert_true(first == mulpdu(mss, markers) || first == mulpdu(mss - 12, markers) ||
                        (mss == 88 && first == 128));
        }
        for (int round = 0; round < 4; round++)
            endpoint_expect_initiated(k.e, 1);
        link_close(&k);
    }
}

/* ---- segmentation ---- */

/* [MPA-046] [MPA-058]: any cut of the stream gives the same messages. */
static void test_any_cut(void **state)
{
    static const size_t pieces[] = {1, 3, 7, 1000};
    static uint8_t data[2000];
    uint64_t seed = 41;

    (void)state;
    random_fill(&seed, data, sizeof(data));
    for (size_t i = 0; i < 2 * sizeof(pieces) / sizeof(pieces[0]); i++) {
        SOFTNDK_OPTIONS o = consumer_options();
        struct link_how row = how;
        struct link k;
        size_t piece = pieces[i / 2];

        o.Markers = i % 2 == 1;
        row.options = &o;
        k = link_open(&row);
        assert_int_equal(k.frame.flags & RAW_M, o.Markers ? RAW_M : 0);
        raw_split(k.p, piece);
        for (size_t n = 0; n <= 1100; n = n * 3 + 1) {
            struct raw_fpdu f = raw_send(k.peer_msn, data, n);
            struct raw_fpdu w = raw_write(k.m->remote, memory_to(k.m, n), data, n);

            endpoint_receive(k.e, k.peer_msn, k.r, 0, LINK_RECEIVE);
            raw_put(k.p, &w);
            raw_put(k.p, &f);
            endpoint_expect_received(k.e, k.peer_msn++, n);
            assert_memory_equal(k.r->p, data, n);
            assert_memory_equal(k.m->p + n, data, n);
        }
        link_close(&k);
    }
}

/* [MPA-046]: twenty FPDUs in one segment. */
static void test_coalesced(void **state)
{
    enum { COUNT = 20 };
    struct endpoint_options deep = {.receive_depth = COUNT};
    struct link_how row = how;
    struct link k;

    (void)state;
    row.endpoint = &deep;
    k = link_open(&row);
    raw_cork(k.p);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct raw_fpdu f = raw_send(i + 1, "twenty octets of it.", i + 1);

        endpoint_receive(k.e, i, k.r, (size_t)i * 32, 32);
        raw_put(k.p, &f);
    }
    raw_flush(k.p);
    for (uint32_t i = 0; i < COUNT; i++)
        endpoint_expect_received(k.e, i, i + 1);
    link_close(&k);
}

/* ---- markers ---- */

/* [MPA-049] [MPA-050] [MPA-052] [MPA-053] [MPA-059]: each direction as its receiver asked; the raw
 * peer looks at each marker. Private data of any length does not count. */
static void test_markers(void **state)
{
    static uint8_t data[5000];
    uint64_t seed = 51;

    (void)state;
    random_fill(&seed, data, sizeof(data));
    for (unsigned i = 0; i < 16; i++) {
        SOFTNDK_OPTIONS o = consumer_options();
        struct endpoint_terms t = {.inbound = 4, .outbound = 4, .private_data = data};
        struct link_how row = how;
        struct link k;

        o.Markers = i & 1;
        o.Crc = i & 4 ? SOFTNDK_CRC_ASK : SOFTNDK_CRC_NEVER;
        t.private_len = i;
        row.options = &o;
        row.terms = &t;
        row.peer_flags = (uint8_t)((i & 2 ? RAW_M : 0) | (i & 4 ? RAW_C : 0));
        k = link_open(&row);
        memcpy(k.m->p, data, sizeof(data));
        for (size_t n = 0; n < 5000; n = n * 2 + 1 + i) {
            struct raw_fpdu f = raw_write(k.m->remote, memory_to(k.m, 5000), data, n);

            endpoint_send(k.e, 1, k.m, 0, n, 0);
            raw_expect_message(k.p, RAW_OP_SEND, data, n);
            endpoint_expect_initiated(k.e, 1);
            raw_put_message(k.p, &f, 1400);
            link_check_receive(&k);
            assert_memory_equal(k.m->p + 5000, data, n);
            memcpy(k.m->p, data, 64);
        }
        link_close(&k);
    }
}

/* [MPA-054] [MPA-055]: a marker exactly between two FPDUs, and one between pad and CRC. Payloads of
 * a Send that, behind `used` octets of stream, end 4, 0 octets before the 512th. */
static void test_marker_places(void **state)
{
    (void)state;
    for (size_t n = 440; n < 500; n++) {
        SOFTNDK_OPTIONS o = consumer_options();
        static uint8_t zeros[512];
        struct link_how row = how;
        struct raw_fpdu f;
        struct link k;

        o.Markers = 1;
        row.options = &o;
        row.peer_flags = RAW_C | RAW_M;
        k = link_open(&row);
        f = raw_send(k.peer_msn++, zeros, n);
        endpoint_receive(k.e, 1, k.r, 0, 512);
        raw_put(k.p, &f);
        endpoint_expect_received(k.e, 1, n);
        link_check_receive(&k);
        endpoint_send(k.e, 2, k.m, 0, n, 0);
        endpoint_send(k.e, 3, k.m, 0, 0, 0);
        raw_expect_message(k.p, RAW_OP_SEND, k.m->p, n);
        raw_expect_message(k.p, RAW_OP_SEND, k.m->p, 0);
        endpoint_expect_initiated(k.e, 2);
        endpoint_expect_initiated(k.e, 3);
        link_close(&k);
    }
}

/* [MPA-056]: the low bits of FPDUPTR do not count. [MPA-057]: one that is wrong is not believed. */
static void test_marker_pointer(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    static uint8_t zeros[512];
    struct link_how row = how;
    struct raw_fpdu f;
    struct link k;
    enum raw_event event;
    struct raw_in in;

    (void)state;
    o.Markers = 1;
    row.options = &o;
    k = link_open(&row);
    f = raw_send(k.peer_msn++, zeros, 512);
    f.marker_xor = 3;
    endpoint_receive(k.e, 1, k.r, 0, 512);
    raw_put(k.p, &f);
    endpoint_expect_received(k.e, 1, 512);
    f.marker_xor = 4;
    f.msn = k.peer_msn++;
    endpoint_receive(k.e, 2, k.r, 0, 512);
    raw_put(k.p, &f);
    event = raw_get(k.p, &in, RAW_SILENCE_MS);
    if (event == RAW_SILENCE) { /* tolerated: then all of it */
        endpoint_expect_received(k.e, 2, 512);
    } else {
        assert_int_equal(event, RAW_FPDU);
        assert_int_equal(in.rdmap, RAW_OP_TERMINATE);
        assert_int_equal(in.payload[0] << 8 | in.payload[1], 0x2003);
    }
    link_close(&k);
}

/* [MPA-051]: the first marker goes with the first FPDU, not before. */
static void test_first_marker(void **state)
{
    struct link_how row = how;
    struct link k;

    (void)state;
    row.peer_flags = RAW_C | RAW_M;
    k = link_open(&row);
    if (row.role == LINK_PASSIVE)
        raw_expect_silence(k.p); /* the RTR has been received by now */
    link_check_send(&k, 1);
    link_close(&k);
}

/* ---- ends ---- */

/* The stream ends inside an FPDU. */
static void test_cut_off(void **state)
{
    static const size_t lengths[] = {1, 2, 19, 20, 24, 28, 31};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct link k = link_open(&how);
        struct raw_fpdu f = raw_send(1, "hello", 5);
        uint8_t octets[64];
        uint64_t pos = 0;

        assert_int_equal(raw_fpdu_octets(&f, true, false, &pos, octets), 32);
        endpoint_receive(k.e, 1, k.r, 0, 64);
        raw_octets(k.p, octets, lengths[i]);
        raw_half_close(k.p);
        endpoint_wait_disconnected(k.e);
        endpoint_close_connector(k.e);
        k.e->qp->Dispatch->NdkFlush(k.e->qp);
        assert_ntfailure(endpoint_wait_received(k.e).Status);
        link_close(&k);
    }
}

static int run(enum link_role role, const char *name)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc_matrix),
        cmocka_unit_test(test_crc_default),
        cmocka_unit_test(test_crc_covers),
        cmocka_unit_test(test_nothing_after_bad_crc),
        cmocka_unit_test(test_bad_crc_of_reads),
        cmocka_unit_test(test_pad),
        cmocka_unit_test(test_too_short),
        cmocka_unit_test(test_large_fpdus),
        cmocka_unit_test(test_mulpdu),
        cmocka_unit_test(test_any_cut),
        cmocka_unit_test(test_coalesced),
        cmocka_unit_test(test_markers),
        cmocka_unit_test(test_marker_places),
        cmocka_unit_test(test_marker_pointer),
        cmocka_unit_test(test_first_marker),
        cmocka_unit_test(test_cut_off),
    };

    how.role = role;
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
    return run(LINK_PASSIVE, "passive") + run(LINK_ACTIVE, "active");
}
