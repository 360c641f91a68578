/* SPDX-License-Identifier: MIT */
/*
 * A crowd of peers that keep no rule, at once, against one adapter with several lanes: start-up
 * frames and FPDUs right, wrong or cut, any pace, ends of every kind; and a consumer that accepts,
 * rejects, sends, flushes and closes meanwhile. Whatever comes: each request completes once, each
 * close completes, memory that no peer may write keeps its octets, and a peer that behaves is
 * served before, while and after. The work is bounded. [SEC-003] [SEC-015] [VRB-015]
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/consumer.h"
#include "support/raw_peer.h"
#include "support/unit.h"

enum {
    PEERS = 4,
    CONNECTIONS = 40, /* of each */
    FPDUS = 30,
    OCTETS = 32768,
    RECEIVE = 3000,
    CQ_DEPTH = 1 << 14,
    OBJECTS = 3, /* of a connection */
    NAME = 12,   /* octets of private data: token and address of its memory */
    GUARD = 0x5c,
    WAIT_MS = 120000,
};

static uint32_t below(uint64_t *seed, uint32_t n)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % n;
}

/* cmocka cannot fail from a thread. */
#define check(what)                                                                                \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "crowd: %s does not hold, line %d\n", #what, __LINE__);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static struct consumer *consumer;
static struct memory *guarded; /* no peer may write it */
static NDK_CQ *cq;
static uint16_t port;
static atomic_int peers_left, accepted;

/* ---- the consumer ---- */

struct conn {
    struct conn *next;
    NDK_CONNECTOR *connector;
    NDK_QP *qp;
    NDK_MR *mr; /* over memory of its own, so that only its lane touches it */
    MDL *mdl;
    uint8_t *p;
    UINT32 token;
    uint64_t seed;
    unsigned looks;
    atomic_int posted, completed, is_accepted, is_over, closes;
};
static pthread_mutex_t conns_lock = PTHREAD_MUTEX_INITIALIZER;
static struct conn *conns; /* guarded by conns_lock */

static VOID on_created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    (void)context;
    (void)status;
    (void)object;
    abort(); /* everything is created inline */
}

static VOID on_accepted(PVOID context, NTSTATUS status)
{
    struct conn *c = context;

    if (NT_SUCCESS(status))
        atomic_fetch_add(&accepted, 1);
    atomic_store(NT_SUCCESS(status) ? &c->is_accepted : &c->is_over, 1);
}

static VOID on_disconnect(PVOID context)
{
    struct conn *c = context;

    atomic_store(&c->is_over, 1);
}

static VOID on_closed(PVOID context)
{
    struct conn *c = context;

    check(atomic_fetch_add(&c->closes, 1) < OBJECTS);
}

static VOID on_cq(PVOID context, NTSTATUS status)
{
    (void)context;
    check(status == STATUS_SUCCESS);
}

static void post(struct conn *c, bool is_receive)
{
    NDK_SGE sge = {{c->p}, is_receive ? RECEIVE : 500, c->token};
    NTSTATUS status;

    atomic_fetch_add(&c->posted, 1); /* before: it may complete before the call returns */
    status = is_receive ? c->qp->Dispatch->NdkReceive(c->qp, c, &sge, 1)
                        : c->qp->Dispatch->NdkSend(c->qp, c, &sge, 1, 0);
    if (status != STATUS_SUCCESS)
        atomic_fetch_sub(&c->posted, 1);
}

static VOID on_registered(PVOID context, NTSTATUS status)
{
    (void)context;
    (void)status;
    abort(); /* registration finishes inline */
}

static void give_memory(struct conn *c)
{
    c->p = calloc(1, OCTETS);
    check(c->p != NULL);
    c->mdl = IoAllocateMdl(c->p, OCTETS, FALSE, FALSE, NULL);
    check(c->mdl != NULL);
    check(consumer->pd->Dispatch->NdkCreateMr(consumer->pd, FALSE, on_created, NULL, &c->mr) ==
          STATUS_SUCCESS);
    check(c->mr->Dispatch->NdkRegisterMr(c->mr, c->mdl, OCTETS, MEMORY_ALL, on_registered, NULL) ==
          STATUS_SUCCESS);
    c->token = c->mr->Dispatch->NdkGetRemoteTokenFromMr(c->mr);
}

