/* SPDX-License-Identifier: MIT */
#include "verify/work.h"

#include <string.h>

#include "base/alloc.h"
#include "base/crc32c.h"

enum { SLACK = 16 };

bool verify_queue_init(struct verify_queue *q, ULONG depth, ULONG sge_max, bool is_shared)
{
    uint32_t size = 1;

    memset(q, 0, sizeof *q);
    while (size < depth + SLACK)
        size *= 2;
    q->depth = depth;
    q->is_shared = is_shared;
    q->size = size;
    q->pieces = sge_max > 0 ? sge_max : 1;
    q->stride = sizeof(struct verify_wr) + q->pieces * sizeof(struct verify_piece);
    q->records = sn_zalloc_array(size, q->stride);
    return q->records != NULL;
}

void verify_queue_fini(struct verify_queue *q)
{
    sn_free(q->records);
    q->records = NULL;
}

static struct verify_wr *record(const struct verify_queue *q, uint64_t index)
{
    return (struct verify_wr *)(void *)(q->records + (index & (q->size - 1)) * q->stride);
}

static void fill(const struct verify_queue *q, struct verify_wr *wr, PVOID context,
    const NDK_SGE *sgl, ULONG count)
{
    uint32_t n = count < q->pieces ? count : q->pieces;

    wr->context = context;
    wr->is_silent = false;
    wr->has_sum = false;
    wr->invalidates = false;
    for (uint32_t i = 0; i < n; i++) {
        sn_a64_store_relaxed(&wr->pieces[i].start, (uint64_t)(uintptr_t)sgl[i].VirtualAddress);
        sn_a64_store_relaxed(
            &wr->pieces[i].what, (uint64_t)sgl[i].Length << 32 | sgl[i].MemoryRegionToken);
    }
    sn_a32_store_relaxed(&wr->count, n);
}

/* The record for the next request; NULL: all are taken. */
static struct verify_wr *free_record(const struct verify_queue *q, uint64_t index)
{
    if (!q->is_shared)
        return index - sn_a64_load_acquire(&q->collected) < q->size ? record(q, index) : NULL;
    for (uint32_t tried = 0; tried < q->size; tried++) {
        struct verify_wr *wr = record(q, index + tried);

        if (sn_a32_load_acquire(&wr->busy) == 0)
            return wr;
    }
    return NULL;
}

struct verify_wr *verify_queue_push(
    struct verify_queue *q, enum verify_op op, PVOID context, const NDK_SGE *sgl, ULONG count)
{
    uint64_t index = sn_a64_load_relaxed(&q->posted);
    struct verify_wr *wr = free_record(q, index);

    if (SN_UNLIKELY(wr == NULL))
        return NULL;
    wr->index = index;
    wr->op = (uint8_t)op;
    fill(q, wr, context, sgl, count);
    if (q->is_shared)
        sn_a32_store_release(&wr->busy, 1);
    sn_a64_store_release(&q->posted, index + 1);
    return wr;
}

void verify_queue_unpush(struct verify_queue *q, struct verify_wr *wr)
{
    if (q->is_shared)
        sn_a32_store_release(&wr->busy, 0);
    sn_a64_store_release(&q->posted, wr->index);
}

void verify_queue_collect(struct verify_queue *q, struct verify_wr *wr,
    void (*skipped)(void *ctx, struct verify_wr *wr), void *ctx)
{
    uint64_t collected = sn_a64_load_relaxed(&q->collected);

    if (q->is_shared) {
        sn_a32_store_release(&wr->busy, 0);
        sn_a64_fetch_add(&q->collected, 1);
        return;
    }
    if (SN_UNLIKELY(wr->index + 1 <= collected))
        return;
    for (; skipped != NULL && collected < wr->index; collected++)
        skipped(ctx, record(q, collected));
    sn_a64_store_release(&q->collected, wr->index + 1);
}

void verify_queue_drop(
    struct verify_queue *q, void (*dropped)(void *ctx, struct verify_wr *wr), void *ctx)
{
    uint64_t posted = sn_a64_load_acquire(&q->posted);

    for (uint64_t i = sn_a64_load_acquire(&q->collected); !q->is_shared && i < posted; i++)
        if (dropped != NULL)
            dropped(ctx, record(q, i));
    sn_a64_store_release(&q->collected, posted);
}

static bool piece_is(const struct verify_piece *p, uint32_t token, uint64_t start, uint64_t end)
{
    uint64_t at = sn_a64_load_relaxed(&p->start), what = sn_a64_load_relaxed(&p->what);
    uint64_t length = what >> 32;

    if (length == 0 || (uint32_t)what != token)
        return false;
    return start == end || (at < end && at + length > start);
}

static bool record_is(const struct verify_wr *wr, uint32_t token, uint64_t start, uint64_t end)
{
    uint32_t count = sn_a32_load_relaxed(&wr->count);

    for (uint32_t i = 0; i < count; i++) {
        if (piece_is(&wr->pieces[i], token, start, end))
            return true;
    }
    return false;
}

static bool shared_queue_uses(
    const struct verify_queue *q, uint32_t token, uint64_t start, uint64_t end)
{
    for (uint32_t i = 0; i < q->size; i++) {
        const struct verify_wr *wr = record(q, i);

        if (sn_a32_load_acquire(&wr->busy) != 0 && record_is(wr, token, start, end))
            return true;
    }
    return false;
}

bool verify_queue_uses(
    const struct verify_queue *q, enum verify_op op, uint32_t token, uint64_t start, uint64_t end)
{
    uint64_t posted = sn_a64_load_acquire(&q->posted);
    uint64_t index = sn_a64_load_acquire(&q->collected);

    if (q->is_shared)
        return shared_queue_uses(q, token, start, end);
    for (; index < posted; index++) {
        const struct verify_wr *wr = record(q, index);

        if ((op == VERIFY_OP_COUNT || wr->op == op) && record_is(wr, token, start, end) &&
            index >= sn_a64_load_acquire(&q->collected)) /* still the same request */
            return true;
    }
    return false;
}

uint32_t verify_wr_sum(const struct verify_wr *wr)
{
    uint32_t crc = SN_CRC32C_INIT, count = sn_a32_load_relaxed(&wr->count);

    for (uint32_t i = 0; i < count; i++)
        crc = sn_crc32c_add(crc, (const void *)(uintptr_t)sn_a64_load_relaxed(&wr->pieces[i].start),
            sn_a64_load_relaxed(&wr->pieces[i].what) >> 32);
    return crc;
}
