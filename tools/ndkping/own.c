/* SPDX-License-Identifier: MIT */
/*
 * Our own exchange. Private data carries what both sides need to compute all test data: size and
 * seed. Then, for each ping, with six different pieces of data:
 *
 *   client                                server
 *   Sends the data, 64 KiB each    --->   compares
 *   compares                       <---   Sends other data, a message for each
 *   OFFER (address, token)         --->   Reads from there, compares
 *                                         Writes to there
 *   compares                       <---   WRITTEN (address, token)
 *   Writes to there, CHECK         --->   compares
 *   Reads from there, compares     <---   FETCH
 *   DONE                           --->
 *
 * A side that finds a wrong octet says FAILED and ends the connection.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/octets.h"
#include "common/tool.h"
#include "common/verify.h"
#include "ndkping/exchange.h"

enum {
    OWN_MAGIC = 0x4e444b70, /* "NDKp" */
    OWN_VERSION = 1,
    OWN_MESSAGE_SIZE = 32,
    OWN_CHUNK = 65536,
    /* The client has at most OWN_WINDOW chunks on the way, so that the server's receives suffice
     * although it answers before it posts a receive again. */
    OWN_WINDOW = 8,
    OWN_RECEIVES = 2 * OWN_WINDOW,
    OWN_SENDS = OWN_WINDOW,
};

enum own_type { OWN_OFFER = 1, OWN_WRITTEN, OWN_CHECK, OWN_FETCH, OWN_DONE, OWN_FAILED };

/* The six pieces of data of a ping. */
enum own_data { DATA_SEND, DATA_ANSWER, DATA_READ, DATA_WRITE, DATA_WRITE_BACK, DATA_READ_BACK };

static const char *const data_words[] = {
    [DATA_SEND] = "the data that the client sent",
    [DATA_ANSWER] = "the data that the server sent",
    [DATA_READ] = "the data that the server read",
    [DATA_WRITE] = "the data that the server wrote",
    [DATA_WRITE_BACK] = "the data that the client wrote",
    [DATA_READ_BACK] = "the data that the client read",
};

struct own_message {
    enum own_type type;
    uint32_t token;
    uint64_t address; /* of a failure: the index of the wrong octet */
    uint32_t data;    /* of a failure: enum own_data */
};

struct own {
    struct channel *c;
    const struct own_hello *h;
    struct ping_report *r;
    struct ndk_memory buffer;
    uint64_t ping;
};

void own_hello_write(const struct own_hello *h, uint8_t out[OWN_HELLO_SIZE])
{
    memset(out, 0, OWN_HELLO_SIZE);
    put_be32(out, OWN_MAGIC);
    put_be16(out + 4, OWN_VERSION);
    put_be64(out + 8, h->size);
    put_be64(out + 16, h->count);
    put_be64(out + 24, h->seed);
}

bool own_hello_read(const uint8_t *in, size_t n, struct own_hello *h)
{
    if (n < OWN_HELLO_SIZE || get_be32(in) != OWN_MAGIC || get_be16(in + 4) != OWN_VERSION)
        return false;
    h->size = get_be64(in + 8);
    h->count = get_be64(in + 16);
    h->seed = get_be64(in + 24);
    return h->size >= 1 && h->size <= PING_SIZE_MAX;
}

void own_answer_write(const struct own_hello *h, uint8_t out[OWN_ANSWER_SIZE])
{
    struct own_hello answer = *h;

    answer.seed = verify_seed(h->seed, UINT64_MAX);
    own_hello_write(&answer, out);
}

bool own_answer_read(const uint8_t *in, size_t n, const struct own_hello *h)
{
    uint8_t want[OWN_ANSWER_SIZE];

    own_answer_write(h, want);
    return n >= sizeof want && memcmp(in, want, sizeof want) == 0;
}

NTSTATUS own_open(struct ndk_host *host, struct channel *c)
{
    return channel_open(host, c, OWN_CHUNK, OWN_RECEIVES, OWN_SENDS);
}

