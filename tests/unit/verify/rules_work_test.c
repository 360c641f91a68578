/* SPDX-License-Identifier: MIT */
/* Rows N-W1 to N-W22: work requests. */
#include "unit/verify/cases.h"

enum {
    CONNECTED_MR = WANT_CONNECTED | WANT_MR,
    CONNECTED_LAM = WANT_CONNECTED | WANT_LAM,
    CONNECTED_FAST = WANT_CONNECTED | WANT_FAST
};

static NTSTATUS send_sge(struct world *w, NDK_SGE sge, ULONG flags)
{
    return w->qp->Dispatch->NdkSend(w->qp, NULL, &sge, 1, flags);
}

static NTSTATUS receive_sge(struct world *w, NDK_SGE sge)
{
    return w->qp->Dispatch->NdkReceive(w->qp, NULL, &sge, 1);
}

static NTSTATUS read_sge(struct world *w, NDK_SGE sge, ULONG flags)
{
    return w->qp->Dispatch->NdkRead(w->qp, NULL, &sge, 1, 0, 0, flags);
}

static void receive_nothing(struct world *w)
{
    OK(w->qp->Dispatch->NdkReceive(w->qp, NULL, NULL, 0));
}

/* ---- W1 to W3 ---- */

static void too_many_sends(struct world *w)
{
    for (int i = 0; i < DEPTH + 1; i++)
        OK(send_nothing(w, 0));
}

static void too_many_silent_sends(struct world *w)
{
    for (int i = 0; i < DEPTH + 1; i++)
        OK(send_nothing(w, NDK_OP_FLAG_SILENT_SUCCESS));
    OK(send_nothing(w, 0));
}

/* More than the books hold: the request is refused, nothing is overwritten. */
static void far_too_many_sends(struct world *w)
{
    ULONG posted = 0;

    while (send_nothing(w, 0) == STATUS_SUCCESS)
        posted++;
    assert_true(posted > DEPTH);
    assert_int_equal(collect(w), posted);
    OK(send_nothing(w, 0));
}

static void as_many_sends_as_fit(struct world *w)
{
    for (int round = 0; round < 40; round++) {
        OK(send_nothing(w, NDK_OP_FLAG_SILENT_SUCCESS));
        for (int i = 0; i < DEPTH - 1; i++)
            OK(send_nothing(w, 0));
        assert_int_equal(collect(w), DEPTH - 1);
    }
    fake.status = STATUS_CONNECTION_INVALID; /* a refused request is not outstanding */
    assert_int_equal(send_nothing(w, 0), STATUS_CONNECTION_INVALID);
    for (int i = 0; i < DEPTH; i++)
        OK(send_nothing(w, 0));
}

static void too_many_receives(struct world *w)
{
    for (int i = 0; i < DEPTH + 1; i++)
        receive_nothing(w);
}

static void as_many_receives_as_fit(struct world *w)
{
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < DEPTH; i++)
            receive_nothing(w);
        assert_int_equal(collect(w), DEPTH);
    }
}

/* A shared queue and a QP on it; completions in any order. */
static void srq_receives(struct world *w, ULONG count, ULONG collected)
{
    NDK_SRQ *srq = NULL;
    NDK_QP *qp = NULL;
    struct fake_object *s;

    OK(w->pd->Dispatch->NdkCreateSrq(
        w->pd, DEPTH, 1, 0, notified, NULL, NULL, created, NULL, &srq));
    OK(w->pd->Dispatch->NdkCreateQpWithSrq(
        w->pd, w->cq, w->cq, srq, w, 1, 1, 0, created, NULL, &qp));
    s = fake_of(srq);
    for (ULONG i = 0; i < count; i++)
        OK(srq->Dispatch->NdkSrqReceive(srq, NULL, NULL, 0));
    for (ULONG i = collected; i-- > 0;)
        fake_complete(w->cq, fake_of(qp), s->results[i].RequestContext, NdkOperationTypeReceive);
    assert_int_equal(collect(w), collected);
    for (ULONG i = 0; i < collected; i++)
        OK(srq->Dispatch->NdkSrqReceive(srq, NULL, NULL, 0));
    close_any(&qp->Header);
    close_any(&srq->Header);
}

static void too_many_srq_receives(struct world *w)
{
    srq_receives(w, DEPTH + 1, 0);
}

static void as_many_srq_receives_as_fit(struct world *w)
{
    srq_receives(w, DEPTH, DEPTH - 1);
}

static void overrun_the_cq(struct world *w)
{
    for (int i = 0; i < 3; i++)
        receive_nothing(w);
}

