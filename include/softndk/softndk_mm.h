/* SPDX-License-Identifier: MIT */
/*
 * Part of wdm.h, not for direct inclusion by drivers: MDLs and what describes memory.
 */
#ifndef SOFTNDK_KENV_MM_H
#define SOFTNDK_KENV_MM_H

#include <softndk_ke.h>

SOFTNDK_BEGIN_DECLS

/* ---- MDLs ---------------------------------------------------------------------------------- */

#define PAGE_SHIFT 12
#ifndef PAGE_SIZE
#define PAGE_SIZE 0x1000
#endif

#define BYTES_TO_PAGES(Size) ((ULONG)(((Size) >> PAGE_SHIFT) + (((Size) & (PAGE_SIZE - 1)) != 0)))
#define ROUND_TO_PAGES(Size) (((ULONG_PTR)(Size) + PAGE_SIZE - 1) & ~(ULONG_PTR)(PAGE_SIZE - 1))
#define BYTE_OFFSET(Va)      ((ULONG)((ULONG_PTR)(Va) & (PAGE_SIZE - 1)))
#define PAGE_ALIGN(Va)       ((PVOID)((ULONG_PTR)(Va) & ~(ULONG_PTR)(PAGE_SIZE - 1)))
#define ADDRESS_AND_SIZE_TO_SPAN_PAGES(Va, Size)                                                   \
    ((ULONG)((((ULONG_PTR)(Va) & (PAGE_SIZE - 1)) + (SIZE_T)(Size) + PAGE_SIZE - 1) >> PAGE_SHIFT))

typedef ULONG_PTR PFN_NUMBER, *PPFN_NUMBER;

/*
 * Describes a range of memory; an array of page numbers follows in memory. Here any memory of the
 * process will do, and a page number is a host virtual address divided by PAGE_SIZE.
 */
typedef struct _MDL {
    struct _MDL *Next;
    CSHORT Size;
    CSHORT MdlFlags;
    USHORT AllocationProcessorNumber;
    USHORT Reserved;
    struct _EPROCESS *Process;
    PVOID MappedSystemVa;
    PVOID StartVa; /* page aligned */
    ULONG ByteCount;
    ULONG ByteOffset; /* of the first byte in the first page */
} MDL, *PMDL;
typedef const MDL *PCMDL;

#define MDL_MAPPED_TO_SYSTEM_VA     0x0001
#define MDL_PAGES_LOCKED            0x0002
#define MDL_SOURCE_IS_NONPAGED_POOL 0x0004
#define MDL_ALLOCATED_FIXED_SIZE    0x0008
#define MDL_PARTIAL                 0x0010
#define MDL_PARTIAL_HAS_BEEN_MAPPED 0x0020
#define MDL_WRITE_OPERATION         0x0080
#define MDL_PARENT_MAPPED_SYSTEM_VA 0x0100
#define MDL_FREE_EXTRA_PTES         0x0200
#define MDL_IO_SPACE                0x0800

typedef enum _LOCK_OPERATION { IoReadAccess, IoWriteAccess, IoModifyAccess } LOCK_OPERATION;

typedef enum _MM_PAGE_PRIORITY {
    LowPagePriority = 0,
    NormalPagePriority = 16,
    HighPagePriority = 32
} MM_PAGE_PRIORITY;
#define MdlMappingNoWrite   0x80000000
#define MdlMappingNoExecute 0x40000000

struct _IRP;
typedef struct _IRP IRP, *PIRP;

/* Bytes of an MDL with its page array for that range. Any IRQL. */
SOFTNDK_API SIZE_T MmSizeOfMdl(PVOID Base, SIZE_T Length);
/*
 * An MDL for the range, pages not yet filled in; NULL if memory is short or Length exceeds
 * 4 GiB - PAGE_SIZE. With an Irp the MDL becomes its MdlAddress, or (SecondaryBuffer) goes to the
 * end of the chain that is there. DISPATCH. Freed by IoFreeMdl.
 */
SOFTNDK_API PMDL IoAllocateMdl(
    PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota, PIRP Irp);
/* Frees one MDL, not the chain behind it and not the memory it describes. DISPATCH. */
SOFTNDK_API VOID IoFreeMdl(PMDL Mdl);
/* Describes a part of SourceMdl in TargetMdl; Length 0: to the end of SourceMdl. DISPATCH. */
SOFTNDK_API VOID IoBuildPartialMdl(
    PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length);
/* Fills in the pages of memory that stays resident. DISPATCH. */
SOFTNDK_API VOID MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList);
/*
 * Fills in the pages and marks them locked. Raises STATUS_ACCESS_VIOLATION for a range that cannot
 * be read ([DEVIATION] looked at only while a driver of softndk_driver.h exists, and writing is not
 * tried). [DEVIATION] host memory is not pinned. DISPATCH.
 */
SOFTNDK_API VOID MmProbeAndLockPages(
    PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation);
