/* SPDX-License-Identifier: MIT */
/* The active side against a raw responder: Request, Reply, fallback, RTR, refusals, time limits. */
#include "conn_raw.h"

struct fixture {
    struct pair p;
    struct raw r;
};

static void open_with(struct fixture *f, const struct rnic_options *o)
{
    pair_open_with(&f->p, 7, NULL, o, NULL);
    raw_open(&f->r, &f->p);
    raw_listen(&f->r, PORT);
    connect_to_raw(&f->p.a, &f->r, PORT);
}

static void open_default(struct fixture *f)
{
    const struct rnic_options o = test_options();

    open_with(f, &o);
}

static void close_all(struct fixture *f)
{
    raw_close(&f->r);
    pair_close(&f->p);
}

static void expect_connect(struct fixture *f, enum sn_status status)
{
    await(&f->p, &f->p.a, NOTE_CONNECT);
    assert_int_equal(f->p.a.status[NOTE_CONNECT], status);
    assert_string_equal(f->p.a.log, "C");
}

static void answer(struct fixture *f, const struct mpa_frame *reply)
{
    uint8_t octets[MPA_FRAME_LEN_MAX];
    size_t n = mpa_frame_build(reply, octets, sizeof octets);

    assert_true(n > 0);
    raw_write(&f->r, octets, n);
}

static struct mpa_frame good_reply(void)
{
    return (struct mpa_frame){
        .role = MPA_REPLY,
        .revision = 2,
        .crc = true,
        .is_enhanced = true,
        .p2p = true,
        .rtr_write = true,
        .ird = 4,
        .ord = 4,
        .private_data = (const uint8_t *)"yes",
        .private_len = 3,
    };
}

/* [MPA-001] [MPA-007] [MPA-010] [MPA-013] [MPA-030] [ECE-001] [ECE-003] */
static void request_is_one_good_frame(void **state)
{
    struct fixture f;
    struct mpa_frame q;
    size_t len;

    (void)state;
    open_default(&f);
    raw_await(&f.r, MPA_FRAME_HEADER_LEN + MPA_ENHANCED_LEN + 5);
    q = raw_frame(&f.r, MPA_REQUEST, &len);
    assert_int_equal(len, f.r.rx_len);
    assert_int_equal(f.r.rx[16], 0x50); /* C and S, nothing else */
    assert_int_equal(q.revision, 2);
    assert_true(q.p2p && q.rtr_write && q.rtr_read && !q.rtr_send);
    assert_int_equal(q.ird, 16);
    assert_int_equal(q.ord, 8);
    assert_int_equal(q.private_len, 5);
    assert_memory_equal(q.private_data, "hello", 5);
    close_all(&f);
}

/* Nothing goes out before the consumer completed, then the RTR goes first. [MPA-024] [ECE-017] */
static void rtr_waits_for_the_consumer(void **state)
{
    const struct mpa_frame reply = good_reply();
    struct fixture f;
    const uint8_t *pd;
    uint32_t ird, ord, len;
    size_t request;

    (void)state;
    open_default(&f);
    raw_await(&f.r, MPA_FRAME_HEADER_LEN);
    request = f.r.rx_len;
    answer(&f, &reply);
    expect_connect(&f, SN_OK);
    assert_int_equal(rnic_connector_data(f.p.a.conn, &ird, &ord, &pd, &len), SN_OK);
    assert_int_equal(ird, 4); /* what the responder's ORD leaves of it */
    assert_int_equal(ord, 4); /* lowered to the responder's IRD [ECE-010] */
    assert_int_equal(len, 3);
    assert_memory_equal(pd, "yes", 3);
    pass_ms(&f.p, 60000); /* the consumer may take its time */
    assert_int_equal(f.r.rx_len, request);
    complete_now(&f.p.a);
    await(&f.p, &f.p.a, NOTE_COMPLETE);
    assert_int_equal(f.p.a.status[NOTE_COMPLETE], SN_OK);
    raw_await(&f.r, request + sizeof golden_E09);
    assert_int_equal(f.r.rx_len, request + sizeof golden_E09);
    assert_memory_equal(f.r.rx + request, golden_E09, sizeof golden_E09);
    assert_int_equal(sn_a64_load_relaxed(&f.p.a.adapter->counters.active), 1);
    close_all(&f);
}

