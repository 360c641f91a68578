/* SPDX-License-Identifier: MIT */
#include "each_failure.h"

static NTSTATUS call_resize(struct bench *b)
{
    struct told t = {0};

    return finished(&t, b->cq->Dispatch->NdkResizeCq(b->cq, 20, on_completed, &t));
}

static NTSTATUS call_moderate(struct bench *b)
{
    return b->cq->Dispatch->NdkControlCqInterruptModeration(b->cq, 20, 4);
}

static NDK_SRQ *create_srq(struct bench *b)
{
    struct told t = {0};
    NDK_SRQ *srq = NULL;
    NTSTATUS status = b->pd->Dispatch->NdkCreateSrq(
        b->pd, 4, 1, 0, on_completed, NULL, NULL, on_created, &t, &srq);

    return created(&t, status, srq);
}

static NTSTATUS call_modify(struct bench *b)
{
    NDK_SRQ *srq = create_srq(b);
    struct told t = {0};
    NTSTATUS status = finished(&t, srq->Dispatch->NdkModifySrq(srq, 8, 0, on_completed, &t));

    close_object(srq);
    return status;
}

static NTSTATUS call_receive(struct bench *b)
{
    NDK_SRQ *srq = create_srq(b);
    NTSTATUS status = srq->Dispatch->NdkSrqReceive(srq, NULL, NULL, 0);

    close_object(srq);
    return status;
}

static void each_failure_of_each_entry(void **state)
{
    (void)state;
    each_failure(CHAOS_RESIZE_CQ, call_resize, 1, STATUS_SUCCESS);
    each_failure(CHAOS_MODERATE_CQ, call_moderate, 1, STATUS_SUCCESS);
    each_failure(CHAOS_MODIFY_SRQ, call_modify, 1, STATUS_SUCCESS);
    each_failure(CHAOS_SRQ_RECEIVE, call_receive, 1, STATUS_SUCCESS);
}

/* In pieces, in order, through both forms, nothing lost, and empty only when it is. */
static void batches_come_in_pieces(void **state)
{
    enum { POSTS = 64 };
    unsigned pieces = 0;

    (void)state;
    for (unsigned seed = 1; seed <= 3; seed++) {
        char schedule[20];
        struct world w;
        NDK_PD *pd;
        NDK_CQ *cq;
        NDK_QP *qp;
        uintptr_t next = 0;

        snprintf(schedule, sizeof schedule, "hostile:%u", seed);
        w = world_open(schedule, NULL);
        pd = create_pd(&w);
        cq = create_cq(&w, POSTS, on_completed, NULL);
        qp = create_qp(pd, cq, POSTS);
        for (uintptr_t i = 0; i < POSTS; i++)
            assert_int_equal(qp->Dispatch->NdkReceive(qp, (PVOID)i, NULL, 0), STATUS_SUCCESS);
        close_object(qp); /* everything is in the queue when that is through */
        while (next < POSTS) {
            NDK_RESULT plain[16];
            NDK_RESULT_EX ex[16];
            bool is_ex = (next & 1) != 0;
            ULONG got = is_ex ? cq->Dispatch->NdkGetCqResultsEx(cq, ex, 16)
                              : cq->Dispatch->NdkGetCqResults(cq, plain, 16);

            assert_in_range(got, 1, 16);
            for (ULONG i = 0; i < got; i++, next++)
                assert_int_equal(
                    (uintptr_t)(is_ex ? ex[i].RequestContext : plain[i].RequestContext), next);
            pieces++;
        }
        close_object(cq);
        close_object(pd);
        world_close(&w);
    }
    assert_true(pieces > 3 * POSTS / 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failure_of_each_entry),
        cmocka_unit_test(batches_come_in_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
