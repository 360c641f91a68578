/* SPDX-License-Identifier: MIT */
/* SOFTNDK_SCHEDULE: lenient, pend, inline, or hostile with a seed. docs/schedules-and-faults.md */
#ifndef SN_CHAOS_SCHEDULE_H
#define SN_CHAOS_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum chaos_schedule {
    CHAOS_SCHEDULE_LENIENT, /* the provider as it is */
    CHAOS_SCHEDULE_PEND,    /* what may pend does */
    CHAOS_SCHEDULE_INLINE,  /* what may complete inline does */
    CHAOS_SCHEDULE_HOSTILE, /* anything that is allowed, by seed */
};

/* Room for the longest sentence of the parsers of this folder. */
enum { CHAOS_TEXT = 256 };

/* text: NAME or NAME:SEED; NULL or "" is lenient, a seed not given is 1. False: `why` says what is
 * wrong and where, nothing else is written. */
SN_MUST_CHECK bool chaos_schedule_parse(
    const char *text, enum chaos_schedule *schedule, uint64_t *seed, char why[CHAOS_TEXT]);
const char *chaos_schedule_name(enum chaos_schedule schedule);

/* n characters, decimal or hexadecimal after 0x. False: no number, or more than 64 bits. */
SN_MUST_CHECK bool chaos_number(const char *text, size_t n, uint64_t *out);

#endif
