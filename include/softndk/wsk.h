/* SPDX-License-Identifier: MIT */
/*
 * wsk.h: the part of Winsock Kernel through which a consumer reaches NDK.
 *
 * Order of use: WskRegister, WskCaptureProviderNPI, WskControlClient (see wskndk.h), ...,
 * WskReleaseProviderNPI, WskDeregister. Sockets work through IRPs alone: see below. Names are not
 * resolved: those entries of the provider table answer STATUS_NOT_SUPPORTED without touching their
 * IRP.
 */
#ifndef SOFTNDK_WSK_H
#define SOFTNDK_WSK_H

#include <netioapi.h>
#include <wdm.h>

SOFTNDK_BEGIN_DECLS

#define MAKE_WSK_VERSION(Mj, Mn) ((USHORT)((Mj) << 8) | (USHORT)((Mn)&0xff))
#define WSK_MAJOR_VERSION(V)     ((UCHAR)((V) >> 8))
#define WSK_MINOR_VERSION(V)     ((UCHAR)(V))

/* Timeouts of WskCaptureProviderNPI, beside a number of milliseconds. */
#define WSK_NO_WAIT       0
#define WSK_INFINITE_WAIT 0xffffffff

typedef struct _WSK_CLIENT *PWSK_CLIENT;
typedef struct _WSK_SOCKET {
    const VOID *Dispatch; /* WSK_PROVIDER_..._DISPATCH of the socket's category */
} WSK_SOCKET, *PWSK_SOCKET;
struct _EPROCESS;
struct _ETHREAD;
struct _ADDRINFOEXW;

/* Asynchronous events for the client; none is defined for NDK. DISPATCH. */
typedef NTSTATUS (*PFN_WSK_CLIENT_EVENT)(
    PVOID ClientContext, ULONG EventType, PVOID Information, SIZE_T InformationLength);

typedef struct _WSK_CLIENT_DISPATCH {
    USHORT Version; /* MAKE_WSK_VERSION(1, 0) */
    USHORT Reserved;
    PFN_WSK_CLIENT_EVENT WskClientEvent; /* may be NULL */
} WSK_CLIENT_DISPATCH, *PWSK_CLIENT_DISPATCH;

typedef struct _WSK_CLIENT_NPI {
    PVOID ClientContext;
    const WSK_CLIENT_DISPATCH *Dispatch;
} WSK_CLIENT_NPI, *PWSK_CLIENT_NPI;

typedef NTSTATUS (*PFN_WSK_SOCKET)(PWSK_CLIENT Client, ADDRESS_FAMILY AddressFamily,
    USHORT SocketType, ULONG Protocol, ULONG Flags, PVOID SocketContext, const VOID *Dispatch,
    struct _EPROCESS *OwningProcess, struct _ETHREAD *OwningThread, PVOID SecurityDescriptor,
    PIRP Irp);
typedef NTSTATUS (*PFN_WSK_SOCKET_CONNECT)(PWSK_CLIENT Client, USHORT SocketType, ULONG Protocol,
    PSOCKADDR LocalAddress, PSOCKADDR RemoteAddress, ULONG Flags, PVOID SocketContext,
    const VOID *Dispatch, struct _EPROCESS *OwningProcess, struct _ETHREAD *OwningThread,
    PVOID SecurityDescriptor, PIRP Irp);
/*
 * Control operation of a client. Client: from the captured NPI. Irp: may be NULL where the code
 * allows it, as NDK's does. For WSKNDK_GET_WSK_PROVIDER_NDK_DISPATCH: no input, OutputBuffer a
 * WSK_PROVIDER_NDK_DISPATCH, OutputSize its size; PASSIVE_LEVEL.
 * STATUS_SUCCESS; STATUS_INVALID_PARAMETER: the sizes or buffers are not those;
 * STATUS_NOT_SUPPORTED: another code.
 */
