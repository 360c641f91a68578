/* SPDX-License-Identifier: MIT */
/* The measuring side. */
#ifndef TOOLS_NDKPERF_CLIENT_H
#define TOOLS_NDKPERF_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/args.h"
#include "common/hist.h"
#include "ndkperf/flow.h"
#include "ndkperf/perf.h"

struct perf_options {
    const char *address, *from, *json;
    uint32_t interface;
    enum perf_op op;
    enum perf_metric metric;
    struct args_sizes sizes;
    uint32_t depth, qps, chain;
    double seconds; /* of a run, if iters is 0 */
    uint64_t iters;
    bool is_event, is_crc_off;
    uint32_t transport; /* SOFTNDK_TRANSPORT_... */
};

struct perf_result {
    uint64_t size;
    uint64_t iters; /* requests (lat: exchanges) measured */
    double seconds;
    struct hist *hist; /* lat: of whole exchanges in nanoseconds; else NULL */
};

/* Measures one run on a flow that has begun. False: flow_words says why. (lat.c, stream.c) */
bool perf_lat(struct flow *f, const struct perf_options *o, struct perf_result *r);
bool perf_stream(struct flow *f, const struct perf_options *o, struct perf_result *r);

/* Says on stderr how far a run is, once a second; `next_ns` is 0 at its start. */
struct perf_progress {
    uint64_t next_ns;
};
void perf_progress(struct perf_progress *p, const struct perf_options *o, uint64_t size,
    uint64_t began_ns, uint64_t now_ns, uint64_t done);

int perf_client(const struct perf_options *o);

/* ---- Output (table.c) ---- */

void table_head(const struct perf_options *o);
void table_row(const struct perf_options *o, const struct perf_result *r);
/* Half the round trip of send and write, the whole of read. */
double table_lat_us(const struct perf_options *o, double ns);
double table_gbytes_s(const struct perf_result *r);
double table_mops(const struct perf_result *r);

/* A JSON document that grows by results. NULL: the file cannot be written. */
struct table_json;
struct table_json *table_json_open(const char *path);
void table_json_add(
    struct table_json *j, const struct perf_options *o, const struct perf_result *r);
/* Writes and frees; false: not all was written. */
bool table_json_close(struct table_json *j);

#endif
