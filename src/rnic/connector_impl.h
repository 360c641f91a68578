/* SPDX-License-Identifier: MIT */
/*
 * The insides of a connector, shared by connector.c (life, the consumer's calls, who is called for
 * what), conn_start.c (start-up frames), conn_active.c and conn_passive.c (the two ways to be
 * connected), conn_end.c (disconnect, reject, close, the end).
 *
 * A call of the consumer's takes the state from one to the next under the lock, leaves its
 * arguments in fields that nobody else touches in that state, and posts a task; the lane does the
 * rest. The lane looks at the state again before each step: the consumer may have closed meanwhile.
 */
#ifndef SN_RNIC_CONNECTOR_IMPL_H
#define SN_RNIC_CONNECTOR_IMPL_H

#include "rnic/conn_table.h"
#include "rnic/listener_impl.h"
#include "rnic/qp_lane.h"
#include "rnic/request.h"

/* Bits of the task. */
enum {
    RNIC_CONN_TODO_CONNECT = 1,
    RNIC_CONN_TODO_COMPLETE = 2,
    RNIC_CONN_TODO_ACCEPT = 4,
    RNIC_CONN_TODO_REJECT = 8,
    RNIC_CONN_TODO_DISCONNECT = 16,
    RNIC_CONN_TODO_CLOSE = 32,
};

/* What the consumer asked NdkConnect for. Set by the call, read by the lane after its task. */
struct rnic_conn_args {
    struct plat_addr src, dst;
    uint32_t ird, ord;
    uint16_t private_len;
    uint8_t private_data[MPA_PRIVATE_DATA_MAX];
};

/* What rnic_connector_data and rnic_connector_addresses tell. Guarded by the lock. */
struct rnic_conn_facts {
    bool has_data, has_addresses;
    uint32_t ird, ord;
    const uint8_t *private_data; /* in rx */
    uint32_t private_len;
    struct plat_addr local, peer;
};

struct rnic_connector {
    struct rnic_obj obj;
    struct rnic_task task;
    /* struct rnic_lane. Changes once per connection, inside the old lane, to that of the QP. A task
     * that was posted to the old lane goes after it. */
    struct sn_aptr lane;
    struct rnic_listener *listener; /* passive; SUCCESSOR reference */
    struct rnic_endpoint *endpoint; /* active, or NULL; SUCCESSOR reference */
    struct rnic_local claim;        /* active without endpoint: its local address */

    struct sn_lock lock; /* rank SN_RANK_OBJ */
    struct sn_a32 state; /* enum rnic_conn_state; written under lock */
    struct rnic_conn_facts facts;

    struct rnic_request establish; /* connect, complete or accept */
    struct rnic_request ending;    /* disconnect */
    struct rnic_disconnect_event event;
    struct plat_call event_call;
    uint32_t event_reason;
    bool is_event_given;           /* lane only */
    struct plat_call arrival_call; /* the connect event */

    struct rnic_qp *qp; /* reserved; set by the call, dropped by the lane */
    struct rnic_conn_args args;
    struct iw_mpa_result mpa; /* active: lane; passive: set by the accepting call */

    /* lane only from here on */
    enum rnic_conn_state closed_from;
    struct plat_pipe *pipe;  /* until the QP has it */
    struct plat_timer timer; /* of the step that is under way */
    bool is_attached;        /* the QP has the pipe */
    bool is_fallback;        /* active: revision 1, because the peer hung up on 2 */
    uint32_t ports_tried;    /* active: that were ours to choose and that lingered to this peer */
    bool is_unfit;           /* passive: the Request asks for what we cannot do */
    bool has_early;          /* an octet that came behind the peer's frame */
    uint8_t early;
    struct mpa_frame request;    /* active: as sent */
    struct iw_mpa_offer offer;   /* passive */
    struct sn_list pending_link; /* in listener->pending while WAIT_REQUEST */
    struct sn_a32 is_counted;    /* in listener->pending_count */
    size_t tx_len, tx_sent, rx_len;
    uint8_t tx[MPA_FRAME_LEN_MAX];
    uint8_t rx[MPA_FRAME_LEN_MAX];
};

/* ---- connector.c ---- */

SN_MUST_CHECK struct rnic_connector *rnic_conn_new(struct rnic_adapter *a, struct rnic_lane *lane,
    enum rnic_conn_state state, struct rnic_listener *listener);
