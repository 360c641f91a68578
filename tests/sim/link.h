/* SPDX-License-Identifier: MIT */
/*
 * A connection from its first request to the close of its last object, and what was done to it: as
 * long as that is nothing (taint 0) everything on it must succeed.
 */
#ifndef SN_TESTS_SIM_LINK_H
#define SN_TESTS_SIM_LINK_H

#include "sim/actor.h"

/* What may end a connection, or keep it from coming up. */
enum taint {
    TAINT_PARTING = 0x01, /* orderly: nothing was left to do */
    TAINT_RESET = 0x02,   /* the network may cut it */
    TAINT_LEFT = 0x04,    /* flushed, disconnected or closed in the middle of something */
    TAINT_ACCESS = 0x08,  /* somebody asked for what he may not have, or took memory away */
    TAINT_SLOW = 0x10,    /* a consumer took longer than a timeout */
    TAINT_OVERRUN = 0x20, /* a completion queue may be too small */
    TAINT_REFUSED = 0x40, /* nobody listens, or somebody said no */
};

struct link {
    struct world *world;
    uint32_t number;
    struct actor actor[2];
    uint32_t taint;
    bool has_passive;               /* the request arrived */
    bool is_parting;                /* no new work; disconnect when all is done */
    bool is_failed;                 /* it did not come up, or is lost: close it */
    bool is_over;                   /* everything of it is closed */
    uint64_t since_ns;              /* when the step under way began that has a timeout; 0: none */
    uint32_t ird[2], ord[2];        /* asked for */
    bool must_retry, has_retried;   /* nobody listened: once more, on the same connector */
    struct rnic_endpoint *endpoint; /* shared, to connect from; or NULL */
    struct life *endpoint_life;
};

/* A new connection begins. */
void link_begin(struct world *w);
/* A request arrived at this host. */
void link_requested(struct host *h, struct rnic_connector *c);
void link_taint(struct link *l, uint32_t taint);
/* A completion may have this status now. */
bool link_may_fail(const struct link *l, enum sn_status status);
bool link_is_up(const struct link *l);
/* Both sides' consumers want to go, in good order. */
void link_part(struct link *l);
/* A random act of one of its consumers. */
void link_act(struct link *l);
/* One from inside a notification of this queue: work, or, of a rude consumer, its close. */
void link_act_in_notification(struct world *w, struct cq *q);
/* A rude one. */
void link_break(struct link *l);
/* Does one thing that its consumers owe. False: they owe nothing. */
bool link_pay(struct link *l);
/* After each step: time and closes. */
void link_tick(struct link *l);
void link_free(struct link *l);

#endif
