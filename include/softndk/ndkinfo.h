/* SPDX-License-Identifier: MIT */
/*
 * ndkinfo.h: the version and the limits of an NDK adapter [NDKPI NDK_ADAPTER_INFO].
 */
#ifndef SOFTNDK_NDKINFO_H
#define SOFTNDK_NDKINFO_H

#include <ntdef.h>

/* Interface version; 1.1, 1.2, 2.0 and 2.1 exist. Passed by value. [NDKPI NDK_VERSION] */
typedef struct {
    USHORT Major;
    USHORT Minor;
} NDK_VERSION;

typedef enum _NDK_RDMA_TECHNOLOGY {
    NdkUndefined = 0,
    NdkiWarp = 1,
    NdkInfiniBand = 2,
    NdkRoCE = 3,
    NdkRoCEv2 = 4,
    NdkMaxTechnology = 5
} NDK_RDMA_TECHNOLOGY;

/* Bytes of an incoming transfer become visible in increasing order. */
#define NDK_ADAPTER_FLAG_IN_ORDER_DMA_SUPPORTED 0x00000001
/* Any locally writable memory may be the sink of a read; the READ_SINK flags are ignored. */
#define NDK_ADAPTER_FLAG_RDMA_READ_SINK_NOT_REQUIRED 0x00000002
/* NdkControlCqInterruptModeration works. */
#define NDK_ADAPTER_FLAG_CQ_INTERRUPT_MODERATION_SUPPORTED 0x00000004
/* Several connections may give more throughput than one. */
#define NDK_ADAPTER_FLAG_MULTI_ENGINE_SUPPORTED 0x00000008
/* Reads honour NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE. Since 1.2. */
#define NDK_ADAPTER_FLAG_RDMA_READ_LOCAL_INVALIDATE_SUPPORTED 0x00000010
/* NdkResizeCq may be called. */
#define NDK_ADAPTER_FLAG_CQ_RESIZE_SUPPORTED 0x00000100
/* An adapter can connect to itself. */
#define NDK_ADAPTER_FLAG_LOOPBACK_CONNECTIONS_SUPPORTED 0x00010000

/*
 * What an adapter can do; a value above one of these limits is refused with
 * STATUS_INVALID_PARAMETER. Units: bytes for sizes and lengths, entries for depths and counts.
 * [NDKPI NDK_ADAPTER_INFO]
 */
typedef struct _NDK_ADAPTER_INFO {
    NDK_VERSION Version; /* the version in operation, not the one asked for */
    UINT32 VendorId;     /* IEEE OUI in the low 24 bits */
    UINT32 DeviceId;
    SIZE_T MaxRegistrationSize;   /* bytes in one NdkRegisterMr */
    SIZE_T MaxWindowSize;         /* bytes in one NdkBind; 0: no windows */
    ULONG FRMRPageCount;          /* best pages per fast-register region, at least 16 */
    ULONG MaxInitiatorRequestSge; /* entries per send or write */
    ULONG MaxReceiveRequestSge;   /* entries per receive */
    ULONG MaxReadRequestSge;      /* entries per read, instead of the initiator limit */
    ULONG MaxTransferLength;      /* bytes in one request */
    ULONG MaxInlineDataSize;      /* bytes of NDK_OP_FLAG_INLINE data in one send or write */
    ULONG MaxInboundReadLimit;    /* reads served at a time, per connection */
    ULONG MaxOutboundReadLimit;   /* reads in flight, per connection */
    ULONG MaxReceiveQueueDepth;
    ULONG MaxInitiatorQueueDepth;
    ULONG MaxSrqDepth; /* 0: no shared receive queues */
    ULONG MaxCqDepth;
    ULONG LargeRequestThreshold;        /* bytes above which read and write beat send and receive */
    ULONG MaxCallerData;                /* private data bytes with connect */
    ULONG MaxCalleeData;                /* private data bytes with accept and reject */
    ULONG AdapterFlags;                 /* NDK_ADAPTER_FLAG_... */
    NDK_RDMA_TECHNOLOGY RdmaTechnology; /* since 2.0; earlier layouts end before it */
} NDK_ADAPTER_INFO;

#endif /* SOFTNDK_NDKINFO_H */
