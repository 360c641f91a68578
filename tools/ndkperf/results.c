/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>
#include <softndk.h>

#include "common/tool.h"
#include "ndkperf/client.h"

struct results {
    FILE *json, *csv, *histogram; /* NULL: not asked for */
    json_t *array;
};

static const char csv_head[] =
    "op,metric,size,depth,qps,threads,chain,sge,bidirectional,transport,crc,mode,iters,seconds,"
    "lat_us_min,lat_us_median,lat_us_p99,lat_us_p999,lat_us_max,lat_us_mean,bw_gbytes_s,rate_mops,"
    "conns_per_s\n";

static void close_files(struct results *f)
{
    if (f->json != NULL)
        fclose(f->json);
    if (f->csv != NULL)
        fclose(f->csv);
    if (f->histogram != NULL)
        fclose(f->histogram);
    json_decref(f->array);
    free(f);
}

struct results *results_open(const struct perf_options *o)
{
    struct results *f = calloc(1, sizeof *f);
    const char *bad = NULL;

    if (f == NULL) {
        tool_fail(TOOL_FAILED, "memory is short");
        return NULL;
    }
    f->array = json_array();
    if (o->json != NULL && (f->json = fopen(o->json, "w")) == NULL)
        bad = o->json;
    if (o->csv != NULL && (f->csv = fopen(o->csv, "w")) == NULL)
        bad = o->csv;
    if (o->histogram != NULL && (f->histogram = fopen(o->histogram, "w")) == NULL)
        bad = o->histogram;
    if (bad != NULL || f->array == NULL) {
        tool_fail(TOOL_USAGE, "cannot write '%s'; name a file that can be created",
            bad != NULL ? bad : "the results");
        close_files(f);
        return NULL;
    }
    if (f->csv != NULL)
        fputs(csv_head, f->csv);
    if (f->histogram != NULL)
        fputs("size,us,count\n", f->histogram);
    return f;
}

static const char *op_word(const struct perf_options *o)
{
    return o->metric == PERF_CONN ? "connect" : perf_op_name(o->op);
}

static double conns_per_s(const struct perf_result *r)
{
    return r->seconds > 0 ? (double)r->iters / r->seconds : 0;
}

/* ---- JSON ---- */

static json_t *lat_object(const struct perf_options *o, const struct perf_result *r)
{
    return json_pack("{s:f,s:f,s:f,s:f,s:f,s:f}", "min", table_lat_us(o, (double)r->hist->min),
        "median", table_quantile_us(o, r, 0.5), "p99", table_quantile_us(o, r, 0.99), "p999",
        table_quantile_us(o, r, 0.999), "max", table_lat_us(o, (double)r->hist->max), "mean",
        table_lat_us(o, hist_mean(r->hist)));
}

/* What most runs do not have stands there only where a run has it. */
static void add_specials(json_t *object, const struct perf_options *o)
{
    if (o->threads > 1)
        json_object_set_new(object, "threads", json_integer(o->threads));
    if (o->sges > 1)
        json_object_set_new(object, "sge", json_integer(o->sges));
    if (o->is_bidirectional)
        json_object_set_new(object, "bidirectional", json_true());
}

static void add_json(struct results *f, const struct perf_options *o, const struct perf_result *r)
{
    json_t *object = json_pack("{s:s,s:s,s:I,s:i,s:i,s:i,s:s,s:s,s:s,s:I,s:f}", "op", op_word(o),
        "metric", perf_metric_name(o->metric), "size", (json_int_t)r->size, "depth", (int)o->depth,
        "qps", (int)o->qps, "chain", (int)o->chain, "transport", table_transport, "crc",
        table_crc(o), "mode", table_mode(o), "iters", (json_int_t)r->iters, "seconds", r->seconds);

    add_specials(object, o);
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
    case PERF_CONN:
        json_object_del(object, "size");
        json_object_set_new(object, "lat_us", lat_object(o, r));
        json_object_set_new(object, "conns_per_s", json_real(conns_per_s(r)));
        break;
    }
    json_array_append_new(f->array, object);
}

/* ---- CSV ---- */

static void add_csv(FILE *csv, const struct perf_options *o, const struct perf_result *r)
{
    fprintf(csv, "%s,%s,", op_word(o), perf_metric_name(o->metric));
    if (o->metric != PERF_CONN)
        fprintf(csv, "%llu", (unsigned long long)r->size);
    fprintf(csv, ",%u,%u,%u,%u,%u,%d,%s,%s,%s,%llu,%.9g,", (unsigned)o->depth, (unsigned)o->qps,
        (unsigned)o->threads, (unsigned)o->chain, (unsigned)o->sges, o->is_bidirectional,
        table_transport, table_crc(o), table_mode(o), (unsigned long long)r->iters, r->seconds);
    if (o->metric == PERF_LAT || o->metric == PERF_CONN)
        fprintf(csv, "%.3f,%.3f,%.3f,%.3f,%.3f,%.3f,", table_lat_us(o, (double)r->hist->min),
            table_quantile_us(o, r, 0.5), table_quantile_us(o, r, 0.99),
            table_quantile_us(o, r, 0.999), table_lat_us(o, (double)r->hist->max),
            table_lat_us(o, hist_mean(r->hist)));
    else
        fputs(",,,,,,", csv);
    if (o->metric == PERF_BW)
        fprintf(csv, "%.6g", table_gbytes_s(r));
    fputc(',', csv);
    if (o->metric == PERF_RATE)
        fprintf(csv, "%.6g", table_mops(r));
    fputc(',', csv);
    if (o->metric == PERF_CONN)
        fprintf(csv, "%.6g", conns_per_s(r));
    fputc('\n', csv);
}

/* ---- Histogram ---- */

struct bucket_line {
    FILE *file;
    const struct perf_options *o;
    uint64_t size;
};

static void add_bucket(void *context, double ns, uint64_t count)
{
    const struct bucket_line *line = context;

    fprintf(line->file, "%llu,%.4f,%llu\n", (unsigned long long)line->size,
        table_lat_us(line->o, ns), (unsigned long long)count);
}

void results_add(struct results *f, const struct perf_options *o, const struct perf_result *r)
{
    add_json(f, o, r);
    if (f->csv != NULL)
        add_csv(f->csv, o, r);
    if (f->histogram != NULL) {
        struct bucket_line line = {f->histogram, o, r->size};

        hist_each(r->hist, add_bucket, &line);
    }
}

static bool is_written(FILE *file, const char *path)
{
    bool is_good = file == NULL || (ferror(file) == 0 && fclose(file) == 0);

    if (!is_good)
        tool_fail(TOOL_FAILED, "'%s' could not be written completely", path);
    return is_good;
}

bool results_close(struct results *f, const struct perf_options *o)
{
    json_t *document =
        json_pack("{s:s,s:O}", "version", SoftNdkVersionString(), "results", f->array);
    bool is_good = document != NULL;

    if (f->json != NULL && document != NULL) {
        json_dumpf(document, f->json, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        fputc('\n', f->json);
    }
    is_good = is_written(f->json, o->json) && is_good;
    is_good = is_written(f->csv, o->csv) && is_good;
    is_good = is_written(f->histogram, o->histogram) && is_good;
    json_decref(document);
    json_decref(f->array);
    free(f);
    return is_good;
}
