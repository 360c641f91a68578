/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/alloc.h"
#include "support/unit.h"

/* An allocator that hands out dirty memory, counts, and fails on demand. */
struct dirty {
    size_t allocs, frees, size_last;
    size_t fail_at; /* the how manieth allocation fails, 0: none */
};

static void *dirty_alloc(void *ctx, size_t size)
{
    struct dirty *d = ctx;
    void *p;

    d->allocs++;
    d->size_last = size;
    if (d->allocs == d->fail_at)
        return NULL;
    p = malloc(size);
    if (p != NULL)
        memset(p, 0xA5, size);
    return p;
}

static void dirty_free(void *ctx, void *p)
{
    struct dirty *d = ctx;

    d->frees++;
    free(p);
}

static int default_allocator(void **state)
{
    (void)state;
    sn_alloc_set(NULL);
    return sn_alloc_live_count() == 0 ? 0 : -1;
}

static void assert_zero(const void *p, size_t n)
{
    const uint8_t *octets = p;

    for (size_t i = 0; i < n; i++)
        assert_int_equal(octets[i], 0);
}

static const size_t sizes[] = {0, 1, 2, 7, 8, 15, 16, 17, 63, 64, 65, 127, 4096, 100000};
enum { SIZE_COUNT = sizeof(sizes) / sizeof(sizes[0]) };

static void memory_is_zero_and_aligned(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        void *p = sn_zalloc(sizes[i]);
        void *line = sn_zalloc_aligned(sizes[i]);
        void *array = sn_zalloc_array(sizes[i], 3);

        assert_non_null(p);
        assert_non_null(line);
        assert_non_null(array);
        assert_int_equal((uintptr_t)p % 16, 0);
        assert_int_equal((uintptr_t)array % 16, 0);
        assert_int_equal((uintptr_t)line % SN_CACHE_LINE, 0);
        assert_zero(p, sizes[i]);
        assert_zero(line, sizes[i]);
        assert_zero(array, sizes[i] * 3);
        memset(p, 1, sizes[i]); /* all of it is ours: the sanitizer says if not */
        memset(line, 1, sizes[i]);
        memset(array, 1, sizes[i] * 3);
        sn_free(p);
        sn_free_aligned(line);
        sn_free(array);
    }
}

static void memory_of_another_allocator_is_zeroed(void **state)
{
    struct dirty d = {0};
    const struct sn_allocator a = {dirty_alloc, dirty_free, &d};

    (void)state;
    sn_alloc_set(&a);
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        void *p = sn_zalloc(sizes[i]);
        void *line = sn_zalloc_aligned(sizes[i]);

        assert_zero(p, sizes[i]);
        assert_zero(line, sizes[i]);
        assert_int_equal((uintptr_t)line % SN_CACHE_LINE, 0);
        sn_free(p);
        sn_free_aligned(line);
    }
    assert_int_equal(d.allocs, 2 * SIZE_COUNT);
    assert_int_equal(d.frees, d.allocs);
    sn_alloc_set(NULL);
    sn_free(sn_zalloc(1));
    assert_int_equal(d.allocs, 2 * SIZE_COUNT);
}

static void sizes_that_overflow_are_refused_before_the_allocator(void **state)
{
    struct dirty d = {0};
    const struct sn_allocator a = {dirty_alloc, dirty_free, &d};

    (void)state;
    sn_alloc_set(&a);
    assert_null(sn_zalloc_array(SIZE_MAX, 2));
    assert_null(sn_zalloc_array(2, SIZE_MAX));
    assert_null(sn_zalloc_array(SIZE_MAX / 2 + 1, 2));
    assert_null(sn_zalloc_array((size_t)1 << 33, (size_t)1 << 31));
    assert_null(sn_zalloc_aligned(SIZE_MAX));
    assert_null(sn_zalloc_aligned(SIZE_MAX - SN_CACHE_LINE));
    assert_int_equal(d.allocs, 0);
}

static void an_array_of_nothing_is_an_allocation(void **state)
{
    void *p = sn_zalloc_array(0, SIZE_MAX), *q = sn_zalloc_array(SIZE_MAX, 0);

    (void)state;
    assert_non_null(p);
    assert_non_null(q);
    assert_int_equal(sn_alloc_live_count(), 2);
    sn_free(p);
    sn_free(q);
}

static void failure_gives_null_and_counts_nothing(void **state)
{
    struct dirty d = {.fail_at = 2};
    const struct sn_allocator a = {dirty_alloc, dirty_free, &d};
    size_t total = sn_alloc_total_count();
    void *p;

    (void)state;
    sn_alloc_set(&a);
    p = sn_zalloc(8);
    assert_non_null(p);
    assert_null(sn_zalloc(8));
    d.fail_at = 3;
    assert_null(sn_zalloc_aligned(8));
    assert_int_equal(sn_alloc_live_count(), 1);
    assert_int_equal(sn_alloc_total_count() - total, 1);
    sn_free(p);
    assert_int_equal(d.frees, 1);
}

static void counts_follow_every_allocation(void **state)
{
    size_t total = sn_alloc_total_count();
    void *p, *q;

    (void)state;
    assert_int_equal(sn_alloc_live_count(), 0);
    p = sn_zalloc(10);
    q = sn_zalloc_aligned(10);
    assert_int_equal(sn_alloc_live_count(), 2);
    assert_int_equal(sn_alloc_total_count() - total, 2);
    sn_free(NULL);
    sn_free_aligned(NULL);
    assert_int_equal(sn_alloc_live_count(), 2);
    sn_free(p);
    sn_free_aligned(q);
    assert_int_equal(sn_alloc_live_count(), 0);
    assert_int_equal(sn_alloc_total_count() - total, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(memory_is_zero_and_aligned, default_allocator),
        cmocka_unit_test_setup_teardown(
            memory_of_another_allocator_is_zeroed, default_allocator, default_allocator),
        cmocka_unit_test_setup_teardown(sizes_that_overflow_are_refused_before_the_allocator,
            default_allocator, default_allocator),
        cmocka_unit_test_setup(an_array_of_nothing_is_an_allocation, default_allocator),
        cmocka_unit_test_setup_teardown(
            failure_gives_null_and_counts_nothing, default_allocator, default_allocator),
        cmocka_unit_test_setup(counts_follow_every_allocation, default_allocator),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
