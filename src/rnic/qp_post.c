/* SPDX-License-Identifier: MIT */
/*
 * Posting: the consumer's thread writes a slot and, unless it defers, does the sending itself if
 * the lane is free. No lock, no allocation (but for a third fast-registration of one region that
 * waits behind two others). The initiator functions are serialised by contract, so are the
 * receives; flush and close may run at the same time, which is why the lane looks at both rings
 * once more whenever it flushes.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "rnic/qp_lane.h"

_Static_assert(sizeof(struct iw_sge) == 16, "an SGL is copied as it is");

static void start(struct rnic_qp *qp)
{
    struct rnic_lane *l = qp->lane;

    qp->has_deferred = false;
    if (rnic_lane_enter(l)) {
        rnic_qp_service(qp);
        rnic_lane_leave(l);
    } else {
        rnic_task_post(l, &qp->task, RNIC_QP_TODO_TX);
    }
}

void rnic_qp_kick(struct rnic_qp *qp)
{
    if (qp->has_deferred)
        start(qp);
}

/* Whatever was deferred before a refused request is started. [NDKPI deferred-processing] */
static enum sn_status refuse(struct rnic_qp *qp, enum sn_status why)
{
    rnic_qp_kick(qp);
    return why;
}

static bool is_connected(const struct rnic_qp *qp)
{
    return sn_a32_load_acquire(&qp->state) == RNIC_QP_CONNECTED;
}

static uint64_t sgl_len(const struct iw_sge *sgl, uint32_t count)
{
    uint64_t len = 0;

    for (uint32_t i = 0; i < count; i++)
        len += sgl[i].len;
    return len;
}

/* A free slot with its common part filled, or why not. */
static enum sn_status begin(
    struct rnic_qp *qp, enum iw_op op, void *context, uint32_t flags, struct iw_wr **out)
{
    struct iw_wr *wr;

    if (SN_UNLIKELY(!is_connected(qp)))
        return SN_NOT_CONNECTED;
    wr = iw_ring_reserve(&qp->sq);
    if (SN_UNLIKELY(wr == NULL))
        return SN_QUEUE_FULL;
    wr->context = context;
    wr->op = (uint8_t)op;
    wr->flags = (uint8_t)(flags & ~(uint32_t)RNIC_POST_DEFER);
    wr->sge_count = 0;
    wr->len = 0;
    wr->remote_to = 0;
    wr->remote_stag = 0;
    wr->is_done = 0;
    wr->status = SN_OK;
    *out = wr;
    return SN_OK;
}

static enum sn_status end(struct rnic_qp *qp, uint32_t flags)
{
    iw_ring_push(&qp->sq);
    if (flags & RNIC_POST_DEFER)
        qp->has_deferred = true;
    else
        start(qp);
    return SN_OK;
}

/* Inline data is in our own address space and is read now: the consumer may reuse it at once. */
static void copy_inline(struct iw_wr *wr, const struct iw_sge *sgl, uint32_t count)
{
    uint8_t *at = iw_wr_inline(wr);

    for (uint32_t i = 0; i < count; i++) {
        if (sgl[i].len > 0)
            memcpy(at, (const void *)(uintptr_t)sgl[i].addr, sgl[i].len);
        at += sgl[i].len;
    }
}

static enum sn_status post_data(struct rnic_qp *qp, enum iw_op op, void *context,
    const struct iw_sge *sgl, uint32_t count, uint64_t remote_to, uint32_t remote_stag,
    uint32_t flags)
{
    uint64_t len;
    struct iw_wr *wr;
    enum sn_status s;

    if (SN_UNLIKELY(count > qp->send_sge_max && !(flags & IW_WR_INLINE)))
        return refuse(qp, is_connected(qp) ? SN_LIMIT : SN_NOT_CONNECTED);
    s = begin(qp, op, context, flags, &wr);
    if (SN_UNLIKELY(s != SN_OK))
        return refuse(qp, s);
    len = sgl_len(sgl, count);
    if (SN_UNLIKELY(len > ((flags & IW_WR_INLINE) ? qp->inline_max : RNIC_TRANSFER_MAX)))
        return refuse(qp, SN_LIMIT);
    wr->len = (uint32_t)len;
    wr->remote_to = remote_to;
    wr->remote_stag = remote_stag;
    if (flags & IW_WR_INLINE) {
        copy_inline(wr, sgl, count);
    } else {
        struct iw_sge *to = iw_wr_sge(wr);

        wr->sge_count = (uint16_t)count;
        for (uint32_t i = 0; i < count; i++)
            to[i] = sgl[i];
    }
    return end(qp, flags);
}

enum sn_status rnic_qp_send(struct rnic_qp *qp, void *context, const struct iw_sge *sgl,
    uint32_t count, uint32_t flags, uint32_t invalidate_stag)
{
    return post_data(qp, IW_OP_SEND, context, sgl, count, 0, invalidate_stag, flags);
}

enum sn_status rnic_qp_write(struct rnic_qp *qp, void *context, const struct iw_sge *sgl,
    uint32_t count, uint64_t remote_to, uint32_t remote_stag, uint32_t flags)
{
    return post_data(qp, IW_OP_WRITE, context, sgl, count, remote_to, remote_stag, flags);
}

enum sn_status rnic_qp_read(struct rnic_qp *qp, void *context, const struct iw_sge *sgl,
    uint32_t count, uint64_t remote_to, uint32_t remote_stag, uint32_t flags)
{
    if (SN_UNLIKELY(!is_connected(qp)))
        return refuse(qp, SN_NOT_CONNECTED);
    if (SN_UNLIKELY(sn_a32_load_relaxed(&qp->ord) == 0 || (flags & IW_WR_INLINE) != 0))
        return refuse(qp, SN_INVALID);
    return post_data(qp, IW_OP_READ, context, sgl, count, remote_to, remote_stag, flags);
}

