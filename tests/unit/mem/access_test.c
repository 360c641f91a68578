/* SPDX-License-Identifier: MIT */
/* mem_check: every refusal, at the very octet; mem_spans; the Terminate of each refusal. */
#include "fixture.h"

__extension__ typedef unsigned __int128 wide; /* wide enough that nothing wraps */

#define BASE 0x7000000010ull
enum { LEN = 1000 };
static uint8_t memory[2 * LEN];

/* Regions of PD_1 that the cases name. */
enum subject {
    MR,          /* [BASE, BASE + LEN), all rights */
    MR_TOP,      /* the last LEN octets of the address space, all rights */
    MR_LOCAL,    /* no remote right */
    MR_NEVER,    /* created, never registered */
    FAST_NEVER,  /* initialised, never registered */
    FAST,        /* one page at TO 0x1000 */
    FAST_GONE,   /* registered, then invalidated */
    WINDOW,      /* [BASE + 100, BASE + 200), remote read, stream QP_1 */
    WINDOW_W,    /* the same, remote write, on MR_LOCAL */
    WINDOW_NONE, /* never bound */
    PRIVILEGED,
    SUBJECT_COUNT
};

#define TOP      (UINT64_MAX - LEN + 1) /* base of MR_TOP */
#define LR       MEM_LOCAL_READ
#define LW       MEM_LOCAL_WRITE
#define RR       MEM_REMOTE_READ
#define RW       MEM_REMOTE_WRITE
#define KEY_1    0x00000001u /* flips one bit of the key */
#define KEY_80   0x00000080u
#define INDEX_1  0x00000100u
#define INDEX_HI 0x80000000u

