/* SPDX-License-Identifier: MIT */
/*
 * The ring. A producer reserves a position with one atomic add, writes the slot and publishes it by
 * storing position + 1 into the slot's sequence word; the consumer takes a slot when it carries the
 * sequence it expects. The ring is larger than the depth by RNIC_LANES_MAX, so that producers which
 * race past the overrun check still have a slot each.
 *
 * Resize hangs a new ring behind the old one. Producers switch at once; when every lane has passed
 * a quiescent point nobody writes the old ring any more (it is sealed), and the consumer goes on to
 * the new one after the last entry of the old. So order is kept and nothing is lost.
 */
#include "rnic/cq.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "rnic/qp_lane.h"

struct cq_slot {
    struct sn_a64 seq; /* position + 1 when the entry is there */
    struct rnic_cqe e;
};

struct cq_ring {
    struct sn_aptr next;     /* after a resize: where to go on */
    struct sn_a32 is_sealed; /* nobody writes any more */
    uint64_t mask;
    uint32_t depth;
    uint64_t base;                              /* position of its first entry */
    _Alignas(SN_CACHE_LINE) struct sn_a64 tail; /* positions reserved */
    _Alignas(SN_CACHE_LINE) struct sn_a64 head; /* consumer writes, producers read */
    _Alignas(SN_CACHE_LINE) struct cq_slot slots[];
};

struct rnic_cq {
    struct rnic_obj obj;
    struct sn_aptr ring;       /* where producers append */
    struct sn_a32 dead_status; /* SN_OK: alive */
    struct sn_a64 lanes;       /* bit per lane whose QPs use it */

    /* consumer */
    _Alignas(SN_CACHE_LINE) struct cq_ring *front; /* where entries are taken from */
    uint32_t empty_polls;                          /* in a row since the last arm or entry */

    /* notification */
    _Alignas(SN_CACHE_LINE) struct sn_a32 armed; /* enum rnic_arm; written under arm_lock */
    struct sn_a64 solicited; /* position + 1 of the last solicited or failed entry */
    struct sn_lock arm_lock; /* rank SN_RANK_CQ */
    uint64_t notified;       /* guarded by arm_lock: behind what could be taken at the last call */
    bool is_calling;         /* guarded by arm_lock: a notification is queued or running */
    bool is_call_due;        /* guarded by arm_lock: another one when it has returned */
    struct rnic_cq_notify notify;
    struct plat_call call;
    bool is_resizing;            /* guarded by arm_lock */
    uint32_t interval_us, count; /* moderation, guarded by arm_lock; interval 0, count < 2: none */
    bool is_delaying;            /* guarded by arm_lock: the timer below will look again */
    struct plat_timer delay;     /* on the lane that started it */
};

enum {
    POLLS_BEFORE_ENTERING = 2,   /* an event-driven consumer polls once or twice to see it empty */
    MODERATION_US_MAX = 1000000, /* longer intervals are cut to this */
    POLLS_BEFORE_TAKING = 16,    /* then it is a polling consumer: the home thread keeps out */
};

/* More than will ever be reserved in a ring between the look at its tail and its end as the
 * producers' ring. */
static const uint64_t POSITIONS_APART = UINT64_C(1) << 40;

static uint64_t round_up_pow2(uint64_t n)
{
    uint64_t p = 1;

    while (p < n)
        p <<= 1;
    return p;
}

static struct cq_ring *ring_create(uint32_t depth, uint64_t base)
{
    uint64_t slots = round_up_pow2((uint64_t)depth + RNIC_LANES_MAX);
    struct cq_ring *r = sn_zalloc_aligned(sizeof *r + slots * sizeof(struct cq_slot));

    if (r == NULL)
        return NULL;
    r->mask = slots - 1;
    r->depth = depth;
    r->base = base;
    sn_a64_store_relaxed(&r->tail, base);
    sn_a64_store_relaxed(&r->head, base);
    return r;
}

/* ---- life ---- */

static void cq_destroy(struct rnic_obj *o)
{
    struct rnic_cq *cq = (struct rnic_cq *)o;
    struct cq_ring *r = cq->front, *next;

    for (; r != NULL; r = next) {
        next = sn_aptr_load_acquire(&r->next);
        sn_free_aligned(r);
    }
    rnic_obj_free(o);
}

static const struct rnic_obj_class cq_class = {.kind = RNIC_CQ, .destroy = cq_destroy};

