/* SPDX-License-Identifier: MIT */
/* Sockets of the raw peer, and what it expects of the other side. */
#include "support/raw_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { RX_MAX = 256 * 1024, BREATH_NS = 200 * 1000 };

struct raw_listener {
    int fd;
    struct raw_tcp tcp;
};

struct raw_peer {
    int fd;
    bool crc, markers_tx, markers_rx;
    uint64_t pos_tx, pos_rx;
    uint8_t sent_flags, got_flags; /* of the start-up frames */
    size_t piece;                  /* raw_split */
    bool is_corked;
    uint8_t *cork;
    size_t cork_n;
    uint8_t *rx; /* RX_MAX octets, read but not yet taken: [rx_at, rx_n) */
    size_t rx_at, rx_n;
    uint8_t fpdu[RAW_FPDU_MAX];    /* the last one received, without markers */
    uint8_t covered[RAW_FPDU_MAX]; /* what its CRC covers, and the CRC */
};

#define FAIL_HERE(...) fail_at(__FILE__, __LINE__, __VA_ARGS__)

static void fail_at(const char *file, int line, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    print_error("raw peer: %s\n", text);
    _fail(file, line);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* False when `deadline` passed first. */
static bool wait_readable(int fd, int64_t deadline)
{
    for (;;) {
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        int64_t left = deadline - now_ms();
        int ready = poll(&pfd, 1, left > 0 ? (int)left : 0);

        if (ready > 0)
            return true;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

/* ---- connections ---- */

static socklen_t address_of(const char *host, uint16_t port, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        return sizeof(*v4);
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
        FAIL_HERE("%s is no address", host);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    return sizeof(*v6);
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof(a);

    if (getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        return 0;
    if (a.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&a)->sin_port);
    return ntohs(((struct sockaddr_in6 *)&a)->sin6_port);
}

/* Both must be there before the connection is, to count in its handshake. */
static int socket_of(int family, const struct raw_tcp *tcp)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        FAIL_HERE("socket: %s", strerror(errno));
    if (tcp != NULL && tcp->mss > 0)
        setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &tcp->mss, sizeof(tcp->mss));
    if (tcp != NULL && tcp->rcvbuf > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &tcp->rcvbuf, sizeof(tcp->rcvbuf));
    return fd;
}

static struct raw_peer *peer_of(int fd)
{
    struct raw_peer *p = calloc(1, sizeof(*p));
    struct timeval limit = {.tv_sec = RAW_WAIT_MS / 1000};
    int on = 1;

    if (p == NULL || (p->rx = malloc(RX_MAX)) == NULL)
        abort();
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    p->fd = fd;
    return p;
}

struct raw_peer *raw_connect(const char *host, uint16_t port, const struct raw_tcp *tcp)
{
    struct sockaddr_storage a;
    socklen_t n = address_of(host, port, &a);
    int fd = socket_of(a.ss_family, tcp);

    if (connect(fd, (struct sockaddr *)&a, n) != 0) {
        close(fd);
        FAIL_HERE("connect to %s port %u: %s", host, port, strerror(errno));
    }
    return peer_of(fd);
}

void raw_expect_refused(const char *host, uint16_t port)
{
    struct sockaddr_storage a;
    socklen_t n = address_of(host, port, &a);
    int fd = socket_of(a.ss_family, NULL);
    int result = connect(fd, (struct sockaddr *)&a, n);
    int error = errno;

    close(fd);
    if (result == 0 || error != ECONNREFUSED)
        FAIL_HERE("%s port %u does not refuse", host, port);
}

struct raw_listener *raw_listen(const char *host, const struct raw_tcp *tcp)
{
    struct raw_listener *l = calloc(1, sizeof(*l));
    struct sockaddr_storage a;
    socklen_t n = address_of(host, 0, &a);

    if (l == NULL)
        abort();
    l->fd = socket_of(a.ss_family, tcp);
    if (bind(l->fd, (struct sockaddr *)&a, n) != 0 || listen(l->fd, 64) != 0)
        FAIL_HERE("listen at %s: %s", host, strerror(errno));
    return l;
}

uint16_t raw_listener_port(const struct raw_listener *l)
{
    return port_of(l->fd);
}

struct raw_peer *raw_accept(struct raw_listener *l)
{
    int fd;

    if (!wait_readable(l->fd, now_ms() + RAW_WAIT_MS))
        FAIL_HERE("nobody connected");
    fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        FAIL_HERE("accept: %s", strerror(errno));
    return peer_of(fd);
}

void raw_expect_no_connection(struct raw_listener *l)
{
    if (wait_readable(l->fd, now_ms() + RAW_SILENCE_MS))
        FAIL_HERE("somebody connected");
}

void raw_listener_close(struct raw_listener *l)
{
    if (l == NULL)
        return;
    close(l->fd);
    free(l);
}

void raw_close(struct raw_peer *p)
{
    if (p == NULL)
        return;
    close(p->fd);
    free(p->cork);
    free(p->rx);
    free(p);
}

void raw_reset(struct raw_peer *p)
{
    struct linger hard = {.l_onoff = 1};

    setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    raw_close(p);
}

void raw_half_close(struct raw_peer *p)
{
    shutdown(p->fd, SHUT_WR);
}

uint16_t raw_local_port(const struct raw_peer *p)
{
    return port_of(p->fd);
}

/* ---- sending ---- */

static bool send_all(struct raw_peer *p, const uint8_t *octets, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(p->fd, octets, n, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        octets += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool send_pieces(struct raw_peer *p, const uint8_t *octets, size_t n, size_t piece)
{
    while (n > 0) {
        size_t now = piece > 0 && piece < n ? piece : n;
        struct timespec breath = {.tv_nsec = BREATH_NS};

        if (!send_all(p, octets, now))
            return false;
        octets += now;
        n -= now;
        if (n > 0)
            nanosleep(&breath, NULL);
    }
    return true;
}

bool raw_octets_lax(struct raw_peer *p, const void *octets, size_t n)
{
    uint8_t *grown;

    if (!p->is_corked)
        return send_pieces(p, octets, n, p->piece);
    grown = realloc(p->cork, p->cork_n + n + 1);
    if (grown == NULL)
        abort();
    memcpy(grown + p->cork_n, octets, n);
    p->cork = grown;
    p->cork_n += n;
    return true;
}

void raw_octets(struct raw_peer *p, const void *octets, size_t n)
{
    if (!raw_octets_lax(p, octets, n))
        FAIL_HERE("send of %zu octets: %s", n, strerror(errno));
}

void raw_octets_split(struct raw_peer *p, const void *octets, size_t n, size_t piece)
{
    if (!send_pieces(p, octets, n, piece))
        FAIL_HERE("send of %zu octets: %s", n, strerror(errno));
}

void raw_cork(struct raw_peer *p)
{
    p->is_corked = true;
}

void raw_flush(struct raw_peer *p)
{
    p->is_corked = false;
    raw_octets(p, p->cork, p->cork_n);
    p->cork_n = 0;
}

void raw_split(struct raw_peer *p, size_t piece)
{
    p->piece = piece;
}

bool raw_put_lax(struct raw_peer *p, const struct raw_fpdu *f)
{
    uint8_t *octets = malloc(RAW_FPDU_MAX);
    size_t n;
    bool is_sent;

    if (octets == NULL)
        abort();
    n = raw_fpdu_octets(f, p->crc, p->markers_tx, &p->pos_tx, octets);
    is_sent = raw_octets_lax(p, octets, n);
    free(octets);
    return is_sent;
}

void raw_put(struct raw_peer *p, const struct raw_fpdu *f)
{
    if (!raw_put_lax(p, f))
        FAIL_HERE("send of an FPDU: %s", strerror(errno));
}

void raw_put_message(struct raw_peer *p, const struct raw_fpdu *f, size_t part)
{
    const uint8_t *payload = f->payload;
    size_t at = 0;

    do {
        struct raw_fpdu segment = *f;
        size_t n = f->len - at < part ? f->len - at : part;
        bool is_last = at + n == f->len;

        segment.payload = payload + at;
        segment.len = n;
        segment.to += at;
        segment.mo += (uint32_t)at;
        segment.ddp = (uint8_t)(f->ddp & ~RAW_LAST) | (is_last ? RAW_LAST : 0);
        raw_put(p, &segment);
        at += n;
    } while (at < f->len);
}

/* ---- receiving ---- */

/* Copies the next n octets of the stream, RAW_FPDU; or says why there are not that many. */
static enum raw_event take(struct raw_peer *p, void *out, size_t n, int64_t deadline)
{
    uint8_t *to = out;
    size_t got = 0;

    while (got < n) {
        size_t have = p->rx_n - p->rx_at;
        ssize_t received;

        if (have > 0) {
            size_t now = have < n - got ? have : n - got;

            memcpy(to + got, p->rx + p->rx_at, now);
            p->rx_at += now;
            got += now;
            continue;
        }
        if (!wait_readable(p->fd, deadline))
            return RAW_SILENCE;
        received = recv(p->fd, p->rx, RX_MAX, 0);
        if (received == 0)
            return got == 0 ? RAW_FIN : RAW_BROKEN;
        if (received < 0 && errno == EINTR)
            continue;
        if (received < 0)
            return RAW_RST;
        p->rx_at = 0;
        p->rx_n = (size_t)received;
    }
    return RAW_FPDU;
}

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) << 16 | get16(p + 2);
}

static uint64_t get64(const uint8_t *p)
{
    return (uint64_t)get32(p) << 32 | get32(p + 4);
}

/* An FPDU on its way in: n octets of it without markers, covered_n with them. */
struct reader {
    struct raw_peer *p;
    struct raw_in *in;
    int64_t deadline;
    size_t n, covered_n;
};

/* FPDUs and markers are made of units of four octets. */
static enum raw_event take_unit(struct reader *r)
{
    struct raw_peer *p = r->p;
    uint8_t unit[4];
    enum raw_event event;

    if (p->markers_rx && p->pos_rx % 512 == 0) {
        event = take(p, unit, 4, r->deadline);
        if (event != RAW_FPDU)
            return r->covered_n > 0 && event == RAW_FIN ? RAW_BROKEN : event;
        if (get32(unit) != (r->n > 0 ? p->pos_rx - r->in->pos : 0))
            return RAW_BROKEN;
        memcpy(p->covered + r->covered_n, unit, 4);
        r->covered_n += 4;
        r->in->markers++;
        p->pos_rx += 4;
    }
    event = take(p, unit, 4, r->deadline);
    if (event != RAW_FPDU)
        return r->covered_n > 0 && event == RAW_FIN ? RAW_BROKEN : event;
    if (r->n == 0)
        r->in->pos = p->pos_rx;
    memcpy(p->fpdu + r->n, unit, 4);
    memcpy(p->covered + r->covered_n, unit, 4);
    r->n += 4;
    r->covered_n += 4;
    p->pos_rx += 4;
    return RAW_FPDU;
}

static enum raw_event parse(struct raw_peer *p, struct raw_in *in)
{
    const uint8_t *u = p->fpdu + 2;
    size_t header;

    if (in->ulpdu_length < 14)
        return RAW_BROKEN;
    in->ddp = u[0];
    in->rdmap = u[1];
    in->is_tagged = (u[0] & RAW_TAGGED) != 0;
    in->is_last = (u[0] & RAW_LAST) != 0;
    header = in->is_tagged ? 14 : 18;
    if (in->ulpdu_length < header)
        return RAW_BROKEN;
    if (in->is_tagged) {
        in->stag = get32(u + 2);
        in->to = get64(u + 6);
    } else {
        in->inv_stag = get32(u + 2);
        in->qn = get32(u + 6);
        in->msn = get32(u + 10);
        in->mo = get32(u + 14);
    }
    in->payload = u + header;
    in->len = in->ulpdu_length - header;
    return RAW_FPDU;
}

enum raw_event raw_get(struct raw_peer *p, struct raw_in *in, int wait_ms)
{
    struct reader r = {.p = p, .in = in, .deadline = now_ms() + wait_ms};
    enum raw_event event;
    size_t end;

    memset(in, 0, sizeof(*in));
    event = take_unit(&r);
    if (event != RAW_FPDU)
        return event;
    in->ulpdu_length = (uint16_t)get16(p->fpdu);
    end = ((size_t)2 + in->ulpdu_length + 3) / 4 * 4;
    while (r.n < end + 4) {
        event = take_unit(&r);
        if (event != RAW_FPDU)
            return event;
    }
    in->crc = (uint32_t)p->fpdu[end] | (uint32_t)p->fpdu[end + 1] << 8 |
              (uint32_t)p->fpdu[end + 2] << 16 | (uint32_t)p->fpdu[end + 3] << 24;
    in->crc_is_right = in->crc == raw_crc32c(p->covered, r.covered_n - 4);
    in->pad_is_zero = true;
    for (size_t i = (size_t)2 + in->ulpdu_length; i < end; i++)
        in->pad_is_zero = in->pad_is_zero && p->fpdu[i] == 0;
    in->octets = r.covered_n;
    return parse(p, in);
}

/* ---- start-up ---- */

void raw_set_crc(struct raw_peer *p, bool is_on)
{
    p->crc = is_on;
}

void raw_set_markers(struct raw_peer *p, bool tx, bool rx)
{
    p->markers_tx = tx;
    p->markers_rx = rx;
    p->pos_tx = 0;
    p->pos_rx = 0;
}

/* Either side's C is enough; each side's M is about what it receives. */
static void settle(struct raw_peer *p)
{
    raw_set_crc(p, ((p->sent_flags | p->got_flags) & RAW_C) != 0);
    raw_set_markers(p, (p->got_flags & RAW_M) != 0, (p->sent_flags & RAW_M) != 0);
}

void raw_put_frame(struct raw_peer *p, const struct raw_frame *f)
{
    uint8_t *octets = malloc((size_t)24 + f->private_len);

    if (octets == NULL)
        abort();
    raw_octets(p, octets, raw_frame_octets(f, octets));
    free(octets);
    p->sent_flags = f->flags;
    if (f->is_reply)
        settle(p);
}

static const char *event_name(enum raw_event event)
{
    static const char *const names[] = {
        [RAW_FPDU] = "octets",
        [RAW_FIN] = "FIN",
        [RAW_RST] = "RST",
        [RAW_SILENCE] = "silence",
        [RAW_BROKEN] = "a broken end or marker",
    };

    return names[event];
}

struct raw_frame_in raw_expect_frame_at(
    struct raw_peer *p, bool is_reply, const char *file, int line)
{
    struct raw_frame_in f = {.is_reply = is_reply};
    int64_t deadline = now_ms() + RAW_WAIT_MS;
    const char *what = is_reply ? "Reply" : "Request";
    enum raw_event event = take(p, f.octets, 20, deadline);
    size_t skip = 0;

    if (event != RAW_FPDU)
        fail_at(file, line, "expected a %s, got %s", what, event_name(event));
    if (memcmp(f.octets, is_reply ? "MPA ID Rep Frame" : "MPA ID Req Frame", 16) != 0)
        fail_at(file, line, "expected a %s, got another key", what);
    f.flags = f.octets[16];
    f.revision = f.octets[17];
    f.pd_length = (uint16_t)get16(f.octets + 18);
    if (f.pd_length > 512)
        fail_at(file, line, "PD_Length of a %s is %u", what, f.pd_length);
    event = take(p, f.octets + 20, f.pd_length, deadline);
    if (event != RAW_FPDU)
        fail_at(file, line, "the private data of a %s ends: %s", what, event_name(event));
    if ((f.flags & RAW_S) != 0 && f.pd_length >= 4) {
        f.ird = (uint16_t)get16(f.octets + 20);
        f.ord = (uint16_t)get16(f.octets + 22);
        skip = 4;
    }
    f.private_len = (uint16_t)(f.pd_length - skip);
    memcpy(f.private_data, f.octets + 20 + skip, f.private_len);
    p->got_flags = f.flags;
    if (is_reply)
        settle(p);
    return f;
}

struct raw_frame_in raw_start_at(
    struct raw_peer *p, const struct raw_frame *request, const char *file, int line)
{
    raw_put_frame(p, request);
    return raw_expect_frame_at(p, true, file, line);
}

/* ---- expectations ---- */

struct raw_in raw_expect_fpdu_at(struct raw_peer *p, const char *file, int line)
{
    struct raw_in in;
    enum raw_event event = raw_get(p, &in, RAW_WAIT_MS);

    if (event != RAW_FPDU)
        fail_at(file, line, "expected an FPDU, got %s", event_name(event));
    if (p->crc && !in.crc_is_right)
        fail_at(file, line, "the CRC is wrong: %08x (op %02x)", in.crc, in.rdmap);
    if (!in.pad_is_zero)
        fail_at(file, line, "the pad is not zero");
    if ((in.ddp & 0x3f) != 0x01 || (in.rdmap & 0xf0) != 0x40)
        fail_at(
            file, line, "versions or reserved bits: control octets %02x %02x", in.ddp, in.rdmap);
    return in;
}

static void fail_op(struct raw_in in, uint8_t op, const char *file, int line)
{
    if (in.rdmap == RAW_OP_TERMINATE && in.len >= 2)
        fail_at(file, line, "expected op %02x, got a Terminate %x/%x/%02x", op, in.payload[0] >> 4,
            in.payload[0] & 15, in.payload[1]);
    fail_at(file, line, "expected op %02x, got %02x", op, in.rdmap);
}

struct raw_in raw_expect_op_at(struct raw_peer *p, uint8_t op, const char *file, int line)
{
    struct raw_in in = raw_expect_fpdu_at(p, file, line);

    if (in.rdmap != op)
        fail_op(in, op, file, line);
    return in;
}

struct raw_in raw_expect_message_at(
    struct raw_peer *p, uint8_t op, const void *octets, size_t n, const char *file, int line)
{
    struct raw_in first = {0}, in;
    size_t at = 0;

    do {
        in = raw_expect_op_at(p, op, file, line);
        if (at == 0)
            first = in;
        if (in.len > n - at ||
            (in.len > 0 && memcmp(in.payload, (const uint8_t *)octets + at, in.len) != 0))
            fail_at(file, line, "the message differs in octets %zu to %zu", at, at + in.len);
        if (in.is_tagged ? in.stag != first.stag || in.to != first.to + at
                         : in.qn != first.qn || in.msn != first.msn || in.mo != at ||
                               in.inv_stag != first.inv_stag)
            fail_at(file, line, "the segment at octet %zu does not continue the message", at);
        if (in.len == 0 && (!in.is_last || at > 0))
            fail_at(file, line, "an empty segment inside a message");
        at += in.len;
    } while (!in.is_last);
    if (at != n)
        fail_at(file, line, "the message has %zu octets, not %zu", at, n);
    in.to = first.to;
    in.mo = first.mo;
    return in;
}

struct raw_read_in raw_expect_read_request_at(struct raw_peer *p, const char *file, int line)
{
    struct raw_in in = raw_expect_op_at(p, RAW_OP_READ_REQUEST, file, line);

    if (in.is_tagged || !in.is_last || in.qn != 1 || in.mo != 0 || in.inv_stag != 0 || in.len != 28)
        fail_at(file, line, "a Read Request that is not one: QN %u, MO %u, %zu octets", in.qn,
            in.mo, in.len);
    return (struct raw_read_in){
        .msn = in.msn,
        .sink_stag = get32(in.payload),
        .sink_to = get64(in.payload + 4),
        .size = get32(in.payload + 12),
        .src_stag = get32(in.payload + 16),
        .src_to = get64(in.payload + 20),
    };
}

struct raw_term_in raw_expect_any_terminate_at(struct raw_peer *p, const char *file, int line)
{
    struct raw_in in = raw_expect_op_at(p, RAW_OP_TERMINATE, file, line);
    struct raw_term_in t = {0};
    size_t at = 4;

    if (in.is_tagged || !in.is_last || in.qn != 2 || in.msn != 1 || in.mo != 0 || in.inv_stag != 0)
        fail_at(file, line, "a Terminate at QN %u MSN %u MO %u", in.qn, in.msn, in.mo);
    if (in.len < 4)
        fail_at(file, line, "a Terminate of %zu octets", in.len);
    t.layer = in.payload[0] >> 4;
    t.type = in.payload[0] & 15;
    t.code = in.payload[1];
    t.m = (in.payload[2] & 0x80) != 0;
    t.d = (in.payload[2] & 0x40) != 0;
    t.r = (in.payload[2] & 0x20) != 0;
    if ((in.payload[2] & 0x1f) != 0 || in.payload[3] != 0)
        fail_at(file, line, "reserved bits of a Terminate are set");
    if (t.m != t.d || (t.r && !t.d))
        fail_at(file, line, "a Terminate with M %d, D %d, R %d", t.m, t.d, t.r);
    if (t.d && in.len >= 8) {
        t.segment_length = (uint16_t)get16(in.payload + 4);
        t.ddp_header_len = (in.payload[6] & RAW_TAGGED) != 0 ? 14 : 18;
        at = 6 + t.ddp_header_len;
        if (in.len >= at)
            memcpy(t.ddp_header, in.payload + 6, t.ddp_header_len);
    }
    if (t.r && in.len >= at + 28) {
        memcpy(t.read_header, in.payload + at, 28);
        t.has_read_header = true;
    }
    if (in.len != at + (t.r ? 28u : 0))
        fail_at(
            file, line, "a Terminate of %zu octets with M %d, D %d, R %d", in.len, t.m, t.d, t.r);
    return t;
}

struct raw_term_in raw_expect_terminate_at(
    struct raw_peer *p, uint8_t layer, uint8_t type, uint8_t code, const char *file, int line)
{
    struct raw_term_in t = raw_expect_any_terminate_at(p, file, line);

    if (t.layer != layer || t.type != type || t.code != code)
        fail_at(file, line, "expected a Terminate %x/%x/%02x, got %x/%x/%02x", layer, type, code,
            t.layer, t.type, t.code);
    return t;
}

static enum raw_event next_octet(struct raw_peer *p, int wait_ms, char hex[3 * 32 + 1])
{
    uint8_t octet;
    enum raw_event event = take(p, &octet, 1, now_ms() + wait_ms);
    size_t n = 0;

    hex[0] = '\0';
    if (event != RAW_FPDU)
        return event;
    p->rx_at--; /* not taken after all */
    for (size_t i = p->rx_at; i < p->rx_n && i < p->rx_at + 32; i++)
        n += (size_t)snprintf(hex + n, 4, "%02x ", p->rx[i]);
    return event;
}

void raw_expect_fin_at(struct raw_peer *p, const char *file, int line)
{
    char hex[3 * 32 + 1];
    enum raw_event event = next_octet(p, RAW_WAIT_MS, hex);

    if (event != RAW_FIN)
        fail_at(file, line, "expected FIN, got %s %s", event_name(event), hex);
}

void raw_expect_end_at(struct raw_peer *p, const char *file, int line)
{
    char hex[3 * 32 + 1];
    enum raw_event event = next_octet(p, RAW_WAIT_MS, hex);

    if (event != RAW_FIN && event != RAW_RST)
        fail_at(file, line, "expected FIN or RST, got %s %s", event_name(event), hex);
}

void raw_expect_silence_at(struct raw_peer *p, const char *file, int line)
{
    char hex[3 * 32 + 1];
    enum raw_event event = next_octet(p, RAW_SILENCE_MS, hex);

    if (event != RAW_SILENCE)
        fail_at(file, line, "expected silence, got %s %s", event_name(event), hex);
}

void raw_expect_octets_at(
    struct raw_peer *p, const void *octets, size_t n, const char *file, int line)
{
    uint8_t *got = malloc(n > 0 ? n : 1);
    const uint8_t *want = octets;
    enum raw_event event;
    size_t at = 0;

    if (got == NULL)
        abort();
    event = take(p, got, n, now_ms() + RAW_WAIT_MS);
    while (event == RAW_FPDU && at < n && got[at] == want[at])
        at++;
    free(got);
    if (event != RAW_FPDU)
        fail_at(file, line, "expected %zu octets, got %s", n, event_name(event));
    if (at < n)
        fail_at(file, line, "octet %zu of %zu differs", at, n);
}

void raw_drain_at(struct raw_peer *p, const char *file, int line)
{
    int64_t deadline = now_ms() + RAW_WAIT_MS;
    enum raw_event event;
    uint8_t octet;

    while ((event = take(p, &octet, 1, deadline)) == RAW_FPDU)
        p->rx_at = p->rx_n;
    if (event == RAW_SILENCE)
        fail_at(file, line, "the stream does not end");
}
