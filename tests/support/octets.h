/* SPDX-License-Identifier: MIT */
/* Octets for tests: copies that end where the input ends, so that the sanitizer sees an over-read,
 * and repeatable random ones. */
#ifndef TESTS_SUPPORT_OCTETS_H
#define TESTS_SUPPORT_OCTETS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A heap copy of exactly n octets; the caller frees it. */
static inline uint8_t *octets_copy(const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n);

    if (copy == NULL && n > 0)
        abort();
    if (n > 0)
        memcpy(copy, p, n);
    return copy;
}

/* xorshift64*: the same numbers for the same start (which is not 0), on every machine. */
static inline uint64_t random_next(uint64_t *x)
{
    *x ^= *x >> 12;
    *x ^= *x << 25;
    *x ^= *x >> 27;
    return *x * 0x2545F4914F6CDD1Du;
}

static inline void random_fill(uint64_t *x, void *out, size_t n)
{
    uint8_t *p = out;

    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(random_next(x) >> 56);
}

#endif
