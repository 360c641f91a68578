/* SPDX-License-Identifier: MIT */
/*
 * The lane's side of a queue pair: the stream, its pipe, and the seam to the connector. Everything
 * here but rnic_qp_reserve and rnic_qp_unreserve is called inside the QP's lane.
 */
#ifndef SN_RNIC_QP_LANE_H
#define SN_RNIC_QP_LANE_H

#include "iwarp/stream_impl.h"
#include "rnic/lane.h"
#include "rnic/qp.h"

struct rnic_connector;

enum rnic_qp_state { RNIC_QP_IDLE, RNIC_QP_CONNECTING, RNIC_QP_CONNECTED, RNIC_QP_ENDED };

struct rnic_qp {
    struct rnic_obj obj;
    struct rnic_pd *pd;
    struct rnic_cq *recv_cq, *send_cq;
    struct rnic_srq *srq;
    void *context;
    uint32_t id;
    uint32_t send_sge_max, recv_sge_max, inline_max;
    struct sn_a32 state;      /* enum rnic_qp_state; see qp.h */
    struct sn_a32 ord;        /* effective, once connected: read by the poster */
    struct sn_a32 wants_recv; /* lane sets, poster of receives looks: the stream is held */
    struct rnic_lane *lane;   /* for life; a connector that takes the QP moves to it */
    bool has_deferred;        /* poster of initiator requests only */
    struct rnic_task task;
    struct iw_ring sq, rq; /* rq without slots when there is an SRQ */

    /* lane only from here on */
    uint32_t rq_taken;                /* receives the stream has taken */
    struct rnic_connector *connector; /* while attached */
    struct plat_pipe *pipe;
    struct iw_stream stream;
    bool has_stream;
    bool is_tx_blocked; /* TCP is full: wait until it is writable */
    bool is_reading;    /* watched for reading */
    bool is_fin_sent, is_fin_received;
    bool has_left; /* the peer's FIN came between messages: nothing moves, our FIN is due */
    bool is_over;  /* no work any more, the connector told: only the pipe may linger */
    bool is_first_fpdu_due;        /* the connector is to be told */
    bool is_given_up;              /* a Send waited too long for a receive */
    struct plat_timer hold_timer;  /* a Send waits for a receive */
    struct plat_timer drain_timer; /* how long we wait for the peer's FIN after the end */
    uint8_t *held;                 /* octets read behind the point where the stream was held */
    size_t held_len;
    struct iw_recv *srq_recv; /* room for one receive taken from the SRQ */
    struct sn_list srq_waiter;
};

/* ---- called by the connector ---- */

/* Any thread: IDLE -> CONNECTING, and a SUCCESSOR reference for the connector.
 * SN_ALREADY_CONNECTED, SN_BAD_STATE (closing, or a CQ of it is dead). */
SN_MUST_CHECK enum sn_status rnic_qp_reserve(struct rnic_qp *qp);
/* CONNECTING -> IDLE (if it is still CONNECTING), and drops that reference. Also when it is ENDED:
 * then it only drops the reference. Any thread. */
void rnic_qp_unreserve(struct rnic_qp *qp);
/*
 * Inside qp->lane, where the pipe is too: the start-up is over; the QP takes the pipe over (its ops
 * become the QP's) and has a stream, gate shut, nothing read. SN_NO_MEMORY, SN_CANCELLED (flushed
 * meanwhile): then the pipe is still the connector's.
 */
SN_MUST_CHECK enum sn_status rnic_qp_attach(struct rnic_qp *qp, struct rnic_connector *c,
    struct plat_pipe *pipe, bool is_initiator, const struct iw_mpa_result *mpa);
/* CONNECTING -> CONNECTED: the consumer may post. Before its callback says so. */
void rnic_qp_set_connected(struct rnic_qp *qp);
/* Initiator: the RTR and then work may go. Responder: the Reply is out. Starts reading as well. */
void rnic_qp_open_gate(struct rnic_qp *qp);
/* Graceful: what is queued goes, then FIN. rnic_connector_on_ended follows when both FINs are
 * through. */
void rnic_qp_disconnect(struct rnic_qp *qp);
/* Sends a Terminate for `e`, then FIN. on_ended comes at once. */
void rnic_qp_terminate(struct rnic_qp *qp, enum wire_err e);
/* Ends at once: kills the stream, flushes all (oldest initiator request gets `first`), closes the
 * pipe (FIN if nothing was cut off, else RST; is_reset: RST). No on_ended. Harmless when ended. */
void rnic_qp_abort(struct rnic_qp *qp, enum sn_status first, bool is_reset);

/* ---- called by the QP, implemented by the connector ---- */

/* Responder: the first FPDU came and was valid. `is_terminate`: it was a Terminate. */
void rnic_connector_on_first_fpdu(struct rnic_connector *c, bool is_terminate);
/* The peer sent FIN; the stream is otherwise alive for what we still send. */
void rnic_connector_on_peer_fin(struct rnic_connector *c);
/*
 * The stream is over and the QP is flushed; what is left to be sent (a Terminate, FIN) goes by
 * itself. why: SN_OK an orderly end (both FINs), SN_CANCELLED by NdkFlush or the closing of the QP
 * here, SN_RESET connection lost, SN_PROTOCOL an error found here, SN_REMOTE_ERROR a Terminate
 * came, SN_TIMED_OUT no receive was posted in time. `e` is the error behind it, WIRE_OK if none.
 * The QP is no longer attached and does not call this connector again.
 */
void rnic_connector_on_ended(struct rnic_connector *c, enum sn_status why, enum wire_err e);

/* ---- called by qp_post.c and srq.c ---- */
enum rnic_qp_todo {
    RNIC_QP_TODO_TX = 1,   /* something was posted */
    RNIC_QP_TODO_RECV = 2, /* a receive was posted while one was wanted, or after the end */
    RNIC_QP_TODO_FLUSH = 4,
    RNIC_QP_TODO_CLOSE = 8,
    RNIC_QP_TODO_CQ_DEAD = 16,
    RNIC_QP_TODO_GONE = 32, /* nothing: its reference outlasts what the lane does now */
};
void rnic_qp_run(struct rnic_task *t, uint32_t todo);
/* Inside the lane: sends what can be sent. */
void rnic_qp_service(struct rnic_qp *qp);
/* Any thread: makes the lane look at the receives again. */
void rnic_qp_recv_posted(struct rnic_qp *qp);

/* ---- called by cq.c ---- */
/* Under adapter->lock, any lane: if `o` is a QP that uses the CQ `cq`, it is to end. */
void rnic_qp_on_cq_dead(void *cq, struct rnic_obj *o);

#endif
