/* SPDX-License-Identifier: MIT */
/*
 * A consumer's whole way, from opening two adapters over connecting and moving data to closing
 * everything, in a simulated world in which the n-th call of the platform fails, or the n-th and
 * all after it; likewise the n-th allocation. For each n until the way is walked without a failure,
 * and for each manner of failing: every call ends, with a documented status, every request
 * completes, every object closes, nothing is left. After a single failure the same adapters serve
 * the next consumer as if nothing had been. [NDKPI NDK_FN_CONNECT]
 */
#include <ndkpi.h>
#include <ntstatus.h>
#include <wdm.h>
#include <ws2ipdef.h>

#include <stdlib.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "ndk/adapter.h"
#include "ndk/addr.h"
#include "plat/sim/sim.h"
#include "support/unit.h"

enum { SIDES = 2, A = 0, B = 1, LEN = 3000, PORT = 5445, SEEDS = 4, FAILURES_MAX = 2000 };

/* ---- what fails, when, and how ---- */

enum what { THE_PLATFORM, THE_MEMORY };

struct manner {
    const char *name;
    enum what what;
    enum sn_status call; /* of listen, reserve, connect, lane_create */
    enum plat_io read;
    enum sn_status lost; /* what the pipe says afterwards */
    uint8_t later;       /* connect answers late: 1 refused, 2 unreachable */
};

static const struct manner manners[] = {
    {"no memory, reset", THE_PLATFORM, SN_NO_MEMORY, PLAT_IO_ERROR, SN_RESET, 0},
    {"in use, timed out", THE_PLATFORM, SN_ADDRESS_IN_USE, PLAT_IO_ERROR, SN_TIMED_OUT, 0},
    {"no ports, early end", THE_PLATFORM, SN_NO_PORTS, PLAT_IO_END, SN_RESET, 0},
    {"refused", THE_PLATFORM, SN_ADDRESS_INVALID, PLAT_IO_ERROR, SN_RESET, 1},
    {"unreachable", THE_PLATFORM, SN_NO_MEMORY, PLAT_IO_END, SN_HOST_UNREACHABLE, 2},
    {"allocations", THE_MEMORY, SN_NO_MEMORY, PLAT_IO_ERROR, SN_RESET, 0},
};

static struct {
    const struct manner *manner;
    uint32_t at; /* 0: nothing fails */
    bool is_for_good;
    uint32_t seen;
    bool has_failed;
} fault;

static void fault_set(const struct manner *m, uint32_t at, bool is_for_good)
{
    fault.manner = m;
    fault.at = at;
    fault.is_for_good = is_for_good;
    fault.seen = 0;
    fault.has_failed = false;
}

static bool fails(enum what what)
{
    if (fault.at == 0 || fault.manner->what != what)
        return false;
    fault.seen++;
    if (fault.seen != fault.at && !(fault.is_for_good && fault.seen > fault.at))
        return false;
    fault.has_failed = true;
    return true;
}

static void *scarce_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return fails(THE_MEMORY) ? NULL : malloc(size);
}

static void scarce_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

/* ---- a platform in front of the simulated one ---- */

static const struct plat_ops *under;

static enum sn_status failing_lane_create(
    struct plat *p, const struct plat_lane_ops *ops, void *ctx, struct plat_lane **out)
{
    return fails(THE_PLATFORM) ? SN_NO_MEMORY : under->lane_create(p, ops, ctx, out);
}

static enum sn_status failing_connect(struct plat_lane *lane, const struct plat_addr *src,
    const struct plat_addr *dst, const struct plat_pipe_options *options,
    const struct plat_pipe_ops *ops, void *ctx, struct plat_pipe **out)
{
    struct plat_addr to = *dst;

    if (!fails(THE_PLATFORM))
        return under->connect(lane, src, dst, options, ops, ctx, out);
    if (fault.manner->later == 0)
        return fault.manner->call;
    if (fault.manner->later == 1)
        to.port = 1; /* nobody listens there */
    else
        to.ip[3] = 77; /* nobody is there */
    return under->connect(lane, src, &to, options, ops, ctx, out);
}

