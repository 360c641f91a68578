/* SPDX-License-Identifier: MIT */
#include "common/tool.h"

#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *tool_name = "softndk";
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void tool_start(const char *name)
{
    struct sigaction action;

    tool_name = name;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    /* A second signal ends a tool that does not react to the first. */
    action.sa_flags = (int)SA_RESETHAND;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
}

int tool_fail(int rc, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s: ", tool_name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return rc;
}

bool tool_is_interrupted(void)
{
    return interrupted != 0;
}

uint64_t tool_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void tool_sleep_ns(uint64_t ns)
{
    uint64_t end = tool_now_ns() + ns, now;

    while (!tool_is_interrupted() && (now = tool_now_ns()) < end) {
        uint64_t rest = end - now;
        struct timespec t;

        /* The signal may go to another thread: look every tenth of a second. */
        if (rest > 100000000u)
            rest = 100000000u;
        t.tv_sec = 0;
        t.tv_nsec = (long)rest;
        nanosleep(&t, NULL);
    }
}

void tool_stay_on(unsigned n)
{
    cpu_set_t may, only;

    if (sched_getaffinity(0, sizeof may, &may) != 0 || n >= (unsigned)CPU_COUNT(&may))
        return;
    CPU_ZERO(&only);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &may) && n-- == 0)
            CPU_SET(cpu, &only);
    }
    sched_setaffinity(0, sizeof only, &only);
}
