/* SPDX-License-Identifier: MIT */
#include "fixture.h"

/* ---- notifications ---- */

/* Counts, and sees itself running twice at a time. */
struct watched {
    struct sn_a32 calls, running, overlaps;
    NDK_CQ *cq;
    unsigned arms_left; /* how often it arms again */
};

static VOID on_notified(PVOID context, NTSTATUS status)
{
    struct watched *x = context;

    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    if (sn_a32_fetch_add(&x->running, 1) != 0)
        sn_a32_fetch_add(&x->overlaps, 1);
    sn_a32_fetch_add(&x->calls, 1);
    if (x->arms_left > 0) {
        x->arms_left--;
        x->cq->Dispatch->NdkArmCq(x->cq, NDK_CQ_NOTIFY_ANY);
    }
    sn_a32_fetch_sub(&x->running, 1);
}

/* [NDKPI NDK_FN_ARM_CQ] One arm, one notification; they never overlap, though they are put off. */
static void one_arm_gives_one_notification(void **state)
{
    enum { ROUNDS = 30 };
    static const char *const schedules[] = {"pend", "inline", "hostile:1", "hostile:2"};

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(schedules); i++) {
        struct world w = world_open(schedules[i], NULL);
        NDK_PD *pd = create_pd(&w);
        struct watched x = {.arms_left = 0};
        NDK_QP *qp[ROUNDS];

        x.cq = create_cq(&w, 2 * ROUNDS, on_notified, &x);
        for (unsigned n = 0; n < ROUNDS; n++) {
            NDK_RESULT result;

            qp[n] = create_qp(pd, x.cq, 2);
            x.cq->Dispatch->NdkArmCq(x.cq, NDK_CQ_NOTIFY_ANY);
            assert_int_equal(qp[n]->Dispatch->NdkReceive(qp[n], NULL, NULL, 0), STATUS_SUCCESS);
            qp[n]->Dispatch->NdkFlush(qp[n]);
            for (unsigned ms = 0; ms < 60000 && sn_a32_load_acquire(&x.calls) <= n; ms++)
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
            assert_int_equal(sn_a32_load_acquire(&x.calls), n + 1);
            assert_int_equal(x.cq->Dispatch->NdkGetCqResults(x.cq, &result, 1), 1);
            assert_int_equal(result.Status, STATUS_CANCELLED);
        }
        for (unsigned n = 0; n < ROUNDS; n++)
            close_object(qp[n]);
        close_object(x.cq);
        assert_int_equal(sn_a32_load_acquire(&x.calls), ROUNDS);
        assert_int_equal(sn_a32_load_acquire(&x.overlaps), 0);
        close_object(pd);
        world_close(&w);
    }
}

/* Armed again inside its own routine while completions keep coming. */
static void a_routine_that_arms_again_does_not_overlap(void **state)
{
    enum { POSTS = 60 };

    (void)state;
    for (unsigned seed = 1; seed <= 4; seed++) {
        char schedule[20];
        struct world w;
        struct watched x = {.arms_left = POSTS};
        NDK_PD *pd;
        NDK_QP *qp;

        snprintf(schedule, sizeof schedule, "hostile:%u", seed);
        w = world_open(schedule, NULL);
        pd = create_pd(&w);
        x.cq = create_cq(&w, POSTS, on_notified, &x);
        qp = create_qp(pd, x.cq, POSTS);
        qp->Dispatch->NdkFlush(qp); /* what is posted from here on completes at once */
        x.cq->Dispatch->NdkArmCq(x.cq, NDK_CQ_NOTIFY_ANY);
        for (unsigned n = 0; n < POSTS; n++)
            assert_int_equal(qp->Dispatch->NdkReceive(qp, NULL, NULL, 0), STATUS_SUCCESS);
        for (unsigned ms = 0; ms < 60000 && sn_a32_load_acquire(&x.calls) == 0; ms++)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        close_object(qp);
        close_object(x.cq);
        assert_in_range(sn_a32_load_acquire(&x.calls), 1, POSTS + 1);
        assert_int_equal(sn_a32_load_acquire(&x.overlaps), 0);
        close_object(pd);
        world_close(&w);
    }
}