static const struct check_case {
    const char *what;
    enum subject subject;
    uint32_t stag_xor;
    const struct mem_who *who;
    uint64_t to, len;
    uint32_t rights;
    enum mem_result expected;
} check_cases[] = {
    /* [DDP-029] [RDM-024] [SEC-003] the very octets at both ends */
    {"whole", MR, 0, &WHO_1, BASE, LEN, RW, MEM_OK},
    {"first octet", MR, 0, &WHO_1, BASE, 1, RW, MEM_OK},
    {"last octet", MR, 0, &WHO_1, BASE + LEN - 1, 1, RW, MEM_OK},
    {"one before", MR, 0, &WHO_1, BASE - 1, 1, RW, MEM_BASE_BOUNDS},
    {"starts one before", MR, 0, &WHO_1, BASE - 1, LEN, RW, MEM_BASE_BOUNDS},
    {"one after", MR, 0, &WHO_1, BASE + LEN, 1, RW, MEM_BASE_BOUNDS},
    {"ends one after", MR, 0, &WHO_1, BASE, LEN + 1, RW, MEM_BASE_BOUNDS},
    {"ends one after, from inside", MR, 0, &WHO_1, BASE + 1, LEN, RW, MEM_BASE_BOUNDS},
    {"read one before", MR, 0, &WHO_1, BASE - 1, 1, RR, MEM_BASE_BOUNDS},
    {"read one after", MR, 0, &WHO_1, BASE + LEN, 1, RR, MEM_BASE_BOUNDS},
    {"far below", MR, 0, &WHO_1, 0, 1, RW, MEM_BASE_BOUNDS},
    {"far above", MR, 0, &WHO_1, UINT64_MAX, 1, RW, MEM_BASE_BOUNDS},
    {"huge length from the base", MR, 0, &WHO_1, BASE, UINT64_MAX - BASE, RW, MEM_BASE_BOUNDS},
    {"all octets there are", MR, 0, &WHO_1, 0, UINT64_MAX, RW, MEM_BASE_BOUNDS},
    /* Length 0 is checked like any other. */
    {"nothing, at the start", MR, 0, &WHO_1, BASE, 0, RW, MEM_OK},
    {"nothing, at the end", MR, 0, &WHO_1, BASE + LEN, 0, RW, MEM_OK},
    {"nothing, before", MR, 0, &WHO_1, BASE - 1, 0, RW, MEM_BASE_BOUNDS},
    {"nothing, after", MR, 0, &WHO_1, BASE + LEN + 1, 0, RW, MEM_BASE_BOUNDS},
    /* [DDP-030] [RDM-027] beyond 2^64 is a wrap, up to it is none */
    {"ends at 2^64", MR_TOP, 0, &WHO_1, TOP, LEN, RW, MEM_OK},
    {"last octet of all", MR_TOP, 0, &WHO_1, UINT64_MAX, 1, RR, MEM_OK},
    {"one beyond 2^64", MR_TOP, 0, &WHO_1, TOP, LEN + 1, RW, MEM_TO_WRAP},
    {"two octets at the last", MR_TOP, 0, &WHO_1, UINT64_MAX, 2, RW, MEM_TO_WRAP},
    {"two octets at the last, read", MR_TOP, 0, &WHO_1, UINT64_MAX, 2, RR, MEM_TO_WRAP},
    {"longest there is", MR_TOP, 0, &WHO_1, TOP, UINT64_MAX, RW, MEM_TO_WRAP},
    {"wrapped round to 0", MR_TOP, 0, &WHO_1, 0, 1, RW, MEM_BASE_BOUNDS},
    {"nothing at 2^64, which is 0", MR_TOP, 0, &WHO_1, 0, 0, RW, MEM_BASE_BOUNDS},
    {"one before the top", MR_TOP, 0, &WHO_1, TOP - 1, 2, RW, MEM_BASE_BOUNDS},
    {"wrap in a region elsewhere", MR, 0, &WHO_1, UINT64_MAX, 2, RW, MEM_TO_WRAP},
    {"up to 2^64 in a region elsewhere", MR, 0, &WHO_1, UINT64_MAX, 1, RW, MEM_BASE_BOUNDS},
    /* [DDP-027] [RDM-023] [VRB-021] all 32 bits are compared */
    {"key off by one", MR, KEY_1, &WHO_1, BASE, 1, RW, MEM_STAG_INVALID},
    {"key off by one, local", MR, KEY_1, &WHO_1, BASE, 1, LR, MEM_STAG_INVALID},
    {"key off, high bit", MR, KEY_80, &WHO_1, BASE, 1, RR, MEM_STAG_INVALID},
    {"index off by one", MR, INDEX_1, &WHO_1, BASE, 1, RW, MEM_STAG_INVALID},
    {"index off, high bit", MR, INDEX_HI, &WHO_1, BASE, 1, RW, MEM_STAG_INVALID},
    {"window, key off by one", WINDOW, KEY_1, &WHO_1, BASE + 100, 1, RR, MEM_STAG_INVALID},
    {"fast, key off by one", FAST, KEY_1, &WHO_1, 0x1000, 1, RR, MEM_STAG_INVALID},
    {"privileged, key off", PRIVILEGED, KEY_1, &WHO_1, BASE, 1, LR, MEM_STAG_INVALID},
    /* [VRB-024] not valid yet, or no more */
    {"MR never registered", MR_NEVER, 0, &WHO_1, BASE, 1, LR, MEM_STAG_INVALID},
    {"MR never registered, nothing", MR_NEVER, 0, &WHO_1, 0, 0, 0, MEM_STAG_INVALID},
    {"FAST_MR never registered", FAST_NEVER, 0, &WHO_1, 0x1000, 1, RW, MEM_STAG_INVALID},
    {"FAST_MR invalidated", FAST_GONE, 0, &WHO_1, 0x1000, 1, RW, MEM_STAG_INVALID},
    {"window never bound", WINDOW_NONE, 0, &WHO_1, BASE, 1, RR, MEM_STAG_INVALID},
    /* [DDP-028] [RDM-026] [SEC-001] another protection domain */
    {"other PD writes", MR, 0, &WHO_OTHER_PD, BASE, 1, RW, MEM_STAG_STREAM},
    {"other PD reads", MR, 0, &WHO_OTHER_PD, BASE, 1, RR, MEM_STAG_STREAM},
    {"other PD, local", MR, 0, &WHO_OTHER_PD, BASE, 1, LR, MEM_STAG_STREAM},
    {"other PD, fast", FAST, 0, &WHO_OTHER_PD, 0x1000, 1, RR, MEM_STAG_STREAM},
    {"other PD, window", WINDOW, 0, &WHO_OTHER_PD, BASE + 100, 1, RR, MEM_STAG_STREAM},
    {"other PD, privileged", PRIVILEGED, 0, &WHO_OTHER_PD, BASE, 1, LR, MEM_STAG_STREAM},
    /* [DDP-034] [SEC-002] [VRB-036] an MR goes by domain, a window by stream */
    {"MR, other stream of the PD", MR, 0, &WHO_2, BASE, 1, RW, MEM_OK},
    {"fast, other stream of the PD", FAST, 0, &WHO_2, 0x1000, 1, RW, MEM_OK},
    {"window, its stream", WINDOW, 0, &WHO_1, BASE + 100, 100, RR, MEM_OK},
    {"window, other stream of the PD", WINDOW, 0, &WHO_2, BASE + 100, 1, RR, MEM_STAG_STREAM},
    /* [VRB-036] [SEC-016] the window's range and rights, not the MR's */
    {"window, one before", WINDOW, 0, &WHO_1, BASE + 99, 1, RR, MEM_BASE_BOUNDS},
    {"window, one after", WINDOW, 0, &WHO_1, BASE + 200, 1, RR, MEM_BASE_BOUNDS},
    {"window, ends one after", WINDOW, 0, &WHO_1, BASE + 100, 101, RR, MEM_BASE_BOUNDS},
    {"window for reads, written", WINDOW, 0, &WHO_1, BASE + 100, 1, RW, MEM_NO_RIGHT},
    {"window for writes, read", WINDOW_W, 0, &WHO_1, BASE + 100, 1, RR, MEM_NO_RIGHT},
    {"written through a window, MR local only", WINDOW_W, 0, &WHO_1, BASE + 199, 1, RW, MEM_OK},
    {"window is never local", WINDOW, 0, &WHO_1, BASE + 100, 1, LR, MEM_NO_RIGHT},
    {"window is never local, write", WINDOW_W, 0, &WHO_1, BASE + 100, 1, LW, MEM_NO_RIGHT},
    /* [RDM-025] [VRB-043] rights */
    {"local only, written", MR_LOCAL, 0, &WHO_1, BASE, 1, RW, MEM_NO_RIGHT},
    {"local only, read", MR_LOCAL, 0, &WHO_1, BASE, 1, RR, MEM_NO_RIGHT},
    {"local only, as receive buffer", MR_LOCAL, 0, &WHO_1, BASE, 1, LW, MEM_OK},
    {"one of two rights missing", MR_LOCAL, 0, &WHO_1, BASE, 1, LW | RW, MEM_NO_RIGHT},
    /* [VRB-041] */
    {"no sink right", MR_LOCAL, 0, &WHO_1, BASE, 1, LW | MEM_READ_SINK, MEM_NO_RIGHT},
    {"sink right", MR, 0, &WHO_1, BASE, 1, LW | MEM_READ_SINK, MEM_OK},
    /* PRIVILEGED: any address, never remote */
    {"privileged", PRIVILEGED, 0, &WHO_2, BASE, LEN, LR | LW, MEM_OK},
    {"privileged, read remotely", PRIVILEGED, 0, &WHO_1, BASE, 1, RR, MEM_NO_RIGHT},
    {"privileged, written remotely", PRIVILEGED, 0, &WHO_1, BASE, 1, RW, MEM_NO_RIGHT},
    {"privileged as a required sink", PRIVILEGED, 0, &WHO_1, BASE, 1, MEM_READ_SINK, MEM_NO_RIGHT},
    {"privileged, wrap", PRIVILEGED, 0, &WHO_1, UINT64_MAX, 2, LR, MEM_TO_WRAP},
    /* The order of the checks: STag, stream, right, wrap, bounds. */
    {"all wrong", MR_LOCAL, KEY_1, &WHO_OTHER_PD, UINT64_MAX, 2, RW, MEM_STAG_INVALID},
    {"stream before right", MR_LOCAL, 0, &WHO_OTHER_PD, UINT64_MAX, 2, RW, MEM_STAG_STREAM},
    {"right before wrap", MR_LOCAL, 0, &WHO_1, UINT64_MAX, 2, RW, MEM_NO_RIGHT},
    {"right before bounds", MR_LOCAL, 0, &WHO_1, BASE - 1, 1, RW, MEM_NO_RIGHT},
};

