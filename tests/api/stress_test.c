/* SPDX-License-Identifier: MIT */
/*
 * Threads that get in each other's way, all on one adapter: each worker connects two queue pairs of
 * its own again and again and gives up at any step; a helper posts on one of them while the worker
 * posts on the other; a third flushes; then the connection ends in one of several ways and
 * everything is closed in any order. What must hold is counted: each call answers once, each
 * request completes once, each close completes, nothing comes after it. The work is bounded; what
 * the threads make of it differs from run to run, and the sanitizers look on. [VRB-015] [VRB-019]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/consumer.h"
#include "support/unit.h"

enum {
    WORKERS = 3,
    TURNS = 100, /* of each worker */
    DEPTH = 32,
    CQ_DEPTH = 4096,
    MEMORY = 1 << 17,
    WAIT_MS = 120000, /* a hang, even under a sanitizer on a busy machine */
};

static uint32_t below(uint64_t *seed, uint32_t n)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % n;
}

/* cmocka cannot fail from a thread: what is wrong ends the process, with a line that says what. */
#define check(what)                                                                                \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "stress: %s does not hold, line %d\n", #what, __LINE__);               \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- calls ---- */

struct call {
    atomic_int answers;
    atomic_int status;
    bool has_pended;
};

static VOID on_answer(PVOID context, NTSTATUS status)
{
    struct call *c = context;

    atomic_store(&c->status, (int)status);
    check(atomic_fetch_add(&c->answers, 1) == 0);
}

static VOID on_closed(PVOID context)
{
    on_answer(context, STATUS_SUCCESS);
}

static void started(struct call *c, NTSTATUS s)
{
    c->has_pended = s == STATUS_PENDING;
    if (!c->has_pended)
        on_answer(c, s);
}

static bool has_answered(struct call *c)
{
    return atomic_load(&c->answers) > 0;
}

static NTSTATUS answer_of(struct call *c)
{
    for (int i = 0; !has_answered(c); i++) {
        check(i < WAIT_MS * 5);
        usleep(200);
    }
    return (NTSTATUS)atomic_load(&c->status);
}

static VOID on_created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    (void)context;
    (void)status;
    (void)object;
    abort(); /* everything is created inline */
}

/* Close is the first entry of every table but the adapter's. */
static void start_close(NDK_OBJECT_HEADER *object, struct call *c)
{
    const struct {
        NDK_OBJECT_HEADER header;
        const struct {
            NDK_FN_CLOSE_OBJECT close;
        } * dispatch;
    } *any = (const void *)object;

    started(c, any->dispatch->close(object, on_closed, c));
}

/* ---- who is who ---- */

static struct consumer *consumer;
static ULONG port_address_length;
static SOCKADDR_INET listening_at;

struct worker {
    uint8_t number;
    uint64_t seed;
    NDK_CQ *cq[2];
    NDK_SRQ *srq;
    struct memory *memory;
    /* The turn it is in and the connector that came for it: under the lock. */
    pthread_mutex_t lock;
    uint8_t turn;
    NDK_CONNECTOR *arrived;
};
static struct worker workers[WORKERS];
static atomic_int strays; /* closes that pend of connectors that nobody waits for */

struct side {
    NDK_QP *qp;
    NDK_MR *mr;
    MDL *mdl;
    uint8_t *p;
    UINT32 token;
    NDK_CONNECTOR *connector;
    bool uses_srq, is_connector_closed, is_qp_closed;
    atomic_int posted, completed, disconnects;
    struct call establish, ending, deregistering, close_connector, close_qp, close_mr;
};

/* A worker's turn. */
struct turn {
    struct worker *worker;
    struct side side[2];
    atomic_int is_over; /* for the helper */
    uint64_t helper_seed, flusher_seed;
};

static VOID on_stray_closed(PVOID context)
{
    (void)context;
    atomic_fetch_sub(&strays, 1);
}

static void close_stray(NDK_CONNECTOR *k)
{
    if (k == NULL)
        return;
    atomic_fetch_add(&strays, 1);
    if (k->Dispatch->NdkCloseConnector(&k->Header, on_stray_closed, NULL) == STATUS_SUCCESS)
        atomic_fetch_sub(&strays, 1);
}

