/* SPDX-License-Identifier: MIT */
/*
 * The close checker: every object as its consumer sees it. [NDKPI object-lifetime]
 *
 * Checked: a close is done inline or completes by one callback; that callback is the last of the
 * object; it comes after every request of the object was answered and after every successor is
 * closed; an antecedent closed first waits for them. A request that pends is answered once, one
 * that does not is not. In the end every object is gone and no allocation of the library is left
 * (world.c).
 *
 * Not checked: how long a close takes; whether a close that could be inline is.
 */
#ifndef SN_TESTS_SIM_LIFE_H
#define SN_TESTS_SIM_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "rnic/obj.h"

struct world;

enum { LIFE_ANTECEDENTS_MAX = 6 };
enum life_state { LIFE_OPEN, LIFE_CLOSING, LIFE_CLOSED };

struct life {
    struct life *next; /* in world->lives */
    struct world *world;
    struct rnic_obj *obj;
    const char *kind;
    uint32_t number;
    enum life_state state;
    struct life *on[LIFE_ANTECEDENTS_MAX];
    uint32_t successors; /* not closed yet */
    uint32_t asks;       /* requests that pend */
    bool has_close_returned;
    /* Called when it is gone. May be NULL. */
    void (*gone)(void *ctx);
    void *ctx;
};

/* A request that may pend. */
struct ask {
    struct life *life;
    const char *what;
    bool is_pending, is_posing; /* posing: the call that may answer it has not returned */
    void (*answered)(void *ctx, enum sn_status status);
    void *ctx;
};

struct life *life_born(struct world *w, struct rnic_obj *obj);
/* From now on `antecedent` is not closed before this. */
void life_stand_on(struct life *l, struct life *antecedent);
void life_stand_off(struct life *l, struct life *antecedent);
void life_close(struct life *l);
/* A callback that is not the close completion came: may it? */
void life_heard(struct life *l, const char *what);
/* What to hand to a function that may pend; then life_asked with what it returned. */
struct rnic_done life_ask(struct ask *a, struct life *l, const char *what,
    void (*answered)(void *ctx, enum sn_status status), void *ctx);
/* Returns status. If it is not SN_PENDING, `answered` will not be called. */
enum sn_status life_asked(struct ask *a, enum sn_status status);

#endif
