/* SPDX-License-Identifier: MIT */
/* Rows N-M1 to N-M18: regions, windows, invalidation. */
#include "unit/verify/cases.h"

enum { REMOTE = NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE };

static NTSTATUS init_fast(NDK_MR *mr, BOOLEAN remote)
{
    return mr->Dispatch->NdkInitializeFastRegisterMr(mr, 4, remote, done, NULL);
}

/* What ends well: registered, invalidated, collected. */
static void register_and_invalidate(struct world *w)
{
    OK(fast_register(w, w->fast, REMOTE));
    OK(invalidate(w, w->fast));
    OK(fast_register(w, w->fast, REMOTE));
    OK(invalidate(w, w->fast));
    (void)collect(w);
}

/* ---- M1, M2, M3 ---- */

static void register_a_fast_region(struct world *w)
{
    OK(mr_register(w, w->fast, 0, 0));
}

static void initialise_an_ordinary_region(struct world *w)
{
    w->mr = mr_create(w->pd, FALSE);
    OK(init_fast(w->mr, TRUE));
}

static void fast_register_an_ordinary_region(struct world *w)
{
    w->mr = mr_create(w->pd, FALSE);
    OK(fast_register(w, w->mr, 0));
}

static void register_twice(struct world *w)
{
    OK(mr_register(w, w->mr, 0, 0));
}

static void deregister_what_is_not(struct world *w)
{
    OK(w->mr->Dispatch->NdkDeregisterMr(w->mr, done, NULL));
    OK(w->mr->Dispatch->NdkDeregisterMr(w->mr, done, NULL));
}

static void register_again(struct world *w)
{
    OK(w->mr->Dispatch->NdkDeregisterMr(w->mr, done, NULL));
    OK(mr_register(w, w->mr, 0, 0));
    fake.status = STATUS_DEVICE_BUSY; /* it is registered still */
    assert_int_equal(w->mr->Dispatch->NdkDeregisterMr(w->mr, done, NULL), STATUS_DEVICE_BUSY);
    OK(w->mr->Dispatch->NdkDeregisterMr(w->mr, done, NULL));
}

static void register_too_early(struct world *w)
{
    NDK_MR *mr = mr_create(w->pd, TRUE);

    OK(fast_register(w, mr, 0));
    close_any(&mr->Header);
}

static void register_while_initialising(struct world *w)
{
    NDK_MR *mr = mr_create(w->pd, TRUE);

    fake.pends = true;
    assert_int_equal(init_fast(mr, TRUE), STATUS_PENDING);
    OK(fast_register(w, mr, 0));
    fake_finish(STATUS_SUCCESS);
    close_any(&mr->Header);
}

/* ---- M4, M17 ---- */

static void register_without_invalidate(struct world *w)
{
    OK(fast_register(w, w->fast, 0));
    OK(fast_register(w, w->fast, 0));
}

/* A registration that failed, or was refused, is none. */
static void register_after_failure(struct world *w)
{
    fake.status = STATUS_CONNECTION_INVALID;
    assert_int_equal(fast_register(w, w->fast, 0), STATUS_CONNECTION_INVALID);
    fake.result = STATUS_CANCELLED;
    OK(fast_register(w, w->fast, 0));
    assert_int_equal(collect(w), 1);
    fake.result = STATUS_SUCCESS;
    OK(fast_register(w, w->fast, 0));
    OK(invalidate(w, w->fast));
}

static void new_connection(struct world *w)
{
    (void)collect(w);
    OK(disconnect(w->connector));
    close_any(&w->connector->Header);
    close_any(&w->qp->Header);
    w->qp = qp_create(w, w->pd);
    w->connector = connector_create(w);
    OK(connect(w->connector, w->qp, 1));
    OK(complete(w->connector));
}

static void register_over_an_orphan(struct world *w)
{
    OK(fast_register(w, w->fast, 0));
    new_connection(w);
    OK(fast_register(w, w->fast, 0));
}

