/* SPDX-License-Identifier: MIT */
/*
 * What a peer can do wrong, each with the Terminate it causes: layer, error type, error code
 * [RFC5040 4.8], [RFC5041 7], [RFC5044 8], [RFC6581], and which headers that Terminate carries.
 * One list makes the enum, the names and the table.
 */
#ifndef SN_WIRE_WIRE_ERR_H
#define SN_WIRE_WIRE_ERR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

/* Which parts of the offending segment a Terminate returns (RFC 5040 figure 10). */
enum wire_err_headers {
    WIRE_HDR_NONE, /* nothing: LLP errors and local catastrophes */
    WIRE_HDR_DDP,  /* segment length and DDP header */
    WIRE_HDR_READ, /* these and, for a Read Request, its RDMAP header */
};

/* name, layer, type, code, headers, text */
#define WIRE_ERR_LIST(X)                                                                           \
    X(OK, 0x0, 0x0, 0x00, NONE, "no error")                                                        \
    X(LOCAL_CATASTROPHIC, 0x0, 0x0, 0x00, NONE, "local error unrelated to a message of the peer")  \
    X(RDMAP_STAG_INVALID, 0x0, 0x1, 0x00, READ, "RDMAP: invalid STag")                             \
    X(RDMAP_BASE_BOUNDS, 0x0, 0x1, 0x01, READ, "RDMAP: base or bounds violation")                  \
    X(RDMAP_ACCESS, 0x0, 0x1, 0x02, READ, "RDMAP: access rights violation")                        \
    X(RDMAP_STAG_STREAM, 0x0, 0x1, 0x03, READ, "RDMAP: STag not associated with the stream")       \
    X(RDMAP_TO_WRAP, 0x0, 0x1, 0x04, READ, "RDMAP: TO wrap")                                       \
    X(RDMAP_CANNOT_INVALIDATE, 0x0, 0x1, 0x09, READ, "RDMAP: STag cannot be invalidated")          \
    X(RDMAP_PROTECTION_UNSPECIFIED, 0x0, 0x1, 0xFF, READ, "RDMAP: unspecified protection error")   \
    X(RDMAP_VERSION, 0x0, 0x2, 0x05, DDP, "RDMAP: invalid version")                                \
    X(RDMAP_OPCODE, 0x0, 0x2, 0x06, DDP, "RDMAP: unexpected opcode")                               \
    X(RDMAP_STREAM_CATASTROPHIC, 0x0, 0x2, 0x07, DDP, "RDMAP: catastrophic, this stream")          \
    X(RDMAP_GLOBAL_CATASTROPHIC, 0x0, 0x2, 0x08, DDP, "RDMAP: catastrophic, the device")           \
    X(RDMAP_INVALIDATE_UNKNOWN, 0x0, 0x2, 0x09, DDP, "RDMAP: no such STag to invalidate")          \
    X(RDMAP_UNSPECIFIED, 0x0, 0x2, 0xFF, DDP, "RDMAP: unspecified")                                \
    X(DDP_CATASTROPHIC, 0x1, 0x0, 0x00, DDP, "DDP: segment too short or otherwise unusable")       \
    X(DDP_STAG_INVALID, 0x1, 0x1, 0x00, DDP, "DDP tagged: invalid STag")                           \
    X(DDP_BASE_BOUNDS, 0x1, 0x1, 0x01, DDP, "DDP tagged: base or bounds violation")                \
    X(DDP_STAG_STREAM, 0x1, 0x1, 0x02, DDP, "DDP tagged: STag not associated with the stream")     \
    X(DDP_TO_WRAP, 0x1, 0x1, 0x03, DDP, "DDP tagged: TO wrap")                                     \
    X(DDP_TAGGED_VERSION, 0x1, 0x1, 0x04, DDP, "DDP tagged: invalid version")                      \
    X(DDP_QN, 0x1, 0x2, 0x01, DDP, "DDP untagged: invalid QN")                                     \
    X(DDP_NO_BUFFER, 0x1, 0x2, 0x02, DDP, "DDP untagged: no buffer for this MSN")                  \
    X(DDP_MSN_RANGE, 0x1, 0x2, 0x03, DDP, "DDP untagged: MSN out of range")                        \
    X(DDP_MO, 0x1, 0x2, 0x04, DDP, "DDP untagged: invalid MO")                                     \
    X(DDP_TOO_LONG, 0x1, 0x2, 0x05, DDP, "DDP untagged: message longer than the buffer")           \
    X(DDP_UNTAGGED_VERSION, 0x1, 0x2, 0x06, DDP, "DDP untagged: invalid version")                  \
    X(MPA_CLOSED, 0x2, 0x0, 0x01, NONE, "MPA: TCP connection closed or lost")                      \
    X(MPA_CRC, 0x2, 0x0, 0x02, NONE, "MPA: CRC mismatch")                                          \
    X(MPA_MARKER, 0x2, 0x0, 0x03, NONE, "MPA: marker and length disagree")                         \
    X(MPA_FRAME, 0x2, 0x0, 0x04, NONE, "MPA: invalid start-up frame")                              \
    X(MPA_LOCAL_CATASTROPHIC, 0x2, 0x0, 0x05, NONE, "MPA: local error during enhanced set-up")     \
    X(MPA_NO_IRD, 0x2, 0x0, 0x06, NONE, "MPA: not enough IRD")                                     \
    X(MPA_NO_RTR, 0x2, 0x0, 0x07, NONE, "MPA: no RTR option in common")

enum wire_err {
#define X(name, layer, type, code, headers, text) WIRE_##name,
    WIRE_ERR_LIST(X)
#undef X
        WIRE_ERR_COUNT
};

struct wire_err_info {
    const char *name;
    const char *text;
    uint8_t layer, type, code;
    enum wire_err_headers headers;
};

/* Never NULL; a value outside the list gives the entry of RDMAP_UNSPECIFIED. */
const struct wire_err_info *wire_err_info(enum wire_err e);

/*
 * The error that a received layer, type and code stand for. Layer 0 type 0 is LOCAL_CATASTROPHIC
 * with any code; type 3 counts as 0 for layer 2, as NICs send it. [RDM-050] Never gives OK. False,
 * and *out untouched, if the list has no such entry.
 */
SN_MUST_CHECK bool wire_err_from_code(
    uint8_t layer, uint8_t type, uint8_t code, enum wire_err *out);

#endif
