/* SPDX-License-Identifier: MIT */
/* The measuring side: connects, asks the server for each run, prints. lat.c and stream.c measure.
 */
#include "ndkperf/client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/channel.h"
#include "common/tool.h"
#include "ndkperf/crew.h"
#include "ndkperf/stream.h"

enum { CONTROL_SLOTS = 4 };

/* What one thread does. */
struct part {
    struct flow flow;
    struct hist hist;
    struct run_result result;
    bool is_done;
};

struct client {
    const struct perf_options *o;
    struct ndk_host host;
    struct channel control;
    struct perf_session session;
    struct part *parts; /* session.threads */
    struct progress progress;
    struct hist hist; /* of all parts */
    SOCKADDR_INET from, to;
    uint64_t size;          /* of the run */
    _Atomic int connect_rc; /* of connecting: the first exit status that is not TOOL_DONE */
};

/* ---- Connecting ---- */

/* What the peer said when it refused, if it is an ndkperf. */
static int connect_failed(const struct client *c, const struct ndk_link *l, NTSTATUS status)
{
    struct perf_private p;
    char text[ADDR_TEXT_MAX];

    if (status == STATUS_CONNECTION_REFUSED &&
        perf_private_read(l->private_data, l->private_length, &p) && p.kind == PERF_REFUSAL)
        return tool_fail(TOOL_UNREACHABLE, "the server at %s refuses: %s", addr_text(&c->to, text),
            perf_refusal_name(p.refusal));
    return ndk_fail_connect(status, &c->from, &c->to);
}

static int connect_link(struct client *c, struct ndk_link *l, const struct perf_private *private,
    struct perf_memory *server)
{
    uint8_t data[PERF_PRIVATE_SIZE];
    struct ndk_terms terms = {PERF_READS, PERF_READS, data, sizeof data};
    struct perf_private answer;
    char text[ADDR_TEXT_MAX];
    NTSTATUS status;

    if (terms.inbound > c->host.info.MaxInboundReadLimit)
        terms.inbound = c->host.info.MaxInboundReadLimit;
    if (terms.outbound > c->host.info.MaxOutboundReadLimit)
        terms.outbound = c->host.info.MaxOutboundReadLimit;
    perf_private_write(private, data);
    status = ndk_link_connect(l, &c->from, &c->to, &terms);
    if (!NT_SUCCESS(status))
        return connect_failed(c, l, status);
    if (!perf_private_read(l->private_data, l->private_length, &answer) ||
        answer.kind != PERF_ANSWER)
        return tool_fail(
            TOOL_FAILED, "%s accepted but does not speak ndkperf", addr_text(&c->to, text));
    *server = answer.memory;
    return TOOL_DONE;
}

/* A thread: the queue pairs of its part, one after the other. */
static void connect_part(void *context, uint32_t thread)
{
    struct client *c = context;
    struct part *part = &c->parts[thread];
    uint64_t began = tool_now_ns(), last = began;

    for (uint32_t i = 0; i < part->flow.count && atomic_load(&c->connect_rc) == TOOL_DONE; i++) {
        struct flow_link *l = &part->flow.links[i];
        struct perf_private private = {.kind = PERF_DATA,
            .id = c->session.id,
            .index = i * c->session.threads + thread,
            .memory = l->own};
        int none = TOOL_DONE, rc = connect_link(c, &l->link, &private, &l->peer);
        uint64_t now = tool_now_ns();

        if (rc != TOOL_DONE)
            atomic_compare_exchange_strong(&c->connect_rc, &none, rc);
        hist_add(&part->hist, now - last);
        last = now;
    }
    part->result = (struct run_result){part->hist.count, last - began};
}

static int open_parts(struct client *c)
{
    c->parts = calloc(c->session.threads, sizeof *c->parts);
    if (c->parts == NULL)
        return tool_fail(TOOL_FAILED, "memory is short");
    for (uint32_t t = 0; t < c->session.threads; t++) {
        struct part *part = &c->parts[t];

        hist_clear(&part->hist);
        if (!flow_open(&c->host, &part->flow, &c->session, t, false))
            return TOOL_FAILED;
        for (uint32_t i = 0; i < part->flow.count; i++) {
            if (flow_add(&part->flow, i) == NULL)
                return TOOL_FAILED;
        }
    }
    return TOOL_DONE;
}

