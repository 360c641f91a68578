/* SPDX-License-Identifier: MIT */
/*
 * What a consumer does with a connection, under every schedule and several seeds of the hostile
 * one: connect, accept, move data each way, disconnect, close; in the right order and in wrong ones
 * that are allowed. The test consumer checks each callback: once, at DISPATCH_LEVEL or below, none
 * after the adapter is closed. SOFTNDK_SCHEDULE in the environment of the test plays no part.
 */
#include <stdlib.h>

#include "support/consumer.h"
#include "support/create.h"
#include "support/pair.h"
#include "support/unit.h"

static const char *const schedules[] = {"lenient", "pend", "inline", "hostile:1", "hostile:2",
    "hostile:3", "hostile:4", "hostile:5", "hostile:6", "hostile:0xffffffffffffffff"};
enum { SCHEDULES = sizeof schedules / sizeof schedules[0] };

static void use(const char *schedule)
{
    assert_int_equal(setenv("SOFTNDK_SCHEDULE", schedule, 1), 0);
}

/* ---- data ---- */

enum { OCTETS = 3000, ROUNDS = 6 };

static void fill(struct memory *m, unsigned seed)
{
    for (size_t i = 0; i < m->n; i++)
        m->p[i] = (uint8_t)(i * 7 + seed);
}

static void move_data(struct pair *p)
{
    struct memory *a = memory_open(p->c, NULL, OCTETS, MEMORY_ALL);
    struct memory *b = memory_open(p->c, NULL, OCTETS, MEMORY_ALL);

    for (unsigned i = 0; i < ROUNDS; i++) {
        struct endpoint *from = i % 2 == 0 ? p->active : p->passive;
        struct endpoint *to = i % 2 == 0 ? p->passive : p->active;

        fill(a, i);
        memset(b->p, 0, OCTETS);
        endpoint_receive(to, i, b, 0, OCTETS);
        endpoint_send(from, i, a, 0, OCTETS, 0);
        endpoint_expect_received(to, i, OCTETS);
        endpoint_expect_initiated(from, i);
        assert_memory_equal(a->p, b->p, OCTETS);

        fill(a, i + 100);
        endpoint_write(from, i, a, 0, OCTETS, memory_to(b, 0), b->remote, 0);
        endpoint_expect_initiated(from, i);
        memset(a->p, 0, OCTETS);
        endpoint_read(from, i, a, 0, OCTETS, memory_to(b, 0), b->remote, 0);
        endpoint_expect_initiated(from, i);
        assert_memory_equal(a->p, b->p, OCTETS);
    }
    memory_close(a);
    memory_close(b);
}

static void a_connection_lives_and_ends(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCHEDULES; i++) {
        struct pair p;

        use(schedules[i]);
        p = pair_open(NULL);
        move_data(&p);
        endpoint_disconnect_start(p.active);
        endpoint_wait_disconnected(p.passive);
        assert_ntstatus(endpoint_disconnect(p.passive), STATUS_SUCCESS);
        assert_ntstatus(endpoint_disconnect_wait(p.active), STATUS_SUCCESS);
        pair_close(&p);
    }
}

/* No goodbye: one side closes its connector under posted receives; both sides get their CANCELLED
 * completions, each in order. */
static void an_abrupt_end_cancels_everything(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCHEDULES; i++) {
        struct memory *m;
        struct pair p;

        use(schedules[i]);
        p = pair_open(NULL);
        m = memory_open(p.c, NULL, 100, MEMORY_ALL);
        for (uintptr_t n = 0; n < 8; n++) {
            endpoint_receive(p.active, n, m, 0, 100);
            endpoint_receive(p.passive, n, m, 0, 100);
        }
        endpoint_close_connector(p.active);
        endpoint_wait_disconnected(p.passive);
        endpoint_close_connector(p.passive);
        for (uintptr_t n = 0; n < 8; n++) {
            NDK_RESULT_EX a = endpoint_wait_received(p.active);
            NDK_RESULT_EX b = endpoint_wait_received(p.passive);

            assert_ntstatus(a.Status, STATUS_CANCELLED);
            assert_ntstatus(b.Status, STATUS_CANCELLED);
            assert_int_equal((uintptr_t)a.RequestContext, n);
            assert_int_equal((uintptr_t)b.RequestContext, n);
        }
        memory_close(m);
        pair_close(&p);
    }
}

/* Whoever is refused is told so; whoever gives up while connecting too. */
static void refusals_and_second_thoughts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCHEDULES; i++) {
        struct pair p;
        NDK_CONNECTOR *k;

        use(schedules[i]);
        p = pair_begin(NULL);
        endpoint_connect_start(p.active, "127.0.0.1", p.a->port, NULL);
        k = acceptor_wait(p.a);
        assert_ntstatus(k->Dispatch->NdkReject(k, "no", 2), STATUS_SUCCESS);
        assert_ntstatus(endpoint_connect_wait(p.active), STATUS_CONNECTION_REFUSED);
        consumer_close_object(p.c, &k->Header);

        endpoint_connect_start(p.active, "127.0.0.1", p.a->port, NULL);
        k = acceptor_wait(p.a);
        endpoint_close_connector(p.active);
        assert_ntfailure(endpoint_connect_wait(p.active));
        consumer_close_object(p.c, &k->Header);
        pair_close(&p);
    }
}

