/* SPDX-License-Identifier: MIT */
/* Fast registration: what is refused when, and where the octets of scattered pages are. */
#include "fixture.h"

#define PAGE ((uint64_t)MEM_PAGE_SIZE)

static const uint64_t three_pages[] = {9 * PAGE, 4 * PAGE, 5 * PAGE};
static const uint64_t odd_page[] = {9 * PAGE, 4 * PAGE + 1, 5 * PAGE};
static const uint64_t odd_half_page[] = {9 * PAGE, 4 * PAGE, 5 * PAGE + PAGE / 2};
static const uint64_t null_page[] = {9 * PAGE, 0, 5 * PAGE};

/* [VRB-026] against a region initialised for three pages and remote access. */
static const struct check_case {
    const char *what;
    struct mem_fast_reg reg; /* pages, pages_count, fbo, len, base, rights */
    enum sn_status expected;
} check_cases[] = {
    {"one page", {three_pages, 1, 0, 1, 0, 0}, SN_OK},
    {"full", {three_pages, 3, 0, 3 * PAGE, 7 * PAGE, RIGHTS_ALL}, SN_OK},
    {"no page", {three_pages, 0, 0, 1, 0, 0}, SN_INVALID},
    {"too many pages", {three_pages, 4, 0, 1, 0, 0}, SN_INVALID},
    {"count wraps", {three_pages, UINT32_MAX, 0, 1, 0, 0}, SN_INVALID},
    {"no array", {NULL, 1, 0, 1, 0, 0}, SN_INVALID},
    {"largest FBO", {three_pages, 1, 4095, 1, 4095, 0}, SN_OK},
    {"FBO a page", {three_pages, 2, 4096, 1, 0, 0}, SN_INVALID},
    {"FBO huge", {three_pages, 3, UINT32_MAX, 1, 4095, 0}, SN_INVALID},
    {"no octet", {three_pages, 3, 0, 0, 0, 0}, SN_INVALID},
    {"to the last octet", {three_pages, 3, 100, 3 * PAGE - 100, 100, 0}, SN_OK},
    {"one octet too long", {three_pages, 3, 100, 3 * PAGE - 99, 100, 0}, SN_INVALID},
    {"far too long", {three_pages, 3, 0, UINT64_MAX, 0, 0}, SN_INVALID},
    {"one octet over one page", {three_pages, 1, 4095, 2, 4095, 0}, SN_INVALID},
    {"base not FBO modulo page", {three_pages, 3, 100, 1, 101, 0}, SN_INVALID},
    {"base 0 with an FBO", {three_pages, 3, 100, 1, 0, 0}, SN_INVALID},
    {"base page-aligned with an FBO", {three_pages, 3, 100, 1, 5 * PAGE, 0}, SN_INVALID},
    {"base with FBO 0", {three_pages, 3, 0, 1, 5 * PAGE + 1, 0}, SN_INVALID},
    {"base scrambled above", {three_pages, 3, 8, 1, 0xDEADBEEF00000008, 0}, SN_OK},
    {"ends at 2^64", {three_pages, 3, 0, PAGE, UINT64_MAX - 4095, 0}, SN_OK},
    {"beyond 2^64", {three_pages, 3, 0, PAGE + 1, UINT64_MAX - 4095, 0}, SN_INVALID},
    {"page not aligned", {odd_page, 3, 0, 1, 0, 0}, SN_INVALID},
    {"page not aligned, last", {odd_half_page, 3, 0, 1, 0, 0}, SN_INVALID},
    {"page not aligned, beyond the count", {odd_half_page, 2, 0, 1, 0, 0}, SN_OK},
    {"page 0", {null_page, 3, 0, 1, 0, 0}, SN_INVALID},
    {"unknown right", {three_pages, 3, 0, 1, 0, 0x20}, SN_INVALID},
};

static void test_check(void **state)
{
    struct fixture f;
    struct mem_region *r;

    (void)state;
    fixture_init(&f);
    r = fixture_fast_mr(&f, 3);
    for (size_t i = 0; i < SN_ARRAY_COUNT(check_cases); i++) {
        enum sn_status s = mem_fast_check(r, &check_cases[i].reg);

        if (s != check_cases[i].expected)
            fail_msg("%s: %s", check_cases[i].what, sn_status_name(s));
    }
    fixture_destroy(&f, r);
    fixture_fini(&f);
}

