/* SPDX-License-Identifier: MIT */
/* SOFTNDK_VERIFY and its like: what they take, and what a bad value is answered with. */
#include "verify/settings.h"

#include "support/unit.h"

static struct {
    const char *name, *value;
} one;

static char *from_test(const char *name)
{
    return one.name != NULL && strcmp(name, one.name) == 0 ? (char *)(uintptr_t)one.value : NULL;
}

static NTSTATUS read_with(
    const char *name, const char *value, struct verify_settings *out, char text[NDK_LAYER_TEXT])
{
    one.name = name;
    one.value = value;
    text[0] = '\0';
    return verify_settings_read(from_test, out, text);
}

static void the_modes(void **state)
{
    static const struct {
        const char *value;
        enum verify_mode mode;
    } cases[] = {{NULL, VERIFY_OFF}, {"", VERIFY_OFF}, {"off", VERIFY_OFF}, {"warn", VERIFY_WARN},
        {"break", VERIFY_BREAK}};
    struct verify_settings s;
    char text[NDK_LAYER_TEXT];

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        assert_int_equal(read_with("SOFTNDK_VERIFY", cases[i].value, &s, text), STATUS_SUCCESS);
        assert_int_equal(s.mode, cases[i].mode);
        assert_false(s.risky || s.buffers);
        assert_int_equal(s.callback_ms, 2000);
        assert_null(s.log);
    }
}

static void the_others(void **state)
{
    struct verify_settings s;
    char text[NDK_LAYER_TEXT];

    (void)state;
    assert_int_equal(read_with("SOFTNDK_VERIFY_RISKY", "1", &s, text), STATUS_SUCCESS);
    assert_true(s.risky);
    assert_int_equal(read_with("SOFTNDK_VERIFY_BUFFERS", "1", &s, text), STATUS_SUCCESS);
    assert_true(s.buffers);
    assert_int_equal(read_with("SOFTNDK_VERIFY_CALLBACK_MS", "17", &s, text), STATUS_SUCCESS);
    assert_int_equal(s.callback_ms, 17);
    assert_int_equal(read_with("SOFTNDK_VERIFY_LINGER_MS", "3600000", &s, text), STATUS_SUCCESS);
    assert_int_equal(s.linger_ms, 3600000);
    assert_int_equal(read_with("SOFTNDK_VERIFY_LOG", "a.log", &s, text), STATUS_SUCCESS);
    assert_string_equal(s.log, "a.log");
}

static void bad_values_are_named(void **state)
{
    static const struct {
        const char *name, *value;
    } cases[] = {
        {"SOFTNDK_VERIFY", "on"},
        {"SOFTNDK_VERIFY", "WARN"},
        {"SOFTNDK_VERIFY", "1"},
        {"SOFTNDK_VERIFY_RISKY", "2"},
        {"SOFTNDK_VERIFY_RISKY", "yes"},
        {"SOFTNDK_VERIFY_BUFFERS", "-1"},
        {"SOFTNDK_VERIFY_CALLBACK_MS", "3600001"},
        {"SOFTNDK_VERIFY_CALLBACK_MS", "99999999999999999999"},
        {"SOFTNDK_VERIFY_LINGER_MS", "1s"},
    };
    struct verify_settings s;
    char text[NDK_LAYER_TEXT];

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        assert_int_equal(
            read_with(cases[i].name, cases[i].value, &s, text), STATUS_INVALID_PARAMETER);
        assert_non_null(strstr(text, cases[i].name));
        assert_non_null(strstr(text, cases[i].value));
        assert_non_null(strstr(text, "it takes"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_modes),
        cmocka_unit_test(the_others),
        cmocka_unit_test(bad_values_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
