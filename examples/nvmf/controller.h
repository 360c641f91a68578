/* SPDX-License-Identifier: MIT */
/* A controller of the target: its admin queue, how it is enabled, what it says about itself. */
#ifndef CONTROLLER_H
#define CONTROLLER_H

#include "queue.h"

struct controller_options {
    const char *subsystem; /* its NQN */
    uint32_t namespace_id;
    uint16_t commands; /* at a time; lowered to what the target takes */
    ULONG data_max;    /* of a command, the same */
    ULONG timeout_ms;
    bool wants_invalidate;
};

struct controller {
    struct host *host;
    SOCKADDR_INET address;
    struct controller_options options;
    struct queue admin, io;
    uint16_t id;
    uint64_t capabilities;
    /* From Identify. */
    char model[41], serial[21];
    ULONG in_capsule_max; /* octets of data that fit into a capsule; 0: none */
    uint64_t blocks;
    ULONG block_length;
};

/*
 * Connects the admin queue, enables the controller, identifies it and the namespace, connects the
 * I/O queue. Every failure is said on stderr, once. False: nothing is left open; *is_unreachable:
 * it was the first connection that failed.
 */
bool controller_open(struct host *h, struct controller *c, const SOCKADDR_INET *to,
    const struct controller_options *options, bool *is_unreachable);
/* Shuts the controller down and disconnects; without `gracefully` closes at once. False: something
 * went wrong on the way, which is said. */
bool controller_close(struct controller *c, bool gracefully);

/* A read or write of `blocks` blocks (at least 1). */
struct nvme_command controller_io(
    const struct controller *c, uint8_t opcode, uint64_t lba, ULONG blocks);

/* One sentence on stderr; false. */
bool fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same about a broken queue. */
bool fail_queue(const struct queue *q, const char *doing);

#endif
