/* SPDX-License-Identifier: MIT */
/* What the entries of several kinds share: close, and checks of arguments. */
#include <string.h>
#include <ws2ipdef.h>

#include "base/alloc.h"
#include "ndk/mdl.h"
#include "verify/kinds.h"

/* ---- close ---- */

/* Data path words that the object has, with the rule that they stand for. */
static bool is_inside(const struct verify_domain *d, uint32_t *thread)
{
    *thread = sn_a32_load_acquire(&d->inside);
    return *thread != 0 && *thread != verify_thread();
}

/* Another thread is inside a data path call. */
static bool is_in_use(struct verify_obj *o, uint32_t *thread)
{
    switch (o->type) {
    case NdkObjectTypeCq:
        return is_inside(&((struct verify_cq *)o)->polling, thread) ||
               is_inside(&((struct verify_cq *)o)->moderation, thread);
    case NdkObjectTypeQp:
        return is_inside(&((struct verify_qp *)o)->initiator.domain, thread) ||
               is_inside(&((struct verify_qp *)o)->receive.domain, thread);
    case NdkObjectTypeSrq:
        return is_inside(&((struct verify_srq *)o)->queue.domain, thread);
    case NdkObjectTypeUndefined:
    case NdkObjectTypeAdapter:
    case NdkObjectTypeMr:
    case NdkObjectTypeMw:
    case NdkObjectTypePd:
    case NdkObjectTypeSharedEndpoint:
    case NdkObjectTypeConnector:
    case NdkObjectTypeListener:
    case NdkObjectTypeMax:
        break;
    }
    return false;
}

static void closing(struct verify_obj *o, const char *call)
{
    uint32_t thread;

    if (is_in_use(o, &thread))
        verify_report(VERIFY_L3, o, NULL, call, "thread %u is inside a call on the %s", thread,
            verify_type_name(o->type));
    else if (o->type != NdkObjectTypeConnector && sn_a32_load_acquire(&o->calls) != 0)
        verify_report(VERIFY_L3, o, NULL, call, "another call on the %s has not returned",
            verify_type_name(o->type));
    if (sn_a32_load_acquire(&o->successors) != 0)
        verify_report(VERIFY_L12, o, NULL, call, "%u open objects stand on it",
            sn_a32_load_acquire(&o->successors));
    if (o->type == NdkObjectTypeQp)
        verify_qp_closing((struct verify_qp *)o);
    else if (o->type == NdkObjectTypeConnector)
        verify_connector_closing((struct verify_connector *)o);
    else if (o->type == NdkObjectTypeMr)
        verify_mr_closing((struct verify_mr *)o, call);
    else if (o->type == NdkObjectTypeMw)
        verify_mw_closing((struct verify_mw *)o);
}

static void gone(struct verify_obj *o)
{
    if (o->type == NdkObjectTypeQp)
        verify_qp_closed((struct verify_qp *)o);
    verify_obj_gone(o);
}

static VOID close_completed(PVOID Context)
{
    struct verify_obj *o = Context;
    struct verify_callback cb;

    gone(o);
    verify_callback_enter(&cb, o, "NDK_FN_CLOSE_COMPLETION");
    if (o->close_fn != NULL)
        o->close_fn(o->close_ctx);
    verify_callback_leave(&cb);
    verify_obj_put(o);
}

NTSTATUS verify_close(NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion,
    PVOID RequestContext, NDK_FN_CLOSE_OBJECT lower, const char *call)
{
    struct verify_obj *o = verify_own(pNdkObject);
    NTSTATUS status;

    if (kenv_irql_now > DISPATCH_LEVEL && !verify_not_usable(o, call))
        return STATUS_INVALID_DEVICE_STATE;
    if (CloseCompletion == NULL)
        verify_report(VERIFY_L6, o, NULL, call, "the close completion is NULL");
    if (!sn_a32_cas(&o->state, VERIFY_OPEN, VERIFY_CLOSING)) {
        verify_report(
            VERIFY_L2, o, NULL, call, "the %s was closed before", verify_type_name(o->type));
        return STATUS_SUCCESS;
    }
    verify_stack_take(&o->closed, 0);
    closing(o, call);
    o->close_fn = CloseCompletion;
    o->close_ctx = RequestContext;
    verify_obj_get(o);
    status = lower(pNdkObject, close_completed, o);
    if (status != STATUS_PENDING) {
        gone(o);
        verify_obj_put(o);
    }
    return status;
}

