/* SPDX-License-Identifier: MIT */
/* Uses the socket addresses of both worlds; whoever includes it has included both. */
#ifndef TESTS_HEADERS_BOTH_ADDRESSES_H
#define TESTS_HEADERS_BOTH_ADDRESSES_H

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <ws2ipdef.h>

static inline unsigned both_addresses(void)
{
    SOCKADDR_IN ours4;
    SOCKADDR_IN6 ours6;
    struct sockaddr_in theirs4;
    struct sockaddr_in6 theirs6;

    memset(&ours4, 0, sizeof(ours4));
    memset(&ours6, 0, sizeof(ours6));
    memset(&theirs4, 0, sizeof(theirs4));
    memset(&theirs6, 0, sizeof(theirs6));
    ours4.sin_family = AF_INET;
    ours4.sin_addr.s_addr = 1;
    ours4.sin_addr.S_un.S_addr = 1;
    ours6.sin6_family = SOFTNDK_AF_INET6;
    ours6.sin6_addr.u.Byte[15] = 1;
    theirs4.sin_family = AF_INET;
    theirs4.sin_addr.s_addr = 1;
    theirs6.sin6_family = AF_INET6;
    theirs6.sin6_addr.s6_addr[15] = 1;
    return (unsigned)ours4.sin_family + ours6.sin6_family + theirs4.sin_family +
           theirs6.sin6_family;
}

#endif
