/* SPDX-License-Identifier: MIT */
/*
 * softndk.h: softndk's own small interface: open an adapter without WSK, choose settings, look at
 * counters and connections. Not part of Windows.
 *
 * Two programs that do not talk through this header alone still interoperate: settings change what
 * is negotiated, never the protocol.
 */
#ifndef SOFTNDK_SOFTNDK_H
#define SOFTNDK_SOFTNDK_H

#include <ndisndk.h>
#include <ndkpi.h>
#include <netioapi.h>

SOFTNDK_BEGIN_DECLS

/* In any ULONG member of SOFTNDK_OPTIONS but Size: "not my choice". */
#define SOFTNDK_OPTION_DEFAULT ((ULONG)0xffffffff)

#define SOFTNDK_CRC_NEVER   0
#define SOFTNDK_CRC_ASK     1
#define SOFTNDK_CRC_REQUIRE 2

#define SOFTNDK_RTR_SEND  1
#define SOFTNDK_RTR_WRITE 2
#define SOFTNDK_RTR_READ  4

#define SOFTNDK_TRANSPORT_AUTO 0
#define SOFTNDK_TRANSPORT_TCP  1
#define SOFTNDK_TRANSPORT_SHM  2

/*
 * Settings of one adapter. A member that the caller leaves open takes the environment variable's
 * value, and without one the default. Left open are: SOFTNDK_OPTION_DEFAULT in any member, and 0 in
 * every member marked "0: open". In the members marked "0 counts" zero is a choice of its own.
 * An environment variable holds a decimal or 0x number (SOFTNDK_TRANSPORT also auto, tcp or shm);
 * one that does not parse or is out of range makes the open fail, with a sentence on stderr.
 * A value out of range in a member makes the open fail with STATUS_INVALID_PARAMETER.
 */
typedef struct _SOFTNDK_OPTIONS {
    /* sizeof(SOFTNDK_OPTIONS) of the caller. Members behind a smaller Size are left open; a Size
     * that does not reach through Rfc7306, or beyond what the library knows, is refused with
     * STATUS_INVALID_PARAMETER. */
    ULONG Size;

    /* MPA revision to offer and the highest to accept: 1 or 2. 0: open. Default 2.
     * SOFTNDK_MPA_REVISION */
    ULONG MpaRevision;
    /* CRC: SOFTNDK_CRC_NEVER do not ask for it (used if the peer asks), _ASK, _REQUIRE refuse a
     * connection without. 0 counts. Default _ASK. SOFTNDK_CRC */
    ULONG Crc;
    /* 1: ask the peer to put markers into what it sends us. 0: open. Default 0, do not ask.
     * SOFTNDK_MARKERS */
    ULONG Markers;
    /* Kinds of ready-to-receive message offered in peer-to-peer start-up, a mask of
     * SOFTNDK_RTR_...; none: no peer-to-peer start-up. 0 counts. Default _WRITE and _READ.
     * SOFTNDK_RTR */
    ULONG Rtr;
    /* Largest payload of an FPDU that we send, in octets (ULPDU length, 64 to 65535); above what
     * the MSS allows only peers that reassemble take it. 0: open. Default: from the MSS of the
     * connection. SOFTNDK_MAX_FPDU_PAYLOAD */
    ULONG MaxFpduPayload;
    /* How long an MPA start-up may take from the TCP connection to its last octet, in milliseconds,
     * 1 to 3600000. 0: open. Default 10000. SOFTNDK_MPA_TIMEOUT_MS */
    ULONG MpaTimeoutMs;
    /* Reads served and reads in flight per connection, advertised in NDK_ADAPTER_INFO, 1 to 128. 0:
     * open. Default 128.
     * SOFTNDK_MAX_INBOUND_READ_LIMIT, SOFTNDK_MAX_OUTBOUND_READ_LIMIT */
    ULONG MaxInboundReadLimit;
    ULONG MaxOutboundReadLimit;
    /* SOFTNDK_TRANSPORT_...: TCP always, shared memory always, or shared memory where the peer is a
     * softndk on this host. 0: open. Default _AUTO. SOFTNDK_TRANSPORT */
    ULONG Transport;
    /* 1: answer the atomic operations and immediate data of RFC 7306; otherwise they end the
     * connection as unexpected opcodes. 0: open. Default 0. SOFTNDK_RFC7306 */
    ULONG Rfc7306;

    /* How long a message may wait for the consumer to post a receive, in milliseconds, 1 to
     * 3600000; then the connection is terminated. 0: open. Default 10000. SOFTNDK_RECEIVE_WAIT_MS
     */
    ULONG ReceiveWaitMs;
    /* How long NdkDisconnect waits for the peer's answer, in milliseconds, 1 to 3600000. 0: open.
     * Default 5000. SOFTNDK_DISCONNECT_TIMEOUT_MS */
    ULONG DisconnectTimeoutMs;
    /* How long NdkConnect tries to reach the peer, in milliseconds, 1 to 3600000; does not count
     * how long the peer thinks about accepting. 0: open. Default 15000. SOFTNDK_CONNECT_TIMEOUT_MS
     */
    ULONG ConnectTimeoutMs;
    /* NdkAccept of a peer that promised no RTR completes after this much silence, in milliseconds,
     * 1 to 3600000, once its TCP has acknowledged the Reply. 0: open. Default 200.
     * SOFTNDK_ACCEPT_QUIET_MS */
    ULONG AcceptQuietMs;
    /* Lanes (serial executors, each with a thread), 1 to 16. 0: open. Default: half the
     * processors, 1 to 4. SOFTNDK_LANES */
    ULONG Lanes;
    /* How long a lane's thread looks for work before it sleeps, in microseconds, 0 to 1000000. 0
     * counts. Default 0: it sleeps at once. SOFTNDK_SPIN_US */
    ULONG SpinUs;
    /* 1: accept wildcard local addresses (0.0.0.0, ::) in listen, connect and shared endpoints;
     * otherwise STATUS_INVALID_ADDRESS. 0: open. Default 0. SOFTNDK_ALLOW_WILDCARD */
    ULONG AllowWildcard;
    /* 1: the strict profile: reads need sink rights, one SGE per read, no inline data, no
     * moderation, no resize, no shared receive queues; finds consumers that assume more. 0: open.
     * Default 0. SOFTNDK_REQUIRE_READ_SINK */
    ULONG RequireReadSink;
    /* Send and receive buffer of each socket, in bytes, 4096 to 1073741824. 0: open. Default:
     * several MiB, as far as the host allows. SOFTNDK_SOCKET_BUFFER_BYTES */
    ULONG SocketBufferBytes;
} SOFTNDK_OPTIONS, *PSOFTNDK_OPTIONS;

