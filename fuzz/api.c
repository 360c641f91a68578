/* SPDX-License-Identifier: MIT */
/*
 * A consumer of NDKPI that does what the input says: it makes objects, posts, arms, polls, connects
 * queue pairs to each other, gives rights and takes them, closes in any order with anything
 * outstanding, from callbacks as well, while allocations fail and connections are cut. It keeps
 * what NDKPI asks of a consumer: no object is used after its close call, no memory is named that
 * is not there. What must hold all the same stands in api_world.h.
 *
 * The first octets choose the adapters' options, each later command is an octet and its arguments.
 */
#include "api_requests.h"
#include "api_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A connection is cheap to make, and full now and then. */
enum { PIPE_OCTETS = 8192 };
static const struct sim_faults calm = {.pipe_capacity = PIPE_OCTETS};

/* ---- allocations that fail ---- */

static uint32_t fail_in; /* 1: the next one; 0: none */

static void *scarce_alloc(void *ctx, size_t size)
{
    (void)ctx;
    if (fail_in != 0 && --fail_in == 0)
        return NULL;
    return malloc(size);
}

static void scarce_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

/* ---- objects ---- */

static struct object *make_cq(struct world *w, unsigned host, ULONG depth)
{
    struct object *o = object_room(w, KIND_CQ, host);

    if (o == NULL)
        return NULL;
    o->depth = depth;
    return object_created(o,
        w->adapter[host]->Dispatch->NdkCreateCq(
            w->adapter[host], depth, on_cq, o, NULL, on_created, o, &o->cq),
        says_create_queue);
}

static struct object *make_pd(struct world *w, unsigned host)
{
    struct object *o = object_room(w, KIND_PD, host);

    if (o == NULL)
        return NULL;
    return object_created(o,
        w->adapter[host]->Dispatch->NdkCreatePd(w->adapter[host], on_created, o, &o->pd),
        says_create);
}

static struct object *on_pd(struct object *o, struct object *pd)
{
    if (o != NULL)
        object_stands_on(o, pd);
    return o;
}

static struct object *make_mr(struct world *w, struct object *pd, bool is_fast)
{
    struct object *o = object_room(w, KIND_MR, pd->host);

    if (o == NULL)
        return NULL;
    o->is_fast = is_fast;
    return on_pd(
        object_created(
            o, pd->pd->Dispatch->NdkCreateMr(pd->pd, is_fast, on_created, o, &o->mr), says_create),
        pd);
}

static void make_mw(struct world *w, struct object *pd)
{
    struct object *o = object_room(w, KIND_MW, pd->host);

    if (o != NULL)
        on_pd(object_created(
                  o, pd->pd->Dispatch->NdkCreateMw(pd->pd, on_created, o, &o->mw), says_create),
            pd);
}

static void make_srq(struct world *w, struct object *pd)
{
    struct object *o = object_room(w, KIND_SRQ, pd->host);
    ULONG depth = take(w) % 40, sge = take(w) % 5, threshold = take(w) % 8;

    if (o == NULL)
        return;
    o->arms = threshold != 0;
    on_pd(object_created(o,
              pd->pd->Dispatch->NdkCreateSrq(
                  pd->pd, depth, sge, threshold, on_srq, o, NULL, on_created, o, &o->srq),
              says_create_queue),
        pd);
}

struct qp_depths {
    ULONG receive, initiator, sge, inline_size;
};

/* srq may be NULL. */
static struct object *make_qp(struct world *w, struct object *pd, struct object *receive_cq,
    struct object *initiator_cq, struct object *srq, struct qp_depths d)
{
    struct object *o = object_room(w, KIND_QP, pd->host);
    NTSTATUS s;

