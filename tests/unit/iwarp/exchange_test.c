/* SPDX-License-Identifier: MIT */
/*
 * Any cut of the octets gives the same result: a long random exchange in both directions, with
 * every way of cutting what is read and written, with and without CRC and markers, with FPDUs from
 * tiny to the largest. What must come out is known beforehand.
 * [MPA-046] [MPA-047] [MPA-058] [MPA-059] [DDP-016] [DDP-017] [DDP-019] [RDM-008] [RDM-011]
 * [RDM-020] [RDM-032] [RDM-038] [VRB-027] [VRB-034] [VRB-042] [VRB-046]
 */
#include "unit/iwarp/stream_pair.h"

enum {
    PAGES = 4,
    FAST_LEN = PAGES * MEM_PAGE_SIZE,
    FAST_BASE = 0x7000000,
    FAST_AT = 50, /* what is written there */
    OPS_MAX = 48,
    ID_FAST = 1000,
};

/* What one operation moves: to an area of its own, or to the receive of its number. */
struct op {
    uint8_t op;
    uint32_t len;
    size_t recv;
};

struct side {
    struct sp_end *e;
    struct side *peer;
    struct mem_region *src, *dst, *inbox, *sink, *fast;
    uint64_t pages[PAGES];
    uint8_t *fast_memory;
    struct op ops[OPS_MAX];
    size_t posted;
    size_t expected[OPS_MAX * 2], expected_count; /* ids of completions, in order */
    /* messages that this side will receive, in order */
    uint32_t recv_len[OPS_MAX];
    bool recv_inv[OPS_MAX];
    size_t recv_count, recv_posted;
};

struct exchange {
    struct stream_pair *p;
    uint64_t seed; /* of what is done; p->seed is of how it is cut */
    uint32_t area; /* octets per operation */
    struct side a, b;
};

static uint32_t below(struct exchange *x, uint32_t n)
{
    return (uint32_t)(random_next(&x->seed) >> 20) % n;
}

static void side_init(struct exchange *x, struct side *d, struct side *peer, struct sp_end *e)
{
    size_t n = (size_t)x->area * OPS_MAX;

    d->e = e;
    d->peer = peer;
    d->src = sp_region(x->p, e, 0x1000, n, MEM_LOCAL_READ | MEM_REMOTE_READ);
    d->dst = sp_region(x->p, e, 0xFFFFFFFF00000000u, n, MEM_LOCAL_WRITE | MEM_REMOTE_WRITE);
    d->inbox = sp_region(x->p, e, 0, n, MEM_LOCAL_WRITE);
    d->sink = sp_region(x->p, e, 77, n, MEM_LOCAL_WRITE);
    d->fast = sp_new_region(x->p, e, MEM_KIND_FAST_MR);
    assert_int_equal(mem_fast_init(&x->p->mem, d->fast, PAGES, true), SN_OK);
    d->fast_memory = aligned_alloc(MEM_PAGE_SIZE, FAST_LEN);
    assert_non_null(d->fast_memory);
    memset(d->fast_memory, 0, FAST_LEN);
    for (size_t i = 0; i < PAGES; i++) /* backwards: every page is a span of its own */
        d->pages[i] = (uintptr_t)d->fast_memory + (PAGES - 1 - i) * MEM_PAGE_SIZE;
    random_fill(&x->seed, d->src->host, n);
}

/* [off, off + len) of a region in one element, or in two around one that is empty and unchecked. */
static size_t split(
    struct exchange *x, const struct mem_region *r, uint64_t off, uint32_t len, struct iw_sge *sge)
{
    uint32_t first = len > 0 ? below(x, len) : 0;

    if (below(x, 2) == 0) {
        sge[0] = sp_sge(r, off, len);
        return 1;
    }
    sge[0] = sp_sge(r, off, first);
    sge[1] = (struct iw_sge){.addr = 5, .len = 0, .stag = 0xBADBAD00u};
    sge[2] = sp_sge(r, off + first, len - first);
    return 3;
}

static uint32_t random_len(struct exchange *x)
{
    switch (below(x, 4)) {
    case 0:
        return below(x, 8);
    case 1:
        return below(x, 600) % (x->area + 1);
    default:
        return below(x, x->area + 1);
    }
}