/* A rejection shows its private data, and the connector and its QP are as good as new. [MPA-011]
 * [ECE-012] */
static void rejection(void **state)
{
    struct mpa_frame reply = good_reply();
    struct fixture f;
    const uint8_t *pd;
    uint32_t ird, ord, len;

    (void)state;
    reply.rejected = true;
    open_default(&f);
    raw_await(&f.r, MPA_FRAME_HEADER_LEN);
    answer(&f, &reply);
    expect_connect(&f, SN_REFUSED);
    assert_int_equal(rnic_connector_data(f.p.a.conn, &ird, &ord, &pd, &len), SN_OK);
    assert_int_equal(ird, 4);
    assert_int_equal(ord, 4);
    assert_memory_equal(pd, "yes", 3);
    assert_int_equal(f.r.accepted, 1); /* no second attempt */
    assert_int_equal(rnic_connector_state(f.p.a.conn), RNIC_CONN_FAILED);
    reply.rejected = false;
    raw_hang_up(&f.r, false);
    connect_to_raw(&f.p.a, &f.r, PORT);
    assert_int_equal(rnic_connector_data(f.p.a.conn, &ird, &ord, &pd, &len), SN_BAD_STATE);
    raw_await(&f.r, MPA_FRAME_HEADER_LEN);
    answer(&f, &reply);
    await_nth(&f.p, &f.p.a, NOTE_CONNECT, 2);
    assert_int_equal(f.p.a.status[NOTE_CONNECT], SN_OK);
    close_all(&f);
}

/* Replies that are none, each with what becomes of it. [MPA-004] [MPA-006] [MPA-027] */
static void bad_replies(void **state)
{
    static const struct {
        const char *what;
        uint16_t at;
        uint8_t value;
    } spoils[] = {
        {"the Request's key", 10, 'q'},
        {"another first octet", 0, 'N'},
        {"another last octet of the key", 15, 'E'},
        {"revision 0", 17, 0},
        {"revision 1 where 2 was asked", 17, 1},
        {"revision 3", 17, 3},
        {"no S", 16, 0x40},
        {"private data of 599", 18, 2},
        {"private data of 65000", 18, 0xff},
    };
    struct mpa_frame reply = good_reply();
    uint8_t octets[MPA_FRAME_LEN_MAX];
    size_t n = mpa_frame_build(&reply, octets, sizeof octets);

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(spoils); i++) {
        struct fixture f;
        uint8_t before = octets[spoils[i].at];

        octets[spoils[i].at] = spoils[i].value;
        if (spoils[i].at == 18)
            octets[19] = 0x57;
        open_default(&f);
        raw_await(&f.r, MPA_FRAME_HEADER_LEN);
        raw_write(&f.r, octets, n);
        await(&f.p, &f.p.a, NOTE_CONNECT);
        if (f.p.a.status[NOTE_CONNECT] != SN_PROTOCOL)
            fail_msg("%s: %s", spoils[i].what, sn_status_name(f.p.a.status[NOTE_CONNECT]));
        raw_await_over(&f.r);
        assert_int_equal(f.r.accepted, 1);
        close_all(&f);
        octets[spoils[i].at] = before;
        octets[19] = 7;
    }
}

/* A responder that hangs up on revision 2 is asked once more, in revision 1. [ECE-008] */
static void falls_back_to_revision_1(void **state)
{
    static const struct mpa_frame reply = {.role = MPA_REPLY, .revision = 1, .crc = true};

    (void)state;
    for (int is_abort = 0; is_abort < 2; is_abort++) {
        struct fixture f;
        struct mpa_frame q;
        size_t len;

        open_default(&f);
        raw_await(&f.r, MPA_FRAME_HEADER_LEN);
        raw_hang_up(&f.r, is_abort);
        raw_await(&f.r, MPA_FRAME_HEADER_LEN + 5);
        assert_int_equal(f.r.accepted, 2);
        q = raw_frame(&f.r, MPA_REQUEST, &len);
        assert_int_equal(q.revision, 1);
        assert_false(q.is_enhanced);
        assert_memory_equal(q.private_data, "hello", 5);
        answer(&f, &reply);
        expect_connect(&f, SN_OK);
        complete_now(&f.p.a);
        await(&f.p, &f.p.a, NOTE_COMPLETE);
        assert_int_equal(f.p.a.status[NOTE_COMPLETE], SN_OK);
        assert_int_equal(f.r.rx_len, len); /* revision 1 knows no RTR */
        close_all(&f);
    }
}

