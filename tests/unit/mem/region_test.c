/* SPDX-License-Identifier: MIT */
/* Life of regions: states, refusals, what is revoked when, and that nothing is left. */
#include "fixture.h"

#include "mem/table.h"

static uint8_t memory[4096];

static const struct register_case {
    const char *what;
    enum mem_kind kind;
    uint8_t *host;
    uint64_t base, len;
    uint32_t rights;
    enum sn_status expected;
} register_cases[] = {
    {"plain", MEM_KIND_MR, memory, 0x1000, 100, 0, SN_OK},
    {"base 0 is a label like others", MEM_KIND_MR, memory, 0, 1, RIGHTS_ALL, SN_OK},
    {"ends at 2^64", MEM_KIND_MR, memory, UINT64_MAX, 1, 0, SN_OK},
    {"beyond 2^64", MEM_KIND_MR, memory, UINT64_MAX, 2, 0, SN_INVALID},
    {"beyond 2^64 by far", MEM_KIND_MR, memory, 2, UINT64_MAX, 0, SN_INVALID},
    {"memory beyond 2^64", MEM_KIND_MR, (uint8_t *)UINTPTR_MAX, 0, 2, 0, SN_INVALID},
    {"no octet", MEM_KIND_MR, memory, 0x1000, 0, 0, SN_INVALID},
    {"no memory", MEM_KIND_MR, NULL, 0x1000, 1, 0, SN_INVALID},
    {"unknown right", MEM_KIND_MR, memory, 0x1000, 1, 0x20, SN_INVALID},
    {"FAST_MR", MEM_KIND_FAST_MR, memory, 0x1000, 1, 0, SN_INVALID},
    {"WINDOW", MEM_KIND_WINDOW, memory, 0x1000, 1, 0, SN_INVALID},
    {"PRIVILEGED", MEM_KIND_PRIVILEGED, memory, 0x1000, 1, 0, SN_INVALID},
};

static void test_register_arguments(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < SN_ARRAY_COUNT(register_cases); i++) {
        const struct register_case *c = &register_cases[i];
        struct mem_region *r = fixture_create(&f, c->kind, PD_1);
        enum sn_status s = mem_register(&f.table, r, c->host, c->base, c->len, c->rights);

        if (s != c->expected)
            fail_msg("%s: %s", c->what, sn_status_name(s));
        if (c->kind != MEM_KIND_PRIVILEGED)
            assert_int_equal(mem_region_is_valid(r), c->expected == SN_OK);
        fixture_destroy(&f, r);
    }
    fixture_fini(&f);
}

/* Registered and deregistered in turn; each time another key, and the old STag is dead. */
static void test_register_cycles(void **state)
{
    struct fixture f;
    struct mem_region *r;
    uint32_t stags[100];

    (void)state;
    fixture_init(&f);
    r = fixture_create(&f, MEM_KIND_MR, PD_1);
    assert_int_equal(mem_deregister(&f.table, r), SN_BAD_STATE);
    for (size_t i = 0; i < SN_ARRAY_COUNT(stags); i++) {
        size_t quiesce_count = f.quiesce_count;

        assert_int_equal(mem_register(&f.table, r, memory, i, 10, MEM_REMOTE_READ), SN_OK);
        assert_int_equal(f.quiesce_count, quiesce_count); /* giving needs no waiting */
        assert_int_equal(mem_register(&f.table, r, memory, 0, 10, MEM_REMOTE_READ), SN_BAD_STATE);
        stags[i] = mem_region_stag(r);
        assert_int_equal(stags[i] >> 8, stags[0] >> 8);
        assert_int_equal(fixture_check(&f, WHO_1, stags[i], i, 10, MEM_REMOTE_READ), MEM_OK);
        for (size_t j = 0; j < i; j++)
            assert_int_equal(
                fixture_check(&f, WHO_1, stags[j], i, 1, MEM_REMOTE_READ), MEM_STAG_INVALID);
        assert_int_equal(mem_deregister(&f.table, r), SN_OK);
        assert_int_equal(f.quiesce_count, quiesce_count + 1);
        assert_int_equal(
            fixture_check(&f, WHO_1, stags[i], i, 1, MEM_REMOTE_READ), MEM_STAG_INVALID);
        assert_int_equal(mem_deregister(&f.table, r), SN_BAD_STATE);
    }
    fixture_destroy(&f, r);
    fixture_fini(&f);
}

