/* SPDX-License-Identifier: MIT */
/* Stacks: taken, told apart, printed from where they matter. */
#include "verify/stack.h"

#include "support/unit.h"

/* Not static, so that the optimiser makes no variants of them. */
void inner_take(struct verify_stack *s);
void outer_take(struct verify_stack *s);

__attribute__((noinline)) void inner_take(struct verify_stack *s)
{
    verify_stack_take(s, 0);
    __asm__ volatile(""); /* the call above is not the last thing here */
}

__attribute__((noinline)) void outer_take(struct verify_stack *s)
{
    inner_take(s);
    __asm__ volatile("");
}

static void the_caller_comes_first(void **state)
{
    struct verify_stack s = {0};
    char text[8192];
    size_t n;

    (void)state;
    outer_take(&s);
    assert_true(s.n > 1);
    n = verify_stack_print(&s, NULL, "> ", text, sizeof text);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(text, "> #0 outer_take+0x", 18);
    assert_non_null(strstr(text, "\n> #1 the_caller_comes_first+0x"));
}

static void the_print_may_begin_further_out(void **state)
{
    struct verify_stack s = {0};
    char text[8192];

    (void)state;
    outer_take(&s);
    verify_stack_print(&s, "the_print_may_begin_further_out", "", text, sizeof text);
    assert_memory_equal(text, "#0 the_print_may_begin_further_out+0x", 37);
    verify_stack_print(&s, "the_print*", "", text, sizeof text);
    assert_memory_equal(text, "#0 the_print_may_begin_further_out+0x", 37);
    verify_stack_print(&s, "the_print", "", text, sizeof text); /* not a whole name */
    assert_memory_equal(text, "#0 outer_take+0x", 16);
}

static void no_room_is_no_harm(void **state)
{
    struct verify_stack s = {0};
    char text[300] = "x";

    (void)state;
    outer_take(&s);
    assert_int_equal(verify_stack_print(&s, NULL, "", text, 0), 0);
    assert_int_equal(text[0], 'x');
    assert_int_equal(verify_stack_print(&s, NULL, "", text, 2), 0);
    assert_true(verify_stack_print(&s, NULL, "", text, sizeof text) < sizeof text);
}

static void equal_stacks_have_equal_hashes(void **state)
{
    struct verify_stack s[3] = {{0}};

    (void)state;
    for (volatile int i = 0; i < 2; i++) /* one place: the loop is not unrolled */
        outer_take(&s[i]);
    outer_take(&s[2]);
    assert_true(verify_stack_hash(&s[0]) == verify_stack_hash(&s[1]));
    assert_true(verify_stack_hash(&s[0]) != verify_stack_hash(&s[2]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_caller_comes_first),
        cmocka_unit_test(the_print_may_begin_further_out),
        cmocka_unit_test(no_room_is_no_harm),
        cmocka_unit_test(equal_stacks_have_equal_hashes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
