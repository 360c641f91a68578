/* SPDX-License-Identifier: MIT */
/*
 * Part of wdm.h, not for direct inclusion by drivers: driver and device objects, IRPs, work items
 * of devices. Members have the names and types of Windows; those that nothing here uses are kept
 * for drivers that name them.
 */
#ifndef SOFTNDK_KENV_IO_H
#define SOFTNDK_KENV_IO_H

#include <softndk_ex.h>
#include <softndk_mm.h>

SOFTNDK_BEGIN_DECLS

/* ---- Control codes ------------------------------------------------------------------------- */

typedef ULONG DEVICE_TYPE;

#define FILE_DEVICE_NETWORK             0x00000012
#define FILE_DEVICE_UNKNOWN             0x00000022
#define FILE_DEVICE_TRANSPORT           0x00000021
#define FILE_DEVICE_STORAGE             0x0000002d
#define FILE_DEVICE_SECURE_OPEN         0x00000100
#define METHOD_BUFFERED                 0
#define METHOD_IN_DIRECT                1
#define METHOD_OUT_DIRECT               2
#define METHOD_NEITHER                  3
#define FILE_ANY_ACCESS                 0
#define FILE_SPECIAL_ACCESS             FILE_ANY_ACCESS
#define FILE_READ_ACCESS                1
#define FILE_WRITE_ACCESS               2
#define FILE_READ_DATA                  1
#define FILE_WRITE_DATA                 2
#define METHOD_FROM_CTL_CODE(Code)      ((ULONG)((Code)&3))
#define DEVICE_TYPE_FROM_CTL_CODE(Code) (((ULONG)((Code)&0xffff0000)) >> 16)
#define CTL_CODE(DeviceType, Function, Method, Access)                                             \
    (((DeviceType) << 16) | ((Access) << 14) | ((Function) << 2) | (Method))

/* ---- Objects ------------------------------------------------------------------------------- */

struct _DRIVER_OBJECT;
struct _DEVICE_OBJECT;
struct _FILE_OBJECT;
struct _IO_STACK_LOCATION;
struct _IO_SECURITY_CONTEXT;
struct _VPB;

typedef NTSTATUS DRIVER_INITIALIZE(
    struct _DRIVER_OBJECT *DriverObject, PUNICODE_STRING RegistryPath);
typedef DRIVER_INITIALIZE *PDRIVER_INITIALIZE;
typedef VOID DRIVER_UNLOAD(struct _DRIVER_OBJECT *DriverObject);
typedef DRIVER_UNLOAD *PDRIVER_UNLOAD;
typedef NTSTATUS DRIVER_DISPATCH(struct _DEVICE_OBJECT *DeviceObject, struct _IRP *Irp);
typedef DRIVER_DISPATCH *PDRIVER_DISPATCH;
typedef VOID DRIVER_STARTIO(struct _DEVICE_OBJECT *DeviceObject, struct _IRP *Irp);
typedef DRIVER_STARTIO *PDRIVER_STARTIO;
typedef NTSTATUS DRIVER_ADD_DEVICE(
    struct _DRIVER_OBJECT *DriverObject, struct _DEVICE_OBJECT *PhysicalDeviceObject);
typedef DRIVER_ADD_DEVICE *PDRIVER_ADD_DEVICE;
typedef VOID DRIVER_CANCEL(struct _DEVICE_OBJECT *DeviceObject, struct _IRP *Irp);
typedef DRIVER_CANCEL *PDRIVER_CANCEL;
typedef NTSTATUS IO_COMPLETION_ROUTINE(
    struct _DEVICE_OBJECT *DeviceObject, struct _IRP *Irp, PVOID Context);
typedef IO_COMPLETION_ROUTINE *PIO_COMPLETION_ROUTINE;

#define IRP_MJ_CREATE                  0x00
#define IRP_MJ_CREATE_NAMED_PIPE       0x01
#define IRP_MJ_CLOSE                   0x02
#define IRP_MJ_READ                    0x03
#define IRP_MJ_WRITE                   0x04
#define IRP_MJ_QUERY_INFORMATION       0x05
#define IRP_MJ_SET_INFORMATION         0x06
#define IRP_MJ_FLUSH_BUFFERS           0x09
#define IRP_MJ_DEVICE_CONTROL          0x0e
#define IRP_MJ_INTERNAL_DEVICE_CONTROL 0x0f
#define IRP_MJ_SHUTDOWN                0x10
#define IRP_MJ_CLEANUP                 0x12
#define IRP_MJ_POWER                   0x16
#define IRP_MJ_SYSTEM_CONTROL          0x17
#define IRP_MJ_PNP                     0x1b
#define IRP_MJ_MAXIMUM_FUNCTION        0x1b

