/* SPDX-License-Identifier: MIT */
/*
 * Rules of the verbs that are about what queues do and what the wire shows when they end, against
 * the raw peer. The names in brackets are rows of the conformance checklist.
 */
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include <softndk.h>

#include "support/create.h"
#include "support/link.h"
#include "support/unit.h"

static void nap_ms(unsigned ms)
{
    usleep(ms * 1000);
}

static unsigned descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static ULONG64 established(struct consumer *c)
{
    SOFTNDK_STATISTICS s = {.Size = sizeof(s)};

    assert_ntstatus(SoftNdkQueryStatistics(c->adapter, &s), STATUS_SUCCESS);
    return s.ActiveConnection;
}

/* ---- before it is connected ---- */

/* [VRB-001] [VRB-002] No connection, no work done, until a flush takes it all back. */
static void an_idle_queue_pair_does_nothing(void **state)
{
    struct consumer *c = consumer_open(NULL);
    struct endpoint *e = endpoint_open(c, NULL);
    struct memory *m = memory_open(c, NULL, 64, MEMORY_ALL);
    unsigned before = descriptors();
    NDK_SGE sge = memory_sge(m, 0, 8);

    (void)state;
    for (uintptr_t i = 0; i < 3; i++)
        endpoint_receive(e, i, m, 0, 8);
    assert_ntstatus(e->qp->Dispatch->NdkSend(e->qp, NULL, &sge, 1, 0), STATUS_CONNECTION_INVALID);
    nap_ms(RAW_SILENCE_MS);
    endpoint_expect_no_received(e);
    endpoint_expect_no_initiated(e);
    assert_int_equal(descriptors(), before);
    assert_int_equal(established(c), 0);
    e->qp->Dispatch->NdkFlush(e->qp);
    for (uintptr_t i = 0; i < 3; i++) {
        NDK_RESULT_EX r = endpoint_wait_received(e);

        assert_int_equal((uintptr_t)r.RequestContext, i);
        assert_ntstatus(r.Status, STATUS_CANCELLED);
    }
    memory_close(m);
    endpoint_close(e);
    consumer_close(c);
}

/* ---- ends that the consumer asks for ---- */

/* [VRB-008] Nothing is outstanding: FIN alone, receives are cancelled. */
static void a_disconnect_without_work_is_a_fin(void **state)
{
    (void)state;
    for (int role = LINK_PASSIVE; role <= LINK_ACTIVE; role++) {
        const struct link_how how = {.role = (enum link_role)role, .peer_flags = RAW_C};
        struct link k = link_open(&how);

        endpoint_receive(k.e, 5, k.r, 0, 8);
        endpoint_disconnect_start(k.e);
        raw_expect_fin(k.p);
        endpoint_expect_no_received(k.e);
        raw_half_close(k.p);
        assert_ntstatus(endpoint_disconnect_wait(k.e), STATUS_SUCCESS);
        assert_ntstatus(endpoint_wait_received(k.e).Status, STATUS_CANCELLED);
        assert_int_equal(established(k.c), 0);
        link_close(&k);
    }
}

/* [VRB-009] A Read is outstanding: the end is not an orderly one, and the Read no success. */
static void a_disconnect_with_work_fails_it(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    const struct link_how how = {.options = &o, .peer_flags = RAW_C};
    struct link k;
    NDK_RESULT_EX r;

    (void)state;
    o.DisconnectTimeoutMs = 100;
    k = link_open(&how);
    endpoint_read(k.e, 9, k.r, 0, 8, 0, 1, 0);
    raw_expect_read_request(k.p);
    assert_ntstatus(endpoint_disconnect(k.e), STATUS_IO_TIMEOUT);
    r = endpoint_wait_initiated(k.e);
    assert_int_equal((uintptr_t)r.RequestContext, 9);
    assert_ntfailure(r.Status);
    raw_expect_end(k.p);
    link_close(&k);
}

/* [VRB-013] Closing without a disconnect is the abortive end: no Terminate goes out. */
static void a_close_says_nothing_more(void **state)
{
    (void)state;
    for (int qp_first = 0; qp_first < 2; qp_first++) {
        struct link k = link_open(NULL);
        NDK_RESULT_EX r;

        endpoint_receive(k.e, 5, k.r, 0, 8);
        endpoint_read(k.e, 9, k.r, 0, 8, 0, 1, 0);
        raw_expect_read_request(k.p);
        if (qp_first)
            k.e->qp->Dispatch->NdkFlush(k.e->qp);
        else
            endpoint_close_connector(k.e);
        raw_expect_end(k.p);
        r = endpoint_wait_initiated(k.e);
        assert_int_equal((uintptr_t)r.RequestContext, 9);
        assert_ntstatus(r.Status, STATUS_CANCELLED);
        assert_ntstatus(endpoint_wait_received(k.e).Status, STATUS_CANCELLED);
        link_close(&k);
    }
}

