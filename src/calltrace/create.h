/* SPDX-License-Identifier: MIT */
/* Create calls of all kinds. */
#ifndef SN_CALLTRACE_CREATE_H
#define SN_CALLTRACE_CREATE_H

#include "calltrace/impl.h"

struct ct_create {
    struct ct_line line;
    struct ct_routine *done;  /* NULL: the consumer's completion goes down as it is */
    struct ct_routine *event; /* the same for the routine of the new object */
};

void ct_create_begin(struct ct_create *k, const struct ct_obj *parent, const char *entry,
    NDK_FN_CREATE_COMPLETION fn, void *ctx);
void ct_create_event(struct ct_create *k, const char *name, ct_any_fn *fn, void *ctx);
/* `out`: the consumer's out parameter, an NDK_..., by address. */
NTSTATUS ct_create_end(struct ct_create *k, NTSTATUS status, const void *out);

#endif
