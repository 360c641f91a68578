/* SPDX-License-Identifier: MIT */
/*
 * Many connections between two processes over loopback: how fast they are made, what an idle one
 * costs, how fast one after the other can be used, and what a queue pair that moves much does to
 * one that waits for little.
 *
 *   bench_scale [--qps N] [--depth N] [--threads N] [--seconds S] [--lanes N]
 *
 * N queue pairs (10000) of that depth (16) are connected by N threads (4), each with as many posted
 * receives. Both processes need a descriptor for each; the limit is raised as far as it goes.
 * Prints one JSON object:
 *
 *   connects_per_s     connections from NdkConnect to the completion of NdkCompleteConnect
 *   qp_rss, qp_heap    octets for a connected queue pair of the client: of memory in use by the
 *                      process, and of what the allocator has given out
 *   peer_rss           the same at the server
 *   idle_cpu           processors busy, of both processes, while nothing happens
 *   rate_few, rate_all exchanges a second, 64 octets there and back, one queue pair after the
 * other: of 16, of all quiet_us, busy_us  half round trip of 64 octets (median, p99): alone; while
 * another queue pair of the same lane has 16 Writes of 1 MiB in flight; bulk_gbytes_s: what it
 *                      moved meanwhile
 *
 * Exit status 0, 1 if it did not work, 2 for usage.
 */
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/args.h"
#include "common/hist.h"
#include "common/ndk_sync.h"
#include "common/tool.h"

enum {
    SIZE = 64,
    BULK = 1 << 20,
    BULK_DEPTH = 16,
    FEW = 16,
    TAKE = 32,
    THREADS_MAX = 64,
    QPS_MAX = 60000,
    DESCRIPTORS_BESIDE = 100,
    YIELD_EVERY = 1024, /* empty polls: there may be fewer processors than threads */
    LOOK_EVERY = 64,    /* exchanges between looks at the clock */
    IDLE_NS = 2000000000,
    TURNS = 5, /* few and all are measured in turn */
};

enum phase { STARTING, CONNECTING, CONNECTED, RUNNING, ENDING };

/* What the two processes tell each other. */
struct shared {
    _Atomic int phase;
    _Atomic int is_failed;
    _Atomic uint32_t accepted;
    uint16_t port;
    uint64_t address;
    uint32_t token;
    size_t rss;                /* octets more in use than before the first connection */
    _Atomic uint64_t cpu_idle; /* nanoseconds of the server so far, when it is idle */
};

struct options {
    uint64_t qps, depth, threads, lanes;
    double seconds;
};

/* Either process. */
struct side {
    const struct options *o;
    bool is_server;
    struct shared *shared;
    struct ndk_host host;
    struct ndk_memory memory;
    struct ndk_server server;
    NDK_CQ *cq, *bulk_cq;
    struct ndk_link *links; /* qps and, at the client, one more for bulk, on bulk_cq */
    SOCKADDR_INET to, from;
    _Atomic uint32_t next; /* link to be connected */
    _Atomic int is_failed;
    NDK_SGE sge; /* of all that is received and sent */
};

/* ---- Measuring ---- */

