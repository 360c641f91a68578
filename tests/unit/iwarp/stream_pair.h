/* SPDX-License-Identifier: MIT */
/*
 * Two streams back to back in memory, each with its queues, regions and a log of what it told
 * upwards. The wire between them may cut what it carries anywhere, take less than it is given, and
 * be read or written by the test itself: then one end is a raw peer.
 */
#ifndef SN_TESTS_UNIT_IWARP_STREAM_PAIR_H
#define SN_TESTS_UNIT_IWARP_STREAM_PAIR_H

#include "support/octets.h"
#include "support/unit.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "iwarp/stream.h"
#include "iwarp/stream_impl.h"
#include "wire/fpdu.h"

enum {
    SP_LOG = 4096,
    SP_SGES = 8,
    SP_INLINE = 256,
    SP_SCRATCH = 64 * 1024,
    SP_REGIONS = 16,
    SP_DEPTH = 256,
};

struct sp_done {
    uintptr_t id;
    enum sn_status status;
    uint8_t op;
};

struct sp_recv_done {
    uintptr_t id;
    enum sn_status status;
    uint32_t len, stag;
    bool is_solicited, has_invalidated;
};

/* Octets on their way: n of them at p. */
struct sp_wire {
    uint8_t *memory, *p;
    size_t n, cap;
};

struct sp_end {
    struct iw_stream stream;
    struct iw_ring sq, rq;
    struct mem_who who;
    struct mem_table *mem;
    struct iw_batch *batch;
    struct sp_wire *out, *in;
    uint32_t rq_taken;
    bool is_initiator;
    /* log */
    struct sp_done done[SP_LOG];
    struct sp_recv_done recv_done[SP_LOG];
    size_t dones, recv_dones, first_fpdus, state_changes;
    /* octets read into scratch and not yet taken: while held */
    uint8_t carry[SP_SCRATCH + 64];
    size_t carried;
};

struct sp_options {
    bool no_crc, markers_ab, markers_ba, p2p, rfc7306;
    enum iw_rtr rtr;
    uint32_t payload_max, ird, ord; /* of both; 0: 16 (use no_reads for 0) */
    bool no_reads;
};

struct stream_pair {
    struct sp_end a, b; /* a is the initiator */
    struct sp_wire ab, ba;
    struct mem_table mem;
    uint64_t seed;
    /* At most this many octets per write, read; 0: all. is_random: 1 to that many. */
    size_t write_max, read_max;
    bool is_random;
    struct mem_region *regions[SP_REGIONS];
    uint8_t *memory[SP_REGIONS];
    size_t region_count, live_before;
};

/* ---- upcalls ---- */

static inline void sp_on_wr_done(void *ctx, const struct iw_wr *wr, enum sn_status status)
{
    struct sp_end *e = ctx;

    assert_true(e->dones < SP_LOG);
    e->done[e->dones++] =
        (struct sp_done){.id = (uintptr_t)wr->context, .status = status, .op = wr->op};
}

static inline struct iw_recv *sp_on_recv_take(void *ctx)
{
    struct sp_end *e = ctx;

    if (!iw_ring_has(&e->rq, e->rq_taken))
        return NULL;
    return iw_ring_slot(&e->rq, e->rq_taken++);
}

static inline void sp_on_recv_done(void *ctx, struct iw_recv *r, enum sn_status status,
    uint32_t len, bool is_solicited, bool has_invalidated, uint32_t stag)
{
    struct sp_end *e = ctx;

    assert_true(e->recv_dones < SP_LOG);
    e->recv_done[e->recv_dones++] = (struct sp_recv_done){.id = (uintptr_t)r->context,
        .status = status,
        .len = len,
        .stag = stag,
        .is_solicited = is_solicited,
        .has_invalidated = has_invalidated};
    sn_a32_store_release(&e->rq.head, sn_a32_load_relaxed(&e->rq.head) + 1);
}

static inline void sp_on_first_fpdu(void *ctx)
{
    ((struct sp_end *)ctx)->first_fpdus++;
}

static inline void sp_on_state_changed(void *ctx)
{
    ((struct sp_end *)ctx)->state_changes++;
}

static const struct iw_stream_ops sp_ops = {.wr_done = sp_on_wr_done,
    .recv_take = sp_on_recv_take,
    .recv_done = sp_on_recv_done,
    .first_fpdu = sp_on_first_fpdu,
    .state_changed = sp_on_state_changed};

/* ---- life ---- */

static inline void sp_random(void *ctx, void *out, size_t n)
{
    random_fill(&((struct stream_pair *)ctx)->seed, out, n);
}

