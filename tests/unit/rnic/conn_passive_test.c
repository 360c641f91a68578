/* SPDX-License-Identifier: MIT */
/* The passive side against a raw initiator: Request, Reply, the first FPDU, quiet peers, refusals.
 */
#include "conn_raw.h"

struct fixture {
    struct pair p;
    struct raw r;
};

static void open_by_seed(
    struct fixture *f, uint64_t seed, const struct sim_faults *faults, const struct rnic_options *o)
{
    pair_open_with(&f->p, seed, faults, NULL, o);
    raw_open(&f->r, &f->p);
    listen_on(&f->p, &f->p.b, PORT);
    forget(&f->p.b);
    raw_connect(&f->r, &f->p.b, PORT);
}

static void open_with(struct fixture *f, const struct rnic_options *o)
{
    open_by_seed(f, 11, NULL, o);
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

/* Up to the consumer's decision, by a Request of that name. */
static void request(struct fixture *f, const char *golden)
{
    raw_write_golden(&f->r, golden);
    await(&f->p, &f->p.b, NOTE_ARRIVAL);
}

/* [MPA-002] [MPA-021] [ECE-004] [ECE-012] [ECE-014] */
static void accepts_revision_2(void **state)
{
    struct fixture f;
    struct side *b = &f.p.b;
    struct mpa_frame reply;
    struct plat_addr local, peer;
    const uint8_t *pd;
    uint32_t ird, ord, len;
    size_t n;

    (void)state;
    open_default(&f);
    settle_world(&f.p);
    assert_string_equal(b->log, "");
    raw_hang_up(&f.r, true);
    raw_connect(&f.r, b, PORT);
    request(&f, "E03");
    assert_int_equal(rnic_connector_data(b->conn, &ird, &ord, &pd, &len), SN_OK);
    assert_int_equal(ird, 8); /* what the peer wants to read, and lets read */
    assert_int_equal(ord, 16);
    assert_int_equal(len, 2);
    assert_memory_equal(pd, "hi", 2);
    assert_int_equal(rnic_connector_addresses(b->conn, &local, &peer), SN_OK);
    assert_int_equal(local.port, PORT);
    assert_memory_equal(peer.ip, f.r.addr.ip, 4);
    assert_int_equal(f.r.rx_len, 0);
    accept_now(b);
    raw_await(&f.r, MPA_FRAME_HEADER_LEN + MPA_ENHANCED_LEN + 7);
    reply = raw_frame(&f.r, MPA_REPLY, &n);
    assert_int_equal(n, f.r.rx_len);
    assert_int_equal(reply.revision, 2);
    assert_true(reply.is_enhanced && reply.p2p && reply.rtr_write);
    assert_false(reply.rejected);
    assert_int_equal(reply.ird, 4);
    assert_int_equal(reply.ord, 4);
    assert_memory_equal(reply.private_data, "welcome", 7);
    assert_int_equal(rnic_connector_data(b->conn, &ird, &ord, &pd, &len), SN_OK);
    assert_int_equal(ird, 4);
    assert_int_equal(ord, 4);
    assert_memory_equal(pd, "hi", 2); /* until the connector is closed */
    /* A peer that promised an RTR is waited for, however long it is quiet. */
    pass_ms(&f.p, 600000);
    assert_string_equal(b->log, "R");
    raw_write_golden(&f.r, "E09");
    await(&f.p, b, NOTE_ACCEPT);
    assert_int_equal(b->status[NOTE_ACCEPT], SN_OK);
    assert_int_equal(sn_a64_load_relaxed(&b->adapter->counters.accepts), 1);
    assert_int_equal(sn_a64_load_relaxed(&b->adapter->counters.active), 1);
    raw_hang_up(&f.r, false);
    await(&f.p, b, NOTE_EVENT);
    assert_int_equal(b->reason, WIRE_OK);
    close_all(&f);
}

/* Revision 1 promises no RTR: after a while of silence behind an acknowledged Reply the accept
 * completes all the same, and what comes later is as good. [ECE-005] [ECE-006] */
static void quiet_peer_of_revision_1(void **state)
{
    (void)state;
    for (int speaks_early = 0; speaks_early < 2; speaks_early++) {
        struct fixture f;
        struct side *b = &f.p.b;
        struct mpa_frame reply;
        size_t n;

        open_default(&f);
        request(&f, "E01");
        accept_now(b);
        raw_await(&f.r, MPA_FRAME_HEADER_LEN + 7);
        reply = raw_frame(&f.r, MPA_REPLY, &n);
        assert_int_equal(reply.revision, 1);
        assert_false(reply.is_enhanced);
        pass_ms(&f.p, 100);
        assert_string_equal(b->log, "R");
        if (speaks_early)
            raw_write_golden(&f.r, "E09");
        pass_ms(&f.p, speaks_early ? 1 : 200);
        assert_string_equal(b->log, "RA");
        assert_int_equal(b->status[NOTE_ACCEPT], SN_OK);
        raw_write_golden(&f.r, "E09");
        pass_ms(&f.p, 1000);
        assert_string_equal(b->log, "RA");
        assert_int_equal(rnic_connector_state(b->conn), RNIC_CONN_CONNECTED);
        close_all(&f);
    }
}

/* Silence counts only once the peer's TCP has the Reply: until then it has nothing to answer. */
static void quiet_while_the_reply_travels(void **state)
{
    const struct sim_faults slow = {.delay_ns_max = 4000000000u};

    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        const struct rnic_options o = test_options();
        struct fixture f;
        struct side *b = &f.p.b;

        open_by_seed(&f, seed, NULL, &o);
        request(&f, "E01");
        sim_set_faults(f.p.world, &slow);
        accept_now(b);
        for (int i = 0; f.r.rx_len == 0; i++) {
            assert_true(i < 500);
            assert_string_equal(b->log, "R");
            pass_ms(&f.p, 10);
        }
        pass_ms(&f.p, 500);
        assert_string_equal(b->log, "RA");
        assert_int_equal(b->status[NOTE_ACCEPT], SN_OK);
        close_all(&f);
    }
}

