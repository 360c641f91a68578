/* SPDX-License-Identifier: MIT */
#include "common/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void reads_and_writes(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"127.0.0.1", "127.0.0.1:9000"},
        {"127.0.0.1:1", "127.0.0.1:1"},
        {"10.1.2.3:65535", "10.1.2.3:65535"},
        {"0.0.0.0:80", "0.0.0.0:80"},
        {"::1", "[::1]:9000"},
        {"::", "[::]:9000"},
        {"[::1]", "[::1]:9000"},
        {"[::1]:7174", "[::1]:7174"},
        {"fe80::1%7", "[fe80::1%7]:9000"},
        {"[fe80::1%7]:5", "[fe80::1%7]:5"},
        {"[fe80::1%lo]:5", "[fe80::1%1]:5"},
        {"[::ffff:1.2.3.4]:5", "[::ffff:1.2.3.4]:5"},
    };
    char text[ADDR_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SOCKADDR_INET a;

        assert_true(addr_parse(cases[i].in, ADDR_DEFAULT_PORT, &a));
        assert_string_equal(addr_text(&a, text), cases[i].out);
    }
}

static void refuses_what_is_none(void **state)
{
    static const char *const cases[] = {"", ":", ":9000", "1.2.3", "1.2.3.4:", "1.2.3.4:0",
        "1.2.3.4:65536", "1.2.3.4:99999999", "1.2.3.4:12x", "1.2.3.4 ", "256.1.1.1", "01.2.3.4.5",
        "localhost", "[::1", "[::1]9000", "[::1]:", "[::1]:0", "[1.2.3.4]:5", "[]", "::1%nosuchif0",
        "fe80::1%", ":::", "1:2:3", "-",
        "1111111111111111111111111111111111111111111111111111111111111111111111111111111111111"};
    SOCKADDR_INET a = addr_any(5);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_false(addr_parse(cases[i], ADDR_DEFAULT_PORT, &a));
    assert_int_equal(addr_port(&a), 5); /* untouched */
}

static void knows_families_and_wildcards(void **state)
{
    SOCKADDR_INET a;

    (void)state;
    a = addr_any(77);
    assert_false(addr_is_ipv6(&a));
    assert_true(addr_is_wildcard(&a));
    assert_int_equal(addr_length(&a), sizeof(SOCKADDR_IN));
    assert_int_equal(addr_port(&a), 77);
    assert_true(addr_parse("::", 1, &a));
    assert_true(addr_is_ipv6(&a));
    assert_true(addr_is_wildcard(&a));
    assert_int_equal(addr_length(&a), sizeof(SOCKADDR_IN6));
    assert_true(addr_parse("::1", 1, &a));
    assert_false(addr_is_wildcard(&a));
    assert_true(addr_parse("127.0.0.1", 1, &a));
    assert_false(addr_is_wildcard(&a));
}

static void finds_the_local_address(void **state)
{
    SOCKADDR_INET to, from;
    char text[ADDR_TEXT_MAX];

    (void)state;
    assert_true(addr_parse("127.0.0.1:9", 1, &to));
    if (!addr_local_for(&to, &from))
        skip(); /* a host without a loopback interface */
    addr_set_port(&from, 4);
    assert_string_equal(addr_text(&from, text), "127.0.0.1:4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(knows_families_and_wildcards),
        cmocka_unit_test(finds_the_local_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
