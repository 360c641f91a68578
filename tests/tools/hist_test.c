/* SPDX-License-Identifier: MIT */
#include "common/hist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct hist h;

static void empty(void **state)
{
    (void)state;
    hist_clear(&h);
    assert_true(hist_quantile(&h, 0.5) == 0);
    assert_true(hist_mean(&h) == 0);
}

static void small_values_are_exact(void **state)
{
    (void)state;
    hist_clear(&h);
    for (uint64_t i = 1; i <= 200; i++)
        hist_add(&h, i);
    assert_int_equal(h.min, 1);
    assert_int_equal(h.max, 200);
    assert_true(hist_mean(&h) == 100.5);
    assert_true(hist_quantile(&h, 0) == 1);
    assert_true(hist_quantile(&h, 0.5) == 101);
    assert_true(hist_quantile(&h, 0.99) == 199);
    assert_true(hist_quantile(&h, 1) == 200);
}

static void one_value_is_every_quantile(void **state)
{
    static const uint64_t values[] = {0, 1, 255, 256, 257, 511, 512, 5000, 1000003, 1ull << 40,
        (1ull << 40) + 1, UINT64_MAX - 1, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        hist_clear(&h);
        hist_add(&h, values[i]);
        assert_true(hist_quantile(&h, 0) == (double)values[i]);
        assert_true(hist_quantile(&h, 0.999) == (double)values[i]);
    }
}

/* Two that are merged are what one would have been. */
static void merging_is_adding(void **state)
{
    static struct hist parts[2];

    (void)state;
    hist_clear(&h);
    hist_clear(&parts[0]);
    hist_clear(&parts[1]);
    for (uint64_t i = 0; i < 1000; i++) {
        hist_add(&h, i * i);
        hist_add(&parts[i % 3 == 0], i * i);
    }
    hist_merge(&parts[0], &parts[1]);
    assert_memory_equal(&parts[0], &h, sizeof h);
    hist_clear(&parts[1]);
    hist_merge(&parts[0], &parts[1]); /* nothing more */
    assert_memory_equal(&parts[0], &h, sizeof h);
}

static void see(void *context, double value, uint64_t count)
{
    double *sums = context; /* of values, of counts, the last value */

    assert_true(value > sums[2] || sums[1] == 0);
    sums[0] += value * (double)count;
    sums[1] += (double)count;
    sums[2] = value;
}

/* Every value is in one of the buckets, which come in rising order. */
static void buckets_hold_everything(void **state)
{
    double sums[3] = {0, 0, 0};

    (void)state;
    hist_clear(&h);
    hist_each(&h, see, sums);
    assert_true(sums[1] == 0);
    for (uint64_t i = 0; i < 5000; i++)
        hist_add(&h, i * 37);
    hist_each(&h, see, sums);
    assert_true(sums[1] == 5000);
    assert_true(sums[0] / sums[1] > 0.995 * hist_mean(&h));
    assert_true(sums[0] / sums[1] < 1.005 * hist_mean(&h));
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Against sorting. */
static void is_right_to_half_a_percent(void **state)
{
    enum { N = 20000 };
    static uint64_t sample[N];
    static const double fractions[] = {0.001, 0.1, 0.5, 0.9, 0.99, 0.999};
    uint64_t x = 88172645463325252u;

    (void)state;
    hist_clear(&h);
    for (int i = 0; i < N; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        sample[i] = x >> (20 + x % 40);
        hist_add(&h, sample[i]);
    }
    qsort(sample, N, sizeof sample[0], compare);
    for (size_t i = 0; i < sizeof fractions / sizeof fractions[0]; i++) {
        double want = (double)sample[(int)(fractions[i] * N)], is = hist_quantile(&h, fractions[i]);

        assert_true(is >= want * 0.995 && is <= want * 1.005);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(one_value_is_every_quantile),
        cmocka_unit_test(merging_is_adding),
        cmocka_unit_test(buckets_hold_everything),
        cmocka_unit_test(is_right_to_half_a_percent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
