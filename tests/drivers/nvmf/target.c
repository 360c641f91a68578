/* SPDX-License-Identifier: MIT */
/* target.c: a disk in memory behind two queues. Connections are accepted in the connect event. */
#include "nvmf.h"

typedef enum _SLOT_REQUEST { SlotReceive = 1, SlotData, SlotResponse } SLOT_REQUEST;

struct _TARGET_QUEUE;
struct _SLOT;
/* The contexts of a slot's requests: where the pointer points says which it is. */
typedef struct _SLOT_CONTEXT {
    struct _SLOT *pSlot;
    SLOT_REQUEST Request;
} SLOT_CONTEXT, *PSLOT_CONTEXT;

typedef struct _SLOT {
    struct _TARGET_QUEUE *pQueue;
    ULONG ulIndex;
    NVMF_COMMAND Command;
    SLOT_CONTEXT Receive, Data, Response;
} SLOT, *PSLOT;

typedef struct _TARGET_QUEUE {
    NVMF_QP Qp;
    NVMF_REGION Capsules;       /* NVMF_DEPTH commands, then as many responses */
    SLOT aSlot[NVMF_DEPTH];
    volatile LONG fInUse;
    volatile LONG fClosing;
    USHORT usQid;
    volatile BOOLEAN fAccepted;
    volatile LONG fDisconnecting;
    KEVENT Accepted;
    KEVENT Disconnected;
} TARGET_QUEUE, *PTARGET_QUEUE;

static NVMF_NDK g_Ndk;
static NDK_LISTENER *g_pListener;
static NVMF_REGION g_Disk;
static TARGET_QUEUE g_aQueue[NVMF_QUEUES];
static EX_RUNDOWN_REF g_Rejected;
static volatile LONG g_lCommands;

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD NvmftUnload;

static VOID NvmftPostReceive(PSLOT pSlot)
{
    PTARGET_QUEUE pQueue = pSlot->pQueue;
    NDK_SGE Sge;
    NTSTATUS Status;

    NvmfBuildSge(
        &pQueue->Capsules, pSlot->ulIndex * sizeof(NVMF_COMMAND), sizeof(NVMF_COMMAND), &Sge);
    NvmfPosted(&pQueue->Qp);
    Status = pQueue->Qp.pQp->Dispatch->NdkReceive(pQueue->Qp.pQp, &pSlot->Receive, &Sge, 1);
    if (!NT_SUCCESS(Status)) {
        NvmfCompleted(&pQueue->Qp);
        if (!pQueue->fClosing)
            KdPrint(("NVMFT: NdkReceive failed, 0x%08lx\n", Status));
    }
}

static VOID NvmftRespond(PSLOT pSlot, USHORT usStatus)
{
    PTARGET_QUEUE pQueue = pSlot->pQueue;
    ULONG ulOffset = NVMF_DEPTH * sizeof(NVMF_COMMAND) + pSlot->ulIndex * sizeof(NVMF_RESPONSE);
    PNVMF_RESPONSE pResponse = (PNVMF_RESPONSE)(pQueue->Capsules.pucData + ulOffset);
    NDK_SGE Sge;
    NTSTATUS Status;

    RtlZeroMemory(pResponse, sizeof(*pResponse));
    pResponse->usCommandId = pSlot->Command.usCommandId;
    pResponse->usSqId = pQueue->usQid;
    pResponse->usStatus = usStatus;
    /* The initiator may use the slot again once it has the response. */
    NvmftPostReceive(pSlot);
    NvmfBuildSge(&pQueue->Capsules, ulOffset, sizeof(NVMF_RESPONSE), &Sge);
    NvmfPosted(&pQueue->Qp);
    Status = pQueue->Qp.pQp->Dispatch->NdkSend(
        pQueue->Qp.pQp, &pSlot->Response, &Sge, 1, NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT);
    if (!NT_SUCCESS(Status))
        NvmfCompleted(&pQueue->Qp);
}

