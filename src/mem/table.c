/* SPDX-License-Identifier: MIT */
/*
 * The radix table from index to region, and the choice of indices and keys.
 *
 * An index is drawn from all 2^24 - 1 (0 is never one), so a peer that knows some STags learns
 * nothing about others [SEC-005]; one that was freed comes back only after MEM_REUSE_DELAY others
 * were freed, and then by chance [SEC-006]. The price is a node of 2 KiB for nearly every region of
 * a sparse table (docs/decisions/0010-stags.md).
 */
#include "mem/table.h"

#include <stddef.h>

#include "base/alloc.h"

enum {
    INDEX_BITS = 24,
    /* At a quarter full, the chance that so many draws fail is 2^-256: `random` is broken. */
    DRAWS_MAX = 128,
};

static uint32_t top_slot(uint32_t index)
{
    return index >> 16;
}

static uint32_t mid_slot(uint32_t index)
{
    return index >> 8 & (MEM_FANOUT - 1);
}

static uint32_t leaf_slot(uint32_t index)
{
    return index & (MEM_FANOUT - 1);
}

enum sn_status mem_table_init(struct mem_table *t, uint32_t regions_max, void (*quiesce)(void *ctx),
    void (*random)(void *ctx, void *out, size_t n), void *ctx)
{
    SN_ASSERT(random != NULL);
    *t = (struct mem_table){
        .regions_max = regions_max < MEM_REGIONS_MAX ? regions_max : MEM_REGIONS_MAX,
        .quiesce = quiesce,
        .random = random,
        .ctx = ctx,
    };
    sn_lock_init(&t->lock, SN_RANK_MEM);
    t->top = sn_zalloc_array(MEM_FANOUT, sizeof(*t->top));
    t->recent = sn_zalloc_array(MEM_REUSE_DELAY, sizeof(*t->recent));
    if (t->top == NULL || t->recent == NULL) {
        sn_free(t->recent);
        sn_free(t->top);
        t->top = NULL;
        t->recent = NULL;
        return SN_NO_MEMORY;
    }
    return SN_OK;
}

void mem_table_fini(struct mem_table *t)
{
    SN_ASSERT(t->regions_count == 0);
    for (uint32_t i = 0; i < MEM_FANOUT; i++)
        SN_ASSERT(sn_aptr_load_relaxed(&t->top[i]) == NULL);
    sn_free(t->recent);
    sn_free(t->top);
    t->recent = NULL;
    t->top = NULL;
}

static bool was_freed_lately(const struct mem_table *t, uint32_t index)
{
    const uint32_t *recent = t->recent;

    /* Places not used yet hold 0, which is no index, and are at the end. */
    for (uint32_t i = 0; i < MEM_REUSE_DELAY && recent[i] != 0; i++) {
        if (recent[i] == index)
            return true;
    }
    return false;
}

/* Memory that an insertion turned out to need; got without the lock. */
struct spares {
    struct mem_node *mid, *leaf;
};

enum insert_result { INSERT_DONE, INSERT_TAKEN, INSERT_NEEDS_MID, INSERT_NEEDS_LEAF };

static enum insert_result try_insert(struct mem_table *t, struct mem_region *r, uint32_t index,
    struct spares *spares) SN_REQUIRES(t->lock)
{
    struct mem_node *mid = sn_aptr_load_relaxed(&t->top[top_slot(index)]);
    struct mem_node *leaf = mid != NULL ? sn_aptr_load_relaxed(&mid->slots[mid_slot(index)]) : NULL;

    if (leaf != NULL && sn_aptr_load_relaxed(&leaf->slots[leaf_slot(index)]) != NULL)
        return INSERT_TAKEN;
    if (was_freed_lately(t, index))
        return INSERT_TAKEN;
    if (mid == NULL && spares->mid == NULL)
        return INSERT_NEEDS_MID;
    if (leaf == NULL && spares->leaf == NULL)
        return INSERT_NEEDS_LEAF;

    sn_a32_store_relaxed(&r->stag, index << MEM_STAG_KEY_BITS | mem_next_key(r));
    if (mid == NULL) {
        mid = spares->mid;
        spares->mid = NULL;
        sn_aptr_store_release(&t->top[top_slot(index)], mid);
    }
    if (leaf == NULL) {
        leaf = spares->leaf;
        spares->leaf = NULL;
        mid->used_count++;
        sn_aptr_store_release(&mid->slots[mid_slot(index)], leaf);
    }
    leaf->used_count++;
    sn_aptr_store_release(&leaf->slots[leaf_slot(index)], r);
    return INSERT_DONE;
}

