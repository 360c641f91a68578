/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include <stdlib.h>
#include <wdm.h>

static void memory(void **state)
{
    char a[4] = "abc", b[4] = "abd";

    (void)state;
    assert_int_equal(RtlCompareMemory(a, b, 4), 2);
    assert_int_equal(RtlCompareMemory(a, a, 4), 4);
    assert_int_equal(RtlCompareMemory(a, b, 0), 0);
    assert_true(RtlEqualMemory(a, b, 2));
    RtlMoveMemory(a + 1, a, 3);
    assert_memory_equal(a, "aabc", 4);
    RtlFillMemory(a, 4, 'x');
    assert_memory_equal(a, "xxxx", 4);
    assert_ptr_equal(RtlSecureZeroMemory(a, 4), a);
    assert_memory_equal(a, "\0\0\0\0", 4);
    RtlCopyMemory(a, b, 4);
    assert_string_equal(a, "abd");
    RtlZeroMemory(a, 4);
    assert_int_equal(a[0], 0);
    assert_int_equal(RtlUshortByteSwap(0x1234), 0x3412);
    assert_int_equal(RtlUlongByteSwap(0x12345678), 0x78563412);
    assert_int_equal(RtlUlonglongByteSwap(0x123456789abcdef0), 0xf0debc9a78563412);
}

static void counted_strings_point_at_text(void **state)
{
    static const WCHAR wide[] = {'a', 'b', 0};
    ANSI_STRING a;
    UNICODE_STRING u;

    (void)state;
    RtlInitAnsiString(&a, "text");
    assert_int_equal(a.Length, 4);
    assert_int_equal(a.MaximumLength, 5);
    assert_string_equal(a.Buffer, "text");
    RtlInitAnsiString(&a, NULL);
    assert_int_equal(a.Length + a.MaximumLength, 0);
    assert_null(a.Buffer);
    RtlInitUnicodeString(&u, wide);
    assert_int_equal(u.Length, 4);
    assert_int_equal(u.MaximumLength, 6);
    assert_ptr_equal(u.Buffer, wide);
    RtlInitUnicodeString(&u, NULL);
    assert_int_equal(u.Length + u.MaximumLength, 0);
    assert_null(u.Buffer);
}

/* Lengths have 16 bits: longer text is cut, not wrapped. */
static void text_that_is_too_long(void **state)
{
    size_t n = 70000;
    char *text = malloc(n + 1);
    WCHAR *wide = malloc((n + 1) * sizeof(WCHAR));
    ANSI_STRING a;
    UNICODE_STRING u;

    (void)state;
    memset(text, 'x', n);
    text[n] = 0;
    for (size_t i = 0; i <= n; i++)
        wide[i] = i < n ? 'x' : 0;
    RtlInitAnsiString(&a, text);
    assert_true(a.Length >= 0xff00 && a.MaximumLength == a.Length + 1);
    RtlInitUnicodeString(&u, wide);
    assert_true(u.Length >= 0xff00 && u.Length % 2 == 0 && u.MaximumLength == u.Length + 2);
    free(text);
    free(wide);
}

static void comparison(void **state)
{
    static const struct {
        const char *a, *b;
        BOOLEAN is_insensitive, wants;
    } cases[] = {
        {"abc", "abc", FALSE, TRUE}, {"abc", "abC", FALSE, FALSE}, {"abc", "ABC", TRUE, TRUE},
        {"abc", "abcd", TRUE, FALSE}, {"", "", FALSE, TRUE},
        {"a[", "a{", TRUE, FALSE}, /* only letters fold */
    };

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        WCHAR wide_a[8] = {0}, wide_b[8] = {0};
        UNICODE_STRING ua, ub;
        ANSI_STRING a, b;

        for (size_t k = 0; k < strlen(cases[i].a); k++)
            wide_a[k] = (UCHAR)cases[i].a[k];
        for (size_t k = 0; k < strlen(cases[i].b); k++)
            wide_b[k] = (UCHAR)cases[i].b[k];
        RtlInitAnsiString(&a, cases[i].a);
        RtlInitAnsiString(&b, cases[i].b);
        RtlInitUnicodeString(&ua, wide_a);
        RtlInitUnicodeString(&ub, wide_b);
        assert_int_equal(RtlEqualString(&a, &b, cases[i].is_insensitive), cases[i].wants);
        assert_int_equal(RtlEqualUnicodeString(&ua, &ub, cases[i].is_insensitive), cases[i].wants);
    }
}

static void copies_what_fits(void **state)
{
    static const WCHAR source[] = {'a', 'b', 'c', 0};
    WCHAR out[6];
    UNICODE_STRING to, from;

    (void)state;
    RtlInitUnicodeString(&from, source);
    for (USHORT room = 0; room <= 10; room = (USHORT)(room + 2)) {
        for (size_t i = 0; i < 6; i++)
            out[i] = '!';
        to = (UNICODE_STRING){2, room, out};
        RtlCopyUnicodeString(&to, &from);
        assert_int_equal(to.Length, room < 6 ? room : 6);
        assert_memory_equal(out, source, to.Length);
        assert_int_equal(out[to.Length / 2], room >= 8 ? 0 : '!');
    }
    to = (UNICODE_STRING){2, 10, out};
    RtlCopyUnicodeString(&to, NULL);
    assert_int_equal(to.Length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory),
        cmocka_unit_test(counted_strings_point_at_text),
        cmocka_unit_test(text_that_is_too_long),
        cmocka_unit_test(comparison),
        cmocka_unit_test(copies_what_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
