/* SPDX-License-Identifier: MIT */
/* Whether memory can be read, asked without touching it. */
#ifndef SN_KENV_SEH_H
#define SN_KENV_SEH_H

#include <stdbool.h>
#include <stddef.h>

/* False: some page of the range cannot be read. True also where the host does not say. */
bool kenv_is_readable(const volatile void *address, size_t length);

#endif
