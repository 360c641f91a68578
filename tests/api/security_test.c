/* SPDX-License-Identifier: MIT */
/*
 * What strangers can make an adapter do with the host: not much. Access to memory is in
 * conformance_ddp_test.c, conformance_rdmap_test.c and unit/mem. [RFC5042]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <softndk.h>

#include "support/link.h"
#include "support/unit.h"

enum { PENDING_MAX = 1024, TOO_MANY = PENDING_MAX + 76 };

static void nap_ms(unsigned ms)
{
    usleep(ms * 1000);
}

static SOFTNDK_STATISTICS statistics(struct consumer *c)
{
    SOFTNDK_STATISTICS s = {.Size = sizeof(s)};

    assert_ntstatus(SoftNdkQueryStatistics(c->adapter, &s), STATUS_SUCCESS);
    return s;
}

static int tcp_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    return fd;
}

static void tcp_connect(int fd, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
}

/* The other side has ended it. */
static bool is_ended(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char octet;

    return poll(&p, 1, 0) == 1 && recv(fd, &octet, 1, MSG_PEEK) <= 0;
}

/* A connection of a well-behaved peer to `k`'s listener works from begin to end. */
static void check_that_it_serves(struct link *k)
{
    struct endpoint *e = endpoint_open(k->c, NULL);
    struct raw_frame f = link_frame(NULL);
    struct raw_fpdu rtr = raw_rtr_write();
    struct raw_peer *p = raw_connect("127.0.0.1", k->a->port, NULL);

    raw_put_frame(p, &f);
    endpoint_accept_start(e, acceptor_wait(k->a), NULL);
    raw_expect_reply(p);
    raw_put(p, &rtr);
    assert_ntstatus(endpoint_accept_wait(e), STATUS_SUCCESS);
    raw_close(p);
    endpoint_close(e);
}

/*
 * [SEC-013] Connections that say nothing are bounded per listener; those beyond are reset at once,
 * and when the time for their start-up is over the rest goes too [SEC-014].
 */
static void silent_connections_are_bounded(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    const struct link_how how = {.options = &o, .peer_flags = RAW_C};
    struct rlimit limit;
    static int fd[TOO_MANY];
    struct link k;
    unsigned ended = 0;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 2 * TOO_MANY + 100)
        skip(); /* both ends are ours */
    o.MpaTimeoutMs = 3000;
    k = link_open(&how);
    for (unsigned i = 0; i < TOO_MANY; i++) {
        fd[i] = tcp_socket();
        tcp_connect(fd[i], k.a->port);
    }
    for (int i = 0; i < CONSUMER_WAIT_MS && ended < TOO_MANY - PENDING_MAX; i++) {
        nap_ms(1);
        ended = 0;
        for (unsigned j = 0; j < TOO_MANY; j++)
            ended += is_ended(fd[j]);
    }
    assert_true(ended >= TOO_MANY - PENDING_MAX);
    link_check_send(&k, 1); /* who is connected does not feel it */
    for (unsigned j = 0; j < TOO_MANY; j++) {
        struct pollfd p = {.fd = fd[j], .events = POLLIN};

        assert_int_equal(poll(&p, 1, CONSUMER_WAIT_MS), 1);
        assert_true(is_ended(fd[j]));
        close(fd[j]);
    }
    assert_int_equal(acceptor_pending(k.a), 0); /* nobody above heard of them */
    check_that_it_serves(&k);
    link_close(&k);
}

/* [SEC-013] No descriptor left: the listener waits instead of spinning, and serves when there is
 * one. */
static void no_descriptor_is_no_busy_loop(void **state)
{
    struct link k = link_open(NULL);
    struct rlimit before, limit;
    ULONG64 wakeups;
    int fd = tcp_socket(), lowest;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    lowest = dup(fd);
    close(lowest);
    limit = before;
    limit.rlim_cur = (rlim_t)lowest;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    wakeups = statistics(k.c).HomeWakeups;
    tcp_connect(fd, k.a->port); /* TCP answers; the accept fails */
    nap_ms(500);
    wakeups = statistics(k.c).HomeWakeups - wakeups;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(wakeups < 200);
    check_that_it_serves(&k);
    close(fd);
    link_close(&k);
}

