/* SPDX-License-Identifier: MIT */
/* Untagged messages that are right: Read and Atomic Requests, Terminates, Immediate Data, remote
 * invalidation. Those that are wrong: rx_untagged_test.c. */
#include "unit/iwarp/rx_bench.h"

/* Terminates that arrive: kept, reported, never answered. [RDM-043] [RDM-044] [RDM-048] [RDM-050]
 */
static void terminates_received(void **state)
{
    static const struct {
        uint8_t p[8];
        size_t n;
        uint8_t layer, type, code;
        enum wire_err err;
    } terms[] = {
        {{0x01, 0x01, 0, 0}, 4, 0, 1, 1, WIRE_RDMAP_BASE_BOUNDS},
        {{0x11, 0x00, 0, 0}, 4, 1, 1, 0, WIRE_DDP_STAG_INVALID},
        {{0x20, 0x02, 0, 0}, 4, 2, 0, 2, WIRE_MPA_CRC},
        {{0x23, 0x02, 0, 0}, 4, 2, 3, 2, WIRE_MPA_CRC},
        {{0x00, 0x77, 0x1F, 0xFF}, 4, 0, 0, 0x77, WIRE_LOCAL_CATASTROPHIC}, /* [RDM-042] */
        {{0x0F, 0x77, 0, 0}, 4, 0, 15, 0x77, WIRE_RDMAP_UNSPECIFIED},
        {{0x01, 0x00, 0xE0, 0, 0, 46}, 6, 0, 1, 0, WIRE_RDMAP_STAG_INVALID}, /* cut off */
    };
    static struct raw_fpdu f;

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(terms) * 2; i++) {
        const size_t k = i / 2;
        const struct rdmap_term *term;
        bool is_received = false;
        struct bench b;

        bench_init(&b, false, false);
        b.p->read_max = i % 2;
        raw_untagged(&f, 0x41, 0x47, 0, 2, 1, 0);
        raw_put(&f, terms[k].p, terms[k].n);
        raw_end(&f, true);
        raw_deliver(b.e, &f);
        raw_deliver(b.e, &f); /* a second one changes nothing [RDM-047] */
        while (sp_receive(b.p, b.e) > 0)
            continue;
        assert_int_equal(iw_stream_state(&b.e->stream), IW_TERMINATED);
        assert_int_equal(b.e->state_changes, 1);
        term = iw_stream_terminate(&b.e->stream, &is_received);
        assert_non_null(term);
        assert_true(is_received);
        assert_int_equal(term->layer, terms[k].layer);
        assert_int_equal(term->type, terms[k].type);
        assert_int_equal(term->code, terms[k].code);
        assert_int_equal(iw_stream_error(&b.e->stream), terms[k].err);
        assert_false(iw_tx_has_work(&b.e->stream));
        assert_int_equal(sp_transmit(b.p, b.e), 0);
        assert_true(iw_tx_wants_fin(&b.e->stream));
        bench_fini(&b);
    }
}

/* A Terminate longer than any: what fits is parsed. [RDM-049] */
static void oversized_terminate(void **state)
{
    static struct raw_fpdu f;

    (void)state;
    for (size_t read_max = 0; read_max < 2; read_max++) {
        struct bench b;

        bench_init(&b, false, false);
        b.p->read_max = read_max;
        raw_untagged(&f, 0x41, 0x47, 0, 2, 1, 0);
        raw_payload(&f, 4000);
        raw_end(&f, true);
        raw_deliver(b.e, &f);
        while (sp_receive(b.p, b.e) > 0)
            continue;
        assert_int_equal(iw_stream_state(&b.e->stream), IW_TERMINATED);
        bench_fini(&b);
    }
}

/* Of Reads of the peer: a zero-length one is not checked and fits even beyond IRD; each is answered
 * once, in order, with what it named. [RDM-020] [RDM-021] [RDM-022] [ECE-022] [SEC-016] */
