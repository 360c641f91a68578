/* SPDX-License-Identifier: MIT */
/*
 * Asynchronous calls on their way through: the consumer's completion routine is replaced by one of
 * ours, which first brings the shadows up to date and then calls the consumer's. Both ways to end,
 * inline and by completion, pass the same `done`.
 */
#ifndef SN_VERIFY_CALL_H
#define SN_VERIFY_CALL_H

#include "verify/shadow.h"

struct verify_call {
    struct verify_obj *o; /* the object of the call, with a reference */
    const char *name;
    /* Runs once, before the consumer learns of it. May be NULL. */
    void (*done)(struct verify_call *c, NTSTATUS status);
    struct verify_obj *made; /* create calls: the shadow to be */
    struct verify_obj *with; /* another object of the call, with a reference; or NULL */
    PVOID arg;
    uint64_t number[3];
    /* private */
    const MDL *mdl; /* a chain that must not change meanwhile; or NULL */
    uint64_t mdl_sum;
    NDK_FN_REQUEST_COMPLETION fn;
    NDK_FN_CREATE_COMPLETION create_fn;
    PVOID ctx;
    struct sn_a32 refs, is_counted;
};

/*
 * Begins a call on `o`. NULL: no memory, answer STATUS_INSUFFICIENT_RESOURCES. `fn` NULL is
 * reported as N-L7 unless it is optional; the provider then gets NULL as well.
 */
SN_MUST_CHECK struct verify_call *verify_call_new(struct verify_obj *o, const char *name,
    NDK_FN_REQUEST_COMPLETION fn, PVOID ctx, bool is_optional);
/* The same for a call that creates `made`, which may be NULL when there was no memory for it;
 * takes over the reference on it. */
SN_MUST_CHECK struct verify_call *verify_call_create(struct verify_obj *o, const char *name,
    struct verify_obj *made, NDK_FN_CREATE_COMPLETION fn, PVOID ctx);
/* The chain must not change until the call is over (N-P10). It was found to be sound. */
void verify_call_watch_mdl(struct verify_call *c, const MDL *mdl);
/* What to give the provider in place of the consumer's routine; the context is the call. */
NDK_FN_REQUEST_COMPLETION verify_call_fn(const struct verify_call *c);
NDK_FN_CREATE_COMPLETION verify_call_create_fn(const struct verify_call *c);
/* The provider has returned `status`, and for a create call `object` with STATUS_SUCCESS. */
NTSTATUS verify_call_end(struct verify_call *c, NTSTATUS status, void *object);

#endif