/* The data of a command: fetched from the initiator, or brought to it. */
static VOID NvmftCommand(PSLOT pSlot)
{
    PTARGET_QUEUE pQueue = pSlot->pQueue;
    PNVMF_COMMAND pCommand = &pSlot->Command;
    NDK_SGE Sge;
    NTSTATUS Status;

    InterlockedIncrement(&g_lCommands);
    if (pCommand->ullLba >= NVMF_BLOCKS || pCommand->ulLength != NVMF_BLOCK_SIZE) {
        NvmftRespond(pSlot, NVMF_SC_LBA_RANGE);
        return;
    }
    NvmfBuildSge(&g_Disk, (ULONG)pCommand->ullLba * NVMF_BLOCK_SIZE, NVMF_BLOCK_SIZE, &Sge);
    NvmfPosted(&pQueue->Qp);
    if (pCommand->ucOpcode == NVMF_OPCODE_WRITE)
        Status = pQueue->Qp.pQp->Dispatch->NdkRead(pQueue->Qp.pQp, &pSlot->Data, &Sge, 1,
            pCommand->ullAddress, pCommand->ulKey, 0);
    else
        Status = pQueue->Qp.pQp->Dispatch->NdkWrite(pQueue->Qp.pQp, &pSlot->Data, &Sge, 1,
            pCommand->ullAddress, pCommand->ulKey, NDK_OP_FLAG_DEFER);
    if (!NT_SUCCESS(Status)) {
        NvmfCompleted(&pQueue->Qp);
        return;
    }
    if (pCommand->ucOpcode != NVMF_OPCODE_WRITE)
        NvmftRespond(pSlot, NVMF_SC_SUCCESS);
}

static VOID NvmftResult(PTARGET_QUEUE pQueue, const NDK_RESULT *pResult)
{
    PSLOT_CONTEXT pContext = (PSLOT_CONTEXT)pResult->RequestContext;
    PSLOT pSlot = pContext->pSlot;

    if (!NT_SUCCESS(pResult->Status)) {
        if (pResult->Status != STATUS_CANCELLED)
            DbgPrint("NVMFT: queue %u: request %d ended with 0x%08lx\n", pQueue->usQid,
                pContext->Request, pResult->Status);
        return;
    }
    switch (pContext->Request) {
    case SlotReceive:
        if (pResult->BytesTransferred != sizeof(NVMF_COMMAND)) {
            DbgPrint("NVMFT: a capsule of %lu bytes\n", pResult->BytesTransferred);
            break;
        }
        RtlCopyMemory(&pSlot->Command,
            pQueue->Capsules.pucData + pSlot->ulIndex * sizeof(NVMF_COMMAND), sizeof(NVMF_COMMAND));
        NvmftCommand(pSlot);
        break;
    case SlotData:
        if (pSlot->Command.ucOpcode == NVMF_OPCODE_WRITE)
            NvmftRespond(pSlot, NVMF_SC_SUCCESS);
        break;
    case SlotResponse:
        break;
    }
}

static VOID NvmftNotify(PVOID pvContext, NTSTATUS CqStatus)
{
    PTARGET_QUEUE pQueue = (PTARGET_QUEUE)pvContext;
    NDK_CQ *pCq = pQueue->Qp.pCq;
    NDK_RESULT aResult[8];
    ULONG ulCount, i, ulDone = 0;

    if (!NT_SUCCESS(CqStatus)) {
        DbgPrint("NVMFT: completion queue: 0x%08lx\n", CqStatus);
        return;
    }
    while ((ulCount = pCq->Dispatch->NdkGetCqResults(pCq, aResult, RTL_NUMBER_OF(aResult))) > 0) {
        for (i = 0; i < ulCount; i++)
            NvmftResult(pQueue, &aResult[i]);
        ulDone += ulCount;
    }
    pCq->Dispatch->NdkArmCq(pCq, NDK_CQ_NOTIFY_ANY);
    while (ulDone-- > 0)
        NvmfCompleted(&pQueue->Qp);
}

static VOID NvmftDisconnectDone(PVOID pvContext, NTSTATUS Status)
{
    PTARGET_QUEUE pQueue = (PTARGET_QUEUE)pvContext;

    UNREFERENCED_PARAMETER(Status);
    KeSetEvent(&pQueue->Disconnected, IO_NETWORK_INCREMENT, FALSE);
}

static VOID NvmftDisconnect(PTARGET_QUEUE pQueue)
{
    NDK_CONNECTOR *pConnector = pQueue->Qp.pConnector;
    NTSTATUS Status;

    if (InterlockedExchange(&pQueue->fDisconnecting, TRUE))
        return;
    Status = pConnector->Dispatch->NdkDisconnect(pConnector, NvmftDisconnectDone, pQueue);
    if (Status != STATUS_PENDING)
        NvmftDisconnectDone(pQueue, Status);
}

