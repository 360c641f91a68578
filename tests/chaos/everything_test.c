/* SPDX-License-Identifier: MIT */
/*
 * Anything may fail at any time: a careful consumer connects to itself, moves data and goes, again
 * and again, while every entry fails at random, connections are lost and callbacks come when they
 * like. Whatever happens, each request that was accepted completes once, each call ends once, each
 * object can be closed, and the adapter closes.
 */
#include <stdlib.h>
#include <time.h>

#include "support/consumer.h"
#include "support/consumer_wait.h"
#include "support/create.h"
#include "support/unit.h"

enum { SEEDS = 12, ROUNDS = 6, REQUESTS = 8, OCTETS = 64 };

/* Every entry with a failure but those that the test consumer counts on: its protection domain,
 * and the deregistration without which memory must not go. */
static const char faults[] =
    "NdkCreateCq:p=0.03,NdkCreateSharedEndpoint:p=0.03,NdkCreateConnector:p=0.03,"
    "NdkCreateListener:p=0.03,NdkCreateMr:p=0.03,NdkCreateQp:p=0.03,NdkRegisterMr:p=0.03,"
    "NdkSend:p=0.03,NdkReceive:p=0.03,NdkWrite:p=0.03,NdkConnect:p=0.05,NdkConnect:p=0.05:async,"
    "NdkCompleteConnect:p=0.05,NdkAccept:p=0.05,NdkDisconnect:p=0.1,NdkListen:p=0.03,"
    "disconnect:p=0.02,seed=";

/* ---- one side of a connection ---- */

struct side {
    NDK_CQ *cq;
    NDK_QP *qp;
    NDK_CONNECTOR *connector;
    NDK_MR *mr;
    bool is_registered;
    MDL *mdl;
    uint8_t *memory;
    unsigned posted;
};

static VOID ignore_notification(PVOID context, NTSTATUS status)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(status);
}

static VOID ignore_disconnect(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
}

static bool open_side(struct consumer *c, struct side *s)
{
    struct qp_attr attr = {.receive_depth = REQUESTS,
        .initiator_depth = REQUESTS,
        .receive_sge = 1,
        .initiator_sge = 1};
    struct ndk_call *call;

    s->memory = calloc(1, OCTETS);
    s->mdl = IoAllocateMdl(s->memory, OCTETS, FALSE, FALSE, NULL);
    assert_non_null(s->mdl);
    MmBuildMdlForNonPagedPool(s->mdl);
    if (!NT_SUCCESS(consumer_create_cq(c, 2 * REQUESTS, ignore_notification, NULL, &s->cq)))
        return false;
    attr.receive_cq = attr.initiator_cq = s->cq;
    if (!NT_SUCCESS(create_qp(c, c->pd, &attr, &s->qp)))
        return false;
    if (!NT_SUCCESS(consumer_create_mr(c, c->pd, FALSE, &s->mr)))
        return false;
    call = call_begin(c);
    s->is_registered = NT_SUCCESS(call_end(call,
        s->mr->Dispatch->NdkRegisterMr(s->mr, s->mdl, OCTETS, MEMORY_ALL, call_completed, call)));
    return s->is_registered;
}

/* Every request that was accepted has completed by the time its queue pair is closed: once. */
static void drain(struct side *s)
{
    NDK_RESULT results[5];
    unsigned completed = 0, got;

    while ((got = s->cq->Dispatch->NdkGetCqResults(s->cq, results, 5)) != 0)
        completed += got;
    assert_int_equal(completed, s->posted);
}

static void close_side(struct consumer *c, struct side *s)
{
    if (s->connector != NULL)
        consumer_close_object(c, &s->connector->Header);
    if (s->qp != NULL)
        consumer_close_object(c, &s->qp->Header);
    if (s->cq != NULL) {
        drain(s);
        consumer_close_object(c, &s->cq->Header);
    }
    if (s->is_registered) {
        struct ndk_call *call = call_begin(c);

        assert_ntstatus(
            call_end(call, s->mr->Dispatch->NdkDeregisterMr(s->mr, call_completed, call)),
            STATUS_SUCCESS);
    }
    if (s->mr != NULL)
        consumer_close_object(c, &s->mr->Header);
    IoFreeMdl(s->mdl);
    free(s->memory);
}