static void run_notify(struct plat_call *call);
static void delay_is_over(struct plat_timer *timer);

enum sn_status rnic_cq_create(
    struct rnic_adapter *a, uint32_t depth, struct rnic_cq_notify notify, struct rnic_cq **out)
{
    struct rnic_cq *cq;

    if (depth == 0 || depth > RNIC_CQ_DEPTH_MAX)
        return SN_LIMIT;
    cq = sn_zalloc_aligned(sizeof *cq);
    if (cq == NULL)
        return SN_NO_MEMORY;
    cq->front = ring_create(depth, 0);
    if (cq->front == NULL) {
        sn_free_aligned(cq);
        return SN_NO_MEMORY;
    }
    sn_aptr_store_release(&cq->ring, cq->front);
    sn_lock_init(&cq->arm_lock, SN_RANK_CQ);
    cq->notify = notify;
    cq->call.run = run_notify;
    plat_timer_init(&cq->delay, delay_is_over);
    rnic_obj_init(&cq->obj, &cq_class, a, rnic_adapter_pick_lane(a)->lane);
    *out = cq;
    return SN_OK;
}

struct rnic_obj *rnic_cq_obj(struct rnic_cq *cq)
{
    return &cq->obj;
}

void rnic_cq_add_lane(struct rnic_cq *cq, struct rnic_lane *lane)
{
    sn_a64_fetch_or(&cq->lanes, 1ull << lane->index);
}

bool rnic_cq_is_dead(const struct rnic_cq *cq)
{
    return sn_a32_load_acquire(&cq->dead_status) != SN_OK;
}

/* ---- notification ---- */

/*
 * Counts what the consumer can take now from position `from` on, up to `max` entries; *end is the
 * position behind them. What lies behind a place that is reserved and not filled yet, or behind a
 * ring that is not sealed yet, does not count: whoever fills it or seals it looks again. Under
 * arm_lock, which keeps the consumer from freeing a ring meanwhile.
 */
static uint64_t visible_locked(const struct rnic_cq *cq, uint64_t from, uint64_t max, uint64_t *end)
{
    const struct cq_ring *r = cq->front, *next;
    uint64_t n = 0;

    for (;; r = next) {
        uint64_t head = sn_a64_load_acquire(&r->head);

        next = sn_aptr_load_acquire(&r->next);
        if (next != NULL && from >= next->base)
            continue;
        if (from < head)
            from = head;
        for (; n < max; from++, n++) {
            if (sn_a64_load_acquire(&r->slots[from & r->mask].seq) != from + 1)
                break;
        }
        if (n == max || sn_a32_load_acquire(&r->is_sealed) == 0 ||
            sn_a64_load_acquire(&r->tail) != from)
            break;
        next = sn_aptr_load_acquire(&r->next); /* what is sealed has one, now if not before */
        from = next->base;
    }
    *end = from;
    return n;
}

/* A call is owed: queue it, or remember it when one is running. Under arm_lock. */
static void fire_locked(struct rnic_cq *cq)
{
    sn_a32_store_relaxed(&cq->armed, RNIC_ARM_NONE);
    (void)visible_locked(cq, cq->notified, UINT64_MAX, &cq->notified);
    if (cq->is_calling) {
        cq->is_call_due = true;
        return;
    }
    cq->is_calling = true;
    rnic_obj_get(&cq->obj, RNIC_REF_CALLBACK);
    plat_lane_call(cq->obj.home, &cq->call);
}

/* Home thread, outside the lane. The arm was cleared before; a new one made inside the consumer's
 * routine leads to a further call after this one returned. [NDKPI completion-handling] */
static void run_notify(struct plat_call *call)
{
    struct rnic_cq *cq = SN_CONTAINER_OF(call, struct rnic_cq, call);
    enum sn_status status = (enum sn_status)sn_a32_load_acquire(&cq->dead_status);
    bool again;

    cq->notify.call(&cq->notify, status);
    sn_lock_take(&cq->arm_lock);
    again = cq->is_call_due;
    cq->is_call_due = false;
    cq->is_calling = again;
    sn_lock_drop(&cq->arm_lock);
    if (again)
        plat_lane_call(cq->obj.home, &cq->call);
    else
        rnic_obj_put(&cq->obj, RNIC_REF_CALLBACK);
}

