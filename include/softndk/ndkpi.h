/* SPDX-License-Identifier: MIT */
/*
 * ndkpi.h: the Network Direct Kernel Provider Interface, complete to version 2.1.
 *
 * Rules that hold for every function and are not repeated below:
 *
 * - Callable at IRQL <= DISPATCH_LEVEL, also from inside callbacks, unless PASSIVE is said.
 *   Callbacks arrive at up to DISPATCH_LEVEL and must not block.
 * - Asynchronous calls take a completion routine. They return STATUS_PENDING, and then the routine
 *   is called exactly once (perhaps before the call has returned), or anything else, and then it is
 *   never called. A status listed for a call may arrive either way.
 * - Create calls give the object at one place only: *ppNdk... with STATUS_SUCCESS, the pNdkObject
 * of the completion after STATUS_PENDING. The provider owns the object's memory; the consumer
 * closes each object exactly once. After STATUS_PENDING the out parameter is not written.
 * - Work requests never return STATUS_PENDING. STATUS_SUCCESS means posted: one completion follows
 *   (none if NDK_OP_FLAG_SILENT_SUCCESS was given and it succeeded). Anything else means not
 *   posted: no completion, the queue pair is unharmed. The SGL array is read during the call only;
 *   the memory that it names belongs to the provider until the completion.
 * - Status lists are open: treat every status that is not NT_SUCCESS as failure.
 * - NULL for a routine, an out parameter or any object but the first argument where it is not said
 *   to be optional, and a SOCKADDR shorter than its family's: STATUS_INVALID_PARAMETER. So are
 *   objects of another adapter.
 *
 * The names in the tags [NDKPI NDK_FN_SEND] are those of Microsoft's reference pages.
 */
#ifndef SOFTNDK_NDKPI_H
#define SOFTNDK_NDKPI_H

#include <ndkinfo.h>
#include <wdm.h>
#include <ws2def.h>

SOFTNDK_BEGIN_DECLS

/* ---- Constants ----------------------------------------------------------------------------- */

/* NdkArmCq: what the next notification waits for. The wider of two arms wins, ERRORS < SOLICITED
 * < ANY, which is not the order of the numbers. */
#define NDK_CQ_NOTIFY_ERRORS    0
#define NDK_CQ_NOTIFY_ANY       1
#define NDK_CQ_NOTIFY_SOLICITED 2

/* NdkRegisterMr. ALLOW_REMOTE_WRITE contains local write: test with (Flags & F) == F. */
#define NDK_MR_FLAG_ALLOW_LOCAL_READ   0x00000000
#define NDK_MR_FLAG_ALLOW_LOCAL_WRITE  0x00000001
#define NDK_MR_FLAG_ALLOW_REMOTE_READ  0x00000002
#define NDK_MR_FLAG_ALLOW_REMOTE_WRITE 0x00000005
#define NDK_MR_FLAG_RDMA_READ_SINK     0x00000008

/* Work requests. ALLOW_REMOTE_WRITE contains ALLOW_LOCAL_WRITE: test with (Flags & F) == F. */
#define NDK_OP_FLAG_SILENT_SUCCESS             0x00000001 /* no completion on success */
#define NDK_OP_FLAG_READ_FENCE                 0x00000002 /* start after earlier reads */
#define NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT     0x00000004 /* sends: peer's SOLICITED arm fires */
#define NDK_OP_FLAG_ALLOW_REMOTE_READ          0x00000008 /* bind, fast register */
#define NDK_OP_FLAG_ALLOW_LOCAL_WRITE          0x00000010 /* fast register */
#define NDK_OP_FLAG_ALLOW_REMOTE_WRITE         0x00000030 /* bind, fast register */
#define NDK_OP_FLAG_INLINE                     0x00000040 /* sends, write: data copied in the call */
#define NDK_OP_FLAG_RDMA_READ_SINK             0x00000080 /* fast register */
#define NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE 0x00000100 /* read; since 1.2 */
#define NDK_OP_FLAG_DEFER                      0x00000200 /* more follows at once; since 1.2 */

/* ---- Objects ------------------------------------------------------------------------------- */

typedef enum _NDK_OBJECT_TYPE {
    NdkObjectTypeUndefined = 0,
    NdkObjectTypeAdapter = 1,
    NdkObjectTypeQp = 2,
    NdkObjectTypeCq = 3,
    NdkObjectTypeMr = 4,
    NdkObjectTypeMw = 5,
    NdkObjectTypePd = 6,
    NdkObjectTypeSharedEndpoint = 7,
    NdkObjectTypeConnector = 8,
    NdkObjectTypeListener = 9,
    NdkObjectTypeSrq = 10,
    NdkObjectTypeMax = 11
} NDK_OBJECT_TYPE;

/* For a layer between provider and consumer; the provider zeroes it once and leaves it alone. */
typedef struct _NDK_OBJECT_HEADER_RESERVED_BLOCK {
    PVOID rf[4];
} NDK_OBJECT_HEADER_RESERVED_BLOCK;

/* Read-only to the consumer. Version is the one in operation. [NDKPI NDK_OBJECT_HEADER] */
typedef struct _NDK_OBJECT_HEADER {
    NDK_VERSION Version;
    NDK_OBJECT_TYPE ObjectType;
    NDK_OBJECT_HEADER_RESERVED_BLOCK NdkReserved;
} NDK_OBJECT_HEADER;

typedef struct _NDK_ADAPTER NDK_ADAPTER;
typedef struct _NDK_PD NDK_PD;
typedef struct _NDK_CQ NDK_CQ;
typedef struct _NDK_QP NDK_QP;
typedef struct _NDK_MR NDK_MR;
typedef struct _NDK_MW NDK_MW;
typedef struct _NDK_SRQ NDK_SRQ;
typedef struct _NDK_SHARED_ENDPOINT NDK_SHARED_ENDPOINT;
typedef struct _NDK_CONNECTOR NDK_CONNECTOR;
typedef struct _NDK_LISTENER NDK_LISTENER;

/* The object has been closed; always the last call for it. [NDKPI NDK_FN_CLOSE_COMPLETION] */
typedef VOID (*NDK_FN_CLOSE_COMPLETION)(PVOID Context);

/* An asynchronous request ended with Status. [NDKPI NDK_FN_REQUEST_COMPLETION] */
typedef VOID (*NDK_FN_REQUEST_COMPLETION)(PVOID Context, NTSTATUS Status);

/*
 * A create call ended; pNdkObject is the new object if NT_SUCCESS(Status), else NULL.
 * [NDKPI NDK_FN_CREATE_COMPLETION]
 */
typedef VOID (*NDK_FN_CREATE_COMPLETION)(
    PVOID Context, NTSTATUS Status, NDK_OBJECT_HEADER *pNdkObject);

/*
 * Closes any object but an adapter. Cancels what is pending, and completes when all its callbacks
 * have returned and all successors (objects created from it or using it) are closed; closing them
 * in any order is legal. No use of the object after the call; no call of ours may be running on it.
 * CloseCompletion is mandatory. Cannot fail: STATUS_SUCCESS: closed, no callback; STATUS_PENDING.
 * [NDKPI NDK_FN_CLOSE_OBJECT]
 */
