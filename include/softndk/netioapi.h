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

/* ---- Tables -------------------------------------------------------------------------------- */

#define IF_MAX_PHYS_ADDRESS_LENGTH 32
#define IF_TYPE_ETHERNET_CSMACD    6
#define IF_TYPE_SOFTWARE_LOOPBACK  24

typedef enum _IF_OPER_STATUS {
    IfOperStatusUp = 1,
    IfOperStatusDown,
    IfOperStatusTesting,
    IfOperStatusUnknown,
    IfOperStatusDormant,
    IfOperStatusNotPresent,
    IfOperStatusLowerLayerDown
} IF_OPER_STATUS;

typedef enum _NET_IF_ADMIN_STATUS {
    NET_IF_ADMIN_STATUS_UP = 1,
    NET_IF_ADMIN_STATUS_DOWN = 2,
    NET_IF_ADMIN_STATUS_TESTING = 3
} NET_IF_ADMIN_STATUS;

typedef enum _NET_IF_MEDIA_CONNECT_STATE {
    MediaConnectStateUnknown,
    MediaConnectStateConnected,
    MediaConnectStateDisconnected
} NET_IF_MEDIA_CONNECT_STATE;

typedef enum _MIB_IF_TABLE_LEVEL {
    MibIfTableNormal,
    MibIfTableRaw,
    MibIfTableNormalWithoutStatistics
} MIB_IF_TABLE_LEVEL;

/* Members that the host does not tell are 0. */
typedef struct _MIB_IF_ROW2 {
    NET_LUID InterfaceLuid;
    NET_IFINDEX InterfaceIndex;
    GUID InterfaceGuid;
    WCHAR Alias[IF_MAX_STRING_SIZE + 1];
    WCHAR Description[IF_MAX_STRING_SIZE + 1];
    ULONG PhysicalAddressLength;
    UCHAR PhysicalAddress[IF_MAX_PHYS_ADDRESS_LENGTH];
    UCHAR PermanentPhysicalAddress[IF_MAX_PHYS_ADDRESS_LENGTH];
    ULONG Mtu;
    IFTYPE Type;
    ULONG TunnelType;
    ULONG MediaType;
    ULONG PhysicalMediumType;
    ULONG AccessType;
    ULONG DirectionType;
    struct {
        BOOLEAN HardwareInterface : 1;
        BOOLEAN FilterInterface : 1;
        BOOLEAN ConnectorPresent : 1;
        BOOLEAN NotAuthenticated : 1;
        BOOLEAN NotMediaConnected : 1;
        BOOLEAN Paused : 1;
        BOOLEAN LowPower : 1;
        BOOLEAN EndPointInterface : 1;
    } InterfaceAndOperStatusFlags;
    IF_OPER_STATUS OperStatus;
    NET_IF_ADMIN_STATUS AdminStatus;
    NET_IF_MEDIA_CONNECT_STATE MediaConnectState;
    GUID NetworkGuid;
    ULONG ConnectionType;
    ULONG64 TransmitLinkSpeed; /* bits per second */
    ULONG64 ReceiveLinkSpeed;
    ULONG64 InOctets;
    ULONG64 InUcastPkts;
    ULONG64 InNUcastPkts;
    ULONG64 InDiscards;
    ULONG64 InErrors;
    ULONG64 InUnknownProtos;
    ULONG64 InUcastOctets;
    ULONG64 InMulticastOctets;
    ULONG64 InBroadcastOctets;
    ULONG64 OutOctets;
    ULONG64 OutUcastPkts;
    ULONG64 OutNUcastPkts;
    ULONG64 OutDiscards;
    ULONG64 OutErrors;
    ULONG64 OutUcastOctets;
    ULONG64 OutMulticastOctets;
    ULONG64 OutBroadcastOctets;
    ULONG64 OutQLen;
} MIB_IF_ROW2, *PMIB_IF_ROW2;

typedef struct _MIB_IF_TABLE2 {
    ULONG NumEntries;
    MIB_IF_ROW2 Table[1];
} MIB_IF_TABLE2, *PMIB_IF_TABLE2;

typedef enum _NL_DAD_STATE {
    NldsInvalid,
    NldsTentative,
    NldsDuplicate,
    NldsDeprecated,
    NldsPreferred,
    IpDadStateInvalid = 0,
    IpDadStateTentative,
    IpDadStateDuplicate,
    IpDadStateDeprecated,
    IpDadStatePreferred
} NL_DAD_STATE;

typedef struct _MIB_UNICASTIPADDRESS_ROW {
    SOCKADDR_INET Address;
    NET_LUID InterfaceLuid;
    NET_IFINDEX InterfaceIndex;
    ULONG PrefixOrigin;
    ULONG SuffixOrigin;
    ULONG ValidLifetime;
    ULONG PreferredLifetime;
    UCHAR OnLinkPrefixLength;
    BOOLEAN SkipAsSource;
    NL_DAD_STATE DadState;
    SCOPE_ID ScopeId;
    LARGE_INTEGER CreationTimeStamp;
} MIB_UNICASTIPADDRESS_ROW, *PMIB_UNICASTIPADDRESS_ROW;

typedef struct _MIB_UNICASTIPADDRESS_TABLE {
    ULONG NumEntries;
    MIB_UNICASTIPADDRESS_ROW Table[1];
} MIB_UNICASTIPADDRESS_TABLE, *PMIB_UNICASTIPADDRESS_TABLE;

/*
 * All interfaces of the host; to be freed with FreeMibTable. PASSIVE_LEVEL. STATUS_SUCCESS;
 * STATUS_INSUFFICIENT_RESOURCES; STATUS_INVALID_PARAMETER: NULL.
 */
SOFTNDK_API NETIO_STATUS GetIfTable2(PMIB_IF_TABLE2 *Table);
SOFTNDK_API NETIO_STATUS GetIfTable2Ex(MIB_IF_TABLE_LEVEL Level, PMIB_IF_TABLE2 *Table);
/* One interface, by the LUID in *Row, or, if that is 0, by the index. STATUS_NOT_FOUND besides. */
SOFTNDK_API NETIO_STATUS GetIfEntry2(PMIB_IF_ROW2 Row);
/* Addresses of one family (AF_INET, AF_INET6) or of both (0). STATUS_NOT_FOUND: there is none. */
SOFTNDK_API NETIO_STATUS GetUnicastIpAddressTable(
    ADDRESS_FAMILY Family, PMIB_UNICASTIPADDRESS_TABLE *Table);
/* The row whose Address and interface (LUID, or index; neither: any) are in *Row. */
SOFTNDK_API NETIO_STATUS GetUnicastIpAddressEntry(PMIB_UNICASTIPADDRESS_ROW Row);
SOFTNDK_API VOID FreeMibTable(PVOID Memory);
SOFTNDK_API NETIO_STATUS ConvertInterfaceLuidToAlias(
    const NET_LUID *InterfaceLuid, PWSTR InterfaceAlias, SIZE_T Length);
SOFTNDK_API NETIO_STATUS ConvertInterfaceAliasToLuid(
    const WCHAR *InterfaceAlias, NET_LUID *InterfaceLuid);

SOFTNDK_END_DECLS

#endif /* SOFTNDK_NETIOAPI_H */
