/* SPDX-License-Identifier: MIT */
/*
 * Part of wdm.h, not for direct inclusion by drivers: system threads, references, handles.
 */
#ifndef SOFTNDK_KENV_PS_H
#define SOFTNDK_KENV_PS_H

#include <softndk_ke.h>

SOFTNDK_BEGIN_DECLS

#define DELETE                   0x00010000
#define READ_CONTROL             0x00020000
#define SYNCHRONIZE              0x00100000
#define STANDARD_RIGHTS_REQUIRED 0x000F0000
#define STANDARD_RIGHTS_READ     READ_CONTROL
#define STANDARD_RIGHTS_ALL      0x001F0000
#define GENERIC_READ             0x80000000
#define GENERIC_WRITE            0x40000000
#define GENERIC_ALL              0x10000000
#define THREAD_ALL_ACCESS        (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 0xFFFF)
#define EVENT_ALL_ACCESS         (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 0x3)
#define EVENT_MODIFY_STATE       0x0002

/* ---- Objects and handles ------------------------------------------------------------------- */

typedef struct _OBJECT_TYPE *POBJECT_TYPE;
typedef struct _OBJECT_HANDLE_INFORMATION {
    ULONG HandleAttributes;
    ACCESS_MASK GrantedAccess;
} OBJECT_HANDLE_INFORMATION, *POBJECT_HANDLE_INFORMATION;

/* What ObReferenceObjectByHandle compares with. */
SOFTNDK_API extern POBJECT_TYPE *PsThreadType;
SOFTNDK_API extern POBJECT_TYPE *ExEventObjectType;
SOFTNDK_API extern POBJECT_TYPE *IoFileObjectType;

/* One more reference on a thread, event, device, driver or file object. Anything that is none is a
 * bugcheck. DISPATCH. */
SOFTNDK_API LONG_PTR ObfReferenceObject(PVOID Object);
/* One less; the last one frees. DISPATCH (PASSIVE_LEVEL on Windows, the Defer form DISPATCH). */
SOFTNDK_API LONG_PTR ObfDereferenceObject(PVOID Object);
SOFTNDK_API VOID ObDereferenceObjectDeferDelete(PVOID Object);
#define ObReferenceObject(Object)   ObfReferenceObject(Object)
#define ObDereferenceObject(Object) ObfDereferenceObject(Object)
/*
 * The object of a handle, with a reference. ObjectType may be NULL. [DEVIATION] access is not
 * checked. PASSIVE_LEVEL. STATUS_SUCCESS; STATUS_INVALID_HANDLE; STATUS_OBJECT_TYPE_MISMATCH.
 */
SOFTNDK_API NTSTATUS ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess,
    POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode, PVOID *Object,
    POBJECT_HANDLE_INFORMATION HandleInformation);
/* The same by address: one more reference if it is of the type. */
SOFTNDK_API NTSTATUS ObReferenceObjectByPointer(
    PVOID Object, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode);
/* Ends a handle. A value that is none is a bugcheck ([DEVIATION] Windows answers
 * STATUS_INVALID_HANDLE where no verifier is on). PASSIVE_LEVEL. STATUS_SUCCESS. */
SOFTNDK_API NTSTATUS ZwClose(HANDLE Handle);
/* Waits for the object of a handle; as KeWaitForSingleObject. PASSIVE_LEVEL. */
SOFTNDK_API NTSTATUS ZwWaitForSingleObject(
    HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout);
/* An event without a name behind a handle. PASSIVE_LEVEL. */
SOFTNDK_API NTSTATUS ZwCreateEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess,
    POBJECT_ATTRIBUTES ObjectAttributes, EVENT_TYPE EventType, BOOLEAN InitialState);
SOFTNDK_API NTSTATUS ZwSetEvent(HANDLE EventHandle, PLONG PreviousState);

/* ---- Threads ------------------------------------------------------------------------------- */

typedef VOID KSTART_ROUTINE(PVOID StartContext);
typedef KSTART_ROUTINE *PKSTART_ROUTINE;

/*
 * Starts a thread at PASSIVE_LEVEL. ThreadHandle is closed with ZwClose; its object is waitable.
 * ProcessHandle and ClientId may be NULL. PASSIVE_LEVEL. STATUS_SUCCESS;
 * STATUS_INSUFFICIENT_RESOURCES.
 */
SOFTNDK_API NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess,
    POBJECT_ATTRIBUTES ObjectAttributes, HANDLE ProcessHandle, PCLIENT_ID ClientId,
    PKSTART_ROUTINE StartRoutine, PVOID StartContext);
/* Ends the calling thread, which must be one of PsCreateSystemThread (a routine that returns ends
 * it likewise). At another IRQL than PASSIVE_LEVEL, with a mutex held or in a critical region it
 * is a bugcheck. */
SOFTNDK_API NTSTATUS PsTerminateSystemThread(NTSTATUS ExitStatus);
/* TRUE if PsCreateSystemThread made it. Any IRQL. */
SOFTNDK_API BOOLEAN PsIsSystemThread(PETHREAD Thread);
/* The number that the thread has on the host. Any IRQL. */
SOFTNDK_API HANDLE PsGetCurrentThreadId(VOID);
SOFTNDK_API HANDLE PsGetThreadId(PETHREAD Thread);
SOFTNDK_API HANDLE PsGetCurrentProcessId(VOID);
/* The one process there is. Any IRQL. */
SOFTNDK_API PEPROCESS IoGetCurrentProcess(VOID);
#define PsGetCurrentThread()  ((PETHREAD)KeGetCurrentThread())
#define PsGetCurrentProcess() IoGetCurrentProcess()
SOFTNDK_API extern PEPROCESS PsInitialSystemProcess;

/* ---- The system ---------------------------------------------------------------------------- */

typedef struct _OSVERSIONINFOW {
    ULONG dwOSVersionInfoSize;
    ULONG dwMajorVersion;
    ULONG dwMinorVersion;
    ULONG dwBuildNumber;
    ULONG dwPlatformId;
    WCHAR szCSDVersion[128];
} OSVERSIONINFOW, *POSVERSIONINFOW, RTL_OSVERSIONINFOW, *PRTL_OSVERSIONINFOW;

/* 10.0, build 20348: what the interfaces here are modelled on. STATUS_SUCCESS. Any IRQL. */
SOFTNDK_API NTSTATUS RtlGetVersion(PRTL_OSVERSIONINFOW lpVersionInformation);
/* A random (version 4) UUID. APC_LEVEL. STATUS_SUCCESS; STATUS_RETRY: the host has none now. */
SOFTNDK_API NTSTATUS ExUuidCreate(GUID *Uuid);
/* A routine of this process by its name; NULL: there is none. PASSIVE_LEVEL. */
SOFTNDK_API PVOID MmGetSystemRoutineAddress(PUNICODE_STRING SystemRoutineName);
/* There is one node, number 0, with all processors. Any IRQL. */
SOFTNDK_API USHORT KeGetCurrentNodeNumber(VOID);
SOFTNDK_API VOID KeQueryNodeActiveAffinity(
    USHORT NodeNumber, PGROUP_AFFINITY Affinity, PUSHORT Count);
SOFTNDK_API KAFFINITY KeQueryActiveProcessors(VOID);

SOFTNDK_END_DECLS

#endif /* SOFTNDK_KENV_PS_H */
