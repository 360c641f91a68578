/* SPDX-License-Identifier: MIT */
#include "rnic/srq.h"

#include <string.h>

#include "base/alloc.h"
#include "base/lock.h"
#include "rnic/qp_lane.h"

struct rnic_srq {
    struct rnic_obj obj;
    struct rnic_pd *pd;
    uint32_t sge_max;
    struct sn_lock lock; /* rank SN_RANK_SRQ: all below */
    struct iw_ring ring;
    uint32_t threshold; /* 0: not armed */
    bool is_calling, is_call_due;
    struct sn_list waiters; /* QPs that are held */
    struct rnic_srq_notify notify;
    struct plat_call call;
};

static uint32_t fill(const struct rnic_srq *srq)
{
    return sn_a32_load_relaxed(&srq->ring.tail) - sn_a32_load_relaxed(&srq->ring.head);
}

static void run_notify(struct plat_call *call)
{
    struct rnic_srq *srq = SN_CONTAINER_OF(call, struct rnic_srq, call);
    bool again;

    srq->notify.call(&srq->notify, SN_OK);
    sn_lock_take(&srq->lock);
    again = srq->is_call_due;
    srq->is_call_due = false;
    srq->is_calling = again;
    sn_lock_drop(&srq->lock);
    if (again)
        plat_lane_call(srq->obj.home, &srq->call);
    else
        rnic_obj_put(&srq->obj, RNIC_REF_CALLBACK);
}

/* One notification per arming. True: the caller queues srq->call when it has dropped the lock. */
static bool look_locked(struct rnic_srq *srq)
{
    if (srq->threshold == 0 || fill(srq) >= srq->threshold)
        return false;
    srq->threshold = 0;
    if (srq->notify.fn == NULL)
        return false;
    if (srq->is_calling) {
        srq->is_call_due = true;
        return false;
    }
    srq->is_calling = true;
    rnic_obj_get(&srq->obj, RNIC_REF_CALLBACK);
    return true;
}

static void srq_destroy(struct rnic_obj *o)
{
    struct rnic_srq *srq = (struct rnic_srq *)o;

    /* Receives that are left belong to no QP and complete nowhere. [NDKPI NDK_FN_CREATE_SRQ] */
    iw_ring_fini(&srq->ring);
    rnic_obj_put(&srq->pd->obj, RNIC_REF_SUCCESSOR);
    rnic_obj_free(o);
}

static const struct rnic_obj_class srq_class = {.kind = RNIC_SRQ, .destroy = srq_destroy};

static size_t slot_size(uint32_t sge_max)
{
    return sizeof(struct iw_recv) + sge_max * sizeof(struct iw_sge);
}

enum sn_status rnic_srq_create(struct rnic_pd *pd, uint32_t depth, uint32_t sge_max,
    uint32_t threshold, struct rnic_srq_notify notify, struct rnic_srq **out)
{
    struct rnic_adapter *a = pd->obj.adapter;
    struct rnic_srq *srq;
    enum sn_status s;

    if (depth == 0 || depth > RNIC_QUEUE_DEPTH_MAX || sge_max > RNIC_SGE_MAX)
        return SN_LIMIT;
    srq = sn_zalloc_aligned(sizeof *srq);
    if (srq == NULL)
        return SN_NO_MEMORY;
    s = iw_ring_init(&srq->ring, depth, slot_size(sge_max));
    if (s != SN_OK) {
        sn_free_aligned(srq);
        return s;
    }
    srq->pd = pd;
    srq->sge_max = sge_max;
    srq->threshold = threshold;
    srq->notify = notify;
    srq->call.run = run_notify;
    sn_lock_init(&srq->lock, SN_RANK_SRQ);
    sn_list_init(&srq->waiters);
    rnic_obj_get(&pd->obj, RNIC_REF_SUCCESSOR);
    rnic_obj_init(&srq->obj, &srq_class, a, rnic_adapter_pick_lane(a)->lane);
    *out = srq;
    return SN_OK;
}

struct rnic_obj *rnic_srq_obj(struct rnic_srq *srq)
{
    return &srq->obj;
}

uint32_t rnic_srq_sge_max(const struct rnic_srq *srq)
{
    return srq->sge_max;
}

/* A ring of the new depth with the old one's entries. */
static enum sn_status resize_locked(struct rnic_srq *srq, struct iw_ring *fresh)
{
    uint32_t head = sn_a32_load_relaxed(&srq->ring.head);
    struct iw_ring old = srq->ring;

    if (fill(srq) > fresh->depth)
        return SN_MSG_TOO_LONG;
    for (uint32_t n = fill(srq); n > 0; n--, head++) {
        memcpy(iw_ring_reserve(fresh), iw_ring_slot(&srq->ring, head), srq->ring.stride);
        iw_ring_push(fresh);
    }
    srq->ring = *fresh;
    *fresh = old;
    return SN_OK;
}

