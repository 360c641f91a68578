/* SPDX-License-Identifier: MIT */
/* What goes when, and what becomes of a batch of which TCP took a part. */
#include "unit/iwarp/raw_fpdu.h"

static const struct sp_options plain = {0};

static void send_empty(struct sp_end *e, uintptr_t id, uint8_t flags)
{
    sp_send(e, id, flags, 0, (struct iw_sge){0});
}

static void read_empty(struct sp_end *e, uintptr_t id, uint8_t flags)
{
    sp_read(e, id, flags, (struct iw_sge){0}, 0, 0);
}

/* The next FPDU that e sent; its opcode, or -1. */
static int take(struct sp_end *e, struct ddp_segment *seg)
{
    static uint8_t ulpdu[65536];
    size_t len;

    return sp_raw_take(e, seg, ulpdu, sizeof(ulpdu), &len) ? seg->opcode : -1;
}

/* Takes n octets of every batch, for every n: nothing is lost, doubled or put into an FPDU. The
 * rest of a half-sent FPDU is kept, its source may be gone. */
static void every_short_write(void **state)
{
    enum { LEN = 700 };
    static uint8_t whole[8192];
    size_t total = 0;

    (void)state;
    for (size_t n = 0; n < 3000; n += n < 800 ? 1 : 97) {
        struct stream_pair *p = sp_create_free(&plain);
        struct mem_region *src = sp_region(p, &p->a, 0, LEN, MEM_LOCAL_READ);
        uint64_t seed = 5;
        size_t went, done_before;

        random_fill(&seed, src->host, LEN);
        for (uintptr_t i = 0; i < 3; i++)
            sp_send(&p->a, i, 0, 0, sp_sge(src, 0, i == 1 ? LEN : 30));
        p->write_max = n;
        went = sp_transmit(p, &p->a);
        done_before = p->a.dones;
        p->write_max = 0;
        if (went < total) { /* what is not yet in an FPDU's rest is laid out anew, from memory */
            assert_true(iw_tx_has_work(&p->a.stream));
            (void)sp_transmit(p, &p->a);
        }
        assert_true(done_before <= p->a.dones);
        if (n == 0) {
            total = p->ab.n;
            memcpy(whole, p->ab.p, total);
        }
        assert_int_equal(p->ab.n, total);
        assert_memory_equal(p->ab.p, whole, total);
        assert_int_equal(p->a.dones, 3);
        assert_int_equal(p->a.stream.tx.send_msn, 4);
        sp_destroy(p);
    }
}

/* The rest of an FPDU goes out although the request is flushed and its memory is gone; the
 * Terminate waits for its end. */
static void rest_goes_before_terminate(void **state)
{
    struct stream_pair *p = sp_create_free(&plain);
    struct mem_region *src = sp_region(p, &p->a, 0, 1000, MEM_LOCAL_READ);
    struct ddp_segment seg;

    (void)state;
    sp_send(&p->a, 1, 0, 0, sp_sge(src, 0, 1000));
    send_empty(&p->a, 2, 0);
    p->write_max = 100;
    (void)sp_transmit(p, &p->a);
    iw_fail(&p->a.stream, WIRE_LOCAL_CATASTROPHIC);
    iw_flush(&p->a.stream, SN_CANCELLED);
    assert_int_equal(mem_deregister(&p->mem, src), SN_OK);
    p->write_max = 7;
    while (sp_transmit(p, &p->a) > 0) {
        bool is_all = p->ab.n == mpa_fpdu_len(1018) + mpa_fpdu_len(22);

        assert_int_equal(iw_tx_wants_fin(&p->a.stream), is_all);
    }
    assert_int_equal(iw_stream_state(&p->a.stream), IW_TERMINATED);
    assert_int_equal(take(&p->a, &seg), RDMAP_SEND);
    assert_int_equal(take(&p->a, &seg), RDMAP_TERMINATE);
    assert_int_equal(take(&p->a, &seg), -1);
    sp_destroy(p);
}

/* No memory for a stash: said, so that the connection is ended. */
static void *none(void *ctx, size_t size)
{
    (void)ctx;
    (void)size;
    return NULL;
}

static void plain_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