/* [VRB-026] remote rights need RemoteAccess; other kinds and uninitialised ones have no pages. */
static void test_check_region(void **state)
{
    const uint64_t four_pages[] = {0x10000, 0x20000, 0x30000, 0x40000};
    const struct mem_fast_reg too_many = {four_pages, 4, 0, 1, 0, 0};
    struct mem_fast_reg reg = {three_pages, 3, 0, 1, 0, 0};
    struct fixture f;
    struct mem_region *r;

    (void)state;
    fixture_init(&f);
    r = fixture_create(&f, MEM_KIND_FAST_MR, PD_1);
    assert_int_equal(mem_fast_check(r, &reg), SN_BAD_STATE);
    assert_int_equal(mem_fast_init(&f.table, r, 3, false), SN_OK);
    assert_int_equal(mem_fast_check(r, &too_many), SN_INVALID);
    assert_int_equal(mem_fast_register(&f.table, r, WHO_1, &too_many), SN_BAD_REQUEST);
    for (reg.rights = 0; reg.rights <= RIGHTS_ALL; reg.rights++) {
        bool is_remote = (reg.rights & (MEM_REMOTE_READ | MEM_REMOTE_WRITE)) != 0;

        assert_int_equal(mem_fast_check(r, &reg), is_remote ? SN_NO_ACCESS : SN_OK);
        assert_int_equal(
            mem_fast_register(&f.table, r, WHO_1, &reg), is_remote ? SN_BAD_REQUEST : SN_OK);
        if (!is_remote)
            assert_int_equal(mem_invalidate_local(&f.table, r, WHO_1), SN_OK);
    }
    fixture_destroy(&f, r);
    reg.rights = 0;
    r = fixture_mr(&f, (uint8_t *)1, 0, 1, 0);
    assert_int_equal(mem_fast_check(r, &reg), SN_INVALID);
    fixture_destroy(&f, r);
    fixture_fini(&f);
}

/* [VRB-025] [VRB-026] [VRB-027] at once usable; not twice; not by another domain. */
static void test_register(void **state)
{
    struct mem_fast_reg reg = {three_pages, 3, 8, 100, 8, MEM_REMOTE_WRITE};
    struct fixture f;
    struct mem_region *r;
    uint32_t stag;

    (void)state;
    fixture_init(&f);
    r = fixture_fast_mr(&f, 3);
    stag = mem_region_stag(r);
    assert_int_equal(mem_fast_register(&f.table, r, WHO_OTHER_PD, &reg), SN_BAD_REQUEST);
    assert_int_equal(fixture_check(&f, WHO_1, stag, 8, 1, MEM_LOCAL_READ), MEM_STAG_INVALID);
    for (int i = 0; i < 300; i++) { /* more often than there are keys: the STag stays */
        assert_int_equal(mem_fast_register(&f.table, r, i % 2 ? WHO_1 : WHO_2, &reg), SN_OK);
        assert_int_equal(mem_region_stag(r), stag);
        assert_int_equal(fixture_check(&f, WHO_1, stag, 8, 100, MEM_REMOTE_WRITE), MEM_OK);
        assert_int_equal(fixture_check(&f, WHO_1, stag, 8, 100, MEM_LOCAL_WRITE), MEM_OK);
        assert_int_equal(fixture_check(&f, WHO_1, stag, 8, 1, MEM_REMOTE_READ), MEM_NO_RIGHT);
        assert_int_equal(fixture_check(&f, WHO_1, stag, 7, 1, MEM_LOCAL_READ), MEM_BASE_BOUNDS);
        assert_int_equal(fixture_check(&f, WHO_1, stag, 108, 1, MEM_LOCAL_READ), MEM_BASE_BOUNDS);
        assert_int_equal(mem_fast_register(&f.table, r, WHO_1, &reg), SN_BAD_REQUEST);
        assert_int_equal(mem_invalidate_local(&f.table, r, WHO_1), SN_OK);
    }
    fixture_destroy(&f, r);
    fixture_fini(&f);
}

/* The consumer's array is free when the call returns. */
static void test_pages_are_copied(void **state)
{
    uint64_t pages[3];
    struct mem_fast_reg reg = {pages, 3, 0, 3 * PAGE, 0, MEM_REMOTE_READ};
    struct fixture f;
    struct mem_region *r;
    struct sn_span spans[4];
    uint64_t covered;

    (void)state;
    fixture_init(&f);
    r = fixture_fast_mr(&f, 3);
    memcpy(pages, three_pages, sizeof(pages));
    assert_int_equal(mem_fast_register(&f.table, r, WHO_1, &reg), SN_OK);
    memset(pages, 0xFF, sizeof(pages));
    assert_int_equal(mem_spans(r, 0, 3 * PAGE, spans, 4, &covered), 2); /* 9; 4 and 5 */
    assert_int_equal(covered, 3 * PAGE);
    assert_int_equal((uintptr_t)spans[0].p, 9 * PAGE);
    assert_int_equal(spans[0].n, PAGE);
    assert_int_equal((uintptr_t)spans[1].p, 4 * PAGE);
    assert_int_equal(spans[1].n, 2 * PAGE);
    fixture_destroy(&f, r);
    fixture_fini(&f);
}

enum { PAGES_MAX = 12 };

/* One registration and one access of it, and where each octet is. */
struct model {
    uint64_t pages[PAGES_MAX];
    struct mem_fast_reg reg;
    uint64_t to, len;
};

static uint64_t model_address(const struct model *m, uint64_t to)
{
    uint64_t at = to - m->reg.base + m->reg.fbo;

    return m->pages[at / PAGE] + at % PAGE;
}

