/* SPDX-License-Identifier: MIT */
/* The timers that are set. */
#ifndef SN_KENV_KE_TIMER_H
#define SN_KENV_KE_TIMER_H

#include <stddef.h>
#include <stdint.h>

/* When the first one is due, on CLOCK_MONOTONIC; UINT64_MAX: none is set. Any thread. */
uint64_t kenv_timer_next_ns(void);
/* Lets the timers expire that are due. For the DPC thread. */
void kenv_timer_expire(void);
/* Timers that are set and have no period. */
size_t kenv_timer_count_once(void);
/* A timer in [start, start + size) that is set, or NULL. */
const void *kenv_timer_find(const void *start, size_t size);

#endif