typedef NTSTATUS (*PFN_WSK_CONTROL_CLIENT)(PWSK_CLIENT Client, ULONG ControlCode, SIZE_T InputSize,
    PVOID InputBuffer, SIZE_T OutputSize, PVOID OutputBuffer, SIZE_T *OutputSizeReturned, PIRP Irp);
typedef NTSTATUS (*PFN_WSK_GET_ADDRESS_INFO)(PWSK_CLIENT Client, PUNICODE_STRING NodeName,
    PUNICODE_STRING ServiceName, ULONG NameSpace, GUID *Provider, struct _ADDRINFOEXW *Hints,
    struct _ADDRINFOEXW **Result, struct _EPROCESS *OwningProcess, struct _ETHREAD *OwningThread,
    PIRP Irp);
typedef VOID (*PFN_WSK_FREE_ADDRESS_INFO)(PWSK_CLIENT Client, struct _ADDRINFOEXW *AddrInfo);
typedef NTSTATUS (*PFN_WSK_GET_NAME_INFO)(PWSK_CLIENT Client, PSOCKADDR SockAddr,
    ULONG SockAddrLength, PUNICODE_STRING NodeName, PUNICODE_STRING ServiceName, ULONG Flags,
    struct _EPROCESS *OwningProcess, struct _ETHREAD *OwningThread, PIRP Irp);

typedef struct _WSK_PROVIDER_DISPATCH {
    USHORT Version;
    USHORT Reserved;
    PFN_WSK_SOCKET WskSocket;
    PFN_WSK_SOCKET_CONNECT WskSocketConnect;
    PFN_WSK_CONTROL_CLIENT WskControlClient;
    PFN_WSK_GET_ADDRESS_INFO WskGetAddressInfo;
    PFN_WSK_FREE_ADDRESS_INFO WskFreeAddressInfo;
    PFN_WSK_GET_NAME_INFO WskGetNameInfo;
} WSK_PROVIDER_DISPATCH, *PWSK_PROVIDER_DISPATCH;

typedef struct _WSK_PROVIDER_NPI {
    PWSK_CLIENT Client;
    const WSK_PROVIDER_DISPATCH *Dispatch;
} WSK_PROVIDER_NPI, *PWSK_PROVIDER_NPI;

/* Memory of the consumer, contents of the provider. */
typedef struct _WSK_REGISTRATION {
    ULONGLONG ReservedRegistrationState;
    PVOID ReservedRegistrationContext;
    KSPIN_LOCK ReservedRegistrationLock;
} WSK_REGISTRATION, *PWSK_REGISTRATION;

/*
 * Announces a client. WskClientNpi, its dispatch and WskRegistration stay valid until WskDeregister
 * returns. PASSIVE_LEVEL. STATUS_SUCCESS; STATUS_INVALID_PARAMETER; STATUS_INSUFFICIENT_RESOURCES.
 */
SOFTNDK_API NTSTATUS WskRegister(PWSK_CLIENT_NPI WskClientNpi, PWSK_REGISTRATION WskRegistration);
/* Ends a registration; waits until every captured NPI has been released. PASSIVE_LEVEL. */
SOFTNDK_API VOID WskDeregister(PWSK_REGISTRATION WskRegistration);
/*
 * Gives the client handle and the provider table; to be released once per success. WaitTimeout in
 * milliseconds, never used up: the provider is there at once. PASSIVE_LEVEL (DISPATCH with
 * WSK_NO_WAIT). STATUS_SUCCESS; STATUS_NOINTERFACE: the client's version is not 1.0;
 * STATUS_DEVICE_NOT_READY: WskDeregister has begun; STATUS_INVALID_PARAMETER: not registered.
 */
SOFTNDK_API NTSTATUS WskCaptureProviderNPI(
    PWSK_REGISTRATION WskRegistration, ULONG WaitTimeout, PWSK_PROVIDER_NPI WskProviderNpi);
/* Undoes one capture. Waits, on the last one, until the client's adapters are closed. PASSIVE. */
SOFTNDK_API VOID WskReleaseProviderNPI(PWSK_REGISTRATION WskRegistration);

