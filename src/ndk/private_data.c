/* SPDX-License-Identifier: MIT */
#include "ndk/private_data.h"

#include <string.h>

NTSTATUS ndk_private_data_copy(const uint8_t *data, ULONG count, PVOID out, ULONG *length)
{
    ULONG room = *length;
    ULONG n = count < room ? count : room;

    if (out == NULL && room != 0)
        return STATUS_INVALID_PARAMETER;
    *length = count;
    if (out == NULL)
        return STATUS_SUCCESS;
    if (n > 0)
        memcpy(out, data, n);
    return n == count ? STATUS_SUCCESS : STATUS_BUFFER_TOO_SMALL;
}
