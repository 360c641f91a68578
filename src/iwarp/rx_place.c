/* SPDX-License-Identifier: MIT */
/* Payload to memory. Each look at memory is a check, so what was revoked is never written. */
#include "iwarp/rx.h"

#include "base/assert.h"

enum { PLACE_SPANS = IW_RX_SPANS };

void iw_rx_refuse(struct iw_stream *s, enum mem_result why)
{
    struct iw_rx *rx = &s->rx;

    if (rx->to == IW_TO_WRITE) {
        rx->err = mem_result_to_ddp(why);
    } else {
        /* Our own list is at fault; the peer did nothing wrong. */
        rx->err = WIRE_LOCAL_CATASTROPHIC;
        rx->own_status = SN_NO_ACCESS;
    }
}

/* Memory of the current segment: the list, and where in it the payload begins. `self` is room for a
 * list of one. */
static uint32_t find_list(const struct iw_stream *s, struct iw_sge *self, struct iw_mem_list *l)
{
    const struct iw_rx *rx = &s->rx;
    const struct iw_outbound_read *read;
    struct iw_wr *wr;

    l->who = s->config.who;
    l->rights = MEM_LOCAL_WRITE;
    if (rx->to == IW_TO_WRITE) {
        *self =
            (struct iw_sge){.addr = rx->seg.to, .len = rx->seg.payload_len, .stag = rx->seg.stag};
        l->sge = self;
        l->sge_count = 1;
        l->rights = MEM_REMOTE_WRITE;
        return 0;
    }
    if (rx->to == IW_TO_RECV) {
        l->sge = iw_recv_sge(rx->recv);
        l->sge_count = rx->recv->sge_count;
        l->who.pd = rx->recv->pd;
        return rx->recv_len;
    }
    SN_ASSERT(rx->to == IW_TO_READ);
    read = iw_orq_oldest(s);
    wr = iw_sq_slot(s, read->wr_pos);
    l->sge = iw_wr_sge(wr);
    l->sge_count = wr->sge_count;
    return read->received;
}

size_t iw_rx_locate(
    struct iw_stream *s, uint32_t off, struct sn_span *spans, size_t max, uint32_t *covered)
{
    uint32_t len = s->rx.seg.payload_len, begin, piece;
    struct iw_mem_list list;
    struct iw_sge self;
    size_t count = 0, more;
    enum mem_result result = MEM_OK;

    *covered = 0;
    begin = find_list(s, &self, &list);
    while (off < len && count < max) {
        result = iw_mem_list_locate(s->config.mem, &list, begin + off, len - off, spans + count,
            max - count, &more, &piece);
        if (SN_UNLIKELY(result != MEM_OK))
            break;
        count += more;
        off += piece;
        *covered += piece;
    }
    if (SN_UNLIKELY(count == 0))
        iw_rx_refuse(s, result);
    return count;
}

void iw_rx_place(struct iw_stream *s, uint32_t off, const uint8_t *p, uint32_t n)
{
    struct sn_span spans[PLACE_SPANS];
    uint32_t covered;
    size_t count;

    while (n > 0) {
        count = iw_rx_locate(s, off, spans, PLACE_SPANS, &covered);
        if (SN_UNLIKELY(count == 0))
            return;
        for (size_t i = 0; i < count && n > 0; i++) {
            uint32_t piece = spans[i].n < n ? (uint32_t)spans[i].n : n;

            memcpy(spans[i].p, p, piece);
            p += piece;
            n -= piece;
            off += piece;
        }
    }
}

void iw_rx_check(struct iw_stream *s)
{
    struct sn_span spans[PLACE_SPANS];
    uint32_t off = 0, covered;

    while (off < s->rx.seg.payload_len && iw_rx_locate(s, off, spans, PLACE_SPANS, &covered) > 0)
        off += covered;
}
