/* SPDX-License-Identifier: MIT */
/* How a connection ends, inside its lane: rejected, disconnected, lost, closed. [NDKPI
 * disconnecting] */
#include "base/assert.h"
#include "rnic/connector_impl.h"

enum { DRAIN_ROUNDS = 16 };

static const struct rnic_options *options(const struct rnic_connector *c)
{
    return &c->obj.adapter->options;
}

/* ---- before it was connected ---- */

void rnic_conn_peer_gone(struct rnic_connector *c)
{
    if (rnic_conn_step(c, RNIC_EV_PEER_GONE, NULL) != RNIC_CONN_GO)
        return;
    rnic_conn_close_pipe(c, true);
    rnic_conn_release_qp(c);
}

/* Reads what comes in vain, so that closing does not become a reset that overtakes our last words.
 */
static enum plat_io drain(struct rnic_connector *c)
{
    const struct sn_span scratch = {rnic_conn_lane(c)->rx_scratch, RNIC_RX_SCRATCH};
    enum plat_io io = PLAT_IO_OK;
    size_t got;

    for (int i = 0; i < DRAIN_ROUNDS && io == PLAT_IO_OK; i++)
        io = plat_pipe_readv(c->pipe, &scratch, 1, &got);
    return io;
}

void rnic_conn_linger(struct rnic_connector *c)
{
    enum plat_io io;

    if (c->pipe == NULL)
        return;
    if (c->tx_sent < c->tx_len) {
        enum rnic_conn_io out = rnic_conn_write(c, true);

        if (out == RNIC_CONN_IO_WHOLE)
            plat_pipe_shutdown(c->pipe);
        else if (out != RNIC_CONN_IO_MORE)
            rnic_conn_close_pipe(c, true);
        if (c->pipe == NULL)
            return;
    }
    io = drain(c);
    if (io == PLAT_IO_END || io == PLAT_IO_ERROR) {
        rnic_conn_cancel_timer(c);
        rnic_conn_close_pipe(c, io == PLAT_IO_ERROR || c->tx_sent < c->tx_len);
    }
}

void rnic_conn_build_reject(struct rnic_connector *c)
{
    struct mpa_frame reply;

    if (!iw_mpa_reject(&options(c)->mpa, &c->offer, NULL, 0, &reply))
        SN_UNREACHABLE();
    rnic_conn_build(c, &reply);
}

void rnic_conn_reject(struct rnic_connector *c)
{
    if (c->listener == NULL) {
        /* MPA has no way to say no to a Reply but this. [RFC5044 7.1] */
        rnic_conn_terminate(c, WIRE_LOCAL_CATASTROPHIC);
        rnic_conn_release_qp(c);
        return;
    }
    if (c->pipe == NULL)
        return;
    rnic_conn_set_timer(c, options(c)->disconnect_timeout_ms);
    rnic_conn_linger(c);
}

/* ---- once connected ---- */

static void run_event(struct plat_call *call)
{
    struct rnic_connector *c = SN_CONTAINER_OF(call, struct rnic_connector, event_call);

    if (!rnic_obj_is_closing(&c->obj))
        c->event.call(&c->event, c->event_reason);
    rnic_obj_put(&c->obj, RNIC_REF_CALLBACK);
}

/* At most once per connection. [NDKPI NDK_FN_DISCONNECT_EVENT_CALLBACK] */
static void give_event(struct rnic_connector *c, enum wire_err e)
{
    if (c->is_event_given || c->event.fn == NULL)
        return;
    c->is_event_given = true;
    c->event_reason = (uint32_t)e;
    c->event_call.run = run_event;
    rnic_obj_get(&c->obj, RNIC_REF_CALLBACK);
    plat_lane_call(c->obj.home, &c->event_call);
}

void rnic_connector_on_peer_fin(struct rnic_connector *c)
{
    enum rnic_conn_state prev;

    if (rnic_conn_step(c, RNIC_EV_PEER_FIN, &prev) != RNIC_CONN_GO)
        return;
    if (prev == RNIC_CONN_CONNECTED) {
        give_event(c, WIRE_OK);
        return;
    }
    /* The initiator hung up instead of completing. */
    rnic_conn_cancel_timer(c);
    sn_a64_fetch_add(&c->obj.adapter->counters.connect_failures, 1);
    rnic_qp_abort(c->qp, SN_CANCELLED, false);
    rnic_request_answer(&c->establish, SN_ABORTED);
}

