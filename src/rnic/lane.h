/* SPDX-License-Identifier: MIT */
/*
 * What the RNIC keeps per lane: the transmit batch and receive scratch that its streams share, and
 * the stack of tasks that other threads left.
 */
#ifndef SN_RNIC_LANE_H
#define SN_RNIC_LANE_H

#include "iwarp/stream.h"
#include "plat/plat.h"
#include "rnic/obj.h"

struct rnic_cq;

enum { RNIC_RX_SCRATCH = 256 * 1024 };

/*
 * Something to be done inside a lane on behalf of an object. Bits say what; posting them again
 * before they were taken merges. The object is held by a RNIC_REF_LANE while a task is queued.
 */
struct rnic_task {
    struct rnic_task *next;
    struct sn_a32 todo;
    struct rnic_obj *obj;
    void (*run)(struct rnic_task *t, uint32_t todo); /* inside the lane */
};

/* Counted inside the lane alone, so without an atomic addition; read by anyone. */
struct rnic_traffic {
    struct sn_a64 rx_octets, tx_octets, rx_fpdus, tx_fpdus, rx_calls, tx_calls;
    struct sn_a64 terminates_sent, terminates_received;
};

struct rnic_lane {
    struct plat_lane *lane;
    struct rnic_adapter *adapter;
    uint32_t index;
    struct iw_batch *batch;
    uint8_t *rx_scratch;
    struct sn_aptr tasks;    /* stack; pushed by anyone, taken inside the lane */
    struct rnic_cq *touched; /* got completions since its arm state was last looked at */
    struct rnic_traffic traffic;
    bool is_entered; /* by rnic_lane_enter, so rnic_lane_leave will look */
};

SN_MUST_CHECK enum sn_status rnic_lane_create(
    struct rnic_adapter *a, uint32_t index, struct rnic_lane **out);
void rnic_lane_destroy(struct rnic_lane *l);

/* Any thread: queues the task's bits and makes somebody do them: the caller itself if it may enter
 * and nobody is inside, else whoever is inside, else the home thread. */
void rnic_task_post(struct rnic_lane *l, struct rnic_task *t, uint32_t bits);
/* The same, but never by the caller itself: for callers that hold a lock. */
void rnic_task_post_home(struct rnic_lane *l, struct rnic_task *t, uint32_t bits);
void rnic_task_init(
    struct rnic_task *t, struct rnic_obj *obj, void (*run)(struct rnic_task *t, uint32_t todo));
/* Any thread: enters, and looks at what is left. False: taken. Pair with rnic_lane_leave. */
bool rnic_lane_enter(struct rnic_lane *l);
/* Notifies touched CQs, then leaves. */
void rnic_lane_leave(struct rnic_lane *l);

#endif
