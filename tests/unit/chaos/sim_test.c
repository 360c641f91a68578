/* SPDX-License-Identifier: MIT */
/*
 * The hostile schedule on the simulated platform: one thread, virtual time. The same seeds make the
 * same run, callback by callback and at the same virtual times; another seed of the schedule makes
 * another.
 */
#include "fixture.h"

#include <ws2ipdef.h>

#include "plat/sim/sim.h"

enum { LINES_MAX = 400, LINE_OCTETS = 64, RECEIVES = 5 };

/* What happened, in order. */
struct story {
    char line[LINES_MAX][LINE_OCTETS];
    unsigned count;
    struct plat *clock;
};

static struct story *now_telling;

static void note(const char *what, NTSTATUS status)
{
    struct story *s = now_telling;

    assert_true(s->count < LINES_MAX);
    snprintf(s->line[s->count++], LINE_OCTETS, "%llu %s %08x",
        (unsigned long long)plat_now_ns(s->clock), what, (unsigned)status);
}

/* A call: its name and whether it has ended. */
struct waited {
    const char *name;
    bool is_done;
    NTSTATUS status;
    NDK_OBJECT_HEADER *object;
};

static VOID completed(PVOID context, NTSTATUS status)
{
    struct waited *w = context;

    note(w->name, status);
    w->status = status;
    w->is_done = true;
}

static VOID created_later(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    ((struct waited *)context)->object = object;
    completed(context, status);
}

static VOID closed_later(PVOID context)
{
    completed(context, STATUS_SUCCESS);
}

/* ---- one host that connects to itself ---- */

struct sides {
    struct sim_world *sim;
    struct plat *plat;
    NDK_ADAPTER *adapter;
    NDK_CONNECTOR *arrived;
};

static bool is_done(void *ctx)
{
    return ((struct waited *)ctx)->is_done;
}

static NTSTATUS ends(struct sides *x, struct waited *w, NTSTATUS returned)
{
    note(w->name, returned);
    if (returned != STATUS_PENDING)
        return returned;
    assert_true(sim_run_until(x->sim, is_done, w, 1000000));
    return w->status;
}

static void *object_of(struct sides *x, struct waited *w, NTSTATUS returned, void *now)
{
    assert_int_equal(ends(x, w, returned), STATUS_SUCCESS);
    return returned == STATUS_PENDING ? (void *)w->object : now;
}

static void close_it(struct sides *x, void *object)
{
    struct waited w = {.name = "close"};
    NDK_FN_CLOSE_OBJECT close;

    memcpy(&close, ((struct ndk_object *)object)->Dispatch, sizeof close);
    assert_int_equal(ends(x, &w, close(object, closed_later, &w)), STATUS_SUCCESS);
}

static VOID on_connect(PVOID context, NDK_CONNECTOR *connector)
{
    struct sides *x = context;

    note("connect event", STATUS_SUCCESS);
    x->arrived = connector;
}

static VOID on_notified(PVOID context, NTSTATUS status)
{
    UNREFERENCED_PARAMETER(context);
    note("notification", status);
}

static VOID on_disconnected(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    note("disconnect event", STATUS_SUCCESS);
}

static bool has_arrived(void *ctx)
{
    return ((struct sides *)ctx)->arrived != NULL;
}

static NDK_QP *make_qp(struct sides *x, NDK_PD *pd, NDK_CQ *cq)
{
    struct waited w = {.name = "create QP"};
    NDK_QP *qp = NULL;
    NTSTATUS status = pd->Dispatch->NdkCreateQp(
        pd, cq, cq, NULL, RECEIVES, RECEIVES, 1, 1, 0, created_later, &w, &qp);

    return object_of(x, &w, status, qp);
}

static NDK_LISTENER *make_listener(struct sides *x, SOCKADDR_IN *at)
{
    struct waited w = {.name = "create listener"}, listening = {.name = "listen"};
    NDK_LISTENER *l = NULL;
    ULONG length = sizeof *at;
    NTSTATUS status =
        x->adapter->Dispatch->NdkCreateListener(x->adapter, on_connect, x, created_later, &w, &l);

    l = object_of(x, &w, status, l);
    status = l->Dispatch->NdkListen(l, (PSOCKADDR)at, sizeof *at, completed, &listening);
    assert_int_equal(ends(x, &listening, status), STATUS_SUCCESS);
    assert_int_equal(l->Dispatch->NdkGetLocalAddress(l, (PSOCKADDR)at, &length), STATUS_SUCCESS);
    return l;
}

static NDK_CONNECTOR *connect_both(
    struct sides *x, NDK_QP *active, NDK_QP *passive, SOCKADDR_IN from, SOCKADDR_IN to)
{
    struct waited w = {.name = "create connector"}, connecting = {.name = "connect"},
                  accepting = {.name = "accept"}, completing = {.name = "complete"};
    NDK_CONNECTOR *k = NULL;
    NTSTATUS status = x->adapter->Dispatch->NdkCreateConnector(x->adapter, created_later, &w, &k),
             accepted;

