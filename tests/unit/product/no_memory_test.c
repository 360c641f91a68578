/* SPDX-License-Identifier: MIT */
/*
 * Every call that allocates, with each of its allocations failing in turn: it says
 * STATUS_INSUFFICIENT_RESOURCES, inline or by its completion, gives no object, and leaves nothing
 * behind. The next try goes well. [NDKPI NDK_FN_CREATE_CQ] [NDKPI NDK_FN_CREATE_QP]
 */
#include <ndkpi.h>
#include <ntstatus.h>
#include <softndk.h>
#include <ws2ipdef.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/atomic.h"
#include "support/unit.h"

/* ---- an allocator that fails once ---- */

static struct sn_a32 fail_in; /* 1: the next allocation fails; 0: none */

static void *failing_alloc(void *ctx, size_t size)
{
    (void)ctx;
    for (;;) {
        uint32_t n = sn_a32_load_acquire(&fail_in);

        if (n == 0)
            break;
        if (sn_a32_cas(&fail_in, n, n - 1)) {
            if (n == 1)
                return NULL;
            break;
        }
    }
    return malloc(size);
}

static void failing_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

/* ---- one world for all calls ---- */

struct world {
    NDK_ADAPTER *adapter;
    NDK_PD *pd;
    NDK_CQ *cq;
    NDK_SRQ *srq;
    NDK_QP *qp;
    NDK_MR *fast;
    NDK_LISTENER *listener;
    NDK_CONNECTOR *connector;
    struct sn_a32 is_done;
    NTSTATUS status;
};

static VOID created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    (void)context;
    (void)status;
    (void)object;
    abort(); /* everything is created inline */
}

static VOID completed(PVOID context, NTSTATUS status)
{
    struct world *w = context;

    w->status = status;
    sn_a32_store_release(&w->is_done, 1);
}

static VOID closed(PVOID context)
{
    struct world *w = context;

    sn_a32_store_release(&w->is_done, 1);
}

static void wait_until_done(struct world *w)
{
    for (int i = 0; i < 15000 && sn_a32_load_acquire(&w->is_done) == 0; i++)
        usleep(1000);
    assert_int_equal(sn_a32_load_acquire(&w->is_done), 1);
    sn_a32_store_release(&w->is_done, 0);
}

static NTSTATUS end_of(struct world *w, NTSTATUS returned)
{
    if (returned != STATUS_PENDING)
        return returned;
    wait_until_done(w);
    return w->status;
}

static VOID ignore(PVOID context, NTSTATUS status)
{
    (void)context;
    (void)status;
}

static VOID ignore_event(PVOID context, NDK_CONNECTOR *connector)
{
    (void)context;
    (void)connector;
}

/* Close is the first member of every table but the adapter's. */
static void close_object(struct world *w, NDK_OBJECT_HEADER *object)
{
    const struct {
        NDK_OBJECT_HEADER header;
        struct {
            NDK_FN_CLOSE_OBJECT close;
        } const *dispatch;
    } *any = (const void *)object;

    if (any->dispatch->close(object, closed, w) == STATUS_PENDING)
        wait_until_done(w);
}

static SOCKADDR_INET loopback(uint16_t port)
{
    SOCKADDR_INET a;

    memset(&a, 0, sizeof(a));
    a.Ipv4.sin_family = AF_INET;
    a.Ipv4.sin_port = htons(port);
    *(uint32_t *)(void *)&a.Ipv4.sin_addr = htonl(0x7f000001);
    return a;
}

/* ---- the calls: each makes one object (*out), or changes one (*out stays NULL) ---- */

typedef NTSTATUS attempt(struct world *w, void **out);

static NTSTATUS create_cq(struct world *w, void **out)
{
    return w->adapter->Dispatch->NdkCreateCq(
        w->adapter, 16, ignore, NULL, NULL, created, w, (NDK_CQ **)out);
}

static NTSTATUS create_pd(struct world *w, void **out)
{
    return w->adapter->Dispatch->NdkCreatePd(w->adapter, created, w, (NDK_PD **)out);
}

