/* SPDX-License-Identifier: MIT */
/*
 * The log of every entry: each is called, on a real adapter, and its line is looked for. Numbers of
 * objects are those of the process, so the test counts for itself.
 */
#include <softndk.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <ws2ipdef.h>

#include "calltrace/calltrace.h"
#include "calltrace/impl.h"
#include "kenv/irql.h"
#include "ndk/adapter.h"
#include "plat/linux/linux.h"
#include "support/unit.h"

/* ---- the log ---- */

enum { LOG_OCTETS = 256 * 1024 };

static char path[64];
static char content[LOG_OCTETS];

static void new_log(void)
{
    int fd;

    snprintf(path, sizeof path, "/tmp/calltrace-test-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
}

static void read_log(void)
{
    FILE *f = fopen(path, "r");
    size_t n;

    assert_non_null(f);
    n = fread(content, 1, sizeof content - 1, f);
    content[n] = '\0';
    (void)fclose(f);
}

/* Lines that hold the text. */
static unsigned count_of(const char *text)
{
    unsigned n = 0;

    read_log();
    for (const char *at = content; (at = strstr(at, text)) != NULL; at += strlen(text))
        n++;
    return n;
}

#define assert_logged(text)                                                                        \
    do {                                                                                           \
        if (count_of(text) == 0)                                                                   \
            fail_msg("\"%s\" is not in:\n%s", text, content);                                      \
    } while (0)

static char *env_of_test(const char *name)
{
    return strcmp(name, "SOFTNDK_TRACE") == 0 ? path : NULL;
}

/* ---- an adapter ---- */

struct world {
    struct plat *plat;
    NDK_ADAPTER *adapter;
    NDK_PD *pd;
    NDK_CQ *cq;
    NDK_QP *qp;
};

static struct sn_a32 called;

static VOID on_status(PVOID context, NTSTATUS status)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(status);
    sn_a32_fetch_add(&called, 1);
}

static VOID on_created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    UNREFERENCED_PARAMETER(object);
    on_status(context, status);
}

static VOID on_closed(PVOID context)
{
    on_status(context, STATUS_SUCCESS);
}

/* The next callback, if the call pends. */
static NTSTATUS ends(uint32_t before, NTSTATUS status)
{
    for (unsigned ms = 0; ms < 60000 && status == STATUS_PENDING; ms++) {
        if (sn_a32_load_acquire(&called) != before)
            return STATUS_SUCCESS;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_int_not_equal(status, STATUS_PENDING);
    return status;
}

static void close_object(void *object)
{
    uint32_t before = sn_a32_load_acquire(&called);
    NDK_FN_CLOSE_OBJECT close;

    memcpy(&close, ((struct ndk_object *)object)->Dispatch, sizeof close);
    assert_int_equal(ends(before, close(object, on_closed, NULL)), STATUS_SUCCESS);
}

static struct world world_open(void)
{
    static const struct ndk_layer *const list[] = {&calltrace_layer, NULL};
    struct plat_linux_options plat_options = {0};
    struct rnic_options options;
    struct ndk_layers *layers = NULL;
    char text[NDK_LAYER_TEXT] = "";
    struct world w = {.plat = plat_linux_create(&plat_options)};

    new_log();
    rnic_options_init(&options);
    if (!NT_SUCCESS(ndk_layers_open(list, env_of_test, &layers, text)))
        fail_msg("%s", text);
    assert_int_equal(
        ndk_adapter_open_layered(w.plat, &options, layers, &w.adapter), STATUS_SUCCESS);
    assert_int_equal(
        w.adapter->Dispatch->NdkCreatePd(w.adapter, on_created, NULL, &w.pd), STATUS_SUCCESS);
    assert_int_equal(w.adapter->Dispatch->NdkCreateCq(
                         w.adapter, 8, on_status, NULL, NULL, on_created, NULL, &w.cq),
        STATUS_SUCCESS);
    assert_int_equal(
        w.pd->Dispatch->NdkCreateQp(w.pd, w.cq, w.cq, NULL, 4, 4, 1, 1, 0, on_created, NULL, &w.qp),
        STATUS_SUCCESS);
    return w;
}

static void world_close(struct world *w)
{
    close_object(w->qp);
    close_object(w->cq);
    close_object(w->pd);
    ndk_adapter_close(w->adapter, "world_close");
    plat_linux_destroy(w->plat);
    assert_logged("world_close(adapter ");
    assert_logged(" closed\n");
    (void)unlink(path);
}

/* "NdkX(kind N" with the number of the object. */
static const char *call_on(const char *entry, const void *object)
{
    static char text[128];
    const struct ct_obj *c = ct_of(object);

    snprintf(text, sizeof text, " %s(%s %u", entry, ct_kind_name(c->type), c->number);
    return text;
}

/* ---- tests ---- */

static SOCKADDR_IN loopback(void)
{
    SOCKADDR_IN at = {.sin_family = AF_INET};

    memcpy(&at.sin_addr, "\x7f\0\0\x01", 4);
    return at;
}

static VOID never_connected(PVOID context, NDK_CONNECTOR *connector)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(connector);
    abort();
}

