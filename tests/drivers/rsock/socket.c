/* SPDX-License-Identifier: MIT */
/*++

Module Name:

    socket.c

Abstract:

    The objects of a socket, its connection, its end.

--*/
#include "rsock.h"
#include "socket.tmh"

_Use_decl_annotations_
VOID
RSockInitializeCompletion(
    PRSOCK_COMPLETION Completion
    )
{
    KeInitializeEvent(&Completion->Event, NotificationEvent, FALSE);
    Completion->Status = STATUS_PENDING;
    Completion->Object = NULL;
}

_Use_decl_annotations_
VOID
RSockRequestCompletion(
    PVOID Context,
    NTSTATUS Status
    )
{
    PRSOCK_COMPLETION Completion = (PRSOCK_COMPLETION)Context;

    Completion->Status = Status;
    KeSetEvent(&Completion->Event, IO_NETWORK_INCREMENT, FALSE);
}

_Use_decl_annotations_
VOID
RSockCreateCompletion(
    PVOID Context,
    NTSTATUS Status,
    NDK_OBJECT_HEADER *Object
    )
{
    PRSOCK_COMPLETION Completion = (PRSOCK_COMPLETION)Context;

    Completion->Status = Status;
    Completion->Object = Object;
    KeSetEvent(&Completion->Event, IO_NETWORK_INCREMENT, FALSE);
}

static
VOID
RSockCloseCompletion(
    _In_ PVOID Context
    )
{
    KeSetEvent((PRKEVENT)Context, IO_NO_INCREMENT, FALSE);
}

_Use_decl_annotations_
NTSTATUS
RSockWait(
    PRSOCK_COMPLETION Completion,
    NTSTATUS Status
    )
{
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Completion->Event, Executive, KernelMode, FALSE, NULL);
        Status = Completion->Status;
    }
    return Status;
}

_Use_decl_annotations_
VOID
RSockCloseObject(
    NDK_OBJECT_HEADER *Object,
    NDK_FN_CLOSE_OBJECT Close
    )
{
    KEVENT Closed;

    PAGED_CODE();
    KeInitializeEvent(&Closed, NotificationEvent, FALSE);
    if (Close(Object, RSockCloseCompletion, &Closed) == STATUS_PENDING) {
        KeWaitForSingleObject(&Closed, Executive, KernelMode, FALSE, NULL);
    }
}

static
NTSTATUS
RSockCreateCompletionQueue(
    _In_ PRSOCK_SOCKET Socket,
    _In_ NDK_FN_CQ_NOTIFICATION_CALLBACK Callback,
    _Outptr_ NDK_CQ **Cq
    )
{
    NDK_ADAPTER *NdkAdapter = Socket->Adapter->NdkAdapter;
    ULONG Depth = min(RSOCK_QUEUE_DEPTH, Socket->Adapter->Info.MaxCqDepth);
    RSOCK_COMPLETION Completion;
    NTSTATUS Status;

    RSockInitializeCompletion(&Completion);
    Status = NdkAdapter->Dispatch->NdkCreateCq(
        NdkAdapter, Depth, Callback, Socket, NULL, RSockCreateCompletion, &Completion, Cq);
    if (Status == STATUS_PENDING) {
        Status = RSockWait(&Completion, Status);
        *Cq = (NDK_CQ *)Completion.Object;
    }
    if (!NT_SUCCESS(Status)) {
        RSockFail("NdkCreateCq", Status);
        *Cq = NULL;
        return Status;
    }

    if (Socket->Adapter->Info.AdapterFlags & NDK_ADAPTER_FLAG_CQ_INTERRUPT_MODERATION_SUPPORTED) {
        (VOID)(*Cq)->Dispatch->NdkControlCqInterruptModeration(*Cq, 20, MAXULONG);
    }
    return STATUS_SUCCESS;
}