static void reads_are_answered(void **state)
{
    static struct raw_fpdu f, r;
    struct bench b;

    (void)state;
    bench_init(&b, false, false);
    for (uint8_t i = 0; i < 16; i++)
        b.rw->host[i] = (uint8_t)(i + 1);
    raw_read_request(&f, 1, 0xAAAA, 0xBBBB, 16, mem_region_stag(b.rw), RW_BASE);
    raw_end(&f, true);
    raw_deliver(b.e, &f);
    raw_read_request(&f, 2, 0xCCCC, 0xFFFFFFFFFFFFFFFFu, 3, mem_region_stag(b.rw), RW_BASE);
    raw_end(&f, true);
    raw_deliver(b.e, &f);
    raw_read_request(&f, 3, 0xEEEE, 7, 0, 0xFFFFFFFF, UINT64_MAX);
    raw_end(&f, true);
    raw_deliver(b.e, &f);
    (void)sp_receive(b.p, b.e);
    assert_int_equal(iw_stream_state(&b.e->stream), IW_OPEN);
    (void)sp_transmit(b.p, b.e);
    raw_tagged(&r, 0xC1, 0x42, 0xAAAA, 0xBBBB);
    raw_payload(&r, 16);
    raw_end(&r, true);
    assert_memory_equal(b.e->out->p, r.p, r.n);
    sp_wire_drop(b.e->out, r.n);
    raw_tagged(&r, 0xC1, 0x42, 0xCCCC, 0xFFFFFFFFFFFFFFFFu);
    raw_payload(&r, 3);
    raw_end(&r, true);
    assert_memory_equal(b.e->out->p, r.p, r.n);
    sp_wire_drop(b.e->out, r.n);
    raw_tagged(&r, 0xC1, 0x42, 0xEEEE, 7);
    raw_end(&r, true);
    assert_int_equal(b.e->out->n, r.n);
    assert_memory_equal(b.e->out->p, r.p, r.n);
    bench_fini(&b);
}

/* [RDM-013] [VRB-034]: the payload is there, the STag is gone, then the receive completes. */
static void remote_invalidate(void **state)
{
    static struct raw_fpdu f;
    struct bench b;

    (void)state;
    bench_init(&b, false, false);
    raw_untagged(&f, 0x41, 0x46, mem_region_stag(b.fast), 0, 1, 0);
    raw_payload(&f, 5);
    raw_end(&f, true);
    raw_deliver(b.e, &f);
    (void)sp_receive(b.p, b.e);
    assert_int_equal(b.e->recv_dones, 1);
    assert_int_equal(b.e->recv_done[0].status, SN_OK);
    assert_true(b.e->recv_done[0].has_invalidated);
    assert_true(b.e->recv_done[0].is_solicited);
    assert_int_equal(b.e->recv_done[0].stag, mem_region_stag(b.fast));
    assert_false(mem_region_is_valid(b.fast));
    bench_fini(&b);
}

/* Counters wrap; 0 is an MSN like any other. [DDP-010] */
static void msn_wraps(void **state)
{
    static struct raw_fpdu f;
    struct bench b;

    (void)state;
    bench_init(&b, false, false);
    sp_recv(b.e, 2, sp_sge(b.inbox, 0, RECV_LEN));
    b.e->stream.rx.send_msn = b.e->stream.rx.read_msn = UINT32_MAX;
    for (uint32_t i = 0; i < 2; i++) {
        raw_untagged(&f, 0x41, 0x43, 0, 0, UINT32_MAX + i, 0);
        raw_payload(&f, 5);
        raw_end(&f, true);
        raw_deliver(b.e, &f);
        raw_read_request(&f, UINT32_MAX + i, 1, 1, 4, mem_region_stag(b.rw), RW_BASE);
        raw_end(&f, true);
        raw_deliver(b.e, &f);
    }
    (void)sp_receive(b.p, b.e);
    assert_int_equal(b.e->recv_dones, 2);
    assert_int_equal(b.e->stream.irrq_tail, 2);
    assert_int_equal(iw_stream_state(&b.e->stream), IW_OPEN);
    bench_fini(&b);
}