static void invalidate_an_orphan(struct world *w)
{
    OK(fast_register(w, w->fast, 0));
    new_connection(w);
    OK(invalidate(w, w->fast));
    OK(fast_register(w, w->fast, 0));
}

/* ---- M5, M6, M7 ---- */

static void register_pages(struct world *w, ULONG count, ULONG fbo, SIZE_T length, uintptr_t base)
{
    OK(w->qp->Dispatch->NdkFastRegister(
        w->qp, NULL, w->fast, count, w->lam.lam.AdapterPageArray, fbo, length, (PVOID)base, 0));
}

static void too_many_pages(struct world *w)
{
    OK(w->fast->Dispatch->NdkInitializeFastRegisterMr(w->fast, 1, TRUE, done, NULL));
    register_pages(w, 2, 0, 100, 0);
}

static void pages_not_aligned(struct world *w)
{
    w->lam.lam.AdapterPageArray[0].QuadPart += 8;
    register_pages(w, 1, 0, 100, 0);
    w->lam.lam.AdapterPageArray[0].QuadPart -= 8;
}

static void pages_of_no_lam(struct world *w)
{
    NDK_LOGICAL_ADDRESS page = {.QuadPart = (LONGLONG)(uintptr_t)world_memory[0]};

    OK(w->qp->Dispatch->NdkFastRegister(w->qp, NULL, w->fast, 1, &page, 0, 100, NULL, 0));
}

static void fbo_too_large(struct world *w)
{
    register_pages(w, 2, PAGE_SIZE, 100, 0);
}

static void longer_than_its_pages(struct world *w)
{
    register_pages(w, 2, 8, 2 * PAGE_SIZE, 8);
}

static void base_at_another_offset(struct world *w)
{
    register_pages(w, 2, 8, 100, 16);
}

static void range_rightly(struct world *w)
{
    register_pages(w, 2, 8, 2 * PAGE_SIZE - 8, 0x7000000000008);
}

static void remote_without_leave(struct world *w)
{
    OK(init_fast(w->fast, FALSE));
    OK(fast_register(w, w->fast, NDK_OP_FLAG_ALLOW_REMOTE_READ));
}

static void local_without_leave(struct world *w)
{
    OK(init_fast(w->fast, FALSE));
    OK(fast_register(w, w->fast, NDK_OP_FLAG_ALLOW_LOCAL_WRITE));
}

/* ---- M8 ---- */

static void token_too_early(struct world *w)
{
    w->mr = mr_create(w->pd, FALSE);
    (void)w->mr->Dispatch->NdkGetLocalTokenFromMr(w->mr);
}

static void window_token_too_early(struct world *w)
{
    NDK_MW *mw = NULL;

    OK(w->pd->Dispatch->NdkCreateMw(w->pd, created, NULL, &mw));
    (void)mw->Dispatch->NdkGetRemoteTokenFromMw(mw);
    close_any(&mw->Header);
}

static void token_in_time(struct world *w)
{
    w->mr = mr_create(w->pd, FALSE);
    OK(mr_register(w, w->mr, 0, 0));
    (void)w->mr->Dispatch->NdkGetLocalTokenFromMr(w->mr);
    (void)w->fast->Dispatch->NdkGetRemoteTokenFromMr(w->fast);
}

/* ---- M9 to M11, M14: windows ---- */

static NDK_MW *mw_create(struct world *w)
{
    NDK_MW *mw = NULL;

    OK(w->pd->Dispatch->NdkCreateMw(w->pd, created, NULL, &mw));
    return mw;
}

static void bind_at(struct world *w, NDK_MW *mw, size_t at, SIZE_T length, ULONG flags)
{
    OK(w->qp->Dispatch->NdkBind(w->qp, NULL, w->mr, mw, world_memory[0] + at, length, flags));
}

static void bind_once(struct world *w, size_t at, SIZE_T length, ULONG flags)
{
    NDK_MW *mw = mw_create(w);

    bind_at(w, mw, at, length, flags);
    close_any(&mw->Header);
}

static void bind_without_rights(struct world *w)
{
    bind_once(w, 0, 10, 0);
}

