/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/tool.h"
#include "ndkperf/client.h"

/* There is one transport; when there are more the connection will say which it uses. */
static const char transport[] = "tcp";

static const char *crc_words(const struct perf_options *o)
{
    return o->is_crc_off ? "off" : "on";
}

static const char *mode_words(const struct perf_options *o)
{
    return o->is_event ? "event" : "poll";
}

double table_lat_us(const struct perf_options *o, double ns)
{
    return o->op == PERF_READ ? ns / 1e3 : ns / 2e3;
}

double table_gbytes_s(const struct perf_result *r)
{
    return r->seconds > 0 ? (double)r->iters * (double)r->size / r->seconds / 1e9 : 0;
}

double table_mops(const struct perf_result *r)
{
    return r->seconds > 0 ? (double)r->iters / r->seconds / 1e6 : 0;
}

void table_head(const struct perf_options *o)
{
    static const char *const what[] = {
        [PERF_LAT] = "latency in microseconds", [PERF_BW] = "bandwidth", [PERF_RATE] = "rate"};

    printf("%s, %s%s: depth %u, qps %u, chain %u, %s, crc %s, %s\n", perf_op_name(o->op),
        what[o->metric],
        o->metric != PERF_LAT ? ""
        : o->op == PERF_READ  ? ", whole operation"
                              : ", half the round trip",
        (unsigned)o->depth, (unsigned)o->qps, (unsigned)o->chain, transport, crc_words(o),
        mode_words(o));
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
    }
}

static double quantile_us(const struct perf_options *o, const struct perf_result *r, double q)
{
    return table_lat_us(o, hist_quantile(r->hist, q));
}

void table_row(const struct perf_options *o, const struct perf_result *r)
{
    unsigned long long size = r->size, iters = r->iters;

    switch (o->metric) {
    case PERF_LAT:
        printf("%10llu %10llu %9.2f %9.2f %9.2f %9.2f %9.2f %9.2f\n", size, iters,
            table_lat_us(o, (double)r->hist->min), quantile_us(o, r, 0.5), quantile_us(o, r, 0.99),
            quantile_us(o, r, 0.999), table_lat_us(o, (double)r->hist->max),
            table_lat_us(o, hist_mean(r->hist)));
        break;
    case PERF_BW:
        printf("%10llu %10llu %9.3f %9.3f %9.3f\n", size, iters, r->seconds, table_gbytes_s(r),
            table_gbytes_s(r) * 8);
        break;
    case PERF_RATE:
        printf("%10llu %10llu %9.3f %9.4f\n", size, iters, r->seconds, table_mops(r));
        break;
    }
}

/* ---- JSON ---- */

struct table_json {
    FILE *file;
    json_t *results;
};

struct table_json *table_json_open(const char *path)
{
    struct table_json *j = calloc(1, sizeof *j);

    if (j == NULL)
        return NULL;
    j->file = fopen(path, "w");
    j->results = json_array();
    if (j->file == NULL || j->results == NULL) {
        if (j->file != NULL)
            fclose(j->file);
        json_decref(j->results);
        free(j);
        return NULL;
    }
    return j;
}

static json_t *lat_object(const struct perf_options *o, const struct perf_result *r)
{
    return json_pack("{s:f,s:f,s:f,s:f,s:f,s:f}", "min", table_lat_us(o, (double)r->hist->min),
        "median", quantile_us(o, r, 0.5), "p99", quantile_us(o, r, 0.99), "p999",
        quantile_us(o, r, 0.999), "max", table_lat_us(o, (double)r->hist->max), "mean",
        table_lat_us(o, hist_mean(r->hist)));
}

void table_json_add(struct table_json *j, const struct perf_options *o, const struct perf_result *r)
{
    json_t *object = json_pack("{s:s,s:s,s:I,s:i,s:i,s:i,s:s,s:s,s:s,s:I,s:f}", "op",
        perf_op_name(o->op), "metric", perf_metric_name(o->metric), "size", (json_int_t)r->size,
        "depth", (int)o->depth, "qps", (int)o->qps, "chain", (int)o->chain, "transport", transport,
        "crc", crc_words(o), "mode", mode_words(o), "iters", (json_int_t)r->iters, "seconds",
        r->seconds);

    switch (o->metric) {
    case PERF_LAT:
        json_object_set_new(object, "lat_us", lat_object(o, r));
        break;
    case PERF_BW:
        json_object_set_new(object, "bw_gbytes_s", json_real(table_gbytes_s(r)));
        break;
    case PERF_RATE:
        json_object_set_new(object, "rate_mops", json_real(table_mops(r)));
        break;
    }
    json_array_append_new(j->results, object);
}

bool table_json_close(struct table_json *j)
{
    json_t *document =
        json_pack("{s:s,s:o}", "version", SoftNdkVersionString(), "results", j->results);
    bool is_written = document != NULL &&
                      json_dumpf(document, j->file, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0 &&
                      fputc('\n', j->file) != EOF;

    is_written = fclose(j->file) == 0 && is_written;
    json_decref(document);
    free(j);
    return is_written;
}
