/* SPDX-License-Identifier: MIT */
#include "support/golden.h"
#include "support/octets.h"
#include "support/unit.h"
#include "wire/fpdu.h"
#include "wire/rdmap.h"

#define ALL UINT64_MAX

static void assert_same_request(const struct rdmap_atomic_req *a, const struct rdmap_atomic_req *b)
{
    assert_int_equal(a->op, b->op);
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->stag, b->stag);
    assert_true(a->to == b->to);
    assert_true(a->data == b->data);
    assert_true(a->mask == b->mask);
    assert_true(a->compare == b->compare);
    assert_true(a->compare_mask == b->compare_mask);
}

/* E21, E22. [EXT-012] */
static void golden_requests_parse_and_build(void **state)
{
    static const struct {
        const char *name;
        struct rdmap_atomic_req r;
    } rows[] = {
        {"E21", {RDMAP_FETCH_ADD, 7, 0x0a0b0c01, 0x1008, 5, 0, 0, ALL}},
        {"E22", {RDMAP_CMP_SWAP, 8, 0x0a0b0c01, 0x1008, 9, ALL, 5, ALL}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct golden *g = golden_find(rows[i].name);
        uint8_t *header =
            octets_copy(g->p + MPA_LEN_FIELD + DDP_UNTAGGED_LEN, RDMAP_ATOMIC_REQ_LEN);
        uint8_t out[RDMAP_ATOMIC_REQ_LEN];
        struct rdmap_atomic_req got;

        rdmap_atomic_req_parse(header, &got);
        assert_same_request(&got, &rows[i].r);
        rdmap_atomic_req_build(&rows[i].r, out);
        assert_memory_equal(out, header, sizeof(out));
        free(header);
    }
}

/* E23. [EXT-007] */
static void the_golden_response_parses_and_builds(void **state)
{
    const struct golden *g = golden_find("E23");
    uint8_t *header = octets_copy(g->p + MPA_LEN_FIELD + DDP_UNTAGGED_LEN, RDMAP_ATOMIC_RSP_LEN);
    uint8_t out[RDMAP_ATOMIC_RSP_LEN];
    struct rdmap_atomic_rsp rsp;

    (void)state;
    rdmap_atomic_rsp_parse(header, &rsp);
    assert_int_equal(rsp.id, 7);
    assert_int_equal(rsp.old_value, 0x2a);
    rdmap_atomic_rsp_build(&rsp, out);
    assert_memory_equal(out, header, sizeof(out));
    free(header);
}

static void any_octets_are_headers_and_back(void **state)
{
    uint64_t x = 5;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        uint8_t p[RDMAP_ATOMIC_REQ_LEN], out[RDMAP_ATOMIC_REQ_LEN];
        struct rdmap_atomic_req req, again;
        struct rdmap_atomic_rsp rsp;

        random_fill(&x, p, sizeof(p));
        rdmap_atomic_rsp_parse(p, &rsp);
        rdmap_atomic_rsp_build(&rsp, out);
        assert_memory_equal(out, p, RDMAP_ATOMIC_RSP_LEN);

        rdmap_atomic_req_parse(p, &req);
        assert_int_equal(req.op, p[3] & 0xF);
        rdmap_atomic_req_build(&req, out);
        p[0] = p[1] = p[2] = 0; /* reserved: ignored, sent as zero */
        p[3] &= 0xF;
        assert_memory_equal(out, p, sizeof(p));
        rdmap_atomic_req_parse(out, &again);
        assert_same_request(&again, &req);
    }
}

static uint64_t apply(
    uint8_t op, uint64_t old, uint64_t data, uint64_t mask, uint64_t compare, uint64_t compare_mask)
{
    const struct rdmap_atomic_req r = {
        .op = op, .data = data, .mask = mask, .compare = compare, .compare_mask = compare_mask};
    uint64_t result = 0xDEAD;

    assert_true(rdmap_atomic_apply(&r, old, &result));
    return result;
}

