/* SPDX-License-Identifier: MIT */
/* The passive side inside its lane: Request, the consumer's answer, and the wait for the first
 * FPDU. */
#include "base/assert.h"
#include "rnic/connector_impl.h"

static const struct rnic_options *options(const struct rnic_connector *c)
{
    return &c->obj.adapter->options;
}

void rnic_conn_drop(struct rnic_connector *c)
{
    const struct rnic_done nobody = {0};
    struct rnic_adapter *a = c->obj.adapter;

    /* It may have been dropped before: then there is nothing to do. */
    if (rnic_obj_close(&c->obj, nobody) != SN_BAD_STATE)
        sn_a64_fetch_add(&a->counters.connect_failures, 1);
}

/* ---- the Request ---- */

static void judge(struct rnic_connector *c, const struct mpa_frame *request)
{
    enum wire_err e = WIRE_OK;

    switch (iw_mpa_judge_request(&options(c)->mpa, request, &c->offer, &e)) {
    case IW_MPA_OK:
        break;
    case IW_MPA_REJECT_IT:
        c->is_unfit = true;
        rnic_conn_drop(c);
        return;
    case IW_MPA_CLOSE:
    case IW_MPA_REJECTED: /* not a responder's */
    case IW_MPA_TERMINATE:
        rnic_conn_drop(c);
        return;
    }
    if (rnic_listener_refuses(c->listener)) {
        rnic_conn_drop(c);
        return;
    }
    rnic_conn_cancel_timer(c);
    rnic_conn_set_data(c, c->offer.ird, c->offer.ord, request);
    if (rnic_conn_step(c, RNIC_EV_REQUEST, NULL) == RNIC_CONN_GO)
        rnic_listener_deliver(c->listener, c);
}

void rnic_conn_read_request(struct rnic_connector *c)
{
    struct mpa_frame request;

    switch (rnic_conn_read(c, MPA_REQUEST, &request)) {
    case RNIC_CONN_IO_MORE:
        break;
    case RNIC_CONN_IO_WHOLE:
        judge(c, &request);
        break;
    case RNIC_CONN_IO_BAD:
    case RNIC_CONN_IO_END:
    case RNIC_CONN_IO_ERROR:
        rnic_conn_drop(c);
        break;
    }
}

/* ---- the Reply ---- */

void rnic_conn_accept_failed(struct rnic_connector *c, enum sn_status status)
{
    if (rnic_conn_step(c, RNIC_EV_ESTABLISH_FAILED, NULL) != RNIC_CONN_GO)
        return;
    rnic_conn_cancel_timer(c);
    if (!c->is_attached) {
        rnic_conn_close_pipe(c, true);
        rnic_conn_release_qp(c); /* unharmed: it may serve another connector */
    }
    sn_a64_fetch_add(&c->obj.adapter->counters.connect_failures, 1);
    rnic_request_answer(&c->establish, status);
}

/* The QP was flushed or closed after the consumer gave it to us. */
static void accept_cancelled(struct rnic_connector *c)
{
    if (rnic_conn_step(c, RNIC_EV_ESTABLISH_FAILED, NULL) != RNIC_CONN_GO)
        return;
    rnic_conn_release_qp(c);
    rnic_conn_build_reject(c);
    rnic_conn_reject(c);
    sn_a64_fetch_add(&c->obj.adapter->counters.connect_failures, 1);
    rnic_request_answer(&c->establish, SN_CANCELLED);
}

void rnic_conn_send_reply(struct rnic_connector *c)
{
    enum sn_status s;

    if (rnic_conn_now(c) != RNIC_CONN_ACCEPTING || c->is_attached)
        return;
    if (c->pipe == NULL) {
        rnic_conn_accept_failed(c, SN_ABORTED);
        return;
    }
    if (c->tx_sent == 0 && sn_a32_load_acquire(&c->qp->state) != RNIC_QP_CONNECTING) {
        accept_cancelled(c);
        return;
    }
    switch (rnic_conn_write(c, false)) {
    case RNIC_CONN_IO_WHOLE:
        break;
    case RNIC_CONN_IO_MORE:
        rnic_conn_set_timer(c, options(c)->mpa_timeout_ms);
        return;
    case RNIC_CONN_IO_BAD:
    case RNIC_CONN_IO_END:
    case RNIC_CONN_IO_ERROR:
        rnic_conn_accept_failed(c, SN_ABORTED);
        return;
    }
    s = rnic_conn_attach(c, false, &c->mpa);
    if (s != SN_OK) {
        rnic_conn_accept_failed(c, s);
        return;
    }
    rnic_conn_cancel_timer(c);
    /* A peer that promised no RTR may have nothing to say for long. */
    if (!c->mpa.is_p2p)
        rnic_conn_set_timer(c, options(c)->accept_quiet_ms);
    rnic_qp_open_gate(c->qp);
}

static void established(struct rnic_connector *c)
{
    if (rnic_conn_step(c, RNIC_EV_ESTABLISHED, NULL) != RNIC_CONN_GO)
        return;
    rnic_conn_cancel_timer(c);
    sn_a64_fetch_add(&c->obj.adapter->counters.accepts, 1);
    rnic_request_answer(&c->establish, SN_OK);
}

void rnic_connector_on_first_fpdu(struct rnic_connector *c, bool is_terminate)
{
    if (is_terminate)
        rnic_conn_accept_failed(c, SN_REFUSED); /* the initiator's consumer said no */
    else
        established(c);
}

void rnic_conn_quiet(struct rnic_connector *c)
{
    if (!c->is_attached) {
        rnic_conn_accept_failed(c, SN_ABORTED); /* the Reply did not get out in time */
    } else if (c->qp->pipe == NULL || plat_pipe_unacked(c->qp->pipe) > 0) {
        rnic_conn_set_timer(c, options(c)->accept_quiet_ms);
    } else {
        /* Its TCP has the Reply. The gate stays shut until it speaks. [RFC5044 7.1.2] */
        rnic_qp_set_connected(c->qp);
        established(c);
    }
}