static void model_fill(struct model *m, uint64_t *seed)
{
    uint32_t count = 1 + (uint32_t)fixture_below(seed, PAGES_MAX);
    /* 0: all adjacent. 1: any, with neighbours by chance. 2: no two adjacent. 3: descending. */
    uint64_t style = fixture_below(seed, 4);
    uint64_t first = 100 + fixture_below(seed, 1000);

    for (uint32_t i = 0; i < count; i++) {
        const uint64_t number[] = {
            first + i, 100 + fixture_below(seed, 6), first + 3 * i, first - i};

        m->pages[i] = number[style] * PAGE;
    }
    m->reg.pages = m->pages;
    m->reg.pages_count = count;
    m->reg.fbo = fixture_below(seed, 3) == 0 ? 0 : (uint32_t)fixture_below(seed, PAGE);
    m->reg.len = 1 + fixture_below(seed, count * PAGE - m->reg.fbo);
    m->reg.base = fixture_below(seed, 1u << 20) * PAGE + m->reg.fbo;
    m->reg.rights = MEM_REMOTE_WRITE;
    m->to = m->reg.base + fixture_below(seed, m->reg.len);
    m->len = 1 + fixture_below(seed, m->reg.base + m->reg.len - m->to);
}

/* The spans, octet for octet, are where the model says, and no two of them could be one. */
static void compare(
    const struct model *m, const struct sn_span *spans, size_t count, size_t max, uint64_t covered)
{
    uint64_t to = m->to;

    assert_true(count <= max);
    for (size_t i = 0; i < count; i++) {
        assert_true(spans[i].n > 0);
        if (i > 0)
            assert_true((uintptr_t)spans[i - 1].p + spans[i - 1].n != (uintptr_t)spans[i].p);
        for (size_t k = 0; k < spans[i].n; k++, to++) {
            if ((uintptr_t)spans[i].p + k != model_address(m, to))
                fail_msg("octet %zu of span %zu is elsewhere", k, i);
        }
    }
    assert_int_equal(to - m->to, covered);
    if (count < max) {
        assert_int_equal(covered, m->len);
    } else if (covered < m->len && count > 0) {
        /* Full: what follows is not adjacent, or it would have been merged. */
        assert_true(model_address(m, to) != model_address(m, to - 1) + 1);
    }
}

/* Scattered, adjacent and repeated pages, any FBO, any part, any room for spans. */
static void test_spans_against_model(void **state)
{
    struct fixture f;
    struct mem_region *r;
    uint64_t seed = 3;

    (void)state;
    fixture_init(&f);
    r = fixture_fast_mr(&f, PAGES_MAX);
    for (int i = 0; i < 3000; i++) {
        struct model m;
        struct sn_span spans[PAGES_MAX + 1];
        uint64_t covered = 0;
        size_t max = fixture_below(&seed, 2) ? PAGES_MAX + 1 : fixture_below(&seed, 5);
        const struct mem_region *found = NULL;
        size_t count;

        model_fill(&m, &seed);
        assert_int_equal(mem_fast_check(r, &m.reg), SN_OK);
        assert_int_equal(mem_fast_register(&f.table, r, WHO_1, &m.reg), SN_OK);
        assert_int_equal(
            mem_check(&f.table, WHO_1, mem_region_stag(r), m.to, m.len, MEM_REMOTE_WRITE, &found),
            MEM_OK);
        count = mem_spans(found, m.to, m.len, spans, max, &covered);
        compare(&m, spans, count, max, covered);
        assert_int_equal(mem_spans(found, m.to, 0, spans, max, &covered), 0);
        assert_int_equal(covered, 0);
        assert_int_equal(mem_invalidate_local(&f.table, r, WHO_1), SN_OK);
    }
    fixture_destroy(&f, r);
    fixture_fini(&f);
}

/* Registering and using a region allocates nothing once it is initialised. */
static void test_no_allocation(void **state)
{
    const struct mem_fast_reg reg = {three_pages, 3, 0, 3 * PAGE, 0, MEM_REMOTE_READ};
    struct fixture f;
    struct mem_region *r;
    struct sn_span spans[4];
    uint64_t covered;
    size_t total;

    (void)state;
    fixture_init(&f);
    r = fixture_fast_mr(&f, 3);
    total = sn_alloc_total_count();
    assert_int_equal(mem_fast_register(&f.table, r, WHO_1, &reg), SN_OK);
    assert_int_equal(fixture_check(&f, WHO_1, mem_region_stag(r), 0, 1, MEM_REMOTE_READ), MEM_OK);
    assert_int_equal(mem_spans(r, 0, 3 * PAGE, spans, 4, &covered), 2);
    assert_int_equal(mem_invalidate_remote(&f.table, mem_region_stag(r), WHO_1), MEM_OK);
    assert_int_equal(sn_alloc_total_count(), total);
    fixture_destroy(&f, r);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_check_region),
        cmocka_unit_test(test_register),
        cmocka_unit_test(test_pages_are_copied),
        cmocka_unit_test(test_spans_against_model),
        cmocka_unit_test(test_no_allocation),
    };

    return cmocka_run_group_tests_name("mem/fast_reg", tests, NULL, NULL);
}
