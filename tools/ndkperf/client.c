/* SPDX-License-Identifier: MIT */
/* The measuring side: connects, asks the server for each run, prints. lat.c and stream.c measure.
 */
#include "ndkperf/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/channel.h"
#include "common/tool.h"

enum { CONTROL_SLOTS = 4 };

struct client {
    const struct perf_options *o;
    struct ndk_host host;
    struct channel control;
    struct flow flow;
    struct perf_session session;
    struct perf_memory server; /* its memory */
    SOCKADDR_INET from, to;
};

void perf_progress(struct perf_progress *p, const struct perf_options *o, uint64_t size,
    uint64_t began_ns, uint64_t now_ns, uint64_t done)
{
    double seconds = (double)(now_ns - began_ns) / 1e9;
    struct perf_result r = {.size = size, .iters = done, .seconds = seconds};

    if (now_ns < p->next_ns)
        return;
    if (p->next_ns != 0 && done > 0) {
        switch (o->metric) {
        case PERF_LAT:
            fprintf(stderr, "  %s lat %llu: %.0f s, %.2f us\n", perf_op_name(o->op),
                (unsigned long long)size, seconds,
                table_lat_us(o, (double)(now_ns - began_ns) / (double)done));
            break;
        case PERF_BW:
            fprintf(stderr, "  %s bw %llu: %.0f s, %.3f GB/s\n", perf_op_name(o->op),
                (unsigned long long)size, seconds, table_gbytes_s(&r));
            break;
        case PERF_RATE:
            fprintf(stderr, "  %s rate %llu: %.0f s, %.3f Mops/s\n", perf_op_name(o->op),
                (unsigned long long)size, seconds, table_mops(&r));
            break;
        }
    }
    p->next_ns = now_ns + 1000000000u;
}

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

static int connect_link(struct client *c, struct ndk_link *l, const struct perf_private *private)
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
    c->server = answer.memory;
    return TOOL_DONE;
}

static int connect_all(struct client *c)
{
    struct perf_private private = {.kind = PERF_CONTROL, .session = c->session};
    NTSTATUS status =
        channel_open(&c->host, &c->control, PERF_MESSAGE_SIZE, CONTROL_SLOTS, CONTROL_SLOTS);
    int rc;

    if (!NT_SUCCESS(status))
        return tool_fail(TOOL_FAILED, "cannot make a queue pair: %s", SoftNdkStatusName(status));
    if (!flow_open(&c->host, &c->flow, &c->session, false))
        return TOOL_FAILED;
    rc = connect_link(c, &c->control.link, &private);
    for (uint32_t i = 0; rc == TOOL_DONE && i < c->session.qps; i++) {
        struct flow_link *l = flow_add(&c->flow);

        private = (struct perf_private){.kind = PERF_DATA, .id = c->session.id, .index = i};
        rc = l == NULL ? TOOL_FAILED : connect_link(c, &l->link, &private);
    }
    return rc;
}

/* ---- Runs ---- */

static int control_failed(const struct client *c, enum channel_result result)
{
    return tool_fail(TOOL_FAILED, "the server does not answer as it should: %s",
        result == CHANNEL_OK ? "a message that is not due" : channel_words(&c->control, result));
}

/* Sends a message and takes the answer, which must be of that type. */
static int ask(struct client *c, const struct perf_message *m, enum perf_type want)
{
    struct perf_message answer;
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
        is_good = perf_message_read(channel_received(&c->control, slot), length, &answer) &&
                  answer.type == want;
        result = channel_repost(&c->control, slot);
    }
    return result == CHANNEL_OK && is_good ? TOOL_DONE : control_failed(c, result);
}

static int one_run(struct client *c, struct perf_result *r)
{
    const struct perf_options *o = c->o;
    struct perf_message m = {.type = PERF_START,
        .run = {.op = o->op, .metric = o->metric, .size = r->size, .chain = o->chain},
        .memory = {ndk_memory_address(&c->flow.memory, 0), c->flow.memory.remote}};
    int rc;

    flow_begin(&c->flow, r->size, &c->server);
    rc = ask(c, &m, PERF_READY);
    if (rc != TOOL_DONE)
        return rc;
    if (!(o->metric == PERF_LAT ? perf_lat(&c->flow, o, r) : perf_stream(&c->flow, o, r)))
        return tool_fail(TOOL_FAILED, "the run %s %s %llu failed: %s", perf_op_name(o->op),
            perf_metric_name(o->metric), (unsigned long long)r->size, flow_words(&c->flow));
    m.type = PERF_STOP;
    return ask(c, &m, PERF_STOPPED);
}

static int all_runs(struct client *c, struct table_json *json)
{
    static struct hist hist;

    table_head(c->o);
    for (size_t i = 0; i < c->o->sizes.count; i++) {
        struct perf_result r = {.size = c->o->sizes.value[i], .hist = &hist};
        int rc = one_run(c, &r);

        if (rc != TOOL_DONE)
            return rc;
        table_row(c->o, &r);
        if (json != NULL)
            table_json_add(json, c->o, &r);
    }
    return TOOL_DONE;
}

static void plan_session(struct client *c)
{
    const struct perf_options *o = c->o;

    c->session.qps = o->qps;
    c->session.depth = o->depth;
    c->session.is_event = o->is_event;
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
static int measure(struct client *c, struct table_json *json)
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
    rc = connect_all(c);
    if (rc == TOOL_DONE)
        rc = all_runs(c, json);
    /* The server ends the data connections when the control connection has ended. */
    ndk_link_disconnect(&c->control.link);
    flow_close(&c->flow);
    channel_close(&c->control);
    ndk_host_close(&c->host);
    return rc;
}

int perf_client(const struct perf_options *o)
{
    struct client c = {.o = o};
    struct table_json *json = NULL;
    int rc = addresses(&c);

    if (rc != TOOL_DONE)
        return rc;
    if (o->json != NULL) {
        json = table_json_open(o->json);
        if (json == NULL)
            return tool_fail(
                TOOL_USAGE, "cannot write '%s'; name a file that can be created", o->json);
    }
    rc = measure(&c, json);
    if (json != NULL && !table_json_close(json) && rc == TOOL_DONE)
        rc = tool_fail(TOOL_FAILED, "'%s' could not be written completely", o->json);
    return rc;
}
