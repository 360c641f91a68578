/* SPDX-License-Identifier: MIT */
#include "ndkperf/perf.h"

#include <string.h>

#include "common/octets.h"

enum { PERF_MAGIC = 0x4e444b66 /* "NDKf" */, PERF_VERSION = 2 };

const char perf_op_words[] = "send write read";
const char perf_metric_words[] = "lat bw rate conn";

enum { FLAG_EVENT = 1, FLAG_BIDIRECTIONAL = 2, FLAG_CONN = 4 };

void perf_private_write(const struct perf_private *p, uint8_t out[PERF_PRIVATE_SIZE])
{
    memset(out, 0, PERF_PRIVATE_SIZE);
    put_be32(out, PERF_MAGIC);
    put_be16(out + 4, PERF_VERSION);
    put_be16(out + 6, (uint16_t)p->kind);
    switch (p->kind) {
    case PERF_CONTROL:
        put_be64(out + 8, p->session.id);
        put_be64(out + 16, p->session.size);
        put_be32(out + 24, p->session.qps);
        put_be32(out + 28, p->session.depth);
        out[32] = (uint8_t)(p->session.is_event * FLAG_EVENT |
                            p->session.is_bidirectional * FLAG_BIDIRECTIONAL |
                            p->session.is_conn * FLAG_CONN);
        put_be32(out + 36, p->session.threads);
        put_be32(out + 40, p->session.sges);
        break;
    case PERF_DATA:
        put_be64(out + 8, p->id);
        put_be32(out + 16, p->index);
        put_be32(out + 20, p->memory.token);
        put_be64(out + 24, p->memory.address);
        break;
    case PERF_ANSWER:
        put_be32(out + 20, p->memory.token);
        put_be64(out + 24, p->memory.address);
        break;
    case PERF_REFUSAL:
        put_be32(out + 8, (uint32_t)p->refusal);
        break;
    }
}

static bool read_session(const uint8_t *in, struct perf_session *s)
{
    s->id = get_be64(in + 8);
    s->size = get_be64(in + 16);
    s->qps = get_be32(in + 24);
    s->depth = get_be32(in + 28);
    s->is_event = (in[32] & FLAG_EVENT) != 0;
    s->is_bidirectional = (in[32] & FLAG_BIDIRECTIONAL) != 0;
    s->is_conn = (in[32] & FLAG_CONN) != 0;
    s->threads = get_be32(in + 36);
    s->sges = get_be32(in + 40);
    return s->size >= 1 && s->size <= PERF_SIZE_MAX && s->qps >= 1 && s->qps <= PERF_QPS_MAX &&
           s->depth >= 1 && s->depth <= PERF_DEPTH_MAX && s->threads >= 1 &&
           s->threads <= PERF_THREADS_MAX && s->threads <= s->qps && s->sges >= 1 &&
           s->sges <= PERF_SGE_MAX;
}

bool perf_private_read(const uint8_t *in, size_t n, struct perf_private *p)
{
    memset(p, 0, sizeof *p);
    if (n < PERF_PRIVATE_SIZE || get_be32(in) != PERF_MAGIC || get_be16(in + 4) != PERF_VERSION)
        return false;
    switch (get_be16(in + 6)) {
    case PERF_CONTROL:
        p->kind = PERF_CONTROL;
        return read_session(in, &p->session);
    case PERF_DATA:
        p->kind = PERF_DATA;
        p->id = get_be64(in + 8);
        p->index = get_be32(in + 16);
        p->memory.token = get_be32(in + 20);
        p->memory.address = get_be64(in + 24);
        return true;
    case PERF_ANSWER:
        p->kind = PERF_ANSWER;
        p->memory.token = get_be32(in + 20);
        p->memory.address = get_be64(in + 24);
        return true;
    case PERF_REFUSAL:
        p->kind = PERF_REFUSAL;
        p->refusal = (enum perf_refusal)get_be32(in + 8);
        return true;
    default:
        return false;
    }
}

void perf_message_write(const struct perf_message *m, uint8_t out[PERF_MESSAGE_SIZE])
{
    memset(out, 0, PERF_MESSAGE_SIZE);
    put_be32(out, PERF_MAGIC);
    put_be32(out + 4, (uint32_t)m->type);
    put_be16(out + 8, (uint16_t)m->run.op);
    put_be16(out + 10, (uint16_t)m->run.metric);
    put_be32(out + 12, m->run.chain);
    put_be64(out + 16, m->run.size);
    put_be64(out + 24, m->count);
    put_be64(out + 32, m->ns);
}

bool perf_message_read(const uint8_t *in, size_t n, struct perf_message *m)
{
    memset(m, 0, sizeof *m);
    if (n != PERF_MESSAGE_SIZE || get_be32(in) != PERF_MAGIC)
        return false;
    m->type = (enum perf_type)get_be32(in + 4);
    m->run.op = (enum perf_op)get_be16(in + 8);
    m->run.metric = (enum perf_metric)get_be16(in + 10);
    m->run.chain = get_be32(in + 12);
    m->run.size = get_be64(in + 16);
    m->count = get_be64(in + 24);
    m->ns = get_be64(in + 32);
    return m->type >= PERF_START && m->type <= PERF_STOPPED && m->run.op <= PERF_READ &&
           m->run.metric <= PERF_CONN;
}

const char *perf_op_name(enum perf_op op)
{
    static const char *const names[] = {"send", "write", "read"};

    return names[op];
}

const char *perf_metric_name(enum perf_metric metric)
{
    static const char *const names[] = {"lat", "bw", "rate", "conn"};

    return names[metric];
}

const char *perf_refusal_name(enum perf_refusal refusal)
{
    switch (refusal) {
    case PERF_BUSY:
        return "it serves another client";
    case PERF_TOO_MUCH:
        return "it will not give this session that much memory or such deep queues";
    case PERF_STRANGE:
        break;
    }
    return "it does not understand this client; are both of one version?";
}
