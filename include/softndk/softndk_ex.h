/* SPDX-License-Identifier: MIT */
/*
 * Part of wdm.h, not for direct inclusion by drivers: pool, lookaside lists, executive locks and
 * rundown protection, executive work items.
 */
#ifndef SOFTNDK_KENV_EX_H
#define SOFTNDK_KENV_EX_H

#include <softndk_ke.h>

SOFTNDK_BEGIN_DECLS

/* ---- Pool ---------------------------------------------------------------------------------- */

typedef enum _POOL_TYPE {
    NonPagedPool = 0,
    NonPagedPoolExecute = 0,
    PagedPool = 1,
    NonPagedPoolMustSucceed = 2,
    NonPagedPoolCacheAligned = 4,
    PagedPoolCacheAligned = 5,
    NonPagedPoolNx = 512,
    NonPagedPoolNxCacheAligned = 516
} POOL_TYPE;

/* In a POOL_TYPE, beside the type. */
#define POOL_QUOTA_FAIL_INSTEAD_OF_RAISE 8
#define POOL_RAISE_IF_ALLOCATION_FAILURE 16
#define POOL_COLD_ALLOCATION             256
#define POOL_NX_ALLOCATION               512
#define POOL_ZERO_ALLOCATION             1024

typedef ULONG64 POOL_FLAGS;

#define POOL_FLAG_USE_QUOTA         0x0000000000000001ULL
#define POOL_FLAG_UNINITIALIZED     0x0000000000000002ULL
#define POOL_FLAG_SESSION           0x0000000000000004ULL
#define POOL_FLAG_CACHE_ALIGNED     0x0000000000000008ULL
#define POOL_FLAG_RAISE_ON_FAILURE  0x0000000000000020ULL
#define POOL_FLAG_NON_PAGED         0x0000000000000040ULL
#define POOL_FLAG_NON_PAGED_EXECUTE 0x0000000000000080ULL
#define POOL_FLAG_PAGED             0x0000000000000100ULL
#define POOL_FLAG_OPTIONAL_START    0x0000000100000000ULL
#define POOL_FLAG_SPECIAL_POOL      0x0000000100000000ULL

typedef enum _EX_POOL_PRIORITY {
    LowPoolPriority = 0,
    LowPoolPrioritySpecialPoolOverrun = 8,
    LowPoolPrioritySpecialPoolUnderrun = 9,
    NormalPoolPriority = 16,
    NormalPoolPrioritySpecialPoolOverrun = 24,
    NormalPoolPrioritySpecialPoolUnderrun = 25,
    HighPoolPriority = 32,
    HighPoolPrioritySpecialPoolOverrun = 40,
    HighPoolPrioritySpecialPoolUnderrun = 41
} EX_POOL_PRIORITY;

typedef enum _POOL_EXTENDED_PARAMETER_TYPE {
    PoolExtendedParameterInvalidType = 0,
    PoolExtendedParameterPriority,
    PoolExtendedParameterSecurePool,
    PoolExtendedParameterNumaNode,
    PoolExtendedParameterMax
} POOL_EXTENDED_PARAMETER_TYPE;

typedef struct _POOL_EXTENDED_PARAMETER {
    struct {
        ULONG64 Type : 8;
        ULONG64 Optional : 1;
        ULONG64 Reserved : 55;
    };
    union {
        ULONG64 Reserved2;
        PVOID Reserved3;
        EX_POOL_PRIORITY Priority;
        PVOID SecurePoolParams;
        ULONG PreferredNode;
    };
} POOL_EXTENDED_PARAMETER, *PPOOL_EXTENDED_PARAMETER;
typedef const POOL_EXTENDED_PARAMETER *PCPOOL_EXTENDED_PARAMETER;

/*
 * Memory, 16-byte aligned, page aligned from PAGE_SIZE bytes up, not initialised; NULL if there is
 * none (a raised STATUS_INSUFFICIENT_RESOURCES with POOL_RAISE_IF_ALLOCATION_FAILURE, and for the
 * Quota routines without POOL_QUOTA_FAIL_INSTEAD_OF_RAISE). Tag must not be 0. DISPATCH; paged pool
 * APC_LEVEL. Freed by ExFreePoolWithTag or ExFreePool. Priority and quota have no effect.
 */
SOFTNDK_API PVOID ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes);
SOFTNDK_API PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
SOFTNDK_API PVOID ExAllocatePoolWithTagPriority(
    POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, EX_POOL_PRIORITY Priority);
SOFTNDK_API PVOID ExAllocatePoolWithQuota(POOL_TYPE PoolType, SIZE_T NumberOfBytes);
SOFTNDK_API PVOID ExAllocatePoolWithQuotaTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
SOFTNDK_API PVOID ExAllocatePoolUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
/* The same, zeroed. */
SOFTNDK_API PVOID ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
SOFTNDK_API PVOID ExAllocatePoolPriorityZero(
    POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, EX_POOL_PRIORITY Priority);
