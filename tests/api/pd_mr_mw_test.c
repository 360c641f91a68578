/* SPDX-License-Identifier: MIT */
/* NDK_PD_DISPATCH, NDK_MR_DISPATCH and NDK_MW_DISPATCH; what moves data is in qp_test.c. */
#include "support/consumer.h"

#include <stdlib.h>

#include "support/create.h"
#include "support/pair.h"
#include "support/unit.h"

enum { PAGE = 4096 };

/* ---- protection domains ---- */

static void what_is_mandatory_is_asked_for(void **state)
{
    struct consumer *c = consumer_open(NULL);
    NDK_PD *pd = c->pd;
    const NDK_PD_DISPATCH *d = pd->Dispatch;
    const NTSTATUS want = STATUS_INVALID_PARAMETER;
    NDK_CQ *cq;
    NDK_MR *mr = NULL;
    NDK_MW *mw = NULL;
    NDK_SRQ *srq = NULL;
    NDK_QP *qp = NULL;

    (void)state;
    assert_ntstatus(consumer_create_cq(c, 4, never_notified, NULL, &cq), STATUS_SUCCESS);
    assert_ntstatus(d->NdkCreateMr(pd, FALSE, NULL, NULL, &mr), want);
    assert_ntstatus(d->NdkCreateMr(pd, FALSE, never_created, NULL, NULL), want);
    assert_ntstatus(d->NdkCreateMw(pd, NULL, NULL, &mw), want);
    assert_ntstatus(d->NdkCreateMw(pd, never_created, NULL, NULL), want);
    assert_ntstatus(d->NdkCreateSrq(pd, 1, 1, 0, NULL, NULL, NULL, NULL, NULL, &srq), want);
    assert_ntstatus(
        d->NdkCreateSrq(pd, 1, 1, 0, NULL, NULL, NULL, never_created, NULL, NULL), want);
    assert_ntstatus(
        d->NdkCreateQp(pd, NULL, cq, NULL, 1, 1, 1, 1, 0, never_created, NULL, &qp), want);
    assert_ntstatus(
        d->NdkCreateQp(pd, cq, NULL, NULL, 1, 1, 1, 1, 0, never_created, NULL, &qp), want);
    assert_ntstatus(d->NdkCreateQp(pd, cq, cq, NULL, 1, 1, 1, 1, 0, NULL, NULL, &qp), want);
    assert_ntstatus(
        d->NdkCreateQp(pd, cq, cq, NULL, 1, 1, 1, 1, 0, never_created, NULL, NULL), want);
    assert_ntstatus(
        d->NdkCreateQpWithSrq(pd, cq, cq, NULL, NULL, 1, 1, 0, never_created, NULL, &qp), want);
    assert_true(mr == NULL && mw == NULL && srq == NULL && qp == NULL);
    consumer_close_object(c, &cq->Header);
    consumer_close(c);
}

/* [NDKPI NDK_FN_GET_PRIVILEGED_MEMORY_REGION_TOKEN] */
static void each_domain_has_a_privileged_token(void **state)
{
    struct consumer *c = consumer_open(NULL);
    NDK_PD *other;
    UINT32 mine = 0, again = 0, others = 0;

    (void)state;
    assert_ntstatus(consumer_create_pd(c, &other), STATUS_SUCCESS);
    c->pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(c->pd, &mine);
    c->pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(c->pd, &again);
    other->Dispatch->NdkGetPrivilegedMemoryRegionToken(other, &others);
    assert_int_not_equal(mine, 0);
    assert_int_equal(mine, again);
    assert_int_not_equal(mine, others);
    consumer_close_object(c, &other->Header);
    consumer_close(c);
}

/* ---- regions by MDL ---- */

struct region {
    struct consumer *c;
    NDK_MR *mr;
    uint8_t *p;
    MDL *mdl;
};

static struct region region_open(BOOLEAN fast)
{
    struct region r = {.c = consumer_open(NULL)};

