/* SPDX-License-Identifier: MIT */
/*
 * One FPDU in the batch: | length | DDP header | payload | pad | CRC |. Small payloads are copied
 * behind their header, and pieces of scratch that touch become one span, so that many small FPDUs
 * are one span and each needs one CRC call. Large payloads stay where they are.
 *
 * The CRC field is zero when CRCs are off. [RFC5044 4.4]
 */
#include "iwarp/tx.h"

#include "base/crc32c.h"

enum { PAYLOAD_SPANS = 18 }; /* looked up at once */

/* Room for a span must be there. */
static void push(struct iw_batch *b, const uint8_t *p, size_t n)
{
    struct sn_cspan *last = b->spans > 0 ? &b->span[b->spans - 1] : NULL;

    if (last != NULL && last->p + last->n == p) {
        last->n += n;
    } else {
        b->span[b->spans].p = p;
        b->span[b->spans].n = n;
        b->spans++;
    }
    b->octets += n;
}

static uint8_t *put_header(uint8_t *p, const struct ddp_segment *seg, uint32_t payload_len)
{
    uint32_t header_len = seg->is_tagged ? DDP_TAGGED_LEN : DDP_UNTAGGED_LEN;

    sn_put_be16(p, (uint16_t)(header_len + payload_len));
    p += MPA_LEN_FIELD;
    return p + ddp_segment_build(seg, p);
}

/* Pad octets are sent as zero. [MPA-037] */
static uint8_t *put_pad(uint8_t *p, uint32_t ulpdu_len)
{
    uint32_t pad = mpa_pad_len(ulpdu_len);

    for (uint32_t i = 0; i < pad; i++)
        p[i] = 0;
    return p + pad;
}

/* Copies the payload; where its memory is named by a list, piece by piece. */
static enum mem_result copy_payload(const struct iw_stream *s, const struct iw_payload *payload,
    uint32_t off, uint32_t len, uint8_t *out)
{
    struct sn_span spans[PAYLOAD_SPANS];
    enum mem_result result;
    uint32_t covered;
    size_t count;

    if (payload->octets != NULL) {
        memcpy(out, payload->octets + off, len);
        return MEM_OK;
    }
    while (len > 0) {
        result = iw_mem_list_locate(
            s->config.mem, &payload->list, off, len, spans, PAYLOAD_SPANS, &count, &covered);
        if (SN_UNLIKELY(result != MEM_OK))
            return result;
        for (size_t i = 0; i < count; i++) {
            memcpy(out, spans[i].p, spans[i].n);
            out += spans[i].n;
        }
        off += covered;
        len -= covered;
    }
    return MEM_OK;
}

/* Everything in scratch. With markers the FPDU is built behind its place and copied forward. */
static enum iw_laid lay_copied(const struct iw_stream *s, struct iw_batch *b,
    struct iw_tx_cursor *c, const struct ddp_segment *seg, const struct iw_payload *payload,
    uint32_t off, uint32_t len, enum mem_result *why)
{
    uint32_t ulpdu_len = (seg->is_tagged ? DDP_TAGGED_LEN : DDP_UNTAGGED_LEN) + len;
    size_t fpdu_len = mpa_fpdu_len(ulpdu_len);
    bool markers = s->config.mpa.markers_tx, crc = s->config.mpa.crc;
    size_t ahead = markers ? mpa_marked_len_max(fpdu_len) : 0;
    uint8_t *place = b->scratch + b->scratch_used;
    uint8_t *fpdu = place + ahead, *p;

    if (IW_BATCH_SCRATCH - b->scratch_used < ahead + fpdu_len || b->spans == IW_BATCH_SPANS)
        return IW_LAID_FULL;
    p = put_header(fpdu, seg, len);
    if (len > 0) {
        *why = copy_payload(s, payload, off, len, p);
        if (SN_UNLIKELY(*why != MEM_OK))
            return IW_LAID_REFUSED;
    }
    p = put_pad(p + len, ulpdu_len);
    if (markers) {
        fpdu_len = mpa_fpdu_insert_markers(fpdu, fpdu_len, c->marker_pos, crc, place);
        c->marker_pos += fpdu_len;
    } else if (crc) {
        sn_put_le32(
            p, sn_crc32c_finish(sn_crc32c_add(SN_CRC32C_INIT, fpdu, fpdu_len - MPA_CRC_LEN)));
    } else {
        sn_put_le32(p, 0);
    }
    push(b, place, fpdu_len);
    b->scratch_used += fpdu_len;
    return IW_LAID;
}

