/* SPDX-License-Identifier: MIT */
/*
 * What single calls cost: two queue pairs of one process, connected over loopback.
 *
 *   bench_micro [--rounds N] [--guard]
 *
 *   post_send      NdkSend of 64 octets with NDK_OP_FLAG_DEFER
 *   post_receive   NdkReceive
 *   flush          of a chain of BATCH Sends, for each: the NdkSend without DEFER behind them,
 * which lays out the FPDUs and hands them to TCP poll_one       a completion out of NdkGetCqResults
 * that returns one poll_many      a completion out of NdkGetCqResults that returns 16 poll_empty
 * NdkGetCqResults that finds nothing and looks at the sockets arm_first      NdkArmCq after
 * polling: the home thread takes the sockets back arm            NdkArmCq of a queue that stays
 * empty, again
 *
 * Prints one JSON object: of each the median and the least nanoseconds and, where the kernel counts
 * them for us, instructions in user mode. --guard: runs once round without clocks, for a tool that
 * counts instructions by function (scripts/perf-guard); the functions are called op_NAME. Exit
 * status 0, 1 if it did not work, 2 for usage.
 */
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/args.h"
#include "common/ndk_sync.h"
#include "common/tool.h"

#define NOINLINE __attribute__((noinline))

enum { BATCH = 256, SIZE = 64, TAKE = 16, LOOKS = 64, PORT_TRIES = 32 };

enum op {
    POST_SEND,
    POST_RECEIVE,
    FLUSH,
    POLL_ONE,
    POLL_MANY,
    POLL_EMPTY,
    ARM_FIRST,
    ARM,
    OP_COUNT
};

struct samples {
    double *ns, *instructions;
    size_t count;
};

struct bench {
    struct ndk_host host;
    struct ndk_memory memory;
    struct ndk_server server;
    NDK_CQ *cq, *peer_cq;
    struct ndk_link link, peer; /* link sends, peer receives */
    NDK_SGE sge, peer_sge;
    NTSTATUS status; /* the first failure */
    uint64_t taken;  /* completions in the round */
    uint64_t rounds;
    bool is_guard;
    int counter; /* of instructions; -1: there is none */
    struct samples samples[OP_COUNT];
    uint64_t calls[OP_COUNT];
};

/* ---- What is measured ---- */

static void note(struct bench *b, NTSTATUS status)
{
    if (__builtin_expect(!NT_SUCCESS(status), 0) && b->status == STATUS_SUCCESS)
        b->status = status;
}

static NOINLINE void op_post_send(struct bench *b, uint32_t n)
{
    NDK_QP *qp = b->link.qp;

    for (uint32_t i = 0; i < n; i++)
        note(b, qp->Dispatch->NdkSend(qp, NULL, &b->sge, 1, NDK_OP_FLAG_DEFER));
}

static NOINLINE void op_post_receive(struct bench *b, uint32_t n)
{
    NDK_QP *qp = b->peer.qp;

    for (uint32_t i = 0; i < n; i++)
        note(b, qp->Dispatch->NdkReceive(qp, NULL, &b->peer_sge, 1));
}

static NOINLINE void op_flush(struct bench *b, uint32_t n)
{
    NDK_QP *qp = b->link.qp;

    (void)n;
    note(b, qp->Dispatch->NdkSend(qp, NULL, &b->sge, 1, 0));
}

static inline void poll_some(struct bench *b, uint32_t n, ULONG at_a_time)
{
    NDK_RESULT results[TAKE];

    for (uint32_t i = 0; i < n; i += at_a_time) {
        ULONG got = b->cq->Dispatch->NdkGetCqResults(b->cq, results, at_a_time);

        for (ULONG k = 0; k < got; k++)
            note(b, results[k].Status);
        b->taken += got;
    }
}

static NOINLINE void op_poll_one(struct bench *b, uint32_t n)
{
    poll_some(b, n, 1);
}

static NOINLINE void op_poll_many(struct bench *b, uint32_t n)
{
    poll_some(b, n, TAKE);
}

static NOINLINE void op_poll_empty(struct bench *b, uint32_t n)
{
    poll_some(b, n, 1);
}

static NOINLINE void op_arm_first(struct bench *b, uint32_t n)
{
    (void)n;
    b->cq->Dispatch->NdkArmCq(b->cq, NDK_CQ_NOTIFY_ANY);
}

static NOINLINE void op_arm(struct bench *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        b->cq->Dispatch->NdkArmCq(b->cq, NDK_CQ_NOTIFY_ANY);
}

static const struct {
    const char *name;
    void (*run)(struct bench *b, uint32_t n);
} ops[OP_COUNT] = {
    [POST_SEND] = {"post_send", op_post_send},
    [POST_RECEIVE] = {"post_receive", op_post_receive},
    [FLUSH] = {"flush", op_flush},
    [POLL_ONE] = {"poll_one", op_poll_one},
    [POLL_MANY] = {"poll_many", op_poll_many},
    [POLL_EMPTY] = {"poll_empty", op_poll_empty},
    [ARM_FIRST] = {"arm_first", op_arm_first},
    [ARM] = {"arm", op_arm},
};

