/* SPDX-License-Identifier: MIT */
/*
 * One run: two hosts in one simulated world, an adapter each, and what the checkers need in common:
 * the consumers' random numbers, the event log with its hash, the first failure. One thread, one
 * seed.
 */
#ifndef SN_TESTS_SIM_WORLD_H
#define SN_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "plat/sim/sim.h"
#include "rnic/adapter.h"
#include "rnic/listener.h"
#include "sim/life.h"
#include "sim/plan.h"

struct cq;
struct domain;
struct link;
struct guest;
struct op;
struct stranger;

enum { HOSTS = 2, DOMAINS_MAX = 2, HOST_CQS = 2, LINKS_ALIVE_MAX = 8 };

struct host {
    struct world *world;
    uint32_t index;
    struct plat *plat;
    struct rnic_adapter *adapter;
    struct plat_addr addr; /* where its listener listens */
    struct rnic_listener *listener;
    struct life *listener_life;
    struct ask listening;
    bool is_listening;
    bool is_paused;
    struct domain *domain[DOMAINS_MAX];
    uint32_t domains;
    struct cq *cq[HOST_CQS];
};

struct world {
    uint64_t seed;
    bool is_verbose;
    struct rng rng;
    struct plan plan;
    struct sim_world *sim;
    struct host host[HOSTS];

    struct life *lives;
    uint32_t lives_count;
    struct cq *cqs;  /* all there ever were */
    struct op **ops; /* by id */
    uint32_t ops_count, ops_room;
    struct link **links;
    uint32_t links_count, links_room;
    struct stranger *strangers;
    struct guest *guests;

    bool is_ending; /* no new work */
    uint64_t hash;  /* of the log and of every octet on the wire */
    uint64_t tapped;
    bool has_failed;
    char why[512];
    struct {
        uint64_t actions, completions, octets, connects, failures;
    } stats;
    size_t live_before;
};

void world_open(struct world *w, uint64_t seed, bool is_verbose);
/* Closes the adapters, which must leave nothing; not after a failure. */
void world_close(struct world *w);
/* Something a reader of a failing run wants to know; goes into the hash as well. */
SN_PRINTF(2, 3) void world_log(struct world *w, const char *format, ...);
/* The first one counts. The run stops soon; what is left of it is leaked. */
SN_PRINTF(2, 3) void world_fail(struct world *w, const char *format, ...);
uint64_t world_now_ns(const struct world *w);
/* False: the simulated world stands still. */
bool world_step(struct world *w);

#endif
