/* SPDX-License-Identifier: MIT */
/*++

Module Name:

    transfer.c

Abstract:

    Receives, the send pump, completion queue callbacks. Everything here runs at DISPATCH_LEVEL at
    times; the send lock serialises the initiator requests of a queue pair.

--*/
#include "rsock.h"
#include "transfer.tmh"

_Use_decl_annotations_
VOID
RSockRequestPosted(
    PRSOCK_SOCKET Socket
    )
{
    InterlockedIncrement(&Socket->RequestsPosted);
}

_Use_decl_annotations_
VOID
RSockRequestDone(
    PRSOCK_SOCKET Socket
    )
{
    if (InterlockedDecrement(&Socket->RequestsPosted) == 0) {
        KeSetEvent(&Socket->Drained, IO_NO_INCREMENT, FALSE);
    }
}

_Use_decl_annotations_
NTSTATUS
RSockPostReceive(
    PRSOCK_SOCKET Socket,
    PRSOCK_REQUEST Request
    )
{
    NDK_SGE Sgl[RSOCK_MAX_SGE];
    ULONG SgeCount;
    NTSTATUS Status;

    SgeCount = RSockBuildSgl(
        &Request->Buffer, 0, RSOCK_RECEIVE_SIZE, Socket->PrivilegedToken, Sgl, RSOCK_MAX_SGE);
    RSockRequestPosted(Socket);
    Status = Socket->Qp->Dispatch->NdkReceive(Socket->Qp, Request, Sgl, SgeCount);
    if (!NT_SUCCESS(Status)) {
        RSockRequestDone(Socket);
        RSockFail("NdkReceive", Status);
    }
    return Status;
}

_Use_decl_annotations_
PRSOCK_REQUEST
RSockAllocateMessage(
    PRSOCK_SOCKET Socket,
    RSOCK_MESSAGE_TYPE Type,
    ULONG Length
    )
{
    PRSOCK_REQUEST Request;
    PRSOCK_HEADER Header;

    Request = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Request), RSOCK_TAG);
    if (Request == NULL) {
        return NULL;
    }
    Request->Type = RSockRequestSend;
    if (!NT_SUCCESS(RSockAllocateBuffer(
            Socket->Adapter, sizeof(RSOCK_HEADER) + Length, &Request->Buffer))) {
        ExFreePoolWithTag(Request, RSOCK_TAG);
        return NULL;
    }
    Header = (PRSOCK_HEADER)Request->Buffer.Data;
    Header->Magic = RSOCK_MAGIC;
    Header->Type = (UCHAR)Type;
    Header->Length = Length;
    return Request;
}

_Use_decl_annotations_
VOID
RSockFreeMessage(
    PRSOCK_REQUEST Request
    )
{
    RSockFreeBuffer(&Request->Buffer);
    ExFreePoolWithTag(Request, RSOCK_TAG);
}

/* A message that is no longer needed. The send lock is held. */
static
VOID
RSockMessageDoneLocked(
    _Inout_ PRSOCK_SOCKET Socket,
    _In_ PRSOCK_REQUEST Request
    )
{
    if (Request->IsAck) {
        InsertTailList(&Socket->AckList, &Request->Link);
    } else {
        RSockFreeMessage(Request);
    }
}

_Use_decl_annotations_
NTSTATUS
RSockPostSendLocked(
    PRSOCK_SOCKET Socket,
    PRSOCK_REQUEST Request,
    ULONG Flags,
    UINT32 InvalidateToken
    )
{
    NDK_SGE Sgl[RSOCK_MAX_SGE];
    ULONG SgeCount;
    NTSTATUS Status;

    SgeCount = RSockBuildSgl(
        &Request->Buffer, 0, Request->Buffer.Length, Socket->PrivilegedToken, Sgl, RSOCK_MAX_SGE);
    RSockRequestPosted(Socket);
    if (InvalidateToken != 0) {
        Status = Socket->Qp->Dispatch->NdkSendAndInvalidate(
            Socket->Qp, Request, Sgl, SgeCount, Flags, InvalidateToken);
    } else {
        Status = Socket->Qp->Dispatch->NdkSend(Socket->Qp, Request, Sgl, SgeCount, Flags);
    }
    if (!NT_SUCCESS(Status)) {
        RSockRequestDone(Socket);
        RSockMessageDoneLocked(Socket, Request);
        if (!Socket->IsClosing) {
            RSockFail("NdkSend", Status);
        }
    }
    return Status;
}

