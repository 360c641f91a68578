/* SPDX-License-Identifier: MIT */
#include "sim/domain.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/link.h"
#include "sim/op.h"
#include "sim/world.h"

enum {
    ALL_RIGHTS =
        MEM_LOCAL_READ | MEM_LOCAL_WRITE | MEM_REMOTE_READ | MEM_REMOTE_WRITE | MEM_READ_SINK
};

static struct rng *rng_of(const struct domain *d)
{
    return &d->host->world->rng;
}

/* ---- slices ---- */

/* Anywhere, page-aligned or not; now and then the region ends exactly at 2^64. */
static uint64_t random_base(struct rng *r, uint32_t len)
{
    uint32_t shift = rng_between(r, 1, 40);

    if (rng_chance(r, 100))
        return 0u - (uint64_t)len;
    return rng_next(r) >> shift;
}

void domain_register(struct grant *g)
{
    struct rng *r = rng_of(g->domain);
    enum sn_status s;

    g->base = random_base(r, g->len);
    g->rights = ALL_RIGHTS;
    if (rng_chance(r, 150))
        g->rights &= ~(uint32_t)(rng_chance(r, 500) ? MEM_REMOTE_READ : MEM_READ_SINK);
    s = rnic_mr_register(g->mr, g->domain->shadow.memory + g->at, g->base, g->len, g->rights);
    if (s != SN_OK)
        world_fail(g->domain->host->world, "registering memory answers %s", sn_status_name(s));
    g->stag = rnic_mr_stag(g->mr);
    g->state = GRANT_VALID;
}

static void open_slices(struct domain *d)
{
    uint32_t at = 0;

    d->slices = rng_between(rng_of(d), 1, SLICES_MAX);
    for (uint32_t i = 0; i < d->slices; i++) {
        struct grant *g = &d->grant[i];
        uint32_t pages = (ARENA_OCTETS - at) / SHADOW_PAGE;

        g->kind = GRANT_SLICE;
        g->at = at;
        g->len = i + 1 == d->slices ? ARENA_OCTETS - at
                                    : SHADOW_PAGE * rng_between(rng_of(d), 4, pages - 8);
        at += g->len;
        if (rnic_mr_create(d->pd, false, &g->mr) != SN_OK) {
            world_fail(d->host->world, "creating an MR failed");
            return;
        }
        g->life = life_born(d->host->world, &g->mr->obj);
        life_stand_on(g->life, d->life);
        domain_register(g);
        if (at + 12 * SHADOW_PAGE >= ARENA_OCTETS && i + 1 < d->slices) {
            d->slices = i + 1;
            break;
        }
    }
}

/* What goes through it, now or later, moves nothing any more. */
static void freeze(struct grant *g)
{
    struct sn_list *claims = &g->domain->shadow.claims;

    g->state = GRANT_NONE;
    for (struct sn_list *n = claims->next, *next; n != claims; n = next) {
        struct claim *c = SN_CONTAINER_OF(n, struct claim, link);

        next = n->next;
        if (c->via == g)
            shadow_settled(c, "access was taken away");
    }
}

void domain_deregister(struct domain *d)
{
    struct world *w = d->host->world;
    struct grant *g = &d->grant[rng_below(&w->rng, d->slices)];
    enum sn_status s;

    if (g->life->state != LIFE_OPEN || g->state != GRANT_VALID)
        return;
    for (uint32_t i = 0; i < w->links_count; i++) {
        for (int side = 0; side < 2; side++) {
            if (w->links[i]->actor[side].domain == d)
                link_taint(w->links[i], TAINT_ACCESS);
        }
    }
    s = rnic_mr_deregister(g->mr);
    world_log(
        w, "%s: deregister slice %u -> %s", d->name, (uint32_t)(g - d->grant), sn_status_name(s));
    if (s == SN_BUSY) /* windows are bound to it */
        return;
    if (s != SN_OK) {
        world_fail(w, "deregistering answers %s", sn_status_name(s));
        return;
    }
    d->is_spoiled = true;
    freeze(g);
}

void grant_changing(struct grant *g, enum grant_state meanwhile)
{
    g->changes++;
    g->state = meanwhile;
}

void grant_changed(struct grant *g, enum grant_state now, bool is_ok)
{
    g->changes--;
    if (!is_ok)
        g->is_lost = true;
    if (g->changes == 0)
        g->state = g->is_lost ? GRANT_UNKNOWN : now;
}

