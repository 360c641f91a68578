/* SPDX-License-Identifier: MIT */
/* Posting: every operation moves what it should, every refusal says why and posts nothing. */
#include "unit/rnic/pair.h"

#define CTX(n) ((void *)(uintptr_t)(n))

static void fill(uint8_t *p, size_t n, uint8_t seed)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(seed + i * 7);
}

static void send_and_receive(void **state)
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct pair p;
    struct iw_sge to[2], from[2];
    struct rnic_cqe e;

    (void)state;
    pair_open(&p, &mpa, false);
    to[0] = sge(&p.b, 0, 100);
    to[1] = sge(&p.b, 5000, 70000);
    assert_int_equal(rnic_qp_receive(p.b.qp, CTX(1), to, 2), SN_OK);
    fill(p.a.memory, 1000, 3);
    from[0] = sge(&p.a, 0, 300);
    from[1] = sge(&p.a, 600, 400);
    assert_int_equal(rnic_qp_send(p.a.qp, CTX(2), from, 2, 0, 0), SN_OK);
    expect(&p.a, 2, SN_OK);
    e = next(&p.b);
    assert_int_equal(e.op, RNIC_CQE_RECEIVE);
    assert_int_equal(e.len, 700);
    assert_memory_equal(p.b.memory, p.a.memory, 100);
    assert_memory_equal(p.b.memory + 5000, p.a.memory + 100, 200);
    assert_memory_equal(p.b.memory + 5200, p.a.memory + 600, 400);
    pair_close(&p);
}

static void write_read_back(void **state)
{
    static const uint32_t sizes[] = {0, 1, 3, 64, 512, 513, 1428, 4096, 65536, 300001};
    const struct iw_mpa_result mpa = pair_mpa();

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(sizes); i++) {
        struct pair p;
        struct iw_sge from, sink;
        uint64_t remote;

        pair_open(&p, &mpa, false);
        remote = (uintptr_t)p.b.memory + 77;
        fill(p.a.memory, sizes[i], (uint8_t)i);
        from = sge(&p.a, 0, sizes[i]);
        sink = sge(&p.a, 500000, sizes[i]);
        assert_int_equal(
            rnic_qp_write(p.a.qp, CTX(1), &from, 1, remote, p.b.stag, IW_WR_SILENT), SN_OK);
        assert_int_equal(rnic_qp_read(p.a.qp, CTX(2), &sink, 1, remote, p.b.stag, 0), SN_OK);
        expect(&p.a, 2, SN_OK);
        assert_memory_equal(p.b.memory + 77, p.a.memory, sizes[i]);
        assert_memory_equal(p.a.memory + 500000, p.a.memory, sizes[i]);
        expect_nothing(&p.b); /* the target sees nothing [RDM-015] */
        pair_close(&p);
    }
}

static void inline_data_is_read_during_the_call(void **state)
{
    const struct iw_mpa_result mpa = pair_mpa();
    char text[] = "taken at once";
    struct pair p;
    struct iw_sge to, from = {.addr = (uintptr_t)text, .len = sizeof text, .stag = 0xdead};

    (void)state;
    pair_open(&p, &mpa, false);
    to = sge(&p.b, 0, 64);
    assert_int_equal(rnic_qp_receive(p.b.qp, CTX(1), &to, 1), SN_OK);
    assert_int_equal(
        rnic_qp_send(p.a.qp, CTX(2), &from, 1, IW_WR_INLINE | RNIC_POST_DEFER, 0), SN_OK);
    memset(text, 'x', sizeof text);
    rnic_qp_kick(p.a.qp);
    expect(&p.a, 2, SN_OK);
    expect(&p.b, 1, SN_OK);
    assert_string_equal((char *)p.b.memory, "taken at once");
    pair_close(&p);
}

/* A refused request yields no completion and starts what was deferred. [NDKPI deferred-processing]
 */
