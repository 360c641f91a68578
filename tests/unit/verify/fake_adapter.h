/* SPDX-License-Identifier: MIT */
/* The rest of the provider of fake.h: adapter, listener, endpoint, connector. */
#ifndef TESTS_UNIT_VERIFY_FAKE_ADAPTER_H
#define TESTS_UNIT_VERIFY_FAKE_ADAPTER_H

#include "unit/verify/fake.h"

/* ---- connector ---- */

static inline NTSTATUS FakeConnect(NDK_CONNECTOR *c, NDK_QP *qp, PSOCKADDR src, ULONG src_len,
    PSOCKADDR dst, ULONG dst_len, ULONG in, ULONG out, PVOID data, ULONG data_len,
    NDK_FN_REQUEST_COMPLETION fn, PVOID ctx)
{
    (void)c, (void)qp, (void)src, (void)src_len, (void)dst, (void)dst_len, (void)in, (void)out;
    (void)data, (void)data_len;
    return fake_request(fn, ctx);
}

static inline NTSTATUS FakeConnectShared(NDK_CONNECTOR *c, NDK_QP *qp, NDK_SHARED_ENDPOINT *e,
    PSOCKADDR dst, ULONG dst_len, ULONG in, ULONG out, PVOID data, ULONG data_len,
    NDK_FN_REQUEST_COMPLETION fn, PVOID ctx)
{
    (void)c, (void)qp, (void)e, (void)dst, (void)dst_len, (void)in, (void)out;
    (void)data, (void)data_len;
    return fake_request(fn, ctx);
}

static inline NTSTATUS FakeComplete(NDK_CONNECTOR *c, NDK_FN_DISCONNECT_EVENT_CALLBACK event,
    PVOID event_ctx, NDK_FN_REQUEST_COMPLETION fn, PVOID ctx)
{
    fake_of(c)->disconnected = event;
    fake_of(c)->context = event_ctx;
    return fake_request(fn, ctx);
}

static inline NTSTATUS FakeCompleteEx(NDK_CONNECTOR *c, NDK_FN_DISCONNECT_EVENT_CALLBACK_EX event,
    PVOID event_ctx, NDK_FN_REQUEST_COMPLETION fn, PVOID ctx)
{
    (void)c, (void)event, (void)event_ctx;
    return fake_request(fn, ctx);
}

static inline NTSTATUS FakeAccept(NDK_CONNECTOR *c, NDK_QP *qp, ULONG in, ULONG out, PVOID data,
    ULONG data_len, NDK_FN_DISCONNECT_EVENT_CALLBACK event, PVOID event_ctx,
    NDK_FN_REQUEST_COMPLETION fn, PVOID ctx)
{
    (void)qp, (void)in, (void)out, (void)data, (void)data_len;
    fake_of(c)->disconnected = event;
    fake_of(c)->context = event_ctx;
    return fake_request(fn, ctx);
}

static inline NTSTATUS FakeAcceptEx(NDK_CONNECTOR *c, NDK_QP *qp, ULONG in, ULONG out, PVOID data,
    ULONG data_len, NDK_FN_DISCONNECT_EVENT_CALLBACK_EX event, PVOID event_ctx,
    NDK_FN_REQUEST_COMPLETION fn, PVOID ctx)
{
    (void)c, (void)qp, (void)in, (void)out, (void)data, (void)data_len, (void)event;
    (void)event_ctx;
    return fake_request(fn, ctx);
}

static inline NTSTATUS FakeReject(NDK_CONNECTOR *c, PVOID data, ULONG data_len)
{
    (void)c, (void)data, (void)data_len;
    return fake_status();
}

static inline NTSTATUS FakeConnectionData(
    NDK_CONNECTOR *c, ULONG *in, ULONG *out, PVOID data, ULONG *data_len)
{
    (void)c, (void)in, (void)out, (void)data, (void)data_len;
    return STATUS_SUCCESS;
}

static inline NTSTATUS FakeConnectorAddress(NDK_CONNECTOR *c, PSOCKADDR address, ULONG *length)
{
    (void)c, (void)address, (void)length;
    return STATUS_SUCCESS;
}

static inline NTSTATUS FakeDisconnect(NDK_CONNECTOR *c, NDK_FN_REQUEST_COMPLETION fn, PVOID ctx)
{
    (void)c;
    return fake_request(fn, ctx);
}

static const NDK_CONNECTOR_DISPATCH fake_connector_table = {
    .NdkCloseConnector = fake_close,
    .NdkQueryExtension = fake_query_extension,
    .NdkConnect = FakeConnect,
    .NdkConnectWithSharedEndpoint = FakeConnectShared,
    .NdkCompleteConnect = FakeComplete,
    .NdkAccept = FakeAccept,
    .NdkReject = FakeReject,
    .NdkGetConnectionData = FakeConnectionData,
    .NdkGetLocalAddress = FakeConnectorAddress,
    .NdkGetPeerAddress = FakeConnectorAddress,
    .NdkDisconnect = FakeDisconnect,
    .NdkCompleteConnectEx = FakeCompleteEx,
    .NdkAcceptEx = FakeAcceptEx,
};

