/* SPDX-License-Identifier: MIT */
#include "fixture.h"

/* A queue pair whose receives complete at once: it is flushed. */
static NDK_QP *flushed_qp(NDK_PD *pd, NDK_CQ *cq, ULONG depth)
{
    NDK_QP *qp = create_qp(pd, cq, depth);

    qp->Dispatch->NdkFlush(qp);
    return qp;
}

/* [NDKPI NDK_FN_CQ_NOTIFICATION_CALLBACK] The overrun is told by the notification, at the next arm
 * if none is there; nothing completes any more. */
static void a_queue_overruns_on_request(void **state)
{
    for (unsigned armed = 0; armed < 2; armed++) {
        struct world w = world_open(NULL, "cq-overrun:nth=2");
        struct told notified = {0};
        NDK_PD *pd = create_pd(&w);
        NDK_CQ *cq = create_cq(&w, 8, on_completed, &notified);
        NDK_QP *qp = flushed_qp(pd, cq, 8);
        NDK_RESULT result[4];

        (void)state;
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(qp->Dispatch->NdkReceive(qp, NULL, NULL, 0), STATUS_SUCCESS);
            if (i == 1 && armed)
                cq->Dispatch->NdkArmCq(cq, NDK_CQ_NOTIFY_ERRORS);
            while (cq->Dispatch->NdkGetCqResults(cq, result, 4) == 0)
                nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
        }
        if (!armed)
            cq->Dispatch->NdkArmCq(cq, NDK_CQ_NOTIFY_ERRORS);
        wait_told(&notified, 1);
        assert_int_equal(notified.status, STATUS_BUFFER_OVERFLOW);
        (void)qp->Dispatch->NdkReceive(qp, NULL, NULL, 0);
        close_object(qp);
        assert_int_equal(cq->Dispatch->NdkGetCqResults(cq, result, 4), 0);
        close_object(cq);
        close_object(pd);
        world_close(&w);
    }
}

/* Without a connection there is none to lose. */
static void an_unconnected_queue_pair_loses_nothing(void **state)
{
    struct world w = world_open(NULL, "disconnect:after=1");
    NDK_PD *pd = create_pd(&w);
    NDK_CQ *cq = create_cq(&w, 8, on_completed, NULL);
    NDK_QP *qp = create_qp(pd, cq, 8);
    NDK_RESULT result;

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(qp->Dispatch->NdkReceive(qp, NULL, NULL, 0), STATUS_SUCCESS);
    assert_int_equal(sn_a32_load_acquire(&chaos_of(qp)->posted), 4);
    assert_int_equal(cq->Dispatch->NdkGetCqResults(cq, &result, 1), 0);
    close_object(qp);
    assert_int_equal(cq->Dispatch->NdkGetCqResults(cq, &result, 1), 1);
    assert_int_equal(result.Status, STATUS_CANCELLED);
    close_object(cq);
    close_object(pd);
    world_close(&w);
}

/* Only what was posted counts. */
static void refused_requests_do_not_count(void **state)
{
    struct world w = world_open(NULL, "disconnect:after=100");
    NDK_PD *pd = create_pd(&w);
    NDK_CQ *cq = create_cq(&w, 8, on_completed, NULL);
    NDK_QP *qp = create_qp(pd, cq, 8);

    (void)state;
    assert_int_equal(qp->Dispatch->NdkSend(qp, NULL, NULL, 0, 0), STATUS_CONNECTION_INVALID);
    assert_int_equal(sn_a32_load_acquire(&chaos_of(qp)->posted), 0);
    close_object(qp);
    close_object(cq);
    close_object(pd);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_overruns_on_request),
        cmocka_unit_test(an_unconnected_queue_pair_loses_nothing),
        cmocka_unit_test(refused_requests_do_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
