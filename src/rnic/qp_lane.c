/* SPDX-License-Identifier: MIT */
/*
 * A queue pair inside its lane: octets between pipe and stream, completions, the end.
 *
 * The end has two parts. OVER: the stream does no more work, the send queue is flushed, the state
 * is ENDED, the connector knows. After that the pipe may linger by itself, to get a Terminate and
 * FIN out and to wait for the peer's FIN, at most for the drain time; then it is closed. The QP
 * holds a LANE reference on itself from attach until the pipe is closed.
 */
#include "rnic/qp_lane.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

/* How much of one pipe before others of the lane have their turn. */
enum {
    RX_ROUNDS = 16,           /* reads */
    TX_ROUNDS = 4,            /* batches */
    TURN_OCTETS = 256 * 1024, /* whichever comes first: some 50 us of copying */
};

static void settle(struct rnic_qp *qp);
static void lost(struct rnic_qp *qp);

static struct rnic_traffic *traffic(struct rnic_qp *qp)
{
    return &qp->lane->traffic;
}

static void count(struct sn_a64 *counter, uint64_t n)
{
    sn_a64_store_relaxed(counter, sn_a64_load_relaxed(counter) + n);
}

/* What the stream counted since the last look. */
static void count_fpdus(struct rnic_qp *qp)
{
    count(&traffic(qp)->rx_fpdus, qp->stream.fpdus_in);
    count(&traffic(qp)->tx_fpdus, qp->stream.fpdus_out);
    qp->stream.fpdus_in = qp->stream.fpdus_out = 0;
}

/* ---- completions ---- */

static const uint8_t cqe_op_of[IW_OP_COUNT] = {
    [IW_OP_SEND] = RNIC_CQE_SEND,
    [IW_OP_WRITE] = RNIC_CQE_WRITE,
    [IW_OP_READ] = RNIC_CQE_READ,
    [IW_OP_FAST_REGISTER] = RNIC_CQE_FAST_REGISTER,
    [IW_OP_BIND] = RNIC_CQE_BIND,
    [IW_OP_INVALIDATE] = RNIC_CQE_INVALIDATE,
};

static uint8_t error_behind(const struct rnic_qp *qp, enum sn_status status)
{
    return status != SN_OK && qp->has_stream ? (uint8_t)iw_stream_error(&qp->stream) : WIRE_OK;
}

static void on_wr_done(void *ctx, const struct iw_wr *wr, enum sn_status status)
{
    struct rnic_qp *qp = ctx;
    const struct rnic_cqe e = {
        .qp_context = qp->context,
        .context = wr->context,
        .status = (uint8_t)status,
        .op = cqe_op_of[wr->op],
        .wire_error = error_behind(qp, status),
    };

    if (wr->op == IW_OP_BIND && !(wr->is_done && wr->status == SN_OK))
        rnic_mr_unlend(wr->local.bind.args.mr);
    rnic_cq_push(qp->send_cq, qp->lane, &e, false);
}

static void push_recv(struct rnic_qp *qp, const struct iw_recv *r, enum sn_status status,
    uint32_t len, bool is_solicited, bool has_invalidated, uint32_t stag)
{
    const struct rnic_cqe e = {
        .qp_context = qp->context,
        .context = r->context,
        .len = len,
        .stag = stag,
        .status = (uint8_t)status,
        .op = RNIC_CQE_RECEIVE,
        .has_invalidated = has_invalidated,
        .wire_error = error_behind(qp, status),
    };

    rnic_cq_push(qp->recv_cq, qp->lane, &e, is_solicited);
}

static struct iw_recv *on_recv_take(void *ctx)
{
    struct rnic_qp *qp = ctx;

    if (qp->srq != NULL)
        return rnic_srq_take(qp->srq, qp->srq_recv) ? qp->srq_recv : NULL;
    if (!iw_ring_has(&qp->rq, qp->rq_taken))
        return NULL;
    return iw_ring_slot(&qp->rq, qp->rq_taken++);
}

static void on_recv_done(void *ctx, struct iw_recv *r, enum sn_status status, uint32_t len,
    bool is_solicited, bool has_invalidated, uint32_t stag)
{
    struct rnic_qp *qp = ctx;
    const struct iw_recv done = *r;

    if (qp->srq == NULL)
        sn_a32_store_release(&qp->rq.head, sn_a32_load_relaxed(&qp->rq.head) + 1);
    push_recv(qp, &done, status, len, is_solicited, has_invalidated, stag);
}

