/* SPDX-License-Identifier: MIT */
/*
 * A consumer that polls on a thread of its own and posts a receive the moment that it sees one
 * complete: qp_lane.c is compiled in here with a hook where it pushes completions. From there on
 * the completion can be seen, so there must be room in the queue. [NDKPI completion-handling]
 */
#include "unit/rnic/pair.h"

static struct sn_aptr quick; /* struct side: the consumer that posts again at once */
static struct sn_a32 reposted;

static void push_and_post_again(
    struct rnic_cq *cq, struct rnic_lane *lane, const struct rnic_cqe *e, bool is_solicited)
{
    struct side *consumer = sn_aptr_load_acquire(&quick);

    rnic_cq_push(cq, lane, e, is_solicited);
    if (consumer != NULL && e->op == RNIC_CQE_RECEIVE && e->qp_context == consumer) {
        const struct iw_sge s = sge(consumer, 0, 64);

        if (rnic_qp_receive(consumer->qp, e->context, &s, 1) == SN_OK)
            sn_a32_fetch_add(&reposted, 1);
    }
}

#define rnic_cq_push push_and_post_again
#include "rnic/qp_lane.c"
#undef rnic_cq_push

enum { MESSAGES = 3 * PAIR_DEPTH };

/* The queue is full all the time: each completion makes room for one, and each receive that is
 * posted in its place is used in its turn. */
static void a_receive_may_be_posted_as_soon_as_one_completes(void **state)
{
    const struct iw_mpa_result mpa = pair_mpa();
    struct iw_sge s;
    struct pair p;

    (void)state;
    pair_open(&p, &mpa, false);
    for (uintptr_t i = 0; i < PAIR_DEPTH; i++) {
        s = sge(&p.b, 0, 64);
        assert_int_equal(rnic_qp_receive(p.b.qp, (void *)(i + 1), &s, 1), SN_OK);
    }
    assert_int_equal(rnic_qp_receive(p.b.qp, NULL, &s, 1), SN_QUEUE_FULL);
    sn_aptr_store_release(&quick, &p.b);
    for (uintptr_t i = 0; i < MESSAGES; i++) {
        struct rnic_cqe e;

        s = sge(&p.a, 0, 8);
        assert_int_equal(rnic_qp_send(p.a.qp, (void *)(i + 1), &s, 1, 0, 0), SN_OK);
        expect(&p.a, i + 1, SN_OK);
        e = next(&p.b);
        assert_int_equal(e.status, SN_OK);
        assert_int_equal((uintptr_t)e.context, i % PAIR_DEPTH + 1);
        assert_int_equal(e.len, 8);
    }
    await_count(&reposted, MESSAGES); /* each found room */
    sn_aptr_store_release(&quick, NULL);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receive_may_be_posted_as_soon_as_one_completes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
