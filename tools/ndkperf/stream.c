/* SPDX-License-Identifier: MIT */
/* Bandwidth and rate: as many requests in flight as the depth allows, on all queue pairs. */
#include "ndkperf/stream.h"

#include "common/tool.h"

enum {
    LOOK_EVERY = 16, /* rounds between looks at the clock */
    WARM_UP_MIN_NS = 20000000,
};

struct stream {
    struct flow *f;
    const struct run_plan *p;
    bool is_stopping;     /* post nothing more */
    uint64_t done_before; /* requests completed when the measurement began */
    uint64_t base;        /* and when the run began */
    uint64_t began_ns;
    bool is_warm;
};

/* Requests completed since the run began; what is told beside them is not among them. */
static uint64_t completed(const struct stream *s)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < s->f->count; i++)
        sum += s->f->links[i].reclaimed - s->f->links[i].told;
    return sum - s->base;
}

/* ---- Posting ---- */

static bool post_one(struct stream *s, struct flow_link *l, ULONG flags)
{
    switch (s->p->op) {
    case PERF_SEND:
        l->credits--;
        return flow_send(s->f, l, flags);
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
    uint32_t chain = s->p->chain, out = (uint32_t)(l->posted - l->reclaimed);

    if (s->is_stopping || l->todo == 0)
        return 0;
    if (chain > l->todo)
        chain = (uint32_t)l->todo;
    if (out + chain > s->p->depth)
        return 0;
    /* One credit stays for what ends the run. */
    if (s->p->op == PERF_SEND && l->credits < chain + 1)
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

/* ---- Receiving ---- */

/* Credits have no octets; what ends a run has one, and so has nothing else that comes here but, in
 * both directions, data with more. */
static bool take_received(struct stream *s, const struct flow_received *received, uint32_t count)
{
    struct flow *f = s->f;

    for (uint32_t i = 0; i < count; i++) {
        struct flow_link *l = received[i].link;

        if (received[i].octets == 0) {
            l->credits += f->peer_advertised / 4;
        } else if (received[i].octets == 1) {
            l->is_answered = true;
            s->is_stopping |= s->p->is_responder;
        } else if (!s->p->is_bidirectional || flow_room(f, l) < 2) {
            f->status = STATUS_INVALID_DEVICE_STATE; /* not as agreed */
            return false;
        } else if (!flow_consumed(f, l)) {
            return false;
        }
        if (!flow_repost(f, l))
            return false;
    }
    return true;
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

/* ---- Beginning and end ---- */

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

static void begin_measuring(struct stream *s, uint64_t now)
{
    s->is_warm = true;
    s->began_ns = now;
    s->done_before = completed(s);
}

static void look_at_clock(struct stream *s)
{
    const struct run_plan *p = s->p;
    uint64_t run_ns = (uint64_t)(p->seconds * 1e9), now = tool_now_ns();
    uint64_t warm_up_ns = run_ns / 10 > WARM_UP_MIN_NS ? run_ns / 10 : WARM_UP_MIN_NS;

    if (p->iters == 0) {
        if (!s->is_warm && now - s->began_ns >= warm_up_ns)
            begin_measuring(s, now);
        else if (s->is_warm && !p->is_responder && now - s->began_ns >= run_ns)
            s->is_stopping = true;
    }
    if (s->is_warm && p->progress != NULL)
        p->progress(p->progress_context, now - s->began_ns, completed(s) - s->done_before);
}

static void plan_requests(struct stream *s, uint64_t total)
{
    uint32_t links = s->f->count;

    for (uint32_t i = 0; i < links; i++)
        s->f->links[i].todo = total / links + (i < total % links ? 1 : 0);
}

static bool is_called_off(const struct stream *s)
{
    return tool_is_interrupted() ||
           (s->p->is_stopped != NULL &&
               atomic_load_explicit(s->p->is_stopped, memory_order_relaxed));
}

/* Posts and takes until all is posted, or the time is over, and all of it has completed. */
static bool pump(struct stream *s)
{
    struct flow_quiet quiet = {0, 0};

    for (uint32_t round = 0; !is_finished(s); round++) {
        if (!post_chains(s) || !take_some(s, &quiet))
            return false;
        if (round % LOOK_EVERY == 0)
            look_at_clock(s);
        if (is_called_off(s))
            return false;
    }
    return true;
}

/* Tells the peer on each queue pair that this was all, and waits until it says so too. */
static bool end_all(struct stream *s)
{
    struct flow *f = s->f;
    struct flow_quiet quiet = {0, 0};
    ULONG octets = s->p->is_bidirectional ? 1 : 0;

    for (uint32_t i = 0; i < f->count; i++) {
        if (!flow_tell(f, &f->links[i], octets, 0))
            return false;
    }
    for (uint32_t i = 0; i < f->count;) {
        if (f->links[i].is_answered && is_drained(f)) {
            i++;
        } else if (!take_some(s, &quiet) || is_called_off(s)) {
            return false;
        }
    }
    return true;
}

bool stream_run(struct flow *f, const struct run_plan *p, struct run_result *r)
{
    struct stream s = {.f = f, .p = p, .began_ns = tool_now_ns()};

    s.base = completed(&s);
    if (p->iters != 0) {
        plan_requests(&s, p->iters / 10);
        if (!pump(&s))
            return false;
        begin_measuring(&s, tool_now_ns());
        plan_requests(&s, p->iters);
    } else {
        plan_requests(&s, UINT64_MAX);
    }
    if (!pump(&s))
        return false;
    r->iters = completed(&s) - s.done_before;
    r->ns = tool_now_ns() - s.began_ns;
    if ((p->op != PERF_READ || p->is_bidirectional) && !end_all(&s))
        return false;
    /* The peer has everything now; what the server sent it did not see arrive. */
    if (!p->is_responder)
        r->ns = tool_now_ns() - s.began_ns;
    return true;
}