static uint64_t data_seed(const struct own *o, enum own_data data)
{
    return verify_seed(o->h->seed, o->ping * 8 + data);
}

static int fail(const struct own *o, enum own_data data, enum channel_result result)
{
    return ping_fail(o->r, data_words[data], channel_words(o->c, result));
}

static enum channel_result send_message(
    struct own *o, enum own_type type, uint64_t address, uint32_t token, enum own_data data)
{
    unsigned slot;
    uint8_t *p;
    enum channel_result result = channel_send_slot(o->c, &slot, &p);

    if (result != CHANNEL_OK)
        return result;
    memset(p, 0, OWN_MESSAGE_SIZE);
    put_be32(p, OWN_MAGIC);
    put_be32(p + 4, type);
    put_be64(p + 8, address);
    put_be32(p + 16, token);
    put_be32(p + 20, data);
    return channel_send(o->c, slot, OWN_MESSAGE_SIZE);
}

static bool parse_message(const uint8_t *in, ULONG n, struct own_message *m)
{
    if (n != OWN_MESSAGE_SIZE || get_be32(in) != OWN_MAGIC)
        return false;
    m->type = (enum own_type)get_be32(in + 4);
    m->address = get_be64(in + 8);
    m->token = get_be32(in + 16);
    m->data = get_be32(in + 20);
    return true;
}

/* Receives the message that is due; 0, or an exit status after a sentence. */
static int expect_message(
    struct own *o, enum own_type type, enum own_data data, struct own_message *m)
{
    char words[160];
    unsigned slot;
    ULONG length;
    enum channel_result result = channel_receive(o->c, false, &slot, &length);
    bool is_message;

    if (result != CHANNEL_OK)
        return fail(o, data, result);
    is_message = parse_message(channel_received(o->c, slot), length, m);
    result = channel_repost(o->c, slot);
    if (result != CHANNEL_OK)
        return fail(o, data, result);
    if (is_message && m->type == OWN_FAILED) {
        snprintf(words, sizeof words, "the peer found a wrong octet at %llu of %llu",
            (unsigned long long)m->address, (unsigned long long)o->h->size);
        return ping_fail(o->r, m->data <= DATA_READ_BACK ? data_words[m->data] : "the data", words);
    }
    if (!is_message || m->type != type)
        return ping_fail(o->r, data_words[data], "the peer sent a message that is not due");
    return TOOL_DONE;
}

/* Compares data; after a difference tells the peer and the user. */
static int compare(struct own *o, enum own_data data, const void *p, size_t n, uint64_t at)
{
    char words[120];
    size_t wrong;

    if (verify_check(p, n, data_seed(o, data), at, &wrong))
        return TOOL_DONE;
    snprintf(
        words, sizeof words, "octet %" PRIu64 " of %" PRIu64 " is wrong", at + wrong, o->h->size);
    if (send_message(o, OWN_FAILED, at + wrong, 0, data) == CHANNEL_OK)
        channel_drain(o->c);
    return ping_fail(o->r, data_words[data], words);
}

static uint64_t chunk_count(const struct own *o)
{
    return (o->h->size + OWN_CHUNK - 1) / OWN_CHUNK;
}

static size_t chunk_size(const struct own *o, uint64_t chunk)
{
    uint64_t rest = o->h->size - chunk * OWN_CHUNK;

    return rest < OWN_CHUNK ? (size_t)rest : OWN_CHUNK;
}

static enum channel_result send_chunk(struct own *o, enum own_data data, uint64_t chunk)
{
    size_t n = chunk_size(o, chunk);
    unsigned slot;
    uint8_t *p;
    enum channel_result result = channel_send_slot(o->c, &slot, &p);

    if (result != CHANNEL_OK)
        return result;
    verify_fill(p, n, data_seed(o, data), chunk * OWN_CHUNK);
    return channel_send(o->c, slot, n);
}

/* A chunk from the peer; `slot` is to be posted again. is_idle: the peer need not start, and -1
 * says that it has ended, or the user. */