static VOID on_connect(PVOID context, NDK_CONNECTOR *k)
{
    uint8_t name[2] = {WORKERS, 0};
    ULONG in, out, length = sizeof name;

    (void)context;
    if (NT_SUCCESS(k->Dispatch->NdkGetConnectionData(k, &in, &out, name, &length)) &&
        length == sizeof name && name[0] < WORKERS) {
        struct worker *w = &workers[name[0]];

        pthread_mutex_lock(&w->lock);
        if (w->turn == name[1] && w->arrived == NULL) {
            w->arrived = k;
            k = NULL;
        }
        pthread_mutex_unlock(&w->lock);
    }
    close_stray(k);
}

static NDK_CONNECTOR *take_arrived(struct worker *w)
{
    NDK_CONNECTOR *k;

    pthread_mutex_lock(&w->lock);
    k = w->arrived;
    w->arrived = NULL;
    pthread_mutex_unlock(&w->lock);
    return k;
}

static VOID on_disconnect(PVOID context)
{
    struct side *s = context;

    check(atomic_fetch_add(&s->disconnects, 1) == 0);
}

static VOID on_cq(PVOID context, NTSTATUS status)
{
    (void)context;
    check(status == STATUS_SUCCESS);
}

static VOID on_srq(PVOID context, NTSTATUS status)
{
    (void)context;
    check(status == STATUS_SUCCESS);
}

/* ---- requests ---- */

/* The number is raised before the post: its completion may be seen before the post returns. */
static bool count(struct side *s, NTSTATUS status)
{
    if (status == STATUS_SUCCESS)
        return true;
    atomic_fetch_sub(&s->posted, 1);
    return false;
}

static NDK_SGE some_memory(struct side *s, uint64_t *seed, uint32_t max)
{
    uint32_t len = below(seed, 4) == 0 ? below(seed, max) : below(seed, 100);

    return (NDK_SGE){{s->p + below(seed, MEMORY - max)}, len, s->token};
}

static void post_receives(struct worker *w, struct side *s, uint64_t *seed, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        NDK_SGE sge = {{s->p + MEMORY / 2}, 20000, s->token};

        if (s->uses_srq) {
            sge = memory_sge(w->memory, 0, 20000);
            if (w->srq->Dispatch->NdkSrqReceive(w->srq, NULL, &sge, 1) != STATUS_SUCCESS)
                return;
            continue;
        }
        atomic_fetch_add(&s->posted, 1);
        if (!count(s, s->qp->Dispatch->NdkReceive(s->qp, s, &sge, below(seed, 20) != 0)))
            return;
    }
}

static void post_requests(
    struct side *s, const struct side *peer, uint64_t *seed, uint32_t n, uint32_t defer_of)
{
    static const ULONG kinds[] = {
        0, 0, 0, NDK_OP_FLAG_READ_FENCE, NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT};
    const NDK_QP_DISPATCH *d = s->qp->Dispatch;
    uint64_t to = (uintptr_t)peer->p + below(seed, MEMORY / 2);

    for (uint32_t i = 0; i < n; i++) {
        ULONG flags = kinds[below(seed, 5)];
        NDK_SGE sge = some_memory(s, seed, 20000);
        NTSTATUS status;

        if (below(seed, defer_of) == 0)
            flags |= NDK_OP_FLAG_DEFER;
        atomic_fetch_add(&s->posted, 1);
        switch (below(seed, 4)) {
        case 0:
            flags &= ~(ULONG)NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT;
            status = d->NdkWrite(s->qp, s, &sge, 1, to, peer->token, flags);
            break;
        case 1:
            flags &= ~(ULONG)NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT;
            status = d->NdkRead(s->qp, s, &sge, 1, to, peer->token, flags);
            break;
        default:
            status = d->NdkSend(s->qp, s, &sge, 1, flags);
        }
        if (!count(s, status))
            return;
    }
}

static void drain(struct turn *t, ULONG arm)
{
    for (int i = 0; i < 2; i++) {
        NDK_CQ *cq = t->worker->cq[i];
        NDK_RESULT r[16];
        ULONG n;

        while ((n = cq->Dispatch->NdkGetCqResults(cq, r, 16)) > 0) {
            for (ULONG k = 0; k < n; k++) {
                struct side *s = r[k].QPContext;

                check(s == &t->side[0] || s == &t->side[1]);
                check(r[k].RequestContext == s || r[k].RequestContext == NULL);
                if (r[k].RequestContext != NULL) /* else of the shared queue */
                    atomic_fetch_add(&s->completed, 1);
            }
        }
        cq->Dispatch->NdkArmCq(cq, arm);
    }
}

