/* SPDX-License-Identifier: MIT */
/*
 * Both read queues. ORQ: own Reads (and a Read RTR) whose responses are awaited, at most ORD. IRRQ:
 * requests of the peer that are to be answered, Atomics included, at most IRD, rounded up to a
 * power of two: siw rounds what it sends. [RFC5040 5.2]
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "iwarp/stream_impl.h"

static uint32_t slots_for(uint32_t entries)
{
    uint32_t slots = 1;

    while (slots < entries)
        slots *= 2;
    return slots;
}

enum sn_status iw_reads_init(struct iw_stream *s)
{
    uint32_t orq_slots = slots_for(s->config.mpa.ord + 1);
    uint32_t irrq_slots = s->config.mpa.ird == 0 ? 1 : 2 * slots_for(s->config.mpa.ird);

    SN_ASSERT(s->config.mpa.ord <= MPA_IRD_ORD_MAX);
    SN_ASSERT(s->config.mpa.ird <= MPA_IRD_ORD_MAX);
    s->orq = sn_zalloc_array(orq_slots, sizeof(*s->orq));
    s->irrq = sn_zalloc_array(irrq_slots, sizeof(*s->irrq));
    s->orq_mask = orq_slots - 1;
    s->irrq_mask = irrq_slots - 1;
    if (s->orq != NULL && s->irrq != NULL)
        return SN_OK;
    iw_reads_fini(s);
    return SN_NO_MEMORY;
}

void iw_reads_fini(struct iw_stream *s)
{
    sn_free(s->orq);
    sn_free(s->irrq);
    s->orq = NULL;
    s->irrq = NULL;
}

bool iw_irrq_has_room(const struct iw_stream *s, bool is_empty)
{
    uint32_t room = (s->irrq_mask + 1) / 2; /* see iw_reads_init: IRD, rounded up */

    /* A Read RTR comes even where IRD is 0. [ECE-022] */
    return s->irrq_tail - s->tx.irrq_pos < room + (is_empty ? 1u : 0u);
}

uint32_t iw_irrq_msn(const struct iw_stream *s, uint32_t pos)
{
    /* Every message on QN 1 became one entry, in order. */
    return s->rx.read_msn - (s->irrq_tail - pos);
}

struct iw_outbound_read *iw_orq_push(
    struct iw_stream *s, struct iw_tx_cursor *c, uint32_t wr_pos, uint32_t len, bool is_rtr)
{
    struct iw_outbound_read *r = iw_orq_slot(s, c->orq_tail);

    SN_ASSERT(c->orq_tail - s->orq_head <= s->orq_mask);
    r->wr_pos = wr_pos;
    r->msn = c->read_msn;
    r->len = len;
    r->received = 0;
    r->sink_to = (uint64_t)c->read_msn << 32;
    r->is_rtr = is_rtr;
    c->orq_tail++;
    c->read_msn++;
    return r;
}

void iw_orq_done(struct iw_stream *s)
{
    struct iw_outbound_read *r = iw_orq_oldest(s);
    struct iw_wr *wr;

    SN_ASSERT(r != NULL);
    s->orq_head++;
    if (r->is_rtr) /* nobody's: no completion [ECE-020] */
        return;
    wr = iw_sq_slot(s, r->wr_pos);
    wr->is_done = true;
    wr->status = SN_OK;
    if ((wr->flags & IW_WR_INVALIDATE) != 0 && wr->sge_count > 0) {
        /* After the data is placed, before anybody can see the completion. [VRB-031] */
        wr->status =
            (uint8_t)mem_invalidate_stag(s->config.mem, iw_wr_sge(wr)[0].stag, s->config.who);
        if (wr->status != SN_OK)
            iw_stream_fail(s, WIRE_LOCAL_CATASTROPHIC, NULL, 0, NULL);
    }
    iw_complete_ready(s);
}
