/* SPDX-License-Identifier: MIT */
#include "wire/fpdu.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"

enum { FPDUPTR_MASK = 0xFFFC };

uint32_t mpa_mulpdu(uint32_t emss, bool markers)
{
    /* Length field and CRC, what a multiple of 4 leaves over, and every marker that can fall in. */
    uint64_t overhead = MPA_LEN_FIELD + MPA_CRC_LEN + emss % 4u;

    if (markers) {
        uint64_t count = ((uint64_t)emss + MPA_MARKER_SPACING - 1) / MPA_MARKER_SPACING;
        overhead += MPA_MARKER_LEN * count;
    }
    if (emss < MPA_MULPDU_MIN + overhead)
        return MPA_MULPDU_MIN;
    if (emss - overhead > MPA_MULPDU_MAX)
        return MPA_MULPDU_MAX;
    return (uint32_t)(emss - overhead);
}

void mpa_marker_build(uint8_t out[MPA_MARKER_LEN], uint32_t fpduptr)
{
    sn_put_be16(out, 0);
    sn_put_be16(out + 2, (uint16_t)(fpduptr & FPDUPTR_MASK));
}

uint16_t mpa_marker_parse(const uint8_t in[MPA_MARKER_LEN])
{
    return sn_get_be16(in + 2) & FPDUPTR_MASK;
}

/* Writes the marker due at `pos` for an FPDU whose length field is at `start`. */
static size_t put_marker(uint8_t *out, uint64_t pos, uint64_t start)
{
    mpa_marker_build(out, (uint32_t)(pos - start));
    return MPA_MARKER_LEN;
}

size_t mpa_fpdu_insert_markers(
    const uint8_t *fpdu, size_t len, uint64_t pos, bool crc, uint8_t *out)
{
    size_t left, done = 0;
    uint64_t start;

    SN_ASSERT(len > MPA_CRC_LEN && len % 4 == 0);
    SN_ASSERT(len <= mpa_fpdu_len(MPA_MULPDU_MAX));
    SN_ASSERT(pos % 4 == 0);

    /* One that falls between two FPDUs belongs to the later, in front of its length field, and
     * says 0. The position of the length field is only known behind it. */
    if (mpa_marker_distance(pos) == 0)
        done += put_marker(out, pos, pos);
    start = pos + done;
    for (left = len - MPA_CRC_LEN; left > 0;) {
        size_t piece = mpa_marker_distance(pos + done);

        if (piece == 0) { /* never at start: the loop has copied something by then */
            done += put_marker(out + done, pos + done, start);
            piece = MPA_MARKER_SPACING - MPA_MARKER_LEN;
        }
        piece = piece < left ? piece : left;
        memcpy(out + done, fpdu, piece);
        fpdu += piece;
        left -= piece;
        done += piece;
    }
    /* Between pad and CRC: still of this FPDU, and under its CRC. */
    if (mpa_marker_distance(pos + done) == 0)
        done += put_marker(out + done, pos + done, start);
    sn_put_le32(out + done, crc ? sn_crc32c_finish(sn_crc32c_add(SN_CRC32C_INIT, out, done)) : 0);
    return done + MPA_CRC_LEN;
}
