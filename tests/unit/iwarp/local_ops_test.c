/* SPDX-License-Identifier: MIT */
/* Fast-register, bind, invalidate: in their turn, once, before any later request. [VRB-027] */
#include "unit/iwarp/stream_pair.h"

enum { REG = 10, INV = 20, SEND = 30 };

struct bench {
    struct stream_pair *p;
    struct sp_end *e;
    struct mem_region *fast, *mr, *window;
    uint8_t *page;
    uint64_t pages[1];
    size_t released;
};

static void released(struct iw_wr *wr)
{
    ++*(size_t *)wr->local.fast.release_ctx;
}

static void bench_init(struct bench *b)
{
    static const struct sp_options plain = {0};

    memset(b, 0, sizeof(*b));
    b->p = sp_create_free(&plain);
    b->e = &b->p->a;
    b->page = aligned_alloc(MEM_PAGE_SIZE, MEM_PAGE_SIZE);
    assert_non_null(b->page);
    b->pages[0] = (uintptr_t)b->page;
    b->fast = sp_new_region(b->p, b->e, MEM_KIND_FAST_MR);
    b->mr = sp_region(b->p, b->e, 0, 4096, MEM_LOCAL_READ | MEM_LOCAL_WRITE);
    b->window = sp_new_region(b->p, b->e, MEM_KIND_WINDOW);
    assert_int_equal(mem_fast_init(&b->p->mem, b->fast, 1, true), SN_OK);
}

static void bench_fini(struct bench *b)
{
    sp_destroy(b->p);
    free(b->page);
}

static void post_register_of(struct bench *b, uintptr_t id, uint8_t flags, const uint64_t *pages)
{
    const struct iw_wr wr = {.context = (void *)id,
        .op = IW_OP_FAST_REGISTER,
        .flags = flags,
        .local.fast = {.region = b->fast,
            .args = {.pages = pages,
                .pages_count = 1,
                .len = MEM_PAGE_SIZE,
                .rights = MEM_LOCAL_READ | MEM_LOCAL_WRITE},
            .release = released,
            .release_ctx = &b->released}};

    sp_post(b->e, &wr, NULL, 0);
}

static void post_register(struct bench *b, uintptr_t id, uint8_t flags)
{
    post_register_of(b, id, flags, b->pages);
}

static void post_bind(struct bench *b, uintptr_t id)
{
    const struct iw_wr wr = {.context = (void *)id,
        .op = IW_OP_BIND,
        .local.bind = {.window = b->window,
            .args = {.mr = b->mr,
                .base = 100,
                .len = 50,
                .rights = MEM_REMOTE_READ,
                .stag = mem_window_next_stag(&b->p->mem, b->window)}}};

    sp_post(b->e, &wr, NULL, 0);
}

static void expect_done(const struct bench *b, const uintptr_t *ids, size_t n)
{
    assert_int_equal(b->e->dones, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(b->e->done[i].id, ids[i]);
        assert_int_equal(b->e->done[i].status, SN_OK);
    }
}

static void transmit_all(struct bench *b)
{
    while (iw_tx_has_work(&b->e->stream))
        (void)sp_transmit(b->p, b->e);
}

/* Registered, used and invalidated in one chain. Every later request sees what an earlier one did.
 * They complete with nothing on the wire, too. */
static void one_chain(void **state)
{
    static const uintptr_t ids[] = {REG, SEND, INV, REG + 1, SEND + 1, INV + 1};
    struct bench b;

    (void)state;
    bench_init(&b);
    post_register(&b, REG, 0);
    sp_send(b.e, SEND, 0, 0, sp_sge(b.fast, 0, 4000)); /* by reference */
    sp_invalidate(b.e, INV, 0, b.fast);
    post_register(&b, REG + 1, 0);
    sp_send(b.e, SEND + 1, 0, 0, sp_sge(b.fast, 0, 8));
    sp_invalidate(b.e, INV + 1, 0, b.fast);
    /* The invalidate waits until TCP has the Send. */
    assert_true(iw_tx_gather(&b.e->stream, b.e->batch) > 0);
    assert_true(mem_region_is_valid(b.fast));
    assert_int_equal(b.e->dones, 1);
    assert_true(iw_tx_sent(&b.e->stream, b.e->batch, b.e->batch->octets));
    assert_true(iw_tx_has_work(&b.e->stream));
    transmit_all(&b);
    expect_done(&b, ids, 6);
    assert_false(mem_region_is_valid(b.fast));
    assert_int_equal(b.released, 2);
    bench_fini(&b);
}

