/* SPDX-License-Identifier: MIT */
/*
 * Interface identifiers. A LUID carries the host's interface index; its type says loopback or not.
 */
#include <net/if.h>
#include <netioapi.h>
#include <string.h>

/* Interface types of IANA. */
#define TYPE_ETHERNET 6
#define TYPE_LOOPBACK 24

static void make_luid(NET_IFINDEX index, const char *name, NET_LUID *luid)
{
    luid->Value = 0;
    luid->Info.NetLuidIndex = index & 0xffffff;
    luid->Info.IfType = strcmp(name, "lo") == 0 ? TYPE_LOOPBACK : TYPE_ETHERNET;
}

NETIO_STATUS ConvertInterfaceIndexToLuid(NET_IFINDEX InterfaceIndex, NET_LUID *InterfaceLuid)
{
    char name[IF_NAMESIZE];

    if (InterfaceLuid == NULL)
        return STATUS_INVALID_PARAMETER;
    if (if_indextoname(InterfaceIndex, name) == NULL)
        return STATUS_NOT_FOUND;
    make_luid(InterfaceIndex, name, InterfaceLuid);
    return STATUS_SUCCESS;
}

NETIO_STATUS ConvertInterfaceLuidToIndex(const NET_LUID *InterfaceLuid, NET_IFINDEX *InterfaceIndex)
{
    char name[IF_NAMESIZE];

    if (InterfaceLuid == NULL || InterfaceIndex == NULL)
        return STATUS_INVALID_PARAMETER;
    if (if_indextoname((NET_IFINDEX)InterfaceLuid->Info.NetLuidIndex, name) == NULL)
        return STATUS_NOT_FOUND;
    *InterfaceIndex = (NET_IFINDEX)InterfaceLuid->Info.NetLuidIndex;
    return STATUS_SUCCESS;
}

NETIO_STATUS ConvertInterfaceNameToLuidA(PCSTR InterfaceName, NET_LUID *InterfaceLuid)
{
    NET_IFINDEX index;

    if (InterfaceName == NULL || InterfaceLuid == NULL)
        return STATUS_INVALID_PARAMETER;
    index = if_nametoindex(InterfaceName);
    if (index == 0)
        return STATUS_NOT_FOUND;
    make_luid(index, InterfaceName, InterfaceLuid);
    return STATUS_SUCCESS;
}

NETIO_STATUS ConvertInterfaceLuidToNameA(
    const NET_LUID *InterfaceLuid, PSTR InterfaceName, SIZE_T Length)
{
    char name[IF_NAMESIZE];
    size_t n;

    if (InterfaceLuid == NULL || InterfaceName == NULL)
        return STATUS_INVALID_PARAMETER;
    if (if_indextoname((NET_IFINDEX)InterfaceLuid->Info.NetLuidIndex, name) == NULL)
        return STATUS_NOT_FOUND;
    n = strlen(name) + 1;
    if (n > Length)
        return STATUS_BUFFER_TOO_SMALL;
    memcpy(InterfaceName, name, n);
    return STATUS_SUCCESS;
}
