/* SPDX-License-Identifier: MIT */
/* The serving side: one session at a time, what it does in a run decided by the client. */
#include "ndkperf/perf.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/channel.h"
#include "common/tool.h"
#include "ndkperf/crew.h"
#include "ndkperf/serve.h"

enum { CONTROL_SLOTS = 4 };

struct server {
    struct ndk_host host;
    struct ndk_server listener;
    struct channel control;
    struct perf_session session;
    struct perf_run run;
    struct serving *parts; /* session.threads */
    pthread_mutex_t lock;  /* one thread at a time waits for a caller */
    uint32_t came;         /* guarded by lock: queue pairs of the session whose caller came */
    atomic_bool is_broken; /* the session will not come about */
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

static bool accept(struct server *s, struct ndk_link *link, NDK_CONNECTOR *connector,
    const struct perf_memory *memory)
{
    struct perf_private answer = {.kind = PERF_ANSWER, .memory = *memory};
    uint8_t data[PERF_PRIVATE_SIZE];
    struct ndk_terms terms;
    NTSTATUS status;

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

/* The queue pair that this caller is for, if it is one of the session's that nobody came for yet.
 */
static struct flow_link *claim(struct server *s, const struct perf_private *p)
{
    struct flow_link *l;

    if (p->id != s->session.id || p->index >= s->session.qps)
        return NULL;
    l = &s->parts[p->index % s->session.threads].flow.links[p->index / s->session.threads];
    if (l->is_claimed)
        return NULL;
    l->is_claimed = true;
    return l;
}

static bool is_hopeless(struct server *s, enum perf_kind kind)
{
    return tool_is_interrupted() ||
           (kind == PERF_DATA &&
               (atomic_load(&s->is_broken) || ReadAcquire(&s->control.link.is_disconnected) != 0));
}

/* Takes the next caller that says `kind` (for data: of this session, and *l is its queue pair);
 * others are refused. NULL: interrupted, or the session has failed. */
static NDK_CONNECTOR *wait_caller(
    struct server *s, enum perf_kind kind, struct perf_private *p, struct flow_link **l)
{
    while (!is_hopeless(s, kind)) {
        NDK_CONNECTOR *connector = ndk_server_take(&s->listener);
        uint8_t data[NDK_PRIVATE_MAX];
        bool is_known;

        if (connector == NULL) {
            ndk_host_wait(&s->host);
            continue;
        }
        is_known = perf_private_read(data, ndk_private_data(connector, data), p);
        if (is_known && p->kind == kind && (kind == PERF_CONTROL || (*l = claim(s, p)) != NULL))
            return connector;
        refuse(connector, is_known ? PERF_BUSY : PERF_STRANGE);
    }
    return NULL;
}

/* A thread: takes callers until all have come. */
static void accept_some(void *context, uint32_t thread)
{
    struct server *s = context;

    (void)thread;
    for (;;) {
        NDK_CONNECTOR *connector = NULL;
        struct flow_link *l = NULL;
        struct perf_private p;
        bool is_complete;

        pthread_mutex_lock(&s->lock);
        is_complete = s->came == s->session.qps;
        if (!is_complete)
            connector = wait_caller(s, PERF_DATA, &p, &l);
        s->came += connector != NULL;
        pthread_mutex_unlock(&s->lock);
        if (is_complete)
            return;
        if (connector == NULL)
            break;
        l->peer = p.memory;
        if (!accept(s, &l->link, connector, &l->own))
            break;
    }
    atomic_store(&s->is_broken, true);
}

static bool open_parts(struct server *s)
{
    s->parts = calloc(s->session.threads, sizeof *s->parts);
    for (uint32_t t = 0; s->parts != NULL && t < s->session.threads; t++) {
        struct serving *part = &s->parts[t];

        part->session = &s->session;
        part->run = &s->run;
        if (!flow_open(&s->host, &part->flow, &s->session, t, true))
            return false;
        for (uint32_t i = 0; i < part->flow.count; i++) {
            if (flow_add(&part->flow, i) == NULL)
                return false;
        }
    }
    return s->parts != NULL;
}

/* False: it did not come to a session; a sentence says why unless the user interrupted. */
static bool open_session(struct server *s, NDK_CONNECTOR *connector, const struct perf_private *p)
{
    const struct perf_memory none = {0};

    s->session = p->session;
    s->came = 0;
    atomic_store(&s->is_broken, false);
    if (!open_parts(s) || !NT_SUCCESS(channel_open(&s->host, &s->control, PERF_MESSAGE_SIZE,
                              CONTROL_SLOTS, CONTROL_SLOTS))) {
        refuse(connector, PERF_TOO_MUCH);
        return false;
    }
    return accept(s, &s->control.link, connector, &none) &&
           crew_run(s->session.threads, accept_some, s) && !atomic_load(&s->is_broken);
}

/* ---- A run ---- */

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

/* A thread of a run. */
static void serve_part(void *context, uint32_t thread)
{
    struct server *s = context;

    serve_run(&s->parts[thread]);
    ndk_host_ring(&s->host); /* it may have failed */
}

static const struct serving *failed_part(const struct server *s)
{
    for (uint32_t t = 0; t < s->session.threads; t++) {
        if (atomic_load(&s->parts[t].is_failed))
            return &s->parts[t];
    }
    return NULL;
}

/* Until the client says something on the control connection, or a part fails. */
static void wait_for_end(struct server *s)
{
    for (;;) {
        /* Armed here and now, so that the bell rings for either. */
        s->control.cq->Dispatch->NdkArmCq(s->control.cq, NDK_CQ_NOTIFY_ANY);
        refuse_callers(s);
        if (channel_look(&s->control) || failed_part(s) != NULL || tool_is_interrupted())
            return;
        ndk_host_wait(&s->host);
    }
}

/* The threads of a run, from its begin to its end. False after a sentence. */
static bool serve_parts(struct server *s)
{
    const struct serving *failed;
    struct crew *crew = crew_start(s->session.threads, serve_part, s);

    if (crew == NULL)
        return false;
    wait_for_end(s);
    failed = failed_part(s);
    for (uint32_t t = 0; t < s->session.threads; t++) {
        atomic_store(&s->parts[t].is_stopped, true);
        ndk_host_ring(&s->parts[t].flow.host);
    }
    crew_join(crew);
    /* A client that went away in the middle is said on the control connection. */
    if (failed != NULL && !channel_look(&s->control)) {
        tool_fail(TOOL_FAILED, "the run %s %s %llu failed: %s", perf_op_name(s->run.op),
            perf_metric_name(s->run.metric), (unsigned long long)s->run.size,
            flow_words(&failed->flow));
        return false;
    }
    return true;
}

/* What this side posted by itself, of all threads. */
static void add_up(const struct server *s, struct perf_message *m)
{
    double rate = 0;

    m->count = 0;
    for (uint32_t t = 0; t < s->session.threads; t++) {
        const struct run_result *r = &s->parts[t].result;

        m->count += r->iters;
        rate += r->ns > 0 ? (double)r->iters / (double)r->ns : 0;
    }
    m->ns = rate > 0 ? (uint64_t)((double)m->count / rate) : 0;
}

static int one_run(struct server *s, const struct perf_message *start)
{
    struct perf_message m = {.type = PERF_READY};
    enum channel_result result;
    bool is_good = true;

    s->run = start->run;
    for (uint32_t t = 0; t < s->session.threads; t++) {
        struct serving *part = &s->parts[t];

        flow_begin(&part->flow, s->run.size);
        part->result = (struct run_result){0, 0};
        atomic_store(&part->is_stopped, false);
        atomic_store(&part->is_failed, false);
    }
    result = send_control(&s->control, &m);
    if (result != CHANNEL_OK)
        return control_failed(s, result, true);
    if (!serve_parts(s))
        return TOOL_FAILED;
    result = receive_control(&s->control, false, &m, &is_good);
    is_good = is_good && m.type == PERF_STOP;
    if (result != CHANNEL_OK || !is_good)
        return control_failed(s, result, is_good);
    m.type = PERF_STOPPED;
    add_up(s, &m);
    result = send_control(&s->control, &m);
    if (result != CHANNEL_OK)
        return control_failed(s, result, true);
    printf("%s %s %llu: done\n", perf_op_name(s->run.op), perf_metric_name(s->run.metric),
        (unsigned long long)s->run.size);
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
        is_good = is_good && m.type == PERF_START && !s->session.is_conn &&
                  m.run.metric != PERF_CONN && m.run.chain >= 1 &&
                  m.run.chain <= s->session.depth && m.run.size >= 1 &&
                  m.run.size <= s->session.size;
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
    for (uint32_t t = 0; s->parts != NULL && t < s->session.threads; t++)
        flow_close(&s->parts[t].flow);
    free(s->parts);
    s->parts = NULL;
    channel_close(&s->control);
}

static int serve(struct server *s, bool is_once)
{
    int rc = TOOL_DONE;

    do {
        struct perf_private p;
        NDK_CONNECTOR *connector = wait_caller(s, PERF_CONTROL, &p, NULL);
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
    pthread_mutex_init(&s.lock, NULL);
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
