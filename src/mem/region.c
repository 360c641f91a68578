/* SPDX-License-Identifier: MIT */
/* Life of regions: created invalid, registered and deregistered (MR), given room (FAST_MR), gone.
 */
#include "mem/table.h"

#include "base/alloc.h"

enum sn_status mem_region_create(
    struct mem_table *t, enum mem_kind kind, uint32_t pd, struct mem_region **out)
{
    struct mem_region *r = sn_zalloc_aligned(sizeof(*r));
    enum sn_status status;

    if (r == NULL)
        return SN_NO_MEMORY;
    r->kind = kind;
    r->pd = pd;
    if (kind == MEM_KIND_PRIVILEGED) {
        /* All addresses, by their own value. Local rights only: a peer that guesses the token gets
         * nothing. [NDKPI NDK_FN_GET_PRIVILEGED_MEMORY_REGION_TOKEN] */
        r->len = UINT64_MAX;
        r->rights = MEM_LOCAL_READ | MEM_LOCAL_WRITE;
        sn_a32_store_relaxed(&r->state, MEM_STATE_VALID);
    }
    status = mem_table_insert(t, r);
    if (status != SN_OK) {
        sn_free_aligned(r);
        return status;
    }
    *out = r;
    return SN_OK;
}

/* Claims r from whatever state it is in and takes it out of the table. SN_BUSY with windows bound;
 * SN_PENDING while another thread is changing it. */
static enum sn_status begin_destroy(
    struct mem_table *t, struct mem_region *r, bool *was_valid, struct mem_garbage *garbage)
{
    enum sn_status status = SN_OK;

    sn_lock_take(&t->lock);
    *was_valid = false;
    if (sn_a32_load_acquire(&r->windows_bound) != 0)
        status = SN_BUSY;
    else if (mem_claim(r, MEM_STATE_VALID))
        *was_valid = true;
    else if (!mem_claim(r, MEM_STATE_INVALID))
        status = SN_PENDING;
    if (status == SN_OK)
        *garbage = mem_table_remove(t, r);
    sn_lock_drop(&t->lock);
    return status;
}

enum sn_status mem_region_destroy(struct mem_table *t, struct mem_region *r)
{
    struct mem_garbage garbage = {NULL, NULL};
    bool was_valid;
    enum sn_status status = begin_destroy(t, r, &was_valid, &garbage);

    /* A peer's invalidation is on its way: it waits for the lanes, and ours may be one of them. */
    while (status == SN_PENDING) {
        mem_quiesce(t);
        sn_cpu_relax();
        status = begin_destroy(t, r, &was_valid, &garbage);
    }
    if (status != SN_OK)
        return status;
    mem_quiesce(t);
    if (was_valid && r->kind == MEM_KIND_WINDOW)
        mem_window_unbind(t, r);
    mem_garbage_free(garbage);
    sn_free(r->pages);
    sn_free_aligned(r);
    return SN_OK;
}

void mem_region_revoke(struct mem_table *t, struct mem_region *r)
{
    bool is_ours = mem_claim(r, MEM_STATE_VALID);

    /* If it is not ours because a peer is invalidating it just now, that one's waiting is ours. */
    mem_quiesce(t);
    if (is_ours) {
        r->rights = 0;
        mem_unclaim(r, MEM_STATE_VALID);
    }
}

enum sn_status mem_register(struct mem_table *t, struct mem_region *r, uint8_t *host, uint64_t base,
    uint64_t len, uint32_t rights)
{
    (void)t;
    if (r->kind != MEM_KIND_MR || host == NULL || len == 0 || (rights & ~MEM_RIGHTS_ALL) != 0)
        return SN_INVALID;
    if (!mem_range_fits(base, len) || !mem_range_fits((uintptr_t)host, len))
        return SN_INVALID;
    if (!mem_claim(r, MEM_STATE_INVALID))
        return SN_BAD_STATE;
    r->host = host;
    r->base = base;
    r->len = len;
    r->rights = mem_rights_of_region(rights);
    sn_a32_store_relaxed(&r->stag, mem_with_key(sn_a32_load_relaxed(&r->stag), mem_next_key(r)));
    mem_unclaim(r, MEM_STATE_VALID);
    return SN_OK;
}

enum sn_status mem_deregister(struct mem_table *t, struct mem_region *r)
{
    enum sn_status status = SN_OK;

    if (r->kind != MEM_KIND_MR)
        return SN_INVALID;
    /* Under the lock, so that no window is bound between the look and the claim. */
    sn_lock_take(&t->lock);
    if (sn_a32_load_acquire(&r->windows_bound) != 0)
        status = SN_BUSY;
    else if (!mem_claim(r, MEM_STATE_VALID))
        status = SN_BAD_STATE;
    sn_lock_drop(&t->lock);
    if (status != SN_OK)
        return status;
    mem_quiesce(t);
    mem_unclaim(r, MEM_STATE_INVALID);
    return SN_OK;
}

enum sn_status mem_fast_init(
    struct mem_table *t, struct mem_region *r, uint32_t pages_max, bool may_be_remote)
{
    uint64_t *pages;

    (void)t;
    if (r->kind != MEM_KIND_FAST_MR)
        return SN_INVALID;
    if (pages_max == 0 || pages_max > MEM_FAST_REG_PAGES_MAX)
        return SN_LIMIT;
    pages = sn_zalloc_array(pages_max, sizeof(*pages));
    if (pages == NULL)
        return SN_NO_MEMORY;
    if (!mem_claim(r, MEM_STATE_INVALID)) {
        sn_free(pages);
        return SN_BAD_STATE;
    }
    sn_free(r->pages);
    r->pages = pages;
    r->pages_max = pages_max;
    r->pages_count = 0;
    r->is_paged = false;
    r->may_be_remote = may_be_remote;
    mem_unclaim(r, MEM_STATE_INVALID);
    return SN_OK;
}
