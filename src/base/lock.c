/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include <stdbool.h>
#include <threads.h>

#include "base/assert.h"

/* After this many looks the holder was most likely preempted: let it run. */
enum { SPINS_MAX = 200 };

#if defined(SOFTNDK_DEBUG)
enum { HELD_MAX = 8 };
static _Thread_local uint32_t held_ranks[HELD_MAX];
static _Thread_local uint32_t held_count;

/* The address of a thread-local is an id that no other live thread has. */
static uint64_t self_id(void)
{
    return (uint64_t)(uintptr_t)&held_count;
}

/* Before waiting, so that a lock taken twice is reported and does not hang. */
static void check_take(const struct sn_lock *l)
{
    SN_ASSERT(held_count < HELD_MAX);
    SN_ASSERT(held_count == 0 || held_ranks[held_count - 1] < l->rank);
}

static void note_take(struct sn_lock *l)
{
    held_ranks[held_count++] = l->rank;
    l->owner = self_id();
}

static void note_drop(struct sn_lock *l)
{
    SN_ASSERT(l->owner == self_id());
    SN_ASSERT(held_count > 0);
    SN_ASSERT(held_ranks[held_count - 1] == l->rank); /* dropped in the reverse order */
    held_count--;
    l->owner = 0;
}
#else
static void check_take(const struct sn_lock *l)
{
    (void)l;
}
static void note_take(struct sn_lock *l)
{
    (void)l;
}
static void note_drop(struct sn_lock *l)
{
    (void)l;
}
#endif

void sn_lock_init(struct sn_lock *l, enum sn_lock_rank rank)
{
    sn_a32_store_relaxed(&l->taken, 0);
    l->rank = (uint32_t)rank;
    l->owner = 0;
}

SN_NO_ANALYSIS void sn_lock_take(struct sn_lock *l)
{
    uint32_t spins = 0;

    check_take(l);
    while (sn_a32_exchange(&l->taken, 1) != 0) {
        while (sn_a32_load_relaxed(&l->taken) != 0) {
            if (++spins % SPINS_MAX == 0)
                thrd_yield();
            else
                sn_cpu_relax();
        }
    }
    note_take(l);
}

SN_NO_ANALYSIS void sn_lock_drop(struct sn_lock *l)
{
    note_drop(l);
    sn_a32_store_release(&l->taken, 0);
}

void sn_lock_assert_none_held(void)
{
#if defined(SOFTNDK_DEBUG)
    SN_ASSERT(held_count == 0);
#endif
}
