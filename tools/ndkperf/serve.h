/* SPDX-License-Identifier: MIT */
/* What one thread of the server does in a run, and what the server keeps for it. */
#ifndef TOOLS_NDKPERF_SERVE_H
#define TOOLS_NDKPERF_SERVE_H

#include <stdatomic.h>

#include "ndkperf/stream.h"

struct serving {
    struct flow flow;
    const struct perf_session *session;
    const struct perf_run *run;
    atomic_bool is_stopped;   /* the client has said that the run is over */
    atomic_bool is_failed;    /* flow_words says why */
    struct run_result result; /* in both directions: of what this side posted */
};

/* Answers what comes, in both directions posts as well, until is_stopped or something fails. */
void serve_run(struct serving *s);

#endif
