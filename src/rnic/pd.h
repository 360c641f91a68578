/* SPDX-License-Identifier: MIT */
/* Protection domains, memory regions and windows: objects over mem/. */
#ifndef SN_RNIC_PD_H
#define SN_RNIC_PD_H

#include "mem/mem.h"
#include "rnic/adapter.h"
#include "rnic/obj.h"

struct rnic_pd {
    struct rnic_obj obj;
    uint32_t id;
    struct mem_region *privileged;
};
SN_MUST_CHECK enum sn_status rnic_pd_create(struct rnic_adapter *a, struct rnic_pd **out);
/* STag whose TO are logical (host) addresses; local only. */
uint32_t rnic_pd_privileged_stag(const struct rnic_pd *pd);

enum { RNIC_FAST_STAGES = 2 };

struct rnic_mr {
    struct rnic_obj obj;
    struct rnic_pd *pd;
    struct mem_region *region;
    bool is_fast;
    /* FRMR: page lists of posted requests wait here until they are executed. Poster takes, lane
     * gives back. */
    uint64_t *stage[RNIC_FAST_STAGES];
    struct sn_a32 stage_taken[RNIC_FAST_STAGES];
};
SN_MUST_CHECK enum sn_status rnic_mr_create(struct rnic_pd *pd, bool is_fast, struct rnic_mr **out);
/* All four: done when they return; statuses of mem.h (SN_BAD_STATE also for the wrong flavour). */
SN_MUST_CHECK enum sn_status rnic_mr_register(
    struct rnic_mr *mr, uint8_t *host, uint64_t base, uint64_t len, uint32_t rights);
SN_MUST_CHECK enum sn_status rnic_mr_deregister(struct rnic_mr *mr);
SN_MUST_CHECK enum sn_status rnic_mr_fast_init(
    struct rnic_mr *mr, uint32_t pages_max, bool may_be_remote);
uint32_t rnic_mr_stag(const struct rnic_mr *mr);

struct rnic_mw {
    struct rnic_obj obj;
    struct rnic_pd *pd;
    struct mem_region *region;
    struct sn_a32 stag; /* what the last posted bind will have */
    void *was_bound_to; /* the MR, held until the close has completed; NULL: none */
};
SN_MUST_CHECK enum sn_status rnic_mw_create(struct rnic_pd *pd, struct rnic_mw **out);
/*
 * While a bind is posted or a window bound, the MR is its antecedent [NDKPI object-lifetime]: each
 * bind request takes a SUCCESSOR reference on the MR, which the binding keeps when it succeeds and
 * gives back when the window is unbound, however that comes about.
 */
void rnic_mr_lend(struct rnic_mr *mr);
/* The bind request did not bind. */
void rnic_mr_unlend(struct mem_region *mr_region);
/* mem_table.unbound. */
void rnic_mr_unbound(void *ctx, void *mr_owner);
/* Of the latest bind posted; 0 before the first. */
uint32_t rnic_mw_stag(const struct rnic_mw *mw);

#endif
