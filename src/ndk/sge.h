/* SPDX-License-Identifier: MIT */
/* A consumer's scatter/gather list is a list of struct iw_sge: same layout, so it is not copied. */
#ifndef SN_NDK_SGE_H
#define SN_NDK_SGE_H

#include <ndkpi.h>

#include "iwarp/wr.h"

_Static_assert(sizeof(NDK_SGE) == sizeof(struct iw_sge), "one layout");
_Static_assert(offsetof(NDK_SGE, VirtualAddress) == offsetof(struct iw_sge, addr), "one layout");
_Static_assert(offsetof(NDK_SGE, LogicalAddress) == offsetof(struct iw_sge, addr), "one layout");
_Static_assert(offsetof(NDK_SGE, Length) == offsetof(struct iw_sge, len), "one layout");
_Static_assert(offsetof(NDK_SGE, MemoryRegionToken) == offsetof(struct iw_sge, stag), "one layout");
_Static_assert(sizeof(PVOID) == sizeof(uint64_t), "one layout");

static inline const struct iw_sge *ndk_sgl(const NDK_SGE *sgl)
{
    return (const struct iw_sge *)(const void *)sgl;
}

#endif