static void make_subjects(struct fixture *f, struct mem_region **s, const uint64_t *page)
{
    s[MR] = fixture_mr(f, memory, BASE, LEN, RIGHTS_ALL);
    s[MR_TOP] = fixture_mr(f, memory, TOP, LEN, RIGHTS_ALL);
    s[MR_LOCAL] = fixture_mr(f, memory, BASE, LEN, MEM_LOCAL_WRITE);
    s[MR_NEVER] = fixture_create(f, MEM_KIND_MR, PD_1);
    s[FAST_NEVER] = fixture_fast_mr(f, 1);
    s[FAST] = fixture_fast_mr(f, 1);
    fixture_fast_register(f, s[FAST], page, RIGHTS_ALL);
    s[FAST_GONE] = fixture_fast_mr(f, 1);
    fixture_fast_register(f, s[FAST_GONE], page, RIGHTS_ALL);
    assert_int_equal(mem_invalidate_local(&f->table, s[FAST_GONE], WHO_1), SN_OK);
    s[WINDOW] = fixture_create(f, MEM_KIND_WINDOW, PD_1);
    fixture_bind(f, s[WINDOW], WHO_1, s[MR], BASE + 100, 100, RR);
    s[WINDOW_W] = fixture_create(f, MEM_KIND_WINDOW, PD_1);
    fixture_bind(f, s[WINDOW_W], WHO_1, s[MR_LOCAL], BASE + 100, 100, RW);
    s[WINDOW_NONE] = fixture_create(f, MEM_KIND_WINDOW, PD_1);
    s[PRIVILEGED] = fixture_create(f, MEM_KIND_PRIVILEGED, PD_1);
}

