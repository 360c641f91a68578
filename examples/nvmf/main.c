/* SPDX-License-Identifier: MIT */
/*
 * nvmf: a small NVMe over RDMA host on NDKPI, to learn from. It reads from the top down: main.c,
 * controller.c (what NVMe wants), queue.c (how a command gets its memory), host.c (NDK objects);
 * check.c and mix.c are what is done with it. README.md says how to run it.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "work.h"

enum { DONE = 0, FAILED = 1, USAGE = 2, UNREACHABLE = 3 };

enum { DEFAULT_PORT = 4420, DEPTH_MAX = 1023, DATA_MAX = 8 << 20, SECONDS_MAX = 86400 };

static const char help[] =
    "usage: nvmf ADDR[:PORT] NQN [--overwrite] [options]\n"
    "\n"
    "Connects to an NVMe target over iWARP, identifies the controller and a namespace of the\n"
    "subsystem NQN, writes and reads blocks, compares every octet. The port is 4420 if none is\n"
    "given, an IPv6 address with a port is [ADDR]:PORT.\n"
    "\n"
    "  --overwrite           allow writing: THE DATA IN THE SPAN ARE LOST. Without it one block "
    "is\n"
    "                        read, and that is all\n"
    "  --span BYTES          how much of the namespace is overwritten, from its beginning (8M)\n"
    "  --namespace N         identifier of the namespace (1)\n"
    "  --depth N             commands at a time (16)\n"
    "  --max BYTES           largest transfer, if the controller takes it (1M)\n"
    "  --seconds N           afterwards reads and writes at random for so long (0: not)\n"
    "  --block BYTES         transfer of that mix (4096)\n"
    "  --reads PERCENT       reads among it (50)\n"
    "  --timeout SEC         how long a command may take (30)\n"
    "  --no-checks           only the mix\n"
    "  --no-invalidate       do not ask the target to invalidate: do it here\n"
    "  --prove               at the end, show that a region which the target invalidated is\n"
    "                        invalid: invalidate it once more, which must fail\n"
    "  --help\n"
    "\n"
    "BYTES may end in K or M. Settings of the adapter come from the SOFTNDK_ variables.\n"
    "\n"
    "Exit status: 0 every octet was right; 1 something was not; 2 usage; 3 no connection.\n"
    "\n"
    "Examples:\n"
    "  nvmf 192.0.2.7 nqn.2026-01.example:disk\n"
    "  nvmf 192.0.2.7 nqn.2026-01.example:disk --overwrite --seconds 10 --depth 32 --block 64K\n";

struct arguments {
    SOCKADDR_INET to;
    struct controller_options options;
    struct work work;
    ULONG span, depth, timeout_s;
    bool may_overwrite, has_no_checks, wants_proof;
};

/* ---- Command line -------------------------------------------------------------------------- */

static bool parse_address(const char *text, SOCKADDR_INET *to)
{
    USHORT port = 0; /* in network byte order */

    memset(to, 0, sizeof *to);
    if (RtlIpv4StringToAddressExA(text, TRUE, &to->Ipv4.sin_addr, &port) == STATUS_SUCCESS) {
        to->Ipv4.sin_family = AF_INET;
        to->Ipv4.sin_port = port != 0 ? port : RtlUshortByteSwap(DEFAULT_PORT);
        return true;
    }
    memset(to, 0, sizeof *to);
    if (RtlIpv6StringToAddressExA(text, &to->Ipv6.sin6_addr, &to->Ipv6.sin6_scope_id, &port) ==
        STATUS_SUCCESS) {
        to->Ipv6.sin6_family = AF_INET6;
        to->Ipv6.sin6_port = port != 0 ? port : RtlUshortByteSwap(DEFAULT_PORT);
        return true;
    }
    return fail("'%s' is no address", text);
}

/* Decimal, with K or M where a size is meant. */
static bool parse_number(
    const char *name, const char *text, bool is_size, ULONG min, ULONG max, ULONG *out)
{
    char *end;
    unsigned long long n;

    n = text == NULL || text[0] < '0' || text[0] > '9' ? ULLONG_MAX : strtoull(text, &end, 10);
    if (n != ULLONG_MAX && is_size && (*end == 'K' || *end == 'M')) {
        n = n > MAXULONG ? ULLONG_MAX : n << (*end == 'K' ? 10 : 20);
        end++;
    }
    if (n == ULLONG_MAX || *end != 0 || n < min || n > max)
        return fail("%s takes a number from %u to %u", name, (unsigned)min, (unsigned)max);
    *out = (ULONG)n;
    return true;
}

