/* SPDX-License-Identifier: MIT */
/* The serving side: one session at a time, what it does in a run decided by the client. */
#include "ndkperf/perf.h"

#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "common/channel.h"
#include "common/tool.h"
#include "ndkperf/flow.h"

enum {
    CONTROL_SLOTS = 4,
    LOOK_AT_CONTROL_NS = 1000000,
    LOOK_AT_CLOCK_EVERY = 64, /* empty polls */
};

struct server {
    struct ndk_host host;
    struct ndk_server listener;
    struct channel control;
    struct flow flow;
    struct perf_session session;
    uint64_t received; /* messages of the run */
};

/* ---- Setting a session up ---- */

static struct ndk_terms terms_of(const struct server *s, const void *data, ULONG length)
{
    struct ndk_terms terms = {PERF_READS, PERF_READS, data, length};

    if (terms.inbound > s->host.info.MaxInboundReadLimit)
        terms.inbound = s->host.info.MaxInboundReadLimit;
    if (terms.outbound > s->host.info.MaxOutboundReadLimit)
        terms.outbound = s->host.info.MaxOutboundReadLimit;
    return terms;
}

static void refuse(NDK_CONNECTOR *connector, enum perf_refusal refusal)
{
    struct perf_private private = {.kind = PERF_REFUSAL, .refusal = refusal};
    uint8_t data[PERF_PRIVATE_SIZE];

    perf_private_write(&private, data);
    connector->Dispatch->NdkReject(connector, data, sizeof data);
    ndk_close(&connector->Header);
}

static bool accept(struct server *s, struct ndk_link *link, NDK_CONNECTOR *connector)
{
    struct perf_private answer = {.kind = PERF_ANSWER};
    uint8_t data[PERF_PRIVATE_SIZE];
    struct ndk_terms terms;
    NTSTATUS status;

    answer.memory.address = ndk_memory_address(&s->flow.memory, 0);
    answer.memory.token = s->flow.memory.remote;
    perf_private_write(&answer, data);
    terms = terms_of(s, data, sizeof data);
    status = ndk_link_accept(link, connector, &terms);
    if (!NT_SUCCESS(status))
        tool_fail(TOOL_FAILED, "accepting a client failed: %s", SoftNdkStatusName(status));
    return NT_SUCCESS(status);
}

/* While a session lasts. */
static void refuse_callers(struct server *s)
{
    NDK_CONNECTOR *connector;

    while ((connector = ndk_server_take(&s->listener)) != NULL)
        refuse(connector, PERF_BUSY);
}

/* Takes the next caller that says `kind` (of this session, for data); others are refused. NULL:
 * interrupted, or the control connection has ended. */
static NDK_CONNECTOR *wait_caller(
    struct server *s, enum perf_kind kind, uint32_t index, struct perf_private *p)
{
    while (!tool_is_interrupted()) {
        NDK_CONNECTOR *connector = ndk_server_take(&s->listener);
        uint8_t data[NDK_PRIVATE_MAX];
        bool is_known;

        if (connector == NULL) {
            if (kind == PERF_DATA && ReadAcquire(&s->control.link.is_disconnected) != 0)
                return NULL;
            ndk_host_wait(&s->host);
            continue;
        }
        is_known = perf_private_read(data, ndk_private_data(connector, data), p);
        if (is_known && p->kind == kind &&
            (kind == PERF_CONTROL || (p->id == s->session.id && p->index == index)))
            return connector;
        refuse(connector, is_known ? PERF_BUSY : PERF_STRANGE);
    }
    return NULL;
}

/* False: it did not come to a session; a sentence says why unless the user interrupted. */
static bool open_session(struct server *s, NDK_CONNECTOR *connector, const struct perf_private *p)
{
    struct perf_private data;

    s->session = p->session;
    if (!flow_open(&s->host, &s->flow, &s->session, true)) {
        refuse(connector, PERF_TOO_MUCH);
        return false;
    }
    if (!NT_SUCCESS(
            channel_open(&s->host, &s->control, PERF_MESSAGE_SIZE, CONTROL_SLOTS, CONTROL_SLOTS))) {
        refuse(connector, PERF_TOO_MUCH);
        return false;
    }
    if (!accept(s, &s->control.link, connector))
        return false;
    for (uint32_t i = 0; i < s->session.qps; i++) {
        struct flow_link *l;

        connector = wait_caller(s, PERF_DATA, i, &data);
        if (connector == NULL)
            return false;
        l = flow_add(&s->flow);
        if (l == NULL) {
            refuse(connector, PERF_TOO_MUCH);
            return false;
        }
        if (!accept(s, &l->link, connector))
            return false;
    }
    return true;
}

