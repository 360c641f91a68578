/* SPDX-License-Identifier: MIT */
/*
 * wdm.h: the kernel routines that a plain NDK consumer needs, in user mode.
 *
 * IRQL is a number per thread: PASSIVE_LEVEL until a spin lock, KeRaiseIrql or a callback of the
 * provider raises it. A call made at a higher IRQL than its comment allows is a bugcheck, which
 * prints what happened and aborts the process. "Any IRQL" means up to HIGH_LEVEL, "DISPATCH" means
 * at most DISPATCH_LEVEL. Routines follow the Windows page of their name; a difference is marked
 * [DEVIATION].
 */
#ifndef SOFTNDK_WDM_H
#define SOFTNDK_WDM_H

#include <ntdef.h>
#include <ntstatus.h>
#include <string.h>

SOFTNDK_BEGIN_DECLS

/* Debugging aids are on unless DBG is defined as 0. */
#ifndef DBG
#define DBG 1
#endif

/* ---- IRQL ---------------------------------------------------------------------------------- */

typedef UCHAR KIRQL, *PKIRQL;

#define PASSIVE_LEVEL  0
#define LOW_LEVEL      0
#define APC_LEVEL      1
#define DISPATCH_LEVEL 2
#define HIGH_LEVEL     15

/* The calling thread's IRQL. Any IRQL. */
SOFTNDK_API KIRQL KeGetCurrentIrql(VOID);
/* Raises; *OldIrql gets the previous level. A NewIrql below the current one is a bugcheck. */
SOFTNDK_API VOID KeRaiseIrql(KIRQL NewIrql, PKIRQL OldIrql);
/* Raises to DISPATCH_LEVEL and returns the previous level. */
SOFTNDK_API KIRQL KeRaiseIrqlToDpcLevel(VOID);
/* Goes back to a level that a raise returned; a NewIrql above the current one is a bugcheck. */
SOFTNDK_API VOID KeLowerIrql(KIRQL NewIrql);

/* Bugchecks if called above APC_LEVEL. */
#if DBG
#define PAGED_CODE() SoftNdkPagedCode(__func__)
#else
#define PAGED_CODE() ((void)0)
#endif
SOFTNDK_API VOID SoftNdkPagedCode(const char *Function);

/* ---- Bugcheck and debug output ------------------------------------------------------------- */

#define IRQL_NOT_GREATER_OR_EQUAL          0x00000009
#define IRQL_NOT_LESS_OR_EQUAL             0x0000000A
#define MAXIMUM_WAIT_OBJECTS_EXCEEDED      0x0000000C
#define SPIN_LOCK_ALREADY_OWNED            0x0000000F
#define SPIN_LOCK_NOT_OWNED                0x00000010
#define NO_MORE_IRP_STACK_LOCATIONS        0x00000035
#define MEMORY_MANAGEMENT                  0x0000001A
#define PFN_LIST_CORRUPT                   0x0000004E
#define BAD_POOL_CALLER                    0x000000C2
#define DRIVER_VERIFIER_DETECTED_VIOLATION 0x000000C4
#define DRIVER_IRQL_NOT_LESS_OR_EQUAL      0x000000D1
#define MANUALLY_INITIATED_CRASH           0x000000E2

/* Prints code, arguments, IRQL and stack to stderr and aborts. Any IRQL. Does not return. */
SOFTNDK_NORETURN SOFTNDK_API VOID KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1,
    ULONG_PTR BugCheckParameter2, ULONG_PTR BugCheckParameter3, ULONG_PTR BugCheckParameter4);
SOFTNDK_NORETURN SOFTNDK_API VOID KeBugCheck(ULONG BugCheckCode);

#define DPFLTR_ERROR_LEVEL   0
#define DPFLTR_WARNING_LEVEL 1
#define DPFLTR_TRACE_LEVEL   2
#define DPFLTR_INFO_LEVEL    3
#define DPFLTR_MASK          0x80000000
#define DPFLTR_DEFAULT_ID    101
#define DPFLTR_IHVDRIVER_ID  77
#define DPFLTR_IHVNETWORK_ID 80

/*
 * Formatted text to stderr, with the meaning that formats have on Windows: %ld and %lu are 32 bits
 * wide, %I64u, %wZ, %Z, %S and %ws work. Any IRQL. Always STATUS_SUCCESS.
 */
