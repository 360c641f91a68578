/* SPDX-License-Identifier: MIT */
/*
 * ws2def.h: socket addresses as NDKPI and WSK pass them.
 *
 * AF_INET6 is 23 here and 10 in <sys/socket.h>. If the system's header is in the translation unit,
 * its value stands; SOFTNDK_AF_INET6 is always 23, and every softndk call accepts both families.
 *
 * The structure tags are softndk's own (_SOCKADDR, ...) so that <sys/socket.h> and <netinet/in.h>
 * may be included too, in any order. A source that writes `struct sockaddr_in` for the Windows type
 * and includes no system socket header is compiled with SOFTNDK_WINDOWS_SOCKETS defined: the tags
 * and the SOCK_ and IPPROTO_ constants are then those of Windows.
 */
#ifndef SOFTNDK_WS2DEF_H
#define SOFTNDK_WS2DEF_H

#include <ntdef.h>

#if defined(SOFTNDK_WINDOWS_SOCKETS)
#define SOFTNDK_SOCKET_TAG(windows_tag, own_tag) windows_tag
#else
#define SOFTNDK_SOCKET_TAG(windows_tag, own_tag) own_tag
#endif

#define SOFTNDK_AF_INET6 23

#ifndef AF_UNSPEC
#define AF_UNSPEC 0
#endif
#ifndef AF_INET
#define AF_INET 2
#endif
#ifndef AF_INET6
#define AF_INET6 SOFTNDK_AF_INET6
#endif

typedef USHORT ADDRESS_FAMILY;

/* A generic address; the length that goes with it says how much really follows. */
typedef struct SOFTNDK_SOCKET_TAG(sockaddr, _SOCKADDR) {
    ADDRESS_FAMILY sa_family;
    CHAR sa_data[14];
} SOCKADDR, *PSOCKADDR, *LPSOCKADDR;

/* Network byte order in every view. */
typedef struct SOFTNDK_SOCKET_TAG(in_addr, _IN_ADDR) {
    __extension__ union {
        union {
            struct {
                UCHAR s_b1, s_b2, s_b3, s_b4;
            } S_un_b;
            struct {
                USHORT s_w1, s_w2;
            } S_un_w;
            ULONG S_addr;
        } S_un;
        ULONG s_addr;
    };
} IN_ADDR, *PIN_ADDR, *LPIN_ADDR;

typedef struct SOFTNDK_SOCKET_TAG(sockaddr_in, _SOCKADDR_IN) {
    ADDRESS_FAMILY sin_family;
    USHORT sin_port; /* network byte order */
    IN_ADDR sin_addr;
    CHAR sin_zero[8];
} SOCKADDR_IN, *PSOCKADDR_IN, *LPSOCKADDR_IN;

/* Room for any address, aligned for any. */
typedef struct SOFTNDK_SOCKET_TAG(sockaddr_storage, _SOCKADDR_STORAGE) {
    ADDRESS_FAMILY ss_family;
    CHAR ss_reserved1[6];
    LONGLONG ss_reserved2;
    CHAR ss_reserved3[112];
} SOCKADDR_STORAGE, *PSOCKADDR_STORAGE, *LPSOCKADDR_STORAGE;

#ifndef INADDR_ANY
#define INADDR_ANY ((ULONG)0x00000000)
#endif
#ifndef INADDR_LOOPBACK
#define INADDR_LOOPBACK ((ULONG)0x7f000001)
#endif
#ifndef INADDR_BROADCAST
#define INADDR_BROADCAST ((ULONG)0xffffffff)
#endif
#ifndef INADDR_NONE
#define INADDR_NONE ((ULONG)0xffffffff)
#endif

#if defined(SOFTNDK_WINDOWS_SOCKETS)
/* The system's headers make these enumerators, so they cannot be macros unless asked for. */
#define SOCK_STREAM  1
#define SOCK_DGRAM   2
#define SOCK_RAW     3
#define IPPROTO_ICMP 1
#define IPPROTO_TCP  6
#define IPPROTO_UDP  17
#define IPPROTO_IPV6 41
#define MSG_TRUNC    0x0100
#define MSG_CTRUNC   0x0200
#define MSG_BCAST    0x0400
#define MSG_MCAST    0x0800
#endif

#endif /* SOFTNDK_WS2DEF_H */
