/* SPDX-License-Identifier: MIT */
/*
 * Failures on request, as a consumer sees them: the peer sees what it would see, nothing is left
 * behind, and the same seed fails the same calls.
 */
#include <stdlib.h>

#include "support/consumer.h"
#include "support/pair.h"
#include "support/unit.h"

static void use(const char *schedule, const char *faults)
{
    assert_int_equal(setenv("SOFTNDK_SCHEDULE", schedule, 1), 0);
    assert_int_equal(setenv("SOFTNDK_FAULTS", faults, 1), 0);
}

static const char *const schedules[] = {"lenient", "pend", "inline", "hostile:1", "hostile:2"};
enum { SCHEDULES = sizeof schedules / sizeof schedules[0] };

/* ---- connecting ---- */

/* A connect that failed on request may be tried again, and then goes through. */
static void a_failed_connect_may_be_repeated(void **state)
{
    static const struct {
        const char *faults;
        NTSTATUS status;
    } cases[] = {
        {"NdkConnect:nth=1:status=STATUS_CONNECTION_REFUSED", STATUS_CONNECTION_REFUSED},
        {"NdkConnect:nth=1:status=IO_TIMEOUT:async", STATUS_IO_TIMEOUT},
        {"NdkConnect:nth=1:status=HOST_UNREACHABLE:async", STATUS_HOST_UNREACHABLE},
        {"NdkConnect:nth=1:status=INVALID_ADDRESS", STATUS_INVALID_ADDRESS},
    };

    (void)state;
    for (unsigned i = 0; i < SCHEDULES * (sizeof cases / sizeof cases[0]); i++) {
        struct pair p;

        use(schedules[i % SCHEDULES], cases[i / SCHEDULES].faults);
        p = pair_begin(NULL);
        endpoint_connect_start(p.active, "127.0.0.1", p.a->port, NULL);
        assert_ntstatus(endpoint_connect_wait(p.active), cases[i / SCHEDULES].status);
        assert_int_equal(acceptor_pending(p.a), 0); /* it never left */
        pair_connect(&p, NULL);
        pair_close(&p);
    }
}

/* The active side's third step fails: it gives up, and the peer's accept hears of it. */
static void a_failed_completion_ends_at_the_peer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCHEDULES; i++) {
        struct pair p;

        use(schedules[i], "NdkCompleteConnect:status=IO_TIMEOUT");
        p = pair_begin(NULL);
        endpoint_connect_start(p.active, "127.0.0.1", p.a->port, NULL);
        endpoint_accept_start(p.passive, acceptor_wait(p.a), NULL);
        assert_ntstatus(endpoint_connect_wait(p.active), STATUS_SUCCESS);
        assert_ntstatus(endpoint_complete(p.active), STATUS_IO_TIMEOUT);
        assert_int_equal(endpoint_disconnects(p.active), 0);
        endpoint_close_connector(p.active);
        assert_ntstatus(endpoint_accept_wait(p.passive), STATUS_CONNECTION_ABORTED);
        pair_close(&p);
    }
}

/* The accept fails: the connector is closed, and the peer is refused. */
static void a_failed_accept_refuses_the_peer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCHEDULES; i++) {
        struct pair p;

        use(schedules[i], "NdkAccept:nth=1:status=CONNECTION_ABORTED");
        p = pair_begin(NULL);
        endpoint_connect_start(p.active, "127.0.0.1", p.a->port, NULL);
        endpoint_accept_start(p.passive, acceptor_wait(p.a), NULL);
        assert_ntstatus(endpoint_accept_wait(p.passive), STATUS_CONNECTION_ABORTED);
        endpoint_close_connector(p.passive);
        assert_ntstatus(endpoint_connect_wait(p.active), STATUS_CONNECTION_REFUSED);
        pair_close(&p);
    }
}

/* [NDKPI NDK_FN_DISCONNECT] Whatever is said, the connection is gone afterwards. */
static void a_disconnect_that_times_out_is_one(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCHEDULES; i++) {
        struct pair p;

        use(schedules[i], "NdkDisconnect:nth=1:status=IO_TIMEOUT");
        p = pair_open(NULL);
        endpoint_disconnect_start(p.active);
        endpoint_wait_disconnected(p.passive);
        assert_ntstatus(endpoint_disconnect(p.passive), STATUS_SUCCESS);
        assert_ntstatus(endpoint_disconnect_wait(p.active), STATUS_IO_TIMEOUT);
        assert_int_equal(endpoint_disconnects(p.active), 0);
        pair_close(&p);
    }
}

/* ---- working ---- */

/* The connection is lost with the third request that one side posts: both hear of it, what was
 * outstanding fails, none of it twice. */
