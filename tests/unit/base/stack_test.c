/* SPDX-License-Identifier: MIT */
#include "base/stack.h"

#include <pthread.h>
#include <stdint.h>

#include "support/unit.h"

enum { MAX = 64 };

/* Far enough for the code of one small function. */
static int is_in(void *frame, void (*function)(void **, unsigned *))
{
    uintptr_t at = (uintptr_t)frame, begin = (uintptr_t)function;

    return at > begin && at < begin + 4096;
}

static __attribute__((noinline)) void take_here(void **frames, unsigned *count)
{
    *count = sn_stack_take(frames, *count);
}

static __attribute__((noinline)) void take_below(void **frames, unsigned *count)
{
    take_here(frames, count);
    __asm__ volatile("" ::: "memory"); /* no tail call: this frame stays */
}

static void innermost_first(void **state)
{
    void *frames[MAX];
    unsigned count = MAX;

    (void)state;
    take_below(frames, &count);
    assert_true(count >= 3);
    assert_true(count <= MAX);
    assert_true(is_in(frames[0], take_here));
    assert_true(is_in(frames[1], take_below));
    for (unsigned i = 0; i < count; i++)
        assert_non_null(frames[i]);
}

static void no_more_than_asked_for(void **state)
{
    (void)state;
    for (unsigned max = 0; max < 4; max++) {
        void *frames[MAX] = {NULL};
        unsigned count = max;

        take_below(frames, &count);
        assert_int_equal(count, max);
        assert_null(frames[max]);
    }
}

static void *take_in_thread(void *arg)
{
    void *frames[MAX];

    *(unsigned *)arg = sn_stack_take(frames, MAX);
    return NULL;
}

/* Threads end without trouble after it, under sanitizers too. */
static void in_threads(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        unsigned count = 0;
        pthread_t t;

        assert_int_equal(pthread_create(&t, NULL, take_in_thread, &count), 0);
        pthread_join(t, NULL);
        assert_true(count >= 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(innermost_first),
        cmocka_unit_test(no_more_than_asked_for),
        cmocka_unit_test(in_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
