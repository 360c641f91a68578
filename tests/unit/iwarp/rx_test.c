/* SPDX-License-Identifier: MIT */
/* Collecting FPDUs: markers, the largest ones, how much is asked for. Cuts: exchange_test.c. */
#include "support/golden.h"
#include "unit/iwarp/raw_fpdu.h"

static const struct sp_options plain = {0}, marked = {.markers_ab = true};

static void receive_all(struct stream_pair *p, struct sp_end *e)
{
    while (sp_receive(p, e) > 0)
        continue;
}

/* The marked golden streams, in every small cut. [MPA-052] [MPA-053] [MPA-054] [MPA-055] [MPA-058]
 */
static void golden_marked_streams(void **state)
{
    static uint8_t octets[GOLDEN_MARKED_MAX];

    (void)state;
    for (size_t i = 0; i < GOLDEN_MARKED_COUNT; i++) {
        const struct golden_marked *g = &golden_marked_table[i];
        size_t n = golden_marked_octets(g, octets);

        for (size_t read_max = 0; read_max < 12; read_max++) {
            struct stream_pair *p = sp_create_free(&marked);
            struct mem_region *m = sp_region(p, &p->b, 0, 1200, MEM_LOCAL_WRITE | MEM_REMOTE_WRITE);
            bool is_write = sn_get_be16(octets) == 0x04be;

            p->read_max = read_max;
            p->b.stream.rx.pos = g->start;
            if (g->start == 0x1ec)
                p->b.stream.rx.send_msn = 2;
            sp_recv(&p->b, 1, sp_sge(m, 0, 1200));
            sp_recv(&p->b, 2, sp_sge(m, 0, 1200));
            sp_wire_put(&p->ab, octets, n);
            receive_all(p, &p->b);
            if (is_write) { /* to an STag that is not ours: its marks and CRC were right */
                assert_int_equal(iw_stream_error(&p->b.stream), WIRE_DDP_STAG_INVALID);
            } else {
                assert_int_equal(iw_stream_error(&p->b.stream), WIRE_OK);
                assert_true(p->b.recv_dones >= 1);
                assert_true(p->b.stream.rx.phase == IW_RX_HEAD);
            }
            sp_destroy(p);
        }
    }
}

/* FPDUPTR says something else than the length: only worth a word when the CRC is right. Its low two
 * bits and the reserved half mean nothing. [MPA-056] [MPA-057] */
static void wrong_fpduptr(void **state)
{
    static const struct {
        size_t at; /* of the octet to spoil: markers are at 0 and 0x200 */
        uint8_t flip;
        bool fixes_crc;
        enum wire_err err;
    } cases[] = {
        {0x203, 0x04, true, WIRE_MPA_MARKER},
        {0x202, 0x80, true, WIRE_MPA_MARKER},
        {0x003, 0x08, true, WIRE_MPA_MARKER},
        {0x203, 0x03, true, WIRE_OK},
        {0x200, 0xFF, true, WIRE_OK},
        {0x203, 0x04, false, WIRE_MPA_CRC},
        {0x003, 0x04, false, WIRE_MPA_CRC},
    };
    static uint8_t octets[GOLDEN_MARKED_MAX];

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases) * 2; i++) {
        const size_t k = i / 2;
        struct stream_pair *p = sp_create_free(&marked);
        struct mem_region *m = sp_region(p, &p->b, 0, 1200, MEM_LOCAL_WRITE);
        size_t n = golden_marked_octets(&golden_marked_table[0], octets);

        assert_int_equal(n, 520); /* E25 */
        octets[cases[k].at] ^= cases[k].flip;
        if (cases[k].fixes_crc)
            sn_put_le32(
                octets + n - 4, sn_crc32c_finish(sn_crc32c_add(SN_CRC32C_INIT, octets, n - 4)));
        p->read_max = i % 2;
        sp_recv(&p->b, 1, sp_sge(m, 0, 1200));
        sp_wire_put(&p->ab, octets, n);
        receive_all(p, &p->b);
        assert_int_equal(iw_stream_error(&p->b.stream), cases[k].err);
        assert_int_equal(p->b.recv_dones, cases[k].err == WIRE_OK);
        sp_destroy(p);
    }
}

/* ULPDUs up to what the length field can say, larger than anything we send. [MPA-047] */
static void largest_fpdus(void **state)
{
    static const uint32_t ulpdus[] = {16384, 64768, 64769, 65533, 65534, 65535};
    static struct raw_fpdu f;

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(ulpdus) * 4; i++) {
        uint32_t len = ulpdus[i / 4] - 18;
        const struct sp_options o = {.no_crc = i % 2};
        struct stream_pair *p = sp_create_free(&o);
        struct mem_region *m = sp_region(p, &p->b, 0, 65536, MEM_LOCAL_WRITE);

        p->read_max = i % 4 < 2 ? 0 : 1460;
        sp_recv(&p->b, 1, sp_sge(m, 0, 65536));
        raw_untagged(&f, 0x41, 0x43, 0, 0, 1, 0);
        raw_payload(&f, len);
        raw_end(&f, !o.no_crc);
        raw_deliver(&p->b, &f);
        receive_all(p, &p->b);
        assert_int_equal(p->b.recv_dones, 1);
        assert_int_equal(p->b.recv_done[0].len, len);
        assert_memory_equal(m->host, f.p + 20, len);
        sp_destroy(p);
    }
}