static void fill_the_cq(struct world *w)
{
    receive_nothing(w);
    receive_nothing(w);
    assert_int_equal(collect(w), 2);
    receive_nothing(w);
}

/* ---- W4, W5, W16 ---- */

static void send_sges(struct world *w, ULONG count)
{
    const NDK_SGE sgl[] = {small(w), small(w), small(w)};

    OK(w->qp->Dispatch->NdkSend(w->qp, NULL, sgl, count, 0));
}

static void three_sges(struct world *w)
{
    send_sges(w, 3);
}

static void two_sges(struct world *w)
{
    send_sges(w, 2);
}

static void three_sges_to_receive(struct world *w)
{
    const NDK_SGE sgl[] = {small(w), small(w), small(w)};

    OK(w->qp->Dispatch->NdkReceive(w->qp, NULL, sgl, 3));
}

static void send_inline(struct world *w, void *at, ULONG each, ULONG count)
{
    NDK_SGE sgl[16];

    for (ULONG i = 0; i < count; i++)
        sgl[i] = sge_of(0x12345, at, each);
    OK(w->qp->Dispatch->NdkSend(w->qp, NULL, sgl, count, NDK_OP_FLAG_INLINE));
}

static void too_much_inline(struct world *w)
{
    send_inline(w, world_memory[0], 17, 1);
}

static void enough_inline(struct world *w)
{
    send_inline(w, world_memory[0], 1, 16); /* any token, any number of SGEs */
}

static void inline_from_nowhere(struct world *w)
{
    send_inline(w, (void *)(uintptr_t)16, 1, 1);
}

static void too_long(struct world *w)
{
    static unsigned char much[(1 << 18) + 1];
    NDK_MR *mr = mr_create(w->pd, FALSE);
    MDL mdl;

    mdl_set(&mdl, much, sizeof much);
    OK(mr->Dispatch->NdkRegisterMr(mr, &mdl, sizeof much, 0, done, NULL));
    OK(send_sge(w, sge_of(token_of(mr), much, sizeof much), 0));
    (void)collect(w);
    close_any(&mr->Header);
}

/* ---- W6, W17 ---- */

static void send_before_connect(struct world *w)
{
    OK(send_nothing(w, 0));
}

static void send_before_complete(struct world *w)
{
    w->connector = connector_create(w);
    OK(connect(w->connector, w->qp, 1));
    OK(send_nothing(w, 0));
    OK(w->connector->Dispatch->NdkReject(w->connector, NULL, 0));
}

static void send_after_disconnect(struct world *w)
{
    OK(disconnect(w->connector));
    OK(send_nothing(w, 0));
}

static void send_when_connected(struct world *w)
{
    OK(send_nothing(w, 0));
}

static void receive_before_connect(struct world *w)
{
    receive_nothing(w);
}

static void invalidate_before_connect(struct world *w)
{
    OK(w->qp->Dispatch->NdkFastRegister(
        w->qp, NULL, w->fast, 1, w->lam.lam.AdapterPageArray, 0, 100, NULL, 0));
    OK(invalidate(w, w->fast));
}

/* ---- W7 to W9 ---- */

static void receive_on_a_shared_qp(struct world *w)
{
    NDK_SRQ *srq = NULL;
    NDK_QP *qp = NULL;

    OK(w->pd->Dispatch->NdkCreateSrq(
        w->pd, DEPTH, 1, 0, notified, NULL, NULL, created, NULL, &srq));
    OK(w->pd->Dispatch->NdkCreateQpWithSrq(
        w->pd, w->cq, w->cq, srq, w, 1, 1, 0, created, NULL, &qp));
    assert_int_equal(qp->Dispatch->NdkReceive(qp, NULL, NULL, 0), STATUS_INVALID_PARAMETER);
    close_any(&qp->Header);
    close_any(&srq->Header);
}

static void send_with_a_wrong_flag(struct world *w)
{
    OK(send_nothing(w, NDK_OP_FLAG_RDMA_READ_SINK));
}

static void read_with_a_wrong_flag(struct world *w)
{
    OK(w->qp->Dispatch->NdkRead(w->qp, NULL, NULL, 0, 0, 0, NDK_OP_FLAG_INLINE));
}

static void send_with_all_flags(struct world *w)
{
    OK(send_nothing(w, NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_READ_FENCE |
                           NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT | NDK_OP_FLAG_DEFER));
    OK(w->qp->Dispatch->NdkSendAndInvalidate(w->qp, NULL, NULL, 0, NDK_OP_FLAG_READ_FENCE, 1));
}

