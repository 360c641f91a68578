/* SPDX-License-Identifier: MIT */
/*
 * netioapi.h: interface identifiers. An interface index is the host's own (if_nametoindex); a LUID
 * carries the same index, so conversions never ask a table.
 */
#ifndef SOFTNDK_NETIOAPI_H
#define SOFTNDK_NETIOAPI_H

#include <ntdef.h>
#include <ntstatus.h>
#include <ws2def.h>
#include <ws2ipdef.h>

SOFTNDK_BEGIN_DECLS

typedef ULONG NET_IFINDEX, *PNET_IFINDEX;
typedef NET_IFINDEX IF_INDEX, *PIF_INDEX;
typedef USHORT NET_IFTYPE, IFTYPE;
typedef NTSTATUS NETIO_STATUS;

#define NET_IFINDEX_UNSPECIFIED ((NET_IFINDEX)0)
#define IFI_UNSPECIFIED         NET_IFINDEX_UNSPECIFIED
#define IF_MAX_STRING_SIZE      256
#define NDIS_IF_MAX_STRING_SIZE IF_MAX_STRING_SIZE

typedef union _NET_LUID {
    ULONG64 Value;
    struct {
        ULONG64 Reserved : 24;
        ULONG64 NetLuidIndex : 24;
        ULONG64 IfType : 16;
    } Info;
} NET_LUID, *PNET_LUID, IF_LUID, *PIF_LUID;

/*
 * Index to LUID and back. PASSIVE_LEVEL. STATUS_SUCCESS; STATUS_NOT_FOUND: the host has no such
 * interface; STATUS_INVALID_PARAMETER: NULL.
 */
SOFTNDK_API NETIO_STATUS ConvertInterfaceIndexToLuid(
    NET_IFINDEX InterfaceIndex, NET_LUID *InterfaceLuid);
SOFTNDK_API NETIO_STATUS ConvertInterfaceLuidToIndex(
    const NET_LUID *InterfaceLuid, NET_IFINDEX *InterfaceIndex);

/* Interface name as the host spells it ("eth0") to LUID. Results as above. */
SOFTNDK_API NETIO_STATUS ConvertInterfaceNameToLuidA(PCSTR InterfaceName, NET_LUID *InterfaceLuid);

/*
 * LUID to name; Length is the room in characters with the terminator. Results as above, and
 * STATUS_BUFFER_TOO_SMALL.
 */
SOFTNDK_API NETIO_STATUS ConvertInterfaceLuidToNameA(
    const NET_LUID *InterfaceLuid, PSTR InterfaceName, SIZE_T Length);

SOFTNDK_END_DECLS

#endif /* SOFTNDK_NETIOAPI_H */