static void refusals(void **state)
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct iw_sge five[5];
    struct pair p;
    struct rnic_qp *idle;
    struct rnic_qp_attr attr = {.recv_depth = 1, .send_depth = 1, .send_sge_max = 1};

    (void)state;
    pair_open(&p, &mpa, false);
    attr.recv_cq = attr.send_cq = p.a.cq;
    assert_int_equal(rnic_qp_create(p.pd, &attr, &idle), SN_OK);
    for (int i = 0; i < 5; i++)
        five[i] = sge(&p.a, 0, 300);
    assert_int_equal(rnic_qp_send(idle, CTX(1), five, 1, 0, 0), SN_NOT_CONNECTED);
    assert_int_equal(rnic_qp_read(idle, CTX(1), five, 1, 0, 0, 0), SN_NOT_CONNECTED);
    assert_int_equal(rnic_qp_invalidate(idle, CTX(1), &p.a.mr->obj, 0), SN_NOT_CONNECTED);
    assert_int_equal(rnic_qp_receive(idle, CTX(1), five, 1), SN_LIMIT);
    assert_int_equal(rnic_qp_receive(idle, CTX(1), NULL, 0), SN_OK);
    assert_int_equal(rnic_qp_receive(idle, CTX(1), NULL, 0), SN_QUEUE_FULL);
    assert_int_equal(rnic_qp_send(p.a.qp, CTX(1), five, 5, 0, 0), SN_LIMIT);
    assert_int_equal(rnic_qp_send(p.a.qp, CTX(1), five, 1, IW_WR_INLINE, 0), SN_LIMIT);
    five[0].len = RNIC_TRANSFER_MAX;
    assert_int_equal(rnic_qp_send(p.a.qp, CTX(1), five, 2, 0, 0), SN_LIMIT);
    assert_int_equal(rnic_qp_receive(p.a.qp, CTX(1), five, 2), SN_LIMIT);
    assert_int_equal(rnic_qp_invalidate(p.a.qp, CTX(1), &p.pd->obj, 0), SN_INVALID);
    expect_nothing(&p.a);

    assert_int_equal(rnic_qp_write(p.a.qp, CTX(7), NULL, 0, 0, 0, RNIC_POST_DEFER), SN_OK);
    assert_int_equal(rnic_qp_send(p.a.qp, CTX(1), five, 5, 0, 0), SN_LIMIT);
    expect(&p.a, 7, SN_OK);
    expect_nothing(&p.a);
    close_any(&idle->obj);
    assert_int_equal((uintptr_t)next(&p.a).context, 1); /* the receive of the idle one */
    pair_close(&p);
}

static void no_read_without_ord(void **state)
{
    struct iw_mpa_result mpa = pair_mpa();
    struct iw_sge sink;
    struct pair p;

    (void)state;
    mpa.ord = 0;
    pair_open(&p, &mpa, false);
    sink = sge(&p.a, 0, 8);
    assert_int_equal(rnic_qp_read(p.a.qp, CTX(1), &sink, 1, 0, 0, 0), SN_INVALID);
    pair_close(&p);
}

static void queue_full_until_completed(void **state)
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct pair p;

    (void)state;
    pair_open(&p, &mpa, false);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < PAIR_DEPTH; i++)
            assert_int_equal(
                rnic_qp_write(p.a.qp, CTX(i + 1), NULL, 0, 0, 0, RNIC_POST_DEFER), SN_OK);
        assert_int_equal(rnic_qp_write(p.a.qp, CTX(99), NULL, 0, 0, 0, 0), SN_QUEUE_FULL);
        for (uint32_t i = 0; i < PAIR_DEPTH; i++) /* the refusal kicked them [VRB-048] */
            expect(&p.a, i + 1, SN_OK);
    }
    pair_close(&p);
}

/* FastRegister, Send with its STag, chained without a wait [VRB-027]; the peer writes, then
 * invalidates remotely [VRB-034]. */
