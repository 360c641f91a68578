/* SPDX-License-Identifier: MIT */
/*
 * What networks do to connections, by a relay between the two ends: cut into other segments,
 * delayed, altered, silent, reset at any octet. Loss and reordering need a network that we make
 * ourselves: net_cable_test.c.
 */
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <softndk.h>

#include "support/link.h"
#include "support/octets.h"
#include "support/pair.h"
#include "support/proxy.h"
#include "support/unit.h"

enum { SIZE = 40000 };

static void nap_ms(unsigned ms)
{
    usleep(ms * 1000);
}

static unsigned descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static SOFTNDK_STATISTICS statistics(struct consumer *c)
{
    SOFTNDK_STATISTICS s = {.Size = sizeof(s)};

    assert_ntstatus(SoftNdkQueryStatistics(c->adapter, &s), STATUS_SUCCESS);
    return s;
}

/* ---- a pair with the relay between ---- */

struct far {
    struct pair p;
    struct proxy *x;
    struct memory *here, *there; /* of the active and the passive side */
};

static struct far far_open(const struct proxy_rules *rules, const SOFTNDK_OPTIONS *o)
{
    const struct pair_how how = {.options = o};
    struct far f = {.p = pair_begin(&how)};

    f.x = proxy_open(f.p.a->port, rules);
    f.here = memory_open(f.p.c, NULL, 2 * SIZE, MEMORY_ALL);
    f.there = memory_open(f.p.c, NULL, 2 * SIZE, MEMORY_ALL);
    return f;
}

static void far_connect(struct far *f)
{
    endpoint_connect_start(f->p.active, "127.0.0.1", proxy_port(f->x), NULL);
    endpoint_accept_start(f->p.passive, acceptor_wait(f->p.a), NULL);
    assert_ntstatus(endpoint_connect_wait(f->p.active), STATUS_SUCCESS);
    assert_ntstatus(endpoint_complete(f->p.active), STATUS_SUCCESS);
    assert_ntstatus(endpoint_accept_wait(f->p.passive), STATUS_SUCCESS);
}

static void far_close(struct far *f)
{
    proxy_close(f->x);
    memory_close(f->here);
    memory_close(f->there);
    pair_close(&f->p);
}

/* Both sides say goodbye. */
static void part(struct endpoint *first, struct endpoint *second)
{
    endpoint_disconnect_start(first);
    endpoint_wait_disconnected(second);
    assert_ntstatus(endpoint_disconnect(second), STATUS_SUCCESS);
    assert_ntstatus(endpoint_disconnect_wait(first), STATUS_SUCCESS);
}

/* A Write, a Send behind it, and a Read, each of n octets; every octet is looked at. */
static void exchange(struct far *f, uint64_t *random, size_t n)
{
    random_fill(random, f->here->p, n);
    endpoint_receive(f->p.passive, 1, f->there, SIZE, SIZE);
    endpoint_write(f->p.active, 2, f->here, 0, n, memory_to(f->there, 0), f->there->remote, 0);
    endpoint_send(f->p.active, 3, f->here, 0, n, 0);
    endpoint_expect_received(f->p.passive, 1, n);
    assert_memory_equal(f->there->p, f->here->p, n);
    assert_memory_equal(f->there->p + SIZE, f->here->p, n);
    endpoint_expect_initiated(f->p.active, 2);
    endpoint_expect_initiated(f->p.active, 3);
    random_fill(random, f->there->p, n);
    endpoint_read(f->p.active, 4, f->here, SIZE, n, memory_to(f->there, 0), f->there->remote, 0);
    endpoint_expect_initiated(f->p.active, 4);
    assert_memory_equal(f->here->p + SIZE, f->there->p, n);
}

/* [NET-005] */
static void any_segmentation_gives_the_same(void **state)
{
    static const unsigned chunks[] = {1, 3, 20, 1500, 9000};
    uint64_t random = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        struct proxy_rules rules = proxy_rules();
        SOFTNDK_OPTIONS o = consumer_options();
        struct far f;

        rules.chunk = chunks[i];
        rules.seed = i + 1;
        o.Markers = i % 2;
        f = far_open(&rules, &o);
        far_connect(&f);
        for (unsigned k = 0; k < 8; k++)
            exchange(&f, &random, chunks[i] < 20 ? k * 37 : random_next(&random) % SIZE);
        part(f.p.active, f.p.passive);
        far_close(&f);
    }
}

