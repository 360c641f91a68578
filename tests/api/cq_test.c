/* SPDX-License-Identifier: MIT */
/*
 * NDK_CQ_DISPATCH. Completions come from receives on a queue pair that is never connected, which a
 * flush cancels: no peer is needed.
 */
#include "support/consumer.h"

#include <stdlib.h>

#include "support/consumer_wait.h"
#include "support/create.h"
#include "support/unit.h"

enum { DEPTH = 64 };

struct notes {
    unsigned count;
    NTSTATUS status;
    KIRQL irql;
    NDK_CQ *close_me; /* closed from inside the notification */
    struct ndk_call *closing;
    NTSTATUS close_returned;
};

static VOID on_notified(PVOID context, NTSTATUS status)
{
    struct notes *n = context;

    if (n->close_me != NULL) {
        n->close_returned =
            n->close_me->Dispatch->NdkCloseCq(&n->close_me->Header, call_closed, n->closing);
        call_started(n->closing, n->close_returned);
    }
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
}

static unsigned count_of(struct notes *n)
{
    unsigned count;

    consumer_lock();
    count = n->count;
    consumer_unlock();
    return count;
}

/* A CQ with a queue pair that makes completions on it. */
struct source {
    struct consumer *c;
    NDK_CQ *cq;
    NDK_QP *qp;
    struct notes notes;
};

static void new_qp(struct source *s)
{
    const struct qp_attr attr = {.receive_cq = s->cq,
        .initiator_cq = s->cq,
        .context = s,
        .receive_depth = DEPTH,
        .receive_sge = 1};

    assert_ntstatus(create_qp(s->c, s->c->pd, &attr, &s->qp), STATUS_SUCCESS);
}

static struct source *source_open(ULONG depth)
{
    struct source *s = calloc(1, sizeof *s);

    assert_non_null(s);
    s->c = consumer_open(NULL);
    assert_ntstatus(
        consumer_create_cq(s->c, depth, on_notified, &s->notes, &s->cq), STATUS_SUCCESS);
    new_qp(s);
    return s;
}

static void source_close(struct source *s)
{
    if (s->qp != NULL)
        consumer_close_object(s->c, &s->qp->Header);
    if (s->cq != NULL)
        consumer_close_object(s->c, &s->cq->Header);
    consumer_close(s->c);
    free(s);
}

static void post(struct source *s, uintptr_t first, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_ntstatus(
            s->qp->Dispatch->NdkReceive(s->qp, (PVOID)(first + i), NULL, 0), STATUS_SUCCESS);
}

/* n completions with contexts from `first`, in order, are on the CQ when this returns: the close of
 * the queue pair cancels its receives and is done only when they have reported. */
static void complete(struct source *s, uintptr_t first, unsigned n)
{
    post(s, first, n);
    s->qp->Dispatch->NdkFlush(s->qp);
    consumer_close_object(s->c, &s->qp->Header);
    new_qp(s);
}

static void expect(const NDK_RESULT *r, const struct source *s, uintptr_t id)
{
    assert_ntstatus(r->Status, STATUS_CANCELLED);
    assert_ptr_equal(r->QPContext, s);
    assert_int_equal((uintptr_t)r->RequestContext, id);
}

/* ---- creating ---- */

/* [NDKPI NDK_FN_CREATE_CQ] */
static void depths_have_limits(void **state)
{
    struct consumer *c = consumer_open(NULL);
    NDK_CQ *cq;

    (void)state;
    assert_ntstatus(consumer_create_cq(c, 0, never_notified, NULL, &cq), STATUS_INVALID_PARAMETER);
    assert_ntstatus(consumer_create_cq(c, c->info.MaxCqDepth + 1, never_notified, NULL, &cq),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        consumer_create_cq(c, MAXULONG, never_notified, NULL, &cq), STATUS_INVALID_PARAMETER);
    assert_ntstatus(consumer_create_cq(c, 1, never_notified, NULL, &cq), STATUS_SUCCESS);
    consumer_close_object(c, &cq->Header);
    assert_ntstatus(
        consumer_create_cq(c, c->info.MaxCqDepth, never_notified, NULL, &cq), STATUS_SUCCESS);
    consumer_close_object(c, &cq->Header);
    consumer_close(c);
}