static void fast_register_chain(void **state)
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct pair p;
    struct rnic_mr *frmr;
    uint64_t pages[2];
    struct iw_sge s, to;
    struct rnic_cqe e;
    uint8_t *buffer = aligned_alloc(4096, 2 * 4096);
    struct mem_fast_reg args = {.pages = pages,
        .pages_count = 2,
        .fbo = 16,
        .len = 5000,
        .base = 0x7770010,
        .rights = MEM_LOCAL_WRITE | MEM_REMOTE_WRITE};

    (void)state;
    assert_non_null(buffer);
    memset(buffer, 0, 2 * 4096);
    pages[0] = (uintptr_t)buffer + 4096; /* scattered on purpose */
    pages[1] = (uintptr_t)buffer;
    pair_open(&p, &mpa, false);
    assert_int_equal(rnic_mr_create(p.pd, true, &frmr), SN_OK);
    assert_int_equal(rnic_qp_fast_register(p.a.qp, CTX(1), frmr, &args, 0), SN_BAD_STATE);
    assert_int_equal(rnic_mr_fast_init(frmr, 2, true), SN_OK);
    to = sge(&p.b, 0, 64);
    assert_int_equal(rnic_qp_receive(p.b.qp, CTX(50), &to, 1), SN_OK);
    to = sge(&p.a, 0, 64);
    assert_int_equal(rnic_qp_receive(p.a.qp, CTX(60), &to, 1), SN_OK);
    assert_int_equal(
        rnic_qp_fast_register(p.a.qp, CTX(1), frmr, &args, RNIC_POST_DEFER | IW_WR_SILENT), SN_OK);
    memset(pages, 0, sizeof pages); /* the list was the call's only */
    s = (struct iw_sge){.addr = args.base, .len = 8, .stag = rnic_mr_stag(frmr)};
    assert_int_equal(rnic_qp_send(p.a.qp, CTX(2), &s, 1, 0, 0), SN_OK);
    expect(&p.a, 2, SN_OK);
    expect(&p.b, 50, SN_OK);

    fill(p.b.memory, 5000, 9);
    s = sge(&p.b, 0, 5000);
    assert_int_equal(rnic_qp_write(p.b.qp, CTX(51), &s, 1, args.base, rnic_mr_stag(frmr),
                         RNIC_POST_DEFER | IW_WR_SILENT),
        SN_OK);
    assert_int_equal(
        rnic_qp_send(p.b.qp, CTX(52), NULL, 0, IW_WR_INVALIDATE, rnic_mr_stag(frmr)), SN_OK);
    expect(&p.b, 52, SN_OK);
    e = next(&p.a);
    assert_int_equal((uintptr_t)e.context, 60);
    assert_true(e.has_invalidated);
    assert_int_equal(e.stag, rnic_mr_stag(frmr));
    assert_memory_equal(buffer + 4096 + 16, p.b.memory, 4096 - 16);
    assert_memory_equal(buffer, p.b.memory + 4096 - 16, 5000 - 4096 + 16);

    /* invalid by now: a second invalidate completes with an error and ends the connection */
    assert_int_equal(rnic_qp_invalidate(p.a.qp, CTX(3), &frmr->obj, 0), SN_OK);
    expect(&p.a, 3, SN_BAD_REQUEST);
    assert_int_equal(rnic_qp_invalidate(p.a.qp, CTX(4), &frmr->obj, 0), SN_NOT_CONNECTED);
    close_any(&frmr->obj);
    pair_close(&p);
    free(buffer);
}

static void windows(void **state)
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct pair p;
    struct rnic_mw *mw;
    struct iw_sge s;
    struct tally mr_closed = {0};
    uint64_t base;

    (void)state;
    pair_open(&p, &mpa, false);
    pair_await_connected(&p);
    base = (uintptr_t)p.b.memory + 100;
    assert_int_equal(rnic_mw_create(p.pd, &mw), SN_OK);
    assert_int_equal(rnic_mw_stag(mw), 0);
    assert_int_equal(
        rnic_qp_bind(p.b.qp, CTX(1), p.b.mr, mw, base, PAIR_MEMORY, MEM_REMOTE_WRITE, 0),
        SN_INVALID);
    assert_int_equal(
        rnic_qp_bind(p.b.qp, CTX(1), p.b.mr, mw, base, 50, MEM_REMOTE_WRITE, 0), SN_OK);
    expect(&p.b, 1, SN_OK);
    fill(p.a.memory, 50, 1);
    s = sge(&p.a, 0, 50);
    assert_int_equal(
        rnic_qp_write(p.a.qp, CTX(2), &s, 1, base, rnic_mw_stag(mw), IW_WR_SILENT), SN_OK);
    assert_int_equal(rnic_qp_read(p.a.qp, CTX(3), NULL, 0, 0, 0, 0), SN_OK);
    expect(&p.a, 3, SN_OK);
    assert_memory_equal(p.b.memory + 100, p.a.memory, 50);

    /* the MR is the window's antecedent until the window is invalidated */
    assert_int_equal(rnic_obj_close(&p.b.mr->obj, tally_done(&mr_closed)), SN_PENDING);
    nap_ms(10);
    assert_int_equal(sn_a32_load_acquire(&mr_closed.calls), 0);
    assert_int_equal(rnic_qp_invalidate(p.b.qp, CTX(4), &mw->obj, 0), SN_OK);
    expect(&p.b, 4, SN_OK);
    await_count(&mr_closed.calls, 1);
    close_any(&mw->obj);
    assert_int_equal(rnic_mr_create(p.pd, false, &p.b.mr), SN_OK); /* for pair_close */
    pair_close(&p);
}

