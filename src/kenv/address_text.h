/* SPDX-License-Identifier: MIT */
/* What the IPv4 and the IPv6 text routines share. */
#ifndef SN_KENV_ADDRESS_TEXT_H
#define SN_KENV_ADDRESS_TEXT_H

#include <stdbool.h>
#include <string.h>
#include <wdm.h>

/* "[", 45 characters, "%", ten digits, "]", ":", five digits, and the terminator. */
#define KENV_ADDRESS_TEXT_MAX 72

/* Value of a hexadecimal digit, or -1. */
static inline int kenv_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* ":" and a decimal port at **s; *port in network byte order, *s behind it. False: it is none. */
static inline bool kenv_parse_port(const char **s, USHORT *port)
{
    const char *p = *s + 1;
    ULONG value = 0;

    if (**s != ':' || *p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        value = value * 10 + (ULONG)(*p - '0');
        if (value > 0xffff)
            return false;
    }
    *s = p;
    *port = RtlUshortByteSwap((USHORT)value);
    return true;
}

/* Copies a terminated text out under the rule of the ...ToStringEx routines. */
static inline NTSTATUS kenv_give_text(const char *text, PSTR out, ULONG *length)
{
    ULONG needed = (ULONG)strlen(text) + 1;

    if (out == NULL || *length < needed) {
        *length = needed;
        return STATUS_INVALID_PARAMETER;
    }
    memcpy(out, text, needed);
    *length = needed;
    return STATUS_SUCCESS;
}

#endif
