/* SPDX-License-Identifier: MIT */
/* Rows N-L1 to N-L15 and N-T1 to N-T6: life of objects, threads, IRQL. */
#include <pthread.h>
#include <unistd.h>

#include "unit/verify/cases.h"

/* What the provider looks at from inside a call is in here. */
static struct world *now;

/* ---- L1, L2 ---- */

static void use_after_close(struct world *w)
{
    NDK_CQ *cq = w->cq;

    close_any(&cq->Header);
    w->cq = NULL;
    cq->Dispatch->NdkArmCq(cq, NDK_CQ_NOTIFY_ANY);
    assert_int_equal(cq->Dispatch->NdkGetCqResults(cq, NULL, 0), 0);
}

static void use_while_closing(struct world *w)
{
    UINT32 token;

    fake.pends = true;
    close_any(&w->pd->Header);
    w->pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(w->pd, &token);
    fake_finish(STATUS_SUCCESS);
    w->pd = NULL;
}

static void name_a_closed_object(struct world *w)
{
    NDK_QP *qp = NULL;
    NDK_CQ *cq = w->cq;

    close_any(&cq->Header);
    w->cq = NULL;
    fake.status = STATUS_INVALID_PARAMETER;
    (void)w->pd->Dispatch->NdkCreateQp(w->pd, cq, cq, NULL, 1, 1, 1, 1, 0, created, NULL, &qp);
}

static void use_before_close(struct world *w)
{
    w->cq->Dispatch->NdkArmCq(w->cq, NDK_CQ_NOTIFY_ANY);
    assert_int_equal(collect(w), 0);
}

static void close_twice(struct world *w)
{
    NDK_PD *pd = w->pd;

    close_any(&pd->Header);
    w->pd = NULL;
    assert_int_equal(pd->Dispatch->NdkClosePd(&pd->Header, closed, NULL), STATUS_SUCCESS);
}

static void close_pending(struct world *w)
{
    fake.pends = true;
    assert_int_equal(w->pd->Dispatch->NdkClosePd(&w->pd->Header, closed, w), STATUS_PENDING);
    fake_finish(STATUS_SUCCESS);
    assert_int_equal(w->completions, 1);
    w->pd = NULL;
}

/* ---- L3: two threads, of which the provider holds one inside ---- */

static void *close_cq(void *arg)
{
    close_any(&((struct world *)arg)->cq->Header);
    return NULL;
}

static void in_another_thread(void *(*what)(void *))
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, what, now), 0);
    pthread_join(thread, NULL);
}

static void close_meanwhile(void)
{
    fake.pends = true; /* the close: memory stays till we are out */
    in_another_thread(close_cq);
}

static void close_while_inside(struct world *w)
{
    now = w;
    fake.inside = close_meanwhile;
    (void)collect(w);
    fake_finish(STATUS_SUCCESS);
    w->cq = NULL;
}

static VOID close_in_completion(PVOID Context, NTSTATUS Status)
{
    struct world *w = Context;

    assert_int_equal(Status, STATUS_SUCCESS);
    close_any(&w->cq->Header);
    w->cq = NULL;
}

/* Its completion may close it, although the call has not returned. */
static void close_when_told(struct world *w)
{
    fake.pends = true;
    assert_int_equal(
        w->cq->Dispatch->NdkResizeCq(w->cq, 8, close_in_completion, w), STATUS_PENDING);
    fake_finish(STATUS_SUCCESS);
}

/* ---- L5, L9 ---- */

static void leave_a_pd(struct world *w)
{
    struct verify_obj *o = verify_shadow(w->pd);

    verify_layer.closing(verify_shadow(w->adapter), w->adapter, "SoftNdkCloseAdapter");
    assert_int_equal(verify_state_of(o), VERIFY_OPEN); /* closed by world_close */
}

static void leave_an_event_connector(struct world *w)
{
    SOCKADDR_IN a = an_address();
    NDK_LISTENER *l = NULL;
    NDK_CONNECTOR *c = NULL;

    close_any(&w->cq->Header);
    close_any(&w->pd->Header);
    w->cq = NULL;
    w->pd = NULL;
    OK(w->adapter->Dispatch->NdkCreateListener(w->adapter, asked, &c, created, NULL, &l));
    OK(l->Dispatch->NdkListen(l, (PSOCKADDR)(void *)&a, sizeof a, done, NULL));
    fake_connect_event(l);
    close_any(&l->Header);
    verify_layer.closing(verify_shadow(w->adapter), w->adapter, "SoftNdkCloseAdapter");
    close_any(&c->Header);
}

/* ---- L6, L7 ---- */

static void close_without_routine(struct world *w)
{
    OK(w->pd->Dispatch->NdkClosePd(&w->pd->Header, NULL, NULL));
    w->pd = NULL;
}

static void create_without_routine(struct world *w)
{
    NDK_MR *mr = NULL;

    OK(w->pd->Dispatch->NdkCreateMr(w->pd, FALSE, NULL, NULL, &mr));
    close_any(&mr->Header);
}

