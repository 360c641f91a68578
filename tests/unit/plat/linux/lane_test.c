/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <pthread.h>

#include "unit/plat/linux/rig.h"

static void nap_ms(unsigned ms)
{
    for (unsigned i = 0; i < ms * 5; i++)
        rig_nap();
}

static uint64_t wakeups(struct rig *r)
{
    return sn_a64_load_relaxed(&r->lane->home_wakeups);
}

/* Does the home thread come to rest? On a busy machine it may take a while to go to sleep. */
static bool stays_asleep(struct rig *r)
{
    for (int i = 0; i < 100; i++) {
        uint64_t before = wakeups(r);

        nap_ms(100);
        if (wakeups(r) == before)
            return true;
    }
    return false;
}

static void test_idle_is_idle(void **state)
{
    struct rig *r = *state;

    rig_listen(r, 4);
    rig_connect(r);
    assert_true(stays_asleep(r));
}

/* ---- calls ---- */

enum { CALLERS = 3, CALLS = 2000 };

struct counted_call {
    struct plat_call call;
    struct caller *caller;
    uint64_t number;
};
struct caller {
    struct plat_lane *lane;
    struct counted_call calls[CALLS];
    uint64_t ran; /* home thread */
    struct sn_a64 ran_shown;
};

static void run_counted(struct plat_call *call)
{
    struct counted_call *c = SN_CONTAINER_OF(call, struct counted_call, call);

    assert_true(plat_lane_is_home(c->caller->lane));
    assert_null(plat_lane_current());
    assert_int_equal(c->number, c->caller->ran++); /* each caller's in order */
    sn_a64_store_release(&c->caller->ran_shown, c->caller->ran);
}

static void *caller_thread(void *arg)
{
    struct caller *c = arg;

    assert_false(plat_lane_is_home(c->lane));
    for (uint64_t i = 0; i < CALLS; i++) {
        c->calls[i] = (struct counted_call){{NULL, run_counted}, c, i};
        plat_lane_call(c->lane, &c->calls[i].call);
        if (i % 500 == 0)
            nap_ms(1); /* let the home thread sleep now and then */
    }
    return NULL;
}