/* A region or window that is closed while a request names it goes when that one is executed, or
 * flushed. [NDKPI object-lifetime] */
static void requests_hold_what_they_name(void **state)
{
    const struct iw_mpa_result mpa = pair_mpa();

    (void)state;
    for (int is_flushed = 0; is_flushed < 2; is_flushed++) {
        struct mem_fast_reg args = {
            .pages_count = 1, .len = MEM_PAGE_SIZE, .rights = MEM_LOCAL_READ};
        uint8_t *page = aligned_alloc(MEM_PAGE_SIZE, MEM_PAGE_SIZE);
        const uint64_t pages[1] = {(uintptr_t)page};
        struct tally closed[3] = {{{0}, {0}}};
        struct rnic_mr *registered, *invalidated;
        struct rnic_mw *mw;
        struct pair p;

        assert_non_null(page);
        args.pages = pages;
        pair_open(&p, &mpa, false);
        assert_int_equal(rnic_mr_create(p.pd, true, &registered), SN_OK);
        assert_int_equal(rnic_mr_create(p.pd, true, &invalidated), SN_OK);
        assert_int_equal(rnic_mw_create(p.pd, &mw), SN_OK);
        assert_int_equal(rnic_mr_fast_init(registered, 1, false), SN_OK);
        assert_int_equal(rnic_mr_fast_init(invalidated, 1, false), SN_OK);
        assert_int_equal(
            rnic_qp_fast_register(p.a.qp, CTX(1), invalidated, &args, RNIC_POST_DEFER), SN_OK);
        assert_int_equal(
            rnic_qp_fast_register(p.a.qp, CTX(2), registered, &args, RNIC_POST_DEFER), SN_OK);
        assert_int_equal(rnic_qp_bind(p.a.qp, CTX(3), p.a.mr, mw, (uintptr_t)p.a.memory, 8,
                             MEM_REMOTE_READ, RNIC_POST_DEFER),
            SN_OK);
        assert_int_equal(
            rnic_qp_invalidate(p.a.qp, CTX(4), &invalidated->obj, RNIC_POST_DEFER), SN_OK);
        assert_int_equal(rnic_obj_close(&registered->obj, tally_done(&closed[0])), SN_PENDING);
        assert_int_equal(rnic_obj_close(&mw->obj, tally_done(&closed[1])), SN_PENDING);
        assert_int_equal(rnic_obj_close(&invalidated->obj, tally_done(&closed[2])), SN_PENDING);
        nap_ms(10);
        for (int i = 0; i < 3; i++)
            assert_int_equal(sn_a32_load_acquire(&closed[i].calls), 0);
        if (is_flushed)
            rnic_qp_flush(p.a.qp);
        else
            rnic_qp_kick(p.a.qp);
        for (uintptr_t i = 1; i <= 4; i++)
            expect(&p.a, i, is_flushed ? SN_CANCELLED : SN_OK);
        for (int i = 0; i < 3; i++)
            await_count(&closed[i].calls, 1);
        pair_close(&p);
        free(page);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(send_and_receive),
        cmocka_unit_test(write_read_back),
        cmocka_unit_test(inline_data_is_read_during_the_call),
        cmocka_unit_test(refusals),
        cmocka_unit_test(no_read_without_ord),
        cmocka_unit_test(queue_full_until_completed),
        cmocka_unit_test(fast_register_chain),
        cmocka_unit_test(windows),
        cmocka_unit_test(requests_hold_what_they_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