/* Deregistering is for registered MRs. */
static void test_deregister_kinds(void **state)
{
    const enum mem_kind kinds[] = {MEM_KIND_FAST_MR, MEM_KIND_WINDOW, MEM_KIND_PRIVILEGED};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < SN_ARRAY_COUNT(kinds); i++) {
        struct mem_region *r = fixture_create(&f, kinds[i], PD_1);

        assert_int_equal(mem_deregister(&f.table, r), SN_INVALID);
        fixture_destroy(&f, r);
    }
    fixture_fini(&f);
}

/* What must hold while the lanes are waited for: refused already, still there. [SEC-004] */
static void check_revoked(struct fixture *f)
{
    const struct mem_region *r = f->region;

    assert_false(mem_region_is_valid(r));
    assert_int_equal(
        fixture_check(f, WHO_1, mem_region_stag(r), 0x1000, 1, MEM_REMOTE_READ), MEM_STAG_INVALID);
    assert_ptr_equal(r->host, memory);
    assert_int_equal(r->base, 0x1000);
    assert_int_equal(r->len, 100);
}

/* [SEC-004] [DDP-039] first revoked, then the lanes are waited for, then changed or freed. */
static void test_order_of_revoking(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.region = fixture_mr(&f, memory, 0x1000, 100, RIGHTS_ALL);
    f.on_quiesce = check_revoked;
    assert_int_equal(mem_deregister(&f.table, f.region), SN_OK);
    assert_int_equal(f.quiesce_count, 1);
    assert_int_equal(mem_register(&f.table, f.region, memory, 0x1000, 100, RIGHTS_ALL), SN_OK);
    fixture_destroy(&f, f.region); /* of a valid one: revoked by it */
    assert_int_equal(f.quiesce_count, 2);
    fixture_fini(&f);
}

/* First refused, then waited for, then without rights; its windows work on, and end as they do. */
static void test_revoke(void **state)
{
    struct fixture f;
    struct mem_region *w;

    (void)state;
    fixture_init(&f);
    f.region = fixture_mr(&f, memory, 0x1000, 100, RIGHTS_ALL);
    w = fixture_create(&f, MEM_KIND_WINDOW, PD_1);
    fixture_bind(&f, w, WHO_1, f.region, 0x1000, 100, MEM_REMOTE_READ);
    f.on_quiesce = check_revoked;
    mem_region_revoke(&f.table, f.region);
    assert_int_equal(f.quiesce_count, 1);
    f.on_quiesce = NULL;
    assert_int_equal(fixture_check(&f, WHO_1, mem_region_stag(f.region), 0x1000, 1, MEM_LOCAL_READ),
        MEM_NO_RIGHT);
    assert_int_equal(
        fixture_check(&f, WHO_1, mem_region_stag(w), 0x1000, 100, MEM_REMOTE_READ), MEM_OK);
    mem_region_revoke(&f.table, w);
    assert_int_equal(
        fixture_check(&f, WHO_1, mem_region_stag(w), 0x1000, 1, MEM_REMOTE_READ), MEM_NO_RIGHT);
    assert_int_equal(mem_invalidate_remote(&f.table, mem_region_stag(w), WHO_1), MEM_NO_RIGHT);
    assert_int_equal(mem_region_destroy(&f.table, f.region), SN_BUSY); /* still bound */
    fixture_destroy(&f, w);
    mem_region_revoke(&f.table, f.region); /* twice is no harm, */
    assert_int_equal(mem_deregister(&f.table, f.region), SN_OK);
    mem_region_revoke(&f.table, f.region); /* nor is one that is not valid */
    assert_false(mem_region_is_valid(f.region));
    fixture_destroy(&f, f.region);
    fixture_fini(&f);
}

static void let_go(struct fixture *f)
{
    if (f->quiesce_count == 3)
        mem_unclaim(f->region, MEM_STATE_INVALID);
}

/* Somebody else is about to finish an invalidation: destruction waits for him, passing quiescent
 * points, as he may wait for the lane that we are in. */
