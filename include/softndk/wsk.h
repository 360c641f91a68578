/* SPDX-License-Identifier: MIT */
/*
 * wsk.h: the part of Winsock Kernel through which a consumer reaches NDK.
 *
 * Order of use: WskRegister, WskCaptureProviderNPI, WskControlClient (see wskndk.h), ...,
 * WskReleaseProviderNPI, WskDeregister. Sockets are not there yet: those entries of the provider
 * table answer STATUS_NOT_SUPPORTED without touching their IRP.
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
typedef struct _WSK_SOCKET *PWSK_SOCKET;
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

SOFTNDK_END_DECLS

#endif /* SOFTNDK_WSK_H */
