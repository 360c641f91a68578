/* SPDX-License-Identifier: MIT */
#include "work.h"

#include <stdio.h>
#include <string.h>

enum { GUARD = 0x5a, GUARD_LEN = 64 };

/* ---- Patterns ------------------------------------------------------------------------------ */

/* A mixing of all bits, so that neighbours have nothing in common. */
static uint64_t word_at(uint64_t index, uint32_t generation)
{
    uint64_t x = index + ((uint64_t)generation << 40) + 0x9e3779b97f4a7c15u;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Positions and lengths are multiples of the block length, which is one of 8. */
void pattern_fill(uint8_t *p, size_t length, uint64_t position, uint32_t generation)
{
    for (size_t i = 0; i + 8 <= length; i += 8)
        put_le64(p + i, word_at((position + i) / 8, generation));
}

size_t pattern_check(const uint8_t *p, size_t length, uint64_t position, uint32_t generation)
{
    for (size_t i = 0; i + 8 <= length; i += 8) {
        uint8_t right[8];

        put_le64(right, word_at((position + i) / 8, generation));
        for (size_t k = 0; k < 8; k++) {
            if (p[i + k] != right[k])
                return i + k;
        }
    }
    return length;
}

/* ---- One transfer -------------------------------------------------------------------------- */

static bool transfer(const struct controller *c, struct request *r, enum transfer way, uint64_t lba,
    ULONG at, ULONG length)
{
    bool is_read = way == TRANSFER_FROM_TARGET;
    struct nvme_command command =
        controller_io(c, is_read ? NVME_READ : NVME_WRITE, lba, length / c->block_length);

    if (!queue_execute(r, &command, way, at, length))
        return fail_queue(r->queue, is_read ? "read" : "write");
    if (r->status != 0)
        return fail("%s of %u octets at block %llu: status 0x%03x, %s", is_read ? "read" : "write",
            (unsigned)length, (unsigned long long)lba, r->status, nvme_status_text(r->status));
    return true;
}

static bool compare(
    const struct controller *c, const uint8_t *p, ULONG length, uint64_t lba, uint32_t generation)
{
    size_t at = pattern_check(p, length, lba * c->block_length, generation);

    return at == length || fail("read of %u octets at block %llu: octet %zu is wrong",
                               (unsigned)length, (unsigned long long)lba, at);
}

/* Writes and reads back through the same memory, which holds something else in between. */
static bool write_and_read(const struct controller *c, struct request *r, enum transfer way,
    uint64_t lba, ULONG at, ULONG length, uint32_t generation)
{
    uint8_t *p = r->data.p;
    ULONG before = at < GUARD_LEN ? at : GUARD_LEN;
    ULONG after =
        r->data.length - at - length < GUARD_LEN ? r->data.length - at - length : (ULONG)GUARD_LEN;

    pattern_fill(p + at, length, lba * c->block_length, generation);
    if (!transfer(c, r, way, lba, at, length))
        return false;
    memset(p + at - before, GUARD, before + length + after);
    if (!transfer(c, r, TRANSFER_FROM_TARGET, lba, at, length) ||
        !compare(c, p + at, length, lba, generation))
        return false;
    for (ULONG i = 0; i < before + after; i++) {
        if (p[i < before ? at - before + i : at + length + i - before] != GUARD)
            return fail("a read of %u octets changed memory beside them", (unsigned)length);
    }
    return true;
}

/* ---- Sizes --------------------------------------------------------------------------------- */

/* From one block to `max` octets: around the powers of two, from three places of a page. */
static bool sizes(struct controller *c, const struct work *w, enum transfer way, ULONG max,
    unsigned *transfers, uint64_t *octets)
{
    static const ULONG offsets[] = {0, 4, 2052};
    struct request *r = queue_get(&c->io);
    ULONG blocks_max = max / c->block_length;
    uint32_t generation = way == TRANSFER_IN_CAPSULE ? 2000 : 1000;
    bool is_right = r != NULL;

    if (blocks_max > w->span)
        blocks_max = (ULONG)w->span;
    for (ULONG power = 1; is_right && power <= blocks_max; power *= 2) {
        for (ULONG around = 0; is_right && around < 3; around++) {
            ULONG blocks = power + around - 1;
            ULONG at = offsets[(power + around) % 3];

            if (blocks == 0 || blocks > blocks_max)
                continue;
            is_right = write_and_read(
                c, r, way, (w->span - blocks) / 2, at, blocks * c->block_length, generation++);
            *transfers += 2;
            *octets += 2 * (uint64_t)blocks * c->block_length;
        }
    }
    if (r != NULL)
        queue_put(r);
    return is_right;
}

bool check_sizes(struct controller *c, const struct work *w)
{
    unsigned transfers = 0;
    uint64_t octets = 0;

    if (!sizes(c, w, TRANSFER_TO_TARGET, c->options.data_max, &transfers, &octets))
        return false;
    printf("sizes: %u transfers of %u to %u octets, %llu in all, every octet right\n", transfers,
        (unsigned)c->block_length, (unsigned)c->options.data_max, (unsigned long long)octets);
    return true;
}

bool check_in_capsule(struct controller *c, const struct work *w)
{
    unsigned transfers = 0;
    uint64_t octets = 0;
    /* A page of the adapter is an SGE, and the command itself is one. */
    ULONG max = (LINK_SGE_MAX - 2) * PAGE_SIZE;

    if (c->in_capsule_max < max)
        max = c->in_capsule_max;
    if (c->options.data_max < max)
        max = c->options.data_max; /* no request has more memory */
    if (max < c->block_length) {
        printf("in capsule: the controller takes no data there\n");
        return true;
    }
    if (!sizes(c, w, TRANSFER_IN_CAPSULE, max, &transfers, &octets))
        return false;
    printf("in capsule: %u transfers of up to %u octets, every octet right\n", transfers,
        (unsigned)max);
    return true;
}

/* ---- Many at a time ------------------------------------------------------------------------ */

/* Moves the span in pieces of so many blocks, with all requests of the queue. */
static bool move_span(
    struct controller *c, const struct work *w, enum transfer way, ULONG piece, uint32_t generation)
{
    uint64_t next = 0, outstanding = 0;

    while (next < w->span || outstanding > 0) {
        struct request *r = next < w->span ? queue_get(&c->io) : NULL;

        if (r != NULL) {
            ULONG blocks = w->span - next < piece ? (ULONG)(w->span - next) : piece;
            ULONG length = blocks * c->block_length;
            struct nvme_command command = controller_io(
                c, way == TRANSFER_FROM_TARGET ? NVME_READ : NVME_WRITE, next, blocks);

            r->note = next;
            if (way == TRANSFER_TO_TARGET)
                pattern_fill(r->data.p, length, next * c->block_length, generation);
            if (!queue_submit(r, &command, way, 0, length))
                return fail_queue(&c->io, "span");
            next += blocks;
            outstanding++;
            continue;
        }
        r = queue_next(&c->io);
        if (r == NULL)
            return fail_queue(&c->io, "span");
        if (r->status != 0)
            return fail("span: block %llu: status 0x%03x, %s", (unsigned long long)r->note,
                r->status, nvme_status_text(r->status));
        if (way == TRANSFER_FROM_TARGET) {
            ULONG blocks = w->span - r->note < piece ? (ULONG)(w->span - r->note) : piece;

            if (!compare(c, r->data.p, blocks * c->block_length, r->note, generation))
                return false;
        }
        outstanding--;
        queue_put(r);
    }
    return true;
}

bool check_span(struct controller *c, const struct work *w)
{
    enum { GENERATION = 1 };
    ULONG piece = (64U << 10) / c->block_length, other = (36U << 10) / c->block_length;
    ULONG blocks_max = c->options.data_max / c->block_length;

    piece = piece == 0 ? 1 : piece > blocks_max ? blocks_max : piece;
    other = other == 0 ? 1 : other > blocks_max ? blocks_max : other;
    if (!move_span(c, w, TRANSFER_TO_TARGET, piece, GENERATION) ||
        !move_span(c, w, TRANSFER_FROM_TARGET, other, GENERATION))
        return false;
    printf("span: %llu octets written and read, %u transfers at a time, every octet right\n",
        (unsigned long long)w->span * c->block_length, c->io.commands);
    return true;
}

/* ---- Errors -------------------------------------------------------------------------------- */

bool check_errors(struct controller *c)
{
    struct request *r = queue_get(&c->io);
    struct nvme_command command;
    uint16_t beyond_read = 0, beyond_write = 0, nobody = 0;
    bool is_right;

    if (r == NULL)
        return fail("errors: no request is free");
    command = controller_io(c, NVME_READ, c->blocks, 1);
    is_right = queue_execute(r, &command, TRANSFER_FROM_TARGET, 0, c->block_length);
    beyond_read = r->status;
    if (is_right) {
        command = controller_io(c, NVME_WRITE, c->blocks, 1);
        is_right = queue_execute(r, &command, TRANSFER_TO_TARGET, 0, c->block_length);
        beyond_write = r->status;
    }
    if (is_right) {
        command = controller_io(c, NVME_READ, 0, 1);
        put_le32(command.octets + NVME_NSID, 0xfffffff0);
        is_right = queue_execute(r, &command, TRANSFER_FROM_TARGET, 0, c->block_length);
        nobody = r->status;
    }
    if (!is_right) {
        fail_queue(&c->io, "errors");
    } else if (beyond_read == 0 || beyond_write == 0 || nobody == 0) {
        is_right = fail("errors: a command that cannot be done succeeded");
    } else {
        is_right = write_and_read(c, r, TRANSFER_TO_TARGET, 0, 0, c->block_length, 3000);
        if (is_right)
            printf("errors: beyond the end: %s, %s; unknown namespace: %s; then all is well\n",
                nvme_status_text(beyond_read), nvme_status_text(beyond_write),
                nvme_status_text(nobody));
    }
    queue_put(r);
    return is_right;
}

bool check_read_only(struct controller *c)
{
    struct request *r = queue_get(&c->io);
    bool is_right = r != NULL && transfer(c, r, TRANSFER_FROM_TARGET, 0, 0, c->block_length);

    if (r != NULL)
        queue_put(r);
    if (is_right)
        printf("block 0 was read; nothing is written without --overwrite\n");
    return is_right;
}