/* ---- Measuring ---- */

static int open_counter(void)
{
    struct perf_event_attr attr;

    memset(&attr, 0, sizeof attr);
    attr.size = sizeof attr;
    attr.type = PERF_TYPE_HARDWARE;
    attr.config = PERF_COUNT_HW_INSTRUCTIONS;
    attr.exclude_kernel = 1;
    attr.exclude_hv = 1;
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t instructions(const struct bench *b)
{
    uint64_t n;

    return b->counter >= 0 && read(b->counter, &n, sizeof n) == (ssize_t)sizeof n ? n : 0;
}

/* `n` operations of that kind. */
static void measure(struct bench *b, enum op op, uint32_t n)
{
    struct samples *s = &b->samples[op];
    uint64_t counted, began, ended;

    b->calls[op] += n;
    if (b->is_guard) {
        ops[op].run(b, n);
        return;
    }
    counted = instructions(b);
    began = tool_now_ns();
    ops[op].run(b, n);
    ended = tool_now_ns();
    counted = instructions(b) - counted;
    s->ns[s->count] = (double)(ended - began) / n;
    s->instructions[s->count++] = (double)counted / n;
}

/* Everything that was sent has arrived. */
static void take_arrived(struct bench *b)
{
    uint32_t arrived = 0;

    while (arrived < BATCH && b->status == STATUS_SUCCESS && !tool_is_interrupted()) {
        NDK_RESULT results[TAKE];
        ULONG got = b->peer_cq->Dispatch->NdkGetCqResults(b->peer_cq, results, TAKE);

        for (ULONG i = 0; i < got; i++)
            note(b, results[i].Status);
        arrived += got;
    }
}

static bool one_round(struct bench *b, bool is_one_at_a_time)
{
    NDK_RESULT result;

    measure(b, POST_RECEIVE, BATCH);
    measure(b, POST_SEND, BATCH - 1);
    measure(b, FLUSH, BATCH);
    take_arrived(b);
    b->taken = 0;
    if (is_one_at_a_time)
        measure(b, POLL_ONE, BATCH);
    else
        measure(b, POLL_MANY, BATCH);
    while (b->taken < BATCH && b->status == STATUS_SUCCESS && !tool_is_interrupted())
        b->taken += b->cq->Dispatch->NdkGetCqResults(b->cq, &result, 1);
    /* Once a consumer polls in vain it counts as one that polls. */
    poll_some(b, LOOKS, 1);
    measure(b, POLL_EMPTY, LOOKS);
    measure(b, ARM_FIRST, 1);
    measure(b, ARM, LOOKS);
    return b->status == STATUS_SUCCESS && !tool_is_interrupted();
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void print_results(struct bench *b)
{
    printf("{\"results\":[");
    for (int i = 0; i < OP_COUNT; i++) {
        struct samples *s = &b->samples[i];

        printf("%s\n{\"op\":\"%s\",\"calls\":%llu", i > 0 ? "," : "", ops[i].name,
            (unsigned long long)b->calls[i]);
        if (s->count > 0) {
            qsort(s->ns, s->count, sizeof *s->ns, compare_doubles);
            qsort(s->instructions, s->count, sizeof *s->instructions, compare_doubles);
            printf(",\"ns\":%.2f,\"ns_min\":%.2f", s->ns[s->count / 2], s->ns[0]);
            if (b->counter >= 0)
                printf(",\"instructions\":%.2f", s->instructions[s->count / 2]);
        }
        printf("}");
    }
    printf("\n]}\n");
}

/* ---- Setting up ---- */

static bool is_good(struct bench *b, const char *what, NTSTATUS status)
{
    if (NT_SUCCESS(status))
        return true;
    tool_fail(TOOL_FAILED, "%s: %s", what, SoftNdkStatusName(status));
    b->status = status;
    return false;
}

/* A thread: the passive side of the one connection. */
static void *accept_one(void *context)
{
    struct bench *b = context;
    struct ndk_terms terms = {.private_data = NULL};
    NDK_CONNECTOR *connector;

    while ((connector = ndk_server_take(&b->server)) == NULL)
        ndk_host_wait(&b->host);
    is_good(b, "accept", ndk_link_accept(&b->peer, connector, &terms));
    return NULL;
}

static bool connect_both(struct bench *b)
{
    struct ndk_terms terms = {.private_data = NULL};
    SOCKADDR_INET to, from;
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    pthread_t thread;
    char address[32];

    /* An address of its own for each run: closed connections hold ports of theirs for a minute. */
    snprintf(address, sizeof address, "127.%u.%u.%u", (unsigned)getpid() / 250 % 200 + 1,
        (unsigned)getpid() % 250 + 1, (unsigned)(tool_now_ns() / 1000 % 250) + 1);
    if (!addr_parse(address, ADDR_DEFAULT_PORT, &to))
        return false;
    from = to;
    addr_set_port(&from, 0);
    /* Below the ports from which the system chooses. */
    for (unsigned i = 0; i < PORT_TRIES && !NT_SUCCESS(status); i++) {
        addr_set_port(&to, (uint16_t)(20000 + (tool_now_ns() / 1000 + i * 331) % 10000));
        status = ndk_server_open(&b->host, &b->server, &to);
    }
    if (!is_good(b, "listen", status))
        return false;
    if (pthread_create(&thread, NULL, accept_one, b) != 0)
        return is_good(b, "thread", STATUS_INSUFFICIENT_RESOURCES);
    status = ndk_link_connect(&b->link, &from, &to, &terms);
    if (!is_good(b, "connect", status))
        return false; /* the process ends, and the thread with it */
    pthread_join(thread, NULL);
    return b->status == STATUS_SUCCESS;
}

static bool open_all(struct bench *b)
{
    SOFTNDK_OPTIONS options = SOFTNDK_OPTIONS_INIT;
    struct ndk_link_options link = {.receive_depth = 2 * BATCH, .initiator_depth = 2 * BATCH};

    options.Lanes = 1;
    options.Transport = SOFTNDK_TRANSPORT_TCP;
    if (!is_good(b, "adapter", ndk_host_open(&b->host, 0, &options)) ||
        !is_good(b, "memory",
            ndk_memory_open(&b->host, &b->memory, 2 * SIZE, NDK_MR_FLAG_ALLOW_LOCAL_WRITE)) ||
        !is_good(b, "queue", ndk_cq_open(&b->host, 4 * BATCH, &b->cq)) ||
        !is_good(b, "queue", ndk_cq_open(&b->host, 4 * BATCH, &b->peer_cq)))
        return false;
    link.cq = b->cq;
    if (!is_good(b, "queue pair", ndk_link_open(&b->host, &b->link, &link)))
        return false;
    link.cq = b->peer_cq;
    if (!is_good(b, "queue pair", ndk_link_open(&b->host, &b->peer, &link)))
        return false;
    b->sge = ndk_memory_sge(&b->memory, 0, SIZE);
    b->peer_sge = ndk_memory_sge(&b->memory, SIZE, SIZE);
    b->counter = open_counter();
    for (int i = 0; i < OP_COUNT; i++) {
        b->samples[i].ns = calloc(b->rounds, sizeof(double));
        b->samples[i].instructions = calloc(b->rounds, sizeof(double));
        if (b->samples[i].ns == NULL || b->samples[i].instructions == NULL)
            return is_good(b, "memory", STATUS_INSUFFICIENT_RESOURCES);
    }
    return connect_both(b);
}

static void close_all(struct bench *b)
{
    ndk_link_disconnect(&b->link);
    ndk_link_disconnect(&b->peer);
    ndk_link_close(&b->link);
    ndk_link_close(&b->peer);
    ndk_server_close(&b->server);
    ndk_close(b->cq == NULL ? NULL : &b->cq->Header);
    ndk_close(b->peer_cq == NULL ? NULL : &b->peer_cq->Header);
    ndk_memory_close(&b->memory);
    ndk_host_close(&b->host);
    if (b->counter >= 0)
        close(b->counter);
    for (int i = 0; i < OP_COUNT; i++) {
        free(b->samples[i].ns);
        free(b->samples[i].instructions);
    }
}

static const char usage[] = "usage: bench_micro [--rounds N] [--guard]\n";

int main(int argc, char **argv)
{
    static struct bench b = {.rounds = 400};
    const struct args_option options[] = {
        {"--rounds", ARGS_NUMBER, &b.rounds, 1, 1000000, NULL},
        {"--guard", ARGS_FLAG, &b.is_guard, 0, 0, NULL},
    };
    struct args_result result;

    tool_start("bench_micro");
    if (!args_parse(options, sizeof options / sizeof options[0], argc, argv, &result))
        return tool_fail(TOOL_USAGE, "%s", result.error);
    if (result.rest_count > 0)
        return tool_fail(TOOL_USAGE, "'%s' is one argument too many", result.rest[0]);
    if (result.wants_help) {
        fputs(usage, stdout);
        return TOOL_DONE;
    }
    if (!open_all(&b))
        return TOOL_FAILED;
    for (uint64_t i = 0; i < b.rounds; i++) {
        if (!one_round(&b, i % 2 == 0))
            return tool_fail(TOOL_FAILED, "a request failed: %s", SoftNdkStatusName(b.status));
    }
    print_results(&b);
    close_all(&b);
    return TOOL_DONE;
}
