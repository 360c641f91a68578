/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include <ntstrsafe.h>

#define FITS STATUS_SUCCESS
#define CUT  STATUS_BUFFER_OVERFLOW
#define BAD  STATUS_INVALID_PARAMETER

static void copies_and_appends(void **state)
{
    static const struct {
        size_t room;
        const char *start, *source, *wants;
        NTSTATUS copy, cat;
    } cases[] = {
        {8, "", "text", "text", FITS, FITS},
        {8, "ab", "text", "abtext", FITS, FITS},
        {8, "abc", "text", "abctext", FITS, FITS},
        {8, "abcd", "text", "abcdtex", FITS, CUT},
        {8, "abcdefg", "t", "abcdefg", FITS, CUT},
        {5, "", "text", "text", FITS, FITS},
        {4, "", "text", "tex", CUT, CUT},
        {1, "", "text", "", CUT, CUT},
        {1, "", "", "", FITS, FITS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t room = cases[i].room;
        char out[9];

        memset(out, '!', sizeof(out));
        memcpy(out, cases[i].start, strlen(cases[i].start) + 1);
        assert_int_equal(RtlStringCchCatA(out, room, cases[i].source), cases[i].cat);
        assert_string_equal(out, cases[i].wants);
        assert_int_equal(out[room], '!');
        assert_int_equal(RtlStringCbCopyA(out, room, cases[i].source), cases[i].copy);
        assert_int_equal(strncmp(out, cases[i].source, room - 1), 0);
        assert_int_equal(RtlStringCchCopyA(out, room, cases[i].source), cases[i].copy);
        assert_int_equal(out[room], '!');
    }
}

static void at_most_so_many(void **state)
{
    char out[8];

    (void)state;
    assert_int_equal(RtlStringCchCopyNA(out, sizeof(out), "abcdef", 3), FITS);
    assert_string_equal(out, "abc");
    assert_int_equal(RtlStringCbCopyNA(out, 3, "abcdef", 5), CUT);
    assert_string_equal(out, "ab");
    assert_int_equal(RtlStringCbCatA(out, sizeof(out), "yz"), FITS);
    assert_string_equal(out, "abyz");
}

static void prints(void **state)
{
    char out[8];

    (void)state;
    assert_int_equal(RtlStringCbPrintfA(out, sizeof(out), "%lu-%s", (ULONG)12, "ab"), FITS);
    assert_string_equal(out, "12-ab");
    assert_int_equal(RtlStringCchPrintfA(out, 4, "%lu-%s", (ULONG)12, "ab"), CUT);
    assert_string_equal(out, "12-");
    assert_int_equal(RtlStringCchPrintfA(out, 5, "%s", "four"), FITS);
    assert_int_equal(RtlStringCchPrintfA(out, 0, "x"), BAD);
    assert_int_equal(RtlStringCchPrintfA(NULL, 8, "x"), BAD);
    assert_int_equal(RtlStringCchPrintfA(out, 8, NULL), BAD);
}

static void lengths(void **state)
{
    SIZE_T n = 99;

    (void)state;
    assert_int_equal(RtlStringCchLengthA("abc", 10, &n), FITS);
    assert_int_equal(n, 3);
    assert_int_equal(RtlStringCbLengthA("abc", 4, NULL), FITS);
    assert_int_equal(RtlStringCchLengthA("abc", 3, &n), BAD); /* no terminator within */
    assert_int_equal(n, 0);
    assert_int_equal(RtlStringCchLengthA(NULL, 3, &n), BAD);
    assert_int_equal(RtlStringCchLengthA("abc", (SIZE_T)NTSTRSAFE_MAX_CCH + 1, &n), BAD);
}

static void wide_strings(void **state)
{
    const WCHAR source[] = {'a', 'b', 'c', 0};
    WCHAR out[8];
    SIZE_T n = 99;

    (void)state;
    assert_int_equal(RtlStringCchCopyW(out, 8, source), FITS);
    assert_memory_equal(out, source, sizeof(source));
    assert_int_equal(RtlStringCbCatW(out, sizeof(out), source), FITS);
    assert_int_equal(RtlStringCchLengthW(out, 8, &n), FITS);
    assert_int_equal(n, 6);
    assert_int_equal(RtlStringCbLengthW(out, sizeof(out), &n), FITS);
    assert_int_equal(n, 12);
    assert_int_equal(RtlStringCchLengthW(out, 6, &n), BAD);
    assert_int_equal(RtlStringCchCatW(out, 8, source), CUT);
    assert_int_equal(RtlStringCchLengthW(out, 8, &n), FITS);
    assert_int_equal(n, 7);
    assert_int_equal(RtlStringCbCopyW(out, 7, source), CUT); /* the odd byte does not count */
    assert_int_equal(out[1], 'b');
    assert_int_equal(out[2], 0);
    assert_int_equal(RtlStringCbCopyW(out, 1, source), BAD);
    assert_int_equal(RtlStringCchCatW(NULL, 8, source), BAD);
}

static void what_cannot_be_a_destination(void **state)
{
    char out[4] = {'a', 'b', 'c', 'd'};

    (void)state;
    assert_int_equal(RtlStringCchCopyA(NULL, 4, "x"), BAD);
    assert_int_equal(RtlStringCchCopyA(out, 0, "x"), BAD);
    assert_int_equal(RtlStringCchCopyA(out, (SIZE_T)NTSTRSAFE_MAX_CCH + 1, "x"), BAD);
    assert_int_equal(RtlStringCchCopyA(out, 4, NULL), BAD);
    assert_int_equal(RtlStringCchCatA(out, 4, "x"), BAD); /* not terminated */
    assert_memory_equal(out, "abcd", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_and_appends),
        cmocka_unit_test(at_most_so_many),
        cmocka_unit_test(prints),
        cmocka_unit_test(lengths),
        cmocka_unit_test(wide_strings),
        cmocka_unit_test(what_cannot_be_a_destination),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
