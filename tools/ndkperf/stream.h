/* SPDX-License-Identifier: MIT */
/* What one thread does in a run, on a flow that has begun. False: flow_words says why. */
#ifndef TOOLS_NDKPERF_STREAM_H
#define TOOLS_NDKPERF_STREAM_H

#include <stdatomic.h>

#include "common/hist.h"
#include "ndkperf/flow.h"

struct run_plan {
    enum perf_op op;
    uint32_t depth, chain;
    uint64_t iters; /* of this thread; 0: `seconds` decide */
    double seconds;
    bool is_bidirectional;
    /* The server's part of a run in both directions: until the client has ended its own, or
     * *is_stopped. */
    bool is_responder;
    atomic_bool *is_stopped;
    /* Called now and then while it is measured, and never if NULL. */
    void (*progress)(void *context, uint64_t ns, uint64_t done);
    void *progress_context;
};

struct run_result {
    uint64_t iters; /* requests (lat: exchanges) measured */
    uint64_t ns;    /* how long they took */
};

/* Latency: one exchange at a time on the flow's first queue pair. hist: of whole exchanges in
 * nanoseconds, clear before. (lat.c) */
bool lat_run(struct flow *f, const struct run_plan *p, struct hist *hist, struct run_result *r);
/* Bandwidth and rate: as many requests in flight as the depth allows, on all queue pairs.
 * (stream.c) */
bool stream_run(struct flow *f, const struct run_plan *p, struct run_result *r);

#endif
