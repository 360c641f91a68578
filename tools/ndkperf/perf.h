/* SPDX-License-Identifier: MIT */
/*
 * What client and server of ndkperf share: the parameters of a session and of a run, and the
 * messages about them.
 *
 * A session is one control connection and `qps` data connections, which `threads` threads on either
 * side share out: queue pair i belongs to thread i % threads. The private data of the control
 * connection says what the session needs; that of a data connection and of its accept where the
 * memory of either side for that queue pair is. For each run the client sends START, the server
 * answers READY; then the data connections are used, as flow.h says; then STOP and STOPPED. Numbers
 * in messages are big-endian.
 */
#ifndef TOOLS_NDKPERF_PERF_H
#define TOOLS_NDKPERF_PERF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum perf_op { PERF_SEND, PERF_WRITE, PERF_READ };
/* PERF_CONN: connecting the queue pairs of the session is what is measured; there are no runs. */
enum perf_metric { PERF_LAT, PERF_BW, PERF_RATE, PERF_CONN };

enum {
    PERF_SIZE_MAX = 1 << 30,
    PERF_DEPTH_MAX = 4096,
    PERF_QPS_MAX = 8192,
    PERF_THREADS_MAX = 64,
    PERF_SGE_MAX = 16,
    PERF_MEMORY_MAX = 1u << 31, /* of a session, on each side */
    PERF_READS = 128,           /* read limits that both sides ask for */
};

/* What a session needs. */
struct perf_session {
    uint64_t id;
    uint64_t size; /* octets of memory for each queue pair */
    uint32_t qps, depth, threads, sges;
    bool is_event;         /* the server waits for events too, instead of polling */
    bool is_bidirectional; /* both sides post in the runs of bw and rate */
    bool is_conn;          /* the queue pairs carry nothing */
};

struct perf_run {
    enum perf_op op;
    enum perf_metric metric;
    uint64_t size;
    uint32_t chain;
};

/* Where the memory of a side for one queue pair is. */
struct perf_memory {
    uint64_t address;
    uint32_t token;
};

/* ---- Private data ---- */

enum perf_kind { PERF_CONTROL = 1, PERF_DATA, PERF_ANSWER, PERF_REFUSAL };
enum perf_refusal { PERF_BUSY = 1, PERF_TOO_MUCH, PERF_STRANGE };
enum { PERF_PRIVATE_SIZE = 48 };

struct perf_private {
    enum perf_kind kind;
    struct perf_session session; /* PERF_CONTROL */
    uint64_t id;                 /* PERF_DATA: the session */
    uint32_t index;              /* PERF_DATA: the queue pair */
    struct perf_memory memory;   /* PERF_DATA, PERF_ANSWER to it */
    enum perf_refusal refusal;   /* PERF_REFUSAL */
};

void perf_private_write(const struct perf_private *p, uint8_t out[PERF_PRIVATE_SIZE]);
/* False: not of this program or version, or of what it never asks. */
bool perf_private_read(const uint8_t *in, size_t n, struct perf_private *p);

/* ---- Messages on the control connection ---- */

enum perf_type { PERF_START = 1, PERF_READY, PERF_STOP, PERF_STOPPED };
enum { PERF_MESSAGE_SIZE = 48 };

struct perf_message {
    enum perf_type type;
    struct perf_run run; /* PERF_START */
    /* PERF_STOPPED of a bidirectional run: requests of the server's and how long they took. */
    uint64_t count, ns;
};

void perf_message_write(const struct perf_message *m, uint8_t out[PERF_MESSAGE_SIZE]);
bool perf_message_read(const uint8_t *in, size_t n, struct perf_message *m);

/* Words, as on the command line. */
extern const char perf_op_words[], perf_metric_words[];
const char *perf_op_name(enum perf_op op);
const char *perf_metric_name(enum perf_metric metric);
const char *perf_refusal_name(enum perf_refusal refusal);

/* ---- Roles ---- */

int perf_server(const char *address, uint32_t interface, bool is_once);

#endif
