/* SPDX-License-Identifier: MIT */
/*
 * Two hosts with a bad cable between them: loss, duplicates, reordering, damage, long ways, another
 * MTU, a pull. The kernel's TCP repairs it; what is looked at is that we do not mistake it for
 * something else, and every octet. Skipped (77) where no network namespace or TUN device is to be
 * had.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/cable.h"
#include "support/consumer.h"
#include "support/create.h"
#include "support/octets.h"
#include "support/unit.h"

enum { SIZE = 100000, HERE = 0, THERE = 1 };

static struct cable *cable;

static void nap_ms(unsigned ms)
{
    usleep(ms * 1000);
}

/* Two hosts' consumers, connected. */
struct hosts {
    struct consumer *c[CABLE_HOSTS];
    struct endpoint *e[CABLE_HOSTS];
    struct memory *m[CABLE_HOSTS];
    struct acceptor *a; /* of THERE */
};

static struct hosts hosts_open(const SOFTNDK_OPTIONS *o)
{
    struct hosts h = {0};

    for (unsigned i = 0; i < CABLE_HOSTS; i++) {
        cable_enter(cable, i);
        h.c[i] = consumer_open(o);
        h.e[i] = endpoint_open(h.c[i], NULL);
        h.m[i] = memory_open(h.c[i], NULL, 2 * SIZE, MEMORY_ALL);
    }
    h.a = acceptor_open(h.c[THERE], cable_address(THERE));
    return h;
}

static void hosts_connect(struct hosts *h)
{
    struct endpoint *e = h->e[HERE];
    struct ndk_call *call = call_begin(h->c[HERE]);
    ULONG n;
    SOCKADDR_INET from = address_of(cable_address(HERE), 0, &n),
                  to = address_of(cable_address(THERE), h->a->port, &n);

    cable_enter(cable, HERE);
    assert_ntstatus(consumer_create_connector(h->c[HERE], &e->connector), STATUS_SUCCESS);
    call_started(call, e->connector->Dispatch->NdkConnect(e->connector, e->qp, (SOCKADDR *)&from, n,
                           (SOCKADDR *)&to, n, 16, 16, NULL, 0, call_completed, call));
    endpoint_accept_start(h->e[THERE], acceptor_wait(h->a), NULL);
    assert_ntstatus(call_wait(call), STATUS_SUCCESS);
    assert_ntstatus(endpoint_complete(e), STATUS_SUCCESS);
    assert_ntstatus(endpoint_accept_wait(h->e[THERE]), STATUS_SUCCESS);
}

static void hosts_close(struct hosts *h)
{
    for (unsigned i = 0; i < CABLE_HOSTS; i++) {
        endpoint_close(h->e[i]);
        if (i == THERE)
            acceptor_close(h->a);
        memory_close(h->m[i]);
        consumer_close(h->c[i]);
    }
}

/* A Write, a Send behind it, and a Read, each of n octets; every octet is looked at. */
static void exchange(struct hosts *h, uint64_t *random, size_t n)
{
    struct memory *here = h->m[HERE], *there = h->m[THERE];

    random_fill(random, here->p, n);
    endpoint_receive(h->e[THERE], 1, there, SIZE, SIZE);
    endpoint_write(h->e[HERE], 2, here, 0, n, memory_to(there, 0), there->remote, 0);
    endpoint_send(h->e[HERE], 3, here, 0, n, 0);
    endpoint_expect_received(h->e[THERE], 1, n);
    assert_memory_equal(there->p, here->p, n);
    assert_memory_equal(there->p + SIZE, here->p, n);
    endpoint_expect_initiated(h->e[HERE], 2);
    endpoint_expect_initiated(h->e[HERE], 3);
    random_fill(random, there->p, n);
    endpoint_read(h->e[HERE], 4, here, SIZE, n, memory_to(there, 0), there->remote, 0);
    endpoint_expect_initiated(h->e[HERE], 4);
    assert_memory_equal(here->p + SIZE, there->p, n);
}

static void part(struct hosts *h)
{
    endpoint_disconnect_start(h->e[HERE]);
    endpoint_wait_disconnected(h->e[THERE]);
    assert_ntstatus(endpoint_disconnect(h->e[THERE]), STATUS_SUCCESS);
    assert_ntstatus(endpoint_disconnect_wait(h->e[HERE]), STATUS_SUCCESS);
}

