/* SPDX-License-Identifier: MIT */
/*
 * A connection with a ring of receives and simple blocking operations, for exchanges that matter
 * more than their speed. One thread.
 */
#ifndef TOOLS_COMMON_CHANNEL_H
#define TOOLS_COMMON_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ndk_sync.h"

enum {
    CHANNEL_SLOTS_MAX = 32,
    CHANNEL_REQUESTS_MAX = 32, /* initiator requests in flight */
    CHANNEL_PATIENCE_S = 30,   /* how long a peer may make no progress */
};

enum channel_result {
    CHANNEL_OK,
    CHANNEL_ENDED,       /* the peer disconnected */
    CHANNEL_INTERRUPTED, /* the user did */
    CHANNEL_SILENT,      /* nothing for CHANNEL_PATIENCE_S */
    CHANNEL_BROKEN,      /* a request failed: `status` says how */
};

struct channel {
    struct ndk_host *host;
    NDK_CQ *cq;
    struct ndk_link link;
    struct ndk_memory slots; /* receive_count slots to receive into, then send_count to send from */
    size_t slot_size;
    unsigned receive_count, send_count;
    /* What has arrived and was not yet asked for, oldest first. */
    struct {
        unsigned slot;
        ULONG length;
    } arrived[CHANNEL_SLOTS_MAX];
    unsigned arrived_first, arrived_count;
    uint64_t posted, completed;              /* initiator requests, which complete in order */
    uint64_t slot_in_use[CHANNEL_SLOTS_MAX]; /* by the request of that number; 0: by none */
    NTSTATUS status;                         /* of the first request that failed */
};

/* Queues, slots and a queue pair with all receives posted; not connected. After any result
 * channel_close. */
NTSTATUS channel_open(struct ndk_host *h, struct channel *c, size_t slot_size,
    unsigned receive_count, unsigned send_count);
/* Disconnects if connected. */
void channel_close(struct channel *c);

/* The next message; it lies in its slot until channel_repost(slot). is_idle: the peer owes none,
 * and may take as long as it likes. */
enum channel_result channel_receive(struct channel *c, bool is_idle, unsigned *slot, ULONG *length);
/* Is there a message, or the end of the connection, to be had without waiting? For threads that
 * poll something else. */
bool channel_look(struct channel *c);
const uint8_t *channel_received(const struct channel *c, unsigned slot);
enum channel_result channel_repost(struct channel *c, unsigned slot);

/* A slot to send from, that no request uses any more (from 0 in turn). */
enum channel_result channel_send_slot(struct channel *c, unsigned *slot, uint8_t **p);
enum channel_result channel_send(struct channel *c, unsigned slot, size_t n);

/* The whole range, in pieces, until it has completed. */
enum channel_result channel_read(
    struct channel *c, struct ndk_memory *m, uint64_t from, uint32_t token, size_t n);
enum channel_result channel_write(
    struct channel *c, struct ndk_memory *m, uint64_t to, uint32_t token, size_t n);
/* Until every request has completed. */
enum channel_result channel_drain(struct channel *c);

/* Words for a result that is not CHANNEL_OK, for "... while WHAT: WORDS". */
const char *channel_words(const struct channel *c, enum channel_result result);

#endif