/* ---- Sockets ------------------------------------------------------------------------------- */
/*
 * WskSocket gives a socket of one category (flags). Every call but the ones that say so takes an
 * IRP with a stack location to spare, answers STATUS_PENDING, and ends the IRP at DISPATCH_LEVEL at
 * most; a call that cannot be begun answers what the IRP ends with as well. IRPs may be cancelled.
 * [DEVIATION] event callbacks of the client are never made (enabling them is
 * STATUS_NOT_SUPPORTED); WskReleaseProviderNPI does not wait for sockets.
 */

#define WSK_FLAG_BASIC_SOCKET      0x00000000
#define WSK_FLAG_LISTEN_SOCKET     0x00000001
#define WSK_FLAG_CONNECTION_SOCKET 0x00000002
#define WSK_FLAG_DATAGRAM_SOCKET   0x00000004
#define WSK_FLAG_STREAM_SOCKET     0x00000008

#define WSK_FLAG_NODELAY  0x00000002 /* of WskSend */
#define WSK_FLAG_WAITALL  0x00000002 /* of WskReceive */
#define WSK_FLAG_ABORTIVE 0x00000001 /* of WskDisconnect */

typedef struct _WSK_BUF {
    PMDL Mdl; /* a chain is followed */
    ULONG Offset;
    SIZE_T Length;
} WSK_BUF, *PWSK_BUF;

typedef struct _WSK_DATA_INDICATION *PWSK_DATA_INDICATION;
typedef struct _WSK_INSPECT_ID *PWSK_INSPECT_ID;

/* Event callbacks, for sources that fill the tables in; never called. */
typedef NTSTATUS (*PFN_WSK_ACCEPT_EVENT)(PVOID SocketContext, ULONG Flags, PSOCKADDR LocalAddress,
    PSOCKADDR RemoteAddress, PWSK_SOCKET AcceptSocket, PVOID *AcceptSocketContext,
    const VOID **AcceptSocketDispatch);
typedef NTSTATUS (*PFN_WSK_RECEIVE_EVENT)(PVOID SocketContext, ULONG Flags,
    PWSK_DATA_INDICATION DataIndication, SIZE_T BytesIndicated, SIZE_T *BytesAccepted);
typedef NTSTATUS (*PFN_WSK_DISCONNECT_EVENT)(PVOID SocketContext, ULONG Flags);
typedef NTSTATUS (*PFN_WSK_SEND_BACKLOG_EVENT)(PVOID SocketContext, SIZE_T IdealBacklogSize);

typedef struct _WSK_CLIENT_LISTEN_DISPATCH {
    PFN_WSK_ACCEPT_EVENT WskAcceptEvent;
    PVOID WskInspectEvent;
    PVOID WskAbortEvent;
} WSK_CLIENT_LISTEN_DISPATCH, *PWSK_CLIENT_LISTEN_DISPATCH;

typedef struct _WSK_CLIENT_CONNECTION_DISPATCH {
    PFN_WSK_RECEIVE_EVENT WskReceiveEvent;
    PFN_WSK_DISCONNECT_EVENT WskDisconnectEvent;
    PFN_WSK_SEND_BACKLOG_EVENT WskSendBacklogEvent;
} WSK_CLIENT_CONNECTION_DISPATCH, *PWSK_CLIENT_CONNECTION_DISPATCH;

typedef enum _WSK_CONTROL_SOCKET_TYPE {
    WskSetOption,
    WskGetOption,
    WskIoctl,
    WskControlMax
} WSK_CONTROL_SOCKET_TYPE;

/* SOL_SOCKET with reuse, keep-alive or a buffer size, IPPROTO_TCP with no-delay, by their Windows
 * numbers; anything else is STATUS_NOT_SUPPORTED. Inline; Irp may be NULL. */
