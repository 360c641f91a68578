/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/reg.h"

#include <softndk_driver.h>
#include <stdlib.h>
#include <unistd.h>

#define W(text) SOFTNDK_WIDE_(text)

static const char sample[] = "Windows Registry Editor Version 5.00\r\n"
                             "\r\n"
                             "; a comment\r\n"
                             "[HKEY_LOCAL_MACHINE\\SYSTEM\\Test\\Parameters]\r\n"
                             "@=\"the default\"\r\n"
                             "\"Text\"=\"a \\\"b\\\" C:\\\\d\"\r\n"
                             "\"Number\"=dword:0000012c\r\n"
                             "  \"Large\" = qword:1122334455667788\r\n"
                             "\"Octets\"=hex:01,02,\\\r\n"
                             "  0a,ff\r\n"
                             "\"Many\"=hex(7):61,00,00,00,62,00,00,00,00,00\r\n"
                             "\"Gone\"=dword:1\r\n"
                             "\"Gone\"=-\r\n"
                             "\"\xc3\xbc\"=\"\xe2\x82\xac\"\r\n"
                             "[HKLM\\SYSTEM\\Test\\Dropped\\Below]\r\n"
                             "[-HKLM\\SYSTEM\\Test\\Dropped]\r\n"
                             "[\\Registry\\User\\U]\r\n"
                             "\"last\"=\"x\"";

static const struct {
    PCWSTR name;
    ULONG type, size;
    const char *data;
} wanted[] = {
    {W(""), REG_SZ, 24, "t\0h\0e\0 \0d\0e\0f\0a\0u\0l\0t\0\0"},
    {W("Text"), REG_SZ, 24, "a\0 \0\"\0b\0\"\0 \0C\0:\0\\\0d\0\0\0"},
    {W("Number"), REG_DWORD, 4, "\x2c\x01\0\0"},
    {W("LARGE"), REG_QWORD, 8, "\x88\x77\x66\x55\x44\x33\x22\x11"},
    {W("octets"), REG_BINARY, 4, "\x01\x02\x0a\xff"},
    {W("Many"), REG_MULTI_SZ, 10, "a\0\0\0b\0\0\0\0"},
    {W("\u00fc"), REG_SZ, 4, "\xac\x20\0"},
};

static void check(void)
{
    UNICODE_STRING path, name;
    struct kenv_reg_key *key;

    RtlInitUnicodeString(&path, W("\\Registry\\Machine\\System\\Test\\Parameters"));
    kenv_reg_lock();
    key = kenv_reg_find(NULL, &path, false, NULL);
    assert_non_null(key);
    for (size_t i = 0; i < ARRAYSIZE(wanted); i++) {
        const struct kenv_reg_value *v;

        RtlInitUnicodeString(&name, wanted[i].name);
        v = kenv_reg_value_find(key, &name);
        assert_non_null(v);
        assert_int_equal(v->type, wanted[i].type);
        if (wanted[i].type != REG_SZ || wanted[i].size != 24)
            assert_int_equal(v->size, wanted[i].size);
        assert_memory_equal(v->data, wanted[i].data, v->size < 22 ? v->size : 22);
    }
    RtlInitUnicodeString(&name, W("Gone"));
    assert_null(kenv_reg_value_find(key, &name));
    RtlInitUnicodeString(&path, W("\\Registry\\Machine\\System\\Test\\Dropped"));
    assert_null(kenv_reg_find(NULL, &path, false, NULL));
    RtlInitUnicodeString(&path, W("\\Registry\\User\\U"));
    assert_non_null(kenv_reg_find(NULL, &path, false, NULL));
    kenv_reg_unlock();
}

static bool parse(const void *text, size_t n, char *error)
{
    bool is_good;

    error[0] = 0;
    kenv_reg_lock();
    kenv_reg_clear();
    is_good = kenv_reg_parse(text, n, error, 200);
    kenv_reg_unlock();
    return is_good;
}

