/* SPDX-License-Identifier: MIT */
/* MPA start-up with the library as responder: a raw peer connects and asks [RFC5044], [RFC6581]. */
#include "support/link.h"

#include "support/unit.h"

static const struct link_how how = {.role = LINK_PASSIVE, .peer_flags = RAW_C};

static struct raw_frame good_request(void)
{
    return link_frame(&how);
}

/* The Request goes out, the library accepts, the Reply is returned. */
static struct raw_frame_in exchange(
    struct link *k, const struct raw_frame *request, const struct endpoint_terms *t)
{
    struct link_how row = how;

    row.terms = t;
    raw_put_frame(k->p, request);
    link_accept(k, &row);
    return raw_expect_reply(k->p);
}

/* ---- Requests that are no good ---- */

static void reply_key(struct raw_frame *f)
{
    f->is_reply = true;
}
static void key_0(struct raw_frame *f)
{
    f->key_octet = 0;
}
static void key_9(struct raw_frame *f)
{
    f->key_octet = 9;
}
static void key_15(struct raw_frame *f)
{
    f->key_octet = 15;
}
static void revision_0(struct raw_frame *f)
{
    f->revision = 0;
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
static void length_513(struct raw_frame *f)
{
    f->pd_length = 513;
}
static void length_65535(struct raw_frame *f)
{
    f->pd_length = 65535;
}
static void length_0(struct raw_frame *f)
{
    f->pd_length = 0;
}
static void length_3(struct raw_frame *f)
{
    f->pd_length = 3;
}

/* [MPA-003] [MPA-006] [MPA-015] [ECE-024]: closed, no Reply, and the consumer hears nothing. */
static void test_bad_requests(void **state)
{
    static void (*const spoils[])(struct raw_frame *) = {reply_key, key_0, key_9, key_15,
        revision_0, revision_3, revision_127, revision_255, length_513, length_65535, length_0,
        length_3};

    (void)state;
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        struct link k = link_begin(&how);
        struct raw_frame f = good_request();

        print_message("spoil %zu\n", i);
        spoils[i](&f);
        raw_put_frame(k.p, &f);
        raw_expect_end(k.p);
        assert_int_equal(acceptor_pending(k.a), 0);
        link_close(&k);
    }
}

/* [MPA-003]: what is no MPA at all is noticed at its first octet. */
static void test_garbage(void **state)
{
    struct link k = link_begin(&how);

    (void)state;
    raw_octets(k.p, "GET / HTTP/1.1\r\n", 16);
    raw_expect_end(k.p);
    link_close(&k);
}

/* [MPA-016]: a Request that ends early. The listener lives on. */
static void test_request_cut_off(void **state)
{
    uint8_t octets[64];
    struct raw_frame f = good_request();
    size_t n;

    (void)state;
    f.private_data = "private";
    f.private_len = 7;
    n = raw_frame_octets(&f, octets);
    for (size_t at = 0; at < n; at += 3) {
        struct link k = link_begin(&how);

        if (at > 0)
            raw_octets(k.p, octets, at);
        raw_half_close(k.p);
        raw_expect_end(k.p);
        raw_close(k.p);
        k.p = raw_connect("127.0.0.1", k.a->port, NULL);
        exchange(&k, &f, NULL);
        link_close(&k);
    }
}

/* [MPA-017] [MPA-021] [SEC-014]: silence until the Request is there, but not for ever. */
static void test_request_timeout(void **state)
{
    (void)state;
    for (int begun = 0; begun < 2; begun++) {
        SOFTNDK_OPTIONS o = consumer_options();
        struct link_how row = how;
        struct link k;

        o.MpaTimeoutMs = 1000;
        row.options = &o;
        k = link_begin(&row);
        raw_expect_silence(k.p);
        if (begun)
            raw_octets(k.p, "MPA ID Req Frame\x40\x01\x00", 19);
        raw_expect_end(k.p);
        assert_int_equal(acceptor_pending(k.a), 0);
        link_close(&k);
    }
}

/* ---- Requests that are fine ---- */

/* [MPA-002] [MPA-008] [MPA-009] [MPA-030] [ECE-004] [ECE-005] [ECE-006] [ECE-014] [ECE-015]
 * [ECE-016]: what comes back for what is asked. */
