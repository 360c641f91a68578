/* SPDX-License-Identifier: MIT */
/*
 * Real threads in lanes use STags while others take them away. After the call that revokes has
 * returned not an octet moves any more [SEC-004] [DDP-039], and nothing is used that was freed. The
 * assertions see wrong octets; ThreadSanitizer sees the rest, as the memory is written plainly by
 * both sides, with nothing but quiescence between them.
 */
#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum {
    LANES = 3, /* plus one for the control thread */
    CONTROL_LANE = LANES,
    SLICE = 512, /* each lane has octets of its own */
    PAGES = 2,
    ROUNDS = 1000,
};

#define BASE 0x40000ull

/* The smallest thing that keeps the promise of mem_table.quiesce: odd while a thread is inside. */
struct lane {
    _Alignas(SN_CACHE_LINE) struct sn_a32 seq;
};

static struct lane lanes[LANES + 1];
static _Thread_local struct lane *inside;

static void lane_enter(struct lane *l)
{
    inside = l;
    sn_a32_fetch_add(&l->seq, 1);
    sn_fence_full(); /* first visible as inside, then the look at states */
}

static void lane_leave(void)
{
    struct lane *l = inside;

    inside = NULL;
    sn_a32_fetch_add(&l->seq, 1);
}

static void quiesce(void *ctx)
{
    struct lane *own = inside;

    (void)ctx;
    if (own != NULL)
        lane_leave(); /* so two that wait for each other both go on */
    sn_fence_full();  /* first the state is changed, then the look at who is inside */
    for (size_t i = 0; i <= LANES; i++) {
        uint32_t seen = sn_a32_load_acquire(&lanes[i].seq);

        while (seen % 2 != 0 && sn_a32_load_acquire(&lanes[i].seq) == seen)
            sched_yield();
    }
    if (own != NULL)
        lane_enter(own);
}

/* ---- the world of one test ---- */

struct world {
    struct mem_table table;
    struct fixture random; /* for fixture_random only */
    struct sn_a32 stag;    /* what the lanes use now */
    struct sn_a32 is_over;
    struct sn_a32 moved_count;
    struct sn_a32 refused_count;
    struct sn_a32 won_count;
    struct mem_region *mr;
    uint8_t *memory; /* PAGES pages */
};

struct user {
    struct world *w;
    uint32_t lane;
    pthread_t thread;
    void (*step)(struct user *u, uint32_t turn);
    struct mem_region *region; /* of this user alone */
};

static void *user_main(void *arg)
{
    struct user *u = arg;

    for (uint32_t turn = 1; sn_a32_load_acquire(&u->w->is_over) == 0; turn++) {
        lane_enter(&lanes[u->lane]);
        u->step(u, turn);
        lane_leave();
        if (turn % 8 == 0)
            sched_yield();
    }
    return NULL;
}

/* Random numbers of more than one thread at once. */
static pthread_mutex_t random_mutex = PTHREAD_MUTEX_INITIALIZER;

static void locked_random(void *ctx, void *out, size_t n)
{
    struct world *w = ctx;

    pthread_mutex_lock(&random_mutex);
    fixture_random(&w->random, out, n);
    pthread_mutex_unlock(&random_mutex);
}

static size_t live_before;

static void world_init(struct world *w)
{
    memset(w, 0, sizeof(*w));
    live_before = sn_alloc_live_count();
    assert_int_equal(mem_table_init(&w->table, 1000, quiesce, locked_random, w), SN_OK);
    w->memory = aligned_alloc(MEM_PAGE_SIZE, (size_t)PAGES * MEM_PAGE_SIZE);
    assert_non_null(w->memory);
    memset(w->memory, 0, (size_t)PAGES * MEM_PAGE_SIZE);
}

static void world_fini(struct world *w)
{
    mem_table_fini(&w->table);
    free(w->memory);
    assert_int_equal(sn_alloc_live_count(), live_before);
}

