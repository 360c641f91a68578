/* SPDX-License-Identifier: MIT */
/* An adapter over the Linux platform, and counters for callbacks. */
#ifndef SN_TESTS_UNIT_RNIC_FIXTURE_H
#define SN_TESTS_UNIT_RNIC_FIXTURE_H

#include <time.h>

#include "base/alloc.h"
#include "base/atomic.h"
#include "plat/linux/linux.h"
#include "rnic/adapter.h"
#include "rnic/cq.h"
#include "rnic/lane.h"
#include "rnic/pd.h"
#include "support/unit.h"

struct fixture {
    struct plat *plat;
    struct rnic_adapter *adapter;
    size_t live_before;
};

static inline void fixture_open(struct fixture *f, uint32_t lanes)
{
    struct rnic_options o;

    f->live_before = sn_alloc_live_count();
    rnic_options_init(&o);
    o.lanes = lanes;
    f->plat = plat_linux_create(NULL);
    assert_non_null(f->plat);
    assert_int_equal(rnic_adapter_create(f->plat, &o, &f->adapter), SN_OK);
}

/* Everything must be closed by the test; nothing may be left. */
static inline void fixture_close(struct fixture *f)
{
    assert_int_equal(rnic_adapter_close(f->adapter), SN_OK);
    plat_linux_destroy(f->plat);
    assert_int_equal(sn_alloc_live_count(), f->live_before);
}

/* A callback that counts itself. */
struct tally {
    struct sn_a32 calls;
    struct sn_a32 last_status;
};

static inline void tally_call(const struct rnic_done *d, enum sn_status status)
{
    struct tally *t = d->ctx;

    sn_a32_store_release(&t->last_status, (uint32_t)status);
    sn_a32_fetch_add(&t->calls, 1);
}

static inline struct rnic_done tally_done(struct tally *t)
{
    return (struct rnic_done){.call = tally_call, .ctx = t};
}

static inline void nap_ms(long ms)
{
    const struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&ts, NULL);
}

/* Waits until the counter reached n; fails the test after ten seconds. */
static inline void await_count(struct sn_a32 *counter, uint32_t n)
{
    for (int i = 0; i < 10000 && sn_a32_load_acquire(counter) < n; i++)
        nap_ms(1);
    assert_int_equal(sn_a32_load_acquire(counter), n);
}

static inline void close_inline(struct rnic_obj *o)
{
    struct tally t = {0};

    assert_int_equal(rnic_obj_close(o, tally_done(&t)), SN_OK);
    assert_int_equal(sn_a32_load_acquire(&t.calls), 0);
}

/* Closes an object whose last callback may still be on its way. */
static inline void close_any(struct rnic_obj *o)
{
    enum sn_status s = rnic_obj_close(o, (struct rnic_done){0});

    assert_true(s == SN_OK || s == SN_PENDING);
}

/* Enters the lane as a polling or posting thread does, however often it takes. */
static inline void enter(struct rnic_lane *l)
{
    while (!rnic_lane_enter(l))
        sn_cpu_relax();
}

#endif