static void test_destroy_waits_for_busy(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.region = fixture_create(&f, MEM_KIND_FAST_MR, PD_1);
    assert_true(mem_claim(f.region, MEM_STATE_INVALID));
    f.on_quiesce = let_go;
    fixture_destroy(&f, f.region);
    assert_int_equal(f.quiesce_count, 4);
    fixture_fini(&f);
}

/* While busy, a region is not valid and nobody else may change it. */
static void test_busy(void **state)
{
    struct fixture f;
    struct mem_region *mr, *fast;
    const uint64_t page = MEM_PAGE_SIZE;
    const struct mem_fast_reg reg = {&page, 1, 0, 1, 0, 0};

    (void)state;
    fixture_init(&f);
    mr = fixture_create(&f, MEM_KIND_MR, PD_1);
    fast = fixture_fast_mr(&f, 1);
    assert_true(mem_claim(mr, MEM_STATE_INVALID));
    assert_true(mem_claim(fast, MEM_STATE_INVALID));
    assert_false(mem_region_is_valid(mr));
    assert_int_equal(mem_register(&f.table, mr, memory, 0, 1, 0), SN_BAD_STATE);
    assert_int_equal(mem_deregister(&f.table, mr), SN_BAD_STATE);
    assert_int_equal(fixture_check(&f, WHO_1, mem_region_stag(mr), 0, 0, 0), MEM_STAG_INVALID);
    assert_int_equal(mem_fast_init(&f.table, fast, 1, true), SN_BAD_STATE);
    assert_int_equal(mem_fast_register(&f.table, fast, WHO_1, &reg), SN_BAD_REQUEST);
    assert_int_equal(mem_invalidate_local(&f.table, fast, WHO_1), SN_BAD_REQUEST);
    assert_int_equal(
        mem_invalidate_remote(&f.table, mem_region_stag(fast), WHO_1), MEM_STAG_INVALID);
    mem_unclaim(mr, MEM_STATE_INVALID);
    mem_unclaim(fast, MEM_STATE_INVALID);
    fixture_destroy(&f, mr);
    fixture_destroy(&f, fast);
    fixture_fini(&f);
}

/* An MR lives as long as a window is bound to it; a refusal changes nothing. */
static void test_busy_with_windows(void **state)
{
    struct fixture f;
    struct mem_region *mr, *w[2];
    uint32_t stag;

    (void)state;
    fixture_init(&f);
    mr = fixture_mr(&f, memory, 0x1000, 100, RIGHTS_ALL);
    stag = mem_region_stag(mr);
    for (size_t i = 0; i < 2; i++) {
        w[i] = fixture_create(&f, MEM_KIND_WINDOW, PD_1);
        fixture_bind(&f, w[i], WHO_1, mr, 0x1000, 100, MEM_REMOTE_READ);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(mem_deregister(&f.table, mr), SN_BUSY);
        assert_int_equal(mem_region_destroy(&f.table, mr), SN_BUSY);
        assert_int_equal(fixture_check(&f, WHO_1, stag, 0x1000, 100, RIGHTS_ALL), MEM_OK);
        if (i == 0)
            assert_int_equal(mem_invalidate_local(&f.table, w[0], WHO_1), SN_OK);
        else
            fixture_destroy(&f, w[1]); /* unbinds it */
    }
    assert_int_equal(mem_deregister(&f.table, mr), SN_OK);
    fixture_destroy(&f, mr);
    fixture_destroy(&f, w[0]);
    fixture_fini(&f);
}

static const struct {
    enum mem_kind kind;
    uint32_t pages_max;
    enum sn_status expected;
} fast_init_cases[] = {
    {MEM_KIND_FAST_MR, 1, SN_OK},
    {MEM_KIND_FAST_MR, 16, SN_OK},
    {MEM_KIND_FAST_MR, MEM_FAST_REG_PAGES_MAX, SN_OK},
    {MEM_KIND_FAST_MR, 0, SN_LIMIT},
    {MEM_KIND_FAST_MR, MEM_FAST_REG_PAGES_MAX + 1, SN_LIMIT},
    {MEM_KIND_FAST_MR, UINT32_MAX, SN_LIMIT},
    {MEM_KIND_MR, 16, SN_INVALID},
    {MEM_KIND_WINDOW, 16, SN_INVALID},
    {MEM_KIND_PRIVILEGED, 16, SN_INVALID},
};

