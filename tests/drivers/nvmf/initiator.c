/* SPDX-License-Identifier: MIT */
/* initiator.c: writes the target's disk through two queues, reads it back, compares. */
#include "nvmf.h"

#define NVMFI_ROUNDS 8

typedef struct _IO_SLOT {
    NVMF_COMMAND Command;
    BOOLEAN fDone;
    USHORT usStatus;
} IO_SLOT, *PIO_SLOT;

typedef enum _QUEUE_REQUEST { QueueReceive = 1, QueueSend } QUEUE_REQUEST;

typedef struct _RECEIVE_SLOT {
    QUEUE_REQUEST Request;
    ULONG ulIndex;
} RECEIVE_SLOT;

typedef struct _INITIATOR_QUEUE {
    NVMF_QP Qp;
    USHORT usQid;
    NVMF_REGION Capsules;       /* commands, then responses */
    NVMF_REGION Data;           /* a block for each slot; the target reads and writes here */
    IO_SLOT aSlot[NVMF_DEPTH];
    RECEIVE_SLOT aReceive[NVMF_DEPTH];
    RECEIVE_SLOT Send;
    KDPC Dpc;
    volatile LONG lOutstanding;
    KEVENT Idle;
    BOOLEAN fConnected;
    volatile LONG fClosing;
} INITIATOR_QUEUE, *PINITIATOR_QUEUE;

static NVMF_NDK g_Ndk;
static PDEVICE_OBJECT g_pDevice;
static ULONG g_ulPort, g_ulAddress, g_ulIfIndex;
static INITIATOR_QUEUE g_aQueue[NVMF_QUEUES];
static PVOID g_pvThread;
static KEVENT g_Finished;
static volatile LONG g_lVerified, g_lFailures;

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD NvmfiUnload;
DRIVER_DISPATCH NvmfiCreateClose;
DRIVER_DISPATCH NvmfiDeviceControl;

static VOID NvmfiFail(PCSTR pszWhat, NTSTATUS Status)
{
    InterlockedIncrement(&g_lFailures);
    DbgPrint("NVMFI: %s: 0x%08lx\n", pszWhat, Status);
}

static VOID NvmfiPostReceive(PINITIATOR_QUEUE pQueue, ULONG ulIndex)
{
    NDK_SGE Sge;
    NTSTATUS Status;

    NvmfBuildSge(&pQueue->Capsules,
        NVMF_DEPTH * sizeof(NVMF_COMMAND) + ulIndex * sizeof(NVMF_RESPONSE), sizeof(NVMF_RESPONSE),
        &Sge);
    NvmfPosted(&pQueue->Qp);
    Status = pQueue->Qp.pQp->Dispatch->NdkReceive(
        pQueue->Qp.pQp, &pQueue->aReceive[ulIndex], &Sge, 1);
    if (!NT_SUCCESS(Status)) {
        NvmfCompleted(&pQueue->Qp);
        if (!pQueue->fClosing)
            NvmfiFail("NdkReceive", Status);
    }
}

static VOID NvmfiResponse(PINITIATOR_QUEUE pQueue, ULONG ulIndex)
{
    PNVMF_RESPONSE pResponse = (PNVMF_RESPONSE)(pQueue->Capsules.pucData +
        NVMF_DEPTH * sizeof(NVMF_COMMAND)) + ulIndex;
    USHORT usId = pResponse->usCommandId;

    if (usId >= NVMF_DEPTH || pQueue->aSlot[usId].fDone) {
        NvmfiFail("a response to nothing", STATUS_INVALID_PARAMETER);
        return;
    }
    pQueue->aSlot[usId].usStatus = pResponse->usStatus;
    pQueue->aSlot[usId].fDone = TRUE;
    NvmfiPostReceive(pQueue, ulIndex);
    if (InterlockedDecrement(&pQueue->lOutstanding) == 0)
        KeSetEvent(&pQueue->Idle, IO_DISK_INCREMENT, FALSE);
}

