/* SPDX-License-Identifier: MIT */
#include "unit/iwarp/stream_pair.h"

#include "iwarp/mem_list.h"

struct bench {
    struct stream_pair *p;
    struct mem_region *m, *read_only;
    struct iw_sge sge[4];
    struct iw_mem_list list;
};

static void bench_init(struct bench *b)
{
    static const struct sp_options plain = {0};

    b->p = sp_create(&plain);
    b->m = sp_region(b->p, &b->p->a, UINT64_MAX - 99, 100, MEM_LOCAL_WRITE);
    b->read_only = sp_region(b->p, &b->p->a, 0, 100, MEM_LOCAL_READ);
    b->sge[0] = (struct iw_sge){.addr = 1, .len = 0, .stag = 0xBAD};
    b->sge[1] = sp_sge(b->m, 10, 20);
    b->sge[2] = (struct iw_sge){.addr = 1, .len = 0, .stag = 0xBAD};
    b->sge[3] = sp_sge(b->m, 60, 40); /* up to 2^64 */
    b->list = (struct iw_mem_list){
        .sge = b->sge, .sge_count = 4, .rights = MEM_LOCAL_WRITE, .who = b->p->a.who};
}

/* Every part of a list, against a walk octet by octet. */
static void every_part(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    for (uint32_t off = 0; off < 60; off++) {
        for (uint32_t len = 1; len <= 60 - off; len++) {
            uint32_t at = off < 20 ? 10 + off : 40 + off, end = off < 20 ? 20 : 60;
            struct sn_span v[2];
            uint32_t covered;
            size_t count;

            assert_int_equal(
                iw_mem_list_locate(&b.p->mem, &b.list, off, len, v, 2, &count, &covered), MEM_OK);
            assert_int_equal(count, 1);
            assert_ptr_equal(v[0].p, b.m->host + at);
            assert_int_equal(v[0].n, covered);
            assert_int_equal(covered, len < end - off ? len : end - off);
        }
    }
    sp_destroy(b.p);
}

static void refused(void **state)
{
    static const struct mem_who other = {.pd = 9, .qp = 9};
    struct bench b;
    struct sn_span v[1] = {{NULL, 77}};
    uint32_t covered = 77;
    size_t count = 77;

    (void)state;
    bench_init(&b);
#define LOCATE(off, len) iw_mem_list_locate(&b.p->mem, &b.list, off, len, v, 1, &count, &covered)
    assert_int_equal(LOCATE(60, 1), MEM_BASE_BOUNDS); /* behind the end */
    assert_int_equal(LOCATE(UINT32_MAX, 1), MEM_BASE_BOUNDS);
    b.list.who = other;
    assert_int_equal(LOCATE(0, 1), MEM_STAG_STREAM);
    b.list.who = b.p->a.who;
    b.list.rights = MEM_REMOTE_WRITE;
    assert_int_equal(LOCATE(0, 1), MEM_NO_RIGHT);
    b.list.rights = MEM_LOCAL_WRITE;
    b.sge[1].stag ^= 1;
    assert_int_equal(LOCATE(0, 1), MEM_STAG_INVALID);
    b.sge[1] = sp_sge(b.m, 90, 20); /* leaves the region, and the address space */
    assert_int_equal(LOCATE(0, 20), MEM_TO_WRAP);
    assert_int_equal(LOCATE(10, 10), MEM_TO_WRAP);
    b.sge[1] = sp_sge(b.read_only, 90, 20);
    b.list.rights = MEM_LOCAL_READ;
    assert_int_equal(LOCATE(0, 20), MEM_BASE_BOUNDS);
    b.list.sge_count = 0;
    assert_int_equal(LOCATE(0, 1), MEM_BASE_BOUNDS);
    assert_int_equal(count, 77); /* nothing was written */
    assert_int_equal(covered, 77);
    assert_int_equal(v[0].n, 77);
    sp_destroy(b.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
