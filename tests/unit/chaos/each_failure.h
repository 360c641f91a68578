/* SPDX-License-Identifier: MIT */
/* Runs a call with each of its documented failures injected, under three schedules. */
#ifndef TESTS_UNIT_CHAOS_EACH_FAILURE_H
#define TESTS_UNIT_CHAOS_EACH_FAILURE_H

#include "fixture.h"

/* Everything that a table's test needs; made under each spec. */
struct bench {
    struct world w;
    NDK_PD *pd;
    NDK_CQ *cq;
    NDK_QP *qp;
};

/* Makes the call once, waits for its end and gives its final status. What it creates it closes. */
typedef NTSTATUS bench_call(struct bench *b);

static inline struct bench bench_open(const char *schedule, const char *spec)
{
    struct bench b = {.w = world_open(schedule, spec)};

    b.pd = create_pd(&b.w);
    b.cq = create_cq(&b.w, 16, on_completed, NULL);
    b.qp = create_qp(b.pd, b.cq, 8);
    return b;
}

static inline void bench_close(struct bench *b)
{
    close_object(b->qp);
    close_object(b->cq);
    close_object(b->pd);
    world_close(&b->w);
}

/*
 * The injected failure comes out, once; without it the call does what it does without the layer,
 * `otherwise`. `nth`: which call of its entry the test's is (the bench makes some itself).
 */
static inline void each_failure(
    enum chaos_entry entry, bench_call *call, unsigned nth, NTSTATUS otherwise)
{
    static const char *const schedules[] = {NULL, "pend", "inline", "hostile:1"};
    const struct chaos_entry_info *info = chaos_entry_info(entry);

    for (size_t s = 0; s < SN_ARRAY_COUNT(schedules); s++) {
        for (unsigned i = 0; i < chaos_entry_failures(entry); i++) {
            char spec[120];
            struct bench b;

            snprintf(spec, sizeof spec, "%s:nth=%u:status=%s", info->name, nth,
                SoftNdkStatusName(info->failures[i]));
            b = bench_open(schedules[s], spec);
            assert_int_equal(call(&b), info->failures[i]);
            assert_int_equal(call(&b), otherwise);
            bench_close(&b);
        }
    }
}

/* For create calls: the object, however it came, is closed. */
static inline NTSTATUS end_create(const struct told *t, NTSTATUS returned, void *now)
{
    NTSTATUS status = finished(t, returned);

    if (!NT_SUCCESS(status) || returned == STATUS_PENDING)
        assert_null(now);
    if (!NT_SUCCESS(status))
        assert_null(t->object);
    else
        close_object(returned == STATUS_PENDING ? (void *)t->object : now);
    return status;
}

#endif