/* The completion queue is polled here alone, and armed last. */
static VOID NvmfiDpc(PKDPC pDpc, PVOID pvContext, PVOID pvArgument1, PVOID pvArgument2)
{
    PINITIATOR_QUEUE pQueue = (PINITIATOR_QUEUE)pvContext;
    NDK_CQ *pCq = pQueue->Qp.pCq;
    NDK_RESULT Result;
    ULONG ulDone = 0;

    UNREFERENCED_PARAMETER(pDpc);
    UNREFERENCED_PARAMETER(pvArgument1);
    UNREFERENCED_PARAMETER(pvArgument2);
    ASSERT(KeGetCurrentIrql() == DISPATCH_LEVEL);
    while (pCq->Dispatch->NdkGetCqResults(pCq, &Result, 1) == 1) {
        RECEIVE_SLOT *pSlot = (RECEIVE_SLOT *)Result.RequestContext;

        ulDone++;
        if (!NT_SUCCESS(Result.Status)) {
            if (Result.Status != STATUS_CANCELLED || !pQueue->fClosing)
                NvmfiFail("a request", Result.Status);
        } else if (pSlot->Request == QueueReceive) {
            NvmfiResponse(pQueue, pSlot->ulIndex);
        }
    }
    pCq->Dispatch->NdkArmCq(pCq, NDK_CQ_NOTIFY_ANY);
    while (ulDone-- > 0)
        NvmfCompleted(&pQueue->Qp);
}

static VOID NvmfiNotify(PVOID pvContext, NTSTATUS CqStatus)
{
    PINITIATOR_QUEUE pQueue = (PINITIATOR_QUEUE)pvContext;

    if (!NT_SUCCESS(CqStatus)) {
        NvmfiFail("completion queue", CqStatus);
        return;
    }
    KeInsertQueueDpc(&pQueue->Dpc, NULL, NULL);
}

static VOID NvmfiDisconnected(PVOID pvContext)
{
    PINITIATOR_QUEUE pQueue = (PINITIATOR_QUEUE)pvContext;

    if (!pQueue->fClosing)
        NvmfiFail("the target went away", STATUS_CONNECTION_DISCONNECTED);
}

/* One attempt. *pConnector is the caller's to close, whatever comes out. */
static NTSTATUS NvmfiConnect(
    PINITIATOR_QUEUE pQueue, USHORT usQid, NDK_CONNECTOR **ppConnector)
{
    NVMF_CONNECT_DATA Connect = { NVMF_RECFMT, usQid, NVMF_DEPTH, NVMF_DEPTH, { 0 } };
    SOCKADDR_IN Local, Remote;
    NVMF_SYNC Sync;
    NTSTATUS Status;

    *ppConnector = NULL;
    NvmfInitializeSync(&Sync);
    Status = g_Ndk.pAdapter->Dispatch->NdkCreateConnector(
        g_Ndk.pAdapter, NvmfCreateDone, &Sync, ppConnector);
    if (Status == STATUS_PENDING) {
        Status = NvmfWait(&Sync, Status);
        *ppConnector = (NDK_CONNECTOR *)Sync.pObject;
    }
    if (!NT_SUCCESS(Status)) {
        *ppConnector = NULL;
        return Status;
    }
    NvmfMakeAddress(g_ulAddress, 0, &Local);
    NvmfMakeAddress(g_ulAddress, g_ulPort, &Remote);
    NvmfInitializeSync(&Sync);
    Status = (*ppConnector)->Dispatch->NdkConnect(*ppConnector, pQueue->Qp.pQp, (PSOCKADDR)&Local,
        sizeof(Local), (PSOCKADDR)&Remote, sizeof(Remote), NVMF_DEPTH, 0, &Connect, sizeof(Connect),
        NvmfRequestDone, &Sync);
    return NvmfWait(&Sync, Status);
}

static VOID NvmfiTryWrongQueue(PINITIATOR_QUEUE pQueue)
{
    NVMF_REJECT_DATA Reject = { 0 };
    ULONG ulLength = sizeof(Reject);
    NDK_CONNECTOR *pConnector;
    NTSTATUS Status;

    Status = NvmfiConnect(pQueue, 99, &pConnector);
    if (Status != STATUS_CONNECTION_REFUSED)
        NvmfiFail("a queue that does not exist", Status);
    if (pConnector == NULL)
        return;
    Status = pConnector->Dispatch->NdkGetConnectionData(
        pConnector, NULL, NULL, &Reject, &ulLength);
    DbgPrint("NVMFI: rejected, reason %u, data 0x%08lx\n", Reject.usStatus, Status);
    NvmfClose(&pConnector->Header, pConnector->Dispatch->NdkCloseConnector);
}

