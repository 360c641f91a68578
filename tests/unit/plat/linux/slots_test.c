/* SPDX-License-Identifier: MIT */
#include "unit/plat/linux/rig.h"

enum { MANY = 100 };

static void test_a_token_finds_its_source_until_it_is_removed(void **state)
{
    static struct lin_source s[MANY];
    struct lin_slots slots;
    uint64_t token[MANY];

    (void)state;
    lin_slots_init(&slots);
    assert_null(lin_slots_find(&slots, 0));
    for (int i = 0; i < MANY; i++) {
        s[i].slot = LIN_SLOT_NONE;
        assert_true(lin_slots_add(&slots, &s[i]));
        token[i] = lin_slots_token(&slots, &s[i]);
    }
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(lin_slots_find(&slots, token[i]), &s[i]);
    for (int i = 0; i < MANY; i += 2)
        lin_slots_remove(&slots, &s[i]);
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(lin_slots_find(&slots, token[i]), i % 2 == 0 ? NULL : &s[i]);
    /* The slot is used again, the old token is still nobody's. */
    assert_true(lin_slots_add(&slots, &s[0]));
    for (int i = 0; i < MANY; i += 2)
        assert_null(lin_slots_find(&slots, token[i]));
    assert_ptr_equal(lin_slots_find(&slots, lin_slots_token(&slots, &s[0])), &s[0]);
    assert_null(lin_slots_find(&slots, UINT64_MAX));
    for (int i = 0; i < MANY; i++)
        lin_slots_remove(&slots, &s[i]); /* harmless for those without */
    lin_slots_fini(&slots);
    assert_int_equal(sn_alloc_live_count(), 0);
}

static void *no_memory(void *ctx, size_t size)
{
    (void)ctx;
    (void)size;
    return NULL;
}
static void free_nothing(void *ctx, void *p)
{
    (void)ctx;
    (void)p;
}

static void test_no_memory(void **state)
{
    const struct sn_allocator none = {no_memory, free_nothing, NULL};
    struct lin_source s = {.slot = LIN_SLOT_NONE};
    struct lin_slots slots;

    (void)state;
    lin_slots_init(&slots);
    sn_alloc_set(&none);
    assert_false(lin_slots_add(&slots, &s));
    sn_alloc_set(NULL);
    assert_int_equal(s.slot, LIN_SLOT_NONE);
    assert_true(lin_slots_add(&slots, &s));
    lin_slots_remove(&slots, &s);
    lin_slots_fini(&slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_token_finds_its_source_until_it_is_removed),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