static void cq_without_notification(struct world *w)
{
    NDK_CQ *cq = NULL;

    OK(w->adapter->Dispatch->NdkCreateCq(w->adapter, 4, NULL, NULL, NULL, created, NULL, &cq));
    close_any(&cq->Header);
}

static void listener_without_event(struct world *w)
{
    NDK_LISTENER *l = NULL;

    OK(w->adapter->Dispatch->NdkCreateListener(w->adapter, NULL, NULL, created, NULL, &l));
    close_any(&l->Header);
}

static void resize_without_routine(struct world *w)
{
    OK(w->cq->Dispatch->NdkResizeCq(w->cq, 8, NULL, NULL));
}

/* What may be NULL: the completion of a LAM, an SRQ's notification, a disconnect event. */
static void leave_out_what_may_be(struct world *w)
{
    ULONG size = sizeof w->lam, fbo;
    NDK_SRQ *srq = NULL;

    mdl_set(&w->mdl, world_memory[0], PAGE_SIZE);
    OK(w->adapter->Dispatch->NdkBuildLAM(
        w->adapter, &w->mdl, PAGE_SIZE, NULL, NULL, &w->lam.lam, &size, &fbo));
    lam_release(w);
    OK(w->pd->Dispatch->NdkCreateSrq(w->pd, 4, 1, 0, NULL, NULL, NULL, created, NULL, &srq));
    close_any(&srq->Header);
}

/* ---- L12 to L14 ---- */

static void close_pd_first(struct world *w)
{
    NDK_MR *mr = mr_create(w->pd, FALSE);

    close_any(&w->pd->Header);
    close_any(&mr->Header);
    w->pd = NULL;
}

static void mix_adapters(struct world *w)
{
    struct world other;
    NDK_QP *qp = NULL;
    unsigned flags = fake.flags;

    world_open(&other, 0);
    fake.flags = flags;
    OK(w->pd->Dispatch->NdkCreateQp(
        w->pd, other.cq, w->cq, NULL, 1, 1, 1, 1, 0, created, NULL, &qp));
    close_any(&qp->Header);
    world_close(&other, 0);
}

static void mix_pds(struct world *w)
{
    NDK_PD *pd = NULL;
    NDK_SRQ *srq = NULL;
    NDK_QP *qp = NULL;

    OK(w->adapter->Dispatch->NdkCreatePd(w->adapter, created, NULL, &pd));
    OK(pd->Dispatch->NdkCreateSrq(pd, 4, 1, 0, NULL, NULL, NULL, created, NULL, &srq));
    OK(w->pd->Dispatch->NdkCreateQpWithSrq(
        w->pd, w->cq, w->cq, srq, NULL, 1, 1, 0, created, NULL, &qp));
    close_any(&qp->Header);
    close_any(&srq->Header);
    close_any(&pd->Header);
}

static void keep_together(struct world *w)
{
    NDK_QP *qp = qp_create(w, w->pd);

    close_any(&qp->Header);
}

static void write_to_a_header(struct world *w)
{
    w->pd->Header.Version.Major = 9;
}

/* ---- T1 to T4: from inside a call another thread makes one ---- */

static void *poll_cq(void *arg)
{
    struct world *w = arg;

    (void)collect(w);
    return NULL;
}

static void *send_on_qp(void *arg)
{
    OK(send_nothing(arg, 0));
    return NULL;
}

static void *receive_on_qp(void *arg)
{
    struct world *w = arg;

    OK(w->qp->Dispatch->NdkReceive(w->qp, NULL, NULL, 0));
    return NULL;
}

static void *moderate_cq(void *arg)
{
    struct world *w = arg;

    OK(w->cq->Dispatch->NdkControlCqInterruptModeration(w->cq, 1, 1));
    return NULL;
}

static void poll_meanwhile(void)
{
    in_another_thread(poll_cq);
}

static void send_meanwhile(void)
{
    in_another_thread(send_on_qp);
}

static void receive_meanwhile(void)
{
    in_another_thread(receive_on_qp);
}

static void moderate_meanwhile(void)
{
    in_another_thread(moderate_cq);
}

static void poll_in_two_threads(struct world *w)
{
    now = w;
    fake.inside = poll_meanwhile;
    (void)collect(w);
}

static void arm_meanwhile(void)
{
    now->cq->Dispatch->NdkArmCq(now->cq, NDK_CQ_NOTIFY_ANY);
}

static void arm_while_polling(struct world *w)
{
    now = w;
    fake.inside = arm_meanwhile;
    (void)collect(w);
}

/* The notification polls before the call that armed has returned. */
static void poll_in_the_notification(struct world *w)
{
    now = w;
    fake.inside = poll_meanwhile;
    w->cq->Dispatch->NdkArmCq(w->cq, NDK_CQ_NOTIFY_ANY);
}

static void send_in_two_threads(struct world *w)
{
    now = w;
    fake.inside = send_meanwhile;
    OK(send_nothing(w, 0));
}

static void receive_in_two_threads(struct world *w)
{
    now = w;
    fake.inside = receive_meanwhile;
    receive_on_qp(w);
}

static void moderate_in_two_threads(struct world *w)
{
    now = w;
    fake.inside = moderate_meanwhile;
    moderate_cq(w);
}

