/* SPDX-License-Identifier: MIT */
/*
 * shared.c: what is shared. Two connections leave one shared endpoint for two listeners; the server
 * takes their messages from one shared receive queue and one completion queue, which it polls; the
 * clients give it access through memory windows and take it back.
 */
#include "..\NVMF\Nvmf.h"

#define LINKS           2
#define RECEIVES        16
#define RECEIVE_SIZE    64
#define WINDOW_SIZE     6000
#define SRQ_THRESHOLD   RECEIVES    /* the first message goes below */

typedef struct _ACCESS {
    ULONG64 ullAddress;
    ULONG ulLength;
    UINT32 ulToken;
} ACCESS, *PACCESS;

/* One connection, both its ends. */
typedef struct _LINK {
    ULONG ulIndex;
    NDK_LISTENER *pListener;
    SOCKADDR_IN Address;
    NDK_QP *pServerQp, *pClientQp;
    NDK_CONNECTOR *volatile pServerConnector;
    NDK_CONNECTOR *pClientConnector;
    NVMF_SYNC Accepted;
    NTSTATUS AcceptStatus;
    NDK_MW *pWindow;
} LINK, *PLINK;

static NVMF_NDK g_Ndk;
static NVMF_REGION g_Receives, g_Server, g_Client;
static NDK_CQ *g_pServerCq, *g_pClientCq;
static NDK_SRQ *g_pSrq;
static NDK_SHARED_ENDPOINT *g_pEndpoint;
static LINK g_aLink[LINKS];
static volatile LONG g_lSrqNotified;
static KEVENT g_SrqEvent;
static ULONG g_aulReceive[RECEIVES];

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD SharedUnload;

static VOID Ignored(PVOID pvContext, NTSTATUS Status)
{
    UNREFERENCED_PARAMETER(pvContext);
    UNREFERENCED_PARAMETER(Status);
}

static VOID SrqNotified(PVOID pvContext, NTSTATUS Status)
{
    UNREFERENCED_PARAMETER(pvContext);
    if (NT_SUCCESS(Status))
        InterlockedIncrement(&g_lSrqNotified);
    KeSetEvent(&g_SrqEvent, IO_NETWORK_INCREMENT, FALSE);
}

static VOID Disconnected(PVOID pvContext)
{
    UNREFERENCED_PARAMETER(pvContext);
}

static VOID ConnectEvent(PVOID pvContext, NDK_CONNECTOR *pConnector)
{
    PLINK pLink = (PLINK)pvContext;
    NTSTATUS Status;

    pLink->pServerConnector = pConnector;
    Status = pConnector->Dispatch->NdkAccept(pConnector, pLink->pServerQp, 4, 4, NULL, 0,
        Disconnected, pLink, NvmfRequestDone, &pLink->Accepted);
    if (Status != STATUS_PENDING)
        NvmfRequestDone(&pLink->Accepted, Status);
}

/* Polls until a completion is there; a quarter of a minute is very long. */
static NTSTATUS Poll(NDK_CQ *pCq, NDK_RESULT *pResult)
{
    LARGE_INTEGER Moment;
    ULONG i;

    Moment.QuadPart = -10 * 1000;
    for (i = 0; i < 60000; i++) {
        if (pCq->Dispatch->NdkGetCqResults(pCq, pResult, 1) == 1)
            return pResult->Status;
        KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    }
    return STATUS_IO_TIMEOUT;
}

/*
 * All connections complete on one queue, in any order: receives that come while the server waits
 * for a request of its own are kept for later.
 */
static NDK_RESULT g_aKept[RECEIVES];
static ULONG g_ulKept;

static BOOLEAN IsReceive(const NDK_RESULT *pResult)
{
    PULONG pulContext = (PULONG)pResult->RequestContext;

    return pulContext >= g_aulReceive && pulContext < g_aulReceive + RECEIVES;
}