static VOID on_connect(PVOID context, NDK_CONNECTOR *k)
{
    static uint64_t seed = 99; /* events of one listener come one after the other */
    struct conn *c = calloc(1, sizeof *c);
    NTSTATUS status = STATUS_INVALID_DEVICE_STATE;
    uint32_t what = below(&seed, 12);
    uint8_t name[NAME];
    uint64_t address;

    (void)context;
    check(c != NULL);
    c->connector = k;
    c->seed = seed;
    check(consumer->pd->Dispatch->NdkCreateQp(consumer->pd, cq, cq, c, 16, 16, 2, 2, 0, on_created,
              NULL, &c->qp) == STATUS_SUCCESS);
    give_memory(c);
    address = (uintptr_t)c->p;
    memcpy(name, &c->token, 4);
    memcpy(name + 4, &address, 8);
    for (uint32_t i = below(&c->seed, 3) * 2; i > 0; i--)
        post(c, true);
    if (what == 0)
        (void)k->Dispatch->NdkReject(k, NULL, 0);
    else if (what > 1) /* else nobody answers, until it is closed */
        status = k->Dispatch->NdkAccept(
            k, c->qp, 4, 4, name, sizeof name, on_disconnect, c, on_accepted, c);
    if (status != STATUS_PENDING)
        on_accepted(c, status);
    pthread_mutex_lock(&conns_lock);
    c->next = conns;
    conns = c;
    pthread_mutex_unlock(&conns_lock);
}

static void drain(void)
{
    NDK_RESULT r[16];
    ULONG n;

    while ((n = cq->Dispatch->NdkGetCqResults(cq, r, 16)) > 0) {
        for (ULONG i = 0; i < n; i++) {
            struct conn *c = r[i].QPContext;

            check(r[i].RequestContext == c);
            atomic_fetch_add(&c->completed, 1);
        }
    }
}

static void close_conn(struct conn *c)
{
    uint32_t first = below(&c->seed, OBJECTS);

    for (uint32_t i = 0; i < OBJECTS; i++) {
        NTSTATUS s;

        switch ((first + i) % OBJECTS) {
        case 0:
            s = c->connector->Dispatch->NdkCloseConnector(&c->connector->Header, on_closed, c);
            break;
        case 1:
            s = c->qp->Dispatch->NdkCloseQp(&c->qp->Header, on_closed, c);
            break;
        default:
            s = c->mr->Dispatch->NdkCloseMr(&c->mr->Header, on_closed, c);
        }
        check(s == STATUS_SUCCESS || s == STATUS_PENDING);
        if (s == STATUS_SUCCESS)
            on_closed(c);
    }
    for (int i = 0; atomic_load(&c->closes) < OBJECTS; i++) {
        check(i < WAIT_MS * 5);
        usleep(200);
        drain();
    }
    drain();
    check(atomic_load(&c->posted) == atomic_load(&c->completed));
    IoFreeMdl(c->mdl);
    free(c->p);
    free(c);
}

/* A look at each connection: the consumer sends, flushes, or has enough of it. */
static void look_after_all(void)
{
    struct conn *list, *next;

    pthread_mutex_lock(&conns_lock);
    list = conns;
    conns = NULL;
    pthread_mutex_unlock(&conns_lock);
    for (; list != NULL; list = next) {
        next = list->next;
        if (atomic_load(&list->is_accepted) && below(&list->seed, 4) == 0)
            post(list, below(&list->seed, 2) == 0);
        if (below(&list->seed, 100) == 0)
            list->qp->Dispatch->NdkFlush(list->qp);
        if ((atomic_load(&list->is_over) && below(&list->seed, 4) == 0) || ++list->looks > 100 ||
            atomic_load(&peers_left) == 0) {
            close_conn(list);
            continue;
        }
        pthread_mutex_lock(&conns_lock);
        list->next = conns;
        conns = list;
        pthread_mutex_unlock(&conns_lock);
    }
    drain();
}

/* ---- the peers ---- */

