/* SPDX-License-Identifier: MIT */
/* Callbacks: each writes its line, then calls the consumer's routine with nothing changed. */
#include "base/alloc.h"
#include "calltrace/impl.h"

struct ct_routine *ct_done_begin(
    const struct ct_obj *c, const char *entry, ct_any_fn *fn, void *ctx)
{
    struct ct_routine *r = fn != NULL ? sn_zalloc(sizeof *r) : NULL;

    if (r == NULL)
        return NULL;
    r->s = c->s;
    r->fn = fn;
    r->ctx = ctx;
    r->entry = entry;
    r->type = c->type;
    r->number = c->number;
    return r;
}

NTSTATUS ct_done_end(struct ct_routine *r, NTSTATUS status)
{
    if (status != STATUS_PENDING)
        sn_free(r);
    return status;
}

static void push(struct sn_aptr *stack, struct ct_routine *r)
{
    void *top;

    do {
        top = sn_aptr_load_acquire(stack);
        r->next = top;
    } while (!sn_aptr_cas(stack, top, r));
}

struct ct_routine *ct_event_begin(struct ct_state *s, const char *entry, ct_any_fn *fn, void *ctx)
{
    struct ct_routine *r = fn != NULL ? sn_zalloc(sizeof *r) : NULL;

    if (r == NULL)
        return NULL;
    r->s = s;
    r->fn = fn;
    r->ctx = ctx;
    r->entry = entry;
    return r;
}

void ct_event_give(struct ct_routine *r, struct ct_obj *c)
{
    if (r == NULL)
        return;
    if (c == NULL) {
        push(&r->s->orphans, r);
        return;
    }
    r->type = c->type;
    r->number = c->number;
    push(&c->routines, r);
}

static void tell_status(const struct ct_routine *r, NTSTATUS status, const char *what)
{
    struct ct_line l;
    char room[16];

    ct_begin_callback(&l, r);
    ct_add(&l, ")%s %s", what, ct_status_name(status, room));
    ct_end(&l);
}

VOID ct_on_completed(PVOID routine, NTSTATUS status)
{
    struct ct_routine r = *(struct ct_routine *)routine;

    sn_free(routine);
    tell_status(&r, status, " completed:");
    ((NDK_FN_REQUEST_COMPLETION)r.fn)(r.ctx, status);
}

VOID ct_on_created(PVOID routine, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    struct ct_routine r = *(struct ct_routine *)routine;
    struct ct_line l;
    char room[16];

    sn_free(routine);
    if (NT_SUCCESS(status))
        ct_event_give(r.event, object != NULL ? ct_of(object) : NULL);
    else
        sn_free(r.event);
    ct_begin_callback(&l, &r);
    ct_add(&l, ") completed: %s", ct_status_name(status, room));
    ct_add_object(&l, "new", object);
    ct_end(&l);
    ((NDK_FN_CREATE_COMPLETION)r.fn)(r.ctx, status, object);
}

VOID ct_on_notified(PVOID routine, NTSTATUS status)
{
    struct ct_routine *r = routine;

    tell_status(r, status, ":");
    ((NDK_FN_CQ_NOTIFICATION_CALLBACK)r->fn)(r->ctx, status);
}

VOID ct_on_connect(PVOID routine, NDK_CONNECTOR *connector)
{
    struct ct_routine *r = routine;
    struct ct_line l;

    ct_begin_callback(&l, r);
    ct_add_object(&l, "new", connector);
    ct_add(&l, ")");
    ct_end(&l);
    ((NDK_FN_CONNECT_EVENT_CALLBACK)r->fn)(r->ctx, connector);
}

VOID ct_on_disconnect(PVOID routine)
{
    struct ct_routine *r = routine;
    struct ct_line l;

    ct_begin_callback(&l, r);
    ct_add(&l, ")");
    ct_end(&l);
    ((NDK_FN_DISCONNECT_EVENT_CALLBACK)r->fn)(r->ctx);
}

VOID ct_on_disconnect_ex(PVOID routine, ULONG reason)
{
    struct ct_routine *r = routine;
    struct ct_line l;

    ct_begin_callback(&l, r);
    ct_add(&l, ", reason %u)", reason);
    ct_end(&l);
    ((NDK_FN_DISCONNECT_EVENT_CALLBACK_EX)r->fn)(r->ctx, reason);
}
