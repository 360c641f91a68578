/* SPDX-License-Identifier: MIT */
/* Writes that may not be, Read Responses that nobody asked for, and the Terminates they cause. */
#include "unit/iwarp/raw_fpdu.h"

enum { BASE = 0x1000, LEN = 4096 };
#define HIGH_BASE (UINT64_MAX - 15) /* of a region of 16 octets that ends at 2^64 */

enum stag_of { RW, READ_ONLY, LOCAL, FOREIGN, BAD_KEY, UNKNOWN, ZERO, WINDOW, WINDOW_OTHER, HIGH };

struct bench {
    struct stream_pair *p;
    struct sp_end *e;
    struct mem_region *rw, *read_only, *local, *foreign, *high, *window, *window_other, *sink;
};

static struct mem_region *bind(struct bench *b, uint32_t qp)
{
    struct mem_region *w = sp_new_region(b->p, b->e, MEM_KIND_WINDOW);
    const struct mem_bind args = {.mr = b->local,
        .base = BASE + 100,
        .len = 50,
        .rights = MEM_REMOTE_WRITE,
        .stag = mem_window_next_stag(&b->p->mem, w)};
    const struct mem_who who = {.pd = b->e->who.pd, .qp = qp};

    assert_int_equal(mem_bind(&b->p->mem, w, who, &args), SN_OK);
    return w;
}

static void bench_init(struct bench *b, bool no_crc)
{
    const struct sp_options o = {.no_crc = no_crc};

    b->p = sp_create_free(&o);
    b->e = &b->p->b;
    b->rw = sp_region(b->p, b->e, BASE, LEN, MEM_REMOTE_READ | MEM_REMOTE_WRITE);
    b->read_only = sp_region(b->p, b->e, BASE, LEN, MEM_REMOTE_READ | MEM_LOCAL_WRITE);
    b->local = sp_region(b->p, b->e, BASE, LEN, MEM_LOCAL_READ | MEM_LOCAL_WRITE);
    b->foreign = sp_region(b->p, &b->p->a, BASE, LEN, MEM_REMOTE_READ | MEM_REMOTE_WRITE);
    b->high = sp_region(b->p, b->e, HIGH_BASE, 16, MEM_REMOTE_WRITE);
    b->sink = sp_region(b->p, b->e, 0, LEN, MEM_LOCAL_WRITE);
    b->window = bind(b, b->e->who.qp);
    b->window_other = bind(b, b->e->who.qp + 1);
}

static uint32_t stag_of(const struct bench *b, enum stag_of which)
{
    const uint32_t stags[] = {
        [RW] = mem_region_stag(b->rw),
        [READ_ONLY] = mem_region_stag(b->read_only),
        [LOCAL] = mem_region_stag(b->local),
        [FOREIGN] = mem_region_stag(b->foreign),
        [BAD_KEY] = mem_region_stag(b->rw) ^ 0x80,
        [UNKNOWN] = mem_region_stag(b->rw) ^ 0x80000000,
        [ZERO] = 0,
        [WINDOW] = mem_region_stag(b->window),
        [WINDOW_OTHER] = mem_region_stag(b->window_other),
        [HIGH] = mem_region_stag(b->high),
    };

    return stags[which];
}

static void receive_all(struct bench *b)
{
    while (sp_receive(b->p, b->e) > 0)
        continue;
}

