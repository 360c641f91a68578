/* SPDX-License-Identifier: MIT */
/*
 * A protection domain with its memory: an arena, regions that cover it in slices, fast regions and
 * windows over parts of it, perhaps a shared receive queue.
 */
#ifndef SN_TESTS_SIM_DOMAIN_H
#define SN_TESTS_SIM_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "rnic/pd.h"
#include "rnic/srq.h"
#include "sim/life.h"
#include "sim/shadow.h"

struct actor;
struct host;

enum {
    ARENA_OCTETS = 384 * 1024,
    SLICES_MAX = 3,
    FASTS = 2,
    WINDOWS = 2,
    GRANTS = SLICES_MAX + FASTS + WINDOWS,
    FAST_PAGES_MAX = 8,
};

enum grant_kind { GRANT_SLICE, GRANT_FAST, GRANT_WINDOW };
enum grant_state {
    GRANT_NONE,
    GRANT_PENDING, /* a request that makes it valid is posted */
    GRANT_VALID,
    GRANT_ENDING,  /* a request that invalidates it is posted, here or at the peer */
    GRANT_UNKNOWN, /* such a request was cancelled: nobody can say */
};

/* What an STag names. */
struct grant {
    struct domain *domain;
    enum grant_kind kind;
    enum grant_state state;
    struct rnic_mr *mr;
    struct rnic_mw *mw;
    struct life *life;
    struct actor *only; /* WINDOW: whose peer may use it; PENDING: who made it */
    struct grant *over; /* WINDOW: the slice */
    uint32_t stag;
    uint32_t rights;
    uint64_t base;     /* TO of the first octet */
    uint32_t at, len;  /* in the arena */
    bool is_scattered; /* FAST: pages in any order; only ranges inside one page are used */
    uint32_t pages[FAST_PAGES_MAX], pages_count; /* of the arena */
    uint32_t users;                              /* requests under way that name it */
    uint32_t changes; /* requests under way that make it valid or invalid */
    bool is_lost;     /* one of them failed */
};

struct domain {
    struct host *host;
    struct rnic_pd *pd;
    struct life *life;
    char name[16];
    struct shadow shadow;
    struct grant grant[GRANTS];
    uint32_t slices;
    struct rnic_srq *srq;
    struct life *srq_life;
    uint32_t srq_depth, srq_posted;   /* not taken yet, as far as is known */
    uint32_t srq_notified, srq_armed; /* armed: how often it may have been told */
    bool is_spoiled;                  /* receives in the SRQ may name memory that was taken away */
};

struct domain *domain_open(struct host *h, uint32_t index);
void domain_free(struct domain *d);

/* Some octets and how to name them. */
struct place {
    struct piece piece;
    struct grant *via; /* NULL: the privileged STag */
    uint32_t stag;
    uint64_t to;
};
/* How local memory is to be used. */
enum use { USE_SOURCE, USE_RECEIVE, USE_SINK };
/* Local memory, up to `want` octets, in one piece, for a request of this actor. */
bool domain_find(
    struct domain *d, const struct actor *by, uint32_t want, enum use use, struct place *out);
/* A random range of what a grant names that is free for this use. */
bool grant_find(struct grant *g, uint32_t want, bool is_write, struct piece *out);
/* Memory that the peer of `target` may use with this right. */
bool domain_find_remote(
    struct domain *d, const struct actor *target, uint32_t right, uint32_t want, struct place *out);
/* The range [at, at + len) of a grant's TO space, at counted from its first octet. */
struct place grant_place(struct grant *g, struct piece piece);

/* The consumer takes a slice away, whoever uses it, and registers it anew. */
void domain_deregister(struct domain *d);
void domain_register(struct grant *g);
/* A request that changes it is posted; it ended. The last one decides what it is. */
void grant_changing(struct grant *g, enum grant_state meanwhile);
void grant_changed(struct grant *g, enum grant_state now, bool is_ok);
/* Another depth or threshold for the shared receive queue. */
void domain_modify_srq(struct domain *d);
/* Closes its object, if no request that is under way would still need it. */
void grant_close(struct grant *g);

#endif
