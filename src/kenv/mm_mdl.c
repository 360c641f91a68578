/* SPDX-License-Identifier: MIT */
/*
 * MDLs: descriptions of memory of this process. The page array holds host virtual addresses divided
 * by PAGE_SIZE, which makes a "physical" address the virtual one.
 */
#include "base/alloc.h"
#include "kenv/bugcheck.h"
#include "kenv/irql.h"
#include "kenv/report.h"
#include "kenv/seh.h"

#include <wdm.h>

/* Above this the Size member could not hold the length of header and page array. */
#define PAGES_MAX  ((SIZE_T)(INT16_MAX - sizeof(MDL)) / sizeof(PFN_NUMBER))
#define LENGTH_MAX (0xffffffffu - PAGE_SIZE)

SIZE_T MmSizeOfMdl(PVOID Base, SIZE_T Length)
{
    ULONG_PTR offset = (ULONG_PTR)Base & (PAGE_SIZE - 1);
    SIZE_T pages = (Length >> PAGE_SHIFT) +
                   ((offset + (Length & (PAGE_SIZE - 1)) + PAGE_SIZE - 1) >> PAGE_SHIFT);

    return sizeof(MDL) + pages * sizeof(PFN_NUMBER);
}

VOID SoftNdkInitializeMdl(PMDL Mdl, PVOID BaseVa, SIZE_T Length)
{
    SIZE_T size = MmSizeOfMdl(BaseVa, Length);

    memset(Mdl, 0, sizeof(*Mdl));
    /* As on Windows the member is too small for a large range; nothing here relies on it. */
    Mdl->Size = (CSHORT)(size <= INT16_MAX ? size : INT16_MAX & ~7);
    Mdl->StartVa = PAGE_ALIGN(BaseVa);
    Mdl->ByteOffset = BYTE_OFFSET(BaseVa);
    Mdl->ByteCount = (ULONG)Length;
}

/* Who allocated an MDL is noted in a member that nothing else here uses. */
static struct kenv_tracked *tracked_of(const MDL *mdl)
{
    return (struct kenv_tracked *)(void *)mdl->Process;
}

static void attach(PIRP irp, PMDL mdl, BOOLEAN is_secondary)
{
    PMDL *at = &irp->MdlAddress;

    while (is_secondary && *at != NULL)
        at = &(*at)->Next;
    *at = mdl;
}

PMDL IoAllocateMdl(
    PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota, PIRP Irp)
{
    PMDL mdl;

    UNREFERENCED_PARAMETER(ChargeQuota);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (Length > LENGTH_MAX || kenv_fault(SoftNdkDrvMdl, 0, Length))
        return NULL;
    mdl = sn_zalloc(MmSizeOfMdl(VirtualAddress, Length));
    if (mdl == NULL)
        return NULL;
    SoftNdkInitializeMdl(mdl, VirtualAddress, Length);
    mdl->Process = (PEPROCESS)(void *)kenv_track(SoftNdkDrvMdl, mdl, 0, Length, "MDL");
    if (Irp != NULL)
        attach(Irp, mdl, SecondaryBuffer);
    return mdl;
}

/* Only with checks on: a consumer without them has never been told. */
static void require_unlocked(const MDL *mdl)
{
    struct kenv_report report = {
        .rule = "mdl-freed-locked",
        .text = "an MDL is freed while its pages are locked; they would stay locked for ever",
        .advice = "call MmUnlockPages before IoFreeMdl",
        .page = "IoFreeMdl",
        .code = 0x76, /* PROCESS_HAS_LOCKED_PAGES, when the process ends */
        .object = mdl,
    };

    if (!kenv_is_checked || (mdl->MdlFlags & MDL_PAGES_LOCKED) == 0)
        return;
    report.created = tracked_of(mdl) != NULL ? &tracked_of(mdl)->stack : NULL;
    kenv_report(&report);
}

VOID IoFreeMdl(PMDL Mdl)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    require_unlocked(Mdl);
    kenv_untrack(tracked_of(Mdl));
    sn_free(Mdl);
}

static void fill_pages(PMDL mdl)
{
    PPFN_NUMBER pages = MmGetMdlPfnArray(mdl);
    PFN_NUMBER first = (ULONG_PTR)mdl->StartVa >> PAGE_SHIFT;
    ULONG count = ADDRESS_AND_SIZE_TO_SPAN_PAGES(mdl->ByteOffset, mdl->ByteCount);

    for (ULONG i = 0; i < count; i++)
        pages[i] = first + i;
}

static void set_flags(PMDL mdl, ULONG set, ULONG clear)
{
    mdl->MdlFlags = (CSHORT)(((ULONG)(USHORT)mdl->MdlFlags & ~clear) | set);
}

VOID MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    fill_pages(MemoryDescriptorList);
    MemoryDescriptorList->MappedSystemVa = MmGetMdlVirtualAddress(MemoryDescriptorList);
    set_flags(MemoryDescriptorList, MDL_SOURCE_IS_NONPAGED_POOL, 0);
}

