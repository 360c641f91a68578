/* SPDX-License-Identifier: MIT */
/*
 * softndk_driver.h: run a kernel driver in this process. For ndkrun and for tests; not part of
 * Windows.
 *
 * Order of use: SoftNdkDrvCreate, SoftNdkDrvStart (DriverEntry), ..., SoftNdkDrvStop
 * (DriverUnload), SoftNdkDrvWaitIdle, SoftNdkDrvLeaks, SoftNdkDrvDestroy. Several drivers may live
 * at a time. The first SoftNdkDrvCreate of the process turns the checks on that cost time (creation
 * stacks, freed pool kept aside): call it before the driver's code runs. All functions here are
 * called at PASSIVE_LEVEL on threads of the host that are not inside a driver.
 */
#ifndef SOFTNDK_DRIVER_H
#define SOFTNDK_DRIVER_H

#include <wdm.h>

SOFTNDK_BEGIN_DECLS

typedef struct _SOFTNDK_DRV SOFTNDK_DRV, *PSOFTNDK_DRV;

typedef struct _SOFTNDK_DRV_PARAMETERS {
    ULONG Size;       /* sizeof(SOFTNDK_DRV_PARAMETERS) */
    const char *Name; /* of the service: "mydriver"; copied. \Driver\NAME, \Registry\...\NAME */
    PDRIVER_INITIALIZE Entry;
    /* The driver's loaded image: what is created from a stack with an address in it belongs to the
     * driver. ImageSize 0: everything of the process belongs to it. */
    const void *ImageStart;
    SIZE_T ImageSize;
} SOFTNDK_DRV_PARAMETERS;

/* STATUS_SUCCESS; STATUS_INVALID_PARAMETER; STATUS_INSUFFICIENT_RESOURCES. */
SOFTNDK_API NTSTATUS SoftNdkDrvCreate(
    const SOFTNDK_DRV_PARAMETERS *Parameters, PSOFTNDK_DRV *Driver);
/* Calls DriverEntry once and returns what it returns; a return at another IRQL is a bugcheck. */
SOFTNDK_API NTSTATUS SoftNdkDrvStart(PSOFTNDK_DRV Driver);
/* Calls DriverUnload once. STATUS_INVALID_DEVICE_REQUEST: the driver set none (or DriverEntry did
 * not succeed), it cannot be unloaded. */
SOFTNDK_API NTSTATUS SoftNdkDrvStop(PSOFTNDK_DRV Driver);
/*
 * Waits until no work item and no DPC of any driver is queued or running, no one-shot timer is set
 * and no system thread runs. FALSE: TimeoutMs (0: look once) passed first.
 */
SOFTNDK_API BOOLEAN SoftNdkDrvWaitIdle(ULONG TimeoutMs);
/* Frees the driver object. After SoftNdkDrvStop, or a DriverEntry that failed. */
SOFTNDK_API VOID SoftNdkDrvDestroy(PSOFTNDK_DRV Driver);
SOFTNDK_API PDRIVER_OBJECT SoftNdkDrvObject(PSOFTNDK_DRV Driver);

/* ---- Leaks --------------------------------------------------------------------------------- */

typedef enum _SOFTNDK_DRV_KIND {
    SoftNdkDrvPool,      /* memory; Tag and Bytes are set */
    SoftNdkDrvMdl,       /* of IoAllocateMdl or MmAllocatePagesForMdlEx; Bytes */
    SoftNdkDrvIrp,       /* of IoAllocateIrp */
    SoftNdkDrvWorkItem,  /* allocated, or queued and not run */
    SoftNdkDrvThread,    /* runs, or its object is still referenced or has an open handle */
    SoftNdkDrvTimer,     /* set, or an allocated EX timer */
    SoftNdkDrvDpc,       /* queued */
    SoftNdkDrvDevice,    /* not deleted, or still referenced */
    SoftNdkDrvLink,      /* symbolic link */
    SoftNdkDrvHandle,    /* open handle: key, event, thread */
    SoftNdkDrvLookaside, /* list not deleted */
    SoftNdkDrvResource,  /* ERESOURCE not deleted */
    SoftNdkDrvSocket,    /* WSK socket not closed */
    SoftNdkDrvOther
} SOFTNDK_DRV_KIND;

#define SOFTNDK_DRV_FRAMES 24

typedef struct _SOFTNDK_DRV_LEAK {
    SOFTNDK_DRV_KIND Kind;
    const void *Object;
    ULONG Tag;        /* of pool, four characters, first one lowest; else 0 */
    SIZE_T Bytes;     /* of pool and MDLs, else 0 */
    const char *Name; /* "\Device\x", "work item (queued)": short text, never NULL */
    ULONG FrameCount; /* of Frames; innermost first: a few of the environment, then the driver's */
    void *const *Frames; /* where it was created */
    ULONGLONG Sequence;  /* rises in order of creation */
} SOFTNDK_DRV_LEAK;

/* Calls Callback (may be NULL) for each thing that the driver (NULL: any) created and that still
 * exists, in order of kind; returns how many. The callback calls nothing of the kernel environment.
 */
