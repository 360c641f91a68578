/* SPDX-License-Identifier: MIT */
/* Lookaside lists that keep nothing aside: each entry is an allocation of its own. */
#include "kenv/bugcheck.h"
#include "kenv/irql.h"
#include "kenv/track.h"

static void init(PGENERAL_LOOKASIDE l, ULONG type, SIZE_T size, ULONG tag)
{
    memset(l, 0, sizeof(*l));
    l->Type = (POOL_TYPE)type;
    l->Size = size;
    l->Tag = tag;
    l->Reserved = kenv_track(SoftNdkDrvLookaside, l, tag, 0, "lookaside list");
}

static void forget(PGENERAL_LOOKASIDE l)
{
    kenv_untrack(l->Reserved);
    memset(l, 0, sizeof(*l));
}

static void require_list(const GENERAL_LOOKASIDE *l, const char *function)
{
    if (l->Tag == 0)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)l, 0, 0, 0,
            "%s was given lookaside list %p, which was never initialised or was deleted", function,
            (const void *)l);
}

static PVOID take(PGENERAL_LOOKASIDE l, PLOOKASIDE_LIST_EX ex, const char *function)
{
    PVOID entry;

    NDK_REQUIRE_IRQL_MAX(((ULONG)l->Type & 1) != 0 ? APC_LEVEL : DISPATCH_LEVEL);
    require_list(l, function);
    if (l->AllocateEx != NULL)
        entry = l->AllocateEx(l->Type, l->Size, l->Tag, ex);
    else if (l->Allocate != NULL)
        entry = l->Allocate(l->Type, l->Size, l->Tag);
    else
        entry = ExAllocatePoolWithTag(l->Type, l->Size, l->Tag);
    if (entry != NULL)
        __atomic_fetch_add(&l->TotalAllocates, 1, __ATOMIC_RELAXED);
    return entry;
}

static void give(PGENERAL_LOOKASIDE l, PLOOKASIDE_LIST_EX ex, PVOID entry, const char *function)
{
    NDK_REQUIRE_IRQL_MAX(((ULONG)l->Type & 1) != 0 ? APC_LEVEL : DISPATCH_LEVEL);
    require_list(l, function);
    __atomic_fetch_add(&l->TotalFrees, 1, __ATOMIC_RELAXED);
    if (l->FreeEx != NULL)
        l->FreeEx(entry, ex);
    else if (l->Free != NULL)
        l->Free(entry);
    else
        ExFreePoolWithTag(entry, l->Tag);
}

VOID ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate,
    PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    UNREFERENCED_PARAMETER(Depth);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    init(
        &Lookaside->L, (ULONG)NonPagedPool | (Flags & POOL_RAISE_IF_ALLOCATION_FAILURE), Size, Tag);
    Lookaside->L.Allocate = Allocate;
    Lookaside->L.Free = Free;
}

VOID ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    require_list(&Lookaside->L, __func__);
    forget(&Lookaside->L);
}

PVOID ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
    return take(&Lookaside->L, NULL, __func__);
}

VOID ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry)
{
    give(&Lookaside->L, NULL, Entry, __func__);
}

VOID ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate,
    PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    UNREFERENCED_PARAMETER(Depth);
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    init(&Lookaside->L, (ULONG)PagedPool | (Flags & POOL_RAISE_IF_ALLOCATION_FAILURE), Size, Tag);
    Lookaside->L.Allocate = Allocate;
    Lookaside->L.Free = Free;
}

VOID ExDeletePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    require_list(&Lookaside->L, __func__);
    forget(&Lookaside->L);
}

PVOID ExAllocateFromPagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside)
{
    return take(&Lookaside->L, NULL, __func__);
}

VOID ExFreeToPagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry)
{
    give(&Lookaside->L, NULL, Entry, __func__);
}

NTSTATUS ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PALLOCATE_FUNCTION_EX Allocate,
    PFREE_FUNCTION_EX Free, POOL_TYPE PoolType, ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    ULONG type = (ULONG)PoolType;

    UNREFERENCED_PARAMETER(Depth);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if ((type & ~(ULONG)(POOL_NX_ALLOCATION | 5)) != 0)
        return STATUS_INVALID_PARAMETER_4;
    if (Flags > EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE)
        return STATUS_INVALID_PARAMETER_5;
    init(&Lookaside->L,
        type | (Flags == EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL ? POOL_RAISE_IF_ALLOCATION_FAILURE
                                                                  : 0),
        Size, Tag);
    Lookaside->L.AllocateEx = Allocate;
    Lookaside->L.FreeEx = Free;
    return STATUS_SUCCESS;
}

VOID ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    require_list(&Lookaside->L, __func__);
    forget(&Lookaside->L);
}

VOID ExFlushLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    require_list(&Lookaside->L, __func__);
}

PVOID ExAllocateFromLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    return take(&Lookaside->L, Lookaside, __func__);
}

VOID ExFreeToLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PVOID Entry)
{
    give(&Lookaside->L, Lookaside, Entry, __func__);
}
