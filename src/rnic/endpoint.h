/* SPDX-License-Identifier: MIT */
/*
 * Local endpoints (address and port) with their reference counts [NDKPI endpoints], and the shared
 * endpoint object. An endpoint of a listener lives until the listener and all connectors accepted
 * over it are closed; meanwhile a new listen, connect or shared endpoint on it is
 * SN_ADDRESS_IN_USE.
 */
#ifndef SN_RNIC_ENDPOINT_H
#define SN_RNIC_ENDPOINT_H

#include "plat/plat.h"
#include "rnic/adapter.h"
#include "rnic/obj.h"

struct rnic_endpoint;

/* SN_ADDRESS_INVALID, SN_ADDRESS_IN_USE, SN_NO_PORTS, SN_NO_MEMORY. */
SN_MUST_CHECK enum sn_status rnic_endpoint_create(
    struct rnic_adapter *a, const struct plat_addr *addr, struct rnic_endpoint **out);
void rnic_endpoint_local(const struct rnic_endpoint *e, struct plat_addr *out);
struct rnic_obj *rnic_endpoint_obj(struct rnic_endpoint *e);

#endif
