/* SPDX-License-Identifier: MIT */
/* A platform that only counts: for the parts of a lane that every platform shares. */
#ifndef TESTS_UNIT_PLAT_FAKE_H
#define TESTS_UNIT_PLAT_FAKE_H

#include <sched.h>

#include "plat/plat.h"

struct fake {
    struct plat base;
    uint64_t now_ns;
    bool is_home;
    struct sn_a32 wakes;
    unsigned polls;
};

static struct fake *fake_of(struct plat *p)
{
    return SN_CONTAINER_OF(p, struct fake, base);
}
static uint64_t fake_now_ns(struct plat *p)
{
    return fake_of(p)->now_ns;
}
static void fake_wake(struct plat_lane *lane)
{
    sn_a32_fetch_add(&fake_of(lane->plat)->wakes, 1);
}
static bool fake_is_home(const struct plat_lane *lane)
{
    return fake_of(lane->plat)->is_home;
}
static unsigned fake_poll(struct plat_lane *lane)
{
    return ++fake_of(lane->plat)->polls;
}
static void fake_yield(struct plat *p)
{
    (void)p;
    sched_yield();
}

static const struct plat_ops fake_ops = {
    .now_ns = fake_now_ns,
    .lane_wake = fake_wake,
    .lane_is_home = fake_is_home,
    .lane_poll = fake_poll,
    .yield = fake_yield,
};

static inline void fake_init(struct fake *f)
{
    *f = (struct fake){.base = {&fake_ops}};
}

#endif
