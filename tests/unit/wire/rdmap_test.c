/* SPDX-License-Identifier: MIT */
#include "support/golden.h"
#include "support/octets.h"
#include "support/unit.h"
#include "wire/fpdu.h"
#include "wire/rdmap.h"

/* [RDM-004] [RDM-018] [RDM-040] [EXT-001] [EXT-007] */
static void the_opcode_table_is_the_protocols(void **state)
{
    static const struct {
        const char *name;
        bool is_tagged, is_send, solicited, invalidates, is_7306, is_single;
        uint8_t qn, header_len;
    } want[RDMAP_OPCODE_COUNT] = {
        [0x0] = {"RDMA Write", .is_tagged = true},
        [0x1] = {"RDMA Read Request", .qn = 1, .header_len = 28, .is_single = true},
        [0x2] = {"RDMA Read Response", .is_tagged = true},
        [0x3] = {"Send", .is_send = true},
        [0x4] = {"Send with Invalidate", .is_send = true, .invalidates = true},
        [0x5] = {"Send with Solicited Event", .is_send = true, .solicited = true},
        [0x6] = {"Send with Solicited Event and Invalidate", .is_send = true, .solicited = true,
            .invalidates = true},
        [0x7] = {"Terminate", .qn = 2, .is_single = true},
        [0x8] = {"Immediate Data", .is_send = true, .is_7306 = true, .header_len = 8,
            .is_single = true},
        [0x9] = {"Immediate Data with Solicited Event", .is_send = true, .solicited = true,
            .is_7306 = true, .header_len = 8, .is_single = true},
        [0xA] = {"Atomic Request", .qn = 1, .is_7306 = true, .header_len = 52, .is_single = true},
        [0xB] = {"Atomic Response", .qn = 3, .is_7306 = true, .header_len = 12, .is_single = true},
    };

    (void)state;
    for (unsigned op = 0; op < RDMAP_OPCODE_COUNT; op++) {
        const struct rdmap_op_info *got = rdmap_op_info(op);

        assert_ptr_equal(got, rdmap_op_info(op + RDMAP_OPCODE_COUNT)); /* never outside */
        if (want[op].name == NULL) {
            assert_null(got->name);
            continue;
        }
        assert_string_equal(got->name, want[op].name);
        assert_int_equal(got->is_tagged, want[op].is_tagged);
        assert_int_equal(got->is_send, want[op].is_send);
        assert_int_equal(got->solicited, want[op].solicited);
        assert_int_equal(got->invalidates, want[op].invalidates);
        assert_int_equal(got->needs_rfc7306, want[op].is_7306);
        assert_int_equal(got->is_one_segment, want[op].is_single);
        assert_int_equal(got->qn, want[op].qn);
        assert_int_equal(got->header_len, want[op].header_len);
    }
}

/* [RDM-018] Sink, size, source. */
static void golden_read_requests_parse_and_build(void **state)
{
    static const struct {
        const char *name;
        struct rdmap_read_req r;
    } rows[] = {
        {"E10", {0x00020002, 0x2000, 16, 0x0a0b0c01, 0x1000}},
        {"E12a", {0, 0, 0, 1, 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct golden *g = golden_find(rows[i].name);
        uint8_t *header = octets_copy(g->p + MPA_LEN_FIELD + DDP_UNTAGGED_LEN, RDMAP_READ_REQ_LEN);
        uint8_t out[RDMAP_READ_REQ_LEN];
        struct rdmap_read_req got;

        rdmap_read_req_parse(header, &got);
        assert_int_equal(got.sink_stag, rows[i].r.sink_stag);
        assert_true(got.sink_to == rows[i].r.sink_to);
        assert_int_equal(got.size, rows[i].r.size);
        assert_int_equal(got.src_stag, rows[i].r.src_stag);
        assert_true(got.src_to == rows[i].r.src_to);
        rdmap_read_req_build(&rows[i].r, out);
        assert_memory_equal(out, header, sizeof(out));
        free(header);
    }
}

/* All bits of all fields. */
static void any_octets_are_a_read_request_and_back(void **state)
{
    uint64_t x = 4;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        uint8_t p[RDMAP_READ_REQ_LEN], out[RDMAP_READ_REQ_LEN];
        struct rdmap_read_req r, again;

        random_fill(&x, p, sizeof(p));
        rdmap_read_req_parse(p, &r);
        rdmap_read_req_build(&r, out);
        assert_memory_equal(out, p, sizeof(p));
        rdmap_read_req_parse(out, &again);
        assert_int_equal(again.sink_stag, r.sink_stag);
        assert_int_equal(again.src_stag, r.src_stag);
        assert_int_equal(again.size, r.size);
        assert_true(again.sink_to == r.sink_to && again.src_to == r.src_to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_opcode_table_is_the_protocols),
        cmocka_unit_test(golden_read_requests_parse_and_build),
        cmocka_unit_test(any_octets_are_a_read_request_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
