/* SPDX-License-Identifier: MIT */
/* Objects: how they get the layer's table, how they are named, how they are closed. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "chaos/chaos.h"
#include "chaos/impl.h"
#include "rnic/adapter.h"

/* ---- tables ---- */

static const struct {
    size_t octets;
    void (*replace)(const struct chaos_state *s, void *table);
} kinds[CHAOS_KINDS] = {
    [NdkObjectTypeAdapter] = {sizeof(NDK_ADAPTER_DISPATCH), chaos_adapter_table},
    [NdkObjectTypeQp] = {sizeof(NDK_QP_DISPATCH), chaos_qp_table},
    [NdkObjectTypeCq] = {sizeof(NDK_CQ_DISPATCH), chaos_cq_table},
    [NdkObjectTypeMr] = {sizeof(NDK_MR_DISPATCH), chaos_mr_table},
    [NdkObjectTypeMw] = {sizeof(NDK_MW_DISPATCH), NULL},
    [NdkObjectTypePd] = {sizeof(NDK_PD_DISPATCH), chaos_pd_table},
    [NdkObjectTypeSharedEndpoint] = {sizeof(NDK_SHARED_ENDPOINT_DISPATCH), NULL},
    [NdkObjectTypeConnector] = {sizeof(NDK_CONNECTOR_DISPATCH), chaos_connector_table},
    [NdkObjectTypeListener] = {sizeof(NDK_LISTENER_DISPATCH), chaos_listener_table},
    [NdkObjectTypeSrq] = {sizeof(NDK_SRQ_DISPATCH), chaos_srq_table},
};

/* Every table but the adapter's begins with the close entry. [NDKPI NDK_FN_CLOSE_OBJECT] */
static void replace_close(void *table)
{
    const NDK_FN_CLOSE_OBJECT close = chaos_close;

    memcpy(table, &close, sizeof close);
}

static void make_table(
    struct chaos_state *s, struct chaos_table *t, NDK_OBJECT_TYPE type, const void *inner)
{
    SN_ASSERT(kinds[type].octets <= sizeof t->outer);
    memcpy(t->outer, inner, kinds[type].octets);
    if (type != NdkObjectTypeAdapter)
        replace_close(t->outer);
    if (kinds[type].replace != NULL)
        kinds[type].replace(s, t->outer);
    t->inner = inner;
}

/* Objects of one kind have one table below, so one above is enough. */
static const void *table_over(struct chaos_state *s, NDK_OBJECT_TYPE type, const void *inner)
{
    struct chaos_table *t = &s->table[type];
    bool is_known;

    sn_lock_take(&s->lock);
    if (t->inner == NULL)
        make_table(s, t, type, inner);
    is_known = t->inner == inner;
    sn_lock_drop(&s->lock);
    return is_known ? t->outer : inner;
}

/* ---- wrapping ---- */

static const struct plat_lane_ops lane_ops = {.work = chaos_lane_work};

static void begin_adapter(struct chaos_state *s, struct ndk_object *o)
{
    s->adapter = (struct rnic_adapter *)(void *)o;
    if (plat_lane_create(s->adapter->plat, &lane_ops, s, &s->lane) != SN_OK)
        s->lane = NULL;
}

void chaos_wrap(void *state, struct ndk_object *o)
{
    struct chaos_state *s = state;
    NDK_OBJECT_TYPE type = o->Header.ObjectType;
    struct chaos_obj *c;

    if (type == NdkObjectTypeAdapter)
        begin_adapter(s, o);
    c = s->lane != NULL ? sn_zalloc(sizeof *c) : NULL;
    if (c == NULL)
        return;
    if (type == NdkObjectTypeAdapter)
        s->adapter_obj = c;
    c->s = s;
    c->o = (struct rnic_obj *)(void *)o;
    c->inner = o->Dispatch;
    c->id = s->seed;
    sn_list_init(&c->queue);
    if (type == NdkObjectTypeQp)
        rnic_task_init(&c->loss, c->o, chaos_lose);
    o->Header.NdkReserved.rf[NDK_SLOT_CHAOS] = c;
    o->Dispatch = table_over(s, type, o->Dispatch);
}

void chaos_free_obj(struct chaos_obj *c)
{
    struct chaos_routine *r = sn_aptr_load_acquire(&c->routines);

    while (r != NULL) {
        struct chaos_routine *next = r->next;

        sn_free(r);
        r = next;
    }
    sn_free(c);
}

void chaos_name_child(struct chaos_obj *parent, const void *child)
{
    struct chaos_obj *c = chaos_of(child);
    unsigned kind = ((const struct ndk_object *)child)->Header.ObjectType;

    if (c != NULL)
        c->id = chaos_child_id(parent->id, kind, sn_a32_fetch_add(&parent->children[kind], 1));
}

uint32_t chaos_count(struct chaos_obj *c, enum chaos_entry entry)
{
    return sn_a32_fetch_add(&c->counts[entry], 1);
}

