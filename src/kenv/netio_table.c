/* SPDX-License-Identifier: MIT */
/* Tables of interfaces and of their addresses, read from the host at each call. */
#include "base/alloc.h"
#include "kenv/irql.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netioapi.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void widen(const char *from, WCHAR *to, size_t size)
{
    size_t n = 0;

    for (; n + 1 < size && from[n] != 0; n++)
        to[n] = (unsigned char)from[n];
    to[n] = 0;
}

/* A number that the host publishes about an interface; 0: it does not. */
static ULONG64 published(const char *name, const char *what)
{
    char path[128];
    long long value = 0;
    FILE *file;

    (void)snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, what);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%lld", &value) != 1 || value < 0)
        value = 0;
    (void)fclose(file);
    return (ULONG64)value;
}

static void fill_statistics(PMIB_IF_ROW2 row, const char *name)
{
    row->InOctets = published(name, "statistics/rx_bytes");
    row->InUcastPkts = published(name, "statistics/rx_packets");
    row->InDiscards = published(name, "statistics/rx_dropped");
    row->InErrors = published(name, "statistics/rx_errors");
    row->OutOctets = published(name, "statistics/tx_bytes");
    row->OutUcastPkts = published(name, "statistics/tx_packets");
    row->OutDiscards = published(name, "statistics/tx_dropped");
    row->OutErrors = published(name, "statistics/tx_errors");
}