static void the_adapter_is_told_of(void **state)
{
    static uint8_t octets[64];
    struct world w = world_open();
    const NDK_ADAPTER_DISPATCH *d = w.adapter->Dispatch;
    SOCKADDR_IN at = loopback();
    uint64_t room[8] = {0};
    NDK_LOGICAL_ADDRESS_MAPPING *lam = (NDK_LOGICAL_ADDRESS_MAPPING *)(void *)room;
    ULONG size = 0, lam_size = sizeof room, fbo;
    MDL *mdl = IoAllocateMdl(octets, sizeof octets, FALSE, FALSE, NULL);
    NDK_SHARED_ENDPOINT *endpoint;
    NDK_CONNECTOR *k;
    NDK_LISTENER *l;

    (void)state;
    assert_int_equal(d->NdkQueryAdapterInfo(w.adapter, NULL, &size), STATUS_BUFFER_TOO_SMALL);
    assert_logged(", size 0) = BUFFER_TOO_SMALL\n");
    assert_int_equal(d->NdkCreateSharedEndpoint(
                         w.adapter, (PSOCKADDR)&at, sizeof at, on_created, NULL, &endpoint),
        STATUS_SUCCESS);
    assert_logged(", at 127.0.0.1:0) = SUCCESS, new endpoint ");
    size = sizeof at;
    assert_int_equal(
        endpoint->Dispatch->NdkGetLocalAddress(endpoint, (PSOCKADDR)&at, &size), STATUS_SUCCESS);
    assert_logged(call_on("NdkGetLocalAddress", endpoint));
    assert_int_equal(d->NdkCreateConnector(w.adapter, on_created, NULL, &k), STATUS_SUCCESS);
    assert_logged(") = SUCCESS, new connector ");
    assert_int_equal(d->NdkCreateListener(w.adapter, never_connected, NULL, on_created, NULL, &l),
        STATUS_SUCCESS);
    assert_logged(") = SUCCESS, new listener ");
    MmBuildMdlForNonPagedPool(mdl);
    assert_int_equal(
        d->NdkBuildLAM(w.adapter, mdl, sizeof octets, on_status, NULL, lam, &lam_size, &fbo),
        STATUS_SUCCESS);
    assert_logged(", 64 octets) = SUCCESS\n");
    d->NdkReleaseLAM(w.adapter, lam);
    assert_logged(call_on("NdkReleaseLAM", w.adapter));
    assert_int_equal(d->NdkCreateCq(w.adapter, 0, on_status, NULL, NULL, on_created, NULL, &w.cq),
        STATUS_INVALID_PARAMETER);
    assert_logged(", depth 0) = INVALID_PARAMETER\n");
    IoFreeMdl(mdl);
    close_object(endpoint);
    close_object(k);
    close_object(l);
    world_close(&w);
}