static
NTSTATUS
RSockCreateObjects(
    _Inout_ PRSOCK_SOCKET Socket
    )
{
    PRSOCK_ADAPTER Adapter = Socket->Adapter;
    RSOCK_COMPLETION Completion;
    NTSTATUS Status;

    RSockInitializeCompletion(&Completion);
    Status = Adapter->NdkAdapter->Dispatch->NdkCreatePd(
        Adapter->NdkAdapter, RSockCreateCompletion, &Completion, &Socket->Pd);
    if (Status == STATUS_PENDING) {
        Status = RSockWait(&Completion, Status);
        Socket->Pd = (NDK_PD *)Completion.Object;
    }
    if (!NT_SUCCESS(Status)) {
        RSockFail("NdkCreatePd", Status);
        Socket->Pd = NULL;
        return Status;
    }
    Socket->Pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(Socket->Pd, &Socket->PrivilegedToken);

    Status = RSockCreateCompletionQueue(Socket, RSockReceiveCallback, &Socket->ReceiveCq);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = RSockCreateCompletionQueue(Socket, RSockInitiatorCallback, &Socket->InitiatorCq);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }

    RSockInitializeCompletion(&Completion);
    Status = Socket->Pd->Dispatch->NdkCreateQp(
        Socket->Pd, Socket->ReceiveCq, Socket->InitiatorCq, Socket,
        min(RSOCK_RECEIVES, Adapter->Info.MaxReceiveQueueDepth),
        min(RSOCK_QUEUE_DEPTH, Adapter->Info.MaxInitiatorQueueDepth),
        min(RSOCK_MAX_SGE, Adapter->Info.MaxReceiveRequestSge),
        min(RSOCK_MAX_SGE, Adapter->Info.MaxInitiatorRequestSge),
        0, RSockCreateCompletion, &Completion, &Socket->Qp);
    if (Status == STATUS_PENDING) {
        Status = RSockWait(&Completion, Status);
        Socket->Qp = (NDK_QP *)Completion.Object;
    }
    if (!NT_SUCCESS(Status)) {
        RSockFail("NdkCreateQp", Status);
        Socket->Qp = NULL;
    }
    return Status;
}

_Use_decl_annotations_
NTSTATUS
RSockCreate(
    PRSOCK_ADAPTER Adapter,
    BOOLEAN IsServer,
    PRSOCK_SOCKET *Socket
    )
{
    PRSOCK_SOCKET NewSocket;
    NTSTATUS Status;
    ULONG Index;

    PAGED_CODE();

    *Socket = NULL;
    NewSocket = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*NewSocket), RSOCK_TAG);
    if (NewSocket == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NewSocket->Adapter = Adapter;
    NewSocket->IsServer = IsServer;
    NewSocket->SendCredits = RSOCK_CREDITS;
    KeInitializeSpinLock(&NewSocket->SendLock);
    InitializeListHead(&NewSocket->SendQueue);
    InitializeListHead(&NewSocket->AckList);
    NewSocket->RequestsPosted = 1;
    KeInitializeEvent(&NewSocket->Drained, NotificationEvent, FALSE);
    KeInitializeEvent(&NewSocket->Disconnected, NotificationEvent, FALSE);

    Status = RSockCreateObjects(NewSocket);
    for (Index = 0; NT_SUCCESS(Status) && Index < RSOCK_RECEIVES; Index++) {
        NewSocket->Receives[Index].Type = RSockRequestReceive;
        NewSocket->Receives[Index].Index = Index;
        Status = RSockAllocateBuffer(
            Adapter, RSOCK_RECEIVE_SIZE, &NewSocket->Receives[Index].Buffer);
    }
    for (Index = 0; NT_SUCCESS(Status) && Index < RSOCK_ACKS; Index++) {
        NewSocket->Acks[Index] = RSockAllocateMessage(NewSocket, RSockMessageAck, 0);
        if (NewSocket->Acks[Index] == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
            break;
        }
        NewSocket->Acks[Index]->IsAck = TRUE;
        InsertTailList(&NewSocket->AckList, &NewSocket->Acks[Index]->Link);
    }
    if (!NT_SUCCESS(Status)) {
        RSockClose(NewSocket);
        return Status;
    }
    *Socket = NewSocket;
    return STATUS_SUCCESS;
}

/* The provider calls this at up to DISPATCH_LEVEL. */
static
VOID
RSockDisconnectEvent(
    _In_ PVOID Context
    )
{
    PRSOCK_SOCKET Socket = (PRSOCK_SOCKET)Context;

    KeSetEvent(&Socket->Disconnected, IO_NETWORK_INCREMENT, FALSE);
}

