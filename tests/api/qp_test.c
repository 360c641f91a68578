/* SPDX-License-Identifier: MIT */
/* NDK_QP_DISPATCH: creating, posting and its refusals. Data that moves is in qp_data_test.c. */
#include "support/consumer.h"

#include <stdlib.h>

#include "support/create.h"
#include "support/pair.h"
#include "support/unit.h"

enum { PAGE = 4096 };

/* ---- creating ---- */

/* [NDKPI NDK_FN_CREATE_QP] Each attribute at its limit, and above it. */
static void attributes_have_limits(void **state)
{
    struct consumer *c = consumer_open(NULL);
    const NDK_ADAPTER_INFO *i = &c->info;
    struct qp_attr at_limit = {
        .receive_depth = i->MaxReceiveQueueDepth,
        .initiator_depth = i->MaxInitiatorQueueDepth,
        .receive_sge = i->MaxReceiveRequestSge,
        .initiator_sge = i->MaxInitiatorRequestSge,
        .inline_size = i->MaxInlineDataSize,
    };
    struct qp_attr cases[6], none = {0};
    NDK_CQ *cq;
    NDK_QP *qp;

    (void)state;
    assert_ntstatus(consumer_create_cq(c, 4, never_notified, NULL, &cq), STATUS_SUCCESS);
    at_limit.receive_cq = at_limit.initiator_cq = none.receive_cq = none.initiator_cq = cq;
    assert_ntstatus(create_qp(c, c->pd, &at_limit, &qp), STATUS_SUCCESS);
    consumer_close_object(c, &qp->Header);
    assert_ntstatus(create_qp(c, c->pd, &none, &qp), STATUS_SUCCESS); /* depth 0: always full */
    assert_ntstatus(qp->Dispatch->NdkReceive(qp, NULL, NULL, 0), STATUS_INSUFFICIENT_RESOURCES);
    consumer_close_object(c, &qp->Header);
    for (unsigned k = 0; k < 6; k++)
        cases[k] = at_limit;
    cases[0].receive_depth++;
    cases[1].initiator_depth++;
    cases[2].receive_sge++;
    cases[3].initiator_sge++;
    cases[4].inline_size++;
    cases[5].initiator_depth = MAXULONG;
    for (unsigned k = 0; k < 6; k++)
        assert_ntstatus(create_qp(c, c->pd, &cases[k], &qp), STATUS_INVALID_PARAMETER);
    consumer_close_object(c, &cq->Header);
    consumer_close(c);
}

/* [SEC-007] Nothing of another adapter, of which each has its own. */
static void objects_of_others_are_refused(void **state)
{
    struct consumer *c = consumer_open(NULL), *foreign = consumer_open(NULL);
    const struct srq_attr srq_attr = {.depth = 1, .sge = 1};
    struct qp_attr attr = {.receive_sge = 1, .initiator_sge = 1};
    NDK_CQ *ours, *theirs;
    NDK_SRQ *srq;
    NDK_QP *qp;

    (void)state;
    assert_ntstatus(consumer_create_cq(c, 4, never_notified, NULL, &ours), STATUS_SUCCESS);
    assert_ntstatus(consumer_create_cq(foreign, 4, never_notified, NULL, &theirs), STATUS_SUCCESS);
    assert_ntstatus(create_srq(foreign, foreign->pd, &srq_attr, &srq), STATUS_SUCCESS);
    attr.receive_cq = ours;
    attr.initiator_cq = theirs;
    assert_ntstatus(create_qp(c, c->pd, &attr, &qp), STATUS_INVALID_PARAMETER);
    attr.receive_cq = theirs;
    attr.initiator_cq = ours;
    assert_ntstatus(create_qp(c, c->pd, &attr, &qp), STATUS_INVALID_PARAMETER);
    attr.receive_cq = ours;
    attr.srq = srq;
    assert_ntstatus(create_qp(c, c->pd, &attr, &qp), STATUS_INVALID_PARAMETER);
    consumer_close_object(foreign, &srq->Header);
    consumer_close_object(c, &ours->Header);
    consumer_close_object(foreign, &theirs->Header);
    consumer_close(c);
    consumer_close(foreign);
}

