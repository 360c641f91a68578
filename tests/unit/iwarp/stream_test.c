/* SPDX-License-Identifier: MIT */
#include "unit/iwarp/stream_pair.h"

/* A Write and a Send, end to end, CRC on. [RDM-008] [RDM-015] [RDM-017] */
static void write_then_send(void **state)
{
    static const struct sp_options o = {0};
    struct stream_pair *p = sp_create(&o);
    struct mem_region *src = sp_region(p, &p->a, 0x10000, 200000, MEM_LOCAL_READ);
    struct mem_region *dst =
        sp_region(p, &p->b, 0x900000, 200000, MEM_LOCAL_WRITE | MEM_REMOTE_WRITE);
    struct mem_region *inbox = sp_region(p, &p->b, 0, 4096, MEM_LOCAL_WRITE);

    (void)state;
    random_fill(&p->seed, src->host, 200000);
    sp_recv(&p->b, 7, sp_sge(inbox, 0, 4096));
    sp_write(&p->a, 1, 0, sp_sge(src, 0, 199999), mem_region_stag(dst), 0x900000);
    sp_send(&p->a, 2, IW_WR_SOLICITED, 0, sp_sge(src, 100, 64));
    sp_run(p);
    assert_int_equal(p->a.dones, 2);
    assert_int_equal(p->a.done[0].id, 1);
    assert_int_equal(p->a.done[1].id, 2);
    assert_int_equal(p->a.done[1].status, SN_OK);
    assert_int_equal(p->b.recv_dones, 1);
    assert_int_equal(p->b.recv_done[0].id, 7);
    assert_int_equal(p->b.recv_done[0].len, 64);
    assert_true(p->b.recv_done[0].is_solicited);
    assert_memory_equal(dst->host, src->host, 199999);
    assert_int_equal(dst->host[199999], 0);
    assert_memory_equal(inbox->host, src->host + 100, 64);
    assert_true(iw_is_idle(&p->a.stream) && iw_is_idle(&p->b.stream));
    sp_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_then_send),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
