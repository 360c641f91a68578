/* SPDX-License-Identifier: MIT */
#include "common/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct values {
    bool server;
    const char *name;
    uint64_t count, size;
    struct args_sizes sizes;
    struct args_texts texts;
    double seconds;
    int op;
} v;

static const struct args_option options[] = {
    {"--server -S", ARGS_FLAG, &v.server, 0, 0, NULL},
    {"--name -ServerAddr", ARGS_TEXT, &v.name, 0, 0, NULL},
    {"--count -W", ARGS_NUMBER, &v.count, 1, 100, NULL},
    {"--size", ARGS_SIZE, &v.size, 1, 1u << 30, NULL},
    {"--sizes", ARGS_SIZES, &v.sizes, 1, 1u << 30, NULL},
    {"--seconds", ARGS_SECONDS, &v.seconds, 0, 600, NULL},
    {"--op", ARGS_CHOICE, &v.op, 0, 0, "send write read"},
    {"--map", ARGS_TEXTS, &v.texts, 0, 0, NULL},
};

static struct args_result result;

static bool parse(const char *const words[])
{
    char *argv[16] = {(char *)(uintptr_t) "tool"};
    int argc = 1;

    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    memset(&v, 0, sizeof v);
    v.op = -1;
    return args_parse(options, sizeof options / sizeof options[0], argc, argv, &result);
}

static void takes_every_kind(void **state)
{
    (void)state;
    assert_true(parse((const char *const[]){"a", "--server", "--name=x=y", "--count", "7", "--size",
        "64K", "--sizes", "1,2k,3M", "--seconds", "0.5", "--op", "read", "--", "--server", NULL}));
    assert_true(v.server);
    assert_string_equal(v.name, "x=y");
    assert_int_equal(v.count, 7);
    assert_int_equal(v.size, 65536);
    assert_int_equal(v.sizes.count, 3);
    assert_int_equal(v.sizes.value[1], 2048);
    assert_int_equal(v.sizes.value[2], 3145728);
    assert_true(v.seconds > 0.49 && v.seconds < 0.51);
    assert_int_equal(v.op, 2);
    assert_int_equal(result.rest_count, 2);
    assert_string_equal(result.rest[0], "a");
    assert_string_equal(result.rest[1], "--server");
}

static void collects_what_is_given_several_times(void **state)
{
    char *argv[2 * ARGS_TEXTS_MAX + 3] = {(char *)(uintptr_t) "tool"};
    char map[] = "--map", text[] = "a=b";

    (void)state;
    assert_true(parse((const char *const[]){"--map", "a=b", "x", "--map=c=d", NULL}));
    assert_int_equal(v.texts.count, 2);
    assert_string_equal(v.texts.value[0], "a=b");
    assert_string_equal(v.texts.value[1], "c=d");
    for (int i = 0; i <= ARGS_TEXTS_MAX; i++) {
        argv[2 * i + 1] = map;
        argv[2 * i + 2] = text;
    }
    memset(&v, 0, sizeof v);
    assert_false(args_parse(options, sizeof options / sizeof options[0],
        (int)(sizeof argv / sizeof argv[0]), argv, &result));
    assert_string_equal(result.error, "'--map' may be given 16 times");
}

static void takes_windows_spellings_in_any_case(void **state)
{
    (void)state;
    assert_true(parse((const char *const[]){"-S", "-serveraddr", "1.2.3.4", "-W", "5", NULL}));
    assert_true(v.server);
    assert_string_equal(v.name, "1.2.3.4");
    assert_int_equal(v.count, 5);
    /* Short ones are what they are. */
    assert_false(parse((const char *const[]){"-w", "5", NULL}));
    assert_false(parse((const char *const[]){"--SIZE", "5", NULL}));
}

static void help_wins_over_what_follows(void **state)
{
    (void)state;
    assert_true(parse((const char *const[]){"--help", "--nonsense", NULL}));
    assert_true(result.wants_help);
    assert_true(parse((const char *const[]){"--version", NULL}));
    assert_true(result.wants_version);
}

static void refuses_with_a_sentence(void **state)
{
    static const struct {
        const char *words[4], *says;
    } cases[] = {
        {{"--nonsense"}, "no option '--nonsense'"},
        {{"--serve"}, "no option '--serve'"},
        {{"--server=1"}, "takes no value"},
        {{"--count"}, "needs a value"},
        {{"--count", "0"}, "from 1 to 100"},
        {{"--count", "101"}, "from 1 to 100"},
        {{"--count", "-1"}, "from 1 to 100"},
        {{"--count", "+1"}, "from 1 to 100"},
        {{"--count", " 1"}, "from 1 to 100"},
        {{"--count", "1x"}, "from 1 to 100"},
        {{"--count", "1K"}, "from 1 to 100"},
        {{"--count", ""}, "from 1 to 100"},
        {{"--count", "99999999999999999999"}, "from 1 to 100"},
        {{"--size", "2G"}, "from 1 to 1073741824"},
        {{"--size", "17179869184G"}, "from 1 to 1073741824"},
        {{"--size", "64KB"}, "from 1 to"},
        {{"--sizes", "1,,2"}, "with commas between"},
        {{"--sizes", "1,2,"}, "with commas between"},
        {{"--sizes", "0"}, "with commas between"},
        {{"--sizes", ""}, "with commas between"},
        {{"--seconds", "0"}, "more than 0"},
        {{"--seconds", "-1"}, "more than 0"},
        {{"--seconds", "nan"}, "more than 0"},
        {{"--seconds", "601"}, "at most 600"},
        {{"--seconds", "1s"}, "more than 0"},
        {{"--op", "sen"}, "one of: send write read"},
        {{"--op", "send write"}, "one of: send write read"},
        {{"--op", ""}, "one of: send write read"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(parse(cases[i].words));
        assert_non_null(strstr(result.error, cases[i].says));
    }
    assert_false(parse((const char *const[]){"1", "2", "3", "4", "5", NULL}));
    assert_non_null(strstr(result.error, "one argument too many"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_kind),
        cmocka_unit_test(collects_what_is_given_several_times),
        cmocka_unit_test(takes_windows_spellings_in_any_case),
        cmocka_unit_test(help_wins_over_what_follows),
        cmocka_unit_test(refuses_with_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
