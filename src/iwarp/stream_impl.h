/* SPDX-License-Identifier: MIT */
/*
 * The insides of a stream. rnic embeds it and looks at nothing in it; the files of iwarp/ share it:
 * stream.c (life, state, Terminate), rx*.c (octets in), tx*.c (octets out), reads.c (both read
 * queues), complete.c (completions, flush). All fields: lane only.
 */
#ifndef SN_IWARP_STREAM_IMPL_H
#define SN_IWARP_STREAM_IMPL_H

#include "iwarp/stream.h"
#include "wire/fpdu.h"

enum {
    IW_RX_SPANS = 18,            /* a 64 KiB payload over scattered pages */
    IW_RX_BIG_ULPDU = 16 * 1024, /* from here on payload is worth a read of its own */
    IW_RX_BIG_MEMORY = 4,        /* small FPDUs in a row until we believe in small ones again */
    IW_TRAILER_MAX = MPA_PAD_MAX + MPA_CRC_LEN,
    IW_HEAD_MAX = MPA_LEN_FIELD + DDP_UNTAGGED_LEN,
};

/* Where an FPDU is while its octets come in pieces. */
enum iw_rx_phase {
    IW_RX_HEAD,    /* length field and DDP header; nothing of it there yet: between FPDUs */
    IW_RX_PAYLOAD, /* `left` octets of payload to come */
    IW_RX_TRAILER, /* pad and CRC */
};

/* Where the payload of the current FPDU goes. */
enum iw_rx_to {
    IW_TO_NOWHERE, /* none, or not ours to place: an error waits for the CRC */
    IW_TO_CTRL,    /* an RDMAP header: kept here */
    IW_TO_WRITE,   /* the STag of the segment */
    IW_TO_RECV,    /* the receive taken */
    IW_TO_READ,    /* the sink of the oldest outstanding Read */
};

struct iw_rx {
    enum iw_rx_phase phase;
    enum iw_rx_to to;
    struct ddp_segment seg;
    uint32_t ulpdu_len;
    uint32_t left;             /* octets of payload still to come; 0 while whole FPDUs are read */
    uint32_t crc;              /* running; starts anew at the end of each FPDU */
    enum wire_err err;         /* what is wrong with this FPDU, unless its CRC is */
    enum sn_status own_status; /* with err: what becomes of the receive or Read it was for */
    bool is_held;
    bool is_ended;               /* no octets will come any more */
    bool is_rtr;                 /* this FPDU is the Send RTR */
    bool is_in_message;          /* the receive holds a part of a message */
    uint8_t opcode;              /* of that message */
    uint8_t big;                 /* counts down from IW_RX_BIG_MEMORY */
    struct iw_recv *recv;        /* taken, not yet done */
    uint32_t recv_len;           /* octets of its message that were delivered by whole FPDUs */
    uint32_t send_msn, read_msn; /* next expected on QN 0 and 1 */
    /* pieces of an FPDU */
    uint32_t head_have, trailer_have, trailer_len;
    uint8_t head[IW_HEAD_MAX];
    uint8_t trailer[IW_TRAILER_MAX];
    uint8_t ctrl[RDMAP_ATOMIC_REQ_LEN];
    /* what iw_rx_want gave out, for iw_rx_placed */
    size_t spans;
    struct sn_span span[IW_RX_SPANS];
    /* markers; positions count from the start-up frame */
    uint64_t pos, fpdu_start;
    uint32_t marker_have;
    uint8_t marker[MPA_MARKER_LEN];
    bool is_marker_bad;
};
_Static_assert(sizeof(((struct iw_rx *)0)->ctrl) >= RDMAP_TERM_LEN_MAX, "a Terminate fits");

struct iw_stream {
    struct iw_stream_config config;
    enum iw_state state;
    bool is_gate_open;
    bool is_heard;          /* an octet of the peer's FPDUs arrived */
    bool is_first_seen;     /* and a valid FPDU */
    bool is_error_reported; /* a completion said why: all later ones are SN_CANCELLED [VRB-016] */

    /* transmit */
    struct iw_tx_cursor tx; /* behind what TCP took (or the stash holds) */
    uint32_t started_pos;   /* requests before this position were begun, local ones executed */
    uint32_t close_pos;     /* IW_CLOSING: what was posted before */
    uint32_t emss;
    uint32_t tagged_max, untagged_max; /* payload per FPDU, for the message in progress */
    struct iw_stash *stash;