/* ---- listener and endpoint ---- */

static inline NTSTATUS FakeListen(
    NDK_LISTENER *l, PSOCKADDR address, ULONG length, NDK_FN_REQUEST_COMPLETION fn, PVOID ctx)
{
    (void)l, (void)address, (void)length;
    return fake_request(fn, ctx);
}

static inline NTSTATUS FakeListenerAddress(NDK_LISTENER *l, PSOCKADDR address, ULONG *length)
{
    (void)l, (void)address, (void)length;
    return STATUS_SUCCESS;
}

static inline VOID FakePause(NDK_LISTENER *l, BOOLEAN pause)
{
    (void)l, (void)pause;
}

static const NDK_LISTENER_DISPATCH fake_listener_table = {
    .NdkCloseListener = fake_close,
    .NdkQueryExtension = fake_query_extension,
    .NdkListen = FakeListen,
    .NdkGetLocalAddress = FakeListenerAddress,
    .NdkControlConnectEvents = FakePause,
};

static inline NTSTATUS FakeEndpointAddress(NDK_SHARED_ENDPOINT *e, PSOCKADDR address, ULONG *length)
{
    (void)e, (void)address, (void)length;
    return STATUS_SUCCESS;
}

static const NDK_SHARED_ENDPOINT_DISPATCH fake_endpoint_table = {
    .NdkCloseSharedEndpoint = fake_close,
    .NdkQueryExtension = fake_query_extension,
    .NdkGetLocalAddress = FakeEndpointAddress,
};

/* A peer asks: the consumer's event routine gets a connector. */
static inline void fake_connect_event(NDK_LISTENER *listener)
{
    struct fake_object *l = fake_of(listener);
    NDK_CONNECTOR *c = NULL;
    bool pends = fake.pends;

    fake.pends = false;
    assert_int_equal(
        fake_create(NdkObjectTypeConnector, &fake_connector_table, NULL, NULL, &c), STATUS_SUCCESS);
    fake.pends = pends;
    l->event(l->context, c);
}

/* ---- adapter ---- */

static inline NTSTATUS FakeQueryInfo(NDK_ADAPTER *a, NDK_ADAPTER_INFO *info, ULONG *size)
{
    (void)a;
    *info = (NDK_ADAPTER_INFO){.Version = {2, 1},
        .MaxRegistrationSize = 1 << 20,
        .MaxWindowSize = 1 << 16,
        .FRMRPageCount = 16,
        .MaxInitiatorRequestSge = 4,
        .MaxReceiveRequestSge = 4,
        .MaxReadRequestSge = 2,
        .MaxTransferLength = 1 << 18,
        .MaxInlineDataSize = 64,
        .MaxInboundReadLimit = 16,
        .MaxOutboundReadLimit = 16,
        .MaxReceiveQueueDepth = 64,
        .MaxInitiatorQueueDepth = 64,
        .MaxSrqDepth = 64,
        .MaxCqDepth = 256,
        .MaxCallerData = 56,
        .MaxCalleeData = 148,
        .AdapterFlags = fake.flags};
    *size = sizeof *info;
    return STATUS_SUCCESS;
}

static inline NTSTATUS FakeCreateCq(NDK_ADAPTER *a, ULONG depth,
    NDK_FN_CQ_NOTIFICATION_CALLBACK notify, PVOID notify_ctx, GROUP_AFFINITY *affinity,
    NDK_FN_CREATE_COMPLETION fn, PVOID ctx, NDK_CQ **out)
{
    NTSTATUS status = fake_create(NdkObjectTypeCq, &fake_cq_table, fn, ctx, out);

    (void)a, (void)depth, (void)affinity;
    if (NT_SUCCESS(status)) {
        fake.made->notify = notify;
        fake.made->context = notify_ctx;
    }
    return status;
}

static inline NTSTATUS FakeCreatePd(
    NDK_ADAPTER *a, NDK_FN_CREATE_COMPLETION fn, PVOID ctx, NDK_PD **out)
{
    (void)a;
    return fake_create(NdkObjectTypePd, &fake_pd_table, fn, ctx, out);
}

static inline NTSTATUS FakeCreateEndpoint(NDK_ADAPTER *a, PSOCKADDR address, ULONG length,
    NDK_FN_CREATE_COMPLETION fn, PVOID ctx, NDK_SHARED_ENDPOINT **out)
{
    (void)a, (void)address, (void)length;
    return fake_create(NdkObjectTypeSharedEndpoint, &fake_endpoint_table, fn, ctx, out);
}

static inline NTSTATUS FakeCreateConnector(
    NDK_ADAPTER *a, NDK_FN_CREATE_COMPLETION fn, PVOID ctx, NDK_CONNECTOR **out)
{
    (void)a;
    return fake_create(NdkObjectTypeConnector, &fake_connector_table, fn, ctx, out);
}

