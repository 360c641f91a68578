/* SPDX-License-Identifier: MIT */
/*
 * Transmit: which message is next, and what becomes of a batch that TCP took in part.
 *
 * A message is finished before another begins; candidates are, in this order, the Terminate, the
 * RTR, the message in progress, then Read Responses and the send queue in turn. [RFC5040 5.5]
 */
#include "iwarp/tx.h"

#include "base/assert.h"

/* Payload per FPDU changes only between messages. */
static void follow_emss(struct iw_stream *s)
{
    uint32_t mulpdu = MPA_MULPDU_MAX;

    if (s->tx.wr_off > 0 || s->tx.irrq_off > 0)
        return;
    if (s->config.payload_max == 0)
        mulpdu = mpa_mulpdu(s->emss, s->config.mpa.markers_tx);
    s->tagged_max = mulpdu - DDP_TAGGED_LEN;
    s->untagged_max = mulpdu - DDP_UNTAGGED_LEN;
    if (s->config.payload_max != 0 && s->config.payload_max < s->tagged_max)
        s->tagged_max = s->config.payload_max;
    if (s->config.payload_max != 0 && s->config.payload_max < s->untagged_max)
        s->untagged_max = s->config.payload_max;
}

/* Local operations that ended complete at once, although no FPDU carries the cursor past them. */
static void skip_completed(const struct iw_stream *s, struct iw_tx_cursor *c)
{
    uint32_t head = iw_sq_head(s);

    if (iw_is_before(c->wr_pos, head))
        c->wr_pos = head;
}

/* Fences and ORD let the request at the cursor begin. */
static bool may_begin(
    const struct iw_stream *s, const struct iw_tx_cursor *c, const struct iw_wr *wr)
{
    uint32_t reads = c->orq_tail - s->orq_head;

    if ((wr->flags & IW_WR_READ_FENCE) != 0 && reads > 0)
        return false;
    /* With ORD 0 it begins in order to fail. */
    return wr->op != IW_OP_READ || reads < s->config.mpa.ord || s->config.mpa.ord == 0;
}

/* Executes the local operation at the cursor, once, however often the cursor comes back to it. */
static enum iw_step pass_local(
    struct iw_stream *s, const struct iw_batch *b, struct iw_tx_cursor *c, struct iw_wr *wr)
{
    if (c->wr_pos == s->started_pos) {
        /* What TCP does not take of this batch is laid out again, from memory that must still be
         * the same; and the invalidation waits for the other lanes, which no span outlives. */
        if (wr->op == IW_OP_INVALIDATE && b->fpdus > 0)
            return IW_STEP_STOP;
        s->started_pos++;
        wr->status = (uint8_t)iw_local_execute(s, wr);
        wr->is_done = true;
        if (wr->status != SN_OK)
            iw_stream_fail(s, WIRE_LOCAL_CATASTROPHIC, NULL, 0, NULL);
    }
    c->wr_pos++;
    return IW_STEP_ON;
}

static enum iw_step lay_from_queue(
    struct iw_stream *s, struct iw_batch *b, struct iw_tx_cursor *c, struct iw_wr *wr)
{
    if (SN_UNLIKELY(iw_op_is_local(wr->op)))
        return pass_local(s, b, c, wr);
    if (c->wr_pos == s->started_pos) {
        wr->is_done = false;
        s->started_pos++;
    }
    return iw_lay_request(s, b, c, wr);
}

/* A local operation sends nothing, so it need not wait for the peer's first FPDU. */
static bool is_local_next(const struct iw_stream *s, const struct iw_tx_cursor *c, uint32_t end)
{
    const struct iw_wr *wr = iw_sq_slot(s, c->wr_pos);

    return iw_stream_is_working(s) && c->wr_pos != end && c->wr_off == 0 &&
           iw_op_is_local(wr->op) && may_begin(s, c, wr);
}

/* `end`: position behind the last request posted. */
static enum iw_step lay_next(
    struct iw_stream *s, struct iw_batch *b, struct iw_tx_cursor *c, uint32_t end)
{
    struct iw_wr *wr = NULL;
    bool has_response;

    if (SN_UNLIKELY(s->state == IW_TERMINATING && !c->term_sent))
        return iw_lay_terminate(s, b, c);
    if (SN_UNLIKELY(!iw_stream_may_send(s)))
        return is_local_next(s, c, end) ? pass_local(s, b, c, iw_sq_slot(s, c->wr_pos))
                                        : IW_STEP_STOP;
    if (SN_UNLIKELY(!c->rtr_sent))
        return iw_lay_rtr(s, b, c);
    if (c->irrq_off > 0)
        return iw_lay_response(s, b, c);
    if (c->wr_pos != end)
        wr = iw_sq_slot(s, c->wr_pos);
    if (c->wr_off > 0)
        return iw_lay_request(s, b, c, wr);
    if (wr != NULL && !may_begin(s, c, wr))
        wr = NULL;
    has_response = c->irrq_pos != s->irrq_tail;
    if (has_response && !(c->prefer_wr && wr != NULL))
        return iw_lay_response(s, b, c);
    return wr != NULL ? lay_from_queue(s, b, c, wr) : IW_STEP_STOP;
}

