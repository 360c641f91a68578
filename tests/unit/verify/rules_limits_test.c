/* SPDX-License-Identifier: MIT */
/* Rows N-P1 to N-P16: limits and parameters. */
#include "unit/verify/cases.h"

/* ---- P1, P2, P5 to P7: completion queues ---- */

static void create_cq(struct world *w, ULONG depth)
{
    NDK_CQ *cq = NULL;

    OK(w->adapter->Dispatch->NdkCreateCq(
        w->adapter, depth, notified, NULL, NULL, created, NULL, &cq));
    close_any(&cq->Header);
}

static void cq_too_deep(struct world *w)
{
    create_cq(w, 257);
}

static void cq_of_nothing(struct world *w)
{
    create_cq(w, 0);
}

static void resize(struct world *w, ULONG depth)
{
    OK(w->cq->Dispatch->NdkResizeCq(w->cq, depth, done, NULL));
}

static void resize_too_deep(struct world *w)
{
    resize(w, 257);
}

static void resize_rightly(struct world *w)
{
    create_cq(w, 256);
    resize(w, 256);
}

static void moderate(struct world *w)
{
    OK(w->cq->Dispatch->NdkControlCqInterruptModeration(w->cq, 20, MAXULONG));
}

static void moderate_without_limits(struct world *w)
{
    OK(w->cq->Dispatch->NdkControlCqInterruptModeration(w->cq, MAXULONG, MAXULONG));
}

static void arm_oddly(struct world *w)
{
    w->cq->Dispatch->NdkArmCq(w->cq, 3);
}

static void arm_each_way(struct world *w)
{
    w->cq->Dispatch->NdkArmCq(w->cq, NDK_CQ_NOTIFY_ERRORS);
    w->cq->Dispatch->NdkArmCq(w->cq, NDK_CQ_NOTIFY_ANY);
    w->cq->Dispatch->NdkArmCq(w->cq, NDK_CQ_NOTIFY_SOLICITED);
}

/* ---- P3, P4 ---- */

static void create_qp(struct world *w, ULONG receive, ULONG initiator, ULONG receive_sge,
    ULONG initiator_sge, ULONG inline_max)
{
    NDK_QP *qp = NULL;

    OK(w->pd->Dispatch->NdkCreateQp(w->pd, w->cq, w->cq, NULL, receive, initiator, receive_sge,
        initiator_sge, inline_max, created, NULL, &qp));
    close_any(&qp->Header);
}

static void qp_receives_too_deep(struct world *w)
{
    create_qp(w, 65, 1, 1, 1, 0);
}

static void qp_initiator_too_deep(struct world *w)
{
    create_qp(w, 1, 65, 1, 1, 0);
}

static void qp_too_many_sges(struct world *w)
{
    create_qp(w, 1, 1, 5, 1, 0);
    create_qp(w, 1, 1, 1, 5, 0);
}

static void qp_too_much_inline(struct world *w)
{
    create_qp(w, 1, 1, 1, 1, 65);
}

static void qp_at_the_limits(struct world *w)
{
    create_qp(w, 64, 64, 4, 4, 64);
}

static void create_srq(struct world *w, ULONG depth, ULONG sge, ULONG again)
{
    NDK_SRQ *srq = NULL;

    OK(w->pd->Dispatch->NdkCreateSrq(
        w->pd, depth, sge, 0, notified, NULL, NULL, created, NULL, &srq));
    OK(srq->Dispatch->NdkModifySrq(srq, again, 1, done, NULL));
    close_any(&srq->Header);
}

static void srq_too_deep(struct world *w)
{
    create_srq(w, 65, 1, 0);
}

static void srq_too_many_sges(struct world *w)
{
    create_srq(w, 1, 5, 0);
}

static void srq_modified_too_deep(struct world *w)
{
    create_srq(w, 1, 1, 65);
}

static void srq_at_the_limits(struct world *w)
{
    create_srq(w, 64, 4, 64);
}

/* ---- P8, P9, P10 ---- */

static void register_too_much(struct world *w)
{
    static unsigned char much[(1 << 20) + 1];
    MDL mdl;

    w->mr = mr_create(w->pd, FALSE);
    mdl_set(&mdl, much, sizeof much);
    OK(w->mr->Dispatch->NdkRegisterMr(w->mr, &mdl, sizeof much, 0, done, NULL));
}

static void register_rightly(struct world *w)
{
    w->mr = mr_create(w->pd, FALSE);
    OK(mr_register(w, w->mr, 0, 0));
}

