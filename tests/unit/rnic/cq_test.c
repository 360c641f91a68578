/* SPDX-License-Identifier: MIT */
/* Completion queues: order, arming, overrun, resize, several producers. [NDKPI completion-handling]
 */
#include <pthread.h>

#include "unit/rnic/fixture.h"

struct listener {
    struct sn_a32 calls, last_status;
    struct rnic_cq *rearm; /* armed again from inside the callback */
    struct sn_a32 rearms_left;
};

static void on_notify(const struct rnic_cq_notify *n, enum sn_status status)
{
    struct listener *l = n->ctx;

    sn_a32_store_release(&l->last_status, (uint32_t)status);
    if (l->rearm != NULL && sn_a32_load_acquire(&l->rearms_left) > 0) {
        struct rnic_cqe e;

        while (rnic_cq_poll(l->rearm, &e, 1) > 0)
            ;
        sn_a32_fetch_sub(&l->rearms_left, 1);
        rnic_cq_arm(l->rearm, RNIC_ARM_ANY);
    }
    sn_a32_fetch_add(&l->calls, 1);
}

static struct rnic_cq *make_cq(struct fixture *f, uint32_t depth, struct listener *l)
{
    struct rnic_cq *cq;

    assert_int_equal(rnic_cq_create(f->adapter, depth,
                         (struct rnic_cq_notify){.call = on_notify, .fn = NULL, .ctx = l}, &cq),
        SN_OK);
    return cq;
}

static void push_n(struct fixture *f, struct rnic_cq *cq, uintptr_t first, uint32_t n,
    enum sn_status status, bool is_solicited)
{
    struct rnic_lane *l = f->adapter->lanes[0];

    enter(l);
    for (uint32_t i = 0; i < n; i++) {
        const struct rnic_cqe e = {.context = (void *)(first + i), .status = (uint8_t)status};

        rnic_cq_push(cq, l, &e, is_solicited);
    }
    rnic_lane_leave(l);
}

static void expect_n(struct rnic_cq *cq, uintptr_t first, uint32_t n)
{
    struct rnic_cqe e[7];

    for (uint32_t done = 0; done < n;) {
        uint32_t got = rnic_cq_poll(cq, e, n - done < 7 ? n - done : 7);

        assert_true(got > 0);
        for (uint32_t i = 0; i < got; i++)
            assert_ptr_equal(e[i].context, (void *)(first + done + i));
        done += got;
        assert_true(done <= n);
    }
}

static void limits_are_kept(void **state)
{
    struct fixture f;
    struct listener l = {0};
    struct rnic_cq *cq;
    const struct rnic_cq_notify n = {.call = on_notify, .ctx = &l};

    (void)state;
    fixture_open(&f, 1);
    assert_int_equal(rnic_cq_create(f.adapter, 0, n, &cq), SN_LIMIT);
    assert_int_equal(rnic_cq_create(f.adapter, RNIC_CQ_DEPTH_MAX + 1, n, &cq), SN_LIMIT);
    cq = make_cq(&f, 1, &l);
    assert_int_equal(rnic_cq_resize(cq, 0), SN_LIMIT);
    assert_int_equal(rnic_cq_moderate(cq, UINT32_MAX, UINT32_MAX), SN_INVALID);
    close_inline(rnic_cq_obj(cq));
    fixture_close(&f);
}

static void entries_come_out_in_order(void **state)
{
    struct fixture f;
    struct listener l = {0};
    struct rnic_cq *cq;
    struct rnic_cqe e;

    (void)state;
    fixture_open(&f, 1);
    cq = make_cq(&f, 100, &l);
    for (uintptr_t round = 0; round < 20; round++) {
        push_n(&f, cq, 1 + round * 77, 77, SN_OK, false);
        expect_n(cq, 1 + round * 77, 77);
    }
    assert_int_equal(rnic_cq_poll(cq, &e, 1), 0);
    assert_int_equal(sn_a32_load_acquire(&l.calls), 0); /* never armed */
    close_inline(rnic_cq_obj(cq));
    fixture_close(&f);
}