static inline void sp_end_init(
    struct stream_pair *p, struct sp_end *e, const struct sp_options *o, bool is_initiator)
{
    struct iw_stream_config config = {.mem = &p->mem,
        .is_initiator = is_initiator,
        .payload_max = o->payload_max,
        .rfc7306 = o->rfc7306,
        .sink_stag = is_initiator ? 0x51A10001u : 0x51A20002u,
        .sq = &e->sq,
        .ops = &sp_ops,
        .ctx = e};

    e->is_initiator = is_initiator;
    e->mem = &p->mem;
    e->who = (struct mem_who){.pd = is_initiator ? 1 : 2, .qp = is_initiator ? 11 : 22};
    e->out = is_initiator ? &p->ab : &p->ba;
    e->in = is_initiator ? &p->ba : &p->ab;
    assert_int_equal(iw_ring_init(&e->sq, SP_DEPTH,
                         sizeof(struct iw_wr) + SP_SGES * sizeof(struct iw_sge) + SP_INLINE),
        SN_OK);
    assert_int_equal(
        iw_ring_init(&e->rq, SP_DEPTH, sizeof(struct iw_recv) + SP_SGES * sizeof(struct iw_sge)),
        SN_OK);
    e->batch = iw_batch_create();
    assert_non_null(e->batch);
    config.who = e->who;
    config.mpa = (struct iw_mpa_result){.revision = 2,
        .is_enhanced = true,
        .crc = !o->no_crc,
        .markers_tx = is_initiator ? o->markers_ab : o->markers_ba,
        .markers_rx = is_initiator ? o->markers_ba : o->markers_ab,
        .is_p2p = o->p2p,
        .rtr = o->rtr,
        .ird = o->no_reads  ? 0
               : o->ird > 0 ? o->ird
                            : 16,
        .ord = o->no_reads  ? 0
               : o->ord > 0 ? o->ord
                            : 16};
    assert_int_equal(iw_stream_init(&e->stream, &config), SN_OK);
}

/* Both gates are open; with the responder's first FPDU still to come. */
static inline struct stream_pair *sp_create(const struct sp_options *o)
{
    struct stream_pair *p = calloc(1, sizeof(*p));
    size_t live = sn_alloc_live_count();

    assert_non_null(p);
    p->seed = 0x5EED;
    p->live_before = live;
    assert_int_equal(mem_table_init(&p->mem, 64, NULL, sp_random, p), SN_OK);
    sp_end_init(p, &p->a, o, true);
    sp_end_init(p, &p->b, o, false);
    iw_open_gate(&p->a.stream);
    iw_open_gate(&p->b.stream);
    return p;
}

/* The test is not about the first-FPDU rule. */
static inline void sp_free_responder(struct stream_pair *p)
{
    p->b.stream.is_heard = true;
    p->b.stream.is_first_seen = true;
}

static inline struct stream_pair *sp_create_free(const struct sp_options *o)
{
    struct stream_pair *p = sp_create(o);

    sp_free_responder(p);
    return p;
}

static inline void sp_end_fini(struct sp_end *e)
{
    iw_stream_fini(&e->stream, e->batch);
    iw_batch_destroy(e->batch);
    iw_ring_fini(&e->sq);
    iw_ring_fini(&e->rq);
}

static inline void sp_destroy(struct stream_pair *p)
{
    sp_end_fini(&p->a);
    sp_end_fini(&p->b);
    for (size_t i = p->region_count; i > 0; i--) { /* windows before what they are bound to */
        assert_int_equal(mem_region_destroy(&p->mem, p->regions[i - 1]), SN_OK);
        free(p->memory[i - 1]);
    }
    mem_table_fini(&p->mem);
    assert_int_equal(sn_alloc_live_count(), p->live_before);
    free(p->ab.memory);
    free(p->ba.memory);
    free(p);
}

/* ---- memory ---- */

static inline struct mem_region *sp_new_region(
    struct stream_pair *p, const struct sp_end *e, enum mem_kind kind)
{
    struct mem_region *r;

    assert_true(p->region_count < SP_REGIONS);
    assert_int_equal(mem_region_create(&p->mem, kind, e->who.pd, &r), SN_OK);
    p->regions[p->region_count] = r;
    p->memory[p->region_count++] = NULL;
    return r;
}

/* A registered region of n zero octets at TO `base`. */
static inline struct mem_region *sp_region(
    struct stream_pair *p, const struct sp_end *e, uint64_t base, size_t n, uint32_t rights)
{
    struct mem_region *r = sp_new_region(p, e, MEM_KIND_MR);
    uint8_t *host = calloc(1, n);

    assert_non_null(host);
    p->memory[p->region_count - 1] = host;
    assert_int_equal(mem_register(&p->mem, r, host, base, n, rights), SN_OK);
    return r;
}

