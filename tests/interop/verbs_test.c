/* SPDX-License-Identifier: MIT */
/*
 * An NDK consumer here, a verbs program on siw in a guest (guest/verbs_peer.c): what rping does not
 * do. Run by siw.py, which says in INTEROP_PEER_PORT where on 127.0.0.1 the program is served, and
 * in INTEROP_IN_GUEST how a shell command is run in the guest.
 */
#include "support/consumer.h"

#include <stdlib.h>

#include "interop/guest/peer.h"
#include "support/create.h"
#include "support/unit.h"

enum { PAGE = 4096, BIG = 1 << 20, ID_COMMAND = 900, ID_RECEIVE = 1000 };

static uint16_t peer_port(void)
{
    const char *text = getenv("INTEROP_PEER_PORT");

    assert_non_null(text);
    return (uint16_t)strtoul(text, NULL, 10);
}

/* ---- a conversation ---- */

struct talk {
    struct consumer *c;
    struct endpoint *e;
    struct acceptor *a;   /* NULL: we connected */
    struct memory *m;     /* BIG octets with all rights */
    struct memory *slots; /* receives */
    struct memory *out;   /* what is sent as command */
    unsigned received;    /* receives taken so far */
    struct peer_reply info;
};

static void post_receive(struct talk *t, unsigned slot)
{
    endpoint_receive(t->e, ID_RECEIVE + slot, t->slots, (size_t)slot * PEER_SLOT, PEER_SLOT);
}

/* The next message, in place; it is valid until the next but PEER_RECEIVES. */
static const uint8_t *next_message(struct talk *t, size_t *n)
{
    unsigned slot = t->received++ % PEER_RECEIVES;
    NDK_RESULT_EX r = endpoint_wait_received(t->e);
    const uint8_t *at = t->slots->p + (size_t)slot * PEER_SLOT;

    assert_ntstatus(r.Status, STATUS_SUCCESS);
    assert_int_equal((uintptr_t)r.RequestContext, ID_RECEIVE + slot);
    *n = r.BytesTransferred;
    return at;
}

static struct peer_reply next_reply(struct talk *t)
{
    struct peer_reply r;
    size_t n;
    const uint8_t *at = next_message(t, &n);

    assert_int_equal(n, sizeof r);
    memcpy(&r, at, sizeof r);
    assert_int_equal(r.magic, PEER_MAGIC);
    /* The slot is free again: the message was copied. */
    post_receive(t, (t->received - 1) % PEER_RECEIVES);
    return r;
}

static void tell(struct talk *t, struct peer_command c)
{
    c.magic = PEER_MAGIC;
    memcpy(t->out->p, &c, sizeof c);
    endpoint_send(t->e, ID_COMMAND, t->out, 0, sizeof c, 0);
    endpoint_expect_initiated(t->e, ID_COMMAND);
}

static struct peer_reply ask(struct talk *t, struct peer_command c)
{
    struct peer_reply r;

    tell(t, c);
    r = next_reply(t);
    assert_int_equal(r.about, PEER_DONE);
    return r;
}

static void ask_well(struct talk *t, struct peer_command c)
{
    assert_int_equal(ask(t, c).status, 0);
}

static struct talk talk_make(void)
{
    static const struct endpoint_options deep = {
        .receive_depth = PEER_RECEIVES + 2, .initiator_depth = PEER_DEPTH};
    struct talk t = {.c = consumer_open(NULL)};

    t.e = endpoint_open(t.c, &deep);
    t.m = memory_open(t.c, NULL, BIG, MEMORY_ALL);
    t.slots =
        memory_open(t.c, NULL, (size_t)PEER_RECEIVES * PEER_SLOT, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
    t.out = memory_open(t.c, NULL, PEER_SLOT + 1, 0);
    for (unsigned i = 0; i < PEER_RECEIVES; i++)
        post_receive(&t, i);
    return t;
}

static struct talk talk_open_with(uint8_t ird, uint8_t ord, ULONG inbound, ULONG outbound)
{
    struct peer_greeting greeting = {PEER_TALK, ird, ord};
    struct endpoint_terms terms = {
        .inbound = inbound, .outbound = outbound, &greeting, sizeof greeting};
    struct talk t = talk_make();