static void test_refusals(void **state)
{
    struct fixture f;
    struct mem_region *s[SUBJECT_COUNT];
    uint64_t page = (uint64_t)5 * MEM_PAGE_SIZE;

    (void)state;
    fixture_init(&f);
    make_subjects(&f, s, &page);
    for (size_t i = 0; i < SN_ARRAY_COUNT(check_cases); i++) {
        const struct check_case *c = &check_cases[i];
        uint32_t stag = mem_region_stag(s[c->subject]) ^ c->stag_xor;
        enum mem_result got = fixture_check(&f, *c->who, stag, c->to, c->len, c->rights);

        if (got != c->expected)
            fail_msg(
                "%s: %s, expected %s", c->what, mem_result_name(got), mem_result_name(c->expected));
    }
    for (size_t i = SUBJECT_COUNT; i-- > 0;)
        fixture_destroy(&f, s[i]);
    fixture_fini(&f);
}

/* [VRB-023] STag 0 and all others of index 0 are unknown, whoever asks for whatever. */
static void test_index_zero(void **state)
{
    struct fixture f;
    struct mem_region *r;

    (void)state;
    fixture_init(&f);
    r = fixture_mr(&f, memory, 0, LEN, RIGHTS_ALL);
    for (uint32_t key = 0; key < 256; key++) {
        assert_int_equal(fixture_check(&f, WHO_1, key, 0, 1, RW), MEM_STAG_INVALID);
        assert_int_equal(fixture_check(&f, WHO_1, key, 0, 0, 0), MEM_STAG_INVALID);
        assert_int_equal(mem_invalidate_remote(&f.table, key, WHO_1), MEM_STAG_INVALID);
    }
    fixture_destroy(&f, r);
    assert_int_equal(fixture_check(&f, WHO_1, 0, 0, 1, RW), MEM_STAG_INVALID);
    fixture_fini(&f);
}

