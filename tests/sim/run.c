/* SPDX-License-Identifier: MIT */
#include "sim/run.h"

#include <stdio.h>
#include <string.h>

#include "sim/bell.h"
#include "sim/link.h"
#include "sim/stranger.h"
#include "sim/world.h"

enum { CHECK_EVERY = 256, END_STEPS_MAX = 4000000 };

static uint64_t current_seed;

uint64_t run_current_seed(void)
{
    return current_seed;
}

static void tick(struct world *w)
{
    for (uint32_t i = 0; i < w->links_count && !w->has_failed; i++)
        link_tick(w->links[i]);
}

static void check_memory(struct world *w, const char *when)
{
    for (int h = 0; h < HOSTS; h++) {
        for (uint32_t i = 0; i < w->host[h].domains; i++)
            shadow_check(&w->host[h].domain[i]->shadow, when);
    }
}

static uint32_t links_alive(const struct world *w)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->links_count; i++)
        n += !w->links[i]->is_over;
    return n;
}

static struct link *random_link(struct world *w)
{
    uint32_t alive = links_alive(w), n = rng_below(&w->rng, alive);

    for (uint32_t i = 0; i < w->links_count && alive > 0; i++) {
        if (!w->links[i]->is_over && n-- == 0)
            return w->links[i];
    }
    return NULL;
}

static struct cq *random_cq(struct world *w)
{
    uint32_t n = 0;

    for (struct cq *q = w->cqs; q != NULL; q = q->next)
        n++;
    n = rng_below(&w->rng, n);
    for (struct cq *q = w->cqs; q != NULL; q = q->next) {
        if (n-- == 0)
            return q;
    }
    return NULL;
}

/* ---- the consumers' time ---- */

static void violate(struct world *w)
{
    struct host *h = &w->host[rng_below(&w->rng, HOSTS)];
    struct link *l = random_link(w);
    uint32_t kind = rng_below(&w->rng, 40);

    if (kind >= 36 && w->plan.mood == MOOD_ROUGH) {
        domain_deregister(h->domain[rng_below(&w->rng, h->domains)]);
    } else if (kind == 1) {
        h->is_paused = !h->is_paused;
        for (uint32_t i = 0; i < w->links_count; i++) {
            if (!w->links[i]->is_over && !w->links[i]->has_passive)
                link_taint(w->links[i], TAINT_REFUSED);
        }
        rnic_listener_pause(h->listener, h->is_paused);
    } else if (l != NULL) {
        link_break(l);
    }
}

static void register_again(struct world *w)
{
    struct host *h = &w->host[rng_below(&w->rng, HOSTS)];
    struct domain *d = h->domain[rng_below(&w->rng, h->domains)];

    for (uint32_t i = 0; i < d->slices; i++) {
        if (d->grant[i].state == GRANT_NONE && d->grant[i].life->state == LIFE_OPEN)
            domain_register(&d->grant[i]);
    }
}

static void modify_some_srq(struct world *w)
{
    struct host *h = &w->host[rng_below(&w->rng, HOSTS)];

    domain_modify_srq(h->domain[rng_below(&w->rng, h->domains)]);
}

static void act(struct world *w)
{
    struct link *l;

    w->stats.actions++;
    if (rng_chance(&w->rng, w->plan.violence_permille)) {
        violate(w);
        return;
    }
    if (rng_chance(&w->rng, w->plan.strangers_permille))
        stranger_begin(w);
    if (rng_chance(&w->rng, 20))
        strangers_tick(w, false);
    if (rng_chance(&w->rng, 250)) {
        cq_visit(random_cq(w));
        return;
    }
    if (rng_chance(&w->rng, 4))
        cq_resize(random_cq(w));
    if (rng_chance(&w->rng, 2))
        cq_moderate(random_cq(w));
    if (rng_chance(&w->rng, 5))
        register_again(w);
    if (rng_chance(&w->rng, 5))
        modify_some_srq(w);
    if (links_alive(w) < w->plan.links_max && rng_chance(&w->rng, 100)) {
        link_begin(w);
        return;
    }
    l = random_link(w);
    if (l == NULL)
        return;
    if (link_is_up(l) && rng_chance(&w->rng, w->plan.end_link_permille))
        link_part(l);
    else
        link_act(l);
}

