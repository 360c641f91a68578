/* SPDX-License-Identifier: MIT */
/*
 * RDMAP against a raw peer that sends to the library, in either role [RFC5040]: Sends, Writes, Read
 * Requests and Terminates that arrive. What the library itself asks for is in
 * conformance_reads_test.c.
 */
#include "support/link.h"

#include <stdlib.h>

#include "support/octets.h"
#include "support/unit.h"

static struct link_how how = {.peer_flags = RAW_C};

/* ---- what ends the connection ---- */

static struct raw_fpdu with_op(uint8_t rdmap)
{
    struct raw_fpdu f = raw_send(1, "0123456789", 10);

    f.rdmap = rdmap;
    return f;
}

/* [RDM-002] [RDM-005] [RDM-006] */
static void test_refused_control(void **state)
{
    static const struct {
        uint8_t ddp, rdmap, code;
    } rows[] = {
        {0x41, 0x03, 0x05}, /* RV 0, 2, 3 */
        {0x41, 0x83, 0x05},
        {0x41, 0xc3, 0x05},
        {0xc1, 0x00, 0x05},
        {0x41, 0x48, 0x06}, /* RFC 7306 is off */
        {0x41, 0x49, 0x06},
        {0x41, 0x4a, 0x06},
        {0x41, 0x4b, 0x06},
        {0x41, 0x4c, 0x06}, /* not assigned */
        {0x41, 0x4d, 0x06},
        {0x41, 0x4e, 0x06},
        {0x41, 0x4f, 0x06},
        {0xc1, 0x4f, 0x06},
        {0xc1, 0x43, 0x06}, /* tagged, but no tagged message */
        {0xc1, 0x41, 0x06},
        {0xc1, 0x47, 0x06},
        {0x41, 0x40, 0x06}, /* untagged Write and Read Response */
        {0x41, 0x42, 0x06},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct link k = link_open(&how);
        struct raw_fpdu f = with_op(rows[i].rdmap);
        struct raw_term_in t;

        print_message("%02x %02x\n", rows[i].ddp, rows[i].rdmap);
        f.ddp = rows[i].ddp;
        f.stag = k.m->remote;
        f.to = memory_to(k.m, 0);
        endpoint_receive(k.e, 1, k.r, 0, 64);
        raw_put(k.p, &f);
        t = link_expect_terminate(&k, 0, 2, rows[i].code);
        assert_true(t.m && t.d && !t.r); /* [RDM-041] */
        assert_int_equal(t.ddp_header[1], rows[i].rdmap);
        assert_int_equal(t.ddp_header_len, rows[i].ddp == 0xc1 ? 14 : 18);
        assert_ntstatus(endpoint_wait_received(k.e).Status, STATUS_CANCELLED);
        for (size_t at = 0; at < 10; at++)
            assert_int_equal(k.m->p[at] | k.r->p[at], 0);
        link_close(&k);
    }
}

/* [RDM-005]: Write and Read Response without a request; [RDM-034]. */
static void test_unsolicited_response(void **state)
{
    struct link k = link_open(&how);
    struct raw_fpdu f = raw_read_response(k.m->remote, memory_to(k.m, 0), "0123", 4);
    struct raw_term_in t;

    (void)state;
    raw_put(k.p, &f);
    t = raw_expect_any_terminate(k.p);
    /* The standards name no code; both of these are seen. */
    assert_true((t.layer == 1 && t.type == 0 && t.code == 0) ||
                (t.layer == 0 && t.type == 2 && t.code == 6));
    raw_expect_fin(k.p);
    assert_int_equal(k.m->p[0], 0);
    link_close(&k);
}

/* L is missing where a message has one segment only. */
static void test_last_missing(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct link k = link_open(&how);
        struct raw_fpdu f = i == 0 ? raw_read_request(1, 1, 1, 4, k.m->remote, memory_to(k.m, 0))
                                   : raw_terminate(0, 0, 0);

        f.ddp = 0x01;
        raw_put(k.p, &f);
        link_expect_terminate(&k, 0, 2, 0x07);
        link_close(&k);
    }
}

/* ---- Sends ---- */

/* [RDM-003] [RDM-007]: reserved bits, and an Invalidate STag in a Send that has none. */
static void test_send_tolerated(void **state)
{
    struct link k = link_open(&how);
    struct raw_fpdu f = raw_send(k.peer_msn++, "odd", 3);

    (void)state;
    f.rdmap = 0x73;
    f.inv_stag = k.m->remote;
    endpoint_receive(k.e, 1, k.r, 0, 64);
    raw_put(k.p, &f);
    assert_int_equal(endpoint_expect_received(k.e, 1, 3).Type, NdkOperationTypeReceive);
    f = raw_write(k.m->remote, memory_to(k.m, 0), "still valid", 11);
    raw_put(k.p, &f);
    link_check_receive(&k);
    assert_memory_equal(k.m->p, "still valid", 11);
    link_close(&k);
}

