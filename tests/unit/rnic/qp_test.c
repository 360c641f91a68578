/* SPDX-License-Identifier: MIT */
/* Queue pairs as objects: limits, reservation, close order. */
#include "unit/rnic/pair.h"

struct qp_fixture {
    struct fixture f;
    struct rnic_pd *pd;
    struct rnic_cq *cq;
    struct sn_a32 is_closed;
};

static void open_qp(struct qp_fixture *q)
{
    fixture_open(&q->f, 1);
    assert_int_equal(rnic_pd_create(q->f.adapter, &q->pd), SN_OK);
    assert_int_equal(
        rnic_cq_create(q->f.adapter, 8, (struct rnic_cq_notify){.call = pair_ignore}, &q->cq),
        SN_OK);
}

static void close_qp(struct qp_fixture *q)
{
    close_any(rnic_cq_obj(q->cq));
    close_any(&q->pd->obj);
    fixture_close(&q->f);
}

/* Every limit at its edge and one beyond. */
static void limits(void **state)
{
    static const struct {
        struct rnic_qp_attr attr;
        enum sn_status status;
    } rows[] = {
        {{0}, SN_OK}, /* depth 0 is legal: every post is refused */
        {{.recv_depth = RNIC_QUEUE_DEPTH_MAX}, SN_OK},
        {{.recv_depth = RNIC_QUEUE_DEPTH_MAX + 1}, SN_LIMIT},
        {{.send_depth = RNIC_QUEUE_DEPTH_MAX}, SN_OK},
        {{.send_depth = RNIC_QUEUE_DEPTH_MAX + 1}, SN_LIMIT},
        {{.recv_sge_max = RNIC_SGE_MAX}, SN_OK},
        {{.recv_sge_max = RNIC_SGE_MAX + 1}, SN_LIMIT},
        {{.send_sge_max = RNIC_SGE_MAX}, SN_OK},
        {{.send_sge_max = RNIC_SGE_MAX + 1}, SN_LIMIT},
        {{.inline_max = RNIC_INLINE_MAX}, SN_OK},
        {{.inline_max = RNIC_INLINE_MAX + 1}, SN_LIMIT},
    };
    struct qp_fixture q;

    (void)state;
    open_qp(&q);
    for (size_t i = 0; i < SN_ARRAY_COUNT(rows); i++) {
        struct rnic_qp_attr attr = rows[i].attr;
        struct rnic_qp *qp;

        attr.recv_cq = attr.send_cq = q.cq;
        assert_int_equal(rnic_qp_create(q.pd, &attr, &qp), rows[i].status);
        if (rows[i].status == SN_OK) {
            if (attr.recv_depth == 0)
                assert_int_equal(rnic_qp_receive(qp, NULL, NULL, 0), SN_QUEUE_FULL);
            close_any(&qp->obj);
        }
    }
    close_qp(&q);
}

static void objects_of_another_adapter_are_refused(void **state)
{
    struct qp_fixture q, other;
    struct rnic_qp_attr attr = {0};
    struct rnic_qp *qp;

    (void)state;
    open_qp(&q);
    open_qp(&other);
    attr.recv_cq = q.cq;
    attr.send_cq = other.cq;
    assert_int_equal(rnic_qp_create(q.pd, &attr, &qp), SN_INVALID);
    close_qp(&other);
    close_qp(&q);
}

static void reservation(void **state)
{
    struct qp_fixture q;
    struct rnic_qp_attr attr = {0};
    struct rnic_qp *qp;
    struct tally closed = {0};

    (void)state;
    open_qp(&q);
    attr.recv_cq = attr.send_cq = q.cq;
    assert_int_equal(rnic_qp_create(q.pd, &attr, &qp), SN_OK);
    assert_int_equal(rnic_qp_reserve(qp), SN_OK);
    assert_int_equal(rnic_qp_reserve(qp), SN_ALREADY_CONNECTED);
    rnic_qp_unreserve(qp); /* a failed connect does not damage the QP */
    assert_int_equal(rnic_qp_reserve(qp), SN_OK);
    assert_int_equal(rnic_obj_close(&qp->obj, tally_done(&closed)), SN_PENDING);
    nap_ms(10);
    assert_int_equal(sn_a32_load_acquire(&closed.calls), 0); /* the connector is its successor */
    rnic_qp_unreserve(qp);
    await_count(&closed.calls, 1);
    nap_ms(5);
    close_qp(&q);
}

