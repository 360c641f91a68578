/* SPDX-License-Identifier: MIT */
/* What the tests of mem share: a table with seeded randomness, and regions in one call. */
#ifndef SN_TESTS_UNIT_MEM_FIXTURE_H
#define SN_TESTS_UNIT_MEM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "mem/mem.h"

enum { PD_1 = 1, PD_2 = 2, QP_1 = 11, QP_2 = 12, QP_OTHER_PD = 21 };

static const struct mem_who WHO_1 = {PD_1, QP_1};
static const struct mem_who WHO_2 = {PD_1, QP_2};
static const struct mem_who WHO_OTHER_PD = {PD_2, QP_OTHER_PD};

enum { RIGHTS_ALL = 0x1F };

struct fixture {
    struct mem_table table;
    uint64_t seed;
    size_t quiesce_count;
    /* Called inside quiesce, if set. */
    void (*on_quiesce)(struct fixture *f);
    struct mem_region *region; /* for on_quiesce */
    size_t live_before;
};

/* splitmix64: one call, one unpredictable enough number. */
static inline uint64_t fixture_next(uint64_t *seed)
{
    uint64_t x = *seed += 0x9E3779B97F4A7C15u;

    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

/* A number in [0, n). */
static inline uint64_t fixture_below(uint64_t *seed, uint64_t n)
{
    return fixture_next(seed) % n;
}

static inline void fixture_random(void *ctx, void *out, size_t n)
{
    struct fixture *f = ctx;

    for (size_t i = 0; i < n; i++)
        ((uint8_t *)out)[i] = (uint8_t)(fixture_next(&f->seed) >> 40);
}

static inline void fixture_quiesce(void *ctx)
{
    struct fixture *f = ctx;

    f->quiesce_count++;
    if (f->on_quiesce != NULL)
        f->on_quiesce(f);
}

static inline void fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->seed = 1;
    f->live_before = sn_alloc_live_count();
    assert_int_equal(
        mem_table_init(&f->table, 1u << 20, fixture_quiesce, fixture_random, f), SN_OK);
}

/* All regions must be destroyed; checks that nothing is left. */
static inline void fixture_fini(struct fixture *f)
{
    mem_table_fini(&f->table);
    assert_int_equal(sn_alloc_live_count(), f->live_before);
}

static inline struct mem_region *fixture_create(struct fixture *f, enum mem_kind kind, uint32_t pd)
{
    struct mem_region *r = NULL;

    assert_int_equal(mem_region_create(&f->table, kind, pd, &r), SN_OK);
    assert_non_null(r);
    return r;
}

static inline void fixture_destroy(struct fixture *f, struct mem_region *r)
{
    assert_int_equal(mem_region_destroy(&f->table, r), SN_OK);
}

static inline struct mem_region *fixture_mr(
    struct fixture *f, uint8_t *host, uint64_t base, uint64_t len, uint32_t rights)
{
    struct mem_region *r = fixture_create(f, MEM_KIND_MR, PD_1);

    assert_int_equal(mem_register(&f->table, r, host, base, len, rights), SN_OK);
    return r;
}

/* Initialised for `pages_max` pages and remote use, not registered. */
static inline struct mem_region *fixture_fast_mr(struct fixture *f, uint32_t pages_max)
{
    struct mem_region *r = fixture_create(f, MEM_KIND_FAST_MR, PD_1);

    assert_int_equal(mem_fast_init(&f->table, r, pages_max, true), SN_OK);
    return r;
}

/* One page at `page`, all of it, base 0x1000. */
static inline void fixture_fast_register(
    struct fixture *f, struct mem_region *r, const uint64_t *page, uint32_t rights)
{
    struct mem_fast_reg reg = {page, 1, 0, MEM_PAGE_SIZE, 0x1000, rights};

    assert_int_equal(mem_fast_check(r, &reg), SN_OK);
    assert_int_equal(mem_fast_register(&f->table, r, (struct mem_who){r->pd, QP_1}, &reg), SN_OK);
}

static inline void fixture_bind(struct fixture *f, struct mem_region *w, struct mem_who who,
    struct mem_region *mr, uint64_t base, uint64_t len, uint32_t rights)
{
    struct mem_bind b = {mr, base, len, rights, mem_window_next_stag(&f->table, w)};

    assert_int_equal(mem_bind_check(w, &b), SN_OK);
    assert_int_equal(mem_bind(&f->table, w, who, &b), SN_OK);
    assert_int_equal(mem_region_stag(w), b.stag);
}

static inline enum mem_result fixture_check(const struct fixture *f, struct mem_who who,
    uint32_t stag, uint64_t to, uint64_t len, uint32_t rights)
{
    const struct mem_region *r = NULL;
    enum mem_result result = mem_check(&f->table, who, stag, to, len, rights, &r);

    if (result == MEM_OK)
        assert_int_equal(mem_region_stag(r), stag);
    else
        assert_null(r); /* outputs are untouched on failure */
    return result;
}

#endif
