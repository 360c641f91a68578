/* SPDX-License-Identifier: MIT */
#include "chaos/invoke.h"

#include "base/alloc.h"
#include "fixture.h"

/* ---- an allocator that fails once ---- */

static struct sn_a32 fail_in; /* 1: the next one fails; 0: none */

static void *failing_alloc(void *ctx, size_t size)
{
    uint32_t n = sn_a32_load_acquire(&fail_in);

    (void)ctx;
    while (n != 0 && !sn_a32_cas(&fail_in, n, n - 1))
        n = sn_a32_load_acquire(&fail_in);
    return n == 1 ? NULL : malloc(size);
}

static void failing_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

static const struct sn_allocator failing = {.alloc = failing_alloc, .free = failing_free};

/*
 * A create call with each of its allocations failing in turn: it fails, or gives an object that
 * works (perhaps without the layer). Nothing is left behind.
 */
static void creates_survive_want_of_memory(void **state)
{
    static const char *const schedules[] = {"pend", "inline", "hostile:2"};
    size_t live = sn_alloc_live_count();

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(schedules); i++) {
        struct world w = world_open(schedules[i], NULL);
        unsigned failures = 0, objects = 0;

        for (unsigned n = 1; n <= 12; n++) {
            struct told t = {0};
            NDK_CQ *cq = NULL;
            NTSTATUS status;

            sn_a32_store_release(&fail_in, n);
            status = w.adapter->Dispatch->NdkCreateCq(
                w.adapter, 8, on_completed, NULL, NULL, on_created, &t, &cq);
            if (finished(&t, status) == STATUS_SUCCESS) {
                objects++;
                sn_a32_store_release(&fail_in, 0);
                close_object(status == STATUS_PENDING ? (void *)t.object : (void *)cq);
                continue;
            }
            sn_a32_store_release(&fail_in, 0);
            failures++;
            assert_int_equal(finished(&t, status), STATUS_INSUFFICIENT_RESOURCES);
            assert_null(cq);
            assert_null(t.object);
        }
        assert_in_range(failures, 3, 6); /* routine, operation, queue, ring */
        assert_in_range(objects, 6, 9);
        world_close(&w);
    }
    assert_int_equal(sn_alloc_live_count(), live);
}

/* The routine of a queue that the layer could not wrap is called directly. */
static void what_is_not_wrapped_works(void **state)
{
    struct world w = world_open("hostile:1", NULL);
    struct told notified = {0}, t = {0};
    NDK_PD *pd = create_pd(&w);
    NDK_CQ *cq = NULL;
    NDK_QP *qp;
    NTSTATUS status;

    (void)state;
    for (unsigned n = 1;; n++) { /* the last allocation of the call is the layer's part */
        t = (struct told){0};
        cq = NULL;
        sn_a32_store_release(&fail_in, n);
        status = w.adapter->Dispatch->NdkCreateCq(
            w.adapter, 8, on_completed, &notified, NULL, on_created, &t, &cq);
        sn_a32_store_release(&fail_in, 0);
        if (finished(&t, status) != STATUS_SUCCESS)
            continue;
        cq = created(&t, status, cq);
        break;
    }
    assert_null(chaos_of(cq));
    qp = create_qp(pd, cq, 4);
    cq->Dispatch->NdkArmCq(cq, NDK_CQ_NOTIFY_ANY);
    assert_int_equal(qp->Dispatch->NdkReceive(qp, NULL, NULL, 0), STATUS_SUCCESS);
    qp->Dispatch->NdkFlush(qp);
    wait_told(&notified, 1);
    close_object(qp);
    close_object(cq);
    close_object(pd);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creates_survive_want_of_memory),
        cmocka_unit_test(what_is_not_wrapped_works),
    };

    sn_alloc_set(&failing);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