    if (o == NULL)
        return NULL;
    if (srq != NULL)
        s = pd->pd->Dispatch->NdkCreateQpWithSrq(pd->pd, receive_cq->cq, initiator_cq->cq, srq->srq,
            o, d.initiator, d.sge, d.inline_size, on_created, o, &o->qp);
    else
        s = pd->pd->Dispatch->NdkCreateQp(pd->pd, receive_cq->cq, initiator_cq->cq, o, d.receive,
            d.initiator, d.sge, d.sge, d.inline_size, on_created, o, &o->qp);
    o = object_created(o, s, says_create_queue);
    if (o == NULL)
        return NULL;
    o->receive_cq = receive_cq;
    o->initiator_cq = initiator_cq;
    o->its_srq = srq;
    object_stands_on(o, pd);
    object_stands_on(o, receive_cq);
    object_stands_on(o, initiator_cq);
    if (srq != NULL)
        object_stands_on(o, srq);
    weigh(w);
    return o;
}

static SOCKADDR_INET address_of(unsigned host, uint16_t port)
{
    struct plat_addr a = {.family = 4, .port = port, .ip = {10, 0, 0, (uint8_t)(1 + host)}};
    SOCKADDR_INET out;

    ndk_addr_to_inet(&a, &out);
    return out;
}

static void make_endpoint(struct world *w, unsigned host)
{
    struct object *o = object_room(w, KIND_ENDPOINT, host);
    uint8_t where = take(w);
    SOCKADDR_INET at = address_of(where % 8 == 7 ? 7 : host, where / 8 % 4);

    if (o != NULL)
        object_created(o,
            w->adapter[host]->Dispatch->NdkCreateSharedEndpoint(w->adapter[host], (SOCKADDR *)&at,
                sizeof(SOCKADDR_IN), on_created, o, &o->endpoint),
            says_endpoint);
}

static struct object *make_connector(struct world *w, unsigned host)
{
    struct object *o = object_room(w, KIND_CONNECTOR, host);

    if (o == NULL)
        return NULL;
    return object_created(o,
        w->adapter[host]->Dispatch->NdkCreateConnector(
            w->adapter[host], on_created, o, &o->connector),
        says_create);
}

static struct object *make_listener(struct world *w, unsigned host)
{
    struct object *o = object_room(w, KIND_LISTENER, host);

    if (o == NULL)
        return NULL;
    return object_created(o,
        w->adapter[host]->Dispatch->NdkCreateListener(
            w->adapter[host], on_connect, o, on_created, o, &o->listener),
        says_create);
}

static void do_create(struct world *w)
{
    uint8_t what = take(w);
    unsigned host = what / 16 % HOSTS;
    struct object *pd, *receive_cq, *initiator_cq;
    struct qp_depths depths;

    switch (what % 16) {
    case KIND_CQ:
        make_cq(w, host, take(w) % 64);
        return;
    case KIND_PD:
        make_pd(w, host);
        return;
    case KIND_ENDPOINT:
        make_endpoint(w, host);
        return;
    case KIND_CONNECTOR:
        make_connector(w, host);
        return;
    case KIND_LISTENER:
        make_listener(w, host);
        return;
    default:
        break;
    }
    pd = pick(w, KIND_PD);
    if (pd == NULL)
        return;
    switch (what % 16) {
    case KIND_MR:
        make_mr(w, pd, what >= 128);
        return;
    case KIND_MW:
        make_mw(w, pd);
        return;
    case KIND_SRQ:
        make_srq(w, pd);
        return;
    default:
        receive_cq = pick(w, KIND_CQ);
        initiator_cq = pick(w, KIND_CQ);
        if (receive_cq == NULL)
            return;
        depths.receive = take(w) % 20;
        depths.initiator = take(w) % 20;
        depths.sge = take(w) % 5;
        depths.inline_size = take(w);
        make_qp(w, pd, receive_cq, initiator_cq, what >= 128 ? pick(w, KIND_SRQ) : NULL, depths);
    }
}

static void do_close(struct world *w)
{
    uint8_t kind = take(w);
    struct object *o = pick(w, (enum kind)(kind % KINDS));

    if (o != NULL)
        object_close(o);
}

/* ---- queues ---- */

static void do_poll(struct world *w)
{
    uint8_t how = take(w);
    struct object *cq = pick(w, KIND_CQ);

    if (cq != NULL)
        cq_poll(cq, how % 9, how >= 128);
}

static void do_arm(struct world *w)
{
    uint8_t type = take(w) % 4;
    struct object *cq = pick(w, KIND_CQ);

    if (cq == NULL)
        return;
    cq->arms += type < 3;
    cq->cq->Dispatch->NdkArmCq(cq->cq, type);
}

