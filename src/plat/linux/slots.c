/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/assert.h"
#include "plat/linux/linux_impl.h"

enum { SLOTS_FIRST = 8 };

void lin_slots_init(struct lin_slots *s)
{
    *s = (struct lin_slots){.first_free = LIN_SLOT_NONE};
}

void lin_slots_fini(struct lin_slots *s)
{
    SN_ASSERT(s->used == 0);
    sn_free(s->table);
}

static bool grow(struct lin_slots *s)
{
    uint32_t size = s->size == 0 ? SLOTS_FIRST : s->size * 2;
    struct lin_slot *table;

    if (size < s->size)
        return false;
    table = sn_zalloc_array(size, sizeof(*table));
    if (table == NULL)
        return false;
    if (s->size > 0)
        memcpy(table, s->table, s->size * sizeof(*table));
    for (uint32_t i = size; i-- > s->size;) {
        table[i].next_free = s->first_free;
        s->first_free = i;
    }
    sn_free(s->table);
    s->table = table;
    s->size = size;
    return true;
}

bool lin_slots_add(struct lin_slots *s, struct lin_source *source)
{
    struct lin_slot *slot;

    SN_ASSERT(source->slot == LIN_SLOT_NONE);
    if (s->first_free == LIN_SLOT_NONE && !grow(s))
        return false;
    source->slot = s->first_free;
    slot = &s->table[source->slot];
    s->first_free = slot->next_free;
    slot->source = source;
    s->used++;
    return true;
}

void lin_slots_remove(struct lin_slots *s, struct lin_source *source)
{
    struct lin_slot *slot;

    if (source->slot == LIN_SLOT_NONE)
        return;
    slot = &s->table[source->slot];
    SN_ASSERT(slot->source == source);
    slot->source = NULL;
    slot->generation++;
    slot->next_free = s->first_free;
    s->first_free = source->slot;
    s->used--;
    source->slot = LIN_SLOT_NONE;
}

uint64_t lin_slots_token(const struct lin_slots *s, const struct lin_source *source)
{
    SN_ASSERT(source->slot < s->size);
    return (uint64_t)s->table[source->slot].generation << 32 | source->slot;
}

struct lin_source *lin_slots_find(const struct lin_slots *s, uint64_t token)
{
    uint32_t slot = (uint32_t)token;

    if (slot >= s->size || s->table[slot].generation != token >> 32)
        return NULL;
    return s->table[slot].source;
}
