/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "plat/plat.h"

static const struct {
    struct plat_addr addr;
    const char *text;
} formats[] = {
    {{.family = 4, .port = 4420, .ip = {127, 0, 0, 1}}, "127.0.0.1:4420"},
    {{.family = 4, .port = 65535, .ip = {255, 255, 255, 255}}, "255.255.255.255:65535"},
    {{.family = 6, .port = 4420, .ip = {[15] = 1}}, "[::1]:4420"},
    {{.family = 6, .port = 0}, "[::]:0"},
    {{.family = 6, .port = 1, .ip = {0x20, 1, 0xd, 0xb8, [15] = 5}}, "[2001:db8::5]:1"},
    {{.family = 6, .port = 1, .ip = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}},
        "[2001:db8:0:1::1]:1"},
    {{.family = 6, .port = 1, .ip = {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}},
        "[1:2:3:4:5:6:7:8]:1"},
    {{.family = 6, .port = 1, .ip = {0, 1, 0, 0, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}},
        "[1:0:3:4:5:6:7:8]:1"},
    {{.family = 6, .port = 1, .ip = {[1] = 1}}, "[1::]:1"},
    {{.family = 6, .port = 7, .ip = {0xfe, 0x80, [15] = 9}, .scope = 4294967295u},
        "[fe80::9%4294967295]:7"},
    {{.family = 6,
         .port = 65535,
         .ip = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
             0xff, 0xff},
         .scope = 4294967295u},
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535"},
    {{.family = 0}, "none"},
};

static void test_format(void **state)
{
    char out[64];

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(formats); i++) {
        assert_ptr_equal(plat_addr_format(&formats[i].addr, out, sizeof(out)), out);
        assert_string_equal(out, formats[i].text);
    }
}

static void test_format_keeps_inside_the_buffer(void **state)
{
    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(formats); i++) {
        for (size_t cap = 0; cap < 64; cap++) {
            char out[64];

            memset(out, 'x', sizeof(out));
            plat_addr_format(&formats[i].addr, out, cap);
            for (size_t k = cap; k < sizeof(out); k++)
                assert_int_equal(out[k], 'x');
            if (cap > 0)
                assert_memory_equal(out, formats[i].text, strnlen(out, cap));
        }
    }
}

static void test_equal(void **state)
{
    const struct plat_addr a = {.family = 4, .port = 1, .ip = {10, 0, 0, 1}};
    const struct plat_addr link_local = {.family = 6, .port = 1, .ip = {0xfe, 0x80}, .scope = 1};
    struct plat_addr b = a;

    (void)state;
    assert_true(plat_addr_equal(&a, &b));
    b.ip[15] = 7; /* not part of an IPv4 address */
    assert_true(plat_addr_equal(&a, &b));
    b.port = 2;
    assert_false(plat_addr_equal(&a, &b));
    b = a;
    b.ip[3] = 2;
    assert_false(plat_addr_equal(&a, &b));
    b = a;
    b.family = 6;
    assert_false(plat_addr_equal(&a, &b));
    b = link_local;
    assert_true(plat_addr_equal(&link_local, &b));
    b.scope = 2;
    assert_false(plat_addr_equal(&link_local, &b));
}

static void test_wildcard(void **state)
{
    struct plat_addr a = {.family = 4, .port = 80};

    (void)state;
    assert_true(plat_addr_is_wildcard(&a));
    a.ip[12] = 1; /* beyond an IPv4 address */
    assert_true(plat_addr_is_wildcard(&a));
    a.family = 6;
    assert_false(plat_addr_is_wildcard(&a));
    a.family = 0;
    a.ip[12] = 0;
    assert_false(plat_addr_is_wildcard(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_format_keeps_inside_the_buffer),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_wildcard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
