/* SPDX-License-Identifier: MIT */
/*
 * Which local addresses and ports an adapter's objects hold. The operating system frees a port when
 * its last socket is closed; the interface frees it when the last object is: a listener and what it
 * accepted, a shared endpoint and what connected over it, a connector. [NDKPI endpoints]
 *
 * The first two hold their successors' references, so the object that made the claim outlives
 * everything that uses it: a claim needs no count of its own.
 */
#ifndef SN_RNIC_LOCAL_H
#define SN_RNIC_LOCAL_H

#include "base/attr.h"
#include "base/list.h"
#include "plat/plat.h"

struct rnic_adapter;

enum { RNIC_LOCAL_BUCKETS = 64 };

/* Part of the adapter, guarded by its lock. */
struct rnic_locals {
    struct sn_list bucket[RNIC_LOCAL_BUCKETS]; /* by port */
};

/* Embedded in the object that claims; zeroed: nothing claimed. */
struct rnic_local {
    struct sn_list link;
    struct plat_addr addr;
    bool is_claimed;
};

void rnic_locals_init(struct rnic_locals *l);
/* Any thread. addr has a port. SN_ADDRESS_IN_USE: another claim covers it (a wildcard covers every
 * address of its family). */
SN_MUST_CHECK enum sn_status rnic_local_claim(
    struct rnic_adapter *a, struct rnic_local *local, const struct plat_addr *addr);
/* Any thread. Harmless when nothing is claimed. */
void rnic_local_release(struct rnic_adapter *a, struct rnic_local *local);

#endif
