/* SPDX-License-Identifier: MIT */
/*
 * One stream with queues and memory, for the fuzz targets: the input is its peer. Everything is the
 * same in each run, STags too, so an input names what it means to hit. world_end checks what must
 * hold whatever came in: each request and each taken receive completed once, at most one of the
 * requests with an error of its own, and no octet changed that nobody had the right to change.
 */
#ifndef FUZZ_STREAM_WORLD_H
#define FUZZ_STREAM_WORLD_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/crc32c.h"
#include "iwarp/stream.h"
#include "iwarp/stream_impl.h"

enum {
    W_LEN = 600,  /* octets of a region */
    W_GUARD = 64, /* on both sides */
    W_CANARY = 0xC5,
    W_DEPTH = 16,
    W_SGES = 2,
    W_SCRATCH = 4096,
    W_IRD = 3,
    W_PD = 1,
    W_QP = 11,
};

/* The regions; their TOs start at W_BASE, those of W_HIGH end at 2^64. */
enum world_region { W_RW, W_READ_ONLY, W_LOCAL, W_FOREIGN, W_HIGH, W_FAST, W_WINDOW, W_REGIONS };
#define W_BASE      0x1000u
#define W_HIGH_BASE (UINT64_MAX - W_LEN + 1)

enum world_option {
    W_NO_CRC = 0x01,
    W_MARKERS_RX = 0x02,
    W_MARKERS_TX = 0x04,
    W_RFC7306 = 0x08,
    W_INITIATOR = 0x10,
    W_RTR = 0x20,
    W_SMALL_FPDUS = 0x40,
    W_CUT = 0x80, /* read and write in small portions */
};

struct world {
    struct mem_table mem;
    struct iw_stream stream;
    struct iw_ring sq, rq;
    struct iw_batch *batch;
    struct mem_region *region[W_REGIONS];
    uint8_t memory[W_REGIONS][W_LEN + 2 * W_GUARD];
    uint64_t page; /* of W_FAST */
    uint64_t random;
    uint8_t options;
    uint32_t posted, silent, done, errors, taken, received;
    uint32_t portion;
    /* input not yet taken, while held */
    uint8_t *carry;
    size_t carried;
    size_t live_before;
};

static inline uint32_t world_next(struct world *w)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(w->random >> 33);
}

static inline void world_random(void *ctx, void *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)out)[i] = (uint8_t)world_next(ctx);
}

static inline void world_wr_done(void *ctx, const struct iw_wr *wr, enum sn_status status)
{
    struct world *w = ctx;

    (void)wr;
    w->done++;
    SN_ASSERT(w->done <= w->posted);
    if (status != SN_OK && status != SN_CANCELLED)
        w->errors++;
}

static inline struct iw_recv *world_recv_take(void *ctx)
{
    struct world *w = ctx;

    return iw_ring_has(&w->rq, w->taken) ? iw_ring_slot(&w->rq, w->taken++) : NULL;
}

static inline void world_recv_done(void *ctx, struct iw_recv *r, enum sn_status status,
    uint32_t len, bool is_solicited, bool has_invalidated, uint32_t stag)
{
    struct world *w = ctx;

    (void)is_solicited;
    (void)stag;
    SN_ASSERT(r == iw_ring_slot(&w->rq, w->received));
    SN_ASSERT(len <= r->len);
    SN_ASSERT(status == SN_OK || !has_invalidated);
    w->received++;
    SN_ASSERT(w->received <= w->taken);
    sn_a32_store_release(&w->rq.head, w->received);
    if (status != SN_OK && status != SN_CANCELLED)
        w->errors++;
}

static inline void world_nothing(void *ctx)
{
    (void)ctx;
}

static const struct iw_stream_ops world_ops = {.wr_done = world_wr_done,
    .recv_take = world_recv_take,
    .recv_done = world_recv_done,
    .first_fpdu = world_nothing,
    .state_changed = world_nothing};

