/* SPDX-License-Identifier: MIT */
#include "rnic/pd.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "rnic/lane.h"

/* PDs, MRs and MWs do no work in lanes; their close completions run on any home thread. */
static struct plat_lane *any_home(struct rnic_adapter *a)
{
    return rnic_adapter_pick_lane(a)->lane;
}

/* Nothing is bound to it or uses it any more when an object is destroyed, so this cannot fail. */
static void destroy_region(struct rnic_adapter *a, struct mem_region *region)
{
    enum sn_status s = mem_region_destroy(&a->mem, region);

    SN_ASSERT(s == SN_OK);
}

/* ---- protection domains ---- */

static void pd_destroy(struct rnic_obj *o)
{
    struct rnic_pd *pd = (struct rnic_pd *)o;

    destroy_region(o->adapter, pd->privileged);
    rnic_obj_free(o);
}

static const struct rnic_obj_class pd_class = {.kind = RNIC_PD, .destroy = pd_destroy};

enum sn_status rnic_pd_create(struct rnic_adapter *a, struct rnic_pd **out)
{
    struct rnic_pd *pd = sn_zalloc_aligned(sizeof *pd);
    enum sn_status s;

    if (pd == NULL)
        return SN_NO_MEMORY;
    pd->id = sn_a32_fetch_add(&a->next_id, 1);
    s = mem_region_create(&a->mem, MEM_KIND_PRIVILEGED, pd->id, &pd->privileged);
    if (s != SN_OK) {
        sn_free_aligned(pd);
        return s;
    }
    rnic_obj_init(&pd->obj, &pd_class, a, any_home(a));
    *out = pd;
    return SN_OK;
}

uint32_t rnic_pd_privileged_stag(const struct rnic_pd *pd)
{
    return mem_region_stag(pd->privileged);
}

/* ---- memory regions ---- */

static void free_stages(struct rnic_mr *mr)
{
    for (int i = 0; i < RNIC_FAST_STAGES; i++) {
        sn_free(mr->stage[i]);
        mr->stage[i] = NULL;
    }
}

/* Access ends when the close begins, not when the last window or request is gone. */
static void mr_stop(struct rnic_obj *o)
{
    mem_region_revoke(&o->adapter->mem, ((struct rnic_mr *)o)->region);
}

/* A fast-registration that was queued then may have made it valid since. */
static void mr_gone(struct rnic_obj *o)
{
    if (((struct rnic_mr *)o)->is_fast)
        mr_stop(o);
}

static void mr_destroy(struct rnic_obj *o)
{
    struct rnic_mr *mr = (struct rnic_mr *)o;
    struct rnic_pd *pd = mr->pd;

    destroy_region(o->adapter, mr->region);
    free_stages(mr);
    rnic_obj_put(&pd->obj, RNIC_REF_SUCCESSOR);
    rnic_obj_free(o);
}

static const struct rnic_obj_class mr_class = {
    .kind = RNIC_MR,
    .stop = mr_stop,
    .gone = mr_gone,
    .destroy = mr_destroy,
};

enum sn_status rnic_mr_create(struct rnic_pd *pd, bool is_fast, struct rnic_mr **out)
{
    struct rnic_adapter *a = pd->obj.adapter;
    struct rnic_mr *mr = sn_zalloc_aligned(sizeof *mr);
    enum sn_status s;

    if (mr == NULL)
        return SN_NO_MEMORY;
    s = mem_region_create(&a->mem, is_fast ? MEM_KIND_FAST_MR : MEM_KIND_MR, pd->id, &mr->region);
    if (s != SN_OK) {
        sn_free_aligned(mr);
        return s;
    }
    mr->pd = pd;
    mr->is_fast = is_fast;
    mr->region->owner = mr;
    rnic_obj_get(&pd->obj, RNIC_REF_SUCCESSOR);
    rnic_obj_init(&mr->obj, &mr_class, a, any_home(a));
    *out = mr;
    return SN_OK;
}

enum sn_status rnic_mr_register(
    struct rnic_mr *mr, uint8_t *host, uint64_t base, uint64_t len, uint32_t rights)
{
    if (mr->is_fast)
        return SN_BAD_STATE;
    return mem_register(&mr->obj.adapter->mem, mr->region, host, base, len, rights);
}

