/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include <stdlib.h>
#include <wdm.h>

#define W(text) SOFTNDK_WIDE_(text)

static UNICODE_STRING wide(PCWSTR text)
{
    UNICODE_STRING s;

    RtlInitUnicodeString(&s, text);
    return s;
}

static int sign(LONG n)
{
    return n < 0 ? -1 : n > 0;
}

static void compared(void **state)
{
    static const struct {
        PCWSTR a, b;
        int exact, folded, is_prefix;
    } cases[] = {
        {W(""), W(""), 0, 0, 1},
        {W("a"), W(""), 1, 1, 0},
        {W("abc"), W("abd"), -1, -1, 0},
        {W("ABC"), W("abc"), -1, 0, 0},
        {W("abc"), W("abcd"), -1, -1, 1},
        {W("\u00e4"), W("\u00c4"), 1, 0, 0},
        {W("\u00f7"), W("\u00d7"), 1, 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        UNICODE_STRING a = wide(cases[i].a), b = wide(cases[i].b);

        assert_int_equal(sign(RtlCompareUnicodeString(&a, &b, FALSE)), cases[i].exact);
        assert_int_equal(sign(RtlCompareUnicodeString(&a, &b, TRUE)), cases[i].folded);
        assert_int_equal(sign(RtlCompareUnicodeString(&b, &a, TRUE)), -cases[i].folded);
        assert_int_equal(RtlPrefixUnicodeString(&a, &b, FALSE), cases[i].is_prefix);
    }
}

static void narrow(void **state)
{
    ANSI_STRING a, b, upper;
    CHAR buffer[3];

    (void)state;
    RtlInitString(&a, "aBc");
    RtlInitAnsiString(&b, "abc");
    assert_int_equal(sign(RtlCompareString(&a, &b, FALSE)), -1);
    assert_int_equal(RtlCompareString(&a, &b, TRUE), 0);
    RtlInitEmptyAnsiString(&upper, buffer, sizeof(buffer));
    RtlUpperString(&upper, &b);
    assert_int_equal(upper.Length, 3);
    assert_memory_equal(buffer, "ABC", 3);
    upper.MaximumLength = 2;
    RtlCopyString(&upper, &a);
    assert_int_equal(upper.Length, 2);
    assert_memory_equal(buffer, "aBC", 3);
    RtlCopyString(&upper, NULL);
    assert_int_equal(upper.Length, 0);
    assert_int_equal(RtlUpperChar('z'), 'Z');
}

static void appended(void **state)
{
    WCHAR buffer[6];
    UNICODE_STRING to, more = wide(W("cd"));

    (void)state;
    RtlInitEmptyUnicodeString(&to, buffer, sizeof(buffer));
    assert_int_equal(RtlAppendUnicodeToString(&to, W("ab")), STATUS_SUCCESS);
    assert_int_equal(RtlAppendUnicodeStringToString(&to, &more), STATUS_SUCCESS);
    assert_int_equal(to.Length, 8);
    assert_memory_equal(buffer, W("abcd"), 10);
    assert_int_equal(RtlAppendUnicodeToString(&to, W("xyz")), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(to.Length, 8);
    assert_int_equal(RtlAppendUnicodeToString(&to, W("ef")), STATUS_SUCCESS); /* to the brim */
    assert_int_equal(to.Length, 12);
    assert_int_equal(RtlAppendUnicodeToString(&to, NULL), STATUS_SUCCESS);
}

static void changed(void **state)
{
    UNICODE_STRING from = wide(W("a\u00e9Z\u00ff\u4e00")), to = {0, 0, NULL}, back = {0, 0, NULL};
    ULONG one = 0, two = 0;

    (void)state;
    assert_int_equal(RtlUpcaseUnicodeString(&to, &from, TRUE), STATUS_SUCCESS);
    assert_memory_equal(to.Buffer, W("A\u00c9Z\u0178\u4e00"), to.Length);
    assert_int_equal(RtlDowncaseUnicodeString(&back, &to, TRUE), STATUS_SUCCESS);
    assert_memory_equal(back.Buffer, W("a\u00e9z\u00ff\u4e00"), back.Length);
    assert_int_equal(RtlHashUnicodeString(&to, TRUE, HASH_STRING_ALGORITHM_DEFAULT, &one), 0);
    assert_int_equal(RtlHashUnicodeString(&back, TRUE, HASH_STRING_ALGORITHM_X65599, &two), 0);
    assert_int_equal(one, two);
    assert_int_equal(RtlHashUnicodeString(&back, FALSE, 0, &two), 0);
    assert_int_not_equal(one, two);
    assert_int_equal(RtlHashUnicodeString(&back, FALSE, 7, &two), STATUS_INVALID_PARAMETER);
    back.MaximumLength = 2;
    assert_int_equal(RtlUpcaseUnicodeString(&back, &from, FALSE), STATUS_BUFFER_OVERFLOW);
    RtlFreeUnicodeString(&to);
    RtlFreeUnicodeString(&back);
    assert_null(to.Buffer);
    RtlFreeUnicodeString(&to);
}

static void too_long(void **state)
{
    WCHAR *text = calloc(40000, sizeof(WCHAR));
    UNICODE_STRING s;

    (void)state;
    assert_non_null(text);
    for (int i = 0; i < 39999; i++)
        text[i] = 'x';
    assert_int_equal(RtlInitUnicodeStringEx(&s, text), STATUS_NAME_TOO_LONG);
    text[100] = 0;
    assert_int_equal(RtlInitUnicodeStringEx(&s, text), STATUS_SUCCESS);
    assert_int_equal(s.Length, 200);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compared),
        cmocka_unit_test(narrow),
        cmocka_unit_test(appended),
        cmocka_unit_test(changed),
        cmocka_unit_test(too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