/* Everything in the receive queue, oldest first, is cancelled. Receives in an SRQ belong to no QP.
 */
static void flush_receives(struct rnic_qp *qp)
{
    if (qp->srq != NULL)
        return;
    while (iw_ring_has(&qp->rq, qp->rq_taken)) {
        struct iw_recv *r = iw_ring_slot(&qp->rq, qp->rq_taken++);

        on_recv_done(qp, r, SN_CANCELLED, 0, false, false, 0);
    }
}

/* Initiator requests that a poster slipped in when the stream was gone already. */
static void flush_late_requests(struct rnic_qp *qp)
{
    uint32_t head = sn_a32_load_relaxed(&qp->sq.head);

    if (qp->has_stream) {
        iw_flush(&qp->stream, SN_CANCELLED);
        return;
    }
    for (; iw_ring_has(&qp->sq, head); head++) {
        struct iw_wr *wr = iw_ring_slot(&qp->sq, head);

        if (iw_op_is_local(wr->op) && wr->local.any.release != NULL)
            wr->local.any.release(wr);
        on_wr_done(qp, wr, SN_CANCELLED);
        sn_a32_store_release(&qp->sq.head, head + 1);
    }
}

/* From here on posts are refused or cancelled; a receive that races with this is seen either by us
 * now or by its poster, who then calls rnic_qp_recv_posted. */
static void set_ended(struct rnic_qp *qp)
{
    sn_a32_exchange(&qp->state, RNIC_QP_ENDED);
    sn_a32_store_release(&qp->wants_recv, 1);
    sn_fence_full();
}

/* ---- the end ---- */

static void free_held(struct rnic_qp *qp)
{
    sn_free(qp->held);
    qp->held = NULL;
    qp->held_len = 0;
}

/* The last thing that happens to a connection. Reads what the peer sent in vain, so that closing
 * does not turn into a reset that overtakes our last words. */
static void close_pipe(struct rnic_qp *qp, bool is_reset)
{
    struct rnic_lane *l = qp->lane;
    size_t got;

    if (qp->pipe == NULL)
        return;
    count_fpdus(qp);
    if (!is_reset) {
        const struct sn_span scratch = {l->rx_scratch, RNIC_RX_SCRATCH};

        for (int i = 0; i < RX_ROUNDS; i++) {
            if (plat_pipe_readv(qp->pipe, &scratch, 1, &got) != PLAT_IO_OK)
                break;
        }
    }
    plat_pipe_close(qp->pipe, is_reset);
    qp->pipe = NULL;
    plat_timer_cancel(l->lane, &qp->hold_timer);
    plat_timer_cancel(l->lane, &qp->drain_timer);
    iw_kill(&qp->stream);
    iw_flush(&qp->stream, SN_CANCELLED);
    iw_stream_fini(&qp->stream, l->batch);
    qp->has_stream = false;
    free_held(qp);
    /* Our callers still look at the QP, and this may be its last reference: hand it to a task. */
    rnic_task_post_home(l, &qp->task, RNIC_QP_TODO_GONE);
    rnic_obj_put(&qp->obj, RNIC_REF_LANE);
}

/* Before anything else of the connection is told. */
static void tell_first_fpdu(struct rnic_qp *qp)
{
    bool is_received = false;

    if (!qp->is_first_fpdu_due)
        return;
    qp->is_first_fpdu_due = false;
    if (qp->connector != NULL)
        rnic_connector_on_first_fpdu(
            qp->connector, iw_stream_terminate(&qp->stream, &is_received) != NULL && is_received);
}

/*
 * No more work. The oldest initiator request that has no error of its own gets `first`. Receives
 * are kept when only the peer said goodbye: they are cancelled by the consumer's flush or close
 * (docs/decisions).
 */
static void go_over(
    struct rnic_qp *qp, enum sn_status why, enum sn_status first, bool keeps_receives)
{
    struct rnic_connector *c;
    enum wire_err e = iw_stream_error(&qp->stream);