static enum sn_status why_not_established(enum sn_status why)
{
    switch ((int)why) {
    case SN_CANCELLED:
        return SN_CANCELLED;
    case SN_REMOTE_ERROR:
        return SN_REFUSED;
    default:
        return SN_ABORTED;
    }
}

static enum sn_status why_disconnected(enum sn_status why)
{
    return why == SN_OK || why == SN_CANCELLED ? why : SN_TIMED_OUT;
}

void rnic_connector_on_ended(struct rnic_connector *c, enum sn_status why, enum wire_err e)
{
    struct rnic_counters *n = &c->obj.adapter->counters;
    enum rnic_conn_state prev;

    if (rnic_conn_step(c, RNIC_EV_QP_ENDED, &prev) != RNIC_CONN_GO)
        return;
    rnic_conn_cancel_timer(c);
    if (prev == RNIC_CONN_DISCONNECTING) {
        rnic_request_answer(&c->ending, why_disconnected(why));
    } else if (prev == RNIC_CONN_CONNECTED) {
        if (why != SN_OK && why != SN_CANCELLED)
            sn_a64_fetch_add(&n->connection_errors, 1);
        give_event(c, e);
    } else {
        sn_a64_fetch_add(&n->connect_failures, 1);
        rnic_request_answer(&c->establish, why_not_established(why));
    }
}

void rnic_conn_disconnect(struct rnic_connector *c)
{
    if (rnic_conn_now(c) != RNIC_CONN_DISCONNECTING)
        return;
    rnic_conn_set_timer(c, options(c)->disconnect_timeout_ms);
    rnic_qp_disconnect(c->qp);
}

void rnic_conn_disconnect_timeout(struct rnic_connector *c)
{
    if (rnic_conn_step(c, RNIC_EV_DISCONNECT_TIMEOUT, NULL) != RNIC_CONN_GO)
        return;
    rnic_qp_abort(c->qp, SN_CANCELLED, true);
    rnic_request_answer(&c->ending, SN_TIMED_OUT);
}

/* ---- close ---- */

/*
 * Is a rejection due? Closing a request that was not answered rejects it [NDKPI
 * NDK_FN_CLOSE_OBJECT]; so does closing before the accepting Reply went out. Hanging up instead
 * would make the initiator ask again in revision 1.
 */
static bool owes_rejection(const struct rnic_connector *c)
{
    return c->is_unfit || c->closed_from == RNIC_CONN_REQUESTED ||
           (c->closed_from == RNIC_CONN_ACCEPTING && c->tx_sent == 0);
}

/* The consumer waits, so nothing lingers: what fits TCP's buffer goes, then FIN. */
static void tear_down_pipe(struct rnic_connector *c)
{
    bool says_no = owes_rejection(c);

    if (c->pipe == NULL)
        return;
    if (says_no)
        rnic_conn_build_reject(c);
    if (says_no || (c->closed_from == RNIC_CONN_ENDED && c->tx_sent < c->tx_len)) {
        if (rnic_conn_write(c, false) == RNIC_CONN_IO_WHOLE)
            plat_pipe_shutdown(c->pipe);
        drain(c);
    }
    rnic_conn_close_pipe(c, c->closed_from == RNIC_CONN_TCP);
}

void rnic_conn_tear_down(struct rnic_connector *c)
{
    rnic_conn_cancel_timer(c);
    sn_list_remove(&c->pending_link);
    rnic_listener_uncount(c);
    tear_down_pipe(c);
    if (c->is_attached)
        rnic_qp_abort(c->qp, SN_CANCELLED, false);
    else
        rnic_conn_release_qp(c);
    rnic_request_answer(&c->establish, SN_CANCELLED);
    rnic_request_answer(&c->ending, SN_CANCELLED);
}