/* Initialiser that leaves every member open. */
#define SOFTNDK_OPTIONS_INIT                                                                       \
    {                                                                                              \
        (ULONG)sizeof(SOFTNDK_OPTIONS), 0, SOFTNDK_OPTION_DEFAULT, 0, SOFTNDK_OPTION_DEFAULT, 0,   \
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, SOFTNDK_OPTION_DEFAULT, 0, 0, 0                          \
    }

/*
 * Opens an adapter instance; each is independent of the others. IfIndex: the host's interface whose
 * addresses the adapter has, 0: any local address. Version: major and lowest minor version that the
 * caller can use; the adapter operates at the highest it has (Header.Version says which). Options
 * NULL: everything open. PASSIVE_LEVEL, may block. The caller closes it with SoftNdkCloseAdapter.
 * STATUS_SUCCESS; NDIS_STATUS_BAD_VERSION; STATUS_NOT_FOUND: no such interface;
 * STATUS_INVALID_PARAMETER, or STATUS_NOT_SUPPORTED for a transport that is not there: a sentence
 * on stderr says which option; STATUS_INSUFFICIENT_RESOURCES.
 */
SOFTNDK_API NTSTATUS SoftNdkOpenAdapter(NET_IFINDEX IfIndex, NDK_VERSION Version,
    const SOFTNDK_OPTIONS *Options, NDK_ADAPTER **ppAdapter);

/*
 * Closes an adapter: waits until every object below it is closed and every callback has returned.
 * PASSIVE_LEVEL, never from a callback. NULL does nothing.
 */
SOFTNDK_API VOID SoftNdkCloseAdapter(NDK_ADAPTER *pAdapter);

