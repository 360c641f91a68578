/* SPDX-License-Identifier: MIT */
/* Listeners: TCP connections become connectors that the consumer accepts or rejects. */
#ifndef SN_RNIC_LISTENER_H
#define SN_RNIC_LISTENER_H

#include "rnic/connector.h"

struct rnic_listener;

/* A Request arrived: the connector is the consumer's from here on, to be closed by it. On a home
 * thread. */
struct rnic_connect_event {
    void (*call)(const struct rnic_connect_event *e, struct rnic_connector *c);
    void (*fn)(void);
    void *ctx;
};

SN_MUST_CHECK enum sn_status rnic_listener_create(
    struct rnic_adapter *a, struct rnic_connect_event event, struct rnic_listener **out);
struct rnic_obj *rnic_listener_obj(struct rnic_listener *l);
/* Listens when it returns SN_OK (or done follows: SN_PENDING). SN_ADDRESS_INVALID,
 * SN_ADDRESS_IN_USE, SN_NO_PORTS, SN_BAD_STATE (listens already), SN_NO_MEMORY. */
SN_MUST_CHECK enum sn_status rnic_listener_listen(
    struct rnic_listener *l, const struct plat_addr *addr, struct rnic_done done);
/* SN_BAD_STATE before it listens. */
SN_MUST_CHECK enum sn_status rnic_listener_local(
    const struct rnic_listener *l, struct plat_addr *out);
/* Paused: requests are refused as if nobody listened. */
void rnic_listener_pause(struct rnic_listener *l, bool is_paused);

#endif
