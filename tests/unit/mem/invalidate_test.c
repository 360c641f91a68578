/* SPDX-License-Identifier: MIT */
/* Who may invalidate what, locally and remotely; what refusals leave behind. */
#include "fixture.h"

#include "mem/table.h"

#define BASE 0x50000ull
static uint8_t memory[1000];
static const uint64_t page = 7 * MEM_PAGE_SIZE;

enum subject {
    MR,          /* registered, all rights */
    MR_NEVER,    /* not registered */
    FAST,        /* all rights */
    FAST_READ,   /* remote read only */
    FAST_WRITE,  /* remote write only */
    FAST_LOCAL,  /* local write, no remote right */
    FAST_NEVER,  /* initialised, not registered */
    FAST_BARE,   /* not even initialised */
    WINDOW,      /* bound to QP_1, remote read */
    WINDOW_NONE, /* not bound */
    PRIVILEGED,
    SUBJECT_COUNT
};

static void make_subjects(struct fixture *f, struct mem_region **s)
{
    static const struct {
        enum subject subject;
        uint32_t rights;
    } fast[] = {{FAST, RIGHTS_ALL}, {FAST_READ, MEM_REMOTE_READ}, {FAST_WRITE, MEM_REMOTE_WRITE},
        {FAST_LOCAL, MEM_LOCAL_WRITE | MEM_READ_SINK}};

    s[MR] = fixture_mr(f, memory, BASE, sizeof(memory), RIGHTS_ALL);
    s[MR_NEVER] = fixture_create(f, MEM_KIND_MR, PD_1);
    for (size_t i = 0; i < SN_ARRAY_COUNT(fast); i++) {
        s[fast[i].subject] = fixture_fast_mr(f, 1);
        fixture_fast_register(f, s[fast[i].subject], &page, fast[i].rights);
    }
    s[FAST_NEVER] = fixture_fast_mr(f, 1);
    s[FAST_BARE] = fixture_create(f, MEM_KIND_FAST_MR, PD_1);
    s[WINDOW] = fixture_create(f, MEM_KIND_WINDOW, PD_1);
    fixture_bind(f, s[WINDOW], WHO_1, s[MR], BASE, 10, MEM_REMOTE_READ);
    s[WINDOW_NONE] = fixture_create(f, MEM_KIND_WINDOW, PD_1);
    s[PRIVILEGED] = fixture_create(f, MEM_KIND_PRIVILEGED, PD_1);
}

static void destroy_subjects(struct fixture *f, struct mem_region **s)
{
    for (size_t i = SUBJECT_COUNT; i-- > 0;)
        fixture_destroy(f, s[i]);
    fixture_fini(f);
}

#define KEY_1   0x01u
#define INDEX_1 0x100u

/* One table for the three ways in; `local` goes by pointer, so a wrong STag is no case for it. */
static const struct invalidate_case {
    const char *what;
    enum subject subject;
    uint32_t stag_xor;
    const struct mem_who *who;
    bool is_ok_locally;
    enum mem_result remote;
} cases[] = {
    {"fast", FAST, 0, &WHO_1, true, MEM_OK},
    {"fast, other stream of its PD", FAST, 0, &WHO_2, true, MEM_OK},
    {"fast, remote read is enough", FAST_READ, 0, &WHO_1, true, MEM_OK},
    {"fast, remote write is enough", FAST_WRITE, 0, &WHO_1, true, MEM_OK},
    /* [VRB-032] no remote right: not the peer's to take away */
    {"fast, local only", FAST_LOCAL, 0, &WHO_1, true, MEM_NO_RIGHT},
    /* [SEC-001] [VRB-029] [RDM-026] */
    {"fast, other PD", FAST, 0, &WHO_OTHER_PD, false, MEM_STAG_STREAM},
    {"fast local only, other PD", FAST_LOCAL, 0, &WHO_OTHER_PD, false, MEM_STAG_STREAM},
    {"fast, key off by one", FAST, KEY_1, &WHO_1, false, MEM_STAG_INVALID},
    {"fast, index off by one", FAST, INDEX_1, &WHO_1, false, MEM_STAG_INVALID},
    {"fast, not registered", FAST_NEVER, 0, &WHO_1, false, MEM_STAG_INVALID},
    {"fast, not initialised", FAST_BARE, 0, &WHO_1, false, MEM_STAG_INVALID},
    {"fast, not registered, other PD", FAST_NEVER, 0, &WHO_OTHER_PD, false, MEM_STAG_INVALID},
    /* [VRB-033] [SEC-002] [SEC-012] a window goes with its stream */
    {"window", WINDOW, 0, &WHO_1, true, MEM_OK},
    {"window, other stream of its PD", WINDOW, 0, &WHO_2, false, MEM_STAG_STREAM},
    {"window, other PD", WINDOW, 0, &WHO_OTHER_PD, false, MEM_STAG_STREAM},
    {"window, key off by one", WINDOW, KEY_1, &WHO_1, false, MEM_STAG_INVALID},
    {"window, not bound", WINDOW_NONE, 0, &WHO_1, false, MEM_STAG_INVALID},
    /* Regions that only their own calls end. [NDKPI NDK_FN_INVALIDATE] */
    {"MR", MR, 0, &WHO_1, false, MEM_CANNOT_INVALIDATE},
    {"MR, other PD", MR, 0, &WHO_OTHER_PD, false, MEM_STAG_STREAM},
    {"MR, key off by one", MR, KEY_1, &WHO_1, false, MEM_STAG_INVALID},
    {"MR, not registered", MR_NEVER, 0, &WHO_1, false, MEM_STAG_INVALID},
    {"privileged", PRIVILEGED, 0, &WHO_1, false, MEM_CANNOT_INVALIDATE},
    {"privileged, other PD", PRIVILEGED, 0, &WHO_OTHER_PD, false, MEM_STAG_STREAM},
};

