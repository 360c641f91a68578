/* SPDX-License-Identifier: MIT */
/*
 * One RDMAP stream in full operation: the sans-IO core. Octets in, octets out, no socket, thread,
 * clock or allocation (init and the stash pool aside). Everything here is called inside the
 * stream's lane.
 *
 * Receive. The core says where the next octets belong: first the rest of the current payload, in
 * the consumer's memory (checked by mem/ anew for each read, so an STag that was revoked meanwhile
 * is refused), then scratch of the caller for what follows. Any split of the octets gives the same
 * result. Payload may be placed before the CRC of its FPDU is known, but only into octets that the
 * FPDU validly addresses; nothing is delivered, completed, invalidated or answered before
 * (docs/decisions). A small FPDU that lies whole in scratch is checked first and copied once.
 *
 * Transmit. iw_tx_gather lays out as many FPDUs as fit into a batch: headers, trailers and small
 * payloads in the batch's scratch, large payloads by reference. iw_tx_sent tells how much TCP took;
 * FPDUs that did not go are laid out again later; the rest of one that went in part is kept in a
 * stash, so nothing is ever inserted into an FPDU. A Read Response with CRC is copied into
 * scratch first: its memory may change under us by right, its CRC may not.
 *
 * Ordering [RFC5040 5.5]: work requests start in post order and complete in post order; a Read does
 * not hold up later Sends unless fenced, only their completions. Read Responses alternate with own
 * work.
 */
#ifndef SN_IWARP_STREAM_H
#define SN_IWARP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "iwarp/mpa_start.h"
#include "iwarp/wr.h"
#include "mem/mem.h"
#include "wire/rdmap.h"
#include "wire/wire_err.h"

struct iw_stream;

/* Upcalls into rnic, inside the lane. They queue, they never run consumer code, and they do not
 * call back into the stream except where said. */
struct iw_stream_ops {
    /* The oldest initiator request ended: in post order, each exactly once. The slot is free after
     * the call (the core advances sq->head). Silent successes are not reported. */
    void (*wr_done)(void *ctx, const struct iw_wr *wr, enum sn_status status);
    /* The next receive, NULL if none is posted. It stays the core's until recv_done. */
    struct iw_recv *(*recv_take)(void *ctx);
    /* That receive ended. status SN_OK: `len` octets arrived. */
    void (*recv_done)(void *ctx, struct iw_recv *r, enum sn_status status, uint32_t len,
        bool is_solicited, bool has_invalidated, uint32_t stag);
    /* Responder: the first FPDU was valid; what was posted may go now. Once. */
    void (*first_fpdu)(void *ctx);
    /* The stream left IW_OPEN; see iw_stream_state. Once per change. */
    void (*state_changed)(void *ctx);
};

enum iw_state {
    IW_OPEN,        /* full operation */
    IW_CLOSING,     /* iw_close: sends what is queued, then FIN; still receives */
    IW_TERMINATING, /* an error was found: the Terminate is to be sent, then FIN; discards input */
    IW_TERMINATED,  /* Terminate handed to TCP, or one received: FIN, discards input */
    IW_DEAD,        /* nothing can be sent or received any more */
};

struct iw_stream_config {
    struct mem_table *mem;
    struct mem_who who;
    bool is_initiator;
    struct iw_mpa_result mpa;
    uint32_t payload_max; /* octets of payload per FPDU at most; 0: by the MSS (iw_set_emss) */
    bool rfc7306;         /* answer atomics and immediate data */
    uint32_t sink_stag;   /* what our Read Requests name as sink; random, not 0 */
    uint32_t sink_rights; /* that a Read's sink needs besides MEM_LOCAL_WRITE; enum mem_right */
    struct iw_ring *sq;   /* of struct iw_wr */
    const struct iw_stream_ops *ops;
    void *ctx;
};

/* ---- transmit batch: one per lane, shared by its streams, empty between uses ---- */