/* Makes the transition, if there is one; `prev` (may be NULL) gets the state before. */
enum rnic_conn_act rnic_conn_step(
    struct rnic_connector *c, enum rnic_conn_event e, enum rnic_conn_state *prev);
static inline struct rnic_lane *rnic_conn_lane(const struct rnic_connector *c)
{
    return sn_aptr_load_acquire(&c->lane);
}
static inline enum rnic_conn_state rnic_conn_now(const struct rnic_connector *c)
{
    return (enum rnic_conn_state)sn_a32_load_acquire(&c->state);
}
void rnic_conn_set_timer(struct rnic_connector *c, uint32_t delay_ms);
void rnic_conn_cancel_timer(struct rnic_connector *c);
/* The reservation ends; the QP is free for another connector unless it was connected. */
void rnic_conn_release_qp(struct rnic_connector *c);
void rnic_conn_close_pipe(struct rnic_connector *c, bool is_abort);
void rnic_conn_set_addresses(struct rnic_connector *c);
void rnic_conn_set_data(
    struct rnic_connector *c, uint32_t ird, uint32_t ord, const struct mpa_frame *from);
extern const struct plat_pipe_ops rnic_conn_pipe_ops;

/* ---- conn_start.c ---- */

enum rnic_conn_io {
    RNIC_CONN_IO_MORE, /* not yet whole: wait */
    RNIC_CONN_IO_WHOLE,
    RNIC_CONN_IO_BAD,   /* not a frame */
    RNIC_CONN_IO_END,   /* the peer's FIN */
    RNIC_CONN_IO_ERROR, /* the pipe failed */
};
/* Puts a frame into tx. It fits: private data was checked. */
void rnic_conn_build(struct rnic_connector *c, const struct mpa_frame *f);
/* Writes what is left of tx, and watches for writing as long as something is. MORE, WHOLE, ERROR.
 */
enum rnic_conn_io rnic_conn_write(struct rnic_connector *c, bool reading);
/* Reads into rx, never behind the frame's last octet. */
enum rnic_conn_io rnic_conn_read(struct rnic_connector *c, enum mpa_role role, struct mpa_frame *f);
/*
 * While the consumer has to answer, and the peer has nothing to say: looks for its FIN or a reset.
 * An octet (early, but we accept it) is kept for the stream, and nothing more is read. MORE, END,
 * ERROR.
 */
enum rnic_conn_io rnic_conn_listen_for_end(struct rnic_connector *c);
/* Gives the pipe to the QP. On failure it is still ours. */
SN_MUST_CHECK enum sn_status rnic_conn_attach(
    struct rnic_connector *c, bool is_initiator, const struct iw_mpa_result *mpa);

/* ---- conn_active.c: the lane's part ---- */

void rnic_conn_start_connect(struct rnic_connector *c);
void rnic_conn_tcp_connected(struct rnic_connector *c, enum sn_status status);
void rnic_conn_read_reply(struct rnic_connector *c);
void rnic_conn_setup_failed(struct rnic_connector *c, enum sn_status status);
void rnic_conn_complete(struct rnic_connector *c);
/* Enters full operation only to say why there will be none. The pipe is the QP's then, or closed.
 */
void rnic_conn_terminate(struct rnic_connector *c, enum wire_err e);

/* ---- conn_passive.c: the lane's part ---- */

void rnic_conn_read_request(struct rnic_connector *c);
void rnic_conn_send_reply(struct rnic_connector *c);
void rnic_conn_accept_failed(struct rnic_connector *c, enum sn_status status);
/* Nobody has come out of ACCEPTING for a while. */
void rnic_conn_quiet(struct rnic_connector *c);
/* Gives up a connector that the consumer has not seen. It is closed from here on. */
void rnic_conn_drop(struct rnic_connector *c);

/* ---- conn_end.c: the lane's part ---- */

/* The peer went away while the consumer had to answer. */
void rnic_conn_peer_gone(struct rnic_connector *c);
/* Puts a rejection without private data into tx. */
void rnic_conn_build_reject(struct rnic_connector *c);
/* Passive: sends the rejection in tx. */
void rnic_conn_reject(struct rnic_connector *c);
/* A rejection is out, or not yet: goes on with it. */
void rnic_conn_linger(struct rnic_connector *c);
void rnic_conn_disconnect(struct rnic_connector *c);
void rnic_conn_disconnect_timeout(struct rnic_connector *c);
/* Phase one of close: nothing of this connection is left in the lane afterwards. */
void rnic_conn_tear_down(struct rnic_connector *c);

#endif