typedef struct _DRIVER_EXTENSION {
    struct _DRIVER_OBJECT *DriverObject;
    PDRIVER_ADD_DEVICE AddDevice;
    ULONG Count;
    UNICODE_STRING ServiceKeyName;
} DRIVER_EXTENSION, *PDRIVER_EXTENSION;

typedef struct _DRIVER_OBJECT {
    CSHORT Type;
    CSHORT Size;
    struct _DEVICE_OBJECT *DeviceObject; /* first of its devices */
    ULONG Flags;
    PVOID DriverStart;
    ULONG DriverSize;
    PVOID DriverSection;
    PDRIVER_EXTENSION DriverExtension;
    UNICODE_STRING DriverName;
    PUNICODE_STRING HardwareDatabase;
    PVOID FastIoDispatch;
    PDRIVER_INITIALIZE DriverInit;
    PDRIVER_STARTIO DriverStartIo;
    PDRIVER_UNLOAD DriverUnload;
    PDRIVER_DISPATCH MajorFunction[IRP_MJ_MAXIMUM_FUNCTION + 1];
} DRIVER_OBJECT, *PDRIVER_OBJECT;

#define DO_BUFFERED_IO         0x00000004
#define DO_EXCLUSIVE           0x00000008
#define DO_DIRECT_IO           0x00000010
#define DO_DEVICE_INITIALIZING 0x00000080
#define DO_POWER_PAGABLE       0x00002000

typedef struct _DEVICE_OBJECT {
    CSHORT Type;
    USHORT Size;
    LONG ReferenceCount;
    struct _DRIVER_OBJECT *DriverObject;
    struct _DEVICE_OBJECT *NextDevice;
    struct _DEVICE_OBJECT *AttachedDevice;
    struct _IRP *CurrentIrp;
    PVOID Timer;
    ULONG Flags;
    ULONG Characteristics;
    struct _VPB *Vpb;
    PVOID DeviceExtension;
    DEVICE_TYPE DeviceType;
    CCHAR StackSize;
    ULONG AlignmentRequirement;
    KDPC Dpc;
    PVOID SecurityDescriptor;
    KEVENT DeviceLock;
    USHORT SectorSize;
    PVOID DeviceObjectExtension;
    PVOID Reserved;
} DEVICE_OBJECT, *PDEVICE_OBJECT;

typedef struct _FILE_OBJECT {
    CSHORT Type;
    CSHORT Size;
    PDEVICE_OBJECT DeviceObject;
    struct _VPB *Vpb;
    PVOID FsContext;
    PVOID FsContext2;
    NTSTATUS FinalStatus;
    ULONG Flags;
    UNICODE_STRING FileName;
} FILE_OBJECT, *PFILE_OBJECT;

typedef struct _IO_STATUS_BLOCK {
    union {
        NTSTATUS Status;
        PVOID Pointer;
    };
    ULONG_PTR Information;
} IO_STATUS_BLOCK, *PIO_STATUS_BLOCK;

#define SL_PENDING_RETURNED  0x01
#define SL_ERROR_RETURNED    0x02
#define SL_INVOKE_ON_CANCEL  0x20
#define SL_INVOKE_ON_SUCCESS 0x40
#define SL_INVOKE_ON_ERROR   0x80