static enum sn_status failing_listen(struct plat_lane *lane, const struct plat_addr *addr,
    const struct plat_pipe_options *options, const struct plat_listener_ops *ops, void *ctx,
    struct plat_listener **out)
{
    return fails(THE_PLATFORM) ? fault.manner->call
                               : under->listen(lane, addr, options, ops, ctx, out);
}

static enum sn_status failing_reserve(struct plat *p, const struct plat_addr *addr,
    struct plat_addr *out, struct plat_reservation **reservation)
{
    return fails(THE_PLATFORM) ? fault.manner->call : under->reserve(p, addr, out, reservation);
}

static enum plat_io failing_readv(
    struct plat_pipe *p, const struct sn_span *v, size_t n, size_t *got)
{
    if (!fails(THE_PLATFORM))
        return under->readv(p, v, n, got);
    *got = 0;
    if (fault.manner->read == PLAT_IO_ERROR)
        p->error = fault.manner->lost;
    return fault.manner->read;
}

static enum plat_io failing_writev(
    struct plat_pipe *p, const struct sn_cspan *v, size_t n, size_t *sent)
{
    if (!fails(THE_PLATFORM))
        return under->writev(p, v, n, sent);
    *sent = 0;
    p->error = fault.manner->lost;
    return PLAT_IO_ERROR;
}

static void put_in_front(struct plat *p)
{
    static struct plat_ops ops;

    under = p->ops;
    ops = *under;
    ops.lane_create = failing_lane_create;
    ops.connect = failing_connect;
    ops.listen = failing_listen;
    ops.reserve = failing_reserve;
    ops.readv = failing_readv;
    ops.writev = failing_writev;
    p->ops = &ops;
}

/* ---- the consumer ---- */

struct call {
    bool is_pending;
    NTSTATUS status;
};

/* What is there of one side; closed in the order of this array's end to its beginning. */
enum object { PD, CQ, MR, QP, ENDPOINT, LISTENER, CONNECTOR, SECOND_CONNECTOR, OBJECTS };

struct side {
    struct scene *scene;
    NDK_ADAPTER *adapter;
    void *object[OBJECTS];
    struct call call, establish, closing;
    uint32_t posted, completed, disconnects;
    uint8_t memory[2 * LEN];
};

struct scene {
    struct sim_world *sim;
    struct plat *plat[SIDES];
    struct side side[SIDES];
};

static NDK_PD *pd_of(const struct side *s)
{
    return s->object[PD];
}

static NDK_MR *mr_of(const struct side *s)
{
    return s->object[MR];
}

static NDK_QP *qp_of(const struct side *s)
{
    return s->object[QP];
}

static NDK_CONNECTOR *connector_of(const struct side *s)
{
    return s->object[CONNECTOR];
}

static VOID on_answer(PVOID context, NTSTATUS status)
{
    struct call *c = context;

    assert_true(c->is_pending);
    c->is_pending = false;
    c->status = status;
}

static VOID on_closed(PVOID context)
{
    on_answer(context, STATUS_SUCCESS);
}

static VOID on_created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    (void)context;
    (void)status;
    (void)object;
    fail(); /* everything is created inline */
}

static VOID on_cq(PVOID context, NTSTATUS status)
{
    (void)context;
    (void)status;
}

static VOID on_connect(PVOID context, NDK_CONNECTOR *connector)
{
    struct side *s = context;
    NTSTATUS status;

    if (s->object[CONNECTOR] == NULL) {
        s->object[CONNECTOR] = connector;
        return;
    }
    /* The peer lost its first try and asks again in revision 1: we have but one queue pair. */
    assert_null(s->object[SECOND_CONNECTOR]);
    s->object[SECOND_CONNECTOR] = connector;
    status = connector->Dispatch->NdkReject(connector, NULL, 0);
    assert_true(status == STATUS_SUCCESS || status == STATUS_CONNECTION_ABORTED);
}

