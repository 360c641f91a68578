/* SPDX-License-Identifier: MIT */
/* ndklib.c: adapters, regions, queue pairs, settings. */
#include "nvmf.h"

static const WSK_CLIENT_DISPATCH g_WskDispatch = { MAKE_WSK_VERSION(1, 0), 0, NULL };

VOID NvmfInitializeSync(PNVMF_SYNC pSync)
{
    KeInitializeEvent(&pSync->Event, SynchronizationEvent, FALSE);
    pSync->Status = STATUS_PENDING;
    pSync->pObject = NULL;
}

NTSTATUS NvmfWait(PNVMF_SYNC pSync, NTSTATUS Status)
{
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&pSync->Event, Executive, KernelMode, FALSE, NULL);
        Status = pSync->Status;
    }
    return Status;
}

VOID NvmfCreateDone(PVOID pvContext, NTSTATUS Status, NDK_OBJECT_HEADER *pObject)
{
    PNVMF_SYNC pSync = (PNVMF_SYNC)pvContext;

    pSync->Status = Status;
    pSync->pObject = pObject;
    KeSetEvent(&pSync->Event, IO_NO_INCREMENT, FALSE);
}

VOID NvmfRequestDone(PVOID pvContext, NTSTATUS Status)
{
    NvmfCreateDone(pvContext, Status, NULL);
}

static VOID NvmfCloseDone(PVOID pvContext)
{
    NvmfCreateDone(pvContext, STATUS_SUCCESS, NULL);
}

VOID NvmfClose(NDK_OBJECT_HEADER *pObject, NDK_FN_CLOSE_OBJECT pfnClose)
{
    NVMF_SYNC Sync;

    PAGED_CODE();
    NvmfInitializeSync(&Sync);
    (VOID)NvmfWait(&Sync, pfnClose(pObject, NvmfCloseDone, &Sync));
}

NTSTATUS NvmfOpen(PNVMF_NDK pNdk, NET_IFINDEX IfIndex)
{
    NDK_VERSION Version = { 1, 1 };
    ULONG ulLength = sizeof(pNdk->Info);
    NVMF_SYNC Sync;
    NTSTATUS Status;

    PAGED_CODE();
    pNdk->ClientNpi.Dispatch = &g_WskDispatch;
    Status = WskRegister(&pNdk->ClientNpi, &pNdk->Registration);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = WskCaptureProviderNPI(&pNdk->Registration, WSK_INFINITE_WAIT, &pNdk->Provider);
    if (!NT_SUCCESS(Status)) {
        WskDeregister(&pNdk->Registration);
        return Status;
    }
    __try {
        Status = pNdk->Provider.Dispatch->WskControlClient(
            pNdk->Provider.Client, WSKNDK_GET_WSK_PROVIDER_NDK_DISPATCH, 0, NULL,
            sizeof(pNdk->Dispatch), &pNdk->Dispatch, NULL, NULL);
        if (!NT_SUCCESS(Status))
            __leave;
        Status = pNdk->Dispatch.WskOpenNdkAdapter(
            pNdk->Provider.Client, Version, IfIndex, &pNdk->pAdapter);
        if (!NT_SUCCESS(Status))
            __leave;
        Status = pNdk->pAdapter->Dispatch->NdkQueryAdapterInfo(
            pNdk->pAdapter, &pNdk->Info, &ulLength);
        if (!NT_SUCCESS(Status))
            __leave;
        NvmfInitializeSync(&Sync);
        Status = pNdk->pAdapter->Dispatch->NdkCreatePd(
            pNdk->pAdapter, NvmfCreateDone, &Sync, &pNdk->pPd);
        if (Status == STATUS_PENDING) {
            Status = NvmfWait(&Sync, Status);
            pNdk->pPd = (NDK_PD *)Sync.pObject;
        }
        if (!NT_SUCCESS(Status))
            pNdk->pPd = NULL;
    } __finally {
        if (!NT_SUCCESS(Status))
            NvmfShut(pNdk);
    }
    return Status;
}

VOID NvmfShut(PNVMF_NDK pNdk)
{
    PAGED_CODE();
    if (pNdk->pPd != NULL)
        NvmfClose(&pNdk->pPd->Header, pNdk->pPd->Dispatch->NdkClosePd);
    if (pNdk->pAdapter != NULL)
        pNdk->Dispatch.WskCloseNdkAdapter(pNdk->Provider.Client, pNdk->pAdapter);
    WskReleaseProviderNPI(&pNdk->Registration);
    WskDeregister(&pNdk->Registration);
    RtlZeroMemory(pNdk, sizeof(*pNdk));
}

