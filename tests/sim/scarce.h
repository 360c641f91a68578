/* SPDX-License-Identifier: MIT */
/*
 * Scarce memory: allocations of the library fail now and then while the world acts, so inside
 * lanes, where no consumer's call could be refused instead. Calls of consumers, and what they do in
 * callbacks, find memory.
 */
#ifndef SN_TESTS_SIM_SCARCE_H
#define SN_TESTS_SIM_SCARCE_H

#include <stdint.h>

/* Before the first allocation of the process that is not freed. */
void scarce_install(void);
/* From here on allocations fail with this chance; the sequence follows from the seed. 0: none. */
void scarce_begin(uint64_t seed, uint32_t permille);
/* The world acts; a consumer does. */
void scarce_on(void);
void scarce_off(void);

#endif