static NTSTATUS PollServer(BOOLEAN fReceive, NDK_RESULT *pResult)
{
    NTSTATUS Status;

    if (fReceive && g_ulKept > 0) {
        *pResult = g_aKept[--g_ulKept];
        return pResult->Status;
    }
    for (;;) {
        Status = Poll(g_pServerCq, pResult);
        if (Status == STATUS_IO_TIMEOUT || IsReceive(pResult) == fReceive)
            return Status;
        if (fReceive || g_ulKept == RECEIVES)
            return STATUS_INTERNAL_ERROR;
        g_aKept[g_ulKept++] = *pResult;
    }
}

#define AWAIT(Out, Type, Call)                                                                     \
    do {                                                                                           \
        NVMF_SYNC Sync_;                                                                           \
        NvmfInitializeSync(&Sync_);                                                                \
        PNVMF_SYNC pSync = &Sync_;                                                                 \
        Status = (Call);                                                                           \
        if (Status == STATUS_PENDING) {                                                            \
            Status = NvmfWait(pSync, Status);                                                      \
            (Out) = (Type *)pSync->pObject;                                                        \
        }                                                                                          \
        if (!NT_SUCCESS(Status)) {                                                                 \
            (Out) = NULL;                                                                          \
            DbgPrint("SHARED: line %d: 0x%08lx\n", __LINE__, Status);                              \
            return Status;                                                                         \
        }                                                                                          \
    } while (0)

static NTSTATUS PostShared(ULONG ulIndex)
{
    NDK_SGE Sge;

    NvmfBuildSge(&g_Receives, ulIndex * RECEIVE_SIZE, RECEIVE_SIZE, &Sge);
    g_aulReceive[ulIndex] = ulIndex;
    return g_pSrq->Dispatch->NdkSrqReceive(g_pSrq, &g_aulReceive[ulIndex], &Sge, 1);
}

static NTSTATUS CreateShared(VOID)
{
    NDK_ADAPTER *pAdapter = g_Ndk.pAdapter;
    NDK_PD *pPd = g_Ndk.pPd;
    SOCKADDR_IN Local;
    NTSTATUS Status;
    ULONG i;

    Status = NvmfCreateRegion(
        &g_Ndk, RECEIVES * RECEIVE_SIZE, NDK_MR_FLAG_ALLOW_LOCAL_WRITE, &g_Receives);
    if (NT_SUCCESS(Status))
        Status = NvmfCreateRegion(
            &g_Ndk, LINKS * 2 * WINDOW_SIZE, NDK_MR_FLAG_ALLOW_LOCAL_WRITE, &g_Server);
    if (NT_SUCCESS(Status))
        Status = NvmfCreateRegion(
            &g_Ndk, LINKS * WINDOW_SIZE, NDK_MR_FLAG_ALLOW_LOCAL_WRITE, &g_Client);
    if (!NT_SUCCESS(Status))
        return Status;
    AWAIT(g_pServerCq, NDK_CQ, pAdapter->Dispatch->NdkCreateCq(pAdapter, 128, Ignored, NULL, NULL,
        NvmfCreateDone, pSync, &g_pServerCq));
    AWAIT(g_pClientCq, NDK_CQ, pAdapter->Dispatch->NdkCreateCq(pAdapter, 128, Ignored, NULL, NULL,
        NvmfCreateDone, pSync, &g_pClientCq));
    AWAIT(g_pSrq, NDK_SRQ, pPd->Dispatch->NdkCreateSrq(pPd, RECEIVES, 1, 0, SrqNotified, NULL, NULL,
        NvmfCreateDone, pSync, &g_pSrq));
    for (i = 0; NT_SUCCESS(Status) && i < RECEIVES; i++)
        Status = PostShared(i);
    if (!NT_SUCCESS(Status))
        return Status;
    {
        NVMF_SYNC Sync;

        NvmfInitializeSync(&Sync);
        Status = NvmfWait(&Sync, g_pSrq->Dispatch->NdkModifySrq(
            g_pSrq, 0, SRQ_THRESHOLD, NvmfRequestDone, &Sync));
        if (!NT_SUCCESS(Status))
            return Status;
    }
    NvmfMakeAddress(0x7f000002, 0, &Local);
    AWAIT(g_pEndpoint, NDK_SHARED_ENDPOINT, pAdapter->Dispatch->NdkCreateSharedEndpoint(pAdapter,
        (PSOCKADDR)&Local, sizeof(Local), NvmfCreateDone, pSync, &g_pEndpoint));
    return STATUS_SUCCESS;
}