static void do_resize(struct world *w)
{
    struct object *cq = pick(w, KIND_CQ);
    struct pending *call = cq != NULL ? call_begin(cq, says_resize) : NULL;
    ULONG depth = take(w) % 64;
    NTSTATUS s;

    if (call == NULL)
        return;
    s = cq->cq->Dispatch->NdkResizeCq(cq->cq, depth, on_answer, call);
    SN_ASSERT(s != STATUS_PENDING);
    call_end(call, s);
    if (s != STATUS_SUCCESS)
        return;
    cq->depth = depth;
    weigh(w);
}

static void do_moderate(struct world *w)
{
    struct object *cq = pick(w, KIND_CQ);
    uint8_t interval = take(w), count = take(w);

    if (cq != NULL)
        check_documented(
            cq->cq->Dispatch->NdkControlCqInterruptModeration(
                cq->cq, interval == 255 ? MAXULONG : interval, count == 255 ? MAXULONG : count),
            says_moderate);
}

static void do_modify_srq(struct world *w)
{
    struct object *srq = pick(w, KIND_SRQ);
    struct pending *call = srq != NULL ? call_begin(srq, says_resize) : NULL;
    ULONG depth = take(w) % 40, threshold = take(w) % 8;

    if (call == NULL)
        return;
    srq->arms += threshold != 0;
    call_end(call, srq->srq->Dispatch->NdkModifySrq(srq->srq, depth, threshold, on_answer, call));
}

/* ---- connections ---- */

static void start_connect(
    struct object *connector, struct object *qp, struct object *endpoint, SOCKADDR_INET *to)
{
    struct world *w = connector->world;
    struct pending *call = call_begin(connector, says_connect);
    const NDK_CONNECTOR_DISPATCH *d = connector->connector->Dispatch;
    uint8_t limits = take(w);
    ULONG private_len = take(w) * (limits >= 240 ? 4u : 1u);
    SOCKADDR_INET from = address_of(connector->host, limits % 16 == 15 ? 7 : 0);

    if (call == NULL)
        return;
    if (endpoint != NULL)
        call_end(call, d->NdkConnectWithSharedEndpoint(connector->connector, qp->qp,
                           endpoint->endpoint, (SOCKADDR *)to, sizeof(SOCKADDR_IN), limits % 16,
                           limits / 16, arena, private_len, on_answer, call));
    else
        call_end(call, d->NdkConnect(connector->connector, qp->qp, (SOCKADDR *)&from,
                           sizeof(SOCKADDR_IN), (SOCKADDR *)to, sizeof(SOCKADDR_IN), limits % 16,
                           limits / 16, arena, private_len, on_answer, call));
}

static void do_connect(struct world *w)
{
    uint8_t how = take(w);
    struct object *connector = pick(w, KIND_CONNECTOR), *qp = pick(w, KIND_QP);
    struct object *endpoint = how % 4 == 3 ? pick(w, KIND_ENDPOINT) : NULL;
    struct object *listener = pick(w, KIND_LISTENER);
    SOCKADDR_INET to;

    if (connector == NULL || qp == NULL)
        return;
    to = address_of(listener != NULL ? listener->host : how % 4u,
        listener != NULL ? listener->port : (uint16_t)(how / 4));
    start_connect(connector, qp, endpoint, &to);
}

static void do_complete(struct world *w)
{
    bool is_ex = take(w) % 2;
    struct object *c = pick(w, KIND_CONNECTOR);
    struct pending *call = c != NULL ? call_begin(c, says_complete) : NULL;
    const NDK_CONNECTOR_DISPATCH *d;

    if (call == NULL)
        return;
    d = c->connector->Dispatch;
    call_end(call, is_ex
                       ? d->NdkCompleteConnectEx(c->connector, on_disconnect_ex, c, on_answer, call)
                       : d->NdkCompleteConnect(c->connector, on_disconnect, c, on_answer, call));
}

