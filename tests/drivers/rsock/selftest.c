/* SPDX-License-Identifier: MIT */
/*++

Module Name:

    selftest.c

Abstract:

    Connects the client adapter to the server adapter and moves data: messages through the pump,
    then 512 fast-register regions that the server reads, changes, writes back and invalidates.

--*/
#include "rsock.h"
#include "selftest.tmh"

#define RSOCK_PATIENCE_SECONDS 60

typedef struct _RSOCK_REGION {
    NDK_MR *Mr;
    UINT32 Token;
    UINT64 Address;
    RSOCK_REQUEST Request;
} RSOCK_REGION, *PRSOCK_REGION;

typedef struct _RSOCK_SERVER {
    RSOCK_ADAPTER Adapter;
    NDK_LISTENER *Listener;
    NDK_CONNECTOR *volatile Incoming;
    PRSOCK_SOCKET Socket;
    PIO_WORKITEM AcceptWork;
    PIO_WORKITEM RegionWork;
    KEVENT Accepted;
    KEVENT AllMessages;
    LONG MessageCount;

    RSOCK_REGION_DESCRIPTOR Descriptors[RSOCK_REGIONS];
    RSOCK_REQUEST Reads[RSOCK_REGIONS];
    RSOCK_REQUEST Write;
    PRSOCK_REQUEST DoneMessages[RSOCK_REGIONS];
    RSOCK_BUFFER Landing;
    volatile LONG NextRead;
} RSOCK_SERVER, *PRSOCK_SERVER;

typedef struct _RSOCK_CLIENT {
    RSOCK_ADAPTER Adapter;
    PRSOCK_SOCKET Socket;
    RSOCK_REGION Regions[RSOCK_REGIONS];
    RSOCK_BUFFER Buffer;
    volatile LONG RegisteredCount;
    volatile LONG VerifiedCount;
    volatile LONG ClosesPending;
    KEVENT AllRegistered;
    KEVENT AllVerified;
} RSOCK_CLIENT, *PRSOCK_CLIENT;

static PRSOCK_SERVER g_Server;
static PRSOCK_CLIENT g_Client;

static
VOID
RSockFill(
    _Out_writes_bytes_(Length) PUCHAR Data,
    _In_ ULONG Length,
    _In_ ULONG Seed,
    _In_ UCHAR Mask
    )
{
    ULONG Index;

    for (Index = 0; Index < Length; Index++) {
        Data[Index] = (UCHAR)((Seed * 31 + Index * 7 + (Index >> 8)) ^ Mask);
    }
}

static
BOOLEAN
RSockIsFilled(
    _In_reads_bytes_(Length) const UCHAR *Data,
    _In_ ULONG Length,
    _In_ ULONG Seed,
    _In_ UCHAR Mask
    )
{
    ULONG Index;

    for (Index = 0; Index < Length; Index++) {
        if (Data[Index] != (UCHAR)((Seed * 31 + Index * 7 + (Index >> 8)) ^ Mask)) {
            return FALSE;
        }
    }
    return TRUE;
}

static
BOOLEAN
RSockWaitFor(
    _In_ PKEVENT Event,
    _In_z_ PCSTR What
    )
{
    LARGE_INTEGER Timeout;

    Timeout.QuadPart = -10000000i64 * RSOCK_PATIENCE_SECONDS;
    if (KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, &Timeout) == STATUS_TIMEOUT) {
        RSockFail(What, STATUS_TIMEOUT);
        return FALSE;
    }
    return TRUE;
}

/* ---- Server --------------------------------------------------------------------------------- */

