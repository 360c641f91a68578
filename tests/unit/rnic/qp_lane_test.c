/* SPDX-License-Identifier: MIT */
/* The lane's side: held Sends, flush, the peer's end, lost connections, dead CQs. */
#include "unit/rnic/pair.h"

#define CTX(n) ((void *)(uintptr_t)(n))

/* A Send without a receive is held, whatever follows it, and goes on when one is posted. */
static void held_send_resumes(void **state)
{
    const struct iw_mpa_result mpa = pair_mpa();

    (void)state;
    for (int with_srq = 0; with_srq < 2; with_srq++) {
        struct pair p;
        struct iw_sge s;

        pair_open(&p, &mpa, with_srq);
        memset(p.a.memory, 0x5a, 40000);
        for (uintptr_t i = 0; i < 20; i++) {
            s = sge(&p.a, 0, i % 2 ? 8 : 2000);
            assert_int_equal(rnic_qp_send(p.a.qp, CTX(i + 1), &s, 1, 0, 0), SN_OK);
            expect(&p.a, i + 1, SN_OK); /* TCP took it */
        }
        expect_nothing(&p.b);
        for (uintptr_t i = 0; i < 20; i++) {
            struct rnic_cqe e;

            s = sge(&p.b, (uint32_t)i * 3000, 3000);
            if (with_srq)
                assert_int_equal(rnic_srq_receive(p.b.srq, CTX(100 + i), &s, 1), SN_OK);
            else
                assert_int_equal(rnic_qp_receive(p.b.qp, CTX(100 + i), &s, 1), SN_OK);
            e = next(&p.b);
            assert_int_equal((uintptr_t)e.context, 100 + i);
            assert_int_equal(e.status, SN_OK);
            assert_int_equal(e.len, i % 2 ? 8 : 2000);
        }
        pair_close(&p);
    }
}

/* Held too long: Terminate, and both sides are told. */
static void held_send_is_given_up(void **state) /* [DDP-023] */
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct pair p;

    (void)state;
    pair_open(&p, &mpa, false);
    p.f.adapter->options.receive_wait_ms = 30;
    pair_await_connected(&p);
    assert_int_equal(rnic_qp_send(p.a.qp, CTX(1), NULL, 0, 0, 0), SN_OK);
    expect(&p.a, 1, SN_OK);
    for (int i = 0; i < 5000 && sn_a32_load_acquire(&p.a.qp->state) != RNIC_QP_ENDED; i++)
        nap_ms(1);
    assert_int_equal(sn_a32_load_acquire(&p.a.qp->state), RNIC_QP_ENDED);
    assert_int_equal(sn_a32_load_acquire(&p.b.qp->state), RNIC_QP_ENDED);
    assert_int_equal(rnic_qp_send(p.a.qp, CTX(2), NULL, 0, 0, 0), SN_NOT_CONNECTED);
    pair_close(&p);
}

static void flush_cancels_everything_once(void **state) /* [VRB-015] */
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct pair p;
    struct iw_sge s;

    (void)state;
    pair_open(&p, &mpa, false);
    for (uintptr_t i = 0; i < 5; i++) {
        s = sge(&p.a, 0, 10);
        assert_int_equal(rnic_qp_receive(p.a.qp, CTX(10 + i), &s, 1), SN_OK);
    }
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(rnic_qp_write(p.a.qp, CTX(20 + i), NULL, 0, 0, 0, RNIC_POST_DEFER), SN_OK);
    rnic_qp_flush(p.a.qp);
    for (int n[2] = {0, 0}, i = 0; i < 9; i++) {
        struct rnic_cqe e = next(&p.a);
        int is_recv = e.op == RNIC_CQE_RECEIVE;

        assert_int_equal((uintptr_t)e.context, (is_recv ? 10 : 20) + n[is_recv]++);
        if (is_recv)
            assert_int_equal(e.status, SN_CANCELLED);
    }
    expect_nothing(&p.a);
    s = sge(&p.a, 0, 10); /* later receives are cancelled, later requests refused [VRB-017] */
    assert_int_equal(rnic_qp_receive(p.a.qp, CTX(30), &s, 1), SN_OK);
    expect(&p.a, 30, SN_CANCELLED);
    assert_int_equal(rnic_qp_send(p.a.qp, CTX(31), NULL, 0, 0, 0), SN_NOT_CONNECTED);
    pair_close(&p);
}

