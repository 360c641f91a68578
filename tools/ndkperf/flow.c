/* SPDX-License-Identifier: MIT */
#include "ndkperf/flow.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "common/tool.h"

enum {
    CLIENT_RECEIVES = 32,
    SERVER_RECEIVES_MIN = 1024,
    YIELD_EVERY = 1024,           /* empty polls: the peer may want this processor */
    LOOK_EVERY = 4 * YIELD_EVERY, /* between looks at what else may have happened */
    PATIENCE_S = 30,
};

/* Context of an initiator request: its number and this bit; of a receive: 0. */
enum { INITIATOR_BIT = 1 };

/* ---- Depths ---- */

/* Receives that a side which takes data posts for each link: what credits count. */
static uint32_t data_receives(uint32_t depth)
{
    uint32_t n = 2 * depth;

    if (n < SERVER_RECEIVES_MIN)
        n = SERVER_RECEIVES_MIN;
    return (n + 3) / 4 * 4;
}

static uint32_t advertised_by(const struct perf_session *s, bool is_server)
{
    return is_server || s->is_bidirectional ? data_receives(s->depth) : CLIENT_RECEIVES;
}

static void plan_depths(struct flow *f, const struct perf_session *s, bool is_server)
{
    if (s->is_conn) {
        f->receive_depth = 1;
        f->initiator_depth = s->depth;
        return;
    }
    f->advertised = advertised_by(s, is_server);
    f->peer_advertised = advertised_by(s, !is_server);
    /* Credits and ends come beside the data when both sides send. */
    f->receive_depth = f->advertised + (s->is_bidirectional ? FLOW_SPARE : 0);
    f->initiator_depth = s->depth + FLOW_SPARE;
    if (f->initiator_depth < 4 * FLOW_SIGNAL_EVERY)
        f->initiator_depth = 4 * FLOW_SIGNAL_EVERY;
}

/* ---- Life ---- */

bool flow_open(struct ndk_host *h, struct flow *f, const struct perf_session *s, uint32_t thread,
    bool is_server)
{
    uint64_t cq_depth;
    NTSTATUS status;

    memset(f, 0, sizeof *f);
    f->host = *h;
    KeInitializeEvent(&f->host.bell, SynchronizationEvent, FALSE);
    f->count = s->qps / s->threads + (thread < s->qps % s->threads);
    f->stride = s->size;
    f->sges = s->sges;
    f->is_event = s->is_event;
    plan_depths(f, s, is_server);
    f->links = calloc(f->count, sizeof *f->links);
    cq_depth = (uint64_t)f->count * (f->receive_depth + f->initiator_depth);
    if (f->links == NULL || s->size * s->qps > PERF_MEMORY_MAX || cq_depth > h->info.MaxCqDepth ||
        s->sges > h->info.MaxInitiatorRequestSge) {
        tool_fail(TOOL_FAILED,
            "%u queue pairs of depth %u with %llu octets each, in %u pieces, are more than the "
            "adapter or the limit of 2 GiB allow",
            (unsigned)s->qps, (unsigned)s->depth, (unsigned long long)s->size, (unsigned)s->sges);
        flow_close(f);
        return false;
    }
    status = ndk_memory_open(&f->host, &f->memory, s->size * f->count,
        NDK_MR_FLAG_ALLOW_REMOTE_READ | NDK_MR_FLAG_ALLOW_REMOTE_WRITE);
    if (NT_SUCCESS(status))
        status = ndk_cq_open(&f->host, (ULONG)cq_depth, &f->cq);
    if (!NT_SUCCESS(status)) {
        tool_fail(TOOL_FAILED, "no memory for the session: %s", SoftNdkStatusName(status));
        flow_close(f);
        return false;
    }
    return true;
}

struct flow_link *flow_add(struct flow *f, uint32_t i)
{
    struct flow_link *l = &f->links[i];
    struct ndk_link_options options = {.cq = f->cq,
        .context = l,
        .receive_depth = f->receive_depth,
        .initiator_depth = f->initiator_depth,
        .initiator_sges = f->sges};
    NTSTATUS status = ndk_link_open(&f->host, &l->link, &options);

    if (!NT_SUCCESS(status)) {
        tool_fail(TOOL_FAILED, "cannot make a queue pair: %s", SoftNdkStatusName(status));
        return NULL;
    }
    l->sgl[0] = ndk_memory_sge(&f->memory, i * f->stride, f->stride);
    l->own.address = ndk_memory_address(&f->memory, i * f->stride);
    l->own.token = f->memory.remote;
    l->to_repost = f->receive_depth;
    if (!flow_repost(f, l)) {
        tool_fail(TOOL_FAILED, "cannot post receives: %s", SoftNdkStatusName(f->status));
        return NULL;
    }
    return l;
}

void flow_close(struct flow *f)
{
    for (uint32_t i = 0; f->links != NULL && i < f->count; i++)
        ndk_link_disconnect(&f->links[i].link);
    for (uint32_t i = 0; f->links != NULL && i < f->count; i++)
        ndk_link_close(&f->links[i].link);
    if (f->cq != NULL)
        ndk_close(&f->cq->Header);
    ndk_memory_close(&f->memory);
    free(f->links);
    memset(f, 0, sizeof *f);
}

/* A request of that size in f->sges pieces, which differ by an octet at most. */
static void split(const struct flow *f, struct flow_link *l, uint64_t size)
{
    uint8_t *at = (uint8_t *)l->sgl[0].VirtualAddress;

    for (uint32_t i = 0; i < f->sges; i++) {
        ULONG n = (ULONG)(size / f->sges + (i < size % f->sges));

        l->sgl[i] = l->sgl[0];
        l->sgl[i].VirtualAddress = at;
        l->sgl[i].Length = n;
        at += n;
    }
}

