/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include <ntstatus.h>
#include <wdm.h>
#include <ws2ipdef.h>

/* Text, the address in hexadecimal or NULL, how much of the text is taken, and how it is written.
 */
static const struct {
    const char *text, *address;
    size_t taken;
    const char *written;
} cases[] = {
    {"::", "00000000000000000000000000000000", 2, "::"},
    {"::1", "00000000000000000000000000000001", 3, "::1"},
    {"fe80::1", "fe800000000000000000000000000001", 7, "fe80::1"},
    {"2001:DB8:0:0:1:0:0:1", "20010db8000000000001000000000001", 20, "2001:db8::1:0:0:1"},
    {"1:2:3:4:5:6:7:8", "00010002000300040005000600070008", 15, "1:2:3:4:5:6:7:8"},
    {"::ffff:10.1.2.3", "00000000000000000000ffff0a010203", 15, "::ffff:10.1.2.3"},
    {"fe80::1%3", "fe800000000000000000000000000001", 7, "fe80::1"},
    {"::1]:80", "00000000000000000000000000000001", 3, "::1"},
    {":::", NULL, 3, NULL},
    {"1:2:3:4:5:6:7", NULL, 13, NULL},
    {"1:2:3:4:5:6:7:8:9", NULL, 17, NULL},
    {"12345::", NULL, 7, NULL},
    {"1::2::3", NULL, 7, NULL},
    {"::1.2.3", NULL, 7, NULL},
    {"", NULL, 0, NULL},
    {"g::", NULL, 0, NULL},
    {"1.2.3.4", NULL, 7, NULL},
    {"0000000000000000000000000000000000000000000000000001::", NULL, 54, NULL},
};

static void from_hex(const char *hex, IN6_ADDR *address)
{
    for (int i = 0; i < 16; i++) {
        unsigned octet;

        assert_int_equal(sscanf(hex + 2 * i, "%2x", &octet), 1);
        address->u.Byte[i] = (UCHAR)octet;
    }
}

static void text_to_address_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        IN6_ADDR address, wants;
        PCSTR end = NULL;
        NTSTATUS status = RtlIpv6StringToAddressA(cases[i].text, &end, &address);
        char out[46];

        assert_int_equal(
            status, cases[i].address != NULL ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER);
        assert_int_equal(end - cases[i].text, cases[i].taken);
        if (cases[i].address == NULL)
            continue;
        from_hex(cases[i].address, &wants);
        assert_memory_equal(&address, &wants, 16);
        assert_ptr_equal(RtlIpv6AddressToStringA(&address, out), out + strlen(cases[i].written));
        assert_string_equal(out, cases[i].written);
    }
}

static void text_with_scope_and_port(void **state)
{
    static const struct {
        const char *text;
        NTSTATUS wants;
        ULONG scope, port;
        const char *written;
    } ex[] = {
        {"fe80::1", STATUS_SUCCESS, 0, 0, "fe80::1"},
        {"fe80::1%7", STATUS_SUCCESS, 7, 0, "fe80::1%7"},
        {"fe80::1%4294967295", STATUS_SUCCESS, 4294967295u, 0, "fe80::1%4294967295"},
        {"fe80::1%lo", STATUS_SUCCESS, 1, 0, "fe80::1%1"},
        {"[fe80::1]", STATUS_SUCCESS, 0, 0, "fe80::1"},
        {"[fe80::1]:80", STATUS_SUCCESS, 0, 80, "[fe80::1]:80"},
        {"[fe80::1%7]:80", STATUS_SUCCESS, 7, 80, "[fe80::1%7]:80"},
        {"fe80::1%", STATUS_INVALID_PARAMETER, 0, 0, NULL},
        {"fe80::1%4294967296", STATUS_INVALID_PARAMETER, 0, 0, NULL},
        {"fe80::1%no-such-name", STATUS_INVALID_PARAMETER, 0, 0, NULL},
        {"fe80::1%a-name-longer-than-any", STATUS_INVALID_PARAMETER, 0, 0, NULL},
        {"[fe80::1", STATUS_INVALID_PARAMETER, 0, 0, NULL},
        {"fe80::1]", STATUS_INVALID_PARAMETER, 0, 0, NULL},
        {"[fe80::1]:", STATUS_INVALID_PARAMETER, 0, 0, NULL},
        {"[fe80::1]:65536", STATUS_INVALID_PARAMETER, 0, 0, NULL},
        {"[fe80::1]x", STATUS_INVALID_PARAMETER, 0, 0, NULL},
        {"[]:80", STATUS_INVALID_PARAMETER, 0, 0, NULL},
        {"", STATUS_INVALID_PARAMETER, 0, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(ex); i++) {
        IN6_ADDR address;
        ULONG scope = 99, length = 72;
        USHORT port = 99;
        char out[72];

        assert_int_equal(
            RtlIpv6StringToAddressExA(ex[i].text, &address, &scope, &port), ex[i].wants);
        if (!NT_SUCCESS(ex[i].wants))
            continue;
        assert_int_equal(scope, ex[i].scope);
        assert_int_equal(port, RtlUshortByteSwap((USHORT)ex[i].port));
        assert_int_equal(
            RtlIpv6AddressToStringExA(&address, scope, port, out, &length), STATUS_SUCCESS);
        assert_string_equal(out, ex[i].written);
        assert_int_equal(length, strlen(ex[i].written) + 1);
        length--;
        assert_int_equal(RtlIpv6AddressToStringExA(&address, scope, port, out, &length),
            STATUS_INVALID_PARAMETER);
        assert_int_equal(length, strlen(ex[i].written) + 1);
    }
}

static void missing_arguments(void **state)
{
    IN6_ADDR address = {.u = {{0}}};
    ULONG scope = 0;
    USHORT port = 0;
    char out[72];

    (void)state;
    assert_int_equal(
        RtlIpv6StringToAddressExA(NULL, &address, &scope, &port), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        RtlIpv6StringToAddressExA("::1", NULL, &scope, &port), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        RtlIpv6StringToAddressExA("::1", &address, NULL, &port), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        RtlIpv6StringToAddressExA("::1", &address, &scope, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlIpv6AddressToStringExA(NULL, 0, 0, out, &scope), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        RtlIpv6AddressToStringExA(&address, 0, 0, out, NULL), STATUS_INVALID_PARAMETER);
}

/* The longest text there is fits what the header promises. */
static void the_longest_text(void **state)
{
    IN6_ADDR address;
    ULONG length = 72;
    char out[72];

    (void)state;
    memset(&address, 0xff, sizeof(address));
    assert_int_equal(
        RtlIpv6AddressToStringExA(&address, 0xffffffff, 0xffff, out, &length), STATUS_SUCCESS);
    assert_string_equal(out, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_to_address_and_back),
        cmocka_unit_test(text_with_scope_and_port),
        cmocka_unit_test(missing_arguments),
        cmocka_unit_test(the_longest_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