static void bind_outside(struct world *w)
{
    bind_once(w, BUFFER_OCTETS - 9, 10, NDK_OP_FLAG_ALLOW_REMOTE_READ);
}

static void bind_what_is_not_registered(struct world *w)
{
    OK(w->mr->Dispatch->NdkDeregisterMr(w->mr, done, NULL));
    bind_once(w, 0, 10, NDK_OP_FLAG_ALLOW_REMOTE_READ);
}

static void bind_for_writing_what_is_not_writable(struct world *w)
{
    OK(w->mr->Dispatch->NdkDeregisterMr(w->mr, done, NULL));
    OK(mr_register(w, w->mr, 0, 0));
    bind_once(w, 0, 10, NDK_OP_FLAG_ALLOW_REMOTE_WRITE);
}

static void bind_twice(struct world *w)
{
    NDK_MW *mw = mw_create(w);

    bind_at(w, mw, 0, 10, NDK_OP_FLAG_ALLOW_REMOTE_READ);
    bind_at(w, mw, 0, 10, NDK_OP_FLAG_ALLOW_REMOTE_READ);
    close_any(&mw->Header);
}

static void bind_rightly(struct world *w)
{
    NDK_MW *mw = mw_create(w);

    bind_at(w, mw, BUFFER_OCTETS - 10, 10, REMOTE);
    (void)mw->Dispatch->NdkGetRemoteTokenFromMw(mw);
    OK(invalidate(w, mw));
    bind_at(w, mw, 0, 10, NDK_OP_FLAG_ALLOW_REMOTE_READ);
    close_any(&mw->Header);
}

static void deregister_under_a_window(struct world *w)
{
    NDK_MW *mw = mw_create(w);

    bind_at(w, mw, 0, 10, NDK_OP_FLAG_ALLOW_REMOTE_READ);
    OK(w->mr->Dispatch->NdkDeregisterMr(w->mr, done, NULL));
    close_any(&mw->Header);
}

static void deregister_after_the_window(struct world *w)
{
    bind_rightly(w);
    OK(w->mr->Dispatch->NdkDeregisterMr(w->mr, done, NULL));
}

/* ---- M12, M13, M18 ---- */

static void invalidate_an_ordinary_region(struct world *w)
{
    OK(invalidate(w, w->mr));
}

static void invalidate_twice(struct world *w)
{
    OK(fast_register(w, w->fast, 0));
    OK(invalidate(w, w->fast));
    OK(invalidate(w, w->fast));
}

/* The peer invalidates; the consumer is told by the call that it collects with. */
static void peer_invalidates(struct world *w, bool is_plain)
{
    NDK_RESULT r[DEPTH];

    OK(fast_register(w, w->fast, REMOTE));
    (void)collect(w);
    fake.invalidates = fake_of(w->fast)->token;
    OK(w->qp->Dispatch->NdkReceive(w->qp, NULL, NULL, 0));
    if (is_plain)
        assert_int_equal(w->cq->Dispatch->NdkGetCqResults(w->cq, r, DEPTH), 1);
    else
        assert_int_equal(collect(w), 1);
}

static void invalidate_after_the_peer(struct world *w)
{
    peer_invalidates(w, false);
    OK(invalidate(w, w->fast));
}

static void invalidate_what_was_told_plainly(struct world *w)
{
    peer_invalidates(w, true);
    OK(invalidate(w, w->fast));
}

static void register_after_the_peer(struct world *w)
{
    peer_invalidates(w, false);
    OK(fast_register(w, w->fast, REMOTE));
    OK(invalidate(w, w->fast));
}

/* A read that invalidates does so when it completes, also silently. */
static void register_after_a_read(struct world *w)
{
    NDK_SGE sge;

    OK(fast_register(w, w->fast, NDK_OP_FLAG_ALLOW_LOCAL_WRITE));
    sge = sge_of(fake_of(w->fast)->token, (void *)(uintptr_t)PAGE_SIZE, 10);
    OK(w->qp->Dispatch->NdkRead(w->qp, NULL, &sge, 1, 0, 0,
        NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE | NDK_OP_FLAG_SILENT_SUCCESS));
    OK(send_nothing(w, 0));
    (void)collect(w);
    OK(fast_register(w, w->fast, 0));
}

