/* SPDX-License-Identifier: MIT */
/* The many names of pool allocation; ex_pool.c does the work. */
#include "kenv/pool.h"

#include <softndk_seh.h>
#include <wdm.h>

#define NO_TAG     0x656e6f4eu /* "None" */
#define CACHE_LINE 64

static PVOID by_type(ULONG type, bool is_zeroed, bool is_quota, SIZE_T size, ULONG tag)
{
    bool is_aligned = (type & 4) != 0;
    void *p = kenv_pool_allocate((type & 1) != 0, is_zeroed || (type & POOL_ZERO_ALLOCATION) != 0,
        size, is_aligned ? CACHE_LINE : 16, tag);

    if (p == NULL && ((type & POOL_RAISE_IF_ALLOCATION_FAILURE) != 0 ||
                         (is_quota && (type & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE) == 0)))
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    return p;
}

PVOID ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    return by_type((ULONG)PoolType, false, false, NumberOfBytes, NO_TAG);
}

PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return by_type((ULONG)PoolType, false, false, NumberOfBytes, Tag);
}

PVOID ExAllocatePoolWithTagPriority(
    POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, EX_POOL_PRIORITY Priority)
{
    UNREFERENCED_PARAMETER(Priority);
    return by_type((ULONG)PoolType, false, false, NumberOfBytes, Tag);
}

PVOID ExAllocatePoolWithQuota(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    return by_type((ULONG)PoolType, false, true, NumberOfBytes, NO_TAG);
}

PVOID ExAllocatePoolWithQuotaTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return by_type((ULONG)PoolType, false, true, NumberOfBytes, Tag);
}

PVOID ExAllocatePoolUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return by_type((ULONG)PoolType, false, false, NumberOfBytes, Tag);
}

PVOID ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return by_type((ULONG)PoolType, true, false, NumberOfBytes, Tag);
}

PVOID ExAllocatePoolPriorityZero(
    POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, EX_POOL_PRIORITY Priority)
{
    UNREFERENCED_PARAMETER(Priority);
    return by_type((ULONG)PoolType, true, false, NumberOfBytes, Tag);
}

PVOID ExAllocatePoolQuotaZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return by_type((ULONG)PoolType, true, true, NumberOfBytes, Tag);
}

PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
    const POOL_FLAGS kinds = POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_PAGED;
    const POOL_FLAGS known = kinds | POOL_FLAG_USE_QUOTA | POOL_FLAG_UNINITIALIZED |
                             POOL_FLAG_SESSION | POOL_FLAG_CACHE_ALIGNED |
                             POOL_FLAG_RAISE_ON_FAILURE;
    POOL_FLAGS kind = Flags & kinds;
    bool is_good = kind != 0 && (kind & (kind - 1)) == 0 && NumberOfBytes != 0 &&
                   (Flags & ~known & (POOL_FLAG_OPTIONAL_START - 1)) == 0;
    void *p = NULL;

    if (is_good)
        p = kenv_pool_allocate(kind == POOL_FLAG_PAGED, (Flags & POOL_FLAG_UNINITIALIZED) == 0,
            NumberOfBytes, (Flags & POOL_FLAG_CACHE_ALIGNED) != 0 ? CACHE_LINE : 16, Tag);
    if (p == NULL && (Flags & POOL_FLAG_RAISE_ON_FAILURE) != 0)
        ExRaiseStatus(is_good ? STATUS_INSUFFICIENT_RESOURCES : STATUS_INVALID_PARAMETER);
    return p;
}

PVOID ExAllocatePool3(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag,
    PCPOOL_EXTENDED_PARAMETER ExtendedParameters, ULONG ExtendedParametersCount)
{
    for (ULONG i = 0; i < ExtendedParametersCount; i++) {
        ULONG64 type = ExtendedParameters[i].Type;

        if (type != PoolExtendedParameterPriority && type != PoolExtendedParameterNumaNode &&
            !ExtendedParameters[i].Optional) {
            if ((Flags & POOL_FLAG_RAISE_ON_FAILURE) != 0)
                ExRaiseStatus(STATUS_INVALID_PARAMETER);
            return NULL;
        }
    }
    return ExAllocatePool2(Flags, NumberOfBytes, Tag);
}

VOID ExFreePool(PVOID P)
{
    ExFreePoolWithTag(P, 0);
}

VOID ExFreePool2(
    PVOID P, ULONG Tag, PCPOOL_EXTENDED_PARAMETER ExtendedParameters, ULONG ExtendedParametersCount)
{
    UNREFERENCED_PARAMETER(ExtendedParameters);
    UNREFERENCED_PARAMETER(ExtendedParametersCount);
    ExFreePoolWithTag(P, Tag);
}
