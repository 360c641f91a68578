/* SPDX-License-Identifier: MIT */
/*
 * The exchange of rdma-core's rping, for each ping:
 *
 *   client                                          server
 *   Send: address, token, size of its data   --->   RDMA Reads the data
 *                                            <---   Send: go ahead
 *   Send: address, token, size of its sink   --->   RDMA Writes the data there
 *   compares sink and data                   <---   Send: go ahead
 *
 * Every Send has 16 octets: 64-bit address, 32-bit token, 32-bit size, big-endian; those of a
 * go-ahead mean nothing. The client ends by disconnecting.
 */
#include <stdio.h>
#include <string.h>

#include "common/octets.h"
#include "common/tool.h"
#include "ndkping/exchange.h"

enum { RPING_MESSAGE_SIZE = 16, RPING_RECEIVES = 4, RPING_SENDS = 4 };

/* The letters after the text: 'A' to 'z' in turn, starting one further with each ping. */
enum { RPING_FIRST = 65, RPING_LAST = 122, RPING_LETTERS = RPING_LAST - RPING_FIRST + 1 };

struct rping_info {
    uint64_t address;
    uint32_t token, size;
};

NTSTATUS rping_open(struct ndk_host *host, struct channel *c)
{
    return channel_open(host, c, RPING_MESSAGE_SIZE, RPING_RECEIVES, RPING_SENDS);
}

void rping_fill(uint8_t *out, size_t n, uint64_t ping)
{
    char text[40];
    size_t length = (size_t)snprintf(text, sizeof text, "rdma-ping-%d: ", (int)ping);

    for (size_t i = 0; i < n; i++)
        out[i] = i < length ? (uint8_t)text[i]
                            : (uint8_t)(RPING_FIRST + (ping + i - length) % RPING_LETTERS);
    out[n - 1] = 0;
}

static enum channel_result send_info(struct channel *c, const struct rping_info *info)
{
    unsigned slot;
    uint8_t *p;
    enum channel_result result = channel_send_slot(c, &slot, &p);

    if (result != CHANNEL_OK)
        return result;
    put_be64(p, info->address);
    put_be32(p + 8, info->token);
    put_be32(p + 12, info->size);
    return channel_send(c, slot, RPING_MESSAGE_SIZE);
}

/* 0; -1: the peer has ended, or the user, where it may (is_idle); or an exit status. */
static int receive_info(struct channel *c, struct ping_report *r, bool is_idle, const char *what,
    struct rping_info *info)
{
    const uint8_t *p;
    unsigned slot;
    ULONG length;
    enum channel_result result = channel_receive(c, is_idle, &slot, &length);

    if (is_idle && (result == CHANNEL_ENDED || result == CHANNEL_INTERRUPTED))
        return -1;
    if (result != CHANNEL_OK)
        return ping_fail(r, what, channel_words(c, result));
    if (length != RPING_MESSAGE_SIZE)
        return ping_fail(r, what, "the peer sent a message that does not have 16 octets");
    p = channel_received(c, slot);
    info->address = get_be64(p);
    info->token = get_be32(p + 8);
    info->size = get_be32(p + 12);
    result = channel_repost(c, slot);
    return result == CHANNEL_OK ? TOOL_DONE : ping_fail(r, what, channel_words(c, result));
}

static void no_memory(uint64_t size, NTSTATUS status)
{
    tool_fail(TOOL_FAILED, "there is no memory for a buffer of %llu octets: %s",
        (unsigned long long)size, SoftNdkStatusName(status));
}

/* The same octets? If not, where. */
static int compare(
    const struct ping_report *r, const char *what, const uint8_t *is, const uint8_t *want, size_t n)
{
    char words[100];
    size_t i = 0;

    if (memcmp(is, want, n) == 0)
        return TOOL_DONE;
    while (is[i] == want[i])
        i++;
    snprintf(words, sizeof words, "octet %zu of %zu is wrong", i, n);
    return ping_fail(r, what, words);
}

/* ---- Client ---- */

static int offer(
    struct channel *c, struct ping_report *r, const struct ndk_memory *m, const char *what)
{
    struct rping_info info = {ndk_memory_address(m, 0), m->remote, (uint32_t)m->n};
    enum channel_result result = send_info(c, &info);

    if (result != CHANNEL_OK)
        return ping_fail(r, what, channel_words(c, result));
    return receive_info(c, r, false, what, &info);
}

static int client_ping(struct channel *c, struct ping_report *r, struct ndk_memory *source,
    struct ndk_memory *sink, uint64_t ping)
{
    int rc;

    rping_fill(source->p, source->n, ping);
    memset(sink->p, 0xee, sink->n);
    rc = offer(c, r, source, "the data that the server reads");
    if (rc == TOOL_DONE)
        rc = offer(c, r, sink, "the data that the server writes");
    if (rc == TOOL_DONE)
        rc = compare(r, "the data that the server wrote", sink->p, source->p, sink->n);
    return rc;
}