static NTSTATUS create_shared_endpoint(struct world *w, void **out)
{
    SOCKADDR_INET at = loopback(0);

    return w->adapter->Dispatch->NdkCreateSharedEndpoint(
        w->adapter, (SOCKADDR *)&at, 16, created, w, (NDK_SHARED_ENDPOINT **)out);
}

static NTSTATUS create_connector(struct world *w, void **out)
{
    return w->adapter->Dispatch->NdkCreateConnector(w->adapter, created, w, (NDK_CONNECTOR **)out);
}

static NTSTATUS create_listener(struct world *w, void **out)
{
    return w->adapter->Dispatch->NdkCreateListener(
        w->adapter, ignore_event, NULL, created, w, (NDK_LISTENER **)out);
}

static NTSTATUS create_mr(struct world *w, void **out)
{
    return w->pd->Dispatch->NdkCreateMr(w->pd, FALSE, created, w, (NDK_MR **)out);
}

static NTSTATUS create_fast_mr(struct world *w, void **out)
{
    return w->pd->Dispatch->NdkCreateMr(w->pd, TRUE, created, w, (NDK_MR **)out);
}

static NTSTATUS create_mw(struct world *w, void **out)
{
    return w->pd->Dispatch->NdkCreateMw(w->pd, created, w, (NDK_MW **)out);
}

static NTSTATUS create_srq(struct world *w, void **out)
{
    return w->pd->Dispatch->NdkCreateSrq(
        w->pd, 16, 2, 0, ignore, NULL, NULL, created, w, (NDK_SRQ **)out);
}

static NTSTATUS create_qp(struct world *w, void **out)
{
    return w->pd->Dispatch->NdkCreateQp(
        w->pd, w->cq, w->cq, NULL, 16, 16, 2, 2, 64, created, w, (NDK_QP **)out);
}

static NTSTATUS create_qp_with_srq(struct world *w, void **out)
{
    return w->pd->Dispatch->NdkCreateQpWithSrq(
        w->pd, w->cq, w->cq, w->srq, NULL, 16, 2, 64, created, w, (NDK_QP **)out);
}

static NTSTATUS resize_cq(struct world *w, void **out)
{
    static ULONG depth = 100;

    (void)out;
    return end_of(w, w->cq->Dispatch->NdkResizeCq(w->cq, ++depth, completed, w));
}

static NTSTATUS modify_srq(struct world *w, void **out)
{
    static ULONG depth = 100;

    (void)out;
    return end_of(w, w->srq->Dispatch->NdkModifySrq(w->srq, ++depth, 0, completed, w));
}

static NTSTATUS initialize_fast_mr(struct world *w, void **out)
{
    static ULONG pages = 16;

    (void)out;
    return end_of(
        w, w->fast->Dispatch->NdkInitializeFastRegisterMr(w->fast, ++pages, TRUE, completed, w));
}

static NTSTATUS listen_at(struct world *w, void **out)
{
    SOCKADDR_INET at = loopback(0);

    (void)out;
    return end_of(
        w, w->listener->Dispatch->NdkListen(w->listener, (SOCKADDR *)&at, 16, completed, w));
}

/* To a port where nobody listens: what else can happen is that. */
static NTSTATUS connect_to(struct world *w, void **out)
{
    SOCKADDR_INET from = loopback(0), to = loopback(1);
    NTSTATUS s =
        end_of(w, w->connector->Dispatch->NdkConnect(w->connector, w->qp, (SOCKADDR *)&from, 16,
                      (SOCKADDR *)&to, 16, 1, 1, NULL, 0, completed, w));

    (void)out;
    return s == STATUS_CONNECTION_REFUSED ? STATUS_SUCCESS : s;
}

