/* SPDX-License-Identifier: MIT */
#include "sim/bell.h"

#include <stdlib.h>

#include "rnic/lane.h"
#include "sim/link.h"
#include "sim/order.h"
#include "sim/world.h"

enum { CQ_DEPTH_AMPLE = 4096 };

static bool is_open(const struct cq *q)
{
    return q->life->state == LIFE_OPEN;
}

static void arm(struct cq *q)
{
    enum rnic_arm what = RNIC_ARM_ANY;

    /* Something narrower first now and then: the wider one wins. */
    if (rng_chance(&q->host->world->rng, 100)) {
        q->arms++;
        rnic_cq_arm(
            q->cq, (enum rnic_arm)rng_between(&q->host->world->rng, RNIC_ARM_ERRORS, RNIC_ARM_ANY));
    }
    q->arms++;
    q->armed = what;
    world_log(q->host->world, "CQ %u armed", q->life->number);
    rnic_cq_arm(q->cq, what);
}

/* One poll. How many came. */
static uint32_t poll_some(struct cq *q)
{
    struct rnic_cqe e[8];
    uint32_t n = rnic_cq_poll(q->cq, e, rng_between(&q->host->world->rng, 1, 8));

    for (uint32_t i = 0; i < n; i++)
        order_completed(q, &e[i]);
    return n;
}

void cq_drain(struct cq *q)
{
    while (is_open(q) && !q->host->world->has_failed && poll_some(q) > 0)
        ;
}

static void on_notify(const struct rnic_cq_notify *n, enum sn_status status)
{
    struct cq *q = n->ctx;
    struct world *w = q->host->world;

    life_heard(q->life, "notification");
    if (q->is_ringing)
        world_fail(w, "notification: two at a time on CQ %u", q->life->number);
    if (q->rings >= q->arms)
        world_fail(
            w, "notification: %u on CQ %u after %u arms", q->rings + 1, q->life->number, q->arms);
    q->rings++;
    q->armed = RNIC_ARM_NONE;
    if (status != SN_OK) {
        q->is_overrun = true;
        if (!q->may_overrun || status != SN_CQ_OVERRUN)
            world_fail(w, "notification: CQ %u says %s", q->life->number, sn_status_name(status));
        return;
    }
    if (!is_open(q))
        return;
    q->is_ringing = true;
    switch (q->habit) {
    case CQ_POLL_THEN_ARM:
        cq_drain(q);
        if (is_open(q))
            arm(q);
        break;
    case CQ_ARM_THEN_POLL:
        arm(q);
        cq_drain(q);
        break;
    case CQ_DEFERRED:
    case CQ_LATE_ARM:
    case CQ_POLLS:
    case CQ_HABITS:
        q->is_due = true;
        break;
    }
    if (is_open(q) && !w->is_ending && rng_chance(&w->rng, 200))
        link_act_in_notification(w, q);
    q->is_ringing = false;
}

struct cq *cq_open(struct host *h, uint32_t depth)
{
    struct world *w = h->world;
    struct cq *q = calloc(1, sizeof *q);
    const struct rnic_cq_notify notify = {.call = on_notify, .ctx = q};
    enum sn_status s;

    q->host = h;
    q->depth = depth != 0 ? depth : CQ_DEPTH_AMPLE;
    q->may_overrun = depth != 0;
    q->habit = (enum cq_habit)rng_below(&w->rng, CQ_HABITS);
    s = rnic_cq_create(h->adapter, q->depth, notify, &q->cq);
    if (s != SN_OK) {
        world_fail(w, "creating a CQ answers %s", sn_status_name(s));
        return q;
    }
    q->life = life_born(w, rnic_cq_obj(q->cq));
    q->next = w->cqs;
    w->cqs = q;
    if (q->habit != CQ_POLLS)
        arm(q);
    return q;
}

void cq_visit(struct cq *q)
{
    if (!is_open(q))
        return;
    if (q->habit == CQ_POLLS) {
        poll_some(q);
        return;
    }
    if (q->is_arm_due) {
        q->is_arm_due = false;
        arm(q); /* must fire by itself if something came meanwhile */
        return;
    }
    if ((q->habit != CQ_DEFERRED && q->habit != CQ_LATE_ARM) || !q->is_due)
        return;
    q->is_due = false;
    cq_drain(q);
    if (q->habit == CQ_LATE_ARM) {
        q->is_arm_due = true;
        return;
    }
    arm(q);
    cq_drain(q); /* "poll until empty, arm, poll again" */
}

void cq_resize(struct cq *q)
{
    uint32_t depth = rng_between(&q->host->world->rng, CQ_DEPTH_AMPLE / 2, CQ_DEPTH_AMPLE * 2);
    enum sn_status s;

    if (!is_open(q) || q->may_overrun)
        return;
    s = rnic_cq_resize(q->cq, depth);
    if (s != SN_OK)
        world_fail(q->host->world, "resizing CQ %u answers %s", q->life->number, sn_status_name(s));
    world_log(q->host->world, "CQ %u resized to %u", q->life->number, depth);
}

void cq_moderate(struct cq *q)
{
    struct rng *r = &q->host->world->rng;
    uint32_t interval_us = rng_below(r, 3) * 500;

    q->is_moderated = true;
    if (is_open(q) && rnic_cq_moderate(q->cq, interval_us, rng_below(r, 20)) != SN_OK)
        world_fail(q->host->world, "moderating CQ %u fails", q->life->number);
}

/* A polling thread keeps the home threads away from what is ready; it would find it itself. */
static bool has_poller(const struct host *h)
{
    for (uint32_t i = 0; i < h->adapter->lanes_count; i++) {
        if (sn_a32_load_acquire(&h->adapter->lanes[i]->lane->has_poller) != 0)
            return true;
    }
    return false;
}

void bell_check_quiet(struct world *w)
{
    struct rnic_cqe e;

    for (struct cq *q = w->cqs; q != NULL; q = q->next) {
        /* is_due: told, but it has not looked yet; nobody has to tell it twice. */
        if (!is_open(q) || q->is_due || q->armed != RNIC_ARM_ANY || q->is_overrun ||
            q->is_moderated || has_poller(q->host))
            continue;
        if (rnic_cq_poll(q->cq, &e, 1) != 0) {
            world_fail(w, "notification: CQ %u is armed, holds a completion and says nothing",
                q->life->number);
            return;
        }
    }
}

void cqs_free(struct world *w)
{
    for (struct cq *q = w->cqs, *next; q != NULL; q = next) {
        next = q->next;
        free(q);
    }
}