/* ---- the other threads of a turn ---- */

static void *help(void *context)
{
    struct turn *t = context;
    struct side *s = &t->side[1];
    uint64_t *seed = &t->helper_seed;

    while (!atomic_load(&t->is_over)) {
        NDK_CQ *cq = t->worker->cq[below(seed, 2)];
        struct call resize = {0};

        post_receives(t->worker, s, seed, 1 + below(seed, 8));
        post_requests(s, &t->side[0], seed, 1 + below(seed, 8), 4);
        usleep(below(seed, 200));
        if (below(seed, 60) == 0)
            started(&resize,
                cq->Dispatch->NdkResizeCq(cq, CQ_DEPTH + below(seed, 64), on_answer, &resize));
        check(!resize.has_pended);
    }
    return NULL;
}

static void *flush(void *context)
{
    struct turn *t = context;
    NDK_QP *qp = t->side[below(&t->flusher_seed, 2)].qp;

    usleep(below(&t->flusher_seed, 3000));
    qp->Dispatch->NdkFlush(qp);
    return NULL;
}

/* ---- a turn ---- */

static void open_side(struct turn *t, int i)
{
    struct worker *w = t->worker;
    struct side *s = &t->side[i];
    NDK_CQ *receive_cq = w->cq[below(&w->seed, 2)], *initiator_cq = w->cq[below(&w->seed, 2)];
    const NDK_PD_DISPATCH *d = consumer->pd->Dispatch;
    struct call registering = {0};
    NTSTATUS status;

    s->uses_srq = i == 0 && below(&w->seed, 2) == 0;
    status = s->uses_srq ? d->NdkCreateQpWithSrq(consumer->pd, receive_cq, initiator_cq, w->srq, s,
                               DEPTH, 2, 64, on_created, NULL, &s->qp)
                         : d->NdkCreateQp(consumer->pd, receive_cq, initiator_cq, s, DEPTH, DEPTH,
                               2, 2, 64, on_created, NULL, &s->qp);
    check(status == STATUS_SUCCESS);
    check(d->NdkCreateMr(consumer->pd, FALSE, on_created, NULL, &s->mr) == STATUS_SUCCESS);
    s->p = calloc(1, MEMORY);
    s->mdl = IoAllocateMdl(s->p, MEMORY, FALSE, FALSE, NULL);
    check(s->p != NULL && s->mdl != NULL);
    started(&registering,
        s->mr->Dispatch->NdkRegisterMr(s->mr, s->mdl, MEMORY, MEMORY_ALL, on_answer, &registering));
    check(answer_of(&registering) == STATUS_SUCCESS);
    s->token = s->mr->Dispatch->NdkGetRemoteTokenFromMr(s->mr);
}

/* False: given up at step `until`, or it did not come about because of what was done there. */
static bool establish(struct turn *t, uint32_t until)
{
    struct worker *w = t->worker;
    struct side *a = &t->side[0], *b = &t->side[1];
    uint8_t name[2] = {w->number, w->turn};
    ULONG from_length;
    SOCKADDR_INET from = address_of("127.0.0.1", 0, &from_length);
    const NDK_CONNECTOR_DISPATCH *d;
    struct call complete = {0};

    check(consumer->adapter->Dispatch->NdkCreateConnector(
              consumer->adapter, on_created, NULL, &a->connector) == STATUS_SUCCESS);
    d = a->connector->Dispatch;
    started(&a->establish, d->NdkConnect(a->connector, a->qp, (SOCKADDR *)&from,
                               port_address_length, (SOCKADDR *)&listening_at, port_address_length,
                               16, 16, name, sizeof name, on_answer, &a->establish));
    check(a->establish.has_pended);
    if (until == 1)
        usleep(below(&w->seed, 500));
    if (until <= 1)
        return false;
    for (int i = 0; (b->connector = take_arrived(w)) == NULL; i++) {
        check(i < WAIT_MS * 5);
        if (has_answered(&a->establish)) /* no port, at worst */
            return false;
        usleep(200);
    }
    if (until == 2)
        return false;
    if (until == 3) {
        check(d->NdkReject(b->connector, NULL, 0) == STATUS_SUCCESS);
        return false;
    }
    post_receives(w, a, &w->seed, 8);
    if (!b->uses_srq)
        post_receives(w, b, &w->seed, 8);
    if (until == 4)
        b->qp->Dispatch->NdkFlush(b->qp);
    started(&b->establish, d->NdkAccept(b->connector, b->qp, 16, 16, NULL, 0, on_disconnect, b,
                               on_answer, &b->establish));
    if (!b->establish.has_pended) { /* of the queue pair that was flushed: somebody has to say no */
        check(until == 4);
        check(NT_SUCCESS(d->NdkReject(b->connector, NULL, 0)));
    }
    if (until == 5)
        return false;
    if (!NT_SUCCESS(answer_of(&a->establish))) {
        check(until == 4);
        return false;
    }
    if (until == 6) {
        check(NT_SUCCESS(d->NdkReject(a->connector, NULL, 0)));
        return false;
    }
    started(&complete, d->NdkCompleteConnect(a->connector, on_disconnect, a, on_answer, &complete));
    check(NT_SUCCESS(answer_of(&complete)) || until == 4);
    check(NT_SUCCESS(answer_of(&b->establish)) || until == 4);
    return NT_SUCCESS(answer_of(&complete)) && NT_SUCCESS(answer_of(&b->establish));
}

