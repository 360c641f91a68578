/* SPDX-License-Identifier: MIT */
/* Windows: what may be bound to what by whom, and what is left when a window lets go. */
#include "fixture.h"

#define BASE 0x50000ull
enum { LEN = 1000 };
static uint8_t memory[LEN];

/* The MRs that a case may bind to. All but the last are of PD_1. */
enum target { TO_MR, TO_READ_ONLY, TO_NEVER_REGISTERED, TO_FAST, TO_WINDOW, TO_COUNT };

static const struct check_case {
    const char *what;
    enum target target;
    uint64_t base, len;
    uint32_t rights;
    enum sn_status expected;
} check_cases[] = {
    /* [VRB-035] 8: the range, to the octet */
    {"all of it", TO_MR, BASE, LEN, MEM_REMOTE_READ, SN_OK},
    {"last octet", TO_MR, BASE + LEN - 1, 1, MEM_REMOTE_WRITE, SN_OK},
    {"nothing, inside", TO_MR, BASE + LEN - 1, 0, MEM_REMOTE_READ, SN_OK},
    {"nothing, at the end", TO_MR, BASE + LEN, 0, MEM_REMOTE_READ, SN_INVALID},
    {"one before", TO_MR, BASE - 1, 10, MEM_REMOTE_READ, SN_INVALID},
    {"ends one after", TO_MR, BASE + 1, LEN, MEM_REMOTE_READ, SN_INVALID},
    {"longer", TO_MR, BASE, LEN + 1, MEM_REMOTE_READ, SN_INVALID},
    {"wraps", TO_MR, BASE + 1, UINT64_MAX, MEM_REMOTE_READ, SN_INVALID},
    {"wraps to the base", TO_MR, UINT64_MAX, 2, MEM_REMOTE_READ, SN_INVALID},
    {"zero-based", TO_MR, 0, 1, MEM_REMOTE_READ, SN_INVALID},
    /* [VRB-035] 6: rights. A window is remote only and has at least one right. */
    {"read and write", TO_MR, BASE, 1, MEM_REMOTE_READ | MEM_REMOTE_WRITE, SN_OK},
    {"no right", TO_MR, BASE, 1, 0, SN_INVALID},
    {"local read", TO_MR, BASE, 1, MEM_REMOTE_READ | MEM_LOCAL_READ, SN_INVALID},
    {"local write", TO_MR, BASE, 1, MEM_REMOTE_WRITE | MEM_LOCAL_WRITE, SN_INVALID},
    {"sink", TO_MR, BASE, 1, MEM_REMOTE_WRITE | MEM_READ_SINK, SN_INVALID},
    {"read of a local-read MR", TO_READ_ONLY, BASE, 1, MEM_REMOTE_READ, SN_OK},
    {"write without local write", TO_READ_ONLY, BASE, 1, MEM_REMOTE_WRITE, SN_NO_ACCESS},
    {"both without local write", TO_READ_ONLY, BASE, 1, MEM_REMOTE_READ | MEM_REMOTE_WRITE,
        SN_NO_ACCESS},
    {"range before access", TO_READ_ONLY, BASE - 1, 1, MEM_REMOTE_WRITE, SN_INVALID},
    /* [VRB-035] 3, 5 */
    {"not registered", TO_NEVER_REGISTERED, BASE, 1, MEM_REMOTE_READ, SN_BAD_STATE},
    {"a FAST_MR", TO_FAST, 0x1000, 1, MEM_REMOTE_READ, SN_INVALID},
    {"a window", TO_WINDOW, BASE, 1, MEM_REMOTE_READ, SN_INVALID},
};

