/* SPDX-License-Identifier: MIT */
/* The active side inside its lane: TCP, Request, Reply, and the completion by the consumer. */
#include "base/assert.h"
#include "rnic/connector_impl.h"

enum { PORT_TRIES = 8 };

static const struct rnic_options *options(const struct rnic_connector *c)
{
    return &c->obj.adapter->options;
}

/* What this attempt speaks. */
static struct iw_mpa_options mpa_options(const struct rnic_connector *c)
{
    struct iw_mpa_options o = options(c)->mpa;

    if (c->is_fallback)
        o.revision = 1;
    return o;
}

static bool picks_port(const struct rnic_connector *c)
{
    return c->endpoint == NULL && c->args.src.port == 0;
}

/* Everything of an attempt but the reservation of the QP. */
static void end_attempt(struct rnic_connector *c, bool is_abort)
{
    rnic_conn_cancel_timer(c);
    rnic_conn_close_pipe(c, is_abort);
    rnic_local_release(c->obj.adapter, &c->claim);
}

static void fail(struct rnic_connector *c, enum sn_status status, bool is_abort)
{
    struct rnic_obj *endpoint = c->endpoint != NULL ? rnic_endpoint_obj(c->endpoint) : NULL;

    if (rnic_conn_step(c, RNIC_EV_SETUP_FAILED, NULL) != RNIC_CONN_GO)
        return; /* closed meanwhile: the close completes the request */
    end_attempt(c, is_abort);
    rnic_conn_release_qp(c);
    c->endpoint = NULL;
    if (endpoint != NULL)
        rnic_obj_put(endpoint, RNIC_REF_SUCCESSOR);
    sn_a64_fetch_add(&c->obj.adapter->counters.connect_failures, 1);
    /* Our arguments were checked: a system that finds fault with them knows no way from this local
     * address to that one, as from 127.0.0.1 to another host. */
    if (status == SN_INVALID)
        status = SN_NET_UNREACHABLE;
    rnic_request_answer(&c->establish, status); /* the consumer may connect again from here on */
}

void rnic_conn_setup_failed(struct rnic_connector *c, enum sn_status status)
{
    fail(c, status, true);
}

/* Connects from a port of the platform's choice that no object of ours still holds. */
static enum sn_status connect_from_any_port(
    struct rnic_connector *c, const struct plat_pipe_options *o)
{
    for (int i = 0; i < PORT_TRIES; i++) {
        struct plat_addr local;
        enum sn_status s = plat_connect(rnic_conn_lane(c)->lane, &c->args.src, &c->args.dst, o,
            &rnic_conn_pipe_ops, c, &c->pipe);

        if (s != SN_OK)
            return s;
        plat_pipe_local(c->pipe, &local);
        if (rnic_local_claim(c->obj.adapter, &c->claim, &local) == SN_OK)
            return SN_OK;
        rnic_conn_close_pipe(c, true);
    }
    return SN_NO_PORTS;
}

static enum sn_status connect_tcp(struct rnic_connector *c)
{
    const struct plat_pipe_options o = {.socket_buffer = options(c)->socket_buffer};

    if (picks_port(c))
        return connect_from_any_port(c, &o);
    if (c->endpoint == NULL) {
        enum sn_status s = rnic_local_claim(c->obj.adapter, &c->claim, &c->args.src);

        if (s != SN_OK)
            return s;
    }
    return plat_connect(
        rnic_conn_lane(c)->lane, &c->args.src, &c->args.dst, &o, &rnic_conn_pipe_ops, c, &c->pipe);
}

static void attempt(struct rnic_connector *c)
{
    const struct iw_mpa_options o = mpa_options(c);
    enum sn_status s;

    c->rx_len = 0;
    c->has_early = false;
    /* Revision 1 has room for more private data than revision 2: what fitted fits. */
    if (!iw_mpa_request(
            &o, c->args.ird, c->args.ord, c->args.private_data, c->args.private_len, &c->request))
        SN_UNREACHABLE();
    rnic_conn_build(c, &c->request);
    s = connect_tcp(c);
    if (s != SN_OK) {
        rnic_conn_setup_failed(c, s);
        return;
    }
    rnic_conn_set_addresses(c);
    rnic_conn_set_timer(c, options(c)->connect_timeout_ms);
}

void rnic_conn_start_connect(struct rnic_connector *c)
{
    if (rnic_conn_now(c) != RNIC_CONN_TCP)
        return;
    c->is_fallback = false;
    c->ports_tried = 0;
    attempt(c);
}

/* The connection ended before the first octet of a Reply. An old responder does that to a Request
 * of revision 2, and the way to find out is to ask again in revision 1. [ECE-008] */
static void hung_up(struct rnic_connector *c, enum sn_status why)
{
    if (c->request.revision < 2 || (why != SN_OK && why != SN_RESET)) {
        rnic_conn_setup_failed(c, why == SN_OK || why == SN_RESET ? SN_REFUSED : why);
        return;
    }
    if (rnic_conn_step(c, RNIC_EV_RETRY, NULL) != RNIC_CONN_GO)
        return;
    end_attempt(c, true);
    c->is_fallback = true;
    attempt(c);
}

/* An earlier connection to this peer lingers (TIME_WAIT) on the port that the platform drew: that
 * is no fault of the consumer's, who named none. */
static bool takes_another_port(struct rnic_connector *c, enum sn_status status)
{
    if (status != SN_ADDRESS_PAIR_EXISTS || !picks_port(c) || c->ports_tried >= PORT_TRIES ||
        rnic_conn_now(c) != RNIC_CONN_TCP)
        return false;
    c->ports_tried++;
    end_attempt(c, true);
    attempt(c);
    return true;
}

