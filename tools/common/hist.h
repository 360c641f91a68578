/* SPDX-License-Identifier: MIT */
/*
 * A histogram of durations with bounded memory: 256 buckets to each power of two, so that a
 * percentile is right to 0.4 %; minimum, maximum, mean and count are exact.
 */
#ifndef TOOLS_COMMON_HIST_H
#define TOOLS_COMMON_HIST_H

#include <stdint.h>

enum { HIST_SUB_BITS = 8, HIST_BUCKETS = (64 - HIST_SUB_BITS + 1) << HIST_SUB_BITS };

struct hist {
    uint64_t count, sum, min, max;
    uint64_t bucket[HIST_BUCKETS];
};

void hist_clear(struct hist *h);
void hist_add(struct hist *h, uint64_t value);
/* What was added to `other` is added to h too. */
void hist_merge(struct hist *h, const struct hist *other);
/* The value below which `fraction` (0 to 1) of all lie; 0 if there are none. */
double hist_quantile(const struct hist *h, double fraction);
double hist_mean(const struct hist *h);
/* Calls `see` for each bucket that has something, in rising order; `value` is its middle. */
void hist_each(
    const struct hist *h, void (*see)(void *context, double value, uint64_t count), void *context);

#endif
