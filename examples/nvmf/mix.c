/* SPDX-License-Identifier: MIT */
#include "work.h"

#include <stdio.h>
#include <stdlib.h>

enum { CHUNKS_PER_REQUEST_MAX = 256, UNITS_PER_S = 10000000 };

/* Each request has chunks of its own, so that no two commands in flight meet at one. */
struct mix {
    struct controller *c;
    ULONG block, blocks_per_chunk, chunks; /* per request */
    uint32_t *generations;                 /* by chunk; 0: not written yet */
    uint64_t random;
    uint64_t reads, writes, octets_read, octets_written, wrong;
    ULONGLONG slowest, sum; /* of commands, in units of 100 ns */
    ULONGLONG *began;       /* by request */
};

static uint32_t draw(struct mix *m)
{
    m->random = m->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(m->random >> 33);
}

/* Also says in r->note which chunk it is, and whether it is read (lowest bit). */
static bool submit(struct mix *m, struct request *r, const struct work *w)
{
    uint64_t chunk = (uint64_t)r->cid * m->chunks + draw(m) % m->chunks;
    bool is_read = m->generations[chunk] != 0 && draw(m) % 100 < w->reads;
    uint64_t lba = chunk * m->blocks_per_chunk;
    struct nvme_command command =
        controller_io(m->c, is_read ? NVME_READ : NVME_WRITE, lba, m->blocks_per_chunk);
    enum transfer way = is_read ? TRANSFER_FROM_TARGET : TRANSFER_TO_TARGET;

    r->note = chunk << 1 | is_read;
    if (!is_read) {
        pattern_fill(r->data.p, m->block, lba * m->c->block_length, ++m->generations[chunk]);
        /* Writes that fit take the short way now and then. */
        if (m->block <= m->c->in_capsule_max && m->block <= (LINK_SGE_MAX - 2) * PAGE_SIZE &&
            draw(m) % 2 == 0)
            way = TRANSFER_IN_CAPSULE;
    }
    m->began[r->cid] = KeQueryInterruptTime();
    return queue_submit(r, &command, way, 0, m->block);
}

static bool finish(struct mix *m, struct request *r)
{
    uint64_t chunk = r->note >> 1, position = chunk * m->block;
    ULONGLONG took = KeQueryInterruptTime() - m->began[r->cid];

    m->sum += took;
    m->slowest = took > m->slowest ? took : m->slowest;
    if (r->status != 0)
        return fail("mix: status 0x%03x, %s", r->status, nvme_status_text(r->status));
    if ((r->note & 1) == 0) {
        m->writes++;
        m->octets_written += m->block;
        return true;
    }
    m->reads++;
    m->octets_read += m->block;
    if (pattern_check(r->data.p, m->block, position, m->generations[chunk]) != m->block)
        return fail("mix: a read at octet %llu gave wrong data", (unsigned long long)position);
    return true;
}

static bool pump(struct mix *m, const struct work *w, ULONGLONG end)
{
    struct queue *q = &m->c->io;
    ULONG outstanding = 0;

    for (;;) {
        bool is_time_over = KeQueryInterruptTime() >= end;
        struct request *r;

        while (!is_time_over && (r = queue_get(q)) != NULL) {
            if (!submit(m, r, w))
                return fail_queue(q, "mix");
            outstanding++;
        }
        if (outstanding == 0)
            return true;
        r = queue_next(q);
        if (r == NULL)
            return fail_queue(q, "mix");
        outstanding--;
        queue_put(r);
        if (!finish(m, r))
            return false;
    }
}

static void print(const struct mix *m, double seconds)
{
    uint64_t count = m->reads + m->writes;

    printf("mix: %.1f s, %llu reads and %llu writes of %u octets, %u at a time: %.0f IOPS, "
           "%.2f MB/s read, %.2f MB/s written; %.2f ms on average, %.1f ms at most; every octet "
           "right\n",
        seconds, (unsigned long long)m->reads, (unsigned long long)m->writes, (unsigned)m->block,
        m->c->io.commands, (double)count / seconds, (double)m->octets_read / seconds / 1e6,
        (double)m->octets_written / seconds / 1e6,
        count == 0 ? 0.0 : (double)m->sum / (double)count / 1e4, (double)m->slowest / 1e4);
}

bool run_mix(struct controller *c, const struct work *w)
{
    ULONG requests = c->io.commands;
    ULONG blocks = w->block / c->block_length;
    uint64_t chunks;
    struct mix m = {.c = c, .block = w->block, .blocks_per_chunk = blocks, .random = 1};
    ULONGLONG began;
    bool is_right = false;

    if (blocks == 0 || w->block % c->block_length != 0 || w->block > c->options.data_max)
        return fail("mix: a transfer of %u octets: it must be a multiple of %u, at most %u",
            (unsigned)w->block, (unsigned)c->block_length, (unsigned)c->options.data_max);
    chunks = w->span / blocks / requests;
    if (chunks == 0)
        return fail("mix: the span has no room for %u transfers at a time", (unsigned)requests);
    m.chunks = chunks < CHUNKS_PER_REQUEST_MAX ? (ULONG)chunks : CHUNKS_PER_REQUEST_MAX;
    m.generations = calloc((size_t)m.chunks * requests, sizeof *m.generations);
    m.began = calloc(requests, sizeof *m.began);
    if (m.generations != NULL && m.began != NULL) {
        printf("mix: begins\n");
        began = KeQueryInterruptTime();
        is_right = pump(&m, w, began + (ULONGLONG)w->seconds * UNITS_PER_S);
        if (is_right)
            print(&m, (double)(KeQueryInterruptTime() - began) / UNITS_PER_S);
    } else {
        fail("mix: memory is short");
    }
    free(m.began);
    free(m.generations);
    return is_right;
}
