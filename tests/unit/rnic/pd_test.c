/* SPDX-License-Identifier: MIT */
/* PDs, MRs and windows as objects; the rules of STags themselves are tests/unit/mem. */
#include "unit/rnic/fixture.h"

struct pd_fixture {
    struct fixture f;
    struct rnic_pd *pd;
};

static void open_pd(struct pd_fixture *p)
{
    fixture_open(&p->f, 1);
    assert_int_equal(rnic_pd_create(p->f.adapter, &p->pd), SN_OK);
}

static void close_pd(struct pd_fixture *p)
{
    close_inline(&p->pd->obj);
    fixture_close(&p->f);
}

static bool may(const struct pd_fixture *p, uint32_t stag, const void *at, uint32_t rights)
{
    const struct mem_who who = {.pd = p->pd->id, .qp = 1000};
    const struct mem_region *r;
    struct rnic_lane *l = p->f.adapter->lanes[0];
    enum mem_result result;

    enter(l);
    result = mem_check(&p->f.adapter->mem, who, stag, (uintptr_t)at, 1, rights, &r);
    rnic_lane_leave(l);
    return result == MEM_OK;
}

static void privileged_token_is_local_only(void **state)
{
    struct pd_fixture p;
    uint8_t octet = 0;
    uint32_t stag;

    (void)state;
    open_pd(&p);
    stag = rnic_pd_privileged_stag(p.pd);
    assert_int_not_equal(stag, 0);
    assert_true(may(&p, stag, &octet, MEM_LOCAL_READ | MEM_LOCAL_WRITE));
    assert_false(may(&p, stag, &octet, MEM_REMOTE_READ));
    assert_false(may(&p, stag, &octet, MEM_REMOTE_WRITE));
    assert_false(may(&p, stag, &octet, MEM_LOCAL_WRITE | MEM_READ_SINK));
    close_pd(&p);
}

static void the_two_flavours_of_mr(void **state)
{
    struct pd_fixture p;
    struct rnic_mr *mr, *frmr;
    uint8_t memory[64];

    (void)state;
    open_pd(&p);
    assert_int_equal(rnic_mr_create(p.pd, false, &mr), SN_OK);
    assert_int_equal(rnic_mr_create(p.pd, true, &frmr), SN_OK);
    assert_int_equal(rnic_mr_fast_init(mr, 16, true), SN_BAD_STATE);
    assert_int_equal(rnic_mr_register(frmr, memory, 1, 64, 0), SN_BAD_STATE);
    assert_int_equal(rnic_mr_deregister(frmr), SN_BAD_STATE);
    assert_int_equal(rnic_mr_fast_init(frmr, 0, true), SN_LIMIT);
    assert_int_equal(rnic_mr_fast_init(frmr, MEM_FAST_REG_PAGES_MAX + 1, true), SN_LIMIT);
    assert_int_equal(rnic_mr_fast_init(frmr, 16, true), SN_OK);
    assert_int_equal(rnic_mr_fast_init(frmr, 32, false), SN_OK);
    assert_int_equal(rnic_mr_deregister(mr), SN_BAD_STATE);
    assert_int_equal(
        rnic_mr_register(mr, memory, (uintptr_t)memory, 64, MEM_LOCAL_READ | MEM_LOCAL_WRITE),
        SN_OK);
    assert_int_equal(
        rnic_mr_register(mr, memory, (uintptr_t)memory, 64, MEM_LOCAL_READ), SN_BAD_STATE);
    close_inline(&mr->obj);
    close_inline(&frmr->obj);
    close_pd(&p);
}

/* Closing a registered MR revokes it although something still refers to the object. */
static void close_revokes_at_once(void **state)
{
    struct pd_fixture p;
    struct rnic_mr *mr;
    struct tally closed = {0};
    uint8_t memory[64];
    uint32_t stag;

    (void)state;
    open_pd(&p);
    assert_int_equal(rnic_mr_create(p.pd, false, &mr), SN_OK);
    assert_int_equal(rnic_mr_register(mr, memory, (uintptr_t)memory, 64, MEM_LOCAL_READ), SN_OK);
    stag = rnic_mr_stag(mr);
    assert_true(may(&p, stag, memory, MEM_LOCAL_READ));
    rnic_obj_get(&mr->obj, RNIC_REF_REQUEST);
    assert_int_equal(rnic_obj_close(&mr->obj, tally_done(&closed)), SN_PENDING);
    assert_false(may(&p, stag, memory, MEM_LOCAL_READ));
    rnic_obj_put(&mr->obj, RNIC_REF_REQUEST);
    await_count(&closed.calls, 1);
    close_any(&p.pd->obj); /* the region may be on its way out still */
    fixture_close(&p.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(privileged_token_is_local_only),
        cmocka_unit_test(the_two_flavours_of_mr),
        cmocka_unit_test(close_revokes_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
