/* SPDX-License-Identifier: MIT */
/* Choice of STags: spread, unpredictable, late reuse; the radix table gives back what it took. */
#include "fixture.h"

#include "mem/table.h"

enum { LIVE = 500, ALLOCATIONS = 100000 };

/* [SEC-005] [SEC-006] [VRB-022] 1e5 allocations with some hundred regions alive at a time. */
static void test_entropy_and_reuse(void **state)
{
    struct fixture f;
    struct mem_region *live[LIVE] = {NULL};
    uint32_t ones[32] = {0};
    uint32_t top[256] = {0};
    uint32_t same_step_count = 0;
    uint32_t previous = 0, previous_step = 0;
    uint32_t *freed_at = sn_zalloc_array(1u << 24, sizeof(*freed_at));
    double chi2 = 0;

    (void)state;
    assert_non_null(freed_at);
    fixture_init(&f);
    for (uint32_t i = 0; i < ALLOCATIONS; i++) {
        uint32_t slot = i % LIVE;
        uint32_t stag, step;

        if (live[slot] != NULL) {
            freed_at[mem_region_stag(live[slot]) >> 8] = i;
            fixture_destroy(&f, live[slot]);
        }
        live[slot] = fixture_create(&f, MEM_KIND_MR, PD_1);
        stag = mem_region_stag(live[slot]);
        assert_int_not_equal(stag >> 8, 0);
        if (freed_at[stag >> 8] != 0)
            assert_true(i - freed_at[stag >> 8] >= MEM_REUSE_DELAY);
        for (uint32_t bit = 0; bit < 32; bit++)
            ones[bit] += stag >> bit & 1;
        top[stag >> 24]++;
        step = stag - previous;
        same_step_count += step == previous_step;
        previous = stag;
        previous_step = step;
    }
    for (uint32_t bit = 0; bit < 32; bit++) /* 10 standard deviations */
        assert_in_range(ones[bit], ALLOCATIONS / 2 - 1600, ALLOCATIONS / 2 + 1600);
    for (uint32_t i = 0; i < 256; i++) {
        double off = top[i] - ALLOCATIONS / 256.0;

        chi2 += off * off / (ALLOCATIONS / 256.0);
    }
    assert_true(chi2 > 120 && chi2 < 480); /* 255 degrees of freedom: 255 +- 22.6 */
    assert_true(same_step_count < 10);
    for (uint32_t i = 0; i < LIVE; i++)
        fixture_destroy(&f, live[i]);
    fixture_fini(&f);
    sn_free(freed_at);
}

/* A source that gives chosen numbers; the index is the upper 24 bits of a draw. */
struct chosen {
    const uint32_t *draws;
    size_t count, next;
};

static void chosen_random(void *ctx, void *out, size_t n)
{
    struct chosen *c = ctx;

    memset(out, 0, n);
    if (n == sizeof(uint32_t)) {
        memcpy(out, &c->draws[c->next], n);
        c->next = c->next + 1 < c->count ? c->next + 1 : c->next;
    }
}

static struct mem_region *create_in(struct mem_table *t)
{
    struct mem_region *r = NULL;

    assert_int_equal(mem_region_create(t, MEM_KIND_FAST_MR, PD_1, &r), SN_OK);
    return r;
}

