/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include <net/if.h>
#include <netioapi.h>

static void index_name_and_luid(void **state)
{
    NET_IFINDEX index = if_nametoindex("lo"), back = 0;
    NET_LUID luid, again;
    char name[IF_MAX_STRING_SIZE + 1];

    (void)state;
    if (index == 0)
        skip(); /* a host without a loopback interface */
    assert_int_equal(ConvertInterfaceIndexToLuid(index, &luid), STATUS_SUCCESS);
    assert_int_equal(luid.Info.IfType, 24);
    assert_int_equal(ConvertInterfaceLuidToIndex(&luid, &back), STATUS_SUCCESS);
    assert_int_equal(back, index);
    assert_int_equal(ConvertInterfaceNameToLuidA("lo", &again), STATUS_SUCCESS);
    assert_int_equal(again.Value, luid.Value);
    assert_int_equal(ConvertInterfaceLuidToNameA(&luid, name, sizeof(name)), STATUS_SUCCESS);
    assert_string_equal(name, "lo");
    assert_int_equal(ConvertInterfaceLuidToNameA(&luid, name, 3), STATUS_SUCCESS);
    assert_int_equal(ConvertInterfaceLuidToNameA(&luid, name, 2), STATUS_BUFFER_TOO_SMALL);
}

static void what_there_is_not(void **state)
{
    NET_LUID luid = {.Value = 0};
    NET_IFINDEX index;
    char name[16];

    (void)state;
    luid.Info.NetLuidIndex = 0xfffffe;
    assert_int_equal(ConvertInterfaceIndexToLuid(0x7ffffff0, &luid), STATUS_NOT_FOUND);
    assert_int_equal(ConvertInterfaceIndexToLuid(NET_IFINDEX_UNSPECIFIED, &luid), STATUS_NOT_FOUND);
    assert_int_equal(ConvertInterfaceLuidToIndex(&luid, &index), STATUS_NOT_FOUND);
    assert_int_equal(ConvertInterfaceNameToLuidA("no-such-name", &luid), STATUS_NOT_FOUND);
    assert_int_equal(ConvertInterfaceLuidToNameA(&luid, name, sizeof(name)), STATUS_NOT_FOUND);
    assert_int_equal(ConvertInterfaceIndexToLuid(1, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(ConvertInterfaceLuidToIndex(NULL, &index), STATUS_INVALID_PARAMETER);
    assert_int_equal(ConvertInterfaceLuidToIndex(&luid, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(ConvertInterfaceNameToLuidA(NULL, &luid), STATUS_INVALID_PARAMETER);
    assert_int_equal(ConvertInterfaceNameToLuidA("lo", NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(ConvertInterfaceLuidToNameA(NULL, name, 16), STATUS_INVALID_PARAMETER);
    assert_int_equal(ConvertInterfaceLuidToNameA(&luid, NULL, 16), STATUS_INVALID_PARAMETER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_name_and_luid),
        cmocka_unit_test(what_there_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
