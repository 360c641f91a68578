/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "ndkperf/client.h"

/* There is one transport; when there are more the connection will say which it uses. */
const char table_transport[] = "tcp";

const char *table_crc(const struct perf_options *o)
{
    return o->is_crc_off ? "off" : "on";
}

const char *table_mode(const struct perf_options *o)
{
    return o->is_event ? "event" : "poll";
}

double table_lat_us(const struct perf_options *o, double ns)
{
    return o->metric == PERF_CONN || o->op == PERF_READ ? ns / 1e3 : ns / 2e3;
}

double table_gbytes_s(const struct perf_result *r)
{
    return r->seconds > 0 ? (double)r->iters * (double)r->size / r->seconds / 1e9 : 0;
}

double table_mops(const struct perf_result *r)
{
    return r->seconds > 0 ? (double)r->iters / r->seconds / 1e6 : 0;
}

/* What most runs do not have. */
static void print_specials(const struct perf_options *o)
{
    if (o->threads > 1)
        printf(", %u threads", (unsigned)o->threads);
    if (o->sges > 1)
        printf(", %u SGEs", (unsigned)o->sges);
    if (o->is_bidirectional)
        printf(", both directions");
    putchar('\n');
}

void table_head(const struct perf_options *o)
{
    static const char *const what[] = {[PERF_LAT] = "latency in microseconds",
        [PERF_BW] = "bandwidth",
        [PERF_RATE] = "rate",
        [PERF_CONN] = ""};

    if (o->metric == PERF_CONN)
        printf("connections, microseconds for each: qps %u, %s, crc %s", (unsigned)o->qps,
            table_transport, table_crc(o));
    else
        printf("%s, %s%s: depth %u, qps %u, chain %u, %s, crc %s, %s", perf_op_name(o->op),
            what[o->metric],
            o->metric != PERF_LAT ? ""
            : o->op == PERF_READ  ? ", whole operation"
                                  : ", half the round trip",
            (unsigned)o->depth, (unsigned)o->qps, (unsigned)o->chain, table_transport, table_crc(o),
            table_mode(o));
    print_specials(o);
    switch (o->metric) {
    case PERF_LAT:
        printf("%10s %10s %9s %9s %9s %9s %9s %9s\n", "size", "iters", "min", "median", "p99",
            "p99.9", "max", "mean");
        break;
    case PERF_BW:
        printf("%10s %10s %9s %9s %9s\n", "size", "iters", "seconds", "GB/s", "Gb/s");
        break;
    case PERF_RATE:
        printf("%10s %10s %9s %9s\n", "size", "iters", "seconds", "Mops/s");
        break;
    case PERF_CONN:
        printf("%10s %9s %9s %9s %9s %9s %9s %9s\n", "number", "conn/s", "min", "median", "p99",
            "p99.9", "max", "mean");
        break;
    }
}

double table_quantile_us(const struct perf_options *o, const struct perf_result *r, double q)
{
    return table_lat_us(o, hist_quantile(r->hist, q));
}

void table_row(const struct perf_options *o, const struct perf_result *r)
{
    unsigned long long size = r->size, iters = r->iters;

    switch (o->metric) {
    case PERF_LAT:
        printf("%10llu %10llu %9.2f %9.2f %9.2f %9.2f %9.2f %9.2f\n", size, iters,
            table_lat_us(o, (double)r->hist->min), table_quantile_us(o, r, 0.5),
            table_quantile_us(o, r, 0.99), table_quantile_us(o, r, 0.999),
            table_lat_us(o, (double)r->hist->max), table_lat_us(o, hist_mean(r->hist)));
        break;
    case PERF_BW:
        printf("%10llu %10llu %9.3f %9.3f %9.3f\n", size, iters, r->seconds, table_gbytes_s(r),
            table_gbytes_s(r) * 8);
        break;
    case PERF_RATE:
        printf("%10llu %10llu %9.3f %9.4f\n", size, iters, r->seconds, table_mops(r));
        break;
    case PERF_CONN:
        printf("%10llu %9.0f %9.2f %9.2f %9.2f %9.2f %9.2f %9.2f\n", iters, table_mops(r) * 1e6,
            table_lat_us(o, (double)r->hist->min), table_quantile_us(o, r, 0.5),
            table_quantile_us(o, r, 0.99), table_quantile_us(o, r, 0.999),
            table_lat_us(o, (double)r->hist->max), table_lat_us(o, hist_mean(r->hist)));
        break;
    }
}