/* Posting says what is wrong; execution refuses the same. [NDKPI NDK_FN_BIND] */
static void test_check(void **state)
{
    const uint64_t page = MEM_PAGE_SIZE;
    struct fixture f;
    struct mem_region *to[TO_COUNT], *w;

    (void)state;
    fixture_init(&f);
    to[TO_MR] = fixture_mr(&f, memory, BASE, LEN, RIGHTS_ALL);
    to[TO_READ_ONLY] = fixture_mr(&f, memory, BASE, LEN, 0);
    to[TO_NEVER_REGISTERED] = fixture_create(&f, MEM_KIND_MR, PD_1);
    to[TO_FAST] = fixture_fast_mr(&f, 1);
    fixture_fast_register(&f, to[TO_FAST], &page, RIGHTS_ALL);
    to[TO_WINDOW] = fixture_create(&f, MEM_KIND_WINDOW, PD_1);
    fixture_bind(&f, to[TO_WINDOW], WHO_1, to[TO_MR], BASE, LEN, MEM_REMOTE_WRITE);
    w = fixture_create(&f, MEM_KIND_WINDOW, PD_1);
    for (size_t i = 0; i < SN_ARRAY_COUNT(check_cases); i++) {
        const struct check_case *c = &check_cases[i];
        const struct mem_bind b = {
            to[c->target], c->base, c->len, c->rights, mem_window_next_stag(&f.table, w)};
        enum sn_status checked = mem_bind_check(w, &b);
        enum sn_status executed = mem_bind(&f.table, w, WHO_1, &b);

        if (checked != c->expected || (executed == SN_OK) != (checked == SN_OK))
            fail_msg("%s: %s, %s", c->what, sn_status_name(checked), sn_status_name(executed));
        if (executed == SN_OK)
            assert_int_equal(mem_invalidate_local(&f.table, w, WHO_1), SN_OK);
        else
            assert_int_equal(executed, SN_BAD_REQUEST);
        assert_false(mem_region_is_valid(w));
    }
    fixture_destroy(&f, w);
    for (size_t i = TO_COUNT; i-- > 0;)
        fixture_destroy(&f, to[i]);
    fixture_fini(&f);
}

/* [VRB-035] 1, 4: a window only, of one domain with the MR and the stream, and not bound. */
static void test_who_binds(void **state)
{
    struct fixture f;
    struct mem_region *mr, *mr_other, *w, *w_other;
    struct mem_bind b = {NULL, BASE, LEN, MEM_REMOTE_READ, 0};

    (void)state;
    fixture_init(&f);
    mr = fixture_mr(&f, memory, BASE, LEN, RIGHTS_ALL);
    mr_other = fixture_create(&f, MEM_KIND_MR, PD_2);
    assert_int_equal(mem_register(&f.table, mr_other, memory, BASE, LEN, RIGHTS_ALL), SN_OK);
    w = fixture_create(&f, MEM_KIND_WINDOW, PD_1);
    w_other = fixture_create(&f, MEM_KIND_WINDOW, PD_2);

    b.mr = mr_other;
    b.stag = mem_window_next_stag(&f.table, w);
    assert_int_equal(mem_bind(&f.table, w, WHO_1, &b), SN_BAD_REQUEST);
    assert_int_equal(mem_bind(&f.table, w, WHO_OTHER_PD, &b), SN_BAD_REQUEST);
    b.mr = mr;
    assert_int_equal(mem_bind(&f.table, w, WHO_OTHER_PD, &b), SN_BAD_REQUEST);
    b.stag = mem_window_next_stag(&f.table, w_other);
    assert_int_equal(mem_bind(&f.table, w_other, WHO_1, &b), SN_BAD_REQUEST);
    assert_int_equal(mem_bind_check(mr_other, &b), SN_INVALID);
    assert_int_equal(mem_bind(&f.table, mr_other, WHO_OTHER_PD, &b), SN_BAD_REQUEST);
    /* Nothing of that counted as bound. */
    assert_int_equal(mem_deregister(&f.table, mr_other), SN_OK);
    b.stag = mem_window_next_stag(&f.table, w);
    assert_int_equal(mem_bind(&f.table, w, WHO_1, &b), SN_OK);
    b.stag = mem_window_next_stag(&f.table, w);
    assert_int_equal(mem_bind(&f.table, w, WHO_1, &b), SN_BAD_REQUEST); /* still bound */
    assert_int_equal(mem_bind(&f.table, w, WHO_2, &b), SN_BAD_REQUEST);
    fixture_destroy(&f, w);
    fixture_destroy(&f, w_other);
    fixture_destroy(&f, mr);
    fixture_destroy(&f, mr_other);
    fixture_fini(&f);
}

