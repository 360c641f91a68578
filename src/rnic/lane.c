/* SPDX-License-Identifier: MIT */
#include "rnic/lane.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "rnic/adapter.h"
#include "rnic/cq.h"

static void notify_touched(struct rnic_lane *l)
{
    struct rnic_cq *cq = l->touched;

    if (cq != NULL) {
        l->touched = NULL;
        rnic_cq_notify_if_armed(cq);
    }
}

/* Takes the whole stack; tasks run oldest first. With a task's reference its QP may go, and with
 * that the CQ that it wrote to: that one is told before. */
static void run_tasks(struct rnic_lane *l)
{
    struct rnic_task *stack, *next, *in_order = NULL;

    if (sn_aptr_load_relaxed(&l->tasks) == NULL)
        return;
    stack = sn_aptr_exchange(&l->tasks, NULL);
    for (; stack != NULL; stack = next) {
        next = stack->next;
        stack->next = in_order;
        in_order = stack;
    }
    for (; in_order != NULL; in_order = next) {
        struct rnic_task *t = in_order;
        struct rnic_obj *obj = t->obj;
        uint32_t todo;

        next = t->next; /* the task may be queued again as soon as its bits are taken */
        todo = sn_a32_exchange(&t->todo, 0);
        t->run(t, todo);
        notify_touched(l);
        rnic_obj_put(obj, RNIC_REF_LANE);
    }
}

static void lane_work(void *ctx)
{
    struct rnic_lane *l = ctx;

    run_tasks(l);
    notify_touched(l);
}

static const struct plat_lane_ops lane_ops = {.work = lane_work};

enum sn_status rnic_lane_create(struct rnic_adapter *a, uint32_t index, struct rnic_lane **out)
{
    struct rnic_lane *l = sn_zalloc_aligned(sizeof *l);
    enum sn_status s = SN_NO_MEMORY;

    if (l == NULL)
        return SN_NO_MEMORY;
    l->adapter = a;
    l->index = index;
    l->batch = iw_batch_create();
    l->rx_scratch = sn_zalloc_aligned(RNIC_RX_SCRATCH);
    if (l->batch == NULL || l->rx_scratch == NULL)
        goto fail;
    s = plat_lane_create(a->plat, &lane_ops, l, &l->lane);
    if (s != SN_OK)
        goto fail;
    *out = l;
    return SN_OK;
fail:
    sn_free_aligned(l->rx_scratch);
    iw_batch_destroy(l->batch);
    sn_free_aligned(l);
    return s;
}

void rnic_lane_destroy(struct rnic_lane *l)
{
    if (l == NULL)
        return;
    plat_lane_destroy(l->lane);
    SN_ASSERT(sn_aptr_load_acquire(&l->tasks) == NULL);
    sn_free_aligned(l->rx_scratch);
    iw_batch_destroy(l->batch);
    sn_free_aligned(l);
}

void rnic_task_init(
    struct rnic_task *t, struct rnic_obj *obj, void (*run)(struct rnic_task *t, uint32_t todo))
{
    t->obj = obj;
    t->run = run;
}

static void push_task(struct rnic_lane *l, struct rnic_task *t, uint32_t bits)
{
    SN_ASSERT(bits != 0);
    if (sn_a32_fetch_or(&t->todo, bits) == 0) {
        void *top;

        rnic_obj_get(t->obj, RNIC_REF_LANE);
        do {
            top = sn_aptr_load_acquire(&l->tasks);
            t->next = top;
        } while (!sn_aptr_cas(&l->tasks, top, t));
    }
}

void rnic_task_post(struct rnic_lane *l, struct rnic_task *t, uint32_t bits)
{
    push_task(l, t, bits);
    plat_lane_leave_work(l->lane, true);
}

void rnic_task_post_home(struct rnic_lane *l, struct rnic_task *t, uint32_t bits)
{
    push_task(l, t, bits);
    plat_lane_leave_work(l->lane, false);
}

bool rnic_lane_enter(struct rnic_lane *l)
{
    if (!plat_lane_enter(l->lane))
        return false;
    l->is_entered = true;
    return true;
}

void rnic_lane_leave(struct rnic_lane *l)
{
    run_tasks(l);
    notify_touched(l);
    l->is_entered = false; /* what comes while we leave is told by lane_work */
    plat_lane_leave(l->lane);
}
