/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/bugcheck.h"
#include "support/death.h"

static void plain(void *arg)
{
    (void)arg;
    KeBugCheckEx(MANUALLY_INITIATED_CRASH, 0x11, 0x22, 0x33, 0x44);
}

static void without_arguments(void *arg)
{
    (void)arg;
    KeBugCheck(0x12345678);
}

static void with_a_sentence(void *arg)
{
    (void)arg;
    kenv_bugcheck(BAD_POOL_CALLER, 1, 2, 3, 4, "the %s is %d", "answer", 42);
}

static void prints_all_and_aborts(void **state)
{
    static const struct {
        void (*fn)(void *arg);
        const char *wants[3];
    } cases[] = {
        {plain, {"0x000000E2 (MANUALLY_INITIATED_CRASH)", "0x11 0x22 0x33 0x44, IRQL 0", "stack:"}},
        {without_arguments, {"0x12345678 (a code of the consumer)", "0x0 0x0 0x0 0x0", "stack:"}},
        {with_a_sentence, {"0x000000C2 (BAD_POOL_CALLER)", "*** the answer is 42\n", "stack:"}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        char text[4096];

        assert_int_equal(death_of(cases[i].fn, NULL, text, sizeof(text)), SIGABRT);
        for (size_t k = 0; k < 3; k++)
            assert_non_null(strstr(text, cases[i].wants[k]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(prints_all_and_aborts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
