/* SPDX-License-Identifier: MIT */
#include "common/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Filled in pieces or at once, it is the same data. */
static void pieces_fit(void **state)
{
    uint8_t whole[257], piece[257];

    (void)state;
    verify_fill(whole, sizeof whole, 7, 1000003);
    for (size_t cut = 0; cut <= sizeof whole; cut++) {
        size_t wrong;

        memset(piece, 0, sizeof piece);
        verify_fill(piece, cut, 7, 1000003);
        verify_fill(piece + cut, sizeof piece - cut, 7, 1000003 + cut);
        assert_memory_equal(piece, whole, sizeof whole);
        assert_true(verify_check(whole, cut, 7, 1000003, &wrong));
        assert_true(verify_check(whole + cut, sizeof whole - cut, 7, 1000003 + cut, &wrong));
    }
}

/* One changed bit anywhere is found where it is. */
static void finds_every_octet(void **state)
{
    uint8_t data[100];

    (void)state;
    for (size_t at = 0; at < 9; at++) {
        verify_fill(data, sizeof data, 9, at);
        for (size_t i = 0; i < sizeof data; i++) {
            size_t wrong = 12345;

            data[i] ^= (uint8_t)(1u << i % 8);
            assert_false(verify_check(data, sizeof data, 9, at, &wrong));
            assert_int_equal(wrong, i);
            data[i] ^= (uint8_t)(1u << i % 8);
        }
    }
}

static void other_seeds_and_places_differ(void **state)
{
    uint8_t data[64];
    size_t wrong;

    (void)state;
    verify_fill(data, sizeof data, 1, 0);
    assert_false(verify_check(data, sizeof data, 2, 0, &wrong));
    assert_false(verify_check(data, sizeof data, 1, 8, &wrong));
    assert_false(verify_check(data, sizeof data, 1, 1, &wrong));
    assert_true(verify_seed(1, 0) != verify_seed(1, 1));
    assert_true(verify_seed(1, 0) != verify_seed(2, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_fit),
        cmocka_unit_test(finds_every_octet),
        cmocka_unit_test(other_seeds_and_places_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
