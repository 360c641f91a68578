/* SPDX-License-Identifier: MIT */
/* Connections and listeners of ndk_sync.h. */
#include "common/ndk_sync.h"

#include <string.h>

#include "common/addr.h"
#include "common/tool.h"

/* ---- Connections ---- */

NTSTATUS ndk_link_open(
    struct ndk_host *h, struct ndk_link *l, const struct ndk_link_options *options)
{
    struct ndk_call call;
    NTSTATUS status;
    void *qp = NULL;

    memset(l, 0, sizeof *l);
    l->host = h;
    ndk_call_begin(&call);
    status = h->pd->Dispatch->NdkCreateQp(h->pd, options->cq, options->cq, options->context,
        options->receive_depth, options->initiator_depth, 1,
        options->initiator_sges > 0 ? options->initiator_sges : 1, 0, ndk_call_created, &call,
        (NDK_QP **)(void *)&qp);
    status = ndk_call_end_create(&call, status, &qp);
    l->qp = qp;
    return status;
}

static VOID on_disconnect(PVOID context)
{
    struct ndk_link *l = context;

    WriteRelease(&l->is_disconnected, 1);
    ndk_host_ring(l->host);
}

ULONG ndk_private_data(NDK_CONNECTOR *connector, uint8_t out[NDK_PRIVATE_MAX])
{
    ULONG length = 0;

    memset(out, 0, NDK_PRIVATE_MAX);
    if (!NT_SUCCESS(
            connector->Dispatch->NdkGetConnectionData(connector, NULL, NULL, NULL, &length)))
        return 0;
    if (length > NDK_PRIVATE_MAX)
        length = NDK_PRIVATE_MAX;
    if (length == 0 ||
        !NT_SUCCESS(connector->Dispatch->NdkGetConnectionData(connector, NULL, NULL, out, &length)))
        return 0;
    return length > NDK_PRIVATE_MAX ? NDK_PRIVATE_MAX : length;
}

/* As ndk_call_end, for calls that last as long as the peer likes: an interrupt closes the
 * connector, which ends the call. */
static NTSTATUS end_or_cancel(struct ndk_link *l, struct ndk_call *call, NTSTATUS returned)
{
    LARGE_INTEGER timeout;

    if (returned != STATUS_PENDING)
        return returned;
    timeout.QuadPart = -1000000; /* a tenth of a second */
    while (KeWaitForSingleObject(&call->event, Executive, KernelMode, FALSE, &timeout) ==
           STATUS_TIMEOUT) {
        if (!tool_is_interrupted())
            continue;
        ndk_close(&l->connector->Header);
        l->connector = NULL;
        ndk_call_end(call, STATUS_PENDING);
        return STATUS_CANCELLED;
    }
    return call->status;
}

static NTSTATUS create_connector(struct ndk_link *l)
{
    NDK_ADAPTER *adapter = l->host->adapter;
    struct ndk_call call;
    NTSTATUS status;
    void *connector = NULL;

    ndk_call_begin(&call);
    status = adapter->Dispatch->NdkCreateConnector(
        adapter, ndk_call_created, &call, (NDK_CONNECTOR **)(void *)&connector);
    status = ndk_call_end_create(&call, status, &connector);
    l->connector = connector;
    return status;
}

NTSTATUS ndk_link_connect(struct ndk_link *l, const SOCKADDR_INET *from, const SOCKADDR_INET *to,
    const struct ndk_terms *terms)
{
    SOCKADDR_INET source = *from, target = *to;
    struct ndk_call call;
    NTSTATUS status = create_connector(l);

    if (!NT_SUCCESS(status))
        return status;
    ndk_call_begin(&call);
    status = l->connector->Dispatch->NdkConnect(l->connector, l->qp, (PSOCKADDR)&source,
        addr_length(&source), (PSOCKADDR)&target, addr_length(&target), terms->inbound,
        terms->outbound, (PVOID)(uintptr_t)terms->private_data, terms->private_length,
        ndk_call_completed, &call);
    status = end_or_cancel(l, &call, status);
    /* A peer that rejects may say why. */
    if (NT_SUCCESS(status) || status == STATUS_CONNECTION_REFUSED)
        l->private_length = ndk_private_data(l->connector, l->private_data);
    if (!NT_SUCCESS(status))
        return status;
    ndk_call_begin(&call);
    status = l->connector->Dispatch->NdkCompleteConnect(
        l->connector, on_disconnect, l, ndk_call_completed, &call);
    status = end_or_cancel(l, &call, status);
    l->is_connected = NT_SUCCESS(status);
    return status;
}