/* What satisfies which arm, when it is armed before and when after. */
static void arm_types(void **state)
{
    static const struct {
        enum rnic_arm arm;
        enum sn_status status;
        bool is_solicited;
        uint32_t calls;
    } rows[] = {
        {RNIC_ARM_ANY, SN_OK, false, 1}, {RNIC_ARM_ANY, SN_CANCELLED, false, 1},
        {RNIC_ARM_SOLICITED, SN_OK, false, 0}, {RNIC_ARM_SOLICITED, SN_OK, true, 1},
        {RNIC_ARM_SOLICITED, SN_CANCELLED, false, 1}, /* [VRB-050] */
        {RNIC_ARM_ERRORS, SN_OK, true, 0},
        {RNIC_ARM_ERRORS, SN_CANCELLED, false, 0}, /* trouble of the CQ itself only */
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(rows) * 2; i++) {
        bool is_armed_first = i % 2 == 0;
        struct fixture f;
        struct listener l = {0};
        struct rnic_cq *cq;

        fixture_open(&f, 1);
        cq = make_cq(&f, 4, &l);
        if (is_armed_first)
            rnic_cq_arm(cq, rows[i / 2].arm);
        push_n(&f, cq, 1, 1, rows[i / 2].status, rows[i / 2].is_solicited);
        if (!is_armed_first)
            rnic_cq_arm(cq, rows[i / 2].arm);
        if (rows[i / 2].calls > 0)
            await_count(&l.calls, rows[i / 2].calls);
        nap_ms(5);
        assert_int_equal(sn_a32_load_acquire(&l.calls), rows[i / 2].calls);
        push_n(&f, cq, 2, 1, SN_OK, true); /* one call per arm */
        nap_ms(5);
        if (rows[i / 2].calls > 0)
            assert_int_equal(sn_a32_load_acquire(&l.calls), rows[i / 2].calls);
        close_any(rnic_cq_obj(cq));
        fixture_close(&f);
    }
}

/* The wider arm wins, in either order. */
static void arms_merge(void **state)
{
    static const enum rnic_arm merged[3][3] = {
        /* then:   ERRORS,              SOLICITED,           ANY */
        {RNIC_ARM_ERRORS, RNIC_ARM_SOLICITED, RNIC_ARM_ANY},
        {RNIC_ARM_SOLICITED, RNIC_ARM_SOLICITED, RNIC_ARM_ANY},
        {RNIC_ARM_ANY, RNIC_ARM_ANY, RNIC_ARM_ANY},
    };

    (void)state;
    for (int a = 0; a < 3; a++) {
        for (int b = 0; b < 3; b++) {
            struct fixture f;
            struct listener l = {0};
            struct rnic_cq *cq;

            fixture_open(&f, 1);
            cq = make_cq(&f, 4, &l);
            rnic_cq_arm(cq, (enum rnic_arm)(RNIC_ARM_ERRORS + a));
            rnic_cq_arm(cq, (enum rnic_arm)(RNIC_ARM_ERRORS + b));
            push_n(&f, cq, 1, 1, SN_OK, false);
            if (merged[a][b] == RNIC_ARM_ANY)
                await_count(&l.calls, 1);
            nap_ms(5);
            assert_int_equal(sn_a32_load_acquire(&l.calls), merged[a][b] == RNIC_ARM_ANY);
            push_n(&f, cq, 2, 1, SN_OK, true);
            if (merged[a][b] != RNIC_ARM_ERRORS)
                await_count(&l.calls, 1);
            nap_ms(5);
            assert_int_equal(sn_a32_load_acquire(&l.calls), merged[a][b] != RNIC_ARM_ERRORS);
            close_any(rnic_cq_obj(cq));
            fixture_close(&f);
        }
    }
}

/* Entries that were there at the last call do not fire again; later ones do. */
static void old_entries_do_not_fire_again(void **state)
{
    struct fixture f;
    struct listener l = {0};
    struct rnic_cq *cq;

    (void)state;
    fixture_open(&f, 1);
    cq = make_cq(&f, 8, &l);
    rnic_cq_arm(cq, RNIC_ARM_ANY);
    push_n(&f, cq, 1, 2, SN_OK, false);
    await_count(&l.calls, 1);
    expect_n(cq, 1, 2);
    rnic_cq_arm(cq, RNIC_ARM_ANY); /* empty: nothing to fire for */
    nap_ms(5);
    assert_int_equal(sn_a32_load_acquire(&l.calls), 1);
    push_n(&f, cq, 3, 1, SN_OK, false);
    await_count(&l.calls, 2);
    close_any(rnic_cq_obj(cq));
    fixture_close(&f);
}