/* [EXT-008] */
static void fetch_add_vectors(void **state)
{
    static const struct {
        uint64_t old, add, mask, want;
    } rows[] = {
        {5, 7, 0, 12},
        {ALL, 1, 0, 0},
        {0, ALL, 0, ALL},
        /* one field of 64 bits: its top bit marked or not is the same */
        {ALL, 1, (uint64_t)1 << 63, 0},
        {(uint64_t)1 << 63, (uint64_t)1 << 63, (uint64_t)1 << 63, 0},
        /* two fields of 32 bits: no carry from the low into the high one */
        {0x00000000FFFFFFFFu, 1, 0x8000000080000000u, 0},
        {0x00000000FFFFFFFFu, 1, 0x8000000000000000u, 0x0000000100000000u},
        {0x00000001FFFFFFFFu, 0x0000000100000001u, 0x0000000080000000u, 0x0000000200000000u},
        /* eight fields of 8 bits */
        {0xFFFFFFFFFFFFFFFFu, 0x0101010101010101u, 0x8080808080808080u, 0},
        {0x7F80FF0001020304u, 0x0180017F00FF0102u, 0x8080808080808080u, 0x8000007F01010406u},
        /* 64 fields of one bit: exclusive or */
        {0xF0F0F0F0F0F0F0F0u, 0xFF00FF00FF00FF00u, ALL, 0x0FF00FF00FF00FF0u},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_true(
            apply(RDMAP_FETCH_ADD, rows[i].old, rows[i].add, rows[i].mask, 0, ALL) == rows[i].want);
}

/* Bit by bit with a carry, as the rule says it. [EXT-008] */
static void fetch_add_is_addition_without_carry_out_of_a_field(void **state)
{
    uint64_t x = 6;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint64_t old = random_next(&x), add = random_next(&x), want = 0, carry = 0;
        uint64_t mask = random_next(&x) & (i % 3 == 0 ? random_next(&x) : ALL);

        mask &= i % 5 == 0 ? 0 : ALL;
        for (int bit = 0; bit < 64; bit++) {
            uint64_t sum = ((old >> bit) & 1) + ((add >> bit) & 1) + carry;

            want |= (sum & 1) << bit;
            carry = ((mask >> bit) & 1) != 0 ? 0 : sum >> 1;
        }
        assert_true(apply(RDMAP_FETCH_ADD, old, add, mask, 0, ALL) == want);
    }
}

/* [EXT-009] */
static void cmp_swap_vectors(void **state)
{
    static const struct {
        uint64_t old, swap, swap_mask, compare, compare_mask, want;
    } rows[] = {
        {5, 9, ALL, 5, ALL, 9},
        {6, 9, ALL, 5, ALL, 6},
        {6, 9, ALL, 5, 0, 9},              /* nothing compared: always */
        {0x1234, 0, ALL, 0xFF34, 0xFF, 0}, /* the compared part is equal */
        {0x1235, 0, ALL, 0xFF34, 0xFF, 0x1235},
        {0x1234, 0xFFFF, 0xF0, 0x1234, ALL, 0x12F4}, /* the rest is kept */
        {0x1234, 0xFFFF, 0, 0x1234, ALL, 0x1234},
        {ALL, 0, 0x8000000000000001u, ALL, ALL, 0x7FFFFFFFFFFFFFFEu},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_true(apply(RDMAP_CMP_SWAP, rows[i].old, rows[i].swap, rows[i].swap_mask,
                        rows[i].compare, rows[i].compare_mask) == rows[i].want);
}

/* [EXT-011] */
static void other_operations_are_refused(void **state)
{
    (void)state;
    for (unsigned op = 0; op <= 0xFF; op++) {
        const struct rdmap_atomic_req r = {.op = (uint8_t)op, .data = 1};
        uint64_t result = 77;

        if (op == 0 || op == 2)
            continue;
        assert_false(rdmap_atomic_apply(&r, 0, &result));
        assert_int_equal(result, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_requests_parse_and_build),
        cmocka_unit_test(the_golden_response_parses_and_builds),
        cmocka_unit_test(any_octets_are_headers_and_back),
        cmocka_unit_test(fetch_add_vectors),
        cmocka_unit_test(fetch_add_is_addition_without_carry_out_of_a_field),
        cmocka_unit_test(cmp_swap_vectors),
        cmocka_unit_test(other_operations_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
