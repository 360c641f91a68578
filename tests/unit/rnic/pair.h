/* SPDX-License-Identifier: MIT */
/* Two connected queue pairs of one adapter over a real TCP connection, without connectors. */
#ifndef SN_TESTS_UNIT_RNIC_PAIR_H
#define SN_TESTS_UNIT_RNIC_PAIR_H

#include <stdlib.h>

#include "rnic/qp_lane.h"
#include "unit/rnic/fixture.h"

enum { PAIR_DEPTH = 64, PAIR_MEMORY = 1 << 20 };

struct side {
    struct rnic_cq *cq; /* of both queues */
    struct rnic_srq *srq;
    struct rnic_qp *qp;
    struct rnic_mr *mr; /* all rights over memory */
    uint8_t *memory;
    uint32_t stag;
};

struct pair {
    struct fixture f;
    struct rnic_pd *pd;
    struct side a, b; /* a is the initiator */
    struct plat_listener *listener;
    struct plat_pipe *accepted, *connected;
    struct sn_a32 ready;
};

static inline void pair_ignore(const struct rnic_cq_notify *n, enum sn_status status)
{
    (void)n;
    (void)status;
}

static inline void pair_on_accepted(void *ctx, struct plat_pipe *pipe)
{
    struct pair *p = ctx;

    p->accepted = pipe;
    sn_a32_fetch_add(&p->ready, 1);
}

static inline void pair_on_connected(void *ctx, enum sn_status status)
{
    struct pair *p = ctx;

    assert_int_equal(status, SN_OK);
    sn_a32_fetch_add(&p->ready, 1);
}

static inline void pair_on_readable(void *ctx)
{
    (void)ctx; /* nobody speaks before the gates are open */
}

static inline void side_init(struct pair *p, struct side *s, struct rnic_srq *srq)
{
    struct rnic_qp_attr attr = {
        .srq = srq,
        .context = s,
        .recv_depth = PAIR_DEPTH,
        .send_depth = PAIR_DEPTH,
        .recv_sge_max = 4,
        .send_sge_max = 4,
        .inline_max = 256,
    };

    assert_int_equal(rnic_cq_create(p->f.adapter, 4 * PAIR_DEPTH,
                         (struct rnic_cq_notify){.call = pair_ignore}, &s->cq),
        SN_OK);
    attr.recv_cq = attr.send_cq = s->cq;
    s->srq = srq;
    assert_int_equal(rnic_qp_create(p->pd, &attr, &s->qp), SN_OK);
    s->memory = calloc(1, PAIR_MEMORY);
    assert_non_null(s->memory);
    assert_int_equal(rnic_mr_create(p->pd, false, &s->mr), SN_OK);
    assert_int_equal(rnic_mr_register(s->mr, s->memory, (uintptr_t)s->memory, PAIR_MEMORY,
                         MEM_LOCAL_READ | MEM_LOCAL_WRITE | MEM_REMOTE_READ | MEM_REMOTE_WRITE),
        SN_OK);
    s->stag = rnic_mr_stag(s->mr);
}