/* All tables but the adapter's begin with close and query extension. */
struct common_table {
    NDK_FN_CLOSE_OBJECT close;
    NDK_FN_QUERY_EXTENSION_INTERFACE query_extension;
};
_Static_assert(
    offsetof(NDK_QP_DISPATCH, NdkQueryExtension) == offsetof(struct common_table, query_extension),
    "one place for all kinds");

NTSTATUS verify_query_extension(NDK_OBJECT_HEADER *pNdkObject, GUID *ExtensionInterfaceID,
    NDK_VERSION ExtensionInterfaceVersion, NDK_EXTENSION_INTERFACE *pExtensionInterface)
{
    struct verify_obj *o = verify_own(pNdkObject);
    NDK_FN_QUERY_EXTENSION_INTERFACE lower;
    NTSTATUS status;

    if (!verify_usable(o, "NdkQueryExtension"))
        return STATUS_INVALID_DEVICE_STATE;
    lower = o->type == NdkObjectTypeAdapter
                ? ((const NDK_ADAPTER_DISPATCH *)o->lower)->NdkQueryExtension
                : ((const struct common_table *)o->lower)->query_extension;
    verify_enter(o);
    status =
        lower(pNdkObject, ExtensionInterfaceID, ExtensionInterfaceVersion, pExtensionInterface);
    verify_leave(o);
    return status;
}

/* ---- arguments ---- */

void verify_address(struct verify_obj *o, const SOCKADDR *address, ULONG length, const char *call)
{
    ULONG want;

    if (address == NULL || length < sizeof address->sa_family) {
        verify_report(VERIFY_P15, o, NULL, call, "there is no address");
        return;
    }
    want = address->sa_family == AF_INET    ? (ULONG)sizeof(SOCKADDR_IN)
           : address->sa_family == AF_INET6 ? (ULONG)sizeof(SOCKADDR_IN6)
                                            : 0;
    if (want == 0)
        verify_report(
            VERIFY_P15, o, NULL, call, "the family of the address is %u", address->sa_family);
    else if (length < want || length > sizeof(SOCKADDR_STORAGE))
        verify_report(VERIFY_P15, o, NULL, call,
            "the length of the address is %u; its family has %u", length, want);
}

void verify_in_out(struct verify_obj *o, const VOID *buffer, const ULONG *length, const char *call)
{
    enum { HUGE_OCTETS = 1 << 20 };

    if (length == NULL)
        verify_report(VERIFY_P14, o, NULL, call, "there is no in/out length");
    else if (buffer == NULL && *length != 0)
        verify_report(
            VERIFY_P14, o, NULL, call, "the buffer is NULL, and the length 0x%x", *length);
    else if (*length > HUGE_OCTETS)
        verify_report(VERIFY_P14, o, NULL, call,
            "the length is 0x%x, as an uninitialised variable has it", *length);
}

void verify_one_adapter(struct verify_obj *o, const void *other, const char *call)
{
    struct verify_obj *p = other != NULL ? verify_shadow(other) : NULL;

    if (p != NULL && p->adapter != o->adapter)
        verify_report(
            VERIFY_L13, o, p, call, "the %s is of another adapter", verify_type_name(p->type));
    if (p != NULL && verify_state_of(p) != VERIFY_OPEN)
        verify_report(VERIFY_L1, p, o, call, "the %s is %s", verify_type_name(p->type),
            verify_state_name(verify_state_of(p)));
}