static void rearm_inside_the_callback(void **state)
{
    struct fixture f;
    struct listener l = {0};
    struct rnic_cq *cq;

    (void)state;
    fixture_open(&f, 1);
    cq = make_cq(&f, 64, &l);
    l.rearm = cq;
    sn_a32_store_release(&l.rearms_left, 50);
    rnic_cq_arm(cq, RNIC_ARM_ANY);
    for (uint32_t i = 0; i < 51; i++) {
        push_n(&f, cq, 1 + i, 1, SN_OK, false);
        await_count(&l.calls, i + 1);
    }
    assert_int_equal(sn_a32_load_acquire(&l.calls), 51);
    nap_ms(5);
    close_any(rnic_cq_obj(cq));
    fixture_close(&f);
}

static void overrun_kills_the_cq(void **state) /* [VRB-051] */
{
    struct fixture f;
    struct listener l = {0};
    struct rnic_cq *cq;

    (void)state;
    fixture_open(&f, 1);
    cq = make_cq(&f, 3, &l);
    push_n(&f, cq, 1, 4, SN_OK, false);
    assert_true(rnic_cq_is_dead(cq));
    rnic_cq_arm(cq, RNIC_ARM_ERRORS); /* it was not armed: told at the next arm */
    await_count(&l.calls, 1);
    assert_int_equal(sn_a32_load_acquire(&l.last_status), SN_CQ_OVERRUN);
    expect_n(cq, 1, 3); /* what was there can still be fetched */
    push_n(&f, cq, 9, 1, SN_OK, false);
    assert_int_equal(rnic_cq_poll(cq, &(struct rnic_cqe){0}, 1), 0);
    rnic_cq_arm(cq, RNIC_ARM_ANY);
    await_count(&l.calls, 2);
    nap_ms(5);
    assert_int_equal(sn_a64_load_acquire(&f.adapter->counters.cq_errors), 1);
    close_any(rnic_cq_obj(cq));
    fixture_close(&f);
}

static void resize_keeps_order_and_entries(void **state)
{
    struct fixture f;
    struct listener l = {0};
    struct rnic_cq *cq;

    (void)state;
    fixture_open(&f, 2);
    cq = make_cq(&f, 10, &l);
    push_n(&f, cq, 1, 10, SN_OK, false);
    assert_int_equal(rnic_cq_resize(cq, 9), SN_MSG_TOO_LONG);
    assert_int_equal(rnic_cq_resize(cq, 50), SN_OK);
    push_n(&f, cq, 11, 40, SN_OK, false);
    assert_false(rnic_cq_is_dead(cq));
    assert_int_equal(rnic_cq_resize(cq, 49), SN_MSG_TOO_LONG); /* both rings count */
    rnic_cq_arm(cq, RNIC_ARM_ANY); /* entries of the old ring count as new */
    await_count(&l.calls, 1);
    expect_n(cq, 1, 25);
    assert_int_equal(rnic_cq_resize(cq, 200), SN_OK);
    push_n(&f, cq, 51, 100, SN_OK, false);
    expect_n(cq, 26, 125);
    assert_int_equal(rnic_cq_poll(cq, &(struct rnic_cqe){0}, 1), 0);
    assert_int_equal(rnic_cq_resize(cq, 2), SN_OK);
    push_n(&f, cq, 1, 2, SN_OK, false);
    expect_n(cq, 1, 2);
    push_n(&f, cq, 1, 3, SN_OK, false);
    assert_true(rnic_cq_is_dead(cq));
    nap_ms(5);
    close_any(rnic_cq_obj(cq));
    fixture_close(&f);
}

static void moderation_gathers(void **state)
{
    struct fixture f;
    struct listener l = {0};
    struct rnic_cq *cq;

    (void)state;
    fixture_open(&f, 1);
    cq = make_cq(&f, 64, &l);
    assert_int_equal(rnic_cq_moderate(cq, UINT32_MAX, 4), SN_OK); /* the count alone decides */
    rnic_cq_arm(cq, RNIC_ARM_ANY);
    push_n(&f, cq, 1, 3, SN_OK, false);
    nap_ms(20);
    assert_int_equal(sn_a32_load_acquire(&l.calls), 0);
    push_n(&f, cq, 4, 1, SN_OK, false);
    await_count(&l.calls, 1);
    assert_int_equal(rnic_cq_moderate(cq, 2000, UINT32_MAX), SN_OK); /* the interval alone */
    expect_n(cq, 1, 4);
    rnic_cq_arm(cq, RNIC_ARM_ANY);
    push_n(&f, cq, 5, 1, SN_OK, false);
    await_count(&l.calls, 2);
    nap_ms(5);
    close_any(rnic_cq_obj(cq));
    fixture_close(&f);
}

