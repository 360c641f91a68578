/* SPDX-License-Identifier: MIT */
/*
 * What one seed decides before anything happens: how the network misbehaves, how the adapters are
 * set, what the consumers are like. Everything else is drawn as the run goes.
 */
#ifndef SN_TESTS_SIM_PLAN_H
#define SN_TESTS_SIM_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "plat/sim/sim.h"
#include "rnic/adapter.h"

/* splitmix64, apart from the simulated world's own, so that a change of the network code does not
 * change what consumers do. */
struct rng {
    uint64_t state;
};
uint64_t rng_next(struct rng *r);
/* 0..below-1; 0 for 0. */
uint32_t rng_below(struct rng *r, uint32_t below);
/* lo..hi, both included. */
uint32_t rng_between(struct rng *r, uint32_t lo, uint32_t hi);
bool rng_chance(struct rng *r, uint32_t permille);

/* How gentle consumers and network are. What is calm or bumpy must succeed to the last request. */
enum mood {
    MOOD_CALM,   /* a perfect network, orderly consumers */
    MOOD_BUMPY,  /* any split, delay, back-pressure; no loss; orderly consumers */
    MOOD_ABRUPT, /* bumpy, and consumers flush, disconnect and close whenever they like */
    MOOD_ROUGH,  /* abrupt, and connections are reset, consumers break rules of access */
    MOOD_COUNT
};
const char *mood_name(enum mood m);

/* Chances are per mille of the consumers' actions, by what they do. */
struct plan {
    enum mood mood;
    struct sim_faults faults;
    struct rnic_options options[2];
    uint32_t steps;        /* of consumers and world together, before the end begins */
    uint32_t act_permille; /* chance that a consumer acts rather than the world */
    uint32_t links_max;    /* connections at a time */
    uint32_t domains;      /* per host, 1 or 2 */
    uint32_t srq_permille;
    uint32_t own_cq_permille;
    uint32_t queue_depth_max;
    uint32_t cq_depth; /* 0: enough for everything; else overruns are to be expected */
    uint32_t len_max;  /* octets of one transfer */
    uint32_t silent_permille, defer_permille, inline_permille, fence_permille;
    uint32_t late_receive_permille; /* chance that a due receive is put off once more */
    uint32_t ird_max, ord_max;
    uint32_t end_link_permille;  /* per action: an orderly end of some connection */
    uint32_t strangers_permille; /* per action: somebody who is no RNIC connects */
    uint32_t scarce_permille;    /* allocations in lanes that fail */
    bool has_no_way; /* they may find no way to be peers: no connection comes up by right */
    uint32_t violence_permille; /* per action: something that ends a connection */
};

void plan_draw(struct plan *p, struct rng *r);

#endif
