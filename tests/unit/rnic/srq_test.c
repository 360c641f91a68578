/* SPDX-License-Identifier: MIT */
/* Shared receive queues: pool order, threshold notification, resize, use by several QPs. */
#include "unit/rnic/pair.h"

#define CTX(n) ((void *)(uintptr_t)(n))

struct watcher {
    struct sn_a32 calls, last_status;
};

static void on_low(const struct rnic_srq_notify *n, enum sn_status status)
{
    struct watcher *w = n->ctx;

    sn_a32_store_release(&w->last_status, (uint32_t)status);
    sn_a32_fetch_add(&w->calls, 1);
}

static void some_fn(void)
{
}

struct srq_fixture {
    struct fixture f;
    struct rnic_pd *pd;
    struct rnic_srq *srq;
    struct watcher w;
};

static void open_srq(struct srq_fixture *s, uint32_t depth, uint32_t threshold)
{
    memset(s, 0, sizeof *s);
    fixture_open(&s->f, 1);
    assert_int_equal(rnic_pd_create(s->f.adapter, &s->pd), SN_OK);
    assert_int_equal(
        rnic_srq_create(s->pd, depth, 2, threshold,
            (struct rnic_srq_notify){.call = on_low, .fn = some_fn, .ctx = &s->w}, &s->srq),
        SN_OK);
}

static void close_srq(struct srq_fixture *s)
{
    close_any(rnic_srq_obj(s->srq));
    close_any(&s->pd->obj);
    fixture_close(&s->f);
}

static void post(struct srq_fixture *s, uintptr_t first, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(rnic_srq_receive(s->srq, CTX(first + i), NULL, 0), SN_OK);
}

static void take(struct srq_fixture *s, uintptr_t first, uint32_t n)
{
    struct {
        struct iw_recv r;
        struct iw_sge sge[2];
    } got;

    for (uint32_t i = 0; i < n; i++) {
        assert_true(rnic_srq_take(s->srq, &got.r));
        assert_ptr_equal(got.r.context, CTX(first + i));
    }
}

static void limits(void **state)
{
    struct srq_fixture s;
    struct rnic_srq *other;
    struct iw_sge three[3] = {{0}};
    const struct rnic_srq_notify none = {0};

    (void)state;
    open_srq(&s, 3, 0);
    assert_int_equal(rnic_srq_create(s.pd, 0, 1, 0, none, &other), SN_LIMIT);
    assert_int_equal(rnic_srq_create(s.pd, RNIC_QUEUE_DEPTH_MAX + 1, 1, 0, none, &other), SN_LIMIT);
    assert_int_equal(rnic_srq_create(s.pd, 1, RNIC_SGE_MAX + 1, 0, none, &other), SN_LIMIT);
    assert_int_equal(rnic_srq_receive(s.srq, NULL, three, 3), SN_LIMIT);
    post(&s, 1, 3);
    assert_int_equal(rnic_srq_receive(s.srq, NULL, NULL, 0), SN_QUEUE_FULL);
    assert_int_equal(rnic_srq_modify(s.srq, 2, 0), SN_MSG_TOO_LONG);
    assert_int_equal(rnic_srq_modify(s.srq, RNIC_QUEUE_DEPTH_MAX + 1, 0), SN_LIMIT);
    assert_int_equal(rnic_srq_modify(s.srq, 5, 0), SN_OK);
    post(&s, 4, 2);
    assert_int_equal(rnic_srq_receive(s.srq, NULL, NULL, 0), SN_QUEUE_FULL);
    take(&s, 1, 5);
    close_srq(&s);
}

static void threshold_fires_once_per_arming(void **state) /* [VRB-052] */
{
    struct srq_fixture s;

    (void)state;
    open_srq(&s, 10, 0);
    post(&s, 1, 10);
    assert_int_equal(rnic_srq_modify(s.srq, 0, 4), SN_OK);
    take(&s, 1, 6); /* four are left: not below */
    nap_ms(5);
    assert_int_equal(sn_a32_load_acquire(&s.w.calls), 0);
    take(&s, 7, 1);
    await_count(&s.w.calls, 1);
    take(&s, 8, 3);
    nap_ms(5);
    assert_int_equal(sn_a32_load_acquire(&s.w.calls), 1);
    assert_int_equal(rnic_srq_modify(s.srq, 0, 1), SN_OK); /* already below: fires at once */
    await_count(&s.w.calls, 2);
    assert_int_equal(sn_a32_load_acquire(&s.w.last_status), SN_OK);
    nap_ms(5);
    close_srq(&s);
}

static void armed_at_creation(void **state)
{
    struct srq_fixture s;

    (void)state;
    open_srq(&s, 10, 2);
    post(&s, 1, 3);
    take(&s, 1, 1);
    nap_ms(5);
    assert_int_equal(sn_a32_load_acquire(&s.w.calls), 0);
    take(&s, 2, 1);
    await_count(&s.w.calls, 1);
    nap_ms(5);
    close_srq(&s);
}