/* Everything is closed at once, antecedents first, and only then waited for. */
struct closing {
    struct ndk_call *call;
};

static void start_closing(struct consumer *c, struct closing *k, void *object)
{
    struct shape {
        NDK_OBJECT_HEADER header;
        const NDK_FN_CLOSE_OBJECT *dispatch;
    } *any = object;

    k->call = call_begin(c);
    call_started(k->call, any->dispatch[0](&any->header, call_closed, k->call));
    c->objects--;
}

static void closes_in_the_wrong_order_end_all_the_same(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCHEDULES; i++) {
        struct closing k[7];
        struct consumer *c;
        NDK_PD *pd;
        NDK_MR *mr;
        NDK_MW *mw;
        NDK_CQ *cq;
        NDK_SRQ *srq;
        NDK_QP *qp, *with_srq;
        struct srq_attr srq_attr = {.depth = 4, .sge = 1};
        struct qp_attr attr = {
            .receive_depth = 4, .initiator_depth = 4, .receive_sge = 1, .initiator_sge = 1};

        use(schedules[i]);
        c = consumer_open(NULL);
        assert_ntstatus(consumer_create_pd(c, &pd), STATUS_SUCCESS);
        assert_ntstatus(consumer_create_mr(c, pd, TRUE, &mr), STATUS_SUCCESS);
        assert_ntstatus(consumer_create_mw(c, pd, &mw), STATUS_SUCCESS);
        assert_ntstatus(consumer_create_cq(c, 16, never_notified, NULL, &cq), STATUS_SUCCESS);
        assert_ntstatus(create_srq(c, pd, &srq_attr, &srq), STATUS_SUCCESS);
        attr.receive_cq = attr.initiator_cq = cq;
        assert_ntstatus(create_qp(c, pd, &attr, &qp), STATUS_SUCCESS);
        attr.srq = srq;
        assert_ntstatus(create_qp(c, pd, &attr, &with_srq), STATUS_SUCCESS);
        start_closing(c, &k[0], pd);
        start_closing(c, &k[1], cq);
        start_closing(c, &k[2], srq);
        start_closing(c, &k[3], mr);
        start_closing(c, &k[4], qp);
        start_closing(c, &k[5], with_srq);
        start_closing(c, &k[6], mw);
        for (unsigned n = 0; n < 7; n++)
            assert_ntstatus(call_wait(k[n].call), STATUS_SUCCESS);
        consumer_close(c);
    }
}

/* ---- windows ---- */

/* Whoever hears that a window is closed may deregister its region, there and then. */
struct freeing {
    struct memory *m;
    struct ndk_call *closing, *deregistering;
};

static void deregister(struct freeing *f)
{
    call_started(f->deregistering,
        f->m->mr->Dispatch->NdkDeregisterMr(f->m->mr, call_completed, f->deregistering));
}

static VOID on_window_closed(PVOID context)
{
    struct freeing *f = context;

    deregister(f);
    call_closed(f->closing);
}

static void a_closed_window_frees_its_region(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCHEDULES; i++) {
        struct freeing f;
        struct pair p;
        NDK_MW *mw;
        NTSTATUS status;

        use(schedules[i]);
        p = pair_open(NULL);
        f.m = memory_open(p.c, NULL, 64, MEMORY_ALL);
        f.closing = call_begin(p.c);
        f.deregistering = call_begin(p.c);
        assert_ntstatus(consumer_create_mw(p.c, p.c->pd, &mw), STATUS_SUCCESS);
        assert_ntstatus(p.active->qp->Dispatch->NdkBind(p.active->qp, (PVOID)1, f.m->mr, mw, f.m->p,
                            64, NDK_OP_FLAG_ALLOW_REMOTE_READ),
            STATUS_SUCCESS);
        endpoint_expect_initiated(p.active, 1);
        status = mw->Dispatch->NdkCloseMw(&mw->Header, on_window_closed, &f);
        call_started(f.closing, status);
        if (status == STATUS_SUCCESS)
            deregister(&f);
        assert_ntstatus(call_wait(f.closing), STATUS_SUCCESS);
        assert_ntstatus(call_wait(f.deregistering), STATUS_SUCCESS);
        p.c->objects--;
        consumer_close_object(p.c, &f.m->mr->Header);
        IoFreeMdl(f.m->mdl);
        free(f.m->p);
        free(f.m);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_lives_and_ends),
        cmocka_unit_test(an_abrupt_end_cancels_everything),
        cmocka_unit_test(refusals_and_second_thoughts),
        cmocka_unit_test(closes_in_the_wrong_order_end_all_the_same),
        cmocka_unit_test(a_closed_window_frees_its_region),
    };

    unsetenv("SOFTNDK_FAULTS");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
