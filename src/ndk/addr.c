/* SPDX-License-Identifier: MIT */
#include "ndk/addr.h"

#include <string.h>

#include "base/bytes.h"
#include "ndk/map.h"

enum { NDK_AF_INET = 2, NDK_AF_INET6_WINDOWS = SOFTNDK_AF_INET6, NDK_AF_INET6_LINUX = 10 };

_Static_assert(sizeof(SOCKADDR_IN) == 16, "[NDKPI NDK_FN_CONNECT]");
_Static_assert(sizeof(SOCKADDR_IN6) == 28, "[NDKPI NDK_FN_CONNECT]");

/* Ports and addresses are in network order in the structures. */
static uint16_t port_to_host(USHORT port)
{
    uint8_t octets[2];

    memcpy(octets, &port, sizeof octets);
    return sn_get_be16(octets);
}

static USHORT port_to_net(uint16_t port)
{
    uint8_t octets[2];
    USHORT out;

    sn_put_be16(octets, port);
    memcpy(&out, octets, sizeof out);
    return out;
}

static NTSTATUS read_ipv4(const SOCKADDR *in, ULONG length, struct plat_addr *out)
{
    SOCKADDR_IN v4;

    if (length < sizeof v4)
        return STATUS_INVALID_PARAMETER;
    memcpy(&v4, in, sizeof v4);
    *out = (struct plat_addr){.family = 4, .port = port_to_host(v4.sin_port)};
    memcpy(out->ip, &v4.sin_addr, 4);
    return STATUS_SUCCESS;
}

static NTSTATUS read_ipv6(const SOCKADDR *in, ULONG length, struct plat_addr *out)
{
    SOCKADDR_IN6 v6;

    if (length < sizeof v6)
        return STATUS_INVALID_PARAMETER;
    memcpy(&v6, in, sizeof v6);
    *out = (struct plat_addr){
        .family = 6, .port = port_to_host(v6.sin6_port), .scope = v6.sin6_scope_id};
    memcpy(out->ip, &v6.sin6_addr, 16);
    return STATUS_SUCCESS;
}

static NTSTATUS read_any(const SOCKADDR *in, ULONG length, struct plat_addr *out)
{
    ADDRESS_FAMILY family;

    if (in == NULL || length < sizeof family)
        return STATUS_INVALID_PARAMETER;
    memcpy(&family, in, sizeof family);
    switch (family) {
    case NDK_AF_INET:
        return read_ipv4(in, length, out);
    case NDK_AF_INET6_WINDOWS:
    case NDK_AF_INET6_LINUX:
        return read_ipv6(in, length, out);
    default:
        return STATUS_INVALID_ADDRESS;
    }
}

NTSTATUS ndk_addr_read(const SOCKADDR *in, ULONG length, struct plat_addr *out)
{
    NTSTATUS status = read_any(in, length, out);

    if (NT_SUCCESS(status))
        ndk_map_in(out);
    return status;
}

void ndk_addr_to_inet(const struct plat_addr *host, SOCKADDR_INET *out)
{
    struct plat_addr told = *host;
    const struct plat_addr *in = &told;

    ndk_map_out(&told);
    memset(out, 0, sizeof *out);
    if (in->family == 4) {
        out->Ipv4.sin_family = NDK_AF_INET;
        out->Ipv4.sin_port = port_to_net(in->port);
        memcpy(&out->Ipv4.sin_addr, in->ip, 4);
    } else {
        out->Ipv6.sin6_family = NDK_AF_INET6_WINDOWS;
        out->Ipv6.sin6_port = port_to_net(in->port);
        out->Ipv6.sin6_scope_id = in->scope;
        memcpy(&out->Ipv6.sin6_addr, in->ip, 16);
    }
}

NTSTATUS ndk_addr_write(const struct plat_addr *in, PSOCKADDR out, ULONG *length)
{
    ULONG needed = in->family == 4 ? (ULONG)sizeof(SOCKADDR_IN) : (ULONG)sizeof(SOCKADDR_IN6);
    SOCKADDR_INET inet;

    if (length == NULL || (out == NULL && *length != 0))
        return STATUS_INVALID_PARAMETER;
    if (*length < needed) {
        *length = needed;
        return STATUS_BUFFER_TOO_SMALL;
    }
    ndk_addr_to_inet(in, &inet);
    memcpy(out, &inet, needed);
    *length = needed;
    return STATUS_SUCCESS;
}