/* A failing QP gives back nothing of the pool and takes nothing more. */
static void a_qp_error_leaves_the_pool_alone(void **state) /* [VRB-052] */
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct {
        struct iw_recv r;
        struct iw_sge sge[4];
    } left;
    struct iw_sge s;
    struct pair p;

    (void)state;
    pair_open(&p, &mpa, true);
    for (uintptr_t i = 0; i < 3; i++) {
        s = sge(&p.b, 0, 8);
        assert_int_equal(rnic_srq_receive(p.b.srq, CTX(i + 1), &s, 1), SN_OK);
    }
    s = sge(&p.a, 0, 8);
    assert_int_equal(rnic_qp_send(p.a.qp, CTX(9), &s, 1, 0, 0), SN_OK);
    expect(&p.b, 1, SN_OK);
    assert_int_equal(rnic_qp_receive(p.b.qp, CTX(1), NULL, 0), SN_BAD_STATE);
    rnic_qp_flush(p.b.qp);
    expect_nothing(&p.b);
    assert_true(rnic_srq_take(p.b.srq, &left.r));
    assert_ptr_equal(left.r.context, CTX(2));
    pair_close(&p);
}

/* A held QP is called for a receive, and another one takes it first: the QP waits on, and gets the
 * next. */
static void who_finds_nothing_waits_on(void **state)
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct rnic_lane *l;
    struct {
        struct iw_recv r;
        struct iw_sge sge[4];
    } other;
    struct iw_sge s;
    struct pair p;

    (void)state;
    pair_open(&p, &mpa, true);
    l = p.f.adapter->lanes[0];
    pair_await_connected(&p);
    s = sge(&p.a, 0, 8);
    assert_int_equal(rnic_qp_send(p.a.qp, CTX(9), &s, 1, 0, 0), SN_OK);
    for (int i = 0; i < 10000; i++) {
        bool is_held;

        enter(l);
        is_held = iw_rx_is_held(&p.b.qp->stream);
        rnic_lane_leave(l);
        if (is_held)
            break;
        nap_ms(1);
    }
    enter(l); /* so that the QP comes to it only when we are out */
    s = sge(&p.b, 0, 8);
    assert_int_equal(rnic_srq_receive(p.b.srq, CTX(1), &s, 1), SN_OK);
    assert_true(rnic_srq_take(p.b.srq, &other.r));
    rnic_lane_leave(l);
    expect_nothing(&p.b);
    assert_int_equal(rnic_srq_receive(p.b.srq, CTX(2), &s, 1), SN_OK);
    expect(&p.b, 2, SN_OK);
    pair_close(&p);
}

/* As much of a QP as waiting needs. */
static struct rnic_qp *a_qp_that_waits(struct srq_fixture *s, struct rnic_cq **cq)
{
    struct rnic_qp_attr attr = {.srq = s->srq, .send_depth = 1, .send_sge_max = 1};
    struct rnic_qp *qp;

    assert_int_equal(
        rnic_cq_create(s->f.adapter, 4, (struct rnic_cq_notify){.call = pair_ignore}, cq), SN_OK);
    attr.recv_cq = attr.send_cq = *cq;
    assert_int_equal(rnic_qp_create(s->pd, &attr, &qp), SN_OK);
    rnic_srq_wait(s->srq, qp);
    return qp;
}

/* The QP that was called for a receive ends before it comes to it: the next one is called, not left
 * to wait with a receive at hand. */
static void who_ends_passes_the_call_on(void **state)
{
    struct srq_fixture s;
    struct rnic_qp *qp[3];
    struct rnic_cq *cq[3];

    (void)state;
    open_srq(&s, 4, 0);
    for (int i = 0; i < 3; i++)
        qp[i] = a_qp_that_waits(&s, &cq[i]);
    post(&s, 1, 1);
    assert_true(sn_list_is_empty(&qp[0]->srq_waiter)); /* called */
    assert_false(sn_list_is_empty(&qp[1]->srq_waiter));
    rnic_srq_unwait(s.srq, qp[0]);
    assert_true(sn_list_is_empty(&qp[1]->srq_waiter));
    assert_false(sn_list_is_empty(&qp[2]->srq_waiter)); /* one receive, one call */
    take(&s, 1, 1);
    rnic_srq_unwait(s.srq, qp[1]);
    assert_false(sn_list_is_empty(&qp[2]->srq_waiter)); /* nothing is there */
    rnic_srq_unwait(s.srq, qp[2]);
    for (int i = 0; i < 3; i++) {
        close_any(rnic_qp_obj(qp[i]));
        close_any(rnic_cq_obj(cq[i]));
    }
    close_srq(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits),
        cmocka_unit_test(threshold_fires_once_per_arming),
        cmocka_unit_test(armed_at_creation),
        cmocka_unit_test(a_qp_error_leaves_the_pool_alone),
        cmocka_unit_test(who_finds_nothing_waits_on),
        cmocka_unit_test(who_ends_passes_the_call_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