    if (qp->is_over)
        return;
    tell_first_fpdu(qp);
    c = qp->connector;
    qp->is_over = true;
    set_ended(qp);
    plat_timer_cancel(qp->lane->lane, &qp->hold_timer);
    if (qp->srq != NULL)
        rnic_srq_unwait(qp->srq, qp);
    free_held(qp);
    iw_flush(&qp->stream, first);
    if (!keeps_receives)
        flush_receives(qp);
    plat_timer_set(qp->lane->lane, &qp->drain_timer,
        (uint64_t)qp->obj.adapter->options.disconnect_timeout_ms * 1000000u);
    qp->connector = NULL;
    if (c != NULL)
        rnic_connector_on_ended(c, why, e);
}

static void drain_is_over(struct plat_timer *t)
{
    struct rnic_qp *qp = SN_CONTAINER_OF(t, struct rnic_qp, drain_timer);

    close_pipe(qp, true);
}

/* The pipe failed: reset, or an error of TCP. */
static void lost(struct rnic_qp *qp)
{
    iw_rx_end(&qp->stream, false);
    iw_kill(&qp->stream);
    go_over(qp, SN_RESET, SN_RESET, false);
    close_pipe(qp, true);
}

/* What the stream's state asks for after octets moved. The last step of every entry point. */
static void settle(struct rnic_qp *qp)
{
    bool is_received = false;

    if (!qp->has_stream)
        return;
    count_fpdus(qp);
    tell_first_fpdu(qp);
    switch (iw_stream_state(&qp->stream)) {
    case IW_OPEN:
    case IW_CLOSING:
        break;
    case IW_TERMINATING:
    case IW_TERMINATED:
    case IW_DEAD:
        if (qp->has_left)
            break; /* the consumer disconnects in its own time */
        if (iw_stream_terminate(&qp->stream, &is_received) != NULL && is_received) {
            go_over(qp, SN_REMOTE_ERROR, SN_REMOTE_ERROR, false);
        } else if (qp->is_given_up) {
            go_over(qp, SN_TIMED_OUT, SN_CANCELLED, false);
        } else {
            go_over(qp, SN_PROTOCOL, SN_CANCELLED, false);
        }
        break;
    }
    if (qp->pipe != NULL && !qp->is_fin_sent && iw_tx_wants_fin(&qp->stream)) {
        plat_pipe_shutdown(qp->pipe);
        qp->is_fin_sent = true;
    }
    if (qp->pipe != NULL && qp->is_fin_sent && qp->is_fin_received) {
        go_over(qp, SN_OK, SN_CANCELLED, false);
        close_pipe(qp, false);
    } else if (qp->pipe != NULL && qp->is_over && rnic_obj_is_closing(&qp->obj) &&
               (qp->is_fin_sent || iw_stream_state(&qp->stream) == IW_DEAD)) {
        close_pipe(qp, false); /* the consumer waits: do not linger */
    }
}

/* ---- transmit ---- */

static void tx_pump(struct rnic_qp *qp)
{
    struct iw_batch *b = qp->lane->batch;
    size_t octets, sent, moved = 0;

    for (int i = 0; i < TX_ROUNDS && moved < TURN_OCTETS; i++) {
        enum plat_io io;

        /* After our FIN nothing can be answered: a late Read of the peer's fails at its end. */
        if (qp->pipe == NULL || qp->is_tx_blocked || qp->is_fin_sent ||
            !iw_tx_has_work(&qp->stream))
            return;
        octets = iw_tx_gather(&qp->stream, b);
        if (octets == 0)
            return;
        sent = 0;
        io = plat_pipe_writev(qp->pipe, b->span, b->spans, &sent);
        count(&traffic(qp)->tx_calls, 1);
        count(&traffic(qp)->tx_octets, sent);
        if (!iw_tx_sent(&qp->stream, b, sent) || io == PLAT_IO_ERROR) {
            lost(qp);
            return;
        }
        if (sent < octets) {
            qp->is_tx_blocked = true;
            plat_pipe_watch(qp->pipe, qp->is_reading, true);
            return;
        }
        moved += sent;
    }
    /* There is more, but others want the lane too: go on when the pipe is writable, which it is. */
    if (qp->pipe != NULL && iw_tx_has_work(&qp->stream)) {
        qp->is_tx_blocked = true;
        plat_pipe_watch(qp->pipe, qp->is_reading, true);
    }
}