/* [NET-003] No timer of the start-up takes a long way for a broken one. */
static void delay_breaks_nothing(void **state)
{
    static const unsigned delays[] = {1, 30, 300};
    uint64_t random = 9;

    (void)state;
    for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
        for (ULONG rtr = 0; rtr <= SOFTNDK_RTR_SEND; rtr++) {
            struct proxy_rules rules = proxy_rules();
            SOFTNDK_OPTIONS o = consumer_options();
            struct far f;

            rules.delay_ms = delays[i];
            rules.jitter_ms = delays[i] / 2;
            o.Rtr = rtr; /* without one, silence completes the accept */
            o.AcceptQuietMs = 20;
            o.MpaTimeoutMs = 5000;
            f = far_open(&rules, &o);
            far_connect(&f);
            exchange(&f, &random, 3000);
            part(f.p.active, f.p.passive);
            assert_int_equal(statistics(f.p.c).ConnectFailure, 0);
            far_close(&f);
        }
    }
}

/*
 * [NET-004] An octet altered behind TCP's back: nothing wrong is ever delivered as good, and the
 * connection ends with a Terminate for the CRC, or for the length that it made of it.
 */
static void altered_octets_are_caught(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        struct proxy_rules rules = proxy_rules();
        struct far f;
        bool is_caught = false;
        unsigned rounds = 0;

        rules.seed = 1 + i;
        /* Behind the start-up and the RTR. */
        rules.flip_at[PROXY_UP] = 100 + (int64_t)i * 41;
        f = far_open(&rules, NULL);
        far_connect(&f);
        for (size_t k = 0; k < SIZE; k++)
            f.here->p[k] = (uint8_t)k;
        for (; rounds < 200 && !is_caught; rounds++) {
            NDK_SGE sge = memory_sge(f.here, 0, 700);

            memset(f.there->p, 0, 700);
            endpoint_receive(f.p.passive, 1, f.there, 0, SIZE);
            if (!NT_SUCCESS(f.p.active->qp->Dispatch->NdkSend(f.p.active->qp, NULL, &sge, 1, 0)) ||
                !NT_SUCCESS(endpoint_wait_initiated(f.p.active).Status))
                is_caught = true;
            /* A longer length may swallow what follows: keep talking, and look now and then. */
            for (int wait = 0; wait < 20 && !is_caught; wait++) {
                NDK_RESULT now;

                if (f.p.passive->receive_cq->Dispatch->NdkGetCqResults(
                        f.p.passive->receive_cq, &now, 1) == 0) {
                    nap_ms(1);
                    continue;
                }
                is_caught = !NT_SUCCESS(now.Status);
                if (!is_caught) {
                    assert_int_equal(now.BytesTransferred, 700);
                    assert_memory_equal(f.there->p, f.here->p, 700);
                }
                break;
            }
        }
        assert_true(is_caught);
        assert_int_equal(statistics(f.p.c).TerminatesSent, 1);
        far_close(&f);
    }
}

/* ---- reset at any octet ---- */

/* What the two ends come to when the connection breaks somewhere. */
struct fate {
    bool is_active, is_passive; /* connected */
    unsigned failed;            /* of four requests */
};

static void wait_for_connect(struct far *f, bool *is_accepted)
{
    while (!endpoint_connect_is_done(f->p.active)) {
        if (acceptor_pending(f->p.a) == 0) {
            usleep(200);
        } else if (!*is_accepted) {
            endpoint_accept_start(f->p.passive, acceptor_wait(f->p.a), NULL);
            *is_accepted = true;
        } else { /* a second try, in revision 1 */
            consumer_close_object(f->p.c, &acceptor_wait(f->p.a)->Header);
        }
    }
}