/* Immediate Data is a message of eight octets. [EXT-001] [EXT-003] [EXT-004] */
static void immediate_data(void **state)
{
    static struct raw_fpdu f;
    struct bench b;

    (void)state;
    bench_init(&b, true, false);
    sp_recv(b.e, 2, sp_sge(b.inbox, 50, 8));
    for (uint32_t i = 0; i < 2; i++) {
        raw_untagged(&f, 0x41, (uint8_t)(0x48 + i), 0, 0, 1 + i, 0);
        raw_payload(&f, 8);
        raw_end(&f, true);
        raw_deliver(b.e, &f);
    }
    (void)sp_receive(b.p, b.e);
    assert_int_equal(b.e->recv_dones, 2);
    assert_int_equal(b.e->recv_done[0].len, 8);
    assert_false(b.e->recv_done[0].is_solicited);
    assert_true(b.e->recv_done[1].is_solicited);
    assert_int_equal(b.inbox->host[57], 8);
    bench_fini(&b);
}

static void put_atomic(struct bench *b, uint32_t msn, uint32_t op, uint32_t id, uint64_t to,
    uint64_t data, uint64_t mask, uint64_t compare)
{
    static struct raw_fpdu f;

    raw_untagged(&f, 0x41, 0x4A, 0, 1, msn, 0);
    raw_put32(&f, op);
    raw_put32(&f, id);
    raw_put32(&f, mem_region_stag(b->rw));
    raw_put64(&f, to);
    raw_put64(&f, data);
    raw_put64(&f, mask);
    raw_put64(&f, compare);
    raw_put64(&f, UINT64_MAX);
    raw_end(&f, true);
    raw_deliver(b->e, &f);
}

/* Executed when delivered, answered in request order among the Reads, on QN 3 with MSNs of its own.
 * [EXT-006] [EXT-007] [EXT-008] [EXT-009] [EXT-012] [EXT-014] */
static void atomics(void **state)
{
    static const uint64_t start = 40;
    static struct raw_fpdu f, r;
    uint64_t now;
    struct bench b;

    (void)state;
    bench_init(&b, true, false);
    memcpy(b.rw->host + 8, &start, 8);
    put_atomic(&b, 1, 0, 77, RW_BASE + 8, 2, 0, 0);
    raw_read_request(&f, 2, 0xAAAA, 0, 2, mem_region_stag(b.rw), RW_BASE);
    raw_end(&f, true);
    raw_deliver(b.e, &f);
    (void)sp_receive(b.p, b.e);
    memcpy(&now, b.rw->host + 8, 8);
    assert_true(now == 42);
    (void)sp_transmit(b.p, b.e);
    put_atomic(&b, 3, 2, 78, RW_BASE + 8, 7, UINT64_MAX, 42);
    put_atomic(&b, 4, 2, 79, RW_BASE + 8, 9, UINT64_MAX, 42); /* not equal any more */
    (void)sp_receive(b.p, b.e);
    memcpy(&now, b.rw->host + 8, 8);
    assert_true(now == 7);
    (void)sp_transmit(b.p, b.e);
    for (uint32_t i = 0; i < 4; i++) {
        if (i == 1) {
            raw_tagged(&r, 0xC1, 0x42, 0xAAAA, 0);
            raw_put(&r, "\0", 2);
        } else {
            raw_untagged(&r, 0x41, 0x4B, 0, 3, i == 0 ? 1 : i, 0);
            raw_put32(&r, i == 0 ? 77 : 76 + i);
            raw_put64(&r, i == 0 ? 40 : i == 2 ? 42 : 7);
        }
        raw_end(&r, true);
        assert_true(b.e->out->n >= r.n);
        assert_memory_equal(b.e->out->p, r.p, r.n);
        sp_wire_drop(b.e->out, r.n);
    }
    assert_int_equal(b.e->out->n, 0);
    bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terminates_received),
        cmocka_unit_test(oversized_terminate),
        cmocka_unit_test(reads_are_answered),
        cmocka_unit_test(remote_invalidate),
        cmocka_unit_test(msn_wraps),
        cmocka_unit_test(immediate_data),
        cmocka_unit_test(atomics),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
