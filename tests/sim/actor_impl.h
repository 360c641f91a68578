/* SPDX-License-Identifier: MIT */
/* What the files of an actor share. */
#ifndef SN_TESTS_SIM_ACTOR_IMPL_H
#define SN_TESTS_SIM_ACTOR_IMPL_H

#include "sim/actor.h"
#include "sim/link.h"
#include "sim/op.h"
#include "sim/world.h"

enum { SRQ_RECEIVE_OCTETS = 2000 };

static inline struct world *world_of(const struct actor *a)
{
    return a->host->world;
}
static inline struct rng *rng_of(const struct actor *a)
{
    return &a->host->world->rng;
}
static inline const struct plan *plan_of(const struct actor *a)
{
    return &a->host->world->plan;
}

/* ---- actor.c: the books ---- */

/* How long the next Send may be, as far as can be known. */
uint32_t actor_send_len_max(const struct actor *a);
void actor_note_sent(struct actor *a, struct op *op);
void actor_note_write(struct actor *a, struct op *op);
void actor_note_receive(struct actor *a, struct op *op);

/* ---- actor_post.c ---- */

uint32_t actor_random_len(const struct actor *a, uint32_t max);
uint32_t actor_random_flags(struct actor *a);
/* Fills op->local with up to `want` octets in up to sge_max pieces of the own domain. */
void actor_find_local(struct actor *a, struct op *op, uint32_t want);
/* What a Send or Write carries: its own memory, or what a Read will have brought when the fence
 * opens. */
void actor_find_source(struct actor *a, struct op *op, uint32_t want);
/* op->data becomes what its local memory holds now. */
void actor_gather(struct op *op);
void actor_fill_sgl(const struct op *op, struct iw_sge *sgl);
/* Is this answer to a post all right? True: it was posted, and is in the books. */
bool actor_is_posted(struct actor *a, struct op *op, enum sn_status s);
/* Posts a Send. True: it was posted. */
bool actor_send(struct actor *a, struct op *op, uint32_t invalidate_stag);
void actor_post_send(struct actor *a);
void actor_post_send_and_invalidate(struct actor *a);
void actor_post_write(struct actor *a);
void actor_post_read(struct actor *a);

/* ---- actor_regions.c ---- */

/* A request that invalidates it is posted, here or at the peer. */
void actor_begin_ending(struct grant *g);
void actor_post_fast_register(struct actor *a);
void actor_post_bind(struct actor *a);
void actor_post_invalidate(struct actor *a);

#endif
