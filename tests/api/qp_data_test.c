/* SPDX-License-Identifier: MIT */
/* The requests of NDK_QP_DISPATCH moving data between two connected queue pairs. */
#include "support/consumer.h"

#include <stdlib.h>

#include "support/create.h"
#include "support/pair.h"
#include "support/unit.h"

enum { PAGE = 4096 };

static void fill(uint8_t *p, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(i * 31 + seed);
}

/* A connected pair with a piece of memory for each side. */
struct bench {
    struct pair p;
    struct consumer *c;
    struct endpoint *a, *b;
    NDK_QP *qp; /* of a */
    struct memory *ma, *mb;
};

static struct bench bench_open(const struct pair_how *how, size_t octets)
{
    struct bench t = {.p = pair_open(how)};

    t.c = t.p.c;
    t.a = t.p.active;
    t.b = t.p.passive;
    t.qp = t.a->qp;
    t.ma = memory_open(t.c, NULL, octets, MEMORY_ALL);
    t.mb = memory_open(t.c, NULL, octets, MEMORY_ALL);
    fill(t.ma->p, octets, 1);
    return t;
}

static void bench_close(struct bench *t)
{
    memory_close(t->ma);
    memory_close(t->mb);
    pair_close(&t->p);
}

/* ---- sends and receives ---- */

/* [NDKPI NDK_FN_SEND] */
static void messages_of_all_sizes_arrive(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 4, 63, 64, 65, 1447, 1448, 4096, 65536, 1 << 20};
    struct bench t = bench_open(NULL, 1 << 20);

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        NDK_RESULT_EX r;

        memset(t.mb->p, 0, t.mb->n);
        endpoint_receive(t.b, 10 + i, t.mb, 0, t.mb->n);
        endpoint_send(t.a, 50 + i, t.ma, 0, sizes[i], 0);
        r = endpoint_expect_received(t.b, 10 + i, sizes[i]);
        assert_int_equal(r.Type, NdkOperationTypeReceive);
        assert_int_equal(r.ProviderErrorCode, 0);
        r = endpoint_expect_initiated(t.a, 50 + i);
        assert_int_equal(r.Type, NdkOperationTypeSend);
        assert_memory_equal(t.mb->p, t.ma->p, sizes[i]);
        if (sizes[i] < t.mb->n)
            assert_int_equal(t.mb->p[sizes[i]], 0);
    }
    bench_close(&t);
}

static void nothing_at_all_can_be_sent(void **state)
{
    struct bench t = bench_open(NULL, 64);
    NDK_SGE empty = memory_sge(t.ma, 0, 0);

    (void)state;
    assert_ntstatus(t.b->qp->Dispatch->NdkReceive(t.b->qp, (PVOID)1, NULL, 0), STATUS_SUCCESS);
    assert_ntstatus(t.b->qp->Dispatch->NdkReceive(t.b->qp, (PVOID)2, &empty, 1), STATUS_SUCCESS);
    assert_ntstatus(t.qp->Dispatch->NdkSend(t.qp, (PVOID)3, NULL, 0, 0), STATUS_SUCCESS);
    assert_ntstatus(t.qp->Dispatch->NdkSend(t.qp, (PVOID)4, &empty, 1, 0), STATUS_SUCCESS);
    /* Without octets neither token nor address is looked at. */
    assert_ntstatus(t.qp->Dispatch->NdkWrite(t.qp, (PVOID)5, NULL, 0, 0xdeadbeef, 0x12345678, 0),
        STATUS_SUCCESS);
    assert_ntstatus(t.qp->Dispatch->NdkRead(t.qp, (PVOID)6, NULL, 0, 0xdeadbeef, 0x12345678, 0),
        STATUS_SUCCESS);
    endpoint_expect_received(t.b, 1, 0);
    endpoint_expect_received(t.b, 2, 0);
    for (uintptr_t id = 3; id <= 6; id++)
        endpoint_expect_initiated(t.a, id);
    bench_close(&t);
}

