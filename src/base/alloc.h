/* SPDX-License-Identifier: MIT */
/*
 * Every allocation of the library goes through one of these, so that a test can count, freeze or
 * fail them. The default one is calloc/free. Set once, before first use; see sn_alloc_set.
 */
#ifndef SN_BASE_ALLOC_H
#define SN_BASE_ALLOC_H

#include <stddef.h>

#include "base/attr.h"

struct sn_allocator {
    void *(*alloc)(void *ctx, size_t size); /* need not be zeroed; NULL: none */
    void (*free)(void *ctx, void *p);
    void *ctx;
};

/* Replaces the allocator of the process. For tests: no allocation may be live. NULL: the default.
 */
void sn_alloc_set(const struct sn_allocator *a);

/* Zeroed memory, at least 16-aligned; NULL when out of memory. */
SN_MUST_CHECK void *sn_zalloc(size_t size);
/* Zeroed array; NULL also when count * size overflows. */
SN_MUST_CHECK void *sn_zalloc_array(size_t count, size_t size);
/* Zeroed memory aligned to a cache line, for what the data path touches. Freed by sn_free_aligned.
 */
SN_MUST_CHECK void *sn_zalloc_aligned(size_t size);
void sn_free(void *p);
void sn_free_aligned(void *p);

/* Allocations made and not yet freed, and made ever, in this process. For leak and freeze tests. */
size_t sn_alloc_live_count(void);
size_t sn_alloc_total_count(void);

#endif