/* ---- A run ---- */

/* What a received message asks for in the two latency exchanges. */
static bool answer_lat(struct flow *f, struct flow_link *l, const struct perf_run *run)
{
    if (run->op == PERF_SEND)
        return flow_send(f, l, (ULONG)run->size, flow_seldom(l));
    return flow_write(f, l, NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_DEFER) &&
           flow_send(f, l, 0, flow_seldom(l));
}

/* Credits for a quarter of the receives, when they have been posted again; the answer at the end.
 */
static bool answer_stream(
    struct flow *f, struct flow_link *l, const struct perf_run *run, ULONG octets)
{
    const uint32_t quarter = f->receive_depth / 4;

    l->consumed++;
    if (octets == 0)
        return flow_repost(f, l) && flow_send(f, l, 1, 0);
    if (run->op != PERF_SEND || l->consumed < quarter)
        return true;
    l->consumed -= quarter;
    return flow_repost(f, l) && flow_send(f, l, 0, 0);
}

static bool answer(struct server *s, const struct perf_run *run,
    const struct flow_received *received, uint32_t count)
{
    struct flow *f = &s->flow;

    for (uint32_t i = 0; i < count; i++) {
        struct flow_link *l = received[i].link;

        s->received++;
        if (flow_room(f, l) < 2) {
            f->status = STATUS_INVALID_DEVICE_STATE; /* the client asks more than is agreed */
            return false;
        }
        if (run->metric == PERF_LAT) {
            /* First what the peer waits for. */
            if (!answer_lat(f, l, run) || !flow_repost(f, l))
                return false;
        } else if (!answer_stream(f, l, run, received[i].octets)) {
            return false;
        }
    }
    return true;
}

/* Until the client says something on the control connection. */
static bool run_flow(struct server *s, const struct perf_run *run)
{
    struct flow_quiet quiet = {0, 0};
    uint64_t looked_ns = tool_now_ns();
    uint32_t empty = 0;

    s->received = 0;
    for (;;) {
        struct flow_received received[FLOW_RESULTS];
        uint32_t count;

        if (flow_take(&s->flow, received, &count) > 0) {
            if (!answer(s, run, received, count))
                return false;
            quiet.since_ns = 0;
            continue;
        }
        if (s->flow.is_event) {
            /* Armed here and now, so that the bell rings for either. */
            s->control.cq->Dispatch->NdkArmCq(s->control.cq, NDK_CQ_NOTIFY_ANY);
            refuse_callers(s);
            if (channel_look(&s->control))
                return true;
            quiet.since_ns = 0; /* reads and writes come unseen: the client's patience counts */
        } else if (++empty % LOOK_AT_CLOCK_EVERY == 0) {
            uint64_t now = tool_now_ns();

            if (now - looked_ns >= LOOK_AT_CONTROL_NS) {
                looked_ns = now;
                refuse_callers(s);
                if (channel_look(&s->control))
                    return true;
                quiet.since_ns = 0;
            }
        }
        if (!flow_wait(&s->flow, &quiet))
            return channel_look(&s->control);
    }
}

static enum channel_result send_control(struct channel *c, const struct perf_message *m)
{
    unsigned slot;
    uint8_t *p;
    enum channel_result result = channel_send_slot(c, &slot, &p);

    if (result != CHANNEL_OK)
        return result;
    perf_message_write(m, p);
    return channel_send(c, slot, PERF_MESSAGE_SIZE);
}

static enum channel_result receive_control(
    struct channel *c, bool is_idle, struct perf_message *m, bool *is_good)
{
    unsigned slot;
    ULONG length;
    enum channel_result result = channel_receive(c, is_idle, &slot, &length);

    if (result != CHANNEL_OK)
        return result;
    *is_good = perf_message_read(channel_received(c, slot), length, m);
    return channel_repost(c, slot);
}

static int control_failed(struct server *s, enum channel_result result, bool is_good)
{
    return tool_fail(TOOL_FAILED, "the session failed: %s",
        result == CHANNEL_OK && !is_good ? "the client sent a message that is not due"
                                         : channel_words(&s->control, result));
}