static
BOOLEAN
RSockServerReadNext(
    _In_ PRSOCK_SOCKET Socket
    )
{
    NDK_SGE Sgl[RSOCK_MAX_SGE];
    KLOCK_QUEUE_HANDLE LockHandle;
    ULONG SgeCount;
    LONG Next;
    NTSTATUS Status;

    Next = InterlockedIncrement(&g_Server->NextRead) - 1;
    if (Next >= RSOCK_REGIONS) {
        return FALSE;
    }
    SgeCount = RSockBuildSgl(
        &g_Server->Landing, Next * RSOCK_REGION_SIZE, RSOCK_REGION_SIZE, Socket->PrivilegedToken,
        Sgl, min(RSOCK_MAX_SGE, Socket->Adapter->Info.MaxReadRequestSge));
    g_Server->Reads[Next].Type = RSockRequestRead;
    g_Server->Reads[Next].Index = Next;

    KeAcquireInStackQueuedSpinLock(&Socket->SendLock, &LockHandle);
    RSockRequestPosted(Socket);
    Status = Socket->Qp->Dispatch->NdkRead(
        Socket->Qp, &g_Server->Reads[Next], Sgl, SgeCount, g_Server->Descriptors[Next].Address,
        g_Server->Descriptors[Next].Token, 0);
    if (!NT_SUCCESS(Status)) {
        RSockRequestDone(Socket);
        RSockFail("NdkRead", Status);
    }
    KeReleaseInStackQueuedSpinLock(&LockHandle);
    return NT_SUCCESS(Status);
}

/* A region was read: check it, change it, write it back, say so. */
static
VOID
RSockServerRequest(
    _In_ PRSOCK_SOCKET Socket,
    _In_ PRSOCK_REQUEST Request,
    _In_ NTSTATUS Status
    )
{
    ULONG Index = Request->Index;
    PUCHAR Data = (PUCHAR)g_Server->Landing.Data + Index * RSOCK_REGION_SIZE;
    PRSOCK_REQUEST Message = g_Server->DoneMessages[Index];
    NDK_SGE Sgl[RSOCK_MAX_SGE];
    KLOCK_QUEUE_HANDLE LockHandle;
    ULONG SgeCount;

    if (!NT_SUCCESS(Status)) {
        return;
    }
    if (!RSockIsFilled(Data, RSOCK_REGION_SIZE, Index, 0)) {
        RSockFail("data read from a region", STATUS_DATA_ERROR);
    }
    RSockFill(Data, RSOCK_REGION_SIZE, Index, 0xff);
    SgeCount = RSockBuildSgl(
        &g_Server->Landing, Index * RSOCK_REGION_SIZE, RSOCK_REGION_SIZE, Socket->PrivilegedToken,
        Sgl, RSOCK_MAX_SGE);

    KeAcquireInStackQueuedSpinLockAtDpcLevel(&Socket->SendLock, &LockHandle);
    Status = Socket->Qp->Dispatch->NdkWrite(
        Socket->Qp, &g_Server->Write, Sgl, SgeCount, g_Server->Descriptors[Index].Address,
        g_Server->Descriptors[Index].Token, NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_DEFER);
    if (NT_SUCCESS(Status)) {
        g_Server->DoneMessages[Index] = NULL;
        Status = RSockPostSendLocked(
            Socket, Message, 0, Index % 32 == 0 ? 0 : g_Server->Descriptors[Index].Token);
    }
    KeReleaseInStackQueuedSpinLockFromDpcLevel(&LockHandle);
    if (!NT_SUCCESS(Status)) {
        RSockFail("answer to a region", Status);
        return;
    }
    (VOID)RSockServerReadNext(Socket);
}

/* Memory is mapped at PASSIVE_LEVEL only: the mapping may pend. */
static
VOID
RSockRegionWorker(
    _In_ PDEVICE_OBJECT DeviceObject,
    _In_opt_ PVOID Context
    )
{
    PRSOCK_SOCKET Socket = g_Server->Socket;
    ULONG Index;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    PAGED_CODE();

    Status = RSockAllocateBuffer(
        &g_Server->Adapter, RSOCK_REGIONS * RSOCK_REGION_SIZE, &g_Server->Landing);
    for (Index = 0; NT_SUCCESS(Status) && Index < RSOCK_REGIONS; Index++) {
        PRSOCK_REQUEST Message = RSockAllocateMessage(Socket, RSockMessageRegionDone, 0);

        if (Message == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
            break;
        }
        ((PRSOCK_HEADER)Message->Buffer.Data)->Sequence = Index;
        g_Server->DoneMessages[Index] = Message;
    }
    g_Server->Write.Type = RSockRequestWrite;
    if (NT_SUCCESS(Status)) {
        for (Index = 0; Index < RSOCK_READS; Index++) {
            if (!RSockServerReadNext(Socket)) {
                break;
            }
        }
    }
    RSockRequestDone(Socket);
}

