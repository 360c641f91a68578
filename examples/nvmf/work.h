/* SPDX-License-Identifier: MIT */
/* What is done with a controller: data are written, read and compared. */
#ifndef WORK_H
#define WORK_H

#include "controller.h"

struct work {
    uint64_t span;    /* blocks at the beginning of the namespace that may be overwritten */
    ULONG block;      /* octets of a transfer of the mix, a multiple of the block length */
    unsigned reads;   /* of 100 transfers of the mix */
    unsigned seconds; /* of the mix; 0: none */
};

/* Octets that belong to this place and this time of writing, so that data which come from elsewhere
 * or from before are found. */
void pattern_fill(uint8_t *p, size_t length, uint64_t position, uint32_t generation);
/* The offset of the first octet that differs; `length`: all are right. */
size_t pattern_check(const uint8_t *p, size_t length, uint64_t position, uint32_t generation);

/* Each says what it did in one line on stdout, or what failed in one on stderr. */

/* Transfers of many sizes, from and to any place in a page, one at a time; nothing beside the
 * target of a read changes. */
bool check_sizes(struct controller *c, const struct work *w);
/* The same with data in the capsule, if the controller takes them. */
bool check_in_capsule(struct controller *c, const struct work *w);
/* The whole span, as many transfers at a time as the queue holds, read in other pieces than
 * written. */
bool check_span(struct controller *c, const struct work *w);
/* Commands that must fail, and leave the queue as it was. */
bool check_errors(struct controller *c);
/* Reads one block and looks at nothing: for a namespace that is not ours. */
bool check_read_only(struct controller *c);
/* Reads and writes at random for w->seconds; every read is compared. */
bool run_mix(struct controller *c, const struct work *w);

#endif