/* [VRB-014] A Terminate came: the consumer hears of it, and nothing is said back. */
static void a_terminate_is_not_answered(void **state)
{
    struct link k = link_open(NULL);
    struct raw_fpdu f = raw_terminate(0, 0, 0);
    SOFTNDK_STATISTICS s = {.Size = sizeof(s)};

    (void)state;
    endpoint_receive(k.e, 5, k.r, 0, 8);
    raw_put(k.p, &f);
    raw_expect_fin(k.p);
    endpoint_wait_disconnected(k.e);
    assert_ntstatus(endpoint_wait_received(k.e).Status, STATUS_CANCELLED);
    assert_ntstatus(SoftNdkQueryStatistics(k.c->adapter, &s), STATUS_SUCCESS);
    assert_int_equal(s.TerminatesReceived, 1);
    assert_int_equal(s.TerminatesSent, 0);
    link_close(&k);
}

/* [VRB-018] A peer that does not hang up after our Terminate is left in the end. */
static void waiting_for_the_peer_is_bounded(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    const struct link_how how = {.options = &o, .peer_flags = RAW_C};
    struct raw_fpdu f = raw_send(7, "x", 1); /* MSN 7 is not next */
    struct link k;
    unsigned before;

    (void)state;
    o.DisconnectTimeoutMs = 50;
    k = link_open(&how);
    before = descriptors();
    raw_put(k.p, &f);
    link_expect_terminate(&k, 1, 2, 3);
    for (int i = 0; i < CONSUMER_WAIT_MS && descriptors() >= before; i++)
        nap_ms(1);
    assert_int_equal(descriptors(), before - 1);
    link_close(&k);
}

/* [VRB-019] When the close has completed, everything has, each once, and nothing comes later. */
static void nothing_completes_after_the_close(void **state)
{
    enum { POSTS = 12, ROUNDS = 20 };

    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct link k = link_open(NULL);
        const struct qp_attr fresh = {
            .receive_cq = k.e->receive_cq, .initiator_cq = k.e->initiator_cq};
        NDK_RESULT r[64];
        unsigned n = 0, posted = 0;
        NDK_SGE sge = memory_sge(k.m, 0, 1024);

        for (uintptr_t i = 0; i < POSTS; i++)
            endpoint_receive(k.e, i, k.r, 0, 8);
        for (uintptr_t i = 0; i < POSTS; i++)
            posted += NT_SUCCESS(k.e->qp->Dispatch->NdkSend(k.e->qp, (PVOID)i, &sge, 1, 0));
        if (round % 2 != 0) {
            raw_reset(k.p);
            k.p = NULL;
        }
        endpoint_close_connector(k.e);
        consumer_close_object(k.c, &k.e->qp->Header);
        n = k.e->initiator_cq->Dispatch->NdkGetCqResults(k.e->initiator_cq, r, 64);
        assert_int_equal(n, posted);
        for (uintptr_t i = 0; i < n; i++)
            assert_int_equal((uintptr_t)r[i].RequestContext, i);
        assert_int_equal(k.e->receive_cq->Dispatch->NdkGetCqResults(k.e->receive_cq, r, 64), POSTS);
        nap_ms(2);
        endpoint_expect_no_initiated(k.e);
        endpoint_expect_no_received(k.e);
        assert_ntstatus(create_qp(k.c, k.c->pd, &fresh, &k.e->qp), STATUS_SUCCESS);
        link_close(&k); /* which closes one */
    }
}

/* ---- windows and regions ---- */

/* [VRB-020] The verbs refuse to destroy a queue pair that has windows; NDKPI has no such status:
 * the close completes, the token is dead, and the region is free when the window is closed. */
static void a_window_outlives_its_queue_pair_without_effect(void **state)
{
    struct link k = link_open(NULL);
    NDK_QP *qp = k.e->qp;
    struct ndk_call *call;
    NDK_MW *mw;

    (void)state;
    assert_ntstatus(consumer_create_mw(k.c, k.c->pd, &mw), STATUS_SUCCESS);
    assert_ntstatus(qp->Dispatch->NdkBind(
                        qp, (PVOID)1, k.m->mr, mw, k.m->p, 64, NDK_OP_FLAG_ALLOW_REMOTE_WRITE),
        STATUS_SUCCESS);
    endpoint_expect_initiated(k.e, 1);
    endpoint_close(k.e);
    raw_drain(k.p);
    call = call_begin(k.c);
    assert_ntstatus(
        call_end(call, k.m->mr->Dispatch->NdkDeregisterMr(k.m->mr, call_completed, call)),
        STATUS_DEVICE_BUSY);
    consumer_close_object(k.c, &mw->Header);
    k.e = endpoint_open(k.c, NULL);
    link_close(&k); /* deregisters, which succeeds now */
}