/* One request; whether it is posted or not, and how it ends, is counted. */
static void judge(struct fate *fate, NTSTATUS posted, struct endpoint *e, bool is_receive)
{
    if (!NT_SUCCESS(posted))
        fate->failed++;
    else if (!NT_SUCCESS(
                 is_receive ? endpoint_wait_received(e).Status : endpoint_wait_initiated(e).Status))
        fate->failed++;
}

static void work(struct far *f, struct fate *fate)
{
    NDK_QP *a = f->p.active->qp, *b = f->p.passive->qp;
    NDK_SGE here = memory_sge(f->here, 0, 40), there = memory_sge(f->there, 0, 40);
    uint64_t to = memory_to(f->there, 100);
    NTSTATUS posted[4];

    posted[0] = b->Dispatch->NdkReceive(b, NULL, &there, 1);
    posted[1] = a->Dispatch->NdkWrite(a, NULL, &here, 1, to, f->there->remote, 0);
    posted[2] = a->Dispatch->NdkSend(a, NULL, &here, 1, 0);
    posted[3] = a->Dispatch->NdkRead(a, NULL, &here, 1, to, f->there->remote, 0);
    for (unsigned i = 1; i < 4; i++)
        judge(fate, posted[i], f->p.active, false);
    judge(fate, posted[0], f->p.passive, true);
}

static struct fate live(struct far *f)
{
    struct fate fate = {0};
    bool is_accepted = false;
    NTSTATUS s;

    endpoint_connect_start(f->p.active, "127.0.0.1", proxy_port(f->x), NULL);
    wait_for_connect(f, &is_accepted);
    s = endpoint_connect_wait(f->p.active);
    if (NT_SUCCESS(s))
        s = endpoint_complete(f->p.active);
    fate.is_active = NT_SUCCESS(s);
    if (is_accepted)
        fate.is_passive = NT_SUCCESS(endpoint_accept_wait(f->p.passive));
    if (fate.is_active && fate.is_passive)
        work(f, &fate);
    if (fate.failed > 0 || fate.is_active != fate.is_passive) {
        /* Who was connected hears that it is over. */
        if (fate.is_active)
            endpoint_wait_disconnected(f->p.active);
        if (fate.is_passive)
            endpoint_wait_disconnected(f->p.passive);
    }
    return fate;
}

/*
 * [NET-009] The connection is reset after each number of octets that a whole exchange has, in
 * either way. Every call and every request ends, once; both sides hear of it; nothing is left.
 */
static void a_reset_at_any_octet_ends_everything(void **state)
{
    (void)state;
    for (int way = 0; way < PROXY_WAYS; way++) {
        bool is_through = false;
        unsigned connected = 0;
        int64_t at = 0;

        for (; !is_through; at += at < 120 ? 1 : 7) {
            struct proxy_rules rules = proxy_rules();
            struct fate fate;
            struct far f;

            rules.reset_at[way] = at;
            f = far_open(&rules, NULL);
            fate = live(&f);
            connected += fate.is_active && fate.is_passive;
            is_through = fate.is_active && fate.is_passive && fate.failed == 0;
            endpoint_close_connector(f.p.active);
            endpoint_close_connector(f.p.passive);
            assert_int_equal(statistics(f.p.c).ActiveConnection, 0);
            far_close(&f);
            assert_true(at < 1000);
        }
        /* All phases were met: the start-up, and what came behind it. */
        assert_true(at > 24 + 52 && connected > 5);
    }
}

/* ---- who does not read, who does not answer ---- */

/* The home threads sleep while nothing can move. */
static void expect_no_busy_loop(struct consumer *c)
{
    ULONG64 before = statistics(c).HomeWakeups, calls = statistics(c).TxSystemCalls;

    nap_ms(300);
    assert_true(statistics(c).HomeWakeups - before < 100);
    assert_true(statistics(c).TxSystemCalls - calls < 100);
}

enum ending { DISCONNECT, FLUSH, CLOSE, PEER_ERROR, ENDINGS };

