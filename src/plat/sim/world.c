/* SPDX-License-Identifier: MIT */
/* The world: clock, seed, and which of all possible actions happens next. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "plat/sim/sim_impl.h"

/* splitmix64: every seed, also 0, gives a good sequence. */
static uint64_t next_random(struct sim_world *w)
{
    uint64_t z = w->random_state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t sim_random(struct sim_world *w, uint64_t below)
{
    return below == 0 ? 0 : next_random(w) % below;
}

bool sim_chance(struct sim_world *w, uint32_t permille)
{
    return permille != 0 && sim_random(w, 1000) < permille;
}

uint64_t sim_arrival_ns(struct sim_world *w)
{
    uint64_t max = w->faults.delay_ns_max;

    return w->now_ns + (max == 0 ? 0 : sim_random(w, max + 1));
}

/* ---- life ---- */

void sim_set_faults(struct sim_world *w, const struct sim_faults *faults)
{
    w->faults = faults != NULL ? *faults : (struct sim_faults){0};
}

struct sim_world *sim_world_create(uint64_t seed, const struct sim_faults *faults)
{
    struct sim_world *w = sn_zalloc(sizeof(*w));

    if (w == NULL)
        return NULL;
    w->seed = w->random_state = seed;
    w->now_ns = 1000; /* a clock that starts at 0 hides mistakes */
    sn_list_init(&w->hosts);
    sn_list_init(&w->conns);
    sim_set_faults(w, faults);
    return w;
}

void sim_world_destroy(struct sim_world *w)
{
    SN_ASSERT(sn_list_is_empty(&w->hosts));
    SN_ASSERT(sn_list_is_empty(&w->conns));
    sn_free(w);
}

uint64_t sim_steps(const struct sim_world *w)
{
    return w->steps;
}

void sim_set_tap(struct sim_world *w, sim_tap_fn *tap, void *ctx)
{
    w->tap = tap;
    w->tap_ctx = ctx;
}

/* ---- choosing ---- */

void sim_offer(
    struct sim_pick *pick, void (*run)(void *object, unsigned side), void *object, unsigned side)
{
    if (pick->offered++ == pick->wanted)
        pick->action = (struct sim_action){run, object, side};
}

void sim_offer_at(struct sim_pick *pick, uint64_t due_ns, void (*run)(void *object, unsigned side),
    void *object, unsigned side)
{
    if (due_ns <= pick->world->now_ns)
        sim_offer(pick, run, object, side);
    else if (due_ns < pick->next_due_ns)
        pick->next_due_ns = due_ns;
}

static void each_lane(struct sim_world *w, void (*visit)(struct sim_lane *l))
{
    for (struct sn_list *h = w->hosts.next; h != &w->hosts; h = h->next) {
        struct sim_host *host = SN_CONTAINER_OF(h, struct sim_host, link);

        for (struct sn_list *l = host->lanes.next; l != &host->lanes; l = l->next)
            visit(SN_CONTAINER_OF(l, struct sim_lane, link));
    }
}

static void offer_all(struct sim_pick *pick)
{
    struct sim_world *w = pick->world;

    for (struct sn_list *h = w->hosts.next; h != &w->hosts; h = h->next) {
        struct sim_host *host = SN_CONTAINER_OF(h, struct sim_host, link);

        for (struct sn_list *l = host->lanes.next; l != &host->lanes; l = l->next)
            sim_offer_lane(pick, SN_CONTAINER_OF(l, struct sim_lane, link));
    }
    for (struct sn_list *c = w->conns.next; c != &w->conns; c = c->next)
        sim_offer_conn(pick, SN_CONTAINER_OF(c, struct sim_conn, link));
}

static void maybe_cut_one(struct sim_world *w)
{
    uint64_t open = 0, victim;

    if (w->faults.reset_permyriad == 0 || sim_random(w, 10000) >= w->faults.reset_permyriad)
        return;
    for (struct sn_list *c = w->conns.next; c != &w->conns; c = c->next)
        open++;
    victim = sim_random(w, open);
    for (struct sn_list *c = w->conns.next; c != &w->conns; c = c->next) {
        if (victim-- == 0) {
            sim_conn_cut(SN_CONTAINER_OF(c, struct sim_conn, link));
            return;
        }
    }
}

void sim_reset_all(struct sim_world *w)
{
    for (struct sn_list *c = w->conns.next; c != &w->conns; c = c->next)
        sim_conn_cut(SN_CONTAINER_OF(c, struct sim_conn, link));
}

bool sim_step(struct sim_world *w)
{
    struct sim_pick pick = {.world = w, .wanted = UINT64_MAX, .next_due_ns = UINT64_MAX};

    SN_ASSERT(!w->is_stepping);
    SN_ASSERT(plat_lane_current() == NULL);
    w->is_stepping = true;
    w->steps++;
    maybe_cut_one(w);
    each_lane(w, sim_lane_watch_poller);
    offer_all(&pick);
    if (pick.offered > 0) {
        pick.wanted = sim_random(w, pick.offered);
        pick.offered = 0;
        offer_all(&pick);
        pick.action.run(pick.action.object, pick.action.side);
        w->now_ns += SIM_ACTION_NS;
    } else if (pick.next_due_ns != UINT64_MAX) {
        w->now_ns = pick.next_due_ns;
        pick.offered = 1;
    }
    each_lane(w, sim_lane_maybe_phantom);
    w->is_stepping = false;
    return pick.offered > 0;
}

bool sim_is_idle(struct sim_world *w)
{
    struct sim_pick pick = {.world = w, .wanted = UINT64_MAX, .next_due_ns = UINT64_MAX};

    each_lane(w, sim_lane_watch_poller);
    offer_all(&pick);
    return pick.offered == 0;
}

bool sim_run_until(struct sim_world *w, bool (*is_done)(void *ctx), void *ctx, uint64_t steps_max)
{
    for (uint64_t i = 0; i < steps_max; i++) {
        if (is_done(ctx))
            return true;
        if (!sim_step(w))
            break;
    }
    return is_done(ctx);
}

/* ---- hosts ---- */

static uint64_t sim_now_ns(struct plat *p)
{
    return sim_host_of(p)->world->now_ns;
}

static void sim_plat_random(struct plat *p, void *out, size_t n)
{
    uint8_t *to = out;

    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)next_random(sim_host_of(p)->world);
}

