/* SPDX-License-Identifier: MIT */
/*
 * What the protocol costs without a system: two streams of src/iwarp back to back in memory, one
 * thread, no socket. The same work every time, so instructions can be counted and compared.
 *
 *   bench_core [--rounds N] [--guard]
 *
 *   send_tx, send_rx     a Send of 64 octets, with CRC: laid out in a batch and gone (iw_tx_gather,
 *                        iw_tx_sent); taken in (iw_rx_want, iw_rx_feed)
 *   plain_tx, plain_rx   the same without CRC
 *   write_tx, write_rx   a Write of 64 KiB in FPDUs of 32 KiB, without CRC and without the copies
 * that a system call would make: what is left is the work for each FPDU
 *
 * Output and --guard as for bench_micro. Exit status 0, 1 if it did not work, 2 for usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/args.h"
#include "common/tool.h"
#include "iwarp/stream_impl.h"

#define NOINLINE __attribute__((noinline))

enum {
    BATCH = 256,
    SMALL = 64,
    BIG = 64 * 1024,
    BIG_WRITES = 4, /* as many as one gather takes: IW_BATCH_OCTETS */
    FPDU_PAYLOAD = 32 * 1024,
    SCRATCH = 256 * 1024,
    MOST = BIG_WRITES * BIG,
};

enum op { SEND_TX, SEND_RX, PLAIN_TX, PLAIN_RX, WRITE_TX, WRITE_RX, OP_COUNT };

struct end {
    struct iw_stream stream;
    struct iw_ring sq, rq;
    struct iw_batch *batch;
    struct iw_sge sge;
    uint32_t rq_taken;
    uint64_t done, received;
};

/* Two streams with the wire between them. */
struct pair {
    struct mem_table mem;
    struct end a, b;
    uint8_t *wire;
    size_t wire_n, gathered;
    uint32_t remote_stag;
    uint64_t remote_to;
    bool is_failed;
};

static bool is_guard;
static double *samples[OP_COUNT];
static size_t samples_count[OP_COUNT];
static uint64_t calls[OP_COUNT];

/* ---- Upcalls ---- */

static void on_wr_done(void *ctx, const struct iw_wr *wr, enum sn_status status)
{
    struct end *e = ctx;

    (void)wr;
    e->done += status == SN_OK;
}

static struct iw_recv *on_recv_take(void *ctx)
{
    struct end *e = ctx;

    return iw_ring_has(&e->rq, e->rq_taken) ? iw_ring_slot(&e->rq, e->rq_taken++) : NULL;
}

static void on_recv_done(void *ctx, struct iw_recv *r, enum sn_status status, uint32_t len,
    bool is_solicited, bool has_invalidated, uint32_t stag)
{
    struct end *e = ctx;

    (void)r, (void)len, (void)is_solicited, (void)has_invalidated, (void)stag;
    e->received += status == SN_OK;
    sn_a32_store_release(&e->rq.head, sn_a32_load_relaxed(&e->rq.head) + 1);
}

static void on_nothing(void *ctx)
{
    (void)ctx;
}

static const struct iw_stream_ops stream_ops = {.wr_done = on_wr_done,
    .recv_take = on_recv_take,
    .recv_done = on_recv_done,
    .first_fpdu = on_nothing,
    .state_changed = on_nothing};

/* ---- What is measured ---- */

static void post(struct pair *p, enum iw_op op, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct iw_wr *wr = iw_ring_reserve(&p->a.sq);

        if (wr == NULL) {
            p->is_failed = true;
            return;
        }
        memset(wr, 0, sizeof *wr);
        wr->op = (uint8_t)op;
        wr->sge_count = 1;
        wr->len = p->a.sge.len;
        if (op == IW_OP_WRITE) {
            wr->remote_stag = p->remote_stag;
            wr->remote_to = p->remote_to;
        }
        iw_wr_sge(wr)[0] = p->a.sge;
        iw_ring_push(&p->a.sq);
    }
}

/* What a batch holds, put on the wire as TCP would. Payload that lies in the consumer's memory is
 * not copied: nobody looks at it. */
static void put_on_wire(struct pair *p)
{
    const struct iw_batch *b = p->a.batch;

    for (size_t i = 0; i < b->spans; i++) {
        if ((uintptr_t)b->span[i].p - p->a.sge.addr >= BIG)
            memcpy(p->wire + p->wire_n, b->span[i].p, b->span[i].n);
        p->wire_n += b->span[i].n;
    }
}

/* First all that was posted is laid out in one batch, then all of it has gone. */
static inline void transmit(struct pair *p)
{
    if (p->gathered == 0)
        p->gathered = iw_tx_gather(&p->a.stream, p->a.batch);
    else if (!iw_tx_sent(&p->a.stream, p->a.batch, p->gathered))
        p->is_failed = true;
}