    endpoint_connect_start(t.e, "127.0.0.1", peer_port(), &terms);
    assert_ntstatus(endpoint_connect_wait(t.e), STATUS_SUCCESS);
    assert_ntstatus(endpoint_complete(t.e), STATUS_SUCCESS);
    t.info = ask(&t, (struct peer_command){.verb = PEER_INFO});
    return t;
}

static struct talk talk_open(void)
{
    return talk_open_with(0, 0, 16, 16);
}

static void talk_close(struct talk *t)
{
    endpoint_close(t->e);
    if (t->a != NULL)
        acceptor_close(t->a);
    memory_close(t->m);
    memory_close(t->slots);
    memory_close(t->out);
    consumer_close(t->c);
}

static SOFTNDK_STATISTICS statistics_of(struct talk *t)
{
    SOFTNDK_STATISTICS s = {.Size = sizeof s};

    assert_ntstatus(SoftNdkQueryStatistics(t->c->adapter, &s), STATUS_SUCCESS);
    return s;
}

static void fill(struct talk *t, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++)
        t->m->p[i] = peer_pattern(seed, i);
}

static void check(const uint8_t *p, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != peer_pattern(seed, i))
            fail_msg("octet %zu of %zu is wrong", i, n);
    }
}

/* ---- data ---- */

/* Sends of all sizes, 0 included, both ways; what arrived is summed up or compared. */
static void sends_both_ways(void **state)
{
    static const size_t sizes[] = {
        0, 1, 3, 4, 47, 64, 1432, 1433, 1436, 1440, 1450, 4096, 65535, 65536};
    struct talk t = talk_open();

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint32_t seed = (uint32_t)i + 40;
        struct peer_reply r;
        const uint8_t *at;
        size_t n;

        fill(&t, sizes[i], seed);
        endpoint_send(t.e, 1, t.m, 0, sizes[i], 0);
        endpoint_expect_initiated(t.e, 1);
        r = next_reply(&t);
        assert_int_equal(r.about, PEER_DATA);
        assert_int_equal(r.length, sizes[i]);
        assert_int_equal(r.extra, peer_sum(t.m->p, sizes[i]));

        ask_well(&t, (struct peer_command){.verb = PEER_FILL, .length = sizes[i], .seed = seed});
        tell(&t, (struct peer_command){.verb = PEER_SEND, .length = sizes[i], .count = 1});
        at = next_message(&t, &n);
        assert_int_equal(n, sizes[i]);
        check(at, n, seed);
        post_receive(&t, (t.received - 1) % PEER_RECEIVES);
        assert_int_equal(next_reply(&t).status, 0);
    }
    talk_close(&t);
}

/* Writes and Reads of all sizes, by us and by siw. */
static void writes_and_reads_both_ways(void **state)
{
    static const size_t sizes[] = {0, 1, 5, 1435, 1436, 1437, 4097, 65536, BIG};
    struct talk t = talk_open();

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint32_t seed = (uint32_t)i * 3;
        size_t n = sizes[i];
        struct peer_command c = {.length = n, .count = 1};

        fill(&t, n, seed);
        endpoint_write(t.e, 1, t.m, 0, n, t.info.address, t.info.token, 0);
        endpoint_expect_initiated(t.e, 1);
        c.verb = PEER_CHECK;
        c.seed = seed;
        ask_well(&t, c);
        memset(t.m->p, 0, n);
        /* siw answers a Read of nothing now and then with the octets of its last Send. */
        if (n > 0) {
            endpoint_read(t.e, 2, t.m, 0, n, t.info.address, t.info.token, 0);
            endpoint_expect_initiated(t.e, 2);
            check(t.m->p, n, seed);
        }

        c.verb = PEER_FILL;
        c.seed = seed + 1;
        ask_well(&t, c);
        c.verb = PEER_WRITE;
        c.address = memory_to(t.m, 0);
        c.token = t.m->remote;
        ask_well(&t, c);
        check(t.m->p, n, seed + 1);
        fill(&t, n, seed + 2);
        c.verb = PEER_READ;
        ask_well(&t, c);
        c.verb = PEER_CHECK;
        c.seed = seed + 2;
        ask_well(&t, c);
    }
    talk_close(&t);
}

