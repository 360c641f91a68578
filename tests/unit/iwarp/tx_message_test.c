/* SPDX-License-Identifier: MIT */
/* What is sent, octet by octet, against the golden examples; and how messages are cut. */
#include "support/golden.h"
#include "unit/iwarp/raw_fpdu.h"

static void expect_wire(struct sp_end *e, const uint8_t *p, size_t n)
{
    assert_true(e->out->n >= n);
    assert_memory_equal(e->out->p, p, n);
    sp_wire_drop(e->out, n);
}

static void send_text(struct stream_pair *p, struct mem_region *m, const char *text, uint8_t flags,
    uint32_t invalidate)
{
    memcpy(m->host, text, strlen(text));
    sp_send(&p->a, 1, flags, invalidate, sp_sge(m, 0, (uint32_t)strlen(text)));
    (void)sp_transmit(p, &p->a);
}

/* E06, E07, E19a, E19b, E24. [MPA-034] [MPA-037] [MPA-041] [DDP-001] [DDP-005] [DDP-011] [RDM-001]
 * [RDM-004] [RDM-007] */
static void golden_sends(void **state)
{
    static const struct sp_options plain = {0}, no_crc = {.no_crc = true}, cut = {.payload_max = 8};
    struct stream_pair *p = sp_create_free(&plain);
    struct mem_region *m = sp_region(p, &p->a, 0x1000, 64, MEM_LOCAL_READ);

    (void)state;
    send_text(p, m, "hello", 0, 0xDEAD);
    expect_wire(&p->a, golden_E06, sizeof(golden_E06));
    send_text(p, m, "ok", IW_WR_SOLICITED | IW_WR_INVALIDATE, 0x00012345);
    expect_wire(&p->a, golden_E07, sizeof(golden_E07));
    p->a.stream.config.payload_max = cut.payload_max;
    send_text(p, m, "segment-two", 0, 0);
    expect_wire(&p->a, golden_E19a, sizeof(golden_E19a));
    expect_wire(&p->a, golden_E19b, sizeof(golden_E19b));
    assert_int_equal(p->ab.n, 0);
    sp_destroy(p);

    p = sp_create_free(&no_crc);
    m = sp_region(p, &p->a, 0x1000, 64, MEM_LOCAL_READ);
    send_text(p, m, "hello", 0, 0);
    expect_wire(&p->a, golden_E24, sizeof(golden_E24));
    sp_destroy(p);
}

/* E08, E09, E11. [DDP-006] [DDP-008] [RDM-021] */
static void golden_tagged(void **state)
{
    static const struct sp_options plain = {0};
    static const uint8_t written[] = {0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18};
    struct stream_pair *p = sp_create_free(&plain);
    struct mem_region *m = sp_region(p, &p->a, 0x1000, 64, MEM_LOCAL_READ | MEM_REMOTE_READ);
    static struct raw_fpdu f;

    (void)state;
    memcpy(m->host, written, sizeof(written));
    sp_write(&p->a, 1, 0, sp_sge(m, 0, 8), 0x0a0b0c01, 0x1000);
    sp_write(&p->a, 2, 0, (struct iw_sge){0}, 0, 0);
    (void)sp_transmit(p, &p->a);
    expect_wire(&p->a, golden_E08, sizeof(golden_E08));
    expect_wire(&p->a, golden_E09, sizeof(golden_E09));
    for (uint8_t i = 0; i < 16; i++)
        m->host[i] = (uint8_t)(0xa0 + i);
    raw_read_request(&f, 1, 0x00020002, 0x2000, 16, mem_region_stag(m), 0x1000);
    raw_end(&f, true);
    raw_deliver(&p->a, &f);
    (void)sp_receive(p, &p->a);
    (void)sp_transmit(p, &p->a);
    expect_wire(&p->a, golden_E11, sizeof(golden_E11));
    sp_destroy(p);
}

