/* SPDX-License-Identifier: MIT */
/* What the wrapping entries of several tables share. */
#ifndef SN_CHAOS_INVOKE_H
#define SN_CHAOS_INVOKE_H

#include "chaos/impl.h"

typedef void chaos_any_fn(void);

/* What is handed down for a completion of the consumer's: NULL stays NULL, so that the provider
 * below refuses what it refuses. */
#define CHAOS_COMPLETED(fn) ((fn) != NULL ? chaos_completed : NULL)
#define CHAOS_CREATED(fn)   ((fn) != NULL ? chaos_created : NULL)
/* The same for an out parameter: the object goes into the creation first. */
#define CHAOS_OUT(type, creation, out)                                                             \
    ((out) != NULL ? (type **)(void *)&(creation).op->object : NULL)

/* A create call under way. */
struct chaos_creation {
    struct chaos_obj *parent;
    struct chaos_op *op;
    struct chaos_routine *routine; /* of the new object; NULL: none */
    NTSTATUS status;               /* when it has ended already */
};

/* False: it has ended, with k->status. `event` (may be NULL) is the routine of the new object. */
bool chaos_create_begin(struct chaos_creation *k, struct chaos_obj *parent, enum chaos_entry entry,
    NDK_FN_CREATE_COMPLETION fn, void *ctx, chaos_any_fn *event, void *event_ctx);
/* `out` is the consumer's out parameter: an NDK_..., by address, or NULL. */
NTSTATUS chaos_create_end(struct chaos_creation *k, NTSTATUS returned, void *out);

#endif