static NTSTATUS Connect(PLINK pLink)
{
    NDK_ADAPTER *pAdapter = g_Ndk.pAdapter;
    NDK_PD *pPd = g_Ndk.pPd;
    ULONG ulLength = sizeof(pLink->Address);
    NVMF_SYNC Sync;
    NTSTATUS Status;

    NvmfInitializeSync(&pLink->Accepted);
    AWAIT(pLink->pServerQp, NDK_QP, pPd->Dispatch->NdkCreateQpWithSrq(pPd, g_pServerCq, g_pServerCq,
        g_pSrq, pLink, 8, 1, 0, NvmfCreateDone, pSync, &pLink->pServerQp));
    AWAIT(pLink->pClientQp, NDK_QP, pPd->Dispatch->NdkCreateQp(pPd, g_pClientCq, g_pClientCq, pLink,
        1, 8, 1, 1, 0, NvmfCreateDone, pSync, &pLink->pClientQp));
    AWAIT(pLink->pListener, NDK_LISTENER, pAdapter->Dispatch->NdkCreateListener(pAdapter,
        ConnectEvent, pLink, NvmfCreateDone, pSync, &pLink->pListener));
    AWAIT(pLink->pWindow, NDK_MW,
        pPd->Dispatch->NdkCreateMw(pPd, NvmfCreateDone, pSync, &pLink->pWindow));
    AWAIT(pLink->pClientConnector, NDK_CONNECTOR, pAdapter->Dispatch->NdkCreateConnector(
        pAdapter, NvmfCreateDone, pSync, &pLink->pClientConnector));

    NvmfMakeAddress(0x7f000001, 0, &pLink->Address);
    NvmfInitializeSync(&Sync);
    Status = NvmfWait(&Sync, pLink->pListener->Dispatch->NdkListen(pLink->pListener,
        (PSOCKADDR)&pLink->Address, sizeof(pLink->Address), NvmfRequestDone, &Sync));
    if (NT_SUCCESS(Status))
        Status = pLink->pListener->Dispatch->NdkGetLocalAddress(
            pLink->pListener, (PSOCKADDR)&pLink->Address, &ulLength);
    if (!NT_SUCCESS(Status))
        return Status;
    NvmfInitializeSync(&Sync);
    Status = NvmfWait(&Sync, pLink->pClientConnector->Dispatch->NdkConnectWithSharedEndpoint(
        pLink->pClientConnector, pLink->pClientQp, g_pEndpoint, (PSOCKADDR)&pLink->Address,
        sizeof(pLink->Address), 4, 4, NULL, 0, NvmfRequestDone, &Sync));
    if (!NT_SUCCESS(Status))
        return Status;
    NvmfInitializeSync(&Sync);
    Status = NvmfWait(&Sync, pLink->pClientConnector->Dispatch->NdkCompleteConnect(
        pLink->pClientConnector, Disconnected, pLink, NvmfRequestDone, &Sync));
    if (!NT_SUCCESS(Status))
        return Status;
    pLink->AcceptStatus = NvmfWait(&pLink->Accepted, STATUS_PENDING);
    return pLink->AcceptStatus;
}

/* The client binds a window, tells the server, and waits for its answer; then takes it back. */
static NTSTATUS ClientBegin(PLINK pLink, PACCESS pAccess)
{
    ULONG ulOffset = pLink->ulIndex * WINDOW_SIZE;
    NDK_RESULT Result;
    NTSTATUS Status;

    Status = pLink->pClientQp->Dispatch->NdkBind(pLink->pClientQp, pLink, g_Client.pMr,
        pLink->pWindow, g_Client.pucData + ulOffset, WINDOW_SIZE,
        NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE);
    if (NT_SUCCESS(Status))
        Status = Poll(g_pClientCq, &Result);
    if (!NT_SUCCESS(Status))
        return Status;
    pAccess->ullAddress = (ULONG64)(g_Client.pucData + ulOffset);
    pAccess->ulLength = WINDOW_SIZE;
    pAccess->ulToken = pLink->pWindow->Dispatch->NdkGetRemoteTokenFromMw(pLink->pWindow);
    return STATUS_SUCCESS;
}

