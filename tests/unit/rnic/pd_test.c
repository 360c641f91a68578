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

/* What a close completion finds: the memory is the consumer's again. */
struct last_look {
    const struct pd_fixture *p;
    uint32_t stag;
    uint8_t *at;
    bool is_revoked;
    struct sn_a32 calls;
};

static void look(const struct rnic_done *d, enum sn_status status)
{
    struct last_look *l = d->ctx;

    assert_int_equal(status, SN_OK);
    l->is_revoked = !may(l->p, l->stag, l->at, MEM_REMOTE_READ);
    sn_a32_fetch_add(&l->calls, 1);
}

/* A window outlasts the access to the MR itself, and ends with its own close. */
static void close_revokes_though_a_window_is_bound(void **state)
{
    const struct mem_who who = {.qp = 1000};
    struct pd_fixture p;
    struct rnic_mr *mr;
    struct rnic_mw *mw;
    struct mem_bind bind = {.len = 64, .rights = MEM_REMOTE_READ};
    struct mem_who bound_to = who;
    uint8_t memory[64];
    struct last_look l = {.p = &p, .at = memory};

    (void)state;
    open_pd(&p);
    assert_int_equal(rnic_mr_create(p.pd, false, &mr), SN_OK);
    assert_int_equal(rnic_mw_create(p.pd, &mw), SN_OK);
    assert_int_equal(rnic_mr_register(mr, memory, (uintptr_t)memory, 64, MEM_REMOTE_READ), SN_OK);
    l.stag = rnic_mr_stag(mr);
    bound_to.pd = p.pd->id;
    bind.mr = mr->region;
    bind.base = (uintptr_t)memory;
    bind.stag = mem_window_next_stag(&p.f.adapter->mem, mw->region);
    assert_int_equal(mem_bind(&p.f.adapter->mem, mw->region, bound_to, &bind), SN_OK);
    rnic_mr_lend(mr);
    assert_true(may(&p, l.stag, memory, MEM_REMOTE_READ));
    assert_int_equal(
        rnic_obj_close(&mr->obj, (struct rnic_done){.call = look, .ctx = &l}), SN_PENDING);
    assert_false(may(&p, l.stag, memory, MEM_REMOTE_READ));
    assert_true(may(&p, bind.stag, memory, MEM_REMOTE_READ));
    close_inline(&mw->obj);
    await_count(&l.calls, 1);
    assert_true(l.is_revoked);
    close_any(&p.pd->obj);
    fixture_close(&p.f);
}

/* A region that became valid when its close was pending already. */
static void fast_region_is_revoked_before_its_close_completes(void **state)
{
    _Alignas(MEM_PAGE_SIZE) static uint8_t page[MEM_PAGE_SIZE];
    const uint64_t pages[] = {(uintptr_t)page};
    const struct mem_fast_reg args = {
        .pages = pages,
        .pages_count = 1,
        .len = MEM_PAGE_SIZE,
        .base = (uintptr_t)page,
        .rights = MEM_LOCAL_READ | MEM_REMOTE_READ,
    };
    struct pd_fixture p;
    struct rnic_mr *mr;
    struct last_look l = {.p = &p, .at = page};

    (void)state;
    open_pd(&p);
    assert_int_equal(rnic_mr_create(p.pd, true, &mr), SN_OK);
    assert_int_equal(rnic_mr_fast_init(mr, 16, true), SN_OK);
    l.stag = rnic_mr_stag(mr);
    rnic_obj_get(&mr->obj, RNIC_REF_REQUEST); /* as a request in the queue has it */
    assert_int_equal(
        rnic_obj_close(&mr->obj, (struct rnic_done){.call = look, .ctx = &l}), SN_PENDING);
    assert_int_equal(mem_fast_register(&p.f.adapter->mem, mr->region,
                         (struct mem_who){.pd = p.pd->id, .qp = 1000}, &args),
        SN_OK);
    assert_true(may(&p, l.stag, page, MEM_REMOTE_READ));
    rnic_obj_put(&mr->obj, RNIC_REF_REQUEST);
    await_count(&l.calls, 1);
    assert_true(l.is_revoked);
    close_any(&p.pd->obj);
    fixture_close(&p.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(privileged_token_is_local_only),
        cmocka_unit_test(the_two_flavours_of_mr),
        cmocka_unit_test(close_revokes_at_once),
        cmocka_unit_test(close_revokes_though_a_window_is_bound),
        cmocka_unit_test(fast_region_is_revoked_before_its_close_completes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