static inline struct iw_sge world_sge(
    const struct world *w, unsigned which, uint32_t off, uint32_t len)
{
    const struct mem_region *r = w->region[which % W_REGIONS];

    return (struct iw_sge){.addr = r->base + off, .len = len, .stag = mem_region_stag(r)};
}

static inline void world_post(struct world *w, const struct iw_wr *wr, struct iw_sge sge)
{
    struct iw_wr *slot = iw_ring_reserve(&w->sq);

    if (slot == NULL)
        return;
    *slot = *wr;
    slot->sge_count = 1;
    slot->len = sge.len;
    *iw_wr_sge(slot) = sge;
    iw_ring_push(&w->sq);
    w->posted++;
    w->silent += (wr->flags & IW_WR_SILENT) != 0;
}

static inline void world_post_recv(struct world *w, struct iw_sge a, struct iw_sge b)
{
    struct iw_recv *r = iw_ring_reserve(&w->rq);

    if (r == NULL)
        return;
    *r = (struct iw_recv){.pd = W_PD, .len = a.len + b.len, .sge_count = 2};
    iw_recv_sge(r)[0] = a;
    iw_recv_sge(r)[1] = b;
    iw_ring_push(&w->rq);
}

static inline void world_register_fast(struct world *w)
{
    const struct iw_wr wr = {.op = IW_OP_FAST_REGISTER,
        .local.fast = {.region = w->region[W_FAST],
            .args = {.pages = &w->page,
                .pages_count = 1,
                .base = W_BASE,
                .len = W_LEN,
                .rights = MEM_REMOTE_READ | MEM_REMOTE_WRITE}}};

    world_post(w, &wr, (struct iw_sge){0});
}

static inline void world_bind(struct world *w)
{
    const struct iw_wr wr = {.op = IW_OP_BIND,
        .local.bind = {.window = w->region[W_WINDOW],
            .args = {.mr = w->region[W_RW],
                .base = W_BASE + 50,
                .len = 100,
                .rights = MEM_REMOTE_READ | MEM_REMOTE_WRITE,
                .stag = mem_window_next_stag(&w->mem, w->region[W_WINDOW])}}};

    world_post(w, &wr, (struct iw_sge){0});
}

static inline void world_invalidate(struct world *w, enum world_region which)
{
    const struct iw_wr wr = {.op = IW_OP_INVALIDATE, .local.invalidate.region = w->region[which]};

    world_post(w, &wr, (struct iw_sge){0});
}

static inline void world_regions(struct world *w)
{
    static const struct {
        enum mem_kind kind;
        uint32_t pd, rights;
        uint64_t base;
    } kinds[W_REGIONS] = {
        [W_RW] = {MEM_KIND_MR, W_PD, MEM_REMOTE_READ | MEM_REMOTE_WRITE, W_BASE},
        [W_READ_ONLY] = {MEM_KIND_MR, W_PD, MEM_REMOTE_READ, W_BASE},
        [W_LOCAL] = {MEM_KIND_MR, W_PD, MEM_LOCAL_READ | MEM_LOCAL_WRITE, W_BASE},
        [W_FOREIGN] = {MEM_KIND_MR, W_PD + 1, MEM_REMOTE_READ | MEM_REMOTE_WRITE, W_BASE},
        [W_HIGH] = {MEM_KIND_MR, W_PD, MEM_REMOTE_READ | MEM_REMOTE_WRITE, W_HIGH_BASE},
        [W_FAST] = {MEM_KIND_FAST_MR, W_PD, 0, 0},
        [W_WINDOW] = {MEM_KIND_WINDOW, W_PD, 0, 0},
    };
    uint8_t *page = aligned_alloc(MEM_PAGE_SIZE, MEM_PAGE_SIZE);

    SN_ASSERT(page != NULL);
    memset(page, 0, MEM_PAGE_SIZE);
    w->page = (uintptr_t)page;
    memset(w->memory, W_CANARY, sizeof(w->memory));
    for (int i = 0; i < W_REGIONS; i++) {
        SN_ASSERT(mem_region_create(&w->mem, kinds[i].kind, kinds[i].pd, &w->region[i]) == SN_OK);
        if (kinds[i].kind == MEM_KIND_MR)
            SN_ASSERT(mem_register(&w->mem, w->region[i], w->memory[i] + W_GUARD, kinds[i].base,
                          W_LEN, kinds[i].rights) == SN_OK);
    }
    SN_ASSERT(mem_fast_init(&w->mem, w->region[W_FAST], 1, true) == SN_OK);
}

