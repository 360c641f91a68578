/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "support/unit.h"

static const uint8_t octets[] = {0x81, 0x02, 0xF3, 0x04, 0x85, 0x06, 0xF7, 0x08};

static void numbers_come_out_in_the_order_asked_for(void **state)
{
    (void)state;
    assert_int_equal(sn_get_be16(octets), 0x8102);
    assert_int_equal(sn_get_be32(octets), 0x8102F304u);
    assert_true(sn_get_be64(octets) == 0x8102F3048506F708u);
    assert_int_equal(sn_get_le32(octets), 0x04F30281u);
}

static void what_is_put_is_got_at_any_alignment(void **state)
{
    static const uint64_t values[] = {0, 1, 0x80, 0xFF, 0x8000, 0xFFFF, 0x80000000u, 0xFFFFFFFFu,
        0x0102030405060708u, 0x8000000000000000u, UINT64_MAX};
    uint8_t buf[24];

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        for (size_t at = 1; at < 9; at++) {
            memset(buf, 0xEE, sizeof(buf));
            sn_put_be16(buf + at, (uint16_t)values[i]);
            assert_int_equal(sn_get_be16(buf + at), (uint16_t)values[i]);
            assert_int_equal(buf[at + 2], 0xEE);
            sn_put_be32(buf + at, (uint32_t)values[i]);
            assert_int_equal(sn_get_be32(buf + at), (uint32_t)values[i]);
            assert_int_equal(buf[at + 4], 0xEE);
            sn_put_le32(buf + at, (uint32_t)values[i]);
            assert_int_equal(sn_get_le32(buf + at), (uint32_t)values[i]);
            assert_int_equal(buf[at + 4], 0xEE);
            sn_put_be64(buf + at, values[i]);
            assert_true(sn_get_be64(buf + at) == values[i]);
            assert_int_equal(buf[at + 8], 0xEE);
            assert_int_equal(buf[at - 1], 0xEE);
        }
    }
}

static void what_is_got_is_put_back(void **state)
{
    uint8_t buf[8];

    (void)state;
    sn_put_be16(buf, sn_get_be16(octets));
    assert_memory_equal(buf, octets, 2);
    sn_put_be32(buf, sn_get_be32(octets));
    assert_memory_equal(buf, octets, 4);
    sn_put_le32(buf, sn_get_le32(octets));
    assert_memory_equal(buf, octets, 4);
    sn_put_be64(buf, sn_get_be64(octets));
    assert_memory_equal(buf, octets, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_out_in_the_order_asked_for),
        cmocka_unit_test(what_is_put_is_got_at_any_alignment),
        cmocka_unit_test(what_is_got_is_put_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