/* ---- results ---- */

/* [NDKPI NDK_FN_GET_CQ_RESULTS] Both forms drain one queue, oldest first. */
static void results_come_in_order_through_both_forms(void **state)
{
    struct source *s = source_open(DEPTH);
    NDK_RESULT plain[DEPTH];
    NDK_RESULT_EX ex[DEPTH];
    uintptr_t id = 100;

    (void)state;
    assert_int_equal(s->cq->Dispatch->NdkGetCqResults(s->cq, plain, DEPTH), 0);
    assert_int_equal(s->cq->Dispatch->NdkGetCqResultsEx(s->cq, ex, DEPTH), 0);
    complete(s, id, 60);
    assert_int_equal(s->cq->Dispatch->NdkGetCqResults(s->cq, plain, 0), 0);
    assert_int_equal(s->cq->Dispatch->NdkGetCqResults(s->cq, NULL, 0), 0);
    assert_int_equal(s->cq->Dispatch->NdkGetCqResults(s->cq, plain, 1), 1);
    expect(&plain[0], s, id++);
    assert_int_equal(s->cq->Dispatch->NdkGetCqResultsEx(s->cq, ex, 20), 20);
    for (unsigned i = 0; i < 20; i++) {
        assert_ntstatus(ex[i].Status, STATUS_CANCELLED);
        assert_int_equal(ex[i].Type, NdkOperationTypeReceive);
        assert_ptr_equal(ex[i].QPContext, s);
        assert_int_equal((uintptr_t)ex[i].RequestContext, id++);
    }
    assert_int_equal(s->cq->Dispatch->NdkGetCqResults(s->cq, plain, DEPTH), 39);
    for (unsigned i = 0; i < 39; i++)
        expect(&plain[i], s, id++);
    assert_int_equal(s->cq->Dispatch->NdkGetCqResults(s->cq, plain, DEPTH), 0);
    source_close(s);
}

/* ---- arming ---- */

/* [NDKPI NDK_FN_FLUSH] Two receives of a queue pair that was never connected: two results, one
 * notification. */
static void one_arm_gives_one_notification(void **state)
{
    struct source *s = source_open(DEPTH);
    NDK_RESULT r[2];

    (void)state;
    s->cq->Dispatch->NdkArmCq(s->cq, NDK_CQ_NOTIFY_ANY);
    complete(s, 1, 2);
    wait_notified(&s->notes);
    assert_ntstatus(s->notes.status, STATUS_SUCCESS);
    assert_int_equal(s->notes.irql, DISPATCH_LEVEL);
    complete(s, 3, 2); /* not armed any more */
    assert_int_equal(s->cq->Dispatch->NdkGetCqResults(s->cq, r, 2), 2);
    expect(&r[0], s, 1);
    expect(&r[1], s, 2);
    assert_int_equal(s->cq->Dispatch->NdkGetCqResults(s->cq, r, 2), 2);
    assert_int_equal(count_of(&s->notes), 1);
    source_close(s);
}

static void without_an_arm_nothing_is_called(void **state)
{
    struct source *s = source_open(DEPTH);

    (void)state;
    complete(s, 1, 4);
    s->cq->Dispatch->NdkArmCq(s->cq, 3); /* no such type: arms nothing */
    s->cq->Dispatch->NdkArmCq(s->cq, MAXULONG);
    complete(s, 5, 4);
    consumer_close_object(s->c, &s->qp->Header);
    s->qp = NULL;
    consumer_close_object(s->c, &s->cq->Header);
    s->cq = NULL;
    assert_int_equal(count_of(&s->notes), 0);
    source_close(s);
}

