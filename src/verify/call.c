/* SPDX-License-Identifier: MIT */
#include "verify/call.h"

#include "base/alloc.h"
#include "verify/report.h"

/* What a chain of MDLs says, as a number. */
static uint64_t sum_of(const MDL *mdl)
{
    uint64_t h = 0xcbf29ce484222325;

    for (; mdl != NULL; mdl = mdl->Next) {
        const uint64_t words[] = {(uint64_t)(uintptr_t)mdl, (uint64_t)(uintptr_t)mdl->StartVa,
            (uint64_t)mdl->ByteOffset << 32 | mdl->ByteCount};

        for (size_t i = 0; i < SN_ARRAY_COUNT(words); i++)
            h = (h ^ words[i]) * 0x100000001b3;
    }
    return h;
}

static struct verify_call *begin(
    struct verify_obj *o, const char *name, PVOID ctx, bool has_fn, bool is_optional)
{
    struct verify_call *c = sn_zalloc(sizeof *c);

    if (!has_fn && !is_optional)
        verify_report(VERIFY_L7, o, NULL, name, "the completion routine is NULL");
    if (c == NULL)
        return NULL;
    c->o = o;
    c->name = name;
    c->ctx = ctx;
    sn_a32_store_relaxed(&c->refs, 2);
    sn_a32_store_relaxed(&c->is_counted, 1);
    verify_obj_get(o);
    verify_enter(o);
    return c;
}

struct verify_call *verify_call_new(struct verify_obj *o, const char *name,
    NDK_FN_REQUEST_COMPLETION fn, PVOID ctx, bool is_optional)
{
    struct verify_call *c = begin(o, name, ctx, fn != NULL, is_optional);

    if (c != NULL)
        c->fn = fn;
    return c;
}

struct verify_call *verify_call_create(struct verify_obj *o, const char *name,
    struct verify_obj *made, NDK_FN_CREATE_COMPLETION fn, PVOID ctx)
{
    struct verify_call *c = NULL;

    if (made != NULL)
        c = begin(o, name, ctx, fn != NULL, false);
    if (c == NULL) {
        if (made != NULL)
            verify_obj_put(made);
        return NULL;
    }
    c->made = made;
    c->create_fn = fn;
    return c;
}

/* The object of the call may be closed from now on: by whoever was told, even before the call has
 * returned. */
static void uncount(struct verify_call *c)
{
    if (sn_a32_exchange(&c->is_counted, 0) != 0)
        verify_leave(c->o);
}

static void put(struct verify_call *c)
{
    if (sn_a32_fetch_sub(&c->refs, 1) != 1)
        return;
    verify_obj_put(c->o);
    if (c->with != NULL)
        verify_obj_put(c->with);
    sn_free(c);
}

static void done(struct verify_call *c, NTSTATUS status, void *object)
{
    if (c->mdl != NULL && sum_of(c->mdl) != c->mdl_sum)
        verify_report(VERIFY_P10, c->o, NULL, c->name,
            "the MDL chain %p changed while the call was pending", (const void *)c->mdl);
    if (c->made != NULL) {
        if (NT_SUCCESS(status) && object != NULL)
            verify_obj_attach(c->made, object);
        else
            verify_obj_put(c->made);
    }
    if (c->done != NULL)
        c->done(c, status);
}

static VOID call_completed(PVOID Context, NTSTATUS Status)
{
    struct verify_call *c = Context;
    struct verify_callback cb;

    uncount(c);
    done(c, Status, NULL);
    verify_callback_enter(&cb, c->o, "NDK_FN_REQUEST_COMPLETION");
    c->fn(c->ctx, Status);
    verify_callback_leave(&cb);
    put(c);
}

static VOID call_created(PVOID Context, NTSTATUS Status, NDK_OBJECT_HEADER *pNdkObject)
{
    struct verify_call *c = Context;
    struct verify_callback cb;

    uncount(c);
    done(c, Status, pNdkObject);
    verify_callback_enter(&cb, c->o, "NDK_FN_CREATE_COMPLETION");
    c->create_fn(c->ctx, Status, pNdkObject);
    verify_callback_leave(&cb);
    put(c);
}

NDK_FN_REQUEST_COMPLETION verify_call_fn(const struct verify_call *c)
{
    return c->fn != NULL ? call_completed : NULL;
}

NDK_FN_CREATE_COMPLETION verify_call_create_fn(const struct verify_call *c)
{
    return c->create_fn != NULL ? call_created : NULL;
}

NTSTATUS verify_call_end(struct verify_call *c, NTSTATUS status, void *object)
{
    if (status != STATUS_PENDING) {
        done(c, status, object);
        put(c);
    }
    uncount(c);
    put(c);
    return status;
}

void verify_call_watch_mdl(struct verify_call *c, const MDL *mdl)
{
    c->mdl = mdl;
    c->mdl_sum = sum_of(mdl);
}