/* ---- posting ---- */

static inline uint32_t sp_sum(const struct iw_sge *sge, size_t n)
{
    uint32_t len = 0;

    for (size_t i = 0; i < n; i++)
        len += sge[i].len;
    return len;
}

/* Fills a slot and publishes it. */
static inline void sp_post(
    struct sp_end *e, const struct iw_wr *wr, const struct iw_sge *sge, size_t sges)
{
    struct iw_wr *slot = iw_ring_reserve(&e->sq);

    assert_non_null(slot);
    assert_true(sges <= SP_SGES);
    memset(slot, 0xEE, e->sq.stride); /* nothing of an earlier request is relied upon */
    *slot = *wr;
    slot->is_done = 0xEE;
    slot->status = 0xEE;
    if ((wr->flags & IW_WR_INLINE) == 0) {
        slot->sge_count = (uint16_t)sges;
        slot->len = sp_sum(sge, sges);
        if (sges > 0)
            memcpy(iw_wr_sge(slot), sge, sges * sizeof(*sge));
    }
    iw_ring_push(&e->sq);
}

static inline struct iw_sge sp_sge(const struct mem_region *r, uint64_t off, uint32_t len)
{
    return (struct iw_sge){.addr = r->base + off, .len = len, .stag = mem_region_stag(r)};
}

static inline void sp_send(
    struct sp_end *e, uintptr_t id, uint8_t flags, uint32_t invalidate, struct iw_sge sge)
{
    const struct iw_wr wr = {
        .context = (void *)id, .op = IW_OP_SEND, .flags = flags, .remote_stag = invalidate};

    sp_post(e, &wr, &sge, 1);
}

static inline void sp_write(
    struct sp_end *e, uintptr_t id, uint8_t flags, struct iw_sge sge, uint32_t stag, uint64_t to)
{
    const struct iw_wr wr = {.context = (void *)id,
        .op = IW_OP_WRITE,
        .flags = flags,
        .remote_stag = stag,
        .remote_to = to};

    sp_post(e, &wr, &sge, 1);
}

static inline void sp_read(
    struct sp_end *e, uintptr_t id, uint8_t flags, struct iw_sge sge, uint32_t stag, uint64_t to)
{
    const struct iw_wr wr = {.context = (void *)id,
        .op = IW_OP_READ,
        .flags = flags,
        .remote_stag = stag,
        .remote_to = to};

    sp_post(e, &wr, &sge, 1);
}

static inline void sp_invalidate(
    struct sp_end *e, uintptr_t id, uint8_t flags, struct mem_region *r)
{
    const struct iw_wr wr = {.context = (void *)id,
        .op = IW_OP_INVALIDATE,
        .flags = flags,
        .local.invalidate.region = r};

    sp_post(e, &wr, NULL, 0);
}

static inline void sp_recv_list(
    struct sp_end *e, uintptr_t id, const struct iw_sge *sge, size_t sges)
{
    struct iw_recv *r = iw_ring_reserve(&e->rq);

    assert_non_null(r);
    *r = (struct iw_recv){.context = (void *)id,
        .pd = e->who.pd,
        .len = sp_sum(sge, sges),
        .sge_count = (uint16_t)sges};
    if (sges > 0)
        memcpy(iw_recv_sge(r), sge, sges * sizeof(*sge));
    iw_ring_push(&e->rq);
}

static inline void sp_recv(struct sp_end *e, uintptr_t id, struct iw_sge sge)
{
    sp_recv_list(e, id, &sge, 1);
}

/* ---- wire ---- */

static inline void sp_wire_put(struct sp_wire *w, const void *p, size_t n)
{
    size_t gone = w->n > 0 ? (size_t)(w->p - w->memory) : 0;

    if (n == 0)
        return;
    if (w->cap - gone - w->n < n) {
        uint8_t *memory = malloc((w->n + n) * 2);

        assert_non_null(memory);
        if (w->n > 0)
            memcpy(memory, w->p, w->n);
        free(w->memory);
        w->memory = memory;
        w->cap = (w->n + n) * 2;
        gone = 0;
    }
    w->p = w->memory + gone;
    memcpy(w->p + w->n, p, n);
    w->n += n;
}

static inline void sp_wire_drop(struct sp_wire *w, size_t n)
{
    assert_true(n <= w->n);
    w->n -= n;
    if (n > 0)
        w->p += n;
}

static inline size_t sp_portion(struct stream_pair *p, size_t max, size_t n)
{
    if (max > 0 && p->is_random)
        max = 1 + random_next(&p->seed) % max;
    return max > 0 && max < n ? max : n;
}