/* [RDM-008] [RDM-009] [RDM-011]: each Send takes one receive, in order, also an empty one. */
static void test_many_sends(void **state)
{
    enum { COUNT = 1000, DEPTH = 16 };
    struct link k = link_open(&how);

    (void)state;
    for (uint32_t i = 0; i < DEPTH; i++)
        endpoint_receive(k.e, i, k.r, i % DEPTH * 64, 64);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint8_t text[64];
        size_t n = i % 65;
        struct raw_fpdu f = raw_send(k.peer_msn++, text, n);

        memset(text, (int)(i & 0xff), sizeof(text));
        raw_put(k.p, &f);
        endpoint_expect_received(k.e, i, n);
        assert_memory_equal(k.r->p + i % DEPTH * 64, text, n);
        endpoint_receive(k.e, i + DEPTH, k.r, i % DEPTH * 64, 64);
    }
    link_close(&k);
}

/* A fast-register region of the first page of m, valid; its token goes to *token. */
static NDK_MR *fast_region(struct link *k, const struct memory *m, UINT32 *token)
{
    struct {
        NDK_LOGICAL_ADDRESS_MAPPING lam;
        NDK_LOGICAL_ADDRESS more[8];
    } pages;
    ULONG size = sizeof(pages), fbo = 0, flags = NDK_OP_FLAG_ALLOW_REMOTE_WRITE;
    NDK_ADAPTER *adapter = k->c->adapter;
    struct ndk_call *call = call_begin(k->c);
    NDK_MR *mr;

    assert_ntstatus(consumer_create_mr(k->c, k->c->pd, TRUE, &mr), STATUS_SUCCESS);
    assert_ntstatus(call_end(call, mr->Dispatch->NdkInitializeFastRegisterMr(
                                       mr, 8, TRUE, call_completed, call)),
        STATUS_SUCCESS);
    assert_ntstatus(
        adapter->Dispatch->NdkBuildLAM(adapter, m->mdl, 64, NULL, NULL, &pages.lam, &size, &fbo),
        STATUS_SUCCESS);
    assert_ntstatus(
        k->e->qp->Dispatch->NdkFastRegister(k->e->qp, (PVOID)900, mr, pages.lam.AdapterPageCount,
            pages.lam.AdapterPageArray, fbo, 64, m->p, flags),
        STATUS_SUCCESS);
    endpoint_expect_initiated(k->e, 900);
    adapter->Dispatch->NdkReleaseLAM(adapter, &pages.lam);
    *token = mr->Dispatch->NdkGetRemoteTokenFromMr(mr);
    return mr;
}

/* [RDM-013]: invalid when the receive completes; a Write to it then ends the connection. */
static void test_send_invalidates(void **state)
{
    static const uint8_t ops[] = {RAW_OP_SEND_INV, RAW_OP_SEND_SE_INV};

    (void)state;
    for (size_t i = 0; i < sizeof(ops); i++) {
        struct link k = link_open(&how);
        UINT32 token;
        NDK_MR *mr = fast_region(&k, k.m, &token);
        struct raw_fpdu write = raw_write(token, memory_to(k.m, 0), "abc", 3);
        struct raw_fpdu send = raw_send_inv(k.peer_msn++, token, "bye", 3);
        NDK_RESULT_EX r;

        endpoint_receive(k.e, 1, k.r, 0, 64);
        raw_put(k.p, &write);
        send.rdmap = ops[i];
        raw_put(k.p, &send);
        r = endpoint_expect_received(k.e, 1, 3);
        assert_int_equal(r.Type, NdkOperationTypeReceiveAndInvalidate);
        assert_int_equal(r.TypeSpecificCompletionOutput, token);
        assert_memory_equal(k.m->p, "abc", 3);
        write.payload = "xyz";
        raw_put(k.p, &write);
        link_expect_terminate(&k, 1, 1, 0x00);
        assert_memory_equal(k.m->p, "abc", 3);
        consumer_close_object(k.c, &mr->Header);
        link_close(&k);
    }
}