typedef NTSTATUS (*NDK_FN_CLOSE_OBJECT)(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext);

/* Valid as long as the object it was asked from. [NDKPI NDK_EXTENSION_INTERFACE] */
typedef struct _NDK_EXTENSION_INTERFACE {
    const VOID *Dispatch;
} NDK_EXTENSION_INTERFACE;

/*
 * Asks for a provider-specific function table. Synchronous. STATUS_SUCCESS: *pExtensionInterface
 * filled; STATUS_NOT_SUPPORTED: no such extension (softndk has none).
 * [NDKPI NDK_FN_QUERY_EXTENSION_INTERFACE]
 */
typedef NTSTATUS (*NDK_FN_QUERY_EXTENSION_INTERFACE)(NDK_OBJECT_HEADER *pNdkObject,
    GUID *ExtensionInterfaceID, NDK_VERSION ExtensionInterfaceVersion,
    NDK_EXTENSION_INTERFACE *pExtensionInterface);

/* ---- Data ---------------------------------------------------------------------------------- */

/* An address as the adapter sees memory; here the host virtual address. */
typedef PHYSICAL_ADDRESS NDK_LOGICAL_ADDRESS;

/*
 * Page list of a region. The consumer owns the memory: offset of AdapterPageArray plus 8 octets per
 * page. AdapterContext is the provider's. [NDKPI NDK_LOGICAL_ADDRESS_MAPPING]
 */
typedef struct _NDK_LOGICAL_ADDRESS_MAPPING {
    PVOID AdapterContext;
    ULONG AdapterPageCount;
    NDK_LOGICAL_ADDRESS AdapterPageArray[1]; /* really AdapterPageCount */
} NDK_LOGICAL_ADDRESS_MAPPING;

/*
 * One piece of a request's memory. LogicalAddress counts if MemoryRegionToken is the privileged
 * token of the protection domain, VirtualAddress with every other token; inline requests ignore the
 * token. [NDKPI NDK_SGE]
 */
typedef struct _NDK_SGE {
    __extension__ union {
        PVOID VirtualAddress;
        NDK_LOGICAL_ADDRESS LogicalAddress;
    };
    ULONG Length;
    UINT32 MemoryRegionToken;
} NDK_SGE;

/* [NDKPI NDK_RESULT] */
typedef struct _NDK_RESULT {
    NTSTATUS Status;
    ULONG BytesTransferred; /* receives only, else undefined */
    PVOID QPContext;        /* given at the creation of the queue pair */
    PVOID RequestContext;   /* given when the request was posted */
} NDK_RESULT;

/* What a completion is of; bit 0 marks both kinds of receive. Since 1.2. */
typedef enum _NDK_OPERATION_TYPE {
    NdkOperationTypeReceive = 1,
    NdkOperationTypeReceiveAndInvalidate = 32769,
    NdkOperationTypeSend = 2,
    NdkOperationTypeFastRegister = 4,
    NdkOperationTypeBind = 8,
    NdkOperationTypeInvalidate = 16,
    NdkOperationTypeRead = 32,
    NdkOperationTypeWrite = 64
} NDK_OPERATION_TYPE;

/* Since 1.2. [NDKPI NDK_RESULT_EX] */
typedef struct _NDK_RESULT_EX {
    NTSTATUS Status;
    ULONG BytesTransferred;
    PVOID QPContext;
    PVOID RequestContext;
    NDK_OPERATION_TYPE Type;
    ULONG ProviderErrorCode; /* since 2.1: 0 on success or when the provider has nothing to say */
    ULONG_PTR TypeSpecificCompletionOutput; /* ReceiveAndInvalidate: the invalidated token */
} NDK_RESULT_EX;

/* ---- Adapter ------------------------------------------------------------------------------- */

/*
 * A completion queue was armed and fired; called once per arm, never twice at a time for one queue.
 * CqStatus: STATUS_SUCCESS; STATUS_BUFFER_OVERFLOW: overrun, STATUS_INTERNAL_ERROR: fatal error,
 * both the end of the queue and of all queue pairs on it.
 * [NDKPI NDK_FN_CQ_NOTIFICATION_CALLBACK]
 */
typedef VOID (*NDK_FN_CQ_NOTIFICATION_CALLBACK)(PVOID CqNotificationContext, NTSTATUS CqStatus);

/*
 * A peer asks for a connection. The connector becomes the consumer's, who accepts or rejects and
 * always closes it, here or later. [NDKPI NDK_FN_CONNECT_EVENT_CALLBACK]
 */
typedef VOID (*NDK_FN_CONNECT_EVENT_CALLBACK)(
    PVOID ConnectEventContext, NDK_CONNECTOR *pNdkConnector);

/*
 * Limits and abilities. PASSIVE, may block. pInfo may be NULL to ask for the size; *pBufferSize:
 * room in, bytes written out (needed, if too small). Layouts before 2.0 are 96 bytes and accepted.
 * STATUS_SUCCESS; STATUS_BUFFER_TOO_SMALL: nothing written. [NDKPI NDK_FN_QUERY_ADAPTER_INFO]
 */
typedef NTSTATUS (*NDK_FN_QUERY_ADAPTER_INFO)(
    NDK_ADAPTER *pNdkAdapter, NDK_ADAPTER_INFO *pInfo, ULONG *pBufferSize);

/* Declared since 2.0, in no table. */
typedef NTSTATUS (*NDK_FN_QUERY_ADAPTER_INFO_EX)(
    NDK_ADAPTER *pNdkAdapter, NDK_VERSION Version, NDK_ADAPTER_INFO *pInfo, ULONG *pBufferSize);

/*
 * Creates a completion queue for CqDepth completions. CqNotification is mandatory and runs only
 * after NdkArmCq. Affinity: where notifications should run, a hint, may be NULL.
 * STATUS_SUCCESS; STATUS_PENDING; STATUS_INVALID_PARAMETER: CqDepth is 0 or above MaxCqDepth;
 * STATUS_INSUFFICIENT_RESOURCES. [NDKPI NDK_FN_CREATE_CQ]
 */
typedef NTSTATUS (*NDK_FN_CREATE_CQ)(NDK_ADAPTER *pNdkAdapter, ULONG CqDepth,
    NDK_FN_CQ_NOTIFICATION_CALLBACK CqNotification, PVOID CqNotificationContext,
    GROUP_AFFINITY *Affinity, NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
    NDK_CQ **ppNdkCq);

/*
 * Creates a protection domain: the scope in which tokens mean something.
 * STATUS_SUCCESS; STATUS_PENDING; STATUS_INSUFFICIENT_RESOURCES. [NDKPI NDK_FN_CREATE_PD]
 */
typedef NTSTATUS (*NDK_FN_CREATE_PD)(NDK_ADAPTER *pNdkAdapter,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_PD **ppNdkPd);