NTSTATUS NvmfCreateRegion(PNVMF_NDK pNdk, ULONG ulLength, ULONG ulFlags, PNVMF_REGION pRegion)
{
    NVMF_SYNC Sync;
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;

    PAGED_CODE();
    RtlZeroMemory(pRegion, sizeof(*pRegion));
    __try {
        pRegion->ulLength = ulLength;
        pRegion->pucData = ExAllocatePoolWithTag(PagedPool, ulLength, NVMF_TAG);
        if (pRegion->pucData == NULL)
            __leave;
        RtlZeroMemory(pRegion->pucData, ulLength);
        pRegion->pMdl = IoAllocateMdl(pRegion->pucData, ulLength, FALSE, FALSE, NULL);
        if (pRegion->pMdl == NULL)
            __leave;
        __try {
            MmProbeAndLockPages(pRegion->pMdl, KernelMode, IoModifyAccess);
            pRegion->fLocked = TRUE;
            Status = STATUS_SUCCESS;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Status = GetExceptionCode();
        }
        if (!NT_SUCCESS(Status))
            __leave;

        NvmfInitializeSync(&Sync);
        Status = pNdk->pPd->Dispatch->NdkCreateMr(
            pNdk->pPd, FALSE, NvmfCreateDone, &Sync, &pRegion->pMr);
        if (Status == STATUS_PENDING) {
            Status = NvmfWait(&Sync, Status);
            pRegion->pMr = (NDK_MR *)Sync.pObject;
        }
        if (!NT_SUCCESS(Status)) {
            pRegion->pMr = NULL;
            __leave;
        }
        NvmfInitializeSync(&Sync);
        Status = pRegion->pMr->Dispatch->NdkRegisterMr(
            pRegion->pMr, pRegion->pMdl, ulLength, ulFlags, NvmfRequestDone, &Sync);
        Status = NvmfWait(&Sync, Status);
        if (!NT_SUCCESS(Status))
            __leave;
        pRegion->fRegistered = TRUE;
        pRegion->ulLocalToken = pRegion->pMr->Dispatch->NdkGetLocalTokenFromMr(pRegion->pMr);
        pRegion->ulRemoteToken = pRegion->pMr->Dispatch->NdkGetRemoteTokenFromMr(pRegion->pMr);
    } __finally {
        if (!NT_SUCCESS(Status))
            NvmfDestroyRegion(pRegion);
    }
    return Status;
}

VOID NvmfDestroyRegion(PNVMF_REGION pRegion)
{
    NVMF_SYNC Sync;

    PAGED_CODE();
    if (pRegion->fRegistered) {
        NvmfInitializeSync(&Sync);
        (VOID)NvmfWait(&Sync,
            pRegion->pMr->Dispatch->NdkDeregisterMr(pRegion->pMr, NvmfRequestDone, &Sync));
    }
    if (pRegion->pMr != NULL)
        NvmfClose(&pRegion->pMr->Header, pRegion->pMr->Dispatch->NdkCloseMr);
    if (pRegion->fLocked)
        MmUnlockPages(pRegion->pMdl);
    if (pRegion->pMdl != NULL)
        IoFreeMdl(pRegion->pMdl);
    if (pRegion->pucData != NULL)
        ExFreePoolWithTag(pRegion->pucData, NVMF_TAG);
    RtlZeroMemory(pRegion, sizeof(*pRegion));
}

