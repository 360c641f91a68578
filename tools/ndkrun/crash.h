/* SPDX-License-Identifier: MIT */
/*
 * What would be a blue screen or a hang on Windows: signals of the processor become a report with
 * the bugcheck that Windows would show and the stack, then the default action of the signal; a
 * driver routine that does not return becomes a report with the place where it waits.
 */
#ifndef TOOLS_NDKRUN_CRASH_H
#define TOOLS_NDKRUN_CRASH_H

#include <stdbool.h>

/* Not where a sanitizer takes the signals itself (has_sanitizer). To be called by the main thread.
 */
void crash_start(bool has_sanitizer);

/* Between the two, `what` ("DriverUnload of mydriver") runs on the main thread; after `seconds` a
 * watchdog prints where it is and what is still open, and ends the process with status 1. */
void crash_watch_begin(const char *what, double seconds);
void crash_watch_end(void);

#endif
