/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include <wdm.h>

#define W(text) SOFTNDK_WIDE_(text)

static UNICODE_STRING wide(PCWSTR text)
{
    UNICODE_STRING s;

    RtlInitUnicodeString(&s, text);
    return s;
}

static void there_and_back(void **state)
{
    static const struct {
        const char *narrow;
        PCWSTR wide;
    } cases[] = {
        {"", W("")},
        {"plain", W("plain")},
        {"\xc3\xbc\xe2\x82\xac", W("\u00fc\u20ac")},
        {"\xf0\x9f\x98\x80", W("\U0001f600")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        UNICODE_STRING expected = wide(cases[i].wide), to;
        ANSI_STRING from, back;

        RtlInitAnsiString(&from, cases[i].narrow);
        assert_int_equal(RtlAnsiStringToUnicodeSize(&from), expected.Length + 2);
        assert_int_equal(RtlAnsiStringToUnicodeString(&to, &from, TRUE), STATUS_SUCCESS);
        assert_true(RtlEqualUnicodeString(&to, &expected, FALSE));
        assert_int_equal(RtlUnicodeStringToAnsiSize(&to), from.Length + 1);
        assert_int_equal(RtlUnicodeStringToAnsiString(&back, &to, TRUE), STATUS_SUCCESS);
        assert_string_equal(back.Buffer, cases[i].narrow);
        back.MaximumLength = back.Length;
        assert_int_equal(RtlUnicodeStringToAnsiString(&back, &to, FALSE), STATUS_BUFFER_OVERFLOW);
        to.MaximumLength = to.Length;
        assert_int_equal(RtlAnsiStringToUnicodeString(&to, &from, FALSE), STATUS_BUFFER_OVERFLOW);
        RtlFreeUnicodeString(&to);
        RtlFreeAnsiString(&back);
    }
}

static void what_is_not_valid(void **state)
{
    static const char *const bad[] = {
        "\xff", "\xc3", "\xc0\x80", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80"};
    static const WCHAR lone[] = {0xd800, 'a'};
    WCHAR out[8];
    CHAR narrow[8];
    ULONG n = 0;

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(bad); i++) {
        assert_int_equal(RtlUTF8ToUnicodeN(out, sizeof(out), &n, bad[i], (ULONG)strlen(bad[i])),
            STATUS_SOME_NOT_MAPPED);
        assert_int_equal((USHORT)out[0], 0xfffd);
    }
    assert_int_equal(
        RtlUnicodeToUTF8N(narrow, sizeof(narrow), &n, lone, sizeof(lone)), STATUS_SOME_NOT_MAPPED);
    assert_int_equal(n, 4);
    assert_memory_equal(narrow,
        "\xef\xbf\xbd"
        "a",
        4);
    assert_int_equal(RtlUnicodeToUTF8N(narrow, 2, &n, W("a\u20ac"), 4), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(n, 1);
    assert_int_equal(RtlUTF8ToUnicodeN(out, 2, &n, "ab", 2), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(n, 2);
}

static void numbers(void **state)
{
    static const struct {
        PCWSTR wide;
        const char *narrow;
        ULONG base, value;
    } cases[] = {
        {W("0"), "0", 0, 0},
        {W(" 42x"), " 42x", 0, 42},
        {W("-1"), "-1", 10, 0xffffffff},
        {W("0x1F"), "0x1F", 0, 31},
        {W("0b101"), "0b101", 0, 5},
        {W("0o17"), "0o17", 0, 15},
        {W("ff"), "ff", 16, 255},
        {W("+8"), "+8", 8, 0},
        {W(""), "", 0, 0},
    };
    WCHAR buffer[12];
    UNICODE_STRING s = {0, sizeof(buffer), buffer}, none = wide(W("1"));
    ULONG value = 0;

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        UNICODE_STRING text = wide(cases[i].wide);

        assert_int_equal(RtlUnicodeStringToInteger(&text, cases[i].base, &value), 0);
        assert_int_equal(value, cases[i].value);
        assert_int_equal(RtlCharToInteger(cases[i].narrow, cases[i].base, &value), 0);
        assert_int_equal(value, cases[i].value);
    }
    assert_int_equal(RtlUnicodeStringToInteger(&none, 7, &value), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlIntegerToUnicodeString(0xbeef, 16, &s), STATUS_SUCCESS);
    assert_memory_equal(buffer, W("BEEF"), 10);
    assert_int_equal(RtlIntegerToUnicodeString(0, 0, &s), STATUS_SUCCESS);
    assert_int_equal(s.Length, 2);
    assert_int_equal(RtlInt64ToUnicodeString(MAXULONG64, 10, &s), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(RtlInt64ToUnicodeString(123456789012, 10, &s), STATUS_SUCCESS);
    assert_memory_equal(buffer, W("123456789012"), 24);
    assert_int_equal(RtlIntegerToUnicodeString(1, 3, &s), STATUS_INVALID_PARAMETER);
}

static void guids(void **state)
{
    static const GUID guid = {
        0x6b29fc40, 0xca47, 0x1067, {0xb3, 0x1d, 0x00, 0xdd, 0x01, 0x06, 0x62, 0xda}};
    static const PCWSTR bad[] = {W(""), W("{6B29FC40-CA47-1067-B31D-00DD010662D}"),
        W("{6B29FC40-CA47-1067-B31D-00DD010662DA "), W("{6B29FC40 CA47-1067-B31D-00DD010662DA}"),
        W("{6B29FC4G-CA47-1067-B31D-00DD010662DA}")};
    UNICODE_STRING text, lower = wide(W("{6b29fc40-ca47-1067-b31d-00dd010662da}"));
    GUID back;

    (void)state;
    assert_int_equal(RtlStringFromGUID(&guid, &text), STATUS_SUCCESS);
    assert_memory_equal(text.Buffer, W("{6B29FC40-CA47-1067-B31D-00DD010662DA}"), 78);
    assert_int_equal(text.Length, 76);
    memset(&back, 0, sizeof(back));
    assert_int_equal(RtlGUIDFromString(&text, &back), STATUS_SUCCESS);
    assert_true(IsEqualGUID(&guid, &back));
    memset(&back, 0, sizeof(back));
    assert_int_equal(RtlGUIDFromString(&lower, &back), STATUS_SUCCESS);
    assert_true(IsEqualGUID(&guid, &back));
    for (size_t i = 0; i < ARRAYSIZE(bad); i++) {
        UNICODE_STRING s = wide(bad[i]);

        assert_int_equal(RtlGUIDFromString(&s, &back), STATUS_INVALID_PARAMETER);
    }
    RtlFreeUnicodeString(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(what_is_not_valid),
        cmocka_unit_test(numbers),
        cmocka_unit_test(guids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