/* [NET-007] The peer's window is shut. */
static void a_peer_that_does_not_read_costs_nothing(void **state)
{
    const struct raw_tcp narrow = {.rcvbuf = 4096};

    (void)state;
    for (int ending = 0; ending < ENDINGS; ending++) {
        SOFTNDK_OPTIONS o = consumer_options();
        const struct link_how how = {.options = &o, .peer_flags = RAW_C, .tcp = &narrow};
        struct raw_fpdu bad = raw_send(9, "x", 1);
        struct link k;
        struct memory *big;
        uintptr_t done = 0;

        o.DisconnectTimeoutMs = 200;
        k = link_open(&how);
        big = memory_open(k.c, NULL, 8 << 20, MEMORY_ALL);
        for (uintptr_t i = 0; i < 16; i++)
            endpoint_write(k.e, i, big, 0, big->n, 0, 1, 0);
        nap_ms(100); /* until TCP is full */
        expect_no_busy_loop(k.c);
        if (ending == DISCONNECT)
            assert_ntstatus(endpoint_disconnect(k.e), STATUS_IO_TIMEOUT);
        else if (ending == FLUSH)
            k.e->qp->Dispatch->NdkFlush(k.e->qp);
        else if (ending == CLOSE)
            endpoint_close_connector(k.e);
        else
            raw_put(k.p, &bad); /* its Terminate does not get through */
        for (; done < 16; done++) {
            NDK_RESULT_EX r = endpoint_wait_initiated(k.e);

            assert_int_equal((uintptr_t)r.RequestContext, done);
        }
        endpoint_close_connector(k.e);
        assert_int_equal(statistics(k.c).ActiveConnection, 0);
        memory_close(big);
        link_close(&k);
    }
}

/* [NET-008] The way is cut without a word: nothing spins, the consumer's own ends still work. */
static void silence_is_ended_by_the_consumer(void **state)
{
    uint64_t random = 3;

    (void)state;
    for (int ending = 0; ending < PEER_ERROR; ending++) {
        struct proxy_rules rules = proxy_rules();
        SOFTNDK_OPTIONS o = consumer_options();
        struct far f;
        NDK_RESULT_EX r;

        rules.silent_at[PROXY_UP] = 10000;
        o.DisconnectTimeoutMs = 200;
        f = far_open(&rules, &o);
        far_connect(&f);
        exchange(&f, &random, 2000);
        endpoint_write(f.p.active, 5, f.here, 0, SIZE, memory_to(f.there, 0), f.there->remote, 0);
        endpoint_read(f.p.active, 6, f.here, 0, 8, memory_to(f.there, 0), f.there->remote, 0);
        endpoint_receive(f.p.active, 7, f.here, 0, 8);
        endpoint_expect_initiated(f.p.active, 5); /* TCP took it */
        expect_no_busy_loop(f.p.c);
        if (ending == DISCONNECT)
            assert_ntstatus(endpoint_disconnect(f.p.active), STATUS_IO_TIMEOUT);
        else if (ending == FLUSH)
            f.p.active->qp->Dispatch->NdkFlush(f.p.active->qp);
        else
            endpoint_close_connector(f.p.active);
        r = endpoint_wait_initiated(f.p.active);
        assert_int_equal((uintptr_t)r.RequestContext, 6);
        assert_ntstatus(r.Status, STATUS_CANCELLED);
        assert_ntstatus(endpoint_wait_received(f.p.active).Status, STATUS_CANCELLED);
        far_close(&f);
    }
}

/* The descriptor of ours that has this peer port. */
static int descriptor_to(uint16_t port)
{
    for (int fd = 0; fd < 1024; fd++) {
        struct sockaddr_in a;
        socklen_t n = sizeof(a);

        if (getpeername(fd, (struct sockaddr *)&a, &n) == 0 && ntohs(a.sin_port) == port)
            return fd;
    }
    fail_msg("no descriptor");
    return -1;
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t n = sizeof(value);

    assert_int_equal(getsockopt(fd, level, name, &value, &n), 0);
    return value;
}

/* [MPA-061] [NET-008] Small messages leave at once, and a peer that is gone is noticed in the end,
 * also by who only waits. */