VOID MmProbeAndLockPages(
    PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation)
{
    UNREFERENCED_PARAMETER(AccessMode);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if ((MemoryDescriptorList->MdlFlags & MDL_PAGES_LOCKED) != 0)
        kenv_bugcheck(MEMORY_MANAGEMENT, (ULONG_PTR)MemoryDescriptorList, 0, 0, 0,
            "MmProbeAndLockPages: the pages of MDL %p are locked already",
            (void *)MemoryDescriptorList);
    if (kenv_is_checked && !kenv_is_readable(MmGetMdlVirtualAddress(MemoryDescriptorList),
                               MmGetMdlByteCount(MemoryDescriptorList)))
        ExRaiseStatus(STATUS_ACCESS_VIOLATION);
    fill_pages(MemoryDescriptorList);
    set_flags(MemoryDescriptorList,
        MDL_PAGES_LOCKED | (Operation == IoReadAccess ? 0 : MDL_WRITE_OPERATION), 0);
}

VOID MmUnlockPages(PMDL MemoryDescriptorList)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if ((MemoryDescriptorList->MdlFlags & MDL_PAGES_LOCKED) == 0)
        kenv_bugcheck(PFN_LIST_CORRUPT, (ULONG_PTR)MemoryDescriptorList, 0, 0, 0,
            "MmUnlockPages: the pages of MDL %p are not locked", (void *)MemoryDescriptorList);
    MemoryDescriptorList->MappedSystemVa = NULL;
    set_flags(
        MemoryDescriptorList, 0, MDL_PAGES_LOCKED | MDL_WRITE_OPERATION | MDL_MAPPED_TO_SYSTEM_VA);
}

PVOID MmMapLockedPagesSpecifyCache(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
    ULONG CacheType, PVOID RequestedAddress, ULONG BugCheckOnFailure, ULONG Priority)
{
    const CSHORT filled = MDL_PAGES_LOCKED | MDL_PARTIAL | MDL_SOURCE_IS_NONPAGED_POOL;

    UNREFERENCED_PARAMETER(AccessMode);
    UNREFERENCED_PARAMETER(CacheType);
    UNREFERENCED_PARAMETER(RequestedAddress);
    UNREFERENCED_PARAMETER(BugCheckOnFailure);
    UNREFERENCED_PARAMETER(Priority);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if ((MemoryDescriptorList->MdlFlags & filled) == 0)
        return NULL;
    MemoryDescriptorList->MappedSystemVa = MmGetMdlVirtualAddress(MemoryDescriptorList);
    set_flags(MemoryDescriptorList, MDL_MAPPED_TO_SYSTEM_VA, 0);
    return MemoryDescriptorList->MappedSystemVa;
}

VOID MmUnmapLockedPages(PVOID BaseAddress, PMDL MemoryDescriptorList)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if ((MemoryDescriptorList->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) == 0 ||
        BaseAddress != MemoryDescriptorList->MappedSystemVa)
        kenv_bugcheck(MEMORY_MANAGEMENT, (ULONG_PTR)MemoryDescriptorList, (ULONG_PTR)BaseAddress, 0,
            0, "MmUnmapLockedPages: MDL %p is not mapped at %p", (void *)MemoryDescriptorList,
            BaseAddress);
    MemoryDescriptorList->MappedSystemVa = NULL;
    set_flags(MemoryDescriptorList, 0, MDL_MAPPED_TO_SYSTEM_VA);
}

VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length)
{
    ULONG_PTR source = (ULONG_PTR)MmGetMdlVirtualAddress(SourceMdl);
    ULONG_PTR offset = (ULONG_PTR)VirtualAddress - source;
    SIZE_T room = ((SIZE_T)(USHORT)TargetMdl->Size - sizeof(MDL)) / sizeof(PFN_NUMBER);

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (offset > SourceMdl->ByteCount || Length > SourceMdl->ByteCount - offset)
        kenv_bugcheck(MEMORY_MANAGEMENT, (ULONG_PTR)SourceMdl, (ULONG_PTR)VirtualAddress, Length, 0,
            "IoBuildPartialMdl: %u bytes at %p are not inside MDL %p", Length, VirtualAddress,
            (void *)SourceMdl);
    if (Length == 0)
        Length = SourceMdl->ByteCount - (ULONG)offset;
    if (room < PAGES_MAX && ADDRESS_AND_SIZE_TO_SPAN_PAGES(VirtualAddress, Length) > room)
        kenv_bugcheck(MEMORY_MANAGEMENT, (ULONG_PTR)TargetMdl, (ULONG_PTR)VirtualAddress, Length, 0,
            "IoBuildPartialMdl: the page array of MDL %p is too short for %u bytes at %p",
            (void *)TargetMdl, Length, VirtualAddress);
    TargetMdl->StartVa = PAGE_ALIGN(VirtualAddress);
    TargetMdl->ByteOffset = BYTE_OFFSET(VirtualAddress);
    TargetMdl->ByteCount = Length;
    TargetMdl->MappedSystemVa = VirtualAddress;
    set_flags(TargetMdl, MDL_PARTIAL | ((ULONG)SourceMdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL),
        MDL_MAPPED_TO_SYSTEM_VA);
    fill_pages(TargetMdl);
}

PHYSICAL_ADDRESS MmGetPhysicalAddress(PVOID BaseAddress)
{
    PHYSICAL_ADDRESS address;

    address.QuadPart = (LONGLONG)(ULONG_PTR)BaseAddress;
    return address;
}