static void test_replies(void **state)
{
    enum { A = RAW_BIT_A, B = RAW_BIT_B, C = RAW_BIT_C, D = RAW_BIT_D, S = RAW_S };
    static const struct {
        uint8_t flags, revision;
        uint16_t ird, ord;
        uint8_t reply_flags;
        uint16_t reply_ird, reply_ord; /* IRD 8 and ORD 4 are asked for */
    } rows[] = {
        {RAW_C, 1, 0, 0, RAW_C, 0, 0}, {0, 1, 0, 0, RAW_C, 0, 0}, {0, 2, 0, 0, RAW_C, 0, 0},
        {RAW_C | 0x0f, 1, 0, 0, RAW_C, 0, 0},  /* reserved bits */
        {RAW_C | RAW_R, 1, 0, 0, RAW_C, 0, 0}, /* R of a Request */
        {RAW_C | RAW_R | S | 0x0f, 2, 0, 0, RAW_C | S, 0, 0}, {S, 2, 0, 0, RAW_C | S, 0, 0},
        {RAW_C | S, 2, B, C | D, RAW_C | S, 0, 0}, /* without A the others do not count */
        {RAW_C | S, 2, A, C, RAW_C | S, A, C}, {RAW_C | S, 2, A, D, RAW_C | S, A, D},
        {RAW_C | S, 2, A, C | D, RAW_C | S, A, C}, {RAW_C | S, 2, A | B, C | D, RAW_C | S, A, C},
        {RAW_C | S, 2, A | B, 0, RAW_C | S, A, C | D}, /* Send alone: we take the others only */
        {RAW_C | S, 2, A, 0, RAW_C | S, A, C | D},
        {RAW_M | RAW_C | S, 2, A, C, RAW_C | S, A, C}, /* markers are sent as asked */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct link k = link_begin(&how);
        struct raw_frame f = raw_request(rows[i].flags, rows[i].revision);
        struct raw_fpdu rtr = raw_rtr_write();
        struct raw_frame_in reply;
        bool enhanced = (rows[i].flags & S) != 0;

        print_message("row %zu\n", i);
        f.ird = rows[i].ird | 8;
        f.ord = rows[i].ord | 4;
        reply = exchange(&k, &f, NULL);
        assert_memory_equal(reply.octets, "MPA ID Rep Frame", 16);
        assert_int_equal(reply.flags, rows[i].reply_flags);
        assert_int_equal(reply.revision, rows[i].revision);
        assert_int_equal(reply.ird, enhanced ? rows[i].reply_ird | 4 : 0);
        assert_int_equal(reply.ord, enhanced ? rows[i].reply_ord | 8 : 0);
        assert_int_equal(reply.pd_length, enhanced ? 4 : 0);
        raw_put(k.p, &rtr);
        assert_ntstatus(endpoint_accept_wait(k.e), STATUS_SUCCESS);
        link_check_send(&k, 1);
        link_check_receive(&k);
        link_close(&k);
    }
}

/* [MPA-008]: bit 0x10 in revision 1 is one of its reserved bits: no block is expected behind it. */
static void test_bit_10_of_revision_1(void **state)
{
    struct link k = link_begin(&how);
    struct raw_frame f = raw_request(RAW_C, 1);
    uint8_t octets[32];

    (void)state;
    raw_frame_octets(&f, octets);
    octets[16] |= 0x10;
    raw_octets(k.p, octets, 20);
    link_accept(&k, &how);
    assert_int_equal(raw_expect_reply(k.p).flags, RAW_C);
    link_close(&k);
}