/* Different queues may be used at one time. */
static void other_queues_in_two_threads(struct world *w)
{
    now = w;
    fake.inside = receive_meanwhile;
    OK(send_nothing(w, 0));
    fake.inside = send_meanwhile;
    w->cq->Dispatch->NdkArmCq(w->cq, NDK_CQ_NOTIFY_ANY);
    fake.inside = poll_meanwhile;
    receive_on_qp(w);
}

/* ---- T5, T6 ---- */

static VOID slowly(PVOID Context, NTSTATUS Status)
{
    (void)Context, (void)Status;
    usleep(20000); /* the limit of fake.h is 0 ms */
}

static void block_in_a_callback(struct world *w)
{
    fake.pends = true;
    assert_int_equal(w->cq->Dispatch->NdkResizeCq(w->cq, 8, slowly, NULL), STATUS_PENDING);
    fake_finish(STATUS_SUCCESS);
}

static VOID query_in_callback(PVOID Context, NTSTATUS Status)
{
    struct world *w = Context;
    NDK_ADAPTER_INFO info;
    ULONG size = sizeof info;

    (void)Status;
    assert_int_equal(w->adapter->Dispatch->NdkQueryAdapterInfo(w->adapter, &info, &size),
        STATUS_INVALID_DEVICE_STATE);
}

static void query_from_a_callback(struct world *w)
{
    fake.pends = true;
    assert_int_equal(w->cq->Dispatch->NdkResizeCq(w->cq, 8, query_in_callback, w), STATUS_PENDING);
    fake_finish(STATUS_SUCCESS);
}

static void arm_too_high(struct world *w)
{
    KIRQL old;

    KeRaiseIrql(DISPATCH_LEVEL + 1, &old);
    w->cq->Dispatch->NdkArmCq(w->cq, NDK_CQ_NOTIFY_ANY);
    KeLowerIrql(old);
}

static void query_and_arm_rightly(struct world *w)
{
    NDK_ADAPTER_INFO info;
    ULONG size = sizeof info;
    KIRQL old;

    OK(w->adapter->Dispatch->NdkQueryAdapterInfo(w->adapter, &info, &size));
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    w->cq->Dispatch->NdkArmCq(w->cq, NDK_CQ_NOTIFY_ANY);
    KeLowerIrql(old);
}

/* ---- L4 ---- */

static VOID close_adapter_in_callback(PVOID Context, NTSTATUS Status)
{
    struct world *w = Context;

    (void)Status;
    verify_layer.closing(verify_shadow(w->adapter), w->adapter, "SoftNdkCloseAdapter");
}

static void close_adapter_from_a_callback(struct world *w)
{
    fake.pends = true;
    assert_int_equal(
        w->cq->Dispatch->NdkResizeCq(w->cq, 8, close_adapter_in_callback, w), STATUS_PENDING);
    fake_finish(STATUS_SUCCESS);
}

static const struct row rows[] = {
    {VERIFY_L1, 0, use_after_close, use_before_close},
    {VERIFY_L1, 0, use_while_closing, use_before_close},
    {VERIFY_L1, 0, name_a_closed_object, use_before_close},
    {VERIFY_L2, 0, close_twice, close_pending},
    {VERIFY_L3, 0, close_while_inside, close_when_told},
    {VERIFY_L4, 0, close_adapter_from_a_callback, nothing},
    {VERIFY_L5, 0, leave_a_pd, nothing},
    {VERIFY_L6, 0, close_without_routine, close_pending},
    {VERIFY_L7, 0, create_without_routine, leave_out_what_may_be},
    {VERIFY_L7, 0, cq_without_notification, leave_out_what_may_be},
    {VERIFY_L7, 0, listener_without_event, leave_out_what_may_be},
    {VERIFY_L7, 0, resize_without_routine, leave_out_what_may_be},
    {VERIFY_L9, 0, leave_an_event_connector, nothing},
    {VERIFY_L12, 0, close_pd_first, nothing},
    {VERIFY_L13, 0, mix_adapters, keep_together},
    {VERIFY_L13, 0, mix_pds, keep_together},
    {VERIFY_L14, 0, write_to_a_header, nothing},
    {VERIFY_T1, WANT_CONNECTED, poll_in_two_threads, other_queues_in_two_threads},
    {VERIFY_T1, 0, arm_while_polling, poll_in_the_notification},
    {VERIFY_T2, WANT_CONNECTED, send_in_two_threads, other_queues_in_two_threads},
    {VERIFY_T3, WANT_CONNECTED, receive_in_two_threads, other_queues_in_two_threads},
    {VERIFY_T4, 0, moderate_in_two_threads, use_before_close},
    {VERIFY_T5, 0, block_in_a_callback, use_before_close},
    {VERIFY_T6, 0, query_from_a_callback, query_and_arm_rightly},
    {VERIFY_T6, 0, arm_too_high, query_and_arm_rightly},
};

static void each_mistake_is_reported(void **state)
{
    (void)state;
    check_rows(rows, SN_ARRAY_COUNT(rows), "LT");
    run_rows(rows, SN_ARRAY_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