static void lists_gather_and_scatter_in_order(void **state)
{
    struct bench t = bench_open(NULL, PAGE);
    NDK_SGE from[4] = {memory_sge(t.ma, 100, 7), memory_sge(t.ma, 300, 0),
        memory_sge(t.ma, 200, 50), memory_sge(t.ma, 0, 3)};
    NDK_SGE to[3] = {
        memory_sge(t.mb, 500, 1), memory_sge(t.mb, 0, 58), memory_sge(t.mb, 1000, 100)};
    uint8_t want[60];

    (void)state;
    memcpy(want, t.ma->p + 100, 7);
    memcpy(want + 7, t.ma->p + 200, 50);
    memcpy(want + 57, t.ma->p, 3);
    assert_ntstatus(t.b->qp->Dispatch->NdkReceive(t.b->qp, (PVOID)1, to, 3), STATUS_SUCCESS);
    assert_ntstatus(t.qp->Dispatch->NdkSend(t.qp, (PVOID)2, from, 4, 0), STATUS_SUCCESS);
    memset(from, 0, sizeof from); /* the list was read during the call */
    memset(to, 0, sizeof to);
    endpoint_expect_received(t.b, 1, 60);
    endpoint_expect_initiated(t.a, 2);
    assert_int_equal(t.mb->p[500], want[0]);
    assert_memory_equal(t.mb->p, want + 1, 58);
    assert_int_equal(t.mb->p[1000], want[59]);
    bench_close(&t);
}

static void inline_data_may_be_reused_at_once(void **state)
{
    const struct endpoint_options inline_64 = {.inline_size = 64};
    const struct pair_how how = {.active = &inline_64};
    struct bench t = bench_open(&how, PAGE);
    char text[] = "not registered, gone after the call";
    NDK_SGE sge = {.Length = sizeof text, .MemoryRegionToken = 0xbadbad00};

    (void)state;
    sge.VirtualAddress = text;
    endpoint_receive(t.b, 1, t.mb, 0, 64);
    assert_ntstatus(t.qp->Dispatch->NdkWrite(t.qp, (PVOID)2, &sge, 1, memory_to(t.mb, 128),
                        t.mb->remote, NDK_OP_FLAG_INLINE | NDK_OP_FLAG_DEFER),
        STATUS_SUCCESS);
    assert_ntstatus(
        t.qp->Dispatch->NdkSend(t.qp, (PVOID)3, &sge, 1, NDK_OP_FLAG_INLINE), STATUS_SUCCESS);
    memset(text, 'x', sizeof text - 1);
    endpoint_expect_received(t.b, 1, sizeof text);
    assert_string_equal((char *)t.mb->p, "not registered, gone after the call");
    assert_string_equal((char *)t.mb->p + 128, "not registered, gone after the call");
    endpoint_expect_initiated(t.a, 2);
    endpoint_expect_initiated(t.a, 3);
    bench_close(&t);
}

static void silent_requests_say_nothing_when_they_succeed(void **state)
{
    struct bench t = bench_open(NULL, PAGE);

    (void)state;
    for (uintptr_t id = 0; id < 8; id++) {
        endpoint_receive(t.b, id, t.mb, 0, 8);
        endpoint_send(t.a, 100 + id, t.ma, 0, 8, id < 7 ? NDK_OP_FLAG_SILENT_SUCCESS : 0);
    }
    for (uintptr_t id = 0; id < 8; id++)
        endpoint_expect_received(t.b, id, 8);
    endpoint_expect_initiated(t.a, 107);
    endpoint_expect_no_initiated(t.a);
    bench_close(&t);
}

/* ---- one-sided ---- */

/* [NDKPI NDK_FN_WRITE] [NDKPI NDK_FN_READ] The peer's consumer sees nothing but the data. */
static void reads_and_writes_reach_the_octets_they_name(void **state)
{
    enum { N = 300000 };
    struct bench t = bench_open(NULL, N + 200);
    NDK_RESULT_EX r;

    (void)state;
    endpoint_write(t.a, 1, t.ma, 3, N, memory_to(t.mb, 100), t.mb->remote, 0);
    r = endpoint_expect_initiated(t.a, 1);
    assert_int_equal(r.Type, NdkOperationTypeWrite);
    /* A read of the same connection passes the write's data. */
    memset(t.ma->p + 3, 0, N);
    endpoint_read(t.a, 2, t.ma, 3, N, memory_to(t.mb, 100), t.mb->remote, 0);
    r = endpoint_expect_initiated(t.a, 2);
    assert_int_equal(r.Type, NdkOperationTypeRead);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(t.ma->p[3 + i], (uint8_t)((3 + i) * 31 + 1));
    assert_int_equal(t.mb->p[99], 0);
    assert_int_equal(t.mb->p[100 + N], 0);
    assert_memory_equal(t.mb->p + 100, t.ma->p + 3, N);
    endpoint_expect_no_received(t.b);
    bench_close(&t);
}

