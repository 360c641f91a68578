/* SPDX-License-Identifier: MIT */
/* What kenv knows about a thread: PKTHREAD points to it. Every thread of the process has one. */
#ifndef SN_KENV_THREAD_H
#define SN_KENV_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <wdm.h>

/* Mutexes that the thread holds, each counted as often as it was taken. Any thread. */
void kenv_thread_add_mutexes(PKTHREAD thread, LONG n);
/*
 * After a routine of the driver that a thread of kenv ran (what: "work item routine"): bugchecks
 * with `code` if it left the IRQL raised, and if it is in a critical region or holds a mutex.
 */
void kenv_thread_require_clean(ULONG code, const char *what, const void *routine);
/* System threads that run. */
size_t kenv_thread_count(void);

#endif
