/* SPDX-License-Identifier: MIT */
/*
 * ndisndk.h: what an NDK miniport tells NDIS, and the management structures (statistics,
 * connections, local endpoints). softndk.h hands the latter out directly.
 */
#ifndef SOFTNDK_NDISNDK_H
#define SOFTNDK_NDISNDK_H

#include <ndkpi.h>
#include <netioapi.h>

SOFTNDK_BEGIN_DECLS

typedef int32_t NDIS_STATUS, *PNDIS_STATUS;
typedef PVOID NDIS_HANDLE, *PNDIS_HANDLE;
typedef UNICODE_STRING NDIS_STRING, *PNDIS_STRING;

#define NDIS_STATUS_SUCCESS           ((NDIS_STATUS)0x00000000)
#define NDIS_STATUS_PENDING           ((NDIS_STATUS)0x00000103)
#define NDIS_STATUS_RESOURCES         ((NDIS_STATUS)0xC000009A)
#define NDIS_STATUS_FAILURE           ((NDIS_STATUS)0xC0000001)
#define NDIS_STATUS_NOT_SUPPORTED     ((NDIS_STATUS)0xC00000BB)
#define NDIS_STATUS_BAD_VERSION       ((NDIS_STATUS)0xC0010004)
#define NDIS_STATUS_ADAPTER_NOT_READY ((NDIS_STATUS)0xC0010011)

#define NDIS_STRING_CONST(x)                                                                       \
    {                                                                                              \
        (USHORT)(sizeof(SOFTNDK_WIDE_(x)) - sizeof(WCHAR)), (USHORT)sizeof(SOFTNDK_WIDE_(x)),      \
            (PWCH)SOFTNDK_WIDE_(x)                                                                 \
    }

typedef struct _NDIS_OBJECT_HEADER {
    UCHAR Type;
    UCHAR Revision;
    USHORT Size;
} NDIS_OBJECT_HEADER, *PNDIS_OBJECT_HEADER;

#define NDIS_OBJECT_TYPE_DEFAULT                         0x80
#define NDIS_OBJECT_TYPE_NDK_PROVIDER_CHARACTERISTICS    0xB2
#define NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_NDK_ATTRIBUTES 0xB3

#define OID_NDK_SET_STATE       0xFC040201
#define OID_NDK_STATISTICS      0xFC040202
#define OID_NDK_CONNECTIONS     0xFC040203
#define OID_NDK_LOCAL_ENDPOINTS 0xFC040204

/* Initialisers of a GUID. */
#define GUID_NDIS_NDK_CAPABILITIES_INIT                                                            \
    {                                                                                              \
        0x7969ba4d, 0xdd80, 0x4bc7,                                                                \
        {                                                                                          \
            0xb3, 0xe6, 0x68, 0x04, 0x39, 0x97, 0xe5, 0x19                                         \
        }                                                                                          \
    }
#define GUID_NDIS_NDK_STATE_INIT                                                                   \
    {                                                                                              \
        0x530c69c9, 0x2f51, 0x49de,                                                                \
        {                                                                                          \
            0xa1, 0xaf, 0x08, 0x8d, 0x54, 0xff, 0xa4, 0x74                                         \
        }                                                                                          \
    }
SOFTNDK_API extern const GUID GUID_NDIS_NDK_CAPABILITIES;
SOFTNDK_API extern const GUID GUID_NDIS_NDK_STATE;

#define NETWORK_DIRECT_KEYWORD                             NDIS_STRING_CONST("*NetworkDirect")
#define NETWORK_DIRECT_GLOBAL_FLAGS_KEYWORD                NDIS_STRING_CONST("*NetworkDirectGlobalFlags")
#define NETWORK_DIRECT_GLOBAL_FLAGS_ALLOW_REMOTE_IP_SUBNET 0x00000001

/* NET_PNP_EVENT_CODE values that announce NDK being switched on and off. */
#define NetEventNDKEnable  13
#define NetEventNDKDisable 14

/* ---- Provider registration ----------------------------------------------------------------- */

typedef struct _NDIS_OPEN_NDK_ADAPTER_PARAMETERS {
    NDK_VERSION Version;
    ULONG SwitchId;
    ULONG VPortId;
} NDIS_OPEN_NDK_ADAPTER_PARAMETERS, *PNDIS_OPEN_NDK_ADAPTER_PARAMETERS;