void rnic_conn_tcp_connected(struct rnic_connector *c, enum sn_status status)
{
    if (takes_another_port(c, status))
        return;
    if (status != SN_OK) {
        rnic_conn_setup_failed(c, status == SN_RESET ? SN_REFUSED : status);
        return;
    }
    if (rnic_conn_step(c, RNIC_EV_TCP_UP, NULL) != RNIC_CONN_GO)
        return;
    rnic_conn_set_addresses(c); /* a wildcard became an address */
    rnic_conn_set_timer(c, options(c)->mpa_timeout_ms);
    if (rnic_conn_write(c, true) == RNIC_CONN_IO_ERROR)
        hung_up(c, plat_pipe_error(c->pipe));
}

/* ---- the Reply ---- */

/* Reads that the peer may have under way here, for the consumer to know. We would serve more, for a
 * peer that means less by its number. [NDKPI NDK_FN_GET_CONNECTION_DATA] */
static uint32_t inbound_reads(const struct rnic_connector *c, const struct mpa_frame *reply)
{
    if (!c->mpa.is_enhanced || reply->ord == MPA_IRD_ORD_NOT_NEGOTIATED)
        return c->mpa.ird;
    return reply->ord < c->mpa.ird ? reply->ord : c->mpa.ird;
}

static void accepted(struct rnic_connector *c, const struct mpa_frame *reply)
{
    if (rnic_conn_step(c, RNIC_EV_PEER_ACCEPTS, NULL) != RNIC_CONN_GO)
        return;
    rnic_conn_cancel_timer(c); /* the consumer may take its time */
    rnic_conn_set_data(c, inbound_reads(c, reply), c->mpa.ord, reply);
    rnic_request_answer(&c->establish, SN_OK);
}

static void rejected(struct rnic_connector *c, const struct mpa_frame *reply)
{
    /* The peer's limits are ours the other way round. [ECE-012] */
    rnic_conn_set_data(c, reply->ord, reply->ird, reply);
    fail(c, SN_REFUSED, false);
}

static void judge(struct rnic_connector *c, const struct mpa_frame *reply)
{
    const struct iw_mpa_options o = mpa_options(c);
    enum wire_err e = WIRE_OK;

    switch (iw_mpa_judge_reply(&o, &c->request, reply, &c->mpa, &e)) {
    case IW_MPA_OK:
        accepted(c, reply);
        return;
    case IW_MPA_REJECTED:
        rejected(c, reply);
        return;
    case IW_MPA_TERMINATE:
        rnic_conn_terminate(c, e);
        break;
    case IW_MPA_CLOSE:
    case IW_MPA_REJECT_IT: /* not an initiator's */
        break;
    }
    rnic_conn_setup_failed(c, SN_PROTOCOL);
}

void rnic_conn_read_reply(struct rnic_connector *c)
{
    struct mpa_frame reply;

    switch (rnic_conn_read(c, MPA_REPLY, &reply)) {
    case RNIC_CONN_IO_MORE:
        break;
    case RNIC_CONN_IO_WHOLE:
        judge(c, &reply);
        break;
    case RNIC_CONN_IO_BAD:
        rnic_conn_setup_failed(c, SN_PROTOCOL);
        break;
    case RNIC_CONN_IO_END:
        if (c->rx_len == 0)
            hung_up(c, SN_OK);
        else
            rnic_conn_setup_failed(c, SN_PROTOCOL); /* half a frame */
        break;
    case RNIC_CONN_IO_ERROR:
        if (c->rx_len == 0)
            hung_up(c, plat_pipe_error(c->pipe));
        else
            rnic_conn_setup_failed(c, SN_REFUSED);
        break;
    }
}

/* ---- after the consumer's decision ---- */

void rnic_conn_complete(struct rnic_connector *c)
{
    enum sn_status s;

    if (rnic_conn_now(c) != RNIC_CONN_COMPLETING)
        return;
    if (c->pipe == NULL)
        s = SN_ABORTED; /* the peer went away before we came here */
    else
        s = rnic_conn_attach(c, true, &c->mpa);
    if (s != SN_OK) {
        if (rnic_conn_step(c, RNIC_EV_ESTABLISH_FAILED, NULL) != RNIC_CONN_GO)
            return;
        rnic_conn_close_pipe(c, true);
        rnic_conn_release_qp(c);
        sn_a64_fetch_add(&c->obj.adapter->counters.connect_failures, 1);
        rnic_request_answer(&c->establish, s);
        return;
    }
    rnic_qp_set_connected(c->qp);
    /* The RTR goes first of all. If the connection turns out to be lost, rnic_connector_on_ended
     * has answered already. [RFC6581] */
    rnic_qp_open_gate(c->qp);
    if (rnic_conn_step(c, RNIC_EV_ESTABLISHED, NULL) != RNIC_CONN_GO)
        return;
    sn_a64_fetch_add(&c->obj.adapter->counters.connects, 1);
    rnic_request_answer(&c->establish, SN_OK);
}

void rnic_conn_terminate(struct rnic_connector *c, enum wire_err e)
{
    struct iw_mpa_result mpa = c->mpa;

    if (c->pipe == NULL)
        return;
    mpa.is_p2p = false; /* the Terminate comes instead of the RTR */
    mpa.rtr = IW_RTR_NONE;
    if (rnic_conn_attach(c, true, &mpa) != SN_OK) {
        rnic_conn_close_pipe(c, true);
        return;
    }
    rnic_qp_open_gate(c->qp);
    rnic_qp_terminate(c->qp, e);
    c->is_attached = false; /* the QP sees to the rest by itself */
}
