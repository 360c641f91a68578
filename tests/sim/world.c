/* SPDX-License-Identifier: MIT */
#include "sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sim/bell.h"
#include "sim/domain.h"
#include "sim/link.h"
#include "sim/op.h"
#include "sim/scarce.h"
#include "sim/stranger.h"

enum { LISTEN_PORT = 5445 };

/* FNV-1a. */
static void hash(struct world *w, const void *p, size_t n)
{
    const uint8_t *at = p;

    for (size_t i = 0; i < n; i++)
        w->hash = (w->hash ^ at[i]) * UINT64_C(0x100000001b3);
}

void world_log(struct world *w, const char *format, ...)
{
    char line[256];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    hash(w, line, strlen(line));
    if (w->is_verbose)
        printf("%8llu %12llu ns  %s\n", (unsigned long long)sim_steps(w->sim),
            (unsigned long long)world_now_ns(w), line);
}

void world_fail(struct world *w, const char *format, ...)
{
    va_list args;

    if (w->has_failed)
        return;
    w->has_failed = true;
    va_start(args, format);
    vsnprintf(w->why, sizeof w->why, format, args);
    va_end(args);
    if (w->is_verbose)
        printf("%8llu FAILURE %s\n", (unsigned long long)sim_steps(w->sim), w->why);
}

uint64_t world_now_ns(const struct world *w)
{
    return plat_now_ns(w->host[0].plat);
}

bool world_step(struct world *w)
{
    bool has_moved;

    scarce_on();
    has_moved = sim_step(w->sim);
    scarce_off();
    return has_moved;
}

static void tap(
    void *ctx, const struct plat_addr *from, const struct plat_addr *to, const uint8_t *p, size_t n)
{
    struct world *w = ctx;

    (void)from;
    (void)to;
    w->tapped += n;
    hash(w, p, n);
}

/* ---- hosts ---- */

static void on_connect_event(const struct rnic_connect_event *e, struct rnic_connector *c)
{
    struct host *h = e->ctx;

    life_heard(h->listener_life, "connect event");
    link_requested(h, c);
}

static void listen_answered(void *ctx, enum sn_status status)
{
    struct host *h = ctx;

    h->is_listening = status == SN_OK;
    if (status != SN_OK)
        world_fail(h->world, "listening ends %s", sn_status_name(status));
}

static bool is_listening(void *ctx)
{
    const struct host *h = ctx;

    return h->is_listening;
}

static void start_listening(struct host *h)
{
    enum sn_status s = life_asked(&h->listening,
        rnic_listener_listen(h->listener, &h->addr,
            life_ask(&h->listening, h->listener_life, "listen", listen_answered, h)));

    h->is_listening = s == SN_OK;
    if (s == SN_PENDING)
        sim_run_until(h->world->sim, is_listening, h, 1000);
    if (!h->is_listening)
        world_fail(h->world, "listening answers %s and does not come about", sn_status_name(s));
}

static void open_host(struct world *w, uint32_t index)
{
    struct host *h = &w->host[index];
    const struct rnic_connect_event event = {.call = on_connect_event, .ctx = h};

    h->world = w;
    h->index = index;
    h->addr = (struct plat_addr){
        .family = 4, .port = LISTEN_PORT, .ip = {10, 0, 0, (uint8_t)(1 + index)}};
    h->plat = sim_host_create(w->sim, &h->addr, 1);
    if (rnic_adapter_create(h->plat, &w->plan.options[index], &h->adapter) != SN_OK ||
        rnic_listener_create(h->adapter, event, &h->listener) != SN_OK) {
        world_fail(w, "simulation: no adapter or listener");
        return;
    }
    h->listener_life = life_born(w, rnic_listener_obj(h->listener));
    start_listening(h);
    for (uint32_t i = 0; i < HOST_CQS; i++)
        h->cq[i] = cq_open(h, w->plan.cq_depth);
    h->domains = w->plan.domains;
    for (uint32_t i = 0; i < h->domains; i++)
        h->domain[i] = domain_open(h, i);
}

void world_open(struct world *w, uint64_t seed, bool is_verbose)
{
    memset(w, 0, sizeof *w);
    scarce_install();
    w->live_before = sn_alloc_live_count();
    w->seed = seed;
    w->rng.state = seed ^ UINT64_C(0x51a7e0f5ead5eed);
    w->is_verbose = is_verbose;
    w->hash = UINT64_C(0xcbf29ce484222325);
    plan_draw(&w->plan, &w->rng);
    scarce_begin(seed, w->plan.scarce_permille);
    w->sim = sim_world_create(seed, &w->plan.faults);
    sim_set_tap(w->sim, tap, w);
    for (uint32_t i = 0; i < HOSTS; i++)
        open_host(w, i);
}

static void free_records(struct world *w)
{
    for (struct life *l = w->lives, *next; l != NULL; l = next) {
        next = l->next;
        free(l);
    }
    for (uint32_t i = 0; i < w->ops_count; i++)
        op_free(w->ops[i]);
    for (uint32_t i = 0; i < w->links_count; i++)
        link_free(w->links[i]);
    cqs_free(w);
    for (uint32_t h = 0; h < HOSTS; h++) {
        for (uint32_t i = 0; i < w->host[h].domains; i++)
            domain_free(w->host[h].domain[i]);
    }
    free(w->ops);
    free(w->links);
}

void world_close(struct world *w)
{
    for (uint32_t i = 0; i < HOSTS && !w->has_failed; i++) {
        enum sn_status s = rnic_adapter_close(w->host[i].adapter);

        if (s != SN_OK)
            world_fail(w, "close: the adapter answers %s", sn_status_name(s));
    }
    for (const struct life *l = w->lives; l != NULL && !w->has_failed; l = l->next) {
        if (l->state != LIFE_CLOSED)
            world_fail(
                w, "close: %s %u is left although its adapter is closed", l->kind, l->number);
    }
    if (w->has_failed)
        return;
    scarce_begin(0, 0);
    strangers_end(w);
    /* Connections that are closed but still get their last octets through. */
    for (uint32_t i = 0; i < 1000000 && world_step(w); i++)
        ;
    for (uint32_t i = 0; i < HOSTS; i++)
        sim_host_destroy(w->host[i].plat);
    sim_world_destroy(w->sim);
    if (sn_alloc_live_count() != w->live_before)
        world_fail(w, "leak: %zu allocations of the library are left",
            sn_alloc_live_count() - w->live_before);
    free_records(w);
}