/* As rnic/ does: what the stream wants, from where TCP has it. */
static inline void receive(struct pair *p)
{
    struct sn_span span[IW_RX_SPANS];
    const uint8_t *at = p->wire;
    size_t left = p->wire_n;

    while (left > 0 && !p->is_failed) {
        size_t want, count = iw_rx_want(&p->b.stream, span, IW_RX_SPANS, SCRATCH, &want);
        size_t placed = 0;

        for (size_t i = 0; i < count && placed < left; i++)
            placed += span[i].n;
        if (placed > left)
            placed = left;
        at += placed;
        left -= placed;
        if (placed > 0)
            iw_rx_placed(&p->b.stream, placed);
        if (want > left)
            want = left;
        if (want > 0 && iw_rx_feed(&p->b.stream, at, want) != want)
            p->is_failed = true;
        p->is_failed |= placed == 0 && want == 0;
        at += want;
        left -= want;
    }
}

static NOINLINE void op_send_tx(struct pair *p)
{
    transmit(p);
}

static NOINLINE void op_send_rx(struct pair *p)
{
    receive(p);
}

static NOINLINE void op_plain_tx(struct pair *p)
{
    transmit(p);
}

static NOINLINE void op_plain_rx(struct pair *p)
{
    receive(p);
}

static NOINLINE void op_write_tx(struct pair *p)
{
    transmit(p);
}

static NOINLINE void op_write_rx(struct pair *p)
{
    receive(p);
}

static const struct {
    const char *name;
    void (*run)(struct pair *p);
    uint32_t count; /* operations in one run */
} ops[OP_COUNT] = {
    [SEND_TX] = {"send_tx", op_send_tx, BATCH},
    [SEND_RX] = {"send_rx", op_send_rx, BATCH},
    [PLAIN_TX] = {"plain_tx", op_plain_tx, BATCH},
    [PLAIN_RX] = {"plain_rx", op_plain_rx, BATCH},
    [WRITE_TX] = {"write_tx", op_write_tx, BIG_WRITES},
    [WRITE_RX] = {"write_rx", op_write_rx, BIG_WRITES},
};

static void run(struct pair *p, enum op op)
{
    uint64_t began = is_guard ? 0 : tool_now_ns();

    ops[op].run(p);
    if (!is_guard)
        samples[op][samples_count[op]] += (double)(tool_now_ns() - began) / ops[op].count;
}

/* There and in: both operations of a kind. */
static void measure(struct pair *p, enum op tx, enum op rx)
{
    p->gathered = 0;
    p->wire_n = 0;
    run(p, tx);
    put_on_wire(p);
    run(p, tx);
    run(p, rx);
    p->is_failed |= p->gathered == 0 || p->gathered != p->wire_n;
    samples_count[tx]++;
    samples_count[rx]++;
    calls[tx] += ops[tx].count;
    calls[rx] += ops[rx].count;
}

/* ---- Setting up ---- */

static void fill_random(void *ctx, void *out, size_t n)
{
    static uint64_t x = 0x9e3779b97f4a7c15u;
    uint8_t *p = out;

    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        p[i] = (uint8_t)(x >> 56);
    }
}

static bool open_end(struct pair *p, struct end *e, bool is_initiator, bool has_crc)
{
    struct iw_stream_config config = {.mem = &p->mem,
        .who = {.pd = 1, .qp = is_initiator ? 1 : 2},
        .is_initiator = is_initiator,
        .mpa = {.revision = 2, .is_enhanced = true, .crc = has_crc, .ird = 16, .ord = 16},
        .payload_max = FPDU_PAYLOAD,
        .sink_stag = 0x5100 + is_initiator,
        .sq = &e->sq,
        .ops = &stream_ops,
        .ctx = e};

    e->batch = iw_batch_create();
    if (e->batch == NULL ||
        iw_ring_init(&e->sq, 2 * BATCH, sizeof(struct iw_wr) + sizeof(struct iw_sge)) != SN_OK ||
        iw_ring_init(&e->rq, 2 * BATCH, sizeof(struct iw_recv) + sizeof(struct iw_sge)) != SN_OK ||
        iw_stream_init(&e->stream, &config) != SN_OK)
        return false;
    iw_open_gate(&e->stream);
    return true;
}