NTSTATUS NvmfCreateQp(
    PNVMF_NDK pNdk, NDK_FN_CQ_NOTIFICATION_CALLBACK pfnNotify, PVOID pvContext, PNVMF_QP pQp)
{
    NVMF_SYNC Sync;
    NTSTATUS Status;

    PAGED_CODE();
    RtlZeroMemory(pQp, sizeof(*pQp));
    pQp->lPosted = 1;
    KeInitializeEvent(&pQp->Drained, NotificationEvent, FALSE);
    NvmfInitializeSync(&Sync);
    Status = pNdk->pAdapter->Dispatch->NdkCreateCq(
        pNdk->pAdapter, NVMF_DEPTH * 4, pfnNotify, pvContext, NULL, NvmfCreateDone, &Sync,
        &pQp->pCq);
    if (Status == STATUS_PENDING) {
        Status = NvmfWait(&Sync, Status);
        pQp->pCq = (NDK_CQ *)Sync.pObject;
    }
    if (!NT_SUCCESS(Status)) {
        pQp->pCq = NULL;
        return Status;
    }
    NvmfInitializeSync(&Sync);
    Status = pNdk->pPd->Dispatch->NdkCreateQp(
        pNdk->pPd, pQp->pCq, pQp->pCq, pvContext, NVMF_DEPTH, NVMF_DEPTH * 3, 1, 1, 0,
        NvmfCreateDone, &Sync, &pQp->pQp);
    if (Status == STATUS_PENDING) {
        Status = NvmfWait(&Sync, Status);
        pQp->pQp = (NDK_QP *)Sync.pObject;
    }
    if (!NT_SUCCESS(Status))
        pQp->pQp = NULL;
    return Status;
}

VOID NvmfPosted(PNVMF_QP pQp)
{
    InterlockedIncrement(&pQp->lPosted);
}

VOID NvmfCompleted(PNVMF_QP pQp)
{
    if (InterlockedDecrement(&pQp->lPosted) == 0)
        KeSetEvent(&pQp->Drained, IO_NO_INCREMENT, FALSE);
}

VOID NvmfCloseQp(PNVMF_QP pQp)
{
    PAGED_CODE();
    if (pQp->pConnector != NULL)
        NvmfClose(&pQp->pConnector->Header, pQp->pConnector->Dispatch->NdkCloseConnector);
    if (pQp->pQp != NULL) {
        pQp->pQp->Dispatch->NdkFlush(pQp->pQp);
        NvmfCompleted(pQp);
        KeWaitForSingleObject(&pQp->Drained, Executive, KernelMode, FALSE, NULL);
        NvmfClose(&pQp->pQp->Header, pQp->pQp->Dispatch->NdkCloseQp);
    }
    if (pQp->pCq != NULL)
        NvmfClose(&pQp->pCq->Header, pQp->pCq->Dispatch->NdkCloseCq);
    RtlZeroMemory(pQp, sizeof(*pQp));
}

VOID NvmfBuildSge(const NVMF_REGION *pRegion, ULONG ulOffset, ULONG ulLength, NDK_SGE *pSge)
{
    ASSERT(ulOffset + ulLength <= pRegion->ulLength);
    pSge->VirtualAddress = pRegion->pucData + ulOffset;
    pSge->Length = ulLength;
    pSge->MemoryRegionToken = pRegion->ulLocalToken;
}

/* A REG_DWORD below the service's key, or its Parameters subkey. */
NTSTATUS NvmfReadSetting(
    PUNICODE_STRING pRegistryPath, PCWSTR pwszName, ULONG ulDefault, PULONG pulValue)
{
    UCHAR aucBuffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    PKEY_VALUE_PARTIAL_INFORMATION pInformation = (PKEY_VALUE_PARTIAL_INFORMATION)aucBuffer;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    HANDLE hKey;
    ULONG ulLength;
    NTSTATUS Status;

    PAGED_CODE();
    *pulValue = ulDefault;
    InitializeObjectAttributes(
        &Attributes, pRegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwOpenKey(&hKey, KEY_READ, &Attributes);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlInitUnicodeString(&Name, pwszName);
    Status = ZwQueryValueKey(
        hKey, &Name, KeyValuePartialInformation, pInformation, sizeof(aucBuffer), &ulLength);
    if (NT_SUCCESS(Status)) {
        if (pInformation->Type == REG_DWORD && pInformation->DataLength == sizeof(ULONG))
            RtlCopyMemory(pulValue, pInformation->Data, sizeof(ULONG));
        else
            Status = STATUS_OBJECT_TYPE_MISMATCH;
    }
    ZwClose(hKey);
    return Status;
}

VOID NvmfMakeAddress(ULONG ulAddress, ULONG ulPort, SOCKADDR_IN *pAddress)
{
    RtlZeroMemory(pAddress, sizeof(*pAddress));
    pAddress->sin_family = AF_INET;
    pAddress->sin_addr.s_addr = RtlUlongByteSwap(ulAddress);
    pAddress->sin_port = RtlUshortByteSwap((USHORT)ulPort);
}