/* E10, but for the sink, which is a name of our own. [RDM-018] */
static void golden_read_request(void **state)
{
    static const struct sp_options plain = {0};
    struct stream_pair *p = sp_create_free(&plain);
    struct mem_region *m = sp_region(p, &p->a, 0, 64, MEM_LOCAL_WRITE);
    uint8_t expected[sizeof(golden_E10)];

    (void)state;
    memcpy(expected, golden_E10, sizeof(expected));
    sn_put_be32(expected + 20, p->a.stream.config.sink_stag);
    sn_put_be64(expected + 24, 1ULL << 32);
    sn_put_le32(expected + 48, sn_crc32c_finish(sn_crc32c_add(SN_CRC32C_INIT, expected, 48)));
    sp_read(&p->a, 1, 0, sp_sge(m, 0, 16), 0x0a0b0c01, 0x1000);
    (void)sp_transmit(p, &p->a);
    expect_wire(&p->a, expected, sizeof(expected));
    sp_destroy(p);
}

/* E13 to E16, E18: in the tests of what causes them. Here the marked streams, E25 to E30.
 * [MPA-049] [MPA-051] [MPA-052] [MPA-053] [MPA-054] [MPA-055] */
static void golden_markers(void **state)
{
    static const struct sp_options marked = {.markers_ab = true, .payload_max = 2000};
    static const struct {
        uint32_t len;
        uint8_t fill;
        size_t at;
        const char *octets; /* there */
        size_t n;
        size_t total;
    } cases[] = {
        {24, 0x00, 0, "\x00\x00\x00\x00\x00\x2a\x41\x43", 8, 52},
        {24, 0x00, 48, "\x52\x23\x99\x83", 4, 52},
        {488, 0x00, 0x200, "\x00\x00\x01\xfc\x38\xcf\x64\xe8", 8, 520},
        {485, 0x5a, 0x1f8, "\x5a\x5a\x5a\x5a\x5a\x00\x00\x00\x00\x00\x01\xfc\x65\xb0\xe4\xa0", 16,
            520},
        {484, 0x00, 0x1fc, "\xa0\x9b\xb5\x5b", 4, 512},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        struct stream_pair *p = sp_create_free(&marked);
        struct mem_region *m = sp_region(p, &p->a, 0, 1000, MEM_LOCAL_READ);

        assert_int_equal(sp_transmit(p, &p->a), 0); /* no marker while there is nothing to send */
        memset(m->host, cases[i].fill, 1000);
        sp_send(&p->a, 1, 0, 0, sp_sge(m, 0, cases[i].len));
        (void)sp_transmit(p, &p->a);
        assert_int_equal(p->ab.n, cases[i].total);
        assert_memory_equal(p->ab.p + cases[i].at, cases[i].octets, cases[i].n);
        if (cases[i].total == 512) { /* E27: the next marker belongs to the next FPDU */
            sp_send(&p->a, 2, 0, 0, (struct iw_sge){0});
            (void)sp_transmit(p, &p->a);
            assert_int_equal(p->ab.n, 512 + 4 + 24);
            assert_memory_equal(p->ab.p + 512, "\x00\x00\x00\x00\x00\x12\x41\x43", 8);
            assert_memory_equal(p->ab.p + 0x218, "\x7c\x71\xe5\xb4", 4);
        }
        sp_destroy(p);
    }
}

/* E29, E30: markers inside, one and two. The stream is put to where the examples start. */
static void golden_markers_inside(void **state)
{
    static const struct sp_options marked = {.markers_ab = true, .payload_max = 2000};
    struct stream_pair *p = sp_create_free(&marked);
    struct mem_region *m = sp_region(p, &p->a, 0, 1200, MEM_LOCAL_READ);

    (void)state;
    p->a.stream.tx.marker_pos = 0x1ec;
    p->a.stream.tx.send_msn = 2;
    sp_send(&p->a, 1, 0, 0, sp_sge(m, 0, 24));
    sp_write(&p->a, 1, 0, sp_sge(m, 0, 1200), 0x0a0b0c01, 0x1000);
    (void)sp_transmit(p, &p->a);
    assert_int_equal(p->ab.n, 52 + 1228);
    assert_memory_equal(p->ab.p, "\x00\x2a\x41\x43\x00\x00\x00\x00\x00\x00\x00\x00", 12);
    assert_memory_equal(p->ab.p + 20, "\x00\x00\x00\x14", 4);
    assert_memory_equal(p->ab.p + 48, "\x84\x92\x58\x98", 4);
    sp_wire_drop(&p->ab, 52);
    assert_memory_equal(p->ab.p, "\x04\xbe\xc1\x40\x0a\x0b\x0c\x01", 8);
    assert_memory_equal(p->ab.p + 0x1e0, "\x00\x00\x01\xe0", 4);
    assert_memory_equal(p->ab.p + 0x3e0, "\x00\x00\x03\xe0", 4);
    assert_memory_equal(p->ab.p + 0x4c8, "\x39\x22\x32\x90", 4);
    sp_destroy(p);
}