static int connect_all(struct client *c)
{
    struct perf_private private = {.kind = PERF_CONTROL, .session = c->session};
    NTSTATUS status =
        channel_open(&c->host, &c->control, PERF_MESSAGE_SIZE, CONTROL_SLOTS, CONTROL_SLOTS);
    struct perf_memory none;
    int rc;

    if (!NT_SUCCESS(status))
        return tool_fail(TOOL_FAILED, "cannot make a queue pair: %s", SoftNdkStatusName(status));
    rc = open_parts(c);
    if (rc == TOOL_DONE)
        rc = connect_link(c, &c->control.link, &private, &none);
    if (rc == TOOL_DONE && !crew_run(c->session.threads, connect_part, c))
        rc = TOOL_FAILED;
    return rc == TOOL_DONE ? atomic_load(&c->connect_rc) : rc;
}

/* ---- Runs ---- */

static int control_failed(const struct client *c, enum channel_result result)
{
    return tool_fail(TOOL_FAILED, "the server does not answer as it should: %s",
        result == CHANNEL_OK ? "a message that is not due" : channel_words(&c->control, result));
}

/* Sends a message and takes the answer, which must be of that type. */
static int ask(struct client *c, const struct perf_message *m, enum perf_type want,
    struct perf_message *answer)
{
    bool is_good = false;
    unsigned slot;
    ULONG length;
    uint8_t *p;
    enum channel_result result = channel_send_slot(&c->control, &slot, &p);

    if (result == CHANNEL_OK) {
        perf_message_write(m, p);
        result = channel_send(&c->control, slot, PERF_MESSAGE_SIZE);
    }
    if (result == CHANNEL_OK)
        result = channel_receive(&c->control, false, &slot, &length);
    if (result == CHANNEL_OK) {
        is_good = perf_message_read(channel_received(&c->control, slot), length, answer) &&
                  answer->type == want;
        result = channel_repost(&c->control, slot);
    }
    return result == CHANNEL_OK && is_good ? TOOL_DONE : control_failed(c, result);
}

/* A thread of a run. */
static void run_part(void *context, uint32_t thread)
{
    struct client *c = context;
    const struct perf_options *o = c->o;
    struct part *part = &c->parts[thread];
    struct run_plan plan = {.op = o->op,
        .depth = o->depth,
        .chain = o->chain,
        .iters = o->iters == 0 ? 0 : o->iters / o->threads + (thread < o->iters % o->threads),
        .seconds = o->seconds,
        .is_bidirectional = o->is_bidirectional,
        .progress = progress_report,
        .progress_context = &c->progress.part[thread]};

    if (o->metric == PERF_LAT)
        part->is_done = lat_run(&part->flow, &plan, &part->hist, &part->result);
    else
        part->is_done = stream_run(&part->flow, &plan, &part->result);
}

static double rate_of(uint64_t count, uint64_t ns)
{
    return ns > 0 ? (double)count * 1e9 / (double)ns : 0;
}

/* The threads' results as one. */
static void add_up(struct client *c, struct perf_result *r)
{
    double rate = 0;

    hist_clear(&c->hist);
    r->iters = 0;
    for (uint32_t t = 0; t < c->session.threads; t++) {
        const struct part *part = &c->parts[t];

        r->iters += part->result.iters;
        rate += rate_of(part->result.iters, part->result.ns);
        hist_merge(&c->hist, &part->hist);
    }
    r->hist = &c->hist;
    r->seconds = rate > 0 ? (double)r->iters / rate : 0;
}

static int run_failed(struct client *c)
{
    for (uint32_t t = 0; t < c->session.threads; t++) {
        if (!c->parts[t].is_done)
            return tool_fail(TOOL_FAILED, "the run %s %s %llu failed: %s", perf_op_name(c->o->op),
                perf_metric_name(c->o->metric), (unsigned long long)c->size,
                flow_words(&c->parts[t].flow));
    }
    return TOOL_DONE;
}

static int one_run(struct client *c, struct perf_result *r)
{
    const struct perf_options *o = c->o;
    struct perf_message answer = {.count = 0}, m = {.type = PERF_START,
                                                   .run = {.op = o->op,
                                                       .metric = o->metric,
                                                       .size = r->size,
                                                       .chain = o->chain}};
    double rate;
    int rc;

    c->size = r->size;
    for (uint32_t t = 0; t < c->session.threads; t++) {
        flow_begin(&c->parts[t].flow, r->size);
        hist_clear(&c->parts[t].hist);
    }
    rc = ask(c, &m, PERF_READY, &answer);
    if (rc != TOOL_DONE)
        return rc;
    progress_begin(&c->progress, o, r->size);
    if (!crew_run(c->session.threads, run_part, c))
        return TOOL_FAILED;
    progress_end(&c->progress);
    rc = run_failed(c);
    if (rc != TOOL_DONE)
        return rc;
    add_up(c, r);
    m.type = PERF_STOP;
    rc = ask(c, &m, PERF_STOPPED, &answer);
    if (rc == TOOL_DONE && o->is_bidirectional) {
        rate = rate_of(r->iters, (uint64_t)(r->seconds * 1e9)) + rate_of(answer.count, answer.ns);
        r->iters += answer.count;
        r->seconds = rate > 0 ? (double)r->iters / rate : 0;
    }
    return rc;
}