static void a_thousand_writes_outstanding(void **state)
{
    enum { COUNT = 1000, EACH = 700 };
    struct talk t = talk_open();
    struct peer_command c = {.length = (uint64_t)COUNT * EACH, .seed = 9};

    (void)state;
    fill(&t, (size_t)COUNT * EACH, 9);
    for (unsigned i = 0; i < COUNT; i++)
        endpoint_write(t.e, i + 1, t.m, (size_t)i * EACH, EACH, t.info.address + (uint64_t)i * EACH,
            t.info.token, i + 1 < COUNT ? NDK_OP_FLAG_DEFER : 0);
    for (unsigned i = 0; i < COUNT; i++)
        endpoint_expect_initiated(t.e, i + 1);
    c.verb = PEER_CHECK;
    ask_well(&t, c);
    memset(t.m->p, 0, (size_t)COUNT * EACH);
    c = (struct peer_command){.verb = PEER_WRITE,
        .count = COUNT,
        .length = EACH,
        .address = memory_to(t.m, 0),
        .token = t.m->remote};
    ask_well(&t, c);
    check(t.m->p, (size_t)COUNT * EACH, 9);
    talk_close(&t);
}

/* More Reads than the agreed limits, from both sides, for several limits. */
static void reads_keep_to_the_limits(void **state)
{
    static const struct {
        uint8_t ird, ord; /* what siw accepts with */
        ULONG inbound, outbound;
    } cases[] = {{1, 1, 1, 1}, {4, 2, 16, 16}, {16, 16, 3, 5}, {128, 128, 128, 128}};
    enum { COUNT = 200, EACH = 3000 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct talk t =
            talk_open_with(cases[i].ird, cases[i].ord, cases[i].inbound, cases[i].outbound);
        struct peer_command c = {.verb = PEER_FILL, .length = (uint64_t)COUNT * EACH, .seed = 3};

        ask_well(&t, c);
        for (unsigned k = 0; k < COUNT; k++)
            endpoint_read(t.e, k + 1, t.m, (size_t)k * EACH, EACH,
                t.info.address + (uint64_t)k * EACH, t.info.token, 0);
        for (unsigned k = 0; k < COUNT; k++)
            endpoint_expect_initiated(t.e, k + 1);
        check(t.m->p, (size_t)COUNT * EACH, 3);
        fill(&t, (size_t)COUNT * EACH, 4);
        c = (struct peer_command){.verb = PEER_READ,
            .count = COUNT,
            .length = EACH,
            .address = memory_to(t.m, 0),
            .token = t.m->remote};
        ask_well(&t, c);
        c = (struct peer_command){.verb = PEER_CHECK, .length = (uint64_t)COUNT * EACH, .seed = 4};
        ask_well(&t, c);
        talk_close(&t);
    }
}

/* Only a solicited Send of siw wakes a queue that waits for those. */
static void solicited_sends_wake(void **state)
{
    struct talk t = talk_open();
    struct peer_command c = {.verb = PEER_SEND, .length = 5, .count = 1};
    struct peer_reply r;

    (void)state;
    endpoint_arm_received(t.e, NDK_CQ_NOTIFY_SOLICITED);
    tell(&t, c);
    /* The data and the reply, by polling: neither is solicited. */
    for (unsigned i = 0; i < 2; i++) {
        assert_ntstatus(endpoint_poll_received(t.e).Status, STATUS_SUCCESS);
        post_receive(&t, t.received++ % PEER_RECEIVES);
    }
    assert_false(endpoint_received_is_notified(t.e));
    c.flags = PEER_SOLICITED;
    tell(&t, c);
    endpoint_wait_received_notified(t.e);
    for (unsigned i = 0; i < 2; i++) {
        assert_ntstatus(endpoint_poll_received(t.e).Status, STATUS_SUCCESS);
        post_receive(&t, t.received++ % PEER_RECEIVES);
    }
    endpoint_send(t.e, 1, t.out, 0, 9, NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT);
    endpoint_expect_initiated(t.e, 1);
    r = next_reply(&t);
    assert_int_equal(r.about, PEER_DATA);
    assert_int_equal(r.length, 9);
    talk_close(&t);
}

