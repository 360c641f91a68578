/* SPDX-License-Identifier: MIT */
#include "unit/plat/sim/rig.h"

static const struct sim_faults rough = {.split_permille = 300,
    .short_write_permille = 300,
    .again_permille = 200,
    .one_octet_permille = 100,
    .delay_ns_max = 50000,
    .reset_permyriad = 1,
    .lane_busy_permille = 200,
    .pipe_capacity = 3000};

/* What happened, folded into one number: every octet that was written, by whom, and when. */
struct digest {
    struct sim_world *world;
    uint64_t sum, octets;
};

static void fold(struct digest *d, uint64_t x)
{
    d->sum = (d->sum ^ x) * UINT64_C(0x100000001b3);
}

static void tap(
    void *ctx, const struct plat_addr *from, const struct plat_addr *to, const uint8_t *p, size_t n)
{
    struct digest *d = ctx;

    fold(d, sim_steps(d->world));
    fold(d, from->port);
    fold(d, to->port);
    for (size_t i = 0; i < n; i++)
        fold(d, p[i]);
    d->octets += n;
}

static bool is_over(void *ctx)
{
    struct rig *r = ctx;

    return r->end[0].saw_error || r->end[1].saw_error || (r->end[0].saw_end && r->end[1].saw_end) ||
           (r->end[0].connected_count > 0 && r->end[0].status != SN_OK);
}

static struct digest run(uint64_t seed)
{
    struct digest d = {0};
    struct rig r;

    rig_open(&r, seed, &rough);
    d.world = r.world;
    sim_set_tap(r.world, tap, &d);
    rig_listen(&r, 0);
    r.end[0].to_send = 5000;
    r.end[1].to_send = 3000;
    r.end[0].shuts_down = r.end[1].shuts_down = true;
    assert_int_equal(rig_try_connect(&r, &rig_addr[0], &r.addr), SN_OK);
    assert_true(sim_run_until(r.world, is_over, &r, RIG_STEPS_MAX));
    fold(&d, sim_steps(r.world));
    fold(&d, plat_now_ns(r.host[0]));
    rig_close(&r);
    return d;
}

static void test_the_same_seed_gives_the_same_run(void **state)
{
    struct digest last = {0};

    (void)state;
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct digest a = run(seed), b = run(seed);

        assert_int_equal(a.sum, b.sum);
        assert_int_equal(a.octets, b.octets);
        assert_true(a.sum != last.sum); /* another seed, another run */
        last = a;
    }
}

static void test_random_is_in_range(void **state)
{
    struct rig *r = *state;
    bool seen[5] = {false};

    assert_int_equal(sim_random(r->world, 0), 0);
    assert_int_equal(sim_random(r->world, 1), 0);
    for (int i = 0; i < 1000; i++) {
        uint64_t x = sim_random(r->world, 5);

        assert_true(x < 5);
        seen[x] = true;
    }
    for (int i = 0; i < 5; i++)
        assert_true(seen[i]);
}

static void test_nothing_happens_by_itself(void **state)
{
    struct rig *r = *state;

    assert_false(sim_step(r->world));
    rig_listen(r, 0);
    assert_false(sim_step(r->world));
}

struct flag_timer {
    struct plat_timer timer;
    uint64_t fired_ns;
    struct plat *plat;
};

static void note_fired(struct plat_timer *timer)
{
    struct flag_timer *t = SN_CONTAINER_OF(timer, struct flag_timer, timer);

    t->fired_ns = plat_now_ns(t->plat);
}

static bool has_fired(void *ctx)
{
    return ((struct flag_timer *)ctx)->fired_ns != 0;
}

static void test_time_passes_to_the_next_timer(void **state)
{
    struct rig *r = *state;
    struct flag_timer t = {.plat = r->host[0]};
    uint64_t due;

    plat_timer_init(&t.timer, note_fired);
    rig_enter(r->lane[0]);
    due = plat_now_ns(r->host[0]) + UINT64_C(3600000000000);
    plat_timer_set(r->lane[0], &t.timer, UINT64_C(3600000000000));
    plat_lane_leave(r->lane[0]);
    plat_wait(r->host[0], has_fired, &t); /* steps the world */
    assert_int_equal(t.fired_ns, due);
    assert_in_range(sim_steps(r->world), 1, 5);
}

static bool never(void *ctx)
{
    (void)ctx;
    return false;
}

static void test_run_until_gives_up(void **state)
{
    struct rig *r = *state;

    assert_false(sim_run_until(r->world, never, NULL, 100));
    rig_listen(r, 0);
    r->end[0].to_send = r->end[1].to_send = SIZE_MAX / 2;
    rig_connect(r);
    assert_false(sim_run_until(r->world, never, NULL, 100));
}

static void test_platform_random_follows_the_seed(void **state)
{
    struct rig *r = *state;
    struct sim_world *w = sim_world_create(1, NULL);
    struct plat *p;
    uint8_t a[32], b[32];

    assert_non_null(w);
    p = sim_host_create(w, rig_addr, 1);
    assert_non_null(p);
    plat_random(r->host[0], a, sizeof(a));
    plat_random(p, b, sizeof(b));
    assert_memory_equal(a, b, sizeof(a));
    plat_random(p, b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    sim_host_destroy(p);
    sim_world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_seed_gives_the_same_run),
        RIG_TEST(test_random_is_in_range),
        RIG_TEST(test_nothing_happens_by_itself),
        RIG_TEST(test_time_passes_to_the_next_timer),
        RIG_TEST(test_run_until_gives_up),
        RIG_TEST(test_platform_random_follows_the_seed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
