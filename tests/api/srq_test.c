/* SPDX-License-Identifier: MIT */
/* NDK_SRQ_DISPATCH, alone and under connected queue pairs. */
#include "support/consumer.h"

#include <stdlib.h>

#include "support/consumer_wait.h"
#include "support/create.h"
#include "support/pair.h"
#include "support/unit.h"

struct notes {
    unsigned count;
    NTSTATUS status;
    KIRQL irql;
};

static VOID on_notified(PVOID context, NTSTATUS status)
{
    struct notes *n = context;

    consumer_lock();
    n->count++;
    n->status = status;
    n->irql = KeGetCurrentIrql();
    consumer_wake();
    consumer_unlock();
}

static bool is_notified(void *arg)
{
    const struct notes *n = arg;

    return n->count > 0;
}

static void wait_notified(struct notes *n)
{
    bool there;

    consumer_lock();
    there = consumer_wait(is_notified, n);
    consumer_unlock();
    assert_true(there);
    assert_ntstatus(n->status, STATUS_SUCCESS);
    assert_int_equal(n->irql, DISPATCH_LEVEL);
}

static NTSTATUS modify(struct consumer *c, NDK_SRQ *srq, ULONG depth, ULONG threshold)
{
    struct ndk_call *call = call_begin(c);

    return call_end(call, srq->Dispatch->NdkModifySrq(srq, depth, threshold, call_completed, call));
}

static NTSTATUS post_empty(NDK_SRQ *srq, uintptr_t id)
{
    return srq->Dispatch->NdkSrqReceive(srq, (PVOID)id, NULL, 0);
}

/* [NDKPI NDK_FN_CREATE_SRQ] */
static void depth_and_entries_have_limits(void **state)
{
    struct consumer *c = consumer_open(NULL);
    struct srq_attr attr = {.depth = c->info.MaxSrqDepth, .sge = c->info.MaxReceiveRequestSge};
    NDK_SRQ *srq;

    (void)state;
    assert_ntstatus(create_srq(c, c->pd, &attr, &srq), STATUS_SUCCESS);
    consumer_close_object(c, &srq->Header);
    attr.depth++;
    assert_ntstatus(create_srq(c, c->pd, &attr, &srq), STATUS_INVALID_PARAMETER);
    attr.depth = 1;
    attr.sge++;
    assert_ntstatus(create_srq(c, c->pd, &attr, &srq), STATUS_INVALID_PARAMETER);
    consumer_close(c);
}

/* [NDKPI NDK_FN_SRQ_RECEIVE] */
static void a_pool_takes_what_fits(void **state)
{
    const struct srq_attr attr = {.depth = 3, .sge = 2};
    struct consumer *c = consumer_open(NULL);
    struct memory *m = memory_open(c, NULL, 64, MEMORY_ALL);
    NDK_SGE sgl[3] = {memory_sge(m, 0, 8), memory_sge(m, 8, 8), memory_sge(m, 16, 8)};
    NDK_SRQ *srq;

    (void)state;
    assert_ntstatus(create_srq(c, c->pd, &attr, &srq), STATUS_SUCCESS);
    assert_ntstatus(srq->Dispatch->NdkSrqReceive(srq, NULL, NULL, 1), STATUS_INVALID_PARAMETER);
    assert_ntstatus(srq->Dispatch->NdkSrqReceive(srq, NULL, sgl, 3), STATUS_INVALID_PARAMETER);
    for (uintptr_t id = 0; id < 3; id++)
        assert_ntstatus(srq->Dispatch->NdkSrqReceive(srq, (PVOID)id, sgl, 2), STATUS_SUCCESS);
    assert_ntstatus(post_empty(srq, 3), STATUS_INSUFFICIENT_RESOURCES);
    consumer_close_object(c, &srq->Header); /* what is queued is dropped without a word */
    memory_close(m);
    consumer_close(c);
}