static NTSTATUS NvmfiStartQueue(PINITIATOR_QUEUE pQueue)
{
    NVMF_ACCEPT_DATA Accept = { 0 };
    ULONG ulLength = sizeof(Accept), i;
    NVMF_SYNC Sync;
    NTSTATUS Status;

    Status = NvmfiConnect(pQueue, pQueue->usQid, &pQueue->Qp.pConnector);
    if (!NT_SUCCESS(Status)) {
        NvmfiFail("NdkConnect", Status);
        return Status;
    }
    Status = pQueue->Qp.pConnector->Dispatch->NdkGetConnectionData(
        pQueue->Qp.pConnector, NULL, NULL, &Accept, &ulLength);
    if (!NT_SUCCESS(Status) || Accept.usReceiveQueueSize != NVMF_DEPTH)
        NvmfiFail("private data of the accept", Status);

    for (i = 0; i < NVMF_DEPTH; i++)
        NvmfiPostReceive(pQueue, i);
    pQueue->Qp.pCq->Dispatch->NdkArmCq(pQueue->Qp.pCq, NDK_CQ_NOTIFY_ANY);
    NvmfInitializeSync(&Sync);
    Status = pQueue->Qp.pConnector->Dispatch->NdkCompleteConnect(
        pQueue->Qp.pConnector, NvmfiDisconnected, pQueue, NvmfRequestDone, &Sync);
    Status = NvmfWait(&Sync, Status);
    if (!NT_SUCCESS(Status))
        NvmfiFail("NdkCompleteConnect", Status);
    pQueue->fConnected = NT_SUCCESS(Status);
    return Status;
}

static VOID NvmfiStopQueue(PINITIATOR_QUEUE pQueue)
{
    NVMF_SYNC Sync;

    InterlockedExchange(&pQueue->fClosing, TRUE);
    if (pQueue->fConnected) {
        NvmfInitializeSync(&Sync);
        (VOID)NvmfWait(&Sync, pQueue->Qp.pConnector->Dispatch->NdkDisconnect(
            pQueue->Qp.pConnector, NvmfRequestDone, &Sync));
    }
    NvmfCloseQp(&pQueue->Qp);
    NvmfDestroyRegion(&pQueue->Data);
    NvmfDestroyRegion(&pQueue->Capsules);
}

static NTSTATUS NvmfiCreateQueue(PINITIATOR_QUEUE pQueue, USHORT usQid)
{
    NTSTATUS Status;
    ULONG i;

    pQueue->usQid = usQid;
    pQueue->Send.Request = QueueSend;
    KeInitializeEvent(&pQueue->Idle, NotificationEvent, FALSE);
    KeInitializeDpc(&pQueue->Dpc, NvmfiDpc, pQueue);
    for (i = 0; i < NVMF_DEPTH; i++) {
        pQueue->aReceive[i].Request = QueueReceive;
        pQueue->aReceive[i].ulIndex = i;
    }
    Status = NvmfCreateRegion(&g_Ndk, NVMF_DEPTH * (sizeof(NVMF_COMMAND) + sizeof(NVMF_RESPONSE)),
        NDK_MR_FLAG_ALLOW_LOCAL_WRITE, &pQueue->Capsules);
    if (NT_SUCCESS(Status))
        Status = NvmfCreateRegion(&g_Ndk, NVMF_DEPTH * NVMF_BLOCK_SIZE,
            NDK_MR_FLAG_ALLOW_REMOTE_READ | NDK_MR_FLAG_ALLOW_REMOTE_WRITE, &pQueue->Data);
    if (NT_SUCCESS(Status))
        Status = NvmfCreateQp(&g_Ndk, NvmfiNotify, pQueue, &pQueue->Qp);
    return Status;
}

static UCHAR NvmfiPattern(ULONG ulLba, ULONG ulIndex)
{
    return (UCHAR)(ulLba * 13 + ulIndex * 3 + (ulIndex >> 9));
}

