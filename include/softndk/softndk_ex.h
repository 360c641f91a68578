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

typedef ULONG64 POOL_FLAGS;

#define POOL_FLAG_USE_QUOTA         0x0000000000000001ULL
#define POOL_FLAG_UNINITIALIZED     0x0000000000000002ULL
#define POOL_FLAG_SESSION           0x0000000000000004ULL
#define POOL_FLAG_CACHE_ALIGNED     0x0000000000000008ULL
#define POOL_FLAG_RAISE_ON_FAILURE  0x0000000000000020ULL
#define POOL_FLAG_NON_PAGED         0x0000000000000040ULL
#define POOL_FLAG_NON_PAGED_EXECUTE 0x0000000000000080ULL
#define POOL_FLAG_PAGED             0x0000000000000100ULL

/*
 * Memory, 16-byte aligned, page aligned from PAGE_SIZE bytes up, not initialised; NULL if there is
 * none. Tag must not be 0. DISPATCH; paged pool APC_LEVEL. Freed by ExFreePoolWithTag or
 * ExFreePool.
 */
SOFTNDK_API PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
/* The same, zeroed. */
SOFTNDK_API PVOID ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
/*
 * The same, zeroed unless POOL_FLAG_UNINITIALIZED. Flags name exactly one pool; NULL otherwise.
 * [DEVIATION] POOL_FLAG_RAISE_ON_FAILURE bugchecks, there are no exceptions.
 */
SOFTNDK_API PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag);
/*
 * Frees. Tag must be the one of the allocation, or 0 for any. A wrong tag, a second free, memory
 * not from the pool, or paged pool above APC_LEVEL is a bugcheck. DISPATCH.
 */
SOFTNDK_API VOID ExFreePoolWithTag(PVOID P, ULONG Tag);
SOFTNDK_API VOID ExFreePool(PVOID P);

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

SOFTNDK_END_DECLS

#endif /* SOFTNDK_KENV_EX_H */