bool verify_mdl(struct verify_obj *o, const MDL *mdl, SIZE_T length, const char *call)
{
    uint8_t *start;

    if (mdl != NULL && length != 0 && ndk_mdl_range(mdl, length, &start) == SN_OK)
        return true;
    verify_report(VERIFY_P9, o, NULL, call,
        "the MDL chain %p is not contiguous over %zu octets, or not that long", (const void *)mdl,
        (size_t)length);
    return false;
}

/* ---- memory that goes away ---- */

/* A queue of `o` uses it; token 0: logical pages. */
static bool is_using(struct verify_obj *o, uint32_t token, uint64_t start, uint64_t end)
{
    if (o->type == NdkObjectTypeQp) {
        const struct verify_qp *q = (const struct verify_qp *)o;
        uint32_t named = token != 0 ? token : q->pd->privileged;

        return verify_queue_uses(&q->initiator, VERIFY_OP_COUNT, named, start, end) ||
               (q->srq == NULL &&
                   verify_queue_uses(&q->receive, VERIFY_OP_COUNT, named, start, end));
    }
    if (o->type == NdkObjectTypeSrq) {
        const struct verify_srq *s = (const struct verify_srq *)o;

        return verify_queue_uses(
            &s->queue, VERIFY_OP_COUNT, token != 0 ? token : s->pd->privileged, start, end);
    }
    return false;
}

void verify_memory_in_use(
    struct verify_obj *o, uint32_t token, uint64_t start, uint64_t end, const char *call)
{
    struct verify_adapter *a = o->adapter;
    struct verify_obj *user = NULL;
    bool is_flushed;

    sn_lock_take(&a->lock);
    for (struct sn_list *n = a->objects.next; n != &a->objects && user == NULL; n = n->next) {
        struct verify_obj *p = SN_CONTAINER_OF(n, struct verify_obj, link);

        if (is_using(p, token, start, end)) {
            verify_obj_get(p);
            user = p;
        }
    }
    sn_lock_drop(&a->lock);
    if (user == NULL)
        return;
    is_flushed = user->type == NdkObjectTypeQp &&
                 sn_a32_load_acquire(&((struct verify_qp *)user)->is_flushed) != 0;
    verify_report(is_flushed ? VERIFY_C10 : VERIFY_P12, o, user, call,
        "a request on the %s that uses the memory has not completed", verify_type_name(user->type));
    verify_obj_put(user);
}

void verify_invalidated(struct verify_adapter *a, uint32_t token, bool is_told_plainly)
{
    struct verify_token *t;

    sn_lock_take(&a->lock);
    t = verify_token_find(a, token);
    if (t != NULL && t->is_valid && t->o->type == NdkObjectTypeMr &&
        ((struct verify_mr *)t->o)->is_fast) {
        struct verify_mr *m = (struct verify_mr *)t->o;

        m->state = VERIFY_MR_READY;
        t->is_uncertain = false;
        m->was_told_plainly = is_told_plainly;
        t->is_valid = false;
    } else if (t != NULL && t->is_valid && t->o->type == NdkObjectTypeMw) {
        struct verify_mw *w = (struct verify_mw *)t->o;

        w->was_told_plainly = is_told_plainly;
        t->is_valid = false;
    }
    sn_lock_drop(&a->lock);
    verify_memory_changed(a);
}

void verify_wr_uncertain(struct verify_qp *q, const struct verify_wr *wr)
{
    struct verify_adapter *a = q->o.adapter;
    struct verify_token *t;

    if (!wr->invalidates && wr->op != VERIFY_BIND && wr->op != VERIFY_FAST_REGISTER &&
        wr->op != VERIFY_INVALIDATE)
        return;
    sn_lock_take(&a->lock);
    t = verify_token_find(a, (uint32_t)sn_a64_load_relaxed(&wr->pieces[0].what));
    if (t != NULL)
        t->is_uncertain = true;
    sn_lock_drop(&a->lock);
}
