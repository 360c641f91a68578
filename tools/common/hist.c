/* SPDX-License-Identifier: MIT */
#include "common/hist.h"

#include <string.h>

void hist_clear(struct hist *h)
{
    memset(h, 0, sizeof *h);
    h->min = UINT64_MAX;
}

/* Values below 2^HIST_SUB_BITS have a bucket each; above, the leading bits behind the first. */
static unsigned bucket_of(uint64_t value)
{
    unsigned shift;

    if (value >> HIST_SUB_BITS == 0)
        return (unsigned)value;
    shift = 63u - (unsigned)__builtin_clzll(value) - HIST_SUB_BITS;
    return ((shift + 1) << HIST_SUB_BITS) + (unsigned)((value >> shift) - (1u << HIST_SUB_BITS));
}

/* The middle of a bucket. */
static double value_of(unsigned bucket)
{
    unsigned shift = bucket >> HIST_SUB_BITS;
    uint64_t low;

    if (shift == 0)
        return bucket;
    shift--;
    low = ((uint64_t)(bucket & ((1u << HIST_SUB_BITS) - 1)) + (1u << HIST_SUB_BITS)) << shift;
    return (double)low + (double)((1ull << shift) - 1) / 2;
}

void hist_add(struct hist *h, uint64_t value)
{
    h->count++;
    h->sum += value;
    if (value < h->min)
        h->min = value;
    if (value > h->max)
        h->max = value;
    h->bucket[bucket_of(value)]++;
}

void hist_merge(struct hist *h, const struct hist *other)
{
    h->count += other->count;
    h->sum += other->sum;
    if (other->min < h->min)
        h->min = other->min;
    if (other->max > h->max)
        h->max = other->max;
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        h->bucket[i] += other->bucket[i];
}

double hist_quantile(const struct hist *h, double fraction)
{
    uint64_t rank, seen = 0;
    double value = 0;

    if (h->count == 0)
        return 0;
    rank = (uint64_t)(fraction * (double)h->count);
    if (rank >= h->count)
        rank = h->count - 1;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += h->bucket[i];
        if (seen > rank) {
            value = value_of(i);
            break;
        }
    }
    /* The middle of the first and of the last bucket may lie outside of what was measured. */
    if (value < (double)h->min)
        value = (double)h->min;
    if (value > (double)h->max)
        value = (double)h->max;
    return value;
}

double hist_mean(const struct hist *h)
{
    return h->count == 0 ? 0 : (double)h->sum / (double)h->count;
}

void hist_each(
    const struct hist *h, void (*see)(void *context, double value, uint64_t count), void *context)
{
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        if (h->bucket[i] > 0)
            see(context, value_of(i), h->bucket[i]);
    }
}