int rping_client(struct channel *c, const struct ping_options *o, struct ping_report *r)
{
    struct ndk_memory source, sink = {.n = 0};
    size_t size = (size_t)o->size;
    NTSTATUS status = ndk_memory_open(c->host, &source, size, NDK_MR_FLAG_ALLOW_REMOTE_READ);
    int rc = TOOL_DONE;

    if (NT_SUCCESS(status))
        status = ndk_memory_open(c->host, &sink, size, NDK_MR_FLAG_ALLOW_REMOTE_WRITE);
    if (!NT_SUCCESS(status)) {
        no_memory(size, status);
        rc = TOOL_FAILED;
    }
    for (uint64_t ping = 0; rc == TOOL_DONE && ping < o->count; ping++) {
        uint64_t began = tool_now_ns();

        if (ping > 0 && tool_is_interrupted())
            break;
        rc = client_ping(c, r, &source, &sink, ping);
        if (rc != TOOL_DONE)
            break;
        ping_done(r, size, began);
        if (o->is_verbose)
            printf("ping data: %.*s\n", (int)(size < 64 ? size : 64), (const char *)sink.p);
        if (ping + 1 < o->count && !ping_pause(o, began))
            break;
    }
    ndk_link_disconnect(&c->link);
    ndk_link_close(&c->link);
    ndk_memory_close(&sink);
    ndk_memory_close(&source);
    return rc;
}

/* ---- Server ---- */

/* Two buffers of the client's size: what was read, and what it should be. */
struct rping_buffers {
    struct ndk_memory data;
    struct ndk_memory want;
};

static void close_buffers(struct rping_buffers *b)
{
    ndk_memory_close(&b->data);
    ndk_memory_close(&b->want);
}

static int size_buffers(
    struct channel *c, struct ping_report *r, struct rping_buffers *b, uint32_t size)
{
    NTSTATUS status;

    if (size == 0 || size > PING_SIZE_MAX)
        return ping_fail(r, "the client's data", "its size is 0 or more than 1 GiB");
    if (b->data.n == size)
        return TOOL_DONE;
    close_buffers(b);
    status = ndk_memory_open(c->host, &b->data, size, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
    if (NT_SUCCESS(status))
        status = ndk_memory_open(c->host, &b->want, size, 0);
    if (NT_SUCCESS(status))
        return TOOL_DONE;
    no_memory(size, status);
    return TOOL_FAILED;
}

static int server_reads(struct channel *c, const struct ping_options *o, struct ping_report *r,
    struct rping_buffers *b, const struct rping_info *source)
{
    static const char what[] = "the data that the server read";
    enum channel_result result;
    int rc;

    rc = size_buffers(c, r, b, source->size);
    if (rc != TOOL_DONE)
        return rc;
    result = channel_read(c, &b->data, source->address, source->token, source->size);
    if (result != CHANNEL_OK)
        return ping_fail(r, what, channel_words(c, result));
    rping_fill(b->want.p, b->want.n, r->pings);
    if (o->is_verbose)
        printf(
            "ping data: %.*s\n", (int)(b->data.n < 64 ? b->data.n : 64), (const char *)b->data.p);
    return compare(r, what, b->data.p, b->want.p, b->data.n);
}

/* 0; -1: the client has ended, or the user, before the ping began; or an exit status. */
static int server_ping(
    struct channel *c, const struct ping_options *o, struct ping_report *r, struct rping_buffers *b)
{
    static const char what[] = "the data that the server writes";
    static const struct rping_info go_ahead;
    struct rping_info source = {0, 0, 0}, sink = {0, 0, 0};
    enum channel_result result;
    int rc = receive_info(c, r, r->pings > 0, "the client's data", &source);

    if (rc == TOOL_DONE)
        rc = server_reads(c, o, r, b, &source);
    if (rc != TOOL_DONE)
        return rc;
    result = send_info(c, &go_ahead);
    if (result != CHANNEL_OK)
        return ping_fail(r, what, channel_words(c, result));
    rc = receive_info(c, r, false, what, &sink);
    if (rc != TOOL_DONE)
        return rc;
    if (sink.size < source.size)
        return ping_fail(r, what, "the client's sink is smaller than its data");
    result = channel_write(c, &b->data, sink.address, sink.token, source.size);
    if (result == CHANNEL_OK)
        result = send_info(c, &go_ahead);
    return result == CHANNEL_OK ? TOOL_DONE : ping_fail(r, what, channel_words(c, result));
}

int rping_server(struct channel *c, const struct ping_options *o, struct ping_report *r)
{
    struct rping_buffers b = {.data = {.n = 0}, .want = {.n = 0}};
    int rc = TOOL_DONE;

    while (rc == TOOL_DONE) {
        uint64_t began = tool_now_ns();

        rc = server_ping(c, o, r, &b);
        if (rc == TOOL_DONE)
            ping_done(r, b.data.n, began);
    }
    ndk_link_disconnect(&c->link);
    ndk_link_close(&c->link);
    close_buffers(&b);
    return rc < 0 ? TOOL_DONE : rc;
}
