/* SPDX-License-Identifier: MIT */
/*
 * What the library requests of a raw peer, in either role: Reads and their flow control, fences,
 * the order of completions, and what becomes of work when the connection ends [RFC5040].
 */
#include "support/link.h"

#include "support/octets.h"
#include "support/unit.h"

static struct link_how how = {.peer_flags = RAW_C};

static void answer(struct link *k, const struct raw_read_in *read, const void *octets)
{
    struct raw_fpdu f = raw_read_response(read->sink_stag, read->sink_to, octets, read->size);

    raw_put_message(k->p, &f, 1000);
}

/* [RDM-018] [RDM-032] [RDM-035]: the header's fields; the completion comes with the last octet. */
static void test_read(void **state)
{
    static const ULONG read_sizes[] = {0, 1, 4, 999, 1000, 1001, 4096};
    static uint8_t data[LINK_RECEIVE];
    struct link k = link_open(&how);
    uint64_t seed = 21;

    (void)state;
    for (uint32_t i = 0; i < sizeof(read_sizes) / sizeof(read_sizes[0]); i++) {
        ULONG n = read_sizes[i];
        struct raw_read_in read;

        random_fill(&seed, data, sizeof(data));
        memset(k.r->p, 0, LINK_RECEIVE);
        endpoint_read(k.e, i, k.r, 0, n, 0x123456789abcdef0, 0x0a0b0c01, 0);
        read = raw_expect_read_request(k.p);
        assert_int_equal(read.msn, i + 1);
        assert_int_equal(read.size, n);
        assert_int_equal(read.src_stag, 0x0a0b0c01);
        assert_true(read.src_to == 0x123456789abcdef0);
        if (i == 1)
            raw_expect_silence(k.p);
        endpoint_expect_no_initiated(k.e);
        answer(&k, &read, data);
        endpoint_expect_initiated(k.e, i);
        assert_memory_equal(k.r->p, data, n);
    }
    link_close(&k);
}

/* [RDM-030] [ECE-010] [SEC-010]: never more than ORD on the way; the next goes when one was
 * answered. */
static void test_ord(void **state)
{
    static const uint16_t ords[] = {1, 2, 4, 15};

    (void)state;
    for (size_t i = 0; i < sizeof(ords) / sizeof(ords[0]); i++) {
        enum { COUNT = 16 };
        struct link_how few = how;
        struct raw_read_in reads[COUNT];
        struct link k;

        few.ird = ords[i];
        few.ord = 1;
        k = link_open(&few);
        for (uint32_t n = 0; n < COUNT; n++)
            endpoint_read(k.e, n, k.r, n, 1, n, 1, 0);
        for (uint32_t n = 0; n < ords[i]; n++)
            reads[n] = raw_expect_read_request(k.p);
        raw_expect_silence(k.p);
        for (uint32_t n = 0; n < COUNT; n++) {
            uint8_t octet = (uint8_t)(n + 1);

            answer(&k, &reads[n], &octet);
            endpoint_expect_initiated(k.e, n);
            assert_int_equal(k.r->p[n], octet);
            if (n + ords[i] < COUNT)
                reads[n + ords[i]] = raw_expect_read_request(k.p);
        }
        raw_expect_silence(k.p);
        link_close(&k);
    }
}

/* A peer that serves no Reads: refused at once or later, but never sent and never stuck. */
static void test_ord_zero(void **state)
{
    struct link_how none = how;
    struct link k;
    NDK_SGE sge;
    NTSTATUS status;

    (void)state;
    none.ird = 0;
    none.ord = 1;
    k = link_open(&none);
    sge = memory_sge(k.r, 0, 4);
    status = k.e->qp->Dispatch->NdkRead(k.e->qp, NULL, &sge, 1, 0, 1, 0);
    if (NT_SUCCESS(status))
        status = endpoint_wait_initiated(k.e).Status;
    assert_ntfailure(status);
    link_close(&k);
}

