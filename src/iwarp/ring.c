/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/assert.h"
#include "iwarp/wr.h"

enum {
    DEPTH_MAX = 1 << 24,
    STRIDE_UNIT = 16,
};

enum sn_status iw_ring_init(struct iw_ring *r, uint32_t depth, size_t slot_size)
{
    size_t stride = (slot_size + STRIDE_UNIT - 1) / STRIDE_UNIT * STRIDE_UNIT;
    uint32_t slots = 1;
    uint8_t *memory;

    /* Slot sizes are ours: computed from limits of the adapter. */
    SN_ASSERT(slot_size > 0 && slot_size <= UINT32_MAX - STRIDE_UNIT);
    if (depth > DEPTH_MAX)
        return SN_LIMIT;
    while (slots < depth)
        slots *= 2;
    if (stride > SIZE_MAX / slots)
        return SN_NO_MEMORY;
    memory = sn_zalloc_aligned(slots * stride);
    if (memory == NULL)
        return SN_NO_MEMORY;

    r->slots = memory;
    r->stride = (uint32_t)stride;
    r->mask = slots - 1;
    r->depth = depth;
    r->head_seen = 0;
    sn_a32_store_relaxed(&r->tail, 0);
    sn_a32_store_relaxed(&r->head, 0);
    return SN_OK;
}

void iw_ring_fini(struct iw_ring *r)
{
    sn_free_aligned(r->slots);
    r->slots = NULL;
    r->mask = 0;
    r->depth = 0; /* a post to a ring that is gone finds it full */
}