/* [MPA-013] [MPA-014]: private data both ways, in both revisions; the rest of 512 is the block. */
static void test_private_data(void **state)
{
    static const uint16_t lengths[] = {0, 1, 3, 4, 255, 256, 508, 512};
    uint8_t data[512];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 3 + 1);
    for (size_t i = 0; i < 2 * sizeof(lengths) / sizeof(lengths[0]); i++) {
        bool enhanced = i % 2 == 0;
        struct raw_frame f = enhanced ? good_request() : raw_request(RAW_C, 1);
        struct endpoint_terms t = {.private_data = data};
        uint16_t n = lengths[i / 2];
        struct connection_data seen;
        struct raw_frame_in reply;
        struct link k;

        if (enhanced && n > 508)
            continue;
        k = link_begin(&how);
        f.private_data = data;
        f.private_len = n;
        t.private_len = n <= k.c->info.MaxCalleeData ? n : k.c->info.MaxCalleeData;
        raw_put_frame(k.p, &f);
        k.e->connector = acceptor_wait(k.a);
        seen = connection_data_of(k.e->connector);
        assert_true(seen.private_len >= n);
        assert_memory_equal(seen.private_data, data, n);
        endpoint_accept_start(k.e, k.e->connector, &t);
        reply = raw_expect_reply(k.p);
        assert_int_equal(reply.private_len, t.private_len);
        assert_memory_equal(reply.private_data, data, t.private_len);
        link_close(&k);
    }
}

/* [MPA-019]: one octet at a time, private data included. */
static void test_request_in_pieces(void **state)
{
    struct link k = link_begin(&how);
    struct raw_frame f = good_request();

    (void)state;
    f.private_data = "private";
    f.private_len = 7;
    raw_split(k.p, 1);
    raw_put_frame(k.p, &f);
    k.e->connector = acceptor_wait(k.a);
    assert_memory_equal(connection_data_of(k.e->connector).private_data, "private", 7);
    link_close(&k);
}

/* [MPA-020] [VRB-057]: we are lenient: octets behind the Request are the beginning of the stream.
 */
static void test_request_with_fpdus(void **state)
{
    struct link k = link_begin(&how);
    struct raw_frame f = good_request();
    struct raw_fpdu rtr = raw_rtr_write(), send = raw_send(k.peer_msn++, "early", 5);

    (void)state;
    raw_set_crc(k.p, true);
    endpoint_receive(k.e, 1, k.r, 0, 64);
    raw_cork(k.p);
    raw_put_frame(k.p, &f);
    raw_put(k.p, &rtr);
    raw_put(k.p, &send);
    raw_flush(k.p);
    link_accept(&k, &how);
    raw_expect_reply(k.p);
    assert_ntstatus(endpoint_accept_wait(k.e), STATUS_SUCCESS);
    endpoint_expect_received(k.e, 1, 5);
    link_close(&k);
}

/* ---- rejecting ---- */

/* [MPA-012] [ECE-012]: R with the consumer's private data; then the end. */
static void test_reject(void **state)
{
    (void)state;
    for (int enhanced = 0; enhanced < 2; enhanced++) {
        struct link k = link_begin(&how);
        struct raw_frame f = enhanced ? good_request() : raw_request(RAW_C, 1);
        struct raw_frame_in reply;
        NDK_CONNECTOR *connector;

        raw_put_frame(k.p, &f);
        connector = acceptor_wait(k.a);
        assert_ntstatus(
            connector->Dispatch->NdkReject(connector, (PVOID)(uintptr_t) "no, sorry", 9),
            STATUS_SUCCESS);
        reply = raw_expect_reply(k.p);
        assert_int_equal(reply.flags & (RAW_R | RAW_S), enhanced ? RAW_R | RAW_S : RAW_R);
        assert_int_equal(reply.private_len, 9);
        assert_memory_equal(reply.private_data, "no, sorry", 9);
        raw_expect_end(k.p);
        consumer_close_object(k.c, &connector->Header);
        link_close(&k);
    }
}

/* Closing the connector of a connect event rejects. */
static void test_close_rejects(void **state)
{
    struct link k = link_begin(&how);
    struct raw_frame f = good_request();

    (void)state;
    raw_put_frame(k.p, &f);
    consumer_close_object(k.c, &acceptor_wait(k.a)->Header);
    assert_int_equal(raw_expect_reply(k.p).flags & RAW_R, RAW_R);
    raw_expect_end(k.p);
    link_close(&k);
}