/*
 * Does what came since the last call, and is still there, satisfy the arm? Of a solicited entry
 * that cannot be taken yet this may be said early, by the first one that can; it is said again
 * then. Under arm_lock.
 */
static bool is_matched_locked(const struct rnic_cq *cq, enum rnic_arm armed)
{
    uint64_t seen = cq->notified, head = sn_a64_load_acquire(&cq->front->head), end;

    if (armed != RNIC_ARM_ANY && armed != RNIC_ARM_SOLICITED)
        return false;
    if (armed == RNIC_ARM_SOLICITED &&
        sn_a64_load_acquire(&cq->solicited) <= (seen > head ? seen : head))
        return false;
    return visible_locked(cq, seen, 1, &end) > 0;
}

/* More completions than the queue holds: never reached, so it is no limit. [NDKPI
 * NDK_FN_CONTROL_CQ_INTERRUPT_MODERATION] */
static bool is_beyond_depth(const struct rnic_cq *cq, uint32_t count)
{
    const struct cq_ring *r = sn_aptr_load_acquire(&cq->ring);

    return count > r->depth;
}

/* May the call wait for more completions? Then somebody looks again later. Under arm_lock, inside a
 * lane. */
static bool delay_locked(struct rnic_cq *cq)
{
    uint32_t interval_us = cq->interval_us, count = cq->count;
    struct plat_lane *lane = plat_lane_current();
    uint64_t end;

    if (SN_LIKELY(interval_us == 0 || count < 2) || lane == NULL)
        return false;
    if (!is_beyond_depth(cq, count)) {
        if (visible_locked(cq, cq->notified, count, &end) >= count)
            return false;
    } else if (interval_us == UINT32_MAX) {
        return false; /* the queue was made smaller since: nobody would ever look */
    }
    if (interval_us != UINT32_MAX && !cq->is_delaying) {
        if (interval_us > MODERATION_US_MAX)
            interval_us = MODERATION_US_MAX;
        cq->is_delaying = true;
        rnic_obj_get(&cq->obj, RNIC_REF_LANE);
        plat_timer_set(lane, &cq->delay, (uint64_t)interval_us * 1000);
    }
    return true;
}

static void look_locked(struct rnic_cq *cq, bool may_delay)
{
    enum rnic_arm armed = (enum rnic_arm)sn_a32_load_relaxed(&cq->armed);

    if (armed == RNIC_ARM_NONE)
        return;
    if (rnic_cq_is_dead(cq) || (is_matched_locked(cq, armed) && !(may_delay && delay_locked(cq))))
        fire_locked(cq);
}

static void delay_is_over(struct plat_timer *timer)
{
    struct rnic_cq *cq = SN_CONTAINER_OF(timer, struct rnic_cq, delay);

    sn_lock_take(&cq->arm_lock);
    cq->is_delaying = false;
    look_locked(cq, false);
    sn_lock_drop(&cq->arm_lock);
    rnic_obj_put(&cq->obj, RNIC_REF_LANE);
}

void rnic_cq_notify_if_armed(struct rnic_cq *cq)
{
    /* The entries were published before; pairs with the fence in rnic_cq_arm: either we see the arm
     * or the armer sees the entries. */
    sn_fence_full();
    if (sn_a32_load_relaxed(&cq->armed) == RNIC_ARM_NONE)
        return;
    sn_lock_take(&cq->arm_lock);
    look_locked(cq, true);
    sn_lock_drop(&cq->arm_lock);
}

/* The consumer waits from here on: sockets go back to the home threads. */
static void end_polling(struct rnic_cq *cq)
{
    struct rnic_adapter *a = cq->obj.adapter;
    uint64_t lanes = sn_a64_load_acquire(&cq->lanes);

    for (uint32_t i = 0; i < a->lanes_count; i++) {
        if ((lanes >> i) & 1)
            plat_lane_poller_end(a->lanes[i]->lane);
    }
}

void rnic_cq_arm(struct rnic_cq *cq, enum rnic_arm what)
{
    if (cq->empty_polls >= POLLS_BEFORE_TAKING)
        end_polling(cq);
    cq->empty_polls = 0;
    sn_lock_take(&cq->arm_lock);
    if ((uint32_t)what > sn_a32_load_relaxed(&cq->armed))
        sn_a32_store_relaxed(&cq->armed, (uint32_t)what);
    sn_fence_full(); /* pairs with rnic_cq_notify_if_armed */
    look_locked(cq, false);
    sn_lock_drop(&cq->arm_lock);
}

