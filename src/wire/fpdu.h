/* SPDX-License-Identifier: MIT */
/* FPDU arithmetic: lengths, pad, markers, MULPDU. [RFC5044 4] */
#ifndef SN_WIRE_FPDU_H
#define SN_WIRE_FPDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MPA_LEN_FIELD = 2,
    MPA_CRC_LEN = 4,
    MPA_PAD_MAX = 3,
    MPA_MARKER_LEN = 4,
    MPA_MARKER_SPACING = 512,
    MPA_ULPDU_LEN_MAX = 65535, /* that the length field can say; all of it is accepted */
    MPA_MULPDU_MAX = 64768,    /* that we ever send */
    MPA_MULPDU_MIN = 128,
};

/* Pad octets behind a ULPDU of this length: 2 + ulpdu + pad is a multiple of 4. */
static inline uint32_t mpa_pad_len(uint32_t ulpdu_len)
{
    return (4u - ((MPA_LEN_FIELD + ulpdu_len) & 3u)) & 3u;
}

/* Octets of the whole FPDU without markers. */
static inline uint32_t mpa_fpdu_len(uint32_t ulpdu_len)
{
    return MPA_LEN_FIELD + ulpdu_len + mpa_pad_len(ulpdu_len) + MPA_CRC_LEN;
}

/* Largest ULPDU to send for this effective MSS, MPA_MULPDU_MIN..MPA_MULPDU_MAX. [RFC5044 4.5] */
uint32_t mpa_mulpdu(uint32_t emss, bool markers);

/*
 * Octets until the next marker is due when `pos` octets of this direction were sent since the
 * start-up frame: 0 when one is due now.
 */
static inline uint32_t mpa_marker_distance(uint64_t pos)
{
    return (uint32_t)((MPA_MARKER_SPACING - pos % MPA_MARKER_SPACING) % MPA_MARKER_SPACING);
}

/* Writes a marker. `fpduptr` is the distance back to the FPDU's length field, 0 between FPDUs. */
void mpa_marker_build(uint8_t out[MPA_MARKER_LEN], uint32_t fpduptr);
/* FPDUPTR with its low two bits masked; the reserved half is not looked at. [RFC5044 4.2] */
uint16_t mpa_marker_parse(const uint8_t in[MPA_MARKER_LEN]);

/*
 * Copies a markerless FPDU (len octets, CRC field last, its value ignored) to `out` as it goes on
 * the wire at stream position `pos` (a multiple of 4, as every FPDU start is): markers inserted,
 * CRC over everything but itself if `crc`, else 0. The ULPDU is at most MPA_MULPDU_MAX octets, so
 * that FPDUPTR can say every distance. Returns the octets written (at most
 * mpa_marked_len_max(len)). [RFC5044 4.3], [RFC5044 4.4]
 */
size_t mpa_fpdu_insert_markers(
    const uint8_t *fpdu, size_t len, uint64_t pos, bool crc, uint8_t *out);
static inline size_t mpa_marked_len_max(size_t len)
{
    return len + MPA_MARKER_LEN * (len / (MPA_MARKER_SPACING - MPA_MARKER_LEN) + 2);
}

#endif
