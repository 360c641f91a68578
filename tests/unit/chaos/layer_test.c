/* SPDX-License-Identifier: MIT */
#include "fixture.h"

/* What the layer costs when it is not wanted: nothing is replaced. */
static void it_stays_out_when_nothing_is_wanted(void **state)
{
    static const char *const quiet[][2] = {
        {NULL, NULL}, {"", ""}, {"lenient", ""}, {"lenient:7", "seed=3"}};

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(quiet); i++) {
        struct world w = world_open(quiet[i][0], quiet[i][1]);

        assert_null(w.s);
        assert_null(w.adapter->Header.NdkReserved.rf[NDK_SLOT_CHAOS]);
        world_close(&w);
    }
}

static void it_is_there_when_something_is(void **state)
{
    static const char *const wanted[][2] = {{"pend", NULL}, {"inline", NULL}, {"hostile:3", NULL},
        {NULL, "NdkSend:nth=5"}, {NULL, "disconnect:after=3"}, {NULL, "cq-overrun:nth=1"}};

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(wanted); i++) {
        struct world w = world_open(wanted[i][0], wanted[i][1]);

        assert_non_null(w.s);
        assert_ptr_equal(chaos_of(w.adapter)->s, w.s);
        world_close(&w);
    }
}

static void a_bad_variable_refuses_the_open(void **state)
{
    static const struct {
        const char *schedule, *faults, *part;
    } cases[] = {
        {"hostil", NULL, "SOFTNDK_SCHEDULE: \"hostil\" is no schedule"},
        {NULL, "NdkSend:nth=x", "SOFTNDK_FAULTS: \"x\" at character 13 is not a number"},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        char text[NDK_LAYER_TEXT] = "";
        void *layer = NULL;

        env_schedule = cases[i].schedule;
        env_faults = cases[i].faults;
        assert_int_equal(chaos_layer.open(env_of_test, &layer, text), STATUS_INVALID_PARAMETER);
        assert_null(layer);
        if (strstr(text, cases[i].part) == NULL)
            fail_msg("%s", text);
    }
}

static bool allocates(void)
{
    void *p = ExAllocatePoolWithTag(NonPagedPoolNx, 10, 'tset');

    if (p != NULL)
        ExFreePoolWithTag(p, 'tset');
    return p != NULL;
}

static void pool_allocations_fail_on_request(void **state)
{
    char text[NDK_LAYER_TEXT] = "";

    (void)state;
    env_faults = "alloc:nth=2:every=5";
    assert_int_equal(chaos_pool_begin(env_of_test, text), STATUS_SUCCESS);
    assert_int_equal(chaos_pool_begin(env_of_test, text), STATUS_SUCCESS); /* counts on */
    for (unsigned i = 1; i <= 10; i++)
        assert_int_equal(allocates(), i != 2 && i % 5 != 0);
    chaos_pool_end();
    for (unsigned i = 1; i <= 10; i++)
        assert_true(allocates());
    env_faults = "alloc:nht=2";
    assert_int_equal(chaos_pool_begin(env_of_test, text), STATUS_INVALID_PARAMETER);
    assert_non_null(strstr(text, "at character 7"));
    env_faults = "NdkSend";
    assert_int_equal(chaos_pool_begin(env_of_test, text), STATUS_SUCCESS);
    assert_true(allocates());
}

/* The adapter itself needs no layer for that. */
static void an_adapter_begins_the_pools_rules(void **state)
{
    struct world w = world_open(NULL, "alloc:nth=1");

    (void)state;
    assert_null(w.s);
    assert_false(allocates());
    assert_true(allocates());
    chaos_pool_end();
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_stays_out_when_nothing_is_wanted),
        cmocka_unit_test(it_is_there_when_something_is),
        cmocka_unit_test(a_bad_variable_refuses_the_open),
        cmocka_unit_test(pool_allocations_fail_on_request),
        cmocka_unit_test(an_adapter_begins_the_pools_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
