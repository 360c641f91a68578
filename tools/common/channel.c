/* SPDX-License-Identifier: MIT */
#include "common/channel.h"

#include <stdio.h>
#include <string.h>

#include "common/tool.h"

enum {
    PIECE_MAX = 16 << 20,       /* octets of one read or write */
    INTERRUPTED_PATIENCE_S = 2, /* to finish what was begun */
};

/* Receives carry their slot as context, initiator requests this. */
static uint8_t initiator_context;

static NDK_SGE slot_sge(const struct channel *c, unsigned slot, size_t n)
{
    return ndk_memory_sge(&c->slots, slot * c->slot_size, n);
}

NTSTATUS channel_open(struct ndk_host *h, struct channel *c, size_t slot_size,
    unsigned receive_count, unsigned send_count)
{
    struct ndk_link_options options = {
        .receive_depth = receive_count, .initiator_depth = CHANNEL_REQUESTS_MAX};
    NTSTATUS status;

    memset(c, 0, sizeof *c);
    c->host = h;
    c->slot_size = slot_size;
    c->receive_count = receive_count;
    c->send_count = send_count;
    status = ndk_memory_open(
        h, &c->slots, slot_size * (receive_count + send_count), NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
    if (NT_SUCCESS(status))
        status = ndk_cq_open(h, receive_count + CHANNEL_REQUESTS_MAX, &c->cq);
    options.cq = c->cq;
    if (NT_SUCCESS(status))
        status = ndk_link_open(h, &c->link, &options);
    for (unsigned i = 0; NT_SUCCESS(status) && i < receive_count; i++) {
        NDK_SGE sge = slot_sge(c, i, slot_size);

        status = c->link.qp->Dispatch->NdkReceive(
            c->link.qp, (PVOID)(c->slots.p + i * slot_size), &sge, 1);
    }
    return status;
}

void channel_close(struct channel *c)
{
    if (c->host == NULL)
        return;
    ndk_link_disconnect(&c->link);
    ndk_link_close(&c->link);
    if (c->cq != NULL)
        ndk_close(&c->cq->Header);
    ndk_memory_close(&c->slots);
    memset(c, 0, sizeof *c);
}

static void take_result(struct channel *c, const NDK_RESULT_EX *result)
{
    bool is_receive = result->RequestContext != &initiator_context;

    if (!is_receive)
        c->completed++;
    if (!NT_SUCCESS(result->Status)) {
        /* What is flushed says less than what went wrong first. */
        if (c->status == STATUS_SUCCESS || c->status == STATUS_CANCELLED)
            c->status = result->Status;
        return;
    }
    if (is_receive) {
        unsigned at = (c->arrived_first + c->arrived_count++) % CHANNEL_SLOTS_MAX;

        c->arrived[at].slot =
            (unsigned)((size_t)((uint8_t *)result->RequestContext - c->slots.p) / c->slot_size);
        c->arrived[at].length = result->BytesTransferred;
    }
}

/* Takes completions; false if there were none, and then the bell rings for the next. */
static bool take_results(struct channel *c)
{
    NDK_RESULT_EX results[16];
    ULONG n = ndk_cq_take(c->cq, results, 16);

    for (ULONG i = 0; i < n; i++)
        take_result(c, &results[i]);
    return n > 0;
}

/* Nobody here cancels requests, so where that is all, the connection has ended. */
static enum channel_result broken(const struct channel *c)
{
    return c->status == STATUS_CANCELLED ? CHANNEL_ENDED : CHANNEL_BROKEN;
}

struct patience {
    uint64_t deadline_ns;
    bool is_idle, was_interrupted;
};

static struct patience patience_begin(bool is_idle)
{
    return (struct patience){
        .deadline_ns = tool_now_ns() + CHANNEL_PATIENCE_S * 1000000000ull, .is_idle = is_idle};
}

/* One step of waiting: CHANNEL_OK if something came or may come. */
static enum channel_result wait_more(struct channel *c, struct patience *p)
{
    bool is_disconnected = ReadAcquire(&c->link.is_disconnected) != 0;

    /* Completions first: they may have come before the disconnect. */
    if (take_results(c)) {
        p->deadline_ns = patience_begin(false).deadline_ns;
        return CHANNEL_OK;
    }
    if (is_disconnected && c->status == STATUS_SUCCESS)
        return CHANNEL_ENDED;
    if (c->status != STATUS_SUCCESS)
        return broken(c);
    if (tool_is_interrupted()) {
        if (p->is_idle)
            return CHANNEL_INTERRUPTED;
        if (!p->was_interrupted)
            p->deadline_ns = tool_now_ns() + INTERRUPTED_PATIENCE_S * 1000000000ull;
        p->was_interrupted = true;
    }
    if (!p->is_idle && tool_now_ns() > p->deadline_ns)
        return p->was_interrupted ? CHANNEL_INTERRUPTED : CHANNEL_SILENT;
    ndk_host_wait(c->host);
    return CHANNEL_OK;
}

enum channel_result channel_receive(struct channel *c, bool is_idle, unsigned *slot, ULONG *length)
{
    struct patience patience = patience_begin(is_idle);

    while (c->arrived_count == 0) {
        enum channel_result result = wait_more(c, &patience);

        if (result != CHANNEL_OK)
            return result;
    }
    *slot = c->arrived[c->arrived_first].slot;
    *length = c->arrived[c->arrived_first].length;
    c->arrived_first = (c->arrived_first + 1) % CHANNEL_SLOTS_MAX;
    c->arrived_count--;
    return CHANNEL_OK;
}

bool channel_look(struct channel *c)
{
    NDK_RESULT_EX results[16];
    ULONG n = c->cq->Dispatch->NdkGetCqResultsEx(c->cq, results, 16);

    for (ULONG i = 0; i < n; i++)
        take_result(c, &results[i]);
    return c->arrived_count > 0 || c->status != STATUS_SUCCESS ||
           ReadAcquire(&c->link.is_disconnected) != 0;
}

const uint8_t *channel_received(const struct channel *c, unsigned slot)
{
    return c->slots.p + slot * c->slot_size;
}

/* What a post that was refused means. */
static enum channel_result posted(struct channel *c, NTSTATUS status)
{
    if (NT_SUCCESS(status))
        return CHANNEL_OK;
    take_results(c);
    if (c->status == STATUS_SUCCESS)
        c->status = status;
    if (ReadAcquire(&c->link.is_disconnected) != 0 && c->status == STATUS_CONNECTION_INVALID)
        return CHANNEL_ENDED;
    return broken(c);
}

enum channel_result channel_repost(struct channel *c, unsigned slot)
{
    NDK_SGE sge = slot_sge(c, slot, c->slot_size);

    return posted(c, c->link.qp->Dispatch->NdkReceive(
                         c->link.qp, (PVOID)(c->slots.p + slot * c->slot_size), &sge, 1));
}

/* Until the initiator request of that number (from 1) has completed. */
static enum channel_result wait_completed(struct channel *c, uint64_t number)
{
    struct patience patience = patience_begin(false);

    while (c->completed < number) {
        enum channel_result result = wait_more(c, &patience);

        if (result != CHANNEL_OK)
            return result;
    }
    return c->status == STATUS_SUCCESS ? CHANNEL_OK : broken(c);
}

static enum channel_result wait_room(struct channel *c)
{
    if (c->posted - c->completed < CHANNEL_REQUESTS_MAX)
        return CHANNEL_OK;
    return wait_completed(c, c->posted + 1 - CHANNEL_REQUESTS_MAX);
}

enum channel_result channel_drain(struct channel *c)
{
    return wait_completed(c, c->posted);
}

enum channel_result channel_send_slot(struct channel *c, unsigned *slot, uint8_t **p)
{
    unsigned oldest = 0;
    enum channel_result result;

    for (unsigned i = 1; i < c->send_count; i++) {
        if (c->slot_in_use[i] < c->slot_in_use[oldest])
            oldest = i;
    }
    result = wait_completed(c, c->slot_in_use[oldest]);
    if (result != CHANNEL_OK)
        return result;
    *slot = oldest;
    *p = c->slots.p + (c->receive_count + oldest) * c->slot_size;
    return CHANNEL_OK;
}

enum channel_result channel_send(struct channel *c, unsigned slot, size_t n)
{
    NDK_SGE sge = slot_sge(c, c->receive_count + slot, n);
    enum channel_result result = wait_room(c);

    if (result == CHANNEL_OK)
        result =
            posted(c, c->link.qp->Dispatch->NdkSend(c->link.qp, &initiator_context, &sge, 1, 0));
    if (result == CHANNEL_OK)
        c->slot_in_use[slot] = ++c->posted;
    return result;
}

static enum channel_result move(struct channel *c, struct ndk_memory *m, uint64_t address,
    uint32_t token, size_t n, bool is_read)
{
    const NDK_QP_DISPATCH *d = c->link.qp->Dispatch;
    size_t piece_max = PIECE_MAX;

    if (piece_max > c->host->info.MaxTransferLength)
        piece_max = c->host->info.MaxTransferLength;
    for (size_t at = 0; at < n;) {
        size_t piece = n - at < piece_max ? n - at : piece_max;
        NDK_SGE sge = ndk_memory_sge(m, at, piece);
        enum channel_result result = wait_room(c);

        if (result == CHANNEL_OK)
            result = posted(c,
                is_read
                    ? d->NdkRead(c->link.qp, &initiator_context, &sge, 1, address + at, token, 0)
                    : d->NdkWrite(c->link.qp, &initiator_context, &sge, 1, address + at, token, 0));
        if (result != CHANNEL_OK)
            return result;
        c->posted++;
        at += piece;
    }
    return channel_drain(c);
}

enum channel_result channel_read(
    struct channel *c, struct ndk_memory *m, uint64_t from, uint32_t token, size_t n)
{
    return move(c, m, from, token, n, true);
}

enum channel_result channel_write(
    struct channel *c, struct ndk_memory *m, uint64_t to, uint32_t token, size_t n)
{
    return move(c, m, to, token, n, false);
}

const char *channel_words(const struct channel *c, enum channel_result result)
{
    switch (result) {
    case CHANNEL_ENDED:
        return "the peer ended the connection";
    case CHANNEL_INTERRUPTED:
        return "interrupted";
    case CHANNEL_SILENT:
        return "the peer was silent for too long";
    case CHANNEL_BROKEN:
        return SoftNdkStatusName(c->status);
    case CHANNEL_OK:
        break;
    }
    return "nothing is wrong";
}
