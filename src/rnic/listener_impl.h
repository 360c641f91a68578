/* SPDX-License-Identifier: MIT */
/* The insides of a listener, and what its connectors tell it. */
#ifndef SN_RNIC_LISTENER_IMPL_H
#define SN_RNIC_LISTENER_IMPL_H

#include "rnic/lane.h"
#include "rnic/listener.h"
#include "rnic/request.h"

enum rnic_listener_state {
    RNIC_LISTENER_IDLE,
    RNIC_LISTENER_STARTING,
    RNIC_LISTENER_LISTENING,
};

struct rnic_listener {
    struct rnic_obj obj;
    struct rnic_task task;
    struct rnic_lane *lane;
    struct rnic_connect_event event;
    struct sn_a32 is_paused;
    struct sn_a32 state;         /* enum rnic_listener_state */
    struct rnic_request request; /* listen */
    struct rnic_local claim;
    struct plat_addr addr;       /* as asked for, then as bound */
    struct sn_a32 pending_count; /* connections that the consumer has not seen */
    /* lane only */
    struct plat_listener *pl;
    struct sn_list pending; /* connectors in WAIT_REQUEST, by pending_link */
};

/* New connections, and requests that the consumer has not seen, are refused. Any thread. */
bool rnic_listener_refuses(const struct rnic_listener *l);
/* Inside the listener's lane: a Request arrived; the connect event is queued. */
void rnic_listener_deliver(struct rnic_listener *l, struct rnic_connector *c);
/* Any thread: the connector no longer waits to be seen. Once per connector; later calls do nothing.
 */
void rnic_listener_uncount(struct rnic_connector *c);

#endif
