/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include <wdm.h>

#define UNIX_EPOCH 116444736000000000

static void known_dates(void **state)
{
    static const struct {
        LONGLONG time;
        TIME_FIELDS fields;
    } cases[] = {
        {0, {1601, 1, 1, 0, 0, 0, 0, 1}},
        {UNIX_EPOCH, {1970, 1, 1, 0, 0, 0, 0, 4}},
        {UNIX_EPOCH + 951782400LL * 10000000, {2000, 2, 29, 0, 0, 0, 0, 2}},
        {UNIX_EPOCH + 1709251199LL * 10000000 + 9990000, {2024, 2, 29, 23, 59, 59, 999, 4}},
        {UNIX_EPOCH + 4107542400LL * 10000000, {2100, 3, 1, 0, 0, 0, 0, 1}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        LARGE_INTEGER time = {.QuadPart = cases[i].time}, back;
        TIME_FIELDS fields;

        RtlTimeToTimeFields(&time, &fields);
        assert_memory_equal(&fields, &cases[i].fields, sizeof(fields));
        assert_true(RtlTimeFieldsToTime(&fields, &back));
        assert_true(back.QuadPart == time.QuadPart);
    }
}

static void every_day(void **state)
{
    LARGE_INTEGER time = {.QuadPart = 0}, back;
    CSHORT weekday = 1;

    (void)state;
    for (int day = 0; day < 250000; day++, weekday = (CSHORT)((weekday + 1) % 7)) {
        TIME_FIELDS fields;

        RtlTimeToTimeFields(&time, &fields);
        if (fields.Weekday != weekday || !RtlTimeFieldsToTime(&fields, &back) ||
            back.QuadPart != time.QuadPart)
            fail_msg("day %d is wrong", day);
        time.QuadPart += 864000000000;
    }
}

static void no_such_time(void **state)
{
    static const TIME_FIELDS bad[] = {{1600, 1, 1, 0, 0, 0, 0, 0}, {2023, 2, 29, 0, 0, 0, 0, 0},
        {2023, 13, 1, 0, 0, 0, 0, 0}, {2023, 0, 1, 0, 0, 0, 0, 0}, {2023, 1, 1, 24, 0, 0, 0, 0},
        {2023, 1, 1, 0, 60, 0, 0, 0}, {2023, 1, 1, 0, 0, 60, 0, 0}, {2023, 1, 1, 0, 0, 0, 1000, 0},
        {2023, 4, 31, 0, 0, 0, 0, 0}};
    LARGE_INTEGER time;

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(bad); i++) {
        TIME_FIELDS fields = bad[i];

        assert_false(RtlTimeFieldsToTime(&fields, &time));
    }
}

static void random_numbers(void **state)
{
    ULONG seed = 1, again = 1, buckets[16] = {0};

    (void)state;
    for (int i = 0; i < 16000; i++) {
        ULONG x = RtlRandomEx(&seed);

        assert_int_equal(x, RtlRandom(&again));
        assert_true(x < MAXLONG);
        buckets[x % 16]++;
    }
    for (int i = 0; i < 16; i++)
        assert_in_range(buckets[i], 800, 1200);
}

static void zero_memory(void **state)
{
    UCHAR memory[10] = {0};

    (void)state;
    assert_true(RtlIsZeroMemory(memory, sizeof(memory)));
    memory[9] = 1;
    assert_false(RtlIsZeroMemory(memory, sizeof(memory)));
    assert_true(RtlIsZeroMemory(memory, 9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_dates),
        cmocka_unit_test(every_day),
        cmocka_unit_test(no_such_time),
        cmocka_unit_test(random_numbers),
        cmocka_unit_test(zero_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