void rnic_qp_service(struct rnic_qp *qp)
{
    if (SN_UNLIKELY(qp->is_over || !qp->has_stream)) {
        if (sn_a32_load_acquire(&qp->state) == RNIC_QP_ENDED)
            flush_late_requests(qp);
        return;
    }
    if (SN_UNLIKELY(qp->has_left)) {
        iw_flush(&qp->stream, SN_CANCELLED); /* nobody is there to take it */
        return;
    }
    tx_pump(qp);
    settle(qp);
}

/* ---- receive ---- */

/* A Send waits for a receive: nothing more is read from this pipe until one is posted, or until the
 * time is up. What was read already is kept: the one allocation outside set-up, bounded by the
 * scratch. */
static bool hold(struct rnic_qp *qp, const uint8_t *rest, size_t n)
{
    if (n > 0 && rest != qp->held) {
        uint8_t *copy = sn_zalloc(n);

        if (copy == NULL)
            return false;
        memcpy(copy, rest, n);
        free_held(qp);
        qp->held = copy;
        qp->held_len = n;
    }
    qp->is_reading = false;
    plat_pipe_watch(qp->pipe, false, qp->is_tx_blocked);
    if (!qp->hold_timer.is_set)
        plat_timer_set(qp->lane->lane, &qp->hold_timer,
            (uint64_t)qp->obj.adapter->options.receive_wait_ms * 1000000u);
    if (qp->srq != NULL) {
        rnic_srq_wait(qp->srq, qp);
        return true;
    }
    sn_a32_store_release(&qp->wants_recv, 1);
    sn_fence_full(); /* pairs with rnic_qp_receive */
    if (iw_ring_has(&qp->rq, qp->rq_taken))
        rnic_qp_recv_posted(qp);
    return true;
}

/* Feeds octets that lie outside their destination; keeps what a held stream did not take. */
static void feed(struct rnic_qp *qp, const uint8_t *p, size_t n)
{
    size_t used = n > 0 ? iw_rx_feed(&qp->stream, p, n) : 0;

    if (iw_rx_is_held(&qp->stream) && !hold(qp, p + used, n - used))
        iw_rx_give_up(&qp->stream);
}

static void resume(struct rnic_qp *qp)
{
    uint8_t *octets = qp->held;
    size_t n = qp->held_len;

    if (qp->is_over || !qp->has_stream || !iw_rx_is_held(&qp->stream))
        return;
    if (!iw_rx_resume(&qp->stream)) {
        /* Another queue pair of the SRQ was quicker: wait again, which copies nothing. */
        (void)hold(qp, qp->held, qp->held_len);
        return;
    }
    sn_a32_store_release(&qp->wants_recv, 0);
    plat_timer_cancel(qp->lane->lane, &qp->hold_timer);
    qp->is_reading = true;
    plat_pipe_watch(qp->pipe, true, qp->is_tx_blocked);
    qp->held = NULL;
    qp->held_len = 0;
    feed(qp, octets, n); /* may be held again, with a copy of the rest */
    sn_free(octets);
    tx_pump(qp);
    settle(qp);
}

static void hold_is_over(struct plat_timer *t)
{
    struct rnic_qp *qp = SN_CONTAINER_OF(t, struct rnic_qp, hold_timer);

    qp->is_given_up = true;
    iw_rx_give_up(&qp->stream);
    qp->is_reading = true; /* to see the peer's FIN */
    plat_pipe_watch(qp->pipe, true, qp->is_tx_blocked);
    tx_pump(qp);
    settle(qp);
}

static void peer_is_done(struct rnic_qp *qp)
{
    bool is_working = iw_stream_is_working(&qp->stream);

    qp->has_left = is_working && iw_is_idle(&qp->stream);
    qp->is_fin_received = true;
    qp->is_reading = false;
    plat_pipe_watch(qp->pipe, false, qp->is_tx_blocked);
    iw_rx_end(&qp->stream, true);
    if (qp->is_over || qp->is_fin_sent)
        return;
    if (!qp->has_left && iw_stream_state(&qp->stream) != IW_DEAD) {
        /* Our requests, or answers of ours, can not be finished. [VRB-011] */
        iw_fail(&qp->stream, WIRE_RDMAP_STREAM_CATASTROPHIC);
        go_over(qp, SN_RESET, SN_CANCELLED, true);
    } else if (qp->has_left && qp->connector != NULL) {
        tell_first_fpdu(qp);
        rnic_connector_on_peer_fin(qp->connector);
    } /* else settle says how it ended */
}

