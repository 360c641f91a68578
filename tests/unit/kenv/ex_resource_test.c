/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "support/death.h"

#include <pthread.h>
#include <softndk_driver.h>
#include <wdm.h>

static ERESOURCE resource;

static int set_up(void **state)
{
    (void)state;
    return ExInitializeResourceLite(&resource);
}

static int tear_down(void **state)
{
    (void)state;
    return ExDeleteResourceLite(&resource);
}

static void *try_exclusive(void *unused)
{
    BOOLEAN got;

    (void)unused;
    KeEnterCriticalRegion();
    got = ExAcquireResourceExclusiveLite(&resource, FALSE);
    if (got)
        ExReleaseResourceLite(&resource);
    KeLeaveCriticalRegion();
    return got ? &resource : NULL;
}

static void *try_shared(void *unused)
{
    BOOLEAN got;

    (void)unused;
    KeEnterCriticalRegion();
    got = ExAcquireResourceSharedLite(&resource, FALSE);
    if (got)
        ExReleaseResourceLite(&resource);
    KeLeaveCriticalRegion();
    return got ? &resource : NULL;
}

static BOOLEAN elsewhere(void *(*fn)(void *))
{
    pthread_t thread;
    void *got = NULL;

    assert_int_equal(pthread_create(&thread, NULL, fn, NULL), 0);
    assert_int_equal(pthread_join(thread, &got), 0);
    return got != NULL;
}

static void one_writer(void **state)
{
    (void)state;
    assert_ptr_equal(
        ExEnterCriticalRegionAndAcquireResourceExclusive(&resource), KeGetCurrentThread());
    assert_true(ExAcquireResourceExclusiveLite(&resource, TRUE));
    assert_true(ExAcquireResourceSharedLite(&resource, TRUE));
    assert_true(ExIsResourceAcquiredExclusiveLite(&resource));
    assert_int_equal(ExIsResourceAcquiredSharedLite(&resource), 3);
    assert_false(elsewhere(try_shared));
    assert_false(elsewhere(try_exclusive));
    ExReleaseResourceLite(&resource);
    ExReleaseResourceLite(&resource);
    assert_false(elsewhere(try_shared));
    ExConvertExclusiveToSharedLite(&resource);
    assert_true(elsewhere(try_shared));
    assert_false(elsewhere(try_exclusive));
    ExReleaseResourceAndLeaveCriticalRegion(&resource);
    assert_true(elsewhere(try_exclusive));
    assert_int_equal(ExReinitializeResourceLite(&resource), STATUS_SUCCESS);
}

static void *wait_exclusive(void *unused)
{
    (void)unused;
    ExEnterCriticalRegionAndAcquireResourceExclusive(&resource);
    ExReleaseResourceAndLeaveCriticalRegion(&resource);
    return NULL;
}

static void readers_and_a_writer_that_waits(void **state)
{
    pthread_t thread;

    (void)state;
    ExEnterCriticalRegionAndAcquireResourceShared(&resource);
    assert_true(elsewhere(try_shared));
    assert_int_equal(pthread_create(&thread, NULL, wait_exclusive, NULL), 0);
    while (ExGetExclusiveWaiterCount(&resource) == 0)
        YieldProcessor();
    /* A new reader waits behind it, one that reads already does not, unless it asks to. */
    assert_false(elsewhere(try_shared));
    assert_true(ExAcquireResourceSharedLite(&resource, FALSE));
    assert_true(ExAcquireSharedStarveExclusive(&resource, FALSE));
    assert_false(ExAcquireSharedWaitForExclusive(&resource, FALSE));
    assert_int_equal(ExIsResourceAcquiredSharedLite(&resource), 3);
    assert_int_equal(ExGetSharedWaiterCount(&resource), 0);
    ExReleaseResourceLite(&resource);
    ExReleaseResourceForThreadLite(&resource, ExGetCurrentResourceThread());
    ExReleaseResourceAndLeaveCriticalRegion(&resource);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static BOOLEAN see(PVOID context, const SOFTNDK_DRV_REPORT *report)
{
    assert_string_equal(report->Rule, "resource-without-critical-region");
    assert_ptr_equal(report->Object, &resource);
    ++*(int *)context;
    return TRUE;
}

static void outside_a_region_is_reported(void **state)
{
    int reports = 0;

    (void)state;
    SoftNdkDrvSetReportSink(see, &reports);
    assert_true(ExAcquireResourceExclusiveLite(&resource, TRUE));
    ExReleaseResourceLite(&resource);
    SoftNdkDrvSetReportSink(NULL, NULL);
    assert_int_equal(reports, 1);
}

static void release_nothing(void *unused)
{
    (void)unused;
    ExReleaseResourceLite(&resource);
}

static void upgrade(void *unused)
{
    (void)unused;
    ExEnterCriticalRegionAndAcquireResourceShared(&resource);
    (void)ExAcquireResourceExclusiveLite(&resource, TRUE);
}

static void delete_while_held(void *unused)
{
    (void)unused;
    ExEnterCriticalRegionAndAcquireResourceShared(&resource);
    ExDeleteResourceLite(&resource);
}

static void use_after_delete(void *unused)
{
    (void)unused;
    ExDeleteResourceLite(&resource);
    ExEnterCriticalRegionAndAcquireResourceShared(&resource);
}

static void misuse(void **state)
{
    static const struct {
        void (*fn)(void *);
        const char *says;
    } cases[] = {
        {release_nothing, "RESOURCE_NOT_OWNED"},
        {upgrade, "wait for itself for ever"},
        {delete_while_held, "is held"},
        {use_after_delete, "never initialised or was deleted"},
    };
    char text[8192];

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        assert_int_equal(death_of(cases[i].fn, NULL, text, sizeof(text)), SIGABRT);
        assert_non_null(strstr(text, cases[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(one_writer),
        cmocka_unit_test(readers_and_a_writer_that_waits),
        cmocka_unit_test(outside_a_region_is_reported),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
