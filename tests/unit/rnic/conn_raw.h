/* SPDX-License-Identifier: MIT */
/* A peer that is no adapter: a simulated host whose one connection the test writes and reads octet
 * by octet. */
#ifndef SN_TESTS_UNIT_RNIC_CONN_RAW_H
#define SN_TESTS_UNIT_RNIC_CONN_RAW_H

#include "conn_pair.h"
#include "support/golden.h"

struct raw {
    struct pair *pair;
    struct plat *plat;
    struct plat_lane *lane;
    struct plat_addr addr;
    struct plat_pipe *pipe;
    struct plat_listener *listener;
    unsigned accepted; /* connections that came in; the last one is pipe */
    bool is_connected, is_over, is_reset;
    enum sn_status connect_status;
    uint8_t rx[4096];
    size_t rx_len;
};

static inline void raw_on_connected(void *ctx, enum sn_status status)
{
    struct raw *r = ctx;

    r->is_connected = true;
    r->connect_status = status;
}

static inline void raw_on_readable(void *ctx)
{
    struct raw *r = ctx;
    const struct sn_span to = {r->rx + r->rx_len, sizeof r->rx - r->rx_len};
    size_t got;

    switch (plat_pipe_readv(r->pipe, &to, 1, &got)) {
    case PLAT_IO_OK:
        r->rx_len += got;
        break;
    case PLAT_IO_AGAIN:
        break;
    case PLAT_IO_ERROR:
        r->is_reset = true;
        r->is_over = true;
        plat_pipe_watch(r->pipe, false, false);
        break;
    case PLAT_IO_END:
        r->is_over = true;
        plat_pipe_watch(r->pipe, false, false);
        break;
    }
}

static const struct plat_pipe_ops raw_ops = {
    .connected = raw_on_connected,
    .readable = raw_on_readable,
};

static inline void raw_work(void *ctx)
{
    (void)ctx;
}
static const struct plat_lane_ops raw_lane_ops = {.work = raw_work};

static inline void raw_open(struct raw *r, struct pair *p)
{
    *r = (struct raw){.pair = p, .addr = {.family = 4, .ip = {10, 0, 0, 3}}};
    r->plat = sim_host_create(p->world, &r->addr, 1);
    assert_non_null(r->plat);
    assert_int_equal(plat_lane_create(r->plat, &raw_lane_ops, r, &r->lane), SN_OK);
}

static inline void raw_enter(struct raw *r)
{
    assert_true(plat_lane_enter(r->lane));
}

static inline void raw_hang_up(struct raw *r, bool is_abort)
{
    if (r->pipe == NULL)
        return;
    raw_enter(r);
    plat_pipe_close(r->pipe, is_abort);
    r->pipe = NULL;
    r->rx_len = 0; /* raw_await waits for the next one's octets */
    plat_lane_leave(r->lane);
}

/* To be called before pair_close. */
static inline void raw_close(struct raw *r)
{
    raw_hang_up(r, true);
    if (r->listener != NULL) {
        raw_enter(r);
        plat_listener_close(r->listener);
        plat_lane_leave(r->lane);
    }
    plat_lane_destroy(r->lane);
    /* What it sent still travels. */
    pass_ms(r->pair, 1);
    sim_host_destroy(r->plat);
}

static inline void raw_write(struct raw *r, const void *octets, size_t n)
{
    const struct sn_cspan from = {octets, n};
    size_t sent = 0;

    raw_enter(r);
    assert_int_equal(plat_pipe_writev(r->pipe, &from, 1, &sent), PLAT_IO_OK);
    assert_int_equal(sent, n);
    plat_lane_leave(r->lane);
}

static inline void raw_write_golden(struct raw *r, const char *name)
{
    const struct golden *g = golden_find(name);

    assert_non_null(g);
    raw_write(r, g->p, g->n);
}

static inline void raw_fin(struct raw *r)
{
    raw_enter(r);
    plat_pipe_shutdown(r->pipe);
    plat_lane_leave(r->lane);
}

/* ---- as initiator ---- */

static inline bool raw_is_connected(void *ctx)
{
    return ((struct raw *)ctx)->is_connected;
}

static inline void raw_connect(struct raw *r, const struct side *to, uint16_t port)
{
    const struct plat_addr dst = at_port(to, port);

    r->is_connected = r->is_over = r->is_reset = false;
    r->rx_len = 0;
    raw_enter(r);
    assert_int_equal(plat_connect(r->lane, &r->addr, &dst, NULL, &raw_ops, r, &r->pipe), SN_OK);
    plat_lane_leave(r->lane);
    assert_true(sim_run_until(r->pair->world, raw_is_connected, r, 100000));
}

/* ---- as responder ---- */

static inline void raw_on_accepted(void *ctx, struct plat_pipe *pipe)
{
    struct raw *r = ctx;

    if (r->pipe != NULL)
        plat_pipe_close(r->pipe, true);
    r->pipe = pipe;
    r->accepted++;
    r->rx_len = 0;
    r->is_over = r->is_reset = false;
    plat_pipe_set_ops(pipe, &raw_ops, r);
    plat_pipe_watch(pipe, true, false);
}

static const struct plat_listener_ops raw_listener_ops = {.accepted = raw_on_accepted};

static inline void raw_listen(struct raw *r, uint16_t port)
{
    struct plat_addr addr = r->addr;

    addr.port = port;
    raw_enter(r);
    assert_int_equal(plat_listen(r->lane, &addr, NULL, &raw_listener_ops, r, &r->listener), SN_OK);
    plat_lane_leave(r->lane);
}

/* The consumer of side a connects to it. */
static inline void connect_to_raw(struct side *a, const struct raw *r, uint16_t port)
{
    const struct side to = {.addr = r->addr};

    connect_to(a, &to, port);
}

/* ---- waiting ---- */

struct raw_want {
    struct raw *raw;
    size_t octets;
};
static inline bool raw_has(void *ctx)
{
    const struct raw_want *w = ctx;

    return w->raw->rx_len >= w->octets;
}
static inline void raw_await(struct raw *r, size_t octets)
{
    struct raw_want w = {r, octets};

    if (!sim_run_until(r->pair->world, raw_has, &w, 1000000))
        fail_msg("%zu octets came instead of %zu", r->rx_len, octets);
}
static inline bool raw_is_over(void *ctx)
{
    return ((struct raw *)ctx)->is_over;
}
/* Until the peer hung up. */
static inline void raw_await_over(struct raw *r)
{
    assert_true(sim_run_until(r->pair->world, raw_is_over, r, 1000000));
}

/* The start-up frame that lies first in rx. */
static inline struct mpa_frame raw_frame(struct raw *r, enum mpa_role role, size_t *len)
{
    struct mpa_frame f = {0};
    size_t need;

    assert_int_equal(mpa_frame_parse(role, r->rx, r->rx_len, &f, len, &need), MPA_PARSE_OK);
    return f;
}

#endif