/* A peer that does not take the Reply is not waited for longer than a start-up may last. */
static void reply_does_not_get_out(void **state)
{
    const struct sim_faults narrow = {.pipe_capacity = 64};
    const struct rnic_options o = test_options();
    const uint8_t private_data[100] = {0};
    struct fixture f;
    struct side *b = &f.p.b;

    (void)state;
    open_by_seed(&f, 11, &narrow, &o);
    request(&f, "E01");
    raw_enter(&f.r);
    plat_pipe_watch(f.r.pipe, false, false);
    plat_lane_leave(f.r.lane);
    assert_int_equal(rnic_connector_accept(b->conn, b->qp, 1, 1, private_data, sizeof private_data,
                         event_of(b), done_of(b, NOTE_ACCEPT)),
        SN_PENDING);
    pass_ms(&f.p, o.mpa_timeout_ms / 2);
    assert_string_equal(b->log, "R");
    pass_ms(&f.p, o.mpa_timeout_ms);
    assert_string_equal(b->log, "RA");
    assert_int_equal(b->status[NOTE_ACCEPT], SN_ABORTED);
    assert_null(b->conn->pipe);
    close_all(&f);
}

/* Not a Request, or not whole in time: closed without a word, and the consumer hears nothing.
 * [MPA-003] [MPA-006] [MPA-015] [MPA-016] [MPA-017] [ECE-024] */
