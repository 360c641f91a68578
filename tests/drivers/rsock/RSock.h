/* SPDX-License-Identifier: MIT */
/*++

Module Name:

    RSock.h

Abstract:

    RSock is a small socket-like layer over Network Direct: a listening adapter and a connecting
    adapter, a send pump with credits, and remote access through fast-register regions. When it is
    loaded, a system thread connects the two and moves data in every way the layer knows.

Environment:

    Kernel mode

--*/
#pragma once

#include <NTDDK.H>
#include <Wsk.h>
#include <NDKPI.h>
#include <WskNdk.h>

#define RSOCK_TAG               'kcSR'
#define RSOCK_MAGIC             0x52534F43
#define RSOCK_RECEIVES          32
#define RSOCK_RECEIVE_SIZE      (64 * 1024)
#define RSOCK_CREDITS           24
#define RSOCK_CREDITS_PER_ACK   8
#define RSOCK_REGIONS           512
#define RSOCK_REGION_SIZE       (2 * PAGE_SIZE)
#define RSOCK_REGION_PAGES      2
#define RSOCK_READS             64
#define RSOCK_MESSAGES          256
#define RSOCK_MAX_SGE           20
#define RSOCK_QUEUE_DEPTH       1024
#define RSOCK_BATCH             16
#define RSOCK_ACKS              8

/* The two ends of the test bed; see also the lab's address plan. */
#define RSOCK_SERVER_IF         12
#define RSOCK_CLIENT_IF         13
#define RSOCK_SERVER_ADDRESS    0x014DA8C0      /* 192.168.77.1 */
#define RSOCK_CLIENT_ADDRESS    0x024DA8C0      /* 192.168.77.2 */

#define RSockPrint(Format, ...) \
    DbgPrintEx(DPFLTR_IHVNETWORK_ID, DPFLTR_ERROR_LEVEL, "RSOCK: " Format, __VA_ARGS__)

// begin_wpp config
// FUNC TraceEnter{LEVEL=TRACE_LEVEL_VERBOSE}(FLAGS);
// FUNC TraceStatus{LEVEL=TRACE_LEVEL_ERROR}(FLAGS, MSG, ...);
// end_wpp

typedef enum _RSOCK_MESSAGE_TYPE {
    RSockMessageData = 1,
    RSockMessageAck,
    RSockMessageRegions,
    RSockMessageRegionDone
} RSOCK_MESSAGE_TYPE;

#include <pshpack1.h>
typedef struct _RSOCK_HEADER {
    ULONG Magic;
    UCHAR Type;
    UCHAR Reserved;
    USHORT Count;
    ULONG Sequence;
    ULONG Length;
} RSOCK_HEADER, *PRSOCK_HEADER;

typedef struct _RSOCK_REGION_DESCRIPTOR {
    UINT64 Address;
    ULONG Length;
    UINT32 Token;
} RSOCK_REGION_DESCRIPTOR, *PRSOCK_REGION_DESCRIPTOR;
#include <poppack.h>

C_ASSERT(sizeof(RSOCK_HEADER) == 16);
C_ASSERT(sizeof(RSOCK_REGION_DESCRIPTOR) == 16);

/* Non-paged memory with its logical addresses. */
typedef struct _RSOCK_BUFFER {
    PVOID Data;
    ULONG Length;
    PMDL Mdl;
    NDK_LOGICAL_ADDRESS_MAPPING *Lam;
    ULONG Fbo;
    NDK_ADAPTER *NdkAdapter;
} RSOCK_BUFFER, *PRSOCK_BUFFER;

typedef struct _RSOCK_ADAPTER {
    NDK_ADAPTER *NdkAdapter;
    NDK_ADAPTER_INFO Info;
} RSOCK_ADAPTER, *PRSOCK_ADAPTER;

typedef enum _RSOCK_REQUEST_TYPE {
    RSockRequestReceive = 1,
    RSockRequestSend,
    RSockRequestRead,
    RSockRequestWrite,
    RSockRequestRegister,
    RSockRequestInvalidate
} RSOCK_REQUEST_TYPE;

/* The context of a work request. */
typedef struct _RSOCK_REQUEST {
    LIST_ENTRY Link;
    RSOCK_REQUEST_TYPE Type;
    ULONG Index;
    BOOLEAN IsAck;                  // belongs to the socket's AckList
    RSOCK_BUFFER Buffer;
} RSOCK_REQUEST, *PRSOCK_REQUEST;

struct _RSOCK_SOCKET;
typedef VOID RSOCK_MESSAGE_ROUTINE(
    _In_ struct _RSOCK_SOCKET *Socket,
    _In_reads_bytes_(Length) PRSOCK_HEADER Header,
    _In_ ULONG Length,
    _In_opt_ const UINT32 *InvalidatedToken);
typedef VOID RSOCK_REQUEST_ROUTINE(
    _In_ struct _RSOCK_SOCKET *Socket,
    _In_ PRSOCK_REQUEST Request,
    _In_ NTSTATUS Status);