/* The MR may have changed between posting and execution. */
static void test_mr_changes_before_execution(void **state)
{
    struct fixture f;
    struct mem_region *mr, *w;
    struct mem_bind b = {NULL, BASE + 500, 500, MEM_REMOTE_WRITE, 0};

    (void)state;
    fixture_init(&f);
    mr = fixture_mr(&f, memory, BASE, LEN, MEM_LOCAL_WRITE);
    w = fixture_create(&f, MEM_KIND_WINDOW, PD_1);
    b.mr = mr;
    b.stag = mem_window_next_stag(&f.table, w);
    assert_int_equal(mem_bind_check(w, &b), SN_OK);
    assert_int_equal(mem_deregister(&f.table, mr), SN_OK);
    assert_int_equal(mem_bind(&f.table, w, WHO_1, &b), SN_BAD_REQUEST);
    assert_int_equal(mem_register(&f.table, mr, memory, BASE, LEN - 1, MEM_LOCAL_WRITE), SN_OK);
    assert_int_equal(mem_bind(&f.table, w, WHO_1, &b), SN_BAD_REQUEST); /* shorter now */
    assert_int_equal(mem_deregister(&f.table, mr), SN_OK);
    assert_int_equal(mem_register(&f.table, mr, memory, BASE, LEN, 0), SN_OK);
    assert_int_equal(mem_bind(&f.table, w, WHO_1, &b), SN_BAD_REQUEST); /* not writable now */
    assert_int_equal(mem_deregister(&f.table, mr), SN_OK);
    assert_int_equal(mem_register(&f.table, mr, memory, BASE, LEN, MEM_LOCAL_WRITE), SN_OK);
    assert_int_equal(mem_bind(&f.table, w, WHO_1, &b), SN_OK);
    fixture_destroy(&f, w);
    fixture_destroy(&f, mr);
    fixture_fini(&f);
}

/* Bound, invalidated and bound elsewhere, to another stream: each time only the last STag is good.
 * [VRB-021] [VRB-036] [SEC-002] */
