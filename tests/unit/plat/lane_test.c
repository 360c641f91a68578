/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "unit/plat/fake.h"

struct rig {
    struct fake plat;
    struct plat_lane lane, other;
    unsigned works;
    unsigned leave_again; /* how often work leaves work once more */
};

static void work(void *ctx)
{
    struct rig *rig = ctx;

    assert_non_null(plat_lane_current());
    rig->works++;
    if (rig->leave_again > 0) {
        rig->leave_again--;
        plat_lane_leave_work(plat_lane_current(), true);
    }
}
static const struct plat_lane_ops lane_ops = {work};

static int setup(void **state)
{
    static struct rig rig;

    memset(&rig, 0, sizeof(rig));
    fake_init(&rig.plat);
    plat_lane_init(&rig.lane, &rig.plat.base, &lane_ops, &rig);
    plat_lane_init(&rig.other, &rig.plat.base, &lane_ops, &rig);
    *state = &rig;
    return 0;
}

static uint32_t word(struct plat_lane *lane)
{
    return sn_a32_load_acquire(&lane->state);
}
static uint32_t wakes(struct rig *rig)
{
    return sn_a32_load_acquire(&rig->plat.wakes);
}

static void test_one_inside_at_a_time(void **state)
{
    struct rig *rig = *state;

    assert_null(plat_lane_current());
    assert_true(plat_lane_enter(&rig->lane));
    assert_ptr_equal(plat_lane_current(), &rig->lane);
    assert_int_equal(sn_a64_load_relaxed(&rig->lane.seq) % 2, 1);
    assert_false(plat_lane_enter(&rig->lane));
    assert_false(plat_lane_enter(&rig->other)); /* one lane per thread */
    assert_int_equal(word(&rig->other), 0);
    plat_lane_leave(&rig->lane);
    assert_null(plat_lane_current());
    assert_int_equal(sn_a64_load_relaxed(&rig->lane.seq) % 2, 0);
    assert_int_equal(word(&rig->lane), 0);
    assert_int_equal(rig->works, 0);
    assert_int_equal(wakes(rig), 0);
}

/* Who leaves work where, and who does it. */
static const struct {
    bool is_taken, may_enter, inside_other;
    unsigned works_at_once, wakes;
    uint32_t word;
} leave_work_cases[] = {
    {false, true, false, 1, 0, 0},
    {false, false, false, 0, 1, PLAT_LANE_WORK},
    {false, true, true, 0, 1, PLAT_LANE_WORK},
    {true, true, true, 0, 0, PLAT_LANE_TAKEN | PLAT_LANE_WORK},
    {true, false, true, 0, 0, PLAT_LANE_TAKEN | PLAT_LANE_WORK},
};

static void test_leave_work(void **state)
{
    for (size_t i = 0; i < SN_ARRAY_COUNT(leave_work_cases); i++) {
        struct rig *rig;
        struct plat_lane *in = NULL;

        setup(state);
        rig = *state;
        if (leave_work_cases[i].inside_other)
            in = leave_work_cases[i].is_taken ? &rig->lane : &rig->other;
        if (in != NULL)
            assert_true(plat_lane_enter(in));
        plat_lane_leave_work(&rig->lane, leave_work_cases[i].may_enter);
        assert_int_equal(rig->works, leave_work_cases[i].works_at_once);
        assert_int_equal(wakes(rig), leave_work_cases[i].wakes);
        assert_int_equal(word(&rig->lane), leave_work_cases[i].word);
        if (in != NULL)
            plat_lane_leave(in);
        /* Whoever enters next does it. */
        assert_true(plat_lane_enter(&rig->lane));
        plat_lane_leave(&rig->lane);
        assert_int_equal(rig->works, 1);
        assert_int_equal(word(&rig->lane), 0);
    }
}

static void test_leave_repeats_until_nothing_is_left(void **state)
{
    struct rig *rig = *state;

    rig->leave_again = 5;
    plat_lane_leave_work(&rig->lane, true);
    assert_int_equal(rig->works, 6);
    assert_int_equal(word(&rig->lane), 0);
    assert_int_equal(wakes(rig), 0);
}

