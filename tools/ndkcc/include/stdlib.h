/* SPDX-License-Identifier: MIT */
/*
 * stdlib.h: the part that the Windows kernel has too. The rest of the host's would only clash with
 * names of the driver.
 */
#if defined(__cplusplus)
#include_next <stdlib.h>
#elif !defined(SOFTNDK_NDKCC_STDLIB_H)
#define SOFTNDK_NDKCC_STDLIB_H

#include <ndkcc_wide.h>

int abs(int n);
int atoi(const char *s);
void *bsearch(const void *key, const void *base, size_t count, size_t size,
    int (*compare)(const void *, const void *));
void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));

#endif
