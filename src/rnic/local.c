/* SPDX-License-Identifier: MIT */
#include "rnic/local.h"

#include "base/assert.h"
#include "rnic/adapter.h"

void rnic_locals_init(struct rnic_locals *l)
{
    for (int i = 0; i < RNIC_LOCAL_BUCKETS; i++)
        sn_list_init(&l->bucket[i]);
}

static bool covers(const struct plat_addr *a, const struct plat_addr *b)
{
    if (a->family != b->family || a->port != b->port)
        return false;
    return plat_addr_equal(a, b) || plat_addr_is_wildcard(a) || plat_addr_is_wildcard(b);
}

static bool is_taken(const struct sn_list *bucket, const struct plat_addr *addr)
{
    for (struct sn_list *n = bucket->next; n != bucket; n = n->next) {
        if (covers(&SN_CONTAINER_OF(n, struct rnic_local, link)->addr, addr))
            return true;
    }
    return false;
}

enum sn_status rnic_local_claim(
    struct rnic_adapter *a, struct rnic_local *local, const struct plat_addr *addr)
{
    struct sn_list *bucket = &a->locals.bucket[addr->port % RNIC_LOCAL_BUCKETS];
    enum sn_status s = SN_ADDRESS_IN_USE;

    SN_ASSERT(addr->port != 0);
    SN_ASSERT(!local->is_claimed);
    sn_lock_take(&a->lock);
    if (!is_taken(bucket, addr)) {
        local->addr = *addr;
        local->is_claimed = true;
        sn_list_push_back(bucket, &local->link);
        s = SN_OK;
    }
    sn_lock_drop(&a->lock);
    return s;
}

void rnic_local_release(struct rnic_adapter *a, struct rnic_local *local)
{
    sn_lock_take(&a->lock);
    if (local->is_claimed) {
        local->is_claimed = false;
        sn_list_remove(&local->link);
    }
    sn_lock_drop(&a->lock);
}