typedef struct _RSOCK_SOCKET {
    PRSOCK_ADAPTER Adapter;
    NDK_PD *Pd;
    NDK_CQ *ReceiveCq;
    NDK_CQ *InitiatorCq;
    NDK_QP *Qp;
    NDK_CONNECTOR *Connector;
    UINT32 PrivilegedToken;
    BOOLEAN IsServer;

    KSPIN_LOCK SendLock;            // initiator requests and what is below
    LIST_ENTRY SendQueue;           // RSOCK_REQUESTs that wait for a credit
    LONG SendCredits;
    LIST_ENTRY AckList;             // acknowledgements that are not under way
    LONG ReceivesSinceAck;          // receive callback only

    PRSOCK_REQUEST Acks[RSOCK_ACKS];
    RSOCK_REQUEST Receives[RSOCK_RECEIVES];
    volatile LONG RequestsPosted;   // and one until RSockClose
    KEVENT Drained;                 // it fell to zero
    KEVENT Disconnected;
    volatile LONG IsClosing;

    RSOCK_MESSAGE_ROUTINE *OnMessage;
    RSOCK_REQUEST_ROUTINE *OnRequest;
    PVOID Context;
} RSOCK_SOCKET, *PRSOCK_SOCKET;

typedef VOID RSOCK_ACCEPT_ROUTINE(_In_ PVOID Context, _In_ NDK_CONNECTOR *Connector);

/* driver.c */
extern PDEVICE_OBJECT g_DeviceObject;
extern volatile LONG g_Failures;
VOID RSockFail(_In_z_ PCSTR What, _In_ NTSTATUS Status);

/* adapter.c */
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS RSockRegister(VOID);
_IRQL_requires_(PASSIVE_LEVEL)
VOID RSockDeregister(VOID);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS RSockOpenAdapter(_In_ NET_IFINDEX IfIndex, _Out_ PRSOCK_ADAPTER Adapter);
_IRQL_requires_(PASSIVE_LEVEL)
VOID RSockCloseAdapter(_Inout_ PRSOCK_ADAPTER Adapter);

/* buffer.c */
_IRQL_requires_max_(APC_LEVEL)
NTSTATUS RSockAllocateBuffer(
    _In_ PRSOCK_ADAPTER Adapter, _In_ ULONG Length, _Out_ PRSOCK_BUFFER Buffer);
VOID RSockFreeBuffer(_Inout_ PRSOCK_BUFFER Buffer);
ULONG RSockBuildSgl(
    _In_ const RSOCK_BUFFER *Buffer, _In_ ULONG Offset, _In_ ULONG Length, _In_ UINT32 Token,
    _Out_writes_(SgeCount) NDK_SGE *Sgl, _In_ ULONG SgeCount);

/* socket.c */
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS RSockCreate(
    _In_ PRSOCK_ADAPTER Adapter, _In_ BOOLEAN IsServer, _Outptr_ PRSOCK_SOCKET *Socket);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS RSockConnect(
    _Inout_ PRSOCK_SOCKET Socket, _In_ const SOCKADDR_IN *Local, _In_ const SOCKADDR_IN *Remote);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS RSockAccept(_Inout_ PRSOCK_SOCKET Socket, _In_ NDK_CONNECTOR *Connector);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS RSockPostReceives(_Inout_ PRSOCK_SOCKET Socket);
_IRQL_requires_(PASSIVE_LEVEL)
VOID RSockClose(_In_ PRSOCK_SOCKET Socket);
_IRQL_requires_(PASSIVE_LEVEL)
VOID RSockCloseObject(
    _In_ NDK_OBJECT_HEADER *Object, _In_ NDK_FN_CLOSE_OBJECT Close);

/* Waiting for an asynchronous call. */
typedef struct _RSOCK_COMPLETION {
    KEVENT Event;
    NTSTATUS Status;
    NDK_OBJECT_HEADER *Object;
} RSOCK_COMPLETION, *PRSOCK_COMPLETION;

VOID RSockInitializeCompletion(_Out_ PRSOCK_COMPLETION Completion);
NTSTATUS RSockWait(_Inout_ PRSOCK_COMPLETION Completion, _In_ NTSTATUS Status);
VOID RSockRequestCompletion(_In_ PVOID Context, _In_ NTSTATUS Status);
VOID RSockCreateCompletion(
    _In_ PVOID Context, _In_ NTSTATUS Status, _In_ NDK_OBJECT_HEADER *Object);

/* transfer.c */
VOID RSockReceiveCallback(_In_ PVOID Context, _In_ NTSTATUS CqStatus);
VOID RSockInitiatorCallback(_In_ PVOID Context, _In_ NTSTATUS CqStatus);
NTSTATUS RSockPostReceive(_Inout_ PRSOCK_SOCKET Socket, _Inout_ PRSOCK_REQUEST Request);
VOID RSockSend(_Inout_ PRSOCK_SOCKET Socket, _Inout_ PRSOCK_REQUEST Request);
_IRQL_requires_(PASSIVE_LEVEL)
PRSOCK_REQUEST RSockAllocateMessage(
    _Inout_ PRSOCK_SOCKET Socket, _In_ RSOCK_MESSAGE_TYPE Type, _In_ ULONG Length);
VOID RSockFreeMessage(_In_ PRSOCK_REQUEST Request);
_Requires_lock_held_(Socket->SendLock)
NTSTATUS RSockPostSendLocked(
    _In_ PRSOCK_SOCKET Socket, _In_ PRSOCK_REQUEST Request, _In_ ULONG Flags,
    _In_ UINT32 InvalidateToken);
VOID RSockRequestPosted(_Inout_ PRSOCK_SOCKET Socket);
VOID RSockRequestDone(_Inout_ PRSOCK_SOCKET Socket);

/* selftest.c */
KSTART_ROUTINE RSockSelfTest;
