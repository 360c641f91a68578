/* SPDX-License-Identifier: MIT */
/* IPv6 addresses and text. The form without scope and port is left to the C library. */
#include "kenv/address_text.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <ws2ipdef.h>

/* System headers call their family by another number. */
#define HOST_AF_INET6 10

/* Longest text of an address without a terminator. */
#define TEXT_MAX 45

NTSTATUS RtlIpv6StringToAddressA(PCSTR String, PCSTR *Terminator, IN6_ADDR *Address)
{
    char text[TEXT_MAX + 1];
    size_t n = strspn(String, "0123456789abcdefABCDEF:.");

    *Terminator = String + n;
    if (n > TEXT_MAX)
        return STATUS_INVALID_PARAMETER;
    memcpy(text, String, n);
    text[n] = 0;
    return inet_pton(HOST_AF_INET6, text, Address) == 1 ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/*
 * A scope behind "%": a number or, [DEVIATION], the name of an interface of the host. *s is behind
 * it afterwards.
 */
static bool parse_scope(const char **s, ULONG *scope)
{
    const char *p = *s + 1;
    size_t n = strcspn(p, "]:");
    char name[IF_NAMESIZE];
    uint64_t value = 0;

    if (n == 0)
        return false;
    *s = p + n;
    if (strspn(p, "0123456789") == n) {
        for (; p < *s && value <= UINT32_MAX; p++)
            value = value * 10 + (uint64_t)(*p - '0');
        *scope = (ULONG)value;
        return value <= UINT32_MAX;
    }
    if (n >= sizeof(name))
        return false;
    memcpy(name, p, n);
    name[n] = 0;
    *scope = if_nametoindex(name);
    return *scope != 0;
}

NTSTATUS RtlIpv6StringToAddressExA(
    PCSTR AddressString, IN6_ADDR *Address, PULONG ScopeId, PUSHORT Port)
{
    const char *p = AddressString;
    IN6_ADDR address;
    ULONG scope = 0;
    USHORT port = 0;
    bool is_bracketed;

    if (AddressString == NULL || Address == NULL || ScopeId == NULL || Port == NULL)
        return STATUS_INVALID_PARAMETER;
    is_bracketed = *p == '[';
    if (is_bracketed)
        p++;
    if (!NT_SUCCESS(RtlIpv6StringToAddressA(p, &p, &address)))
        return STATUS_INVALID_PARAMETER;
    if (*p == '%' && !parse_scope(&p, &scope))
        return STATUS_INVALID_PARAMETER;
    if (is_bracketed) {
        if (*p++ != ']')
            return STATUS_INVALID_PARAMETER;
        if (*p == ':' && !kenv_parse_port(&p, &port))
            return STATUS_INVALID_PARAMETER;
    }
    if (*p != 0)
        return STATUS_INVALID_PARAMETER;
    *Address = address;
    *ScopeId = scope;
    *Port = port;
    return STATUS_SUCCESS;
}

PSTR RtlIpv6AddressToStringA(const IN6_ADDR *Address, PSTR String)
{
    char text[TEXT_MAX + 1];
    size_t n;

    inet_ntop(HOST_AF_INET6, Address, text, sizeof(text));
    n = strlen(text);
    memcpy(String, text, n + 1);
    return String + n;
}

NTSTATUS RtlIpv6AddressToStringExA(const IN6_ADDR *Address, ULONG ScopeId, USHORT Port,
    PSTR AddressString, PULONG AddressStringLength)
{
    char address[TEXT_MAX + 1], scope[12] = "", text[KENV_ADDRESS_TEXT_MAX];

    if (Address == NULL || AddressStringLength == NULL)
        return STATUS_INVALID_PARAMETER;
    RtlIpv6AddressToStringA(Address, address);
    if (ScopeId != 0)
        snprintf(scope, sizeof(scope), "%%%u", ScopeId);
    if (Port != 0)
        snprintf(text, sizeof(text), "[%s%s]:%u", address, scope, RtlUshortByteSwap(Port));
    else
        snprintf(text, sizeof(text), "%s%s", address, scope);
    return kenv_give_text(text, AddressString, AddressStringLength);
}