/* Sends as many messages as there are credits, all but the last of a batch deferred. */
static
VOID
RSockPumpLocked(
    _Inout_ PRSOCK_SOCKET Socket
    )
{
    ULONG Batch = 0;

    while (!IsListEmpty(&Socket->SendQueue) && Socket->SendCredits > 0) {
        PRSOCK_REQUEST Request =
            CONTAINING_RECORD(RemoveHeadList(&Socket->SendQueue), RSOCK_REQUEST, Link);
        BOOLEAN IsLast;

        Socket->SendCredits--;
        Batch++;
        IsLast = IsListEmpty(&Socket->SendQueue) || Socket->SendCredits == 0 ||
            Batch % RSOCK_BATCH == 0;
        if (!NT_SUCCESS(RSockPostSendLocked(Socket, Request, IsLast ? 0 : NDK_OP_FLAG_DEFER, 0))) {
            return;
        }
    }
}

_Use_decl_annotations_
VOID
RSockSend(
    PRSOCK_SOCKET Socket,
    PRSOCK_REQUEST Request
    )
{
    KLOCK_QUEUE_HANDLE LockHandle;

    KeAcquireInStackQueuedSpinLock(&Socket->SendLock, &LockHandle);
    InsertTailList(&Socket->SendQueue, &Request->Link);
    RSockPumpLocked(Socket);
    KeReleaseInStackQueuedSpinLock(&LockHandle);
}

static
VOID
RSockCreditsArrived(
    _Inout_ PRSOCK_SOCKET Socket,
    _In_ ULONG Credits
    )
{
    KLOCK_QUEUE_HANDLE LockHandle;

    KeAcquireInStackQueuedSpinLockAtDpcLevel(&Socket->SendLock, &LockHandle);
    Socket->SendCredits += (LONG)Credits;
    RSockPumpLocked(Socket);
    KeReleaseInStackQueuedSpinLockFromDpcLevel(&LockHandle);
}

/* A data message took a receive and gave it back. */
static
VOID
RSockAcknowledge(
    _Inout_ PRSOCK_SOCKET Socket
    )
{
    KLOCK_QUEUE_HANDLE LockHandle;

    if (++Socket->ReceivesSinceAck < RSOCK_CREDITS_PER_ACK) {
        return;
    }
    KeAcquireInStackQueuedSpinLockAtDpcLevel(&Socket->SendLock, &LockHandle);
    if (!IsListEmpty(&Socket->AckList)) {
        PRSOCK_REQUEST Ack =
            CONTAINING_RECORD(RemoveHeadList(&Socket->AckList), RSOCK_REQUEST, Link);

        ((PRSOCK_HEADER)Ack->Buffer.Data)->Count = (USHORT)Socket->ReceivesSinceAck;
        Socket->ReceivesSinceAck = 0;
        (VOID)RSockPostSendLocked(Socket, Ack, 0, 0);
    }
    KeReleaseInStackQueuedSpinLockFromDpcLevel(&LockHandle);
}