typedef struct _IO_STACK_LOCATION {
    UCHAR MajorFunction;
    UCHAR MinorFunction;
    UCHAR Flags;
    UCHAR Control;
    union {
        struct {
            struct _IO_SECURITY_CONTEXT *SecurityContext;
            ULONG Options;
            USHORT FileAttributes;
            USHORT ShareAccess;
            ULONG EaLength;
        } Create;
        struct {
            ULONG Length;
            ULONG Key;
            LARGE_INTEGER ByteOffset;
        } Read;
        struct {
            ULONG Length;
            ULONG Key;
            LARGE_INTEGER ByteOffset;
        } Write;
        struct {
            ULONG OutputBufferLength;
            __attribute__((aligned(8))) ULONG InputBufferLength;
            __attribute__((aligned(8))) ULONG IoControlCode;
            PVOID Type3InputBuffer;
        } DeviceIoControl;
        struct {
            PVOID Argument1;
            PVOID Argument2;
            PVOID Argument3;
            PVOID Argument4;
        } Others;
    } Parameters;
    PDEVICE_OBJECT DeviceObject;
    PFILE_OBJECT FileObject;
    PIO_COMPLETION_ROUTINE CompletionRoutine;
    PVOID Context;
} IO_STACK_LOCATION, *PIO_STACK_LOCATION;

struct _IRP {
    CSHORT Type;
    USHORT Size;
    USHORT AllocationProcessorNumber;
    USHORT Reserved;
    PMDL MdlAddress;
    ULONG Flags;
    union {
        struct _IRP *MasterIrp;
        LONG IrpCount;
        PVOID SystemBuffer;
    } AssociatedIrp;
    LIST_ENTRY ThreadListEntry;
    IO_STATUS_BLOCK IoStatus;
    KPROCESSOR_MODE RequestorMode;
    BOOLEAN PendingReturned;
    CHAR StackCount;
    CHAR CurrentLocation;
    BOOLEAN Cancel;
    KIRQL CancelIrql;
    CCHAR ApcEnvironment;
    UCHAR AllocationFlags;
    PIO_STATUS_BLOCK UserIosb;
    PKEVENT UserEvent;
    union {
        struct {
            PVOID UserApcRoutine;
            PVOID UserApcContext;
        } AsynchronousParameters;
        LARGE_INTEGER AllocationSize;
    } Overlay;
    volatile PDRIVER_CANCEL CancelRoutine;
    PVOID UserBuffer;
    union {
        struct {
            PVOID DriverContext[4];
            PETHREAD Thread;
            PCHAR AuxiliaryBuffer;
            LIST_ENTRY ListEntry;
            struct _IO_STACK_LOCATION *CurrentStackLocation;
            PFILE_OBJECT OriginalFileObject;
        } Overlay;
        PVOID CompletionKey;
    } Tail;
};

/* ---- Devices ------------------------------------------------------------------------------- */

/*
 * A device with a zeroed extension; DeviceName may be NULL. Freed by IoDeleteDevice. APC_LEVEL.
 * STATUS_SUCCESS; STATUS_OBJECT_NAME_COLLISION; STATUS_INSUFFICIENT_RESOURCES.
 */
SOFTNDK_API NTSTATUS IoCreateDevice(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize,
    PUNICODE_STRING DeviceName, DEVICE_TYPE DeviceType, ULONG DeviceCharacteristics,
    BOOLEAN Exclusive, PDEVICE_OBJECT *DeviceObject);
/* The same; [DEVIATION] the security string and the class are not looked at. */
SOFTNDK_API NTSTATUS IoCreateDeviceSecure(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize,
    PUNICODE_STRING DeviceName, DEVICE_TYPE DeviceType, ULONG DeviceCharacteristics,
    BOOLEAN Exclusive, PCUNICODE_STRING DefaultSDDLString, const GUID *DeviceClassGuid,
    PDEVICE_OBJECT *DeviceObject);
#define WdmlibIoCreateDeviceSecure IoCreateDeviceSecure
/* Takes the device away; its memory goes with the last reference. APC_LEVEL. */
SOFTNDK_API VOID IoDeleteDevice(PDEVICE_OBJECT DeviceObject);
/* A second name. PASSIVE_LEVEL. STATUS_SUCCESS; STATUS_OBJECT_NAME_COLLISION. */
SOFTNDK_API NTSTATUS IoCreateSymbolicLink(
    PUNICODE_STRING SymbolicLinkName, PUNICODE_STRING DeviceName);
SOFTNDK_API NTSTATUS IoCreateUnprotectedSymbolicLink(
    PUNICODE_STRING SymbolicLinkName, PUNICODE_STRING DeviceName);
/* STATUS_SUCCESS; STATUS_OBJECT_NAME_NOT_FOUND. PASSIVE_LEVEL. */
SOFTNDK_API NTSTATUS IoDeleteSymbolicLink(PUNICODE_STRING SymbolicLinkName);
/* Memory of the driver object under an address as its name; freed with the driver.
 * STATUS_OBJECT_NAME_COLLISION; STATUS_INSUFFICIENT_RESOURCES. PASSIVE_LEVEL, DISPATCH. */