enum sn_status rnic_cq_moderate(struct rnic_cq *cq, uint32_t interval_us, uint32_t count)
{
    enum sn_status s = SN_OK;

    sn_lock_take(&cq->arm_lock);
    if (interval_us == UINT32_MAX && is_beyond_depth(cq, count)) {
        s = SN_INVALID;
    } else {
        cq->interval_us = interval_us;
        cq->count = count;
        look_locked(cq, false); /* what waited by the old numbers may wait no longer */
    }
    sn_lock_drop(&cq->arm_lock);
    return s;
}

/* ---- producers ---- */

static void die(struct rnic_cq *cq, enum sn_status status)
{
    if (!sn_a32_cas(&cq->dead_status, SN_OK, (uint32_t)status))
        return;
    sn_a64_fetch_add(&cq->obj.adapter->counters.cq_errors, 1);
    rnic_adapter_each(cq->obj.adapter, RNIC_QP, rnic_qp_on_cq_dead, cq);
}

void rnic_cq_kill(struct rnic_cq *cq, enum sn_status status)
{
    die(cq, status);
    rnic_cq_notify_if_armed(cq);
}

/* Another lane may have noted a later one. */
static void note_solicited(struct rnic_cq *cq, uint64_t end)
{
    uint64_t last = sn_a64_load_relaxed(&cq->solicited);

    while (last < end && !sn_a64_cas(&cq->solicited, last, end))
        last = sn_a64_load_relaxed(&cq->solicited);
}

void rnic_cq_push(
    struct rnic_cq *cq, struct rnic_lane *lane, const struct rnic_cqe *e, bool is_solicited)
{
    struct cq_ring *r = sn_aptr_load_acquire(&cq->ring);
    struct cq_slot *slot;
    uint64_t pos;

    if (lane->touched != cq) {
        if (lane->touched != NULL)
            rnic_cq_notify_if_armed(lane->touched);
        else if (!lane->is_entered)
            plat_lane_leave_work(lane->lane, false); /* the platform serves: lane_work will look */
        lane->touched = cq;
    }
    if (SN_UNLIKELY(rnic_cq_is_dead(cq)))
        return;
    /* tail is read first, so the fill is never overstated; it may be negative when others are
     * quick. */
    pos = sn_a64_load_acquire(&r->tail);
    if (SN_UNLIKELY((int64_t)(pos - sn_a64_load_acquire(&r->head)) >= (int64_t)r->depth)) {
        die(cq, SN_CQ_OVERRUN);
        return;
    }
    pos = sn_a64_fetch_add(&r->tail, 1);
    slot = &r->slots[pos & r->mask];
    slot->e = *e;
    if (is_solicited || e->status != SN_OK)
        note_solicited(cq, pos + 1);
    sn_a64_store_release(&slot->seq, pos + 1);
}

/* ---- the consumer ---- */

static uint32_t take(struct rnic_cq *cq, struct rnic_cqe *out, uint32_t n)
{
    uint32_t taken = 0;

    for (;;) {
        struct cq_ring *r = cq->front, *next;
        uint64_t head = sn_a64_load_relaxed(&r->head);
        uint64_t at = head;

        while (taken < n) {
            const struct cq_slot *slot = &r->slots[at & r->mask];

            if (sn_a64_load_acquire(&slot->seq) != at + 1)
                break;
            out[taken++] = slot->e;
            at++;
        }
        if (at != head)
            sn_a64_store_release(&r->head, at);
        if (taken == n || SN_LIKELY(sn_a32_load_acquire(&r->is_sealed) == 0))
            return taken;
        /* Sealed: whatever was reserved in it was published before. */
        if (sn_a64_load_acquire(&r->tail) != at)
            continue;
        sn_lock_take(&cq->arm_lock);
        next = sn_aptr_load_acquire(&r->next); /* under the lock, as a resize may skip one */
        cq->front = next;
        sn_lock_drop(&cq->arm_lock);
        sn_free_aligned(r);
    }
}

/* One visit of a polling thread to a lane. */
static void visit_lane(const struct rnic_cq *cq, struct rnic_lane *l)
{
    if (cq->empty_polls >= POLLS_BEFORE_TAKING)
        plat_lane_poller_visit(l->lane);
    if (!rnic_lane_enter(l))
        return;
    plat_lane_poll(l->lane);
    rnic_lane_leave(l);
}

