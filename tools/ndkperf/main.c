/* SPDX-License-Identifier: MIT */
/* ndkperf: command line. */
#include <stdio.h>

#include "common/args.h"
#include "common/tool.h"
#include "ndkperf/client.h"

enum { TRANSPORT_SHM = 2, ALL_FIRST = 2, ALL_LAST = 8 << 20, CONN_QPS = 1000 };

static const char help[] =
    "usage: ndkperf --server [ADDR[:PORT]] [--once]\n"
    "       ndkperf ADDR[:PORT] [--op send|write|read] [--metric lat|bw|rate|conn]\n"
    "               [--size N[,N...] | --all] [--depth N] [--qps N] [--threads N] [--chain N]\n"
    "               [--sge N] [--bidirectional] [--seconds S | --iters N] [--poll | --event]\n"
    "               [--crc on|off] [--transport auto|tcp|shm] [--json FILE] [--csv FILE]\n"
    "               [--histogram FILE]\n"
    "\n"
    "Measures Send, RDMA Write and RDMA Read between two processes.\n"
    "\n"
    "  --server              serve any client, which says what to run; without ADDR on every\n"
    "                        IPv4 address of the host; port 9000\n"
    "  --once                serve one session, then exit\n"
    "  --op                  send (default), write, read\n"
    "  --metric              lat (default): microseconds, for send and write half the round trip,\n"
    "                        for read the whole operation; bw: GB/s (10^9) and Gb/s; rate: "
    "million\n"
    "                        operations per second; conn: how fast --qps connections are made\n"
    "  --size N[,N...]       octets of a request, 1 to 1G, a run for each (default 64; bw 1M)\n"
    "  --all                 instead: every power of two from 2 to 8M\n"
    "  --depth N             requests in flight per queue pair (default 1 for lat, 16 for bw,\n"
    "                        64 for rate)\n"
    "  --qps N               queue pairs (default 1, lat: one per thread, conn: 1000)\n"
    "  --threads N           threads on each side that share the queue pairs (default 1)\n"
    "  --chain N             requests in a chain of NDK_OP_FLAG_DEFER (default 1)\n"
    "  --sge N               pieces of memory that a request is gathered from, 1 to 16 (default "
    "1)\n"
    "  --bidirectional       bw, rate: both sides post; the figures are the sum\n"
    "  --seconds S           length of a run (default 2)\n"
    "  --iters N             instead: requests of a run\n"
    "  --poll, --event       both sides poll (default), or sleep until they are notified\n"
    "  --crc on|off          CRC of each frame (default on)\n"
    "  --transport           auto (default), tcp; shm does not exist yet\n"
    "  --json FILE           write the results there too\n"
    "  --csv FILE            likewise, a line for each run below a line of names\n"
    "  --histogram FILE      lat, conn: how often each time was measured, as CSV\n"
    "  --if N, --from ADDR   the interface with this index; client: connect from this address\n"
    "  --version, --help\n"
    "\n"
    "Warming up is not measured. Exit status: 0 done; 1 a run failed; 2 usage; 3 could not "
    "connect\n"
    "or bind.\n"
    "\n"
    "Examples:\n"
    "  ndkperf --server 127.0.0.1 &\n"
    "  ndkperf 127.0.0.1 --op send --metric lat --size 64,4096\n"
    "  ndkperf 127.0.0.1 --op write --metric bw --size 1M --crc off\n"
    "  ndkperf 127.0.0.1 --op send --metric rate --size 64 --depth 64 --chain 16\n"
    "  ndkperf 127.0.0.1 --op write --metric bw --all --csv sweep.csv\n"
    "  ndkperf 127.0.0.1 --op read --metric bw --bidirectional --qps 8 --threads 2\n"
    "  ndkperf 127.0.0.1 --metric conn --qps 2000 --threads 4\n";

struct arguments {
    bool is_server, is_once, is_poll, is_event, is_all, is_bidirectional;
    const char *from, *json, *csv, *histogram;
    uint64_t interface, depth, qps, threads, chain, sges, iters;
    struct args_sizes sizes;
    double seconds;
    int op, metric, crc, transport;
};

