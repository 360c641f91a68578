/* SPDX-License-Identifier: MIT */
/* An adapter on the Linux platform with the layer over it, and calls that are waited for. */
#ifndef TESTS_UNIT_CHAOS_FIXTURE_H
#define TESTS_UNIT_CHAOS_FIXTURE_H

#include <softndk.h>
#include <stdlib.h>
#include <time.h>

#include "chaos/chaos.h"
#include "chaos/impl.h"
#include "kenv/irql.h"
#include "ndk/adapter.h"
#include "plat/linux/linux.h"
#include "support/unit.h"

/* ---- the environment of the layer ---- */

static const char *env_schedule, *env_faults;

static char *env_of_test(const char *name)
{
    const char *value = NULL;

    if (strcmp(name, "SOFTNDK_SCHEDULE") == 0)
        value = env_schedule;
    if (strcmp(name, "SOFTNDK_FAULTS") == 0)
        value = env_faults;
    return (char *)(uintptr_t)value;
}

/* ---- an adapter ---- */

struct world {
    struct plat *plat;
    NDK_ADAPTER *adapter;
    struct chaos_state *s; /* NULL: the layer stays out */
};

static inline struct world world_open(const char *schedule, const char *faults)
{
    static const struct ndk_layer *const layers_list[] = {&chaos_layer, NULL};
    struct plat_linux_options plat_options = {0};
    struct rnic_options options;
    struct ndk_layers *layers = NULL;
    char text[NDK_LAYER_TEXT] = "";
    struct world w = {.plat = plat_linux_create(&plat_options)};

    env_schedule = schedule;
    env_faults = faults;
    rnic_options_init(&options);
    assert_non_null(w.plat);
    if (!NT_SUCCESS(ndk_layers_open(layers_list, env_of_test, &layers, text)))
        fail_msg("%s", text);
    assert_int_equal(
        ndk_adapter_open_layered(w.plat, &options, layers, &w.adapter), STATUS_SUCCESS);
    w.s = layers != NULL ? layers->at[0].state : NULL;
    return w;
}

static inline void world_close(struct world *w)
{
    ndk_adapter_close(w->adapter, "world_close");
    plat_linux_destroy(w->plat);
}

/* ---- calls ---- */

/* Where callbacks report to. Zero-initialised. */
struct told {
    struct sn_a32 count;
    struct sn_a32 order; /* of the last one among all, from 1 */
    NTSTATUS status;
    NDK_OBJECT_HEADER *object;
    KIRQL irql;
};

static struct sn_a32 told_so_far;

static inline void tell(struct told *t, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    t->status = status;
    t->object = object;
    t->irql = KeGetCurrentIrql();
    sn_a32_store_release(&t->order, sn_a32_fetch_add(&told_so_far, 1) + 1);
    sn_a32_fetch_add(&t->count, 1);
}

static inline VOID on_completed(PVOID context, NTSTATUS status)
{
    tell(context, status, NULL);
}

static inline VOID on_created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    tell(context, status, object);
}

static inline VOID on_closed(PVOID context)
{
    tell(context, STATUS_SUCCESS, NULL);
}

static inline unsigned told_count(const struct told *t)
{
    return sn_a32_load_acquire(&t->count);
}

/* Until it was told n times; a minute is never. */
static inline void wait_told(const struct told *t, unsigned n)
{
    const struct timespec step = {.tv_nsec = 1000000};

    for (unsigned i = 0; i < 60000 && told_count(t) < n; i++)
        nanosleep(&step, NULL);
    assert_in_range(told_count(t), n, n);
}

/* The final status of a call that returned `returned`. */
static inline NTSTATUS finished(const struct told *t, NTSTATUS returned)
{
    if (returned != STATUS_PENDING) {
        assert_int_equal(told_count(t), 0);
        return returned;
    }
    wait_told(t, 1);
    assert_int_equal(t->irql, DISPATCH_LEVEL);
    return t->status;
}

/* Closes anything but an adapter, and waits for it. */
static inline void close_object(void *object)
{
    struct told t = {0};
    NDK_FN_CLOSE_OBJECT close;

    memcpy(&close, ((struct ndk_object *)object)->Dispatch, sizeof close);
    assert_int_equal(finished(&t, close(object, on_closed, &t)), STATUS_SUCCESS);
}

/* The object of a create call, however it came; fails the test if there is none. */
static inline void *created(const struct told *t, NTSTATUS returned, void *now)
{
    assert_int_equal(finished(t, returned), STATUS_SUCCESS);
    if (returned == STATUS_PENDING) {
        assert_null(now);
        now = t->object;
    }
    assert_non_null(now);
    return now;
}

static inline NDK_PD *create_pd(struct world *w)
{
    struct told t = {0};
    NDK_PD *pd = NULL;
    NTSTATUS status = w->adapter->Dispatch->NdkCreatePd(w->adapter, on_created, &t, &pd);

    return created(&t, status, pd);
}

static inline NDK_MR *create_mr(NDK_PD *pd, BOOLEAN fast)
{
    struct told t = {0};
    NDK_MR *mr = NULL;
    NTSTATUS status = pd->Dispatch->NdkCreateMr(pd, fast, on_created, &t, &mr);

    return created(&t, status, mr);
}

static inline NDK_CQ *create_cq(
    struct world *w, ULONG depth, NDK_FN_CQ_NOTIFICATION_CALLBACK fn, void *ctx)
{
    struct told t = {0};
    NDK_CQ *cq = NULL;
    NTSTATUS status =
        w->adapter->Dispatch->NdkCreateCq(w->adapter, depth, fn, ctx, NULL, on_created, &t, &cq);

    return created(&t, status, cq);
}

static inline NDK_QP *create_qp(NDK_PD *pd, NDK_CQ *cq, ULONG depth)
{
    struct told t = {0};
    NDK_QP *qp = NULL;
    NTSTATUS status =
        pd->Dispatch->NdkCreateQp(pd, cq, cq, NULL, depth, depth, 1, 1, 0, on_created, &t, &qp);

    return created(&t, status, qp);
}

#endif