static void bad_requests(void **state)
{
    static const struct {
        const char *what;
        uint8_t at, value;
        uint8_t len; /* 0: all; else this many octets and then silence */
        bool has_fin;
    } spoils[] = {
        {"the Reply's key", 10, 'p', 0, false},
        {"garbage", 0, 0, 0, false},
        {"revision 0", 17, 0, 0, false},
        {"revision 3", 17, 3, 0, false},
        {"revision 255", 17, 255, 0, false},
        {"private data of 518", 18, 2, 0, false},
        {"private data of 65286", 18, 255, 0, false},
        {"S with private data of 3", 19, 3, 0, false},
        {"S with no private data", 19, 0, 0, false},
        {"nothing", 0, 'M', 1, false},
        {"19 octets", 0, 'M', 19, false},
        {"without its private data", 0, 'M', 24, false},
        {"19 octets and FIN", 0, 'M', 19, true},
        {"without its private data, and FIN", 0, 'M', 25, true},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(spoils); i++) {
        uint8_t octets[sizeof golden_E03];
        struct fixture f;

        memcpy(octets, golden_E03, sizeof octets);
        octets[spoils[i].at] = spoils[i].value;
        open_default(&f);
        raw_write(&f.r, octets, spoils[i].len != 0 ? spoils[i].len : sizeof octets);
        if (spoils[i].has_fin)
            raw_fin(&f.r);
        pass_ms(&f.p, 16000);
        if (!f.r.is_over || f.r.rx_len != 0 || f.p.b.logged != 0)
            fail_msg("%s: over %d, %zu octets, \"%s\"", spoils[i].what, f.r.is_over, f.r.rx_len,
                f.p.b.log);
        assert_int_equal(sn_a32_load_acquire(&f.p.b.listener->pending_count), 0);
        close_all(&f);
    }
}

/* A peer without CRCs at an adapter that requires them is told no. */
static void unfit_request(void **state)
{
    struct rnic_options o = test_options();
    uint8_t octets[sizeof golden_E03];
    struct fixture f;
    size_t n;

    (void)state;
    o.mpa.crc = IW_CRC_REQUIRE;
    memcpy(octets, golden_E03, sizeof octets);
    octets[16] &= (uint8_t)~0x40;
    open_with(&f, &o);
    raw_write(&f.r, octets, sizeof octets);
    raw_await_over(&f.r);
    assert_false(f.r.is_reset);
    assert_true(raw_frame(&f.r, MPA_REPLY, &n).rejected);
    assert_string_equal(f.p.b.log, "");
    close_all(&f);
}

/* [MPA-012] The Reply with R gets through, whatever the peer does with its end. */
static void rejects(void **state)
{
    (void)state;
    for (int peer_stays = 0; peer_stays < 2; peer_stays++) {
        struct mpa_frame reply;
        struct fixture f;
        struct side *b = &f.p.b;
        uint8_t pd[509] = {0};
        size_t n;

        open_default(&f);
        request(&f, "E03");
        assert_int_equal(rnic_connector_reject(b->conn, pd, sizeof pd), SN_PRIVATE_DATA_TOO_LONG);
        assert_int_equal(rnic_connector_reject(b->conn, "go away", 7), SN_OK);
        assert_int_equal(rnic_connector_reject(b->conn, "go away", 7), SN_BAD_STATE);
        assert_int_equal(rnic_connector_accept(
                             b->conn, b->qp, 0, 0, NULL, 0, event_of(b), done_of(b, NOTE_ACCEPT)),
            SN_BAD_STATE);
        raw_await_over(&f.r);
        assert_false(f.r.is_reset);
        reply = raw_frame(&f.r, MPA_REPLY, &n);
        assert_true(reply.rejected);
        assert_memory_equal(reply.private_data, "go away", 7);
        assert_int_equal(reply.private_len, 7);
        if (!peer_stays)
            raw_hang_up(&f.r, false);
        pass_ms(&f.p, peer_stays ? 6000 : 10);
        assert_null(b->conn->pipe);
        assert_string_equal(b->log, "R");
        close_all(&f);
    }
}

/* The peer goes away: before the answer, which then comes too late; or instead of the first FPDU.
 */