static void test_leave_hands_over_to_the_home_thread_in_the_end(void **state)
{
    struct rig *rig = *state;

    rig->leave_again = 1000;
    plat_lane_leave_work(&rig->lane, true);
    assert_null(plat_lane_current());
    assert_in_range(rig->works, 2, 999);
    assert_int_equal(word(&rig->lane), PLAT_LANE_WORK);
    assert_int_equal(wakes(rig), 1);
}

static void test_leave_serves_sockets_when_asked_and_wakes_who_asked(void **state)
{
    struct rig *rig = *state;

    assert_true(plat_lane_enter(&rig->lane));
    sn_a32_fetch_or(&rig->lane.state, PLAT_LANE_SOCKETS);
    plat_lane_leave(&rig->lane);
    assert_int_equal(rig->plat.polls, 1);
    assert_int_equal(rig->works, 0);
    assert_int_equal(wakes(rig), 1);
    assert_int_equal(word(&rig->lane), 0);
}

/* ---- calls ---- */

struct noted_call {
    struct plat_call call;
    char name;
    char *log;
    struct plat_lane *lane;
    struct noted_call *then;
};

static void run_noted(struct plat_call *call)
{
    struct noted_call *c = SN_CONTAINER_OF(call, struct noted_call, call);

    assert_null(plat_lane_current());
    strncat(c->log, &c->name, 1);
    if (c->then != NULL)
        plat_lane_call(c->lane, &c->then->call);
    free(c);
}

static struct noted_call *new_call(struct rig *rig, char *log, char name)
{
    struct noted_call *c = calloc(1, sizeof(*c));

    assert_non_null(c);
    c->call.run = run_noted;
    c->name = name;
    c->log = log;
    c->lane = &rig->lane;
    return c;
}

static void test_calls_run_in_order_and_may_free_themselves(void **state)
{
    struct rig *rig = *state;
    char log[16] = "";
    struct noted_call *a = new_call(rig, log, 'a'), *b = new_call(rig, log, 'b');

    a->then = new_call(rig, log, 'd');
    plat_lane_call(&rig->lane, &a->call);
    plat_lane_call(&rig->lane, &b->call);
    assert_true(plat_lane_enter(&rig->lane)); /* also from inside */
    plat_lane_call(&rig->lane, &new_call(rig, log, 'c')->call);
    plat_lane_leave(&rig->lane);
    assert_string_equal(log, "");
    assert_int_equal(wakes(rig), 3);
    assert_int_equal(plat_lane_run_calls(&rig->lane), 3);
    assert_string_equal(log, "abc");
    assert_int_equal(plat_lane_run_calls(&rig->lane), 1);
    assert_string_equal(log, "abcd");
    assert_int_equal(plat_lane_run_calls(&rig->lane), 0);
    assert_int_equal(word(&rig->lane), 0);
}

/* ---- pollers ---- */

static void test_poller_visit_and_end(void **state)
{
    struct rig *rig = *state;
    uint32_t before;

    plat_lane_poller_end(&rig->lane); /* nobody polls */
    assert_int_equal(wakes(rig), 0);
    plat_lane_poller_visit(&rig->lane);
    assert_int_equal(sn_a32_load_relaxed(&rig->lane.has_poller), 1);
    before = sn_a32_load_relaxed(&rig->lane.poll_ticks);
    plat_lane_poller_visit(&rig->lane);
    assert_int_not_equal(sn_a32_load_relaxed(&rig->lane.poll_ticks), before);
    assert_int_equal(wakes(rig), 0);
    plat_lane_poller_end(&rig->lane);
    assert_int_equal(sn_a32_load_relaxed(&rig->lane.has_poller), 0);
    assert_int_equal(wakes(rig), 1);
    rig->plat.is_home = true; /* a callback that polls keeps nobody out */
    plat_lane_poller_visit(&rig->lane);
    assert_int_equal(sn_a32_load_relaxed(&rig->lane.has_poller), 0);
}