/* [MPA-031]: an adapter that requires CRCs rejects a Request that does not ask for them. */
static void test_crc_required(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct link_how row = how;
    struct raw_frame f = good_request();
    struct link k;

    (void)state;
    o.Crc = SOFTNDK_CRC_REQUIRE;
    row.options = &o;
    k = link_begin(&row);
    f.flags &= (uint8_t)~RAW_C;
    raw_put_frame(k.p, &f);
    assert_int_equal(raw_expect_reply(k.p).flags & (RAW_R | RAW_S), RAW_R | RAW_S);
    raw_expect_end(k.p);
    assert_int_equal(acceptor_pending(k.a), 0);
    link_close(&k);
}

/* An adapter of revision 1 closes on a Request of revision 2, which tells the peer to fall back. */
static void test_own_revision_1(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct link_how row = how;
    struct raw_frame f = good_request();
    struct link k;

    (void)state;
    o.MpaRevision = 1;
    row.options = &o;
    k = link_begin(&row);
    raw_put_frame(k.p, &f);
    raw_expect_end(k.p);
    raw_close(k.p);
    k.p = raw_connect("127.0.0.1", k.a->port, NULL);
    f = raw_request(RAW_C, 1);
    assert_int_equal(exchange(&k, &f, NULL).revision, 1);
    link_close(&k);
}

/* A paused listener is none. */
static void test_paused(void **state)
{
    struct link k = link_begin(&how);
    struct raw_frame f = good_request();

    (void)state;
    k.a->listener->Dispatch->NdkControlConnectEvents(k.a->listener, TRUE);
    raw_put_frame(k.p, &f);
    raw_drain(k.p); /* refused in whatever way */
    assert_int_equal(acceptor_pending(k.a), 0);
    raw_close(k.p);
    k.a->listener->Dispatch->NdkControlConnectEvents(k.a->listener, FALSE);
    k.p = raw_connect("127.0.0.1", k.a->port, NULL);
    exchange(&k, &f, NULL);
    link_close(&k);
}

/* ---- the first FPDU ---- */

/* [MPA-022] [MPA-023]: work posted after the accept waits for the peer's first FPDU, whichever it
 * is [ECE-020] [ECE-023]; with markers too. */
static void test_first_fpdu(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct link k = link_begin(&how);
        struct raw_frame f = good_request();
        struct raw_fpdu first[] = {raw_rtr_write(), raw_rtr_read(), raw_send(1, "hello", 5),
            raw_write(k.m->remote, memory_to(k.m, 100), "hello", 5)};
        int kind = i / 2;
        NTSTATUS posted;
        NDK_SGE sge = memory_sge(k.m, 0, 4);

        if (i % 2 == 1)
            f.flags |= RAW_M;
        f.ord |= RAW_BIT_D;
        endpoint_receive(k.e, 1, k.r, 0, 64);
        exchange(&k, &f, NULL);
        /* Not connected before the accept completes; if it is taken, it waits. */
        posted = k.e->qp->Dispatch->NdkSend(k.e->qp, (PVOID)5, &sge, 1, 0);
        raw_expect_silence(k.p);
        raw_put(k.p, &first[kind]);
        assert_ntstatus(endpoint_accept_wait(k.e), STATUS_SUCCESS);
        if (kind == 1)
            assert_int_equal(raw_expect_op(k.p, RAW_OP_READ_RESPONSE).len, 0);
        if (kind == 2)
            endpoint_expect_received(k.e, 1, 5);
        else
            endpoint_expect_no_received(k.e); /* no RTR takes a receive */
        if (NT_SUCCESS(posted)) {
            raw_expect_message(k.p, RAW_OP_SEND, k.m->p, 4);
            endpoint_expect_initiated(k.e, 5);
        }
        link_check_send(&k, NT_SUCCESS(posted) ? 2 : 1);
        link_close(&k);
    }
}

/* A first FPDU that is wrong is answered by a Terminate, and the accept fails. */
static void test_first_fpdu_wrong(void **state)
{
    struct link k = link_begin(&how);
    struct raw_frame f = good_request();
    struct raw_fpdu rtr = raw_rtr_write();

    (void)state;
    exchange(&k, &f, NULL);
    rtr.crc_xor = 1;
    raw_put(k.p, &rtr);
    raw_expect_terminate(k.p, 2, 0, 0x02);
    raw_expect_fin(k.p);
    assert_ntfailure(endpoint_accept_wait(k.e));
    link_close(&k);
}

