/* SPDX-License-Identifier: MIT */
/*
 * Invalidation of fast-registered regions and windows, by a local request or by the peer's Send
 * with Invalidate. All of it happens inside a lane, so what a check saw stays true until the claim:
 * who else would change the region has to wait for this lane.
 */
#include "mem/table.h"

static bool is_of_stream(const struct mem_region *r, struct mem_who who)
{
    return r->pd == who.pd && (r->qp == 0 || r->qp == who.qp);
}

static bool can_be_invalidated(const struct mem_region *r)
{
    return r->kind == MEM_KIND_FAST_MR || r->kind == MEM_KIND_WINDOW;
}

/* False if another thread came first. */
static bool revoke(struct mem_table *t, struct mem_region *r)
{
    if (!mem_claim(r, MEM_STATE_VALID))
        return false;
    mem_quiesce(t);
    if (r->kind == MEM_KIND_WINDOW)
        mem_window_unbind(t, r);
    mem_unclaim(r, MEM_STATE_INVALID);
    return true;
}

enum sn_status mem_invalidate_local(struct mem_table *t, struct mem_region *r, struct mem_who who)
{
    if (!can_be_invalidated(r) || !mem_region_is_valid(r) || !is_of_stream(r, who))
        return SN_BAD_REQUEST;
    return revoke(t, r) ? SN_OK : SN_BAD_REQUEST;
}

enum sn_status mem_invalidate_stag(struct mem_table *t, uint32_t stag, struct mem_who who)
{
    struct mem_region *r = mem_lookup(t, stag);

    if (!mem_is_current(r, stag))
        return SN_BAD_REQUEST;
    return mem_invalidate_local(t, r, who);
}

enum mem_result mem_invalidate_remote(struct mem_table *t, uint32_t stag, struct mem_who who)
{
    struct mem_region *r = mem_lookup(t, stag);

    if (!mem_is_current(r, stag))
        return MEM_STAG_INVALID;
    if (!is_of_stream(r, who))
        return MEM_STAG_STREAM;
    if (!can_be_invalidated(r))
        return MEM_CANNOT_INVALIDATE;
    /* Who was given no access may not take it away either. [VRB-032] */
    if ((r->rights & MEM_RIGHTS_REMOTE) == 0)
        return MEM_NO_RIGHT;
    return revoke(t, r) ? MEM_OK : MEM_STAG_INVALID;
}
