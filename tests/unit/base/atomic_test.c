/* SPDX-License-Identifier: MIT */
#include <pthread.h>

#include "base/atomic.h"
#include "support/unit.h"

static void each_operation_returns_the_old_value(void **state)
{
    struct sn_a32 a = {0};
    struct sn_a64 b = {0};

    (void)state;
    sn_a32_store_relaxed(&a, 5);
    assert_int_equal(sn_a32_fetch_add(&a, UINT32_MAX), 5); /* wraps */
    assert_int_equal(sn_a32_fetch_sub(&a, 2), 4);
    assert_int_equal(sn_a32_fetch_or(&a, 0xF0), 2);
    assert_int_equal(sn_a32_fetch_and(&a, 0x30), 0xF2);
    assert_int_equal(sn_a32_exchange(&a, 9), 0x30);
    assert_int_equal(sn_a32_load_relaxed(&a), 9);
    sn_a64_store_release(&b, UINT64_MAX);
    assert_true(sn_a64_fetch_add(&b, 3) == UINT64_MAX);
    assert_true(sn_a64_load_acquire(&b) == 2);
    assert_true(sn_a64_fetch_sub(&b, 3) == 2);
    assert_true(sn_a64_exchange(&b, 1) == UINT64_MAX);
}

static void cas_changes_only_what_it_expects(void **state)
{
    struct sn_a32 a = {0};
    struct sn_aptr p = {NULL};
    int x, y;

    (void)state;
    assert_false(sn_a32_cas(&a, 1, 2));
    assert_int_equal(sn_a32_load_acquire(&a), 0);
    assert_true(sn_a32_cas(&a, 0, 2));
    assert_int_equal(sn_a32_load_acquire(&a), 2);
    assert_true(sn_aptr_cas(&p, NULL, &x));
    assert_false(sn_aptr_cas(&p, NULL, &y));
    assert_ptr_equal(sn_aptr_exchange(&p, &y), &x);
    assert_ptr_equal(sn_aptr_load_acquire(&p), &y);
}

enum { ROUNDS = 10000 };

/* A box for one number: whoever sees it full may read the number. */
struct box {
    uint64_t number;
    struct sn_a32 is_full;
};

static void *fill(void *arg)
{
    struct box *b = arg;

    for (uint64_t i = 1; i <= ROUNDS; i++) {
        while (sn_a32_load_acquire(&b->is_full) != 0)
            sn_cpu_relax();
        b->number = i;
        sn_a32_store_release(&b->is_full, 1);
    }
    return NULL;
}

static void release_and_acquire_carry_what_was_written_before(void **state)
{
    struct box b = {0};
    pthread_t filler;

    (void)state;
    assert_int_equal(pthread_create(&filler, NULL, fill, &b), 0);
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        for (uint32_t spins = 1; sn_a32_load_acquire(&b.is_full) == 0; spins++) {
            if (spins % 1024 == 0)
                sn_fence_full();
        }
        assert_true(b.number == i);
        sn_a32_store_release(&b.is_full, 0);
    }
    assert_int_equal(pthread_join(filler, NULL), 0);
}

/* Each says "I am here", then looks for the other: never do both miss each other. */
struct dekker {
    struct sn_a32 here[2], saw[2], round[2];
};

static void *second(void *arg)
{
    struct dekker *d = arg;

    for (uint32_t i = 1; i <= ROUNDS; i++) {
        while (sn_a32_load_acquire(&d->round[0]) < i)
            sn_cpu_relax();
        sn_a32_store_relaxed(&d->here[1], i);
        sn_fence_full();
        sn_a32_store_relaxed(&d->saw[1], sn_a32_load_relaxed(&d->here[0]) == i);
        sn_a32_store_release(&d->round[1], i);
    }
    return NULL;
}

static void a_full_fence_orders_a_store_before_a_load(void **state)
{
    struct dekker d = {0};
    pthread_t other;

    (void)state;
    assert_int_equal(pthread_create(&other, NULL, second, &d), 0);
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        bool saw;

        sn_a32_store_release(&d.round[0], i);
        sn_a32_store_relaxed(&d.here[0], i);
        sn_fence_full();
        saw = sn_a32_load_relaxed(&d.here[1]) == i;
        while (sn_a32_load_acquire(&d.round[1]) < i)
            sn_cpu_relax();
        assert_true(saw || sn_a32_load_relaxed(&d.saw[1]) != 0);
    }
    assert_int_equal(pthread_join(other, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operation_returns_the_old_value),
        cmocka_unit_test(cas_changes_only_what_it_expects),
        cmocka_unit_test(release_and_acquire_carry_what_was_written_before),
        cmocka_unit_test(a_full_fence_orders_a_store_before_a_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
