/* SPDX-License-Identifier: MIT */
#include "calltrace/create.h"

#include <string.h>

#include "base/alloc.h"

void ct_create_begin(struct ct_create *k, const struct ct_obj *parent, const char *entry,
    NDK_FN_CREATE_COMPLETION fn, void *ctx)
{
    ct_begin(&k->line, parent, entry);
    k->done = ct_done_begin(parent, entry, (ct_any_fn *)fn, ctx);
    k->event = NULL;
}

void ct_create_event(struct ct_create *k, const char *name, ct_any_fn *fn, void *ctx)
{
    k->event = ct_event_begin(k->line.s, name, fn, ctx);
    if (k->done != NULL)
        k->done->event = k->event;
}

NTSTATUS ct_create_end(struct ct_create *k, NTSTATUS status, const void *out)
{
    void *object = NULL;
    char room[16];

    if (status == STATUS_PENDING && k->done == NULL)
        ct_event_give(k->event, NULL); /* nobody will tell us which object it is of */
    else if (!NT_SUCCESS(status))
        sn_free(k->event);
    ct_add(&k->line, ") = %s", ct_status_name(status, room));
    if (status == STATUS_SUCCESS) {
        memcpy(&object, out, sizeof object);
        ct_event_give(k->event, ct_of(object));
        ct_add_object(&k->line, "new", object);
    }
    (void)ct_done_end(k->done, status);
    ct_end(&k->line);
    return status;
}
