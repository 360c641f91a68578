/* SPDX-License-Identifier: MIT */
/* One FPDU in the batch: copied or referred to, merged, and taken back when it does not fit. */
#include "unit/iwarp/raw_fpdu.h"

#include "iwarp/tx.h"

struct bench {
    struct stream_pair *p;
    struct iw_stream *s;
    struct iw_batch *b;
    struct mem_region *m;
    struct iw_sge sge[4];
    struct iw_payload payload;
};

static const struct ddp_segment send = {.is_last = true, .opcode = RDMAP_SEND, .msn = 1};

static void bench_init(struct bench *t, const struct sp_options *o)
{
    memset(t, 0, sizeof(*t));
    t->p = sp_create_free(o);
    t->s = &t->p->a.stream;
    t->b = t->p->a.batch;
    t->m = sp_region(t->p, &t->p->a, 0, 100000, MEM_LOCAL_READ | MEM_REMOTE_READ);
    random_fill(&t->p->seed, t->m->host, 100000);
    t->sge[0] = sp_sge(t->m, 0, 100000);
    t->payload.list = (struct iw_mem_list){
        .sge = t->sge, .sge_count = 1, .rights = MEM_LOCAL_READ, .who = t->p->a.who};
}

static void bench_fini(struct bench *t)
{
    iw_batch_clear(t->b);
    sp_destroy(t->p);
}

static enum iw_laid lay(struct bench *t, uint32_t off, uint32_t len, enum mem_result *why)
{
    struct iw_tx_cursor c = t->s->tx;

    return iw_fpdu_lay(t->s, t->b, &c, &send, &t->payload, off, len, why);
}

/* The octets of the batch are the FPDU of [off, off + len). */
static void expect_octets(struct bench *t, uint32_t off, uint32_t len, bool crc)
{
    static struct raw_fpdu f;
    static uint8_t got[RAW_MAX];

    raw_untagged(&f, 0x41, 0x43, 0, 0, 1, 0);
    raw_put(&f, t->m->host + off, len);
    raw_end(&f, crc);
    assert_int_equal(t->b->octets, f.n);
    iw_batch_copy(t->b, 0, f.n, got);
    assert_memory_equal(got, f.p, f.n);
}

/* Small payloads are copied, larger ones stay, with or without CRC; a snapshot with CRC is copied.
 * [MPA-033] [MPA-034] [MPA-037] [SEC-020] */
static void copied_or_referred_to(void **state)
{
    static const struct {
        uint32_t len;
        bool no_crc, is_snapshot;
        size_t spans;
    } cases[] = {
        {0, false, false, 1},
        {1, false, false, 1},
        {2, true, false, 1},
        {3, false, false, 1},
        {IW_COPY_MAX, false, false, 1},
        {IW_COPY_MAX + 1, false, false, 3},
        {IW_COPY_MAX + 1, true, false, 3},
        {IW_COPY_MAX + 2, false, false, 3},
        {IW_COPY_MAX + 3, false, false, 3},
        {IW_COPY_MAX + 4, false, false, 3},
        {60000, false, false, 3},
        {60000, false, true, 1},
        {60000, true, true, 3},
    };
    enum mem_result why;

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        const struct sp_options o = {.no_crc = cases[i].no_crc};
        struct bench t;

        bench_init(&t, &o);
        memset(t.b->scratch, 0xEE, IW_BATCH_SCRATCH); /* the pad is zero for all that */
        t.payload.is_snapshot = cases[i].is_snapshot;
        assert_int_equal(lay(&t, 17, cases[i].len, &why), IW_LAID);
        assert_int_equal(t.b->spans, cases[i].spans);
        expect_octets(&t, 17, cases[i].len, !cases[i].no_crc);
        if (cases[i].spans == 3)
            assert_ptr_equal(t.b->span[1].p, t.m->host + 17);
        bench_fini(&t);
    }
}

/* Many small FPDUs are one span; a trailer and the next header are, too. */
static void pieces_merge(void **state)
{
    static const struct sp_options o = {0};
    enum mem_result why;
    struct bench t;

    (void)state;
    bench_init(&t, &o);
    for (int i = 0; i < 100; i++)
        assert_int_equal(lay(&t, 0, 64, &why), IW_LAID);
    assert_int_equal(t.b->spans, 1);
    assert_int_equal(t.b->octets, 100 * mpa_fpdu_len(82));
    for (int i = 0; i < 10; i++)
        assert_int_equal(lay(&t, 0, 1000, &why), IW_LAID);
    assert_int_equal(t.b->spans, 1 + 2 * 10);
    assert_int_equal(t.b->octets, 100 * mpa_fpdu_len(82) + 10 * mpa_fpdu_len(1018));
    bench_fini(&t);
}

