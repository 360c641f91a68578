/* SPDX-License-Identifier: MIT */
#include "iwarp/mem_list.h"

enum mem_result iw_mem_list_locate(const struct mem_table *t, const struct iw_mem_list *l,
    uint32_t off, uint32_t len, struct sn_span *spans, size_t max, size_t *count, uint32_t *covered)
{
    const struct iw_sge *sge = l->sge, *end = l->sge + l->sge_count;
    const struct mem_region *region;
    enum mem_result result;
    uint64_t found;

    while (sge < end && off >= sge->len) {
        off -= sge->len;
        sge++;
    }
    if (sge == end)
        return MEM_BASE_BOUNDS;
    if (len > sge->len - off)
        len = sge->len - off;
    if (off > UINT64_MAX - sge->addr)
        return MEM_TO_WRAP;
    result = mem_check(t, l->who, sge->stag, sge->addr + off, len, l->rights, &region);
    if (result != MEM_OK)
        return result;
    *count = mem_spans(region, sge->addr + off, len, spans, max, &found);
    *covered = (uint32_t)found;
    return MEM_OK;
}