/* ---- fast-register, bind, invalidate ---- */

/*
 * The consumer may close a region or window while a request that names it is still queued: until
 * that one is executed or flushed, the object stays.
 */
static void hold_object(struct rnic_obj *obj)
{
    rnic_obj_get(obj, RNIC_REF_REQUEST);
}

static void release_object(struct iw_wr *wr)
{
    rnic_obj_put(wr->local.any.region->owner, RNIC_REF_REQUEST);
}

static void release_stage(struct iw_wr *wr)
{
    struct sn_a32 *taken = wr->local.fast.release_ctx;

    sn_a32_store_release(taken, 0);
    release_object(wr);
}

static void release_heap(struct iw_wr *wr)
{
    sn_free(wr->local.fast.release_ctx);
    release_object(wr);
}

/* The page list is the consumer's only during the call, so it waits in the region's own memory. */
static bool stage_pages(struct rnic_mr *mr, struct iw_wr *wr, const struct mem_fast_reg *args)
{
    uint64_t *to = NULL;

    for (int i = 0; i < RNIC_FAST_STAGES && to == NULL; i++) {
        if (sn_a32_cas(&mr->stage_taken[i], 0, 1)) {
            to = mr->stage[i];
            wr->local.fast.release = release_stage;
            wr->local.fast.release_ctx = &mr->stage_taken[i];
        }
    }
    if (to == NULL) {
        to = sn_zalloc_array(args->pages_count, sizeof *to);
        if (to == NULL)
            return false;
        wr->local.fast.release = release_heap;
        wr->local.fast.release_ctx = to;
    }
    memcpy(to, args->pages, args->pages_count * sizeof *to);
    wr->local.fast.args = *args;
    wr->local.fast.args.pages = to;
    return true;
}

enum sn_status rnic_qp_fast_register(struct rnic_qp *qp, void *context, struct rnic_mr *mr,
    const struct mem_fast_reg *args, uint32_t flags)
{
    struct iw_wr *wr;
    enum sn_status s;

    s = is_connected(qp) ? mem_fast_check(mr->region, args) : SN_NOT_CONNECTED;
    if (s == SN_OK)
        s = begin(qp, IW_OP_FAST_REGISTER, context, flags, &wr);
    if (s == SN_OK && !stage_pages(mr, wr, args))
        s = SN_NO_MEMORY;
    if (s != SN_OK)
        return refuse(qp, s);
    wr->local.fast.region = mr->region;
    hold_object(&mr->obj);
    return end(qp, flags);
}

enum sn_status rnic_qp_bind(struct rnic_qp *qp, void *context, struct rnic_mr *mr,
    struct rnic_mw *mw, uint64_t base, uint64_t len, uint32_t rights, uint32_t flags)
{
    struct mem_bind args = {.mr = mr->region, .base = base, .len = len, .rights = rights};
    struct iw_wr *wr;
    enum sn_status s;

    s = is_connected(qp) ? mem_bind_check(mw->region, &args) : SN_NOT_CONNECTED;
    if (s == SN_OK)
        s = begin(qp, IW_OP_BIND, context, flags, &wr);
    if (s != SN_OK)
        return refuse(qp, s);
    args.stag = mem_window_next_stag(&qp->obj.adapter->mem, mw->region);
    sn_a32_store_release(&mw->stag, args.stag);
    wr->local.bind.release = release_object;
    wr->local.bind.window = mw->region;
    wr->local.bind.args = args;
    hold_object(&mw->obj);
    rnic_mr_lend(mr);
    return end(qp, flags);
}

enum sn_status rnic_qp_invalidate(
    struct rnic_qp *qp, void *context, struct rnic_obj *obj, uint32_t flags)
{
    struct mem_region *region = NULL;
    struct iw_wr *wr;
    enum sn_status s;

    if (obj->class->kind == RNIC_MR)
        region = ((struct rnic_mr *)obj)->region;
    else if (obj->class->kind == RNIC_MW)
        region = ((struct rnic_mw *)obj)->region;
    if (!is_connected(qp))
        return refuse(qp, SN_NOT_CONNECTED);
    if (region == NULL)
        return refuse(qp, SN_INVALID);
    s = begin(qp, IW_OP_INVALIDATE, context, flags, &wr);
    if (s != SN_OK)
        return refuse(qp, s);
    wr->local.invalidate.release = release_object;
    wr->local.invalidate.region = region;
    hold_object(obj);
    return end(qp, flags);
}

/* ---- receives ---- */

enum sn_status rnic_qp_receive(
    struct rnic_qp *qp, void *context, const struct iw_sge *sgl, uint32_t count)
{
    uint64_t len = sgl_len(sgl, count);
    struct iw_recv *r;

    if (qp->srq != NULL)
        return SN_BAD_STATE;
    if (count > qp->recv_sge_max || len > RNIC_TRANSFER_MAX)
        return SN_LIMIT;
    r = iw_ring_reserve(&qp->rq);
    if (r == NULL)
        return SN_QUEUE_FULL;
    r->context = context;
    r->pd = qp->pd->id;
    r->len = (uint32_t)len;
    r->sge_count = (uint16_t)count;
    for (uint32_t i = 0; i < count; i++)
        iw_recv_sge(r)[i] = sgl[i];
    iw_ring_push(&qp->rq);
    /* Pairs with the fence after the lane set wants_recv or ENDED: one of us sees the other. */
    sn_fence_full();
    if (SN_UNLIKELY(sn_a32_load_relaxed(&qp->wants_recv) != 0))
        rnic_qp_recv_posted(qp);
    return SN_OK;
}
