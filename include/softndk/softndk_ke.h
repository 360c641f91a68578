/* SPDX-License-Identifier: MIT */
/*
 * Part of wdm.h, not for direct inclusion by drivers: IRQL, spin locks, dispatcher objects and
 * waits, DPCs, timers, time, processors.
 */
#ifndef SOFTNDK_KENV_KE_H
#define SOFTNDK_KENV_KE_H

#include <ntdef.h>
#include <ntstatus.h>
#include <string.h>

SOFTNDK_BEGIN_DECLS

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

/* ---- Dispatcher objects -------------------------------------------------------------------- */

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
typedef enum _TIMER_TYPE { NotificationTimer, SynchronizationTimer } TIMER_TYPE;

#define LOW_PRIORITY          0
#define LOW_REALTIME_PRIORITY 16
#define HIGH_PRIORITY         31
#define IO_NO_INCREMENT       0
#define IO_NETWORK_INCREMENT  2
#define IO_DISK_INCREMENT     1
#define EVENT_INCREMENT       1
#define SEMAPHORE_INCREMENT   1
#define MUTANT_INCREMENT      1
#define MAXIMUM_WAIT_OBJECTS  64
#define THREAD_WAIT_OBJECTS   3

/* Opaque to drivers; every waitable object starts with one. */
typedef struct _DISPATCHER_HEADER {
    UCHAR Type;
    UCHAR Signalling;
    UCHAR Size;
    UCHAR Reserved1;
    LONG SignalState;
    LIST_ENTRY WaitListHead;
} DISPATCHER_HEADER, *PDISPATCHER_HEADER;

struct _KTHREAD;
struct _ETHREAD;
struct _EPROCESS;
typedef struct _KTHREAD *PKTHREAD, *PRKTHREAD;
typedef struct _ETHREAD *PETHREAD;
typedef struct _EPROCESS *PEPROCESS;

/*
 * May live on a stack: once a wait has returned, whoever set the event no longer touches it.
 * It needs no destruction, but must outlive every wait.
 */
typedef struct _KEVENT {
    DISPATCHER_HEADER Header;
} KEVENT, *PKEVENT, *PRKEVENT;

typedef struct _KSEMAPHORE {
    DISPATCHER_HEADER Header;
    LONG Limit;
} KSEMAPHORE, *PKSEMAPHORE, *PRKSEMAPHORE;

typedef struct _KMUTANT {
    DISPATCHER_HEADER Header;
    LIST_ENTRY MutantListEntry;
    PKTHREAD OwnerThread;
    UCHAR Abandoned;
    UCHAR ApcDisable;
} KMUTANT, *PKMUTANT, *PRKMUTANT, KMUTEX, *PKMUTEX, *PRKMUTEX;

typedef struct _KWAIT_BLOCK {
    ULONG_PTR Reserved[6];
} KWAIT_BLOCK, *PKWAIT_BLOCK;

/* Any IRQL. A NotificationEvent stays set until cleared; a SynchronizationEvent frees one wait. */
SOFTNDK_API VOID KeInitializeEvent(PKEVENT Event, EVENT_TYPE Type, BOOLEAN State);
/* Sets and wakes; returns the previous state (non-zero: was set). DISPATCH; Wait must be FALSE
 * above APC_LEVEL and is otherwise a hint that is ignored. */
SOFTNDK_API LONG KeSetEvent(PKEVENT Event, KPRIORITY Increment, BOOLEAN Wait);
/* Lets those pass that wait now and leaves the event not set; returns the previous state.
 * DISPATCH, with Wait as above. */
SOFTNDK_API LONG KePulseEvent(PKEVENT Event, KPRIORITY Increment, BOOLEAN Wait);
/* Makes the event not set. DISPATCH. */
SOFTNDK_API VOID KeClearEvent(PKEVENT Event);
/* The same, and returns the previous state. DISPATCH. */
SOFTNDK_API LONG KeResetEvent(PKEVENT Event);
/* Non-zero if set. Any IRQL. */
SOFTNDK_API LONG KeReadStateEvent(PKEVENT Event);

/* Any IRQL. Count: initial, 0 to Limit. */
SOFTNDK_API VOID KeInitializeSemaphore(PKSEMAPHORE Semaphore, LONG Count, LONG Limit);
/* Adds Adjustment (> 0) and returns the count before. DISPATCH. Above the limit: raises
 * STATUS_SEMAPHORE_LIMIT_EXCEEDED. */
SOFTNDK_API LONG KeReleaseSemaphore(
    PKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment, BOOLEAN Wait);
SOFTNDK_API LONG KeReadStateSemaphore(PKSEMAPHORE Semaphore);

/* A lock that its owner may take again. Level is ignored, as on Windows. Any IRQL. */
SOFTNDK_API VOID KeInitializeMutex(PKMUTEX Mutex, ULONG Level);
/* Gives up one hold of the calling thread; 0: it was the last. APC_LEVEL. Not the owner: raises
 * STATUS_MUTANT_NOT_OWNED. A thread that ends with a mutex held is a bugcheck. */
