/* SPDX-License-Identifier: MIT */
/*
 * Memory windows: a part of an MR lent to one stream, with an STag and rights of its own. The
 * MR's remote rights are not asked; its local write is, for a window that is to be written.
 * [NDKPI NDK_FN_BIND]
 */
#include "mem/table.h"

/* What holds for a pair of window and MR whose state cannot change meanwhile. */
static enum sn_status check_against_mr(const struct mem_bind *b)
{
    const struct mem_region *mr = b->mr;

    if (b->base < mr->base || b->base - mr->base >= mr->len ||
        b->len > mr->len - (b->base - mr->base))
        return SN_INVALID;
    if ((b->rights & MEM_REMOTE_WRITE) != 0 && (mr->rights & MEM_LOCAL_WRITE) == 0)
        return SN_NO_ACCESS;
    return SN_OK;
}

enum sn_status mem_bind_check(const struct mem_region *w, const struct mem_bind *b)
{
    if (w->kind != MEM_KIND_WINDOW || b->mr->kind != MEM_KIND_MR)
        return SN_INVALID;
    if (b->rights == 0 || (b->rights & ~MEM_RIGHTS_REMOTE) != 0)
        return SN_INVALID;
    if (!mem_region_is_valid(b->mr))
        return SN_BAD_STATE;
    return check_against_mr(b);
}

uint32_t mem_window_next_stag(struct mem_table *t, struct mem_region *w)
{
    (void)t;
    SN_ASSERT(w->kind == MEM_KIND_WINDOW);
    return mem_with_key(sn_a32_load_relaxed(&w->stag), mem_next_key(w));
}

/* Under the lock the MR stays as it is: deregistering takes it too. */
static bool attach_to_mr(struct mem_table *t, const struct mem_bind *b)
{
    bool is_ok;

    sn_lock_take(&t->lock);
    is_ok = mem_region_is_valid(b->mr) && check_against_mr(b) == SN_OK;
    if (is_ok)
        sn_a32_fetch_add(&b->mr->windows_bound, 1);
    sn_lock_drop(&t->lock);
    return is_ok;
}

enum sn_status mem_bind(
    struct mem_table *t, struct mem_region *w, struct mem_who who, const struct mem_bind *b)
{
    if (w->kind != MEM_KIND_WINDOW || b->mr->kind != MEM_KIND_MR)
        return SN_BAD_REQUEST;
    if (w->pd != who.pd || b->mr->pd != who.pd)
        return SN_BAD_REQUEST;
    if (b->rights == 0 || (b->rights & ~MEM_RIGHTS_REMOTE) != 0)
        return SN_BAD_REQUEST;
    if (!mem_claim(w, MEM_STATE_INVALID))
        return SN_BAD_REQUEST;
    if (!attach_to_mr(t, b)) {
        mem_unclaim(w, MEM_STATE_INVALID);
        return SN_BAD_REQUEST;
    }
    SN_ASSERT(((sn_a32_load_relaxed(&w->stag) ^ b->stag) & ~MEM_KEY_MASK) == 0);
    w->parent = b->mr;
    w->host = b->mr->host + (b->base - b->mr->base);
    w->base = b->base;
    w->len = b->len;
    w->rights = b->rights;
    w->qp = who.qp;
    sn_a32_store_relaxed(&w->stag, b->stag);
    mem_unclaim(w, MEM_STATE_VALID);
    return SN_OK;
}

/* Returns the owner of the MR, which may be gone when that owner hears of it. */
static void *detach(struct mem_region *w)
{
    struct mem_region *mr = w->parent;
    void *owner = mr->owner;

    w->parent = NULL;
    w->qp = 0;
    sn_a32_fetch_sub(&mr->windows_bound, 1); /* last: the MR may be gone from here on... */
    return owner;
}

void mem_window_unbind(struct mem_table *t, struct mem_region *w)
{
    void *owner = detach(w);

    if (t->unbound != NULL)
        t->unbound(t->ctx, owner); /* ...or when its owner hears of it */
}

void *mem_window_release(struct mem_table *t, struct mem_region *w)
{
    bool is_ours = mem_claim(w, MEM_STATE_VALID);
    void *owner = NULL;

    SN_ASSERT(w->kind == MEM_KIND_WINDOW);
    /* If it is not ours because a peer is invalidating it just now, that one's end is waited for.
     */
    mem_quiesce(t);
    if (is_ours) {
        owner = detach(w);
        mem_unclaim(w, MEM_STATE_INVALID);
    }
    return owner;
}