static void defer_to_the_end(struct world *w)
{
    OK(send_nothing(w, NDK_OP_FLAG_DEFER));
    (void)collect(w);
    w->qp->Dispatch->NdkFlush(w->qp);
}

static void end_the_chain(struct world *w)
{
    OK(send_nothing(w, NDK_OP_FLAG_DEFER));
    OK(send_nothing(w, 0));
    (void)collect(w);
    w->qp->Dispatch->NdkFlush(w->qp);
}

/* ---- W10 to W14 ---- */

static void send_with_an_unknown_token(struct world *w)
{
    OK(send_sge(w, sge_of(0xABCDEF, world_memory[0], 1), 0));
}

static void send_with_a_stale_token(struct world *w)
{
    NDK_SGE sge = small(w);

    OK(send_sge(w, sge, 0)); /* the first one fills the cache */
    assert_int_equal(collect(w), 1);
    OK(w->mr->Dispatch->NdkDeregisterMr(w->mr, done, NULL));
    OK(send_sge(w, sge, 0));
}

static void send_with_a_token_of_another_pd(struct world *w)
{
    NDK_PD *pd = NULL;
    NDK_QP *before = w->qp, *qp;
    NDK_CONNECTOR *c = connector_create(w);

    OK(w->adapter->Dispatch->NdkCreatePd(w->adapter, created, NULL, &pd));
    qp = qp_create(w, pd);
    OK(connect(c, qp, 1));
    OK(complete(c));
    w->qp = qp;
    OK(send_sge(w, small(w), 0));
    (void)collect(w);
    w->qp = before;
    OK(disconnect(c));
    close_any(&c->Header);
    close_any(&qp->Header);
    close_any(&pd->Header);
}

static void send_an_invalidated_region(struct world *w)
{
    OK(fast_register(w, w->fast, 0));
    OK(invalidate(w, w->fast));
    OK(send_sge(w, sge_of(token_of(w->fast), (void *)(uintptr_t)PAGE_SIZE, 1), 0));
}

static void send_beyond_the_region(struct world *w)
{
    OK(send_sge(w, sge_of(token_of(w->mr), world_memory[0] + BUFFER_OCTETS - 1, 2), 0));
}

static void send_before_the_label(struct world *w)
{
    OK(fast_register(w, w->fast, 0)); /* 100 octets from PAGE_SIZE on */
    OK(send_sge(w, sge_of(token_of(w->fast), (void *)(uintptr_t)(PAGE_SIZE + 100), 1), 0));
}

static void send_all_of_the_region(struct world *w)
{
    OK(send_sge(w, sge_of(token_of(w->mr), world_memory[0], BUFFER_OCTETS), 0));
    OK(send_sge(w, sge_of(token_of(w->mr), world_memory[0] + BUFFER_OCTETS - 1, 1), 0));
    OK(send_sge(w, sge_of(0xABCDEF, NULL, 0), 0)); /* nothing is named */
}

static void send_all_of_the_label(struct world *w)
{
    OK(fast_register(w, w->fast, 0));
    OK(send_sge(w, sge_of(token_of(w->fast), (void *)(uintptr_t)PAGE_SIZE, 100), 0));
    OK(invalidate(w, w->fast));
}

static void privileged_without_a_lam(struct world *w)
{
    OK(send_sge(w, sge_of(fake_of(w->pd)->token, world_memory[0], 1), 0));
}

static void privileged_beyond_the_lam(struct world *w)
{
    OK(send_sge(w, sge_of(fake_of(w->pd)->token, world_memory[1] + BUFFER_OCTETS - 1, 2), 0));
}

static void privileged_in_the_lam(struct world *w)
{
    OK(send_sge(w, sge_of(fake_of(w->pd)->token, world_memory[1], BUFFER_OCTETS), 0));
    OK(receive_sge(w, sge_of(fake_of(w->pd)->token, world_memory[1] + 5000, 100)));
    (void)collect(w);
}

static void register_read_only(struct world *w, ULONG flags)
{
    OK(w->mr->Dispatch->NdkDeregisterMr(w->mr, done, NULL));
    OK(mr_register(w, w->mr, 0, flags));
}

static void receive_into_what_is_read_only(struct world *w)
{
    register_read_only(w, NDK_MR_FLAG_ALLOW_REMOTE_READ);
    OK(receive_sge(w, small(w)));
    (void)collect(w);
}

static void read_into_what_is_read_only(struct world *w)
{
    register_read_only(w, NDK_MR_FLAG_ALLOW_REMOTE_READ);
    OK(send_sge(w, small(w), 0)); /* allowed, and cached */
    OK(read_sge(w, small(w), 0));
    (void)collect(w);
}

