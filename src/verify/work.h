/* SPDX-License-Identifier: MIT */
/*
 * Posted requests, from posting to the collection of their completion. The request's context that
 * the provider sees is a record of ours; the consumer's own is put back when the completion is
 * collected. One thread posts on a queue at a time (or N-T2, N-T3 is reported) and one collects;
 * they share two counters. Control calls look at the records from other threads.
 */
#ifndef SN_VERIFY_WORK_H
#define SN_VERIFY_WORK_H

#include "verify/memory.h"
#include "verify/shadow.h"

enum verify_op {
    VERIFY_SEND,
    VERIFY_SEND_INVALIDATE,
    VERIFY_READ,
    VERIFY_WRITE,
    VERIFY_BIND,
    VERIFY_FAST_REGISTER,
    VERIFY_INVALIDATE,
    VERIFY_RECEIVE,
    VERIFY_OP_COUNT
};

/* Where a piece of a request's memory is; read by control calls of other threads. */
struct verify_piece {
    struct sn_a64 start; /* address, virtual or logical */
    struct sn_a64 what;  /* length << 32 | token */
};

struct verify_wr {
    PVOID context; /* the consumer's */
    uint64_t index;
    struct sn_a32 busy;  /* in a shared receive queue: not collected yet */
    uint32_t sum;        /* of the memory, with SOFTNDK_VERIFY_BUFFERS */
    struct sn_a32 count; /* of pieces */
    uint8_t op;          /* enum verify_op */
    bool is_silent;
    bool has_sum;
    bool invalidates;             /* a read that invalidates the region of its first SGE */
    struct verify_piece pieces[]; /* bind, fast register, invalidate: one without length */
};

struct verify_queue {
    struct verify_domain domain;
    ULONG depth;
    bool is_shared;  /* completions come in any order */
    uint32_t size;   /* of the ring: a power of two above depth */
    size_t stride;   /* octets of a record */
    uint32_t pieces; /* of a record */
    unsigned char *records;
    struct sn_a64 posted;    /* written by who posts */
    struct sn_a64 collected; /* written by who collects; shared queues: added to */
    struct verify_found found[VERIFY_FOUND_MAX];
};

/* False: no memory. depth 0: nothing can be posted. */
SN_MUST_CHECK bool verify_queue_init(
    struct verify_queue *q, ULONG depth, ULONG sge_max, bool is_shared);
void verify_queue_fini(struct verify_queue *q);

/* Posted and not collected. */
static inline uint64_t verify_outstanding(const struct verify_queue *q)
{
    uint64_t collected = sn_a64_load_acquire(&q->collected);

    return sn_a64_load_relaxed(&q->posted) - collected;
}

/* A record for a request with this SGL, which counts as posted from now on. NULL: the ring, which
 * is larger than the queue, is full. */
struct verify_wr *verify_queue_push(
    struct verify_queue *q, enum verify_op op, PVOID context, const NDK_SGE *sgl, ULONG count);
/* The provider refused it. */
void verify_queue_unpush(struct verify_queue *q, struct verify_wr *wr);
/* Its completion was collected: it, and in a queue that is not shared what was posted before it, is
 * not outstanding any more. `skipped` is called for each that is passed over; may be NULL. */
void verify_queue_collect(struct verify_queue *q, struct verify_wr *wr,
    void (*skipped)(void *ctx, struct verify_wr *wr), void *ctx);
/* Nothing is outstanding any more; `dropped` is called for what was (not in shared queues). */
void verify_queue_drop(
    struct verify_queue *q, void (*dropped)(void *ctx, struct verify_wr *wr), void *ctx);

/* Is there an outstanding request of `op` (VERIFY_OP_COUNT: any) with memory of `token`, if start
 * is below end in [start, end)? Any thread. */
bool verify_queue_uses(
    const struct verify_queue *q, enum verify_op op, uint32_t token, uint64_t start, uint64_t end);

/* A checksum of a request's memory; its addresses are virtual ones. */
uint32_t verify_wr_sum(const struct verify_wr *wr);

#endif
