/* SPDX-License-Identifier: MIT */
/* The transmit batch of a lane, and the stashes that hold the rest of a half-sent FPDU. */
#include "iwarp/tx.h"

#include "base/alloc.h"

enum { STASHES_AT_FIRST = 2, STASHES_KEPT = 8 };

struct iw_batch *iw_batch_create(void)
{
    struct iw_batch *b = sn_zalloc_aligned(sizeof(*b));

    if (b == NULL)
        return NULL;
    b->scratch = sn_zalloc_aligned(IW_BATCH_SCRATCH);
    for (int i = 0; b->scratch != NULL && i < STASHES_AT_FIRST; i++) {
        struct iw_stash *stash = sn_zalloc(sizeof(*stash));

        if (stash == NULL)
            goto no_memory;
        stash->next = b->stash_pool;
        b->stash_pool = stash;
    }
    if (b->scratch != NULL)
        return b;
no_memory:
    iw_batch_destroy(b);
    return NULL;
}

void iw_batch_destroy(struct iw_batch *b)
{
    if (b == NULL)
        return;
    while (b->stash_pool != NULL) {
        struct iw_stash *stash = b->stash_pool;

        b->stash_pool = stash->next;
        sn_free(stash);
    }
    sn_free_aligned(b->scratch);
    sn_free_aligned(b);
}

struct iw_stash *iw_stash_get(struct iw_batch *b)
{
    struct iw_stash *stash = b->stash_pool;

    if (stash == NULL) /* more streams than ever before are stopped in the middle of an FPDU */
        return sn_zalloc(sizeof(*stash));
    b->stash_pool = stash->next;
    return stash;
}

void iw_stash_put(struct iw_batch *b, struct iw_stash *stash)
{
    int kept = 0;

    for (const struct iw_stash *i = b->stash_pool; i != NULL; i = i->next)
        kept++;
    if (kept >= STASHES_KEPT) {
        sn_free(stash);
        return;
    }
    stash->next = b->stash_pool;
    b->stash_pool = stash;
}

void iw_batch_clear(struct iw_batch *b)
{
    b->spans = 0;
    b->fpdus = 0;
    b->octets = 0;
    b->stash_octets = 0;
    b->scratch_used = 0;
}

void iw_batch_copy(const struct iw_batch *b, size_t from, size_t n, uint8_t *out)
{
    const struct sn_cspan *span = b->span;

    while (from >= span->n) {
        from -= span->n;
        span++;
    }
    while (n > 0) {
        size_t piece = span->n - from < n ? span->n - from : n;

        memcpy(out, span->p + from, piece);
        out += piece;
        n -= piece;
        from = 0;
        span++;
    }
}
