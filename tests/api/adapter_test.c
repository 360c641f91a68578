/* SPDX-License-Identifier: MIT */
/* Opening, closing, NDK_ADAPTER_DISPATCH, and what all objects have in common. */
#include "support/consumer.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "support/create.h"
#include "support/death.h"
#include "support/pair.h"
#include "support/unit.h"

enum { PAGE = 4096 };

static const NDK_VERSION v2_1 = {2, 1};

static NDK_ADAPTER *open_adapter(void)
{
    NDK_ADAPTER *a = NULL;

    assert_ntstatus(SoftNdkOpenAdapter(0, v2_1, NULL, &a), STATUS_SUCCESS);
    return a;
}

/* ---- opening ---- */

/* [NDKPI NDK_VERSION] A consumer names the lowest minor that it can use, and gets the highest. */
static void versions_are_negotiated(void **state)
{
    static const struct {
        NDK_VERSION version;
        NTSTATUS want;
    } cases[] = {
        {{0, 0}, NDIS_STATUS_BAD_VERSION},
        {{1, 0}, STATUS_SUCCESS},
        {{1, 1}, STATUS_SUCCESS},
        {{1, 2}, STATUS_SUCCESS},
        {{1, 3}, NDIS_STATUS_BAD_VERSION},
        {{2, 0}, STATUS_SUCCESS},
        {{2, 1}, STATUS_SUCCESS},
        {{2, 2}, NDIS_STATUS_BAD_VERSION},
        {{3, 0}, NDIS_STATUS_BAD_VERSION},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        NDK_ADAPTER *a = NULL;

        assert_ntstatus(SoftNdkOpenAdapter(0, cases[i].version, NULL, &a), cases[i].want);
        assert_int_equal(a != NULL, cases[i].want == STATUS_SUCCESS);
        if (a != NULL) {
            assert_int_equal(a->Header.Version.Major, 2);
            assert_int_equal(a->Header.Version.Minor, 1);
        }
        SoftNdkCloseAdapter(a);
    }
}

static void what_cannot_be_opened_is_refused(void **state)
{
    SOFTNDK_OPTIONS o = SOFTNDK_OPTIONS_INIT;
    NDK_ADAPTER *a = NULL;

    (void)state;
    assert_ntstatus(SoftNdkOpenAdapter(0, v2_1, NULL, NULL), STATUS_INVALID_PARAMETER);
    assert_ntstatus(SoftNdkOpenAdapter(0x7ffffff0, v2_1, NULL, &a), STATUS_NOT_FOUND);
    o.Crc = 3;
    assert_ntstatus(SoftNdkOpenAdapter(0, v2_1, &o, &a), STATUS_INVALID_PARAMETER);
    o = consumer_options();
    o.Size = 8;
    assert_ntstatus(SoftNdkOpenAdapter(0, v2_1, &o, &a), STATUS_INVALID_PARAMETER);
    o = consumer_options();
    o.Transport = SOFTNDK_TRANSPORT_SHM;
    assert_ntstatus(SoftNdkOpenAdapter(0, v2_1, &o, &a), STATUS_NOT_SUPPORTED);
    assert_null(a);
    SoftNdkCloseAdapter(NULL);
}

static void an_unreadable_variable_makes_the_open_fail(void **state)
{
    NDK_ADAPTER *a = NULL;

    (void)state;
    assert_int_equal(setenv("SOFTNDK_RECEIVE_WAIT_MS", "soon", 1), 0);
    assert_ntstatus(SoftNdkOpenAdapter(0, v2_1, NULL, &a), STATUS_INVALID_PARAMETER);
    assert_int_equal(unsetenv("SOFTNDK_RECEIVE_WAIT_MS"), 0);
    assert_null(a);
}