SOFTNDK_API NTSTATUS IoAllocateDriverObjectExtension(PDRIVER_OBJECT DriverObject,
    PVOID ClientIdentificationAddress, ULONG DriverObjectExtensionSize,
    PVOID *DriverObjectExtension);
SOFTNDK_API PVOID IoGetDriverObjectExtension(
    PDRIVER_OBJECT DriverObject, PVOID ClientIdentificationAddress);

/* ---- IRPs ---------------------------------------------------------------------------------- */

#define IoSizeOfIrp(StackSize)                                                                     \
    ((USHORT)(sizeof(IRP) + ((size_t)(StackSize)) * sizeof(IO_STACK_LOCATION)))

/* An IRP with StackSize locations, 1 at least; NULL: no memory. DISPATCH. Freed by IoFreeIrp. */
SOFTNDK_API PIRP IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota);
SOFTNDK_API VOID IoInitializeIrp(PIRP Irp, USHORT PacketSize, CCHAR StackSize);
/* Makes an IRP of IoAllocateIrp as new, with Iostatus in it. DISPATCH. */
SOFTNDK_API VOID IoReuseIrp(PIRP Irp, NTSTATUS Iostatus);
SOFTNDK_API VOID IoFreeIrp(PIRP Irp);
/* An IRP for IoCallDriver that ends in *IoStatusBlock and Event, and frees itself. PASSIVE_LEVEL.
 */
SOFTNDK_API PIRP IoBuildDeviceIoControlRequest(ULONG IoControlCode, PDEVICE_OBJECT DeviceObject,
    PVOID InputBuffer, ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength,
    BOOLEAN InternalDeviceIoControl, PKEVENT Event, PIO_STATUS_BLOCK IoStatusBlock);
/* Gives the IRP to the driver of the device. DISPATCH. Whatever its dispatch routine returns. */
SOFTNDK_API NTSTATUS IofCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp);
#define IoCallDriver IofCallDriver
/* Ends the caller's part: completion routines of those above run, then the IRP is over. DISPATCH.
 * Twice, or with STATUS_PENDING or a cancel routine in it, is a bugcheck. */
SOFTNDK_API VOID IofCompleteRequest(PIRP Irp, CCHAR PriorityBoost);
#define IoCompleteRequest IofCompleteRequest
/* Sets Cancel and calls the cancel routine, which releases the cancel lock. FALSE: there is none.
 * DISPATCH. */
SOFTNDK_API BOOLEAN IoCancelIrp(PIRP Irp);
/* The one lock that guards cancel routines. DISPATCH. */
SOFTNDK_API VOID IoAcquireCancelSpinLock(PKIRQL Irql);
SOFTNDK_API VOID IoReleaseCancelSpinLock(KIRQL Irql);

FORCEINLINE PIO_STACK_LOCATION IoGetCurrentIrpStackLocation(PIRP Irp)
{
    return Irp->Tail.Overlay.CurrentStackLocation;
}

FORCEINLINE PIO_STACK_LOCATION IoGetNextIrpStackLocation(PIRP Irp)
{
    return Irp->Tail.Overlay.CurrentStackLocation - 1;
}

FORCEINLINE VOID IoSetNextIrpStackLocation(PIRP Irp)
{
    Irp->CurrentLocation--;
    Irp->Tail.Overlay.CurrentStackLocation--;
}

FORCEINLINE VOID IoSkipCurrentIrpStackLocation(PIRP Irp)
{
    Irp->CurrentLocation++;
    Irp->Tail.Overlay.CurrentStackLocation++;
}

FORCEINLINE VOID IoCopyCurrentIrpStackLocationToNext(PIRP Irp)
{
    PIO_STACK_LOCATION from = IoGetCurrentIrpStackLocation(Irp);
    PIO_STACK_LOCATION to = IoGetNextIrpStackLocation(Irp);

    memcpy(to, from, offsetof(IO_STACK_LOCATION, CompletionRoutine));
    to->Control = 0;
}

FORCEINLINE VOID IoMarkIrpPending(PIRP Irp)
{
    IoGetCurrentIrpStackLocation(Irp)->Control |= SL_PENDING_RETURNED;
}

