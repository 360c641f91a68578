/* SPDX-License-Identifier: MIT */
#include "ndkperf/serve.h"

#include "common/tool.h"

/* What a received message asks for in the two latency exchanges. */
static bool answer_lat(struct flow *f, struct flow_link *l, const struct perf_run *run)
{
    if (run->op == PERF_SEND)
        return flow_send(f, l, flow_seldom(l));
    return flow_write(f, l, NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_DEFER) &&
           flow_tell(f, l, 0, flow_seldom(l));
}

/* Credits for a quarter of the receives, when they have been posted again; the answer at the end.
 */
static bool answer_stream(
    struct flow *f, struct flow_link *l, const struct perf_run *run, ULONG octets)
{
    if (octets == 0)
        return flow_repost(f, l) && flow_tell(f, l, 1, 0);
    return run->op != PERF_SEND || flow_consumed(f, l);
}

static bool answer(struct serving *s, const struct flow_received *received, uint32_t count)
{
    struct flow *f = &s->flow;

    for (uint32_t i = 0; i < count; i++) {
        struct flow_link *l = received[i].link;

        if (flow_room(f, l) < 2) {
            f->status = STATUS_INVALID_DEVICE_STATE; /* the client asks more than is agreed */
            return false;
        }
        if (s->run->metric == PERF_LAT) {
            /* First what the peer waits for. */
            if (!answer_lat(f, l, s->run) || !flow_repost(f, l))
                return false;
        } else if (!answer_stream(f, l, s->run, received[i].octets)) {
            return false;
        }
    }
    return true;
}

static bool is_stopped(const struct serving *s)
{
    return atomic_load_explicit(&s->is_stopped, memory_order_relaxed);
}

static bool answer_all(struct serving *s)
{
    struct flow_quiet quiet = {0, 0};

    while (!is_stopped(s)) {
        struct flow_received received[FLOW_RESULTS];
        uint32_t count;

        if (flow_take(&s->flow, received, &count) > 0) {
            if (!answer(s, received, count))
                return false;
        } else if (!flow_wait(&s->flow, &quiet)) {
            return false;
        }
        quiet.since_ns = 0; /* Reads and Writes come unseen: the client's patience counts */
    }
    return true;
}

static bool is_both_ways(const struct serving *s)
{
    return s->session->is_bidirectional && s->run->metric != PERF_LAT;
}

void serve_run(struct serving *s)
{
    const struct run_plan plan = {.op = s->run->op,
        .depth = s->session->depth,
        .chain = s->run->chain,
        .is_bidirectional = true,
        .is_responder = true,
        .is_stopped = &s->is_stopped};
    bool is_good = !is_both_ways(s) || stream_run(&s->flow, &plan, &s->result);

    /* A client that ends in the middle of a run is no failure of ours. */
    if (!(is_good && answer_all(s)) && !is_stopped(s))
        atomic_store(&s->is_failed, true);
}
