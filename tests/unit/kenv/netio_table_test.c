/* SPDX-License-Identifier: MIT */
/* Every host has a loopback interface with 127.0.0.1; nothing else is taken for granted. */
#include "support/unit.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netioapi.h>
#include <stdbool.h>
#include <string.h>

static void interfaces(void **state)
{
    PMIB_IF_TABLE2 table = NULL;
    MIB_IF_ROW2 row;
    ULONG loopbacks = 0;

    (void)state;
    assert_int_equal(GetIfTable2(&table), STATUS_SUCCESS);
    assert_true(table->NumEntries >= 1);
    for (ULONG i = 0; i < table->NumEntries; i++) {
        const MIB_IF_ROW2 *r = &table->Table[i];
        char name[IF_NAMESIZE];

        assert_non_null(if_indextoname(r->InterfaceIndex, name));
        for (size_t k = 0; k <= strlen(name); k++)
            assert_int_equal(r->Alias[k], name[k]);
        assert_int_equal(r->InterfaceLuid.Info.NetLuidIndex, r->InterfaceIndex);
        if (r->Type == IF_TYPE_SOFTWARE_LOOPBACK) {
            loopbacks++;
            assert_true(r->Mtu > 0);
            assert_int_equal(r->OperStatus, IfOperStatusUp);
            assert_int_equal(r->AdminStatus, NET_IF_ADMIN_STATUS_UP);
        }
    }
    assert_int_equal(loopbacks, 1);

    memset(&row, 0, sizeof(row));
    row.InterfaceIndex = table->Table[0].InterfaceIndex;
    assert_int_equal(GetIfEntry2(&row), STATUS_SUCCESS);
    assert_int_equal(row.InterfaceLuid.Value, table->Table[0].InterfaceLuid.Value);
    assert_int_equal(row.Mtu, table->Table[0].Mtu);
    FreeMibTable(table);
    memset(&row, 0, sizeof(row));
    assert_int_equal(GetIfEntry2(&row), STATUS_INVALID_PARAMETER);
    row.InterfaceIndex = 0x7fffffff;
    assert_int_equal(GetIfEntry2(&row), STATUS_NOT_FOUND);
    assert_int_equal(GetIfTable2Ex(MibIfTableNormalWithoutStatistics, &table), STATUS_SUCCESS);
    assert_int_equal(table->Table[0].InOctets, 0);
    FreeMibTable(table);
    assert_int_equal(GetIfTable2(NULL), STATUS_INVALID_PARAMETER);
}

static void addresses(void **state)
{
    PMIB_UNICASTIPADDRESS_TABLE table = NULL;
    MIB_UNICASTIPADDRESS_ROW row;
    bool has_loopback = false;

    (void)state;
    assert_int_equal(GetUnicastIpAddressTable(AF_INET, &table), STATUS_SUCCESS);
    for (ULONG i = 0; i < table->NumEntries; i++) {
        const MIB_UNICASTIPADDRESS_ROW *r = &table->Table[i];

        assert_int_equal(r->Address.si_family, AF_INET);
        assert_int_equal(r->DadState, NldsPreferred);
        if (r->Address.Ipv4.sin_addr.s_addr == htonl(0x7f000001)) {
            has_loopback = true;
            assert_int_equal(r->OnLinkPrefixLength, 8);
        }
    }
    FreeMibTable(table);
    assert_true(has_loopback);
    memset(&row, 0, sizeof(row));
    row.Address.Ipv4.sin_family = AF_INET;
    row.Address.Ipv4.sin_addr.s_addr = htonl(0x7f000001);
    assert_int_equal(GetUnicastIpAddressEntry(&row), STATUS_SUCCESS);
    assert_int_equal(row.InterfaceLuid.Info.IfType, IF_TYPE_SOFTWARE_LOOPBACK);
    row.Address.Ipv4.sin_addr.s_addr = htonl(0x01020304);
    assert_int_equal(GetUnicastIpAddressEntry(&row), STATUS_NOT_FOUND);
    assert_int_equal(GetUnicastIpAddressTable(77, &table), STATUS_INVALID_PARAMETER);
    if (GetUnicastIpAddressTable(SOFTNDK_AF_INET6, &table) == STATUS_SUCCESS) {
        for (ULONG i = 0; i < table->NumEntries; i++)
            assert_int_equal(table->Table[i].Address.si_family, SOFTNDK_AF_INET6);
        FreeMibTable(table);
    }
}

static void aliases(void **state)
{
    WCHAR alias[IF_MAX_STRING_SIZE + 1];
    NET_LUID luid, back;

    (void)state;
    assert_int_equal(ConvertInterfaceIndexToLuid(if_nametoindex("lo"), &luid), STATUS_SUCCESS);
    assert_int_equal(ConvertInterfaceLuidToAlias(&luid, alias, ARRAYSIZE(alias)), STATUS_SUCCESS);
    assert_int_equal(alias[0], 'l');
    assert_int_equal(ConvertInterfaceAliasToLuid(alias, &back), STATUS_SUCCESS);
    assert_int_equal(back.Value, luid.Value);
    assert_int_equal(ConvertInterfaceLuidToAlias(&luid, alias, 2), STATUS_BUFFER_TOO_SMALL);
    alias[0] = '?';
    assert_int_equal(ConvertInterfaceAliasToLuid(alias, &back), STATUS_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interfaces),
        cmocka_unit_test(addresses),
        cmocka_unit_test(aliases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