/* Something that is owed is done. False: nothing is. */
static bool pay(struct world *w)
{
    uint32_t first = rng_below(&w->rng, w->links_count);

    for (uint32_t i = 0; i < w->links_count; i++) {
        if (link_pay(w->links[(first + i) % w->links_count]))
            return true;
    }
    return false;
}

static void visit_all(struct world *w)
{
    for (struct cq *q = w->cqs; q != NULL && !w->has_failed; q = q->next)
        cq_visit(q);
}

static void work(struct world *w, uint32_t steps)
{
    for (uint32_t i = 0; i < steps && !w->has_failed; i++) {
        if (rng_chance(&w->rng, w->plan.act_permille))
            act(w);
        else if (sim_is_idle(w->sim) && !rng_chance(&w->rng, 20)) {
            /* Time would pass: mostly consumers are quicker. */
            visit_all(w);
            if (!pay(w))
                world_step(w);
        } else {
            world_step(w);
        }
        tick(w);
        if (i % CHECK_EVERY == 0)
            check_memory(w, "at work");
    }
}

/* ---- the end ---- */

static void calm_down(struct world *w)
{
    struct sim_faults f = w->plan.faults;

    f.lane_busy_permille = 0;
    f.reset_permyriad = 0;
    sim_set_faults(w->sim, &f);
    w->is_ending = true;
    world_log(w, "the end begins");
}

static void resume_listening(struct world *w)
{
    for (int i = 0; i < HOSTS; i++) {
        if (w->host[i].is_paused)
            rnic_listener_pause(w->host[i].listener, false);
    }
}

/* Those that are well finish what they have; the others are closed. */
static void part_all(struct world *w)
{
    for (uint32_t i = 0; i < w->links_count; i++) {
        struct link *l = w->links[i];

        if (l->is_over)
            continue;
        link_part(l);
        if (l->taint != 0 && !link_is_up(l) && l->since_ns == 0)
            l->is_failed = true;
    }
}

/* A connection to which something was done may stand still for ever by right: close it then. */
static bool give_up_tainted(struct world *w)
{
    for (uint32_t i = 0; i < w->links_count; i++) {
        struct link *l = w->links[i];

        if (!l->is_over && !l->is_failed && (l->taint & ~(uint32_t)TAINT_PARTING) != 0) {
            link_taint(l, TAINT_LEFT);
            l->is_failed = true;
            l->actor[0].is_over = l->actor[1].is_over = true;
            return true;
        }
    }
    return false;
}

static void say_who_is_stuck(struct world *w)
{
    for (uint32_t i = 0; i < w->links_count; i++) {
        const struct link *l = w->links[i];

        if (l->is_over)
            continue;
        world_fail(w,
            "stuck: link %u (taint 0x%x%s%s): side 0 has %u requests, %u receives, %s QP; side 1 "
            "has %u "
            "and %u, %s QP",
            l->number, l->taint, link_is_up(l) ? ", up" : "", l->is_failed ? ", failed" : "",
            l->actor[0].sq.count, l->actor[0].rq.count, l->actor[0].is_settled ? "no" : "a",
            l->actor[1].sq.count, l->actor[1].rq.count, l->actor[1].is_settled ? "no" : "a");
        return;
    }
}

static void drain_all(struct world *w)
{
    for (struct cq *q = w->cqs; q != NULL && !w->has_failed; q = q->next)
        cq_drain(q);
}

/* The consumers do what they can. False: nothing. */
static bool consumers_get_on(struct world *w)
{
    uint64_t seen = w->stats.completions;

    if (sim_is_idle(w->sim))
        bell_check_quiet(w);
    visit_all(w);
    drain_all(w);
    return pay(w) || w->stats.completions != seen;
}

/* The world goes on with nobody polling, or it would wait for the polling threads for ever. False:
 * it stands still. */
static bool world_gets_on(struct world *w)
{
    for (int i = 0; i < 200 && !w->has_failed; i++) {
        if (!world_step(w))
            return false;
        tick(w);
    }
    return true;
}

