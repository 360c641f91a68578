/* SPDX-License-Identifier: MIT */
/*
 * The completion checker.
 *
 * Checked: each request completes once, or not at all if it was silent and succeeded; initiator
 * requests of a queue pair complete in the order they were posted, receives likewise, receives of a
 * shared queue each once [VRB-015] [RFC5040 5.5]. Behind the first completion that is not OK
 * nothing is OK; at most one per queue pair says anything but CANCELLED [VRB-016]. The n-th
 * successful receive has the octets, length and invalidated STag of the n-th Send. When it is
 * there, so are all Writes posted before that Send; when a Read is there, so are all Writes posted
 * before it. While nothing was done to a connection that could end it, everything succeeds.
 *
 * Not checked: the order between send queue and receive queue; which receive of a shared queue gets
 * which message; which request of a failed queue pair carries the reason.
 */
#ifndef SN_TESTS_SIM_ORDER_H
#define SN_TESTS_SIM_ORDER_H

#include "rnic/cq.h"
#include "sim/op.h"

struct actor;
struct cq;

/* Requests of one queue, oldest first. */
struct order {
    struct op *head, *tail;
    uint32_t count;
    bool has_failed; /* a completion was not OK */
};

void order_posted(struct order *o, struct op *op);
/* A consumer found this completion in this queue. */
void order_completed(struct cq *q, const struct rnic_cqe *e);
/* The queue pair is closed and its completion queues are empty: whoever is left succeeded silently.
 * is_blind: a completion queue was closed before, so nothing is known. */
void order_ended(struct actor *a, bool is_blind);

#endif
