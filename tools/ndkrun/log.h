/* SPDX-License-Identifier: MIT */
/* What the driver prints: time, thread, IRQL, text; to stdout or to a file. */
#ifndef TOOLS_NDKRUN_LOG_H
#define TOOLS_NDKRUN_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* "PASSIVE", "APC", "DISPATCH", "DIRQL", "HIGH"; static. */
const char *log_irql_name(unsigned irql);

/* From now on DbgPrint goes there; path NULL: stdout. False: the file cannot be written. */
bool log_start(const char *path);
/* Ends the last line and writes everything out. */
void log_end(void);
uint64_t log_line_count(void);

#endif