static
VOID
RSockServerMessage(
    _In_ PRSOCK_SOCKET Socket,
    _In_reads_bytes_(Length) PRSOCK_HEADER Header,
    _In_ ULONG Length,
    _In_opt_ const UINT32 *InvalidatedToken
    )
{
    UNREFERENCED_PARAMETER(InvalidatedToken);

    switch (Header->Type) {
    case RSockMessageData:
        if (Header->Sequence != (ULONG)g_Server->MessageCount ||
            !RSockIsFilled((PUCHAR)(Header + 1), Header->Length, Header->Sequence, 0)) {
            RSockFail("data of a message", STATUS_DATA_ERROR);
        }
        if (++g_Server->MessageCount == RSOCK_MESSAGES) {
            KeSetEvent(&g_Server->AllMessages, IO_NETWORK_INCREMENT, FALSE);
        }
        break;
    case RSockMessageRegions:
        if (Length != sizeof(*Header) + sizeof(g_Server->Descriptors)) {
            RSockFail("list of regions", STATUS_INVALID_PARAMETER);
            break;
        }
        RtlCopyMemory(g_Server->Descriptors, Header + 1, sizeof(g_Server->Descriptors));
        RSockRequestPosted(Socket);
        IoQueueWorkItem(g_Server->RegionWork, RSockRegionWorker, DelayedWorkQueue, NULL);
        break;
    default:
        RSockFail("type of a message", STATUS_INVALID_PARAMETER);
        break;
    }
}

static
VOID
RSockAcceptWorker(
    _In_ PDEVICE_OBJECT DeviceObject,
    _In_opt_ PVOID Context
    )
{
    NDK_CONNECTOR *Connector = g_Server->Incoming;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    PAGED_CODE();

    Status = RSockCreate(&g_Server->Adapter, TRUE, &g_Server->Socket);
    if (!NT_SUCCESS(Status)) {
        RSockCloseObject(&Connector->Header, Connector->Dispatch->NdkCloseConnector);
    } else {
        g_Server->Socket->OnMessage = RSockServerMessage;
        g_Server->Socket->OnRequest = RSockServerRequest;
        (VOID)RSockAccept(g_Server->Socket, Connector);
    }
    KeSetEvent(&g_Server->Accepted, IO_NO_INCREMENT, FALSE);
}

static
VOID
RSockSurplusClosed(
    _In_ PVOID Context
    )
{
    UNREFERENCED_PARAMETER(Context);
}

static
VOID
RSockConnectEvent(
    _In_ PVOID Context,
    _In_ NDK_CONNECTOR *Connector
    )
{
    SOCKADDR_STORAGE Peer;
    ULONG Length = sizeof(Peer);

    UNREFERENCED_PARAMETER(Context);
    if (NT_SUCCESS(Connector->Dispatch->NdkGetPeerAddress(Connector, (PSOCKADDR)&Peer, &Length))) {
        RSockPrint("a connection from %u.%u.%u.%u at IRQL %u\n", ((PUCHAR)&Peer)[4],
            ((PUCHAR)&Peer)[5], ((PUCHAR)&Peer)[6], ((PUCHAR)&Peer)[7], KeGetCurrentIrql());
    }
    if (InterlockedCompareExchangePointer(
            (PVOID volatile *)&g_Server->Incoming, Connector, NULL) != NULL) {
        (VOID)Connector->Dispatch->NdkCloseConnector(&Connector->Header, RSockSurplusClosed, NULL);
        return;
    }
    IoQueueWorkItem(g_Server->AcceptWork, RSockAcceptWorker, DelayedWorkQueue, NULL);
}