enum sn_status rnic_srq_modify(struct rnic_srq *srq, uint32_t depth, uint32_t threshold)
{
    struct iw_ring ring;
    enum sn_status s = SN_OK;
    bool fire = false;

    if (depth > RNIC_QUEUE_DEPTH_MAX)
        return SN_LIMIT;
    if (depth != 0) {
        s = iw_ring_init(&ring, depth, slot_size(srq->sge_max));
        if (s != SN_OK)
            return s;
    }
    sn_lock_take(&srq->lock);
    if (depth != 0)
        s = resize_locked(srq, &ring);
    if (s == SN_OK && threshold != 0) {
        srq->threshold = threshold;
        fire = look_locked(srq);
    }
    sn_lock_drop(&srq->lock);
    if (depth != 0)
        iw_ring_fini(&ring); /* the old slots, or the unused new ones */
    if (fire)
        plat_lane_call(srq->obj.home, &srq->call);
    return s;
}

/* The QP that has waited longest is to look again; with a reference, so that it is called when the
 * lock is dropped. NULL: nobody waits. */
static struct rnic_qp *pop_waiter_locked(struct rnic_srq *srq)
{
    struct sn_list *node = sn_list_pop_front(&srq->waiters);
    struct rnic_qp *qp;

    if (node == NULL)
        return NULL;
    qp = SN_CONTAINER_OF(node, struct rnic_qp, srq_waiter);
    rnic_obj_get(&qp->obj, RNIC_REF_LANE);
    return qp;
}

static void call_waiter(struct rnic_qp *qp)
{
    if (qp == NULL)
        return;
    rnic_qp_recv_posted(qp);
    rnic_obj_put(&qp->obj, RNIC_REF_LANE);
}

enum sn_status rnic_srq_receive(
    struct rnic_srq *srq, void *context, const struct iw_sge *sgl, uint32_t count)
{
    struct iw_recv *r;
    struct rnic_qp *waiter;
    uint64_t len = 0;

    if (rnic_obj_is_closing(&srq->obj))
        return SN_BAD_STATE;
    if (count > srq->sge_max)
        return SN_LIMIT;
    for (uint32_t i = 0; i < count; i++)
        len += sgl[i].len;
    if (len > RNIC_TRANSFER_MAX)
        return SN_LIMIT;
    sn_lock_take(&srq->lock);
    r = iw_ring_reserve(&srq->ring);
    if (r == NULL) {
        sn_lock_drop(&srq->lock);
        return SN_QUEUE_FULL;
    }
    r->context = context;
    r->pd = srq->pd->id;
    r->len = (uint32_t)len;
    r->sge_count = (uint16_t)count;
    if (count > 0)
        memcpy(iw_recv_sge(r), sgl, count * sizeof *sgl);
    iw_ring_push(&srq->ring);
    waiter = pop_waiter_locked(srq);
    sn_lock_drop(&srq->lock);
    call_waiter(waiter);
    return SN_OK;
}

bool rnic_srq_take(struct rnic_srq *srq, struct iw_recv *into)
{
    uint32_t head;
    bool fire = false, has_one = false;

    sn_lock_take(&srq->lock);
    head = sn_a32_load_relaxed(&srq->ring.head);
    if (iw_ring_has(&srq->ring, head)) {
        const struct iw_recv *r = iw_ring_slot(&srq->ring, head);

        memcpy(into, r, sizeof *r + r->sge_count * sizeof(struct iw_sge));
        sn_a32_store_release(&srq->ring.head, head + 1);
        has_one = true;
        fire = look_locked(srq);
    }
    sn_lock_drop(&srq->lock);
    if (fire)
        plat_lane_call(srq->obj.home, &srq->call);
    return has_one;
}

void rnic_srq_wait(struct rnic_srq *srq, struct rnic_qp *qp)
{
    bool is_late;

    sn_lock_take(&srq->lock);
    is_late = fill(srq) > 0;
    if (!is_late && sn_list_is_empty(&qp->srq_waiter))
        sn_list_push_back(&srq->waiters, &qp->srq_waiter);
    sn_lock_drop(&srq->lock);
    if (is_late)
        rnic_qp_recv_posted(qp);
}

void rnic_srq_unwait(struct rnic_srq *srq, struct rnic_qp *qp)
{
    struct rnic_qp *next = NULL;

    sn_lock_take(&srq->lock);
    sn_list_remove(&qp->srq_waiter);
    /* It may have been called for a receive, which is another's now. */
    if (fill(srq) > 0)
        next = pop_waiter_locked(srq);
    sn_lock_drop(&srq->lock);
    call_waiter(next);
}