/* ---- the listener ---- */

struct arrivals {
    struct consumer *c;
    NDK_CONNECTOR *connector;
    struct ndk_call *connecting;
};

static VOID on_connect(PVOID context, NDK_CONNECTOR *connector)
{
    struct arrivals *a = context;

    consumer_lock();
    a->connector = connector;
    consumer_wake();
    consumer_unlock();
}

/* At port 0; *port is what it became. NULL: it failed. */
static NDK_LISTENER *listen_at(struct consumer *c, struct arrivals *a, uint16_t *port)
{
    ULONG length;
    SOCKADDR_INET at = address_of("127.0.0.1", 0, &length);
    struct ndk_call *call;
    NDK_LISTENER *l;

    if (!NT_SUCCESS(consumer_create_listener(c, on_connect, a, &l)))
        return NULL;
    call = call_begin(c);
    if (NT_SUCCESS(call_end(
            call, l->Dispatch->NdkListen(l, (SOCKADDR *)&at, length, call_completed, call)))) {
        assert_ntstatus(
            l->Dispatch->NdkGetLocalAddress(l, (SOCKADDR *)&at, &length), STATUS_SUCCESS);
        *port = address_port(&at);
        return l;
    }
    consumer_close_object(c, &l->Header);
    return NULL;
}

/* ---- connecting ---- */

