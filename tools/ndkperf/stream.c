/* SPDX-License-Identifier: MIT */
/* Bandwidth and rate: as many requests in flight as the depth allows, on all queue pairs. */
#include "ndkperf/client.h"

#include "common/tool.h"

enum {
    LOOK_EVERY = 16, /* rounds between looks at the clock */
    WARM_UP_MIN_NS = 20000000,
};

struct stream {
    struct flow *f;
    const struct perf_options *o;
    uint64_t size;
    bool is_stopping;     /* the time is over: post nothing more */
    uint64_t done_before; /* requests completed when the measurement began */
    uint64_t began_ns;
    bool is_warm;
};

/* Requests completed since the run began. */
static uint64_t completed(const struct stream *s, const uint64_t *base)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < s->f->count; i++)
        sum += s->f->links[i].reclaimed;
    return sum - *base;
}

static bool post_one(struct stream *s, struct flow_link *l, ULONG flags)
{
    switch (s->o->op) {
    case PERF_SEND:
        l->credits--;
        return flow_send(s->f, l, l->sge.Length, flags);
    case PERF_WRITE:
        return flow_write(s->f, l, flags);
    case PERF_READ:
        return flow_read(s->f, l, flags);
    }
    return false;
}

/* How many requests may be posted now; chains are not cut but at the end of a run. */
static uint32_t may_post(const struct stream *s, const struct flow_link *l)
{
    uint32_t chain = s->o->chain, out = (uint32_t)(l->posted - l->reclaimed);

    if (s->is_stopping || l->todo == 0)
        return 0;
    if (chain > l->todo)
        chain = (uint32_t)l->todo;
    if (out + chain > s->o->depth)
        return 0;
    /* One credit stays for the question at the end. */
    if (s->o->op == PERF_SEND && l->credits < chain + 1)
        return 0;
    return chain;
}

static bool post_chains(struct stream *s)
{
    for (uint32_t i = 0; i < s->f->count; i++) {
        struct flow_link *l = &s->f->links[i];
        uint32_t chain;

        while ((chain = may_post(s, l)) > 0) {
            l->todo -= chain;
            for (; chain > 1; chain--) {
                if (!post_one(s, l, NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_DEFER))
                    return false;
            }
            if (!post_one(s, l, 0))
                return false;
        }
    }
    return true;
}

/* Credits come in messages of no octets, the answer at the end has one. */
static bool take_received(struct stream *s, const struct flow_received *received, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct flow_link *l = received[i].link;

        if (received[i].octets == 0)
            l->credits += s->f->peer_receive_depth / 4;
        else
            l->is_answered = true;
        if (!flow_repost(s->f, l))
            return false;
    }
    return true;
}

static bool is_drained(const struct flow *f)
{
    for (uint32_t i = 0; i < f->count; i++) {
        const struct flow_link *l = &f->links[i];

        if (l->posted != l->reclaimed)
            return false;
    }
    return true;
}

static bool is_finished(const struct stream *s)
{
    if (!s->is_stopping) {
        for (uint32_t i = 0; i < s->f->count; i++) {
            if (s->f->links[i].todo > 0)
                return false;
        }
    }
    return is_drained(s->f);
}

static bool ask_all(struct stream *s)
{
    for (uint32_t i = 0; i < s->f->count; i++) {
        if (!flow_send(s->f, &s->f->links[i], 0, 0))
            return false;
    }
    return true;
}

static bool is_answered(const struct flow *f)
{
    for (uint32_t i = 0; i < f->count; i++) {
        if (!f->links[i].is_answered)
            return false;
    }
    return is_drained(f);
}

/* One round of completions; waits if there are none. */
static bool take_some(struct stream *s, struct flow_quiet *quiet)
{
    struct flow_received received[FLOW_RESULTS];
    uint32_t count;

    if (flow_take(s->f, received, &count) == 0)
        return flow_wait(s->f, quiet);
    quiet->since_ns = 0;
    return s->f->status == STATUS_SUCCESS && take_received(s, received, count);
}

static void begin_measuring(struct stream *s, uint64_t now, const uint64_t *base)
{
    s->is_warm = true;
    s->began_ns = now;
    s->done_before = completed(s, base);
}

static void look_at_clock(struct stream *s, struct perf_progress *progress, const uint64_t *base)
{
    uint64_t run_ns = (uint64_t)(s->o->seconds * 1e9), now = tool_now_ns();
    uint64_t warm_up_ns = run_ns / 10 > WARM_UP_MIN_NS ? run_ns / 10 : WARM_UP_MIN_NS;

    if (s->o->iters == 0) {
        if (!s->is_warm && now - s->began_ns >= warm_up_ns)
            begin_measuring(s, now, base);
        else if (s->is_warm && now - s->began_ns >= run_ns)
            s->is_stopping = true;
    }
    if (s->is_warm)
        perf_progress(
            progress, s->o, s->size, s->began_ns, now, completed(s, base) - s->done_before);
}

static void plan_requests(struct stream *s, uint64_t total)
{
    uint32_t links = s->f->count;

    for (uint32_t i = 0; i < links; i++)
        s->f->links[i].todo = total / links + (i < total % links ? 1 : 0);
}

/* Posts and takes until all is posted, or the time is over, and all of it has completed. */
static bool pump(struct stream *s, const uint64_t *base)
{
    struct perf_progress progress = {0};
    struct flow_quiet quiet = {0, 0};

    for (uint32_t round = 0; !is_finished(s); round++) {
        if (!post_chains(s) || !take_some(s, &quiet))
            return false;
        if (round % LOOK_EVERY == 0)
            look_at_clock(s, &progress, base);
        if (tool_is_interrupted())
            return false;
    }
    return true;
}

/* Until the peer has everything. */
static bool ask_and_wait(struct stream *s)
{
    struct flow_quiet quiet = {0, 0};

    if (!ask_all(s))
        return false;
    while (!is_answered(s->f)) {
        if (!take_some(s, &quiet))
            return false;
    }
    return true;
}

bool perf_stream(struct flow *f, const struct perf_options *o, struct perf_result *r)
{
    struct stream s = {.f = f, .o = o, .size = r->size, .began_ns = tool_now_ns()};
    uint64_t base = 0;

    base = completed(&s, &base);
    if (o->iters != 0) {
        plan_requests(&s, o->iters / 10);
        if (!pump(&s, &base))
            return false;
        begin_measuring(&s, tool_now_ns(), &base);
        plan_requests(&s, o->iters);
    } else {
        plan_requests(&s, UINT64_MAX);
    }
    if (!pump(&s, &base))
        return false;
    r->iters = completed(&s, &base) - s.done_before;
    if (o->op != PERF_READ && !ask_and_wait(&s))
        return false;
    r->seconds = (double)(tool_now_ns() - s.began_ns) / 1e9;
    return true;
}
