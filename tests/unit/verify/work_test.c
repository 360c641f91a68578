/* SPDX-License-Identifier: MIT */
/* Books of posted requests: what is outstanding, and whose memory is in use. */
#include "verify/work.h"

#include "support/unit.h"

static NDK_SGE sge_at(uintptr_t at, ULONG length, UINT32 token)
{
    return (NDK_SGE){.VirtualAddress = (PVOID)at, .Length = length, .MemoryRegionToken = token};
}

static void note(void *ctx, struct verify_wr *wr)
{
    uint64_t *seen = ctx;

    *seen = *seen * 10 + wr->index;
}

static void completions_in_order(void **state)
{
    struct verify_wr *wr[4];
    struct verify_queue q;
    uint64_t seen = 0;

    (void)state;
    assert_true(verify_queue_init(&q, 4, 2, false));
    for (int i = 0; i < 4; i++) {
        wr[i] = verify_queue_push(&q, VERIFY_SEND, &wr[i], NULL, 0);
        assert_ptr_equal(wr[i]->context, &wr[i]);
    }
    assert_int_equal(verify_outstanding(&q), 4);
    verify_queue_collect(&q, wr[2], note, &seen); /* 0 and 1 were silent */
    assert_int_equal(seen, 1);                    /* "01" */
    assert_int_equal(verify_outstanding(&q), 1);
    verify_queue_collect(&q, wr[1], note, &seen); /* late: of a queue that was dropped */
    assert_int_equal(verify_outstanding(&q), 1);
    verify_queue_drop(&q, note, &seen);
    assert_int_equal(seen, 13);
    assert_int_equal(verify_outstanding(&q), 0);
    verify_queue_fini(&q);
}

static void completions_in_any_order(void **state)
{
    struct verify_wr *wr[3];
    struct verify_queue q;

    (void)state;
    assert_true(verify_queue_init(&q, 2, 0, true));
    for (int i = 0; i < 3; i++)
        wr[i] = verify_queue_push(&q, VERIFY_RECEIVE, NULL, NULL, 0);
    verify_queue_collect(&q, wr[1], NULL, NULL);
    assert_int_equal(verify_outstanding(&q), 2);
    for (int round = 0; round < 100; round++) {
        struct verify_wr *next = verify_queue_push(&q, VERIFY_RECEIVE, NULL, NULL, 0);

        assert_true(next != wr[0] && next != wr[2]);
        verify_queue_collect(&q, next, NULL, NULL);
    }
    verify_queue_unpush(&q, wr[2]);
    verify_queue_fini(&q);
}

static void a_full_ring_takes_no_more(void **state)
{
    struct verify_queue q;
    uint32_t taken = 0;

    (void)state;
    for (int is_shared = 0; is_shared < 2; is_shared++, taken = 0) {
        assert_true(verify_queue_init(&q, 3, 1, is_shared != 0));
        while (verify_queue_push(&q, VERIFY_SEND, NULL, NULL, 0) != NULL)
            taken++;
        assert_int_equal(taken, q.size);
        verify_queue_fini(&q);
    }
}

static void memory_in_use(void **state)
{
    const NDK_SGE sgl[] = {sge_at(1000, 100, 7), sge_at(5000, 100, 8), sge_at(9000, 0, 9)};
    struct verify_queue q;
    struct verify_wr *wr;

    (void)state;
    for (int is_shared = 0; is_shared < 2; is_shared++) {
        assert_true(verify_queue_init(&q, 4, 3, is_shared != 0));
        wr = verify_queue_push(&q, VERIFY_READ, NULL, sgl, 3);
        assert_true(verify_queue_uses(&q, VERIFY_OP_COUNT, 7, 0, 0));
        assert_true(verify_queue_uses(&q, VERIFY_OP_COUNT, 8, 5099, 6000));
        assert_false(verify_queue_uses(&q, VERIFY_OP_COUNT, 8, 5100, 6000));
        assert_false(verify_queue_uses(&q, VERIFY_OP_COUNT, 8, 1000, 1100));
        assert_false(verify_queue_uses(&q, VERIFY_OP_COUNT, 9, 0, 0)); /* of no octets */
        if (is_shared == 0) {
            assert_true(verify_queue_uses(&q, VERIFY_READ, 7, 0, 0));
            assert_false(verify_queue_uses(&q, VERIFY_SEND, 7, 0, 0));
        }
        verify_queue_collect(&q, wr, NULL, NULL);
        assert_false(verify_queue_uses(&q, VERIFY_OP_COUNT, 7, 0, 0));
        verify_queue_fini(&q);
    }
}

static void a_sum_follows_the_memory(void **state)
{
    unsigned char memory[64] = {1, 2, 3};
    const NDK_SGE sge = sge_at((uintptr_t)memory, sizeof memory, 7);
    struct verify_queue q;
    struct verify_wr *wr;
    uint32_t before;

    (void)state;
    assert_true(verify_queue_init(&q, 4, 3, false));
    wr = verify_queue_push(&q, VERIFY_SEND, NULL, &sge, 1);
    before = verify_wr_sum(wr);
    assert_int_equal(verify_wr_sum(wr), before);
    memory[63]++;
    assert_int_not_equal(verify_wr_sum(wr), before);
    verify_queue_fini(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completions_in_order),
        cmocka_unit_test(completions_in_any_order),
        cmocka_unit_test(a_full_ring_takes_no_more),
        cmocka_unit_test(memory_in_use),
        cmocka_unit_test(a_sum_follows_the_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