enum { PRODUCERS = 3, PER_PRODUCER = 20000 };
struct producer {
    struct fixture *f;
    struct rnic_cq *cq;
    uint32_t lane;
    struct sn_a32 *budget; /* entries that are on their way */
    uint32_t ahead;        /* so many may be, before this one waits */
};

static void produce_all(const struct producer *p, bool is_solicited)
{
    struct rnic_lane *l = p->f->adapter->lanes[p->lane];

    for (uintptr_t i = 0; i < PER_PRODUCER; i++) {
        const struct rnic_cqe e = {.qp_context = (void *)(uintptr_t)p, .context = (void *)i};

        while (sn_a32_load_acquire(p->budget) > p->ahead)
            nap_ms(0);
        sn_a32_fetch_add(p->budget, 1);
        enter(l);
        rnic_cq_push(p->cq, l, &e, is_solicited);
        rnic_lane_leave(l);
    }
}

static void *produce(void *arg)
{
    produce_all(arg, false);
    return NULL;
}

static void *produce_solicited(void *arg)
{
    produce_all(arg, true);
    return NULL;
}

/* Several lanes push while the consumer polls and resizes: nothing is lost, doubled or out of
 * order. */
static void many_producers(void **state)
{
    struct fixture f;
    struct listener l = {0};
    struct rnic_cq *cq;
    struct producer p[PRODUCERS];
    pthread_t thread[PRODUCERS];
    uintptr_t next[PRODUCERS] = {0};
    struct sn_a32 budget = {0};
    uint32_t total = 0;

    (void)state;
    fixture_open(&f, PRODUCERS);
    cq = make_cq(&f, 512, &l);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        p[i] = (struct producer){&f, cq, i, &budget, 400};
        assert_int_equal(pthread_create(&thread[i], NULL, produce, &p[i]), 0);
    }
    while (total < PRODUCERS * PER_PRODUCER) {
        struct rnic_cqe e[16];
        uint32_t n = rnic_cq_poll(cq, e, 16);

        for (uint32_t i = 0; i < n; i++) {
            size_t who = (size_t)((struct producer *)e[i].qp_context - p);

            assert_true(who < PRODUCERS);
            assert_ptr_equal(e[i].context, (void *)next[who]);
            next[who]++;
        }
        total += n;
        sn_a32_fetch_sub(&budget, n);
        if (n > 0 && total % 997 < 16)
            assert_int_equal(rnic_cq_resize(cq, 512 + total % 3), SN_OK);
    }
    for (uint32_t i = 0; i < PRODUCERS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(rnic_cq_poll(cq, &(struct rnic_cqe){0}, 1), 0);
    assert_false(rnic_cq_is_dead(cq));
    close_any(rnic_cq_obj(cq));
    fixture_close(&f);
}

/* Poll until empty, arm, sleep: with a producer at full speed no wake-up is lost. [VRB-049] */
static void no_lost_wakeup(void **state)
{
    struct fixture f;
    struct listener l = {0};
    struct rnic_cq *cq;
    struct producer p;
    pthread_t thread;
    struct sn_a32 budget = {0};
    uint32_t total = 0;

    (void)state;
    fixture_open(&f, 2);
    cq = make_cq(&f, 512, &l);
    p = (struct producer){&f, cq, 1, &budget, 400};
    assert_int_equal(pthread_create(&thread, NULL, produce, &p), 0);
    while (total < PER_PRODUCER) {
        struct rnic_cqe e[16];
        uint32_t n, calls = sn_a32_load_acquire(&l.calls);

        while ((n = rnic_cq_poll(cq, e, 16)) > 0) {
            total += n;
            sn_a32_fetch_sub(&budget, n);
        }
        if (total == PER_PRODUCER)
            break;
        rnic_cq_arm(cq, RNIC_ARM_ANY);
        for (int i = 0; i < 100000 && sn_a32_load_acquire(&l.calls) == calls; i++)
            nap_ms(0);
        assert_true(sn_a32_load_acquire(&l.calls) > calls);
    }
    pthread_join(thread, NULL);
    nap_ms(5);
    close_any(rnic_cq_obj(cq));
    fixture_close(&f);
}

struct holder {
    struct rnic_lane *lane;
    struct sn_a32 is_inside, may_leave;
};

/* Stays inside a lane, so that who waits for quiescence waits. */
static void *hold_lane(void *arg)
{
    struct holder *h = arg;

    enter(h->lane);
    sn_a32_store_release(&h->is_inside, 1);
    while (sn_a32_load_acquire(&h->may_leave) == 0)
        nap_ms(0);
    rnic_lane_leave(h->lane);
    return NULL;
}

