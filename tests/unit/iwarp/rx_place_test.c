/* SPDX-License-Identifier: MIT */
/* Payload to memory: exactly there, over scattered pages and many elements, and nowhere else. */
#include "unit/iwarp/raw_fpdu.h"

#include "iwarp/rx.h"

enum { PAGES = 40, LEN = PAGES * MEM_PAGE_SIZE - 1000 };

/* Every other page of a larger range, so that no two touch. */
struct scattered {
    uint8_t *memory;
    uint64_t pages[PAGES];
    struct mem_region *r;
};

static void scatter(struct stream_pair *p, struct sp_end *e, struct scattered *s, uint32_t rights)
{
    const struct mem_fast_reg args = {.pages = s->pages,
        .pages_count = PAGES,
        .fbo = 1000,
        .base = 1000,
        .len = LEN,
        .rights = rights};

    s->memory = aligned_alloc(MEM_PAGE_SIZE, 2 * PAGES * MEM_PAGE_SIZE);
    assert_non_null(s->memory);
    memset(s->memory, 0, 2 * PAGES * MEM_PAGE_SIZE);
    for (size_t i = 0; i < PAGES; i++)
        s->pages[i] = (uintptr_t)s->memory + 2 * i * MEM_PAGE_SIZE;
    s->r = sp_new_region(p, e, MEM_KIND_FAST_MR);
    assert_int_equal(mem_fast_init(&p->mem, s->r, PAGES, true), SN_OK);
    assert_int_equal(mem_fast_register(&p->mem, s->r, e->who, &args), SN_OK);
}

static uint8_t scattered_octet(const struct scattered *s, uint32_t i)
{
    uint32_t at = i + 1000;

    return s->memory[2 * (at / MEM_PAGE_SIZE) * MEM_PAGE_SIZE + at % MEM_PAGE_SIZE];
}

/* More spans than are looked up at once. [DDP-026] [SEC-003] */
static void scattered_pages(void **state)
{
    static struct raw_fpdu f;

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        const struct sp_options o = {.no_crc = i % 2};
        struct stream_pair *p = sp_create_free(&o);
        struct scattered s;
        uint32_t len = 65000, at = 3333;

        p->read_max = i < 2 ? 0 : i < 4 ? 30000 : 999;
        scatter(p, &p->b, &s, MEM_LOCAL_WRITE | MEM_REMOTE_WRITE);
        raw_tagged(&f, 0xC1, 0x40, mem_region_stag(s.r), 1000 + at);
        raw_payload(&f, len);
        raw_end(&f, !o.no_crc);
        raw_deliver(&p->b, &f);
        while (sp_receive(p, &p->b) > 0)
            continue;
        assert_true(iw_is_idle(&p->b.stream));
        for (uint32_t k = 0; k < LEN; k++) {
            bool is_written = k >= at && k < at + len;

            if (scattered_octet(&s, k) != (is_written ? (uint8_t)(k - at + 1) : 0))
                fail_msg("octet %u", k);
        }
        for (size_t page = 1; page < 2 * PAGES; page += 2)
            for (size_t k = 0; k < MEM_PAGE_SIZE; k++)
                assert_int_equal(s.memory[page * MEM_PAGE_SIZE + k], 0);
        sp_destroy(p);
        free(s.memory);
    }
}

/* The sink of a Read: several elements, some empty, over segments that do not end where they do.
 * [VRB-042] */
static void sink_of_many_elements(void **state)
{
    (void)state;
    for (uint32_t payload_max = 1; payload_max < 40; payload_max += 6) {
        const struct sp_options o = {.payload_max = payload_max};
        struct stream_pair *p = sp_create_free(&o);
        struct mem_region *src = sp_region(p, &p->b, 0, 100, MEM_REMOTE_READ);
        struct mem_region *dst = sp_region(p, &p->a, 0, 200, MEM_LOCAL_WRITE);
        const struct iw_wr wr = {.op = IW_OP_READ, .remote_stag = mem_region_stag(src)};
        const struct iw_sge sge[] = {sp_sge(dst, 0, 1), {.stag = 9}, sp_sge(dst, 50, 37),
            {.stag = 9}, sp_sge(dst, 10, 20), sp_sge(dst, 100, 42)};

        random_fill(&p->seed, src->host, 100);
        sp_post(&p->a, &wr, sge, SN_ARRAY_COUNT(sge));
        sp_run(p);
        assert_int_equal(p->a.dones, 1);
        assert_int_equal(p->a.done[0].status, SN_OK);
        assert_memory_equal(dst->host, src->host, 1);
        assert_memory_equal(dst->host + 50, src->host + 1, 37);
        assert_memory_equal(dst->host + 10, src->host + 38, 20);
        assert_memory_equal(dst->host + 100, src->host + 58, 42);
        assert_int_equal(dst->host[1] | dst->host[30] | dst->host[87] | dst->host[142], 0);
        sp_destroy(p);
    }
}

/* A shared receive queue has a domain of its own: its elements are looked up there. [VRB-052] */
static void receive_of_another_domain(void **state)
{
    static const struct sp_options o = {0};
    static struct raw_fpdu f;

    (void)state;
    for (uint32_t is_same = 0; is_same < 2; is_same++) {
        struct stream_pair *p = sp_create_free(&o);
        struct mem_region *m = sp_region(p, &p->a, 0, 64, MEM_LOCAL_WRITE); /* of domain 1 */
        struct iw_recv *r;

        sp_recv(&p->b, 1, sp_sge(m, 0, 64));
        r = iw_ring_slot(&p->b.rq, 0);
        if (is_same)
            r->pd = p->a.who.pd;
        raw_untagged(&f, 0x41, 0x43, 0, 0, 1, 0);
        raw_payload(&f, 5);
        raw_end(&f, true);
        raw_deliver(&p->b, &f);
        (void)sp_receive(p, &p->b);
        assert_int_equal(p->b.recv_done[0].status, is_same ? SN_OK : SN_NO_ACCESS);
        assert_int_equal(m->host[4], is_same ? 5 : 0);
        sp_destroy(p);
    }
}

/* Whose fault a refusal is. */
static void refusals(void **state)
{
    static const struct {
        enum iw_rx_to to;
        enum mem_result why;
        enum wire_err err;
        enum sn_status own;
    } cases[] = {
        {IW_TO_WRITE, MEM_BASE_BOUNDS, WIRE_DDP_BASE_BOUNDS, SN_OK},
        {IW_TO_WRITE, MEM_STAG_STREAM, WIRE_DDP_STAG_STREAM, SN_OK},
        {IW_TO_RECV, MEM_BASE_BOUNDS, WIRE_LOCAL_CATASTROPHIC, SN_NO_ACCESS},
        {IW_TO_READ, MEM_STAG_INVALID, WIRE_LOCAL_CATASTROPHIC, SN_NO_ACCESS},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        struct iw_stream s = {.rx = {.to = cases[i].to}};

        iw_rx_refuse(&s, cases[i].why);
        assert_int_equal(s.rx.err, cases[i].err);
        assert_int_equal(s.rx.own_status, cases[i].own);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scattered_pages),
        cmocka_unit_test(sink_of_many_elements),
        cmocka_unit_test(receive_of_another_domain),
        cmocka_unit_test(refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
