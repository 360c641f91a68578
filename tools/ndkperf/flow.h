/* SPDX-License-Identifier: MIT */
/*
 * The data connections of a session, on either side: queue pairs on one completion queue, memory
 * registered once, receives that are always posted.
 *
 * What moves on them:
 * - lat, send: a Send there, a Send of the same size back. lat, write: a Write and behind it a Send
 *   of no octets, in one chain, there and back: without in-order placement a Write alone says
 *   nothing to the peer. lat, read: Reads.
 * - bw and rate: requests in chains of which the last is signalled. Sends spend credits, one for
 *   each receive of the server; for a quarter of its receives posted again it gives that many
 *   credits back, by a Send of no octets. At the end a Send of no octets asks, and a Send of one
 *   octet answers when all before it has arrived: the clock stops there, not when the last request
 *   left. (Reads end by themselves.)
 */
#ifndef TOOLS_NDKPERF_FLOW_H
#define TOOLS_NDKPERF_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ndk_sync.h"
#include "ndkperf/perf.h"

enum {
    FLOW_RESULTS = 32, /* taken from the queue at a time */
    FLOW_SPARE = 16,   /* requests beside the depth: credits, questions, answers */
    FLOW_SIGNAL_EVERY = 16,
};

struct flow_link {
    struct ndk_link link;
    NDK_SGE sge;        /* of this link's memory; Length as large as the run's size */
    uint64_t remote;    /* the peer's memory of this link */
    uint64_t posted;    /* initiator requests */
    uint64_t reclaimed; /* of these are complete */
    uint32_t credits;   /* client: Sends that the server has receives for */
    uint32_t consumed;  /* server: receives since the last credits */
    uint32_t to_repost; /* receives taken and not yet posted again */
    uint64_t todo;      /* client: requests of this run still to post */
    bool is_answered;   /* client: the question at the end */
};

struct flow {
    struct ndk_host *host;
    NDK_CQ *cq;
    struct ndk_memory memory;
    struct flow_link *links;
    uint32_t count;  /* of links */
    uint32_t opened; /* of links, by flow_add */
    uint64_t stride; /* octets of memory of each link */
    uint32_t receive_depth, initiator_depth;
    uint32_t peer_receive_depth; /* of each link */
    uint32_t peer_token;
    bool is_event;
    NTSTATUS status; /* the first failure of a request */
};

/* Receives that the server posts for each link of a session of that depth: what credits count. */
uint32_t flow_server_receives(uint32_t depth);

/* Memory and queue. False after a sentence. */
bool flow_open(struct ndk_host *h, struct flow *f, const struct perf_session *s, bool is_server);
/* The next queue pair with its receives posted, not connected. NULL after a sentence. */
struct flow_link *flow_add(struct flow *f);
void flow_close(struct flow *f);

/* Sets the size of requests, and counters to those of a new run. */
void flow_begin(struct flow *f, uint64_t size, const struct perf_memory *peer);

/* One request; false: refused, f->status says why. Signalled unless flags say otherwise. */
bool flow_send(struct flow *f, struct flow_link *l, ULONG size, ULONG flags);
bool flow_write(struct flow *f, struct flow_link *l, ULONG flags);
bool flow_read(struct flow *f, struct flow_link *l, ULONG flags);
/* Posts again what was taken. */
bool flow_repost(struct flow *f, struct flow_link *l);

/* Room for requests of that link, in its queue. */
static inline uint32_t flow_room(const struct flow *f, const struct flow_link *l)
{
    return f->initiator_depth - (uint32_t)(l->posted - l->reclaimed);
}

/* Flags for requests of which every FLOW_SIGNAL_EVERYth shall be signalled. */
static inline ULONG flow_seldom(const struct flow_link *l)
{
    return (l->posted + 1) % FLOW_SIGNAL_EVERY == 0 ? 0 : NDK_OP_FLAG_SILENT_SUCCESS;
}

/*
 * Takes completions: returns receives in `received` (link and octets; at most FLOW_RESULTS) and
 * counts initiator requests. Returns how many completions there were in all, whichever kind.
 */
struct flow_received {
    struct flow_link *link;
    ULONG octets;
};
uint32_t flow_take(
    struct flow *f, struct flow_received received[FLOW_RESULTS], uint32_t *received_count);

/* What to do when nothing was there: in event mode sleeps until the bell rings. False: the flow is
 * over (a failed request, a disconnect, an interrupt, a peer that does nothing for long); *quiet is
 * 0 at the start of a wait, and belongs to this function during it. */
struct flow_quiet {
    uint32_t rounds;
    uint64_t since_ns;
};
bool flow_wait(struct flow *f, struct flow_quiet *quiet);
/* Why it is over. */
const char *flow_words(struct flow *f);

#endif