static void start_disconnect(struct side *s)
{
    started(&s->ending, s->connector->Dispatch->NdkDisconnect(s->connector, on_answer, &s->ending));
}

static void close_connector(struct side *s)
{
    if (s->connector == NULL || s->is_connector_closed)
        return;
    s->is_connector_closed = true;
    start_close(&s->connector->Header, &s->close_connector);
}

static void close_qp(struct side *s)
{
    if (s->is_qp_closed)
        return;
    s->is_qp_closed = true;
    start_close(&s->qp->Header, &s->close_qp);
}

static void close_mr(struct side *s)
{
    if (s->mr != NULL)
        start_close(&s->mr->Header, &s->close_mr);
    s->mr = NULL;
}

static void deregister(struct side *s)
{
    started(
        &s->deregistering, s->mr->Dispatch->NdkDeregisterMr(s->mr, on_answer, &s->deregistering));
    check(answer_of(&s->deregistering) == STATUS_SUCCESS);
}

static void end_somehow(struct turn *t)
{
    struct side *a = &t->side[0], *b = &t->side[1];

    switch (below(&t->worker->seed, 7)) {
    case 0:
        start_disconnect(a);
        break;
    case 1:
        start_disconnect(b);
        start_disconnect(a);
        break;
    case 2:
        a->qp->Dispatch->NdkFlush(a->qp);
        break;
    case 3:
        deregister(a);
        break;
    case 4:
        close_connector(b);
        break;
    case 5:
        deregister(b);
        b->qp->Dispatch->NdkFlush(b->qp);
        break;
    default:
        break;
    }
}

static void wait_closed(struct turn *t, struct call *c)
{
    for (int i = 0; !has_answered(c); i++) {
        check(i < WAIT_MS * 5);
        drain(t, NDK_CQ_NOTIFY_ANY);
        usleep(200);
    }
}

/* Connectors while others still post, then the rest, in any order; all of it pends together. */
static void close_all(struct turn *t, pthread_t *others, int others_count)
{
    struct worker *w = t->worker;
    uint32_t first = below(&w->seed, 2);

    for (uint32_t i = 0; i < 2; i++) {
        if (below(&w->seed, 2) == 0)
            close_connector(&t->side[i ^ first]);
    }
    atomic_store(&t->is_over, 1);
    for (int i = 0; i < others_count; i++)
        pthread_join(others[i], NULL);
    for (uint32_t i = 0; i < 2; i++) {
        if (below(&w->seed, 2) == 0)
            close_qp(&t->side[i ^ first]);
        if (below(&w->seed, 2) == 0)
            close_mr(&t->side[i ^ first]);
    }
    for (int i = 0; i < 2; i++) {
        close_connector(&t->side[i]);
        close_qp(&t->side[i]);
        close_mr(&t->side[i]);
    }
    for (int i = 0; i < 2; i++) {
        if (t->side[i].connector != NULL)
            wait_closed(t, &t->side[i].close_connector);
        wait_closed(t, &t->side[i].close_qp);
        wait_closed(t, &t->side[i].close_mr);
    }
    drain(t, NDK_CQ_NOTIFY_ERRORS);
}

static void check_side(struct side *s)
{
    check(!s->establish.has_pended || has_answered(&s->establish));
    check(!s->ending.has_pended || has_answered(&s->ending));
    check(atomic_load(&s->posted) == atomic_load(&s->completed));
    IoFreeMdl(s->mdl);
    free(s->p);
}