/* One gather; the wire takes a portion. Octets that went. */
static inline size_t sp_transmit(struct stream_pair *p, struct sp_end *e)
{
    bool had_work = iw_tx_has_work(&e->stream);
    size_t n = iw_tx_gather(&e->stream, e->batch);
    size_t left;

    if (n > 0)
        assert_true(had_work);
    n = left = sp_portion(p, p->write_max, n);
    for (size_t i = 0; left > 0; i++) {
        size_t piece = e->batch->span[i].n < left ? e->batch->span[i].n : left;

        sp_wire_put(e->out, e->batch->span[i].p, piece);
        left -= piece;
    }
    assert_true(iw_tx_sent(&e->stream, e->batch, n));
    return n;
}

/* Feeds what is carried. False: held. */
static inline bool sp_feed_carried(struct sp_end *e)
{
    uint8_t *exact = octets_copy(e->carry, e->carried);
    size_t used = iw_rx_feed(&e->stream, exact, e->carried);

    free(exact);
    memmove(e->carry, e->carry + used, e->carried - used);
    e->carried -= used;
    if (e->carried > 0)
        assert_true(iw_rx_is_held(&e->stream));
    return e->carried == 0;
}

/* One read of what the stream wants. Octets that were taken off the wire. */
static inline size_t sp_receive(struct stream_pair *p, struct sp_end *e)
{
    struct sn_span spans[8];
    size_t scratch, count, left, placed = 0;

    if (iw_rx_is_held(&e->stream) && !iw_rx_resume(&e->stream))
        return 0;
    if (e->carried > 0 && !sp_feed_carried(e))
        return 0;
    count = iw_rx_want(&e->stream, spans, 8, SP_SCRATCH, &scratch);
    left = sp_portion(p, p->read_max, e->in->n);
    for (size_t i = 0; i < count && left > 0; i++) {
        size_t piece = spans[i].n < left ? spans[i].n : left;

        memcpy(spans[i].p, e->in->p + placed, piece);
        placed += piece;
        left -= piece;
    }
    if (placed > 0)
        iw_rx_placed(&e->stream, placed);
    left = left < scratch ? left : scratch;
    if (left > 0) {
        memcpy(e->carry, e->in->p + placed, left);
        e->carried = left;
        (void)sp_feed_carried(e);
    }
    sp_wire_drop(e->in, placed + left);
    return placed + left;
}

/* Until nothing moves any more. */
static inline void sp_run(struct stream_pair *p)
{
    size_t moved;

    do {
        moved = sp_transmit(p, &p->a) + sp_transmit(p, &p->b);
        moved += sp_receive(p, &p->a) + sp_receive(p, &p->b);
    } while (moved > 0);
}

/* ---- raw peer ---- */

/* Sends an FPDU with this header and payload to `e`. */
static inline void sp_raw_fpdu(
    struct sp_end *e, const struct ddp_segment *seg, const void *payload, size_t len, bool crc)
{
    uint8_t fpdu[2 + DDP_UNTAGGED_LEN + 65536 + 8] = {0};
    size_t n = MPA_LEN_FIELD, ulpdu_len;

    n += ddp_segment_build(seg, fpdu + n);
    if (len > 0)
        memcpy(fpdu + n, payload, len);
    n += len;
    ulpdu_len = n - MPA_LEN_FIELD;
    sn_put_be16(fpdu, (uint16_t)ulpdu_len);
    n += mpa_pad_len((uint32_t)ulpdu_len);
    if (crc)
        sn_put_le32(fpdu + n, sn_crc32c_finish(sn_crc32c_add(SN_CRC32C_INIT, fpdu, n)));
    sp_wire_put(e->in, fpdu, n + MPA_CRC_LEN);
}

/* The next FPDU that `e` sent, taken off the wire: its ULPDU is at *p. False if there is none. */
static inline bool sp_raw_take(
    struct sp_end *e, struct ddp_segment *seg, uint8_t *ulpdu, size_t cap, size_t *payload_len)
{
    uint32_t ulpdu_len, fpdu_len;

    if (e->out->n < MPA_LEN_FIELD)
        return false;
    ulpdu_len = sn_get_be16(e->out->p);
    fpdu_len = mpa_fpdu_len(ulpdu_len);
    assert_true(e->out->n >= fpdu_len && ulpdu_len <= cap);
    assert_int_equal(
        ddp_segment_parse(e->out->p + MPA_LEN_FIELD, ulpdu_len, ulpdu_len, true, seg), WIRE_OK);
    memcpy(ulpdu, e->out->p + MPA_LEN_FIELD, ulpdu_len);
    *payload_len = seg->payload_len;
    sp_wire_drop(e->out, fpdu_len);
    return true;
}

#endif
