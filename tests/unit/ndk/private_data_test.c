/* SPDX-License-Identifier: MIT */
#include "ndk/private_data.h"

#include "support/unit.h"

enum { SENT = 5 };
static const uint8_t sent[SENT] = {1, 2, 3, 4, 5};

/* [NDKPI NDK_FN_GET_CONNECTION_DATA] Every row of its table, for every room. */
static void what_fits_is_copied_and_what_was_sent_is_said(void **state)
{
    (void)state;
    for (ULONG room = 0; room <= SENT + 3; room++) {
        uint8_t out[SENT + 3];
        ULONG length = room;
        NTSTATUS got;

        memset(out, 0xee, sizeof out);
        got = ndk_private_data_copy(sent, SENT, out, &length);
        assert_int_equal(got, room < SENT ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS);
        assert_int_equal(length, SENT);
        for (ULONG i = 0; i < sizeof out; i++)
            assert_int_equal(out[i], i < room && i < SENT ? sent[i] : 0xee);
    }
}

static void no_buffer_and_no_room_asks_for_the_size(void **state)
{
    ULONG length = 0;

    (void)state;
    assert_int_equal(ndk_private_data_copy(sent, SENT, NULL, &length), STATUS_SUCCESS);
    assert_int_equal(length, SENT);
    assert_int_equal(ndk_private_data_copy(sent, SENT, NULL, &length), STATUS_INVALID_PARAMETER);
    assert_int_equal(length, SENT);
}

static void no_data_fits_anywhere(void **state)
{
    uint8_t out[1] = {0xee};
    ULONG length = 0;

    (void)state;
    assert_int_equal(ndk_private_data_copy(NULL, 0, out, &length), STATUS_SUCCESS);
    length = 1;
    assert_int_equal(ndk_private_data_copy(NULL, 0, out, &length), STATUS_SUCCESS);
    assert_int_equal(length, 0);
    assert_int_equal(out[0], 0xee);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_copied_and_what_was_sent_is_said),
        cmocka_unit_test(no_buffer_and_no_room_asks_for_the_size),
        cmocka_unit_test(no_data_fits_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