/* Hung up on again: refused. And revision 1 by option is not tried twice. */
static void refused_in_both_revisions(void **state)
{
    struct rnic_options o = test_options();

    (void)state;
    for (uint8_t revision = 1; revision <= 2; revision++) {
        struct fixture f;

        o.mpa.revision = revision;
        open_with(&f, &o);
        for (unsigned i = 1; i <= revision; i++) {
            raw_await(&f.r, MPA_FRAME_HEADER_LEN);
            assert_int_equal(f.r.accepted, i);
            raw_hang_up(&f.r, false);
        }
        expect_connect(&f, SN_REFUSED);
        settle_world(&f.p);
        assert_int_equal(f.r.accepted, revision);
        close_all(&f);
    }
}

static void nobody_listens(void **state)
{
    struct pair p;

    (void)state;
    pair_open(&p, 3);
    connect_to(&p.a, &p.b, PORT);
    await(&p, &p.a, NOTE_CONNECT);
    assert_int_equal(p.a.status[NOTE_CONNECT], SN_REFUSED);
    assert_int_equal(sn_a64_load_relaxed(&p.a.adapter->counters.connect_failures), 1);
    /* The QP is free: another connector takes it. */
    close_conn(&p.a);
    listen_on(&p, &p.b, PORT);
    connect_to(&p.a, &p.b, PORT);
    await(&p, &p.b, NOTE_ARRIVAL);
    pair_close(&p);
}

static void no_such_host(void **state)
{
    const struct side nowhere = {.addr = {.family = 4, .ip = {10, 0, 0, 99}}};
    struct pair p;

    (void)state;
    pair_open(&p, 3);
    connect_to(&p.a, &nowhere, PORT);
    await(&p, &p.a, NOTE_CONNECT);
    assert_int_equal(p.a.status[NOTE_CONNECT], SN_HOST_UNREACHABLE);
    pair_close(&p);
}

/* Neither TCP nor the Reply is awaited for ever. [MPA-018] */
static void time_limits(void **state)
{
    struct rnic_options o = test_options();
    struct fixture f;
    struct sim_faults slow = {.delay_ns_max = 2000000000};
    struct pair p;

    (void)state;
    o.mpa_timeout_ms = 1000;
    open_with(&f, &o);
    raw_await(&f.r, MPA_FRAME_HEADER_LEN);
    pass_ms(&f.p, 900);
    assert_string_equal(f.p.a.log, "");
    pass_ms(&f.p, 200);
    expect_connect(&f, SN_TIMED_OUT);
    raw_await_over(&f.r);
    close_all(&f);

    o.connect_timeout_ms = 1;
    pair_open_with(&p, 5, &slow, &o, NULL);
    listen_on(&p, &p.b, PORT);
    connect_to(&p.a, &p.b, PORT);
    await(&p, &p.a, NOTE_CONNECT);
    assert_int_equal(p.a.status[NOTE_CONNECT], SN_TIMED_OUT);
    settle_world(&p);
    pair_close(&p);
}

/* What can not be agreed on is said in a Terminate, and the connect fails. [ECE-011] [ECE-019] */
static void terminates_what_it_can_not_do(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct mpa_frame reply = good_reply();
        struct fixture f;
        const uint8_t *term;
        size_t request;

        if (i == 0) {
            reply.rtr_write = false; /* only what was not offered */
            reply.rtr_send = true;
        } else {
            reply.ord = RNIC_READ_LIMIT_MAX + 1;
        }
        open_default(&f);
        raw_await(&f.r, MPA_FRAME_HEADER_LEN + MPA_ENHANCED_LEN + 5);
        request = f.r.rx_len;
        answer(&f, &reply);
        expect_connect(&f, SN_PROTOCOL);
        raw_await_over(&f.r);
        assert_false(f.r.is_reset);
        assert_int_equal(f.r.rx_len, request + sizeof golden_E17);
        term = f.r.rx + request;
        if (i == 0) {
            assert_memory_equal(term, golden_E17, sizeof golden_E17);
        } else {
            assert_int_equal(term[20] << 8 | term[21], 0x2006); /* layer 2, type 0, code 6 */
        }
        close_all(&f);
    }
}

