/* SPDX-License-Identifier: MIT */
/*
 * Part of wdm.h, not for direct inclusion by drivers: bugchecks, debug output, assertions.
 */
#ifndef SOFTNDK_KENV_DBG_H
#define SOFTNDK_KENV_DBG_H

#include <softndk_ke.h>

SOFTNDK_BEGIN_DECLS

/* Debugging aids are on unless DBG is defined as 0. */
#ifndef DBG
#define DBG 1
#endif

/* Bugchecks if called above APC_LEVEL. */
#if DBG
#define PAGED_CODE() SoftNdkPagedCode(__func__)
#else
#define PAGED_CODE() ((void)0)
#endif
SOFTNDK_API VOID SoftNdkPagedCode(const char *Function);

/* ---- Bugcheck and debug output ------------------------------------------------------------- */

#define IRQL_NOT_GREATER_OR_EQUAL                             0x00000009
#define IRQL_NOT_LESS_OR_EQUAL                                0x0000000A
#define MAXIMUM_WAIT_OBJECTS_EXCEEDED                         0x0000000C
#define SPIN_LOCK_ALREADY_OWNED                               0x0000000F
#define SPIN_LOCK_NOT_OWNED                                   0x00000010
#define THREAD_NOT_MUTEX_OWNER                                0x00000011
#define KMODE_EXCEPTION_NOT_HANDLED                           0x0000001E
#define APC_INDEX_MISMATCH                                    0x00000001
#define MULTIPLE_IRP_COMPLETE_REQUESTS                        0x00000044
#define CANCEL_STATE_IN_COMPLETED_IRP                         0x00000048
#define RESOURCE_NOT_OWNED                                    0x000000E3
#define WORKER_THREAD_RETURNED_AT_BAD_IRQL                    0x000000E1
#define WORKER_INVALID                                        0x000000E4
#define TIMER_OR_DPC_INVALID                                  0x000000C7
#define INVALID_WORK_QUEUE_ITEM                               0x00000096
#define REFERENCE_BY_POINTER                                  0x00000018
#define INVALID_KERNEL_HANDLE                                 0x00000093
#define THREAD_TERMINATE_HELD_MUTEX                           0x4000008A
#define KERNEL_SECURITY_CHECK_FAILURE                         0x00000139
#define DRIVER_CORRUPTED_EXPOOL                               0x000000C5
#define BAD_POOL_HEADER                                       0x00000019
#define DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS 0x000000CE
#define NO_MORE_IRP_STACK_LOCATIONS                           0x00000035
#define MEMORY_MANAGEMENT                                     0x0000001A
#define PFN_LIST_CORRUPT                                      0x0000004E
#define BAD_POOL_CALLER                                       0x000000C2
#define DRIVER_VERIFIER_DETECTED_VIOLATION                    0x000000C4
#define DRIVER_IRQL_NOT_LESS_OR_EQUAL                         0x000000D1
#define MANUALLY_INITIATED_CRASH                              0x000000E2

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

SOFTNDK_END_DECLS

#endif /* SOFTNDK_KENV_DBG_H */
