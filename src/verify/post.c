/* SPDX-License-Identifier: MIT */
#include "verify/post.h"

#include "ndk/flags.h"

_Static_assert((int)VERIFY_SEND == NDK_WR_SEND && (int)VERIFY_INVALIDATE == NDK_WR_INVALIDATE &&
                   (int)VERIFY_READ == NDK_WR_READ && (int)VERIFY_BIND == NDK_WR_BIND,
    "one order of requests");

/* Requests that need no connection to make sense of, but need one. */
static bool is_about_memory(enum verify_op op)
{
    return op == VERIFY_BIND || op == VERIFY_FAST_REGISTER || op == VERIFY_INVALIDATE;
}

static void not_connected(struct verify_post *p, enum verify_link link)
{
    verify_report(is_about_memory(p->op) ? VERIFY_W17 : VERIFY_W6, &p->q->o, NULL, p->call, "%s",
        link == VERIFY_LINK_NONE         ? "the QP was not given to a connector"
        : link == VERIFY_LINK_CONNECTING ? "connecting the QP has not completed"
                                         : "the QP was disconnected");
}

bool verify_post_begin(struct verify_post *p)
{
    struct verify_qp *q = p->q;
    enum verify_link link;
    uint32_t other;

    p->refusal = STATUS_INVALID_DEVICE_STATE;
    p->wr = NULL;
    if (!verify_usable(&q->o, p->call))
        return false;
    p->refusal = STATUS_SUCCESS; /* we are inside */
    other = verify_domain_enter(&q->initiator.domain);
    if (SN_UNLIKELY(other != 0))
        verify_report(VERIFY_T2, &q->o, NULL, p->call,
            "thread %u is posting on the QP at the same time", other);
    if (SN_UNLIKELY(!ndk_flags_are_known((enum ndk_wr)p->op, p->flags)))
        verify_report(VERIFY_W8, &q->o, NULL, p->call, "the flags are 0x%x, of which it knows 0x%x",
            p->flags, p->flags & ndk_wr_flags[p->op]);
    link = (enum verify_link)sn_a32_load_acquire(&q->link);
    if (SN_UNLIKELY(link != VERIFY_LINK_CONNECTED))
        not_connected(p, link);
    return true;
}

static uint64_t length_of(const NDK_SGE *sgl, ULONG count)
{
    uint64_t sum = 0;

    for (ULONG i = 0; i < count; i++)
        sum += sgl[i].Length;
    return sum;
}

static void check_inline(struct verify_post *p, const NDK_SGE *sgl, ULONG count, uint64_t length)
{
    if (length > p->q->inline_max)
        verify_report(VERIFY_W5, &p->q->o, NULL, p->call,
            "%llu octets inline; the QP was created for %u", (unsigned long long)length,
            p->q->inline_max);
    for (ULONG i = 0; i < count; i++) {
        if (sgl[i].Length != 0 && (uintptr_t)sgl[i].VirtualAddress < PAGE_SIZE)
            verify_report(VERIFY_W16, &p->q->o, NULL, p->call, "SGE %u has the address %p", i,
                sgl[i].VirtualAddress);
    }
}

/* N-W20: memory that an outstanding read is still going to fill. */
static void check_fence(struct verify_post *p, const NDK_SGE *sgl, ULONG count)
{
    if (!p->q->o.adapter->settings.risky || (p->flags & NDK_OP_FLAG_READ_FENCE) != 0 ||
        p->op == VERIFY_READ)
        return;
    for (ULONG i = 0; i < count; i++) {
        uint64_t start = (uint64_t)(uintptr_t)sgl[i].VirtualAddress;

        if (sgl[i].Length != 0 && verify_queue_uses(&p->q->initiator, VERIFY_READ,
                                      sgl[i].MemoryRegionToken, start, start + sgl[i].Length))
            verify_report(VERIFY_W20, &p->q->o, NULL, p->call,
                "SGE %u names memory that an outstanding read fills", i);
    }
}

void verify_post_sgl(
    struct verify_post *p, const NDK_SGE *sgl, ULONG count, ULONG count_max, uint32_t needs)
{
    struct verify_qp *q = p->q;
    uint64_t length;

    if (sgl == NULL)
        return;
    length = length_of(sgl, count);
    if ((p->flags & NDK_OP_FLAG_INLINE) != 0) {
        check_inline(p, sgl, count, length);
        return;
    }
    if (SN_UNLIKELY(count > count_max))
        verify_report(VERIFY_W4, &q->o, NULL, p->call, "%u SGEs, of at most %u", count, count_max);
    if (SN_UNLIKELY(length > q->o.adapter->info.MaxTransferLength))
        verify_report(VERIFY_W5, &q->o, NULL, p->call, "%llu octets; MaxTransferLength is %u",
            (unsigned long long)length, q->o.adapter->info.MaxTransferLength);
    check_fence(p, sgl, count);
    verify_sgl(&(struct verify_sgl_check){&q->o, &q->pd->o, q->pd->privileged, q->initiator.found,
                   p->call, needs},
        sgl, count);
}

/* ---- room ---- */

/* N-W21 */
static void count_silent(struct verify_post *p)
{
    struct verify_qp *q = p->q;

    if ((p->flags & NDK_OP_FLAG_SILENT_SUCCESS) == 0)
        q->silent_run = 0;
    else if (++q->silent_run == q->initiator.depth)
        verify_report(
            VERIFY_W21, &q->o, NULL, p->call, "%u requests in a row were silent", q->silent_run);
}