static void a_connection_is_lost_at_a_request(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCHEDULES; i++) {
        struct memory *m;
        struct pair p;

        use(schedules[i], "disconnect:nth=3");
        p = pair_open(NULL);
        m = memory_open(p.c, NULL, 100, MEMORY_ALL);
        for (uintptr_t n = 1; n <= 3; n++)
            endpoint_receive(p.passive, n, m, 0, 100);
        endpoint_wait_disconnected(p.passive);
        endpoint_wait_disconnected(p.active);
        for (uintptr_t n = 1; n <= 3; n++) {
            NDK_RESULT_EX r = endpoint_wait_received(p.passive);

            assert_int_equal((uintptr_t)r.RequestContext, n);
            assert_ntstatus(r.Status, STATUS_CANCELLED);
        }
        memory_close(m);
        pair_close(&p);
    }
}

/* A chain of deferred requests with one refused in its middle: what was deferred before it goes,
 * what was refused never completes. [NDKPI deferred-processing] */
static void a_refused_request_starts_what_was_deferred(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCHEDULES; i++) {
        struct memory *m;
        struct pair p;
        NDK_SGE sge;

        use(schedules[i], "NdkSend:nth=3:status=INSUFFICIENT_RESOURCES");
        p = pair_open(NULL);
        m = memory_open(p.c, NULL, 100, MEMORY_ALL);
        sge = memory_sge(m, 0, 50);
        for (uintptr_t n = 1; n <= 3; n++)
            endpoint_receive(p.passive, n, m, 50, 50);
        for (uintptr_t n = 1; n <= 2; n++)
            endpoint_send(p.active, n, m, 0, 50, NDK_OP_FLAG_DEFER);
        assert_ntstatus(
            p.active->qp->Dispatch->NdkSend(p.active->qp, (PVOID)3, &sge, 1, NDK_OP_FLAG_DEFER),
            STATUS_INSUFFICIENT_RESOURCES);
        for (uintptr_t n = 1; n <= 2; n++) {
            endpoint_expect_received(p.passive, n, 50);
            endpoint_expect_initiated(p.active, n);
        }
        endpoint_expect_no_initiated(p.active);
        endpoint_send(p.active, 4, m, 0, 50, 0);
        endpoint_expect_received(p.passive, 3, 50);
        endpoint_expect_initiated(p.active, 4);
        memory_close(m);
        pair_close(&p);
    }
}

/* ---- seeds ---- */

enum { CALLS = 60 };

/* What the calls returned, in order. */
static void record(const char *schedule, const char *faults, NTSTATUS seen[CALLS])
{
    struct consumer *c;

    use(schedule, faults);
    c = consumer_open(NULL);
    for (unsigned i = 0; i < CALLS; i++) {
        struct ndk_call *call = call_begin(c);
        NDK_MR *now = NULL, *mr;

        seen[i] = c->pd->Dispatch->NdkCreateMr(c->pd, FALSE, call_created, call, &now);
        if (NT_SUCCESS(call_end_create(call, seen[i], now, (void **)&mr))) {
            consumer_adopt(c);
            consumer_close_object(c, &mr->Header);
        }
    }
    consumer_close(c);
}

static void the_same_seed_does_the_same(void **state)
{
    static const struct {
        const char *schedule, *faults, *other_schedule, *other_faults;
    } cases[] = {
        {"lenient", "NdkCreateMr:p=0.3,seed=5", "lenient", "NdkCreateMr:p=0.3,seed=6"},
        {"hostile:5", "", "hostile:6", ""},
        {"hostile:5", "NdkCreateMr:p=0.3", "hostile:6", "NdkCreateMr:p=0.3"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        NTSTATUS first[CALLS], again[CALLS], other[CALLS];

        record(cases[i].schedule, cases[i].faults, first);
        record(cases[i].schedule, cases[i].faults, again);
        record(cases[i].other_schedule, cases[i].other_faults, other);
        assert_memory_equal(first, again, sizeof first);
        assert_memory_not_equal(first, other, sizeof first);
    }
}

/* ---- bad specs ---- */

static void a_bad_spec_refuses_the_adapter(void **state)
{
    const NDK_VERSION version = {2, 1};
    NDK_ADAPTER *adapter = NULL;

    (void)state;
    use("lenient", "NdkConnect:nth=2:status=STATUS_BUFFER_TOO_SMALL");
    assert_ntstatus(SoftNdkOpenAdapter(0, version, NULL, &adapter), STATUS_INVALID_PARAMETER);
    use("hostility", "");
    assert_ntstatus(SoftNdkOpenAdapter(0, version, NULL, &adapter), STATUS_INVALID_PARAMETER);
    assert_null(adapter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_connect_may_be_repeated),
        cmocka_unit_test(a_failed_completion_ends_at_the_peer),
        cmocka_unit_test(a_failed_accept_refuses_the_peer),
        cmocka_unit_test(a_disconnect_that_times_out_is_one),
        cmocka_unit_test(a_connection_is_lost_at_a_request),
        cmocka_unit_test(a_refused_request_starts_what_was_deferred),
        cmocka_unit_test(the_same_seed_does_the_same),
        cmocka_unit_test(a_bad_spec_refuses_the_adapter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
