/* SPDX-License-Identifier: MIT */
/* Two simulated hosts with a lane each, and a connection between them. */
#ifndef TESTS_UNIT_PLAT_SIM_RIG_H
#define TESTS_UNIT_PLAT_SIM_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "plat/sim/sim_impl.h"

enum { RIG_STEPS_MAX = 200000 };

static const struct plat_addr rig_addr[2] = {
    {.family = 4, .ip = {10, 0, 0, 1}}, {.family = 4, .ip = {10, 0, 0, 2}}};

/* One end of a connection: reads all it can, writes `to_send` octets of a known sequence. */
struct rig_end {
    struct plat_pipe *pipe;
    unsigned connected_count, readable_count;
    enum sn_status status; /* of connected */
    size_t got, sent, to_send;
    bool is_stream_right; /* what was read is the sequence of the peer */
    bool saw_end, saw_error;
    bool shuts_down; /* after the last octet */
};

struct rig {
    struct sim_world *world;
    struct plat *host[2];
    struct plat_lane *lane[2];
    struct plat_listener *listener; /* on host 1 */
    struct plat_addr addr;
    struct rig_end end[2];
    unsigned accepted_count;
    unsigned works;
};

static inline uint8_t rig_octet(size_t offset)
{
    return (uint8_t)(offset * 7 + offset / 256);
}

static inline void rig_work(void *ctx)
{
    ((struct rig *)ctx)->works++;
}
static const struct plat_lane_ops rig_lane_ops = {rig_work};

/* Steps until the lane is free, then enters. */
static inline void rig_enter(struct plat_lane *lane)
{
    struct sim_world *w = sim_host_of(lane->plat)->world;

    for (int i = 0; i < RIG_STEPS_MAX; i++) {
        if (plat_lane_enter(lane))
            return;
        sim_step(w);
    }
    fail_msg("the lane stays taken");
}

static inline void rig_send(struct rig_end *e)
{
    uint8_t block[4096];

    while (e->sent < e->to_send) {
        size_t want = e->to_send - e->sent, n;
        struct sn_cspan v[2];

        if (want > sizeof(block))
            want = sizeof(block);
        for (size_t i = 0; i < want; i++)
            block[i] = rig_octet(e->sent + i);
        v[0] = (struct sn_cspan){block, want / 3};
        v[1] = (struct sn_cspan){block + want / 3, want - want / 3};
        if (plat_pipe_writev(e->pipe, v, 2, &n) != PLAT_IO_OK)
            break;
        e->sent += n;
    }
    plat_pipe_watch(e->pipe, !e->saw_end && !e->saw_error,
        e->sent < e->to_send && plat_pipe_error(e->pipe) == SN_OK);
    if (e->shuts_down && e->sent == e->to_send)
        plat_pipe_shutdown(e->pipe);
}

static inline void rig_connected(void *ctx, enum sn_status status)
{
    struct rig_end *e = ctx;

    assert_ptr_equal(plat_lane_current(), e->pipe->lane);
    e->connected_count++;
    e->status = status;
    e->is_stream_right = true;
    if (status == SN_OK)
        rig_send(e);
}

static inline void rig_readable(void *ctx)
{
    struct rig_end *e = ctx;
    uint8_t a[100], b[1000];
    const struct sn_span v[2] = {{a, sizeof(a)}, {b, sizeof(b)}};
    size_t n;

    assert_ptr_equal(plat_lane_current(), e->pipe->lane);
    e->readable_count++;
    switch (plat_pipe_readv(e->pipe, v, 2, &n)) {
    case PLAT_IO_OK:
        for (size_t i = 0; i < n; i++) {
            uint8_t octet = i < sizeof(a) ? a[i] : b[i - sizeof(a)];

            if (octet != rig_octet(e->got + i))
                e->is_stream_right = false;
        }
        e->got += n;
        break;
    case PLAT_IO_AGAIN:
        assert_int_equal(n, 0);
        break;
    case PLAT_IO_END:
        e->saw_end = true;
        break;
    case PLAT_IO_ERROR:
        e->saw_error = true;
        break;
    }
    if (e->saw_end || e->saw_error)
        plat_pipe_watch(e->pipe, false, e->sent < e->to_send && !e->saw_error);
}

