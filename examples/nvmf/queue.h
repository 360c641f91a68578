/* SPDX-License-Identifier: MIT */
/*
 * An NVMe queue over RDMA: a submission queue and a completion queue, which are one connection.
 * The heart of the example: how a command gets memory that the target may use, and loses it again.
 *
 *   host                                              target
 *   fast-register the data, rights for this command
 *   Send: capsule (command, keyed SGL)     ------->
 *                                          <-------   RDMA Read of what is written
 *                                          <-------   RDMA Write of what is read
 *                                          <-------   Send with Invalidate: the answer
 *   the region is invalid, the data ours again
 *
 * Small writes may travel in the capsule itself and need no region.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include "host.h"
#include "nvmf.h"

/* What a command does with its data. */
enum transfer {
    TRANSFER_NONE,
    TRANSFER_TO_TARGET,   /* the target reads our memory */
    TRANSFER_FROM_TARGET, /* the target writes it */
    TRANSFER_IN_CAPSULE,  /* to the target, right behind the command (ICDOFF 0); no region */
};

/*
 * A command and what belongs to it. It is finished when the Send has completed (until then the
 * capsule is the provider's), the answer is there, and no region is left valid, in whichever order
 * these come: the answer may well be seen before the completion of the Send.
 */
struct request {
    struct queue *queue;
    uint16_t cid;
    ULONG capsule; /* where its command is in the queue's messages */
    struct data data;
    bool is_taken;
    bool is_sent, is_answered, is_registered;
    uint16_t status; /* NVME_STATUS_..., 0: success */
    uint64_t result;
    uint64_t note; /* the caller's */
};

struct queue {
    struct host *host;
    struct link link;
    uint16_t id;
    uint16_t commands;     /* that may be outstanding */
    uint16_t entries;      /* of the submission queue, at least one more; and receives */
    bool wants_invalidate; /* ask the target to invalidate */
    ULONG data_max;        /* octets that a command may move */
    ULONG timeout_ms;
    struct messages messages; /* commands, then answers */
    struct request *requests; /* as many as commands */
    ULONG posted;             /* requests that have not reported, without fast registrations */
    NTSTATUS broken;          /* the first thing that went wrong; then the queue is to be closed */
    const char *broken_why;
    /* For the curious. */
    uint64_t remotely_invalidated, locally_invalidated;
};

struct queue_options {
    uint16_t id;
    uint16_t commands;   /* at a time, at least 1 */
    uint16_t controller; /* I/O queues: of which */
    ULONG data_max, timeout_ms;
    bool wants_invalidate;
};

/* Connects. STATUS_CONNECTION_REFUSED: queue_rejection() may know why. */
NTSTATUS queue_open(
    struct host *h, struct queue *q, const SOCKADDR_INET *to, const struct queue_options *options);
/* What the target's private data say about a rejection, or NULL. */
const char *queue_rejection(const struct queue *q);
/* Disconnects, if `gracefully` and still connected, and closes everything. */
NTSTATUS queue_close(struct queue *q, bool gracefully);

/* A free request; NULL: all are outstanding. It goes back with queue_put, or is submitted and comes
 * back from queue_next. */
struct request *queue_get(struct queue *q);
void queue_put(struct request *r);
/*
 * Posts a command. The queue fills in identifier and SGL; data are `length` octets from `at` of
 * r->data. False: not posted, q->broken says why.
 */
bool queue_submit(struct request *r, const struct nvme_command *command, enum transfer transfer,
    ULONG at, ULONG length);
/* The next request that is finished. NULL: the queue is broken, or nothing came in time. */
struct request *queue_next(struct queue *q);
/* Both, for one command at a time. True: the command was answered; r->status says how. */
bool queue_execute(struct request *r, const struct nvme_command *command, enum transfer transfer,
    ULONG at, ULONG length);

/*
 * Invalidates the free request's region once more, which must fail if the target did it before, as
 * a request about a region that is not valid does. That is the end of the queue, which is to be
 * closed. True: it failed. `r` must be free and have moved data through a region.
 */
bool queue_prove_invalid(struct request *r);

/* "invalid field in command" and the like; static. */
const char *nvme_status_text(uint16_t status);

#endif
