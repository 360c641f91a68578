/* SPDX-License-Identifier: MIT */
/* That 16-bit text is taken as 8-bit text is; what that means is tested there. */
#include "support/unit.h"

#include <wdm.h>
#include <ws2ipdef.h>

#define W(text) SOFTNDK_WIDE_(text)

static void ipv4(void **state)
{
    PCWSTR text = W("10.1.2.3:4420"), end = NULL;
    IN_ADDR address;
    WCHAR out[32];
    USHORT port = 0;
    ULONG n = 5;

    (void)state;
    assert_int_equal(RtlIpv4StringToAddressW(text, TRUE, &end, &address), STATUS_SUCCESS);
    assert_ptr_equal(end, text + 8);
    assert_int_equal(RtlIpv4StringToAddressExW(text, TRUE, &address, &port), STATUS_SUCCESS);
    assert_int_equal(port, RtlUshortByteSwap(4420));
    assert_ptr_equal(RtlIpv4AddressToStringW(&address, out), out + 8);
    assert_memory_equal(out, W("10.1.2.3"), 18);
    assert_int_equal(RtlIpv4AddressToStringExW(&address, port, out, &n), STATUS_INVALID_PARAMETER);
    assert_int_equal(n, 14);
    assert_int_equal(RtlIpv4AddressToStringExW(&address, port, out, &n), STATUS_SUCCESS);
    assert_memory_equal(out, text, 28);
    assert_int_equal(RtlIpv4StringToAddressExW(W("10.1.2.\u0663"), TRUE, &address, &port),
        STATUS_INVALID_PARAMETER);
    assert_int_equal(
        RtlIpv4StringToAddressExW(NULL, TRUE, &address, &port), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlIpv4AddressToStringExW(&address, port, NULL, &n), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        RtlIpv4AddressToStringExW(&address, port, out, NULL), STATUS_INVALID_PARAMETER);
}

static void ipv6(void **state)
{
    PCWSTR text = W("[fe80::1%7]:80"), plain = W("fe80::1/64"), end = NULL;
    WCHAR out[72], long_text[300];
    IN6_ADDR address;
    ULONG scope = 0, n = ARRAYSIZE(out);
    USHORT port = 0;

    (void)state;
    assert_int_equal(RtlIpv6StringToAddressW(plain, &end, &address), STATUS_SUCCESS);
    assert_ptr_equal(end, plain + 7);
    assert_int_equal(RtlIpv6StringToAddressExW(text, &address, &scope, &port), STATUS_SUCCESS);
    assert_int_equal(scope, 7);
    assert_int_equal(port, RtlUshortByteSwap(80));
    assert_ptr_equal(RtlIpv6AddressToStringW(&address, out), out + 7);
    assert_memory_equal(out, W("fe80::1"), 16);
    assert_int_equal(RtlIpv6AddressToStringExW(&address, scope, port, out, &n), STATUS_SUCCESS);
    assert_int_equal(n, 15);
    assert_memory_equal(out, text, 30);
    for (size_t i = 0; i < ARRAYSIZE(long_text); i++)
        long_text[i] = ':';
    long_text[ARRAYSIZE(long_text) - 1] = 0;
    assert_int_equal(
        RtlIpv6StringToAddressExW(long_text, &address, &scope, &port), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        RtlIpv6StringToAddressExW(NULL, &address, &scope, &port), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        RtlIpv6AddressToStringExW(&address, scope, port, out, NULL), STATUS_INVALID_PARAMETER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4),
        cmocka_unit_test(ipv6),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
