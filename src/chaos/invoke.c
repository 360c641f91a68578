/* SPDX-License-Identifier: MIT */
#include "chaos/invoke.h"

#include "base/alloc.h"

bool chaos_create_begin(struct chaos_creation *k, struct chaos_obj *parent, enum chaos_entry entry,
    NDK_FN_CREATE_COMPLETION fn, void *ctx, chaos_any_fn *event, void *event_ctx)
{
    *k = (struct chaos_creation){.parent = parent};
    if (event != NULL) {
        k->routine = chaos_routine_new(event, event_ctx);
        k->status = STATUS_INSUFFICIENT_RESOURCES;
        if (k->routine == NULL)
            return false;
    }
    k->op = chaos_begin(parent, entry, CHAOS_OP_CREATE, (chaos_any_fn *)fn, ctx, &k->status);
    if (k->op != NULL)
        return true;
    sn_free(k->routine);
    return false;
}

/* The routine belongs to the layer's part of its object; if that has none, for want of memory, to
 * the adapter, and calls are passed on as they come. */
static void give_routine(struct chaos_routine *r, struct chaos_state *s, struct chaos_obj *c)
{
    void *top;

    if (c != NULL) {
        chaos_routine_give(c, r);
        return;
    }
    do {
        top = sn_aptr_load_acquire(&s->orphans);
        r->next = top;
    } while (!sn_aptr_cas(&s->orphans, top, r));
}

NTSTATUS chaos_create_end(struct chaos_creation *k, NTSTATUS returned, void *out)
{
    struct chaos_obj *c = NULL;

    if (returned == STATUS_SUCCESS) {
        c = chaos_of(k->op->object);
        chaos_name_child(k->parent, k->op->object);
    }
    if (k->routine != NULL && NT_SUCCESS(returned))
        give_routine(k->routine, k->parent->s, c);
    else
        sn_free(k->routine);
    return chaos_end(k->op, returned, out);
}
