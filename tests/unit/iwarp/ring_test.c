/* SPDX-License-Identifier: MIT */
#include "iwarp/wr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

static void test_shape(void **state)
{
    static const struct {
        uint32_t depth;
        size_t slot_size;
        uint32_t mask, stride;
    } rows[] = {
        {0, 1, 0, 16},
        {1, 16, 0, 16},
        {2, 17, 1, 32},
        {3, 24, 3, 32},
        {4, 32, 3, 32},
        {5, 100, 7, 112},
        {1000, sizeof(struct iw_recv), 1023, 32},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t live = sn_alloc_live_count();
        struct iw_ring r;

        memset(&r, 0xa5, sizeof(r));
        assert_int_equal(iw_ring_init(&r, rows[i].depth, rows[i].slot_size), SN_OK);
        assert_int_equal(r.depth, rows[i].depth);
        assert_int_equal(r.mask, rows[i].mask);
        assert_int_equal(r.stride, rows[i].stride);
        assert_int_equal((uintptr_t)r.slots % SN_CACHE_LINE, 0);
        assert_false(iw_ring_has(&r, 0));
        for (uint32_t pos = 0; pos <= rows[i].mask; pos++) { /* every slot is ours, and zero */
            uint8_t *slot = iw_ring_slot(&r, pos);

            assert_int_equal(slot[0], 0);
            assert_int_equal(slot[rows[i].stride - 1], 0);
            memset(slot, 0xff, rows[i].stride);
        }
        assert_ptr_equal(iw_ring_slot(&r, rows[i].mask + 1), r.slots);
        iw_ring_fini(&r);
        assert_null(iw_ring_reserve(&r));
        assert_int_equal(sn_alloc_live_count(), live);
    }
}

static void test_limits(void **state)
{
    struct iw_ring r, before;

    (void)state;
    memset(&r, 0xa5, sizeof(r));
    before = r;
    assert_int_equal(iw_ring_init(&r, (1u << 24) + 1, 16), SN_LIMIT);
    assert_int_equal(iw_ring_init(&r, UINT32_MAX, 16), SN_LIMIT);
    assert_memory_equal(&r, &before, sizeof(r));
}

static void *no_memory(void *ctx, size_t size)
{
    (void)ctx;
    (void)size;
    return NULL;
}

static void never_freed(void *ctx, void *p)
{
    (void)ctx;
    (void)p;
    abort();
}

static void test_no_memory(void **state)
{
    static const struct sn_allocator none = {no_memory, never_freed, NULL};
    struct iw_ring r;

    (void)state;
    sn_alloc_set(&none);
    assert_int_equal(iw_ring_init(&r, 16, 64), SN_NO_MEMORY);
    assert_int_equal(iw_ring_init(&r, 1 << 24, UINT32_MAX - 64), SN_NO_MEMORY);
    sn_alloc_set(NULL);
}

/* Fills and drains a ring whose positions wrap around 2^32, as poster and as lane. */
static void fill_and_drain(uint32_t depth, uint32_t start)
{
    struct iw_ring r;
    uint32_t head = start, next = 0, seen = 0;

    assert_int_equal(iw_ring_init(&r, depth, sizeof(uint32_t)), SN_OK);
    sn_a32_store_relaxed(&r.tail, start);
    sn_a32_store_relaxed(&r.head, start);
    r.head_seen = start;
    for (uint32_t round = 0; round < 3 * depth + 3; round++) {
        uint32_t *slot;

        while ((slot = iw_ring_reserve(&r)) != NULL) {
            *slot = next++;
            iw_ring_push(&r);
        }
        assert_int_equal(next - seen, depth); /* full at what was asked for, not at the slots */
        for (uint32_t n = 0; n < round % (depth + 1) && iw_ring_has(&r, head); n++) {
            slot = iw_ring_slot(&r, head);
            assert_int_equal(*slot, seen++);
            head++;
            sn_a32_store_release(&r.head, head);
        }
    }
    while (iw_ring_has(&r, head)) {
        assert_int_equal(*(uint32_t *)iw_ring_slot(&r, head), seen++);
        head++;
    }
    assert_int_equal(seen, next);
    iw_ring_fini(&r);
}

static void test_fill_and_drain(void **state)
{
    static const uint32_t depths[] = {0, 1, 2, 3, 4, 5, 7, 8, 100};
    static const uint32_t starts[] = {0, 1, UINT32_MAX, UINT32_MAX - 3, 0x7fffffff};

    (void)state;
    for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
        for (size_t j = 0; j < sizeof(starts) / sizeof(starts[0]); j++)
            fill_and_drain(depths[i], starts[j]);
    }
}

/* Both kinds of slot keep what follows the header aligned for its type. */
static void test_slot_layout(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct iw_wr) % _Alignof(struct iw_sge), 0);
    assert_int_equal(sizeof(struct iw_recv) % _Alignof(struct iw_sge), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_fill_and_drain),
        cmocka_unit_test(test_slot_layout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