/* The token is there from the beginning, stays the same and is never 0. [VRB-022] */
static void test_fast_init(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < SN_ARRAY_COUNT(fast_init_cases); i++) {
        struct mem_region *r = fixture_create(&f, fast_init_cases[i].kind, PD_1);
        uint32_t stag = mem_region_stag(r);

        assert_int_not_equal(stag >> 8, 0);
        for (size_t twice = 0; twice < 2; twice++)
            assert_int_equal(mem_fast_init(&f.table, r, fast_init_cases[i].pages_max, true),
                fast_init_cases[i].expected);
        assert_int_equal(mem_region_stag(r), stag);
        fixture_destroy(&f, r);
    }
    fixture_fini(&f);
}

/* Not while it is registered; afterwards with another size. */
static void test_fast_init_again(void **state)
{
    const uint64_t pages[2] = {MEM_PAGE_SIZE, 3 * MEM_PAGE_SIZE};
    struct mem_fast_reg reg = {pages, 2, 0, 2 * MEM_PAGE_SIZE, 0, MEM_REMOTE_READ};
    struct fixture f;
    struct mem_region *r;

    (void)state;
    fixture_init(&f);
    r = fixture_fast_mr(&f, 1);
    assert_int_equal(mem_fast_check(r, &reg), SN_INVALID);
    assert_int_equal(mem_fast_init(&f.table, r, 2, true), SN_OK);
    assert_int_equal(mem_fast_register(&f.table, r, WHO_1, &reg), SN_OK);
    assert_int_equal(mem_fast_init(&f.table, r, 5, true), SN_BAD_STATE);
    assert_int_equal(mem_invalidate_local(&f.table, r, WHO_1), SN_OK);
    assert_int_equal(mem_fast_init(&f.table, r, 1, false), SN_OK);
    /* What was checked before is checked again when it is executed. */
    assert_int_equal(mem_fast_register(&f.table, r, WHO_1, &reg), SN_BAD_REQUEST);
    reg.pages_count = 1;
    reg.len = 1;
    assert_int_equal(mem_fast_register(&f.table, r, WHO_1, &reg), SN_BAD_REQUEST);
    assert_false(mem_region_is_valid(r));
    reg.rights = 0;
    assert_int_equal(mem_fast_register(&f.table, r, WHO_1, &reg), SN_OK);
    fixture_destroy(&f, r);
    fixture_fini(&f);
}

/* A privileged region is valid at once and until it is destroyed. */
static void test_privileged(void **state)
{
    struct fixture f;
    struct mem_region *r;
    uint32_t stag;

    (void)state;
    fixture_init(&f);
    r = fixture_create(&f, MEM_KIND_PRIVILEGED, PD_1);
    stag = mem_region_stag(r);
    assert_true(mem_region_is_valid(r));
    assert_int_equal(
        fixture_check(&f, WHO_1, stag, 77, 1, MEM_LOCAL_READ | MEM_LOCAL_WRITE), MEM_OK);
    assert_int_equal(mem_invalidate_local(&f.table, r, WHO_1), SN_BAD_REQUEST);
    assert_int_equal(mem_invalidate_stag(&f.table, stag, WHO_1), SN_BAD_REQUEST);
    assert_int_equal(mem_invalidate_remote(&f.table, stag, WHO_1), MEM_CANNOT_INVALIDATE);
    assert_true(mem_region_is_valid(r));
    fixture_destroy(&f, r);
    assert_int_equal(fixture_check(&f, WHO_1, stag, 77, 1, MEM_LOCAL_READ), MEM_STAG_INVALID);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_register_arguments),
        cmocka_unit_test(test_register_cycles),
        cmocka_unit_test(test_deregister_kinds),
        cmocka_unit_test(test_order_of_revoking),
        cmocka_unit_test(test_revoke),
        cmocka_unit_test(test_destroy_waits_for_busy),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_busy_with_windows),
        cmocka_unit_test(test_fast_init),
        cmocka_unit_test(test_fast_init_again),
        cmocka_unit_test(test_privileged),
    };

    return cmocka_run_group_tests_name("mem/region", tests, NULL, NULL);
}
