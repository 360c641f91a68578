/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "common/tool.h"
#include "ndkperf/client.h"

enum { EVERY_NS = 1000000000 };

void progress_begin(struct progress *p, const struct perf_options *o, uint64_t size)
{
    p->o = o;
    p->size = size;
    p->next_ns = 0;
    p->is_shown = false;
    for (int i = 0; i < PERF_THREADS_MAX; i++) {
        p->part[i].whole = p;
        atomic_store_explicit(&p->part[i].done, 0, memory_order_relaxed);
    }
}

static void say(const struct progress *p, const struct perf_result *r)
{
    const char *before = isatty(STDERR_FILENO) ? "\r\033[K" : "";
    const char *after = isatty(STDERR_FILENO) ? "" : "\n";

    fprintf(stderr, "%s  %s %s %llu: %.0f s, ", before, perf_op_name(p->o->op),
        perf_metric_name(p->o->metric), (unsigned long long)p->size, r->seconds);
    switch (p->o->metric) {
    case PERF_LAT:
    case PERF_CONN:
        fprintf(stderr, "%.2f us%s",
            table_lat_us(p->o, r->seconds * 1e9 * p->o->threads / (double)r->iters), after);
        break;
    case PERF_BW:
        fprintf(stderr, "%.3f GB/s%s", table_gbytes_s(r), after);
        break;
    case PERF_RATE:
        fprintf(stderr, "%.3f Mops/s%s", table_mops(r), after);
        break;
    }
    fflush(stderr);
}

void progress_report(void *context, uint64_t ns, uint64_t done)
{
    struct progress_part *part = context;
    struct progress *p = part->whole;
    struct perf_result r = {.size = p->size, .seconds = (double)ns / 1e9};

    atomic_store_explicit(&part->done, done, memory_order_relaxed);
    if (part != &p->part[0] || ns < p->next_ns)
        return;
    if (p->next_ns == 0) {
        p->next_ns = EVERY_NS;
        return;
    }
    p->next_ns = ns + EVERY_NS;
    for (uint32_t i = 0; i < p->o->threads; i++)
        r.iters += atomic_load_explicit(&p->part[i].done, memory_order_relaxed);
    if (r.iters == 0)
        return;
    say(p, &r);
    p->is_shown = true;
}

void progress_end(struct progress *p)
{
    if (p->is_shown && isatty(STDERR_FILENO)) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}