static void no_stash(void **state)
{
    static const struct sn_allocator a = {.alloc = none, .free = plain_free};
    struct stream_pair *p = sp_create_free(&plain);
    struct iw_batch *b = p->a.batch;
    struct iw_stash *pool = b->stash_pool;

    (void)state;
    send_empty(&p->a, 1, 0);
    b->stash_pool = NULL;
    sn_alloc_set(&a);
    assert_int_equal(iw_tx_gather(&p->a.stream, b), 24);
    assert_false(iw_tx_sent(&p->a.stream, b, 5));
    sn_alloc_set(NULL);
    assert_int_equal(b->octets, 0);
    b->stash_pool = pool;
    sp_destroy(p);
}

/* Never more than ORD; the queue stands behind the Read that does not fit. [RDM-030] [ECE-010] */
static void ord_is_kept(void **state)
{
    (void)state;
    for (uint32_t ord = 1; ord <= 4; ord += 3) {
        const struct sp_options o = {.ord = ord};
        struct stream_pair *p = sp_create_free(&o);
        static struct raw_fpdu r;

        for (uintptr_t i = 0; i < 20; i++)
            read_empty(&p->a, i, 0);
        send_empty(&p->a, 20, 0);
        for (uint32_t done = 0; done < 20; done++) {
            uint32_t sent = done + ord < 20 ? done + ord : 20;

            while (sp_transmit(p, &p->a) > 0)
                continue;
            assert_int_equal(p->a.stream.tx.orq_tail, sent);
            assert_int_equal(p->ab.n, sent * 52 + (sent == 20 ? 24 : 0));
            assert_false(iw_tx_has_work(&p->a.stream));
            raw_tagged(&r, 0xC1, 0x42, 0, 0);
            raw_end(&r, true);
            raw_deliver(&p->a, &r);
            (void)sp_receive(p, &p->a);
        }
        (void)sp_transmit(p, &p->a);
        assert_int_equal(p->a.dones, 21);
        for (uintptr_t i = 0; i < 21; i++)
            assert_int_equal(p->a.done[i].id, i);
        sp_destroy(p);
    }
}

/* ORD 0: the Read can never go. [VRB-044] */
static void read_without_ord(void **state)
{
    static const struct sp_options o = {.no_reads = true};
    static struct raw_fpdu t;
    struct stream_pair *p = sp_create_free(&o);

    (void)state;
    read_empty(&p->a, 1, IW_WR_SILENT);
    send_empty(&p->a, 2, 0);
    raw_terminate(&t, 0, 0, BACK_NOTHING, NULL, true);
    assert_true(iw_tx_has_work(&p->a.stream));
    (void)sp_transmit(p, &p->a);
    assert_memory_equal(p->ab.p, t.p, t.n);
    assert_int_equal(p->a.dones, 1); /* although silent [VRB-046] */
    assert_int_equal(p->a.done[0].status, SN_BAD_REQUEST);
    sp_destroy(p);
}

/* Unfenced work overtakes a Read on the wire, but not in completing; fenced work waits. [RDM-037]
 * [RDM-052] [RDM-053] [RDM-038] */
static void fences(void **state)
{
    static struct raw_fpdu r;
    struct stream_pair *p = sp_create_free(&plain);
    struct ddp_segment seg;

    (void)state;
    read_empty(&p->a, 1, 0);
    send_empty(&p->a, 2, 0);
    send_empty(&p->a, 3, IW_WR_READ_FENCE);
    send_empty(&p->a, 4, 0);
    (void)sp_transmit(p, &p->a);
    assert_int_equal(take(&p->a, &seg), RDMAP_READ_REQ);
    assert_int_equal(take(&p->a, &seg), RDMAP_SEND);
    assert_int_equal(take(&p->a, &seg), -1);
    assert_int_equal(p->a.dones, 0);
    assert_false(iw_tx_has_work(&p->a.stream));
    raw_tagged(&r, 0xC1, 0x42, 0, 0);
    raw_end(&r, true);
    raw_deliver(&p->a, &r);
    (void)sp_receive(p, &p->a);
    assert_int_equal(p->a.dones, 2);
    assert_true(iw_tx_has_work(&p->a.stream));
    (void)sp_transmit(p, &p->a);
    assert_int_equal(p->a.dones, 4);
    assert_int_equal(take(&p->a, &seg), RDMAP_SEND);
    assert_int_equal(seg.msn, 2);
    sp_destroy(p);
}