enum {
    IW_BATCH_SPANS = 1024, /* IOV_MAX */
    IW_BATCH_FPDUS = 1024,
    IW_BATCH_OCTETS = 256 * 1024, /* aim of one gather: what others of the lane wait for */
    IW_BATCH_SCRATCH = 512 * 1024,
    IW_COPY_MAX = 512,           /* payloads up to this are copied next to their header */
    IW_STASH_OCTETS = 68 * 1024, /* the largest FPDU with markers fits */
};

struct iw_stash; /* rest of an FPDU that TCP took in part */

/* Where a stream stands in what it sends. Copied per FPDU so that a batch can be taken back. */
struct iw_tx_cursor {
    uint32_t wr_pos; /* position in the send queue of the request being sent */
    uint32_t wr_off; /* octets of it that are laid out */
    uint32_t send_msn, read_msn, term_msn; /* next on QN 0, 1, 2 */
    uint32_t orq_tail;                     /* Reads requested so far */
    uint32_t irrq_pos;                     /* inbound Read being answered */
    uint32_t irrq_off;
    uint32_t atomic_msn; /* next on QN 3 */
    bool rtr_sent, term_sent, prefer_wr;
    uint64_t marker_pos; /* octets sent since start-up */
};

struct iw_batch_fpdu {
    size_t end; /* octets of the batch up to and with this FPDU */
    struct iw_tx_cursor after;
};

struct iw_batch {
    struct sn_cspan span[IW_BATCH_SPANS];
    size_t spans;
    struct iw_batch_fpdu fpdu[IW_BATCH_FPDUS];
    size_t fpdus;
    size_t octets;
    size_t stash_octets; /* the first ones, from the stream's stash */
    uint8_t *scratch;
    size_t scratch_used;
    struct iw_stash *stash_pool; /* free ones, kept for reuse */
};
/* NULL when out of memory. Allocates the scratch and a few stashes. */
SN_MUST_CHECK struct iw_batch *iw_batch_create(void);
void iw_batch_destroy(struct iw_batch *b);

/* An inbound Read (or atomic) waiting for its answer. */
struct iw_inbound_read {
    struct rdmap_read_req req;
    bool is_atomic;
    uint32_t atomic_id;
    uint64_t atomic_old;
};
/* An own Read waiting for its response. */
struct iw_outbound_read {
    uint32_t wr_pos;
    uint32_t msn;
    uint32_t len;
    uint32_t received;
    uint64_t sink_to;
    bool is_rtr;
};

struct iw_stream; /* definition in iwarp/stream_impl.h; embedded by rnic, so its size is public
                     there */

/* Allocates the read queues (IRD, ORD entries). SN_NO_MEMORY. Starts in IW_OPEN with the transmit
 * gate shut: nothing goes out before iw_open_gate. */
SN_MUST_CHECK enum sn_status iw_stream_init(
    struct iw_stream *s, const struct iw_stream_config *config);
/* Everything was flushed before. Gives the stash back to `b`. */
void iw_stream_fini(struct iw_stream *s, struct iw_batch *b);

/* Initiator: the consumer completed the connect, the RTR (if any) may go, then its work.
 * Responder: the Reply was sent; work goes when the first FPDU was received [RFC5044 7.1.2].
 * Before, not even a Terminate goes. */
void iw_open_gate(struct iw_stream *s);
/* The MSS now; MULPDU follows between messages. */
void iw_set_emss(struct iw_stream *s, uint32_t emss);

enum iw_state iw_stream_state(const struct iw_stream *s);
/* The Terminate sent or received, NULL if none; was it received? And for logs, the error. */
const struct rdmap_term *iw_stream_terminate(const struct iw_stream *s, bool *is_received);
enum wire_err iw_stream_error(const struct iw_stream *s);

/* ---- receive ---- */