/* The consumer says no after the peer accepted: the only word for that is a Terminate. */
static void consumer_rejects_the_accept(void **state)
{
    const struct mpa_frame reply = good_reply();
    struct fixture f;
    size_t request;

    (void)state;
    open_default(&f);
    raw_await(&f.r, MPA_FRAME_HEADER_LEN + MPA_ENHANCED_LEN + 5);
    request = f.r.rx_len;
    answer(&f, &reply);
    expect_connect(&f, SN_OK);
    assert_int_equal(rnic_connector_reject(f.p.a.conn, NULL, 600), SN_PRIVATE_DATA_TOO_LONG);
    assert_int_equal(rnic_connector_reject(f.p.a.conn, "no", 2), SN_OK);
    assert_int_equal(rnic_connector_reject(f.p.a.conn, "no", 2), SN_BAD_STATE);
    raw_await_over(&f.r);
    assert_false(f.r.is_reset);
    assert_int_equal(f.r.rx_len, request + sizeof golden_E16);
    assert_memory_equal(f.r.rx + request, golden_E16, sizeof golden_E16);
    assert_string_equal(f.p.a.log, "C");
    close_all(&f);
}

/* The acceptor goes away while the consumer thinks. */
static void acceptor_goes_away(void **state)
{
    const struct mpa_frame reply = good_reply();

    (void)state;
    for (int is_abort = 0; is_abort < 2; is_abort++) {
        struct fixture f;

        open_default(&f);
        raw_await(&f.r, MPA_FRAME_HEADER_LEN);
        answer(&f, &reply);
        expect_connect(&f, SN_OK);
        raw_hang_up(&f.r, is_abort);
        settle_world(&f.p);
        assert_int_equal(
            rnic_connector_complete(f.p.a.conn, event_of(&f.p.a), done_of(&f.p.a, NOTE_COMPLETE)),
            SN_ABORTED);
        assert_int_equal(rnic_connector_reject(f.p.a.conn, NULL, 0), SN_ABORTED);
        assert_string_equal(f.p.a.log, "C");
        close_all(&f);
    }
}

/* FPDUs in the same segment as the Reply are not lost. [MPA-025] */
static void octets_behind_the_reply(void **state)
{
    const struct mpa_frame reply = good_reply();
    struct fixture f;
    uint8_t octets[MPA_FRAME_LEN_MAX + sizeof golden_E06], memory[64] = {0};
    size_t n = mpa_frame_build(&reply, octets, MPA_FRAME_LEN_MAX);
    struct rnic_mr *mr;
    struct rnic_cqe e;

    (void)state;
    memcpy(octets + n, golden_E06, sizeof golden_E06);
    open_default(&f);
    assert_int_equal(rnic_mr_create(f.p.a.pd, false, &mr), SN_OK);
    assert_int_equal(rnic_mr_register(mr, memory, (uintptr_t)memory, sizeof memory,
                         MEM_LOCAL_WRITE | MEM_LOCAL_READ),
        SN_OK);
    {
        const struct iw_sge sge = {(uintptr_t)memory, sizeof memory, rnic_mr_stag(mr)};

        assert_int_equal(rnic_qp_receive(f.p.a.qp, NULL, &sge, 1), SN_OK);
    }
    raw_await(&f.r, MPA_FRAME_HEADER_LEN);
    raw_write(&f.r, octets, n + sizeof golden_E06);
    expect_connect(&f, SN_OK);
    settle_world(&f.p);
    assert_int_equal(rnic_cq_poll(f.p.a.cq, &e, 1), 0);
    complete_now(&f.p.a);
    await(&f.p, &f.p.a, NOTE_COMPLETE);
    settle_world(&f.p);
    assert_int_equal(rnic_cq_poll(f.p.a.cq, &e, 1), 1);
    assert_int_equal(e.status, SN_OK);
    assert_int_equal(e.len, 5);
    assert_memory_equal(memory, "hello", 5);
    raw_hang_up(&f.r, true);
    settle_world(&f.p);
    close_obj(&mr->obj);
    close_all(&f);
}

