/* SPDX-License-Identifier: MIT */
#include "each_failure.h"

/* The queue pair is not connected: what is not refused by the layer is refused below, with
 * STATUS_CONNECTION_INVALID. Connected ones: tests/chaos. */
static NTSTATUS call_send(struct bench *b)
{
    return b->qp->Dispatch->NdkSend(b->qp, NULL, NULL, 0, 0);
}

static NTSTATUS call_send_inv(struct bench *b)
{
    return b->qp->Dispatch->NdkSendAndInvalidate(b->qp, NULL, NULL, 0, 0, 7);
}

static NTSTATUS call_receive(struct bench *b)
{
    return b->qp->Dispatch->NdkReceive(b->qp, NULL, NULL, 0);
}

static NTSTATUS call_read(struct bench *b)
{
    return b->qp->Dispatch->NdkRead(b->qp, NULL, NULL, 0, 0, 7, 0);
}

static NTSTATUS call_write(struct bench *b)
{
    return b->qp->Dispatch->NdkWrite(b->qp, NULL, NULL, 0, 0, 7, 0);
}

static NTSTATUS call_bind(struct bench *b)
{
    struct told t = {0};
    NDK_MR *mr = create_mr(b->pd, FALSE);
    NDK_MW *mw = NULL;
    NTSTATUS status = b->pd->Dispatch->NdkCreateMw(b->pd, on_created, &t, &mw);

    mw = created(&t, status, mw);
    status = b->qp->Dispatch->NdkBind(b->qp, NULL, mr, mw, NULL, 0, 0);
    close_object(mw);
    close_object(mr);
    return status;
}

static NTSTATUS call_fast_register(struct bench *b)
{
    NDK_LOGICAL_ADDRESS page = {0};
    NDK_MR *mr = create_mr(b->pd, TRUE);
    NTSTATUS status = b->qp->Dispatch->NdkFastRegister(b->qp, NULL, mr, 1, &page, 0, 100, NULL, 0);

    close_object(mr);
    return status;
}

static NTSTATUS call_invalidate(struct bench *b)
{
    NDK_MR *mr = create_mr(b->pd, TRUE);
    NTSTATUS status = b->qp->Dispatch->NdkInvalidate(b->qp, NULL, &mr->Header, 0);

    close_object(mr);
    return status;
}

static void each_failure_of_each_entry(void **state)
{
    (void)state;
    each_failure(CHAOS_SEND, call_send, 1, STATUS_CONNECTION_INVALID);
    each_failure(CHAOS_SEND_AND_INVALIDATE, call_send_inv, 1, STATUS_CONNECTION_INVALID);
    each_failure(CHAOS_RECEIVE, call_receive, 1, STATUS_SUCCESS);
    each_failure(CHAOS_READ, call_read, 1, STATUS_CONNECTION_INVALID);
    each_failure(CHAOS_WRITE, call_write, 1, STATUS_CONNECTION_INVALID);
    each_failure(CHAOS_BIND, call_bind, 1, STATUS_CONNECTION_INVALID);
    each_failure(CHAOS_FAST_REGISTER, call_fast_register, 1, STATUS_CONNECTION_INVALID);
    each_failure(CHAOS_INVALIDATE, call_invalidate, 1, STATUS_CONNECTION_INVALID);
}

/* A receive that was refused completes never; the others do. */
static void what_is_refused_does_not_complete(void **state)
{
    struct bench b = bench_open("hostile:6", "NdkReceive:every=2:status=INSUFFICIENT_RESOURCES");
    uintptr_t expected = 0;
    NDK_RESULT result;

    (void)state;
    for (uintptr_t i = 1; i <= 8; i++)
        assert_int_equal(b.qp->Dispatch->NdkReceive(b.qp, (PVOID)i, NULL, 0),
            i % 2 == 0 ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS);
    close_object(b.qp);
    while (b.cq->Dispatch->NdkGetCqResults(b.cq, &result, 1) == 1) {
        assert_int_equal((uintptr_t)result.RequestContext, 2 * expected + 1);
        expected++;
    }
    assert_int_equal(expected, 4);
    b.qp = create_qp(b.pd, b.cq, 8);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failure_of_each_entry),
        cmocka_unit_test(what_is_refused_does_not_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