/*
 * Fills v[0..max) with the consumer's memory where the next octets belong and returns how many
 * spans; *scratch_want is how many octets to read behind them into scratch (0: none; never above
 * `scratch_max`). Both 0: do not read now (held for a receive, or dead). The spans are good until
 * the lane is left. Where a check fails here the rest of the FPDU is read into scratch; the
 * Terminate begins when its CRC is known. A Write with CRC goes through scratch (docs/decisions).
 */
size_t iw_rx_want(
    struct iw_stream *s, struct sn_span *v, size_t max, size_t scratch_max, size_t *scratch_want);
/* n octets were put into these spans (all spans before any scratch). */
void iw_rx_placed(struct iw_stream *s, size_t n);
/*
 * n octets arrived outside: consumes them, placing payload by copy. Returns how many were consumed;
 * fewer than n only when the stream became held: feed the rest again when it no longer is. Input
 * after an error is consumed and dropped.
 */
size_t iw_rx_feed(struct iw_stream *s, const uint8_t *p, size_t n);
/* A Send arrived and no receive is posted: do not read; iw_rx_resume when one is. */
bool iw_rx_is_held(const struct iw_stream *s);
/* Tries again to take a receive. True if it is no longer held. */
bool iw_rx_resume(struct iw_stream *s);
/* Held too long: Terminate DDP_NO_BUFFER. */
void iw_rx_give_up(struct iw_stream *s);
/* The peer's FIN, or an error of the pipe: nothing more will be received. IW_DEAD follows an error,
 * a FIN in the middle of an FPDU, a FIN when all is done (iw_is_idle) or after a Terminate. A FIN
 * with work outstanding begins the Terminate RDMAP_STREAM_CATASTROPHIC. Nothing is flushed here. */
void iw_rx_end(struct iw_stream *s, bool is_fin);
/* True between FPDUs with nothing outstanding in either direction: a FIN now is orderly. */
bool iw_is_idle(const struct iw_stream *s);

/* ---- transmit ---- */

/* Something could go out now (gate, fences, ORD and first-FPDU rule considered). Cheap. */
bool iw_tx_has_work(const struct iw_stream *s);
/* Lays out FPDUs; executes local operations (fast-register, bind, invalidate) that come up. Returns
 * the octets in b (b->span[0..spans)); 0: nothing to send. A request whose memory is refused
 * completes with SN_NO_ACCESS and begins the Terminate. */
size_t iw_tx_gather(struct iw_stream *s, struct iw_batch *b);
/* TCP took the first n octets of the batch. Completes requests that went whole. Empties b. False
 * if a stash was needed and there is no memory: abort the connection. */
SN_MUST_CHECK bool iw_tx_sent(struct iw_stream *s, struct iw_batch *b, size_t n);
/* Everything that will ever be sent was sent (IW_CLOSING drained, IW_TERMINATED): send FIN. */
bool iw_tx_wants_fin(const struct iw_stream *s);

/* ---- ends ---- */

/* No new work is started after what is queued; then FIN. Reads outstanding are awaited. */
void iw_close(struct iw_stream *s);
/* Begins a Terminate for a local reason (CQ overrun, local catastrophe). First error wins. */
void iw_fail(struct iw_stream *s, enum wire_err e);
/* Nothing more goes in or out (reset, close). */
void iw_kill(struct iw_stream *s);
/*
 * Completes everything in the send queue that has not completed, in order: the request that is to
 * blame (see iw_stream_blame) with its status, all others SN_CANCELLED; and gives back a receive
 * that was taken (SN_CANCELLED unless its own error was reported). Without anyone to blame the
 * oldest gets `first`, unless a completion said what was wrong before. [VRB-016] Safe to call
 * again. A stream that still works is killed first.
 */
void iw_flush(struct iw_stream *s, enum sn_status first);

/* The send-queue position whose request the received Terminate names, if it is still outstanding.
 */
bool iw_stream_blame(const struct iw_stream *s, uint32_t *wr_pos);

#endif
