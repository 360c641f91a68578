/* SPDX-License-Identifier: MIT */
#include "ndk/mdl.h"

enum sn_status ndk_mdl_range(const MDL *mdl, SIZE_T length, uint8_t **start)
{
    uint8_t *first = NULL;
    uintptr_t end = 0;

    if (length == 0)
        return SN_INVALID;
    for (; mdl != NULL; mdl = mdl->Next) {
        uint8_t *va = MmGetMdlVirtualAddress(mdl);
        SIZE_T count = MmGetMdlByteCount(mdl);

        if (count == 0)
            continue;
        if (first == NULL)
            first = va;
        else if ((uintptr_t)va != end)
            return SN_INVALID;
        if (count >= length) {
            *start = first;
            return SN_OK;
        }
        length -= count;
        end = (uintptr_t)va + count;
    }
    return SN_INVALID;
}