static
NTSTATUS
RSockStartServer(
    _Out_ PSOCKADDR_IN Address
    )
{
    NDK_ADAPTER *NdkAdapter;
    RSOCK_COMPLETION Completion;
    ULONG Length = sizeof(*Address);
    NTSTATUS Status;

    RtlZeroMemory(Address, sizeof(*Address));
    Address->sin_family = AF_INET;
    Address->sin_addr.s_addr = RSOCK_SERVER_ADDRESS;

    Status = RSockOpenAdapter(RSOCK_SERVER_IF, &g_Server->Adapter);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    NdkAdapter = g_Server->Adapter.NdkAdapter;
    g_Server->AcceptWork = IoAllocateWorkItem(g_DeviceObject);
    g_Server->RegionWork = IoAllocateWorkItem(g_DeviceObject);
    if (g_Server->AcceptWork == NULL || g_Server->RegionWork == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }

    RSockInitializeCompletion(&Completion);
    Status = NdkAdapter->Dispatch->NdkCreateListener(
        NdkAdapter, RSockConnectEvent, NULL, RSockCreateCompletion, &Completion,
        &g_Server->Listener);
    if (Status == STATUS_PENDING) {
        Status = RSockWait(&Completion, Status);
        g_Server->Listener = (NDK_LISTENER *)Completion.Object;
    }
    if (!NT_SUCCESS(Status)) {
        g_Server->Listener = NULL;
        RSockFail("NdkCreateListener", Status);
        return Status;
    }

    RSockInitializeCompletion(&Completion);
    Status = g_Server->Listener->Dispatch->NdkListen(
        g_Server->Listener, (PSOCKADDR)Address, sizeof(*Address), RSockRequestCompletion,
        &Completion);
    Status = RSockWait(&Completion, Status);
    if (NT_SUCCESS(Status)) {
        Status = g_Server->Listener->Dispatch->NdkGetLocalAddress(
            g_Server->Listener, (PSOCKADDR)Address, &Length);
    }
    if (!NT_SUCCESS(Status)) {
        RSockFail("NdkListen", Status);
    }
    return Status;
}

static
VOID
RSockStopServer(
    VOID
    )
{
    ULONG Index;

    if (g_Server->Listener != NULL) {
        g_Server->Listener->Dispatch->NdkControlConnectEvents(g_Server->Listener, TRUE);
    }
    if (g_Server->Incoming != NULL) {
        KeWaitForSingleObject(&g_Server->Accepted, Executive, KernelMode, FALSE, NULL);
    }
    if (g_Server->Socket != NULL) {
        RSockClose(g_Server->Socket);
    }
    /* Not before its connectors: the close would wait for them. */
    if (g_Server->Listener != NULL) {
        RSockCloseObject(
            &g_Server->Listener->Header, g_Server->Listener->Dispatch->NdkCloseListener);
    }
    for (Index = 0; Index < RSOCK_REGIONS; Index++) {
        if (g_Server->DoneMessages[Index] != NULL) {
            RSockFreeMessage(g_Server->DoneMessages[Index]);
        }
    }
    RSockFreeBuffer(&g_Server->Landing);
    if (g_Server->AcceptWork != NULL) {
        IoFreeWorkItem(g_Server->AcceptWork);
    }
    if (g_Server->RegionWork != NULL) {
        IoFreeWorkItem(g_Server->RegionWork);
    }
    RSockCloseAdapter(&g_Server->Adapter);
}

/* ---- Client --------------------------------------------------------------------------------- */

static
VOID
RSockVerifyRegion(
    _In_ ULONG Index
    )
{
    if (!RSockIsFilled(
            (PUCHAR)g_Client->Buffer.Data + Index * RSOCK_REGION_SIZE, RSOCK_REGION_SIZE, Index,
            0xff)) {
        RSockFail("data written to a region", STATUS_DATA_ERROR);
    }
    if (InterlockedIncrement(&g_Client->VerifiedCount) == RSOCK_REGIONS) {
        KeSetEvent(&g_Client->AllVerified, IO_NETWORK_INCREMENT, FALSE);
    }
}

