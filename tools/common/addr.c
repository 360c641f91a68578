/* SPDX-License-Identifier: MIT */
#include "common/addr.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netioapi.h>

/* The number of the system's header, which SOCKADDR_IN6 here does not carry. */
enum { SYSTEM_INET6 = AF_INET6 };

static bool read_port(const char *text, uint16_t *port)
{
    unsigned long value = 0;

    if (*text == '\0' || strlen(text) > 5)
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (unsigned long)(*text - '0');
    }
    *port = (uint16_t)value;
    return value >= 1 && value <= 65535;
}

static bool read_scope(const char *text, ULONG *scope)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*text >= '0' && *text <= '9' && *end == '\0' && number <= 0xffffffff)
        *scope = (ULONG)number;
    else
        *scope = if_nametoindex(text);
    return *scope != 0;
}

/* An address without its port, scope allowed. */
static bool read_ipv6(char *text, SOCKADDR_INET *out)
{
    char *scope = strchr(text, '%');
    PCSTR end;
    ULONG scope_id = 0;

    if (scope != NULL) {
        *scope++ = '\0';
        if (!read_scope(scope, &scope_id))
            return false;
    }
    memset(out, 0, sizeof *out);
    out->Ipv6.sin6_family = SOFTNDK_AF_INET6;
    out->Ipv6.sin6_scope_id = scope_id;
    return RtlIpv6StringToAddressA(text, &end, &out->Ipv6.sin6_addr) == STATUS_SUCCESS &&
           *end == '\0';
}

static bool read_ipv4(const char *text, SOCKADDR_INET *out)
{
    PCSTR end;

    memset(out, 0, sizeof *out);
    out->Ipv4.sin_family = AF_INET;
    return RtlIpv4StringToAddressA(text, TRUE, &end, &out->Ipv4.sin_addr) == STATUS_SUCCESS &&
           *end == '\0';
}

bool addr_parse(const char *text, uint16_t default_port, SOCKADDR_INET *out)
{
    char copy[ADDR_TEXT_MAX];
    char *host = copy, *rest;
    uint16_t port = default_port;
    SOCKADDR_INET a;

    if (strlen(text) >= sizeof copy)
        return false;
    memcpy(copy, text, strlen(text) + 1);
    if (copy[0] == '[') {
        host = copy + 1;
        rest = strchr(host, ']');
        if (rest == NULL)
            return false;
        *rest++ = '\0';
        if (*rest != '\0' && (*rest != ':' || !read_port(rest + 1, &port)))
            return false;
        if (!read_ipv6(host, &a))
            return false;
    } else if ((rest = strchr(host, ':')) != NULL && strchr(rest + 1, ':') != NULL) {
        if (!read_ipv6(host, &a)) /* two colons: no room for a port without brackets */
            return false;
    } else {
        if (rest != NULL) {
            *rest++ = '\0';
            if (!read_port(rest, &port))
                return false;
        }
        if (!read_ipv4(host, &a))
            return false;
    }
    addr_set_port(&a, port);
    *out = a;
    return true;
}

bool addr_is_ipv6(const SOCKADDR_INET *a)
{
    return a->si_family != AF_INET;
}

ULONG addr_length(const SOCKADDR_INET *a)
{
    return addr_is_ipv6(a) ? (ULONG)sizeof a->Ipv6 : (ULONG)sizeof a->Ipv4;
}

uint16_t addr_port(const SOCKADDR_INET *a)
{
    return ntohs(addr_is_ipv6(a) ? a->Ipv6.sin6_port : a->Ipv4.sin_port);
}

void addr_set_port(SOCKADDR_INET *a, uint16_t port)
{
    if (addr_is_ipv6(a))
        a->Ipv6.sin6_port = htons(port);
    else
        a->Ipv4.sin_port = htons(port);
}

bool addr_is_wildcard(const SOCKADDR_INET *a)
{
    static const IN6_ADDR any;

    return addr_is_ipv6(a) ? memcmp(&a->Ipv6.sin6_addr, &any, sizeof any) == 0
                           : a->Ipv4.sin_addr.s_addr == 0;
}

SOCKADDR_INET addr_any(uint16_t port)
{
    SOCKADDR_INET a;

    memset(&a, 0, sizeof a);
    a.Ipv4.sin_family = AF_INET;
    addr_set_port(&a, port);
    return a;
}

const char *addr_text(const SOCKADDR_INET *a, char out[ADDR_TEXT_MAX])
{
    char host[ADDR_TEXT_MAX / 2 + 8];

    if (addr_is_ipv6(a)) {
        RtlIpv6AddressToStringA(&a->Ipv6.sin6_addr, host);
        if (a->Ipv6.sin6_scope_id != 0)
            snprintf(out, ADDR_TEXT_MAX, "[%s%%%u]:%u", host, (unsigned)a->Ipv6.sin6_scope_id,
                addr_port(a));
        else
            snprintf(out, ADDR_TEXT_MAX, "[%s]:%u", host, addr_port(a));
    } else {
        RtlIpv4AddressToStringA(&a->Ipv4.sin_addr, host);
        snprintf(out, ADDR_TEXT_MAX, "%s:%u", host, addr_port(a));
    }
    return out;
}

bool addr_local_for(const SOCKADDR_INET *to, SOCKADDR_INET *out)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = SYSTEM_INET6};
    bool is_v6 = addr_is_ipv6(to), is_there = false;
    struct sockaddr *address = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    socklen_t length = is_v6 ? (socklen_t)sizeof v6 : (socklen_t)sizeof v4;
    int fd = socket(is_v6 ? SYSTEM_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    if (is_v6) {
        memcpy(&v6.sin6_addr, &to->Ipv6.sin6_addr, sizeof v6.sin6_addr);
        v6.sin6_scope_id = to->Ipv6.sin6_scope_id;
        v6.sin6_port = to->Ipv6.sin6_port;
    } else {
        memcpy(&v4.sin_addr, &to->Ipv4.sin_addr, sizeof v4.sin_addr);
        v4.sin_port = to->Ipv4.sin_port;
    }
    /* Connecting a datagram socket chooses the route and the address, nothing more. */
    if (connect(fd, address, length) == 0 && getsockname(fd, address, &length) == 0) {
        memset(out, 0, sizeof *out);
        if (is_v6) {
            out->Ipv6.sin6_family = SOFTNDK_AF_INET6;
            memcpy(&out->Ipv6.sin6_addr, &v6.sin6_addr, sizeof v6.sin6_addr);
            out->Ipv6.sin6_scope_id = v6.sin6_scope_id;
        } else {
            out->Ipv4.sin_family = AF_INET;
            memcpy(&out->Ipv4.sin_addr, &v4.sin_addr, sizeof v4.sin_addr);
        }
        is_there = true;
    }
    close(fd);
    return is_there;
}