static void do_accept(struct world *w)
{
    uint8_t how = take(w);
    struct object *c = pick(w, KIND_CONNECTOR), *qp = pick(w, KIND_QP);
    struct pending *call = c != NULL && qp != NULL ? call_begin(c, says_accept) : NULL;
    ULONG private_len = how >= 128 ? take(w) * 4u : 0;
    const NDK_CONNECTOR_DISPATCH *d;

    if (call == NULL)
        return;
    d = c->connector->Dispatch;
    call_end(call, how % 2 == 0 ? d->NdkAccept(c->connector, qp->qp, how % 8, how / 8 % 8, arena,
                                      private_len, on_disconnect, c, on_answer, call)
                                : d->NdkAcceptEx(c->connector, qp->qp, how % 8, how / 8 % 8, arena,
                                      private_len, on_disconnect_ex, c, on_answer, call));
}

static void do_reject(struct world *w)
{
    struct object *c = pick(w, KIND_CONNECTOR);
    ULONG len = take(w) * 4u;

    if (c != NULL)
        check_documented(c->connector->Dispatch->NdkReject(c->connector, arena, len), says_reject);
}

static void do_disconnect(struct world *w)
{
    struct object *c = pick(w, KIND_CONNECTOR);
    struct pending *call = c != NULL ? call_begin(c, says_disconnect) : NULL;

    if (call != NULL)
        call_end(call, c->connector->Dispatch->NdkDisconnect(c->connector, on_answer, call));
}

static void do_ask_connector(struct world *w)
{
    struct object *c = pick(w, KIND_CONNECTOR);
    uint8_t what = take(w);
    uint8_t data[600];
    ULONG len = take(w) * 2u, in, out;
    SOCKADDR_INET address;

    if (c == NULL)
        return;
    if (what % 3 == 0) {
        check_documented(
            c->connector->Dispatch->NdkGetConnectionData(c->connector, &in, &out, data, &len),
            says_data);
        return;
    }
    if (len > sizeof address)
        len = sizeof address;
    check_documented(
        what % 3 == 1
            ? c->connector->Dispatch->NdkGetLocalAddress(c->connector, (SOCKADDR *)&address, &len)
            : c->connector->Dispatch->NdkGetPeerAddress(c->connector, (SOCKADDR *)&address, &len),
        says_data);
}

static void start_listen(struct object *listener, uint16_t port)
{
    struct pending *call = call_begin(listener, says_listen);
    SOCKADDR_INET at = address_of(listener->host, port);

    if (call == NULL)
        return;
    call_end(call, listener->listener->Dispatch->NdkListen(
                       listener->listener, (SOCKADDR *)&at, sizeof(SOCKADDR_IN), on_answer, call));
    listener->port = port;
}

static void do_listen(struct world *w)
{
    struct object *listener = pick(w, KIND_LISTENER);
    uint16_t port = 1 + take(w) % 4;

    if (listener != NULL)
        start_listen(listener, port);
}

static void do_pause(struct world *w)
{
    struct object *listener = pick(w, KIND_LISTENER);
    BOOLEAN pause = take(w) % 2;

    if (listener != NULL)
        listener->listener->Dispatch->NdkControlConnectEvents(listener->listener, pause);
}

/* ---- the world ---- */

static void do_pass(struct world *w)
{
    let_pass(w, take(w));
}

static void do_rest(struct world *w)
{
    for (uint32_t i = 0; !w->is_in_callback && i < 2000 && !sim_is_idle(w->sim); i++)
        sim_step(w->sim);
}

static void do_faults(struct world *w)
{
    static const uint32_t chance[] = {0, 50, 300, 900};
    uint8_t x = take(w);
    struct sim_faults f = {.split_permille = chance[x % 4],
        .short_write_permille = chance[x / 4 % 4],
        .again_permille = chance[x / 16 % 4] / 3,
        .lane_busy_permille = chance[x / 64] / 3};

    x = take(w);
    f.delay_ns_max = x % 4 == 3 ? 1000000 : 0;
    f.pipe_capacity = x / 4 % 4 == 3 ? 700 : PIPE_OCTETS;
    f.emss = x / 16 % 4 == 3 ? 536 : 0;
    f.reset_permyriad = x / 64 == 3 ? 5 : 0;
    sim_set_faults(w->sim, &f);
}

