/* SPDX-License-Identifier: MIT */
/* MPA start-up with the library as initiator: a raw peer listens and answers [RFC5044], [RFC6581].
 */
#include "support/link.h"

#include "support/unit.h"

static const struct link_how how = {.role = LINK_ACTIVE, .peer_flags = RAW_C};

static struct raw_frame good_reply(void)
{
    return link_frame(&how);
}

/* ---- the Request ---- */

/* [MPA-001] [MPA-007] [MPA-010] [MPA-030] [ECE-001] [ECE-002] [ECE-003] */
static void test_default_request(void **state)
{
    struct endpoint_terms t = {.inbound = 0x12, .outbound = 0x05, .private_data = "hi"};
    struct link_how row = how;
    struct link k;

    (void)state;
    t.private_len = 2;
    row.terms = &t;
    k = link_begin(&row);
    assert_memory_equal(k.frame.octets, "MPA ID Req Frame", 16);
    assert_int_equal(k.frame.flags, RAW_C | RAW_S);
    assert_int_equal(k.frame.revision, 2);
    assert_int_equal(k.frame.pd_length, 6);
    assert_int_equal(k.frame.ird, RAW_BIT_A | 0x12);
    assert_int_equal(k.frame.ord, RAW_BIT_C | RAW_BIT_D | 0x05);
    assert_memory_equal(k.frame.private_data, "hi", 2);
    raw_expect_silence(k.p); /* nothing behind it before the Reply [MPA-024] */
    link_close(&k);
}

/* [MPA-005] [ECE-007]: revision 1 has no enhanced block. */
static void test_request_options(void **state)
{
    static const struct {
        ULONG revision, crc, markers, rtr;
        uint8_t flags;
        uint16_t ird, ord;
    } rows[] = {
        {1, SOFTNDK_CRC_ASK, 0, SOFTNDK_RTR_WRITE, RAW_C, 0, 0},
        {1, SOFTNDK_CRC_NEVER, 1, 0, RAW_M, 0, 0},
        {2, SOFTNDK_CRC_NEVER, 0, 0, RAW_S, 3, 4},
        {2, SOFTNDK_CRC_REQUIRE, 1, 7, RAW_M | RAW_C | RAW_S, RAW_BIT_A | RAW_BIT_B | 3,
            RAW_BIT_C | RAW_BIT_D | 4},
        {2, SOFTNDK_CRC_ASK, 0, SOFTNDK_RTR_READ, RAW_C | RAW_S, RAW_BIT_A | 3, RAW_BIT_D | 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct endpoint_terms t = {.inbound = 3, .outbound = 4};
        SOFTNDK_OPTIONS o = consumer_options();
        struct link_how row = how;
        struct link k;

        o.MpaRevision = rows[i].revision;
        o.Crc = rows[i].crc;
        o.Markers = rows[i].markers;
        o.Rtr = rows[i].rtr;
        row.options = &o;
        row.terms = &t;
        k = link_begin(&row);
        assert_int_equal(k.frame.revision, rows[i].revision);
        assert_int_equal(k.frame.flags, rows[i].flags);
        assert_int_equal(k.frame.ird, rows[i].ird);
        assert_int_equal(k.frame.ord, rows[i].ord);
        assert_int_equal(k.frame.pd_length, rows[i].revision == 2 ? 4 : 0);
        link_close(&k);
    }
}

/* [MPA-013] [MPA-014]: as much as was given, up to the adapter's limit, and not more. */
static void test_private_data_sent(void **state)
{
    static const ULONG lengths[] = {0, 1, 3, 4, 255, 256, 508};
    uint8_t data[1024];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 5 + 1);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct endpoint_terms t = {.private_data = data, .private_len = lengths[i]};
        struct raw_frame reply = good_reply();
        struct link_how row = how;
        struct connection_data seen;
        struct link k;

        row.terms = &t;
        k = link_begin(&row);
        assert_true(k.c->info.MaxCallerData >= lengths[i]);
        assert_int_equal(k.frame.private_len, lengths[i]);
        assert_memory_equal(k.frame.private_data, data, lengths[i]);
        reply.private_data = data;
        reply.private_len = (uint16_t)lengths[i];
        raw_put_frame(k.p, &reply);
        assert_ntstatus(endpoint_connect_wait(k.e), STATUS_SUCCESS);
        seen = connection_data_of(k.e->connector);
        assert_true(seen.private_len >= lengths[i]);
        assert_memory_equal(seen.private_data, data, lengths[i]);
        link_close(&k);
    }
}

