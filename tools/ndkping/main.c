/* SPDX-License-Identifier: MIT */
/* ndkping: command line, listening, connecting. What is said then is in own.c and rping.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/addr.h"
#include "common/args.h"
#include "common/tool.h"
#include "ndkping/exchange.h"

enum { DEFAULT_SIZE = 65536, DEFAULT_RPING_SIZE = 64, DEFAULT_COUNT = 4, COUNT_MAX = 1 << 30 };

static const char help[] =
    "usage: ndkping --server [ADDR[:PORT]] [--count N] [--rping]\n"
    "       ndkping ADDR[:PORT] [--count N] [--size BYTES] [--interval SEC] [--rping]\n"
    "\n"
    "Moves data between two processes by Send, Receive, RDMA Read and RDMA Write, in both\n"
    "directions, and compares every octet.\n"
    "\n"
    "  --server, -S          serve; without ADDR on every IPv4 address of the host; port 9000\n"
    "  --client, -C          connect (what is done without --server)\n"
    "  --count N             client: pings (default 4); server: connections to serve, then exit\n"
    "                        (default: for ever)\n"
    "  --size BYTES          octets of each ping, 1 to 1G (default 65536; with --rping 64)\n"
    "  --interval SEC        from the start of one ping to the next (default: at once)\n"
    "  --rping               speak the exchange of rdma-core's rping\n"
    "  --if N                use the interface with this index (default: any)\n"
    "  --from ADDR           client: connect from this address\n"
    "  --wait SEC            server: exit with status 1 when no client comes for so long;\n"
    "                        client: how long to try to connect\n"
    "  --verbose, -V         say more\n"
    "  --version, --help\n"
    "\n"
    "The spellings of the Windows tool are accepted: -S -C -ServerAddr ADDR[:PORT] -ServerIf N\n"
    "-ClientAddr ADDR -ClientIf N -TestType rping -W SEC -V.\n"
    "\n"
    "Exit status: 0 every octet was right; 1 the test failed or the peer misbehaved; 2 usage;\n"
    "3 could not connect or bind.\n"
    "\n"
    "Examples:\n"
    "  ndkping --server 127.0.0.1 --count 1 &\n"
    "  ndkping 127.0.0.1 --size 1M --count 3\n"
    "  ndkping --server '[::1]:7174' --rping         and there: rping -c -a ::1 -p 7174 -V\n";

struct arguments {
    bool is_server, is_client, is_rping, is_verbose;
    const char *server_address, *client_address;
    uint64_t interface, count, size;
    double interval_s, wait_s;
    int test_type;
};

/* ---- What both roles and both exchanges use ---- */

void ping_done(struct ping_report *r, uint64_t size, uint64_t began_ns)
{
    uint64_t ns = tool_now_ns() - began_ns;

    if (r->pings == 0 || ns < r->min_ns)
        r->min_ns = ns;
    if (ns > r->max_ns)
        r->max_ns = ns;
    r->total_ns += ns;
    r->pings++;
    printf("%llu octets of data successfully transferred with %s: ping=%llu time=%.3f ms\n",
        (unsigned long long)size, r->peer, (unsigned long long)r->pings, (double)ns / 1e6);
}

bool ping_pause(const struct ping_options *o, uint64_t began_ns)
{
    uint64_t interval_ns = (uint64_t)(o->interval_s * 1e9), spent_ns = tool_now_ns() - began_ns;

    if (interval_ns > spent_ns)
        tool_sleep_ns(interval_ns - spent_ns);
    return !tool_is_interrupted();
}

int ping_fail(const struct ping_report *r, const char *while_what, const char *words)
{
    return tool_fail(TOOL_FAILED, "ping %llu with %s failed at %s: %s",
        (unsigned long long)r->pings + 1, r->peer, while_what, words);
}

static void print_summary(const struct ping_report *r, uint64_t size, uint64_t wanted)
{
    double n = r->pings > 0 ? (double)r->pings : 1;

    printf("ndkping client completes: %llu of %llu pings of %llu octets with %s, every octet "
           "verified; min/avg/max = %.3f/%.3f/%.3f ms\n",
        (unsigned long long)r->pings, (unsigned long long)wanted, (unsigned long long)size, r->peer,
        (double)r->min_ns / 1e6, (double)r->total_ns / n / 1e6, (double)r->max_ns / 1e6);
}