    /* own Reads: [orq_head, tx.orq_tail) are outstanding */
    struct iw_outbound_read *orq;
    uint32_t orq_mask, orq_head;
    /* Reads of the peer: [tx.irrq_pos, irrq_tail) are to be answered */
    struct iw_inbound_read *irrq;
    uint32_t irrq_mask, irrq_tail;

    struct iw_rx rx;

    enum wire_err err;
    bool has_term, is_term_received;
    uint64_t fpdus_in, fpdus_out; /* whole ones with a right CRC; handed to TCP */
    struct rdmap_term term;
};

/* ---- stream.c ---- */

/* Moves to `state` and says so upwards. Nothing happens if it is there already. */
void iw_stream_enter(struct iw_stream *s, enum iw_state state);
/*
 * An error of the peer's or of ours: begins the Terminate about `segment` (NULL: about none) and,
 * for a Read Request, its header. Only the first error counts; later ones change nothing. [RDM-045]
 */
void iw_stream_fail(struct iw_stream *s, enum wire_err e, const struct ddp_segment *segment,
    uint32_t ulpdu_len, const struct rdmap_read_req *read);
/* A Terminate of the peer's arrived. */
void iw_stream_terminated(struct iw_stream *s, const struct rdmap_term *term);

/* Messages are sent and received: no error yet, and not over. */
static inline bool iw_stream_is_working(const struct iw_stream *s)
{
    return s->state == IW_OPEN || s->state == IW_CLOSING;
}
/* FPDUs other than a Terminate may go out. [RFC5044 7.1.2] */
static inline bool iw_stream_may_send(const struct iw_stream *s)
{
    return s->is_gate_open && (s->config.is_initiator || s->is_first_seen) &&
           iw_stream_is_working(s);
}

/* ---- complete.c ---- */

static inline uint32_t iw_sq_head(const struct iw_stream *s)
{
    return sn_a32_load_relaxed(&s->config.sq->head);
}
static inline struct iw_wr *iw_sq_slot(const struct iw_stream *s, uint32_t pos)
{
    return iw_ring_slot(s->config.sq, pos);
}
/* Position behind the last request that may be begun. */
static inline uint32_t iw_sq_end(const struct iw_stream *s)
{
    return s->state == IW_OPEN ? sn_a32_load_acquire(&s->config.sq->tail) : s->close_pos;
}
/* Is position a before b? They wrap. */
static inline bool iw_is_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}
/* Completes, in order, what is done at the head of the send queue. */
void iw_complete_ready(struct iw_stream *s);
/* The taken receive is done. */
void iw_complete_recv(
    struct iw_stream *s, enum sn_status status, uint32_t len, bool has_invalidated);

/* ---- reads.c ---- */

/* SN_NO_MEMORY. */
SN_MUST_CHECK enum sn_status iw_reads_init(struct iw_stream *s);
void iw_reads_fini(struct iw_stream *s);

static inline struct iw_outbound_read *iw_orq_slot(const struct iw_stream *s, uint32_t pos)
{
    return &s->orq[pos & s->orq_mask];
}
/* The oldest Read that waits for its response, NULL if none does. */
static inline struct iw_outbound_read *iw_orq_oldest(const struct iw_stream *s)
{
    return s->orq_head != s->tx.orq_tail ? iw_orq_slot(s, s->orq_head) : NULL;
}
static inline struct iw_inbound_read *iw_irrq_slot(const struct iw_stream *s, uint32_t pos)
{
    return &s->irrq[pos & s->irrq_mask];
}
/* One more request of the peer fits: IRD of them, and one without octets beyond. */
bool iw_irrq_has_room(const struct iw_stream *s, bool is_empty);
/* Its MSN, for what is returned about it. */
uint32_t iw_irrq_msn(const struct iw_stream *s, uint32_t pos);
/* The request at `wr_pos` (RTR: none) becomes an outstanding Read at the cursor. */
struct iw_outbound_read *iw_orq_push(
    struct iw_stream *s, struct iw_tx_cursor *c, uint32_t wr_pos, uint32_t len, bool is_rtr);
/* The response of the oldest Read is complete. */
void iw_orq_done(struct iw_stream *s);

#endif