/* A consumer that polls until empty and arms then relies on this. */
static void what_came_before_the_arm_fires_it_at_once(void **state)
{
    static const ULONG types[] = {NDK_CQ_NOTIFY_ANY, NDK_CQ_NOTIFY_SOLICITED};

    (void)state;
    for (unsigned t = 0; t < 2; t++) {
        struct source *s = source_open(DEPTH);

        complete(s, 1, 1); /* cancelled: an error satisfies SOLICITED as well */
        s->cq->Dispatch->NdkArmCq(s->cq, types[t]);
        wait_notified(&s->notes);
        assert_int_equal(count_of(&s->notes), 1);
        source_close(s);
    }
}

/* ERRORS means errors of the queue itself, not of requests. */
static void failed_requests_are_no_errors_of_the_queue(void **state)
{
    struct source *s = source_open(DEPTH);

    (void)state;
    s->cq->Dispatch->NdkArmCq(s->cq, NDK_CQ_NOTIFY_ERRORS);
    complete(s, 1, 4);
    assert_int_equal(count_of(&s->notes), 0);
    s->cq->Dispatch->NdkArmCq(s->cq, NDK_CQ_NOTIFY_ANY); /* the wider arm wins */
    wait_notified(&s->notes);
    source_close(s);
}

/* [NDKPI NDK_FN_CQ_NOTIFICATION_CALLBACK] More completions than the queue holds. */
static void an_overrun_is_told(void **state)
{
    struct source *s = source_open(4);

    (void)state;
    s->cq->Dispatch->NdkArmCq(s->cq, NDK_CQ_NOTIFY_ERRORS);
    post(s, 1, 5);
    s->qp->Dispatch->NdkFlush(s->qp);
    wait_notified(&s->notes);
    assert_ntstatus(s->notes.status, STATUS_BUFFER_OVERFLOW);
    source_close(s);
}

static void a_queue_may_be_closed_in_its_notification(void **state)
{
    struct source *s = source_open(DEPTH);

    (void)state;
    s->notes.close_me = s->cq;
    s->notes.closing = call_begin(s->c);
    post(s, 1, 1);
    s->cq->Dispatch->NdkArmCq(s->cq, NDK_CQ_NOTIFY_ANY);
    s->qp->Dispatch->NdkFlush(s->qp);
    wait_notified(&s->notes);
    assert_ntstatus(s->notes.close_returned, STATUS_PENDING);
    consumer_close_object(s->c, &s->qp->Header); /* the close of the CQ waits for it */
    s->qp = NULL;
    assert_ntstatus(call_wait(s->notes.closing), STATUS_SUCCESS);
    s->cq = NULL;
    s->c->objects--;
    source_close(s);
}

/* ---- resizing ---- */

/* [NDKPI NDK_FN_RESIZE_CQ] */
static NTSTATUS resize(struct source *s, ULONG depth)
{
    struct ndk_call *call = call_begin(s->c);

    return call_end(call, s->cq->Dispatch->NdkResizeCq(s->cq, depth, call_completed, call));
}

static void a_resize_loses_nothing(void **state)
{
    struct source *s = source_open(8);
    NDK_RESULT r[DEPTH];

    (void)state;
    complete(s, 1, 8);
    assert_ntstatus(resize(s, 7), STATUS_BUFFER_OVERFLOW);
    assert_ntstatus(resize(s, DEPTH), STATUS_SUCCESS);
    complete(s, 9, DEPTH - 8);
    assert_int_equal(s->cq->Dispatch->NdkGetCqResults(s->cq, r, 10), 10);
    for (unsigned i = 0; i < 10; i++)
        expect(&r[i], s, 1 + i);
    assert_ntstatus(resize(s, DEPTH - 10), STATUS_SUCCESS);
    assert_int_equal(s->cq->Dispatch->NdkGetCqResults(s->cq, r, DEPTH), DEPTH - 10);
    for (unsigned i = 0; i < DEPTH - 10; i++)
        expect(&r[i], s, 11 + i);
    assert_ntstatus(resize(s, 1), STATUS_SUCCESS);
    complete(s, 90, 1);
    assert_int_equal(s->cq->Dispatch->NdkGetCqResults(s->cq, r, DEPTH), 1);
    source_close(s);
}

