/* SPDX-License-Identifier: MIT */
/*
 * One side of a connection: a queue pair and the consumer that posts on it at random. What a Read
 * or Write names at the peer, and what a Send invalidates there, is taken from the peer's books
 * directly: that consumers tell each other about STags is not what is tested.
 */
#ifndef SN_TESTS_SIM_ACTOR_H
#define SN_TESTS_SIM_ACTOR_H

#include "rnic/connector.h"
#include "sim/bell.h"
#include "sim/domain.h"
#include "sim/order.h"

struct link;

struct actor {
    struct link *link;
    uint32_t side; /* 0 connects, 1 accepts */
    struct host *host;
    struct domain *domain;
    struct cq *send_cq, *recv_cq;
    struct cq *own_cq; /* to be closed with the queue pair; NULL: they are the host's */
    struct rnic_qp *qp;
    struct life *qp_life;
    struct rnic_connector *connector;
    struct life *connector_life;
    struct ask connecting, completing, accepting, disconnecting;
    bool must_answer; /* it was accepted and has to complete, or was requested and has to accept */
    bool must_part;   /* the peer disconnected */
    bool uses_srq;
    uint32_t send_depth, recv_depth, sge_max, inline_max;
    uint32_t ird, ord; /* asked for; effective once connected */
    bool is_usable;    /* the consumer was told: it may post */
    bool is_over;      /* it was told the end, or ended it, or a post was refused */
    bool is_qp_gone;   /* its close completed */
    bool is_settled;   /* and the books are closed */
    bool has_deferred;
    bool has_finished; /* the last Send is posted */
    bool has_event;    /* the disconnect event came */
    bool has_disconnected;

    struct order sq, rq;
    uint32_t reals;                     /* completions that are neither OK nor CANCELLED */
    struct op *sent_head, *sent_tail;   /* Sends that the peer has not received yet */
    struct op *write_head, *write_tail; /* Writes not known to be delivered */
    uint64_t sends, receives_posted, receives_done;
    uint64_t due_since_ns; /* since when a Send finds no receive here; 0: all do */
};

/* Creates its queue pair. */
void actor_init(struct actor *a, struct link *l, uint32_t side, struct host *h);
struct actor *actor_peer(const struct actor *a);
/* Posts something, if there is room and it may. */
void actor_post(struct actor *a);
void actor_post_receive(struct actor *a);
/* The last Send of an orderly consumer: aloud and not deferred, so that it confirms everything
 * before. */
void actor_finish(struct actor *a);
/* Asks for what it may not have: the connection ends. */
void actor_misbehave(struct actor *a);
/* Receives that the peer's Sends need and that are not posted. */
uint64_t actor_due(const struct actor *a);
/* It has work that must complete if nothing bad happens. */
bool actor_is_busy(const struct actor *a);

#endif