/* ---- M16 ---- */

static void release_under_a_region(struct world *w)
{
    OK(fast_register(w, w->fast, 0));
    (void)collect(w);
    lam_release(w);
    w->lam.lam.AdapterContext = NULL;
}

static void release_after_invalidate(struct world *w)
{
    OK(fast_register(w, w->fast, 0));
    OK(invalidate(w, w->fast));
    (void)collect(w);
    lam_release(w);
    w->lam.lam.AdapterContext = NULL;
}

enum { CONNECTED_MR = WANT_CONNECTED | WANT_MR, CONNECTED_FAST = WANT_CONNECTED | WANT_FAST };

static const struct row rows[] = {
    {VERIFY_M1, WANT_FAST, register_a_fast_region, token_in_time},
    {VERIFY_M1, 0, initialise_an_ordinary_region, nothing},
    {VERIFY_M1, CONNECTED_FAST, fast_register_an_ordinary_region, register_and_invalidate},
    {VERIFY_M2, WANT_MR, register_twice, register_again},
    {VERIFY_M2, WANT_MR, deregister_what_is_not, register_again},
    {VERIFY_M3, CONNECTED_FAST, register_too_early, register_and_invalidate},
    {VERIFY_M3, CONNECTED_FAST, register_while_initialising, register_and_invalidate},
    {VERIFY_M4, CONNECTED_FAST, register_without_invalidate, register_and_invalidate},
    {VERIFY_M4, CONNECTED_FAST, register_without_invalidate, register_after_failure},
    {VERIFY_M5, CONNECTED_FAST, too_many_pages, register_and_invalidate},
    {VERIFY_M5, CONNECTED_FAST, pages_not_aligned, register_and_invalidate},
    {VERIFY_M5, CONNECTED_FAST, pages_of_no_lam, register_and_invalidate},
    {VERIFY_M6, CONNECTED_FAST, fbo_too_large, range_rightly},
    {VERIFY_M6, CONNECTED_FAST, longer_than_its_pages, range_rightly},
    {VERIFY_M6, CONNECTED_FAST, base_at_another_offset, range_rightly},
    {VERIFY_M7, CONNECTED_FAST, remote_without_leave, local_without_leave},
    {VERIFY_M8, WANT_FAST, token_too_early, token_in_time},
    {VERIFY_M8, WANT_FAST, window_token_too_early, token_in_time},
    {VERIFY_M9, CONNECTED_MR, bind_without_rights, bind_rightly},
    {VERIFY_M10, CONNECTED_MR, bind_outside, bind_rightly},
    {VERIFY_M10, CONNECTED_MR, bind_what_is_not_registered, bind_rightly},
    {VERIFY_M10, CONNECTED_MR, bind_for_writing_what_is_not_writable, bind_rightly},
    {VERIFY_M11, CONNECTED_MR, bind_twice, bind_rightly},
    {VERIFY_M12, CONNECTED_MR, invalidate_an_ordinary_region, nothing},
    {VERIFY_M13, CONNECTED_FAST, invalidate_twice, register_after_a_read},
    {VERIFY_M13, CONNECTED_FAST, invalidate_after_the_peer, register_after_the_peer},
    {VERIFY_M14, CONNECTED_MR, deregister_under_a_window, deregister_after_the_window},
    {VERIFY_M16, CONNECTED_FAST, release_under_a_region, release_after_invalidate},
    {VERIFY_M17, CONNECTED_FAST, register_over_an_orphan, invalidate_an_orphan},
    {VERIFY_M18, CONNECTED_FAST, invalidate_what_was_told_plainly, register_after_the_peer},
};

static void each_mistake_is_reported(void **state)
{
    (void)state;
    check_rows(rows, SN_ARRAY_COUNT(rows), "M");
    run_rows(rows, SN_ARRAY_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