/* [RDM-038] [RDM-053]: what follows a Read is sent before the answer, and completes after it. */
static void test_unfenced(void **state)
{
    struct link k = link_open(&how);
    struct raw_read_in read;

    (void)state;
    endpoint_read(k.e, 1, k.r, 0, 4, 0, 1, 0);
    endpoint_send(k.e, 2, k.m, 0, 5, 0);
    endpoint_write(k.e, 3, k.m, 0, 6, 0, 1, 0);
    read = raw_expect_read_request(k.p);
    raw_expect_message(k.p, RAW_OP_SEND, k.m->p, 5);
    raw_expect_message(k.p, RAW_OP_WRITE, k.m->p, 6);
    raw_expect_silence(k.p);
    endpoint_expect_no_initiated(k.e);
    answer(&k, &read, "done");
    for (uintptr_t id = 1; id <= 3; id++)
        endpoint_expect_initiated(k.e, id);
    link_close(&k);
}

/* [RDM-052]: fenced Sends and Writes wait for all Reads before them. */
static void test_fenced(void **state)
{
    (void)state;
    for (int is_write = 0; is_write < 2; is_write++) {
        struct link k = link_open(&how);
        struct raw_read_in first, second;

        endpoint_read(k.e, 1, k.r, 0, 4, 0, 1, 0);
        endpoint_read(k.e, 2, k.r, 4, 4, 0, 1, 0);
        if (is_write)
            endpoint_write(k.e, 3, k.m, 0, 6, 0, 1, NDK_OP_FLAG_READ_FENCE);
        else
            endpoint_send(k.e, 3, k.m, 0, 6, NDK_OP_FLAG_READ_FENCE);
        first = raw_expect_read_request(k.p);
        second = raw_expect_read_request(k.p);
        raw_expect_silence(k.p);
        answer(&k, &first, "1111");
        raw_expect_silence(k.p);
        answer(&k, &second, "2222");
        raw_expect_message(k.p, is_write ? RAW_OP_WRITE : RAW_OP_SEND, k.m->p, 6);
        for (uintptr_t id = 1; id <= 3; id++)
            endpoint_expect_initiated(k.e, id);
        link_close(&k);
    }
}

/* Requests that are silent when they succeed: no completion, but their errors have one. */
static void test_silent_success(void **state)
{
    struct link k = link_open(&how);

    (void)state;
    endpoint_send(k.e, 1, k.m, 0, 5, NDK_OP_FLAG_SILENT_SUCCESS);
    endpoint_write(k.e, 2, k.m, 0, 6, 0, 1, NDK_OP_FLAG_SILENT_SUCCESS);
    endpoint_send(k.e, 3, k.m, 0, 7, 0);
    raw_expect_message(k.p, RAW_OP_SEND, k.m->p, 5);
    raw_expect_message(k.p, RAW_OP_WRITE, k.m->p, 6);
    raw_expect_message(k.p, RAW_OP_SEND, k.m->p, 7);
    endpoint_expect_initiated(k.e, 3);
    endpoint_expect_no_initiated(k.e);
    link_close(&k);
}

/* [RDM-007]: the kinds of Send, each with its opcode and Invalidate STag. */
static void test_send_kinds(void **state)
{
    static const struct {
        bool inv;
        ULONG flags;
        uint8_t op;
    } rows[] = {
        {false, 0, RAW_OP_SEND},
        {false, NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT, RAW_OP_SEND_SE},
        {true, 0, RAW_OP_SEND_INV},
        {true, NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT, RAW_OP_SEND_SE_INV},
    };
    struct link k = link_open(&how);

    (void)state;
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct raw_in in;

        if (rows[i].inv)
            endpoint_send_inv(k.e, i, k.m, 0, 3, rows[i].flags, 0xcafe0001);
        else
            endpoint_send(k.e, i, k.m, 0, 3, rows[i].flags);
        in = raw_expect_message(k.p, rows[i].op, k.m->p, 3);
        assert_int_equal(in.inv_stag, rows[i].inv ? 0xcafe0001 : 0);
        assert_int_equal(in.msn, i + 1);
        endpoint_expect_initiated(k.e, i);
    }
    link_close(&k);
}

/* ---- answers that are wrong ---- */