static unsigned entries_of(const char *path)
{
    DIR *d = opendir(path);
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static void nothing_is_left_after_the_close(void **state)
{
    SoftNdkCloseAdapter(open_adapter()); /* what is set up once per process is there now */
    (void)state;
    unsigned descriptors = entries_of("/proc/self/fd");
    unsigned threads = entries_of("/proc/self/task");

    for (int i = 0; i < 3; i++) {
        NDK_ADAPTER *a = open_adapter();
        NDK_ADAPTER *b = open_adapter();

        assert_ptr_not_equal(a, b);
        assert_true(entries_of("/proc/self/task") > threads);
        SoftNdkCloseAdapter(a);
        SoftNdkCloseAdapter(b);
        assert_int_equal(entries_of("/proc/self/fd"), descriptors);
        for (int k = 0; k < 10000 && entries_of("/proc/self/task") != threads; k++)
            sched_yield(); /* a joined thread stays in this list for a moment */
        assert_int_equal(entries_of("/proc/self/task"), threads);
    }
}

/* ---- all objects ---- */

struct everything {
    NDK_OBJECT_HEADER *objects[9];
};

/* One of every kind, in an order in which they can be closed backwards. */
static struct everything create_everything(struct consumer *c)
{
    const struct srq_attr srq_attr = {.depth = 8, .sge = 1};
    struct qp_attr qp_attr = {
        .receive_depth = 8, .initiator_depth = 8, .receive_sge = 1, .initiator_sge = 1};
    NDK_CQ *cq;
    NDK_PD *pd;
    NDK_MR *mr;
    NDK_MW *mw;
    NDK_SRQ *srq;
    NDK_QP *qp;
    NDK_SHARED_ENDPOINT *shared;
    NDK_CONNECTOR *connector;
    NDK_LISTENER *listener;

    assert_ntstatus(consumer_create_cq(c, 16, never_notified, NULL, &cq), STATUS_SUCCESS);
    assert_ntstatus(consumer_create_pd(c, &pd), STATUS_SUCCESS);
    assert_ntstatus(consumer_create_mr(c, pd, FALSE, &mr), STATUS_SUCCESS);
    assert_ntstatus(consumer_create_mw(c, pd, &mw), STATUS_SUCCESS);
    assert_ntstatus(create_srq(c, pd, &srq_attr, &srq), STATUS_SUCCESS);
    qp_attr.receive_cq = qp_attr.initiator_cq = cq;
    assert_ntstatus(create_qp(c, pd, &qp_attr, &qp), STATUS_SUCCESS);
    assert_ntstatus(create_shared_endpoint(c, "127.0.0.1", 0, &shared), STATUS_SUCCESS);
    assert_ntstatus(consumer_create_connector(c, &connector), STATUS_SUCCESS);
    assert_ntstatus(consumer_create_listener(c, never_connected, NULL, &listener), STATUS_SUCCESS);
    return (struct everything){{&cq->Header, &pd->Header, &mr->Header, &mw->Header, &srq->Header,
        &qp->Header, &shared->Header, &connector->Header, &listener->Header}};
}

/* Every table is an array of function pointers, behind the header. */
struct any_object {
    NDK_OBJECT_HEADER header;
    void (*const *dispatch)(void);
};

/* [NDKPI NDK_OBJECT_HEADER] Complete tables, the version in operation, an untouched block. */
static void every_object_has_a_header_and_a_complete_table(void **state)
{
    static const struct {
        NDK_OBJECT_TYPE type;
        unsigned entries;
    } expected[] = {
        {NdkObjectTypeCq, 7},
        {NdkObjectTypePd, 8},
        {NdkObjectTypeMr, 7},
        {NdkObjectTypeMw, 3},
        {NdkObjectTypeSrq, 4},
        {NdkObjectTypeQp, 11},
        {NdkObjectTypeSharedEndpoint, 3},
        {NdkObjectTypeConnector, 13},
        {NdkObjectTypeListener, 5},
    };
    static const NDK_OBJECT_HEADER_RESERVED_BLOCK zero;
    struct consumer *c = consumer_open(NULL);
    struct everything all = create_everything(c);
    unsigned total = 9;

    (void)state;
    assert_int_equal(sizeof *c->adapter->Dispatch, 9 * sizeof(void *));
    for (unsigned e = 0; e < 9; e++)
        assert_true(((const struct any_object *)(const void *)c->adapter)->dispatch[e] != NULL);
    assert_memory_equal(&c->adapter->Header.NdkReserved, &zero, sizeof zero);
    for (unsigned i = 0; i < 9; i++) {
        const struct any_object *o = (const void *)all.objects[i];

        assert_int_equal(o->header.ObjectType, expected[i].type);
        assert_int_equal(o->header.Version.Major, 2);
        assert_int_equal(o->header.Version.Minor, 1);
        assert_memory_equal(&o->header.NdkReserved, &zero, sizeof zero);
        for (unsigned e = 0; e < expected[i].entries; e++)
            assert_true(o->dispatch[e] != NULL);
        total += expected[i].entries;
    }
    assert_int_equal(total, 70);
    for (int i = 8; i >= 0; i--)
        consumer_close_object(c, all.objects[i]);
    consumer_close(c);
}

/* [NDKPI NDK_FN_QUERY_EXTENSION_INTERFACE] */
static void there_are_no_extensions(void **state)
{
    GUID guid = {1, 2, 3, {4}};
    struct consumer *c = consumer_open(NULL);
    struct everything all = create_everything(c);
    NDK_EXTENSION_INTERFACE extension = {.Dispatch = &guid};

    (void)state;
    assert_ntstatus(
        c->adapter->Dispatch->NdkQueryExtension(&c->adapter->Header, &guid, v2_1, &extension),
        STATUS_NOT_SUPPORTED);
    for (unsigned i = 0; i < 9; i++) {
        NDK_FN_QUERY_EXTENSION_INTERFACE query =
            (NDK_FN_QUERY_EXTENSION_INTERFACE)((const struct any_object *)(const void *)
                                                   all.objects[i])
                ->dispatch[1];

        assert_ntstatus(query(all.objects[i], &guid, v2_1, &extension), STATUS_NOT_SUPPORTED);
        assert_ntstatus(query(all.objects[i], NULL, v2_1, &extension), STATUS_INVALID_PARAMETER);
        assert_ntstatus(query(all.objects[i], &guid, v2_1, NULL), STATUS_INVALID_PARAMETER);
    }
    assert_ptr_equal(extension.Dispatch, &guid);
    for (int i = 8; i >= 0; i--)
        consumer_close_object(c, all.objects[i]);
    consumer_close(c);
}

/* Closing antecedents first is legal: their closes pend until their successors are gone, and the
 * adapter waits for all. [NDKPI NDK_FN_CLOSE_OBJECT] */
static void antecedents_may_be_closed_first(void **state)
{
    struct consumer *c = consumer_open(NULL);
    struct everything all = create_everything(c);
    struct ndk_call *calls[9];

    (void)state;
    for (unsigned i = 0; i < 9; i++) {
        NDK_FN_CLOSE_OBJECT close =
            (NDK_FN_CLOSE_OBJECT)((const struct any_object *)(const void *)all.objects[i])
                ->dispatch[0];

        calls[i] = call_begin(c);
        call_started(calls[i], close(all.objects[i], call_closed, calls[i]));
        if (i < 2)
            assert_false(call_is_done(calls[i])); /* the queue pair holds both */
    }
    for (unsigned i = 0; i < 9; i++) {
        assert_ntstatus(call_wait(calls[i]), STATUS_SUCCESS);
        c->objects--;
    }
    consumer_close(c);
}

/* ---- the adapter's table ---- */

static void the_info_is_as_the_table_says(void **state)
{
    NDK_ADAPTER *a = open_adapter();
    NDK_ADAPTER_INFO info;
    ULONG size = 0;

    (void)state;
    assert_ntstatus(a->Dispatch->NdkQueryAdapterInfo(a, NULL, &size), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(size, sizeof info);
    assert_ntstatus(a->Dispatch->NdkQueryAdapterInfo(a, &info, &size), STATUS_SUCCESS);
    assert_int_equal(size, sizeof info);
    assert_int_equal(info.Version.Major, 2);
    assert_int_equal(info.RdmaTechnology, NdkiWarp);
    size = 96; /* the layout of 1.2 */
    assert_ntstatus(a->Dispatch->NdkQueryAdapterInfo(a, &info, &size), STATUS_SUCCESS);
    assert_int_equal(size, 96);
    size = 95;
    assert_ntstatus(a->Dispatch->NdkQueryAdapterInfo(a, &info, &size), STATUS_BUFFER_TOO_SMALL);
    assert_ntstatus(a->Dispatch->NdkQueryAdapterInfo(a, &info, NULL), STATUS_INVALID_PARAMETER);
    SoftNdkCloseAdapter(a);
}

static void options_show_in_the_info(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct consumer *c;

    (void)state;
    o.MaxInboundReadLimit = 5;
    o.MaxOutboundReadLimit = 6;
    o.MpaRevision = 1;
    o.Lanes = 2;
    o.RequireReadSink = 1;
    c = consumer_open(&o);
    assert_int_equal(c->info.MaxInboundReadLimit, 5);
    assert_int_equal(c->info.MaxOutboundReadLimit, 6);
    assert_int_equal(c->info.MaxCallerData, 512);
    assert_int_equal(c->info.MaxReadRequestSge, 1);
    assert_int_equal(c->info.MaxInlineDataSize, 0);
    assert_int_equal(c->info.MaxSrqDepth, 0);
    assert_int_equal(c->info.AdapterFlags & NDK_ADAPTER_FLAG_RDMA_READ_SINK_NOT_REQUIRED, 0);
    assert_int_not_equal(c->info.AdapterFlags & NDK_ADAPTER_FLAG_MULTI_ENGINE_SUPPORTED, 0);
    consumer_close(c);
}

static void what_is_mandatory_is_asked_for(void **state)
{
    NDK_ADAPTER *a = open_adapter();
    ULONG length;
    SOCKADDR_INET inet = address_of("127.0.0.1", 0, &length);
    SOCKADDR *at = (SOCKADDR *)&inet;
    NDK_CQ *cq = NULL;
    NDK_PD *pd = NULL;
    NDK_SHARED_ENDPOINT *endpoint = NULL;
    NDK_CONNECTOR *connector = NULL;
    NDK_LISTENER *listener = NULL;
    const NTSTATUS want = STATUS_INVALID_PARAMETER;

    (void)state;
    assert_ntstatus(
        a->Dispatch->NdkCreateCq(a, 1, NULL, NULL, NULL, never_created, NULL, &cq), want);
    assert_ntstatus(
        a->Dispatch->NdkCreateCq(a, 1, never_notified, NULL, NULL, NULL, NULL, &cq), want);
    assert_ntstatus(
        a->Dispatch->NdkCreateCq(a, 1, never_notified, NULL, NULL, never_created, NULL, NULL),
        want);
    assert_ntstatus(a->Dispatch->NdkCreatePd(a, NULL, NULL, &pd), want);
    assert_ntstatus(a->Dispatch->NdkCreatePd(a, never_created, NULL, NULL), want);
    assert_ntstatus(
        a->Dispatch->NdkCreateSharedEndpoint(a, at, length, NULL, NULL, &endpoint), want);
    assert_ntstatus(
        a->Dispatch->NdkCreateSharedEndpoint(a, at, length, never_created, NULL, NULL), want);
    assert_ntstatus(
        a->Dispatch->NdkCreateSharedEndpoint(a, NULL, length, never_created, NULL, &endpoint),
        want);
    assert_ntstatus(a->Dispatch->NdkCreateConnector(a, NULL, NULL, &connector), want);
    assert_ntstatus(a->Dispatch->NdkCreateConnector(a, never_created, NULL, NULL), want);
    assert_ntstatus(
        a->Dispatch->NdkCreateListener(a, NULL, NULL, never_created, NULL, &listener), want);
    assert_ntstatus(
        a->Dispatch->NdkCreateListener(a, never_connected, NULL, NULL, NULL, &listener), want);
    assert_ntstatus(
        a->Dispatch->NdkCreateListener(a, never_connected, NULL, never_created, NULL, NULL), want);
    assert_true(cq == NULL && pd == NULL && endpoint == NULL);
    assert_true(connector == NULL && listener == NULL);
    SoftNdkCloseAdapter(a);
}

/* ---- LAMs ---- */

/* [NDKPI NDK_FN_BUILD_LAM] As a known consumer calls it: sized by the formula, without a context.
 */
static void a_mapping_is_built_inline(void **state)
{
    enum { LENGTH = 3 * PAGE };
    NDK_ADAPTER *a = open_adapter();
    uint8_t *memory = aligned_alloc(PAGE, 4 * PAGE);
    MDL *mdl = IoAllocateMdl(memory + 100, LENGTH, FALSE, FALSE, NULL);
    ULONG size = 0, fbo = 0, pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(memory + 100, LENGTH);
    NDK_LOGICAL_ADDRESS_MAPPING *lam;
    const NDK_LOGICAL_ADDRESS *list;

    (void)state;
    MmBuildMdlForNonPagedPool(mdl);
    assert_ntstatus(
        a->Dispatch->NdkBuildLAM(a, mdl, LENGTH, call_completed, NULL, NULL, &size, &fbo),
        STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(
        size, (pages - 1) * sizeof(NDK_LOGICAL_ADDRESS) + sizeof(NDK_LOGICAL_ADDRESS_MAPPING));
    lam = malloc(size);
    assert_ntstatus(
        a->Dispatch->NdkBuildLAM(a, mdl, LENGTH, call_completed, NULL, lam, &size, &fbo),
        STATUS_SUCCESS);
    assert_int_equal(fbo, 100);
    assert_int_equal(lam->AdapterPageCount, pages);
    list = lam->AdapterPageArray;
    for (ULONG i = 0; i < pages; i++)
        assert_int_equal(list[i].QuadPart % PAGE, 0);
    a->Dispatch->NdkReleaseLAM(a, lam);
    assert_ntstatus(a->Dispatch->NdkBuildLAM(a, mdl, LENGTH + 1, NULL, NULL, lam, &size, &fbo),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(a->Dispatch->NdkBuildLAM(a, NULL, 1, NULL, NULL, lam, &size, &fbo),
        STATUS_INVALID_PARAMETER);
    IoFreeMdl(mdl);
    free(memory);
    free(lam);
    SoftNdkCloseAdapter(a);
}

struct late_release {
    NDK_ADAPTER *adapter;
    NDK_LOGICAL_ADDRESS_MAPPING lam;
    pthread_barrier_t both;
};

static void *release_late(void *arg)
{
    struct late_release *l = arg;

    pthread_barrier_wait(&l->both);
    l->adapter->Dispatch->NdkReleaseLAM(l->adapter, &l->lam);
    return NULL;
}

/* A mapping is a successor of the adapter, so the close waits for its release. */
static void the_close_waits_for_mappings(void **state)
{
    struct late_release l = {.adapter = open_adapter()};
    uint8_t memory[16];
    MDL *mdl = IoAllocateMdl(memory, 1, FALSE, FALSE, NULL);
    ULONG size = sizeof l.lam, fbo;
    pthread_t thread;

    (void)state;
    MmBuildMdlForNonPagedPool(mdl);
    assert_ntstatus(
        l.adapter->Dispatch->NdkBuildLAM(l.adapter, mdl, 1, NULL, NULL, &l.lam, &size, &fbo),
        STATUS_SUCCESS);
    pthread_barrier_init(&l.both, NULL, 2);
    assert_int_equal(pthread_create(&thread, NULL, release_late, &l), 0);
    pthread_barrier_wait(&l.both);
    SoftNdkCloseAdapter(l.adapter);
    assert_null(l.lam.AdapterContext);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&l.both);
    IoFreeMdl(mdl);
}

/* ---- levels ---- */

static void query_at_dispatch(void *arg)
{
    NDK_ADAPTER *a = open_adapter();
    ULONG size = 0;

    UNREFERENCED_PARAMETER(arg);
    KeRaiseIrqlToDpcLevel();
    (void)a->Dispatch->NdkQueryAdapterInfo(a, NULL, &size);
}

static void open_at_dispatch(void *arg)
{
    NDK_ADAPTER *a;

    UNREFERENCED_PARAMETER(arg);
    KeRaiseIrqlToDpcLevel();
    (void)SoftNdkOpenAdapter(0, v2_1, NULL, &a);
}

static void close_at_dispatch(void *arg)
{
    NDK_ADAPTER *a = open_adapter();

    UNREFERENCED_PARAMETER(arg);
    KeRaiseIrqlToDpcLevel();
    SoftNdkCloseAdapter(a);
}

static void create_too_high(void *arg)
{
    NDK_ADAPTER *a = open_adapter();
    NDK_PD *pd;
    KIRQL old;

    UNREFERENCED_PARAMETER(arg);
    KeRaiseIrql(HIGH_LEVEL, &old);
    (void)a->Dispatch->NdkCreatePd(a, never_created, NULL, &pd);
}

static void close_twice(void *arg)
{
    struct consumer *c = consumer_open(NULL);
    NDK_MR *mr;

    UNREFERENCED_PARAMETER(arg);
    assert_ntstatus(consumer_create_mr(c, c->pd, FALSE, &mr), STATUS_SUCCESS);
    (void)c->pd->Dispatch->NdkClosePd(&c->pd->Header, call_closed, call_begin(c));
    (void)c->pd->Dispatch->NdkClosePd(&c->pd->Header, call_closed, call_begin(c));
}

static VOID close_adapter_here(PVOID context, NTSTATUS status)
{
    UNREFERENCED_PARAMETER(status);
    SoftNdkCloseAdapter(context);
}

/* [NDKPI NDK_FN_CLOSE_COMPLETION] Adapter close from a callback can never finish. */
static void close_in_callback(void *arg)
{
    struct consumer *c = consumer_open(NULL);
    NDK_CQ *cq;
    NDK_QP *qp = NULL;
    struct ndk_call *call = call_begin(c);

    UNREFERENCED_PARAMETER(arg);
    assert_ntstatus(consumer_create_cq(c, 4, close_adapter_here, c->adapter, &cq), STATUS_SUCCESS);
    (void)c->pd->Dispatch->NdkCreateQp(c->pd, cq, cq, NULL, 4, 4, 1, 1, 0, call_created, call, &qp);
    (void)qp->Dispatch->NdkReceive(qp, NULL, NULL, 0);
    cq->Dispatch->NdkArmCq(cq, NDK_CQ_NOTIFY_ANY);
    qp->Dispatch->NdkFlush(qp);
    call_wait(call_begin(c)); /* for ever, or till the end */
}

static void broken_rules_are_named(void **state)
{
    static const struct {
        void (*break_it)(void *arg);
        const char *named;
    } cases[] = {
        {query_at_dispatch, "NdkQueryAdapterInfo"},
        {open_at_dispatch, "SoftNdkOpenAdapter"},
        {close_at_dispatch, "SoftNdkCloseAdapter"},
        {create_too_high, "NdkCreatePd"},
        {close_twice, "NdkClosePd"},
        {close_in_callback, "SoftNdkCloseAdapter"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[8192];

        assert_int_equal(death_of(cases[i].break_it, NULL, text, sizeof text), SIGABRT);
        if (strstr(text, cases[i].named) == NULL)
            fail_msg("%s is not named in: %s", cases[i].named, text);
    }
}

static void everything_else_works_at_dispatch(void **state)
{
    struct consumer *c = consumer_open(NULL);
    KIRQL old = KeRaiseIrqlToDpcLevel();
    struct everything all = create_everything(c);

    (void)state;
    for (int i = 8; i >= 0; i--)
        consumer_close_object(c, all.objects[i]);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    KeLowerIrql(old);
    consumer_close(c);
}

/* ---- what softndk.h tells ---- */

static void statistics_fill_what_was_given(void **state)
{
    NDK_ADAPTER *a = open_adapter();
    SOFTNDK_STATISTICS s;

    (void)state;
    memset(&s, 0xee, sizeof s);
    s.Size = sizeof s;
    assert_ntstatus(SoftNdkQueryStatistics(a, &s), STATUS_SUCCESS);
    assert_int_equal(s.Size, sizeof s);
    assert_int_equal(s.Connect, 0);
    assert_int_equal(s.TerminatesReceived, 0);
    memset(&s, 0xee, sizeof s);
    s.Size = 16;
    assert_ntstatus(SoftNdkQueryStatistics(a, &s), STATUS_SUCCESS);
    assert_int_equal(s.Connect, 0);
    assert_int_equal(s.Accept, 0xeeeeeeeeeeeeeeee);
    s.Size = 15;
    assert_ntstatus(SoftNdkQueryStatistics(a, &s), STATUS_INVALID_PARAMETER);
    assert_ntstatus(SoftNdkQueryStatistics(a, NULL), STATUS_INVALID_PARAMETER);
    assert_ntstatus(SoftNdkQueryStatistics(NULL, &s), STATUS_INVALID_PARAMETER);
    SoftNdkCloseAdapter(a);
}

/* Connections and local endpoints of a connected pair, as the OIDs would list them. */
static void lists_show_what_is_there(void **state)
{
    struct pair p = pair_begin(NULL);
    union {
        NDIS_NDK_CONNECTIONS connections;
        NDIS_NDK_LOCAL_ENDPOINTS endpoints;
        uint8_t octets[512];
    } out;
    SOFTNDK_STATISTICS s = {.Size = sizeof s};
    const NDIS_NDK_CONNECTION_ENTRY *entry;
    ULONG size = 0;

    (void)state;
    assert_ntstatus(SoftNdkQueryConnections(p.c->adapter, NULL, &size), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(size, NDIS_SIZEOF_NDK_CONNECTIONS_REVISION_1(0));
    assert_ntstatus(SoftNdkQueryConnections(p.c->adapter, &out.connections, &size), STATUS_SUCCESS);
    assert_int_equal(out.connections.Count, 0);
    pair_connect(&p, NULL);
    assert_ntstatus(
        SoftNdkQueryConnections(p.c->adapter, &out.connections, &size), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(size, NDIS_SIZEOF_NDK_CONNECTIONS_REVISION_1(2));
    assert_ntstatus(SoftNdkQueryConnections(p.c->adapter, &out.connections, &size), STATUS_SUCCESS);
    assert_int_equal(out.connections.Count, 2);
    assert_int_equal(out.connections.Header.Type, NDIS_OBJECT_TYPE_DEFAULT);
    assert_int_equal(out.connections.Header.Size, size);
    entry = out.connections.Connections;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(entry[i].Local.si_family, AF_INET);
        assert_int_equal(entry[i].UserModeOwner, TRUE);
        assert_int_equal(entry[i].OwnerPid, getpid());
        assert_int_equal(address_port(&entry[i].Local) == p.a->port,
            address_port(&entry[i].Remote) != p.a->port);
    }
    size = sizeof out;
    assert_ntstatus(
        SoftNdkQueryLocalEndpoints(p.c->adapter, &out.endpoints, &size), STATUS_SUCCESS);
    assert_int_equal(size, NDIS_SIZEOF_NDK_ENDPOINTS_REVISION_1(1));
    assert_int_equal(out.endpoints.Count, 1);
    assert_int_equal(out.endpoints.LocalEndpoints[0].Listener, TRUE);
    assert_int_equal(address_port(&out.endpoints.LocalEndpoints[0].Local), p.a->port);
    assert_ntstatus(
        SoftNdkQueryLocalEndpoints(p.c->adapter, &out.endpoints, NULL), STATUS_INVALID_PARAMETER);
    assert_ntstatus(SoftNdkQueryStatistics(p.c->adapter, &s), STATUS_SUCCESS);
    assert_int_equal(s.Connect, 1);
    assert_int_equal(s.Accept, 1);
    assert_int_equal(s.ActiveConnection, 2);
    assert_true(s.RDMAInOctets > 0 && s.RDMAOutOctets > 0);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_negotiated),
        cmocka_unit_test(what_cannot_be_opened_is_refused),
        cmocka_unit_test(an_unreadable_variable_makes_the_open_fail),
        cmocka_unit_test(nothing_is_left_after_the_close),
        cmocka_unit_test(every_object_has_a_header_and_a_complete_table),
        cmocka_unit_test(there_are_no_extensions),
        cmocka_unit_test(antecedents_may_be_closed_first),
        cmocka_unit_test(the_info_is_as_the_table_says),
        cmocka_unit_test(options_show_in_the_info),
        cmocka_unit_test(what_is_mandatory_is_asked_for),
        cmocka_unit_test(a_mapping_is_built_inline),
        cmocka_unit_test(the_close_waits_for_mappings),
        cmocka_unit_test(broken_rules_are_named),
        cmocka_unit_test(everything_else_works_at_dispatch),
        cmocka_unit_test(statistics_fill_what_was_given),
        cmocka_unit_test(lists_show_what_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