static VOID on_disconnect(PVOID context)
{
    struct side *s = context;

    assert_int_equal(s->disconnects++, 0);
}

static void begin(struct call *c)
{
    c->is_pending = true; /* taken back if the call ends inline: no callback comes before it ends */
}

static void began(struct call *c, NTSTATUS s)
{
    if (s != STATUS_PENDING)
        *c = (struct call){.status = s};
}

typedef bool is_over(struct scene *s);

/* Lets the world run until it holds; it must, while the world still moves. */
static void run_until(struct scene *s, is_over *holds, const char *what)
{
    for (uint32_t i = 0; !holds(s); i++) {
        if (i == 2000000 || !sim_step(s->sim))
            fail_msg("it hangs: %s (%s, failure %u%s)", what, fault.manner->name, fault.at,
                fault.is_for_good ? " and all after it" : "");
    }
}

/* ---- the way: each step ends with its status ---- */

typedef NTSTATUS step(struct scene *s);

static NTSTATUS create_on(struct side *s)
{
    const NDK_ADAPTER_DISPATCH *a = s->adapter->Dispatch;
    MDL *mdl;
    NTSTATUS status;

    status = a->NdkCreatePd(s->adapter, on_created, s, (NDK_PD **)&s->object[PD]);
    if (NT_SUCCESS(status))
        status = a->NdkCreateCq(
            s->adapter, 32, on_cq, s, NULL, on_created, s, (NDK_CQ **)&s->object[CQ]);
    if (NT_SUCCESS(status))
        status = pd_of(s)->Dispatch->NdkCreateMr(
            pd_of(s), FALSE, on_created, s, (NDK_MR **)&s->object[MR]);
    if (NT_SUCCESS(status))
        status = pd_of(s)->Dispatch->NdkCreateQp(pd_of(s), s->object[CQ], s->object[CQ], s, 8, 8, 2,
            2, 0, on_created, s, (NDK_QP **)&s->object[QP]);
    if (!NT_SUCCESS(status))
        return status;
    mdl = IoAllocateMdl(s->memory, sizeof s->memory, FALSE, FALSE, NULL);
    if (mdl == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    begin(&s->call);
    began(&s->call,
        mr_of(s)->Dispatch->NdkRegisterMr(mr_of(s), mdl, sizeof s->memory,
            NDK_MR_FLAG_ALLOW_REMOTE_READ | NDK_MR_FLAG_ALLOW_REMOTE_WRITE, on_answer, &s->call));
    IoFreeMdl(mdl);
    return s->call.status;
}

static NTSTATUS create_all(struct scene *s)
{
    NTSTATUS status = create_on(&s->side[A]);

    return NT_SUCCESS(status) ? create_on(&s->side[B]) : status;
}

static SOCKADDR_INET address_of(unsigned side, uint16_t port)
{
    struct plat_addr a = {.family = 4, .port = port, .ip = {10, 0, 0, (uint8_t)(1 + side)}};
    SOCKADDR_INET out;

    ndk_addr_to_inet(&a, &out);
    return out;
}

static NTSTATUS create_ways(struct scene *s)
{
    struct side *a = &s->side[A], *b = &s->side[B];
    SOCKADDR_INET at = address_of(A, 0);
    NTSTATUS status = a->adapter->Dispatch->NdkCreateSharedEndpoint(a->adapter, (SOCKADDR *)&at,
        sizeof(SOCKADDR_IN), on_created, a, (NDK_SHARED_ENDPOINT **)&a->object[ENDPOINT]);

    if (NT_SUCCESS(status))
        status = a->adapter->Dispatch->NdkCreateConnector(
            a->adapter, on_created, a, (NDK_CONNECTOR **)&a->object[CONNECTOR]);
    if (NT_SUCCESS(status))
        status = b->adapter->Dispatch->NdkCreateListener(
            b->adapter, on_connect, b, on_created, b, (NDK_LISTENER **)&b->object[LISTENER]);
    return status;
}

static bool b_has_answered(struct scene *s)
{
    return !s->side[B].call.is_pending;
}

static NTSTATUS start_listening(struct scene *s)
{
    struct side *b = &s->side[B];
    NDK_LISTENER *l = b->object[LISTENER];
    SOCKADDR_INET at = address_of(B, PORT);

    begin(&b->call);
    began(&b->call,
        l->Dispatch->NdkListen(l, (SOCKADDR *)&at, sizeof(SOCKADDR_IN), on_answer, &b->call));
    run_until(s, b_has_answered, "NdkListen");
    return b->call.status;
}

static bool has_request_or_failed(struct scene *s)
{
    return s->side[B].object[CONNECTOR] != NULL || !s->side[A].establish.is_pending;
}

static NTSTATUS start_connecting(struct scene *s)
{
    struct side *a = &s->side[A];
    SOCKADDR_INET to = address_of(B, PORT);

    begin(&a->establish);
    began(&a->establish, connector_of(a)->Dispatch->NdkConnectWithSharedEndpoint(connector_of(a),
                             qp_of(a), a->object[ENDPOINT], (SOCKADDR *)&to, sizeof(SOCKADDR_IN), 4,
                             4, NULL, 0, on_answer, &a->establish));
    run_until(s, has_request_or_failed, "NdkConnectWithSharedEndpoint");
    return a->establish.is_pending ? STATUS_SUCCESS : a->establish.status;
}

static bool a_is_established(struct scene *s)
{
    return !s->side[A].establish.is_pending;
}

static bool b_is_established(struct scene *s)
{
    return !s->side[B].establish.is_pending;
}

/* A failure at either side ends it at the other as well, so both are waited for in turn. */
static NTSTATUS accept_it(struct scene *s)
{
    struct side *b = &s->side[B];

    begin(&b->establish);
    began(&b->establish, connector_of(b)->Dispatch->NdkAccept(connector_of(b), qp_of(b), 4, 4, NULL,
                             0, on_disconnect, b, on_answer, &b->establish));
    run_until(s, a_is_established, "NdkConnectWithSharedEndpoint, the answer");
    return s->side[A].establish.status;
}

static NTSTATUS complete_connect(struct scene *s)
{
    struct side *a = &s->side[A];

    begin(&a->establish);
    began(&a->establish, connector_of(a)->Dispatch->NdkCompleteConnect(
                             connector_of(a), on_disconnect, a, on_answer, &a->establish));
    run_until(s, a_is_established, "NdkCompleteConnect");
    return a->establish.status;
}

static NTSTATUS be_accepted(struct scene *s)
{
    run_until(s, b_is_established, "NdkAccept");
    return s->side[B].establish.status;
}

static void count_post(struct side *s, NTSTATUS status, NTSTATUS *first)
{
    if (NT_SUCCESS(status))
        s->posted++;
    else if (NT_SUCCESS(*first))
        *first = status;
}

static NTSTATUS post_all(struct scene *s)
{
    struct side *a = &s->side[A], *b = &s->side[B];
    const NDK_QP_DISPATCH *d = qp_of(a)->Dispatch;
    UINT32 at_a = mr_of(a)->Dispatch->NdkGetLocalTokenFromMr(mr_of(a));
    UINT32 at_b = mr_of(b)->Dispatch->NdkGetRemoteTokenFromMr(mr_of(b));
    NDK_SGE from = {{a->memory}, LEN, at_a}, back = {{a->memory + LEN}, LEN, at_a};
    NDK_SGE to = {{b->memory}, LEN, at_b};
    uint64_t high = (uintptr_t)b->memory + LEN;
    NTSTATUS first = STATUS_SUCCESS;

    count_post(b, qp_of(b)->Dispatch->NdkReceive(qp_of(b), b, &to, 1), &first);
    count_post(a, d->NdkWrite(qp_of(a), a, &from, 1, high, at_b, 0), &first);
    count_post(a, d->NdkSend(qp_of(a), a, &from, 1, 0), &first);
    count_post(a, d->NdkRead(qp_of(a), a, &back, 1, high, at_b, 0), &first);
    return first;
}

/* Statuses of completions: those of a connection that breaks. */
static void collect(struct side *s, NTSTATUS *worst)
{
    NDK_CQ *cq = s->object[CQ];
    NDK_RESULT r[8];
    ULONG n = cq->Dispatch->NdkGetCqResults(cq, r, 8);

    for (ULONG i = 0; i < n; i++) {
        s->completed++;
        assert_true(s->completed <= s->posted);
        assert_ptr_equal(r[i].QPContext, s);
        assert_ptr_equal(r[i].RequestContext, s);
        if (r[i].Status == STATUS_SUCCESS)
            continue;
        assert_true(fault.has_failed);
        *worst = r[i].Status;
        assert_true(r[i].Status == STATUS_CANCELLED || r[i].Status == STATUS_IO_TIMEOUT ||
                    r[i].Status == STATUS_REMOTE_RESOURCES);
    }
}

static NTSTATUS completion_status;

static bool all_is_complete(struct scene *s)
{
    for (int i = 0; i < SIDES; i++) {
        if (s->side[i].object[CQ] != NULL)
            collect(&s->side[i], &completion_status);
    }
    return s->side[A].completed == s->side[A].posted && s->side[B].completed == s->side[B].posted;
}

/* A FIN is taken for the peer's disconnect, which flushes nothing: the consumer has to end it. */
static bool all_is_complete_or_left_to_us(struct scene *s)
{
    return all_is_complete(s) || (fault.has_failed && fault.manner->read == PLAT_IO_END &&
                                     s->side[A].disconnects + s->side[B].disconnects > 0);
}

static NTSTATUS complete_all(struct scene *s)
{
    completion_status = STATUS_SUCCESS;
    run_until(s, all_is_complete_or_left_to_us, "requests");
    if (!all_is_complete(s))
        return STATUS_CANCELLED;
    if (NT_SUCCESS(completion_status)) {
        assert_memory_equal(s->side[A].memory, s->side[B].memory, LEN);
        assert_memory_equal(s->side[A].memory, s->side[B].memory + LEN, LEN);
        assert_memory_equal(s->side[A].memory, s->side[A].memory + LEN, LEN);
    }
    return completion_status;
}

static bool a_has_answered(struct scene *s)
{
    return !s->side[A].call.is_pending;
}

static bool b_was_told(struct scene *s)
{
    return s->side[B].disconnects > 0;
}

static NTSTATUS disconnect(struct scene *s)
{
    for (int i = 0; i < SIDES; i++) {
        struct side *it = &s->side[i];

        begin(&it->call);
        began(&it->call,
            connector_of(it)->Dispatch->NdkDisconnect(connector_of(it), on_answer, &it->call));
        if (i == A)
            run_until(s, b_was_told, "the disconnect event");
    }
    run_until(s, a_has_answered, "NdkDisconnect");
    run_until(s, b_has_answered, "NdkDisconnect in answer");
    return NT_SUCCESS(s->side[A].call.status) ? s->side[B].call.status : s->side[A].call.status;
}

#define OF_CONNECT                                                                                 \
    {                                                                                              \
        STATUS_INSUFFICIENT_RESOURCES, STATUS_NETWORK_UNREACHABLE, STATUS_HOST_UNREACHABLE,        \
            STATUS_CONNECTION_REFUSED, STATUS_IO_TIMEOUT, STATUS_SHARING_VIOLATION,                \
            STATUS_INVALID_ADDRESS, STATUS_TOO_MANY_ADDRESSES, STATUS_ADDRESS_ALREADY_EXISTS,      \
            STATUS_CONNECTION_ABORTED                                                              \
    }

/* SUCCESS is not listed; a 0 ends. */
static const struct {
    const char *name;
    step *run;
    NTSTATUS says[12];
} way[] = {
    {"create", create_all, {STATUS_INSUFFICIENT_RESOURCES}},
    {"create endpoint, connector, listener", create_ways,
        {STATUS_INSUFFICIENT_RESOURCES, STATUS_SHARING_VIOLATION, STATUS_TOO_MANY_ADDRESSES,
            STATUS_INVALID_ADDRESS}},
    {"listen", start_listening,
        {STATUS_INSUFFICIENT_RESOURCES, STATUS_SHARING_VIOLATION, STATUS_TOO_MANY_ADDRESSES,
            STATUS_INVALID_ADDRESS}},
    {"connect", start_connecting, OF_CONNECT},
    {"connect, after the request", accept_it, OF_CONNECT}, /* which may have to be made again */
    {"complete", complete_connect,
        {STATUS_CONNECTION_INVALID, STATUS_CONNECTION_ABORTED, STATUS_IO_TIMEOUT,
            STATUS_INSUFFICIENT_RESOURCES}},
    {"accept", be_accepted,
        {STATUS_CONNECTION_ABORTED, STATUS_IO_TIMEOUT, STATUS_INSUFFICIENT_RESOURCES}},
    {"post", post_all, {STATUS_CONNECTION_INVALID}},
    {"requests", complete_all, {STATUS_CANCELLED, STATUS_IO_TIMEOUT, STATUS_REMOTE_RESOURCES}},
    {"disconnect", disconnect, {STATUS_IO_TIMEOUT, STATUS_CONNECTION_INVALID}},
};

static void walk(struct scene *s)
{
    for (size_t i = 0; i < SN_ARRAY_COUNT(way); i++) {
        NTSTATUS status = way[i].run(s);
        bool is_documented = status == STATUS_SUCCESS;

        if (status == STATUS_SUCCESS)
            continue;
        for (int k = 0; way[i].says[k] != 0; k++)
            is_documented |= way[i].says[k] == status;
        if (!is_documented || !fault.has_failed)
            fail_msg("%s: status 0x%08x (%s, failure %u%s)", way[i].name, (unsigned)status,
                fault.manner->name, fault.at, fault.is_for_good ? " and all after it" : "");
        return;
    }
}

/* ---- beginning and end ---- */

static bool all_is_closed(struct scene *s)
{
    return !s->side[A].closing.is_pending && !s->side[B].closing.is_pending;
}

/* Close is the first entry of every table but the adapter's. */
static void close_object(struct scene *s, struct side *it, enum object what)
{
    const struct {
        NDK_OBJECT_HEADER header;
        const struct {
            NDK_FN_CLOSE_OBJECT close;
        } * dispatch;
    } *any = it->object[what];
    NTSTATUS status;

    if (any == NULL)
        return;
    begin(&it->closing);
    status = any->dispatch->close(it->object[what], on_closed, &it->closing);
    assert_true(status == STATUS_SUCCESS || status == STATUS_PENDING);
    began(&it->closing, status);
    run_until(s, all_is_closed, "a close");
    it->object[what] = NULL;
}

/* Connectors first, then the rest of both sides; between queue pair and CQ the last completions. */
static void close_all(struct scene *s)
{
    for (int what = OBJECTS - 1; what >= 0; what--) {
        for (int i = 0; i < SIDES; i++)
            close_object(s, &s->side[i], (enum object)what);
        if (what == QP) /* nothing else is to come */
            assert_true(all_is_complete(s));
    }
    assert_false(s->side[A].call.is_pending || s->side[A].establish.is_pending);
    assert_false(s->side[B].call.is_pending || s->side[B].establish.is_pending);
}

static void forget(struct scene *s)
{
    for (int i = 0; i < SIDES; i++) {
        NDK_ADAPTER *adapter = s->side[i].adapter;

        s->side[i] = (struct side){.scene = s, .adapter = adapter};
        for (size_t k = 0; i == A && k < LEN; k++)
            s->side[i].memory[k] = (uint8_t)(k * 7 + 1);
    }
}

static NTSTATUS open_adapters(struct scene *s)
{
    for (int i = 0; i < SIDES; i++) {
        struct rnic_options o;
        NTSTATUS status;

        rnic_options_init(&o);
        o.lanes = 1 + (uint32_t)i;
        status = ndk_adapter_open(s->plat[i], &o, &s->side[i].adapter);
        if (!NT_SUCCESS(status))
            return status;
    }
    return STATUS_SUCCESS;
}

static void close_adapters(struct scene *s)
{
    for (int i = 0; i < SIDES; i++) {
        if (s->side[i].adapter != NULL)
            ndk_adapter_close(s->side[i].adapter, __func__);
    }
}

/* True: nothing failed. */
static bool try_once(const struct manner *m, uint32_t at, bool is_for_good, uint64_t seed)
{
    static const struct sim_faults pieces = {
        .split_permille = 500, .short_write_permille = 500, .pipe_capacity = 2048};
    static struct scene s;
    size_t live = sn_alloc_live_count();
    NTSTATUS status;
    bool went_well;

    fault_set(m, 0, false);
    memset(&s, 0, sizeof s);
    s.sim = sim_world_create(seed, &pieces);
    for (unsigned i = 0; i < SIDES; i++) {
        struct plat_addr a = {.family = 4, .ip = {10, 0, 0, (uint8_t)(1 + i)}};

        s.plat[i] = sim_host_create(s.sim, &a, 1);
        put_in_front(s.plat[i]);
    }
    fault_set(m, at, is_for_good);
    status = open_adapters(&s);
    if (NT_SUCCESS(status)) {
        forget(&s);
        walk(&s);
        close_all(&s);
    } else {
        assert_int_equal(status, STATUS_INSUFFICIENT_RESOURCES);
    }
    went_well = !fault.has_failed;
    if (!is_for_good && NT_SUCCESS(status)) {
        fault_set(m, 0, false);
        forget(&s);
        walk(&s);
        assert_int_equal(s.side[A].completed, 3);
        assert_int_equal(s.side[B].completed, 1);
        close_all(&s);
    }
    close_adapters(&s);
    fault_set(m, 0, false);
    for (int i = 0; i < 1000000 && sim_step(s.sim); i++)
        ; /* what still travels */
    for (int i = 0; i < SIDES; i++)
        sim_host_destroy(s.plat[i]);
    sim_world_destroy(s.sim);
    assert_int_equal(sn_alloc_live_count(), live);
    return went_well;
}

/* The seeds differ in the pieces in which octets move, and so in the order of events. */
static void fail_each(bool is_for_good)
{
    for (size_t i = 0; i < SN_ARRAY_COUNT(manners); i++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            uint32_t n = 1;

            while (!try_once(&manners[i], n, is_for_good, seed)) {
                n++;
                assert_true(n < FAILURES_MAX);
            }
            assert_true(n > 10); /* there was something to fail */
        }
    }
}

static void each_failure_alone(void **state)
{
    (void)state;
    fail_each(false);
}

static void each_failure_and_all_after_it(void **state)
{
    (void)state;
    fail_each(true);
}

int main(void)
{
    const struct sn_allocator scarce = {.alloc = scarce_alloc, .free = scarce_free};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failure_alone),
        cmocka_unit_test(each_failure_and_all_after_it),
    };

    sn_alloc_set(&scarce);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