/* ---- registrations ---- */

struct fast {
    NDK_MR *mr;
    uint8_t *p;
    UINT32 token;
};

static struct fast fast_open(struct talk *t)
{
    struct fast f = {.p = aligned_alloc(PAGE, 3 * PAGE)};
    struct ndk_call *call = call_begin(t->c);

    memset(f.p, 0, 3 * PAGE);
    assert_ntstatus(consumer_create_mr(t->c, t->c->pd, TRUE, &f.mr), STATUS_SUCCESS);
    assert_ntstatus(call_end(call, f.mr->Dispatch->NdkInitializeFastRegisterMr(
                                       f.mr, 4, TRUE, call_completed, call)),
        STATUS_SUCCESS);
    f.token = f.mr->Dispatch->NdkGetRemoteTokenFromMr(f.mr);
    return f;
}

/* Two pages, the second of the three left out, at the virtual address 0. */
static void fast_register(struct talk *t, struct fast *f, ULONG flags)
{
    NDK_LOGICAL_ADDRESS pages[2];

    pages[0].QuadPart = (LONGLONG)(uintptr_t)f->p;
    pages[1].QuadPart = (LONGLONG)(uintptr_t)(f->p + 2 * PAGE);
    assert_ntstatus(t->e->qp->Dispatch->NdkFastRegister(
                        t->e->qp, (PVOID)70, f->mr, 2, pages, 0, 2 * PAGE, NULL, flags),
        STATUS_SUCCESS);
    endpoint_expect_initiated(t->e, 70);
}

static void fast_close(struct talk *t, struct fast *f)
{
    consumer_close_object(t->c, &f->mr->Header);
    free(f->p);
}

/* siw writes into and reads from scattered pages, that are taken back and registered again. */
static void fast_registered_memory_is_the_target(void **state)
{
    struct talk t = talk_open();
    struct fast f = fast_open(&t);
    struct peer_command c = {.verb = PEER_FILL, .length = 2 * PAGE, .seed = 21, .count = 1};

    (void)state;
    fast_register(&t, &f, NDK_OP_FLAG_ALLOW_REMOTE_WRITE | NDK_OP_FLAG_ALLOW_REMOTE_READ);
    ask_well(&t, c);
    c.token = f.token;
    c.verb = PEER_WRITE;
    ask_well(&t, c);
    assert_int_equal(f.p[PAGE], 0);
    assert_int_equal(f.p[0], peer_pattern(21, 0));
    assert_int_equal(f.p[2 * PAGE], peer_pattern(21, PAGE));
    f.p[2 * PAGE] ^= 0xff;
    c.verb = PEER_READ;
    ask_well(&t, c);
    c.verb = PEER_CHECK;
    assert_int_equal(ask(&t, c).extra, PAGE);

    assert_ntstatus(
        t.e->qp->Dispatch->NdkInvalidate(t.e->qp, (PVOID)8, &f.mr->Header, 0), STATUS_SUCCESS);
    endpoint_expect_initiated(t.e, 8);
    fast_register(&t, &f, NDK_OP_FLAG_ALLOW_REMOTE_WRITE);
    c = (struct peer_command){.verb = PEER_WRITE, .length = PAGE, .count = 1, .token = f.token};
    ask_well(&t, c);
    fast_close(&t, &f);
    talk_close(&t);
}

/*
 * siw's Send takes a registration of ours back. rdma-core's siw provider forgets to say which: it
 * names token 0, which we refuse; a provider that is mended passes as well.
 */