static void *resize_to_64(void *cq)
{
    return rnic_cq_resize(cq, 64) == SN_OK ? NULL : cq;
}

/* What comes while a resize waits for the lanes can be fetched when it is over, and is told then at
 * the latest: the consumer may have looked in vain before. [VRB-049] */
static void entries_of_a_resize_are_told(void **state)
{
    struct fixture f;
    struct listener l = {0};
    struct holder h = {0};
    pthread_t holding, resizing;
    struct rnic_cq *cq;
    struct rnic_cqe e;
    uint32_t calls;
    void *failed;

    (void)state;
    fixture_open(&f, 2);
    cq = make_cq(&f, 8, &l);
    h.lane = f.adapter->lanes[1];
    assert_int_equal(pthread_create(&holding, NULL, hold_lane, &h), 0);
    await_count(&h.is_inside, 1);
    assert_int_equal(pthread_create(&resizing, NULL, resize_to_64, cq), 0);
    /* Until it waits for the lane: what comes then lies where it cannot be fetched yet. */
    for (push_n(&f, cq, 1, 1, SN_OK, false); rnic_cq_poll(cq, &e, 1) > 0; nap_ms(1))
        push_n(&f, cq, 1, 1, SN_OK, false);
    rnic_cq_arm(cq, RNIC_ARM_ANY);
    nap_ms(5);
    while (rnic_cq_poll(cq, &e, 1) > 0)
        ;
    rnic_cq_arm(cq, RNIC_ARM_ANY);
    nap_ms(5);
    calls = sn_a32_load_acquire(&l.calls);
    sn_a32_store_release(&h.may_leave, 1);
    pthread_join(holding, NULL);
    pthread_join(resizing, &failed);
    assert_null(failed);
    await_count(&l.calls, calls + 1);
    expect_n(cq, 1, 1);
    nap_ms(5);
    close_any(rnic_cq_obj(cq));
    fixture_close(&f);
}

struct resizer {
    struct rnic_cq *cq;
    struct sn_a32 may_stop;
};

/* Few entries are queued at any time, so each resize succeeds, however the consumer races with it.
 */
static void *resize_often(void *arg)
{
    struct resizer *r = arg;

    for (uint32_t i = 0; sn_a32_load_acquire(&r->may_stop) == 0; i++) {
        if (rnic_cq_resize(r->cq, 512 + i % 3) != SN_OK)
            return r;
        nap_ms(0);
    }
    return NULL;
}

/* Producers on several lanes, of which one may be stopped between reserving its place and filling
 * it: whatever the others told meanwhile, its entry and those behind it are told as well. Somebody
 * resizes all the time. */
static void no_lost_wakeup_between_lanes(void **state)
{
    const uint32_t all = 3 * PER_PRODUCER;
    struct fixture f;
    struct listener l = {0};
    struct rnic_cq *cq;
    struct producer p[PRODUCERS];
    pthread_t thread[PRODUCERS], resizing;
    struct sn_a32 budget = {0};
    struct resizer r = {0};
    uint32_t total = 0;
    void *failed;

    (void)state;
    fixture_open(&f, PRODUCERS);
    cq = r.cq = make_cq(&f, 512, &l);
    assert_int_equal(pthread_create(&resizing, NULL, resize_often, &r), 0);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        p[i] = (struct producer){&f, cq, i, &budget, 1}; /* soon all wait for the consumer */
        assert_int_equal(pthread_create(&thread[i], NULL, produce_solicited, &p[i]), 0);
    }
    for (uint32_t round = 0; total < all; round++) {
        struct rnic_cqe e[16];
        uint32_t n, calls = sn_a32_load_acquire(&l.calls);

        while ((n = rnic_cq_poll(cq, e, 16)) > 0) {
            total += n;
            sn_a32_fetch_sub(&budget, n);
        }
        if (total == all)
            break;
        rnic_cq_arm(cq, round % 2 == 0 ? RNIC_ARM_ANY : RNIC_ARM_SOLICITED);
        for (int i = 0; i < 100000 && sn_a32_load_acquire(&l.calls) == calls; i++)
            nap_ms(0);
        assert_true(sn_a32_load_acquire(&l.calls) > calls);
    }
    for (uint32_t i = 0; i < PRODUCERS; i++)
        pthread_join(thread[i], NULL);
    sn_a32_store_release(&r.may_stop, 1);
    pthread_join(resizing, &failed);
    assert_null(failed);
    nap_ms(5);
    close_any(rnic_cq_obj(cq));
    fixture_close(&f);
}