static NTSTATUS ClientTell(PLINK pLink, const ACCESS *pAccess)
{
    ULONG ulOffset = pLink->ulIndex * WINDOW_SIZE;
    NDK_RESULT Result;
    NDK_SGE Sge;
    NTSTATUS Status;

    RtlCopyMemory(g_Client.pucData + ulOffset, pAccess, sizeof(*pAccess));
    NvmfBuildSge(&g_Client, ulOffset, sizeof(*pAccess), &Sge);
    Status = pLink->pClientQp->Dispatch->NdkSend(pLink->pClientQp, pLink, &Sge, 1, 0);
    return NT_SUCCESS(Status) ? Poll(g_pClientCq, &Result) : Status;
}

/* Takes one message of any connection, writes through its window, reads back. */
static NTSTATUS ServerTurn(VOID)
{
    NDK_RESULT Result;
    NDK_SGE Sge;
    ACCESS Access;
    PLINK pLink;
    PUCHAR pucOut, pucIn;
    NTSTATUS Status;
    ULONG i, ulReceive;

    Status = PollServer(TRUE, &Result);
    if (!NT_SUCCESS(Status))
        return Status;
    ulReceive = *(PULONG)Result.RequestContext;
    pLink = (PLINK)Result.QPContext;
    if (Result.BytesTransferred != sizeof(Access))
        return STATUS_INVALID_PARAMETER;
    RtlCopyMemory(&Access, g_Receives.pucData + ulReceive * RECEIVE_SIZE, sizeof(Access));
    Status = PostShared(ulReceive);
    if (!NT_SUCCESS(Status))
        return Status;

    pucOut = g_Server.pucData + pLink->ulIndex * 2 * WINDOW_SIZE;
    pucIn = pucOut + WINDOW_SIZE;
    for (i = 0; i < Access.ulLength; i++)
        pucOut[i] = (UCHAR)(i * 11 + pLink->ulIndex);
    NvmfBuildSge(&g_Server, pLink->ulIndex * 2 * WINDOW_SIZE, WINDOW_SIZE, &Sge);
    Status = pLink->pServerQp->Dispatch->NdkWrite(
        pLink->pServerQp, pLink, &Sge, 1, Access.ullAddress, Access.ulToken, 0);
    if (NT_SUCCESS(Status))
        Status = PollServer(FALSE, &Result);
    if (!NT_SUCCESS(Status))
        return Status;
    NvmfBuildSge(&g_Server, (pLink->ulIndex * 2 + 1) * WINDOW_SIZE, WINDOW_SIZE, &Sge);
    Status = pLink->pServerQp->Dispatch->NdkRead(
        pLink->pServerQp, pLink, &Sge, 1, Access.ullAddress, Access.ulToken, 0);
    if (NT_SUCCESS(Status))
        Status = PollServer(FALSE, &Result);
    if (!NT_SUCCESS(Status))
        return Status;
    if (RtlCompareMemory(pucOut, pucIn, WINDOW_SIZE) != WINDOW_SIZE ||
        RtlCompareMemory(pucOut, g_Client.pucData + pLink->ulIndex * WINDOW_SIZE, WINDOW_SIZE) !=
            WINDOW_SIZE)
        return STATUS_DATA_ERROR;
    DbgPrint("SHARED: connection %lu: %lu bytes through a window\n", pLink->ulIndex, Access.ulLength);
    return STATUS_SUCCESS;
}

static NTSTATUS ClientEnd(PLINK pLink)
{
    NDK_RESULT Result;
    NTSTATUS Status;

    Status = pLink->pClientQp->Dispatch->NdkInvalidate(
        pLink->pClientQp, pLink, &pLink->pWindow->Header, 0);
    return NT_SUCCESS(Status) ? Poll(g_pClientCq, &Result) : Status;
}

