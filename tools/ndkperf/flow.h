/* SPDX-License-Identifier: MIT */
/*
 * The data connections of one thread of a session, on either side: queue pairs on one completion
 * queue, memory registered once, receives that are always posted.
 *
 * What moves on them:
 * - lat, send: a Send there, a Send of the same size back. lat, write: a Write and behind it a Send
 *   of no octets, in one chain, there and back: without in-order placement a Write alone says
 *   nothing to the peer. lat, read: Reads.
 * - bw and rate: requests in chains of which the last is signalled. Sends spend credits, one for
 *   each receive of the peer; for a quarter of its receives posted again it gives that many credits
 *   back, by a Send of no octets. At the end a Send of no octets asks, and a Send of one octet
 *   answers when all before it has arrived: the clock stops there, not when the last request left.
 *   (Reads end by themselves.)
 * - bw and rate in both directions: both sides post. At the end of the client's a Send of one octet
 *   says so, on each queue pair; the server stops then and answers by its own. Data have two octets
 *   or more.
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
    NDK_SGE sgl[PERF_SGE_MAX]; /* this link's memory, as large as the run's size */
    struct perf_memory own;    /* how the peer names that memory */
    struct perf_memory peer;   /* the peer's memory of this link */
    uint64_t posted;           /* initiator requests */
    uint64_t reclaimed;        /* of these are complete */
    uint64_t told;             /* of the posted, those of flow_tell */
    uint32_t credits;          /* Sends that the peer has receives for */
    uint32_t consumed;         /* receives since the last credits given */
    uint32_t to_repost;        /* receives taken and not yet posted again */
    uint64_t todo;             /* requests of this run still to post */
    bool is_claimed;           /* server: its caller came */
    bool is_answered;          /* what ends a run came from the peer */
};

struct flow {
    struct ndk_host host; /* the session's adapter with a bell of our own */
    NDK_CQ *cq;
    struct ndk_memory memory;
    struct flow_link *links;
    uint32_t count;  /* of links */
    uint64_t stride; /* octets of memory of each link */
    uint64_t size;   /* of a request in this run */
    uint32_t sges;   /* of a request */
    uint32_t receive_depth, initiator_depth;
    uint32_t advertised;      /* of the receives, those that credits count */
    uint32_t peer_advertised; /* of the peer's, for each link */
    bool is_event;
    NTSTATUS status; /* the first failure of a request */
};

/* Memory and queue for thread `thread` of the session. False after a sentence. Zeros before. */
bool flow_open(struct ndk_host *h, struct flow *f, const struct perf_session *s, uint32_t thread,
    bool is_server);
/* Queue pair i of the flow with its receives posted, not connected. NULL after a sentence. */
struct flow_link *flow_add(struct flow *f, uint32_t i);
void flow_close(struct flow *f);

/* Sets the size of requests, and counters to those of a new run. */
void flow_begin(struct flow *f, uint64_t size);

/* One request of the run's size; false: refused, f->status says why. Signalled unless flags say
 * otherwise. */
bool flow_send(struct flow *f, struct flow_link *l, ULONG flags);
bool flow_write(struct flow *f, struct flow_link *l, ULONG flags);
bool flow_read(struct flow *f, struct flow_link *l, ULONG flags);
/* A Send of no octets or one. */
bool flow_tell(struct flow *f, struct flow_link *l, ULONG octets, ULONG flags);
/* Posts again what was taken. */
bool flow_repost(struct flow *f, struct flow_link *l);
/* One more receive was used up by data: gives credits back when it is time. */
bool flow_consumed(struct flow *f, struct flow_link *l);

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
const char *flow_words(const struct flow *f);

#endif