/* [NET-001] [NET-002] [NET-003] */
static void what_the_cable_does_is_not_seen(void **state)
{
    static const struct {
        const char *what;
        struct cable_rules rules;
        unsigned rounds;
    } rows[] = {
        {"nothing", {0}, 4},
        {"loss 0.1 %", {.lost = 1000}, 8},
        {"loss 1 %", {.lost = 10000}, 6},
        {"loss 5 %", {.lost = 50000}, 2},
        {"twice", {.twice = 50000}, 6},
        {"other order", {.jitter_us = 2000}, 4},
        {"damage", {.damaged = 10000}, 6},
        {"1 ms", {.delay_us = 1000}, 4},
        {"100 ms", {.delay_us = 50000, .jitter_us = 2000}, 1},
        {"300 ms", {.delay_us = 150000, .jitter_us = 20000}, 1},
        {"all of it",
            {.lost = 5000, .twice = 5000, .damaged = 2000, .delay_us = 500, .jitter_us = 1000}, 2},
    };
    uint64_t random = 5;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hosts h;
        uint64_t harmed = cable_harmed(cable);

        print_message("%s\n", rows[i].what);
        cable_set_rules(cable, &rows[i].rules);
        h = hosts_open(NULL);
        hosts_connect(&h);
        for (unsigned k = 0; k < rows[i].rounds; k++)
            exchange(&h, &random, SIZE - k);
        if (i > 3 && rows[i].rules.jitter_us + rows[i].rules.twice + rows[i].rules.damaged > 0)
            assert_true(cable_harmed(cable) > harmed);
        part(&h);
        cable_set_rules(cable, &(struct cable_rules){0});
        hosts_close(&h);
    }
}

/* [NET-006] The way gets narrower and wider while data is on it. */
static void the_mtu_changes(void **state)
{
    static const int mtus[] = {1500, 600, 1280, 1500};
    struct hosts h = hosts_open(NULL);
    uint64_t random = 6;

    (void)state;
    hosts_connect(&h);
    for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
        uint64_t packets = cable_packets(cable);

        cable_set_mtu(cable, mtus[i]);
        exchange(&h, &random, SIZE);
        /* Three times SIZE, none larger than the MTU. */
        assert_true(cable_packets(cable) - packets >= 3 * SIZE / (unsigned)mtus[i]);
    }
    part(&h);
    hosts_close(&h);
}

/* [NET-008] Pulled for a while with work under way: it goes on as if nothing had been. */
static void a_pulled_cable_is_plugged_in_again(void **state)
{
    struct hosts h = hosts_open(NULL);
    uint64_t random = 8;

    (void)state;
    hosts_connect(&h);
    exchange(&h, &random, 1000);
    cable_pull(cable, true);
    endpoint_read(h.e[HERE], 4, h.m[HERE], 0, 500, memory_to(h.m[THERE], 0), h.m[THERE]->remote, 0);
    nap_ms(500);
    endpoint_expect_no_initiated(h.e[HERE]);
    assert_int_equal(endpoint_disconnects(h.e[HERE]) + endpoint_disconnects(h.e[THERE]), 0);
    cable_pull(cable, false);
    endpoint_expect_initiated(h.e[HERE], 4);
    assert_memory_equal(h.m[HERE]->p, h.m[THERE]->p, 500);
    exchange(&h, &random, 1000);
    part(&h);
    hosts_close(&h);
}

/* [NET-008] Pulled for good: every end that the consumer has is bounded, at both hosts. */
static void a_pulled_cable_holds_nobody(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        SOFTNDK_OPTIONS o = consumer_options();
        struct hosts h;
        NDK_RESULT_EX r;

        o.DisconnectTimeoutMs = 200;
        h = hosts_open(&o);
        hosts_connect(&h);
        cable_pull(cable, true);
        for (unsigned i = 0; i < CABLE_HOSTS; i++) {
            struct endpoint *e = h.e[i];

            endpoint_read(e, 4, h.m[i], 0, 500, memory_to(h.m[!i], 0), h.m[!i]->remote, 0);
            if (way == 0)
                assert_ntstatus(endpoint_disconnect(e), STATUS_IO_TIMEOUT);
            else if (way == 1)
                e->qp->Dispatch->NdkFlush(e->qp);
            else
                endpoint_close_connector(e);
            r = endpoint_wait_initiated(e);
            assert_int_equal((uintptr_t)r.RequestContext, 4);
            assert_ntstatus(r.Status, STATUS_CANCELLED);
        }
        cable_pull(cable, false);
        hosts_close(&h);
    }
}

