/* SPDX-License-Identifier: MIT */
#include "sim/shadow.h"

#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

void shadow_init(struct shadow *s, struct world *w, const char *name, uint32_t octets)
{
    s->world = w;
    s->name = name;
    s->octets = octets;
    s->memory = aligned_alloc(SHADOW_PAGE, octets);
    s->model = malloc(octets);
    s->granules = calloc(octets / SHADOW_GRANULE, sizeof *s->granules);
    sn_list_init(&s->claims);
    for (uint32_t i = 0; i < octets; i++)
        s->memory[i] = (uint8_t)rng_next(&w->rng);
    memcpy(s->model, s->memory, octets);
}

void shadow_fini(struct shadow *s)
{
    free(s->memory);
    free(s->model);
    free(s->granules);
}

static uint32_t first_granule(const struct piece *p)
{
    return p->at / SHADOW_GRANULE;
}

static uint32_t end_granule(const struct piece *p)
{
    return p->len == 0 ? first_granule(p) : (p->at + p->len - 1) / SHADOW_GRANULE + 1;
}

bool shadow_is_free(const struct piece *p, bool is_write)
{
    for (uint32_t g = first_granule(p); g < end_granule(p); g++) {
        const struct shadow_granule *granule = &p->in->granules[g];

        if (granule->writer != NULL || (is_write && granule->readers > 0))
            return false;
    }
    return true;
}

bool shadow_find(
    struct shadow *s, uint32_t at, uint32_t len, uint32_t want, bool is_write, struct piece *out)
{
    if (want > len)
        want = len;
    for (int tries = 0; tries < 6; tries++) {
        struct piece p = {s, at + rng_below(&s->world->rng, len - want + 1), want};

        if (shadow_is_free(&p, is_write)) {
            *out = p;
            return true;
        }
        want /= 2;
    }
    return false;
}

bool shadow_is_crowded(const struct shadow *s)
{
    return s->under_way > s->octets / 4;
}

void shadow_share(const struct piece *p)
{
    p->in->under_way += p->len;
    for (uint32_t g = first_granule(p); g < end_granule(p); g++)
        p->in->granules[g].readers++;
}

void shadow_unshare(const struct piece *p)
{
    p->in->under_way -= p->len;
    for (uint32_t g = first_granule(p); g < end_granule(p); g++)
        p->in->granules[g].readers--;
}

void shadow_claim(struct claim *c)
{
    c->is_held = true;
    c->piece.in->under_way += c->piece.len;
    for (uint32_t g = first_granule(&c->piece); g < end_granule(&c->piece); g++)
        c->piece.in->granules[g].writer = c;
    sn_list_push_back(&c->piece.in->claims, &c->link);
}

static void drop(struct claim *c)
{
    c->is_held = false;
    c->piece.in->under_way -= c->piece.len;
    for (uint32_t g = first_granule(&c->piece); g < end_granule(&c->piece); g++)
        c->piece.in->granules[g].writer = NULL;
    sn_list_remove(&c->link);
}

/* The octet at `i` of the arena may differ from the model if the claim explains it. */
static bool is_explained(const struct shadow *s, uint32_t i)
{
    const struct claim *c = s->granules[i / SHADOW_GRANULE].writer;
    uint32_t at;

    if (c == NULL || i < c->piece.at || i - c->piece.at >= c->piece.len)
        return false;
    at = i - c->piece.at;
    return c->is_any || (at < c->fresh_len && c->fresh[at] == s->memory[i]);
}

static void check_range(struct shadow *s, uint32_t at, uint32_t len, const char *when)
{
    if (memcmp(s->memory + at, s->model + at, len) == 0)
        return;
    for (uint32_t i = at; i < at + len; i++) {
        if (s->memory[i] == s->model[i] || is_explained(s, i))
            continue;
        world_fail(s->world, "memory: %s+0x%x is %02x, must be %02x (%s%s)", s->name, i,
            s->memory[i], s->model[i], when,
            s->granules[i / SHADOW_GRANULE].writer != NULL ? ", in a granule under way" : "");
        return;
    }
}

/* With its neighbours in the same granules. */
static void check_piece(const struct piece *p, const char *when)
{
    check_range(p->in, first_granule(p) * SHADOW_GRANULE,
        (end_granule(p) - first_granule(p)) * SHADOW_GRANULE, when);
}

void shadow_delivered(struct claim *c, const char *what)
{
    struct shadow *s = c->piece.in;
    uint32_t n = c->fresh_len < c->piece.len ? c->fresh_len : c->piece.len;

    if (!c->is_held)
        return;
    if (n > 0)
        memcpy(s->model + c->piece.at, c->fresh, n);
    drop(c);
    check_piece(&c->piece, what);
}

void shadow_settled(struct claim *c, const char *what)
{
    struct shadow *s = c->piece.in;

    if (!c->is_held)
        return;
    check_piece(&c->piece, what);
    if (c->piece.len > 0)
        memcpy(s->model + c->piece.at, s->memory + c->piece.at, c->piece.len);
    drop(c);
}

void shadow_check(struct shadow *s, const char *when)
{
    check_range(s, 0, s->octets, when);
}

void shadow_scribble(const struct piece *p)
{
    for (uint32_t i = 0; i < p->len; i++)
        p->in->memory[p->at + i] = p->in->model[p->at + i] = (uint8_t)rng_next(&p->in->world->rng);
}

const uint8_t *shadow_octets(const struct piece *p)
{
    return p->in->model + p->at;
}