/* [RDM-014]: nothing there; a region of NdkRegisterMr; one that is invalid already. */
static void test_cannot_invalidate(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct link k = link_open(&how);
        NDK_MR *mr = NULL;
        UINT32 token = i == 0 ? 0x7fffff00 : k.m->remote;
        struct raw_fpdu f;
        struct raw_term_in t;

        endpoint_receive(k.e, 1, k.r, 0, 64);
        if (i == 2) {
            endpoint_receive(k.e, 2, k.r, 64, 64);
            mr = fast_region(&k, k.m, &token);
            f = raw_send_inv(k.peer_msn++, token, "first", 5);
            raw_put(k.p, &f);
            endpoint_expect_received(k.e, 1, 5);
        }
        f = raw_send_inv(k.peer_msn++, token, "no", 2);
        raw_put(k.p, &f);
        t = raw_expect_any_terminate(k.p);
        assert_int_equal(t.layer, 0);
        assert_true(t.type == 1 || (t.type == 2 && t.code == 9));
        raw_expect_fin(k.p);
        assert_ntfailure(endpoint_wait_received(k.e).Status);
        if (i == 1) { /* still ours */
            assert_int_equal(k.m->mr->Dispatch->NdkGetRemoteTokenFromMr(k.m->mr), k.m->remote);
        }
        if (mr != NULL)
            consumer_close_object(k.c, &mr->Header);
        link_close(&k);
    }
}

/* [RDM-012]: armed for solicited events, a plain Send does not notify, the others do. */
static void test_solicited(void **state)
{
    static const uint8_t ops[] = {RAW_OP_SEND_SE, RAW_OP_SEND_SE_INV};

    (void)state;
    for (size_t i = 0; i < sizeof(ops); i++) {
        struct link k = link_open(&how);
        UINT32 token;
        NDK_MR *mr = fast_region(&k, k.m, &token);
        struct raw_fpdu f = raw_send(k.peer_msn++, "plain", 5);

        for (uintptr_t id = 1; id <= 2; id++)
            endpoint_receive(k.e, id, k.r, id * 64, 64);
        endpoint_arm_received(k.e, NDK_CQ_NOTIFY_SOLICITED);
        raw_put(k.p, &f);
        assert_int_equal((uintptr_t)endpoint_poll_received(k.e).RequestContext, 1);
        assert_false(endpoint_received_is_notified(k.e));
        f = raw_send_inv(k.peer_msn++, ops[i] == RAW_OP_SEND_SE ? 0 : token, "event", 5);
        f.rdmap = ops[i];
        raw_put(k.p, &f);
        endpoint_wait_received_notified(k.e);
        assert_int_equal((uintptr_t)endpoint_poll_received(k.e).RequestContext, 2);
        consumer_close_object(k.c, &mr->Header);
        link_close(&k);
    }
}

/* ---- Writes and Reads that arrive ---- */

/* [RDM-015] [RDM-017]: no completion, no receive; the Send behind it says that it is there. */
static void test_write_is_silent(void **state)
{
    static uint8_t data[LINK_MEMORY];
    struct link k = link_open(&how);
    uint64_t seed = 9;

    (void)state;
    for (int round = 0; round < 20; round++) {
        struct raw_fpdu f = raw_write(k.m->remote, memory_to(k.m, 0), data, sizeof(data));

        random_fill(&seed, data, sizeof(data));
        raw_put_message(k.p, &f, 1440);
        link_check_receive(&k);
        assert_memory_equal(k.m->p, data, sizeof(data));
        endpoint_expect_no_received(k.e);
        endpoint_expect_no_initiated(k.e);
    }
    link_close(&k);
}

/* [RDM-019] [RDM-020] [RDM-021] [RDM-022] [RDM-029]: answered once each, in order, sink copied as
 * it is. */
static void test_reads_answered(void **state)
{
    static const uint32_t read_sizes[] = {1, 0, 5000, 4, 65536, 0};
    enum { COUNT = sizeof(read_sizes) / sizeof(read_sizes[0]) };
    struct link k = link_open(&how);
    struct raw_fpdu write = raw_write(k.m->remote, memory_to(k.m, 0), "fresh", 5);
    uint64_t seed = 11;
    static uint8_t want[LINK_MEMORY];

    (void)state;
    random_fill(&seed, want, LINK_MEMORY);
    memcpy(k.m->p, want, LINK_MEMORY);
    memcpy(want, "fresh", 5); /* a Read sees the Write before it */
    raw_cork(k.p);
    raw_put(k.p, &write);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t stag = read_sizes[i] == 0 ? 0xdeadbeef : k.m->remote;
        struct raw_fpdu f = raw_read_request(i + 1, 0xabc00000 + i, UINT64_MAX - 70000,
            read_sizes[i], stag, read_sizes[i] == 0 ? UINT64_MAX : memory_to(k.m, 0));

        raw_put(k.p, &f);
    }
    raw_flush(k.p);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct raw_in in = raw_expect_message(k.p, RAW_OP_READ_RESPONSE, want, read_sizes[i]);

        assert_int_equal(in.stag, 0xabc00000 + i);
        assert_true(in.to == UINT64_MAX - 70000);
    }
    raw_expect_silence(k.p);
    endpoint_expect_no_received(k.e);
    link_close(&k);
}

