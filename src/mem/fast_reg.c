/* SPDX-License-Identifier: MIT */
/*
 * Fast registration: a work request maps a page list onto a FAST_MR. [NDKPI NDK_FN_FAST_REGISTER]
 * Checked when posted, executed in the lane before any later request. [VRB-027]
 */
#include "mem/table.h"

/* Everything but the pages, which were looked at when the request was posted. */
static enum sn_status check_numbers(const struct mem_region *r, const struct mem_fast_reg *f)
{
    if (r->kind != MEM_KIND_FAST_MR)
        return SN_INVALID;
    if (r->pages_max == 0)
        return SN_BAD_STATE;
    if (f->pages_count == 0 || f->pages_count > r->pages_max || f->fbo >= MEM_PAGE_SIZE)
        return SN_INVALID;
    if (f->len == 0 || f->len > (uint64_t)f->pages_count * MEM_PAGE_SIZE - f->fbo)
        return SN_INVALID;
    if (f->base % MEM_PAGE_SIZE != f->fbo || !mem_range_fits(f->base, f->len))
        return SN_INVALID;
    if ((f->rights & ~MEM_RIGHTS_ALL) != 0)
        return SN_INVALID;
    if ((f->rights & MEM_RIGHTS_REMOTE) != 0 && !r->may_be_remote)
        return SN_NO_ACCESS;
    return SN_OK;
}

enum sn_status mem_fast_check(const struct mem_region *r, const struct mem_fast_reg *f)
{
    enum sn_status status = check_numbers(r, f);

    if (status != SN_OK)
        return status;
    if (f->pages == NULL)
        return SN_INVALID;
    for (uint32_t i = 0; i < f->pages_count; i++) {
        if (f->pages[i] == 0 || f->pages[i] % MEM_PAGE_SIZE != 0)
            return SN_INVALID;
    }
    return SN_OK;
}

/* Copies the pages. True if they are one contiguous range, as they are when the consumer built them
 * from one virtual range: then an access needs no page list. */
static bool copy_pages(struct mem_region *r, const struct mem_fast_reg *f)
{
    bool is_contiguous = true;

    for (uint32_t i = 0; i < f->pages_count; i++) {
        r->pages[i] = f->pages[i];
        is_contiguous &= f->pages[i] - f->pages[0] == (uint64_t)i * MEM_PAGE_SIZE;
    }
    return is_contiguous;
}

enum sn_status mem_fast_register(
    struct mem_table *t, struct mem_region *r, struct mem_who who, const struct mem_fast_reg *f)
{
    (void)t;
    if (r->pd != who.pd || !mem_claim(r, MEM_STATE_INVALID))
        return SN_BAD_REQUEST;
    /* Again, now that nobody can change the room for pages. */
    if (check_numbers(r, f) != SN_OK) {
        mem_unclaim(r, MEM_STATE_INVALID);
        return SN_BAD_REQUEST;
    }
    r->is_paged = !copy_pages(r, f);
    r->host = (uint8_t *)((uintptr_t)r->pages[0] + f->fbo);
    r->pages_count = f->pages_count;
    r->fbo = f->fbo;
    r->base = f->base;
    r->len = f->len;
    r->rights = mem_rights_of_region(f->rights);
    mem_unclaim(r, MEM_STATE_VALID);
    return SN_OK;
}