static void receive_and_read(struct world *w)
{
    OK(receive_sge(w, small(w)));
    OK(read_sge(w, small(w), 0));
    (void)collect(w);
}

static void read_into_no_sink(struct world *w)
{
    register_read_only(w, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
    OK(read_sge(w, small(w), 0));
    (void)collect(w);
}

static void read_into_privileged_memory(struct world *w)
{
    OK(read_sge(w, sge_of(fake_of(w->pd)->token, world_memory[1], 1), 0));
    (void)collect(w);
}

/* ---- W15, W22 ---- */

static void change_while_sending(struct world *w)
{
    OK(send_sge(w, small(w), 0));
    world_memory[0][0]++;
    assert_int_equal(collect(w), 1);
}

static void change_after_sending(struct world *w)
{
    OK(send_sge(w, small(w), 0));
    assert_int_equal(collect(w), 1);
    world_memory[0][0]++;
    OK(read_sge(w, small(w), 0));
    world_memory[0][0]++;
    assert_int_equal(collect(w), 1);
}

/* ---- W18, W19 ---- */

static void use_a_region_of_another_pd(struct world *w)
{
    NDK_PD *pd = NULL;
    NDK_MR *mr;

    OK(w->adapter->Dispatch->NdkCreatePd(w->adapter, created, NULL, &pd));
    mr = mr_create(pd, TRUE);
    OK(mr->Dispatch->NdkInitializeFastRegisterMr(mr, 4, TRUE, done, NULL));
    OK(fast_register(w, mr, 0));
    close_any(&mr->Header);
    close_any(&pd->Header);
}

static void read_without_a_limit(struct world *w)
{
    w->connector = connector_create(w);
    OK(connect(w->connector, w->qp, 0));
    OK(complete(w->connector));
    OK(w->qp->Dispatch->NdkRead(w->qp, NULL, NULL, 0, 0, 0, 0));
    (void)collect(w);
    OK(disconnect(w->connector));
}

static void read_with_a_limit(struct world *w)
{
    w->connector = connector_create(w);
    OK(connect(w->connector, w->qp, 1));
    OK(complete(w->connector));
    OK(w->qp->Dispatch->NdkRead(w->qp, NULL, NULL, 0, 0, 0, 0));
    (void)collect(w);
    OK(disconnect(w->connector));
}

/* ---- W20, W21 ---- */

static void send_what_is_being_read(struct world *w)
{
    OK(read_sge(w, small(w), 0));
    OK(send_sge(w, small(w), 0));
    (void)collect(w);
}

static void send_behind_a_fence(struct world *w)
{
    OK(read_sge(w, small(w), 0));
    OK(send_sge(w, small(w), NDK_OP_FLAG_READ_FENCE));
    OK(send_sge(w, sge_of(token_of(w->mr), world_memory[0] + 1, 1), 0));
    (void)collect(w);
    OK(send_sge(w, small(w), 0));
    (void)collect(w);
}

static void only_silence(struct world *w)
{
    for (int i = 0; i < DEPTH; i++)
        OK(send_nothing(w, NDK_OP_FLAG_SILENT_SUCCESS));
    /* so that nothing is left at the close, which is a rule of its own */
    verify_queue_drop(&((struct verify_qp *)verify_shadow(w->qp))->initiator, NULL, NULL);
}

static void silence_now_and_then(struct world *w)
{
    for (int i = 0; i < 2 * DEPTH; i++) {
        OK(send_nothing(w, i % 2 == 0 ? NDK_OP_FLAG_SILENT_SUCCESS : 0));
        (void)collect(w);
    }
}

static const struct row rows[] = {
    {VERIFY_W1, WANT_CONNECTED, too_many_sends, as_many_sends_as_fit},
    {VERIFY_W1, WANT_CONNECTED, too_many_silent_sends, as_many_sends_as_fit},
    {VERIFY_W1, WANT_CONNECTED, far_too_many_sends, as_many_sends_as_fit},
    {VERIFY_W2, WANT_QP, too_many_receives, as_many_receives_as_fit},
    {VERIFY_W2, 0, too_many_srq_receives, as_many_srq_receives_as_fit},
    {VERIFY_W3, WANT_QP | WANT_SHALLOW_CQ, overrun_the_cq, fill_the_cq},
    {VERIFY_W4, CONNECTED_MR, three_sges, two_sges},
    {VERIFY_W4, CONNECTED_MR, three_sges_to_receive, enough_inline},
    {VERIFY_W5, CONNECTED_MR, too_much_inline, enough_inline},
    {VERIFY_W5, WANT_CONNECTED, too_long, send_when_connected},
    {VERIFY_W6, WANT_QP, send_before_connect, receive_before_connect},
    {VERIFY_W6, WANT_QP, send_before_complete, receive_before_connect},
    {VERIFY_W6, WANT_CONNECTED, send_after_disconnect, send_when_connected},
    {VERIFY_W7, 0, receive_on_a_shared_qp, as_many_srq_receives_as_fit},
    {VERIFY_W8, WANT_CONNECTED, send_with_a_wrong_flag, send_with_all_flags},
    {VERIFY_W8, WANT_CONNECTED, read_with_a_wrong_flag, send_with_all_flags},
    {VERIFY_W9, WANT_CONNECTED, defer_to_the_end, end_the_chain},
    {VERIFY_W10, CONNECTED_MR, send_with_an_unknown_token, send_all_of_the_region},
    {VERIFY_W10, CONNECTED_MR, send_with_a_stale_token, send_all_of_the_region},
    {VERIFY_W10, CONNECTED_MR, send_with_a_token_of_another_pd, send_all_of_the_region},
    {VERIFY_W10, CONNECTED_FAST, send_an_invalidated_region, send_all_of_the_label},
    {VERIFY_W11, CONNECTED_MR, send_beyond_the_region, send_all_of_the_region},
    {VERIFY_W11, CONNECTED_FAST, send_before_the_label, send_all_of_the_label},
    {VERIFY_W12, CONNECTED_LAM, privileged_without_a_lam, privileged_in_the_lam},
    {VERIFY_W12, CONNECTED_LAM, privileged_beyond_the_lam, privileged_in_the_lam},
    {VERIFY_W13, CONNECTED_MR, receive_into_what_is_read_only, receive_and_read},
    {VERIFY_W13, CONNECTED_MR, read_into_what_is_read_only, receive_and_read},
    {VERIFY_W14, CONNECTED_MR | WANT_SINK, read_into_no_sink, receive_and_read},
    {VERIFY_W14, CONNECTED_LAM | WANT_SINK, read_into_privileged_memory, privileged_in_the_lam},
    {VERIFY_W15, CONNECTED_MR, change_while_sending, change_after_sending},
    {VERIFY_W16, CONNECTED_MR, inline_from_nowhere, enough_inline},
    {VERIFY_W17, WANT_QP | WANT_FAST, invalidate_before_connect, receive_before_connect},
    {VERIFY_W18, CONNECTED_FAST, use_a_region_of_another_pd, send_all_of_the_label},
    {VERIFY_W19, WANT_QP, read_without_a_limit, read_with_a_limit},
    {VERIFY_W20, CONNECTED_MR, send_what_is_being_read, send_behind_a_fence},
    {VERIFY_W21, WANT_CONNECTED, only_silence, silence_now_and_then},
};

static void each_mistake_is_reported(void **state)
{
    (void)state;
    run_rows(rows, SN_ARRAY_COUNT(rows));
}

/* N-W22 gives no report: there is something odd to read. */
static void what_says_nothing_reads_oddly(void **state)
{
    const struct row all[] = {
        {VERIFY_W22, WANT_CONNECTED, nothing, nothing}}; /* stands in for the count below */
    struct row both[SN_ARRAY_COUNT(rows) + 1];
    NDK_RESULT_EX r[2];
    struct world w;

    (void)state;
    memcpy(both, rows, sizeof rows);
    both[SN_ARRAY_COUNT(rows)] = all[0];
    check_rows(both, SN_ARRAY_COUNT(both), "W");
    reset_fake(&verify_rules[VERIFY_W22]);
    world_open(&w, WANT_CONNECTED);
    OK(send_nothing(&w, 0));
    receive_nothing(&w);
    assert_int_equal(w.cq->Dispatch->NdkGetCqResultsEx(w.cq, r, 2), 2);
    assert_int_equal(r[0].BytesTransferred, 0x5EADBEEF);
    assert_int_equal(r[0].TypeSpecificCompletionOutput, 0x5EADBEEF);
    assert_int_equal(r[1].BytesTransferred, 5);
    assert_int_equal(r[1].TypeSpecificCompletionOutput, 0x5EADBEEF);
    assert_ptr_equal(r[0].QPContext, &w);
    world_close(&w, WANT_CONNECTED);
    verify_drop_kept();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_reported),
        cmocka_unit_test(what_says_nothing_reads_oddly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