static NTSTATUS Run(VOID)
{
    ACCESS aAccess[LINKS];
    LARGE_INTEGER Timeout;
    NTSTATUS Status;
    ULONG i;

    KeInitializeEvent(&g_SrqEvent, NotificationEvent, FALSE);
    Status = CreateShared();
    for (i = 0; NT_SUCCESS(Status) && i < LINKS; i++) {
        g_aLink[i].ulIndex = i;
        Status = Connect(&g_aLink[i]);
    }
    for (i = 0; NT_SUCCESS(Status) && i < LINKS; i++)
        Status = ClientBegin(&g_aLink[i], &aAccess[i]);
    for (i = 0; NT_SUCCESS(Status) && i < LINKS; i++)
        Status = ClientTell(&g_aLink[i], &aAccess[i]);
    for (i = 0; NT_SUCCESS(Status) && i < LINKS; i++)
        Status = ServerTurn();
    for (i = 0; NT_SUCCESS(Status) && i < LINKS; i++)
        Status = ClientEnd(&g_aLink[i]);
    if (NT_SUCCESS(Status)) {
        Timeout.QuadPart = -60 * 10000000LL;
        Status = KeWaitForSingleObject(&g_SrqEvent, Executive, KernelMode, FALSE, &Timeout);
    }
    DbgPrint("SHARED: status 0x%08lx, the shared queue notified %ld times\n", Status, g_lSrqNotified);
    return Status;
}

static VOID CloseAny(PVOID pvObject, NDK_FN_CLOSE_OBJECT pfnClose)
{
    if (pvObject != NULL)
        NvmfClose((NDK_OBJECT_HEADER *)pvObject, pfnClose);
}

#define CLOSE(pObject, Entry) CloseAny(pObject, (pObject) ? (pObject)->Dispatch->Entry : NULL)

static VOID Stop(VOID)
{
    NDK_RESULT Result;
    ULONG i;

    for (i = 0; i < LINKS; i++) {
        PLINK pLink = &g_aLink[i];

        CLOSE(pLink->pClientConnector, NdkCloseConnector);
        CLOSE(pLink->pServerConnector, NdkCloseConnector);
        CLOSE(pLink->pListener, NdkCloseListener);
        if (pLink->pClientQp != NULL)
            pLink->pClientQp->Dispatch->NdkFlush(pLink->pClientQp);
        if (pLink->pServerQp != NULL)
            pLink->pServerQp->Dispatch->NdkFlush(pLink->pServerQp);
    }
    while (g_pClientCq != NULL && g_pClientCq->Dispatch->NdkGetCqResults(g_pClientCq, &Result, 1) == 1)
        ;
    while (g_pServerCq != NULL && g_pServerCq->Dispatch->NdkGetCqResults(g_pServerCq, &Result, 1) == 1)
        ;
    for (i = 0; i < LINKS; i++) {
        CLOSE(g_aLink[i].pWindow, NdkCloseMw);
        CLOSE(g_aLink[i].pClientQp, NdkCloseQp);
        CLOSE(g_aLink[i].pServerQp, NdkCloseQp);
    }
    CLOSE(g_pEndpoint, NdkCloseSharedEndpoint);
    CLOSE(g_pSrq, NdkCloseSrq);
    CLOSE(g_pClientCq, NdkCloseCq);
    CLOSE(g_pServerCq, NdkCloseCq);
    NvmfDestroyRegion(&g_Receives);
    NvmfDestroyRegion(&g_Server);
    NvmfDestroyRegion(&g_Client);
    NvmfShut(&g_Ndk);
}

VOID SharedUnload(PDRIVER_OBJECT pDriverObject)
{
    UNREFERENCED_PARAMETER(pDriverObject);
    PAGED_CODE();
    Stop();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT pDriverObject, PUNICODE_STRING pRegistryPath)
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(pRegistryPath);
    Status = NvmfOpen(&g_Ndk, 0);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = Run();
    if (!NT_SUCCESS(Status)) {
        Stop();
        return Status;
    }
    pDriverObject->DriverUnload = SharedUnload;
    return STATUS_SUCCESS;
}
