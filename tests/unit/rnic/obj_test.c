/* SPDX-License-Identifier: MIT */
/* The close rules, on the objects that need no connection. [NDKPI object-lifetime] */
#include "rnic/endpoint.h"
#include "unit/rnic/fixture.h"

static void close_without_successors_is_inline(void **state)
{
    struct fixture f;
    struct rnic_pd *pd;

    (void)state;
    fixture_open(&f, 1);
    assert_int_equal(rnic_pd_create(f.adapter, &pd), SN_OK);
    close_inline(&pd->obj);
    fixture_close(&f);
}

static void antecedent_closed_first_stays_pending(void **state)
{
    struct fixture f;
    struct rnic_pd *pd;
    struct rnic_mr *mr;
    struct rnic_mw *mw;
    struct tally pd_closed = {0};

    (void)state;
    fixture_open(&f, 2);
    assert_int_equal(rnic_pd_create(f.adapter, &pd), SN_OK);
    assert_int_equal(rnic_mr_create(pd, false, &mr), SN_OK);
    assert_int_equal(rnic_mw_create(pd, &mw), SN_OK);
    assert_int_equal(rnic_obj_close(&pd->obj, tally_done(&pd_closed)), SN_PENDING);
    close_inline(&mr->obj);
    nap_ms(20);
    assert_int_equal(sn_a32_load_acquire(&pd_closed.calls), 0);
    close_inline(&mw->obj);
    await_count(&pd_closed.calls, 1);
    assert_int_equal(sn_a32_load_acquire(&pd_closed.last_status), SN_OK);
    fixture_close(&f);
}

static void second_close_is_refused(void **state)
{
    struct fixture f;
    struct rnic_pd *pd;
    struct rnic_mr *mr;
    struct tally first = {0}, second = {0};

    (void)state;
    fixture_open(&f, 1);
    assert_int_equal(rnic_pd_create(f.adapter, &pd), SN_OK);
    assert_int_equal(rnic_mr_create(pd, true, &mr), SN_OK);
    assert_int_equal(rnic_obj_close(&pd->obj, tally_done(&first)), SN_PENDING);
    assert_int_equal(rnic_obj_close(&pd->obj, tally_done(&second)), SN_BAD_STATE);
    close_inline(&mr->obj);
    await_count(&first.calls, 1);
    assert_int_equal(sn_a32_load_acquire(&second.calls), 0);
    fixture_close(&f);
}

static void lookup_fails_once_the_last_reference_is_gone(void **state)
{
    struct fixture f;
    struct rnic_pd *pd;
    struct tally closed = {0};

    (void)state;
    fixture_open(&f, 1);
    assert_int_equal(rnic_pd_create(f.adapter, &pd), SN_OK);
    assert_true(rnic_obj_get_unless_zero(&pd->obj, RNIC_REF_REQUEST));
    assert_int_equal(rnic_obj_close(&pd->obj, tally_done(&closed)), SN_PENDING);
    assert_true(rnic_obj_is_closing(&pd->obj));
    rnic_obj_put(&pd->obj, RNIC_REF_REQUEST);
    await_count(&closed.calls, 1);
    fixture_close(&f);
}

struct late_close {
    struct rnic_obj *o;
    struct sn_a32 calls;
};

static void close_it(const struct rnic_done *d, enum sn_status status)
{
    struct late_close *l = d->ctx;

    (void)status;
    nap_ms(30); /* the adapter's closer waits until we return */
    sn_a32_fetch_add(&l->calls, 1);
}

static void adapter_close_waits_for_the_last_callback(void **state)
{
    struct fixture f;
    struct rnic_pd *pd;
    struct late_close late = {0};
    const struct rnic_done done = {.call = close_it, .ctx = &late};

    (void)state;
    fixture_open(&f, 1);
    assert_int_equal(rnic_pd_create(f.adapter, &pd), SN_OK);
    rnic_obj_get(&pd->obj, RNIC_REF_CALLBACK);
    assert_int_equal(rnic_obj_close(&pd->obj, done), SN_PENDING);
    rnic_obj_put(&pd->obj, RNIC_REF_CALLBACK);
    fixture_close(&f);
    assert_int_equal(sn_a32_load_acquire(&late.calls), 1);
}

static struct sn_a32 refused;

static void close_adapter_here(const struct rnic_done *d, enum sn_status status)
{
    struct fixture *f = d->ctx;

    (void)status;
    if (rnic_adapter_close(f->adapter) == SN_BAD_STATE)
        sn_a32_fetch_add(&refused, 1);
}

static void adapter_close_from_a_callback_is_refused(void **state)
{
    struct fixture f;
    struct rnic_pd *pd;
    const struct rnic_done done = {.call = close_adapter_here, .ctx = &f};

    (void)state;
    fixture_open(&f, 1);
    assert_int_equal(rnic_pd_create(f.adapter, &pd), SN_OK);
    rnic_obj_get(&pd->obj, RNIC_REF_CALLBACK);
    assert_int_equal(rnic_obj_close(&pd->obj, done), SN_PENDING);
    rnic_obj_put(&pd->obj, RNIC_REF_CALLBACK);
    await_count(&refused, 1);
    fixture_close(&f);
}

struct again {
    struct fixture f;
    struct plat_addr addr;
    struct rnic_endpoint *second;
    struct sn_a32 calls, status;
};

static void take_address_again(const struct rnic_done *d, enum sn_status status)
{
    struct again *a = d->ctx;

    (void)status;
    sn_a32_store_release(
        &a->status, (uint32_t)rnic_endpoint_create(a->f.adapter, &a->addr, &a->second));
    sn_a32_fetch_add(&a->calls, 1);
}

/* The close completion says that the address is free; the consumer may take it there and then. */
static void an_address_is_free_when_the_close_completes(void **state)
{
    struct again a = {.addr = {.family = 4, .ip = {127, 0, 0, 1}}};
    const struct rnic_done done = {.call = take_address_again, .ctx = &a};
    struct rnic_endpoint *first;
    struct rnic_obj *o;

    (void)state;
    fixture_open(&a.f, 1);
    assert_int_equal(rnic_endpoint_create(a.f.adapter, &a.addr, &first), SN_OK);
    rnic_endpoint_local(first, &a.addr);
    o = rnic_endpoint_obj(first);
    rnic_obj_get(o, RNIC_REF_REQUEST);
    assert_int_equal(rnic_obj_close(o, done), SN_PENDING);
    rnic_obj_put(o, RNIC_REF_REQUEST);
    await_count(&a.calls, 1);
    assert_int_equal(sn_a32_load_acquire(&a.status), SN_OK);
    close_any(rnic_endpoint_obj(a.second));
    fixture_close(&a.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(close_without_successors_is_inline),
        cmocka_unit_test(antecedent_closed_first_stays_pending),
        cmocka_unit_test(second_close_is_refused),
        cmocka_unit_test(lookup_fails_once_the_last_reference_is_gone),
        cmocka_unit_test(adapter_close_waits_for_the_last_callback),
        cmocka_unit_test(adapter_close_from_a_callback_is_refused),
        cmocka_unit_test(an_address_is_free_when_the_close_completes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