/* ---- all initiator requests at once ---- */

struct request {
    struct endpoint *e;
    struct memory *m;
    NDK_MR *fast; /* initialised for 16 pages */
    NDK_MW *window;
};

enum which { SEND, SEND_AND_INVALIDATE, READ, WRITE, BIND, FAST_REGISTER, INVALIDATE, WHICH_COUNT };

/* One sound request of each kind but for `flags`. */
static NTSTATUS post(const struct request *r, enum which which, ULONG flags)
{
    NDK_QP *qp = r->e->qp;
    const NDK_QP_DISPATCH *d = qp->Dispatch;
    NDK_SGE sge = memory_sge(r->m, 0, 8);
    NDK_LOGICAL_ADDRESS page;

    page.QuadPart = PAGE; /* never touched */
    switch (which) {
    case SEND:
        return d->NdkSend(qp, NULL, &sge, 1, flags);
    case SEND_AND_INVALIDATE:
        return d->NdkSendAndInvalidate(qp, NULL, &sge, 1, flags, 1);
    case READ:
        return d->NdkRead(qp, NULL, &sge, 1, 0, 1, flags);
    case WRITE:
        return d->NdkWrite(qp, NULL, &sge, 1, 0, 1, flags);
    case BIND:
        return d->NdkBind(qp, NULL, r->m->mr, r->window, r->m->p, 8, flags);
    case FAST_REGISTER:
        return d->NdkFastRegister(qp, NULL, r->fast, 1, &page, 0, PAGE, NULL, flags);
    case INVALIDATE:
        return d->NdkInvalidate(qp, NULL, &r->fast->Header, flags);
    case WHICH_COUNT:
    default:
        return STATUS_UNSUCCESSFUL;
    }
}

static struct request request_open(struct consumer *c, struct endpoint *e)
{
    struct request r = {.e = e, .m = memory_open(c, NULL, PAGE, MEMORY_ALL)};
    struct ndk_call *call = call_begin(c);

    assert_ntstatus(consumer_create_mr(c, c->pd, TRUE, &r.fast), STATUS_SUCCESS);
    assert_ntstatus(consumer_create_mw(c, c->pd, &r.window), STATUS_SUCCESS);
    assert_ntstatus(call_end(call, r.fast->Dispatch->NdkInitializeFastRegisterMr(
                                       r.fast, 16, TRUE, call_completed, call)),
        STATUS_SUCCESS);
    return r;
}

static void request_close(struct request *r)
{
    consumer_close_object(r->m->c, &r->window->Header);
    consumer_close_object(r->m->c, &r->fast->Header);
    memory_close(r->m);
}

/* [NDKPI NDK_FN_SEND] Every request says so; receives alone may be posted early. */
static void requests_need_a_connection(void **state)
{
    struct consumer *c = consumer_open(NULL);
    struct endpoint *e = endpoint_open(c, NULL);
    struct request r = request_open(c, e);

    (void)state;
    for (unsigned w = 0; w < WHICH_COUNT; w++)
        assert_ntstatus(post(&r, (enum which)w, w == BIND ? NDK_OP_FLAG_ALLOW_REMOTE_READ : 0),
            STATUS_CONNECTION_INVALID);
    endpoint_receive(e, 1, r.m, 0, 8);
    endpoint_expect_no_initiated(e);
    endpoint_expect_no_received(e);
    e->qp->Dispatch->NdkFlush(e->qp);
    assert_ntstatus(endpoint_wait_received(e).Status, STATUS_CANCELLED);
    /* After the flush too, a receive is answered. */
    endpoint_receive(e, 2, r.m, 0, 8);
    assert_ntstatus(endpoint_wait_received(e).Status, STATUS_CANCELLED);
    endpoint_close(e);
    request_close(&r);
    consumer_close(c);
}