typedef NTSTATUS (*PFN_WSK_CONTROL_SOCKET)(PWSK_SOCKET Socket, WSK_CONTROL_SOCKET_TYPE RequestType,
    ULONG ControlCode, ULONG Level, SIZE_T InputSize, PVOID InputBuffer, SIZE_T OutputSize,
    PVOID OutputBuffer, SIZE_T *OutputSizeReturned, PIRP Irp);
/* Ends what is pending with STATUS_CANCELLED, then the socket. Never again used after the call. */
typedef NTSTATUS (*PFN_WSK_CLOSE_SOCKET)(PWSK_SOCKET Socket, PIRP Irp);
/* A listening socket listens from here on. */
typedef NTSTATUS (*PFN_WSK_BIND)(PWSK_SOCKET Socket, PSOCKADDR LocalAddress, ULONG Flags, PIRP Irp);
/* Information: the new connection socket. The addresses may be NULL. */
typedef NTSTATUS (*PFN_WSK_ACCEPT)(PWSK_SOCKET ListenSocket, ULONG Flags, PVOID AcceptSocketContext,
    const VOID *AcceptSocketDispatch, PSOCKADDR LocalAddress, PSOCKADDR RemoteAddress, PIRP Irp);
typedef NTSTATUS (*PFN_WSK_INSPECT_COMPLETE)(
    PWSK_SOCKET ListenSocket, PWSK_INSPECT_ID InspectID, ULONG Action, PIRP Irp);
typedef NTSTATUS (*PFN_WSK_GET_LOCAL_ADDRESS)(PWSK_SOCKET Socket, PSOCKADDR LocalAddress, PIRP Irp);
typedef NTSTATUS (*PFN_WSK_GET_REMOTE_ADDRESS)(
    PWSK_SOCKET Socket, PSOCKADDR RemoteAddress, PIRP Irp);
typedef NTSTATUS (*PFN_WSK_CONNECT)(
    PWSK_SOCKET Socket, PSOCKADDR RemoteAddress, ULONG Flags, PIRP Irp);
/* Ends when all of it is with TCP; Information: the octets. */
typedef NTSTATUS (*PFN_WSK_SEND)(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags, PIRP Irp);
/* Information: the octets; 0 when the peer has finished. */
typedef NTSTATUS (*PFN_WSK_RECEIVE)(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags, PIRP Irp);
/* Finishes our direction, or resets (WSK_FLAG_ABORTIVE). Buffer must be NULL. */
typedef NTSTATUS (*PFN_WSK_DISCONNECT)(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags, PIRP Irp);
typedef NTSTATUS (*PFN_WSK_RELEASE_DATA_INDICATION_LIST)(
    PWSK_SOCKET Socket, PWSK_DATA_INDICATION DataIndication);

typedef struct _WSK_PROVIDER_BASIC_DISPATCH {
    PFN_WSK_CONTROL_SOCKET WskControlSocket;
    PFN_WSK_CLOSE_SOCKET WskCloseSocket;
} WSK_PROVIDER_BASIC_DISPATCH, *PWSK_PROVIDER_BASIC_DISPATCH;

typedef struct _WSK_PROVIDER_LISTEN_DISPATCH {
    union {
        WSK_PROVIDER_BASIC_DISPATCH Basic;
        struct {
            PFN_WSK_CONTROL_SOCKET WskControlSocket;
            PFN_WSK_CLOSE_SOCKET WskCloseSocket;
        };
    };
    PFN_WSK_BIND WskBind;
    PFN_WSK_ACCEPT WskAccept;
    PFN_WSK_INSPECT_COMPLETE WskInspectComplete;
    PFN_WSK_GET_LOCAL_ADDRESS WskGetLocalAddress;
} WSK_PROVIDER_LISTEN_DISPATCH, *PWSK_PROVIDER_LISTEN_DISPATCH;