_Use_decl_annotations_
NTSTATUS
RSockConnect(
    PRSOCK_SOCKET Socket,
    const SOCKADDR_IN *Local,
    const SOCKADDR_IN *Remote
    )
{
    NDK_ADAPTER *NdkAdapter = Socket->Adapter->NdkAdapter;
    RSOCK_COMPLETION Completion;
    NTSTATUS Status;

    PAGED_CODE();

    RSockInitializeCompletion(&Completion);
    Status = NdkAdapter->Dispatch->NdkCreateConnector(
        NdkAdapter, RSockCreateCompletion, &Completion, &Socket->Connector);
    if (Status == STATUS_PENDING) {
        Status = RSockWait(&Completion, Status);
        Socket->Connector = (NDK_CONNECTOR *)Completion.Object;
    }
    if (!NT_SUCCESS(Status)) {
        Socket->Connector = NULL;
        RSockFail("NdkCreateConnector", Status);
        return Status;
    }

    RSockInitializeCompletion(&Completion);
    Status = Socket->Connector->Dispatch->NdkConnect(
        Socket->Connector, Socket->Qp, (PSOCKADDR)Local, sizeof(*Local), (PSOCKADDR)Remote,
        sizeof(*Remote), Socket->Adapter->Info.MaxInboundReadLimit,
        Socket->Adapter->Info.MaxOutboundReadLimit, NULL, 0, RSockRequestCompletion, &Completion);
    Status = RSockWait(&Completion, Status);
    if (!NT_SUCCESS(Status)) {
        RSockFail("NdkConnect", Status);
        return Status;
    }

    RSockInitializeCompletion(&Completion);
    Status = Socket->Connector->Dispatch->NdkCompleteConnect(
        Socket->Connector, RSockDisconnectEvent, Socket, RSockRequestCompletion, &Completion);
    Status = RSockWait(&Completion, Status);
    if (!NT_SUCCESS(Status)) {
        RSockFail("NdkCompleteConnect", Status);
        return Status;
    }
    return RSockPostReceives(Socket);
}

_Use_decl_annotations_
NTSTATUS
RSockAccept(
    PRSOCK_SOCKET Socket,
    NDK_CONNECTOR *Connector
    )
{
    RSOCK_COMPLETION Completion;
    NTSTATUS Status;

    PAGED_CODE();

    Socket->Connector = Connector;
    RSockInitializeCompletion(&Completion);
    Status = Connector->Dispatch->NdkAccept(
        Connector, Socket->Qp, Socket->Adapter->Info.MaxInboundReadLimit,
        Socket->Adapter->Info.MaxOutboundReadLimit, NULL, 0, RSockDisconnectEvent, Socket,
        RSockRequestCompletion, &Completion);
    Status = RSockWait(&Completion, Status);
    if (!NT_SUCCESS(Status)) {
        RSockFail("NdkAccept", Status);
        return Status;
    }
    return RSockPostReceives(Socket);
}

_Use_decl_annotations_
NTSTATUS
RSockPostReceives(
    PRSOCK_SOCKET Socket
    )
{
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Index;

    for (Index = 0; NT_SUCCESS(Status) && Index < RSOCK_RECEIVES; Index++) {
        Status = RSockPostReceive(Socket, &Socket->Receives[Index]);
    }
    Socket->ReceiveCq->Dispatch->NdkArmCq(Socket->ReceiveCq, NDK_CQ_NOTIFY_ANY);
    Socket->InitiatorCq->Dispatch->NdkArmCq(Socket->InitiatorCq, NDK_CQ_NOTIFY_ANY);
    return Status;
}

_Use_decl_annotations_
VOID
RSockClose(
    PRSOCK_SOCKET Socket
    )
{
    ULONG Index;

    PAGED_CODE();

    InterlockedExchange(&Socket->IsClosing, TRUE);
    if (Socket->Connector != NULL) {
        Socket->Qp->Dispatch->NdkFlush(Socket->Qp);
        RSockCloseObject(
            &Socket->Connector->Header, Socket->Connector->Dispatch->NdkCloseConnector);
    }
    /* What was flushed arrives through the completion queues, which are armed. */
    RSockRequestDone(Socket);
    KeWaitForSingleObject(&Socket->Drained, Executive, KernelMode, FALSE, NULL);
    if (Socket->Qp != NULL) {
        RSockCloseObject(&Socket->Qp->Header, Socket->Qp->Dispatch->NdkCloseQp);
    }
    if (Socket->InitiatorCq != NULL) {
        RSockCloseObject(&Socket->InitiatorCq->Header, Socket->InitiatorCq->Dispatch->NdkCloseCq);
    }
    if (Socket->ReceiveCq != NULL) {
        RSockCloseObject(&Socket->ReceiveCq->Header, Socket->ReceiveCq->Dispatch->NdkCloseCq);
    }
    if (Socket->Pd != NULL) {
        RSockCloseObject(&Socket->Pd->Header, Socket->Pd->Dispatch->NdkClosePd);
    }
    while (!IsListEmpty(&Socket->SendQueue)) {
        RSockFreeMessage(
            CONTAINING_RECORD(RemoveHeadList(&Socket->SendQueue), RSOCK_REQUEST, Link));
    }
    for (Index = 0; Index < RSOCK_ACKS; Index++) {
        if (Socket->Acks[Index] != NULL) {
            RSockFreeMessage(Socket->Acks[Index]);
        }
    }
    for (Index = 0; Index < RSOCK_RECEIVES; Index++) {
        RSockFreeBuffer(&Socket->Receives[Index].Buffer);
    }
    ExFreePoolWithTag(Socket, RSOCK_TAG);
}