/* Lengths around the limits: every segment but the last is full; offsets, L, MSN, no segment too
 * many. [MPA-042] [MPA-043] [MPA-045] [DDP-005] [DDP-007] [DDP-008] [DDP-011] [DDP-012] [DDP-014]
 * [RDM-016] */
static void cuts(void **state)
{
    static const struct {
        uint32_t payload_max, emss, tagged, untagged;
    } limits[] = {
        {0, 1448, 1428, 1424},
        {0, 536, 516, 512},
        {0, 88, 114, 110},
        {0, 65483, 64754, 64750},
        {100, 1448, 100, 100},
        {65536, 536, 64754, 64750},
        {1, 1448, 1, 1},
    };
    static uint8_t ulpdu[65536];

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(limits); i++) {
        const struct sp_options o = {.payload_max = limits[i].payload_max};
        uint32_t t = limits[i].tagged, u = limits[i].untagged;
        const uint32_t lens[] = {0, 1, t - 1, t, t + 1, 2 * t, 2 * t + 1, u, u + 1, 3 * u};

        for (size_t k = 0; k < SN_ARRAY_COUNT(lens) * 2; k++) {
            bool is_write = k % 2;
            uint32_t len = lens[k / 2], max = is_write ? t : u, off = 0;
            struct stream_pair *p = sp_create_free(&o);
            struct mem_region *m = sp_region(p, &p->a, 0, 200000, MEM_LOCAL_READ);
            struct ddp_segment seg;
            size_t n = 0;

            iw_set_emss(&p->a.stream, limits[i].emss);
            random_fill(&p->seed, m->host, len);
            if (is_write)
                sp_write(&p->a, 1, 0, sp_sge(m, 0, len), 0x77, UINT64_MAX - 5);
            else
                sp_send(&p->a, 1, IW_WR_INVALIDATE, 0x99, sp_sge(m, 0, len));
            (void)sp_transmit(p, &p->a);
            do {
                assert_true(sp_raw_take(&p->a, &seg, ulpdu, sizeof(ulpdu), &n));
                assert_int_equal(n, len - off < max ? len - off : max);
                assert_int_equal(seg.is_last, off + n == len);
                assert_int_equal(seg.stag, is_write ? 0x77 : 0x99);
                assert_memory_equal(ulpdu + seg.header_len, m->host + off, n);
                if (is_write) {
                    assert_true(seg.to == UINT64_MAX - 5 + off);
                } else {
                    assert_int_equal(seg.msn, 1);
                    assert_int_equal(seg.mo, off);
                }
                off += (uint32_t)n;
            } while (!seg.is_last);
            assert_int_equal(off, len);
            assert_int_equal(p->ab.n, 0);
            assert_int_equal(p->a.dones, 1);
            sp_destroy(p);
        }
    }
}

/* A request that is none. */
static void unknown_operation(void **state)
{
    static const struct sp_options plain = {0};
    const struct iw_wr wr = {.op = IW_OP_COUNT};
    struct stream_pair *p = sp_create_free(&plain);

    (void)state;
    sp_post(&p->a, &wr, NULL, 0);
    (void)sp_transmit(p, &p->a);
    assert_int_equal(p->a.done[0].status, SN_BAD_REQUEST);
    assert_int_equal(iw_stream_state(&p->a.stream), IW_TERMINATED);
    sp_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_sends),
        cmocka_unit_test(golden_tagged),
        cmocka_unit_test(golden_read_request),
        cmocka_unit_test(golden_markers),
        cmocka_unit_test(golden_markers_inside),
        cmocka_unit_test(cuts),
        cmocka_unit_test(unknown_operation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