static void test_calls_of_several_threads(void **state)
{
    static struct caller callers[CALLERS];
    struct rig *r = *state;
    pthread_t threads[CALLERS];

    for (int i = 0; i < CALLERS; i++) {
        callers[i].lane = r->lane;
        assert_int_equal(pthread_create(&threads[i], NULL, caller_thread, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        for (int k = 0; k < RIG_PATIENCE_MS; k++) {
            if (sn_a64_load_acquire(&callers[i].ran_shown) == CALLS)
                break;
            nap_ms(1);
        }
        assert_int_equal(sn_a64_load_acquire(&callers[i].ran_shown), CALLS);
    }
}

static void test_destroy_runs_the_calls_that_are_left(void **state)
{
    static struct caller caller;
    struct rig *r = *state;
    struct plat_lane *lane;

    for (int round = 0; round < 20; round++) {
        memset(&caller, 0, sizeof(caller));
        assert_int_equal(plat_lane_create(r->plat, &rig_lane_ops, r, &lane), SN_OK);
        caller.lane = lane;
        for (uint64_t i = 0; i < 50; i++) {
            caller.calls[i] = (struct counted_call){{NULL, run_counted}, &caller, i};
            plat_lane_call(lane, &caller.calls[i].call);
        }
        plat_lane_leave_work(lane, false);
        plat_lane_destroy(lane);
        assert_int_equal(caller.ran, 50);
    }
}

/* ---- timers ---- */

struct shown_timer {
    struct plat_timer timer;
    struct plat_lane *lane;
    struct sn_a64 fired;
    bool was_home;
};

static void fire_shown(struct plat_timer *timer)
{
    struct shown_timer *t = SN_CONTAINER_OF(timer, struct shown_timer, timer);

    assert_ptr_equal(plat_lane_current(), t->lane);
    t->was_home = plat_lane_is_home(t->lane);
    sn_a64_fetch_add(&t->fired, 1);
}

static bool has_fired(void *ctx)
{
    return sn_a64_load_acquire(&((struct shown_timer *)ctx)->fired) > 0;
}

static void test_an_earlier_timer_wakes_a_sleeping_home_thread(void **state)
{
    struct rig *r = *state;
    struct shown_timer late = {.lane = r->lane}, early = {.lane = r->lane};
    uint64_t before;
    bool is_quiet;

    plat_timer_init(&late.timer, fire_shown);
    plat_timer_init(&early.timer, fire_shown);
    rig_enter(r->lane);
    plat_timer_set(r->lane, &late.timer, UINT64_C(3600000000000));
    plat_lane_leave(r->lane);
    nap_ms(20);
    rig_enter(r->lane);
    before = plat_now_ns(r->plat);
    plat_timer_set(r->lane, &early.timer, 3000000);
    plat_lane_leave(r->lane);
    rig_until(r->lane, has_fired, &early);
    assert_true(plat_now_ns(r->plat) - before >= 3000000);
    assert_true(early.was_home);
    assert_int_equal(sn_a64_load_relaxed(&late.fired), 0);
    is_quiet = stays_asleep(r); /* one timer, an hour away */
    rig_enter(r->lane);
    plat_timer_cancel(r->lane, &late.timer);
    plat_lane_leave(r->lane);
    assert_true(is_quiet);
}

/* ---- work ---- */

struct worker {
    struct sn_a64 home, other;
    struct plat_lane *lane;
};

static void note_worker(void *ctx)
{
    struct worker *w = ctx;

    sn_a64_fetch_add(plat_lane_is_home(w->lane) ? &w->home : &w->other, 1);
}
static const struct plat_lane_ops worker_ops = {note_worker};

static bool home_worked(void *ctx)
{
    return sn_a64_load_acquire(&((struct worker *)ctx)->home) > 0;
}

static void test_left_work_is_done_by_the_home_thread_or_at_once(void **state)
{
    struct rig *r = *state;
    struct worker w = {{0}, {0}, NULL};

    assert_int_equal(plat_lane_create(r->plat, &worker_ops, &w, &w.lane), SN_OK);
    plat_lane_leave_work(w.lane, false);
    for (int i = 0; i < RIG_PATIENCE_MS && !home_worked(&w); i++)
        nap_ms(1);
    assert_true(home_worked(&w));
    nap_ms(5);
    plat_lane_leave_work(w.lane, true);
    assert_true(sn_a64_load_acquire(&w.other) > 0);
    plat_lane_destroy(w.lane);
}

/* ---- everything at once ---- */

/*
 * Posting threads write their share of octets in small pieces and leave work; a polling thread
 * comes and goes; timers fire and are pushed ahead; calls come back; connections open and close
 * meanwhile. In the end every octet has arrived, every call has run.
 */
enum { STORM_POSTERS = 2, STORM_OCTETS = 300000 };

struct storm {
    struct rig r;
    struct sn_a32 stop;
    struct sn_a64 calls_made, calls_ran, works;
    struct shown_timer timer;
    size_t to_send; /* inside the lane */
    struct sn_a64 sent_total;
};

struct storm_call {
    struct plat_call call;
    struct storm *storm;
};

static void storm_call_run(struct plat_call *call)
{
    struct storm_call *c = SN_CONTAINER_OF(call, struct storm_call, call);

    assert_true(plat_lane_is_home(c->storm->r.lane));
    sn_a64_fetch_add(&c->storm->calls_ran, 1);
    sn_free(c);
}

static void storm_call(struct storm *s)
{
    struct storm_call *c = sn_zalloc(sizeof(*c));

    assert_non_null(c);
    c->call.run = storm_call_run;
    c->storm = s;
    sn_a64_fetch_add(&s->calls_made, 1);
    plat_lane_call(s->r.lane, &c->call);
}

static void storm_work(void *ctx)
{
    struct storm *s = ctx;
    const struct sn_cspan v = {(const uint8_t *)"xxxxxxxxxxxxxxxx", 16};
    size_t sent;

    sn_a64_fetch_add(&s->works, 1);
    if (s->r.client.pipe == NULL || s->to_send == 0)
        return;
    if (plat_pipe_writev(s->r.client.pipe, &v, 1, &sent) == PLAT_IO_OK)
        s->to_send -= sent < s->to_send ? sent : s->to_send;
    else
        sent = 0;
    sn_a64_fetch_add(&s->sent_total, sent);
    plat_timer_set(s->r.lane, &s->timer.timer, 200000);
    if (s->to_send % 512 == 0)
        storm_call(s);
}
static const struct plat_lane_ops storm_ops = {storm_work};

static void *storm_poster(void *arg)
{
    struct storm *s = arg;

    for (int i = 0; sn_a32_load_acquire(&s->stop) == 0; i++) {
        plat_lane_leave_work(s->r.lane, i % 4 != 0);
        if (i % 64 == 0)
            rig_nap();
        if (i % 256 == 0)
            storm_call(s);
    }
    return NULL;
}

static void *storm_poller(void *arg)
{
    struct storm *s = arg;

    for (int i = 0; sn_a32_load_acquire(&s->stop) == 0; i++) {
        plat_lane_poller_visit(s->r.lane);
        if (plat_lane_enter(s->r.lane)) {
            plat_lane_poll(s->r.lane);
            plat_lane_leave(s->r.lane);
        }
        if (i % 300 == 0)
            nap_ms(3); /* long enough for the watchdog */
        if (i % 700 == 0)
            plat_lane_poller_end(s->r.lane);
    }
    return NULL;
}

/* Connections that come and go beside the busy one, on a second lane and back. */
static void *storm_churner(void *arg)
{
    struct storm *s = arg;
    struct plat_addr src = rig_loopback(4);

    while (sn_a32_load_acquire(&s->stop) == 0) {
        struct rig_end e = {0};
        enum sn_status status;

        rig_enter(s->r.lane);
        status = plat_connect(s->r.lane, &src, &s->r.addr, NULL, &rig_pipe_ops, &e, &e.pipe);
        plat_lane_leave(s->r.lane);
        if (status != SN_OK)
            continue;
        rig_nap();
        rig_close_end(&e, true);
    }
    return NULL;
}

static bool storm_is_over(void *ctx)
{
    struct storm *s = ctx;

    return s->to_send == 0 && s->r.server.got == sn_a64_load_acquire(&s->sent_total);
}

static void test_storm(void **state)
{
    static struct storm s;
    struct rig *r = &s.r;
    void *(*const bodies[])(void *) = {storm_poster, storm_poster, storm_poller, storm_churner};
    pthread_t threads[SN_ARRAY_COUNT(bodies)];

    (void)state;
    memset(&s, 0, sizeof(s));
    r->plat = plat_linux_create(NULL);
    assert_non_null(r->plat);
    assert_int_equal(plat_lane_create(r->plat, &storm_ops, &s, &r->lane), SN_OK);
    plat_timer_init(&s.timer.timer, fire_shown);
    s.timer.lane = r->lane;
    rig_listen(r, 4);
    rig_connect(r);
    rig_enter(r->lane);
    r->refuses = true; /* those of the churner */
    s.to_send = STORM_OCTETS;
    plat_lane_leave(r->lane);
    for (size_t i = 0; i < SN_ARRAY_COUNT(bodies); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, bodies[i], &s), 0);
    rig_until(r->lane, storm_is_over, &s);
    sn_a32_store_release(&s.stop, 1);
    for (size_t i = 0; i < SN_ARRAY_COUNT(bodies); i++)
        pthread_join(threads[i], NULL);
    rig_enter(r->lane);
    plat_timer_cancel(r->lane, &s.timer.timer);
    plat_lane_leave(r->lane);
    rig_close(r);
    assert_true(sn_a64_load_relaxed(&s.works) > 0);
    assert_int_equal(sn_a64_load_relaxed(&s.calls_made), sn_a64_load_relaxed(&s.calls_ran));
}

/* ---- nothing is left ---- */

static bool server_got_5(void *ctx)
{
    return ((struct rig *)ctx)->server.got >= 5;
}

static unsigned entries(const char *path)
{
    DIR *dir = opendir(path);
    unsigned n = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static void test_no_descriptor_and_no_thread_is_left(void **state)
{
    unsigned fds, threads;
    struct rig r;

    (void)state;
    for (int i = 0; i < 2; i++) { /* the first round warms up what libraries keep */
        fds = entries("/proc/self/fd");
        threads = entries("/proc/self/task");
        rig_open(&r);
        rig_listen(&r, 4);
        rig_connect(&r);
        assert_true(entries("/proc/self/fd") > fds);
        assert_true(entries("/proc/self/task") > threads);
        rig_close(&r);
        for (int k = 0; k < RIG_PATIENCE_MS && entries("/proc/self/task") != threads; k++)
            nap_ms(1); /* a joined thread leaves /proc a little later */
        assert_int_equal(entries("/proc/self/fd"), fds);
        assert_int_equal(entries("/proc/self/task"), threads);
    }
}

static void test_a_lane_that_spins_first_works_as_well(void **state)
{
    const struct plat_linux_options options = {.spin_us = 50};
    struct rig r = {0};
    uint64_t before;

    (void)state;
    r.plat = plat_linux_create(&options);
    assert_non_null(r.plat);
    assert_int_equal(plat_lane_create(r.plat, &rig_lane_ops, &r, &r.lane), SN_OK);
    rig_listen(&r, 4);
    rig_connect(&r);
    rig_write(&r.client, "hello", 5);
    rig_until(r.lane, server_got_5, &r);
    nap_ms(20);
    before = wakeups(&r);
    nap_ms(50);
    assert_int_equal(wakeups(&r), before);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_idle_is_idle),
        RIG_TEST(test_calls_of_several_threads),
        RIG_TEST(test_destroy_runs_the_calls_that_are_left),
        RIG_TEST(test_an_earlier_timer_wakes_a_sleeping_home_thread),
        RIG_TEST(test_left_work_is_done_by_the_home_thread_or_at_once),
        cmocka_unit_test(test_storm),
        cmocka_unit_test(test_no_descriptor_and_no_thread_is_left),
        cmocka_unit_test(test_a_lane_that_spins_first_works_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
