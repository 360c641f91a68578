/* SPDX-License-Identifier: MIT */
/*
 * The connector's state machine as a table: what each event does in each state. Which event it is
 * says what is to be done when a cell says GO; the table says whether, and what comes next.
 */
#ifndef SN_RNIC_CONN_TABLE_H
#define SN_RNIC_CONN_TABLE_H

#include "rnic/connector.h"

enum rnic_conn_event {
    /* calls of the consumer, any thread */
    RNIC_EV_CONNECT,
    RNIC_EV_COMPLETE,
    RNIC_EV_ACCEPT,
    RNIC_EV_REJECT,
    RNIC_EV_DISCONNECT,
    RNIC_EV_CLOSE,
    /* inside the lane */
    RNIC_EV_TCP_UP,       /* active: TCP is connected */
    RNIC_EV_RETRY,        /* active: the peer hung up on revision 2 */
    RNIC_EV_SETUP_FAILED, /* active: before the peer accepted */
    RNIC_EV_PEER_ACCEPTS, /* active: a good Reply */
    RNIC_EV_REQUEST,      /* passive: a good Request */
    RNIC_EV_PEER_GONE,    /* while the consumer has to answer */
    RNIC_EV_ESTABLISHED,
    RNIC_EV_ESTABLISH_FAILED, /* after the consumer completed or accepted */
    RNIC_EV_PEER_FIN,
    RNIC_EV_QP_ENDED,
    RNIC_EV_DISCONNECT_TIMEOUT,
    RNIC_CONN_EVENT_COUNT
};
const char *rnic_conn_event_name(enum rnic_conn_event e);

enum rnic_conn_act {
    RNIC_CONN_REFUSE,         /* a call in the wrong state: nothing changes */
    RNIC_CONN_REFUSE_ABORTED, /* a call that comes too late: SN_ABORTED */
    RNIC_CONN_REFUSE_LOST,    /* likewise: SN_TIMED_OUT */
    RNIC_CONN_IGNORE,         /* does not matter any more: nothing changes */
    RNIC_CONN_GO,
};

struct rnic_conn_cell {
    uint8_t next; /* enum rnic_conn_state; the same where nothing changes */
    uint8_t act;  /* enum rnic_conn_act */
};

struct rnic_conn_cell rnic_conn_cell(enum rnic_conn_state s, enum rnic_conn_event e);

#endif
