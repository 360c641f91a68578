/* SPDX-License-Identifier: MIT */
/*
 * Test data that both sides can compute: octet i depends on the seed and on i alone, so an octet
 * that is lost, moved or taken from another message is seen.
 */
#ifndef TOOLS_COMMON_VERIFY_H
#define TOOLS_COMMON_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The seed of one of many pieces of data. */
uint64_t verify_seed(uint64_t seed, uint64_t index);
/* Fills n octets at p with the octets from `at` on. */
void verify_fill(void *p, size_t n, uint64_t seed, uint64_t at);
/* Are the n octets at p those from `at` on? If not, *wrong is the index of the first that is not.
 */
bool verify_check(const void *p, size_t n, uint64_t seed, uint64_t at, size_t *wrong);

#endif