static const struct {
    const char *name;
    attempt *attempt;
} calls[] = {
    {"NdkCreateCq", create_cq},
    {"NdkCreatePd", create_pd},
    {"NdkCreateSharedEndpoint", create_shared_endpoint},
    {"NdkCreateConnector", create_connector},
    {"NdkCreateListener", create_listener},
    {"NdkCreateMr", create_mr},
    {"NdkCreateMr fast", create_fast_mr},
    {"NdkCreateMw", create_mw},
    {"NdkCreateSrq", create_srq},
    {"NdkCreateQp", create_qp},
    {"NdkCreateQpWithSrq", create_qp_with_srq},
    {"NdkResizeCq", resize_cq},
    {"NdkModifySrq", modify_srq},
    {"NdkInitializeFastRegisterMr", initialize_fast_mr},
    {"NdkListen", listen_at},
    {"NdkConnect", connect_to},
};

/* ---- the tests ---- */

static const NDK_VERSION version = {2, 1};

static NTSTATUS open_adapter(NDK_ADAPTER **adapter)
{
    SOFTNDK_OPTIONS o = SOFTNDK_OPTIONS_INIT;

    o.Transport = SOFTNDK_TRANSPORT_TCP;
    return SoftNdkOpenAdapter(0, version, &o, adapter);
}

static void make(struct world *w, attempt *a, void *out)
{
    assert_int_equal(a(w, out), STATUS_SUCCESS);
}

static void each_allocation_of_a_call_may_fail(void **state)
{
    struct world w = {0};

    (void)state;
    assert_int_equal(open_adapter(&w.adapter), STATUS_SUCCESS);
    make(&w, create_pd, &w.pd);
    make(&w, create_cq, &w.cq);
    make(&w, create_srq, &w.srq);
    make(&w, create_qp, &w.qp);
    make(&w, create_fast_mr, &w.fast);
    make(&w, create_listener, &w.listener);
    make(&w, create_connector, &w.connector);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        bool went_well = false;

        for (uint32_t n = 1; !went_well; n++) {
            size_t before = sn_alloc_live_count();
            void *object = NULL;
            NTSTATUS s;

            assert_true(n < 50);
            sn_a32_store_release(&fail_in, n);
            s = calls[i].attempt(&w, &object);
            went_well = sn_a32_exchange(&fail_in, 0) != 0;
            if (!went_well && s != STATUS_INSUFFICIENT_RESOURCES)
                fail_msg("%s, allocation %u: %s", calls[i].name, n, SoftNdkStatusName(s));
            if (went_well)
                assert_int_equal(s, STATUS_SUCCESS);
            else
                assert_null(object);
            assert_true(went_well || sn_alloc_live_count() == before);
            assert_true(!went_well || n > 1); /* else it does not belong here */
            if (object != NULL)
                close_object(&w, object);
        }
    }
    close_object(&w, &w.connector->Header);
    close_object(&w, &w.listener->Header);
    close_object(&w, &w.fast->Header);
    close_object(&w, &w.qp->Header);
    close_object(&w, &w.srq->Header);
    close_object(&w, &w.cq->Header);
    close_object(&w, &w.pd->Header);
    SoftNdkCloseAdapter(w.adapter);
    assert_int_equal(sn_alloc_live_count(), 0);
}

static void an_open_may_fail_anywhere(void **state)
{
    bool went_well = false;

    (void)state;
    for (uint32_t n = 1; !went_well; n++) {
        NDK_ADAPTER *adapter = NULL;
        NTSTATUS s;

        assert_true(n < 500);
        sn_a32_store_release(&fail_in, n);
        s = open_adapter(&adapter);
        went_well = sn_a32_exchange(&fail_in, 0) != 0;
        assert_int_equal(s, went_well ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES);
        SoftNdkCloseAdapter(adapter);
        assert_int_equal(sn_alloc_live_count(), 0);
    }
}

int main(void)
{
    const struct sn_allocator failing = {.alloc = failing_alloc, .free = failing_free};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_of_a_call_may_fail),
        cmocka_unit_test(an_open_may_fail_anywhere),
    };

    sn_alloc_set(&failing);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