/* [SEC-017] Whatever strangers do, nothing is written anywhere. */
static void errors_of_peers_fill_no_log(void **state)
{
    FILE *log = tmpfile();
    int kept = dup(STDERR_FILENO);
    long written;

    (void)state;
    assert_non_null(log);
    assert_true(dup2(fileno(log), STDERR_FILENO) >= 0);
    for (unsigned i = 0; i < 60; i++) {
        struct link k = link_begin(NULL);
        struct raw_frame f = link_frame(NULL);
        struct raw_fpdu bad = raw_send(1 + i % 3, "x", 1), rtr = raw_rtr_write();

        f.key_octet = i % 2 == 0 ? (int)(i % 16) : -1;
        bad.crc_xor = i % 3 == 0;
        bad.rdmap = i % 5 == 0 ? 0x4f : bad.rdmap;
        bad.qn = i % 7 == 0 ? 9 : 0;
        raw_put_frame(k.p, &f);
        if (f.key_octet < 0) {
            link_accept(&k, NULL);
            raw_expect_reply(k.p);
            raw_put(k.p, &rtr);
            assert_ntstatus(endpoint_accept_wait(k.e), STATUS_SUCCESS);
            raw_put(k.p, &bad);
            nap_ms(1);
        } else {
            raw_expect_end(k.p);
        }
        link_close(&k);
    }
    fflush(stderr);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
    assert_int_equal(fseek(log, 0, SEEK_END), 0);
    written = ftell(log);
    fclose(log);
    assert_int_equal(written, 0);
}

/* [SEC-019] Whoever looks after the adapter sees a connection that does nothing, and may end it. */
static void an_idle_connection_can_be_seen_and_ended(void **state)
{
    struct link k = link_open(NULL);
    uint8_t room[1024] = {0};
    NDIS_NDK_CONNECTIONS *list = (NDIS_NDK_CONNECTIONS *)(void *)room;
    ULONG size = sizeof(room);
    SOFTNDK_STATISTICS first = statistics(k.c), second;

    (void)state;
    assert_ntstatus(SoftNdkQueryConnections(k.c->adapter, list, &size), STATUS_SUCCESS);
    assert_int_equal(list->Count, 1);
    nap_ms(50);
    second = statistics(k.c);
    assert_int_equal(second.RDMAInOctets, first.RDMAInOctets);
    assert_int_equal(second.RDMAOutOctets, first.RDMAOutOctets);
    endpoint_close_connector(k.e);
    raw_expect_end(k.p);
    size = sizeof(room);
    assert_ntstatus(SoftNdkQueryConnections(k.c->adapter, list, &size), STATUS_SUCCESS);
    assert_int_equal(list->Count, 0);
    link_close(&k);
}

/* [SEC-012] A plain region, which several connections may use, is not for the peer to take away;
 * neither is the window of another connection, of the same domain though. */
static void shared_tokens_are_not_the_peers_to_invalidate(void **state)
{
    (void)state;
    for (int window = 0; window < 2; window++) {
        struct link k = link_open(NULL);
        struct endpoint *other = endpoint_open(k.c, NULL);
        struct raw_frame f = link_frame(NULL);
        struct raw_fpdu rtr = raw_rtr_write(), bad;
        struct raw_peer *p = raw_connect("127.0.0.1", k.a->port, NULL);
        UINT32 token = k.m->remote;
        NDK_MW *mw;

        raw_put_frame(p, &f);
        endpoint_accept_start(other, acceptor_wait(k.a), NULL);
        raw_expect_reply(p);
        raw_put(p, &rtr);
        assert_ntstatus(endpoint_accept_wait(other), STATUS_SUCCESS);
        assert_ntstatus(consumer_create_mw(k.c, k.c->pd, &mw), STATUS_SUCCESS);
        assert_ntstatus(other->qp->Dispatch->NdkBind(other->qp, (PVOID)1, k.m->mr, mw, k.m->p, 64,
                            NDK_OP_FLAG_ALLOW_REMOTE_WRITE),
            STATUS_SUCCESS);
        endpoint_expect_initiated(other, 1);
        if (window)
            token = mw->Dispatch->NdkGetRemoteTokenFromMw(mw);
        bad = raw_send_inv(1, token, "x", 1);
        endpoint_receive(k.e, 1, k.r, 0, 8);
        raw_put(k.p, &bad);
        link_expect_terminate(&k, 0, 1, window ? 3 : 9);
        assert_ntfailure(endpoint_wait_received(k.e).Status);
        /* The window still serves the connection that it belongs to. */
        bad = raw_write(mw->Dispatch->NdkGetRemoteTokenFromMw(mw), memory_to(k.m, 0), "good", 4);
        raw_put(p, &bad);
        bad = raw_send(1, "y", 1);
        endpoint_receive(other, 2, k.r, 0, 8);
        raw_put(p, &bad);
        endpoint_expect_received(other, 2, 1);
        assert_memory_equal(k.m->p, "good", 4);
        raw_close(p);
        endpoint_close(other);
        consumer_close_object(k.c, &mw->Header);
        link_close(&k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silent_connections_are_bounded),
        cmocka_unit_test(no_descriptor_is_no_busy_loop),
        cmocka_unit_test(errors_of_peers_fill_no_log),
        cmocka_unit_test(an_idle_connection_can_be_seen_and_ended),
        cmocka_unit_test(shared_tokens_are_not_the_peers_to_invalidate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