SOFTNDK_API LONG KeReleaseMutex(PKMUTEX Mutex, BOOLEAN Wait);
/* 1 if nobody holds it. Any IRQL. */
SOFTNDK_API LONG KeReadStateMutex(PKMUTEX Mutex);

/*
 * Waits until Object (event, semaphore, mutex, timer, thread) is signalled. Timeout in units of
 * 100 ns: NULL waits for ever, zero does not wait, negative is relative, positive is absolute
 * system time. At most APC_LEVEL, or DISPATCH with a zero timeout; anything else is a bugcheck, and
 * so is an object that was never initialised. [DEVIATION] no APCs: Alertable has no effect.
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
#define KeWaitForMutexObject KeWaitForSingleObject

/* ---- DPCs ---------------------------------------------------------------------------------- */

struct _KDPC;
typedef VOID KDEFERRED_ROUTINE(
    struct _KDPC *Dpc, PVOID DeferredContext, PVOID SystemArgument1, PVOID SystemArgument2);
typedef KDEFERRED_ROUTINE *PKDEFERRED_ROUTINE;

typedef enum _KDPC_IMPORTANCE {
    LowImportance,
    MediumImportance,
    HighImportance,
    MediumHighImportance
} KDPC_IMPORTANCE;

/* Memory of the driver, nonpaged, untouched between KeInitializeDpc and the routine's start. */
typedef struct _KDPC {
    UCHAR Type;
    UCHAR Importance;
    USHORT Number;
    LIST_ENTRY DpcListEntry;
    PKDEFERRED_ROUTINE DeferredRoutine;
    PVOID DeferredContext;
    PVOID SystemArgument1;
    PVOID SystemArgument2;
    PVOID DpcData;
} KDPC, *PKDPC, *PRKDPC;

/* Any IRQL. */
SOFTNDK_API VOID KeInitializeDpc(
    PKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext);
/* As KeInitializeDpc: [DEVIATION] a threaded DPC runs at DISPATCH_LEVEL, which is allowed. */
SOFTNDK_API VOID KeInitializeThreadedDpc(
    PKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext);
/* Queues; FALSE: it is queued already and nothing changes. The routine runs at DISPATCH_LEVEL on
 * the one DPC thread there is. Any IRQL. */
SOFTNDK_API BOOLEAN KeInsertQueueDpc(PKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2);
/* TRUE: it was queued and will not run. FALSE: it was not, or is running. Any IRQL. */
SOFTNDK_API BOOLEAN KeRemoveQueueDpc(PKDPC Dpc);
/* Returns when every DPC that was queued has run. PASSIVE_LEVEL. */
SOFTNDK_API VOID KeFlushQueuedDpcs(VOID);
/* Stored only. Any IRQL. */
SOFTNDK_API VOID KeSetImportanceDpc(PKDPC Dpc, KDPC_IMPORTANCE Importance);
/* Stored only: there is one DPC thread. Any IRQL. */
SOFTNDK_API VOID KeSetTargetProcessorDpc(PKDPC Dpc, CCHAR Number);
SOFTNDK_API NTSTATUS KeSetTargetProcessorDpcEx(PKDPC Dpc, PPROCESSOR_NUMBER ProcNumber);

/* ---- Timers -------------------------------------------------------------------------------- */

/* Memory of the driver, nonpaged; must not go while the timer is set. */
typedef struct _KTIMER {
    DISPATCHER_HEADER Header;
    ULARGE_INTEGER DueTime;
    LIST_ENTRY TimerListEntry;
    PKDPC Dpc;
    USHORT Processor;
    USHORT TimerType;
    ULONG Period;
} KTIMER, *PKTIMER, *PRKTIMER;

/* Any IRQL. The first makes a notification timer. */
SOFTNDK_API VOID KeInitializeTimer(PKTIMER Timer);
SOFTNDK_API VOID KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type);
/*
 * (Re)sets the timer: not signalled until DueTime (as the timeout of a wait), then signalled, and
 * Dpc (may be NULL) queued; Period in milliseconds, 0: once. TRUE: it was set. DISPATCH.
 */
SOFTNDK_API BOOLEAN KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc);
SOFTNDK_API BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc);
/* The delay may be exceeded by TolerableDelay milliseconds, which is never made use of. */
SOFTNDK_API BOOLEAN KeSetCoalescableTimer(
    PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period, ULONG TolerableDelay, PKDPC Dpc);
/* TRUE: it was set. Its DPC may be queued or running nevertheless. DISPATCH. */
SOFTNDK_API BOOLEAN KeCancelTimer(PKTIMER Timer);
/* TRUE if signalled. Any IRQL. */
SOFTNDK_API BOOLEAN KeReadStateTimer(PKTIMER Timer);

/* ---- Threads ------------------------------------------------------------------------------- */

/* The calling thread's object, also of a thread that the driver did not create. Any IRQL. */
SOFTNDK_API PKTHREAD KeGetCurrentThread(VOID);
/* Stored only: kenv never changes the priority of a thread of the host. Returns the previous one.
 * PASSIVE_LEVEL. */