static void antecedents_wait_for_the_qp(void **state)
{
    struct qp_fixture q;
    struct rnic_qp_attr attr = {0};
    struct rnic_qp *qp;
    struct tally cq = {0}, pd = {0};

    (void)state;
    open_qp(&q);
    attr.recv_cq = attr.send_cq = q.cq;
    assert_int_equal(rnic_qp_create(q.pd, &attr, &qp), SN_OK);
    assert_int_equal(rnic_obj_close(rnic_cq_obj(q.cq), tally_done(&cq)), SN_PENDING);
    assert_int_equal(rnic_obj_close(&q.pd->obj, tally_done(&pd)), SN_PENDING);
    nap_ms(5);
    assert_int_equal(sn_a32_load_acquire(&cq.calls) + sn_a32_load_acquire(&pd.calls), 0);
    close_any(&qp->obj);
    await_count(&cq.calls, 1);
    await_count(&pd.calls, 1);
    fixture_close(&q.f);
}

static void cq_dies_meanwhile(const struct rnic_done *d, enum sn_status status)
{
    struct qp_fixture *q = d->ctx;

    assert_int_equal(status, SN_OK);
    rnic_adapter_each(q->f.adapter, RNIC_QP, rnic_qp_on_cq_dead, q->cq);
    sn_a32_store_release(&q->is_closed, 1);
}

/* While its close completes a QP is still listed, without a reference left: a CQ that dies just
 * then must leave it alone. */
static void cq_dies_while_the_close_completes(void **state)
{
    struct qp_fixture q = {0};
    const struct rnic_done done = {.call = cq_dies_meanwhile, .ctx = &q};
    struct rnic_qp_attr attr = {0};
    struct rnic_qp *qp;

    (void)state;
    open_qp(&q);
    attr.recv_cq = attr.send_cq = q.cq;
    assert_int_equal(rnic_qp_create(q.pd, &attr, &qp), SN_OK);
    rnic_obj_get(&qp->obj, RNIC_REF_LANE);
    assert_int_equal(rnic_obj_close(&qp->obj, done), SN_PENDING);
    rnic_obj_put(&qp->obj, RNIC_REF_LANE);
    await_count(&q.is_closed, 1);
    close_qp(&q);
}

/* A QP that cannot report what becomes of its requests does not take any: neither one that was made
 * before its CQ died, connecting or not, nor one made after. */
static void dead_cq_keeps_its_qps_from_connecting(void **state) /* [VRB-051] */
{
    struct qp_fixture q = {0};
    struct rnic_qp_attr attr = {.recv_depth = 1};
    struct rnic_qp *qp[3];
    struct rnic_lane *l;

    (void)state;
    open_qp(&q);
    l = q.f.adapter->lanes[0];
    attr.recv_cq = attr.send_cq = q.cq;
    assert_int_equal(rnic_qp_create(q.pd, &attr, &qp[0]), SN_OK);
    assert_int_equal(rnic_qp_create(q.pd, &attr, &qp[1]), SN_OK);
    assert_int_equal(rnic_qp_reserve(qp[0]), SN_OK);
    enter(l);
    for (int i = 0; i <= 8; i++)
        rnic_cq_push(q.cq, l, &(struct rnic_cqe){0}, false);
    rnic_lane_leave(l);
    assert_true(rnic_cq_is_dead(q.cq));
    for (int i = 0; i < 5000 && sn_a32_load_acquire(&qp[0]->state) != RNIC_QP_ENDED; i++)
        nap_ms(1);
    assert_int_equal(sn_a32_load_acquire(&qp[0]->state), RNIC_QP_ENDED); /* no attach succeeds */
    assert_int_equal(rnic_qp_create(q.pd, &attr, &qp[2]), SN_OK);
    assert_int_equal(rnic_qp_reserve(qp[1]), SN_BAD_STATE);
    assert_int_equal(rnic_qp_reserve(qp[2]), SN_BAD_STATE);
    rnic_qp_unreserve(qp[0]);
    for (int i = 0; i < 3; i++)
        close_any(&qp[i]->obj);
    close_qp(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits),
        cmocka_unit_test(objects_of_another_adapter_are_refused),
        cmocka_unit_test(reservation),
        cmocka_unit_test(antecedents_wait_for_the_qp),
        cmocka_unit_test(cq_dies_while_the_close_completes),
        cmocka_unit_test(dead_cq_keeps_its_qps_from_connecting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