static void register_chain(struct world *w, size_t gap, SIZE_T length)
{
    MDL second, first;

    w->mr = mr_create(w->pd, FALSE);
    mdl_set(&first, world_memory[0], PAGE_SIZE);
    mdl_set(&second, world_memory[0] + PAGE_SIZE + gap, PAGE_SIZE);
    first.Next = &second;
    OK(w->mr->Dispatch->NdkRegisterMr(w->mr, &first, length, 0, done, NULL));
}

static void register_with_a_gap(struct world *w)
{
    register_chain(w, PAGE_SIZE, 2 * PAGE_SIZE);
}

static void register_beyond_the_chain(struct world *w)
{
    register_chain(w, 0, 2 * PAGE_SIZE + 1);
}

static void register_a_chain(struct world *w)
{
    register_chain(w, 0, 2 * PAGE_SIZE);
}

static void change_mdl_while_pending(struct world *w)
{
    w->mr = mr_create(w->pd, FALSE);
    fake.pends = true;
    assert_int_equal(mr_register(w, w->mr, 0, 0), STATUS_PENDING);
    w->mdl.ByteCount = 1;
    fake_finish(STATUS_SUCCESS);
}

static void leave_mdl_while_pending(struct world *w)
{
    w->mr = mr_create(w->pd, FALSE);
    fake.pends = true;
    assert_int_equal(mr_register(w, w->mr, 0, 0), STATUS_PENDING);
    fake_finish(STATUS_SUCCESS);
}

/* ---- P11, P12 ---- */

static void release_twice(struct world *w)
{
    lam_release(w);
    lam_release(w);
    w->lam.lam.AdapterContext = NULL;
}

static void change_a_lam(struct world *w)
{
    w->lam.lam.AdapterContext = w;
    lam_release(w);
    w->lam.lam.AdapterContext = NULL;
}

static void leave_a_lam(struct world *w)
{
    w->lam.lam.AdapterContext = NULL; /* nobody releases it */
}

static void release_a_copy(struct world *w)
{
    struct world copy = *w;

    memset(&w->lam, 0, sizeof w->lam);
    copy.adapter->Dispatch->NdkReleaseLAM(copy.adapter, &copy.lam.lam);
}

static void release_in_use(struct world *w)
{
    NDK_SGE sge = sge_of(fake_of(w->pd)->token, world_memory[1], 10);

    OK(w->qp->Dispatch->NdkSend(w->qp, NULL, &sge, 1, 0));
    lam_release(w);
    w->lam.lam.AdapterContext = NULL;
}

static void deregister_in_use(struct world *w)
{
    NDK_SGE sge = small(w);

    OK(w->qp->Dispatch->NdkReceive(w->qp, NULL, &sge, 1));
    OK(w->mr->Dispatch->NdkDeregisterMr(w->mr, done, NULL));
}

static void close_in_use(struct world *w)
{
    NDK_SGE sge = small(w);

    OK(w->qp->Dispatch->NdkWrite(w->qp, NULL, &sge, 1, 0, 0, 0));
    close_any(&w->mr->Header);
    w->mr = NULL;
}

static void silence_is_not_completion(struct world *w)
{
    NDK_SGE sge = small(w);

    OK(w->qp->Dispatch->NdkSend(w->qp, NULL, &sge, 1, NDK_OP_FLAG_SILENT_SUCCESS));
    OK(w->mr->Dispatch->NdkDeregisterMr(w->mr, done, NULL));
}

static void release_when_complete(struct world *w)
{
    NDK_SGE sge = sge_of(fake_of(w->pd)->token, world_memory[1], 10);

    OK(w->qp->Dispatch->NdkSend(w->qp, NULL, &sge, 1, NDK_OP_FLAG_SILENT_SUCCESS));
    OK(send_nothing(w, 0));
    assert_int_equal(collect(w), 1);
    lam_release(w);
    w->lam.lam.AdapterContext = NULL;
}

static void deregister_when_complete(struct world *w)
{
    NDK_SGE sge = small(w);

    OK(w->qp->Dispatch->NdkReceive(w->qp, NULL, &sge, 1));
    assert_int_equal(collect(w), 1);
    OK(w->mr->Dispatch->NdkDeregisterMr(w->mr, done, NULL));
}

/* ---- P13 to P15 ---- */