static
VOID
RSockClientRequest(
    _In_ PRSOCK_SOCKET Socket,
    _In_ PRSOCK_REQUEST Request,
    _In_ NTSTATUS Status
    )
{
    UNREFERENCED_PARAMETER(Socket);
    if (!NT_SUCCESS(Status)) {
        return;
    }
    if (Request->Type == RSockRequestRegister) {
        if (InterlockedIncrement(&g_Client->RegisteredCount) == RSOCK_REGIONS) {
            KeSetEvent(&g_Client->AllRegistered, IO_NETWORK_INCREMENT, FALSE);
        }
    } else if (Request->Type == RSockRequestInvalidate) {
        RSockVerifyRegion(Request->Index);
    }
}

static
VOID
RSockClientMessage(
    _In_ PRSOCK_SOCKET Socket,
    _In_reads_bytes_(Length) PRSOCK_HEADER Header,
    _In_ ULONG Length,
    _In_opt_ const UINT32 *InvalidatedToken
    )
{
    PRSOCK_REGION Region;
    KLOCK_QUEUE_HANDLE LockHandle;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(Length);
    if (Header->Type != RSockMessageRegionDone || Header->Sequence >= RSOCK_REGIONS) {
        RSockFail("answer", STATUS_INVALID_PARAMETER);
        return;
    }
    Region = &g_Client->Regions[Header->Sequence];
    if (InvalidatedToken != NULL) {
        if (*InvalidatedToken != Region->Token) {
            RSockFail("invalidated token", STATUS_DATA_ERROR);
        }
        RSockVerifyRegion(Header->Sequence);
        return;
    }

    /* The server left it to us. */
    Region->Request.Type = RSockRequestInvalidate;
    KeAcquireInStackQueuedSpinLockAtDpcLevel(&Socket->SendLock, &LockHandle);
    RSockRequestPosted(Socket);
    Status = Socket->Qp->Dispatch->NdkInvalidate(
        Socket->Qp, &Region->Request, &Region->Mr->Header, 0);
    if (!NT_SUCCESS(Status)) {
        RSockRequestDone(Socket);
        RSockFail("NdkInvalidate", Status);
    }
    KeReleaseInStackQueuedSpinLockFromDpcLevel(&LockHandle);
}

static
NTSTATUS
RSockCreateRegion(
    _In_ ULONG Index
    )
{
    NDK_PD *Pd = g_Client->Socket->Pd;
    PRSOCK_REGION Region = &g_Client->Regions[Index];
    RSOCK_COMPLETION Completion;
    NTSTATUS Status;

    RSockInitializeCompletion(&Completion);
    Status = Pd->Dispatch->NdkCreateMr(Pd, TRUE, RSockCreateCompletion, &Completion, &Region->Mr);
    if (Status == STATUS_PENDING) {
        Status = RSockWait(&Completion, Status);
        Region->Mr = (NDK_MR *)Completion.Object;
    }
    if (!NT_SUCCESS(Status)) {
        Region->Mr = NULL;
        RSockFail("NdkCreateMr", Status);
        return Status;
    }
    RSockInitializeCompletion(&Completion);
    Status = Region->Mr->Dispatch->NdkInitializeFastRegisterMr(
        Region->Mr, min(16, g_Client->Adapter.Info.FRMRPageCount), TRUE, RSockRequestCompletion,
        &Completion);
    Status = RSockWait(&Completion, Status);
    if (!NT_SUCCESS(Status)) {
        RSockFail("NdkInitializeFastRegisterMr", Status);
        return Status;
    }
    Region->Token = Region->Mr->Dispatch->NdkGetRemoteTokenFromMr(Region->Mr);
    NT_ASSERT(Region->Token != 0);
    /* The upper bits say nothing about our addresses. */
    Region->Address = ((UINT64)(Index * 2654435761u) << 24 & 0x0000ffffff000000ui64) |
        0x7100000000000000ui64;
    return STATUS_SUCCESS;
}