/*
 * Opens one adapter instance; several may be open at a time, each on its own. PASSIVE_LEVEL.
 * NDIS_STATUS_SUCCESS; NDIS_STATUS_BAD_VERSION; NDIS_STATUS_ADAPTER_NOT_READY: NDK is disabled;
 * NDIS_STATUS_RESOURCES. [NDKPI OPEN_NDK_ADAPTER_HANDLER]
 */
typedef NDIS_STATUS (*OPEN_NDK_ADAPTER_HANDLER)(NDIS_HANDLE MiniportAdapterContext,
    NDIS_OPEN_NDK_ADAPTER_PARAMETERS *Parameters, NDK_ADAPTER **ppNdkAdapter);
/* Closes it; blocks until all below is closed. PASSIVE. [NDKPI CLOSE_NDK_ADAPTER_HANDLER] */
typedef VOID (*CLOSE_NDK_ADAPTER_HANDLER)(
    NDIS_HANDLE MiniportAdapterContext, NDK_ADAPTER *pNdkAdapter);

#define NDIS_NDK_PROVIDER_CHARACTERISTICS_REVISION_1 1
typedef struct _NDIS_NDK_PROVIDER_CHARACTERISTICS {
    NDIS_OBJECT_HEADER Header;
    ULONG Flags;
    OPEN_NDK_ADAPTER_HANDLER OpenNDKAdapterHandler;
    CLOSE_NDK_ADAPTER_HANDLER CloseNDKAdapterHandler;
} NDIS_NDK_PROVIDER_CHARACTERISTICS, *PNDIS_NDK_PROVIDER_CHARACTERISTICS;
#define NDIS_SIZEOF_NDK_PROVIDER_CHARACTERISTICS_REVISION_1                                        \
    RTL_SIZEOF_THROUGH_FIELD(NDIS_NDK_PROVIDER_CHARACTERISTICS, CloseNDKAdapterHandler)

/* Adapter-wide maxima; a read limit of 0 means no adapter-wide limit. */
#define NDIS_NDK_CAPABILITIES_REVISION_1 1
typedef struct _NDIS_NDK_CAPABILITIES {
    NDIS_OBJECT_HEADER Header;
    ULONG Flags;
    ULONG MaxQpCount;
    ULONG MaxCqCount;
    ULONG MaxMrCount;
    ULONG MaxPdCount;
    ULONG MaxInboundReadLimit;
    ULONG MaxOutboundReadLimit;
    ULONG MaxMwCount;
    ULONG MaxSrqCount;
    ULONG64 MissingCounterMask; /* bit i: counter i of NDIS_NDK_PERFORMANCE_COUNTERS is missing */
    NDK_ADAPTER_INFO *NdkInfo;
} NDIS_NDK_CAPABILITIES, *PNDIS_NDK_CAPABILITIES;
#define NDIS_SIZEOF_NDK_CAPABILITIES_REVISION_1                                                    \
    RTL_SIZEOF_THROUGH_FIELD(NDIS_NDK_CAPABILITIES, NdkInfo)

#define NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES_REVISION_1 1
typedef struct _NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES {
    NDIS_OBJECT_HEADER Header;
    BOOLEAN Enabled;
    NDIS_NDK_CAPABILITIES *NdkCapabilities;
} NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES, *PNDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES;
#define NDIS_SIZEOF_MINIPORT_ADAPTER_NDK_ATTRIBUTES_REVISION_1                                     \
    RTL_SIZEOF_THROUGH_FIELD(NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES, NdkCapabilities)

/* ---- OID_NDK_STATISTICS -------------------------------------------------------------------- */

