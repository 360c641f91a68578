/* SPDX-License-Identifier: MIT */
/* The headers that have no source: ntintsafe.h, guiddef.h, initguid.h. */
#include "support/unit.h"

#include <initguid.h>
#include <ip2string.h>
#include <ntifs.h>
#include <ntintsafe.h>
#include <wdmsec.h>

DEFINE_GUID(
    GUID_SAMPLE, 0x11223344, 0x5566, 0x7788, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00);

static void overflow_is_told(void **state)
{
    ULONG u = 0;
    USHORT s = 0;
    SIZE_T size = 0;
    LONG l = 0;

    (void)state;
    assert_int_equal(RtlULongAdd(MAXULONG - 1, 1, &u), STATUS_SUCCESS);
    assert_int_equal(u, MAXULONG);
    assert_int_equal(RtlULongAdd(MAXULONG, 1, &u), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(u, MAXULONG);
    assert_int_equal(RtlULongSub(1, 2, &u), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlULongMult(65536, 65535, &u), STATUS_SUCCESS);
    assert_int_equal(RtlULongMult(65536, 65536, &u), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlUShortAdd(65535, 1, &s), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlSizeTMult(SIZE_MAX / 2, 3, &size), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlLongAdd(MAXLONG, 1, &l), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlLongSub(-5, 5, &l), STATUS_SUCCESS);
    assert_int_equal(l, -10);
}

static void conversions_are_checked(void **state)
{
    USHORT s = 0;
    ULONG u = 0;
    LONG l = 0;

    (void)state;
    assert_int_equal(RtlULongToUShort(65535, &s), STATUS_SUCCESS);
    assert_int_equal(RtlULongToUShort(65536, &s), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(s, 65535);
    assert_int_equal(RtlLongToULong(-1, &u), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlSizeTToULong(0x100000000, &u), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlULongToLong(0x80000000, &l), STATUS_INTEGER_OVERFLOW);
    assert_int_equal(RtlLongLongToLong(-2147483648LL, &l), STATUS_SUCCESS);
    assert_int_equal(l, (LONG)MINLONG);
}

static void a_guid_by_name(void **state)
{
    static const UCHAR octets[16] = {0x44, 0x33, 0x22, 0x11, 0x66, 0x55, 0x88, 0x77, 0x99, 0xaa,
        0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00};

    (void)state;
    assert_memory_equal(&GUID_SAMPLE, octets, sizeof(octets));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overflow_is_told),
        cmocka_unit_test(conversions_are_checked),
        cmocka_unit_test(a_guid_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