/* Until the request came to the listener or the connect ended: true if it came. */
static bool request_came(struct arrivals *a)
{
    for (unsigned ms = 0; ms < CONSUMER_WAIT_MS; ms++) {
        bool came, ended = call_is_done(a->connecting);

        consumer_lock();
        came = a->connector != NULL;
        consumer_unlock();
        if (came || ended)
            return came;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    fail_msg("a connect neither arrives nor ends");
    return false;
}

static void start_connect(
    struct consumer *c, struct side *active, uint16_t port, struct arrivals *a)
{
    ULONG n;
    SOCKADDR_INET from = address_of("127.0.0.1", 0, &n), to = address_of("127.0.0.1", port, &n);

    a->connecting = call_begin(c);
    call_started(a->connecting,
        active->connector->Dispatch->NdkConnect(active->connector, active->qp, (SOCKADDR *)&from, n,
            (SOCKADDR *)&to, n, 4, 4, NULL, 0, call_completed, a->connecting));
}

static void give_up(struct consumer *c, struct side *s)
{
    consumer_close_object(c, &s->connector->Header);
    s->connector = NULL;
}

/* The third step, or none if the second failed; whoever fails closes its connector, which ends the
 * other's call. */
static bool complete(struct consumer *c, struct side *active, NTSTATUS connected)
{
    struct ndk_call *call;

    if (NT_SUCCESS(connected)) {
        call = call_begin(c);
        if (NT_SUCCESS(
                call_end(call, active->connector->Dispatch->NdkCompleteConnect(active->connector,
                                   ignore_disconnect, NULL, call_completed, call))))
            return true;
    }
    give_up(c, active);
    return false;
}

static bool connect_both(struct consumer *c, struct side *active, struct side *passive,
    uint16_t port, struct arrivals *a)
{
    struct ndk_call *accepting;
    bool completed;

    start_connect(c, active, port, a);
    if (!request_came(a)) {
        give_up(c, active);
        return false;
    }
    consumer_adopt(c);
    passive->connector = a->connector;
    accepting = call_begin(c);
    call_started(accepting, passive->connector->Dispatch->NdkAccept(passive->connector, passive->qp,
                                4, 4, NULL, 0, ignore_disconnect, NULL, call_completed, accepting));
    if (call_is_done(accepting) && !NT_SUCCESS(call_wait(accepting)))
        give_up(c, passive);
    if (!call_is_done(a->connecting) && passive->connector != NULL) {
        /* An accept that fails later leaves the request unanswered: only its end tells. */
        for (unsigned ms = 0; ms < CONSUMER_WAIT_MS; ms++) {
            if (call_is_done(a->connecting) || call_is_done(accepting))
                break;
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
        if (call_is_done(accepting) && !NT_SUCCESS(call_wait(accepting)))
            give_up(c, passive);
    }
    completed = complete(c, active, call_wait(a->connecting));
    return NT_SUCCESS(call_wait(accepting)) && completed;
}

/* ---- working ---- */

static void work(struct side *from, struct side *to)
{
    UINT32 token = to->mr->Dispatch->NdkGetRemoteTokenFromMr(to->mr);

    for (uintptr_t i = 0; i < REQUESTS / 2; i++) {
        NDK_SGE in = {.VirtualAddress = to->memory, .Length = OCTETS};
        NDK_SGE out = {.VirtualAddress = from->memory, .Length = OCTETS};

        in.MemoryRegionToken = to->mr->Dispatch->NdkGetLocalTokenFromMr(to->mr);
        out.MemoryRegionToken = from->mr->Dispatch->NdkGetLocalTokenFromMr(from->mr);
        to->posted += NT_SUCCESS(to->qp->Dispatch->NdkReceive(to->qp, NULL, &in, 1));
        from->posted += NT_SUCCESS(from->qp->Dispatch->NdkWrite(
            from->qp, NULL, &out, 1, (uintptr_t)to->memory, token, NDK_OP_FLAG_DEFER));
        from->posted += NT_SUCCESS(from->qp->Dispatch->NdkSend(from->qp, NULL, &out, 1, 0));
    }
}

static void say_goodbye(struct consumer *c, struct side *a, struct side *b)
{
    struct ndk_call *first = call_begin(c), *second = call_begin(c);

    call_started(first, a->connector->Dispatch->NdkDisconnect(a->connector, call_completed, first));
    call_started(
        second, b->connector->Dispatch->NdkDisconnect(b->connector, call_completed, second));
    (void)call_wait(first);
    (void)call_wait(second);
}

/* How far it came: 0 nowhere, 1 listening, 2 both sides there, 3 connected. */
static unsigned go_round(struct consumer *c, bool is_graceful)
{
    struct side active = {0}, passive = {0};
    struct arrivals arrivals = {.c = c};
    uint16_t port = 0;
    NDK_LISTENER *l = listen_at(c, &arrivals, &port);
    unsigned reached = l != NULL;
    bool is_there = open_side(c, &active);

    is_there = open_side(c, &passive) && is_there;
    if (l != NULL && is_there && NT_SUCCESS(consumer_create_connector(c, &active.connector))) {
        reached = 2;
        if (connect_both(c, &active, &passive, port, &arrivals)) {
            reached = 3;
            work(&active, &passive);
            if (is_graceful)
                say_goodbye(c, &active, &passive);
        }
    }
    close_side(c, &active);
    close_side(c, &passive);
    if (l != NULL)
        consumer_close_object(c, &l->Header);
    return reached;
}

static void whatever_fails_everything_ends(void **state)
{
    SOFTNDK_OPTIONS options = consumer_options();
    unsigned reached[4] = {0};

    (void)state;
    /* Who waits for what a fault has taken away is not to wait long. */
    options.DisconnectTimeoutMs = 300;
    options.ReceiveWaitMs = 300;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        static const char *const schedules[] = {"hostile", "pend", "lenient", "hostile"};
        char schedule[32], spec[sizeof faults + 16];
        struct consumer *c;

        snprintf(schedule, sizeof schedule, "%s:%u", schedules[seed % 4], seed);
        snprintf(spec, sizeof spec, "%s%u", faults, seed);
        assert_int_equal(setenv("SOFTNDK_SCHEDULE", schedule, 1), 0);
        assert_int_equal(setenv("SOFTNDK_FAULTS", spec, 1), 0);
        c = consumer_open(&options);
        for (unsigned round = 0; round < ROUNDS; round++)
            reached[go_round(c, round % 2 == 0)]++;
        consumer_close(c);
    }
    /* The test is of little worth if nothing fails, or nothing succeeds. */
    assert_in_range(reached[3], 5, SEEDS * ROUNDS - 5);
    assert_in_range(reached[1] + reached[2], 3, SEEDS * ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_fails_everything_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