/* [VRB-022] index 0 is drawn again; so is a taken index and one that was freed just now. */
static void test_draws_again(void **state)
{
    const uint32_t draws[] = {0x00000000, 0x000000FF, 0x12345600, 0x123456AA, 0x12345600,
        0xFFFFFF00, 0x12345600, 0xABCDEF00};
    struct chosen chosen = {draws, SN_ARRAY_COUNT(draws), 0};
    struct mem_table t;
    struct mem_region *a, *b, *c;

    (void)state;
    assert_int_equal(mem_table_init(&t, 10, NULL, chosen_random, &chosen), SN_OK);
    for (uint32_t i = 0; i < MEM_REUSE_DELAY; i++)
        t.recent[i] = 1; /* so that no unused place of the ring excludes 0 */
    a = create_in(&t);
    assert_int_equal(mem_region_stag(a) >> 8, 0x123456);
    b = create_in(&t);
    assert_int_equal(mem_region_stag(b) >> 8, 0xFFFFFF);
    assert_int_equal(mem_region_destroy(&t, a), SN_OK);
    c = create_in(&t);
    assert_int_equal(mem_region_stag(c) >> 8, 0xABCDEF);
    assert_int_equal(mem_region_destroy(&t, b), SN_OK);
    assert_int_equal(mem_region_destroy(&t, c), SN_OK);
    mem_table_fini(&t);
}

/* A source that is stuck makes creation fail, not hang; a stuck 0 as well. */
static void test_stuck_random(void **state)
{
    const uint32_t stuck[] = {0x00000000, 0x77777700};
    size_t live = sn_alloc_live_count();

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(stuck); i++) {
        struct chosen chosen = {&stuck[i], 1, 0};
        struct mem_table t;
        struct mem_region *a = NULL, *b = NULL;

        assert_int_equal(mem_table_init(&t, 10, NULL, chosen_random, &chosen), SN_OK);
        if (stuck[i] != 0)
            a = create_in(&t);
        assert_int_equal(mem_region_create(&t, MEM_KIND_MR, PD_1, &b), SN_NO_MEMORY);
        assert_null(b);
        assert_int_equal(t.regions_count, a != NULL);
        if (a != NULL)
            assert_int_equal(mem_region_destroy(&t, a), SN_OK);
        mem_table_fini(&t);
    }
    assert_int_equal(sn_alloc_live_count(), live);
}

/* Neighbours in one node, across nodes and across the top level are told apart and given back. */
static void test_radix_levels(void **state)
{
    const uint32_t draws[] = {0x00000100, 0x00000200, 0x0000FF00, 0x00010000, 0x00FFFF00,
        0x01000000, 0x01000100, 0xFF000000, 0xFFFFFF00};
    enum { COUNT = SN_ARRAY_COUNT(draws) };
    struct mem_region *r[COUNT];
    size_t live = sn_alloc_live_count();

    (void)state;
    for (size_t first_out = 0; first_out < COUNT; first_out++) { /* every order of going, turned */
        struct chosen chosen = {draws, COUNT, 0};
        struct mem_table t;
        size_t live_empty;

        assert_int_equal(mem_table_init(&t, COUNT, NULL, chosen_random, &chosen), SN_OK);
        live_empty = sn_alloc_live_count();
        for (size_t i = 0; i < COUNT; i++)
            r[i] = create_in(&t);
        for (size_t i = 0; i < COUNT; i++) {
            assert_ptr_equal(mem_lookup(&t, draws[i]), r[i]);
            assert_ptr_equal(mem_lookup(&t, draws[i] | 0xFF), r[i]); /* by index only */
        }
        assert_null(mem_lookup(&t, 0x00000300));
        assert_null(mem_lookup(&t, 0x00020000));
        assert_null(mem_lookup(&t, 0x80000000));
        for (size_t i = 0; i < COUNT; i++) {
            size_t k = (first_out + i) % COUNT;

            assert_int_equal(mem_region_destroy(&t, r[k]), SN_OK);
            r[k] = NULL;
            for (size_t j = 0; j < COUNT; j++)
                assert_ptr_equal(mem_lookup(&t, draws[j]), r[j]);
        }
        assert_int_equal(sn_alloc_live_count(), live_empty);
        mem_table_fini(&t);
    }
    assert_int_equal(sn_alloc_live_count(), live);
}