/* Requests complete in the order of posting, whatever they are. */
static void a_mixed_chain_completes_in_order(void **state)
{
    enum { ROUNDS = 3 };
    struct bench t = bench_open(NULL, 4 * PAGE);
    static const NDK_OPERATION_TYPE types[4] = {
        NdkOperationTypeRead, NdkOperationTypeWrite, NdkOperationTypeSend, NdkOperationTypeRead};
    uintptr_t id = 0;

    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const uint64_t to = memory_to(t.mb, PAGE);
        const ULONG d = NDK_OP_FLAG_DEFER, f = NDK_OP_FLAG_READ_FENCE;

        endpoint_receive(t.b, round, t.mb, 0, 16);
        endpoint_read(t.a, id++, t.ma, PAGE, PAGE, to, t.mb->remote, d);
        endpoint_write(t.a, id++, t.ma, 0, PAGE, to, t.mb->remote, d);
        endpoint_send(t.a, id++, t.ma, 0, 16, d | f);
        endpoint_read(t.a, id++, t.ma, 2 * PAGE, PAGE, to, t.mb->remote, 0);
        for (unsigned i = 0; i < 4; i++) {
            NDK_RESULT_EX r = endpoint_expect_initiated(t.a, id - 4 + i);

            assert_int_equal(r.Type, types[i]);
        }
        endpoint_expect_received(t.b, round, 16);
        assert_memory_equal(t.ma->p + 2 * PAGE, t.ma->p, PAGE);
    }
    bench_close(&t);
}

static void more_reads_than_the_limit_wait_their_turn(void **state)
{
    const struct endpoint_terms two = {.inbound = 2, .outbound = 2};
    const struct pair_how how = {.connect = &two, .accept = &two};
    struct bench t = bench_open(&how, 16 * 64);

    (void)state;
    fill(t.mb->p, t.mb->n, 99);
    for (uintptr_t id = 0; id < 12; id++)
        endpoint_read(t.a, id, t.ma, id * 64, 64, memory_to(t.mb, id * 64), t.mb->remote,
            id < 11 ? NDK_OP_FLAG_DEFER : 0);
    for (uintptr_t id = 0; id < 12; id++)
        endpoint_expect_initiated(t.a, id);
    assert_memory_equal(t.ma->p, t.mb->p, 12 * 64);
    bench_close(&t);
}

/* ---- the privileged token ---- */

/* [NDKPI NDK_FN_GET_PRIVILEGED_MEMORY_REGION_TOKEN] As a known consumer works: LAMs and merged
 * pages instead of regions, on both ends. */
static void memory_without_a_region_is_named_by_pages(void **state)
{
    enum { PAGES = 4, N = 3 * PAGE };
    struct bench t = bench_open(NULL, N);
    NDK_ADAPTER *adapter = t.c->adapter;
    uint8_t *p = aligned_alloc(PAGE, PAGES * PAGE);
    MDL *mdl = IoAllocateMdl(p + 10, N, FALSE, FALSE, NULL);
    union {
        NDK_LOGICAL_ADDRESS_MAPPING lam;
        uint8_t room[16 + 8 * PAGES];
    } map;
    ULONG size = sizeof map, fbo;
    NDK_SGE sge = {.Length = N};

    (void)state;
    MmBuildMdlForNonPagedPool(mdl);
    assert_ntstatus(
        adapter->Dispatch->NdkBuildLAM(adapter, mdl, N, NULL, NULL, &map.lam, &size, &fbo),
        STATUS_SUCCESS);
    t.c->pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(t.c->pd, &sge.MemoryRegionToken);
    sge.LogicalAddress.QuadPart = map.lam.AdapterPageArray[0].QuadPart + fbo;
    fill(p + 10, N, 7);
    endpoint_receive(t.b, 1, t.mb, 0, N);
    assert_ntstatus(t.qp->Dispatch->NdkSend(t.qp, (PVOID)2, &sge, 1, 0), STATUS_SUCCESS);
    endpoint_expect_received(t.b, 1, N);
    endpoint_expect_initiated(t.a, 2);
    assert_memory_equal(t.mb->p, p + 10, N);
    fill(t.mb->p, N, 9); /* and back, as the sink of a read and as a receive */
    assert_ntstatus(
        t.qp->Dispatch->NdkRead(t.qp, (PVOID)3, &sge, 1, memory_to(t.mb, 0), t.mb->remote, 0),
        STATUS_SUCCESS);
    endpoint_expect_initiated(t.a, 3);
    assert_memory_equal(t.mb->p, p + 10, N);
    fill(t.mb->p, N, 11);
    assert_ntstatus(t.qp->Dispatch->NdkReceive(t.qp, (PVOID)4, &sge, 1), STATUS_SUCCESS);
    endpoint_send(t.b, 5, t.mb, 0, N, 0);
    endpoint_expect_received(t.a, 4, N);
    endpoint_expect_initiated(t.b, 5);
    assert_memory_equal(t.mb->p, p + 10, N);
    adapter->Dispatch->NdkReleaseLAM(adapter, &map.lam);
    IoFreeMdl(mdl);
    free(p);
    bench_close(&t);
}