static void other_stag(struct raw_fpdu *f)
{
    f->stag ^= 1;
}
static void other_to(struct raw_fpdu *f)
{
    f->to += 1;
}
static void earlier_to(struct raw_fpdu *f)
{
    f->to -= 1;
}
static void too_long(struct raw_fpdu *f)
{
    f->len += 1;
}
static void too_short(struct raw_fpdu *f)
{
    f->len -= 1;
}
static void empty(struct raw_fpdu *f)
{
    f->len = 0;
}

/* [RDM-033]: never a success, and no octet outside the sink changes. */
static void test_wrong_responses(void **state)
{
    static void (*const spoils[])(struct raw_fpdu *) = {
        other_stag, other_to, earlier_to, too_long, too_short, empty};
    static const uint8_t ones[64] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

    (void)state;
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        struct link k = link_open(&how);
        struct raw_read_in read;
        struct raw_fpdu f;

        print_message("spoil %zu\n", i);
        memset(k.r->p, 0xcc, LINK_RECEIVE);
        endpoint_read(k.e, 1, k.r, 16, 16, 0, 1, 0);
        read = raw_expect_read_request(k.p);
        f = raw_read_response(read.sink_stag, read.sink_to, ones, 16);
        spoils[i](&f);
        raw_put(k.p, &f);
        raw_expect_any_terminate(k.p);
        raw_expect_fin(k.p);
        assert_ntfailure(endpoint_wait_initiated(k.e).Status);
        for (size_t at = 0; at < LINK_RECEIVE; at++) {
            if (at < 16 || at >= 32)
                assert_int_equal(k.r->p[at], 0xcc);
        }
        link_close(&k);
    }
}

/* A second answer to one Read is one that nobody asked for. */
static void test_answered_twice(void **state)
{
    struct link k = link_open(&how);
    struct raw_read_in read;

    (void)state;
    endpoint_read(k.e, 1, k.r, 0, 4, 0, 1, 0);
    read = raw_expect_read_request(k.p);
    answer(&k, &read, "once");
    endpoint_expect_initiated(k.e, 1);
    answer(&k, &read, "more");
    raw_expect_any_terminate(k.p);
    raw_expect_fin(k.p);
    assert_memory_equal(k.r->p, "once", 4);
    link_close(&k);
}

/* ---- the end of a connection with work on it ---- */

/* Posts a Read that is not answered, a Send and a Write behind it, and two receives. */
static void load(struct link *k, struct raw_read_in *read)
{
    endpoint_receive(k->e, 11, k->r, 1000, 8);
    endpoint_receive(k->e, 12, k->r, 1008, 8);
    endpoint_read(k->e, 1, k->r, 0, 4, 0, 1, 0);
    endpoint_send(k->e, 2, k->m, 0, 5, 0);
    endpoint_write(k->e, 3, k->m, 0, 6, 0, 1, 0);
    *read = raw_expect_read_request(k->p);
    raw_expect_message(k->p, RAW_OP_SEND, k->m->p, 5);
    raw_expect_message(k->p, RAW_OP_WRITE, k->m->p, 6);
}

/* Everything completes once, in order; the Read has not succeeded. */
static void expect_flushed(struct link *k, NTSTATUS *first)
{
    NDK_RESULT_EX r;

    for (uintptr_t id = 1; id <= 3; id++) {
        r = endpoint_wait_initiated(k->e);
        assert_int_equal((uintptr_t)r.RequestContext, id);
        assert_ntfailure(r.Status);
        if (id == 1)
            *first = r.Status;
    }
    endpoint_expect_no_initiated(k->e);
}

static void expect_receives_cancelled(struct link *k)
{
    for (uintptr_t id = 11; id <= 12; id++) {
        NDK_RESULT_EX r = endpoint_wait_received(k->e);

        assert_int_equal((uintptr_t)r.RequestContext, id);
        assert_ntstatus(r.Status, STATUS_CANCELLED);
    }
    endpoint_expect_no_received(k->e);
}

/* [RDM-043] [RDM-054]: a Terminate that names the Read: it completes as refused, the rest
 * cancelled. */