/* [NDKPI NDK_FN_MODIFY_SRQ] A threshold that is not reached notifies, once. */
static void a_pool_notifies_once(void **state)
{
    static const char *const schedules[] = {"pend", "hostile:1", "hostile:2", "hostile:3"};

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(schedules); i++) {
        struct world w = world_open(schedules[i], NULL);
        NDK_PD *pd = create_pd(&w);
        struct told notified = {0}, t = {0}, modified = {0};
        NDK_SRQ *srq = NULL;
        NTSTATUS status = pd->Dispatch->NdkCreateSrq(
            pd, 8, 1, 0, on_completed, &notified, NULL, on_created, &t, &srq);

        srq = created(&t, status, srq);
        status = srq->Dispatch->NdkModifySrq(srq, 0, 3, on_completed, &modified);
        assert_int_equal(finished(&modified, status), STATUS_SUCCESS);
        wait_told(&notified, 1);
        assert_int_equal(notified.status, STATUS_SUCCESS);
        close_object(srq);
        assert_int_equal(told_count(&notified), 1);
        close_object(pd);
        world_close(&w);
    }
}

/* ---- events ---- */

static VOID on_event(PVOID context)
{
    tell(context, STATUS_SUCCESS, NULL);
}

/* A routine of a call that failed is given anew; one that waits is not. */
static void routines_of_failed_calls_are_used_again(void **state)
{
    struct world w = world_open("pend", NULL);
    NDK_PD *pd = create_pd(&w);
    struct chaos_obj *c = chaos_of(pd);
    struct told t = {0};
    struct chaos_routine *first = chaos_event_begin(c, (void (*)(void))on_event, &t), *second;

    (void)state;
    assert_int_equal(chaos_event_end(first, STATUS_PENDING), STATUS_PENDING);
    second = chaos_event_begin(c, (void (*)(void))on_event, &t);
    assert_ptr_not_equal(first, second);
    assert_int_equal(chaos_event_end(second, STATUS_CONNECTION_INVALID), STATUS_CONNECTION_INVALID);
    assert_ptr_equal(chaos_event_begin(c, (void (*)(void))on_event, &t), second);
    assert_int_equal(chaos_event_end(second, STATUS_SUCCESS), STATUS_SUCCESS);
    chaos_on_disconnect(first);
    wait_told(&t, 1);
    assert_int_equal(t.irql, DISPATCH_LEVEL);
    close_object(pd);
    world_close(&w);
}

/* Callbacks of one object keep their order, whatever each one's delay. */
static VOID on_event_ex(PVOID context, ULONG reason)
{
    struct told *t = context;

    assert_int_equal(reason, told_count(t));
    tell(t, STATUS_SUCCESS, NULL);
}

static void callbacks_of_one_object_keep_their_order(void **state)
{
    enum { EVENTS = 100 };

    (void)state;
    for (unsigned seed = 1; seed <= 3; seed++) {
        char schedule[20];
        struct world w;
        struct told t = {0};
        struct chaos_routine *r;
        NDK_PD *pd;

        snprintf(schedule, sizeof schedule, "hostile:%u", seed);
        w = world_open(schedule, NULL);
        pd = create_pd(&w);
        r = chaos_event_begin(chaos_of(pd), (void (*)(void))on_event_ex, &t);
        for (ULONG n = 0; n < EVENTS; n++)
            chaos_on_disconnect_ex(r, n);
        close_object(pd); /* waits for all of them */
        assert_int_equal(told_count(&t), EVENTS);
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_arm_gives_one_notification),
        cmocka_unit_test(a_routine_that_arms_again_does_not_overlap),
        cmocka_unit_test(a_pool_notifies_once),
        cmocka_unit_test(routines_of_failed_calls_are_used_again),
        cmocka_unit_test(callbacks_of_one_object_keep_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