/* Undoes it; an MDL that is not locked is a bugcheck. DISPATCH. */
SOFTNDK_API VOID MmUnlockPages(PMDL MemoryDescriptorList);
/* The address of the pages in the one address space there is. DISPATCH. */
SOFTNDK_API PVOID MmMapLockedPagesSpecifyCache(PMDL MemoryDescriptorList,
    KPROCESSOR_MODE AccessMode, ULONG CacheType, PVOID RequestedAddress, ULONG BugCheckOnFailure,
    ULONG Priority);
SOFTNDK_API VOID MmUnmapLockedPages(PVOID BaseAddress, PMDL MemoryDescriptorList);
/* The host virtual address as a number: "physical" addresses of this machine. Any IRQL. */
SOFTNDK_API PHYSICAL_ADDRESS MmGetPhysicalAddress(PVOID BaseAddress);

#define MmGetMdlVirtualAddress(Mdl)          ((PVOID)((PCHAR)((Mdl)->StartVa) + (Mdl)->ByteOffset))
#define MmGetMdlByteCount(Mdl)               ((Mdl)->ByteCount)
#define MmGetMdlByteOffset(Mdl)              ((Mdl)->ByteOffset)
#define MmGetMdlBaseVa(Mdl)                  ((Mdl)->StartVa)
#define MmGetMdlPfnArray(Mdl)                ((PPFN_NUMBER)(void *)((Mdl) + 1))
#define MmInitializeMdl(Mdl, BaseVa, Length) SoftNdkInitializeMdl((Mdl), (BaseVa), (Length))
#define MmPrepareMdlForReuse(Mdl)            ((void)(Mdl))
SOFTNDK_API VOID SoftNdkInitializeMdl(PMDL Mdl, PVOID BaseVa, SIZE_T Length);

/* A pointer to the described bytes; NULL only for an MDL whose pages were never filled in. */
FORCEINLINE PVOID MmGetSystemAddressForMdlSafe(PMDL Mdl, ULONG Priority)
{
    if ((Mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)) != 0)
        return Mdl->MappedSystemVa;
    return MmMapLockedPagesSpecifyCache(Mdl, KernelMode, 1, NULL, FALSE, Priority);
}

typedef enum _MEMORY_CACHING_TYPE {
    MmNonCached = 0,
    MmCached = 1,
    MmWriteCombined = 2,
    MmHardwareCoherentCached,
    MmNonCachedUnordered,
    MmUSWCCached,
    MmMaximumCacheType,
    MmNotMapped = -1
} MEMORY_CACHING_TYPE;

#define MM_DONT_ZERO_ALLOCATION               0x00000001
#define MM_ALLOCATE_FROM_LOCAL_NODE_ONLY      0x00000002
#define MM_ALLOCATE_FULLY_REQUIRED            0x00000004
#define MM_ALLOCATE_NO_WAIT                   0x00000008
#define MM_ALLOCATE_PREFER_CONTIGUOUS         0x00000010
#define MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS 0x00000020

/*
 * Pages, zeroed unless MM_DONT_ZERO_ALLOCATION, with a locked MDL that describes them; NULL: no
 * memory. The limits are not looked at and the pages are contiguous. The pages go with
 * MmFreePagesFromMdl, then the MDL with ExFreePool. DISPATCH.
 */
SOFTNDK_API PMDL MmAllocatePagesForMdl(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
    PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes);
SOFTNDK_API PMDL MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
    PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes, MEMORY_CACHING_TYPE CacheType, ULONG Flags);
SOFTNDK_API VOID MmFreePagesFromMdl(PMDL MemoryDescriptorList);
SOFTNDK_API PVOID MmMapLockedPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode);
/* Does nothing. STATUS_SUCCESS. */
SOFTNDK_API NTSTATUS MmProtectMdlSystemAddress(PMDL MemoryDescriptorList, ULONG NewProtect);
/* Page-aligned nonpaged memory; NULL: none. APC_LEVEL; freed at DISPATCH. */
SOFTNDK_API PVOID MmAllocateContiguousMemory(
    SIZE_T NumberOfBytes, PHYSICAL_ADDRESS HighestAcceptableAddress);
SOFTNDK_API PVOID MmAllocateContiguousMemorySpecifyCache(SIZE_T NumberOfBytes,
    PHYSICAL_ADDRESS LowestAcceptableAddress, PHYSICAL_ADDRESS HighestAcceptableAddress,
    PHYSICAL_ADDRESS BoundaryAddressMultiple, MEMORY_CACHING_TYPE CacheType);
SOFTNDK_API VOID MmFreeContiguousMemory(PVOID BaseAddress);
SOFTNDK_API VOID MmFreeContiguousMemorySpecifyCache(
    PVOID BaseAddress, SIZE_T NumberOfBytes, MEMORY_CACHING_TYPE CacheType);
/* TRUE if the address can be read now. DISPATCH. */
SOFTNDK_API BOOLEAN MmIsAddressValid(PVOID VirtualAddress);

#define MmGetSystemAddressForMdl(Mdl) MmGetSystemAddressForMdlSafe((Mdl), HighPagePriority)

SOFTNDK_END_DECLS

#endif /* SOFTNDK_KENV_MM_H */
