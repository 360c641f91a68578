/* SPDX-License-Identifier: MIT */
/* A responder under test with one region of each kind and one receive; the other end is raw. */
#ifndef SN_TESTS_UNIT_IWARP_RX_BENCH_H
#define SN_TESTS_UNIT_IWARP_RX_BENCH_H

#include "unit/iwarp/raw_fpdu.h"

enum { RECV_LEN = 100, RW_BASE = 0x1000, RW_LEN = 4096, IRD = 2 };

struct bench {
    struct stream_pair *p;
    struct sp_end *e; /* under test: the responder */
    struct mem_region *rw, *local, *foreign, *fast, *fast_own, *inbox;
    uint64_t page;
    uint8_t *page_memory;
};

static inline struct mem_region *bench_fast_region(struct bench *b, uint32_t rights)
{
    struct mem_region *r = sp_new_region(b->p, b->e, MEM_KIND_FAST_MR);
    const struct mem_fast_reg args = {
        .pages = &b->page, .pages_count = 1, .len = MEM_PAGE_SIZE, .rights = rights};

    assert_int_equal(mem_fast_init(&b->p->mem, r, 1, true), SN_OK);
    assert_int_equal(mem_fast_register(&b->p->mem, r, b->e->who, &args), SN_OK);
    return r;
}

static inline void bench_init(struct bench *b, bool rfc7306, bool no_crc)
{
    const struct sp_options o = {.ird = IRD, .rfc7306 = rfc7306, .no_crc = no_crc};

    b->p = sp_create(&o);
    b->e = &b->p->b;
    b->page_memory = aligned_alloc(MEM_PAGE_SIZE, MEM_PAGE_SIZE);
    assert_non_null(b->page_memory);
    b->page = (uintptr_t)b->page_memory;
    b->rw = sp_region(b->p, b->e, RW_BASE, RW_LEN, MEM_REMOTE_READ | MEM_REMOTE_WRITE);
    b->local = sp_region(b->p, b->e, RW_BASE, RW_LEN, MEM_LOCAL_READ | MEM_LOCAL_WRITE);
    b->foreign = sp_region(b->p, &b->p->a, RW_BASE, RW_LEN, MEM_REMOTE_READ | MEM_REMOTE_WRITE);
    b->inbox = sp_region(b->p, b->e, 0, 2 * RECV_LEN, MEM_LOCAL_WRITE);
    b->fast = bench_fast_region(b, MEM_REMOTE_READ);
    b->fast_own = bench_fast_region(b, MEM_LOCAL_WRITE);
    sp_recv(b->e, 1, sp_sge(b->inbox, 0, RECV_LEN));
}

static inline void bench_fini(struct bench *b)
{
    sp_destroy(b->p);
    free(b->page_memory);
}

#endif