static void flush_of_an_unconnected_qp(void **state) /* [VRB-003] */
{
    struct fixture f;
    struct rnic_pd *pd;
    struct rnic_cq *cq;
    struct rnic_qp *qp;
    struct rnic_qp_attr attr = {.recv_depth = 4, .send_depth = 4};
    struct side s;

    (void)state;
    fixture_open(&f, 2);
    assert_int_equal(rnic_pd_create(f.adapter, &pd), SN_OK);
    assert_int_equal(
        rnic_cq_create(f.adapter, 8, (struct rnic_cq_notify){.call = pair_ignore}, &cq), SN_OK);
    attr.recv_cq = attr.send_cq = s.cq = cq;
    attr.context = &s;
    assert_int_equal(rnic_qp_create(pd, &attr, &qp), SN_OK);
    assert_int_equal(rnic_qp_receive(qp, CTX(1), NULL, 0), SN_OK);
    assert_int_equal(rnic_qp_receive(qp, CTX(2), NULL, 0), SN_OK);
    rnic_qp_flush(qp);
    expect(&s, 1, SN_CANCELLED);
    expect(&s, 2, SN_CANCELLED);
    assert_int_equal(rnic_qp_reserve(qp), SN_ALREADY_CONNECTED); /* flush is final */
    close_any(&qp->obj);
    close_any(rnic_cq_obj(cq));
    close_any(&pd->obj);
    fixture_close(&f);
}

/* The peer ends while a Read of ours can not be answered any more: it fails, receives stay until
 * flush (docs/decisions). */
static void peer_fin_with_work_outstanding(void **state) /* [VRB-011] */
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct rnic_lane *l;
    struct pair p;
    struct iw_sge s;

    (void)state;
    pair_open(&p, &mpa, false);
    l = p.f.adapter->lanes[0];
    pair_await_connected(&p);
    s = sge(&p.a, 0, 16);
    assert_int_equal(rnic_qp_receive(p.a.qp, CTX(1), &s, 1), SN_OK);
    enter(l);
    plat_pipe_watch(p.b.qp->pipe, false, false); /* b is deaf: the Read stays unanswered */
    p.b.qp->is_reading = false;
    rnic_lane_leave(l);
    assert_int_equal(
        rnic_qp_read(p.a.qp, CTX(2), &s, 1, (uintptr_t)p.b.memory, p.b.stag, 0), SN_OK);
    nap_ms(5);
    enter(l);
    plat_pipe_shutdown(p.b.qp->pipe);
    rnic_lane_leave(l);
    expect(&p.a, 2, SN_CANCELLED);
    expect_nothing(&p.a);
    rnic_qp_flush(p.a.qp);
    expect(&p.a, 1, SN_CANCELLED);
    pair_close(&p);
}

/* A Read that comes when we have said goodbye can not be answered; the goodbye stays an orderly
 * one. */
static void late_read_after_our_fin(void **state)
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct rnic_lane *l;
    struct pair p;
    struct iw_sge s;

    (void)state;
    pair_open(&p, &mpa, false);
    l = p.f.adapter->lanes[0];
    pair_await_connected(&p);
    s = sge(&p.b, 0, 16);
    assert_int_equal(rnic_qp_receive(p.a.qp, CTX(1), NULL, 0), SN_OK);
    enter(l);
    assert_int_equal(
        rnic_qp_read(p.b.qp, CTX(2), &s, 1, (uintptr_t)p.a.memory, p.a.stag, 0), SN_OK);
    rnic_qp_disconnect(p.a.qp); /* the Read is posted, but the lane is ours */
    assert_true(p.a.qp->is_fin_sent);
    rnic_lane_leave(l);
    expect(&p.b, 2, SN_CANCELLED);
    expect(&p.a, 1, SN_CANCELLED);
    pair_close(&p);
}

static void reset_flushes_both_queues(void **state)
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct rnic_lane *l;
    struct pair p;
    struct iw_sge s;

    (void)state;
    pair_open(&p, &mpa, false);
    l = p.f.adapter->lanes[0];
    s = sge(&p.a, 0, 16);
    assert_int_equal(rnic_qp_receive(p.a.qp, CTX(1), &s, 1), SN_OK);
    enter(l);
    rnic_qp_abort(p.b.qp, SN_CANCELLED, true);
    rnic_lane_leave(l);
    expect(&p.a, 1, SN_CANCELLED);
    assert_int_equal(rnic_qp_send(p.a.qp, CTX(2), NULL, 0, 0, 0), SN_NOT_CONNECTED);
    pair_close(&p);
}