/* [RDM-023] [RDM-024] [RDM-025] [RDM-026] [RDM-027] [RDM-028]: nothing is sent of a Read that
 * fails; its header comes back. */
static void test_reads_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 9; i++) {
        struct link k = link_open(&how);
        struct memory *mute = memory_open(k.c, NULL, 64, NDK_MR_FLAG_ALLOW_REMOTE_WRITE);
        struct memory *other;
        NDK_PD *pd;
        uint64_t base = memory_to(k.m, 0);
        struct raw_fpdu f;
        struct raw_term_in t;

        assert_ntstatus(consumer_create_pd(k.c, &pd), STATUS_SUCCESS);
        other = memory_open(k.c, pd, 64, MEMORY_ALL);
        struct {
            uint32_t stag;
            uint64_t to;
            uint32_t size;
            uint8_t code;
        } rows[] = {
            {0, base, 16, 0x00},
            {k.m->remote ^ 1, base, 16, 0x00},
            {k.m->remote, base - 1, 16, 0x01},
            {k.m->remote, base, LINK_MEMORY + 1, 0x01},
            {k.m->remote, base + LINK_MEMORY, 1, 0x01},
            {k.m->remote, base, UINT32_MAX, 0x01},
            {mute->remote, memory_to(mute, 0), 16, 0x02},
            {other->remote, memory_to(other, 0), 16, 0x03},
            {k.m->remote, UINT64_MAX, 2, 0x04},
        };

        print_message("row %d\n", i);
        f = raw_read_request(1, 0x11, 0x22, rows[i].size, rows[i].stag, rows[i].to);
        raw_put(k.p, &f);
        t = link_expect_terminate(&k, 0, 1, rows[i].code);
        assert_true(t.m && t.d && t.r);
        assert_int_equal(t.ddp_header_len, 18);
        assert_int_equal(t.ddp_header[1], RAW_OP_READ_REQUEST);
        assert_int_equal(t.segment_length, 46);
        assert_memory_equal(t.read_header, f.head, 28);
        memory_close(mute);
        memory_close(other);
        consumer_close_object(k.c, &pd->Header);
        link_close(&k);
    }
}

/* [RDM-031]: one Read more than the library offered to hold, while it cannot answer any. */
static void test_more_than_ird(void **state)
{
    struct endpoint_terms few = {.inbound = 2, .outbound = 2};
    struct raw_tcp narrow = {.rcvbuf = 4096};
    struct memory *big;
    struct link_how narrow_how = how;
    struct link k;

    (void)state;
    narrow_how.terms = &few;
    narrow_how.tcp = &narrow;
    narrow_how.ird = 2;
    narrow_how.ord = 2; /* or an initiator would raise its IRD */
    k = link_open(&narrow_how);
    big = memory_open(k.c, NULL, 64 << 20, MEMORY_ALL); /* more than all buffers on the way */
    raw_cork(k.p);
    for (uint32_t i = 0; i < 3; i++) {
        struct raw_fpdu f = raw_read_request(i + 1, 1, 1, 64 << 20, big->remote, memory_to(big, 0));

        raw_put(k.p, &f);
    }
    raw_flush(k.p);
    endpoint_wait_disconnected(k.e);
    memory_close(big);
    link_close(&k);
}

/* A Read Request that is not 28 octets long. */
static void test_read_header_length(void **state)
{
    static const struct {
        size_t len;
        uint8_t layer, code;
    } rows[] = {{0, 0, 0xff}, {27, 0, 0xff}, {29, 1, 0x05}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct link k = link_open(&how);
        struct raw_fpdu f = raw_read_request(1, 1, 1, 4, k.m->remote, memory_to(k.m, 0));

        f.head_len = rows[i].len;
        raw_put(k.p, &f);
        link_expect_terminate(&k, rows[i].layer, 2, rows[i].code);
        link_close(&k);
    }
}

/* ---- Terminates ---- */

/* [RDM-042] [RDM-043] [RDM-044] [RDM-047] [RDM-048] [RDM-049] [RDM-050]: any Terminate ends the
 * connection without one back; what is posted fails. No receive is needed for it. */