static bool put(int fd, const uint8_t *p, size_t n, uint64_t *seed)
{
    while (n > 0) {
        size_t piece = below(seed, 3) != 0 ? n : 1 + below(seed, (uint32_t)n);
        ssize_t sent = send(fd, p, piece, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        p += sent;
        n -= (size_t)sent;
        if (below(seed, 16) == 0)
            usleep(below(seed, 200));
    }
    return true;
}

static int open_socket(uint64_t *seed)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval limit = {.tv_usec = 20000};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, small = 4096;

    check(fd >= 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (below(seed, 4) == 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

/* What a peer knows of its connection. */
struct known {
    bool crc;
    uint32_t token;
    uint64_t address;
};

/* False: the connection is over. */
static bool start(int fd, uint64_t *seed, struct known *k)
{
    struct raw_frame f = raw_request(0, (uint8_t)(1 + below(seed, 2)));
    uint8_t octets[64], reply[600];
    ssize_t got;
    size_t n;

    f.flags = below(seed, 2) == 0 ? RAW_C : 0;
    if (below(seed, 8) == 0)
        f.flags |= RAW_M;
    if (f.revision == 2) {
        f.flags |= RAW_S;
        f.ird = (uint16_t)(below(seed, 20) | (below(seed, 2) == 0 ? (uint32_t)RAW_BIT_A : 0));
        f.ord = (uint16_t)(below(seed, 20) | RAW_BIT_C | RAW_BIT_D);
    }
    n = raw_frame_octets(&f, octets);
    if (below(seed, 10) == 0)
        octets[below(seed, (uint32_t)n)] ^= (uint8_t)(1u << below(seed, 8));
    if (below(seed, 12) == 0)
        n = below(seed, (uint32_t)n);
    if (!put(fd, octets, n, seed) || below(seed, 10) == 0)
        return false;
    k->crc = (f.flags & RAW_C) != 0;
    if (below(seed, 5) == 0)
        return true; /* without waiting for the answer */
    for (int i = 0; i < 10; i++) {
        got = recv(fd, reply, sizeof reply, 0);
        if (got >= 20) {
            k->crc = k->crc || (reply[16] & RAW_C) != 0;
            if (got >= 20 + NAME) { /* it is what comes last */
                memcpy(&k->token, reply + got - NAME, 4);
                memcpy(&k->address, reply + got - NAME + 4, 8);
            }
            break;
        }
        if (got == 0)
            return false;
    }
    return true;
}

static struct raw_fpdu some_fpdu(
    const struct known *k, uint64_t *seed, uint32_t *msn, uint32_t *read_msn)
{
    static const uint8_t payload[RECEIVE + 1000];
    uint64_t to = k->address + below(seed, 300);
    uint32_t token = k->token, len = below(seed, 5) != 0 ? below(seed, 300) : below(seed, 3900);
    struct raw_fpdu f;

    if (below(seed, 20) == 0) {
        token = below(seed, 2) ? guarded->remote : below(seed, UINT32_MAX);
        to = memory_to(guarded, 0) + below(seed, OCTETS);
    }
    switch (below(seed, 4)) {
    case 0:
        return raw_write(token, to, payload, len);
    case 1:
        return raw_read_request((*read_msn)++, 5, 0, below(seed, 30000), token, to);
    default:
        f = below(seed, 4) == 0 ? raw_send_inv(*msn, token, payload, len)
                                : raw_send(*msn, payload, len);
        (*msn)++;
        if (below(seed, 40) == 0)
            f.rdmap = (uint8_t)below(seed, 256);
        if (below(seed, 40) == 0)
            f.qn = below(seed, 5);
        return f;
    }
}

static void converse(int fd, uint64_t *seed, const struct known *k)
{
    uint8_t *octets = malloc(RAW_FPDU_MAX), sink[4096];
    uint32_t msn = 1, read_msn = 1;
    uint64_t pos = 0;
    bool goes_on = octets != NULL;

    for (uint32_t i = below(seed, FPDUS); goes_on && i > 0; i--) {
        struct raw_fpdu f = some_fpdu(k, seed, &msn, &read_msn);
        size_t n = raw_fpdu_octets(&f, k->crc, false, &pos, octets);

        if (below(seed, 200) == 0)
            octets[below(seed, (uint32_t)n)] ^= 1;
        if (below(seed, 300) == 0)
            n = below(seed, (uint32_t)n);
        goes_on = put(fd, octets, n, seed);
        if (below(seed, 3) == 0)
            (void)!recv(fd, sink, sizeof sink, MSG_DONTWAIT);
    }
    free(octets);
}

static void leave(int fd, uint64_t *seed)
{
    struct linger at_once = {1, 0};

    if (below(seed, 3) == 0)
        shutdown(fd, SHUT_WR);
    if (below(seed, 6) == 0)
        usleep(below(seed, 100000));
    if (below(seed, 3) == 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

static void *misbehave(void *context)
{
    uint64_t seed = (uint64_t)(uintptr_t)context * 12345 + 7;

    for (int i = 0; i < CONNECTIONS; i++) {
        int fd = open_socket(&seed);
        struct known k = {0};

        if (fd < 0) {
            usleep(1000);
            continue;
        }
        if (start(fd, &seed, &k))
            converse(fd, &seed, &k);
        leave(fd, &seed);
    }
    atomic_fetch_sub(&peers_left, 1);
    return NULL;
}

/* ---- the test ---- */

static void a_crowd_without_manners(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct acceptor *well_behaved;
    struct endpoint *active, *passive;
    NDK_LISTENER *listener;
    SOCKADDR_INET at;
    ULONG length;
    struct ndk_call *call;
    pthread_t peers[PEERS];
    uintptr_t id = 1;
    struct raw_fpdu first = raw_send(1, "x", 1);
    uint8_t octets[64];
    uint64_t pos = 0;

    (void)state;
    o.Lanes = 2;
    o.ReceiveWaitMs = 100;
    o.AcceptQuietMs = 30;
    o.DisconnectTimeoutMs = 300;
    consumer = consumer_open(&o);
    guarded = memory_open(consumer, NULL, OCTETS, NDK_MR_FLAG_ALLOW_REMOTE_READ);
    memset(guarded->p, GUARD, OCTETS);
    assert_ntstatus(consumer_create_cq(consumer, CQ_DEPTH, on_cq, NULL, &cq), STATUS_SUCCESS);
    assert_ntstatus(
        consumer_create_listener(consumer, on_connect, NULL, &listener), STATUS_SUCCESS);
    at = address_of("127.0.0.1", 0, &length);
    call = call_begin(consumer);
    assert_ntstatus(call_end(call, listener->Dispatch->NdkListen(
                                       listener, (SOCKADDR *)&at, length, call_completed, call)),
        STATUS_SUCCESS);
    assert_ntstatus(
        listener->Dispatch->NdkGetLocalAddress(listener, (SOCKADDR *)&at, &length), STATUS_SUCCESS);
    port = address_port(&at);

    /* A connection of another kind, on the same lanes. */
    well_behaved = acceptor_open(consumer, "127.0.0.1");
    active = endpoint_open(consumer, NULL);
    passive = endpoint_open(consumer, NULL);
    endpoint_connect_start(active, "127.0.0.1", well_behaved->port, NULL);
    endpoint_accept_start(passive, acceptor_wait(well_behaved), NULL);
    assert_ntstatus(endpoint_connect_wait(active), STATUS_SUCCESS);
    assert_ntstatus(endpoint_complete(active), STATUS_SUCCESS);
    assert_ntstatus(endpoint_accept_wait(passive), STATUS_SUCCESS);

    (void)raw_fpdu_octets(&first, true, false, &pos, octets); /* its tables are made once */
    atomic_store(&peers_left, PEERS);
    for (uintptr_t i = 0; i < PEERS; i++)
        assert_int_equal(pthread_create(&peers[i], NULL, misbehave, (void *)i), 0);
    while (atomic_load(&peers_left) > 0) {
        look_after_all();
        endpoint_receive(passive, id, guarded, 0, 0);
        endpoint_send(active, id, guarded, 0, 0, 0);
        endpoint_expect_received(passive, id, 0);
        endpoint_expect_initiated(active, id);
        id++;
        usleep(500);
    }
    for (int i = 0; i < PEERS; i++)
        pthread_join(peers[i], NULL);
    /* It waits for its connectors; no event comes after it. */
    call = call_begin(consumer);
    call_started(call, listener->Dispatch->NdkCloseListener(&listener->Header, call_closed, call));
    for (int i = 0; !call_is_done(call) && i < WAIT_MS; i++) {
        look_after_all();
        usleep(1000);
    }
    assert_ntstatus(call_wait(call), STATUS_SUCCESS);
    consumer->objects--;
    assert_null(conns);
    assert_true(atomic_load(&accepted) > 0); /* some got far enough */
    for (size_t i = 0; i < OCTETS; i++)
        assert_int_equal(guarded->p[i], GUARD);
    endpoint_close(active);
    endpoint_close(passive);
    acceptor_close(well_behaved);
    memory_close(guarded);
    consumer_close_object(consumer, &cq->Header);
    consumer_close(consumer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_crowd_without_manners)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
