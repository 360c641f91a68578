/* SPDX-License-Identifier: MIT */
#include "support/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/octets.h"

enum { PIECES = 1024, PIECE_MAX = 65536, HELD_MAX = 1 << 20 };

struct piece {
    uint64_t due_ms;
    size_t n, off;
    uint8_t *p;
};

/* One way of a connection: pieces read and not yet passed on, oldest first. */
struct way {
    int from, to;
    int64_t read; /* octets so far */
    struct piece piece[PIECES];
    unsigned first, count;
    size_t held;
    bool is_fin_read, is_fin_sent;
};

struct proxy {
    struct proxy_rules rules;
    uint16_t port, to;
    int listener, stop;
    uint64_t random;
    atomic_ullong passed[PROXY_WAYS];
    pthread_t thread;
};

struct proxy_rules proxy_rules(void)
{
    return (struct proxy_rules){
        .reset_at = {-1, -1}, .silent_at = {-1, -1}, .flip_at = {-1, -1}, .seed = 1};
}

static void must(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "proxy: %s: %s\n", what, strerror(errno));
    abort();
}

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static void close_reset(int fd)
{
    const struct linger now = {.l_onoff = 1};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
}

static void prepare(int fd)
{
    const int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    must(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
}

/* ---- one way ---- */

static size_t piece_size(struct proxy *x)
{
    return x->rules.chunk == 0 ? PIECE_MAX : 1 + random_next(&x->random) % x->rules.chunk;
}

static bool has_room(const struct way *w)
{
    return !w->is_fin_read && w->count < PIECES && w->held < HELD_MAX;
}

/* Applies what the rules say about the octets [w->read, w->read + n). Returns how many of them
 * may pass; fewer than n: then comes the end. */
static size_t judge(struct proxy *x, enum proxy_way way, const struct way *w, uint8_t *p, size_t n)
{
    const int64_t ends[2] = {x->rules.reset_at[way], x->rules.silent_at[way]};
    int64_t flip = x->rules.flip_at[way];

    if (flip >= w->read && flip < w->read + (int64_t)n)
        p[flip - w->read] ^= (uint8_t)(1u << (random_next(&x->random) & 7));
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= 0 && ends[i] - w->read < (int64_t)n)
            n = (size_t)(ends[i] - w->read);
    }
    return n;
}

/* False: the connection broke. */
static bool take(struct proxy *x, enum proxy_way way, struct way *w)
{
    struct piece *piece = &w->piece[(w->first + w->count) % PIECES];
    size_t want = piece_size(x);
    uint8_t *p = malloc(want);
    ssize_t n;

    must(p != NULL, "malloc");
    n = recv(w->from, p, want, 0);
    if (n <= 0) {
        free(p);
        w->is_fin_read = n == 0;
        return n == 0 || errno == EAGAIN;
    }
    *piece = (struct piece){.p = p, .due_ms = now_ms() + x->rules.delay_ms};
    if (x->rules.jitter_ms > 0)
        piece->due_ms += random_next(&x->random) % x->rules.jitter_ms;
    piece->n = judge(x, way, w, p, (size_t)n);
    w->read += n;
    w->held += piece->n;
    w->count++;
    return true;
}

static bool is_due(const struct way *w)
{
    return w->count > 0 && w->piece[w->first].due_ms <= now_ms();
}