static inline void pair_open(struct pair *p, const struct iw_mpa_result *mpa, bool b_has_srq)
{
    static const struct plat_listener_ops listener_ops = {.accepted = pair_on_accepted};
    static const struct plat_pipe_ops pipe_ops = {
        .connected = pair_on_connected,
        .readable = pair_on_readable,
    };
    const struct plat_pipe_options options = {.socket_buffer = 1 << 20};
    struct plat_addr loopback = {.family = 4, .ip = {127, 0, 0, 1}}, to;
    struct rnic_srq *srq = NULL;
    struct rnic_lane *l;

    memset(p, 0, sizeof *p);
    fixture_open(&p->f, 1);
    l = p->f.adapter->lanes[0];
    assert_int_equal(rnic_pd_create(p->f.adapter, &p->pd), SN_OK);
    if (b_has_srq)
        assert_int_equal(
            rnic_srq_create(p->pd, PAIR_DEPTH, 4, 0, (struct rnic_srq_notify){0}, &srq), SN_OK);
    side_init(p, &p->a, NULL);
    side_init(p, &p->b, srq);
    enter(l);
    assert_int_equal(
        plat_listen(l->lane, &loopback, &options, &listener_ops, p, &p->listener), SN_OK);
    plat_listener_local(p->listener, &to);
    assert_int_equal(
        plat_connect(l->lane, &loopback, &to, &options, &pipe_ops, p, &p->connected), SN_OK);
    rnic_lane_leave(l);
    await_count(&p->ready, 2);
    enter(l);
    assert_int_equal(rnic_qp_reserve(p->a.qp), SN_OK);
    assert_int_equal(rnic_qp_reserve(p->b.qp), SN_OK);
    assert_int_equal(rnic_qp_attach(p->a.qp, NULL, p->connected, true, mpa), SN_OK);
    assert_int_equal(rnic_qp_attach(p->b.qp, NULL, p->accepted, false, mpa), SN_OK);
    rnic_qp_open_gate(p->b.qp);
    rnic_qp_set_connected(p->a.qp);
    rnic_qp_open_gate(p->a.qp);
    rnic_lane_leave(l);
}

/* Default agreement: CRC, a Write as RTR, room for 16 Reads. */
static inline struct iw_mpa_result pair_mpa(void)
{
    return (struct iw_mpa_result){
        .revision = 2,
        .is_enhanced = true,
        .crc = true,
        .is_p2p = true,
        .rtr = IW_RTR_WRITE,
        .ird = 16,
        .ord = 16,
    };
}

static inline void pair_await_connected(struct pair *p)
{
    for (int i = 0; i < 10000 && sn_a32_load_acquire(&p->b.qp->state) != RNIC_QP_CONNECTED; i++)
        nap_ms(1);
    assert_int_equal(sn_a32_load_acquire(&p->b.qp->state), RNIC_QP_CONNECTED);
}

/* Everything of it but the QP. */
static inline void side_close_rest(struct side *s)
{
    close_any(rnic_cq_obj(s->cq));
    close_any(&s->mr->obj);
    if (s->srq != NULL)
        close_any(rnic_srq_obj(s->srq));
}

static inline void side_close(struct side *s)
{
    rnic_qp_unreserve(s->qp);
    close_any(&s->qp->obj);
    side_close_rest(s);
}

/* Everything but the sides. */
static inline void pair_close_rest(struct pair *p)
{
    struct rnic_lane *l = p->f.adapter->lanes[0];
    uint8_t *a = p->a.memory, *b = p->b.memory;

    enter(l);
    plat_listener_close(p->listener);
    rnic_lane_leave(l);
    close_any(&p->pd->obj);
    fixture_close(&p->f);
    free(a);
    free(b);
}

static inline void pair_close(struct pair *p)
{
    side_close(&p->a);
    side_close(&p->b);
    pair_close_rest(p);
}

static inline struct iw_sge sge(const struct side *s, uint32_t at, uint32_t len)
{
    return (struct iw_sge){.addr = (uintptr_t)s->memory + at, .len = len, .stag = s->stag};
}

/* The next completion of this side; fails the test after ten seconds. */
static inline struct rnic_cqe next(struct side *s)
{
    struct rnic_cqe e;

    for (int i = 0; i < 10000; i++) {
        if (rnic_cq_poll(s->cq, &e, 1) == 1)
            return e;
        nap_ms(i < 100 ? 0 : 1);
    }
    fail_msg("no completion");
    return (struct rnic_cqe){0};
}

static inline void expect(struct side *s, uintptr_t context, enum sn_status status)
{
    struct rnic_cqe e = next(s);

    assert_int_equal((uintptr_t)e.context, context);
    assert_string_equal(sn_status_name((enum sn_status)e.status), sn_status_name(status));
    assert_ptr_equal(e.qp_context, s);
}

static inline void expect_nothing(struct side *s)
{
    struct rnic_cqe e;

    nap_ms(20);
    assert_int_equal(rnic_cq_poll(s->cq, &e, 1), 0);
}

#endif
