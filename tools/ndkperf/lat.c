/* SPDX-License-Identifier: MIT */
/* Latency: one exchange at a time on the first queue pair. */
#include "common/tool.h"
#include "ndkperf/stream.h"

enum { WARM_UP_MAX = 2000 };

static bool post_one(struct flow *f, struct flow_link *l, const struct run_plan *p)
{
    switch (p->op) {
    case PERF_SEND:
        return flow_send(f, l, flow_seldom(l));
    case PERF_WRITE:
        return flow_write(f, l, NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_DEFER) &&
               flow_tell(f, l, 0, flow_seldom(l));
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

bool lat_run(struct flow *f, const struct run_plan *p, struct hist *hist, struct run_result *r)
{
    struct flow_link *l = &f->links[0];
    uint64_t run_ns = (uint64_t)(p->seconds * 1e9), began = tool_now_ns(), last = began, now;
    uint64_t warm_up = p->iters != 0 && p->iters / 10 < WARM_UP_MAX ? p->iters / 10 : WARM_UP_MAX;
    uint64_t warm_up_ns = run_ns / 10;
    bool is_warm = false;

    for (;;) {
        if (!wait_room(f, l) || !post_one(f, l, p))
            return false;
        /* While the message is on its way. */
        if (!flow_repost(f, l) || !wait_answer(f, l, p->op == PERF_READ))
            return false;
        now = tool_now_ns();
        if (is_warm) {
            hist_add(hist, now - last);
            if (p->iters != 0 ? hist->count >= p->iters : now - began >= run_ns)
                break;
        } else if (warm_up == 0 || (p->iters == 0 && now - began >= warm_up_ns)) {
            is_warm = true;
            began = now;
        } else {
            warm_up--;
        }
        if ((hist->count & 0xff) == 0 && p->progress != NULL)
            p->progress(p->progress_context, now - began, hist->count);
        if (tool_is_interrupted())
            return false;
        last = now;
    }
    r->iters = hist->count;
    r->ns = now - began;
    return flow_repost(f, l);
}