static struct ndk_terms terms_of(const struct ndk_host *h, const void *data, ULONG length)
{
    struct ndk_terms terms = {PING_READS, PING_READS, data, length};

    if (terms.inbound > h->info.MaxInboundReadLimit)
        terms.inbound = h->info.MaxInboundReadLimit;
    if (terms.outbound > h->info.MaxOutboundReadLimit)
        terms.outbound = h->info.MaxOutboundReadLimit;
    return terms;
}

/* ---- Client ---- */

static int run_client(const struct arguments *a, struct ndk_host *host, struct channel *c,
    const SOCKADDR_INET *from, const SOCKADDR_INET *to)
{
    struct ping_options options = {a->size, a->count, a->interval_s, a->is_verbose};
    struct own_hello hello = {.size = a->size, .count = a->count};
    uint8_t hello_data[OWN_HELLO_SIZE];
    char text[ADDR_TEXT_MAX];
    struct ping_report report = {.peer = addr_text(to, text)};
    struct ndk_terms terms = terms_of(host, NULL, 0);
    NTSTATUS status;
    int rc;

    if (!a->is_rping) {
        if (getrandom(&hello.seed, sizeof hello.seed, 0) != (ssize_t)sizeof hello.seed)
            hello.seed = tool_now_ns();
        own_hello_write(&hello, hello_data);
        terms = terms_of(host, hello_data, sizeof hello_data);
    }
    status = a->is_rping ? rping_open(host, c) : own_open(host, c);
    if (!NT_SUCCESS(status))
        return tool_fail(TOOL_FAILED, "cannot make a queue pair: %s", SoftNdkStatusName(status));
    status = ndk_link_connect(&c->link, from, to, &terms);
    if (!NT_SUCCESS(status))
        return ndk_fail_connect(status, from, to);
    if (!a->is_rping && !own_answer_read(c->link.private_data, c->link.private_length, &hello))
        return tool_fail(TOOL_FAILED,
            "%s accepted but does not speak ndkping; if it is an rping, use --rping", text);
    if (a->is_verbose)
        printf("connected to %s\n", text);
    rc =
        a->is_rping ? rping_client(c, &options, &report) : own_client(c, &options, &hello, &report);
    if (rc == TOOL_DONE)
        print_summary(&report, a->size, a->count);
    return rc;
}

static int client(const struct arguments *a, const SOCKADDR_INET *to)
{
    SOFTNDK_OPTIONS options = SOFTNDK_OPTIONS_INIT;
    SOCKADDR_INET from;
    struct ndk_host host;
    struct channel channel;
    NTSTATUS status;
    int rc;

    memset(&channel, 0, sizeof channel);
    if (a->client_address != NULL) {
        if (!addr_parse(a->client_address, ADDR_DEFAULT_PORT, &from))
            return tool_fail(TOOL_USAGE, "'%s' is not an IPv4 or IPv6 address to connect from",
                a->client_address);
        addr_set_port(&from, 0);
    } else if (!addr_local_for(to, &from)) {
        return ndk_fail_connect(STATUS_NETWORK_UNREACHABLE, to, to);
    }
    if (a->wait_s > 0)
        options.ConnectTimeoutMs = (ULONG)(a->wait_s * 1000 < 1 ? 1 : a->wait_s * 1000);
    status = ndk_host_open(&host, (NET_IFINDEX)a->interface, &options);
    if (!NT_SUCCESS(status))
        return ndk_fail_open(status, (NET_IFINDEX)a->interface);
    rc = run_client(a, &host, &channel, &from, to);
    channel_close(&channel);
    ndk_host_close(&host);
    return rc;
}

/* ---- Server ---- */

