/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "plat/plat.h"

static size_t ip_size(const struct plat_addr *a)
{
    return a->family == 6 ? 16 : 4;
}

static bool is_link_local(const struct plat_addr *a)
{
    return a->family == 6 && a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

bool plat_addr_equal(const struct plat_addr *a, const struct plat_addr *b)
{
    if (a->family != b->family || a->port != b->port)
        return false;
    if (a->family == 0)
        return true;
    if (is_link_local(a) && a->scope != b->scope)
        return false;
    return memcmp(a->ip, b->ip, ip_size(a)) == 0;
}

bool plat_addr_is_wildcard(const struct plat_addr *a)
{
    static const uint8_t zero[16];

    return a->family != 0 && memcmp(a->ip, zero, ip_size(a)) == 0;
}

struct group_run {
    int first, count;
};

/* The longest run of two or more zero groups, the first of equals. [RFC5952 4.2] */
static struct group_run longest_zero_run(const uint8_t *ip)
{
    struct group_run best = {-1, 1}, run = {-1, 0};

    for (int i = 0; i < 8; i++) {
        if (sn_get_be16(ip + 2 * i) != 0) {
            run.count = 0;
            continue;
        }
        if (run.count++ == 0)
            run.first = i;
        if (run.count > best.count)
            best = run;
    }
    return best;
}

static void format_ip6(const uint8_t *ip, char *out, size_t cap)
{
    struct group_run zeros = longest_zero_run(ip);
    size_t n = 0;

    out[0] = '\0';
    for (int i = 0; i < 8 && n < cap; i++) {
        if (i == zeros.first) {
            n += (size_t)snprintf(out + n, cap - n, "::");
            i += zeros.count - 1;
        } else {
            const char *colon = n > 0 && out[n - 1] != ':' ? ":" : "";
            n += (size_t)snprintf(out + n, cap - n, "%s%x", colon, sn_get_be16(ip + 2 * i));
        }
    }
}

const char *plat_addr_format(const struct plat_addr *a, char *out, size_t cap)
{
    char ip[40], scope[16] = "";

    if (cap == 0)
        return out;
    switch (a->family) {
    case 4:
        snprintf(out, cap, "%u.%u.%u.%u:%u", a->ip[0], a->ip[1], a->ip[2], a->ip[3], a->port);
        break;
    case 6:
        format_ip6(a->ip, ip, sizeof(ip));
        if (a->scope != 0)
            snprintf(scope, sizeof(scope), "%%%u", a->scope);
        snprintf(out, cap, "[%s%s]:%u", ip, scope, a->port);
        break;
    default:
        snprintf(out, cap, "none");
        break;
    }
    return out;
}
