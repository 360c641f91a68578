/* SPDX-License-Identifier: MIT */
/* The check of every access, where its octets are, and what a refusal is called on the wire. */
#include "mem/table.h"

/* Regions are aligned to a line: a check touches one. */
_Static_assert(offsetof(struct mem_region, is_paged) < SN_CACHE_LINE, "hot fields share a line");

enum mem_result mem_check(const struct mem_table *t, struct mem_who who, uint32_t stag, uint64_t to,
    uint64_t len, uint32_t rights, const struct mem_region **out)
{
    const struct mem_region *r = mem_lookup(t, stag);

    if (SN_UNLIKELY(!mem_is_current(r, stag)))
        return MEM_STAG_INVALID;
    /* A window belongs to a stream, everything else to the domain alone. [DDP-034] */
    if (SN_UNLIKELY(r->pd != who.pd || (r->qp != 0 && r->qp != who.qp)))
        return MEM_STAG_STREAM;
    if (SN_UNLIKELY((rights & ~r->rights) != 0))
        return MEM_NO_RIGHT;
    if (SN_UNLIKELY(!mem_range_fits(to, len)))
        return MEM_TO_WRAP;
    if (SN_UNLIKELY(to < r->base || len > r->len || to - r->base > r->len - len))
        return MEM_BASE_BOUNDS;
    *out = r;
    return MEM_OK;
}

size_t mem_spans_paged(const struct mem_region *r, uint64_t to, uint64_t len, struct sn_span *spans,
    size_t max, uint64_t *covered)
{
    uint64_t offset = to - r->base + r->fbo;
    uint64_t page = offset / MEM_PAGE_SIZE;
    uint64_t in_page = offset % MEM_PAGE_SIZE;
    uint64_t done = 0;
    size_t count = 0;

    while (done < len) {
        uint64_t n = MEM_PAGE_SIZE - in_page;
        uintptr_t p = (uintptr_t)(r->pages[page] + in_page);

        if (n > len - done)
            n = len - done;
        if (count > 0 && (uintptr_t)spans[count - 1].p + spans[count - 1].n == p) {
            spans[count - 1].n += (size_t)n;
        } else if (count < max) {
            spans[count].p = (uint8_t *)p;
            spans[count].n = (size_t)n;
            count++;
        } else {
            break;
        }
        done += n;
        page++;
        in_page = 0;
    }
    *covered = done;
    return count;
}

/* name, Terminate of a refused Write or Read Response, of a Read Request or invalidate */
#define RESULT_LIST(X)                                                                             \
    X(OK, OK, OK)                                                                                  \
    X(STAG_INVALID, DDP_STAG_INVALID, RDMAP_STAG_INVALID)                                          \
    X(STAG_STREAM, DDP_STAG_STREAM, RDMAP_STAG_STREAM)                                             \
    X(NO_RIGHT, DDP_STAG_INVALID, RDMAP_ACCESS)                                                    \
    X(TO_WRAP, DDP_TO_WRAP, RDMAP_TO_WRAP)                                                         \
    X(BASE_BOUNDS, DDP_BASE_BOUNDS, RDMAP_BASE_BOUNDS)                                             \
    X(CANNOT_INVALIDATE, DDP_STAG_INVALID, RDMAP_CANNOT_INVALIDATE)

static const struct {
    const char *name;
    enum wire_err ddp, rdmap;
} results[] = {
#define X(name, ddp, rdmap) [MEM_##name] = {#name, WIRE_##ddp, WIRE_##rdmap},
    RESULT_LIST(X)
#undef X
};
_Static_assert(SN_ARRAY_COUNT(results) == MEM_CANNOT_INVALIDATE + 1, "every result has its codes");

const char *mem_result_name(enum mem_result r)
{
    return (size_t)r < SN_ARRAY_COUNT(results) ? results[r].name : "?";
}

enum wire_err mem_result_to_ddp(enum mem_result r)
{
    SN_ASSERT((size_t)r < SN_ARRAY_COUNT(results));
    return results[r].ddp;
}

enum wire_err mem_result_to_rdmap(enum mem_result r)
{
    SN_ASSERT((size_t)r < SN_ARRAY_COUNT(results));
    return results[r].rdmap;
}
