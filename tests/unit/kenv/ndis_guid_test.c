/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include <ndisndk.h>

/* Compared with the documented text form. */
static void assert_guid(const GUID *guid, const char *text)
{
    char out[40];

    snprintf(out, sizeof(out), "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", guid->Data1,
        guid->Data2, guid->Data3, guid->Data4[0], guid->Data4[1], guid->Data4[2], guid->Data4[3],
        guid->Data4[4], guid->Data4[5], guid->Data4[6], guid->Data4[7]);
    assert_string_equal(out, text);
}

static void guids_and_keywords(void **state)
{
    NDIS_STRING keyword = NETWORK_DIRECT_KEYWORD;
    NDIS_STRING flags = NETWORK_DIRECT_GLOBAL_FLAGS_KEYWORD;

    (void)state;
    assert_guid(&GUID_NDIS_NDK_CAPABILITIES, "7969ba4d-dd80-4bc7-b3e6-68043997e519");
    assert_guid(&GUID_NDIS_NDK_STATE, "530c69c9-2f51-49de-a1af-088d54ffa474");
    assert_int_equal(keyword.Length, 2 * strlen("*NetworkDirect"));
    assert_int_equal(keyword.MaximumLength, keyword.Length + 2);
    assert_int_equal(keyword.Buffer[0], '*');
    assert_int_equal(keyword.Buffer[13], 't');
    assert_int_equal(flags.Length, 2 * strlen("*NetworkDirectGlobalFlags"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(guids_and_keywords)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