static void take_turn(struct worker *w)
{
    struct turn *t = calloc(1, sizeof *t);
    uint32_t until = below(&w->seed, 20), rounds = below(&w->seed, 40), arm = below(&w->seed, 3);
    pthread_t others[2];
    int others_count = 0;

    check(t != NULL);
    t->worker = w;
    open_side(t, 0);
    open_side(t, 1);
    if (establish(t, until)) {
        t->helper_seed = w->seed + 1;
        t->flusher_seed = w->seed + 2;
        check(pthread_create(&others[others_count++], NULL, help, t) == 0);
        if (below(&w->seed, 5) == 0)
            check(pthread_create(&others[others_count++], NULL, flush, t) == 0);
        for (uint32_t i = 0; i < rounds; i++) {
            post_receives(w, &t->side[0], &w->seed, 1 + below(&w->seed, 6));
            post_requests(&t->side[0], &t->side[1], &w->seed, 1 + below(&w->seed, 6), 4);
            drain(t, arm);
            if (below(&w->seed, 3) == 0)
                usleep(below(&w->seed, 200));
        }
        end_somehow(t);
        usleep(below(&w->seed, 2) * below(&w->seed, 2000));
    }
    close_all(t, others, others_count);
    check_side(&t->side[0]);
    check_side(&t->side[1]);
    free(t);
}

static void *work(void *context)
{
    struct worker *w = context;

    for (int i = 0; i < TURNS; i++) {
        take_turn(w);
        close_stray(take_arrived(w));
        pthread_mutex_lock(&w->lock);
        w->turn++;
        pthread_mutex_unlock(&w->lock);
        close_stray(take_arrived(w)); /* of the turn before: none comes any more */
    }
    return NULL;
}

/* ---- the test ---- */

static void open_worker(struct worker *w, uint8_t number)
{
    *w = (struct worker){.number = number, .seed = number * 1000003u + 5};
    pthread_mutex_init(&w->lock, NULL);
    for (int i = 0; i < 2; i++)
        assert_ntstatus(
            consumer_create_cq(consumer, CQ_DEPTH, on_cq, NULL, &w->cq[i]), STATUS_SUCCESS);
    assert_ntstatus(consumer->pd->Dispatch->NdkCreateSrq(
                        consumer->pd, 1024, 2, 4, on_srq, NULL, NULL, on_created, NULL, &w->srq),
        STATUS_SUCCESS);
    w->memory = memory_open(consumer, NULL, 20000, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
}

static void close_worker(struct worker *w)
{
    struct call closing = {0};

    start_close(&w->srq->Header, &closing);
    (void)answer_of(&closing);
    memory_close(w->memory);
    for (int i = 0; i < 2; i++)
        consumer_close_object(consumer, &w->cq[i]->Header);
    pthread_mutex_destroy(&w->lock);
}

static void threads_on_one_adapter(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    NDK_LISTENER *listener;
    struct call listening = {0};
    pthread_t threads[WORKERS];

    (void)state;
    o.Lanes = 3;
    o.DisconnectTimeoutMs = 300;
    o.ReceiveWaitMs = 200;
    o.AcceptQuietMs = 50;
    o.MpaTimeoutMs = o.ConnectTimeoutMs = 60000;
    consumer = consumer_open(&o);
    for (uint8_t i = 0; i < WORKERS; i++)
        open_worker(&workers[i], i);
    assert_ntstatus(
        consumer_create_listener(consumer, on_connect, NULL, &listener), STATUS_SUCCESS);
    listening_at = address_of("127.0.0.1", 0, &port_address_length);
    started(&listening, listener->Dispatch->NdkListen(listener, (SOCKADDR *)&listening_at,
                            port_address_length, on_answer, &listening));
    assert_ntstatus(answer_of(&listening), STATUS_SUCCESS);
    assert_ntstatus(listener->Dispatch->NdkGetLocalAddress(
                        listener, (SOCKADDR *)&listening_at, &port_address_length),
        STATUS_SUCCESS);
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    consumer_close_object(consumer, &listener->Header);
    for (int i = 0; i < WORKERS; i++)
        close_stray(take_arrived(&workers[i]));
    for (int i = 0; i < WORKERS; i++)
        close_worker(&workers[i]);
    consumer_close(consumer); /* waits for the strays */
    assert_int_equal(atomic_load(&strays), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_on_one_adapter)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