    k = object_of(x, &w, status, k);
    status = k->Dispatch->NdkConnect(k, active, (PSOCKADDR)&from, sizeof from, (PSOCKADDR)&to,
        sizeof to, 1, 1, NULL, 0, completed, &connecting);
    assert_true(sim_run_until(x->sim, has_arrived, x, 1000000));
    accepted = x->arrived->Dispatch->NdkAccept(
        x->arrived, passive, 1, 1, NULL, 0, on_disconnected, NULL, completed, &accepting);
    assert_int_equal(ends(x, &connecting, status), STATUS_SUCCESS);
    status = k->Dispatch->NdkCompleteConnect(k, on_disconnected, NULL, completed, &completing);
    assert_int_equal(ends(x, &completing, status), STATUS_SUCCESS);
    assert_int_equal(ends(x, &accepting, accepted), STATUS_SUCCESS);
    return k;
}

/* Sends without octets, from one to the other; then the end. */
static void talk_and_part(
    struct sides *x, NDK_CONNECTOR *k, NDK_QP *active, NDK_QP *passive, NDK_CQ *cq)
{
    struct waited leaving = {.name = "disconnect"}, answering = {.name = "answer"};
    NTSTATUS status, answered;
    unsigned results = 0;

    for (unsigned i = 0; i < RECEIVES; i++) {
        assert_int_equal(passive->Dispatch->NdkReceive(passive, NULL, NULL, 0), STATUS_SUCCESS);
        cq->Dispatch->NdkArmCq(cq, NDK_CQ_NOTIFY_ANY);
        assert_int_equal(active->Dispatch->NdkSend(active, NULL, NULL, 0, 0), STATUS_SUCCESS);
        for (unsigned steps = 0; steps < 2000 && results < 2 * (i + 1); steps++) {
            NDK_RESULT result[4];
            ULONG got = cq->Dispatch->NdkGetCqResults(cq, result, 4);

            results += got;
            if (got != 0)
                note("results", (NTSTATUS)got);
            (void)sim_step(x->sim);
        }
        assert_int_equal(results, 2 * (i + 1));
    }
    status = k->Dispatch->NdkDisconnect(k, completed, &leaving);
    answered = x->arrived->Dispatch->NdkDisconnect(x->arrived, completed, &answering);
    (void)ends(x, &leaving, status);
    (void)ends(x, &answering, answered);
}

static void tell_story(struct story *s, unsigned seed)
{
    static const struct ndk_layer *const list[] = {&chaos_layer, NULL};
    struct plat_addr host = {.family = 4, .ip = {10, 0, 0, 1}};
    SOCKADDR_IN here = {.sin_family = AF_INET}, at;
    struct waited pd_call = {.name = "create PD"}, cq_call = {.name = "create CQ"};
    struct sides x = {.sim = sim_world_create(5, NULL)};
    struct ndk_layers *layers = NULL;
    struct rnic_options options;
    char schedule[20], text[NDK_LAYER_TEXT] = "";
    NDK_PD *pd = NULL;
    NDK_CQ *cq = NULL;
    NDK_QP *active, *passive;
    NDK_LISTENER *l;
    NDK_CONNECTOR *k;
    NTSTATUS status;

    memset(s, 0, sizeof *s);
    memcpy(&here.sin_addr, host.ip, 4);
    at = here;
    snprintf(schedule, sizeof schedule, "hostile:%u", seed);
    env_schedule = schedule;
    env_faults = NULL;
    x.plat = sim_host_create(x.sim, &host, 1);
    s->clock = x.plat;
    now_telling = s;
    rnic_options_init(&options);
    assert_int_equal(ndk_layers_open(list, env_of_test, &layers, text), STATUS_SUCCESS);
    assert_int_equal(
        ndk_adapter_open_layered(x.plat, &options, layers, &x.adapter), STATUS_SUCCESS);

    status = x.adapter->Dispatch->NdkCreatePd(x.adapter, created_later, &pd_call, &pd);
    pd = object_of(&x, &pd_call, status, pd);
    status = x.adapter->Dispatch->NdkCreateCq(
        x.adapter, 4 * RECEIVES, on_notified, NULL, NULL, created_later, &cq_call, &cq);
    cq = object_of(&x, &cq_call, status, cq);
    active = make_qp(&x, pd, cq);
    passive = make_qp(&x, pd, cq);
    l = make_listener(&x, &at);
    k = connect_both(&x, active, passive, here, at);
    talk_and_part(&x, k, active, passive, cq);
    close_it(&x, k);
    close_it(&x, x.arrived);
    close_it(&x, l);
    close_it(&x, active);
    close_it(&x, passive);
    close_it(&x, cq);
    close_it(&x, pd);
    ndk_adapter_close(x.adapter, "tell_story");
    note("end", STATUS_SUCCESS);
    sim_host_destroy(x.plat);
    sim_world_destroy(x.sim);
}

static bool is_same(const struct story *a, const struct story *b)
{
    return a->count == b->count && memcmp(a->line, b->line, sizeof a->line) == 0;
}

static void the_same_seed_tells_the_same_story(void **state)
{
    static struct story first, again, other;
    unsigned differing = 0;

    (void)state;
    for (unsigned seed = 1; seed <= 20; seed++) {
        tell_story(&first, seed);
        tell_story(&again, seed);
        for (unsigned i = 0; i < first.count && i < again.count; i++)
            assert_string_equal(first.line[i], again.line[i]);
        assert_true(is_same(&first, &again));
        tell_story(&other, seed + 1000);
        differing += !is_same(&first, &other);
    }
    assert_int_equal(differing, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_tells_the_same_story),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