static void a_resize_has_limits(void **state)
{
    struct source *s = source_open(8);

    (void)state;
    assert_ntstatus(resize(s, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(resize(s, s->c->info.MaxCqDepth + 1), STATUS_INVALID_PARAMETER);
    assert_ntstatus(s->cq->Dispatch->NdkResizeCq(s->cq, 16, NULL, NULL), STATUS_INVALID_PARAMETER);
    source_close(s);
}

/* ---- moderation ---- */

/* [NDKPI NDK_FN_CONTROL_CQ_INTERRUPT_MODERATION] */
static void moderation_takes_all_but_two_infinities(void **state)
{
    static const struct {
        ULONG interval, count;
        NTSTATUS want;
    } cases[] = {
        {0, 0, STATUS_SUCCESS},
        {0, MAXULONG, STATUS_SUCCESS},
        {MAXULONG, 0, STATUS_SUCCESS},
        {MAXULONG, 1, STATUS_SUCCESS},
        {20, MAXULONG, STATUS_SUCCESS}, /* what a known consumer sets */
        {MAXULONG, 8, STATUS_SUCCESS},
        {MAXULONG - 1, MAXULONG, STATUS_SUCCESS},
        {MAXULONG, MAXULONG, STATUS_INVALID_PARAMETER_MIX},
    };
    struct source *s = source_open(DEPTH);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_ntstatus(s->cq->Dispatch->NdkControlCqInterruptModeration(
                            s->cq, cases[i].interval, cases[i].count),
            cases[i].want);
    source_close(s);
}

static void moderated_notifications_come_all_the_same(void **state)
{
    static const struct {
        ULONG interval, count;
        unsigned completions;
    } cases[] = {{20, MAXULONG, 1}, {20, 8, 3}, {MAXULONG, 8, 8}, {1000, 1, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct source *s = source_open(DEPTH);

        assert_ntstatus(s->cq->Dispatch->NdkControlCqInterruptModeration(
                            s->cq, cases[i].interval, cases[i].count),
            STATUS_SUCCESS);
        s->cq->Dispatch->NdkArmCq(s->cq, NDK_CQ_NOTIFY_ANY);
        complete(s, 1, cases[i].completions);
        wait_notified(&s->notes);
        assert_int_equal(count_of(&s->notes), 1);
        source_close(s);
    }
}

/* ---- the strict profile ---- */

static void the_strict_profile_has_neither(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct consumer *c;
    NDK_CQ *cq;

    (void)state;
    o.RequireReadSink = 1;
    c = consumer_open(&o);
    assert_ntstatus(consumer_create_cq(c, 8, never_notified, NULL, &cq), STATUS_SUCCESS);
    assert_ntstatus(cq->Dispatch->NdkResizeCq(cq, 16, never_completed, NULL), STATUS_NOT_SUPPORTED);
    assert_ntstatus(
        cq->Dispatch->NdkControlCqInterruptModeration(cq, 20, MAXULONG), STATUS_NOT_SUPPORTED);
    consumer_close_object(c, &cq->Header);
    consumer_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depths_have_limits),
        cmocka_unit_test(results_come_in_order_through_both_forms),
        cmocka_unit_test(one_arm_gives_one_notification),
        cmocka_unit_test(without_an_arm_nothing_is_called),
        cmocka_unit_test(what_came_before_the_arm_fires_it_at_once),
        cmocka_unit_test(failed_requests_are_no_errors_of_the_queue),
        cmocka_unit_test(an_overrun_is_told),
        cmocka_unit_test(a_queue_may_be_closed_in_its_notification),
        cmocka_unit_test(a_resize_loses_nothing),
        cmocka_unit_test(a_resize_has_limits),
        cmocka_unit_test(moderation_takes_all_but_two_infinities),
        cmocka_unit_test(moderated_notifications_come_all_the_same),
        cmocka_unit_test(the_strict_profile_has_neither),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