static
VOID
RSockReceived(
    _Inout_ PRSOCK_SOCKET Socket,
    _In_ const NDK_RESULT_EX *Result
    )
{
    PRSOCK_REQUEST Request = (PRSOCK_REQUEST)Result->RequestContext;
    PRSOCK_HEADER Header = (PRSOCK_HEADER)Request->Buffer.Data;
    UCHAR Type;

    if (!NT_SUCCESS(Result->Status)) {
        if (Result->Status != STATUS_CANCELLED) {
            RSockFail("receive", Result->Status);
        }
        return;
    }
    if (Result->BytesTransferred < sizeof(*Header) || Header->Magic != RSOCK_MAGIC ||
        Header->Length != Result->BytesTransferred - sizeof(*Header)) {
        RSockFail("message", STATUS_INVALID_PARAMETER);
        return;
    }

    Type = Header->Type;
    if (Type == RSockMessageAck) {
        RSockCreditsArrived(Socket, Header->Count);
    } else {
        UINT32 Token = (UINT32)Result->TypeSpecificCompletionOutput;

        Socket->OnMessage(
            Socket, Header, Result->BytesTransferred,
            Result->Type == NdkOperationTypeReceiveAndInvalidate ? &Token : NULL);
    }
    if (!Socket->IsClosing) {
        (VOID)RSockPostReceive(Socket, Request);
    }
    if (Type == RSockMessageData) {
        RSockAcknowledge(Socket);
    }
}

_Use_decl_annotations_
VOID
RSockReceiveCallback(
    PVOID Context,
    NTSTATUS CqStatus
    )
{
    PRSOCK_SOCKET Socket = (PRSOCK_SOCKET)Context;
    NDK_RESULT_EX Results[RSOCK_BATCH];
    ULONG Count;
    ULONG Index;
    ULONG Done = 0;
    KIRQL OldIrql;

    NT_ASSERT(KeGetCurrentIrql() <= DISPATCH_LEVEL);
    if (!NT_SUCCESS(CqStatus)) {
        RSockFail("receive queue", CqStatus);
        return;
    }
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    while ((Count = Socket->ReceiveCq->Dispatch->NdkGetCqResultsEx(
                Socket->ReceiveCq, Results, ARRAYSIZE(Results))) > 0) {
        for (Index = 0; Index < Count; Index++) {
            RSockReceived(Socket, &Results[Index]);
        }
        Done += Count;
    }
    Socket->ReceiveCq->Dispatch->NdkArmCq(Socket->ReceiveCq, NDK_CQ_NOTIFY_ANY);
    /* Last: when nothing is posted any more, the socket may go away. */
    while (Done-- > 0) {
        RSockRequestDone(Socket);
    }
    KeLowerIrql(OldIrql);
}

_Use_decl_annotations_
VOID
RSockInitiatorCallback(
    PVOID Context,
    NTSTATUS CqStatus
    )
{
    PRSOCK_SOCKET Socket = (PRSOCK_SOCKET)Context;
    NDK_RESULT_EX Results[RSOCK_BATCH];
    ULONG Count;
    ULONG Index;
    ULONG Done = 0;
    KLOCK_QUEUE_HANDLE LockHandle;
    KIRQL OldIrql;

    if (!NT_SUCCESS(CqStatus)) {
        RSockFail("initiator queue", CqStatus);
        return;
    }
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    while ((Count = Socket->InitiatorCq->Dispatch->NdkGetCqResultsEx(
                Socket->InitiatorCq, Results, ARRAYSIZE(Results))) > 0) {
        for (Index = 0; Index < Count; Index++) {
            PRSOCK_REQUEST Request = (PRSOCK_REQUEST)Results[Index].RequestContext;
            NTSTATUS Status = Results[Index].Status;

            if (!NT_SUCCESS(Status) && !(Socket->IsClosing && Status == STATUS_CANCELLED)) {
                RSockFail("initiator request", Status);
            }
            switch (Request->Type) {
            case RSockRequestSend:
                KeAcquireInStackQueuedSpinLockAtDpcLevel(&Socket->SendLock, &LockHandle);
                RSockMessageDoneLocked(Socket, Request);
                KeReleaseInStackQueuedSpinLockFromDpcLevel(&LockHandle);
                Done++;
                break;
            case RSockRequestWrite:
                /* Silent, and so not counted: it is here because it failed. */
                break;
            default:
                Socket->OnRequest(Socket, Request, Status);
                Done++;
                break;
            }
        }
    }
    Socket->InitiatorCq->Dispatch->NdkArmCq(Socket->InitiatorCq, NDK_CQ_NOTIFY_ANY);
    while (Done-- > 0) {
        RSockRequestDone(Socket);
    }
    KeLowerIrql(OldIrql);
}