static void both_encodings(void **state)
{
    static unsigned char utf16[4 * sizeof(sample)] = {0xff, 0xfe};
    char error[200];
    size_t n = 2;

    (void)state;
    assert_true(parse(sample, sizeof(sample) - 1, error));
    check();
    for (const unsigned char *p = (const unsigned char *)sample; *p != 0; p++) {
        unsigned c = *p;

        if (c == 0xc3) {
            c = 0xfc;
            p++;
        } else if (c == 0xe2) {
            c = 0x20ac;
            p += 2;
        }
        utf16[n++] = (unsigned char)c;
        utf16[n++] = (unsigned char)(c >> 8);
    }
    assert_true(parse(utf16, n, error));
    check();
}

static void what_is_wrong(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"\"a\"=\"b\"\n", "line 1: a value comes before the first section"},
        {"\n\n[HKLM\\x", "line 3: a section does not end"},
        {"[HKEY_SOMETHING\\x]\n", "line 1: a section begins with none of"},
        {"[HKLMx\\y]\n", "begins with none of"},
        {"[HKLM\\x]\nhello\n", "line 2: a line is neither"},
        {"[HKLM\\x]\n\"a\n", "neither a section, a value"},
        {"[HKLM\\x]\n\"a\" 5\n", "has no '='"},
        {"[HKLM\\x]\n\"a\"=5\n", "neither text in quotes"},
        {"[HKLM\\x]\n\"a\"=\"b\n", "neither text in quotes"},
        {"[HKLM\\x]\n\"a\"=dword:123456789\n", "1 to 8 or 16"},
        {"[HKLM\\x]\n\"a\"=dword:\n", "1 to 8 or 16"},
        {"[HKLM\\x]\n\"a\"=hex:zz\n", "no octet"},
        {"[HKLM\\x]\n\"a\"=hex(7:00\n", "does not end in ')'"},
        {"[HKLM\\x]\n\"a\"=hex00\n", "not followed by ':'"},
        {"[-HKLM\\x]\n\"a\"=\"b\"\n", "section that was deleted"},
    };
    char error[200];

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        assert_false(parse(cases[i].text, strlen(cases[i].text), error));
        assert_non_null(strstr(error, cases[i].says));
    }
    assert_true(parse("", 0, error));
    assert_true(parse("\xc3", 1, error) == false); /* a cut-off character is no line */
}

/* Cut anywhere, a text is taken or refused; nothing else happens. */
static void cut_anywhere(void **state)
{
    char error[200];

    (void)state;
    for (size_t n = 0; n < sizeof(sample); n++)
        (void)parse(sample, n, error);
}

static void from_a_file(void **state)
{
    char path[] = "/tmp/softndk-reg-XXXXXX", error[200] = "";
    int file = mkstemp(path);

    (void)state;
    assert_true(file >= 0);
    assert_int_equal(write(file, sample, sizeof(sample) - 1), sizeof(sample) - 1);
    assert_int_equal(SoftNdkDrvRegistryLoad(path, error, sizeof(error)), STATUS_SUCCESS);
    check();
    assert_int_equal(write(file, "\nnonsense\n", 10), 10);
    assert_int_equal(SoftNdkDrvRegistryLoad(path, error, sizeof(error)), STATUS_DATA_ERROR);
    assert_non_null(strstr(error, "line 19"));
    assert_int_equal(SoftNdkDrvRegistryLoad(path, NULL, 0), STATUS_DATA_ERROR);
    assert_int_equal(close(file), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(SoftNdkDrvRegistryLoad(path, error, sizeof(error)), STATUS_NO_SUCH_FILE);
    assert_non_null(strstr(error, "cannot be read"));
    assert_int_equal(SoftNdkDrvRegistryLoad(NULL, NULL, 0), STATUS_SUCCESS);
    assert_true(sn_list_is_empty(&kenv_reg_root()->keys));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_encodings),
        cmocka_unit_test(what_is_wrong),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(from_a_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