/* For N-W15: what is going to be sent, where an SGE's address is that of the memory. */
static void take_sum(struct verify_post *p, const NDK_SGE *sgl, ULONG count)
{
    struct verify_qp *q = p->q;

    if (p->wr->is_silent || is_about_memory(p->op) || p->op == VERIFY_READ || sgl == NULL ||
        count > q->sge_max || !verify_sgl_is_memory(q->o.adapter, q->pd->privileged, sgl, count))
        return;
    p->wr->has_sum = true;
    p->wr->sum = verify_wr_sum(p->wr);
}

bool verify_post_record(struct verify_post *p, PVOID context, const NDK_SGE *sgl, ULONG count)
{
    struct verify_qp *q = p->q;
    uint64_t before = verify_outstanding(&q->initiator);
    bool is_inline = (p->flags & NDK_OP_FLAG_INLINE) != 0;

    if (SN_UNLIKELY(before >= q->initiator.depth))
        verify_report(VERIFY_W1, &q->o, NULL, p->call,
            "%llu requests are outstanding on a queue of %u", (unsigned long long)before,
            q->initiator.depth);
    verify_overrun(&q->o, q->initiator_cq, p->call);
    p->wr =
        verify_queue_push(&q->initiator, p->op, context, sgl, is_inline || sgl == NULL ? 0 : count);
    if (SN_UNLIKELY(p->wr == NULL)) {
        p->refusal = STATUS_INSUFFICIENT_RESOURCES;
        verify_domain_leave(&q->initiator.domain);
        return false;
    }
    p->wr->is_silent = (p->flags & NDK_OP_FLAG_SILENT_SUCCESS) != 0;
    if (SN_UNLIKELY(q->o.adapter->settings.buffers) && !is_inline)
        take_sum(p, sgl, count);
    count_silent(p);
    return true;
}

NTSTATUS verify_post_refused(struct verify_post *p)
{
    return p->refusal;
}

NTSTATUS verify_post_end(struct verify_post *p, NTSTATUS status)
{
    struct verify_qp *q = p->q;

    if (SN_UNLIKELY(status != STATUS_SUCCESS))
        verify_queue_unpush(&q->initiator, p->wr);
    /* A refused request without DEFER starts what was deferred, too. */
    sn_a32_store_release(&q->is_deferring, (p->flags & NDK_OP_FLAG_DEFER) != 0);
    verify_domain_leave(&q->initiator.domain);
    return status;
}

/* All that may still complete on the CQ. The adapter's lock is held. */
static uint64_t load_of(struct verify_adapter *a, const struct verify_cq *cq)
{
    uint64_t sum = 0;

    for (struct sn_list *n = a->objects.next; n != &a->objects; n = n->next) {
        struct verify_obj *o = SN_CONTAINER_OF(n, struct verify_obj, link);
        const struct verify_qp *q = (const struct verify_qp *)o;

        if (o->type != NdkObjectTypeQp)
            continue;
        sum += q->initiator_cq == cq ? verify_outstanding(&q->initiator) : 0;
        sum += q->receive_cq == cq && q->srq == NULL ? verify_outstanding(&q->receive) : 0;
    }
    return sum;
}

void verify_overrun_slow(struct verify_obj *o, struct verify_cq *cq, const char *call)
{
    struct verify_adapter *a = o->adapter;
    uint64_t load;

    sn_lock_take(&a->lock);
    load = load_of(a, cq);
    sn_lock_drop(&a->lock);
    if (load >= sn_a32_load_relaxed(&cq->depth))
        verify_report(VERIFY_W3, o, &cq->o, call,
            "%llu requests may complete already on a CQ of %u", (unsigned long long)load,
            sn_a32_load_relaxed(&cq->depth));
}

/* ---- receives ---- */

bool verify_receive_begin(struct verify_receive *r, PVOID context, const NDK_SGE *sgl, ULONG count)
{
    uint32_t other = verify_domain_enter(&r->queue->domain);
    uint64_t before = verify_outstanding(r->queue);

    if (SN_UNLIKELY(other != 0))
        verify_report(VERIFY_T3, r->o, NULL, r->call,
            "thread %u is posting on the %s at the same time", other, verify_type_name(r->o->type));
    if (SN_UNLIKELY(before >= r->depth))
        verify_report(VERIFY_W2, r->o, NULL, r->call,
            "%llu receives are outstanding on a queue of %u", (unsigned long long)before, r->depth);
    if (SN_UNLIKELY(count > r->sge_max))
        verify_report(VERIFY_W4, r->o, NULL, r->call, "%u SGEs, of at most %u", count, r->sge_max);
    if (sgl != NULL)
        verify_sgl(&(struct verify_sgl_check){r->o, &r->pd->o, r->pd->privileged, r->queue->found,
                       r->call, VERIFY_LOCAL_WRITE},
            sgl, count);
    r->wr = verify_queue_push(r->queue, VERIFY_RECEIVE, context, sgl, sgl != NULL ? count : 0);
    if (SN_UNLIKELY(r->wr == NULL))
        verify_domain_leave(&r->queue->domain);
    return r->wr != NULL;
}

void verify_receive_end(struct verify_receive *r, NTSTATUS status)
{
    if (SN_UNLIKELY(status != STATUS_SUCCESS))
        verify_queue_unpush(r->queue, r->wr);
    verify_domain_leave(&r->queue->domain);
}
