/* SPDX-License-Identifier: MIT */
/* A source that spells socket addresses as Windows does and includes no system header. */
#define SOFTNDK_WINDOWS_SOCKETS 1
#include <ndkpi.h>
#include <ntddk.h>
#include <wsk.h>
#include <wskndk.h>

/* A consumer's own forward declarations and pointer types, as real drivers have them. */
struct _NDK_QP;
typedef struct _NDK_CQ *PNDK_CQ;
typedef NDK_SGE *PNDK_SGE;

unsigned headers_windows_names(const struct sockaddr *address, PNDK_CQ cq, PNDK_SGE sge);
unsigned headers_windows_names(const struct sockaddr *address, PNDK_CQ cq, PNDK_SGE sge)
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;

    sge->VirtualAddress = cq;
    sge->LogicalAddress.QuadPart = 0;
    C_ASSERT(AF_INET6 == 23);
    return in6->sin6_addr.s6_addr[0] + (unsigned)IPPROTO_TCP + (unsigned)SOCK_STREAM;
}
