/* SPDX-License-Identifier: MIT */
/*
 * What the receive files share. An FPDU goes: rx_begin (header known: where to, or what is wrong),
 * placement, rx_finish (CRC known: deliver, or raise what was wrong). rx.c calls these for whole
 * FPDUs and for pieces; tagged and untagged messages have a file each. [RFC5041 5], [RFC5040 5]
 */
#ifndef SN_IWARP_RX_H
#define SN_IWARP_RX_H

#include "iwarp/mem_list.h"
#include "iwarp/stream_impl.h"

/* ---- rx_tagged.c, rx_untagged.c: judge s->rx.seg, set s->rx.to or s->rx.err ---- */

void iw_rx_begin_tagged(struct iw_stream *s);
/* False: held, there is no receive. Nothing was changed then, so it can be called again. */
SN_MUST_CHECK bool iw_rx_begin_untagged(struct iw_stream *s);

/* The FPDU is valid and placed. `ctrl` is the RDMAP header of what has one. */
void iw_rx_deliver_tagged(struct iw_stream *s);
void iw_rx_deliver_untagged(struct iw_stream *s, const uint8_t *ctrl);

/* ---- rx_place.c ---- */

/* The FPDU may not be placed, for a reason in its memory: s->rx.err and what goes with it. */
void iw_rx_refuse(struct iw_stream *s, enum mem_result why);
/*
 * Up to `max` spans of the memory of the payload octets from `off` to the end of the segment;
 * *covered is how many octets they hold. At least one, unless refused: then 0, and it is in
 * s->rx.err.
 */
size_t iw_rx_locate(
    struct iw_stream *s, uint32_t off, struct sn_span *spans, size_t max, uint32_t *covered);
/* Copies n octets of payload, the first at `off`, to where they belong; or finds that they may not
 * go there, and sets s->rx.err. */
void iw_rx_place(struct iw_stream *s, uint32_t off, const uint8_t *p, uint32_t n);
/* Asks for the whole payload, before any of it is placed. */
void iw_rx_check(struct iw_stream *s);

#endif