/* Nothing of an FPDU that was refused, or had no room, stays. */
static void taken_back(void **state)
{
    static const struct sp_options o = {0};
    struct bench t;
    enum mem_result why;

    (void)state;
    bench_init(&t, &o);
    assert_int_equal(lay(&t, 0, 64, &why), IW_LAID);
    t.b->fpdus = 1;
    /* the second element is refused */
    t.sge[0].len = 600;
    t.sge[1] = (struct iw_sge){.addr = 0, .len = 5000, .stag = 5};
    t.payload.list.sge_count = 2;
    for (uint32_t len = 601; len < 3000; len += 1000) {
        assert_int_equal(lay(&t, 0, len, &why), IW_LAID_REFUSED);
        assert_int_equal(why, MEM_STAG_INVALID);
    }
    assert_int_equal(lay(&t, 500, 200, &why), IW_LAID_REFUSED); /* copied */
    /* the list is shorter than it should be */
    t.payload.list.sge_count = 1;
    assert_int_equal(lay(&t, 0, 700, &why), IW_LAID_REFUSED);
    assert_int_equal(why, MEM_BASE_BOUNDS);
    expect_octets(&t, 0, 64, true);
    /* and without room */
    t.sge[0].len = 100000;
    t.b->scratch_used = IW_BATCH_SCRATCH - 20;
    assert_int_equal(lay(&t, 0, 64, &why), IW_LAID_FULL);
    assert_int_equal(lay(&t, 0, 5000, &why), IW_LAID_FULL);
    assert_int_equal(t.b->spans, 1);
    bench_fini(&t);
}

/* Spans run out: the FPDU waits for the next batch; alone in a batch, it is copied. */
static void spans_run_out(void **state)
{
    static const struct sp_options o = {0};
    enum mem_result why;
    struct bench t;

    (void)state;
    bench_init(&t, &o);
    while (t.b->spans < IW_BATCH_SPANS - 3) {
        assert_int_equal(lay(&t, 0, 600, &why), IW_LAID);
        t.b->fpdus++;
    }
    t.sge[0].len = 1000;
    t.sge[1] = sp_sge(t.m, 2000, 1000);
    t.sge[2] = sp_sge(t.m, 4000, 1000);
    t.payload.list.sge_count = 3;
    assert_int_equal(lay(&t, 0, 3000, &why), IW_LAID_FULL);
    iw_batch_clear(t.b);
    t.b->spans = 0;
    assert_int_equal(lay(&t, 0, 3000, &why), IW_LAID);
    assert_int_equal(t.b->spans, 5);
    iw_batch_clear(t.b);
    /* a batch that is empty but for a stash of many pieces there cannot be: pretend */
    t.b->spans = IW_BATCH_SPANS - 2;
    t.b->span[t.b->spans - 1] = (struct sn_cspan){.p = t.m->host, .n = 1};
    assert_int_equal(lay(&t, 0, 3000, &why), IW_LAID);
    assert_int_equal(t.b->spans, IW_BATCH_SPANS - 1);
    bench_fini(&t);
}

/* With markers everything is built in scratch, whatever its size. [MPA-049] */
static void marked_is_copied(void **state)
{
    static const struct sp_options o = {.markers_ab = true};
    struct bench t;
    struct iw_tx_cursor c;
    enum mem_result why;

    (void)state;
    bench_init(&t, &o);
    c = t.s->tx;
    assert_int_equal(iw_fpdu_lay(t.s, t.b, &c, &send, &t.payload, 0, 64750, &why), IW_LAID);
    assert_int_equal(t.b->spans, 1);
    assert_int_equal(c.marker_pos, t.b->octets);
    assert_true(t.b->octets <= IW_STASH_OCTETS);
    bench_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copied_or_referred_to),
        cmocka_unit_test(pieces_merge),
        cmocka_unit_test(taken_back),
        cmocka_unit_test(spans_run_out),
        cmocka_unit_test(marked_is_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
