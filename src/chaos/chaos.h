/* SPDX-License-Identifier: MIT */
/*
 * The layer that makes legal but unpleasant behaviour happen: completions early, late or inline
 * (SOFTNDK_SCHEDULE), failures and lost connections on request (SOFTNDK_FAULTS). Nothing here does
 * what the specification does not allow a provider to do. docs/schedules-and-faults.md
 */
#ifndef SN_CHAOS_CHAOS_H
#define SN_CHAOS_CHAOS_H

#include "chaos/faults.h"
#include "ndk/layer.h"

/* Stays out of an adapter when neither variable asks for anything of it. */
extern const struct ndk_layer chaos_layer;

/*
 * The rules of SOFTNDK_FAULTS for allocations of the kernel environment are of the whole process.
 * They become its fault hook (SoftNdkDrvSetFault) and begin to count with the first call of this:
 * the layer's open, or earlier whoever wants earlier allocations to count. Later calls change
 * nothing. STATUS_INVALID_PARAMETER: `text` says what is wrong with the
 * variable.
 */
NTSTATUS chaos_pool_begin(char *(*env)(const char *name), char text[NDK_LAYER_TEXT]);
/* For tests: no allocation fails any more, the next chaos_pool_begin counts anew. No other thread
 * may allocate meanwhile. */
void chaos_pool_end(void);

#endif