static void expect_done(struct side *d, size_t id, uint8_t flags)
{
    if ((flags & IW_WR_SILENT) == 0)
        d->expected[d->expected_count++] = id;
}

/* The receive must be posted before the message can arrive. */
static void expect_message(struct exchange *x, struct side *d, uint32_t len, bool invalidates)
{
    struct iw_sge sge[SP_SGES];
    size_t sges = split(x, d->inbox, (uint64_t)d->recv_posted * x->area, x->area, sge);

    sp_recv_list(d->e, d->recv_posted++, sge, sges);
    d->recv_len[d->recv_count] = len;
    d->recv_inv[d->recv_count++] = invalidates;
}

static void post_inline(struct side *d, const struct iw_wr *wr, uint64_t off)
{
    struct iw_wr *slot;

    sp_post(d->e, wr, NULL, 0);
    slot = iw_ring_slot(&d->e->sq, sn_a32_load_relaxed(&d->e->sq.tail) - 1);
    memcpy(iw_wr_inline(slot), d->src->host + off, wr->len);
}

static void post_one(struct exchange *x, struct side *d)
{
    struct op *op = &d->ops[d->posted];
    size_t id = d->posted++;
    uint64_t off = (uint64_t)id * x->area;
    struct iw_wr wr = {.context = (void *)id};
    struct iw_sge sge[SP_SGES];
    uint32_t roll = below(x, 10);
    size_t sges;

    op->len = wr.len = random_len(x);
    wr.flags = (uint8_t)((below(x, 3) == 0 ? IW_WR_SILENT : 0) |
                         (below(x, 6) == 0 ? IW_WR_READ_FENCE : 0));
    if (roll < 4) {
        wr.op = IW_OP_SEND;
        wr.flags = (uint8_t)(wr.flags | (below(x, 2) ? IW_WR_SOLICITED : 0));
        op->recv = d->peer->recv_count;
        expect_message(x, d->peer, op->len, false);
    } else if (roll < 7) {
        wr.op = IW_OP_WRITE;
        wr.remote_stag = mem_region_stag(d->peer->dst);
        wr.remote_to = d->peer->dst->base + off;
    } else {
        wr.op = IW_OP_READ;
        wr.remote_stag = mem_region_stag(d->peer->src);
        wr.remote_to = d->peer->src->base + off;
    }
    op->op = wr.op;
    expect_done(d, id, wr.flags);
    if (wr.op != IW_OP_READ && op->len <= SP_INLINE && below(x, 2) == 0) {
        wr.flags |= IW_WR_INLINE;
        post_inline(d, &wr, off);
        return;
    }
    sges = split(x, wr.op == IW_OP_READ ? d->sink : d->src, off, op->len, sge);
    sp_post(d->e, &wr, sge, sges);
}

static void post_fast_register(struct side *d)
{
    const struct iw_wr wr = {.context = (void *)(uintptr_t)ID_FAST,
        .op = IW_OP_FAST_REGISTER,
        .local.fast = {.region = d->fast,
            .args = {.pages = d->pages,
                .pages_count = PAGES,
                .len = FAST_LEN,
                .base = FAST_BASE,
                .rights = MEM_LOCAL_WRITE | MEM_REMOTE_WRITE}}};

    sp_post(d->e, &wr, NULL, 0);
    expect_done(d, ID_FAST, 0);
}

static uint32_t fast_len(const struct exchange *x)
{
    return x->area < FAST_LEN - FAST_AT ? x->area : FAST_LEN - FAST_AT;
}

/* A Write into the peer's fast region, then a Send that invalidates it. */
static void post_invalidate(struct exchange *x, struct side *d)
{
    uint32_t stag = mem_region_stag(d->peer->fast);

    sp_write(d->e, ID_FAST + 1, 0, sp_sge(d->src, 0, fast_len(x)), stag, FAST_BASE + FAST_AT);
    expect_done(d, ID_FAST + 1, 0);
    expect_message(x, d->peer, 5, true);
    sp_send(d->e, ID_FAST + 2, IW_WR_INVALIDATE, stag, sp_sge(d->src, 3, 5));
    expect_done(d, ID_FAST + 2, 0);
}

