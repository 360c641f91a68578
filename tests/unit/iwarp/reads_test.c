/* SPDX-License-Identifier: MIT */
/* The two read queues by themselves; their rules on the wire are in rx_*_test.c and tx_test.c. */
#include "unit/iwarp/stream_pair.h"

/* IRD entries, rounded up to a power of two as siw's ORD is, one more for a request without octets,
 * no matter where the queue stands. [RDM-031] */
static void inbound_room(void **state)
{
    static const uint32_t rooms[] = {0, 1, 2, 4, 4, 8, 8, 8, 8, 16};

    (void)state;
    for (uint32_t ird = 0; ird < SN_ARRAY_COUNT(rooms); ird++) {
        uint32_t room = rooms[ird];
        const struct sp_options o = {.no_reads = ird == 0, .ird = ird, .ord = 1};
        struct stream_pair *p = sp_create(&o);
        struct iw_stream *s = &p->b.stream;

        s->tx.irrq_pos = s->irrq_tail = UINT32_MAX - 2;
        for (uint32_t n = 0; n <= room + 1; n++) {
            assert_int_equal(iw_irrq_has_room(s, false), n < room);
            assert_int_equal(iw_irrq_has_room(s, true), n < room + 1);
            s->irrq_tail++;
        }
        assert_true(s->irrq_mask + 1 >= room + 1);
        sp_destroy(p);
    }
}

/* Every message on QN 1 is an entry, so its MSN follows from its place. */
static void inbound_msn(void **state)
{
    static const struct sp_options plain = {0};
    struct stream_pair *p = sp_create(&plain);
    struct iw_stream *s = &p->b.stream;

    (void)state;
    s->irrq_tail = 7;
    s->rx.read_msn = 3; /* wrapped lately */
    assert_int_equal(iw_irrq_msn(s, 6), 2);
    assert_int_equal(iw_irrq_msn(s, 2), UINT32_MAX - 1);
    sp_destroy(p);
}

/* A Read with local invalidate: the STag goes before the completion is seen. [VRB-031] */
static void read_invalidates(void **state)
{
    static const struct sp_options plain = {0};

    (void)state;
    for (int is_revoked = 0; is_revoked < 2; is_revoked++) {
        struct stream_pair *p = sp_create_free(&plain);
        struct mem_region *src = sp_region(p, &p->b, 0, 64, MEM_REMOTE_READ);
        struct mem_region *fast = sp_new_region(p, &p->a, MEM_KIND_FAST_MR);
        uint8_t *page = aligned_alloc(MEM_PAGE_SIZE, MEM_PAGE_SIZE);
        const uint64_t pages = (uintptr_t)page;
        const struct mem_fast_reg args = {
            .pages = &pages, .pages_count = 1, .len = 4096, .rights = MEM_LOCAL_WRITE};

        assert_int_equal(mem_fast_init(&p->mem, fast, 1, false), SN_OK);
        assert_int_equal(mem_fast_register(&p->mem, fast, p->a.who, &args), SN_OK);
        sp_read(&p->a, 1, IW_WR_INVALIDATE, sp_sge(fast, 0, is_revoked ? 0 : 64),
            mem_region_stag(src), 0);
        sp_send(&p->a, 2, 0, 0, (struct iw_sge){0});
        (void)sp_transmit(p, &p->a);
        if (is_revoked) /* by somebody else meanwhile: then it cannot be done again */
            assert_int_equal(mem_invalidate_local(&p->mem, fast, p->a.who), SN_OK);
        sp_run(p);
        assert_false(mem_region_is_valid(fast));
        assert_int_equal(p->a.done[0].status, is_revoked ? SN_BAD_REQUEST : SN_OK);
        assert_int_equal(
            iw_stream_error(&p->a.stream), is_revoked ? WIRE_LOCAL_CATASTROPHIC : WIRE_OK);
        iw_flush(&p->a.stream, SN_CANCELLED);
        assert_int_equal(p->a.dones, 2);
        assert_int_equal(p->a.done[1].status, is_revoked ? SN_CANCELLED : SN_OK);
        sp_destroy(p);
        free(page);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inbound_room),
        cmocka_unit_test(inbound_msn),
        cmocka_unit_test(read_invalidates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