typedef struct _WSK_PROVIDER_CONNECTION_DISPATCH {
    union {
        WSK_PROVIDER_BASIC_DISPATCH Basic;
        struct {
            PFN_WSK_CONTROL_SOCKET WskControlSocket;
            PFN_WSK_CLOSE_SOCKET WskCloseSocket;
        };
    };
    PFN_WSK_BIND WskBind;
    PFN_WSK_CONNECT WskConnect;
    PFN_WSK_GET_LOCAL_ADDRESS WskGetLocalAddress;
    PFN_WSK_GET_REMOTE_ADDRESS WskGetRemoteAddress;
    PFN_WSK_SEND WskSend;
    PFN_WSK_RECEIVE WskReceive;
    PFN_WSK_DISCONNECT WskDisconnect;
    PFN_WSK_RELEASE_DATA_INDICATION_LIST WskRelease;
} WSK_PROVIDER_CONNECTION_DISPATCH, *PWSK_PROVIDER_CONNECTION_DISPATCH;

typedef struct _WSACMSGHDR {
    SIZE_T cmsg_len;
    INT cmsg_level;
    INT cmsg_type;
} WSACMSGHDR, *PWSACMSGHDR, CMSGHDR, *PCMSGHDR;

typedef struct _WSK_DATAGRAM_INDICATION *PWSK_DATAGRAM_INDICATION;
/* Event callbacks, for sources that fill the table in; never called. */
typedef NTSTATUS (*PFN_WSK_RECEIVE_FROM_EVENT)(
    PVOID SocketContext, ULONG Flags, PWSK_DATAGRAM_INDICATION DataIndication);
typedef struct _WSK_CLIENT_DATAGRAM_DISPATCH {
    PFN_WSK_RECEIVE_FROM_EVENT WskReceiveFromEvent;
} WSK_CLIENT_DATAGRAM_DISPATCH, *PWSK_CLIENT_DATAGRAM_DISPATCH;

/*
 * One datagram, whole or not at all; the socket is bound. Information: its octets. Flags must be 0
 * and control information none (STATUS_INVALID_PARAMETER, STATUS_NOT_SUPPORTED). RemoteAddress may
 * not be NULL: a fixed remote address cannot be set here.
 */
typedef NTSTATUS (*PFN_WSK_SEND_TO)(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags,
    PSOCKADDR RemoteAddress, ULONG ControlInfoLength, PCMSGHDR ControlInfo, PIRP Irp);
/*
 * The next datagram. What does not fit into the buffer is lost, and ControlFlags says MSG_TRUNC
 * (0x100). Information: the octets in the buffer. There is never control information. All but
 * Buffer and Irp may be NULL; what is not stays valid until the IRP ends.
 */
typedef NTSTATUS (*PFN_WSK_RECEIVE_FROM)(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags,
    PSOCKADDR RemoteAddress, PULONG ControlLength, PCMSGHDR ControlInfo, PULONG ControlFlags,
    PIRP Irp);
typedef NTSTATUS (*PFN_WSK_RELEASE_DATAGRAM_INDICATION_LIST)(
    PWSK_SOCKET Socket, PWSK_DATAGRAM_INDICATION DatagramIndication);

typedef struct _WSK_PROVIDER_DATAGRAM_DISPATCH {
    union {
        WSK_PROVIDER_BASIC_DISPATCH Basic;
        struct {
            PFN_WSK_CONTROL_SOCKET WskControlSocket;
            PFN_WSK_CLOSE_SOCKET WskCloseSocket;
        };
    };
    PFN_WSK_BIND WskBind;
    PFN_WSK_SEND_TO WskSendTo;
    PFN_WSK_RECEIVE_FROM WskReceiveFrom;
    PFN_WSK_RELEASE_DATAGRAM_INDICATION_LIST WskRelease;
    PFN_WSK_GET_LOCAL_ADDRESS WskGetLocalAddress;
} WSK_PROVIDER_DATAGRAM_DISPATCH, *PWSK_PROVIDER_DATAGRAM_DISPATCH;

SOFTNDK_END_DECLS

#endif /* SOFTNDK_WSK_H */