/* Moves a few portions only, so that posts meet all states of the streams. */
static void run_a_little(struct exchange *x)
{
    for (uint32_t i = below(x, 4); i > 0; i--) {
        (void)sp_transmit(x->p, &x->p->a);
        (void)sp_receive(x->p, &x->p->b);
        (void)sp_transmit(x->p, &x->p->b);
        (void)sp_receive(x->p, &x->p->a);
    }
}

static void check_log(const struct side *d)
{
    const struct sp_end *e = d->e;

    assert_int_equal(iw_stream_error(&e->stream), WIRE_OK);
    assert_int_equal(e->dones, d->expected_count);
    for (size_t i = 0; i < e->dones; i++) {
        assert_int_equal(e->done[i].id, d->expected[i]);
        assert_int_equal(e->done[i].status, SN_OK);
    }
    assert_int_equal(e->recv_dones, d->recv_count);
    for (size_t i = 0; i < e->recv_dones; i++) {
        assert_int_equal(e->recv_done[i].id, i);
        assert_int_equal(e->recv_done[i].status, SN_OK);
        assert_int_equal(e->recv_done[i].len, d->recv_len[i]);
        assert_int_equal(e->recv_done[i].has_invalidated, d->recv_inv[i]);
        if (d->recv_inv[i])
            assert_int_equal(e->recv_done[i].stag, mem_region_stag(d->fast));
    }
    assert_true(iw_is_idle(&e->stream));
    assert_int_equal(iw_stream_state(&e->stream), IW_OPEN);
}

static void check_memory(const struct exchange *x, const struct side *d)
{
    for (size_t id = 0; id < d->posted; id++) {
        const struct op *op = &d->ops[id];
        uint64_t off = (uint64_t)id * x->area;

        if (op->op == IW_OP_WRITE)
            assert_memory_equal(d->peer->dst->host + off, d->src->host + off, op->len);
        else if (op->op == IW_OP_READ)
            assert_memory_equal(d->sink->host + off, d->peer->src->host + off, op->len);
        else
            assert_memory_equal(
                d->peer->inbox->host + op->recv * x->area, d->src->host + off, op->len);
    }
}

/* Behind the reversed pages; nothing beside what was written. [DDP-026] */
static void check_fast(const struct exchange *x, const struct side *d)
{
    assert_false(mem_region_is_valid(d->fast));
    for (uint32_t i = 0; i < FAST_LEN; i++) {
        uint32_t page = PAGES - 1 - i / MEM_PAGE_SIZE;
        uint8_t got = d->fast_memory[page * MEM_PAGE_SIZE + i % MEM_PAGE_SIZE];
        bool is_written = i >= FAST_AT && i < FAST_AT + fast_len(x);

        if (got != (is_written ? d->peer->src->host[i - FAST_AT] : 0))
            fail_msg("octet %u of the fast region is wrong", i);
    }
}

/* ---- connections that are old: every counter is about to wrap ---- */

static void age_ring(struct iw_ring *r)
{
    const uint32_t pos = UINT32_MAX - 6;

    sn_a32_store_relaxed(&r->head, pos);
    sn_a32_store_relaxed(&r->tail, pos);
    r->head_seen = pos;
}

/* What `e` sends, and `peer` expects. */
static void age_direction(struct sp_end *e, struct sp_end *peer)
{
    const uint32_t msn = UINT32_MAX - 3, pos = UINT32_MAX - 2;
    struct iw_stream *s = &e->stream;

    s->tx.send_msn = peer->stream.rx.send_msn = msn;
    s->tx.read_msn = peer->stream.rx.read_msn = msn;
    s->tx.orq_tail = s->orq_head = pos;
    s->tx.irrq_pos = s->irrq_tail = pos;
    s->tx.marker_pos = peer->stream.rx.pos = (UINT64_C(1) << 32) - 2000;
    s->tx.wr_pos = s->started_pos = iw_sq_head(s);
}