NTSTATUS ndk_link_accept(
    struct ndk_link *l, NDK_CONNECTOR *connector, const struct ndk_terms *terms)
{
    struct ndk_call call;
    NTSTATUS status;

    l->connector = connector;
    l->private_length = ndk_private_data(connector, l->private_data);
    ndk_call_begin(&call);
    status = connector->Dispatch->NdkAccept(connector, l->qp, terms->inbound, terms->outbound,
        (PVOID)(uintptr_t)terms->private_data, terms->private_length, on_disconnect, l,
        ndk_call_completed, &call);
    status = end_or_cancel(l, &call, status);
    l->is_connected = NT_SUCCESS(status);
    return status;
}

NTSTATUS ndk_link_disconnect(struct ndk_link *l)
{
    struct ndk_call call;

    if (!l->is_connected)
        return STATUS_SUCCESS;
    l->is_connected = false;
    ndk_call_begin(&call);
    return ndk_call_end(
        &call, l->connector->Dispatch->NdkDisconnect(l->connector, ndk_call_completed, &call));
}

void ndk_link_close(struct ndk_link *l)
{
    if (l->connector != NULL)
        ndk_close(&l->connector->Header);
    if (l->qp != NULL)
        ndk_close(&l->qp->Header);
    l->connector = NULL;
    l->qp = NULL;
    l->is_connected = false;
}

/* ---- Listeners ---- */

static VOID ignore_closed(PVOID context)
{
    (void)context;
}

static VOID on_connect(PVOID context, NDK_CONNECTOR *connector)
{
    struct ndk_server *s = context;
    KIRQL irql;
    bool is_taken = false;

    KeAcquireSpinLock(&s->lock, &irql);
    if (s->count < NDK_SERVER_PENDING_MAX) {
        s->pending[(s->first + s->count++) % NDK_SERVER_PENDING_MAX] = connector;
        is_taken = true;
    }
    KeReleaseSpinLock(&s->lock, irql);
    if (is_taken)
        ndk_host_ring(s->host);
    else
        connector->Dispatch->NdkCloseConnector(&connector->Header, ignore_closed, NULL);
}

NTSTATUS ndk_server_open(struct ndk_host *h, struct ndk_server *s, const SOCKADDR_INET *at)
{
    SOCKADDR_INET address = *at;
    struct ndk_call call;
    NTSTATUS status;
    void *listener = NULL;

    memset(s, 0, sizeof *s);
    s->host = h;
    KeInitializeSpinLock(&s->lock);
    ndk_call_begin(&call);
    status = h->adapter->Dispatch->NdkCreateListener(
        h->adapter, on_connect, s, ndk_call_created, &call, (NDK_LISTENER **)(void *)&listener);
    status = ndk_call_end_create(&call, status, &listener);
    s->listener = listener;
    if (!NT_SUCCESS(status))
        return status;
    ndk_call_begin(&call);
    status = ndk_call_end(&call, s->listener->Dispatch->NdkListen(s->listener, (PSOCKADDR)&address,
                                     addr_length(&address), ndk_call_completed, &call));
    if (!NT_SUCCESS(status))
        ndk_server_close(s);
    return status;
}

NDK_CONNECTOR *ndk_server_take(struct ndk_server *s)
{
    NDK_CONNECTOR *connector = NULL;
    KIRQL irql;

    KeAcquireSpinLock(&s->lock, &irql);
    if (s->count > 0) {
        connector = s->pending[s->first];
        s->first = (s->first + 1) % NDK_SERVER_PENDING_MAX;
        s->count--;
    }
    KeReleaseSpinLock(&s->lock, irql);
    return connector;
}