static bool sim_addr_is_local(struct plat *p, uint32_t if_index, const struct plat_addr *a)
{
    (void)if_index; /* a simulated host has one interface */
    return !plat_addr_is_wildcard(a) && sim_host_owns(sim_host_of(p), a);
}

/* Somebody waits for another thread: the threads that are inside lanes get on. */
static void sim_yield(struct plat *p)
{
    each_lane(sim_host_of(p)->world, sim_lane_end_phantom);
}

static void sim_wait(struct plat *p, bool (*is_done)(void *ctx), void *ctx)
{
    struct sim_world *w = sim_host_of(p)->world;

    SN_ASSERT(w->home == NULL);
    while (!is_done(ctx)) {
        if (!sim_step(w)) {
            fprintf(stderr, "softndk sim: waits for what can never happen (seed %llu, step %llu)\n",
                (unsigned long long)w->seed, (unsigned long long)w->steps);
            SN_UNREACHABLE();
        }
    }
}

static void sim_notify(struct plat *p)
{
    (void)p; /* sim_wait looks after every step */
}

static const struct plat_ops sim_ops = {
    .now_ns = sim_now_ns,
    .random = sim_plat_random,
    .addr_is_local = sim_addr_is_local,
    .lane_create = sim_lane_create,
    .lane_destroy = sim_lane_destroy,
    .lane_wake = sim_lane_wake,
    .lane_is_home = sim_lane_is_home,
    .lane_poll = sim_lane_poll,
    .yield = sim_yield,
    .wait = sim_wait,
    .notify = sim_notify,
    .connect = sim_connect,
    .listen = sim_listen,
    .listener_local = sim_listener_local,
    .listener_close = sim_listener_close,
    .reserve = sim_reserve,
    .unreserve = sim_unreserve,
    .readv = sim_pipe_readv,
    .writev = sim_pipe_writev,
    .watch = sim_pipe_watch,
    .shutdown = sim_pipe_shutdown,
    .close = sim_pipe_close,
    .move = sim_pipe_move,
    .emss = sim_pipe_emss,
    .unacked = sim_pipe_unacked,
};

struct plat *sim_host_create(struct sim_world *w, const struct plat_addr *addrs, size_t n)
{
    struct sim_host *h = sn_zalloc(sizeof(*h) + n * sizeof(h->addrs[0]));

    if (h == NULL)
        return NULL;
    h->base.ops = &sim_ops;
    h->world = w;
    sn_list_init(&h->lanes);
    sn_list_init(&h->binds);
    h->addr_count = n;
    for (size_t i = 0; i < n; i++)
        h->addrs[i] = addrs[i];
    sn_list_push_back(&w->hosts, &h->link);
    return &h->base;
}

void sim_host_destroy(struct plat *p)
{
    struct sim_host *h = sim_host_of(p);

    SN_ASSERT(sn_list_is_empty(&h->lanes));
    SN_ASSERT(sn_list_is_empty(&h->binds));
    sn_list_remove(&h->link);
    sn_free(h);
}