static void start(struct world *w, struct user *u, void (*step)(struct user *, uint32_t))
{
    for (uint32_t i = 0; i < LANES; i++) {
        u[i].w = w;
        u[i].lane = i;
        u[i].step = step;
        assert_int_equal(pthread_create(&u[i].thread, NULL, user_main, &u[i]), 0);
    }
}

static void stop(struct world *w, struct user *u)
{
    sn_a32_store_release(&w->is_over, 1);
    for (uint32_t i = 0; i < LANES; i++)
        pthread_join(u[i].thread, NULL);
}

static struct mem_region *create(struct world *w, enum mem_kind kind)
{
    struct mem_region *r = NULL;

    assert_int_equal(mem_region_create(&w->table, kind, PD_1, &r), SN_OK);
    if (kind == MEM_KIND_FAST_MR)
        assert_int_equal(mem_fast_init(&w->table, r, PAGES, true), SN_OK);
    return r;
}

/* Both pages, the second first, so that an access goes through the page list. */
static enum sn_status fast_register(struct world *w, struct mem_region *r)
{
    uint64_t first = (uint64_t)(uintptr_t)w->memory;
    const uint64_t pages[PAGES] = {first + MEM_PAGE_SIZE, first};
    const struct mem_fast_reg reg = {
        pages, PAGES, 0, PAGES * MEM_PAGE_SIZE, BASE, MEM_REMOTE_WRITE};

    return mem_fast_register(&w->table, r, WHO_1, &reg);
}

/* What placing a segment does: check, spans, copy. */
static void place(struct user *u, uint32_t stag, uint64_t to, uint8_t octet)
{
    uint8_t payload[SLICE];
    const struct mem_region *r;
    struct sn_span spans[PAGES];
    uint64_t covered;
    size_t count, at = 0;

    memset(payload, octet, sizeof(payload));
    if (mem_check(&u->w->table, WHO_1, stag, to, SLICE, MEM_REMOTE_WRITE, &r) != MEM_OK) {
        sn_a32_fetch_add(&u->w->refused_count, 1);
        return;
    }
    count = mem_spans(r, to, SLICE, spans, PAGES, &covered);
    for (size_t i = 0; i < count; i++) {
        memcpy(spans[i].p, payload + at, spans[i].n);
        at += spans[i].n;
    }
    sn_a32_fetch_add(&u->w->moved_count, 1);
}

static void place_step(struct user *u, uint32_t turn)
{
    uint64_t to = BASE + (uint64_t)u->lane * SLICE;

    place(u, sn_a32_load_acquire(&u->w->stag), to, (uint8_t)turn);
}

static void wait_for_more(struct sn_a32 *count, uint32_t more)
{
    uint32_t before = sn_a32_load_acquire(count);

    while (sn_a32_load_acquire(count) - before < more)
        sched_yield();
}

/* The memory is ours now: what we write stays. */
static void check_untouched(struct world *w, uint8_t octet)
{
    memset(w->memory, octet, (size_t)PAGES * MEM_PAGE_SIZE);
    wait_for_more(&w->refused_count, 2); /* they are still trying */
    for (size_t i = 0; i < (size_t)PAGES * MEM_PAGE_SIZE; i++)
        assert_int_equal(w->memory[i], octet);
}

enum revocation {
    DEREGISTER,
    DESTROY_MR,
    INVALIDATE,
    INVALIDATE_BY_STAG,
    DESTROY_FAST,
    REVOCATIONS
};

static struct mem_region *grant(struct world *w, enum revocation how)
{
    struct mem_region *r =
        create(w, how == DEREGISTER || how == DESTROY_MR ? MEM_KIND_MR : MEM_KIND_FAST_MR);