SOFTNDK_API PVOID ExAllocatePoolQuotaZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
#define ExAllocatePoolPriorityUninitialized ExAllocatePoolWithTagPriority
#define ExAllocatePoolQuotaUninitialized    ExAllocatePoolWithQuotaTag
/*
 * The same, zeroed unless POOL_FLAG_UNINITIALIZED. Flags name exactly one pool and nothing unknown
 * below POOL_FLAG_OPTIONAL_START; NULL otherwise, and for no bytes. ExAllocatePool3's parameters of
 * an unknown type make it fail unless they are optional.
 */
SOFTNDK_API PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag);
SOFTNDK_API PVOID ExAllocatePool3(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag,
    PCPOOL_EXTENDED_PARAMETER ExtendedParameters, ULONG ExtendedParametersCount);
/*
 * Frees. Tag must be the one of the allocation, or 0 for any. A wrong tag, a second free, memory
 * not from the pool, memory written to beyond its end, memory that holds a timer that is set or the
 * like, or paged pool above APC_LEVEL is a bugcheck. DISPATCH.
 */
SOFTNDK_API VOID ExFreePoolWithTag(PVOID P, ULONG Tag);
SOFTNDK_API VOID ExFreePool(PVOID P);
SOFTNDK_API VOID ExFreePool2(PVOID P, ULONG Tag, PCPOOL_EXTENDED_PARAMETER ExtendedParameters,
    ULONG ExtendedParametersCount);
#define ExInitializeDriverRuntime(RuntimeFlags) ((void)(RuntimeFlags))
#define DrvRtPoolNxOptIn                        0x00000001

/* ---- Lookaside lists ----------------------------------------------------------------------- */
/*
 * [DEVIATION] nothing is kept aside: each allocation and each free is one of the pool (or of the
 * list's own routines), so that the pool's checks see it. DISPATCH for nonpaged lists, APC_LEVEL
 * for paged ones.
 */

typedef PVOID ALLOCATE_FUNCTION(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
typedef ALLOCATE_FUNCTION *PALLOCATE_FUNCTION;
typedef VOID FREE_FUNCTION(PVOID Buffer);
typedef FREE_FUNCTION *PFREE_FUNCTION;

struct _LOOKASIDE_LIST_EX;
typedef PVOID ALLOCATE_FUNCTION_EX(
    POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, struct _LOOKASIDE_LIST_EX *Lookaside);
typedef ALLOCATE_FUNCTION_EX *PALLOCATE_FUNCTION_EX;
typedef VOID FREE_FUNCTION_EX(PVOID Buffer, struct _LOOKASIDE_LIST_EX *Lookaside);
typedef FREE_FUNCTION_EX *PFREE_FUNCTION_EX;

typedef struct _GENERAL_LOOKASIDE {
    POOL_TYPE Type;
    ULONG Tag;
    SIZE_T Size;
    ULONG TotalAllocates;
    ULONG TotalFrees;
    PALLOCATE_FUNCTION Allocate;
    PFREE_FUNCTION Free;
    PALLOCATE_FUNCTION_EX AllocateEx;
    PFREE_FUNCTION_EX FreeEx;
    PVOID Reserved;
} GENERAL_LOOKASIDE, *PGENERAL_LOOKASIDE;

typedef struct _NPAGED_LOOKASIDE_LIST {
    GENERAL_LOOKASIDE L;
} NPAGED_LOOKASIDE_LIST, *PNPAGED_LOOKASIDE_LIST;

typedef struct _PAGED_LOOKASIDE_LIST {
    GENERAL_LOOKASIDE L;
} PAGED_LOOKASIDE_LIST, *PPAGED_LOOKASIDE_LIST;

typedef struct _LOOKASIDE_LIST_EX {
    GENERAL_LOOKASIDE L;
} LOOKASIDE_LIST_EX, *PLOOKASIDE_LIST_EX;

#define EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL 0x00000001
#define EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE 0x00000002
#define EX_MAXIMUM_LOOKASIDE_DEPTH_BASE          256

/* Allocate and Free may be NULL: the pool. Each list that is initialised must be deleted. */
SOFTNDK_API VOID ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside,
    PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag,
    USHORT Depth);
SOFTNDK_API VOID ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside);
SOFTNDK_API PVOID ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside);
SOFTNDK_API VOID ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry);
SOFTNDK_API VOID ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside,
    PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag,
    USHORT Depth);
SOFTNDK_API VOID ExDeletePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside);
SOFTNDK_API PVOID ExAllocateFromPagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside);
SOFTNDK_API VOID ExFreeToPagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry);
/* STATUS_SUCCESS; STATUS_INVALID_PARAMETER_4 or _5: no such pool, no such flags. */
SOFTNDK_API NTSTATUS ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside,
    PALLOCATE_FUNCTION_EX Allocate, PFREE_FUNCTION_EX Free, POOL_TYPE PoolType, ULONG Flags,
    SIZE_T Size, ULONG Tag, USHORT Depth);
