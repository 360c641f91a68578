/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/format.h"

/* What the format gives in a buffer of `size`; returns the full length. */
static size_t format(char *out, size_t size, const char *f, ...)
{
    struct kenv_text text = {out, size, 0};
    va_list arguments;

    va_start(arguments, f);
    kenv_format(&text, f, arguments);
    va_end(arguments);
    return text.length;
}

#define GIVES(wanted, ...)                                                                         \
    do {                                                                                           \
        char out[256];                                                                             \
        size_t length = format(out, sizeof(out), __VA_ARGS__);                                     \
        assert_string_equal(out, wanted);                                                          \
        assert_int_equal(length, strlen(wanted));                                                  \
    } while (0)

static void plain_text(void **state)
{
    (void)state;
    GIVES("", "");
    GIVES("text", "text");
    GIVES("100%", "100%%");
    GIVES("a%b", "%s%%%s", "a", "b");
    GIVES("%y and %", "%y and %"); /* what is no conversion stands as it is */
}

/* long is 32 bits: what a driver passes for %lu is a ULONG, whatever is in the upper half. */
static void numbers(void **state)
{
    (void)state;
    GIVES("-1 4294967295 ffffffff", "%d %u %x", -1, 4294967295u, 0xffffffffu);
    GIVES("-5 4294967291 FFFFFFFB", "%ld %lu %lX", (LONG)-5, (ULONG)-5, (ULONG)-5);
    GIVES("-5 9", "%ld %ld", 0x00000003fffffffbLL, 0x7777777700000009LL);
    GIVES("-9223372036854775808", "%I64d", INT64_MIN);
    GIVES("18446744073709551615 ffffffffffffffff", "%I64u %llx", UINT64_MAX, UINT64_MAX);
    GIVES("7 8 9", "%I32u %zu %Iu", 7u, (size_t)8, (size_t)9);
    GIVES("-1 65535 -1 255", "%hd %hu %hhd %hhu", 0xffff, 0xfffff, 0xff, 0xfff);
    GIVES("  42|42  |0042|+42| 42", "%4d|%-4d|%04d|%+d|% d", 42, 42, 42, 42, 42);
    GIVES("  007|0x1f|017", "%5.3d|%#x|%#o", 7, 31, 15);
    GIVES("   12|12   ", "%*d|%*d", 5, 12, -5, 12);
    GIVES("1.50 2", "%.2f %.0f", 1.5, 2.0);
    GIVES("0000000000001234", "%p", (void *)0x1234);
    GIVES("    0000000000001234", "%20p", (void *)0x1234);
}

static void strings(void **state)
{
    WCHAR wide[] = {'w', 0xe4, 0x20ac, 0xd83d, 0xde00, 0};
    WCHAR lone[] = {0xd800, 'x', 0xdc00, 0};
    STRING narrow = {3, 8, (PCHAR)(ULONG_PTR) "abcdef"};
    UNICODE_STRING counted = {4, 10, wide};
    UNICODE_STRING none = {0, 0, NULL};

    (void)state;
    GIVES("[ab]", "[%s]", "ab");
    GIVES("[  ab][ab  ]", "[%4s][%-4s]", "ab", "ab");
    GIVES("[ab]", "[%.2s]", "abcdef");
    GIVES("[ab]", "[%.*s]", 2, "abcdef");
    GIVES("(null) (null) (null)", "%s %ws %wZ", (char *)NULL, (WCHAR *)NULL, (void *)NULL);
    GIVES("w\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "%ws", wide);
    GIVES("w\xc3\xa4", "%.2ls", wide);
    GIVES("w", "%.1S", wide);
    GIVES("   w", "%4.1S", wide);
    GIVES("\xef\xbf\xbdx\xef\xbf\xbd", "%S", lone);
    GIVES("abc", "%Z", &narrow);
    GIVES("w\xc3\xa4|(null)", "%wZ|%wZ", &counted, &none);
    GIVES("x y \xe2\x82\xac \xe2\x82\xac", "%c %hc %C %lc", 'x', 'y', 0x20ac, 0x20ac);
    GIVES("narrow", "%hS", "narrow");
}

static void cut_text_is_terminated_and_counted(void **state)
{
    char out[8];

    (void)state;
    for (size_t size = 1; size <= sizeof(out); size++) {
        memset(out, '!', sizeof(out));
        assert_int_equal(format(out, size, "%s-%d", "long text", 12345), 15);
        assert_memory_equal(out, "long text-12345", size - 1);
        assert_int_equal(out[size - 1], 0);
        for (size_t i = size; i < sizeof(out); i++)
            assert_int_equal(out[i], '!');
    }
    assert_int_equal(format(NULL, 0, "abc"), 3);
}

/* Widths and precisions of a hostile format are cut, not obeyed. */
static void large_fields(void **state)
{
    static char out[4096];

    (void)state;
    assert_int_equal(format(out, sizeof(out), "%99999999999d", 1), 512);
    assert_int_equal(format(out, sizeof(out), "%.99999d", 1), 512);
    assert_int_equal(format(out, sizeof(out), "%*d", INT32_MIN, 1), 512);
    assert_int_equal(format(out, sizeof(out), "%*s", INT32_MAX, "x"), 512);
    assert_int_equal(format(out, sizeof(out), "%.*s", -3, "whole"), 5);
    assert_true(format(out, sizeof(out), "%.400f", 1e308) > 308);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text),
        cmocka_unit_test(numbers),
        cmocka_unit_test(strings),
        cmocka_unit_test(cut_text_is_terminated_and_counted),
        cmocka_unit_test(large_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