/* Flags that a request does not know are refused, whatever the state of the connection. */
static void foreign_flags_are_refused(void **state)
{
    static const ULONG known[WHICH_COUNT] = {
        [SEND] = 0x247,
        [SEND_AND_INVALIDATE] = 0x247,
        [READ] = 0x303,
        [WRITE] = 0x243,
        [BIND] = 0x23b,
        [FAST_REGISTER] = 0x2bb,
        [INVALIDATE] = 0x203,
    };
    struct consumer *c = consumer_open(NULL);
    struct endpoint *e = endpoint_open(c, NULL);
    struct request r = request_open(c, e);

    (void)state;
    for (unsigned w = 0; w < WHICH_COUNT; w++) {
        for (unsigned bit = 0; bit < 32; bit++) {
            ULONG flags = 1u << bit;
            bool is_half = flags == 0x20 || (flags == 0x10 && w == BIND);

            if (w == BIND && !is_half && (flags & known[w]) != 0)
                flags |= NDK_OP_FLAG_ALLOW_REMOTE_READ;
            assert_ntstatus(post(&r, (enum which)w, flags), (flags & ~known[w]) == 0 && !is_half
                                                                ? STATUS_CONNECTION_INVALID
                                                                : STATUS_INVALID_PARAMETER);
        }
    }
    endpoint_close(e);
    request_close(&r);
    consumer_close(c);
}

