/* SPDX-License-Identifier: MIT */
/* IP addresses in 16-bit text: brought to octets and given to the routines for 8-bit text. */
#include "kenv/address_text.h"

#include <ws2ipdef.h>

/* What is beyond no address can hold; what is not ASCII ends the text, as it ends an address. */
static void narrow(PCWSTR from, char to[KENV_ADDRESS_TEXT_MAX + 1])
{
    size_t n = 0;

    for (; n < KENV_ADDRESS_TEXT_MAX && from[n] != 0; n++)
        to[n] = from[n] < 0x80 ? (char)from[n] : '?';
    to[n] = 0;
}

/* Returns where the terminator is. */
static PWSTR widen(const char *from, PWSTR to)
{
    while (*from != 0)
        *to++ = (WCHAR)*from++;
    *to = 0;
    return to;
}

NTSTATUS RtlIpv4StringToAddressW(
    PCWSTR String, BOOLEAN Strict, PCWSTR *Terminator, IN_ADDR *Address)
{
    char text[KENV_ADDRESS_TEXT_MAX + 1];
    PCSTR end = text;
    NTSTATUS status;

    narrow(String, text);
    status = RtlIpv4StringToAddressA(text, Strict, &end, Address);
    *Terminator = String + (end - text);
    return status;
}

NTSTATUS RtlIpv4StringToAddressExW(
    PCWSTR AddressString, BOOLEAN Strict, IN_ADDR *Address, PUSHORT Port)
{
    char text[KENV_ADDRESS_TEXT_MAX + 1];

    if (AddressString == NULL)
        return STATUS_INVALID_PARAMETER;
    narrow(AddressString, text);
    return RtlIpv4StringToAddressExA(text, Strict, Address, Port);
}

PWSTR RtlIpv4AddressToStringW(const IN_ADDR *Address, PWSTR String)
{
    char text[KENV_ADDRESS_TEXT_MAX];

    (void)RtlIpv4AddressToStringA(Address, text);
    return widen(text, String);
}

/* The text goes out under the rule of the ...ToStringEx routines. */
static NTSTATUS give(const char *text, PWSTR out, PULONG length)
{
    char copy[KENV_ADDRESS_TEXT_MAX];
    NTSTATUS status = kenv_give_text(text, out != NULL ? copy : NULL, length);

    if (NT_SUCCESS(status))
        (void)widen(copy, out);
    return status;
}

NTSTATUS RtlIpv4AddressToStringExW(
    const IN_ADDR *Address, USHORT Port, PWSTR AddressString, PULONG AddressStringLength)
{
    char text[KENV_ADDRESS_TEXT_MAX];
    ULONG n = sizeof(text);
    NTSTATUS status;

    if (AddressStringLength == NULL)
        return STATUS_INVALID_PARAMETER;
    status = RtlIpv4AddressToStringExA(Address, Port, text, &n);
    return NT_SUCCESS(status) ? give(text, AddressString, AddressStringLength) : status;
}

NTSTATUS RtlIpv6StringToAddressW(PCWSTR String, PCWSTR *Terminator, IN6_ADDR *Address)
{
    char text[KENV_ADDRESS_TEXT_MAX + 1];
    PCSTR end = text;
    NTSTATUS status;

    narrow(String, text);
    status = RtlIpv6StringToAddressA(text, &end, Address);
    *Terminator = String + (end - text);
    return status;
}

NTSTATUS RtlIpv6StringToAddressExW(
    PCWSTR AddressString, IN6_ADDR *Address, PULONG ScopeId, PUSHORT Port)
{
    char text[KENV_ADDRESS_TEXT_MAX + 1];

    if (AddressString == NULL)
        return STATUS_INVALID_PARAMETER;
    narrow(AddressString, text);
    return RtlIpv6StringToAddressExA(text, Address, ScopeId, Port);
}

PWSTR RtlIpv6AddressToStringW(const IN6_ADDR *Address, PWSTR String)
{
    char text[KENV_ADDRESS_TEXT_MAX];

    (void)RtlIpv6AddressToStringA(Address, text);
    return widen(text, String);
}

NTSTATUS RtlIpv6AddressToStringExW(const IN6_ADDR *Address, ULONG ScopeId, USHORT Port,
    PWSTR AddressString, PULONG AddressStringLength)
{
    char text[KENV_ADDRESS_TEXT_MAX];
    ULONG n = sizeof(text);
    NTSTATUS status;

    if (AddressStringLength == NULL)
        return STATUS_INVALID_PARAMETER;
    status = RtlIpv6AddressToStringExA(Address, ScopeId, Port, text, &n);
    return NT_SUCCESS(status) ? give(text, AddressString, AddressStringLength) : status;
}
