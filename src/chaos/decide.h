/* SPDX-License-Identifier: MIT */
/*
 * Seeded decisions. What is decided for the nth call of an entry on an object depends on the seed,
 * on which object it is (the how-manieth of its kind that its parent created), on the entry and on
 * n, and on nothing else: not on time, not on what other threads do to other objects meanwhile. So
 * a seed repeats its decisions wherever the consumer repeats its calls.
 */
#ifndef SN_CHAOS_DECIDE_H
#define SN_CHAOS_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "chaos/entry.h"
#include "chaos/schedule.h"

/* The name of an object in the decisions; that of the adapter is `seed` itself. */
uint64_t chaos_child_id(uint64_t parent_id, unsigned kind, uint32_t nth);

/* A short sequence of random numbers that belongs to one call. */
struct chaos_dice {
    uint64_t state;
};
struct chaos_dice chaos_dice_for(uint64_t object_id, enum chaos_entry entry, uint32_t nth);
/* 0 .. below - 1; 0 if below is 0. */
uint32_t chaos_roll(struct chaos_dice *dice, uint32_t below);

/* How the completion of an entry that may pend reaches the consumer. */
enum chaos_way {
    CHAOS_AS_IS,  /* as the provider has it */
    CHAOS_INLINE, /* as the result of the call, if it can be had soon */
    CHAOS_EARLY,  /* by the callback, before the call has returned STATUS_PENDING */
    CHAOS_LATER,  /* by the callback, after a delay */
};

struct chaos_verdict {
    enum chaos_way way;
    uint32_t delay_us;      /* of CHAOS_LATER */
    uint32_t yields_before; /* how often the caller lets other threads run first */
    uint32_t yields_after;  /* and before it returns */
};

/* For any entry and any routine of the consumer. */
struct chaos_verdict chaos_decide(
    enum chaos_schedule schedule, uint64_t object_id, enum chaos_entry entry, uint32_t nth);
/* How many of `wanted` results a poll may take: at least 1 when wanted is. */
uint32_t chaos_decide_batch(
    enum chaos_schedule schedule, uint64_t object_id, uint32_t nth, uint32_t wanted);

#endif
