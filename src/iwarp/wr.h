/* SPDX-License-Identifier: MIT */
/*
 * Work requests as the protocol core sees them, and the rings they wait in.
 *
 * Both rings are single producer (the consumer serialises posts per queue [NDKPI
 * work-request-posting]), single consumer (the lane). Slots have one size per ring, fixed when the
 * queue pair is created, so posting allocates nothing. A slot belongs to the poster until `tail` is
 * published, to the lane until `head` passes it.
 */
#ifndef SN_IWARP_WR_H
#define SN_IWARP_WR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/status.h"
#include "mem/mem.h"

enum iw_op {
    IW_OP_SEND, /* with or without IW_WR_INVALIDATE, IW_WR_SOLICITED */
    IW_OP_WRITE,
    IW_OP_READ,
    IW_OP_FAST_REGISTER,
    IW_OP_BIND,
    IW_OP_INVALIDATE,
    IW_OP_COUNT
};

/* It goes nowhere: executed by this side alone. */
static inline bool iw_op_is_local(uint8_t op)
{
    return op == IW_OP_FAST_REGISTER || op == IW_OP_BIND || op == IW_OP_INVALIDATE;
}

enum iw_wr_flag {
    IW_WR_SILENT = 0x01,     /* no completion when it succeeds */
    IW_WR_READ_FENCE = 0x02, /* starts when all earlier Reads are complete */
    IW_WR_SOLICITED = 0x04,
    IW_WR_INLINE = 0x08,     /* payload is in the slot, behind the header */
    IW_WR_INVALIDATE = 0x10, /* SEND: remote_stag is invalidated at the peer.
                                READ: the STag of the first SGE is invalidated here when done */
};

/* One piece of local memory. stag tells whose rules apply; addr is in its TO space. */
struct iw_sge {
    uint64_t addr;
    uint32_t len;
    uint32_t stag;
};

/* An initiator work request: the fixed part of a send-queue slot. */
struct iw_wr {
    void *context; /* the consumer's RequestContext */
    uint8_t op;    /* enum iw_op */
    uint8_t flags; /* enum iw_wr_flag */
    uint16_t sge_count;
    uint32_t len;         /* octets of payload in all */
    uint64_t remote_to;   /* WRITE, READ */
    uint32_t remote_stag; /* WRITE, READ, SEND with IW_WR_INVALIDATE */
    /* lane only: */
    uint8_t is_done; /* ready to complete when its turn comes */
    uint8_t status;  /* enum sn_status, when done */
    uint16_t reserved;
    /* Local operations. All begin alike: `release` is called once, when the request was executed or
     * is given up, and needs its region and pages no longer. NULL: nobody wants to know. */
    union {
        struct {
            void (*release)(struct iw_wr *wr);
            struct mem_region *region;
        } any;
        struct {
            void (*release)(struct iw_wr *wr);
            struct mem_region *region;
            struct mem_fast_reg args; /* args.pages stays readable until released */
            void *release_ctx;
        } fast;
        struct {
            void (*release)(struct iw_wr *wr);
            struct mem_region *window;
            struct mem_bind args;
        } bind;
        struct {
            void (*release)(struct iw_wr *wr);
            struct mem_region *region;
        } invalidate;
    } local;
    /* struct iw_sge[sge_count], or `len` octets when IW_WR_INLINE */
};

static inline struct iw_sge *iw_wr_sge(struct iw_wr *wr)
{
    return (struct iw_sge *)(void *)(wr + 1);
}
static inline uint8_t *iw_wr_inline(struct iw_wr *wr)
{
    return (uint8_t *)(wr + 1);
}

/* A posted receive. */
struct iw_recv {
    void *context;
    uint32_t pd;  /* whose STags the SGEs name: of the QP or of the SRQ */
    uint32_t len; /* octets in all */
    uint16_t sge_count;
    uint16_t reserved[3];
    /* struct iw_sge[sge_count] */
};

static inline struct iw_sge *iw_recv_sge(struct iw_recv *r)
{
    return (struct iw_sge *)(void *)(r + 1);
}

/*
 * A ring of equal slots. Positions count up for ever and are reduced by the mask; tail - head is
 * the fill, at most `depth` (which need not be a power of two).
 */
struct iw_ring {
    uint8_t *slots;
    uint32_t stride;                            /* octets, a multiple of 16 */
    uint32_t mask;                              /* slots allocated - 1 */
    uint32_t depth;                             /* what the consumer asked for */
    _Alignas(SN_CACHE_LINE) struct sn_a32 tail; /* poster writes, lane reads */
    uint32_t head_seen;                         /* poster only: last head it read */
    _Alignas(SN_CACHE_LINE) struct sn_a32 head; /* lane writes, poster reads */
};

/* depth 0 is legal: every post finds it full. SN_NO_MEMORY, SN_LIMIT (depth above 2^24). */
SN_MUST_CHECK enum sn_status iw_ring_init(struct iw_ring *r, uint32_t depth, size_t slot_size);
void iw_ring_fini(struct iw_ring *r);

static inline void *iw_ring_slot(const struct iw_ring *r, uint32_t pos)
{
    return r->slots + (size_t)(pos & r->mask) * r->stride;
}

/* Poster: the next free slot, NULL when full. Publish it with iw_ring_push. */
static inline void *iw_ring_reserve(struct iw_ring *r)
{
    uint32_t tail = sn_a32_load_relaxed(&r->tail);

    if (tail - r->head_seen >= r->depth) {
        r->head_seen = sn_a32_load_acquire(&r->head);
        if (tail - r->head_seen >= r->depth)
            return NULL;
    }
    return iw_ring_slot(r, tail);
}
static inline void iw_ring_push(struct iw_ring *r)
{
    sn_a32_store_release(&r->tail, sn_a32_load_relaxed(&r->tail) + 1);
}
/* Lane: is there a slot at pos? */
static inline bool iw_ring_has(const struct iw_ring *r, uint32_t pos)
{
    return pos != sn_a32_load_acquire(&r->tail);
}

#endif
