/* SPDX-License-Identifier: MIT */
/* MPA start-up frames [RFC5044 7.1], [RFC6581]: parse and build. Pure functions over octets. */
#ifndef SN_WIRE_MPA_H
#define SN_WIRE_MPA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum {
    MPA_FRAME_HEADER_LEN = 20,
    MPA_PRIVATE_DATA_MAX = 512, /* on the wire, the enhanced block included */
    MPA_ENHANCED_LEN = 4,
    MPA_FRAME_LEN_MAX = MPA_FRAME_HEADER_LEN + MPA_PRIVATE_DATA_MAX,
    MPA_IRD_ORD_MAX = 0x3FFE,
    MPA_IRD_ORD_NOT_NEGOTIATED = 0x3FFF,
};

enum mpa_role { MPA_REQUEST, MPA_REPLY };

/* A start-up frame in host form. */
struct mpa_frame {
    enum mpa_role role;
    uint8_t revision;            /* 0..255 as received */
    bool markers;                /* M */
    bool crc;                    /* C */
    bool rejected;               /* R; meaningful in a Reply only */
    bool is_enhanced;            /* S of revision 2: the next six come from the enhanced block */
    bool p2p;                    /* A */
    bool rtr_send;               /* B */
    bool rtr_write;              /* C */
    bool rtr_read;               /* D */
    uint16_t ird, ord;           /* 14 bits */
    const uint8_t *private_data; /* of the ULP, without the enhanced block; points into the input */
    uint16_t private_len;
};

enum mpa_parse {
    MPA_PARSE_OK,      /* *used octets were one whole frame */
    MPA_PARSE_MORE,    /* a prefix of a legal frame: *need octets in all are needed to go on */
    MPA_PARSE_BAD_KEY, /* not this role's key; known as soon as one octet differs */
    MPA_PARSE_BAD_LEN, /* PD_Length above 512, or S with less than 4 */
};

/*
 * Parses a frame of `role` from buf[0..n). Any prefix may be given. Revision is not judged here
 * (iwarp/ decides what it speaks); bit 0x10 is S only with revision >= 2, reserved otherwise.
 * Reserved bits are ignored, and so are R in a Request and B, C, D when A is 0 (read as 0).
 * Octets behind the frame are left alone. *out and *used are written for OK only, *need for MORE
 * only. [RFC5044 7.1], [RFC6581]
 */
SN_MUST_CHECK enum mpa_parse mpa_frame_parse(enum mpa_role role, const uint8_t *buf, size_t n,
    struct mpa_frame *out, size_t *used, size_t *need);

/*
 * Builds `f` into buf[0..cap). Returns the frame's length, or 0 if it does not fit or f is not
 * encodable (private data too long, IRD or ORD above 14 bits, enhanced with revision < 2).
 * B, C, D are sent as 0 when A is 0. R is sent as 0 in a Request.
 */
SN_MUST_CHECK size_t mpa_frame_build(const struct mpa_frame *f, uint8_t *buf, size_t cap);

#endif