/* The initiator waits for our half of the disconnect. */
static VOID NvmftDisconnected(PVOID pvContext)
{
    NvmftDisconnect((PTARGET_QUEUE)pvContext);
}

static VOID NvmftAccepted(PVOID pvContext, NTSTATUS Status)
{
    PTARGET_QUEUE pQueue = (PTARGET_QUEUE)pvContext;

    DbgPrint("NVMFT: queue %u accepted, status 0x%08lx\n", pQueue->usQid, Status);
    pQueue->fAccepted = NT_SUCCESS(Status);
    KeSetEvent(&pQueue->Accepted, IO_NETWORK_INCREMENT, FALSE);
}

static VOID NvmftRejectedClosed(PVOID pvContext)
{
    UNREFERENCED_PARAMETER(pvContext);
    ExReleaseRundownProtection(&g_Rejected);
}

static VOID NvmftReject(NDK_CONNECTOR *pConnector)
{
    NVMF_REJECT_DATA Reject = { NVMF_RECFMT, NVMF_REJECT_QID };

    (VOID)pConnector->Dispatch->NdkReject(pConnector, &Reject, sizeof(Reject));
    if (!ExAcquireRundownProtection(&g_Rejected))
        ASSERT(!"the listener outlives its rundown");
    if (pConnector->Dispatch->NdkCloseConnector(
            &pConnector->Header, NvmftRejectedClosed, NULL) != STATUS_PENDING)
        ExReleaseRundownProtection(&g_Rejected);
}

/* At DISPATCH_LEVEL: queue pairs and receives are there already. */
static VOID NvmftConnectEvent(PVOID pvContext, NDK_CONNECTOR *pConnector)
{
    NVMF_CONNECT_DATA Connect;
    NVMF_ACCEPT_DATA Accept = { NVMF_RECFMT, NVMF_DEPTH, { 0 } };
    ULONG ulLength = sizeof(Connect), ulInbound, ulOutbound;
    PTARGET_QUEUE pQueue;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(pvContext);
    RtlZeroMemory(&Connect, sizeof(Connect));
    Status = pConnector->Dispatch->NdkGetConnectionData(
        pConnector, &ulInbound, &ulOutbound, &Connect, &ulLength);
    if (!NT_SUCCESS(Status) || ulLength < sizeof(Connect) || Connect.usRecfmt != NVMF_RECFMT ||
        Connect.usQid >= NVMF_QUEUES ||
        InterlockedCompareExchange(&g_aQueue[Connect.usQid].fInUse, TRUE, FALSE)) {
        NvmftReject(pConnector);
        return;
    }
    pQueue = &g_aQueue[Connect.usQid];
    pQueue->Qp.pConnector = pConnector;
    Status = pConnector->Dispatch->NdkAccept(pConnector, pQueue->Qp.pQp, ulInbound, ulOutbound,
        &Accept, sizeof(Accept), NvmftDisconnected, pQueue, NvmftAccepted, pQueue);
    if (Status != STATUS_PENDING)
        NvmftAccepted(pQueue, Status);
}

static NTSTATUS NvmftCreateQueue(PTARGET_QUEUE pQueue, USHORT usQid)
{
    NTSTATUS Status;
    ULONG i;

    KeInitializeEvent(&pQueue->Accepted, NotificationEvent, FALSE);
    KeInitializeEvent(&pQueue->Disconnected, NotificationEvent, FALSE);
    pQueue->usQid = usQid;
    Status = NvmfCreateRegion(&g_Ndk, NVMF_DEPTH * (sizeof(NVMF_COMMAND) + sizeof(NVMF_RESPONSE)),
        NDK_MR_FLAG_ALLOW_LOCAL_WRITE, &pQueue->Capsules);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NvmfCreateQp(&g_Ndk, NvmftNotify, pQueue, &pQueue->Qp);
    if (!NT_SUCCESS(Status))
        return Status;
    for (i = 0; i < NVMF_DEPTH; i++) {
        PSLOT pSlot = &pQueue->aSlot[i];

        pSlot->pQueue = pQueue;
        pSlot->ulIndex = i;
        pSlot->Receive.pSlot = pSlot->Data.pSlot = pSlot->Response.pSlot = pSlot;
        pSlot->Receive.Request = SlotReceive;
        pSlot->Data.Request = SlotData;
        pSlot->Response.Request = SlotResponse;
        NvmftPostReceive(pSlot);
    }
    pQueue->Qp.pCq->Dispatch->NdkArmCq(pQueue->Qp.pCq, NDK_CQ_NOTIFY_ANY);
    return STATUS_SUCCESS;
}