static void peer_gives_up(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        bool is_abort = i & 1, after_accept = i >= 4;
        struct fixture f;
        struct side *b = &f.p.b;

        open_default(&f);
        request(&f, "E03");
        if (after_accept) {
            accept_now(b);
            raw_await(&f.r, MPA_FRAME_HEADER_LEN);
        }
        raw_hang_up(&f.r, is_abort);
        settle_world(&f.p);
        if (after_accept) {
            assert_string_equal(b->log, "RA");
            assert_int_equal(b->status[NOTE_ACCEPT], SN_ABORTED);
        } else if (i < 2) {
            assert_int_equal(rnic_connector_accept(b->conn, b->qp, 0, 0, NULL, 0, event_of(b),
                                 done_of(b, NOTE_ACCEPT)),
                SN_ABORTED);
            /* The QP is unharmed. */
            assert_int_equal(rnic_qp_reserve(b->qp), SN_OK);
            rnic_qp_unreserve(b->qp);
        } else {
            assert_int_equal(rnic_connector_reject(b->conn, NULL, 0), SN_ABORTED);
        }
        close_all(&f);
    }
}

/* A Terminate instead of the RTR says that the initiator's consumer, or its RNIC, will not. */
static void terminate_instead_of_rtr(void **state)
{
    static const struct {
        const char *golden;
        enum sn_status status;
    } firsts[] = {
        {"E16", SN_REFUSED},
        {"E17", SN_REFUSED},
        {"E06", SN_OK}, /* a message is as good as the RTR [ECE-023] */
        {"E12a", SN_OK},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(firsts); i++) {
        struct fixture f;
        struct side *b = &f.p.b;

        open_default(&f);
        request(&f, "E03");
        accept_now(b);
        raw_await(&f.r, MPA_FRAME_HEADER_LEN);
        raw_write_golden(&f.r, firsts[i].golden);
        await(&f.p, b, NOTE_ACCEPT);
        assert_int_equal(b->status[NOTE_ACCEPT], firsts[i].status);
        pass_ms(&f.p, 100);
        assert_string_equal(b->log, "RA"); /* no event for what never was connected */
        close_all(&f);
    }
}

static void garbage_instead_of_rtr(void **state)
{
    uint8_t octets[sizeof golden_E09];
    struct fixture f;
    struct side *b = &f.p.b;

    (void)state;
    memcpy(octets, golden_E09, sizeof octets);
    octets[sizeof octets - 1] ^= 1;
    open_default(&f);
    request(&f, "E03");
    accept_now(b);
    raw_await(&f.r, MPA_FRAME_HEADER_LEN);
    raw_write(&f.r, octets, sizeof octets);
    await(&f.p, b, NOTE_ACCEPT);
    assert_int_equal(b->status[NOTE_ACCEPT], SN_ABORTED);
    raw_await_over(&f.r);
    close_all(&f);
}

/* The RTR in the same segment as the Request: early, but nothing is lost. */
static void octets_behind_the_request(void **state)
{
    uint8_t octets[sizeof golden_E03 + sizeof golden_E09];
    struct fixture f;
    struct side *b = &f.p.b;

    (void)state;
    memcpy(octets, golden_E03, sizeof golden_E03);
    memcpy(octets + sizeof golden_E03, golden_E09, sizeof golden_E09);
    open_default(&f);
    raw_write(&f.r, octets, sizeof octets);
    await(&f.p, b, NOTE_ARRIVAL);
    settle_world(&f.p);
    accept_now(b);
    await(&f.p, b, NOTE_ACCEPT);
    assert_int_equal(b->status[NOTE_ACCEPT], SN_OK);
    assert_int_equal(rnic_connector_state(b->conn), RNIC_CONN_CONNECTED);
    close_all(&f);
}

