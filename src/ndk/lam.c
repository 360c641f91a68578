/* SPDX-License-Identifier: MIT */
#include "ndk/lam.h"

#include "ndk/mdl.h"

enum { LAM_HEAD_OCTETS = offsetof(NDK_LOGICAL_ADDRESS_MAPPING, AdapterPageArray) };

/* [NDKPI NDK_LOGICAL_ADDRESS_MAPPING] False: *size cannot say it. */
static bool lam_octets(uint64_t pages, ULONG *octets)
{
    uint64_t n = LAM_HEAD_OCTETS + pages * sizeof(NDK_LOGICAL_ADDRESS);

    if (n > MAXULONG)
        return false;
    *octets = (ULONG)n;
    return true;
}

static void fill(
    struct rnic_adapter *a, NDK_LOGICAL_ADDRESS_MAPPING *lam, uintptr_t page, ULONG pages)
{
    NDK_LOGICAL_ADDRESS *list = lam->AdapterPageArray; /* longer than it is declared */

    lam->AdapterContext = a;
    lam->AdapterPageCount = pages;
    for (ULONG i = 0; i < pages; i++, page += PAGE_SIZE)
        list[i].QuadPart = (LONGLONG)page;
}

NTSTATUS ndk_lam_build(struct rnic_adapter *a, const MDL *mdl, SIZE_T length,
    NDK_LOGICAL_ADDRESS_MAPPING *lam, ULONG *size, ULONG *fbo)
{
    uint8_t *start;
    ULONG offset, needed;
    uint64_t pages;

    if (size == NULL || fbo == NULL || ndk_mdl_range(mdl, length, &start) != SN_OK)
        return STATUS_INVALID_PARAMETER;
    offset = BYTE_OFFSET(start);
    if (length > SIZE_MAX - (uintptr_t)start) /* no memory reaches beyond the address space */
        return STATUS_INVALID_PARAMETER;
    pages = (length - 1 + offset) / PAGE_SIZE + 1;
    if (!lam_octets(pages, &needed))
        return STATUS_INVALID_PARAMETER;
    if (lam == NULL || *size < needed) {
        *size = needed;
        return STATUS_BUFFER_TOO_SMALL;
    }
    fill(a, lam, (uintptr_t)start - offset, (ULONG)pages);
    *size = needed;
    *fbo = offset;
    rnic_obj_get(&a->obj, RNIC_REF_SUCCESSOR);
    return STATUS_SUCCESS;
}

void ndk_lam_release(struct rnic_adapter *a, NDK_LOGICAL_ADDRESS_MAPPING *lam)
{
    if (lam == NULL || lam->AdapterContext != a)
        return;
    lam->AdapterContext = NULL;
    rnic_obj_put(&a->obj, RNIC_REF_SUCCESSOR);
}