/* Remote protection error: the requester's Read fails, the target's receives are flushed. */
static void remote_access_error(void **state) /* [RDM-023] */
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct pair p;
    struct iw_sge s;

    (void)state;
    pair_open(&p, &mpa, false);
    s = sge(&p.b, 0, 16);
    assert_int_equal(rnic_qp_receive(p.b.qp, CTX(9), &s, 1), SN_OK);
    s = sge(&p.a, 0, 16);
    assert_int_equal(
        rnic_qp_read(p.a.qp, CTX(1), &s, 1, (uintptr_t)p.b.memory, p.b.stag ^ 1, 0), SN_OK);
    expect(&p.a, 1, SN_REMOTE_ACCESS);
    expect(&p.b, 9, SN_CANCELLED);
    pair_close(&p);
}

static void local_protection_error(void **state) /* [VRB-054] */
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct pair p;
    struct iw_sge s;

    (void)state;
    pair_open(&p, &mpa, false);
    s = sge(&p.a, 0, 16);
    s.stag ^= 1;
    assert_int_equal(rnic_qp_send(p.a.qp, CTX(1), &s, 1, RNIC_POST_DEFER, 0), SN_OK);
    assert_int_equal(rnic_qp_send(p.a.qp, CTX(2), NULL, 0, 0, 0), SN_OK);
    expect(&p.a, 1, SN_NO_ACCESS);
    expect(&p.a, 2, SN_CANCELLED);
    pair_close(&p);
}

static void overrun_ends_every_qp_of_the_cq(void **state) /* [VRB-051] */
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct rnic_lane *l;
    struct pair p;

    (void)state;
    pair_open(&p, &mpa, false);
    l = p.f.adapter->lanes[0];
    pair_await_connected(&p);
    enter(l);
    for (int i = 0; i <= 4 * PAIR_DEPTH; i++)
        rnic_cq_push(p.a.cq, l, &(struct rnic_cqe){0}, false);
    rnic_lane_leave(l);
    for (int i = 0; i < 5000 && sn_a32_load_acquire(&p.a.qp->state) != RNIC_QP_ENDED; i++)
        nap_ms(1);
    assert_int_equal(sn_a32_load_acquire(&p.a.qp->state), RNIC_QP_ENDED);
    for (int i = 0; i < 5000 && sn_a32_load_acquire(&p.b.qp->state) != RNIC_QP_ENDED; i++)
        nap_ms(1);
    assert_int_equal(sn_a32_load_acquire(&p.b.qp->state), RNIC_QP_ENDED); /* by the Terminate */
    pair_close(&p);
}

/* Set-up is over: a thousand exchanges allocate nothing. */
static void data_path_allocates_nothing(void **state)
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct pair p;
    size_t before = 0;

    (void)state;
    pair_open(&p, &mpa, false);
    pair_await_connected(&p);
    for (uintptr_t i = 0; i < 1000; i++) {
        struct iw_sge r = sge(&p.b, 0, 65536), s = sge(&p.a, 0, (uint32_t)(i * 61 % 65536));

        if (i == 10)
            before = sn_alloc_total_count();
        assert_int_equal(rnic_qp_receive(p.b.qp, CTX(i), &r, 1), SN_OK);
        assert_int_equal(rnic_qp_write(p.a.qp, CTX(i), &s, 1, (uintptr_t)p.b.memory + 100000,
                             p.b.stag, IW_WR_SILENT | RNIC_POST_DEFER),
            SN_OK);
        r = sge(&p.a, 200000, 1000);
        assert_int_equal(rnic_qp_read(p.a.qp, CTX(i), &r, 1, (uintptr_t)p.b.memory, p.b.stag,
                             IW_WR_SILENT | RNIC_POST_DEFER),
            SN_OK);
        assert_int_equal(rnic_qp_send(p.a.qp, CTX(i), &s, 1, 0, 0), SN_OK);
        expect(&p.a, i, SN_OK);
        expect(&p.b, i, SN_OK);
    }
    assert_int_equal(sn_alloc_total_count(), before);
    pair_close(&p);
}

static void deafen(struct side *s)
{
    plat_pipe_watch(s->qp->pipe, false, false);
    s->qp->is_reading = false;
}

/* Comes back inside the lane when TCP takes no more of s: a queue pair also stops to let others
 * have their turn, and then goes on as soon as somebody looks. */
static void enter_when_full(struct side *s, struct rnic_lane *l)
{
    enum { QUIET_LOOKS = 30 };

    uint64_t sent = 0;

    for (int quiet = 0;; quiet++) {
        enter(l);
        if (plat_lane_poll(l->lane) > 0 || !s->qp->is_tx_blocked ||
            sent != sn_a64_load_relaxed(&l->traffic.tx_octets))
            quiet = 0;
        sent = sn_a64_load_relaxed(&l->traffic.tx_octets);
        if (quiet == QUIET_LOOKS)
            return;
        rnic_lane_leave(l);
        nap_ms(1);
    }
}

