/* SPDX-License-Identifier: MIT */
/* The threads of a session. */
#ifndef TOOLS_NDKPERF_CREW_H
#define TOOLS_NDKPERF_CREW_H

#include <stdbool.h>
#include <stdint.h>

/* Runs work(context, i) for each i below n at the same time, 0 on the calling thread; returns when
 * all have. False after a sentence: there was no thread for some, which did not run. */
bool crew_run(uint32_t n, void (*work)(void *context, uint32_t i), void *context);

/* The same on threads only: crew_start returns at once and the caller goes on, until crew_join. */
struct crew;
/* NULL after a sentence; nothing runs. */
struct crew *crew_start(uint32_t n, void (*work)(void *context, uint32_t i), void *context);
void crew_join(struct crew *c);

#endif