/* Counters of one adapter since it was opened. */
typedef struct _SOFTNDK_STATISTICS {
    ULONG Size; /* of the caller's structure, in; bytes filled in, out */
    ULONG Reserved;
    ULONG64 Connect;            /* outbound connections established */
    ULONG64 Accept;             /* inbound connections established */
    ULONG64 ConnectFailure;     /* attempts that failed, either direction */
    ULONG64 ConnectionError;    /* connections that broke before the consumer disconnected */
    ULONG64 ActiveConnection;   /* established now */
    ULONG64 CQError;            /* completion queues that entered the error state */
    ULONG64 RDMAInOctets;       /* octets of the TCP stream received; same-host: payload octets */
    ULONG64 RDMAOutOctets;      /* octets of the TCP stream sent; same-host: payload octets */
    ULONG64 RDMAInFrames;       /* FPDUs received */
    ULONG64 RDMAOutFrames;      /* FPDUs sent */
    ULONG64 TxSystemCalls;      /* calls that sent, successful or not */
    ULONG64 RxSystemCalls;      /* calls that received, successful or not */
    ULONG64 HomeWakeups;        /* times that a lane's thread woke up */
    ULONG64 TerminatesSent;     /* Terminate messages sent */
    ULONG64 TerminatesReceived; /* Terminate messages received */
} SOFTNDK_STATISTICS, *PSOFTNDK_STATISTICS;

/*
 * Fills in the counters, as far as Size reaches. Each is exact; together they are not one instant.
 * Synchronous, DISPATCH. STATUS_SUCCESS; STATUS_INVALID_PARAMETER: NULL, or Size below 16.
 */
SOFTNDK_API NTSTATUS SoftNdkQueryStatistics(NDK_ADAPTER *pAdapter, SOFTNDK_STATISTICS *pStatistics);

/*
 * Lists the established connections, or the listeners and shared endpoints, as OID_NDK_CONNECTIONS
 * and OID_NDK_LOCAL_ENDPOINTS do; entries are not mapped to TCP, the owner is this process. *pSize:
 * room in bytes in, bytes written or needed out; the buffer may be NULL with *pSize 0.
 * PASSIVE_LEVEL. STATUS_SUCCESS; STATUS_BUFFER_TOO_SMALL: nothing written (the list may grow
 * between two calls: ask again); STATUS_INVALID_PARAMETER.
 */
SOFTNDK_API NTSTATUS SoftNdkQueryConnections(
    NDK_ADAPTER *pAdapter, NDIS_NDK_CONNECTIONS *pConnections, ULONG *pSize);
SOFTNDK_API NTSTATUS SoftNdkQueryLocalEndpoints(
    NDK_ADAPTER *pAdapter, NDIS_NDK_LOCAL_ENDPOINTS *pEndpoints, ULONG *pSize);

/* ---- The verifier: see docs/verifier.md ---- */

/* How often a rule was broken since the process began, repetitions included. Rule: "N-L1" or "L1"
 * and the like; NULL: all rules together. Adapters report only if they were opened with
 * SOFTNDK_VERIFY=warn or break. Any IRQL. */
SOFTNDK_API ULONG SoftNdkVerifyCount(const char *Rule);

/* One line of text, without its end. */
typedef VOID (*SOFTNDK_VERIFY_LINE)(PVOID Context, const char *Text);

/*
 * The objects that are open now, with where they were created; several lines each. Returns how many
 * there are. Of adapters that were opened with the verifier. PASSIVE_LEVEL.
 */
SOFTNDK_API ULONG SoftNdkVerifyListObjects(SOFTNDK_VERIFY_LINE Line, PVOID Context);

/* ---- Schedules and faults: see docs/schedules-and-faults.md ---- */

/*
 * Lets the allocations that SOFTNDK_FAULTS names ("alloc:...") fail, and counts them, from now on;
 * else that begins when the first adapter is opened. For whoever loads a driver: call it before
 * DriverEntry. Replaces the hook of SoftNdkDrvSetFault. Further calls change nothing.
 * STATUS_SUCCESS, also without the variable; STATUS_INVALID_PARAMETER: a sentence on stderr says
 * what is wrong with it. PASSIVE_LEVEL.
 */
SOFTNDK_API NTSTATUS SoftNdkBeginFaults(VOID);

/* "0.1.0" and the like; static. Any IRQL. */
SOFTNDK_API const char *SoftNdkVersionString(VOID);

/* "STATUS_IO_TIMEOUT" and the like, "unknown status" for what ntstatus.h lacks; static. Any IRQL.
 */
SOFTNDK_API const char *SoftNdkStatusName(NTSTATUS Status);

SOFTNDK_END_DECLS

#endif /* SOFTNDK_SOFTNDK_H */
