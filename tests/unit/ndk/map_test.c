/* SPDX-License-Identifier: MIT */
#include "ndk/map.h"

#include <ws2ipdef.h>

#include "ndk/addr.h"
#include "support/unit.h"

static struct ndk_map map;
static char why[NDK_MAP_TEXT];

static struct plat_addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct plat_addr){.family = 4, .port = 4420, .ip = {a, b, c, d}};
}

static int stop_mapping(void **state)
{
    (void)state;
    ndk_map_use(NULL);
    return 0;
}

static void nothing_is_mapped_without_a_map(void **state)
{
    struct plat_addr a = v4(192, 168, 1, 1);

    (void)state;
    assert_true(ndk_map_parse(NULL, &map, why));
    assert_int_equal(map.count, 0);
    assert_true(ndk_map_parse("", &map, why));
    ndk_map_in(&a);
    ndk_map_out(&a);
    assert_true(plat_addr_equal(&a, &(struct plat_addr){4, 4420, {192, 168, 1, 1}, 0}));
    assert_int_equal(ndk_map_index(12), 12);
}

static void addresses_and_indexes_go_in_and_come_out(void **state)
{
    struct plat_addr a = v4(192, 168, 1, 2), other = v4(10, 0, 0, 1), was;
    SOCKADDR_IN in = {.sin_family = 2, .sin_port = 0x4411};
    SOCKADDR_INET out;
    ULONG length = sizeof in;

    (void)state;
    assert_true(ndk_map_parse(
        "192.168.1.1=127.0.0.1,192.168.1.2=127.0.0.2,12=1,fe80::7=::1,8=0", &map, why));
    assert_int_equal(map.count, 5);
    ndk_map_use(&map);

    ndk_map_in(&a);
    assert_memory_equal(a.ip, ((uint8_t[]){127, 0, 0, 2}), 4);
    assert_int_equal(a.port, 4420);
    ndk_map_out(&a);
    assert_memory_equal(a.ip, ((uint8_t[]){192, 168, 1, 2}), 4);
    was = other;
    ndk_map_in(&other);
    ndk_map_out(&other);
    assert_true(plat_addr_equal(&other, &was));
    assert_int_equal(ndk_map_index(12), 1);
    assert_int_equal(ndk_map_index(8), 0);
    assert_int_equal(ndk_map_index(1), 1);

    /* At the boundary: what a driver gives and what it is told. */
    memcpy(&in.sin_addr, (uint8_t[]){192, 168, 1, 1}, 4);
    assert_int_equal(ndk_addr_read((SOCKADDR *)(void *)&in, sizeof in, &a), STATUS_SUCCESS);
    assert_memory_equal(a.ip, ((uint8_t[]){127, 0, 0, 1}), 4);
    memset(&in, 0, sizeof in);
    assert_int_equal(ndk_addr_write(&a, (SOCKADDR *)(void *)&in, &length), STATUS_SUCCESS);
    assert_memory_equal(&in.sin_addr, ((uint8_t[]){192, 168, 1, 1}), 4);
    ndk_addr_to_inet(&a, &out);
    assert_memory_equal(&out.Ipv4.sin_addr, ((uint8_t[]){192, 168, 1, 1}), 4);
    assert_memory_equal(a.ip, ((uint8_t[]){127, 0, 0, 1}), 4);
}

static void ipv6_is_mapped(void **state)
{
    struct plat_addr a = {.family = 6, .ip = {0xfe, 0x80, [15] = 7}, .scope = 3};

    (void)state;
    assert_true(ndk_map_parse("fe80::7=::1", &map, why));
    ndk_map_use(&map);
    ndk_map_in(&a);
    assert_true(plat_addr_equal(&a, &(struct plat_addr){6, 0, {[15] = 1}, 0}));
    assert_int_equal(a.scope, 0);
}

static void what_is_no_map_is_refused(void **state)
{
    static const char *const wrong[] = {"1.2.3.4", "1.2.3.4=", "=1.2.3.4", "1.2.3.4=::1", "12=eth0",
        "12=1.2.3.4", "1.2.3.4=5", "1.2.3.4.5=1.2.3.4", ",", "1.2.3.4=5.6.7.8,,", "5000000000=1",
        "1=2,1=2,1=2,1=2,1=2,1=2,1=2,1=2,1=2,1=2,1=2,1=2,1=2,1=2,1=2,1=2,1=2",
        "1111111111111111111111111111111111111111111111111111111111111111111111111111=1"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        why[0] = '\0';
        if (ndk_map_parse(wrong[i], &map, why) || why[0] == '\0')
            fail_msg("'%s' was taken", wrong[i]);
    }
}

static const char *text_of_variable;

static char *environment(const char *name)
{
    assert_string_equal(name, "SOFTNDK_MAP");
    return (char *)(uintptr_t)text_of_variable;
}

static void the_environment_is_read_once(void **state)
{
    (void)state;
    text_of_variable = "nonsense";
    assert_int_equal(ndk_map_begin(environment, why), STATUS_INVALID_PARAMETER);
    text_of_variable = "7=8";
    assert_int_equal(ndk_map_begin(environment, why), STATUS_SUCCESS);
    assert_int_equal(ndk_map_index(7), 8);
    text_of_variable = "nonsense";
    assert_int_equal(ndk_map_begin(environment, why), STATUS_SUCCESS);
    assert_int_equal(ndk_map_index(7), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nothing_is_mapped_without_a_map, stop_mapping),
        cmocka_unit_test_teardown(addresses_and_indexes_go_in_and_come_out, stop_mapping),
        cmocka_unit_test_teardown(ipv6_is_mapped, stop_mapping),
        cmocka_unit_test(what_is_no_map_is_refused),
        cmocka_unit_test_teardown(the_environment_is_read_once, stop_mapping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