static const struct {
    const char *what;
    uint8_t ddp, rdmap;
    enum stag_of stag;
    uint64_t to;
    uint32_t len;
    uint8_t layer_type, code; /* 0, 0: allowed */
} writes[] = {
    {"all of it", 0xC1, 0x40, RW, BASE, LEN, 0, 0},
    {"the last octet [DDP-029]", 0xC1, 0x40, RW, BASE + LEN - 1, 1, 0, 0},
    {"nothing, nowhere [DDP-015]", 0xC1, 0x40, UNKNOWN, UINT64_MAX, 0, 0, 0},
    {"reserved bits [DDP-004] [RDM-003]", 0xFD, 0x70, RW, BASE, 8, 0, 0},
    {"a window [DDP-034] [VRB-036]", 0xC1, 0x40, WINDOW, BASE + 100, 50, 0, 0},
    {"up to 2^64", 0xC1, 0x40, HIGH, HIGH_BASE, 16, 0, 0},
    {"DV 0 [DDP-002]", 0xC0, 0x40, RW, BASE, 8, 0x11, 4},
    {"DV 2 [DDP-002]", 0xC2, 0x40, RW, BASE, 8, 0x11, 4},
    {"RV 0 [RDM-002]", 0xC1, 0x00, RW, BASE, 8, 0x02, 5},
    {"RV 2 [RDM-002]", 0xC1, 0x80, RW, BASE, 8, 0x02, 5},
    {"tagged Send [RDM-006]", 0xC1, 0x43, RW, BASE, 8, 0x02, 6},
    {"tagged Read Request [RDM-006]", 0xC1, 0x41, RW, BASE, 28, 0x02, 6},
    {"tagged Terminate [RDM-006]", 0xC1, 0x47, RW, BASE, 4, 0x02, 6},
    {"unknown STag [DDP-027]", 0xC1, 0x40, UNKNOWN, BASE, 8, 0x11, 0},
    {"another key [DDP-027] [VRB-021]", 0xC1, 0x40, BAD_KEY, BASE, 8, 0x11, 0},
    {"STag 0 [VRB-023]", 0xC1, 0x40, ZERO, BASE, 8, 0x11, 0},
    {"another domain [DDP-028] [SEC-001]", 0xC1, 0x40, FOREIGN, BASE, 8, 0x11, 2},
    {"window of another stream [SEC-002]", 0xC1, 0x40, WINDOW_OTHER, BASE + 100, 8, 0x11, 2},
    {"no remote write", 0xC1, 0x40, READ_ONLY, BASE, 8, 0x11, 0},
    {"no remote right", 0xC1, 0x40, LOCAL, BASE, 8, 0x11, 0},
    {"one before [DDP-029] [SEC-003]", 0xC1, 0x40, RW, BASE - 1, 8, 0x11, 1},
    {"one beyond [DDP-029]", 0xC1, 0x40, RW, BASE + 1, LEN, 0x11, 1},
    {"behind the end", 0xC1, 0x40, RW, BASE + LEN, 1, 0x11, 1},
    {"before the window", 0xC1, 0x40, WINDOW, BASE + 99, 8, 0x11, 1},
    {"beyond 2^64 [DDP-030]", 0xC1, 0x40, RW, UINT64_MAX, 2, 0x11, 3},
    {"beyond 2^64, from inside", 0xC1, 0x40, HIGH, HIGH_BASE, 17, 0x11, 3},
};

static void each_write(void **state)
{
    static const size_t reads[] = {0, 1, 100};
    static struct raw_fpdu f, t;

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(writes) * 6; i++) {
        const size_t k = i / 6;
        bool no_crc = i % 2;
        struct bench b;

        bench_init(&b, no_crc);
        b.p->read_max = reads[i / 2 % 3];
        raw_tagged(&f, writes[k].ddp, writes[k].rdmap, stag_of(&b, writes[k].stag), writes[k].to);
        raw_payload(&f, writes[k].len);
        raw_end(&f, !no_crc);
        raw_deliver(b.e, &f);
        receive_all(&b);
        if (writes[k].layer_type == 0) {
            assert_int_equal(iw_stream_state(&b.e->stream), IW_OPEN);
            assert_true(iw_is_idle(&b.e->stream));
        } else {
            if (iw_stream_state(&b.e->stream) != IW_TERMINATING)
                fail_msg("%s: no error", writes[k].what);
            raw_terminate(&t, writes[k].layer_type, writes[k].code, BACK_DDP, &f, !no_crc);
            raw_expect_terminate(b.p, b.e, &t);
            for (size_t at = 0; at < LEN; at++)
                assert_int_equal(b.rw->host[at] | b.local->host[at] | b.foreign->host[at] |
                                     b.read_only->host[at],
                    0);
        }
        assert_int_equal(b.e->dones + b.e->recv_dones, 0); /* [RDM-015] */
        sp_destroy(b.p);
    }
}

static void write_of(
    struct bench *b, struct raw_fpdu *f, bool is_last, uint64_t to, uint32_t len, bool no_crc)
{
    raw_tagged(f, is_last ? 0xC1 : 0x81, 0x40, mem_region_stag(b->rw), to);
    raw_payload(f, len);
    raw_end(f, !no_crc);
    raw_deliver(b->e, f);
}

/* Each segment is checked: earlier ones are placed, the one that leaves the region is not.
 * [DDP-031] [DDP-032] */
static void runs_over_the_end(void **state)
{
    static struct raw_fpdu f, t;
    struct bench b;

    (void)state;
    bench_init(&b, false);
    write_of(&b, &f, false, BASE + LEN - 150, 100, false);
    write_of(&b, &f, false, BASE + LEN - 50, 100, false);
    t = f;
    write_of(&b, &f, true, BASE, 100, false);
    receive_all(&b);
    f = t;
    raw_terminate(&t, 0x11, 1, BACK_DDP, &f, true);
    raw_expect_terminate(b.p, b.e, &t);
    assert_int_equal(b.rw->host[LEN - 51], 100);
    assert_int_equal(b.rw->host[LEN - 50], 0);
    assert_int_equal(b.rw->host[0], 0);
    sp_destroy(b.p);
}