static void regions_are_told_of(void **state)
{
    static uint8_t octets[64];
    struct world w = world_open();
    const NDK_PD_DISPATCH *d = w.pd->Dispatch;
    MDL *mdl = IoAllocateMdl(octets, sizeof octets, FALSE, FALSE, NULL);
    NDK_MR *mr, *fast;
    NDK_MW *mw;
    NDK_SRQ *srq;
    NDK_QP *qp;
    UINT32 token;

    (void)state;
    MmBuildMdlForNonPagedPool(mdl);
    assert_int_equal(d->NdkCreateMr(w.pd, FALSE, on_created, NULL, &mr), STATUS_SUCCESS);
    assert_int_equal(d->NdkCreateMr(w.pd, TRUE, on_created, NULL, &fast), STATUS_SUCCESS);
    assert_logged(", normal) = SUCCESS, new mr ");
    assert_logged(", fast) = SUCCESS, new mr ");
    assert_int_equal(d->NdkCreateMw(w.pd, on_created, NULL, &mw), STATUS_SUCCESS);
    assert_logged(") = SUCCESS, new mw ");
    assert_int_equal(d->NdkCreateSrq(w.pd, 4, 1, 2, on_status, NULL, NULL, on_created, NULL, &srq),
        STATUS_SUCCESS);
    assert_logged(", depth 4, sge 1, threshold 2) = SUCCESS, new srq ");
    assert_int_equal(
        d->NdkCreateQpWithSrq(w.pd, w.cq, w.cq, srq, NULL, 4, 1, 0, on_created, NULL, &qp),
        STATUS_SUCCESS);
    assert_logged(", depth 4, sge 1, inline 0) = SUCCESS, new qp ");
    d->NdkGetPrivilegedMemoryRegionToken(w.pd, &token);
    assert_logged(call_on("NdkGetPrivilegedMemoryRegionToken", w.pd));
    assert_int_equal(
        mr->Dispatch->NdkRegisterMr(mr, mdl, sizeof octets, 0, on_status, NULL), STATUS_SUCCESS);
    assert_logged(", 64 octets, flags 0) = SUCCESS\n");
    (void)mr->Dispatch->NdkGetLocalTokenFromMr(mr);
    (void)mr->Dispatch->NdkGetRemoteTokenFromMr(mr);
    (void)mw->Dispatch->NdkGetRemoteTokenFromMw(mw);
    assert_logged(call_on("NdkGetLocalTokenFromMr", mr));
    assert_logged(call_on("NdkGetRemoteTokenFromMr", mr));
    assert_logged(call_on("NdkGetRemoteTokenFromMw", mw));
    assert_int_equal(mr->Dispatch->NdkDeregisterMr(mr, on_status, NULL), STATUS_SUCCESS);
    assert_logged(call_on("NdkDeregisterMr", mr));
    assert_int_equal(fast->Dispatch->NdkInitializeFastRegisterMr(fast, 16, TRUE, on_status, NULL),
        STATUS_SUCCESS);
    assert_logged(", pages 16, remote 1) = SUCCESS\n");
    assert_int_equal(srq->Dispatch->NdkModifySrq(srq, 8, 0, on_status, NULL), STATUS_SUCCESS);
    assert_logged(", depth 8, threshold 0) = SUCCESS\n");
    assert_int_equal(srq->Dispatch->NdkSrqReceive(srq, NULL, NULL, 0), STATUS_SUCCESS);
    assert_logged(call_on("NdkSrqReceive", srq));
    IoFreeMdl(mdl);
    close_object(qp);
    close_object(srq);
    close_object(mw);
    close_object(mr);
    close_object(fast);
    world_close(&w);
}

