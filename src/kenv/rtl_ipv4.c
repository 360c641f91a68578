/* SPDX-License-Identifier: MIT */
/* IPv4 addresses and text. */
#include "kenv/address_text.h"

#include <stdio.h>
#include <string.h>
#include <ws2ipdef.h>

/* One part of a dotted number. False if there is none or it exceeds 32 bits. */
static bool parse_part(const char **s, bool is_strict, uint64_t *value)
{
    const char *p = *s;
    unsigned base = 10;
    uint64_t v = 0;
    int digits = 0;

    if (!is_strict && p[0] == '0') {
        base = 8;
        if (p[1] == 'x' || p[1] == 'X') {
            base = 16;
            p += 2;
        }
    }
    for (;; p++, digits++) {
        int digit = kenv_digit(*p);

        if (digit < 0 || (unsigned)digit >= base)
            break;
        v = v * base + (unsigned)digit;
        if (v > UINT32_MAX)
            break;
    }
    *s = p;
    *value = v;
    /* A leading zero means octal to some readers and nothing to others: strict text has none. */
    return digits > 0 && v <= UINT32_MAX && !(is_strict && digits > 1 && p[-digits] == '0');
}

NTSTATUS RtlIpv4StringToAddressA(PCSTR String, BOOLEAN Strict, PCSTR *Terminator, IN_ADDR *Address)
{
    uint64_t part[4], last_max;
    uint32_t value = 0;
    const char *p = String;
    int n = 0;

    for (;;) {
        if (!parse_part(&p, Strict, &part[n]))
            goto bad;
        n++;
        if (*p != '.' || n == 4)
            break;
        p++;
    }
    if (Strict && n != 4)
        goto bad;
    /* The last part fills what the others leave: one part is the whole address. */
    last_max = UINT32_MAX >> (8 * (n - 1));
    if (part[n - 1] > last_max)
        goto bad;
    for (int i = 0; i < n - 1; i++) {
        if (part[i] > 255)
            goto bad;
        value |= (uint32_t)part[i] << (24 - 8 * i);
    }
    Address->S_un.S_addr = RtlUlongByteSwap(value | (uint32_t)part[n - 1]);
    *Terminator = p;
    return STATUS_SUCCESS;
bad:
    *Terminator = p;
    return STATUS_INVALID_PARAMETER;
}

NTSTATUS RtlIpv4StringToAddressExA(
    PCSTR AddressString, BOOLEAN Strict, IN_ADDR *Address, PUSHORT Port)
{
    IN_ADDR address;
    USHORT port = 0;
    PCSTR end;

    if (AddressString == NULL || Address == NULL || Port == NULL)
        return STATUS_INVALID_PARAMETER;
    if (!NT_SUCCESS(RtlIpv4StringToAddressA(AddressString, Strict, &end, &address)))
        return STATUS_INVALID_PARAMETER;
    if (*end == ':' && !kenv_parse_port(&end, &port))
        return STATUS_INVALID_PARAMETER;
    if (*end != 0)
        return STATUS_INVALID_PARAMETER;
    *Address = address;
    *Port = port;
    return STATUS_SUCCESS;
}

PSTR RtlIpv4AddressToStringA(const IN_ADDR *Address, PSTR String)
{
    const UCHAR *b = (const UCHAR *)Address;

    return String + snprintf(String, 16, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
}

NTSTATUS RtlIpv4AddressToStringExA(
    const IN_ADDR *Address, USHORT Port, PSTR AddressString, PULONG AddressStringLength)
{
    char text[KENV_ADDRESS_TEXT_MAX];
    PSTR end;

    if (Address == NULL || AddressStringLength == NULL)
        return STATUS_INVALID_PARAMETER;
    end = RtlIpv4AddressToStringA(Address, text);
    if (Port != 0)
        snprintf(end, sizeof(text) - (size_t)(end - text), ":%u", RtlUshortByteSwap(Port));
    return kenv_give_text(text, AddressString, AddressStringLength);
}