/* All regions in one batch, deferred but for the last of each sixteen. */
static
VOID
RSockRegisterRegions(
    _In_ PRSOCK_SOCKET Socket
    )
{
    KLOCK_QUEUE_HANDLE LockHandle;
    ULONG Index;
    NTSTATUS Status = STATUS_SUCCESS;

    KeAcquireInStackQueuedSpinLock(&Socket->SendLock, &LockHandle);
    for (Index = 0; NT_SUCCESS(Status) && Index < RSOCK_REGIONS; Index++) {
        PRSOCK_REGION Region = &g_Client->Regions[Index];
        ULONG Flags = NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE;

        if ((Index + 1) % RSOCK_BATCH != 0) {
            Flags |= NDK_OP_FLAG_DEFER;
        }
        Region->Request.Type = RSockRequestRegister;
        Region->Request.Index = Index;
        RSockRequestPosted(Socket);
        Status = Socket->Qp->Dispatch->NdkFastRegister(
            Socket->Qp, &Region->Request, Region->Mr, RSOCK_REGION_PAGES,
            &g_Client->Buffer.Lam->AdapterPageArray[Index * RSOCK_REGION_PAGES], 0,
            RSOCK_REGION_SIZE, (PVOID)(ULONG_PTR)Region->Address, Flags);
        if (!NT_SUCCESS(Status)) {
            RSockRequestDone(Socket);
            RSockFail("NdkFastRegister", Status);
        }
    }
    KeReleaseInStackQueuedSpinLock(&LockHandle);
}

static
VOID
RSockSendMessages(
    _In_ PRSOCK_SOCKET Socket
    )
{
    ULONG Index;

    for (Index = 0; Index < RSOCK_MESSAGES; Index++) {
        ULONG Length = Index * 977 % 32768 + 1;
        PRSOCK_REQUEST Message = RSockAllocateMessage(Socket, RSockMessageData, Length);
        PRSOCK_HEADER Header;

        if (Message == NULL) {
            return;
        }
        Header = (PRSOCK_HEADER)Message->Buffer.Data;
        Header->Sequence = Index;
        RSockFill((PUCHAR)(Header + 1), Length, Index, 0);
        RSockSend(Socket, Message);
    }
}

static
VOID
RSockSendRegions(
    _In_ PRSOCK_SOCKET Socket
    )
{
    PRSOCK_REQUEST Message;
    PRSOCK_REGION_DESCRIPTOR Descriptor;
    ULONG Index;

    Message = RSockAllocateMessage(
        Socket, RSockMessageRegions, RSOCK_REGIONS * sizeof(RSOCK_REGION_DESCRIPTOR));
    if (Message == NULL) {
        return;
    }
    Descriptor = (PRSOCK_REGION_DESCRIPTOR)((PRSOCK_HEADER)Message->Buffer.Data + 1);
    for (Index = 0; Index < RSOCK_REGIONS; Index++) {
        Descriptor[Index].Address = g_Client->Regions[Index].Address;
        Descriptor[Index].Length = RSOCK_REGION_SIZE;
        Descriptor[Index].Token = g_Client->Regions[Index].Token;
    }
    RSockSend(Socket, Message);
}

static
VOID
RSockRegionClosed(
    _In_ PVOID Context
    )
{
    UNREFERENCED_PARAMETER(Context);
    InterlockedDecrement(&g_Client->ClosesPending);
}