static void test_life(void **state)
{
    struct fixture f;
    struct mem_region *mr[2], *w;
    uint32_t stags[200];

    (void)state;
    fixture_init(&f);
    mr[0] = fixture_mr(&f, memory, BASE, LEN, RIGHTS_ALL);
    mr[1] = fixture_mr(&f, memory + 500, 0, 500, RIGHTS_ALL);
    w = fixture_create(&f, MEM_KIND_WINDOW, PD_1);
    assert_int_equal(mem_invalidate_local(&f.table, w, WHO_1), SN_BAD_REQUEST);
    for (size_t i = 0; i < SN_ARRAY_COUNT(stags); i++) {
        struct mem_who who = i % 3 ? WHO_1 : WHO_2;
        struct mem_who other = i % 3 ? WHO_2 : WHO_1;
        uint64_t base = i % 2 ? 100 : BASE + 600;
        struct sn_span span;
        uint64_t covered;

        fixture_bind(&f, w, who, mr[i % 2], base, 50, MEM_REMOTE_READ);
        stags[i] = mem_region_stag(w);
        for (size_t j = 0; j < i; j++)
            assert_int_equal(
                fixture_check(&f, who, stags[j], base, 1, MEM_REMOTE_READ), MEM_STAG_INVALID);
        assert_int_equal(fixture_check(&f, who, stags[i], base, 50, MEM_REMOTE_READ), MEM_OK);
        assert_int_equal(
            fixture_check(&f, other, stags[i], base, 50, MEM_REMOTE_READ), MEM_STAG_STREAM);
        /* What the region grants, the window does not. */
        assert_int_equal(fixture_check(&f, who, stags[i], base, 1, MEM_REMOTE_WRITE), MEM_NO_RIGHT);
        assert_int_equal(
            fixture_check(&f, who, stags[i], base + 49, 2, MEM_REMOTE_READ), MEM_BASE_BOUNDS);
        assert_int_equal(mem_spans(w, base + 1, 49, &span, 1, &covered), 1);
        assert_ptr_equal(span.p, memory + 601); /* both ways it is the same memory */
        assert_int_equal(mem_invalidate_local(&f.table, w, other), SN_BAD_REQUEST);
        assert_int_equal(mem_invalidate_local(&f.table, w, who), SN_OK);
        assert_int_equal(mem_invalidate_local(&f.table, w, who), SN_BAD_REQUEST);
        assert_int_equal(
            fixture_check(&f, who, stags[i], base, 1, MEM_REMOTE_READ), MEM_STAG_INVALID);
    }
    assert_int_equal(mem_deregister(&f.table, mr[0]), SN_OK); /* nothing is bound any more */
    assert_int_equal(mem_deregister(&f.table, mr[1]), SN_OK);
    fixture_destroy(&f, w);
    fixture_destroy(&f, mr[0]);
    fixture_destroy(&f, mr[1]);
    fixture_fini(&f);
}

/* Windows over the same octets with different rights do not know of each other, and what the region
 * grants beside its local write is not asked. [VRB-036] */
static void test_overlap(void **state)
{
    static const uint32_t region_rights[] = {MEM_LOCAL_WRITE, RIGHTS_ALL};

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(region_rights); i++) {
        struct fixture f;
        struct mem_region *mr, *reads, *writes;
        uint32_t to_read, to_write;

        fixture_init(&f);
        mr = fixture_mr(&f, memory, BASE, LEN, region_rights[i]);
        reads = fixture_create(&f, MEM_KIND_WINDOW, PD_1);
        writes = fixture_create(&f, MEM_KIND_WINDOW, PD_1);
        fixture_bind(&f, reads, WHO_1, mr, BASE, LEN, MEM_REMOTE_READ);
        fixture_bind(&f, writes, WHO_2, mr, BASE + 10, 10, MEM_REMOTE_WRITE);
        to_read = mem_region_stag(reads);
        to_write = mem_region_stag(writes);
        assert_int_equal(fixture_check(&f, WHO_1, to_read, BASE, LEN, MEM_REMOTE_READ), MEM_OK);
        assert_int_equal(
            fixture_check(&f, WHO_1, to_read, BASE, 1, MEM_REMOTE_WRITE), MEM_NO_RIGHT);
        assert_int_equal(
            fixture_check(&f, WHO_2, to_write, BASE + 10, 10, MEM_REMOTE_WRITE), MEM_OK);
        assert_int_equal(
            fixture_check(&f, WHO_2, to_write, BASE + 10, 1, MEM_REMOTE_READ), MEM_NO_RIGHT);
        assert_int_equal(mem_invalidate_local(&f.table, reads, WHO_1), SN_OK);
        assert_int_equal(
            fixture_check(&f, WHO_2, to_write, BASE + 10, 10, MEM_REMOTE_WRITE), MEM_OK);
        fixture_destroy(&f, reads);
        fixture_destroy(&f, writes);
        fixture_destroy(&f, mr);
        fixture_fini(&f);
    }
}

