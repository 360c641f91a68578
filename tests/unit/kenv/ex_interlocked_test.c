/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include <pthread.h>
#include <wdm.h>

#define THREADS 3
#define ENTRIES 200
#define ROUNDS  50

struct item {
    SLIST_ENTRY entry;
    LONG number;
};

static void last_in_first_out(void **state)
{
    static struct item items[3];
    SLIST_HEADER head;
    PSLIST_ENTRY all;

    (void)state;
    InitializeSListHead(&head);
    assert_null(InterlockedPopEntrySList(&head));
    assert_null(InterlockedFlushSList(&head));
    assert_null(InterlockedPushEntrySList(&head, &items[0].entry));
    assert_ptr_equal(InterlockedPushEntrySList(&head, &items[1].entry), &items[0].entry);
    assert_ptr_equal(ExInterlockedPushEntrySList(&head, &items[2].entry, NULL), &items[1].entry);
    assert_int_equal(QueryDepthSList(&head), 3);
    assert_ptr_equal(ExInterlockedPopEntrySList(&head, NULL), &items[2].entry);
    assert_int_equal(ExQueryDepthSList(&head), 2);
    all = ExInterlockedFlushSList(&head);
    assert_ptr_equal(all, &items[1].entry);
    assert_ptr_equal(all->Next, &items[0].entry);
    assert_null(all->Next->Next);
    assert_int_equal(QueryDepthSList(&head), 0);
}

static SLIST_HEADER shared;

static void *take_and_give(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS * ENTRIES; i++) {
        PSLIST_ENTRY entry = InterlockedPopEntrySList(&shared);

        if (entry == NULL)
            continue;
        CONTAINING_RECORD(entry, struct item, entry)->number++;
        InterlockedPushEntrySList(&shared, entry);
    }
    return NULL;
}

static void none_is_lost(void **state)
{
    static struct item items[ENTRIES];
    pthread_t threads[THREADS];
    int n = 0;

    (void)state;
    InitializeSListHead(&shared);
    for (int i = 0; i < ENTRIES; i++)
        InterlockedPushEntrySList(&shared, &items[i].entry);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(QueryDepthSList(&shared), ENTRIES);
    for (PSLIST_ENTRY e = InterlockedFlushSList(&shared); e != NULL; e = e->Next)
        n++;
    assert_int_equal(n, ENTRIES);
}

static void with_a_spin_lock(void **state)
{
    SINGLE_LIST_ENTRY single = {NULL}, one, two;
    LIST_ENTRY head, a, b;
    LARGE_INTEGER large = {.QuadPart = -1}, five = {.QuadPart = 5};
    KSPIN_LOCK lock;
    ULONG number = 0xfffffffe;
    KIRQL old;

    (void)state;
    KeInitializeSpinLock(&lock);
    InitializeListHead(&head);
    assert_null(ExInterlockedRemoveHeadList(&head, &lock));
    assert_null(ExInterlockedInsertTailList(&head, &a, &lock));
    /* At any IRQL, and it is the same afterwards. */
    KeRaiseIrql(HIGH_LEVEL, &old);
    assert_ptr_equal(ExInterlockedInsertHeadList(&head, &b, &lock), &a);
    assert_int_equal(KeGetCurrentIrql(), HIGH_LEVEL);
    KeLowerIrql(old);
    assert_ptr_equal(ExInterlockedRemoveHeadList(&head, &lock), &b);
    assert_ptr_equal(ExInterlockedInsertTailList(&head, &b, &lock), &a);
    assert_ptr_equal(head.Blink, &b);
    assert_null(ExInterlockedPushEntryList(&single, &one, &lock));
    assert_ptr_equal(ExInterlockedPushEntryList(&single, &two, &lock), &one);
    assert_ptr_equal(ExInterlockedPopEntryList(&single, &lock), &two);
    assert_int_equal(ExInterlockedAddUlong(&number, 3, &lock), 0xfffffffe);
    assert_int_equal(number, 1);
    assert_true(ExInterlockedAddLargeInteger(&large, five, &lock).QuadPart == -1);
    assert_true(large.QuadPart == 4);
    ExInterlockedAddLargeStatistic(&large, 6);
    assert_true(large.QuadPart == 10);
}

static void inline_forms(void **state)
{
    volatile LONG bits[2] = {0, 0}, value = 5;
    volatile LONG64 large = 12;
    volatile SHORT small = 1;
    volatile SIZE_T size = 3;
    PVOID volatile pointer = NULL;

    (void)state;
    assert_false(InterlockedBitTestAndSet(bits, 33));
    assert_int_equal(bits[1], 2);
    assert_true(InterlockedBitTestAndReset(bits, 33));
    assert_int_equal(bits[1], 0);
    assert_false(InterlockedBitTestAndSet(bits, 31));
    assert_int_equal((ULONG)bits[0], 0x80000000);
    assert_int_equal(InterlockedIncrement16(&small), 2);
    assert_int_equal(InterlockedCompareExchange16(&small, 9, 2), 2);
    assert_int_equal(InterlockedDecrement16(&small), 8);
    assert_int_equal(InterlockedAnd64(&large, 8), 12);
    assert_int_equal(InterlockedOr64(&large, 1), 8);
    assert_int_equal(InterlockedXor64(&large, 3), 9);
    assert_int_equal(large, 10);
    assert_int_equal(InterlockedExchangeAddSizeT(&size, 4), 3);
    assert_int_equal(InterlockedIncrementSizeT(&size), 8);
    assert_int_equal(InterlockedDecrementSizeT(&size), 7);
    assert_int_equal(InterlockedExchangeSubtract(&value, 2), 5);
    assert_int_equal(ReadNoFence(&value), 3);
    WriteNoFence(&value, 4);
    assert_int_equal(InterlockedIncrementNoFence(&value), 5);
    WritePointerRelease(&pointer, (PVOID)&value);
    assert_ptr_equal(ReadPointerAcquire(&pointer), &value);
    WriteRelease64(&large, -3);
    assert_true(ReadAcquire64(&large) == -3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_in_first_out),
        cmocka_unit_test(none_is_lost),
        cmocka_unit_test(with_a_spin_lock),
        cmocka_unit_test(inline_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