/*
 * Creates a local endpoint from which many connections may go out. Port 0: the provider chooses.
 * STATUS_SUCCESS; STATUS_PENDING; STATUS_INSUFFICIENT_RESOURCES; STATUS_SHARING_VIOLATION: address
 * and port in use; STATUS_TOO_MANY_ADDRESSES: no port left; STATUS_INVALID_ADDRESS: not an address
 * of this adapter. [NDKPI NDK_FN_CREATE_SHARED_ENDPOINT]
 */
typedef NTSTATUS (*NDK_FN_CREATE_SHARED_ENDPOINT)(NDK_ADAPTER *pNdkAdapter, PSOCKADDR pAddress,
    ULONG AddressLength, NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
    NDK_SHARED_ENDPOINT **ppNdkSharedEndpoint);

/*
 * Creates a connector, for NdkConnect. STATUS_SUCCESS; STATUS_PENDING;
 * STATUS_INSUFFICIENT_RESOURCES. [NDKPI NDK_FN_CREATE_CONNECTOR]
 */
typedef NTSTATUS (*NDK_FN_CREATE_CONNECTOR)(NDK_ADAPTER *pNdkAdapter,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext,
    NDK_CONNECTOR **ppNdkConnector);

/*
 * Creates a listener, idle until NdkListen. ConnectEvent is mandatory.
 * STATUS_SUCCESS; STATUS_PENDING; STATUS_INSUFFICIENT_RESOURCES. [NDKPI NDK_FN_CREATE_LISTENER]
 */
typedef NTSTATUS (*NDK_FN_CREATE_LISTENER)(NDK_ADAPTER *pNdkAdapter,
    NDK_FN_CONNECT_EVENT_CALLBACK ConnectEvent, PVOID ConnectEventContext,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_LISTENER **ppNdkListener);

/*
 * Lists the adapter pages of Length bytes from the start of an MDL (chain), which must be virtually
 * contiguous and stay locked and untouched while pending. RequestCompletion NULL: must finish
 * inline (softndk always does). pNdkLAM may be NULL to ask for the size; *pLAMSize: room in, bytes
 * used or needed out. *pFBO: offset of the first byte in the first page.
 * STATUS_SUCCESS; STATUS_PENDING; STATUS_INVALID_PARAMETER: not contiguous or too long;
 * STATUS_INSUFFICIENT_RESOURCES; STATUS_BUFFER_TOO_SMALL. [NDKPI NDK_FN_BUILD_LAM]
 */
typedef NTSTATUS (*NDK_FN_BUILD_LAM)(NDK_ADAPTER *pNdkAdapter, MDL *Mdl, SIZE_T Length,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext,
    NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM, ULONG *pLAMSize, ULONG *pFBO);

/*
 * Ends a mapping; not before every request that uses it has completed. The memory of the LAM and
 * the MDL stay the consumer's. [NDKPI NDK_FN_RELEASE_LAM]
 */
typedef VOID (*NDK_FN_RELEASE_LAM)(NDK_ADAPTER *pNdkAdapter, NDK_LOGICAL_ADDRESS_MAPPING *pNdkLAM);

/* Has no close entry: see WskCloseNdkAdapter and SoftNdkCloseAdapter. */
typedef struct _NDK_ADAPTER_DISPATCH {
    NDK_FN_QUERY_EXTENSION_INTERFACE NdkQueryExtension;
    NDK_FN_QUERY_ADAPTER_INFO NdkQueryAdapterInfo;
    NDK_FN_CREATE_CQ NdkCreateCq;
    NDK_FN_CREATE_PD NdkCreatePd;
    NDK_FN_CREATE_SHARED_ENDPOINT NdkCreateSharedEndpoint;
    NDK_FN_CREATE_CONNECTOR NdkCreateConnector;
    NDK_FN_CREATE_LISTENER NdkCreateListener;
    NDK_FN_BUILD_LAM NdkBuildLAM;
    NDK_FN_RELEASE_LAM NdkReleaseLAM;
} NDK_ADAPTER_DISPATCH;

struct _NDK_ADAPTER {
    NDK_OBJECT_HEADER Header;
    const NDK_ADAPTER_DISPATCH *Dispatch;
};

/* ---- Completion queue ---------------------------------------------------------------------- */
/* At most one of get-results and arm runs on a queue at a time: the consumer serialises them. */

/*
 * Changes the capacity, if the adapter says NDK_ADAPTER_FLAG_CQ_RESIZE_SUPPORTED. No completion is
 * lost. STATUS_SUCCESS; STATUS_PENDING; STATUS_INVALID_PARAMETER: CqDepth is 0 or above MaxCqDepth;
 * STATUS_BUFFER_OVERFLOW: more completions queued than that, unchanged;
 * STATUS_INSUFFICIENT_RESOURCES: also while another resize is under way; STATUS_NOT_SUPPORTED.
 * [NDKPI NDK_FN_RESIZE_CQ]
 */