/* All slots of a queue with one opcode; waits for the responses. */
static NTSTATUS NvmfiRunCommands(PINITIATOR_QUEUE pQueue, UCHAR ucOpcode, ULONG ulFirstLba)
{
    PNVMF_COMMAND aCommand = (PNVMF_COMMAND)pQueue->Capsules.pucData;
    LARGE_INTEGER Timeout;
    NDK_SGE Sge;
    NTSTATUS Status;
    USHORT i;

    KeClearEvent(&pQueue->Idle);
    InterlockedExchange(&pQueue->lOutstanding, NVMF_DEPTH);
    for (i = 0; i < NVMF_DEPTH; i++) {
        pQueue->aSlot[i].fDone = FALSE;
        RtlZeroMemory(&aCommand[i], sizeof(aCommand[i]));
        aCommand[i].ucOpcode = ucOpcode;
        aCommand[i].usCommandId = i;
        aCommand[i].ullLba = ulFirstLba + i;
        aCommand[i].ullAddress = (ULONG64)(pQueue->Data.pucData + i * NVMF_BLOCK_SIZE);
        aCommand[i].ulLength = NVMF_BLOCK_SIZE;
        aCommand[i].ulKey = pQueue->Data.ulRemoteToken;
        NvmfBuildSge(&pQueue->Capsules, i * sizeof(NVMF_COMMAND), sizeof(NVMF_COMMAND), &Sge);
        NvmfPosted(&pQueue->Qp);
        Status = pQueue->Qp.pQp->Dispatch->NdkSend(pQueue->Qp.pQp, &pQueue->Send, &Sge, 1,
            i + 1 < NVMF_DEPTH ? NDK_OP_FLAG_DEFER : NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT);
        if (!NT_SUCCESS(Status)) {
            NvmfCompleted(&pQueue->Qp);
            NvmfiFail("NdkSend", Status);
            return Status;
        }
    }
    Timeout.QuadPart = -60LL * 10000000;
    if (KeWaitForSingleObject(&pQueue->Idle, Executive, KernelMode, FALSE, &Timeout) ==
        STATUS_TIMEOUT) {
        NvmfiFail("responses", STATUS_IO_TIMEOUT);
        return STATUS_IO_TIMEOUT;
    }
    for (i = 0; i < NVMF_DEPTH; i++)
        if (pQueue->aSlot[i].usStatus != NVMF_SC_SUCCESS)
            NvmfiFail("a command", pQueue->aSlot[i].usStatus);
    return STATUS_SUCCESS;
}

static NTSTATUS NvmfiRound(PINITIATOR_QUEUE pQueue, ULONG ulFirstLba)
{
    NTSTATUS Status;
    ULONG i, j;

    for (i = 0; i < NVMF_DEPTH; i++)
        for (j = 0; j < NVMF_BLOCK_SIZE; j++)
            pQueue->Data.pucData[i * NVMF_BLOCK_SIZE + j] = NvmfiPattern(ulFirstLba + i, j);
    Status = NvmfiRunCommands(pQueue, NVMF_OPCODE_WRITE, ulFirstLba);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlFillMemory(pQueue->Data.pucData, NVMF_DEPTH * NVMF_BLOCK_SIZE, 0xEE);
    Status = NvmfiRunCommands(pQueue, NVMF_OPCODE_READ, ulFirstLba);
    if (!NT_SUCCESS(Status))
        return Status;
    for (i = 0; i < NVMF_DEPTH; i++) {
        for (j = 0; j < NVMF_BLOCK_SIZE; j++)
            if (pQueue->Data.pucData[i * NVMF_BLOCK_SIZE + j] != NvmfiPattern(ulFirstLba + i, j))
                break;
        if (j != NVMF_BLOCK_SIZE)
            NvmfiFail("a block", STATUS_DATA_ERROR);
        else
            InterlockedIncrement(&g_lVerified);
    }
    return STATUS_SUCCESS;
}