/* A fast-registered region of whole pages. */
static NDK_MR *fast_region(struct link *k, uint8_t *pages, ULONG count, uintptr_t id, ULONG flags)
{
    struct ndk_call *call = call_begin(k->c);
    NDK_LOGICAL_ADDRESS page[16];
    NDK_MR *mr;

    for (ULONG i = 0; i < count; i++)
        page[i].QuadPart = (LONGLONG)(uintptr_t)(pages + (size_t)i * 4096);
    assert_ntstatus(consumer_create_mr(k->c, k->c->pd, TRUE, &mr), STATUS_SUCCESS);
    assert_ntstatus(call_end(call, mr->Dispatch->NdkInitializeFastRegisterMr(
                                       mr, 16, TRUE, call_completed, call)),
        STATUS_SUCCESS);
    assert_ntstatus(k->e->qp->Dispatch->NdkFastRegister(k->e->qp, (PVOID)id, mr, count, page, 0,
                        (SIZE_T)count * 4096, pages, flags),
        STATUS_SUCCESS);
    endpoint_expect_initiated(k->e, id);
    return mr;
}

/*
 * [VRB-030] An invalidate behind a Write of its region, to a peer that is slow to read: when it has
 * completed the memory is the consumer's again, so what is written there then must not go out.
 */
static void an_invalidate_waits_for_the_write_before_it(void **state)
{
    enum { PAGES = 16, WRITES = 15 };
    static uint8_t pages[PAGES * 4096] __attribute__((aligned(4096)));
    static uint8_t want[PAGES * 4096];
    const struct raw_tcp narrow = {.rcvbuf = 4096};
    SOFTNDK_OPTIONS o = consumer_options();
    const struct link_how how = {.options = &o, .peer_flags = RAW_C, .tcp = &narrow};
    struct link k;
    NDK_MR *mr;
    NDK_SGE sge = {.Length = sizeof(pages)};
    NDK_RESULT_EX r;
    size_t got = 0;

    (void)state;
    o.SocketBufferBytes = 4096;
    k = link_open(&how);
    for (size_t i = 0; i < sizeof(pages); i++)
        want[i] = pages[i] = (uint8_t)(i * 7 + (i >> 8));
    mr = fast_region(&k, pages, PAGES, 1, 0);
    sge.VirtualAddress = pages;
    sge.MemoryRegionToken = mr->Dispatch->NdkGetLocalTokenFromMr(mr);
    for (uintptr_t i = 0; i < WRITES; i++)
        assert_ntstatus(k.e->qp->Dispatch->NdkWrite(k.e->qp, NULL, &sge, 1, 0, 1,
                            NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_DEFER),
            STATUS_SUCCESS);
    assert_ntstatus(
        k.e->qp->Dispatch->NdkInvalidate(k.e->qp, (PVOID)2, &mr->Header, 0), STATUS_SUCCESS);
    endpoint_expect_no_initiated(k.e); /* a megabyte does not fit the buffers */
    while (got < WRITES * sizeof(pages)) {
        NDK_RESULT now;
        struct raw_in in = raw_expect_op(k.p, RAW_OP_WRITE);

        assert_memory_equal(in.payload, want + got % sizeof(pages), in.len);
        got += in.len;
        if (k.e->initiator_cq->Dispatch->NdkGetCqResults(k.e->initiator_cq, &now, 1) == 1) {
            assert_ptr_equal(now.RequestContext, (PVOID)2);
            assert_ntstatus(now.Status, STATUS_SUCCESS);
            memset(pages, 0xee, sizeof(pages));
            sge.Length = 0; /* seen */
        }
    }
    if (sge.Length != 0) {
        r = endpoint_wait_initiated(k.e);
        assert_ptr_equal(r.RequestContext, (PVOID)2);
        assert_ntstatus(r.Status, STATUS_SUCCESS);
    }
    consumer_close_object(k.c, &mr->Header);
    link_close(&k);
}

/* [VRB-040] NDKPI's only attribute of that kind is the inbound read limit: none, no Reads. */
static void a_read_needs_an_inbound_limit(void **state)
{
    const struct endpoint_terms none = {.inbound = 0, .outbound = 16};
    const struct link_how how = {.terms = &none, .peer_flags = RAW_C};
    struct link k = link_open(&how);
    struct raw_fpdu f = raw_read_request(1, 1, 1, 8, k.m->remote, memory_to(k.m, 0));

    (void)state;
    assert_int_equal(k.frame.ird & 0x3fff, 0);
    raw_put(k.p, &f);
    raw_expect_any_terminate(k.p);
    raw_expect_fin(k.p);
    link_close(&k);
}