    assert_ntstatus(consumer_create_mr(r.c, r.c->pd, fast, &r.mr), STATUS_SUCCESS);
    r.p = aligned_alloc(PAGE, 4 * PAGE);
    r.mdl = IoAllocateMdl(r.p, 4 * PAGE, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(r.mdl);
    return r;
}

static void region_close(struct region *r)
{
    if (r->mr != NULL)
        consumer_close_object(r->c, &r->mr->Header);
    IoFreeMdl(r->mdl);
    free(r->p);
    consumer_close(r->c);
}

static NTSTATUS enrol(struct region *r, MDL *mdl, SIZE_T length, ULONG flags)
{
    struct ndk_call *call = call_begin(r->c);

    return call_end(
        call, r->mr->Dispatch->NdkRegisterMr(r->mr, mdl, length, flags, call_completed, call));
}

static NTSTATUS strike(struct region *r)
{
    struct ndk_call *call = call_begin(r->c);

    return call_end(call, r->mr->Dispatch->NdkDeregisterMr(r->mr, call_completed, call));
}

static NTSTATUS initialize(struct region *r, ULONG pages, BOOLEAN remote)
{
    struct ndk_call *call = call_begin(r->c);

    return call_end(call,
        r->mr->Dispatch->NdkInitializeFastRegisterMr(r->mr, pages, remote, call_completed, call));
}

/* [NDKPI NDK_FN_REGISTER_MR] */
static void a_region_is_registered_and_deregistered_in_turn(void **state)
{
    struct region r = region_open(FALSE);
    UINT32 first, second;

    (void)state;
    assert_ntstatus(strike(&r), STATUS_INVALID_DEVICE_STATE);
    assert_ntstatus(enrol(&r, r.mdl, 4 * PAGE, 0), STATUS_SUCCESS);
    first = r.mr->Dispatch->NdkGetRemoteTokenFromMr(r.mr);
    assert_int_not_equal(first, 0);
    assert_int_not_equal(r.mr->Dispatch->NdkGetLocalTokenFromMr(r.mr), 0);
    assert_ntstatus(enrol(&r, r.mdl, 4 * PAGE, 0), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(r.mr->Dispatch->NdkGetRemoteTokenFromMr(r.mr), first);
    assert_ntstatus(strike(&r), STATUS_SUCCESS);
    assert_ntstatus(strike(&r), STATUS_INVALID_DEVICE_STATE);
    assert_ntstatus(enrol(&r, r.mdl, 1, 0), STATUS_SUCCESS);
    second = r.mr->Dispatch->NdkGetRemoteTokenFromMr(r.mr);
    assert_int_not_equal(second, first); /* the old one must not work any more */
    region_close(&r);                    /* registered: the close revokes it */
}

static void all_sets_of_rights_are_tried(void **state)
{
    struct region r = region_open(FALSE);

    (void)state;
    for (ULONG flags = 0; flags < 32; flags++) {
        bool is_sound = flags < 16 && (flags & 5) != 4; /* 4: half of ALLOW_REMOTE_WRITE */

        assert_ntstatus(
            enrol(&r, r.mdl, PAGE, flags), is_sound ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER);
        if (is_sound)
            assert_ntstatus(strike(&r), STATUS_SUCCESS);
    }
    assert_ntstatus(enrol(&r, r.mdl, PAGE, 0x80000001), STATUS_INVALID_PARAMETER);
    region_close(&r);
}

static void what_the_chain_does_not_hold_is_refused(void **state)
{
    struct region r = region_open(FALSE);
    MDL *next = IoAllocateMdl(r.p + 2 * PAGE, PAGE, FALSE, FALSE, NULL);
    MDL *first = IoAllocateMdl(r.p, 2 * PAGE, FALSE, FALSE, NULL);

    (void)state;
    MmBuildMdlForNonPagedPool(first);
    MmBuildMdlForNonPagedPool(next);
    assert_ntstatus(enrol(&r, NULL, 1, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(enrol(&r, r.mdl, 0, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(enrol(&r, r.mdl, 4 * PAGE + 1, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        enrol(&r, r.mdl, r.c->info.MaxRegistrationSize + 1, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(enrol(&r, r.mdl, SIZE_MAX, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        r.mr->Dispatch->NdkRegisterMr(r.mr, r.mdl, PAGE, 0, NULL, NULL), STATUS_INVALID_PARAMETER);
    first->Next = next;
    assert_ntstatus(enrol(&r, first, 3 * PAGE, 0), STATUS_SUCCESS);
    assert_ntstatus(strike(&r), STATUS_SUCCESS);
    first->Next = r.mdl; /* goes back to the start */
    assert_ntstatus(enrol(&r, first, 3 * PAGE, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(enrol(&r, first, 2 * PAGE, 0), STATUS_SUCCESS); /* but not so far */
    first->Next = NULL;
    IoFreeMdl(first);
    IoFreeMdl(next);
    region_close(&r);
}

/* ---- fast-register regions ---- */

/* [NDKPI NDK_FN_INITIALIZE_FAST_REGISTER_MR] The token is fetched once and used for ever. */
static void a_fast_region_keeps_its_token(void **state)
{
    struct region r = region_open(TRUE);
    UINT32 token;

    (void)state;
    assert_ntstatus(initialize(&r, 16, TRUE), STATUS_SUCCESS);
    token = r.mr->Dispatch->NdkGetRemoteTokenFromMr(r.mr);
    assert_int_not_equal(token, 0);
    assert_ntstatus(initialize(&r, r.c->info.FRMRPageCount, FALSE), STATUS_SUCCESS);
    assert_int_equal(r.mr->Dispatch->NdkGetRemoteTokenFromMr(r.mr), token);
    assert_int_equal(r.mr->Dispatch->NdkGetLocalTokenFromMr(r.mr), token);
    region_close(&r);
}

static void page_counts_have_limits(void **state)
{
    struct region r = region_open(TRUE);

    (void)state;
    assert_ntstatus(initialize(&r, 0, TRUE), STATUS_INVALID_PARAMETER);
    assert_ntstatus(initialize(&r, MAXULONG, TRUE), STATUS_IMPLEMENTATION_LIMIT);
    assert_ntstatus(initialize(&r, 1, TRUE), STATUS_SUCCESS);
    assert_ntstatus(r.mr->Dispatch->NdkInitializeFastRegisterMr(r.mr, 16, TRUE, NULL, NULL),
        STATUS_INVALID_PARAMETER);
    region_close(&r);
}

static void each_flavour_refuses_the_calls_of_the_other(void **state)
{
    struct region fast = region_open(TRUE), plain = region_open(FALSE);

    (void)state;
    assert_ntstatus(enrol(&fast, fast.mdl, PAGE, 0), STATUS_INVALID_DEVICE_STATE);
    assert_ntstatus(strike(&fast), STATUS_INVALID_DEVICE_STATE);
    assert_ntstatus(initialize(&plain, 16, TRUE), STATUS_INVALID_DEVICE_STATE);
    region_close(&fast);
    region_close(&plain);
}

/* ---- windows and closing ---- */

/* [NDKPI NDK_FN_BIND] [VRB-053] The region is an antecedent of its window, and busy while one is
 * bound. */
static void a_bound_window_holds_its_region(void **state)
{
    struct pair p = pair_open(NULL);
    struct memory *m = memory_open(p.c, NULL, PAGE, MEMORY_ALL);
    struct ndk_call *call = call_begin(p.c), *closing = call_begin(p.c);
    NDK_QP *qp = p.active->qp;
    NDK_MW *mw;

    (void)state;
    assert_ntstatus(consumer_create_mw(p.c, p.c->pd, &mw), STATUS_SUCCESS);
    assert_ntstatus(
        qp->Dispatch->NdkBind(qp, (PVOID)1, m->mr, mw, m->p, PAGE, NDK_OP_FLAG_ALLOW_REMOTE_READ),
        STATUS_SUCCESS);
    assert_int_not_equal(mw->Dispatch->NdkGetRemoteTokenFromMw(mw), 0);
    endpoint_expect_initiated(p.active, 1);
    assert_ntstatus(call_end(call, m->mr->Dispatch->NdkDeregisterMr(m->mr, call_completed, call)),
        STATUS_DEVICE_BUSY);
    assert_ntstatus(qp->Dispatch->NdkInvalidate(qp, (PVOID)2, &mw->Header, 0), STATUS_SUCCESS);
    endpoint_expect_initiated(p.active, 2);
    assert_ntstatus(
        qp->Dispatch->NdkBind(qp, (PVOID)3, m->mr, mw, m->p, PAGE, NDK_OP_FLAG_ALLOW_REMOTE_READ),
        STATUS_SUCCESS);
    endpoint_expect_initiated(p.active, 3);
    call_started(closing, m->mr->Dispatch->NdkCloseMr(&m->mr->Header, call_closed, closing));
    assert_false(call_is_done(closing));
    consumer_close_object(p.c, &mw->Header);
    assert_ntstatus(call_wait(closing), STATUS_SUCCESS);
    p.c->objects--;
    IoFreeMdl(m->mdl);
    free(m->p);
    free(m);
    pair_close(&p);
}

/* [NDKPI NDK_FN_CLOSE_OBJECT] */
static void a_domain_waits_for_what_is_in_it(void **state)
{
    struct consumer *c = consumer_open(NULL);
    struct ndk_call *closing = call_begin(c);
    NDK_PD *pd;
    NDK_MR *mr;
    NDK_MW *mw;

    (void)state;
    assert_ntstatus(consumer_create_pd(c, &pd), STATUS_SUCCESS);
    assert_ntstatus(consumer_create_mr(c, pd, TRUE, &mr), STATUS_SUCCESS);
    assert_ntstatus(consumer_create_mw(c, pd, &mw), STATUS_SUCCESS);
    call_started(closing, pd->Dispatch->NdkClosePd(&pd->Header, call_closed, closing));
    assert_false(call_is_done(closing));
    consumer_close_object(c, &mr->Header);
    assert_false(call_is_done(closing));
    consumer_close_object(c, &mw->Header);
    assert_ntstatus(call_wait(closing), STATUS_SUCCESS);
    c->objects--;
    consumer_close(c);
}

/* The documents ask for a routine; a NULL is taken for "I do not want to know". */
static void a_close_without_a_routine_still_closes(void **state)
{
    struct consumer *c = consumer_open(NULL);
    NDK_PD *pd;
    NDK_MR *mr;

    (void)state;
    assert_ntstatus(consumer_create_pd(c, &pd), STATUS_SUCCESS);
    assert_ntstatus(consumer_create_mr(c, pd, FALSE, &mr), STATUS_SUCCESS);
    assert_ntstatus(pd->Dispatch->NdkClosePd(&pd->Header, NULL, NULL), STATUS_PENDING);
    assert_ntstatus(mr->Dispatch->NdkCloseMr(&mr->Header, NULL, NULL), STATUS_SUCCESS);
    c->objects -= 2;
    consumer_close(c); /* waits for both */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_mandatory_is_asked_for),
        cmocka_unit_test(each_domain_has_a_privileged_token),
        cmocka_unit_test(a_region_is_registered_and_deregistered_in_turn),
        cmocka_unit_test(all_sets_of_rights_are_tried),
        cmocka_unit_test(what_the_chain_does_not_hold_is_refused),
        cmocka_unit_test(a_fast_region_keeps_its_token),
        cmocka_unit_test(page_counts_have_limits),
        cmocka_unit_test(each_flavour_refuses_the_calls_of_the_other),
        cmocka_unit_test(a_bound_window_holds_its_region),
        cmocka_unit_test(a_domain_waits_for_what_is_in_it),
        cmocka_unit_test(a_close_without_a_routine_still_closes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