/* [NDKPI NDK_FN_CONNECT] A host that does not answer, no route, and a route that says no. */
static void nobody_answers_a_connect(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct hosts h;
    struct ndk_call *call;
    NDK_CONNECTOR *k;
    ULONG n;
    SOCKADDR_INET from = address_of(cable_address(HERE), 0, &n),
                  to = address_of(cable_address(THERE), 4000, &n);

    (void)state;
    o.ConnectTimeoutMs = 300;
    h = hosts_open(&o);
    cable_enter(cable, HERE);
    assert_ntstatus(consumer_create_connector(h.c[HERE], &k), STATUS_SUCCESS);
    cable_pull(cable, true);
    call = call_begin(h.c[HERE]);
    assert_ntstatus(call_end(call, k->Dispatch->NdkConnect(k, h.e[HERE]->qp, (SOCKADDR *)&from, n,
                                       (SOCKADDR *)&to, n, 1, 1, NULL, 0, call_completed, call)),
        STATUS_IO_TIMEOUT);
    cable_pull(cable, false);
    cable_set_unreachable(cable, HERE, "198.51.100.0");
    for (unsigned i = 0; i < 2; i++) {
        SOCKADDR_INET nowhere = address_of(i == 0 ? "192.0.2.1" : "198.51.100.1", 4000, &n);

        call = call_begin(h.c[HERE]);
        assert_ntstatus(
            call_end(call, k->Dispatch->NdkConnect(k, h.e[HERE]->qp, (SOCKADDR *)&from, n,
                               (SOCKADDR *)&nowhere, n, 1, 1, NULL, 0, call_completed, call)),
            i == 0 ? STATUS_NETWORK_UNREACHABLE : STATUS_HOST_UNREACHABLE);
    }
    consumer_close_object(h.c[HERE], &k->Header);
    hosts_close(&h);
}

/*
 * [NDKPI NDK_FN_CREATE_SHARED_ENDPOINT] [NDKPI NDK_FN_LISTEN] All ports that we choose from are
 * taken: port 0 can not be served, a port of one's own can.
 */
static void no_port_is_left(void **state)
{
    enum { FIRST = 49152, COUNT = 16384 };
    static int fd[COUNT];
    struct rlimit limit;
    struct hosts h;
    struct ndk_call *call;
    NDK_SHARED_ENDPOINT *shared;
    NDK_LISTENER *l;
    NDK_CONNECTOR *k;
    ULONG n;
    SOCKADDR_INET at = address_of(cable_address(HERE), 0, &n);
    SOCKADDR_INET to = address_of(cable_address(THERE), 4000, &n);

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < COUNT + 100)
        skip();
    h = hosts_open(NULL);
    cable_enter(cable, HERE);
    for (unsigned i = 0; i < COUNT; i++) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(FIRST + i))};

        memcpy(&a.sin_addr, &at.Ipv4.sin_addr, 4);
        fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(fd[i], (struct sockaddr *)&a, sizeof(a)), 0);
    }
    assert_ntstatus(create_shared_endpoint(h.c[HERE], cable_address(HERE), 0, &shared),
        STATUS_TOO_MANY_ADDRESSES);
    assert_ntstatus(consumer_create_listener(h.c[HERE], never_connected, NULL, &l), STATUS_SUCCESS);
    call = call_begin(h.c[HERE]);
    assert_ntstatus(
        call_end(call, l->Dispatch->NdkListen(l, (SOCKADDR *)&at, n, call_completed, call)),
        STATUS_TOO_MANY_ADDRESSES);
    assert_ntstatus(consumer_create_connector(h.c[HERE], &k), STATUS_SUCCESS);
    call = call_begin(h.c[HERE]);
    assert_ntstatus(call_end(call, k->Dispatch->NdkConnect(k, h.e[HERE]->qp, (SOCKADDR *)&at, n,
                                       (SOCKADDR *)&to, n, 1, 1, NULL, 0, call_completed, call)),
        STATUS_TOO_MANY_ADDRESSES);
    at = address_of(cable_address(HERE), 4001, &n);
    call = call_begin(h.c[HERE]);
    assert_ntstatus(
        call_end(call, l->Dispatch->NdkListen(l, (SOCKADDR *)&at, n, call_completed, call)),
        STATUS_SUCCESS);
    for (unsigned i = 0; i < COUNT; i++)
        close(fd[i]);
    consumer_close_object(h.c[HERE], &k->Header);
    consumer_close_object(h.c[HERE], &l->Header);
    hosts_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_port_is_left), /* first: connections hold their ports for a while */
        cmocka_unit_test(what_the_cable_does_is_not_seen),
        cmocka_unit_test(the_mtu_changes),
        cmocka_unit_test(a_pulled_cable_is_plugged_in_again),
        cmocka_unit_test(a_pulled_cable_holds_nobody),
        cmocka_unit_test(nobody_answers_a_connect),
    };
    const char *why;
    int failed;

    cable = cable_open(&why);
    if (cable == NULL) {
        printf("skipped: %s\n", why);
        return 77;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    cable_close(cable);
    return failed;
}