typedef NTSTATUS (*NDK_FN_RESIZE_CQ)(NDK_CQ *pNdkCq, ULONG CqDepth,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/*
 * Asks for one notification. Type: NDK_CQ_NOTIFY_... (any other number: none is asked for); all
 * types also fire on an error of the queue.
 * A match that was queued since the last callback fires at once. [NDKPI NDK_FN_ARM_CQ]
 */
typedef VOID (*NDK_FN_ARM_CQ)(NDK_CQ *pNdkCq, ULONG Type);

/*
 * Takes up to nResults completions, oldest first. Returns how many; 0: none there.
 * [NDKPI NDK_FN_GET_CQ_RESULTS]
 */
typedef ULONG (*NDK_FN_GET_CQ_RESULTS)(NDK_CQ *pNdkCq, NDK_RESULT Results[], ULONG nResults);

/*
 * Lets notifications be late. ModerationInterval in microseconds (0: no moderation, MAXULONG: no
 * limit); ModerationCount completions (0, 1: no moderation, MAXULONG or above the depth: no limit).
 * Synchronous, not twice at a time. STATUS_SUCCESS; STATUS_INVALID_PARAMETER_MIX: both without
 * limit; STATUS_INSUFFICIENT_RESOURCES; STATUS_NOT_SUPPORTED: the adapter lacks the flag.
 * [NDKPI NDK_FN_CONTROL_CQ_INTERRUPT_MODERATION]
 */
typedef NTSTATUS (*NDK_FN_CONTROL_CQ_INTERRUPT_MODERATION)(
    NDK_CQ *pNdkCq, ULONG ModerationInterval, ULONG ModerationCount);

/* As NdkGetCqResults, from the same queue, with the operation. Since 1.2.
 * [NDKPI NDK_FN_GET_CQ_RESULTS_EX] */
typedef ULONG (*NDK_FN_GET_CQ_RESULTS_EX)(NDK_CQ *pNdkCq, NDK_RESULT_EX Results[], ULONG nResults);

typedef struct _NDK_CQ_DISPATCH {
    NDK_FN_CLOSE_OBJECT NdkCloseCq;
    NDK_FN_QUERY_EXTENSION_INTERFACE NdkQueryExtension;
    NDK_FN_RESIZE_CQ NdkResizeCq;
    NDK_FN_ARM_CQ NdkArmCq;
    NDK_FN_GET_CQ_RESULTS NdkGetCqResults;
    NDK_FN_CONTROL_CQ_INTERRUPT_MODERATION NdkControlCqInterruptModeration;
    NDK_FN_GET_CQ_RESULTS_EX NdkGetCqResultsEx; /* since 1.2 */
} NDK_CQ_DISPATCH;

struct _NDK_CQ {
    NDK_OBJECT_HEADER Header;
    const NDK_CQ_DISPATCH *Dispatch;
};

/* ---- Protection domain --------------------------------------------------------------------- */

/*
 * The receives of a shared receive queue fell below the threshold (STATUS_SUCCESS), or the queue
 * and its queue pairs are unusable (STATUS_INTERNAL_ERROR). Once per arming. [NDKPI
 * NDK_FN_SRQ_NOTIFICATION_CALLBACK]
 */
typedef VOID (*NDK_FN_SRQ_NOTIFICATION_CALLBACK)(PVOID SrqNotificationContext, NTSTATUS SrqStatus);

/*
 * Creates a memory region, not yet registered. FastRegister TRUE: only for NdkFastRegister, FALSE:
 * only for NdkRegisterMr. STATUS_SUCCESS; STATUS_PENDING; STATUS_INSUFFICIENT_RESOURCES.
 * [NDKPI NDK_FN_CREATE_MR]
 */
typedef NTSTATUS (*NDK_FN_CREATE_MR)(NDK_PD *pNdkPd, BOOLEAN FastRegister,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_MR **ppNdkMr);

/* Creates a memory window, unbound. STATUS_SUCCESS; STATUS_PENDING; STATUS_INSUFFICIENT_RESOURCES.
 * [NDKPI NDK_FN_CREATE_MW] */
typedef NTSTATUS (*NDK_FN_CREATE_MW)(NDK_PD *pNdkPd, NDK_FN_CREATE_COMPLETION CreateCompletion,
    PVOID RequestContext, NDK_MW **ppNdkMw);

/*
 * Creates a shared receive queue. NotifyThreshold above 0 arms SrqNotification (may be NULL) for
 * the first time that fewer receives than that are queued. STATUS_SUCCESS; STATUS_PENDING;
 * STATUS_INVALID_PARAMETER: SrqDepth 0, depth or SGE count above the adapter's limits;
 * STATUS_INSUFFICIENT_RESOURCES. [NDKPI NDK_FN_CREATE_SRQ]
 */
typedef NTSTATUS (*NDK_FN_CREATE_SRQ)(NDK_PD *pNdkPd, ULONG SrqDepth, ULONG MaxReceiveRequestSge,
    ULONG NotifyThreshold, NDK_FN_SRQ_NOTIFICATION_CALLBACK SrqNotification,
    PVOID SrqNotificationContext, GROUP_AFFINITY *Affinity,
    NDK_FN_CREATE_COMPLETION CreateCompletion, PVOID RequestContext, NDK_SRQ **ppNdkSrq);

/*
 * Creates a queue pair. The two completion queues may be one and may serve other queue pairs.
 * QPContext comes back in every result. STATUS_SUCCESS; STATUS_PENDING; STATUS_INVALID_PARAMETER:
 * a depth, SGE count or InlineDataSize above the adapter's limit; STATUS_INSUFFICIENT_RESOURCES.
 * [NDKPI NDK_FN_CREATE_QP]
 */
typedef NTSTATUS (*NDK_FN_CREATE_QP)(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq, NDK_CQ *pInitiatorCq,
    PVOID QPContext, ULONG ReceiveQueueDepth, ULONG InitiatorQueueDepth, ULONG MaxReceiveRequestSge,
    ULONG MaxInitiatorRequestSge, ULONG InlineDataSize, NDK_FN_CREATE_COMPLETION CreateCompletion,
    PVOID RequestContext, NDK_QP **ppNdkQp);

/* The same with receives from pSrq. Results as NdkCreateQp. [NDKPI NDK_FN_CREATE_QP_WITH_SRQ] */
typedef NTSTATUS (*NDK_FN_CREATE_QP_WITH_SRQ)(NDK_PD *pNdkPd, NDK_CQ *pReceiveCq,
    NDK_CQ *pInitiatorCq, NDK_SRQ *pSrq, PVOID QPContext, ULONG InitiatorQueueDepth,
    ULONG MaxInitiatorRequestSge, ULONG InlineDataSize, NDK_FN_CREATE_COMPLETION CreateCompletion,
    PVOID RequestContext, NDK_QP **ppNdkQp);

/*
 * The token with which an SGE names adapter pages of a LAM instead of a region; local access only.
 * Synchronous, cannot fail. [NDKPI NDK_FN_GET_PRIVILEGED_MEMORY_REGION_TOKEN]
 */
typedef VOID (*NDK_FN_GET_PRIVILEGED_MEMORY_REGION_TOKEN)(NDK_PD *pNdkPd, UINT32 *pToken);

typedef struct _NDK_PD_DISPATCH {
    NDK_FN_CLOSE_OBJECT NdkClosePd;
    NDK_FN_QUERY_EXTENSION_INTERFACE NdkQueryExtension;
    NDK_FN_CREATE_MR NdkCreateMr;
    NDK_FN_CREATE_MW NdkCreateMw;
    NDK_FN_CREATE_SRQ NdkCreateSrq;
    NDK_FN_CREATE_QP NdkCreateQp;
    NDK_FN_CREATE_QP_WITH_SRQ NdkCreateQpWithSrq;
    NDK_FN_GET_PRIVILEGED_MEMORY_REGION_TOKEN NdkGetPrivilegedMemoryRegionToken;
} NDK_PD_DISPATCH;

struct _NDK_PD {
    NDK_OBJECT_HEADER Header;
    const NDK_PD_DISPATCH *Dispatch;
};

/* ---- Memory region ------------------------------------------------------------------------- */

/*
 * Registers Length bytes from the start of an MDL (chain), virtually contiguous; its base is the
 * first MDL's virtual address. Flags: NDK_MR_FLAG_.... The memory stays locked by the consumer
 * until NdkDeregisterMr; the MDL is untouched while pending. STATUS_SUCCESS; STATUS_PENDING;
 * STATUS_INVALID_PARAMETER: not contiguous, longer than the chain or than MaxRegistrationSize, or
 * unknown flags; STATUS_INVALID_DEVICE_STATE: registered, or made for fast registration;
 * STATUS_INSUFFICIENT_RESOURCES. [NDKPI NDK_FN_REGISTER_MR]
 */
typedef NTSTATUS (*NDK_FN_REGISTER_MR)(NDK_MR *pNdkMr, MDL *Mdl, SIZE_T Length, ULONG Flags,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/*
 * Ends a registration: the only way to take access back from NdkRegisterMr, but for closing the
 * region. When it has succeeded nothing touches the memory any more. STATUS_SUCCESS;
 * STATUS_PENDING; STATUS_DEVICE_BUSY: a window is bound to it (a warning: NT_ERROR is false);
 * STATUS_INVALID_DEVICE_STATE: not registered. [NDKPI NDK_FN_DEREGISTER_MR]
 */
typedef NTSTATUS (*NDK_FN_DEREGISTER_MR)(
    NDK_MR *pNdkMr, NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/*
 * Prepares a fast-register region for up to AdapterPageCount pages, and for remote access or not.
 * May be called again while it is not registered. STATUS_SUCCESS; STATUS_PENDING;
 * STATUS_IMPLEMENTATION_LIMIT: more pages than possible; STATUS_INVALID_PARAMETER: no pages;
 * STATUS_INVALID_DEVICE_STATE: not made for fast registration, registered, or a request for it is
 * queued; STATUS_INSUFFICIENT_RESOURCES.
 * [NDKPI NDK_FN_INITIALIZE_FAST_REGISTER_MR]
 */
typedef NTSTATUS (*NDK_FN_INITIALIZE_FAST_REGISTER_MR)(NDK_MR *pNdkMr, ULONG AdapterPageCount,
    BOOLEAN RemoteAccess, NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/*
 * The token for the peer, and the one for SGEs. Valid once the region is registered or initialised;
 * constant for the life of a fast-register region, another one with each NdkRegisterMr, never 0.
 * Synchronous, cannot fail.
 * [NDKPI NDK_FN_GET_REMOTE_TOKEN_FROM_MR] [NDKPI NDK_FN_GET_LOCAL_TOKEN_FROM_MR]
 */
typedef UINT32 (*NDK_FN_GET_REMOTE_TOKEN_FROM_MR)(NDK_MR *pNdkMr);
typedef UINT32 (*NDK_FN_GET_LOCAL_TOKEN_FROM_MR)(NDK_MR *pNdkMr);

typedef struct _NDK_MR_DISPATCH {
    NDK_FN_CLOSE_OBJECT NdkCloseMr;
    NDK_FN_QUERY_EXTENSION_INTERFACE NdkQueryExtension;
    NDK_FN_REGISTER_MR NdkRegisterMr;
    NDK_FN_DEREGISTER_MR NdkDeregisterMr;
    NDK_FN_INITIALIZE_FAST_REGISTER_MR NdkInitializeFastRegisterMr;
    NDK_FN_GET_REMOTE_TOKEN_FROM_MR NdkGetRemoteTokenFromMr;
    NDK_FN_GET_LOCAL_TOKEN_FROM_MR NdkGetLocalTokenFromMr;
} NDK_MR_DISPATCH;

struct _NDK_MR {
    NDK_OBJECT_HEADER Header;
    const NDK_MR_DISPATCH *Dispatch;
};

/* ---- Memory window ------------------------------------------------------------------------- */

/* The token for the peer; there from the return of NdkBind. Synchronous, cannot fail.
 * [NDKPI NDK_FN_GET_REMOTE_TOKEN_FROM_MW] */
typedef UINT32 (*NDK_FN_GET_REMOTE_TOKEN_FROM_MW)(NDK_MW *pNdkMw);

typedef struct _NDK_MW_DISPATCH {
    NDK_FN_CLOSE_OBJECT NdkCloseMw;
    NDK_FN_QUERY_EXTENSION_INTERFACE NdkQueryExtension;
    NDK_FN_GET_REMOTE_TOKEN_FROM_MW NdkGetRemoteTokenFromMw;
} NDK_MW_DISPATCH;

struct _NDK_MW {
    NDK_OBJECT_HEADER Header;
    const NDK_MW_DISPATCH *Dispatch;
};

/* ---- Shared receive queue ------------------------------------------------------------------ */

/*
 * Changes depth (0: leave it) and arms the notification (NotifyThreshold 0: leave it); already
 * below the threshold notifies at once. STATUS_SUCCESS; STATUS_PENDING; STATUS_INVALID_PARAMETER:
 * above MaxSrqDepth; STATUS_BUFFER_OVERFLOW: more receives queued than that;
 * STATUS_INSUFFICIENT_RESOURCES. [NDKPI NDK_FN_MODIFY_SRQ]
 */
typedef NTSTATUS (*NDK_FN_MODIFY_SRQ)(NDK_SRQ *pNdkSrq, ULONG SrqDepth, ULONG NotifyThreshold,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/*
 * Posts a receive for whichever queue pair gets the next message; its completion goes to that queue
 * pair's receive queue. The consumer serialises these calls per queue. STATUS_SUCCESS;
 * STATUS_INVALID_PARAMETER: nSge or the total length; STATUS_INSUFFICIENT_RESOURCES: full.
 * [NDKPI NDK_FN_SRQ_RECEIVE]
 */
typedef NTSTATUS (*NDK_FN_SRQ_RECEIVE)(
    NDK_SRQ *pNdkSrq, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge);

typedef struct _NDK_SRQ_DISPATCH {
    NDK_FN_CLOSE_OBJECT NdkCloseSrq;
    NDK_FN_QUERY_EXTENSION_INTERFACE NdkQueryExtension;
    NDK_FN_MODIFY_SRQ NdkModifySrq;
    NDK_FN_SRQ_RECEIVE NdkSrqReceive;
} NDK_SRQ_DISPATCH;

struct _NDK_SRQ {
    NDK_OBJECT_HEADER Header;
    const NDK_SRQ_DISPATCH *Dispatch;
};

/* ---- Queue pair ---------------------------------------------------------------------------- */
/*
 * Work requests. The consumer serialises the initiator requests of a queue pair, and its receives;
 * NdkFlush may overlap with them. Requests start and complete in the order of posting. Common
 * results, beside those listed: STATUS_INSUFFICIENT_RESOURCES: the queue is full;
 * STATUS_INVALID_PARAMETER: nSge or the total length above a limit, or a flag that the request does
 * not know. nSge 0 with pSgl NULL is a request of no bytes. A request with NDK_OP_FLAG_DEFER may
 * wait for the next one without it.
 * Completion statuses: STATUS_SUCCESS; STATUS_CANCELLED: flushed; STATUS_ACCESS_VIOLATION: memory
 * protection here or there; STATUS_BUFFER_OVERFLOW: message longer than the receive;
 * STATUS_DATA_OVERRUN; STATUS_INVALID_DEVICE_REQUEST; STATUS_IO_TIMEOUT: peer gone or no receive
 * posted there; STATUS_REMOTE_RESOURCES: error at the peer; STATUS_INTERNAL_ERROR. Any but success
 * ends the connection, and the rest of the requests complete with STATUS_CANCELLED.
 */

/* Starts cancelling all requests of both queues; they complete with STATUS_CANCELLED, silent ones
 * too. Receives in a shared receive queue stay there. Final: a connection ends with it, and the
 * queue pair cannot be connected any more. Does not wait. [NDKPI NDK_FN_FLUSH] */
typedef VOID (*NDK_FN_FLUSH)(NDK_QP *pNdkQp);

/*
 * Sends one message, which takes one receive of the peer. Flags: SILENT_SUCCESS, READ_FENCE,
 * SEND_AND_SOLICIT_EVENT, INLINE (at most the queue pair's InlineDataSize, any nSge), DEFER.
 * STATUS_SUCCESS; STATUS_CONNECTION_INVALID: not connected. [NDKPI NDK_FN_SEND]
 */
typedef NTSTATUS (*NDK_FN_SEND)(
    NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge, ULONG Flags);

/*
 * Posts memory (with local write) for one incoming message; allowed before connecting, and after
 * the end, when it completes with STATUS_CANCELLED. Not for a queue pair with a shared receive
 * queue (STATUS_INVALID_PARAMETER). STATUS_SUCCESS. [NDKPI NDK_FN_RECEIVE]
 */
typedef NTSTATUS (*NDK_FN_RECEIVE)(
    NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl, ULONG nSge);

/*
 * Gives a window a range of a registered region, rights of its own and a new token, readable when
 * the call returns. Flags: SILENT_SUCCESS, READ_FENCE, ALLOW_REMOTE_READ, ALLOW_REMOTE_WRITE (at
 * least one of the two), DEFER. STATUS_SUCCESS; STATUS_CONNECTION_INVALID;
 * STATUS_ACCESS_VIOLATION: remote write of a region without local write; STATUS_INVALID_PARAMETER:
 * range outside the region or longer than MaxWindowSize, no access flag, or a region that
 * NdkRegisterMr did not register. A window that is bound still, or of another protection domain,
 * completes with STATUS_INVALID_DEVICE_REQUEST. A bound window belongs to this queue pair: no other
 * can invalidate it, and when the queue pair is gone it can only be closed. [NDKPI NDK_FN_BIND]
 */
typedef NTSTATUS (*NDK_FN_BIND)(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr, NDK_MW *pMw,
    PVOID VirtualAddress, SIZE_T Length, ULONG Flags);

/*
 * Registers pages of a LAM, in any order, as one region. FBO: offset of its first byte in the first
 * page; Length <= AdapterPageCount * PAGE_SIZE - FBO; BaseVirtualAddress: the label of the first
 * byte for peers and SGEs, equal to FBO modulo PAGE_SIZE. Flags: SILENT_SUCCESS, READ_FENCE,
 * ALLOW_REMOTE_READ, ALLOW_LOCAL_WRITE, ALLOW_REMOTE_WRITE, RDMA_READ_SINK, DEFER. The page array
 * is read during the call only; later requests of this queue pair may use the region at once.
 * STATUS_SUCCESS; STATUS_CONNECTION_INVALID; STATUS_ACCESS_VIOLATION: remote access but initialised
 * without; STATUS_INVALID_PARAMETER: also when it is not initialised. One that is registered still
 * completes with STATUS_INVALID_DEVICE_REQUEST. [NDKPI NDK_FN_FAST_REGISTER]
 */
typedef NTSTATUS (*NDK_FN_FAST_REGISTER)(NDK_QP *pNdkQp, PVOID RequestContext, NDK_MR *pMr,
    ULONG AdapterPageCount, const NDK_LOGICAL_ADDRESS *AdapterPageArray, ULONG FBO, SIZE_T Length,
    PVOID BaseVirtualAddress, ULONG Flags);

/*
 * Takes back a fast registration or a window binding; pNdkMrOrMw is the object's header. One that
 * is already invalid, or was registered by NdkRegisterMr, completes with
 * STATUS_INVALID_DEVICE_REQUEST. Flags: SILENT_SUCCESS, READ_FENCE, DEFER.
 * STATUS_SUCCESS; STATUS_CONNECTION_INVALID. [NDKPI NDK_FN_INVALIDATE]
 */
typedef NTSTATUS (*NDK_FN_INVALIDATE)(
    NDK_QP *pNdkQp, PVOID RequestContext, NDK_OBJECT_HEADER *pNdkMrOrMw, ULONG Flags);

/*
 * Reads the peer's memory at RemoteAddress (host byte order) into the SGL, at most
 * MaxReadRequestSge entries, and no more than the queue pair's MaxInitiatorRequestSge. Flags:
 * SILENT_SUCCESS, READ_FENCE, RDMA_READ_LOCAL_INVALIDATE (success invalidates the first entry's
 * region), DEFER. STATUS_SUCCESS; STATUS_CONNECTION_INVALID; STATUS_INVALID_PARAMETER: the
 * connection allows no outbound reads. [NDKPI NDK_FN_READ]
 */
typedef NTSTATUS (*NDK_FN_READ)(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl,
    ULONG nSge, UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags);

/*
 * Writes the SGL to the peer's memory. Completion says that the local memory is free; a later Send
 * on this queue pair is received after the data is in place. Flags: SILENT_SUCCESS, READ_FENCE,
 * INLINE, DEFER. STATUS_SUCCESS; STATUS_CONNECTION_INVALID. [NDKPI NDK_FN_WRITE]
 */
typedef NTSTATUS (*NDK_FN_WRITE)(NDK_QP *pNdkQp, PVOID RequestContext, const NDK_SGE *pSgl,
    ULONG nSge, UINT64 RemoteAddress, UINT32 RemoteToken, ULONG Flags);

/*
 * As NdkSend, and invalidates RemoteToken (a fast-registered region or window of the peer) before
 * the peer's receive completes; a token that is not valid there ends the connection. Since 1.2, on
 * both sides. [NDKPI NDK_FN_SEND_AND_INVALIDATE]
 */
typedef NTSTATUS (*NDK_FN_SEND_AND_INVALIDATE)(NDK_QP *pNdkQp, PVOID RequestContext,
    const NDK_SGE *pSgl, ULONG nSge, ULONG Flags, UINT32 RemoteToken);

typedef struct _NDK_QP_DISPATCH {
    NDK_FN_CLOSE_OBJECT NdkCloseQp;
    NDK_FN_QUERY_EXTENSION_INTERFACE NdkQueryExtension;
    NDK_FN_FLUSH NdkFlush;
    NDK_FN_SEND NdkSend;
    NDK_FN_RECEIVE NdkReceive;
    NDK_FN_BIND NdkBind;
    NDK_FN_FAST_REGISTER NdkFastRegister;
    NDK_FN_INVALIDATE NdkInvalidate;
    NDK_FN_READ NdkRead;
    NDK_FN_WRITE NdkWrite;
    NDK_FN_SEND_AND_INVALIDATE NdkSendAndInvalidate; /* since 1.2 */
} NDK_QP_DISPATCH;

struct _NDK_QP {
    NDK_OBJECT_HEADER Header;
    const NDK_QP_DISPATCH *Dispatch;
};

/* ---- Shared endpoint ----------------------------------------------------------------------- */

/*
 * The local address, with the port that was chosen. pAddress may be NULL with *pAddressLength 0 to
 * ask for the size; *pAddressLength: room in, bytes written or needed out. Synchronous.
 * STATUS_SUCCESS; STATUS_BUFFER_TOO_SMALL. [NDKPI NDK_FN_GET_SHARED_ENDPOINT_LOCAL_ADDRESS]
 */
typedef NTSTATUS (*NDK_FN_GET_SHARED_ENDPOINT_LOCAL_ADDRESS)(
    NDK_SHARED_ENDPOINT *pNdkSharedEndpoint, PSOCKADDR pAddress, ULONG *pAddressLength);

typedef struct _NDK_SHARED_ENDPOINT_DISPATCH {
    NDK_FN_CLOSE_OBJECT NdkCloseSharedEndpoint;
    NDK_FN_QUERY_EXTENSION_INTERFACE NdkQueryExtension;
    NDK_FN_GET_SHARED_ENDPOINT_LOCAL_ADDRESS NdkGetLocalAddress;
} NDK_SHARED_ENDPOINT_DISPATCH;

struct _NDK_SHARED_ENDPOINT {
    NDK_OBJECT_HEADER Header;
    const NDK_SHARED_ENDPOINT_DISPATCH *Dispatch;
};

/* ---- Connector ----------------------------------------------------------------------------- */
/*
 * Active side: NdkConnect, then NdkCompleteConnect (or NdkReject). Passive side: a connect event,
 * then NdkAccept (or NdkReject). A call out of that order: STATUS_INVALID_DEVICE_STATE, or what is
 * listed. Private data: at most MaxCallerData with connect, MaxCalleeData with accept and reject;
 * longer: STATUS_INVALID_BUFFER_SIZE. Read limits are lowered to what adapter and peer allow.
 */

/*
 * The peer disconnected or the connection broke; at most once per connection. It says nothing about
 * requests: when the peer disconnects, receives stay until the consumer disconnects, closes or
 * flushes; initiator requests that cannot be finished complete with an error.
 * [NDKPI NDK_FN_DISCONNECT_EVENT_CALLBACK]
 */
typedef VOID (*NDK_FN_DISCONNECT_EVENT_CALLBACK)(PVOID DisconnectEventContext);

/* The same; ProviderDisconnectReason 0: not known. Since 2.1.
 * [NDKPI NDK_FN_DISCONNECT_EVENT_CALLBACK_EX] */
typedef VOID (*NDK_FN_DISCONNECT_EVENT_CALLBACK_EX)(
    PVOID DisconnectEventContext, ULONG ProviderDisconnectReason);

/*
 * Connects a queue pair from a local address (port 0: the provider chooses). Succeeds when the peer
 * has accepted; the queue pair sends only after NdkCompleteConnect.
 * STATUS_SUCCESS; STATUS_PENDING; STATUS_INSUFFICIENT_RESOURCES; STATUS_NETWORK_UNREACHABLE;
 * STATUS_HOST_UNREACHABLE; STATUS_CONNECTION_REFUSED: nobody listens, or rejected;
 * STATUS_IO_TIMEOUT (after these four the connector may try again); STATUS_SHARING_VIOLATION: local
 * address in use; STATUS_INVALID_ADDRESS: not an address of this adapter, or families differ;
 * STATUS_TOO_MANY_ADDRESSES: no port left; STATUS_ADDRESS_ALREADY_EXISTS: this pair of addresses is
 * connected; STATUS_CONNECTION_ACTIVE: the queue pair is in use or was; STATUS_INVALID_BUFFER_SIZE;
 * STATUS_CONNECTION_ABORTED: the peer's answer is no iWARP; STATUS_CANCELLED: closed meanwhile;
 * STATUS_INVALID_DEVICE_STATE: also of a queue pair whose completion queue is unusable.
 * [NDKPI NDK_FN_CONNECT]
 */
typedef NTSTATUS (*NDK_FN_CONNECT)(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp,
    PSOCKADDR pSrcAddress, ULONG SrcAddressLength, PSOCKADDR pDestAddress, ULONG DestAddressLength,
    ULONG InboundReadLimit, ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/* The same from a shared endpoint. Results as NdkConnect without those of the local address.
 * [NDKPI NDK_FN_CONNECT_WITH_SHARED_ENDPOINT] */
typedef NTSTATUS (*NDK_FN_CONNECT_WITH_SHARED_ENDPOINT)(NDK_CONNECTOR *pNdkConnector,
    NDK_QP *pNdkQp, NDK_SHARED_ENDPOINT *pNdkSharedEndpoint, PSOCKADDR pDestAddress,
    ULONG DestAddressLength, ULONG InboundReadLimit, ULONG OutboundReadLimit, PVOID pPrivateData,
    ULONG PrivateDataLength, NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/*
 * Third step of the active side; afterwards the queue pair is connected. DisconnectEvent may be
 * NULL. STATUS_SUCCESS; STATUS_PENDING; STATUS_CONNECTION_INVALID: not connecting;
 * STATUS_CONNECTION_ABORTED: the peer gave up; STATUS_IO_TIMEOUT; STATUS_CANCELLED: the connector
 * was closed, or the queue pair flushed; STATUS_INSUFFICIENT_RESOURCES.
 * [NDKPI NDK_FN_COMPLETE_CONNECT]
 */
typedef NTSTATUS (*NDK_FN_COMPLETE_CONNECT)(NDK_CONNECTOR *pNdkConnector,
    NDK_FN_DISCONNECT_EVENT_CALLBACK DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/* The same with the callback of 2.1. [NDKPI NDK_FN_COMPLETE_CONNECT_EX] */
typedef NTSTATUS (*NDK_FN_COMPLETE_CONNECT_EX)(NDK_CONNECTOR *pNdkConnector,
    NDK_FN_DISCONNECT_EVENT_CALLBACK_EX DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/*
 * Accepts the request of a connect event onto a queue pair; completes when the peer has completed
 * its side. DisconnectEvent may be NULL. STATUS_SUCCESS; STATUS_PENDING;
 * STATUS_CONNECTION_ABORTED: the peer gave up; STATUS_CONNECTION_REFUSED: it rejected;
 * STATUS_IO_TIMEOUT; STATUS_CONNECTION_ACTIVE: the queue pair is in use or was;
 * STATUS_INVALID_BUFFER_SIZE; STATUS_CANCELLED: the connector was closed, or the queue pair
 * flushed; STATUS_INSUFFICIENT_RESOURCES; STATUS_INVALID_DEVICE_STATE: as NdkConnect. [NDKPI
 * NDK_FN_ACCEPT]
 */
typedef NTSTATUS (*NDK_FN_ACCEPT)(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp,
    ULONG InboundReadLimit, ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_DISCONNECT_EVENT_CALLBACK DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/* The same with the callback of 2.1. [NDKPI NDK_FN_ACCEPT_EX] */
typedef NTSTATUS (*NDK_FN_ACCEPT_EX)(NDK_CONNECTOR *pNdkConnector, NDK_QP *pNdkQp,
    ULONG InboundReadLimit, ULONG OutboundReadLimit, PVOID pPrivateData, ULONG PrivateDataLength,
    NDK_FN_DISCONNECT_EVENT_CALLBACK_EX DisconnectEvent, PVOID DisconnectEventContext,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/*
 * Refuses: a connect event, or on the active side a peer that has accepted (which is told by a
 * Terminate: the private data does not arrive, and the queue pair is used up). Synchronous; the
 * connector is still to be closed. STATUS_SUCCESS; STATUS_CONNECTION_ABORTED: the peer gave up
 * before; STATUS_INVALID_BUFFER_SIZE. [NDKPI NDK_FN_REJECT]
 */
typedef NTSTATUS (*NDK_FN_REJECT)(
    NDK_CONNECTOR *pNdkConnector, PVOID pPrivateData, ULONG PrivateDataLength);

/*
 * What the peer sent: read limits as seen from here (either pointer may be NULL) and private data.
 * *pPrivateDataLength: room in, bytes there are out; pPrivateData NULL with 0 asks for the size.
 * From a connect event on, or from the success of NdkConnect, until the close; also after a
 * rejection, whose private data it is then. Synchronous. STATUS_SUCCESS;
 * STATUS_BUFFER_TOO_SMALL: what fits was copied; STATUS_CONNECTION_INVALID: too early.
 * [NDKPI NDK_FN_GET_CONNECTION_DATA]
 */
typedef NTSTATUS (*NDK_FN_GET_CONNECTION_DATA)(NDK_CONNECTOR *pNdkConnector,
    ULONG *pInboundReadLimit, ULONG *pOutboundReadLimit, PVOID pPrivateData,
    ULONG *pPrivateDataLength);

/*
 * Addresses of a connection; arguments as for a shared endpoint. Synchronous. STATUS_SUCCESS;
 * STATUS_BUFFER_TOO_SMALL; STATUS_CONNECTION_INVALID: there is none yet.
 * [NDKPI NDK_FN_GET_LOCAL_ADDRESS] [NDKPI NDK_FN_GET_PEER_ADDRESS]
 */
typedef NTSTATUS (*NDK_FN_GET_LOCAL_ADDRESS)(
    NDK_CONNECTOR *pNdkConnector, PSOCKADDR pAddress, ULONG *pAddressLength);
typedef NTSTATUS (*NDK_FN_GET_PEER_ADDRESS)(
    NDK_CONNECTOR *pNdkConnector, PSOCKADDR pAddress, ULONG *pAddressLength);

/*
 * Ends a connection gracefully; completes when the peer has answered and nothing touches the queue
 * pair's memory any more. What is left then completes with STATUS_CANCELLED. Best called when all
 * initiator requests have completed. STATUS_SUCCESS; STATUS_PENDING; STATUS_IO_TIMEOUT: closed
 * without an answer; STATUS_CONNECTION_INVALID: not connected; STATUS_CANCELLED: closed or flushed
 * meanwhile. [NDKPI NDK_FN_DISCONNECT]
 */
typedef NTSTATUS (*NDK_FN_DISCONNECT)(NDK_CONNECTOR *pNdkConnector,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/* Declared since 2.0, in no table. */
typedef NTSTATUS (*NDK_FN_DISCONNECT_EX)(NDK_CONNECTOR *pNdkConnector, BOOLEAN Abortive,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/* 11 entries up to 2.0. */
typedef struct _NDK_CONNECTOR_DISPATCH {
    NDK_FN_CLOSE_OBJECT NdkCloseConnector;
    NDK_FN_QUERY_EXTENSION_INTERFACE NdkQueryExtension;
    NDK_FN_CONNECT NdkConnect;
    NDK_FN_CONNECT_WITH_SHARED_ENDPOINT NdkConnectWithSharedEndpoint;
    NDK_FN_COMPLETE_CONNECT NdkCompleteConnect;
    NDK_FN_ACCEPT NdkAccept;
    NDK_FN_REJECT NdkReject;
    NDK_FN_GET_CONNECTION_DATA NdkGetConnectionData;
    NDK_FN_GET_LOCAL_ADDRESS NdkGetLocalAddress;
    NDK_FN_GET_PEER_ADDRESS NdkGetPeerAddress;
    NDK_FN_DISCONNECT NdkDisconnect;
    NDK_FN_COMPLETE_CONNECT_EX NdkCompleteConnectEx; /* since 2.1 */
    NDK_FN_ACCEPT_EX NdkAcceptEx;                    /* since 2.1 */
} NDK_CONNECTOR_DISPATCH;

struct _NDK_CONNECTOR {
    NDK_OBJECT_HEADER Header;
    const NDK_CONNECTOR_DISPATCH *Dispatch;
};

/* ---- Listener ------------------------------------------------------------------------------ */

/*
 * Starts listening; port 0: the provider chooses. From then on connect events arrive.
 * STATUS_SUCCESS; STATUS_PENDING; STATUS_INSUFFICIENT_RESOURCES; STATUS_SHARING_VIOLATION: in use;
 * STATUS_INVALID_ADDRESS: not an address of this adapter; STATUS_TOO_MANY_ADDRESSES: no port left;
 * STATUS_INVALID_DEVICE_STATE: it listens already; STATUS_CANCELLED: closed meanwhile.
 * [NDKPI NDK_FN_LISTEN]
 */
typedef NTSTATUS (*NDK_FN_LISTEN)(NDK_LISTENER *pNdkListener, PSOCKADDR pAddress,
    ULONG AddressLength, NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext);

/* The local address, with the port that was chosen; as for a shared endpoint.
 * STATUS_INVALID_DEVICE_STATE: it does not listen. [NDKPI NDK_FN_GET_LISTENER_LOCAL_ADDRESS] */
typedef NTSTATUS (*NDK_FN_GET_LISTENER_LOCAL_ADDRESS)(
    NDK_LISTENER *pNdkListener, PSOCKADDR pAddress, ULONG *pAddressLength);

/* Pause TRUE: peers are refused as if nobody listened; FALSE: they are heard again. Connectors
 * already delivered do not notice. [NDKPI NDK_FN_CONTROL_CONNECT_EVENTS] */
typedef VOID (*NDK_FN_CONTROL_CONNECT_EVENTS)(NDK_LISTENER *pNdkListener, BOOLEAN Pause);

typedef struct _NDK_LISTENER_DISPATCH {
    NDK_FN_CLOSE_OBJECT NdkCloseListener;
    NDK_FN_QUERY_EXTENSION_INTERFACE NdkQueryExtension;
    NDK_FN_LISTEN NdkListen;
    NDK_FN_GET_LISTENER_LOCAL_ADDRESS NdkGetLocalAddress;
    NDK_FN_CONTROL_CONNECT_EVENTS NdkControlConnectEvents;
} NDK_LISTENER_DISPATCH;

struct _NDK_LISTENER {
    NDK_OBJECT_HEADER Header;
    const NDK_LISTENER_DISPATCH *Dispatch;
};

SOFTNDK_END_DECLS

#endif /* SOFTNDK_NDKPI_H */