SOFTNDK_API KPRIORITY KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority);
SOFTNDK_API KPRIORITY KeQueryPriorityThread(PKTHREAD Thread);
/* Counted only, there are no APCs; a leave without an enter is a bugcheck. APC_LEVEL. */
SOFTNDK_API VOID KeEnterCriticalRegion(VOID);
SOFTNDK_API VOID KeLeaveCriticalRegion(VOID);
SOFTNDK_API VOID KeEnterGuardedRegion(VOID);
SOFTNDK_API VOID KeLeaveGuardedRegion(VOID);
SOFTNDK_API BOOLEAN KeAreApcsDisabled(VOID);
SOFTNDK_API BOOLEAN KeAreAllApcsDisabled(VOID);

/* ---- Time ---------------------------------------------------------------------------------- */

/* Monotonic counter; *PerformanceFrequency (may be NULL) gets its counts per second. Any IRQL. */
SOFTNDK_API LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency);
/* 100 ns units since 1 January 1601, UTC. Any IRQL. */
SOFTNDK_API VOID KeQuerySystemTime(PLARGE_INTEGER CurrentTime);
SOFTNDK_API VOID KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime);
/* 100 ns units since some start; never goes back. Any IRQL. */
SOFTNDK_API ULONGLONG KeQueryInterruptTime(VOID);
SOFTNDK_API ULONGLONG KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp);
SOFTNDK_API ULONGLONG KeQueryUnbiasedInterruptTime(VOID);
/* Ticks since some start, and 100 ns units per tick. Any IRQL. */
SOFTNDK_API VOID KeQueryTickCount(PLARGE_INTEGER TickCount);
SOFTNDK_API ULONG KeQueryTimeIncrement(VOID);
/* Sleeps; Interval as the timeout of a wait. APC_LEVEL. STATUS_SUCCESS. */
SOFTNDK_API NTSTATUS KeDelayExecutionThread(
    KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Interval);
/* System time in the host's time zone and back. Any IRQL. */
SOFTNDK_API VOID ExSystemTimeToLocalTime(PLARGE_INTEGER SystemTime, PLARGE_INTEGER LocalTime);
SOFTNDK_API VOID ExLocalTimeToSystemTime(PLARGE_INTEGER LocalTime, PLARGE_INTEGER SystemTime);
/* Spins. Any IRQL. */
SOFTNDK_API VOID KeStallExecutionProcessor(ULONG MicroSeconds);

/* ---- Processors ---------------------------------------------------------------------------- */

#define ALL_PROCESSOR_GROUPS 0xffff

/* Processors of group 0 (the only one) or of ALL_PROCESSOR_GROUPS; 0 for others. Any IRQL. */
SOFTNDK_API ULONG KeQueryActiveProcessorCountEx(USHORT GroupNumber);
SOFTNDK_API ULONG KeQueryMaximumProcessorCountEx(USHORT GroupNumber);
/* The same for all groups; *ActiveProcessors (may be NULL) gets a mask of the first 64. */
SOFTNDK_API ULONG KeQueryActiveProcessorCount(PKAFFINITY ActiveProcessors);
SOFTNDK_API ULONG KeQueryMaximumProcessorCount(VOID);
SOFTNDK_API USHORT KeQueryActiveGroupCount(VOID);
SOFTNDK_API USHORT KeQueryMaximumGroupCount(VOID);
SOFTNDK_API USHORT KeQueryHighestNodeNumber(VOID);
/* Where the thread runs at this moment; ProcNumber may be NULL. Any IRQL. */
SOFTNDK_API ULONG KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber);
#define KeGetCurrentProcessorNumber() KeGetCurrentProcessorNumberEx(NULL)
#define KeGetCurrentProcessorIndex()  KeGetCurrentProcessorNumberEx(NULL)
/* System-wide index to group and number and back. STATUS_INVALID_PARAMETER;
 * INVALID_PROCESSOR_INDEX.
 */
#define INVALID_PROCESSOR_INDEX 0xffffffff
SOFTNDK_API NTSTATUS KeGetProcessorNumberFromIndex(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNumber);
SOFTNDK_API ULONG KeGetProcessorIndexFromNumber(PPROCESSOR_NUMBER ProcNumber);
/* Stored per thread and given back; [DEVIATION] kenv never changes the affinity of a thread of the
 * host. APC_LEVEL. */
SOFTNDK_API VOID KeSetSystemGroupAffinityThread(
    PGROUP_AFFINITY Affinity, PGROUP_AFFINITY PreviousAffinity);
SOFTNDK_API VOID KeRevertToUserGroupAffinityThread(PGROUP_AFFINITY PreviousAffinity);
SOFTNDK_API KAFFINITY KeSetSystemAffinityThreadEx(KAFFINITY Affinity);
SOFTNDK_API VOID KeRevertToUserAffinityThreadEx(KAFFINITY Affinity);

SOFTNDK_END_DECLS

#endif /* SOFTNDK_KENV_KE_H */