static bool has_windows(const struct grant *g)
{
    for (int i = 0; i < WINDOWS; i++) {
        const struct grant *window = &g->domain->grant[SLICES_MAX + FASTS + i];

        if (window->over == g && window->state != GRANT_NONE && window->life->state != LIFE_CLOSED)
            return true;
    }
    return false;
}

void grant_close(struct grant *g)
{
    if (g->life == NULL || g->life->state != LIFE_OPEN || g->changes > 0)
        return;
    life_close(g->life);
    if (g->kind == GRANT_SLICE && has_windows(g))
        g->state = GRANT_UNKNOWN; /* they keep it accessible */
    else
        freeze(g);
}

/* ---- fast regions and windows ---- */

static void open_fasts(struct domain *d)
{
    for (int i = 0; i < FASTS; i++) {
        struct grant *g = &d->grant[SLICES_MAX + i];

        g->kind = GRANT_FAST;
        if (rnic_mr_create(d->pd, true, &g->mr) != SN_OK ||
            rnic_mr_fast_init(g->mr, FAST_PAGES_MAX, true) != SN_OK) {
            world_fail(d->host->world, "creating a fast MR failed");
            return;
        }
        g->life = life_born(d->host->world, &g->mr->obj);
        life_stand_on(g->life, d->life);
    }
}

static void open_windows(struct domain *d)
{
    for (int i = 0; i < WINDOWS; i++) {
        struct grant *g = &d->grant[SLICES_MAX + FASTS + i];

        g->kind = GRANT_WINDOW;
        if (rnic_mw_create(d->pd, &g->mw) != SN_OK) {
            world_fail(d->host->world, "creating an MW failed");
            return;
        }
        g->life = life_born(d->host->world, &g->mw->obj);
        life_stand_on(g->life, d->life);
    }
}

/* ---- shared receive queue ---- */

static void on_srq_notify(const struct rnic_srq_notify *n, enum sn_status status)
{
    struct domain *d = n->ctx;

    life_heard(d->srq_life, "SRQ notification");
    if (status != SN_OK || d->srq_notified >= d->srq_armed)
        world_fail(d->host->world, "notification: SRQ %u says %s, %u times after %u arms",
            d->srq_life->number, sn_status_name(status), d->srq_notified + 1, d->srq_armed);
    d->srq_notified++;
}

static void notify_fn(void)
{
}

static void srq_gone(void *ctx)
{
    struct domain *d = ctx;
    struct world *w = d->host->world;

    for (uint32_t i = 0; i < w->ops_count; i++) {
        struct op *op = w->ops[i];

        if (op->domain == d && !op->is_done)
            op_release_local(op, false);
    }
}

static void open_srq(struct domain *d)
{
    const struct rnic_srq_notify notify = {.call = on_srq_notify, .fn = notify_fn, .ctx = d};
    uint32_t threshold = rng_between(rng_of(d), 0, 3);

    d->srq_depth = rng_between(rng_of(d), 4, 100);
    d->srq_armed = threshold > 0;
    if (rnic_srq_create(d->pd, d->srq_depth, OP_SGES_MAX, threshold, notify, &d->srq) != SN_OK) {
        world_fail(d->host->world, "creating an SRQ failed");
        return;
    }
    d->srq_life = life_born(d->host->world, rnic_srq_obj(d->srq));
    d->srq_life->gone = srq_gone;
    d->srq_life->ctx = d;
    life_stand_on(d->srq_life, d->life);
}

void domain_modify_srq(struct domain *d)
{
    struct rng *r = rng_of(d);
    uint32_t depth = rng_chance(r, 500) ? 0 : rng_between(r, 1, 120);
    uint32_t threshold = rng_below(r, 6);
    enum sn_status s;

    if (d->srq == NULL || d->srq_life->state != LIFE_OPEN)
        return;
    if (threshold > 0)
        d->srq_armed++;
    s = rnic_srq_modify(d->srq, depth, threshold);
    world_log(d->host->world, "%s: SRQ depth %u threshold %u -> %s", d->name, depth, threshold,
        sn_status_name(s));
    /* Some that are posted may be taken by now and only not be seen yet. */
    if (s == SN_OK && depth != 0)
        d->srq_depth = depth;
    else if (s != SN_OK && (s != SN_MSG_TOO_LONG || depth == 0 || d->srq_posted <= depth))
        world_fail(d->host->world, "modifying an SRQ answers %s", sn_status_name(s));
}

