/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include <ntstrsafe.h>
#include <wdm.h>

#define W(text) SOFTNDK_WIDE_(text)

static void formats(void **state)
{
    UNICODE_STRING counted;
    WCHAR out[64];

    (void)state;
    RtlInitUnicodeString(&counted, W("cnt"));
#define CHECK(wanted, ...)                                                                         \
    do {                                                                                           \
        memset(out, 0xee, sizeof(out));                                                            \
        assert_int_equal(RtlStringCchPrintfW(out, 64, __VA_ARGS__), STATUS_SUCCESS);               \
        assert_memory_equal(out, wanted, sizeof(wanted));                                          \
    } while (0)
    CHECK(W("plain \u20ac"), W("plain \u20ac"));
    CHECK(W("wide narrow"), W("%s %S"), W("wide"), "narrow");
    CHECK(W("wide narrow"), W("%ws %hs"), W("wide"), "narrow");
    CHECK(W("[  x][y]"), W("[%3c][%C]"), 'x', 'y');
    CHECK(W("cnt 0000002a ffffffff"), W("%wZ %08x %lx"), &counted, 42, -1);
    CHECK(W("5000000000 7%"), W("%I64u %d%%"), 5000000000ull, 7);
    CHECK(W("\\Device\\x\u00fc"), W("%s%s"), W("\\Device\\"), W("x\u00fc"));
    CHECK(W("  ab|"), W("%*.2s|"), 4, W("abc"));
}

static void cut_and_refused(void **state)
{
    static WCHAR long_format[600];
    WCHAR out[5];

    (void)state;
    assert_int_equal(RtlStringCbPrintfW(out, 10, W("%s"), W("abcdef")), STATUS_BUFFER_OVERFLOW);
    assert_memory_equal(out, W("abcd"), 10);
    assert_int_equal(RtlStringCchPrintfW(out, 5, W("%d"), 1234), STATUS_SUCCESS);
    assert_int_equal(RtlStringCchPrintfW(out, 0, W("x")), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlStringCchPrintfW(NULL, 5, W("x")), STATUS_INVALID_PARAMETER);
    for (size_t i = 0; i < ARRAYSIZE(long_format) - 1; i++)
        long_format[i] = 'x';
    assert_int_equal(RtlStringCchPrintfW(out, 5, long_format), STATUS_INVALID_PARAMETER);
    assert_int_equal(out[0], 0);
    /* What is not a whole conversion ends the text, it does not run over it. */
    assert_int_equal(RtlStringCchPrintfW(out, 5, W("a%")), STATUS_SUCCESS);
    assert_int_equal(RtlStringCchPrintfW(out, 5, W("%l")), STATUS_SUCCESS);
}

static void parts(void **state)
{
    WCHAR out[5] = {0};
    CHAR narrow[5] = "a";

    (void)state;
    assert_int_equal(RtlStringCchCopyNW(out, 5, W("abcdef"), 2), STATUS_SUCCESS);
    assert_memory_equal(out, W("ab"), 6);
    assert_int_equal(RtlStringCchCatNW(out, 5, W("xyz"), 1), STATUS_SUCCESS);
    assert_memory_equal(out, W("abx"), 8);
    assert_int_equal(RtlStringCbCatNW(out, 10, W("pqr"), 4), STATUS_BUFFER_OVERFLOW);
    assert_memory_equal(out, W("abxp"), 10);
    assert_int_equal(RtlStringCbCopyNW(out, 4, W("zz"), 100), STATUS_BUFFER_OVERFLOW);
    assert_memory_equal(out, W("z"), 4);
    assert_int_equal(RtlStringCchCatNA(narrow, 5, "bcd", 2), STATUS_SUCCESS);
    assert_string_equal(narrow, "abc");
    assert_int_equal(RtlStringCbCatNA(narrow, 5, "defg", 4), STATUS_BUFFER_OVERFLOW);
    assert_string_equal(narrow, "abcd");
    memset(narrow, 'x', sizeof(narrow));
    assert_int_equal(RtlStringCchCatNA(narrow, 5, "b", 1), STATUS_INVALID_PARAMETER);
}

static void counted_strings(void **state)
{
    WCHAR buffer[6];
    UNICODE_STRING to = {0, sizeof(buffer), buffer}, from, bad = {3, 8, buffer};

    (void)state;
    assert_int_equal(RtlUnicodeStringInit(&from, W("abc")), STATUS_SUCCESS);
    assert_int_equal(RtlUnicodeStringCopy(&to, &from), STATUS_SUCCESS);
    assert_int_equal(RtlUnicodeStringCatString(&to, W("de")), STATUS_SUCCESS);
    assert_int_equal(to.Length, 10);
    assert_int_equal(RtlUnicodeStringCat(&to, &from), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(to.Length, 12);
    assert_memory_equal(buffer, W("abcdea"), 12);
    assert_int_equal(RtlUnicodeStringCopyString(&to, W("x")), STATUS_SUCCESS);
    assert_int_equal(to.Length, 2);
    assert_int_equal(RtlUnicodeStringPrintf(&to, W("%s-%u"), W("n"), 42), STATUS_SUCCESS);
    assert_int_equal(to.Length, 8);
    assert_memory_equal(buffer, W("n-42"), 8);
    assert_int_equal(RtlUnicodeStringPrintf(&to, W("%u"), 1234567), STATUS_BUFFER_OVERFLOW);
    assert_memory_equal(buffer, W("123456"), 12);
    assert_int_equal(RtlUnicodeStringValidate(&bad), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlUnicodeStringCat(&to, &bad), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlUnicodeStringValidate(NULL), STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),
        cmocka_unit_test(cut_and_refused),
        cmocka_unit_test(parts),
        cmocka_unit_test(counted_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
