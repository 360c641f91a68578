/* SPDX-License-Identifier: MIT */
/* Queue pairs: creation, reservation by a connector, flush, close. */
#include "rnic/qp.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "rnic/qp_lane.h"

/* Close flushes, and cuts short what lingers of the connection. [NDKPI NDK_FN_CLOSE_OBJECT] */
static void qp_stop(struct rnic_obj *o)
{
    struct rnic_qp *qp = (struct rnic_qp *)o;

    rnic_task_post(qp->lane, &qp->task, RNIC_QP_TODO_CLOSE);
}

static void qp_fini(struct rnic_qp *qp)
{
    iw_ring_fini(&qp->sq);
    iw_ring_fini(&qp->rq);
    sn_free(qp->srq_recv);
}

static void qp_destroy(struct rnic_obj *o)
{
    struct rnic_qp *qp = (struct rnic_qp *)o;
    struct rnic_obj *const antecedents[] = {
        qp->srq != NULL ? rnic_srq_obj(qp->srq) : NULL,
        rnic_cq_obj(qp->recv_cq),
        rnic_cq_obj(qp->send_cq),
        &qp->pd->obj,
    };

    SN_ASSERT(!qp->has_stream && qp->pipe == NULL && qp->held == NULL);
    for (size_t i = 0; i < SN_ARRAY_COUNT(antecedents); i++) {
        if (antecedents[i] != NULL)
            rnic_obj_put(antecedents[i], RNIC_REF_SUCCESSOR);
    }
    qp_fini(qp);
    rnic_obj_free(o);
}

static const struct rnic_obj_class qp_class = {
    .kind = RNIC_QP,
    .stop = qp_stop,
    .destroy = qp_destroy,
};

static enum sn_status check_attr(const struct rnic_pd *pd, const struct rnic_qp_attr *attr)
{
    const struct rnic_adapter *a = pd->obj.adapter;

    if (attr->send_depth > RNIC_QUEUE_DEPTH_MAX || attr->recv_depth > RNIC_QUEUE_DEPTH_MAX ||
        attr->send_sge_max > RNIC_SGE_MAX || attr->recv_sge_max > RNIC_SGE_MAX ||
        attr->inline_max > RNIC_INLINE_MAX)
        return SN_LIMIT;
    if (rnic_cq_obj(attr->recv_cq)->adapter != a || rnic_cq_obj(attr->send_cq)->adapter != a)
        return SN_INVALID;
    if (attr->srq != NULL && rnic_srq_obj(attr->srq)->adapter != a)
        return SN_INVALID;
    return SN_OK;
}

static enum sn_status init_queues(struct rnic_qp *qp, const struct rnic_qp_attr *attr)
{
    size_t sge_octets = attr->send_sge_max * sizeof(struct iw_sge);
    size_t body = sge_octets > attr->inline_max ? sge_octets : attr->inline_max;
    enum sn_status s = iw_ring_init(&qp->sq, attr->send_depth, sizeof(struct iw_wr) + body);
    uint32_t recv_sge_max = attr->srq != NULL ? rnic_srq_sge_max(attr->srq) : attr->recv_sge_max;
    size_t recv_size = sizeof(struct iw_recv) + recv_sge_max * sizeof(struct iw_sge);

    if (s != SN_OK)
        return s;
    if (attr->srq == NULL)
        return iw_ring_init(&qp->rq, attr->recv_depth, recv_size);
    qp->srq_recv = sn_zalloc(recv_size);
    return qp->srq_recv != NULL ? SN_OK : SN_NO_MEMORY;
}

enum sn_status rnic_qp_create(
    struct rnic_pd *pd, const struct rnic_qp_attr *attr, struct rnic_qp **out)
{
    struct rnic_adapter *a = pd->obj.adapter;
    enum sn_status s = check_attr(pd, attr);
    struct rnic_qp *qp;

    if (s != SN_OK)
        return s;
    qp = sn_zalloc_aligned(sizeof *qp);
    if (qp == NULL)
        return SN_NO_MEMORY;
    s = init_queues(qp, attr);
    if (s != SN_OK) {
        qp_fini(qp);
        sn_free_aligned(qp);
        return s;
    }
    qp->pd = pd;
    qp->recv_cq = attr->recv_cq;
    qp->send_cq = attr->send_cq;
    qp->srq = attr->srq;
    qp->context = attr->context;
    qp->id = sn_a32_fetch_add(&a->next_id, 1);
    qp->send_sge_max = attr->send_sge_max;
    qp->recv_sge_max = attr->recv_sge_max;
    qp->inline_max = attr->inline_max;
    qp->lane = rnic_adapter_pick_lane(a);
    rnic_task_init(&qp->task, &qp->obj, rnic_qp_run);
    sn_list_init(&qp->srq_waiter);
    rnic_obj_get(&pd->obj, RNIC_REF_SUCCESSOR);
    rnic_obj_get(rnic_cq_obj(qp->recv_cq), RNIC_REF_SUCCESSOR);
    rnic_obj_get(rnic_cq_obj(qp->send_cq), RNIC_REF_SUCCESSOR);
    if (qp->srq != NULL)
        rnic_obj_get(rnic_srq_obj(qp->srq), RNIC_REF_SUCCESSOR);
    rnic_cq_add_lane(qp->recv_cq, qp->lane);
    rnic_cq_add_lane(qp->send_cq, qp->lane);
    rnic_obj_init(&qp->obj, &qp_class, a, qp->lane->lane);
    *out = qp;
    return SN_OK;
}

struct rnic_obj *rnic_qp_obj(struct rnic_qp *qp)
{
    return &qp->obj;
}

enum sn_status rnic_qp_reserve(struct rnic_qp *qp)
{
    if (rnic_obj_is_closing(&qp->obj))
        return SN_BAD_STATE;
    if (rnic_cq_is_dead(qp->recv_cq) || rnic_cq_is_dead(qp->send_cq))
        return SN_BAD_STATE;
    if (!sn_a32_cas(&qp->state, RNIC_QP_IDLE, RNIC_QP_CONNECTING))
        return SN_ALREADY_CONNECTED;
    rnic_obj_get(&qp->obj, RNIC_REF_SUCCESSOR);
    return SN_OK;
}

void rnic_qp_unreserve(struct rnic_qp *qp)
{
    sn_a32_cas(&qp->state, RNIC_QP_CONNECTING, RNIC_QP_IDLE);
    rnic_obj_put(&qp->obj, RNIC_REF_SUCCESSOR);
}

void rnic_qp_flush(struct rnic_qp *qp)
{
    rnic_task_post(qp->lane, &qp->task, RNIC_QP_TODO_FLUSH);
}

void rnic_qp_recv_posted(struct rnic_qp *qp)
{
    rnic_task_post(qp->lane, &qp->task, RNIC_QP_TODO_RECV);
}

void rnic_qp_on_cq_dead(void *cq, struct rnic_obj *o)
{
    struct rnic_qp *qp = (struct rnic_qp *)o;

    if (qp->recv_cq != cq && qp->send_cq != cq)
        return;
    /* It may be listed still while its close completes: then there is nothing left to end. */
    if (!rnic_obj_get_unless_zero(o, RNIC_REF_LANE))
        return;
    rnic_task_post_home(qp->lane, &qp->task, RNIC_QP_TODO_CQ_DEAD);
    rnic_obj_put(o, RNIC_REF_LANE);
}