static int check(const struct arguments *a, const struct args_result *result)
{
    if (result->rest_count > 1)
        return tool_fail(
            TOOL_USAGE, "'%s' is one argument too many; --help shows the usage", result->rest[1]);
    if (a->is_poll && a->is_event)
        return tool_fail(TOOL_USAGE, "--poll and --event exclude each other");
    if (a->seconds > 0 && a->iters > 0)
        return tool_fail(TOOL_USAGE, "--seconds and --iters exclude each other");
    if (a->is_all && a->sizes.count > 0)
        return tool_fail(TOOL_USAGE, "--size and --all exclude each other");
    if (a->is_once && !a->is_server)
        return tool_fail(TOOL_USAGE, "--once is for --server");
    if (!a->is_server && result->rest_count == 0)
        return tool_fail(TOOL_USAGE, "which server? 'ndkperf ADDR[:PORT]' measures, 'ndkperf "
                                     "--server' serves; --help says more");
    if (a->transport == TRANSPORT_SHM)
        return tool_fail(
            TOOL_USAGE, "this version has no shared-memory transport; use --transport tcp or auto");
    return TOOL_DONE;
}

static void plan_sizes(struct perf_options *o, bool is_all)
{
    if (is_all) {
        for (uint64_t n = ALL_FIRST; n <= ALL_LAST; n *= 2)
            o->sizes.value[o->sizes.count++] = n;
    } else if (o->sizes.count == 0) {
        o->sizes.count = 1;
        o->sizes.value[0] = o->metric == PERF_BW ? 1 << 20 : 64;
    }
}

/* What goes with what. */
static int check_options(const struct perf_options *o)
{
    if (o->threads > o->qps)
        return tool_fail(
            TOOL_USAGE, "%u threads need as many queue pairs; raise --qps", (unsigned)o->threads);
    if (o->chain > o->depth)
        return tool_fail(TOOL_USAGE, "a chain of %u does not fit a depth of %u; raise --depth",
            (unsigned)o->chain, (unsigned)o->depth);
    if (o->metric == PERF_LAT && (o->qps > o->threads || o->chain > 1))
        return tool_fail(TOOL_USAGE, "latency is measured on one queue pair for each thread, one "
                                     "request at a time: leave --qps and --chain out");
    if (o->is_bidirectional && (o->metric == PERF_LAT || o->metric == PERF_CONN))
        return tool_fail(TOOL_USAGE, "--bidirectional is for the metrics bw and rate");
    if (o->histogram != NULL && o->metric != PERF_LAT && o->metric != PERF_CONN)
        return tool_fail(TOOL_USAGE, "--histogram is for the metrics lat and conn");
    if (o->iters > 0 && o->iters < o->threads)
        return tool_fail(TOOL_USAGE, "each thread needs an iteration; raise --iters");
    for (size_t i = 0; i < o->sizes.count; i++) {
        if (o->sizes.value[i] < o->sges)
            return tool_fail(TOOL_USAGE, "%llu octets do not go into %u pieces; lower --sge",
                (unsigned long long)o->sizes.value[i], (unsigned)o->sges);
        if (o->is_bidirectional && o->op == PERF_SEND && o->sizes.value[i] < 2)
            return tool_fail(TOOL_USAGE, "in both directions a Send has 2 octets at least");
    }
    return TOOL_DONE;
}

