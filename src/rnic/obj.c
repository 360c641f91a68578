/* SPDX-License-Identifier: MIT */
#include "rnic/obj.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/lock.h"
#include "rnic/adapter.h"

const char *rnic_kind_name(enum rnic_kind k)
{
    static const char *const names[RNIC_KIND_COUNT] = {
        [RNIC_ADAPTER] = "adapter",
        [RNIC_PD] = "PD",
        [RNIC_CQ] = "CQ",
        [RNIC_MR] = "MR",
        [RNIC_MW] = "MW",
        [RNIC_SRQ] = "SRQ",
        [RNIC_QP] = "QP",
        [RNIC_ENDPOINT] = "shared endpoint",
        [RNIC_CONNECTOR] = "connector",
        [RNIC_LISTENER] = "listener",
    };

    return (unsigned)k < RNIC_KIND_COUNT ? names[k] : "?";
}

/* The close completion: the object's last callback. What it stood on may go only afterwards. */
static void run_close_done(struct plat_call *call)
{
    struct rnic_obj *o = SN_CONTAINER_OF(call, struct rnic_obj, close_call);

    if (o->class->gone != NULL)
        o->class->gone(o);
    if (o->close_done.call != NULL)
        o->close_done.call(&o->close_done, SN_OK);
    o->class->destroy(o);
}

void rnic_obj_init(struct rnic_obj *o, const struct rnic_obj_class *class,
    struct rnic_adapter *adapter, struct plat_lane *home)
{
    o->class = class;
    o->adapter = adapter;
    o->home = home;
    o->close_call.run = run_close_done;
    sn_a32_store_relaxed(&o->refs, 1);
    sn_a32_store_relaxed(&o->ref_reasons[RNIC_REF_OWNER], 1);
    sn_list_init(&o->link);
    if (class->kind != RNIC_ADAPTER) {
        rnic_obj_get(&adapter->obj, RNIC_REF_SUCCESSOR);
        sn_lock_take(&adapter->lock);
        sn_list_push_back(&adapter->objects, &o->link);
        sn_lock_drop(&adapter->lock);
    }
}

void rnic_obj_get(struct rnic_obj *o, enum rnic_ref why)
{
    uint32_t before = sn_a32_fetch_add(&o->refs, 1);

    SN_ASSERT(before > 0);
    sn_a32_fetch_add(&o->ref_reasons[why], 1);
}

bool rnic_obj_get_unless_zero(struct rnic_obj *o, enum rnic_ref why)
{
    uint32_t refs = sn_a32_load_acquire(&o->refs);

    while (refs != 0) {
        if (sn_a32_cas(&o->refs, refs, refs + 1)) {
            sn_a32_fetch_add(&o->ref_reasons[why], 1);
            return true;
        }
        refs = sn_a32_load_acquire(&o->refs);
    }
    return false;
}

bool rnic_obj_drop(struct rnic_obj *o, enum rnic_ref why)
{
    uint32_t had = sn_a32_fetch_sub(&o->ref_reasons[why], 1);

    SN_ASSERT(had > 0);
    if (sn_a32_fetch_sub(&o->refs, 1) != 1)
        return false;
    for (int i = 0; i < RNIC_REF_COUNT; i++)
        SN_ASSERT(sn_a32_load_acquire(&o->ref_reasons[i]) == 0);
    return true;
}

void rnic_obj_put(struct rnic_obj *o, enum rnic_ref why)
{
    if (o->class->kind == RNIC_ADAPTER) {
        rnic_adapter_put(o->adapter, why);
        return;
    }
    if (!rnic_obj_drop(o, why))
        return;
    SN_ASSERT(rnic_obj_is_closing(o));
    plat_lane_call(o->home, &o->close_call);
}

enum sn_status rnic_obj_close(struct rnic_obj *o, struct rnic_done done)
{
    if (sn_a32_exchange(&o->is_closing, 1) != 0)
        return SN_BAD_STATE;
    o->close_done = done;
    if (o->class->stop != NULL)
        o->class->stop(o);
    if (!rnic_obj_drop(o, RNIC_REF_OWNER))
        return SN_PENDING;
    if (o->class->gone != NULL)
        o->class->gone(o);
    o->class->destroy(o);
    return SN_OK;
}

void rnic_obj_free(struct rnic_obj *o)
{
    struct rnic_adapter *a = o->adapter;

    sn_lock_take(&a->lock);
    sn_list_remove(&o->link);
    sn_lock_drop(&a->lock);
    if (a->keep == NULL || !a->keep(a, o))
        sn_free_aligned(o);
    rnic_obj_put(&a->obj, RNIC_REF_SUCCESSOR);
}