static void test_poll_asks_the_platform(void **state)
{
    struct rig *rig = *state;

    assert_true(plat_lane_enter(&rig->lane));
    assert_int_equal(plat_lane_poll(&rig->lane), 1);
    plat_lane_leave(&rig->lane);
}

/* ---- several threads ---- */

static void enter_for_sure(struct plat_lane *lane)
{
    while (!plat_lane_enter(lane))
        sched_yield();
}

/* Every unit of work that is left by several threads is done, exactly once, by someone. */
struct exchange {
    struct plat_lane lane;
    struct fake plat;
    struct sn_a64 left; /* what threads leave */
    uint64_t done;      /* inside the lane */
};
enum { EXCHANGE_ROUNDS = 20000, EXCHANGE_THREADS = 3 };

static void exchange_work(void *ctx)
{
    struct exchange *x = ctx;

    x->done += sn_a64_exchange(&x->left, 0);
}
static const struct plat_lane_ops exchange_ops = {exchange_work};

static void *exchange_thread(void *arg)
{
    struct exchange *x = arg;

    for (int i = 0; i < EXCHANGE_ROUNDS; i++) {
        if (i % 3 == 0 && plat_lane_enter(&x->lane)) {
            x->done++;
            plat_lane_leave(&x->lane);
            continue;
        }
        sn_a64_fetch_add(&x->left, 1);
        plat_lane_leave_work(&x->lane, i % 5 != 0);
    }
    return NULL;
}

static void test_no_work_is_lost(void **state)
{
    static struct exchange x;
    pthread_t threads[EXCHANGE_THREADS];

    (void)state;
    fake_init(&x.plat);
    plat_lane_init(&x.lane, &x.plat.base, &exchange_ops, &x);
    for (int i = 0; i < EXCHANGE_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, exchange_thread, &x), 0);
    for (int i = 0; i < EXCHANGE_THREADS; i++)
        pthread_join(threads[i], NULL);
    /* What is left unseen now was left to the home thread, which was told. */
    if (word(&x.lane) != 0) {
        assert_int_equal(word(&x.lane), PLAT_LANE_WORK);
        assert_true(sn_a32_load_relaxed(&x.plat.wakes) > 0);
    }
    enter_for_sure(&x.lane);
    plat_lane_leave(&x.lane);
    assert_int_equal(sn_a64_load_relaxed(&x.left), 0);
    assert_int_equal(x.done, EXCHANGE_ROUNDS * EXCHANGE_THREADS);
}

/* Readers look at a published object inside their lane; the writer replaces it, waits for the lanes
 * to be quiet, and frees the old one. A reader that still saw it would read freed memory. */
struct publication {
    struct rig rig;
    struct sn_aptr current;
    struct sn_a32 stop;
    struct sn_a64 reads;
};

static void *publication_reader(void *arg)
{
    struct publication *p = arg;
    static struct sn_a32 next;
    struct plat_lane *lane = sn_a32_fetch_add(&next, 1) % 2 == 0 ? &p->rig.lane : &p->rig.other;

    while (sn_a32_load_acquire(&p->stop) == 0) {
        if (!plat_lane_enter(lane))
            continue;
        for (int i = 0; i < 10; i++) {
            const int *value = sn_aptr_load_acquire(&p->current);

            assert_int_equal(*value, 42);
        }
        sn_a64_fetch_add(&p->reads, 1);
        plat_lane_leave(lane);
    }
    return NULL;
}

static int *new_value(void)
{
    int *value = malloc(sizeof(*value));

    assert_non_null(value);
    *value = 42;
    return value;
}