typedef VOID (*SOFTNDK_DRV_LEAK_CALLBACK)(PVOID Context, const SOFTNDK_DRV_LEAK *Leak);
SOFTNDK_API SIZE_T SoftNdkDrvLeaks(
    PSOFTNDK_DRV Driver, SOFTNDK_DRV_LEAK_CALLBACK Callback, PVOID Context);

/* ---- Registry and control codes ------------------------------------------------------------ */

/*
 * Replaces the registry of the process by a text file in .reg syntax (docs/kenv/registry.md);
 * "HKEY_LOCAL_MACHINE\SYSTEM" and "\Registry\Machine\System" are one key. NULL: empties it.
 * STATUS_SUCCESS; STATUS_NO_SUCH_FILE; STATUS_DATA_ERROR: Error (may be NULL, ErrorSize with its
 * terminator) gets a sentence that names the line.
 */
SOFTNDK_API NTSTATUS SoftNdkDrvRegistryLoad(const char *Path, char *Error, SIZE_T ErrorSize);

/*
 * Opens the device (DeviceName NULL: the driver's first; else "\Device\x", "\DosDevices\x" or
 * "\\.\x"), sends IRP_MJ_DEVICE_CONTROL, waits for its end at most TimeoutMs (then cancels it and
 * waits on), sends CLEANUP and CLOSE. Output may be Input. *Returned gets IoStatus.Information.
 * Returns IoStatus.Status; STATUS_OBJECT_NAME_NOT_FOUND: no such device.
 */
SOFTNDK_API NTSTATUS SoftNdkDrvIoctl(PSOFTNDK_DRV Driver, const char *DeviceName, ULONG Code,
    const void *Input, ULONG InputLength, void *Output, ULONG OutputLength, ULONG TimeoutMs,
    ULONG_PTR *Returned);

/* ---- Log, reports, faults ------------------------------------------------------------------ */

typedef struct _SOFTNDK_DRV_LOG_LINE {
    const char *Text; /* what DbgPrint formatted, with its line end if it has one */
    SIZE_T Length;
    ULONG ComponentId; /* of DbgPrintEx, DPFLTR_DEFAULT_ID for DbgPrint */
    ULONG Level;
    KIRQL Irql;
    ULONGLONG ThreadId;        /* of the host */
    ULONGLONG TimeNs;          /* since the sink was set */
    const void *ReturnAddress; /* of the call, to find the driver; may be NULL */
} SOFTNDK_DRV_LOG_LINE;

/* Gets each line of DbgPrint and its kin instead of stderr; any thread, any IRQL, one at a time.
 * NULL: stderr again. With a sink every level is wanted. */
typedef VOID (*SOFTNDK_DRV_LOG_SINK)(PVOID Context, const SOFTNDK_DRV_LOG_LINE *Line);
SOFTNDK_API VOID SoftNdkDrvSetLogSink(SOFTNDK_DRV_LOG_SINK Sink, PVOID Context);

/* A rule that was broken, by the kernel environment or by a verifier. */
typedef struct _SOFTNDK_DRV_REPORT {
    const char *Rule;   /* short name: "pool-double-free" */
    const char *Text;   /* a sentence: what happened */
    const char *Advice; /* what to do; may be NULL */
    const char *Page;   /* documentation page; may be NULL */
    ULONG BugCheckCode; /* what Windows would show; 0: none */
    ULONG_PTR Parameters[4];
    BOOLEAN IsFatal; /* the process ends with a bugcheck when the sink returns */
    KIRQL Irql;
    const void *Object; /* may be NULL */
    ULONG FrameCount;   /* of the offending call */
    void *const *Frames;
    ULONG ObjectFrameCount; /* where the object was created; 0: not known */
    void *const *ObjectFrames;
    ULONG FreedFrameCount; /* where it was freed; 0: not, or not known */
    void *const *FreedFrames;
} SOFTNDK_DRV_REPORT;

/* Gets each report before it is printed; any thread, any IRQL. FALSE: print it to stderr too.
 * NULL: no sink. The sink calls nothing of the kernel environment. */
typedef BOOLEAN (*SOFTNDK_DRV_REPORT_SINK)(PVOID Context, const SOFTNDK_DRV_REPORT *Report);
SOFTNDK_API VOID SoftNdkDrvSetReportSink(SOFTNDK_DRV_REPORT_SINK Sink, PVOID Context);
/* Reports made so far in this process. */
SOFTNDK_API ULONG SoftNdkDrvReportCount(VOID);

/* Asked before each allocation of pool, MDLs, IRPs, work items, threads and devices: TRUE makes it
 * fail. Bytes 0: not memory. Any thread, DISPATCH. NULL: none fails. */
typedef BOOLEAN (*SOFTNDK_DRV_FAULT)(PVOID Context, SOFTNDK_DRV_KIND Kind, ULONG Tag, SIZE_T Bytes);
SOFTNDK_API VOID SoftNdkDrvSetFault(SOFTNDK_DRV_FAULT Fault, PVOID Context);

SOFTNDK_END_DECLS

#endif /* SOFTNDK_DRIVER_H */