static void do_cut(struct world *w)
{
    if (take(w) % 4 == 3 && !w->is_in_callback)
        sim_reset_all(w->sim);
}

static void do_scarce(struct world *w)
{
    fail_in = take(w) % 32;
}

static void do_info(struct world *w)
{
    NDK_ADAPTER *a = w->adapter[take(w) % HOSTS];
    NDK_ADAPTER_INFO info = {.Version = {2, 1}};
    ULONG size = take(w) % 2 ? sizeof info : take(w);
    NTSTATUS s;

    if (w->is_in_callback)
        return; /* PASSIVE_LEVEL only */
    s = a->Dispatch->NdkQueryAdapterInfo(a, &info, &size);
    SN_ASSERT(s == STATUS_SUCCESS || s == STATUS_BUFFER_TOO_SMALL);
}

/* Two queue pairs, connected if nothing prevents it, with memory and receives. */
static void do_pair(struct world *w)
{
    uint8_t how = take(w);
    unsigned host[2] = {how % HOSTS, how / 2 % HOSTS};
    struct object *qp[2] = {NULL, NULL}, *listener, *connector;
    SOCKADDR_INET to;

    for (int i = 0; i < 2; i++) {
        struct object *pd = make_pd(w, host[i]), *cq = make_cq(w, host[i], 60);
        struct object *mr = pd != NULL ? make_mr(w, pd, false) : NULL;

        if (mr != NULL)
            register_at(mr, arena, ARENA_FREE, ARENA_FREE,
                NDK_MR_FLAG_ALLOW_REMOTE_READ | NDK_MR_FLAG_ALLOW_REMOTE_WRITE |
                    NDK_MR_FLAG_RDMA_READ_SINK);
        if (pd != NULL && cq != NULL)
            qp[i] = make_qp(w, pd, cq, cq, NULL, (struct qp_depths){16, 16, 4, 64});
    }
    listener = make_listener(w, host[1]);
    connector = make_connector(w, host[0]);
    if (qp[0] == NULL || qp[1] == NULL || listener == NULL || connector == NULL)
        return;
    start_listen(listener, (uint16_t)(100 + w->objects_count));
    if (!w->is_in_callback)
        do_rest(w);
    if (listener->state != STATE_OPEN || connector->state != STATE_OPEN ||
        qp[0]->state != STATE_OPEN || qp[1]->state != STATE_OPEN)
        return; /* a callback closed it */
    w->acceptor = qp[1];
    to = address_of(host[1], listener->port);
    start_connect(connector, qp[0], NULL, &to);
    do_rest(w);
    if (connector->state == STATE_OPEN && how < 128) {
        struct pending *call = call_begin(connector, says_complete);

        if (call != NULL)
            call_end(call, connector->connector->Dispatch->NdkCompleteConnect(
                               connector->connector, on_disconnect, connector, on_answer, call));
        do_rest(w);
    }
}

typedef void command(struct world *w);

static void act(struct world *w)
{
    static command *const commands[] = {do_pair, do_create, do_close, do_register, do_deregister,
        do_fast_init, do_lam, do_message, do_message, do_message, do_receive, do_receive, do_bind,
        do_fast_register, do_invalidate, do_flush, do_poll, do_arm, do_resize, do_moderate,
        do_modify_srq, do_connect, do_complete, do_accept, do_reject, do_disconnect,
        do_ask_connector, do_listen, do_pause, do_pass, do_rest, do_faults, do_cut, do_scarce,
        do_info};

    commands[take(w) % SN_ARRAY_COUNT(commands)](w);
}

/* ---- beginning and end ---- */

