/* SPDX-License-Identifier: MIT */
/*
 * Simulated lanes. What a home thread would do is offered one piece at a time. A phantom is a
 * thread of somebody else that sits inside a lane for some steps: plat_lane_enter fails meanwhile,
 * what is left is left to it, and it does it on its way out.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "plat/sim/sim_impl.h"

static struct sim_world *world_of(struct sim_lane *l)
{
    return sim_host_of(l->base.plat)->world;
}

static bool is_polled(const struct sim_lane *l)
{
    return sn_a32_load_relaxed(&l->base.has_poller) != 0;
}

/* ---- phantoms and pollers ---- */

static void step_seq(struct sim_lane *l)
{
    sn_a64_fetch_add(&l->base.seq, 1);
}

void sim_lane_maybe_phantom(struct sim_lane *l)
{
    struct sim_world *w = world_of(l);

    if (l->has_phantom || !sim_chance(w, w->faults.lane_busy_permille))
        return;
    sn_a32_fetch_or(&l->base.state, PLAT_LANE_TAKEN); /* between steps nobody is inside */
    step_seq(l);
    l->has_phantom = true;
}

/* Goes without a look back: what was left waits for the home thread. */
void sim_lane_end_phantom(struct sim_lane *l)
{
    if (!l->has_phantom)
        return;
    l->has_phantom = false;
    step_seq(l);
    sn_a32_fetch_and(&l->base.state, ~(uint32_t)PLAT_LANE_TAKEN);
}

void sim_lane_watch_poller(struct sim_lane *l)
{
    uint32_t ticks = sn_a32_load_relaxed(&l->base.poll_ticks);

    if (!is_polled(l) || ticks == l->seen_ticks)
        return;
    l->seen_ticks = ticks;
    l->poller_gone_ns = world_of(l)->now_ns + SIM_POLLER_GONE_NS;
}

/* ---- actions ---- */

static void enter_free(struct sim_lane *l)
{
    bool is_inside = plat_lane_enter(&l->base);

    SN_ASSERT(is_inside);
}

static void phantom_leaves(void *object, unsigned side)
{
    struct sim_lane *l = object;

    (void)side;
    sim_lane_end_phantom(l);
    enter_free(l);
    plat_lane_leave(&l->base);
}

static void ask_phantom_for_sockets(void *object, unsigned side)
{
    struct sim_lane *l = object;

    (void)side;
    sn_a32_fetch_or(&l->base.state, PLAT_LANE_SOCKETS);
}

static void run_calls(void *object, unsigned side)
{
    struct sim_lane *l = object;
    struct sim_world *w = world_of(l);

    (void)side;
    w->home = &l->base;
    plat_lane_run_calls(&l->base);
    w->home = NULL;
}

static void do_left_work(void *object, unsigned side)
{
    struct sim_lane *l = object;
    struct sim_world *w = world_of(l);

    (void)side;
    w->home = &l->base;
    enter_free(l);
    plat_lane_leave(&l->base);
    w->home = NULL;
}

static void fire_timers(void *object, unsigned side)
{
    struct sim_lane *l = object;
    struct sim_world *w = world_of(l);

    (void)side;
    w->home = &l->base;
    enter_free(l);
    plat_lane_run_timers(&l->base);
    plat_lane_leave(&l->base);
    w->home = NULL;
}

static void poller_is_gone(void *object, unsigned side)
{
    struct sim_lane *l = object;

    (void)side;
    sn_a32_store_release(&l->base.has_poller, 0);
}

/* ---- sockets ---- */

static void offer_sockets(struct sim_pick *pick, struct sim_lane *l)
{
    for (struct sn_list *p = l->pipes.next; p != &l->pipes; p = p->next)
        sim_offer_pipe(pick, SN_CONTAINER_OF(p, struct sim_pipe, link));
    for (struct sn_list *s = l->listeners.next; s != &l->listeners; s = s->next)
        sim_offer_listener(pick, SN_CONTAINER_OF(s, struct sim_listener, link));
}

