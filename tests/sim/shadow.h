/* SPDX-License-Identifier: MIT */
/*
 * The memory checker: a second copy of everything that is registered.
 *
 * Checked: an octet that nothing may change at this time is what the model says. An octet that a
 * request under way may change (sink of a Read, target of a Write, posted receive) is either what
 * it was or what the request carries, and it is exactly what the request carries once that is
 * delivered [RFC5040 5.5]. After a completion, whatever its status, after an invalidation and after
 * the close of the queue pair it does not change any more.
 *
 * Not checked: in which order octets of one message arrive (no order is promised); what a receive
 * in a shared receive queue holds before it completes, for it is not known which message it gets.
 *
 * Requests under way never overlap unless they only read: who draws them asks here first.
 */
#ifndef SN_TESTS_SIM_SHADOW_H
#define SN_TESTS_SIM_SHADOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct world;

enum { SHADOW_GRANULE = 64, SHADOW_PAGE = 4096 };

struct claim;
struct shadow {
    struct world *world;
    const char *name;
    uint8_t *memory; /* page-aligned: what the RNIC knows */
    uint8_t *model;
    uint32_t octets;
    uint32_t under_way; /* octets that requests read or may change */
    struct shadow_granule {
        uint32_t readers;
        struct claim *writer;
    } * granules;
    struct sn_list claims;
};

struct piece {
    struct shadow *in;
    uint32_t at, len;
};

/* Octets that a request under way may change. */
struct claim {
    struct sn_list link;
    struct piece piece;
    const uint8_t *fresh; /* what may be there instead */
    uint32_t fresh_len;   /* octets of the piece from the start; what is behind must not change */
    bool is_any;          /* not known yet: anything may */
    bool is_held;
    void *via; /* the grant it goes through */
};

void shadow_init(struct shadow *s, struct world *w, const char *name, uint32_t octets);
void shadow_fini(struct shadow *s);

/* A random range inside [at, at + len) that nobody writes, and, if to be written, nobody reads. Up
 * to `want` octets. False: none found in a few tries. */
bool shadow_find(
    struct shadow *s, uint32_t at, uint32_t len, uint32_t want, bool is_write, struct piece *out);
bool shadow_is_free(const struct piece *p, bool is_write);
/* So much is under way that only what must be is started. */
bool shadow_is_crowded(const struct shadow *s);
void shadow_share(const struct piece *p);
void shadow_unshare(const struct piece *p);
void shadow_claim(struct claim *c);
/* The request brought these octets, and is seen to have: memory must say so. Ends the claim. */
void shadow_delivered(struct claim *c, const char *what);
/* It ended otherwise: each octet is old or fresh, and stays from now on. Ends the claim. Harmless
 * when it is not held. */
void shadow_settled(struct claim *c, const char *what);
/* Everything. */
void shadow_check(struct shadow *s, const char *when);
/* The consumer writes something else. */
void shadow_scribble(const struct piece *p);
/* What the model says is there. */
const uint8_t *shadow_octets(const struct piece *p);

#endif