/* What the host tells through a socket. */
static void fill_state(PMIB_IF_ROW2 row, const char *name, int s)
{
    struct ifreq request;
    bool is_up = false;

    memset(&request, 0, sizeof(request));
    (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (ioctl(s, SIOCGIFMTU, &request) == 0 && request.ifr_mtu > 0)
        row->Mtu = (ULONG)request.ifr_mtu;
    row->AdminStatus = NET_IF_ADMIN_STATUS_DOWN;
    if (ioctl(s, SIOCGIFFLAGS, &request) == 0) {
        is_up = (request.ifr_flags & IFF_RUNNING) != 0;
        if ((request.ifr_flags & IFF_UP) != 0)
            row->AdminStatus = NET_IF_ADMIN_STATUS_UP;
    }
    row->OperStatus = is_up ? IfOperStatusUp : IfOperStatusDown;
    row->MediaConnectState = is_up ? MediaConnectStateConnected : MediaConnectStateDisconnected;
    row->InterfaceAndOperStatusFlags.NotMediaConnected = !is_up;
    if (row->Type == IF_TYPE_SOFTWARE_LOOPBACK || ioctl(s, SIOCGIFHWADDR, &request) != 0)
        return;
    row->PhysicalAddressLength = 6;
    memcpy(row->PhysicalAddress, request.ifr_hwaddr.sa_data, 6);
    memcpy(row->PermanentPhysicalAddress, request.ifr_hwaddr.sa_data, 6);
}

static void fill(PMIB_IF_ROW2 row, NET_IFINDEX index, const char *name, int s, bool with_statistics)
{
    memset(row, 0, sizeof(*row));
    row->InterfaceIndex = index;
    (void)ConvertInterfaceIndexToLuid(index, &row->InterfaceLuid);
    row->InterfaceGuid.Data1 = index; /* ours: the host has none */
    row->Type = (IFTYPE)row->InterfaceLuid.Info.IfType;
    widen(name, row->Alias, ARRAYSIZE(row->Alias));
    widen(name, row->Description, ARRAYSIZE(row->Description));
    fill_state(row, name, s);
    row->TransmitLinkSpeed = published(name, "speed") * 1000000;
    row->ReceiveLinkSpeed = row->TransmitLinkSpeed;
    if (with_statistics)
        fill_statistics(row, name);
}

NETIO_STATUS GetIfTable2Ex(MIB_IF_TABLE_LEVEL Level, PMIB_IF_TABLE2 *Table)
{
    struct if_nameindex *names;
    PMIB_IF_TABLE2 table = NULL;
    size_t n = 0;
    int s;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (Table == NULL)
        return STATUS_INVALID_PARAMETER;
    *Table = NULL;
    names = if_nameindex();
    s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (names != NULL && s >= 0) {
        while (names[n].if_index != 0)
            n++;
        table = sn_zalloc(sizeof(*table) + n * sizeof(MIB_IF_ROW2));
    }
    if (table != NULL) {
        for (size_t i = 0; i < n; i++)
            fill(&table->Table[i], names[i].if_index, names[i].if_name, s,
                Level != MibIfTableNormalWithoutStatistics);
        table->NumEntries = (ULONG)n;
    }
    if (s >= 0)
        (void)close(s);
    if (names != NULL)
        if_freenameindex(names);
    *Table = table;
    return table != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NETIO_STATUS GetIfTable2(PMIB_IF_TABLE2 *Table)
{
    return GetIfTable2Ex(MibIfTableNormal, Table);
}

NETIO_STATUS GetIfEntry2(PMIB_IF_ROW2 Row)
{
    char name[IF_NAMESIZE];
    NET_IFINDEX index;
    int s;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (Row == NULL || (Row->InterfaceLuid.Value == 0 && Row->InterfaceIndex == 0))
        return STATUS_INVALID_PARAMETER;
    index = Row->InterfaceLuid.Value != 0 ? (NET_IFINDEX)Row->InterfaceLuid.Info.NetLuidIndex
                                          : Row->InterfaceIndex;
    if (if_indextoname(index, name) == NULL)
        return STATUS_NOT_FOUND;
    s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0)
        return STATUS_INSUFFICIENT_RESOURCES;
    fill(Row, index, name, s, true);
    (void)close(s);
    return STATUS_SUCCESS;
}

/* ---- Addresses ----------------------------------------------------------------------------- */

static UCHAR prefix_length(const unsigned char *mask, size_t n)
{
    UCHAR bits = 0;

    for (size_t i = 0; i < n; i++)
        bits = (UCHAR)(bits + __builtin_popcount(mask[i]));
    return bits;
}

/* False: not an address of that family (0: of either). */
static bool fill_address(
    PMIB_UNICASTIPADDRESS_ROW row, const struct ifaddrs *a, bool want4, bool want6)
{
    if (a->ifa_addr == NULL)
        return false;
    memset(row, 0, sizeof(*row));
    if (a->ifa_addr->sa_family == AF_INET && want4) {
        struct sockaddr_in in;

        memcpy(&in, a->ifa_addr, sizeof(in));
        row->Address.Ipv4.sin_family = AF_INET;
        memcpy(&row->Address.Ipv4.sin_addr, &in.sin_addr, 4);
        if (a->ifa_netmask != NULL) {
            memcpy(&in, a->ifa_netmask, sizeof(in));
            row->OnLinkPrefixLength = prefix_length((const unsigned char *)&in.sin_addr, 4);
        }
    } else if (a->ifa_addr->sa_family == AF_INET6 && want6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, a->ifa_addr, sizeof(in6));
        row->Address.Ipv6.sin6_family = SOFTNDK_AF_INET6;
        memcpy(&row->Address.Ipv6.sin6_addr, &in6.sin6_addr, 16);
        row->Address.Ipv6.sin6_scope_id = in6.sin6_scope_id;
        row->ScopeId.Value = in6.sin6_scope_id;
        if (a->ifa_netmask != NULL) {
            memcpy(&in6, a->ifa_netmask, sizeof(in6));
            row->OnLinkPrefixLength = prefix_length((const unsigned char *)&in6.sin6_addr, 16);
        }
    } else {
        return false;
    }
    row->InterfaceIndex = if_nametoindex(a->ifa_name);
    (void)ConvertInterfaceIndexToLuid(row->InterfaceIndex, &row->InterfaceLuid);
    row->ValidLifetime = row->PreferredLifetime = 0xffffffff;
    row->DadState = NldsPreferred;
    return row->InterfaceIndex != 0;
}

