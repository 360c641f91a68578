/* SPDX-License-Identifier: MIT */
/*
 * ws2ipdef.h: IPv6 addresses, the union of both families, and the conversions between addresses
 * and text (on Windows the latter come with mstcpip.h and ip2string.h).
 */
#ifndef SOFTNDK_WS2IPDEF_H
#define SOFTNDK_WS2IPDEF_H

#include <ws2def.h>

SOFTNDK_BEGIN_DECLS

typedef struct SOFTNDK_SOCKET_TAG(in6_addr, _IN6_ADDR) {
    union {
        UCHAR Byte[16];
        USHORT Word[8];
    } u;
} IN6_ADDR, *PIN6_ADDR, *LPIN6_ADDR;

#ifndef s6_addr
#define s6_addr u.Byte
#endif

typedef struct _SCOPE_ID {
    __extension__ union {
        ULONG Value;
    };
} SCOPE_ID, *PSCOPE_ID;

typedef struct SOFTNDK_SOCKET_TAG(sockaddr_in6, _SOCKADDR_IN6) {
    ADDRESS_FAMILY sin6_family;
    USHORT sin6_port; /* network byte order */
    ULONG sin6_flowinfo;
    IN6_ADDR sin6_addr;
    __extension__ union {
        ULONG sin6_scope_id; /* interface index of a link-local address, else 0 */
        SCOPE_ID sin6_scope_struct;
    };
} SOCKADDR_IN6, *PSOCKADDR_IN6, *LPSOCKADDR_IN6;

typedef union _SOCKADDR_INET {
    SOCKADDR_IN Ipv4;
    SOCKADDR_IN6 Ipv6;
    ADDRESS_FAMILY si_family;
} SOCKADDR_INET, *PSOCKADDR_INET;

#ifndef INET_ADDRSTRLEN
#define INET_ADDRSTRLEN 22
#endif
#ifndef INET6_ADDRSTRLEN
#define INET6_ADDRSTRLEN 65
#endif

/*
 * IPv4 text to address. String: dotted decimal; with Strict FALSE also the one, two and three part
 * forms and octal (0...) and hexadecimal (0x...) parts. *Terminator: first character not taken.
 * Any IRQL. STATUS_SUCCESS; STATUS_INVALID_PARAMETER (*Terminator says where).
 */
SOFTNDK_API NTSTATUS RtlIpv4StringToAddressA(
    PCSTR String, BOOLEAN Strict, PCSTR *Terminator, IN_ADDR *Address);

/*
 * The same with an optional ":port"; the text must end after it. *Port in network byte order, 0 if
 * there was none. STATUS_SUCCESS; STATUS_INVALID_PARAMETER.
 */
SOFTNDK_API NTSTATUS RtlIpv4StringToAddressExA(
    PCSTR AddressString, BOOLEAN Strict, IN_ADDR *Address, PUSHORT Port);

/* Address to text of at most 16 characters with the terminator. Returns where the terminator is. */
SOFTNDK_API PSTR RtlIpv4AddressToStringA(const IN_ADDR *Address, PSTR String);

/*
 * Address and, if Port (network byte order) is not 0, ":port". *AddressStringLength: characters of
 * room in, characters used with the terminator (needed, if too small) out.
 * STATUS_SUCCESS; STATUS_INVALID_PARAMETER (too small, or NULL).
 */
SOFTNDK_API NTSTATUS RtlIpv4AddressToStringExA(
    const IN_ADDR *Address, USHORT Port, PSTR AddressString, PULONG AddressStringLength);

/* IPv6 text, without scope or port, to address. Results as RtlIpv4StringToAddressA. */
SOFTNDK_API NTSTATUS RtlIpv6StringToAddressA(PCSTR String, PCSTR *Terminator, IN6_ADDR *Address);

/*
 * "address", "address%scope", "[address%scope]" or "[address%scope]:port". *ScopeId in host byte
 * order, *Port in network byte order, 0 where absent; the text must end there.
 * STATUS_SUCCESS; STATUS_INVALID_PARAMETER.
 */
SOFTNDK_API NTSTATUS RtlIpv6StringToAddressExA(
    PCSTR AddressString, IN6_ADDR *Address, PULONG ScopeId, PUSHORT Port);

/* Address to text of at most 46 characters with the terminator. Returns where the terminator is. */
SOFTNDK_API PSTR RtlIpv6AddressToStringA(const IN6_ADDR *Address, PSTR String);

/* As RtlIpv4AddressToStringExA, in the forms that RtlIpv6StringToAddressExA reads. */
SOFTNDK_API NTSTATUS RtlIpv6AddressToStringExA(const IN6_ADDR *Address, ULONG ScopeId, USHORT Port,
    PSTR AddressString, PULONG AddressStringLength);

/* The same for 16-bit text. */
SOFTNDK_API NTSTATUS RtlIpv4StringToAddressW(
    PCWSTR String, BOOLEAN Strict, PCWSTR *Terminator, IN_ADDR *Address);
SOFTNDK_API NTSTATUS RtlIpv4StringToAddressExW(
    PCWSTR AddressString, BOOLEAN Strict, IN_ADDR *Address, PUSHORT Port);
SOFTNDK_API PWSTR RtlIpv4AddressToStringW(const IN_ADDR *Address, PWSTR String);
SOFTNDK_API NTSTATUS RtlIpv4AddressToStringExW(
    const IN_ADDR *Address, USHORT Port, PWSTR AddressString, PULONG AddressStringLength);
SOFTNDK_API NTSTATUS RtlIpv6StringToAddressW(PCWSTR String, PCWSTR *Terminator, IN6_ADDR *Address);
SOFTNDK_API NTSTATUS RtlIpv6StringToAddressExW(
    PCWSTR AddressString, IN6_ADDR *Address, PULONG ScopeId, PUSHORT Port);
SOFTNDK_API PWSTR RtlIpv6AddressToStringW(const IN6_ADDR *Address, PWSTR String);
SOFTNDK_API NTSTATUS RtlIpv6AddressToStringExW(const IN6_ADDR *Address, ULONG ScopeId, USHORT Port,
    PWSTR AddressString, PULONG AddressStringLength);

SOFTNDK_END_DECLS

#endif /* SOFTNDK_WS2IPDEF_H */