static VOID NvmfiThread(PVOID pvContext)
{
    ULONG i, r;
    NTSTATUS Status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(pvContext);
    PAGED_CODE();
    for (i = 0; NT_SUCCESS(Status) && i < NVMF_QUEUES; i++)
        Status = NvmfiCreateQueue(&g_aQueue[i], (USHORT)i);
    if (NT_SUCCESS(Status))
        NvmfiTryWrongQueue(&g_aQueue[0]);
    for (i = 0; NT_SUCCESS(Status) && i < NVMF_QUEUES; i++)
        Status = NvmfiStartQueue(&g_aQueue[i]);
    for (r = 0; NT_SUCCESS(Status) && r < NVMFI_ROUNDS / NVMF_QUEUES; r++)
        for (i = 0; NT_SUCCESS(Status) && i < NVMF_QUEUES; i++)
            Status = NvmfiRound(&g_aQueue[i], (r * NVMF_QUEUES + i) * NVMF_DEPTH);
    for (i = 0; i < NVMF_QUEUES; i++)
        NvmfiStopQueue(&g_aQueue[i]);
    KeFlushQueuedDpcs();
    DbgPrint("NVMFI: %ld blocks verified, test %s\n", g_lVerified,
        g_lFailures == 0 && NT_SUCCESS(Status) ? "passed" : "FAILED");
    KeSetEvent(&g_Finished, IO_NO_INCREMENT, FALSE);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

NTSTATUS NvmfiCreateClose(PDEVICE_OBJECT pDevice, PIRP pIrp)
{
    UNREFERENCED_PARAMETER(pDevice);
    pIrp->IoStatus.Status = STATUS_SUCCESS;
    pIrp->IoStatus.Information = 0;
    IoCompleteRequest(pIrp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

NTSTATUS NvmfiDeviceControl(PDEVICE_OBJECT pDevice, PIRP pIrp)
{
    PIO_STACK_LOCATION pStack = IoGetCurrentIrpStackLocation(pIrp);
    NTSTATUS Status = STATUS_INVALID_DEVICE_REQUEST;

    UNREFERENCED_PARAMETER(pDevice);
    pIrp->IoStatus.Information = 0;
    if (pStack->Parameters.DeviceIoControl.IoControlCode == IOCTL_NVMF_STATISTICS) {
        KeWaitForSingleObject(&g_Finished, Executive, KernelMode, FALSE, NULL);
        Status = STATUS_BUFFER_TOO_SMALL;
        if (pStack->Parameters.DeviceIoControl.OutputBufferLength >= sizeof(LONG)) {
            *(PLONG)pIrp->AssociatedIrp.SystemBuffer = g_lVerified;
            pIrp->IoStatus.Information = sizeof(LONG);
            Status = STATUS_SUCCESS;
        }
    }
    pIrp->IoStatus.Status = Status;
    IoCompleteRequest(pIrp, IO_NO_INCREMENT);
    return Status;
}

VOID NvmfiUnload(PDRIVER_OBJECT pDriverObject)
{
    UNREFERENCED_PARAMETER(pDriverObject);
    PAGED_CODE();
    KeWaitForSingleObject(g_pvThread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(g_pvThread);
    NvmfShut(&g_Ndk);
    IoDeleteDevice(g_pDevice);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT pDriverObject, PUNICODE_STRING pRegistryPath)
{
    UNICODE_STRING DeviceName = RTL_CONSTANT_STRING(L"\\Device\\NvmfInitiator");
    HANDLE hThread;
    NTSTATUS Status;

    KeInitializeEvent(&g_Finished, NotificationEvent, FALSE);
    (VOID)NvmfReadSetting(pRegistryPath, L"IfIndex", 0, &g_ulIfIndex);
    (VOID)NvmfReadSetting(pRegistryPath, L"Address", 0x7f000001, &g_ulAddress);
    (VOID)NvmfReadSetting(pRegistryPath, L"Port", 4420, &g_ulPort);

    pDriverObject->DriverUnload = NvmfiUnload;
    pDriverObject->MajorFunction[IRP_MJ_CREATE] = NvmfiCreateClose;
    pDriverObject->MajorFunction[IRP_MJ_CLOSE] = NvmfiCreateClose;
    pDriverObject->MajorFunction[IRP_MJ_CLEANUP] = NvmfiCreateClose;
    pDriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = NvmfiDeviceControl;
    Status = IoCreateDevice(pDriverObject, 0, &DeviceName, FILE_DEVICE_UNKNOWN, 0, FALSE, &g_pDevice);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NvmfOpen(&g_Ndk, g_ulIfIndex);
    if (NT_SUCCESS(Status)) {
        Status = PsCreateSystemThread(
            &hThread, THREAD_ALL_ACCESS, NULL, NULL, NULL, NvmfiThread, NULL);
        if (!NT_SUCCESS(Status))
            NvmfShut(&g_Ndk);
    }
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(g_pDevice);
        return Status;
    }
    Status = ObReferenceObjectByHandle(
        hThread, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, &g_pvThread, NULL);
    ASSERT(NT_SUCCESS(Status));
    ZwClose(hThread);
    return STATUS_SUCCESS;
}
