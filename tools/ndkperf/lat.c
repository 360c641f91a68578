/* SPDX-License-Identifier: MIT */
/* Latency: one exchange at a time on the first queue pair. */
#include "ndkperf/client.h"

#include "common/tool.h"

enum { WARM_UP_MAX = 2000 };

static bool post_one(struct flow *f, struct flow_link *l, const struct perf_options *o)
{
    switch (o->op) {
    case PERF_SEND:
        return flow_send(f, l, l->sge.Length, flow_seldom(l));
    case PERF_WRITE:
        return flow_write(f, l, NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_DEFER) &&
               flow_send(f, l, 0, flow_seldom(l));
    case PERF_READ:
        return flow_read(f, l, 0);
    }
    return false;
}

/* Until the answer (of a read: the completion) is there. */
static bool wait_answer(struct flow *f, struct flow_link *l, bool is_read)
{
    struct flow_quiet quiet = {0, 0};

    for (;;) {
        struct flow_received received[FLOW_RESULTS];
        uint32_t count;

        if (flow_take(f, received, &count) == 0) {
            if (!flow_wait(f, &quiet))
                return false;
        } else if (is_read ? l->reclaimed == l->posted : count > 0) {
            return f->status == STATUS_SUCCESS;
        }
    }
}

static bool wait_room(struct flow *f, struct flow_link *l)
{
    struct flow_quiet quiet = {0, 0};

    while (flow_room(f, l) < 2) {
        struct flow_received received[FLOW_RESULTS];
        uint32_t count;

        if (flow_take(f, received, &count) == 0 && !flow_wait(f, &quiet))
            return false;
    }
    return true;
}

bool perf_lat(struct flow *f, const struct perf_options *o, struct perf_result *r)
{
    struct flow_link *l = &f->links[0];
    struct perf_progress progress = {0};
    uint64_t run_ns = (uint64_t)(o->seconds * 1e9), began = tool_now_ns(), last = began, now;
    uint64_t warm_up = o->iters != 0 && o->iters / 10 < WARM_UP_MAX ? o->iters / 10 : WARM_UP_MAX;
    uint64_t warm_up_ns = run_ns / 10;
    bool is_warm = false;

    hist_clear(r->hist);
    for (;;) {
        if (!wait_room(f, l) || !post_one(f, l, o))
            return false;
        /* While the message is on its way. */
        if (!flow_repost(f, l) || !wait_answer(f, l, o->op == PERF_READ))
            return false;
        now = tool_now_ns();
        if (is_warm) {
            hist_add(r->hist, now - last);
            if (o->iters != 0 ? r->hist->count >= o->iters : now - began >= run_ns)
                break;
        } else if (warm_up == 0 || (o->iters == 0 && now - began >= warm_up_ns)) {
            is_warm = true;
            began = now;
        } else {
            warm_up--;
        }
        if ((r->hist->count & 0xff) == 0)
            perf_progress(&progress, o, r->size, began, now, r->hist->count);
        if (tool_is_interrupted())
            return false;
        last = now;
    }
    r->iters = r->hist->count;
    r->seconds = (double)(now - began) / 1e9;
    return flow_repost(f, l);
}
