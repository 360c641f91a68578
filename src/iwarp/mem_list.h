/* SPDX-License-Identifier: MIT */
/*
 * A list of memory pieces in the TO spaces of their STags, as SGLs name it, and where its octets
 * are now. Every look is checked anew by mem/: nothing resolved here outlives the lane.
 */
#ifndef SN_IWARP_MEM_LIST_H
#define SN_IWARP_MEM_LIST_H

#include "iwarp/wr.h"

struct iw_mem_list {
    const struct iw_sge *sge;
    uint32_t sge_count;
    uint32_t rights; /* enum mem_right */
    struct mem_who who;
};

/*
 * Up to `max` spans of the octets [off, off + len) of the list, all inside one element of it.
 * *covered is how many octets they hold: more than 0, at most len. Elements without octets are not
 * looked at. Refused: what mem_check says, MEM_BASE_BOUNDS behind the end of the list; then nothing
 * is written. len and max are not 0.
 */
SN_MUST_CHECK enum mem_result iw_mem_list_locate(const struct mem_table *t,
    const struct iw_mem_list *l, uint32_t off, uint32_t len, struct sn_span *spans, size_t max,
    size_t *count, uint32_t *covered);

#endif
