/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/pool.h"
#include "kenv/track.h"
#include "support/death.h"

#include <stdbool.h>
#include <wdm.h>

#define TAG 'kdnS'

static bool is_zero(const void *p, size_t n)
{
    const unsigned char *c = p;

    for (size_t i = 0; i < n; i++)
        if (c[i] != 0)
            return false;
    return true;
}

static void sizes_and_alignment(void **state)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 4095, 4096, 4097, 65536, 1000003};

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(sizes); i++) {
        size_t bytes = 0, before = kenv_pool_outstanding(NULL);
        char *p = ExAllocatePoolWithTag(NonPagedPoolNx, sizes[i], TAG);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % (sizes[i] >= PAGE_SIZE ? PAGE_SIZE : 16), 0);
        memset(p, 0xaa, sizes[i]);
        assert_int_equal(kenv_pool_outstanding(&bytes), before + 1);
        assert_int_equal(bytes, sizes[i]);
        ExFreePoolWithTag(p, TAG);
        assert_int_equal(kenv_pool_outstanding(&bytes), before);
        assert_int_equal(bytes, 0);
    }
}

static void zeroed_or_not(void **state)
{
    void *p;

    (void)state;
    for (int i = 0; i < 20; i++) {
        p = ExAllocatePoolWithTag(NonPagedPool, 300, TAG);
        memset(p, 0xff, 300);
        ExFreePool(p);
        p = ExAllocatePool2(POOL_FLAG_NON_PAGED, 300, TAG);
        assert_true(is_zero(p, 300));
        memset(p, 0xff, 300);
        ExFreePoolWithTag(p, TAG);
        p = ExAllocatePoolZero(PagedPool, 300, TAG);
        assert_true(is_zero(p, 300));
        ExFreePoolWithTag(p, 0);
    }
    p = ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_UNINITIALIZED, 10, TAG);
    assert_non_null(p);
    ExFreePool(p);
}

static void what_is_refused(void **state)
{
    (void)state;
    assert_null(ExAllocatePool2(0, 16, TAG));
    assert_null(ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_NON_PAGED, 16, TAG));
    assert_null(ExAllocatePool2(POOL_FLAG_NON_PAGED, 0, TAG));
    assert_null(ExAllocatePoolWithTag(NonPagedPool, SIZE_MAX, TAG));
    assert_null(ExAllocatePoolWithTag(NonPagedPool, SIZE_MAX - 4000, TAG));
    assert_int_equal(kenv_pool_outstanding(NULL), 0);
}

static void nonpaged_at_dispatch(void **state)
{
    KIRQL old = KeRaiseIrqlToDpcLevel();
    void *p = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, TAG);

    (void)state;
    assert_non_null(p);
    ExFreePoolWithTag(p, TAG);
    KeLowerIrql(old);
}

static void no_tag(void *arg)
{
    (void)arg;
    ExAllocatePoolWithTag(NonPagedPool, 8, 0);
}

static void wrong_tag(void *arg)
{
    (void)arg;
    ExFreePoolWithTag(ExAllocatePoolWithTag(NonPagedPool, 8, 'dcba'), 'hgfe');
}

static void not_from_the_pool(void *arg)
{
    _Alignas(16) static char block[256];

    (void)arg;
    ExFreePool(block + 128);
}

static void freed_null(void *arg)
{
    (void)arg;
    ExFreePool(NULL);
}

static void paged_at_dispatch(void *arg)
{
    (void)arg;
    KeRaiseIrqlToDpcLevel();
    ExAllocatePoolWithTag(PagedPool, 8, TAG);
}

static void paged_freed_at_dispatch(void *arg)
{
    void *p = ExAllocatePoolWithTag(PagedPool, 8, TAG);

    (void)arg;
    KeRaiseIrqlToDpcLevel();
    ExFreePool(p);
}

/* Found by marks around and in blocks; AddressSanitizer finds these itself, and differently. */
extern void __asan_poison_memory_region(void const volatile *p, size_t n) __attribute__((weak));

static char *checked_block(size_t size)
{
    kenv_checks_enable();
    return ExAllocatePoolWithTag(NonPagedPoolNx, size, TAG);
}

static void overrun(void *arg)
{
    volatile char *p = checked_block(100);

    (void)arg;
    p[103] = 1;
    ExFreePool((PVOID)(uintptr_t)p);
}