static int receive_chunk(
    struct own *o, enum own_data data, uint64_t chunk, bool is_idle, unsigned *slot)
{
    ULONG length;
    struct own_message m;
    enum channel_result result = channel_receive(o->c, is_idle, slot, &length);

    if (result != CHANNEL_OK)
        return is_idle && (result == CHANNEL_ENDED || result == CHANNEL_INTERRUPTED)
                   ? -1
                   : fail(o, data, result);
    if (length != chunk_size(o, chunk)) {
        if (parse_message(channel_received(o->c, *slot), length, &m) && m.type == OWN_FAILED)
            return ping_fail(o->r, data_words[data], "the peer found a wrong octet");
        return ping_fail(o->r, data_words[data], "the peer sent a message of another length");
    }
    return compare(o, data, channel_received(o->c, *slot), length, chunk * OWN_CHUNK);
}

/* ---- Client ---- */

static int client_sends(struct own *o)
{
    uint64_t count = chunk_count(o), sent = 0;

    for (uint64_t answered = 0; answered < count; answered++) {
        enum channel_result result = CHANNEL_OK;
        unsigned slot;
        int rc;

        while (result == CHANNEL_OK && sent < count && sent - answered < OWN_WINDOW)
            result = send_chunk(o, DATA_SEND, sent++);
        if (result != CHANNEL_OK)
            return fail(o, DATA_SEND, result);
        rc = receive_chunk(o, DATA_ANSWER, answered, false, &slot);
        if (rc != TOOL_DONE)
            return rc;
        result = channel_repost(o->c, slot);
        if (result != CHANNEL_OK)
            return fail(o, DATA_ANSWER, result);
    }
    return TOOL_DONE;
}

static int client_ping(struct own *o)
{
    size_t n = (size_t)o->h->size;
    struct own_message m = {.token = 0}, fetch;
    enum channel_result result;
    int rc = client_sends(o);

    if (rc != TOOL_DONE)
        return rc;
    verify_fill(o->buffer.p, n, data_seed(o, DATA_READ), 0);
    result =
        send_message(o, OWN_OFFER, ndk_memory_address(&o->buffer, 0), o->buffer.remote, DATA_READ);
    if (result != CHANNEL_OK)
        return fail(o, DATA_READ, result);
    rc = expect_message(o, OWN_WRITTEN, DATA_WRITE, &m);
    if (rc == TOOL_DONE)
        rc = compare(o, DATA_WRITE, o->buffer.p, n, 0);
    if (rc != TOOL_DONE)
        return rc;
    verify_fill(o->buffer.p, n, data_seed(o, DATA_WRITE_BACK), 0);
    result = channel_write(o->c, &o->buffer, m.address, m.token, n);
    if (result == CHANNEL_OK)
        result = send_message(o, OWN_CHECK, 0, 0, DATA_WRITE_BACK);
    if (result != CHANNEL_OK)
        return fail(o, DATA_WRITE_BACK, result);
    rc = expect_message(o, OWN_FETCH, DATA_READ_BACK, &fetch);
    if (rc != TOOL_DONE)
        return rc;
    result = channel_read(o->c, &o->buffer, m.address, m.token, n);
    if (result != CHANNEL_OK)
        return fail(o, DATA_READ_BACK, result);
    rc = compare(o, DATA_READ_BACK, o->buffer.p, n, 0);
    if (rc != TOOL_DONE)
        return rc;
    result = send_message(o, OWN_DONE, 0, 0, DATA_READ_BACK);
    return result == CHANNEL_OK ? TOOL_DONE : fail(o, DATA_READ_BACK, result);
}

static int open_buffer(struct own *o)
{
    NTSTATUS status = ndk_memory_open(o->c->host, &o->buffer, (size_t)o->h->size,
        NDK_MR_FLAG_ALLOW_REMOTE_READ | NDK_MR_FLAG_ALLOW_REMOTE_WRITE);

    if (NT_SUCCESS(status))
        return TOOL_DONE;
    return tool_fail(TOOL_FAILED, "there is no memory for a buffer of %llu octets: %s",
        (unsigned long long)o->h->size, SoftNdkStatusName(status));
}

