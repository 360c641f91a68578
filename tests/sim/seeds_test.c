/* SPDX-License-Identifier: MIT */
/*
 * Many seeds, and every seed that failed once (tests/sim/seeds.txt). A failure prints the line that
 * repeats it; ./dev sim --seed N --verbose then tells the story.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim/run.h"
#include "support/unit.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(SOFTNDK_DEBUG)
enum { SEEDS = 200 };
#else
enum { SEEDS = 1000 };
#endif

static void on_abort(int number)
{
    char line[96];
    int n = snprintf(line, sizeof line,
        "simulation failed, run it again: ./dev sim --seed %" PRIu64 "\n", run_current_seed());

    if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
        _exit(1);
    signal(number, SIG_DFL);
    raise(number);
}

static void run_one(uint64_t seed)
{
    const struct run_options o = {.seed = seed};
    struct run_result r;

    run_seed(&o, &r);
    if (!r.has_failed)
        return;
    /* Nothing can be tidied up after a failure. */
    fprintf(
        stderr, "simulation failed, run it again: ./dev sim --seed %" PRIu64 ": %s\n", seed, r.why);
    _exit(1);
}

static void run_of_seeds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run_one(seed);
}

static void seeds_of_past_failures(void **state)
{
    FILE *f = fopen(SIM_SEEDS_FILE, "r");
    char line[256];

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        char *end;
        uint64_t seed = strtoull(line, &end, 10);

        if (end != line)
            run_one(seed);
    }
    fclose(f);
}

/* Twice the same seed: the same events and the same octets on the wire, to the last one. */
static void same_seed_same_run(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        const struct run_options o = {.seed = seed};
        struct run_result a, b;

        run_seed(&o, &a);
        run_seed(&o, &b);
        assert_false(a.has_failed || b.has_failed);
        assert_int_equal(a.hash, b.hash);
        assert_int_equal(a.steps, b.steps);
    }
}

static void other_seed_other_run(void **state)
{
    const struct run_options one = {.seed = 1}, two = {.seed = 2};
    struct run_result a, b;

    (void)state;
    run_seed(&one, &a);
    run_seed(&two, &b);
    assert_int_not_equal(a.hash, b.hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_of_seeds),
        cmocka_unit_test(seeds_of_past_failures),
        cmocka_unit_test(same_seed_same_run),
        cmocka_unit_test(other_seed_other_run),
    };

    signal(SIGABRT, on_abort);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
