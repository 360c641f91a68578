/* SPDX-License-Identifier: MIT */
/* A request completes once, and may be made again inside its completion. */
#include "rnic/request.h"

#include "unit/rnic/fixture.h"

struct thing {
    struct rnic_obj obj;
    struct rnic_request request;
};

static void thing_destroy(struct rnic_obj *o)
{
    rnic_obj_free(o);
}

static const struct rnic_obj_class thing_class = {.kind = RNIC_CONNECTOR, .destroy = thing_destroy};

static struct thing *thing_create(struct fixture *f)
{
    struct thing *t = sn_zalloc_aligned(sizeof *t);

    assert_non_null(t);
    rnic_request_init(&t->request, &t->obj);
    rnic_obj_init(&t->obj, &thing_class, f->adapter, f->adapter->lanes[0]->lane);
    return t;
}

static void answered_once(void **state)
{
    struct tally done = {0}, closed = {0};
    struct fixture f;
    struct thing *t;

    (void)state;
    fixture_open(&f, 1);
    t = thing_create(&f);
    rnic_request_answer(&t->request, SN_OK); /* nobody asked */
    assert_true(rnic_request_take(&t->request, tally_done(&done)));
    assert_false(rnic_request_take(&t->request, tally_done(&done)));
    /* Held while it is pending. */
    assert_int_equal(rnic_obj_close(&t->obj, tally_done(&closed)), SN_PENDING);
    rnic_obj_get(&t->obj, RNIC_REF_LANE);
    rnic_request_answer(&t->request, SN_TIMED_OUT);
    rnic_request_answer(&t->request, SN_OK);
    await_count(&done.calls, 1);
    assert_int_equal(sn_a32_load_acquire(&done.last_status), SN_TIMED_OUT);
    rnic_request_answer(&t->request, SN_OK);
    rnic_obj_put(&t->obj, RNIC_REF_LANE);
    await_count(&closed.calls, 1);
    assert_int_equal(sn_a32_load_acquire(&done.calls), 1);
    fixture_close(&f);
}

static void untaken(void **state)
{
    struct tally done = {0};
    struct fixture f;
    struct thing *t;

    (void)state;
    fixture_open(&f, 1);
    t = thing_create(&f);
    assert_true(rnic_request_take(&t->request, tally_done(&done)));
    rnic_request_untake(&t->request);
    rnic_request_answer(&t->request, SN_OK);
    assert_true(rnic_request_take(&t->request, tally_done(&done)));
    rnic_request_untake(&t->request);
    close_inline(&t->obj);
    assert_int_equal(sn_a32_load_acquire(&done.calls), 0);
    fixture_close(&f);
}

struct again {
    struct thing *thing;
    struct sn_a32 calls;
};

static void ask_again(const struct rnic_done *d, enum sn_status status)
{
    struct again *a = d->ctx;

    (void)status;
    if (sn_a32_fetch_add(&a->calls, 1) < 2) {
        assert_true(rnic_request_take(&a->thing->request, *d));
        rnic_request_answer(&a->thing->request, SN_OK);
    }
}

static void taken_inside_its_completion(void **state)
{
    struct fixture f;
    struct again a = {0};
    const struct rnic_done d = {.call = ask_again, .ctx = &a};

    (void)state;
    fixture_open(&f, 1);
    a.thing = thing_create(&f);
    assert_true(rnic_request_take(&a.thing->request, d));
    rnic_request_answer(&a.thing->request, SN_OK);
    await_count(&a.calls, 3);
    close_any(&a.thing->obj);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answered_once),
        cmocka_unit_test(untaken),
        cmocka_unit_test(taken_inside_its_completion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