/* For the next lower location, as on Windows; Routine NULL with all FALSE: none. */
FORCEINLINE VOID IoSetCompletionRoutine(PIRP Irp, PIO_COMPLETION_ROUTINE CompletionRoutine,
    PVOID Context, BOOLEAN InvokeOnSuccess, BOOLEAN InvokeOnError, BOOLEAN InvokeOnCancel)
{
    PIO_STACK_LOCATION next = IoGetNextIrpStackLocation(Irp);

    next->CompletionRoutine = CompletionRoutine;
    next->Context = Context;
    next->Control = (UCHAR)((InvokeOnSuccess ? SL_INVOKE_ON_SUCCESS : 0) |
                            (InvokeOnError ? SL_INVOKE_ON_ERROR : 0) |
                            (InvokeOnCancel ? SL_INVOKE_ON_CANCEL : 0));
}

FORCEINLINE PDRIVER_CANCEL IoSetCancelRoutine(PIRP Irp, PDRIVER_CANCEL CancelRoutine)
{
    return __atomic_exchange_n(&Irp->CancelRoutine, CancelRoutine, __ATOMIC_SEQ_CST);
}

FORCEINLINE PEPROCESS IoGetRequestorProcess(PIRP Irp)
{
    (void)Irp;
    return NULL;
}

/* ---- Work items ---------------------------------------------------------------------------- */

typedef struct _IO_WORKITEM IO_WORKITEM, *PIO_WORKITEM;

typedef VOID IO_WORKITEM_ROUTINE(PDEVICE_OBJECT DeviceObject, PVOID Context);
typedef IO_WORKITEM_ROUTINE *PIO_WORKITEM_ROUTINE;
typedef VOID IO_WORKITEM_ROUTINE_EX(PVOID IoObject, PVOID Context, PIO_WORKITEM IoWorkItem);
typedef IO_WORKITEM_ROUTINE_EX *PIO_WORKITEM_ROUTINE_EX;

/* NULL: no memory. DISPATCH. Freed by IoFreeWorkItem. [DEVIATION] IoObject may be any pointer. */
SOFTNDK_API PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject);
/* DISPATCH. Queued still is a bugcheck; from the item's own routine it is fine. */
SOFTNDK_API VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem);
/* The routine runs at PASSIVE_LEVEL on a system thread. DISPATCH. Queued already is a bugcheck. */
SOFTNDK_API VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine,
    WORK_QUEUE_TYPE QueueType, PVOID Context);
SOFTNDK_API VOID IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
    WORK_QUEUE_TYPE QueueType, PVOID Context);
/* For work items in memory of the driver. */
SOFTNDK_API ULONG IoSizeofWorkItem(VOID);
SOFTNDK_API VOID IoInitializeWorkItem(PVOID IoObject, PIO_WORKITEM IoWorkItem);
SOFTNDK_API VOID IoUninitializeWorkItem(PIO_WORKITEM IoWorkItem);

/* ---- Remove locks -------------------------------------------------------------------------- */

/* [DEVIATION] tags are not followed; only the number of holders is. */
typedef struct _IO_REMOVE_LOCK {
    LONG volatile IoCount;
    BOOLEAN volatile Removed;
    KEVENT RemoveEvent;
} IO_REMOVE_LOCK, *PIO_REMOVE_LOCK;

SOFTNDK_API VOID IoInitializeRemoveLock(
    PIO_REMOVE_LOCK Lock, ULONG AllocateTag, ULONG MaxLockedMinutes, ULONG HighWatermark);
/* DISPATCH. STATUS_SUCCESS; STATUS_DELETE_PENDING. */
SOFTNDK_API NTSTATUS IoAcquireRemoveLock(PIO_REMOVE_LOCK RemoveLock, PVOID Tag);
SOFTNDK_API VOID IoReleaseRemoveLock(PIO_REMOVE_LOCK RemoveLock, PVOID Tag);
/* Refuses new holders and waits until only the caller, who releases with this, is left. PASSIVE. */
SOFTNDK_API VOID IoReleaseRemoveLockAndWait(PIO_REMOVE_LOCK RemoveLock, PVOID Tag);

SOFTNDK_END_DECLS

#endif /* SOFTNDK_KENV_IO_H */