static void nothing_on_the_wire(void **state)
{
    static const uintptr_t ids[] = {REG, REG + 2};
    struct bench b;

    (void)state;
    bench_init(&b);
    post_register(&b, REG, 0);
    sp_invalidate(b.e, INV, IW_WR_SILENT, b.fast);
    post_bind(&b, REG + 2);
    assert_true(iw_tx_has_work(&b.e->stream));
    assert_int_equal(iw_tx_gather(&b.e->stream, b.e->batch), 0);
    expect_done(&b, ids, 2);
    assert_true(mem_region_is_valid(b.window));
    assert_int_equal(b.window->qp, b.e->who.qp);
    assert_true(iw_is_idle(&b.e->stream));
    bench_fini(&b);
}

/*
 * What TCP did not take is laid out again, from the same memory: a small Send that was only copied
 * into the batch holds up the invalidation of its region as a large one does. Else it would find
 * the region invalid, or registered anew over other memory.
 */
static void invalidate_waits_for_tcp(void **state)
{
    static const uintptr_t ids[] = {REG, SEND, INV, REG + 1};
    uint8_t *other = aligned_alloc(MEM_PAGE_SIZE, MEM_PAGE_SIZE);
    const uint64_t other_pages[1] = {(uintptr_t)other};
    const uint8_t *sent;
    struct bench b;

    (void)state;
    bench_init(&b);
    assert_non_null(other);
    memset(b.page, 0xA1, MEM_PAGE_SIZE);
    memset(other, 0xB2, MEM_PAGE_SIZE);
    post_register(&b, REG, 0);
    sp_send(b.e, SEND, 0, 0, sp_sge(b.fast, 0, 8));
    sp_invalidate(b.e, INV, 0, b.fast);
    post_register_of(&b, REG + 1, 0, other_pages);
    assert_true(iw_tx_gather(&b.e->stream, b.e->batch) > 0);
    for (int i = 0; i < 3; i++) {
        assert_true(iw_tx_sent(&b.e->stream, b.e->batch, 0));
        assert_true(iw_tx_gather(&b.e->stream, b.e->batch) > 0);
        assert_int_equal(iw_stream_state(&b.e->stream), IW_OPEN);
    }
    sent = b.e->batch->span[0].p + MPA_LEN_FIELD + DDP_UNTAGGED_LEN;
    assert_int_equal(sent[0], 0xA1);
    assert_true(iw_tx_sent(&b.e->stream, b.e->batch, b.e->batch->octets));
    (void)sp_transmit(b.p, b.e);
    expect_done(&b, ids, 4);
    bench_fini(&b);
    free(other);
}

/* A batch that TCP did not take comes again; the operations in it do not. Their slots may have been
 * used anew by then. */
static void executed_once(void **state)
{
    struct bench b;

    (void)state;
    for (size_t write_max = 0; write_max < 60; write_max += 5) {
        bench_init(&b);
        b.p->write_max = write_max + 1;
        post_register(&b, REG, 0);
        for (uintptr_t i = 0; i < 3 * (size_t)SP_DEPTH; i += 4) {
            sp_send(b.e, SEND, 0, 0, sp_sge(b.fast, 0, 8));
            sp_invalidate(b.e, INV, 0, b.fast);
            post_register(&b, REG, 0);
            sp_send(b.e, SEND, 0, 0, sp_sge(b.fast, 0, 8));
            for (size_t k = 0; k < 3; k++)
                (void)sp_transmit(b.p, b.e);
            while (sn_a32_load_relaxed(&b.e->sq.tail) - iw_sq_head(&b.e->stream) > SP_DEPTH - 4)
                (void)sp_transmit(b.p, b.e);
        }
        while (sp_transmit(b.p, b.e) > 0)
            continue;
        assert_int_equal(b.e->dones, 3 * SP_DEPTH + 1);
        assert_int_equal(b.released, 3 * SP_DEPTH / 4 + 1);
        for (size_t i = 0; i < b.e->dones; i++)
            assert_int_equal(b.e->done[i].status, SN_OK);
        assert_int_equal(b.p->ab.n, (size_t)3 * SP_DEPTH / 2 * mpa_fpdu_len(26));
        bench_fini(&b);
    }
}

