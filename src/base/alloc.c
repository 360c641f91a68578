/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"

static void *default_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return calloc(1, size);
}

static void default_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

static const struct sn_allocator default_allocator = {default_alloc, default_free, NULL};
static struct sn_allocator current = {default_alloc, default_free, NULL};
static struct sn_a64 live_count;
static struct sn_a64 total_count;

void sn_alloc_set(const struct sn_allocator *a)
{
    current = a != NULL ? *a : default_allocator;
}

void *sn_zalloc(size_t size)
{
    void *p = current.alloc(current.ctx, size > 0 ? size : 1);

    if (p == NULL)
        return NULL;
    /* Fresh pages of calloc are zero already: a large table that is mostly unused stays unmapped.
     */
    if (current.alloc != default_alloc)
        memset(p, 0, size);
    sn_a64_fetch_add(&live_count, 1);
    sn_a64_fetch_add(&total_count, 1);
    return p;
}

void *sn_zalloc_array(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return sn_zalloc(count * size);
}

void *sn_zalloc_aligned(size_t size)
{
    char *raw, *p;

    if (size > SIZE_MAX - SN_CACHE_LINE - sizeof(raw))
        return NULL;
    raw = sn_zalloc(size + SN_CACHE_LINE + sizeof(raw));
    if (raw == NULL)
        return NULL;
    p = raw + sizeof(raw);
    p += (SN_CACHE_LINE - (uintptr_t)p % SN_CACHE_LINE) % SN_CACHE_LINE;
    memcpy(p - sizeof(raw), &raw, sizeof(raw)); /* where to find it again */
    return p;
}

void sn_free(void *p)
{
    if (p == NULL)
        return;
    sn_a64_fetch_sub(&live_count, 1);
    current.free(current.ctx, p);
}

void sn_free_aligned(void *p)
{
    void *raw;

    if (p == NULL)
        return;
    memcpy(&raw, (char *)p - sizeof(raw), sizeof(raw));
    sn_free(raw);
}

size_t sn_alloc_live_count(void)
{
    return (size_t)sn_a64_load_acquire(&live_count);
}

size_t sn_alloc_total_count(void)
{
    return (size_t)sn_a64_load_acquire(&total_count);
}
