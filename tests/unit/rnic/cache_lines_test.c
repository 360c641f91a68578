/* SPDX-License-Identifier: MIT */
/*
 * No false sharing on the data path: what one party writes with every request or completion lies on
 * other cache lines than what the other party reads or writes as often. Parties are the poster of
 * requests, the poster of receives, the consumer of a completion queue, and the lane.
 *
 * The completion queue is private to cq.c, which is therefore a part of this program.
 */
#include "rnic/cq.c" /* NOLINT(bugprone-suspicious-include) */

#include "support/unit.h"

enum party { POSTER, RECEIVER, CONSUMER, LANE };

static const char *const party_names[] = {"poster", "receiver", "consumer", "lane"};

/* A member that a party uses with each request: reads, or writes as well. */
struct use {
    const char *name;
    size_t offset, size;
    enum party party;
    bool is_written;
};

#define USE(type, member, who, writes)                                                             \
    {                                                                                              \
#type "." #member, offsetof(struct type, member), sizeof(((struct type *)0)->member), who, \
            writes                                                                                 \
    }

static bool share_line(const struct use *a, const struct use *b)
{
    return a->offset / SN_CACHE_LINE <= (b->offset + b->size - 1) / SN_CACHE_LINE &&
           b->offset / SN_CACHE_LINE <= (a->offset + a->size - 1) / SN_CACHE_LINE;
}

static void check(const struct use *uses, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = i + 1; k < n; k++) {
            if (uses[i].party == uses[k].party || !(uses[i].is_written || uses[k].is_written) ||
                uses[i].offset == uses[k].offset || !share_line(&uses[i], &uses[k]))
                continue;
            fail_msg("%s (%s, at %zu) and %s (%s, at %zu) share a cache line", uses[i].name,
                party_names[uses[i].party], uses[i].offset, uses[k].name,
                party_names[uses[k].party], uses[k].offset);
        }
    }
}

static void completion_ring(void **state)
{
    static const struct use uses[] = {
        USE(cq_ring, next, CONSUMER, false),
        USE(cq_ring, is_sealed, CONSUMER, false),
        USE(cq_ring, mask, CONSUMER, false),
        USE(cq_ring, mask, LANE, false),
        USE(cq_ring, depth, LANE, false),
        USE(cq_ring, tail, LANE, true),
        USE(cq_ring, head, CONSUMER, true),
    };

    (void)state;
    check(uses, SN_ARRAY_COUNT(uses));
    assert_int_equal(offsetof(struct cq_ring, slots) % SN_CACHE_LINE, 0);
    assert_int_equal(_Alignof(struct cq_ring), SN_CACHE_LINE);
}

static void completion_queue(void **state)
{
    static const struct use uses[] = {
        USE(rnic_cq, ring, LANE, false),
        USE(rnic_cq, dead_status, LANE, false),
        USE(rnic_cq, lanes, CONSUMER, false),
        USE(rnic_cq, front, CONSUMER, true),
        USE(rnic_cq, empty_polls, CONSUMER, true),
        USE(rnic_cq, armed, LANE, false),
        USE(rnic_cq, solicited, LANE, true),
    };

    (void)state;
    check(uses, SN_ARRAY_COUNT(uses));
}

static void work_ring(void **state)
{
    static const struct use uses[] = {
        USE(iw_ring, slots, POSTER, false),
        USE(iw_ring, slots, LANE, false),
        USE(iw_ring, tail, POSTER, true),
        USE(iw_ring, head_seen, POSTER, true),
        USE(iw_ring, head, LANE, true),
    };

    (void)state;
    check(uses, SN_ARRAY_COUNT(uses));
    assert_int_equal(_Alignof(struct iw_ring), SN_CACHE_LINE);
}

static void queue_pair(void **state)
{
    static const struct use uses[] = {
        USE(rnic_qp, pd, RECEIVER, false),
        USE(rnic_qp, srq, RECEIVER, false),
        USE(rnic_qp, send_sge_max, POSTER, false),
        USE(rnic_qp, recv_sge_max, RECEIVER, false),
        USE(rnic_qp, inline_max, POSTER, false),
        USE(rnic_qp, state, POSTER, false),
        USE(rnic_qp, ord, POSTER, false),
        USE(rnic_qp, lane, POSTER, false),
        USE(rnic_qp, sq.tail, POSTER, true),
        USE(rnic_qp, sq.head_seen, POSTER, true),
        USE(rnic_qp, sq.head, LANE, true),
        USE(rnic_qp, rq.tail, RECEIVER, true),
        USE(rnic_qp, rq.head_seen, RECEIVER, true),
        USE(rnic_qp, rq.head, LANE, true),
        USE(rnic_qp, wants_recv, RECEIVER, false),
        USE(rnic_qp, rq_taken, LANE, true),
        USE(rnic_qp, stream, LANE, true),
    };

    (void)state;
    check(uses, SN_ARRAY_COUNT(uses));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completion_ring),
        cmocka_unit_test(completion_queue),
        cmocka_unit_test(work_ring),
        cmocka_unit_test(queue_pair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