static void test_quiesce_waits_for_all_readers(void **state)
{
    static struct publication p;
    struct plat_lane *lanes[2] = {&p.rig.lane, &p.rig.other};
    pthread_t threads[2];

    (void)state;
    fake_init(&p.rig.plat);
    plat_lane_init(&p.rig.lane, &p.rig.plat.base, &lane_ops, &p.rig);
    plat_lane_init(&p.rig.other, &p.rig.plat.base, &lane_ops, &p.rig);
    sn_aptr_store_release(&p.current, new_value());
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, publication_reader, &p), 0);
    while (sn_a64_load_relaxed(&p.reads) == 0)
        sched_yield();
    for (int i = 0; i < 2000; i++) {
        int *old = sn_aptr_exchange(&p.current, new_value());

        plat_lanes_quiesce(lanes, 2, NULL);
        *old = 0;
        free(old);
    }
    sn_a32_store_release(&p.stop, 1);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    free(sn_aptr_load_relaxed(&p.current));
}

/* Somebody is inside while another waits for the lane to be quiet. */
struct stay {
    struct plat_lane *lane;
    struct sn_a32 is_inside, is_leaving;
};

static void *stay_thread(void *arg)
{
    struct stay *s = arg;
    const struct timespec nap = {.tv_nsec = 5 * 1000 * 1000};

    enter_for_sure(s->lane);
    sn_a32_store_release(&s->is_inside, 1);
    nanosleep(&nap, NULL);
    sn_a32_store_release(&s->is_leaving, 1);
    plat_lane_leave(s->lane);
    return NULL;
}

static void test_quiesce_waits_for_who_is_inside(void **state)
{
    struct rig *rig = *state;
    struct plat_lane *lanes[2] = {&rig->other, &rig->lane};

    for (int i = 0; i < 5; i++) {
        struct stay s = {.lane = &rig->lane};
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, stay_thread, &s), 0);
        while (sn_a32_load_acquire(&s.is_inside) == 0)
            sched_yield();
        plat_lanes_quiesce(lanes, 2, NULL);
        assert_int_equal(sn_a32_load_acquire(&s.is_leaving), 1);
        pthread_join(thread, NULL);
    }
}

/* Two threads, each inside a lane of its own, wait for each other's. */
struct mutual {
    struct plat_lane *self;
    struct plat_lane *lanes[2];
    pthread_barrier_t *together;
};

static void *mutual_thread(void *arg)
{
    struct mutual *m = arg;

    for (int i = 0; i < 2000; i++) {
        enter_for_sure(m->self);
        pthread_barrier_wait(m->together);
        plat_lanes_quiesce(m->lanes, 2, m->self);
        assert_int_equal(sn_a64_load_relaxed(&m->self->seq) % 2, 1);
        assert_int_equal(word(m->self) & (PLAT_LANE_TAKEN | PLAT_LANE_QUIET), PLAT_LANE_TAKEN);
        plat_lane_leave(m->self);
        pthread_barrier_wait(m->together);
    }
    return NULL;
}

static void test_two_inside_quiesce_without_deadlock(void **state)
{
    struct rig *rig = *state;
    pthread_barrier_t together;
    struct mutual m[2] = {{&rig->lane, {&rig->lane, &rig->other}, &together},
        {&rig->other, {&rig->lane, &rig->other}, &together}};
    pthread_t threads[2];

    assert_int_equal(pthread_barrier_init(&together, NULL, 2), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, mutual_thread, &m[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&together);
    assert_int_equal(word(&rig->lane), 0);
    assert_int_equal(word(&rig->other), 0);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_inside_at_a_time),
        TEST(test_leave_work),
        TEST(test_leave_repeats_until_nothing_is_left),
        TEST(test_leave_hands_over_to_the_home_thread_in_the_end),
        TEST(test_leave_serves_sockets_when_asked_and_wakes_who_asked),
        TEST(test_calls_run_in_order_and_may_free_themselves),
        TEST(test_poller_visit_and_end),
        TEST(test_poll_asks_the_platform),
        TEST(test_no_work_is_lost),
        TEST(test_quiesce_waits_for_all_readers),
        TEST(test_quiesce_waits_for_who_is_inside),
        TEST(test_two_inside_quiesce_without_deadlock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
