/* SPDX-License-Identifier: MIT */
/* What the transmit files share: batch.c, tx.c, tx_fpdu.c, tx_message.c, local_ops.c. */
#ifndef SN_IWARP_TX_H
#define SN_IWARP_TX_H

#include "iwarp/mem_list.h"
#include "iwarp/stream_impl.h"

/* ---- batch.c ---- */

struct iw_stash {
    struct iw_stash *next; /* in the pool */
    size_t off, len;       /* octets [off, len) are still to go */
    uint8_t octets[IW_STASH_OCTETS];
};

/* NULL when out of memory. */
struct iw_stash *iw_stash_get(struct iw_batch *b);
void iw_stash_put(struct iw_batch *b, struct iw_stash *stash);
/* Forgets everything laid out. */
void iw_batch_clear(struct iw_batch *b);
/* Copies n octets of the batch, from octet `from` on; they are there. */
void iw_batch_copy(const struct iw_batch *b, size_t from, size_t n, uint8_t *out);

/* ---- tx_fpdu.c ---- */

/* Where the octets behind the DDP header come from. */
struct iw_payload {
    const uint8_t *octets; /* in hand: copied. NULL: from the list */
    struct iw_mem_list list;
    bool is_snapshot; /* may change under us: with CRC copied first */
};

enum iw_laid {
    IW_LAID,
    IW_LAID_FULL,    /* no room: send what is there first */
    IW_LAID_REFUSED, /* the memory is refused: *why */
};

/*
 * Appends one FPDU with `seg` and the octets [off, off + len) of the payload to the batch and
 * advances c->marker_pos. When it is not IW_LAID, nothing was appended. A batch without FPDUs
 * is never full.
 */
SN_MUST_CHECK enum iw_laid iw_fpdu_lay(const struct iw_stream *s, struct iw_batch *b,
    struct iw_tx_cursor *c, const struct ddp_segment *seg, const struct iw_payload *payload,
    uint32_t off, uint32_t len, enum mem_result *why);

/* ---- tx_message.c: one FPDU of the next message each ---- */

enum iw_step {
    IW_STEP_ON,   /* something was laid out or done: go on */
    IW_STEP_STOP, /* nothing more fits, or may go, into this batch */
};

enum iw_step iw_lay_terminate(struct iw_stream *s, struct iw_batch *b, struct iw_tx_cursor *c);
enum iw_step iw_lay_rtr(struct iw_stream *s, struct iw_batch *b, struct iw_tx_cursor *c);
enum iw_step iw_lay_response(struct iw_stream *s, struct iw_batch *b, struct iw_tx_cursor *c);
/* Of the Send, Write or Read at c->wr_pos. */
enum iw_step iw_lay_request(
    struct iw_stream *s, struct iw_batch *b, struct iw_tx_cursor *c, struct iw_wr *wr);

/* ---- local_ops.c ---- */

/* Executes a fast-register, bind or invalidate; SN_OK, or why it failed. It is released. */
SN_MUST_CHECK enum sn_status iw_local_execute(struct iw_stream *s, struct iw_wr *wr);
/* Gives up one that is never executed. */
void iw_local_release(struct iw_wr *wr);

#endif