enum way { BY_POINTER, BY_STAG, BY_PEER, WAY_COUNT };

/* Does the request; true if it was granted. */
static bool do_invalidate(struct fixture *f, const struct invalidate_case *c, enum way way,
    struct mem_region *r, uint32_t stag)
{
    enum sn_status s = SN_OK;
    enum mem_result m = MEM_OK;

    if (way == BY_POINTER)
        s = mem_invalidate_local(&f->table, r, *c->who);
    else if (way == BY_STAG)
        s = mem_invalidate_stag(&f->table, stag, *c->who);
    else
        m = mem_invalidate_remote(&f->table, stag, *c->who);
    if (way == BY_PEER && m != c->remote)
        fail_msg("%s, by the peer: %s", c->what, mem_result_name(m));
    if (way != BY_PEER && s != (c->is_ok_locally ? SN_OK : SN_BAD_REQUEST))
        fail_msg("%s, locally: %s", c->what, sn_status_name(s));
    return way == BY_PEER ? m == MEM_OK : s == SN_OK;
}

/* Each case in each way, on fresh regions: granted and dead at once, or refused and untouched. */
static void test_rules(void **state)
{
    struct fixture f;
    struct mem_region *s[SUBJECT_COUNT];

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        for (enum way way = BY_POINTER; way < WAY_COUNT; way++) {
            const struct invalidate_case *c = &cases[i];
            struct mem_region *r;
            bool was_valid, is_granted;
            uint32_t stag;

            if (way == BY_POINTER && c->stag_xor != 0)
                continue;
            fixture_init(&f);
            make_subjects(&f, s);
            r = s[c->subject];
            was_valid = mem_region_is_valid(r);
            stag = mem_region_stag(r);
            f.quiesce_count = 0;
            is_granted = do_invalidate(&f, c, way, r, stag ^ c->stag_xor);
            assert_int_equal(mem_region_is_valid(r), was_valid && !is_granted);
            assert_int_equal(f.quiesce_count, is_granted ? 1 : 0);
            assert_int_equal(mem_region_stag(r), stag);
            /* Again: an error, for it is invalid now. The verbs draft lets this pass [VRB-028];
             * the documentation does not. [NDKPI NDK_FN_INVALIDATE] */
            if (is_granted) {
                assert_int_equal(mem_invalidate_local(&f.table, r, *c->who), SN_BAD_REQUEST);
                assert_int_equal(mem_invalidate_stag(&f.table, stag, *c->who), SN_BAD_REQUEST);
                assert_int_equal(mem_invalidate_remote(&f.table, stag, *c->who), MEM_STAG_INVALID);
            }
            destroy_subjects(&f, s);
        }
    }
}

/* In the middle of an invalidation: refused already, nothing changed yet. [SEC-004] [DDP-039] */
static void check_revoked(struct fixture *f)
{
    const struct mem_region *r = f->region;

    assert_false(mem_region_is_valid(r));
    assert_int_equal(fixture_check(f, WHO_1, mem_region_stag(r), r->base, 1, 0), MEM_STAG_INVALID);
    assert_true(r->len != 0);
    if (r->kind == MEM_KIND_WINDOW) {
        /* The MR is not let go before the last octet has moved. */
        assert_non_null(r->parent);
        assert_int_equal(mem_deregister(&f->table, r->parent), SN_BUSY);
    } else {
        assert_non_null(r->pages);
    }
}

static void test_order(void **state)
{
    const enum subject subjects[] = {FAST, WINDOW};

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(subjects); i++) {
        for (enum way way = BY_POINTER; way < WAY_COUNT; way++) {
            const struct invalidate_case c = {"order", subjects[i], 0, &WHO_1, true, MEM_OK};
            struct fixture f;
            struct mem_region *s[SUBJECT_COUNT];

            fixture_init(&f);
            make_subjects(&f, s);
            f.region = s[subjects[i]];
            f.on_quiesce = check_revoked;
            assert_true(do_invalidate(&f, &c, way, f.region, mem_region_stag(f.region)));
            f.on_quiesce = NULL;
            assert_int_equal(
                mem_deregister(&f.table, s[MR]), subjects[i] == WINDOW ? SN_OK : SN_BUSY);
            destroy_subjects(&f, s);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_order),
    };

    return cmocka_run_group_tests_name("mem/invalidate", tests, NULL, NULL);
}