/* [VRB-054] A local SGE that is not valid: the peer is told 0/0/00, without headers. */
static void a_bad_local_entry_terminates_with_0_0_00(void **state)
{
    struct link k = link_open(NULL);
    NDK_SGE sge = memory_sge(k.m, 0, 8);
    NDK_RESULT_EX r;
    struct raw_term_in t;

    (void)state;
    sge.MemoryRegionToken ^= 1;
    assert_ntstatus(k.e->qp->Dispatch->NdkSend(k.e->qp, (PVOID)4, &sge, 1, 0), STATUS_SUCCESS);
    t = link_expect_terminate(&k, 0, 0, 0);
    assert_false(t.m || t.d || t.r);
    r = endpoint_wait_initiated(k.e);
    assert_ptr_equal(r.RequestContext, (PVOID)4);
    assert_ntstatus(r.Status, STATUS_ACCESS_VIOLATION);
    link_close(&k);
}

/* ---- queues ---- */

/* [VRB-047] Slots of silent requests are free when a later request that is not has completed. */
static void silent_requests_free_their_slots(void **state)
{
    enum { DEPTH = 4, ROUNDS = 50 };
    const struct endpoint_options o = {.initiator_depth = DEPTH};
    const struct link_how how = {.endpoint = &o, .peer_flags = RAW_C};
    struct link k = link_open(&how);

    (void)state;
    for (uintptr_t round = 0; round < ROUNDS; round++) {
        for (uintptr_t i = 0; i < DEPTH; i++)
            endpoint_send(k.e, i, k.m, 0, 4, i + 1 < DEPTH ? NDK_OP_FLAG_SILENT_SUCCESS : 0);
        for (uint32_t i = 0; i < DEPTH; i++)
            assert_int_equal(
                raw_expect_message(k.p, RAW_OP_SEND, k.m->p, 4).msn, round * DEPTH + i + 1);
        endpoint_expect_initiated(k.e, DEPTH - 1);
        endpoint_expect_no_initiated(k.e);
    }
    link_close(&k);
}

/* [VRB-051] [SEC-008] A queue that runs over takes its own queue pairs along and nobody else. */
static VOID noted(PVOID context, NTSTATUS status)
{
    (void)context;
    (void)status;
}

static void an_overrun_is_a_matter_of_one_queue(void **state)
{
    struct link k = link_open(NULL);
    struct qp_attr attr = {.receive_depth = 8, .receive_sge = 1, .initiator_sge = 1};
    NDK_CQ *small;
    NDK_QP *other;

    (void)state;
    assert_ntstatus(consumer_create_cq(k.c, 2, noted, NULL, &small), STATUS_SUCCESS);
    attr.receive_cq = attr.initiator_cq = small;
    assert_ntstatus(create_qp(k.c, k.c->pd, &attr, &other), STATUS_SUCCESS);
    for (unsigned i = 0; i < 8; i++)
        assert_ntstatus(other->Dispatch->NdkReceive(other, NULL, NULL, 0), STATUS_SUCCESS);
    other->Dispatch->NdkFlush(other);
    for (int i = 0; i < CONSUMER_WAIT_MS; i++) {
        SOFTNDK_STATISTICS s = {.Size = sizeof(s)};

        assert_ntstatus(SoftNdkQueryStatistics(k.c->adapter, &s), STATUS_SUCCESS);
        if (s.CQError == 1)
            break;
        assert_int_not_equal(i + 1, CONSUMER_WAIT_MS);
        nap_ms(1);
    }
    link_check_receive(&k);
    link_check_send(&k, 1);
    consumer_close_object(k.c, &other->Header);
    consumer_close_object(k.c, &small->Header);
    link_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_queue_pair_does_nothing),
        cmocka_unit_test(a_disconnect_without_work_is_a_fin),
        cmocka_unit_test(a_disconnect_with_work_fails_it),
        cmocka_unit_test(a_close_says_nothing_more),
        cmocka_unit_test(a_terminate_is_not_answered),
        cmocka_unit_test(waiting_for_the_peer_is_bounded),
        cmocka_unit_test(nothing_completes_after_the_close),
        cmocka_unit_test(a_window_outlives_its_queue_pair_without_effect),
        cmocka_unit_test(an_invalidate_waits_for_the_write_before_it),
        cmocka_unit_test(a_read_needs_an_inbound_limit),
        cmocka_unit_test(a_bad_local_entry_terminates_with_0_0_00),
        cmocka_unit_test(silent_requests_free_their_slots),
        cmocka_unit_test(an_overrun_is_a_matter_of_one_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