typedef struct _NDIS_NDK_PERFORMANCE_COUNTERS {
    ULONG64 Connect;          /* outbound connections established */
    ULONG64 Accept;           /* inbound connections established */
    ULONG64 ConnectFailure;   /* attempts that failed, either direction */
    ULONG64 ConnectionError;  /* connections that broke before the consumer disconnected */
    ULONG64 ActiveConnection; /* established now */
    ULONG64 Reserved01;
    ULONG64 Reserved02;
    ULONG64 Reserved03;
    ULONG64 Reserved04;
    ULONG64 Reserved05;
    ULONG64 Reserved06;
    ULONG64 Reserved07;
    ULONG64 Reserved08;
    ULONG64 Reserved09;
    ULONG64 Reserved10;
    ULONG64 Reserved11;
    ULONG64 Reserved12;
    ULONG64 Reserved13;
    ULONG64 Reserved14;
    ULONG64 Reserved15;
    ULONG64 Reserved16;
    ULONG64 Reserved17;
    ULONG64 Reserved18;
    ULONG64 Reserved19;
    ULONG64 Reserved20;
    ULONG64 CQError; /* completion queues that entered the error state */
    ULONG64 RDMAInOctets;
    ULONG64 RDMAOutOctets;
    ULONG64 RDMAInFrames;
    ULONG64 RDMAOutFrames;
} NDIS_NDK_PERFORMANCE_COUNTERS, *PNDIS_NDK_PERFORMANCE_COUNTERS;

#define NDIS_NDK_STATISTICS_INFO_REVISION_1 1
typedef struct _NDIS_NDK_STATISTICS_INFO {
    NDIS_OBJECT_HEADER Header;
    ULONG Flags;
    NDIS_NDK_PERFORMANCE_COUNTERS CounterSet;
} NDIS_NDK_STATISTICS_INFO, *PNDIS_NDK_STATISTICS_INFO;
#define NDIS_SIZEOF_NDK_STATISTICS_INFO_REVISION_1                                                 \
    RTL_SIZEOF_THROUGH_FIELD(NDIS_NDK_STATISTICS_INFO, CounterSet)

/* ---- OID_NDK_CONNECTIONS and OID_NDK_LOCAL_ENDPOINTS --------------------------------------- */

typedef struct _NDIS_NDK_CONNECTION_ENTRY {
    SOCKADDR_INET Local;
    SOCKADDR_INET Remote;
    BOOLEAN UserModeOwner;
    ULONG OwnerPid; /* of a user-mode owner, else 0 */
} NDIS_NDK_CONNECTION_ENTRY, *PNDIS_NDK_CONNECTION_ENTRY;

/*
 * If NDConnectionsMappedtoTCPConnections is TRUE entries come in pairs: the ND addresses, then
 * those of the TCP connection underneath.
 */
#define NDIS_NDK_CONNECTIONS_REVISION_1 1
typedef struct _NDIS_NDK_CONNECTIONS {
    NDIS_OBJECT_HEADER Header;
    ULONG Flags;
    ULONG Count;
    BOOLEAN NDConnectionsMappedtoTCPConnections;
    NDIS_NDK_CONNECTION_ENTRY Connections[1];
} NDIS_NDK_CONNECTIONS, *PNDIS_NDK_CONNECTIONS;
#define NDIS_SIZEOF_NDK_CONNECTIONS_REVISION_1(n)                                                  \
    (UFIELD_OFFSET(NDIS_NDK_CONNECTIONS, Connections) + (n) * sizeof(NDIS_NDK_CONNECTION_ENTRY))

typedef struct _NDIS_NDK_LOCAL_ENDPOINT_ENTRY {
    SOCKADDR_INET Local;
    BOOLEAN UserModeOwner;
    BOOLEAN Listener; /* TRUE: listener, FALSE: shared endpoint */
    ULONG OwnerPid;
} NDIS_NDK_LOCAL_ENDPOINT_ENTRY, *PNDIS_NDK_LOCAL_ENDPOINT_ENTRY;

#define NDIS_NDK_LOCAL_ENDPOINTS_REVISION_1 1
typedef struct _NDIS_NDK_LOCAL_ENDPOINTS {
    NDIS_OBJECT_HEADER Header;
    ULONG Flags;
    ULONG Count;
    BOOLEAN NDLocalEndpointsMappedtoTCPLocalEndpoints;
    NDIS_NDK_LOCAL_ENDPOINT_ENTRY LocalEndpoints[1];
} NDIS_NDK_LOCAL_ENDPOINTS, *PNDIS_NDK_LOCAL_ENDPOINTS;
#define NDIS_SIZEOF_NDK_ENDPOINTS_REVISION_1(n)                                                    \
    (UFIELD_OFFSET(NDIS_NDK_LOCAL_ENDPOINTS, LocalEndpoints) +                                     \
        (n) * sizeof(NDIS_NDK_LOCAL_ENDPOINT_ENTRY))

SOFTNDK_END_DECLS

#endif /* SOFTNDK_NDISNDK_H */
