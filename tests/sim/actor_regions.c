/* SPDX-License-Identifier: MIT */
/* Fast registration, windows, and their end by the own consumer. */
#include "sim/actor_impl.h"

static bool is_ready(const struct grant *g)
{
    return g->state == GRANT_NONE && g->life != NULL && g->life->state == LIFE_OPEN;
}

static uint32_t random_rights(struct actor *a)
{
    uint32_t rights = MEM_LOCAL_READ | MEM_READ_SINK;

    if (rng_chance(rng_of(a), 700))
        rights |= MEM_REMOTE_WRITE | MEM_LOCAL_WRITE;
    if (rng_chance(rng_of(a), 700))
        rights |= MEM_REMOTE_READ;
    return rights;
}

/* Pages of the arena, in a row or in any order; each once. */
static void choose_pages(struct actor *a, struct grant *g)
{
    uint32_t total = ARENA_OCTETS / SHADOW_PAGE;
    uint32_t first = rng_below(rng_of(a), total - FAST_PAGES_MAX);
    uint32_t step = 1;

    g->pages_count = rng_between(rng_of(a), 1, FAST_PAGES_MAX);
    g->is_scattered = g->pages_count > 1 && rng_chance(rng_of(a), 500);
    if (g->is_scattered)
        step = 1 + 2 * rng_between(rng_of(a), 1, 20); /* odd: no page twice */
    for (uint32_t i = 0; i < g->pages_count; i++)
        g->pages[i] = (first + i * step) % total;
}

void actor_begin_ending(struct grant *g)
{
    grant_changing(g, GRANT_ENDING);
    if (g->kind == GRANT_WINDOW)
        life_stand_off(g->life, g->over->life);
}

static bool fast_register(struct actor *a, struct grant *g)
{
    uint64_t pages[FAST_PAGES_MAX];
    struct mem_fast_reg args;
    struct op *op;
    enum sn_status s;
    uint32_t fbo;

    choose_pages(a, g);
    for (uint32_t i = 0; i < g->pages_count; i++)
        pages[i] = (uint64_t)(uintptr_t)(a->domain->shadow.memory + g->pages[i] * SHADOW_PAGE);
    fbo = rng_chance(rng_of(a), 500) ? 0 : rng_below(rng_of(a), SHADOW_PAGE);
    g->len = rng_between(rng_of(a),
        (g->pages_count - 1) * SHADOW_PAGE + 1 > fbo ? (g->pages_count - 1) * SHADOW_PAGE + 1 - fbo
                                                     : 1,
        g->pages_count * SHADOW_PAGE - fbo);
    g->at = g->pages[0] * SHADOW_PAGE + fbo;
    g->base = (rng_next(rng_of(a)) >> 8 << 12) + fbo;
    g->rights = random_rights(a);
    args = (struct mem_fast_reg){pages, g->pages_count, fbo, g->len, g->base, g->rights};
    op = op_new(world_of(a), a, OP_FAST);
    op->flags = actor_random_flags(a);
    op->grant = g;
    s = rnic_qp_fast_register(a->qp, (void *)(uintptr_t)op->id, g->mr, &args, op->flags);
    if (!actor_is_posted(a, op, s))
        return false;
    g->stag = rnic_mr_stag(g->mr);
    g->only = a;
    grant_changing(g, GRANT_PENDING);
    return true;
}

static bool invalidate(struct actor *a, struct grant *g)
{
    struct op *op = op_new(world_of(a), a, OP_INVALIDATE);

    op->flags = actor_random_flags(a);
    op->grant = g;
    if (!actor_is_posted(a, op,
            rnic_qp_invalidate(a->qp, (void *)(uintptr_t)op->id,
                g->kind == GRANT_FAST ? &g->mr->obj : &g->mw->obj, op->flags)))
        return false;
    actor_begin_ending(g);
    return true;
}

/* Mostly once; or over and over without waiting: requests take effect in order. */
void actor_post_fast_register(struct actor *a)
{
    struct grant *g = &a->domain->grant[SLICES_MAX + rng_below(rng_of(a), FASTS)];
    uint32_t times = rng_chance(rng_of(a), 200) ? rng_between(rng_of(a), 2, 4) : 1;

    if (!is_ready(g) || !fast_register(a, g))
        return;
    while (--times > 0) {
        if (!invalidate(a, g) || !fast_register(a, g))
            return;
    }
}

void actor_post_bind(struct actor *a)
{
    struct grant *g = &a->domain->grant[SLICES_MAX + FASTS + rng_below(rng_of(a), WINDOWS)];
    struct grant *over = &a->domain->grant[rng_below(rng_of(a), a->domain->slices)];
    uint32_t rights = rng_between(rng_of(a), 1, 3);
    struct op *op;
    enum sn_status s;
    uint32_t off;

    if (!is_ready(g) || over->state != GRANT_VALID || over->life->state != LIFE_OPEN)
        return;
    off = rng_below(rng_of(a), over->len);
    g->over = over;
    g->only = a;
    g->at = over->at + off;
    g->len = rng_between(rng_of(a), 1, over->len - off);
    g->base = over->base + off;
    g->rights = (rights & 1 ? MEM_REMOTE_READ : 0u) | (rights & 2 ? MEM_REMOTE_WRITE : 0u);
    op = op_new(world_of(a), a, OP_BIND);
    op->flags = actor_random_flags(a);
    op->grant = g;
    s = rnic_qp_bind(
        a->qp, (void *)(uintptr_t)op->id, over->mr, g->mw, g->base, g->len, g->rights, op->flags);
    if (!actor_is_posted(a, op, s))
        return;
    over->users++;
    g->stag = rnic_mw_stag(g->mw);
    grant_changing(g, GRANT_PENDING);
}

void actor_post_invalidate(struct actor *a)
{
    struct grant *g = &a->domain->grant[rng_between(rng_of(a), SLICES_MAX, GRANTS - 1)];

    if (g->state == GRANT_VALID && g->users == 0 && (g->kind == GRANT_FAST || g->only == a))
        invalidate(a, g);
}