static void connect_with(struct world *w, ULONG data_length, ULONG family, ULONG address_length)
{
    unsigned char data[256] = {0};
    SOCKADDR_INET a = {.si_family = (ADDRESS_FAMILY)family};

    w->connector = connector_create(w);
    OK(w->connector->Dispatch->NdkConnect(w->connector, w->qp, (PSOCKADDR)(void *)&a,
        address_length, (PSOCKADDR)(void *)&a, address_length, 1, 1, data, data_length, done,
        NULL));
    OK(w->connector->Dispatch->NdkReject(w->connector, NULL, 0));
}

static void say_too_much(struct world *w)
{
    connect_with(w, 57, AF_INET, sizeof(SOCKADDR_IN));
}

static void say_enough(struct world *w)
{
    connect_with(w, 56, AF_INET6, sizeof(SOCKADDR_IN6));
}

static void address_too_short(struct world *w)
{
    connect_with(w, 0, AF_INET6, sizeof(SOCKADDR_IN));
}

static void address_of_no_family(struct world *w)
{
    connect_with(w, 0, 77, sizeof(SOCKADDR_IN));
}

static void ask_address(struct world *w, void *buffer, ULONG *length)
{
    OK(w->connector->Dispatch->NdkGetPeerAddress(w->connector, buffer, length));
}

static void length_not_initialised(struct world *w)
{
    ULONG length = 0xCCCCCCCC;

    ask_address(w, NULL, &length);
}

static void length_of_garbage(struct world *w)
{
    SOCKADDR_INET a;
    ULONG length = 0xCCCCCCCC;

    ask_address(w, &a, &length);
}

static void no_length(struct world *w)
{
    ask_address(w, NULL, NULL);
}

static void ask_rightly(struct world *w)
{
    SOCKADDR_INET a;
    ULONG length = 0;

    ask_address(w, NULL, &length);
    length = sizeof a;
    ask_address(w, &a, &length);
}

static const struct row rows[] = {
    {VERIFY_P1, 0, cq_too_deep, resize_rightly},
    {VERIFY_P1, 0, cq_of_nothing, resize_rightly},
    {VERIFY_P1, 0, resize_too_deep, resize_rightly},
    {VERIFY_P2, WANT_SINK, resize_rightly, arm_each_way},
    {VERIFY_P3, 0, qp_receives_too_deep, qp_at_the_limits},
    {VERIFY_P3, 0, qp_initiator_too_deep, qp_at_the_limits},
    {VERIFY_P3, 0, qp_too_many_sges, qp_at_the_limits},
    {VERIFY_P3, 0, qp_too_much_inline, qp_at_the_limits},
    {VERIFY_P4, 0, srq_too_deep, srq_at_the_limits},
    {VERIFY_P4, 0, srq_too_many_sges, srq_at_the_limits},
    {VERIFY_P4, 0, srq_modified_too_deep, srq_at_the_limits},
    {VERIFY_P5, WANT_SINK, moderate, nothing},
    {VERIFY_P6, 0, moderate_without_limits, moderate},
    {VERIFY_P7, 0, arm_oddly, arm_each_way},
    {VERIFY_P8, 0, register_too_much, register_rightly},
    {VERIFY_P9, 0, register_with_a_gap, register_a_chain},
    {VERIFY_P9, 0, register_beyond_the_chain, register_a_chain},
    {VERIFY_P10, 0, change_mdl_while_pending, leave_mdl_while_pending},
    {VERIFY_P11, WANT_LAM, release_twice, nothing},
    {VERIFY_P11, WANT_LAM, change_a_lam, release_a_copy},
    {VERIFY_P11, WANT_LAM, leave_a_lam, nothing},
    {VERIFY_P12, WANT_CONNECTED | WANT_LAM, release_in_use, release_when_complete},
    {VERIFY_P12, WANT_CONNECTED | WANT_MR, deregister_in_use, deregister_when_complete},
    {VERIFY_P12, WANT_CONNECTED | WANT_MR, close_in_use, deregister_when_complete},
    {VERIFY_P12, WANT_CONNECTED | WANT_MR, silence_is_not_completion, deregister_when_complete},
    {VERIFY_P13, WANT_QP, say_too_much, say_enough},
    {VERIFY_P14, WANT_CONNECTED, length_not_initialised, ask_rightly},
    {VERIFY_P14, WANT_CONNECTED, length_of_garbage, ask_rightly},
    {VERIFY_P14, WANT_CONNECTED, no_length, ask_rightly},
    {VERIFY_P15, WANT_QP, address_too_short, say_enough},
    {VERIFY_P15, WANT_QP, address_of_no_family, say_enough},
};

static void each_mistake_is_reported(void **state)
{
    (void)state;
    check_rows(rows, SN_ARRAY_COUNT(rows), "P");
    run_rows(rows, SN_ARRAY_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