/* One for all runs: its scratch is large. */
static inline struct iw_batch *world_batch(void)
{
    static struct iw_batch *batch;

    if (batch == NULL)
        batch = iw_batch_create();
    SN_ASSERT(batch != NULL);
    return batch;
}

/* NULL never. The stream is open and has nothing to do. */
static inline struct world *world_begin(uint8_t options)
{
    struct world *w = calloc(1, sizeof(*w));
    const bool is_initiator = (options & W_INITIATOR) != 0;
    struct iw_stream_config config = {.who = {.pd = W_PD, .qp = W_QP},
        .is_initiator = is_initiator,
        .mpa = {.revision = 2,
            .is_enhanced = true,
            .crc = (options & W_NO_CRC) == 0,
            .markers_rx = (options & W_MARKERS_RX) != 0,
            .markers_tx = (options & W_MARKERS_TX) != 0,
            .is_p2p = (options & W_RTR) != 0,
            .rtr = is_initiator ? IW_RTR_READ : IW_RTR_SEND | IW_RTR_WRITE | IW_RTR_READ,
            .ird = W_IRD,
            .ord = 2},
        .payload_max = (options & W_SMALL_FPDUS) != 0 ? 64 : 0,
        .rfc7306 = (options & W_RFC7306) != 0,
        .sink_stag = 0x51515151,
        .ops = &world_ops};

    SN_ASSERT(w != NULL);
    w->batch = world_batch();
    w->live_before = sn_alloc_live_count();
    w->options = options;
    w->random = 1;
    SN_ASSERT(mem_table_init(&w->mem, 16, NULL, world_random, w) == SN_OK);
    world_regions(w);
    SN_ASSERT(iw_ring_init(&w->sq, W_DEPTH, sizeof(struct iw_wr) + sizeof(struct iw_sge)) == SN_OK);
    SN_ASSERT(iw_ring_init(&w->rq, W_DEPTH,
                  sizeof(struct iw_recv) + W_SGES * sizeof(struct iw_sge)) == SN_OK);
    config.mem = &w->mem;
    config.sq = &w->sq;
    config.ctx = w;
    SN_ASSERT(iw_stream_init(&w->stream, &config) == SN_OK);
    iw_open_gate(&w->stream);
    return w;
}

static inline size_t world_portion(struct world *w, size_t n)
{
    size_t portion;

    if ((w->options & W_CUT) == 0)
        return n;
    portion = 1 + w->portion++ * 7 % 53;
    return portion < n ? portion : n;
}

/* Sends until nothing more goes, or `rounds` times. */
static inline void world_transmit(struct world *w, unsigned rounds)
{
    while (rounds-- > 0 && iw_tx_has_work(&w->stream)) {
        size_t n = iw_tx_gather(&w->stream, w->batch), spans = 0;

        for (size_t i = 0; i < w->batch->spans; i++) {
            volatile uint8_t sink = w->batch->span[i].p[w->batch->span[i].n - 1];

            (void)sink;
            spans += w->batch->span[i].n;
        }
        SN_ASSERT(spans == n);
        SN_ASSERT(iw_tx_sent(&w->stream, w->batch, world_portion(w, n)));
    }
}

