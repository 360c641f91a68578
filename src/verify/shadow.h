/* SPDX-License-Identifier: MIT */
/*
 * What the verifier keeps beside every object: who made it, where, what stands on it, and whether
 * it is still open. The word of NdkReserved that is ours points to it. A shadow outlives its
 * object, whose memory is kept for a while as well, so that a late call can be told.
 */
#ifndef SN_VERIFY_SHADOW_H
#define SN_VERIFY_SHADOW_H

#include <ndkpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/attr.h"
#include "base/list.h"
#include "base/lock.h"
#include "kenv/irql.h"
#include "ndk/layer.h"
#include "verify/settings.h"
#include "verify/stack.h"

enum verify_state {
    VERIFY_CREATING, /* the consumer has not seen it yet */
    VERIFY_OPEN,
    VERIFY_CLOSING, /* close was called */
    VERIFY_GONE,    /* close has completed */
};

enum { VERIFY_ANTECEDENTS_MAX = 5, VERIFY_KEPT_MAX = 512 };

struct verify_adapter;

struct verify_obj {
    struct sn_a32 state; /* enum verify_state */
    NDK_OBJECT_TYPE type;
    const VOID *lower; /* the table that was found in the object */
    struct ndk_object *pub;
    struct verify_adapter *adapter;
    const VOID *table;        /* ours */
    struct sn_a32 refs;       /* of the shadow's memory */
    struct sn_a32 calls;      /* control calls of other threads that are inside */
    struct sn_a32 successors; /* open objects that stand on it */
    bool is_from_event;       /* a connector that a connect event delivered */
    uint64_t serial;          /* counts objects of the process, from 1 */
    NDK_OBJECT_HEADER header; /* as it was handed out */
    NDK_FN_CLOSE_COMPLETION close_fn;
    PVOID close_ctx;
    void (*fini)(struct verify_obj *o);     /* frees what the kind owns; may be NULL */
    bool (*may_drop)(struct verify_obj *o); /* nothing points to it any more; NULL: always */
    struct sn_list link;                    /* among the adapter's objects, or the kept ones */
    struct verify_obj *antecedents[VERIFY_ANTECEDENTS_MAX]; /* each with a reference; or NULL */
    struct verify_stack born, closed;
};

/* Counts the adapters with a verifier; the report of totals comes with the last. */
struct verify_adapter {
    struct verify_obj o;
    struct verify_settings settings;
    char log[256]; /* what settings.log points to */
    NDK_ADAPTER_INFO info;
    struct sn_lock lock;       /* a leaf: lists below, state of regions, LAMs */
    struct sn_list objects;    /* guarded by lock: open and closing ones */
    struct sn_list lams;       /* guarded by lock: struct verify_lam */
    bool lams_are_unknown;     /* guarded by lock: one was missed for want of memory */
    struct sn_a32 generation;  /* counts changes of tokens and LAMs */
    struct sn_list tokens[64]; /* guarded by lock: struct verify_token */
};

const char *verify_type_name(NDK_OBJECT_TYPE type);
const char *verify_state_name(enum verify_state state);

/*
 * A zeroed shadow of `size` octets that begins with a struct verify_obj, in VERIFY_CREATING, with
 * one reference; `born` is the stack of the caller. NULL: no memory.
 */
SN_MUST_CHECK void *verify_obj_new(
    struct verify_adapter *a, NDK_OBJECT_TYPE type, size_t size, const VOID *table);
/* `on` is what `o` stands on: it gets a reference and, while `o` is open, one successor. */
void verify_obj_stand_on(struct verify_obj *o, struct verify_obj *on);
/* The object is there: our table goes in, and it is open from now on. */
void verify_obj_attach(struct verify_obj *o, struct ndk_object *pub);
void verify_obj_get(struct verify_obj *o);
void verify_obj_put(struct verify_obj *o);
/* Close has completed: it is on no list any more and stands on nothing. */
void verify_obj_gone(struct verify_obj *o);
/* The provider frees the object: true, and the memory is ours. */
SN_MUST_CHECK bool verify_obj_keep(struct ndk_object *pub);
/* Frees everything that is kept. For tests, and when the process has no adapter any more. */
void verify_drop_kept(void);

static inline enum verify_state verify_state_of(const struct verify_obj *o)
{
    return (enum verify_state)sn_a32_load_acquire(&o->state);
}

/* The shadow of an object, by its header; NULL: none. */
static inline void *verify_shadow(const void *object)
{
    const NDK_OBJECT_HEADER *header = object;

    return header->NdkReserved.rf[NDK_SLOT_VERIFY];
}

/* The shadow of the object of a call. None is left (its header was overwritten): a bugcheck,
 * because there is nothing to go on with. */
SN_NORETURN void verify_no_shadow(const void *object);
static inline void *verify_own(const void *object)
{
    void *o = verify_shadow(object);

    if (SN_UNLIKELY(o == NULL))
        verify_no_shadow(object);
    return o;
}

/* ---- calls ---- */

/* What `verify_usable` does when something is wrong: reports it, and says whether the call may go
 * on to the provider all the same. */
bool verify_not_usable(struct verify_obj *o, const char *call);
/* The object is open and the IRQL is right. False: the call must not go on. */
static inline bool verify_usable(struct verify_obj *o, const char *call)
{
    if (SN_LIKELY(sn_a32_load_acquire(&o->state) == VERIFY_OPEN && kenv_irql_now <= DISPATCH_LEVEL))
        return true;
    return verify_not_usable(o, call);
}

/* A control call is inside. */
static inline void verify_enter(struct verify_obj *o)
{
    sn_a32_fetch_add(&o->calls, 1);
}
static inline void verify_leave(struct verify_obj *o)
{
    sn_a32_fetch_sub(&o->calls, 1);
}

/* A number of the calling thread, the system's own. */
extern _Thread_local uint32_t verify_thread_now __attribute__((visibility("hidden"))); /* or 0 */
uint32_t verify_thread_ask(void);
static inline uint32_t verify_thread(void)
{
    uint32_t now = verify_thread_now;

    return SN_LIKELY(now != 0) ? now : verify_thread_ask();
}

/* What the consumer promises to do one at a time: the thread that is inside, or 0. */
struct verify_domain {
    struct sn_a32 inside;
};
/* 0, or the thread that is inside already. */
static inline uint32_t verify_domain_enter(struct verify_domain *d)
{
    return sn_a32_exchange(&d->inside, verify_thread());
}
static inline void verify_domain_leave(struct verify_domain *d)
{
    sn_a32_store_release(&d->inside, 0);
}

/* ---- callbacks ---- */

/* A callback of the consumer that runs on this thread; on the stack of its wrapper. */
struct verify_callback {
    const char *name;
    struct verify_obj *o;
    uint64_t start_ns;
    struct verify_callback *outer;
};
void verify_callback_enter(struct verify_callback *cb, struct verify_obj *o, const char *name);
/* Reports one that took too long. */
void verify_callback_leave(struct verify_callback *cb);
/* The innermost callback of this thread; NULL: none. */
const struct verify_callback *verify_callback_now(void);

#endif