static uint32_t draw_index(struct mem_table *t)
{
    uint32_t x = 0;

    t->random(t->ctx, &x, sizeof(x));
    return x >> (32 - INDEX_BITS);
}

static enum sn_status insert_at_random(
    struct mem_table *t, struct mem_region *r, struct spares *spares)
{
    uint32_t index = 0;
    uint32_t draws = 0;
    enum insert_result got = INSERT_TAKEN;

    while (got != INSERT_DONE) {
        if (got == INSERT_TAKEN) {
            if (draws++ == DRAWS_MAX)
                return SN_NO_MEMORY;
            index = draw_index(t);
            if (index == 0)
                continue;
        } else if (got == INSERT_NEEDS_MID) {
            spares->mid = sn_zalloc_aligned(sizeof(*spares->mid));
            if (spares->mid == NULL)
                return SN_NO_MEMORY;
        } else {
            spares->leaf = sn_zalloc_aligned(sizeof(*spares->leaf));
            if (spares->leaf == NULL)
                return SN_NO_MEMORY;
        }
        sn_lock_take(&t->lock);
        got = try_insert(t, r, index, spares);
        sn_lock_drop(&t->lock);
    }
    return SN_OK;
}

enum sn_status mem_table_insert(struct mem_table *t, struct mem_region *r)
{
    struct spares spares = {NULL, NULL};
    enum sn_status status = SN_LIMIT;
    bool has_room;

    /* Counted before it is there, so that two at once cannot both take the last place. */
    sn_lock_take(&t->lock);
    has_room = t->regions_count < t->regions_max;
    if (has_room)
        t->regions_count++;
    sn_lock_drop(&t->lock);
    if (!has_room)
        return SN_LIMIT;

    t->random(t->ctx, &r->key_secret, sizeof(r->key_secret));
    status = insert_at_random(t, r, &spares);
    sn_free_aligned(spares.mid);
    sn_free_aligned(spares.leaf);
    if (status != SN_OK) {
        sn_lock_take(&t->lock);
        t->regions_count--;
        sn_lock_drop(&t->lock);
    }
    return status;
}

struct mem_garbage mem_table_remove(struct mem_table *t, struct mem_region *r)
{
    uint32_t index = sn_a32_load_relaxed(&r->stag) >> MEM_STAG_KEY_BITS;
    struct mem_node *mid = sn_aptr_load_relaxed(&t->top[top_slot(index)]);
    struct mem_node *leaf = sn_aptr_load_relaxed(&mid->slots[mid_slot(index)]);
    struct mem_garbage g = {NULL, NULL};

    SN_ASSERT(sn_aptr_load_relaxed(&leaf->slots[leaf_slot(index)]) == r);
    sn_aptr_store_release(&leaf->slots[leaf_slot(index)], NULL);
    if (--leaf->used_count == 0) {
        sn_aptr_store_release(&mid->slots[mid_slot(index)], NULL);
        g.leaf = leaf;
        if (--mid->used_count == 0) {
            sn_aptr_store_release(&t->top[top_slot(index)], NULL);
            g.mid = mid;
        }
    }
    t->recent[t->recent_next] = index;
    t->recent_next = (t->recent_next + 1) % MEM_REUSE_DELAY;
    t->regions_count--;
    return g;
}

void mem_garbage_free(struct mem_garbage g)
{
    sn_free_aligned(g.leaf);
    sn_free_aligned(g.mid);
}

/* A four-round Feistel network over 8 bits is a permutation, whatever its round function. */
uint32_t mem_next_key(struct mem_region *r)
{
    uint32_t left = r->key_turn >> 4 & 0xF;
    uint32_t right = r->key_turn & 0xF;

    r->key_turn++;
    for (uint32_t round = 0; round < 4; round++) {
        uint64_t mixed = (r->key_secret ^ (round << 4 | right)) * 0x9E3779B97F4A7C15u;
        uint32_t next = left ^ (uint32_t)((mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9u >> 60);

        left = right;
        right = next;
    }
    return left << 4 | right;
}