/* The initiator could not agree: its Terminate is the first FPDU. Or it just leaves. */
static void test_initiator_gives_up(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct link k = link_begin(&how);
        struct raw_frame f = good_request();
        struct raw_fpdu term = raw_terminate(2, 0, 0x07);

        exchange(&k, &f, NULL);
        if (i == 0) {
            raw_put(k.p, &term);
        } else if (i == 1) {
            raw_half_close(k.p);
        } else {
            raw_reset(k.p);
            k.p = NULL;
        }
        assert_ntfailure(endpoint_accept_wait(k.e));
        link_close(&k);
    }
}

/* ---- IRD and ORD ---- */

/* [ECE-009] [ECE-012] [ECE-013] [ECE-022]: the adapter has 16 and 16. */
static void test_limits(void **state)
{
    enum { A = RAW_BIT_A, C = RAW_BIT_C, D = RAW_BIT_D };
    static const struct {
        uint16_t ird, ord; /* of the Request */
        ULONG seen_inbound, seen_outbound;
        ULONG inbound, outbound; /* accepted */
        uint16_t reply_ird, reply_ord;
    } rows[] = {
        {A | 8, C | 4, 4, 8, 16, 16, A | 4, C | 8}, {A | 8, C | 4, 4, 8, 2, 3, A | 2, C | 3},
        {A | 0, C | 0, 0, 0, 16, 16, A | 0, C | 0}, {A | 1, C | 1, 1, 1, 16, 16, A | 1, C | 1},
        {A | 0x3ffe, C | 0x3ffe, 16, 16, 16, 16, A | 16, C | 16},
        {A | 0x3fff, C | 0x3fff, 16, 16, 9, 9, A | 0x3fff, C | 0x3fff},
        {A | 8, D | 0, 0, 8, 0, 0, A | 1, D | 0}, /* room for the RTR */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct endpoint_terms t = {.inbound = rows[i].inbound, .outbound = rows[i].outbound};
        struct raw_frame f = raw_request(RAW_C | RAW_S, 2);
        SOFTNDK_OPTIONS o = consumer_options();
        struct link_how row = how;
        struct raw_frame_in reply;
        struct connection_data seen;
        struct link k;

        print_message("row %zu\n", i);
        o.MaxInboundReadLimit = 16;
        o.MaxOutboundReadLimit = 16;
        row.options = &o;
        k = link_begin(&row);
        f.ird = rows[i].ird;
        f.ord = rows[i].ord;
        raw_put_frame(k.p, &f);
        k.e->connector = acceptor_wait(k.a);
        seen = connection_data_of(k.e->connector);
        assert_int_equal(seen.inbound, rows[i].seen_inbound);
        assert_int_equal(seen.outbound, rows[i].seen_outbound);
        endpoint_accept_start(k.e, k.e->connector, &t);
        reply = raw_expect_reply(k.p);
        assert_int_equal(reply.ird, rows[i].reply_ird);
        assert_int_equal(reply.ord, rows[i].reply_ord);
        if (rows[i].ord == D) {
            struct raw_fpdu rtr = raw_rtr_read();

            raw_put(k.p, &rtr);
            assert_int_equal(raw_expect_op(k.p, RAW_OP_READ_RESPONSE).len, 0);
            assert_ntstatus(endpoint_accept_wait(k.e), STATUS_SUCCESS);
        }
        link_close(&k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_requests),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_request_cut_off),
        cmocka_unit_test(test_request_timeout),
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_bit_10_of_revision_1),
        cmocka_unit_test(test_private_data),
        cmocka_unit_test(test_request_in_pieces),
        cmocka_unit_test(test_request_with_fpdus),
        cmocka_unit_test(test_reject),
        cmocka_unit_test(test_close_rejects),
        cmocka_unit_test(test_crc_required),
        cmocka_unit_test(test_own_revision_1),
        cmocka_unit_test(test_paused),
        cmocka_unit_test(test_first_fpdu),
        cmocka_unit_test(test_first_fpdu_wrong),
        cmocka_unit_test(test_initiator_gives_up),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
