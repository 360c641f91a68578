/* SPDX-License-Identifier: MIT */
/*
 * What softndk.h tells of a running adapter: counters, connections, local endpoints. The lists are
 * gathered into memory of our own first, so that a list which grew meanwhile is not half written.
 */
#include <softndk.h>

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "kenv/irql.h"
#include "ndk/addr.h"
#include "ndk/obj.h"
#include "rnic/lane.h"

enum { STATISTICS_MIN_OCTETS = 16 };

/* ---- counters ---- */

static uint64_t home_wakeups(const struct rnic_adapter *a)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < a->lanes_count; i++)
        sum += sn_a64_load_relaxed(&a->lanes[i]->lane->home_wakeups);
    return sum;
}

/* The lanes' counters together. */
static void add_traffic(const struct rnic_adapter *a, SOFTNDK_STATISTICS *out)
{
    for (uint32_t i = 0; i < a->lanes_count; i++) {
        const struct rnic_traffic *t = &a->lanes[i]->traffic;

        out->RDMAInOctets += sn_a64_load_relaxed(&t->rx_octets);
        out->RDMAOutOctets += sn_a64_load_relaxed(&t->tx_octets);
        out->RDMAInFrames += sn_a64_load_relaxed(&t->rx_fpdus);
        out->RDMAOutFrames += sn_a64_load_relaxed(&t->tx_fpdus);
        out->TxSystemCalls += sn_a64_load_relaxed(&t->tx_calls);
        out->RxSystemCalls += sn_a64_load_relaxed(&t->rx_calls);
        out->TerminatesSent += sn_a64_load_relaxed(&t->terminates_sent);
        out->TerminatesReceived += sn_a64_load_relaxed(&t->terminates_received);
    }
}

static void fill_statistics(const struct rnic_adapter *a, SOFTNDK_STATISTICS *out)
{
    const struct rnic_counters *c = &a->counters;

    *out = (SOFTNDK_STATISTICS){
        .Connect = sn_a64_load_relaxed(&c->connects),
        .Accept = sn_a64_load_relaxed(&c->accepts),
        .ConnectFailure = sn_a64_load_relaxed(&c->connect_failures),
        .ConnectionError = sn_a64_load_relaxed(&c->connection_errors),
        .ActiveConnection = sn_a64_load_relaxed(&c->active),
        .CQError = sn_a64_load_relaxed(&c->cq_errors),
        .HomeWakeups = home_wakeups(a),
    };
    add_traffic(a, out);
}

NTSTATUS SoftNdkQueryStatistics(NDK_ADAPTER *pAdapter, SOFTNDK_STATISTICS *pStatistics)
{
    SOFTNDK_STATISTICS whole;
    ULONG size;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (pAdapter == NULL || pStatistics == NULL || pStatistics->Size < STATISTICS_MIN_OCTETS)
        return STATUS_INVALID_PARAMETER;
    fill_statistics(ndk_adapter_to_rnic(pAdapter), &whole);
    size = pStatistics->Size < sizeof whole ? pStatistics->Size : (ULONG)sizeof whole;
    whole.Size = size;
    memcpy(pStatistics, &whole, size);
    return STATUS_SUCCESS;
}

/* ---- lists ---- */

/* Entries of one kind, as many as there was room for; `count` is how many there are. */
struct list {
    void *entries;
    ULONG room, count;
};

typedef void visit_fn(void *ctx, struct rnic_obj *o);