static void test_private_data_too_long(void **state)
{
    static const uint8_t data[513];
    struct raw_listener *l = raw_listen("127.0.0.1", NULL);
    struct consumer *c = consumer_open(NULL);
    struct endpoint_terms t = {.private_data = data, .private_len = c->info.MaxCallerData + 1};
    struct endpoint *e = endpoint_open(c, NULL);

    (void)state;
    assert_true(t.private_len <= sizeof(data));
    endpoint_connect_start(e, "127.0.0.1", raw_listener_port(l), &t);
    assert_ntstatus(endpoint_connect_wait(e), STATUS_INVALID_BUFFER_SIZE);
    raw_expect_no_connection(l);
    endpoint_close(e);
    consumer_close(c);
    raw_listener_close(l);
}

/* ---- Replies that are no good ---- */

static void request_key(struct raw_frame *f)
{
    f->is_reply = false;
}
static void key_0(struct raw_frame *f)
{
    f->key_octet = 0;
}
static void key_15(struct raw_frame *f)
{
    f->key_octet = 15;
}
static void revision_0(struct raw_frame *f)
{
    f->revision = 0;
}
static void revision_1(struct raw_frame *f)
{
    f->revision = 1;
}
static void revision_3(struct raw_frame *f)
{
    f->revision = 3;
}
static void revision_127(struct raw_frame *f)
{
    f->revision = 0x7f;
}
static void revision_255(struct raw_frame *f)
{
    f->revision = 0xff;
}
static void not_enhanced(struct raw_frame *f)
{
    f->flags &= (uint8_t)~RAW_S;
}
static void length_513(struct raw_frame *f)
{
    f->pd_length = 513;
}
static void length_600(struct raw_frame *f)
{
    f->pd_length = 600;
}
static void length_65535(struct raw_frame *f)
{
    f->pd_length = 65535;
}
static void length_3(struct raw_frame *f)
{
    f->pd_length = 3;
}

/* [MPA-004] [MPA-006] [MPA-015] [MPA-027] [ECE-004] [ECE-024]: closed without a word. */
static void test_bad_replies(void **state)
{
    static void (*const spoils[])(struct raw_frame *) = {request_key, key_0, key_15, revision_0,
        revision_1, revision_3, revision_127, revision_255, not_enhanced, length_513, length_600,
        length_65535, length_3};

    (void)state;
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        struct link k = link_begin(&how);
        struct raw_frame f = good_reply();

        print_message("spoil %zu\n", i);
        spoils[i](&f);
        raw_put_frame(k.p, &f);
        raw_expect_end(k.p);
        assert_ntfailure(endpoint_connect_wait(k.e));
        link_close(&k);
    }
}

/* [MPA-016]: a Reply that ends early, after any number of octets. */
static void test_reply_cut_off(void **state)
{
    uint8_t octets[64];
    struct raw_frame f = good_reply();
    size_t n;

    (void)state;
    f.private_data = "private";
    f.private_len = 7;
    n = raw_frame_octets(&f, octets);
    for (size_t at = 1; at < n; at++) { /* 0: see test_fallback */
        struct link k = link_begin(&how);

        raw_octets(k.p, octets, at);
        raw_half_close(k.p);
        raw_expect_end(k.p);
        assert_ntfailure(endpoint_connect_wait(k.e));
        link_close(&k);
    }
}

/* [MPA-018] [SEC-014]: no Reply, or the beginning of one. */
static void test_reply_timeout(void **state)
{
    (void)state;
    for (int begun = 0; begun < 2; begun++) {
        SOFTNDK_OPTIONS o = consumer_options();
        struct link_how row = how;
        struct link k;

        o.MpaTimeoutMs = 200;
        row.options = &o;
        k = link_begin(&row);
        if (begun)
            raw_octets(k.p, "MPA ID Rep", 10);
        raw_expect_end(k.p);
        assert_ntstatus(endpoint_connect_wait(k.e), STATUS_IO_TIMEOUT);
        link_close(&k);
    }
}