/* The STag is known when the bind is posted; several may be under way, each with its own. */
static void test_stag_before_execution(void **state)
{
    struct fixture f;
    struct mem_region *mr, *w;
    struct mem_bind first = {NULL, BASE, LEN, MEM_REMOTE_READ, 0};
    struct mem_bind second;

    (void)state;
    fixture_init(&f);
    mr = fixture_mr(&f, memory, BASE, LEN, RIGHTS_ALL);
    w = fixture_create(&f, MEM_KIND_WINDOW, PD_1);
    first.mr = mr;
    first.stag = mem_window_next_stag(&f.table, w);
    second = first;
    second.stag = mem_window_next_stag(&f.table, w);
    assert_int_not_equal(first.stag, second.stag);
    assert_int_equal(
        fixture_check(&f, WHO_1, first.stag, BASE, 1, MEM_REMOTE_READ), MEM_STAG_INVALID);
    assert_int_equal(mem_bind(&f.table, w, WHO_1, &first), SN_OK);
    assert_int_equal(fixture_check(&f, WHO_1, first.stag, BASE, 1, MEM_REMOTE_READ), MEM_OK);
    assert_int_equal(
        fixture_check(&f, WHO_1, second.stag, BASE, 1, MEM_REMOTE_READ), MEM_STAG_INVALID);
    assert_int_equal(mem_invalidate_local(&f.table, w, WHO_1), SN_OK);
    assert_int_equal(mem_bind(&f.table, w, WHO_1, &second), SN_OK);
    assert_int_equal(
        fixture_check(&f, WHO_1, first.stag, BASE, 1, MEM_REMOTE_READ), MEM_STAG_INVALID);
    assert_int_equal(fixture_check(&f, WHO_1, second.stag, BASE, 1, MEM_REMOTE_READ), MEM_OK);
    fixture_destroy(&f, w);
    fixture_destroy(&f, mr);
    fixture_fini(&f);
}

/* Who was told, and how often. */
static void *told;
static int told_count;

static void note_unbound(void *ctx, void *mr_owner)
{
    struct fixture *f = ctx;

    assert_non_null(f);
    told = mr_owner;
    told_count++;
}

/* The owner of the MR hears of every window that lets go, by whatever way, once; after the lanes
 * were waited for. */
static void test_owner_hears(void **state)
{
    struct fixture f;
    struct mem_region *mr, *w;
    int owner;

    (void)state;
    fixture_init(&f);
    f.table.unbound = note_unbound;
    mr = fixture_mr(&f, memory, BASE, LEN, RIGHTS_ALL);
    mr->owner = &owner;
    w = fixture_create(&f, MEM_KIND_WINDOW, PD_1);
    for (int way = 0; way < 4; way++) {
        size_t quiesce_count = f.quiesce_count;

        told = NULL;
        told_count = 0;
        fixture_bind(&f, w, WHO_1, mr, BASE, LEN, MEM_REMOTE_READ);
        assert_int_equal(mem_invalidate_local(&f.table, w, WHO_2), SN_BAD_REQUEST);
        assert_int_equal(told_count, 0);
        if (way == 0)
            assert_int_equal(mem_invalidate_local(&f.table, w, WHO_1), SN_OK);
        else if (way == 1)
            assert_int_equal(mem_invalidate_stag(&f.table, mem_region_stag(w), WHO_1), SN_OK);
        else if (way == 2)
            assert_int_equal(mem_invalidate_remote(&f.table, mem_region_stag(w), WHO_1), MEM_OK);
        else
            fixture_destroy(&f, w);
        assert_int_equal(told_count, 1);
        assert_ptr_equal(told, &owner);
        assert_int_equal(f.quiesce_count, quiesce_count + 1);
    }
    w = fixture_create(&f, MEM_KIND_WINDOW, PD_1);
    fixture_destroy(&f, w); /* never bound: nothing to tell */
    assert_int_equal(told_count, 1);
    fixture_destroy(&f, mr);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_who_binds),
        cmocka_unit_test(test_mr_changes_before_execution),
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_stag_before_execution),
        cmocka_unit_test(test_owner_hears),
    };

    return cmocka_run_group_tests_name("mem/window", tests, NULL, NULL);
}