static void siws_send_invalidates(void **state)
{
    struct talk t = talk_open();
    struct fast f = fast_open(&t);
    NDK_RESULT_EX r;

    (void)state;
    fast_register(&t, &f, NDK_OP_FLAG_ALLOW_REMOTE_WRITE);
    tell(&t, (struct peer_command){.verb = PEER_SEND,
                 .length = 6,
                 .count = 1,
                 .flags = PEER_INVALIDATE | PEER_SOLICITED,
                 .token = f.token});
    r = endpoint_wait_received(t.e);
    if (NT_SUCCESS(r.Status)) {
        assert_int_equal(r.Type, NdkOperationTypeReceiveAndInvalidate);
        assert_int_equal(r.TypeSpecificCompletionOutput, f.token);
        printf("NOTE siw's Send invalidates the token that it was given\n");
    } else {
        endpoint_wait_disconnected(t.e);
        assert_int_equal(statistics_of(&t).TerminatesSent, 1);
        printf("NOTE siw's Send with Invalidate names token 0: refused with a Terminate\n");
    }
    fast_close(&t, &f);
    talk_close(&t);
}

static void a_read_of_siw_invalidates_its_sink(void **state)
{
    struct talk t = talk_open();
    struct fast f = fast_open(&t);
    NDK_SGE sge = {.Length = 2 * PAGE, .MemoryRegionToken = f.token};

    (void)state;
    ask_well(&t, (struct peer_command){.verb = PEER_FILL, .length = 2 * PAGE, .seed = 33});
    fast_register(&t, &f, NDK_OP_FLAG_ALLOW_LOCAL_WRITE);
    assert_ntstatus(t.e->qp->Dispatch->NdkRead(t.e->qp, (PVOID)5, &sge, 1, t.info.address,
                        t.info.token, NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE),
        STATUS_SUCCESS);
    endpoint_expect_initiated(t.e, 5);
    assert_int_equal(f.p[2 * PAGE], peer_pattern(33, PAGE));
    fast_register(&t, &f, NDK_OP_FLAG_ALLOW_LOCAL_WRITE); /* it was free */
    fast_close(&t, &f);
    talk_close(&t);
}

/* A window is written through, not beyond. */
static void a_window_is_the_target(void **state)
{
    struct talk t = talk_open();
    struct peer_command c = {.verb = PEER_FILL, .length = 64, .seed = 5, .count = 1};
    NDK_MW *mw;

    (void)state;
    assert_ntstatus(consumer_create_mw(t.c, t.c->pd, &mw), STATUS_SUCCESS);
    assert_ntstatus(t.e->qp->Dispatch->NdkBind(t.e->qp, (PVOID)1, t.m->mr, mw, t.m->p + 100, 64,
                        NDK_OP_FLAG_ALLOW_REMOTE_WRITE),
        STATUS_SUCCESS);
    endpoint_expect_initiated(t.e, 1);
    ask_well(&t, c);
    c.verb = PEER_WRITE;
    c.address = memory_to(t.m, 100);
    c.token = mw->Dispatch->NdkGetRemoteTokenFromMw(mw);
    ask_well(&t, c);
    check(t.m->p + 100, 64, 5);
    assert_int_equal(t.m->p[164], 0);
    c.length = 65;
    tell(&t, c);
    endpoint_wait_disconnected(t.e);
    assert_int_equal(t.m->p[164], 0);
    consumer_close_object(t.c, &mw->Header);
    talk_close(&t);
}

/* Our Send takes siw's registration back; a Write to it then ends the connection. */
static void our_send_invalidates_siws_memory(void **state)
{
    struct talk t = talk_open();
    struct peer_reply r;

    (void)state;
    endpoint_send_inv(t.e, 1, t.out, 0, 7, 0, t.info.token);
    endpoint_expect_initiated(t.e, 1);
    r = next_reply(&t);
    assert_int_equal(r.about, PEER_DATA);
    assert_int_equal(r.length, 7);
    endpoint_write(t.e, 2, t.m, 0, 8, t.info.address, t.info.token, 0);
    endpoint_wait_initiated(t.e);
    endpoint_wait_disconnected(t.e);
    talk_close(&t);
}