/* Options with a value. 1: taken; 0: not one of them; -1: wrong. */
static int parse_valued(struct arguments *a, const char *name, const char *value)
{
    ULONG seconds = 0, reads = 0;
    struct {
        const char *name;
        ULONG *out;
        bool is_size;
        ULONG min, max;
    } table[] = {
        {"--span", &a->span, true, 4096, MAXULONG},
        {"--namespace", &a->options.namespace_id, false, 1, MAXULONG - 1},
        {"--depth", &a->depth, false, 1, DEPTH_MAX},
        {"--max", &a->options.data_max, true, 512, DATA_MAX},
        {"--seconds", &seconds, false, 0, SECONDS_MAX},
        {"--block", &a->work.block, true, 512, DATA_MAX},
        {"--reads", &reads, false, 0, 100},
        {"--timeout", &a->timeout_s, false, 1, SECONDS_MAX},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].name, name) != 0)
            continue;
        if (!parse_number(name, value, table[i].is_size, table[i].min, table[i].max, table[i].out))
            return -1;
        if (table[i].out == &seconds)
            a->work.seconds = (unsigned)seconds;
        if (table[i].out == &reads)
            a->work.reads = (unsigned)reads;
        return 1;
    }
    return 0;
}

static bool parse_flag(struct arguments *a, const char *name)
{
    if (strcmp(name, "--overwrite") == 0)
        a->may_overwrite = true;
    else if (strcmp(name, "--no-checks") == 0)
        a->has_no_checks = true;
    else if (strcmp(name, "--no-invalidate") == 0)
        a->options.wants_invalidate = false;
    else if (strcmp(name, "--prove") == 0)
        a->wants_proof = true;
    else
        return false;
    return true;
}

static bool parse(int argc, char **argv, struct arguments *a)
{
    const char *address = NULL;

    for (int i = 1; i < argc; i++) {
        int taken = parse_valued(a, argv[i], i + 1 < argc ? argv[i + 1] : NULL);

        if (taken < 0)
            return false;
        if (taken > 0)
            i++;
        else if (argv[i][0] == '-' && !parse_flag(a, argv[i]))
            return fail("there is no option '%s'; --help lists them", argv[i]);
        else if (argv[i][0] != '-' && address == NULL)
            address = argv[i];
        else if (argv[i][0] != '-' && a->options.subsystem == NULL)
            a->options.subsystem = argv[i];
        else if (argv[i][0] != '-')
            return fail("'%s' is too much; --help says what goes where", argv[i]);
    }
    if (address == NULL || a->options.subsystem == NULL)
        return fail("an address and the NQN of a subsystem are needed; --help says more");
    if (strlen(a->options.subsystem) > NVMF_NQN_MAX)
        return fail("the NQN is longer than %d octets", NVMF_NQN_MAX);
    if (a->wants_proof && !a->options.wants_invalidate)
        return fail("--prove and --no-invalidate exclude each other");
    a->options.commands = (uint16_t)a->depth;
    a->options.timeout_ms = a->timeout_s * 1000;
    return parse_address(address, &a->to);
}

/* ---- What is done -------------------------------------------------------------------------- */

static bool work(struct controller *c, struct arguments *a)
{
    struct work *w = &a->work;

    if (!a->may_overwrite)
        return check_read_only(c);
    w->span = a->span / c->block_length;
    if (w->span > c->blocks)
        w->span = c->blocks;
    if (w->span == 0)
        return fail("the span is less than a block of %u octets", (unsigned)c->block_length);
    if (!a->has_no_checks &&
        !(check_sizes(c, w) && check_in_capsule(c, w) && check_span(c, w) && check_errors(c)))
        return false;
    return w->seconds == 0 || run_mix(c, w);
}

/* Read this one first: the connection is over afterwards, the controller is not. */
static bool prove(struct controller *c)
{
    struct request *r = queue_get(&c->io);
    struct nvme_command command = controller_io(c, NVME_READ, 0, 1);
    bool is_right = r != NULL &&
                    queue_execute(r, &command, TRANSFER_FROM_TARGET, 0, c->block_length) &&
                    queue_prove_invalid(r);

    if (!is_right)
        return fail("a region that the target was to invalidate is still valid");
    printf("proof: the region that the target invalidated cannot be invalidated again\n");
    return true;
}

static int visit(struct host *h, struct arguments *a)
{
    struct controller c;
    bool is_unreachable, is_right;
    uint64_t theirs, ours;

    if (!controller_open(h, &c, &a->to, &a->options, &is_unreachable))
        return is_unreachable ? UNREACHABLE : FAILED;
    is_right = work(&c, a);
    theirs = c.io.remotely_invalidated;
    ours = c.io.locally_invalidated;
    if (is_right && a->wants_proof)
        is_right = prove(&c);
    printf("regions: %llu invalidated by the target, %llu by us\n", (unsigned long long)theirs,
        (unsigned long long)ours);
    is_right = controller_close(&c, is_right) && is_right;
    if (is_right)
        printf("shut down and disconnected\n");
    return is_right ? DONE : FAILED;
}

int main(int argc, char **argv)
{
    struct arguments a = {
        .options = {.namespace_id = 1, .data_max = 1 << 20, .wants_invalidate = true},
        .work = {.block = 4096, .reads = 50},
        .span = 8 << 20,
        .depth = 16,
        .timeout_s = 30};
    struct host h;
    NTSTATUS status;
    int rc;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            return DONE;
        }
    }
    if (!parse(argc, argv, &a))
        return USAGE;
    status = host_open(&h);
    if (!NT_SUCCESS(status)) {
        fail("the adapter cannot be opened: %s", SoftNdkStatusName(status));
        return UNREACHABLE;
    }
    rc = visit(&h, &a);
    host_close(&h);
    return rc;
}