static inline NTSTATUS FakeCreateListener(NDK_ADAPTER *a, NDK_FN_CONNECT_EVENT_CALLBACK event,
    PVOID event_ctx, NDK_FN_CREATE_COMPLETION fn, PVOID ctx, NDK_LISTENER **out)
{
    NTSTATUS status = fake_create(NdkObjectTypeListener, &fake_listener_table, fn, ctx, out);

    (void)a;
    if (NT_SUCCESS(status)) {
        fake.made->event = event;
        fake.made->context = event_ctx;
    }
    return status;
}

/* One LAM page per page from the MDL's start; the structure has room. */
static inline NTSTATUS FakeBuildLam(NDK_ADAPTER *a, MDL *mdl, SIZE_T length,
    NDK_FN_REQUEST_COMPLETION fn, PVOID ctx, NDK_LOGICAL_ADDRESS_MAPPING *lam, ULONG *size,
    ULONG *fbo)
{
    uintptr_t start = (uintptr_t)MmGetMdlVirtualAddress(mdl);
    NDK_LOGICAL_ADDRESS *pages = lam->AdapterPageArray;
    ULONG count = (ULONG)((length + start % PAGE_SIZE + PAGE_SIZE - 1) / PAGE_SIZE);

    (void)size;
    lam->AdapterContext = a;
    lam->AdapterPageCount = count;
    for (ULONG i = 0; i < count; i++)
        pages[i].QuadPart = (LONGLONG)(start - start % PAGE_SIZE + (uintptr_t)i * PAGE_SIZE);
    *fbo = (ULONG)(start % PAGE_SIZE);
    return fake_request(fn, ctx);
}

static inline VOID FakeReleaseLam(NDK_ADAPTER *a, NDK_LOGICAL_ADDRESS_MAPPING *lam)
{
    (void)a, (void)lam;
}

static const NDK_ADAPTER_DISPATCH fake_adapter_table = {
    .NdkQueryExtension = fake_query_extension,
    .NdkQueryAdapterInfo = FakeQueryInfo,
    .NdkCreateCq = FakeCreateCq,
    .NdkCreatePd = FakeCreatePd,
    .NdkCreateSharedEndpoint = FakeCreateEndpoint,
    .NdkCreateConnector = FakeCreateConnector,
    .NdkCreateListener = FakeCreateListener,
    .NdkBuildLAM = FakeBuildLam,
    .NdkReleaseLAM = FakeReleaseLam,
};

static inline char *fake_env(const char *name)
{
    const struct {
        const char *name, *value;
    } variables[] = {
        {"SOFTNDK_VERIFY", fake.mode},
        {"SOFTNDK_VERIFY_RISKY", fake.risky},
        {"SOFTNDK_VERIFY_BUFFERS", fake.buffers},
        {"SOFTNDK_VERIFY_LINGER_MS", fake.linger},
        {"SOFTNDK_VERIFY_CALLBACK_MS", "0"},
        {"SOFTNDK_VERIFY_LOG", fake.log != NULL ? fake.log : "/dev/null"},
    };

    for (size_t i = 0; i < SN_ARRAY_COUNT(variables); i++) {
        if (strcmp(name, variables[i].name) == 0)
            return (char *)(uintptr_t)variables[i].value;
    }
    return NULL;
}

/* An adapter with the verifier before it; fake.mode and its like say how. */
static inline NDK_ADAPTER *fake_open(void)
{
    struct fake_object *o = sn_zalloc_aligned(sizeof *o);
    char text[NDK_LAYER_TEXT];

    assert_non_null(o);
    assert_int_equal(verify_layer.open(fake_env, &fake.state, text), STATUS_SUCCESS);
    assert_non_null(fake.state);
    o->pub.Header.Version = (NDK_VERSION){2, 1};
    o->pub.Header.ObjectType = NdkObjectTypeAdapter;
    o->pub.Dispatch = &fake_adapter_table;
    verify_layer.wrap(fake.state, &o->pub);
    return (NDK_ADAPTER *)(void *)o;
}

static inline void fake_close_adapter(NDK_ADAPTER *a)
{
    void *state = verify_shadow(a);

    verify_layer.closing(state, a, "SoftNdkCloseAdapter");
    sn_free_aligned(a);
    verify_layer.closed(state);
}

/* What pends comes to its end. */
static inline void fake_finish(NTSTATUS status)
{
    NDK_FN_REQUEST_COMPLETION fn = fake.fn;
    NDK_FN_CREATE_COMPLETION create_fn = fake.create_fn;
    NDK_FN_CLOSE_COMPLETION close_fn = fake.close_fn;

    fake.fn = NULL;
    fake.create_fn = NULL;
    fake.close_fn = NULL;
    fake.pends = false;
    if (fn != NULL) {
        fn(fake.ctx, status);
    } else if (create_fn != NULL) {
        create_fn(fake.ctx, status, &fake.made->pub.Header);
    } else if (close_fn != NULL) {
        close_fn(fake.ctx);
        assert_true(verify_layer.keep(fake.state, &fake.made->pub));
    }
}

#endif
