/* SPDX-License-Identifier: MIT */
#include "ndk/addr.h"

#include "support/unit.h"

static const uint8_t v4_octets[16] = {2, 0, 0x11, 0x44, 192, 0, 2, 7};
/* fe80::1%5, port 4420, as Windows and as Linux write it. */
static const uint8_t v6_octets[28] = {
    23, 0, 0x11, 0x44, 0, 0, 0, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 5};

static const struct plat_addr v4 = {.family = 4, .port = 4420, .ip = {192, 0, 2, 7}};
static const struct plat_addr v6 = {
    .family = 6, .port = 4420, .ip = {0xfe, 0x80, [15] = 1}, .scope = 5};

static void both_families_are_read(void **state)
{
    uint8_t room[1 + 128] = {0};
    SOCKADDR *unaligned = (SOCKADDR *)(void *)(room + 1);
    struct plat_addr got;

    (void)state;
    memcpy(room + 1, v4_octets, sizeof v4_octets);
    assert_int_equal(ndk_addr_read(unaligned, 16, &got), STATUS_SUCCESS);
    assert_true(plat_addr_equal(&got, &v4));
    assert_int_equal(ndk_addr_read(unaligned, 128, &got), STATUS_SUCCESS);
    assert_true(plat_addr_equal(&got, &v4));

    memcpy(room + 1, v6_octets, sizeof v6_octets);
    for (int family = 10; family <= 23; family += 13) {
        room[1] = (uint8_t)family;
        assert_int_equal(ndk_addr_read(unaligned, 28, &got), STATUS_SUCCESS);
        assert_true(plat_addr_equal(&got, &v6));
        assert_int_equal(got.scope, 5);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    static const struct {
        uint8_t family;
        ULONG length;
        NTSTATUS want;
    } cases[] = {
        {2, 0, STATUS_INVALID_PARAMETER},
        {2, 1, STATUS_INVALID_PARAMETER},
        {2, 15, STATUS_INVALID_PARAMETER},
        {23, 16, STATUS_INVALID_PARAMETER},
        {23, 27, STATUS_INVALID_PARAMETER},
        {10, 27, STATUS_INVALID_PARAMETER},
        {0, 28, STATUS_INVALID_ADDRESS},
        {1, 28, STATUS_INVALID_ADDRESS},
        {9, 28, STATUS_INVALID_ADDRESS},
        {24, 28, STATUS_INVALID_ADDRESS},
    };
    const struct plat_addr untouched = {.family = 99, .port = 7};

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        SOCKADDR_IN6 in = {.sin6_family = cases[i].family};
        struct plat_addr got = untouched;

        assert_int_equal(
            ndk_addr_read((SOCKADDR *)(void *)&in, cases[i].length, &got), cases[i].want);
        assert_memory_equal(&got, &untouched, sizeof got);
    }
    assert_int_equal(ndk_addr_read(NULL, 28, &(struct plat_addr){0}), STATUS_INVALID_PARAMETER);
}

/* [NDKPI NDK_FN_GET_LOCAL_ADDRESS] */
static void addresses_are_written_in_the_form_of_windows(void **state)
{
    static const struct {
        const struct plat_addr *from;
        const uint8_t *octets;
        ULONG needed;
    } cases[] = {{&v4, v4_octets, 16}, {&v6, v6_octets, 28}};

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        for (ULONG room = 0; room <= 40; room++) {
            uint8_t out[40], before[40];
            ULONG length = room;
            NTSTATUS got;

            memset(out, 0xee, sizeof out);
            memset(before, 0xee, sizeof before);
            got = ndk_addr_write(cases[i].from, (PSOCKADDR)(void *)out, &length);
            assert_int_equal(length, cases[i].needed);
            if (room < cases[i].needed) {
                assert_int_equal(got, STATUS_BUFFER_TOO_SMALL);
                assert_memory_equal(out, before, sizeof out);
            } else {
                assert_int_equal(got, STATUS_SUCCESS);
                assert_memory_equal(out, cases[i].octets, cases[i].needed);
                assert_memory_equal(out + length, before, sizeof out - length);
            }
        }
    }
}

static void a_size_query_has_no_buffer(void **state)
{
    ULONG length = 0;

    (void)state;
    assert_int_equal(ndk_addr_write(&v6, NULL, &length), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(length, 28);
    assert_int_equal(ndk_addr_write(&v6, NULL, &length), STATUS_INVALID_PARAMETER);
    assert_int_equal(length, 28);
    assert_int_equal(ndk_addr_write(&v6, NULL, NULL), STATUS_INVALID_PARAMETER);
}

static void what_was_written_is_read_again(void **state)
{
    const struct plat_addr *both[] = {&v4, &v6};

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(both); i++) {
        SOCKADDR_INET inet;
        struct plat_addr got;

        memset(&inet, 0xee, sizeof inet);
        ndk_addr_to_inet(both[i], &inet);
        assert_int_equal(
            ndk_addr_read((SOCKADDR *)(void *)&inet, sizeof inet, &got), STATUS_SUCCESS);
        assert_memory_equal(&got, both[i], sizeof got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_families_are_read),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(addresses_are_written_in_the_form_of_windows),
        cmocka_unit_test(a_size_query_has_no_buffer),
        cmocka_unit_test(what_was_written_is_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