static void overrun_and_never_freed(void *arg)
{
    volatile char *p = checked_block(4096);

    (void)arg;
    p[4096] = 1;
    kenv_pool_check();
}

static void written_after_free(void *arg)
{
    volatile char *p = checked_block(5000);

    (void)arg;
    ExFreePoolWithTag((PVOID)(uintptr_t)p, TAG);
    p[4999] = 1;
    kenv_pool_check();
}

static void pushed_out_after_a_write(void *arg)
{
    volatile char *p = checked_block(50);

    (void)arg;
    ExFreePoolWithTag((PVOID)(uintptr_t)p, TAG);
    p[7] = 1;
    for (int i = 0; i < 20000; i++)
        ExFreePool(checked_block(10));
}

static void freed_twice(void *arg)
{
    char *p = checked_block(50);

    (void)arg;
    ExFreePool(p);
    ExFreePool(p);
}

static void freed_with_a_timer(void *arg)
{
    LARGE_INTEGER due = {.QuadPart = -36000000000};
    PKTIMER timer = (PKTIMER)(void *)checked_block(2 * sizeof(KTIMER));

    (void)arg;
    KeInitializeTimer(timer + 1);
    KeSetTimer(timer + 1, due, NULL);
    ExFreePool(timer);
}

static void checks_find(void **state)
{
    static const struct {
        void (*fn)(void *arg);
        const char *code, *wants, *stack;
    } cases[] = {
        {overrun, "BAD_POOL_HEADER", "was written to 3 bytes beyond its end", "created at:"},
        {overrun_and_never_freed, "BAD_POOL_HEADER", "0 bytes beyond", "created at:"},
        {written_after_free, "DRIVER_CORRUPTED_EXPOOL", "at offset 4999 after it was freed",
            "freed at:"},
        {pushed_out_after_a_write, "DRIVER_CORRUPTED_EXPOOL", "at offset 7 after", "freed at:"},
        {freed_twice, "BAD_POOL_CALLER", "freed a second time", "freed at:"},
        {freed_with_a_timer, "TIMER_OR_DPC_INVALID", "holds a timer (set) that is in use",
            "created at:"},
    };

    (void)state;
    if (__asan_poison_memory_region != NULL)
        skip();
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        static char text[32768];

        assert_int_equal(death_of(cases[i].fn, NULL, text, sizeof(text)), SIGABRT);
        assert_non_null(strstr(text, cases[i].code));
        assert_non_null(strstr(text, cases[i].wants));
        assert_non_null(strstr(text, cases[i].stack));
    }
}

static void leaks_have_stacks(void **state)
{
    size_t before;
    char *p;

    (void)state;
    kenv_checks_enable();
    before = kenv_tracked_each(NULL, 0, NULL, NULL);
    p = checked_block(77);
    assert_int_equal(kenv_tracked_each(NULL, 0, NULL, NULL), before + 1);
    ExFreePool(p);
    assert_int_equal(kenv_tracked_each(NULL, 0, NULL, NULL), before);
    /* Many blocks come and go past those that are kept aside. */
    for (int i = 0; i < 10000; i++)
        ExFreePool(checked_block((size_t)i * 7));
    kenv_pool_check();
    assert_int_equal(kenv_pool_outstanding(NULL), 0);
}

static void misuse_is_a_bugcheck(void **state)
{
    static const struct {
        void (*fn)(void *arg);
        const char *wants;
    } cases[] = {
        {no_tag, "a tag of zero"},
        {wrong_tag, "was allocated with tag 'abcd' and is freed with 'efgh'"},
        {not_from_the_pool, "not a live allocation"},
        {freed_null, "not a live allocation"},
        {paged_at_dispatch, "paged pool is asked for at IRQL 2"},
        {paged_freed_at_dispatch, "paged pool is freed at IRQL 2"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        static char text[16384];

        assert_int_equal(death_of(cases[i].fn, NULL, text, sizeof(text)), SIGABRT);
        assert_non_null(strstr(text, "BAD_POOL_CALLER"));
        assert_non_null(strstr(text, cases[i].wants));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_alignment),
        cmocka_unit_test(zeroed_or_not),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(nonpaged_at_dispatch),
        cmocka_unit_test(misuse_is_a_bugcheck),
        cmocka_unit_test(checks_find),
        cmocka_unit_test(leaks_have_stacks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
