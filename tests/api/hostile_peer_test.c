/* SPDX-License-Identifier: MIT */
/* Peers that choose the worst moment for what they do. */
#include <sched.h>
#include <semaphore.h>

#include "support/create.h"
#include "support/link.h"

#include "support/unit.h"

/* ---- a home thread that is busy with a callback of the consumer's ---- */

struct blocker {
    struct consumer *c;
    NDK_CQ *cq;
    NDK_QP *qp;
    sem_t is_blocked, may_go;
};

static VOID block(PVOID context, NTSTATUS status)
{
    struct blocker *b = context;

    (void)status;
    sem_post(&b->is_blocked);
    sem_wait(&b->may_go);
}

static void blocker_open(struct blocker *b, struct consumer *c)
{
    struct qp_attr attr = {.receive_depth = 1, .initiator_depth = 1, .receive_sge = 1};

    b->c = c;
    assert_int_equal(sem_init(&b->is_blocked, 0, 0), 0);
    assert_int_equal(sem_init(&b->may_go, 0, 0), 0);
    assert_ntstatus(consumer_create_cq(c, 4, block, b, &b->cq), STATUS_SUCCESS);
    attr.receive_cq = attr.initiator_cq = b->cq;
    assert_ntstatus(create_qp(c, c->pd, &attr, &b->qp), STATUS_SUCCESS);
    assert_ntstatus(b->qp->Dispatch->NdkReceive(b->qp, NULL, NULL, 0), STATUS_SUCCESS);
    b->cq->Dispatch->NdkArmCq(b->cq, NDK_CQ_NOTIFY_ANY);
    b->qp->Dispatch->NdkFlush(b->qp);
    while (sem_wait(&b->is_blocked) != 0)
        ;
}

static void blocker_close(struct blocker *b)
{
    consumer_close_object(b->c, &b->qp->Header);
    consumer_close_object(b->c, &b->cq->Header);
    sem_destroy(&b->is_blocked);
    sem_destroy(&b->may_go);
}

/* ---- ---- */

enum { READ_AT_ONCE = 256 * 1024 }; /* octets; RNIC_RX_SCRATCH */

/*
 * The initiator completes, sends, and is gone before anybody here looks, in as many octets as are
 * read at once: the accept succeeds, what was sent arrives, and then the disconnect is told.
 */
static void test_gone_before_we_look(void **state)
{
    static const struct link_how how = {.role = LINK_PASSIVE, .peer_flags = RAW_C};
    const struct raw_fpdu empty = raw_rtr_write();
    const struct raw_fpdu send = raw_send(1, NULL, 0);
    struct link k = link_begin(&how);
    struct raw_frame request = link_frame(&how);
    struct blocker b;

    (void)state;
    endpoint_receive(k.e, 1, k.r, 0, LINK_RECEIVE);
    raw_put_frame(k.p, &request);
    while (acceptor_pending(k.a) == 0)
        sched_yield();
    blocker_open(&b, k.c);
    link_accept(&k, &how);
    k.frame = raw_expect_reply(k.p);
    raw_cork(k.p);
    for (int left = READ_AT_ONCE - 24; left > 0; left -= 20)
        raw_put(k.p, &empty);
    raw_put(k.p, &send);
    raw_flush(k.p);
    raw_half_close(k.p);
    sem_post(&b.may_go);
    assert_ntstatus(endpoint_accept_wait(k.e), STATUS_SUCCESS);
    endpoint_expect_received(k.e, 1, 0);
    endpoint_wait_disconnected(k.e);
    blocker_close(&b);
    link_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gone_before_we_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