/* 0; or an exit status after a sentence. */
static int make_options(const struct arguments *a, const char *address, struct perf_options *o)
{
    static const uint32_t depths[] = {
        [PERF_LAT] = 1, [PERF_BW] = 16, [PERF_RATE] = 64, [PERF_CONN] = 1};

    *o = (struct perf_options){.address = address,
        .from = a->from,
        .json = a->json,
        .csv = a->csv,
        .histogram = a->histogram,
        .interface = (uint32_t)a->interface,
        .op = (enum perf_op)a->op,
        .metric = (enum perf_metric)a->metric,
        .sizes = a->sizes,
        .depth = (uint32_t)a->depth,
        .qps = (uint32_t)a->qps,
        .chain = (uint32_t)a->chain,
        .threads = (uint32_t)a->threads,
        .sges = (uint32_t)a->sges,
        .seconds = a->seconds > 0 ? a->seconds : 2,
        .iters = a->iters,
        .is_event = a->is_event,
        .is_crc_off = a->crc == 1,
        .is_bidirectional = a->is_bidirectional,
        .transport = (uint32_t)a->transport};
    if (o->qps == 0)
        o->qps = o->metric == PERF_CONN ? CONN_QPS : o->metric == PERF_LAT ? o->threads : 1;
    if (o->depth == 0)
        o->depth = depths[o->metric] < o->chain ? o->chain : depths[o->metric];
    plan_sizes(o, a->is_all);
    return check_options(o);
}

int main(int argc, char **argv)
{
    struct arguments a = {.threads = 1, .chain = 1, .sges = 1};
    const struct args_option options[] = {
        {"--server", ARGS_FLAG, &a.is_server, 0, 0, NULL},
        {"--once", ARGS_FLAG, &a.is_once, 0, 0, NULL},
        {"--op", ARGS_CHOICE, &a.op, 0, 0, perf_op_words},
        {"--metric", ARGS_CHOICE, &a.metric, 0, 0, perf_metric_words},
        {"--size", ARGS_SIZES, &a.sizes, 1, PERF_SIZE_MAX, NULL},
        {"--all", ARGS_FLAG, &a.is_all, 0, 0, NULL},
        {"--depth", ARGS_NUMBER, &a.depth, 1, PERF_DEPTH_MAX, NULL},
        {"--qps", ARGS_NUMBER, &a.qps, 1, PERF_QPS_MAX, NULL},
        {"--threads", ARGS_NUMBER, &a.threads, 1, PERF_THREADS_MAX, NULL},
        {"--sge", ARGS_NUMBER, &a.sges, 1, PERF_SGE_MAX, NULL},
        {"--bidirectional", ARGS_FLAG, &a.is_bidirectional, 0, 0, NULL},
        {"--chain", ARGS_NUMBER, &a.chain, 1, PERF_DEPTH_MAX, NULL},
        {"--seconds", ARGS_SECONDS, &a.seconds, 0, 3600, NULL},
        {"--iters", ARGS_NUMBER, &a.iters, 1, 1ull << 40, NULL},
        {"--poll", ARGS_FLAG, &a.is_poll, 0, 0, NULL},
        {"--event", ARGS_FLAG, &a.is_event, 0, 0, NULL},
        {"--crc", ARGS_CHOICE, &a.crc, 0, 0, "on off"},
        {"--transport", ARGS_CHOICE, &a.transport, 0, 0, "auto tcp shm"},
        {"--json", ARGS_TEXT, &a.json, 0, 0, NULL},
        {"--csv", ARGS_TEXT, &a.csv, 0, 0, NULL},
        {"--histogram", ARGS_TEXT, &a.histogram, 0, 0, NULL},
        {"--from", ARGS_TEXT, &a.from, 0, 0, NULL},
        {"--if", ARGS_NUMBER, &a.interface, 0, INT32_MAX, NULL},
    };
    struct perf_options o;
    struct args_result result;
    int rc;

    tool_start("ndkperf");
    if (!args_parse(options, sizeof options / sizeof options[0], argc, argv, &result))
        return tool_fail(TOOL_USAGE, "%s", result.error);
    if (result.wants_help) {
        fputs(help, stdout);
        return TOOL_DONE;
    }
    if (result.wants_version) {
        printf("ndkperf %s\n", SOFTNDK_TOOL_VERSION);
        return TOOL_DONE;
    }
    rc = check(&a, &result);
    if (rc == TOOL_DONE && a.is_server)
        return perf_server(result.rest[0], (uint32_t)a.interface, a.is_once);
    if (rc == TOOL_DONE)
        rc = make_options(&a, result.rest[0], &o);
    return rc == TOOL_DONE ? perf_client(&o) : rc;
}
