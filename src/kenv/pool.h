/* SPDX-License-Identifier: MIT */
/* What is allocated from the pool now, and whether it is whole. */
#ifndef SN_KENV_POOL_H
#define SN_KENV_POOL_H

#include <softndk_ex.h>
#include <stdbool.h>
#include <stddef.h>

/* Allocations that live, and the bytes that were asked for in them (bytes may be NULL). */
size_t kenv_pool_outstanding(size_t *bytes);

/*
 * What every allocation goes through: is_paged says from which pool, `align` is 16 or a power of
 * two above. NULL: no memory, or the fault hook said so. Bugchecks on a tag of zero and on the
 * IRQL.
 */
void *kenv_pool_allocate(bool is_paged, bool is_zeroed, SIZE_T size, size_t align, ULONG tag);

/* Bugchecks if a live allocation was written to beyond its end, or one that was freed (as long as
 * it is kept aside) was written to at all. */
void kenv_pool_check(void);

#endif
