/* SPDX-License-Identifier: MIT */
/*
 * The part of a lane that every platform shares: who is inside, what was left for whom, and the
 * calls for the home thread. The state word holds it all, so each transition is one atomic step:
 *
 *   enter          0 -> TAKEN                leave          TAKEN -> 0, only if nothing was left
 *   leave_work     TAKEN -> TAKEN|WORK       (the owner sees it: its leave fails until it looked)
 *                  0 -> TAKEN|WORK           (the caller is inside now and does it on its way out)
 *                  0 -> WORK + VISITOR       (the home thread shall do it; the caller wakes it)
 *
 * After the step that publishes work or a call, another thread may do it, and what it does may end
 * in plat_lane_destroy. So a thread that touches the lane after that step counts as a visitor, and
 * the lane lives until the word is 0.
 */
#include "base/assert.h"
#include "base/lock.h"
#include "plat/plat.h"

/* How often an owner that wants to leave does what others leave meanwhile, before it hands over to
 * the home thread: a posting thread must not work for others for ever. */
enum { LEAVE_ROUNDS_MAX = 16 };

static _Thread_local struct plat_lane *current;
static _Thread_local bool is_in_call;

void plat_lane_init(
    struct plat_lane *lane, struct plat *p, const struct plat_lane_ops *ops, void *ctx)
{
    lane->plat = p;
    lane->ops = ops;
    lane->ctx = ctx;
    sn_a32_store_relaxed(&lane->state, 0);
    sn_a64_store_relaxed(&lane->seq, 0);
    sn_aptr_store_relaxed(&lane->calls, NULL);
    sn_list_init(&lane->timers);
    sn_a64_store_relaxed(&lane->next_deadline_ns, UINT64_MAX);
    sn_a32_store_relaxed(&lane->has_poller, 0);
    sn_a32_store_relaxed(&lane->poll_ticks, 0);
    sn_a64_store_relaxed(&lane->home_wakeups, 0);
}

enum sn_status plat_lane_create(
    struct plat *p, const struct plat_lane_ops *ops, void *ctx, struct plat_lane **out)
{
    return p->ops->lane_create(p, ops, ctx, out);
}

void plat_lane_destroy(struct plat_lane *lane)
{
    SN_ASSERT(current == NULL);
    SN_ASSERT(!plat_lane_is_home(lane));
    lane->plat->ops->lane_destroy(lane);
}

struct plat_lane *plat_lane_current(void)
{
    return current;
}

bool plat_lane_is_home(const struct plat_lane *lane)
{
    return lane->plat->ops->lane_is_home(lane);
}

/* ---- entering and leaving ---- */

/* Only the owner writes seq. The release pairs with the acquire in wait_passed: what was done
 * inside is over before seq says so. */
static void step_seq(struct plat_lane *lane)
{
    sn_a64_store_release(&lane->seq, sn_a64_load_relaxed(&lane->seq) + 1);
}

static void become_owner(struct plat_lane *lane)
{
    current = lane;
    step_seq(lane);
}

static void stop_being_owner(struct plat_lane *lane)
{
    current = NULL;
    step_seq(lane);
}

bool plat_lane_enter(struct plat_lane *lane)
{
    if (current != NULL || (sn_a32_load_relaxed(&lane->state) & PLAT_LANE_TAKEN) != 0)
        return false;
    if ((sn_a32_fetch_or(&lane->state, PLAT_LANE_TAKEN) & PLAT_LANE_TAKEN) != 0)
        return false;
    become_owner(lane);
    return true;
}

static void wake_as_visitor(struct plat_lane *lane)
{
    lane->plat->ops->lane_wake(lane);
    sn_a32_fetch_sub(&lane->state, PLAT_LANE_VISITOR); /* the last touch */
}

void plat_lane_leave(struct plat_lane *lane)
{
    const uint32_t asks = PLAT_LANE_WORK | PLAT_LANE_SOCKETS;
    bool is_home_waiting = false;

    SN_ASSERT(current == lane);
    for (unsigned round = 0;; round++) {
        uint32_t state = sn_a32_load_acquire(&lane->state);
        uint32_t left = state & asks;
        uint32_t next = state & ~(uint32_t)PLAT_LANE_TAKEN;

        if (left != 0 && round < LEAVE_ROUNDS_MAX) {
            sn_a32_fetch_and(&lane->state, ~left);
            if ((left & PLAT_LANE_WORK) != 0)
                lane->ops->work(lane->ctx);
            if ((left & PLAT_LANE_SOCKETS) != 0) {
                lane->plat->ops->lane_poll(lane);
                is_home_waiting = true;
            }
            continue;
        }
        /* The home thread must come when we leave work undone, and shall come when it waits for us
         * to be gone. */
        if (left != 0 || is_home_waiting)
            next += PLAT_LANE_VISITOR;
        stop_being_owner(lane);
        if (sn_a32_cas(&lane->state, state, next)) {
            if (left != 0 || is_home_waiting)
                wake_as_visitor(lane);
            return;
        }
        become_owner(lane); /* something was left in this very moment */
    }
}