SOFTNDK_API VOID ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside);
SOFTNDK_API VOID ExFlushLookasideListEx(PLOOKASIDE_LIST_EX Lookaside);
SOFTNDK_API PVOID ExAllocateFromLookasideListEx(PLOOKASIDE_LIST_EX Lookaside);
SOFTNDK_API VOID ExFreeToLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PVOID Entry);

/* ---- Work items of the executive ----------------------------------------------------------- */

typedef enum _WORK_QUEUE_TYPE {
    CriticalWorkQueue,
    DelayedWorkQueue,
    HyperCriticalWorkQueue,
    NormalWorkQueue,
    BackgroundWorkQueue,
    RealTimeWorkQueue,
    SuperCriticalWorkQueue,
    MaximumWorkQueue,
    CustomPriorityWorkQueue = 32
} WORK_QUEUE_TYPE;

typedef VOID WORKER_THREAD_ROUTINE(PVOID Parameter);
typedef WORKER_THREAD_ROUTINE *PWORKER_THREAD_ROUTINE;

typedef struct _WORK_QUEUE_ITEM {
    LIST_ENTRY List;
    PWORKER_THREAD_ROUTINE WorkerRoutine;
    PVOID Parameter;
} WORK_QUEUE_ITEM, *PWORK_QUEUE_ITEM;

FORCEINLINE VOID ExInitializeWorkItem(
    PWORK_QUEUE_ITEM WorkItem, PWORKER_THREAD_ROUTINE Routine, PVOID Context)
{
    WorkItem->WorkerRoutine = Routine;
    WorkItem->Parameter = Context;
    WorkItem->List.Flink = NULL;
}

/* The routine runs at PASSIVE_LEVEL on a system thread; all queue types are one queue. DISPATCH.
 * Queued already is a bugcheck. */
SOFTNDK_API VOID ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType);

/* ---- Timers of the executive --------------------------------------------------------------- */

typedef struct _EX_TIMER EX_TIMER, *PEX_TIMER;
typedef VOID EXT_CALLBACK(PEX_TIMER Timer, PVOID Context);
typedef EXT_CALLBACK *PEXT_CALLBACK;
typedef VOID EXT_DELETE_CALLBACK(PVOID Context);
typedef EXT_DELETE_CALLBACK *PEXT_DELETE_CALLBACK;

typedef struct _EXT_SET_PARAMETERS {
    ULONG Version;
    ULONG Reserved;
    LONGLONG NoWakeTolerance;
} EXT_SET_PARAMETERS, *PEXT_SET_PARAMETERS;

typedef struct _EXT_DELETE_PARAMETERS {
    ULONG Version;
    ULONG Reserved;
    PEXT_DELETE_CALLBACK DeleteCallback;
    PVOID DeleteContext;
} EXT_DELETE_PARAMETERS, *PEXT_DELETE_PARAMETERS;

#define EX_TIMER_HIGH_RESOLUTION 0x4
#define EX_TIMER_NO_WAKE         0x8
#define EX_TIMER_NOTIFICATION    (1u << 31)

FORCEINLINE VOID ExInitializeSetTimerParameters(PEXT_SET_PARAMETERS Parameters)
{
    Parameters->Version = 0;
    Parameters->Reserved = 0;
    Parameters->NoWakeTolerance = 0;
}

FORCEINLINE VOID ExInitializeDeleteTimerParameters(PEXT_DELETE_PARAMETERS Parameters)
{
    Parameters->Version = 0;
    Parameters->Reserved = 0;
    Parameters->DeleteCallback = NULL;
    Parameters->DeleteContext = NULL;
}

/* Callback (may be NULL) runs at DISPATCH_LEVEL. A synchronization timer unless
 * EX_TIMER_NOTIFICATION. The timer may be waited for. NULL: no memory. DISPATCH. */
SOFTNDK_API PEX_TIMER ExAllocateTimer(
    PEXT_CALLBACK Callback, PVOID CallbackContext, ULONG Attributes);
/* DueTime and Period (0: once) in 100 ns; Period is rounded up to milliseconds. TRUE: it was set.
 * DISPATCH. */
SOFTNDK_API BOOLEAN ExSetTimer(
    PEX_TIMER Timer, LONGLONG DueTime, LONGLONG Period, PEXT_SET_PARAMETERS Parameters);
SOFTNDK_API BOOLEAN ExCancelTimer(PEX_TIMER Timer, PVOID Parameters);
/*
 * Ends the timer, after its callback if that runs. Cancel FALSE while it is set, or Wait without
 * Cancel, is a bugcheck. Wait: the callback has returned afterwards, APC_LEVEL; else DISPATCH.
 * TRUE: Cancel, and it was set.
 */
SOFTNDK_API BOOLEAN ExDeleteTimer(
    PEX_TIMER Timer, BOOLEAN Cancel, BOOLEAN Wait, PEXT_DELETE_PARAMETERS Parameters);

SOFTNDK_END_DECLS

#endif /* SOFTNDK_KENV_EX_H */
