/* SPDX-License-Identifier: MIT */
/* ndkperf: command line. */
#include <stdio.h>

#include "common/args.h"
#include "common/tool.h"
#include "ndkperf/client.h"

enum { TRANSPORT_SHM = 2 };

static const char help[] =
    "usage: ndkperf --server [ADDR[:PORT]] [--once]\n"
    "       ndkperf ADDR[:PORT] [--op send|write|read] [--metric lat|bw|rate] [--size N[,N...]]\n"
    "               [--depth N] [--qps N] [--chain N] [--seconds S | --iters N]\n"
    "               [--poll | --event] [--crc on|off] [--transport auto|tcp|shm] [--json FILE]\n"
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
    "                        operations per second\n"
    "  --size N[,N...]       octets of a request, 1 to 1G, a run for each (default 64; bw 1M)\n"
    "  --depth N             requests in flight per queue pair (default 1 for lat, 16 for bw,\n"
    "                        64 for rate)\n"
    "  --qps N               queue pairs (default 1)\n"
    "  --chain N             requests in a chain of NDK_OP_FLAG_DEFER (default 1)\n"
    "  --seconds S           length of a run (default 2)\n"
    "  --iters N             instead: requests of a run\n"
    "  --poll, --event       both sides poll (default), or sleep until they are notified\n"
    "  --crc on|off          CRC of each frame (default on)\n"
    "  --transport           auto (default), tcp; shm does not exist yet\n"
    "  --json FILE           write the results there too\n"
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
    "  ndkperf 127.0.0.1 --op send --metric rate --size 64 --depth 64 --chain 16\n";

struct arguments {
    bool is_server, is_once, is_poll, is_event;
    const char *from, *json;
    uint64_t interface, depth, qps, chain, iters;
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

/* 0; or an exit status after a sentence. */
static int make_options(const struct arguments *a, const char *address, struct perf_options *o)
{
    static const uint32_t depths[] = {[PERF_LAT] = 1, [PERF_BW] = 16, [PERF_RATE] = 64};

    *o = (struct perf_options){.address = address,
        .from = a->from,
        .json = a->json,
        .interface = (uint32_t)a->interface,
        .op = (enum perf_op)a->op,
        .metric = (enum perf_metric)a->metric,
        .sizes = a->sizes,
        .depth = (uint32_t)a->depth,
        .qps = (uint32_t)a->qps,
        .chain = (uint32_t)a->chain,
        .seconds = a->seconds > 0 ? a->seconds : 2,
        .iters = a->iters,
        .is_event = a->is_event,
        .is_crc_off = a->crc == 1,
        .transport = (uint32_t)a->transport};
    if (o->sizes.count == 0) {
        o->sizes.count = 1;
        o->sizes.value[0] = o->metric == PERF_BW ? 1 << 20 : 64;
    }
    if (o->depth == 0)
        o->depth = depths[o->metric] < o->chain ? o->chain : depths[o->metric];
    if (o->chain > o->depth)
        return tool_fail(TOOL_USAGE, "a chain of %u does not fit a depth of %u; raise --depth",
            (unsigned)o->chain, (unsigned)o->depth);
    if (o->metric == PERF_LAT && (o->qps > 1 || o->chain > 1))
        return tool_fail(TOOL_USAGE, "latency is measured on one queue pair, one request at a "
                                     "time: leave --qps and --chain out");
    return TOOL_DONE;
}

int main(int argc, char **argv)
{
    struct arguments a = {.qps = 1, .chain = 1};
    const struct args_option options[] = {
        {"--server", ARGS_FLAG, &a.is_server, 0, 0, NULL},
        {"--once", ARGS_FLAG, &a.is_once, 0, 0, NULL},
        {"--op", ARGS_CHOICE, &a.op, 0, 0, perf_op_words},
        {"--metric", ARGS_CHOICE, &a.metric, 0, 0, perf_metric_words},
        {"--size", ARGS_SIZES, &a.sizes, 1, PERF_SIZE_MAX, NULL},
        {"--depth", ARGS_NUMBER, &a.depth, 1, PERF_DEPTH_MAX, NULL},
        {"--qps", ARGS_NUMBER, &a.qps, 1, PERF_QPS_MAX, NULL},
        {"--chain", ARGS_NUMBER, &a.chain, 1, PERF_DEPTH_MAX, NULL},
        {"--seconds", ARGS_SECONDS, &a.seconds, 0, 3600, NULL},
        {"--iters", ARGS_NUMBER, &a.iters, 1, 1ull << 40, NULL},
        {"--poll", ARGS_FLAG, &a.is_poll, 0, 0, NULL},
        {"--event", ARGS_FLAG, &a.is_event, 0, 0, NULL},
        {"--crc", ARGS_CHOICE, &a.crc, 0, 0, "on off"},
        {"--transport", ARGS_CHOICE, &a.transport, 0, 0, "auto tcp shm"},
        {"--json", ARGS_TEXT, &a.json, 0, 0, NULL},
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