static size_t rss_octets(void)
{
    unsigned long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file != NULL) {
        if (fscanf(file, "%lu %lu", &pages, &resident) != 2)
            resident = 0;
        fclose(file);
    }
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static size_t heap_octets(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool fail(struct side *s, const char *what, NTSTATUS status)
{
    /* One sentence is enough, from whichever thread or process. */
    if (atomic_exchange(&s->shared->is_failed, 1) == 0)
        tool_fail(TOOL_FAILED, "%s: %s", what, SoftNdkStatusName(status));
    atomic_store(&s->is_failed, 1);
    return false;
}

static bool is_over(const struct side *s)
{
    return atomic_load(&s->shared->is_failed) != 0 || tool_is_interrupted();
}

/* ---- Queue pairs ---- */

static uint64_t link_count(const struct side *s)
{
    return s->o->qps + 1; /* the last is for bulk */
}

static bool open_side(struct side *s)
{
    SOFTNDK_OPTIONS options = SOFTNDK_OPTIONS_INIT;
    NTSTATUS status;

    options.Transport = SOFTNDK_TRANSPORT_TCP;
    options.Lanes = (ULONG)s->o->lanes;
    status = ndk_host_open(&s->host, 0, &options);
    if (NT_SUCCESS(status))
        status = ndk_memory_open(&s->host, &s->memory, BULK,
            NDK_MR_FLAG_ALLOW_LOCAL_WRITE | NDK_MR_FLAG_ALLOW_REMOTE_WRITE);
    if (NT_SUCCESS(status))
        status = ndk_cq_open(&s->host, 4096, &s->cq);
    if (NT_SUCCESS(status))
        status = ndk_cq_open(&s->host, 64, &s->bulk_cq);
    if (!NT_SUCCESS(status))
        return fail(s, "adapter, memory and queues", status);
    s->links = calloc(link_count(s), sizeof *s->links);
    if (s->links == NULL)
        return fail(s, "memory", STATUS_INSUFFICIENT_RESOURCES);
    memset(s->links, 1, link_count(s) * sizeof *s->links); /* in use before anything is measured */
    memset(s->links, 0, link_count(s) * sizeof *s->links);
    s->sge = ndk_memory_sge(&s->memory, 0, SIZE);
    return true;
}

static bool open_link(struct side *s, uint32_t i)
{
    struct ndk_link *l = &s->links[i];
    /* The server takes callers as they come: any of its queue pairs may be that for bulk. */
    bool is_bulk = i == s->o->qps && !s->is_server;
    struct ndk_link_options options = {.cq = is_bulk ? s->bulk_cq : s->cq,
        .context = l,
        .receive_depth = (ULONG)s->o->depth,
        .initiator_depth = (ULONG)s->o->depth};
    NTSTATUS status = ndk_link_open(&s->host, l, &options);

    for (uint64_t k = 0; NT_SUCCESS(status) && k < s->o->depth; k++)
        status = l->qp->Dispatch->NdkReceive(l->qp, NULL, &s->sge, 1);
    return NT_SUCCESS(status) || fail(s, "a queue pair", status);
}

static void close_side(struct side *s)
{
    /* Without an orderly end: each would wait for the other process. */
    for (uint32_t i = 0; s->links != NULL && i < link_count(s); i++)
        ndk_link_close(&s->links[i]);
    free(s->links);
    ndk_server_close(&s->server);
    ndk_close(s->cq == NULL ? NULL : &s->cq->Header);
    ndk_close(s->bulk_cq == NULL ? NULL : &s->bulk_cq->Header);
    ndk_memory_close(&s->memory);
    if (s->host.adapter != NULL)
        ndk_host_close(&s->host);
}

static void *in_thread(struct side *s, bool (*step)(struct side *s, uint32_t i))
{
    uint32_t i;

    while ((i = atomic_fetch_add(&s->next, 1)) < link_count(s)) {
        if (is_over(s) || !open_link(s, i) || !step(s, i))
            break;
    }
    return NULL;
}

static bool run_threads(struct side *s, void *(*run)(void *side))
{
    pthread_t thread[THREADS_MAX];
    uint64_t started = 0;

    while (started < s->o->threads && pthread_create(&thread[started], NULL, run, s) == 0)
        started++;
    for (uint64_t i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    return (started > 0 || fail(s, "threads", STATUS_INSUFFICIENT_RESOURCES)) && !is_over(s);
}

/* ---- The server ---- */

static pthread_mutex_t take_lock = PTHREAD_MUTEX_INITIALIZER;

static bool accept_step(struct side *s, uint32_t i)
{
    struct ndk_terms terms = {.private_data = NULL};
    NDK_CONNECTOR *connector = NULL;
    NTSTATUS status;

    pthread_mutex_lock(&take_lock);
    while ((connector = ndk_server_take(&s->server)) == NULL && !is_over(s))
        ndk_host_wait(&s->host);
    pthread_mutex_unlock(&take_lock);
    if (connector == NULL)
        return false;
    status = ndk_link_accept(&s->links[i], connector, &terms);
    atomic_fetch_add(&s->shared->accepted, 1);
    return NT_SUCCESS(status) || fail(s, "accepting", status);
}

static void *accept_all(void *side)
{
    return in_thread(side, accept_step);
}

/* Answers each Send by one of the same size. */
static void echo(struct side *s)
{
    NDK_RESULT results[TAKE];
    uint32_t empty = 0;

    while (atomic_load_explicit(&s->shared->phase, memory_order_relaxed) == RUNNING) {
        ULONG n = s->cq->Dispatch->NdkGetCqResults(s->cq, results, TAKE);

        for (ULONG i = 0; i < n; i++) {
            struct ndk_link *l = results[i].QPContext;
            NTSTATUS status = results[i].Status;

            if (NT_SUCCESS(status) && results[i].RequestContext == NULL) {
                status = l->qp->Dispatch->NdkSend(l->qp, l, &s->sge, 1, 0);
                if (NT_SUCCESS(status))
                    status = l->qp->Dispatch->NdkReceive(l->qp, NULL, &s->sge, 1);
            }
            if (!NT_SUCCESS(status)) {
                /* When it is over the client closes without a word. */
                if (atomic_load(&s->shared->phase) == RUNNING)
                    fail(s, "answering", status);
                return;
            }
        }
        if (n == 0 && ++empty % YIELD_EVERY == 0) {
            sched_yield();
            if (is_over(s))
                return;
        }
    }
}

static bool listen_somewhere(struct side *s)
{
    NTSTATUS status = STATUS_UNSUCCESSFUL;

    for (unsigned i = 0; i < 32 && !NT_SUCCESS(status); i++) {
        /* Below the ports from which the system and we choose. */
        s->shared->port = (uint16_t)(20000 + (tool_now_ns() / 1000 + i * 331) % 10000);
        addr_set_port(&s->to, s->shared->port);
        status = ndk_server_open(&s->host, &s->server, &s->to);
    }
    return NT_SUCCESS(status) || fail(s, "listening", status);
}

static void serve(struct side *s)
{
    size_t rss;
    int phase;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    s->is_server = true;
    if (!open_side(s) || !listen_somewhere(s))
        return;
    s->shared->address = ndk_memory_address(&s->memory, 0);
    s->shared->token = s->memory.remote;
    rss = rss_octets();
    atomic_store(&s->shared->phase, CONNECTING);
    if (run_threads(s, accept_all)) {
        s->shared->rss = rss_octets() - rss;
        atomic_store(&s->shared->phase, CONNECTED);
        while ((phase = atomic_load(&s->shared->phase)) != ENDING && !is_over(s)) {
            if (phase == RUNNING)
                echo(s);
            atomic_store(&s->shared->cpu_idle, cpu_ns());
            usleep(10000);
        }
    }
    close_side(s);
}

/* ---- The client ---- */

static bool await_phase(struct side *s, int phase)
{
    while (atomic_load(&s->shared->phase) < phase) {
        if (is_over(s))
            return false;
        usleep(1000);
    }
    return true;
}

static bool connect_step(struct side *s, uint32_t i)
{
    struct ndk_terms terms = {.private_data = NULL};
    NTSTATUS status = ndk_link_connect(&s->links[i], &s->from, &s->to, &terms);

    return NT_SUCCESS(status) || fail(s, "connecting", status);
}

static void *connect_all(void *side)
{
    return in_thread(side, connect_step);
}

/* Takes what is there; false: a request failed. *arrived: an answer was among it. */
static bool take(struct side *s, NDK_CQ *cq, uint32_t *arrived, uint32_t *sent)
{
    NDK_RESULT results[TAKE];
    ULONG n = cq->Dispatch->NdkGetCqResults(cq, results, TAKE);

    for (ULONG i = 0; i < n; i++) {
        if (!NT_SUCCESS(results[i].Status))
            return fail(s, "a request", results[i].Status);
        if (results[i].RequestContext == NULL)
            ++*arrived;
        else
            ++*sent;
    }
    return true;
}

/* Keeps BULK_DEPTH Writes in flight on the last link: one more at a time, as handing a MiB to TCP
 * takes long enough. */
struct bulk {
    uint32_t in_flight;
    uint64_t done;
};

static bool pump(struct side *s, struct bulk *b)
{
    struct ndk_link *l = &s->links[s->o->qps];
    NDK_SGE sge = ndk_memory_sge(&s->memory, 0, BULK);
    uint32_t arrived = 0, sent = 0;
    NTSTATUS status;

    if (!take(s, s->bulk_cq, &arrived, &sent))
        return false;
    b->in_flight -= sent;
    b->done += sent;
    if (b->in_flight == BULK_DEPTH)
        return true;
    b->in_flight++;
    status = l->qp->Dispatch->NdkWrite(l->qp, b, &sge, 1, s->shared->address, s->shared->token, 0);
    return NT_SUCCESS(status) || fail(s, "a Write", status);
}

/* One exchange on that link; bulk, if there is any, goes on meanwhile. */
static bool exchange(struct side *s, struct ndk_link *l, struct bulk *bulk)
{
    NTSTATUS status = l->qp->Dispatch->NdkSend(l->qp, l, &s->sge, 1, 0);
    uint32_t arrived = 0, sent = 0, empty = 0;

    if (!NT_SUCCESS(status))
        return fail(s, "posting", status);
    while (arrived == 0 || sent == 0) {
        if (!take(s, s->cq, &arrived, &sent) || (bulk != NULL && !pump(s, bulk)))
            return false;
        if (++empty % YIELD_EVERY == 0) {
            sched_yield();
            if (is_over(s))
                return false;
        }
    }
    status = l->qp->Dispatch->NdkReceive(l->qp, NULL, &s->sge, 1);
    return NT_SUCCESS(status) || fail(s, "posting", status);
}

/* Exchanges on links [0, count) in turn. hist: of their times; may be NULL. */
static bool exchanges(
    struct side *s, uint64_t count, struct bulk *bulk, struct hist *hist, double *rate)
{
    uint64_t run_ns = (uint64_t)(s->o->seconds * 1e9 / TURNS), began, now, done = 0;

    /* Round once before it counts. */
    for (uint64_t i = 0; i < count; i++) {
        if (!exchange(s, &s->links[i], bulk))
            return false;
    }
    began = now = tool_now_ns();
    do {
        uint64_t last = now;

        if (!exchange(s, &s->links[done % count], bulk))
            return false;
        done++;
        if (hist == NULL && done % LOOK_EVERY != 0)
            continue;
        now = tool_now_ns();
        if (hist != NULL)
            hist_add(hist, now - last);
    } while (now - began < run_ns);
    *rate = (double)done * 1e9 / (double)(now - began);
    return true;
}

struct figures {
    double connects_per_s, qp_rss, qp_heap, idle_cpu, rate_few, rate_all, bulk;
    struct hist quiet, busy;
};

static bool connect_phase(struct side *s, struct figures *f)
{
    size_t rss = rss_octets(), heap = heap_octets();
    uint64_t began = tool_now_ns();

    if (!run_threads(s, connect_all) || !await_phase(s, CONNECTED))
        return false;
    f->connects_per_s = (double)link_count(s) * 1e9 / (double)(tool_now_ns() - began);
    f->qp_rss = (double)(rss_octets() - rss) / (double)link_count(s);
    f->qp_heap = (double)(heap_octets() - heap) / (double)link_count(s);
    return true;
}

static bool idle_phase(struct side *s, struct figures *f)
{
    uint64_t began, own, other;

    tool_sleep_ns(IDLE_NS / 4);
    began = tool_now_ns();
    own = cpu_ns();
    other = atomic_load(&s->shared->cpu_idle);
    tool_sleep_ns(IDLE_NS);
    f->idle_cpu = (double)(cpu_ns() - own + atomic_load(&s->shared->cpu_idle) - other) /
                  (double)(tool_now_ns() - began);
    return !is_over(s);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static bool bulk_phase(struct side *s, struct figures *f)
{
    struct bulk bulk = {0};
    uint64_t began = tool_now_ns();
    double rate;

    hist_clear(&f->busy);
    for (int i = 0; i < TURNS; i++) {
        if (!exchanges(s, 1, &bulk, &f->busy, &rate))
            return false;
    }
    f->bulk = (double)bulk.done * BULK / (double)(tool_now_ns() - began);
    return true;
}

static double median_of_turns(double rate[TURNS])
{
    qsort(rate, TURNS, sizeof *rate, compare_doubles);
    return rate[TURNS / 2];
}

static bool busy_phase(struct side *s, struct figures *f)
{
    uint64_t few = s->o->qps < FEW ? s->o->qps : FEW;
    double of_few[TURNS], of_all[TURNS], rate;

    atomic_store(&s->shared->phase, RUNNING);
    hist_clear(&f->quiet);
    for (int i = 0; i < TURNS; i++) {
        if (!exchanges(s, few, NULL, NULL, &of_few[i]) ||
            !exchanges(s, s->o->qps, NULL, NULL, &of_all[i]) ||
            !exchanges(s, 1, NULL, &f->quiet, &rate))
            return false;
    }
    f->rate_few = median_of_turns(of_few);
    f->rate_all = median_of_turns(of_all);
    return bulk_phase(s, f);
}

static void print_figures(const struct side *s, const struct figures *f)
{
    printf("{\"qps\":%llu,\"depth\":%llu,\"connects_per_s\":%.0f,\"qp_rss\":%.0f,\"qp_heap\":%.0f,"
           "\"peer_rss\":%.0f,\"idle_cpu\":%.4f,\n\"rate_few\":%.0f,\"rate_all\":%.0f,"
           "\"rate_ratio\":%.3f,\n",
        (unsigned long long)s->o->qps, (unsigned long long)s->o->depth, f->connects_per_s,
        f->qp_rss, f->qp_heap, (double)s->shared->rss / (double)link_count(s), f->idle_cpu,
        f->rate_few, f->rate_all, f->rate_all / f->rate_few);
    printf("\"quiet_us\":{\"median\":%.2f,\"p99\":%.2f},\"busy_us\":{\"median\":%.2f,\"p99\":%.2f},"
           "\"bulk_gbytes_s\":%.3f}\n",
        hist_quantile(&f->quiet, 0.5) / 2e3, hist_quantile(&f->quiet, 0.99) / 2e3,
        hist_quantile(&f->busy, 0.5) / 2e3, hist_quantile(&f->busy, 0.99) / 2e3, f->bulk);
}

static int measure(struct side *s)
{
    static struct figures f;
    bool is_done = open_side(s) && await_phase(s, CONNECTING);

    addr_set_port(&s->to, s->shared->port);
    is_done = is_done && connect_phase(s, &f) && idle_phase(s, &f) && busy_phase(s, &f);
    atomic_store(&s->shared->phase, ENDING);
    if (is_done)
        print_figures(s, &f);
    close_side(s);
    return is_done ? TOOL_DONE : TOOL_FAILED;
}

/* A descriptor for each connection, and some more. */
static int raise_limit(uint64_t qps)
{
    struct rlimit limit;
    uint64_t want = qps + DESCRIPTORS_BESIDE;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= want)
        return TOOL_DONE;
    if (limit.rlim_max < want)
        return tool_fail(TOOL_FAILED,
            "%llu queue pairs need %llu descriptors in each process and the limit is %llu: raise "
            "it "
            "(ulimit -Hn, as root) or ask for fewer with --qps",
            (unsigned long long)qps, (unsigned long long)want, (unsigned long long)limit.rlim_max);
    limit.rlim_cur = want;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? TOOL_DONE
                                                 : tool_fail(TOOL_FAILED, "setrlimit failed");
}

static const char usage[] = "usage: bench_scale [--qps N] [--depth N] [--threads N] "
                            "[--seconds S] [--lanes N]\n";

int main(int argc, char **argv)
{
    static struct options o = {.qps = 10000, .depth = 16, .threads = 4, .seconds = 1};
    static struct side s = {.o = &o};
    const struct args_option options[] = {
        {"--qps", ARGS_NUMBER, &o.qps, 1, QPS_MAX, NULL},
        {"--depth", ARGS_NUMBER, &o.depth, BULK_DEPTH, 4096, NULL},
        {"--threads", ARGS_NUMBER, &o.threads, 1, THREADS_MAX, NULL},
        {"--seconds", ARGS_SECONDS, &o.seconds, 0, 600, NULL},
        {"--lanes", ARGS_NUMBER, &o.lanes, 1, 64, NULL},
    };
    struct args_result result;
    char from[32];
    pid_t child;
    int rc;

    tool_start("bench_scale");
    if (!args_parse(options, sizeof options / sizeof options[0], argc, argv, &result))
        return tool_fail(TOOL_USAGE, "%s", result.error);
    if (result.rest_count > 0)
        return tool_fail(TOOL_USAGE, "'%s' is one argument too many", result.rest[0]);
    if (result.wants_help) {
        fputs(usage, stdout);
        return TOOL_DONE;
    }
    rc = raise_limit(o.qps);
    s.shared =
        mmap(NULL, sizeof *s.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (rc != TOOL_DONE || s.shared == MAP_FAILED ||
        !addr_parse("127.0.0.1", ADDR_DEFAULT_PORT, &s.to))
        return TOOL_FAILED;
    /* An address of its own for each run: closed connections hold ports of theirs for a minute. */
    snprintf(from, sizeof from, "127.%u.%u.%u", (unsigned)getpid() / 250 % 200 + 1,
        (unsigned)getpid() % 250 + 1, (unsigned)(tool_now_ns() / 1000 % 250) + 1);
    if (!addr_parse(from, ADDR_DEFAULT_PORT, &s.from))
        return TOOL_FAILED;
    addr_set_port(&s.from, 0);
    child = fork();
    if (child < 0)
        return tool_fail(TOOL_FAILED, "no second process");
    tool_stay_on(child == 0);
    if (child == 0) {
        serve(&s);
        _exit(0);
    }
    rc = measure(&s);
    waitpid(child, NULL, 0);
    return rc;
}
