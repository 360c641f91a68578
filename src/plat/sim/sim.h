/* SPDX-License-Identifier: MIT */
/*
 * The simulated platform: virtual clock, virtual network, lanes that the test steps, all from one
 * seed. Everything runs on the calling thread, so a run is repeatable to the octet.
 *
 * Several struct plats (hosts) may share one struct sim_world: they reach each other by address.
 */
#ifndef SN_PLAT_SIM_SIM_H
#define SN_PLAT_SIM_SIM_H

#include "plat/plat.h"

struct sim_world;

/* Per mille, or units in the name. Zero: a perfect network that delivers at once in one piece. */
struct sim_faults {
    uint32_t split_permille;       /* chance that a read returns less than there is */
    uint32_t short_write_permille; /* chance that a write takes less than given */
    uint32_t again_permille;     /* chance that a read or write says AGAIN although it could move */
    uint32_t one_octet_permille; /* chance that a read returns a single octet */
    uint32_t delay_ns_max;       /* each chunk arrives after 0..max */
    uint32_t reset_permyriad;    /* chance per event that some pipe is reset (of 10000) */
    uint32_t lane_busy_permille; /* chance that plat_lane_enter finds the lane taken */
    uint32_t pipe_capacity;      /* octets in flight per direction; 0: 256 KiB */
    uint32_t emss;               /* what plat_pipe_emss says; 0: 1448 */
};

struct sim_world *sim_world_create(uint64_t seed, const struct sim_faults *faults);
/* All hosts are destroyed before. */
void sim_world_destroy(struct sim_world *w);
/* A host that owns these addresses (ports are ignored). */
struct plat *sim_host_create(struct sim_world *w, const struct plat_addr *addrs, size_t n);
void sim_host_destroy(struct plat *p);

/* Does one thing that can happen now (chosen by the seed), or lets time pass to the next. False
 * when nothing will ever happen without the test acting. */
bool sim_step(struct sim_world *w);
/* Nothing can happen now: the next step only lets time pass, or finds that nothing ever will. */
bool sim_is_idle(struct sim_world *w);
/* Steps until is_done(ctx), for at most `steps_max`. True if it holds. */
bool sim_run_until(struct sim_world *w, bool (*is_done)(void *ctx), void *ctx, uint64_t steps_max);
uint64_t sim_random(struct sim_world *w, uint64_t below); /* 0..below-1 from the world's seed */
/* Changes the faults from now on. */
void sim_set_faults(struct sim_world *w, const struct sim_faults *faults);
uint64_t sim_steps(const struct sim_world *w);

/* A tap: is told every octet that is written to a pipe, in order. For captures and checkers. */
typedef void sim_tap_fn(void *ctx, const struct plat_addr *from, const struct plat_addr *to,
    const uint8_t *p, size_t n);
void sim_set_tap(struct sim_world *w, sim_tap_fn *tap, void *ctx);
/* Resets every open pipe at once (cable pull). */
void sim_reset_all(struct sim_world *w);

#endif
