/* SPDX-License-Identifier: MIT */
/*
 * The short spin lock of the control path. Held for a few lines, never while anything of the
 * consumer's runs and never across a system call. Ranks: ARCHITECTURE.md, "Locks"; debug builds
 * check that ranks rise and that the releasing thread is the owner.
 */
#ifndef SN_BASE_LOCK_H
#define SN_BASE_LOCK_H

#include "base/atomic.h"
#include "base/attr.h"

enum sn_lock_rank {
    SN_RANK_NONE = 0,
    SN_RANK_ADAPTER = 10,  /* object lists and counts of an adapter */
    SN_RANK_LISTENER = 20, /* pending connections of a listener */
    SN_RANK_OBJ = 25,      /* close state of one object */
    SN_RANK_MEM = 30,      /* write side of the STag table */
    SN_RANK_SRQ = 35,      /* entries of a shared receive queue */
    SN_RANK_CQ = 40,       /* arm state of a completion queue */
    SN_RANK_LEAF = 50,     /* nothing is taken inside */
};

struct SN_CAPABILITY("lock") sn_lock {
    struct sn_a32 taken;
    uint32_t rank;
    uint64_t owner; /* debug builds: id of the owning thread */
};

void sn_lock_init(struct sn_lock *l, enum sn_lock_rank rank);
void sn_lock_take(struct sn_lock *l) SN_ACQUIRE(l);
void sn_lock_drop(struct sn_lock *l) SN_RELEASE(l);
/* Debug builds: asserts that this thread holds no lock at all. Called before consumer callbacks. */
void sn_lock_assert_none_held(void);

#endif