static void requests_and_results_are_told_of(void **state)
{
    struct world w = world_open();
    const NDK_QP_DISPATCH *d = w.qp->Dispatch;
    NDK_SGE sge = {.VirtualAddress = &w, .Length = 10, .MemoryRegionToken = 0xabc};
    NDK_LOGICAL_ADDRESS page = {0};
    uint32_t before = sn_a32_load_acquire(&called);
    NDK_RESULT plain;
    NDK_RESULT_EX ex;
    NDK_MR *fast;
    NDK_MW *mw;

    (void)state;
    assert_int_equal(w.pd->Dispatch->NdkCreateMr(w.pd, TRUE, on_created, NULL, &fast), 0);
    assert_int_equal(w.pd->Dispatch->NdkCreateMw(w.pd, on_created, NULL, &mw), 0);
    (void)d->NdkSend(w.qp, (PVOID)0x77, &sge, 1, NDK_OP_FLAG_DEFER);
    assert_logged(", context 0x77, 1 sge 10 octets [");
    assert_logged(" +10 token 00000abc], flags ");
    (void)d->NdkSendAndInvalidate(w.qp, NULL, &sge, 1, 0, 0x55);
    assert_logged(", flags 0, token 00000055) = CONNECTION_INVALID\n");
    (void)d->NdkRead(w.qp, NULL, NULL, 0, 0x1234, 0x66, 0);
    assert_logged(", from 1234 token 00000066, flags 0) = CONNECTION_INVALID\n");
    (void)d->NdkWrite(w.qp, NULL, NULL, 0, 0x1234, 0x66, 0);
    assert_logged(", to 1234 token 00000066, flags 0) = CONNECTION_INVALID\n");
    (void)d->NdkBind(w.qp, NULL, fast, mw, NULL, 5, 0);
    assert_logged(call_on("NdkBind", w.qp));
    (void)d->NdkFastRegister(w.qp, NULL, fast, 1, &page, 3, 100, NULL, 0);
    assert_logged(", pages 1, offset 3, ");
    (void)d->NdkInvalidate(w.qp, NULL, &fast->Header, 0);
    assert_logged(", what mr ");
    assert_int_equal(d->NdkReceive(w.qp, (PVOID)0x88, NULL, 0), STATUS_SUCCESS);
    assert_logged(", context 0x88, 0 sge 0 octets) = SUCCESS\n");
    assert_int_equal(d->NdkReceive(w.qp, (PVOID)0x99, NULL, 0), STATUS_SUCCESS);
    assert_int_equal(w.cq->Dispatch->NdkGetCqResults(w.cq, &plain, 1), 0);
    assert_int_equal(count_of("gives"), 0);
    w.cq->Dispatch->NdkArmCq(w.cq, NDK_CQ_NOTIFY_ANY);
    assert_logged(", any)\n");
    d->NdkFlush(w.qp);
    assert_logged(call_on("NdkFlush", w.qp));
    assert_int_equal(ends(before, STATUS_PENDING), STATUS_SUCCESS);
    assert_logged(" DISPATCH CQ notification(cq ");
    while (w.cq->Dispatch->NdkGetCqResults(w.cq, &plain, 1) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_logged("gives 1 of at most 1 results:");
    assert_logged("context 0x88 of qp context (nil): CANCELLED, 0 octets");
    while (w.cq->Dispatch->NdkGetCqResultsEx(w.cq, &ex, 1) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_logged("receive, context 0x99 of qp context (nil): CANCELLED, 0 octets");
    assert_int_equal(w.cq->Dispatch->NdkResizeCq(w.cq, 20, on_status, NULL), STATUS_SUCCESS);
    assert_logged(", depth 20) = SUCCESS\n");
    assert_int_equal(w.cq->Dispatch->NdkControlCqInterruptModeration(w.cq, 20, 2), STATUS_SUCCESS);
    assert_logged(", interval 20 us, count 2) = SUCCESS\n");
    close_object(mw);
    close_object(fast);
    world_close(&w);
}

/* ---- connections ---- */

struct arrival {
    NDK_QP *qp;
    NDK_CONNECTOR *connector;
    struct sn_a32 came, left;
};

static VOID on_disconnected(PVOID context)
{
    sn_a32_store_release(&((struct arrival *)context)->left, 1);
}

static VOID on_disconnected_ex(PVOID context, ULONG reason)
{
    UNREFERENCED_PARAMETER(reason);
    on_disconnected(context);
}

static VOID on_connect(PVOID context, NDK_CONNECTOR *connector)
{
    struct arrival *a = context;

    a->connector = connector;
    assert_int_equal(connector->Dispatch->NdkAcceptEx(connector, a->qp, 1, 1, "hello", 5,
                         on_disconnected_ex, a, on_status, NULL),
        STATUS_PENDING);
    sn_a32_store_release(&a->came, 1);
}

static void connections_are_told_of(void **state)
{
    struct world w = world_open();
    struct arrival a = {.connector = NULL};
    SOCKADDR_IN from = loopback(), to = loopback();
    ULONG n = sizeof to, in, out, length = 0;
    NDK_LISTENER *l;
    NDK_CONNECTOR *k;
    uint32_t before;

    (void)state;
    assert_int_equal(
        w.pd->Dispatch->NdkCreateQp(w.pd, w.cq, w.cq, NULL, 4, 4, 1, 1, 0, on_created, NULL, &a.qp),
        STATUS_SUCCESS);
    assert_int_equal(
        w.adapter->Dispatch->NdkCreateListener(w.adapter, on_connect, &a, on_created, NULL, &l),
        STATUS_SUCCESS);
    before = sn_a32_load_acquire(&called);
    assert_int_equal(
        ends(before, l->Dispatch->NdkListen(l, (PSOCKADDR)&to, sizeof to, on_status, NULL)),
        STATUS_SUCCESS);
    assert_logged(call_on("NdkListen", l));
    assert_int_equal(l->Dispatch->NdkGetLocalAddress(l, (PSOCKADDR)&to, &n), STATUS_SUCCESS);
    l->Dispatch->NdkControlConnectEvents(l, FALSE);
    assert_logged(", resume)\n");
    assert_int_equal(
        w.adapter->Dispatch->NdkCreateConnector(w.adapter, on_created, NULL, &k), STATUS_SUCCESS);
    before = sn_a32_load_acquire(&called);
    assert_int_equal(ends(before, k->Dispatch->NdkConnect(k, w.qp, (PSOCKADDR)&from, sizeof from,
                                      (PSOCKADDR)&to, sizeof to, 1, 2, NULL, 0, on_status, NULL)),
        STATUS_SUCCESS);
    assert_logged(", from 127.0.0.1:0, to 127.0.0.1:");
    assert_logged(", reads 1 in 2 out, private data 0) = PENDING\n");
    assert_logged(") completed: SUCCESS\n");
    assert_logged(" DISPATCH connect event(listener ");
    assert_logged(", new connector ");
    assert_int_equal(
        k->Dispatch->NdkGetConnectionData(k, &in, &out, NULL, &length), STATUS_SUCCESS);
    assert_logged(call_on("NdkGetConnectionData", k));
    n = sizeof from;
    assert_int_equal(k->Dispatch->NdkGetPeerAddress(k, (PSOCKADDR)&from, &n), STATUS_SUCCESS);
    n = sizeof from;
    assert_int_equal(k->Dispatch->NdkGetLocalAddress(k, (PSOCKADDR)&from, &n), STATUS_SUCCESS);
    assert_logged(call_on("NdkGetPeerAddress", k));
    (void)k->Dispatch->NdkCompleteConnect(k, on_disconnected, &a, on_status, NULL);
    while (sn_a32_load_acquire(&a.came) == 0 || count_of(" NdkAcceptEx(connector ") < 2)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_logged(", reads 1 in 1 out, private data 5) = PENDING\n");
    assert_logged(call_on("NdkCompleteConnect", k));
    (void)k->Dispatch->NdkDisconnect(k, on_status, NULL);
    assert_logged(call_on("NdkDisconnect", k));
    while (sn_a32_load_acquire(&a.left) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_logged(" DISPATCH disconnect event(connector ");
    (void)a.connector->Dispatch->NdkReject(a.connector, NULL, 0);
    assert_logged(call_on("NdkReject", a.connector));
    close_object(k);
    close_object(a.connector);
    close_object(l);
    close_object(a.qp);
    world_close(&w);
}

/* The rest of the connector's entries are refused, and told as well. */
static void refusals_are_told_of(void **state)
{
    struct world w = world_open();
    SOCKADDR_IN to = loopback();
    NDK_SHARED_ENDPOINT *endpoint;
    NDK_CONNECTOR *k;

    (void)state;
    assert_int_equal(
        w.adapter->Dispatch->NdkCreateConnector(w.adapter, on_created, NULL, &k), STATUS_SUCCESS);
    assert_int_equal(w.adapter->Dispatch->NdkCreateSharedEndpoint(
                         w.adapter, (PSOCKADDR)&to, sizeof to, on_created, NULL, &endpoint),
        STATUS_SUCCESS);
    (void)k->Dispatch->NdkConnectWithSharedEndpoint(
        k, w.qp, endpoint, (PSOCKADDR)&to, 3, 1, 1, NULL, 0, on_status, NULL);
    assert_logged(", to ?, reads 1 in 1 out, private data 0) = INVALID_PARAMETER\n");
    (void)k->Dispatch->NdkConnectWithSharedEndpoint(
        k, NULL, endpoint, NULL, 0, 1, 1, NULL, 0, NULL, NULL);
    assert_logged(", with NULL, from endpoint ");
    (void)k->Dispatch->NdkCompleteConnectEx(k, on_disconnected_ex, NULL, on_status, NULL);
    assert_logged(call_on("NdkCompleteConnectEx", k));
    (void)k->Dispatch->NdkAccept(k, w.qp, 1, 1, NULL, 0, on_disconnected, NULL, on_status, NULL);
    assert_logged(call_on("NdkAccept", k));
    close_object(k);
    close_object(endpoint);
    world_close(&w);
}

static void without_the_variable_there_is_no_layer(void **state)
{
    void *layer = NULL;
    char text[NDK_LAYER_TEXT] = "";

    (void)state;
    path[0] = '\0';
    assert_int_equal(calltrace_layer.open(env_of_test, &layer, text), STATUS_SUCCESS);
    assert_null(layer);
    snprintf(path, sizeof path, "/nonexistent/folder/log");
    assert_int_equal(calltrace_layer.open(env_of_test, &layer, text), STATUS_INVALID_PARAMETER);
    assert_null(layer);
    assert_non_null(strstr(text, "SOFTNDK_TRACE: \"/nonexistent/folder/log\" cannot be opened"));
    snprintf(path, sizeof path, "stderr");
    assert_int_equal(calltrace_layer.open(env_of_test, &layer, text), STATUS_SUCCESS);
    assert_non_null(layer);
    calltrace_layer.closed(layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_adapter_is_told_of),
        cmocka_unit_test(regions_are_told_of),
        cmocka_unit_test(requests_and_results_are_told_of),
        cmocka_unit_test(connections_are_told_of),
        cmocka_unit_test(refusals_are_told_of),
        cmocka_unit_test(without_the_variable_there_is_no_layer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