static void world_open(struct world *w)
{
    static const uint8_t rtr[] = {6, 6, 2, 4, 1, 3, 7, 0};
    uint8_t how = take(w), seed = take(w);

    memset(arena, 0, ARENA_FREE);
    memset(arena + ARENA_FREE, CONST_OCTET, sizeof arena - ARENA_FREE);
    w->sim = sim_world_create(seed, &calm);
    SN_ASSERT(w->sim != NULL);
    for (unsigned i = 0; i < HOSTS; i++) {
        struct plat_addr a = {.family = 4, .ip = {10, 0, 0, (uint8_t)(1 + i)}};
        struct rnic_options o;

        rnic_options_init(&o);
        o.lanes = 1 + how / 64 % 2;
        o.mpa.revision = i == 0 && how % 8 == 7 ? 1 : 2;
        o.mpa.markers = how / 8 % 8 == 7;
        o.mpa.rtr = rtr[(how + i) % SN_ARRAY_COUNT(rtr)];
        o.payload_max = how >= 128 ? 257 : 0;
        o.require_read_sink = i == 1 && how % 64 == 63;
        w->plat[i] = sim_host_create(w->sim, &a, 1);
        SN_ASSERT(ndk_adapter_open(w->plat[i], &o, &w->adapter[i]) == STATUS_SUCCESS);
    }
}

/* Of the kinds in this mask, in any order. */
static void close_kinds(struct world *w, uint32_t kinds, uint32_t *random)
{
    for (;;) {
        struct object *chosen = NULL;
        uint32_t n = 0;

        for (uint32_t i = 0; i < w->objects_count; i++) {
            struct object *o = &w->objects[i];

            if (o->state != STATE_OPEN || (1u << o->kind & kinds) == 0)
                continue;
            *random = *random * 1103515245 + 12345;
            if (*random / 65536 % ++n == 0)
                chosen = o;
        }
        if (chosen == NULL)
            return;
        object_close(chosen);
        let_pass(w, *random / 65536 % 4);
    }
}

/* Queue pairs are gone, so every completion that there will be is in its queue. */
static void check_all_complete(struct world *w)
{
    for (uint32_t i = 0; i < w->objects_count; i++) {
        if (w->objects[i].kind == KIND_CQ && w->objects[i].state == STATE_OPEN) {
            while (cq_poll(&w->objects[i], 8, true))
                ;
        }
    }
    for (uint32_t i = 0; i < w->ops_count; i++) {
        const struct op *op = &w->ops[i];

        if (op->is_done || op->is_silent || op->srq != NULL)
            continue;
        SN_ASSERT(counted_at(op)->is_lossy);
    }
}

static void world_close(struct world *w, uint8_t how)
{
    const uint32_t queues = 1u << KIND_QP | 1u << KIND_CONNECTOR | 1u << KIND_LISTENER;
    uint32_t random = how * 2654435761u;

    fail_in = 0;
    sim_set_faults(w->sim, &calm);
    w->is_ending = true;
    for (unsigned i = 0; i < HOSTS; i++) {
        if (w->has_lam[i])
            w->adapter[i]->Dispatch->NdkReleaseLAM(w->adapter[i], &w->lam[i].head);
    }
    if (how % 2 == 0) {
        close_kinds(w, queues, &random);
        for (uint32_t i = 0; i < STEPS_MAX && sim_step(w->sim); i++)
            ;
        check_all_complete(w);
    }
    close_kinds(w, UINT32_MAX, &random);
    for (unsigned i = 0; i < HOSTS; i++)
        ndk_adapter_close(w->adapter[i], __func__);
    SN_ASSERT(w->uncounted == 0);
    for (uint32_t i = 0; i < w->objects_count; i++)
        SN_ASSERT(w->objects[i].state == STATE_CLOSED);
    for (uint32_t i = 0; i < STEPS_MAX && sim_step(w->sim); i++)
        ;
    for (unsigned i = 0; i < HOSTS; i++)
        sim_host_destroy(w->plat[i]);
    sim_world_destroy(w->sim);
    for (size_t i = ARENA_FREE; i < sizeof arena; i++)
        SN_ASSERT(arena[i] == CONST_OCTET);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sn_allocator scarce = {.alloc = scarce_alloc, .free = scarce_free};
    static bool is_installed;
    static struct world w;
    size_t live;
    uint8_t how;

    if (!is_installed)
        sn_alloc_set(&scarce);
    is_installed = true;
    live = sn_alloc_live_count();
    w = (struct world){.data = data, .size = size};
    how = take(&w);
    world_open(&w);
    while (w.size > 0)
        act(&w);
    world_close(&w, how);
    SN_ASSERT(sn_alloc_live_count() == live);
    return 0;
}