/* It never grants the peer anything. */
static void the_privileged_token_is_worth_nothing_to_the_peer(void **state)
{
    (void)state;
    for (unsigned is_read = 0; is_read < 2; is_read++) {
        struct bench t = bench_open(NULL, PAGE);
        uint64_t to = memory_to(t.mb, 0);
        UINT32 token;

        t.c->pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(t.c->pd, &token);
        endpoint_receive(t.b, 1, t.mb, 64, 8);
        if (is_read)
            endpoint_read(t.a, 2, t.ma, 0, 8, to, token, 0);
        else
            endpoint_write(t.a, 2, t.ma, 0, 8, to, token, 0);
        endpoint_wait_disconnected(t.b);
        assert_int_equal(t.mb->p[1], 0);
        assert_int_equal(t.ma->p[1], 32);
        assert_ntstatus(endpoint_wait_received(t.b).Status, STATUS_CANCELLED);
        bench_close(&t);
    }
}

/* ---- fast registration ---- */

struct frmr {
    struct consumer *c;
    NDK_MR *mr;
    uint8_t *p; /* pages, in the wrong order */
    NDK_LOGICAL_ADDRESS pages[3];
    uint64_t base;
    UINT32 token;
};

/* Three scattered pages as one region that begins 16 octets into the first. */
static struct frmr frmr_open(struct consumer *c)
{
    struct frmr f = {.c = c, .base = 0x7777000000000010};
    struct ndk_call *call = call_begin(c);

    f.p = aligned_alloc(PAGE, 5 * PAGE);
    memset(f.p, 0, 5 * PAGE);
    f.pages[0].QuadPart = (LONGLONG)(uintptr_t)(f.p + 4 * PAGE);
    f.pages[1].QuadPart = (LONGLONG)(uintptr_t)(f.p + 0 * PAGE);
    f.pages[2].QuadPart = (LONGLONG)(uintptr_t)(f.p + 2 * PAGE);
    assert_ntstatus(consumer_create_mr(c, c->pd, TRUE, &f.mr), STATUS_SUCCESS);
    assert_ntstatus(call_end(call, f.mr->Dispatch->NdkInitializeFastRegisterMr(
                                       f.mr, 16, TRUE, call_completed, call)),
        STATUS_SUCCESS);
    f.token = f.mr->Dispatch->NdkGetRemoteTokenFromMr(f.mr);
    return f;
}

enum { FRMR_OCTETS = 3 * PAGE - 16 };

static NTSTATUS frmr_register(struct frmr *f, NDK_QP *qp, uintptr_t id, ULONG flags)
{
    NDK_LOGICAL_ADDRESS list[3];
    NTSTATUS status;

    memcpy(list, f->pages, sizeof list);
    status = qp->Dispatch->NdkFastRegister(
        qp, (PVOID)id, f->mr, 3, list, 16, FRMR_OCTETS, (PVOID)(uintptr_t)f->base, flags);
    memset(list, 0, sizeof list); /* the list was read during the call */
    return status;
}

static void frmr_check(const struct frmr *f, const uint8_t *want)
{
    assert_memory_equal(f->p + 4 * PAGE + 16, want, PAGE - 16);
    assert_memory_equal(f->p, want + PAGE - 16, PAGE);
    assert_memory_equal(f->p + 2 * PAGE, want + 2 * PAGE - 16, PAGE);
    for (unsigned i = 0; i < PAGE; i++) {
        assert_int_equal(f->p[PAGE + i], 0);
        assert_int_equal(f->p[3 * PAGE + i], 0);
    }
}

static void frmr_close(struct frmr *f)
{
    consumer_close_object(f->c, &f->mr->Header);
    free(f->p);
}

enum { REMOTE_ALL = NDK_OP_FLAG_ALLOW_REMOTE_READ | NDK_OP_FLAG_ALLOW_REMOTE_WRITE };

