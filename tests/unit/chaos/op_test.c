/* SPDX-License-Identifier: MIT */
#include "fixture.h"

/* The call, and whether its routine ran before the call returned. */
static NTSTATUS create(struct world *w, struct told *t, NDK_PD **pd, bool *is_early)
{
    NTSTATUS status = w->adapter->Dispatch->NdkCreatePd(w->adapter, on_created, t, pd);

    *is_early = told_count(t) != 0;
    return status;
}

static void pend_makes_creates_pend(void **state)
{
    struct world w = world_open("pend", NULL);

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        struct told t = {0};
        NDK_PD *pd = NULL;
        bool is_early;

        assert_int_equal(create(&w, &t, &pd, &is_early), STATUS_PENDING);
        wait_told(&t, 1);
        assert_null(pd); /* the caller's frame may be gone: never written */
        assert_int_equal(t.status, STATUS_SUCCESS);
        assert_int_equal(t.irql, DISPATCH_LEVEL);
        assert_int_equal(t.object->ObjectType, NdkObjectTypePd);
        close_object(t.object);
    }
    world_close(&w);
}

static void inline_makes_creates_end_at_once(void **state)
{
    struct world w = world_open("inline", NULL);
    struct told t = {0};
    NDK_PD *pd = NULL;
    bool is_early;

    (void)state;
    assert_int_equal(create(&w, &t, &pd, &is_early), STATUS_SUCCESS);
    assert_non_null(pd);
    close_object(pd);
    world_close(&w);
    assert_int_equal(told_count(&t), 0);
}

/* Over enough calls each way is seen, the callback before the return among them. */
static void hostile_does_all_three(void **state)
{
    struct world w = world_open("hostile:1", NULL);
    unsigned inlines = 0, early = 0, later = 0;

    (void)state;
    for (unsigned i = 0; i < 2000 && (inlines == 0 || early == 0 || later == 0); i++) {
        struct told t = {0};
        NDK_PD *pd = NULL;
        bool is_early;
        NTSTATUS status = create(&w, &t, &pd, &is_early);

        inlines += status == STATUS_SUCCESS;
        early += status == STATUS_PENDING && is_early;
        later += status == STATUS_PENDING && !is_early;
        close_object(created(&t, status, pd));
    }
    assert_true(inlines != 0 && early != 0 && later != 0);
    world_close(&w);
}

/* A callback that closes the object while the call that it completes has not returned. */
static VOID close_here(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    struct told *t = context;

    if (NT_SUCCESS(status)) {
        NDK_FN_CLOSE_OBJECT close;

        memcpy(&close, ((struct ndk_object *)(void *)object)->Dispatch, sizeof close);
        if (close(object, on_closed, t) != STATUS_PENDING)
            tell(t, STATUS_SUCCESS, NULL);
    }
}

static void a_callback_may_close_what_it_is_told(void **state)
{
    struct world w = world_open("hostile:4", NULL);

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        struct told t = {0};
        NDK_PD *pd = NULL;
        NTSTATUS status = w.adapter->Dispatch->NdkCreatePd(w.adapter, close_here, &t, &pd);

        if (status == STATUS_PENDING)
            wait_told(&t, 1);
        else
            close_object(pd);
    }
    world_close(&w);
}

/* The adapter is closed while callbacks are still on their way: they come before it returns. */
static void the_adapters_close_waits_for_callbacks(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        char schedule[20];
        struct world w;
        struct told t[8];
        unsigned pending = 0;

        memset(t, 0, sizeof t);
        snprintf(schedule, sizeof schedule, "hostile:%u", i);
        w = world_open(schedule, NULL);
        for (unsigned j = 0; j < SN_ARRAY_COUNT(t); j++) {
            NDK_PD *pd = create_pd(&w);

            pending += pd->Dispatch->NdkClosePd(&pd->Header, on_closed, &t[j]) == STATUS_PENDING;
        }
        world_close(&w);
        for (unsigned j = 0; j < SN_ARRAY_COUNT(t); j++)
            pending -= told_count(&t[j]);
        assert_int_equal(pending, 0);
    }
}

static void a_failure_comes_inline_or_through_the_routine(void **state)
{
    static const struct {
        const char *schedule, *faults;
        NTSTATUS returned;
    } cases[] = {
        {NULL, "NdkCreatePd:nth=1", STATUS_INSUFFICIENT_RESOURCES},
        {"inline", "NdkCreatePd:nth=1", STATUS_INSUFFICIENT_RESOURCES},
        {NULL, "NdkCreatePd:nth=1:async", STATUS_PENDING},
        {"inline", "NdkCreatePd:nth=1:async", STATUS_PENDING},
        {"pend", "NdkCreatePd:nth=1", STATUS_PENDING},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        struct world w = world_open(cases[i].schedule, cases[i].faults);
        struct told t = {0};
        NDK_PD *pd = NULL;
        bool is_early;

        assert_int_equal(create(&w, &t, &pd, &is_early), cases[i].returned);
        assert_int_equal(finished(&t, cases[i].returned), STATUS_INSUFFICIENT_RESOURCES);
        assert_null(pd);
        assert_null(t.object);
        close_object(create_pd(&w)); /* the next one is created */
        world_close(&w);
    }
}

/* What the provider refuses for its arguments it refuses at once, under any schedule. */
static void bad_arguments_are_refused_at_once(void **state)
{
    static const char *const schedules[] = {"pend", "inline", "hostile:1", "hostile:2"};

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(schedules); i++) {
        struct world w = world_open(schedules[i], NULL);
        const NDK_ADAPTER_DISPATCH *d = w.adapter->Dispatch;
        struct told t = {0};
        NDK_PD *pd = NULL;
        NDK_CQ *cq = NULL;

        assert_int_equal(d->NdkCreatePd(w.adapter, NULL, &t, &pd), STATUS_INVALID_PARAMETER);
        assert_int_equal(d->NdkCreatePd(w.adapter, on_created, &t, NULL), STATUS_INVALID_PARAMETER);
        assert_int_equal(d->NdkCreateCq(w.adapter, 4, NULL, NULL, NULL, on_created, &t, &cq),
            STATUS_INVALID_PARAMETER);
        assert_int_equal(
            d->NdkCreateCq(w.adapter, 0, on_completed, NULL, NULL, on_created, &t, &cq),
            STATUS_INVALID_PARAMETER);
        world_close(&w);
        assert_int_equal(told_count(&t), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pend_makes_creates_pend),
        cmocka_unit_test(inline_makes_creates_end_at_once),
        cmocka_unit_test(hostile_does_all_three),
        cmocka_unit_test(a_callback_may_close_what_it_is_told),
        cmocka_unit_test(the_adapters_close_waits_for_callbacks),
        cmocka_unit_test(a_failure_comes_inline_or_through_the_routine),
        cmocka_unit_test(bad_arguments_are_refused_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
