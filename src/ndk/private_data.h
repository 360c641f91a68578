/* SPDX-License-Identifier: MIT */
/* How NdkGetConnectionData hands out private data. [NDKPI NDK_FN_GET_CONNECTION_DATA] */
#ifndef SN_NDK_PRIVATE_DATA_H
#define SN_NDK_PRIVATE_DATA_H

#include <ntstatus.h>

#include "base/attr.h"

/*
 * The peer sent `count` octets at `data`. *length: room at `out` in; what the peer sent, out.
 * STATUS_SUCCESS: all copied, or `out` NULL without room (a size query); STATUS_BUFFER_TOO_SMALL:
 * what fits was copied; STATUS_INVALID_PARAMETER: `out` NULL with room.
 */
SN_MUST_CHECK NTSTATUS ndk_private_data_copy(
    const uint8_t *data, ULONG count, PVOID out, ULONG *length);

#endif