/* Wrong calls answer at once and change nothing. */
static void wrong_calls(void **state)
{
    const struct rnic_disconnect_event e = {0};
    struct fixture f;
    struct side *a = &f.p.a;
    const struct plat_addr dst = {.family = 4, .ip = {10, 0, 0, 3}, .port = PORT};
    const struct plat_addr dst6 = {.family = 6, .ip = {1}, .port = PORT};
    struct plat_addr foreign = {.family = 4, .ip = {10, 0, 0, 2}}, no_port = dst,
                     any = {.family = 4};
    struct rnic_connector *c;
    uint8_t pd[600] = {0};

    (void)state;
    open_default(&f);
    no_port.port = 0;
    any.port = PORT;
    assert_int_equal(rnic_connector_create(a->adapter, &c), SN_OK);
#define CONNECT(qp, src, dst, n)                                                                   \
    rnic_connector_connect(c, qp, src, NULL, dst, 0, 0, pd, n, done_of(a, NOTE_CONNECT))
    assert_int_equal(CONNECT(a->qp, &a->addr, &dst, 0), SN_ALREADY_CONNECTED);
    assert_int_equal(CONNECT(f.p.b.qp, &a->addr, &dst, 0), SN_INVALID);
    assert_int_equal(CONNECT(a->qp, &a->addr, &dst6, 0), SN_INVALID);
    assert_int_equal(CONNECT(a->qp, &a->addr, &no_port, 0), SN_INVALID);
    assert_int_equal(CONNECT(a->qp, &a->addr, &any, 0), SN_INVALID);
    assert_int_equal(CONNECT(a->qp, &foreign, &dst, 0), SN_ADDRESS_INVALID);
    assert_int_equal(CONNECT(a->qp, &a->addr, &dst, 509), SN_PRIVATE_DATA_TOO_LONG);
#undef CONNECT
    assert_int_equal(rnic_connector_complete(c, e, done_of(a, NOTE_COMPLETE)), SN_NOT_CONNECTED);
    assert_int_equal(
        rnic_connector_accept(c, a->qp, 0, 0, NULL, 0, e, done_of(a, NOTE_ACCEPT)), SN_BAD_STATE);
    assert_int_equal(rnic_connector_reject(c, NULL, 0), SN_BAD_STATE);
    assert_int_equal(rnic_connector_disconnect(c, done_of(a, NOTE_DISCONNECT)), SN_BAD_STATE);
    assert_int_equal(rnic_obj_close(rnic_connector_obj(c), done_of(a, NOTE_CLOSED)), SN_OK);
    /* One that is connecting. */
    assert_int_equal(rnic_connector_connect(a->conn, a->qp, &a->addr, NULL, &dst, 0, 0, NULL, 0,
                         done_of(a, NOTE_CONNECT)),
        SN_BAD_STATE);
    assert_int_equal(
        rnic_connector_complete(a->conn, e, done_of(a, NOTE_COMPLETE)), SN_NOT_CONNECTED);
    assert_int_equal(a->logged, 0);
    close_all(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_is_one_good_frame),
        cmocka_unit_test(rtr_waits_for_the_consumer),
        cmocka_unit_test(rejection),
        cmocka_unit_test(bad_replies),
        cmocka_unit_test(falls_back_to_revision_1),
        cmocka_unit_test(refused_in_both_revisions),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(no_such_host),
        cmocka_unit_test(time_limits),
        cmocka_unit_test(terminates_what_it_can_not_do),
        cmocka_unit_test(consumer_rejects_the_accept),
        cmocka_unit_test(acceptor_goes_away),
        cmocka_unit_test(octets_behind_the_reply),
        cmocka_unit_test(wrong_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