static void test_limit(void **state)
{
    struct fixture f;
    struct mem_region *r[3];
    struct mem_region *more = NULL;

    (void)state;
    fixture_init(&f);
    f.table.regions_max = 3;
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < 3; i++)
            r[i] = fixture_create(&f, MEM_KIND_WINDOW, PD_1);
        assert_int_equal(mem_region_create(&f.table, MEM_KIND_MR, PD_1, &more), SN_LIMIT);
        assert_null(more);
        for (size_t i = 0; i < 3; i++)
            fixture_destroy(&f, r[i]);
    }
    fixture_fini(&f);
}

/* More than there is room for in the numbering is lowered. */
static void test_limit_is_capped(void **state)
{
    struct fixture f;
    struct mem_table t;

    (void)state;
    assert_int_equal(mem_table_init(&t, UINT32_MAX, NULL, fixture_random, &f), SN_OK);
    assert_int_equal(t.regions_max, MEM_REGIONS_MAX);
    mem_table_fini(&t);
}

/* Fails the nth allocation from now on, once. */
struct failing {
    size_t fail_at, count;
};

static void *failing_alloc(void *ctx, size_t size)
{
    struct failing *x = ctx;

    return ++x->count == x->fail_at ? NULL : test_malloc(size);
}

static void failing_free(void *ctx, void *p)
{
    (void)ctx;
    test_free(p);
}

/* Every allocation of the control path fails in turn: an answer, no leak, and then it works. */
static void test_no_memory(void **state)
{
    struct failing x = {0, 0};
    const struct sn_allocator a = {failing_alloc, failing_free, &x};
    size_t failures = 0;
    bool is_done = false;

    (void)state;
    sn_alloc_set(&a);
    while (!is_done) {
        struct chosen chosen = {(const uint32_t[]){0x12345600}, 1, 0};
        struct mem_table t;
        struct mem_region *r = NULL;

        x = (struct failing){failures + 1, 0};
        if (mem_table_init(&t, 4, NULL, chosen_random, &chosen) != SN_OK) {
            failures++;
            continue;
        }
        if (mem_region_create(&t, MEM_KIND_FAST_MR, PD_1, &r) == SN_OK) {
            enum sn_status s = mem_fast_init(&t, r, 10, true);

            is_done = s == SN_OK;
            if (!is_done)
                assert_int_equal(s, SN_NO_MEMORY);
            assert_int_equal(mem_region_destroy(&t, r), SN_OK);
        }
        mem_table_fini(&t);
        failures += !is_done;
    }
    sn_alloc_set(NULL);
    assert_int_equal(failures, 6); /* top, recent, region, mid, leaf, pages */
}

/* [SEC-006] every key of a region comes once before any comes again; each region has an order of
 * its own. */
static void test_keys(void **state)
{
    struct fixture f;
    uint32_t equal_count = 0;
    uint8_t first_order[256];

    (void)state;
    fixture_init(&f);
    for (size_t round = 0; round < 100; round++) {
        struct mem_region *w = fixture_create(&f, MEM_KIND_WINDOW, PD_1);
        uint32_t index = mem_region_stag(w) >> 8;
        bool seen[256] = {false};
        uint32_t key = mem_region_stag(w) & 0xFF;

        for (size_t i = 0; i < 256; i++) {
            uint32_t stag;

            assert_false(seen[key]);
            seen[key] = true;
            if (round == 0)
                first_order[i] = (uint8_t)key;
            else
                equal_count += first_order[i] == key;
            stag = mem_window_next_stag(&f.table, w);
            assert_int_equal(stag >> 8, index);
            key = stag & 0xFF;
        }
        assert_int_equal(key, mem_region_stag(w) & 0xFF); /* round again */
        fixture_destroy(&f, w);
    }
    assert_in_range(equal_count, 50, 170); /* by chance 99 of 25344 */
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entropy_and_reuse),
        cmocka_unit_test(test_draws_again),
        cmocka_unit_test(test_stuck_random),
        cmocka_unit_test(test_radix_levels),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_limit_is_capped),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_keys),
    };

    return cmocka_run_group_tests_name("mem/table", tests, NULL, NULL);
}