/* Feeds octets that lie outside their destination, in an allocation of exactly their size. */
static inline void world_feed(struct world *w, const uint8_t *p, size_t n)
{
    uint8_t *all = malloc(w->carried + n + 1);
    size_t used, total = w->carried + n;

    SN_ASSERT(all != NULL);
    if (w->carried > 0)
        memcpy(all, w->carry, w->carried);
    if (n > 0)
        memcpy(all + w->carried, p, n);
    free(w->carry);
    w->carry = NULL;
    w->carried = 0;
    used = iw_rx_feed(&w->stream, all, total);
    SN_ASSERT(used <= total);
    if (used < total) {
        SN_ASSERT(iw_rx_is_held(&w->stream));
        w->carried = total - used;
        memmove(all, all + used, w->carried);
        w->carry = all;
    } else {
        free(all);
    }
}

/* Octets of the peer, read where the stream wants them. What comes while it is held waits. */
static inline void world_receive(struct world *w, const uint8_t *p, size_t n)
{
    while (n > 0) {
        struct sn_span v[3];
        size_t scratch, placed = 0, count, portion = world_portion(w, n);

        if (iw_rx_is_held(&w->stream) && !iw_rx_resume(&w->stream))
            iw_rx_give_up(&w->stream);
        if (w->carried > 0) {
            world_feed(w, NULL, 0);
            if (w->carried > 0)
                continue;
        }
        count = iw_rx_want(&w->stream, v, 3, W_SCRATCH, &scratch);
        if (count == 0 && scratch == 0)
            return;
        for (size_t i = 0; i < count && placed < portion; i++) {
            size_t piece = v[i].n < portion - placed ? v[i].n : portion - placed;

            memcpy(v[i].p, p + placed, piece);
            placed += piece;
        }
        if (placed > 0)
            iw_rx_placed(&w->stream, placed);
        portion -= placed;
        portion = portion < scratch ? portion : scratch;
        if (portion > 0)
            world_feed(w, p + placed, portion);
        p += placed + portion;
        n -= placed + portion;
    }
}

static inline void world_check_canaries(const struct world *w)
{
    for (int i = 0; i < W_REGIONS; i++) {
        for (int k = 0; k < W_GUARD; k++) {
            SN_ASSERT(w->memory[i][k] == W_CANARY);
            SN_ASSERT(w->memory[i][W_GUARD + W_LEN + k] == W_CANARY);
        }
    }
    for (int k = 0; k < W_LEN; k++) {
        SN_ASSERT(w->memory[W_READ_ONLY][W_GUARD + k] == W_CANARY);
        SN_ASSERT(w->memory[W_FOREIGN][W_GUARD + k] == W_CANARY);
    }
    for (int k = W_LEN; k < MEM_PAGE_SIZE; k++)
        SN_ASSERT(((const uint8_t *)(uintptr_t)w->page)[k] == 0);
}

/* Ends everything and checks what must hold. */
static inline void world_end(struct world *w)
{
    uint32_t pos;

    world_transmit(w, 1000);
    (void)iw_stream_blame(&w->stream, &pos);
    iw_rx_end(&w->stream, false);
    iw_flush(&w->stream, SN_RESET);
    iw_flush(&w->stream, SN_RESET);
    SN_ASSERT(w->done + w->silent >= w->posted); /* silent ones may have been */
    SN_ASSERT(iw_sq_head(&w->stream) == sn_a32_load_relaxed(&w->sq.tail));
    SN_ASSERT(w->received == w->taken);
    SN_ASSERT(w->errors <= 1);
    world_check_canaries(w);
    iw_stream_fini(&w->stream, w->batch);
    iw_ring_fini(&w->sq);
    iw_ring_fini(&w->rq);
    for (int i = W_REGIONS; i > 0; i--)
        SN_ASSERT(mem_region_destroy(&w->mem, w->region[i - 1]) == SN_OK);
    mem_table_fini(&w->mem);
    free((void *)(uintptr_t)w->page);
    free(w->carry);
    SN_ASSERT(sn_alloc_live_count() == w->live_before);
    free(w);
}

#endif