/* [DDP-027] guesses: of a million random STags none but the real one is known. [SEC-005] */
static void test_guessing(void **state)
{
    struct fixture f;
    struct mem_region *r;
    uint64_t seed = 99;

    (void)state;
    fixture_init(&f);
    r = fixture_mr(&f, memory, BASE, LEN, RIGHTS_ALL);
    for (int i = 0; i < 1000000; i++) {
        uint32_t stag = (uint32_t)fixture_next(&seed);
        const struct mem_region *out = NULL;

        if (stag != mem_region_stag(r))
            assert_int_equal(mem_check(&f.table, WHO_1, stag, BASE, 1, RW, &out), MEM_STAG_INVALID);
    }
    fixture_destroy(&f, r);
    fixture_fini(&f);
}

/* [VRB-039] all sets of rights of a region against all sets of rights of an access. */
static void test_rights_matrix(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (uint32_t asked = 0; asked <= RIGHTS_ALL; asked++) {
        struct mem_region *r = fixture_mr(&f, memory, BASE, LEN, asked);
        uint32_t granted = asked | LR | ((asked & RW) != 0 ? (uint32_t)LW : 0);

        for (uint32_t used = 0; used <= RIGHTS_ALL; used++) {
            bool is_subset = (used | granted) == granted;

            assert_int_equal(fixture_check(&f, WHO_1, mem_region_stag(r), BASE, 1, used),
                is_subset ? MEM_OK : MEM_NO_RIGHT);
        }
        fixture_destroy(&f, r);
    }
    fixture_fini(&f);
}

/* A number near one of the ends where mistakes hide, or any. */
static uint64_t interesting(uint64_t *seed, uint64_t base, uint64_t len)
{
    const uint64_t near[] = {0, base, base + len, UINT64_MAX, len, 1ull << 63, UINT32_MAX};
    uint64_t x = near[fixture_below(seed, SN_ARRAY_COUNT(near))];

    return fixture_below(seed, 8) == 0 ? fixture_next(seed) : x + fixture_below(seed, 7) - 3;
}

/* [DDP-029] [DDP-030] [SEC-003] against arithmetic that cannot wrap. */
static void test_bounds_against_model(void **state)
{
    const wide end_of_all = (wide)1 << 64;
    struct fixture f;
    struct mem_region *r;
    uint64_t seed = 7;

    (void)state;
    fixture_init(&f);
    r = fixture_create(&f, MEM_KIND_MR, PD_1);
    for (int i = 0; i < 20000; i++) {
        uint64_t base = interesting(&seed, 1ull << 40, 1ull << 33);
        uint64_t len = interesting(&seed, 4096, 1ull << 20);
        /* Only addresses are computed, so the memory need not be there. */
        enum sn_status s = mem_register(&f.table, r, (uint8_t *)1, base, len, RW);
        bool is_possible = len != 0 && (wide)base + len <= end_of_all;

        assert_int_equal(s, is_possible ? SN_OK : SN_INVALID);
        if (s != SN_OK)
            continue;
        for (int j = 0; j < 20; j++) {
            uint64_t to = interesting(&seed, base, len);
            uint64_t n = interesting(&seed, len, 1);
            wide end = (wide)to + n;
            enum mem_result expected = MEM_OK;

            if (end > end_of_all)
                expected = MEM_TO_WRAP;
            else if (to < base || end > (wide)base + len)
                expected = MEM_BASE_BOUNDS;
            assert_int_equal(fixture_check(&f, WHO_1, mem_region_stag(r), to, n, RW), expected);
        }
        assert_int_equal(mem_deregister(&f.table, r), SN_OK);
    }
    fixture_destroy(&f, r);
    fixture_fini(&f);
}

/* [DDP-031] a message in segments: those inside pass, the one over the end does not. */
static void test_segments(void **state)
{
    struct fixture f;
    struct mem_region *r;

    (void)state;
    fixture_init(&f);
    r = fixture_mr(&f, memory, BASE, LEN, RW);
    for (uint64_t at = 0; at < LEN + 300; at += 100) {
        assert_int_equal(fixture_check(&f, WHO_1, mem_region_stag(r), BASE + at, 100, RW),
            at < LEN ? MEM_OK : MEM_BASE_BOUNDS);
    }
    fixture_destroy(&f, r);
    fixture_fini(&f);
}