/* ---- what is not allowed ---- */

enum wrong {
    WRITE_UNKNOWN,
    WRITE_BEYOND,
    WRITE_READ_ONLY,
    READ_UNKNOWN,
    READ_BEYOND,
    SEND_TOO_LONG,
    INVALIDATE_UNKNOWN,
};
static const char *const wrong_names[] = {"a Write of an unknown token", "a Write beyond the end",
    "a Write to memory that may be read only", "a Read of an unknown token",
    "a Read beyond the end", "a Send too long for the receive",
    "a Send that invalidates an unknown token"};

/* We break a rule: siw terminates, we hear of it. */
static void siw_refuses(void **state)
{
    (void)state;
    for (unsigned wrong = WRITE_UNKNOWN; wrong <= INVALIDATE_UNKNOWN; wrong++) {
        struct talk t = talk_open();
        uint64_t to = t.info.address;
        NTSTATUS status;

        switch (wrong) {
        case WRITE_UNKNOWN:
            endpoint_write(t.e, 1, t.m, 0, 8, to, t.info.token ^ 0x12300, 0);
            break;
        case WRITE_BEYOND:
            endpoint_write(t.e, 1, t.m, 0, 8, to + PEER_MEMORY - 7, t.info.token, 0);
            break;
        case WRITE_READ_ONLY:
            endpoint_write(t.e, 1, t.m, 0, 8, t.info.length, (UINT32)t.info.extra, 0);
            break;
        case READ_UNKNOWN:
            endpoint_read(t.e, 1, t.m, 0, 8, to, t.info.token ^ 0x12300, 0);
            break;
        case READ_BEYOND:
            endpoint_read(t.e, 1, t.m, 0, 8, to + PEER_MEMORY - 7, t.info.token, 0);
            break;
        case SEND_TOO_LONG:
            endpoint_send(t.e, 1, t.out, 0, PEER_SLOT + 1, 0);
            break;
        default:
            endpoint_send_inv(t.e, 1, t.out, 0, 8, 0, t.info.token ^ 0x12300);
        }
        status = endpoint_wait_initiated(t.e).Status;
        endpoint_wait_disconnected(t.e);
        printf("NOTE we: %s: %s, %u Terminates received\n", wrong_names[wrong],
            SoftNdkStatusName(status), (unsigned)statistics_of(&t).TerminatesReceived);
        if (wrong == READ_UNKNOWN || wrong == READ_BEYOND)
            assert_ntstatus(status, STATUS_ACCESS_VIOLATION);
        assert_ntfailure(endpoint_wait_received(t.e).Status);
        talk_close(&t);
    }
}

/* siw breaks a rule: we terminate, nothing is touched, siw's program hears of it. */
static void we_refuse(void **state)
{
    (void)state;
    for (unsigned wrong = WRITE_UNKNOWN; wrong <= INVALIDATE_UNKNOWN; wrong++) {
        struct talk t = talk_open(), next;
        struct memory *read_only = memory_open(t.c, NULL, PAGE, NDK_MR_FLAG_ALLOW_REMOTE_READ);
        struct peer_command c = {.verb = PEER_WRITE,
            .length = 8,
            .count = 1,
            .address = memory_to(t.m, 0),
            .token = t.m->remote};
        uint32_t last;

        ask_well(&t, (struct peer_command){.verb = PEER_FILL, .length = 8, .seed = 99});
        if (wrong == READ_UNKNOWN || wrong == READ_BEYOND)
            c.verb = PEER_READ;
        if (wrong == WRITE_UNKNOWN || wrong == READ_UNKNOWN || wrong == INVALIDATE_UNKNOWN)
            c.token ^= 0x12300;
        if (wrong == WRITE_BEYOND || wrong == READ_BEYOND)
            c.address += BIG - 7;
        if (wrong == WRITE_READ_ONLY) {
            c.address = memory_to(read_only, 0);
            c.token = read_only->remote;
        }
        if (wrong == SEND_TOO_LONG || wrong == INVALIDATE_UNKNOWN)
            c.verb = PEER_SEND;
        if (wrong == SEND_TOO_LONG)
            c.length = PEER_SLOT + 1;
        if (wrong == INVALIDATE_UNKNOWN)
            c.flags = PEER_INVALIDATE;
        tell(&t, c);
        endpoint_wait_disconnected(t.e);
        assert_int_equal(statistics_of(&t).TerminatesSent, 1);
        assert_int_equal(t.m->p[BIG - 1], 0);
        assert_int_equal(read_only->p[0], 0);
        memory_close(read_only);
        talk_close(&t);
        /* siw serves the next, and tells how the last ended. */
        next = talk_open();
        last = ask(&next, (struct peer_command){.verb = PEER_LAST}).status;
        printf("NOTE siw: %s: Terminate sent, its request ends with status %u\n",
            wrong_names[wrong], last);
        talk_close(&next);
    }
}

