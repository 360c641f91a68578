/* SPDX-License-Identifier: MIT */
/* What the files of mem share: the radix table of STags and the changes of a region's state. */
#ifndef SN_MEM_TABLE_H
#define SN_MEM_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "mem/mem.h"

enum { MEM_FANOUT = 256 };

#define MEM_KEY_MASK      0xFFu
#define MEM_RIGHTS_REMOTE ((uint32_t)(MEM_REMOTE_READ | MEM_REMOTE_WRITE))
#define MEM_RIGHTS_ALL                                                                             \
    (MEM_RIGHTS_REMOTE | (uint32_t)(MEM_LOCAL_READ | MEM_LOCAL_WRITE | MEM_READ_SINK))

_Static_assert(MEM_KEY_MASK == (1u << MEM_STAG_KEY_BITS) - 1, "the key is the low octet");

/* One node of the two lower levels. Freed, after quiescence, when its last slot empties. */
struct mem_node {
    struct sn_aptr slots[MEM_FANOUT];
    uint32_t used_count; /* guarded by table.lock */
};

/* The region in the slot of this STag's index, whatever its key and state; NULL if there is none.
 * Inside a lane; the region is good until the lane is left or quiesces. */
static inline struct mem_region *mem_lookup(const struct mem_table *t, uint32_t stag)
{
    const struct mem_node *mid = sn_aptr_load_acquire(&t->top[stag >> 24]);
    const struct mem_node *leaf;

    if (SN_UNLIKELY(mid == NULL))
        return NULL;
    leaf = sn_aptr_load_acquire(&mid->slots[stag >> 16 & (MEM_FANOUT - 1)]);
    if (SN_UNLIKELY(leaf == NULL))
        return NULL;
    return sn_aptr_load_acquire(&leaf->slots[stag >> 8 & (MEM_FANOUT - 1)]);
}

/* Is `stag`, all 32 bits of it, valid now? [RFC5041 5.2] [VRB-021] */
static inline bool mem_is_current(const struct mem_region *r, uint32_t stag)
{
    return r != NULL && sn_a32_load_acquire(&r->state) == MEM_STATE_VALID &&
           sn_a32_load_relaxed(&r->stag) == stag;
}

/* Gives r a free index, drawn at random, and publishes it. SN_NO_MEMORY, SN_LIMIT. */
SN_MUST_CHECK enum sn_status mem_table_insert(struct mem_table *t, struct mem_region *r);

/* Nodes that a removal emptied. */
struct mem_garbage {
    struct mem_node *leaf, *mid;
};
/* Takes r out of its slot and notes its index as recently used. The caller frees the garbage once
 * quiescence has passed. Under table.lock. */
struct mem_garbage mem_table_remove(struct mem_table *t, struct mem_region *r) SN_REQUIRES(t->lock);
void mem_garbage_free(struct mem_garbage g);

/* The next key of the region's secret order: each of the 256 once before any comes again. */
uint32_t mem_next_key(struct mem_region *r);

/* Makes the caller the one who changes r. False if r is in another state than `from`. */
static inline bool mem_claim(struct mem_region *r, enum mem_state from)
{
    return sn_a32_cas(&r->state, (uint32_t)from, MEM_STATE_BUSY);
}

/* Ends what mem_claim began: the fields written in between are seen by who sees this state. The
 * caller may not touch r afterwards without a reference of its own. */
static inline void mem_unclaim(struct mem_region *r, enum mem_state to)
{
    SN_ASSERT(sn_a32_load_relaxed(&r->state) == MEM_STATE_BUSY);
    sn_a32_store_release(&r->state, (uint32_t)to);
}

/* `stag` with another key. */
static inline uint32_t mem_with_key(uint32_t stag, uint32_t key)
{
    return (stag & ~MEM_KEY_MASK) | key;
}

/* Waits until no thread still uses what it looked up before. Never under a lock. */
static inline void mem_quiesce(struct mem_table *t)
{
    if (t->quiesce != NULL)
        t->quiesce(t->ctx);
}

/* A claimed window lets go of its MR: after quiescence, as the MR's memory may go next. */
void mem_window_unbind(struct mem_table *t, struct mem_region *w);

/* What a region gets of the rights asked for: reading locally is always there, and who lets a peer
 * write may write too. [VRB-039] */
static inline uint32_t mem_rights_of_region(uint32_t asked)
{
    uint32_t implied = (asked & MEM_REMOTE_WRITE) != 0 ? MEM_LOCAL_WRITE : 0;

    return asked | MEM_LOCAL_READ | implied;
}

/* Does [start, start + len) end at 2^64 or before? */
static inline bool mem_range_fits(uint64_t start, uint64_t len)
{
    return len == 0 || len - 1 <= UINT64_MAX - start;
}

#endif