/* Objects that come or go between counting and gathering are seen on the next round. */
static NTSTATUS gather(struct rnic_adapter *a, const enum rnic_kind *kinds, size_t kinds_count,
    visit_fn *visit, size_t entry_octets, struct list *out)
{
    enum { SPARE = 16 };

    *out = (struct list){0};
    for (;;) {
        out->count = 0;
        for (size_t i = 0; i < kinds_count; i++)
            rnic_adapter_each(a, kinds[i], visit, out);
        if (out->entries != NULL && out->count <= out->room)
            return STATUS_SUCCESS;
        sn_free(out->entries);
        out->room = out->count + SPARE;
        out->entries = sn_zalloc_array(out->room, entry_octets);
        if (out->entries == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
}

static void visit_connection(void *ctx, struct rnic_obj *o)
{
    struct list *list = ctx;
    struct rnic_connector *c = rnic_connector_from_obj(o);
    enum rnic_conn_state state = rnic_connector_state(c);
    struct plat_addr local, peer;
    NDIS_NDK_CONNECTION_ENTRY *e;

    if (state != RNIC_CONN_CONNECTED && state != RNIC_CONN_DISCONNECTING)
        return;
    if (rnic_connector_addresses(c, &local, &peer) != SN_OK)
        return;
    if (list->count++ >= list->room)
        return;
    e = (NDIS_NDK_CONNECTION_ENTRY *)list->entries + (list->count - 1);
    ndk_addr_to_inet(&local, &e->Local);
    ndk_addr_to_inet(&peer, &e->Remote);
    e->UserModeOwner = TRUE;
    e->OwnerPid = (ULONG)getpid();
}

static void visit_endpoint(void *ctx, struct rnic_obj *o)
{
    struct list *list = ctx;
    struct plat_addr local;
    NDIS_NDK_LOCAL_ENDPOINT_ENTRY *e;

    if (o->class->kind == RNIC_ENDPOINT)
        rnic_endpoint_local((struct rnic_endpoint *)(void *)o, &local);
    else if (rnic_listener_local((struct rnic_listener *)(void *)o, &local) != SN_OK)
        return; /* it does not listen yet */
    if (list->count++ >= list->room)
        return;
    e = (NDIS_NDK_LOCAL_ENDPOINT_ENTRY *)list->entries + (list->count - 1);
    ndk_addr_to_inet(&local, &e->Local);
    e->UserModeOwner = TRUE;
    e->Listener = o->class->kind == RNIC_LISTENER ? TRUE : FALSE;
    e->OwnerPid = (ULONG)getpid();
}

/* Both lists start alike. [NDKPI NDIS_NDK_CONNECTIONS] */
struct list_head {
    NDIS_OBJECT_HEADER Header;
    ULONG Flags;
    ULONG Count;
    BOOLEAN IsMappedToTcp; /* never: an entry's addresses are those of its TCP connection */
    UCHAR Padding[3];
};
_Static_assert(sizeof(struct list_head) == offsetof(NDIS_NDK_CONNECTIONS, Connections), "alike");
_Static_assert(
    sizeof(struct list_head) == offsetof(NDIS_NDK_LOCAL_ENDPOINTS, LocalEndpoints), "alike");

/* Hands a gathered list to the consumer. *size: room in; octets written or needed out. */
static NTSTATUS hand_out(
    const struct list *list, size_t entry_octets, UCHAR revision, void *out, ULONG *size)
{
    size_t needed = sizeof(struct list_head) + list->count * entry_octets;
    ULONG room = *size;
    struct list_head head = {
        .Header = {.Type = NDIS_OBJECT_TYPE_DEFAULT,
            .Revision = revision,
            .Size = (USHORT)(needed < MAXUSHORT ? needed : MAXUSHORT)},
        .Count = list->count,
    };

    if (needed > MAXULONG)
        return STATUS_INSUFFICIENT_RESOURCES;
    *size = (ULONG)needed;
    if (out == NULL || room < needed)
        return STATUS_BUFFER_TOO_SMALL;
    memcpy(out, &head, sizeof head);
    memcpy((uint8_t *)out + sizeof head, list->entries, list->count * entry_octets);
    return STATUS_SUCCESS;
}

NTSTATUS SoftNdkQueryConnections(
    NDK_ADAPTER *pAdapter, NDIS_NDK_CONNECTIONS *pConnections, ULONG *pSize)
{
    static const enum rnic_kind kinds[] = {RNIC_CONNECTOR};
    struct list list;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (pAdapter == NULL || pSize == NULL || (pConnections == NULL && *pSize != 0))
        return STATUS_INVALID_PARAMETER;
    status = gather(ndk_adapter_to_rnic(pAdapter), kinds, SN_ARRAY_COUNT(kinds), visit_connection,
        sizeof(NDIS_NDK_CONNECTION_ENTRY), &list);
    if (NT_SUCCESS(status))
        status = hand_out(&list, sizeof(NDIS_NDK_CONNECTION_ENTRY), NDIS_NDK_CONNECTIONS_REVISION_1,
            pConnections, pSize);
    sn_free(list.entries);
    return status;
}

NTSTATUS SoftNdkQueryLocalEndpoints(
    NDK_ADAPTER *pAdapter, NDIS_NDK_LOCAL_ENDPOINTS *pEndpoints, ULONG *pSize)
{
    static const enum rnic_kind kinds[] = {RNIC_LISTENER, RNIC_ENDPOINT};
    struct list list;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (pAdapter == NULL || pSize == NULL || (pEndpoints == NULL && *pSize != 0))
        return STATUS_INVALID_PARAMETER;
    status = gather(ndk_adapter_to_rnic(pAdapter), kinds, SN_ARRAY_COUNT(kinds), visit_endpoint,
        sizeof(NDIS_NDK_LOCAL_ENDPOINT_ENTRY), &list);
    if (NT_SUCCESS(status))
        status = hand_out(&list, sizeof(NDIS_NDK_LOCAL_ENDPOINT_ENTRY),
            NDIS_NDK_LOCAL_ENDPOINTS_REVISION_1, pEndpoints, pSize);
    sn_free(list.entries);
    return status;
}
