/* SPDX-License-Identifier: MIT */
#include "sim/life.h"

#include <stdlib.h>

#include "sim/scarce.h"
#include "sim/world.h"

struct life *life_born(struct world *w, struct rnic_obj *obj)
{
    struct life *l = calloc(1, sizeof *l);

    l->world = w;
    l->obj = obj;
    l->kind = rnic_kind_name(obj->class->kind);
    l->number = w->lives_count++;
    l->next = w->lives;
    w->lives = l;
    return l;
}

void life_stand_on(struct life *l, struct life *antecedent)
{
    for (int i = 0; i < LIFE_ANTECEDENTS_MAX; i++) {
        if (l->on[i] == NULL) {
            l->on[i] = antecedent;
            antecedent->successors++;
            return;
        }
    }
    world_fail(l->world, "simulation: %s %u stands on too much", l->kind, l->number);
}

void life_stand_off(struct life *l, struct life *antecedent)
{
    for (int i = 0; i < LIFE_ANTECEDENTS_MAX; i++) {
        if (l->on[i] == antecedent) {
            l->on[i] = NULL;
            antecedent->successors--;
            return;
        }
    }
}

static void is_gone(struct life *l, const char *how)
{
    world_log(l->world, "%s %u closed %s", l->kind, l->number, how);
    if (l->successors > 0)
        world_fail(l->world, "close: %s %u is closed before %u that stand on it", l->kind,
            l->number, l->successors);
    if (l->asks > 0)
        world_fail(l->world, "close: %s %u is closed with %u requests unanswered", l->kind,
            l->number, l->asks);
    l->state = LIFE_CLOSED;
    if (l->gone != NULL)
        l->gone(l->ctx);
    for (int i = 0; i < LIFE_ANTECEDENTS_MAX; i++) {
        if (l->on[i] != NULL)
            life_stand_off(l, l->on[i]);
    }
}

static void close_done(const struct rnic_done *d, enum sn_status status)
{
    struct life *l = d->ctx;

    if (status != SN_OK)
        world_fail(
            l->world, "close: %s %u completes with %s", l->kind, l->number, sn_status_name(status));
    if (l->state != LIFE_CLOSING)
        world_fail(l->world, "close: %s %u completes its close in state %d", l->kind, l->number,
            (int)l->state);
    else
        is_gone(l, "by callback");
}

void life_close(struct life *l)
{
    const struct rnic_done done = {.call = close_done, .ctx = l};
    enum sn_status s;

    if (l->state != LIFE_OPEN)
        return;
    world_log(l->world, "close %s %u", l->kind, l->number);
    l->state = LIFE_CLOSING;
    s = rnic_obj_close(l->obj, done);
    if (s == SN_OK && l->state == LIFE_CLOSING)
        is_gone(l, "inline");
    else if (s != SN_PENDING)
        world_fail(l->world, "close: of %s %u answers %s", l->kind, l->number, sn_status_name(s));
}

void life_heard(struct life *l, const char *what)
{
    scarce_off(); /* the consumer acts from here to the end of the step */
    world_log(l->world, "%s %u: %s", l->kind, l->number, what);
    if (l->state == LIFE_CLOSED)
        world_fail(
            l->world, "close: %s of %s %u after its close completed", what, l->kind, l->number);
}

static void answer(const struct rnic_done *d, enum sn_status status)
{
    struct ask *a = d->ctx;
    struct life *l = a->life;

    world_log(
        l->world, "%s %u: %s answered %s", l->kind, l->number, a->what, sn_status_name(status));
    if (!a->is_pending || a->is_posing) {
        world_fail(
            l->world, "close: %s %u answers %s that does not pend", l->kind, l->number, a->what);
        return;
    }
    life_heard(l, a->what);
    if (status == SN_PENDING)
        world_fail(l->world, "close: %s %u answers %s with PENDING", l->kind, l->number, a->what);
    a->is_pending = false;
    a->answered(a->ctx, status);
    l->asks--;
}

struct rnic_done life_ask(struct ask *a, struct life *l, const char *what,
    void (*answered)(void *ctx, enum sn_status status), void *ctx)
{
    *a = (struct ask){l, what, true, true, answered, ctx};
    l->asks++;
    return (struct rnic_done){.call = answer, .ctx = a};
}

enum sn_status life_asked(struct ask *a, enum sn_status status)
{
    a->is_posing = false;
    world_log(a->life->world, "%s %u: %s -> %s", a->life->kind, a->life->number, a->what,
        sn_status_name(status));
    if (status != SN_PENDING) {
        a->is_pending = false;
        a->life->asks--;
    }
    return status;
}