int own_client(struct channel *c, const struct ping_options *options, const struct own_hello *h,
    struct ping_report *r)
{
    struct own o = {.c = c, .h = h, .r = r};
    int rc = open_buffer(&o);

    for (; rc == TOOL_DONE && o.ping < options->count; o.ping++) {
        uint64_t began = tool_now_ns();

        if (o.ping > 0 && tool_is_interrupted())
            break;
        rc = client_ping(&o);
        if (rc != TOOL_DONE)
            break;
        ping_done(r, h->size, began);
        if (o.ping + 1 < options->count && !ping_pause(options, began))
            break;
    }
    if (rc == TOOL_DONE && channel_drain(c) != CHANNEL_OK)
        rc = ping_fail(r, "the end", channel_words(c, CHANNEL_BROKEN));
    ndk_link_disconnect(&c->link);
    ndk_memory_close(&o.buffer);
    return rc;
}

/* ---- Server ---- */

static int server_answers(struct own *o)
{
    for (uint64_t chunk = 0; chunk < chunk_count(o); chunk++) {
        enum channel_result result;
        unsigned slot;
        int rc = receive_chunk(o, DATA_SEND, chunk, o->ping > 0 && chunk == 0, &slot);

        if (rc != TOOL_DONE)
            return rc;
        result = channel_repost(o->c, slot);
        if (result == CHANNEL_OK)
            result = send_chunk(o, DATA_ANSWER, chunk);
        if (result != CHANNEL_OK)
            return fail(o, DATA_ANSWER, result);
    }
    return TOOL_DONE;
}

/* 0; -1: the client has ended, or the user, before the ping began; or an exit status. */
static int server_ping(struct own *o)
{
    size_t n = (size_t)o->h->size;
    struct own_message m = {.token = 0}, other;
    enum channel_result result;
    int rc = server_answers(o);

    if (rc == TOOL_DONE)
        rc = expect_message(o, OWN_OFFER, DATA_READ, &m);
    if (rc != TOOL_DONE)
        return rc;
    result = channel_read(o->c, &o->buffer, m.address, m.token, n);
    if (result != CHANNEL_OK)
        return fail(o, DATA_READ, result);
    rc = compare(o, DATA_READ, o->buffer.p, n, 0);
    if (rc != TOOL_DONE)
        return rc;
    verify_fill(o->buffer.p, n, data_seed(o, DATA_WRITE), 0);
    result = channel_write(o->c, &o->buffer, m.address, m.token, n);
    if (result == CHANNEL_OK)
        result = send_message(
            o, OWN_WRITTEN, ndk_memory_address(&o->buffer, 0), o->buffer.remote, DATA_WRITE);
    if (result != CHANNEL_OK)
        return fail(o, DATA_WRITE, result);
    rc = expect_message(o, OWN_CHECK, DATA_WRITE_BACK, &other);
    if (rc == TOOL_DONE)
        rc = compare(o, DATA_WRITE_BACK, o->buffer.p, n, 0);
    if (rc != TOOL_DONE)
        return rc;
    verify_fill(o->buffer.p, n, data_seed(o, DATA_READ_BACK), 0);
    result = send_message(o, OWN_FETCH, 0, 0, DATA_READ_BACK);
    if (result != CHANNEL_OK)
        return fail(o, DATA_READ_BACK, result);
    return expect_message(o, OWN_DONE, DATA_READ_BACK, &other);
}

int own_server(struct channel *c, const struct own_hello *h, struct ping_report *r)
{
    struct own o = {.c = c, .h = h, .r = r};
    int rc = open_buffer(&o);

    for (; rc == TOOL_DONE; o.ping++) {
        uint64_t began = tool_now_ns();

        rc = server_ping(&o);
        if (rc == TOOL_DONE)
            ping_done(r, h->size, began);
    }
    ndk_link_disconnect(&c->link);
    ndk_link_close(&c->link);
    ndk_memory_close(&o.buffer);
    return rc < 0 ? TOOL_DONE : rc;
}