/* [VRB-037] an MR is one span, at any offset; a window is where its MR is; PRIVILEGED is itself. */
static void test_spans_of_ranges(void **state)
{
    struct fixture f;
    struct mem_region *s[SUBJECT_COUNT];
    uint64_t page = (uint64_t)5 * MEM_PAGE_SIZE;
    struct sn_span span[2];
    uint64_t covered;

    (void)state;
    fixture_init(&f);
    make_subjects(&f, s, &page);
    assert_int_equal(mem_spans(s[MR], BASE + 7, 20, span, 2, &covered), 1);
    assert_ptr_equal(span[0].p, memory + 7);
    assert_int_equal(span[0].n, 20);
    assert_int_equal(covered, 20);
    assert_int_equal(mem_spans(s[MR_TOP], UINT64_MAX, 1, span, 1, &covered), 1);
    assert_ptr_equal(span[0].p, memory + LEN - 1);
    assert_int_equal(mem_spans(s[WINDOW], BASE + 150, 50, span, 2, &covered), 1);
    assert_ptr_equal(span[0].p, memory + 150);
    assert_int_equal(
        mem_spans(s[PRIVILEGED], (uint64_t)(uintptr_t)memory, LEN, span, 2, &covered), 1);
    assert_ptr_equal(span[0].p, memory);
    assert_int_equal(span[0].n, LEN);
    assert_int_equal(mem_spans(s[FAST], 0x1000 + 9, 30, span, 2, &covered), 1);
    assert_int_equal((uintptr_t)span[0].p, page + 9);
    /* Nothing asked for, or no room. */
    assert_int_equal(mem_spans(s[MR], BASE, 0, span, 2, &covered), 0);
    assert_int_equal(covered, 0);
    assert_int_equal(mem_spans(s[MR], BASE, 5, span, 0, &covered), 0);
    assert_int_equal(covered, 0);
    for (size_t i = SUBJECT_COUNT; i-- > 0;)
        fixture_destroy(&f, s[i]);
    fixture_fini(&f);
}

static const struct {
    enum mem_result result;
    const char *name;
    uint8_t ddp_code, rdmap_code; /* both of type 1; layer 1 and layer 0 */
} wire_cases[] = {
    {MEM_STAG_INVALID, "STAG_INVALID", 0x00, 0x00},
    {MEM_STAG_STREAM, "STAG_STREAM", 0x02, 0x03},
    {MEM_NO_RIGHT, "NO_RIGHT", 0x00, 0x02},
    {MEM_TO_WRAP, "TO_WRAP", 0x03, 0x04},
    {MEM_BASE_BOUNDS, "BASE_BOUNDS", 0x01, 0x01},
    {MEM_CANNOT_INVALIDATE, "CANNOT_INVALIDATE", 0x00, 0x09},
};

/* [DDP-027] to [DDP-030], [RDM-023] to [RDM-027]: the octets of the Terminate. */
static void test_wire_codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(wire_cases); i++) {
        const struct wire_err_info *ddp = wire_err_info(mem_result_to_ddp(wire_cases[i].result));
        const struct wire_err_info *rdmap =
            wire_err_info(mem_result_to_rdmap(wire_cases[i].result));

        assert_string_equal(mem_result_name(wire_cases[i].result), wire_cases[i].name);
        assert_int_equal(ddp->layer, 1);
        assert_int_equal(ddp->type, 1);
        assert_int_equal(ddp->code, wire_cases[i].ddp_code);
        assert_int_equal(rdmap->layer, 0);
        assert_int_equal(rdmap->type, 1);
        assert_int_equal(rdmap->code, wire_cases[i].rdmap_code);
    }
    assert_int_equal(mem_result_to_ddp(MEM_OK), WIRE_OK);
    assert_int_equal(mem_result_to_rdmap(MEM_OK), WIRE_OK);
    assert_string_equal(mem_result_name(MEM_OK), "OK");
    assert_string_equal(mem_result_name((enum mem_result)99), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_index_zero),
        cmocka_unit_test(test_guessing),
        cmocka_unit_test(test_rights_matrix),
        cmocka_unit_test(test_bounds_against_model),
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_spans_of_ranges),
        cmocka_unit_test(test_wire_codes),
    };

    return cmocka_run_group_tests_name("mem/access", tests, NULL, NULL);
}
