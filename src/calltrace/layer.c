/* SPDX-License-Identifier: MIT */
/* The layer as src/ndk sees it, tables and closes. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "calltrace/calltrace.h"
#include "calltrace/impl.h"

static const struct {
    size_t octets;
    void (*replace)(void *table);
} kinds[CT_KINDS] = {
    [NdkObjectTypeAdapter] = {sizeof(NDK_ADAPTER_DISPATCH), ct_adapter_table},
    [NdkObjectTypeQp] = {sizeof(NDK_QP_DISPATCH), ct_qp_table},
    [NdkObjectTypeCq] = {sizeof(NDK_CQ_DISPATCH), ct_cq_table},
    [NdkObjectTypeMr] = {sizeof(NDK_MR_DISPATCH), ct_mr_table},
    [NdkObjectTypeMw] = {sizeof(NDK_MW_DISPATCH), ct_mw_table},
    [NdkObjectTypePd] = {sizeof(NDK_PD_DISPATCH), ct_pd_table},
    [NdkObjectTypeSharedEndpoint] = {sizeof(NDK_SHARED_ENDPOINT_DISPATCH), ct_endpoint_table},
    [NdkObjectTypeConnector] = {sizeof(NDK_CONNECTOR_DISPATCH), ct_connector_table},
    [NdkObjectTypeListener] = {sizeof(NDK_LISTENER_DISPATCH), ct_listener_table},
    [NdkObjectTypeSrq] = {sizeof(NDK_SRQ_DISPATCH), ct_srq_table},
};

/* ---- objects ---- */

static void free_routines(struct sn_aptr *stack)
{
    struct ct_routine *r = sn_aptr_load_acquire(stack);

    while (r != NULL) {
        struct ct_routine *next = r->next;

        sn_free(r);
        r = next;
    }
}

static void free_obj(struct ct_obj *c)
{
    free_routines(&c->routines);
    sn_free(c);
}

/* The last callback of the object. */
static VOID on_closed(PVOID context)
{
    struct ct_obj *c = context;
    struct ct_routine r = {.s = c->s, .entry = "NdkClose", .type = c->type, .number = c->number};
    NDK_FN_CLOSE_COMPLETION fn = c->close_fn;
    void *ctx = c->close_ctx;
    struct ct_line l;

    ct_begin_callback(&l, &r);
    ct_add(&l, ") completed");
    ct_end(&l);
    fn(ctx);
}

/* [NDKPI NDK_FN_CLOSE_OBJECT] Of all kinds but the adapter. */
static NTSTATUS close_object(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    struct ct_obj *c = ct_of(pNdkObject);
    NDK_FN_CLOSE_OBJECT below;
    struct ct_line l;
    NTSTATUS status;

    memcpy(&below, c->inner, sizeof below);
    ct_begin(&l, c, "NdkClose");
    c->close_fn = CloseCompletion;
    c->close_ctx = RequestContext;
    status = below(pNdkObject, CloseCompletion != NULL ? on_closed : NULL, c);
    return ct_end_status(&l, status);
}

static void make_table(struct ct_table *t, NDK_OBJECT_TYPE type, const void *inner)
{
    const NDK_FN_CLOSE_OBJECT close = close_object;

    SN_ASSERT(kinds[type].octets <= sizeof t->outer);
    memcpy(t->outer, inner, kinds[type].octets);
    if (type != NdkObjectTypeAdapter)
        memcpy(t->outer, &close, sizeof close);
    kinds[type].replace(t->outer);
    t->inner = inner;
}

/* Objects of one kind have one table below, so one above is enough. */
static const void *table_over(struct ct_state *s, NDK_OBJECT_TYPE type, const void *inner)
{
    struct ct_table *t = &s->table[type];
    bool is_known;

    sn_lock_take(&s->lock);
    if (t->inner == NULL)
        make_table(t, type, inner);
    is_known = t->inner == inner;
    sn_lock_drop(&s->lock);
    return is_known ? t->outer : inner;
}

static void wrap(void *state, struct ndk_object *o)
{
    static struct sn_a32 numbers[CT_KINDS];
    NDK_OBJECT_TYPE type = o->Header.ObjectType;
    struct ct_state *s = state;
    struct ct_obj *c = sn_zalloc(sizeof *c);

    if (type == NdkObjectTypeAdapter) {
        s->adapter = (struct rnic_adapter *)(void *)o;
        s->adapter_obj = c;
    }
    if (c == NULL)
        return;
    c->s = s;
    c->inner = o->Dispatch;
    c->type = type;
    c->number = sn_a32_fetch_add(&numbers[type], 1) + 1;
    o->Header.NdkReserved.rf[NDK_SLOT_CALLTRACE] = c;
    o->Dispatch = table_over(s, type, o->Dispatch);
    if (type == NdkObjectTypeAdapter)
        ct_detail(s, "adapter %u opened", c->number);
}

/* ---- the adapter ---- */

static NTSTATUS open(char *(*env)(const char *name), void **state, char text[NDK_LAYER_TEXT])
{
    const char *path = env("SOFTNDK_TRACE");
    struct ct_state *s;

    *state = NULL;
    if (path == NULL || *path == '\0')
        return STATUS_SUCCESS;
    s = sn_zalloc(sizeof *s);
    if (s == NULL) {
        snprintf(text, NDK_LAYER_TEXT, "no memory for SOFTNDK_TRACE");
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (!ct_output_open(path, s, text)) {
        sn_free(s);
        return STATUS_INVALID_PARAMETER;
    }
    sn_lock_init(&s->lock, SN_RANK_LEAF);
    *state = s;
    return STATUS_SUCCESS;
}

/* Being the outermost layer it is asked first: the object is gone, and with it what is kept of it
 * here. The memory is left to others. */
static bool keep(void *state, struct ndk_object *o)
{
    struct ct_obj *c = ct_of(o);

    UNREFERENCED_PARAMETER(state);
    if (c != NULL)
        free_obj(c);
    return false;
}

static void closing(void *state, NDK_ADAPTER *adapter, const char *function)
{
    struct ct_obj *c = ct_of(adapter);

    if (c != NULL)
        ct_detail(state, "%s(adapter %u)", function, c->number);
}

static void closed(void *state)
{
    struct ct_state *s = state;

    if (s->adapter_obj != NULL) {
        ct_detail(s, "adapter %u closed", s->adapter_obj->number);
        free_obj(s->adapter_obj);
    }
    free_routines(&s->orphans);
    ct_output_close(s);
    sn_free(s);
}

const struct ndk_layer calltrace_layer = {
    .name = "calltrace",
    .open = open,
    .wrap = wrap,
    .closing = closing,
    .closed = closed,
    .keep = keep,
};
