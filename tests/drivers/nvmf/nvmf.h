/* SPDX-License-Identifier: MIT */
/*
 * nvmf.h: what the target and the initiator share. The exchange has the shape of NVMe over RDMA:
 * command capsules with keyed SGLs, data moved by the target, response capsules; connect, accept
 * and reject carry private data.
 */
#ifndef _NVMF_H_
#define _NVMF_H_

#include <ntddk.h>
#include <wsk.h>
#include <ndkpi.h>
#include <wskndk.h>

#define NVMF_TAG            'fmvN'
#define NVMF_QUEUES         2
#define NVMF_DEPTH          16
#define NVMF_BLOCK_SIZE     8192
#define NVMF_BLOCKS         128
#define NVMF_RECFMT         0

#define NVMF_OPCODE_WRITE   1
#define NVMF_OPCODE_READ    2

#define NVMF_SC_SUCCESS     0
#define NVMF_SC_LBA_RANGE   0x80
#define NVMF_REJECT_QID     0x0006

#define IOCTL_NVMF_STATISTICS \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)

#pragma pack(push, 1)
typedef struct _NVMF_CONNECT_DATA {
    USHORT usRecfmt;
    USHORT usQid;
    USHORT usReceiveQueueSize;
    USHORT usSendQueueSize;
    UCHAR  aucReserved[24];
} NVMF_CONNECT_DATA, *PNVMF_CONNECT_DATA;

typedef struct _NVMF_ACCEPT_DATA {
    USHORT usRecfmt;
    USHORT usReceiveQueueSize;
    UCHAR  aucReserved[28];
} NVMF_ACCEPT_DATA, *PNVMF_ACCEPT_DATA;

typedef struct _NVMF_REJECT_DATA {
    USHORT usRecfmt;
    USHORT usStatus;
} NVMF_REJECT_DATA, *PNVMF_REJECT_DATA;

typedef struct _NVMF_COMMAND {
    UCHAR   ucOpcode;
    UCHAR   ucFlags;
    USHORT  usCommandId;
    ULONG   ulReserved;
    ULONG64 ullLba;
    ULONG64 ullAddress;         /* keyed SGL */
    ULONG   ulLength;
    UINT32  ulKey;
    UCHAR   aucReserved[32];
} NVMF_COMMAND, *PNVMF_COMMAND;

typedef struct _NVMF_RESPONSE {
    ULONG   ulResult;
    ULONG   ulReserved;
    USHORT  usSqHead;
    USHORT  usSqId;
    USHORT  usCommandId;
    USHORT  usStatus;
} NVMF_RESPONSE, *PNVMF_RESPONSE;
#pragma pack(pop)

C_ASSERT(sizeof(NVMF_CONNECT_DATA) == 32);
C_ASSERT(sizeof(NVMF_ACCEPT_DATA) == 32);
C_ASSERT(sizeof(NVMF_COMMAND) == 64);
C_ASSERT(sizeof(NVMF_RESPONSE) == 16);

typedef struct _NVMF_NDK {
    WSK_REGISTRATION Registration;
    WSK_CLIENT_NPI ClientNpi;
    WSK_PROVIDER_NPI Provider;
    WSK_PROVIDER_NDK_DISPATCH Dispatch;
    NDK_ADAPTER *pAdapter;
    NDK_ADAPTER_INFO Info;
    NDK_PD *pPd;
} NVMF_NDK, *PNVMF_NDK;

typedef struct _NVMF_SYNC {
    KEVENT Event;
    NTSTATUS Status;
    NDK_OBJECT_HEADER *pObject;
} NVMF_SYNC, *PNVMF_SYNC;

/* Locked memory and its registration. */
typedef struct _NVMF_REGION {
    PUCHAR pucData;
    ULONG ulLength;
    PMDL pMdl;
    BOOLEAN fLocked;
    BOOLEAN fRegistered;
    NDK_MR *pMr;
    UINT32 ulLocalToken;
    UINT32 ulRemoteToken;
} NVMF_REGION, *PNVMF_REGION;

/* A queue pair whose receive and initiator completions share one queue. */
typedef struct _NVMF_QP {
    NDK_CQ *pCq;
    NDK_QP *pQp;
    NDK_CONNECTOR *pConnector;
    volatile LONG lPosted;      /* requests, and one until NvmfCloseQp */
    KEVENT Drained;
} NVMF_QP, *PNVMF_QP;

VOID NvmfInitializeSync(PNVMF_SYNC pSync);
NTSTATUS NvmfWait(PNVMF_SYNC pSync, NTSTATUS Status);
VOID NvmfRequestDone(PVOID pvContext, NTSTATUS Status);
VOID NvmfCreateDone(PVOID pvContext, NTSTATUS Status, NDK_OBJECT_HEADER *pObject);
VOID NvmfClose(NDK_OBJECT_HEADER *pObject, NDK_FN_CLOSE_OBJECT pfnClose);

NTSTATUS NvmfOpen(PNVMF_NDK pNdk, NET_IFINDEX IfIndex);
VOID NvmfShut(PNVMF_NDK pNdk);
NTSTATUS NvmfCreateRegion(PNVMF_NDK pNdk, ULONG ulLength, ULONG ulFlags, PNVMF_REGION pRegion);
VOID NvmfDestroyRegion(PNVMF_REGION pRegion);
NTSTATUS NvmfCreateQp(
    PNVMF_NDK pNdk, NDK_FN_CQ_NOTIFICATION_CALLBACK pfnNotify, PVOID pvContext, PNVMF_QP pQp);
VOID NvmfCloseQp(PNVMF_QP pQp);
VOID NvmfPosted(PNVMF_QP pQp);
VOID NvmfCompleted(PNVMF_QP pQp);
VOID NvmfBuildSge(const NVMF_REGION *pRegion, ULONG ulOffset, ULONG ulLength, NDK_SGE *pSge);
NTSTATUS NvmfReadSetting(
    PUNICODE_STRING pRegistryPath, PCWSTR pwszName, ULONG ulDefault, PULONG pulValue);
VOID NvmfMakeAddress(ULONG ulAddress, ULONG ulPort, SOCKADDR_IN *pAddress);

#endif