uint32_t rnic_cq_poll(struct rnic_cq *cq, struct rnic_cqe *out, uint32_t n)
{
    struct rnic_adapter *a = cq->obj.adapter;
    uint32_t taken = take(cq, out, n);
    uint64_t lanes;

    if (taken > 0) {
        cq->empty_polls = cq->empty_polls >= POLLS_BEFORE_TAKING ? POLLS_BEFORE_TAKING : 0;
        return taken;
    }
    if (n == 0)
        return 0;
    if (cq->empty_polls < POLLS_BEFORE_TAKING)
        cq->empty_polls++;
    if (cq->empty_polls < POLLS_BEFORE_ENTERING)
        return 0;
    lanes = sn_a64_load_acquire(&cq->lanes);
    for (uint32_t i = 0; i < a->lanes_count; i++) {
        if (((lanes >> i) & 1) && !plat_lane_is_home(a->lanes[i]->lane))
            visit_lane(cq, a->lanes[i]);
    }
    return take(cq, out, n);
}

/* ---- resize ---- */

/* How many entries wait, over all rings. Never overstated: of each ring the tail is read first, and
 * a consumer that went on meanwhile counts as one that has taken all. Under arm_lock, which keeps
 * the consumer from freeing a ring. */
static uint64_t fill_locked(const struct rnic_cq *cq)
{
    uint64_t fill = 0;

    for (const struct cq_ring *r = cq->front; r != NULL; r = sn_aptr_load_acquire(&r->next)) {
        uint64_t tail = sn_a64_load_acquire(&r->tail), head = sn_a64_load_acquire(&r->head);

        if (head < tail)
            fill += tail - head;
    }
    return fill;
}

/* Takes the sealed ring `old` out of the chain if nothing ever came into it, so that a consumer who
 * resizes again and again and has nothing to poll piles up none. Not if it is the front, or behind
 * it and free: those are the consumer's. True: it is the caller's to free. Under arm_lock. */
static bool skip_locked(struct rnic_cq *cq, struct cq_ring *old)
{
    struct cq_ring *r = cq->front, *next = sn_aptr_load_acquire(&r->next);

    for (; next != NULL && next != old; next = sn_aptr_load_acquire(&r->next))
        r = next;
    if (next == NULL || sn_a64_load_acquire(&old->tail) != old->base)
        return false;
    sn_aptr_store_release(&r->next, sn_aptr_load_acquire(&old->next));
    return true;
}

enum sn_status rnic_cq_resize(struct rnic_cq *cq, uint32_t depth)
{
    struct rnic_adapter *a = cq->obj.adapter;
    struct cq_ring *old, *fresh, *skipped = NULL;
    enum sn_status s = SN_OK;

    if (depth == 0 || depth > RNIC_CQ_DEPTH_MAX)
        return SN_LIMIT;
    sn_lock_take(&cq->arm_lock);
    if (cq->is_resizing)
        s = SN_BUSY;
    else if (fill_locked(cq) > depth)
        s = SN_MSG_TOO_LONG;
    else
        cq->is_resizing = true;
    sn_lock_drop(&cq->arm_lock);
    if (s != SN_OK)
        return s;

    old = sn_aptr_load_acquire(&cq->ring);
    /* Positions go on rising, past all that may still be reserved in the old ring. */
    fresh = ring_create(depth, sn_a64_load_acquire(&old->tail) + POSITIONS_APART);
    if (fresh == NULL) {
        s = SN_NO_MEMORY;
    } else {
        struct plat_lane *lanes[RNIC_LANES_MAX];

        for (uint32_t i = 0; i < a->lanes_count; i++)
            lanes[i] = a->lanes[i]->lane;
        sn_aptr_store_release(&old->next, fresh);
        sn_aptr_store_release(&cq->ring, fresh);
        plat_lanes_quiesce(lanes, a->lanes_count, plat_lane_current());
        sn_a32_store_release(&old->is_sealed, 1);
    }
    sn_lock_take(&cq->arm_lock);
    cq->is_resizing = false;
    if (s == SN_OK && skip_locked(cq, old))
        skipped = old;
    look_locked(cq, false); /* entries of the new ring can be taken only now */
    sn_lock_drop(&cq->arm_lock);
    sn_free_aligned(skipped);
    return s;
}
