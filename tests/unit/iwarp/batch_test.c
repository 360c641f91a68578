/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "base/alloc.h"
#include "iwarp/tx.h"

/* Octets of a batch, from anywhere, over its spans. */
static void copies_from_anywhere(void **state)
{
    struct iw_batch *b = iw_batch_create();
    uint8_t all[60], out[60];
    size_t at = 0;

    (void)state;
    assert_non_null(b);
    for (uint8_t i = 0; i < sizeof(all); i++)
        all[i] = i;
    for (size_t n = 1; at < sizeof(all); at += n, n = n % 7 + 1) {
        size_t piece = n < sizeof(all) - at ? n : sizeof(all) - at;

        b->span[b->spans++] = (struct sn_cspan){.p = all + at, .n = piece};
    }
    for (size_t from = 0; from < sizeof(all); from++) {
        for (size_t n = 0; n <= sizeof(all) - from; n++) {
            memset(out, 0xEE, sizeof(out));
            iw_batch_copy(b, from, n, out);
            assert_memory_equal(out, all + from, n);
            assert_true(n == sizeof(out) || out[n] == 0xEE);
        }
    }
    iw_batch_destroy(b);
}

static void clear_forgets_everything(void **state)
{
    struct iw_batch *b = iw_batch_create();
    uint8_t foreign[4] = {0};

    (void)state;
    assert_non_null(b);
    b->span[b->spans++] = (struct sn_cspan){.p = foreign, .n = 4};
    b->octets = b->stash_octets = 4;
    iw_batch_clear(b);
    assert_int_equal(b->spans + b->octets + b->stash_octets, 0);
    iw_batch_destroy(b);
    iw_batch_destroy(NULL);
}

/* Stashes come from the pool while there are some, and not more than a few are kept. */
static void stashes_are_reused(void **state)
{
    enum { MANY = 30 };
    size_t live = sn_alloc_live_count(), total;
    struct iw_batch *b = iw_batch_create();
    struct iw_stash *taken[MANY];

    (void)state;
    assert_non_null(b);
    total = sn_alloc_total_count();
    taken[0] = iw_stash_get(b);
    iw_stash_put(b, taken[0]);
    assert_ptr_equal(iw_stash_get(b), taken[0]);
    iw_stash_put(b, taken[0]);
    assert_int_equal(sn_alloc_total_count(), total);
    for (size_t i = 0; i < MANY; i++) {
        taken[i] = iw_stash_get(b);
        assert_non_null(taken[i]);
    }
    for (size_t i = 0; i < MANY; i++)
        iw_stash_put(b, taken[i]);
    assert_true(sn_alloc_live_count() - live < 2 + 16);
    iw_batch_destroy(b);
    assert_int_equal(sn_alloc_live_count(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_from_anywhere),
        cmocka_unit_test(clear_forgets_everything),
        cmocka_unit_test(stashes_are_reused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