void ndk_server_close(struct ndk_server *s)
{
    NDK_CONNECTOR *connector;

    if (s->listener == NULL)
        return;
    /* Nobody is told to come while the last callers are sent away. */
    s->listener->Dispatch->NdkControlConnectEvents(s->listener, TRUE);
    while ((connector = ndk_server_take(s)) != NULL)
        ndk_close(&connector->Header);
    /* A caller that was on its way through the callback keeps the listener's close pending until
     * it is closed too. */
    {
        struct ndk_call call;
        NTSTATUS status;
        LARGE_INTEGER timeout;

        timeout.QuadPart = -100000;
        ndk_call_begin(&call);
        status =
            s->listener->Dispatch->NdkCloseListener(&s->listener->Header, ndk_call_closed, &call);
        while (status == STATUS_PENDING && KeWaitForSingleObject(&call.event, Executive, KernelMode,
                                               FALSE, &timeout) == STATUS_TIMEOUT) {
            while ((connector = ndk_server_take(s)) != NULL)
                ndk_close(&connector->Header);
        }
    }
    while ((connector = ndk_server_take(s)) != NULL)
        ndk_close(&connector->Header);
    s->listener = NULL;
}

/* ---- Words ---- */

int ndk_fail_open(NTSTATUS status, NET_IFINDEX interface)
{
    if (status == STATUS_NOT_FOUND)
        return tool_fail(TOOL_USAGE,
            "this host has no interface with index %u; ndkinfo lists the interfaces",
            (unsigned)interface);
    if (status == STATUS_INVALID_PARAMETER)
        return tool_fail(TOOL_USAGE,
            "the adapter cannot be opened with these settings; look at the SOFTNDK_ variables of "
            "the environment");
    return tool_fail(
        TOOL_UNREACHABLE, "the adapter cannot be opened: %s", SoftNdkStatusName(status));
}

int ndk_fail_listen(NTSTATUS status, const SOCKADDR_INET *at)
{
    char text[ADDR_TEXT_MAX];

    addr_text(at, text);
    switch (status) {
    case STATUS_SHARING_VIOLATION:
        return tool_fail(TOOL_UNREACHABLE,
            "cannot listen on %s: another program uses it; choose another port", text);
    case STATUS_INVALID_ADDRESS:
        return tool_fail(TOOL_UNREACHABLE,
            "cannot listen on %s: it is not an address of this host or of that interface", text);
    default:
        return tool_fail(
            TOOL_UNREACHABLE, "cannot listen on %s: %s", text, SoftNdkStatusName(status));
    }
}

int ndk_fail_connect(NTSTATUS status, const SOCKADDR_INET *from, const SOCKADDR_INET *to)
{
    char text[ADDR_TEXT_MAX], source[ADDR_TEXT_MAX];

    addr_text(to, text);
    switch (status) {
    case STATUS_CONNECTION_REFUSED:
        return tool_fail(TOOL_UNREACHABLE,
            "%s refused the connection: nobody listens there, or the listener does not speak "
            "iWARP or does not want this client",
            text);
    case STATUS_IO_TIMEOUT:
        return tool_fail(TOOL_UNREACHABLE, "%s did not answer in time", text);
    case STATUS_NETWORK_UNREACHABLE:
    case STATUS_HOST_UNREACHABLE:
        return tool_fail(TOOL_UNREACHABLE, "there is no way to %s from this host", text);
    case STATUS_CONNECTION_ABORTED:
        return tool_fail(TOOL_UNREACHABLE, "%s ended the connection while it was set up", text);
    case STATUS_INVALID_ADDRESS:
        return tool_fail(TOOL_UNREACHABLE,
            "cannot connect to %s from %s: not an address of this "
            "host or of that interface",
            text, addr_text(from, source));
    case STATUS_CANCELLED:
        return tool_fail(TOOL_UNREACHABLE, "interrupted while connecting to %s", text);
    default:
        return tool_fail(
            TOOL_UNREACHABLE, "cannot connect to %s: %s", text, SoftNdkStatusName(status));
    }
}
