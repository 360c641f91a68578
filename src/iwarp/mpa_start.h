/* SPDX-License-Identifier: MIT */
/*
 * MPA start-up: what we offer, and what two frames together mean. Pure functions; who reads and
 * writes the frames is the connector (rnic/). [RFC5044 7], [RFC6581]
 */
#ifndef SN_IWARP_MPA_START_H
#define SN_IWARP_MPA_START_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "wire/mpa.h"
#include "wire/wire_err.h"

enum iw_crc { IW_CRC_NEVER_ASK, IW_CRC_ASK, IW_CRC_REQUIRE };

enum iw_rtr {
    IW_RTR_NONE = 0,
    IW_RTR_SEND = 1,
    IW_RTR_WRITE = 2,
    IW_RTR_READ = 4
}; /* also a mask */

/* Settings of an adapter. */
struct iw_mpa_options {
    uint8_t revision; /* 1 or 2: what a Request speaks, and the highest that is answered */
    enum iw_crc crc;
    bool markers;              /* ask for markers on what we receive */
    uint8_t rtr;               /* mask of enum iw_rtr; 0: no peer-to-peer */
    uint16_t ird_max, ord_max; /* of the adapter, at most MPA_IRD_ORD_MAX */
};

/* The most private data of the ULP that fits a frame with these options: 512 or 508. */
uint16_t iw_mpa_private_max(const struct iw_mpa_options *o);

/* What both frames together fix for the life of the connection. */
struct iw_mpa_result {
    uint8_t revision;
    bool is_enhanced; /* IRD and ORD were negotiated */
    bool crc;
    bool markers_tx, markers_rx;
    bool is_p2p;
    enum iw_rtr rtr;   /* initiator: which one to send; responder: mask of what may come */
    uint32_t ird, ord; /* effective, of this side */
};

enum iw_mpa_verdict {
    IW_MPA_OK,
    IW_MPA_REJECTED,  /* R=1: the frame's private data is the peer's reason */
    IW_MPA_CLOSE,     /* close TCP without a word; *err says why */
    IW_MPA_TERMINATE, /* enter full operation only to send this Terminate, then close */
    IW_MPA_REJECT_IT, /* responder: answer with R=1, then close (asks for what we cannot do) */
};

/* ---- initiator ---- */

/*
 * Fills the Request to send. ird, ord: what the consumer asked for, cut to the adapter's. Revision
 * 2 uses the enhanced block always. A Read RTR is offered only with ord >= 1. `private_data` is
 * referred to. False if the private data is too long.
 */
SN_MUST_CHECK bool iw_mpa_request(const struct iw_mpa_options *o, uint32_t ird, uint32_t ord,
    const void *private_data, size_t private_len, struct mpa_frame *request);
/*
 * Judges the Reply. On OK *out is complete. IRD is raised to the responder's ORD when the adapter
 * has it, else TERMINATE MPA_NO_IRD; no common RTR: TERMINATE MPA_NO_RTR (out->crc and markers are
 * valid then). A Reply that does not mirror revision 2 / S: CLOSE MPA_FRAME. Crc REQUIRE and a
 * Reply without C: CLOSE. RTR choice: Write, else Read, else Send.
 */
SN_MUST_CHECK enum iw_mpa_verdict iw_mpa_judge_reply(const struct iw_mpa_options *o,
    const struct mpa_frame *request, const struct mpa_frame *reply, struct iw_mpa_result *out,
    enum wire_err *err);

/* ---- responder ---- */

/* What a Request offers, from this side's view: shown to the consumer before it accepts. */
struct iw_mpa_offer {
    struct mpa_frame request; /* private_data is not kept: copy it before */
    uint32_t ird, ord;        /* the peer's ORD and IRD, cut to the adapter's maxima */
};
/* OK or CLOSE (revision 0 or above the option's; Crc REQUIRE and a Request without C: REJECT_IT).
 */
SN_MUST_CHECK enum iw_mpa_verdict iw_mpa_judge_request(const struct iw_mpa_options *o,
    const struct mpa_frame *request, struct iw_mpa_offer *out, enum wire_err *err);
/*
 * Fills the Reply that accepts, and what it fixes. ird, ord: the consumer's limits; the Reply
 * carries the lesser of these, the peer's offer and the adapter's (docs/decisions). A zero-length
 * Read RTR makes room for one Read even with ird 0. RTR answer to A=1: of what the peer offers and
 * we take, Write if there, else Read, else Send; nothing in common: all we take. Revision and S
 * mirror the Request. False if the private data is too long.
 */
SN_MUST_CHECK bool iw_mpa_accept(const struct iw_mpa_options *o, const struct iw_mpa_offer *offer,
    uint32_t ird, uint32_t ord, const void *private_data, size_t private_len,
    struct mpa_frame *reply, struct iw_mpa_result *out);
/* Fills the Reply that rejects. False if the private data is too long. */
SN_MUST_CHECK bool iw_mpa_reject(const struct iw_mpa_options *o, const struct iw_mpa_offer *offer,
    const void *private_data, size_t private_len, struct mpa_frame *reply);

#endif
