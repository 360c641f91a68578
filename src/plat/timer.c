/* SPDX-License-Identifier: MIT */
/*
 * Timers of a lane: a list sorted by deadline, touched inside the lane only. The home thread looks
 * at next_deadline_ns alone to know how long it may sleep. That field never says later than the
 * first timer, but it may say earlier: a cancelled timer is not taken back, so that a timer that is
 * pushed ahead all the time costs the home thread one look per period, not a wake-up per push.
 */
#include "base/assert.h"
#include "plat/plat.h"

static struct plat_timer *timer_of(struct sn_list *link)
{
    return SN_CONTAINER_OF(link, struct plat_timer, link);
}

void plat_timer_init(struct plat_timer *t, void (*fire)(struct plat_timer *timer))
{
    sn_list_init(&t->link);
    t->deadline_ns = 0;
    t->is_set = false;
    t->fire = fire;
}

/* After every timer that is due at the same time or earlier. Most timers of a lane have the same
 * delay, so the place is near the end. */
static void insert_sorted(struct sn_list *timers, struct plat_timer *t)
{
    struct sn_list *before = timers->prev;

    while (before != timers && timer_of(before)->deadline_ns > t->deadline_ns)
        before = before->prev;
    sn_list_push_back(before->next, &t->link);
}

void plat_timer_set(struct plat_lane *lane, struct plat_timer *t, uint64_t delay_ns)
{
    uint64_t now = plat_now_ns(lane->plat);

    SN_DASSERT(plat_lane_current() == lane);
    sn_list_remove(&t->link);
    t->deadline_ns = delay_ns < UINT64_MAX - 1 - now ? now + delay_ns : UINT64_MAX - 1;
    t->is_set = true;
    insert_sorted(&lane->timers, t);
    if (t->deadline_ns >= sn_a64_load_relaxed(&lane->next_deadline_ns))
        return;
    sn_a64_store_release(&lane->next_deadline_ns, t->deadline_ns);
    /* The home thread may sleep for longer than that. */
    if (!plat_lane_is_home(lane))
        lane->plat->ops->lane_wake(lane);
}

void plat_timer_cancel(struct plat_lane *lane, struct plat_timer *t)
{
    SN_DASSERT(plat_lane_current() == lane);
    (void)lane;
    sn_list_remove(&t->link);
    t->is_set = false;
}

unsigned plat_lane_run_timers(struct plat_lane *lane)
{
    struct sn_list due, *link;
    unsigned fired = 0;
    uint64_t now;

    if (sn_a64_load_relaxed(&lane->next_deadline_ns) == UINT64_MAX)
        return 0;
    now = plat_now_ns(lane->plat);
    if (sn_a64_load_relaxed(&lane->next_deadline_ns) > now)
        return 0;
    /* Those that are due now and no others: a timer set again while it fires waits for the next
     * round, and one that is cancelled or set again by another leaves this list by itself. */
    sn_list_init(&due);
    while (!sn_list_is_empty(&lane->timers) && timer_of(lane->timers.next)->deadline_ns <= now) {
        link = sn_list_pop_front(&lane->timers);
        sn_list_push_back(&due, link);
    }
    while ((link = sn_list_pop_front(&due)) != NULL) {
        timer_of(link)->is_set = false;
        timer_of(link)->fire(timer_of(link));
        fired++;
    }
    sn_a64_store_release(&lane->next_deadline_ns,
        sn_list_is_empty(&lane->timers) ? UINT64_MAX : timer_of(lane->timers.next)->deadline_ns);
    return fired;
}