static
VOID
RSockRunClient(
    _In_ const SOCKADDR_IN *ServerAddress
    )
{
    SOCKADDR_IN Local = { 0 };
    ULONG Index;
    NTSTATUS Status;

    Status = RSockOpenAdapter(RSOCK_CLIENT_IF, &g_Client->Adapter);
    if (NT_SUCCESS(Status)) {
        Status = RSockCreate(&g_Client->Adapter, FALSE, &g_Client->Socket);
    }
    if (!NT_SUCCESS(Status)) {
        return;
    }
    g_Client->Socket->OnMessage = RSockClientMessage;
    g_Client->Socket->OnRequest = RSockClientRequest;
    Local.sin_family = AF_INET;
    Local.sin_addr.s_addr = RSOCK_CLIENT_ADDRESS;
    Status = RSockConnect(g_Client->Socket, &Local, ServerAddress);
    if (!NT_SUCCESS(Status)) {
        return;
    }

    RSockSendMessages(g_Client->Socket);
    if (!RSockWaitFor(&g_Server->AllMessages, "messages")) {
        return;
    }

    Status = RSockAllocateBuffer(
        &g_Client->Adapter, RSOCK_REGIONS * RSOCK_REGION_SIZE, &g_Client->Buffer);
    for (Index = 0; NT_SUCCESS(Status) && Index < RSOCK_REGIONS; Index++) {
        RSockFill((PUCHAR)g_Client->Buffer.Data + Index * RSOCK_REGION_SIZE, RSOCK_REGION_SIZE,
            Index, 0);
        Status = RSockCreateRegion(Index);
    }
    if (!NT_SUCCESS(Status)) {
        return;
    }
    RSockRegisterRegions(g_Client->Socket);
    if (!RSockWaitFor(&g_Client->AllRegistered, "registrations")) {
        return;
    }
    RSockSendRegions(g_Client->Socket);
    (VOID)RSockWaitFor(&g_Client->AllVerified, "regions");
}

static
VOID
RSockStopClient(
    VOID
    )
{
    ULONG Index;

    for (Index = 0; Index < RSOCK_REGIONS; Index++) {
        NDK_MR *Mr = g_Client->Regions[Index].Mr;

        if (Mr != NULL) {
            InterlockedIncrement(&g_Client->ClosesPending);
            if (Mr->Dispatch->NdkCloseMr(&Mr->Header, RSockRegionClosed, NULL) != STATUS_PENDING) {
                InterlockedDecrement(&g_Client->ClosesPending);
            }
        }
    }
    /* The protection domain is closed last, and with it every region. */
    if (g_Client->Socket != NULL) {
        RSockClose(g_Client->Socket);
    }
    NT_ASSERT(g_Client->ClosesPending == 0);
    RSockFreeBuffer(&g_Client->Buffer);
    RSockCloseAdapter(&g_Client->Adapter);
}

/* ---- Both ----------------------------------------------------------------------------------- */

_Use_decl_annotations_
VOID
RSockSelfTest(
    PVOID StartContext
    )
{
    SOCKADDR_IN ServerAddress;

    UNREFERENCED_PARAMETER(StartContext);
    PAGED_CODE();

    g_Server = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*g_Server), RSOCK_TAG);
    g_Client = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*g_Client), RSOCK_TAG);
    if (g_Server == NULL || g_Client == NULL) {
        RSockFail("ExAllocatePoolWithTag", STATUS_INSUFFICIENT_RESOURCES);
    } else {
        RtlZeroMemory(g_Server, sizeof(*g_Server));
        RtlZeroMemory(g_Client, sizeof(*g_Client));
        KeInitializeEvent(&g_Server->Accepted, NotificationEvent, FALSE);
        KeInitializeEvent(&g_Server->AllMessages, NotificationEvent, FALSE);
        KeInitializeEvent(&g_Client->AllRegistered, NotificationEvent, FALSE);
        KeInitializeEvent(&g_Client->AllVerified, NotificationEvent, FALSE);
        if (NT_SUCCESS(RSockStartServer(&ServerAddress))) {
            RSockRunClient(&ServerAddress);
        }
        RSockPrint("%ld messages and %ld regions verified\n", g_Server->MessageCount,
            g_Client->VerifiedCount);
        RSockStopClient();
        RSockStopServer();
    }
    if (g_Client != NULL) {
        ExFreePoolWithTag(g_Client, RSOCK_TAG);
    }
    if (g_Server != NULL) {
        ExFreePoolWithTag(g_Server, RSOCK_TAG);
    }
    RSockPrint("self test %s\n", g_Failures == 0 ? "passed" : "FAILED");
    PsTerminateSystemThread(STATUS_SUCCESS);
}
