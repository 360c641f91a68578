/* SPDX-License-Identifier: MIT */
/* Helpers of the tests on the Linux platform: entering a lane from the test, waiting for something
 * that is true inside it, a pair of connected pipes. */
#ifndef TESTS_UNIT_PLAT_LINUX_RIG_H
#define TESTS_UNIT_PLAT_LINUX_RIG_H

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "plat/linux/linux_impl.h"

enum { RIG_PATIENCE_MS = 20000 }; /* then the test has failed */

static inline void rig_work(void *ctx)
{
    (void)ctx;
}
static const struct plat_lane_ops rig_lane_ops = {rig_work};

static inline struct plat_addr rig_loopback(uint8_t family)
{
    struct plat_addr a = {.family = family};

    if (family == 4) {
        a.ip[0] = 127;
        a.ip[3] = 1;
    } else {
        a.ip[15] = 1;
    }
    return a;
}

static inline void rig_enter(struct plat_lane *lane)
{
    while (!plat_lane_enter(lane))
        sched_yield();
}

static inline void rig_nap(void)
{
    const struct timespec nap = {.tv_nsec = 200 * 1000};

    nanosleep(&nap, NULL);
}

/* Waits until cond(ctx) holds inside the lane. */
static inline void rig_until(struct plat_lane *lane, bool (*cond)(void *ctx), void *ctx)
{
    for (int i = 0; i < RIG_PATIENCE_MS * 5; i++) {
        bool holds;

        rig_enter(lane);
        holds = cond(ctx);
        plat_lane_leave(lane);
        if (holds)
            return;
        rig_nap();
    }
    fail_msg("waited in vain");
}

/* One end of a connection, and what happened to it. */
struct rig_end {
    struct plat_pipe *pipe;
    unsigned connected_count, readable_count, writable_count;
    enum sn_status status; /* of connected */
    bool keeps;            /* readable does not read */
    bool is_home_only;     /* readable asserts that it is on the home thread */
    size_t got;
    uint8_t last[64]; /* of what was read */
    bool saw_end, saw_error;
};

static inline void rig_connected(void *ctx, enum sn_status status)
{
    struct rig_end *e = ctx;

    assert_ptr_equal(plat_lane_current(), e->pipe->lane);
    e->connected_count++;
    e->status = status;
}

static inline void rig_readable(void *ctx)
{
    struct rig_end *e = ctx;
    uint8_t buffer[65536];
    const struct sn_span v = {buffer, sizeof(buffer)};
    size_t n;

    assert_ptr_equal(plat_lane_current(), e->pipe->lane);
    e->readable_count++;
    if (e->keeps) {
        plat_pipe_watch(e->pipe, false, false);
        return;
    }
    switch (plat_pipe_readv(e->pipe, &v, 1, &n)) {
    case PLAT_IO_OK:
        memcpy(e->last, buffer, n < sizeof(e->last) ? n : sizeof(e->last));
        e->got += n;
        break;
    case PLAT_IO_AGAIN:
        break;
    case PLAT_IO_END:
        e->saw_end = true;
        plat_pipe_watch(e->pipe, false, false);
        break;
    case PLAT_IO_ERROR:
        e->saw_error = true;
        plat_pipe_watch(e->pipe, false, false);
        break;
    }
}

static inline void rig_writable(void *ctx)
{
    struct rig_end *e = ctx;

    e->writable_count++;
    plat_pipe_watch(e->pipe, true, false);
}

static const struct plat_pipe_ops rig_pipe_ops = {rig_connected, rig_readable, rig_writable};

struct rig {
    struct plat *plat;
    struct plat_lane *lane;
    struct plat_listener *listener;
    struct plat_addr addr; /* of the listener */
    struct rig_end client, server;
    unsigned accepted_count;
    bool refuses; /* accepted closes the pipe */
};

static inline void rig_accepted(void *ctx, struct plat_pipe *pipe)
{
    struct rig *r = ctx;

    r->accepted_count++;
    if (r->refuses) {
        plat_pipe_close(pipe, true);
        return;
    }
    assert_null(r->server.pipe);
    r->server.pipe = pipe;
    plat_pipe_set_ops(pipe, &rig_pipe_ops, &r->server);
    plat_pipe_watch(pipe, true, false);
}

static const struct plat_listener_ops rig_listener_ops = {rig_accepted};

static inline bool rig_is_connected(void *ctx)
{
    struct rig *r = ctx;

    return r->client.connected_count > 0 && r->server.pipe != NULL;
}

static inline void rig_open(struct rig *r)
{
    memset(r, 0, sizeof(*r));
    r->plat = plat_linux_create(NULL);
    assert_non_null(r->plat);
    assert_int_equal(plat_lane_create(r->plat, &rig_lane_ops, r, &r->lane), SN_OK);
}

static inline void rig_listen(struct rig *r, uint8_t family)
{
    struct plat_addr addr = rig_loopback(family);

    rig_enter(r->lane);
    assert_int_equal(plat_listen(r->lane, &addr, NULL, &rig_listener_ops, r, &r->listener), SN_OK);
    plat_listener_local(r->listener, &r->addr);
    plat_lane_leave(r->lane);
}

static inline void rig_start_connect(struct rig *r)
{
    struct plat_addr src = rig_loopback(r->addr.family);

    rig_enter(r->lane);
    assert_int_equal(
        plat_connect(r->lane, &src, &r->addr, NULL, &rig_pipe_ops, &r->client, &r->client.pipe),
        SN_OK);
    assert_int_equal(r->client.connected_count, 0);
    plat_lane_leave(r->lane);
}

static inline void rig_connect(struct rig *r)
{
    rig_start_connect(r);
    rig_until(r->lane, rig_is_connected, r);
    assert_int_equal(r->client.status, SN_OK);
}

static inline void rig_close_end(struct rig_end *e, bool is_abort)
{
    struct plat_lane *lane;

    if (e->pipe == NULL)
        return;
    lane = e->pipe->lane;
    rig_enter(lane);
    plat_pipe_close(e->pipe, is_abort);
    e->pipe = NULL;
    plat_lane_leave(lane);
}

static inline void rig_close(struct rig *r)
{
    rig_close_end(&r->client, true);
    rig_close_end(&r->server, true);
    if (r->listener != NULL) {
        rig_enter(r->lane);
        plat_listener_close(r->listener);
        plat_lane_leave(r->lane);
    }
    plat_lane_destroy(r->lane);
    plat_linux_destroy(r->plat);
    assert_int_equal(sn_alloc_live_count(), 0);
}

static inline size_t rig_write(struct rig_end *e, const void *p, size_t n)
{
    const struct sn_cspan v = {p, n};
    size_t sent = 0;

    rig_enter(e->pipe->lane);
    assert_int_equal(plat_pipe_writev(e->pipe, &v, 1, &sent), PLAT_IO_OK);
    plat_lane_leave(e->pipe->lane);
    return sent;
}

/* A whole rig with both families in turn: the state of a cmocka test. */
static inline int rig_setup(void **state)
{
    static struct rig r;

    rig_open(&r);
    *state = &r;
    return 0;
}
static inline int rig_teardown(void **state)
{
    rig_close(*state);
    return 0;
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

#endif
