/* SPDX-License-Identifier: MIT */
/*
 * wskndk.h: the two calls that WSK hands out for NDK.
 */
#ifndef SOFTNDK_WSKNDK_H
#define SOFTNDK_WSKNDK_H

#include <ndkpi.h>
#include <netioapi.h>
#include <wsk.h>

SOFTNDK_BEGIN_DECLS

/* Control code: the characters NDKD, written as a number because compilers warn of the others. */
#define WSKNDK_GET_WSK_PROVIDER_NDK_DISPATCH ((ULONG)0x4E444B44)

/*
 * Opens an adapter on an interface. NdkVersion: the major version and the lowest minor version that
 * the caller can use; the adapter operates at the highest it has. IfIndex: the host's interface
 * index, 0 for any local address. PASSIVE_LEVEL, synchronous. The caller closes what it got with
 * WskCloseNdkAdapter.
 * STATUS_SUCCESS; STATUS_INVALID_PARAMETER; STATUS_INSUFFICIENT_RESOURCES; NDIS_STATUS_BAD_VERSION:
 * no such version; STATUS_NOT_FOUND: no such interface.
 */
typedef NTSTATUS (*PFN_WSK_OPEN_NDK_ADAPTER)(
    PWSK_CLIENT Client, NDK_VERSION NdkVersion, NET_IFINDEX IfIndex, NDK_ADAPTER **ppNdkAdapter);

/*
 * Closes an adapter and waits until everything below it is closed and every callback has returned.
 * PASSIVE_LEVEL, never from a callback of the provider.
 */
typedef VOID (*PFN_WSK_CLOSE_NDK_ADAPTER)(PWSK_CLIENT Client, NDK_ADAPTER *pNdkAdapter);

typedef struct _WSK_PROVIDER_NDK_DISPATCH {
    PFN_WSK_OPEN_NDK_ADAPTER WskOpenNdkAdapter;
    PFN_WSK_CLOSE_NDK_ADAPTER WskCloseNdkAdapter;
} WSK_PROVIDER_NDK_DISPATCH, *PWSK_PROVIDER_NDK_DISPATCH;

SOFTNDK_END_DECLS

#endif /* SOFTNDK_WSKNDK_H */