static void lay_stash(const struct iw_stream *s, struct iw_batch *b)
{
    if (s->stash == NULL)
        return;
    b->span[0].p = s->stash->octets + s->stash->off;
    b->span[0].n = s->stash->len - s->stash->off;
    b->spans = 1;
    b->octets = b->stash_octets = b->span[0].n;
}

static bool is_silent(const struct iw_stream *s)
{
    return !s->is_gate_open || s->state == IW_TERMINATED || s->state == IW_DEAD;
}

size_t iw_tx_gather(struct iw_stream *s, struct iw_batch *b)
{
    struct iw_tx_cursor c = s->tx;
    uint32_t end = iw_sq_end(s), started = s->started_pos;

    SN_ASSERT(b->octets == 0 && b->fpdus == 0);
    if (is_silent(s))
        return 0;
    lay_stash(s, b);
    follow_emss(s);
    skip_completed(s, &c);
    while (b->octets < IW_BATCH_OCTETS && b->fpdus < IW_BATCH_FPDUS) {
        if (lay_next(s, b, &c, end) == IW_STEP_STOP)
            break;
    }
    if (b->fpdus == 0) /* nothing but local operations was passed */
        s->tx = c;
    if (started != s->started_pos)
        iw_complete_ready(s);
    return b->octets;
}

/* TCP has what lies before `after`, or the stash has the rest of it. */
static void advance(struct iw_stream *s, const struct iw_tx_cursor *after)
{
    s->tx = *after;
    iw_complete_ready(s);
}

/* Octets [from, to) of the batch must still go. False without memory. */
static bool keep_rest(struct iw_stream *s, struct iw_batch *b, size_t from, size_t to)
{
    SN_ASSERT(s->stash == NULL && to - from <= IW_STASH_OCTETS);
    s->stash = iw_stash_get(b);
    if (s->stash == NULL)
        return false;
    iw_batch_copy(b, from, to - from, s->stash->octets);
    s->stash->off = 0;
    s->stash->len = to - from;
    return true;
}

/* FPDUs that lie whole within the first n octets. */
static size_t whole_fpdus(const struct iw_batch *b, size_t n)
{
    size_t low = 0, high = b->fpdus;

    if (n == b->octets)
        return b->fpdus;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (b->fpdu[middle].end <= n)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool iw_tx_sent(struct iw_stream *s, struct iw_batch *b, size_t n)
{
    size_t count, end;
    bool is_kept = true;

    SN_ASSERT(n <= b->octets);
    if (n < b->stash_octets) {
        s->stash->off += n;
        iw_batch_clear(b);
        return true;
    }
    if (b->stash_octets > 0) {
        iw_stash_put(b, s->stash);
        s->stash = NULL;
    }
    count = whole_fpdus(b, n);
    end = count > 0 ? b->fpdu[count - 1].end : b->stash_octets;
    if (n > end) {
        is_kept = keep_rest(s, b, n, b->fpdu[count].end);
        count++;
    }
    s->fpdus_out += count;
    if (is_kept && count > 0)
        advance(s, &b->fpdu[count - 1].after);
    iw_batch_clear(b);
    if (s->state == IW_TERMINATING && s->tx.term_sent && s->stash == NULL)
        iw_stream_enter(s, IW_TERMINATED);
    return is_kept;
}

bool iw_tx_has_work(const struct iw_stream *s)
{
    struct iw_tx_cursor c;

    if (is_silent(s))
        return false;
    if (s->stash != NULL)
        return true;
    if (s->state == IW_TERMINATING)
        return !s->tx.term_sent;
    if (!iw_stream_may_send(s)) {
        c = s->tx;
        skip_completed(s, &c);
        return is_local_next(s, &c, iw_sq_end(s));
    }
    if (!s->tx.rtr_sent || s->tx.irrq_pos != s->irrq_tail || s->tx.wr_off > 0)
        return true;
    c = s->tx;
    skip_completed(s, &c);
    return c.wr_pos != iw_sq_end(s) && may_begin(s, &c, iw_sq_slot(s, c.wr_pos));
}

bool iw_tx_wants_fin(const struct iw_stream *s)
{
    if (s->state == IW_TERMINATED)
        return true;
    return s->state == IW_CLOSING && s->stash == NULL && s->tx.irrq_pos == s->irrq_tail &&
           s->orq_head == s->tx.orq_tail && s->tx.rtr_sent && iw_sq_head(s) == s->close_pos;
}
