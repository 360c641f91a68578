/* SPDX-License-Identifier: MIT */
#include "rnic/conn_table.h"

#include "base/assert.h"

const char *rnic_conn_state_name(enum rnic_conn_state s)
{
    static const char *const names[RNIC_CONN_STATE_COUNT] = {
        [RNIC_CONN_IDLE] = "IDLE",
        [RNIC_CONN_TCP] = "TCP",
        [RNIC_CONN_WAIT_REPLY] = "WAIT_REPLY",
        [RNIC_CONN_ACCEPTED] = "ACCEPTED",
        [RNIC_CONN_COMPLETING] = "COMPLETING",
        [RNIC_CONN_WAIT_REQUEST] = "WAIT_REQUEST",
        [RNIC_CONN_REQUESTED] = "REQUESTED",
        [RNIC_CONN_ACCEPTING] = "ACCEPTING",
        [RNIC_CONN_CONNECTED] = "CONNECTED",
        [RNIC_CONN_DISCONNECTING] = "DISCONNECTING",
        [RNIC_CONN_GONE] = "GONE",
        [RNIC_CONN_LOST] = "LOST",
        [RNIC_CONN_ENDED] = "ENDED",
        [RNIC_CONN_FAILED] = "FAILED",
        [RNIC_CONN_CLOSED] = "CLOSED",
    };

    return (unsigned)s < RNIC_CONN_STATE_COUNT ? names[s] : "?";
}

const char *rnic_conn_event_name(enum rnic_conn_event e)
{
    static const char *const names[RNIC_CONN_EVENT_COUNT] = {
        [RNIC_EV_CONNECT] = "CONNECT",
        [RNIC_EV_COMPLETE] = "COMPLETE",
        [RNIC_EV_ACCEPT] = "ACCEPT",
        [RNIC_EV_REJECT] = "REJECT",
        [RNIC_EV_DISCONNECT] = "DISCONNECT",
        [RNIC_EV_CLOSE] = "CLOSE",
        [RNIC_EV_TCP_UP] = "TCP_UP",
        [RNIC_EV_RETRY] = "RETRY",
        [RNIC_EV_SETUP_FAILED] = "SETUP_FAILED",
        [RNIC_EV_PEER_ACCEPTS] = "PEER_ACCEPTS",
        [RNIC_EV_REQUEST] = "REQUEST",
        [RNIC_EV_PEER_GONE] = "PEER_GONE",
        [RNIC_EV_ESTABLISHED] = "ESTABLISHED",
        [RNIC_EV_ESTABLISH_FAILED] = "ESTABLISH_FAILED",
        [RNIC_EV_PEER_FIN] = "PEER_FIN",
        [RNIC_EV_QP_ENDED] = "QP_ENDED",
        [RNIC_EV_DISCONNECT_TIMEOUT] = "DISCONNECT_TIMEOUT",
    };

    return (unsigned)e < RNIC_CONN_EVENT_COUNT ? names[e] : "?";
}

/* The next state is left out where nothing changes: rnic_conn_cell fills it in. */
#define GO(next)                                                                                   \
    {                                                                                              \
        RNIC_CONN_##next, RNIC_CONN_GO                                                             \
    }
#define NO                                                                                         \
    {                                                                                              \
        0, RNIC_CONN_REFUSE                                                                        \
    }
#define ABORTED                                                                                    \
    {                                                                                              \
        0, RNIC_CONN_REFUSE_ABORTED                                                                \
    }
#define LATE                                                                                       \
    {                                                                                              \
        RNIC_CONN_ENDED, RNIC_CONN_REFUSE_LOST                                                     \
    }
#define NIL                                                                                        \
    {                                                                                              \
        0, RNIC_CONN_IGNORE                                                                        \
    }

enum { CALLS = RNIC_EV_TCP_UP, EVENTS = RNIC_CONN_EVENT_COUNT - RNIC_EV_TCP_UP };
_Static_assert(CALLS == 6 && EVENTS == 11, "the columns below, in the order of the enum");

/* clang-format off */
static const struct rnic_conn_cell calls[RNIC_CONN_STATE_COUNT][CALLS] = {
    /*  CONNECT  COMPLETE        ACCEPT         REJECT     DISCONNECT         CLOSE */
    [RNIC_CONN_IDLE] = {
        GO(TCP), NO,             NO,            NO,        NO,                GO(CLOSED),
    },
    [RNIC_CONN_TCP] = {
        NO,      NO,             NO,            NO,        NO,                GO(CLOSED),
    },
    [RNIC_CONN_WAIT_REPLY] = {
        NO,      NO,             NO,            NO,        NO,                GO(CLOSED),
    },
    [RNIC_CONN_ACCEPTED] = {
        NO,      GO(COMPLETING), NO,            GO(ENDED), NO,                GO(CLOSED),
    },
    [RNIC_CONN_COMPLETING] = {
        NO,      NO,             NO,            NO,        NO,                GO(CLOSED),
    },
    [RNIC_CONN_WAIT_REQUEST] = {
        NO,      NO,             NO,            NO,        NO,                GO(CLOSED),
    },
    [RNIC_CONN_REQUESTED] = {
        NO,      NO,             GO(ACCEPTING), GO(ENDED), NO,                GO(CLOSED),
    },
    [RNIC_CONN_ACCEPTING] = {
        NO,      NO,             NO,            NO,        NO,                GO(CLOSED),
    },
    [RNIC_CONN_CONNECTED] = {
        NO,      NO,             NO,            NO,        GO(DISCONNECTING), GO(CLOSED),
    },
    [RNIC_CONN_DISCONNECTING] = {
        NO,      NO,             NO,            NO,        NO,                GO(CLOSED),
    },
    [RNIC_CONN_GONE] = {
        NO,      ABORTED,        ABORTED,       ABORTED,   NO,                GO(CLOSED),
    },
    [RNIC_CONN_LOST] = {
        NO,      NO,             NO,            NO,        LATE,              GO(CLOSED),
    },
    [RNIC_CONN_ENDED] = {
        NO,      NO,             NO,            NO,        NO,                GO(CLOSED),
    },
    [RNIC_CONN_FAILED] = {
        GO(TCP), NO,             NO,            NO,        NO,                GO(CLOSED),
    },
    [RNIC_CONN_CLOSED] = {
        NO,      NO,             NO,            NO,        NO,                NO,
    },
};