/* [NDKPI NDK_FN_FAST_REGISTER] Scattered pages, an arbitrary label, many cycles with one token. */
static void scattered_pages_are_one_region(void **state)
{
    struct bench t = bench_open(NULL, 3 * PAGE);
    struct frmr f = frmr_open(t.c);
    NDK_RESULT_EX r;

    (void)state;
    for (unsigned cycle = 0; cycle < 4; cycle++) {
        fill(t.ma->p, FRMR_OCTETS, cycle);
        assert_ntstatus(frmr_register(&f, t.b->qp, 1, REMOTE_ALL), STATUS_SUCCESS);
        r = endpoint_expect_initiated(t.b, 1);
        assert_int_equal(r.Type, NdkOperationTypeFastRegister);
        assert_int_equal(f.mr->Dispatch->NdkGetRemoteTokenFromMr(f.mr), f.token);
        endpoint_write(t.a, 2, t.ma, 0, FRMR_OCTETS, f.base, f.token, 0);
        endpoint_expect_initiated(t.a, 2);
        memset(t.ma->p, 0, FRMR_OCTETS);
        endpoint_read(t.a, 3, t.ma, 0, FRMR_OCTETS, f.base, f.token, 0);
        endpoint_expect_initiated(t.a, 3);
        frmr_check(&f, t.ma->p);
        assert_int_equal(t.ma->p[100], (uint8_t)(100 * 31 + cycle));
        assert_ntstatus(
            t.b->qp->Dispatch->NdkInvalidate(t.b->qp, (PVOID)4, &f.mr->Header, 0), STATUS_SUCCESS);
        r = endpoint_expect_initiated(t.b, 4);
        assert_int_equal(r.Type, NdkOperationTypeInvalidate);
    }
    frmr_close(&f);
    bench_close(&t);
}

/* Fast register, fast register, send: deferred, with no wait in between. */
static void a_registration_is_usable_in_the_same_chain(void **state)
{
    struct bench t = bench_open(NULL, 3 * PAGE);
    struct frmr f = frmr_open(t.c), g = frmr_open(t.c);
    NDK_SGE local = {
        .Length = 64, .MemoryRegionToken = f.mr->Dispatch->NdkGetLocalTokenFromMr(f.mr)};

    (void)state;
    fill(f.p + 4 * PAGE + 16, 64, 5);
    endpoint_receive(t.b, 9, t.mb, 0, 64);
    assert_ntstatus(frmr_register(&f, t.qp, 1, REMOTE_ALL | NDK_OP_FLAG_DEFER), STATUS_SUCCESS);
    assert_ntstatus(frmr_register(&g, t.qp, 2, REMOTE_ALL | NDK_OP_FLAG_DEFER), STATUS_SUCCESS);
    local.VirtualAddress = (PVOID)(uintptr_t)f.base;
    assert_ntstatus(t.qp->Dispatch->NdkSend(t.qp, (PVOID)3, &local, 1, 0), STATUS_SUCCESS);
    endpoint_expect_received(t.b, 9, 64);
    for (uintptr_t id = 1; id <= 3; id++)
        endpoint_expect_initiated(t.a, id);
    assert_memory_equal(t.mb->p, f.p + 4 * PAGE + 16, 64);
    frmr_close(&f);
    frmr_close(&g);
    bench_close(&t);
}

/* ---- invalidation ---- */

/* [NDKPI NDK_FN_SEND_AND_INVALIDATE] Both ways to poll; the sender's completion is a send. */
static void the_peer_may_take_a_registration_back(void **state)
{
    struct bench t = bench_open(NULL, PAGE);
    struct frmr f = frmr_open(t.c);
    NDK_RESULT_EX r;

    (void)state;
    assert_ntstatus(frmr_register(&f, t.b->qp, 1, REMOTE_ALL), STATUS_SUCCESS);
    endpoint_expect_initiated(t.b, 1);
    endpoint_receive(t.b, 2, t.mb, 0, 64);
    endpoint_send_inv(t.a, 3, t.ma, 0, 10, 0, f.token);
    r = endpoint_expect_received(t.b, 2, 10);
    assert_int_equal(r.Type, NdkOperationTypeReceiveAndInvalidate);
    assert_int_equal(r.TypeSpecificCompletionOutput, f.token);
    r = endpoint_expect_initiated(t.a, 3);
    assert_int_equal(r.Type, NdkOperationTypeSend);
    /* It can be registered again without an invalidate of its own. */
    assert_ntstatus(frmr_register(&f, t.b->qp, 4, REMOTE_ALL), STATUS_SUCCESS);
    endpoint_expect_initiated(t.b, 4);
    endpoint_write(t.a, 5, t.ma, 0, 8, f.base, f.token, 0);
    endpoint_expect_initiated(t.a, 5);
    frmr_close(&f);
    bench_close(&t);
}

static void a_token_that_is_not_valid_ends_the_connection(void **state)
{
    struct bench t = bench_open(NULL, PAGE);

    (void)state;
    endpoint_receive(t.b, 2, t.mb, 0, 64);
    endpoint_send_inv(t.a, 3, t.ma, 0, 10, 0, t.mb->remote); /* of NdkRegisterMr */
    endpoint_wait_disconnected(t.b);
    endpoint_wait_disconnected(t.a);
    assert_ntfailure(endpoint_wait_received(t.b).Status);
    bench_close(&t);
}

