/* SPDX-License-Identifier: MIT */
/*
 * The notification checker: completion queues with their consumers. [NDKPI completion-handling]
 *
 * Checked: at most one notification per arm, none without, never two at a time, none after the
 * close; a consumer that was told nothing since it armed for anything misses nothing (asked when
 * the world stands still: bell_check_quiet). A status other than OK only where the plan made the
 * queue too small.
 *
 * Not checked: that a notification comes soon; that arming for solicited completions or errors
 * keeps others quiet (it may fire early by right when a match came between).
 */
#ifndef SN_TESTS_SIM_BELL_H
#define SN_TESTS_SIM_BELL_H

#include <stdbool.h>
#include <stdint.h>

#include "rnic/cq.h"
#include "sim/life.h"

struct actor;
struct host;
struct world;

/* How its consumer learns of completions. */
enum cq_habit {
    CQ_POLLS,         /* never arms */
    CQ_POLL_THEN_ARM, /* in the notification: poll until empty, arm, no further look */
    CQ_ARM_THEN_POLL, /* in the notification: arm, poll until empty */
    CQ_DEFERRED,      /* the notification only sets a flag: a thread polls later */
    CQ_LATE_ARM,      /* likewise, and the thread arms later still, without another look */
    CQ_HABITS
};

struct cq {
    struct cq *next;
    struct host *host;
    struct rnic_cq *cq;
    struct life *life;
    enum cq_habit habit;
    uint32_t depth;
    uint32_t arms, rings;
    enum rnic_arm armed; /* the widest since the last ring */
    bool is_ringing, is_due, is_arm_due;
    struct actor *owner; /* who closes it with his queue pair; NULL: the host's */
    bool is_overrun;     /* its notification said so */
    bool may_overrun;
    bool is_moderated; /* it may be told late */
};

/* depth 0: enough for everything. */
struct cq *cq_open(struct host *h, uint32_t depth);
/* A consumer's thread polls once, and what it does afterwards. */
void cq_visit(struct cq *q);
/* Takes out all there is. */
void cq_drain(struct cq *q);
void cq_resize(struct cq *q);
void cq_moderate(struct cq *q);
/* Nothing will happen any more by itself: nothing may be left that was to be told. */
void bell_check_quiet(struct world *w);
void cqs_free(struct world *w);

#endif