static void finish_links(struct world *w)
{
    for (uint32_t i = 0; i < END_STEPS_MAX && !w->has_failed && links_alive(w) > 0; i++) {
        if (!sim_is_idle(w->sim) && rng_chance(&w->rng, 800)) {
            world_step(w);
        } else if (!consumers_get_on(w) && !world_gets_on(w)) {
            tick(w);
            /* Completions may have come to consumers that poll. */
            if (!consumers_get_on(w) && links_alive(w) > 0 && !give_up_tainted(w))
                say_who_is_stuck(w);
        }
        tick(w);
    }
    if (links_alive(w) > 0)
        world_fail(w, "stuck: the end does not end");
    check_memory(w, "at the end");
}

/* ---- closing what the hosts have ---- */

static void close_one(struct world *w, struct life *l)
{
    for (int h = 0; h < HOSTS; h++) {
        for (uint32_t i = 0; i < w->host[h].domains; i++) {
            for (int g = 0; g < GRANTS; g++) {
                struct grant *grant = &w->host[h].domain[i]->grant[g];

                if (grant->life == l) {
                    grant_close(grant);
                    return;
                }
            }
        }
    }
    life_close(l);
}

/* Any open object, antecedents as likely as successors. False: none is open. */
static bool close_any(struct world *w)
{
    struct life *chosen = NULL;
    uint32_t n = 0;

    for (struct life *l = w->lives; l != NULL; l = l->next) {
        if (l->state == LIFE_OPEN && rng_below(&w->rng, ++n) == 0)
            chosen = l;
    }
    if (chosen != NULL)
        close_one(w, chosen);
    return chosen != NULL;
}

static void close_all(struct world *w)
{
    strangers_tick(w, true);
    for (uint32_t i = 0; i < END_STEPS_MAX && !w->has_failed && close_any(w); i++) {
        for (uint32_t n = rng_below(&w->rng, 4); n > 0; n--)
            world_step(w);
        tick(w);
    }
}

/* In the middle of everything, all objects in any order. */
static void walk_out(struct world *w)
{
    for (uint32_t i = 0; i < w->links_count; i++) {
        struct link *l = w->links[i];

        if (l->is_over)
            continue;
        link_taint(l, TAINT_LEFT | TAINT_ACCESS);
        l->is_failed = true;
        l->actor[0].is_over = l->actor[1].is_over = true;
    }
    close_all(w);
}

static void end(struct world *w)
{
    calm_down(w);
    if (w->plan.mood >= MOOD_ABRUPT && rng_chance(&w->rng, 400)) {
        walk_out(w);
    } else {
        resume_listening(w);
        part_all(w);
        finish_links(w);
        close_all(w);
    }
}

void run_seed(const struct run_options *o, struct run_result *out)
{
    static struct world w;

    current_seed = o->seed;
    world_open(&w, o->seed, o->is_verbose);
    world_log(&w, "seed %llu, mood %s, %u steps", (unsigned long long)o->seed,
        mood_name(w.plan.mood), w.plan.steps);
    for (int i = 0; i < HOSTS; i++) {
        const struct rnic_options *h = &w.plan.options[i];

        world_log(&w,
            "host %d: revision %u, crc %d, markers %d, rtr %u, ird %u, ord %u, payload %u, lanes "
            "%u",
            i, h->mpa.revision, (int)h->mpa.crc, h->mpa.markers, h->mpa.rtr, h->mpa.ird_max,
            h->mpa.ord_max, h->payload_max, h->lanes);
    }
    work(&w, o->steps != 0 ? o->steps : w.plan.steps);
    if (!w.has_failed)
        end(&w);
    out->mood = mood_name(w.plan.mood);
    out->steps = sim_steps(w.sim);
    out->completions = w.stats.completions;
    out->octets = w.stats.octets;
    out->connects = w.stats.connects;
    if (!w.has_failed)
        world_close(&w);
    out->hash = w.hash;
    out->has_failed = w.has_failed;
    memcpy(out->why, w.why, sizeof out->why);
}
