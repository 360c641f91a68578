/* SPDX-License-Identifier: MIT */
/*
 * The common part of every object a consumer can see, and the close rules, once for all kinds.
 * [NDKPI object-lifetime]
 *
 * References have reasons. The consumer's own handle is RNIC_REF_OWNER, dropped by close.
 * Successors hold RNIC_REF_SUCCESSOR on their antecedents, so closing an antecedent first simply
 * stays pending. Requests under way hold RNIC_REF_REQUEST, callbacks under way RNIC_REF_CALLBACK,
 * work in a lane RNIC_REF_LANE.
 *
 * Close has two phases. STOP: no new work; what is pending is flushed or cancelled (class->stop).
 * GONE: the last reference is out. If the close call itself dropped it, the close is done inline
 * and there is no callback; else the close completion runs once, on a home thread, as the last
 * callback of the object. References on antecedents are dropped only after it returned.
 */
#ifndef SN_RNIC_OBJ_H
#define SN_RNIC_OBJ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/list.h"
#include "base/status.h"
#include "plat/plat.h"

struct rnic_adapter;

enum rnic_kind {
    RNIC_ADAPTER,
    RNIC_PD,
    RNIC_CQ,
    RNIC_MR,
    RNIC_MW,
    RNIC_SRQ,
    RNIC_QP,
    RNIC_ENDPOINT,
    RNIC_CONNECTOR,
    RNIC_LISTENER,
    RNIC_KIND_COUNT
};
const char *rnic_kind_name(enum rnic_kind k);

enum rnic_ref {
    RNIC_REF_OWNER,
    RNIC_REF_SUCCESSOR,
    RNIC_REF_REQUEST,
    RNIC_REF_CALLBACK,
    RNIC_REF_LANE,
    RNIC_REF_COUNT
};

/*
 * A consumer's completion routine with its context. `call` is the boundary's: it turns the status
 * into the consumer's words and calls fn. Copied by value.
 */
struct rnic_done {
    void (*call)(const struct rnic_done *d, enum sn_status status);
    void (*fn)(void);
    void *ctx;
};

struct rnic_obj;
struct rnic_obj_class {
    enum rnic_kind kind;
    /* Phase one of close, on the closing thread, any IRQL: start what is needed for the last
     * reference to go. May be NULL. */
    void (*stop)(struct rnic_obj *o);
    /* The last reference is gone; runs before the close completion: gives up what the consumer may
     * want again from inside it, such as an address. May be NULL. */
    void (*gone)(struct rnic_obj *o);
    /* Frees what the object owns and its memory, after the close completion returned; drops its
     * references on antecedents last. Any thread. */
    void (*destroy)(struct rnic_obj *o);
};

enum { RNIC_BOUNDARY_OCTETS = 128 };

struct rnic_obj {
    /* Belongs to src/ndk: the public NDK object and what else it keeps. At offset 0, so both layers
     * have one address for one object. Zeroed at creation. */
    _Alignas(16) unsigned char boundary[RNIC_BOUNDARY_OCTETS];
    const struct rnic_obj_class *class;
    struct rnic_adapter *adapter;
    struct sn_a32 refs;
    struct sn_a32 ref_reasons[RNIC_REF_COUNT]; /* how many of each: says who leaks */
    struct sn_a32 is_closing;
    struct rnic_done close_done; /* set by close before the owner's reference goes */
    struct plat_call close_call;
    struct plat_lane *home; /* whose home thread runs its callbacks */
    struct sn_list link;    /* in adapter->objects, guarded by adapter->lock */
};

/* Starts with one OWNER reference and a SUCCESSOR reference on the adapter (except the adapter). */
void rnic_obj_init(struct rnic_obj *o, const struct rnic_obj_class *class,
    struct rnic_adapter *adapter, struct plat_lane *home);
void rnic_obj_get(struct rnic_obj *o, enum rnic_ref why);
/* For lookups: false if the object is on its way out. */
SN_MUST_CHECK bool rnic_obj_get_unless_zero(struct rnic_obj *o, enum rnic_ref why);
/* The last one finishes a pending close: queues its completion to o->home. */
void rnic_obj_put(struct rnic_obj *o, enum rnic_ref why);
/*
 * The consumer closes it. SN_OK: done, `done` will not be called. SN_PENDING: it will, once.
 * SN_BAD_STATE: closed before (the caller broke a rule; nothing happened).
 */
SN_MUST_CHECK enum sn_status rnic_obj_close(struct rnic_obj *o, struct rnic_done done);
static inline bool rnic_obj_is_closing(const struct rnic_obj *o)
{
    return sn_a32_load_acquire(&o->is_closing) != 0;
}
/* Drops a reference and says whether it was the last; nothing else happens. For rnic_obj_put and
 * the adapter, which is closed by waiting instead of by a call. */
SN_MUST_CHECK bool rnic_obj_drop(struct rnic_obj *o, enum rnic_ref why);
/* Last act of a destroy function: takes it off the adapter's list, frees its memory (or hands it to
 * adapter->keep) and drops the adapter's reference. */
void rnic_obj_free(struct rnic_obj *o);

#endif
