/* SPDX-License-Identifier: MIT */
/* Adapters: options, local addresses, nothing left behind. */
#include <dirent.h>

#include "unit/rnic/fixture.h"

static void bad_options_are_refused(void **state)
{
    struct plat *plat = plat_linux_create(NULL);
    struct rnic_adapter *a;

    (void)state;
    assert_non_null(plat);
    for (int i = 0; i < 8; i++) {
        struct rnic_options o;

        rnic_options_init(&o);
        switch (i) {
        case 0:
            o.mpa.revision = 0;
            break;
        case 1:
            o.mpa.revision = 3;
            break;
        case 2:
            o.mpa.rtr = 8;
            break;
        case 3:
            o.mpa.ird_max = RNIC_READ_LIMIT_MAX + 1;
            break;
        case 4:
            o.mpa.ord_max = RNIC_READ_LIMIT_MAX + 1;
            break;
        case 5:
            o.lanes = RNIC_LANES_MAX + 1;
            break;
        case 6:
            o.mpa_timeout_ms = 0;
            break;
        default:
            o.receive_wait_ms = 0;
            break;
        }
        assert_int_equal(rnic_adapter_create(plat, &o, &a), SN_INVALID);
    }
    plat_linux_destroy(plat);
}

static void local_addresses(void **state)
{
    struct plat_addr a = {.family = 4, .ip = {127, 0, 0, 1}};
    const struct plat_addr foreign = {.family = 4, .ip = {192, 0, 2, 1}};
    const struct plat_addr any = {.family = 4};
    struct fixture f;

    (void)state;
    fixture_open(&f, 1);
    assert_int_equal(rnic_adapter_check_local(f.adapter, &a), SN_OK);
    assert_int_equal(rnic_adapter_check_local(f.adapter, &foreign), SN_ADDRESS_INVALID);
    assert_int_equal(rnic_adapter_check_local(f.adapter, &any), SN_ADDRESS_INVALID);
    f.adapter->options.allow_wildcard = true;
    assert_int_equal(rnic_adapter_check_local(f.adapter, &any), SN_OK);
    fixture_close(&f);
}

static unsigned entries(const char *path)
{
    DIR *d = opendir(path);
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

/* No descriptor, thread or octet is left after the adapter is closed. */
static void nothing_is_left(void **state)
{
    unsigned fds, threads;

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct fixture f;

        fds = entries("/proc/self/fd");
        threads = entries("/proc/self/task");
        fixture_open(&f, RNIC_LANES_MAX);
        assert_true(entries("/proc/self/task") >= threads + RNIC_LANES_MAX);
        fixture_close(&f);
        assert_int_equal(entries("/proc/self/fd"), fds);
        /* A joined thread stays in this list for a moment. */
        for (int k = 0; k < 1000 && entries("/proc/self/task") != threads; k++)
            nap_ms(1);
        assert_int_equal(entries("/proc/self/task"), threads);
    }
}

static void count_one(void *ctx, struct rnic_obj *o)
{
    assert_int_equal(o->class->kind, RNIC_PD);
    ++*(int *)ctx;
}

static void objects_are_listed_by_kind(void **state)
{
    struct fixture f;
    struct rnic_pd *pd[3];
    struct rnic_mr *mr;
    int n = 0;

    (void)state;
    fixture_open(&f, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rnic_pd_create(f.adapter, &pd[i]), SN_OK);
    assert_int_equal(rnic_mr_create(pd[0], false, &mr), SN_OK);
    rnic_adapter_each(f.adapter, RNIC_PD, count_one, &n);
    assert_int_equal(n, 3);
    close_inline(&mr->obj);
    for (int i = 0; i < 3; i++)
        close_inline(&pd[i]->obj);
    fixture_close(&f);
}

struct closer {
    struct plat_call call;
    struct rnic_adapter *adapter;
    struct sn_a32 status, has_run;
};

static void close_it(struct plat_call *call)
{
    struct closer *c = SN_CONTAINER_OF(call, struct closer, call);

    sn_a32_store_release(&c->status, (uint32_t)rnic_adapter_close(c->adapter));
    sn_a32_store_release(&c->has_run, 1);
}

/* Two callbacks that close each other's adapter would wait for ever. */
static void not_closed_in_a_callback(void **state)
{
    struct fixture f[2];

    (void)state;
    fixture_open(&f[0], 1);
    fixture_open(&f[1], 1);
    for (int i = 0; i < 2; i++) {
        struct closer c = {.call.run = close_it, .adapter = f[i].adapter};

        plat_lane_call(f[0].adapter->lanes[0]->lane, &c.call);
        await_count(&c.has_run, 1);
        assert_int_equal(sn_a32_load_acquire(&c.status), SN_BAD_STATE);
    }
    fixture_close(&f[1]);
    fixture_close(&f[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(local_addresses),
        cmocka_unit_test(not_closed_in_a_callback),
        cmocka_unit_test(nothing_is_left),
        cmocka_unit_test(objects_are_listed_by_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
