/* SPDX-License-Identifier: MIT */
#include "fixture.h"

/* Only what is wanted is replaced: work requests and polls are the data path. */
static void tables_differ_where_something_is_wanted(void **state)
{
    static const struct {
        const char *schedule, *faults;
        bool send, read, poll;
    } cases[] = {
        {"pend", NULL, false, false, false},
        {NULL, "NdkSend:nth=3", true, false, false},
        {NULL, "disconnect:after=3", true, true, false},
        {NULL, "cq-overrun:nth=3", false, false, true},
        {"hostile", NULL, true, true, true},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        struct world w = world_open(cases[i].schedule, cases[i].faults);
        NDK_PD *pd = create_pd(&w);
        NDK_CQ *cq = create_cq(&w, 8, on_completed, NULL);
        NDK_QP *qp = create_qp(pd, cq, 4);
        const NDK_QP_DISPATCH *qp_below = chaos_of(qp)->inner;
        const NDK_CQ_DISPATCH *cq_below = chaos_of(cq)->inner;

        assert_int_equal(qp->Dispatch->NdkSend != qp_below->NdkSend, cases[i].send);
        assert_int_equal(qp->Dispatch->NdkRead != qp_below->NdkRead, cases[i].read);
        assert_int_equal(cq->Dispatch->NdkGetCqResults != cq_below->NdkGetCqResults, cases[i].poll);
        assert_true(qp->Dispatch->NdkCloseQp != qp_below->NdkCloseQp);
        assert_true(qp->Dispatch->NdkFlush == qp_below->NdkFlush);
        close_object(qp);
        close_object(cq);
        close_object(pd);
        world_close(&w);
    }
}

/* The name of an object says which one it is, whatever else was created meanwhile. */
static void names_come_from_the_parent_and_the_order(void **state)
{
    uint64_t ids[2][4];

    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        struct world w = world_open("hostile:9", NULL);
        NDK_PD *pd = create_pd(&w), *other;
        NDK_CQ *cq = round == 1 ? create_cq(&w, 8, on_completed, NULL) : NULL;
        NDK_MR *a, *b;

        other = create_pd(&w);
        a = create_mr(pd, FALSE);
        b = create_mr(pd, FALSE);
        ids[round][0] = chaos_of(pd)->id;
        ids[round][1] = chaos_of(other)->id;
        ids[round][2] = chaos_of(a)->id;
        ids[round][3] = chaos_of(b)->id;
        close_object(a);
        close_object(b);
        close_object(pd);
        close_object(other);
        if (cq != NULL)
            close_object(cq);
        world_close(&w);
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_true(ids[0][i] == ids[1][i]);
        for (unsigned j = 0; j < i; j++)
            assert_true(ids[0][i] != ids[0][j]);
    }
}

static NTSTATUS start_close(void *object, struct told *t)
{
    NDK_FN_CLOSE_OBJECT close;

    memcpy(&close, ((struct ndk_object *)object)->Dispatch, sizeof close);
    return close(object, on_closed, t);
}

static void closes_pend_or_do_not(void **state)
{
    static const struct {
        const char *schedule;
        NTSTATUS status;
    } cases[] = {{"pend", STATUS_PENDING}, {"inline", STATUS_SUCCESS}};

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        struct world w = world_open(cases[i].schedule, NULL);
        NDK_PD *pd = create_pd(&w);
        struct told t = {0};

        assert_int_equal(start_close(pd, &t), cases[i].status);
        wait_told(&t, cases[i].status == STATUS_PENDING);
        world_close(&w);
        assert_int_equal(told_count(&t), cases[i].status == STATUS_PENDING);
    }
}

/*
 * [NDKPI NDK_FN_CLOSE_OBJECT] An antecedent's close completes after that of its successors, in
 * whatever order they are closed; under every schedule, though both are put off.
 */
static void antecedents_wait_for_successors(void **state)
{
    static const char *const schedules[] = {
        "pend", "inline", "hostile:1", "hostile:2", "hostile:3", "hostile:4", "hostile:5"};

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(schedules) * 8; i++) {
        struct world w = world_open(schedules[i % SN_ARRAY_COUNT(schedules)], NULL);
        NDK_PD *pd = create_pd(&w);
        NDK_MR *mr = create_mr(pd, TRUE);
        struct told first = {0}, second = {0};
        NTSTATUS pd_status, mr_status;

        pd_status = start_close(pd, &first);
        assert_int_equal(pd_status, STATUS_PENDING); /* the region is still open */
        assert_int_equal(told_count(&first), 0);
        mr_status = start_close(mr, &second);
        wait_told(&first, 1);
        if (mr_status == STATUS_PENDING) {
            wait_told(&second, 1);
            assert_true(sn_a32_load_acquire(&second.order) < sn_a32_load_acquire(&first.order));
        }
        world_close(&w);
    }
}

/* The consumer errs; it still gets what it would get without the layer. */
static void a_close_without_a_routine_closes(void **state)
{
    struct world w = world_open("pend", NULL);
    NDK_PD *pd = create_pd(&w);

    (void)state;
    assert_int_equal(pd->Dispatch->NdkClosePd(&pd->Header, NULL, NULL), STATUS_SUCCESS);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_differ_where_something_is_wanted),
        cmocka_unit_test(names_come_from_the_parent_and_the_order),
        cmocka_unit_test(closes_pend_or_do_not),
        cmocka_unit_test(antecedents_wait_for_successors),
        cmocka_unit_test(a_close_without_a_routine_closes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