/* ---- closing ---- */

/* The last callback of the object, from below, at DISPATCH_LEVEL. */
static VOID closed(PVOID context)
{
    struct chaos_obj *c = context;
    struct chaos_op *op = c->close_op;
    bool is_taken = op != NULL && sn_a32_cas(&op->phase, CHAOS_PHASE_OPEN, CHAOS_PHASE_TAKEN);

    if (!is_taken && c->close_fn != NULL)
        c->close_fn(c->close_ctx);
    if (op != NULL) {
        if (!is_taken)
            sn_a32_store_release(&op->phase, CHAOS_PHASE_DELIVERED);
        chaos_op_put(op);
    }
    chaos_free_obj(c);
}

static NTSTATUS close_below(struct chaos_obj *c, NDK_OBJECT_HEADER *pNdkObject)
{
    NDK_FN_CLOSE_OBJECT below;
    NTSTATUS status;

    memcpy(&below, c->inner, sizeof below);
    status = below(pNdkObject, closed, c);
    if (status != STATUS_PENDING)
        chaos_free_obj(c);
    return status;
}

/* The provider finishes a close when the last reference goes: so one more makes it pend, and its
 * own rules about what waits for what stay in force. */
static NTSTATUS close_later(
    struct chaos_obj *c, NDK_OBJECT_HEADER *pNdkObject, struct chaos_verdict verdict)
{
    struct chaos_op *op = chaos_op_new(c, CHAOS_OP_RELEASE);

    if (op == NULL)
        return close_below(c, pNdkObject);
    op->verdict = verdict;
    rnic_obj_get(c->o, RNIC_REF_REQUEST);
    op->holds = c->o;
    (void)close_below(c, pNdkObject); /* STATUS_PENDING: we hold it */
    chaos_op_queue(op);
    chaos_op_put(op);
    return STATUS_PENDING;
}

/* The close completion shall come before this call returns. */
static NTSTATUS close_early(struct chaos_obj *c, NDK_OBJECT_HEADER *pNdkObject)
{
    struct chaos_op *op = chaos_op_new(c, CHAOS_OP_RELEASE);
    struct rnic_obj *o = c->o, *adapter = &c->s->adapter->obj;

    if (op == NULL)
        return close_below(c, pNdkObject);
    rnic_obj_get(adapter, RNIC_REF_REQUEST);
    rnic_obj_get(o, RNIC_REF_REQUEST);
    c->close_op = op;
    (void)close_below(c, pNdkObject); /* STATUS_PENDING: we hold it */
    rnic_obj_put(o, RNIC_REF_REQUEST);
    (void)chaos_op_await(op, CHAOS_PHASE_DELIVERED);
    chaos_op_put(op);
    rnic_obj_put(adapter, RNIC_REF_REQUEST);
    return STATUS_PENDING;
}

/* What pends below is waited for, for a while. */
static NTSTATUS close_inline(struct chaos_obj *c, NDK_OBJECT_HEADER *pNdkObject)
{
    struct chaos_op *op = chaos_op_new(c, CHAOS_OP_RELEASE);
    struct rnic_obj *adapter = &c->s->adapter->obj;
    NTSTATUS status;

    if (op == NULL)
        return close_below(c, pNdkObject);
    rnic_obj_get(adapter, RNIC_REF_REQUEST);
    sn_a32_store_relaxed(&op->phase, CHAOS_PHASE_OPEN);
    c->close_op = op;
    status = close_below(c, pNdkObject);
    if (status != STATUS_PENDING)
        chaos_op_put(op); /* nobody will call back */
    else if (chaos_op_await(op, CHAOS_PHASE_TAKEN) ||
             !sn_a32_cas(&op->phase, CHAOS_PHASE_OPEN, CHAOS_PHASE_SAID))
        status = STATUS_SUCCESS;
    chaos_op_put(op);
    rnic_obj_put(adapter, RNIC_REF_REQUEST);
    return status;
}

NTSTATUS chaos_close(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    struct chaos_obj *c = chaos_of(pNdkObject);
    struct chaos_verdict verdict =
        chaos_decide(c->s->schedule, c->id, CHAOS_CLOSE, chaos_count(c, CHAOS_CLOSE));

    c->close_fn = CloseCompletion;
    c->close_ctx = RequestContext;
    if (CloseCompletion == NULL)
        return close_below(c, pNdkObject); /* the consumer errs, and could never tell */
    chaos_yield(c->s, verdict.yields_before);
    switch (verdict.way) {
    case CHAOS_LATER:
        return close_later(c, pNdkObject, verdict);
    case CHAOS_EARLY:
        return close_early(c, pNdkObject);
    case CHAOS_INLINE:
        return close_inline(c, pNdkObject);
    case CHAOS_AS_IS:
        break;
    }
    return close_below(c, pNdkObject);
}