/* ---- connections ---- */

static struct talk talk_with_private_data(const void *data, ULONG n)
{
    struct endpoint_terms terms = {16, 16, data, n};
    struct talk t = talk_make();

    endpoint_connect_start(t.e, "127.0.0.1", peer_port(), &terms);
    assert_ntstatus(endpoint_connect_wait(t.e), STATUS_SUCCESS);
    return t;
}

/*
 * Both ways as much as siw gets into an answer: 255 octets with the four of revision 2. (It keeps
 * the length in eight bits: it would answer 256 with an S bit and no octet, which is refused.)
 */
static void private_data_both_ways(void **state)
{
    static const ULONG lengths[] = {1, 3, 4, 56, 57, 128, 251};
    uint8_t data[256];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = i == 0 ? PEER_ECHO : i < 3 ? 0 : peer_pattern(8, i);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct talk t = talk_with_private_data(data, lengths[i]);
        struct connection_data back = connection_data_of(t.e->connector);

        assert_int_equal(back.private_len, lengths[i]);
        assert_memory_equal(back.private_data, data, lengths[i]);
        assert_ntstatus(endpoint_complete(t.e), STATUS_SUCCESS);
        ask_well(&t, (struct peer_command){.verb = PEER_INFO});
        talk_close(&t);
    }
}

/* One octet more than siw takes is closed without an answer. We try again in revision 1, which
 * leaves four octets more. */
static void revision_1_takes_what_revision_2_does_not(void **state)
{
    static const uint8_t data[300] = {PEER_TALK};

    (void)state;
    for (ULONG n = 252; n <= 256; n += 2) {
        struct talk t = talk_with_private_data(data, n);

        assert_ntstatus(endpoint_complete(t.e), STATUS_SUCCESS);
        t.info = ask(&t, (struct peer_command){.verb = PEER_INFO});
        endpoint_write(t.e, 1, t.m, 0, BIG, t.info.address, t.info.token, 0);
        endpoint_expect_initiated(t.e, 1);
        ask_well(&t, (struct peer_command){.verb = PEER_INFO});
        talk_close(&t);
    }
}

static void more_private_data_than_siw_takes(void **state)
{
    static const uint8_t data[300] = {PEER_TALK};
    struct endpoint_terms terms = {16, 16, data, 257};
    struct talk t = talk_make();

    (void)state;
    endpoint_connect_start(t.e, "127.0.0.1", peer_port(), &terms);
    assert_ntfailure(endpoint_connect_wait(t.e));
    talk_close(&t);
}

static void siw_rejects_with_private_data(void **state)
{
    static const char data[] = "Reject this, and say the same";
    struct endpoint_terms terms = {16, 16, data, sizeof data};
    struct talk t = talk_make();
    struct connection_data back;

    (void)state;
    endpoint_connect_start(t.e, "127.0.0.1", peer_port(), &terms);
    assert_ntstatus(endpoint_connect_wait(t.e), STATUS_CONNECTION_REFUSED);
    back = connection_data_of(t.e->connector);
    assert_int_equal(back.private_len, sizeof data);
    assert_memory_equal(back.private_data, data, sizeof data);
    talk_close(&t);
}

