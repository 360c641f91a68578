/* SPDX-License-Identifier: MIT */
/*
 * Connectors: from a TCP connection over MPA start-up to a stream in full operation, and its end.
 * Three steps [NDKPI connecting]: request = MPA Request, accept = MPA Reply, complete = the RTR (or
 * the initiator's first FPDU).
 */
#ifndef SN_RNIC_CONNECTOR_H
#define SN_RNIC_CONNECTOR_H

#include "rnic/endpoint.h"
#include "rnic/qp.h"

struct rnic_connector;

enum rnic_conn_state {
    RNIC_CONN_IDLE,
    RNIC_CONN_TCP,          /* active: TCP connects */
    RNIC_CONN_WAIT_REPLY,   /* active: Request sent */
    RNIC_CONN_ACCEPTED,     /* active: the peer accepted, the consumer has to complete or reject */
    RNIC_CONN_COMPLETING,   /* active: the consumer completed, the RTR goes */
    RNIC_CONN_WAIT_REQUEST, /* passive: not yet the consumer's */
    RNIC_CONN_REQUESTED,    /* passive: the consumer has to accept or reject */
    RNIC_CONN_ACCEPTING,    /* passive: Reply sent, waits for the first FPDU */
    RNIC_CONN_CONNECTED,
    RNIC_CONN_DISCONNECTING, /* the consumer's NdkDisconnect is under way */
    RNIC_CONN_GONE,          /* the peer went away while the consumer had to answer */
    RNIC_CONN_LOST,          /* was connected; ended by the peer or by an error */
    RNIC_CONN_ENDED,         /* disconnected, rejected, or failed after both sides had agreed */
    RNIC_CONN_FAILED,        /* active: the connect failed; may connect again */
    RNIC_CONN_CLOSED,        /* the consumer closed it */
    RNIC_CONN_STATE_COUNT
};
const char *rnic_conn_state_name(enum rnic_conn_state s);

/* At most once per connection, on a home thread. reason: enum wire_err or 0. */
struct rnic_disconnect_event {
    void (*call)(const struct rnic_disconnect_event *e, uint32_t reason);
    void (*fn)(void); /* NULL: nobody wants to know */
    void *ctx;
};

SN_MUST_CHECK enum sn_status rnic_connector_create(
    struct rnic_adapter *a, struct rnic_connector **out);
struct rnic_obj *rnic_connector_obj(struct rnic_connector *c);
struct rnic_connector *rnic_connector_from_obj(struct rnic_obj *o);

/*
 * All that take `done`: SN_PENDING: it will be called once; anything else: it will not.
 * Active. SN_BAD_STATE, SN_ALREADY_CONNECTED (the QP), SN_INVALID (families differ),
 * SN_PRIVATE_DATA_TOO_LONG, SN_ADDRESS_*, SN_NO_PORTS, SN_NO_MEMORY; through done also SN_REFUSED,
 * SN_NET_UNREACHABLE, SN_HOST_UNREACHABLE, SN_TIMED_OUT, SN_CANCELLED, SN_PROTOCOL.
 * `src` or `endpoint` (then src is ignored). Private data is copied.
 */
SN_MUST_CHECK enum sn_status rnic_connector_connect(struct rnic_connector *c, struct rnic_qp *qp,
    const struct plat_addr *src, struct rnic_endpoint *endpoint, const struct plat_addr *dst,
    uint32_t ird, uint32_t ord, const void *private_data, uint32_t private_len,
    struct rnic_done done);
/* SN_NOT_CONNECTED: wrong state; SN_ABORTED, also through done: the acceptor is gone; through done
 * also SN_CANCELLED, SN_NO_MEMORY. */
SN_MUST_CHECK enum sn_status rnic_connector_complete(
    struct rnic_connector *c, struct rnic_disconnect_event event, struct rnic_done done);
/* Passive. SN_BAD_STATE, SN_ALREADY_CONNECTED, SN_PRIVATE_DATA_TOO_LONG, SN_ABORTED (peer gone);
 * through done: SN_OK, SN_ABORTED, SN_REFUSED, SN_CANCELLED, SN_NO_MEMORY. */
SN_MUST_CHECK enum sn_status rnic_connector_accept(struct rnic_connector *c, struct rnic_qp *qp,
    uint32_t ird, uint32_t ord, const void *private_data, uint32_t private_len,
    struct rnic_disconnect_event event, struct rnic_done done);
/* Either side. Synchronous. SN_OK, SN_ABORTED, SN_BAD_STATE, SN_PRIVATE_DATA_TOO_LONG. On the
 * active side the private data goes nowhere: MPA has no frame left for it. */
SN_MUST_CHECK enum sn_status rnic_connector_reject(
    struct rnic_connector *c, const void *private_data, uint32_t private_len);
/* SN_BAD_STATE: not connected, or not the first call. SN_TIMED_OUT: the connection was lost before.
 * Through done: SN_OK (the peer disconnected too), SN_TIMED_OUT (it did not, or the connection was
 * lost), SN_CANCELLED. */
SN_MUST_CHECK enum sn_status rnic_connector_disconnect(
    struct rnic_connector *c, struct rnic_done done);

/* Any thread. What the peer sent; the read limits as effective for this side now. SN_BAD_STATE
 * before there is any. *private_data stays until the connector is closed or connects once more. */
SN_MUST_CHECK enum sn_status rnic_connector_data(const struct rnic_connector *c, uint32_t *ird,
    uint32_t *ord, const uint8_t **private_data, uint32_t *private_len);
/* Any thread. SN_NOT_CONNECTED before they exist. */
SN_MUST_CHECK enum sn_status rnic_connector_addresses(
    const struct rnic_connector *c, struct plat_addr *local, struct plat_addr *peer);
enum rnic_conn_state rnic_connector_state(const struct rnic_connector *c);

#endif