struct domain *domain_open(struct host *h, uint32_t index)
{
    struct domain *d = calloc(1, sizeof *d);

    d->host = h;
    snprintf(d->name, sizeof d->name, "arena %u.%u", h->index, index);
    shadow_init(&d->shadow, h->world, d->name, ARENA_OCTETS);
    for (int i = 0; i < GRANTS; i++)
        d->grant[i].domain = d;
    if (rnic_pd_create(h->adapter, &d->pd) != SN_OK) {
        world_fail(h->world, "creating a PD failed");
        return d;
    }
    d->life = life_born(h->world, &d->pd->obj);
    open_slices(d);
    open_fasts(d);
    open_windows(d);
    if (rng_chance(rng_of(d), h->world->plan.srq_permille))
        open_srq(d);
    return d;
}

void domain_free(struct domain *d)
{
    shadow_fini(&d->shadow);
    free(d);
}

/* ---- places ---- */

struct place grant_place(struct grant *g, struct piece piece)
{
    struct place p = {.piece = piece, .via = g, .stag = g->stag};

    if (!g->is_scattered) {
        p.to = g->base + (piece.at - g->at);
        return p;
    }
    for (uint32_t i = 0; i < g->pages_count; i++) {
        if (g->pages[i] == piece.at / SHADOW_PAGE)
            p.to = g->base - g->at % SHADOW_PAGE + i * SHADOW_PAGE + piece.at % SHADOW_PAGE;
    }
    return p;
}

bool grant_find(struct grant *g, uint32_t want, bool is_write, struct piece *out)
{
    struct shadow *s = &g->domain->shadow;
    uint32_t i, from, to;

    if (!g->is_scattered)
        return shadow_find(s, g->at, g->len, want, is_write, out);
    /* `at` counts from the first page in the order of the list; len ends in the last. */
    i = rng_below(rng_of(g->domain), g->pages_count);
    from = i == 0 ? g->at % SHADOW_PAGE : 0;
    to = g->at % SHADOW_PAGE + g->len - i * SHADOW_PAGE;
    if (to > SHADOW_PAGE)
        to = SHADOW_PAGE;
    return shadow_find(s, g->pages[i] * SHADOW_PAGE + from, to - from, want, is_write, out);
}

/* May a request of this actor name it as its own memory? What he registers just now he may:
 * requests start in order. */
static bool is_usable_locally(const struct grant *g, const struct actor *by, enum use use)
{
    if (g->kind == GRANT_SLICE)
        return g->state == GRANT_VALID;
    if (g->kind != GRANT_FAST || use == USE_RECEIVE)
        return false;
    if (use == USE_SINK && !(g->rights & MEM_LOCAL_WRITE))
        return false;
    return g->state == GRANT_VALID || (g->state == GRANT_PENDING && g->only == by);
}

bool domain_find(
    struct domain *d, const struct actor *by, uint32_t want, enum use use, struct place *out)
{
    bool needs_right =
        use == USE_SINK && d->host->world->plan.options[d->host->index].require_read_sink;
    struct grant *g = rng_chance(rng_of(d), 200)
                          ? &d->grant[SLICES_MAX + rng_below(rng_of(d), FASTS)]
                          : &d->grant[rng_below(rng_of(d), d->slices)];
    struct piece piece;

    /* Whether a region has the right is looked at when the Read is posted, too. */
    if (needs_right && (!(g->rights & MEM_READ_SINK) || g->state != GRANT_VALID))
        return false;
    if (!is_usable_locally(g, by, use) || !grant_find(g, want, use != USE_SOURCE, &piece))
        return false;
    *out = grant_place(g, piece);
    if (!needs_right && g->kind == GRANT_SLICE && rng_chance(rng_of(d), 250)) {
        out->via = NULL;
        out->stag = rnic_pd_privileged_stag(d->pd);
        out->to = (uint64_t)(uintptr_t)(d->shadow.memory + piece.at);
    }
    return true;
}

bool domain_find_remote(
    struct domain *d, const struct actor *target, uint32_t right, uint32_t want, struct place *out)
{
    struct grant *g = &d->grant[rng_below(rng_of(d), GRANTS)];
    struct piece piece;

    if (g->state != GRANT_VALID || !(g->rights & right) ||
        (g->kind == GRANT_WINDOW && g->only != target) ||
        !grant_find(g, want, right == MEM_REMOTE_WRITE, &piece))
        return false;
    *out = grant_place(g, piece);
    return true;
}
