/* SPDX-License-Identifier: MIT */
/* Pages with an MDL, and contiguous memory: both are memory of the pool here. */
#include "kenv/bugcheck.h"
#include "kenv/irql.h"
#include "kenv/pool.h"
#include "kenv/seh.h"

#define TAG_MDL   'ldmM'
#define TAG_PAGES 'gapM'
#define TAG_CONT  'tnoC'
#define TOTAL_MAX (0xffffffffu - PAGE_SIZE)

PMDL MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
    PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes, MEMORY_CACHING_TYPE CacheType, ULONG Flags)
{
    SIZE_T size = ROUND_TO_PAGES(TotalBytes);
    void *pages;
    PMDL mdl;

    UNREFERENCED_PARAMETER(LowAddress);
    UNREFERENCED_PARAMETER(HighAddress);
    UNREFERENCED_PARAMETER(SkipBytes);
    UNREFERENCED_PARAMETER(CacheType);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (TotalBytes == 0 || TotalBytes > TOTAL_MAX)
        return NULL;
    pages = kenv_pool_allocate(
        false, (Flags & MM_DONT_ZERO_ALLOCATION) == 0, size, PAGE_SIZE, TAG_PAGES);
    if (pages == NULL)
        return NULL;
    mdl = kenv_pool_allocate(false, true, MmSizeOfMdl(pages, size), 16, TAG_MDL);
    if (mdl == NULL) {
        ExFreePoolWithTag(pages, TAG_PAGES);
        return NULL;
    }
    MmInitializeMdl(mdl, pages, size);
    MmBuildMdlForNonPagedPool(mdl);
    /* Locked, and not mapped until somebody asks. */
    mdl->MdlFlags = MDL_PAGES_LOCKED;
    mdl->MappedSystemVa = NULL;
    return mdl;
}

PMDL MmAllocatePagesForMdl(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
    PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes)
{
    return MmAllocatePagesForMdlEx(LowAddress, HighAddress, SkipBytes, TotalBytes, MmCached, 0);
}

VOID MmFreePagesFromMdl(PMDL MemoryDescriptorList)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if ((MemoryDescriptorList->MdlFlags & MDL_PAGES_LOCKED) == 0 ||
        MemoryDescriptorList->StartVa == NULL)
        kenv_bugcheck(PFN_LIST_CORRUPT, (ULONG_PTR)MemoryDescriptorList, 0, 0, 0,
            "MmFreePagesFromMdl: MDL %p has no pages of MmAllocatePagesForMdlEx",
            (void *)MemoryDescriptorList);
    ExFreePoolWithTag(MemoryDescriptorList->StartVa, TAG_PAGES);
    MemoryDescriptorList->StartVa = NULL;
    MemoryDescriptorList->MappedSystemVa = NULL;
    MemoryDescriptorList->MdlFlags = 0;
    MemoryDescriptorList->ByteCount = 0;
}

PVOID MmMapLockedPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode)
{
    return MmMapLockedPagesSpecifyCache(
        MemoryDescriptorList, AccessMode, MmCached, NULL, TRUE, NormalPagePriority);
}

NTSTATUS MmProtectMdlSystemAddress(PMDL MemoryDescriptorList, ULONG NewProtect)
{
    UNREFERENCED_PARAMETER(MemoryDescriptorList);
    UNREFERENCED_PARAMETER(NewProtect);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    return STATUS_SUCCESS;
}

PVOID MmAllocateContiguousMemory(SIZE_T NumberOfBytes, PHYSICAL_ADDRESS HighestAcceptableAddress)
{
    UNREFERENCED_PARAMETER(HighestAcceptableAddress);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    return kenv_pool_allocate(false, false, NumberOfBytes, PAGE_SIZE, TAG_CONT);
}

PVOID MmAllocateContiguousMemorySpecifyCache(SIZE_T NumberOfBytes,
    PHYSICAL_ADDRESS LowestAcceptableAddress, PHYSICAL_ADDRESS HighestAcceptableAddress,
    PHYSICAL_ADDRESS BoundaryAddressMultiple, MEMORY_CACHING_TYPE CacheType)
{
    UNREFERENCED_PARAMETER(LowestAcceptableAddress);
    UNREFERENCED_PARAMETER(BoundaryAddressMultiple);
    UNREFERENCED_PARAMETER(CacheType);
    return MmAllocateContiguousMemory(NumberOfBytes, HighestAcceptableAddress);
}

VOID MmFreeContiguousMemory(PVOID BaseAddress)
{
    ExFreePoolWithTag(BaseAddress, TAG_CONT);
}

VOID MmFreeContiguousMemorySpecifyCache(
    PVOID BaseAddress, SIZE_T NumberOfBytes, MEMORY_CACHING_TYPE CacheType)
{
    UNREFERENCED_PARAMETER(NumberOfBytes);
    UNREFERENCED_PARAMETER(CacheType);
    MmFreeContiguousMemory(BaseAddress);
}

BOOLEAN MmIsAddressValid(PVOID VirtualAddress)
{
    return kenv_is_readable(VirtualAddress, 1);
}
