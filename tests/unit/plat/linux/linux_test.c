/* SPDX-License-Identifier: MIT */
#include <net/if.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/plat/linux/rig.h"

static void test_the_clock_goes_forward(void **state)
{
    struct rig *r = *state;
    uint64_t last = plat_now_ns(r->plat);

    for (int i = 0; i < 1000; i++) {
        uint64_t now = plat_now_ns(r->plat);

        assert_true(now >= last);
        last = now;
    }
}

static void test_random_is_random(void **state)
{
    struct rig *r = *state;
    uint8_t a[1000] = {0}, b[1000] = {0}, zero[64] = {0};

    plat_random(r->plat, a, sizeof(a));
    plat_random(r->plat, b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_memory_not_equal(a + sizeof(a) - 64, zero, 64);
    plat_random(r->plat, a, 0);
}

static void test_local_addresses(void **state)
{
    struct rig *r = *state;
    uint32_t lo = if_nametoindex("lo");
    const struct plat_addr any = {.family = 4}, foreign = {.family = 4, .ip = {192, 0, 2, 1}};
    const struct plat_addr second = {.family = 4, .ip = {127, 0, 0, 2}};
    struct plat_addr loopback = rig_loopback(4);

    loopback.port = 80; /* ignored */
    assert_true(plat_addr_is_local(r->plat, 0, &loopback));
    assert_true(plat_addr_is_local(r->plat, 0, &second)); /* all of 127.0.0.0/8 */
    assert_true(plat_addr_is_local(r->plat, lo, &loopback));
    assert_false(plat_addr_is_local(r->plat, lo + 1000, &loopback));
    assert_false(plat_addr_is_local(r->plat, 0, &foreign));
    assert_false(plat_addr_is_local(r->plat, 0, &any));
}

struct waiting {
    struct plat *plat;
    struct sn_a32 count;
};

static bool is_100(void *ctx)
{
    return sn_a32_load_acquire(&((struct waiting *)ctx)->count) == 100;
}

/* In a process of its own, without a descriptor left. */
static int look_without_descriptors(struct plat *p)
{
    const struct plat_addr loopback = {.family = 4, .ip = {127, 0, 0, 1}};
    const struct plat_addr any = {.family = 4};
    const struct rlimit none = {0};

    if (setrlimit(RLIMIT_NOFILE, &none) != 0)
        return 2;
    return plat_addr_is_local(p, 0, &loopback) && !plat_addr_is_local(p, 0, &any) ? 0 : 1;
}

/* Then nobody can tell, and no consumer shall hear that its address is none of ours. */
static void test_addresses_when_nobody_can_tell(void **state)
{
    struct rig *r = *state;
    int result;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(look_without_descriptors(r->plat));
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
}

static void *counter_thread(void *arg)
{
    struct waiting *w = arg;

    for (int i = 0; i < 100; i++) {
        if (i % 10 == 0)
            rig_nap();
        sn_a32_fetch_add(&w->count, 1);
        plat_notify(w->plat);
    }
    return NULL;
}

static void test_wait_ends_when_it_is_done(void **state)
{
    struct rig *r = *state;
    struct waiting w = {r->plat, {0}};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, counter_thread, &w), 0);
    plat_wait(r->plat, is_100, &w);
    assert_true(is_100(&w));
    plat_wait(r->plat, is_100, &w); /* done already: returns at once */
    pthread_join(thread, NULL);
}

static bool server_got_5(void *ctx)
{
    return ((struct rig *)ctx)->server.got >= 5;
}

static void test_counters_outlive_their_lane(void **state)
{
    struct rig *r = *state;
    struct plat_linux_counters c, later;

    rig_listen(r, 4);
    rig_connect(r);
    rig_write(&r->client, "hello", 5);
    rig_until(r->lane, server_got_5, r);
    plat_linux_counters(r->plat, &c);
    assert_true(c.reads > 0);
    assert_int_equal(c.writes, 1);
    assert_true(c.waits > 0);
    rig_close_end(&r->client, true);
    rig_close_end(&r->server, true);
    rig_enter(r->lane);
    plat_listener_close(r->listener);
    r->listener = NULL;
    plat_lane_leave(r->lane);
    plat_lane_destroy(r->lane);
    plat_linux_counters(r->plat, &later);
    assert_true(later.reads >= c.reads);
    assert_int_equal(later.writes, 1);
    assert_int_equal(plat_lane_create(r->plat, &rig_lane_ops, r, &r->lane), SN_OK);
}

static void *no_memory(void *ctx, size_t size)
{
    (void)ctx;
    (void)size;
    return NULL;
}
static void free_nothing(void *ctx, void *p)
{
    (void)ctx;
    (void)p;
}

static void test_no_memory(void **state)
{
    const struct sn_allocator none = {no_memory, free_nothing, NULL};
    struct rig *r = *state;
    struct plat_addr at = rig_loopback(4), dst = rig_loopback(4), out;
    struct plat_listener *l;
    struct plat_reservation *res;
    struct plat_lane *lane;
    struct plat_pipe *p;

    dst.port = 9;
    rig_enter(r->lane);
    sn_alloc_set(&none);
    assert_null(plat_linux_create(NULL));
    assert_int_equal(plat_lane_create(r->plat, &rig_lane_ops, r, &lane), SN_NO_MEMORY);
    assert_int_equal(
        plat_connect(r->lane, &at, &dst, NULL, &rig_pipe_ops, &r->client, &p), SN_NO_MEMORY);
    assert_int_equal(plat_listen(r->lane, &at, NULL, &rig_listener_ops, r, &l), SN_NO_MEMORY);
    assert_int_equal(plat_reserve(r->plat, &at, &out, &res), SN_NO_MEMORY);
    sn_alloc_set(NULL);
    plat_lane_leave(r->lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_the_clock_goes_forward),
        RIG_TEST(test_random_is_random),
        RIG_TEST(test_local_addresses),
        RIG_TEST(test_addresses_when_nobody_can_tell),
        RIG_TEST(test_wait_ends_when_it_is_done),
        RIG_TEST(test_counters_outlive_their_lane),
        RIG_TEST(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