static bool pass_on(struct proxy *x, enum proxy_way way, struct way *w)
{
    while (is_due(w)) {
        struct piece *piece = &w->piece[w->first];
        ssize_t n = 0;

        if (piece->off < piece->n)
            n = send(w->to, piece->p + piece->off, piece->n - piece->off, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN;
        piece->off += (size_t)n;
        w->held -= (size_t)n;
        atomic_fetch_add(&x->passed[way], (unsigned long long)n);
        if (piece->off < piece->n)
            return true;
        free(piece->p);
        w->first = (w->first + 1) % PIECES;
        w->count--;
    }
    if (w->is_fin_read && w->count == 0 && !w->is_fin_sent) {
        shutdown(w->to, SHUT_WR);
        w->is_fin_sent = true;
    }
    return true;
}

/* The octet was reached and all before it has passed. */
static bool is_reached(const struct way *w, int64_t at)
{
    return at >= 0 && w->read >= at && w->held == 0;
}

/* ---- one connection ---- */

/* Until the next piece is due; those that are due wait for room, not for time. */
static int timeout_of(const struct way *w)
{
    uint64_t now = now_ms(), due = UINT64_MAX;

    for (int i = 0; i < PROXY_WAYS; i++) {
        if (w[i].count > 0 && w[i].piece[w[i].first].due_ms < due && !is_due(&w[i]))
            due = w[i].piece[w[i].first].due_ms;
    }
    if (due == UINT64_MAX)
        return -1;
    return due > now ? (int)(due - now) : 0;
}

/* Waits until there is something to do. False: the proxy is to stop. */
static bool wait_for(struct proxy *x, const struct way *w, bool is_silent)
{
    struct pollfd p[3] = {{.fd = x->stop, .events = POLLIN}};

    for (int i = 0; i < PROXY_WAYS && !is_silent; i++) {
        p[1 + i].fd = w[i].from; /* is also where the other way goes to */
        p[1 + i].events = has_room(&w[i]) ? POLLIN : 0;
        if (is_due(&w[!i]))
            p[1 + i].events |= POLLOUT;
    }
    if (is_silent)
        p[1].fd = p[2].fd = -1;
    (void)poll(p, 3, is_silent ? -1 : timeout_of(w));
    return p[0].revents == 0;
}

static void relay(struct proxy *x, int fds[2])
{
    struct way *w = calloc(PROXY_WAYS, sizeof(*w));
    bool is_silent = false, is_broken = false;

    must(w != NULL, "calloc");
    for (int i = 0; i < PROXY_WAYS; i++) {
        prepare(fds[i]);
        w[i].from = fds[i];
        w[i].to = fds[!i];
    }
    while (!is_broken && !(w[0].is_fin_sent && w[1].is_fin_sent)) {
        for (int i = 0; i < PROXY_WAYS; i++)
            is_broken = is_broken || is_reached(&w[i], x->rules.reset_at[i]);
        if (is_broken)
            break;
        is_broken = !wait_for(x, w, is_silent);
        for (int i = 0; i < PROXY_WAYS && !is_silent && !is_broken; i++) {
            if (has_room(&w[i]) && !take(x, (enum proxy_way)i, &w[i]))
                is_broken = true;
            else if (!pass_on(x, (enum proxy_way)i, &w[i]))
                is_broken = true;
            is_silent = is_silent || is_reached(&w[i], x->rules.silent_at[i]);
        }
    }
    for (int i = 0; i < PROXY_WAYS; i++) {
        if (is_broken)
            close_reset(fds[i]);
        else
            close(fds[i]);
        for (; w[i].count > 0; w[i].count--, w[i].first = (w[i].first + 1) % PIECES)
            free(w[i].piece[w[i].first].p);
    }
    free(w);
}

static void *run(void *arg)
{
    struct proxy *x = arg;
    struct sockaddr_in to = loopback(x->to);

    for (;;) {
        struct pollfd p[2] = {
            {.fd = x->stop, .events = POLLIN}, {.fd = x->listener, .events = POLLIN}};
        int fds[2];

        (void)poll(p, 2, -1);
        if (p[0].revents != 0)
            return NULL;
        fds[0] = accept4(x->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fds[0] < 0)
            continue;
        fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        must(fds[1] >= 0, "socket");
        if (connect(fds[1], (struct sockaddr *)&to, sizeof(to)) == 0) {
            relay(x, fds);
        } else {
            close_reset(fds[0]);
            close(fds[1]);
        }
    }
}

struct proxy *proxy_open(uint16_t to, const struct proxy_rules *rules)
{
    struct proxy *x = calloc(1, sizeof(*x));
    struct sockaddr_in at = loopback(0);
    socklen_t len = sizeof(at);

    must(x != NULL, "calloc");
    x->rules = *rules;
    x->random = rules->seed;
    x->to = to;
    x->stop = eventfd(0, EFD_CLOEXEC);
    x->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    must(x->stop >= 0 && x->listener >= 0, "socket");
    must(bind(x->listener, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(x->listener, 16) == 0,
        "listen");
    must(getsockname(x->listener, (struct sockaddr *)&at, &len) == 0, "getsockname");
    x->port = ntohs(at.sin_port);
    must(pthread_create(&x->thread, NULL, run, x) == 0, "pthread_create");
    return x;
}

uint16_t proxy_port(const struct proxy *x)
{
    return x->port;
}

uint64_t proxy_passed(const struct proxy *x, enum proxy_way way)
{
    return atomic_load(&((struct proxy *)(uintptr_t)x)->passed[way]);
}

void proxy_close(struct proxy *x)
{
    const uint64_t one = 1;

    must(write(x->stop, &one, sizeof(one)) == sizeof(one), "write");
    pthread_join(x->thread, NULL);
    close(x->listener);
    close(x->stop);
    free(x);
}