/* Spans of the payload into the batch; one span stays free for the trailer. */
static enum iw_laid push_references(const struct iw_stream *s, struct iw_batch *b,
    const struct iw_mem_list *list, uint32_t off, uint32_t len, uint32_t *crc, enum mem_result *why)
{
    struct sn_span spans[PAYLOAD_SPANS];
    uint32_t covered;
    size_t count;

    while (len > 0) {
        *why = iw_mem_list_locate(
            s->config.mem, list, off, len, spans, PAYLOAD_SPANS, &count, &covered);
        if (SN_UNLIKELY(*why != MEM_OK))
            return IW_LAID_REFUSED;
        if (count >= IW_BATCH_SPANS - b->spans)
            return IW_LAID_FULL;
        for (size_t i = 0; i < count; i++) {
            if (s->config.mpa.crc)
                *crc = sn_crc32c_add(*crc, spans[i].p, spans[i].n);
            push(b, spans[i].p, spans[i].n);
        }
        off += covered;
        len -= covered;
    }
    return IW_LAID;
}

/* Header and trailer in scratch, the payload where it is. */
static enum iw_laid lay_referenced(const struct iw_stream *s, struct iw_batch *b,
    const struct ddp_segment *seg, const struct iw_payload *payload, uint32_t off, uint32_t len,
    enum mem_result *why)
{
    size_t spans = b->spans, octets = b->octets, used = b->scratch_used;
    size_t last_n = spans > 0 ? b->span[spans - 1].n : 0;
    uint8_t *head = b->scratch + used, *p, *trailer;
    uint32_t ulpdu_len, crc = SN_CRC32C_INIT;
    enum iw_laid laid;

    if (IW_BATCH_SCRATCH - used < IW_HEAD_MAX + IW_TRAILER_MAX || spans >= IW_BATCH_SPANS - 1)
        return IW_LAID_FULL;
    p = put_header(head, seg, len);
    ulpdu_len = (uint32_t)(p - head) - MPA_LEN_FIELD + len;
    if (s->config.mpa.crc)
        crc = sn_crc32c_add(crc, head, (size_t)(p - head));
    push(b, head, (size_t)(p - head));
    laid = push_references(s, b, &payload->list, off, len, &crc, why);
    if (SN_UNLIKELY(laid != IW_LAID)) {
        b->spans = spans;
        b->octets = octets;
        if (spans > 0)
            b->span[spans - 1].n = last_n;
        return laid;
    }
    trailer = p;
    p = put_pad(p, ulpdu_len);
    if (s->config.mpa.crc)
        crc = sn_crc32c_add(crc, trailer, (size_t)(p - trailer));
    sn_put_le32(p, s->config.mpa.crc ? sn_crc32c_finish(crc) : 0);
    p += MPA_CRC_LEN;
    push(b, trailer, (size_t)(p - trailer));
    b->scratch_used += (size_t)(p - head);
    return IW_LAID;
}

enum iw_laid iw_fpdu_lay(const struct iw_stream *s, struct iw_batch *b, struct iw_tx_cursor *c,
    const struct ddp_segment *seg, const struct iw_payload *payload, uint32_t off, uint32_t len,
    enum mem_result *why)
{
    enum iw_laid laid;

    if (len > IW_COPY_MAX && payload->octets == NULL && !s->config.mpa.markers_tx &&
        !(payload->is_snapshot && s->config.mpa.crc)) {
        laid = lay_referenced(s, b, seg, payload, off, len, why);
        /* Memory in more pieces than a whole batch has spans: copy after all. */
        if (laid != IW_LAID_FULL || b->fpdus > 0)
            return laid;
    }
    return lay_copied(s, b, c, seg, payload, off, len, why);
}
