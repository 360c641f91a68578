/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include <softndk.h>

static void names(void **state)
{
    static const struct {
        NTSTATUS status;
        const char *name;
    } cases[] = {
        {STATUS_SUCCESS, "STATUS_SUCCESS"},
        {STATUS_PENDING, "STATUS_PENDING"},
        {STATUS_SOME_NOT_MAPPED, "STATUS_SOME_NOT_MAPPED"},
        {STATUS_NAME_TOO_LONG, "STATUS_NAME_TOO_LONG"},
        {STATUS_OBJECT_NAME_EXISTS, "STATUS_OBJECT_NAME_EXISTS"},
        {STATUS_TIMEOUT, "STATUS_TIMEOUT"},
        {STATUS_BUFFER_OVERFLOW, "STATUS_BUFFER_OVERFLOW"},
        {STATUS_UNSUCCESSFUL, "STATUS_UNSUCCESSFUL"},
        {STATUS_IO_TIMEOUT, "STATUS_IO_TIMEOUT"},
        {STATUS_INVALID_PARAMETER_12, "STATUS_INVALID_PARAMETER_12"},
        {STATUS_CONNECTION_REFUSED, "STATUS_CONNECTION_REFUSED"},
        {STATUS_HASH_NOT_SUPPORTED, "STATUS_HASH_NOT_SUPPORTED"},
        {NDIS_STATUS_BAD_VERSION, "NDIS_STATUS_BAD_VERSION"},
        {NDIS_STATUS_ADAPTER_NOT_READY, "NDIS_STATUS_ADAPTER_NOT_READY"},
        {(NTSTATUS)0x00012345, "unknown status"},
        {(NTSTATUS)0xffffffff, "unknown status"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++)
        assert_string_equal(SoftNdkStatusName(cases[i].status), cases[i].name);
}

/* The table is searched by halves, so each value is found only if the order is right. */
static void every_code_of_the_digest_has_a_name(void **state)
{
    static const ULONG codes[] = {0x00000000, 0x00000103, 0x80000005, 0x80000011, 0x8000001A,
        0xC0000001, 0xC0000005, 0xC000000D, 0xC0000010, 0xC0000023, 0xC0000030, 0xC000003C,
        0xC0000043, 0xC000009A, 0xC00000A3, 0xC00000B5, 0xC00000BB, 0xC00000E5, 0xC00000EF,
        0xC00000F0, 0xC00000F1, 0xC00000F2, 0xC00000F3, 0xC00000F4, 0xC00000F5, 0xC00000F6,
        0xC00000F7, 0xC00000F8, 0xC00000F9, 0xC00000FA, 0xC0000120, 0xC000013D, 0xC0000141,
        0xC0000184, 0xC0000206, 0xC0000209, 0xC000020A, 0xC000020C, 0xC000020D, 0xC0000225,
        0xC0000236, 0xC0000237, 0xC0000238, 0xC000023A, 0xC000023B, 0xC000023C, 0xC000023D,
        0xC0000241, 0xC00002B6, 0xC00002B9, 0xC000042B, 0xC0010004, 0xC0010011};

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(codes); i++) {
        assert_string_not_equal(SoftNdkStatusName((NTSTATUS)codes[i]), "unknown status");
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(
                SoftNdkStatusName((NTSTATUS)codes[i]), SoftNdkStatusName((NTSTATUS)codes[k]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(every_code_of_the_digest_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
