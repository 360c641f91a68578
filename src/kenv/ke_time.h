/* SPDX-License-Identifier: MIT */
/* Windows time values and the host's clocks. */
#ifndef SN_KENV_KE_TIME_H
#define SN_KENV_KE_TIME_H

#include <stdbool.h>
#include <time.h>
#include <wdm.h>

/* When a wait ends: at a point of CLOCK_MONOTONIC, of CLOCK_REALTIME, or never. */
struct kenv_deadline {
    struct timespec at;
    bool is_realtime;
    bool is_endless;
};

/*
 * From a timeout in units of 100 ns: NULL never, negative relative to now, positive absolute since
 * 1601. One that the host cannot represent becomes never (or, absolute before 1970, the past).
 */
struct kenv_deadline kenv_deadline_from(const LARGE_INTEGER *timeout);

#endif
