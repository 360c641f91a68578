/* SPDX-License-Identifier: MIT */
/* One work request, as its consumer and the checkers remember it. */
#ifndef SN_TESTS_SIM_OP_H
#define SN_TESTS_SIM_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "iwarp/wr.h"
#include "sim/domain.h"
#include "sim/shadow.h"

struct actor;
struct world;

enum op_kind { OP_SEND, OP_WRITE, OP_READ, OP_FAST, OP_BIND, OP_INVALIDATE, OP_RECEIVE };
enum { OP_SGES_MAX = 4 };

struct op {
    uint32_t id; /* the request's context */
    struct world *world;
    struct actor *actor;   /* who posted; of a receive in a shared queue: who got it, once known */
    struct domain *domain; /* of a receive in a shared queue */
    enum op_kind kind;
    uint32_t flags;
    uint64_t number; /* SEND: of its direction; RECEIVE in an own queue: likewise */
    struct place local[OP_SGES_MAX];
    struct claim sink[OP_SGES_MAX]; /* READ, RECEIVE: one per local place */
    uint32_t sges;
    uint32_t len;
    uint8_t *data;       /* the octets that go (SEND, WRITE) or come (READ) */
    struct place remote; /* WRITE, READ */
    struct claim target; /* WRITE */
    bool has_remote;
    struct grant *grant; /* FAST, BIND, INVALIDATE, SEND that invalidates */
    struct op
        *source;  /* whose outcome its octets are (a fenced request that sends a Read's sink) */
    bool is_done; /* completed, or known to have succeeded silently */
    bool is_local_held, is_remote_held;
    struct op *next;       /* in its queue */
    struct op *next_write; /* in actor->writes: not known to be delivered */
    struct op *next_sent;  /* in actor->sent: not known to be received */
};

struct op *op_new(struct world *w, struct actor *a, enum op_kind kind);
void op_free(struct op *op);
/* It is posted: what it uses is under way. */
void op_hold(struct op *op);
/* It completed: its consumer has its own memory back. is_ok: a Read brought all. */
void op_release_local(struct op *op, bool is_ok);
/* Nothing of it reaches the peer's memory any more. is_delivered: a Write is there for sure. */
void op_release_remote(struct op *op, bool is_delivered);
/* Receives: what may come is known by now. */
void op_expect(struct op *receive, const struct op *message);
const char *op_name(const struct op *op);

#endif
