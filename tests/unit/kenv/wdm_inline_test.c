/* SPDX-License-Identifier: MIT */
/* What wdm.h defines in the header itself: lists and interlocked operations. */
#include "support/unit.h"

#include <pthread.h>
#include <wdm.h>

struct item {
    int value;
    LIST_ENTRY entry;
    SINGLE_LIST_ENTRY single;
};

static void doubly_linked(void **state)
{
    struct item items[4];
    LIST_ENTRY head, other;
    int expected = 0;

    (void)state;
    InitializeListHead(&head);
    assert_true(IsListEmpty(&head));
    assert_ptr_equal(RemoveHeadList(&head), &head);
    assert_ptr_equal(RemoveTailList(&head), &head);
    for (int i = 0; i < 4; i++)
        items[i].value = i;
    InsertTailList(&head, &items[1].entry);
    InsertHeadList(&head, &items[0].entry);
    InsertTailList(&head, &items[2].entry);
    InsertTailList(&head, &items[3].entry);
    for (PLIST_ENTRY e = head.Flink; e != &head; e = e->Flink)
        assert_int_equal(CONTAINING_RECORD(e, struct item, entry)->value, expected++);
    assert_int_equal(expected, 4);
    assert_false(RemoveEntryList(&items[2].entry));
    assert_ptr_equal(RemoveHeadList(&head), &items[0].entry);
    assert_ptr_equal(RemoveTailList(&head), &items[3].entry);
    assert_true(RemoveEntryList(&items[1].entry));
    assert_true(IsListEmpty(&head));

    /* A list without its head is appended entry by entry. */
    InitializeListHead(&other);
    InsertTailList(&head, &items[0].entry);
    InsertTailList(&other, &items[1].entry);
    InsertTailList(&other, &items[2].entry);
    RemoveEntryList(&other);
    AppendTailList(&head, &items[1].entry);
    expected = 0;
    for (PLIST_ENTRY e = head.Flink; e != &head; e = e->Flink)
        assert_int_equal(CONTAINING_RECORD(e, struct item, entry)->value, expected++);
    assert_int_equal(expected, 3);
    assert_ptr_equal(head.Blink, &items[2].entry);
}

static void singly_linked(void **state)
{
    SINGLE_LIST_ENTRY head = {NULL};
    struct item a, b;

    (void)state;
    assert_null(PopEntryList(&head));
    PushEntryList(&head, &a.single);
    PushEntryList(&head, &b.single);
    assert_ptr_equal(PopEntryList(&head), &b.single);
    assert_ptr_equal(PopEntryList(&head), &a.single);
    assert_null(PopEntryList(&head));
}

static void interlocked_results(void **state)
{
    volatile LONG x = 5;
    volatile LONG64 y = 5;
    PVOID volatile p = NULL;
    int target, other;

    (void)state;
    assert_int_equal(InterlockedIncrement(&x), 6);
    assert_int_equal(InterlockedDecrement(&x), 5);
    assert_int_equal(InterlockedExchangeAdd(&x, 10), 5);
    assert_int_equal(InterlockedAdd(&x, 1), 16);
    assert_int_equal(InterlockedExchange(&x, 1), 16);
    assert_int_equal(InterlockedCompareExchange(&x, 9, 2), 1);
    assert_int_equal(InterlockedCompareExchange(&x, 9, 1), 1);
    assert_int_equal(InterlockedOr(&x, 6), 9);
    assert_int_equal(InterlockedAnd(&x, 7), 15);
    assert_int_equal(InterlockedXor(&x, 2), 7);
    assert_int_equal(ReadAcquire(&x), 5);
    WriteRelease(&x, 3);
    assert_int_equal(x, 3);
    assert_int_equal(InterlockedIncrement64(&y), 6);
    assert_int_equal(InterlockedDecrement64(&y), 5);
    assert_int_equal(InterlockedExchangeAdd64(&y, INT64_C(1) << 40), 5);
    assert_int_equal(InterlockedAdd64(&y, 1), (INT64_C(1) << 40) + 6);
    assert_int_equal(InterlockedExchange64(&y, 2), (INT64_C(1) << 40) + 6);
    assert_int_equal(InterlockedCompareExchange64(&y, 3, 2), 2);
    assert_int_equal(y, 3);
    assert_null(InterlockedExchangePointer(&p, &target));
    assert_ptr_equal(InterlockedCompareExchangePointer(&p, NULL, &other), &target);
    assert_ptr_equal(InterlockedCompareExchangePointer(&p, NULL, &target), &target);
    assert_null(p);
    /* The counters of NDK consumers wrap. */
    x = MAXLONG;
    assert_int_equal(InterlockedIncrement(&x), INT32_MIN);
}

static void *add(void *counter)
{
    for (int i = 0; i < 10000; i++)
        InterlockedIncrement(counter);
    return NULL;
}

static void interlocked_means_it(void **state)
{
    static volatile LONG counter;
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add, (void *)(uintptr_t)&counter), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(counter, 40000);
}

static void severities(void **state)
{
    (void)state;
    assert_true(NT_SUCCESS(STATUS_SUCCESS));
    assert_true(NT_SUCCESS(STATUS_PENDING));
    assert_true(NT_SUCCESS(STATUS_OBJECT_NAME_EXISTS));
    assert_true(NT_INFORMATION(STATUS_OBJECT_NAME_EXISTS));
    assert_false(NT_SUCCESS(STATUS_NO_MORE_ENTRIES));
    assert_true(NT_WARNING(STATUS_NO_MORE_ENTRIES));
    assert_false(NT_ERROR(STATUS_NO_MORE_ENTRIES));
    assert_true(NT_ERROR(STATUS_CANCELLED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubly_linked),
        cmocka_unit_test(singly_linked),
        cmocka_unit_test(interlocked_results),
        cmocka_unit_test(interlocked_means_it),
        cmocka_unit_test(severities),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