/* Revoked in the middle of an FPDU: from then on no octet. [DDP-039] [SEC-004] */
static void revoked_while_it_arrives(void **state)
{
    static struct raw_fpdu f, t;

    (void)state;
    for (int no_crc = 0; no_crc < 2; no_crc++) {
        struct bench b;

        bench_init(&b, no_crc);
        write_of(&b, &f, true, BASE, 4000, no_crc);
        b.p->read_max = 1016;
        (void)sp_receive(b.p, b.e);
        assert_int_equal(b.rw->host[999], (uint8_t)1000);
        assert_int_equal(mem_deregister(&b.p->mem, b.rw), SN_OK);
        receive_all(&b);
        raw_terminate(&t, 0x11, 0, BACK_DDP, &f, !no_crc);
        raw_expect_terminate(b.p, b.e, &t);
        for (size_t i = 1000; i < LEN; i++)
            assert_int_equal(b.rw->host[i], 0);
        sp_destroy(b.p);
    }
}

/* Large FPDUs of a Write without CRC go straight into place, with a small read behind; with CRC,
 * through scratch. So do receives and sinks, with CRC. */
static void reads_in_place(void **state)
{
    static struct raw_fpdu f;
    struct sn_span v[4];
    struct mem_region *big;
    size_t scratch;

    (void)state;
    for (int no_crc = 0; no_crc < 2; no_crc++) {
        struct bench b;

        bench_init(&b, no_crc);
        big = sp_region(b.p, b.e, 0, 60000, MEM_REMOTE_WRITE);
        raw_tagged(&f, 0xC1, 0x40, mem_region_stag(big), 0);
        raw_payload(&f, 60000);
        raw_end(&f, !no_crc);
        raw_deliver(b.e, &f);
        assert_int_equal(iw_rx_want(&b.e->stream, v, 4, SP_SCRATCH, &scratch), 0);
        assert_int_equal(scratch, SP_SCRATCH);
        b.p->read_max = 20;
        (void)sp_receive(b.p, b.e);
        if (no_crc) {
            assert_int_equal(iw_rx_want(&b.e->stream, v, 4, SP_SCRATCH, &scratch), 1);
            assert_ptr_equal(v[0].p, big->host + 4);
            assert_int_equal(v[0].n, 60000 - 4);
            assert_int_equal(scratch, 4 + 20);
        } else {
            assert_int_equal(iw_rx_want(&b.e->stream, v, 4, SP_SCRATCH, &scratch), 0);
            assert_int_equal(scratch, SP_SCRATCH);
        }
        b.p->read_max = 0;
        receive_all(&b);
        assert_int_equal(big->host[59999], (uint8_t)60000);
        assert_true(iw_is_idle(&b.e->stream));
        (void)iw_rx_want(&b.e->stream, v, 4, SP_SCRATCH, &scratch);
        assert_int_equal(scratch, no_crc ? 20 : SP_SCRATCH);
        sp_destroy(b.p);
    }
}

/* ---- Read Responses ---- */

enum { READ_LEN = 100 };

/* The first of two Reads is asked for; what follows answers it. */
static const struct {
    const char *what;
    uint8_t ddp;
    int32_t stag_off;
    int64_t to_off;
    uint32_t len, len2; /* of a second segment, if not 0 */
    uint8_t layer_type, code;
} responses[] = {
    {"exact", 0xC1, 0, 0, READ_LEN, 0, 0, 0},
    {"in two segments", 0x81, 0, 0, 60, READ_LEN - 60, 0, 0},
    {"short [RDM-033]", 0xC1, 0, 0, READ_LEN - 1, 0, 0x11, 1},
    {"empty [RDM-033]", 0xC1, 0, 0, 0, 0, 0x11, 1},
    {"long [RDM-033]", 0xC1, 0, 0, READ_LEN + 1, 0, 0x11, 1},
    {"long, without L", 0x81, 0, 0, READ_LEN + 1, 0, 0x11, 1},
    {"long by a second segment", 0x81, 0, 0, 60, READ_LEN - 59, 0x11, 1},
    {"short by a second segment", 0x81, 0, 0, 60, READ_LEN - 61, 0x11, 1},
    {"another STag [RDM-033]", 0xC1, 1, 0, READ_LEN, 0, 0x11, 0},
    {"another TO [RDM-033]", 0xC1, 0, 1, READ_LEN, 0, 0x11, 1},
    {"TO of the second Read", 0xC1, 0, 1LL << 32, READ_LEN, 0, 0x11, 1},
};

static void respond(
    struct bench *b, struct raw_fpdu *f, uint8_t ddp, uint32_t stag, uint64_t to, uint32_t len)
{
    raw_tagged(f, ddp, 0x42, stag, to);
    raw_payload(f, len);
    raw_end(f, true);
    raw_deliver(b->e, f);
}