/* One read. True: more may be waiting. */
static bool rx_once(struct rnic_qp *qp)
{
    struct sn_span v[IW_RX_SPANS + 1];
    uint8_t *scratch = qp->lane->rx_scratch;
    size_t scratch_want = 0, in_place = 0, asked, got = 0;
    size_t n = iw_rx_want(&qp->stream, v, IW_RX_SPANS, RNIC_RX_SCRATCH, &scratch_want);
    enum plat_io io;

    for (size_t i = 0; i < n; i++)
        in_place += v[i].n;
    asked = in_place + scratch_want;
    if (asked == 0)
        return false;
    if (scratch_want > 0)
        v[n++] = (struct sn_span){scratch, scratch_want};
    io = plat_pipe_readv(qp->pipe, v, n, &got);
    count(&traffic(qp)->rx_calls, 1);
    switch (io) {
    case PLAT_IO_OK:
        break;
    case PLAT_IO_AGAIN:
        return false;
    case PLAT_IO_END:
        peer_is_done(qp);
        return false;
    case PLAT_IO_ERROR:
        lost(qp);
        return false;
    }
    count(&traffic(qp)->rx_octets, got);
    if (in_place > 0)
        iw_rx_placed(&qp->stream, got < in_place ? got : in_place);
    feed(qp, scratch, got > in_place ? got - in_place : 0);
    return got == asked && qp->is_reading; /* a short read emptied the pipe */
}

static void rx_pump(struct rnic_qp *qp)
{
    const struct sn_a64 *octets = &traffic(qp)->rx_octets;
    uint64_t end = sn_a64_load_relaxed(octets) + TURN_OCTETS;

    for (int i = 0; i < RX_ROUNDS && qp->pipe != NULL && rx_once(qp); i++) {
        if (sn_a64_load_relaxed(octets) >= end)
            break;
    }
    if (qp->pipe == NULL)
        return;
    tx_pump(qp);
    settle(qp);
}

static void readable(void *ctx)
{
    struct rnic_qp *qp = ctx;

    if (!qp->is_reading) {
        lost(qp); /* unwatched, only an error is reported */
        return;
    }
    rx_pump(qp);
}

static void writable(void *ctx)
{
    struct rnic_qp *qp = ctx;

    qp->is_tx_blocked = false;
    tx_pump(qp);
    if (qp->pipe != NULL && !qp->is_tx_blocked)
        plat_pipe_watch(qp->pipe, qp->is_reading, false);
    settle(qp);
}

/* ---- the connector's side ---- */

static const struct plat_pipe_ops pipe_ops = {.readable = readable, .writable = writable};

static void on_first_fpdu(void *ctx)
{
    struct rnic_qp *qp = ctx;

    /* Before the completion it may carry is visible: the consumer may answer at once. */
    rnic_qp_set_connected(qp);
    qp->is_first_fpdu_due = true;
}

static void on_state_changed(void *ctx)
{
    struct rnic_qp *qp = ctx;
    bool is_received = false;

    /* All else is done by settle, when the octets at hand are through. */
    if (iw_stream_state(&qp->stream) != IW_TERMINATED ||
        iw_stream_terminate(&qp->stream, &is_received) == NULL)
        return;
    count(is_received ? &traffic(qp)->terminates_received : &traffic(qp)->terminates_sent, 1);
}

static const struct iw_stream_ops stream_ops = {
    .wr_done = on_wr_done,
    .recv_take = on_recv_take,
    .recv_done = on_recv_done,
    .first_fpdu = on_first_fpdu,
    .state_changed = on_state_changed,
};

