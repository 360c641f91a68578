/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include <ntstatus.h>
#include <wdm.h>
#include <ws2ipdef.h>

#define OK   1
#define FAIL 0

/* Text, what it is strictly and leniently, the address, and how much of the text is taken. */
static const struct {
    const char *text;
    int strict, lenient;
    ULONG address;
    size_t taken;
} cases[] = {
    {"1.2.3.4", OK, OK, 0x01020304, 7},
    {"255.255.255.255", OK, OK, 0xffffffff, 15},
    {"0.0.0.0", OK, OK, 0, 7},
    {"127.0.0.1:9000", OK, OK, 0x7f000001, 9},
    {"1.2.3.4.5", OK, OK, 0x01020304, 7},
    {"1.2.3.4x", OK, OK, 0x01020304, 7},
    {"1.2.3.256", FAIL, FAIL, 0, 0},
    {"256.1.1.1", FAIL, FAIL, 0, 0},
    {"1.2.3", FAIL, OK, 0x01020003, 5},
    {"1.2.65535", FAIL, OK, 0x0102ffff, 9},
    {"1.2.65536", FAIL, FAIL, 0, 0},
    {"1.65536", FAIL, OK, 0x01010000, 7},
    {"16909060", FAIL, OK, 0x01020304, 8},
    {"4294967295", FAIL, OK, 0xffffffff, 10},
    {"4294967296", FAIL, FAIL, 0, 0},
    {"99999999999999999999", FAIL, FAIL, 0, 0},
    {"0x7f.0.0.1", FAIL, OK, 0x7f000001, 10},
    {"0177.0.0.01", FAIL, OK, 0x7f000001, 11},
    {"01.2.3.4", FAIL, OK, 0x01020304, 8},
    {"0x7f000001", FAIL, OK, 0x7f000001, 10},
    {"0x", FAIL, FAIL, 0, 0},
    {"1.2.3.", FAIL, FAIL, 0, 0},
    {"1..2.3", FAIL, FAIL, 0, 0},
    {".1.2.3", FAIL, FAIL, 0, 0},
    {"", FAIL, FAIL, 0, 0},
    {"a.b.c.d", FAIL, FAIL, 0, 0},
    {"-1.2.3.4", FAIL, FAIL, 0, 0},
    {" 1.2.3.4", FAIL, FAIL, 0, 0},
};

static void text_to_address(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        for (int strict = 0; strict <= 1; strict++) {
            IN_ADDR address = {.s_addr = 0xdddddddd};
            PCSTR end = NULL;
            NTSTATUS status =
                RtlIpv4StringToAddressA(cases[i].text, (BOOLEAN)strict, &end, &address);
            int wants = strict ? cases[i].strict : cases[i].lenient;

            assert_int_equal(status, wants ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER);
            assert_true(end >= cases[i].text && end <= cases[i].text + strlen(cases[i].text));
            if (wants) {
                assert_int_equal(address.s_addr, RtlUlongByteSwap(cases[i].address));
                assert_int_equal(end - cases[i].text, cases[i].taken);
            } else {
                assert_int_equal(address.s_addr, 0xdddddddd);
            }
        }
    }
}

static void text_to_address_and_port(void **state)
{
    static const struct {
        const char *text;
        int wants;
        ULONG port;
    } ports[] = {
        {"1.2.3.4", OK, 0},
        {"1.2.3.4:0", OK, 0},
        {"1.2.3.4:80", OK, 80},
        {"1.2.3.4:65535", OK, 65535},
        {"1.2.3.4:65536", FAIL, 0},
        {"1.2.3.4:", FAIL, 0},
        {"1.2.3.4:8x", FAIL, 0},
        {"1.2.3.4:-1", FAIL, 0},
        {"1.2.3.4 ", FAIL, 0},
        {"1.2.3.4:80:80", FAIL, 0},
        {"1.2.3", FAIL, 0},
    };
    IN_ADDR address;
    USHORT port;

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(ports); i++) {
        NTSTATUS status = RtlIpv4StringToAddressExA(ports[i].text, TRUE, &address, &port);

        assert_int_equal(status, ports[i].wants ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER);
        if (ports[i].wants) {
            assert_int_equal(address.s_addr, RtlUlongByteSwap(0x01020304));
            assert_int_equal(port, RtlUshortByteSwap((USHORT)ports[i].port));
        }
    }
    assert_int_equal(
        RtlIpv4StringToAddressExA(NULL, TRUE, &address, &port), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        RtlIpv4StringToAddressExA("1.2.3.4", TRUE, NULL, &port), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        RtlIpv4StringToAddressExA("1.2.3.4", TRUE, &address, NULL), STATUS_INVALID_PARAMETER);
}

static void address_to_text(void **state)
{
    IN_ADDR address = {.s_addr = 0xffffffff};
    char out[32];
    ULONG length = sizeof(out);

    (void)state;
    assert_ptr_equal(RtlIpv4AddressToStringA(&address, out), out + 15);
    assert_string_equal(out, "255.255.255.255");
    address.s_addr = RtlUlongByteSwap(0x0a000102);
    assert_int_equal(RtlIpv4AddressToStringExA(&address, 0, out, &length), STATUS_SUCCESS);
    assert_string_equal(out, "10.0.1.2");
    assert_int_equal(length, 9);
    length = sizeof(out);
    assert_int_equal(
        RtlIpv4AddressToStringExA(&address, RtlUshortByteSwap(9000), out, &length), STATUS_SUCCESS);
    assert_string_equal(out, "10.0.1.2:9000");
    assert_int_equal(length, 14);
    length = 13;
    assert_int_equal(RtlIpv4AddressToStringExA(&address, RtlUshortByteSwap(9000), out, &length),
        STATUS_INVALID_PARAMETER);
    assert_int_equal(length, 14);
    length = 0;
    assert_int_equal(
        RtlIpv4AddressToStringExA(&address, 0, NULL, &length), STATUS_INVALID_PARAMETER);
    assert_int_equal(length, 9);
    assert_int_equal(RtlIpv4AddressToStringExA(NULL, 0, out, &length), STATUS_INVALID_PARAMETER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_to_address),
        cmocka_unit_test(text_to_address_and_port),
        cmocka_unit_test(address_to_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
