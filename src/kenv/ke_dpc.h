/* SPDX-License-Identifier: MIT */
/* The thread that runs DPCs and lets timers expire. */
#ifndef SN_KENV_KE_DPC_H
#define SN_KENV_KE_DPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wdm.h>

/* Starts the thread if there is none, and makes it look at the timers again. Any IRQL. */
void kenv_dpc_wake(void);
/* No DPC is queued or runs. */
bool kenv_dpc_is_idle(void);
/* A queued DPC in [start, start + size), or NULL. */
const void *kenv_dpc_find(const void *start, size_t size);
/* The calling thread is the one of DPCs and timers. */
bool kenv_dpc_is_here(void);

#endif