static inline void rig_writable(void *ctx)
{
    rig_send(ctx);
}

static const struct plat_pipe_ops rig_pipe_ops = {rig_connected, rig_readable, rig_writable};

static inline void rig_accepted(void *ctx, struct plat_pipe *pipe)
{
    struct rig *r = ctx;
    struct rig_end *e = &r->end[1];

    r->accepted_count++;
    assert_ptr_equal(plat_lane_current(), r->lane[1]);
    if (e->pipe != NULL) {
        plat_pipe_close(pipe, true);
        return;
    }
    e->pipe = pipe;
    e->is_stream_right = true;
    plat_pipe_set_ops(pipe, &rig_pipe_ops, e);
    plat_pipe_watch(pipe, true, false);
    rig_send(e);
}
static const struct plat_listener_ops rig_listener_ops = {rig_accepted};

static inline void rig_open(struct rig *r, uint64_t seed, const struct sim_faults *faults)
{
    memset(r, 0, sizeof(*r));
    r->world = sim_world_create(seed, faults);
    assert_non_null(r->world);
    for (int i = 0; i < 2; i++) {
        r->host[i] = sim_host_create(r->world, &rig_addr[i], 1);
        assert_non_null(r->host[i]);
        assert_int_equal(plat_lane_create(r->host[i], &rig_lane_ops, r, &r->lane[i]), SN_OK);
    }
}

static inline void rig_listen(struct rig *r, uint16_t port)
{
    struct plat_addr at = rig_addr[1];

    at.port = port;
    rig_enter(r->lane[1]);
    assert_int_equal(plat_listen(r->lane[1], &at, NULL, &rig_listener_ops, r, &r->listener), SN_OK);
    plat_listener_local(r->listener, &r->addr);
    plat_lane_leave(r->lane[1]);
}

static inline enum sn_status rig_try_connect(
    struct rig *r, const struct plat_addr *src, const struct plat_addr *dst)
{
    enum sn_status status;

    rig_enter(r->lane[0]);
    status = plat_connect(r->lane[0], src, dst, NULL, &rig_pipe_ops, &r->end[0], &r->end[0].pipe);
    assert_int_equal(r->end[0].connected_count, 0);
    plat_lane_leave(r->lane[0]);
    return status;
}

static inline bool rig_has_answer(void *ctx)
{
    return ((struct rig *)ctx)->end[0].connected_count > 0;
}
static inline bool rig_is_connected(void *ctx)
{
    struct rig *r = ctx;

    return rig_has_answer(r) && r->end[1].pipe != NULL;
}

static inline void rig_connect(struct rig *r)
{
    assert_int_equal(rig_try_connect(r, &rig_addr[0], &r->addr), SN_OK);
    assert_true(sim_run_until(r->world, rig_is_connected, r, RIG_STEPS_MAX));
    assert_int_equal(r->end[0].status, SN_OK);
}

static inline void rig_close_end(struct rig *r, int i, bool is_abort)
{
    if (r->end[i].pipe == NULL)
        return;
    rig_enter(r->lane[i]);
    plat_pipe_close(r->end[i].pipe, is_abort);
    r->end[i].pipe = NULL;
    plat_lane_leave(r->lane[i]);
}

static inline void rig_close_listener(struct rig *r)
{
    if (r->listener == NULL)
        return;
    rig_enter(r->lane[1]);
    plat_listener_close(r->listener);
    r->listener = NULL;
    plat_lane_leave(r->lane[1]);
}

static inline void rig_close(struct rig *r)
{
    for (int i = 0; i < 2; i++)
        rig_close_end(r, i, true);
    rig_close_listener(r);
    for (int i = 0; i < 2; i++) {
        plat_lane_destroy(r->lane[i]);
        sim_host_destroy(r->host[i]);
    }
    sim_world_destroy(r->world);
    assert_int_equal(sn_alloc_live_count(), 0);
}

static inline int rig_setup(void **state)
{
    static struct rig r;

    rig_open(&r, 1, NULL);
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