/* A consumer that makes room for each new connection, and polls only when it is called, does not
 * pile up rings that nothing ever came into. */
static void resizes_without_entries_pile_up_nothing(void **state)
{
    struct fixture f;
    struct listener l = {0};
    struct rnic_cq *cq;
    size_t live;

    (void)state;
    fixture_open(&f, 1);
    cq = make_cq(&f, 8, &l);
    push_n(&f, cq, 1, 3, SN_OK, false);
    assert_int_equal(rnic_cq_resize(cq, 16), SN_OK);
    push_n(&f, cq, 4, 2, SN_OK, false);
    live = sn_alloc_live_count();
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(rnic_cq_resize(cq, 17 + i), SN_OK);
    assert_int_equal(sn_alloc_live_count(), live + 1);
    push_n(&f, cq, 6, 100, SN_OK, false);
    expect_n(cq, 1, 105);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(rnic_cq_resize(cq, 8 + i), SN_OK);
        if (i % 10 == 9)
            push_n(&f, cq, 200 + i, 1, SN_OK, false);
    }
    for (uint32_t i = 9; i < 100; i += 10)
        expect_n(cq, 200 + i, 1);
    close_any(rnic_cq_obj(cq));
    fixture_close(&f);
}

/* A count that the queue cannot reach is no limit: with the interval it may not be the second. */
static void moderation_by_a_count_beyond_the_depth(void **state)
{
    struct fixture f;
    struct listener l = {0};
    struct rnic_cq *cq;

    (void)state;
    fixture_open(&f, 1);
    cq = make_cq(&f, 8, &l);
    assert_int_equal(rnic_cq_moderate(cq, UINT32_MAX, 9), SN_INVALID);
    assert_int_equal(rnic_cq_moderate(cq, 1000, 9), SN_OK);
    assert_int_equal(rnic_cq_moderate(cq, UINT32_MAX, 8), SN_OK);
    rnic_cq_arm(cq, RNIC_ARM_ANY);
    push_n(&f, cq, 1, 8, SN_OK, false);
    await_count(&l.calls, 1);
    expect_n(cq, 1, 8);
    assert_int_equal(rnic_cq_resize(cq, 4), SN_OK); /* below what was agreed: nothing waits */
    rnic_cq_arm(cq, RNIC_ARM_ANY);
    push_n(&f, cq, 9, 1, SN_OK, false);
    await_count(&l.calls, 2);
    nap_ms(5);
    close_any(rnic_cq_obj(cq));
    fixture_close(&f);
}

/* A notification that waits by the old numbers is not forgotten when there are new ones. */
static void moderation_ends_what_it_began(void **state)
{
    static const uint32_t next[][2] = {{0, 0}, {UINT32_MAX, 2}, {50, UINT32_MAX}};

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(next); i++) {
        struct fixture f;
        struct listener l = {0};
        struct rnic_cq *cq;

        fixture_open(&f, 1);
        cq = make_cq(&f, 64, &l);
        assert_int_equal(rnic_cq_moderate(cq, UINT32_MAX, 10), SN_OK);
        rnic_cq_arm(cq, RNIC_ARM_ANY);
        push_n(&f, cq, 1, 3, SN_OK, false);
        assert_int_equal(sn_a32_load_acquire(&l.calls), 0);
        assert_int_equal(rnic_cq_moderate(cq, next[i][0], next[i][1]), SN_OK);
        await_count(&l.calls, 1);
        nap_ms(5);
        close_any(rnic_cq_obj(cq));
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(entries_come_out_in_order),
        cmocka_unit_test(arm_types),
        cmocka_unit_test(arms_merge),
        cmocka_unit_test(old_entries_do_not_fire_again),
        cmocka_unit_test(rearm_inside_the_callback),
        cmocka_unit_test(overrun_kills_the_cq),
        cmocka_unit_test(resize_keeps_order_and_entries),
        cmocka_unit_test(resizes_without_entries_pile_up_nothing),
        cmocka_unit_test(moderation_gathers),
        cmocka_unit_test(moderation_by_a_count_beyond_the_depth),
        cmocka_unit_test(moderation_ends_what_it_began),
        cmocka_unit_test(many_producers),
        cmocka_unit_test(no_lost_wakeup),
        cmocka_unit_test(entries_of_a_resize_are_told),
        cmocka_unit_test(no_lost_wakeup_between_lanes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