/* [NDKPI NDK_FN_MODIFY_SRQ] */
static void depth_can_be_changed(void **state)
{
    const struct srq_attr attr = {.depth = 2, .sge = 1};
    struct consumer *c = consumer_open(NULL);
    NDK_SRQ *srq;

    (void)state;
    assert_ntstatus(create_srq(c, c->pd, &attr, &srq), STATUS_SUCCESS);
    assert_ntstatus(post_empty(srq, 1), STATUS_SUCCESS);
    assert_ntstatus(post_empty(srq, 2), STATUS_SUCCESS);
    assert_ntstatus(modify(c, srq, 1, 0), STATUS_BUFFER_OVERFLOW);
    assert_ntstatus(modify(c, srq, c->info.MaxSrqDepth + 1, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(modify(c, srq, 0, 0), STATUS_SUCCESS); /* nothing changes */
    assert_ntstatus(post_empty(srq, 3), STATUS_INSUFFICIENT_RESOURCES);
    assert_ntstatus(modify(c, srq, 4, 0), STATUS_SUCCESS);
    assert_ntstatus(post_empty(srq, 3), STATUS_SUCCESS);
    assert_ntstatus(post_empty(srq, 4), STATUS_SUCCESS);
    assert_ntstatus(post_empty(srq, 5), STATUS_INSUFFICIENT_RESOURCES);
    assert_ntstatus(srq->Dispatch->NdkModifySrq(srq, 8, 0, NULL, NULL), STATUS_INVALID_PARAMETER);
    consumer_close_object(c, &srq->Header);
    consumer_close(c);
}

static void a_threshold_not_reached_notifies_at_once(void **state)
{
    struct notes notes = {0};
    const struct srq_attr attr = {.depth = 8, .sge = 1, .notify = on_notified, .context = &notes};
    struct consumer *c = consumer_open(NULL);
    NDK_SRQ *srq;

    (void)state;
    assert_ntstatus(create_srq(c, c->pd, &attr, &srq), STATUS_SUCCESS);
    assert_ntstatus(post_empty(srq, 1), STATUS_SUCCESS);
    assert_ntstatus(modify(c, srq, 0, 2), STATUS_SUCCESS);
    wait_notified(&notes);
    consumer_close_object(c, &srq->Header);
    assert_int_equal(notes.count, 1);
    consumer_close(c);
}

struct rearming {
    struct notes notes;
    NDK_SRQ *srq;
    unsigned inside, times;
    bool was_nested;
};

static VOID ignore_answer(PVOID context, NTSTATUS status)
{
    (void)context;
    (void)status;
}

/* Consumers arm again in the notification itself. */
static VOID on_notified_arm_again(PVOID context, NTSTATUS status)
{
    struct rearming *r = context;
    bool again;

    consumer_lock();
    r->was_nested |= r->inside++ != 0;
    again = --r->times > 0;
    consumer_unlock();
    if (again)
        (void)r->srq->Dispatch->NdkModifySrq(r->srq, 0, 2, ignore_answer, NULL);
    consumer_lock();
    r->inside--;
    consumer_unlock();
    if (!again)
        on_notified(&r->notes, status);
}

/* Each arming is one notification, also one that is due while the last one runs; never two at a
 * time. [NDKPI NDK_FN_SRQ_NOTIFICATION_CALLBACK] */
static void a_notification_may_arm_the_next(void **state)
{
    struct rearming r = {.times = 3};
    const struct srq_attr attr = {
        .depth = 8, .sge = 1, .notify = on_notified_arm_again, .context = &r};
    struct consumer *c = consumer_open(NULL);

    (void)state;
    assert_ntstatus(create_srq(c, c->pd, &attr, &r.srq), STATUS_SUCCESS);
    assert_ntstatus(modify(c, r.srq, 0, 2), STATUS_SUCCESS);
    wait_notified(&r.notes);
    consumer_close_object(c, &r.srq->Header); /* nothing comes after it */
    assert_int_equal(r.notes.count, 1);
    assert_int_equal(r.times, 0);
    assert_false(r.was_nested);
    consumer_close(c);
}

/* Two queue pairs take from one pool; completions say whose message it was. */
static void two_queue_pairs_share_a_pool(void **state)
{
    struct notes notes = {0};
    struct srq_attr attr = {
        .depth = 8, .sge = 1, .threshold = 2, .notify = on_notified, .context = &notes};
    struct pair p = pair_open(NULL);
    struct memory *m = memory_open(p.c, NULL, 4096, MEMORY_ALL);
    struct endpoint_options with_srq = {0};
    struct endpoint *to[2], *from[2];
    NDK_SRQ *srq;

    (void)state;
    assert_ntstatus(create_srq(p.c, p.c->pd, &attr, &srq), STATUS_SUCCESS);
    with_srq.srq = srq;
    for (unsigned i = 0; i < 2; i++) {
        struct pair more = p;

        from[i] = endpoint_open(p.c, NULL);
        to[i] = endpoint_open(p.c, &with_srq);
        more.active = from[i];
        more.passive = to[i];
        pair_connect(&more, NULL);
    }
    assert_ntstatus(to[0]->qp->Dispatch->NdkReceive(to[0]->qp, NULL, NULL, 0),
        STATUS_INVALID_PARAMETER); /* its receives come from the pool */
    for (uintptr_t id = 0; id < 4; id++) {
        NDK_SGE sge = memory_sge(m, 1024 + id * 64, 64);

        assert_ntstatus(srq->Dispatch->NdkSrqReceive(srq, (PVOID)id, &sge, 1), STATUS_SUCCESS);
    }
    for (uintptr_t id = 0; id < 3; id++) {
        m->p[id] = (uint8_t)(0xa0 + id);
        endpoint_send(from[id % 2], 10 + id, m, id, 1, 0);
        endpoint_expect_received(to[id % 2], id, 1);
        assert_int_equal(m->p[1024 + id * 64], 0xa0 + id);
        endpoint_expect_initiated(from[id % 2], 10 + id);
        if (id < 2)
            assert_int_equal(notes.count, 0);
    }
    wait_notified(&notes); /* one is left, two was the threshold */
    for (unsigned i = 0; i < 2; i++) {
        endpoint_close(from[i]);
        endpoint_close(to[i]);
    }
    consumer_close_object(p.c, &srq->Header);
    assert_int_equal(notes.count, 1);
    memory_close(m);
    pair_close(&p);
}

/* A message for an empty pool waits for the next receive. */
static void an_empty_pool_holds_the_sender(void **state)
{
    const struct srq_attr attr = {.depth = 8, .sge = 1};
    struct pair p = pair_begin(NULL);
    struct memory *m = memory_open(p.c, NULL, 4096, MEMORY_ALL);
    struct endpoint_options with_srq = {0};
    struct pair q = p;
    NDK_SGE sge = memory_sge(m, 1024, 64);
    NDK_SRQ *srq;

    (void)state;
    assert_ntstatus(create_srq(p.c, p.c->pd, &attr, &srq), STATUS_SUCCESS);
    with_srq.srq = srq;
    q.passive = endpoint_open(p.c, &with_srq);
    pair_connect(&q, NULL);
    memcpy(m->p, "held back", 9);
    endpoint_send(q.active, 1, m, 0, 9, 0);
    assert_ntstatus(srq->Dispatch->NdkSrqReceive(srq, (PVOID)7, &sge, 1), STATUS_SUCCESS);
    endpoint_expect_received(q.passive, 7, 9);
    assert_memory_equal(m->p + 1024, "held back", 9);
    endpoint_expect_initiated(q.active, 1);
    endpoint_close(q.passive);
    consumer_close_object(p.c, &srq->Header);
    memory_close(m);
    pair_close(&p);
}

static void the_strict_profile_has_no_pools(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct srq_attr attr = {.sge = 1};
    struct consumer *c;
    NDK_SRQ *srq;

    (void)state;
    o.RequireReadSink = 1;
    c = consumer_open(&o);
    for (attr.depth = 0; attr.depth < 2; attr.depth++)
        assert_ntstatus(create_srq(c, c->pd, &attr, &srq), STATUS_INVALID_PARAMETER);
    consumer_close(c);
}

/* [NDKPI NDK_FN_CLOSE_OBJECT] */
static void a_pool_waits_for_its_queue_pairs(void **state)
{
    const struct srq_attr attr = {.depth = 4, .sge = 1};
    struct consumer *c = consumer_open(NULL);
    struct endpoint_options with_srq = {0};
    struct ndk_call *closing = call_begin(c);
    struct endpoint *e;
    NDK_SRQ *srq;

    (void)state;
    assert_ntstatus(create_srq(c, c->pd, &attr, &srq), STATUS_SUCCESS);
    with_srq.srq = srq;
    e = endpoint_open(c, &with_srq);
    assert_ntstatus(post_empty(srq, 1), STATUS_SUCCESS);
    call_started(closing, srq->Dispatch->NdkCloseSrq(&srq->Header, call_closed, closing));
    assert_false(call_is_done(closing));
    endpoint_expect_no_received(e);
    endpoint_close(e);
    assert_ntstatus(call_wait(closing), STATUS_SUCCESS);
    c->objects--;
    consumer_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depth_and_entries_have_limits),
        cmocka_unit_test(a_pool_takes_what_fits),
        cmocka_unit_test(depth_can_be_changed),
        cmocka_unit_test(a_threshold_not_reached_notifies_at_once),
        cmocka_unit_test(a_notification_may_arm_the_next),
        cmocka_unit_test(two_queue_pairs_share_a_pool),
        cmocka_unit_test(an_empty_pool_holds_the_sender),
        cmocka_unit_test(the_strict_profile_has_no_pools),
        cmocka_unit_test(a_pool_waits_for_its_queue_pairs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