    if (how == DEREGISTER || how == DESTROY_MR)
        assert_int_equal(
            mem_register(&w->table, r, w->memory, BASE, PAGES * MEM_PAGE_SIZE, MEM_REMOTE_WRITE),
            SN_OK);
    else
        assert_int_equal(fast_register(w, r), SN_OK);
    return r;
}

/* Takes it away from outside all lanes, or, for what the send queue does, from inside of one. */
static void revoke(struct world *w, struct mem_region *r, enum revocation how)
{
    if (how == DEREGISTER) {
        assert_int_equal(mem_deregister(&w->table, r), SN_OK);
    } else if (how == INVALIDATE || how == INVALIDATE_BY_STAG) {
        lane_enter(&lanes[CONTROL_LANE]);
        if (how == INVALIDATE)
            assert_int_equal(mem_invalidate_local(&w->table, r, WHO_1), SN_OK);
        else
            assert_int_equal(mem_invalidate_remote(&w->table, mem_region_stag(r), WHO_1), MEM_OK);
        lane_leave();
    } else {
        assert_int_equal(mem_region_destroy(&w->table, r), SN_OK);
    }
}

/* [SEC-004] [DDP-039] for every way to revoke. */
static void test_nothing_moves_after_revoking(void **state)
{
    struct world w;
    struct user users[LANES] = {0};

    (void)state;
    world_init(&w);
    start(&w, users, place_step);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        enum revocation how = round % REVOCATIONS;
        struct mem_region *r = grant(&w, how);

        sn_a32_store_release(&w.stag, mem_region_stag(r));
        wait_for_more(&w.moved_count, 2);
        revoke(&w, r, how);
        check_untouched(&w, (uint8_t)round);
        if (how != DESTROY_MR && how != DESTROY_FAST)
            assert_int_equal(mem_region_destroy(&w.table, r), SN_OK);
    }
    stop(&w, users);
    world_fini(&w);
}

/* Each lane registers, uses and invalidates a region of its own. */
static void own_region_step(struct user *u, uint32_t turn)
{
    uint8_t *mine = u->w->memory + (size_t)u->lane * SLICE;
    uint64_t page = (uint64_t)(uintptr_t)u->w->memory;
    uint32_t fbo = u->lane * SLICE;
    const struct mem_fast_reg reg = {&page, 1, fbo, SLICE, BASE + fbo, MEM_REMOTE_WRITE};

    if (mem_fast_register(&u->w->table, u->region, WHO_1, &reg) != SN_OK)
        abort();
    place(u, mem_region_stag(u->region), BASE + fbo, (uint8_t)turn);
    if (mem_invalidate_local(&u->w->table, u->region, WHO_1) != SN_OK)
        abort();
    for (size_t i = 0; i < SLICE; i++) {
        if (mine[i] != (uint8_t)turn)
            abort();
    }
}

/* Lanes that wait for each other at the same time all get on. */
static void test_lanes_invalidate_at_once(void **state)
{
    struct world w;
    struct user users[LANES] = {0};

    (void)state;
    world_init(&w);
    for (uint32_t i = 0; i < LANES; i++)
        users[i].region = create(&w, MEM_KIND_FAST_MR);
    start(&w, users, own_region_step);
    wait_for_more(&w.moved_count, 20 * ROUNDS);
    stop(&w, users);
    assert_int_equal(sn_a32_load_acquire(&w.refused_count), 0);
    for (uint32_t i = 0; i < LANES; i++)
        assert_int_equal(mem_region_destroy(&w.table, users[i].region), SN_OK);
    world_fini(&w);
}

static void invalidate_step(struct user *u, uint32_t turn)
{
    uint32_t stag = sn_a32_load_acquire(&u->w->stag);
    bool is_won = turn % 2 == 0 ? mem_invalidate_remote(&u->w->table, stag, WHO_1) == MEM_OK
                                : mem_invalidate_stag(&u->w->table, stag, WHO_1) == SN_OK;

    if (is_won)
        sn_a32_fetch_add(&u->w->won_count, 1);
    place(u, stag, BASE + (uint64_t)u->lane * SLICE, (uint8_t)turn);
}

