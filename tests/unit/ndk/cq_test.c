/* SPDX-License-Identifier: MIT */
/* The words of a completion. The queue itself is tested in tests/unit/rnic and tests/api. */
#include "ndk/cq.h"

#include "base/status.h"
#include "support/unit.h"

static int qp, request;

static struct rnic_cqe entry(void)
{
    return (struct rnic_cqe){.qp_context = &qp, .context = &request, .op = RNIC_CQE_SEND};
}

/* [NDKPI NDK_RESULT_EX] */
static void every_operation_has_its_type(void **state)
{
    static const struct {
        enum rnic_cqe_op op;
        bool has_invalidated;
        NDK_OPERATION_TYPE type;
    } cases[] = {
        {RNIC_CQE_SEND, false, NdkOperationTypeSend},
        {RNIC_CQE_WRITE, false, NdkOperationTypeWrite},
        {RNIC_CQE_READ, false, NdkOperationTypeRead},
        {RNIC_CQE_FAST_REGISTER, false, NdkOperationTypeFastRegister},
        {RNIC_CQE_BIND, false, NdkOperationTypeBind},
        {RNIC_CQE_INVALIDATE, false, NdkOperationTypeInvalidate},
        {RNIC_CQE_RECEIVE, false, NdkOperationTypeReceive},
        {RNIC_CQE_RECEIVE, true, NdkOperationTypeReceiveAndInvalidate},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        struct rnic_cqe e = entry();
        NDK_RESULT_EX r;

        memset(&r, 0xee, sizeof r);
        e.op = (uint8_t)cases[i].op;
        e.has_invalidated = cases[i].has_invalidated;
        e.stag = 0x80000001;
        ndk_result_ex_from(&e, &r);
        assert_int_equal(r.Type, cases[i].type);
        assert_int_equal(r.Status, STATUS_SUCCESS);
        assert_int_equal(r.ProviderErrorCode, 0);
        if (cases[i].has_invalidated)
            assert_int_equal(r.TypeSpecificCompletionOutput, 0x80000001); /* zero-extended */
        /* What consumers test to find receives. */
        assert_int_equal(((unsigned)r.Type & (unsigned)NdkOperationTypeReceive) != 0,
            cases[i].op == RNIC_CQE_RECEIVE);
    }
}

static void contexts_and_lengths_come_through_both_forms(void **state)
{
    struct rnic_cqe e = entry();
    NDK_RESULT plain;
    NDK_RESULT_EX ex;

    (void)state;
    e.op = RNIC_CQE_RECEIVE;
    e.len = 0xfffffffe;
    ndk_result_from(&e, &plain);
    ndk_result_ex_from(&e, &ex);
    assert_ptr_equal(plain.QPContext, &qp);
    assert_ptr_equal(plain.RequestContext, &request);
    assert_int_equal(plain.BytesTransferred, 0xfffffffe);
    assert_ptr_equal(ex.QPContext, &qp);
    assert_ptr_equal(ex.RequestContext, &request);
    assert_int_equal(ex.BytesTransferred, 0xfffffffe);
}

static void failures_say_why(void **state)
{
    struct rnic_cqe e = entry();
    NDK_RESULT plain;
    NDK_RESULT_EX ex;

    (void)state;
    e.status = SN_REMOTE_ACCESS;
    e.wire_error = WIRE_DDP_BASE_BOUNDS;
    ndk_result_from(&e, &plain);
    ndk_result_ex_from(&e, &ex);
    assert_int_equal(plain.Status, STATUS_ACCESS_VIOLATION);
    assert_int_equal(ex.Status, STATUS_ACCESS_VIOLATION);
    assert_int_equal(ex.ProviderErrorCode, WIRE_DDP_BASE_BOUNDS);
    e.status = SN_CANCELLED;
    e.wire_error = 0;
    ndk_result_ex_from(&e, &ex);
    assert_int_equal(ex.Status, STATUS_CANCELLED);
    assert_int_equal(ex.ProviderErrorCode, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_has_its_type),
        cmocka_unit_test(contexts_and_lengths_come_through_both_forms),
        cmocka_unit_test(failures_say_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
