/* SPDX-License-Identifier: MIT */
#include "ndk/status_map.h"

#include "base/status.h"
#include "support/unit.h"

/* The documents' words, listed a second time. */
static const struct {
    enum sn_status from;
    NTSTATUS call, completion;
} expected[] = {
    {SN_OK, 0x00000000, 0x00000000},
    {SN_PENDING, 0x00000103, (NTSTATUS)0xC00000E5},
    {SN_NO_MEMORY, (NTSTATUS)0xC000009A, (NTSTATUS)0xC000009A},
    {SN_INVALID, (NTSTATUS)0xC000000D, (NTSTATUS)0xC0000010},
    {SN_LIMIT, (NTSTATUS)0xC000000D, (NTSTATUS)0xC000003C},
    {SN_BUFFER_TOO_SMALL, (NTSTATUS)0xC0000023, (NTSTATUS)0x80000005},
    {SN_NOT_SUPPORTED, (NTSTATUS)0xC00000BB, (NTSTATUS)0xC00000BB},
    {SN_BAD_STATE, (NTSTATUS)0xC0000184, (NTSTATUS)0xC0000010},
    {SN_BUSY, (NTSTATUS)0x80000011, (NTSTATUS)0xC0000010},
    {SN_QUEUE_FULL, (NTSTATUS)0xC000009A, (NTSTATUS)0xC00000E5},
    {SN_NOT_CONNECTED, (NTSTATUS)0xC000023A, (NTSTATUS)0xC0000120},
    {SN_ALREADY_CONNECTED, (NTSTATUS)0xC000023B, (NTSTATUS)0xC00000E5},
    {SN_NO_ACCESS, (NTSTATUS)0xC0000005, (NTSTATUS)0xC0000005},
    {SN_PRIVATE_DATA_TOO_LONG, (NTSTATUS)0xC0000206, (NTSTATUS)0xC00000E5},
    {SN_ADDRESS_IN_USE, (NTSTATUS)0xC0000043, (NTSTATUS)0xC00000E5},
    {SN_ADDRESS_INVALID, (NTSTATUS)0xC0000141, (NTSTATUS)0xC00000E5},
    {SN_NO_PORTS, (NTSTATUS)0xC0000209, (NTSTATUS)0xC00000E5},
    {SN_ADDRESS_PAIR_EXISTS, (NTSTATUS)0xC000020A, (NTSTATUS)0xC00000E5},
    {SN_REFUSED, (NTSTATUS)0xC0000236, (NTSTATUS)0xC00000B5},
    {SN_NET_UNREACHABLE, (NTSTATUS)0xC000023C, (NTSTATUS)0xC00000B5},
    {SN_HOST_UNREACHABLE, (NTSTATUS)0xC000023D, (NTSTATUS)0xC00000B5},
    {SN_TIMED_OUT, (NTSTATUS)0xC00000B5, (NTSTATUS)0xC00000B5},
    {SN_ABORTED, (NTSTATUS)0xC0000241, (NTSTATUS)0xC00000B5},
    {SN_RESET, (NTSTATUS)0xC0000241, (NTSTATUS)0xC00000B5},
    {SN_CANCELLED, (NTSTATUS)0xC0000120, (NTSTATUS)0xC0000120},
    {SN_PROTOCOL, (NTSTATUS)0xC0000241, (NTSTATUS)0xC00000E5},
    {SN_MSG_TOO_LONG, (NTSTATUS)0x80000005, (NTSTATUS)0x80000005},
    {SN_BAD_REQUEST, (NTSTATUS)0xC0000010, (NTSTATUS)0xC0000010},
    {SN_REMOTE_ACCESS, (NTSTATUS)0xC0000005, (NTSTATUS)0xC0000005},
    {SN_REMOTE_ERROR, (NTSTATUS)0xC000013D, (NTSTATUS)0xC000013D},
    {SN_CQ_OVERRUN, (NTSTATUS)0x80000005, (NTSTATUS)0xC00000E5},
    {SN_INTERNAL, (NTSTATUS)0xC00000E5, (NTSTATUS)0xC00000E5},
};

static void every_status_is_mapped_as_documented(void **state)
{
    (void)state;
    assert_int_equal(SN_ARRAY_COUNT(expected), SN_STATUS_COUNT);
    for (unsigned i = 0; i < SN_STATUS_COUNT; i++) {
        assert_int_equal(expected[i].from, i);
        assert_int_equal(ndk_status(expected[i].from), expected[i].call);
        assert_int_equal(ndk_status_of(NDK_CALL_COMMON, expected[i].from), expected[i].call);
        assert_int_equal(ndk_completion_status[i], expected[i].completion);
    }
}

/* [NDKPI NDK_FN_CLOSE_OBJECT] and all others: only success is success. */
static void only_success_and_pending_are_no_failure(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SN_STATUS_COUNT; i++) {
        assert_int_equal(NT_SUCCESS(ndk_status((enum sn_status)i)), i == SN_OK || i == SN_PENDING);
        assert_int_equal(NT_SUCCESS(ndk_completion_status[i]), i == SN_OK);
    }
}

static void some_calls_have_words_of_their_own(void **state)
{
    static const struct {
        enum ndk_call call;
        enum sn_status from;
        NTSTATUS to;
    } own[] = {
        {NDK_CALL_CREATE_TOKEN, SN_LIMIT, STATUS_INSUFFICIENT_RESOURCES},
        {NDK_CALL_FAST_INIT, SN_LIMIT, STATUS_IMPLEMENTATION_LIMIT},
        {NDK_CALL_FAST_INIT, SN_BUSY, STATUS_INVALID_DEVICE_STATE},
        {NDK_CALL_RESIZE, SN_BUSY, STATUS_INSUFFICIENT_RESOURCES},
        {NDK_CALL_MODERATE, SN_INVALID, STATUS_INVALID_PARAMETER_MIX},
        {NDK_CALL_CONNECT, SN_INVALID, STATUS_INVALID_ADDRESS},
        {NDK_CALL_DISCONNECT, SN_BAD_STATE, STATUS_CONNECTION_INVALID},
        {NDK_CALL_CONNECTION, SN_BAD_STATE, STATUS_CONNECTION_INVALID},
        {NDK_CALL_POST, SN_BAD_STATE, STATUS_INVALID_PARAMETER},
    };
    unsigned seen = 0;

    (void)state;
    for (unsigned call = 0; call < NDK_CALL_COUNT; call++) {
        for (unsigned s = 0; s < SN_STATUS_COUNT; s++) {
            NTSTATUS want = ndk_status((enum sn_status)s);

            for (size_t i = 0; i < SN_ARRAY_COUNT(own); i++) {
                if (own[i].call == (enum ndk_call)call && own[i].from == (enum sn_status)s) {
                    want = own[i].to;
                    seen++;
                }
            }
            assert_int_equal(ndk_status_of((enum ndk_call)call, (enum sn_status)s), want);
        }
    }
    assert_int_equal(seen, SN_ARRAY_COUNT(own));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_is_mapped_as_documented),
        cmocka_unit_test(only_success_and_pending_are_no_failure),
        cmocka_unit_test(some_calls_have_words_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