static NTSTATUS NvmftListen(ULONG ulAddress, ULONG ulPort)
{
    SOCKADDR_IN Address;
    NVMF_SYNC Sync;
    NTSTATUS Status;

    NvmfInitializeSync(&Sync);
    Status = g_Ndk.pAdapter->Dispatch->NdkCreateListener(
        g_Ndk.pAdapter, NvmftConnectEvent, NULL, NvmfCreateDone, &Sync, &g_pListener);
    if (Status == STATUS_PENDING) {
        Status = NvmfWait(&Sync, Status);
        g_pListener = (NDK_LISTENER *)Sync.pObject;
    }
    if (!NT_SUCCESS(Status)) {
        g_pListener = NULL;
        return Status;
    }
    NvmfMakeAddress(ulAddress, ulPort, &Address);
    NvmfInitializeSync(&Sync);
    Status = g_pListener->Dispatch->NdkListen(
        g_pListener, (PSOCKADDR)&Address, sizeof(Address), NvmfRequestDone, &Sync);
    return NvmfWait(&Sync, Status);
}

static VOID NvmftStop(VOID)
{
    ULONG i;

    if (g_pListener != NULL)
        g_pListener->Dispatch->NdkControlConnectEvents(g_pListener, TRUE);
    for (i = 0; i < NVMF_QUEUES; i++) {
        InterlockedExchange(&g_aQueue[i].fClosing, TRUE);
        if (g_aQueue[i].Qp.pConnector != NULL) {
            KeWaitForSingleObject(&g_aQueue[i].Accepted, Executive, KernelMode, FALSE, NULL);
            if (g_aQueue[i].fAccepted) {
                NvmftDisconnect(&g_aQueue[i]);
                KeWaitForSingleObject(
                    &g_aQueue[i].Disconnected, Executive, KernelMode, FALSE, NULL);
            }
        }
        NvmfCloseQp(&g_aQueue[i].Qp);
        NvmfDestroyRegion(&g_aQueue[i].Capsules);
    }
    if (g_pListener != NULL)
        NvmfClose(&g_pListener->Header, g_pListener->Dispatch->NdkCloseListener);
    ExWaitForRundownProtectionRelease(&g_Rejected);
    NvmfDestroyRegion(&g_Disk);
    NvmfShut(&g_Ndk);
}

VOID NvmftUnload(PDRIVER_OBJECT pDriverObject)
{
    UNREFERENCED_PARAMETER(pDriverObject);
    PAGED_CODE();
    NvmftStop();
    DbgPrint("NVMFT: %ld commands served\n", g_lCommands);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT pDriverObject, PUNICODE_STRING pRegistryPath)
{
    ULONG ulAddress, ulPort, ulIfIndex, i;
    NTSTATUS Status;

    ExInitializeRundownProtection(&g_Rejected);
    (VOID)NvmfReadSetting(pRegistryPath, L"IfIndex", 0, &ulIfIndex);
    (VOID)NvmfReadSetting(pRegistryPath, L"Address", 0x7f000001, &ulAddress);
    Status = NvmfReadSetting(pRegistryPath, L"Port", 4420, &ulPort);
    DbgPrint("NVMFT: port %lu (%s)\n", ulPort, NT_SUCCESS(Status) ? "from the registry" : "default");

    Status = NvmfOpen(&g_Ndk, ulIfIndex);
    if (!NT_SUCCESS(Status)) {
        DbgPrint("NVMFT: no adapter, 0x%08lx\n", Status);
        return Status;
    }
    Status = NvmfCreateRegion(
        &g_Ndk, NVMF_BLOCKS * NVMF_BLOCK_SIZE, NDK_MR_FLAG_ALLOW_LOCAL_WRITE, &g_Disk);
    for (i = 0; NT_SUCCESS(Status) && i < NVMF_QUEUES; i++)
        Status = NvmftCreateQueue(&g_aQueue[i], (USHORT)i);
    if (NT_SUCCESS(Status))
        Status = NvmftListen(ulAddress, ulPort);
    if (!NT_SUCCESS(Status)) {
        DbgPrint("NVMFT: cannot start, 0x%08lx\n", Status);
        NvmftStop();
        return Status;
    }
    pDriverObject->DriverUnload = NvmftUnload;
    return STATUS_SUCCESS;
}