static const struct rnic_conn_cell events[RNIC_CONN_STATE_COUNT][EVENTS] = {
    /*  TCP_UP          RETRY    SETUP_FAILED PEER_ACCEPTS  REQUEST        PEER_GONE
     *  ESTABLISHED    ESTABLISH_FAILED PEER_FIN       QP_ENDED   TIMEOUT */
    [RNIC_CONN_IDLE] = {
        NIL,            NIL,     NIL,         NIL,          NIL,           NIL,
        NIL,           NIL,             NIL,           NIL,       NIL,
    },
    [RNIC_CONN_TCP] = {
        GO(WAIT_REPLY), NIL,     GO(FAILED),  NIL,          NIL,           NIL,
        NIL,           NIL,             NIL,           NIL,       NIL,
    },
    [RNIC_CONN_WAIT_REPLY] = {
        NIL,            GO(TCP), GO(FAILED),  GO(ACCEPTED), NIL,           NIL,
        NIL,           NIL,             NIL,           NIL,       NIL,
    },
    [RNIC_CONN_ACCEPTED] = {
        NIL,            NIL,     NIL,         NIL,          NIL,           GO(GONE),
        NIL,           NIL,             NIL,           NIL,       NIL,
    },
    [RNIC_CONN_COMPLETING] = {
        NIL,            NIL,     NIL,         NIL,          NIL,           NIL,
        GO(CONNECTED), GO(ENDED),       NIL,           GO(ENDED), NIL,
    },
    [RNIC_CONN_WAIT_REQUEST] = {
        NIL,            NIL,     NIL,         NIL,          GO(REQUESTED), NIL,
        NIL,           NIL,             NIL,           NIL,       NIL,
    },
    [RNIC_CONN_REQUESTED] = {
        NIL,            NIL,     NIL,         NIL,          NIL,           GO(GONE),
        NIL,           NIL,             NIL,           NIL,       NIL,
    },
    [RNIC_CONN_ACCEPTING] = {
        NIL,            NIL,     NIL,         NIL,          NIL,           NIL,
        GO(CONNECTED), GO(ENDED),       GO(ENDED),     GO(ENDED), NIL,
    },
    [RNIC_CONN_CONNECTED] = {
        NIL,            NIL,     NIL,         NIL,          NIL,           NIL,
        NIL,           NIL,             GO(CONNECTED), GO(LOST),  NIL,
    },
    [RNIC_CONN_DISCONNECTING] = {
        NIL,            NIL,     NIL,         NIL,          NIL,           NIL,
        NIL,           NIL,             NIL,           GO(ENDED), GO(ENDED),
    },
    [RNIC_CONN_GONE] = {
        NIL,            NIL,     NIL,         NIL,          NIL,           NIL,
        NIL,           NIL,             NIL,           NIL,       NIL,
    },
    [RNIC_CONN_LOST] = {
        NIL,            NIL,     NIL,         NIL,          NIL,           NIL,
        NIL,           NIL,             NIL,           NIL,       NIL,
    },
    [RNIC_CONN_ENDED] = {
        NIL,            NIL,     NIL,         NIL,          NIL,           NIL,
        NIL,           NIL,             NIL,           NIL,       NIL,
    },
    [RNIC_CONN_FAILED] = {
        NIL,            NIL,     NIL,         NIL,          NIL,           NIL,
        NIL,           NIL,             NIL,           NIL,       NIL,
    },
    [RNIC_CONN_CLOSED] = {
        NIL,            NIL,     NIL,         NIL,          NIL,           NIL,
        NIL,           NIL,             NIL,           NIL,       NIL,
    },
};
/* clang-format on */

struct rnic_conn_cell rnic_conn_cell(enum rnic_conn_state s, enum rnic_conn_event e)
{
    struct rnic_conn_cell cell;

    SN_ASSERT((unsigned)s < RNIC_CONN_STATE_COUNT);
    SN_ASSERT((unsigned)e < RNIC_CONN_EVENT_COUNT);
    cell = (unsigned)e < CALLS ? calls[s][e] : events[s][(unsigned)e - CALLS];
    if (cell.act != RNIC_CONN_GO && cell.act != RNIC_CONN_REFUSE_LOST)
        cell.next = (uint8_t)s;
    return cell;
}