static void name_peer(NDK_CONNECTOR *connector, char out[ADDR_TEXT_MAX])
{
    SOCKADDR_INET peer;
    ULONG length = sizeof peer;

    memset(&peer, 0, sizeof peer);
    if (NT_SUCCESS(connector->Dispatch->NdkGetPeerAddress(connector, (PSOCKADDR)&peer, &length)))
        addr_text(&peer, out);
    else
        snprintf(out, ADDR_TEXT_MAX, "an unknown peer");
}

/* The connector is the channel's afterwards, whatever comes out. */
static int serve_one(const struct arguments *a, struct ndk_host *host, struct channel *c,
    NDK_CONNECTOR *connector, const char *peer)
{
    struct ping_options options = {.is_verbose = a->is_verbose};
    struct ping_report report = {.peer = peer};
    uint8_t private_data[NDK_PRIVATE_MAX], answer[OWN_ANSWER_SIZE];
    ULONG length = ndk_private_data(connector, private_data);
    struct ndk_terms terms = terms_of(host, NULL, 0);
    struct own_hello hello = {.size = 0};
    NTSTATUS status;
    int rc;

    if (!a->is_rping) {
        if (!own_hello_read(private_data, length, &hello)) {
            connector->Dispatch->NdkReject(connector, NULL, 0);
            ndk_close(&connector->Header);
            return tool_fail(TOOL_FAILED,
                "%s does not speak ndkping and was refused; for an rping use --rping", peer);
        }
        own_answer_write(&hello, answer);
        terms = terms_of(host, answer, sizeof answer);
    }
    status = a->is_rping ? rping_open(host, c) : own_open(host, c);
    if (!NT_SUCCESS(status)) {
        ndk_close(&connector->Header);
        return tool_fail(TOOL_FAILED, "cannot make a queue pair: %s", SoftNdkStatusName(status));
    }
    status = ndk_link_accept(&c->link, connector, &terms);
    if (!NT_SUCCESS(status))
        return tool_fail(TOOL_FAILED, "accepting %s failed: %s", peer, SoftNdkStatusName(status));
    printf("%s is connected\n", peer);
    rc = a->is_rping ? rping_server(c, &options, &report) : own_server(c, &hello, &report);
    if (rc == TOOL_DONE)
        printf("%s has ended: %llu pings, every octet verified\n", peer,
            (unsigned long long)report.pings);
    return rc;
}

/* The next client; NULL: interrupted, or none came in time (and then *rc is set). */
static NDK_CONNECTOR *wait_client(
    const struct arguments *a, struct ndk_host *host, struct ndk_server *server, int *rc)
{
    uint64_t began = tool_now_ns();
    NDK_CONNECTOR *connector;

    while ((connector = ndk_server_take(server)) == NULL && !tool_is_interrupted()) {
        if (a->wait_s > 0 && (double)(tool_now_ns() - began) > a->wait_s * 1e9) {
            *rc = tool_fail(TOOL_FAILED, "no client came within %g seconds", a->wait_s);
            return NULL;
        }
        ndk_host_wait(host);
    }
    return connector;
}

static int serve(const struct arguments *a, struct ndk_host *host, struct ndk_server *server)
{
    uint64_t served = 0;
    int rc = TOOL_DONE;

    while ((a->count == 0 || served < a->count) && !tool_is_interrupted()) {
        char peer[ADDR_TEXT_MAX];
        struct channel channel;
        NDK_CONNECTOR *connector = wait_client(a, host, server, &rc);
        int rc_one;

        if (connector == NULL)
            break;
        memset(&channel, 0, sizeof channel);
        name_peer(connector, peer);
        rc_one = serve_one(a, host, &channel, connector, peer);
        if (rc_one != TOOL_DONE)
            rc = rc_one;
        if (channel.host != NULL)
            served++;
        channel_close(&channel);
    }
    return rc;
}

