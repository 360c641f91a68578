/* SPDX-License-Identifier: MIT */
#include "chaos/schedule.h"

#include "support/unit.h"

static void schedules_have_names_and_seeds(void **state)
{
    static const struct {
        const char *text;
        enum chaos_schedule schedule;
        uint64_t seed;
    } cases[] = {
        {NULL, CHAOS_SCHEDULE_LENIENT, 1},
        {"", CHAOS_SCHEDULE_LENIENT, 1},
        {"lenient", CHAOS_SCHEDULE_LENIENT, 1},
        {"pend", CHAOS_SCHEDULE_PEND, 1},
        {"inline", CHAOS_SCHEDULE_INLINE, 1},
        {"hostile", CHAOS_SCHEDULE_HOSTILE, 1},
        {"hostile:42", CHAOS_SCHEDULE_HOSTILE, 42},
        {"hostile:0xfF", CHAOS_SCHEDULE_HOSTILE, 255},
        {"hostile:18446744073709551615", CHAOS_SCHEDULE_HOSTILE, UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        enum chaos_schedule schedule = CHAOS_SCHEDULE_PEND;
        uint64_t seed = 99;
        char why[CHAOS_TEXT] = "";

        assert_true(chaos_schedule_parse(cases[i].text, &schedule, &seed, why));
        assert_int_equal(schedule, cases[i].schedule);
        assert_int_equal(seed, cases[i].seed);
    }
    assert_string_equal(chaos_schedule_name(CHAOS_SCHEDULE_HOSTILE), "hostile");
}

static void others_are_refused_with_a_sentence(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"hostil", "is no schedule"},
        {"PEND", "is no schedule"},
        {":1", "is no schedule"},
        {"hostile:", "at character 9"},
        {"hostile:x", "\"x\" at character 9"},
        {"hostile:18446744073709551616", "is no seed"},
        {"pend:1 ", "at character 6"},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        enum chaos_schedule schedule = CHAOS_SCHEDULE_PEND;
        uint64_t seed = 99;
        char why[CHAOS_TEXT] = "";

        assert_false(chaos_schedule_parse(cases[i].text, &schedule, &seed, why));
        assert_non_null(strstr(why, cases[i].part));
        assert_int_equal(schedule, CHAOS_SCHEDULE_PEND);
        assert_int_equal(seed, 99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedules_have_names_and_seeds),
        cmocka_unit_test(others_are_refused_with_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
