/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/crc32c.h"
#include "support/unit.h"

static uint8_t zeros[32], ones[32], up[32], down[32];

static int fill_inputs(void **state)
{
    (void)state;
    memset(ones, 0xFF, sizeof(ones));
    for (uint8_t i = 0; i < 32; i++) {
        up[i] = i;
        down[i] = (uint8_t)(31 - i);
    }
    return 0;
}

/* The sums as they stand on the wire: least significant octet first. */
static const struct {
    const char *what;
    const void *p;
    size_t n;
    uint8_t wire[4];
} vectors[] = {
    {"32 octets 00", zeros, 32, {0xaa, 0x36, 0x91, 0x8a}},
    {"32 octets ff", ones, 32, {0x43, 0xab, 0xa8, 0x62}},
    {"00 to 1f", up, 32, {0x4e, 0x79, 0xdd, 0x46}},
    {"1f to 00", down, 32, {0x5c, 0xdb, 0x3f, 0x11}},
    {"the check value", "123456789", 9, {0x83, 0x92, 0x06, 0xe3}},
    {"nothing", "", 0, {0x00, 0x00, 0x00, 0x00}},
};

/* [MPA-034] */
static void gives_the_known_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        uint8_t wire[4];

        sn_put_le32(
            wire, sn_crc32c_finish(sn_crc32c_add(SN_CRC32C_INIT, vectors[i].p, vectors[i].n)));
        if (memcmp(wire, vectors[i].wire, sizeof(wire)) != 0)
            fail_msg("wrong for %s", vectors[i].what);
    }
    assert_int_equal(sn_crc32c_finish(sn_crc32c_add(SN_CRC32C_INIT, "123456789", 9)), 0xE3069283u);
}

/* Bit by bit, from the polynomial: slow, and shares nothing with what is tested. */
static uint32_t crc_by_definition(const uint8_t *p, size_t n)
{
    uint32_t r = 0xFFFFFFFFu;

    while (n-- > 0) {
        r ^= *p++;
        for (int bit = 0; bit < 8; bit++)
            r = (r >> 1) ^ ((r & 1u) != 0 ? 0x82F63B78u : 0);
    }
    return ~r;
}

static void any_length_and_alignment_gives_the_polynomials_remainder(void **state)
{
    uint8_t data[600 + 16];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 167 + 13);
    for (size_t n = 0; n <= 600; n = n < 70 ? n + 1 : n + 53) {
        for (size_t at = 0; at < 16; at++) {
            uint32_t sum = sn_crc32c_finish(sn_crc32c_add(SN_CRC32C_INIT, data + at, n));

            assert_int_equal(sum, crc_by_definition(data + at, n));
        }
    }
}

static void pieces_give_the_same_as_the_whole(void **state)
{
    uint8_t data[128];
    uint32_t whole, running;

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 31 + 7);
    whole = sn_crc32c_add(SN_CRC32C_INIT, data, sizeof(data));
    for (size_t first = 0; first <= sizeof(data); first++) {
        running = sn_crc32c_add(SN_CRC32C_INIT, data, first);
        running = sn_crc32c_add(running, data + first, sizeof(data) - first);
        assert_int_equal(running, whole);
    }
    running = SN_CRC32C_INIT;
    for (size_t i = 0; i < sizeof(data); i++)
        running = sn_crc32c_add(running, data + i, 1);
    assert_int_equal(running, whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_known_values),
        cmocka_unit_test(any_length_and_alignment_gives_the_polynomials_remainder),
        cmocka_unit_test(pieces_give_the_same_as_the_whole),
    };

    return cmocka_run_group_tests(tests, fill_inputs, NULL);
}