/* Responses and own work take turns, and no message is cut by another. */
static void turns(void **state)
{
    static const struct sp_options o = {.payload_max = 100};
    static struct raw_fpdu f;
    static const int expected[] = {RDMAP_READ_RSP, RDMAP_READ_RSP, RDMAP_SEND, RDMAP_SEND,
        RDMAP_READ_RSP, RDMAP_READ_RSP, RDMAP_SEND, RDMAP_SEND, RDMAP_READ_RSP, RDMAP_READ_RSP};
    struct stream_pair *p = sp_create_free(&o);
    struct mem_region *m = sp_region(p, &p->b, 0, 150, MEM_REMOTE_READ);
    struct ddp_segment seg;

    (void)state;
    for (uint32_t i = 1; i <= 3; i++) {
        raw_read_request(&f, i, i, 0, 150, mem_region_stag(m), 0);
        raw_end(&f, true);
        raw_deliver(&p->b, &f);
    }
    (void)sp_receive(p, &p->b);
    sp_send(&p->b, 1, 0, 0, sp_sge(m, 0, 150));
    sp_send(&p->b, 2, 0, 0, sp_sge(m, 0, 150));
    for (p->write_max = 11; sp_transmit(p, &p->b) > 0;)
        continue;
    for (size_t i = 0; i < SN_ARRAY_COUNT(expected); i++)
        assert_int_equal(take(&p->b, &seg), expected[i]);
    assert_int_equal(take(&p->b, &seg), -1);
    sp_destroy(p);
}

/* A fenced request does not keep responses waiting, although it would be its turn. */
static void blocked_request_lets_responses_by(void **state)
{
    static struct raw_fpdu f;
    struct stream_pair *p = sp_create_free(&plain);

    (void)state;
    read_empty(&p->b, 1, 0);
    send_empty(&p->b, 2, IW_WR_READ_FENCE);
    (void)sp_transmit(p, &p->b);
    for (uint32_t i = 1; i <= 2; i++) {
        raw_read_request(&f, i, i, 0, 0, 0, 0);
        raw_end(&f, true);
        raw_deliver(&p->b, &f);
    }
    (void)sp_receive(p, &p->b);
    sp_wire_drop(&p->ba, p->ba.n);
    assert_int_equal(sp_transmit(p, &p->b), 40);
    sp_destroy(p);
}

/* The source is revoked between two batches: the header of the request comes back advanced.
 * [RDM-028] */
static void response_source_revoked(void **state)
{
    static const struct sp_options o = {.payload_max = 100};
    static struct raw_fpdu f, r, t;

    (void)state;
    for (size_t whole = 0; whole < 4; whole++) {
        struct stream_pair *p = sp_create_free(&o);
        struct mem_region *m = sp_region(p, &p->b, 0x1000, 350, MEM_REMOTE_READ);
        uint32_t stag = mem_region_stag(m);

        raw_read_request(&f, 1, 0xAAAA, 0x5000, 350, stag, 0x1000);
        raw_end(&f, true);
        raw_deliver(&p->b, &f);
        (void)sp_receive(p, &p->b);
        raw_tagged(&r, 0x81, 0x42, 0xAAAA, 0x5000);
        raw_payload(&r, 100);
        raw_end(&r, true);
        p->write_max = whole * r.n + 50; /* and a part of the next */
        assert_int_equal(sp_transmit(p, &p->b), p->write_max);
        p->write_max = 0;
        assert_int_equal(mem_deregister(&p->mem, m), SN_OK);
        while (sp_transmit(p, &p->b) > 0)
            continue;
        if (whole == 3) { /* all of it was on its way */
            assert_int_equal(iw_stream_state(&p->b.stream), IW_OPEN);
            sp_destroy(p);
            continue;
        }
        sp_wire_drop(&p->ba, (whole + 1) * r.n);
        raw_read_request(&f, 1, 0xAAAA, 0x5000 + (whole + 1) * 100,
            350 - (uint32_t)(whole + 1) * 100, stag, 0x1000 + (whole + 1) * 100);
        raw_end(&f, true);
        raw_terminate(&t, 0x01, 0, BACK_READ, &f, true);
        assert_int_equal(p->ba.n, t.n);
        assert_memory_equal(p->ba.p, t.p, t.n);
        sp_destroy(p);
    }
}

