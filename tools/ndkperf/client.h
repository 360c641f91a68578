/* SPDX-License-Identifier: MIT */
/* The measuring side. */
#ifndef TOOLS_NDKPERF_CLIENT_H
#define TOOLS_NDKPERF_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/args.h"
#include "common/hist.h"
#include "ndkperf/perf.h"

struct perf_options {
    const char *address, *from, *json, *csv, *histogram;
    uint32_t interface;
    enum perf_op op;
    enum perf_metric metric;
    struct args_sizes sizes;
    uint32_t depth, qps, chain, threads, sges;
    double seconds; /* of a run, if iters is 0 */
    uint64_t iters;
    bool is_event, is_crc_off, is_bidirectional;
    uint32_t transport; /* SOFTNDK_TRANSPORT_... */
};

struct perf_result {
    uint64_t size;
    uint64_t
        iters; /* requests (lat: exchanges; conn: connections), of all threads and both sides */
    double seconds;    /* iters by the sum of the threads' rates */
    struct hist *hist; /* lat, conn: of each in nanoseconds; else not used */
};

/* Measures all that the options say, prints a table, writes files. The exit status. */
int perf_client(const struct perf_options *o);

/* ---- Progress (progress.c) ---- */

/* On stderr, once a second: a line that is written over on a terminal, else a line each. */
struct progress {
    const struct perf_options *o;
    uint64_t size;
    uint64_t next_ns; /* thread 0 only */
    bool is_shown;
    struct progress_part {
        struct progress *whole;
        _Atomic uint64_t done; /* by the thread of that number */
    } part[PERF_THREADS_MAX];
};
void progress_begin(struct progress *p, const struct perf_options *o, uint64_t size);
/* A run_plan's progress function; its context is a part. */
void progress_report(void *part, uint64_t ns, uint64_t done);
/* Removes what stands on the terminal. */
void progress_end(struct progress *p);

/* ---- Units and the table (table.c) ---- */

/* Half the round trip of send and write, the whole of read and of connecting. */
double table_lat_us(const struct perf_options *o, double ns);
double table_quantile_us(const struct perf_options *o, const struct perf_result *r, double q);
double table_gbytes_s(const struct perf_result *r);
double table_mops(const struct perf_result *r);
const char *table_crc(const struct perf_options *o);
const char *table_mode(const struct perf_options *o);
extern const char table_transport[];

void table_head(const struct perf_options *o);
void table_row(const struct perf_options *o, const struct perf_result *r);

/* ---- Files (results.c) ---- */

/* The results in files, as the options name them. NULL after a sentence. */
struct results;
struct results *results_open(const struct perf_options *o);
void results_add(struct results *f, const struct perf_options *o, const struct perf_result *r);
/* Writes and frees; false after a sentence: not all was written. */
bool results_close(struct results *f, const struct perf_options *o);

#endif