static void invalidating_twice_is_an_error(void **state)
{
    struct bench t = bench_open(NULL, PAGE);
    struct frmr f = frmr_open(t.c);

    (void)state;
    assert_ntstatus(frmr_register(&f, t.qp, 1, REMOTE_ALL), STATUS_SUCCESS);
    endpoint_expect_initiated(t.a, 1);
    assert_ntstatus(
        t.qp->Dispatch->NdkInvalidate(t.qp, (PVOID)2, &f.mr->Header, 0), STATUS_SUCCESS);
    endpoint_expect_initiated(t.a, 2);
    endpoint_receive(t.b, 7, t.mb, 0, 8);
    assert_ntstatus(
        t.qp->Dispatch->NdkInvalidate(t.qp, (PVOID)3, &f.mr->Header, NDK_OP_FLAG_SILENT_SUCCESS),
        STATUS_SUCCESS);
    assert_ntstatus(endpoint_wait_initiated(t.a).Status, STATUS_INVALID_DEVICE_REQUEST);
    endpoint_wait_disconnected(t.b);
    assert_ntstatus(endpoint_wait_received(t.b).Status, STATUS_CANCELLED);
    frmr_close(&f);
    bench_close(&t);
}

/* [NDKPI NDK_FN_READ] Success takes back the region of the first entry. */
static void a_read_invalidates_its_sink(void **state)
{
    struct bench t = bench_open(NULL, PAGE);
    struct frmr f = frmr_open(t.c);
    NDK_SGE sge = {.Length = 64, .MemoryRegionToken = f.token};

    (void)state;
    fill(t.mb->p, 64, 77);
    assert_ntstatus(frmr_register(&f, t.qp, 1, NDK_OP_FLAG_ALLOW_LOCAL_WRITE), STATUS_SUCCESS);
    endpoint_expect_initiated(t.a, 1);
    sge.VirtualAddress = (PVOID)(uintptr_t)f.base;
    assert_ntstatus(t.qp->Dispatch->NdkRead(t.qp, (PVOID)2, &sge, 1, memory_to(t.mb, 0),
                        t.mb->remote, NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE),
        STATUS_SUCCESS);
    endpoint_expect_initiated(t.a, 2);
    assert_memory_equal(f.p + 4 * PAGE + 16, t.mb->p, 64);
    assert_ntstatus(frmr_register(&f, t.qp, 3, NDK_OP_FLAG_ALLOW_LOCAL_WRITE), STATUS_SUCCESS);
    endpoint_expect_initiated(t.a, 3); /* it was free */
    frmr_close(&f);
    bench_close(&t);
}

/* ---- windows ---- */