static int one_run(struct server *s, const struct perf_message *start)
{
    struct perf_message m = {.type = PERF_READY};
    enum channel_result result;
    bool is_good = true;

    flow_begin(&s->flow, start->run.size, &start->memory);
    result = send_control(&s->control, &m);
    if (result != CHANNEL_OK)
        return control_failed(s, result, true);
    if (!run_flow(s, &start->run))
        return tool_fail(TOOL_FAILED, "the run %s %s %llu failed: %s", perf_op_name(start->run.op),
            perf_metric_name(start->run.metric), (unsigned long long)start->run.size,
            flow_words(&s->flow));
    result = receive_control(&s->control, false, &m, &is_good);
    is_good = is_good && m.type == PERF_STOP;
    if (result != CHANNEL_OK || !is_good)
        return control_failed(s, result, is_good);
    m.type = PERF_STOPPED;
    m.count = s->received;
    result = send_control(&s->control, &m);
    if (result != CHANNEL_OK)
        return control_failed(s, result, true);
    printf("%s %s %llu: done\n", perf_op_name(start->run.op), perf_metric_name(start->run.metric),
        (unsigned long long)start->run.size);
    return TOOL_DONE;
}

static int run_session(struct server *s)
{
    for (;;) {
        struct perf_message m;
        bool is_good = false;
        enum channel_result result = receive_control(&s->control, true, &m, &is_good);
        int rc;

        if (result == CHANNEL_ENDED || result == CHANNEL_INTERRUPTED)
            return TOOL_DONE;
        is_good =
            is_good && m.type == PERF_START && m.run.size >= 1 && m.run.size <= s->session.size;
        if (result != CHANNEL_OK || !is_good)
            return control_failed(s, result, is_good);
        rc = one_run(s, &m);
        if (rc != TOOL_DONE)
            return rc;
    }
}

static void close_session(struct server *s)
{
    ndk_link_disconnect(&s->control.link);
    flow_close(&s->flow);
    channel_close(&s->control);
}

static int serve(struct server *s, bool is_once)
{
    int rc = TOOL_DONE;

    do {
        struct perf_private p;
        NDK_CONNECTOR *connector = wait_caller(s, PERF_CONTROL, 0, &p);
        int rc_one = TOOL_FAILED;

        if (connector == NULL)
            break;
        if (open_session(s, connector, &p)) {
            printf("a client came: %u queue pairs, depth %u, %s\n", (unsigned)p.session.qps,
                (unsigned)p.session.depth, p.session.is_event ? "events" : "polling");
            rc_one = run_session(s);
        } else if (!tool_is_interrupted()) {
            tool_fail(TOOL_FAILED, "no session came of a client's call");
        }
        close_session(s);
        if (rc_one != TOOL_DONE)
            rc = rc_one;
    } while (!is_once);
    return rc;
}

int perf_server(const char *address, uint32_t interface, bool is_once)
{
    SOFTNDK_OPTIONS options = SOFTNDK_OPTIONS_INIT;
    SOCKADDR_INET at = addr_any(ADDR_DEFAULT_PORT);
    char text[ADDR_TEXT_MAX];
    struct server s;
    NTSTATUS status;
    int rc;

    memset(&s, 0, sizeof s);
    if (address != NULL && !addr_parse(address, ADDR_DEFAULT_PORT, &at))
        return tool_fail(TOOL_USAGE,
            "'%s' is not an address: write 127.0.0.1, 127.0.0.1:9000, ::1 or [::1]:9000 (no host "
            "names)",
            address);
    options.AllowWildcard = addr_is_wildcard(&at);
    options.Crc = SOFTNDK_CRC_NEVER; /* the client decides */
    status = ndk_host_open(&s.host, interface, &options);
    if (!NT_SUCCESS(status))
        return ndk_fail_open(status, interface);
    status = ndk_server_open(&s.host, &s.listener, &at);
    if (NT_SUCCESS(status)) {
        printf("ndkperf server listens on %s\n", addr_text(&at, text));
        rc = serve(&s, is_once);
        ndk_server_close(&s.listener);
    } else {
        rc = ndk_fail_listen(status, &at);
    }
    ndk_host_close(&s.host);
    return rc;
}