enum sn_status rnic_qp_attach(struct rnic_qp *qp, struct rnic_connector *c, struct plat_pipe *pipe,
    bool is_initiator, const struct iw_mpa_result *mpa)
{
    struct rnic_adapter *a = qp->obj.adapter;
    struct iw_stream_config config = {
        .mem = &a->mem,
        .who = {.pd = qp->pd->id, .qp = qp->id},
        .is_initiator = is_initiator,
        .mpa = *mpa,
        .payload_max = a->options.payload_max,
        .rfc7306 = a->options.rfc7306,
        .sink_rights = a->options.require_read_sink ? MEM_READ_SINK : 0,
        .sq = &qp->sq,
        .ops = &stream_ops,
        .ctx = qp,
    };
    enum sn_status s;

    SN_ASSERT(plat_lane_current() == qp->lane->lane);
    if (sn_a32_load_acquire(&qp->state) != RNIC_QP_CONNECTING)
        return SN_CANCELLED;
    plat_random(a->plat, &config.sink_stag, sizeof config.sink_stag);
    config.sink_stag |= 1; /* never 0 */
    s = iw_stream_init(&qp->stream, &config);
    if (s != SN_OK)
        return s;
    iw_set_emss(&qp->stream, plat_pipe_emss(pipe));
    plat_timer_init(&qp->hold_timer, hold_is_over);
    plat_timer_init(&qp->drain_timer, drain_is_over);
    sn_a32_store_release(&qp->ord, mpa->ord);
    qp->has_stream = true;
    qp->connector = c;
    qp->pipe = pipe;
    plat_pipe_set_ops(pipe, &pipe_ops, qp);
    plat_pipe_watch(pipe, false, false);
    rnic_obj_get(&qp->obj, RNIC_REF_LANE);
    return SN_OK;
}

void rnic_qp_set_connected(struct rnic_qp *qp)
{
    sn_a32_cas(&qp->state, RNIC_QP_CONNECTING, RNIC_QP_CONNECTED);
}

void rnic_qp_open_gate(struct rnic_qp *qp)
{
    if (!qp->has_stream || qp->is_over)
        return;
    iw_open_gate(&qp->stream);
    qp->is_reading = true;
    plat_pipe_watch(qp->pipe, true, qp->is_tx_blocked);
    tx_pump(qp);
    settle(qp);
}

void rnic_qp_disconnect(struct rnic_qp *qp)
{
    if (!qp->has_stream || qp->is_over) {
        flush_receives(qp);
        return;
    }
    if (qp->has_left && !qp->is_fin_sent) {
        plat_pipe_shutdown(qp->pipe);
        qp->is_fin_sent = true;
    }
    iw_close(&qp->stream);
    tx_pump(qp);
    settle(qp);
}

void rnic_qp_terminate(struct rnic_qp *qp, enum wire_err e)
{
    if (!qp->has_stream || qp->is_over)
        return;
    iw_fail(&qp->stream, e);
    tx_pump(qp);
    settle(qp);
}

void rnic_qp_abort(struct rnic_qp *qp, enum sn_status first, bool is_reset)
{
    qp->connector = NULL;
    if (!qp->has_stream) {
        set_ended(qp);
        flush_receives(qp);
        flush_late_requests(qp);
        return;
    }
    if (!qp->is_over) {
        bool is_cut = qp->stream.stash != NULL; /* the peer has half of an FPDU */

        iw_kill(&qp->stream);
        go_over(qp, first, first, false);
        close_pipe(qp, is_reset || is_cut);
        return;
    }
    flush_receives(qp);
    if (is_reset)
        close_pipe(qp, true);
}

/* ---- tasks ---- */

/* NdkFlush, or the QP is closed: ends the connection, if there is one, from this side. */
static void flush_all(struct rnic_qp *qp)
{
    struct rnic_connector *c = qp->connector;

    rnic_qp_abort(qp, SN_CANCELLED, false);
    if (c != NULL)
        rnic_connector_on_ended(c, SN_CANCELLED, WIRE_OK);
}

/* Nobody can be told any more what becomes of requests: an end also for a QP that is connecting. */
static void cq_is_dead(struct rnic_qp *qp)
{
    if (qp->has_stream)
        rnic_qp_terminate(qp, WIRE_RDMAP_STREAM_CATASTROPHIC);
    else
        flush_all(qp);
}

void rnic_qp_run(struct rnic_task *t, uint32_t todo)
{
    struct rnic_qp *qp = SN_CONTAINER_OF(t, struct rnic_qp, task);

    if (todo & (RNIC_QP_TODO_FLUSH | RNIC_QP_TODO_CLOSE))
        flush_all(qp);
    if (todo & RNIC_QP_TODO_CQ_DEAD)
        cq_is_dead(qp);
    if (todo & RNIC_QP_TODO_RECV) {
        if (sn_a32_load_acquire(&qp->state) == RNIC_QP_ENDED)
            flush_receives(qp);
        else
            resume(qp);
    }
    if (todo & RNIC_QP_TODO_TX)
        rnic_qp_service(qp);
    else
        settle(qp);
}
