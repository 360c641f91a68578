/* SPDX-License-Identifier: MIT */
/* Which versions we speak, and what an adapter says of itself. [NDKPI NDK_ADAPTER_INFO] */
#ifndef SN_NDK_INFO_H
#define SN_NDK_INFO_H

#include <ndkinfo.h>
#include <stdbool.h>

#include "base/attr.h"
#include "rnic/adapter.h"

/*
 * Ours: 0x02 in the first octet marks an OUI that IEEE gives to nobody (locally administered);
 * "SN" follows. One kind of device so far.
 */
enum { NDK_VENDOR_ID = 0x02534E, NDK_DEVICE_ID = 1 };

/* Longest region and window: all that a process can have. */
#define NDK_REGION_MAX ((SIZE_T)1 << 47)

/* Above this many octets reading or writing beats sending. */
enum { NDK_LARGE_REQUEST = 64 * 1024 };

/* Entries of one read: one where the strict profile imitates a NIC. */
static inline ULONG ndk_read_sge_max(const struct rnic_options *o)
{
    return o->require_read_sink ? 1 : RNIC_SGE_MAX;
}
/* Octets of inline data, and depth of a shared receive queue: none in the strict profile. */
static inline ULONG ndk_inline_max(const struct rnic_options *o)
{
    return o->require_read_sink ? 0 : RNIC_INLINE_MAX;
}
static inline ULONG ndk_srq_depth_max(const struct rnic_options *o)
{
    return o->require_read_sink ? 0 : RNIC_QUEUE_DEPTH_MAX;
}

/* Can a consumer of this version, and its minors above, use what we are? */
bool ndk_version_is_accepted(NDK_VERSION version);

void ndk_info_fill(const struct rnic_adapter *a, NDK_ADAPTER_INFO *out);

/*
 * The end of NdkQueryAdapterInfo: as much as fits, at least the layout before 2.0. `info` may be
 * NULL to ask for the size. STATUS_SUCCESS; STATUS_BUFFER_TOO_SMALL; STATUS_INVALID_PARAMETER:
 * `size` NULL.
 */
SN_MUST_CHECK NTSTATUS ndk_info_write(
    const struct rnic_adapter *a, NDK_ADAPTER_INFO *info, ULONG *size);

#endif