static void test_terminate_of_a_read(void **state)
{
    struct link k = link_open(&how);
    struct raw_read_in read;
    struct raw_fpdu f = raw_terminate(0, 1, 0x01);
    NTSTATUS status;

    (void)state;
    load(&k, &read);
    f.head[2] = 0xe0;
    f.head[5] = 46;
    f.head[6] = 0x41;
    f.head[7] = RAW_OP_READ_REQUEST;
    f.head[15] = 1; /* QN */
    f.head[19] = (uint8_t)read.msn;
    f.head_len = 4 + 2 + 18 + 28;
    raw_put(k.p, &f);
    raw_expect_fin(k.p);
    endpoint_wait_disconnected(k.e);
    expect_flushed(&k, &status);
    assert_ntstatus(status, STATUS_ACCESS_VIOLATION);
    expect_receives_cancelled(&k);
    link_close(&k);
}

/* A FIN with work on the way: told at once; requests fail, receives stay until the flush. */
static void test_fin(void **state)
{
    struct link k = link_open(&how);
    struct raw_read_in read;
    NTSTATUS status;

    (void)state;
    load(&k, &read);
    raw_half_close(k.p);
    endpoint_wait_disconnected(k.e); /* [MPA-062] */
    expect_flushed(&k, &status);
    endpoint_expect_no_received(k.e);
    k.e->qp->Dispatch->NdkFlush(k.e->qp);
    expect_receives_cancelled(&k);
    assert_int_equal(endpoint_disconnects(k.e), 1);
    link_close(&k);
}

static void test_rst(void **state)
{
    struct link k = link_open(&how);
    struct raw_read_in read;
    NTSTATUS status;

    (void)state;
    load(&k, &read);
    raw_reset(k.p);
    k.p = NULL;
    endpoint_wait_disconnected(k.e);
    expect_flushed(&k, &status);
    link_close(&k);
}

/* NdkDisconnect: FIN after what is queued; success when the peer's FIN comes. */
static void test_disconnect(void **state)
{
    struct link k = link_open(&how);

    (void)state;
    endpoint_receive(k.e, 11, k.r, 0, 8);
    endpoint_receive(k.e, 12, k.r, 8, 8);
    endpoint_send(k.e, 1, k.m, 0, 5, 0);
    endpoint_disconnect_start(k.e);
    raw_expect_message(k.p, RAW_OP_SEND, k.m->p, 5);
    raw_expect_fin(k.p);
    raw_half_close(k.p);
    assert_ntstatus(endpoint_disconnect_wait(k.e), STATUS_SUCCESS);
    assert_int_equal((uintptr_t)endpoint_wait_initiated(k.e).RequestContext, 1);
    expect_receives_cancelled(&k);
    assert_int_equal(endpoint_disconnects(k.e), 0); /* own doing is no event */
    link_close(&k);
}

/* A peer that never answers the disconnect. */
static void test_disconnect_unanswered(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct link_how impatient = how;
    struct link k;

    (void)state;
    o.DisconnectTimeoutMs = 100;
    impatient.options = &o;
    k = link_open(&impatient);
    assert_ntstatus(endpoint_disconnect(k.e), STATUS_IO_TIMEOUT);
    raw_expect_end(k.p);
    link_close(&k);
}

static int run(enum link_role role, const char *name)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_ord),
        cmocka_unit_test(test_ord_zero),
        cmocka_unit_test(test_unfenced),
        cmocka_unit_test(test_fenced),
        cmocka_unit_test(test_silent_success),
        cmocka_unit_test(test_send_kinds),
        cmocka_unit_test(test_wrong_responses),
        cmocka_unit_test(test_answered_twice),
        cmocka_unit_test(test_terminate_of_a_read),
        cmocka_unit_test(test_fin),
        cmocka_unit_test(test_rst),
        cmocka_unit_test(test_disconnect),
        cmocka_unit_test(test_disconnect_unanswered),
    };

    how.role = role;
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
    return run(LINK_PASSIVE, "passive") + run(LINK_ACTIVE, "active");
}
