/* SPDX-License-Identifier: MIT */
#include "ndkinfo/info.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* False: the address is of another family. */
static bool take_address(const struct sockaddr *in, SOCKADDR_INET *out)
{
    memset(out, 0, sizeof *out);
    if (in == NULL)
        return false;
    if (in->sa_family == AF_INET) {
        struct sockaddr_in v4;

        memcpy(&v4, in, sizeof v4);
        out->Ipv4.sin_family = AF_INET;
        memcpy(&out->Ipv4.sin_addr, &v4.sin_addr, sizeof v4.sin_addr);
        return true;
    }
    if (in->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;

        memcpy(&v6, in, sizeof v6);
        out->Ipv6.sin6_family = SOFTNDK_AF_INET6;
        memcpy(&out->Ipv6.sin6_addr, &v6.sin6_addr, sizeof v6.sin6_addr);
        return true;
    }
    return false;
}

/* The address without a port. */
static void host_text(const SOCKADDR_INET *a, char out[ADDR_TEXT_MAX])
{
    if (addr_is_ipv6(a))
        RtlIpv6AddressToStringA(&a->Ipv6.sin6_addr, out);
    else
        RtlIpv4AddressToStringA(&a->Ipv4.sin_addr, out);
}

static json_t *addresses_json(const struct ifaddrs *all, const char *name)
{
    json_t *array = json_array();

    for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next) {
        char text[ADDR_TEXT_MAX];
        SOCKADDR_INET address;

        if (strcmp(a->ifa_name, name) != 0 || !take_address(a->ifa_addr, &address))
            continue;
        host_text(&address, text);
        json_array_append_new(array, json_string(text));
    }
    return array;
}

json_t *interfaces_json(void)
{
    json_t *array = json_array();
    struct if_nameindex *names = if_nameindex();
    struct ifaddrs *all = NULL;

    if (getifaddrs(&all) != 0)
        all = NULL;
    for (struct if_nameindex *i = names; i != NULL && i->if_index != 0; i++)
        json_array_append_new(array, json_pack("{s:i,s:s,s:o}", "index", (int)i->if_index, "name",
                                         i->if_name, "addresses", addresses_json(all, i->if_name)));
    freeifaddrs(all);
    if_freenameindex(names);
    return array;
}

static void print_interface(const json_t *interface)
{
    const json_t *addresses = json_object_get(interface, "addresses");

    printf("  %7d  %-16s", (int)json_integer_value(json_object_get(interface, "index")),
        json_string_value(json_object_get(interface, "name")));
    for (size_t i = 0; i < json_array_size(addresses); i++)
        printf(" %s", json_string_value(json_array_get(addresses, i)));
    printf("\n");
}

void interfaces_print(void)
{
    json_t *array = interfaces_json();

    printf("  %7s  %-16s %s\n", "IfIndex", "Name", "Addresses");
    printf("  %7d  %-16s %s\n", 0, "any", "all of them");
    for (size_t i = 0; i < json_array_size(array); i++)
        print_interface(json_array_get(array, i));
    json_decref(array);
}

bool interface_index(const char *text, uint32_t *index)
{
    char name[IF_NAMESIZE], *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*text >= '0' && *text <= '9' && *end == '\0') {
        *index = (uint32_t)number;
        return number == 0 ||
               (number <= INT32_MAX && if_indextoname((unsigned)number, name) != NULL);
    }
    *index = if_nametoindex(text);
    return *index != 0;
}

uint32_t interface_of(const SOCKADDR_INET *address)
{
    struct ifaddrs *all = NULL;
    uint32_t index = 0;

    if (getifaddrs(&all) != 0)
        return 0;
    for (const struct ifaddrs *a = all; a != NULL && index == 0; a = a->ifa_next) {
        SOCKADDR_INET other;

        if (!take_address(a->ifa_addr, &other) || addr_is_ipv6(&other) != addr_is_ipv6(address))
            continue;
        if (addr_is_ipv6(address) ? memcmp(&other.Ipv6.sin6_addr, &address->Ipv6.sin6_addr, 16) == 0
                                  : memcmp(&other.Ipv4.sin_addr, &address->Ipv4.sin_addr, 4) == 0)
            index = if_nametoindex(a->ifa_name);
    }
    freeifaddrs(all);
    return index;
}