/* How much is asked for: all the scratch while FPDUs are small, the next header only when they are
 * large; the payload in place, across elements, as far as there are spans. */
static void what_is_wanted(void **state)
{
    static struct raw_fpdu f;
    struct stream_pair *p = sp_create_free(&plain);
    struct mem_region *m = sp_region(p, &p->b, 0, 65536, MEM_LOCAL_WRITE);
    struct sn_span v[4];
    struct iw_sge sge[3];
    size_t scratch;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        sge[i] = sp_sge(m, i * 20000, 10000);
    sp_recv_list(&p->b, 1, sge, 3);
    for (uintptr_t i = 2; i < 12; i++)
        sp_recv(&p->b, i, sp_sge(m, 0, 100));
    assert_int_equal(iw_rx_want(&p->b.stream, v, 4, 1000, &scratch), 0);
    assert_int_equal(scratch, 1000);
    raw_untagged(&f, 0x41, 0x43, 0, 0, 1, 0);
    raw_payload(&f, 29999);
    raw_end(&f, true);
    assert_int_equal(iw_rx_feed(&p->b.stream, f.p, 120), 120);
    assert_int_equal(iw_rx_want(&p->b.stream, v, 4, 1000, &scratch), 3);
    assert_ptr_equal(v[0].p, m->host + 100);
    assert_int_equal(v[0].n, 9900);
    assert_ptr_equal(v[1].p, m->host + 20000);
    assert_int_equal(v[2].n, 9999);
    assert_int_equal(scratch, f.n - 20 - 29999 + 20);
    assert_int_equal(iw_rx_want(&p->b.stream, v, 2, 1000, &scratch), 2);
    assert_int_equal(scratch, 0);
    assert_int_equal(iw_rx_want(&p->b.stream, v, 0, 1000, &scratch), 0);
    assert_int_equal(scratch, 1000);
    /* a part of the first span, then the rest by copy */
    (void)iw_rx_want(&p->b.stream, v, 4, 1000, &scratch);
    memcpy(v[0].p, f.p + 120, 50);
    iw_rx_placed(&p->b.stream, 50);
    assert_int_equal(iw_rx_feed(&p->b.stream, f.p + 170, f.n - 170), f.n - 170);
    assert_int_equal(p->b.recv_done[0].len, 29999);
    assert_memory_equal(m->host, f.p + 20, 10000);
    assert_memory_equal(m->host + 40000, f.p + 20 + 20000, 9999);
    assert_int_equal(m->host[49999], 0);
    for (uint32_t i = 0; i < IW_RX_BIG_MEMORY; i++) {
        (void)iw_rx_want(&p->b.stream, v, 4, 1000, &scratch);
        assert_int_equal(scratch, 20);
        raw_untagged(&f, 0x41, 0x43, 0, 0, 2 + i, 0);
        raw_end(&f, true);
        (void)iw_rx_feed(&p->b.stream, f.p, f.n);
    }
    (void)iw_rx_want(&p->b.stream, v, 4, 1000, &scratch);
    assert_int_equal(scratch, 1000);
    sp_destroy(p);
}

/* What is not ours to place is read into scratch, as much as is left of it. */
static void rest_of_a_bad_fpdu(void **state)
{
    static struct raw_fpdu f;
    struct stream_pair *p = sp_create_free(&plain);
    struct sn_span v[4];
    size_t scratch;

    (void)state;
    raw_untagged(&f, 0x41, 0x43, 0, 0, 9, 0);
    raw_payload(&f, 60000);
    raw_end(&f, true);
    assert_int_equal(iw_rx_feed(&p->b.stream, f.p, 100), 100);
    assert_int_equal(iw_stream_state(&p->b.stream), IW_OPEN); /* the CRC is not known */
    assert_int_equal(iw_rx_want(&p->b.stream, v, 4, 5000, &scratch), 0);
    assert_int_equal(scratch, 5000);
    assert_int_equal(iw_rx_feed(&p->b.stream, f.p + 100, f.n - 100), f.n - 100);
    assert_int_equal(iw_stream_error(&p->b.stream), WIRE_DDP_MSN_RANGE);
    /* from now on everything is dropped */
    assert_int_equal(iw_rx_want(&p->b.stream, v, 4, 5000, &scratch), 0);
    assert_int_equal(scratch, 5000);
    assert_int_equal(iw_rx_feed(&p->b.stream, f.p, f.n), f.n);
    assert_int_equal(p->b.state_changes, 1);
    sp_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_marked_streams),
        cmocka_unit_test(wrong_fpduptr),
        cmocka_unit_test(largest_fpdus),
        cmocka_unit_test(what_is_wanted),
        cmocka_unit_test(rest_of_a_bad_fpdu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
