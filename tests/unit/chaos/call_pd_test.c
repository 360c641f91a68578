/* SPDX-License-Identifier: MIT */
#include "each_failure.h"

static NTSTATUS call_mr(struct bench *b)
{
    struct told t = {0};
    NDK_MR *now = NULL;
    NTSTATUS status = b->pd->Dispatch->NdkCreateMr(b->pd, FALSE, on_created, &t, &now);

    return end_create(&t, status, now);
}

static NTSTATUS call_mw(struct bench *b)
{
    struct told t = {0};
    NDK_MW *now = NULL;
    NTSTATUS status = b->pd->Dispatch->NdkCreateMw(b->pd, on_created, &t, &now);

    return end_create(&t, status, now);
}

static NTSTATUS call_srq(struct bench *b)
{
    struct told t = {0};
    NDK_SRQ *now = NULL;
    NTSTATUS status = b->pd->Dispatch->NdkCreateSrq(
        b->pd, 4, 1, 0, on_completed, NULL, NULL, on_created, &t, &now);

    return end_create(&t, status, now);
}

static NTSTATUS call_qp(struct bench *b)
{
    struct told t = {0};
    NDK_QP *now = NULL;
    NTSTATUS status = b->pd->Dispatch->NdkCreateQp(
        b->pd, b->cq, b->cq, NULL, 4, 4, 1, 1, 0, on_created, &t, &now);

    return end_create(&t, status, now);
}

static NTSTATUS call_qp_with_srq(struct bench *b)
{
    struct told s = {0}, t = {0};
    NDK_SRQ *srq = NULL;
    NDK_QP *now = NULL;
    NTSTATUS status = b->pd->Dispatch->NdkCreateSrq(
        b->pd, 4, 1, 0, on_completed, NULL, NULL, on_created, &s, &srq);

    srq = created(&s, status, srq);
    status = b->pd->Dispatch->NdkCreateQpWithSrq(
        b->pd, b->cq, b->cq, srq, NULL, 4, 1, 0, on_created, &t, &now);
    status = end_create(&t, status, now);
    close_object(srq);
    return status;
}

/* ---- regions: one for all calls of a bench ---- */

static uint8_t memory[4096];

static NTSTATUS register_it(NDK_MR *mr)
{
    struct told t = {0};
    MDL *mdl = IoAllocateMdl(memory, sizeof memory, FALSE, FALSE, NULL);
    NTSTATUS status;

    MmBuildMdlForNonPagedPool(mdl);
    status = finished(&t, mr->Dispatch->NdkRegisterMr(mr, mdl, sizeof memory, 0, on_completed, &t));
    IoFreeMdl(mdl);
    return status;
}

static NTSTATUS deregister_it(NDK_MR *mr)
{
    struct told t = {0};

    return finished(&t, mr->Dispatch->NdkDeregisterMr(mr, on_completed, &t));
}

static NTSTATUS call_register(struct bench *b)
{
    NDK_MR *mr = create_mr(b->pd, FALSE);
    NTSTATUS status = register_it(mr);

    /* What failed has not been done. */
    assert_int_equal(
        deregister_it(mr), NT_SUCCESS(status) ? STATUS_SUCCESS : STATUS_INVALID_DEVICE_STATE);
    close_object(mr);
    return status;
}

static NTSTATUS call_deregister(struct bench *b)
{
    NDK_MR *mr = create_mr(b->pd, FALSE);
    NTSTATUS status;

    assert_int_equal(register_it(mr), STATUS_SUCCESS);
    status = deregister_it(mr);
    close_object(mr);
    return status;
}

static NTSTATUS call_init(struct bench *b)
{
    NDK_MR *mr = create_mr(b->pd, TRUE);
    struct told t = {0};
    NTSTATUS status =
        finished(&t, mr->Dispatch->NdkInitializeFastRegisterMr(mr, 16, TRUE, on_completed, &t));

    close_object(mr);
    return status;
}

static void each_failure_of_each_entry(void **state)
{
    (void)state;
    each_failure(CHAOS_CREATE_MR, call_mr, 1, STATUS_SUCCESS);
    each_failure(CHAOS_CREATE_MW, call_mw, 1, STATUS_SUCCESS);
    each_failure(CHAOS_CREATE_SRQ, call_srq, 1, STATUS_SUCCESS);
    each_failure(CHAOS_CREATE_QP, call_qp, 2, STATUS_SUCCESS);
    each_failure(CHAOS_CREATE_QP_WITH_SRQ, call_qp_with_srq, 1, STATUS_SUCCESS);
    each_failure(CHAOS_REGISTER_MR, call_register, 1, STATUS_SUCCESS);
    each_failure(CHAOS_DEREGISTER_MR, call_deregister, 1, STATUS_SUCCESS);
    each_failure(CHAOS_INIT_FAST_REGISTER_MR, call_init, 1, STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failure_of_each_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