/* One ready pipe or listener, chosen by the seed; inside. False: none is ready. */
static bool serve_one(struct sim_lane *l)
{
    struct sim_pick pick = {.world = world_of(l), .wanted = UINT64_MAX, .next_due_ns = UINT64_MAX};

    offer_sockets(&pick, l);
    if (pick.offered == 0)
        return false;
    pick.wanted = sim_random(pick.world, pick.offered);
    pick.offered = 0;
    offer_sockets(&pick, l);
    pick.action.run(pick.action.object, pick.action.side);
    return true;
}

static void serve_sockets(void *object, unsigned side)
{
    struct sim_lane *l = object;
    struct sim_world *w = world_of(l);

    (void)side;
    w->poll_round++;
    w->home = &l->base;
    enter_free(l);
    serve_one(l);
    plat_lane_leave(&l->base);
    w->home = NULL;
}

unsigned sim_lane_poll(struct plat_lane *lane)
{
    struct sim_lane *l = sim_lane_of(lane);
    unsigned served = 0;

    world_of(l)->poll_round++; /* each is served once, however ready it stays */
    while (serve_one(l))
        served++;
    plat_lane_run_timers(lane);
    return served;
}

static bool are_sockets_ready(struct sim_pick *pick, struct sim_lane *l)
{
    struct sim_pick count = {.world = pick->world, .wanted = UINT64_MAX, .next_due_ns = UINT64_MAX};

    pick->world->poll_round++;
    offer_sockets(&count, l);
    return count.offered > 0;
}

void sim_offer_lane(struct sim_pick *pick, struct sim_lane *l)
{
    uint32_t state = sn_a32_load_relaxed(&l->base.state);
    uint64_t deadline = sn_a64_load_relaxed(&l->base.next_deadline_ns);
    bool is_ready = !is_polled(l) && are_sockets_ready(pick, l);

    if (sn_aptr_load_relaxed(&l->base.calls) != NULL)
        sim_offer(pick, run_calls, l, 0);
    if (is_polled(l))
        sim_offer_at(pick, l->poller_gone_ns, poller_is_gone, l, 0);
    if (l->has_phantom) {
        sim_offer(pick, phantom_leaves, l, 0);
        if (is_ready && (state & PLAT_LANE_SOCKETS) == 0)
            sim_offer(pick, ask_phantom_for_sockets, l, 0);
        return;
    }
    if ((state & (PLAT_LANE_WORK | PLAT_LANE_SOCKETS)) != 0)
        sim_offer(pick, do_left_work, l, 0);
    if (is_polled(l))
        return;
    if (is_ready)
        sim_offer(pick, serve_sockets, l, 0);
    if (deadline != UINT64_MAX)
        sim_offer_at(pick, deadline, fire_timers, l, 0);
}

/* ---- life ---- */

enum sn_status sim_lane_create(
    struct plat *p, const struct plat_lane_ops *ops, void *ctx, struct plat_lane **out)
{
    struct sim_lane *l = sn_zalloc_aligned(sizeof(*l));

    if (l == NULL)
        return SN_NO_MEMORY;
    plat_lane_init(&l->base, p, ops, ctx);
    sn_list_init(&l->pipes);
    sn_list_init(&l->listeners);
    sn_list_push_back(&sim_host_of(p)->lanes, &l->link);
    *out = &l->base;
    return SN_OK;
}

void sim_lane_destroy(struct plat_lane *lane)
{
    struct sim_lane *l = sim_lane_of(lane);

    SN_ASSERT(world_of(l)->home == NULL);
    sim_lane_end_phantom(l);
    while (sn_aptr_load_relaxed(&lane->calls) != NULL || sn_a32_load_relaxed(&lane->state) != 0) {
        run_calls(l, 0);
        do_left_work(l, 0);
    }
    SN_ASSERT(sn_list_is_empty(&l->pipes));
    SN_ASSERT(sn_list_is_empty(&l->listeners));
    SN_ASSERT(sn_list_is_empty(&lane->timers));
    sn_list_remove(&l->link);
    sn_free_aligned(l);
}

void sim_lane_wake(struct plat_lane *lane)
{
    (void)lane; /* sim_offer_lane sees what there is to do */
}

bool sim_lane_is_home(const struct plat_lane *lane)
{
    const struct sim_host *h = SN_CONTAINER_OF((uintptr_t)lane->plat, struct sim_host, base);

    return h->world->home == lane;
}