SOFTNDK_API ULONG DbgPrint(PCSTR Format, ...);
/* The same for one component; Level above DPFLTR_WARNING_LEVEL needs SOFTNDK_TRACE to be set. */
SOFTNDK_API ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...);
SOFTNDK_API ULONG vDbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, va_list arglist);
/* Reports a failed assertion and bugchecks. */
SOFTNDK_API VOID RtlAssert(PVOID FailedAssertion, PVOID FileName, ULONG LineNumber, PSTR Message);

#if DBG
#define KdPrint(_x_)   DbgPrint _x_
#define KdPrintEx(_x_) DbgPrintEx _x_
#define ASSERT(exp)                                                                                \
    ((exp) ? (void)0 : RtlAssert((PVOID) #exp, (PVOID)__FILE__, (ULONG)__LINE__, NULL))
#define ASSERTMSG(msg, exp)                                                                        \
    ((exp) ? (void)0 : RtlAssert((PVOID) #exp, (PVOID)__FILE__, (ULONG)__LINE__, (PSTR)(msg)))
#else
#define KdPrint(_x_)        ((void)0)
#define KdPrintEx(_x_)      ((void)0)
#define ASSERT(exp)         ((void)0)
#define ASSERTMSG(msg, exp) ((void)0)
#endif
#define NT_ASSERT(exp)         ASSERT(exp)
#define NT_ASSERTMSG(msg, exp) ASSERTMSG(msg, exp)
#define NT_VERIFY(exp)                                                                             \
    ((exp) ? TRUE : (RtlAssert((PVOID) #exp, (PVOID)__FILE__, (ULONG)__LINE__, NULL), FALSE))

/* ---- Lists --------------------------------------------------------------------------------- */
/* No locking: the caller serialises. Any IRQL. */

FORCEINLINE VOID InitializeListHead(PLIST_ENTRY ListHead)
{
    ListHead->Flink = ListHead->Blink = ListHead;
}

FORCEINLINE BOOLEAN IsListEmpty(const LIST_ENTRY *ListHead)
{
    return (BOOLEAN)(ListHead->Flink == ListHead);
}

/* Returns TRUE if the list is empty afterwards. */
FORCEINLINE BOOLEAN RemoveEntryList(PLIST_ENTRY Entry)
{
    PLIST_ENTRY next = Entry->Flink;
    PLIST_ENTRY prev = Entry->Blink;

    prev->Flink = next;
    next->Blink = prev;
    return (BOOLEAN)(next == prev);
}

/* On an empty list these two return ListHead itself. */
FORCEINLINE PLIST_ENTRY RemoveHeadList(PLIST_ENTRY ListHead)
{
    PLIST_ENTRY entry = ListHead->Flink;

    RemoveEntryList(entry);
    return entry;
}

FORCEINLINE PLIST_ENTRY RemoveTailList(PLIST_ENTRY ListHead)
{
    PLIST_ENTRY entry = ListHead->Blink;

    RemoveEntryList(entry);
    return entry;
}

FORCEINLINE VOID InsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry)
{
    Entry->Flink = ListHead->Flink;
    Entry->Blink = ListHead;
    ListHead->Flink->Blink = Entry;
    ListHead->Flink = Entry;
}

FORCEINLINE VOID InsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry)
{
    Entry->Flink = ListHead;
    Entry->Blink = ListHead->Blink;
    ListHead->Blink->Flink = Entry;
    ListHead->Blink = Entry;
}

/* Appends a list that has no head of its own: the entries around ListToAppend. */
FORCEINLINE VOID AppendTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListToAppend)
{
    PLIST_ENTRY last = ListHead->Blink;

    ListHead->Blink->Flink = ListToAppend;
    ListHead->Blink = ListToAppend->Blink;
    ListToAppend->Blink->Flink = ListHead;
    ListToAppend->Blink = last;
}

FORCEINLINE VOID PushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY Entry)
{
    Entry->Next = ListHead->Next;
    ListHead->Next = Entry;
}

/* NULL if the list is empty. */
FORCEINLINE PSINGLE_LIST_ENTRY PopEntryList(PSINGLE_LIST_ENTRY ListHead)
{
    PSINGLE_LIST_ENTRY first = ListHead->Next;

    if (first != NULL)
        ListHead->Next = first->Next;
    return first;
}

/* ---- Interlocked operations: all are full barriers, any IRQL ------------------------------- */

FORCEINLINE LONG InterlockedIncrement(volatile LONG *Addend)
{
    return __atomic_add_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG InterlockedDecrement(volatile LONG *Addend)
{
    return __atomic_sub_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}

/* Returns the value before the addition. */
FORCEINLINE LONG InterlockedExchangeAdd(volatile LONG *Addend, LONG Value)
{
    return __atomic_fetch_add(Addend, Value, __ATOMIC_SEQ_CST);
}

/* Returns the value after the addition. */
FORCEINLINE LONG InterlockedAdd(volatile LONG *Addend, LONG Value)
{
    return __atomic_add_fetch(Addend, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG InterlockedExchange(volatile LONG *Target, LONG Value)
{
    return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}

/* Returns the previous value; the exchange happened if it equals Comparand. */
FORCEINLINE LONG InterlockedCompareExchange(
    volatile LONG *Destination, LONG Exchange, LONG Comparand)
{
    (void)__atomic_compare_exchange_n(
        Destination, &Comparand, Exchange, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return Comparand;
}

FORCEINLINE LONG InterlockedAnd(volatile LONG *Destination, LONG Value)
{
    return __atomic_fetch_and(Destination, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG InterlockedOr(volatile LONG *Destination, LONG Value)
{
    return __atomic_fetch_or(Destination, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG InterlockedXor(volatile LONG *Destination, LONG Value)
{
    return __atomic_fetch_xor(Destination, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG64 InterlockedIncrement64(volatile LONG64 *Addend)
{
    return __atomic_add_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG64 InterlockedDecrement64(volatile LONG64 *Addend)
{
    return __atomic_sub_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG64 InterlockedExchangeAdd64(volatile LONG64 *Addend, LONG64 Value)
{
    return __atomic_fetch_add(Addend, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG64 InterlockedAdd64(volatile LONG64 *Addend, LONG64 Value)
{
    return __atomic_add_fetch(Addend, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG64 InterlockedExchange64(volatile LONG64 *Target, LONG64 Value)
{
    return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG64 InterlockedCompareExchange64(
    volatile LONG64 *Destination, LONG64 Exchange, LONG64 Comparand)
{
    (void)__atomic_compare_exchange_n(
        Destination, &Comparand, Exchange, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return Comparand;
}

FORCEINLINE PVOID InterlockedExchangePointer(PVOID volatile *Target, PVOID Value)
{
    return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE PVOID InterlockedCompareExchangePointer(
    PVOID volatile *Destination, PVOID Exchange, PVOID Comparand)
{
    (void)__atomic_compare_exchange_n(
        Destination, &Comparand, Exchange, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return Comparand;
}

FORCEINLINE LONG ReadAcquire(const volatile LONG *Source)
{
    return __atomic_load_n(Source, __ATOMIC_ACQUIRE);
}

FORCEINLINE VOID WriteRelease(volatile LONG *Destination, LONG Value)
{
    __atomic_store_n(Destination, Value, __ATOMIC_RELEASE);
}

#define KeMemoryBarrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define MemoryBarrier()   __atomic_thread_fence(__ATOMIC_SEQ_CST)
#if defined(__x86_64__) || defined(__i386__)
#define YieldProcessor() __builtin_ia32_pause()
#else
#define YieldProcessor() ((void)0)
#endif

/* ---- Spin locks ---------------------------------------------------------------------------- */
/*
 * A held lock keeps the thread at DISPATCH_LEVEL. Taking a lock twice in one thread, or releasing
 * one that the thread does not hold, is a bugcheck. [DEVIATION] a waiter spins briefly and then
 * sleeps, so that a preempted owner costs no core.
 */
typedef ULONG_PTR KSPIN_LOCK, *PKSPIN_LOCK;

typedef struct _KSPIN_LOCK_QUEUE {
    struct _KSPIN_LOCK_QUEUE *volatile Next;
    PKSPIN_LOCK volatile Lock;
} KSPIN_LOCK_QUEUE, *PKSPIN_LOCK_QUEUE;

typedef struct _KLOCK_QUEUE_HANDLE {
    KSPIN_LOCK_QUEUE LockQueue;
    KIRQL OldIrql;
} KLOCK_QUEUE_HANDLE, *PKLOCK_QUEUE_HANDLE;

/* Any IRQL. The lock needs no destruction. */
SOFTNDK_API VOID KeInitializeSpinLock(PKSPIN_LOCK SpinLock);
/* DISPATCH. The first stores or returns the previous IRQL for the release. */
SOFTNDK_API VOID KeAcquireSpinLock(PKSPIN_LOCK SpinLock, PKIRQL OldIrql);
SOFTNDK_API KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock);
SOFTNDK_API VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql);
/* Exactly DISPATCH_LEVEL on entry and on return. */
SOFTNDK_API VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock);
SOFTNDK_API VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock);
/* TRUE if it got the lock; never waits. DISPATCH_LEVEL. */
SOFTNDK_API BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock);
/* TRUE if nobody holds the lock at this moment. Any IRQL. */
SOFTNDK_API BOOLEAN KeTestSpinLock(PKSPIN_LOCK SpinLock);
/* The same locks; LockHandle is the caller's and must live until the release. */
SOFTNDK_API VOID KeAcquireInStackQueuedSpinLock(
    PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle);
SOFTNDK_API VOID KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle);
SOFTNDK_API VOID KeAcquireInStackQueuedSpinLockAtDpcLevel(
    PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle);
SOFTNDK_API VOID KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle);

/* ---- Events and waits ---------------------------------------------------------------------- */

typedef LONG KPRIORITY;
typedef CHAR KPROCESSOR_MODE;

typedef enum _MODE { KernelMode, UserMode, MaximumMode } MODE;

typedef enum _KWAIT_REASON {
    Executive,
    FreePage,
    PageIn,
    PoolAllocation,
    DelayExecution,
    Suspended,
    UserRequest,
    MaximumWaitReason = 41
} KWAIT_REASON;

typedef enum _WAIT_TYPE { WaitAll, WaitAny } WAIT_TYPE;

typedef enum _EVENT_TYPE { NotificationEvent, SynchronizationEvent } EVENT_TYPE;

#define IO_NO_INCREMENT      0
#define IO_NETWORK_INCREMENT 2
#define EVENT_INCREMENT      1
#define MAXIMUM_WAIT_OBJECTS 64
#define THREAD_WAIT_OBJECTS  3

/* Opaque to consumers; every waitable object starts with one. */
typedef struct _DISPATCHER_HEADER {
    UCHAR Type;
    UCHAR Signalling;
    UCHAR Size;
    UCHAR Reserved1;
    LONG SignalState;
    LIST_ENTRY WaitListHead;
} DISPATCHER_HEADER, *PDISPATCHER_HEADER;

/*
 * May live on a stack: once a wait has returned, whoever set the event no longer touches it.
 * It needs no destruction, but must outlive every wait.
 */
typedef struct _KEVENT {
    DISPATCHER_HEADER Header;
} KEVENT, *PKEVENT, *PRKEVENT;

typedef struct _KWAIT_BLOCK {
    ULONG_PTR Reserved[6];
} KWAIT_BLOCK, *PKWAIT_BLOCK;

/* Any IRQL. A NotificationEvent stays set until cleared; a SynchronizationEvent frees one wait. */
SOFTNDK_API VOID KeInitializeEvent(PKEVENT Event, EVENT_TYPE Type, BOOLEAN State);
/* Sets and wakes; returns the previous state (non-zero: was set). DISPATCH; Wait must be FALSE
 * above APC_LEVEL and is otherwise a hint that is ignored. */
SOFTNDK_API LONG KeSetEvent(PKEVENT Event, KPRIORITY Increment, BOOLEAN Wait);
/* Makes the event not set. DISPATCH. */
SOFTNDK_API VOID KeClearEvent(PKEVENT Event);
/* The same, and returns the previous state. DISPATCH. */
SOFTNDK_API LONG KeResetEvent(PKEVENT Event);
/* Non-zero if set. Any IRQL. */
SOFTNDK_API LONG KeReadStateEvent(PKEVENT Event);

/*
 * Waits until Object (a KEVENT) is set. Timeout in units of 100 ns: NULL waits for ever, zero does
 * not wait, negative is relative, positive is absolute system time. At most APC_LEVEL, or DISPATCH
 * with a zero timeout; anything else is a bugcheck. [DEVIATION] no APCs: Alertable has no effect.
 * STATUS_SUCCESS; STATUS_TIMEOUT.
 */
SOFTNDK_API NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason,
    KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Timeout);
/*
 * The same for Count objects (1 to MAXIMUM_WAIT_OBJECTS; more than THREAD_WAIT_OBJECTS need a
 * WaitBlockArray of Count entries). STATUS_WAIT_0 + index (WaitAny), STATUS_SUCCESS (WaitAll),
 * STATUS_TIMEOUT.
 */
SOFTNDK_API NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType,
    KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Timeout,
    PKWAIT_BLOCK WaitBlockArray);

/* ---- Time ---------------------------------------------------------------------------------- */

/* Monotonic counter; *PerformanceFrequency (may be NULL) gets its counts per second. Any IRQL. */
SOFTNDK_API LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency);
/* 100 ns units since 1 January 1601, UTC. Any IRQL. */
SOFTNDK_API VOID KeQuerySystemTime(PLARGE_INTEGER CurrentTime);
SOFTNDK_API VOID KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime);
/* 100 ns units since some start; never goes back. Any IRQL. */
SOFTNDK_API ULONGLONG KeQueryInterruptTime(VOID);
/* Ticks since some start, and 100 ns units per tick. Any IRQL. */
SOFTNDK_API VOID KeQueryTickCount(PLARGE_INTEGER TickCount);
SOFTNDK_API ULONG KeQueryTimeIncrement(VOID);
/* Sleeps; Interval as the timeout of a wait. APC_LEVEL. STATUS_SUCCESS. */
SOFTNDK_API NTSTATUS KeDelayExecutionThread(
    KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Interval);
/* Spins. Any IRQL. */
SOFTNDK_API VOID KeStallExecutionProcessor(ULONG MicroSeconds);

/* ---- Processors ---------------------------------------------------------------------------- */

#define ALL_PROCESSOR_GROUPS 0xffff

/* Processors of group 0 (the only one) or of ALL_PROCESSOR_GROUPS; 0 for others. Any IRQL. */
SOFTNDK_API ULONG KeQueryActiveProcessorCountEx(USHORT GroupNumber);
SOFTNDK_API ULONG KeQueryMaximumProcessorCountEx(USHORT GroupNumber);
/* Where the thread runs at this moment; ProcNumber may be NULL. Any IRQL. */
SOFTNDK_API ULONG KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber);

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
 * 4 GiB - PAGE_SIZE. Irp must be NULL ([DEVIATION] until there are IRPs), SecondaryBuffer and
 * ChargeQuota FALSE. DISPATCH. Freed by IoFreeMdl.
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
 * Fills in the pages and marks them locked. [DEVIATION] host memory is not pinned, and nothing is
 * raised for an invalid range: an MDL must describe memory of the process.
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

/* ---- Run-time library ---------------------------------------------------------------------- */

#define RtlCopyMemory(Destination, Source, Length) memcpy((Destination), (Source), (Length))
#define RtlMoveMemory(Destination, Source, Length) memmove((Destination), (Source), (Length))
#define RtlFillMemory(Destination, Length, Fill)   memset((Destination), (Fill), (Length))
#define RtlZeroMemory(Destination, Length)         memset((Destination), 0, (Length))
#define RtlEqualMemory(Source1, Source2, Length)   (!memcmp((Source1), (Source2), (Length)))
#define RtlCopyBytes                               RtlCopyMemory
#define RtlZeroBytes                               RtlZeroMemory

/* Zeroes memory in a way that is not optimised away. */
SOFTNDK_API PVOID RtlSecureZeroMemory(PVOID Destination, SIZE_T Length);
/* Number of leading bytes that are equal. */
SOFTNDK_API SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length);

#define RtlUshortByteSwap(Source)    ((USHORT)__builtin_bswap16((USHORT)(Source)))
#define RtlUlongByteSwap(Source)     ((ULONG)__builtin_bswap32((ULONG)(Source)))
#define RtlUlonglongByteSwap(Source) ((ULONGLONG)__builtin_bswap64((ULONGLONG)(Source)))

/* Point a counted string at text; NULL gives an empty one. Any IRQL. */
SOFTNDK_API VOID RtlInitAnsiString(PANSI_STRING DestinationString, PCSTR SourceString);
SOFTNDK_API VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString);
/* Compare counted strings; CaseInSensitive folds ASCII letters ([DEVIATION] only those). */
SOFTNDK_API BOOLEAN RtlEqualString(
    const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive);
SOFTNDK_API BOOLEAN RtlEqualUnicodeString(
    PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive);
/* Copies as much as fits into the destination's buffer. */
SOFTNDK_API VOID RtlCopyUnicodeString(
    PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString);

SOFTNDK_END_DECLS

#endif /* SOFTNDK_WDM_H */
