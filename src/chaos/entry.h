/* SPDX-License-Identifier: MIT */
/*
 * What the entries of the dispatch tables may do, as far as chaos needs it: which may return
 * STATUS_PENDING, and with which documented statuses each may fail. The failures are those of
 * docs/statuses.md, but for what the caller could see through (a buffer that is too small).
 */
#ifndef SN_CHAOS_ENTRY_H
#define SN_CHAOS_ENTRY_H

#include <ndkpi.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

/* Row order is that of the dispatch tables; entries with one name in several tables are one. */
enum chaos_entry {
    CHAOS_CLOSE, /* of all nine kinds */
    CHAOS_CREATE_CQ,
    CHAOS_CREATE_PD,
    CHAOS_CREATE_SHARED_ENDPOINT,
    CHAOS_CREATE_CONNECTOR,
    CHAOS_CREATE_LISTENER,
    CHAOS_BUILD_LAM,
    CHAOS_RESIZE_CQ,
    CHAOS_ARM_CQ,
    CHAOS_GET_CQ_RESULTS,
    CHAOS_GET_CQ_RESULTS_EX,
    CHAOS_MODERATE_CQ,
    CHAOS_CREATE_MR,
    CHAOS_CREATE_MW,
    CHAOS_CREATE_SRQ,
    CHAOS_CREATE_QP,
    CHAOS_CREATE_QP_WITH_SRQ,
    CHAOS_REGISTER_MR,
    CHAOS_DEREGISTER_MR,
    CHAOS_INIT_FAST_REGISTER_MR,
    CHAOS_MODIFY_SRQ,
    CHAOS_SRQ_RECEIVE,
    CHAOS_SEND,
    CHAOS_SEND_AND_INVALIDATE,
    CHAOS_RECEIVE,
    CHAOS_READ,
    CHAOS_WRITE,
    CHAOS_BIND,
    CHAOS_FAST_REGISTER,
    CHAOS_INVALIDATE,
    CHAOS_CONNECT,
    CHAOS_CONNECT_WITH_SHARED_ENDPOINT,
    CHAOS_COMPLETE_CONNECT,
    CHAOS_COMPLETE_CONNECT_EX,
    CHAOS_ACCEPT,
    CHAOS_ACCEPT_EX,
    CHAOS_REJECT,
    CHAOS_GET_CONNECTION_DATA,
    CHAOS_GET_PEER_ADDRESS,
    CHAOS_DISCONNECT,
    CHAOS_LISTEN,
    /* Not entries: the consumer's routines that come by themselves. */
    CHAOS_CQ_NOTIFICATION,
    CHAOS_SRQ_NOTIFICATION,
    CHAOS_CONNECT_EVENT,
    CHAOS_DISCONNECT_EVENT,
    CHAOS_ENTRY_COUNT
};

enum { CHAOS_STATUSES_MAX = 12 };

struct chaos_entry_info {
    const char *name;
    bool may_pend;
    /* Documented failures; STATUS_SUCCESS ends the list. */
    NTSTATUS failures[CHAOS_STATUSES_MAX];
};

const struct chaos_entry_info *chaos_entry_info(enum chaos_entry entry);
/* The entry of that name (n characters); CHAOS_ENTRY_COUNT: there is none. */
enum chaos_entry chaos_entry_find(const char *name, size_t n);
/* How many failures are documented for it. */
unsigned chaos_entry_failures(enum chaos_entry entry);
/*
 * May this failure come through the completion instead of as the result of the call? Failures that
 * are documented as "inline or asynchronous" may; what is wrong with the arguments is said at once.
 */
bool chaos_status_may_pend(NTSTATUS status);

#endif