/* Of all who invalidate one registration exactly one succeeds; then the region can be registered
 * again; it can be destroyed at any moment. */
static void test_one_invalidation_wins(void **state)
{
    struct world w;
    struct user users[LANES] = {0};
    uint32_t granted_count = 0, revoked_by_destroy_count = 0;

    (void)state;
    world_init(&w);
    start(&w, users, invalidate_step);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct mem_region *r = create(&w, MEM_KIND_FAST_MR);
        uint32_t won_before;

        sn_a32_store_release(&w.stag, mem_region_stag(r));
        for (uint32_t i = 0; i < 4; i++) {
            won_before = sn_a32_load_acquire(&w.won_count);
            while (fast_register(&w, r) != SN_OK) /* the winner is not back yet */
                sched_yield();
            granted_count++;
            if (i < 3) {
                while (sn_a32_load_acquire(&w.won_count) == won_before)
                    sched_yield();
            }
        }
        assert_int_equal(mem_region_destroy(&w.table, r), SN_OK);
        memset(w.memory, 0xEE, (size_t)PAGES * MEM_PAGE_SIZE);
    }
    stop(&w, users);
    revoked_by_destroy_count = granted_count - sn_a32_load_acquire(&w.won_count);
    assert_true(revoked_by_destroy_count <= ROUNDS);
    world_fini(&w);
}

/* Each lane binds a window of its own to the shared MR, writes through it and lets it go. */
static void window_step(struct user *u, uint32_t turn)
{
    uint64_t to = BASE + (uint64_t)u->lane * SLICE;
    struct mem_bind b = {u->w->mr, to, SLICE, MEM_REMOTE_WRITE, 0};

    b.stag = mem_window_next_stag(&u->w->table, u->region);
    if (mem_bind(&u->w->table, u->region, WHO_1, &b) != SN_OK) {
        sn_a32_fetch_add(&u->w->refused_count, 1);
        return;
    }
    place(u, b.stag, to, (uint8_t)turn);
    if (mem_invalidate_local(&u->w->table, u->region, WHO_1) != SN_OK)
        abort();
}

/* An MR is deregistered only while no window is on it, and then nobody writes to its memory. */
static void test_bind_against_deregister(void **state)
{
    struct world w;
    struct user users[LANES] = {0};
    uint32_t done_count = 0;

    (void)state;
    world_init(&w);
    w.mr = create(&w, MEM_KIND_MR);
    for (uint32_t i = 0; i < LANES; i++)
        users[i].region = create(&w, MEM_KIND_WINDOW);
    start(&w, users, window_step);
    while (done_count < ROUNDS) {
        enum sn_status s =
            mem_register(&w.table, w.mr, w.memory, BASE, PAGES * MEM_PAGE_SIZE, MEM_LOCAL_WRITE);

        assert_int_equal(s, SN_OK);
        wait_for_more(&w.moved_count, 1);
        while ((s = mem_deregister(&w.table, w.mr)) == SN_BUSY)
            sched_yield();
        assert_int_equal(s, SN_OK);
        assert_int_equal(sn_a32_load_acquire(&w.mr->windows_bound), 0);
        check_untouched(&w, (uint8_t)done_count);
        done_count++;
    }
    stop(&w, users);
    for (uint32_t i = 0; i < LANES; i++)
        assert_int_equal(mem_region_destroy(&w.table, users[i].region), SN_OK);
    assert_int_equal(mem_region_destroy(&w.table, w.mr), SN_OK);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_moves_after_revoking),
        cmocka_unit_test(test_lanes_invalidate_at_once),
        cmocka_unit_test(test_one_invalidation_wins),
        cmocka_unit_test(test_bind_against_deregister),
    };

    return cmocka_run_group_tests_name("mem/quiesce", tests, NULL, NULL);
}
