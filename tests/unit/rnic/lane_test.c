/* SPDX-License-Identifier: MIT */
/* Tasks: bits merge, run in a lane, and hold their object. */
#include <pthread.h>

#include "unit/rnic/fixture.h"

struct job {
    struct rnic_task task;
    struct sn_a32 runs, bits;
    struct plat_lane *lane;
};

static void run(struct rnic_task *t, uint32_t todo)
{
    struct job *j = SN_CONTAINER_OF(t, struct job, task);

    assert_ptr_equal(plat_lane_current(), j->lane);
    sn_a32_fetch_or(&j->bits, todo);
    sn_a32_fetch_add(&j->runs, 1);
}

static void bits_merge_while_the_lane_is_taken(void **state)
{
    struct fixture f;
    struct rnic_pd *pd;
    struct job j = {0};
    struct rnic_lane *l;

    (void)state;
    fixture_open(&f, 1);
    l = f.adapter->lanes[0];
    j.lane = l->lane;
    assert_int_equal(rnic_pd_create(f.adapter, &pd), SN_OK);
    rnic_task_init(&j.task, &pd->obj, run);
    enter(l);
    rnic_task_post(l, &j.task, 1);
    rnic_task_post(l, &j.task, 4);
    rnic_task_post_home(l, &j.task, 8);
    assert_int_equal(sn_a32_load_acquire(&j.runs), 0);
    assert_int_equal(sn_a32_load_acquire(&pd->obj.ref_reasons[RNIC_REF_LANE]), 1);
    rnic_lane_leave(l);
    assert_int_equal(sn_a32_load_acquire(&j.runs), 1);
    assert_int_equal(sn_a32_load_acquire(&j.bits), 13);
    rnic_task_post(l, &j.task, 2); /* free: done before it returns, or by the home thread */
    await_count(&j.runs, 2);
    nap_ms(2);
    close_any(&pd->obj);
    fixture_close(&f);
}

enum { POSTERS = 3, POSTS = 5000 };
struct poster {
    struct rnic_lane *l;
    struct job *j;
    struct sn_a32 *posted;
};

static void *post(void *arg)
{
    struct poster *p = arg;

    for (int i = 0; i < POSTS; i++) {
        rnic_task_post(p->l, &p->j->task, 1u << (i % 8));
        sn_a32_fetch_add(p->posted, 1);
    }
    return NULL;
}

/* Whatever was posted is run afterwards; nothing is lost between threads. */
static void no_post_is_lost(void **state)
{
    struct fixture f;
    struct rnic_pd *pd;
    struct job j = {0};
    struct sn_a32 posted = {0};
    struct poster p;
    pthread_t thread[POSTERS];

    (void)state;
    fixture_open(&f, 1);
    j.lane = f.adapter->lanes[0]->lane;
    assert_int_equal(rnic_pd_create(f.adapter, &pd), SN_OK);
    rnic_task_init(&j.task, &pd->obj, run);
    p = (struct poster){f.adapter->lanes[0], &j, &posted};
    for (int i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, post, &p), 0);
    for (int i = 0; i < POSTERS; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < 1000 && sn_a32_load_acquire(&j.task.todo) != 0; i++)
        nap_ms(1);
    assert_int_equal(sn_a32_load_acquire(&j.task.todo), 0);
    assert_int_equal(sn_a32_load_acquire(&j.bits), 0xff);
    assert_true(sn_a32_load_acquire(&j.runs) <= POSTERS * POSTS);
    close_any(&pd->obj);
    fixture_close(&f);
}

struct cq_job {
    struct rnic_task task;
    struct rnic_lane *l;
    struct rnic_cq *cq; /* NULL: only looks */
    bool found_one_untold;
};

static void run_cq_job(struct rnic_task *t, uint32_t todo)
{
    struct cq_job *j = SN_CONTAINER_OF(t, struct cq_job, task);
    const struct rnic_cqe e = {0};

    (void)todo;
    j->found_one_untold = j->l->touched != NULL;
    if (j->cq != NULL)
        rnic_cq_push(j->cq, j->l, &e, false);
}

static void no_notify(const struct rnic_cq_notify *n, enum sn_status status)
{
    (void)n;
    (void)status;
}

/* With the reference of a task its QP may go, and then the QP's CQ: the lane has forgotten the CQ
 * by then. */
static void a_task_leaves_no_cq_behind(void **state)
{
    struct fixture f;
    struct rnic_pd *pd;
    struct cq_job push = {0}, look = {0};

    (void)state;
    fixture_open(&f, 1);
    assert_int_equal(rnic_pd_create(f.adapter, &pd), SN_OK);
    assert_int_equal(
        rnic_cq_create(f.adapter, 4, (struct rnic_cq_notify){.call = no_notify}, &push.cq), SN_OK);
    push.l = look.l = f.adapter->lanes[0];
    rnic_task_init(&push.task, &pd->obj, run_cq_job);
    rnic_task_init(&look.task, &pd->obj, run_cq_job);
    enter(push.l);
    rnic_task_post(push.l, &push.task, 1);
    rnic_task_post(push.l, &look.task, 1);
    rnic_lane_leave(push.l);
    assert_false(look.found_one_untold);
    close_any(rnic_cq_obj(push.cq));
    close_any(&pd->obj);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_merge_while_the_lane_is_taken),
        cmocka_unit_test(no_post_is_lost),
        cmocka_unit_test(a_task_leaves_no_cq_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