static int all_runs(struct client *c, struct results *results)
{
    table_head(c->o);
    for (size_t i = 0; i < c->o->sizes.count; i++) {
        struct perf_result r = {.size = c->o->sizes.value[i]};
        int rc = one_run(c, &r);

        if (rc != TOOL_DONE)
            return rc;
        table_row(c->o, &r);
        results_add(results, c->o, &r);
    }
    return TOOL_DONE;
}

/* What was measured while the session was made. */
static int conn_results(struct client *c, struct results *results)
{
    struct perf_result r = {.size = 0};

    add_up(c, &r);
    table_head(c->o);
    table_row(c->o, &r);
    results_add(results, c->o, &r);
    return TOOL_DONE;
}

static void plan_session(struct client *c)
{
    const struct perf_options *o = c->o;

    c->session.qps = o->qps;
    c->session.depth = o->depth;
    c->session.threads = o->threads;
    c->session.sges = o->sges;
    c->session.is_event = o->is_event;
    c->session.is_bidirectional = o->is_bidirectional;
    c->session.is_conn = o->metric == PERF_CONN;
    if (getrandom(&c->session.id, sizeof c->session.id, 0) != (ssize_t)sizeof c->session.id)
        c->session.id = tool_now_ns() ^ (uint64_t)getpid() << 40;
    for (size_t i = 0; i < o->sizes.count; i++) {
        if (o->sizes.value[i] > c->session.size)
            c->session.size = o->sizes.value[i];
    }
}

static int addresses(struct client *c)
{
    const struct perf_options *o = c->o;

    if (!addr_parse(o->address, ADDR_DEFAULT_PORT, &c->to))
        return tool_fail(TOOL_USAGE,
            "'%s' is not an address: write 127.0.0.1, 127.0.0.1:9000, ::1 or [::1]:9000 (no host "
            "names)",
            o->address);
    if (o->from != NULL) {
        if (!addr_parse(o->from, ADDR_DEFAULT_PORT, &c->from))
            return tool_fail(
                TOOL_USAGE, "'%s' is not an IPv4 or IPv6 address to connect from", o->from);
        addr_set_port(&c->from, 0);
    } else if (!addr_local_for(&c->to, &c->from)) {
        return ndk_fail_connect(STATUS_NETWORK_UNREACHABLE, &c->to, &c->to);
    }
    return TOOL_DONE;
}

/* From the adapter on. */
static int measure(struct client *c, struct results *results)
{
    SOFTNDK_OPTIONS options = SOFTNDK_OPTIONS_INIT;
    NTSTATUS status;
    int rc;

    options.Crc = c->o->is_crc_off ? SOFTNDK_CRC_NEVER : SOFTNDK_CRC_ASK;
    options.Transport = c->o->transport;
    status = ndk_host_open(&c->host, c->o->interface, &options);
    if (!NT_SUCCESS(status))
        return ndk_fail_open(status, c->o->interface);
    plan_session(c);
    if (c->o->op == PERF_READ && c->o->sges > c->host.info.MaxReadRequestSge)
        rc = tool_fail(TOOL_USAGE, "a Read has at most %u SGEs here",
            (unsigned)c->host.info.MaxReadRequestSge);
    else
        rc = connect_all(c);
    if (rc == TOOL_DONE)
        rc = c->session.is_conn ? conn_results(c, results) : all_runs(c, results);
    /* The server ends the data connections when the control connection has ended. */
    ndk_link_disconnect(&c->control.link);
    for (uint32_t t = 0; c->parts != NULL && t < c->session.threads; t++)
        flow_close(&c->parts[t].flow);
    free(c->parts);
    channel_close(&c->control);
    ndk_host_close(&c->host);
    return rc;
}

int perf_client(const struct perf_options *o)
{
    static struct client c;
    struct results *results;
    int rc;

    c.o = o;
    rc = addresses(&c);
    if (rc != TOOL_DONE)
        return rc;
    results = results_open(o);
    if (results == NULL)
        return TOOL_USAGE;
    rc = measure(&c, results);
    if (!results_close(results, o) && rc == TOOL_DONE)
        rc = TOOL_FAILED;
    return rc;
}
