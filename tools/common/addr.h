/* SPDX-License-Identifier: MIT */
/* Addresses as people write them, and as NDKPI takes them. */
#ifndef TOOLS_COMMON_ADDR_H
#define TOOLS_COMMON_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws2ipdef.h>

enum { ADDR_TEXT_MAX = 80, ADDR_DEFAULT_PORT = 9000 };

/*
 * "1.2.3.4", "1.2.3.4:5", "::1", "[::1]", "[::1]:5", "fe80::1%2" and "[fe80::1%2]:5" (the scope is
 * an interface's index or name). A port is 1 to 65535, without one default_port is taken. False:
 * the text is none of these.
 */
bool addr_parse(const char *text, uint16_t default_port, SOCKADDR_INET *out);

bool addr_is_ipv6(const SOCKADDR_INET *a);
/* What goes with `a` as its length. */
ULONG addr_length(const SOCKADDR_INET *a);
uint16_t addr_port(const SOCKADDR_INET *a);
void addr_set_port(SOCKADDR_INET *a, uint16_t port);
/* 0.0.0.0 or :: */
bool addr_is_wildcard(const SOCKADDR_INET *a);
/* The wildcard of IPv4. */
SOCKADDR_INET addr_any(uint16_t port);

/* "1.2.3.4:5" or "[::1]:5" into out, and returns out. */
const char *addr_text(const SOCKADDR_INET *a, char out[ADDR_TEXT_MAX]);

/*
 * The local address from which the host would reach `to`, port 0. Sends nothing. False: the host
 * has no route.
 */
bool addr_local_for(const SOCKADDR_INET *to, SOCKADDR_INET *out);

#endif
