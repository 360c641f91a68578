/* SPDX-License-Identifier: MIT */
/*
 * Completion queues. Producers are lanes (several QPs on several lanes may share one), the consumer
 * is serialised by contract [NDKPI completion-handling]: a ring with a sequence word per slot, no
 * lock. The arm state alone has one (rank SN_RANK_CQ), taken only to arm and to fire.
 */
#ifndef SN_RNIC_CQ_H
#define SN_RNIC_CQ_H

#include "base/lock.h"
#include "rnic/adapter.h"
#include "rnic/lane.h"
#include "rnic/obj.h"

/* One completion. */
struct rnic_cqe {
    void *qp_context;
    void *context;
    uint32_t len;   /* receives: octets that arrived */
    uint32_t stag;  /* receives with has_invalidated */
    uint8_t status; /* enum sn_status */
    uint8_t op;     /* enum rnic_cqe_op */
    uint8_t has_invalidated;
    uint8_t wire_error; /* enum wire_err behind a failure; 0: none */
};
enum rnic_cqe_op {
    RNIC_CQE_SEND,
    RNIC_CQE_WRITE,
    RNIC_CQE_READ,
    RNIC_CQE_FAST_REGISTER,
    RNIC_CQE_BIND,
    RNIC_CQE_INVALIDATE,
    RNIC_CQE_RECEIVE
};

/* Ordered by width, so merging two arms is taking the larger. */
enum rnic_arm { RNIC_ARM_NONE, RNIC_ARM_ERRORS, RNIC_ARM_SOLICITED, RNIC_ARM_ANY, RNIC_ARM_COUNT };

/* What the consumer wants to be told by: status SN_OK, or SN_CQ_OVERRUN / SN_INTERNAL: the CQ is
 * dead. On a home thread, outside lanes, without locks, never two at a time. */
struct rnic_cq_notify {
    void (*call)(const struct rnic_cq_notify *n, enum sn_status status);
    void (*fn)(void);
    void *ctx;
};

struct rnic_cq;

/* SN_LIMIT: depth 0 or above RNIC_CQ_DEPTH_MAX. SN_NO_MEMORY. */
SN_MUST_CHECK enum sn_status rnic_cq_create(
    struct rnic_adapter *a, uint32_t depth, struct rnic_cq_notify notify, struct rnic_cq **out);
/* Consumer. Removes up to n, oldest first; returns how many. When it is empty, a thread that may
 * enters the lanes of the QPs that use it and looks for more. */
uint32_t rnic_cq_poll(struct rnic_cq *cq, struct rnic_cqe *out, uint32_t n);
/* Consumer. Fires at once if a matching completion came since the last notification and is still
 * there, or if the CQ is dead. */
void rnic_cq_arm(struct rnic_cq *cq, enum rnic_arm what);
/* Any thread. SN_LIMIT; SN_MSG_TOO_LONG: more entries queued than the new depth, nothing changed;
 * SN_NO_MEMORY; SN_BUSY: a resize is under way. Done when it returns. */
SN_MUST_CHECK enum sn_status rnic_cq_resize(struct rnic_cq *cq, uint32_t depth);
/* Any thread. Interval in microseconds (UINT32_MAX: count decides), count in completions (more than
 * the depth: interval decides; 0 or 1, or interval 0: none). A notification that is waiting already
 * is given at once. SN_INVALID: both without limit. */
SN_MUST_CHECK enum sn_status rnic_cq_moderate(
    struct rnic_cq *cq, uint32_t interval_us, uint32_t count);
struct rnic_obj *rnic_cq_obj(struct rnic_cq *cq);
/* Any thread, outside lanes. As if it had overrun (SN_CQ_OVERRUN) or its hardware failed
 * (SN_INTERNAL): what is in it may still be taken, its QPs end, an armed one notifies. */
void rnic_cq_kill(struct rnic_cq *cq, enum sn_status status);

/* ---- lanes ---- */

/* Inside a lane: appends a completion. `is_solicited`: it matches RNIC_ARM_SOLICITED (errors always
 * do). An overrun kills the CQ: rnic_cq_is_dead. */
void rnic_cq_push(
    struct rnic_cq *cq, struct rnic_lane *lane, const struct rnic_cqe *e, bool is_solicited);
bool rnic_cq_is_dead(const struct rnic_cq *cq);
/* Inside a lane: fires if what was pushed matches the arm. */
void rnic_cq_notify_if_armed(struct rnic_cq *cq);
/* QPs that use the CQ are on this lane from now on. */
void rnic_cq_add_lane(struct rnic_cq *cq, struct rnic_lane *lane);

#endif
