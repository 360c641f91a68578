/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/pool.h"
#include "support/death.h"

#include <wdm.h>

#define TAG 'kooL'

static void from_the_pool(void **state)
{
    NPAGED_LOOKASIDE_LIST nonpaged;
    PAGED_LOOKASIDE_LIST paged;
    LOOKASIDE_LIST_EX extended;
    size_t bytes = 0;
    void *a, *b, *c;

    (void)state;
    ExInitializeNPagedLookasideList(&nonpaged, NULL, NULL, 0, 100, TAG, 0);
    ExInitializePagedLookasideList(&paged, NULL, NULL, 0, 200, TAG, 0);
    assert_int_equal(
        ExInitializeLookasideListEx(&extended, NULL, NULL, NonPagedPoolNx, 0, 300, TAG, 0), 0);
    a = ExAllocateFromNPagedLookasideList(&nonpaged);
    b = ExAllocateFromPagedLookasideList(&paged);
    c = ExAllocateFromLookasideListEx(&extended);
    assert_int_equal(kenv_pool_outstanding(&bytes), 3);
    assert_int_equal(bytes, 600);
    ExFreeToNPagedLookasideList(&nonpaged, a);
    ExFreeToPagedLookasideList(&paged, b);
    ExFreeToLookasideListEx(&extended, c);
    assert_int_equal(kenv_pool_outstanding(NULL), 0);
    assert_int_equal(nonpaged.L.TotalAllocates, 1);
    assert_int_equal(extended.L.TotalFrees, 1);
    ExFlushLookasideListEx(&extended);
    ExDeleteNPagedLookasideList(&nonpaged);
    ExDeletePagedLookasideList(&paged);
    ExDeleteLookasideListEx(&extended);
}

static int allocated, freed;
static char entry[300];

static PVOID allocate(POOL_TYPE type, SIZE_T n, ULONG tag)
{
    assert_int_equal(type, NonPagedPool);
    assert_int_equal(n, sizeof(entry));
    assert_int_equal(tag, TAG);
    allocated++;
    return entry;
}

static VOID release(PVOID p)
{
    assert_ptr_equal(p, entry);
    freed++;
}

static PVOID allocate_ex(POOL_TYPE type, SIZE_T n, ULONG tag, PLOOKASIDE_LIST_EX list)
{
    assert_int_equal(type, PagedPool);
    assert_non_null(list);
    assert_int_equal(n, sizeof(entry));
    assert_int_equal(tag, TAG);
    allocated++;
    return NULL;
}

static VOID release_ex(PVOID p, PLOOKASIDE_LIST_EX list)
{
    assert_non_null(list);
    release(p);
}

static void with_routines_of_the_driver(void **state)
{
    NPAGED_LOOKASIDE_LIST plain;
    LOOKASIDE_LIST_EX extended;

    (void)state;
    ExInitializeNPagedLookasideList(&plain, allocate, release, 0, sizeof(entry), TAG, 4);
    assert_ptr_equal(ExAllocateFromNPagedLookasideList(&plain), entry);
    ExFreeToNPagedLookasideList(&plain, entry);
    ExDeleteNPagedLookasideList(&plain);
    assert_int_equal(ExInitializeLookasideListEx(
                         &extended, allocate_ex, release_ex, PagedPool, 0, sizeof(entry), TAG, 0),
        STATUS_SUCCESS);
    assert_null(ExAllocateFromLookasideListEx(&extended));
    ExFreeToLookasideListEx(&extended, entry);
    assert_int_equal(extended.L.TotalAllocates, 0);
    ExDeleteLookasideListEx(&extended);
    assert_int_equal(allocated, 2);
    assert_int_equal(freed, 2);
    assert_int_equal(ExInitializeLookasideListEx(&extended, NULL, NULL, (POOL_TYPE)2, 0, 8, TAG, 0),
        STATUS_INVALID_PARAMETER_4);
    assert_int_equal(ExInitializeLookasideListEx(&extended, NULL, NULL, PagedPool, 3, 8, TAG, 0),
        STATUS_INVALID_PARAMETER_5);
}

static void use_after_delete(void *unused)
{
    NPAGED_LOOKASIDE_LIST list;

    (void)unused;
    ExInitializeNPagedLookasideList(&list, NULL, NULL, 0, 100, TAG, 0);
    ExDeleteNPagedLookasideList(&list);
    ExAllocateFromNPagedLookasideList(&list);
}

static void paged_at_dispatch(void *unused)
{
    PAGED_LOOKASIDE_LIST list;

    (void)unused;
    ExInitializePagedLookasideList(&list, NULL, NULL, 0, 100, TAG, 0);
    KeRaiseIrqlToDpcLevel();
    ExAllocateFromPagedLookasideList(&list);
}

static void misuse(void **state)
{
    char text[8192];

    (void)state;
    assert_int_equal(death_of(use_after_delete, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "never initialised or was deleted"));
    assert_int_equal(death_of(paged_at_dispatch, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "IRQL 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(from_the_pool),
        cmocka_unit_test(with_routines_of_the_driver),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