static void test_terminate_received(void **state)
{
    static const struct {
        uint8_t layer, type, code, flags, more; /* flags octet; octets behind the four */
    } rows[] = {
        {0, 0, 0x00, 0x00, 0},
        {0, 1, 0x02, 0xe0, 2 + 18 + 28},
        {0, 2, 0x09, 0xe0, 2 + 18}, /* siw: R, but no header */
        {1, 1, 0x00, 0xc0, 2 + 14},
        {1, 2, 0x05, 0xc0, 2 + 18},
        {2, 0, 0x02, 0x00, 0},
        {2, 3, 0x02, 0x00, 0}, /* adapters */
        {2, 0, 0x07, 0x1f, 0}, /* reserved bits */
        {15, 15, 0xff, 0x00, 0},
        {0, 1, 0x00, 0xe0, 0}, /* headers announced, none there */
        {0, 1, 0x00, 0xe0, 1},
        {0, 1, 0x00, 0x00, 48},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int twice = 0; twice < 2; twice++) {
            struct link k = link_open(&how);
            struct raw_fpdu f = raw_terminate(rows[i].layer, rows[i].type, rows[i].code);

            f.head[2] = rows[i].flags;
            f.head_len = (size_t)4 + rows[i].more;
            raw_cork(k.p);
            raw_put(k.p, &f);
            if (twice)
                raw_put(k.p, &f);
            raw_flush(k.p);
            raw_expect_end(k.p);
            endpoint_wait_disconnected(k.e);
            assert_false(NT_SUCCESS(k.e->qp->Dispatch->NdkSend(k.e->qp, NULL, NULL, 0, 0)));
            link_close(&k);
        }
    }
}

/* A Terminate that is wrong itself is answered like any other wrong message. */
static void test_terminate_malformed(void **state)
{
    static const struct {
        uint32_t qn, msn, mo;
        uint8_t code;
    } rows[] = {{0, 1, 0, 0x01}, {1, 1, 0, 0x01}, {2, 2, 0, 0x03}, {2, 1, 4, 0x04}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct link k = link_open(&how);
        struct raw_fpdu f = raw_terminate(0, 0, 0);

        f.qn = rows[i].qn;
        f.msn = rows[i].msn;
        f.mo = rows[i].mo;
        raw_put(k.p, &f);
        link_expect_terminate(&k, 1, 2, rows[i].code);
        link_close(&k);
    }
}

/* [RDM-045]: of two wrong segments the first is named. [RDM-039]: then nothing but FIN. */
static void test_first_error_wins(void **state)
{
    struct link k = link_open(&how);
    struct raw_fpdu first = raw_write(k.m->remote ^ 1, memory_to(k.m, 0), "a", 1);
    struct raw_fpdu second = raw_send(9, "b", 1);

    (void)state;
    raw_cork(k.p);
    raw_put(k.p, &first);
    raw_put(k.p, &second);
    raw_flush(k.p);
    link_expect_terminate(&k, 1, 1, 0x00);
    link_close(&k);
}

/* [RDM-046]: the Terminate arrives although the peer has sent more than is ever read. */
static void test_terminate_not_lost(void **state)
{
    static uint8_t octets[60000];
    struct link k = link_open(&how);
    struct raw_fpdu wrong = raw_write(k.m->remote ^ 1, memory_to(k.m, 0), "a", 1);
    struct raw_fpdu f = raw_write(k.m->remote, memory_to(k.m, 0), octets, sizeof(octets));
    bool is_open = true;

    (void)state;
    raw_put(k.p, &wrong);
    for (int i = 0; i < 50 && is_open; i++)
        is_open = raw_put_lax(k.p, &f);
    raw_expect_terminate(k.p, 1, 1, 0x00);
    raw_expect_fin(k.p);
    link_close(&k);
}

static int run(enum link_role role, const char *name)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_control),
        cmocka_unit_test(test_unsolicited_response),
        cmocka_unit_test(test_last_missing),
        cmocka_unit_test(test_send_tolerated),
        cmocka_unit_test(test_many_sends),
        cmocka_unit_test(test_send_invalidates),
        cmocka_unit_test(test_cannot_invalidate),
        cmocka_unit_test(test_solicited),
        cmocka_unit_test(test_write_is_silent),
        cmocka_unit_test(test_reads_answered),
        cmocka_unit_test(test_reads_refused),
        cmocka_unit_test(test_more_than_ird),
        cmocka_unit_test(test_read_header_length),
        cmocka_unit_test(test_terminate_received),
        cmocka_unit_test(test_terminate_malformed),
        cmocka_unit_test(test_first_error_wins),
        cmocka_unit_test(test_terminate_not_lost),
    };

    how.role = role;
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
    return run(LINK_PASSIVE, "passive") + run(LINK_ACTIVE, "active");
}
