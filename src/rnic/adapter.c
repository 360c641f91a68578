/* SPDX-License-Identifier: MIT */
#include "rnic/adapter.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "rnic/lane.h"
#include "rnic/pd.h"

enum {
    SOCKET_BUFFER_DEFAULT = 4 * 1024 * 1024,
    PAYLOAD_MAX_DEFAULT = 0, /* by the MSS */
};

void rnic_options_init(struct rnic_options *o)
{
    *o = (struct rnic_options){
        .mpa =
            {
                .revision = 2,
                .crc = IW_CRC_ASK,
                .rtr = IW_RTR_WRITE | IW_RTR_READ,
                .ird_max = RNIC_READ_LIMIT_MAX,
                .ord_max = RNIC_READ_LIMIT_MAX,
            },
        .payload_max = PAYLOAD_MAX_DEFAULT,
        .socket_buffer = SOCKET_BUFFER_DEFAULT,
        .connect_timeout_ms = 15000,
        .mpa_timeout_ms = 15000,
        .disconnect_timeout_ms = 5000,
        .receive_wait_ms = 10000,
        .accept_quiet_ms = 200,
    };
}

static bool options_are_valid(const struct rnic_options *o)
{
    return (o->mpa.revision == 1 || o->mpa.revision == 2) && o->mpa.crc <= IW_CRC_REQUIRE &&
           (o->mpa.rtr & ~(IW_RTR_SEND | IW_RTR_WRITE | IW_RTR_READ)) == 0 &&
           o->mpa.ird_max <= RNIC_READ_LIMIT_MAX && o->mpa.ord_max <= RNIC_READ_LIMIT_MAX &&
           o->lanes <= RNIC_LANES_MAX && o->connect_timeout_ms > 0 && o->mpa_timeout_ms > 0 &&
           o->disconnect_timeout_ms > 0 && o->receive_wait_ms > 0 && o->accept_quiet_ms > 0;
}

static void adapter_quiesce(void *ctx)
{
    struct rnic_adapter *a = ctx;
    struct plat_lane *lanes[RNIC_LANES_MAX];

    for (uint32_t i = 0; i < a->lanes_count; i++)
        lanes[i] = a->lanes[i]->lane;
    plat_lanes_quiesce(lanes, a->lanes_count, plat_lane_current());
}

static void adapter_random(void *ctx, void *out, size_t n)
{
    struct rnic_adapter *a = ctx;

    plat_random(a->plat, out, n);
}

static void adapter_free(struct rnic_adapter *a)
{
    while (a->lanes_count > 0)
        rnic_lane_destroy(a->lanes[--a->lanes_count]);
    mem_table_fini(&a->mem);
    sn_free_aligned(a);
}

static void adapter_destroy(struct rnic_obj *o)
{
    adapter_free(o->adapter);
}

static const struct rnic_obj_class adapter_class = {
    .kind = RNIC_ADAPTER,
    .destroy = adapter_destroy,
};

enum sn_status rnic_adapter_create(
    struct plat *plat, const struct rnic_options *options, struct rnic_adapter **out)
{
    struct rnic_adapter *a;
    enum sn_status s;
    uint32_t lanes = options->lanes != 0 ? options->lanes : 1;

    if (!options_are_valid(options))
        return SN_INVALID;
    a = sn_zalloc_aligned(sizeof *a);
    if (a == NULL)
        return SN_NO_MEMORY;
    a->plat = plat;
    a->options = *options;
    sn_lock_init(&a->lock, SN_RANK_ADAPTER);
    sn_list_init(&a->objects);
    rnic_locals_init(&a->locals);
    sn_a32_store_relaxed(&a->next_id, 1);
    s = mem_table_init(&a->mem, RNIC_REGIONS_MAX, adapter_quiesce, adapter_random, a);
    if (s != SN_OK) {
        sn_free_aligned(a);
        return s;
    }
    a->mem.unbound = rnic_mr_unbound;
    for (; a->lanes_count < lanes; a->lanes_count++) {
        s = rnic_lane_create(a, a->lanes_count, &a->lanes[a->lanes_count]);
        if (s != SN_OK) {
            adapter_free(a);
            return s;
        }
    }
    rnic_obj_init(&a->obj, &adapter_class, a, NULL);
    *out = a;
    return SN_OK;
}

/*
 * The thread that drops the last reference still wakes the closer, who may free everything as soon
 * as the count is zero. Both steps are made under this lock, and the closer passes through it once.
 */
static struct sn_lock rundown_lock = {.rank = SN_RANK_LEAF};

void rnic_adapter_put(struct rnic_adapter *a, enum rnic_ref why)
{
    sn_lock_take(&rundown_lock);
    if (rnic_obj_drop(&a->obj, why))
        plat_notify(a->plat);
    sn_lock_drop(&rundown_lock);
}

static bool is_run_down(void *ctx)
{
    struct rnic_adapter *a = ctx;

    return sn_a32_load_acquire(&a->obj.refs) == 0;
}

enum sn_status rnic_adapter_close(struct rnic_adapter *a)
{
    /* Not in a callback of another adapter either: two that wait for each other wait for ever. */
    if (plat_lane_current() != NULL || plat_is_in_call())
        return SN_BAD_STATE;
    if (sn_a32_exchange(&a->obj.is_closing, 1) != 0)
        return SN_BAD_STATE;
    rnic_adapter_put(a, RNIC_REF_OWNER);
    plat_wait(a->plat, is_run_down, a);
    sn_lock_take(&rundown_lock);
    sn_lock_drop(&rundown_lock);
    adapter_free(a);
    return SN_OK;
}

struct rnic_lane *rnic_adapter_pick_lane(struct rnic_adapter *a)
{
    return a->lanes[sn_a32_fetch_add(&a->next_lane, 1) % a->lanes_count];
}

enum sn_status rnic_adapter_check_local(const struct rnic_adapter *a, const struct plat_addr *addr)
{
    if (plat_addr_is_wildcard(addr))
        return a->options.allow_wildcard ? SN_OK : SN_ADDRESS_INVALID;
    return plat_addr_is_local(a->plat, a->options.if_index, addr) ? SN_OK : SN_ADDRESS_INVALID;
}

void rnic_adapter_each(struct rnic_adapter *a, enum rnic_kind kind,
    void (*visit)(void *ctx, struct rnic_obj *o), void *ctx)
{
    sn_lock_take(&a->lock);
    for (struct sn_list *n = a->objects.next; n != &a->objects; n = n->next) {
        struct rnic_obj *o = SN_CONTAINER_OF(n, struct rnic_obj, link);

        if (o->class->kind == kind)
            visit(ctx, o);
    }
    sn_lock_drop(&a->lock);
}