enum sn_status rnic_mr_deregister(struct rnic_mr *mr)
{
    if (mr->is_fast)
        return SN_BAD_STATE;
    return mem_deregister(&mr->obj.adapter->mem, mr->region);
}

enum sn_status rnic_mr_fast_init(struct rnic_mr *mr, uint32_t pages_max, bool may_be_remote)
{
    uint64_t *stage[RNIC_FAST_STAGES];
    enum sn_status s;

    if (!mr->is_fast)
        return SN_BAD_STATE;
    for (int i = 0; i < RNIC_FAST_STAGES; i++) {
        if (sn_a32_load_acquire(&mr->stage_taken[i]) != 0)
            return SN_BUSY;
        stage[i] = NULL;
    }
    if (pages_max > MEM_FAST_REG_PAGES_MAX || pages_max == 0)
        return SN_LIMIT;
    for (int i = 0; i < RNIC_FAST_STAGES; i++)
        stage[i] = sn_zalloc_array(pages_max, sizeof(uint64_t));
    s = stage[0] != NULL && stage[1] != NULL
            ? mem_fast_init(&mr->obj.adapter->mem, mr->region, pages_max, may_be_remote)
            : SN_NO_MEMORY;
    for (int i = 0; i < RNIC_FAST_STAGES; i++) {
        if (s == SN_OK) {
            sn_free(mr->stage[i]);
            mr->stage[i] = stage[i];
        } else {
            sn_free(stage[i]);
        }
    }
    return s;
}

void rnic_mr_lend(struct rnic_mr *mr)
{
    rnic_obj_get(&mr->obj, RNIC_REF_SUCCESSOR);
}

void rnic_mr_unbound(void *ctx, void *mr_owner)
{
    struct rnic_mr *mr = mr_owner;

    (void)ctx;
    rnic_obj_put(&mr->obj, RNIC_REF_SUCCESSOR);
}

void rnic_mr_unlend(struct mem_region *mr_region)
{
    rnic_mr_unbound(NULL, mr_region->owner);
}

uint32_t rnic_mr_stag(const struct rnic_mr *mr)
{
    return mem_region_stag(mr->region);
}

/* ---- memory windows ---- */

static void mw_destroy(struct rnic_obj *o)
{
    struct rnic_mw *mw = (struct rnic_mw *)o;
    struct rnic_pd *pd = mw->pd;

    destroy_region(o->adapter, mw->region);
    if (mw->was_bound_to != NULL)
        rnic_mr_unbound(NULL, mw->was_bound_to);
    rnic_obj_put(&pd->obj, RNIC_REF_SUCCESSOR);
    rnic_obj_free(o);
}

/* As for regions; the queued request is a bind. */
static void mw_stop(struct rnic_obj *o)
{
    mem_region_revoke(&o->adapter->mem, ((struct rnic_mw *)o)->region);
}

/* Whoever is told that the close has completed may deregister the MR. The MR's own close must not
 * complete before this one has: it is let go when the window is destroyed. */
static void mw_gone(struct rnic_obj *o)
{
    struct rnic_mw *mw = (struct rnic_mw *)o;

    mw->was_bound_to = mem_window_release(&o->adapter->mem, mw->region);
}

static const struct rnic_obj_class mw_class = {
    .kind = RNIC_MW,
    .stop = mw_stop,
    .gone = mw_gone,
    .destroy = mw_destroy,
};

enum sn_status rnic_mw_create(struct rnic_pd *pd, struct rnic_mw **out)
{
    struct rnic_adapter *a = pd->obj.adapter;
    struct rnic_mw *mw = sn_zalloc_aligned(sizeof *mw);
    enum sn_status s;

    if (mw == NULL)
        return SN_NO_MEMORY;
    s = mem_region_create(&a->mem, MEM_KIND_WINDOW, pd->id, &mw->region);
    if (s != SN_OK) {
        sn_free_aligned(mw);
        return s;
    }
    mw->pd = pd;
    mw->region->owner = mw;
    rnic_obj_get(&pd->obj, RNIC_REF_SUCCESSOR);
    rnic_obj_init(&mw->obj, &mw_class, a, any_home(a));
    *out = mw;
    return SN_OK;
}

uint32_t rnic_mw_stag(const struct rnic_mw *mw)
{
    return sn_a32_load_acquire(&mw->stag);
}