static void each_response(void **state)
{
    static struct raw_fpdu f, t;

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(responses) * 2; i++) {
        const size_t k = i / 2;
        uint32_t stag;
        uint64_t to;
        struct bench b;

        bench_init(&b, false);
        b.p->read_max = i % 2;
        sp_read(b.e, 1, 0, sp_sge(b.sink, 0, READ_LEN), 5, 5);
        sp_read(b.e, 2, 0, sp_sge(b.sink, 200, READ_LEN), 5, 5);
        (void)sp_transmit(b.p, b.e);
        /* Sink STag and TO as they were asked for [RDM-018] */
        assert_int_equal(b.e->out->n, 2 * 52);
        stag = sn_get_be32(b.e->out->p + 20);
        to = sn_get_be64(b.e->out->p + 24);
        sp_wire_drop(b.e->out, 2 * 52);
        assert_int_not_equal(stag, mem_region_stag(b.sink));
        stag += (uint32_t)responses[k].stag_off;
        to += (uint64_t)responses[k].to_off;
        respond(&b, &f, responses[k].ddp, stag, to, responses[k].len);
        if (responses[k].len2 > 0)
            respond(&b, &f, 0xC1, stag, to + responses[k].len, responses[k].len2);
        receive_all(&b);
        for (size_t at = READ_LEN; at < LEN; at++)
            assert_int_equal(b.sink->host[at], 0);
        assert_int_equal(b.e->dones, 1);
        if (responses[k].layer_type == 0) {
            assert_int_equal(b.e->done[0].status, SN_OK);
            assert_int_equal(iw_stream_state(&b.e->stream), IW_OPEN);
            sp_destroy(b.p);
            continue;
        }
        assert_int_equal(b.e->done[0].id, 1);
        assert_int_equal(b.e->done[0].status, SN_PROTOCOL);
        raw_terminate(&t, responses[k].layer_type, responses[k].code, BACK_DDP, &f, true);
        raw_expect_terminate(b.p, b.e, &t);
        iw_flush(&b.e->stream, SN_REMOTE_ERROR);
        assert_int_equal(b.e->dones, 2);
        assert_int_equal(b.e->done[1].status, SN_CANCELLED); /* [VRB-016] */
        sp_destroy(b.p);
    }
}

/* [RDM-034] */
static void unsolicited_response(void **state)
{
    static struct raw_fpdu f, t;
    struct bench b;

    (void)state;
    bench_init(&b, false);
    respond(&b, &f, 0xC1, 0x51A20002, 1ULL << 32, 8);
    receive_all(&b);
    raw_terminate(&t, 0x10, 0, BACK_DDP, &f, true);
    raw_expect_terminate(b.p, b.e, &t);
    sp_destroy(b.p);
}

/* A Read of nothing: the response's STag and TO are not looked at. [RDM-035] */
static void zero_length_read(void **state)
{
    static struct raw_fpdu f;
    struct bench b;

    (void)state;
    bench_init(&b, false);
    sp_read(b.e, 1, 0, (struct iw_sge){.stag = 0xBAD}, 0xFFFFFFFF, UINT64_MAX);
    (void)sp_transmit(b.p, b.e);
    respond(&b, &f, 0xC1, 0x12345678, 99, 0);
    receive_all(&b);
    assert_int_equal(b.e->dones, 1);
    assert_int_equal(b.e->done[0].status, SN_OK);
    sp_destroy(b.p);
}

/* The sink is revoked while the response is on its way. Nothing is written; the fault is ours. */
static void sink_revoked(void **state)
{
    static struct raw_fpdu f, t;

    (void)state;
    for (size_t read_max = 0; read_max < 2; read_max++) {
        struct bench b;

        bench_init(&b, false);
        b.p->read_max = read_max;
        sp_read(b.e, 1, 0, sp_sge(b.sink, 0, READ_LEN), 5, 5);
        (void)sp_transmit(b.p, b.e);
        sp_wire_drop(b.e->out, 52);
        assert_int_equal(mem_deregister(&b.p->mem, b.sink), SN_OK);
        respond(&b, &f, 0xC1, 0x51A20002, 1ULL << 32, READ_LEN);
        receive_all(&b);
        assert_int_equal(b.sink->host[0], 0);
        assert_int_equal(b.e->dones, 1);
        assert_int_equal(b.e->done[0].status, SN_NO_ACCESS);
        raw_terminate(&t, 0x00, 0, BACK_NOTHING, NULL, true);
        raw_expect_terminate(b.p, b.e, &t);
        sp_destroy(b.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_write),
        cmocka_unit_test(runs_over_the_end),
        cmocka_unit_test(revoked_while_it_arrives),
        cmocka_unit_test(reads_in_place),
        cmocka_unit_test(each_response),
        cmocka_unit_test(unsolicited_response),
        cmocka_unit_test(zero_length_read),
        cmocka_unit_test(sink_revoked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
