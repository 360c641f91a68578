/* SPDX-License-Identifier: MIT */
/* A stream's life: beginning, states, errors, Terminate, end. */
#include "iwarp/stream.h"

#include "base/assert.h"
#include "iwarp/stream_impl.h"
#include "iwarp/tx.h"

enum { EMSS_BEFORE_KNOWN = 1448 };

enum sn_status iw_stream_init(struct iw_stream *s, const struct iw_stream_config *config)
{
    const struct iw_mpa_result *mpa = &config->mpa;

    memset(s, 0, sizeof(*s));
    s->config = *config;
    s->state = IW_OPEN;
    s->emss = EMSS_BEFORE_KNOWN;
    s->tx.send_msn = s->tx.read_msn = s->tx.term_msn = s->tx.atomic_msn = 1; /* [DDP-009] */
    s->tx.wr_pos = s->started_pos = iw_sq_head(s);
    s->tx.rtr_sent = !(config->is_initiator && mpa->is_p2p && mpa->rtr != IW_RTR_NONE);
    s->rx.send_msn = s->rx.read_msn = 1;
    s->rx.crc = UINT32_MAX;
    return iw_reads_init(s);
}

void iw_stream_fini(struct iw_stream *s, struct iw_batch *b)
{
    if (s->stash != NULL)
        iw_stash_put(b, s->stash);
    s->stash = NULL;
    iw_reads_fini(s);
}

void iw_open_gate(struct iw_stream *s)
{
    s->is_gate_open = true;
}

void iw_set_emss(struct iw_stream *s, uint32_t emss)
{
    s->emss = emss;
}

enum iw_state iw_stream_state(const struct iw_stream *s)
{
    return s->state;
}

const struct rdmap_term *iw_stream_terminate(const struct iw_stream *s, bool *is_received)
{
    if (!s->has_term)
        return NULL;
    *is_received = s->is_term_received;
    return &s->term;
}

enum wire_err iw_stream_error(const struct iw_stream *s)
{
    return s->err;
}

void iw_stream_enter(struct iw_stream *s, enum iw_state state)
{
    if (s->state == state)
        return;
    SN_ASSERT(state > s->state); /* no way leads back */
    s->state = state;
    s->rx.is_held = s->rx.is_held && iw_stream_is_working(s);
    s->config.ops->state_changed(s->config.ctx);
}

void iw_stream_fail(struct iw_stream *s, enum wire_err e, const struct ddp_segment *segment,
    uint32_t ulpdu_len, const struct rdmap_read_req *read)
{
    if (!iw_stream_is_working(s))
        return;
    s->err = e;
    /* A responder that has heard nothing yet must not speak. [RFC5044 7.1.2] */
    if (!s->config.is_initiator && !s->is_heard) {
        iw_stream_enter(s, IW_TERMINATED);
        return;
    }
    rdmap_term_init(&s->term, e, segment, ulpdu_len, read);
    s->has_term = true;
    iw_stream_enter(s, IW_TERMINATING);
}

void iw_fail(struct iw_stream *s, enum wire_err e)
{
    iw_stream_fail(s, e, NULL, 0, NULL);
}

void iw_stream_terminated(struct iw_stream *s, const struct rdmap_term *term)
{
    s->term = *term;
    s->has_term = true;
    s->is_term_received = true;
    if (!wire_err_from_code(term->layer, term->type, term->code, &s->err))
        s->err = WIRE_RDMAP_UNSPECIFIED;
    iw_stream_enter(s, IW_TERMINATED); /* never answered [RDM-044] */
}

void iw_close(struct iw_stream *s)
{
    if (s->state != IW_OPEN)
        return;
    s->close_pos = sn_a32_load_acquire(&s->config.sq->tail);
    iw_stream_enter(s, IW_CLOSING);
}

void iw_kill(struct iw_stream *s)
{
    iw_stream_enter(s, IW_DEAD);
}

/* Octets of an FPDU came, its end did not. */
static bool is_inside_fpdu(const struct iw_rx *rx)
{
    return rx->phase != IW_RX_HEAD || rx->head_have > 0 || rx->marker_have > 0;
}

bool iw_is_idle(const struct iw_stream *s)
{
    return !is_inside_fpdu(&s->rx) && !s->rx.is_in_message && !s->rx.is_held &&
           s->tx.irrq_pos == s->irrq_tail && s->orq_head == s->tx.orq_tail && s->stash == NULL &&
           iw_sq_head(s) == sn_a32_load_acquire(&s->config.sq->tail);
}

void iw_rx_end(struct iw_stream *s, bool is_fin)
{
    s->rx.is_ended = true;
    if (!is_fin || s->state == IW_TERMINATED) {
        iw_kill(s);
    } else if (iw_stream_is_working(s)) {
        if (is_inside_fpdu(&s->rx) || iw_is_idle(s))
            iw_kill(s);
        else /* it left with work outstanding [VRB-011] */
            iw_stream_fail(s, WIRE_RDMAP_STREAM_CATASTROPHIC, NULL, 0, NULL);
    }
}
