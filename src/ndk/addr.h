/* SPDX-License-Identifier: MIT */
/*
 * Socket addresses of consumers. AF_INET6 is 23 on Windows and 10 on Linux: both are read, 23 is
 * written. Addresses of consumers may be unaligned and longer than their family needs.
 */
#ifndef SN_NDK_ADDR_H
#define SN_NDK_ADDR_H

#include <ntstatus.h>
#include <ws2ipdef.h>

#include "base/attr.h"
#include "plat/plat.h"

/*
 * STATUS_SUCCESS; STATUS_INVALID_PARAMETER: NULL, or `length` too short for the family;
 * STATUS_INVALID_ADDRESS: neither IPv4 nor IPv6.
 */
SN_MUST_CHECK NTSTATUS ndk_addr_read(const SOCKADDR *in, ULONG length, struct plat_addr *out);

/*
 * The end of each NdkGet...Address. *length: room in, octets written out.
 * STATUS_SUCCESS; STATUS_BUFFER_TOO_SMALL: *length says what is needed, nothing is written;
 * STATUS_INVALID_PARAMETER: `length` NULL, or `out` NULL with room. [NDKPI
 * NDK_FN_GET_LOCAL_ADDRESS]
 */
SN_MUST_CHECK NTSTATUS ndk_addr_write(const struct plat_addr *in, PSOCKADDR out, ULONG *length);

/* The whole union, zero behind what the family needs. */
void ndk_addr_to_inet(const struct plat_addr *in, SOCKADDR_INET *out);

#endif