/* [ECE-008]: a peer that closes or resets instead of answering may know revision 1 only. It is
 * asked again in revision 1, once. */
static void test_fallback(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct endpoint_terms t = {.inbound = 2, .outbound = 3, .private_data = "hi"};
        struct raw_frame reply = raw_reply(RAW_C, 1);
        struct link_how row = how;
        struct raw_frame_in again;
        struct link k;

        t.private_len = 2;
        row.terms = &t;
        k = link_begin(&row);
        if (i % 2 == 0)
            raw_close(k.p);
        else
            raw_reset(k.p);
        k.p = raw_accept(k.l);
        again = raw_expect_request(k.p);
        assert_int_equal(again.revision, 1);
        assert_int_equal(again.flags, RAW_C);
        assert_int_equal(again.private_len, 2);
        assert_memory_equal(again.private_data, "hi", 2);
        if (i < 2) {
            raw_put_frame(k.p, &reply);
            assert_ntstatus(endpoint_connect_wait(k.e), STATUS_SUCCESS);
            assert_ntstatus(endpoint_complete(k.e), STATUS_SUCCESS);
            link_check_send(&k, 1); /* no RTR */
            link_check_receive(&k);
        } else {
            raw_half_close(k.p);
            raw_expect_end(k.p);
            assert_ntfailure(endpoint_connect_wait(k.e));
            raw_expect_no_connection(k.l);
        }
        link_close(&k);
    }
}

/* In revision 1 there is nothing to fall back to. */
static void test_no_fallback(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct link_how row = how;
    struct link k;

    (void)state;
    o.MpaRevision = 1;
    row.options = &o;
    k = link_begin(&row);
    raw_reset(k.p);
    k.p = NULL;
    assert_ntfailure(endpoint_connect_wait(k.e));
    raw_expect_no_connection(k.l);
    link_close(&k);
}