/* What may not be read is not sent: earlier work goes and completes, then the Terminate.
 * [VRB-043] [VRB-054] [VRB-055] */
static void source_refused(void **state)
{
    static struct raw_fpdu t;
    struct stream_pair *p = sp_create_free(&plain);
    struct mem_region *good = sp_region(p, &p->a, 0, 2000, MEM_LOCAL_READ);
    struct mem_region *foreign = sp_region(p, &p->b, 0, 2000, MEM_LOCAL_READ);
    struct iw_sge sge[2];
    const struct iw_wr wr = {.context = (void *)(uintptr_t)2, .op = IW_OP_SEND};

    (void)state;
    sge[0] = sp_sge(good, 0, 1000);
    sge[1] = sp_sge(foreign, 0, 1000);
    sp_send(&p->a, 1, 0, 0, sp_sge(good, 0, 700));
    sp_post(&p->a, &wr, sge, 2);
    send_empty(&p->a, 3, 0);
    while (sp_transmit(p, &p->a) > 0)
        continue;
    raw_terminate(&t, 0, 0, BACK_NOTHING, NULL, true);
    assert_int_equal(p->ab.n, mpa_fpdu_len(718) + t.n);
    assert_memory_equal(p->ab.p + mpa_fpdu_len(718), t.p, t.n);
    assert_int_equal(p->a.dones, 2);
    assert_int_equal(p->a.done[0].status, SN_OK);
    assert_int_equal(p->a.done[1].status, SN_NO_ACCESS);
    iw_flush(&p->a.stream, SN_REMOTE_ERROR);
    assert_int_equal(p->a.dones, 3);
    assert_int_equal(p->a.done[2].status, SN_CANCELLED);
    sp_destroy(p);
}

/* The sink of a Read is looked at before the peer is asked. [VRB-041]: local write is what it
 * needs, and the right to be a sink where the adapter asks for that. */
static void sink_refused(void **state)
{
    static const struct {
        uint32_t rights, asked_for;
        enum sn_status status;
    } cases[] = {
        {MEM_LOCAL_READ, 0, SN_NO_ACCESS},
        {MEM_LOCAL_WRITE, 0, SN_OK},
        {MEM_REMOTE_WRITE, 0, SN_OK},
        {MEM_LOCAL_WRITE, MEM_READ_SINK, SN_NO_ACCESS},
        {MEM_READ_SINK, MEM_READ_SINK, SN_NO_ACCESS},
        {MEM_LOCAL_WRITE | MEM_READ_SINK, MEM_READ_SINK, SN_OK},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        struct stream_pair *p = sp_create_free(&plain);
        struct mem_region *sink = sp_region(p, &p->a, 0, 8, cases[i].rights);
        struct mem_region *src = sp_region(p, &p->b, 0, 8, MEM_REMOTE_READ);

        p->a.stream.config.sink_rights = cases[i].asked_for;
        sp_read(&p->a, 1, 0, sp_sge(sink, 0, 8), mem_region_stag(src), 0);
        sp_run(p);
        assert_int_equal(p->a.dones, 1);
        assert_int_equal(p->a.done[0].status, cases[i].status);
        sp_destroy(p);
    }
}

/* The MSS is followed between messages, never inside one. [MPA-043] [MPA-044] [DDP-013] */
static void follows_the_mss(void **state)
{
    struct stream_pair *p = sp_create_free(&plain);
    struct mem_region *m = sp_region(p, &p->a, 0, 10000, MEM_LOCAL_READ);
    struct ddp_segment seg;

    (void)state;
    iw_set_emss(&p->a.stream, 1448);
    sp_send(&p->a, 1, 0, 0, sp_sge(m, 0, 5000));
    p->write_max = 2000;
    (void)sp_transmit(p, &p->a);
    iw_set_emss(&p->a.stream, 536);
    p->write_max = 0;
    while (sp_transmit(p, &p->a) > 0)
        continue;
    for (uint32_t mo = 0; mo < 5000; mo += 1424) {
        assert_int_equal(take(&p->a, &seg), RDMAP_SEND);
        assert_int_equal(seg.mo, mo);
        assert_int_equal(seg.is_last, mo + 1424 >= 5000);
    }
    sp_send(&p->a, 2, 0, 0, sp_sge(m, 0, 600));
    (void)sp_transmit(p, &p->a);
    assert_int_equal(take(&p->a, &seg), RDMAP_SEND);
    assert_int_equal(seg.payload_len, mpa_mulpdu(536, false) - DDP_UNTAGGED_LEN);
    assert_int_equal(take(&p->a, &seg), RDMAP_SEND);
    sp_write(&p->a, 3, 0, sp_sge(m, 0, 600), 1, 0);
    (void)sp_transmit(p, &p->a);
    assert_int_equal(take(&p->a, &seg), RDMAP_WRITE);
    assert_int_equal(seg.payload_len, mpa_mulpdu(536, false) - DDP_TAGGED_LEN);
    sp_destroy(p);
}

