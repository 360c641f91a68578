/* SPDX-License-Identifier: MIT */
/* LAMs and tokens as the verifier remembers them. What SGEs are checked for: rules_work_test.c. */
#include "verify/memory.h"

#include "unit/verify/world.h"

static void set_pages(NDK_LOGICAL_ADDRESS *pages, const uint64_t *numbers, ULONG count)
{
    for (ULONG i = 0; i < count; i++)
        pages[i].QuadPart = (LONGLONG)(numbers[i] * PAGE_SIZE);
}

static void pages_become_runs(void **state)
{
    static const uint64_t numbers[] = {5, 6, 7, 3, 9, 10};
    NDK_LOGICAL_ADDRESS pages[SN_ARRAY_COUNT(numbers)], apart[VERIFY_RUNS_MAX + 1];
    struct verify_runs runs;

    (void)state;
    set_pages(pages, numbers, SN_ARRAY_COUNT(numbers));
    verify_runs_of(pages, SN_ARRAY_COUNT(numbers), &runs);
    assert_int_equal(runs.count, 3);
    assert_false(runs.is_partial);
    assert_int_equal(runs.at[0].start, 5 * PAGE_SIZE);
    assert_int_equal(runs.at[0].end, 8 * PAGE_SIZE);
    assert_int_equal(runs.at[2].end, 11 * PAGE_SIZE);
    for (uint64_t i = 0; i < SN_ARRAY_COUNT(apart); i++)
        apart[i].QuadPart = (LONGLONG)(i * 2 * PAGE_SIZE);
    verify_runs_of(apart, SN_ARRAY_COUNT(apart), &runs);
    assert_int_equal(runs.count, VERIFY_RUNS_MAX);
    assert_true(runs.is_partial);
}

static void open_world(struct world *w)
{
    memset(&fake, 0, sizeof fake);
    fake.mode = "warn";
    world_open(w, 0);
}

/* Room for a LAM of `count` pages from page `first` on. */
union lam {
    NDK_LOGICAL_ADDRESS_MAPPING lam;
    unsigned char octets[sizeof(NDK_LOGICAL_ADDRESS_MAPPING) + 8 * sizeof(NDK_LOGICAL_ADDRESS)];
};

static void lam_set(union lam *l, uint64_t first, ULONG count)
{
    NDK_LOGICAL_ADDRESS *pages = l->lam.AdapterPageArray;

    l->lam.AdapterContext = l;
    l->lam.AdapterPageCount = count;
    for (ULONG i = 0; i < count; i++)
        pages[i].QuadPart = (LONGLONG)((first + i) * PAGE_SIZE);
}

static void lams_cover_what_they_hold(void **state)
{
    struct verify_adapter *a;
    struct verify_runs runs;
    union lam first, second, copy;
    struct world w;

    (void)state;
    open_world(&w);
    a = verify_shadow(w.adapter);
    lam_set(&first, 10, 2);
    lam_set(&second, 12, 2);
    verify_lam_add(a, &first.lam);
    assert_true(verify_lams_cover(a, 10 * PAGE_SIZE, 12 * PAGE_SIZE));
    assert_false(verify_lams_cover(a, 10 * PAGE_SIZE, 12 * PAGE_SIZE + 1));
    verify_lam_add(a, &second.lam);
    assert_true(verify_lams_cover(a, 11 * PAGE_SIZE, 14 * PAGE_SIZE)); /* of both */
    assert_true(verify_lams_cover(a, 99, 99));
    copy = first;
    copy.lam.AdapterContext = &first;
    assert_int_equal(verify_lam_remove(a, &copy.lam, &runs), VERIFY_LAM_KNOWN);
    assert_int_equal(runs.count, 1);
    assert_false(verify_lams_cover(a, 10 * PAGE_SIZE, 11 * PAGE_SIZE));
    assert_int_equal(verify_lam_remove(a, &first.lam, &runs), VERIFY_LAM_UNKNOWN);
    assert_int_equal(runs.count, 0);
    second.lam.AdapterContext = NULL;
    assert_int_equal(verify_lam_remove(a, &second.lam, &runs), VERIFY_LAM_CHANGED);
    verify_lam_add(a, &first.lam);
    assert_int_equal(verify_lams_drop(a), 1);
    world_close(&w, 0);
    verify_drop_kept();
}

static void tokens_are_found_by_number(void **state)
{
    struct verify_token t[200];
    struct verify_adapter *a;
    struct world w;

    (void)state;
    open_world(&w);
    a = verify_shadow(w.adapter);
    sn_lock_take(&a->lock);
    for (uint32_t i = 0; i < SN_ARRAY_COUNT(t); i++) {
        t[i] = (struct verify_token){0};
        verify_token_init(&t[i], NULL, NULL);
        verify_token_set(a, &t[i], i * 0x1001);
    }
    verify_token_set(a, &t[5], 0xFFFFFFFF); /* it has changed */
    for (uint32_t i = 0; i < SN_ARRAY_COUNT(t); i++)
        assert_ptr_equal(verify_token_find(a, i * 0x1001), i == 5 ? NULL : &t[i]);
    assert_ptr_equal(verify_token_find(a, 0xFFFFFFFF), &t[5]);
    for (uint32_t i = 0; i < SN_ARRAY_COUNT(t); i++)
        sn_list_remove(&t[i].link);
    assert_null(verify_token_find(a, 0x1001));
    sn_lock_drop(&a->lock);
    world_close(&w, 0);
    verify_drop_kept();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_become_runs),
        cmocka_unit_test(lams_cover_what_they_hold),
        cmocka_unit_test(tokens_are_found_by_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