/* [NDKPI NDK_FN_BIND] The window's rights count, not the region's. */
static void a_window_gives_its_own_rights_to_its_own_range(void **state)
{
    static const struct {
        ULONG rights;
        bool is_write, is_outside, may;
    } cases[] = {
        {NDK_OP_FLAG_ALLOW_REMOTE_WRITE, true, false, true},
        {NDK_OP_FLAG_ALLOW_REMOTE_WRITE, false, false, false},
        {NDK_OP_FLAG_ALLOW_REMOTE_READ, false, false, true},
        {NDK_OP_FLAG_ALLOW_REMOTE_READ, true, false, false},
        {REMOTE_ALL, true, true, false},
        {REMOTE_ALL, false, true, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench t = bench_open(NULL, PAGE);
        NDK_RESULT_EX r;
        NDK_MW *mw;
        UINT32 token;
        uint64_t to = memory_to(t.mb, 100 + cases[i].is_outside);

        assert_ntstatus(consumer_create_mw(t.c, t.c->pd, &mw), STATUS_SUCCESS);
        assert_ntstatus(t.b->qp->Dispatch->NdkBind(
                            t.b->qp, (PVOID)1, t.mb->mr, mw, t.mb->p + 100, 8, cases[i].rights),
            STATUS_SUCCESS);
        token = mw->Dispatch->NdkGetRemoteTokenFromMw(mw);
        r = endpoint_expect_initiated(t.b, 1);
        assert_int_equal(r.Type, NdkOperationTypeBind);
        endpoint_receive(t.b, 2, t.mb, 200, 8);
        if (cases[i].is_write)
            endpoint_write(t.a, 3, t.ma, 0, 8, to, token, NDK_OP_FLAG_DEFER);
        else
            endpoint_read(t.a, 3, t.ma, 0, 8, to, token, NDK_OP_FLAG_DEFER);
        endpoint_send(t.a, 4, t.ma, 0, 8, NDK_OP_FLAG_READ_FENCE);
        r = endpoint_wait_received(t.b);
        assert_ntstatus(r.Status, cases[i].may ? STATUS_SUCCESS : STATUS_CANCELLED);
        if (cases[i].may) {
            endpoint_expect_initiated(t.a, 3);
            endpoint_expect_initiated(t.a, 4);
            assert_memory_equal(t.ma->p, t.mb->p + 100, 8);
        } else {
            assert_int_equal(t.mb->p[101], 0);
            endpoint_wait_disconnected(t.a);
        }
        consumer_close_object(t.c, &mw->Header);
        bench_close(&t);
    }
}

/* ---- errors ---- */

/* The requester learns why; everything else of both sides is cancelled. */
static void an_access_that_is_not_granted_ends_the_connection(void **state)
{
    (void)state;
    for (unsigned is_read = 0; is_read < 2; is_read++) {
        struct bench t = bench_open(NULL, PAGE);
        struct memory *closed = memory_open(t.c, NULL, PAGE, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
        NDK_RESULT_EX r;

        endpoint_receive(t.b, 1, t.mb, 0, 8);
        endpoint_receive(t.a, 2, t.ma, 0, 8);
        if (is_read) {
            endpoint_read(t.a, 3, t.ma, 0, 8, memory_to(closed, 0), closed->remote, 0);
            r = endpoint_wait_initiated(t.a);
            assert_ntstatus(r.Status, STATUS_ACCESS_VIOLATION);
            assert_int_not_equal(r.ProviderErrorCode, 0);
        } else {
            /* The write may be out before it is refused; what follows is not. */
            endpoint_write(t.a, 3, t.ma, 0, 8, memory_to(closed, 0), closed->remote, 0);
            endpoint_wait_initiated(t.a);
        }
        endpoint_wait_disconnected(t.a);
        endpoint_wait_disconnected(t.b);
        r = endpoint_wait_received(t.b);
        assert_ntstatus(r.Status, STATUS_CANCELLED);
        r = endpoint_wait_received(t.a);
        assert_ntstatus(r.Status, STATUS_CANCELLED);
        assert_int_equal(closed->p[1], 0);
        memory_close(closed);
        bench_close(&t);
    }
}

static void a_local_token_that_is_not_valid_is_found_at_home(void **state)
{
    struct bench t = bench_open(NULL, PAGE);
    NDK_SGE sge = memory_sge(t.ma, 0, 8);

    (void)state;
    sge.MemoryRegionToken ^= 1;
    assert_ntstatus(t.qp->Dispatch->NdkSend(t.qp, (PVOID)1, &sge, 1, 0), STATUS_SUCCESS);
    assert_ntstatus(endpoint_wait_initiated(t.a).Status, STATUS_ACCESS_VIOLATION);
    endpoint_wait_disconnected(t.b);
    bench_close(&t);
}

static void a_message_longer_than_its_receive_fails_on_both_sides(void **state)
{
    struct bench t = bench_open(NULL, PAGE);
    NDK_RESULT_EX r;

    (void)state;
    endpoint_receive(t.b, 1, t.mb, 0, 9);
    endpoint_receive(t.b, 2, t.mb, 100, 9);
    endpoint_send(t.a, 3, t.ma, 0, 10, 0);
    r = endpoint_wait_received(t.b);
    assert_ntstatus(r.Status, STATUS_BUFFER_OVERFLOW);
    assert_int_equal((uintptr_t)r.RequestContext, 1);
    r = endpoint_wait_received(t.b);
    assert_ntstatus(r.Status, STATUS_CANCELLED);
    assert_int_equal(t.mb->p[9], 0);
    endpoint_wait_disconnected(t.a);
    bench_close(&t);
}

/* Consumers post receives after they are connected: the first message waits for them. */
static void a_send_waits_for_its_receive_for_a_while(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct pair_how how = {.options = &o};
    struct bench t = bench_open(NULL, PAGE);

    (void)state;
    endpoint_send(t.a, 1, t.ma, 0, 10, 0);
    endpoint_send(t.a, 2, t.ma, 10, 10, 0);
    endpoint_receive(t.b, 3, t.mb, 0, 16);
    endpoint_expect_received(t.b, 3, 10);
    endpoint_receive(t.b, 4, t.mb, 100, 16);
    endpoint_expect_received(t.b, 4, 10);
    assert_memory_equal(t.mb->p + 100, t.ma->p + 10, 10);
    bench_close(&t);
    o.ReceiveWaitMs = 50; /* and then it gives up */
    t = bench_open(&how, PAGE);
    endpoint_send(t.a, 1, t.ma, 0, 10, 0);
    endpoint_wait_disconnected(t.a);
    endpoint_wait_disconnected(t.b);
    bench_close(&t);
}

/* [NDKPI NDK_FN_FLUSH] Everything reports, silent requests too, then nothing more comes. */
static void a_flush_cancels_what_is_pending(void **state)
{
    struct bench t = bench_open(NULL, PAGE);

    (void)state;
    for (uintptr_t id = 0; id < 4; id++)
        endpoint_receive(t.a, id, t.ma, 0, 8);
    for (uintptr_t id = 10; id < 14; id++)
        endpoint_send(
            t.a, id, t.ma, 0, 8, NDK_OP_FLAG_DEFER | (id % 2 ? NDK_OP_FLAG_SILENT_SUCCESS : 0));
    t.qp->Dispatch->NdkFlush(t.qp);
    for (uintptr_t id = 0; id < 4; id++) {
        NDK_RESULT_EX r = endpoint_wait_received(t.a);

        assert_ntstatus(r.Status, STATUS_CANCELLED);
        assert_int_equal((uintptr_t)r.RequestContext, id);
    }
    for (uintptr_t id = 10; id < 14; id++) {
        NDK_RESULT_EX r = endpoint_wait_initiated(t.a);

        assert_int_equal((uintptr_t)r.RequestContext, id);
        assert_ntstatus(r.Status, STATUS_CANCELLED);
    }
    assert_ntstatus(t.qp->Dispatch->NdkSend(t.qp, NULL, NULL, 0, 0), STATUS_CONNECTION_INVALID);
    endpoint_expect_no_initiated(t.a);
    bench_close(&t);
}

/* Closing a connected queue pair first: it waits for its connector, and cancels at once. */
static void a_queue_pair_may_be_closed_before_its_connector(void **state)
{
    struct bench t = bench_open(NULL, PAGE);
    struct ndk_call *closing = call_begin(t.c);
    NDK_RESULT_EX r;

    (void)state;
    endpoint_receive(t.a, 1, t.ma, 0, 8);
    call_started(closing, t.qp->Dispatch->NdkCloseQp(&t.qp->Header, call_closed, closing));
    assert_false(call_is_done(closing));
    r = endpoint_wait_received(t.a);
    assert_ntstatus(r.Status, STATUS_CANCELLED);
    endpoint_wait_disconnected(t.b);
    endpoint_close_connector(t.a);
    assert_ntstatus(call_wait(closing), STATUS_SUCCESS);
    t.c->objects--;
    t.a->qp = NULL;
    consumer_close_object(t.c, &t.a->receive_cq->Header);
    consumer_close_object(t.c, &t.a->initiator_cq->Header);
    free(t.a->events);
    free(t.a);
    endpoint_close(t.b);
    acceptor_close(t.p.a);
    memory_close(t.ma);
    memory_close(t.mb);
    consumer_close(t.c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_all_sizes_arrive),
        cmocka_unit_test(nothing_at_all_can_be_sent),
        cmocka_unit_test(lists_gather_and_scatter_in_order),
        cmocka_unit_test(inline_data_may_be_reused_at_once),
        cmocka_unit_test(silent_requests_say_nothing_when_they_succeed),
        cmocka_unit_test(reads_and_writes_reach_the_octets_they_name),
        cmocka_unit_test(a_mixed_chain_completes_in_order),
        cmocka_unit_test(more_reads_than_the_limit_wait_their_turn),
        cmocka_unit_test(memory_without_a_region_is_named_by_pages),
        cmocka_unit_test(the_privileged_token_is_worth_nothing_to_the_peer),
        cmocka_unit_test(scattered_pages_are_one_region),
        cmocka_unit_test(a_registration_is_usable_in_the_same_chain),
        cmocka_unit_test(the_peer_may_take_a_registration_back),
        cmocka_unit_test(a_token_that_is_not_valid_ends_the_connection),
        cmocka_unit_test(invalidating_twice_is_an_error),
        cmocka_unit_test(a_read_invalidates_its_sink),
        cmocka_unit_test(a_window_gives_its_own_rights_to_its_own_range),
        cmocka_unit_test(an_access_that_is_not_granted_ends_the_connection),
        cmocka_unit_test(a_local_token_that_is_not_valid_is_found_at_home),
        cmocka_unit_test(a_message_longer_than_its_receive_fails_on_both_sides),
        cmocka_unit_test(a_send_waits_for_its_receive_for_a_while),
        cmocka_unit_test(a_flush_cancels_what_is_pending),
        cmocka_unit_test(a_queue_pair_may_be_closed_before_its_connector),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