static bool open_pair(struct pair *p, bool has_crc)
{
    const uint32_t rights = MEM_LOCAL_READ | MEM_LOCAL_WRITE | MEM_REMOTE_WRITE;
    struct mem_region *from, *to;
    uint8_t *memory = calloc(2, BIG);

    p->wire = malloc(2 * MOST);
    if (memory == NULL || p->wire == NULL ||
        mem_table_init(&p->mem, 64, NULL, fill_random, NULL) != SN_OK ||
        mem_region_create(&p->mem, MEM_KIND_MR, 1, &from) != SN_OK ||
        mem_region_create(&p->mem, MEM_KIND_MR, 1, &to) != SN_OK ||
        mem_register(&p->mem, from, memory, (uintptr_t)memory, BIG, rights) != SN_OK ||
        mem_register(&p->mem, to, memory + BIG, (uintptr_t)(memory + BIG), BIG, rights) != SN_OK)
        return false;
    p->a.sge = (struct iw_sge){(uintptr_t)memory, SMALL, mem_region_stag(from)};
    p->b.sge = (struct iw_sge){(uintptr_t)(memory + BIG), SMALL, mem_region_stag(to)};
    p->remote_stag = p->b.sge.stag;
    p->remote_to = p->b.sge.addr;
    memset(p->wire, 0, 2 * MOST);
    return open_end(p, &p->a, true, has_crc) && open_end(p, &p->b, false, has_crc);
}

static void post_receives(struct pair *p)
{
    for (uint32_t i = 0; i < BATCH; i++) {
        struct iw_recv *r = iw_ring_reserve(&p->b.rq);

        if (r == NULL) {
            p->is_failed = true;
            return;
        }
        *r = (struct iw_recv){.pd = 1, .len = p->b.sge.len, .sge_count = 1};
        iw_recv_sge(r)[0] = p->b.sge;
        iw_ring_push(&p->b.rq);
    }
}

static void sends(struct pair *p, enum op tx, enum op rx)
{
    p->a.sge.len = SMALL;
    post_receives(p);
    post(p, IW_OP_SEND, BATCH);
    measure(p, tx, rx);
}

static bool one_round(struct pair *crc, struct pair *plain, struct pair *big)
{
    sends(crc, SEND_TX, SEND_RX);
    sends(plain, PLAIN_TX, PLAIN_RX);
    big->a.sge.len = BIG;
    post(big, IW_OP_WRITE, BIG_WRITES);
    measure(big, WRITE_TX, WRITE_RX);
    return !crc->is_failed && !plain->is_failed && !big->is_failed;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void print_results(void)
{
    printf("{\"results\":[");
    for (int i = 0; i < OP_COUNT; i++) {
        size_t n = samples_count[i];

        printf("%s\n{\"op\":\"%s\",\"calls\":%llu", i > 0 ? "," : "", ops[i].name,
            (unsigned long long)calls[i]);
        if (!is_guard) {
            qsort(samples[i], n, sizeof *samples[i], compare_doubles);
            printf(",\"ns\":%.2f,\"ns_min\":%.2f", samples[i][n / 2], samples[i][0]);
        }
        printf("}");
    }
    printf("\n]}\n");
}

static const char usage[] = "usage: bench_core [--rounds N] [--guard]\n";

int main(int argc, char **argv)
{
    static struct pair crc, plain, big;
    uint64_t rounds = 400, expected;
    const struct args_option options[] = {
        {"--rounds", ARGS_NUMBER, &rounds, 1, 1000000, NULL},
        {"--guard", ARGS_FLAG, &is_guard, 0, 0, NULL},
    };
    struct args_result result;

    tool_start("bench_core");
    if (!args_parse(options, sizeof options / sizeof options[0], argc, argv, &result))
        return tool_fail(TOOL_USAGE, "%s", result.error);
    if (result.rest_count > 0)
        return tool_fail(TOOL_USAGE, "'%s' is one argument too many", result.rest[0]);
    if (result.wants_help) {
        fputs(usage, stdout);
        return TOOL_DONE;
    }
    for (int i = 0; i < OP_COUNT; i++) {
        samples[i] = calloc(rounds, sizeof *samples[i]);
        if (samples[i] == NULL)
            return tool_fail(TOOL_FAILED, "memory is short");
    }
    if (!open_pair(&crc, true) || !open_pair(&plain, false) || !open_pair(&big, false))
        return tool_fail(TOOL_FAILED, "memory is short");
    for (uint64_t i = 0; i < rounds; i++) {
        if (!one_round(&crc, &plain, &big))
            return tool_fail(TOOL_FAILED, "the streams stopped");
    }
    expected = rounds * BATCH;
    if (crc.b.received != expected || plain.b.received != expected ||
        big.a.done != rounds * BIG_WRITES)
        return tool_fail(TOOL_FAILED, "not everything arrived");
    print_results();
    return TOOL_DONE;
}