/* Fenced, they wait for the Reads before them. */
static void fenced(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    sp_read(b.e, 1, 0, (struct iw_sge){0}, 0, 0);
    post_register(&b, REG, IW_WR_READ_FENCE);
    (void)sp_transmit(b.p, b.e);
    assert_false(mem_region_is_valid(b.fast));
    assert_false(iw_tx_has_work(&b.e->stream));
    sp_run(b.p);
    assert_true(mem_region_is_valid(b.fast));
    assert_int_equal(b.e->dones, 2);
    bench_fini(&b);
}

/* Each fails by its own status; what comes later is cancelled, and the pages are given back.
 * [VRB-025] [VRB-055] */
static void failures(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct bench b;

        bench_init(&b);
        sp_send(b.e, SEND, 0, 0, (struct iw_sge){0});
        if (i == 0) {
            post_register(&b, REG, 0);
            post_register(&b, INV, IW_WR_SILENT); /* valid already */
        } else if (i == 1) {
            sp_send(b.e, REG, 0, 0, (struct iw_sge){0});
            sp_invalidate(b.e, INV, 0, b.fast); /* not valid */
        } else {
            post_bind(&b, REG);
            post_bind(&b, INV); /* bound already */
        }
        post_register(&b, 99, 0);
        transmit_all(&b);
        assert_int_equal(b.e->dones, 3);
        assert_int_equal(b.e->done[0].status, SN_OK);
        assert_int_equal(b.e->done[1].status, SN_OK);
        assert_int_equal(b.e->done[2].id, INV);
        assert_int_equal(b.e->done[2].status, SN_BAD_REQUEST);
        assert_int_equal(iw_stream_error(&b.e->stream), WIRE_LOCAL_CATASTROPHIC);
        assert_int_equal(iw_stream_state(&b.e->stream), IW_TERMINATED);
        iw_flush(&b.e->stream, SN_RESET);
        assert_int_equal(b.e->dones, 4);
        assert_int_equal(b.e->done[3].status, SN_CANCELLED);
        assert_int_equal(b.released, i == 0 ? 3 : 1);
        bench_fini(&b);
    }
}

/* The accepting side may not send yet, but may register and bind: its consumer waits for that. */
static void before_the_first_fpdu(void **state)
{
    static const uintptr_t ids[] = {REG};
    struct bench b;

    (void)state;
    bench_init(&b);
    b.e->stream.config.is_initiator = false;
    b.e->stream.is_first_seen = false;
    post_register(&b, REG, 0);
    sp_send(b.e, SEND, 0, 0, sp_sge(b.fast, 0, 8));
    sp_invalidate(b.e, INV, 0, b.fast);
    assert_true(iw_tx_has_work(&b.e->stream));
    assert_int_equal(iw_tx_gather(&b.e->stream, b.e->batch), 0);
    assert_true(iw_tx_sent(&b.e->stream, b.e->batch, 0));
    assert_true(mem_region_is_valid(b.fast)); /* the Send stands before the invalidate */
    expect_done(&b, ids, SN_ARRAY_COUNT(ids));
    assert_false(iw_tx_has_work(&b.e->stream));
    bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_chain),
        cmocka_unit_test(invalidate_waits_for_tcp),
        cmocka_unit_test(nothing_on_the_wire),
        cmocka_unit_test(executed_once),
        cmocka_unit_test(fenced),
        cmocka_unit_test(failures),
        cmocka_unit_test(before_the_first_fpdu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