void flow_begin(struct flow *f, uint64_t size)
{
    f->size = size;
    for (uint32_t i = 0; i < f->count; i++) {
        struct flow_link *l = &f->links[i];

        split(f, l, size);
        l->credits = f->peer_advertised;
        l->consumed = 0;
        l->todo = 0;
        l->is_answered = false;
    }
}

/* ---- Requests ---- */

static bool posted(struct flow *f, struct flow_link *l, NTSTATUS status)
{
    if (__builtin_expect(NT_SUCCESS(status), 1)) {
        l->posted++;
        return true;
    }
    if (f->status == STATUS_SUCCESS)
        f->status = status;
    return false;
}

static PVOID initiator_context(const struct flow_link *l)
{
    return (PVOID)(uintptr_t)((l->posted + 1) << 1 | INITIATOR_BIT);
}

bool flow_send(struct flow *f, struct flow_link *l, ULONG flags)
{
    return posted(f, l,
        l->link.qp->Dispatch->NdkSend(l->link.qp, initiator_context(l), l->sgl, f->sges, flags));
}

bool flow_tell(struct flow *f, struct flow_link *l, ULONG octets, ULONG flags)
{
    NDK_SGE sge = l->sgl[0];

    sge.Length = octets;
    l->told++;
    return posted(f, l,
        l->link.qp->Dispatch->NdkSend(
            l->link.qp, initiator_context(l), octets > 0 ? &sge : NULL, octets > 0 ? 1 : 0, flags));
}

bool flow_write(struct flow *f, struct flow_link *l, ULONG flags)
{
    return posted(f, l,
        l->link.qp->Dispatch->NdkWrite(l->link.qp, initiator_context(l), l->sgl, f->sges,
            l->peer.address, l->peer.token, flags));
}

bool flow_read(struct flow *f, struct flow_link *l, ULONG flags)
{
    return posted(f, l,
        l->link.qp->Dispatch->NdkRead(l->link.qp, initiator_context(l), l->sgl, f->sges,
            l->peer.address, l->peer.token, flags));
}

bool flow_repost(struct flow *f, struct flow_link *l)
{
    NDK_SGE sge = l->sgl[0];

    sge.Length = (ULONG)f->stride;
    for (; l->to_repost > 0; l->to_repost--) {
        NTSTATUS status = l->link.qp->Dispatch->NdkReceive(l->link.qp, NULL, &sge, 1);

        if (__builtin_expect(!NT_SUCCESS(status), 0)) {
            if (f->status == STATUS_SUCCESS)
                f->status = status;
            return false;
        }
    }
    return true;
}

bool flow_consumed(struct flow *f, struct flow_link *l)
{
    const uint32_t quarter = f->advertised / 4;

    if (++l->consumed < quarter)
        return true;
    l->consumed -= quarter;
    return flow_repost(f, l) && flow_tell(f, l, 0, 0);
}

/* ---- Completions ---- */

uint32_t flow_take(
    struct flow *f, struct flow_received received[FLOW_RESULTS], uint32_t *received_count)
{
    NDK_RESULT results[FLOW_RESULTS];
    ULONG n = f->cq->Dispatch->NdkGetCqResults(f->cq, results, FLOW_RESULTS);
    uint32_t count = 0;

    for (ULONG i = 0; i < n; i++) {
        struct flow_link *l = results[i].QPContext;
        uintptr_t context = (uintptr_t)results[i].RequestContext;

        if (__builtin_expect(results[i].Status != STATUS_SUCCESS, 0)) {
            if (f->status == STATUS_SUCCESS || f->status == STATUS_CANCELLED)
                f->status = results[i].Status;
            continue;
        }
        if ((context & INITIATOR_BIT) != 0) {
            /* The silent ones before it are complete too. */
            l->reclaimed = context >> 1;
        } else {
            l->to_repost++;
            received[count].link = l;
            received[count++].octets = results[i].BytesTransferred;
        }
    }
    *received_count = count;
    return n;
}

static bool is_over(const struct flow *f)
{
    if (f->status != STATUS_SUCCESS || tool_is_interrupted())
        return true;
    for (uint32_t i = 0; i < f->count; i++) {
        if (ReadAcquire(&f->links[i].link.is_disconnected) != 0)
            return true;
    }
    return false;
}

bool flow_wait(struct flow *f, struct flow_quiet *quiet)
{
    uint64_t now;

    if (__builtin_expect(f->status != STATUS_SUCCESS, 0))
        return false;
    if (f->is_event) {
        /* Nothing was there when the caller looked; what came since fires the arm at once. */
        f->cq->Dispatch->NdkArmCq(f->cq, NDK_CQ_NOTIFY_ANY);
        ndk_host_wait(&f->host);
    } else {
        if (++quiet->rounds % YIELD_EVERY == 0)
            sched_yield();
        if (quiet->rounds % LOOK_EVERY != 0)
            return true;
    }
    if (is_over(f))
        return false;
    now = tool_now_ns();
    if (quiet->since_ns == 0)
        quiet->since_ns = now;
    if (now - quiet->since_ns > PATIENCE_S * 1000000000ull) {
        f->status = STATUS_IO_TIMEOUT;
        return false;
    }
    return true;
}

const char *flow_words(const struct flow *f)
{
    if (f->status != STATUS_SUCCESS && f->status != STATUS_CANCELLED)
        return SoftNdkStatusName(f->status);
    if (tool_is_interrupted())
        return "interrupted";
    return "the peer ended the connection";
}