static void lists_are_checked(void **state)
{
    struct consumer *c = consumer_open(NULL);
    struct endpoint *e = endpoint_open(c, NULL);
    const NDK_QP_DISPATCH *d = e->qp->Dispatch;
    NDK_QP *qp = e->qp;

    (void)state;
    assert_ntstatus(d->NdkSend(qp, NULL, NULL, 1, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(d->NdkSendAndInvalidate(qp, NULL, NULL, 1, 0, 1), STATUS_INVALID_PARAMETER);
    assert_ntstatus(d->NdkReceive(qp, NULL, NULL, 1), STATUS_INVALID_PARAMETER);
    assert_ntstatus(d->NdkRead(qp, NULL, NULL, 1, 0, 1, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(d->NdkWrite(qp, NULL, NULL, 1, 0, 1, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(d->NdkBind(qp, NULL, NULL, NULL, NULL, 1, NDK_OP_FLAG_ALLOW_REMOTE_READ),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        d->NdkFastRegister(qp, NULL, NULL, 1, NULL, 0, 1, NULL, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(d->NdkInvalidate(qp, NULL, NULL, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(d->NdkInvalidate(qp, NULL, &qp->Header, 0), STATUS_INVALID_PARAMETER);
    endpoint_close(e);
    consumer_close(c);
}

static void regions_of_another_adapter_are_refused(void **state)
{
    struct pair p = pair_open(NULL);
    struct consumer *foreign = consumer_open(NULL);
    struct endpoint *e = endpoint_open(foreign, NULL);
    struct request theirs = request_open(foreign, e);
    NDK_LOGICAL_ADDRESS page;
    NDK_QP *qp = p.active->qp;

    (void)state;
    page.QuadPart = PAGE;
    assert_ntstatus(qp->Dispatch->NdkBind(qp, NULL, theirs.m->mr, theirs.window, theirs.m->p, 8,
                        NDK_OP_FLAG_ALLOW_REMOTE_READ),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        qp->Dispatch->NdkFastRegister(qp, NULL, theirs.fast, 1, &page, 0, PAGE, NULL, 0),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        qp->Dispatch->NdkInvalidate(qp, NULL, &theirs.fast->Header, 0), STATUS_INVALID_PARAMETER);
    endpoint_close(e);
    request_close(&theirs);
    consumer_close(foreign);
    pair_close(&p);
}

/* ---- limits of a connected queue pair ---- */

static void entries_and_lengths_have_limits(void **state)
{
    const struct endpoint_options small = {.sge = 2, .inline_size = 16};
    const struct pair_how how = {.active = &small, .passive = &small};
    struct pair p = pair_open(&how);
    struct memory *m = memory_open(p.c, NULL, PAGE, MEMORY_ALL);
    NDK_SGE three[3] = {memory_sge(m, 0, 8), memory_sge(m, 8, 8), memory_sge(m, 16, 1)};
    NDK_SGE huge = memory_sge(m, 0, 8), half;
    NDK_QP *qp = p.active->qp;
    const NDK_QP_DISPATCH *d = qp->Dispatch;
    const NTSTATUS want = STATUS_INVALID_PARAMETER;

    (void)state;
    assert_ntstatus(d->NdkSend(qp, NULL, three, 3, 0), want);
    assert_ntstatus(d->NdkWrite(qp, NULL, three, 3, 0, 1, 0), want);
    assert_ntstatus(d->NdkRead(qp, NULL, three, 3, 0, 1, 0), want);
    assert_ntstatus(d->NdkReceive(qp, NULL, three, 3), want);
    /* Inline: any number of entries, but not more octets than agreed. */
    assert_ntstatus(d->NdkSend(qp, NULL, three, 3, NDK_OP_FLAG_INLINE), want);
    three[2].Length = 0;
    endpoint_receive(p.passive, 7, m, 64, 64);
    assert_ntstatus(d->NdkSend(qp, (PVOID)8, three, 3, NDK_OP_FLAG_INLINE), STATUS_SUCCESS);
    endpoint_expect_initiated(p.active, 8);
    endpoint_expect_received(p.passive, 7, 16);
    huge.Length = p.c->info.MaxTransferLength + 1;
    assert_ntstatus(d->NdkSend(qp, NULL, &huge, 1, 0), want);
    assert_ntstatus(d->NdkReceive(qp, NULL, &huge, 1), want);
    half = huge;
    half.Length = MAXULONG; /* the sum must not wrap */
    three[0] = three[1] = half;
    assert_ntstatus(d->NdkWrite(qp, NULL, three, 2, 0, 1, 0), want);
    endpoint_expect_no_initiated(p.active);
    memory_close(m);
    pair_close(&p);
}

/* More requests than the queue holds: refused, and no trace of them later. */
static void a_full_queue_refuses(void **state)
{
    enum { QUEUE = 4 };
    const struct endpoint_options small = {.initiator_depth = QUEUE, .receive_depth = QUEUE};
    const struct pair_how how = {.active = &small, .passive = &small};
    struct pair p = pair_open(&how);
    struct memory *m = memory_open(p.c, NULL, PAGE, MEMORY_ALL);
    NDK_SGE sge = memory_sge(m, 0, 8);
    NDK_QP *qp = p.active->qp, *peer = p.passive->qp;
    uintptr_t accepted = 0;

    (void)state;
    for (uintptr_t i = 0; i < QUEUE; i++)
        endpoint_receive(p.passive, 100 + i, m, 64, 8);
    assert_ntstatus(peer->Dispatch->NdkReceive(peer, NULL, &sge, 1), STATUS_INSUFFICIENT_RESOURCES);
    /* All deferred but the last: nothing leaves the queue on its own before it is full. */
    while (accepted < QUEUE &&
           qp->Dispatch->NdkSend(qp, (PVOID)accepted, &sge, 1, NDK_OP_FLAG_DEFER) == STATUS_SUCCESS)
        accepted++;
    assert_int_equal(accepted, QUEUE);
    assert_ntstatus(qp->Dispatch->NdkSend(qp, (PVOID)99, &sge, 1, NDK_OP_FLAG_DEFER),
        STATUS_INSUFFICIENT_RESOURCES);
    /* The refusal started the rest. [NDKPI deferred-processing] */
    for (uintptr_t i = 0; i < QUEUE; i++) {
        endpoint_expect_received(p.passive, 100 + i, 8);
        endpoint_expect_initiated(p.active, i);
    }
    endpoint_expect_no_initiated(p.active);
    memory_close(m);
    pair_close(&p);
}

/* A refusal by the boundary, before the queue is asked, starts what was deferred as well. */
static void every_refusal_starts_what_was_deferred(void **state)
{
    struct pair p = pair_open(NULL);
    struct request r = request_open(p.c, p.active);

    (void)state;
    for (unsigned w = 0; w < WHICH_COUNT; w++) {
        endpoint_receive(p.passive, 200 + w, r.m, 64, 8);
        endpoint_send(p.active, 100 + w, r.m, 0, 8, NDK_OP_FLAG_DEFER);
        assert_ntstatus(post(&r, (enum which)w, 0x400), STATUS_INVALID_PARAMETER);
        endpoint_expect_received(p.passive, 200 + w, 8);
        endpoint_expect_initiated(p.active, 100 + w);
    }
    endpoint_expect_no_initiated(p.active);
    request_close(&r);
    pair_close(&p);
}

/* [NDKPI NDK_FN_BIND] [NDKPI NDK_FN_FAST_REGISTER] */
static void local_requests_are_checked_when_posted(void **state)
{
    struct pair p = pair_open(NULL);
    struct memory *read_only = memory_open(p.c, NULL, PAGE, NDK_MR_FLAG_ALLOW_REMOTE_READ);
    struct request r = request_open(p.c, p.active);
    NDK_QP *qp = p.active->qp;
    const NDK_QP_DISPATCH *d = qp->Dispatch;
    const ULONG remote_read = NDK_OP_FLAG_ALLOW_REMOTE_READ;
    uint8_t *base = read_only->p;
    NDK_LOGICAL_ADDRESS pages[17];
    struct ndk_call *call = call_begin(p.c);
    NDK_MR *local_only;

    (void)state;
    for (unsigned i = 0; i < 17; i++)
        pages[i].QuadPart = (i + 1) * PAGE;
    /* Windows. */
    assert_ntstatus(
        d->NdkBind(qp, NULL, read_only->mr, r.window, base, 8, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        d->NdkBind(qp, NULL, read_only->mr, r.window, base, 8, NDK_OP_FLAG_ALLOW_REMOTE_WRITE),
        STATUS_ACCESS_VIOLATION);
    assert_ntstatus(d->NdkBind(qp, NULL, read_only->mr, r.window, base - 1, 8, remote_read),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(d->NdkBind(qp, NULL, read_only->mr, r.window, base, PAGE + 1, remote_read),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(d->NdkBind(qp, NULL, read_only->mr, r.window, base + 1, SIZE_MAX, remote_read),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        d->NdkBind(qp, NULL, r.fast, r.window, NULL, 8, remote_read), STATUS_INVALID_PARAMETER);
    /* Fast registration. */
    assert_ntstatus(d->NdkFastRegister(qp, NULL, r.fast, 17, pages, 0, PAGE, NULL, 0),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        d->NdkFastRegister(qp, NULL, r.fast, 1, pages, PAGE, 1, NULL, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(d->NdkFastRegister(qp, NULL, r.fast, 1, pages, 1, PAGE, (PVOID)1, 0),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(d->NdkFastRegister(qp, NULL, r.fast, 1, pages, 1, 1, (PVOID)2, 0),
        STATUS_INVALID_PARAMETER);
    pages[0].QuadPart++;
    assert_ntstatus(
        d->NdkFastRegister(qp, NULL, r.fast, 1, pages, 0, PAGE, NULL, 0), STATUS_INVALID_PARAMETER);
    pages[0].QuadPart--;
    assert_ntstatus(d->NdkFastRegister(qp, NULL, read_only->mr, 1, pages, 0, PAGE, NULL, 0),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(consumer_create_mr(p.c, p.c->pd, TRUE, &local_only), STATUS_SUCCESS);
    assert_ntstatus(d->NdkFastRegister(qp, NULL, local_only, 1, pages, 0, PAGE, NULL, 0),
        STATUS_INVALID_PARAMETER); /* not initialised yet */
    assert_ntstatus(call_end(call, local_only->Dispatch->NdkInitializeFastRegisterMr(
                                       local_only, 16, FALSE, call_completed, call)),
        STATUS_SUCCESS);
    assert_ntstatus(d->NdkFastRegister(qp, NULL, local_only, 1, pages, 0, PAGE, NULL, remote_read),
        STATUS_ACCESS_VIOLATION);
    endpoint_expect_no_initiated(p.active);
    consumer_close_object(p.c, &local_only->Header);
    request_close(&r);
    memory_close(read_only);
    pair_close(&p);
}

static void reads_need_a_limit_above_zero(void **state)
{
    const struct endpoint_terms none = {.inbound = 4, .outbound = 0};
    const struct pair_how how = {.connect = &none};
    struct pair p = pair_open(&how);
    struct request r = request_open(p.c, p.active);

    (void)state;
    assert_ntstatus(post(&r, READ, 0), STATUS_INVALID_PARAMETER);
    request_close(&r);
    pair_close(&p);
}

/* ---- the strict profile ---- */

static void the_strict_profile_wants_sinks_and_single_entries(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct pair_how how = {.options = &o};
    struct qp_attr attr = {.inline_size = 1};
    struct pair p;
    struct memory *plain, *sink;
    NDK_SGE two[2];
    NDK_QP *qp, *refused;

    (void)state;
    o.RequireReadSink = 1;
    p = pair_open(&how);
    plain = memory_open(p.c, NULL, PAGE, MEMORY_ALL);
    sink = memory_open(p.c, NULL, PAGE, NDK_MR_FLAG_ALLOW_LOCAL_WRITE | NDK_MR_FLAG_RDMA_READ_SINK);
    qp = p.active->qp;
    attr.receive_cq = attr.initiator_cq = p.active->initiator_cq;
    assert_ntstatus(create_qp(p.c, p.c->pd, &attr, &refused), STATUS_INVALID_PARAMETER);
    two[0] = memory_sge(sink, 0, 8);
    two[1] = memory_sge(sink, 8, 8);
    assert_ntstatus(qp->Dispatch->NdkRead(qp, NULL, two, 2, memory_to(plain, 0), plain->remote, 0),
        STATUS_INVALID_PARAMETER);
    memcpy(plain->p, "by sink", 8);
    endpoint_read(p.active, 3, sink, 0, 8, memory_to(plain, 0), plain->remote, 0);
    endpoint_expect_initiated(p.active, 3);
    assert_memory_equal(sink->p, "by sink", 8);
    endpoint_read(p.active, 4, plain, 64, 8, memory_to(plain, 0), plain->remote, 0);
    assert_ntstatus(endpoint_wait_initiated(p.active).Status, STATUS_ACCESS_VIOLATION);
    assert_int_equal(plain->p[64], 0);
    memory_close(plain);
    memory_close(sink);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_have_limits),
        cmocka_unit_test(objects_of_others_are_refused),
        cmocka_unit_test(requests_need_a_connection),
        cmocka_unit_test(foreign_flags_are_refused),
        cmocka_unit_test(lists_are_checked),
        cmocka_unit_test(regions_of_another_adapter_are_refused),
        cmocka_unit_test(entries_and_lengths_have_limits),
        cmocka_unit_test(a_full_queue_refuses),
        cmocka_unit_test(every_refusal_starts_what_was_deferred),
        cmocka_unit_test(local_requests_are_checked_when_posted),
        cmocka_unit_test(reads_need_a_limit_above_zero),
        cmocka_unit_test(the_strict_profile_wants_sinks_and_single_entries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