void plat_lane_leave_work(struct plat_lane *lane, bool may_enter)
{
    bool enters, wakes;
    uint32_t state, next;

    /* Even if the bit is set already the word is written: the release is what lets the owner see
     * the work. */
    do {
        state = sn_a32_load_relaxed(&lane->state);
        enters = (state & PLAT_LANE_TAKEN) == 0 && may_enter && current == NULL;
        wakes = (state & PLAT_LANE_TAKEN) == 0 && !enters;
        next = state | PLAT_LANE_WORK | (enters ? (uint32_t)PLAT_LANE_TAKEN : 0);
        if (wakes)
            next += PLAT_LANE_VISITOR;
    } while (!sn_a32_cas(&lane->state, state, next));
    if (enters) {
        become_owner(lane);
        plat_lane_leave(lane);
    } else if (wakes) {
        wake_as_visitor(lane);
    }
}

/* ---- calls ---- */

void plat_lane_call(struct plat_lane *lane, struct plat_call *call)
{
    void *head;

    sn_a32_fetch_add(&lane->state, PLAT_LANE_VISITOR);
    do {
        head = sn_aptr_load_relaxed(&lane->calls);
        call->next = head;
    } while (!sn_aptr_cas(&lane->calls, head, call));
    wake_as_visitor(lane);
}

unsigned plat_lane_run_calls(struct plat_lane *lane)
{
    struct plat_call *newest_first, *call = NULL;
    unsigned count = 0;

    SN_ASSERT(current == NULL);
    if (sn_aptr_load_relaxed(&lane->calls) == NULL)
        return 0;
    newest_first = sn_aptr_exchange(&lane->calls, NULL);
    while (newest_first != NULL) {
        struct plat_call *next = newest_first->next;

        newest_first->next = call;
        call = newest_first;
        newest_first = next;
    }
    for (; call != NULL; count++) {
        struct plat_call *next = call->next; /* the call may free itself */

        sn_lock_assert_none_held();
        is_in_call = true;
        call->run(call);
        is_in_call = false;
        SN_ASSERT(current == NULL);
        call = next;
    }
    return count;
}

bool plat_is_in_call(void)
{
    return is_in_call;
}

/* ---- polling threads ---- */

unsigned plat_lane_poll(struct plat_lane *lane)
{
    SN_ASSERT(current == lane);
    return lane->plat->ops->lane_poll(lane);
}

void plat_lane_poller_visit(struct plat_lane *lane)
{
    /* Two threads may count at once and one visit be lost: that it changed is all that matters. */
    sn_a32_store_relaxed(&lane->poll_ticks, sn_a32_load_relaxed(&lane->poll_ticks) + 1);
    if (sn_a32_load_relaxed(&lane->has_poller) != 0)
        return;
    /* A callback that polls is the home thread itself: it need not be kept out. */
    if (!plat_lane_is_home(lane))
        sn_a32_store_release(&lane->has_poller, 1);
}

void plat_lane_poller_end(struct plat_lane *lane)
{
    if (sn_a32_load_relaxed(&lane->has_poller) != 0 && sn_a32_exchange(&lane->has_poller, 0) != 0)
        lane->plat->ops->lane_wake(lane);
}

/* ---- quiescence ---- */

/*
 * Both this look and every entry read and write the state word, so they are in one order: who
 * enters after it sees all that the caller did before. Who was inside before it is gone when the
 * word says so, or when seq has passed the odd number of that stay.
 */
static bool is_outside(struct plat_lane *lane)
{
    uint32_t state = sn_a32_fetch_or(&lane->state, 0);

    return (state & PLAT_LANE_TAKEN) == 0 || (state & PLAT_LANE_QUIET) != 0;
}

static void wait_passed(struct plat_lane *lane)
{
    uint64_t stay;

    if (is_outside(lane))
        return;
    stay = sn_a64_load_acquire(&lane->seq) | 1;
    while (sn_a64_load_acquire(&lane->seq) <= stay && !is_outside(lane))
        lane->plat->ops->yield(lane->plat);
}

/*
 * Two callers inside do not wait for each other for ever: while one waits the other sees QUIET. If
 * that came and went between two looks, who was quiet is on its way out, waiting for nobody.
 */
void plat_lanes_quiesce(struct plat_lane *const *lanes, size_t n, struct plat_lane *self)
{
    SN_ASSERT(self == NULL || self == current);
    self = current;
    if (self != NULL)
        sn_a32_fetch_or(&self->state, PLAT_LANE_QUIET);
    for (size_t i = 0; i < n; i++) {
        if (lanes[i] != self)
            wait_passed(lanes[i]);
    }
    if (self != NULL)
        sn_a32_fetch_and(&self->state, ~(uint32_t)PLAT_LANE_QUIET);
}