static void age(struct stream_pair *p)
{
    struct sp_end *const ends[] = {&p->a, &p->b};

    for (int i = 0; i < 2; i++) {
        age_ring(&ends[i]->sq);
        age_ring(&ends[i]->rq);
        ends[i]->rq_taken = sn_a32_load_relaxed(&ends[i]->rq.head);
    }
    age_direction(&p->a, &p->b);
    age_direction(&p->b, &p->a);
}

static bool is_old;

static void run_exchange(const struct sp_options *o, size_t write_max, size_t read_max,
    bool is_random, uint64_t seed, uint32_t area)
{
    struct exchange x = {.p = sp_create(o), .seed = seed, .area = area};
    size_t rounds = OPS_MAX / 2 - 2;

    if (is_old)
        age(x.p);
    x.p->write_max = write_max;
    x.p->read_max = read_max;
    x.p->is_random = is_random;
    x.p->seed = seed * 77 + 1;
    side_init(&x, &x.a, &x.b, &x.p->a);
    side_init(&x, &x.b, &x.a, &x.p->b);
    post_fast_register(&x.a);
    post_fast_register(&x.b);
    post_one(&x, &x.a); /* frees the responder, whatever it is [ECE-023] */
    sp_run(x.p);
    for (size_t i = 0; i < rounds; i++) {
        post_one(&x, &x.a);
        post_one(&x, &x.b);
        if (i == rounds / 2) {
            post_invalidate(&x, &x.a);
            post_invalidate(&x, &x.b);
        }
        run_a_little(&x);
    }
    sp_run(x.p);
    check_log(&x.a);
    check_log(&x.b);
    check_memory(&x, &x.a);
    check_memory(&x, &x.b);
    check_fast(&x, &x.a);
    check_fast(&x, &x.b);
    free(x.a.fast_memory);
    free(x.b.fast_memory);
    sp_destroy(x.p);
}

static const struct {
    size_t write_max, read_max;
    bool is_random;
    uint32_t area;
} cuts[] = {
    {0, 0, false, 100000},
    {0, 0, false, 3000},
    {1, 1, false, 300},
    {0, 1, false, 2000},
    {3, 7, false, 300},
    {0, 1000, false, 20000},
    {1000, 0, false, 2000},
    {64, 64, true, 600},
    {3000, 3000, true, 9000},
    {100000, 70000, true, 100000},
    {1 << 20, 200000, true, 100000},
};

static const uint32_t payloads[] = {0, 64, 1000, 9000, 65536};

static void all_cuts(bool no_crc, bool markers_ab, bool markers_ba)
{
    uint64_t seed = 1;

    for (size_t i = 0; i < SN_ARRAY_COUNT(cuts); i++) {
        for (size_t k = 0; k < SN_ARRAY_COUNT(payloads); k++) {
            const struct sp_options o = {.no_crc = no_crc,
                .markers_ab = markers_ab,
                .markers_ba = markers_ba,
                .payload_max = payloads[k],
                .ord = k % 2 == 0 ? 1 : 5,
                .ird = k % 2 == 0 ? 1 : 5};

            run_exchange(
                &o, cuts[i].write_max, cuts[i].read_max, cuts[i].is_random, ++seed, cuts[i].area);
        }
    }
}

static void with_crc(void **state)
{
    (void)state;
    all_cuts(false, false, false);
}

static void without_crc(void **state)
{
    (void)state;
    all_cuts(true, false, false);
}

static void with_markers_one_way(void **state)
{
    (void)state;
    all_cuts(false, true, false);
}

static void with_markers_both_ways(void **state)
{
    (void)state;
    all_cuts(false, true, true);
}

static void with_markers_without_crc(void **state)
{
    (void)state;
    all_cuts(true, false, true);
}

/* Positions, MSNs and marker positions beyond 32 bits. */
static void old_connections(void **state)
{
    (void)state;
    is_old = true;
    all_cuts(false, false, false);
    all_cuts(false, true, true);
    is_old = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_crc),
        cmocka_unit_test(without_crc),
        cmocka_unit_test(with_markers_one_way),
        cmocka_unit_test(with_markers_both_ways),
        cmocka_unit_test(with_markers_without_crc),
        cmocka_unit_test(old_connections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