static int server(const struct arguments *a, const SOCKADDR_INET *at)
{
    SOFTNDK_OPTIONS options = SOFTNDK_OPTIONS_INIT;
    char text[ADDR_TEXT_MAX];
    struct ndk_server listener;
    struct ndk_host host;
    NTSTATUS status;
    int rc;

    options.AllowWildcard = addr_is_wildcard(at);
    status = ndk_host_open(&host, (NET_IFINDEX)a->interface, &options);
    if (!NT_SUCCESS(status))
        return ndk_fail_open(status, (NET_IFINDEX)a->interface);
    status = ndk_server_open(&host, &listener, at);
    if (NT_SUCCESS(status)) {
        printf("ndkping server listens on %s\n", addr_text(at, text));
        rc = serve(a, &host, &listener);
        ndk_server_close(&listener);
    } else {
        rc = ndk_fail_listen(status, at);
    }
    ndk_host_close(&host);
    return rc;
}

/* ---- Command line ---- */

static int check(struct arguments *a, const struct args_result *result)
{
    const char *positional = result->rest_count > 0 ? result->rest[0] : NULL;

    if (result->rest_count > 1)
        return tool_fail(
            TOOL_USAGE, "'%s' is one argument too many; --help shows the usage", result->rest[1]);
    if (a->is_server && a->is_client)
        return tool_fail(TOOL_USAGE, "--server and --client exclude each other");
    if (positional != NULL && a->server_address != NULL)
        return tool_fail(TOOL_USAGE, "the server's address was given twice: '%s' and '%s'",
            positional, a->server_address);
    if (positional != NULL)
        a->server_address = positional;
    if (!a->is_server && a->server_address == NULL)
        return tool_fail(TOOL_USAGE, "which server? 'ndkping ADDR[:PORT]' connects, 'ndkping "
                                     "--server' serves; --help says more");
    a->is_rping = a->is_rping || a->test_type == 0;
    if (a->size == 0)
        a->size = a->is_rping ? DEFAULT_RPING_SIZE : DEFAULT_SIZE;
    if (a->count == 0 && !a->is_server)
        a->count = DEFAULT_COUNT;
    return TOOL_DONE;
}

int main(int argc, char **argv)
{
    struct arguments a = {.test_type = -1};
    const struct args_option options[] = {
        {"--server -S", ARGS_FLAG, &a.is_server, 0, 0, NULL},
        {"--client -C", ARGS_FLAG, &a.is_client, 0, 0, NULL},
        {"--rping", ARGS_FLAG, &a.is_rping, 0, 0, NULL},
        {"--verbose -V -v", ARGS_FLAG, &a.is_verbose, 0, 0, NULL},
        {"-ServerAddr", ARGS_TEXT, &a.server_address, 0, 0, NULL},
        {"--from -ClientAddr", ARGS_TEXT, &a.client_address, 0, 0, NULL},
        {"--if -ServerIf -ClientIf", ARGS_NUMBER, &a.interface, 0, INT32_MAX, NULL},
        {"--count", ARGS_NUMBER, &a.count, 1, COUNT_MAX, NULL},
        {"--size", ARGS_SIZE, &a.size, 1, PING_SIZE_MAX, NULL},
        {"--interval", ARGS_SECONDS, &a.interval_s, 0, 86400, NULL},
        {"--wait -W", ARGS_SECONDS, &a.wait_s, 0, 3600, NULL},
        {"-TestType", ARGS_CHOICE, &a.test_type, 0, 0, "rping"},
    };
    struct args_result result;
    SOCKADDR_INET address = addr_any(ADDR_DEFAULT_PORT);
    int rc;

    tool_start("ndkping");
    if (!args_parse(options, sizeof options / sizeof options[0], argc, argv, &result))
        return tool_fail(TOOL_USAGE, "%s", result.error);
    if (result.wants_help) {
        fputs(help, stdout);
        return TOOL_DONE;
    }
    if (result.wants_version) {
        printf("ndkping %s\n", SOFTNDK_TOOL_VERSION);
        return TOOL_DONE;
    }
    rc = check(&a, &result);
    if (rc != TOOL_DONE)
        return rc;
    if (a.server_address != NULL && !addr_parse(a.server_address, ADDR_DEFAULT_PORT, &address))
        return tool_fail(TOOL_USAGE,
            "'%s' is not an address: write 127.0.0.1, 127.0.0.1:9000, ::1 or [::1]:9000 (no host "
            "names)",
            a.server_address);
    return a.is_server ? server(&a, &address) : client(&a, &address);
}
