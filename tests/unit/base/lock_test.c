/* SPDX-License-Identifier: MIT */
#include <pthread.h>

#include "base/lock.h"
#include "support/death.h"
#include "support/unit.h"

static const enum sn_lock_rank ranks[] = {
    SN_RANK_ADAPTER,
    SN_RANK_LISTENER,
    SN_RANK_OBJ,
    SN_RANK_MEM,
    SN_RANK_SRQ,
    SN_RANK_CQ,
    SN_RANK_LEAF,
};
enum { RANK_COUNT = sizeof(ranks) / sizeof(ranks[0]) };

SN_NO_ANALYSIS static void rising_ranks_may_be_held_together(void **state)
{
    struct sn_lock locks[RANK_COUNT];

    (void)state;
    for (size_t i = 0; i < RANK_COUNT; i++)
        sn_lock_init(&locks[i], ranks[i]);
    for (int round = 0; round < 2; round++) {
        sn_lock_assert_none_held();
        for (size_t i = 0; i < RANK_COUNT; i++)
            sn_lock_take(&locks[i]);
        for (size_t i = RANK_COUNT; i-- > 0;)
            sn_lock_drop(&locks[i]);
        sn_lock_assert_none_held();
    }
}

/* What follows breaks rules on purpose: clang would refuse it. */
struct pair {
    struct sn_lock first, second;
};

SN_NO_ANALYSIS static void take_both(void *arg)
{
    struct pair *p = arg;

    sn_lock_take(&p->first);
    sn_lock_take(&p->second);
}

static void skip_unless_checked(void)
{
#if !defined(SOFTNDK_DEBUG)
    print_message("ranks are checked in debug builds only\n");
    skip();
#endif
}

static void every_pair_of_ranks_that_does_not_rise_is_reported(void **state)
{
    char text[256];

    (void)state;
    skip_unless_checked();
    for (size_t i = 0; i < RANK_COUNT; i++) {
        for (size_t j = 0; j < RANK_COUNT; j++) {
            struct pair p;

            sn_lock_init(&p.first, ranks[i]);
            sn_lock_init(&p.second, ranks[j]);
            assert_int_equal(death_of(take_both, &p, text, sizeof(text)), j > i ? 0 : SIGABRT);
            if (j <= i)
                assert_non_null(strstr(text, "rank"));
        }
    }
}

SN_NO_ANALYSIS static void take_twice(void *arg)
{
    struct pair *p = arg;

    sn_lock_take(&p->first);
    sn_lock_take(&p->first);
}

SN_NO_ANALYSIS static void drop_unheld(void *arg)
{
    struct pair *p = arg;

    sn_lock_drop(&p->first);
}

SN_NO_ANALYSIS static void drop_crossed(void *arg)
{
    take_both(arg);
    drop_unheld(arg);
}

SN_NO_ANALYSIS static void callback_with_lock(void *arg)
{
    struct pair *p = arg;

    sn_lock_take(&p->first);
    sn_lock_assert_none_held();
}

SN_NO_ANALYSIS static void *take_first(void *arg)
{
    struct pair *p = arg;

    sn_lock_take(&p->first);
    return NULL;
}

SN_NO_ANALYSIS static void drop_of_another_thread(void *arg)
{
    struct pair *p = arg;
    pthread_t other;

    if (pthread_create(&other, NULL, take_first, p) != 0 || pthread_join(other, NULL) != 0)
        return;
    sn_lock_take(&p->second); /* so that only the owner is wrong */
    sn_lock_drop(&p->first);
}

static void misuse_is_reported(void **state)
{
    static void (*const misuses[])(void *) = {
        take_twice, drop_unheld, drop_crossed, callback_with_lock, drop_of_another_thread};
    struct pair p;
    char text[256];

    (void)state;
    skip_unless_checked();
    for (size_t i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++) {
        sn_lock_init(&p.first, SN_RANK_OBJ);
        sn_lock_init(&p.second, SN_RANK_CQ);
        assert_int_equal(death_of(misuses[i], &p, text, sizeof(text)), SIGABRT);
        assert_non_null(strstr(text, "lock.c"));
    }
}

enum { THREADS = 4, ROUNDS = 20000 };

struct counter {
    struct sn_lock lock;
    uint64_t count SN_GUARDED_BY(lock);
};

static void *count_up(void *arg)
{
    struct counter *c = arg;

    for (int i = 0; i < ROUNDS; i++) {
        sn_lock_take(&c->lock);
        c->count++;
        sn_lock_drop(&c->lock);
    }
    return NULL;
}

static void one_thread_at_a_time(void **state)
{
    struct counter c;
    pthread_t threads[THREADS];

    (void)state;
    sn_lock_init(&c.lock, SN_RANK_LEAF);
    sn_lock_take(&c.lock);
    c.count = 0;
    for (int i = 0; i < THREADS; i++) /* they meet a taken lock */
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &c), 0);
    sn_lock_drop(&c.lock);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    sn_lock_take(&c.lock);
    assert_int_equal(c.count, (uint64_t)THREADS * ROUNDS);
    sn_lock_drop(&c.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rising_ranks_may_be_held_together),
        cmocka_unit_test(every_pair_of_ranks_that_does_not_rise_is_reported),
        cmocka_unit_test(misuse_is_reported),
        cmocka_unit_test(one_thread_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
