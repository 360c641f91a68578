/* SPDX-License-Identifier: MIT */
/*
 * softndk_sim: runs seeds. Exit status: 0 all went well, 1 one failed (a line says which and how to
 * repeat it), 2 usage.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/run.h"

static const char usage[] =
    "usage: softndk_sim [--seed N] [--count M] [--steps N] [--verbose]\n"
    "  --seed N     the first seed (1)\n"
    "  --count M    how many seeds, one after the other (1); --seeds M is the same\n"
    "  --steps N    length of the run before its end begins (the seed decides)\n"
    "  --verbose    every event\n";

struct arguments {
    struct run_options run;
    uint64_t count;
};

/* An assertion of the library or a sanitizer ends the process: the seed must be known then as well.
 */
static void say_seed(void)
{
    char line[96];
    int n =
        snprintf(line, sizeof line, "\nsimulation failed, run it again: ./dev sim --seed %llu\n",
            (unsigned long long)run_current_seed());

    if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
        return;
}

static void on_signal(int number)
{
    say_seed();
    signal(number, SIG_DFL);
    raise(number);
}

#if defined(__GNUC__)
/* Of the sanitizers' runtime, when there is one. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));
#endif

static void watch_for_death(void)
{
    signal(SIGABRT, on_signal);
#if defined(__GNUC__)
    if (__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(say_seed);
        return;
    }
#endif
    signal(SIGSEGV, on_signal);
}

static bool parse_number(const char *text, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 0);
    return errno == 0 && *text != '\0' && *text != '-' && *end == '\0';
}

static bool parse(int argc, char **argv, struct arguments *a)
{
    for (int i = 1; i < argc; i++) {
        uint64_t n;

        if (strcmp(argv[i], "--verbose") == 0) {
            a->run.is_verbose = true;
            continue;
        }
        if (i + 1 >= argc || !parse_number(argv[i + 1], &n))
            return false;
        if (strcmp(argv[i], "--seed") == 0)
            a->run.seed = n;
        else if (strcmp(argv[i], "--count") == 0 || strcmp(argv[i], "--seeds") == 0)
            a->count = n;
        else if (strcmp(argv[i], "--steps") == 0 && n <= UINT32_MAX)
            a->run.steps = (uint32_t)n;
        else
            return false;
        i++;
    }
    return true;
}

static void print_failure(const struct arguments *a, const struct run_result *r)
{
    char steps[32] = "";

    if (a->run.steps != 0)
        snprintf(steps, sizeof steps, " --steps %u", a->run.steps);
    printf("simulation failed, run it again: ./dev sim --seed %llu%s: %s\n",
        (unsigned long long)a->run.seed, steps, r->why);
}

int main(int argc, char **argv)
{
    struct arguments a = {.run = {.seed = 1}, .count = 1};
    struct run_result r;
    uint64_t completions = 0, octets = 0, connects = 0, steps = 0, first;

    if (!parse(argc, argv, &a)) {
        fputs(usage, stderr);
        return 2;
    }
    watch_for_death();
    first = a.run.seed;
    for (uint64_t i = 0; i < a.count; i++, a.run.seed++) {
        run_seed(&a.run, &r);
        if (r.has_failed) {
            print_failure(&a, &r);
            fflush(stdout);
            _exit(1); /* what the run left is no leak to report */
        }
        completions += r.completions;
        octets += r.octets;
        connects += r.connects;
        steps += r.steps;
    }
    printf("%llu seeds from %llu: %llu steps, %llu connections, %llu completions, %llu octets; the "
           "last "
           "one (%s) has hash %016llx\n",
        (unsigned long long)a.count, (unsigned long long)first, (unsigned long long)steps,
        (unsigned long long)connects, (unsigned long long)completions, (unsigned long long)octets,
        a.count > 0 ? r.mood : "", a.count > 0 ? (unsigned long long)r.hash : 0);
    return 0;
}
