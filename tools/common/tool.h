/* SPDX-License-Identifier: MIT */
/*
 * What every tool has: exit statuses, one sentence on stderr per error, an interrupt that ends it
 * cleanly, a clock.
 */
#ifndef TOOLS_COMMON_TOOL_H
#define TOOLS_COMMON_TOOL_H

#include <stdbool.h>
#include <stdint.h>

enum tool_exit {
    TOOL_DONE = 0,
    TOOL_FAILED = 1, /* the test failed or the peer misbehaved */
    TOOL_USAGE = 2,
    TOOL_UNREACHABLE = 3, /* could not connect or bind */
};

/* The name that stands before every message; static text. Also installs the handler of SIGINT and
 * SIGTERM, and makes stdout line-buffered. To be called once, first. */
void tool_start(const char *name);

/* "NAME: sentence" on stderr; returns rc, so that a caller can `return tool_fail(...)`. */
int tool_fail(int rc, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Has the user asked for the end (SIGINT, SIGTERM)? Async-signal and thread safe. */
bool tool_is_interrupted(void);

/* Nanoseconds of a clock that never goes back. */
uint64_t tool_now_ns(void);

/* Sleeps, but not longer than until an interrupt. */
void tool_sleep_ns(uint64_t ns);

/* Keeps the calling thread, and threads that it starts, on the n-th processor (from 0) that it may
 * use. Nothing happens where there are fewer. */
void tool_stay_on(unsigned n);

#endif