static void siw_does_not_answer(void **state)
{
    static const struct peer_greeting hold = {PEER_HOLD, 0, 0};
    struct endpoint_terms terms = {16, 16, &hold, sizeof hold};
    SOFTNDK_OPTIONS options = consumer_options();
    struct consumer *c;
    struct endpoint *e;

    (void)state;
    options.MpaTimeoutMs = 500;
    c = consumer_open(&options);
    e = endpoint_open(c, NULL);
    endpoint_connect_start(e, "127.0.0.1", peer_port(), &terms);
    assert_ntstatus(endpoint_connect_wait(e), STATUS_IO_TIMEOUT);
    endpoint_close(e);
    consumer_close(c);
}

/* siw connects to us: its private data, and then everything once. */
static void siw_connects(void **state)
{
    static const unsigned lengths[] = {1, 64, 251}; /* of 252 siw says 0: eight bits */
    const char *in_guest = getenv("INTEROP_IN_GUEST");

    (void)state;
    assert_non_null(in_guest);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct talk t = talk_make();
        struct endpoint_terms terms = {8, 8, "an answer", 9};
        struct connection_data data;
        NDK_CONNECTOR *connector;
        char command[500];
        struct peer_command c = {.length = BIG, .seed = 6, .count = 1};

        t.a = acceptor_open(t.c, "127.0.0.1");
        snprintf(command, sizeof command,
            "%s '/host/verbs_peer -c 10.0.2.2 %u T %u 8 8' >/dev/null 2>&1 &", in_guest, t.a->port,
            lengths[i]);
        assert_int_equal(system(command), 0);
        connector = acceptor_wait(t.a);
        data = connection_data_of(connector);
        assert_int_equal(data.private_len, lengths[i]);
        assert_int_equal(data.inbound, 8);
        assert_int_equal(data.outbound, 8);
        for (unsigned k = 1; k < lengths[i]; k++)
            assert_int_equal(data.private_data[k], peer_pattern(5, k));
        endpoint_accept_start(t.e, connector, &terms);
        assert_ntstatus(endpoint_accept_wait(t.e), STATUS_SUCCESS);
        assert_int_equal(next_reply(&t).about, PEER_DATA);
        t.info = ask(&t, (struct peer_command){.verb = PEER_INFO});
        c.verb = PEER_FILL;
        ask_well(&t, c);
        endpoint_read(t.e, 1, t.m, 0, BIG, t.info.address, t.info.token, 0);
        endpoint_expect_initiated(t.e, 1);
        check(t.m->p, BIG, 6);
        assert_ntstatus(endpoint_disconnect(t.e), STATUS_SUCCESS);
        talk_close(&t);
    }
}

/* Argument: which tests to run, with * and ?; all without. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_both_ways),
        cmocka_unit_test(writes_and_reads_both_ways),
        cmocka_unit_test(a_thousand_writes_outstanding),
        cmocka_unit_test(reads_keep_to_the_limits),
        cmocka_unit_test(solicited_sends_wake),
        cmocka_unit_test(fast_registered_memory_is_the_target),
        cmocka_unit_test(siws_send_invalidates),
        cmocka_unit_test(a_read_of_siw_invalidates_its_sink),
        cmocka_unit_test(a_window_is_the_target),
        cmocka_unit_test(our_send_invalidates_siws_memory),
        cmocka_unit_test(siw_refuses),
        cmocka_unit_test(we_refuse),
        cmocka_unit_test(private_data_both_ways),
        cmocka_unit_test(revision_1_takes_what_revision_2_does_not),
        cmocka_unit_test(more_private_data_than_siw_takes),
        cmocka_unit_test(siw_rejects_with_private_data),
        cmocka_unit_test(siw_does_not_answer),
        cmocka_unit_test(siw_connects),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
