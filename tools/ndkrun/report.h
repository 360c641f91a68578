/* SPDX-License-Identifier: MIT */
/* Broken rules and leaks as the author reads them, on stderr. */
#ifndef TOOLS_NDKRUN_REPORT_H
#define TOOLS_NDKRUN_REPORT_H

#include <softndk_driver.h>
#include <stddef.h>

/* Takes over the reports of the kernel environment and of the verifier. */
void report_start(void);
/* Broken rules so far, the verifier's included. */
size_t report_rule_count(void);

/* Prints what the driver (NULL: any) has created and not ended, with the stacks of creation;
 * returns how many. head: "LEAK: mydriver left behind" or the like. */
size_t report_leaks(PSOFTNDK_DRV driver, const char *head);

/* The same for NDK objects that are open, of all drivers, as far as the verifier knows them. */
size_t report_ndk_objects(const char *head);

/* A sentence on stderr that starts with "ndkrun: ". */
void report_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
