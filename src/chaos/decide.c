/* SPDX-License-Identifier: MIT */
#include "chaos/decide.h"

/* Most delays are short enough to fall between two steps of a consumer, some long enough for it to
 * have gone on to something else. */
enum { SHORT_US = 200, LONG_US = 5000, PEND_US = 0 };

/* The finaliser of splitmix64: every bit of the result depends on every bit of x. */
static uint64_t stir(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t chaos_child_id(uint64_t parent_id, unsigned kind, uint32_t nth)
{
    return stir(stir(parent_id) ^ ((uint64_t)kind << 32 | nth));
}

struct chaos_dice chaos_dice_for(uint64_t object_id, enum chaos_entry entry, uint32_t nth)
{
    return (struct chaos_dice){.state = stir(stir(~object_id) ^ ((uint64_t)entry << 32 | nth))};
}

uint32_t chaos_roll(struct chaos_dice *dice, uint32_t below)
{
    dice->state += UINT64_C(0x9e3779b97f4a7c15);
    return below == 0 ? 0 : (uint32_t)((stir(dice->state) >> 32) * below >> 32);
}

static struct chaos_verdict hostile(struct chaos_dice *dice)
{
    struct chaos_verdict v = {.way = CHAOS_LATER};
    uint32_t way = chaos_roll(dice, 10);
    uint32_t range = chaos_roll(dice, 8) == 0 ? LONG_US : SHORT_US;
    uint32_t delay = chaos_roll(dice, range);
    uint32_t yields = chaos_roll(dice, 8);

    if (way < 2)
        v.way = CHAOS_AS_IS;
    else if (way < 5)
        v.way = CHAOS_EARLY;
    else if (way > 6)
        v.delay_us = delay;
    v.yields_before = yields == 0 ? 1 + chaos_roll(dice, 3) : 0;
    v.yields_after = yields == 1 ? 1 + chaos_roll(dice, 3) : 0;
    return v;
}

struct chaos_verdict chaos_decide(
    enum chaos_schedule schedule, uint64_t object_id, enum chaos_entry entry, uint32_t nth)
{
    struct chaos_dice dice;

    switch (schedule) {
    case CHAOS_SCHEDULE_LENIENT:
        return (struct chaos_verdict){.way = CHAOS_AS_IS};
    case CHAOS_SCHEDULE_PEND:
        return (struct chaos_verdict){.way = CHAOS_LATER, .delay_us = PEND_US};
    case CHAOS_SCHEDULE_INLINE:
        return (struct chaos_verdict){.way = CHAOS_INLINE};
    case CHAOS_SCHEDULE_HOSTILE:
        break;
    }
    dice = chaos_dice_for(object_id, entry, nth);
    return hostile(&dice);
}

uint32_t chaos_decide_batch(
    enum chaos_schedule schedule, uint64_t object_id, uint32_t nth, uint32_t wanted)
{
    struct chaos_dice dice;

    if (schedule != CHAOS_SCHEDULE_HOSTILE || wanted < 2)
        return wanted;
    dice = chaos_dice_for(object_id, CHAOS_GET_CQ_RESULTS, ~nth);
    if (chaos_roll(&dice, 2) == 0)
        return wanted;
    return 1 + chaos_roll(&dice, wanted);
}