static void sockets_are_prompt_and_look_after_the_peer(void **state)
{
    (void)state;
    for (int role = LINK_PASSIVE; role <= LINK_ACTIVE; role++) {
        const struct link_how how = {.role = (enum link_role)role, .peer_flags = RAW_C};
        struct link k = link_open(&how);
        int fd = descriptor_to(k.l != NULL ? raw_listener_port(k.l) : raw_local_port(k.p));

        assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
        assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
        assert_true(option(fd, IPPROTO_TCP, TCP_KEEPIDLE) <= 120);
        link_close(&k);
    }
}

/* ---- for ever ---- */

/* Ports of ended connections rest for a minute, and there are 16,384 for the whole host. */
enum { CHURN_BRIEF = 400, CHURN_NAP_MS = 10 };

/* How often it is done: SOFTNDK_CHURN_CYCLES, for `./dev check --long`. */
static unsigned churn_cycles(void)
{
    const char *text = getenv("SOFTNDK_CHURN_CYCLES");
    unsigned long n = text != NULL ? strtoul(text, NULL, 10) : 0;

    return n != 0 && n <= 10000000 ? (unsigned)n : CHURN_BRIEF;
}

static NDK_CONNECTOR *connect_when_there_is_a_port(struct endpoint *active, struct acceptor *a)
{
    for (int tries = 0; tries < 300; tries++) {
        endpoint_connect_start(active, "127.0.0.1", a->port, NULL);
        for (int i = 0; i < CONSUMER_WAIT_MS; i++) {
            if (acceptor_pending(a) > 0)
                return acceptor_wait(a);
            if (endpoint_connect_is_done(active))
                break;
            nap_ms(1);
        }
        assert_ntstatus(endpoint_connect_wait(active), STATUS_TOO_MANY_ADDRESSES);
        nap_ms(500);
    }
    fail_msg("no port becomes free");
    return NULL;
}

/* [NET-010] */
static void churn_leaves_nothing(void **state)
{
    enum { WARM_UP = 10 };
    const unsigned cycles = churn_cycles();
    struct consumer *c = consumer_open(NULL);
    struct acceptor *a = acceptor_open(c, "127.0.0.1");
    unsigned before = 0;

    (void)state;
    for (unsigned i = 0; i < cycles; i++) {
        struct endpoint *active = endpoint_open(c, NULL), *passive = endpoint_open(c, NULL);

        if (i == WARM_UP)
            before = descriptors();
        endpoint_accept_start(passive, connect_when_there_is_a_port(active, a), NULL);
        assert_ntstatus(endpoint_connect_wait(active), STATUS_SUCCESS);
        assert_ntstatus(endpoint_complete(active), STATUS_SUCCESS);
        assert_ntstatus(endpoint_accept_wait(passive), STATUS_SUCCESS);
        if (i % 4 == 0)
            part(i % 8 == 0 ? active : passive, i % 8 == 0 ? passive : active);
        else if (i % 4 == 1)
            active->qp->Dispatch->NdkFlush(active->qp);
        else if (i % 4 == 2)
            endpoint_close_connector(passive);
        endpoint_close(active);
        endpoint_close(passive);
        if (cycles > CHURN_BRIEF)
            nap_ms(CHURN_NAP_MS); /* leaves ports to others */
    }
    assert_int_equal(statistics(c).ActiveConnection, 0);
    assert_int_equal(statistics(c).Connect, cycles);
    assert_int_equal(statistics(c).Accept, cycles);
    for (int i = 0; i < CONSUMER_WAIT_MS && descriptors() > before; i++)
        nap_ms(1);
    assert_true(descriptors() <= before);
    acceptor_close(a);
    consumer_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_segmentation_gives_the_same),
        cmocka_unit_test(delay_breaks_nothing),
        cmocka_unit_test(altered_octets_are_caught),
        cmocka_unit_test(a_reset_at_any_octet_ends_everything),
        cmocka_unit_test(a_peer_that_does_not_read_costs_nothing),
        cmocka_unit_test(silence_is_ended_by_the_consumer),
        cmocka_unit_test(sockets_are_prompt_and_look_after_the_peer),
        cmocka_unit_test(churn_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