/* [MPA-011]: R is a rejection; the connector may try again. */
static void test_rejected(void **state)
{
    static const struct {
        uint8_t flags, revision;
    } rows[] = {
        {RAW_C | RAW_S | RAW_R, 2}, {RAW_S | RAW_R, 2}, /* siw */
        {RAW_R, 2}, {RAW_R, 1},                         /* a peer of revision 1 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct link k = link_begin(&how);
        struct raw_frame f = raw_reply(rows[i].flags, rows[i].revision);
        struct raw_frame again = good_reply();

        f.private_data = "0123456789";
        f.private_len = 10;
        raw_put_frame(k.p, &f);
        raw_expect_end(k.p);
        assert_ntstatus(endpoint_connect_wait(k.e), STATUS_CONNECTION_REFUSED);
        raw_close(k.p);

        endpoint_connect_start(k.e, "127.0.0.1", raw_listener_port(k.l), NULL);
        k.p = raw_accept(k.l);
        raw_expect_request(k.p);
        raw_put_frame(k.p, &again);
        assert_ntstatus(endpoint_connect_wait(k.e), STATUS_SUCCESS);
        link_close(&k);
    }
}

/* ---- Replies that are fine ---- */

/* [MPA-008]: reserved bits of the flags. */
static void test_reserved_bits(void **state)
{
    struct link k = link_begin(&how);
    struct raw_frame f = good_reply();

    (void)state;
    f.flags |= 0x0f;
    raw_put_frame(k.p, &f);
    assert_ntstatus(endpoint_connect_wait(k.e), STATUS_SUCCESS);
    assert_ntstatus(endpoint_complete(k.e), STATUS_SUCCESS);
    raw_expect_op(k.p, RAW_OP_WRITE);
    link_check_receive(&k);
    link_close(&k);
}

/* [MPA-008]: all five of revision 1, 0x10 among them. */
static void test_reserved_bits_rev_1(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct link_how row = how;
    struct raw_frame f = raw_reply(RAW_C | 0x0f, 1);
    uint8_t octets[32];
    struct link k;

    (void)state;
    o.MpaRevision = 1;
    row.options = &o;
    k = link_begin(&row);
    raw_frame_octets(&f, octets);
    octets[16] |= 0x10;
    raw_octets(k.p, octets, 20);
    raw_set_crc(k.p, true);
    assert_ntstatus(endpoint_connect_wait(k.e), STATUS_SUCCESS);
    assert_ntstatus(endpoint_complete(k.e), STATUS_SUCCESS);
    link_check_send(&k, 1); /* no RTR in revision 1 */
    link_check_receive(&k);
    link_close(&k);
}

/* [MPA-019]: one octet at a time. */
static void test_reply_in_pieces(void **state)
{
    struct link k = link_begin(&how);
    struct raw_frame f = good_reply();

    (void)state;
    f.private_data = "private";
    f.private_len = 7;
    raw_split(k.p, 1);
    raw_put_frame(k.p, &f);
    assert_ntstatus(endpoint_connect_wait(k.e), STATUS_SUCCESS);
    assert_memory_equal(connection_data_of(k.e->connector).private_data, "private", 7);
    link_close(&k);
}

/* [MPA-024]: nothing before the consumer completes the connect, and nothing can be posted. */
static void test_nothing_before_complete(void **state)
{
    struct link k = link_begin(&how);
    struct raw_frame f = good_reply();
    NDK_SGE sge = memory_sge(k.m, 0, 4);

    (void)state;
    assert_ntstatus(
        k.e->qp->Dispatch->NdkSend(k.e->qp, NULL, &sge, 1, 0), STATUS_CONNECTION_INVALID);
    raw_put_frame(k.p, &f);
    assert_ntstatus(endpoint_connect_wait(k.e), STATUS_SUCCESS);
    assert_ntstatus(
        k.e->qp->Dispatch->NdkSend(k.e->qp, NULL, &sge, 1, 0), STATUS_CONNECTION_INVALID);
    raw_expect_silence(k.p);
    assert_ntstatus(endpoint_complete(k.e), STATUS_SUCCESS);
    raw_expect_op(k.p, RAW_OP_WRITE);
    link_check_send(&k, 1);
    link_close(&k);
}

/* [MPA-025] [MPA-026] [VRB-057]: FPDUs in the same segment as the Reply, also when the private data
 * is odd. */
static void test_reply_with_fpdus(void **state)
{
    (void)state;
    for (uint16_t n = 0; n < 5; n++) {
        struct link_how row = how;
        struct link k = link_begin(&row);
        struct raw_frame f = good_reply();
        struct raw_fpdu send = raw_send(k.peer_msn++, "early", 5);

        f.private_data = "1234";
        f.private_len = n;
        f.flags |= RAW_M;
        endpoint_receive(k.e, 1, k.r, 0, 64);
        raw_cork(k.p);
        raw_put_frame(k.p, &f);
        raw_put(k.p, &send);
        raw_flush(k.p);
        assert_ntstatus(endpoint_connect_wait(k.e), STATUS_SUCCESS);
        assert_ntstatus(endpoint_complete(k.e), STATUS_SUCCESS);
        endpoint_expect_received(k.e, 1, 5);
        raw_expect_op(k.p, RAW_OP_WRITE);
        link_check_send(&k, 1);
        link_close(&k);
    }
}

/* An active side that rejects what the passive side accepted. */
static void test_reject_after_reply(void **state)
{
    struct link k = link_begin(&how);
    struct raw_frame f = good_reply();

    (void)state;
    raw_put_frame(k.p, &f);
    assert_ntstatus(endpoint_connect_wait(k.e), STATUS_SUCCESS);
    assert_ntstatus(k.e->connector->Dispatch->NdkReject(k.e->connector, NULL, 0), STATUS_SUCCESS);
    raw_drain(k.p);
    link_close(&k);
}

/* ---- RTR ---- */

/* [ECE-014] [ECE-015] [ECE-016] [ECE-017] [ECE-018] [ECE-020] [ECE-021]: the one RTR that both have
 * goes first, alone, and no consumer sees it. Bits are S 1, W 2, R 4. */
static void test_rtr(void **state)
{
    static const struct {
        unsigned offered, accepted;
        uint8_t op; /* 0: Terminate */
    } rows[] = {
        {7, 7, RAW_OP_WRITE},
        {7, 2, RAW_OP_WRITE},
        {7, 4, RAW_OP_READ_REQUEST},
        {7, 1, RAW_OP_SEND},
        {7, 5, RAW_OP_READ_REQUEST},
        {4, 6, RAW_OP_READ_REQUEST},
        {1, 7, RAW_OP_SEND},
        {6, 1, 0},
        {2, 4, 0},
        {6, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SOFTNDK_OPTIONS o = consumer_options();
        struct link_how row = how;
        struct raw_frame f = raw_reply(RAW_C | RAW_S, 2);
        uint32_t send_msn = rows[i].op == RAW_OP_SEND ? 2 : 1;
        struct raw_read_in read;
        struct link k;
        struct raw_in in;

        print_message("offered %u, accepted %u\n", rows[i].offered, rows[i].accepted);
        o.Rtr = rows[i].offered;
        row.options = &o;
        k = link_begin(&row);
        f.ird |= (uint16_t)(RAW_BIT_A | (rows[i].accepted & 1 ? RAW_BIT_B : 0));
        f.ord |= (uint16_t)((rows[i].accepted & 2 ? RAW_BIT_C : 0) |
                            (rows[i].accepted & 4 ? RAW_BIT_D : 0));
        raw_put_frame(k.p, &f);
        if (rows[i].op == 0) { /* [ECE-019] */
            raw_expect_terminate(k.p, 2, 0, 0x07);
            raw_expect_fin(k.p);
            assert_ntfailure(endpoint_connect_wait(k.e));
            link_close(&k);
            continue;
        }
        assert_ntstatus(endpoint_connect_wait(k.e), STATUS_SUCCESS);
        assert_ntstatus(endpoint_complete(k.e), STATUS_SUCCESS);
        in = raw_expect_op(k.p, rows[i].op);
        if (rows[i].op == RAW_OP_READ_REQUEST) {
            const uint8_t *h = in.payload;
            struct raw_fpdu answer;

            assert_int_equal(in.len, 28);
            assert_int_equal(in.msn, 1);
            assert_int_equal(h[12] | h[13] | h[14] | h[15], 0);
            answer = raw_read_response(
                (uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 | (uint32_t)h[2] << 8 | h[3], 0, NULL,
                0);
            raw_put(k.p, &answer);
        } else {
            assert_int_equal(in.len, 0);
        }
        link_check_receive(&k);
        endpoint_expect_no_initiated(k.e);
        link_check_send(&k, send_msn);
        endpoint_read(k.e, 3, k.r, 0, 0, 0, 1, 0);
        read = raw_expect_read_request(k.p);
        assert_int_equal(read.msn, rows[i].op == RAW_OP_READ_REQUEST ? 2 : 1);
        endpoint_expect_no_received(k.e);
        link_close(&k);
    }
}

/* [ECE-014] [ECE-015]: without A in the Request there is no RTR, whatever the Reply says. */
static void test_no_rtr(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct link_how row = how;
    struct raw_frame f = raw_reply(RAW_C | RAW_S, 2);
    struct link k;

    (void)state;
    o.Rtr = 0;
    row.options = &o;
    k = link_begin(&row);
    f.ird |= RAW_BIT_B;
    f.ord |= RAW_BIT_C | RAW_BIT_D;
    raw_put_frame(k.p, &f);
    assert_ntstatus(endpoint_connect_wait(k.e), STATUS_SUCCESS);
    assert_ntstatus(endpoint_complete(k.e), STATUS_SUCCESS);
    raw_expect_silence(k.p);
    link_check_send(&k, 1);
    link_check_receive(&k);
    link_close(&k);
}

/* ---- IRD and ORD ---- */

/* [ECE-011] [ECE-012] [ECE-013]: what the consumer is told; the adapter has 16 inbound Reads. */
static void test_limits(void **state)
{
    static const struct {
        ULONG inbound, outbound; /* asked for */
        uint16_t ird, ord;       /* of the Reply */
        bool ok;
        ULONG told_inbound, told_outbound;
    } rows[] = {
        {4, 8, 8, 4, true, 4, 8},
        {4, 8, 2, 4, true, 4, 2},
        {4, 8, 8, 3, true, 3, 8},   /* what the peer will use */
        {4, 8, 8, 16, true, 16, 8}, /* raised to what the peer needs */
        {4, 8, 8, 17, false, 0, 0}, /* more than there is */
        {4, 8, 0x3fff, 0x3fff, true, 4, 8},
        {0, 0, 0, 0, true, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct endpoint_terms t = {.inbound = rows[i].inbound, .outbound = rows[i].outbound};
        SOFTNDK_OPTIONS o = consumer_options();
        struct raw_frame f = raw_reply(RAW_C | RAW_S, 2);
        struct link_how row = how;
        struct connection_data seen;
        struct link k;

        print_message("row %zu\n", i);
        o.MaxInboundReadLimit = 16;
        o.MaxOutboundReadLimit = 16;
        row.options = &o;
        row.terms = &t;
        k = link_begin(&row);
        f.ird = rows[i].ird | RAW_BIT_A;
        f.ord = rows[i].ord | RAW_BIT_C;
        raw_put_frame(k.p, &f);
        if (!rows[i].ok) {
            raw_expect_terminate(k.p, 2, 0, 0x06);
            raw_expect_fin(k.p);
            assert_ntfailure(endpoint_connect_wait(k.e));
            link_close(&k);
            continue;
        }
        assert_ntstatus(endpoint_connect_wait(k.e), STATUS_SUCCESS);
        seen = connection_data_of(k.e->connector);
        assert_int_equal(seen.inbound, rows[i].told_inbound);
        assert_int_equal(seen.outbound, rows[i].told_outbound);
        link_close(&k);
    }
}

/* [MPA-031]: an adapter that requires CRCs closes on a Reply that does not ask for them. */
static void test_crc_required(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct link_how row = how;
    struct raw_frame f = good_reply();
    struct link k;

    (void)state;
    o.Crc = SOFTNDK_CRC_REQUIRE;
    row.options = &o;
    k = link_begin(&row);
    f.flags &= (uint8_t)~RAW_C;
    raw_put_frame(k.p, &f);
    raw_expect_end(k.p);
    assert_ntfailure(endpoint_connect_wait(k.e));
    link_close(&k);
}

/* [MPA-029]: a second connection of the same adapter starts from the beginning. */
static void test_fresh_state(void **state)
{
    struct link k = link_open(&how);
    struct endpoint *first = k.e;

    (void)state;
    link_check_send(&k, 1);
    link_check_send(&k, 2);
    k.e = endpoint_open(k.c, NULL);
    endpoint_close(first);
    raw_drain(k.p);
    raw_close(k.p);
    endpoint_connect_start(k.e, "127.0.0.1", raw_listener_port(k.l), NULL);
    k.p = raw_accept(k.l);
    raw_expect_request(k.p);
    {
        struct raw_frame f = good_reply();

        raw_put_frame(k.p, &f);
    }
    assert_ntstatus(endpoint_connect_wait(k.e), STATUS_SUCCESS);
    assert_ntstatus(endpoint_complete(k.e), STATUS_SUCCESS);
    raw_expect_op(k.p, RAW_OP_WRITE);
    link_check_send(&k, 1);
    k.peer_msn = 1;
    link_check_receive(&k);
    link_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_request),
        cmocka_unit_test(test_request_options),
        cmocka_unit_test(test_private_data_sent),
        cmocka_unit_test(test_private_data_too_long),
        cmocka_unit_test(test_bad_replies),
        cmocka_unit_test(test_reply_cut_off),
        cmocka_unit_test(test_reply_timeout),
        cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_no_fallback),
        cmocka_unit_test(test_rejected),
        cmocka_unit_test(test_reserved_bits),
        cmocka_unit_test(test_reserved_bits_rev_1),
        cmocka_unit_test(test_reply_in_pieces),
        cmocka_unit_test(test_nothing_before_complete),
        cmocka_unit_test(test_reply_with_fpdus),
        cmocka_unit_test(test_reject_after_reply),
        cmocka_unit_test(test_rtr),
        cmocka_unit_test(test_no_rtr),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_crc_required),
        cmocka_unit_test(test_fresh_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