/*
 * A closing QP whose Terminate cannot go out ends with its connection. A thread inside the lane,
 * that is not the home thread, sees that happen; the QP may not go before it has left.
 */
static void the_last_reference_goes_with_the_lane(void **state)
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct tally closed = {0};
    struct rnic_lane *l;
    struct rnic_cqe e;
    struct pair p;
    struct iw_sge s;

    (void)state;
    pair_open(&p, &mpa, false);
    l = p.f.adapter->lanes[0];
    pair_await_connected(&p);
    enter(l);
    deafen(&p.b);
    rnic_lane_leave(l);
    s = sge(&p.a, 0, PAIR_MEMORY);
    for (uintptr_t i = 0; i < PAIR_DEPTH; i++) /* more than TCP takes */
        assert_int_equal(
            rnic_qp_write(p.a.qp, CTX(i), &s, 1, (uintptr_t)p.b.memory, p.b.stag, 0), SN_OK);
    enter_when_full(&p.a, l);
    rnic_qp_terminate(p.a.qp, WIRE_LOCAL_CATASTROPHIC);
    rnic_lane_leave(l);
    rnic_qp_unreserve(p.a.qp);
    assert_int_equal(rnic_obj_close(&p.a.qp->obj, tally_done(&closed)), SN_PENDING);
    while (rnic_cq_poll(p.a.cq, &e, 1) > 0)
        ;
    enter(l);
    assert_int_equal(sn_a32_load_acquire(&closed.calls), 0);
    rnic_qp_abort(p.b.qp, SN_CANCELLED, true);
    for (int i = 0; i < 1000 && p.a.qp->pipe != NULL; i++) {
        nap_ms(1);
        plat_lane_poll(l->lane);
    }
    nap_ms(20);
    assert_int_equal(sn_a32_load_acquire(&closed.calls), 0);
    rnic_lane_leave(l);
    await_count(&closed.calls, 1);
    side_close_rest(&p.a);
    side_close(&p.b);
    pair_close_rest(&p);
}

static struct fixture *overrun_in;
static struct rnic_cq *overrun_cq;

static void overrun(const struct rnic_done *d, enum sn_status status)
{
    struct rnic_lane *l = overrun_in->adapter->lanes[0];
    const struct rnic_cqe e = {.status = SN_OK};

    enter(l);
    for (int i = 0; i < 3; i++)
        rnic_cq_push(overrun_cq, l, &e, false);
    rnic_lane_leave(l);
    tally_call(d, status);
}

/* A CQ dies while the close completion of one of its QPs runs: that QP is beyond being ended. */
static void cq_dies_during_a_close_completion(void **state)
{
    struct fixture f;
    struct rnic_pd *pd;
    struct rnic_cq *cq;
    struct rnic_qp *qp;
    struct rnic_qp_attr attr = {0};
    struct tally closed = {0};

    (void)state;
    fixture_open(&f, 1);
    assert_int_equal(rnic_pd_create(f.adapter, &pd), SN_OK);
    assert_int_equal(
        rnic_cq_create(f.adapter, 2, (struct rnic_cq_notify){.call = pair_ignore}, &cq), SN_OK);
    attr.recv_cq = attr.send_cq = cq;
    assert_int_equal(rnic_qp_create(pd, &attr, &qp), SN_OK);
    assert_int_equal(rnic_qp_reserve(qp), SN_OK); /* makes the close wait */
    overrun_in = &f;
    overrun_cq = cq;
    assert_int_equal(
        rnic_obj_close(&qp->obj, (struct rnic_done){.call = overrun, .ctx = &closed}), SN_PENDING);
    rnic_qp_unreserve(qp);
    await_count(&closed.calls, 1);
    assert_true(rnic_cq_is_dead(cq));
    close_any(rnic_cq_obj(cq));
    close_any(&pd->obj);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_send_resumes),
        cmocka_unit_test(held_send_is_given_up),
        cmocka_unit_test(flush_cancels_everything_once),
        cmocka_unit_test(flush_of_an_unconnected_qp),
        cmocka_unit_test(peer_fin_with_work_outstanding),
        cmocka_unit_test(late_read_after_our_fin),
        cmocka_unit_test(reset_flushes_both_queues),
        cmocka_unit_test(remote_access_error),
        cmocka_unit_test(local_protection_error),
        cmocka_unit_test(overrun_ends_every_qp_of_the_cq),
        cmocka_unit_test(data_path_allocates_nothing),
        cmocka_unit_test(the_last_reference_goes_with_the_lane),
        cmocka_unit_test(cq_dies_during_a_close_completion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