NETIO_STATUS GetUnicastIpAddressTable(ADDRESS_FAMILY Family, PMIB_UNICASTIPADDRESS_TABLE *Table)
{
    bool want4 = Family == 0 || Family == AF_INET;
    bool want6 = Family == 0 || Family == AF_INET6 || Family == SOFTNDK_AF_INET6;
    PMIB_UNICASTIPADDRESS_TABLE table;
    struct ifaddrs *all = NULL;
    size_t n = 0;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (Table == NULL || (!want4 && !want6))
        return STATUS_INVALID_PARAMETER;
    *Table = NULL;
    if (getifaddrs(&all) != 0)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next)
        n++;
    table = sn_zalloc(sizeof(*table) + n * sizeof(MIB_UNICASTIPADDRESS_ROW));
    for (const struct ifaddrs *a = all; table != NULL && a != NULL; a = a->ifa_next)
        if (fill_address(&table->Table[table->NumEntries], a, want4, want6))
            table->NumEntries++;
    freeifaddrs(all);
    if (table == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (table->NumEntries == 0) {
        sn_free(table);
        return STATUS_NOT_FOUND;
    }
    *Table = table;
    return STATUS_SUCCESS;
}

static bool is_same(const SOCKADDR_INET *a, const SOCKADDR_INET *b)
{
    if (b->si_family == AF_INET)
        return a->si_family == AF_INET && memcmp(&a->Ipv4.sin_addr, &b->Ipv4.sin_addr, 4) == 0;
    return a->si_family == SOFTNDK_AF_INET6 &&
           memcmp(&a->Ipv6.sin6_addr, &b->Ipv6.sin6_addr, 16) == 0;
}

NETIO_STATUS GetUnicastIpAddressEntry(PMIB_UNICASTIPADDRESS_ROW Row)
{
    PMIB_UNICASTIPADDRESS_TABLE table = NULL;
    NETIO_STATUS status;
    NET_IFINDEX index;

    if (Row == NULL)
        return STATUS_INVALID_PARAMETER;
    index = Row->InterfaceLuid.Value != 0 ? (NET_IFINDEX)Row->InterfaceLuid.Info.NetLuidIndex
                                          : Row->InterfaceIndex;
    status = GetUnicastIpAddressTable(0, &table);
    if (!NT_SUCCESS(status))
        return status;
    status = STATUS_NOT_FOUND;
    for (ULONG i = 0; i < table->NumEntries && status != STATUS_SUCCESS; i++) {
        if ((index != 0 && table->Table[i].InterfaceIndex != index) ||
            !is_same(&table->Table[i].Address, &Row->Address))
            continue;
        *Row = table->Table[i];
        status = STATUS_SUCCESS;
    }
    FreeMibTable(table);
    return status;
}

VOID FreeMibTable(PVOID Memory)
{
    sn_free(Memory);
}

/* ---- Aliases ------------------------------------------------------------------------------- */

NETIO_STATUS ConvertInterfaceLuidToAlias(
    const NET_LUID *InterfaceLuid, PWSTR InterfaceAlias, SIZE_T Length)
{
    char name[IF_NAMESIZE];
    NETIO_STATUS status;

    if (InterfaceAlias == NULL || Length == 0)
        return STATUS_INVALID_PARAMETER;
    status = ConvertInterfaceLuidToNameA(InterfaceLuid, name, sizeof(name));
    if (!NT_SUCCESS(status))
        return status;
    if (strlen(name) >= Length)
        return STATUS_BUFFER_TOO_SMALL;
    widen(name, InterfaceAlias, Length);
    return STATUS_SUCCESS;
}

NETIO_STATUS ConvertInterfaceAliasToLuid(const WCHAR *InterfaceAlias, NET_LUID *InterfaceLuid)
{
    char name[IF_NAMESIZE];
    size_t n = 0;

    if (InterfaceAlias == NULL)
        return STATUS_INVALID_PARAMETER;
    for (; InterfaceAlias[n] != 0; n++) {
        if (n + 1 == sizeof(name))
            return STATUS_NOT_FOUND;
        name[n] = (char)InterfaceAlias[n];
    }
    name[n] = 0;
    return ConvertInterfaceNameToLuidA(name, InterfaceLuid);
}
