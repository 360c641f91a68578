/* SPDX-License-Identifier: MIT */
/* What is allocated from the pool now, for whoever looks for leaks. */
#ifndef SN_KENV_POOL_H
#define SN_KENV_POOL_H

#include <stdbool.h>
#include <stddef.h>

/* Allocations that live, and the bytes that were asked for in them (bytes may be NULL). */
size_t kenv_pool_outstanding(size_t *bytes);

/* Asked before each allocation, on the allocating thread; true: this one fails. NULL: nobody is
 * asked. For fault injection (src/chaos). */
void kenv_pool_set_fault(bool (*fails)(void));

#endif
