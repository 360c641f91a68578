/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/irql.h"
#include "support/death.h"

#include <pthread.h>

static void raises_and_lowers(void **state)
{
    KIRQL old = 99, older = 99;

    (void)state;
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    assert_int_equal(old, PASSIVE_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    KeRaiseIrql(DISPATCH_LEVEL, &older); /* to the same level is allowed */
    assert_int_equal(older, DISPATCH_LEVEL);
    KeLowerIrql(older);
    KeLowerIrql(old);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_int_equal(KeRaiseIrqlToDpcLevel(), PASSIVE_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    KeLowerIrql(PASSIVE_LEVEL);
}

static void *read_level(void *result)
{
    *(KIRQL *)result = KeGetCurrentIrql();
    return NULL;
}

static void belongs_to_the_thread(void **state)
{
    KIRQL there = 99, old = KeRaiseIrqlToDpcLevel();
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, read_level, &there), 0);
    pthread_join(thread, NULL);
    assert_int_equal(there, PASSIVE_LEVEL);
    KeLowerIrql(old);
}

static void set_returns_the_previous_level(void **state)
{
    KIRQL old = kenv_irql_set(DISPATCH_LEVEL);

    (void)state;
    assert_int_equal(old, PASSIVE_LEVEL);
    kenv_irql_callback_done(DISPATCH_LEVEL, old, "a callback");
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void at_the_limit_is_allowed(void **state)
{
    KIRQL old = KeRaiseIrqlToDpcLevel();

    (void)state;
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    KeLowerIrql(APC_LEVEL);
    PAGED_CODE();
    KeLowerIrql(old);
    PAGED_CODE();
}

/* What is a bugcheck, and what the sentence says. */
static void raise_down(void *arg)
{
    KIRQL old;

    (void)arg;
    KeRaiseIrql(HIGH_LEVEL, &old);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
}

static void lower_up(void *arg)
{
    (void)arg;
    KeLowerIrql(DISPATCH_LEVEL);
}

static void require_passive(void *arg)
{
    (void)arg;
    KeRaiseIrqlToDpcLevel();
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
}

static void paged_code_at_dispatch(void *arg)
{
    (void)arg;
    KeRaiseIrqlToDpcLevel();
    PAGED_CODE();
}

static void callback_keeps_the_level(void *arg)
{
    KIRQL old = kenv_irql_set(DISPATCH_LEVEL);

    (void)arg;
    KeLowerIrql(PASSIVE_LEVEL);
    kenv_irql_callback_done(DISPATCH_LEVEL, old, "CQ notification");
}

static void violations_are_bugchecks(void **state)
{
    static const struct {
        void (*fn)(void *arg);
        const char *code, *sentence;
    } cases[] = {
        {raise_down, "0x00000009", "KeRaiseIrql was asked for IRQL 2, but the thread is at 15"},
        {lower_up, "0x0000000A", "KeLowerIrql was asked for IRQL 2, but the thread is at 0"},
        {require_passive, "0x0000000A",
            "require_passive was called at IRQL 2; it may be called at IRQL 0 at most"},
        {paged_code_at_dispatch, "0x0000000A", "paged_code_at_dispatch was called at IRQL 2"},
        {callback_keeps_the_level, "0x0000000A", "CQ notification was called at IRQL 2"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        char text[4096];

        assert_int_equal(death_of(cases[i].fn, NULL, text, sizeof(text)), SIGABRT);
        assert_non_null(strstr(text, cases[i].code));
        assert_non_null(strstr(text, cases[i].sentence));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raises_and_lowers),
        cmocka_unit_test(belongs_to_the_thread),
        cmocka_unit_test(set_returns_the_previous_level),
        cmocka_unit_test(at_the_limit_is_allowed),
        cmocka_unit_test(violations_are_bugchecks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