/* A batch has an end: about a mebioctet, and what is left goes with the next. */
static void batch_is_bounded(void **state)
{
    static const struct sp_options o = {.payload_max = 65536};
    struct stream_pair *p = sp_create_free(&o);
    struct mem_region *m = sp_region(p, &p->a, 0, 4 << 20, MEM_LOCAL_READ);
    size_t n, total = 0;

    (void)state;
    sp_write(&p->a, 1, 0, sp_sge(m, 0, 4 << 20), 1, 0);
    for (uintptr_t i = 0; i < 200; i++)
        send_empty(&p->a, i, 0);
    while ((n = sp_transmit(p, &p->a)) > 0) {
        assert_true(n < IW_BATCH_OCTETS + 65536);
        total += n;
    }
    assert_int_equal(total, p->ab.n);
    assert_int_equal(p->a.dones, 201);
    sp_destroy(p);
}

/* Counters wrap. [DDP-010] */
static void msn_wraps(void **state)
{
    struct stream_pair *p = sp_create_free(&plain);
    struct ddp_segment seg;

    (void)state;
    p->a.stream.tx.send_msn = p->a.stream.tx.read_msn = UINT32_MAX;
    for (uintptr_t i = 0; i < 2; i++) {
        send_empty(&p->a, i, 0);
        read_empty(&p->a, i, 0);
    }
    (void)sp_transmit(p, &p->a);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(take(&p->a, &seg), RDMAP_SEND);
        assert_int_equal(seg.msn, UINT32_MAX + i);
        assert_int_equal(take(&p->a, &seg), RDMAP_READ_REQ);
        assert_int_equal(seg.msn, UINT32_MAX + i);
    }
    sp_destroy(p);
}

/* Positions of the rings wrap too. */
static void positions_wrap(void **state)
{
    struct stream_pair *p = sp_create_free(&plain);
    struct mem_region *src = sp_region(p, &p->b, 0, 64, MEM_REMOTE_READ);
    struct mem_region *sink = sp_region(p, &p->a, 0, 64, MEM_LOCAL_WRITE);
    uint32_t near = UINT32_MAX - 20;

    (void)state;
    sn_a32_store_release(&p->a.sq.tail, near);
    sn_a32_store_release(&p->a.sq.head, near);
    p->a.sq.head_seen = near;
    p->a.stream.tx.wr_pos = p->a.stream.started_pos = near;
    p->a.stream.tx.orq_tail = p->a.stream.orq_head = near;
    p->b.stream.tx.irrq_pos = p->b.stream.irrq_tail = near;
    for (uintptr_t i = 0; i < 60; i++) {
        sp_read(&p->a, i, 0, sp_sge(sink, 0, 64), mem_region_stag(src), 0);
        if (i % 7 == 0)
            sp_run(p);
    }
    sp_run(p);
    assert_int_equal(p->a.dones, 60);
    sp_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_short_write),
        cmocka_unit_test(rest_goes_before_terminate),
        cmocka_unit_test(no_stash),
        cmocka_unit_test(ord_is_kept),
        cmocka_unit_test(read_without_ord),
        cmocka_unit_test(fences),
        cmocka_unit_test(turns),
        cmocka_unit_test(blocked_request_lets_responses_by),
        cmocka_unit_test(response_source_revoked),
        cmocka_unit_test(source_refused),
        cmocka_unit_test(sink_refused),
        cmocka_unit_test(follows_the_mss),
        cmocka_unit_test(batch_is_bounded),
        cmocka_unit_test(msn_wraps),
        cmocka_unit_test(positions_wrap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