/* The accept moves to the lane of its QP, whichever that is. */
static void qp_on_another_lane(void **state)
{
    struct rnic_options o = test_options();
    bool moved = false, stayed = false;

    (void)state;
    o.lanes = 3;
    for (int i = 0; i < 4; i++) {
        struct fixture f;
        struct side *b = &f.p.b;

        open_with(&f, &o);
        request(&f, "E03");
        for (int k = 0; k < i; k++) {
            close_obj(rnic_qp_obj(b->qp));
            make_qp(b);
        }
        if (rnic_conn_lane(b->conn) == b->qp->lane)
            stayed = true;
        else
            moved = true;
        accept_now(b);
        raw_await(&f.r, MPA_FRAME_HEADER_LEN);
        raw_write_golden(&f.r, "E09");
        await(&f.p, b, NOTE_ACCEPT);
        assert_int_equal(b->status[NOTE_ACCEPT], SN_OK);
        assert_ptr_equal(rnic_conn_lane(b->conn), b->qp->lane);
        close_all(&f);
    }
    assert_true(moved && stayed);
}

static void wrong_accepts(void **state)
{
    const struct rnic_disconnect_event e = {0};
    struct fixture f;
    struct side *b = &f.p.b;
    uint8_t pd[600] = {0};

    (void)state;
    open_default(&f);
    request(&f, "E03");
#define ACCEPT(qp, n) rnic_connector_accept(b->conn, qp, 0, 0, pd, n, e, done_of(b, NOTE_ACCEPT))
    assert_int_equal(ACCEPT(f.p.a.qp, 0), SN_INVALID);
    assert_int_equal(ACCEPT(b->qp, 509), SN_PRIVATE_DATA_TOO_LONG);
    assert_int_equal(rnic_qp_reserve(b->qp), SN_OK);
    assert_int_equal(ACCEPT(b->qp, 0), SN_ALREADY_CONNECTED);
    rnic_qp_unreserve(b->qp);
    assert_int_equal(ACCEPT(b->qp, 508), SN_PENDING);
    assert_int_equal(ACCEPT(b->qp, 0), SN_BAD_STATE);
#undef ACCEPT
    assert_int_equal(rnic_connector_reject(b->conn, NULL, 0), SN_BAD_STATE);
    assert_int_equal(
        rnic_connector_complete(b->conn, e, done_of(b, NOTE_COMPLETE)), SN_NOT_CONNECTED);
    assert_int_equal(rnic_connector_disconnect(b->conn, done_of(b, NOTE_DISCONNECT)), SN_BAD_STATE);
    assert_int_equal(rnic_connector_connect(b->conn, b->qp, &b->addr, NULL, &f.r.addr, 0, 0, NULL,
                         0, done_of(b, NOTE_CONNECT)),
        SN_BAD_STATE);
    raw_await(&f.r, MPA_FRAME_LEN_MAX); /* 512 octets of private data [MPA-014] */
    close_all(&f);
}

/* A QP that was flushed in the meantime can not be had; the peer is not left waiting. */
static void qp_flushed_meanwhile(void **state)
{
    struct fixture f;
    struct side *b = &f.p.b;
    size_t n;

    (void)state;
    open_default(&f);
    request(&f, "E03");
    raw_enter(&f.r); /* this thread can enter no other lane now: the tasks wait in their order */
    rnic_qp_flush(b->qp);
    accept_now(b);
    plat_lane_leave(f.r.lane);
    await(&f.p, b, NOTE_ACCEPT);
    assert_int_equal(b->status[NOTE_ACCEPT], SN_CANCELLED);
    raw_await_over(&f.r);
    assert_true(raw_frame(&f.r, MPA_REPLY, &n).rejected);
    close_all(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_revision_2),
        cmocka_unit_test(quiet_peer_of_revision_1),
        cmocka_unit_test(quiet_while_the_reply_travels),
        cmocka_unit_test(reply_does_not_get_out),
        cmocka_unit_test(bad_requests),
        cmocka_unit_test(unfit_request),
        cmocka_unit_test(rejects),
        cmocka_unit_test(peer_gives_up),
        cmocka_unit_test(terminate_instead_of_rtr),
        cmocka_unit_test(garbage_instead_of_rtr),
        cmocka_unit_test(octets_behind_the_request),
        cmocka_unit_test(qp_on_another_lane),
        cmocka_unit_test(wrong_accepts),
        cmocka_unit_test(qp_flushed_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
